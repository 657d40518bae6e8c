//! Messages without what a file holds: our own logs say where something is wrong and what, and never quote it.

/// Replaces what a message quotes by `…` where it stands in the file, or may. `marked` is the part of the file that
/// the message is about. Our own words, which have letters only, stay, and single signs.
pub(super) fn without(message: &str, marked: &str) -> String {
    let marked = marked.trim_matches(|c: char| c.is_whitespace() || matches!(c, '\'' | '"'));
    let pieces: Vec<&str> = message.split('`').collect();
    if pieces.len().is_multiple_of(2) || marked.contains('`') {
        // A quoted text has a quote in it: where it ends cannot be told.
        let (first, last) = (pieces.first().copied().unwrap_or_default(), pieces.last().copied());
        return format!("{first}`…`{}", last.unwrap_or_default());
    }
    let letters = |c: char| c.is_ascii_alphabetic() || "_.[]{}$… ".contains(c);
    let ours = |text: &str| {
        // A bracket alone tells nothing of anybody.
        text.len() == 1 && !text.starts_with(char::is_alphanumeric)
            || text != marked && text.chars().all(letters)
    };
    let shown = pieces.iter().enumerate().map(|(place, text)| match place % 2 {
        0 => (*text).to_owned(),
        _ if ours(text) => format!("`{text}`"),
        _ => "`…`".to_owned(),
    });
    shown.collect()
}

/// Whether a help repeats what the file holds: the marked part, or as many digits as a person's number has.
pub(super) fn is_quoted(help: &str, marked: &str) -> bool {
    const DIGITS: usize = 5;
    let marked = marked.trim_matches(|c: char| c.is_whitespace() || matches!(c, '\'' | '"'));
    let numbered = help.as_bytes().windows(DIGITS).any(|window| window.iter().all(u8::is_ascii_digit));
    numbered || !marked.is_empty() && help.contains(marked)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_help_that_repeats_it_is_known() {
        for (help, marked, quoted) in [
            ("write `priority = 447700900123`, without quotes", "\"+447700900123\"", true),
            ("take `swordfish` out", "'swordfish'", true),
            ("write `127.0.0.1:9464`, or `off`", "\"9464\"x", false),
            ("did you mean `policy`?", "polcy", false),
            ("did you mean `policy`?", "\"\"", false),
        ] {
            assert_eq!(is_quoted(help, marked), quoted, "{help}");
        }
    }

    #[test]
    fn what_a_file_holds_is_left_out() {
        for (message, marked, without_it) in [
            ("`[` is never closed", "[", "`[` is never closed"),
            ("there is no class `fone`", "\"fone\"", "there is no class `…`"),
            ("a rule has no key `+447700900123`", "\"+44\"", "a rule has no key `…`"),
            ("`tick` is no length of time", "\"soon\"", "`tick` is no length of time"),
            (
                "`when` needs one of `equals`, `matches`",
                "{ a = 1 }",
                "`when` needs one of `equals`, `matches`",
            ),
            ("no rule has the id `a`b 7`", "x", "no rule has the id `…`"),
            ("`+4`7`0`: backwards", "+4`7`0", "`…`: backwards"),
            ("nothing to quote", "nothing", "nothing to quote"),
        ] {
            assert_eq!(without(message, marked), without_it, "{message}");
        }
    }
}
