//! Patterns of rules: read, judged, compiled. A pattern that is wrong says where in itself.

use regex_syntax::ast::{self, AssertionKind, Ast, ErrorKind};
use regex_syntax::hir;
use std::ops::Range;

/// Bytes of a pattern's text; longer ones are lists that belong into keywords or several rules.
pub const PATTERN_BYTES: usize = 4096;

/// Bytes that one compiled pattern may take.
pub const COMPILED_BYTES: usize = 1 << 20;

/// What is wrong with a pattern.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PatternError {
    /// Bytes of the pattern's text.
    pub at: Range<usize>,
    pub message: String,
    /// Beside the caret; may be empty.
    pub label: &'static str,
    pub help: String,
}

/// Compiles a pattern for bytes (regex crate: linear time).
///
/// # Errors
/// Not a pattern; anchors that hold for one branch only; matches nothing at all, or the empty text;
/// too large.
pub fn compile(pattern: &str) -> Result<regex::bytes::Regex, PatternError> {
    let whole = 0..pattern.len();
    if pattern.len() > PATTERN_BYTES {
        return Err(PatternError {
            at: whole,
            message: format!("the pattern has {} bytes, {PATTERN_BYTES} are allowed", pattern.len()),
            label: "",
            help: "split it into several rules; words that must stand nearby go into `keywords`".into(),
        });
    }
    let tree = ast::parse::Parser::new().parse(pattern).map_err(|error| syntax_error(pattern, &error))?;
    if let Some(error) = loose_anchor(pattern, &tree) {
        return Err(error);
    }
    let meaning =
        hir::translate::TranslatorBuilder::new().utf8(false).build().translate(pattern, &tree).map_err(
            |error| PatternError {
                at: range(error.span()),
                message: format!("the pattern cannot be read: {}", error.kind()),
                label: "",
                help: "the syntax is that of Rust's regex crate".into(),
            },
        )?;
    match meaning.properties().minimum_len() {
        None => {
            return Err(PatternError {
                at: whole,
                message: "the pattern can never match".into(),
                label: "",
                help: "look for a class that excludes everything, as in `[^\\s\\S]`".into(),
            });
        }
        Some(0) => {
            return Err(PatternError {
                at: whole,
                message: "the pattern matches the empty text, so it would match everywhere".into(),
                label: "",
                help: "ask for at least one character: `+` instead of `*`, `{1,4}` instead of `{0,4}`".into(),
            });
        }
        Some(_) => {}
    }
    regex::bytes::RegexBuilder::new(pattern).size_limit(COMPILED_BYTES).build().map_err(|_| PatternError {
        at: whole,
        message: format!("the compiled pattern is larger than {} KiB", COMPILED_BYTES / 1024),
        label: "",
        help: "make counted repetitions smaller; `(?-u)` makes `\\w` and `\\d` ASCII and far smaller".into(),
    })
}

/// Bytes of the shortest text that a compiled pattern matches.
#[must_use]
pub fn shortest(pattern: &regex::bytes::Regex) -> usize {
    let meaning = regex_syntax::ParserBuilder::new().utf8(false).build().parse(pattern.as_str());
    meaning.ok().and_then(|meaning| meaning.properties().minimum_len()).unwrap_or(0)
}

fn range(span: &ast::Span) -> Range<usize> {
    span.start.offset..span.end.offset
}

fn syntax_error(pattern: &str, error: &ast::Error) -> PatternError {
    let at = range(error.span());
    let text = pattern.get(at.clone()).unwrap_or_default();
    let (message, label, help): (String, &'static str, &str) = match error.kind() {
        ErrorKind::ClassUnclosed => {
            ("`[` is never closed".into(), "opened here", "write `\\[` if you mean the character itself")
        }
        ErrorKind::GroupUnclosed => {
            ("`(` is never closed".into(), "opened here", "write `\\(` if you mean the character itself")
        }
        ErrorKind::GroupUnopened => {
            ("`)` closes nothing".into(), "", "write `\\)` if you mean the character itself")
        }
        ErrorKind::RepetitionMissing => (
            "nothing stands before the repetition".into(),
            "",
            "write `\\+`, `\\*`, `\\?` if you mean the character itself",
        ),
        ErrorKind::RepetitionCountInvalid => {
            (format!("`{text}`: the smaller number comes first"), "", "write `{7,14}`")
        }
        ErrorKind::RepetitionCountUnclosed => {
            ("`{` is never closed".into(), "opened here", "write `\\{` if you mean the character itself")
        }
        ErrorKind::EscapeUnrecognized => (
            format!("there is no escape `{text}`"),
            "",
            "letters mean themselves without a backslash; a backslash itself is `\\\\`",
        ),
        ErrorKind::ClassRangeInvalid => {
            (format!("`{text}`: the range runs backwards"), "", "write the smaller character first")
        }
        ErrorKind::UnsupportedLookAround => (
            "look-around is not possible, since a pattern must run in linear time".into(),
            "",
            "use `keywords` and `within` for what must stand nearby, `not_fields` for where not to look",
        ),
        ErrorKind::UnsupportedBackreference => (
            "back-references are not possible, since a pattern must run in linear time".into(),
            "",
            "write out what may repeat",
        ),
        other => {
            (format!("the pattern cannot be read: {other}"), "", "the syntax is that of Rust's regex crate")
        }
    };
    PatternError { at, message, label, help: help.into() }
}

/// `^a|b$`: the anchors hold for one branch each, which is rarely meant.
fn loose_anchor(pattern: &str, tree: &Ast) -> Option<PatternError> {
    let Ast::Alternation(branches) = tree else { return None };
    let first = branches.asts.first()?;
    let last = branches.asts.last()?;
    let starts = branches.asts.iter().filter(|branch| starts_anchored(branch)).count();
    let ends = branches.asts.iter().filter(|branch| ends_anchored(branch)).count();
    let all = branches.asts.len();
    let loose_start = starts > 0 && starts < all && starts_anchored(first);
    let loose_end = ends > 0 && ends < all && ends_anchored(last);
    if !loose_start && !loose_end {
        return None;
    }
    let body = pattern.strip_prefix('^').unwrap_or(pattern);
    let body = body.strip_suffix('$').unwrap_or(body);
    let grouped = match (loose_start, loose_end) {
        (true, true) => format!("^(?:{body})$"),
        (true, false) => format!("^(?:{})", pattern.strip_prefix('^').unwrap_or(pattern)),
        _ => format!("(?:{})$", pattern.strip_suffix('$').unwrap_or(pattern)),
    };
    Some(PatternError {
        at: range(&branches.span),
        message: "`^` and `$` hold for one side of a `|` only".into(),
        label: "",
        help: format!("write `{grouped}`; if one side is meant, put it in a group of its own: `(?:^a)|b`"),
    })
}

fn starts_anchored(branch: &Ast) -> bool {
    match branch {
        Ast::Assertion(one) => matches!(one.kind, AssertionKind::StartLine | AssertionKind::StartText),
        Ast::Concat(parts) => parts.asts.first().is_some_and(starts_anchored),
        _ => false,
    }
}

fn ends_anchored(branch: &Ast) -> bool {
    match branch {
        Ast::Assertion(one) => matches!(one.kind, AssertionKind::EndLine | AssertionKind::EndText),
        Ast::Concat(parts) => parts.asts.last().is_some_and(ends_anchored),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn good_patterns_compile() {
        for pattern in [
            r"\bORD-[0-9]{6}\b",
            r"^(?:a|b)$",
            r"^a$|^b$",
            r"(?:^|,)x",
            r"(?:^a)|b",
            r"(?-u)\xff+",
            r"a|b",
            r"(?i)key: \S+",
        ] {
            assert!(compile(pattern).is_ok(), "{pattern}");
        }
    }

    #[test]
    fn bad_patterns_say_where() {
        for (pattern, at) in [
            (r"\+[1-9(\d{7,14}", 2..3),
            (r"ab(c", 2..3),
            (r"a(?=b)", 1..4),
            (r"(a)\1", 3..5),
            (r"*a", 0..0),
            (r"a\y", 1..3),
            (r"x{9,2}", 1..6),
            (r"^true|false|null$", 0..17),
            (r"^a|b", 0..4),
            (r"a|b$", 0..4),
            (r"a*", 0..2),
            (r"\b", 0..2),
            (r"^$", 0..2),
            (r"[^\s\S]", 0..7),
            (r"\p{Nonsense}", 0..12),
            (r"(?:\w{100}){100}", 0..16),
        ] {
            assert_eq!(compile(pattern).map(|_| ()).map_err(|e| e.at), Err(at), "{pattern}");
        }
        assert!(compile(&"a".repeat(PATTERN_BYTES + 1)).is_err());
    }

    proptest! {
        #[test]
        fn any_text_is_judged_without_a_panic(text in "[a-c^$|()\\[\\]*+?{},0-9\\\\é]{0,16}") {
            if let Err(error) = compile(&text) {
                prop_assert!(error.at.end <= text.len());
            }
        }
    }
}
