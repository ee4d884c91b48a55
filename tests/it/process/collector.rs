//! Whoever collects traces, on this machine: it keeps what it is sent, as it is sent.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::sync::mpsc::{self, Receiver};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use super::server::{PATIENCE, free_port};

/// A collector, until the tests end.
pub(crate) struct Collector {
    address: String,
    taken: Arc<Mutex<Vec<Taken>>>,
    came: Receiver<()>,
}

/// One request.
#[derive(Clone)]
pub(crate) struct Taken {
    /// The first line and the headers, in lower case.
    pub(crate) head: Vec<String>,
    pub(crate) body: Vec<u8>,
}

impl Collector {
    pub(crate) fn open() -> Self {
        Self::that_answers("200 OK")
    }

    /// One that answers so, whatever it is sent.
    pub(crate) fn that_answers(status: &'static str) -> Self {
        let port = free_port();
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).unwrap();
        let taken = Arc::<Mutex<Vec<Taken>>>::default();
        let (says, came) = mpsc::channel();
        let keeps = taken.clone();
        thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let (keeps, says) = (keeps.clone(), says.clone());
                thread::spawn(move || {
                    let mut stream = BufReader::new(stream);
                    while let Some(one) = read(&mut stream) {
                        locked(&keeps).push(one);
                        let _ = says.send(());
                        let told = format!("HTTP/1.1 {status}\r\nContent-Length: 0\r\n\r\n");
                        let _ = stream.get_mut().write_all(told.as_bytes());
                    }
                });
            }
        });
        Self {
            address: format!("http://127.0.0.1:{port}"),
            taken,
            came,
        }
    }

    /// Its base URL.
    pub(crate) fn url(&self) -> &str {
        &self.address
    }

    /// Waits until it is sent something.
    pub(crate) fn waits(&self) {
        let came = self.came.recv_timeout(PATIENCE);
        came.expect("something is sent to the collector");
    }

    /// All that it was sent so far.
    pub(crate) fn taken(&self) -> Vec<Taken> {
        locked(&self.taken).clone()
    }
}

fn read(stream: &mut BufReader<TcpStream>) -> Option<Taken> {
    let mut head = Vec::new();
    loop {
        let mut line = String::new();
        stream.read_line(&mut line).ok().filter(|read| *read > 0)?;
        match line.trim_end() {
            "" => break,
            line => head.push(line.to_ascii_lowercase()),
        }
    }
    let length = head
        .iter()
        .find_map(|line| line.strip_prefix("content-length: "));
    let mut body = vec![0; length?.parse().ok()?];
    stream.read_exact(&mut body).ok()?;
    Some(Taken { head, body })
}

fn locked<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
