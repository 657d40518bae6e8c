//! How test results are shown: for people, as JSON, as JUnit's XML.

use super::mutate::{self, Outcome};
use super::run::{Coverage, Verdict};
use serde_json::json;
use std::fmt::Write as _;

/// Everything that was run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Results {
    pub verdicts: Vec<Verdict>,
    pub coverage: Vec<Coverage>,
    /// How the hits fared in other ways of writing, where that was asked.
    pub mutants: Option<Vec<Outcome>>,
}

impl Results {
    #[must_use]
    pub fn failed(&self) -> usize {
        self.verdicts.iter().filter(|verdict| verdict.failure.is_some()).count()
    }

    /// A line for each rule, then what failed, then the sum.
    #[must_use]
    pub fn as_text(&self) -> String {
        let mut text = String::new();
        for rule in &self.coverage {
            let mark = if rule.failed > 0 { "FAIL" } else { "ok  " };
            let _ = write!(text, "{mark} {:<28} {} hits, {} misses", rule.rule, rule.hits, rule.misses);
            let _ = match (rule.hits, rule.misses, rule.own_hits) {
                (0, _, _) | (_, 0, _) => writeln!(text, " (not covered: add hits and misses)"),
                (_, _, 0) => writeln!(text, " (other rules find all of its hits)"),
                _ => writeln!(text),
            };
        }
        for verdict in &self.verdicts {
            let Some(failure) = &verdict.failure else { continue };
            let _ = writeln!(text, "\nFAIL {}:{}: {}", verdict.file, verdict.line, verdict.name);
            for line in failure.lines() {
                let _ = writeln!(text, "  {line}");
            }
        }
        let covered = self.coverage.iter().filter(|rule| rule.hits > 0 && rule.misses > 0).count();
        let _ = write!(
            text,
            "\n{} checks, {} failed; {covered} of {} rules covered",
            self.verdicts.len(),
            self.failed(),
            self.coverage.len()
        );
        if let Some(mutants) = &self.mutants {
            text.push_str(&mutate::as_text(mutants));
        }
        text
    }

    #[must_use]
    pub fn as_json(&self) -> serde_json::Value {
        json!({
            "ok": self.failed() == 0,
            "checks": self.verdicts.len(),
            "mutants": self.mutants.as_deref().map(mutate::as_json),
            "failed": self.failed(),
            "rules": self.coverage.iter().map(|rule| json!({
                "id": rule.rule,
                "hits": rule.hits,
                "misses": rule.misses,
                "failed": rule.failed,
                "own_hits": rule.own_hits,
            })).collect::<Vec<_>>(),
            "failures": self.verdicts.iter().filter_map(|verdict| {
                let failure = verdict.failure.as_ref()?;
                Some(json!({
                    "file": verdict.file,
                    "line": verdict.line,
                    "name": verdict.name,
                    "message": failure,
                }))
            }).collect::<Vec<_>>(),
        })
    }

    /// One suite a file, in the order in which the files were run.
    #[must_use]
    pub fn as_junit(&self) -> String {
        let mut files: Vec<&str> = Vec::new();
        for verdict in &self.verdicts {
            if !files.contains(&verdict.file.as_str()) {
                files.push(&verdict.file);
            }
        }
        let mut xml = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
        let _ = writeln!(
            xml,
            "<testsuites name=\"logscrub\" tests=\"{}\" failures=\"{}\">",
            self.verdicts.len(),
            self.failed()
        );
        for file in files {
            let of_file: Vec<&Verdict> =
                self.verdicts.iter().filter(|verdict| verdict.file == file).collect();
            let failed = of_file.iter().filter(|verdict| verdict.failure.is_some()).count();
            let name = escaped(file);
            let _ = writeln!(
                xml,
                "  <testsuite name=\"{name}\" tests=\"{}\" failures=\"{failed}\">",
                of_file.len()
            );
            for verdict in of_file {
                let case = escaped(&format!("{} (line {})", verdict.name, verdict.line));
                let _ = write!(xml, "    <testcase classname=\"{name}\" name=\"{case}\"");
                let _ = match &verdict.failure {
                    None => writeln!(xml, "/>"),
                    Some(failure) => {
                        writeln!(xml, "><failure message=\"{}\"/></testcase>", escaped(failure))
                    }
                };
            }
            xml.push_str("  </testsuite>\n");
        }
        xml.push_str("</testsuites>\n");
        xml
    }
}

/// Fit for an XML attribute; characters that XML cannot hold become `?`.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\n' => escaped.push_str("&#10;"),
            '\t' => escaped.push_str("&#9;"),
            '\u{fffe}' | '\u{ffff}' => escaped.push('?'),
            c if c.is_control() => escaped.push('?'),
            c => escaped.push(c),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    fn results() -> Results {
        let verdict = |line, failure: Option<&str>| Verdict {
            file: "a.toml".into(),
            line,
            name: "phone.mine".into(),
            failure: failure.map(str::to_owned),
        };
        Results {
            verdicts: vec![verdict(1, None), verdict(5, Some("expected: <a> & \"b\"\nfound: \u{1}"))],
            coverage: vec![Coverage {
                rule: "phone.mine".into(),
                hits: 2,
                misses: 0,
                failed: 1,
                own_hits: 1,
            }],
            mutants: None,
        }
    }

    #[test]
    fn people_see_rules_failures_and_the_sum() {
        let text = results().as_text();
        assert!(text.contains("FAIL phone.mine                   2 hits, 0 misses (not covered"), "{text}");
        assert!(text.contains("FAIL a.toml:5: phone.mine\n  expected: <a> & \"b\"\n"), "{text}");
        assert!(text.ends_with("2 checks, 1 failed; 0 of 1 rules covered"), "{text}");
    }

    #[test]
    fn junit_is_well_formed_whatever_the_texts() {
        let xml = results().as_junit();
        assert!(xml.contains("tests=\"2\" failures=\"1\""), "{xml}");
        assert!(xml.contains("message=\"expected: &lt;a&gt; &amp; &quot;b&quot;&#10;found: ?\""), "{xml}");
        assert_eq!(xml.matches("<testcase").count(), 2);
    }
}
