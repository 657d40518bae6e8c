//! What a value looks like, counted in one look: the cheap facts that decide between readings.

use crate::detect::word_list::WordList;
use crate::detect::words;

/// Counts of bytes by kind.
#[derive(Clone, Copy, Debug, Default)]
pub struct ValueShape {
    pub len: usize,
    pub digits: usize,
    pub lower: usize,
    pub upper: usize,
    /// Bytes at or above 0x80.
    pub high: usize,
    pub spaces: usize,
    /// `+ - . ( ) /`: what people write between the digits of a number.
    pub phone_marks: usize,
    pub at_signs: usize,
    pub underscores: usize,
    /// `! ? & $ # % ^ * ~ =`: what passwords have and ids, paths and keys of caches have not.
    pub secret_signs: usize,
}

const DIGIT: u8 = 0;
const LOWER: u8 = 1;
const UPPER: u8 = 2;
const HIGH: u8 = 3;
const SPACE: u8 = 4;
const MARK: u8 = 5;
const AT: u8 = 6;
const UNDERSCORE: u8 = 7;
const OTHER: u8 = 8;
const SECRET: u8 = 9;

static KINDS: [u8; 256] = kinds();

#[expect(clippy::indexing_slicing, reason = "evaluated by the compiler, the index is below 256")]
const fn kinds() -> [u8; 256] {
    let mut table = [0; 256];
    let mut byte = 0_usize;
    while byte < 256 {
        #[expect(clippy::cast_possible_truncation, reason = "below 256")]
        let kind = kind(byte as u8);
        table[byte] = kind;
        byte += 1;
    }
    table
}

const fn kind(byte: u8) -> u8 {
    match byte {
        b'0'..=b'9' => DIGIT,
        b'a'..=b'z' => LOWER,
        b'A'..=b'Z' => UPPER,
        0x80..=0xff => HIGH,
        b' ' | b'\t' | b'\n' | b'\r' => SPACE,
        b'+' | b'-' | b'.' | b'(' | b')' | b'/' => MARK,
        b'@' => AT,
        b'_' => UNDERSCORE,
        b'!' | b'?' | b'&' | b'$' | b'#' | b'%' | b'^' | b'*' | b'~' | b'=' => SECRET,
        _ => OTHER,
    }
}

impl ValueShape {
    #[must_use]
    pub fn of(value: &[u8]) -> Self {
        let mut counts = [0usize; 10];
        for byte in value {
            let kind = KINDS.get(usize::from(*byte)).copied().unwrap_or(OTHER);
            if let Some(count) = counts.get_mut(usize::from(kind)) {
                *count += 1;
            }
        }
        let [digits, lower, upper, high, spaces, phone_marks, at_signs, underscores, _, secret_signs] =
            counts;
        ValueShape {
            len: value.len(),
            digits,
            lower,
            upper,
            high,
            spaces,
            phone_marks,
            at_signs,
            underscores,
            secret_signs,
        }
    }

    #[must_use]
    pub fn letters(&self) -> usize {
        self.lower + self.upper
    }

    /// Digits and what stands between them, nothing else: `+371 (21) 255 272`, `4155550132`.
    #[must_use]
    pub fn is_number_like(&self) -> bool {
        self.digits > 0 && self.digits + self.spaces + self.phone_marks == self.len
    }

    /// One word of ASCII letters, digits and joiners, as programs name things.
    #[must_use]
    pub fn is_identifier(&self) -> bool {
        self.spaces == 0 && self.high == 0 && self.at_signs == 0
    }

    /// A password as people choose them: letters, digits and a sign that codes and ids have not.
    #[must_use]
    pub fn is_secret(&self) -> bool {
        (8..=64).contains(&self.len)
            && self.spaces == 0
            && self.lower > 0
            && self.digits > 0
            && self.secret_signs > 0
            && self.secret_signs + self.at_signs <= 6
    }

    /// Two to five words, each with a capital or a letter beyond ASCII, and no digits.
    #[must_use]
    pub fn reads_like_a_name(&self, value: &[u8]) -> bool {
        if self.spaces == 0
            || self.spaces > 4
            || (self.digits > 0 && !value.contains(&b'&'))
            || self.len > 80
            || self.underscores > 0
        {
            return false;
        }
        let called = |word: &[u8]| {
            let first = word.first().copied().unwrap_or(b' ');
            first.is_ascii_uppercase() || first >= 0x80
        };
        let words = value.split(|b| *b == b' ').filter(|word| !word.is_empty());
        let (named, all) =
            words.fold((0, 0), |(named, all), word| (named + usize::from(called(word)), all + 1));
        let signs = value.iter().any(|b| matches!(b, b'=' | b':' | b'{' | b'[' | b'<' | b'(' | b'/'));
        let shouted = self.lower == 0 && self.high == 0 && self.upper > 12;
        all >= 2 && named >= 2 && !signs && !shouted
    }

    /// One word of letters that begins with a capital: `Ada`, `Łukasz`.
    #[must_use]
    pub fn is_capitalised(&self, value: &[u8]) -> bool {
        let first = value.utf8_chunks().next().and_then(|chunk| chunk.valid().chars().next());
        (3..=40).contains(&self.len)
            && self.letters() + self.high == self.len
            && self.upper <= 1
            && first.is_some_and(char::is_uppercase)
    }

    /// Letters and digits mixed as in keys and tokens: long, no spaces, not all of one kind.
    #[must_use]
    pub fn is_token(&self) -> bool {
        let mixed = self.digits >= 2 && self.letters() >= 2;
        // A key without digits: long, in both cases.
        let random = self.len >= 28 && self.lower >= 6 && self.upper >= 6 && self.phone_marks <= 4;
        self.len >= 16 && self.spaces == 0 && (mixed || random)
    }

    /// A word in capitals and a token behind it: `TSA 7f3a…:q8Zk…=`.
    #[must_use]
    pub fn is_token_behind_scheme(&self, value: &[u8]) -> bool {
        let scheme = value.iter().take(16).take_while(|b| b.is_ascii_alphanumeric() || **b == b'-').count();
        let token = value.get(scheme + 1..).unwrap_or_default();
        let capital = value.first().is_some_and(u8::is_ascii_uppercase);
        capital && value.get(scheme) == Some(&b' ') && token.len() >= 24 && ValueShape::of(token).is_token()
    }

    /// An id drawn at random, digits in it or not, as capitals and small letters of a person's sign are none.
    #[must_use]
    pub fn is_opaque_id(&self) -> bool {
        let drawn = self.upper >= 4 && self.lower >= 4 && self.underscores == 0 && self.phone_marks <= 4;
        self.is_token() || self.len >= 16 && self.spaces == 0 && drawn
    }
}

/// Words that people write to each other and programs do not log, in lower case.
static HUMAN: WordList = WordList::new(words::message::HUMAN);

/// Whether a text reads like something people wrote: letters beyond ASCII, a word of address, a
/// question or an exclamation. Log messages rarely have any.
#[must_use]
pub fn reads_human(text: &[u8]) -> bool {
    let head = text.get(..text.len().min(400)).unwrap_or_default();
    if head.iter().filter(|b| **b >= 0x80).count() >= 2 {
        return true;
    }
    if head.ends_with(b"?") || head.ends_with(b"!") {
        return true;
    }
    head.split(|b| matches!(b, b' ' | b',' | b'.' | b'!' | b'?' | b':' | b';' | b'\n'))
        .any(|word| HUMAN.holds(word))
}

/// Whether a value is a form body: `a=b&c=d`.
#[must_use]
pub fn is_form(value: &[u8]) -> bool {
    let Some(equals) = memchr::memchr(b'=', value) else { return false };
    let name = value.get(..equals).unwrap_or_default();
    let named = !name.is_empty()
        && name.iter().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'.' | b'[' | b']'));
    named && memchr::memchr(b'&', value).is_some() && !value.contains(&b' ')
}

/// Two capitals and 32 hexadecimal digits (Twilio: SIDs).
#[must_use]
pub fn is_provider_id(value: &[u8]) -> bool {
    let (kind, id) = value.split_at(value.len().min(2));
    id.len() == 32 && kind.iter().all(u8::is_ascii_uppercase) && id.iter().all(u8::is_ascii_hexdigit)
}

/// `query_time=1.8961`: seconds that something took; an epoch has ten digits before the point.
#[must_use]
pub fn is_short_time(value: &[u8]) -> bool {
    let point = value.iter().position(|b| *b == b'.');
    point.is_some_and(|point| (1..=6).contains(&point))
        && value.len() <= 14
        && value.iter().filter(|b| !b.is_ascii_digit()).count() == 1
}

/// Five groups of hexadecimal digits (RFC 9562).
#[must_use]
pub fn is_uuid(value: &[u8]) -> bool {
    value.len() == 36
        && value.iter().enumerate().all(|(at, b)| match at {
            8 | 13 | 18 | 23 => *b == b'-',
            _ => b.is_ascii_hexdigit(),
        })
}

/// `service_type:  (addr: 1 1 4479…) …`, `enc: 0 len: 2046 msg: …`: the members of what the name is of.
#[must_use]
pub fn begins_with_members(value: &[u8]) -> bool {
    let mut words = value.split(u8::is_ascii_whitespace);
    let named = |word: Option<&[u8]>| {
        word.is_some_and(|word| word.len() > 2 && word.ends_with(b":") && word.is_ascii())
    };
    let first = words.next();
    let joined = first.is_some_and(|word| word.contains(&b'_'));
    named(first) && (joined || named(words.nth(1)) && value.len() < 4096)
}

/// `sent msisdn=… text="…" ms=42`: a line with fields of its own.
#[must_use]
pub fn has_fields(value: &[u8]) -> bool {
    let names = memchr::memchr_iter(b'=', value).filter(|at| {
        let head = value.get(..*at).unwrap_or_default();
        let len = head.iter().rev().take_while(|b| b.is_ascii_alphanumeric() || **b == b'_').count();
        let before = head.get(..head.len() - len).and_then(<[u8]>::last);
        len >= 2 && matches!(before, None | Some(b' ')) && value.get(at + 1).is_some_and(|b| *b != b' ')
    });
    names.take(2).count() == 2
}

/// `gw-1.example:5060`, `ipv4:[IP:DE]:30271`: what a `peer` has where others have a number.
#[must_use]
pub fn is_machine_and_port(value: &[u8]) -> bool {
    const SCHEMES: [&[u8]; 6] = [b"tel", b"sms", b"sip", b"sips", b"whatsapp", b"smsto"];
    let Some(colon) = value.iter().rposition(|b| *b == b':') else { return false };
    let (host, port) = value.split_at(colon);
    let digits = host.split(|b| !b.is_ascii_digit()).map(<[u8]>::len).max().unwrap_or(0);
    (2..=6).contains(&port.len())
        && port.iter().skip(1).all(u8::is_ascii_digit)
        && digits < 7
        && !value.contains(&b'@')
        && !SCHEMES.iter().any(|scheme| host.eq_ignore_ascii_case(scheme))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shapes() {
        assert!(ValueShape::of(b"+371 (21) 255-272").is_number_like());
        assert!(!ValueShape::of(b"12ms").is_number_like());
        assert!(ValueShape::of(b"order_confirmation_v2").is_identifier());
        assert!(ValueShape::of(b"sk9aKq82hdk1mmz0Q").is_token());
        assert!(!ValueShape::of(b"bearer").is_token());
        let scheme = |value: &[u8]| ValueShape::of(value).is_token_behind_scheme(value);
        assert!(scheme(b"TSA 7f3a52c1:q8ZkQ1mm07aXc2Lm9w="));
        assert!(!scheme(b"OK 482913") && !scheme(b"Digest of yesterday's messages"));
    }

    #[test]
    fn machines_and_their_ports() {
        for machine in ["gw-1.example:5060", "ipv4:[IP:DE]:30271", "peer:80"] {
            assert!(is_machine_and_port(machine.as_bytes()), "{machine}");
        }
        for other in ["tel:12345", "491511234567:12", "sip:4829", "12:30:45 h", "a:b", "4479@x:12"] {
            assert!(!is_machine_and_port(other.as_bytes()), "{other}");
        }
    }

    #[test]
    fn people_and_programs() {
        for human in ["see you at six", "¿Me llamas luego?", "Call me", "где ты"] {
            assert!(reads_human(human.as_bytes()), "{human}");
        }
        for program in
            ["request completed", "message accepted", "creds.update", "upstream timed out while reading"]
        {
            assert!(!reads_human(program.as_bytes()), "{program}");
        }
        assert!(is_form(b"To=%2B1&From=2"));
        assert!(!is_form(b"a = b & c"));
    }
}
