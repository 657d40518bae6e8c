//! Rounds in which everything that is compared takes its turn.

/// How many rounds are measured, after one that warms up.
pub const ROUNDS: usize = 5;

/// Each takes so long a turn at least: the kernel's figures are as coarse as its ticks, and a copy is over between two.
const TURN_SECONDS: f64 = 0.1;

/// Something to be measured.
pub struct Subject<'r> {
    pub name: String,
    bytes: usize,
    run: Box<dyn FnMut() + 'r>,
}

impl<'r> Subject<'r> {
    /// `run` goes through all of the records.
    pub fn new(name: &str, records: &[Vec<u8>], run: impl FnMut() + 'r) -> Self {
        Subject { name: name.to_owned(), bytes: records.iter().map(Vec::len).sum(), run: Box::new(run) }
    }
}

/// MB/s of each.
pub fn interleaved(subjects: &mut [Subject<'_>]) -> Vec<f64> {
    let mut speeds: Vec<Vec<f64>> = vec![Vec::new(); subjects.len()];
    for round in 0..=ROUNDS {
        for (subject, speeds) in subjects.iter_mut().zip(&mut speeds) {
            let before = cpu_seconds();
            let (mut runs, mut seconds) = (0.0, 0.0);
            while seconds < TURN_SECONDS {
                (subject.run)();
                runs += 1.0;
                seconds = cpu_seconds() - before;
            }
            if round > 0 {
                speeds.push(runs * subject.bytes as f64 / 1e6 / seconds);
            }
        }
    }
    speeds.iter_mut().map(|speeds| median(speeds)).collect()
}

pub fn median(figures: &mut [f64]) -> f64 {
    figures.sort_by(f64::total_cmp);
    figures[figures.len() / 2]
}

/// What this thread has spent on a CPU (proc_pid_schedstat(5): nanoseconds, the first number).
fn cpu_seconds() -> f64 {
    let stat = std::fs::read_to_string("/proc/thread-self/schedstat").expect("a Linux kernel's figures");
    stat.split(' ').next().and_then(|spent| spent.parse::<f64>().ok()).expect("a number") / 1e9
}
