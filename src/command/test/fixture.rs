//! Fixtures: cases that people write without knowing the program. What goes in, and what every stage
//! makes of it.
//!
//! ```toml
//! policy = "default"            # a shipped policy's id, or a file beside this one
//!
//! [[case]]
//! name = "a delivery report loses its number"
//! in   = '''{"msisdn":"+14155550132","status":"delivered"}'''
//! [case.out]
//! scrub = '''{"msisdn":"[PHONE:+1]","status":"delivered"}'''
//! ```

use crate::diagnostic::{Diagnostic, Diagnostics, Report, Severity, Source, TableReader, parse};
use toml::Spanned;

/// A case of a fixture file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Case {
    pub file: String,
    /// From 1.
    pub line: usize,
    pub name: String,
    /// An id or a path, as the fixture writes it.
    pub policy: String,
    /// Where it names it; `None`: it does not.
    pub policy_place: Option<Diagnostic>,
    pub input: String,
    /// Stage id and what it emits, in the order of the stages' names.
    pub out: Vec<(String, String)>,
}

/// What a file is, told by what stands in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FileKind {
    Rules,
    Policy,
    Fixture,
}

/// A policy has stages, a fixture has cases, everything else is taken for rules, whose compiler says
/// what is wrong with it.
#[must_use]
pub fn kind_of(source: &Source) -> FileKind {
    let report = Report::new(source);
    let Some(document) = parse(&report) else { return FileKind::Rules };
    if document.get_ref().contains_key("case") {
        FileKind::Fixture
    } else if document.get_ref().contains_key("stage") {
        FileKind::Policy
    } else {
        FileKind::Rules
    }
}

/// Every case of a fixture file.
///
/// # Errors
/// Everything that is wrong with the file, at once.
pub fn read(source: &Source) -> Result<Vec<Case>, Diagnostics> {
    let report = Report::new(source);
    let mut cases = Vec::new();
    if let Some(document) = parse(&report) {
        let top = TableReader::new(&report, document.get_ref(), 0..0, "a fixture");
        let policy = top.string("policy");
        for table in top.tables("case", "a case") {
            cases.extend(case(table, policy.as_ref(), source));
        }
        top.finish();
    }
    Diagnostics(report.into_diagnostics()).into_result()?;
    Ok(cases)
}

fn case(table: TableReader<'_, '_, '_>, policy: Option<&Spanned<String>>, source: &Source) -> Option<Case> {
    let name = table.required_string("name", "`name = \"…\"`: what the case shows");
    let input = table.required_string("in", "`in = '''…'''`: the line that goes in");
    let own_policy = table.string("policy");
    let policy = own_policy.as_ref().or(policy);
    let place =
        |policy: &Spanned<String>| Diagnostic::at(Severity::Error, source, policy.span(), String::new());
    let mut out = Vec::new();
    match table.table("out", "`out`") {
        Some(stages) => {
            for (stage, line) in stages.entries() {
                match line.get_ref().as_str() {
                    Some(line) => out.push((stage.into_inner(), one_line(line))),
                    None => table.report().error(
                        line.span(),
                        format!("what stage `{}` emits must be a string", stage.get_ref()),
                        "write `scrub = '''…'''`",
                    ),
                }
            }
        }
        None if !table.has("out") => table.report().error(
            table.span(),
            "a case needs `out`: what each stage makes of the line",
            "add `[case.out]` with `scrub = '''…'''`",
        ),
        None => {}
    }
    let line = source.text.get(..table.span().start).unwrap_or_default().matches('\n').count() + 1;
    table.finish();
    out.sort();
    Some(Case {
        file: source.name.clone(),
        line,
        name: name?.into_inner(),
        policy: policy.map_or_else(|| "default".to_owned(), |policy| policy.get_ref().clone()),
        policy_place: policy.map(place),
        input: one_line(input?.get_ref()),
        out,
    })
}

/// The end of the last line belongs to the file, not to the record.
fn one_line(text: &str) -> String {
    text.strip_suffix('\n').unwrap_or(text).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source(text: &str) -> Source {
        Source { name: "f.toml".into(), text: text.into() }
    }

    #[test]
    fn reads_cases_with_the_files_policy_and_their_own() {
        let text = "policy = 'mossmoon'\n[[case]]\nname = 'a'\nin = '''x\n'''\nout = { scrub = 'x', b = '''y\n''' }\n\
                    [[case]]\nname = 'c'\npolicy = 'default'\nin = 'z'\nout.scrub = ''\n";
        let cases = read(&source(text)).unwrap_or_else(|errors| panic!("{errors}"));
        assert_eq!(cases.len(), 2);
        assert_eq!(cases[0].policy, "mossmoon");
        assert_eq!(cases[0].input, "x");
        assert_eq!(cases[0].out, [("b".into(), "y".into()), ("scrub".into(), "x".into())]);
        assert_eq!((cases[1].policy.as_str(), cases[1].line), ("default", 8));
    }

    #[test]
    fn says_what_is_missing_or_unknown() {
        let errors =
            read(&source("[[case]]\nin = 'x'\nout = { scrub = 5 }\nresult = 'x'\n[[case]]\nname = 'b'\n"))
                .unwrap_err()
                .to_string();
        for part in [
            "a case needs `name`",
            "must be a string",
            "no key `result`",
            "a case needs `in`",
            "a case needs `out`",
        ] {
            assert!(errors.contains(part), "{part} is not in\n{errors}");
        }
    }

    #[test]
    fn files_are_told_apart() {
        for (text, kind) in [
            ("[[case]]\n", FileKind::Fixture),
            ("id = 'p'\n[[stage]]\n", FileKind::Policy),
            ("[[rule]]\n", FileKind::Rules),
            ("disable = []\n", FileKind::Rules),
            ("not toml", FileKind::Rules),
        ] {
            assert_eq!(kind_of(&source(text)), kind, "{text}");
        }
    }
}
