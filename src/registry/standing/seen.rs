//! Links of endorsers, as chains see them that come from below, and other answers that are the same
//! for many questions.

use std::cell::RefCell;
use std::collections::HashMap;

use super::parties::Who;
use crate::badges::{Limits, Need};
use crate::ids::EndorsementId;
use crate::trust;

/// What a search is told of the endorsements of somebody.
pub(super) type Found = trust::Found<Who, EndorsementId>;

/// The endorsements of those who endorse others: for all whom one endorses they are the same.
#[derive(Default)]
pub(super) struct Seen(RefCell<HashMap<Who, ByNeed<Found>>>);

impl Seen {
    /// What was found for a need that is the same in all that mattered, and what that was.
    pub(super) fn get(&self, endorser: &Who, need: Option<&Need>) -> Option<(Limits, Found)> {
        self.0.borrow().get(endorser)?.get(need)
    }

    pub(super) fn keep(&self, endorser: &Who, need: Option<&Need>, limits: Limits, found: &Found) {
        let mut all = self.0.borrow_mut();
        let its = all.entry(endorser.clone()).or_default();
        its.keep(need, limits, found.clone());
    }

    pub(super) fn clear(&self) {
        self.0.borrow_mut().clear();
    }
}

/// Answers, each for a need and with what of the need it rests on: it serves for every need that is
/// the same in that.
pub(super) struct ByNeed<T>(Vec<(Limits, Option<Need>, T)>);

/// Answers for so many needs are kept.
const MOST_NEEDS: usize = 8;

impl<T> Default for ByNeed<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<T: Clone> ByNeed<T> {
    pub(super) fn get(&self, need: Option<&Need>) -> Option<(Limits, T)> {
        let serves = |limits: Limits, known: Option<&Need>| match (known, need) {
            _ if !limits.any() => true,
            (Some(known), Some(need)) => need.agrees(known, limits),
            _ => false,
        };
        let mut all = self.0.iter();
        let (limits, _, answer) = all.find(|(limits, known, _)| serves(*limits, known.as_ref()))?;
        Some((*limits, answer.clone()))
    }

    pub(super) fn keep(&mut self, need: Option<&Need>, limits: Limits, answer: T) {
        if self.0.len() < MOST_NEEDS {
            self.0.push((limits, need.cloned(), answer));
        }
    }
}
