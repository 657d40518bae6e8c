//! What stands behind a telephone number in a list of values without names: `+4479…,482913`,
//! `['+4479…', '482913']`, `$1 = '+4479…', $2 = '482913'`, Erlang's `<<"4479…">>,<<"482913">>`.

use super::bytes::{byte, is_alnum, is_digit, run_end, slice};
use crate::finding::Span;

/// A value of a code's length behind a number.
pub struct Listed {
    pub span: Span,
    /// It stands in quotes, as the number does.
    pub quoted: bool,
    /// Of a parameter in quotes that a statement was run with: its sign, `$2`.
    pub parameter: Option<Span>,
}

/// The value behind the number that ends at `end`, if it is four to eight digits.
#[must_use]
pub fn behind(text: &[u8], end: usize) -> Option<Listed> {
    let closing = matches!(byte(text, end), b'"' | b'\'');
    let mut at = end + usize::from(closing);
    let binary = closing && slice(text, at..at + 2) == b">>";
    at += 2 * usize::from(binary);
    let typed = without_type(text, at);
    // Of a bound parameter's type; EF Core names its parameters, too.
    let mut sign = (typed > at && byte(text, at) == b'(').then(|| Span::new(at, typed));
    at = typed;
    if !matches!(byte(text, at), b',' | b';' | b'|' | b'\t') {
        return None;
    }
    at = run_end(text, at + 1, 2, |b| b == b' ');
    if binary && slice(text, at..at + 2) == b"<<" {
        at += 2;
    }
    if matches!(byte(text, at), b'$' | b'@') {
        let end = run_end(text, at + 1, 12, is_alnum);
        sign = Some(Span::new(at, end));
        at = run_end(text, end, 3, |b| matches!(b, b' ' | b'='));
    }
    let quote = byte(text, at);
    let quoted = matches!(quote, b'"' | b'\'');
    // A number in quotes has its neighbours in quotes, too.
    if quoted != closing {
        return None;
    }
    at += usize::from(quoted);
    let stop = run_end(text, at, 9, is_digit);
    let ends = match byte(text, stop) {
        next if quoted => next == quote,
        next => {
            matches!(next, b',' | b';' | b'|' | b'\t' | b']' | b')' | b'\n' | 0)
                || without_type(text, stop) > stop
        }
    };
    let fits = (4..=8).contains(&(stop - at)) && ends;
    let bound = quoted || byte(text, stop) == b'(';
    fits.then(|| Listed { span: Span::new(at, stop), quoted, parameter: sign.filter(|_| bound) })
}

/// `args = ('712123456', '482913')`: calls `out` with a number that opens a list in quotes, and the value of a code's length
/// behind it.
pub fn pairs(text: &[u8], out: &mut dyn FnMut(Span, Span)) {
    for open in memchr::memchr2_iter(b'(', b'[', text) {
        let start = open + 2;
        if !matches!(byte(text, open + 1), b'"' | b'\'') || !is_digit(byte(text, start)) {
            continue;
        }
        let end = run_end(text, start, 13, is_digit);
        if (7..=12).contains(&(end - start))
            && let Some(listed) =
                behind(text, end).filter(|listed| listed.quoted && byte(text, listed.span.end() + 1) != b':')
        {
            out(Span::new(start, end), listed.span);
        }
    }
}

/// `4479…(String)`, `'+4479…' (Size = 20)`: where the type behind a value ends, as MyBatis and EF Core write it.
fn without_type(text: &[u8], at: usize) -> usize {
    let open = at + usize::from(byte(text, at) == b' ');
    let end = run_end(text, open + 1, 20, |b| is_alnum(b) || matches!(b, b' ' | b'='));
    let typed =
        byte(text, open) == b'(' && byte(text, end) == b')' && byte(text, open + 1).is_ascii_uppercase();
    if typed { end + 1 } else { at }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listed(text: &str) -> Option<(&str, bool)> {
        let end = text.rfind('2').map(|at| at + 1)?;
        let listed = behind(text.as_bytes(), end)?;
        Some((text.get(listed.span.start()..listed.span.end())?, listed.parameter.is_some()))
    }

    #[test]
    fn values_behind_a_number() {
        for (text, want) in [
            ("otp_sent,+14155550132,4839,10", Some(("4839", false))),
            ("['+14155550132', '483901'], {}", Some(("483901", false))),
            ("$1 = '+14155550132', $9 = '4839'", Some(("4839", true))),
            ("+14155550132|4839", Some(("4839", false))),
            ("14155550132(String), 483901(String)", Some(("483901", true))),
            ("@p0='+14155550132' (Size = 18), @p1='483901' (Size = 8)", Some(("483901", true))),
            ("{<<\"14155550132\">>, <<\"483901\">>}", Some(("483901", false))),
            ("+14155550132 4839", None),
            ("+14155550132, 483 ms", None),
            ("'+14155550132', 4839", None),
            ("+14155550132,4839.5", None),
            ("+14155550132,483901483,", None),
        ] {
            assert_eq!(listed(text), want, "{text}");
        }
    }
}
