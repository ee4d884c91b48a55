//! What is done in the history about endorsements and accreditors.

use std::collections::BTreeSet;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use goodstanding::time::{Timestamp, Ttl};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::facts::{Endorsement, Fact, Id, Scope, Signed, Version, Word};
use super::history::{ALIGNMENTS, DAY, ELSEWHERE, History, KINDS, PLACES, SECURINGS, TAGS};
use super::model::lies_in;
use crate::support::actors::text;
use crate::support::jwt::enveloped;

impl History<'_> {
    pub(super) fn endorses(&mut self) {
        let (endorser, slug) = self.any_endorser();
        let (subject, kind) = self.any_subject();
        let (digest, version) = match self.dice.chance(30) {
            true => self.some_version(&subject),
            false => (None, None),
        };
        let (valid_from, valid_until) = self.some_period();
        let suspendable = self.dice.chance(60);
        let mut wanted = Endorsement {
            signed: Signed {
                id: String::new(),
                issuer: endorser,
                key: 0,
                securing: "",
                purposes: vec!["revocation"],
                valid_from: valid_from.unwrap_or(self.now()).whole_seconds(),
                valid_until,
            },
            subject: subject.clone(),
            kind,
            scope: self.dice.chance(55).then(|| self.some_scope(kind)),
            version,
            roles: Vec::new(),
        };
        wanted
            .signed
            .purposes
            .extend(suspendable.then_some("suspension"));
        wanted.signed.securing = *self.dice.pick(&SECURINGS);
        let mut body = json!({
            "endorser": slug, "subject": { "id": subject, "kind": kind },
            "name": "Quality label", "suspendable": suspendable,
            "securing": wanted.signed.securing,
        });
        let mut put = |member: &str, value: Option<Value>| {
            body[member] = value?;
            Some(())
        };
        put("validFrom", valid_from.map(|at| at.to_string().into()));
        put("validUntil", valid_until.map(|at| at.to_string().into()));
        put("scope", wanted.scope.as_ref().map(scope_in_json));
        if let Some(digest) = digest {
            body["subject"]["digestMultibase"] = digest.into();
        }
        let answer = self.operator.post("/endorsements", &body);
        let reasons = self.present().refuses(&wanted);
        if !reasons.is_empty() {
            return self.is_refused(&answer, &reasons);
        }
        wanted.signed.id = text(&answer.header("location").expect("its URL").into());
        let document = answer.is(201).json()["verifiableCredential"].clone();
        wanted.signed.key = self.is_signed(&document, &wanted.signed);
        let covers = |role: &Word| {
            let roles = wanted.scope.as_ref().map(|scope| &scope.roles);
            roles.is_none_or(|roles| roles.is_empty() || roles.contains(role))
        };
        wanted.roles = self.present().roles(&subject);
        wanted.roles.retain(covers);
        self.documents.push((wanted.signed.id.clone(), document));
        self.tells(Fact::Endorsed(wanted));
    }

    /// Who might endorse: mostly accreditors.
    fn any_endorser(&mut self) -> (Id, String) {
        let present = self.present();
        let accredits = |id: &str| present.accreditor(id) != "not-endorsed";
        let all: Vec<(Id, String)> = self
            .model
            .profiles()
            .filter(|(id, ..)| accredits(id))
            .map(|(id, slug, _)| (id.clone(), slug.clone()))
            .collect();
        match all.is_empty() || self.dice.chance(6) {
            true => self.any_profile(),
            false => self.dice.pick(&all).clone(),
        }
    }

    /// Something to endorse, now and then as another kind than it is.
    fn any_subject(&mut self) -> (Id, Word) {
        let chosen = self.dice.below(100);
        if chosen < 60 {
            let kind = if chosen == 0 { "credential" } else { "profile" };
            return (self.any_profile().0, kind);
        }
        let otherwise = (self.any_profile().0, "profile");
        let achievements = self.model.achievements().map(|(id, _)| id.clone());
        let endorsements = self.model.endorsements().map(|one| one.signed.id.clone());
        let credentials = self
            .model
            .credentials()
            .map(|(_, one)| one.signed.id.clone());
        let all: Vec<(Id, Word)> = match chosen {
            60..80 => achievements.map(|id| (id, "achievement")).collect(),
            80..85 => endorsements.map(|id| (id, "credential")).collect(),
            85..94 => credentials.map(|id| (id, "credential")).collect(),
            _ => ELSEWHERE.map(|(id, kind)| (id.to_owned(), kind)).to_vec(),
        };
        match all.is_empty() {
            true => otherwise,
            false => self.dice.pick(&all).clone(),
        }
    }

    /// The digest of what is there now, or of what was.
    fn some_version(&mut self, subject: &Id) -> (Option<String>, Option<Version>) {
        let is_achievement = self.model.owner_of(subject).is_some();
        let profile = self.model.profiles().find(|(id, ..)| *id == subject);
        let target = match profile {
            Some((_, slug, _)) => format!("/profiles/{slug}"),
            None if is_achievement => subject.clone(),
            None => return (None, None),
        };
        let shown = self.house.call("GET", &target).send().is(200).body;
        let multihash = [&[0x12, 0x20], &Sha256::digest(&shown)[..]].concat();
        let digest = format!("u{}", URL_SAFE_NO_PAD.encode(multihash));
        let version = self.model.version(subject);
        let known = self.digests.entry(subject.clone()).or_default();
        for (other, its) in &*known {
            assert_eq!(
                *other == digest,
                *its == version,
                "{subject}: {its:?}, {version:?}"
            );
        }
        known.push((digest.clone(), version.clone()));
        let (digest, version) = match self.dice.chance(80) {
            true => (digest, version),
            false => self.dice.pick(known).clone(),
        };
        (Some(digest), Some(version))
    }

    /// From when on and until when, as far as that is said; now and then the wrong way round.
    pub(super) fn some_period(&mut self) -> (Option<Timestamp>, Option<Timestamp>) {
        let now = self.now();
        let mut around = |before: u64, within: u64| {
            let millis = self.dice.below((within * DAY * 1_000) as usize) as i64;
            Timestamp::from_millis(now.millis() - (before * DAY) as i64 * 1_000 + millis)
        };
        let (from, until) = (around(200, 400), around(20, 1_000));
        let from = self.dice.chance(25).then_some(from);
        (from, self.dice.chance(50).then_some(until))
    }

    fn some_scope(&mut self, kind: Word) -> Scope {
        let begin = self.model.facts[0].0;
        let some = |dice: &mut crate::support::dice::Dice, from: &[Word], percent: usize| {
            if dice.chance(percent) {
                dice.some(from)
            } else {
                Vec::new()
            }
        };
        let roles = if kind == "profile" { 30 } else { 4 };
        let mut day = |percent: usize, from: usize, within: usize| {
            let days = (from + self.dice.below(within)) as u64;
            let chosen = self.dice.chance(percent);
            chosen.then(|| begin.plus(Ttl::from_seconds(days * DAY)))
        };
        let (from, until) = (day(20, 0, 1_500), day(20, 1_600, 2_400));
        let dice = &mut self.dice;
        let mut scope = Scope {
            roles: some(dice, &["accreditor", "issuer"], roles),
            types: some(dice, &KINDS, 40),
            tags: some(dice, &TAGS, 20),
            alignments: some(dice, &ALIGNMENTS, 15),
            places: some(dice, &PLACES, 25),
            from,
            until,
        };
        // What lies within another place says nothing.
        let all = scope.places.clone();
        scope.places.retain(|place| {
            let others: Vec<Word> = all.iter().copied().filter(|other| other != place).collect();
            !lies_in(place, &others)
        });
        // A scope says something.
        if scope_in_json(&scope)
            .as_object()
            .is_some_and(|said| said.len() == 1)
        {
            scope.types = vec!["Degree"];
        }
        scope
    }

    /// The number of the key that signed a document, which is the one that has to sign now, and
    /// whether the document carries the entries that it should.
    pub(super) fn is_signed(&self, document: &Value, signed: &Signed) -> u32 {
        let open = |part: &str| -> Value {
            serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap()
        };
        let (claims, method) = match document.get("proof") {
            Some(proof) => (document.clone(), text(&proof["verificationMethod"])),
            None => {
                let jwt = enveloped(document);
                let mut parts = jwt.split('.').map(str::to_owned);
                let header = open(&parts.next().unwrap());
                (open(&parts.next().unwrap()), text(&header["kid"]))
            }
        };
        assert_eq!(claims["id"], signed.id);
        let entries = match claims["credentialStatus"].clone() {
            Value::Array(entries) => entries,
            entry => vec![entry],
        };
        let purposes: Vec<String> = entries
            .iter()
            .map(|one| text(&one["statusPurpose"]))
            .collect();
        assert_eq!(purposes, signed.purposes);
        let fragment = method.rsplit_once('#').unwrap().1;
        let number = fragment.trim_start_matches("key-").trim_end_matches("-jwk");
        // A did:key is its one key.
        let key = number.parse().unwrap_or(1);
        assert_eq!(Some(key), self.present().signing_key(&signed.issuer));
        key
    }

    pub(super) fn decides_about_an_endorsement(&mut self) {
        let all: Vec<Endorsement> = self.model.endorsements().cloned().collect();
        if all.is_empty() {
            return;
        }
        let one = self.dice.pick(&all).clone();
        let action = *self
            .dice
            .pick(&["revoke", "suspend", "suspend", "reinstate", "reinstate"]);
        let fact = Fact::Status {
            of: one.signed.which(),
            purpose: if action == "revoke" {
                "revocation"
            } else {
                "suspension"
            },
            set: action != "reinstate",
        };
        let mut reasons = Vec::new();
        if action != "revoke" {
            let suspendable = one.signed.purposes.contains(&"suspension");
            reasons.extend((!suspendable).then_some("not-suspendable"));
            let revoked = self.present().is_set(&one.signed, "revocation");
            reasons.extend(revoked.then_some("irreversible"));
        }
        let target = format!("{}/{action}", one.signed.id);
        self.tries_first(&target, &fact, &reasons);
        let answer = self
            .operator
            .post(&target, &json!({ "reason": "as decided" }));
        if !reasons.is_empty() {
            return self.is_refused(&answer, &reasons);
        }
        self.tells(fact);
        let told = answer.is(200).json();
        let present = self.present();
        let (place, one) = present
            .endorsements()
            .find(|(_, known)| known.signed.id == one.signed.id)
            .unwrap();
        assert_eq!(
            told["outcome"],
            present.outcome(place, one),
            "{target}: {told}"
        );
    }

    pub(super) fn decides_about_an_accreditor(&mut self) {
        let (profile, slug) = self.any_endorser();
        let action = *self
            .dice
            .pick(&["suspend", "suspend", "reinstate", "reinstate", "revoke"]);
        let standing = match action {
            "suspend" => "suspended",
            "reinstate" => "active",
            _ => "revoked",
        };
        let present = self.present().accreditor(&profile);
        let fact = Fact::Accreditor { profile, standing };
        let reasons: &[Word] = match present {
            "not-endorsed" => &["role-missing"],
            "revoked" if standing != "revoked" => &["irreversible"],
            _ => &[],
        };
        let target = format!("/profiles/{slug}/{action}");
        self.tries_first(&target, &fact, reasons);
        let answer = self.operator.post(&target, &json!({}));
        if !reasons.is_empty() {
            return self.is_refused(&answer, reasons);
        }
        assert_eq!(answer.is(200).json()["outcome"], standing);
        if present != standing {
            self.tells(fact);
        }
    }

    /// Asks what a decision would do before it is made: what the model says once it is made, less
    /// what it says now.
    fn tries_first(&mut self, target: &str, fact: &Fact, reasons: &[Word]) {
        if !self.dice.chance(50) {
            return;
        }
        let answer = self.operator.post(target, &json!({ "dryRun": true }));
        if !reasons.is_empty() {
            return self.is_refused(&answer, reasons);
        }
        let told = answer.is(200).json()["affected"].clone();
        let mut supposed = self.model.clone();
        supposed.facts.push((self.now(), fact.clone()));
        let (before, after) = (self.present(), supposed.then(None, self.now()));
        let changed = before.endorsements().zip(after.endorsements());
        let changed = changed
            .filter(|((n, one), (m, other))| before.outcome(*n, one) != after.outcome(*m, other));
        assert_eq!(told["endorsements"], changed.count(), "{target}: {told}");
        let (mut shown, anchors) = (Vec::new(), self.own_anchors());
        for subject in self.asked_about() {
            let outcome =
                |then: &super::model::Then<'_>| then.backing(&subject, &anchors, None).outcome;
            if outcome(&before) != outcome(&after) {
                let (before, after) = (outcome(&before), outcome(&after));
                shown.push(json!({ "subject": subject, "before": before, "after": after }));
            }
        }
        assert_eq!(told["subjects"], shown.len(), "{target}: {told} {shown:?}");
        assert_eq!(told["shown"], json!(shown), "{target}");
    }

    /// Everything that was ever endorsed, and everybody who might be an anchor, in order of id.
    fn asked_about(&self) -> BTreeSet<Id> {
        let endorsed = self.model.endorsements().map(|one| one.subject.clone());
        let profiles = self.model.profiles().map(|(id, ..)| id.clone());
        endorsed.chain(profiles).collect()
    }
}

/// The scope as requests and answers write it.
pub(super) fn scope_in_json(scope: &Scope) -> Value {
    let mut members = json!({ "type": ["EndorsementScope"] });
    for (member, values) in [
        ("role", &scope.roles),
        ("achievementType", &scope.types),
        ("tag", &scope.tags),
        ("alignment", &scope.alignments),
        ("jurisdiction", &scope.places),
    ] {
        if !values.is_empty() {
            members[member] = json!(values);
        }
    }
    for (member, at) in [("awardedFrom", scope.from), ("awardedUntil", scope.until)] {
        if let Some(at) = at {
            members[member] = at.to_string().into();
        }
    }
    members
}
