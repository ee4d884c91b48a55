//! Statements of the registry itself, which are kept nowhere.

use serde_json::{Map, Value};

use crate::ids::ProfileId;
use crate::registry::profiles::keys::{keys_of, public};
use crate::registry::{Registry, RegistryError};
use crate::vc::jws::Jws;

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
}
