//! Two servers under the same requests in turns, A B A B, so that a machine that is busy for a while slows
//! both alike; ratios are taken round by round.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use tempfile::TempDir;

use crate::Context;
use crate::harness::Samples;
use crate::process::Process;
use crate::results::{megabytes, middle, rates, time};
use crate::service::scratch;
use crate::wrk::{self, Ran, Requests};

/// A server and what is asked of it.
pub(crate) struct Side<'a> {
    pub(crate) name: &'static str,
    pub(crate) process: &'a Process,
    pub(crate) requests: Requests,
    /// Bytes of each answer as they come over the wire; 0: they differ.
    pub(crate) wire: u64,
}

/// The rounds of both; round `n` of one ran right beside round `n` of the other.
pub(crate) struct Turns {
    pub(crate) ours: Vec<Ran>,
    pub(crate) theirs: Vec<Ran>,
}

/// Measures both, and writes their figures below the table.
pub(crate) fn compare(
    context: &mut Context,
    what: &str,
    ours: &Side<'_>,
    theirs: &Side<'_>,
) -> Turns {
    let folder = scratch();
    let mut turns = Turns {
        ours: Vec::new(),
        theirs: Vec::new(),
    };
    for side in [ours, theirs] {
        wrk::run(
            &context.tools,
            folder.path(),
            side.process,
            &side.requests,
            1,
        );
    }
    for _ in 0..context.rounds {
        turns.ours.push(round(context, &folder, ours));
        turns.theirs.push(round(context, &folder, theirs));
    }
    let mut text = table();
    text.push_str(&figures(what, ours, &turns.ours));
    text.push_str(&figures(what, theirs, &turns.theirs));
    context.results.detail(&text);
    turns
}

/// Measures one alone, and writes its figures below the table.
pub(crate) fn alone(context: &mut Context, what: &str, side: &Side<'_>) -> Vec<Ran> {
    let folder = scratch();
    wrk::run(
        &context.tools,
        folder.path(),
        side.process,
        &side.requests,
        1,
    );
    let rounds: Vec<Ran> = (0..context.rounds)
        .map(|_| round(context, &folder, side))
        .collect();
    let text = table() + &figures(what, side, &rounds);
    context.results.detail(&text);
    rounds
}

impl Turns {
    /// CPU time of ours for each request, as a multiple of theirs.
    pub(crate) fn cpu(&self) -> Samples {
        self.ratio(Ran::cpu_each)
    }

    /// Requests a second of ours, as a multiple of theirs.
    pub(crate) fn throughput(&self) -> Samples {
        self.ratio(Ran::rate)
    }

    fn ratio(&self, of: impl Fn(&Ran) -> f64) -> Samples {
        let pairs = self.ours.iter().zip(&self.theirs);
        Samples::new(pairs.map(|(ours, theirs)| of(ours) / of(theirs)).collect())
    }
}

/// CPU time for each request, as a cell: `7.52 µs (7.40 to 7.61)`.
pub(crate) fn cpu_cell(rounds: &[Ran]) -> String {
    Samples::new(rounds.iter().map(Ran::cpu_each).collect()).times()
}

/// Requests a second, as a cell.
pub(crate) fn rate_cell(rounds: &[Ran]) -> String {
    rates(rounds.iter().map(Ran::rate))
}

/// Has perf look at a server while wrk asks it, and keeps what it says as text.
pub(crate) fn profile(context: &Context, key: &str, side: &Side<'_>) {
    profile_while(context, key, side.process, || {
        let folder = scratch();
        let (tools, process) = (&context.tools, side.process);
        wrk::run(tools, folder.path(), process, &side.requests, 3);
    });
}

/// Has perf look at a server while `work` is done, for two seconds of it.
pub(crate) fn profile_while(context: &Context, key: &str, server: &Process, work: impl FnOnce()) {
    let Some(mut record) = context.tools.perf().filter(|_| context.profiles) else {
        return;
    };
    let folder = scratch();
    let data = folder.path().join("perf.data");
    record.args(["record", "-q", "-g", "-F", "997", "-p"]);
    record.arg(server.id().to_string()).arg("-o").arg(&data);
    record.args(["--", "sleep", "2"]);
    let quiet = record.stdout(Stdio::null()).stderr(Stdio::null());
    let Ok(mut child) = quiet.spawn() else {
        return;
    };
    work();
    // What it says of its own end is of no use here.
    let _ = child.wait();
    if let Some(place) = told(context, key, &data) {
        println!("- profile: {}", place.display());
    }
}

fn told(context: &Context, key: &str, data: &Path) -> Option<PathBuf> {
    let mut report = context.tools.perf()?;
    report.args([
        "report",
        "--stdio",
        "--no-children",
        "--no-inline",
        "-g",
        "none",
    ]);
    report.args(["--percent-limit", "0.4", "-i"]).arg(data);
    let output = report.stderr(Stdio::null()).output().ok()?;
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("profiles");
    fs::create_dir_all(&folder).ok()?;
    let place = folder.join(format!("{key}.txt"));
    let text = String::from_utf8_lossy(&output.stdout);
    let lines: Vec<&str> = text.lines().filter(|line| !line.starts_with('#')).collect();
    fs::write(&place, lines.join("\n")).ok()?;
    Some(place)
}

fn round(context: &Context, folder: &TempDir, side: &Side<'_>) -> Ran {
    let (tools, process) = (&context.tools, side.process);
    let ran = wrk::run(
        tools,
        folder.path(),
        process,
        &side.requests,
        context.seconds,
    );
    let each = ran.bytes as f64 / ran.requests as f64;
    let wanted = side.wire as f64;
    // Some answers had begun when the time was up.
    let close = side.wire == 0 || (each - wanted).abs() < wanted * 0.02;
    assert!(close, "{}: {each} bytes each, not {wanted}", side.name);
    ran
}

fn table() -> String {
    "\n| requests | server | requests a second | CPU of the server, each | p50 | p99 | p99.9 | resident |\n\
     |---|---|---|---|---|---|---|---|\n"
        .to_owned()
}

fn figures(what: &str, side: &Side<'_>, rounds: &[Ran]) -> String {
    let of = |time_of: fn(&Ran) -> Duration| time(middle(rounds.iter().map(time_of)));
    format!(
        "| {what} | {} | {} | {} | {} | {} | {} | {} |\n",
        side.name,
        rate_cell(rounds),
        cpu_cell(rounds),
        of(|ran| ran.p50),
        of(|ran| ran.p99),
        of(|ran| ran.p999),
        megabytes(side.process.memory().now),
    )
}
