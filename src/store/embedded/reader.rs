//! The reading half of a session: copies a batch out of the database, then shows it record by record.

use super::{RowHead, body, database, fetched, missing, topic_row};
use crate::stage::store::{Assigned, Fetched, Flow, Place, Polled, Reader, SessionSpec, StoreError};
use rusqlite::{Connection, OptionalExtension, params};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

/// A batch ends after the record that brings it to this many bytes.
const BATCH_BYTES: usize = 4 << 20;

/// How many rows a scan reads per statement, so that none is open for long.
const SCAN_ROWS: i64 = 500;

struct Partition {
    place: Place,
    id: i64,
    topic_id: Arc<str>,
    /// `None` until the worker said where to start.
    next: Option<i64>,
    paused: bool,
}

/// See [`Reader`].
pub struct EmbeddedReader {
    connection: Connection,
    dir: PathBuf,
    reader: String,
    partitions: Vec<Partition>,
    announced: bool,
    /// Which partition the next batch begins with, so that none starves.
    turn: usize,
    bytes: Vec<u8>,
    rows: Vec<Row>,
}

struct Row {
    partition: usize,
    head: RowHead,
    body: Range<usize>,
}

impl EmbeddedReader {
    pub(super) fn new(connection: Connection, dir: &Path, spec: &SessionSpec) -> Result<Self, StoreError> {
        let mut partitions = Vec::new();
        for (topic, name) in spec.topics.iter().enumerate() {
            let find = || {
                let Some((id, topic_id)) = topic_row(&connection, name)? else { return Ok(None) };
                let topic_id: Arc<str> = topic_id.into();
                connection
                    .prepare_cached("SELECT id, number FROM partitions WHERE topic = ?1 ORDER BY number")?
                    .query_map([id], |row| {
                        let place = Place { topic, partition: row.get(1)? };
                        Ok(Partition {
                            place,
                            id: row.get(0)?,
                            topic_id: topic_id.clone(),
                            next: None,
                            paused: false,
                        })
                    })?
                    .collect::<rusqlite::Result<Vec<_>>>()
                    .map(Some)
            };
            match find().map_err(|error| database::explain(&database::path(dir), &error))? {
                Some(found) => partitions.extend(found),
                None => return Err(missing(name)),
            }
        }
        Ok(EmbeddedReader {
            connection,
            dir: dir.to_owned(),
            reader: spec.reader.clone(),
            partitions,
            announced: false,
            turn: 0,
            bytes: Vec::new(),
            rows: Vec::new(),
        })
    }

    /// The database's numbers of the session's partitions.
    pub(super) fn partition_ids(&self) -> Vec<(Place, i64)> {
        self.partitions.iter().map(|partition| (partition.place, partition.id)).collect()
    }

    fn failed(&self, error: &rusqlite::Error) -> StoreError {
        database::explain(&database::path(&self.dir), error)
    }

    fn partition(&mut self, place: Place) -> Option<&mut Partition> {
        self.partitions.iter_mut().find(|partition| partition.place == place)
    }

    fn assign(&mut self) -> Result<Polled, StoreError> {
        self.announced = true;
        let read = |partition: &Partition| {
            let committed = self
                .connection
                .prepare_cached("SELECT next FROM positions WHERE reader = ?1 AND partition = ?2")?
                .query_row(params![self.reader, partition.id], |row| row.get(0))
                .optional()?;
            let log_start = self
                .connection
                .prepare_cached("SELECT log_start FROM partitions WHERE id = ?1")?
                .query_row([partition.id], |row| row.get(0))?;
            Ok(Assigned {
                place: partition.place,
                topic_id: partition.topic_id.clone(),
                committed,
                log_start,
            })
        };
        let assigned: rusqlite::Result<Vec<_>> = self.partitions.iter().map(read).collect();
        assigned.map(Polled::Assigned).map_err(|error| self.failed(&error))
    }

    /// Copies at most `limit` rows into `bytes` and `rows`.
    fn fetch(&mut self, limit: usize) -> rusqlite::Result<()> {
        self.bytes.clear();
        self.rows.clear();
        let count = self.partitions.len();
        self.turn = self.turn.wrapping_add(1);
        for step in 0..count {
            let at = (self.turn + step) % count;
            let Some(partition) = self.partitions.get(at) else { continue };
            let (Some(next), false) = (partition.next, partition.paused) else { continue };
            let room = limit.saturating_sub(self.rows.len());
            if room == 0 || self.bytes.len() >= BATCH_BYTES {
                break;
            }
            let mut statement = self.connection.prepare_cached(
                "SELECT offset, time_ms, append_time, body FROM records
                 WHERE partition = ?1 AND offset >= ?2 ORDER BY offset LIMIT ?3",
            )?;
            let mut rows = statement.query(params![partition.id, next, room as i64])?;
            while let Some(row) = rows.next()? {
                let head = RowHead { offset: row.get(0)?, time_ms: row.get(1)?, append_time: row.get(2)? };
                let start = self.bytes.len();
                self.bytes.extend_from_slice(row.get_ref(3)?.as_blob()?);
                self.rows.push(Row { partition: at, head, body: start..self.bytes.len() });
                if self.bytes.len() >= BATCH_BYTES {
                    break;
                }
            }
        }
        Ok(())
    }
}

impl Reader for EmbeddedReader {
    fn poll(
        &mut self,
        wait: Duration,
        limit: usize,
        visit: &mut dyn FnMut(&Fetched<'_>) -> Flow,
    ) -> Result<Polled, StoreError> {
        if !self.announced {
            return self.assign();
        }
        self.fetch(limit).map_err(|error| self.failed(&error))?;
        if self.rows.is_empty() {
            std::thread::sleep(wait);
            return Ok(Polled::Idle);
        }
        let mut visited = 0;
        let mut headers = Vec::new();
        for row in &self.rows {
            let Some(partition) = self.partitions.get_mut(row.partition).filter(|p| !p.paused) else {
                continue;
            };
            let bytes = self.bytes.get(row.body.clone()).unwrap_or_default();
            let Some(parts) = body::decode(bytes, &mut headers) else { return Err(damaged(&self.dir)) };
            let flow = visit(&fetched(partition.place, &row.head, parts, &headers));
            if flow == Flow::Hold {
                partition.next = Some(row.head.offset);
                partition.paused = true;
                continue;
            }
            visited += 1;
            partition.next = Some(row.head.offset + 1);
            if flow == Flow::Stop {
                break;
            }
        }
        Ok(Polled::Records(visited))
    }

    fn start(&mut self, place: Place, next: i64) -> Result<(), StoreError> {
        self.seek(place, next)
    }

    fn seek(&mut self, place: Place, next: i64) -> Result<(), StoreError> {
        // Offsets below the log's start simply have no rows.
        if let Some(partition) = self.partition(place) {
            partition.next = Some(next);
            partition.paused = false;
        }
        Ok(())
    }

    fn resume(&mut self, place: Place) -> Result<(), StoreError> {
        if let Some(partition) = self.partition(place) {
            partition.paused = false;
        }
        Ok(())
    }

    fn reached(&mut self, place: Place, end: i64) -> Result<bool, StoreError> {
        let Some(partition) = self.partitions.iter().find(|partition| partition.place == place) else {
            return Ok(true);
        };
        let Some(next) = partition.next else { return Ok(false) };
        self.connection
            .prepare_cached("SELECT NOT EXISTS (SELECT 1 FROM records WHERE partition = ?1 AND offset >= ?2 AND offset < ?3)")
            .and_then(|mut statement| statement.query_row(params![partition.id, next, end], |row| row.get(0)))
            .map_err(|error| self.failed(&error))
    }
}

/// Why a scan ended early.
pub(super) enum ScanError {
    Database(rusqlite::Error),
    Body,
}

impl From<rusqlite::Error> for ScanError {
    fn from(error: rusqlite::Error) -> Self {
        ScanError::Database(error)
    }
}

pub(super) fn damaged(dir: &Path) -> StoreError {
    StoreError::Corrupt(format!(
        "{}: a record does not read as it was written; restore it from a copy",
        dir.display()
    ))
}

/// Visits the records of a partition from `from` to before `end`, a few hundred rows a statement.
pub(super) fn scan(
    connection: &Connection,
    topic: &str,
    partition: i32,
    from: i64,
    end: i64,
    visit: &mut dyn FnMut(&Fetched<'_>) -> Flow,
) -> Result<i64, ScanError> {
    let place = Place { topic: 0, partition };
    let mut next = from;
    let mut batch: Vec<(RowHead, Vec<u8>)> = Vec::new();
    loop {
        batch.clear();
        {
            let mut statement = connection.prepare_cached(
                "SELECT r.offset, r.time_ms, r.append_time, r.body FROM records r
                 WHERE r.partition = (SELECT p.id FROM partitions p JOIN topics t ON p.topic = t.id
                                      WHERE t.name = ?1 AND p.number = ?2)
                 AND r.offset >= ?3 AND r.offset < ?4 ORDER BY r.offset LIMIT ?5",
            )?;
            let mut rows = statement.query(params![topic, partition, next, end, SCAN_ROWS])?;
            while let Some(row) = rows.next()? {
                let head = RowHead { offset: row.get(0)?, time_ms: row.get(1)?, append_time: row.get(2)? };
                batch.push((head, row.get(3)?));
            }
        }
        if batch.is_empty() {
            return Ok(end.max(from));
        }
        let mut headers = Vec::new();
        for (head, bytes) in &batch {
            let parts = body::decode(bytes, &mut headers).ok_or(ScanError::Body)?;
            let flow = visit(&fetched(place, head, parts, &headers));
            if flow == Flow::Hold {
                return Ok(head.offset);
            }
            next = head.offset + 1;
            if flow == Flow::Stop {
                return Ok(next);
            }
        }
    }
}
