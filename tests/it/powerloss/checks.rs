//! Whether everything that was acknowledged is there after a power cut.

use std::collections::{BTreeMap, BTreeSet};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use goodstanding::time::Timestamp;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::caller::{Answer, Caller};
use super::clients::Registry;
use super::facts::{Facts, ORIGIN, Place};
use crate::support::dice::Dice;
use crate::support::reader;

/// How a server came up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum State {
    Ready,
    /// It serves and takes no changes, and says why.
    ReadOnly(String),
}

/// So many answers of earlier runs are asked for again, and so many of the last one.
const AGAIN: (usize, usize) = (6, 25);
/// So many things that were made in earlier runs are looked for.
const OLDER: usize = 15;

/// What is asked of a registry that has come up, and what was found wrong.
pub(super) struct Checks<'a> {
    pub(super) registry: &'a Registry,
    pub(super) facts: &'a mut Facts,
    pub(super) dice: &'a mut Dice,
    wrong: Vec<String>,
}

/// How the server says that it is.
pub(super) fn state(caller: &Caller) -> State {
    let answer = get(caller, "/health/ready");
    match answer.status {
        200 => State::Ready,
        _ => State::ReadOnly(answer.text()),
    }
}

fn get(caller: &Caller, path: &str) -> Answer {
    let answer = caller.get(path, "application/json");
    answer.unwrap_or_else(|error| panic!("GET {path}: {error}"))
}

impl<'a> Checks<'a> {
    pub(super) fn new(registry: &'a Registry, facts: &'a mut Facts, dice: &'a mut Dice) -> Self {
        Self {
            registry,
            facts,
            dice,
            wrong: Vec::new(),
        }
    }

    /// What a registry that came up like this has to hold. Where it is ready, what was left open
    /// before the cut is asked for again.
    pub(super) fn run(mut self, state: &State) -> Vec<String> {
        let shown = self.look_ups();
        self.signed_lists(&shown, state);
        self.made();
        self.log();
        match state {
            State::Ready => {
                self.settle();
                self.same_answers();
            }
            State::ReadOnly(_) => self.takes_nothing(),
        }
        let breaches = std::mem::take(&mut self.facts.breaches);
        self.wrong.extend(breaches);
        self.wrong
    }

    /// Every entry is as it was acknowledged, and no revision is below one that was told.
    fn look_ups(&mut self) -> BTreeMap<Place, bool> {
        let mut shown = BTreeMap::new();
        let places: Vec<Place> = self.facts.bits.keys().cloned().collect();
        for part in places.chunks(5_000) {
            let query = |(list, index): &Place| json!({ "list": format!("{ORIGIN}{list}"), "index": index });
            let queries: Vec<Value> = part.iter().map(query).collect();
            let body = json!({ "queries": queries });
            let caller = &self.registry.caller;
            let answer = caller.post("/status/query", &body, None).unwrap().json();
            for (place, result) in part.iter().zip(answer["results"].as_array().unwrap()) {
                if let Some(set) = self.look_up(place, result) {
                    shown.insert(place.clone(), set);
                }
            }
        }
        shown
    }

    fn look_up(&mut self, place: &Place, result: &Value) -> Option<bool> {
        let bit = &self.facts.bits[place];
        let Some(status) = result["status"].as_u64() else {
            self.wrong.push(format!("{place:?} is unknown: {result}"));
            return None;
        };
        let set = status != 0;
        if set != bit.set && Some(set) != bit.also {
            self.wrong
                .push(format!("{place:?} is {set}, and known is {bit:?}"));
        }
        if bit.seen_revoked && !set {
            self.wrong.push(format!(
                "{place:?} was seen revoked, and is not any more: {bit:?}"
            ));
        }
        let revision = result["revision"].as_u64().unwrap_or_default();
        let told = self.facts.revisions.get(&place.0).copied();
        if Some(revision) < told {
            self.wrong.push(format!(
                "{} has revision {revision}, and was told to have {told:?}",
                place.0
            ));
        }
        Some(set)
    }

    /// A registry that is ready has published everything; one that is not shows nothing in a list
    /// that a look-up does not know.
    fn signed_lists(&mut self, shown: &BTreeMap<Place, bool>, state: &State) {
        for list in self.facts.lists() {
            let answer = get(&self.registry.caller, &list);
            if answer.status != 200 {
                self.wrong.push(format!("{list} is {}", answer.text()));
                continue;
            }
            let signed = reader::set(&reader::bits(&answer.json()));
            let of_it = shown.iter().filter(|((one, _), _)| *one == list);
            for ((_, index), set) in of_it {
                let in_list = signed.contains(index);
                if in_list != *set && (*state == State::Ready || in_list) {
                    self.wrong.push(format!(
                        "{list} {index} is {set} when looked up, and {in_list} in the signed list"
                    ));
                }
            }
        }
    }

    /// What was made can be read.
    fn made(&mut self) {
        let made = &self.facts.made;
        let last = made.len().saturating_sub(60);
        let mut looked_for: BTreeSet<usize> = (last..made.len()).collect();
        looked_for.extend((0..OLDER.min(last)).map(|_| self.dice.below(last)));
        for place in looked_for {
            let answer = get(&self.registry.caller, &made[place]);
            if answer.status != 200 {
                let wrong = format!("{} was made, and is {}", made[place], answer.text());
                self.wrong.push(wrong);
            }
        }
    }

    /// The log goes on where it had ended, its chain of digests is whole, and it tells of every
    /// change that was acknowledged.
    fn log(&mut self) {
        let (mut seq, mut digest) = self.facts.log.clone();
        // From the last event that is known already: it has to be the same.
        let mut since = seq.saturating_sub(1);
        loop {
            let path = format!("/events?limit=1000&since={since}");
            let page = self.registry.caller.get(&path, "application/x-ndjson");
            let page = page.unwrap();
            let text = String::from_utf8_lossy(&page.body);
            let events: Vec<Value> = text
                .lines()
                .map(|line| serde_json::from_str(line).unwrap_or(Value::Null))
                .collect();
            for event in &events {
                since = event["id"].as_u64().unwrap_or_default();
                if since == seq && seq > 0 {
                    if event["digest"] != json!(URL_SAFE_NO_PAD.encode(&digest)) {
                        self.wrong.push(format!("event {seq} is another one now"));
                    }
                    continue;
                }
                digest = next_link(&digest, event);
                if since != seq + 1 || event["digest"] != json!(URL_SAFE_NO_PAD.encode(&digest)) {
                    self.wrong
                        .push(format!("the log breaks behind event {seq}: {event}"));
                    return;
                }
                seq = since;
                let request = event["request"].as_str().map(str::to_owned);
                self.facts.logged.extend(request);
            }
            if !page.more {
                break;
            }
        }
        if seq < self.facts.log.0 {
            self.wrong.push(format!(
                "the log ends with event {seq}, and had event {}",
                self.facts.log.0
            ));
        }
        self.facts.log = (seq, digest);
        for (deed, _) in &self.facts.answered[self.facts.in_the_log..] {
            if !self.facts.logged.contains(&deed.key) {
                self.wrong
                    .push(format!("the log does not tell of {deed:?}"));
            }
        }
        self.facts.in_the_log = self.facts.answered.len();
    }

    /// A registry that says that it takes no changes takes none.
    fn takes_nothing(&mut self) {
        let body = json!({ "slug": "late", "name": "Late", "roles": ["issuer"] });
        let answer = self.registry.caller.post("/profiles", &body, None).unwrap();
        if answer.status != 503 {
            let wrong = format!("a change is answered {}", answer.text());
            self.wrong.push(wrong);
        }
    }

    /// Whoever was not answered asks again under the same key.
    fn settle(&mut self) {
        for deed in std::mem::take(&mut self.facts.open).into_values() {
            self.facts.open.insert(deed.key.clone(), deed.clone());
            let caller = &self.registry.caller;
            let answer = caller.post(&deed.path, &deed.body, Some(&deed.key));
            let answer = answer.unwrap_or_else(|error| panic!("{}: {error}", deed.path));
            self.facts.answered(&deed, answer);
        }
    }

    /// The same key gives the same answer.
    fn same_answers(&mut self) {
        let answered = &self.facts.answered;
        let last = answered.len().saturating_sub(AGAIN.1);
        let mut asked: BTreeSet<usize> = (last..answered.len()).collect();
        asked.extend((0..AGAIN.0.min(last)).map(|_| self.dice.below(last)));
        for place in asked {
            let (deed, first) = &answered[place];
            let again = self
                .registry
                .caller
                .post(&deed.path, &deed.body, Some(&deed.key));
            let again = again.unwrap_or_else(|error| panic!("{}: {error}", deed.path));
            if (again.status, &again.body) != (first.status, &first.body) {
                self.wrong.push(format!(
                    "{deed:?} was answered {}, and is answered {}",
                    first.text(),
                    again.text()
                ));
            }
        }
    }
}

/// The digest of an event, by the rule that docs give to whoever reads the log.
fn next_link(before: &[u8], event: &Value) -> Vec<u8> {
    let text = |member: &str| event[member].as_str().unwrap_or_default();
    let at: Timestamp = text("at").parse().unwrap_or(Timestamp::EPOCH);
    let before = match before {
        [] => &[0; 32],
        before => before,
    };
    let mut hash = Sha256::new();
    hash.update(b"goodstanding event 1");
    hash.update(before);
    hash.update(event["id"].as_u64().unwrap_or_default().to_be_bytes());
    hash.update(at.millis().to_be_bytes());
    hash.update(URL_SAFE_NO_PAD.decode(text("body")).unwrap_or_default());
    hash.finalize().to_vec()
}
