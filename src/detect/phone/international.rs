//! Numbers that begin with a plus sign and a calling code.

use super::scan::{Gap, Scan, Sign, sign_at};
use super::{Confidence, Context, FieldHint, Form, Hit, cue, extension_end, refuse};
use crate::detect::refusal::Refusal;
use crate::numbering::{self, Verdict};

/// Digits behind the plus sign that an invalid number must have in running text.
const FEWEST_INVALID: usize = 8;
/// Digits behind the plus sign at most (ITU-T E.164), and two for a trunk prefix in parentheses.
const MOST: usize = 15;

/// A number whose plus sign stands at `start`; its digits, perhaps after a space or a parenthesis,
/// at `after`.
pub(super) fn at(text: &[u8], start: usize, after: usize, context: &Context<'_>) -> Option<Hit> {
    judge(text, start, after, context).ok()
}

/// As [`at`], with the reason where no number is.
pub(super) fn judge(text: &[u8], start: usize, after: usize, context: &Context<'_>) -> Result<Hit, Refusal> {
    let mut first = after;
    for _ in 0..2 {
        match sign_at(text, first).ok_or(Refusal::Short)? {
            (Sign::Digit(_), _) => break,
            (Sign::Space | Sign::Invisible, len) => first += len,
            // `++49 …`
            (Sign::Plus, len) if first == after => first += len,
            (Sign::Open, _) => break,
            _ => return Err(Refusal::Short),
        }
    }
    if !may_stand_before(text, start) {
        return Err(Refusal::Joined);
    }
    let scan = Scan::new(text, first);
    let glued = first == after;
    let hit = finish(text, start, &scan, context).or_else(|refusal| match refusal {
        Refusal::NoPlan if glued => unassigned(text, start, &scan),
        refusal => Err(refusal),
    })?;
    // `1.4.2+20260107`: a version's build, or a sum.
    let joined = start.checked_sub(1).and_then(|at| text.get(at)).is_some_and(u8::is_ascii_digit);
    let sure = hit.confidence == Confidence::Sure && !refuse::begins_with_date(&scan);
    // `7 + 12345678`
    let summed = !glued
        && text.get(..start).is_some_and(|before| {
            before.ends_with(b" ") && before.trim_ascii_end().last().is_some_and(u8::is_ascii_digit)
        });
    let refused = (joined || summed) && !sure && context.field != FieldHint::Phone;
    if refused { Err(Refusal::Joined) } else { Ok(hit) }
}

/// `+999123456789`: no country has the code, but whoever wrote it meant a number. Not `sum +12345678`.
fn unassigned(text: &[u8], start: usize, scan: &Scan) -> Result<Hit, Refusal> {
    let run = scan.run();
    let stands_alone = || {
        let left = start.checked_sub(1).and_then(|at| text.get(at)).copied().unwrap_or(b' ');
        let right = text.get(scan.end(run)).copied().unwrap_or(b' ');
        !left.is_ascii_alphanumeric() && left != b'.' && !(right.is_ascii_alphanumeric() || right == b'_')
    };
    let whole = (FEWEST_INVALID..=MOST).contains(&run) && scan.gap(run) != Gap::Dot && !scan.more;
    if !whole || scan.first(1) == b"0" || !stands_alone() || refuse::begins_with_date(scan) {
        return Err(Refusal::NoPlan);
    }
    if cue::unit_follows(text, scan.end(run)) {
        return Err(Refusal::Unit);
    }
    if cue::before(text, start) == cue::Cue::Against {
        return Err(Refusal::Word);
    }
    let end = extension_end(text, scan.end(run));
    Ok(Hit::new(start, end, None, Form::International, Confidence::Likely))
}

/// `(+49) 30 …`: the parenthesis at `start` closes behind the calling code, at `digits` stands its
/// first digit.
pub(super) fn in_parentheses(text: &[u8], start: usize, digits: usize, context: &Context<'_>) -> Option<Hit> {
    let mut close = digits;
    while let Some((Sign::Digit(_) | Sign::Invisible, len)) = sign_at(text, close) {
        close += len;
        if close > digits + 24 {
            return None;
        }
    }
    if !matches!(sign_at(text, close)?, (Sign::Close, _)) {
        return None;
    }
    let scan = Scan::behind_parenthesis(text, digits);
    if scan.run() > 3 || !may_stand_before(text, start) {
        return None;
    }
    finish(text, start, &scan, context).ok()
}

fn finish(text: &[u8], start: usize, scan: &Scan, context: &Context<'_>) -> Result<Hit, Refusal> {
    let few = scan.digits().len() < FEWEST_INVALID;
    let (len, calling_code, confidence) =
        choose(text, scan, context).ok_or(if few { Refusal::Short } else { Refusal::NoPlan })?;
    let end = scan.end(len);
    let with_extension = extension_end(text, end);
    let hinted = context.field == FieldHint::Phone;
    let unit = with_extension == end && cue::unit_follows(text, end);
    if !hinted && unit {
        return Err(Refusal::Unit);
    }
    if !hinted && is_coordinate(text, scan, len) {
        return Err(Refusal::Coordinate);
    }
    Ok(Hit::new(start, with_extension, calling_code, Form::International, confidence))
}

/// How many digits belong to the number, and its calling code.
fn choose(text: &[u8], scan: &Scan, context: &Context<'_>) -> Option<(usize, Option<u16>, Confidence)> {
    let run = scan.run();
    let read = |n: usize| Some(n).filter(|n| *n <= MOST + 2).and_then(|n| valid(scan, n));
    let cut = |n: usize| scan.more && n == scan.digits().len();
    // Written in one piece and valid: what follows after a space is something else.
    let in_one_piece = Some(run).filter(|n| !matches!(scan.gap(*n), Gap::Dash | Gap::Dot));
    let valid_end = in_one_piece.into_iter().chain(scan.stops()).filter(|n| !cut(*n));
    if let Some((n, code)) = valid_end.into_iter().find_map(|n| read(n).map(|code| (n, code))) {
        return Some((n, Some(code), Confidence::Sure));
    }
    let code = numbering::split_calling_code(scan.digits()).map(|(code, _)| code);
    let fewest = if context.field == FieldHint::Phone { 5 } else { FEWEST_INVALID };
    let enough = |n: &usize| (fewest..=MOST).contains(n);
    let next_is_word = |n: usize| text.get(scan.end(n)).is_some_and(u8::is_ascii_alphanumeric);
    if context.field != FieldHint::Phone && code.is_none() {
        return None;
    }
    let whole_run = Some(run).filter(|n| enough(n) && !next_is_word(*n) && scan.gap(*n) != Gap::Dot);
    let grouped = || {
        let possible = |n: &usize| {
            numbering::international(scan.first(*n))
                .is_some_and(|number| number.verdict() >= Verdict::Possible)
        };
        let led = numbering::split_calling_code(scan.digits()).map_or(0, |(_, len)| len);
        let fits =
            |n: &usize| enough(n) && !next_is_word(*n) && !refuse::is_odd_grouping_behind(scan, led, *n);
        scan.stops().find(|n| fits(n) && possible(n)).or_else(|| scan.stops().find(fits))
    };
    whole_run.or_else(grouped).map(|n| (n, code, Confidence::Likely))
}

/// The calling code if the first `n` digits are a valid number, read with and without a zero in
/// parentheses: `+49 (0)30 …`, but also `+39 (0)6 …`.
fn valid(scan: &Scan, n: usize) -> Option<u16> {
    let digits = scan.first(n);
    let code = |digits: &[u8]| {
        numbering::international(digits)
            .filter(numbering::Number::is_valid)
            .map(|number| number.calling_code())
    };
    code(digits).or_else(|| {
        let (_, len) = numbering::split_calling_code(digits)?;
        let trunk = scan.gap(len) == Gap::Paren && scan.gap(len + 1) == Gap::Paren;
        if !trunk || digits.get(len) != Some(&b'0') {
            return None;
        }
        let mut without = [0; super::scan::CAPACITY];
        let (head, tail) = (digits.get(..len)?, digits.get(len + 1..)?);
        without.get_mut(..len)?.copy_from_slice(head);
        without.get_mut(len..n - 1)?.copy_from_slice(tail);
        code(without.get(..n - 1)?)
    })
}

/// A plus sign after a digit is a sum, after an exponent's `e` a float, in an e-mail a tag.
fn may_stand_before(text: &[u8], start: usize) -> bool {
    let before = |n: usize| start.checked_sub(n).and_then(|at| text.get(at)).copied().unwrap_or(b' ');
    match before(1) {
        b'e' | b'E' => !before(2).is_ascii_digit() && before(2) != b'.',
        b'+' => false,
        _ => true,
    }
}

/// `+40.712776-074.005974`, `+48.8566,+2.3522`: a latitude and what follows it.
fn is_coordinate(text: &[u8], scan: &Scan, n: usize) -> bool {
    let (groups, count) = scan.groups(scan.digits().len());
    let decimals = scan.gap(usize::from(groups.first().copied().unwrap_or_default())) == Gap::Dot;
    let fine = groups.get(1).is_some_and(|group| *group >= 4);
    if !decimals || !fine {
        return false;
    }
    let whole = usize::from(groups.first().copied().unwrap_or_default());
    let behind = whole + usize::from(groups.get(1).copied().unwrap_or_default());
    let second = count >= 4 && scan.gap(behind) == Gap::Dash && {
        scan.gap(behind + usize::from(groups.get(2).copied().unwrap_or_default())) == Gap::Dot
    };
    let rest = text.get(scan.end(n)..).unwrap_or_default();
    let mut rest = rest.iter().skip_while(|byte| matches!(byte, b',' | b' ' | b';' | b'+' | b'-'));
    let separated = matches!(text.get(scan.end(n)), Some(b',' | b';' | b' ' | b'+' | b'-'));
    let digits =
        rest.by_ref().take(4).take_while(|byte| **byte != b'.').filter(|b| b.is_ascii_digit()).count();
    second
        || (separated
            && count == 2
            && (1..=3).contains(&digits)
            && rest.next().is_some_and(u8::is_ascii_digit))
}
