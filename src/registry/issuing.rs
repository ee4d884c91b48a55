//! Issuing credentials for profiles hosted here, and changing their status by credential id
//! (VCALM 1.0). An issued credential is not kept: only its id, entry and achievement.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::codes::{CredentialCode, KeptCode};
use super::endorsements::elsewhere::{CredentialToSign, to_sign};
use super::endorsements::embedding::{Embed, Embedded};
use super::lists::allocation::space_of;
use super::lists::carried::{Known, remember};
use super::lists::statuses::{StatusTarget, StatusUpdate, Updated};
use super::profiles::id_digest;
use super::signing::Held;
use super::{Change, Quota, Registry, RegistryError, Thing};
use crate::access::Action;
use crate::badges::{Badge, Clr, Issuer, is_achievement_credential, is_clr};
use crate::entropy::random;
use crate::status::StatusPurpose;
use crate::store::event::EventKind;
use crate::store::tables::{CREDENTIALS, Carried, CredentialDates};
use crate::time::Timestamp;
use crate::vc::credential::{CONTEXT_V2, Credential};
use crate::vc::jwt::{self, Envelope};
use crate::vc::securing::{Secured, Securing};

/// A credential that was just issued.
#[derive(Debug, Clone)]
pub struct Issued {
    /// The secured credential: with its proof, or a JWT in its envelope. Without either where it
    /// is signed elsewhere.
    pub credential: Value,
    /// What is to be signed elsewhere, where that was asked for. It need not be handed in.
    pub unsigned: Option<CredentialToSign>,
    /// Its verification code, where that was asked for.
    pub code: Option<CredentialCode>,
}

/// How a credential is to be issued.
#[derive(Debug, Clone, Default)]
pub struct IssuingOptions {
    /// Id for a credential that has none.
    pub credential_id: Option<String>,
    /// How it is secured.
    pub securing: Securing,
    /// Whether the endorsements in force of its issuer and of its achievements are put into it.
    pub embed: Option<Embed>,
    /// Whether it is only given out with its entries, for an issuer who signs elsewhere.
    pub unsigned: bool,
    /// Whether its verification code is handed out with it.
    pub code: bool,
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
        options: &IssuingOptions,
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
        let credential_id = options.credential_id.as_deref();
        let issuer = issuer_of(members)?;
        let owner = self.profile_named(issuer, "/credential/issuer")?.id;
        let keys = options.code.then(|| self.vault().code_keys()).transpose()?;
        let added = self.transact_of(owner, change, |tx| {
            change.actor.must(Action::Issue, owner)?;
            let profile = self.profile_record(tx.read, owner)?;
            if !profile.issuer {
                return Err(RegistryError::RoleMissing(profile.slug, "issuer"));
            }
            tx.use_up(owner, Quota::CredentialsPerDay, 1)?;
            let id = self.id_of(members, credential_id)?;
            let given = members.get("credentialStatus");
            let entries = self.complete_status(tx, owner, &id, given)?;
            let mut added = Added {
                issuer: profile.issuer_id.clone(),
                id,
                valid_from: valid_from(members, tx.now),
                status: entries.status,
                proof: None,
                jws: None,
                embedded: match options.embed {
                    Some(form) => self.embedded_in(tx.read, members, &profile.issuer_id, form)?,
                    None => Vec::new(),
                },
                issuer_name: profile.profile().name().to_owned(),
                code: None,
            };
            let completed = added.to(members);
            check_envelope(&completed)?;
            self.check_own(&completed, &added.id)?;
            if options.unsigned {
                self.signed_by_owner(tx.read, owner)?;
            } else {
                let form = options.securing;
                let signed = self.sign_in(tx, owner, &profile, &completed, form)?;
                tx.log(EventKind::CredentialIssued {
                    profile: owner,
                    proof: signed.digest(),
                });
                added.secured_by(&signed.secured);
            }
            let known = Known {
                id: added.id.clone(),
                entries: entries.carried,
                elsewhere: entries.elsewhere,
                achievement: achievement_of(&completed),
                named_here: !members.contains_key("id") && credential_id.is_none(),
                dates: dates_of(&completed),
            };
            remember(tx, owner, known)?;
            if let Some(keys) = &keys {
                added.code = Some(self.stage_code_of_issued(tx, keys, owner, &added.id)?);
            }
            Ok(added)
        })?;
        let credential = match &added.jws {
            None => added.to(members),
            Some(ends) => self.jwt_again(&added.to(members), ends)?,
        };
        let unsigned = match options.unsigned {
            false => None,
            true => {
                let by = self.signed_by_owner(&*self.engine.snapshot(), owner)?;
                Some(to_sign(credential.clone(), by)?)
            }
        };
        let code = match added.code {
            Some(kept) => Some(kept.code(&self.vault().code_keys()?)?),
            None => None,
        };
        Ok(Issued {
            credential,
            unsigned,
            code,
        })
    }

    /// The JWT of a credential, from the credential and what was kept of the JWT. Only what was
    /// signed here is handed out again.
    fn jwt_again(&self, credential: &Value, ends: &JwsEnds) -> Result<Value, RegistryError> {
        if let Ok(payload) = jwt::encoded_payload(credential) {
            let text = format!("{}.{payload}.{}", ends.header, ends.signature);
            let read = self.engine.snapshot();
            if self.signed_here(&*read, Held::Jws(&text))?.is_some() {
                return Ok(Envelope::Credential.wrap(&text));
            }
        }
        let words = "the JWT that was issued under this Idempotency-Key cannot be put together \
                     again; issue the credential under a fresh key";
        Err(RegistryError::Unsignable(words.into()))
    }

    /// The credential's id: its own, the one that the caller names, or a fresh one.
    fn id_of(
        &self,
        members: &Map<String, Value>,
        named: Option<&str>,
    ) -> Result<String, RegistryError> {
        if named.is_some_and(|named| !is_id(named)) {
            let detail = "an absolute URL is needed";
            return Err(RegistryError::invalid("/options/credentialId", detail));
        }
        match (members.get("id"), named) {
            (None, named) => Ok(named.map_or_else(|| self.fresh_urn(), str::to_owned)),
            (Some(id), named) => {
                let id = id.as_str().filter(|id| is_id(id)).ok_or_else(|| {
                    RegistryError::invalid("/credential/id", "an absolute URL is needed")
                })?;
                if named.is_some_and(|named| named != id) {
                    let detail = "the credential has another id";
                    return Err(RegistryError::invalid("/options/credentialId", detail));
                }
                Ok(id.to_owned())
            }
        }
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

    /// Sets or clears a status of a credential, by its id (VCALM `POST /credentials/status`).
    pub fn change_credential_status(
        &self,
        change: &Change,
        request: CredentialStatusRequest,
    ) -> Result<Updated, RegistryError> {
        let none = || RegistryError::NotFound(Thing::Credential, request.credential.clone());
        let snapshot = self.engine.snapshot();
        let digest = id_digest(&request.credential);
        let rows = CREDENTIALS.scan(&*snapshot, &digest, None, usize::MAX)?;
        // Of a credential that others issued, not even its existence is told.
        let own = rows
            .into_iter()
            .filter(|((_, owner), _)| change.actor.may(Action::WriteStatus, *owner));
        let own: Vec<Carried> = own.flat_map(|(_, record)| record.entries).collect();
        if own.is_empty() {
            return Err(none());
        }
        let mut meant = Vec::new();
        for carried in own
            .iter()
            .filter(|carried| carried.purposes.contains(&request.purpose))
        {
            let Some(list) = space_of(&*snapshot, carried.space)?.plane(&request.purpose) else {
                continue;
            };
            let here = request
                .list
                .as_deref()
                .is_none_or(|url| url == self.urls().list(list));
            if here
                && request
                    .index
                    .is_none_or(|index| index == u64::from(carried.index))
            {
                meant.push((list, carried.index));
            }
        }
        match meant.as_slice() {
            [(list, index)] => {
                let target = StatusTarget::Index((*index).into());
                let update = StatusUpdate {
                    target,
                    status: request.status.into(),
                };
                self.update_statuses(change, *list, vec![update], request.reason)
            }
            [] => {
                let purpose = request.purpose.as_str();
                let detail = format!(
                    "the credential carries no such entry for {purpose}, so verifiers elsewhere \
                     would see nothing of it"
                );
                Err(RegistryError::invalid("/credentialStatus", detail))
            }
            several => Err(RegistryError::Ambiguous(several.len())),
        }
    }
}

/// What issuing adds to a credential. It is what is kept for a repeated request: the credential
/// itself, which is about a person, is not.
#[derive(Serialize, Deserialize)]
struct Added {
    issuer: String,
    id: String,
    valid_from: Option<String>,
    status: Value,
    proof: Option<Value>,
    /// Absent from what older programs kept.
    jws: Option<JwsEnds>,
    /// Endorsements, with the JSON pointer of what each was put into.
    #[serde(default)]
    embedded: Vec<(String, Embedded)>,
    /// The issuer's registered name, for an issuer that the credential gave by its id alone and that
    /// endorsements are put into.
    #[serde(default)]
    issuer_name: String,
    /// From what its verification code is made, where that was asked for.
    #[serde(default)]
    code: Option<KeptCode>,
}

/// A compact JWS without its payload, which is the credential.
#[derive(Serialize, Deserialize)]
struct JwsEnds {
    header: String,
    signature: String,
}

impl Added {
    /// Takes from the secured credential what is kept of it.
    fn secured_by(&mut self, secured: &Secured) {
        match secured {
            Secured::Embedded(credential) => self.proof = credential.get("proof").cloned(),
            Secured::Jwt(jwt) => {
                let mut parts = jwt.as_str().split('.').map(str::to_owned);
                let (header, _, signature) = (parts.next(), parts.next(), parts.next());
                let ends = header.zip(signature);
                self.jws = ends.map(|(header, signature)| JwsEnds { header, signature });
            }
        }
    }

    /// The credential with what was added.
    fn to(&self, members: &Map<String, Value>) -> Value {
        let mut members = members.clone();
        match members.get_mut("issuer") {
            Some(Value::Object(issuer)) => {
                issuer.insert("id".into(), self.issuer.clone().into());
            }
            Some(issuer) => *issuer = self.issuer.clone().into(),
            None => {}
        }
        members.insert("id".into(), self.id.clone().into());
        if let Some(from) = &self.valid_from {
            members.insert("validFrom".into(), from.clone().into());
        }
        members.insert("credentialStatus".into(), self.status.clone());
        let mut credential = Value::Object(members);
        for (at, embedded) in &self.embedded {
            self.embed(&mut credential, at, embedded);
        }
        if let Some(proof) = &self.proof {
            credential["proof"] = proof.clone();
        }
        credential
    }

    /// Puts endorsements into what stands at a place. An issuer by its id becomes a Profile.
    fn embed(&self, credential: &mut Value, at: &str, embedded: &Embedded) {
        let Some(place) = credential.pointer_mut(at) else {
            return;
        };
        if let Value::String(id) = place {
            let (name, url) = (&*self.issuer_name, None);
            *place = Issuer { id, name, url }.to_value();
        }
        if let Some(members) = place.as_object_mut() {
            embedded.put_into(members);
        }
    }
}

/// The moment of issuing, where the credential names none. One of the older data model is told so,
/// rather than given a member of this one.
fn valid_from(members: &Map<String, Value>, now: Timestamp) -> Option<String> {
    let first = members.get("@context").and_then(|contexts| contexts.get(0));
    let is_v2 = first.and_then(Value::as_str) == Some(CONTEXT_V2);
    (is_v2 && !members.contains_key("validFrom")).then(|| now.whole_seconds().to_string())
}

/// A credential has to be one before it is signed, a badge a badge, and a record a record.
fn check_envelope(completed: &Value) -> Result<(), RegistryError> {
    // The messages lead with the place within the credential.
    let refused = |error: String| {
        let place = error.split_once(": ").map_or("", |(place, _)| place);
        let place = if place.starts_with('/') { place } else { "" };
        RegistryError::invalid(format!("/credential{place}"), error)
    };
    Credential::read(completed).map_err(|error| refused(error.to_string()))?;
    if is_achievement_credential(completed) {
        Badge::read(completed).map_err(|error| refused(error.to_string()))?;
    }
    if is_clr(completed) {
        Clr::read(completed).map_err(|error| refused(error.to_string()))?;
    }
    Ok(())
}

fn is_id(text: &str) -> bool {
    url::Url::parse(text).is_ok() && text.len() <= 2048
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

/// The dates that a checked credential carries, of either data model.
fn dates_of(credential: &Value) -> CredentialDates {
    let date = |members: [&str; 2]| {
        let found = members.iter().find_map(|member| credential.get(*member));
        found.and_then(Value::as_str)?.parse().ok()
    };
    CredentialDates {
        valid_from: date(["validFrom", "issuanceDate"]),
        valid_until: date(["validUntil", "expirationDate"]),
        awarded: date(["awardedDate", "awardedDate"]),
    }
}

fn achievement_of(credential: &Value) -> Option<String> {
    credential
        .pointer("/credentialSubject/achievement/id")?
        .as_str()
        .map(str::to_owned)
}
