//! `POST /status-lists/import`.

mod table;
mod used;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;
use serde_json::{Value, json};
use utoipa::ToSchema;

use super::is_table;
use crate::bitstring::{
    Bitstring, CodecError, DEFAULT_CAP_BYTES, ListLength, Lsb, MINIMUM_ENTRIES, StatusSize, decode,
    decode_2021, decode_zlib,
};
use crate::http::edge::Edge;
use crate::http::lists::{also_published, entry_members, list_named, status_size, ttl};
use crate::http::problem::Problem;
use crate::http::reply::Reply;
use crate::http::request::Request;
use crate::ids::{ListId, ProfileId};
use crate::registry::{BroughtList, ListForm, NewList, RegistryError, UsedIndexes};
use crate::status::{PurposeError, StatusList, StatusPurpose};
use used::Used;

/// A list from elsewhere: either its statuses, or the credential that publishes them.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(in crate::http) struct ListImportBody {
    /// The issuer: slug or id of a profile here.
    issuer: String,
    /// What the bits mean. A credential says so itself.
    status_purpose: Option<String>,
    /// The statuses, compressed, as `format` says.
    encoded_list: Option<String>,
    /// A BitstringStatusListCredential or StatusList2021Credential. Its purpose, size, statuses and
    /// `ttl` are taken. Its proof is not looked at: who hands it in answers for it. It must not be
    /// another profile's of this registry.
    credential: Option<Value>,
    /// `bitstring` (the default), `2021`, or `token`: the `lst` of a Token Status List, whose
    /// `bits` are `statusSize`. Of a token list with more than one bit, INVALID (1) is taken for
    /// the purpose revocation and SUSPENDED (2) for suspension.
    format: Option<String>,
    /// Bits an entry: 1 (the default), 2, 4 or 8.
    status_size: Option<u64>,
    /// What each status means, as an entry says it.
    status_message: Option<Value>,
    /// Where more is told about the statuses: an https URL, or up to 8 of them.
    #[schema(value_type = Option<Vec<String>>)]
    status_reference: Option<Value>,
    /// What it is published as here, as for a list that is opened.
    formats: Option<Vec<String>>,
    /// The proofs of its credential here, as for a list that is opened.
    cryptosuites: Option<Vec<String>>,
    /// Entries. A list that has fewer is extended; one that has fewer than 131,072, or no multiple
    /// of 8, always is.
    length: Option<u64>,
    /// Milliseconds for which a copy of the list may be used.
    ttl: Option<u64>,
    /// URL or id of another list of the issuer, over whose indexes this one is to lie.
    paired_with: Option<String>,
    /// The indexes that are in use: their numbers, or a list in the format `bitstring` in which
    /// their bits are set. Without them none is given out here.
    #[schema(value_type = Option<Object>)]
    used_indexes: Option<Used>,
    /// URL of the list where it comes from; kept in the audit trail.
    source: Option<String>,
}

/// A list as it was read, before it has a length that lists here have.
struct Read {
    issuer: ProfileId,
    purpose: StatusPurpose,
    size: StatusSize,
    bytes: Vec<u8>,
    /// What its entries are in the body.
    at: &'static str,
}

/// Takes in a list.
pub(in crate::http) fn import(edge: &Edge, request: &Request) -> Result<Reply, Problem> {
    let (brought, given) = if is_table(request) {
        table::read(edge, request)?
    } else {
        if let Some((name, _)) = request.query.first() {
            let detail = "a JSON body gives this as a member; only lines need the parameter";
            return Err(Problem::invalid(&format!("?{name}"), detail));
        }
        read(edge, request.json()?)?
    };
    let imported = edge.registry.import_list(&request.change()?, &brought)?;
    let url = edge.registry.urls().list(imported.list);
    let published = match edge
        .registry
        .published_list(imported.list, ListForm::Bitstring)
    {
        Ok(published) => Some(published),
        // Its owner signs it elsewhere.
        Err(RegistryError::WaitsForSignature(_)) => None,
        Err(error) => return Err(error.into()),
    };
    let shown = match &published {
        Some(list) => {
            let credential = str::from_utf8(&list.body);
            let credential = credential.expect("a list is JSON that was written or checked here");
            format!("\"verifiableCredential\":{credential}")
        }
        None => format!("\"toSign\":{}", json!(format!("{url}/unsigned"))),
    };
    let counts = json!({
        "entries": imported.entries,
        "given": given,
        "set": imported.set,
        "used": imported.used,
        "sealed": imported.sealed,
    });
    let body = format!("{{\"id\":{},{shown},\"imported\":{counts}}}", json!(url));
    Ok(Reply::bytes(201, "application/json", body).header("Location", url))
}

/// A list out of a JSON body, and how many entries were given.
fn read(edge: &Edge, body: ListImportBody) -> Result<(BroughtList, u64), Problem> {
    let issuer = edge.registry.profile_named(&body.issuer, "/issuer")?.id;
    let (read, told_ttl, told_source) = match (&body.encoded_list, &body.credential) {
        (Some(encoded), None) => (of_statuses(issuer, &body, encoded)?, None, None),
        (None, Some(credential)) => of_credential(edge, issuer, &body, credential)?,
        _ => {
            let detail = "either encodedList or credential is needed";
            return Err(Problem::invalid("", detail));
        }
    };
    let said = (body.status_message.as_ref(), body.status_reference.as_ref());
    let entry = entry_members(&read.purpose, read.size, said)?;
    let also = also_published(body.formats.as_deref(), body.cryptosuites.as_deref())?;
    let ttl = ttl(body.ttl.or(told_ttl))?;
    let paired_with = paired_with(edge, body.paired_with.as_deref())?;
    let source = source(body.source.or(told_source))?;
    let given = read.bytes.len() as u64 * 8 / read.size.bits();
    let statuses = extended(read.bytes, read.size, body.length, read.at)?;
    let length = ListLength::of_size(statuses.entries(), read.size).expect("extended to it");
    let used = match (body.used_indexes, paired_with) {
        (None, None) => UsedIndexes::Unknown,
        (None, Some(_)) => UsedIndexes::AsPaired,
        (Some(used), None) => UsedIndexes::Known(used.bits(length)?),
        (Some(_), Some(_)) => {
            let detail = "the list that it is paired with says which indexes are in use";
            return Err(Problem::invalid("/usedIndexes", detail));
        }
    };
    let list = NewList {
        issuer: read.issuer,
        purpose: read.purpose,
        length,
        ttl,
        paired_with,
        entry,
        also,
    };
    let brought = BroughtList {
        list,
        statuses,
        used,
        credentials: Vec::new(),
        source,
    };
    Ok((brought, given))
}

fn of_statuses(issuer: ProfileId, body: &ListImportBody, encoded: &str) -> Result<Read, Problem> {
    let Some(purpose) = &body.status_purpose else {
        return Err(Problem::invalid(
            "",
            "a statusPurpose is needed with an encodedList",
        ));
    };
    let purpose = parse_purpose(purpose)?;
    let size = status_size(body.status_size)?;
    let at = "/encodedList";
    let undecodable = |error: CodecError| Problem::invalid(at, error.to_string());
    let format = body.format.as_deref().unwrap_or("bitstring");
    let (size, bytes) = match format {
        "bitstring" => (
            size,
            decode(encoded, DEFAULT_CAP_BYTES).map_err(undecodable)?,
        ),
        "2021" => (
            size,
            decode_2021(encoded, DEFAULT_CAP_BYTES).map_err(undecodable)?,
        ),
        "token" => {
            let compressed = URL_SAFE_NO_PAD.decode(encoded).map_err(|error| {
                Problem::invalid(at, format!("a lst is base64url without padding: {error}"))
            })?;
            let bytes = decode_zlib(&compressed, DEFAULT_CAP_BYTES).map_err(undecodable)?;
            of_token(Bitstring::<Lsb>::from_bytes(bytes, size), &purpose)?
        }
        _ => {
            return Err(Problem::invalid(
                "/format",
                "bitstring, 2021 or token is needed",
            ));
        }
    };
    Ok(Read {
        issuer,
        purpose,
        size,
        bytes,
        at,
    })
}

/// What a token list says of one purpose. Its values have meanings of their own (Token Status List
/// section 7.1), of which a list for revocation or suspension here holds one.
fn of_token(
    token: Bitstring<Lsb>,
    purpose: &StatusPurpose,
) -> Result<(StatusSize, Vec<u8>), Problem> {
    let wanted = match (purpose, token.size()) {
        (StatusPurpose::Suspension, StatusSize::One) => {
            let detail = "a token list of one bit says VALID or INVALID; suspensions need two";
            return Err(Problem::invalid("/statusSize", detail));
        }
        (StatusPurpose::Revocation, size) if size != StatusSize::One => 1,
        (StatusPurpose::Suspension, _) => 2,
        (_, size) => return Ok((size, token.to_msb().into_bytes())),
    };
    let mut bytes = vec![0_u8; token.entries().div_ceil(8) as usize];
    for (index, status) in token.iter().enumerate() {
        match status {
            0 => {}
            1 | 2 if status == wanted => bytes[index / 8] |= 0x80 >> (index % 8),
            1 | 2 => {}
            other => {
                let detail = format!(
                    "index {index} has the status {other}, which says neither INVALID (1) nor \
                     SUSPENDED (2); bring the list for the purpose message instead"
                );
                return Err(Problem::invalid("/encodedList", detail));
            }
        }
    }
    Ok((StatusSize::One, bytes))
}

/// A list with the `ttl` and the URL that its credential says.
fn of_credential(
    edge: &Edge,
    issuer: ProfileId,
    body: &ListImportBody,
    credential: &Value,
) -> Result<(Read, Option<u64>, Option<String>), Problem> {
    let refused = |detail: String| Problem::invalid("/credential", detail);
    if body.format.is_some() {
        let detail = "a credential says itself of which format it is";
        return Err(Problem::invalid("/format", detail));
    }
    let list = StatusList::parse(credential, DEFAULT_CAP_BYTES)
        .map_err(|error| refused(error.to_string()))?;
    let bytes = list.bytes().map_err(|error| refused(error.to_string()))?;
    if let Some(other) = edge.registry.profile_by_id(&list.issuer)?
        && other.id != issuer
    {
        let detail = format!(
            "it is a list of {}, another profile of this registry",
            list.issuer
        );
        return Err(refused(detail));
    }
    let purpose = match &body.status_purpose {
        Some(asked) => parse_purpose(asked)?,
        None if list.purposes.len() == 1 => list.purposes[0].clone(),
        None => {
            return Err(refused(
                "it has several purposes; name one as statusPurpose".into(),
            ));
        }
    };
    if !list.purposes.contains(&purpose) {
        let detail = format!("the credential is not for {purpose}");
        return Err(Problem::invalid("/statusPurpose", detail));
    }
    let told = credential["credentialSubject"]["statusSize"].as_u64();
    if let (Some(told), Some(asked)) = (told, body.status_size)
        && told != asked
    {
        let detail = format!("the credential says {told}");
        return Err(Problem::invalid("/statusSize", detail));
    }
    let read = Read {
        issuer,
        purpose,
        size: status_size(body.status_size.or(told))?,
        bytes: bytes.to_vec(),
        at: "/credential/credentialSubject/encodedList",
    };
    Ok((read, list.ttl.map(|ttl| ttl.millis()), list.id.clone()))
}

/// The statuses at a length that a list here has: at least what was given and asked for, and what
/// is added is clear.
fn extended(
    mut bytes: Vec<u8>,
    size: StatusSize,
    asked: Option<u64>,
    at: &str,
) -> Result<Bitstring, Problem> {
    let given = bytes.len() as u64 * 8 / size.bits();
    if let Some(asked) = asked.filter(|asked| *asked < given) {
        let detail = format!("the list has {given} entries, more than {asked}");
        return Err(Problem::invalid("/length", detail));
    }
    let wanted = given.max(asked.unwrap_or(0)).max(MINIMUM_ENTRIES);
    let length = ListLength::of_size(wanted.saturating_add(7) / 8 * 8, size).map_err(|error| {
        let at = if wanted > given { "/length" } else { at };
        Problem::invalid(at, error.to_string())
    })?;
    bytes.resize(length.bytes(size), 0);
    Ok(Bitstring::from_bytes(bytes, size))
}

fn parse_purpose(text: &str) -> Result<StatusPurpose, Problem> {
    text.parse()
        .map_err(|error: PurposeError| Problem::invalid("/statusPurpose", error.to_string()))
}

fn paired_with(edge: &Edge, name: Option<&str>) -> Result<Option<ListId>, Problem> {
    name.map(|name| list_named(edge, name, "/pairedWith"))
        .transpose()
}

fn source(url: Option<String>) -> Result<Option<String>, Problem> {
    match url {
        Some(url) if url.len() > 2048 || url::Url::parse(&url).is_err() => {
            let detail = "an absolute URL of at most 2,048 characters is needed";
            Err(Problem::invalid("/source", detail))
        }
        url => Ok(url),
    }
}
