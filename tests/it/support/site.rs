//! A web server of somebody else on this machine, which says what a story wants, and remembers
//! what it was asked.

use std::collections::HashMap;
use std::io::{Read as _, Write as _};
use std::net::{IpAddr, Ipv4Addr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use goodstanding::net::{NameError, Names};

/// A server on loopback; it stops when dropped.
pub(crate) struct Site {
    pub(crate) port: u16,
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    pages: Mutex<HashMap<String, Vec<u8>>>,
    asked: Mutex<Vec<String>>,
    stopped: AtomicBool,
}

impl Site {
    pub(crate) fn open() -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let shared = Arc::new(Shared::default());
        let serving = shared.clone();
        thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                if serving.stopped.load(Ordering::SeqCst) {
                    return;
                }
                let shared = serving.clone();
                thread::spawn(move || shared.answer(stream));
            }
        });
        Self { port, shared }
    }

    /// The DID of who owns the whole site.
    pub(crate) fn did(&self) -> String {
        format!("did:web:localhost%3A{}", self.port)
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://localhost:{}{path}", self.port)
    }

    /// Puts a page there, in place of what was there. `fields` are whole header lines.
    pub(crate) fn puts(&self, path: &str, media_type: &str, fields: &str, body: &[u8]) {
        let head = format!(
            "HTTP/1.1 200 OK\r\nContent-Type: {media_type}\r\nContent-Length: {}\r\n\
             Connection: close\r\n{fields}\r\n",
            body.len()
        );
        let page = [head.as_bytes(), body].concat();
        self.shared.pages().insert(path.to_owned(), page);
    }

    /// How often a path was asked for.
    pub(crate) fn asked(&self, path: &str) -> usize {
        let asked = self.shared.asked();
        asked.iter().filter(|one| *one == path).count()
    }

    /// How often anything was asked for.
    pub(crate) fn asked_in_all(&self) -> usize {
        self.shared.asked().len()
    }
}

impl Drop for Site {
    fn drop(&mut self) {
        self.shared.stopped.store(true, Ordering::SeqCst);
        // Wakes the thread that accepts, so that it sees the end.
        let _ = TcpStream::connect((Ipv4Addr::LOCALHOST, self.port));
    }
}

impl Shared {
    fn answer(&self, mut stream: TcpStream) {
        let (mut head, mut byte) = (Vec::new(), [0]);
        while !head.ends_with(b"\r\n\r\n") {
            match stream.read(&mut byte) {
                Ok(1) => head.push(byte[0]),
                _ => return,
            }
        }
        let head = String::from_utf8_lossy(&head).into_owned();
        let path = head.split(' ').nth(1).unwrap_or_default().to_owned();
        let page = self.pages().get(&path).cloned();
        self.asked().push(path);
        let missing = b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n";
        // Whoever asked may hang up at any time.
        let _ = stream.write_all(page.as_deref().unwrap_or(missing));
    }

    fn pages(&self) -> std::sync::MutexGuard<'_, HashMap<String, Vec<u8>>> {
        self.pages.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn asked(&self) -> std::sync::MutexGuard<'_, Vec<String>> {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Says that every name is this machine, and remembers for which it was asked.
#[derive(Default)]
pub(crate) struct Here(Mutex<Vec<String>>);

impl Here {
    pub(crate) fn asked(&self) -> Vec<String> {
        self.0.lock().unwrap().clone()
    }
}

impl Names for Here {
    fn resolve(&self, host: &str, _: Duration) -> Result<Vec<IpAddr>, NameError> {
        self.0.lock().unwrap().push(host.to_owned());
        Ok(vec![Ipv4Addr::LOCALHOST.into()])
    }
}

/// A listener that nobody must connect to.
pub(crate) struct Canary(TcpListener, String);

impl Canary {
    pub(crate) fn at(address: &str, port: u16) -> Self {
        let listener = TcpListener::bind((address, port)).unwrap();
        listener.set_nonblocking(true).unwrap();
        Self(listener, format!("{address}:{port}"))
    }

    pub(crate) fn port(&self) -> u16 {
        self.0.local_addr().unwrap().port()
    }

    #[track_caller]
    pub(crate) fn sings(&self) {
        let connected = self.0.accept();
        let untouched = connected.is_err_and(|e| e.kind() == std::io::ErrorKind::WouldBlock);
        assert!(untouched, "the canary at {} was connected to", self.1);
    }
}
