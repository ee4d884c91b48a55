//! A small harness for benches: what takes part is measured in turns, so that a machine that is
//! busy for a while slows all of it alike, and every figure stands beside its spread.
//!
//! Output is Markdown, and the exit status says whether every target was met.

use std::fmt;
use std::hint::black_box;
use std::process::{Command, ExitCode};
use std::time::{Duration, Instant};

use goodstanding::app::SystemClock;
use goodstanding::time::Clock;

/// Rounds of a comparison; each takes one sample of every participant.
const ROUNDS: usize = 15;

/// How long one sample takes, so that starting and stopping the clock weighs little.
const SAMPLE: Duration = Duration::from_millis(60);

/// Those that the arguments of the program ask for by name; all of them where they name none.
pub(crate) fn chosen<B: Copy>(benches: &[(&str, B)]) -> Vec<B> {
    let arguments = std::env::args().skip(1);
    let asked: Vec<String> = arguments
        .filter(|argument| !argument.starts_with('-'))
        .collect();
    let known = |name: &String| benches.iter().any(|(bench, _)| bench == name);
    if let Some(unknown) = asked.iter().find(|name| !known(name)) {
        let names: Vec<&str> = benches.iter().map(|(name, _)| *name).collect();
        eprintln!(
            "There is no bench {unknown:?}; there are {}.",
            names.join(", ")
        );
        std::process::exit(1);
    }
    let wanted = |name: &str| asked.is_empty() || asked.iter().any(|one| one == name);
    let chosen = benches.iter().filter(|(name, _)| wanted(name));
    chosen.map(|(_, bench)| *bench).collect()
}

/// CPU time of the calling thread, where the system tells; else the time that passes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct CpuClock {
    at: Instant,
    cpu: Option<Duration>,
}

impl CpuClock {
    /// Starts to count.
    pub(crate) fn start() -> Self {
        let cpu = cpu_of_this_thread();
        let at = Instant::now();
        Self { at, cpu }
    }

    /// What was used since then.
    pub(crate) fn used(&self) -> Duration {
        match (self.cpu, cpu_of_this_thread()) {
            (Some(before), Some(now)) => now.saturating_sub(before),
            _ => self.at.elapsed(),
        }
    }

    /// Whether CPU time can be told apart from the time that passes.
    pub(crate) fn is_cpu() -> bool {
        cpu_of_this_thread().is_some()
    }
}

/// Linux counts in nanoseconds; the first number is the time on a CPU. It is brought up to date
/// when the thread leaves the CPU, or else at the next tick of the scheduler, some milliseconds on,
/// so the thread leaves for a moment.
fn cpu_of_this_thread() -> Option<Duration> {
    std::thread::park_timeout(Duration::from_micros(1));
    let counted = std::fs::read_to_string("/proc/thread-self/schedstat").ok()?;
    let nanoseconds = counted.split_ascii_whitespace().next()?.parse().ok()?;
    Some(Duration::from_nanos(nanoseconds))
}

/// Samples of one thing, in seconds unless said otherwise.
#[derive(Debug, Clone)]
pub(crate) struct Samples(Vec<f64>);

impl Samples {
    /// The samples, at least one.
    pub(crate) fn new(mut samples: Vec<f64>) -> Self {
        assert!(!samples.is_empty(), "a figure needs samples");
        samples.sort_by(f64::total_cmp);
        Self(samples)
    }

    /// The one in the middle.
    pub(crate) fn median(&self) -> f64 {
        self.0[self.0.len() / 2]
    }

    /// The smallest and the largest.
    pub(crate) fn spread(&self) -> (f64, f64) {
        (self.0[0], self.0[self.0.len() - 1])
    }

    /// As a cell of times: `1.23 ms (1.20 to 1.31)`.
    pub(crate) fn times(&self) -> String {
        let (least, most) = self.spread();
        let unit = Unit::of(self.median());
        let [middle, least, most] = [self.median(), least, most].map(|value| unit.number(value));
        format!("{middle} {} ({least} to {most})", unit.name)
    }

    /// As a cell of rates, for `count` things a sample: `1,230,000 /s (1,210,000 to 1,240,000)`.
    pub(crate) fn rates(&self, count: usize) -> String {
        let (least, most) = self.spread();
        let rate = |seconds: f64| grouped(round_to_three(count as f64 / seconds));
        let (slowest, fastest) = (rate(most), rate(least));
        format!("{} /s ({slowest} to {fastest})", rate(self.median()))
    }

    /// As a cell of small ratios: `1.52× (1.49 to 1.60)`.
    pub(crate) fn hundredths(&self) -> String {
        let (least, most) = self.spread();
        format!("{:.2}× ({least:.2} to {most:.2})", self.median())
    }

    /// As a cell of ratios: `31.2× (29.8 to 33.0)`.
    pub(crate) fn ratios(&self) -> String {
        let (least, most) = self.spread();
        format!("{:.1}× ({least:.1} to {most:.1})", self.median())
    }
}

struct Unit {
    name: &'static str,
    scale: f64,
}

impl Unit {
    const fn of(seconds: f64) -> Self {
        let (name, scale) = if seconds < 1e-3 {
            ("µs", 1e6)
        } else if seconds < 1.0 {
            ("ms", 1e3)
        } else {
            ("s", 1.0)
        };
        Self { name, scale }
    }

    fn number(&self, seconds: f64) -> String {
        let value = seconds * self.scale;
        let digits = match value {
            100.0.. => 0,
            10.0.. => 1,
            _ => 2,
        };
        format!("{value:.digits$}")
    }
}

/// The moment, to the second.
pub(crate) fn now() -> String {
    SystemClock.now().whole_seconds().to_string()
}

fn round_to_three(value: f64) -> u64 {
    let mut step = 1.0;
    while value / step >= 1000.0 {
        step *= 10.0;
    }
    ((value / step).round() * step) as u64
}

/// A number with its thousands apart: `1,230,000`.
pub(crate) fn grouped(value: u64) -> String {
    let digits = value.to_string();
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// Something to measure: a name, and the work, which says what it found so that nothing of it is
/// optimized away.
pub(crate) struct Participant<'a> {
    /// What it is called in the output.
    pub(crate) name: &'static str,
    work: Box<dyn FnMut() + 'a>,
    repeat: u32,
}

impl<'a> Participant<'a> {
    /// Work under a name.
    pub(crate) fn new<T>(name: &'static str, mut work: impl FnMut() -> T + 'a) -> Self {
        let work = Box::new(move || drop(black_box(work())));
        Self {
            name,
            work,
            repeat: 1,
        }
    }

    /// Warms up, and finds how often the work fits into a sample.
    fn calibrate(&mut self) {
        loop {
            let started = Instant::now();
            self.sample();
            let taken = started.elapsed();
            if taken >= SAMPLE {
                return;
            }
            let factor = SAMPLE.as_secs_f64() / taken.as_secs_f64().max(1e-9);
            let times = f64::from(self.repeat) * (factor * 1.1).clamp(1.2, 10.0);
            self.repeat = times.ceil() as u32;
        }
    }

    /// CPU time of one run of the work, in seconds.
    fn sample(&mut self) -> f64 {
        let clock = CpuClock::start();
        for _ in 0..self.repeat {
            (self.work)();
        }
        clock.used().as_secs_f64() / f64::from(self.repeat)
    }
}

/// CPU time of each participant, in the order given; sample `n` of one was taken right beside
/// sample `n` of the others. The samples are not sorted yet.
pub(crate) fn in_turns(participants: &mut [Participant<'_>]) -> Vec<Vec<f64>> {
    in_turns_with(participants, || {})
}

/// As [`in_turns`], with `another` at the end of each round: what takes its samples elsewhere.
pub(crate) fn in_turns_with(
    participants: &mut [Participant<'_>],
    mut another: impl FnMut(),
) -> Vec<Vec<f64>> {
    participants.iter_mut().for_each(Participant::calibrate);
    let mut samples = vec![Vec::with_capacity(ROUNDS); participants.len()];
    for _ in 0..ROUNDS {
        for (participant, samples) in participants.iter_mut().zip(&mut samples) {
            samples.push(participant.sample());
        }
        another();
    }
    samples
}

/// How many times as long as `ours` each of `theirs` took, round by round.
pub(crate) fn ratios(ours: &[f64], theirs: &[f64]) -> Samples {
    let pairs = ours.iter().zip(theirs);
    Samples::new(pairs.map(|(ours, theirs)| theirs / ours).collect())
}

/// A target and whether it was met.
#[derive(Debug, Clone)]
pub(crate) struct Verdict {
    target: String,
    met: bool,
}

impl Verdict {
    /// The figure has to be below `most`, which reads as `target`.
    pub(crate) fn below(figure: f64, most: f64, target: &str) -> Self {
        Self {
            target: format!("below {target}"),
            met: figure < most,
        }
    }

    /// The figure has to be `least` or more, which reads as `target`.
    pub(crate) fn at_least(figure: f64, least: f64, target: &str) -> Self {
        Self {
            target: format!("at least {target}"),
            met: figure >= least,
        }
    }

    /// One of the two suffices.
    pub(crate) fn either(one: &Self, other: &Self) -> Self {
        Self {
            target: format!("{}, or {}", one.target, other.target),
            met: one.met || other.met,
        }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let word = if self.met { "met" } else { "**missed**" };
        write!(f, "{}: {word}", self.target)
    }
}

/// Prints as it goes, and remembers which targets were missed.
#[derive(Debug, Default)]
pub(crate) struct Report {
    missed: Vec<String>,
}

impl Report {
    /// Starts with what has to be known of the machine and of the build.
    pub(crate) fn begin(title: &str, command: &str) -> Self {
        println!("# {title}\n");
        println!("- date: {}", SystemClock.now().whole_seconds());
        println!("- machine: {}", machine());
        println!("- commit: {}", commit());
        println!("- command: `{command}`");
        let counted = if CpuClock::is_cpu() {
            "times are CPU time of the thread unless a row says otherwise"
        } else {
            "this system does not tell CPU time: all times are the time that passed"
        };
        println!("- median of the samples (least to most); {counted}");
        Self::default()
    }

    /// A heading, what is done, and the head of a table.
    pub(crate) fn section(&self, title: &str, words: &str) {
        println!("\n## {title}\n\n{words}\n\n| what | figure | target |\n|---|---|---|");
    }

    /// A row that has no target.
    pub(crate) fn context(&self, what: &str, figure: &str) {
        println!("| {what} | {figure} | |");
    }

    /// A row with a target.
    pub(crate) fn judged(&mut self, what: &str, figure: &str, verdict: &Verdict) {
        println!("| {what} | {figure} | {verdict} |");
        if !verdict.met {
            self.missed
                .push(format!("{what}: {figure}, {}", verdict.target));
        }
    }

    /// Success where every target was met.
    pub(crate) fn finish(self) -> ExitCode {
        if self.missed.is_empty() {
            println!("\nEvery target was met.");
            return ExitCode::SUCCESS;
        }
        println!("\nMissed:");
        for line in &self.missed {
            println!("- {line}");
        }
        ExitCode::FAILURE
    }
}

/// Cores and processor.
pub(crate) fn machine() -> String {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let described = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let field = |name: &str| {
        let mut lines = described.lines().filter_map(|line| line.split_once(':'));
        lines
            .find(|(field, _)| field.trim() == name)
            .map_or("unknown", |(_, value)| value.trim())
            .to_owned()
    };
    let (model, number) = (field("model name"), field("model"));
    format!("{cores} cores, {model}, model {number}")
}

/// The commit that is checked out.
pub(crate) fn commit() -> String {
    let asked = Command::new("git")
        .args(["rev-parse", "--short", "HEAD"])
        .output();
    match asked {
        Ok(answer) if answer.status.success() => {
            String::from_utf8_lossy(&answer.stdout).trim().to_owned()
        }
        _ => "unknown".to_owned(),
    }
}
