//! Signing for profiles, and the memory of it: what this registry signed can be told from what a
//! thief of the key signed, whatever date a proof gives itself.
//!
//! Every signature that a change hands out has a row in [`SIGNATURES`], written in the batch of
//! that change, and so before the moment at which the key can be found revoked. A store that an
//! older program wrote has no rows for what it signed: that is then not known.

use serde_json::{Map, Value};
use sha2::{Digest as _, Sha256};

use super::change::Tx;
use super::profiles::identity::Controller;
use super::profiles::keys::{keys_of, public, signs_at};
use super::{EndorsementView, Registry, RegistryError};
use crate::bitstring::MAXIMUM_BITS;
use crate::ids::{KeyId, ProfileId};
use crate::status::{SignedCwt, TokenListToPublish};
use crate::store::engine::{Batch, CommitError, Read};
use crate::store::tables::{
    Digest, ENDORSEMENT_DOCUMENTS, ENDORSEMENTS, KEYS, KeyRecord, ProfileRecord, SIGNATURES,
    SignatureRecord, TO_SIGN_AGAIN,
};
use crate::time::Timestamp;
use crate::vc::controller::Relationship;
use crate::vc::jws::{self, Jws, NewHeader};
use crate::vc::jwt::{CredentialJwt, sign_credential};
use crate::vc::keys::{PublicKey, SigningKey};
use crate::vc::proof::{self, ProofOptions, Suite};
use crate::vc::sealing::KeyPlace;
use crate::vc::securing::{Secured, Securing};
use crate::vc::verifying::VerifyingKey;

/// A signed document, and the key that signed it as it was then.
pub(super) struct Signed {
    pub(super) secured: Secured,
    key: (ProfileId, KeyId),
    record: KeyRecord,
}

/// A signature as a verifier holds it.
#[derive(Debug, Clone, Copy)]
pub(super) enum Held<'a> {
    /// A proof, the object alone and whole.
    Proof(&'a Value),
    /// A compact JWS.
    Jws(&'a str),
}

/// What is known of a signature that was made here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct SignedHere {
    /// For whom.
    pub(super) profile: ProfileId,
    /// With which of its keys.
    pub(super) key: KeyId,
    /// The verification method by which signatures of this form name that key.
    pub(super) method: String,
    /// The key's public half.
    pub(super) public: PublicKey,
    /// When, by the registry's clock; not by what the proof says of itself.
    pub(super) at: Timestamp,
    /// Since when the key may have been in wrong hands, where it was given up.
    pub(super) revoked_since: Option<Timestamp>,
}

/// What this registry says of a statement that is shown to it as its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub enum StatementCheck {
    /// One of its keys signed it.
    Good,
    /// A key signed it that may have been in wrong hands.
    KeyRevoked,
    /// It names a key of the registry, and that key did not sign it.
    Forged,
    /// It names no key of the registry.
    NotOurs,
}

impl Registry {
    /// What is known of a signature, where a change here made it. `None` is no verdict: somebody
    /// else made it, or a program that kept no such rows. Whether the signature fits its document
    /// is for the caller to check.
    pub(super) fn signed_here(
        &self,
        read: &dyn Read,
        held: Held<'_>,
    ) -> Result<Option<SignedHere>, RegistryError> {
        let Some(digest) = held.digest() else {
            return Ok(None);
        };
        let Some(row) = SIGNATURES.get(read, &digest)? else {
            return Ok(None);
        };
        let SignatureRecord { profile, key, at } = row;
        let Some(record) = KEYS.get(read, &(profile, key))? else {
            return Ok(None);
        };
        let owner = self.controller(read, profile)?;
        Ok(Some(SignedHere {
            profile,
            key,
            method: match held {
                Held::Proof(_) => owner.method(key),
                Held::Jws(_) => owner.jwt_method(key),
            },
            public: public(&record)?,
            at,
            revoked_since: record.revoked_since,
        }))
    }

    /// Signs a document as a profile, and verifies the signature before it goes anywhere.
    pub(super) fn sign(
        &self,
        read: &dyn Read,
        profile: ProfileId,
        record: &ProfileRecord,
        unsigned: &Value,
        securing: Securing,
    ) -> Result<Signed, RegistryError> {
        let owner = self.controller_of(profile, record);
        let (id, key, signer) = self.signer(read, &owner)?;
        let method = owner.method(id);
        let secured = match securing {
            Securing::EddsaRdfc2022 => signer.embed(unsigned, Suite::EddsaRdfc2022, method)?,
            Securing::EddsaJcs2022 => signer.embed(unsigned, Suite::EddsaJcs2022, method)?,
            Securing::VcJwt => signer.envelop(unsigned, &owner.jwt_method(id))?,
        };
        Ok(Signed {
            secured,
            key: (profile, id),
            record: key,
        })
    }

    /// A statement of the registry itself, as a compact JWS of these claims by its own key: `typ`
    /// is the media type without `application/`, `kid` the absolute URL of the verification method
    /// that holds the key as a JSON Web Key. It is verified before it goes anywhere, and kept
    /// nowhere.
    ///
    /// # Errors
    /// [`RegistryError::Key`] where no key may sign, as in a registry without any profile yet.
    pub fn sign_statement(
        &self,
        typ: &str,
        claims: &Map<String, Value>,
    ) -> Result<String, RegistryError> {
        let snapshot = self.engine.snapshot();
        let owner = self.controller(&*snapshot, ProfileId::REGISTRY)?;
        let (id, _, signer) = self.signer(&*snapshot, &owner)?;
        signer.state(typ, claims, &owner.jwt_method(id))
    }

    /// A token list as a JWT and as a CWT, each verified before it goes anywhere.
    pub(super) fn sign_token_list(
        &self,
        read: &dyn Read,
        (profile, record): (ProfileId, &ProfileRecord),
        list: &TokenListToPublish<'_>,
    ) -> Result<(String, Vec<u8>), RegistryError> {
        let owner = self.controller_of(profile, record);
        let (id, _, signer) = self.signer(read, &owner)?;
        let kid = owner.jwt_method(id);
        let jwt = list.to_jwt(&kid, &signer.secret);
        let made = Jws::parse(&jwt).map_err(unsignable)?;
        made.verify(&signer.public).map_err(unsignable)?;
        let cwt = list.to_cwt(&kid, &signer.secret);
        let made = SignedCwt::parse(&cwt).map_err(unsignable)?;
        made.verify(&signer.public, (MAXIMUM_BITS / 8) as usize)
            .map_err(unsignable)?;
        Ok((jwt, cwt))
    }

    /// Whether the registry signed this, by the key that it names. What it says is for the caller to
    /// read.
    pub fn check_statement(&self, statement: &Jws) -> Result<StatementCheck, RegistryError> {
        let snapshot = self.engine.snapshot();
        let owner = self.controller(&*snapshot, ProfileId::REGISTRY)?;
        let kid = statement.header().kid.as_deref();
        let keys = keys_of(&*snapshot, owner.profile)?;
        let named = keys
            .iter()
            .find(|(id, _)| kid == Some(&owner.jwt_method(*id)));
        let Some((_, key)) = named else {
            return Ok(StatementCheck::NotOurs);
        };
        let signed = statement.verify(&public(key)?.into());
        Ok(match (signed, key.revoked_since) {
            (Err(_), _) => StatementCheck::Forged,
            (Ok(()), Some(_)) => StatementCheck::KeyRevoked,
            (Ok(()), None) => StatementCheck::Good,
        })
    }

    /// The newest key that signs for `owner` at this moment, ready to do so.
    fn signer(
        &self,
        read: &dyn Read,
        owner: &Controller,
    ) -> Result<(KeyId, KeyRecord, Signer), RegistryError> {
        let now = self.now();
        let keys = keys_of(read, owner.profile)?;
        let newest = keys.into_iter().rev().find(|(_, key)| signs_at(key, now));
        let Some((id, key)) = newest else {
            let words = format!("{} has no key that may sign", owner.id);
            return Err(RegistryError::Key(words));
        };
        let signer = Signer {
            secret: self.open_key(owner.profile, id, &key)?,
            public: public(&key)?.into(),
            now,
        };
        Ok((id, key, signer))
    }

    /// As [`Registry::sign`], for what is written with this change: it is written only if the key
    /// still is what it was, so that nothing goes out under one that was revoked meanwhile, and
    /// the signature is remembered with it.
    pub(super) fn sign_in(
        &self,
        tx: &mut Tx<'_>,
        profile: ProfileId,
        record: &ProfileRecord,
        unsigned: &Value,
        securing: Securing,
    ) -> Result<Signed, RegistryError> {
        let signed = self.sign(tx.read, profile, record, unsigned, securing)?;
        KEYS.expect(&mut tx.batch, &signed.key, Some(&signed.record));
        remember(tx.read, &mut tx.batch, &signed, tx.now)?;
        Ok(signed)
    }

    /// An endorsement as a JWT: its own, or one of the same claims by the key that signs now. The
    /// same claims and key give the same JWT each time, so that none is kept, nor remembered as
    /// signed: whoever holds one by a key that was lost can fetch another here. None of one that
    /// was issued elsewhere with another proof: nothing is signed in others' names.
    pub fn endorsement_jwt(&self, view: &EndorsementView) -> Result<Option<String>, RegistryError> {
        let secured = view.credential.secured();
        match (&secured, &view.imported) {
            (Secured::Embedded(_), Some(_)) => Ok(None),
            _ => {
                let snapshot = self.engine.snapshot();
                self.jwt_of(&*snapshot, view.id.owner(), &secured).map(Some)
            }
        }
    }

    /// As [`Registry::endorsement_jwt`], of one that was issued here.
    pub(super) fn jwt_of(
        &self,
        read: &dyn Read,
        owner: ProfileId,
        secured: &Secured,
    ) -> Result<String, RegistryError> {
        if let Secured::Jwt(jwt) = secured {
            return Ok(jwt.as_str().to_owned());
        }
        let record = self.profile_record(read, owner)?;
        let signed = self.sign(read, owner, &record, &secured.unsigned(), Securing::VcJwt)?;
        match signed.secured {
            Secured::Jwt(jwt) => Ok(jwt.as_str().to_owned()),
            Secured::Embedded(_) => unreachable!("a JWT was asked for"),
        }
    }

    fn open_key(
        &self,
        profile: ProfileId,
        id: KeyId,
        key: &KeyRecord,
    ) -> Result<SigningKey, RegistryError> {
        let place = KeyPlace { profile, key: id };
        let opened = self.vault.open(place, &key.sealed);
        opened.map_err(|error| RegistryError::Key(format!("{id} cannot be opened: {error}")))
    }

    /// Signs again what a crash or an error left signed by a revoked key.
    pub fn sign_again(&self) -> Result<(), RegistryError> {
        for (profile, ()) in TO_SIGN_AGAIN.scan(&*self.engine, &[], None, usize::MAX)? {
            self.sign_endorsements_again(profile)?;
        }
        Ok(())
    }

    /// Signs every endorsement of a profile again with the key that signs now. The mark that asks
    /// for it goes with the last of them.
    pub(super) fn sign_endorsements_again(&self, profile: ProfileId) -> Result<(), RegistryError> {
        let mut after = None;
        loop {
            let snapshot = self.engine.snapshot();
            let read = &*snapshot;
            let rows = ENDORSEMENTS.scan(read, &profile.0.to_be_bytes(), after.as_ref(), 64)?;
            let record = self.profile_record(read, profile)?;
            let mut batch = Batch::default();
            let mut key = None;
            for (id, _) in &rows {
                let stored = ENDORSEMENT_DOCUMENTS.get(read, id)?.unwrap_or_default();
                let before = StoredEndorsement::of(stored.clone()).secured();
                let (unsigned, form) = (before.unsigned(), before.securing());
                let now = self.now();
                let signed = self.sign(read, profile, &record, &unsigned, form)?;
                ENDORSEMENT_DOCUMENTS.expect(&mut batch, id, Some(&stored));
                ENDORSEMENT_DOCUMENTS.put(&mut batch, id, &to_store(&signed.secured));
                remember(read, &mut batch, &signed, now)?;
                key = Some((signed.key, signed.record));
            }
            match &key {
                Some((key, record)) => KEYS.expect(&mut batch, key, Some(record)),
                None => TO_SIGN_AGAIN.delete(&mut batch, &profile),
            }
            drop(snapshot);
            match self.commit(batch) {
                Ok(_) => after = rows.last().map(|(id, _)| *id),
                // Another key change came first: look again.
                Err(RegistryError::Commit(CommitError::Conflict)) => continue,
                Err(error) => return Err(error),
            }
            if after.is_none() {
                return Ok(());
            }
        }
    }
}

impl Signed {
    /// The signature, as a verifier will hold it.
    fn held(&self) -> Held<'_> {
        match &self.secured {
            Secured::Embedded(document) => Held::Proof(&document["proof"]),
            Secured::Jwt(jwt) => Held::Jws(jwt.as_str()),
        }
    }

    /// What the signature is remembered by.
    pub(super) fn digest(&self) -> Digest {
        let digest = self.held().digest();
        digest.expect("what was signed here has a canonical form")
    }
}

impl Held<'_> {
    /// What a signature is remembered by: SHA-256 of the proof in canonical JSON (RFC 8785), so
    /// that the order of its members does not matter, or of the compact JWS. The signature itself
    /// is in it, and only the document that was signed fits that. `None` for what has no canonical
    /// form, and so was not made here.
    fn digest(self) -> Option<Digest> {
        Some(match self {
            Self::Proof(proof) => {
                let canonical = serde_json_canonicalizer::to_vec(proof).ok()?;
                Sha256::digest(&canonical).into()
            }
            Self::Jws(text) => Sha256::digest(text.as_bytes()).into(),
        })
    }
}

/// A key with which something is about to be signed.
struct Signer {
    secret: SigningKey,
    /// What verifiers will check with.
    public: VerifyingKey,
    now: Timestamp,
}

impl Signer {
    /// The document with a proof of its own, verified.
    fn embed(
        &self,
        unsigned: &Value,
        suite: Suite,
        method: String,
    ) -> Result<Secured, RegistryError> {
        let options = ProofOptions {
            suite,
            created: Some(self.now.whole_seconds()),
            ..ProofOptions::new(method)
        };
        let document = proof::sign(unsigned, &options, &self.secret).map_err(unsignable)?;
        let purpose = Relationship::AssertionMethod;
        for made in proof::proofs(&document) {
            let made = made.map_err(unsignable)?;
            let _good = proof::verify(&document, &made, purpose, &self.public, self.now)
                .map_err(unsignable)?;
        }
        Ok(Secured::Embedded(document))
    }

    /// The document in a JWT, verified. It is safe JSON-LD like everything that is signed here.
    fn envelop(&self, unsigned: &Value, kid: &str) -> Result<Secured, RegistryError> {
        proof::check_signable(unsigned).map_err(unsignable)?;
        let text = sign_credential(unsigned, kid, &self.secret).map_err(unsignable)?;
        let made = CredentialJwt::parse(&text).map_err(unsignable)?;
        made.verify(&self.public).map_err(unsignable)?;
        Ok(Secured::Jwt(made.into()))
    }

    /// The claims in a JWS, verified.
    fn state(
        &self,
        typ: &str,
        claims: &Map<String, Value>,
        kid: &str,
    ) -> Result<String, RegistryError> {
        let payload = serde_json::to_vec(claims).map_err(unsignable)?;
        let text = jws::sign(NewHeader { typ, kid }, &payload, &self.secret);
        let made = Jws::parse(&text).map_err(unsignable)?;
        made.verify(&self.public).map_err(unsignable)?;
        Ok(text)
    }
}

fn unsignable(error: impl std::fmt::Display) -> RegistryError {
    RegistryError::Unsignable(error.to_string())
}

/// An endorsement as its row holds it: the credential with its proof, or the JWT's envelope. It is
/// shown as it is, and read by those who need more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredEndorsement(String);

impl StoredEndorsement {
    pub(super) fn of(row: Vec<u8>) -> Self {
        Self(String::from_utf8(row).expect("an endorsement's row is JSON that this registry wrote"))
    }

    /// The document as JSON text.
    pub fn json(&self) -> &str {
        &self.0
    }

    /// The document, read.
    pub fn secured(&self) -> Secured {
        let document = serde_json::from_str(&self.0)
            .expect("an endorsement's document is JSON that this registry wrote");
        Secured::read(document).expect("an endorsement's envelope is one that was stored as such")
    }
}

/// The row of an endorsement.
pub(super) fn to_store(secured: &Secured) -> Vec<u8> {
    secured.to_value().to_string().into_bytes()
}

/// Stages the row of a signature. The same signature made twice, within one second over the same
/// document, keeps its first row.
fn remember(
    read: &dyn Read,
    batch: &mut Batch,
    signed: &Signed,
    at: Timestamp,
) -> Result<(), RegistryError> {
    let digest = signed.digest();
    if SIGNATURES.get(read, &digest)?.is_none() {
        let (profile, key) = signed.key;
        SIGNATURES.expect(batch, &digest, None);
        SIGNATURES.put(batch, &digest, &SignatureRecord { profile, key, at });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use base64::Engine as _;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;
    use serde_json::json;

    use super::*;
    use crate::badges::SubjectKind;
    use crate::entropy::SeededEntropy;
    use crate::ids::Slug;
    use crate::registry::{
        Actor, AlsoPublished, Change, IssuingOptions, KeyOwner, NewEndorsement, NewList,
        NewProfile, Roles, Settings, StatusTarget, StatusUpdate,
    };
    use crate::status::StatusPurpose;
    use crate::store::engine::Engine;
    use crate::store::memory::MemoryEngine;
    use crate::store::tables::IdForm;
    use crate::time::{ManualClock, Ttl};
    use crate::vc::controller::retrieve_key;
    use crate::vc::sealing::MasterKey;
    use crate::verify::{Given, Options, Outside as _};

    const SCHOOL: &str = "did:web:registry.example:profiles:school";

    fn clock() -> Arc<ManualClock> {
        Arc::new(ManualClock::new("2026-03-01T09:00:00Z".parse().unwrap()))
    }

    fn over(engine: Arc<dyn Engine>, clock: &Arc<ManualClock>, seed: u64) -> Registry {
        let settings = Settings::usual("https://registry.example");
        let entropy = Arc::new(SeededEntropy::new(seed));
        let master = MasterKey::generate(&SeededEntropy::new(0));
        Registry::open(engine, clock.clone(), entropy, master, settings).unwrap()
    }

    /// A registry in which a school issues and an accreditor endorses.
    fn set_up(engine: Arc<dyn Engine>, clock: &Arc<ManualClock>) -> Registry {
        let registry = over(engine, clock, 1);
        for (slug, accreditor) in [("school", false), ("board", true)] {
            let mut members = Map::new();
            members.insert("name".into(), slug.into());
            let new = NewProfile {
                slug: slug.parse().unwrap(),
                id_form: IdForm::DidWeb,
                roles: Roles {
                    issuer: !accreditor,
                    accreditor,
                },
                history: None,
                members,
            };
            registry.create_profile(&operator(), &new).unwrap();
        }
        registry
    }

    fn in_memory(clock: &Arc<ManualClock>) -> Registry {
        set_up(Arc::new(MemoryEngine::new(clock.clone())), clock)
    }

    fn operator() -> Change {
        Change::by(Actor::operator())
    }

    fn unsigned() -> Value {
        json!({
            "@context": ["https://www.w3.org/ns/credentials/v2"],
            "id": "urn:uuid:f81d4fae-7dec-41d0-a765-00a0c91e6bf6",
            "type": ["VerifiableCredential"],
            "issuer": SCHOOL,
            "validFrom": "2026-03-01T00:00:00Z",
            "credentialSubject": { "id": "did:example:holder" },
        })
    }

    fn issued(registry: &Registry) -> Value {
        issued_as(Securing::default(), registry)
    }

    fn issued_as(securing: Securing, registry: &Registry) -> Value {
        let options = IssuingOptions {
            securing,
            ..IssuingOptions::default()
        };
        let issued = registry.issue(&operator(), &unsigned(), &options);
        issued.unwrap().credential
    }

    fn found(registry: &Registry, proof: &Value) -> Option<SignedHere> {
        let read = registry.engine.snapshot();
        registry.signed_here(&*read, Held::Proof(proof)).unwrap()
    }

    fn found_jwt(registry: &Registry, text: &str) -> Option<SignedHere> {
        let read = registry.engine.snapshot();
        registry.signed_here(&*read, Held::Jws(text)).unwrap()
    }

    /// Whether the proof of a document is good by this key.
    fn is_by(document: &Value, key: PublicKey, registry: &Registry) {
        let made = proof::proofs(document).next().unwrap().unwrap();
        let purpose = Relationship::AssertionMethod;
        let _good = proof::verify(document, &made, purpose, &key.into(), registry.now()).unwrap();
    }

    fn first_key(registry: &Registry, slug: &str) -> KeyId {
        registry.keys(&slug.parse().unwrap()).unwrap()[0].id
    }

    fn revoke(registry: &Registry, slug: &str, since: &str) {
        let key = first_key(registry, slug);
        let (slug, since): (Slug, Timestamp) = (slug.parse().unwrap(), since.parse().unwrap());
        registry.revoke_key(&operator(), &slug, key, since).unwrap();
    }

    #[test]
    fn what_was_signed_before_a_key_was_lost_is_known_whatever_its_proof_says() {
        let clock = clock();
        let registry = in_memory(&clock);
        let before = issued(&registry);
        clock.advance(Ttl::from_seconds(600));
        revoke(&registry, "school", "2026-03-01T09:05:00Z");

        let known = found(&registry, &before["proof"]).unwrap();
        assert_eq!(known.method, before["proof"]["verificationMethod"]);
        assert_eq!(known.at.to_string(), "2026-03-01T09:00:00Z");
        let since = known.revoked_since.unwrap();
        assert_eq!(since.to_string(), "2026-03-01T09:05:00Z");
        is_by(&before, known.public, &registry);

        // In whatever order its members were handed in.
        let members = before["proof"].as_object().unwrap().clone();
        let turned: Map<String, Value> = members.clone().into_iter().rev().collect();
        assert_eq!(found(&registry, &Value::Object(turned)), Some(known));
        // But nothing else: not one member may be another, be there, or be gone.
        for name in members.keys() {
            let mut other = members.clone();
            other.insert(name.clone(), "z2".into());
            assert_eq!(found(&registry, &other.into()), None, "{name} is another");
            let mut other = members.clone();
            other.shift_remove(name);
            assert_eq!(found(&registry, &other.into()), None, "{name} is gone");
        }
        let mut more = members;
        more.insert("nonce".into(), "1".into());
        assert_eq!(found(&registry, &more.into()), None);
    }

    #[test]
    fn what_the_finder_of_a_key_signs_is_not_known_however_early_it_says_it_was() {
        let clock = clock();
        let registry = in_memory(&clock);
        let real = issued(&registry);
        clock.advance(Ttl::from_seconds(600));
        let known = found(&registry, &real["proof"]).unwrap();
        let place = (known.profile, known.key);
        let stored = KEYS.get(&*registry.engine, &place).unwrap().unwrap();
        let stolen = registry.open_key(place.0, place.1, &stored).unwrap();
        let mut forged = unsigned();
        forged["credentialSubject"]["id"] = "did:example:thief".into();
        let options = ProofOptions {
            created: Some("2026-03-01T09:00:00Z".parse().unwrap()),
            ..ProofOptions::new(&known.method)
        };
        let proven = proof::sign(&forged, &options, &stolen).unwrap();
        is_by(&proven, known.public, &registry);
        assert_eq!(found(&registry, &proven["proof"]), None);
        let jwt = sign_credential(&forged, &format!("{}-jwk", known.method), &stolen).unwrap();
        assert_eq!(found_jwt(&registry, &jwt), None);
    }

    #[test]
    fn each_signature_over_one_credential_keeps_its_own_moment() {
        let clock = clock();
        let registry = in_memory(&clock);
        let first = issued(&registry);
        clock.advance(Ttl::from_millis(500));
        let same = issued(&registry);
        assert_eq!(same["proof"], first["proof"], "within one second");
        clock.advance(Ttl::from_seconds(60));
        let later = issued(&registry);
        let at = |credential: &Value| found(&registry, &credential["proof"]).unwrap().at;
        assert_eq!(at(&first).to_string(), "2026-03-01T09:00:00Z");
        assert_eq!(at(&later).to_string(), "2026-03-01T09:01:00.500Z");
    }

    #[test]
    fn an_endorsement_that_was_signed_again_is_known_by_both_signatures() {
        Securing::ALL.into_iter().for_each(signed_again);
    }

    fn signed_again(securing: Securing) {
        let clock = clock();
        let registry = in_memory(&clock);
        let board = registry.profile(&"board".parse().unwrap()).unwrap();
        let new = NewEndorsement {
            scope: None,
            endorser: board.id,
            subject: SCHOOL.to_owned(),
            kind: SubjectKind::Profile,
            digest: None,
            name: "Accredited".to_owned(),
            comment: None,
            valid_from: None,
            valid_until: None,
            awarded_date: None,
            suspendable: false,
            securing,
        };
        let before = registry.endorse(&operator(), &new).unwrap();
        clock.advance(Ttl::from_seconds(600));
        revoke(&registry, "board", "2026-03-01T09:05:00Z");
        let after = registry.endorsement(before.id, None).unwrap();
        let known = |view: &EndorsementView| match &view.credential.secured() {
            Secured::Embedded(document) => found(&registry, &document["proof"]).unwrap(),
            Secured::Jwt(jwt) => found_jwt(&registry, jwt.as_str()).unwrap(),
        };
        assert_eq!(after.credential.secured().securing(), securing);
        let unsigned = |view: &EndorsementView| view.credential.secured().unsigned();
        assert_eq!(unsigned(&after), unsigned(&before));
        let (old, new) = (known(&before), known(&after));
        assert_eq!(old.at.to_string(), "2026-03-01T09:00:00Z");
        assert!(old.revoked_since.is_some() && new.revoked_since.is_none());
        assert_eq!(new.at.to_string(), "2026-03-01T09:10:00Z");
    }

    #[test]
    fn a_jwt_is_known_by_its_text_and_by_the_key_that_it_names() {
        let clock = clock();
        let registry = in_memory(&clock);
        let envelope = issued_as(Securing::VcJwt, &registry);
        let Secured::Jwt(jwt) = Secured::read(envelope).unwrap() else {
            panic!("a JWT was asked for");
        };
        let read = CredentialJwt::parse(jwt.as_str()).unwrap();
        clock.advance(Ttl::from_seconds(600));
        revoke(&registry, "school", "2026-03-01T09:05:00Z");
        let known = found_jwt(&registry, jwt.as_str()).unwrap();
        assert_eq!(read.header().kid, Some(known.method));
        assert_eq!(known.at.to_string(), "2026-03-01T09:00:00Z");
        assert!(known.revoked_since.is_some());
        read.verify(&known.public.into()).unwrap();
        for other in [&jwt.as_str()[1..], &format!("{} ", jwt.as_str()), ""] {
            assert_eq!(found_jwt(&registry, other), None);
        }
    }

    const OWN: &str = "did:web:registry.example";

    fn statement(registry: &Registry) -> String {
        let mut claims = Map::new();
        claims.insert("iss".into(), OWN.into());
        claims.insert("said".into(), "Grüezi".into());
        registry.sign_statement("standing+jwt", &claims).unwrap()
    }

    #[test]
    fn a_statement_of_the_registry_is_verified_by_its_did_document() {
        let registry = in_memory(&clock());
        let jws = Jws::parse(&statement(&registry)).unwrap();
        let kid = jws.header().kid.clone().unwrap();
        assert_eq!(kid, format!("{OWN}#key-1-jwk"));
        assert!(jws.header().is_typ("standing+jwt"));
        assert_eq!(
            jws.payload(),
            format!(r#"{{"iss":"{OWN}","said":"Grüezi"}}"#).as_bytes()
        );
        let (document, _) = registry.controller_document(KeyOwner::Registry).unwrap();
        let purpose = Relationship::AssertionMethod;
        let key = retrieve_key(&document, &kid, purpose, registry.now()).unwrap();
        assert_eq!(jws.verify(&key), Ok(()));
    }

    #[test]
    fn a_statement_that_is_shown_is_told_from_forgeries_and_from_those_of_lost_keys() {
        let registry = in_memory(&clock());
        let text = statement(&registry);
        let check = |text: &str| {
            let jws = Jws::parse(text).unwrap();
            registry.check_statement(&jws).unwrap()
        };
        assert_eq!(check(&text), StatementCheck::Good);
        let stranger = SigningKey::generate(&SeededEntropy::new(7));
        let signed_as = |kid: &str| {
            let header = NewHeader {
                typ: "standing+jwt",
                kid,
            };
            jws::sign(header, b"{}", &stranger)
        };
        let forged = signed_as(&format!("{OWN}#key-1-jwk"));
        assert_eq!(check(&forged), StatementCheck::Forged);
        for kid in [
            "",
            OWN,
            &format!("{OWN}#key-2-jwk"),
            &format!("{OWN}#key-1"),
            &format!("{SCHOOL}#key-1-jwk"),
        ] {
            assert_eq!(check(&signed_as(kid)), StatementCheck::NotOurs, "{kid:?}");
        }
        let since = registry.now();
        let done = registry.revoke_key(&operator(), KeyOwner::Registry, KeyId(1), since);
        assert_eq!(done.unwrap().revoked_since, Some(since));
        assert_eq!(check(&text), StatementCheck::KeyRevoked);
        assert_eq!(check(&statement(&registry)), StatementCheck::Good);
    }

    #[test]
    fn what_the_registry_signed_is_verified_here_without_asking_anybody() {
        let registry = in_memory(&clock());
        let place = (ProfileId::REGISTRY, KeyId(1));
        let stored = KEYS.get(&*registry.engine, &place).unwrap().unwrap();
        let secret = registry.open_key(place.0, place.1, &stored).unwrap();
        let mut document = unsigned();
        document["issuer"] = OWN.into();
        let options = ProofOptions {
            created: Some(registry.now()),
            ..ProofOptions::new(format!("{OWN}#key-1"))
        };
        let signed = proof::sign(&document, &options, &secret).unwrap();
        let verify = |signed: &Value| {
            let outside = Given::refused();
            registry.verify(signed, Options::default(), &*outside.session())
        };
        let report = verify(&signed).to_json();
        assert_eq!(report["verified"], true, "{report:?}");
        let since = registry.now();
        registry
            .revoke_key(&operator(), KeyOwner::Registry, KeyId(1), since)
            .unwrap();
        let report = verify(&signed).to_json();
        assert_eq!(report["verified"], false, "{report:?}");
        assert_eq!(report["problemDetails"][0]["code"], "key-revoked");
    }

    /// Credentials that are signed elsewhere with what an allocation gave out: the older entry, and
    /// the claim of a token.
    #[test]
    fn a_status_in_any_form_of_a_list_here_is_read_here() {
        let registry = in_memory(&clock());
        let school: Slug = "school".parse().unwrap();
        let school = registry.profile(&school).unwrap().id;
        let new = NewList {
            also: AlsoPublished {
                status_2021: true,
                token: true,
                jcs_proof: false,
            },
            ..NewList::usual(school, StatusPurpose::Revocation)
        };
        let list = registry.create_list(&operator(), &new).unwrap().id;
        let given = registry.allocate(&operator(), list, 1).unwrap();
        let index = given.indexes()[0].get();
        let given: Value = serde_json::from_str(&given.answer(&registry).unwrap()).unwrap();
        let read = registry.engine.snapshot();
        let record = registry.profile_record(&*read, school).unwrap();
        let older = {
            let mut older = unsigned();
            older["@context"] = json!([
                "https://www.w3.org/2018/credentials/v1",
                "https://w3id.org/vc/status-list/2021/v1",
                "https://w3id.org/security/data-integrity/v2",
            ]);
            older["issuanceDate"] = older["validFrom"].take();
            older.as_object_mut().unwrap().shift_remove("validFrom");
            older["credentialStatus"] = given["entries2021"][0].clone();
            let form = Securing::EddsaRdfc2022;
            let signed = registry.sign(&*read, school, &record, &older, form);
            signed.unwrap().secured.into_value()
        };
        let token = {
            let owner = registry.controller_of(school, &record);
            let (_, _, signer) = registry.signer(&*read, &owner).unwrap();
            let mut claims = unsigned();
            claims["status"] = given["status"][0].clone();
            let payload = serde_json::to_vec(&claims).unwrap();
            let (typ, kid) = ("vc+jwt", &*owner.jwt_method(KeyId(1)));
            Value::String(jws::sign(NewHeader { typ, kid }, &payload, &signer.secret))
        };
        drop(read);
        let outcomes = || {
            [&older, &token].map(|credential| {
                let outside = Given::refused();
                let options = Options::default();
                let report = registry.verify(credential, options, &*outside.session());
                report.to_json()["outcome"].clone()
            })
        };
        assert_eq!(outcomes(), ["active", "active"]);
        let update = StatusUpdate {
            target: StatusTarget::Index(index),
            status: 1,
        };
        registry
            .update_statuses(&operator(), list, vec![update], None)
            .unwrap();
        assert_eq!(outcomes(), ["revoked", "revoked"]);
    }

    /// A JWT that names its key by `jwk` alone is looked up in the key set of the issuer's host,
    /// which is this one (Open Badges 3.0, key provenance).
    #[test]
    fn an_issuer_by_url_is_verified_by_the_keys_of_this_host() {
        let registry = in_memory(&clock());
        for slug in ["by-url", "other"] {
            let mut members = Map::new();
            members.insert("name".into(), slug.into());
            let new = NewProfile {
                slug: slug.parse().unwrap(),
                id_form: IdForm::Https,
                roles: Roles {
                    issuer: true,
                    accreditor: false,
                },
                history: None,
                members,
            };
            registry.create_profile(&operator(), &new).unwrap();
        }
        let url = |slug: &str| format!("https://registry.example/profiles/{slug}");
        let slug: Slug = "by-url".parse().unwrap();
        let profile = registry.profile(&slug).unwrap().id;
        let place = (profile, KeyId(1));
        let stored = KEYS.get(&*registry.engine, &place).unwrap().unwrap();
        let secret = registry.open_key(place.0, place.1, &stored).unwrap();
        let verified = |issuer: &str| {
            let mut payload = unsigned();
            payload["issuer"] = issuer.into();
            payload["iss"] = issuer.into();
            let jwk = secret.public().to_jwk();
            let header = json!({ "alg": "EdDSA", "typ": "vc+jwt", "jwk": jwk });
            let encode = |part: &[u8]| URL_SAFE_NO_PAD.encode(part);
            let mut text = encode(header.to_string().as_bytes());
            text = format!("{text}.{}", encode(payload.to_string().as_bytes()));
            let signature = encode(&secret.sign(text.as_bytes()));
            let outside = Given::refused();
            let jwt = Value::from(format!("{text}.{signature}"));
            let report = registry.verify(&jwt, Options::default(), &*outside.session());
            report.to_json()
        };
        let report = verified(&url("by-url"));
        assert_eq!(report["verified"], true, "{report:#?}");
        let report = verified(&url("other"));
        assert_eq!(
            report["verified"], false,
            "the key is another's: {report:#?}"
        );
        let since = registry.now();
        let lost = registry.revoke_key(&operator(), &slug, KeyId(1), since);
        assert!(lost.is_ok());
        let report = verified(&url("by-url"));
        assert_eq!(report["verified"], false, "{report:#?}");
    }

    #[test]
    fn without_a_profile_there_is_no_key_to_sign_with() {
        let clock = clock();
        let registry = over(Arc::new(MemoryEngine::new(clock.clone())), &clock, 1);
        let refused = registry
            .sign_statement("standing+jwt", &Map::new())
            .unwrap_err();
        assert_eq!(
            refused.to_string(),
            format!("{OWN} has no key that may sign")
        );
    }

    #[test]
    fn a_store_from_before_there_were_rows_says_that_it_does_not_know() {
        let clock = clock();
        let registry = in_memory(&clock);
        let credential = issued(&registry);
        let rows = SIGNATURES.scan(&*registry.engine, &[], None, 9).unwrap();
        let mut batch = Batch::default();
        for (digest, _) in &rows {
            SIGNATURES.delete(&mut batch, digest);
        }
        registry.commit(batch).unwrap();
        assert_eq!(found(&registry, &credential["proof"]), None);
        clock.advance(Ttl::from_seconds(60));
        assert!(found(&registry, &issued(&registry)["proof"]).is_some());
    }

    #[test]
    fn the_log_commits_to_the_row() {
        let clock = clock();
        let registry = in_memory(&clock);
        let credential = issued(&registry);
        let digest = Held::Proof(&credential["proof"]).digest().unwrap();
        let events = registry.engine.changes(crate::ids::Seq(0), 100).unwrap();
        let issued = events.iter().filter(|event| event.body.ends_with(&digest));
        let times: Vec<Timestamp> = issued.map(|event| event.at).collect();
        let known = found(&registry, &credential["proof"]).unwrap();
        assert_eq!(times, [known.at]);
    }

    #[cfg(feature = "rocksdb")]
    #[test]
    fn what_was_signed_is_known_after_a_restart() {
        let folder = tempfile::tempdir().unwrap();
        let clock = clock();
        let open = || {
            let engine = crate::store::rocks::RocksEngine::open(folder.path(), clock.clone());
            Arc::new(engine.unwrap())
        };
        let registry = set_up(open(), &clock);
        let credential = issued(&registry);
        let known = found(&registry, &credential["proof"]);
        assert!(known.is_some());
        drop(registry);
        let registry = over(open(), &clock, 2);
        assert_eq!(found(&registry, &credential["proof"]), known);
    }
}
