//! How much of the truth a scrubber found, and how much it destroyed.
//!
//! What comes out is read every cheap way first ([`super::read`]); then a value survives if
//! - phone: the subscriber's digits stand somewhere, whatever separators are between them
//! - code: the code stands as a whole token, hyphens and spaces between its characters ignored
//! - ip: the same address in any notation
//! - body: any window of 24 characters of it (10 in scripts without spaces)
//! - credential: the value, or 12 characters of it if it is long
//! - name, e-mail, ids: the value, in any case, as a whole token
//!
//! What must stay has to be there as often as a perfect scrub leaves it.

use super::read::{Reading, count_token, fold, squeeze, stay_count};
use super::truth::{Go, Place, Stay, Tier, Truth};
use std::collections::{BTreeMap, HashSet};
use std::fmt::Write as _;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// What a scrubber made of a record.
#[derive(Clone, Copy, Debug, Default)]
pub struct Output<'a> {
    pub value: &'a [u8],
    pub key: Option<&'a [u8]>,
    /// Values only.
    pub headers: &'a [Vec<u8>],
}

/// How many there were, and how many of them went wrong.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    pub all: u64,
    pub wrong: u64,
}

impl Tally {
    fn add(&mut self, wrong: bool) {
        self.all += 1;
        self.wrong += u64::from(wrong);
    }

    /// Per cent of them that went right; 100 where there were none.
    #[must_use]
    #[allow(clippy::cast_precision_loss)] // exact far beyond any count here
    pub fn right_percent(self) -> f64 {
        if self.all == 0 { 100.0 } else { 100.0 * (self.all - self.wrong) as f64 / self.all as f64 }
    }
}

/// The sums over many records.
#[derive(Clone, Debug, Default)]
pub struct Score {
    pub records: u64,
    /// Records in which anything survived that must not.
    pub dirty: u64,
    /// By class.
    pub go: BTreeMap<&'static str, Tally>,
    /// By class, only what is hard to find.
    pub hard: BTreeMap<&'static str, Tally>,
    /// By class and written form.
    pub forms: BTreeMap<(&'static str, &'static str), Tally>,
    /// By format and class.
    pub formats: BTreeMap<(String, &'static str), Tally>,
    /// By language of the text: codes and bodies.
    pub languages: BTreeMap<String, Tally>,
    /// What must stay, by kind.
    pub stay: BTreeMap<&'static str, Tally>,
    /// What must stay, by format.
    pub stay_formats: BTreeMap<String, Tally>,
    /// Records with nothing in them, and how many of those were changed.
    pub clean: Tally,
    /// JSON records, and how many no longer parse.
    pub json: Tally,
}

/// What went wrong with one record: places in its truth's lists.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Misses {
    pub survived: Vec<usize>,
    pub lost: Vec<usize>,
}

/// Looks for the truth's values in an output. `changed`: the value's bytes differ from the input's.
#[must_use]
pub fn check(truth: &Truth, output: &Output<'_>) -> Misses {
    let value = Part::new(output.value, &truth.must_stay);
    let key = output.key.map(|bytes| Part::new(bytes, &[]));
    let headers: Vec<u8> = output.headers.join(&b'\n');
    let headers = Part::new(&headers, &[]);
    let survives = |go: &Go| match go.place {
        Place::Value => value.holds(go),
        Place::Key => key.as_ref().is_some_and(|key| key.holds(go)),
        Place::Headers => headers.holds(go),
    };
    let places = |wrong: Vec<bool>| wrong.iter().enumerate().filter(|(_, w)| **w).map(|(i, _)| i).collect();
    Misses {
        survived: places(truth.must_go.iter().map(survives).collect()),
        lost: places(
            truth
                .must_stay
                .iter()
                .map(|stay| stay_count(&value.read.plain, &stay.value) < stay.n.max(1))
                .collect(),
        ),
    }
}

impl Score {
    /// Adds one record; `input` is its value before, to see what was changed without a reason.
    pub fn add(&mut self, truth: &Truth, input: &[u8], output: &Output<'_>) -> Misses {
        let misses = check(truth, output);
        self.records += 1;
        self.dirty += u64::from(!misses.survived.is_empty());
        for (at, go) in truth.must_go.iter().enumerate() {
            let wrong = misses.survived.contains(&at);
            self.go.entry(go.class).or_default().add(wrong);
            if go.tier == Tier::Hard {
                self.hard.entry(go.class).or_default().add(wrong);
            }
            self.forms.entry((go.class, go.form)).or_default().add(wrong);
            self.formats.entry((truth.format.clone(), go.class)).or_default().add(wrong);
            if !go.lang.is_empty() {
                self.languages.entry(go.lang.clone()).or_default().add(wrong);
            }
        }
        for (at, stay) in truth.must_stay.iter().enumerate() {
            let wrong = misses.lost.contains(&at);
            self.stay.entry(stay.kind).or_default().add(wrong);
            self.stay_formats.entry(truth.format.clone()).or_default().add(wrong);
        }
        if truth.is_clean() {
            self.clean.add(input != output.value);
        }
        if truth.json {
            self.json.add(serde_json::from_slice::<serde::de::IgnoredAny>(output.value).is_err());
        }
        misses
    }

    /// Everything that must go, of any class.
    #[must_use]
    pub fn all_go(&self) -> Tally {
        sum(self.go.values())
    }

    /// Everything that must stay, of any kind.
    #[must_use]
    pub fn all_stay(&self) -> Tally {
        sum(self.stay.values())
    }

    /// Tables for people, in Markdown.
    #[must_use]
    pub fn report(&self) -> String {
        let mut out = String::new();
        let (go, stay) = (self.all_go(), self.all_stay());
        let _ = writeln!(
            out,
            "{} records; found {:.2} % of {} values that must go ({} survived, in {} records); kept {:.3} % of {} that must stay \
             ({} lost); {} of {} records with nothing in them changed; {} of {} JSON records broken\n",
            self.records,
            go.right_percent(),
            go.all,
            go.wrong,
            self.dirty,
            stay.right_percent(),
            stay.all,
            stay.wrong,
            self.clean.wrong,
            self.clean.all,
            self.json.wrong,
            self.json.all,
        );
        let _ = writeln!(
            out,
            "| class | values | found % | survived | of them hard | found % |\n|---|--:|--:|--:|--:|--:|"
        );
        for (class, tally) in &self.go {
            let hard = self.hard.get(class).copied().unwrap_or_default();
            let _ = writeln!(
                out,
                "| {class} | {} | {:.2} | {} | {} | {:.2} |",
                tally.all,
                tally.right_percent(),
                tally.wrong,
                hard.all,
                hard.right_percent()
            );
        }
        let classes: Vec<&str> = self.go.keys().copied().collect();
        let _ = writeln!(
            out,
            "\n| found % by format | {} | kept % |\n|---|{}--:|",
            classes.join(" | "),
            "--:|".repeat(classes.len())
        );
        let formats: std::collections::BTreeSet<&String> =
            self.formats.keys().map(|(f, _)| f).chain(self.stay_formats.keys()).collect();
        for format in formats {
            let _ = write!(out, "| {format} |");
            for class in &classes {
                match self.formats.get(&(format.clone(), *class)) {
                    Some(tally) => {
                        let _ = write!(out, " {:.1} |", tally.right_percent());
                    }
                    None => out.push_str("  |"),
                }
            }
            let kept = self.stay_formats.get(format).copied().unwrap_or_default();
            let _ = writeln!(out, " {:.2} |", kept.right_percent());
        }
        worst(
            &mut out,
            "forms that survive most",
            self.forms.iter().map(|((c, f), t)| (format!("{c}:{f}"), *t)),
        );
        worst(&mut out, "languages that survive most", self.languages.iter().map(|(l, t)| (l.clone(), *t)));
        worst(&mut out, "kinds that are lost most", self.stay.iter().map(|(k, t)| ((*k).to_owned(), *t)));
        out
    }
}

fn sum<'a>(tallies: impl Iterator<Item = &'a Tally>) -> Tally {
    tallies.fold(Tally::default(), |a, b| Tally { all: a.all + b.all, wrong: a.wrong + b.wrong })
}

/// The twelve worst, with their counts; nothing where nothing went wrong.
fn worst(out: &mut String, title: &str, rows: impl Iterator<Item = (String, Tally)>) {
    let mut rows: Vec<_> = rows.filter(|(_, tally)| tally.wrong > 0).collect();
    if rows.is_empty() {
        return;
    }
    rows.sort_by(|a, b| a.1.right_percent().total_cmp(&b.1.right_percent()).then_with(|| a.0.cmp(&b.0)));
    let shown = rows.iter().take(12).map(|(name, t)| format!("{name} {}/{}", t.wrong, t.all));
    let _ = writeln!(out, "\n{title}: {}", shown.collect::<Vec<_>>().join(", "));
}

/// One part of an output, read.
struct Part {
    read: Reading,
    /// All readings without what must stay: where codes are looked for.
    without_stay: String,
    addresses: HashSet<IpAddr>,
}

impl Part {
    fn new(bytes: &[u8], stays: &[Stay]) -> Self {
        let read = Reading::new(bytes);
        let mut without_stay = read.all.clone();
        for stay in stays.iter().filter(|s| s.value.len() >= 4) {
            without_stay = blank(&without_stay, &fold(&stay.value));
        }
        let addresses = addresses(&read.all);
        Part { read, without_stay, addresses }
    }

    fn holds(&self, go: &Go) -> bool {
        let value = fold(&go.value);
        match go.class {
            "phone" => go.digits.iter().any(|d| self.read.squeezed.contains(d.as_str())),
            "code" => holds_code(&self.without_stay, &value),
            "ip" if go.form == "dashed" => self.read.all.contains(&go.addr.replace('.', "-")),
            "ip" => go.addr.parse().is_ok_and(|ip: IpAddr| self.addresses.contains(&ip)),
            "body" => {
                let text = value.to_lowercase().split_whitespace().collect::<Vec<_>>().join(" ");
                let width = if has_no_spaces(&text) { 10 } else { 24 };
                windows(&text, width, 4).any(|w| self.read.words.contains(w))
            }
            "credential" if value.len() >= 20 => windows(&value, 12, 1).any(|w| self.read.all.contains(w)),
            "credential" => self.read.all.contains(&value),
            "email" => self.read.lower.contains(&value.to_lowercase()),
            "card" => self.read.squeezed.contains(&squeeze(&value)),
            "name" => {
                let name = value.to_lowercase();
                if has_no_spaces(&name) {
                    self.read.words.contains(&name)
                } else {
                    count_token(&self.read.words, &name) > 0
                }
            }
            _ => count_token(&self.read.lower, &value.to_lowercase()) > 0,
        }
    }
}

/// The text with whole tokens of `value` blotted out.
fn blank(text: &str, value: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once(value) {
        out.push_str(before);
        let glued_before = out.bytes().next_back().is_some_and(|b| b.is_ascii_alphanumeric());
        let glued_after = after.bytes().next().is_some_and(|b| b.is_ascii_digit());
        out.push_str(if glued_before || glued_after { value } else { "\u{1}" });
        rest = after;
    }
    out.push_str(rest);
    out
}

/// The code as a whole token, in any case, a space or hyphen allowed between its characters.
fn holds_code(text: &str, code: &str) -> bool {
    let core: Vec<u8> = code.bytes().filter(|b| !matches!(b, b' ' | b'-')).collect();
    let (Some(first), text) = (core.first().copied(), text.as_bytes()) else { return false };
    let glued = |at: Option<&u8>| at.is_some_and(u8::is_ascii_alphanumeric);
    (0..text.len()).any(|start| {
        if !text.get(start).is_some_and(|b| b.eq_ignore_ascii_case(&first))
            || glued(start.checked_sub(1).and_then(|i| text.get(i)))
        {
            return false;
        }
        let mut at = start;
        for (i, wanted) in core.iter().enumerate() {
            if i > 0 && matches!(text.get(at), Some(b' ' | b'-')) {
                at += 1;
            }
            if !text.get(at).is_some_and(|b| b.eq_ignore_ascii_case(wanted)) {
                return false;
            }
            at += 1;
        }
        !glued(text.get(at))
    })
}

/// More than a third Thai, Lao, Chinese, Japanese or Korean.
fn has_no_spaces(text: &str) -> bool {
    let dense = |c: &char| matches!(c, '\u{E00}'..='\u{EFF}' | '\u{3040}'..='\u{30FF}' | '\u{3400}'..='\u{9FFF}' | '\u{AC00}'..='\u{D7AF}');
    text.chars().filter(dense).count() * 3 > text.chars().count()
}

/// Pieces of that many characters, every `step` characters and at the end; the whole where it is shorter.
fn windows(text: &str, width: usize, step: usize) -> impl Iterator<Item = &str> {
    let bounds: Vec<usize> = text.char_indices().map(|(i, _)| i).chain([text.len()]).collect();
    let chars = bounds.len() - 1;
    let last = chars.saturating_sub(width);
    let starts = (0..last).step_by(step).chain([last]);
    let piece = move |start: usize| {
        let from = bounds.get(start).copied()?;
        let to = bounds.get((start + width).min(chars)).copied()?;
        text.get(from..to)
    };
    starts.filter_map(piece).filter(|w| !w.is_empty())
}

/// Every IP address that stands in the text.
fn addresses(text: &str) -> HashSet<IpAddr> {
    let mut found = HashSet::new();
    for run in text.split(|c: char| !(c.is_ascii_digit() || c == '.')) {
        let parts: Vec<&str> = run.split('.').collect();
        for four in parts.windows(4) {
            if let Ok(ip) = four.join(".").parse::<Ipv4Addr>() {
                found.insert(IpAddr::V4(ip));
            }
        }
    }
    for run in text.split(|c: char| !(c.is_ascii_hexdigit() || c == ':' || c == '.')) {
        if run.matches(':').count() < 2 || run.len() > 60 {
            continue;
        }
        let cuts =
            [run, run.trim_end_matches([':', '.']), run.rsplit_once(':').map_or(run, |(head, _)| head)];
        let starts = std::iter::once(0).chain(run.match_indices(':').map(|(i, _)| i + 1).take(3));
        for start in starts {
            for cut in cuts {
                if let Some(Ok(ip)) = cut.get(start..).map(str::parse::<Ipv6Addr>) {
                    found.insert(IpAddr::V6(ip));
                    found.extend(ip.to_ipv4_mapped().map(IpAddr::V4));
                }
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn survives(class: &'static str, value: &str, addr: &str, digits: &[&str], out: &str) -> bool {
        let mut truth = Truth::default();
        let digits = digits.iter().map(|d| (*d).to_owned()).collect();
        truth.go(Go { class, value: value.to_owned(), addr: addr.to_owned(), digits, ..Go::default() });
        !check(&truth, &Output { value: out.as_bytes(), ..Output::default() }).survived.is_empty()
    }

    #[test]
    fn survivors_are_seen_in_any_dress_and_neighbours_are_not() {
        let phone = |out| survives("phone", "+14155550132", "", &["4155550132"], out);
        assert!(
            phone("call (415) 555-0132") && phone("to=%2B14155550132") && phone("１４１５５５５０１３２")
        );
        assert!(!phone("call (415) 555-0133"));
        let code = |out| survives("code", "123-456", "", &[], out);
        assert!(
            code("is 123456.")
                && code("is 123 456")
                && code("x=123-456")
                && !code("1234567")
                && !code("a123456")
        );
        let ip = |out| survives("ip", "192.0.2.7", "192.0.2.7", &[], out);
        assert!(ip("192.0.2.7:80") && ip("::ffff:192.0.2.7") && ip("[::ffff:c000:207]") && !ip("192.0.2.70"));
        let body =
            |out| survives("body", "Grandma wants to know whether you are coming for lunch", "", &[], out);
        assert!(body("… wants to know whether you are coming") && !body("wants to know"));
        let name = |out| survives("name", "Otto Kern", "", &[], out);
        assert!(name("user OTTO KERN left") && !name("Otto Kernel"));
    }

    #[test]
    fn a_lost_value_counts_as_often_as_it_should_stand() {
        let mut truth = Truth::default();
        truth.stay("order_id", "40212345678");
        truth.must_stay[0].n = 2;
        let lost = |out: &str| {
            !check(&truth, &Output { value: out.as_bytes(), ..Output::default() }).lost.is_empty()
        };
        assert!(!lost("a=40212345678 b=40212345678"));
        assert!(lost("a=40212345678 b=[PHONE:+40]"));
    }

    #[test]
    fn a_stay_value_is_no_code_that_survived() {
        let mut truth = Truth::default();
        truth.go(Go { class: "code", value: "4021".into(), ..Go::default() });
        truth.stay("version", "v4021-1");
        truth.must_stay[0].n = 1;
        assert_eq!(check(&truth, &Output { value: b"v4021-1", ..Output::default() }), Misses::default());
    }
}
