//! The writing half of a session: records and positions in one transaction.

use super::{Fault, Options, body, database, missing};
use crate::record::Record;
use crate::stage::crash::{self, CrashPoint};
use crate::stage::store::{Place, Position, StoreError, Writer};
use rusqlite::{Connection, OptionalExtension, params};
use std::collections::HashMap;
use std::path::{Path, PathBuf};

/// A partition that the open transaction writes to.
struct Target {
    id: i64,
    compacted: bool,
    end: i64,
    last_append_ms: i64,
}

/// See [`Writer`].
pub struct EmbeddedWriter {
    connection: Connection,
    dir: PathBuf,
    options: Options,
    reader: String,
    places: HashMap<Place, i64>,
    open: bool,
    /// What the open transaction has touched, by topic and partition.
    targets: HashMap<Box<str>, HashMap<i32, Target>>,
    body: Vec<u8>,
}

impl EmbeddedWriter {
    pub(super) fn new(
        connection: Connection,
        dir: &Path,
        options: &Options,
        reader: &str,
        places: Vec<(Place, i64)>,
    ) -> Self {
        EmbeddedWriter {
            connection,
            dir: dir.to_owned(),
            options: options.clone(),
            reader: reader.to_owned(),
            places: places.into_iter().collect(),
            open: false,
            targets: HashMap::new(),
            body: Vec::new(),
        }
    }

    fn failed(&self, error: &rusqlite::Error) -> StoreError {
        database::explain(&database::path(&self.dir), error)
    }

    fn begin(&mut self) -> Result<(), StoreError> {
        if !self.open {
            self.connection.execute_batch("BEGIN IMMEDIATE").map_err(|error| self.failed(&error))?;
            self.open = true;
        }
        Ok(())
    }

    fn load(&mut self, topic: &str, partition: i32) -> Result<(), StoreError> {
        if self.targets.get(topic).is_some_and(|partitions| partitions.contains_key(&partition)) {
            return Ok(());
        }
        let find = || {
            self.connection
                .prepare_cached(
                    "SELECT p.id, t.compacted, p.log_end, p.last_append_ms
                     FROM partitions p JOIN topics t ON p.topic = t.id WHERE t.name = ?1 AND p.number = ?2",
                )?
                .query_row(params![topic, partition], |row| {
                    Ok(Target {
                        id: row.get(0)?,
                        compacted: row.get(1)?,
                        end: row.get(2)?,
                        last_append_ms: row.get(3)?,
                    })
                })
                .optional()
        };
        let target = find().map_err(|error| self.failed(&error))?.ok_or_else(|| missing(topic))?;
        self.targets.entry(topic.into()).or_default().insert(partition, target);
        Ok(())
    }

    /// Writes back the ends of the partitions that were appended to.
    fn write_ends(&mut self) -> rusqlite::Result<()> {
        let mut statement = self
            .connection
            .prepare_cached("UPDATE partitions SET log_end = ?2, last_append_ms = ?3 WHERE id = ?1")?;
        for target in self.targets.values().flat_map(HashMap::values) {
            statement.execute(params![target.id, target.end, target.last_append_ms])?;
        }
        Ok(())
    }

    fn write_positions(&self, positions: &[Position]) -> rusqlite::Result<()> {
        let mut statement = self.connection.prepare_cached(
            "INSERT INTO positions (reader, partition, next) VALUES (?1, ?2, ?3)
             ON CONFLICT (reader, partition) DO UPDATE SET next = excluded.next",
        )?;
        for position in positions {
            if let Some(id) = self.places.get(&position.place) {
                statement.execute(params![self.reader, id, position.next])?;
            }
        }
        Ok(())
    }

    fn end_transaction(&mut self) -> rusqlite::Result<()> {
        self.connection.execute_batch("COMMIT")?;
        self.open = false;
        self.targets.clear();
        Ok(())
    }

    fn try_commit(&mut self, positions: &[Position]) -> rusqlite::Result<()> {
        self.write_ends()?;
        match self.options.fault {
            Fault::None => {
                self.write_positions(positions)?;
                self.end_transaction()
            }
            Fault::CommitPositionsSeparately => {
                self.end_transaction()?;
                crash::reach(CrashPoint::AfterCommit);
                self.write_positions(positions)
            }
        }
    }
}

fn insert(connection: &Connection, target: &Target, time: (i64, bool), body: &[u8]) -> rusqlite::Result<()> {
    connection
        .prepare_cached(
            "INSERT INTO records (partition, offset, time_ms, append_time, body) VALUES (?1, ?2, ?3, ?4, ?5)",
        )?
        .execute(params![target.id, target.end, time.0, time.1, body])
        .map(drop)
}

/// What becomes of a record in a compacted topic.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Newest {
    Kept,
    /// Without a value it only takes the older one away: Kafka keeps it for a day, for readers that come late.
    Deletion,
}

/// Deletes the record that a newer one of the same key replaces.
fn compact(connection: &Connection, target: &Target, key: &[u8], newest: Newest) -> rusqlite::Result<()> {
    let older: Option<i64> = connection
        .prepare_cached("SELECT offset FROM newest WHERE partition = ?1 AND key = ?2")?
        .query_row(params![target.id, key], |row| row.get(0))
        .optional()?;
    if let Some(older) = older {
        connection
            .prepare_cached("DELETE FROM records WHERE partition = ?1 AND offset = ?2")?
            .execute(params![target.id, older])?;
    }
    match newest {
        Newest::Kept => connection
            .prepare_cached(
                "INSERT INTO newest (partition, key, offset) VALUES (?1, ?2, ?3)
                 ON CONFLICT (partition, key) DO UPDATE SET offset = excluded.offset",
            )?
            .execute(params![target.id, key, target.end]),
        Newest::Deletion => connection
            .prepare_cached("DELETE FROM newest WHERE partition = ?1 AND key = ?2")?
            .execute(params![target.id, key]),
    }
    .map(drop)
}

impl Writer for EmbeddedWriter {
    fn append(&mut self, topic: &str, partition: i32, record: &Record<'_>) -> Result<(), StoreError> {
        if self.options.fault == Fault::CommitPositionsSeparately && topic.ends_with(".progress") {
            // Progress stands in the transaction, and would make the fault good again.
            return Ok(());
        }
        self.begin()?;
        self.load(topic, partition)?;
        let Some(target) = self.targets.get_mut(topic).and_then(|partitions| partitions.get_mut(&partition))
        else {
            unreachable!("`load` put it there");
        };
        let time = match record.timestamp_ms {
            Some(ms) => (ms, false),
            None => {
                target.last_append_ms = target.last_append_ms.max(self.options.clock.now_ms());
                (target.last_append_ms, true)
            }
        };
        body::encode(record, &mut self.body);
        let newest = if record.value.is_some() { Newest::Kept } else { Newest::Deletion };
        let appended = match record.key {
            Some(key) if target.compacted => {
                let compacted = compact(&self.connection, target, key, newest);
                compacted.and_then(|()| match newest {
                    Newest::Kept => insert(&self.connection, target, time, &self.body),
                    Newest::Deletion => Ok(()),
                })
            }
            _ => insert(&self.connection, target, time, &self.body),
        };
        target.end += 1;
        appended.map_err(|error| self.failed(&error))
    }

    fn commit(&mut self, positions: &[Position]) -> Result<(), StoreError> {
        self.begin()?;
        self.try_commit(positions).map_err(|error| self.failed(&error))
    }

    fn abort(&mut self) -> Result<(), StoreError> {
        self.targets.clear();
        if self.open {
            self.open = false;
            // SQLite may have rolled back by itself already.
            if !self.connection.is_autocommit() {
                self.connection.execute_batch("ROLLBACK").map_err(|error| self.failed(&error))?;
            }
        }
        Ok(())
    }
}
