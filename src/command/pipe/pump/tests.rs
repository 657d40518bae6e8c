use super::*;
use std::time::Duration;

/// Numbers what it sees, so that a lost, doubled or moved line shows.
struct Echo;

impl Work for Echo {
    fn line(&mut self, line: &[u8], out: &mut Vec<u8>) {
        out.push(b'<');
        out.extend_from_slice(line);
        out.push(b'>');
    }

    fn too_long(&mut self, line_bytes: u64, out: &mut Vec<u8>) {
        out.extend_from_slice(format!("too long: {line_bytes}").as_bytes());
    }
}

fn workers(count: usize) -> Vec<Echo> {
    std::iter::repeat_with(|| Echo).take(count).collect()
}

fn pumped(input: impl Read + Send + 'static, count: usize) -> Vec<u8> {
    let mut out = Vec::new();
    pump(input, &mut out, workers(count)).expect("nothing here fails");
    out
}

/// Hands out pieces of the given sizes, as a pipe does.
struct Pieces {
    bytes: Vec<u8>,
    at: usize,
    sizes: std::iter::Cycle<std::vec::IntoIter<usize>>,
}

impl Read for Pieces {
    fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
        let size = self.sizes.next().unwrap().min(to.len()).min(self.bytes.len() - self.at);
        to[..size].copy_from_slice(&self.bytes[self.at..self.at + size]);
        self.at += size;
        Ok(size)
    }
}

#[test]
fn order_and_endings_are_kept_however_the_input_is_cut() {
    let mut lines = Vec::new();
    let mut want = Vec::new();
    for number in 0..5000 {
        let text = "x".repeat(number * 7 % 300);
        let ending = ["\n", "\r\n"][number % 2];
        lines.extend_from_slice(format!("{number} {text}{ending}").as_bytes());
        want.extend_from_slice(format!("<{number} {text}>{ending}").as_bytes());
    }
    lines.extend_from_slice(b"\n\n\rno ending\r");
    want.extend_from_slice(b"<>\n<>\n<\rno ending\r>");
    for sizes in [vec![1, 5000], vec![65_536], vec![usize::MAX], vec![100, 1, 3]] {
        for count in [1, 2, 5] {
            let input = Pieces { bytes: lines.clone(), at: 0, sizes: sizes.clone().into_iter().cycle() };
            assert!(pumped(input, count) == want, "{sizes:?} with {count} workers");
        }
    }
}

#[test]
fn nothing_in_nothing_out() {
    assert_eq!(pumped(io::empty(), 2), b"");
}

#[test]
fn a_line_of_ten_megabytes_goes_through_whole() {
    let line = vec![b'a'; 10 << 20];
    let input = [b"before\n".as_slice(), &line, b"\nafter"].concat();
    let want = [b"<before>\n<".as_slice(), &line, b">\n<after>"].concat();
    assert!(pumped(io::Cursor::new(input), 2) == want);
}

#[test]
fn a_line_that_memory_should_not_hold_is_counted() {
    let long = || io::Cursor::new(b"start ").chain(io::repeat(b'a').take(LONGEST_LINE_BYTES as u64 + 1));
    let whole = LONGEST_LINE_BYTES + 7;
    for ending in ["\n", "\r\n"] {
        let rest = format!("{ending}after{ending}last");
        let input = long().chain(io::Cursor::new(rest));
        let out = String::from_utf8(pumped(input, 2)).unwrap();
        assert_eq!(out, format!("too long: {whole}{ending}<after>{ending}<last>"));
    }
    assert_eq!(String::from_utf8(pumped(long(), 1)).unwrap(), format!("too long: {whole}"));
}

/// Gives one line, then waits for ever.
struct Tail {
    line: Option<&'static [u8]>,
}

impl Read for Tail {
    fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
        let Some(line) = self.line.take() else {
            loop {
                std::thread::park();
            }
        };
        to[..line.len()].copy_from_slice(line);
        Ok(line.len())
    }
}

struct Signal(Sender<Vec<u8>>);

impl Write for Signal {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.send(bytes.to_vec()).map_err(|_| io::Error::other("nobody listens"))?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn a_slow_input_is_answered_line_by_line() {
    let (to, from) = channel();
    std::thread::spawn(move || pump(Tail { line: Some(b"one\nhalf") }, &mut Signal(to), workers(2)));
    assert_eq!(from.recv_timeout(Duration::from_secs(30)).unwrap(), b"<one>\n");
}

struct Broken(io::ErrorKind);

impl Read for Broken {
    fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
        Err(self.0.into())
    }
}

impl Write for Broken {
    fn write(&mut self, _: &[u8]) -> io::Result<usize> {
        Err(self.0.into())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn what_was_read_before_an_error_still_comes_out() {
    let mut out = Vec::new();
    let input = io::Cursor::new(b"one\ntwo").chain(Broken(io::ErrorKind::Other));
    assert!(matches!(pump(input, &mut out, workers(2)), Err(PumpError::Read(_))));
    assert_eq!(out, b"<one>\n<two>");
}

#[test]
fn an_output_that_went_away_ends_it() {
    let endless = Pieces { bytes: b"line\n".repeat(100_000), at: 0, sizes: vec![500].into_iter().cycle() };
    let ended = pump(endless, &mut Broken(io::ErrorKind::BrokenPipe), workers(3));
    assert!(matches!(ended, Err(PumpError::Write(error)) if error.kind() == io::ErrorKind::BrokenPipe));
}

struct Second(usize);

impl Work for Second {
    fn line(&mut self, _: &[u8], out: &mut Vec<u8>) {
        assert!(self.0 != 1, "on purpose");
        out.push(b'+');
    }

    fn too_long(&mut self, _: u64, _: &mut Vec<u8>) {}
}

#[test]
fn a_lost_worker_is_an_error_even_while_the_input_waits() {
    let (to, from) = channel();
    let two = Tail { line: Some(b"one\n") }.chain(io::empty());
    let input = io::Cursor::new(b"zero\n").chain(two);
    std::thread::spawn(move || {
        let mut out = Vec::new();
        let ended = pump(input, &mut out, vec![Second(0), Second(1), Second(2)]);
        to.send((out, matches!(ended, Err(PumpError::WorkerLost))))
    });
    assert_eq!(from.recv_timeout(Duration::from_secs(30)).unwrap(), (b"+\n".to_vec(), true));
}
