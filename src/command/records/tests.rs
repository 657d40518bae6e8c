use super::*;

/// Parses, hands the record on unchanged, writes.
fn through(line: &[u8]) -> (Shape, String) {
    let mut framing = Framing::default();
    let shape = framing.parse(line);
    let headers = framing.scrub_headers(line);
    let record = framing.record(line, &headers);
    let mut scrubbed = RecordBuf::default();
    scrubbed.key = record.key.map(<[u8]>::to_vec);
    scrubbed.value = record.value.map(<[u8]>::to_vec);
    scrubbed.headers = headers.iter().map(|(n, v)| (n.to_vec(), v.map(<[u8]>::to_vec))).collect();
    let mut out = Vec::new();
    framing.write(line, &scrubbed, &Renamed::new(), &mut out);
    (shape, String::from_utf8(out).expect("record lines are UTF-8"))
}

#[test]
fn records_come_out_as_they_went_in() {
    let same = [
        r#"{"value":"a"}"#,
        r#"{"value":null}"#,
        r#"{"value":""}"#,
        r#"{"key":null,"value":"a"}"#,
        r#"{"value_b64":"/w==","key_b64":"/w=="}"#,
        r#"{"id":"r-1","format":"json","value":"{\"a\":\"b\\n\"}","key":"k","headers":[["h","v"],["n",null]]}"#,
        r#"{"headers":[],"value":"é\u0001\t\r\n"}"#,
        r#"{"headers_b64":[["t","/w=="],["n",null]],"value":"a"}"#,
        r#"{"partition":3,"offset":9007199254740993,"timestamp":-5,"value":"a"}"#,
        r#"{"value":"a","note":"x","n":1.5e3,"deep":{"a":[1,"b"]},"none":null,"yes":true}"#,
        r#"{"id":17,"value":"a"}"#,
    ];
    for line in same {
        assert_eq!(through(line.as_bytes()), (Shape::Record, line.to_owned()));
    }
}

#[test]
fn other_spellings_come_out_in_ours() {
    let rows: [(&[u8], &str); 9] = [
        (br#" { "value" : "\u0061\/" , "key":"\ud83d\ude00" } "#, r#"{"value":"a/","key":"😀"}"#),
        (br#"{"v\u0061lue":"a"}"#, r#"{"value":"a"}"#),
        (br#"{"value_b64":"YQ=="}"#, r#"{"value":"a"}"#),
        (br#"{"value_b64":"YQ"}"#, r#"{"value":"a"}"#),
        (br#"{"value":"\ud800"}"#, r#"{"value_b64":"7aCA"}"#),
        (br#"{"value":"\ud800\u0061"}"#, r#"{"value_b64":"7aCAYQ=="}"#),
        (b"{\"value\":\"\xff\"}", r#"{"value_b64":"/w=="}"#),
        (b"{\"value\":\"a\x00\tb\"}", r#"{"value":"a\u0000\tb"}"#),
        (b"{\"value\":\"a\",\"n\xff\":\"\xfe\"}", "{\"value\":\"a\",\"n\u{FFFD}\":\"\u{FFFD}\"}"),
    ];
    for (line, want) in rows {
        assert_eq!(through(line), (Shape::Record, want.to_owned()));
    }
}

#[test]
fn a_line_that_is_no_record_is_a_value() {
    let rows = [
        "",
        "plain text",
        "{}",
        "[]",
        r#"{"value":"a""#,
        r#"{"value":"a"} x"#,
        r#"{"value":"a",}"#,
        r#"{"value":"\x"}"#,
        r#"{"value":"\u12"}"#,
        r#"{"value":1}"#,
        r#"{"value":{"a":1}}"#,
        r#"{"value":"a","value":"b"}"#,
        r#"{"value":"a","key":"b","key":"c"}"#,
        r#"{"value":"a","headers":{"h":"v"}}"#,
        r#"{"value":"a","headers":[["h"]]}"#,
        r#"{"value":"a","headers":[["h",1]]}"#,
        r#"{"value":"a","other":[}}"#,
        r#"{"key":"a"}"#,
        r#"{"value":nul}"#,
    ];
    for line in rows {
        let want = format!("{{\"value\":{}}}", serde_json::to_string(line).unwrap());
        assert_eq!(through(line.as_bytes()), (Shape::Text, want));
    }
}

#[test]
fn base64_that_cannot_be_read_is_not_vouched_for() {
    let rows = [
        r#"{"value_b64":"KzE0MTU1NTUwMTMy"#,
        r#"{"value_b64":"*"}"#,
        r#"{"value":"a","value_b64":"YQ=="}"#,
        r#"{"value_b64":{"a":1}}"#,
        r#"{"value":"a","headers_b64":[["h","*"]]}"#,
    ];
    for line in rows {
        assert_eq!(Framing::default().parse(line.as_bytes()), Shape::Unreadable, "{line}");
    }
}

#[test]
fn what_does_not_look_like_an_id_is_scrubbed_like_a_header() {
    let long = "a".repeat(65);
    let rows = [
        r#"{"value":"a","id":"+1 415 555 0132"}"#.to_owned(),
        r#"{"value":"a","id":""}"#.to_owned(),
        format!(r#"{{"value":"a","format":"{long}"}}"#),
        r#"{"value":"a","id":"a\u0062"}"#.to_owned(),
        r#"{"value":"a","partition":14155550132}"#.to_owned(),
        r#"{"value":"a","offset":"1"}"#.to_owned(),
        r#"{"value":"a","timestamp":1.5}"#.to_owned(),
        r#"{"value":"a","anything":"b"}"#.to_owned(),
    ];
    for line in rows {
        let mut framing = Framing::default();
        assert_eq!(framing.parse(line.as_bytes()), Shape::Record);
        assert_eq!(framing.scrub_headers(line.as_bytes()).len(), 1, "{line}");
        assert!(framing.own_headers(line.as_bytes()).is_empty());
    }
    let twice = br#"{"id":"a","id":"b","value":""}"#;
    let mut framing = Framing::default();
    framing.parse(twice);
    assert_eq!(framing.scrub_headers(twice), [(b"id".as_slice(), Some(b"b".as_slice()))]);
}

fn write(line: &str, headers: &[(&str, Option<&str>)]) -> String {
    let mut framing = Framing::default();
    framing.parse(line.as_bytes());
    let owned = |(name, value): &(&str, Option<&str>)| {
        (name.as_bytes().to_vec(), value.map(|value| value.as_bytes().to_vec()))
    };
    let scrubbed = RecordBuf {
        value: Some(b"v".to_vec()),
        headers: headers.iter().map(owned).collect(),
        ..RecordBuf::default()
    };
    let mut out = Vec::new();
    framing.write(line.as_bytes(), &scrubbed, &Renamed::new(), &mut out);
    String::from_utf8(out).unwrap()
}

#[test]
fn a_changed_member_stays_json_or_becomes_a_string() {
    let line = r#"{"value":"raw","headers":[["h","raw"]],"to":14155550132,"o":{"to":"raw"}}"#;
    let changed =
        [("h", Some("[PHONE:+1]")), ("to", Some("[PHONE:+1]")), ("o", Some(r#"{"to":"[PHONE:+1]"}"#))];
    assert_eq!(
        write(line, &changed),
        r#"{"value":"v","headers":[["h","[PHONE:+1]"]],"to":"[PHONE:+1]","o":{"to":"[PHONE:+1]"}}"#
    );
}

#[test]
fn what_the_engine_dropped_is_gone() {
    let line = r#"{"key":"raw","value":"raw","headers":[["a","raw"],["b","raw"]],"c":"raw","d":"raw"}"#;
    assert_eq!(write(line, &[]), r#"{"key":null,"value":"v","headers":[]}"#);
    assert_eq!(
        write(line, &[("b", Some("1")), ("d", None)]),
        r#"{"key":null,"value":"v","headers":[["b","1"]],"d":null}"#
    );
}

#[test]
fn ten_thousand_levels_are_a_member_like_any_other() {
    let deep = format!(r#"{{"value":"a","deep":{}{}}}"#, "[".repeat(10_000), "]".repeat(10_000));
    assert_eq!(through(deep.as_bytes()), (Shape::Record, deep));
}

#[test]
fn a_line_of_a_million_members_takes_no_square() {
    let line = format!(r#"{{"value":"a"{}}}"#, r#","id":"","x":1"#.repeat(500_000));
    let started = std::time::Instant::now();
    assert_eq!(through(line.as_bytes()), (Shape::Record, line));
    assert!(started.elapsed().as_secs() < 20, "a square of a million is minutes");
}

#[test]
fn records_of_a_store_are_written_in_the_same_shape() {
    let record =
        Record { key: Some(b"k"), value: Some(b"\xff"), headers: &[(b"h", None)], timestamp_ms: Some(7) };
    let mut out = Vec::new();
    write_record(&record, Position { partition: Some(2), offset: Some(40) }, &mut out);
    let line =
        r#"{"partition":2,"offset":40,"timestamp":7,"key":"k","value_b64":"/w==","headers":[["h",null]]}"#;
    assert_eq!(String::from_utf8(out).unwrap(), line);
    let mut framing = Framing::default();
    assert_eq!(framing.parse(line.as_bytes()), Shape::Record);
    assert_eq!((framing.partition(), framing.offset(), framing.timestamp_ms()), (Some(2), Some(40), Some(7)));
}

proptest::proptest! {
    #[test]
    fn any_bytes_make_one_line_of_json(line in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..200)) {
        let (_, out) = through(&line);
        proptest::prop_assert!(!out.contains('\n'));
        proptest::prop_assert!(serde_json::from_str::<serde::de::IgnoredAny>(&out).is_ok());
    }

    #[test]
    fn any_record_comes_back(
        key in proptest::option::of(proptest::collection::vec(proptest::prelude::any::<u8>(), 0..20)),
        value in proptest::option::of(proptest::collection::vec(proptest::prelude::any::<u8>(), 0..20)),
    ) {
        let record = Record { key: key.as_deref(), value: value.as_deref(), headers: &[], timestamp_ms: None };
        let mut line = Vec::new();
        write_record(&record, Position::default(), &mut line);
        let mut framing = Framing::default();
        proptest::prop_assert_eq!(framing.parse(&line), Shape::Record);
        let back = framing.record(&line, &[]);
        proptest::prop_assert_eq!((back.key, back.value), (key.as_deref(), value.as_deref()));
    }
}
