//! The database file: its schema, its settings, its errors.

use super::body::PAGE_BYTES;
use crate::stage::store::StoreError;
use rusqlite::{Connection, ErrorCode, OpenFlags};
use std::fs::OpenOptions;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// "LgSc": marks the file as ours.
const APPLICATION_ID: i64 = 0x4c67_5363;

/// Version of the schema below. Another one is refused, never guessed at.
const VERSION: i64 = 1;

/// How long a statement waits for another process's transaction.
const BUSY: Duration = Duration::from_secs(20);

const SCHEMA: &str = "
    CREATE TABLE topics (
        id INTEGER PRIMARY KEY,
        name TEXT NOT NULL UNIQUE,
        topic_id TEXT NOT NULL,
        compacted INTEGER NOT NULL
    );
    CREATE TABLE partitions (
        id INTEGER PRIMARY KEY,
        topic INTEGER NOT NULL REFERENCES topics (id),
        number INTEGER NOT NULL,
        log_start INTEGER NOT NULL DEFAULT 0,
        log_end INTEGER NOT NULL DEFAULT 0,
        last_append_ms INTEGER NOT NULL DEFAULT 0,
        UNIQUE (topic, number)
    );
    CREATE TABLE records (
        partition INTEGER NOT NULL,
        offset INTEGER NOT NULL,
        time_ms INTEGER NOT NULL,
        append_time INTEGER NOT NULL,
        body BLOB NOT NULL,
        PRIMARY KEY (partition, offset)
    ) WITHOUT ROWID;
    CREATE TABLE newest (
        partition INTEGER NOT NULL,
        key BLOB NOT NULL,
        offset INTEGER NOT NULL,
        PRIMARY KEY (partition, key)
    ) WITHOUT ROWID;
    CREATE TABLE positions (
        reader TEXT NOT NULL,
        partition INTEGER NOT NULL,
        next INTEGER NOT NULL,
        PRIMARY KEY (reader, partition)
    ) WITHOUT ROWID;
";

/// Whether a commit waits for the disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Durability {
    /// A committed transaction survives a power cut.
    Full,
    /// It survives the end of the process, not of the machine: simulation and the demo.
    Process,
}

/// The database's path in a store's directory.
pub(super) fn path(dir: &Path) -> PathBuf {
    dir.join("store.db")
}

/// Opens the database, and makes it where it is missing.
pub(super) fn open(dir: &Path, durability: Durability) -> Result<Connection, StoreError> {
    let path = path(dir);
    let flags =
        OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    // SQLite would let everybody read it; its other files get the rights of this one. What fails here fails below.
    let _ = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path);
    let connection = Connection::open_with_flags(&path, flags).map_err(|error| explain(&path, &error))?;
    prepare(&connection, &path, durability)?;
    Ok(connection)
}

fn prepare(connection: &Connection, path: &Path, durability: Durability) -> Result<(), StoreError> {
    let failed = |error: rusqlite::Error| explain(path, &error);
    connection.busy_timeout(BUSY).map_err(failed)?;
    connection.pragma_update(None, "page_size", PAGE_BYTES as i64).map_err(failed)?;
    connection.pragma_update(None, "secure_delete", "ON").map_err(failed)?;
    connection.pragma_update(None, "temp_store", "MEMORY").map_err(failed)?;
    connection.pragma_update(None, "journal_mode", "WAL").map_err(failed)?;
    connection.pragma_update(None, "wal_autocheckpoint", 4000).map_err(failed)?;
    connection.pragma_update(None, "cache_size", -16_000).map_err(failed)?;
    let synchronous = match durability {
        Durability::Full => "FULL",
        Durability::Process => "OFF",
    };
    connection.pragma_update(None, "synchronous", synchronous).map_err(failed)?;
    connection.set_prepared_statement_cache_capacity(32);
    check_version(connection, path)?;
    let pages: i64 = connection.pragma_query_value(None, "page_size", |row| row.get(0)).map_err(failed)?;
    if pages != PAGE_BYTES as i64 {
        return Err(StoreError::Corrupt(format!(
            "{}: not a logscrub store: its page size is another",
            path.display()
        )));
    }
    Ok(())
}

fn check_version(connection: &Connection, path: &Path) -> Result<(), StoreError> {
    let failed = |error: rusqlite::Error| explain(path, &error);
    let read =
        |name: &str| connection.pragma_query_value(None, name, |row| row.get::<_, i64>(0)).map_err(failed);
    if read("application_id")? == APPLICATION_ID {
        return match read("user_version")? {
            VERSION => Ok(()),
            other => Err(StoreError::Refused(format!(
                "{}: store version {other}, this logscrub reads version {VERSION}; use the logscrub that wrote it",
                path.display()
            ))),
        };
    }
    connection.execute_batch("BEGIN IMMEDIATE").map_err(failed)?;
    // Somebody else may have made it while we waited.
    let made = read("application_id")? == APPLICATION_ID;
    let tables: i64 =
        connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0)).map_err(failed)?;
    if !made && tables > 0 {
        let _ = connection.execute_batch("ROLLBACK");
        return Err(StoreError::Corrupt(format!("{}: a database, but not a logscrub store", path.display())));
    }
    if !made {
        connection.execute_batch(SCHEMA).map_err(failed)?;
        connection.pragma_update(None, "user_version", VERSION).map_err(failed)?;
        connection.pragma_update(None, "application_id", APPLICATION_ID).map_err(failed)?;
    }
    connection.execute_batch("COMMIT").map_err(failed)
}

/// Our error for SQLite's, without any text that could carry a value.
pub(super) fn explain(path: &Path, error: &rusqlite::Error) -> StoreError {
    let file = path.display();
    let Some(code) = error.sqlite_error_code() else {
        return StoreError::Corrupt(format!(
            "{file}: the store does not read as it should; restore it from a copy"
        ));
    };
    match code {
        ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked => {
            StoreError::Busy(format!("{file}: another process holds the store's write lock"))
        }
        ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase => StoreError::Corrupt(format!(
            "{file}: the file is damaged, or is no logscrub store; restore it from a copy, or move it away to begin anew"
        )),
        ErrorCode::CannotOpen => {
            StoreError::Io(format!("{file}: cannot be opened; check the directory and its rights"))
        }
        ErrorCode::ReadOnly | ErrorCode::PermissionDenied => {
            StoreError::Io(format!("{file}: cannot be written; check its owner and rights"))
        }
        ErrorCode::DiskFull => StoreError::Io(format!("{file}: the disk is full; make room and start again")),
        ErrorCode::TooBig => StoreError::Void(format!("{file}: a record is larger than the store can hold")),
        ErrorCode::SystemIoFailure => {
            StoreError::Io(format!("{file}: reading or writing failed; check the disk"))
        }
        other => StoreError::Io(format!("{file}: {other:?}")),
    }
}
