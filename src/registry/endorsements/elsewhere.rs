//! Endorsements by accreditors who sign elsewhere: what is to be signed is given out with its id and
//! its entry, and nothing is in force before it comes back signed, unchanged.

use serde_json::Value;

use super::super::signing::{SignedBy, newest_that_signs, to_store};
use crate::access::Action;
use crate::badges::Scope;
use crate::ids::{EndorsementId, ProfileId};
use crate::registry::change::Tx;
use crate::registry::lists::list_of;
use crate::registry::lists::queries::entry_of;
use crate::registry::standing::EndorsementView;
use crate::registry::{Change, NewEndorsement, Registry, RegistryError, StoredEndorsement, Thing};
use crate::status::StatusPurpose;
use crate::store::engine::Read;
use crate::store::event::EventKind;
use crate::store::tables::{
    ACCREDITORS, DIRTY_LISTS, ENDORSEMENT_DOCUMENTS, EndorsementRecord, KEYS, LIST_STATES, LISTS,
    Origin, PUBLISHED, SIGNATURES, SignatureRecord, TO_SIGN, ToSignRecord,
};
use crate::vc::jwt;
use crate::vc::securing::Secured;

/// A credential as its issuer is to sign it elsewhere.
#[derive(Debug, Clone, PartialEq)]
pub struct CredentialToSign {
    /// The credential without a proof.
    pub credential: Value,
    /// The claims, where it is signed as a JWT.
    pub claims: Value,
    /// The verification method whose key signs.
    pub method: String,
    /// The `kid` of JWTs by that key.
    pub kid: String,
}

/// What waits for an owner's signature, by URLs: the first of each.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct WaitingForSignature {
    /// Lists whose changes nobody sees in a signed list yet, or that are to be renewed.
    pub lists: Vec<String>,
    /// Endorsements that are not in force yet, or whose key was lost.
    pub endorsements: Vec<String>,
}

/// So many of each are told.
const MOST_TOLD: usize = 1_000;

/// So many lists are looked at.
const MOST_LOOKED_AT: usize = 100_000;

/// The longest credential that is handed in, in bytes.
const MOST_BYTES: usize = 1 << 16;

const PLACE: &str = "/verifiableCredential";

impl Registry {
    /// Decides an endorsement as [`Registry::endorse`] does, and gives out what is to be signed: it
    /// has its id and its entry, and is in force once it is handed in.
    pub fn endorse_unsigned(
        &self,
        change: &Change,
        new: &NewEndorsement,
    ) -> Result<(EndorsementId, CredentialToSign), RegistryError> {
        let id = self.transact_of(new.endorser, change, |tx| {
            self.signed_by_owner(tx.read, new.endorser)?;
            self.decide_endorsement_to_sign(tx, change, new)
        })?;
        Ok((id, self.endorsement_to_sign(change, id)?))
    }

    /// What is to be signed of an endorsement that waits for that.
    pub fn endorsement_to_sign(
        &self,
        change: &Change,
        id: EndorsementId,
    ) -> Result<CredentialToSign, RegistryError> {
        let snapshot = self.engine.snapshot();
        let waiting = self.to_be_signed(&*snapshot, change, id)?;
        let by = self.signed_by_owner(&*snapshot, id.owner())?;
        to_sign(waiting.unsigned(), by)
    }

    /// Takes an endorsement that was given out and signed elsewhere. One that was in force before,
    /// and whose key was lost, is replaced.
    ///
    /// # Errors
    /// [`RegistryError::NotSigned`] where it is not what was given out, or not signed by the key of
    /// its endorser that signs now; and as [`Registry::endorse`], which decided of it at another
    /// moment.
    pub fn hand_in_endorsement(
        &self,
        change: &Change,
        credential: &Value,
    ) -> Result<EndorsementView, RegistryError> {
        let secured =
            Secured::held(credential.clone()).map_err(|error| not_signed(PLACE, error))?;
        if to_store(&secured).len() > MOST_BYTES {
            let reason = format!("at most {MOST_BYTES} bytes are taken");
            return Err(not_signed(PLACE, reason));
        }
        let named = secured.claims()["id"].as_str();
        let id = named.and_then(|id| self.urls().own_endorsement(id));
        let id = id.ok_or_else(|| {
            let place = format!("{PLACE}/id");
            not_signed(&place, "the id is needed under which it was given out")
        })?;
        self.transact(change, |tx| {
            let waiting = self.to_be_signed(tx.read, change, id)?;
            let by = self.signed_by_owner(tx.read, id.owner())?;
            by.check_credential(&waiting.unsigned(), &secured, tx.now)
                .map_err(|reason| not_signed(PLACE, reason))?;
            KEYS.expect(&mut tx.batch, &(id.owner(), by.key), Some(&by.record));
            stage_signature(tx, id.owner(), &by, &secured)?;
            match &waiting.record {
                Some(record) => self.stage_in_force(tx, id, record)?,
                None => {
                    let before = ENDORSEMENT_DOCUMENTS.get(tx.read, &id)?;
                    ENDORSEMENT_DOCUMENTS.expect(&mut tx.batch, &id, before.as_ref());
                }
            }
            ENDORSEMENT_DOCUMENTS.put(&mut tx.batch, &id, &to_store(&secured));
            TO_SIGN.expect(&mut tx.batch, &id, Some(&waiting));
            TO_SIGN.delete(&mut tx.batch, &id);
            tx.log(EventKind::EndorsementIssued { endorsement: id });
            Ok(())
        })?;
        self.endorsement(id, None)
    }

    /// Stages that an endorsement that was given out is in force, as things stand now.
    fn stage_in_force(
        &self,
        tx: &mut Tx<'_>,
        id: EndorsementId,
        given_out: &EndorsementRecord,
    ) -> Result<(), RegistryError> {
        let owner = id.owner();
        let endorser = self.accreditor_record(tx.read, owner)?;
        let subject = self.subject(tx.read, &given_out.subject, given_out.kind)?;
        let bound = given_out.digest_multibase.as_deref();
        let bound = bound.and_then(|digest| digest.parse().ok());
        self.check_version(tx.read, &subject, bound)?;
        let standing = ACCREDITORS.get(tx.read, &owner)?;
        ACCREDITORS.expect(&mut tx.batch, &owner, standing.as_ref());
        let scope = given_out.scope.as_deref();
        let scope = scope.and_then(|scope| serde_json::from_str(scope).ok());
        let scope = scope.and_then(|scope: Value| Scope::parse(&scope).ok());
        self.check_scope(tx, scope.as_ref(), &endorser)?;
        self.check_entry(tx, given_out)?;
        let mut record = EndorsementRecord {
            as_issuer: given_out.as_issuer && subject.issuer,
            as_accreditor: given_out.as_accreditor && subject.accreditor,
            created_at: tx.now,
            ..given_out.clone()
        };
        if let Origin::Issued { term, .. } = &mut record.origin {
            *term = self.accreditor_of(tx.read, owner, &endorser)?.term();
        }
        record.put(&mut tx.batch, &id, None);
        Ok(())
    }

    /// Nobody may have set the entry of an endorsement before it was in force, nor while this is
    /// written: it would be revoked by its bit, and not by its record.
    fn check_entry(
        &self,
        tx: &mut Tx<'_>,
        given_out: &EndorsementRecord,
    ) -> Result<(), RegistryError> {
        let Origin::Issued {
            entry: (space, index),
            suspendable,
            ..
        } = given_out.origin
        else {
            return Ok(());
        };
        let purposes = [StatusPurpose::Revocation].into_iter();
        for purpose in purposes.chain(suspendable.then_some(StatusPurpose::Suspension)) {
            let list = self.plane(tx.read, space, &purpose)?;
            let record = list_of(tx.read, &self.urls(), list)?;
            let state = LIST_STATES.get(tx.read, &list)?;
            LIST_STATES.expect(&mut tx.batch, &list, state.as_ref());
            let index = record.length().index(index.into());
            let index = index.expect("it was given out within the length");
            if entry_of(tx.read, list, &record, index)?.status != 0 {
                let place = format!("{PLACE}/credentialStatus");
                let reason = "its entry was set meanwhile; have another one given out";
                return Err(not_signed(&place, reason));
            }
        }
        Ok(())
    }

    /// What waits for the signature of a profile that signs elsewhere.
    pub fn waiting_for_signature(
        &self,
        profile: ProfileId,
    ) -> Result<Option<WaitingForSignature>, RegistryError> {
        let snapshot = self.engine.snapshot();
        let read = &*snapshot;
        if !self.signs_elsewhere(read, profile)? {
            return Ok(None);
        }
        let (urls, now, owner) = (self.urls(), self.now(), profile.0.to_be_bytes());
        let mut waiting = WaitingForSignature::default();
        for (list, _) in LISTS.scan(read, &owner, None, MOST_LOOKED_AT)? {
            let due = match PUBLISHED.get(read, &list)? {
                Some(published) => published.renew_at <= now,
                None => true,
            };
            if due || DIRTY_LISTS.get(read, &list)?.is_some() {
                waiting.lists.push(urls.list(list));
            }
            if waiting.lists.len() == MOST_TOLD {
                break;
            }
        }
        let rows = TO_SIGN.scan(read, &owner, None, MOST_TOLD)?;
        let rows = rows.into_iter().map(|(id, _)| urls.endorsement(id));
        waiting.endorsements = rows.collect();
        Ok(Some(waiting))
    }

    /// Who signs for a profile elsewhere.
    ///
    /// # Errors
    /// [`RegistryError::Key`] where its key is kept here.
    pub(in crate::registry) fn signed_by_owner(
        &self,
        read: &dyn Read,
        profile: ProfileId,
    ) -> Result<SignedBy, RegistryError> {
        let owner = self.controller(read, profile)?;
        if !self.signs_elsewhere(read, profile)? {
            let words = format!(
                "the key with which {} signs is kept here, so that it is signed here; there is \
                 nothing to hand in",
                owner.id
            );
            return Err(RegistryError::Key(words));
        }
        let (id, record) = newest_that_signs(read, &owner, self.now())?;
        SignedBy::of(&owner, id, record)
    }

    fn to_be_signed(
        &self,
        read: &dyn Read,
        change: &Change,
        id: EndorsementId,
    ) -> Result<ToSignRecord, RegistryError> {
        let none = || RegistryError::NotFound(Thing::ToSign, self.urls().endorsement(id));
        // Of what waits for others not even that is told.
        if !change.actor.may(Action::WriteEndorsements, id.owner()) {
            return Err(none());
        }
        TO_SIGN.get(read, &id)?.ok_or_else(none)
    }
}

/// A credential with all that whoever signs it elsewhere needs.
pub(in crate::registry) fn to_sign(
    credential: Value,
    by: SignedBy,
) -> Result<CredentialToSign, RegistryError> {
    let claims = jwt::claims_of(&credential);
    let claims = claims.map_err(|error| RegistryError::Unsignable(error.to_string()))?;
    Ok(CredentialToSign {
        credential,
        claims,
        method: by.method,
        kid: by.kid,
    })
}

/// An endorsement that is here and whose key was lost: it waits for its endorser.
pub(in crate::registry) fn signed_before(stored: Vec<u8>) -> ToSignRecord {
    let unsigned = StoredEndorsement::of(stored).secured().unsigned();
    ToSignRecord {
        unsigned: unsigned.to_string(),
        record: None,
    }
}

/// Stages what is remembered of a signature that was handed in.
fn stage_signature(
    tx: &mut Tx<'_>,
    profile: ProfileId,
    by: &SignedBy,
    secured: &Secured,
) -> Result<(), RegistryError> {
    let no_form = || not_signed(PLACE, "its proof has no canonical form");
    let digest = SignedBy::digest(secured).ok_or_else(no_form)?;
    if SIGNATURES.get(tx.read, &digest)?.is_none() {
        let (key, at) = (by.key, tx.now);
        SIGNATURES.expect(&mut tx.batch, &digest, None);
        SIGNATURES.put(
            &mut tx.batch,
            &digest,
            &SignatureRecord { profile, key, at },
        );
    }
    Ok(())
}

fn not_signed(pointer: &str, reason: impl ToString) -> RegistryError {
    RegistryError::NotSigned {
        pointer: pointer.to_owned(),
        reason: reason.to_string(),
    }
}
