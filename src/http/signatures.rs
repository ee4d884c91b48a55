//! What owners sign elsewhere: what is to be signed, and what they hand in.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;
use serde_json::{Value, json};
use utoipa::ToSchema;

use super::edge::Edge;
use super::problem::Problem;
use super::reply::Reply;
use super::request::Request;
use crate::ids::{EndorsementId, ListId, Revision};
use crate::registry::{Artefact, CredentialToSign, FormToSign, ListForm, SignedList, ToSign};

/// A list that was signed elsewhere.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct SignedListBody {
    /// The revision that it shows, as it was given out.
    revision: u64,
    /// Every form of it.
    artefacts: Vec<SignedFormBody>,
}

/// A list in one form, signed.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct SignedFormBody {
    /// The form, as it was given out: `bitstring`, `bitstring-jwt`, `2021`, `token-jwt` or
    /// `token-cwt`.
    form: String,
    /// The document with its proof; the text of a JWT; the bytes of a CWT in base64url.
    artefact: Value,
}

pub(super) fn list_to_sign(edge: &Edge, request: &Request) -> Result<Reply, Problem> {
    let list: ListId = request.param("list")?;
    let unsigned = edge.registry.list_to_sign(&request.change()?, list)?;
    let forms: Vec<Value> = unsigned.forms.iter().map(form_members).collect();
    let answer = json!({
        "revision": unsigned.revision,
        "verificationMethod": unsigned.method,
        "kid": unsigned.kid,
        "forms": forms,
    });
    Ok(Reply::json(200, &answer))
}

fn form_members(FormToSign { form, content }: &FormToSign) -> Value {
    let mut members = json!({ "form": form.as_str(), "mediaType": form.media_type() });
    match content {
        ToSign::Document { document, jcs_too } => {
            members["document"] = document.clone();
            members["cryptosuites"] = match jcs_too {
                true => json!(["eddsa-rdfc-2022", "eddsa-jcs-2022"]),
                false => json!(["eddsa-rdfc-2022"]),
            };
        }
        ToSign::Claims(claims) => members["claims"] = claims.clone(),
        ToSign::CborClaims(claims) => {
            members["cborClaims"] = URL_SAFE_NO_PAD.encode(claims).into();
        }
    }
    members
}

pub(super) fn hand_in_list(edge: &Edge, request: &Request) -> Result<Reply, Problem> {
    let list: ListId = request.param("list")?;
    let body: SignedListBody = request.json()?;
    let artefacts = body.artefacts.into_iter().enumerate();
    let artefacts = artefacts.map(|(place, given)| artefact(place, given));
    let signed = SignedList {
        revision: Revision(body.revision),
        artefacts: artefacts.collect::<Result<_, Problem>>()?,
    };
    let change = request.change()?;
    let done = edge.registry.hand_in_list(&change, list, &signed)?;
    let answer = json!({
        "revision": done.revision,
        "validUntil": done.valid_until.to_string(),
        "isPresent": done.is_present,
    });
    Ok(Reply::json(200, &answer))
}

fn artefact(place: usize, given: SignedFormBody) -> Result<(ListForm, Artefact), Problem> {
    let form = ListForm::named(&given.form).ok_or_else(|| {
        let detail = "bitstring, bitstring-jwt, 2021, token-jwt or token-cwt is needed";
        Problem::invalid(&format!("/artefacts/{place}/form"), detail)
    })?;
    let artefact = match (form, given.artefact) {
        (ListForm::TokenCwt, Value::String(text)) => {
            let bytes = URL_SAFE_NO_PAD.decode(text).map_err(|_| {
                let detail = "base64url without padding is needed";
                Problem::invalid(&format!("/artefacts/{place}/artefact"), detail)
            })?;
            Artefact::Bytes(bytes)
        }
        (_, Value::String(text)) => Artefact::Text(text),
        (_, document) => Artefact::Document(document),
    };
    Ok((form, artefact))
}

pub(super) fn endorsement_to_sign(edge: &Edge, request: &Request) -> Result<Reply, Problem> {
    let id: EndorsementId = request.param("endorsement")?;
    let unsigned = edge.registry.endorsement_to_sign(&request.change()?, id)?;
    Ok(Reply::json(200, &credential_members(&unsigned)))
}

/// A credential that is to be signed, as it is handed out.
pub(super) fn credential_members(unsigned: &CredentialToSign) -> Value {
    json!({
        "unsigned": unsigned.credential,
        "claims": unsigned.claims,
        "verificationMethod": unsigned.method,
        "kid": unsigned.kid,
    })
}
