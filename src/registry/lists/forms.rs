//! A list in every form in which it is signed: as it is, or as it was.

mod unsigned;

use std::cell::LazyCell;

use serde_json::Value;

use super::allocation::space_of;
use crate::bitstring::{Bitstring, page_count};
use crate::ids::{ListId, Revision};
use crate::registry::lists::{in_token, list_of};
use crate::registry::{Registry, RegistryError};
use crate::status::{
    ListToPublish, Plane, StatusPurpose, TokenBits, TokenListToPublish, build_list,
    build_list_2021, project,
};
use crate::store::engine::{Read, StoreError};
use crate::store::tables::{LIST_STATES, ListForm, ListRecord, ListState, PAGES, ProfileRecord};
use crate::time::{Timestamp, Ttl};
use crate::vc::securing::{Secured, Securing};

pub use unsigned::{FormToSign, ToSign};

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

/// Bytes of a long list; the usual ones have 16 KiB.
const LONG: usize = 256 << 10;

/// From when until when what is signed holds, and for how long a copy of it may be used meanwhile.
/// What is over says nothing of the latter.
pub(super) type Held = ((Timestamp, Timestamp), Option<Ttl>);

/// The token list over a space: all its planes in one.
pub(super) struct TokenEdition {
    /// Its id: that of the list for which it was asked first.
    pub(super) id: ListId,
    planes: Vec<(ListId, ListRecord, ListState)>,
}

impl TokenEdition {
    /// `ttl` of the list whose id it has, whichever list it is signed with.
    fn ttl(&self) -> Option<Ttl> {
        let own = self.planes.iter().find(|(list, _, _)| *list == self.id);
        own.map(|(_, record, _)| Ttl::from_millis(record.ttl_millis))
    }

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
    /// The state of the store that it is of.
    pub(super) const fn read(&self) -> &'a dyn Read {
        self.read
    }

    pub(super) fn of(
        registry: &'a Registry,
        read: &'a dyn Read,
        list: ListId,
    ) -> Result<Self, RegistryError> {
        let record = list_of(read, &registry.urls(), list)?;
        let space = space_of(read, record.space)?;
        let joins = in_token(&record.purpose, record.in_token);
        let token = match space.token.filter(|_| joins) {
            None => None,
            Some(id) => {
                let mut planes = Vec::new();
                for plane in &space.planes {
                    let record = list_of(read, &registry.urls(), plane.list)?;
                    if in_token(&plane.purpose, record.in_token) {
                        let state = state_of(read, plane.list, &record)?;
                        planes.push((plane.list, record, state));
                    }
                }
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

    /// `ttl` of the list in one form of those that are signed with it.
    pub(super) fn ttl_as(&self, form: ListForm) -> Ttl {
        let token = self.token.as_ref().filter(|_| form.is_token());
        token
            .and_then(TokenEdition::ttl)
            .unwrap_or_else(|| self.ttl())
    }

    /// Whether it takes a processor for many milliseconds to encode.
    pub(super) fn is_long(&self) -> bool {
        self.record.length().bytes(self.record.status_size) > LONG
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
        let own = [
            ListForm::Bitstring,
            ListForm::BitstringJwt,
            ListForm::Status2021,
        ];
        let own = own.into_iter().filter(|form| self.has(*form));
        let ttl = Some(self.ttl());
        let mut signed = self.bitstring_forms(own, &bits, (period, ttl))?;
        if let Some(token) = &self.token {
            let others = token.planes.iter().map(|(list, record, _)| {
                let bits = match *list == self.list {
                    true => bits.clone(),
                    false => bits_of(self.read, *list, record)?,
                };
                Ok((record.purpose.clone(), bits))
            });
            let planes: Vec<_> = others.collect::<Result<_, RegistryError>>()?;
            signed.extend(self.token_forms(token, &planes, (period, token.ttl()))?);
        }
        Ok(signed)
    }

    /// One form of the list at other statuses: those of each list that makes it up, with what that
    /// is for.
    pub(super) fn signed_as(
        &self,
        form: ListForm,
        planes: &[(StatusPurpose, Bitstring)],
        held: Held,
    ) -> Result<Vec<u8>, RegistryError> {
        let signed = match (self.token.as_ref().filter(|_| form.is_token()), planes) {
            (Some(token), planes) => self.token_forms(token, planes, held)?.into(),
            (None, [(_, bits)]) => self.bitstring_forms([form], bits, held)?,
            _ => unreachable!("a list that is no token list is made up of itself"),
        };
        let wanted = signed.into_iter().find(|(made, _)| *made == form);
        Ok(wanted.expect("what is asked for is signed").1)
    }

    /// The lists that make up a form, and since when there is what they make up.
    pub(super) fn planes_of(&self, form: ListForm) -> (Vec<(ListId, &ListRecord)>, Timestamp) {
        let own = || (vec![(self.list, &self.record)], self.record.created_at);
        match self.token.as_ref().filter(|_| form.is_token()) {
            None => own(),
            Some(token) => {
                let planes = token.planes.iter();
                let planes = planes.map(|(list, record, _)| (*list, record)).collect();
                // It was opened with the list whose id it has.
                (planes, self.record.created_at)
            }
        }
    }

    /// Those forms of this list alone. What they have in common is encoded once.
    fn bitstring_forms(
        &self,
        forms: impl IntoIterator<Item = ListForm>,
        bits: &Bitstring,
        ((valid_from, valid_until), ttl): Held,
    ) -> Result<Vec<(ListForm, Vec<u8>)>, RegistryError> {
        let urls = self.registry.urls();
        let list = ListToPublish {
            url: &urls.list(self.list),
            issuer: &self.issuer.issuer_id,
            purpose: &self.record.purpose,
            valid_from,
            valid_until: Some(valid_until),
            ttl,
            bits,
        };
        let unsigned = LazyCell::new(|| build_list(&list));
        let secured = |form| match form {
            ListForm::BitstringJwt => self.sign(&unsigned, Securing::VcJwt),
            ListForm::Status2021 => {
                let url = &urls.list_as(self.list, form);
                let unsigned = build_list_2021(&ListToPublish { url, ..list });
                let unsigned = unsigned.expect("checked when the list was opened");
                self.sign(&unsigned, Securing::EddsaRdfc2022)
            }
            _ => {
                let embedded = self.sign(&unsigned, Securing::EddsaRdfc2022)?;
                match self.record.jcs_proof {
                    // The second proof joins the first one.
                    true => self.sign(embedded.claims(), Securing::EddsaJcs2022),
                    false => Ok(embedded),
                }
            }
        };
        let signed = forms.into_iter();
        let signed = signed.map(|form| Ok((form, bytes_of(secured(form)?))));
        signed.collect()
    }

    /// The token list of the space, signed.
    fn token_forms(
        &self,
        token: &TokenEdition,
        planes: &[(StatusPurpose, Bitstring)],
        held: Held,
    ) -> Result<[(ListForm, Vec<u8>); 2], RegistryError> {
        let owner = (self.list.owner(), &self.issuer);
        let (jwt, cwt) = self.with_token_list(token, planes, held, |list| {
            self.registry.sign_token_list(self.read, owner, list)
        })?;
        Ok([
            (ListForm::TokenJwt, jwt.into_bytes()),
            (ListForm::TokenCwt, cwt),
        ])
    }

    /// The token list of the space, which all its planes make up, at `planes`' statuses.
    fn with_token_list<R>(
        &self,
        token: &TokenEdition,
        planes: &[(StatusPurpose, Bitstring)],
        ((issued_at, expires_at), ttl): Held,
        then: impl FnOnce(&TokenListToPublish<'_>) -> R,
    ) -> R {
        let planes: Vec<_> = planes
            .iter()
            .map(|(purpose, bits)| Plane { purpose, bits })
            .collect();
        let statuses = project(&planes).expect("checked when each list was opened");
        let urls = self.registry.urls();
        let issuer = &self.issuer.issuer_id;
        then(&TokenListToPublish {
            uri: &urls.token_list(token.id),
            issuer: Some(issuer),
            issued_at,
            expires_at: Some(expires_at),
            ttl,
            aggregation_uri: Some(&urls.token_lists_of(issuer)),
            statuses: &TokenBits::compress(&statuses),
        })
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
