//! The audit trail, the last first.

use serde_json::Value;

use super::{issuer, path_with};
use crate::http::audit::members;
use crate::http::console::visit::Visit;
use crate::http::edge::Edge;
use crate::http::problem::Problem;
use crate::http::reply::Reply;
use crate::http::request::Request;
use crate::ids::{ProfileId, Seq, Slug};
use crate::registry::{AuditEvent, AuditParty, AuditReason, AuditSearch};
use crate::time::{Timestamp, Ttl};
use crate::web::Moment;
use crate::web::console::{AuditLine, AuditPage, AuditSearched, Room, Trouble};

/// So many events stand on a page.
const MOST: usize = 50;

/// So many are downloaded at a time.
const MOST_DOWNLOADED: usize = 50_000;

/// A download has at most about so many bytes.
const MOST_BYTES: usize = 32 << 20;

/// So many names and values of what an event was done to are shown.
const MOST_SHOWN: usize = 24;

/// The kinds among which one can choose: each stands for all that begin so.
const KINDS: [&str; 16] = [
    "status",
    "list",
    "entries",
    "space",
    "credential",
    "endorsement",
    "request",
    "key",
    "profile",
    "achievement",
    "accreditor",
    "token",
    "client",
    "person",
    "words",
    "store",
];

/// What happened.
pub(in crate::http) fn show(edge: &Edge, request: &Request) -> Result<Reply, Problem> {
    let visit = Visit::of(edge, request)?;
    let (_, profiles) = issuer(&visit)?;
    let asked = Asked::of(&visit)?;
    let mut page = AuditPage {
        frame: visit.frame(Room::Audit),
        profiles,
        download: asked.path("/console/audit/download", None),
        kinds: KINDS.to_vec(),
        events: Vec::new(),
        next: None,
        trouble: asked.trouble.clone(),
        searched: asked.searched.clone(),
    };
    let mut code = 400;
    if page.trouble.is_none() {
        code = 200;
        let before = request
            .query_as::<u64>("cursor", "a cursor from a page before")?
            .map(Seq);
        let registry = &edge.registry;
        let named = asked.named.as_ref();
        let found = registry.search_audit(visit.actor(), named, &asked.search, before, MOST)?;
        let lines = found.events.iter().map(|event| line(&visit, event));
        page.events = lines.collect::<Result<_, _>>()?;
        page.next = found
            .next
            .map(|next| asked.path("/console/audit", Some(next)));
    }
    Ok(visit.page(code, page.html()))
}

/// The same as lines of JSON, as `/events` tells them. Where there is more than one download holds, its last line
/// says where the next one goes on.
pub(in crate::http) fn download(edge: &Edge, request: &Request) -> Result<Reply, Problem> {
    let visit = Visit::of(edge, request)?;
    let asked = Asked::of(&visit)?;
    if let Some(Trouble { words, field, .. }) = asked.trouble {
        return Err(Problem::invalid(
            &format!("?{}", field.unwrap_or_default()),
            words,
        ));
    }
    let mut before = request
        .query_as::<u64>("cursor", "a cursor from a page before")?
        .map(Seq);
    let (mut lines, mut told) = (String::new(), 0);
    loop {
        let registry = &edge.registry;
        let named = asked.named.as_ref();
        let page = registry.search_audit(visit.actor(), named, &asked.search, before, 1_000)?;
        for event in &page.events {
            lines.push_str(&members(event).to_string());
            lines.push('\n');
        }
        told += page.events.len();
        before = page.next;
        let Some(next) = before else { break };
        if told >= MOST_DOWNLOADED || lines.len() >= MOST_BYTES {
            let more =
                serde_json::json!({ "more": asked.path("/console/audit/download", Some(next)) });
            lines.push_str(&format!("{more}\n"));
            break;
        }
    }
    Ok(Reply::bytes(200, "application/x-ndjson", lines)
        .header(
            "Content-Disposition",
            "attachment; filename=\"audit.ndjson\"",
        )
        .header(
            "Content-Security-Policy",
            "sandbox; default-src 'none'; frame-ancestors 'none'",
        )
        .not_kept())
}

/// What is looked for.
struct Asked {
    named: Option<Slug>,
    searched: AuditSearched,
    search: AuditSearch,
    trouble: Option<Trouble>,
}

impl Asked {
    fn of(visit: &Visit<'_>) -> Result<Self, Problem> {
        let given = |name| {
            visit
                .request
                .query(name)
                .unwrap_or_default()
                .trim()
                .to_owned()
        };
        let searched = AuditSearched {
            profile: given("profile"),
            from: given("from"),
            until: given("until"),
            kind: given("kind"),
            by: given("by"),
        };
        let named = match (visit.actor().speaks_as(), searched.profile.as_str()) {
            (None, "") => None,
            (None, slug) => Some(visit.own_profile(slug)?.slug),
            (Some(_), _) => None,
        };
        let mut asked = Self {
            named,
            searched,
            search: AuditSearch::default(),
            trouble: None,
        };
        asked.read(visit)?;
        Ok(asked)
    }

    fn read(&mut self, visit: &Visit<'_>) -> Result<(), Problem> {
        let day = |text: &str, field: &'static str, after: Ttl| match text {
            "" => Ok(None),
            text => match format!("{text}T00:00:00Z").parse::<Timestamp>() {
                Ok(begins) => Ok(Some(begins.plus(after))),
                Err(error) => Err(Trouble {
                    english: true,
                    ..Trouble::said(error.to_string(), field)
                }),
            },
        };
        let whole = Ttl::from_seconds(86_400);
        let moments = day(&self.searched.from, "from", Ttl::from_millis(0))
            .and_then(|from| Ok((from, day(&self.searched.until, "until", whole)?)));
        match moments {
            Ok((from, until)) => (self.search.from, self.search.until) = (from, until),
            Err(trouble) => self.trouble = Some(trouble),
        }
        let kind = &self.searched.kind;
        self.search.kind = Some(kind.clone()).filter(|kind| !kind.is_empty());
        match self.searched.by.as_str() {
            "" => {}
            address if address.contains('@') => {
                let owner = match &self.named {
                    Some(slug) => visit.edge.registry.profile(slug)?.id,
                    None => visit.actor().speaks_as().unwrap_or(ProfileId::REGISTRY),
                };
                let registry = &visit.edge.registry;
                self.search.person = registry.person_with_address(visit.actor(), owner, address)?;
                if self.search.person.is_none() {
                    self.trouble =
                        Some(Trouble::said(visit.language.console("audit.by-hint"), "by"));
                }
            }
            slug => match slug.parse() {
                Ok(slug) => self.search.by = Some(AuditParty::Profile(slug)),
                Err(_) => {
                    self.trouble =
                        Some(Trouble::said(visit.language.console("audit.by-hint"), "by"));
                }
            },
        }
        Ok(())
    }

    /// The same search at a path, from an event on.
    fn path(&self, path: &str, before: Option<Seq>) -> String {
        let before = before.map(|seq| seq.to_string()).unwrap_or_default();
        let searched = &self.searched;
        let parameters = [
            ("profile", searched.profile.as_str()),
            ("from", &searched.from),
            ("until", &searched.until),
            ("kind", &searched.kind),
            ("by", &searched.by),
            ("cursor", &before),
        ];
        path_with(path, &parameters)
    }
}

fn line(visit: &Visit<'_>, event: &AuditEvent) -> Result<AuditLine, Problem> {
    let text = |value: &Value| match value {
        Value::String(text) => text.clone(),
        other => {
            let mut text = other.to_string();
            if text.len() > 400 {
                let end = (0..=400)
                    .rev()
                    .find(|at| text.is_char_boundary(*at))
                    .unwrap_or(0);
                text.truncate(end);
                text.push('…');
            }
            text
        }
    };
    let about = event.about.iter().take(MOST_SHOWN);
    Ok(AuditLine {
        id: event.seq.0,
        at: Moment(event.at),
        kind: event.name,
        who: visit.who(&event.actor)?,
        profile: event.profile.as_ref().map(ToString::to_string),
        why: match &event.reason {
            AuditReason::Given(text) => Some(text.clone()),
            AuditReason::None | AuditReason::NotHere => None,
        },
        about: about
            .map(|(name, value)| (name.clone(), text(value)))
            .collect(),
    })
}
