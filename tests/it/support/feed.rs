//! A reader of server-sent events, as WHATWG HTML section 9.2.6 has it interpret a stream.

use std::cell::Cell;

use serde_json::Value;

use super::actors::Actor;
use super::client::{Answer, Call, Connection};

/// An open feed.
pub(crate) struct Reader {
    connection: Connection,
    unread: String,
    event: String,
    data: Vec<String>,
    id: String,
    /// What a reader sends as `Last-Event-ID` when it comes back.
    pub(crate) last_id: String,
    /// After how many milliseconds it comes back.
    pub(crate) retry: Option<u64>,
}

/// What a reader hears next.
#[derive(Debug, PartialEq)]
pub(crate) enum Heard {
    /// An event.
    Event {
        id: String,
        kind: String,
        data: Value,
    },
    /// A comment, which says nothing.
    Comment,
    /// The answer is complete.
    End,
    /// The connection broke off before that.
    CutOff,
}

impl Reader {
    /// Opens a feed, or gives the answer that is none.
    pub(crate) fn open(call: &Call, address: std::net::SocketAddr) -> Result<Self, Answer> {
        let mut connection = Connection::open(address);
        let answer = connection.send(call);
        if answer.status != 200 {
            return Err(answer);
        }
        for (name, value) in [
            ("content-type", "text/event-stream"),
            ("cache-control", "no-store"),
            ("x-accel-buffering", "no"),
            ("access-control-allow-origin", "*"),
            ("transfer-encoding", "chunked"),
        ] {
            assert_eq!(answer.header(name), Some(value), "{name}");
        }
        Ok(Self {
            connection,
            unread: String::new(),
            event: String::new(),
            data: Vec::new(),
            id: String::new(),
            last_id: String::new(),
            retry: None,
        })
    }

    /// Waits for the next event, comment or end.
    pub(crate) fn hears(&mut self) -> Heard {
        loop {
            while let Some(end) = self.unread.find('\n') {
                let line = self.unread[..end].to_owned();
                self.unread.drain(..=end);
                if let Some(heard) = self.line(&line) {
                    return heard;
                }
            }
            match self.connection.chunk() {
                Ok(Some(chunk)) => self.unread += &String::from_utf8(chunk).unwrap(),
                Ok(None) => return Heard::End,
                Err(error) => {
                    let late = std::io::ErrorKind::WouldBlock;
                    assert_ne!(error.kind(), late, "nothing came for a minute");
                    return Heard::CutOff;
                }
            }
        }
    }

    /// The data of the next publication, whose id and kind are as they have to be.
    #[track_caller]
    pub(crate) fn publication(&mut self) -> Value {
        loop {
            match self.hears() {
                Heard::Comment => {}
                Heard::Event { id, kind, data } => {
                    assert_eq!((kind.as_str(), &id), ("published", &self.last_id));
                    assert!(id.parse::<u64>().unwrap() > 0);
                    return data;
                }
                other => panic!("a publication was awaited: {other:?}"),
            }
        }
    }

    fn line(&mut self, line: &str) -> Option<Heard> {
        if line.is_empty() {
            self.last_id.clone_from(&self.id);
            let (kind, data) = (std::mem::take(&mut self.event), self.data.join("\n"));
            self.data.clear();
            let id = self.id.clone();
            return (!data.is_empty()).then(|| Heard::Event {
                id,
                kind,
                data: serde_json::from_str(&data).unwrap(),
            });
        }
        let (field, value) = line.split_once(':').unwrap_or((line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match field {
            "" => return Some(Heard::Comment),
            "event" => value.clone_into(&mut self.event),
            "data" => self.data.push(value.to_owned()),
            "id" => value.clone_into(&mut self.id),
            "retry" => self.retry = Some(value.parse().unwrap()),
            other => panic!("{other:?} is no field of an event"),
        }
        None
    }
}

/// A list that changes as often as a test wants it to.
pub(crate) struct Changing<'s, 'h> {
    school: &'s Actor<'h>,
    /// The list.
    pub(crate) url: String,
    entry: Cell<Option<u64>>,
    status: Cell<u64>,
}

impl<'s, 'h> Changing<'s, 'h> {
    /// Opens it; it has revision 1.
    pub(crate) fn open(school: &'s Actor<'h>) -> Self {
        Self {
            school,
            url: school.opens_list("suspension"),
            entry: Cell::new(None),
            status: Cell::new(0),
        }
    }

    /// The change that comes next: which entry gets which status.
    pub(crate) fn next(&self) -> (u64, u64) {
        let allocated = || self.school.allocates(&self.url, 1)[0];
        let entry = self.entry.get().unwrap_or_else(allocated);
        self.entry.set(Some(entry));
        self.status.set(1 - self.status.get());
        (entry, self.status.get())
    }

    /// Changes it, and gives its revision then.
    pub(crate) fn changes(&self) -> u64 {
        let (entry, status) = self.next();
        let done = self.school.sets(&self.url, entry, status).is(200).json();
        done["revision"].as_u64().unwrap()
    }
}
