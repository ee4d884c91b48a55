//! A page that somebody who is signed in asks for, and a form that they send.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::door::{leads_to, not_signed_in, visitor};
use crate::access::Action;
use crate::http::edge::{Edge, Mode};
use crate::http::lists::check_reason;
use crate::http::multipart::{self, Part};
use crate::http::oauth;
use crate::http::problem::Problem;
use crate::http::reply::Reply;
use crate::http::request::Request;
use crate::oauth::Form;
use crate::oauth::form_token::FormCheck;
use crate::registry::{Actor, Change, Idempotency, Visitor};
use crate::web::Language;
use crate::web::console::{Done, FormKeys, Frame, Room, Who};

/// A page that somebody who is signed in asks for.
pub(super) struct Visit<'a> {
    pub(super) edge: &'a Edge,
    pub(super) request: &'a Request,
    pub(super) visitor: Visitor,
    pub(super) language: Language,
}

/// A form that somebody who is signed in sent, from a page of this session.
pub(super) struct Sent<'a> {
    pub(super) visit: Visit<'a>,
    form: Form,
}

impl<'a> Visit<'a> {
    pub(super) fn of(edge: &'a Edge, request: &'a Request) -> Result<Self, Problem> {
        let visitor = visitor(edge, &request.headers)?.ok_or_else(not_signed_in)?;
        Ok(Self {
            edge,
            request,
            visitor,
            language: request.frame().language,
        })
    }

    /// Whom the visitor acts for, in this request.
    pub(super) fn actor(&self) -> Actor {
        self.visitor.actor().in_request(self.request.id)
    }

    /// Whether the visitor may do this with what is theirs.
    pub(super) fn can(&self, action: Action) -> bool {
        self.actor().can(action)
    }

    /// What is around each page.
    pub(super) fn frame(&self, room: Room) -> Frame {
        let who = match &self.visitor.person {
            None => Who::Development,
            Some(person) => Who::Person {
                name: person.name.clone(),
                role: person.role,
                profile: person.profile.as_ref().map(ToString::to_string),
            },
        };
        Frame {
            around: self.request.frame(),
            who,
            room,
            rooms: Room::ALL
                .into_iter()
                .filter(|room| self.enters(*room))
                .collect(),
            form: self.form_token(),
            done: self.request.query("done").and_then(Done::named),
        }
    }

    fn enters(&self, room: Room) -> bool {
        let is_there = room != Room::Account || self.visitor.person.is_some();
        is_there && room.needs().is_none_or(|action| self.can(action))
    }

    fn form_token(&self) -> String {
        let session = self.visitor.session();
        let forms = self.edge.registry.forms();
        forms.sign_until(&[FORM, &session], self.visitor.until)
    }

    /// The hidden fields of a form: what shows that it is this session's, and by what a form that is sent twice
    /// is known.
    pub(super) fn keys(&self) -> FormKeys {
        FormKeys {
            form: self.form_token(),
            once: URL_SAFE_NO_PAD.encode(self.edge.registry.random::<16>()),
        }
    }

    /// A page, which nobody keeps and no other site shows.
    pub(super) fn page(&self, status: u16, html: String) -> Reply {
        let mut reply = Reply::html(html);
        reply.status = status;
        reply.header("X-Frame-Options", "DENY").not_kept()
    }
}

const FORM: &str = "console";

impl<'a> Sent<'a> {
    /// Reads a form.
    ///
    /// # Errors
    /// It is of another session, of none, or comes from a page of another site.
    pub(super) fn of(edge: &'a Edge, request: &'a Request) -> Result<Self, Problem> {
        let form = fields(edge, request)?;
        Self::checked(Visit::of(edge, request)?, form)
    }

    /// Reads a form with files in it, which stand beside the fields.
    pub(super) fn with_files(
        edge: &'a Edge,
        request: &'a Request,
    ) -> Result<(Self, Vec<Part>), Problem> {
        check_site(edge, request)?;
        let parts = multipart::parts(request).map_err(|problem| match problem.status {
            415 => not_ours("it is no form with a file in it"),
            _ => problem,
        })?;
        let (files, fields): (Vec<Part>, Vec<Part>) =
            parts.into_iter().partition(|part| part.file.is_some());
        let fields = fields.into_iter().map(|part| {
            let value = String::from_utf8(part.body.to_vec());
            let value = value.map_err(|_| Problem::invalid("", "a field of the form is not text"));
            Ok((part.name, value?))
        });
        let fields: Vec<(String, String)> = fields.collect::<Result<_, Problem>>()?;
        let form = Form::of(fields).map_err(|error| Problem::invalid("", error.description))?;
        Ok((Self::checked(Visit::of(edge, request)?, form)?, files))
    }

    fn checked(visit: Visit<'a>, form: Form) -> Result<Self, Problem> {
        let edge = visit.edge;
        let given = form.get("form").unwrap_or_default();
        let session = visit.visitor.session();
        let check = edge
            .registry
            .forms()
            .check(given, &[FORM, &session], edge.registry.now());
        match check {
            FormCheck::Good => Ok(Self { visit, form }),
            FormCheck::Bad => Err(not_ours(
                "it was opened before you signed in last, or by somebody else; open the page again",
            )),
        }
    }

    /// A field without the spaces around it; empty where it is not there.
    pub(super) fn field(&self, name: &str) -> &str {
        self.form.get(name).unwrap_or_default().trim()
    }

    /// Whether the form had a field and something in it, were it spaces.
    pub(super) fn has(&self, name: &str) -> bool {
        self.form.get(name).is_some()
    }

    /// A field where something is in it.
    pub(super) fn given(&self, name: &str) -> Option<&str> {
        Some(self.field(name)).filter(|value| !value.is_empty())
    }

    /// A secret, letter for letter.
    pub(super) fn secret(&self, name: &str) -> &str {
        self.form.get(name).unwrap_or_default()
    }

    /// Why something is done, in the field `reason`.
    pub(super) fn reason(&self) -> Result<Option<String>, Problem> {
        let reason = self.given("reason");
        check_reason(reason)?;
        Ok(reason.map(str::to_owned))
    }

    /// What the form changes. Sent twice it changes it once: the second time is answered as the first.
    pub(super) fn change(&self) -> Result<Change, Problem> {
        let (request, actor) = (self.visit.request, self.visit.actor());
        let once = self.field("once");
        if !(16..=64).contains(&once.len()) {
            return Err(not_ours(
                "it lacks what tells it from others; open the page again",
            ));
        }
        // Who goes back and sends something else means something else.
        let said: [&[u8]; 2] = [request.path.as_bytes(), &request.body];
        let session = self.visit.visitor.session();
        let key = format!(
            "console {session} {once} {}",
            crate::registry::text_tag(said.concat())
        );
        Ok(Change {
            actor,
            idempotency: Some(Idempotency::new(actor, &key, &said)),
            reason: None,
        })
    }

    /// Leads on to a page, which says what was done.
    pub(super) fn done(&self, place: &str, done: Done) -> Reply {
        let joint = if place.contains('?') { '&' } else { '?' };
        leads_to(&format!("{place}{joint}done={}", done.as_str()))
    }
}

/// The fields of a form that a page of this registry sent (the headers are the browser's own words).
pub(super) fn fields(edge: &Edge, request: &Request) -> Result<Form, Problem> {
    check_site(edge, request)?;
    oauth::form(request).map_err(|error| Problem::invalid("", error.description))
}

fn check_site(edge: &Edge, request: &Request) -> Result<(), Problem> {
    let site = request.header("sec-fetch-site");
    if site.is_some_and(|site| site != "same-origin") || !is_from_here(edge, request) {
        return Err(not_ours("it comes from a page of another site"));
    }
    Ok(())
}

/// Whether a form comes from a page of this registry, as far as the browser says. Development mode has looked
/// at it before, and is reached by several names.
fn is_from_here(edge: &Edge, request: &Request) -> bool {
    let origin = request
        .headers
        .get("origin")
        .map(|origin| origin.as_bytes());
    let own = edge.registry.urls().origin().as_bytes();
    edge.mode == Mode::Development || origin.is_none_or(|origin| origin == own)
}

fn not_ours(detail: &str) -> Problem {
    let title = "This form is not taken";
    let detail = format!("nothing was changed: {detail}");
    Problem::new(403, "form-refused", title, detail)
}
