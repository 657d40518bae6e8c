//! Telephone numbers in text: found by grammar first (`+`, `tel:`, `@s.whatsapp.net`), by context next
//! (a telephone's word beside the digits, the field's name), and by the numbering plan last. Alone, the plan
//! decides only of mobile numbers with their calling code that no word speaks against: one random eleven-digit
//! number in ten is one, one in five is some number.
//!
//! The engine calls [`at`] where [`may_begin`] holds, and goes on at [`skip`] where nothing was found,
//! so that each digit is looked at a bounded number of times.

mod cue;
mod international;
mod jid;
mod national;
mod refuse;
mod scan;
mod spoken;
mod uri;
mod wamid;
mod words;

use crate::class::Class;
use crate::detect::Detector;
use crate::detect::refusal::Refusal;
use crate::finding::{Detail, Span};
use crate::numbering::{self, Region, Verdict};
use scan::{Scan, Sign, sign_at};

/// What the field says that the text stands in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum FieldHint {
    /// The field's name says telephone: `msisdn`, `wa_id`, `phone_number`.
    Phone,
    /// It says that somebody is meant: `to`, `from`, `recipient`.
    MaybePhone,
    #[default]
    None,
    /// It says another number: `duration_ms`, `order_id`. Only what shows itself to be a telephone
    /// number (`+`, a URI, a WhatsApp id) is one there.
    NotPhone,
    /// It holds what people write: a message's text. Bare digits that are valid in the context's region
    /// are a number there without any word beside them.
    Prose,
}

/// What is known about a text before it is read.
#[derive(Clone, Copy, Debug, Default)]
pub struct Context<'r> {
    pub field: FieldHint,
    /// Whose national forms to expect, from the command line and the rules: the first is the likeliest.
    pub regions: &'r [Region],
}

/// How a number is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Form {
    /// `+` or `00` and a calling code.
    International,
    /// As its own country writes it, or a calling code without `+`.
    National,
    /// Behind `tel:`, `sip:`, `PJSIP/` and the like.
    Uri,
    /// Before `@s.whatsapp.net`, `@c.us`, or as the creator's part of a group's id.
    Jid,
    /// `wamid.…`: a WhatsApp message id that has the number in base64.
    Wamid,
    /// Before `@lid`: an opaque id of a person, no telephone number.
    Lid,
    /// Before `@g.us`: an opaque id of a group, no telephone number.
    Group,
}

impl Form {
    #[must_use]
    pub fn class(self) -> Class {
        match self {
            Form::International | Form::National | Form::Uri | Form::Jid | Form::Wamid => Class::Phone,
            Form::Lid | Form::Group => Class::SubjectId,
        }
    }

    /// Whose rule the finding is counted to.
    #[must_use]
    pub fn detector(self) -> Detector {
        match self {
            Form::International => Detector::PhoneInternational,
            Form::National => Detector::PhoneNational,
            Form::Uri => Detector::PhoneUri,
            Form::Jid | Form::Wamid => Detector::PhoneJid,
            Form::Lid | Form::Group => Detector::SubjectShape,
        }
    }
}

/// How sure a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Confidence {
    /// Shape and context speak for it, the plan does not or cannot be asked.
    Likely,
    /// Valid in its plan, or its grammar admits nothing else.
    Sure,
}

/// A number found: byte offsets into the text that was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hit {
    /// From `+`, `00`, `(` or the first digit to the last digit or the end of the extension; for
    /// [`Form::Wamid`] the whole id, for a group's id the time behind the number too.
    pub span: Span,
    /// The calling code, where it is known.
    pub detail: Detail,
    pub form: Form,
    pub confidence: Confidence,
}

impl Hit {
    fn new(start: usize, end: usize, calling_code: Option<u16>, form: Form, confidence: Confidence) -> Hit {
        let detail = calling_code.map_or(Detail::None, Detail::CallingCode);
        Hit { span: Span::new(start, end), detail, form, confidence }
    }
}

/// Whether a number can begin with this byte: [`at`] need not be called elsewhere. Lead bytes of
/// UTF-8 are included; `w` begins `wamid.`, `%` begins `%2B`.
#[must_use]
pub const fn may_begin(byte: u8) -> bool {
    matches!(byte, b'0'..=b'9' | b'+' | b'(' | b'%' | b'w' | 0xC2..=0xF4)
}

/// The number that begins at `pos`, if one does. Looks back at the text before `pos` for context, so
/// that the whole text has to be given, not the rest of it.
#[must_use]
pub fn at(text: &[u8], pos: usize, context: &Context<'_>) -> Option<Hit> {
    match sign_at(text, pos)? {
        (Sign::Digit(_), _) => national::at(text, pos, context),
        (Sign::Plus, len) => international::at(text, pos, pos + len, context),
        (Sign::Open, len) => match sign_at(text, pos + len)? {
            // (+49) 30 …; the plus of (+49 30 …) is met by itself.
            (Sign::Plus, plus) => international::in_parentheses(text, pos, pos + len + plus, context),
            (Sign::Digit(_), _) => national::at(text, pos, context),
            _ => None,
        },
        (Sign::Other, _) if text.get(pos) == Some(&b'w') => wamid::at(text, pos),
        _ => None,
    }
}

/// Why [`at`] finds nothing where digits begin, a plus sign or a parenthesis before them; `None` where it does.
#[must_use]
pub fn why_not(text: &[u8], pos: usize, context: &Context<'_>) -> Option<Refusal> {
    if at(text, pos, context).is_some() {
        return None;
    }
    match sign_at(text, pos)? {
        (Sign::Digit(_), _) => national::judge(text, pos, context).err(),
        (Sign::Plus, len) => international::judge(text, pos, pos + len, context).err(),
        (Sign::Open, len) => match sign_at(text, pos + len)? {
            (Sign::Digit(_), _) => national::judge(text, pos, context).err(),
            _ => Some(Refusal::Grouping),
        },
        _ => None,
    }
}

/// The span of the digits at `pos`, with what stands between them.
#[must_use]
pub fn digits_at(text: &[u8], pos: usize) -> Span {
    let signs = match sign_at(text, pos) {
        Some((Sign::Plus | Sign::Open, len)) => len,
        _ => 0,
    };
    let scan = Scan::new(text, pos + signs);
    Span::new(pos, scan.end(scan.digits().len()).max(pos))
}

pub use cue::{unit_after, word_before};

/// As [`at`], for seven to eleven digits up to `end` that stand alone in running text.
#[must_use]
pub fn plain(text: &[u8], start: usize, end: usize, context: &Context<'_>) -> Option<Hit> {
    if context.field == FieldHint::None {
        national::plain(text, start, end, context)
    } else {
        at(text, start, context)
    }
}

/// Whether a region's published examples have six digits or fewer.
#[must_use]
pub fn has_short_numbers(region: Region) -> bool {
    (1..=6).any(|n| national::is_usual_length(&[region], n))
}

/// Where to go on after [`at`] found nothing at `pos`; always beyond `pos`. A run of letters and
/// digits is passed as a whole, so that a hash is not looked at from each of its digits.
#[must_use]
pub fn skip(text: &[u8], pos: usize) -> usize {
    let Some((sign, len)) = sign_at(text, pos) else { return pos + 1 };
    let mut at = pos + len;
    if !matches!(sign, Sign::Digit(_) | Sign::Plus) {
        return at;
    }
    // The 36 of a terminal's colour is not glued to what it colours, nor the 3A of `%3A`.
    let escape = colour_end(text, pos).or_else(|| percent_end(text, pos));
    while let Some((sign, len)) = sign_at(text, at).filter(|_| Some(at) != escape) {
        let word = text.get(at).is_some_and(u8::is_ascii_alphanumeric);
        if !word && !matches!(sign, Sign::Digit(_) | Sign::Invisible) {
            break;
        }
        at += len;
    }
    at
}

/// Where the ANSI colour sequence ends (`ESC [ 1 ; 36 m`) whose digits stand at `pos`.
fn colour_end(text: &[u8], pos: usize) -> Option<usize> {
    let part = |byte: &u8| byte.is_ascii_digit() || *byte == b';';
    let head = text.get(pos.saturating_sub(12)..pos)?;
    let bracket = head.iter().rposition(|byte| !part(byte)).and_then(|at| head.get(..=at))?;
    let behind = text.get(pos..)?.iter().take(12).take_while(|byte| part(byte)).count();
    let ends = text.get(pos + behind) == Some(&b'm');
    (ends && bracket.ends_with(b"\x1b[")).then_some(pos + behind + 1)
}

/// Where the percent-encoded byte ends whose first hexadecimal digit stands at `pos`.
fn percent_end(text: &[u8], pos: usize) -> Option<usize> {
    let percent = pos.checked_sub(1).and_then(|at| text.get(at)) == Some(&b'%');
    (percent && text.get(pos + 1).is_some_and(u8::is_ascii_hexdigit)).then_some(pos + 2)
}

/// Whether a percent-encoded byte ends right before `start`: `%3D` of an encoded `=`.
fn percent_before(text: &[u8], start: usize) -> bool {
    start
        .checked_sub(3)
        .is_some_and(|at| text.get(at) == Some(&b'%') && percent_end(text, at + 1) == Some(start))
}

/// Whether an ANSI colour sequence ends right before `start`; where it begins.
fn colour_before(text: &[u8], start: usize) -> Option<usize> {
    let head = text.get(start.saturating_sub(14)..start)?.strip_suffix(b"m")?;
    let from = head.iter().rposition(|byte| !(byte.is_ascii_digit() || *byte == b';'))?;
    let begins = head.get(..=from)?.ends_with(b"\x1b[");
    begins.then(|| start - 1 - (head.len() - from))
}

/// A value in a telephone's place, whatever it looks like: a short code, an invalid number, a name.
/// The span is the number's part where the value has a part that is one (`tel:+49 30 …` without
/// `tel:`, a WhatsApp id without its host), else the whole value.
#[must_use]
pub fn whole(text: &[u8], regions: &[Region]) -> Hit {
    let context = Context { field: FieldHint::Phone, regions };
    let mut pos = 0;
    let mut found: Option<Hit> = None;
    while pos < text.len() {
        let hit = text.get(pos).filter(|byte| may_begin(**byte)).and_then(|_| at(text, pos, &context));
        match hit {
            Some(hit) if found.is_none() => {
                pos = hit.span.end().max(pos + 1);
                found = Some(hit);
            }
            // More than one: no single part stands for the value.
            Some(_) => break,
            None => pos = skip(text, pos),
        }
    }
    match found {
        Some(hit) if pos >= text.len() && !has_other_digits(text, hit.span) => hit,
        Some(hit) => Hit { span: Span::new(0, text.len()), ..hit },
        None => Hit::new(0, text.len(), guess(text, regions), Form::National, Confidence::Likely),
    }
}

fn has_other_digits(text: &[u8], span: Span) -> bool {
    let digit =
        |part: Option<&[u8]>| part.unwrap_or_default().iter().filter(|b| b.is_ascii_digit()).count() > 3;
    digit(text.get(..span.start())) || digit(text.get(span.end()..))
}

/// The calling code of digits that no reading made a number of.
fn guess(text: &[u8], regions: &[Region]) -> Option<u16> {
    let first = (0..text.len()).find(|pos| matches!(sign_at(text, *pos), Some((Sign::Digit(_), _))))?;
    let scan = Scan::new(text, first);
    likely_code(scan.digits(), regions)
}

/// The calling code for digits in a telephone's place: of the reading that fits a plan best.
fn likely_code(digits: &[u8], regions: &[Region]) -> Option<u16> {
    let abroad = numbering::international(digits.strip_prefix(b"00").unwrap_or(digits));
    likelier_code(digits, abroad, at_home(digits, regions))
}

/// As [`likely_code`], of digits that were read both ways.
fn likelier_code(
    digits: &[u8],
    abroad: Option<numbering::Number>,
    home: Option<numbering::Number>,
) -> Option<u16> {
    let valid = |number: &Option<numbering::Number>| number.is_some_and(|number| number.is_valid());
    if valid(&abroad) && !(valid(&home) && digits.len() <= 10) {
        return abroad.map(|number| number.calling_code());
    }
    if home.is_some_and(|number| number.verdict() >= Verdict::Possible) || digits.starts_with(b"0") {
        return home.map(|number| number.calling_code());
    }
    match abroad {
        Some(number) if number.verdict() >= Verdict::Possible => Some(number.calling_code()),
        _ => home.map(|number| number.calling_code()),
    }
}

/// Digits read as a national number: of the first region whose plan has it, else of the first region.
fn at_home(digits: &[u8], regions: &[Region]) -> Option<numbering::Number> {
    let mut read = regions.iter().filter_map(|region| numbering::national(*region, digits));
    let first = read.next()?;
    if first.is_valid() { Some(first) } else { read.find(|number| number.is_valid()).or(Some(first)) }
}

/// Where an extension behind `end` ends (`ext. 12`, `x12`, `;ext=12`); `end` itself without one.
fn extension_end(text: &[u8], end: usize) -> usize {
    const MARKS: [&str; 18] = [
        "~",
        ";ext=",
        "extension",
        "extn.",
        "extn",
        "ext.",
        "ext",
        "x",
        "#",
        "доб.",
        "доб",
        "ramal",
        "anexo",
        "poste",
        "int.",
        "dw",
        "nst.",
        "内线",
    ];
    let rest = text.get(end..text.len().min(end + 32)).unwrap_or_default();
    let mark = rest.iter().find(|byte| !matches!(byte, b' ' | b','));
    // First letters of the marks; those beyond ASCII have capitals of their own.
    let may_be = |byte: &u8| *byte >= 0x80 || b"~;ex#rapidn".contains(&byte.to_ascii_lowercase());
    if !mark.is_some_and(may_be) {
        return end;
    }
    let lower = cue::Lower::new(rest);
    let rest = lower.as_str();
    let spaced = rest.trim_start_matches([' ', ',']);
    if rest.len() - spaced.len() > 3 {
        return end;
    }
    let Some(after) = MARKS.iter().find_map(|mark| spaced.strip_prefix(mark)) else { return end };
    let number = after.trim_start_matches([' ', ':', '.']);
    let digits = number.bytes().take_while(u8::is_ascii_digit).count();
    let glued = number.as_bytes().get(digits).is_some_and(u8::is_ascii_alphanumeric);
    // `~1234` right behind a number; `~ 12`, `~120 ms` is about so much.
    let about = spaced.starts_with('~')
        && (number.len() < after.len() || digits < 3 || cue::unit_follows(number.as_bytes(), digits));
    // Lower case may change lengths only beyond ASCII; the marks and digits here are as long in both.
    let behind = rest.len() - number.len() + digits;
    if (1..=7).contains(&digits) && !glued && !about && after.len() - number.len() <= 3 {
        end + behind
    } else {
        end
    }
}
