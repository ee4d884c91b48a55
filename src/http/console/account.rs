//! Who is signed in, and their passphrase.

use super::door::to_sign_in;
use super::{Sent, Visit};
use crate::http::edge::Edge;
use crate::http::problem::Problem;
use crate::http::reply::Reply;
use crate::http::request::Request;
use crate::registry::SignInRefused;
use crate::web::console::{AccountPage, Done, Room, Trouble};

pub(in crate::http) fn show(edge: &Edge, request: &Request) -> Result<Reply, Problem> {
    Ok(page(&Visit::of(edge, request)?, 200, None))
}

/// Gives whoever is signed in another passphrase, which ends all sessions but a new one.
pub(in crate::http) fn change_passphrase(edge: &Edge, request: &Request) -> Result<Reply, Problem> {
    let sent = Sent::of(edge, request)?;
    let (present, new) = (sent.secret("present"), sent.secret("passphrase"));
    let changed = match new == sent.secret("again") {
        true => edge
            .registry
            .change_passphrase(&sent.visit.visitor, present, new),
        false => {
            let words = sent.visit.language.console("account.not-the-same");
            let trouble = Trouble::said(words, "again");
            return Ok(page(&sent.visit, 400, Some(trouble)));
        }
    };
    let field = match &changed {
        Ok(()) => {
            let to = format!("/console/account?done={}", Done::PassphraseChanged.as_str());
            return Ok(to_sign_in(&to));
        }
        Err(SignInRefused::Registry(error)) => return Err(error.clone().into()),
        Err(SignInRefused::Weak(_)) => "passphrase",
        Err(_) => "present",
    };
    let words = changed
        .err()
        .map(|refused| refused.to_string())
        .unwrap_or_default();
    let trouble = Trouble {
        english: true,
        ..Trouble::said(words, field)
    };
    Ok(page(&sent.visit, 403, Some(trouble)))
}

fn page(visit: &Visit<'_>, status: u16, trouble: Option<Trouble>) -> Reply {
    let person = visit.visitor.person.as_ref();
    let may = person.map(|person| person.role.actions());
    let page = AccountPage {
        frame: visit.frame(Room::Account),
        person: person.map(|person| (person.email.clone(), person.id.to_string())),
        may: may
            .into_iter()
            .flat_map(|actions| actions.iter())
            .filter_map(|action| visit.language.known(&format!("scope.{}", action.scope())))
            .collect(),
        until: visit.language.moment(visit.visitor.until),
        keys: visit.keys(),
        trouble,
    };
    visit.page(status, page.html())
}
