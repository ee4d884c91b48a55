//! Endorsements in force, put into what they are about: a profile, an achievement, or a credential
//! that names both (Open Badges 3.0, `endorsement` and `endorsementJwt`).

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::json::each;
use crate::registry::signing::StoredEndorsement;
use crate::registry::standing::links::Links;
use crate::registry::{Outcome, Registry, RegistryError};
use crate::store::engine::Read;
use crate::store::tables::{ENDORSEMENT_DOCUMENTS, Origin};
use crate::vc::securing::Secured;

/// In which form endorsements are put into a credential.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Embed {
    /// As they were signed: with their proof, or as JWTs.
    AsSigned,
    /// As JWTs.
    Jwt,
}

/// Endorsements that were put into a document, or are to be.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Embedded {
    /// With their proofs.
    endorsement: Vec<Value>,
    /// As JWTs.
    jwt: Vec<Value>,
}

/// So many endorsements of one thing are embedded.
const MOST_EMBEDDED: usize = 8;

impl Embedded {
    /// Whether there is none.
    pub const fn is_empty(&self) -> bool {
        self.endorsement.is_empty() && self.jwt.is_empty()
    }

    /// Puts them into a profile, an achievement or a credential, behind those that are there.
    pub fn put_into(&self, members: &mut Map<String, Value>) {
        for (member, added) in [
            ("endorsement", &self.endorsement),
            ("endorsementJwt", &self.jwt),
        ] {
            if added.is_empty() {
                continue;
            }
            let mut all: Vec<Value> = each(Some(members), "", member)
                .map(|(_, present)| present.clone())
                .collect();
            all.extend(added.iter().cloned());
            members.insert(member.to_owned(), all.into());
        }
    }
}

impl Registry {
    /// The endorsements of a thing that were issued here and are in force, the first ones by id.
    pub fn in_force(&self, subject: &str, form: Embed) -> Result<Embedded, RegistryError> {
        self.embedded(&*self.engine.snapshot(), subject, form)
    }

    pub(in crate::registry) fn embedded(
        &self,
        read: &dyn Read,
        subject: &str,
        form: Embed,
    ) -> Result<Embedded, RegistryError> {
        let links = Links::new(self, read, None);
        let known = links.of(&links.named(subject)?)?;
        let live = known.links.iter().filter(|link| {
            link.outcome() == Outcome::Active && matches!(link.record.origin, Origin::Issued { .. })
        });
        let mut found = Embedded::default();
        for link in live.take(MOST_EMBEDDED) {
            let row = ENDORSEMENT_DOCUMENTS
                .get(read, &link.id)?
                .unwrap_or_default();
            let stored = StoredEndorsement::of(row);
            match (stored.secured(), form) {
                (Secured::Embedded(credential), Embed::AsSigned) => {
                    found.endorsement.push(credential);
                }
                (Secured::Jwt(jwt), _) => found.jwt.push(jwt.as_str().into()),
                // Who signs elsewhere does not sign another form of it here.
                (Secured::Embedded(credential), Embed::Jwt)
                    if self.signs_elsewhere(read, link.id.owner())? =>
                {
                    found.endorsement.push(credential);
                }
                (secured @ Secured::Embedded(_), Embed::Jwt) => {
                    let jwt = self.jwt_of(read, link.id.owner(), &secured)?;
                    found.jwt.push(jwt.into());
                }
            }
        }
        Ok(found)
    }

    /// What is to be put into a credential: the endorsements of its issuer and of the achievements
    /// that are registered here, each with the JSON pointer of where it belongs.
    pub(in crate::registry) fn embedded_in(
        &self,
        read: &dyn Read,
        credential: &Map<String, Value>,
        issuer: &str,
        form: Embed,
    ) -> Result<Vec<(String, Embedded)>, RegistryError> {
        let mut found = vec![("/issuer".to_owned(), self.embedded(read, issuer, form)?)];
        let subjects = each(Some(credential), "", "credentialSubject");
        let achievements =
            subjects.flat_map(|(at, subject)| each(subject.as_object(), &at, "achievement"));
        for (at, achievement) in achievements.take(MOST_EMBEDDED) {
            if let Some(id) = achievement.get("id").and_then(Value::as_str) {
                found.push((at, self.embedded(read, id, form)?));
            }
        }
        found.retain(|(_, embedded)| !embedded.is_empty());
        Ok(found)
    }
}
