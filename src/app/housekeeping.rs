//! What a running registry does of its own accord, again and again: lists are renewed, new keys take
//! over, the issuers of imported endorsements are asked, and what need not be kept is forgotten. Of several
//! processes that share a store the one that leads does it, and stops at the next step where it leads no
//! more.

use std::sync::Arc;
use std::time::Duration;

use tokio::task::{AbortHandle, spawn_blocking};
use tokio::time::MissedTickBehavior;
use tracing::{debug, info, warn};

use super::watch;
use crate::http::Edge;
use crate::registry::{Registry, RegistryError};
use crate::verify::Options;

/// Runs until it is dropped.
pub(super) struct Housekeeping(Vec<AbortHandle>);

impl Drop for Housekeeping {
    fn drop(&mut self) {
        self.0.iter().for_each(AbortHandle::abort);
    }
}

/// Starts everything.
pub(super) fn start(edge: &Arc<Edge>) -> Housekeeping {
    Housekeeping(vec![
        every(Duration::from_secs(10), edge, renew_lists),
        every(Duration::from_secs(1), edge, rotate_keys),
        every(Duration::from_secs(60), edge, follow_imports),
        every(Duration::from_secs(3_600), edge, |edge| {
            forget(&edge.registry)
        }),
        watch::start(edge.registry.clone()),
    ])
}

/// Does `work` at once and then each `period`, on a thread that may block. Where it takes longer
/// than that, the next time comes a period after it.
fn every(period: Duration, edge: &Arc<Edge>, work: fn(&Edge)) -> AbortHandle {
    let edge = edge.clone();
    let task = tokio::spawn(async move {
        let mut ticks = tokio::time::interval(period);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            // There is nothing that it could write, or another process does it.
            if !does_it(&edge.registry) {
                continue;
            }
            let edge = edge.clone();
            if spawn_blocking(move || work(&edge)).await.is_err() {
                warn!("work in the background ended by a panic; it is done again in its turn");
            }
        }
    });
    task.abort_handle()
}

/// Whether this process does what one is enough for. Where two do for a moment, one of them does it for
/// nothing: every step is decided on what is stored.
fn does_it(registry: &Registry) -> bool {
    registry.takes_changes() && registry.leads()
}

/// At most so many lists are renewed in one turn, so that it ends.
const RENEWED_AT_ONCE: usize = 4_096;

fn renew_lists(edge: &Edge) {
    match edge.registry.renew_lists(RENEWED_AT_ONCE) {
        Ok(0) => {}
        Ok(count) => info!(count, "renewed lists ahead of their end"),
        Err(problem) => warn!(error = problem.kind(), "lists could not be renewed"),
    }
}

/// At most so many lists are signed in one turn by keys that take over.
const TAKEN_OVER_AT_ONCE: usize = 256;

fn rotate_keys(edge: &Edge) {
    match edge.registry.advance_rotations(TAKEN_OVER_AT_ONCE) {
        Ok(0) => {}
        Ok(count) => debug!(count, "new keys took over lists"),
        Err(problem) => warn!(error = problem.kind(), "new keys could not take over"),
    }
}

/// So many issuers of imported endorsements are asked at a time.
const FOLLOWED_AT_ONCE: usize = 64;

/// Asks how imported endorsements stand that are due.
fn follow_imports(edge: &Edge) {
    let options = Options {
        localhost: edge.localhost,
        ..Options::default()
    };
    let outside = &*edge.outside;
    let followed = edge
        .registry
        .follow_imports(options, outside, FOLLOWED_AT_ONCE);
    match followed {
        Ok(0) => {}
        Ok(count) => info!(count, "followed imported endorsements"),
        Err(problem) => warn!(
            error = problem.kind(),
            "imported endorsements could not be followed"
        ),
    }
}

/// What need not be kept, one kind after the other.
const FORGOTTEN: [fn(&Registry); 7] = [
    forget_answers,
    forget_tokens,
    forget_sessions,
    forget_quotas,
    forget_grants,
    forget_clients,
    forget_pasts,
];

fn forget(registry: &Registry) {
    let all = FORGOTTEN.into_iter().take_while(|_| does_it(registry));
    all.for_each(|forget| forget(registry));
}

fn forget_answers(registry: &Registry) {
    match registry.forget_outlived_answers() {
        Ok(0) => {}
        Ok(count) => info!(count, "forgot answers to repeated requests"),
        Err(problem) => warn!(
            error = problem.kind(),
            "outlived answers could not be forgotten"
        ),
    }
}

fn forget_tokens(registry: &Registry) {
    match registry.forget_expired_tokens() {
        Ok(0) => {}
        Ok(count) => info!(count, "forgot expired tokens"),
        Err(problem) => warn!(
            error = problem.kind(),
            "expired tokens could not be forgotten"
        ),
    }
}

fn forget_sessions(registry: &Registry) {
    match registry.forget_ended_sessions() {
        Ok(0) => {}
        Ok(count) => info!(count, "forgot sessions of the console that are over"),
        Err(problem) => warn!(
            error = problem.kind(),
            "sessions that are over could not be forgotten"
        ),
    }
}

fn forget_quotas(registry: &Registry) {
    match registry.forget_used_quotas() {
        Ok(0) => {}
        Ok(count) => info!(
            count,
            "forgot what was used of quotas on days that are over"
        ),
        Err(problem) => warn!(error = problem.kind(), "used quotas could not be forgotten"),
    }
}

fn forget_grants(registry: &Registry) {
    match registry.forget_ended_grants() {
        Ok(0) => {}
        Ok(count) => info!(
            count,
            "forgot assertions and revoked access tokens that are over"
        ),
        Err(problem) => warn!(
            error = problem.kind(),
            "what is over of OAuth could not be forgotten"
        ),
    }
}

fn forget_clients(registry: &Registry) {
    match registry.forget_lapsed_clients() {
        Ok(0) => {}
        Ok(count) => info!(count, "forgot clients that nobody decided about"),
        Err(problem) => warn!(
            error = problem.kind(),
            "lapsed clients could not be forgotten"
        ),
    }
}

fn forget_pasts(registry: &Registry) {
    match forget_past(registry) {
        Ok(0) => {}
        Ok(count) => info!(count, "forgot how lists were longer ago than that is kept"),
        Err(problem) => warn!(
            error = problem.kind(),
            "the past of lists could not be forgotten"
        ),
    }
}

/// So many past states of lists are removed at a time, so that changes are not held up.
const FORGOTTEN_AT_ONCE: usize = 256;

/// Forgets how lists were before the time for which that is kept. Returns how many states went.
fn forget_past(registry: &Registry) -> Result<usize, RegistryError> {
    let (mut states, mut from) = (0, None);
    loop {
        let forgotten = registry.forget_past(from, FORGOTTEN_AT_ONCE)?;
        states += forgotten.states;
        match forgotten.next {
            Some(next) if does_it(registry) => from = Some(next),
            _ => return Ok(states),
        }
    }
}
