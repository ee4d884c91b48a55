//! What is done in the history about credentials.

use serde_json::{Map, Value, json};

use super::facts::{Credential, Fact, Id, Said, Signed, Word};
use super::history::{CONTENTS, ELSEWHERE, History, SECURINGS, said_in_json};
use crate::support::actors::badge;
use crate::support::house::ORIGIN;

impl History<'_> {
    pub(super) fn issues(&mut self) {
        let (issuer, _) = self.any_profile();
        let number = self.model.credentials().count();
        let taken: Vec<Id> = self
            .model
            .credentials()
            .filter(|(_, one)| one.signed.issuer != issuer)
            .map(|(_, one)| one.signed.id.clone())
            .collect();
        // Ids are chosen by issuers, so two may choose the same.
        let twice = !taken.is_empty() && self.dice.chance(6);
        let id = if twice {
            self.dice.pick(&taken).clone()
        } else {
            format!("urn:decade:{number}")
        };
        if self
            .model
            .credentials()
            .any(|(_, one)| one.signed.id == id && one.signed.issuer == issuer)
        {
            return;
        }
        let (valid_from, valid_until) = self.some_period();
        let awarded = self.dice.chance(40).then(|| self.some_moment());
        let said = self.some_saying();
        let achievement = self.some_achievement(&issuer);
        let suspendable = self.dice.chance(50);
        let starts = valid_from.unwrap_or(self.now().whole_seconds());
        let valid_until = valid_until.filter(|until| starts < *until);
        let mut credential = Credential {
            signed: Signed {
                id: id.clone(),
                issuer: issuer.clone(),
                key: 0,
                securing: "",
                purposes: vec!["revocation"],
                valid_from: starts,
                valid_until,
            },
            awarded: awarded.unwrap_or(starts),
            achievement: Some((achievement.clone(), said.clone())),
        };
        credential
            .signed
            .purposes
            .extend(suspendable.then_some("suspension"));
        let mut unsigned = badge(&issuer, &achievement);
        unsigned["id"] = id.clone().into();
        let members: Map<String, Value> = said_in_json(&said).as_object().unwrap().clone();
        let about = &mut unsigned["credentialSubject"]["achievement"];
        about.as_object_mut().unwrap().extend(members);
        for (member, at) in [
            ("validFrom", valid_from),
            ("validUntil", valid_until),
            ("awardedDate", awarded),
        ] {
            if let Some(at) = at {
                unsigned[member] = at.to_string().into();
            }
        }
        let purposes = &credential.signed.purposes;
        if suspendable {
            let entry = |purpose: &Word| json!({ "type": "BitstringStatusListEntry", "statusPurpose": purpose });
            unsigned["credentialStatus"] = purposes.iter().map(entry).collect();
        }
        credential.signed.securing = *self.dice.pick(&SECURINGS);
        let options = json!({ "securing": credential.signed.securing });
        let body = json!({ "credential": unsigned, "options": options });
        let answer = self.operator.post("/credentials/issue", &body);
        if !self.present().is_issuer(&issuer) {
            return self.is_refused(&answer, &["role-missing"]);
        }
        let document = answer.is(201).json()["verifiableCredential"].clone();
        credential.signed.key = self.is_signed(&document, &credential.signed);
        self.documents.push((id, document));
        self.tells(Fact::Issued(credential));
    }

    fn some_achievement(&mut self, issuer: &Id) -> Id {
        let all: Vec<(Id, Id)> = self
            .model
            .achievements()
            .map(|(id, owner)| (id.clone(), owner.clone()))
            .collect();
        let own: Vec<&(Id, Id)> = all.iter().filter(|(_, owner)| owner == issuer).collect();
        match self.dice.below(10) {
            0 => ELSEWHERE[1].0.to_owned(),
            1 => format!("{ORIGIN}/achievements/no-such-thing"),
            2 | 3 if !all.is_empty() => self.dice.pick(&all).0.clone(),
            _ if !own.is_empty() => self.dice.pick(&own).0.clone(),
            _ => ELSEWHERE[1].0.to_owned(),
        }
    }

    /// What a credential says of the achievement: nothing, or what may be another's.
    fn some_saying(&mut self) -> Said {
        let said = self.dice.pick(&CONTENTS).said();
        Said {
            types: said.types.filter(|_| self.dice.chance(40)),
            tags: said.tags.filter(|_| self.dice.chance(40)),
            alignments: said.alignments.filter(|_| self.dice.chance(40)),
        }
    }

    pub(super) fn changes_a_credential(&mut self) {
        let all: Vec<Credential> = self
            .model
            .credentials()
            .map(|(_, one)| one.clone())
            .collect();
        if all.is_empty() {
            return;
        }
        let signed = self.dice.pick(&all).signed.clone();
        let Signed { id, purposes, .. } = &signed;
        if all.iter().filter(|one| one.signed.id == *id).count() > 1 {
            return;
        }
        let purpose = *self.dice.pick(&["revocation", "suspension", "suspension"]);
        let set = self.dice.chance(60);
        let body = json!({
            "credentialId": id, "status": set,
            "credentialStatus": { "type": "BitstringStatusListEntry", "statusPurpose": purpose },
        });
        let answer = self.operator.post("/credentials/status", &body);
        if !purposes.contains(&purpose) {
            return self.is_refused(&answer, &["/credentialStatus"]);
        }
        if purpose == "revocation" && !set && self.present().is_set(&signed, purpose) {
            return self.is_refused(&answer, &["all-refused"]);
        }
        answer.is(200);
        self.tells(Fact::Status {
            of: signed.which(),
            purpose,
            set,
        });
    }
}
