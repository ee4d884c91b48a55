//! Clients that change one registry at the same time, and one that reads what is published.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::Sender;
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde_json::{Value, json};

use super::caller::Caller;
use super::facts::{Deed, Endorsement, Facts, Kind, ORIGIN, Place};
use crate::support::dice::Dice;
use crate::support::reader;

pub(super) const ISSUER: &str = "college";
pub(super) const BOARD: &str = "board";

/// What all clients know of the registry.
pub(super) struct Registry {
    pub(super) caller: Caller,
    /// A list of revocations, and one of suspensions over the same indexes.
    pub(super) revocations: String,
    pub(super) suspensions: String,
    /// The issuer's id.
    pub(super) issuer: String,
}

/// A client with what is its own: nobody else changes that, so that it knows what it has to be.
pub(super) struct Client<'a> {
    pub(super) registry: &'a Registry,
    pub(super) facts: &'a Mutex<Facts>,
    pub(super) dice: Dice,
    /// Indexes of the two lists that were given out to it.
    indexes: Vec<u64>,
    endorsements: Vec<Endorsement>,
}

pub(super) fn known(facts: &Mutex<Facts>) -> MutexGuard<'_, Facts> {
    facts.lock().unwrap_or_else(PoisonError::into_inner)
}

impl<'a> Client<'a> {
    /// The client `number` of `count`, with its share of what there is.
    pub(super) fn new(
        registry: &'a Registry,
        facts: &'a Mutex<Facts>,
        dice: Dice,
        (number, count): (usize, usize),
    ) -> Self {
        let all = known(facts);
        let share = |place: &usize| place % count == number;
        let entries = all.bits.keys();
        let indexes = entries.filter(|(list, _)| *list == registry.revocations);
        let indexes = indexes.enumerate().filter(|(place, _)| share(place));
        let endorsements = all.endorsements.iter().enumerate();
        let endorsements = endorsements.filter(|(place, _)| share(place));
        Self {
            registry,
            facts,
            dice,
            indexes: indexes.map(|(_, (_, index))| *index).collect(),
            endorsements: endorsements.map(|(_, one)| one.clone()).collect(),
        }
    }

    /// Asks for one change after the other until the server is gone; tells of each answer.
    pub(super) fn run(mut self, tell: &Sender<()>) {
        loop {
            let deed = self.next();
            known(self.facts).asked(&deed);
            let caller = &self.registry.caller;
            let Ok(answer) = caller.post(&deed.path, &deed.body, Some(&deed.key)) else {
                return;
            };
            let refused = answer.status == 503;
            let before = known(self.facts).endorsements.len();
            known(self.facts).answered(&deed, answer);
            self.take_up(&deed, before);
            if refused || tell.send(()).is_err() {
                return;
            }
        }
    }

    /// What was given out to it is its own from now on.
    fn take_up(&mut self, deed: &Deed, endorsements: usize) {
        let facts = known(self.facts);
        let Some((last, answer)) = facts.answered.iter().rfind(|(one, _)| one.key == deed.key)
        else {
            return;
        };
        match last.kind {
            Kind::Allocates => {
                let entries = answer.json();
                let entries = entries["entries"].as_array().into_iter().flatten();
                let index = |entry: &Value| entry["statusListIndex"].as_str()?.parse::<u64>().ok();
                self.indexes.extend(entries.filter_map(index));
            }
            Kind::Endorses => {
                let id = answer.json()["verifiableCredential"]["id"].clone();
                let made = facts.endorsements[endorsements..].iter();
                let mine = |one: &&Endorsement| id == json!(format!("{ORIGIN}{}", one.path));
                self.endorsements.extend(made.filter(mine).cloned());
            }
            _ => {}
        }
    }

    fn next(&mut self) -> Deed {
        match self.dice.below(100) {
            0..12 => self.allocates(),
            12..45 => self.sets(false).unwrap_or_else(|| self.allocates()),
            45..65 => self.sets(true).unwrap_or_else(|| self.allocates()),
            65..77 => self.issues(),
            77..84 => self.endorses(),
            84..94 => self.stands_by_it().unwrap_or_else(|| self.endorses()),
            _ => self.registers(),
        }
    }

    fn deed(&mut self, path: String, body: Value, kind: Kind) -> Deed {
        let key = uuid(&mut self.dice);
        Deed {
            key,
            path,
            body,
            kind,
        }
    }

    fn allocates(&mut self) -> Deed {
        let path = format!("{}/entries", self.registry.revocations);
        let count = 1 + self.dice.below(8);
        self.deed(path, json!({ "count": count }), Kind::Allocates)
    }

    /// Revokes some entries, or suspends or reinstates them.
    fn sets(&mut self, suspends: bool) -> Option<Deed> {
        let list = match suspends {
            true => &self.registry.suspensions,
            false => &self.registry.revocations,
        };
        let facts = known(self.facts);
        let to = !suspends || self.dice.chance(60);
        // A change that changes nothing is not told of in the log.
        let changes = |index: &u64| match facts.bits.get(&(list.clone(), *index)) {
            Some(bit) => bit.also.is_none() && bit.set != to,
            None => to,
        };
        let mut free: Vec<u64> = self.indexes.clone();
        free.retain(changes);
        drop(facts);
        if free.is_empty() {
            return None;
        }
        let first = self.dice.below(free.len());
        let count = 1 + self.dice.below(4);
        let chosen: Vec<u64> = free.into_iter().skip(first).take(count).collect();
        let update = |index| json!({ "index": index, "status": u8::from(to) });
        let updates: Vec<Value> = chosen.iter().map(update).collect();
        let body = json!({ "updates": updates, "reason": "cut" });
        let places = chosen.iter().map(|index| (list.clone(), *index)).collect();
        let path = format!("{list}/updates");
        Some(self.deed(path, body, Kind::Sets(places, to)))
    }

    fn issues(&mut self) -> Deed {
        let id = uuid(&mut self.dice);
        let credential = json!({
            "@context": ["https://www.w3.org/ns/credentials/v2"],
            "id": format!("urn:uuid:{id}"),
            "type": ["VerifiableCredential"],
            "issuer": self.registry.issuer,
            "credentialSubject": { "id": "did:example:holder" },
        });
        let body = json!({ "credential": credential });
        self.deed("/credentials/issue".to_owned(), body, Kind::Issues)
    }

    fn endorses(&mut self) -> Deed {
        let body = json!({
            "endorser": BOARD,
            "subject": { "id": self.registry.issuer, "kind": "profile" },
            "name": "Accredited",
            "suspendable": true,
        });
        self.deed("/endorsements".to_owned(), body, Kind::Endorses)
    }

    /// Revokes, suspends or reinstates an endorsement.
    fn stands_by_it(&mut self) -> Option<Deed> {
        let chosen = self.dice.below(self.endorsements.len().max(1));
        let chosen = self.endorsements.get(chosen)?.clone();
        let facts = known(self.facts);
        let set = |place: &Place| facts.bits.get(place).is_some_and(|bit| bit.set);
        let (revoked, suspended) = (set(&chosen.revocation), set(&chosen.suspension));
        drop(facts);
        let (deed, place, to) = match (revoked, suspended) {
            (true, _) => return None,
            (false, _) if self.dice.chance(20) => ("revoke", chosen.revocation, true),
            (false, true) => ("reinstate", chosen.suspension, false),
            (false, false) => ("suspend", chosen.suspension, true),
        };
        let path = format!("{}/{deed}", chosen.path);
        let body = json!({ "reason": "cut" });
        Some(self.deed(path, body, Kind::Sets(vec![place], to)))
    }

    fn registers(&mut self) -> Deed {
        if self.dice.chance(50) {
            let body = json!({
                "name": "First aid",
                "description": "Can give first aid.",
                "criteria": { "narrative": "Passed the course." },
            });
            let path = format!("/profiles/{ISSUER}/achievements");
            return self.deed(path, body, Kind::Makes);
        }
        let slug = format!("p-{}", uuid(&mut self.dice));
        let body = json!({ "slug": slug, "name": slug, "roles": ["issuer"] });
        self.deed("/profiles".to_owned(), body, Kind::Makes)
    }
}

/// A number for requests and credentials, written as a UUID.
pub(super) fn uuid(dice: &mut Dice) -> String {
    let mut hex = String::new();
    for place in 0..32 {
        if [8, 12, 16, 20].contains(&place) {
            hex.push('-');
        }
        let digit = match place {
            12 => 4,
            16 => 8 + dice.below(4),
            _ => dice.below(16),
        };
        hex.push(char::from_digit(u32::try_from(digit).expect("small"), 16).expect("a digit"));
    }
    hex
}

/// Has the next master key, which lies beside the present one, take its place.
pub(super) fn rotates(registry: &Registry, facts: &Mutex<Facts>, dice: &mut Dice) {
    let deed = Deed {
        key: uuid(dice),
        path: "/master-key/rotate".to_owned(),
        body: json!({}),
        kind: Kind::Rotates,
    };
    // Not asked again after a cut: there may be no next one any more.
    let Ok(answer) = registry.caller.post(&deed.path, &deed.body, None) else {
        return;
    };
    if answer.status != 200 && answer.status != 503 {
        let breach = format!("the master key is not rotated: {}", answer.text());
        known(facts).breaches.push(breach);
    }
}

/// Reads the published lists over and over until the server is gone: what was seen revoked once
/// stays revoked, and no revision goes back.
pub(super) fn reads(registry: &Registry, facts: &Mutex<Facts>, over: &AtomicBool) {
    while !over.load(Ordering::Relaxed) {
        for list in [&registry.revocations, &registry.suspensions] {
            let Ok(answer) = registry.caller.get(list, "application/json") else {
                return;
            };
            if answer.status != 200 {
                continue;
            }
            let set: BTreeSet<u64> = reader::set(&reader::bits(&answer.json()));
            let index = set.first().copied().unwrap_or_default();
            if *list == registry.revocations {
                known(facts).seen_revoked(list, &set);
            }
            let query = format!("/status?list={ORIGIN}{list}&index={index}");
            let Ok(answer) = registry.caller.get(&query, "application/json") else {
                return;
            };
            if let Some(revision) = answer.json()["revision"].as_u64() {
                known(facts).told(list, revision);
            }
        }
    }
}
