//! Statuses of single entries: shown, and changed after it was asked whether that is meant.

use super::credentials::page_of;
use super::{purpose_words, trouble_of};
use crate::access::Action;
use crate::http::console::door::leads_to;
use crate::http::console::visit::{Sent, Visit};
use crate::http::edge::Edge;
use crate::http::problem::Problem;
use crate::http::reply::Reply;
use crate::http::request::Request;
use crate::ids::ListId;
use crate::registry::{
    EntryCarrier, EntryChange, ListOverview, RegistryError, StatusAnswer, StatusTarget,
    StatusUpdate,
};
use crate::status::StatusPurpose;
use crate::web::console::{
    ChangeLine, ConfirmPage, Deed, Done, EntryBlock, EntryPage, Room, Trouble,
};
use crate::web::{Link, Moment, Standing};

/// Leads from an index that was typed to its entry.
pub(in crate::http) fn find(_: &Edge, request: &Request) -> Result<Reply, Problem> {
    let list: ListId = request.param("list")?;
    let index = request.query_as::<u64>("index", "a whole number from 0")?;
    Ok(match index {
        Some(index) => leads_to(&entry_path(list, index)),
        None => leads_to(&format!("/console/lists/{list}")),
    })
}

/// Shows an entry, and who carries it.
pub(in crate::http) fn show(edge: &Edge, request: &Request) -> Result<Reply, Problem> {
    let visit = Visit::of(edge, request)?;
    let (list, index) = place(request)?;
    let carrier = edge.registry.carrier_of(visit.actor(), list, index)?;
    let entry = match &carrier {
        EntryCarrier::Free => None,
        carrier => {
            let is_over = matches!(carrier, EntryCarrier::Credential(found)
                if found.outcome == crate::registry::Outcome::Revoked);
            let mut entry = block(&visit, (list, index), &answer(edge, list, index)?, is_over)?;
            if matches!(carrier, EntryCarrier::Endorsement(_)) {
                // How an endorsement stands is changed where endorsements are.
                entry.deeds.clear();
            }
            Some(entry)
        }
    };
    let page = EntryPage {
        frame: visit.frame(Room::Lists),
        index: index.to_string(),
        carrier: told(edge, list, &carrier)?,
        entry,
    };
    Ok(visit.page(200, page.html()))
}

/// Asks whether a change is meant.
pub(in crate::http) fn ask(edge: &Edge, request: &Request) -> Result<Reply, Problem> {
    let visit = Visit::of(edge, request)?;
    let to = request.query_as::<u8>("to", "a status that the list can hold")?;
    confirm(&visit, 200, to.unwrap_or(1), "", None)
}

/// Makes a change.
pub(in crate::http) fn change(edge: &Edge, request: &Request) -> Result<Reply, Problem> {
    let sent = Sent::of(edge, request)?;
    let (list, index) = place(request)?;
    let bad = || Problem::invalid("/status", "a status that the list can hold is needed");
    let status: u8 = sent.field("status").parse().map_err(|_| bad())?;
    let carrier = edge.registry.carrier_of(sent.visit.actor(), list, index)?;
    if matches!(carrier, EntryCarrier::Endorsement(_)) {
        let detail =
            "the entry is an endorsement's, which is revoked and suspended on its own page";
        return Err(Problem::invalid("/index", detail));
    }
    let reason = match sent.needed_reason() {
        Ok(reason) => reason,
        Err(trouble) => return confirm(&sent.visit, 400, status, "", Some(trouble)),
    };
    let updates = vec![StatusUpdate {
        target: StatusTarget::Index(index),
        status: status.into(),
    }];
    let made = sent.change().and_then(|change| {
        let made = edge
            .registry
            .update_statuses(&change, list, updates, Some(reason.clone()));
        made.map_err(|error| match error {
            RegistryError::AllRefused(refused) if !refused.is_empty() => {
                Problem::invalid("/status", refused[0].reason.clone())
            }
            error => error.into(),
        })
    });
    if let Err(problem) = made {
        let (status_code, trouble) = trouble_of(sent.visit.language, problem)?;
        return confirm(&sent.visit, status_code, status, &reason, Some(trouble));
    }
    let back = back(edge, list, index, &carrier)?;
    Ok(sent.done(&back, Done::StatusChanged))
}

fn confirm(
    visit: &Visit<'_>,
    code: u16,
    to: u8,
    reason: &str,
    trouble: Option<Trouble>,
) -> Result<Reply, Problem> {
    let (edge, (list, index)) = (visit.edge, place(visit.request)?);
    let overview = edge.registry.list_overview(visit.actor(), list)?;
    let carrier = edge.registry.carrier_of(visit.actor(), list, index)?;
    let answer = answer(edge, list, index)?;
    let page = ConfirmPage {
        frame: visit.frame(Room::Credentials),
        deed: deed(&overview, answer.status, to),
        carrier: told(edge, list, &carrier)?,
        index: index.to_string(),
        standing: Standing(answer.outcome),
        action: change_path(list, index),
        back: back(edge, list, index, &carrier)?,
        status: to.to_string(),
        message: overview.messages.get(usize::from(to)).cloned(),
        reason: reason.to_owned(),
        keys: visit.keys(),
        trouble,
    };
    Ok(visit.page(code, page.html()))
}

/// An entry as it is shown, with what can be done to it.
pub(super) fn block(
    visit: &Visit<'_>,
    (list, index): (ListId, u64),
    answer: &StatusAnswer,
    is_over: bool,
) -> Result<EntryBlock, Problem> {
    let registry = &visit.edge.registry;
    let overview = registry.list_overview(visit.actor(), list)?;
    let told = registry.entry_changes(visit.actor(), list, index)?;
    let changes = told.changes.iter().rev().map(|change| line(visit, change));
    let from_the_start = told.known_from <= overview.created_at;
    let deeds = match visit.can(Action::WriteStatus) {
        true => deeds(&overview, answer.status, is_over),
        false => Vec::new(),
    };
    Ok(EntryBlock {
        purpose: purpose_words(&answer.purpose),
        place: Link::here(&entry_path(list, index), &index.to_string()),
        list: Link::here(&format!("/console/lists/{list}"), &list.to_string()),
        standing: Standing(answer.outcome),
        message: answer.message.clone(),
        status: answer.status,
        changes: changes.collect::<Result<_, _>>()?,
        known_from: (!from_the_start).then_some(Moment(told.known_from)),
        deeds: deeds
            .into_iter()
            .map(|to| {
                let message = overview.messages.get(usize::from(to)).cloned();
                let path = format!("{}?to={to}", change_path(list, index));
                (deed(&overview, answer.status, to), message, path)
            })
            .collect(),
    })
}

/// The statuses that an entry can be given.
fn deeds(list: &ListOverview, status: u8, is_over: bool) -> Vec<u8> {
    if (list.purpose.is_final() && status != 0) || (is_over && list.purpose.invalidates(1)) {
        return Vec::new();
    }
    let known = match list.messages.len() {
        0 => 2,
        messages => messages.min(usize::from(list.size.maximum()) + 1),
    };
    let all = 0..u8::try_from(known).unwrap_or(u8::MAX);
    all.filter(|to| *to != status).collect()
}

const fn deed(list: &ListOverview, status: u8, to: u8) -> Deed {
    match (&list.purpose, to) {
        (StatusPurpose::Revocation, _) => Deed::Revoke,
        (StatusPurpose::Suspension, 0) => Deed::Reinstate,
        (StatusPurpose::Suspension, _) => Deed::Suspend,
        (_, 0) if status != 0 => Deed::Clear,
        _ => Deed::Set,
    }
}

fn line(visit: &Visit<'_>, change: &EntryChange) -> Result<ChangeLine, Problem> {
    use crate::registry::AuditReason;
    let who = match &change.actor {
        Some(actor) => visit.who(actor)?,
        None => visit.language.console("audit.who-unknown").to_owned(),
    };
    Ok(ChangeLine {
        at: Moment(change.at),
        standing: Standing(change.answer.outcome),
        message: change.answer.message.clone(),
        who,
        why: match &change.reason {
            AuditReason::Given(text) => Some(text.clone()),
            AuditReason::None | AuditReason::NotHere => None,
        },
        event: change
            .event
            .filter(|_| visit.can(Action::ReadEvents))
            .map(|event| {
                let path = format!("/console/audit?cursor={}#event-{event}", event.0 + 1);
                Link::here(&path, &format!("#{event}"))
            }),
    })
}

/// What an entry says now.
fn answer(edge: &Edge, list: ListId, index: u64) -> Result<StatusAnswer, Problem> {
    let url = edge.registry.urls().list(list);
    let told = edge.registry.status_at(&url, index, None, None)?;
    told.map_err(Problem::from)
}

/// Who carries an entry, in words.
fn told(
    edge: &Edge,
    list: ListId,
    carrier: &EntryCarrier,
) -> Result<(&'static str, Option<Link>), Problem> {
    Ok(match carrier {
        EntryCarrier::Credential(found) => {
            let slug = edge.registry.profile_numbered(list.owner())?.slug;
            let page = Link::here(&page_of(slug.as_str(), &found.id), &found.id);
            ("carrier.credential", Some(page))
        }
        EntryCarrier::Endorsement(url) => {
            let path = url
                .strip_prefix(edge.registry.urls().origin())
                .unwrap_or(url);
            ("carrier.endorsement", Some(Link::here(path, url)))
        }
        EntryCarrier::NotNamed => ("carrier.not-named", None),
        EntryCarrier::Free => ("carrier.free", None),
    })
}

/// The page that somebody came from.
fn back(edge: &Edge, list: ListId, index: u64, carrier: &EntryCarrier) -> Result<String, Problem> {
    Ok(match carrier {
        EntryCarrier::Credential(found) => {
            let slug = edge.registry.profile_numbered(list.owner())?.slug;
            page_of(slug.as_str(), &found.id)
        }
        _ => entry_path(list, index),
    })
}

fn place(request: &Request) -> Result<(ListId, u64), Problem> {
    Ok((request.param("list")?, request.param("index")?))
}

/// The page of an entry.
pub(super) fn entry_path(list: ListId, index: u64) -> String {
    format!("/console/lists/{list}/entries/{index}")
}

fn change_path(list: ListId, index: u64) -> String {
    format!("{}/change", entry_path(list, index))
}
