//! The words that the tests of engines are written in.

use std::sync::atomic::{AtomicI64, Ordering};

use goodstanding::ids::Seq;
use goodstanding::store::{Batch, Engine, Head, LoggedEvent, Read};
use goodstanding::time::{Clock, Timestamp};
use sha2::{Digest, Sha256};

/// A machine's clock: it goes wherever it is set, backwards too.
#[derive(Default)]
pub(super) struct Machine(AtomicI64);

impl Machine {
    pub(super) fn set(&self, millis: i64) {
        self.0.store(millis, Ordering::SeqCst);
    }
}

impl Clock for Machine {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.0.load(Ordering::SeqCst))
    }
}

/// Builds batches over the rows of one table.
pub(super) trait BatchOf: Sized {
    fn and_put(self, name: &str, value: &str) -> Self;
    fn and_delete(self, name: &str) -> Self;
    fn and_log(self, body: &str) -> Self;
    fn only_if(self, name: &str, value: Option<&str>) -> Self;
}

impl BatchOf for Batch {
    fn and_put(mut self, name: &str, value: &str) -> Self {
        self.puts.push((key(name), value.into()));
        self
    }

    fn and_delete(mut self, name: &str) -> Self {
        self.deletes.push(key(name));
        self
    }

    fn and_log(mut self, body: &str) -> Self {
        self.events.push(body.as_bytes().to_vec().into());
        self
    }

    fn only_if(mut self, name: &str, value: Option<&str>) -> Self {
        self.preconditions.push((key(name), value.map(Into::into)));
        self
    }
}

pub(super) fn put(name: &str, value: &str) -> Batch {
    Batch::default().and_put(name, value)
}

pub(super) fn key(name: &str) -> Vec<u8> {
    [b"\x10", name.as_bytes()].concat()
}

pub(super) fn rows(rows: &[(&str, &str)]) -> Vec<(Vec<u8>, Vec<u8>)> {
    rows.iter()
        .map(|(name, value)| (key(name), value.as_bytes().to_vec()))
        .collect()
}

/// All rows of the table.
pub(super) fn contents(read: &dyn Read) -> Vec<(Vec<u8>, Vec<u8>)> {
    read.scan(&[0x10], &[0x11], usize::MAX).unwrap()
}

pub(super) fn whole_log(engine: &dyn Engine) -> Vec<LoggedEvent> {
    engine.changes(Seq(0), usize::MAX).unwrap()
}

pub(super) fn bodies(events: &[LoggedEvent]) -> Vec<String> {
    events
        .iter()
        .map(|event| text(event.body.clone()))
        .collect()
}

pub(super) fn text(bytes: Vec<u8>) -> String {
    String::from_utf8(bytes).unwrap()
}

/// Computes the chain anew, from the definition in the format's description alone.
pub(super) fn assert_chain(engine: &dyn Engine) {
    let mut head = Head {
        seq: Seq(0),
        digest: [0; 32],
        at: Timestamp::EPOCH,
    };
    for event in whole_log(engine) {
        assert_eq!(event.seq.0, head.seq.0 + 1, "no gap");
        assert!(event.at >= head.at, "time runs forward");
        let closed_over = [
            &b"goodstanding event 1"[..],
            &head.digest,
            &event.seq.0.to_be_bytes(),
            &event.at.millis().to_be_bytes(),
            &event.body,
        ];
        let digest: [u8; 32] = Sha256::digest(closed_over.concat()).into();
        assert_eq!(event.digest, digest, "event {}", event.seq);
        head = Head {
            seq: event.seq,
            digest,
            at: event.at,
        };
    }
    assert_eq!(engine.head(), head);
}
