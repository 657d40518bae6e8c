//! JSON whose quotes are escaped and that stands in no string: `payload={\"to\":\"+14155550132\"}`, as programs
//! write it that print a string of JSON without the quotes around it.

/// How much white space is looked over for the first quote.
const LEAD: usize = 64;

/// Behind the object or array at `at`, or at the text's end where it is cut off; `None` where no escaped
/// quote follows the bracket. Every byte is passed once.
pub(super) fn end(text: &[u8], at: usize) -> Option<usize> {
    let level = level(text, at)?;
    let mut depth = 0usize;
    let mut in_string = false;
    let mut pos = at;
    while let Some(byte) = text.get(pos) {
        match byte {
            b'\\' => {
                let run = text.get(pos..)?.iter().take_while(|b| **b == b'\\').count();
                in_string ^= run == level && text.get(pos + run) == Some(&b'"');
                pos += run;
            }
            // The string around it ends.
            b'"' => return Some(pos),
            b'{' | b'[' if !in_string => depth += 1,
            b'}' | b']' if !in_string => {
                depth -= 1;
                if depth == 0 {
                    return Some(pos + 1);
                }
            }
            _ => {}
        }
        pos += 1;
    }
    Some(text.len())
}

/// How many backslashes the first quote behind the bracket has: `{\"`, `[{\\\"`, `{\n \"`.
fn level(text: &[u8], at: usize) -> Option<usize> {
    let mut pos = at + 1;
    let most = text.len().min(at + 1 + LEAD);
    while pos < most {
        match text.get(pos)? {
            b' ' | b'\n' | b'\r' | b'\t' | b'{' | b'[' => pos += 1,
            b'\\' => {
                let run = text.get(pos..most)?.iter().take_while(|b| **b == b'\\').count();
                match text.get(pos + run)? {
                    b'"' => return (run % 2 == 1).then_some(run),
                    b'n' | b'r' | b't' => pos += run + 1,
                    _ => return None,
                }
            }
            _ => return None,
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, want: Option<&str>) {
        let Some(at) = text.find(['{', '[']) else { panic!("{text}") };
        let got = end(text.as_bytes(), at).and_then(|end| text.get(at..end));
        assert_eq!(got, want, "{text}");
    }

    #[test]
    fn escaped_json() {
        check(r#"p={\"to\":\"x\",\"n\":1} y"#, Some(r#"{\"to\":\"x\",\"n\":1}"#));
        check(r#"p={\"t\":\"a } \\\" b\"} y"#, Some(r#"{\"t\":\"a } \\\" b\"}"#));
        check(r#"p=[{\\\"t\\\":\\\"a\\\"}] y"#, Some(r#"[{\\\"t\\\":\\\"a\\\"}]"#));
        check(r#"p={\n  \"t\":[1,2]} y"#, Some(r#"{\n  \"t\":[1,2]}"#));
        check(r#""{\"t\":\"a" y"#, Some(r#"{\"t\":\"a"#));
        check(r#"{\"t\":\"a"#, Some(r#"{\"t\":\"a"#));
    }

    #[test]
    fn other_brackets() {
        check(r#"{"t":1}"#, None);
        check(r"{\d+}", None);
        check("{ }", None);
        check(r#"{\\"t"}"#, None);
    }
}
