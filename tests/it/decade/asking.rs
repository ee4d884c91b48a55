//! What is asked, and that every answer is the model's.

use std::collections::BTreeMap;

use goodstanding::time::Timestamp;
use serde_json::{Value, json};

use super::credentials::{Asker, Party, Told};
use super::deeds::scope_in_json;
use super::facts::{Anchors, Credential, Endorsement, Fact, Id, Need, Word};
use super::history::{ELSEWHERE, History, PLACES, name};
use super::model::Then;
use crate::support::actors::text;
use crate::support::house::ORIGIN;

/// So many endorsements of a party are shown in an answer about standing.
const MOST_SHOWN: usize = 8;

/// A moment and whom the asker trusts.
pub(super) struct Question {
    at: Option<Timestamp>,
    /// The anchors that are named in it.
    named: Anchors,
    /// Who asks, with those or else the registry's own.
    asker: Asker,
}

impl Question {
    /// The members that every question has.
    fn members(&self, mut body: Value) -> Value {
        if let Some(at) = self.at {
            body["at"] = at.to_string().into();
        }
        if let Some(anchors) = &self.named {
            body["trustAnchors"] = json!(anchors);
        }
        body
    }
}

impl History<'_> {
    /// Asks everything about one moment.
    pub(super) fn is_asked(&mut self) {
        let at = (!self.dice.chance(40)).then(|| self.some_moment());
        let named = (!self.dice.chance(40)).then(|| self.some_anchors());
        let question = Question {
            at,
            named: named.clone(),
            asker: Asker {
                anchors: named.or_else(|| self.own_anchors()),
                place: self.dice.chance(40).then(|| *self.dice.pick(&PLACES)),
            },
        };
        self.asks_about_subjects(&question);
        self.asks_for_a_list(&question);
        self.asks_by_id(&question);
        self.asks_by_document(&question);
    }

    fn some_anchors(&mut self) -> Vec<Id> {
        let count = 1 + self.dice.below(3);
        (0..count)
            .map(|_| match self.dice.chance(8) {
                true => "https://elsewhere.example/ministry".to_owned(),
                false => self.any_profile().0,
            })
            .collect()
    }

    /// `POST /endorsements/query` about everything that there is, and some things that are not.
    fn asks_about_subjects(&mut self, question: &Question) {
        let mut subjects: Vec<(String, Id)> = Vec::new();
        for (id, slug, _) in self.model.profiles() {
            subjects.push((id.clone(), id.clone()));
            // A profile answers to its URL as well.
            subjects.push((format!("{ORIGIN}/profiles/{slug}"), id.clone()));
        }
        let achievements = self.model.achievements().map(|(id, _)| id.clone());
        let endorsed = self.model.endorsements().map(|one| one.subject.clone());
        let others = ELSEWHERE.map(|(id, _)| id.to_owned());
        let nothing = format!("{ORIGIN}/profiles/nobody");
        let more = achievements.chain(endorsed).chain(others).chain([nothing]);
        subjects.extend(more.map(|id| (id.clone(), id)));
        let asked: Vec<&String> = subjects.iter().map(|(asked, _)| asked).collect();
        let body = question.members(json!({ "subjects": asked }));
        let answer = self.house.call("POST", "/endorsements/query").json(&body);
        let answer = answer.send().is(200).json();
        let then = self.model.then(question.at, self.now());
        assert_eq!(answer["asOf"], then.moment.to_string());
        let results = answer["results"].as_array().unwrap();
        assert_eq!(results.len(), subjects.len());
        for ((asked, id), told) in subjects.iter().zip(results) {
            assert_eq!(told["subject"], *asked);
            self.is_backed(&then, id, &question.asker.anchors, None, told);
            let meant = then.endorsements().filter(|(_, one)| one.subject == *id);
            let meant = meant.inspect(|(place, one)| {
                self.saw(format!("endorsement: {}", then.outcome(*place, one)));
            });
            is_listed(&then, meant.collect(), &told["endorsements"]);
            assert_eq!(told.get("more"), None);
        }
    }

    /// `GET /endorsements` with some filters, page by page.
    fn asks_for_a_list(&mut self, question: &Question) {
        let mut query: Vec<(&str, String)> = Vec::new();
        let endorsements: Vec<Endorsement> = self.model.endorsements().cloned().collect();
        if endorsements.is_empty() {
            return;
        }
        let by = self.dice.pick(&endorsements);
        let subject = self.dice.chance(60).then(|| by.subject.clone());
        let endorser = self.dice.chance(40).then(|| by.signed.issuer.clone());
        let kind = self.dice.chance(30).then_some(by.kind);
        let standing = self.dice.chance(30).then(|| {
            *self
                .dice
                .pick(&["active", "suspended", "revoked", "expired", "stale-digest"])
        });
        query.extend(subject.clone().map(|id| ("subject", id)));
        query.extend(endorser.clone().map(|id| ("endorser", id)));
        query.extend(kind.map(|kind| ("kind", kind.to_owned())));
        query.extend(standing.map(|word| ("standing", word.to_owned())));
        query.extend(question.at.map(|at| ("at", at.to_string())));
        let limit = *self.dice.pick(&[1, 2, 5, 100]);
        query.push(("limit", limit.to_string()));
        let mut target = {
            let mut text = url::form_urlencoded::Serializer::new("/endorsements?".to_owned());
            text.extend_pairs(&query).finish()
        };
        let mut told = Vec::new();
        loop {
            let answer = self.house.call("GET", &target).send().is(200);
            let page = answer.json()["endorsements"].as_array().unwrap().clone();
            assert!(page.len() <= limit);
            told.extend(page);
            match answer.next() {
                Some(next) => target = next,
                None => break,
            }
        }
        let then = self.model.then(question.at, self.now());
        let meant = then.endorsements().filter(|(place, one)| {
            subject.as_ref().is_none_or(|id| one.subject == *id)
                && endorser.as_ref().is_none_or(|id| one.signed.issuer == *id)
                && kind.is_none_or(|kind| one.kind == kind)
                && standing.is_none_or(|word| then.outcome(*place, one) == word)
        });
        is_listed(&then, meant.collect(), &told.into());
    }

    /// `POST /standing/query` by id.
    fn asks_by_id(&mut self, question: &Question) {
        let mut ids: Vec<Id> = vec!["urn:decade:unknown".to_owned()];
        ids.extend(
            self.model
                .credentials()
                .map(|(_, one)| one.signed.id.clone()),
        );
        ids.sort();
        ids.dedup();
        let mut body = question.members(json!({ "ids": ids }));
        if let Some(place) = question.asker.place {
            body["jurisdiction"] = place.into();
        }
        self.asked.remember(&body);
        let answer = self.operator.post("/standing/query", &body).is(200).json();
        let then = self.model.then(question.at, self.now());
        assert_eq!(answer["asOf"], then.moment.to_string());
        let results = answer["results"].as_array().unwrap();
        assert_eq!(results.len(), ids.len());
        for (id, told) in ids.iter().zip(results) {
            assert_eq!(told["credential"], *id);
            self.is_told(
                &then,
                &then.by_id(id, &question.asker),
                &question.asker,
                told,
            );
        }
    }

    /// `POST /standing/query` with some of the documents, endorsements among them.
    fn asks_by_document(&mut self, question: &Question) {
        if self.documents.is_empty() {
            return;
        }
        let count = 1 + self.dice.below(6);
        let chosen: Vec<(Id, Value)> = (0..count)
            .map(|_| self.dice.pick(&self.documents).clone())
            .collect();
        let documents: Vec<&Value> = chosen.iter().map(|(_, document)| document).collect();
        let mut body = question.members(json!({ "credentials": documents }));
        if let Some(place) = question.asker.place {
            body["jurisdiction"] = place.into();
        }
        self.asked.remember(&body);
        let answer = self.house.call("POST", "/standing/query").json(&body);
        let answer = answer.send().is(200).json();
        let then = self.model.then(question.at, self.now());
        let results = answer["results"].as_array().unwrap();
        assert_eq!(results.len(), chosen.len());
        for ((id, document), told) in chosen.iter().zip(results) {
            assert_eq!(told["credential"], *id);
            let (signed_at, credential) = self.signed(id, document);
            let expected = then.by_document(&credential, signed_at, &question.asker);
            self.is_told(&then, &expected, &question.asker, told);
        }
    }

    /// What was signed, and when.
    fn signed(&self, id: &Id, document: &Value) -> (Timestamp, Credential) {
        let position = self.documents.iter().filter(|(one, _)| one == id);
        let nth = position.take_while(|(_, one)| one != document).count();
        let facts = self.model.facts.iter().filter_map(|(at, fact)| match fact {
            Fact::Issued(credential) => Some((*at, credential.clone())),
            Fact::Endorsed(endorsement) => Some((
                *at,
                Credential {
                    signed: endorsement.signed.clone(),
                    awarded: endorsement.signed.valid_from,
                    achievement: None,
                },
            )),
            _ => None,
        });
        let mut meant = facts.filter(|(_, one)| one.signed.id == *id);
        meant.nth(nth).expect("what was handed out was signed")
    }

    /// Compares what is told of one credential.
    fn is_told(&self, then: &Then<'_>, expected: &Told, asker: &Asker, told: &Value) {
        self.saw(format!(
            "credential: {} {}",
            expected.decided_by, expected.outcome
        ));
        assert_eq!(told["outcome"], expected.outcome, "{told:#}");
        assert_eq!(told["decidedBy"], expected.decided_by, "{told:#}");
        assert_eq!(
            told.get("verified"),
            expected.verified.map(Value::from).as_ref(),
            "{told:#}"
        );
        let statuses: Vec<Value> = expected
            .statuses
            .iter()
            .map(|(purpose, value, outcome)| json!([purpose, value.map(u8::from), outcome]))
            .collect();
        let status = |one: &Value| json!([one["purpose"], one["status"], one["outcome"]]);
        let shown = told["status"].as_array().unwrap().iter().map(status);
        assert_eq!(shown.collect::<Vec<_>>(), statuses, "{told:#}");
        let (issuer, achievement) = match &expected.parties {
            Some((issuer, achievement)) => (Some(issuer), achievement.as_ref()),
            None => (None, None),
        };
        for (member, party) in [("issuer", issuer), ("achievement", achievement)] {
            match (told.get(member), party) {
                (None, None) => {}
                (Some(told), Some(party)) => self.is_party(then, party, asker, told),
                _ => panic!("{member}: {told:#}"),
            }
        }
        let behind = if expected.decided_by == "achievement" {
            "achievement"
        } else {
            "issuer"
        };
        let path = told.get(behind).and_then(|party| party.get("path"));
        assert_eq!(told.get("path"), path, "{told:#}");
    }

    fn is_party(&self, then: &Then<'_>, party: &Party, asker: &Asker, told: &Value) {
        assert_eq!(told["id"], party.id);
        assert_eq!(
            told.get("name").cloned(),
            self.name_of(&party.id).map(Value::from)
        );
        self.is_backed(then, &party.id, &asker.anchors, Some(&party.need), told);
        let of_it: Vec<_> = then
            .endorsements()
            .filter(|(_, one)| one.subject == party.id)
            .collect();
        let known: BTreeMap<&Id, Word> = of_it
            .iter()
            .map(|(place, one)| (&one.signed.id, then.outcome(*place, one)))
            .collect();
        let shown = told["endorsements"].as_array().unwrap();
        assert_eq!(shown.len(), known.len().min(MOST_SHOWN), "{told:#}");
        assert_eq!(told.get("more").is_some(), known.len() > MOST_SHOWN);
        for one in shown {
            assert_eq!(one["outcome"], known[&text(&one["id"])], "{told:#}");
        }
        // Those in force come first.
        let outcomes: Vec<bool> = shown.iter().map(|one| one["outcome"] != "active").collect();
        assert!(outcomes.is_sorted(), "{told:#}");
        let in_force = known.values().filter(|word| **word == "active").count();
        let shown_in_force = outcomes.iter().filter(|bad| !**bad).count();
        assert_eq!(shown_in_force, in_force.min(MOST_SHOWN), "{told:#}");
    }

    /// Compares who stands behind something: the outcome, the reason, and that the path is one of the
    /// best.
    fn is_backed(
        &self,
        then: &Then<'_>,
        id: &str,
        anchors: &Anchors,
        need: Option<&Need>,
        told: &Value,
    ) {
        let expected = then.backing(id, anchors, need);
        let context = || {
            format!(
                "{id} at {:?}, trusting {anchors:?} for {need:?}: {told:#}",
                then.at
            )
        };
        assert_eq!(
            told["outcome"],
            expected.outcome,
            "{expected:?} {}",
            context()
        );
        assert_eq!(
            told["reason"],
            expected.reason,
            "{expected:?} {}",
            context()
        );
        self.saw(format!("subject: {} {}", expected.reason, expected.outcome));
        let path = told["path"].as_array().cloned().unwrap_or_default();
        let Some((rank, length)) = expected.best else {
            return assert!(path.is_empty(), "{}", context());
        };
        self.saw(format!("path: {length}"));
        assert_eq!(path.len(), length, "{}", context());
        let (mut here, mut worst_rank) = (id.to_owned(), 0);
        let mut met = vec![here.clone()];
        for (number, step) in path.iter().enumerate() {
            assert_eq!(step["subject"], here, "{}", context());
            let links = then.links(&here, need, number == 0);
            let named = |endorsement: &Endorsement| step["endorsement"] == endorsement.signed.id;
            let link = links.iter().find(|link| named(link.endorsement));
            let link = link.unwrap_or_else(|| panic!("no such link: {}", context()));
            assert_eq!(
                step["endorser"],
                link.endorsement.signed.issuer,
                "{}",
                context()
            );
            assert_eq!(step["outcome"], link.outcome, "{}", context());
            worst_rank = worst_rank.max(link.rank);
            here = text(&step["endorser"]);
            assert!(!met.contains(&here), "{}", context());
            met.push(here.clone());
        }
        if length > 0 {
            assert_eq!(worst_rank, rank, "{}", context());
        }
        assert!(then.is_anchor(&here, id, anchors), "{}", context());
    }

    /// The name under which something is registered.
    fn name_of(&self, id: &str) -> Option<String> {
        let mut profiles = self.model.profiles();
        if let Some((_, slug, _)) = profiles.find(|(profile, ..)| *profile == id) {
            return Some(name(slug, self.model.content(id)));
        }
        self.model.owner_of(id)?;
        Some(format!("Achievement {}", self.model.content(id)))
    }
}

/// Compares a list of endorsements, in order of id.
fn is_listed(then: &Then<'_>, mut meant: Vec<(usize, &Endorsement)>, told: &Value) {
    meant.sort_by(|one, other| one.1.signed.id.cmp(&other.1.signed.id));
    let told = told.as_array().unwrap();
    let ids = |told: &[Value]| told.iter().map(|one| text(&one["id"])).collect::<Vec<_>>();
    let expected: Vec<Id> = meant.iter().map(|(_, one)| one.signed.id.clone()).collect();
    assert_eq!(ids(told), expected, "at {:?}", then.at);
    for ((place, one), told) in meant.into_iter().zip(told) {
        let mut told = told.clone();
        let shown = told.as_object_mut().unwrap();
        let document = shown
            .shift_remove("credential")
            .expect("the credential itself");
        assert!(document.get("proof").is_some() || document.get("id").is_some());
        let lent = then.accreditor(&one.signed.issuer);
        let mut expected = json!({
            "id": one.signed.id, "endorser": one.signed.issuer, "subject": one.subject,
            "kind": one.kind, "outcome": then.outcome(place, one),
            "validFrom": one.signed.valid_from.to_string(),
        });
        if one.kind == "profile" {
            let mut roles = one.roles.clone();
            roles.sort_by_key(|role| *role != "issuer");
            expected["roles"] = json!(roles);
        }
        if let Some(scope) = &one.scope {
            expected["scope"] = scope_in_json(scope);
        }
        if lent != "active" {
            expected["endorserOutcome"] = lent.into();
        }
        if let Some(until) = one.signed.valid_until {
            expected["validUntil"] = until.to_string().into();
        }
        assert_eq!(told, expected, "at {:?}", then.at);
    }
}
