//! What a search asks for: who endorses a subject, how an endorser stands, and how far to look.

use std::hash::Hash;
use std::rc::Rc;
use std::sync::Arc;

use crate::verify::outcome::Outcome;

/// One endorsement of a subject, as a link of a chain from that subject to who endorses it. Who
/// that is, and which endorsement, is told by whatever [`Links`] tell them by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link<P, E> {
    /// The endorsement.
    pub endorsement: E,
    /// The endorser, by the one name by which it is also asked for as a subject.
    pub endorser: P,
    /// How the endorsement stands by itself, whatever became of its endorser.
    pub outcome: Outcome,
    /// Whether the subject held the accreditor role when it was endorsed. Only then does the chain
    /// go on over this link from those that the subject endorses.
    pub carries: bool,
    /// Whether it covers what is asked for.
    pub fit: Fit,
}

/// Whether an endorsement covers what is asked for, at its place in the chain. The reasons are for
/// people: "it is for another programme".
#[must_use]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Fit {
    /// It covers it.
    Fits,
    /// It does not: the link counts as if it were not there.
    DoesNot(&'static str),
    /// That cannot be told. Never to be read as good.
    Unknown(&'static str),
}

/// How somebody stands as an accreditor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Accreditor {
    /// [`Outcome::Active`], [`Outcome::Suspended`], [`Outcome::Revoked`] where the role was taken
    /// away, [`Outcome::NotEndorsed`] where it never held the role, or what is not known.
    pub outcome: Outcome,
    /// Whether the asker trusts it without anybody's endorsement. A chain ends at it; that it is
    /// an anchor does not mend how it stands.
    pub is_anchor: bool,
}

/// The endorsements of one subject, or the first of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found<P, E> {
    /// The links, always in the same order. Where many stand alike, the first ones are preferred.
    pub links: Rc<[Link<P, E>]>,
    /// Whether there are others beside these.
    pub more: bool,
}

/// Who endorses whom. One search asks each question about one id at most once.
pub trait Links {
    /// Why an answer could not be read at all, which ends the search. That something elsewhere
    /// could not be reached is no such error, but [`Outcome::Unreachable`] of its link.
    type Error;

    /// What a subject or an endorser is told by. Only those on the path that is answered are asked
    /// for by their ids, so it can be something shorter.
    type Party: Clone + Eq + Hash;

    /// What an endorsement is told by.
    type Endorsement: Clone;

    /// The endorsements of `subject`, `most` of them at most. What is left out should matter
    /// least: the search sees only the first ones.
    ///
    /// # Errors
    /// Those of the implementation; the search hands them on.
    fn links_to(
        &mut self,
        subject: &Self::Party,
        most: usize,
    ) -> Result<Found<Self::Party, Self::Endorsement>, Self::Error>;

    /// How somebody stands as an accreditor, be it known or not.
    ///
    /// # Errors
    /// As [`Self::links_to`].
    fn accreditor(&mut self, party: &Self::Party) -> Result<Accreditor, Self::Error>;

    /// `issuer.id` of a party, or the id of a subject.
    fn id_of(&self, party: &Self::Party) -> Arc<str>;

    /// The id of an endorsement.
    fn endorsement_id(&self, endorsement: &Self::Endorsement) -> Arc<str>;
}

/// How far a search goes. Work is counted rather than timed, so that a question has the same answer
/// however busy the machine is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bounds {
    /// Links in a path.
    pub depth: usize,
    /// Links looked at per subject.
    pub breadth: usize,
    /// Links looked at in all. It also bounds the questions: at most one of each kind more.
    pub links: usize,
}

impl Default for Bounds {
    fn default() -> Self {
        Self {
            depth: 8,
            breadth: 256,
            links: 4096,
        }
    }
}
