//! Input that is no text: a compressed file, or one in UTF-16. Cut at line breaks it would be noise that hides what it
//! holds.

use super::exit;
use super::failure::Failure;
use std::io::{self, Cursor, Read};

/// How a file begins, what it is then, and what makes text of it.
const FORMS: [(&[u8], &str, &str); 8] = [
    (b"\x1f\x8b\x08", "gzip", "gzip -dc"),
    (b"\x28\xb5\x2f\xfd", "zstd", "zstd -dc"),
    (b"\xfd7zXZ\0", "xz", "xz -dc"),
    (b"7z\xbc\xaf\x27\x1c", "7z", "7z x -so"),
    (b"PK\x03\x04", "zip", "unzip -p"),
    (b"BZh91AY&SY", "bzip2", "bzip2 -dc"),
    (b"\x04\x22\x4d\x18", "lz4", "lz4 -dc"),
    (b"\0\0\xfe\xff", "UTF-32", "iconv -f UTF-32 -t UTF-8"),
];

/// The marks of UTF-16. Lines in ASCII are met behind them, too, so that a letter of it has to follow.
const UTF_16: [&[u8]; 2] = [b"\xff\xfe", b"\xfe\xff"];
const UTF_16_BYTES: usize = 4;

/// Reads as little as tells what the input is, and gives all of it back. `verb` is the command that reads it.
///
/// # Errors
/// It is no text; it cannot be read.
pub fn refuse<R: Read>(mut input: R, verb: &str) -> Result<impl Read + use<R>, Failure> {
    let mut begin = Vec::new();
    let mut byte = [0];
    // A line shorter than a magic number is not kept waiting.
    while is_begun(&begin) {
        match input.read(&mut byte) {
            Ok(0) => break,
            Ok(_) => begin.extend_from_slice(&byte),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(Failure::io("cannot read the input", &error)),
        }
    }
    let known =
        FORMS.iter().find(|(magic, _, _)| begin.starts_with(magic)).map(|(_, form, tool)| (*form, *tool));
    match known.or_else(|| is_utf_16(&begin).then_some(("UTF-16", "iconv -f UTF-16 -t UTF-8"))) {
        Some((form, tool)) => {
            let help = format!("make text of it first: `{tool} FILE | logscrub {verb}`");
            Err(Failure::new(exit::IO, format!("the input is {form}, not lines of text")).help(&help))
        }
        None => Ok(Cursor::new(begin).chain(input)),
    }
}

/// Whether one more byte could tell.
fn is_begun(begin: &[u8]) -> bool {
    let magic = FORMS.iter().any(|(magic, _, _)| magic.len() > begin.len() && magic.starts_with(begin));
    let marked = |mark: &&[u8]| mark.starts_with(begin) || begin.starts_with(mark);
    magic || begin.len() < UTF_16_BYTES && UTF_16.iter().any(marked)
}

fn is_utf_16(begin: &[u8]) -> bool {
    let letter = UTF_16.iter().find_map(|mark| begin.strip_prefix(*mark));
    letter.is_some_and(|letter| letter.contains(&0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_comes_through_and_nothing_else_does() {
        for text in [
            &b""[..],
            b"P",
            b"PK",
            b"PKI failed\n",
            b"B",
            b"BZh is",
            b"\xef\xbb\xbfline\n",
            b"\0\0",
            b"7 up",
            b"\xff",
            b"\xff\xfe\n",
            b"\xfe\xff to +14155550132\n",
        ] {
            let mut out = Vec::new();
            let read = refuse(text, "pipe").map(|mut input| input.read_to_end(&mut out).ok());
            assert_eq!((read, out.as_slice()), (Ok(Some(text.len())), text));
        }
        let wide = [(&b"\xff\xfet\0"[..], "UTF-16", "iconv"), (b"\xfe\xff\0t", "UTF-16", "iconv")];
        for (magic, form, tool) in FORMS.into_iter().chain(wide) {
            let told =
                refuse(&[magic, b"rest"].concat()[..], "pipe").map(|_| ()).map_err(|it| it.to_string());
            let told = told.err().unwrap_or_default();
            assert!(told.contains(form) && told.contains(tool), "{told}");
        }
    }
}
