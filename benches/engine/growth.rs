//! How cost grows with the number of rules, the size of a record and the findings in it.

use super::rounds::{Subject, interleaved};
use super::{RESULTS, applied, engine, records};
use logscrub::diagnostic::Source;
use logscrub::sample::pack::PackName;
use plotters::prelude::*;
use std::fmt::Write as _;

/// What was measured at one place: where, and nanoseconds a byte.
type Points = Vec<(f64, f64)>;

/// One drawing.
struct Curve {
    what: &'static str,
    axis: &'static str,
    points: Points,
}

/// Adds tables, and writes `growth.svg`.
pub fn measure(told: &mut String) {
    let curves = [
        Curve { what: "user rules", axis: "rules beside the shipped ones", points: rules() },
        Curve { what: "record size", axis: "bytes (logarithm to base 10)", points: sizes() },
        Curve { what: "findings", axis: "phone numbers in a record of 4 kB", points: findings() },
    ];
    for curve in &curves {
        let _ = writeln!(told, "\n| {} | ns a byte |\n|---|---|", curve.axis);
        for (at, cost) in &curve.points {
            let _ = writeln!(told, "| {at} | {cost:.2} |");
        }
    }
    draw(&curves).expect("the drawing is written");
}

fn cost(subjects: &mut [Subject<'_>], at: &[f64]) -> Points {
    at.iter().copied().zip(interleaved(subjects).into_iter().map(|speed| 1e3 / speed)).collect()
}

/// Rules with a keyword of their own, none of which stands in the logs.
fn rules() -> Points {
    let records = records(PackName::Ordinary);
    let counts = [0, 1, 10, 50, 100, 200];
    let with = |count: usize| {
        let mut text = String::new();
        for number in 0..count {
            let _ = write!(
                text,
                "[[rule]]\nid = \"bench.r{number}\"\nclass = \"custom:badge\"\npattern = 'badge{number}-[0-9]{{6}}'\n\
                 keywords = [\"badge{number}\"]\n"
            );
        }
        engine(|_| true, vec![Source { name: "bench.toml".into(), text }])
    };
    let mut subjects: Vec<_> =
        counts.iter().map(|count| applied("rules", with(*count), 0, &records)).collect();
    cost(&mut subjects, &counts.map(|count| count as f64))
}

/// Records of one kind and of any size, 20 MB of each.
fn sizes() -> Points {
    let sizes = [100usize, 1000, 10_000, 100_000, 1_000_000];
    let sets = sizes.map(|size| {
        let mut value = String::from(r#"{"event":"sms.sent""#);
        for number in 0.. {
            let member = format!(r#","to_{number}":"+14155550132","note_{number}":"sent in 41 ms""#);
            if value.len() + member.len() + 1 > size {
                break;
            }
            value.push_str(&member);
        }
        value.push('}');
        vec![value.into_bytes(); 20_000_000 / size]
    });
    let mut subjects: Vec<_> =
        sets.iter().map(|records| applied("size", engine(|_| true, Vec::new()), 0, records)).collect();
    cost(&mut subjects, &sizes.map(|size| (size as f64).log10()))
}

/// Records of 4 kB with so many numbers in them.
fn findings() -> Points {
    let counts = [0usize, 1, 5, 10, 20, 50];
    let sets = counts.map(|count| {
        let found = vec!["\"+14155550132\""; count].join(",");
        let mut value = format!(r#"{{"event":"sms.sent","to":[{found}],"took":["#);
        while value.len() < 4000 {
            value.push_str("41,");
        }
        value.push_str("41]}");
        vec![value.into_bytes(); 5000]
    });
    let mut subjects: Vec<_> =
        sets.iter().map(|records| applied("findings", engine(|_| true, Vec::new()), 0, records)).collect();
    cost(&mut subjects, &counts.map(|count| count as f64))
}

fn draw(curves: &[Curve]) -> Result<(), Box<dyn std::error::Error>> {
    let path = format!("{RESULTS}/growth.svg");
    std::fs::create_dir_all(RESULTS)?;
    let root = SVGBackend::new(&path, (1080, 320)).into_drawing_area();
    root.fill(&WHITE)?;
    for (area, curve) in root.split_evenly((1, curves.len())).iter().zip(curves) {
        let most = |of: fn(&(f64, f64)) -> f64| curve.points.iter().map(of).fold(0.0, f64::max);
        let least = curve.points.iter().map(|point| point.0).fold(f64::INFINITY, f64::min);
        let mut chart = ChartBuilder::on(area)
            .caption(curve.what, ("sans-serif", 16))
            .margin(12)
            .x_label_area_size(36)
            .y_label_area_size(44)
            .build_cartesian_2d(least..most(|point| point.0), 0.0..most(|point| point.1) * 1.2)?;
        chart
            .configure_mesh()
            .x_desc(curve.axis)
            .y_desc("ns a byte")
            .x_labels(6)
            .light_line_style(WHITE)
            .draw()?;
        chart.draw_series(LineSeries::new(curve.points.iter().copied(), BLUE.stroke_width(2)))?;
        chart.draw_series(curve.points.iter().map(|point| Circle::new(*point, 3, BLUE.filled())))?;
    }
    root.present()?;
    Ok(())
}
