//! `logscrub pipe` as a program: bytes in, bytes out, whatever the bytes are.

use std::io::{Read, Write};
use std::process::{Child, Command, Stdio};

fn start(args: &[&str]) -> Child {
    Command::new(env!("CARGO_BIN_EXE_logscrub"))
        .arg("pipe")
        .args(args)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

struct Ended {
    code: Option<i32>,
    out: Vec<u8>,
    err: String,
}

fn pipe(args: &[&str], input: &[u8]) -> Ended {
    let mut child = start(args);
    let mut stdin = child.stdin.take().unwrap();
    let input = input.to_vec();
    let feed = std::thread::spawn(move || stdin.write_all(&input));
    let out = child.wait_with_output().unwrap();
    feed.join().unwrap().unwrap();
    Ended { code: out.status.code(), out: out.stdout, err: String::from_utf8(out.stderr).unwrap() }
}

/// A number that `--stats` printed.
fn stat(err: &str, name: &str) -> u64 {
    let line =
        err.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_else(|| panic!("no {name}: {err}"));
    line.trim().parse().unwrap()
}

/// Bytes that repeat from run to run.
fn noise(len: usize, mut seed: u64) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(len);
    while bytes.len() < len {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        bytes.push((seed >> 33) as u8);
    }
    bytes
}

/// Lines that a log can hold and nobody wants to meet, without their endings. Each carries the canary.
fn bad_lines() -> Vec<(&'static str, Vec<u8>)> {
    let canary = CANARY;
    let bytes = |text: String| text.into_bytes();
    let deep = |open: &str, close: &str| {
        let (open, close) = (open.repeat(10_000), close.repeat(10_000));
        bytes(format!(r#"{open}{{"to":"{canary}"}}{close}"#))
    };
    vec![
        ("empty", Vec::new()),
        ("spaces", b"   \t ".to_vec()),
        ("10 MB of text", bytes(format!("to {canary} {}", "a b ".repeat(10 << 18)))),
        ("10 MB of one word", bytes(format!("to {canary} {}", "a".repeat(10 << 20)))),
        ("10 MB of quotes", bytes(format!("to {canary} {}", "\"".repeat(10 << 20)))),
        ("10 MB of JSON", bytes(format!(r#"{{"to":"{canary}","x":[{}0]}}"#, "1,".repeat(5 << 20)))),
        ("10,000 arrays", deep("[", "]")),
        ("10,000 objects", deep(r#"{"a":"#, "}")),
        ("10,000 arrays never closed", deep("[", "")),
        ("truncated JSON", bytes(format!(r#"{{"to":"{canary}","body":"hi"#))),
        ("truncated escape", bytes(format!(r#"{{"to":"{canary}","body":"\ud83"#))),
        ("a lone high surrogate", bytes(format!(r#"{{"to":"{canary}","body":"\ud83d"}}"#))),
        ("a lone low surrogate", bytes(format!(r#"{{"to":"{canary}","body":"\ude00 x"}}"#))),
        ("NUL bytes", bytes(format!("to\0 {canary} \0\0"))),
        ("a byte-order mark", bytes(format!("\u{feff}to {canary}"))),
        ("invalid UTF-8", [b"\xff\xfe to ", canary.as_bytes(), b" \xc3"].concat()),
        ("duplicate keys", bytes(format!(r#"{{"to":"a","to":"{canary}"}}"#))),
        ("escapes without end", bytes(format!("{} {canary}", "\\".repeat(100_000)))),
        ("brackets without end", bytes(format!("{} {canary}", "[{(<".repeat(100_000)))),
        ("random bytes", noise(100_000, 7).into_iter().filter(|byte| !b"\n\r".contains(byte)).collect()),
    ]
}

/// A number reserved for fiction.
const CANARY: &str = "+14155550132";

fn contains(bytes: &[u8], part: &str) -> bool {
    memchr::memmem::find(bytes, part.as_bytes()).is_some()
}

#[test]
fn bad_lines_come_out_one_for_one_with_nothing_raw() {
    let lines = bad_lines();
    let input: Vec<u8> = lines.iter().flat_map(|(_, line)| [line, b"\n".as_slice()].concat()).collect();
    for stage in ["scrub", "deidentify"] {
        let ended = pipe(&["--stage", stage, "--stats"], &input);
        assert_eq!(ended.code, Some(0), "{}", ended.err);
        let out: Vec<_> = ended.out.split_inclusive(|byte| *byte == b'\n').collect();
        assert_eq!(out.len(), lines.len());
        for ((name, _), out) in lines.iter().zip(&out) {
            assert!(!contains(out, CANARY), "{stage}: {name}");
        }
        let outcomes = ["unchanged", "changed", "withheld"].map(|name| stat(&ended.err, name));
        assert_eq!(outcomes.iter().sum::<u64>(), lines.len() as u64);
        assert_eq!(stat(&ended.err, "records"), lines.len() as u64);
        assert!(!contains(ended.err.as_bytes(), CANARY));
    }
}

#[test]
fn bad_values_come_out_as_record_lines_with_nothing_raw() {
    let lines = bad_lines();
    let mut input = Vec::new();
    for (name, line) in &lines {
        let value = String::from_utf8_lossy(line);
        let json = |text: &str| serde_json::to_string(text).unwrap();
        writeln!(
            input,
            r#"{{"id":{},"key":"{CANARY}","value":{}}}"#,
            json(&name.replace([' ', ','], "_")),
            json(&value)
        )
        .unwrap();
        // The bad line itself, where a record line should stand.
        input.extend_from_slice(line);
        input.push(b'\n');
    }
    let ended = pipe(&["--records", "--stats"], &input);
    assert_eq!(ended.code, Some(0), "{}", ended.err);
    let out: Vec<_> = ended.out.split_inclusive(|byte| *byte == b'\n').collect();
    assert_eq!(out.len(), 2 * lines.len());
    for (place, out) in out.iter().enumerate() {
        let name = lines[place / 2].0;
        serde_json::from_slice::<serde::de::IgnoredAny>(out)
            .unwrap_or_else(|error| panic!("{name}: {error}"));
        assert!(!contains(out, CANARY), "{name}");
        assert_eq!(out.starts_with(br#"{"id":""#), place % 2 == 0, "{name}");
    }
    assert_eq!(stat(&ended.err, "malformed"), lines.len() as u64);
}

#[test]
fn record_lines_keep_their_shape() {
    let rows = [
        (
            r#"{"id":"a-1","format":"json","value":null,"key":"k"}"#,
            r#"{"id":"a-1","format":"json","value":null,"key":"k"}"#,
        ),
        (r#"{"value":"to +14155550132"}"#, r#"{"value":"to [PHONE:+1]"}"#),
        (r#"{"value_b64":"dG8gKzE0MTU1NTUwMTMyIP8="}"#, r#"{"value_b64":"dG8gW1BIT05FOisxXSD/"}"#),
        (
            r#"{"partition":1,"offset":7,"timestamp":5,"value":"up","key":"+14155550132","headers":[["to","+14155550132"],["n",null]]}"#,
            r#"{"partition":1,"offset":7,"timestamp":5,"value":"up","key":"[PHONE:+1]","headers":[["to","[PHONE:+1]"],["n",null]]}"#,
        ),
        (r#"{"value":"up","msisdn":14155550132}"#, r#"{"value":"up","msisdn":"[PHONE:+1]"}"#),
        (r#"{"value":"up","id":"+14155550132"}"#, r#"{"value":"up","id":"[PHONE:+1]"}"#),
        (r#"{"value_b64":"KzE0MTU1NTUwMTMy*"}"#, r#"{"value":"[WITHHELD:reason=binary,bytes=33]"}"#),
    ];
    for (line, want) in rows {
        let ended = pipe(&["--records"], line.as_bytes());
        assert_eq!(String::from_utf8(ended.out).unwrap(), want);
    }
}

#[test]
fn many_lines_come_out_in_order() {
    let mut input = Vec::new();
    let mut want = Vec::new();
    for number in 0..50_000 {
        let rest = "x".repeat(number % 97);
        writeln!(input, "#{number} to +14155550132 {rest}").unwrap();
        writeln!(want, "#{number} to [PHONE:+1] {rest}").unwrap();
    }
    for threads in ["1", "2", "7"] {
        let ended = pipe(&["--threads", threads], &input);
        assert!(ended.out == want, "{threads} threads");
    }
}

#[test]
fn endings_stay_as_they_are() {
    let ended = pipe(&[], b"one\r\n\r\n\ntwo +14155550132\r\nthree\rfour");
    assert_eq!(ended.out, b"one\r\n\r\n\ntwo [PHONE:+1]\r\nthree\rfour");
}

#[test]
fn a_line_is_answered_while_the_input_stays_open() {
    let mut child = start(&[]);
    let mut stdin = child.stdin.take().unwrap();
    let mut stdout = child.stdout.take().unwrap();
    for _ in 0..3 {
        stdin.write_all(b"to +14155550132\n").unwrap();
        let mut line = [0; 14];
        stdout.read_exact(&mut line).unwrap();
        assert_eq!(&line, b"to [PHONE:+1]\n");
    }
    drop(stdin);
    assert_eq!(child.wait().unwrap().code(), Some(0));
}

#[test]
fn a_reader_that_has_enough_is_no_failure() {
    let mut child = start(&[]);
    drop(child.stdout.take());
    let mut stdin = child.stdin.take().unwrap();
    while stdin.write_all(b"line\n").is_ok() {}
    let mut err = String::new();
    child.stderr.take().unwrap().read_to_string(&mut err).unwrap();
    assert_eq!((child.wait().unwrap().code(), err.as_str()), (Some(0), ""));
}

/// The name of a header or of a member that nobody knows may hold what its value holds.
#[test]
fn names_in_record_lines_are_scrubbed_like_names_in_json() {
    let lines = [
        (
            r#"{"id":"r-1","value":"a","headers":[["+14155550132","x"],["trace","y"]],"+447700900123":1,"a@example.com":null}"#,
            r#"{"id":"r-1","value":"a","headers":[["[PHONE:+1]","x"],["trace","y"]],"[PHONE:+44]":1,"[EMAIL]":null}"#,
        ),
        (r#"{"value":"a","sent to +14155550132":"x"}"#, r#"{"value":"a","sent to [PHONE:+1]":"x"}"#),
        (
            r#"{"value":"a","headers":[["note",null]],"region":"eu","id":"1","timestamp":5}"#,
            r#"{"value":"a","headers":[["note",null]],"region":"eu","id":"1","timestamp":5}"#,
        ),
    ];
    let input: String = lines.iter().map(|(line, _)| format!("{line}\n")).collect();
    let want: String = lines.iter().map(|(_, want)| format!("{want}\n")).collect();
    // Twice: a name that may stay is remembered, and one that may not is met anew.
    let ended = pipe(&["--records", "--stats", "--threads", "1"], input.repeat(2).as_bytes());
    assert_eq!(String::from_utf8(ended.out).unwrap(), want.repeat(2));
    assert_eq!((stat(&ended.err, "unchanged"), stat(&ended.err, "changed")), (2, 4));
    let ended = pipe(&["--records", "--stage", "deidentify"], input.as_bytes());
    for number in ["4155550132", "7700900123", "example.com"] {
        assert!(!contains(&ended.out, number), "{}", String::from_utf8_lossy(&ended.out));
    }
}

/// Each second byte of UTF-16 is NUL in Latin letters and digits, and hides what stands there.
#[test]
fn lines_in_utf_16_and_32_are_withheld() {
    let text = format!("to {CANARY} now");
    let utf_16 =
        |line: &str, bytes: fn(u16) -> [u8; 2]| -> Vec<u8> { line.encode_utf16().flat_map(bytes).collect() };
    let utf_32 =
        |bytes: fn(u32) -> [u8; 4]| -> Vec<u8> { text.chars().flat_map(|c| bytes(c.into())).collect() };
    let mixed = format!("номер {}", &CANARY[8..]);
    let marked: Vec<u8> = [&b"\xff\xfe"[..], &utf_16("王小明 李四", u16::to_le_bytes)].concat();
    let lines = [
        b"a line of text\0".to_vec(),
        utf_16(&text, u16::to_le_bytes),
        utf_16(&text, u16::to_be_bytes),
        utf_16(&mixed, u16::to_le_bytes),
        utf_32(u32::to_le_bytes),
        utf_32(u32::to_be_bytes),
        marked,
    ];
    // Cut at the byte of a line break, a line begins with the break's other byte.
    let input = lines[..6].join(&b"\n\0"[..]);
    let input = [&input, &b"\n"[..], &lines[6]].concat();
    let ended = pipe(&["--stats"], &input);
    assert_eq!(ended.code, Some(0), "{}", ended.err);
    assert_eq!((stat(&ended.err, "withheld"), stat(&ended.err, "  binary")), (6, 6));
    let digits = |bytes: &[u8]| bytes.iter().filter(|byte| byte.is_ascii_digit()).count();
    let shown = String::from_utf8_lossy(&ended.out).into_owned();
    assert!(shown.lines().skip(1).all(|line| line.starts_with("[WITHHELD:reason=binary,bytes=")), "{shown}");
    assert!(digits(&ended.out) <= 18, "{shown}");
}

#[test]
fn a_file_that_is_no_text_is_refused_with_what_makes_text_of_it() {
    let utf_16: Vec<u8> = "\u{feff}to +14155550132\n".encode_utf16().flat_map(u16::to_le_bytes).collect();
    for (input, told) in [
        (b"\xfd7zXZ\0\0\x04 to +14155550132\n".to_vec(), "`xz -dc FILE | logscrub pipe`"),
        (b"\x1f\x8b\x08\0 to +14155550132\n".to_vec(), "`gzip -dc FILE | logscrub pipe`"),
        (utf_16, "`iconv -f UTF-16 -t UTF-8 FILE | logscrub pipe`"),
    ] {
        let mut child = start(&[]);
        // It may end without reading all.
        let _ = child.stdin.take().unwrap().write_all(&input);
        let out = child.wait_with_output().unwrap();
        let err = String::from_utf8(out.stderr).unwrap();
        assert_eq!((out.status.code(), out.stdout.as_slice()), (Some(74), &b""[..]), "{err}");
        assert!(err.contains(told), "{err}");
    }
}
