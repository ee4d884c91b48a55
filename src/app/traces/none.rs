//! As the module beside this, for a program without OpenTelemetry in it.

use std::sync::Arc;
use std::time::Instant;

use crate::config::OperationsConfig;
use crate::metrics::{Exports, Traces};

/// There is none.
pub(super) enum Sending {}

/// Refuses what it cannot do.
///
/// # Errors
/// The configuration asks for traces.
pub(super) fn start(config: &OperationsConfig, _: Arc<Exports>) -> Result<Option<Sending>, String> {
    match &config.traces {
        None => Ok(None),
        Some(_) => Err(
            "operations.traces: this program was built without OpenTelemetry (the feature otel); \
             leave that empty, or use one that has it"
                .into(),
        ),
    }
}

impl Sending {
    pub(super) fn traces(&self) -> Arc<dyn Traces> {
        match *self {}
    }

    pub(super) fn stop(&self, _: Instant) {
        match *self {}
    }
}
