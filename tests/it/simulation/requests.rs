//! What is asked of the registry, each with all it takes to ask for the same again, and what is
//! answered.

use goodstanding::badges::SubjectKind;
use goodstanding::ids::{EndorsementId, ListId, ProfileId, Slug};
use goodstanding::registry::{
    AccreditorAction, Change, CredentialStatusRequest, EndorsementAction, IssuingOptions,
    NewEndorsement, NewList, NewProfile, Registry, RegistryError, Roles, StatusTarget,
    StatusUpdate,
};
use goodstanding::status::StatusPurpose;
use goodstanding::vc::securing::Securing;
use serde_json::{Value, json};

use crate::support::reader;

/// A change as somebody asks for it.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Request {
    Register {
        slug: String,
    },
    Open {
        owner: ProfileId,
        suspension: bool,
    },
    Allocate {
        list: ListId,
        count: u64,
    },
    Name {
        list: ListId,
        credential: String,
    },
    Issue {
        owner: ProfileId,
        issuer: String,
        credential: String,
    },
    Set {
        list: ListId,
        entries: Vec<u32>,
        status: bool,
    },
    SetNamed {
        credential: String,
        list: ListId,
        suspension: bool,
        index: u32,
        status: bool,
    },
    Endorse {
        owner: ProfileId,
        subject: String,
        suspendable: bool,
    },
    Decide {
        endorsement: EndorsementId,
        action: EndorsementAction,
    },
    Accreditor {
        slug: String,
        action: AccreditorAction,
    },
    Rotate {
        slug: String,
    },
}

/// What came of it, as far as it is to be the same when it is asked for again.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Answer {
    Profile(ProfileId, String),
    List(ListId),
    Indexes(Vec<u32>),
    Updated(String, u64),
    /// The credential, and its entry.
    Credential(String, (ListId, u32)),
    /// Which, and its entries: of revocation, and of suspension where it has one.
    Endorsement(EndorsementId, Vec<(ListId, u32)>),
    Outcome(String),
    Key(u32),
}

impl Request {
    /// Asks for it.
    pub(super) fn is_made(
        &self,
        registry: &Registry,
        change: &Change,
    ) -> Result<Answer, RegistryError> {
        match self {
            Self::Register { slug } => {
                let made = registry.create_profile(change, &new_profile(slug))?;
                Ok(Answer::Profile(made.id, made.issuer_id))
            }
            Self::Open { owner, suspension } => {
                let new = NewList::usual(*owner, purpose(*suspension));
                Ok(Answer::List(registry.create_list(change, &new)?.id))
            }
            Self::Allocate { list, count } => {
                let given = registry.allocate(change, *list, *count)?;
                Ok(Answer::Indexes(numbers(&given)))
            }
            Self::Name { list, credential } => {
                let ids = [credential.clone()];
                let given = registry.allocate_for(change, *list, &ids)?;
                Ok(Answer::Indexes(numbers(&given)))
            }
            Self::Issue {
                issuer, credential, ..
            } => issued(registry, change, issuer, credential),
            Self::Set {
                list,
                entries,
                status,
            } => {
                let update = |index: &u32| StatusUpdate {
                    target: StatusTarget::Index((*index).into()),
                    status: (*status).into(),
                };
                let updates = entries.iter().map(update).collect();
                let done = registry.update_statuses(change, *list, updates, None)?;
                Ok(Answer::Updated(done.at.to_string(), done.revision.0))
            }
            Self::SetNamed {
                credential,
                list,
                suspension,
                index,
                status,
            } => {
                let request = CredentialStatusRequest {
                    credential: credential.clone(),
                    purpose: purpose(*suspension),
                    list: Some(registry.urls().list(*list)),
                    index: Some((*index).into()),
                    status: *status,
                    reason: None,
                };
                let done = registry.change_credential_status(change, request)?;
                Ok(Answer::Updated(done.at.to_string(), done.revision.0))
            }
            Self::Endorse {
                owner,
                subject,
                suspendable,
            } => endorsed(registry, change, (*owner, subject, *suspendable)),
            Self::Decide {
                endorsement,
                action,
            } => {
                let done = registry.change_endorsement(change, *endorsement, *action, None)?;
                // How it stands as a whole depends on its endorser as well.
                Ok(Answer::Updated(done.changed_at.to_string(), 0))
            }
            Self::Accreditor { slug, action } => {
                let slug: Slug = slug.parse().expect("a slug");
                let outcome = registry.change_accreditor(change, &slug, *action, None)?;
                Ok(Answer::Outcome(outcome.as_str().to_owned()))
            }
            Self::Rotate { slug } => {
                let slug: Slug = slug.parse().expect("a slug");
                let (key, _) = registry.rotate_keys(change, &slug)?;
                Ok(Answer::Key(key.id.0))
            }
        }
    }
}

pub(super) fn purpose(suspension: bool) -> StatusPurpose {
    match suspension {
        true => StatusPurpose::Suspension,
        false => StatusPurpose::Revocation,
    }
}

fn new_profile(slug: &str) -> NewProfile {
    NewProfile {
        roles: Roles {
            issuer: true,
            accreditor: true,
        },
        ..NewProfile::usual(slug.parse().expect("a slug"), &format!("School {slug}"))
    }
}

fn numbers(given: &goodstanding::registry::Allocated) -> Vec<u32> {
    let indexes = given.indexes().into_iter();
    indexes.map(|index| index.get() as u32).collect()
}

fn issued(
    registry: &Registry,
    change: &Change,
    issuer: &str,
    credential: &str,
) -> Result<Answer, RegistryError> {
    let unsigned = json!({
        "@context": ["https://www.w3.org/ns/credentials/v2"],
        "id": credential,
        "type": ["VerifiableCredential"],
        "issuer": issuer,
        "credentialSubject": { "id": "did:example:somebody" },
    });
    let options = IssuingOptions {
        securing: Securing::EddsaJcs2022,
        ..IssuingOptions::default()
    };
    let made = registry.issue(change, &unsigned, &options)?.credential;
    let place = place(registry, &made["credentialStatus"]);
    Ok(Answer::Credential(made.to_string(), place))
}

fn endorsed(
    registry: &Registry,
    change: &Change,
    (owner, subject, suspendable): (ProfileId, &str, bool),
) -> Result<Answer, RegistryError> {
    let new = NewEndorsement {
        endorser: owner,
        subject: subject.to_owned(),
        kind: SubjectKind::Profile,
        digest: None,
        scope: None,
        name: "Quality label".to_owned(),
        comment: None,
        valid_from: None,
        valid_until: None,
        awarded_date: None,
        suspendable,
        securing: Securing::EddsaJcs2022,
    };
    let made = registry.endorse(change, &new)?;
    let document: Value = serde_json::from_str(made.credential.json()).expect("JSON");
    let entries = match &document["credentialStatus"] {
        Value::Array(entries) => entries.clone(),
        one => vec![one.clone()],
    };
    let places = entries.iter().map(|entry| place(registry, entry));
    Ok(Answer::Endorsement(made.id, places.collect()))
}

fn place(registry: &Registry, entry: &Value) -> (ListId, u32) {
    let (list, index) = reader::place(entry);
    let list = registry.urls().parse_list(&list).expect("a list of ours");
    (list, index as u32)
}
