//! A random history: what is done goes to the registry and, as it is meant, into the model.

use std::cell::RefCell;
use std::collections::{BTreeSet, HashMap};

use goodstanding::time::{Clock as _, Timestamp, Ttl};
use serde_json::{Value, json};

use super::again::Asked;
use super::facts::{Anchors, Fact, Id, Model, Said, Version, Word};
use super::model::Then;
use crate::support::actors::{Actor, text};
use crate::support::client::Answer;
use crate::support::dice::Dice;
use crate::support::house::House;

/// What an achievement can be.
pub(super) struct Content {
    kind: Option<Word>,
    tags: &'static [Word],
    alignments: &'static [Word],
}

const NURSING: Word = "https://frameworks.example/nursing";
const WELDING: Word = "https://frameworks.example/welding";
pub(super) const KINDS: [Word; 3] = ["Course", "Degree", "License"];
pub(super) const TAGS: [Word; 2] = ["art", "law"];
pub(super) const ALIGNMENTS: [Word; 2] = [NURSING, WELDING];
pub(super) const PLACES: [Word; 4] = ["CH", "CH-BE", "CH-ZH", "FR"];
pub(super) const SECURINGS: [Word; 3] = ["eddsa-rdfc-2022", "eddsa-jcs-2022", "vc+jwt"];

pub(super) static CONTENTS: [Content; 4] = [
    Content {
        kind: Some("Degree"),
        tags: &["law"],
        alignments: &[NURSING],
    },
    Content {
        kind: Some("Course"),
        tags: &["art"],
        alignments: &[],
    },
    Content {
        kind: None,
        tags: &["art", "law"],
        alignments: &[WELDING],
    },
    Content {
        kind: Some("Degree"),
        tags: &[],
        alignments: &[NURSING, WELDING],
    },
];

impl Content {
    pub(super) fn said(&self) -> Said {
        let some = |values: &[Word]| (!values.is_empty()).then(|| values.to_vec());
        Said {
            types: self.kind.map(|kind| vec![kind]),
            tags: some(self.tags),
            alignments: some(self.alignments),
        }
    }
}

/// Things that are not of this registry.
pub(super) const ELSEWHERE: [(&str, Word); 3] = [
    ("https://elsewhere.example/school", "profile"),
    ("https://elsewhere.example/badges/1", "achievement"),
    (
        "urn:uuid:00000000-0000-4000-8000-000000000001",
        "credential",
    ),
];

/// The profiles: slug, form of the id, roles. The first five are there from the beginning.
const PROFILES: [(&str, &str, &[&str]); 12] = [
    ("ministry", "did:web", &["accreditor"]),
    ("council", "https", &["accreditor"]),
    ("board", "did:web", &["accreditor"]),
    ("school", "did:web", &["issuer"]),
    ("college", "https", &["issuer"]),
    ("guild", "did:key", &["accreditor"]),
    ("academy", "did:key", &["issuer"]),
    ("union", "did:web", &["issuer", "accreditor"]),
    ("chamber", "did:web", &["accreditor"]),
    ("workshop", "https", &["issuer", "accreditor"]),
    ("evening-school", "did:web", &["issuer"]),
    ("office", "did:web", &["issuer"]),
];

/// A key stands so long before it signs.
const NOTICE: Ttl = Ttl::from_seconds(3_600);

pub(super) const DAY: u64 = 86_400;

pub(super) struct History<'h> {
    pub(super) house: &'h House,
    pub(super) operator: Actor<'h>,
    pub(super) model: Model,
    pub(super) dice: Dice,
    /// What was signed, as it was handed out.
    pub(super) documents: Vec<(Id, Value)>,
    /// The digests of what was endorsed by version.
    pub(super) digests: HashMap<Id, Vec<(String, Version)>>,
    /// Whom the registry itself trusts, by slug; every accreditor where nobody is named.
    trusted: &'static [&'static str],
    /// What has occurred, so that it can be told whether much was tried.
    pub(super) seen: RefCell<BTreeSet<String>>,
    /// What was asked about standing.
    pub(super) asked: Asked,
    /// Until when the token is good.
    token_ends: Timestamp,
    registered: usize,
}

impl<'h> History<'h> {
    /// The first day: the first profiles, and something that can be achieved.
    pub(super) fn begin(house: &'h House, seed: u64, trusted: &'static [&'static str]) -> Self {
        let mut history = Self {
            house,
            operator: house.operator(),
            model: Model::default(),
            dice: Dice::new(seed),
            documents: Vec::new(),
            digests: HashMap::new(),
            trusted,
            seen: RefCell::default(),
            asked: Asked::nothing(seed),
            token_ends: house.clock.now(),
            registered: 0,
        };
        history.keeps_its_token();
        for _ in 0..5 {
            history.registers();
        }
        history.defines();
        history
    }

    /// Something happens, after some time or in the same moment.
    pub(super) fn goes_on(&mut self) {
        if !self.dice.chance(12) {
            let millis = match self.dice.below(4) {
                0 => self.dice.below(5_000),
                _ => self.dice.below(48 * DAY as usize * 1_000),
            };
            self.house.clock.advance(Ttl::from_millis(millis as u64));
        }
        self.keeps_its_token();
        match self.dice.below(100) {
            0..34 => self.endorses(),
            34..50 => self.decides_about_an_endorsement(),
            50..62 => self.decides_about_an_accreditor(),
            62..68 => self.rewrites_a_profile(),
            68..71 => self.defines(),
            71..75 => self.rewrites_an_achievement(),
            75..87 => self.issues(),
            87..92 => self.changes_a_credential(),
            92..97 => self.changes_keys(),
            _ => self.registers(),
        }
    }

    pub(super) fn now(&self) -> Timestamp {
        self.house.clock.now()
    }

    /// What is to be said of the present.
    pub(super) fn present(&self) -> Then<'_> {
        self.model.then(None, self.now())
    }

    /// Whom the registry trusts where the asker names nobody: of those that it is to trust, who is
    /// there by now.
    pub(super) fn own_anchors(&self) -> Anchors {
        let trusted = |slug: &str| self.trusted.contains(&slug);
        let profiles = self.model.profiles().filter(|(_, slug, _)| trusted(slug));
        (!self.trusted.is_empty()).then(|| profiles.map(|(id, ..)| id.clone()).collect())
    }

    pub(super) fn saw(&self, what: impl Into<String>) {
        self.seen.borrow_mut().insert(what.into());
    }

    pub(super) fn tells(&mut self, fact: Fact) {
        let now = self.now();
        self.model.facts.push((now, fact));
    }

    pub(super) fn any_profile(&mut self) -> (Id, String) {
        let profiles = self.model.profiles();
        let all: Vec<(Id, String)> = profiles
            .map(|(id, slug, _)| (id.clone(), slug.clone()))
            .collect();
        self.dice.pick(&all).clone()
    }

    /// A token is good for a year at most.
    fn keeps_its_token(&mut self) {
        if self.now().plus(Ttl::from_seconds(60 * DAY)) < self.token_ends {
            return;
        }
        let body = json!({ "expiresIn": 366 * DAY });
        let made = self.operator.post("/tokens", &body).is(201).json();
        self.operator.token = Some(text(&made["token"]));
        self.token_ends = text(&made["expires"]).parse().unwrap();
    }

    fn registers(&mut self) {
        let Some((slug, form, roles)) = PROFILES.get(self.registered) else {
            return;
        };
        self.registered += 1;
        let body = json!({
            "slug": slug, "name": name(slug, 0), "roles": roles, "issuerId": form,
        });
        let made = self.operator.post("/profiles", &body).is(201).json();
        let profile = text(&made["id"]);
        let now = self.now();
        self.tells(Fact::Registered {
            profile: profile.clone(),
            slug: (*slug).to_owned(),
            https: *form == "https",
        });
        self.tells(Fact::Written {
            thing: profile.clone(),
            content: 0,
        });
        self.tells(Fact::KeyMade {
            profile: profile.clone(),
            key: 1,
            signs_from: now,
        });
        self.has_roles(&profile, roles);
    }

    /// The facts that a profile has these roles, as far as that is new.
    fn has_roles(&mut self, profile: &Id, roles: &[&str]) {
        let held = self.present().roles(profile);
        let (issuer, accreditor) = (roles.contains(&"issuer"), roles.contains(&"accreditor"));
        if issuer != held.contains(&"issuer") {
            self.tells(Fact::Issuer {
                profile: profile.clone(),
                may: issuer,
            });
        }
        if accreditor != held.contains(&"accreditor") {
            self.tells(Fact::Accreditor {
                profile: profile.clone(),
                standing: if accreditor { "active" } else { "revoked" },
            });
        }
    }

    /// Writes a profile anew, with its roles or with others.
    fn rewrites_a_profile(&mut self) {
        let (profile, slug) = self.any_profile();
        let mut roles = self.present().roles(&profile);
        if self.dice.chance(40) {
            let other = *self.dice.pick(&["issuer", "accreditor", "accreditor"]);
            match roles.iter().position(|role| *role == other) {
                Some(place) if roles.len() > 1 => drop(roles.remove(place)),
                Some(_) => {}
                None => roles.push(other),
            }
        }
        if roles.is_empty() {
            roles.push("issuer");
        }
        let content = self.dice.below(3);
        let body = json!({ "name": name(&slug, content), "roles": roles });
        let target = format!("/profiles/{slug}");
        self.operator.put(&target, &body).is(200);
        self.tells(Fact::Written {
            thing: profile.clone(),
            content,
        });
        self.has_roles(&profile, &roles);
    }

    fn defines(&mut self) {
        let (owner, slug) = self.any_profile();
        let content = self.dice.below(CONTENTS.len());
        let target = format!("/profiles/{slug}/achievements");
        let answer = self.operator.post(&target, &achievement(content));
        if !self.present().is_issuer(&owner) {
            return self.is_refused(&answer, &["role-missing"]);
        }
        let achievement = text(&answer.is(201).json()["id"]);
        self.tells(Fact::Defined {
            achievement: achievement.clone(),
            owner,
        });
        self.tells(Fact::Written {
            thing: achievement,
            content,
        });
    }

    fn rewrites_an_achievement(&mut self) {
        let all: Vec<Id> = self
            .model
            .achievements()
            .map(|(id, _)| id.clone())
            .collect();
        if all.is_empty() {
            return;
        }
        let (thing, content) = (
            self.dice.pick(&all).clone(),
            self.dice.below(CONTENTS.len()),
        );
        self.operator.put(&thing, &achievement(content)).is(200);
        self.tells(Fact::Written { thing, content });
    }

    /// Makes a key, takes one out of use, or gives one up.
    fn changes_keys(&mut self) {
        let (profile, slug) = self.any_profile();
        let target = format!("/profiles/{slug}/keys");
        let key = 1 + self.dice.below(self.model.keys_made(&profile) as usize) as u32;
        let rotates = !profile.starts_with("did:key:");
        match self.dice.below(4) {
            0 | 1 => {
                let answer = self.operator.call("POST", &target).send();
                if !rotates {
                    return self.is_refused(&answer, &["key"]);
                }
                answer.is(201);
                self.makes_key(&profile, NOTICE);
            }
            2 => {
                let retire = format!("{target}/key-{key}/retire");
                let answer = self.operator.call("POST", &retire).send();
                let present = self.present();
                if present.is_out_of_use(&profile, key) || !present.has_another(&profile, key) {
                    return self.is_refused(&answer, &["key"]);
                }
                answer.is(200);
                self.tells(Fact::KeyRetired { profile, key });
            }
            _ => {
                let since = self.some_moment();
                let body = json!({ "since": since.to_string() });
                let answer = self
                    .operator
                    .post(&format!("{target}/key-{key}/revoke"), &body);
                if !rotates {
                    return self.is_refused(&answer, &["key"]);
                }
                answer.is(200);
                let has_another = self.present().has_another(&profile, key);
                self.tells(Fact::KeyLost {
                    profile: profile.clone(),
                    key,
                    since,
                });
                if !has_another {
                    // Somebody has to sign from now on.
                    self.makes_key(&profile, Ttl::from_seconds(0));
                }
            }
        }
    }

    fn makes_key(&mut self, profile: &Id, notice: Ttl) {
        let (key, signs_from) = (self.model.keys_made(profile) + 1, self.now().plus(notice));
        self.tells(Fact::KeyMade {
            profile: profile.clone(),
            key,
            signs_from,
        });
    }

    /// A moment in the past: when something happened, began or ended, shortly before or after, or
    /// any; or now.
    pub(super) fn some_moment(&mut self) -> Timestamp {
        let (begin, now) = (self.model.facts[0].0.millis(), self.now().millis());
        let happened: Vec<i64> = self.model.facts.iter().map(|(at, _)| at.millis()).collect();
        let endorsed = self.model.endorsements().map(|one| &one.signed);
        let issued = self.model.credentials().map(|(_, one)| &one.signed);
        let periods: Vec<i64> = endorsed
            .chain(issued)
            .flat_map(|signed| [Some(signed.valid_from), signed.valid_until])
            .filter_map(|end| Some(end?.millis()).filter(|end| *end <= now))
            .collect();
        let mark = match self.dice.chance(50) && !periods.is_empty() {
            true => *self.dice.pick(&periods),
            false => *self.dice.pick(&happened),
        };
        let millis = match self.dice.below(9) {
            0 => now,
            1 => begin - 1 - self.dice.below(1_000) as i64,
            2..=4 => mark,
            5 => mark - 1,
            6 => mark + 1,
            _ => begin + self.dice.below((now - begin) as usize + 1) as i64,
        };
        Timestamp::from_millis(millis.min(now))
    }

    /// Demands a refusal for one of these reasons: the type of the problem, or the place that is
    /// wrong.
    #[track_caller]
    pub(super) fn is_refused(&self, answer: &Answer, reasons: &[Word]) {
        let text = answer.text();
        assert!(answer.status >= 400, "{reasons:?} was expected: {text}");
        let problem = answer.json();
        let kind = problem["type"].as_str().unwrap_or_default();
        let kind = kind.strip_prefix("urn:goodstanding:problem:");
        let named = [kind, problem["pointer"].as_str()];
        let reason = reasons
            .iter()
            .find(|reason| named.contains(&Some(**reason)));
        let reason = reason.unwrap_or_else(|| panic!("{reasons:?} was expected: {text}"));
        self.saw(format!("refused: {reason}"));
    }
}

/// The name that goes with a content of a profile.
pub(super) fn name(slug: &str, content: usize) -> String {
    format!("The {slug}, as of statute {content}")
}

/// An achievement with this content.
fn achievement(content: usize) -> Value {
    let mut body = said_in_json(&CONTENTS[content].said());
    body["name"] = format!("Achievement {content}").into();
    body["description"] = "What can be done with it.".into();
    body["criteria"] = json!({ "narrative": "A panel has seen it." });
    body
}

/// The members that say something of an achievement.
pub(super) fn said_in_json(said: &Said) -> Value {
    let mut members = json!({});
    if let Some(types) = &said.types {
        members["achievementType"] = types[0].into();
    }
    if let Some(tags) = &said.tags {
        members["tag"] = json!(tags);
    }
    if let Some(alignments) = &said.alignments {
        let alignment = |url: &Word| json!({ "type": ["Alignment"], "targetName": "A framework", "targetUrl": url });
        members["alignment"] = alignments.iter().map(alignment).collect();
    }
    members
}
