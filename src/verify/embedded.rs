//! Where a credential carries others: endorsements of it, of its issuer and of what it is about
//! (Open Badges 3.0, `endorsement` of AchievementCredential, Profile and Achievement), and the
//! credentials of a CLR 2.0 subject.

use std::cell::OnceCell;

use serde_json::{Map, Value};

use crate::badges::{self, Need, nested_credentials};
use crate::json::each;

use super::examine::has_type;

/// Something embedded, with its place.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Embedded<'a> {
    /// JSON pointer in the credential that carries it.
    pub(super) pointer: String,
    pub(super) value: &'a Value,
    pub(super) role: Role<'a>,
}

/// What it is there for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Role<'a> {
    /// An endorsement of the thing that it hangs on, as a document or as a compact JWS.
    Endorsement(Thing<'a>),
    /// One of the credentials that a CLR brings together.
    Credential,
}

/// What an endorsement hangs on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Thing<'a> {
    /// Its id. Without one nothing can be said to endorse it.
    pub(super) id: Option<&'a str>,
    /// Whose it is, by all that the credential says of it anywhere. Praise by an owner does not
    /// count.
    pub(super) owners: Vec<&'a str>,
    /// Who issued the credential that carries the endorsement: whatever that says of owners,
    /// praise by its own issuer does not count in it.
    pub(super) carrier: Option<&'a str>,
    /// For what the endorsement is wanted here.
    pub(super) need: Need,
}

/// All that the credential carries, in the order of its issuer, its subjects and itself. What is
/// within an embedded credential is that one's.
pub(super) fn find(credential: &Value) -> Vec<Embedded<'_>> {
    let issuer = credential.get("issuer").and_then(id_of);
    let mut found = Found {
        all: Vec::new(),
        credential,
        issuer,
        carried: OnceCell::new(),
    };
    if let Some(profile) = credential.get("issuer").and_then(Value::as_object) {
        let role = role_of_issuer(credential);
        found.profile(profile, "/issuer", Some(role));
    }
    for (at, subject) in each(credential.as_object(), "", "credentialSubject") {
        found.subject(subject.as_object(), &at);
    }
    for (pointer, value) in nested_credentials(credential) {
        let role = Role::Credential;
        found.all.push(Embedded {
            pointer,
            value,
            role,
        });
    }
    if let Some(members) = credential.as_object() {
        found.endorsements(members, "", |found| {
            (issuer.into_iter().collect(), found.carried().need.clone())
        });
    }
    found.all
}

/// As what the issuer of a credential acts in it.
fn role_of_issuer(credential: &Value) -> badges::Role {
    match has_type(credential.get("type"), "EndorsementCredential") {
        true => badges::Role::Accreditor,
        false => badges::Role::Issuer,
    }
}

struct Found<'a> {
    all: Vec<Embedded<'a>>,
    /// What carries everything.
    credential: &'a Value,
    /// Of the credential.
    issuer: Option<&'a str>,
    /// What the credential is, from when that was asked for: most carry no endorsements.
    carried: OnceCell<Carried<'a>>,
}

/// What a credential is, for the endorsements in it.
struct Carried<'a> {
    /// For what somebody needs endorsements who issued it.
    need: Need,
    /// Every achievement that the credential speaks of, some perhaps more than once.
    achievements: Vec<&'a Map<String, Value>>,
}

fn achievements(credential: &Value) -> Vec<&Map<String, Value>> {
    each(credential.as_object(), "", "credentialSubject")
        .flat_map(|(at, subject)| each(subject.as_object(), &at, "achievement"))
        .filter_map(|(_, achievement)| achievement.as_object())
        .collect()
}

impl<'a> Found<'a> {
    fn carried(&self) -> &Carried<'a> {
        self.carried.get_or_init(|| Carried {
            need: Need::of_credential(self.credential),
            achievements: achievements(self.credential),
        })
    }

    fn subject(&mut self, subject: Option<&'a Map<String, Value>>, at: &str) {
        for (at, achievement) in each(subject, at, "achievement") {
            self.achievement(achievement, &at);
        }
        for (at, source) in each(subject, at, "source") {
            self.profile_value(source, &at);
        }
    }

    fn achievement(&mut self, achievement: &'a Value, at: &str) {
        let Some(members) = achievement.as_object() else {
            return;
        };
        self.endorsements(members, at, |found| {
            let need = Need {
                awarded: found.carried().need.awarded,
                ..Need::of_achievement(achievement)
            };
            (found.creators(members), need)
        });
        for (at, creator) in each(Some(members), at, "creator") {
            self.profile_value(creator, &at);
        }
    }

    /// Who made an achievement, wherever the credential says so; its issuer where it does not.
    fn creators(&self, achievement: &'a Map<String, Value>) -> Vec<&'a str> {
        let id = achievement.get("id");
        let same = self.carried().achievements.iter().copied();
        let same = same.filter(|one| {
            std::ptr::eq(*one, achievement) || id.is_some_and(|id| one.get("id") == Some(id))
        });
        let mut creators: Vec<&str> = same
            .flat_map(|one| each(Some(one), "", "creator"))
            .filter_map(|(_, creator)| id_of(creator))
            .collect();
        if creators.is_empty() {
            creators.extend(self.issuer);
        }
        creators
    }

    fn profile_value(&mut self, profile: &'a Value, at: &str) {
        if let Some(members) = profile.as_object() {
            self.profile(members, at, None);
        }
    }

    fn profile(&mut self, profile: &'a Map<String, Value>, at: &str, role: Option<badges::Role>) {
        self.endorsements(profile, at, |found| {
            let owner = profile.get("id").and_then(Value::as_str);
            let need = found.carried().need.clone();
            let role = role.or(need.role);
            (owner.into_iter().collect(), Need { role, ..need })
        });
        for (at, parent) in each(Some(profile), at, "parentOrg") {
            self.profile_value(parent, &at);
        }
    }

    /// The endorsements of a thing. Whose it is and for what they are wanted is worked out where
    /// there are any.
    fn endorsements(
        &mut self,
        thing: &'a Map<String, Value>,
        at: &str,
        owners_and_need: impl FnOnce(&Self) -> (Vec<&'a str>, Need),
    ) {
        let members = ["endorsement", "endorsementJwt"];
        if !members.iter().any(|member| thing.contains_key(*member)) {
            return;
        }
        let (owners, need) = owners_and_need(self);
        let id = thing.get("id").and_then(Value::as_str);
        let role = Role::Endorsement(Thing {
            id,
            owners,
            carrier: self.issuer,
            need,
        });
        for member in members {
            let places = each(Some(thing), at, member);
            self.all.extend(places.map(|(pointer, value)| Embedded {
                pointer,
                value,
                role: role.clone(),
            }));
        }
    }
}

/// The id of what stands by its id or as an object.
fn id_of(value: &Value) -> Option<&str> {
    value.as_str().or_else(|| value.get("id")?.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn everything_that_can_be_endorsed_is_searched() {
        let credential = json!({
            "id": "urn:badge",
            "endorsement": [{}],
            "issuer": {
                "id": "urn:issuer",
                "endorsement": [{}, {}],
                "parentOrg": {"id": "urn:parent", "endorsementJwt": ["a.b.c"]},
            },
            "credentialSubject": [{
                "source": {"id": "urn:source", "endorsement": {}},
                "achievement": {
                    "id": "urn:achievement",
                    "endorsement": [{}],
                    "creator": {"id": "urn:creator", "endorsement": [{}]},
                },
            }, {
                "achievement": [{"id": "urn:other", "endorsement": [{}]}],
                "verifiableCredential": [{"endorsement": [{}]}],
            }],
        });
        let found: Vec<(String, Option<(&str, &str)>)> = find(&credential)
            .into_iter()
            .map(|one| match one.role {
                Role::Endorsement(thing) => {
                    assert_eq!(thing.carrier, Some("urn:issuer"));
                    (one.pointer, thing.id.zip(thing.owners.first().copied()))
                }
                Role::Credential => (one.pointer, None),
            })
            .collect();
        let of = |pointer: &str, id, owner| (pointer.to_owned(), Some((id, owner)));
        let bare = |pointer: &str| (pointer.to_owned(), None);
        assert_eq!(
            found,
            [
                of("/issuer/endorsement/0", "urn:issuer", "urn:issuer"),
                of("/issuer/endorsement/1", "urn:issuer", "urn:issuer"),
                of(
                    "/issuer/parentOrg/endorsementJwt/0",
                    "urn:parent",
                    "urn:parent"
                ),
                of(
                    "/credentialSubject/0/achievement/endorsement/0",
                    "urn:achievement",
                    "urn:creator"
                ),
                of(
                    "/credentialSubject/0/achievement/creator/endorsement/0",
                    "urn:creator",
                    "urn:creator"
                ),
                of(
                    "/credentialSubject/0/source/endorsement",
                    "urn:source",
                    "urn:source"
                ),
                of(
                    "/credentialSubject/1/achievement/0/endorsement/0",
                    "urn:other",
                    "urn:issuer"
                ),
                bare("/credentialSubject/1/verifiableCredential/0"),
                of("/endorsement/0", "urn:badge", "urn:issuer"),
            ]
        );
    }
}
