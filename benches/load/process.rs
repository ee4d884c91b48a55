//! Servers in processes of their own: started on a port that was free, asked for what they used, and
//! ended by their ids, also where the driver panics.

use std::collections::HashSet;
use std::fs;
use std::io::{BufRead as _, BufReader};
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU16, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

/// How long a server may take to come up, or to end.
const PATIENCE: Duration = Duration::from_secs(120);

/// A server that is up. Dropping it ends it, with the processes that it started.
pub(crate) struct Process {
    child: Child,
    /// Where it listens.
    pub(crate) address: SocketAddr,
    /// From its start until it said that it was up.
    pub(crate) took: Duration,
}

/// Resident memory of a process, in bytes.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Memory {
    /// At present.
    pub(crate) now: u64,
    /// The most since it was started.
    pub(crate) most: u64,
}

impl Process {
    /// Starts a server and waits for the line that it prints when it is up: only our own child writes
    /// to that pipe, so that nobody else's server is taken for it.
    pub(crate) fn start(command: &mut Command, address: SocketAddr, up: &'static str) -> Self {
        let started = Instant::now();
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| panic!("{command:?} cannot be started: {error}"));
        let out = child.stdout.take().expect("standard output is piped");
        let (say, said) = mpsc::channel();
        thread::spawn(move || {
            for line in BufReader::new(out).lines().map_while(Result::ok) {
                if line.starts_with(up) && say.send(()).is_err() {
                    break;
                }
            }
        });
        let mut process = Self {
            child,
            address,
            took: Duration::ZERO,
        };
        match said.recv_timeout(PATIENCE) {
            Ok(()) => process.took = started.elapsed(),
            Err(RecvTimeoutError::Timeout) => panic!("{command:?} is not up in time"),
            Err(RecvTimeoutError::Disconnected) => panic!("{command:?} ended before it was up"),
        }
        process
    }

    /// Starts a server that says nothing, and is up when it is `seen` to be.
    pub(crate) fn start_unheard(
        command: &mut Command,
        address: SocketAddr,
        seen: impl Fn() -> bool,
    ) -> Self {
        let started = Instant::now();
        let child = command
            .stdin(Stdio::null())
            .spawn()
            .unwrap_or_else(|error| panic!("{command:?} cannot be started: {error}"));
        let mut process = Self {
            child,
            address,
            took: Duration::ZERO,
        };
        while !seen() {
            if let Ok(Some(status)) = process.child.try_wait() {
                panic!("{command:?} ended before it was up: {status}");
            }
            assert!(started.elapsed() < PATIENCE, "{command:?} is not up");
            thread::sleep(Duration::from_millis(10));
        }
        process.took = started.elapsed();
        process
    }

    /// The number of the process.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// CPU time of the process and of those that it started, threads that have ended included. The
    /// system counts it in ticks of 10 ms.
    pub(crate) fn cpu(&self) -> Duration {
        let mut processes = children(self.id());
        processes.push(self.id());
        processes.into_iter().map(cpu_of).sum()
    }

    /// Resident memory, of all of its processes together.
    pub(crate) fn memory(&self) -> Memory {
        let mut processes = children(self.id());
        processes.push(self.id());
        let each = processes.into_iter().map(memory_of);
        each.fold(Memory::default(), |sum, one| Memory {
            now: sum.now + one.now,
            most: sum.most + one.most,
        })
    }

    /// Tells the process to end, as service managers do, and waits for it.
    fn end(&mut self) {
        let started = children(self.id());
        tell(self.id(), Signal::TERM);
        let until = Instant::now() + Duration::from_secs(30);
        while matches!(self.child.try_wait(), Ok(None)) {
            if Instant::now() > until {
                // It may end by itself meanwhile.
                let _ = self.child.kill();
                started.iter().for_each(|id| tell(*id, Signal::KILL));
            }
            thread::sleep(Duration::from_millis(5));
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if matches!(self.child.try_wait(), Ok(None)) {
            self.end();
        }
    }
}

/// A port that is free at present, below those that the system gives to outgoing connections.
pub(crate) fn free_address() -> SocketAddr {
    static GIVEN: AtomicU16 = AtomicU16::new(0);
    let start = u16::try_from(std::process::id() % 10_000).expect("it is a small number");
    let mut every = (0..10_000).map(|_| {
        let step = GIVEN.fetch_add(1, Ordering::Relaxed);
        SocketAddr::from((
            Ipv4Addr::LOCALHOST,
            20_000 + start.wrapping_add(step) % 10_000,
        ))
    });
    every
        .find(|address| TcpListener::bind(address).is_ok())
        .expect("one of so many ports is free")
}

fn tell(id: u32, signal: Signal) {
    let pid = i32::try_from(id).ok().and_then(Pid::from_raw);
    // It may be gone already.
    let _ = pid.map(|pid| kill_process(pid, signal));
}

/// The processes that a process started, and those that these started.
fn children(id: u32) -> Vec<u32> {
    let mut found = Vec::new();
    let mut left = vec![id];
    let mut seen = HashSet::new();
    while let Some(id) = left.pop() {
        let told = fs::read_to_string(format!("/proc/{id}/task/{id}/children"));
        let told = told.unwrap_or_default();
        for child in told.split_whitespace().filter_map(|id| id.parse().ok()) {
            if seen.insert(child) {
                found.push(child);
                left.push(child);
            }
        }
    }
    found
}

/// `utime` and `stime`, the 14th and 15th field; the second may hold blanks, within parentheses.
fn cpu_of(id: u32) -> Duration {
    const TICK: Duration = Duration::from_millis(10);
    let stat = fs::read_to_string(format!("/proc/{id}/stat")).unwrap_or_default();
    let fields = stat.rsplit(')').next().unwrap_or_default();
    let ticks: u32 = fields
        .split_whitespace()
        .skip(11)
        .take(2)
        .filter_map(|field| field.parse::<u32>().ok())
        .sum();
    TICK * ticks
}

fn memory_of(id: u32) -> Memory {
    let status = fs::read_to_string(format!("/proc/{id}/status")).unwrap_or_default();
    let field = |name: &str| {
        let mut lines = status.lines();
        let value = lines.find_map(|line| line.strip_prefix(name))?;
        let kibibytes: u64 = value.split_whitespace().next()?.parse().ok()?;
        Some(kibibytes * 1_024)
    };
    Memory {
        now: field("VmRSS:").unwrap_or_default(),
        most: field("VmHWM:").unwrap_or_default(),
    }
}
