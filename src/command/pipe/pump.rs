//! Lines through worker threads, in order.
//!
//! A reader cuts the input into batches of whole lines and deals them to the workers in turn; the
//! writer collects from the workers in the same turn, so order needs no bookkeeping. Queues are
//! short, so memory is bounded by the number of workers and the longest line. A batch is whatever one
//! read gave: a busy input fills batches, a slow one (`tail -f`) is answered line by line.

use std::io::{self, Read, Write};
use std::sync::mpsc::{Receiver, Sender, SyncSender, channel, sync_channel};
use std::thread::{Builder, JoinHandle};

/// How much is read at a time, in bytes; also what a batch aims at.
const READ_BYTES: usize = 256 * 1024;

/// A line longer than this is not kept in memory: it is counted and withheld.
pub const LONGEST_LINE_BYTES: usize = 64 * 1024 * 1024;

/// Batches that may wait before a worker.
const QUEUE: usize = 2;

/// A buffer larger than this is given back after use instead of being kept.
const KEEP_BYTES: usize = 4 * READ_BYTES;

/// What a worker thread does.
pub trait Work: Send + 'static {
    /// Appends what the line becomes to `out`. Neither the line nor what is appended has its ending.
    fn line(&mut self, line: &[u8], out: &mut Vec<u8>);

    /// The same for a line that was too long to be kept.
    fn too_long(&mut self, line_bytes: u64, out: &mut Vec<u8>);
}

#[derive(Debug, thiserror::Error)]
pub enum PumpError {
    #[error("cannot read the input: {0}")]
    Read(io::Error),
    #[error("cannot write the output: {0}")]
    Write(io::Error),
    #[error("cannot start a thread: {0}")]
    Thread(io::Error),
    /// A worker ended before its time, which only a panic does.
    #[error("internal error: a worker stopped")]
    WorkerLost,
}

/// Whole lines, or one line that was too long.
#[derive(Default)]
struct Batch {
    lines: Vec<u8>,
    /// `Some`: `lines` holds only the line's ending, if it had one.
    too_long_bytes: Option<u64>,
    out: Vec<u8>,
}

/// Reads lines until the input ends and writes what the workers make of them, in order. Gives the
/// workers back. After an error the threads are left behind: the process is expected to end.
pub fn pump<W: Work>(
    input: impl Read + Send + 'static,
    output: &mut impl Write,
    workers: Vec<W>,
) -> Result<Vec<W>, PumpError> {
    let (recycle, recycled) = channel();
    let mut to_workers = Vec::with_capacity(workers.len());
    let mut from_workers = Vec::with_capacity(workers.len());
    let mut threads = Vec::with_capacity(workers.len());
    for worker in workers {
        let (job_to, job_from) = sync_channel(QUEUE);
        let (done_to, done_from) = sync_channel(QUEUE);
        to_workers.push(job_to);
        from_workers.push(done_from);
        threads.push(spawn("scrub", move || work(worker, &job_from, &done_to))?);
    }
    let reader = spawn("read", move || read(input, &to_workers, &recycled))?;
    let ended = collect(output, &from_workers, &recycle)?;
    drop(from_workers);
    // The worker that ended first shows whether the input is over or a panic was met; in the second
    // case the reader, and with it the other workers, may wait for input that never comes.
    threads.rotate_left(ended);
    let mut workers = Vec::with_capacity(threads.len());
    for thread in threads {
        workers.push(thread.join().map_err(|_| PumpError::WorkerLost)?);
    }
    reader.join().map_err(|_| PumpError::WorkerLost)?.map_err(PumpError::Read)?;
    Ok(workers)
}

fn spawn<T: Send + 'static>(
    name: &str,
    body: impl FnOnce() -> T + Send + 'static,
) -> Result<JoinHandle<T>, PumpError> {
    Builder::new().name(name.to_owned()).spawn(body).map_err(PumpError::Thread)
}

/// Writes batches in the order in which they were dealt, until the worker whose turn it is has none
/// left; gives that worker's place.
fn collect(
    output: &mut impl Write,
    from_workers: &[Receiver<Batch>],
    recycle: &Sender<Batch>,
) -> Result<usize, PumpError> {
    for (place, from) in from_workers.iter().enumerate().cycle() {
        let Ok(batch) = from.recv() else {
            output.flush().map_err(PumpError::Write)?;
            return Ok(place);
        };
        output.write_all(&batch.out).map_err(PumpError::Write)?;
        // The reader may have ended already: then the batch is dropped.
        let _ = recycle.send(batch);
    }
    Ok(0)
}

fn work<W: Work>(mut worker: W, jobs: &Receiver<Batch>, done: &SyncSender<Batch>) -> W {
    for mut batch in jobs {
        batch.out.clear();
        match batch.too_long_bytes {
            Some(bytes) => {
                worker.too_long(bytes, &mut batch.out);
                batch.out.extend_from_slice(&batch.lines);
            }
            None => {
                let mut rest = batch.lines.as_slice();
                while !rest.is_empty() {
                    let end = memchr::memchr(b'\n', rest).map_or(rest.len(), |at| at + 1);
                    let (first, others) = rest.split_at(end);
                    let (line, ending) = split_ending(first);
                    worker.line(line, &mut batch.out);
                    batch.out.extend_from_slice(ending);
                    rest = others;
                }
            }
        }
        if done.send(batch).is_err() {
            break;
        }
    }
    worker
}

/// A line and its ending: `\n`, `\r\n`, or nothing at the end of the input.
fn split_ending(line: &[u8]) -> (&[u8], &[u8]) {
    let ending = match line {
        [.., b'\r', b'\n'] => 2,
        [.., b'\n'] => 1,
        _ => 0,
    };
    line.split_at(line.len() - ending)
}

struct Dealer<'a> {
    turns: std::iter::Cycle<std::slice::Iter<'a, SyncSender<Batch>>>,
    recycled: &'a Receiver<Batch>,
}

impl Dealer<'_> {
    /// An error: the writer is gone, so nothing more need be read.
    fn deal(&mut self, batch: Batch) -> Result<(), ()> {
        let Some(worker) = self.turns.next() else { return Err(()) };
        worker.send(batch).map_err(|_| ())
    }

    fn fresh(&self) -> Batch {
        let mut batch = self.recycled.try_recv().unwrap_or_default();
        if batch.lines.capacity().max(batch.out.capacity()) > KEEP_BYTES {
            batch = Batch::default();
        }
        batch.lines.clear();
        batch.too_long_bytes = None;
        batch
    }
}

/// Cuts the input into batches. What was read before an error is still dealt.
fn read(
    mut input: impl Read,
    to_workers: &[SyncSender<Batch>],
    recycled: &Receiver<Batch>,
) -> io::Result<()> {
    let mut dealer = Dealer { turns: to_workers.iter().cycle(), recycled };
    let mut batch = dealer.fresh();
    loop {
        let seen = batch.lines.len();
        let read = read_more(&mut input, &mut batch.lines);
        if !matches!(read, Ok(1..)) {
            if !batch.lines.is_empty() {
                let _ = dealer.deal(batch);
            }
            return read.map(|_| ());
        }
        let fresh = batch.lines.get(seen..).unwrap_or_default();
        if let Some(newline) = memchr::memrchr(b'\n', fresh) {
            let mut next = dealer.fresh();
            let whole = seen + newline + 1;
            next.lines.extend_from_slice(batch.lines.get(whole..).unwrap_or_default());
            batch.lines.truncate(whole);
            if dealer.deal(std::mem::replace(&mut batch, next)).is_err() {
                return Ok(());
            }
        } else if batch.lines.len() > LONGEST_LINE_BYTES {
            let (too_long, rest) = skip_line(&mut input, &batch.lines);
            batch = dealer.fresh();
            batch.lines = rest;
            if dealer.deal(too_long).is_err() {
                return Ok(());
            }
        }
    }
}

/// One read of up to [`READ_BYTES`], appended. `Ok(0)`: the input has ended.
fn read_more(input: &mut impl Read, to: &mut Vec<u8>) -> io::Result<usize> {
    let seen = to.len();
    to.resize(seen + READ_BYTES, 0);
    let read = loop {
        match input.read(to.get_mut(seen..).unwrap_or_default()) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            read => break read,
        }
    };
    to.truncate(seen + *read.as_ref().unwrap_or(&0));
    read
}

/// Reads to the end of a line that starts with `seen`. Gives the line's batch and what was read behind
/// it. An error ends the line like the end of the input; the next read meets it again.
fn skip_line(input: &mut impl Read, seen: &[u8]) -> (Batch, Vec<u8>) {
    let mut line_bytes = seen.len() as u64;
    let mut last = seen.last().copied();
    let mut piece = Vec::new();
    loop {
        piece.clear();
        let ended = !matches!(read_more(input, &mut piece), Ok(1..));
        let newline = memchr::memchr(b'\n', &piece);
        let before = piece.get(..newline.unwrap_or(piece.len())).unwrap_or_default();
        line_bytes += before.len() as u64;
        last = before.last().copied().or(last);
        if newline.is_none() && !ended {
            continue;
        }
        let ending: &[u8] = match (newline, last) {
            (None, _) => b"",
            (Some(_), Some(b'\r')) => b"\r\n",
            (Some(_), _) => b"\n",
        };
        line_bytes -= u64::from(ending.len() == 2);
        let rest = piece.split_off((before.len() + 1).min(piece.len()));
        let batch = Batch { lines: ending.to_vec(), too_long_bytes: Some(line_bytes), out: Vec::new() };
        return (batch, rest);
    }
}

#[cfg(test)]
mod tests;
