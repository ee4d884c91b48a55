//! A model of an S3-compatible store, as far as it is used: objects with their headers, conditions on puts,
//! listing by prefix. Each request's signature (AWS Signature Version 4) is computed here anew and held
//! against the one that came. It can be told to fail.

use std::collections::{BTreeMap, VecDeque};
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex, MutexGuard};
use std::thread;
use std::time::Duration;

use ring::hmac;
use sha2::{Digest as _, Sha256};

pub(crate) const KEY_ID: &str = "AKIAIOSFODNN7EXAMPLE";
pub(crate) const SECRET: &str = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";

/// What goes wrong with the next request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wrong {
    /// It is answered with 500, and not done.
    Fails,
    /// It is done, and the connection is cut off before anything is answered.
    CutOff,
    /// The answer takes so long.
    Takes(Duration),
}

/// An object.
#[derive(Debug, Clone)]
pub(crate) struct Object {
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) body: Vec<u8>,
    etag: String,
}

#[derive(Debug, Default)]
pub(crate) struct Held {
    pub(crate) objects: BTreeMap<String, Object>,
    /// Of the puts that are to come.
    pub(crate) wrong: VecDeque<Wrong>,
    pub(crate) puts: u64,
    /// Requests whose signature was not the right one.
    pub(crate) unsigned: Vec<String>,
    /// Whether it knows conditions on puts.
    pub(crate) knows_conditions: bool,
    versions: u64,
}

/// The store, with one bucket of the name `lists`.
pub(crate) struct S3 {
    pub(crate) address: SocketAddr,
    held: Arc<Mutex<Held>>,
}

impl S3 {
    pub(crate) fn serve() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let held = Arc::new(Mutex::new(Held {
            knows_conditions: true,
            ..Held::default()
        }));
        let shared = held.clone();
        thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let held = shared.clone();
                thread::spawn(move || while one(&stream, &held).is_some() {});
            }
        });
        Self { address, held }
    }

    pub(crate) fn held(&self) -> MutexGuard<'_, Held> {
        self.held.lock().unwrap()
    }
}

struct Request {
    method: String,
    target: String,
    headers: BTreeMap<String, String>,
    body: Vec<u8>,
}

fn read(stream: &TcpStream) -> Option<Request> {
    let mut reader = BufReader::new(stream);
    let mut line = String::new();
    reader.read_line(&mut line).ok()?;
    let mut first = line.split(' ');
    let (method, target) = (first.next()?.to_owned(), first.next()?.to_owned());
    let mut headers = BTreeMap::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        match line.trim_end().split_once(':') {
            None => break,
            Some((name, value)) => {
                headers.insert(name.to_ascii_lowercase(), value.trim().to_owned())
            }
        };
    }
    let length = headers
        .get("content-length")
        .map_or(0, |length| length.parse().unwrap());
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    Some(Request {
        method,
        target,
        headers,
        body,
    })
}

fn one(stream: &TcpStream, held: &Mutex<Held>) -> Option<()> {
    let request = read(stream)?;
    let is_put = request.method == "PUT";
    let (wrong, answer) = {
        let mut held = held.lock().unwrap();
        let wrong = if is_put { held.wrong.pop_front() } else { None };
        let told = request
            .headers
            .get("authorization")
            .cloned()
            .unwrap_or_default();
        if signed(&request, SECRET).as_deref() != Some(told.as_str()) {
            held.unsigned
                .push(format!("{} {} {told}", request.method, request.target));
        }
        let answer = match wrong {
            Some(Wrong::Fails) => answer(500, &[], b""),
            _ => held.answers(&request),
        };
        (wrong, answer)
    };
    match wrong {
        Some(Wrong::CutOff) => return None,
        Some(Wrong::Takes(time)) => thread::sleep(time),
        _ => {}
    }
    let mut stream = stream;
    stream.write_all(&answer).ok()
}

fn answer(status: u16, headers: &[(String, String)], body: &[u8]) -> Vec<u8> {
    let headers: String = headers
        .iter()
        .map(|(name, value)| format!("{name}: {value}\r\n"))
        .collect();
    let length = match headers.contains("content-length") {
        true => String::new(),
        false => format!("content-length: {}\r\n", body.len()),
    };
    [
        format!("HTTP/1.1 {status} X\r\n{headers}{length}\r\n").as_bytes(),
        body,
    ]
    .concat()
}

impl Held {
    fn answers(&mut self, request: &Request) -> Vec<u8> {
        let (path, query) = request
            .target
            .split_once('?')
            .unwrap_or((&request.target, ""));
        let key = path
            .strip_prefix("/lists")
            .map(|key| key.trim_start_matches('/'));
        let Some(key) = key else {
            return answer(404, &[], b"<Error><Code>NoSuchBucket</Code></Error>");
        };
        let key = percent_encoding::percent_decode_str(key)
            .decode_utf8()
            .unwrap()
            .into_owned();
        match request.method.as_str() {
            "PUT" => self.put(key, request),
            "DELETE" => {
                self.objects.remove(&key);
                answer(204, &[], b"")
            }
            "GET" if query.contains("list-type=2") => self.list(query),
            _ => match self.objects.get(&key) {
                None => answer(404, &[], b"<Error><Code>NoSuchKey</Code></Error>"),
                Some(object) => {
                    let mut headers: Vec<_> = object.headers.clone().into_iter().collect();
                    headers.push(("etag".into(), object.etag.clone()));
                    headers.push((
                        "last-modified".into(),
                        "Sun, 01 Mar 2026 09:00:00 GMT".into(),
                    ));
                    headers.push(("content-length".into(), object.body.len().to_string()));
                    let body = if request.method == "HEAD" {
                        &[][..]
                    } else {
                        &object.body
                    };
                    answer(200, &headers, body)
                }
            },
        }
    }

    fn put(&mut self, key: String, request: &Request) -> Vec<u8> {
        let condition = |name: &str| request.headers.get(name);
        if !self.knows_conditions
            && (condition("if-match").is_some() || condition("if-none-match").is_some())
        {
            return answer(501, &[], b"<Error><Code>NotImplemented</Code></Error>");
        }
        let there = self.objects.get(&key).map(|object| &object.etag);
        let fails = match (condition("if-match"), condition("if-none-match")) {
            (Some(etag), _) => there != Some(etag),
            (_, Some(_)) => there.is_some(),
            _ => false,
        };
        if fails {
            return answer(412, &[], b"<Error><Code>PreconditionFailed</Code></Error>");
        }
        self.versions += 1;
        self.puts += 1;
        let etag = format!("\"{:032x}\"", self.versions);
        let kept = |name: &String| {
            name.starts_with("x-amz-meta-")
                || matches!(
                    name.as_str(),
                    "content-type" | "content-encoding" | "cache-control"
                )
        };
        let headers = request
            .headers
            .clone()
            .into_iter()
            .filter(|(name, _)| kept(name));
        let object = Object {
            headers: headers.collect(),
            body: request.body.clone(),
            etag: etag.clone(),
        };
        self.objects.insert(key, object);
        answer(200, &[("etag".into(), etag)], b"")
    }

    /// Pages of three, so that there is more than one.
    fn list(&self, query: &str) -> Vec<u8> {
        let parameters: BTreeMap<_, _> = url::form_urlencoded::parse(query.as_bytes())
            .into_owned()
            .collect();
        let prefix = parameters.get("prefix").map_or("", String::as_str);
        let after = parameters
            .get("continuation-token")
            .map_or("", String::as_str);
        let found = self
            .objects
            .iter()
            .filter(|(key, _)| key.starts_with(prefix) && key.as_str() > after);
        let mut found: Vec<_> = found.take(4).collect();
        let more = if found.len() == 4 {
            found.pop();
            true
        } else {
            false
        };
        let contents: String = found
            .iter()
            .map(|(key, object)| {
                format!(
                    "<Contents><Key>{key}</Key><LastModified>2026-03-01T09:00:00.000Z</LastModified>\
                     <ETag>{}</ETag><Size>{}</Size></Contents>",
                    object.etag, object.body.len()
                )
            })
            .collect();
        let next = match (more, found.last()) {
            (true, Some((key, _))) => {
                format!("<NextContinuationToken>{key}</NextContinuationToken>")
            }
            _ => String::new(),
        };
        let text = format!(
            "<ListBucketResult><IsTruncated>{more}</IsTruncated>{next}{contents}</ListBucketResult>"
        );
        answer(200, &[], text.as_bytes())
    }
}

/// The `Authorization` that belongs to a request (AWS Signature Version 4, header form), by what it says of
/// itself; none where it says nothing that fits.
fn signed(request: &Request, secret: &str) -> Option<String> {
    let told = request.headers.get("authorization")?;
    let part = |name: &str| {
        let (_, rest) = told.split_once(&format!("{name}="))?;
        Some(rest.split([',', ' ']).next().unwrap_or_default())
    };
    let (credential, names) = (part("Credential")?, part("SignedHeaders")?);
    let (key_id, scope) = credential.split_once('/')?;
    let (path, query) = request
        .target
        .split_once('?')
        .unwrap_or((&request.target, ""));
    let mut parameters: Vec<_> = query.split('&').filter(|part| !part.is_empty()).collect();
    parameters.sort_unstable();
    let headers: Option<String> = names
        .split(';')
        .map(|name| Some(format!("{name}:{}\n", request.headers.get(name)?)))
        .collect();
    let digest = request.headers.get("x-amz-content-sha256")?;
    // A body that was changed on the way would have another one.
    if *digest != hex(&Sha256::digest(&request.body)) {
        return None;
    }
    for needed in ["host", "x-amz-date", "x-amz-content-sha256"] {
        names.split(';').find(|name| *name == needed)?;
    }
    let canonical = format!(
        "{}\n{path}\n{}\n{}\n{names}\n{digest}",
        request.method,
        parameters.join("&"),
        headers?
    );
    let date = request.headers.get("x-amz-date")?;
    let hashed = hex(&Sha256::digest(canonical.as_bytes()));
    let to_sign = format!("AWS4-HMAC-SHA256\n{date}\n{scope}\n{hashed}");
    let first = format!("AWS4{secret}").into_bytes();
    let key = scope
        .split('/')
        .fold(first, |key, part| mac(&key, part.as_bytes()));
    let signature = hex(&mac(&key, to_sign.as_bytes()));
    let parts: Vec<&str> = told.split(", ").collect();
    let comma = if parts.len() == 3 { ", " } else { "," };
    Some(format!(
        "AWS4-HMAC-SHA256 Credential={key_id}/{scope}{comma}SignedHeaders={names}{comma}Signature={signature}"
    ))
}

fn mac(key: &[u8], text: &[u8]) -> Vec<u8> {
    hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), text)
        .as_ref()
        .to_vec()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The example that Amazon prints beside the definition.
#[test]
fn a_signature_is_the_one_that_amazon_prints() {
    let digest = hex(&Sha256::digest(b""));
    let headers = [
        ("host", "examplebucket.s3.amazonaws.com"),
        ("range", "bytes=0-9"),
        ("x-amz-content-sha256", digest.as_str()),
        ("x-amz-date", "20130524T000000Z"),
        (
            "authorization",
            "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request,\
             SignedHeaders=host;range;x-amz-content-sha256;x-amz-date,\
             Signature=f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41",
        ),
    ];
    let headers: BTreeMap<_, _> = headers
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .into();
    let told = headers["authorization"].clone();
    let request = Request {
        method: "GET".into(),
        target: "/test.txt".into(),
        headers,
        body: Vec::new(),
    };
    assert_eq!(signed(&request, SECRET), Some(told.clone()));
    assert_ne!(signed(&request, "another"), Some(told));
}
