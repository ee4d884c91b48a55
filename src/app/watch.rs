//! Says in the log when the registry comes into a state that keeps it from taking changes, and when that
//! is over: once each, and not with each request. When changes are taken again, what the start left undone
//! follows.

use std::sync::Arc;
use std::time::Duration;

use tokio::task::{AbortHandle, spawn_blocking};
use tokio::time::MissedTickBehavior;
use tracing::{error, info, warn};

use crate::registry::{Gravity, Registry, State};

/// So often the states are looked at.
const PACE: Duration = Duration::from_secs(1);

/// Watches until the task is aborted.
pub(super) fn start(registry: Arc<Registry>) -> AbortHandle {
    let task = tokio::spawn(async move {
        let mut watch = Watch {
            // A start finishes what it can; what it could not is made good when that is possible.
            read_only: !registry.takes_changes(),
            told: Vec::new(),
        };
        let mut ticks = tokio::time::interval(PACE);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            let registry = registry.clone();
            let looked = spawn_blocking(move || {
                watch.look(&registry);
                watch
            });
            match looked.await {
                Ok(again) => watch = again,
                Err(_) => {
                    warn!("the watch over the registry's states ended by a panic");
                    return;
                }
            }
        }
    });
    task.abort_handle()
}

struct Watch {
    /// The states that the log has told of, by name, with whether changes are taken in them.
    told: Vec<(&'static str, Gravity)>,
    read_only: bool,
}

impl Watch {
    fn look(&mut self, registry: &Registry) {
        let states = registry.states();
        for state in &states {
            if !self.told.contains(&(state.name(), state.gravity())) {
                tell(state);
            }
        }
        let now: Vec<_> = states
            .iter()
            .map(|state| (state.name(), state.gravity()))
            .collect();
        for (name, _) in self.told.iter().filter(|told| !now.contains(told)) {
            warn!(state = name, "this state is over");
        }
        self.told = now;
        let read_only = !registry.takes_changes();
        if self.read_only && !read_only {
            go_on(registry);
        }
        self.read_only = read_only;
    }
}

fn tell(state: &State) {
    let (name, engine) = (state.name(), state.to_string());
    match state.gravity() {
        Gravity::ReadOnly => error!(
            state = name,
            engine, "changes are refused, and what was signed last is served as long as it holds"
        ),
        Gravity::Warning => warn!(state = name, engine, "this needs to be looked after"),
    }
}

/// Publishes what was changed and not published, as a start does.
fn go_on(registry: &Registry) {
    let signed = registry.sign_again().map(drop);
    match signed.and_then(|()| registry.catch_up()) {
        Ok(count) => info!(count, "changes are taken again, and lists are published"),
        Err(problem) => warn!(
            error = problem.kind(),
            "changes are taken again, and not all could be published"
        ),
    }
}
