//! What a registry has acknowledged, and what it was asked and may have done.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::caller::Answer;

/// A list's path, and an index there.
pub(super) type Place = (String, u64);

/// A change that somebody asks for, under a key by which it is made once.
#[derive(Debug, Clone)]
pub(super) struct Deed {
    pub(super) key: String,
    pub(super) path: String,
    pub(super) body: Value,
    pub(super) kind: Kind,
}

/// What a deed is, and what it does where it is acknowledged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Kind {
    /// Gives out entries.
    Allocates,
    /// Sets entries to a value.
    Sets(Vec<Place>, bool),
    /// Issues a credential.
    Issues,
    /// Endorses.
    Endorses,
    /// Makes something that can be read at `/profiles/…` or where its answer says.
    Makes,
    /// Has the next master key take the place of the one in use.
    Rotates,
}

/// What is known of an entry.
#[derive(Debug, Clone, Default)]
pub(super) struct Bit {
    /// As acknowledged.
    pub(super) set: bool,
    /// What it may be as well: a change that was not answered.
    pub(super) also: Option<bool>,
    /// Somebody saw it revoked in the signed list.
    pub(super) seen_revoked: bool,
}

/// An endorsement, which is revoked, suspended and reinstated by itself.
#[derive(Debug, Clone)]
pub(super) struct Endorsement {
    pub(super) path: String,
    pub(super) revocation: Place,
    pub(super) suspension: Place,
}

#[derive(Debug, Default)]
pub(super) struct Facts {
    pub(super) bits: BTreeMap<Place, Bit>,
    pub(super) endorsements: Vec<Endorsement>,
    /// What was made and can be read.
    pub(super) made: Vec<String>,
    /// Deeds with their answers.
    pub(super) answered: Vec<(Deed, Answer)>,
    /// How many of them were looked for in the log.
    pub(super) in_the_log: usize,
    /// The numbers of the requests that the log tells of.
    pub(super) logged: BTreeSet<String>,
    /// Deeds that were sent and not answered.
    pub(super) open: BTreeMap<String, Deed>,
    /// The highest revision of each list that anybody was told.
    pub(super) revisions: BTreeMap<String, u64>,
    /// Where the log ended when it was last read, and its digest there.
    pub(super) log: (u64, Vec<u8>),
    /// What must never happen and did, where it shows at once.
    pub(super) breaches: Vec<String>,
}

impl Facts {
    /// Somebody is about to ask for this.
    pub(super) fn asked(&mut self, deed: &Deed) {
        if let Kind::Sets(places, to) = &deed.kind {
            for place in places {
                self.bits.entry(place.clone()).or_default().also = Some(*to);
            }
        }
        self.open.insert(deed.key.clone(), deed.clone());
    }

    /// The registry has answered.
    pub(super) fn answered(&mut self, deed: &Deed, answer: Answer) {
        let expected = match deed.kind {
            Kind::Allocates | Kind::Sets(..) | Kind::Rotates => 200,
            Kind::Issues | Kind::Endorses | Kind::Makes => 201,
        };
        if answer.status == 503 {
            // It takes no writes, or does not know what became of it: the deed stays open.
            self.breaches
                .push(format!("no change is taken: {}", answer.text()));
            return;
        }
        self.open.remove(&deed.key);
        if answer.status != expected {
            self.breaches
                .push(format!("{deed:?} is answered {}", answer.text()));
            return;
        }
        self.learn(deed, &answer.json());
        self.answered.push((deed.clone(), answer));
    }

    fn learn(&mut self, deed: &Deed, answer: &Value) {
        match &deed.kind {
            Kind::Allocates => self.given(&answer["entries"]),
            Kind::Issues => self.given(&answer["verifiableCredential"]["credentialStatus"]),
            Kind::Endorses => {
                let endorsement = &answer["verifiableCredential"];
                let status = &endorsement["credentialStatus"];
                self.given(status);
                self.endorsements.push(Endorsement {
                    path: path(&endorsement["id"]),
                    revocation: place(&status[0]),
                    suspension: place(&status[1]),
                });
                self.made.push(path(&endorsement["id"]));
            }
            Kind::Makes => self.made.push(path(&answer["id"])),
            Kind::Sets(places, to) => {
                for place in places {
                    let bit = self.bits.entry(place.clone()).or_default();
                    (bit.set, bit.also) = (*to, None);
                }
                if let Some(revision) = answer["revision"].as_u64() {
                    self.told(&places[0].0, revision);
                }
            }
            Kind::Rotates => {}
        }
    }

    /// Somebody was told that a list has this revision.
    pub(super) fn told(&mut self, list: &str, revision: u64) {
        let highest = self.revisions.entry(list.to_owned()).or_default();
        *highest = revision.max(*highest);
    }

    /// Entries were given out, each for the first time.
    fn given(&mut self, entries: &Value) {
        let one = [entries.clone()];
        let entries = entries.as_array().map_or(&one[..], Vec::as_slice);
        for entry in entries {
            let place = place(entry);
            if self.bits.insert(place.clone(), Bit::default()).is_some() {
                self.breaches.push(format!("{place:?} is given out twice"));
            }
        }
    }

    /// Somebody saw in the signed form of a list of revocations that these are set.
    pub(super) fn seen_revoked(&mut self, list: &str, indexes: &BTreeSet<u64>) {
        for index in indexes {
            if let Some(bit) = self.bits.get_mut(&(list.to_owned(), *index)) {
                bit.seen_revoked = true;
            }
        }
    }

    /// The lists that have entries.
    pub(super) fn lists(&self) -> BTreeSet<String> {
        self.bits.keys().map(|(list, _)| list.clone()).collect()
    }
}

/// The list and index that a status entry names.
fn place(entry: &Value) -> Place {
    let index = entry["statusListIndex"]
        .as_str()
        .and_then(|i| i.parse().ok());
    let index = index.unwrap_or_else(|| panic!("no entry: {entry}"));
    (path(&entry["statusListCredential"]), index)
}

/// The path of what has this id here.
pub(super) fn path(id: &Value) -> String {
    let id = id.as_str().unwrap_or_else(|| panic!("{id} is no id"));
    if let Some(slug) = id.strip_prefix("did:web:registry.example:profiles:") {
        return format!("/profiles/{slug}");
    }
    let path = id.strip_prefix(ORIGIN);
    path.unwrap_or_else(|| panic!("{id} is not here"))
        .to_owned()
}

/// The origin in every id. Nothing answers there.
pub(super) const ORIGIN: &str = "https://registry.example";
