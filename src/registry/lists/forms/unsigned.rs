//! A list in each of its forms as it is to be signed, for owners who sign elsewhere.

use serde_json::Value;

use super::{Edition, bits_of};
use crate::bitstring::Bitstring;
use crate::registry::RegistryError;
use crate::status::{ListToPublish, build_list, build_list_2021};
use crate::store::tables::ListForm;
use crate::time::Timestamp;
use crate::vc::jwt;

/// One form of a list, before it is signed.
#[derive(Debug, Clone, PartialEq)]
pub struct FormToSign {
    /// Which form.
    pub form: ListForm,
    /// What is to be signed.
    pub content: ToSign,
}

/// What is to be signed.
#[derive(Debug, Clone, PartialEq)]
pub enum ToSign {
    /// A document that gets a proof by `eddsa-rdfc-2022`, and one by `eddsa-jcs-2022` beside it
    /// where that is said.
    Document {
        /// The document.
        document: Value,
        /// Whether it gets two proofs.
        jcs_too: bool,
    },
    /// The claims of a JWT.
    Claims(Value),
    /// The claims of a CWT, as CBOR.
    CborClaims(Vec<u8>),
}

impl Edition<'_> {
    /// Every form of the list at these statuses, to hold for `period`. Its token list is at the
    /// present ones of all that make it up.
    pub(in crate::registry::lists) fn to_sign(
        &self,
        bits: &Bitstring,
        (from, until): (Timestamp, Timestamp),
    ) -> Result<Vec<FormToSign>, RegistryError> {
        let urls = self.registry.urls();
        let list = ListToPublish {
            url: &urls.list(self.list),
            issuer: &self.issuer.issuer_id,
            purpose: &self.record.purpose,
            valid_from: from,
            valid_until: Some(until),
            ttl: Some(self.ttl()),
            bits,
        };
        let document = build_list(&list);
        let claims = jwt::claims_of(&document);
        let claims = claims.map_err(|error| RegistryError::Unsignable(error.to_string()))?;
        let jcs_too = self.record.jcs_proof;
        let mut forms = vec![
            (ListForm::Bitstring, ToSign::Document { document, jcs_too }),
            (ListForm::BitstringJwt, ToSign::Claims(claims)),
        ];
        if self.has(ListForm::Status2021) {
            let url = &urls.list_as(self.list, ListForm::Status2021);
            let older = build_list_2021(&ListToPublish { url, ..list });
            let document = older.expect("checked when the list was opened");
            let jcs_too = false;
            forms.push((ListForm::Status2021, ToSign::Document { document, jcs_too }));
        }
        if let Some(token) = self.token_to_sign((from, until))? {
            forms.extend(token);
        }
        let forms = forms.into_iter();
        Ok(forms
            .map(|(form, content)| FormToSign { form, content })
            .collect())
    }

    fn token_to_sign(
        &self,
        (issued_at, expires_at): (Timestamp, Timestamp),
    ) -> Result<Option<[(ListForm, ToSign); 2]>, RegistryError> {
        let Some(token) = &self.token else {
            return Ok(None);
        };
        let planes = token.planes.iter();
        let planes = planes.map(|(list, record, _)| {
            let bits = bits_of(self.read, *list, record)?;
            Ok((record.purpose.clone(), bits))
        });
        let planes: Vec<_> = planes.collect::<Result<_, RegistryError>>()?;
        let held = ((issued_at, expires_at), token.ttl());
        Ok(Some(self.with_token_list(token, &planes, held, |list| {
            [
                (ListForm::TokenJwt, ToSign::Claims(list.claims())),
                (ListForm::TokenCwt, ToSign::CborClaims(list.cwt_payload())),
            ]
        })))
    }

    /// Whose list it is.
    pub(in crate::registry::lists) fn issuer(&self) -> &crate::store::tables::ProfileRecord {
        &self.issuer
    }
}
