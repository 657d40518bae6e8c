//! Any bytes are legal: no detector panics, and every span lies in the text and is not empty.

use super::validate::{luhn, not_epoch, not_uuid};
use super::{card, credential, email, event_id, imei, ip, mac, safe, subject, timestamp, url, user_agent};
use crate::finding::Span;
use proptest::prelude::*;

/// Calls every detector at every place, and at two behind the end.
fn run(text: &[u8]) -> Result<(), TestCaseError> {
    let inside = |span: Span, name: &str| {
        prop_assert!(
            span.start() < span.end() && span.end() <= text.len(),
            "{name}: {span:?} of {}",
            text.len()
        );
        Ok(())
    };
    for at in 0..text.len() + 2 {
        for (name, hit) in [
            ("email", email::at(text, at)),
            ("token", credential::token_at(text, at)),
            ("pem", credential::pem_at(text, at)),
            ("opaque", credential::opaque_at(text, at)),
            ("announced", credential::after_word(text, at)),
            ("password", credential::url_password(text, at)),
            ("card", card::at(text, at).map(|card| card.hit)),
            ("imei", imei::at(text, at)),
            ("event id", event_id::at(text, at)),
            ("announced id", event_id::announced_at(text, at)),
            ("lid", subject::lid_at(text, at)),
            ("subject", subject::at(text, at)),
            ("mac", mac::mac_at(text, at)),
            ("ad id", mac::ad_id_at(text, at)),
            ("user agent", user_agent::at(text, at)),
            ("time", timestamp::at(text, at).map(|time| time.hit)),
        ] {
            if let Some(hit) = hit {
                inside(hit.span, name)?;
            }
        }
        for hit in [ip::v4_at(text, at), ip::v6_at(text, at), ip::dashed_at(text, at)].into_iter().flatten() {
            inside(hit.span, "ip")?;
            for part in [hit.port, hit.prefix].into_iter().flatten() {
                inside(part, "port or prefix")?;
            }
        }
        if let Some(url) = url::at(text, at) {
            inside(url.hit.span, "url")?;
            inside(url.host, "host")?;
            for part in [Some(url.scheme), Some(url.path), url.userinfo, url.port, url.query, url.fragment]
                .into_iter()
                .flatten()
            {
                prop_assert!(url.hit.span.contains(part), "part of a url");
            }
        }
        let _ = not_uuid::holds(text, Span::new(at, at + 7));
    }
    let _ = (ip::parse(text), luhn::holds(text), not_epoch::unit(text));
    let _ = credential::url_user(text, 0);
    let middle = text.len() / 2;
    let (head, tail) = text.split_at(middle);
    let _ = (safe::keep_token(text, head, tail), safe::keep_token(head, tail, text));
    Ok(())
}

/// Pieces that begin what the detectors look for.
fn pieces() -> impl Strategy<Value = Vec<u8>> {
    const PIECES: [&[u8]; 44] = [
        b"@",
        b".",
        b":",
        b"::",
        b"-",
        b"/",
        b"://",
        b"%40",
        b"%25",
        b"%",
        b"\\n",
        b"\\",
        b"\"",
        b"'",
        b"=",
        b" ",
        b"eyJ",
        b"sk_live_",
        b"-----BEGIN PRIVATE KEY-----",
        b"-----END ",
        b"Bearer ",
        b"Authorization: ",
        b"Cookie: a=b; ",
        b"password=",
        b"key-",
        b"s:",
        b"203.0.113.7",
        b"2001:db8::1",
        b"2026-01-07T11:25:15",
        b"Jan  7 11:25:15",
        b"imei",
        b"4111",
        b"1111",
        b"example.com",
        b"otto",
        "ö字".as_bytes(),
        "\u{200b}".as_bytes(),
        b"\xff",
        b"\xe2\x80",
        b"Mozilla/5.0 (",
        b")",
        b"AC",
        b"0123456789abcdef",
        b"+1",
    ];
    prop::collection::vec(prop::sample::select(&PIECES[..]), 0..24).prop_map(|parts| parts.concat())
}

proptest! {
    #[test]
    fn random_bytes(text in prop::collection::vec(any::<u8>(), 0..160)) {
        run(&text)?;
    }

    #[test]
    fn random_pieces(text in pieces()) {
        run(&text)?;
    }

    #[test]
    fn random_text(text in "[0-9a-fA-F@.:/=+_ -]{0,120}") {
        run(text.as_bytes())?;
    }
}
