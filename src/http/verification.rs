//! Verification of credentials and presentations (VCALM 1.0), in every form in which people hold
//! them.

use base64::Engine;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use serde::Deserialize;
use serde_json::{Map, Value};
use url::Url;
use utoipa::ToSchema;

use super::credentials::UNKNOWN;
use super::edge::Edge;
use super::problem::Problem;
use super::reply::Reply;
use super::request::Request;
use crate::vc::verifying::VerifyingKey;
use crate::verify::{Expected, Input, Options, PinnedKey};

/// A credential to be verified: `verifiableCredential` or `media`, one of the two.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct VerifyRequest {
    /// The secured credential: as an object, also an EnvelopedVerifiableCredential, or as a
    /// string, which is a compact JWS.
    verifiable_credential: Option<Value>,
    /// A file that holds the credential, in base64: a PNG or SVG image into which it was baked
    /// (Open Badges 3.0), a compact JWS, or JSON.
    media: Option<String>,
    /// Options.
    #[serde(default)]
    options: VerifyOptions,
}

/// Options of verification.
#[derive(Deserialize, Default, ToSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct VerifyOptions {
    /// Whether the results of single steps are wanted.
    return_results: Option<bool>,
    /// Problems are always told.
    #[expect(
        dead_code,
        reason = "part of the contract; problems are told either way"
    )]
    return_problem_details: Option<bool>,
    /// Whether the credential is wanted back: as it was handed in, or the newer version that its
    /// refresh service gave and that was verified in its place.
    return_credential: Option<bool>,
    /// Names of checks; all are always made.
    #[expect(
        dead_code,
        reason = "part of the contract; leaving a check out is never safe"
    )]
    checks: Option<Vec<String>>,
    /// Keys that are trusted for their controllers, at most 16. No other key of these counts,
    /// and nobody is asked for theirs.
    #[serde(default)]
    pinned_keys: Vec<PinnedKeyBody>,
}

/// A presentation to be verified.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct VerifyPresentationRequest {
    /// The secured presentation: as an object, also an EnvelopedVerifiablePresentation, or as a
    /// string, which is a compact JWS.
    verifiable_presentation: Value,
    /// Options.
    #[serde(default)]
    options: VerifyPresentationOptions,
}

/// Options of verifying a presentation.
#[derive(Deserialize, Default, ToSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct VerifyPresentationOptions {
    /// The challenge that the proof has to answer.
    challenge: Option<String>,
    /// The domain that the proof has to be meant for.
    domain: Option<String>,
    /// Whether the results of single steps are wanted.
    return_results: Option<bool>,
    /// Problems are always told.
    #[expect(
        dead_code,
        reason = "part of the contract; problems are told either way"
    )]
    return_problem_details: Option<bool>,
    /// Whether the presentation is wanted back.
    return_presentation: Option<bool>,
    /// Names of checks; all are always made.
    #[expect(
        dead_code,
        reason = "part of the contract; leaving a check out is never safe"
    )]
    checks: Option<Vec<String>>,
    /// Keys that are trusted for their controllers, at most 16. No other key of these counts,
    /// and nobody is asked for theirs.
    #[serde(default)]
    pinned_keys: Vec<PinnedKeyBody>,
}

/// A key that is trusted for its controller: `publicKeyMultibase` or `publicKeyJwk`, one of the
/// two.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct PinnedKeyBody {
    /// The id of the issuer, or of the holder of a presentation, whose key it is.
    controller: String,
    /// The URL of the verification method; without it, whatever method a proof names.
    verification_method: Option<String>,
    /// The key as a Multikey (Controlled Identifiers 1.0): Ed25519 or P-256.
    public_key_multibase: Option<String>,
    /// The key as a public JWK (RFC 7517): Ed25519, P-256 or RSA.
    #[schema(value_type = Option<Object>)]
    public_key_jwk: Option<Value>,
}

/// So many keys can be pinned in one request.
const MOST_PINNED: usize = 16;

/// What VCDM 2.0 calls a document that cannot be taken apart.
const PARSING: &str = "https://www.w3.org/TR/vc-data-model#PARSING_ERROR";

/// Base64 of RFC 4648 section 4, the padding at its end or left out.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

pub(super) fn verify(edge: &Edge, request: &Request) -> Result<Reply, Problem> {
    let body: VerifyRequest = request.json_with(UNKNOWN)?;
    let credential = handed_in(body.verifiable_credential, body.media.as_deref())?;
    let pinned = pinned(&body.options.pinned_keys)?;
    let options = options(edge, Expected::default(), &pinned);
    let session = edge.outside.session();
    let mut report = edge.registry.verify(&credential, options, &*session);
    drop(session);
    let newer = report.refreshed.take();
    let back = (body.options.return_credential == Some(true))
        .then(|| ("credential", newer.unwrap_or(credential)));
    Ok(answer(report.to_json(), back, body.options.return_results))
}

pub(super) fn verify_presentation(edge: &Edge, request: &Request) -> Result<Reply, Problem> {
    let body: VerifyPresentationRequest = request.json_with(UNKNOWN)?;
    let expected = Expected {
        challenge: body.options.challenge.as_deref(),
        domain: body.options.domain.as_deref(),
    };
    let presentation = body.verifiable_presentation;
    let pinned = pinned(&body.options.pinned_keys)?;
    let options = options(edge, expected, &pinned);
    let session = edge.outside.session();
    let report = edge
        .registry
        .verify_presentation(&presentation, options, &*session);
    drop(session);
    let back =
        (body.options.return_presentation == Some(true)).then_some(("presentation", presentation));
    let told = report.to_json(expected);
    Ok(answer(told, back, body.options.return_results))
}

/// The report, with what was asked to be given back, and without the results that were not asked
/// for.
fn answer(
    mut told: Map<String, Value>,
    back: Option<(&str, Value)>,
    return_results: Option<bool>,
) -> Reply {
    if let Some((member, document)) = back {
        told.insert(member.to_owned(), document);
    }
    if return_results != Some(true) {
        told.shift_remove("results");
    }
    Reply::json(200, &Value::Object(told))
}

/// The credential of a request, out of whichever of the two members it stands in.
fn handed_in(credential: Option<Value>, media: Option<&str>) -> Result<Value, Problem> {
    match (credential, media) {
        (Some(credential), None) => Ok(credential),
        (None, Some(media)) => taken_out(media),
        (Some(_), Some(_)) | (None, None) => Err(Problem::invalid(
            "",
            "either verifiableCredential (an object, or a JWT as a string) or media (a PNG, SVG, \
             JWT or JSON file in base64) is needed, and not both",
        )),
    }
}

fn taken_out(media: &str) -> Result<Value, Problem> {
    let unreadable = |detail: String| Problem::invalid("/media", detail).of_standard(PARSING);
    let bytes = BASE64
        .decode(media)
        .map_err(|error| unreadable(format!("not base64: {error}")))?;
    match Input::read(&bytes).map_err(|error| unreadable(error.to_string()))? {
        Input::Credential(credential) => Ok(credential),
        // It may have to answer a challenge, which is asked for there alone.
        Input::Presentation(_) => Err(Problem::invalid(
            "/media",
            "it holds a presentation: send that to /presentations/verify, as \
             verifiablePresentation",
        )),
    }
}

/// The strict mode with the keys that who asks has pinned; in development, issuers may live on
/// localhost.
pub(super) const fn options<'a>(
    edge: &Edge,
    expected: Expected<'a>,
    pinned: &'a [PinnedKey],
) -> Options<'a> {
    Options {
        expected,
        pinned,
        localhost: edge.localhost,
    }
}

fn pinned(bodies: &[PinnedKeyBody]) -> Result<Vec<PinnedKey>, Problem> {
    if bodies.len() > MOST_PINNED {
        let detail = format!("at most {MOST_PINNED} keys can be pinned in one request");
        return Err(Problem::invalid("/options/pinnedKeys", detail));
    }
    let keys = (0..).zip(bodies);
    keys.map(|(place, body): (usize, _)| body.read(&format!("/options/pinnedKeys/{place}")))
        .collect()
}

impl PinnedKeyBody {
    fn read(&self, at: &str) -> Result<PinnedKey, Problem> {
        for (member, url) in [
            ("controller", Some(&self.controller)),
            ("verificationMethod", self.verification_method.as_ref()),
        ] {
            if url.is_some_and(|url| Url::parse(url).is_err()) {
                let detail = "an absolute URL is needed, such as a DID";
                return Err(Problem::invalid(&format!("{at}/{member}"), detail));
            }
        }
        let (member, key) = match (&self.public_key_multibase, &self.public_key_jwk) {
            (Some(text), None) => ("publicKeyMultibase", VerifyingKey::from_multikey(text)),
            (None, Some(jwk)) => ("publicKeyJwk", VerifyingKey::from_jwk(jwk)),
            (Some(_), Some(_)) | (None, None) => {
                let detail = "either publicKeyMultibase or publicKeyJwk is needed, and not both";
                return Err(Problem::invalid(at, detail));
            }
        };
        let key = key.map_err(|error| {
            Problem::invalid(&format!("{at}/{member}"), format!("no usable key: {error}"))
        })?;
        Ok(PinnedKey {
            controller: self.controller.clone(),
            method: self.verification_method.clone(),
            key,
        })
    }
}
