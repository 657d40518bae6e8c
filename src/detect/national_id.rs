//! Numbers that a state gives to a person, told by their own shape and check digits where no word names them.

use super::bytes::{before, byte, is_alnum, is_digit, is_upper, run_end};
use crate::finding::Span;

/// The number of the token that begins at `start` and whose first digit stands at `at`.
#[must_use]
pub fn at(text: &[u8], start: usize, at: usize) -> Option<Span> {
    let end = match at - start {
        0 => digits_first(text, at)?,
        1 => foreigner_of_spain(text, start)?,
        4 => curp(text, start)?,
        6 => codice_fiscale(text, start)?,
        _ => return None,
    };
    let apart = |byte: u8| !is_alnum(byte) && !matches!(byte, b'-' | b'_' | b'/');
    let closes = apart(byte(text, end)) && !(byte(text, end) == b'.' && is_alnum(byte(text, end + 1)));
    (closes && apart(before(text, start)) && before(text, start) != b'.').then(|| Span::new(start, end))
}

fn digits_first(text: &[u8], at: usize) -> Option<usize> {
    let first = run_end(text, at, 18, is_digit) - at;
    let forms: &[Form] = match (first, byte(text, at + first)) {
        (3, b'.') => &[(b"999.999.999-99", cpf)],
        (1, b'.') => &[(b"9.999.999-C", rut)],
        (2, b'.') => &[(b"99.999.999-C", rut)],
        (2, b'-') => &[(b"99-99999999-9", cuil)],
        (3, b'-') => &[(b"784-9999-9999999-9", |_| true), (b"999-99-9999", ssn)],
        (6, b'-') => &[(b"999999-999C", hetu), (b"999999-9999999", rrn)],
        (8, letter) if is_upper(letter) => &[(b"99999999C", dni)],
        (17, b'X') | (18, _) => &[(b"99999999999999999C", resident_of_china)],
        _ => return None,
    };
    let fits = |form: &[u8], number: &[u8]| {
        form.iter().zip(number).all(|(want, have)| match want {
            b'9' => is_digit(*have),
            b'C' => is_upper(*have) || is_digit(*have) || *have == b'k',
            other => other == have,
        })
    };
    let form = forms.iter().find(|(form, valid)| {
        text.get(at..at + form.len()).is_some_and(|number| fits(form, number) && valid(number))
    });
    form.map(|(form, _)| at + form.len())
}

/// How a number is written (`9` a digit, `C` its check), and what its digits must be.
type Form = (&'static [u8], fn(&[u8]) -> bool);

/// The digits of a number, its signs left out.
fn digits(number: &[u8]) -> impl DoubleEndedIterator<Item = u32> + Clone {
    number.iter().filter(|b| is_digit(**b)).map(|b| u32::from(*b - b'0'))
}

/// The sum of digits, each times its weight.
fn weighed(number: &[u8], weights: &[u32]) -> u32 {
    digits(number).zip(weights).map(|(digit, weight)| digit * weight).sum()
}

/// Brazil's number of a tax payer (Receita Federal: CPF, two check digits modulo 11).
fn cpf(number: &[u8]) -> bool {
    let check = |weights: &[u32]| (weighed(number, weights) * 10 % 11 % 10) as u8;
    let [.., first, second] = number else { return false };
    let one_digit = digits(number).all(|digit| Some(digit) == digits(number).next());
    !one_digit
        && check(&[10, 9, 8, 7, 6, 5, 4, 3, 2]) == first - b'0'
        && check(&[11, 10, 9, 8, 7, 6, 5, 4, 3, 2]) == second - b'0'
}

/// Chile's number of a person or a company (Registro Civil: RUN, modulo 11 with `K` for ten).
fn rut(number: &[u8]) -> bool {
    let Some((check, number)) = number.split_last() else { return false };
    let weights = [2, 3, 4, 5, 6, 7].into_iter().cycle();
    let sum: u32 = digits(number).rev().zip(weights).map(|(digit, weight)| digit * weight).sum();
    let want = match 11 - sum % 11 {
        11 => b'0',
        10 => b'K',
        digit => b'0' + digit as u8,
    };
    check.to_ascii_uppercase() == want
}

/// Argentina's number of a worker (AFIP: CUIL): 20, 23, 24 and 27 are persons'.
fn cuil(number: &[u8]) -> bool {
    let sum = weighed(number, &[5, 4, 3, 2, 7, 6, 5, 4, 3, 2, 1]);
    matches!(number, [b'2', b'0' | b'3' | b'4' | b'7', ..]) && sum.is_multiple_of(11)
}

/// Whether two digits each are a month and a day.
fn is_day(month: &[u8], day: &[u8]) -> bool {
    let of = |pair: &[u8]| digits(pair).fold(0, |number, digit| number * 10 + digit);
    (1..=12).contains(&of(month)) && (1..=31).contains(&of(day))
}

/// Finland's personal identity code (DVV: day of birth, number, one of 31 check characters).
fn hetu(number: &[u8]) -> bool {
    const CHECKS: &[u8; 31] = b"0123456789ABCDEFHJKLMNPRSTUVWXY";
    let (Some(day), Some(month), Some((check, head))) =
        (number.get(..2), number.get(2..4), number.split_last())
    else {
        return false;
    };
    let rest = digits(head).fold(0, |rest, digit| (rest * 10 + digit) % 31);
    is_day(month, day) && CHECKS.get(rest as usize) == Some(check)
}

/// Korea's number of a resident (day of birth, then a digit from 1 to 8; check digit modulo 11).
fn rrn(number: &[u8]) -> bool {
    let (Some(month), Some(day), Some(sex)) = (number.get(2..4), number.get(4..6), number.get(7)) else {
        return false;
    };
    let sum = weighed(number, &[2, 3, 4, 5, 6, 7, 8, 9, 2, 3, 4, 5]);
    let check = (11 - sum % 11) % 10;
    is_day(month, day) && matches!(sex, b'1'..=b'8') && digits(number).next_back() == Some(check)
}

/// The United States' social security number (20 CFR 422.103; areas 000, 666 and from 900 on are never given).
fn ssn(number: &[u8]) -> bool {
    let area = number.get(..3).unwrap_or_default();
    let given = !matches!(area, b"000" | b"666" | [b'9', ..]);
    given && number.get(4..6) != Some(b"00") && !number.ends_with(b"0000")
}

/// The letter of a number of Spain's identity card (Real Decreto 1553/2005; modulo 23).
fn dni(number: &[u8]) -> bool {
    const LETTERS: &[u8; 23] = b"TRWAGMYFPDXBNJZSQVHLCKE";
    let Some((letter, head)) = number.split_last() else { return false };
    let rest = digits(head).fold(0, |rest, digit| (rest * 10 + digit) % 23);
    is_upper(*letter) && LETTERS.get(rest as usize) == Some(letter)
}

/// Spain's number of a foreigner: `X`, `Y` or `Z` for 0, 1 or 2 before seven digits.
fn foreigner_of_spain(text: &[u8], start: usize) -> Option<usize> {
    let number = text.get(start..start + 9)?;
    let mut card = <[u8; 9]>::try_from(number).ok()?;
    let [first, ..] = &mut card;
    *first = b'0' + first.checked_sub(b'X').filter(|digit| *digit <= 2)?;
    (card.iter().take(8).all(|b| is_digit(*b)) && dni(&card)).then_some(start + 9)
}

/// Mexico's CURP (RENAPO): four letters, day of birth, sex, state, three consonants, and two more.
fn curp(text: &[u8], start: usize) -> Option<usize> {
    let number = text.get(start..start + 18)?;
    let (letters, rest) = number.split_at(4);
    let (born, rest) = rest.split_at(6);
    let (marks, last) = rest.split_at(7);
    let fits = letters.iter().all(|b| is_upper(*b))
        && born.iter().all(|b| is_digit(*b))
        && is_day(born.get(2..4)?, born.get(4..6)?)
        && matches!(marks.first(), Some(b'H' | b'M' | b'X'))
        && marks.iter().take(6).all(|b| is_upper(*b))
        && is_digit(*last.first()?);
    fits.then_some(start + 18)
}

/// Italy's fiscal code of a person (D.M. 23 December 1976, no. 13813), with its last letter's check.
fn codice_fiscale(text: &[u8], start: usize) -> Option<usize> {
    const FORM: &[u8; 16] = b"AAAAAA99A99A999A";
    /// What a digit or a letter counts at an odd place.
    const ODD: [u32; 26] =
        [1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 2, 4, 18, 20, 11, 3, 6, 8, 12, 14, 16, 10, 22, 25, 24, 23];
    let code = text.get(start..start + 16)?;
    let fits = FORM.iter().zip(code).all(|(want, have)| match want {
        b'9' => is_digit(*have),
        _ => is_upper(*have),
    });
    let (check, head) = code.split_last().filter(|_| fits)?;
    let worth = |byte: u8| if is_digit(byte) { byte - b'0' } else { byte - b'A' };
    let sum: u32 = head
        .iter()
        .enumerate()
        .map(|(place, byte)| match place % 2 {
            0 => ODD.get(usize::from(worth(*byte))).copied().unwrap_or(0),
            _ => u32::from(worth(*byte)),
        })
        .sum();
    (u32::from(check - b'A') == sum % 26).then_some(start + 16)
}

/// China's number of a citizen (GB 11643-1999): region, day of birth, sequence, and a check (ISO 7064, MOD 11-2).
fn resident_of_china(number: &[u8]) -> bool {
    let (Some((check, head)), Some(year), Some(month), Some(day)) =
        (number.split_last(), number.get(6..8), number.get(10..12), number.get(12..14))
    else {
        return false;
    };
    const WEIGHTS: [u32; 17] = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2];
    const CHECKS: &[u8; 11] = b"10X98765432";
    matches!(year, b"19" | b"20")
        && is_day(month, day)
        && CHECKS.get((weighed(head, &WEIGHTS) % 11) as usize) == Some(check)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, want: Option<&str>) {
        let bytes = text.as_bytes();
        let first = bytes.iter().position(|b| is_digit(*b)).unwrap_or(0);
        let start = bytes.iter().take(first).rposition(|b| !is_alnum(*b)).map_or(0, |place| place + 1);
        let got = at(bytes, start, first).map(|span| String::from_utf8_lossy(span.of(bytes)).into_owned());
        assert_eq!(got.as_deref(), want, "{text}");
    }

    #[test]
    fn numbers_with_their_checks() {
        // The examples of the authorities' own documents, or numbers whose check digits were worked out by hand.
        check("doc 111.444.777-35.", Some("111.444.777-35"));
        check("doc 111.444.777-36.", None);
        check("doc 111.111.111-11", None);
        check("run 12.345.678-5 x", Some("12.345.678-5"));
        check("run 12.345.678-6 x", None);
        check("(20-12345678-6)", Some("20-12345678-6"));
        check("id 784-1980-1234567-1", Some("784-1980-1234567-1"));
        check("131052-308T", Some("131052-308T"));
        check("131052-308U", None);
        check("='12345678Z'", Some("12345678Z"));
        check("='12345678A'", None);
        check("X1234567L", Some("X1234567L"));
        check("n 078-05-1120 x", Some("078-05-1120"));
        check("n 000-05-1120 x", None);
        check("c HEGG560427MVZRRL04", Some("HEGG560427MVZRRL04"));
        check("c RSSMRA85T10A562S", Some("RSSMRA85T10A562S"));
        check("c RSSMRA85T10A562T", None);
        check("11010519491231002X", Some("11010519491231002X"));
        check("110105194912310021", None);
    }

    #[test]
    fn parts_of_others() {
        check("v 111.444.777-35-rc1", None);
        check("a/12345678Z", None);
        check("12345678Zx", None);
        check("1.078-05-1120", None);
    }
}
