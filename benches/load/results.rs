//! The table of what was reached, printed as it comes and written into `benches/RESULTS.md`.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use crate::harness::{Samples, commit, grouped, machine, now};
use crate::tools::Tools;

/// What limits each, as its profile says: `key: words`, by hand.
const LIMITS: &str = include_str!("limits.txt");
/// What each was before the service was made faster: `key: figure`, from a run of this driver.
const BEFORE: &str = include_str!("before.txt");

const BEGIN: &str = "<!-- load:begin -->";
const END: &str = "<!-- load:end -->";

/// A row of the table of goals.
pub(crate) struct Row {
    /// By which `limits.txt` and `before.txt` know it.
    pub(crate) key: &'static str,
    pub(crate) what: String,
    pub(crate) figure: String,
    pub(crate) goal: Goal,
}

/// What is wanted of a figure, and whether it is so.
pub(crate) enum Goal {
    Met(String),
    Missed(String),
}

impl Goal {
    /// A goal in words, and whether it is met.
    pub(crate) fn of(words: &str, met: bool) -> Self {
        match met {
            true => Self::Met(words.to_owned()),
            false => Self::Missed(words.to_owned()),
        }
    }
}

/// What was measured so far.
pub(crate) struct Results {
    head: String,
    rows: Vec<Row>,
    details: String,
}

impl Results {
    /// Begins with what has to be known of the machine and of the build.
    pub(crate) fn begin(tools: &Tools, command: &str) -> Self {
        let mut head = String::new();
        let load = fs::read_to_string("/proc/loadavg").unwrap_or_default();
        let load: Vec<&str> = load.split(' ').take(1).collect();
        let facts = [
            ("date", now()),
            ("machine", machine()),
            ("commit", commit()),
            ("command", format!("`{command}`")),
            ("beside", tools.versions()),
            ("before", said(BEFORE, "of").to_owned()),
            ("load of the machine before it began (1 min)", load.join("")),
        ];
        for (name, value) in facts {
            writeln!(head, "- {name}: {value}").expect("a text grows");
        }
        println!("# Service under load\n\n{head}");
        Self {
            head,
            rows: Vec::new(),
            details: String::new(),
        }
    }

    /// A row, printed at once.
    pub(crate) fn row(&mut self, row: Row) {
        println!("{}", line(&row));
        self.rows.push(row);
    }

    /// Figures that stand below the table, printed at once.
    pub(crate) fn detail(&mut self, text: &str) {
        println!("{text}");
        self.details.push_str(text);
        self.details.push('\n');
    }

    /// The rows whose keys are asked for and were measured.
    pub(crate) fn finish(self, whole: bool) -> ExitCode {
        let text = self.text();
        println!("\n{text}");
        if whole {
            write_down(&text);
        }
        let missed = self
            .rows
            .iter()
            .filter(|row| matches!(row.goal, Goal::Missed(_)));
        match missed.count() {
            0 => ExitCode::SUCCESS,
            count => {
                println!("{count} goals were missed.");
                ExitCode::FAILURE
            }
        }
    }

    fn text(&self) -> String {
        let mut text = format!(
            "{}\n| what | reached | goal | met | before | what limits |\n|---|---|---|---|---|---|\n",
            self.head
        );
        for row in &self.rows {
            text.push_str(&line(row));
            text.push('\n');
        }
        format!("{text}\n{}", self.details)
    }
}

fn line(row: &Row) -> String {
    let (goal, met) = match &row.goal {
        Goal::Met(words) => (&**words, "yes"),
        Goal::Missed(words) => (&**words, "**no**"),
    };
    let (before, limits) = (said(BEFORE, row.key), said(LIMITS, row.key));
    let (what, figure) = (&row.what, &row.figure);
    format!("| {what} | {figure} | {goal} | {met} | {before} | {limits} |")
}

/// What a text of `key: words` says of a key.
fn said<'a>(text: &'a str, key: &str) -> &'a str {
    let mut lines = text.lines().filter_map(|line| line.split_once(": "));
    lines
        .find(|(one, _)| *one == key)
        .map_or("", |(_, words)| words)
}

/// Puts the text between its marks in `RESULTS.md`.
fn write_down(text: &str) {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/RESULTS.md");
    let old = fs::read_to_string(&file).expect("RESULTS.md is there");
    let (Some(begin), Some(end)) = (old.find(BEGIN), old.find(END)) else {
        eprintln!(
            "{} has no {BEGIN} and {END}; nothing is written",
            file.display()
        );
        return;
    };
    let (before, after) = (&old[..begin + BEGIN.len()], &old[end..]);
    fs::write(&file, format!("{before}\n{}\n{after}", text.trim_end())).expect("it can be written");
    println!("Written into {}.", file.display());
}

/// `12,300 /s (12,100 to 12,500)`
pub(crate) fn rates(each: impl IntoIterator<Item = f64>) -> String {
    let each = Samples::new(each.into_iter().collect());
    let (least, most) = each.spread();
    let [middle, least, most] = [each.median(), least, most].map(|rate| grouped(rate as u64));
    format!("{middle} /s ({least} to {most})")
}

/// `1.23 ms`
pub(crate) fn time(duration: Duration) -> String {
    let seconds = duration.as_secs_f64();
    match seconds {
        1.0.. => format!("{seconds:.2} s"),
        1e-3.. => format!("{:.2} ms", seconds * 1e3),
        _ => format!("{:.0} µs", seconds * 1e6),
    }
}

/// The middle one of some durations.
pub(crate) fn middle(each: impl IntoIterator<Item = Duration>) -> Duration {
    let mut each: Vec<Duration> = each.into_iter().collect();
    each.sort();
    each.get(each.len() / 2).copied().unwrap_or_default()
}

/// The value below which this share of sorted values lies.
pub(crate) fn quantile(sorted: &[Duration], share: f64) -> Duration {
    let place = (sorted.len() as f64 * share).ceil() as usize;
    sorted
        .get(place.saturating_sub(1))
        .copied()
        .unwrap_or_default()
}

/// `123 MB`
pub(crate) fn megabytes(bytes: u64) -> String {
    format!("{} MB", grouped((bytes as f64 / 1e6).round() as u64))
}
