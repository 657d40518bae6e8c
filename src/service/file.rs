//! Files that a person wrote: config, rules, policies, windows of accounts, secrets.

use std::fs::{File, Metadata};
use std::io::{ErrorKind, Read as _};
use std::path::Path;

/// More than any of them needs, and little enough to be read whole.
const MOST_BYTES: u64 = 32 << 20;

/// The file's text. Links are followed, as Kubernetes makes them; a pipe or a device is not read, since it may never
/// end.
///
/// # Errors
/// What is wrong with it, to stand behind its name.
pub fn read(path: &Path) -> Result<String, String> {
    let unreadable = |error: std::io::Error| match error.kind() {
        ErrorKind::IsADirectory => "is a folder, not a file".to_owned(),
        _ => format!("cannot be read: {error}"),
    };
    let what = std::fs::metadata(path).map_err(unreadable)?;
    refuse_what_is_none(&what)?;
    refuse_size(what.len())?;
    let mut bytes = Vec::new();
    let file = File::open(path).map_err(unreadable)?;
    file.take(MOST_BYTES + 1).read_to_end(&mut bytes).map_err(unreadable)?;
    // It may have grown since.
    refuse_size(bytes.len() as u64)?;
    String::from_utf8(bytes).map_err(|_| "is not UTF-8 text".to_owned())
}

/// Refuses what may never end, or is no file at all.
///
/// # Errors
/// What it is.
pub fn refuse_what_is_none(what: &Metadata) -> Result<(), String> {
    if what.is_dir() {
        return Err("is a folder, not a file".to_owned());
    }
    if !what.is_file() {
        return Err("is a pipe or a device, not a file".to_owned());
    }
    Ok(())
}

fn refuse_size(bytes: u64) -> Result<(), String> {
    if bytes <= MOST_BYTES {
        return Ok(());
    }
    Err(format!("is too large: more than {} MiB", MOST_BYTES >> 20))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    #[test]
    fn files_and_links_to_them_are_read_and_nothing_else() {
        let dir = tempfile::tempdir().unwrap();
        let at = |name: &str| dir.path().join(name);
        std::fs::write(at("a"), "text").unwrap();
        symlink(at("a"), at("link")).unwrap();
        assert_eq!((read(&at("a")), read(&at("link"))), (Ok("text".into()), Ok("text".into())));
        std::fs::write(at("bytes"), b"\xff").unwrap();
        File::create(at("large")).unwrap().set_len(MOST_BYTES + 1).unwrap();
        let pipe = std::process::Command::new("mkfifo").arg(at("pipe")).status().unwrap();
        assert!(pipe.success());
        symlink(at("pipe"), at("link_to_pipe")).unwrap();
        for (name, why) in [
            ("bytes", "is not UTF-8 text"),
            ("large", "is too large"),
            ("pipe", "is a pipe or a device"),
            ("link_to_pipe", "is a pipe or a device"),
            ("", "is a folder"),
            ("none", "cannot be read: No such file or directory (os error 2)"),
        ] {
            let told = read(&at(name)).unwrap_err();
            assert!(told.starts_with(why), "{name}: {told}");
        }
        assert!(read(Path::new("/dev/zero")).unwrap_err().contains("a device"));
    }
}
