//! The folder with the keys of pseudonyms: one file for each epoch, which only its owner can read.
//!
//! `k2.key` holds the secret of the second epoch; the newest one writes, all of them recognise tokens. A key that
//! is destroyed leaves `k2.destroyed`, so that its id is never used again:
//!
//! ```text
//! logscrub key 1
//! id k2
//! created 2026-03-02T10:15:04Z
//! secret <64 hexadecimal digits>
//! ```
//!
//! To destroy is to overwrite the file with zeros, to have that written to the disk, and to delete it. What the
//! folder's owner copied elsewhere, and what a disk or a file system that never writes in place still holds,
//! is not gone by that.

use crate::transform::Keys;
use crate::transform::pseudonym::KeyScope;
use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions, Permissions};
use std::io::{self, Write as _};
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tracing::{error, info};
use zeroize::Zeroizing;

/// What a key file's mode must be: its owner may read it, and nobody else anything.
const MODE: u32 = 0o400;
const SECRET_BYTES: usize = 32;

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeysError {
    #[error("{0}")]
    Refused(String),
    #[error(
        "{path}: {what}; restore the file from your backup, or destroy the key: `logscrub keys destroy {id}`"
    )]
    Corrupt { path: String, what: &'static str, id: String },
    #[error("{0}: {1}")]
    Io(String, String),
}

/// A key, or what is left of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Epoch {
    /// From 1.
    pub number: u32,
    /// As the file says; empty where the key is destroyed.
    pub created: String,
    /// When it was destroyed.
    pub destroyed: Option<String>,
}

impl Epoch {
    #[must_use]
    pub fn id(&self) -> String {
        id(self.number)
    }
}

/// A key's id by the number of its epoch.
#[must_use]
pub fn id(number: u32) -> String {
    format!("k{number}")
}

/// The epoch's number; `None` for what is no key's id.
#[must_use]
pub fn number(id: &str) -> Option<u32> {
    let digits = id.strip_prefix('k').filter(|digits| !digits.starts_with(['0', '+']))?;
    digits.parse().ok()
}

/// Whether a key may be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Living,
    /// Its mark is there; its file may be, too, where it was not deleted yet.
    Destroyed,
}

/// The folder.
#[derive(Clone, Debug)]
pub struct KeyFolder {
    path: PathBuf,
}

impl KeyFolder {
    #[must_use]
    pub fn at(path: &Path) -> Self {
        KeyFolder { path: path.to_owned() }
    }

    /// Makes the folder, and the first key in it.
    ///
    /// # Errors
    /// `Refused` where there are keys already.
    pub fn init(&self, now: &str) -> Result<Epoch, KeysError> {
        fs::create_dir_all(&self.path).map_err(|error| self.io(&self.path, &error))?;
        if !self.epochs()?.is_empty() {
            let path = self.path.display();
            return Err(KeysError::Refused(format!(
                "{path}: holds keys already; `logscrub keys rotate` adds one"
            )));
        }
        fs::set_permissions(&self.path, Permissions::from_mode(0o700))
            .map_err(|error| self.io(&self.path, &error))?;
        self.make(1, now)
    }

    /// Adds the key of the next epoch, which writes from now on.
    ///
    /// # Errors
    /// `Refused` where there is no key yet.
    pub fn rotate(&self, now: &str) -> Result<Epoch, KeysError> {
        let newest = self.epochs()?.last().map(|epoch| epoch.number).ok_or_else(|| self.empty())?;
        self.make(newest.saturating_add(1), now)
    }

    fn empty(&self) -> KeysError {
        KeysError::Refused(format!(
            "{}: holds no key; `logscrub keys init` makes the first",
            self.path.display()
        ))
    }

    /// The file appears whole, or not at all.
    fn make(&self, number: u32, now: &str) -> Result<Epoch, KeysError> {
        let mut secret = Zeroizing::new([0u8; SECRET_BYTES]);
        getrandom::fill(secret.as_mut())
            .map_err(|_| KeysError::Io("the system's random numbers".into(), "there are none".into()))?;
        let id = id(number);
        let mut text = Zeroizing::new(format!("logscrub key 1\nid {id}\ncreated {now}\nsecret "));
        // No reallocation: it would leave a copy behind.
        text.reserve_exact(2 * SECRET_BYTES + 1);
        for byte in secret.iter() {
            for nibble in [byte >> 4, byte & 15] {
                text.push(char::from_digit(u32::from(nibble), 16).unwrap_or('0'));
            }
        }
        text.push('\n');
        let (part, path) = (self.path.join(format!(".{id}.part")), self.file(number, "key"));
        let written = self.write_new(&part, text.as_bytes()).and_then(|()| fs::rename(&part, &path));
        written.and_then(|()| self.sync()).map_err(|error| self.io(&path, &error))?;
        Ok(Epoch { number, created: now.to_owned(), destroyed: None })
    }

    fn write_new(&self, path: &Path, bytes: &[u8]) -> io::Result<()> {
        // What a start that was killed left of it.
        if path.exists() {
            fs::remove_file(path)?;
        }
        let mut file = OpenOptions::new().write(true).create_new(true).mode(MODE).open(path)?;
        file.write_all(bytes)?;
        // Whatever the process's umask took away.
        file.set_permissions(Permissions::from_mode(MODE))?;
        file.sync_all()
    }

    /// Destroys a key: says so first, so that a kill in between leaves none that could be used.
    ///
    /// # Errors
    /// `Refused` where there is no such key.
    pub fn destroy(&self, id: &str, now: &str) -> Result<(), KeysError> {
        let known = number(id).filter(|number| self.file(*number, "key").exists());
        let Some(number) = known else {
            let ids: Vec<_> = self.living()?.iter().map(Epoch::id).collect();
            let path = self.path.display();
            let those = if ids.is_empty() { "none".to_owned() } else { ids.join(", ") };
            return Err(KeysError::Refused(format!("{path}: holds no key `{id}`; its keys are {those}")));
        };
        let (path, mark) = (self.file(number, "key"), self.file(number, "destroyed"));
        // A mark that leads nowhere is one.
        let is_marked = fs::symlink_metadata(&mark).is_ok();
        let marked = if is_marked { Ok(()) } else { self.write_new(&mark, format!("{now}\n").as_bytes()) };
        let gone = marked.and_then(|()| self.sync()).and_then(|()| overwrite(&path));
        let gone = gone.and_then(|()| fs::remove_file(&path)).and_then(|()| self.sync());
        gone.map_err(|error| self.io(&path, &error))
    }

    /// Every epoch there was, oldest first. A mark that stands there means destroyed, whether it reads or not.
    ///
    /// # Errors
    /// Where the folder, or the file of a key that is not destroyed, cannot be read.
    pub fn epochs(&self) -> Result<Vec<Epoch>, KeysError> {
        let mut epochs = Vec::new();
        for (number, state) in self.names()? {
            let epoch = match state {
                State::Living => Epoch { number, created: self.read(number)?.created, destroyed: None },
                State::Destroyed => {
                    let at = fs::read_to_string(self.file(number, "destroyed")).unwrap_or_default();
                    Epoch { number, created: String::new(), destroyed: Some(at.trim().to_owned()) }
                }
            };
            epochs.push(epoch);
        }
        Ok(epochs)
    }

    /// What the names of the folder's files say of each epoch.
    fn names(&self) -> Result<BTreeMap<u32, State>, KeysError> {
        let mut epochs = BTreeMap::new();
        for entry in fs::read_dir(&self.path).map_err(|error| self.io(&self.path, &error))? {
            let name = entry.map_err(|error| self.io(&self.path, &error))?.file_name();
            let Some((name, ending)) = name.to_str().and_then(|name| name.split_once('.')) else { continue };
            match (number(name), ending) {
                (Some(number), "key") => drop(epochs.entry(number).or_insert(State::Living)),
                (Some(number), "destroyed") => drop(epochs.insert(number, State::Destroyed)),
                _ => {}
            }
        }
        Ok(epochs)
    }

    /// The epochs whose key is there.
    ///
    /// # Errors
    /// See [`KeysError`].
    pub fn living(&self) -> Result<Vec<Epoch>, KeysError> {
        Ok(self.epochs()?.into_iter().filter(|epoch| epoch.destroyed.is_none()).collect())
    }

    /// The keys themselves.
    ///
    /// # Errors
    /// `Refused` for a file that others could read, or where there is no key and never was.
    pub fn load(&self) -> Result<Keys, KeysError> {
        let epochs = self.epochs()?;
        if epochs.is_empty() {
            return Err(self.empty());
        }
        let mut keys = Keys::default();
        for epoch in epochs.iter().filter(|epoch| epoch.destroyed.is_none()) {
            let KeyFile { secret, .. } = self.read(epoch.number)?;
            keys.add(&epoch.id(), KeyScope::default(), secret)
                .map_err(|_| self.corrupt(epoch.number, "the secret is too short"))?;
        }
        Ok(keys)
    }

    /// Changes when a key comes or goes.
    #[must_use]
    pub fn state(&self) -> Vec<String> {
        let entries = fs::read_dir(&self.path).into_iter().flatten().flatten();
        let mut names: Vec<String> =
            entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
        names.sort();
        names
    }

    fn file(&self, number: u32, ending: &str) -> PathBuf {
        self.path.join(format!("{}.{ending}", id(number)))
    }

    fn read(&self, number: u32) -> Result<KeyFile, KeysError> {
        let path = self.file(number, "key");
        let mode = fs::metadata(&path).map_err(|error| self.io(&path, &error))?.permissions().mode() & 0o7777;
        if mode != MODE {
            let path = path.display();
            return Err(KeysError::Refused(format!(
                "{path}: its mode is {mode:04o}, and only its owner may read a key; run `chmod 0400 {path}`, and \
                 `logscrub keys rotate` if somebody may have read it"
            )));
        }
        let bytes = Zeroizing::new(fs::read(&path).map_err(|error| self.io(&path, &error))?);
        KeyFile::parse(&bytes, &id(number)).ok_or_else(|| self.corrupt(number, "is no key of its name"))
    }

    fn corrupt(&self, number: u32, what: &'static str) -> KeysError {
        KeysError::Corrupt { path: self.file(number, "key").display().to_string(), what, id: id(number) }
    }

    fn sync(&self) -> io::Result<()> {
        File::open(&self.path)?.sync_all()
    }

    fn io(&self, path: &Path, error: &io::Error) -> KeysError {
        KeysError::Io(path.display().to_string(), error.to_string())
    }
}

/// The keys that an engine works with, kept as their folder has them.
pub struct KeysInUse {
    folder: KeyFolder,
    pub keys: Arc<Keys>,
    /// When the folder was last looked at, and what stood in it.
    looked: Mutex<(Instant, Vec<String>)>,
}

/// The keys of every pipeline that was made; those of one that is gone are forgotten.
#[derive(Clone, Default)]
pub struct InUse(Arc<Mutex<Vec<KeysInUse>>>);

impl InUse {
    pub fn add(&self, keys: KeysInUse) {
        self.all().push(keys);
    }

    /// See [`KeysInUse::tend`].
    pub fn tend(&self) {
        let mut all = self.all();
        all.retain(|keys| Arc::strong_count(&keys.keys) > 1);
        all.iter().for_each(KeysInUse::tend);
    }

    fn all(&self) -> MutexGuard<'_, Vec<KeysInUse>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl std::fmt::Debug for InUse {
    /// How many.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} folders", self.all().len())
    }
}

/// How often the folder is looked at.
const LOOK: Duration = Duration::from_secs(2);

impl KeysInUse {
    /// `state` is the folder's from before the keys were read: what came meanwhile is taken up at the next look.
    #[must_use]
    pub fn new(folder: KeyFolder, state: Vec<String>, keys: Arc<Keys>) -> Self {
        KeysInUse { folder, keys, looked: Mutex::new((Instant::now(), state)) }
    }

    /// Takes up what changed: a new key, or that one is gone. Where the folder does not read, none is taken up.
    pub fn tend(&self) {
        let mut looked = self.looked.lock().unwrap_or_else(PoisonError::into_inner);
        if looked.0.elapsed() < LOOK {
            return;
        }
        looked.0 = Instant::now();
        let state = self.folder.state();
        if state == looked.1 {
            return;
        }
        match self.folder.load() {
            Ok(keys) => {
                self.keys.replace(keys);
                looked.1 = state;
                info!(keys = ?self.keys, "the keys of pseudonyms changed, the last one writes");
            }
            Err(reason) => {
                self.drop_what_is_gone();
                error!(
                    %reason,
                    keys = ?self.keys,
                    "the keys of pseudonyms changed and do not read; the old ones that are not destroyed are kept"
                );
            }
        }
    }

    /// Keys that are destroyed, or whose file is gone. A folder of which not even the names can be read keeps all.
    fn drop_what_is_gone(&self) {
        if let Ok(names) = self.folder.names() {
            let lives = |id: &str| number(id).and_then(|number| names.get(&number)) == Some(&State::Living);
            self.keys.retain(lives);
        }
    }
}

/// Zeros in the place of what stands in a file, on the disk.
fn overwrite(path: &Path) -> io::Result<()> {
    fs::set_permissions(path, Permissions::from_mode(0o600))?;
    let length = usize::try_from(fs::metadata(path)?.len()).unwrap_or(0);
    let mut file = OpenOptions::new().write(true).open(path)?;
    file.write_all(&vec![0; length])?;
    file.sync_all()
}

struct KeyFile {
    created: String,
    secret: Zeroizing<Vec<u8>>,
}

impl KeyFile {
    /// `None` where it is not exactly what [`KeyFolder::make`] writes. Never says what it read.
    fn parse(bytes: &[u8], id: &str) -> Option<Self> {
        let text = std::str::from_utf8(bytes).ok()?;
        let mut lines = text.lines();
        (lines.next()? == "logscrub key 1").then_some(())?;
        (lines.next()?.strip_prefix("id ")? == id).then_some(())?;
        let created = lines.next()?.strip_prefix("created ")?.to_owned();
        let digits = lines.next()?.strip_prefix("secret ")?;
        if lines.next().is_some() || digits.len() != 2 * SECRET_BYTES {
            return None;
        }
        let mut secret = Zeroizing::new(Vec::with_capacity(SECRET_BYTES));
        for pair in digits.as_bytes().chunks(2) {
            let mut byte = 0;
            for digit in pair {
                byte = byte << 4 | u8::try_from(char::from(*digit).to_digit(16)?).ok()?;
            }
            secret.push(byte);
        }
        Some(KeyFile { created, secret })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: &str = "2026-03-02T10:15:04Z";

    fn folder() -> (tempfile::TempDir, KeyFolder) {
        let dir = tempfile::tempdir().unwrap();
        let folder = KeyFolder::at(&dir.path().join("keys"));
        (dir, folder)
    }

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().permissions().mode() & 0o7777
    }

    #[test]
    fn epochs_follow_one_another_and_an_id_is_used_once() {
        let (dir, folder) = folder();
        assert!(folder.rotate(NOW).is_err(), "no folder");
        assert_eq!(folder.init(NOW).unwrap().id(), "k1");
        assert!(matches!(folder.init(NOW), Err(KeysError::Refused(_))));
        let first = dir.path().join("keys/k1.key");
        assert_eq!((mode(&first), mode(&dir.path().join("keys"))), (0o400, 0o700));
        assert_eq!(folder.rotate(NOW).unwrap().id(), "k2");
        folder.destroy("k2", NOW).unwrap();
        assert_eq!(folder.rotate(NOW).unwrap().id(), "k3");
        let ids: Vec<_> = folder.epochs().unwrap().into_iter().map(|e| (e.id(), e.destroyed)).collect();
        assert_eq!(ids, [("k1".into(), None), ("k2".into(), Some(NOW.into())), ("k3".into(), None)]);
        assert_eq!(format!("{:?}", folder.load().unwrap()), r#"["k1", "k3"]"#);
        for id in ["k2", "k9", "x", "../k1"] {
            let told = folder.destroy(id, NOW).unwrap_err().to_string();
            assert!(told.contains("its keys are k1, k3"), "{told}");
        }
    }

    #[test]
    fn a_key_that_others_can_read_is_refused_with_what_mends_it() {
        let (dir, folder) = folder();
        folder.init(NOW).unwrap();
        let path = dir.path().join("keys/k1.key");
        for bad in [0o440, 0o404, 0o600, 0o644, 0o777, 0o500, 0o4400] {
            fs::set_permissions(&path, Permissions::from_mode(bad)).unwrap();
            let told = folder.load().unwrap_err().to_string();
            assert!(told.contains(&format!("mode is {bad:04o}")) && told.contains("chmod 0400 "), "{told}");
        }
        fs::set_permissions(&path, Permissions::from_mode(MODE)).unwrap();
        folder.load().unwrap();
    }

    #[test]
    fn what_is_no_key_is_told_without_what_it_holds() {
        let (dir, folder) = folder();
        folder.init(NOW).unwrap();
        let path = dir.path().join("keys/k1.key");
        let good = fs::read_to_string(&path).unwrap();
        let rewrite = |text: &str| {
            fs::remove_file(&path).unwrap();
            folder.write_new(&path, text.as_bytes()).unwrap();
        };
        for bad in [
            "",
            &good[..40],
            &good.replace("k1", "k2"),
            &format!("{good}more\n"),
            &good.replace("secret ", "secret g"),
        ] {
            rewrite(bad);
            let told = folder.load().unwrap_err();
            assert!(matches!(told, KeysError::Corrupt { .. }), "{told}");
            assert!(!told.to_string().contains(&good[60..80]), "{told}");
        }
        rewrite(&good);
        folder.load().unwrap();
    }

    /// A kill between the words and the deed leaves no key that could be used.
    #[test]
    fn a_key_half_destroyed_is_none() {
        let (dir, folder) = folder();
        folder.init(NOW).unwrap();
        folder.rotate(NOW).unwrap();
        fs::write(dir.path().join("keys/k1.destroyed"), NOW).unwrap();
        assert_eq!(format!("{:?}", folder.load().unwrap()), r#"["k2"]"#);
        folder.destroy("k1", NOW).unwrap();
        assert!(!dir.path().join("keys/k1.key").exists());
        // A file half written is no key, and is written anew.
        fs::write(dir.path().join("keys/.k3.part"), "logscrub").unwrap();
        assert_eq!(folder.rotate(NOW).unwrap().id(), "k3");
    }

    #[test]
    fn overwritten_before_it_is_deleted() {
        let (dir, folder) = folder();
        folder.init(NOW).unwrap();
        let path = dir.path().join("keys/k1.key");
        let copy = dir.path().join("same-inode");
        fs::hard_link(&path, &copy).unwrap();
        let length = fs::read(&copy).unwrap().len();
        folder.destroy("k1", NOW).unwrap();
        assert_eq!(fs::read(&copy).unwrap(), vec![0; length], "another name of the file holds zeros");
        assert!(folder.load().unwrap().is_empty());
    }

    /// Whatever a mark holds, and whoever may read it: it stands there.
    #[test]
    fn a_mark_that_does_not_read_is_a_mark() {
        let (dir, folder) = folder();
        folder.init(NOW).unwrap();
        folder.rotate(NOW).unwrap();
        let mark = dir.path().join("keys/k1.destroyed");
        // No text, and what root reads as little as anybody.
        fs::write(&mark, b"\xff\xfe").unwrap();
        assert_eq!(format!("{:?}", folder.load().unwrap()), r#"["k2"]"#);
        fs::remove_file(&mark).unwrap();
        std::os::unix::fs::symlink("/nowhere", &mark).unwrap();
        assert_eq!(format!("{:?}", folder.load().unwrap()), r#"["k2"]"#);
        assert_eq!(folder.epochs().unwrap()[0].destroyed.as_deref(), Some(""));
        folder.destroy("k1", NOW).unwrap();
        assert!(!dir.path().join("keys/k1.key").exists());
    }

    /// A rotation that falls between reading the keys and watching them is not missed.
    #[test]
    fn a_key_that_comes_while_the_others_are_read_is_taken_up() {
        let (_dir, folder) = folder();
        folder.init(NOW).unwrap();
        let state = folder.state();
        let keys = Arc::new(folder.load().unwrap());
        folder.rotate(NOW).unwrap();
        let in_use = KeysInUse::new(folder, state, keys);
        in_use.looked.lock().unwrap().0 = Instant::now().checked_sub(LOOK * 2).unwrap();
        in_use.tend();
        assert_eq!(format!("{:?}", in_use.keys), r#"["k1", "k2"]"#);
    }

    /// What is destroyed goes at once, though another key's file is not right.
    #[test]
    fn what_is_gone_is_dropped_though_the_rest_does_not_read() {
        let (dir, folder) = folder();
        folder.init(NOW).unwrap();
        for _ in 0..3 {
            folder.rotate(NOW).unwrap();
        }
        let path = dir.path().join("keys");
        let in_use = KeysInUse::new(folder.clone(), folder.state(), Arc::new(folder.load().unwrap()));
        in_use.looked.lock().unwrap().0 = Instant::now().checked_sub(LOOK * 2).unwrap();
        fs::set_permissions(path.join("k4.key"), Permissions::from_mode(0o644)).unwrap();
        fs::write(path.join("k1.destroyed"), NOW).unwrap();
        fs::remove_file(path.join("k3.key")).unwrap();
        in_use.tend();
        assert_eq!(format!("{:?}", in_use.keys), r#"["k2", "k4"]"#);
    }
}
