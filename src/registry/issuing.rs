//! Issuing credentials for profiles hosted here, and changing their status by credential id
//! (VCALM 1.0). An issued credential is not kept: only its id, entry and achievement.

use std::sync::PoisonError;

use serde_json::{Map, Value, json};

use super::allocation::{credential_key, permutation, remember, space_of, take_entry};
use super::change::Tx;
use super::lists::list_of;
use super::profiles::id_digest;
use super::statuses::{StatusTarget, StatusUpdate, Updated};
use super::{Change, Registry, RegistryError, Thing};
use crate::badges::{Badge, is_achievement_credential};
use crate::bitstring::StatusIndex;
use crate::entropy::random;
use crate::ids::{ListId, ProfileId, SpaceId};
use crate::status::{ENTRY_TYPE, StatusEntry, StatusPurpose, build_entry};
use crate::store::engine::Read;
use crate::store::tables::{ALLOCATION, CREDENTIALS, SpaceRecord};
use crate::time::Timestamp;
use crate::vc::credential::{CONTEXT_V2, Credential};

/// A credential that was just issued.
#[derive(Debug, Clone)]
pub struct Issued {
    /// The secured credential.
    pub credential: Value,
}

/// A change of status by credential id.
#[derive(Debug, Clone)]
pub struct CredentialStatusRequest {
    /// The credential.
    pub credential: String,
    /// Which of its entries, by purpose.
    pub purpose: StatusPurpose,
    /// Which of its entries, by the list's URL, where it has several for the purpose.
    pub list: Option<String>,
    /// Which of its entries, by index, where the caller names it.
    pub index: Option<u64>,
    /// The new status.
    pub status: bool,
    /// Why.
    pub reason: Option<String>,
}

impl Registry {
    /// Issues a credential: gives it what is missing of `id`, `validFrom` and `credentialStatus`,
    /// and secures it with the key of its issuer, which has to be a profile here. An id that was
    /// issued before keeps its entry, and with it its status: what was revoked stays so.
    pub fn issue(
        &self,
        change: &Change,
        unsigned: &Value,
        credential_id: Option<&str>,
    ) -> Result<Issued, RegistryError> {
        let Some(members) = unsigned.as_object() else {
            return Err(RegistryError::invalid(
                "/credential",
                "a JSON object is needed",
            ));
        };
        if members.contains_key("proof") {
            let detail = "a credential that is to be issued has no proof yet";
            return Err(RegistryError::invalid("/credential/proof", detail));
        }
        let issuer = issuer_of(members)?;
        let owner = self.profile_named(issuer, "/credential/issuer")?.id;
        let turn = self.open_space_turn(owner)?;
        let _turn = turn
            .as_ref()
            .map(|turn| turn.lock().unwrap_or_else(PoisonError::into_inner));
        let credential = self.transact(change, |tx| {
            change.actor.must_speak_for(owner)?;
            let profile = self.profile_record(tx.read, owner)?;
            if !profile.issuer {
                return Err(RegistryError::RoleMissing(profile.slug, "issuer"));
            }
            let mut members = members.clone();
            let named_here = !members.contains_key("id") && credential_id.is_none();
            let id = self.complete(tx.now, &mut members, credential_id, &profile.issuer_id)?;
            let entries = self.complete_status(tx, owner, &id, &mut members)?;
            let completed = Value::Object(members);
            check_envelope(&completed)?;
            self.check_own(&completed, &id)?;
            let signed = self.sign(tx.read, owner, &profile, &completed)?;
            let achievement = achievement_of(&completed);
            remember(tx, owner, &id, entries, achievement, named_here)?;
            Ok(signed)
        })?;
        Ok(Issued { credential })
    }

    /// Fills in `id` and `validFrom` where they are missing, and writes the issuer's own id where
    /// it was named by its slug or URL.
    fn complete(
        &self,
        now: Timestamp,
        members: &mut Map<String, Value>,
        credential_id: Option<&str>,
        issuer_id: &str,
    ) -> Result<String, RegistryError> {
        match members.get_mut("issuer") {
            Some(Value::Object(issuer)) => {
                issuer.insert("id".into(), issuer_id.into());
            }
            Some(issuer) => *issuer = issuer_id.into(),
            None => {}
        }
        let named = match credential_id {
            Some(id) if !is_id(id) => {
                let detail = "an absolute URL is needed";
                return Err(RegistryError::invalid("/options/credentialId", detail));
            }
            named => named,
        };
        let id = match (members.get("id"), named) {
            (None, named) => {
                let id = named.map_or_else(|| self.fresh_urn(), str::to_owned);
                members.insert("id".into(), id.clone().into());
                id
            }
            (Some(id), named) => {
                let id = id.as_str().filter(|id| is_id(id)).ok_or_else(|| {
                    RegistryError::invalid("/credential/id", "an absolute URL is needed")
                })?;
                if named.is_some_and(|named| named != id) {
                    let detail = "the credential has another id";
                    return Err(RegistryError::invalid("/options/credentialId", detail));
                }
                id.to_owned()
            }
        };
        // A credential of the older data model is told so, rather than given a member of this one.
        let is_v2 = members
            .get("@context")
            .and_then(|contexts| contexts.get(0))
            .and_then(Value::as_str)
            == Some(CONTEXT_V2);
        if is_v2 && !members.contains_key("validFrom") {
            members.insert("validFrom".into(), now.whole_seconds().to_string().into());
        }
        Ok(id)
    }

    /// What the registry itself publishes cannot be issued over its head: a second list or
    /// endorsement under one id could contradict the first.
    fn check_own(&self, completed: &Value, id: &str) -> Result<(), RegistryError> {
        let urls = self.urls();
        let taken = ["status-lists", "endorsements", "achievements", "profiles"];
        if taken.iter().any(|room| urls.within(room, id).is_some()) {
            let detail = "ids below this address are given by the registry itself";
            return Err(RegistryError::invalid("/credential/id", detail));
        }
        let is_a = |wanted: &str| match &completed["type"] {
            Value::Array(types) => types.iter().any(|name| name == wanted),
            name => name == wanted,
        };
        let at_type = |detail: &str| Err(RegistryError::invalid("/credential/type", detail));
        if is_a("BitstringStatusListCredential") {
            return at_type("status lists are opened by POST /status-lists, and published here");
        }
        if is_a("EndorsementCredential") {
            return at_type("endorsements are issued by POST /endorsements, to accreditors");
        }
        Ok(())
    }

    /// A random UUID (version 4) as a URN.
    fn fresh_urn(&self) -> String {
        let mut bytes: [u8; 16] = random(&*self.entropy);
        bytes[6] = bytes[6] & 0x0f | 0x40;
        bytes[8] = bytes[8] & 0x3f | 0x80;
        let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        let parts = [
            &hex[..8],
            &hex[8..12],
            &hex[12..16],
            &hex[16..20],
            &hex[20..],
        ];
        format!("urn:uuid:{}", parts.join("-"))
    }

    /// Gives the credential its entries: a revocation entry where it has no `credentialStatus`,
    /// and for each one that names only a purpose the place. A complete entry stays as it is, and
    /// has to be one that was given out where it points here.
    fn complete_status(
        &self,
        tx: &mut Tx<'_>,
        owner: ProfileId,
        id: &str,
        members: &mut Map<String, Value>,
    ) -> Result<Vec<(SpaceId, u32)>, RegistryError> {
        let single = !matches!(members.get("credentialStatus"), Some(Value::Array(_)));
        let given = match members.remove("credentialStatus") {
            None => vec![open_entry()],
            Some(Value::Array(entries)) => entries,
            Some(entry) => vec![entry],
        };
        let mut places = Vec::new();
        let mut missing = Vec::new();
        for (n, given) in given.iter().enumerate() {
            let pointer = match single {
                true => "/credential/credentialStatus".to_owned(),
                false => format!("/credential/credentialStatus/{n}"),
            };
            match wanted_purpose(given, &pointer)? {
                Some(purpose) => missing.push(purpose),
                None => places.extend(self.place_of(tx.read, owner, given, &pointer)?),
            }
        }
        let place = match missing.is_empty() {
            true => None,
            false => Some(self.place_for(tx, owner, id, &missing)?),
        };
        let mut completed = Vec::with_capacity(given.len());
        for given in given {
            completed.push(match (wanted_purpose(&given, "")?, &place) {
                (Some(purpose), Some(place)) => build_entry(
                    &self.urls().list(place.list(&purpose)),
                    &purpose,
                    place.index,
                    None,
                ),
                _ => given,
            });
        }
        places.extend(place.map(|place| (place.space, place.index.get() as u32)));
        let status = match (single, completed.len()) {
            (true, 1) => completed.remove(0),
            _ => Value::Array(completed),
        };
        members.insert("credentialStatus".into(), status);
        Ok(places)
    }

    /// The place of the entries that a credential lacks: the one it has already, where lists for
    /// all purposes lie over it, else a fresh one.
    fn place_for(
        &self,
        tx: &mut Tx<'_>,
        owner: ProfileId,
        id: &str,
        purposes: &[StatusPurpose],
    ) -> Result<Place, RegistryError> {
        let known = CREDENTIALS.get(tx.read, &credential_key(id, owner))?;
        for (space, index) in known.map(|record| record.entries).unwrap_or_default() {
            let record = space_of(tx.read, space)?;
            if purposes
                .iter()
                .all(|purpose| record.plane(purpose).is_some())
            {
                let index = record.length().index(index.into());
                let index = index.expect("given out within the length");
                return Ok(Place {
                    space,
                    index,
                    record,
                });
            }
        }
        let opened = self.entry_space(tx, owner, purposes)?;
        let index = take_entry(tx, &opened)?;
        opened.stage(tx);
        Ok(Place {
            space: opened.id,
            index,
            record: opened.record,
        })
    }

    /// Where a complete entry points, if that is here: then the place has to be the issuer's and
    /// to have been given out.
    fn place_of(
        &self,
        read: &dyn Read,
        owner: ProfileId,
        given: &Value,
        pointer: &str,
    ) -> Result<Option<(SpaceId, u32)>, RegistryError> {
        let entry = StatusEntry::parse(given, pointer)
            .map_err(|error| RegistryError::invalid(pointer, error.to_string()))?;
        let Some(list) = self.urls().parse_list(&entry.list) else {
            return Ok(None);
        };
        let record = list_of(read, &self.urls(), list)?;
        if list.owner() != owner {
            let detail = "the list belongs to another issuer";
            return Err(RegistryError::invalid(
                format!("{pointer}/statusListCredential"),
                detail,
            ));
        }
        if record.purpose != entry.purpose {
            let detail = format!("the list is for {}", record.purpose.as_str());
            return Err(RegistryError::invalid(
                format!("{pointer}/statusPurpose"),
                detail,
            ));
        }
        let at_index = |detail: String| {
            Err(RegistryError::invalid(
                format!("{pointer}/statusListIndex"),
                detail,
            ))
        };
        let index = match record.length().index(entry.index) {
            Ok(index) => index,
            Err(error) => return at_index(error.to_string()),
        };
        let given_out = ALLOCATION.get(read, &record.space)?.unwrap_or(0);
        if !permutation(&space_of(read, record.space)?).is_allocated(index, given_out) {
            return at_index(format!("the index {} was never given out", entry.index));
        }
        Ok(Some((record.space, index.get() as u32)))
    }

    /// Sets or clears a status of a credential, by its id (VCALM `POST /credentials/status`).
    pub fn change_credential_status(
        &self,
        change: &Change,
        request: CredentialStatusRequest,
    ) -> Result<Updated, RegistryError> {
        let none = || RegistryError::NotFound(Thing::Credential, request.credential.clone());
        let snapshot = self.engine.snapshot();
        let rows = CREDENTIALS.scan(&*snapshot, &id_digest(&request.credential), None, 16)?;
        // Of a credential that others issued, not even its existence is told.
        let mut own: Vec<_> = rows
            .into_iter()
            .filter(|((_, owner), _)| change.actor.speaks_for(*owner))
            .map(|(_, record)| record)
            .collect();
        if own.len() > 1 {
            let Some(list) = request
                .list
                .as_deref()
                .and_then(|url| self.urls().parse_list(url))
            else {
                return Err(RegistryError::Ambiguous(own.len()));
            };
            own.retain(|record| {
                record
                    .entries
                    .iter()
                    .any(|(at, _)| at.owner() == list.owner())
            });
        }
        let record = own.into_iter().next().ok_or_else(none)?;
        for (space, index) in record.entries {
            let meant = |list: &ListId| {
                request
                    .list
                    .as_deref()
                    .is_none_or(|url| url == self.urls().list(*list))
            };
            let plane = space_of(&*snapshot, space)?.plane(&request.purpose);
            let named = request.index.is_none_or(|named| named == u64::from(index));
            if let Some(list) = plane.filter(meant).filter(|_| named) {
                let target = StatusTarget::Index(index.into());
                let update = StatusUpdate {
                    target,
                    status: request.status.into(),
                };
                return self.update_statuses(change, list, vec![update], request.reason);
            }
        }
        let purpose = request.purpose.as_str();
        let detail = format!("the credential has no such entry for {purpose}");
        Err(RegistryError::invalid("/credentialStatus", detail))
    }
}

/// Where the entries of one credential stand.
struct Place {
    space: SpaceId,
    index: StatusIndex,
    record: SpaceRecord,
}

impl Place {
    fn list(&self, purpose: &StatusPurpose) -> ListId {
        self.record
            .plane(purpose)
            .expect("a place is chosen for all purposes that are missing")
    }
}

/// A credential has to be one before it is signed, and a badge a badge.
fn check_envelope(completed: &Value) -> Result<(), RegistryError> {
    // The messages lead with the place within the credential.
    let refused = |error: String| {
        let place = error.split_once(": ").map_or("", |(place, _)| place);
        let place = if place.starts_with('/') { place } else { "" };
        RegistryError::invalid(format!("/credential{place}"), error)
    };
    if is_achievement_credential(completed) {
        Badge::read(completed).map_err(|error| refused(error.to_string()))?;
    } else {
        Credential::read(completed).map_err(|error| refused(error.to_string()))?;
    }
    Ok(())
}

fn is_id(text: &str) -> bool {
    url::Url::parse(text).is_ok() && text.len() <= 2048
}

fn open_entry() -> Value {
    json!({ "type": ENTRY_TYPE, "statusPurpose": StatusPurpose::Revocation.as_str() })
}

/// The purpose of an entry that names no place yet.
fn wanted_purpose(given: &Value, pointer: &str) -> Result<Option<StatusPurpose>, RegistryError> {
    let has = |member: &str| given.get(member).is_some();
    if has("statusListIndex") || has("statusListCredential") {
        return Ok(None);
    }
    // What else stands there would have to be kept, and a fresh entry has no place for it.
    let bare = given.as_object().is_some_and(|members| members.len() == 2);
    let is_entry = bare && given.get("type").and_then(Value::as_str) == Some(ENTRY_TYPE);
    match given
        .get("statusPurpose")
        .and_then(Value::as_str)
        .map(str::parse)
    {
        Some(Ok(purpose @ (StatusPurpose::Revocation | StatusPurpose::Suspension))) if is_entry => {
            Ok(Some(purpose))
        }
        _ => {
            let detail = format!(
                "either a complete status entry is needed, or one of type {ENTRY_TYPE} with only \
                 a statusPurpose, revocation or suspension, to be given a place"
            );
            Err(RegistryError::invalid(pointer, detail))
        }
    }
}

fn issuer_of(members: &Map<String, Value>) -> Result<&str, RegistryError> {
    let issuer = members.get("issuer");
    let id = issuer.and_then(|issuer| issuer.as_str().or_else(|| issuer.get("id")?.as_str()));
    id.ok_or_else(|| {
        RegistryError::invalid(
            "/credential/issuer",
            "the issuer's id, as text or in an object",
        )
    })
}

fn achievement_of(credential: &Value) -> Option<String> {
    credential
        .pointer("/credentialSubject/achievement/id")?
        .as_str()
        .map(str::to_owned)
}
