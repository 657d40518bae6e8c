//! Values that must stay: ids, counts, times, versions. Many look like something that must go.

use super::draw::Draw;
use super::maker::Benign;

const LETTERS: &[u8] = b"abcdefghijklmnopqrstuvwxyz";
pub const ALPHANUMERIC: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

/// What platforms answer when something fails: Twilio, Meta, Kannel, HTTP libraries.
const ERROR_CODES: [&str; 14] = [
    "21211", "21408", "21610", "21614", "30003", "30005", "30007", "63016", "131026", "131047", "131056",
    "132000", "130429", "1045",
];

const STATUSES: [&str; 16] = [
    "200", "200", "200", "200", "201", "202", "202", "204", "400", "401", "404", "409", "422", "429", "500",
    "503",
];

/// MCC and MNC of some networks, as platforms glue them.
const NETWORKS: [&str; 8] = ["310260", "26201", "72405", "40445", "23410", "20801", "65501", "52501"];

impl Benign {
    /// The truth's word for it.
    #[must_use]
    pub fn kind(self) -> &'static str {
        match self {
            Benign::Uuid => "uuid",
            Benign::Trace => "trace",
            Benign::Span => "span",
            Benign::Hash => "hash",
            Benign::Order | Benign::OrderNumber => "order_id",
            Benign::MessageId | Benign::TwilioId | Benign::WhatsAppId => "msgid",
            Benign::Status => "status",
            Benign::Bytes => "bytes",
            Benign::Duration | Benign::DurationFraction => "duration",
            Benign::Pid => "pid",
            Benign::Line => "line",
            Benign::Port => "port",
            Benign::Offset => "offset",
            Benign::Sequence => "seq",
            Benign::ErrorCode => "err_code",
            Benign::Version => "version",
            Benign::UserAgent => "ua",
            Benign::Price => "price",
            Benign::Campaign => "campaign",
            Benign::Address => "address",
            Benign::Network => "mccmnc",
            Benign::Count(..) => "count",
        }
    }

    /// A value as written, and the part of it that the truth counts (the whole, where `None`).
    #[must_use]
    pub fn make(self, draw: &mut Draw) -> (String, Option<String>) {
        if self == Benign::UserAgent {
            let (whole, product) = user_agent(draw);
            return (whole, Some(product));
        }
        let value = match self {
            Benign::Uuid => uuid(draw),
            Benign::Trace => draw.hex(32),
            Benign::Span => draw.hex(16),
            Benign::Hash => match draw.index(4) {
                0 => draw.hex(64),
                1 => draw.hex(40),
                2 => format!("sha256:{}", draw.hex(64)),
                _ => draw.hex(12),
            },
            Benign::Order => match draw.index(5) {
                0 => draw.number(8),
                1 => draw.number(10),
                2 => draw.number(11),
                3 => format!("ORD-{}", draw.number(7)),
                _ => format!("A{}-{}", draw.number(3), draw.number(6)),
            },
            Benign::OrderNumber => {
                let len = 8 + draw.index(5);
                draw.number(len)
            }
            Benign::MessageId => match draw.index(4) {
                0 => draw.hex(8).to_uppercase(),
                1 => draw.number(10),
                2 => draw.number(19),
                _ => draw.string(21, ALPHANUMERIC),
            },
            Benign::TwilioId => format!("SM{}", draw.hex(32)),
            Benign::WhatsAppId => format!("3EB0{}", draw.hex(18).to_uppercase()),
            Benign::Status => draw.word(&STATUSES).to_owned(),
            Benign::Bytes => draw.between(1000, 9_999_999).to_string(),
            Benign::Duration => draw.between(1001, 99_999).to_string(),
            Benign::DurationFraction => format!("{}.{}", draw.between(0, 99), draw.between(101, 998)),
            Benign::Pid => draw.between(10_000, 99_999).to_string(),
            Benign::Line => draw.between(1000, 4999).to_string(),
            Benign::Port => draw.between(10_000, 65_000).to_string(),
            Benign::Offset => draw.between(10_000_000, 100_000_000_000).to_string(),
            Benign::Sequence => draw.between(100_000_000, 4_200_000_000).to_string(),
            Benign::ErrorCode => draw.word(&ERROR_CODES).to_owned(),
            Benign::Version => version(draw),
            Benign::Price => format!("0.{:05}", draw.between(110, 9_999)),
            Benign::Campaign => {
                let (month, day) = (draw.between(1, 12), draw.between(1, 28));
                format!("2026{month:02}{day:02}{:03}", draw.between(1, 999))
            }
            Benign::Address => format!("0x{}", draw.hex(12)),
            Benign::Network => draw.word(&NETWORKS).to_owned(),
            Benign::Count(low, high) => draw.between(low, high).to_string(),
            Benign::UserAgent => unreachable!("answered above"),
        };
        (value, None)
    }
}

/// A random (version 4) UUID.
pub fn uuid(draw: &mut Draw) -> String {
    let variant = draw.letter(b"89ab");
    format!("{}-{}-4{}-{variant}{}-{}", draw.hex(8), draw.hex(4), draw.hex(3), draw.hex(3), draw.hex(12))
}

fn version(draw: &mut Draw) -> String {
    let (a, b, c) = (draw.between(1, 40), draw.between(0, 40), draw.between(0, 60));
    match draw.index(5) {
        0 => format!("{a}.{b}.{c}"),
        1 => format!("v{a}.{b}.{c}"),
        2 => format!("2.3000.{}", draw.between(1_010_000_000, 1_029_999_999)),
        3 => format!("{a}.{b}.{c}-rc{}", 1 + b % 9),
        _ => format!("{a}.{b}.{c}+{}", draw.string(7, LETTERS)),
    }
}

fn user_agent(draw: &mut Draw) -> (String, String) {
    let (major, build, patch) = (draw.between(100, 140), draw.between(1000, 7000), draw.between(10, 220));
    let product = match draw.index(4) {
        0 => format!("Chrome/{major}.0.{build}.{patch}"),
        1 => format!("Chrome/{major}.0.0.0"),
        2 => format!("okhttp/4.{}.{}", patch % 12, build % 9),
        _ => format!("python-requests/2.{}.{}", patch % 32, build % 4),
    };
    let whole = if product.starts_with("Chrome") {
        let system = draw.word(&[
            "X11; Linux x86_64",
            "Windows NT 10.0; Win64; x64",
            "Macintosh; Intel Mac OS X 10_15_7",
        ]);
        format!("Mozilla/5.0 ({system}) AppleWebKit/537.36 (KHTML, like Gecko) {product} Safari/537.36")
    } else {
        product.clone()
    };
    (whole, product)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_version_reads_as_an_address_and_no_value_is_empty() {
        let mut draw = Draw::new(4, 4);
        for _ in 0..2000 {
            let version = version(&mut draw);
            assert!(version.parse::<std::net::IpAddr>().is_err(), "{version}");
        }
        let (whole, product) = Benign::UserAgent.make(&mut draw);
        assert!(whole.contains(&product.unwrap()));
        assert_eq!(uuid(&mut draw).len(), 36);
    }
}
