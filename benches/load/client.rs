//! A client that costs little: HTTP/1.1 over one connection that is kept, written out by hand.

use std::fmt::Write as _;
use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use serde_json::Value;

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(300);

/// One connection, opened when the first request is made.
pub(crate) struct Client {
    address: SocketAddr,
    headers: String,
    stream: Option<BufReader<TcpStream>>,
    out: Vec<u8>,
}

/// An answer, whole.
#[derive(Debug, Default)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    /// With names in lower case.
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
    /// Bytes that came over the wire.
    pub(crate) wire: u64,
}

impl Client {
    /// A client without a token.
    pub(crate) fn new(address: SocketAddr) -> Self {
        Self {
            address,
            headers: format!("Host: {address}\r\n"),
            stream: None,
            out: Vec::new(),
        }
    }

    /// With a header in every request.
    pub(crate) fn with(mut self, name: &str, value: &str) -> Self {
        write!(self.headers, "{name}: {value}\r\n").expect("a text grows");
        self
    }

    /// With a bearer token in every request.
    pub(crate) fn authorised(self, token: &str) -> Self {
        self.with("Authorization", &format!("Bearer {token}"))
    }

    pub(crate) fn get(&mut self, path: &str, headers: &[(&str, &str)]) -> io::Result<Answer> {
        self.head("GET", path, headers);
        self.out.extend_from_slice(b"\r\n");
        self.send()
    }

    pub(crate) fn post(&mut self, path: &str, body: &[u8]) -> io::Result<Answer> {
        self.head("POST", path, &[]);
        let length = body.len();
        write!(
            self.out,
            "Content-Type: application/json\r\nContent-Length: {length}\r\n\r\n"
        )?;
        self.out.extend_from_slice(body);
        self.send()
    }

    /// Posts a body of chunks as it is made, until `next` makes none.
    pub(crate) fn stream(
        &mut self,
        path: &str,
        media: &str,
        mut next: impl FnMut(&mut Vec<u8>) -> bool,
    ) -> io::Result<Answer> {
        self.head("POST", path, &[]);
        write!(
            self.out,
            "Content-Type: {media}\r\nTransfer-Encoding: chunked\r\n\r\n"
        )?;
        let mut stream = self.connected()?;
        stream.get_mut().write_all(&self.out)?;
        let mut chunk = Vec::new();
        while next(&mut chunk) {
            let socket = stream.get_mut();
            // Who is refused may hear of it before all is sent.
            if write!(socket, "{:x}\r\n", chunk.len())
                .and_then(|()| socket.write_all(&chunk))
                .and_then(|()| socket.write_all(b"\r\n"))
                .is_err()
            {
                return read(&mut stream);
            }
            chunk.clear();
        }
        stream.get_mut().write_all(b"0\r\n\r\n")?;
        read(&mut stream)
    }

    /// Posts JSON and reads JSON, which has to come with this status.
    #[track_caller]
    pub(crate) fn json(&mut self, path: &str, body: &Value, status: u16) -> Value {
        let answer = self
            .post(path, body.to_string().as_bytes())
            .expect("it answers");
        let text = String::from_utf8_lossy(&answer.body);
        assert_eq!(answer.status, status, "{path}: {text}");
        serde_json::from_str(&text).unwrap_or_else(|error| panic!("{path}: {error}"))
    }

    fn head(&mut self, method: &str, path: &str, headers: &[(&str, &str)]) {
        self.out.clear();
        let out = &mut self.out;
        let written = write!(out, "{method} {path} HTTP/1.1\r\n{}", self.headers);
        written.expect("a buffer grows");
        for (name, value) in headers {
            write!(out, "{name}: {value}\r\n").expect("a buffer grows");
        }
    }

    /// Sends what is written; a connection that the server has closed meanwhile is opened anew.
    fn send(&mut self) -> io::Result<Answer> {
        let mut stream = self.connected()?;
        stream.get_mut().write_all(&self.out)?;
        let answer = read(&mut stream)?;
        if answer.header("connection") != Some("close") {
            self.stream = Some(stream);
        }
        Ok(answer)
    }

    fn connected(&mut self) -> io::Result<BufReader<TcpStream>> {
        if let Some(stream) = self.stream.take() {
            return Ok(stream);
        }
        let stream = TcpStream::connect(self.address)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        Ok(BufReader::with_capacity(64 * 1024, stream))
    }
}

impl Answer {
    /// The first header of this name, in lower case.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let mut headers = self.headers.iter();
        let (_, value) = headers.find(|(one, _)| one == name)?;
        Some(value)
    }

    /// The answer where it is this status, else what it says instead.
    #[track_caller]
    pub(crate) fn expect(self, status: u16) -> Self {
        let body = &self.body[..self.body.len().min(2_000)];
        let text = String::from_utf8_lossy(body);
        assert_eq!(self.status, status, "{text}");
        self
    }
}

fn read(stream: &mut BufReader<TcpStream>) -> io::Result<Answer> {
    let mut answer = Answer::default();
    let mut line = String::new();
    read_line(stream, &mut line, &mut answer.wire)?;
    let status = line.split(' ').nth(1).and_then(|word| word.parse().ok());
    answer.status = status.ok_or_else(|| broken("the answer has no status"))?;
    loop {
        read_line(stream, &mut line, &mut answer.wire)?;
        let Some((name, value)) = line.split_once(':') else {
            break;
        };
        let value = value.trim().to_owned();
        answer.headers.push((name.to_ascii_lowercase(), value));
    }
    if answer.header("transfer-encoding") == Some("chunked") {
        while read_chunk(stream, &mut line, &mut answer)? {}
    } else {
        let length = answer
            .header("content-length")
            .and_then(|value| value.parse().ok())
            .filter(|_| answer.status != 304)
            .unwrap_or(0);
        read_body(stream, length, &mut answer)?;
    }
    Ok(answer)
}

/// A line without its end, which leaves the text empty where it is the end of the head.
fn read_line(
    stream: &mut BufReader<TcpStream>,
    line: &mut String,
    wire: &mut u64,
) -> io::Result<()> {
    line.clear();
    let count = stream.read_line(line)?;
    if count == 0 {
        return Err(broken("the connection ended within an answer"));
    }
    *wire += count as u64;
    line.truncate(line.trim_end().len());
    Ok(())
}

fn read_chunk(
    stream: &mut BufReader<TcpStream>,
    line: &mut String,
    answer: &mut Answer,
) -> io::Result<bool> {
    read_line(stream, line, &mut answer.wire)?;
    let length = usize::from_str_radix(line, 16).map_err(|_| broken("a chunk has no length"))?;
    read_body(stream, length, answer)?;
    read_line(stream, line, &mut answer.wire)?;
    Ok(length > 0)
}

fn read_body(
    stream: &mut BufReader<TcpStream>,
    length: usize,
    answer: &mut Answer,
) -> io::Result<()> {
    let start = answer.body.len();
    answer.body.resize(start + length, 0);
    answer.wire += length as u64;
    stream.read_exact(&mut answer.body[start..])
}

fn broken(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what.to_owned())
}
