//! A list in every form in which it is signed: as it is, or as it was.

use serde_json::Value;

use super::allocation::space_of;
use crate::bitstring::{Bitstring, page_count};
use crate::ids::{ListId, Revision};
use crate::registry::lists::list_of;
use crate::registry::{Registry, RegistryError};
use crate::status::{ListToPublish, build_list};
use crate::store::engine::{Read, StoreError};
use crate::store::tables::{LIST_STATES, ListForm, ListRecord, ListState, PAGES, ProfileRecord};
use crate::time::{Timestamp, Ttl};
use crate::vc::securing::{Secured, Securing};

/// A list as one snapshot has it, with what is published together with it.
pub(super) struct Edition<'a> {
    registry: &'a Registry,
    read: &'a dyn Read,
    /// Which list.
    pub(super) list: ListId,
    pub(super) record: ListRecord,
    pub(super) state: ListState,
    issuer: ProfileRecord,
    /// The token list of its space, where there is one.
    pub(super) token: Option<TokenEdition>,
}

/// The token list over a space: all its planes in one.
pub(super) struct TokenEdition {
    /// Its id: that of the list for which it was asked first.
    pub(super) id: ListId,
    planes: Vec<(ListId, ListRecord, ListState)>,
}

impl TokenEdition {
    /// Grows with each change of any of its planes.
    pub(super) fn revision(&self) -> Revision {
        Revision(
            self.planes
                .iter()
                .map(|(_, _, state)| state.revision.0)
                .sum(),
        )
    }
}

impl<'a> Edition<'a> {
    pub(super) fn of(
        registry: &'a Registry,
        read: &'a dyn Read,
        list: ListId,
    ) -> Result<Self, RegistryError> {
        let record = list_of(read, &registry.urls(), list)?;
        let space = space_of(read, record.space)?;
        let token = match space.token {
            None => None,
            Some(id) => {
                let planes = space.planes.iter().map(|plane| {
                    let record = list_of(read, &registry.urls(), plane.list)?;
                    let state = state_of(read, plane.list, &record)?;
                    Ok((plane.list, record, state))
                });
                let planes = planes.collect::<Result<_, RegistryError>>()?;
                Some(TokenEdition { id, planes })
            }
        };
        Ok(Self {
            registry,
            read,
            list,
            state: state_of(read, list, &record)?,
            issuer: registry.profile_record(read, list.owner())?,
            record,
            token,
        })
    }

    /// `ttl` of the list.
    pub(super) const fn ttl(&self) -> Ttl {
        Ttl::from_millis(self.record.ttl_millis)
    }

    /// Whether it is published in this form under this list's id.
    pub(super) fn has(&self, form: ListForm) -> bool {
        match form {
            ListForm::Bitstring | ListForm::BitstringJwt => true,
            ListForm::Status2021 => self.record.also_2021,
            ListForm::TokenJwt | ListForm::TokenCwt => self
                .token
                .as_ref()
                .is_some_and(|token| token.id == self.list),
        }
    }
}

impl Edition<'_> {
    /// The places of all its artefacts, with those of the token list.
    pub(super) fn places(&self) -> Vec<(ListId, ListForm)> {
        let own = [
            ListForm::Bitstring,
            ListForm::BitstringJwt,
            ListForm::Status2021,
        ];
        let own = own.into_iter().filter(|form| self.has(*form));
        let own = own.map(|form| (self.list, form));
        let token = self.token.iter().flat_map(|token| {
            let forms = [ListForm::TokenJwt, ListForm::TokenCwt];
            forms.map(|form| (token.id, form))
        });
        own.chain(token).collect()
    }

    /// Every form of the present state, signed to hold for `period`.
    pub(super) fn signed(
        &self,
        period: (Timestamp, Timestamp),
    ) -> Result<Vec<(ListForm, Vec<u8>)>, RegistryError> {
        let bits = bits_of(self.read, self.list, &self.record)?;
        self.bitstring_forms(&bits, period)
    }

    /// The forms of this list alone. What they have in common is encoded once.
    fn bitstring_forms(
        &self,
        bits: &Bitstring,
        (valid_from, valid_until): (Timestamp, Timestamp),
    ) -> Result<Vec<(ListForm, Vec<u8>)>, RegistryError> {
        let url = self.registry.urls().list(self.list);
        let unsigned = build_list(&ListToPublish {
            url: &url,
            issuer: &self.issuer.issuer_id,
            purpose: &self.record.purpose,
            valid_from,
            valid_until: Some(valid_until),
            ttl: Some(self.ttl()),
            bits,
        });
        let mut embedded = self.sign(&unsigned, Securing::EddsaRdfc2022)?;
        if self.record.jcs_proof {
            // The second proof joins the first one.
            embedded = self.sign(embedded.claims(), Securing::EddsaJcs2022)?;
        }
        let jwt = self.sign(&unsigned, Securing::VcJwt)?;
        Ok(vec![
            (ListForm::Bitstring, bytes_of(embedded)),
            (ListForm::BitstringJwt, bytes_of(jwt)),
        ])
    }

    fn sign(&self, unsigned: &Value, securing: Securing) -> Result<Secured, RegistryError> {
        let owner = self.list.owner();
        let signed = self
            .registry
            .sign(self.read, owner, &self.issuer, unsigned, securing)?;
        Ok(signed.secured)
    }
}

/// A list credential as it is served: its JSON, or the JWT alone.
fn bytes_of(secured: Secured) -> Vec<u8> {
    match secured {
        Secured::Embedded(credential) => credential.to_string().into_bytes(),
        Secured::Jwt(jwt) => jwt.as_str().as_bytes().to_vec(),
    }
}

/// The bits of a list, put together from its pages.
pub(super) fn bits_of(
    read: &dyn Read,
    list: ListId,
    record: &ListRecord,
) -> Result<Bitstring, RegistryError> {
    let (length, size) = (record.length(), record.status_size);
    let count = page_count(length, size) as usize;
    let rows = PAGES.scan(read, list.as_bytes(), None, count)?;
    let pages = rows.into_iter().map(|((_, page), content)| (page, content));
    Bitstring::from_pages(length, size, pages).map_err(|error| {
        StoreError::Corrupt {
            table: PAGES.name(),
            reason: format!("{list}: {error}"),
        }
        .into()
    })
}

/// How far a list has come.
pub(super) fn state_of(
    read: &dyn Read,
    list: ListId,
    record: &ListRecord,
) -> Result<ListState, StoreError> {
    let stored = LIST_STATES.get(read, &list)?;
    Ok(stored.unwrap_or(ListState {
        revision: Revision(1),
        changed_at: record.created_at,
    }))
}
