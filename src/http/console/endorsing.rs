//! Endorsing of one's own accord, and renewing what ends or has changed: fill in, look at what would be signed,
//! confirm.

use serde_json::json;

use super::overview::choices;
use super::requests::{carried, date, members, pretty};
use super::wanted::{Wanted, fields, trouble};
use super::{Sent, Visit};
use crate::access::Action;
use crate::badges::{Scope, SubjectKind};
use crate::http::edge::Edge;
use crate::http::problem::Problem;
use crate::http::reply::Reply;
use crate::http::request::Request;
use crate::ids::EndorsementId;
use crate::registry::{EndorsementView, NewEndorsement, RegistryError, Thing};
use crate::time::{Timestamp, Ttl};
use crate::vc::securing::Securing;
use crate::web::Link;
use crate::web::console::{
    Done, EndorseChoice, EndorseForm, EndorsePage, EndorsementFields, PreviewPage, Room, Trouble,
};

/// The form, empty or with what an endorsement says that is to be renewed.
pub(in crate::http) fn form(edge: &Edge, request: &Request) -> Result<Reply, Problem> {
    let visit = Visit::of(edge, request)?;
    let form = match request.query_as("renews", "the id of an endorsement")? {
        Some(id) => renewal(&visit, &visit.own_endorsement(id)?)?,
        None => EndorseForm {
            endorser: visit
                .request
                .query("profile")
                .unwrap_or_default()
                .to_owned(),
            subject: visit
                .request
                .query("subject")
                .unwrap_or_default()
                .to_owned(),
            kind: SubjectKind::Profile.as_str().to_owned(),
            ..EndorseForm::default()
        },
    };
    page(&visit, 200, form, None)
}

/// What an endorsement says, for another one that goes on from it: from its end, or from now where its subject
/// has changed; for as long as before, and no longer than one that has no end.
fn renewal(visit: &Visit<'_>, view: &EndorsementView) -> Result<EndorseForm, Problem> {
    let registry = &visit.edge.registry;
    let secured = view.credential.secured();
    let claims = secured.claims();
    let text = |pointer: &str| {
        let text = claims.pointer(pointer).and_then(|text| text.as_str());
        text.unwrap_or_default().to_owned()
    };
    let now = registry.now();
    let begins = view.valid_until.filter(|until| *until > now).map(day_of);
    let until = view.valid_until.map(|until| {
        let lasted = until.millis().saturating_sub(view.valid_from.millis());
        let from = until.max(now);
        day_of(from.plus(Ttl::from_millis(u64::try_from(lasted).unwrap_or(0))))
    });
    let bound = claims
        .pointer("/relatedResource/0/digestMultibase")
        .is_some();
    Ok(EndorseForm {
        endorser: registry.profile_numbered(view.id.owner())?.slug.to_string(),
        subject: view.subject.clone(),
        kind: view.kind.as_str().to_owned(),
        role: String::new(),
        bind: bound,
        renews: view.id.to_string(),
        covers: view.scope.as_ref().map(Scope::words).unwrap_or_default(),
        fields: EndorsementFields {
            name: text("/name"),
            comment: text("/credentialSubject/endorsementComment"),
            // A changed subject needs another one at once.
            valid_from: begins.filter(|_| !bound).map(date).unwrap_or_default(),
            valid_until: until.map(date).unwrap_or_default(),
            suspendable: visit.is_suspendable(view),
        },
    })
}

/// The day that a moment is in, at its beginning.
fn day_of(at: Timestamp) -> Timestamp {
    let text = format!("{}T00:00:00Z", date(at));
    text.parse().unwrap_or(at)
}

/// Shows the endorsement as it would be signed, or the form again.
pub(in crate::http) fn preview(edge: &Edge, request: &Request) -> Result<Reply, Problem> {
    let sent = Sent::of(edge, request)?;
    if sent.given("back").is_some() {
        return again(&sent, 200, None);
    }
    let new = match wanted(&sent) {
        Ok(new) => new,
        Err(unread) => return unread.shown(&sent),
    };
    let unsigned = match edge.registry.endorsement_preview(&sent.change()?, &new) {
        Ok(unsigned) => unsigned,
        Err(error) => return Unread::from(error).shown(&sent),
    };
    let mut hidden = carried(&sent);
    for name in ["endorser", "subject", "kind", "role", "bind", "renews"] {
        if let Some(value) = sent.given(name) {
            hidden.push((name.to_owned(), value.to_owned()));
        }
    }
    let visit = &sent.visit;
    let page = PreviewPage {
        frame: visit.frame(Room::Endorse),
        confirm: "/console/endorse".to_owned(),
        back: "/console/endorse/preview".to_owned(),
        carried: hidden,
        members: members(visit, &unsigned)?,
        document: pretty(&unsigned),
        keys: visit.keys(),
    };
    Ok(visit.page(200, page.html()))
}

/// Issues what was shown.
pub(in crate::http) fn endorse(edge: &Edge, request: &Request) -> Result<Reply, Problem> {
    let sent = Sent::of(edge, request)?;
    let new = match wanted(&sent) {
        Ok(new) => new,
        Err(unread) => return unread.shown(&sent),
    };
    match edge.registry.endorse(&sent.change()?, &new) {
        Ok(view) => {
            let place = format!("/console/endorsements/{}", view.id);
            Ok(sent.done(&place, Done::Endorsed))
        }
        Err(error) => Unread::from(error).shown(&sent),
    }
}

/// Why a form gives no endorsement.
enum Unread {
    Field(Trouble),
    Problem(Problem),
}

impl Unread {
    /// The form once more, with what is wrong.
    fn shown(self, sent: &Sent<'_>) -> Result<Reply, Problem> {
        let (status, trouble) = match self {
            Self::Field(trouble) => (422, trouble),
            Self::Problem(problem) => trouble(sent.visit.language, problem)?,
        };
        again(sent, status, Some(trouble))
    }
}

impl From<Problem> for Unread {
    fn from(problem: Problem) -> Self {
        Self::Problem(problem)
    }
}

impl From<RegistryError> for Unread {
    fn from(error: RegistryError) -> Self {
        Self::Problem(error.into())
    }
}

fn wanted(sent: &Sent<'_>) -> Result<NewEndorsement, Unread> {
    let visit = &sent.visit;
    let registry = &visit.edge.registry;
    let wanted = Wanted::read(sent).map_err(Unread::Field)?;
    let endorser = match visit.actor().speaks_as() {
        Some(own) => own,
        None => {
            registry
                .profile_named(sent.field("endorser"), "/endorser")?
                .id
        }
    };
    let subject = sent.field("subject").to_owned();
    let kind = crate::http::endorsements::parse_kind(sent.field("kind"), "/subject")?;
    let scope = match (sent.given("renews"), sent.given("role")) {
        (Some(id), _) => {
            let id: EndorsementId = id
                .parse()
                .map_err(|_| Problem::no_route("/console/endorse"))?;
            visit.own_endorsement(id)?.scope
        }
        (None, Some(role)) => {
            crate::http::endorsements::parse_scope(Some(&json!({ "role": [role] })))?
        }
        (None, None) => None,
    };
    let digest = match sent.given("bind") {
        None => None,
        Some(_) => match registry.present_digest(&subject)? {
            None => {
                let words = visit.language.console("endorse.not-here");
                return Err(Unread::Field(Trouble::said(words, "subject")));
            }
            present => present,
        },
    };
    Ok(NewEndorsement {
        endorser,
        subject,
        kind,
        digest,
        scope,
        name: wanted.name.unwrap_or_default(),
        comment: wanted.comment,
        valid_from: wanted.valid_from,
        valid_until: wanted.valid_until,
        awarded_date: None,
        suspendable: wanted.suspendable,
        securing: Securing::default(),
    })
}

/// The form once more, with what was filled in.
fn again(sent: &Sent<'_>, status: u16, trouble: Option<Trouble>) -> Result<Reply, Problem> {
    let field = |name: &str| sent.field(name).to_owned();
    let covers = match sent.given("renews").map(str::parse::<EndorsementId>) {
        Some(Ok(id)) => {
            let scope = sent.visit.own_endorsement(id)?.scope;
            scope.as_ref().map(Scope::words).unwrap_or_default()
        }
        _ => Vec::new(),
    };
    let form = EndorseForm {
        endorser: field("endorser"),
        subject: field("subject"),
        kind: field("kind"),
        role: field("role"),
        bind: sent.given("bind").is_some(),
        renews: field("renews"),
        covers,
        fields: fields(sent),
    };
    page(&sent.visit, status, form, trouble)
}

fn page(
    visit: &Visit<'_>,
    status: u16,
    form: EndorseForm,
    trouble: Option<Trouble>,
) -> Result<Reply, Problem> {
    let profiles = visit.profiles()?;
    let mut endorsers = choices(visit.language, &profiles, None);
    for choice in &mut endorsers {
        choice.chosen = choice.slug == form.endorser;
    }
    let choose = |values: &[(&'static str, &'static str)], chosen: &str| {
        let choice = |(value, key): &(&'static str, &'static str)| EndorseChoice {
            value,
            key,
            chosen: *value == chosen,
        };
        values.iter().map(choice).collect::<Vec<_>>()
    };
    let page = EndorsePage {
        frame: visit.frame(Room::Endorse),
        endorsers,
        kinds: choose(
            &[
                ("profile", "kind.profile"),
                ("achievement", "kind.achievement"),
                ("credential", "kind.credential"),
            ],
            &form.kind,
        ),
        roles: choose(
            &[
                ("", "role-of.any"),
                ("issuer", "role-of.issuer"),
                ("accreditor", "role-of.accreditor"),
            ],
            &form.role,
        ),
        renewed: (!form.renews.is_empty()).then(|| {
            let path = format!("/console/endorsements/{}", form.renews);
            Link::here(&path, visit.language.console("request.renewed"))
        }),
        form,
        keys: visit.keys(),
        trouble,
    };
    Ok(visit.page(status, page.html()))
}

impl Visit<'_> {
    /// An endorsement by whom the visitor acts for; of others' this console says nothing.
    pub(super) fn own_endorsement(&self, id: EndorsementId) -> Result<EndorsementView, Problem> {
        let registry = &self.edge.registry;
        match self.actor().may(Action::Read, id.owner()) {
            true => Ok(registry.endorsement(id, None)?),
            false => {
                let url = registry.urls().endorsement(id);
                Err(RegistryError::NotFound(Thing::Endorsement, url).into())
            }
        }
    }

    /// Whether an endorsement has an entry by which it can be suspended.
    pub(super) fn is_suspendable(&self, view: &EndorsementView) -> bool {
        let secured = view.credential.secured();
        let status = &secured.claims()["credentialStatus"];
        let entries = status
            .as_array()
            .map_or(std::slice::from_ref(status), Vec::as_slice);
        entries
            .iter()
            .any(|entry| entry["statusPurpose"] == "suspension")
    }
}
