//! What may be away is asked again, and what is done is told meanwhile.

use std::io::Write as _;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::json;

use super::{FIRST_WAIT, LONGEST_WAIT, Publisher, WRITERS};
use crate::cli::error::CliError;
use crate::cli::publish::members;
use crate::cli::publish::target::{Fault, Target};
use crate::cli::report::plain;

impl Publisher<'_, '_, '_> {
    /// Says what was done, as it is done.
    pub(super) fn says(&self) {
        let told = &self.told;
        let line = match self.source.0.json {
            true => members(&self.target.name(), told).to_string(),
            false => format!(
                "event {}: {} written, {} unchanged, {} taken away, {} not published",
                told.event,
                told.written,
                told.unchanged,
                told.removed,
                told.refused.len()
            ),
        };
        // Where nobody reads it, nothing is lost.
        let _ = self.beside(|| writeln!(std::io::stdout(), "{}", plain(&line)));
    }

    /// Says what has to be waited for.
    pub(super) fn notes(&self, words: &str) {
        let words = match self.source.0.json {
            true => json!({ "waits": words }).to_string(),
            false => format!("goodstanding: {words}; trying again"),
        };
        let _ = self.beside(|| writeln!(std::io::stderr(), "{}", plain(&words)));
    }

    fn beside<T>(&self, say: impl FnOnce() -> T) -> T {
        self.source.0.shows.aside(say)
    }

    /// Asks the registry, again and again where it is away.
    pub(super) fn patiently<T>(
        &self,
        ask: impl Fn(&Self) -> Result<T, CliError>,
    ) -> Result<T, CliError> {
        self.again(|| ask(self), is_away)
    }

    pub(super) fn patiently_at_target<T>(
        &self,
        ask: impl Fn(&dyn Target) -> Result<T, Fault>,
    ) -> Result<T, CliError> {
        let asked = self.again(|| ask(self.target), |fault| matches!(fault, Fault::Away(_)));
        asked.map_err(|fault| CliError::Failed(fault.to_string()))
    }

    /// Does the same for many things, several at a time, each again where the target is away.
    pub(super) fn at_target<T: Send + Sync, R: Send>(
        &self,
        things: Vec<T>,
        each: impl Fn(&dyn Target, &T) -> Result<R, Fault> + Sync,
    ) -> Result<Vec<(T, R)>, CliError> {
        let (target, patience, each) = (self.target, self.patience, &each);
        let done: Vec<Result<R, Fault>> = thread::scope(|scope| {
            let share = things.len().div_ceil(WRITERS).max(1);
            let writers = things.chunks(share).map(|things| {
                scope.spawn(move || {
                    let tried =
                        |thing| again(patience, || each(target, thing), is_fault_away, |_| {});
                    things.iter().map(tried).collect::<Vec<_>>()
                })
            });
            let writers: Vec<_> = writers.collect();
            let joined = writers.into_iter().map(|writer| writer.join());
            joined
                .flat_map(|done| done.expect("a writer does not panic"))
                .collect()
        });
        let done: Result<Vec<R>, Fault> = done.into_iter().collect();
        let done = done.map_err(|fault| CliError::Failed(fault.to_string()))?;
        Ok(things.into_iter().zip(done).collect())
    }

    fn again<T, E: ToString>(
        &self,
        ask: impl Fn() -> Result<T, E>,
        passes: impl Fn(&E) -> bool,
    ) -> Result<T, E> {
        again(self.patience, ask, passes, |failed| {
            self.notes(&failed.to_string())
        })
    }
}

/// Tries until it is done, what is wrong does not pass, or the patience is at its end.
fn again<T, E>(
    patience: Option<Duration>,
    ask: impl Fn() -> Result<T, E>,
    passes: impl Fn(&E) -> bool,
    notes: impl Fn(&E),
) -> Result<T, E> {
    let (began, mut wait) = (Instant::now(), FIRST_WAIT);
    loop {
        match ask() {
            Err(failed)
                if passes(&failed)
                    && patience.is_none_or(|patience| began.elapsed() + wait <= patience) =>
            {
                notes(&failed);
                thread::sleep(wait);
                wait = (wait * 2).min(LONGEST_WAIT);
            }
            other => return other,
        }
    }
}

const fn is_fault_away(fault: &Fault) -> bool {
    matches!(fault, Fault::Away(_))
}

/// Whether it may be otherwise in a while.
pub(super) fn is_away(failed: &CliError) -> bool {
    match failed {
        CliError::NoServer { .. } | CliError::Lost { .. } => true,
        CliError::Problem(problem) => matches!(problem.status, 408 | 429 | 500 | 502..=504),
        _ => false,
    }
}
