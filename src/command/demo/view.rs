//! What the demo shows: rows of text from a scene. No terminal in here, so that tests can look at it.

use super::machine::Counts;
use super::proof::Proof;
use crate::policy::{Policy, Stage};
use std::fmt::Write as _;

/// One moment.
pub struct Scene<'a> {
    pub day: f64,
    pub days: u32,
    pub date: String,
    pub policy: &'a Policy,
    pub counts: Counts,
    pub example: &'a Example,
}

/// One record before and after.
pub struct Example {
    pub raw: String,
    pub scrubbed: String,
    /// What the last stage makes of it; shown from the moment it stands in the topic.
    pub deidentified: String,
    pub due_ms: i64,
    pub released: bool,
}

/// How a piece of a row is to look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tone {
    Plain,
    Bold,
    Dim,
    /// Identifiable.
    Raw,
    /// Scrubbed, still linkable to what is held.
    Scrubbed,
    /// May stay.
    Clean,
}

pub type Row = Vec<(Tone, String)>;

/// The picture for a terminal of that size: at most `height` rows of at most `width` characters.
pub fn picture(scene: &Scene<'_>, width: usize, height: usize) -> Vec<Row> {
    let mut rows = vec![title(scene), rule(width)];
    rows.extend(flow(scene, width));
    rows.push(rule(width));
    let left = height.saturating_sub(rows.len() + 3);
    rows.extend(example(scene, width, left));
    rows.push(vec![(Tone::Dim, " q leaves".to_owned())]);
    rows.truncate(height);
    rows.into_iter().map(|row| cut(row, width)).collect()
}

fn title(scene: &Scene<'_>) -> Row {
    let day = format!(" day {:.0} of {}  ", scene.day, scene.days);
    let rest = format!("{} UTC   policy {}", scene.date, scene.policy.id);
    vec![(Tone::Bold, " logscrub demo  ".to_owned()), (Tone::Bold, day), (Tone::Dim, rest)]
}

fn rule(width: usize) -> Row {
    vec![(Tone::Dim, "─".repeat(width))]
}

/// From the source to the end, one row each.
fn flow(scene: &Scene<'_>, width: usize) -> Vec<Row> {
    let counts = &scene.counts;
    let after = |stage: Option<&Stage>| {
        let period = stage.and_then(|stage| stage.after.default_period());
        period.map(|period| period.to_string()).unwrap_or_default()
    };
    let count = |tone: Tone, what: &str, count: u64, say: &str| {
        vec![
            (Tone::Plain, format!(" {what:<22}")),
            (tone, format!("{:>8}", thousands(count))),
            (Tone::Dim, format!("   {say}")),
        ]
    };
    let last = format!("de-identified at {}", after(scene.policy.stages.last()));
    let mut rows = vec![
        count(Tone::Raw, "came in", counts.sent, "made-up logs, the first ones up to 60 days old"),
        count(Tone::Scrubbed, "scrubbed at once", counts.scrubbed, "for dashboards"),
        count(Tone::Raw, "held", counts.waiting(), "identifiable, waiting in lanes"),
    ];
    let most = counts.lanes.iter().map(|(_, waiting)| *waiting).max().unwrap_or(0).max(1);
    for (delay, waiting) in &counts.lanes {
        let room = width.saturating_sub(35) as u64;
        let bar = "█".repeat(usize::try_from((waiting * room).div_ceil(most)).unwrap_or(0));
        rows.push(vec![
            (Tone::Dim, format!("   lane {delay:<15}")),
            (Tone::Plain, format!("{:>8}   ", thousands(*waiting))),
            (Tone::Raw, bar),
        ]);
    }
    rows.push(count(Tone::Clean, &last, counts.deidentified, "may stay for ever"));
    rows.push(count(
        Tone::Dim,
        "originals purged",
        counts.purged,
        "gone from the disk; lane changes included",
    ));
    rows
}

/// Its tone, its head, and its lines.
type Column<'a> = (Tone, &'a str, Vec<String>);

/// The three forms of one record, side by side.
fn example(scene: &Scene<'_>, width: usize, height: usize) -> Vec<Row> {
    const GAP: &str = " │ ";
    let column = width.saturating_sub(2 * GAP.chars().count() + 1) / 3;
    let Example { raw, scrubbed, deidentified, released, .. } = scene.example;
    let last = if *released { deidentified.as_str() } else { "… not yet due" };
    let columns = [
        (Tone::Raw, "one record", raw.as_str()),
        (Tone::Scrubbed, "scrubbed at once", scrubbed.as_str()),
        (if *released { Tone::Clean } else { Tone::Dim }, "de-identified", last),
    ];
    let wrapped = columns.map(|(tone, head, text)| (tone, head, wrap(text, column)));
    let lines = wrapped.iter().map(|(_, _, lines)| lines.len()).max().unwrap_or(0).min(height);
    let row = |cell: &dyn Fn(&Column<'_>) -> (Tone, String)| {
        let mut row: Row = vec![(Tone::Plain, " ".to_owned())];
        for (place, one) in wrapped.iter().enumerate() {
            if place > 0 {
                row.push((Tone::Dim, GAP.to_owned()));
            }
            let (tone, text) = cell(one);
            row.push((tone, format!("{text:<column$}")));
        }
        row
    };
    let mut rows = vec![row(&|(_, head, _)| (Tone::Bold, (*head).to_owned()))];
    for line in 0..lines {
        rows.push(row(&|(tone, _, lines)| (*tone, lines.get(line).cloned().unwrap_or_default())));
    }
    rows
}

/// Lines of at most `width` characters; what a terminal would act on is shown as an escape.
fn wrap(text: &str, width: usize) -> Vec<String> {
    let shown: Vec<char> = text
        .chars()
        .flat_map(|char| if char.is_control() { char.escape_default().collect() } else { vec![char] })
        .collect();
    shown.chunks(width.max(1)).map(|line| line.iter().collect()).collect()
}

fn cut(row: Row, width: usize) -> Row {
    let mut left = width;
    let mut kept = Vec::with_capacity(row.len());
    for (tone, text) in row {
        let piece: String = text.chars().take(left).collect();
        left -= piece.chars().count();
        kept.push((tone, piece));
    }
    kept
}

/// `12 345`.
fn thousands(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(' ');
        }
        text.push(digit);
    }
    text
}

/// One moment on one line, where there is no terminal.
pub fn line(scene: &Scene<'_>) -> String {
    let counts = &scene.counts;
    let mut lanes = String::new();
    for (delay, waiting) in &counts.lanes {
        let _ = write!(lanes, " {delay}:{waiting}");
    }
    format!(
        "day {:>2.0}  in {}  scrubbed {}  held {} (lanes{lanes})  de-identified {}  purged {}\n",
        scene.day,
        counts.sent,
        counts.scrubbed,
        counts.waiting(),
        counts.deidentified,
        counts.purged
    )
}

/// How it ended.
pub fn summary(scene: &Scene<'_>, proof: &Proof) -> String {
    let counts = &proof.counts;
    let Example { raw, scrubbed, deidentified, released, .. } = scene.example;
    let deidentified = if *released { deidentified.as_str() } else { "(not due yet)" };
    let yes = |holds: bool| if holds { "yes" } else { "NO" };
    let mut text = String::new();
    let _ = write!(
        text,
        "one record   {}\n  scrubbed   {}\n  at the end {}\n\n",
        wrap(raw, usize::MAX).concat(),
        wrap(scrubbed, usize::MAX).concat(),
        wrap(deidentified, usize::MAX).concat()
    );
    let _ = writeln!(
        text,
        "counts add up: {}. {} came in = {} scrubbed; {} de-identified + {} still held = {}",
        yes(proof.adds_up()),
        thousands(counts.sent),
        thousands(counts.scrubbed),
        thousands(counts.deidentified),
        thousands(counts.waiting()),
        thousands(counts.deidentified + counts.waiting())
    );
    let _ = writeln!(
        text,
        "originals gone: {}. of {} phone numbers, texts, … of released records, the store's files ({} bytes) hold {}; \
         of {} of records still held, {}",
        yes(proof.originals_gone()),
        thousands(proof.released_values as u64),
        thousands(proof.file_bytes as u64),
        thousands(proof.released_found as u64),
        thousands(proof.held_values as u64),
        thousands(proof.held_found as u64)
    );
    if proof.missed_values > 0 {
        let _ = writeln!(
            text,
            "not found by any rule: {} of {} values that must go (made-up records know their truth)",
            thousands(proof.missed_values as u64),
            thousands(proof.all_values as u64)
        );
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scene<'a>(policy: &'a Policy, example: &'a Example) -> Scene<'a> {
        let lanes = ["90d", "30d", "7d", "1d", "4h", "1h"];
        let counts = Counts {
            sent: 2400,
            scrubbed: 2400,
            lanes: lanes.iter().zip([1000, 200, 40, 3, 1, 0]).map(|(l, n)| ((*l).to_owned(), n)).collect(),
            deidentified: 1156,
            purged: 1800,
            source: 0,
        };
        Scene { day: 43.2, days: 90, date: "2026-09-12 04:00".into(), policy, counts, example }
    }

    fn example() -> Example {
        Example {
            raw: format!("to=+14155550132 text=\"{}\"", "hello ".repeat(20)),
            scrubbed: "to=[PHONE:+1] text=\"[BODY]\"".into(),
            deidentified: "<*>".into(),
            due_ms: 0,
            released: true,
        }
    }

    fn text(rows: &[Row]) -> Vec<String> {
        rows.iter().map(|row| row.iter().map(|(_, text)| text.as_str()).collect()).collect()
    }

    fn policy() -> Policy {
        match crate::policy::shipped("default", &[]) {
            Some(Ok(compiled)) => compiled.policy,
            Some(Err(errors)) => panic!("{errors}"),
            None => panic!("it is shipped"),
        }
    }

    #[test]
    fn every_size_is_kept() {
        let (policy, example) = (policy(), example());
        for (width, height) in [(80, 24), (160, 50), (20, 5), (1, 1), (300, 100), (0, 0)] {
            let rows = text(&picture(&scene(&policy, &example), width, height));
            assert!(rows.len() <= height, "{width}x{height}");
            assert!(rows.iter().all(|row| row.chars().count() <= width), "{width}x{height}");
        }
    }

    #[test]
    fn eighty_by_twenty_four_shows_everything() {
        let (policy, example) = (policy(), example());
        let rows = text(&picture(&scene(&policy, &example), 80, 24));
        let all = rows.join("\n");
        let squeezed = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
        for part in [
            "day 43 of 90",
            "came in                  2 400",
            "lane 90d                 1 000   ███",
            "lane 1h                      0",
            "de-identified at 90d     1 156",
            "+14155550132",
            "to=[PHONE:+1]",
            "<*>",
            "q leaves",
        ] {
            assert!(squeezed(&all).contains(&squeezed(part)), "{part} is missing from\n{all}");
        }
    }

    #[test]
    fn a_record_cannot_move_the_cursor() {
        assert_eq!(wrap("a\u{1b}[2J\n", 100), ["a\\u{1b}[2J\\n"]);
    }
}
