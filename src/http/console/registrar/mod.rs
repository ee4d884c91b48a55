//! What registrars do: find credentials, change their statuses one by one or by the table, look after
//! lists and keys, and read what happened.

pub(in crate::http) mod audit;
pub(in crate::http) mod credentials;
pub(in crate::http) mod keys;
pub(in crate::http) mod lists;
pub(in crate::http) mod statuses;
pub(in crate::http) mod uploads;

use super::overview::choices;
use super::visit::{Sent, Visit};
use super::wanted::refused;
use crate::http::problem::Problem;
use crate::ids::{ClientId, PersonId, Slug};
use crate::registry::{AuditActor, AuditParty, ProfileView, RegistryError, Thing};
use crate::status::StatusPurpose;
use crate::store::event::Means;
use crate::web::Language;
use crate::web::console::{ProfileChoice, Trouble};

/// The issuer that a page is about, where that is settled, and those among which one can choose.
fn issuer(visit: &Visit<'_>) -> Result<(Option<ProfileView>, Vec<ProfileChoice>), Problem> {
    let among = visit.profiles()?;
    let profile = visit.profile(&among)?;
    let choices = choices(visit.language, &among, profile.as_ref());
    Ok((profile, choices))
}

impl Visit<'_> {
    /// The profile with this slug, where the visitor acts for it; another is told of like one that is not
    /// here.
    fn own_profile(&self, slug: &str) -> Result<ProfileView, Problem> {
        let none = || RegistryError::NotFound(Thing::Profile, slug.to_owned());
        let parsed: Slug = slug.parse().map_err(|_| none())?;
        let profile = self.edge.registry.profile(&parsed)?;
        match self.actor().speaks_as() {
            Some(own) if own != profile.id => Err(none().into()),
            _ => Ok(profile),
        }
    }

    /// Who did something, in words.
    fn who(&self, actor: &AuditActor) -> Result<String, Problem> {
        let t = |key| self.language.console(key);
        let party = match &actor.party {
            AuditParty::Registry => t("audit.who-registry").to_owned(),
            AuditParty::Development => t("audit.who-development").to_owned(),
            AuditParty::Anonymous => t("audit.who-anonymous").to_owned(),
            AuditParty::Profile(slug) => slug.to_string(),
        };
        let person = |id: [u8; 16]| {
            let id = PersonId::from_bytes(id);
            let name = self.edge.registry.person_called(self.actor(), id)?;
            let name = name.unwrap_or_else(|| format!("{} {id}", t("audit.who-person")));
            Ok::<_, Problem>(format!("{name} ({party})"))
        };
        Ok(match actor.means {
            Means::None => party,
            Means::Person(id) | Means::PersonBy { person: id, .. } => person(id)?,
            Means::Token(_) => format!("{party}, {}", t("audit.who-token")),
            Means::Client(id) => {
                format!(
                    "{party}, {} {}",
                    t("audit.who-client"),
                    ClientId::from_bytes(id)
                )
            }
            Means::Outside(_) => format!("{party}, {}", t("audit.who-outside")),
        })
    }
}

impl Sent<'_> {
    /// The reason that a form has to give.
    fn needed_reason(&self) -> Result<String, Trouble> {
        match self.reason() {
            Ok(Some(reason)) => Ok(reason),
            Ok(None) => Err(Trouble::said(
                self.visit.language.console("confirm.reason-needed"),
                "reason",
            )),
            Err(problem) => Err(refused(self.visit.language, problem, Some("reason"))),
        }
    }
}

/// What was wrong with a form, where it was the form; everything else is a problem of its own.
fn trouble_of(language: Language, problem: Problem) -> Result<(u16, Trouble), Problem> {
    match problem.status {
        400 | 409 | 412 | 422 | 429 => Ok((problem.status, refused(language, problem, None))),
        _ => Err(problem),
    }
}

/// What a list is for: the key of the words, and the list's own word.
fn purpose_words(purpose: &StatusPurpose) -> (&'static str, String) {
    let key = match purpose {
        StatusPurpose::Revocation => "purpose.revocation",
        StatusPurpose::Suspension => "purpose.suspension",
        StatusPurpose::Refresh => "purpose.refresh",
        StatusPurpose::Message => "purpose.message",
        StatusPurpose::Other(_) => "purpose.other",
    };
    (key, purpose.as_str().to_owned())
}

/// A path with these parameters.
fn path_with(path: &str, parameters: &[(&str, &str)]) -> String {
    let mut query = url::form_urlencoded::Serializer::new(String::new());
    query.extend_pairs(parameters.iter().filter(|(_, value)| !value.is_empty()));
    let query = query.finish();
    match query.is_empty() {
        true => path.to_owned(),
        false => format!("{path}?{query}"),
    }
}

/// Between thousands, as a language writes them.
fn apart(language: Language) -> char {
    language
        .console("chart.apart")
        .chars()
        .next()
        .unwrap_or(' ')
}
