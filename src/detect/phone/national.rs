//! Numbers without a plus sign: digits in one piece, and digits grouped as a country groups them.

use super::cue::{self, Cue};
use super::scan::{Gap, Scan, Sign, sign_at};
use super::{
    Confidence, Context, FieldHint, Form, Hit, at_home, extension_end, jid, likelier_code, refuse, spoken,
    uri,
};
use crate::detect::refusal::Refusal;
use crate::detect::validate::not_uuid;
use crate::numbering::{self, Kind, Number, Region};

/// Digits at `start`, or a parenthesis before digits.
pub(super) fn at(text: &[u8], start: usize, context: &Context<'_>) -> Option<Hit> {
    judge(text, start, context).ok()
}

/// As [`at`], with the reason where no number is.
pub(super) fn judge(text: &[u8], start: usize, context: &Context<'_>) -> Result<Hit, Refusal> {
    let scan = Scan::new(text, start);
    if !scan.opened {
        if let Some(hit) = jid::at(text, start, &scan) {
            return Ok(hit);
        }
        if uri::scheme_before(text, start) {
            let machine = uri::at(text, start, &scan, context.regions);
            // `Tel: 01 23 45 67 89` is people's writing: its spaces belong to the number.
            let human = written(text, start, &scan, context);
            return match (machine, human) {
                (Some(machine), Ok(human)) if human.span.end() > machine.span.end() => Ok(human),
                (Some(machine), _) => Ok(machine),
                (None, human) => human,
            };
        }
        let run = scan.run();
        if (8..=15).contains(&run)
            && !scan.more
            && uri::is_user_part(text, start, scan.end(run))
            && cue::before(text, start) != Cue::Against
        {
            return uri::at(text, start, &scan, context.regions).ok_or(Refusal::NoPlan);
        }
    }
    written(text, start, &scan, context)
}

/// Seven to eleven digits in one piece, which neither a scheme nor a host is beside and no digits follow: the
/// words around are asked first.
pub(super) fn plain(text: &[u8], start: usize, end: usize, context: &Context<'_>) -> Option<Hit> {
    let said = match left_of(text, start) {
        Left::Joined => return None,
        Left::Telling => Cue::Strong,
        Left::Clean if cue::conversation_before(text, start) => Cue::Weak,
        Left::Clean => cue::before(text, start),
    };
    let zeros = text.get(start..).is_some_and(|rest| rest.starts_with(b"00"));
    let spoken = || cue::after(text, end) != Cue::None || shows_itself(text, start, end);
    if said == Cue::Against || (said == Cue::None && !zeros && !spoken()) {
        return None;
    }
    at(text, start, context)
}

/// Fewer digits are as many as ids in rows have.
const LONG: usize = 11;

/// Whether digits are a mobile number with its calling code, or as many as one has behind a zero. A row's columns are
/// read together: ten digits between its separators do not show themselves.
fn shows_itself(text: &[u8], start: usize, end: usize) -> bool {
    let digits = text.get(start..end).unwrap_or_default();
    let separates = |byte: Option<&u8>| matches!(byte, Some(b',' | b';' | b'|' | b'\t'));
    let column = || separates(start.checked_sub(1).and_then(|at| text.get(at))) || separates(text.get(end));
    match digits {
        [b'0', second, ..] => *second != b'0' && matches!(digits.len(), 10 | 11) && !column(),
        _ if digits.len() == 10 => !refuse::is_epoch(digits) && !column() && is_mobile(text, start, end),
        _ => (LONG..=13).contains(&digits.len()) && is_mobile(text, start, end),
    }
}

/// Whether digits are a mobile number with its calling code.
fn is_mobile(text: &[u8], start: usize, end: usize) -> bool {
    let number = text.get(start..end).and_then(numbering::international);
    let mobile = |number: &Number| matches!(number.kind(), Kind::Mobile | Kind::FixedOrMobile);
    number.is_some_and(|number| number.is_valid() && mobile(&number))
}

/// Digits that nothing but their grouping and their surroundings show to be a number.
fn written(text: &[u8], start: usize, scan: &Scan, context: &Context<'_>) -> Result<Hit, Refusal> {
    let hinted = context.field == FieldHint::Phone;
    let short = scan.digits().len() < 7 && !is_usual_length(context.regions, scan.digits().len());
    if context.field == FieldHint::NotPhone {
        return Err(Refusal::Field);
    }
    if short && !hinted {
        return Err(Refusal::Short);
    }
    let mut candidate = Candidate { text, start, scan, cue: Cue::None, context };
    // Most digits are told by their shape; the words around them cost more.
    candidate.may_be_one()?;
    candidate.cue = cue_of(text, start, scan, context).ok_or(Refusal::Joined)?;
    let whole = if scan.opened { Err(Refusal::Grouping) } else { candidate.in_one_piece() };
    whole.or_else(|whole| {
        let grouped = scan.opened || scan.run() < scan.digits().len();
        candidate.grouped().map_err(|apart| if grouped { apart } else { whole })
    })
}

/// What stands before the digits.
enum Left {
    Clean,
    /// Part of a longer token: no number begins here.
    Joined,
    /// A word that digits of telephones get glued to, or a path's segment.
    Telling,
}

fn left_of(text: &[u8], start: usize) -> Left {
    let before = |n: usize| start.checked_sub(n).and_then(|at| text.get(at)).copied().unwrap_or(b' ');
    let telling = |holds: bool| if holds { Left::Telling } else { Left::Joined };
    match before(1) {
        // `LIKE '%4479…%'`
        b'%' if matches!(before(2), b'\'' | b'"') => Left::Clean,
        b'0'..=b'9' | b'+' | b'@' | b'%' | b'\\' => Left::Joined,
        _ if super::percent_before(text, start) => Left::Clean,
        b'm' if super::colour_before(text, start).is_some() => Left::Clean,
        b'_' | b'-' | b'a'..=b'z' | b'A'..=b'Z' => telling(cue::glued_before(text, start)),
        // `OK:7f3a:0.16:4479…`, an answer's parts; no time and no address has as many digits.
        b':' if before(2).is_ascii_digit() && has_long_run(text, start) => Left::Clean,
        b'.' | b':' | b')' if before(2).is_ascii_digit() => Left::Joined,
        b'.' if before(2).is_ascii_alphanumeric() => telling(is_in_topic(text, start)),
        b'/' if cue::conversation_before(text, start) => Left::Clean,
        b'/' if before(2).is_ascii_alphanumeric() => {
            if cue::path_before(text, start) || is_in_topic(text, start) {
                Left::Telling
            } else if is_whole_segment(text, start) {
                Left::Clean
            } else {
                Left::Joined
            }
        }
        0x80.. if digit_before(text, start) => Left::Joined,
        _ => Left::Clean,
    }
}

/// Whether digits are a mobile number with its calling code in a topic's name or a path about numbers or messages.
fn is_in_topic(text: &[u8], start: usize) -> bool {
    let digits = text.get(start..).unwrap_or_default().iter().take(16).take_while(|b| b.is_ascii_digit());
    let end = start + digits.count();
    (10..=13).contains(&(end - start)) && is_mobile(text, start, end) && cue::topic_around(text, start, end)
}

/// `4479…:33@s.whats`: whether a device's number and an `@` begin at `at`, as in a WhatsApp id that is cut off.
fn is_device(text: &[u8], at: usize) -> bool {
    let digits = text.get(at..).unwrap_or_default().iter().take(4).take_while(|b| b.is_ascii_digit()).count();
    text.get(at + digits) == Some(&b'@')
}

/// `/accounts/4479…/consents`: whether a mobile number with its calling code is a segment of a path, behind one that
/// names nothing else (`/orders/`).
fn is_whole_segment(text: &[u8], start: usize) -> bool {
    let digits = text.get(start..).unwrap_or_default().iter().take(16).take_while(|b| b.is_ascii_digit());
    let end = start + digits.count();
    (LONG..=13).contains(&(end - start))
        && matches!(text.get(end), None | Some(b'/' | b'?' | b' ' | b'"' | b'\'' | b'#'))
        && is_mobile(text, start, end)
        && !cue::segment_names_another(text, start)
}

fn has_long_run(text: &[u8], start: usize) -> bool {
    let digits = text.get(start..).unwrap_or_default().iter().take(LONG).take_while(|b| b.is_ascii_digit());
    digits.count() == LONG
}

/// Whether a digit of another script, or one behind invisible characters, ends at `start`.
fn digit_before(text: &[u8], start: usize) -> bool {
    let mut end = start;
    for _ in 0..8 {
        let Some(from) = (1..=4)
            .filter_map(|n| end.checked_sub(n))
            .find(|at| text.get(*at).is_some_and(|byte| byte & 0xC0 != 0x80))
        else {
            return false;
        };
        match sign_at(text, from) {
            Some((Sign::Invisible, _)) => end = from,
            Some((Sign::Digit(_), _)) => return true,
            _ => return false,
        }
    }
    true
}

/// `None` where no number can begin.
fn cue_of(text: &[u8], start: usize, scan: &Scan, context: &Context<'_>) -> Option<Cue> {
    let left = left_of(text, start);
    if context.field == FieldHint::Phone {
        return match left {
            Left::Joined => None,
            Left::Clean | Left::Telling => Some(Cue::Strong),
        };
    }
    let alone = start == 0 && scan.end(scan.digits().len()) == text.len();
    let said = match left {
        // A dash of punctuation between a word and a number: `my number-415 …`.
        Left::Joined if context.field == FieldHint::Prose && dash_after_word(text, start) => Cue::None,
        // `call(415) 555-0132`: a bracket against its word.
        Left::Joined if scan.opened && ends_word(text, start) => match cue::before(text, start) {
            Cue::Strong => Cue::Strong,
            Cue::None | Cue::Weak if context.field == FieldHint::Prose => Cue::None,
            Cue::None | Cue::Weak | Cue::Against => return None,
        },
        Left::Joined => return None,
        Left::Telling => Cue::Strong,
        Left::Clean if cue::conversation_before(text, start) => Cue::Weak,
        Left::Clean => cue::before(text, start),
    };
    Some(match context.field {
        FieldHint::MaybePhone if alone => Cue::Strong,
        FieldHint::MaybePhone if said == Cue::None => Cue::Weak,
        _ => said,
    })
}

fn dash_after_word(text: &[u8], start: usize) -> bool {
    let head = text.get(..start).unwrap_or_default();
    matches!(head, [.., letter, b'-'] if letter.is_ascii_alphabetic())
}

fn ends_word(text: &[u8], start: usize) -> bool {
    start.checked_sub(1).and_then(|at| text.get(at)).is_some_and(u8::is_ascii_alphabetic)
}

struct Candidate<'a> {
    text: &'a [u8],
    start: usize,
    scan: &'a Scan,
    cue: Cue,
    context: &'a Context<'a>,
}

impl Candidate<'_> {
    fn regions(&self) -> &[Region] {
        self.context.regions
    }

    /// The digits as a number of the country whose language speaks of it.
    fn spoken(&self, digits: &[u8]) -> Option<Number> {
        if self.cue < Cue::Weak { None } else { spoken::national(self.text, self.start, digits) }
    }

    fn hinted(&self) -> bool {
        self.context.field == FieldHint::Phone
    }

    fn hit(&self, n: usize, code: Option<u16>, form: Form, confidence: Confidence) -> Hit {
        Hit::new(self.start, extension_end(self.text, self.scan.end(n)), code, form, confidence)
    }

    /// A letter, an underscore, a unit or a further part behind the digits.
    fn ends_badly(&self, n: usize) -> Option<Refusal> {
        let end = self.scan.end(n);
        let next = |k: usize| self.text.get(end + k).copied().unwrap_or(b' ');
        if extension_end(self.text, end) > end {
            return None;
        }
        if !self.hinted() && cue::unit_follows(self.text, end) {
            return Some(Refusal::Unit);
        }
        let joined = match next(0) {
            letter if letter.is_ascii_alphanumeric() => true,
            b'%' if matches!(next(1), b'\'' | b'"') => false,
            b'_' | b'@' | b'%' | b'=' => true,
            b':' => {
                next(1).is_ascii_digit()
                    && !not_uuid::is_uuid_at(self.text, end + 1)
                    && !is_device(self.text, end + 1)
            }
            // A host name's next part; a sentence begins with a capital.
            b'.' => next(1).is_ascii_digit() || next(1).is_ascii_lowercase(),
            _ => false,
        };
        joined.then_some(Refusal::Joined)
    }

    fn lifted(&self, n: usize) -> Cue {
        match self.cue {
            Cue::None | Cue::Weak => self.cue.max(cue::after(self.text, self.scan.end(n))),
            Cue::Against | Cue::Strong => self.cue,
        }
    }

    /// Whether the digits may be a number whatever words stand around them.
    fn may_be_one(&self) -> Result<(), Refusal> {
        let whole = if self.scan.opened { Err(Refusal::Grouping) } else { self.may_be_one_piece() };
        match whole {
            Err(_) if self.scan.stops().any(|n| self.fits(n)) => Ok(()),
            whole => whole,
        }
    }

    fn may_be_one_piece(&self) -> Result<(), Refusal> {
        let n = self.scan.run();
        let fewest = if self.hinted() { 5 } else { 7 };
        let too_long = self.scan.more && n == self.scan.digits().len();
        if n < fewest && !is_usual_length(self.regions(), n) {
            return Err(Refusal::Short);
        }
        if n > 17 || too_long {
            return Err(Refusal::Long);
        }
        if self.scan.gap(n) == Gap::Dot {
            return Err(Refusal::Dotted);
        }
        self.ends_badly(n).map_or(Ok(()), Err)
    }

    /// Digits without visible separators.
    fn in_one_piece(&self) -> Result<Hit, Refusal> {
        self.may_be_one_piece()?;
        let n = self.scan.run();
        let digits = self.scan.first(n);
        let usual = is_usual_length(self.regions(), n);
        let mut cue = self.lifted(n);
        if cue == Cue::None && self.shows_itself(n) {
            cue = Cue::Weak;
        }
        if let Some(rest) = digits.strip_prefix(b"00") {
            return self.with_double_zero(n, rest, cue);
        }
        let prose = self.context.field == FieldHint::Prose;
        if n > 15 {
            return Err(Refusal::Long);
        }
        if cue == Cue::Against {
            return Err(Refusal::Word);
        }
        if cue == Cue::None && !prose {
            let epoch = refuse::is_epoch(digits);
            return Err(if epoch { Refusal::Epoch } else { Refusal::Unspoken });
        }
        if let Some(number) = self.spoken(digits) {
            return Ok(self.hit(n, Some(number.calling_code()), Form::National, Confidence::Sure));
        }
        let (abroad, home) = (numbering::international(digits), at_home(digits, self.regions()));
        let code = || likelier_code(digits, abroad, home);
        let (abroad, home) = (abroad.filter(Number::is_valid), home.filter(Number::is_valid));
        let in_field = self.hinted() || self.context.field == FieldHint::MaybePhone;
        let american = cue == Cue::Strong && n == 10 && is_american(digits);
        if refuse::is_epoch(digits) && !in_field && !american {
            return Err(Refusal::Epoch);
        }
        if refuse::begins_with_date(self.scan) && !in_field {
            return Err(Refusal::Date);
        }
        if self.scan.gap(n) == Gap::Dash && abroad.is_none() {
            return Err(Refusal::Joined);
        }
        let trunk = digits.starts_with(b"0") && (9..=12).contains(&n);
        let accepted = match cue {
            Cue::Strong if self.hinted() => true,
            Cue::Strong if n < 7 => home.is_some(),
            Cue::Strong => home.is_some() || abroad.is_some() || trunk || n >= 8 || in_field,
            Cue::Weak | Cue::None if prose && home.is_some() => true,
            Cue::Weak => {
                let american = || n == 10 && is_american(digits);
                (abroad.is_some() && n >= 10)
                    || (home.is_some() && (n >= 9 || usual))
                    || (trunk && n >= 10)
                    || american()
                    || ((8..=11).contains(&n) && cue::speaks_of_a_subscriber(self.text, self.scan.end(n)))
            }
            Cue::None => false,
            Cue::Against => false,
        };
        if !accepted {
            return Err(Refusal::NoPlan);
        }
        let code = code();
        let sure = if abroad.is_some() || home.is_some() { Confidence::Sure } else { Confidence::Likely };
        Ok(self.hit(n, code, Form::National, sure))
    }

    /// `hlr_worker: {timeout,"4478…"}`, `args=["4479…", 3]`: whether digits that no word speaks for or against are a
    /// mobile number with its calling code, or as long as one with a zero before it. One random number of eleven digits
    /// in ten is a mobile's: measured on logs of other hands, such numbers are people's ten times as often as ids.
    fn shows_itself(&self, n: usize) -> bool {
        self.context.field == FieldHint::None
            && shows_itself(self.text, self.start, self.scan.end(n))
            && !refuse::begins_with_date(self.scan)
            && !cue::is_another_column(self.text, self.start, self.scan.end(n))
    }

    /// `00` and a calling code. Two zeros before a valid number are rarely chance, but ids padded with
    /// zeros exist: without a cue the number has to be a mobile one.
    fn with_double_zero(&self, n: usize, rest: &[u8], cue: Cue) -> Result<Hit, Refusal> {
        let number = numbering::international(rest).ok_or(Refusal::NoPlan)?;
        let mobile = matches!(number.kind(), Kind::Mobile | Kind::FixedOrMobile);
        let accepted = match cue {
            Cue::Against => false,
            Cue::None => number.is_valid() && mobile && rest.len() >= 10,
            Cue::Weak => number.is_valid(),
            Cue::Strong => number.is_valid() || n >= 10,
        };
        let sure = if number.is_valid() { Confidence::Sure } else { Confidence::Likely };
        if !accepted {
            return Err(if cue == Cue::Against { Refusal::Word } else { Refusal::NoPlan });
        }
        Ok(self.hit(n, Some(number.calling_code()), Form::International, sure))
    }

    /// Digits with separators between them.
    fn grouped(&self) -> Result<Hit, Refusal> {
        if refuse::begins_with_date(self.scan) {
            return Err(Refusal::Date);
        }
        if refuse::is_card(self.scan) {
            return Err(Refusal::Card);
        }
        if refuse::is_dashed_address(self.scan) {
            return Err(Refusal::Address);
        }
        let mut first = None;
        for n in self.scan.stops().filter(|n| self.fits(*n)) {
            match self.grouped_to(n) {
                Ok(hit) => return Ok(hit),
                Err(refusal) => first = first.or(Some(refusal)),
            }
        }
        Err(first.unwrap_or_else(|| self.unfit()))
    }

    /// Whether the first `n` digits may be a number, as they are grouped.
    fn fits(&self, n: usize) -> bool {
        ((7..=15).contains(&n)
            || is_usual_length(self.regions(), n)
            || self.scan.first(n).starts_with(b"00") && n <= 17)
            && self.scan.run() < n
            && (!refuse::is_dotted_otherwise(self.scan, n) || self.is_bracketed_at_home(n))
            && self.ends_badly(n).is_none()
    }

    /// `(1800) 7493.524`, where digits may stand anywhere: a bracket first, and valid at home, however it is grouped.
    fn is_bracketed_at_home(&self, n: usize) -> bool {
        self.context.field == FieldHint::Prose
            && self.scan.opened
            && n == self.scan.digits().len()
            && at_home(self.scan.first(n), self.regions()).is_some_and(|number| number.is_valid())
    }

    /// Why no count of the digits is looked at as a number.
    fn unfit(&self) -> Refusal {
        let all = self.scan.digits().len();
        if all < 7 {
            return Refusal::Short;
        }
        if refuse::is_dotted_otherwise(self.scan, all) {
            return Refusal::Dotted;
        }
        self.ends_badly(all).unwrap_or(Refusal::Grouping)
    }

    fn grouped_to(&self, n: usize) -> Result<Hit, Refusal> {
        let digits = self.scan.first(n);
        if let Some(code) = self.unmistakable(n) {
            return Ok(self.hit(n, Some(code), Form::National, Confidence::Sure));
        }
        let cue = self.lifted(n);
        if cue == Cue::Against {
            return Err(Refusal::Word);
        }
        if let Some(number) = self.spoken(digits) {
            return Ok(self.hit(n, Some(number.calling_code()), Form::National, Confidence::Sure));
        }
        if let Some(number) = at_home(digits, self.regions()) {
            let prose = self.context.field == FieldHint::Prose;
            let shown = prose
                || cue >= Cue::Weak
                || self.scan.opened
                || digits.starts_with(b"0")
                || self.is_grouped_as(&number, n);
            let odd = !prose && refuse::is_odd_grouping(self.scan, n) && !self.is_grouped_as(&number, n);
            if number.is_valid() && shown && !odd {
                return Ok(self.hit(n, Some(number.calling_code()), Form::National, Confidence::Sure));
            }
        }
        if n < 7 {
            return Err(Refusal::Short);
        }
        if refuse::is_odd_grouping(self.scan, n) {
            return Err(Refusal::Grouping);
        }
        if cue < Cue::Weak && !self.is_whole_and_grouped(n) {
            return Err(Refusal::Unspoken);
        }
        let abroad =
            numbering::international(digits.strip_prefix(b"00").unwrap_or(digits)).filter(Number::is_valid);
        let led =
            numbering::split_calling_code(digits).is_some_and(|(_, len)| self.scan.gap(len) != Gap::None);
        if let Some(number) = abroad.filter(|_| led || digits.starts_with(b"00")) {
            return Ok(self.hit(n, Some(number.calling_code()), Form::National, Confidence::Sure));
        }
        if is_american(digits) && matches!(self.scan.groups(n), ([3, 3, 4, ..], 3)) {
            return Ok(self.hit(n, Some(1), Form::National, Confidence::Sure));
        }
        // A calling code behind two zeros: whoever wrote it meant a number of another country, whether
        // its plan has it or not.
        if let Some((code, _)) = digits.strip_prefix(b"00").and_then(numbering::split_calling_code)
            && (11..=17).contains(&n)
        {
            return Ok(self.hit(n, Some(code), Form::International, Confidence::Likely));
        }
        let trunk = (digits.starts_with(b"0") || self.scan.opened) && (8..=12).contains(&n);
        let plain = cue == Cue::Strong && (8..=13).contains(&n) || self.hinted();
        let code = self.regions().first().map(|region| region.calling_code());
        let (groups, count) = self.scan.groups(n);
        let small = groups.iter().take(count).all(|group| *group <= 4);
        let in_pairs = count >= 3 && small && (8..=12).contains(&n);
        if !(trunk || plain || in_pairs) {
            return Err(Refusal::NoPlan);
        }
        Ok(self.hit(n, code, Form::National, Confidence::Likely))
    }

    /// `"071 234 5017"`: whether a value, or all that stands in quotes, is digits in the groups people write numbers in.
    fn is_whole_and_grouped(&self, n: usize) -> bool {
        let (text, end) = (self.text, self.scan.end(n));
        let opens =
            matches!(self.start.checked_sub(1).and_then(|at| text.get(at)), None | Some(b'"' | b'\''));
        let closes = matches!(text.get(end), None | Some(b'"' | b'\'' | b'\\'));
        let (groups, count) = self.scan.groups(n);
        let groups = groups.get(..count).unwrap_or_default();
        let small = groups.iter().all(|group| (2..=4).contains(group));
        let long = groups.last().is_some_and(|last| *last == 7) && count == 2;
        // `71 170 227` may count something.
        let thousands = groups.iter().skip(1).all(|group| *group == 3);
        let led = self.scan.first(1) == b"0";
        self.context.field == FieldHint::None
            && opens
            && closes
            && n == self.scan.digits().len()
            && (9..=11).contains(&n)
            && (led && (small || long) || small && count >= 3 && !thousands)
    }

    /// The calling code of a grouping that one country has and nothing else looks like.
    fn unmistakable(&self, n: usize) -> Option<u16> {
        let digits = self.scan.first(n);
        let (groups, count) = self.scan.groups(n);
        let code = match groups.get(..count).unwrap_or_default() {
            // (415) 555-0132
            [3, 3, 4] if self.scan.opened => 1,
            // 1 (415) 555-0132, 1-415-555-0132
            [1, 3, 3, 4] if digits.starts_with(b"1") && self.scan.gap(1) != Gap::Dot => 1,
            // (11) 96123-4567
            [2, 4 | 5, 4] if self.scan.opened && self.scan.gap(n - 4) == Gap::Dash => 55,
            // 8 (912) 345-67-89
            [1, 3, 3, 2, 2] if digits.starts_with(b"8") && self.scan.gap(1) == Gap::Paren => 7,
            _ => return None,
        };
        let number = numbering::national(Region::main_of(code)?, digits)?;
        number.is_valid().then(|| number.calling_code())
    }

    /// Whether the digits stand in the groups that the number's own country writes.
    fn is_grouped_as(&self, number: &Number, n: usize) -> bool {
        let (ours, count) = self.scan.groups(n);
        let (theirs, expected) = number.national_groups();
        count == expected && ours.get(..count) == theirs.get(..expected)
    }
}

/// Whether a region's published examples have so many digits: four to six in the smallest plans,
/// where a fixed floor would find nothing.
pub(super) fn is_usual_length(regions: &[Region], n: usize) -> bool {
    let has = |example: Option<Number>| example.is_some_and(|number| number.national_digits().len() == n);
    regions.iter().any(|region| has(region.example_mobile()) || has(region.example_fixed()))
}

/// Ten digits that North America's plan calls valid.
fn is_american(digits: &[u8]) -> bool {
    let number =
        Region::main_of(1).filter(|_| digits.len() == 10).and_then(|us| numbering::national(us, digits));
    number.is_some_and(|number| number.is_valid() && number.calling_code() == 1)
}
