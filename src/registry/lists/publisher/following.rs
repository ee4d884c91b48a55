//! What other processes do that share the store, as far as the publisher is concerned.
//!
//! | what another one commits | what follows here |
//! |---|---|
//! | a change of a list | it is left to that one for [`GRACE`], and published here where it still waits then |
//! | a publication | older artefacts are served no more; a list that still waits is left to it for that long again |
//! | a publication with which a list waits no more | it is not published here |
//!
//! A list that two of them publish at once is stored once: who comes second looks again. So that
//! one that is killed leaves nothing behind, and one that stood still stores nothing old.

use std::time::{Duration, Instant};

use super::Snapshot;
use super::ready::{Forms, Older};
use crate::ids::ListId;
use crate::registry::Registry;
use crate::registry::lanes::locked;
use crate::store::engine::StoreError;
use crate::store::following::{Follower, Written};
use crate::store::tables::{ARTEFACTS, DIRTY_LISTS, PUBLISHED, PUBLISHED_TOKENS};

/// For so long a list that was changed elsewhere is left to whoever changed it.
pub(super) const GRACE: Duration = Duration::from_secs(2);

/// So many lists are looked at in one go for those that wait.
pub(super) const LOOKED_AT_ONCE: usize = 1_024;

impl Follower for Snapshot {
    fn follow(&self, written: &Written<'_>) {
        if self.follow_publications(*written).is_err() {
            // What cannot be understood may be about any list.
            self.ready.forget_all(written.number());
        }
        if self.follow_changes(*written, Instant::now()).is_err() {
            locked(&self.waiting).look_through(Instant::now());
            self.wake.notify_one();
        }
    }

    fn begin_anew(&self, number: u64) {
        self.ready.forget_all(number);
        locked(&self.waiting).look_through(Instant::now());
        self.wake.notify_one();
    }
}

impl Snapshot {
    fn follow_publications(&self, written: Written<'_>) -> Result<(), StoreError> {
        let (number, mut any) = (written.number(), false);
        let older = match written.is_from_elsewhere() {
            true => Older::IsLetGo,
            false => Older::Stays,
        };
        for row in written.rows(&PUBLISHED) {
            let (list, state) = row?;
            let generation = state.map(|state| state.generation);
            let place = (list, Forms::Own);
            self.ready.published(place, generation, number, older);
            any = true;
        }
        for row in written.rows(&PUBLISHED_TOKENS) {
            let (list, state) = row?;
            let generation = state.map(|state| state.generation);
            let place = (list, Forms::Token);
            self.ready.published(place, generation, number, older);
        }
        if written.is_from_elsewhere() {
            for row in written.rows(&ARTEFACTS) {
                let ((list, form), artefact) = row?;
                let forms = match form.is_token() {
                    true => Forms::Token,
                    false => Forms::Own,
                };
                if artefact.is_none() {
                    self.ready.published((list, forms), None, number, older);
                }
            }
            if any {
                self.bell.ring();
            }
        }
        Ok(())
    }

    pub(super) fn follow_changes(
        &self,
        written: Written<'_>,
        now: Instant,
    ) -> Result<(), StoreError> {
        let mut dirty = written.rows(&DIRTY_LISTS).peekable();
        let mut published = written.rows(&PUBLISHED).peekable();
        if dirty.peek().is_none() && published.peek().is_none() {
            return Ok(());
        }
        let mut waiting = locked(&self.waiting);
        for row in dirty {
            match row? {
                (list, None) => waiting.waits_no_more_elsewhere(list),
                (list, Some(())) if written.is_from_elsewhere() => {
                    waiting.leave_to_others(list, now);
                }
                // Whoever made the change puts it in line.
                (_, Some(())) => {}
            }
        }
        if written.is_from_elsewhere() {
            for row in published {
                waiting.was_published_elsewhere(row?.0, now);
            }
            drop(waiting);
            self.wake.notify_one();
        }
        Ok(())
    }
}

impl Registry {
    /// Looks for lists that wait, behind this one. They are left to whoever changed them, as those are that
    /// this process hears of.
    pub(super) fn look_for_waiting(&self, after: Option<ListId>) {
        let rows = DIRTY_LISTS.scan(
            &*self.engine.snapshot(),
            &[],
            after.as_ref(),
            LOOKED_AT_ONCE,
        );
        let mut waiting = locked(&self.published.waiting);
        match rows {
            Ok(rows) => {
                let lists: Vec<_> = rows.into_iter().map(|(list, ())| list).collect();
                waiting.looked_at(after, &lists, Instant::now());
            }
            // The state that this is has been told of.
            Err(_) => waiting.look_through(Instant::now()),
        }
        drop(waiting);
        self.published.wake.notify_one();
    }
}
