//! Keys: rotated, taken out of use, given up.

use super::{issuer, path_with, trouble_of};
use crate::access::Action;
use crate::http::console::visit::{Sent, Visit};
use crate::http::edge::Edge;
use crate::http::problem::Problem;
use crate::http::reply::Reply;
use crate::http::request::Request;
use crate::ids::{KeyId, ProfileId, Slug};
use crate::registry::{KeyOwner, KeyView, RegistryError, RotationState, Thing};
use crate::time::{Timestamp, Ttl};
use crate::web::Moment;
use crate::web::charts::duration;
use crate::web::console::{
    Done, KeyBlock, KeysPage, RetireKeyPage, RevokeKeyPage, Room, RotationBlock, Trouble,
};

/// A key that signs for longer than that is worth a thought.
const LONG: Ttl = Ttl::from_seconds(365 * 86_400);

/// Whose keys are meant: a profile's, or where none is named the registry's.
struct Owner {
    slug: Option<Slug>,
    id: ProfileId,
}

impl Owner {
    fn of(visit: &Visit<'_>, slug: &str) -> Result<Self, Problem> {
        if slug.is_empty() && visit.actor().speaks_as().is_none() {
            return match visit.actor().operates() {
                true => Ok(Self {
                    slug: None,
                    id: ProfileId::REGISTRY,
                }),
                false => Err(RegistryError::OperatorOnly.into()),
            };
        }
        let profile = match (slug, visit.actor().speaks_as()) {
            ("", Some(own)) => visit.edge.registry.profile_numbered(own)?,
            (slug, _) => visit.own_profile(slug)?,
        };
        if !visit.actor().may(Action::Read, profile.id) {
            return Err(RegistryError::NotAllowed(Action::Read).into());
        }
        Ok(Self {
            id: profile.id,
            slug: Some(profile.slug),
        })
    }

    fn named(&self) -> KeyOwner<'_> {
        self.slug
            .as_ref()
            .map_or(KeyOwner::Registry, KeyOwner::Profile)
    }

    fn slug(&self) -> String {
        self.slug
            .as_ref()
            .map(ToString::to_string)
            .unwrap_or_default()
    }

    fn page(&self) -> String {
        path_with("/console/keys", &[("profile", &self.slug())])
    }
}

/// The keys of a profile, or of the registry.
pub(in crate::http) fn all(edge: &Edge, request: &Request) -> Result<Reply, Problem> {
    let visit = Visit::of(edge, request)?;
    let slug = request.query("profile").unwrap_or_default();
    page(&visit, 200, &Owner::of(&visit, slug)?, None)
}

/// Lets a new key take over.
pub(in crate::http) fn rotate(edge: &Edge, request: &Request) -> Result<Reply, Problem> {
    let sent = Sent::of(edge, request)?;
    let owner = Owner::of(&sent.visit, sent.field("profile"))?;
    let reason = sent.reason()?;
    let made = sent.change().and_then(|change| {
        Ok(edge
            .registry
            .rotate_keys(&change.because(reason), owner.named())?)
    });
    match made {
        Ok(_) => Ok(sent.done(&owner.page(), Done::KeysRotating)),
        Err(problem) => {
            let (code, trouble) = trouble_of(sent.visit.language, problem)?;
            page(&sent.visit, code, &owner, Some(trouble))
        }
    }
}

/// Asks whether a key is to be taken out of use.
pub(in crate::http) fn ask_retire(edge: &Edge, request: &Request) -> Result<Reply, Problem> {
    let visit = Visit::of(edge, request)?;
    let owner = Owner::of(&visit, request.query("profile").unwrap_or_default())?;
    retire_page(&visit, 200, &owner, None)
}

/// Takes a key out of use.
pub(in crate::http) fn retire(edge: &Edge, request: &Request) -> Result<Reply, Problem> {
    let sent = Sent::of(edge, request)?;
    let owner = Owner::of(&sent.visit, sent.field("profile"))?;
    let key: KeyId = request.param("key")?;
    let reason = sent.reason()?;
    let made = sent.change().and_then(|change| {
        Ok(edge
            .registry
            .retire_key(&change.because(reason), owner.named(), key)?)
    });
    match made {
        Ok(_) => Ok(sent.done(&owner.page(), Done::KeyRetired)),
        Err(problem) => {
            let (code, trouble) = trouble_of(sent.visit.language, problem)?;
            retire_page(&sent.visit, code, &owner, Some(trouble))
        }
    }
}

/// Asks since when a key may have been in wrong hands, and tells what that affects.
pub(in crate::http) fn ask_revoke(edge: &Edge, request: &Request) -> Result<Reply, Problem> {
    let visit = Visit::of(edge, request)?;
    let owner = Owner::of(&visit, request.query("profile").unwrap_or_default())?;
    let since = request.query("since").map(|since| since.trim().to_owned());
    revoke_page(&visit, 200, &owner, (since, ""), None)
}

/// Gives a key up.
pub(in crate::http) fn revoke(edge: &Edge, request: &Request) -> Result<Reply, Problem> {
    let sent = Sent::of(edge, request)?;
    let visit = &sent.visit;
    let owner = Owner::of(visit, sent.field("profile"))?;
    let key: KeyId = request.param("key")?;
    let typed = sent.field("since").to_owned();
    let again = |code, reason: &str, trouble| {
        revoke_page(
            visit,
            code,
            &owner,
            (Some(typed.clone()), reason),
            Some(trouble),
        )
    };
    let Ok(since) = typed.parse::<Timestamp>() else {
        return again(
            400,
            "",
            Trouble::said(visit.language.console("keys.since-hint"), "since"),
        );
    };
    let reason = match sent.needed_reason() {
        Ok(reason) => reason,
        Err(trouble) => return again(400, "", trouble),
    };
    let made = sent
        .change()
        .map(|change| change.because(Some(reason.clone())))
        .and_then(|change| {
            Ok(edge
                .registry
                .revoke_key(&change, owner.named(), key, since)?)
        });
    match made {
        Ok(_) => Ok(sent.done(&owner.page(), Done::KeyRevoked)),
        Err(problem) => {
            let (code, trouble) = trouble_of(sent.visit.language, problem)?;
            again(code, &reason, trouble)
        }
    }
}

fn page(
    visit: &Visit<'_>,
    code: u16,
    owner: &Owner,
    trouble: Option<Trouble>,
) -> Result<Reply, Problem> {
    let registry = &visit.edge.registry;
    let now = registry.now();
    let (_, profiles) = issuer(visit)?;
    let mut keys: Vec<KeyBlock> = registry
        .keys(owner.named())?
        .iter()
        .map(|key| block(key, now))
        .collect();
    keys.reverse();
    let rotation = registry
        .rotation(owner.named())?
        .map(|rotation| RotationBlock {
            state: match rotation.state {
                RotationState::Announced => "rotation.announced",
                RotationState::Signing => "rotation.signing",
                RotationState::Done => "rotation.done",
            },
            to: rotation.to.to_string(),
            signs_from: Moment(rotation.signs_from),
            done: (rotation.done, rotation.total),
        });
    let page = KeysPage {
        frame: visit.frame(Room::Keys),
        profile: owner.slug(),
        profiles,
        keys,
        rotation,
        changes: match owner.id {
            ProfileId::REGISTRY => visit.actor().operates(),
            id => visit.actor().may(Action::WriteKeys, id),
        },
        notice: duration(registry.settings().key_notice.millis()),
        form: visit.keys(),
        trouble,
    };
    Ok(visit.page(code, page.html()))
}

fn block(key: &KeyView, now: Timestamp) -> KeyBlock {
    let stands = match (key.revoked_since, key.retired_at) {
        (Some(since), _) => ("keys.stands-revoked", since),
        (None, Some(at)) => ("keys.stands-retired", at),
        (None, None) if key.signs_from > now => ("keys.stands-announced", key.signs_from),
        (None, None) => ("keys.stands-used", key.signs_from),
    };
    let in_use = key.revoked_since.is_none() && key.retired_at.is_none();
    let is_old = in_use && key.signs_from.plus(LONG) < now;
    KeyBlock {
        id: key.id.to_string(),
        method: key.verification_method.clone(),
        stands: (stands.0, Some(Moment(stands.1))),
        made_at: Moment(key.made_at),
        managed: key.managed,
        old: is_old.then(|| {
            let millis = now.millis().saturating_sub(key.signs_from.millis());
            duration(u64::try_from(millis).unwrap_or(0))
        }),
        retires: in_use,
        revokes: key.revoked_since.is_none(),
    }
}

/// One key among those of its owner.
fn key_of(visit: &Visit<'_>, owner: &Owner) -> Result<KeyView, Problem> {
    let key: KeyId = visit.request.param("key")?;
    let keys = visit.edge.registry.keys(owner.named())?;
    let found = keys.into_iter().find(|known| known.id == key);
    let none = || RegistryError::NotFound(Thing::Key, key.to_string()).into();
    found.ok_or_else(none)
}

fn retire_page(
    visit: &Visit<'_>,
    code: u16,
    owner: &Owner,
    trouble: Option<Trouble>,
) -> Result<Reply, Problem> {
    let key = key_of(visit, owner)?;
    let page = RetireKeyPage {
        frame: visit.frame(Room::Keys),
        profile: owner.slug(),
        key: key.id.to_string(),
        method: key.verification_method,
        form: visit.keys(),
        trouble,
    };
    Ok(visit.page(code, page.html()))
}

fn revoke_page(
    visit: &Visit<'_>,
    code: u16,
    owner: &Owner,
    (typed, reason): (Option<String>, &str),
    trouble: Option<Trouble>,
) -> Result<Reply, Problem> {
    let key = key_of(visit, owner)?;
    let registry = &visit.edge.registry;
    let (mut code, mut trouble) = (code, trouble);
    let mut affected = None;
    if let Some(typed) = &typed {
        let tried = match typed.parse::<Timestamp>() {
            Ok(since) => registry
                .revoke_key_dry_run(visit.actor(), owner.named(), key.id, since)
                .map_err(Problem::from),
            Err(_) => Err(Problem::invalid(
                "/since",
                visit.language.console("keys.since-hint"),
            )),
        };
        match tried {
            Ok(told) => {
                let endorsements = &told.endorsements;
                let numbers = [
                    told.lists,
                    endorsements.count,
                    endorsements.signed_again,
                    told.credentials,
                ];
                affected = Some((numbers, told.more));
            }
            Err(problem) => {
                let (refused, told) = trouble_of(visit.language, problem)?;
                if trouble.is_none() {
                    (code, trouble) = (
                        refused,
                        Some(match typed.parse::<Timestamp>() {
                            Ok(_) => Trouble {
                                field: Some("since"),
                                ..told
                            },
                            Err(_) => Trouble::said(told.words, "since"),
                        }),
                    );
                }
            }
        }
    }
    let page = RevokeKeyPage {
        frame: visit.frame(Room::Keys),
        profile: owner.slug(),
        key: key.id.to_string(),
        method: key.verification_method,
        since: typed.unwrap_or_else(|| registry.now().to_string()),
        reason: reason.to_owned(),
        affected,
        form: visit.keys(),
        trouble,
    };
    Ok(visit.page(code, page.html()))
}
