//! `logscrub demo`: ninety days of made-up traffic in about ninety seconds.
//!
//! Nothing is played: the records go through the real stages over a real embedded store; only the
//! clock is ours. At the end the counts are added up, and the store's files are searched for originals
//! that should be gone.

mod machine;
mod proof;
mod screen;
mod traffic;
mod view;

use super::exit;
use super::failure::Failure;
use super::ladder::climb;
use super::load::{EngineArgs, Loaded};
use super::output::print;
use crate::engine::Scratch;
use crate::record::Record;
use crate::service::clock::SystemClock;
use crate::stage::clock::Clock as _;
use crate::stage::store::StoreError;
use clap::Args as ClapArgs;
use machine::{Machine, MachineError};
use proof::Proof;
use screen::Screen;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use traffic::{Kept, Traffic, TrafficError};
use view::{Example, Scene};

pub const DAY_MS: i64 = 86_400_000;

/// Simulated days from the first record to the end.
const DAYS: u32 = 90;

/// How often the picture changes, in a second.
const FRAMES_PER_SECOND: f64 = 10.0;

/// Fewer steps than this would release records days late.
const LEAST_FRAMES: u32 = 180;

/// Ninety days of made-up traffic through the whole pipeline, in about ninety seconds
#[derive(ClapArgs, Debug)]
pub struct Args {
    #[command(flatten)]
    engine: EngineArgs,
    /// How long it takes; 0 is as fast as it goes [default: 90]
    #[arg(long, value_name = "N", value_parser = seconds)]
    seconds: Option<f64>,
    /// Simulated days in a second, instead of --seconds
    #[arg(long, value_name = "DAYS", value_parser = speed, conflicts_with = "seconds")]
    speed: Option<f64>,
    /// Lines of text instead of a live picture; the rule where stdout is no terminal
    #[arg(long)]
    plain: bool,
    /// Which made-up records
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Keep the store in this new directory, to look into with `logscrub cat`
    #[arg(long, value_name = "DIR")]
    embedded: Option<PathBuf>,
}

fn seconds(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(seconds) if (0.0..=86_400.0).contains(&seconds) => Ok(seconds),
        _ => Err("a number of seconds from 0 to 86400".to_owned()),
    }
}

fn speed(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(days) if days >= 0.01 && days.is_finite() => Ok(days),
        _ => Err("a number of days from 0.01".to_owned()),
    }
}

impl Args {
    #[must_use]
    pub fn run(self) -> u8 {
        self.demo().unwrap_or_else(|failure| failure.report())
    }

    fn demo(self) -> Result<u8, Failure> {
        let loaded = self.engine.load()?;
        let place = StorePlace::new(self.embedded.as_deref())?;
        let seconds = self.speed.map_or(self.seconds.unwrap_or(90.0), |speed| f64::from(DAYS) / speed);
        let end_ms = SystemClock.now_ms();
        let mut story = Story::begin(&loaded, place.path(), end_ms, self.seed)?;
        let mut screen = Screen::open(self.plain).map_err(|error| Failure::io("terminal", &error))?;
        let finished = story.play(&mut screen, Duration::from_secs_f64(seconds))?;
        drop(screen);
        if !finished {
            return Ok(0);
        }
        let proof = story.prove(place.path())?;
        let scene = story.scene(DAYS.into())?;
        print(view::summary(&scene, &proof))?;
        if let Some(directory) = &self.embedded {
            let topic = &story.machine.pipeline.topics.deidentified;
            print(format!("look inside: logscrub cat {topic} --embedded {}\n", directory.display()))?;
        }
        Ok(if proof.holds() { 0 } else { exit::NO })
    }
}

fn store_failure(error: &StoreError) -> Failure {
    super::store::failure(error)
}

/// Where the store lies: a directory of the operator's, or one of ours that goes with us.
enum StorePlace {
    Kept(PathBuf),
    Ours(PathBuf),
}

impl StorePlace {
    fn new(kept: Option<&Path>) -> Result<Self, Failure> {
        if let Some(path) = kept {
            let is_empty = std::fs::read_dir(path).map_or(true, |mut entries| entries.next().is_none());
            return if is_empty {
                Ok(StorePlace::Kept(path.to_owned()))
            } else {
                Err(Failure::new(
                    exit::REFUSED,
                    format!("{}: is not empty; name a new directory", path.display()),
                ))
            };
        }
        let path = std::env::temp_dir().join(format!("logscrub-demo-{}", std::process::id()));
        std::fs::create_dir_all(&path).map_err(|error| Failure::io(&path.display().to_string(), &error))?;
        Ok(StorePlace::Ours(path))
    }

    fn path(&self) -> &Path {
        match self {
            StorePlace::Kept(path) | StorePlace::Ours(path) => path,
        }
    }
}

impl Drop for StorePlace {
    fn drop(&mut self) {
        if let StorePlace::Ours(path) = self {
            // What cannot be removed holds made-up records only.
            let _ = std::fs::remove_dir_all(path);
        }
    }
}

/// Ninety days, step by step.
struct Story<'a> {
    loaded: &'a Loaded,
    machine: Machine,
    traffic: Traffic,
    begin_ms: i64,
    /// The longest that one step takes the clock forward.
    step_ms: i64,
    example: Example,
}

impl<'a> Story<'a> {
    fn begin(loaded: &'a Loaded, directory: &Path, end_ms: i64, seed: u64) -> Result<Self, Failure> {
        if loaded.policy.stages.len() < 2 {
            let message = format!("policy `{}` has one stage only: nothing would be held", loaded.policy.id);
            return Err(Failure::new(exit::REFUSED, message));
        }
        let begin_ms = end_ms - i64::from(DAYS) * DAY_MS;
        let mut machine = Machine::new(loaded, directory, begin_ms, seed).map_err(|error| match error {
            MachineError::Store(error) => store_failure(&error),
            MachineError::Policy(reason) => Failure::new(exit::REFUSED, reason),
        })?;
        let mut traffic = Traffic::new(begin_ms, end_ms, seed).map_err(|error| traffic_failure(&error))?;
        traffic.send_until(&mut machine, begin_ms).map_err(|error| traffic_failure(&error))?;
        machine.work().map_err(|error| store_failure(&error))?;
        let example = example(loaded, &machine, &traffic)?;
        Ok(Story { loaded, machine, traffic, begin_ms, step_ms: 0, example })
    }

    /// `false` where the person at the terminal left early.
    fn play(&mut self, screen: &mut Screen, takes: Duration) -> Result<bool, Failure> {
        let terminal = |error| Failure::io("terminal", &error);
        let frames = ((takes.as_secs_f64() * FRAMES_PER_SECOND) as u32).max(LEAST_FRAMES);
        self.step_ms = i64::from(DAYS) * DAY_MS / i64::from(frames);
        let started = Instant::now();
        for frame in 1..=frames {
            let part = f64::from(frame) / f64::from(frames);
            let now_ms = self.now_ms(f64::from(DAYS) * part);
            self.machine.set_clock(now_ms);
            self.traffic.send_until(&mut self.machine, now_ms).map_err(|error| traffic_failure(&error))?;
            self.work(now_ms).map_err(|error| store_failure(&error))?;
            match screen.show(&self.scene(f64::from(DAYS) * part)?) {
                // Whoever read our lines has had enough.
                Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => return Ok(false),
                shown => shown.map_err(terminal)?,
            }
            let wait = takes.mul_f64(part).saturating_sub(started.elapsed());
            if screen.left(wait).map_err(terminal)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn now_ms(&self, day: f64) -> i64 {
        self.begin_ms + (day * DAY_MS as f64) as i64
    }

    fn work(&mut self, now_ms: i64) -> Result<(), StoreError> {
        self.machine.work()?;
        self.machine.purge(now_ms)?;
        if !self.example.released && now_ms >= self.example.due_ms {
            self.example.released = self.machine.deidentified_holds(self.example.deidentified.as_bytes())?;
        }
        Ok(())
    }

    fn scene(&self, day: f64) -> Result<Scene<'_>, Failure> {
        Ok(Scene {
            day,
            days: DAYS,
            date: date(self.now_ms(day)),
            policy: &self.loaded.policy,
            counts: self.machine.counts().map_err(|error| store_failure(&error))?,
            example: &self.example,
        })
    }

    fn prove(&mut self, directory: &Path) -> Result<Proof, Failure> {
        let counts = self.machine.counts().map_err(|error| store_failure(&error))?;
        let outputs = self.machine.outputs().map_err(|error| store_failure(&error))?;
        let files = proof::files(directory).map_err(|error| Failure::io("the store's files", &error))?;
        let pipeline = &self.machine.pipeline;
        let end_ms = self.now_ms(DAYS.into());
        let shortest_lane_ms = pipeline.lanes.as_ref().map_or(0, |lanes| lanes.shortest_ms());
        let slack_ms = shortest_lane_ms + pipeline.release_every_ms + pipeline.tick_ms + 3 * self.step_ms;
        Ok(Proof::of(&counts, self.traffic.kept(), &outputs, &files, (end_ms - slack_ms, end_ms)))
    }
}

fn traffic_failure(error: &TrafficError) -> Failure {
    match error {
        TrafficError::Store(error) => store_failure(error),
        TrafficError::Sample(error) => Failure::new(exit::OUR_BUG, error.to_string()),
    }
}

/// One record from the first days, and what becomes of it: short, and with much in it that must go.
fn example(loaded: &Loaded, machine: &Machine, traffic: &Traffic) -> Result<Example, Failure> {
    let fits = |kept: &&Kept| (60..=230).contains(&kept.value.len()) && kept.value.is_ascii();
    let early = traffic.kept().iter().take(traffic.kept().len() / 3);
    // Three classes are enough to show; then the shorter one is the easier to read.
    let kept = early
        .filter(fits)
        .max_by_key(|kept| (kept.classes.min(3), std::cmp::Reverse(kept.value.len())))
        .or(traffic.kept().first())
        .unwrap_or_else(|| unreachable!("the traffic of the first moment was sent"));
    let scrubbed = machine.scrubbed_at(kept.partition, kept.offset).map_err(|error| store_failure(&error))?;
    let record = Record { value: Some(&kept.value), ..Record::default() };
    let rungs = climb(loaded, &mut Scratch::default(), &record);
    let deidentified = rungs.last().and_then(|(_, out)| out.value.clone()).unwrap_or_default();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    Ok(Example {
        raw: text(&kept.value),
        scrubbed: text(&scrubbed.unwrap_or_default()),
        deidentified: text(&deidentified),
        due_ms: kept.due_ms,
        released: false,
    })
}

/// `2026-03-02 04:00`, UTC.
fn date(now_ms: i64) -> String {
    let time = jiff::Timestamp::from_millisecond(now_ms).unwrap_or_default();
    time.strftime("%Y-%m-%d %H:%M").to_string()
}
