//! What a command works with: the transport, the server it belongs to, the keys of its changes,
//! and standard input.

use std::cell::{Cell, RefCell};
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::{Map, Value};
use url::Url;

use super::error::{CliError, Problem};
use super::place::{Hosted, KeyOwner, Party, Place, host_of, is_loopback};
use super::progress::Shows;
use super::transport::{Answer, Call, Transport};

/// The largest document that is read from a file, standard input or a URL: 10 MiB.
pub(super) const MAX_DOCUMENT: u64 = 10 << 20;

/// A list of pages that does not end is cut off here, with an error.
const MAX_PAGES: usize = 10_000;

/// What a command works with.
pub(super) struct Context<'a> {
    /// Carries the calls.
    pub(super) transport: Box<dyn Transport>,
    /// The server that the calls go to; none when they go into a data folder.
    pub(super) server: Option<Url>,
    /// The idempotency key of the first change; later ones append their number.
    pub(super) first_key: String,
    /// How many changes have been sent.
    pub(super) changes: Cell<u32>,
    /// Standard input.
    pub(super) stdin: RefCell<&'a mut dyn Read>,
    /// How long a fetch may take.
    pub(super) timeout: Duration,
    /// Certificates that are trusted instead of the usual authorities'.
    pub(super) ca_file: Option<PathBuf>,
    /// Whether answers are told as JSON.
    pub(super) json: bool,
    /// Where progress is shown.
    pub(super) shows: Shows,
}

impl Context<'_> {
    /// Makes a call that changes nothing, and reads the JSON of its answer.
    pub(super) fn ask(&self, call: &Call) -> Result<Value, CliError> {
        let answer = self.answer(call)?;
        json_of(call, &answer)
    }

    /// Makes a call that creates or changes something, under an idempotency key of its own. The
    /// answer to a change may be empty, which is told as an object without members.
    pub(super) fn change(&self, mut call: Call) -> Result<Value, CliError> {
        self.changes.set(self.changes.get() + 1);
        call.idempotency_key = Some(match self.changes.get() {
            1 => self.first_key.clone(),
            later => format!("{}-{later}", self.first_key),
        });
        let answer = self.answer(&call)?;
        if answer.body.is_empty() {
            return Ok(Value::Object(Map::new()));
        }
        json_of(&call, &answer)
    }

    /// Makes a call; a status of 400 or more is an error.
    pub(super) fn answer(&self, call: &Call) -> Result<Answer, CliError> {
        let waiting = self.shows.begin(&format!("waiting for {}", self.whom()));
        let answer = self.transport.call(call)?;
        drop(waiting);
        match answer.status {
            200..=299 => Ok(answer),
            400.. => Err(CliError::Problem(Box::new(Problem::of(call, &answer)))),
            status => {
                let to = answer.header("location").unwrap_or("nowhere");
                let reason = format!("it answers {status} and points to {to}");
                Err(not_the_contract(call, reason))
            }
        }
    }

    /// Who answers.
    fn whom(&self) -> &str {
        self.server.as_ref().map_or("the registry", Url::as_str)
    }

    /// Reads a list page by page, to its end.
    pub(super) fn pages(&self, path: String) -> Result<Vec<Value>, CliError> {
        let mut pages = Vec::new();
        let mut next = Some(path);
        let mut progress = self.shows.begin("reading");
        while let Some(path) = next.take() {
            let call = Call::get(path);
            progress.at(0, None, &format!("{} pages read", pages.len()));
            if pages.len() == MAX_PAGES {
                return Err(not_the_contract(&call, "the list does not end".into()));
            }
            let answer = self.answer(&call)?;
            next = answer.next_page();
            pages.push(json_of(&call, &answer)?);
        }
        Ok(pages)
    }

    /// The path of a thing, once it is clear that it is on the server that the command goes to:
    /// a name pasted from a test system must not change its namesake in production.
    pub(super) fn path<T: Hosted>(&self, place: &Place<T>) -> Result<String, CliError> {
        self.check_host(place)?;
        Ok(place.path())
    }

    /// The path below which keys stand, once it is clear that they are on that server.
    pub(super) fn keys_of(&self, owner: &KeyOwner) -> Result<String, CliError> {
        match owner {
            KeyOwner::Profile(place) => self.check_host(place)?,
            KeyOwner::Registry { given, host } => self.must_be_on(host, given)?,
        }
        Ok(owner.path() + "/keys")
    }

    /// How a request's body names an issuer or endorser.
    pub(super) fn party(&self, party: &Party) -> Result<String, CliError> {
        match party {
            Party::Hosted(place) => {
                self.check_host(place)?;
                Ok(place.id.to_string())
            }
            Party::Id(id) => Ok(id.clone()),
        }
    }

    /// How a question names somebody who may be elsewhere: by the slug only where it is sure that
    /// this server is meant, so that nobody here is taken for a namesake.
    pub(super) fn anybody(&self, party: &Party) -> String {
        match party {
            Party::Hosted(place) => {
                let here = self.server.as_ref().and_then(host_of);
                match place.host.is_none() || place.host == here {
                    true => place.id.to_string(),
                    false => place.given.clone(),
                }
            }
            Party::Id(id) => id.clone(),
        }
    }

    /// The full URL of a thing: as it was given, or else as the registry says.
    pub(super) fn url_of<T: Hosted>(&self, place: &Place<T>) -> Result<String, CliError> {
        if place.host.is_some() {
            return Ok(place.given.clone());
        }
        let call = Call::get(place.path());
        let document = self.ask(&call)?;
        let id = document.get("id").and_then(Value::as_str);
        id.map(str::to_owned)
            .ok_or_else(|| not_the_contract(&call, "the answer has no id".into()))
    }

    /// Reads a file, or standard input where the name is `-`.
    pub(super) fn read(&self, name: &str) -> Result<Vec<u8>, CliError> {
        read_from(&mut **self.stdin.borrow_mut(), name)
    }

    /// Reads a file or standard input as JSON.
    pub(super) fn read_json(&self, name: &str) -> Result<Value, CliError> {
        parse_json(
            &self.read(name)?,
            if name == "-" { "standard input" } else { name },
        )
    }

    fn check_host<T>(&self, place: &Place<T>) -> Result<(), CliError> {
        match &place.host {
            Some(host) => self.must_be_on(host, &place.given),
            None => Ok(()),
        }
    }

    fn must_be_on(&self, host: &str, given: &str) -> Result<(), CliError> {
        let Some(server) = &self.server else {
            return Ok(());
        };
        // A server on this machine may stand for any name: a tunnel, a proxy, development.
        if is_loopback(server) || host_of(server).as_deref() == Some(host) {
            return Ok(());
        }
        Err(CliError::OtherServer {
            given: given.to_owned(),
            server: server.to_string(),
        })
    }
}

/// Reads a file of at most 10 MiB, or `stdin` where the name is `-`.
pub(super) fn read_from(stdin: &mut dyn Read, name: &str) -> Result<Vec<u8>, CliError> {
    let place = if name == "-" { "standard input" } else { name };
    let unreadable = |reason: String| CliError::Unreadable {
        place: place.to_owned(),
        reason,
    };
    let read = match name {
        "-" => read_capped(stdin),
        _ => File::open(Path::new(name)).and_then(read_capped),
    };
    let bytes = read.map_err(|failed| unreadable(failed.to_string()))?;
    if bytes.len() as u64 > MAX_DOCUMENT {
        return Err(unreadable("it is larger than 10 MiB".into()));
    }
    Ok(bytes)
}

/// Reads JSON strictly: a document with two members of one name, say, would be read differently
/// by others, so it is refused here instead of being sent on as something else.
pub(super) fn parse_json(bytes: &[u8], place: &str) -> Result<Value, CliError> {
    crate::json::parse(bytes).map_err(|refused| CliError::NotJson {
        place: place.to_owned(),
        reason: refused.to_string(),
    })
}

/// The JSON of an answer.
pub(super) fn json_of(call: &Call, answer: &Answer) -> Result<Value, CliError> {
    serde_json::from_slice(&answer.body).map_err(|refused| {
        let media = answer.header("content-type").unwrap_or("no media type");
        not_the_contract(call, format!("the answer ({media}) is not JSON: {refused}"))
    })
}

/// An answer that is not what the contract says.
pub(super) fn not_the_contract(call: &Call, reason: String) -> CliError {
    CliError::NotTheContract {
        method: call.method,
        path: call.path.clone(),
        reason,
    }
}

fn read_capped(source: impl Read) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    source.take(MAX_DOCUMENT + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
}

#[cfg(test)]
impl Context<'static> {
    /// Over a transport of a test's own.
    pub(super) fn over(transport: Box<dyn Transport>) -> Self {
        Self {
            transport,
            server: None,
            first_key: "k".to_owned(),
            changes: Cell::new(0),
            stdin: RefCell::new(Box::leak(Box::new(io::empty()))),
            timeout: Duration::from_secs(1),
            ca_file: None,
            json: false,
            shows: Shows::new(false),
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::cli::testing::{Fake, LIST};
    use serde_json::json;

    #[test]
    fn a_url_of_another_server_is_refused_before_anything_is_sent() {
        let list = format!("https://test.example/status-lists/{LIST}");
        let done = Fake::new().run(&["list", "show", &list, "--server", "https://r.example"]);
        assert_eq!(done.exit, 2);
        assert!(
            done.err
                .contains("is on another server than https://r.example/"),
            "{}",
            done.err
        );
    }

    #[test]
    fn somebody_elsewhere_is_not_taken_for_a_namesake_here() {
        let elsewhere = "did:web:gov.example:profiles:ministry";
        for (named, sent) in [
            ("ministry", "ministry"),
            (elsewhere, elsewhere),
            (
                "did:web:127.0.0.1%3A1:profiles:ministry",
                "did:web:127.0.0.1%3A1:profiles:ministry",
            ),
        ] {
            let done = Fake::new()
                .answer(200, json!({ "results": [{ "outcome": "active" }] }))
                .run(&["standing", "urn:a", "--trust-anchor", named]);
            let anchors = format!(r#""trustAnchors":["{sent}"]}}"#);
            assert!(done.calls()[0].ends_with(&anchors), "{:?}", done.calls());
        }
    }

    #[test]
    fn pages_are_read_to_the_end() {
        let fake = Fake::new()
            .answer_with(
                "link",
                r#"</profiles?cursor=2>; rel="next""#,
                200,
                json!({"profiles": []}),
            )
            .answer(
                200,
                json!({"profiles": [{"id": "did:web:h:profiles:b", "name": "B"}]}),
            );
        let done = fake.run(&["profile", "list"]);
        assert_eq!(done.calls(), ["GET /profiles", "GET /profiles?cursor=2"]);
        assert_eq!(done.out, "b  B  did:web:h:profiles:b\n");
    }

    #[test]
    fn an_answer_that_is_no_json_names_the_call() {
        let done = Fake::new()
            .answer_bytes(200, b"<html>")
            .run(&["profile", "show", "a"]);
        assert_eq!(done.exit, 2);
        assert!(
            done.err
                .contains("GET /profiles/a: the answer (no media type) is not JSON")
        );
    }
}
