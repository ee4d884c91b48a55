//! What was asked, looked up.

use bytes::Bytes;
use serde_json::Value;
use url::form_urlencoded::byte_serialize;

use super::found::{Found, How};
use super::given::{Given, Here, here};
use super::trouble::Trouble;
use super::{MOST_BYTES, PATH, Refused, is_nothing};
use crate::badges::baked::Image;
use crate::codes::VerificationCode;
use crate::http::edge::Edge;
use crate::http::problem::Problem;
use crate::http::request::Request;
use crate::http::statuses::may_see;
use crate::http::verification::options;
use crate::registry::{Asked, Outcome, Question};
use crate::verify::{Expected, Input, InputError, Unresolved};

/// What the form sent.
pub(super) enum Sent {
    Text(String),
    File(Bytes),
}

/// What came of it.
pub(super) enum Answered {
    Found(Box<Found>),
    /// There is a page of its own for it.
    Elsewhere(String),
}

impl From<Found> for Answered {
    fn from(found: Found) -> Self {
        Self::Found(Box::new(found))
    }
}

pub(super) fn by_address(edge: &Edge, request: &Request) -> Result<Answered, Refused> {
    let asked = |name: &str| request.query(name).filter(|value| !value.trim().is_empty());
    let of_list = asked("list")
        .or(asked("index"))
        .or(asked("issuer"))
        .is_some();
    match (asked("code"), asked("url"), asked("credential"), of_list) {
        (Some(code), None, None, false) => by_code(edge, code),
        (None, Some(url), None, false) => by_url(edge, url),
        (None, None, Some(id), false) => by_text(edge, request, id),
        (None, None, id, true) => by_entry(edge, request, id),
        (None, None, None, false) => Ok(Answered::Elsewhere("/".to_owned())),
        _ => Err(Trouble::OneThing.into()),
    }
}

pub(super) fn by_form(edge: &Edge, request: &Request, sent: &Sent) -> Result<Answered, Refused> {
    match sent {
        Sent::Text(text) => by_text(edge, request, text),
        Sent::File(file) if Image::of(file).is_some() => by_document(edge, file),
        Sent::File(file) => match std::str::from_utf8(file) {
            Ok(text) => by_text(edge, request, text),
            Err(_) if is_picture(file) => Err(Trouble::Image.into()),
            Err(error) => Err(Refused::Trouble(Trouble::Encoding, Some(error.to_string()))),
        },
    }
}

/// Whether it is a picture of a kind that holds no credential: JPEG, GIF or WebP, or a PDF.
fn is_picture(file: &[u8]) -> bool {
    let begins: [&[u8]; 4] = [b"\xff\xd8\xff", b"GIF8", b"RIFF", b"%PDF"];
    begins.iter().any(|begin| file.starts_with(begin))
}

fn by_text(edge: &Edge, request: &Request, text: &str) -> Result<Answered, Refused> {
    match Given::of(text) {
        Given::Nothing => Err(Trouble::Empty.into()),
        Given::Unclear => Err(Trouble::Text.into()),
        Given::Document(document) => by_document(edge, document.as_bytes()),
        Given::Code(Ok(code)) => Ok(to_code(&code)),
        // A name of a profile may look like a code.
        Given::Code(Err(error)) => match page_of(edge, text.trim())? {
            Some(page) => Ok(page),
            None => Err(Refused::Trouble(Trouble::Code, Some(error.to_string()))),
        },
        Given::Word(word) => page_of(edge, word)?.ok_or_else(|| Trouble::Text.into()),
        Given::Id(id) => match by_id(edge, request, id)? {
            Some(found) => Ok(found),
            None => Err(Trouble::UnknownId.into()),
        },
        Given::Address(url) => {
            let origin = edge.registry.urls().origin();
            match here(url, origin) {
                Some(Here::Code(code)) => by_typed_code(code.as_ref().map_err(ToString::to_string)),
                Some(Here::Page(place)) => Ok(Answered::Elsewhere(place)),
                None => match by_id(edge, request, url)? {
                    Some(found) => Ok(found),
                    None => by_url(edge, url),
                },
            }
        }
    }
}

fn by_typed_code(code: Result<&VerificationCode, String>) -> Result<Answered, Refused> {
    match code {
        Ok(code) => Ok(to_code(code)),
        Err(error) => Err(Refused::Trouble(Trouble::Code, Some(error))),
    }
}

/// Codes are looked up at one address alone, where each look-up counts as a guess.
fn to_code(code: &VerificationCode) -> Answered {
    Answered::Elsewhere(format!("{PATH}?code={code}"))
}

fn by_code(edge: &Edge, typed: &str) -> Result<Answered, Refused> {
    let code: VerificationCode = match typed.parse() {
        Ok(code) => code,
        Err(error) => return by_typed_code(Err(ToString::to_string(&error))),
    };
    let (question, options) = (question(edge)?, options(edge, Expected::default(), &[]));
    let registry = &edge.registry;
    let coded = registry.standing_by_code(&code, &question, options, &*edge.outside)?;
    let coded = coded.ok_or(Trouble::NoCode)?;
    let mut found = Found::new(How::Code, coded.answer, question.anchors);
    found.since = coded.since;
    found.link = Some(link(edge, &[("code", &code.to_string())]));
    Ok(found.into())
}

/// The registry's own trust anchors decide, now.
fn question(edge: &Edge) -> Result<Question, Problem> {
    Ok(edge.registry.question()?)
}

/// What is known by an id: a credential, where whoever asks may know it; somebody or something here, which has
/// a page; or what is endorsed here and lives elsewhere.
fn by_id(edge: &Edge, request: &Request, id: &str) -> Result<Option<Answered>, Refused> {
    let question = question(edge)?;
    if let Ok(may_see) = may_see(edge, request) {
        let (asked, outside) = (vec![Asked::Id(id.to_owned())], &*edge.outside);
        let options = options(edge, Expected::default(), &[]);
        let mut answers = edge
            .registry
            .standing(asked, &question, may_see, options, outside)?;
        if let Some(answer) = answers.pop().filter(|answer| !is_nothing(answer)) {
            let mut found = Found::new(How::Id, answer, question.anchors);
            if may_see_past(edge, request, &found)? {
                found.since = edge.registry.since(&found.answer)?;
            }
            found.link = Some(link(edge, &[("credential", id)]));
            return Ok(Some(found.into()));
        }
    }
    if let Some(page) = page_of(edge, id)? {
        return Ok(Some(page));
    }
    let known = edge
        .registry
        .endorsements_of(&[id.to_owned()], &question)?
        .pop()
        .filter(|answer| answer.backing.outcome != Outcome::Unknown);
    Ok(known.map(|known| {
        let mut found = Found::of_party(known, question.anchors);
        found.link = Some(link(edge, &[("credential", id)]));
        found.into()
    }))
}

/// Whether who asks may be told since when the entries say what they say: who may know how their lists were.
fn may_see_past(edge: &Edge, request: &Request, found: &Found) -> Result<bool, Problem> {
    let now = edge.registry.now();
    for part in &found.answer.status {
        let (Some(list), Some(index)) = (&part.list, part.index) else {
            continue;
        };
        let told = edge
            .registry
            .status_at(list, index, Some(now), request.actor)?;
        if told.is_err() {
            return Ok(false);
        }
    }
    Ok(true)
}

/// The page of a profile here.
fn page_of(edge: &Edge, name: &str) -> Result<Option<Answered>, Problem> {
    Ok(match edge.registry.profile_named(name, "") {
        Ok(profile) => Some(Answered::Elsewhere(format!("/profiles/{}", profile.slug))),
        Err(crate::registry::RegistryError::Invalid { .. }) => None,
        Err(error) => return Err(error.into()),
    })
}

fn by_url(edge: &Edge, url: &str) -> Result<Answered, Refused> {
    let url = url.trim();
    if let Some(Here::Code(code)) = here(url, edge.registry.urls().origin()) {
        return by_typed_code(code.as_ref().map_err(ToString::to_string));
    }
    let fetched = edge.outside.session().newer(url);
    let fetched = fetched.map_err(|reason| {
        let trouble = match reason {
            Unresolved::Refused => Trouble::NotFetched,
            _ => Trouble::Unreachable,
        };
        Refused::Trouble(trouble, Some(reason.to_string()))
    })?;
    if fetched.body.len() > MOST_BYTES {
        return Err(Trouble::Large.into());
    }
    let found = of_document(edge, &fetched.body)?;
    Ok(Found {
        link: Some(link(edge, &[("url", url)])),
        sent: false,
        ..found
    }
    .into())
}

fn by_document(edge: &Edge, bytes: &[u8]) -> Result<Answered, Refused> {
    Ok(of_document(edge, bytes)?.into())
}

fn of_document(edge: &Edge, bytes: &[u8]) -> Result<Found, Refused> {
    if bytes.len() > MOST_BYTES {
        return Err(Trouble::Large.into());
    }
    let told = |trouble, detail: String| Refused::Trouble(trouble, Some(detail));
    let document = match Input::read(bytes) {
        Ok(Input::Presentation(_)) => return Err(Trouble::Presentation.into()),
        Ok(Input::Credential(document)) => document,
        Err(InputError::Image(error)) => return Err(told(Trouble::Image, error.to_string())),
        Err(InputError::Json(error)) => return Err(told(Trouble::Json, error.to_string())),
    };
    match &document {
        Value::Object(_) | Value::String(_) => {}
        Value::Array(_) => return Err(Trouble::Several.into()),
        _ => return Err(Trouble::Json.into()),
    }
    let question = question(edge)?;
    let options = options(edge, Expected::default(), &[]);
    let registry = &edge.registry;
    let examined = registry.examine(&document, &question, options, &*edge.outside)?;
    let since = match examined.report.verified {
        true => registry.since(&examined.answer)?,
        false => None,
    };
    let mut found = Found::new(How::Document, examined.answer, question.anchors);
    found.since = since;
    found.sent = true;
    found.link = link_of_document(edge, &found);
    found.document = Some((examined.report, examined.claims, document.is_string()));
    Ok(found)
}

/// The address of what can be said of a document without it: by its first entry here. It tells neither its id
/// nor anything else that is in it.
fn link_of_document(edge: &Edge, found: &Found) -> Option<String> {
    let ours = |list: &str| edge.registry.urls().parse_list(list).is_some();
    let mut parts = found.answer.status.iter();
    let (list, index) = parts.find_map(|part| {
        let list = part.list.as_deref().filter(|list| ours(list))?;
        Some((list, part.index?.to_string()))
    })?;
    let issuer = found.answer.issuer.as_ref()?;
    let asked = [("list", list), ("index", &index), ("issuer", &issuer.id)];
    Some(link(edge, &asked))
}

fn by_entry(edge: &Edge, request: &Request, id: Option<&str>) -> Result<Answered, Refused> {
    let asked = |name: &str| request.query(name).unwrap_or_default().trim();
    let (list, index, issuer) = (asked("list"), asked("index"), asked("issuer"));
    let is_number = !index.is_empty() && index.bytes().all(|byte| byte.is_ascii_digit());
    let number = index.parse::<u64>().ok().filter(|_| is_number);
    let number = number.ok_or(Trouble::Index)?;
    let question = question(edge)?;
    let named = Some(issuer).filter(|issuer| !issuer.is_empty());
    let answer = edge
        .registry
        .standing_of_entry((list, number), named, &question)?;
    let mut answer = answer
        .map_err(|unknown| Refused::Trouble(Trouble::List, Some(Problem::from(unknown).detail)))?;
    answer.credential = id.map(str::to_owned);
    let mut found = Found::new(How::Entry, answer, question.anchors);
    if may_see_past(edge, request, &found)? {
        found.since = edge.registry.since(&found.answer)?;
    }
    let mut again = vec![("list", list), ("index", index)];
    again.extend(named.map(|issuer| ("issuer", issuer)));
    found.link = Some(link(edge, &again));
    Ok(found.into())
}

/// The address of an answer.
fn link(edge: &Edge, asked: &[(&str, &str)]) -> String {
    let pairs = asked.iter().map(|(name, value)| {
        let value: String = byte_serialize(value.as_bytes()).collect();
        format!("{name}={value}")
    });
    let pairs: Vec<String> = pairs.collect();
    let origin = edge.registry.urls().origin();
    format!("{origin}{PATH}?{}", pairs.join("&"))
}
