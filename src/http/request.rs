//! A request as handlers see it: routed, authenticated, its body read.

use std::str::FromStr;

use bytes::Bytes;
use http::{HeaderMap, Method};
use percent_encoding::percent_decode_str;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use utoipa::ToSchema;

use super::accept::choose_in;
use super::language;
use super::lists::check_reason;
use super::problem::Problem;
use crate::json::{self, Item, JsonError};
use crate::registry::{Actor, Change, Expected, Idempotency, on_every_core};
use crate::web::Frame;

/// A request whose route is known.
#[derive(Clone)]
pub struct Request {
    pub(super) method: Method,
    pub(super) path: String,
    pub(super) params: Vec<(&'static str, String)>,
    pub(super) query: Vec<(String, String)>,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
    pub(super) actor: Option<Actor>,
    /// Its id, which the log keeps with what it changes; zeros where it came by no wire.
    pub(super) id: [u8; 16],
}

impl Request {
    /// A parameter of the path, parsed. One that cannot be an id names nothing here.
    pub(super) fn param<T: FromStr>(&self, name: &str) -> Result<T, Problem> {
        let found = self.params.iter().find(|(param, _)| *param == name);
        let text = found.map_or("", |(_, value)| value);
        text.parse().map_err(|_| Problem::no_route(&self.path))
    }

    /// Whether the path has a parameter of this name.
    pub(super) fn has_param(&self, name: &str) -> bool {
        self.params.iter().any(|(param, _)| *param == name)
    }

    /// Where a route knows parameters, one that it does not know, or that stands twice, would be
    /// an unasked answer: a filter that was misspelt must not mean "all".
    pub(super) fn check_query(&self, known: &[&str]) -> Result<(), Problem> {
        for (place, (name, _)) in self.query.iter().enumerate() {
            let twice = self.query[..place].iter().any(|(before, _)| before == name);
            if language::is_asked_by(name) && self.is_for_a_page() {
                continue;
            }
            if !known.is_empty() && (twice || !known.contains(&name.as_str())) {
                let what = if twice {
                    "stands twice"
                } else {
                    "is not known here"
                };
                let detail = format!(
                    "the parameter {name} {what}; known are {}",
                    known.join(", ")
                );
                let problem = Problem::new(400, "unknown-parameter", "Unknown parameter", detail);
                return Err(problem.with("pointer", format!("?{name}")));
            }
        }
        Ok(())
    }

    /// Whether whoever asks likes a page best.
    fn is_for_a_page(&self) -> bool {
        choose_in(&self.headers, &["application/json", "text/html"]) == Some("text/html")
    }

    /// What stands around a page that answers this.
    pub(super) fn frame(&self) -> Frame {
        let language = language::of(&self.query, &self.headers);
        match self.method == Method::GET || self.method == Method::HEAD {
            true => Frame::at(language, &self.path, &self.query),
            false => Frame::of_answer(language),
        }
    }

    /// A parameter of the query.
    pub(super) fn query(&self, name: &str) -> Option<&str> {
        let found = self.query.iter().find(|(param, _)| param == name);
        found.map(|(_, value)| value.as_str())
    }

    /// A parameter of the query, parsed.
    pub(super) fn query_as<T: FromStr>(
        &self,
        name: &str,
        need: &str,
    ) -> Result<Option<T>, Problem> {
        let parse = |text: &str| {
            text.parse().map_err(|_| {
                Problem::invalid(
                    &format!("?{name}"),
                    format!("the parameter {name} has to be {need}"),
                )
            })
        };
        self.query(name).map(parse).transpose()
    }

    /// How many items a page of a list may have: `limit`, 1 to 1,000, 100 by default.
    pub(super) fn limit(&self) -> Result<usize, Problem> {
        let need = "a number from 1 to 1000";
        match self.query_as("limit", need)?.unwrap_or(100) {
            limit @ 1..=1000 => Ok(limit),
            _ => Err(Problem::invalid(
                "?limit",
                format!("the parameter limit has to be {need}"),
            )),
        }
    }

    /// The same request, by somebody else.
    pub(super) fn by(&self, actor: Option<Actor>) -> Self {
        Self {
            actor: actor.map(|actor| actor.in_request(self.id)),
            ..self.clone()
        }
    }

    /// A header as text.
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// The `Accept` header; several lines count as one.
    pub(super) fn accept(&self) -> Option<String> {
        let lines: Vec<_> = self
            .headers
            .get_all("accept")
            .iter()
            .filter_map(|v| v.to_str().ok())
            .collect();
        (!lines.is_empty()).then(|| lines.join(","))
    }

    /// The JSON body. Unknown and duplicate members are refused by name.
    pub(super) fn json<T: DeserializeOwned>(&self) -> Result<T, Problem> {
        self.must_be("application/json")?;
        Ok(json::read(&self.body)?)
    }

    /// As [`Request::json`], with the items of the array that stands under `member` taken out of
    /// the body rather than read once more into the type, which finds the array empty: for members
    /// that hold documents, and any JSON is a document. Many are read on every core.
    pub(super) fn json_and_items<T: DeserializeOwned>(
        &self,
        member: &str,
    ) -> Result<(T, Vec<Value>), Problem> {
        self.must_be("application/json")?;
        if let Some((body, items)) = json::apart(&self.body, member) {
            let items = on_every_core(items, Item::parse).into_iter().collect();
            if let Ok(items) = items {
                return Ok((json::from_value(&body)?, items));
            }
        }
        let mut body = json::parse(&self.body)?;
        let items = match body.get_mut(member) {
            Some(Value::Array(items)) => std::mem::take(items),
            _ => Vec::new(),
        };
        Ok((json::from_value(&body)?, items))
    }

    /// As [`Request::json`], but where a member is unknown the problem has this type.
    pub(super) fn json_with<T: DeserializeOwned>(&self, unknown: &str) -> Result<T, Problem> {
        self.must_be("application/json")?;
        let body = json::parse(&self.body)?;
        json::from_value(&body).map_err(|error| match error {
            JsonError::UnknownMember { .. } => Problem::from(error).of_standard(unknown),
            other => other.into(),
        })
    }

    /// Whether the body is of this media type.
    pub(super) fn is(&self, media_type: &str) -> bool {
        is_of(&self.headers, media_type)
    }

    /// Bodies are taken as they are.
    pub(super) fn check_coding(&self) -> Result<(), Problem> {
        if let Some(coding) = self
            .header("content-encoding")
            .filter(|coding| *coding != "identity")
        {
            let detail = format!("the body is coded as {coding}; send it as it is");
            let title = "Unsupported content coding";
            return Err(Problem::new(
                415,
                "unsupported-content-coding",
                title,
                detail,
            ));
        }
        Ok(())
    }

    /// Refuses a body that is of another media type, or coded.
    pub(super) fn must_be(&self, media_type: &str) -> Result<(), Problem> {
        self.check_coding()?;
        let named = self.header("content-type").unwrap_or("application/json");
        let kind = named
            .split(';')
            .next()
            .unwrap_or_default()
            .trim()
            .to_ascii_lowercase();
        if kind == media_type || kind.ends_with("+json") {
            return Ok(());
        }
        let detail = format!("the body has to be {media_type}, and Content-Type says {kind}");
        Err(Problem::new(
            415,
            "unsupported-media-type",
            "Unsupported media type",
            detail,
        ))
    }

    /// Who makes a change, and under which idempotency key.
    pub(super) fn change(&self) -> Result<Change, Problem> {
        let actor = self.actor_or_refusal()?;
        let idempotency = self.idempotency_key()?.map(|key| {
            let query = format!("{:?}", self.query);
            let request = [
                self.method.as_str().as_bytes(),
                self.path.as_bytes(),
                query.as_bytes(),
                &self.body,
            ];
            Idempotency::new(actor, key, &request)
        });
        Ok(Change {
            actor,
            idempotency,
            reason: None,
        })
    }

    fn actor_or_refusal(&self) -> Result<Actor, Problem> {
        self.actor
            .ok_or_else(|| Problem::unauthenticated("a bearer token is needed"))
    }

    fn idempotency_key(&self) -> Result<Option<&str>, Problem> {
        let given = self.headers.get("idempotency-key");
        match given.map(|key| key.to_str().unwrap_or_default()) {
            Some(key) if key.is_empty() || key.len() > 255 => {
                let detail = "an Idempotency-Key has 1 to 255 characters of ASCII";
                Err(Problem::invalid("Idempotency-Key", detail))
            }
            given => Ok(given),
        }
    }

    /// The parts of a change that is made in several. The first one has the caller's key, and each
    /// of the others one that no caller can send: a header holds no zero byte.
    pub(super) fn change_in_parts(&self) -> Result<Parts, Problem> {
        let actor = self.actor_or_refusal()?;
        let at = [self.path.clone(), format!("{:?}", self.query)];
        Ok(Parts {
            actor,
            key: self.idempotency_key()?.map(str::to_owned),
            at,
            made: 0,
        })
    }

    /// The versions that a replacement may replace: `If-Match`. `If-None-Match` asks that there be
    /// none, and there is one.
    pub(super) fn if_match(&self) -> Result<Option<Expected>, Problem> {
        if self.headers.contains_key("if-none-match") {
            let detail = "If-None-Match asks that it be absent, and it is there; send If-Match";
            let title = "Changed meanwhile";
            return Err(Problem::new(412, "changed-meanwhile", title, detail));
        }
        Ok(self.header("if-match").and_then(Expected::parse))
    }

    /// The change that a request asks for which says at most why: no body, or an object with a reason.
    pub(super) fn change_with_reason(&self) -> Result<Change, Problem> {
        let body: WhyBody = match self.body.is_empty() {
            true => WhyBody::default(),
            false => self.json()?,
        };
        self.change_because(body.reason)
    }

    /// The change that a request asks for, and why.
    pub(super) fn change_because(&self, reason: Option<String>) -> Result<Change, Problem> {
        check_reason(reason.as_deref())?;
        Ok(self.change()?.because(reason))
    }

    /// For requests that carry nothing: no body, or an object without members.
    pub(super) fn nothing(&self) -> Result<(), Problem> {
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Nothing {}
        if !self.body.is_empty() {
            let Nothing {} = self.json()?;
        }
        Ok(())
    }
}

/// Why something is done.
#[derive(Deserialize, Default, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct WhyBody {
    /// The reason; kept with the change in the audit trail.
    reason: Option<String>,
}

/// A change that is made in several parts, in order.
pub(super) struct Parts {
    actor: Actor,
    key: Option<String>,
    /// Path and query.
    at: [String; 2],
    made: u64,
}

impl Parts {
    /// The parts of a change by somebody whose first part has this idempotency key, of what is at this place.
    pub(super) fn under(actor: Actor, key: String, at: [String; 2]) -> Self {
        Self {
            actor,
            key: Some(key),
            at,
            made: 0,
        }
    }

    /// The next part. `digest` tells what is in it, and whether it is the last one.
    pub(super) fn next(&mut self, digest: &[u8; 32]) -> Change {
        let part = self.made;
        self.made += 1;
        let idempotency = self.key.as_ref().map(|key| {
            let key = match part {
                0 => key.clone(),
                part => format!("{key}\0{part}"),
            };
            let [path, query] = &self.at;
            let request = [path.as_bytes(), query.as_bytes(), digest];
            Idempotency::new(self.actor, &key, &request)
        });
        Change {
            actor: self.actor,
            idempotency,
            reason: None,
        }
    }
}

/// Whether the body of a request with these headers is of this media type.
pub(super) fn is_of(headers: &HeaderMap, media_type: &str) -> bool {
    let named = headers
        .get("content-type")
        .and_then(|named| named.to_str().ok());
    let named = named.unwrap_or("application/json");
    let kind = named.split(';').next().unwrap_or_default().trim();
    kind.eq_ignore_ascii_case(media_type)
}

/// The pairs of a query string, decoded.
pub(super) fn parse_query(query: &str) -> Vec<(String, String)> {
    url::form_urlencoded::parse(query.as_bytes())
        .into_owned()
        .collect()
}

/// A segment of a path, decoded.
pub(super) fn decode_segment(segment: &str) -> Option<String> {
    percent_decode_str(segment)
        .decode_utf8()
        .ok()
        .map(|text| text.into_owned())
}
