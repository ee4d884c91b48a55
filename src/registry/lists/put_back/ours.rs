//! Whether a list that is handed in is one of ours, whole and signed by a good key of its owner, and what
//! it says of which list here.

use serde_json::Value;

use super::Said;
use crate::bitstring::{Bitstring, DEFAULT_CAP_BYTES, MAXIMUM_BITS};
use crate::ids::ListId;
use crate::json;
use crate::registry::lists::allocation::space_of;
use crate::registry::lists::{in_token, list_of};
use crate::registry::profiles::keys::{keys_of, public};
use crate::registry::{ListForm, Registry, RegistryError};
use crate::status::{SignedCwt, StatusList, StatusPurpose, TokenStatusList};
use crate::store::engine::Read;
use crate::store::tables::ListRecord;
use crate::vc::controller::Relationship;
use crate::vc::jws::Jws;
use crate::vc::jwt::CredentialJwt;
use crate::vc::keys::PublicKey;
use crate::vc::proof;
use crate::vc::securing::Secured;
use crate::vc::verifying::VerifyingKey;

/// Why a list is not taken.
pub(super) enum NotTaken {
    /// Of what it is, in words for whoever handed it in.
    Because(String),
    /// The store could not be read.
    Unable(RegistryError),
}

impl From<RegistryError> for NotTaken {
    fn from(error: RegistryError) -> Self {
        match error {
            RegistryError::Store(_) => Self::Unable(error),
            other => Self::Because(other.to_string()),
        }
    }
}

fn because(reason: impl ToString) -> NotTaken {
    NotTaken::Because(reason.to_string())
}

/// Reads what is signed by keys of ours, and nothing else.
pub(super) struct Keys<'a> {
    pub(super) registry: &'a Registry,
    pub(super) read: &'a dyn Read,
    pub(super) lost: &'a [PublicKey],
}

impl Keys<'_> {
    pub(super) fn of_document(&self, document: &Value) -> Result<Vec<Said>, NotTaken> {
        let (list, form) = self.named(document["id"].as_str(), Shape::Credential)?;
        let now = self.registry.now();
        let mut reason = "it has no proof".to_owned();
        for made in proof::proofs(document) {
            let made = made.map_err(because)?;
            let by = made.verification_method;
            let good = self.signed(list, by, |key| {
                let purpose = Relationship::AssertionMethod;
                proof::verify(document, &made, purpose, key, now)
                    .map(drop)
                    .map_err(|error| error.to_string())
            })?;
            match good {
                Ok(()) => return self.of_credential(list, form, document),
                Err(why) => reason = why,
            }
        }
        Err(NotTaken::Because(reason))
    }

    pub(super) fn of_jwt(&self, text: &str) -> Result<Vec<Said>, NotTaken> {
        let jws = Jws::parse(text).map_err(because)?;
        let kid = jws.header().kid.clone().unwrap_or_default();
        let checked = |key: &VerifyingKey| jws.verify(key).map_err(|error| error.to_string());
        if jws.header().is_typ("statuslist+jwt") {
            let claims = json::parse(jws.payload()).map_err(because)?;
            let (list, _) = self.named(claims["sub"].as_str(), Shape::Token)?;
            self.signed(list, &kid, checked)?.map_err(because)?;
            let token = TokenStatusList::from_claims(&claims, (MAXIMUM_BITS / 8) as usize);
            return self.of_token(list, &token.map_err(because)?);
        }
        let jwt = CredentialJwt::parse(text).map_err(because)?;
        let secured = Secured::Jwt(jwt.into());
        let credential = secured.claims();
        let (list, form) = self.named(credential["id"].as_str(), Shape::Credential)?;
        self.signed(list, &kid, checked)?.map_err(because)?;
        self.of_credential(list, form, credential)
    }

    pub(super) fn of_cwt(&self, bytes: &[u8]) -> Result<Vec<Said>, NotTaken> {
        let cwt = SignedCwt::parse(bytes).map_err(because)?;
        let (list, _) = self.named(cwt.subject(), Shape::Token)?;
        let kid = cwt
            .key_id()
            .map(String::from_utf8_lossy)
            .unwrap_or_default();
        let mut token = None;
        let good = self.signed(list, &kid, |key| {
            let read = cwt.verify(key, (MAXIMUM_BITS / 8) as usize);
            token = Some(read.map_err(|error| error.to_string())?);
            Ok(())
        })?;
        good.map_err(because)?;
        let token = token.ok_or_else(|| because("it is signed by nobody"))?;
        self.of_token(list, &token)
    }

    /// The list of ours that it says it is.
    fn named(&self, id: Option<&str>, shape: Shape) -> Result<(ListId, ListForm), NotTaken> {
        let urls = self.registry.urls();
        let id = id.unwrap_or_default();
        let named = match (shape, urls.parse_list(id), urls.parse_form(id)) {
            (Shape::Credential, Some(list), _) => Some((list, ListForm::Bitstring)),
            (Shape::Credential, None, Some((list, ListForm::Status2021))) => {
                Some((list, ListForm::Status2021))
            }
            (Shape::Token, _, Some((list, ListForm::TokenJwt))) => Some((list, ListForm::TokenJwt)),
            _ => None,
        };
        let (list, form) = named
            .ok_or_else(|| because(format!("it is no list of this registry: its id is {id:?}")))?;
        match list_of(self.read, &urls, list) {
            Ok(_) => Ok((list, form)),
            Err(RegistryError::NotFound(..)) => Err(because(format!(
                "the store has no list {id}: it was opened after the copy that the store was put back \
                 from, and what points to it cannot be looked up any more"
            ))),
            Err(error) => Err(error.into()),
        }
    }

    /// Whether a good key of the list's owner made a signature. The inner error says why not.
    fn signed(
        &self,
        list: ListId,
        method: &str,
        mut check: impl FnMut(&VerifyingKey) -> Result<(), String>,
    ) -> Result<Result<(), String>, NotTaken> {
        let owner = self.registry.controller(self.read, list.owner())?;
        for (id, record) in keys_of(self.read, owner.profile)? {
            if method != owner.method(id) && method != owner.jwt_method(id) {
                continue;
            }
            if let Some(since) = record.revoked_since {
                return Ok(Err(format!(
                    "it is signed by {method}, which may be in wrong hands since {since}"
                )));
            }
            return Ok(check(&public(&record)?.into()));
        }
        if !method.starts_with(&format!("{}#", owner.id)) {
            return Ok(Err(format!(
                "it is signed by {method:?}, and not by {}, whose list it is",
                owner.id
            )));
        }
        for key in self.lost {
            if check(&(*key).into()).is_ok() {
                return Ok(Ok(()));
            }
        }
        Ok(Err(format!(
            "it is signed by {method}, which is no key that this store knows; where that key was made after \
             the copy that the store was put back from, name its public key"
        )))
    }

    /// What a credential that is good says of its list.
    fn of_credential(
        &self,
        list: ListId,
        form: ListForm,
        credential: &Value,
    ) -> Result<Vec<Said>, NotTaken> {
        let read = StatusList::parse(credential, DEFAULT_CAP_BYTES).map_err(because)?;
        let record = list_of(self.read, &self.registry.urls(), list)?;
        let url = self.registry.urls().list_as(list, form);
        if read.id.as_deref() != Some(&*url) || !read.purposes.contains(&record.purpose) {
            return Err(because(format!("it is not for {}", record.purpose)));
        }
        let bytes = read.bytes().map_err(because)?.to_vec();
        let bits = Bitstring::from_bytes(bytes, record.status_size);
        self.whole(&record, bits.entries())?;
        Ok(vec![Said {
            list,
            signed_at: read.valid_from,
            bits,
            record,
            clear_is_clear: true,
        }])
    }

    /// What a token list that is good says of the lists that make it up: who is revoked and who is
    /// suspended.
    fn of_token(&self, id: ListId, token: &TokenStatusList) -> Result<Vec<Said>, NotTaken> {
        const REVOKED: u8 = 1;
        const SUSPENDED: u8 = 2;
        let urls = self.registry.urls();
        if token.subject != urls.token_list(id) {
            return Err(because("its sub is not the list that it is served as"));
        }
        let space = space_of(self.read, list_of(self.read, &urls, id)?.space)?;
        let mut said = Vec::new();
        for plane in &space.planes {
            let record = list_of(self.read, &urls, plane.list)?;
            if !in_token(&plane.purpose, record.in_token) {
                continue;
            }
            let shown = match &plane.purpose {
                StatusPurpose::Revocation => REVOKED,
                StatusPurpose::Suspension => SUSPENDED,
                StatusPurpose::Message => continue,
                other => {
                    return Err(because(format!(
                        "it shows the values of the list for {other} as they are, which may be taken for \
                         others: hand in the lists themselves"
                    )));
                }
            };
            let bits = token.bits();
            self.whole(&record, bits.entries())?;
            let mut set = Bitstring::zeroed(record.length(), record.status_size);
            for (index, value) in (0..).zip(bits.iter()) {
                if value == shown {
                    let index = record.length().index(index).map_err(because)?;
                    set.set(index, 1).map_err(because)?;
                }
            }
            said.push(Said {
                list: plane.list,
                signed_at: Some(token.valid_from),
                bits: set,
                record,
                clear_is_clear: false,
            });
        }
        Ok(said)
    }

    fn whole(&self, record: &ListRecord, entries: u64) -> Result<(), NotTaken> {
        match entries == record.length {
            true => Ok(()),
            false => Err(because(format!(
                "it has {entries} entries, and the list has {}",
                record.length
            ))),
        }
    }
}

/// Which ids a list can have.
#[derive(Clone, Copy)]
enum Shape {
    Credential,
    Token,
}
