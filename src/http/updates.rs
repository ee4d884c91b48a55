//! `POST /status-lists/{list}/updates`: changes of status, one or many.

use std::sync::Arc;

use serde::Deserialize;
use serde_json::json;
use tokio::runtime::Handle;
use tokio::sync::mpsc;
use utoipa::ToSchema;

use super::bulk;
use super::edge::Edge;
use super::lists::check_reason;
use super::problem::Problem;
use super::reply::Reply;
use super::request::Request;
use super::routes::{Answering, Permit};
use crate::ids::ListId;
use crate::registry::{Heard, StatusTarget, StatusUpdate, Updated};

/// Changes of status.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct UpdatesBody {
    /// The changes, in order.
    updates: Vec<UpdateItem>,
    /// Why; kept with the change in the audit trail.
    reason: Option<String>,
}

/// One change of status.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct UpdateItem {
    /// The entry by its index.
    pub(super) index: Option<u64>,
    /// The entry by the credential that carries it.
    pub(super) credential_id: Option<String>,
    /// The new status: 1 sets, 0 clears.
    pub(super) status: u64,
}

pub(super) fn update(edge: &Edge, request: &Request) -> Result<Reply, Problem> {
    let list: ListId = request.param("list")?;
    if bulk::is_table(request) {
        return bulk::update(edge, request, list);
    }
    let (updates, reason) = updates_of(request)?;
    let updated = edge
        .registry
        .update_statuses(&request.change()?, list, updates, reason)?;
    Ok(updated_reply(&updated))
}

/// A body that is read in the time that handing it to another thread takes.
const SHORT: usize = 16 << 10;

/// As [`update`], where that is short to read: no thread waits for the disk then but one for all who
/// stand in line. `None`: it is to be answered by a thread that may block.
pub(super) fn update_in_line(
    edge: &Arc<Edge>,
    blocking: &Handle,
    request: &Request,
    permit: Permit,
) -> Option<Answering> {
    if request.body.len() > SHORT || bulk::is_table(request) {
        return None;
    }
    let (hear, heard) = mpsc::unbounded_channel();
    let ask = || -> Result<(), Problem> {
        let list: ListId = request.param("list")?;
        let (updates, reason) = updates_of(request)?;
        let change = request.change()?;
        let hear = move |said| {
            // Kept for as long as the request stands in line: others may make it when its caller has gone.
            let _permit = &permit;
            // Nobody hears it whose caller has gone.
            let _ = hear.send(said);
        };
        let registry = &edge.registry;
        Ok(registry.ask_for_statuses(&change, list, updates, reason, hear)?)
    };
    let (asked, edge, blocking) = (ask(), edge.clone(), blocking.clone());
    Some(Box::pin(async move {
        asked?;
        stand_in_line(edge, blocking, heard).await
    }))
}

/// Waits for the answer. Where a turn comes first, a thread that may block takes it.
async fn stand_in_line(
    edge: Arc<Edge>,
    blocking: Handle,
    mut heard: mpsc::UnboundedReceiver<Heard>,
) -> Result<Reply, Problem> {
    while let Some(said) = heard.recv().await {
        match said {
            Heard::Done(outcome) => return Ok(updated_reply(&outcome?)),
            Heard::Turn(turn) => {
                let edge = edge.clone();
                blocking.spawn_blocking(move || edge.registry.take_turn(turn));
            }
        }
    }
    Err(Problem::internal())
}

/// What a JSON body asks for, and why.
fn updates_of(request: &Request) -> Result<(Vec<StatusUpdate>, Option<String>), Problem> {
    let UpdatesBody { updates, reason } = request.json()?;
    if let Some((name, _)) = request.query.first() {
        let detail = "a JSON body gives the reason as its member; only lines need parameters";
        return Err(Problem::invalid(&format!("?{name}"), detail));
    }
    check_reason(reason.as_deref())?;
    let updates: Result<Vec<StatusUpdate>, Problem> = updates
        .iter()
        .enumerate()
        .map(|(n, item)| {
            item.parse()
                .map_err(|detail| Problem::invalid(&format!("/updates/{n}"), detail))
        })
        .collect();
    Ok((updates?, reason))
}

/// What every change of statuses is answered with.
pub(super) fn updated_reply(updated: &Updated) -> Reply {
    let Updated {
        revision,
        applied,
        refused,
        ..
    } = updated;
    Reply::json(
        200,
        &json!({ "revision": revision, "applied": applied, "refused": refused }),
    )
}

impl UpdateItem {
    /// What it asks for, or what is missing.
    pub(super) fn parse(&self) -> Result<StatusUpdate, &'static str> {
        let target = match (self.index, &self.credential_id) {
            (Some(index), None) => StatusTarget::Index(index),
            (None, Some(id)) => StatusTarget::Credential(id.clone()),
            _ => return Err("either index or credentialId is needed"),
        };
        let status = self.status;
        Ok(StatusUpdate { target, status })
    }
}
