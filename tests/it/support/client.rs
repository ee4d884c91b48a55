//! A small blocking HTTP client over a plain socket, so that a test can send what no proper
//! client would, and see exactly what comes back.

use std::io::{BufRead, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use serde_json::Value;

use super::described;

/// One connection, kept open for several requests.
pub(crate) struct Connection(BufReader<TcpStream>);

/// A request that is being put together.
#[derive(Clone)]
pub(crate) struct Call {
    address: SocketAddr,
    method: String,
    target: String,
    headers: Vec<(String, Vec<u8>)>,
    body: Option<Vec<u8>>,
}

/// What came back.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

/// Nothing here takes this long; a server that hangs fails the test rather than holding it up.
const PATIENCE: Duration = Duration::from_secs(60);

impl Call {
    pub(crate) fn new(address: SocketAddr, method: &str, target: &str) -> Self {
        Self {
            address,
            method: method.to_owned(),
            target: target.to_owned(),
            headers: Vec::new(),
            body: None,
        }
    }

    pub(crate) fn header(mut self, name: &str, value: impl Into<Vec<u8>>) -> Self {
        self.headers.push((name.to_owned(), value.into()));
        self
    }

    pub(crate) fn token(self, token: &str) -> Self {
        self.header("Authorization", format!("Bearer {token}"))
    }

    pub(crate) fn key(self, key: &str) -> Self {
        self.header("Idempotency-Key", key)
    }

    pub(crate) fn json(self, body: &Value) -> Self {
        self.body("application/json", body.to_string())
    }

    pub(crate) fn body(mut self, media_type: &str, body: impl Into<Vec<u8>>) -> Self {
        self.body = Some(body.into());
        self.header("Content-Type", media_type)
    }

    /// Sends it over a connection of its own.
    pub(crate) fn send(self) -> Answer {
        let mut connection = Connection::open(self.address);
        connection.send(&self.header("Connection", "close"))
    }

    /// What is sent.
    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = format!("{} {} HTTP/1.1\r\n", self.method, self.target).into_bytes();
        let names_host = |(name, _): &(String, Vec<u8>)| name.eq_ignore_ascii_case("host");
        if !self.headers.iter().any(names_host) {
            bytes.extend(format!("Host: {}\r\n", self.address).as_bytes());
        }
        for (name, value) in &self.headers {
            bytes.extend(name.as_bytes());
            bytes.extend(b": ");
            bytes.extend(value);
            bytes.extend(b"\r\n");
        }
        if let Some(body) = &self.body {
            bytes.extend(format!("Content-Length: {}\r\n", body.len()).as_bytes());
        }
        bytes.extend(b"\r\n");
        bytes.extend(self.body.as_deref().unwrap_or_default());
        bytes
    }
}

impl Connection {
    pub(crate) fn open(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).expect("the server listens");
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream.set_write_timeout(Some(PATIENCE)).unwrap();
        stream.set_nodelay(true).unwrap();
        Self(BufReader::new(stream))
    }

    pub(crate) fn send(&mut self, call: &Call) -> Answer {
        self.0.get_mut().write_all(&call.to_bytes()).unwrap();
        let answer = self.read(call.method == "HEAD");
        described::fits(&call.method, &call.target, &answer);
        answer
    }

    /// Sends these very bytes.
    pub(crate) fn send_bytes(&mut self, bytes: &[u8]) -> Answer {
        self.0.get_mut().write_all(bytes).unwrap();
        self.read(false)
    }

    fn read(&mut self, to_head: bool) -> Answer {
        let status_line = self.line();
        let status = status_line.split(' ').nth(1).and_then(|s| s.parse().ok());
        let status = status.unwrap_or_else(|| panic!("not an answer: {status_line:?}"));
        let mut headers = Vec::new();
        loop {
            let line = self.line();
            if line.is_empty() {
                break;
            }
            let (name, value) = line.split_once(':').expect("a header has a colon");
            headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
        }
        let mut answer = Answer {
            status,
            headers,
            body: Vec::new(),
        };
        let length = answer.header("content-length").map(|l| l.parse().unwrap());
        // One that goes on is read piece by piece, by who wants it.
        let feed = answer.header("content-type") == Some("text/event-stream");
        let goes_on = feed && length.is_none();
        if !to_head && !goes_on && !matches!(status, 204 | 304) {
            assert_eq!(answer.header("transfer-encoding"), None, "not read here");
            answer.body = vec![0; length.unwrap_or(0)];
            self.0.read_exact(&mut answer.body).unwrap();
        }
        answer
    }

    /// The next chunk of a body that goes on; `None` at its proper end.
    pub(crate) fn chunk(&mut self) -> std::io::Result<Option<Vec<u8>>> {
        let mut size = String::new();
        self.0.read_line(&mut size)?;
        let size = usize::from_str_radix(size.trim_end(), 16)
            .map_err(|_| std::io::ErrorKind::UnexpectedEof)?;
        let mut chunk = vec![0; size + 2];
        self.0.read_exact(&mut chunk)?;
        assert_eq!(
            chunk.split_off(size),
            b"\r\n",
            "a chunk ends with a line's end"
        );
        Ok((size > 0).then_some(chunk))
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        self.0.read_line(&mut line).expect("an answer in time");
        line.trim_end().to_owned()
    }
}

impl Answer {
    /// The first header of this name.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let found = self
            .headers
            .iter()
            .find(|(header, _)| header.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_str())
    }

    /// Demands this status.
    #[track_caller]
    pub(crate) fn is(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{}", self.text());
        self
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|error| panic!("{error}: {}", self.text()))
    }

    /// Demands a problem document (RFC 9457) with this status, and gives its members.
    #[track_caller]
    pub(crate) fn problem(&self, status: u16) -> Value {
        assert_eq!(self.status, status, "{}", self.text());
        let media_type = self.header("content-type");
        assert_eq!(media_type, Some("application/problem+json"));
        let problem = self.json();
        assert_eq!(problem["status"], status, "{problem}");
        for member in ["type", "title", "detail"] {
            let text = problem[member].as_str().unwrap_or_default();
            assert!(!text.is_empty(), "{member} is missing: {problem}");
        }
        let kind = problem["type"].as_str().unwrap_or_default();
        assert!(url::Url::parse(kind).is_ok(), "the type is a URI: {kind}");
        problem
    }

    /// The part of `Link` that leads to the next page, as a path on this server.
    pub(crate) fn next(&self) -> Option<String> {
        let link = self.header("link")?;
        let (url, rest) = link.strip_prefix('<')?.split_once('>')?;
        assert_eq!(rest, "; rel=\"next\"", "{link}");
        let path = url.strip_prefix(super::house::ORIGIN);
        Some(path.expect("links lead to the public URL").to_owned())
    }
}
