//! The embedded store: topics, positions and transactions in one SQLite database, for one machine.
//!
//! One batch is one ACID transaction. Offsets have no gaps. One service runs at a time (a lock on a
//! file beside the database); `put` and `cat` work beside it. A purge erases: freed pages are
//! overwritten, and the write-ahead log is emptied into the database and cut to nothing.

mod body;
mod database;
mod reader;
mod writer;

pub use database::Durability;
pub use reader::EmbeddedReader;
pub use writer::EmbeddedWriter;

use crate::record::Record;
use crate::stage::clock::Clock;
use crate::stage::store::{
    Bounds, Fetched, Flow, Place, PurgeState, Session, SessionSpec, Store, StoreError, TimeKind, TopicSpec,
};
use rusqlite::{Connection, OptionalExtension, params};
use std::fs::{DirBuilder, File, OpenOptions, TryLockError};
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// What an opener may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Runs stages; one at a time.
    Service,
    /// `put`, `cat`: beside a service.
    Visitor,
}

/// A mistake made on purpose, to show that the tests would see it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    None,
    /// The positions are committed in a transaction of their own, after the records.
    CommitPositionsSeparately,
}

/// How to open a store.
#[derive(Clone)]
pub struct Options {
    pub access: Access,
    pub durability: Durability,
    /// Stamps appended records.
    pub clock: Arc<dyn Clock>,
    pub fault: Fault,
}

/// An open store.
pub struct Embedded {
    dir: PathBuf,
    options: Options,
    admin: Mutex<Connection>,
    /// Held while a service has the store open; the lock goes with the process.
    _lock: Option<File>,
}

impl Embedded {
    /// Opens the store in a directory, and makes both where they are missing.
    ///
    /// # Errors
    /// `Refused` where another service has it open or its version is another; `Corrupt`, `Io`.
    pub fn open(dir: &Path, options: Options) -> Result<Self, StoreError> {
        // Raw records lie in it.
        DirBuilder::new().recursive(true).mode(0o700).create(dir).map_err(|error| {
            StoreError::Io(format!("{}: cannot be made: {}", dir.display(), error.kind()))
        })?;
        let lock = match options.access {
            Access::Service => Some(lock(dir)?),
            Access::Visitor => None,
        };
        let admin = Mutex::new(database::open(dir, options.durability)?);
        Ok(Embedded { dir: dir.to_owned(), options, admin, _lock: lock })
    }

    fn admin(&self) -> MutexGuard<'_, Connection> {
        // A panic elsewhere leaves the connection as it was: SQLite rolls back what was open.
        self.admin.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn failed(&self, error: &rusqlite::Error) -> StoreError {
        database::explain(&database::path(&self.dir), error)
    }
}

fn lock(dir: &Path) -> Result<File, StoreError> {
    let path = dir.join("service.lock");
    let file =
        OpenOptions::new().create(true).truncate(false).write(true).open(&path).map_err(|error| {
            StoreError::Io(format!("{}: cannot be opened: {}", path.display(), error.kind()))
        })?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(StoreError::Refused(format!(
            "{}: in use: another logscrub runs on this store; stop it, or name another directory",
            dir.display()
        ))),
        Err(TryLockError::Error(error)) => {
            Err(StoreError::Io(format!("{}: cannot be locked: {}", path.display(), error.kind())))
        }
    }
}

/// A topic's row: its id in the database, and the id that changes when it is made anew.
fn topic_row(connection: &Connection, name: &str) -> rusqlite::Result<Option<(i64, String)>> {
    connection
        .prepare_cached("SELECT id, topic_id FROM topics WHERE name = ?1")?
        .query_row([name], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()
}

fn missing(topic: &str) -> StoreError {
    StoreError::Refused(format!("topic `{topic}` does not exist; `logscrub put {topic}` makes it"))
}

/// The session of one worker.
pub struct EmbeddedSession {
    reader: EmbeddedReader,
    writer: EmbeddedWriter,
}

impl Session for EmbeddedSession {
    type Reader = EmbeddedReader;
    type Writer = EmbeddedWriter;

    fn halves(&mut self) -> (&mut EmbeddedReader, &mut EmbeddedWriter) {
        (&mut self.reader, &mut self.writer)
    }
}

impl Store for Embedded {
    type Session = EmbeddedSession;

    fn join(&self, spec: &SessionSpec) -> Result<EmbeddedSession, StoreError> {
        // Two connections: the reader must not see what the writer has not committed.
        let reader =
            EmbeddedReader::new(database::open(&self.dir, self.options.durability)?, &self.dir, spec)?;
        let writer = EmbeddedWriter::new(
            database::open(&self.dir, self.options.durability)?,
            &self.dir,
            &self.options,
            &spec.reader,
            reader.partition_ids(),
        );
        Ok(EmbeddedSession { reader, writer })
    }

    fn is_exclusive(&self) -> bool {
        true
    }

    fn topics(&self) -> Result<Vec<TopicSpec>, StoreError> {
        let sql = "SELECT name, compacted, (SELECT count(*) FROM partitions WHERE topic = topics.id)
                   FROM topics ORDER BY name";
        let list = |connection: &Connection| {
            connection
                .prepare_cached(sql)?
                .query_map([], |row| {
                    let name: String = row.get(0)?;
                    Ok(TopicSpec { name: name.into(), compacted: row.get(1)?, partitions: row.get(2)? })
                })?
                .collect::<rusqlite::Result<Vec<_>>>()
        };
        list(&self.admin()).map_err(|error| self.failed(&error))
    }

    fn ensure(&self, spec: &TopicSpec) -> Result<(), StoreError> {
        let mut connection = self.admin();
        let make = |connection: &mut Connection| {
            let transaction =
                connection.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)?;
            if let Some((id, _)) = topic_row(&transaction, &spec.name)? {
                return transaction.query_row(
                    "SELECT count(*) FROM partitions WHERE topic = ?1",
                    [id],
                    |row| row.get::<_, i32>(0),
                );
            }
            transaction.execute(
                "INSERT INTO topics (name, topic_id, compacted) VALUES (?1, lower(hex(randomblob(8))), ?2)",
                params![spec.name.as_ref(), spec.compacted],
            )?;
            let id = transaction.last_insert_rowid();
            for number in 0..spec.partitions {
                transaction
                    .execute("INSERT INTO partitions (topic, number) VALUES (?1, ?2)", params![id, number])?;
            }
            transaction.commit()?;
            Ok(spec.partitions)
        };
        let partitions = make(&mut connection).map_err(|error| self.failed(&error))?;
        if partitions < spec.partitions {
            return Err(StoreError::Refused(format!(
                "topic `{}` has {partitions} partitions, and {} are needed",
                spec.name, spec.partitions
            )));
        }
        Ok(())
    }

    fn bounds(&self, topic: &str) -> Result<Vec<Bounds>, StoreError> {
        let connection = self.admin();
        let Some((id, _)) = topic_row(&connection, topic).map_err(|error| self.failed(&error))? else {
            return Err(missing(topic));
        };
        let sql = "SELECT number, log_start, log_end FROM partitions WHERE topic = ?1 ORDER BY number";
        let list = || {
            connection
                .prepare_cached(sql)?
                .query_map([id], |row| {
                    Ok(Bounds { partition: row.get(0)?, log_start: row.get(1)?, end: row.get(2)? })
                })?
                .collect::<rusqlite::Result<Vec<_>>>()
        };
        list().map_err(|error| self.failed(&error))
    }

    fn scan(
        &self,
        topic: &str,
        partition: i32,
        from: i64,
        visit: &mut dyn FnMut(&Fetched<'_>) -> Flow,
    ) -> Result<i64, StoreError> {
        let end = self
            .bounds(topic)?
            .iter()
            .find(|bounds| bounds.partition == partition)
            .ok_or_else(|| StoreError::Refused(format!("topic `{topic}` has no partition {partition}")))?
            .end;
        let connection = self.admin();
        reader::scan(&connection, topic, partition, from, end, visit).map_err(|error| match error {
            reader::ScanError::Database(error) => self.failed(&error),
            reader::ScanError::Body => reader::damaged(&self.dir),
        })
    }

    fn purge_states(&self, reader: &str, topic: &str) -> Result<Vec<PurgeState>, StoreError> {
        let connection = self.admin();
        let sql = "SELECT p.number, p.log_start, p.log_end,
                          (SELECT next FROM positions WHERE reader = ?1 AND partition = p.id)
                   FROM partitions p JOIN topics t ON p.topic = t.id WHERE t.name = ?2 ORDER BY p.number";
        let list = || {
            connection
                .prepare_cached(sql)?
                .query_map(params![reader, topic], |row| {
                    let bounds = Bounds { partition: row.get(0)?, log_start: row.get(1)?, end: row.get(2)? };
                    let committed: Option<i64> = row.get(3)?;
                    let data_waits = committed.unwrap_or(bounds.log_start) < bounds.end;
                    Ok(PurgeState { bounds, committed, data_waits, unrolled: false })
                })?
                .collect::<rusqlite::Result<Vec<_>>>()
        };
        list().map_err(|error| self.failed(&error))
    }

    fn purge(&self, topic: &str, partition: i32, up_to: i64) -> Result<i64, StoreError> {
        // So many rows a transaction, so that the service's own transactions get between them.
        const ROWS: i64 = 20_000;
        let mut connection = self.admin();
        let find = |connection: &Connection| {
            connection
                .prepare_cached(
                    "SELECT p.id, p.log_start, p.log_end FROM partitions p JOIN topics t ON p.topic = t.id
                     WHERE t.name = ?1 AND p.number = ?2",
                )?
                .query_row(params![topic, partition], |row| {
                    Ok((row.get::<_, i64>(0)?, row.get::<_, i64>(1)?, row.get::<_, i64>(2)?))
                })
                .optional()
        };
        let Some((id, mut start, end)) = find(&connection).map_err(|error| self.failed(&error))? else {
            return Err(missing(topic));
        };
        if up_to > end {
            return Err(StoreError::Bug(format!(
                "purge of `{topic}` {partition} up to {up_to}, beyond its end {end}"
            )));
        }
        while start < up_to {
            let next = up_to.min(start + ROWS);
            let delete = |connection: &mut Connection| {
                let transaction =
                    connection.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)?;
                transaction
                    .execute("DELETE FROM records WHERE partition = ?1 AND offset < ?2", params![id, next])?;
                transaction.execute(
                    "UPDATE partitions SET log_start = max(log_start, ?2) WHERE id = ?1",
                    params![id, next],
                )?;
                transaction.commit()
            };
            delete(&mut connection).map_err(|error| self.failed(&error))?;
            start = next;
        }
        Ok(start)
    }

    fn roll(&self, _topic: &str, _partitions: &[i32]) -> Result<(), StoreError> {
        // A purge erases at once: there are no segments.
        Ok(())
    }

    fn purged(&self) -> Result<(), StoreError> {
        let connection = self.admin();
        let busy: i64 = connection
            .query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get(0))
            .map_err(|error| self.failed(&error))?;
        if busy != 0 {
            return Err(StoreError::Busy(
                "a reader keeps the write-ahead log open; it is cut the next time".into(),
            ));
        }
        Ok(())
    }
}

/// A fetched record of a row, for the reader and for scans.
fn fetched<'a>(
    place: Place,
    row: &RowHead,
    parts: (Option<&'a [u8]>, Option<&'a [u8]>),
    headers: &'a [crate::record::Header<'a>],
) -> Fetched<'a> {
    let record = Record { key: parts.0, value: parts.1, headers, timestamp_ms: Some(row.time_ms) };
    let time = if row.append_time { TimeKind::Append } else { TimeKind::Create };
    Fetched { place, offset: row.offset, record, time }
}

/// A record's row without its body.
#[derive(Clone, Copy, Debug)]
struct RowHead {
    offset: i64,
    time_ms: i64,
    append_time: bool,
}
