//! What a record costs: nothing from the allocator once the buffers have grown, and where they have not, memory
//! and time as its size, whatever it is made of.
#![allow(unsafe_code)] // an allocator cannot be written without

use logscrub::engine::{Engine, Scratch};
use logscrub::policy::{self, Policy};
use logscrub::record::{Record, RecordBuf};
use logscrub::rule;
use logscrub::sample::pack::PackName;
use logscrub::sample::{Plan, Sample, Sampler};
use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::sync::Arc;

/// The system's allocator, counting what the thread asks for.
struct Counting;

thread_local! {
    /// How often, and how many bytes.
    static ASKED: Cell<(u64, u64)> = const { Cell::new((0, 0)) };
}

fn note(bytes: usize) {
    // A thread that is ending has no count any more.
    let _ = ASKED.try_with(|asked| {
        let (times, sum) = asked.get();
        asked.set((times + 1, sum + bytes as u64));
    });
}

// SAFETY: every call goes to the system's allocator as it came.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        note(layout.size());
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, place: *mut u8, layout: Layout) {
        unsafe { System.dealloc(place, layout) }
    }

    unsafe fn realloc(&self, place: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        note(size.saturating_sub(layout.size()));
        unsafe { System.realloc(place, layout, size) }
    }
}

#[global_allocator]
static COUNTING: Counting = Counting;

fn engine() -> Engine {
    let places = logscrub::geo::Databases::embedded();
    Engine::new(Arc::new(rule::shipped().unwrap().rules), Some(Arc::new(places)))
}

fn default_policy() -> Policy {
    policy::shipped("default", &[]).unwrap().unwrap().policy
}

fn values(pack: PackName, count: u64) -> Vec<Vec<u8>> {
    let (from_ms, to_ms) = (1_767_225_600_000, 1_775_001_600_000);
    let plan = Plan { pack, seed: 23, from_ms, to_ms, partitions: 4, single_line: false };
    let (mut sampler, mut sample) = (Sampler::new(plan).unwrap(), Sample::default());
    let mut value = |number| {
        sampler.make(number, &mut sample).unwrap();
        sample.value.clone()
    };
    (0..count).map(&mut value).collect()
}

/// Allocations and bytes while `run` runs.
fn asked(run: impl FnOnce()) -> (u64, u64) {
    let before = ASKED.get();
    run();
    let after = ASKED.get();
    (after.0 - before.0, after.1 - before.1)
}

fn apply(
    engine: &Engine,
    policy: &Policy,
    stage: usize,
    scratch: &mut Scratch,
    value: &[u8],
    out: &mut RecordBuf,
) {
    let record = Record { value: Some(value), ..Record::default() };
    let _ = engine.apply(scratch, policy, stage, &record, out);
}

#[test]
fn the_allocator_counts() {
    let (times, bytes) = asked(|| drop(vec![0_u8; 1000]));
    assert_eq!((times, bytes), (1, 1000));
}

#[test]
fn a_record_needs_nothing_once_the_buffers_have_grown() {
    let (engine, policy) = (engine(), default_policy());
    for pack in [PackName::Ordinary, PackName::Dense, PackName::Second] {
        let values = values(pack, 1500);
        for stage in 0..policy.stages.len() {
            let (mut scratch, mut out) = (Scratch::default(), RecordBuf::default());
            let mut all = || {
                for value in &values {
                    apply(&engine, &policy, stage, &mut scratch, value, &mut out);
                }
            };
            // Buffers grow and log calls become known for a while; then nothing more is asked for.
            let (mut quiet, mut last) = (0, (0, 0));
            for _ in 0..100 {
                last = asked(&mut all);
                quiet = if last.0 == 0 { quiet + 1 } else { 0 };
                if quiet == 3 {
                    break;
                }
            }
            let (times, bytes) = last;
            assert!(
                quiet == 3,
                "{pack:?}, stage {stage}: {times} allocations of {bytes} bytes in {} records",
                values.len()
            );
        }
    }
}

/// What records of one kind are made of: units that repeat.
fn units() -> Vec<String> {
    let mut units: Vec<String> = [
        "sent to +14155550132 in 12 ms ",
        "{\"to\":\"+14155550132\",\"text\":\"see you at six\"}",
        "\"a\":\"b\",",
        "to=14155550132&",
        "%2B14155550132%20",
        "\\u002b14155550132 ",
        "<a b='c'>",
        "[msg:5:hello] ",
        "0123456789abcdef",
        "{\"a\":[",
        "eyJ0byI6IisxNDE1NTU1MDEzMiJ9 ",
        "'",
        "id=7, text=see you at six, took=12 ",
        "code 482913 ",
        "« a b c » ",
        "::1 ",
    ]
    .map(str::to_owned)
    .into();
    for pack in [PackName::Dense, PackName::Second] {
        units.extend(values(pack, 8).iter().map(|value| String::from_utf8_lossy(value).into_owned() + " "));
    }
    units
}

/// Whatever a record is made of, the memory for it grows as it does.
#[test]
fn memory_grows_with_a_record_and_not_faster() {
    let (engine, policy) = (engine(), default_policy());
    for unit in units() {
        for stage in 0..policy.stages.len() {
            let spent = |size: usize| {
                let value = unit.repeat(size / unit.len());
                let (mut scratch, mut out) = (Scratch::default(), RecordBuf::default());
                asked(|| apply(&engine, &policy, stage, &mut scratch, value.as_bytes(), &mut out)).1
            };
            let (small, large) = (spent(100_000), spent(1_600_000));
            // Sixteen times the size; buffers double, so that one may have doubled once more.
            assert!(large <= small * 32 + 1_000_000, "{unit:?}, stage {stage}: {small} bytes, then {large}");
        }
    }
}

/// Nanoseconds that the thread was on a core, as Linux counts them.
fn on_a_core() -> u64 {
    let counts =
        std::fs::read_to_string("/proc/thread-self/schedstat").expect("Linux counts a thread's time");
    counts.split(' ').next().and_then(|first| first.parse().ok()).expect("begins with a number")
}

/// And so does the time: sixteen times the size takes no more than three times sixteen as long, where its square
/// would take 256 times as long.
#[test]
fn time_grows_with_a_record_and_not_faster() {
    let (engine, policy) = (engine(), default_policy());
    let (mut scratch, mut out) = (Scratch::default(), RecordBuf::default());
    for unit in units() {
        for stage in 0..policy.stages.len() {
            let mut spent = |size: usize| {
                let value = unit.repeat(size / unit.len() + 1);
                let before = on_a_core();
                apply(&engine, &policy, stage, &mut scratch, value.as_bytes(), &mut out);
                on_a_core() - before
            };
            // The clock may tick but every few milliseconds.
            let small = spent(150_000).max(spent(150_000)).max(4_000_000);
            let large = spent(2_400_000);
            assert!(large <= small * 48, "{unit:?}, stage {stage}: {small} ns, then {large} ns");
        }
    }
}
