//! What the system says of this process, as Prometheus' own programs name it.

use std::fs;

use crate::metrics::{Kind, Text};

/// So many ticks of the clock in which `/proc` counts time are a second, on every Linux (`USER_HZ`).
const TICKS: f64 = 100.0;

/// Writes what is known; where there is no `/proc` nothing is.
pub(super) fn write(text: &mut Text) {
    let read = |file: &str| fs::read_to_string(file).unwrap_or_default();
    let stat = read("/proc/self/stat");
    if let Some(seconds) = cpu_seconds(&stat) {
        let help = "Seconds of processor time that the process has used.";
        text.one("process_cpu_seconds_total", Kind::Counter, help, seconds);
    }
    if let Some(at) = started(&stat, &read("/proc/stat")) {
        let help = "When the process was started, in seconds since 1970.";
        text.one("process_start_time_seconds", Kind::Gauge, help, at);
    }
    let status = read("/proc/self/status");
    for (name, row, help) in [
        (
            "process_resident_memory_bytes",
            "VmRSS:",
            "Bytes of memory that the process has in use.",
        ),
        (
            "process_virtual_memory_bytes",
            "VmSize:",
            "Bytes of address space that the process has.",
        ),
    ] {
        if let Some(kilobytes) = row_of(&status, row) {
            text.one(name, Kind::Gauge, help, kilobytes * 1_024);
        }
    }
    if let Some(threads) = row_of(&status, "Threads:") {
        let help = "Threads of the process.";
        text.one("process_threads", Kind::Gauge, help, threads);
    }
    if let Ok(open) = fs::read_dir("/proc/self/fd") {
        // One of them is the folder that is being read.
        let open = open.count().saturating_sub(1);
        let help = "Files and connections that the process has open.";
        text.one("process_open_fds", Kind::Gauge, help, open);
    }
    if let Some(most) = row_of(&read("/proc/self/limits"), "Max open files") {
        let help = "Files and connections that the process may have open.";
        text.one("process_max_fds", Kind::Gauge, help, most);
    }
}

/// The fields of `/proc/self/stat` behind the name of the program, which may hold anything; the first
/// of them is number 3 in proc(5).
fn fields(stat: &str) -> Option<Vec<&str>> {
    let (_, fields) = stat.rsplit_once(')')?;
    Some(fields.split_whitespace().collect())
}

fn field(stat: &str, number: usize) -> Option<f64> {
    fields(stat)?.get(number - 3)?.parse().ok()
}

fn cpu_seconds(stat: &str) -> Option<f64> {
    Some((field(stat, 14)? + field(stat, 15)?) / TICKS)
}

/// When the system started, and how long after that the process did.
fn started(stat: &str, system: &str) -> Option<f64> {
    let booted: f64 = system
        .lines()
        .find_map(|line| line.strip_prefix("btime "))?
        .trim()
        .parse()
        .ok()?;
    Some(booted + field(stat, 22)? / TICKS)
}

/// The first number of the row that begins so.
fn row_of(rows: &str, begins: &str) -> Option<u64> {
    let row = rows.lines().find_map(|line| line.strip_prefix(begins))?;
    row.split_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const STAT: &str =
        "7 (a) b (c) S 1 7 7 0 -1 4194560 100 0 0 0 250 50 0 0 20 0 4 0 1000 5000 60 1";

    #[test]
    fn what_proc_says_is_read() {
        assert_eq!(cpu_seconds(STAT), Some(3.0));
        assert_eq!(started(STAT, "cpu 1\nbtime 500\n"), Some(510.0));
        assert_eq!(
            row_of("VmSize:\t  5 kB\nVmRSS:\t  3 kB\n", "VmRSS:"),
            Some(3)
        );
    }

    #[test]
    fn what_it_does_not_say_is_left_out() {
        assert_eq!(cpu_seconds(""), None);
        assert_eq!(started(STAT, ""), None);
        assert_eq!(row_of("Max open files   unlimited", "Max open files"), None);
    }
}
