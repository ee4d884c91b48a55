//! A server in a process of its own, which can be told to stop, and killed.

use std::io::{BufRead as _, BufReader, Read as _};
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicU16, Ordering};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

/// How long anything may take that a loaded machine does in a moment.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// A server that is up. Dropping it kills it.
pub(crate) struct Server {
    child: Child,
    lines: Receiver<String>,
    err: Option<JoinHandle<String>>,
    /// What it printed up to when it was up.
    pub(crate) greeting: String,
    /// Where it listens.
    pub(crate) address: SocketAddr,
}

/// A server that has ended by itself.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) status: ExitStatus,
    /// All that it printed.
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Server {
    /// Starts `command`, which serves, and waits until it says that it does.
    pub(crate) fn start(command: &mut Command) -> Self {
        Self::try_start(command).unwrap_or_else(|ended| panic!("the server ended: {ended:?}"))
    }

    /// Like [`Server::start`]; a server that ends before it is up is an error.
    pub(crate) fn try_start(command: &mut Command) -> Result<Self, Ended> {
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the program was built with the tests");
        let out = BufReader::new(child.stdout.take().expect("standard output is piped"));
        let mut err = child.stderr.take().expect("standard error is piped");
        let (say, lines) = mpsc::channel();
        thread::spawn(move || {
            for line in out.lines().map_while(Result::ok) {
                if say.send(line).is_err() {
                    break;
                }
            }
        });
        let err = thread::spawn(move || {
            let mut said = Vec::new();
            let _ = err.read_to_end(&mut said);
            String::from_utf8_lossy(&said).into_owned()
        });
        let mut server = Self {
            child,
            lines,
            err: Some(err),
            greeting: String::new(),
            address: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
        };
        match server.wait_until_up() {
            true => Ok(server),
            false => Err(server.ended()),
        }
    }

    /// Reads up to the line that only a server that is up prints: where it listens, or, in
    /// development mode, how to stop it.
    fn wait_until_up(&mut self) -> bool {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            let line = match self.lines.recv_timeout(left) {
                Ok(line) => line,
                Err(RecvTimeoutError::Disconnected) => return false,
                Err(RecvTimeoutError::Timeout) => panic!("not up in time: {}", self.greeting),
            };
            self.greeting.push_str(&line);
            self.greeting.push('\n');
            if line.starts_with("Goodstanding serves ") {
                let address = line.rsplit(' ').next().unwrap_or_default();
                self.address = address.parse().expect("the line ends in the address");
                return true;
            }
            if line.contains("Ctrl-C") || line.starts_with('{') {
                return true;
            }
        }
    }

    /// The server's origin, by address.
    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The number of its process.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Ends the process as a power cut would: it gets no chance to do anything more.
    pub(crate) fn kill(&mut self) {
        self.child.kill().expect("the process can be killed");
        self.child.wait().expect("a killed process ends");
    }

    /// Asks the process to stop, as service managers do.
    pub(crate) fn terminate(&self) {
        self.tell("TERM");
    }

    /// Sends the process a signal, by its name.
    pub(crate) fn tell(&self, signal: &str) {
        // A shell has `kill` built in; the system may not.
        let told = Command::new("sh")
            .args([
                "-c",
                "kill -\"$1\" \"$0\"",
                &self.child.id().to_string(),
                signal,
            ])
            .status()
            .expect("there is a shell");
        assert!(told.success(), "SIG{signal} could not be sent");
    }

    /// Asks the process to stop, and waits until it has ended.
    pub(crate) fn stop(self) -> Ended {
        self.terminate();
        self.ended()
    }

    /// Waits until the process has ended by itself.
    pub(crate) fn ended(mut self) -> Ended {
        let deadline = Instant::now() + PATIENCE;
        let status = loop {
            match self.child.try_wait().expect("it is our child") {
                Some(status) => break status,
                None if Instant::now() > deadline => panic!("the server does not end"),
                None => thread::sleep(Duration::from_millis(5)),
            }
        };
        let err = self.err.take().expect("it is taken here only");
        let mut out = std::mem::take(&mut self.greeting);
        out.extend(self.lines.iter().flat_map(|line| [line, "\n".to_owned()]));
        Ended {
            status,
            out,
            err: err.join().expect("reading does not panic"),
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Ended {
    /// Holds the server to having stopped as it was told, with all done.
    #[track_caller]
    pub(crate) fn in_order(&self) {
        assert_eq!(self.status.code(), Some(0), "{}", self.err);
    }
}

/// Starts a server on a port of this function's choice, which `command` is given: for development
/// mode, whose URLs contain the port before it is bound.
pub(crate) fn start_on_a_free_port(command: impl Fn(u16) -> Command) -> Server {
    for port in ports() {
        match Server::try_start(&mut command(port)) {
            Ok(mut server) => {
                server.address.set_port(port);
                return server;
            }
            // Somebody took the port since it was seen free.
            Err(ended) if ended.err.contains("cannot be listened on") => {}
            Err(ended) => panic!("the server ended: {ended:?}"),
        }
    }
    panic!("no port is free")
}

/// A port that is free at present.
pub(crate) fn free_port() -> u16 {
    ports().next().expect("a port is free")
}

/// Ports that are free at present, each given once, below those that the system gives to outgoing
/// connections. Processes begin at places of their own, so that two of them seldom meet.
fn ports() -> impl Iterator<Item = u16> {
    static GIVEN: AtomicU16 = AtomicU16::new(0);
    let start = u16::try_from(std::process::id() % PORTS).expect("it is a small number");
    let every = (0..PORTS).map(move |_| {
        let step = GIVEN.fetch_add(1, Ordering::Relaxed);
        20_000 + start.wrapping_add(step) % 10_000
    });
    every.filter(|port| TcpListener::bind((Ipv4Addr::LOCALHOST, *port)).is_ok())
}

const PORTS: u32 = 10_000;
