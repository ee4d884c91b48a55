//! Issuing and status of credentials (VCALM 1.0).

use serde::Deserialize;
use serde_json::Value;
use utoipa::ToSchema;

use super::codes::code_members;
use super::edge::Edge;
use super::lists::{check_reason, with_credential};
use super::problem::Problem;
use super::reply::Reply;
use super::request::Request;
use super::signatures::credential_members;
use super::updates::updated_reply;
use crate::registry::{CredentialStatusRequest, Embed, IssuingOptions};
use crate::status::PurposeError;
use crate::vc::securing::{Securing, SecuringError};

/// A credential to be issued.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct IssueRequest {
    /// The credential without proof. Its issuer has to be a profile here. A badge (Open Badges 3.0)
    /// and a learner record that bundles credentials (CLR 2.0) are held to their data models.
    #[schema(value_type = Object)]
    credential: Value,
    /// Options.
    #[serde(default)]
    options: IssueOptions,
}

/// Options of issuing.
#[derive(Deserialize, Default, ToSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct IssueOptions {
    /// Id for a credential that has none.
    credential_id: Option<String>,
    /// How the credential is secured: `eddsa-rdfc-2022` (the default), `eddsa-jcs-2022`, or
    /// `vc+jwt`, which gives an EnvelopedVerifiableCredential.
    securing: Option<String>,
    /// Whether the endorsements in force of the issuer, and of the achievements that are registered
    /// here, are put into the credential: `as-signed`, or `jwt`, all of them as JWTs.
    embed_endorsements: Option<String>,
    /// For an issuer who signs elsewhere: whether the credential is given out to be signed, with its
    /// entries, and remembered by its id. It need not be handed in.
    #[serde(default)]
    unsigned: bool,
    /// Whether the credential's verification code is handed out with it, for print.
    #[serde(default)]
    verification_code: bool,
    /// For selective disclosure, which the proof made here does not offer: has to be empty.
    mandatory_pointers: Option<Vec<String>>,
}

/// A change of status.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct StatusRequest {
    /// The credential.
    credential_id: String,
    /// Which of its entries.
    credential_status: StatusEntryBody,
    /// `true` sets the status, `false` clears it.
    status: bool,
    /// Who gave the index out; this registry gives out its own.
    #[expect(
        dead_code,
        reason = "part of the contract; the entry is found without it"
    )]
    index_allocator: Option<String>,
    /// Why; kept with the change in the audit trail.
    reason: Option<String>,
}

/// A status entry as it stands in a credential.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct StatusEntryBody {
    /// `BitstringStatusListEntry`.
    #[serde(rename = "type")]
    kind: String,
    /// What the entry says.
    status_purpose: String,
    /// Id of the entry.
    #[expect(dead_code, reason = "part of the contract; verification never uses it")]
    id: Option<String>,
    /// Its index.
    #[schema(value_type = Option<String>)]
    status_list_index: Option<Value>,
    /// Its list.
    status_list_credential: Option<String>,
}

/// VCALM gives unknown members a type of their own.
pub(super) const UNKNOWN: &str = "https://www.w3.org/TR/vcalm#UNKNOWN_OPTION_PROVIDED";

pub(super) fn issue(edge: &Edge, request: &Request) -> Result<Reply, Problem> {
    let body: IssueRequest = request.json_with(UNKNOWN)?;
    if body
        .options
        .mandatory_pointers
        .is_some_and(|pointers| !pointers.is_empty())
    {
        let detail = "the proof made here has no selective disclosure";
        return Err(Problem::invalid("/options/mandatoryPointers", detail));
    }
    let options = IssuingOptions {
        credential_id: body.options.credential_id,
        securing: securing(body.options.securing.as_deref(), "/options/securing")
            .map_err(|problem| problem.of_standard(UNKNOWN))?,
        embed: match body.options.embed_endorsements.as_deref() {
            None => None,
            Some("as-signed") => Some(Embed::AsSigned),
            Some("jwt") => Some(Embed::Jwt),
            Some(_) => {
                let detail = "as-signed or jwt is needed";
                return Err(Problem::invalid("/options/embedEndorsements", detail));
            }
        },
        unsigned: body.options.unsigned,
        code: body.options.verification_code,
    };
    let issued = edge
        .registry
        .issue(&request.change()?, &body.credential, &options)?;
    let mut answer = match &issued.unsigned {
        Some(unsigned) => credential_members(unsigned),
        None => with_credential(issued.credential),
    };
    if let Some(code) = &issued.code {
        answer["verificationCode"] = code_members(&edge.registry.urls(), code);
    }
    Ok(Reply::json(201, &answer))
}

/// The form that a request asks for, or the default.
pub(super) fn securing(asked: Option<&str>, pointer: &str) -> Result<Securing, Problem> {
    let parse = |word: &str| {
        word.parse()
            .map_err(|error: SecuringError| Problem::invalid(pointer, error.to_string()))
    };
    asked.map_or(Ok(Securing::default()), parse)
}

pub(super) fn change_status(edge: &Edge, request: &Request) -> Result<Reply, Problem> {
    let body: StatusRequest = request.json_with(UNKNOWN)?;
    if body.credential_status.kind != "BitstringStatusListEntry" {
        let detail = "the type BitstringStatusListEntry is known here";
        return Err(Problem::invalid("/credentialStatus/type", detail));
    }
    check_reason(body.reason.as_deref())?;
    let entry = &body.credential_status;
    let purpose = entry
        .status_purpose
        .parse()
        .map_err(|error: PurposeError| {
            Problem::invalid("/credentialStatus/statusPurpose", error.to_string())
        })?;
    let wanted = CredentialStatusRequest {
        credential: body.credential_id,
        purpose,
        index: index_of(entry.status_list_index.as_ref())?,
        list: body.credential_status.status_list_credential,
        status: body.status,
        reason: body.reason,
    };
    let updated = edge
        .registry
        .change_credential_status(&request.change()?, wanted)?;
    Ok(updated_reply(&updated))
}

/// The index, as the string that the standard writes or as the number that some write.
fn index_of(given: Option<&Value>) -> Result<Option<u64>, Problem> {
    let parse = |index: &Value| {
        let number = index.as_u64().or_else(|| index.as_str()?.parse().ok());
        number.ok_or_else(|| {
            let detail = "a whole number from 0 is needed, as a string";
            Problem::invalid("/credentialStatus/statusListIndex", detail)
        })
    };
    given.map(parse).transpose()
}
