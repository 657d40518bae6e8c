//! Judges examples and cases. What finds and what transforms is handed in, so that the judge can be
//! tested without the engine.

use super::fixture::Case;
use crate::class::Class;
use crate::finding::{RuleId, Span};
use crate::rule::{Example, Expected, RuleSet};

/// What was found in a line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    pub rule: RuleId,
    pub class: Class,
    pub span: Span,
    pub text: Vec<u8>,
}

/// The engine, as far as examples need it.
pub trait Engine {
    /// Everything that is found in a line.
    fn find(&mut self, line: &[u8]) -> Vec<Found>;

    /// What is left of a line where only safe values are kept. Safe values are never findings, since
    /// nothing is ever done to them: they show in what they leave.
    fn leave_safe(&mut self, line: &[u8]) -> Vec<u8>;
}

/// How one example or one stage of a case ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    pub file: String,
    pub line: usize,
    /// The rule's id, or the case's name and stage.
    pub name: String,
    /// Why it failed, in lines; `None`: it passed.
    pub failure: Option<String>,
}

/// What the examples say of one rule.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Coverage {
    pub rule: String,
    pub hits: usize,
    pub misses: usize,
    pub failed: usize,
    /// Hits that this very rule found, not another one of its class.
    pub own_hits: usize,
}

/// Runs every example of a rule set.
pub fn examples(
    rules: &RuleSet,
    examples: &[Example],
    engine: &mut impl Engine,
) -> (Vec<Verdict>, Vec<Coverage>) {
    let of_rule = |info: &crate::rule::RuleInfo| Coverage { rule: info.id.clone(), ..Coverage::default() };
    let mut coverage: Vec<Coverage> = rules.rules.iter().map(of_rule).collect();
    let mut verdicts = Vec::new();
    for example in examples {
        let Some(place) = rules.rules.iter().position(|info| info.id == example.rule) else { continue };
        let (Some(info), Some(coverage)) = (rules.rules.get(place), coverage.get_mut(place)) else {
            continue;
        };
        let hit = matches!(example.expected, Expected::Hit { .. });
        coverage.hits += usize::from(hit);
        coverage.misses += usize::from(!hit);
        let line = example.input.as_bytes();
        let failure = if info.class == Some(Class::Safe) {
            coverage.own_hits += usize::from(hit);
            judge_safe(&example.expected, line, &engine.leave_safe(line))
        } else {
            let found = engine.find(line);
            let own: Vec<&Found> = found.iter().filter(|one| usize::from(one.rule.0) == place).collect();
            coverage.own_hits += usize::from(hit && !own.is_empty());
            match &example.expected {
                Expected::Hit { find } => judge_hit(info.class, find, &found),
                Expected::Miss { why } => (!own.is_empty()).then(|| {
                    format!("found {}, but this is {why}", quoted(own.iter().map(|one| one.text.as_slice())))
                }),
            }
        };
        coverage.failed += usize::from(failure.is_some());
        verdicts.push(Verdict {
            file: example.file.clone(),
            line: example.line,
            name: example.rule.clone(),
            failure,
        });
    }
    (verdicts, coverage)
}

/// A hit names everything of the rule's class in its line; which rule of the class found it does not
/// matter. A rule of no one class must find at least what it names.
fn judge_hit(class: Option<Class>, wanted: &[String], found: &[Found]) -> Option<String> {
    let of_class = found.iter().filter(|one| class.is_none_or(|class| one.class == class));
    // Two rules of the class may find the same place.
    let mut places: Vec<(Span, &[u8])> = of_class.map(|one| (one.span, one.text.as_slice())).collect();
    places.sort_unstable();
    places.dedup();
    let mut texts: Vec<&[u8]> = places.into_iter().map(|(_, text)| text).collect();
    let mut wanted: Vec<&[u8]> = wanted.iter().map(|text| text.as_bytes()).collect();
    texts.sort_unstable();
    wanted.sort_unstable();
    let right = match class {
        Some(_) => texts == wanted,
        None => wanted.iter().all(|text| texts.contains(text)),
    };
    let word = class.map_or("anything", Class::word);
    (!right).then(|| {
        let found = if texts.is_empty() { "nothing".to_owned() } else { quoted(texts) };
        format!("expected as {word}: {}\nfound: {found}", quoted(wanted))
    })
}

/// A safe value stays where everything else goes; a line that is a miss does not stay as it is.
fn judge_safe(expected: &Expected, line: &[u8], left: &[u8]) -> Option<String> {
    match expected {
        Expected::Hit { find } => {
            let gone = find.iter().filter(|text| memchr::memmem::find(left, text.as_bytes()).is_none());
            let gone: Vec<&[u8]> = gone.map(|text| text.as_bytes()).collect();
            (!gone.is_empty()).then(|| {
                format!("expected to stay: {}\nleft: {}", quoted(gone), String::from_utf8_lossy(left))
            })
        }
        Expected::Miss { why } => (line == left).then(|| format!("the whole line stays, but this is {why}")),
    }
}

fn quoted<'t>(texts: impl IntoIterator<Item = &'t [u8]>) -> String {
    let quote = |text: &[u8]| format!("`{}`", String::from_utf8_lossy(text));
    texts.into_iter().map(quote).collect::<Vec<_>>().join(", ")
}

/// Runs every stage of a case. `apply` gives what the policy's stage emits, or why it cannot.
pub fn case(case: &Case, mut apply: impl FnMut(&str, &[u8]) -> Result<Vec<u8>, String>) -> Vec<Verdict> {
    let mut verdicts = Vec::new();
    for (stage, wanted) in &case.out {
        let failure = match apply(stage, case.input.as_bytes()) {
            Ok(emitted) if emitted == wanted.as_bytes() => None,
            Ok(emitted) => {
                Some(format!("expected: {wanted}\nemitted:  {}", String::from_utf8_lossy(&emitted)))
            }
            Err(reason) => Some(reason),
        };
        verdicts.push(Verdict {
            file: case.file.clone(),
            line: case.line,
            name: format!("{} ({stage})", case.name),
            failure,
        });
    }
    verdicts
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnostic::Source;
    use crate::rule::{Compiled, Sources, compile};

    fn compiled(class: &str) -> Compiled {
        let text = "[[rule]]\nid = 'a'\nclass = 'CLASS'\nfields = ['a']\n\
                    [[rule.hit]]\nin = 'a=1 b=2'\nfind = ['1', '2']\n\
                    [[rule.miss]]\nin = 'c=1'\nwhy = 'a count'\n\
                    [[rule]]\nid = 'b'\nclass = 'phone'\nfields = ['b']\n";
        let user = vec![Source { name: "r.toml".into(), text: text.replace("CLASS", class) }];
        compile(&Sources { shipped: Vec::new(), user }).unwrap_or_else(|errors| panic!("{errors}"))
    }

    fn found(rule: u16, text: &str) -> Found {
        let start = usize::from(text.as_bytes()[0]);
        Found {
            rule: RuleId(rule),
            class: Class::Phone,
            span: Span::new(start, start + 1),
            text: text.into(),
        }
    }

    /// Finds what it was told to, in lines that start with `a` and in others.
    struct Told {
        in_hit: Vec<Found>,
        in_miss: Vec<Found>,
        left: &'static [u8],
    }

    impl Engine for Told {
        fn find(&mut self, line: &[u8]) -> Vec<Found> {
            if line.starts_with(b"a") { self.in_hit.clone() } else { self.in_miss.clone() }
        }

        fn leave_safe(&mut self, _line: &[u8]) -> Vec<u8> {
            self.left.to_vec()
        }
    }

    #[test]
    fn a_hit_needs_all_of_its_class_and_no_more_and_a_miss_nothing_of_its_rule() {
        let compiled = compiled("phone");
        for (in_hit, in_miss, failed) in [
            (vec![found(0, "1"), found(1, "2")], vec![], 0),
            (vec![found(1, "2"), found(0, "1"), found(1, "1")], vec![found(1, "1")], 0),
            (vec![found(0, "1")], vec![], 1),
            (vec![found(0, "1"), found(0, "2"), found(0, "3")], vec![], 1),
            (vec![], vec![found(0, "1")], 2),
        ] {
            let mut told = Told { in_hit, in_miss, left: b"" };
            let (verdicts, coverage) = examples(&compiled.rules, &compiled.examples, &mut told);
            let failures = verdicts.iter().filter(|verdict| verdict.failure.is_some()).count();
            assert_eq!(failures, failed, "{verdicts:?}");
            assert_eq!((coverage[0].hits, coverage[0].misses, coverage[0].failed), (1, 1, failed));
            assert_eq!((coverage[1].hits, coverage[1].misses), (0, 0));
        }
    }

    #[test]
    fn a_safe_value_shows_in_what_it_leaves() {
        let compiled = compiled("safe");
        for (left, failed) in [(&b"a=1 b=2"[..], 0), (b"a=1 b=<*>", 1), (b"c=1", 2)] {
            let mut told = Told { in_hit: vec![], in_miss: vec![], left };
            let (verdicts, _) = examples(&compiled.rules, &compiled.examples, &mut told);
            let failures = verdicts.iter().filter(|verdict| verdict.failure.is_some()).count();
            assert_eq!(failures, failed, "{verdicts:?}");
        }
    }

    #[test]
    fn a_case_is_one_verdict_a_stage() {
        let one = Case {
            file: "f.toml".into(),
            line: 3,
            name: "n".into(),
            policy: "default".into(),
            policy_place: None,
            input: "x".into(),
            out: vec![("a".into(), "x".into()), ("b".into(), "y".into()), ("c".into(), "x".into())],
        };
        let verdicts =
            case(&one, |stage, line| if stage == "c" { Err("no".into()) } else { Ok(line.to_vec()) });
        let failures: Vec<_> = verdicts.iter().map(|verdict| verdict.failure.as_deref()).collect();
        assert_eq!(failures, [None, Some("expected: y\nemitted:  x"), Some("no")]);
        assert_eq!(verdicts[1].name, "n (b)");
    }
}
