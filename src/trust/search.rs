//! The bounded search for the best path to a trust anchor.
//!
//! A path is as good as its worst link. So the search first walks over links in force alone, and
//! only where these lead to no anchor lets in those of the next worse level, and so on: the first
//! level at which an anchor is reached is that of the best path. Within one level it goes breadth
//! first, which reaches everybody over as few links as can be. Of two ways that are equally long
//! the one is taken that comes first in the order of the links, the better ones first.
//!
//! No path holds anybody twice: to stand on one a second time, somebody would have to be reached
//! again, and whoever was reached before is passed over. Nothing is lost by that. Cut out the loop
//! of a way that comes back to somebody, and what is left is shorter, no worse, and still a way,
//! since what a link contributes does not depend on how its subject was reached: the links of the
//! subject that is asked about are first wherever they are taken, and those of all others never.
//!
//! Each subject is asked about once, whatever the number of levels, and each level looks at what
//! was found at most once. The work is thus bounded by the links found, times the ten levels.

use std::collections::HashMap;
use std::rc::Rc;

use crate::verify::outcome::Outcome;

use super::links::{Accreditor, Bounds, Link, Links};
use super::policy::{Contribution, Level, Place, contribution};
use super::standing::{PathLink, Reason, Standing};

/// How `subject`, as links tell it, stands with the trust anchors that `links`
/// knows, as far as `bounds` allow to look.
///
/// Among several paths the best one counts, and among equally good ones the shortest. A subject that
/// is an anchor needs no link. Its standing as an accreditor counts only there: an endorsement of
/// a suspended accreditor is an endorsement nevertheless, and what the subject itself may do is a
/// question of its own.
///
/// A bound decides where a path better than those found may lie behind it; the answer is then
/// unknown. Who stands where a bound is reached is not asked about any more.
///
/// # Errors
/// Those of `links`.
pub fn find_path<L: Links>(
    subject: L::Party,
    links: &mut L,
    bounds: Bounds,
) -> Result<Standing, L::Error> {
    let mut search = Search::of(subject, links, bounds)?;
    let (mut level, mut cut) = (Level::Stands, None);
    loop {
        let missed = match search.walk(level)? {
            Walk::Reached(way) => return Ok(search.standing(level, way)),
            Walk::Missed(missed) => missed,
        };
        // What lies behind a bound that was met over such links is no endorsement anyway.
        if level < Level::NotEndorsed {
            cut = cut.or(missed.cut);
        }
        match (cut, missed.next) {
            (None, Some(next)) => level = next,
            // A path that is not known says more than a bound does.
            (Some(_), Some(next @ Level::Unsure)) => level = next,
            (Some(cut), _) => return Ok(without_path(Outcome::Unknown, cut.reason())),
            (None, None) => {
                return Ok(without_path(Outcome::NotEndorsed, search.no_way(&missed)));
            }
        }
    }
}

/// What kept a search from going on. The later one is named where several did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Bound {
    Depth,
    Breadth,
    Work,
}

/// The subject that is asked about is the first one known.
const SUBJECT: usize = 0;

struct Search<'a, L: Links> {
    links: &'a mut L,
    bounds: Bounds,
    /// How many links may still be looked at.
    left: usize,
    /// Everybody met, in the order met.
    nodes: Vec<Node<L>>,
    places: HashMap<L::Party, usize>,
}

/// The subject, or somebody who endorses it at some remove.
struct Node<L: Links> {
    party: L::Party,
    accreditor: Accreditor,
    /// Who endorses it, from when it was asked about.
    endorsed: Option<Endorsed<L>>,
}

struct Endorsed<L: Links> {
    links: Rc<[Link<L::Party, L::Endorsement>]>,
    /// The links once more, the better ones first.
    edges: Vec<Edge>,
    /// Whether there are more than a bound let through.
    cut: Option<Bound>,
}

struct Edge {
    contribution: Contribution,
    /// Which of the links it is.
    link: usize,
    /// The place of the endorser.
    to: usize,
}

/// From somebody, by place, over one of its edges.
#[derive(Clone, Copy)]
struct Step {
    from: usize,
    edge: usize,
}

/// What a walk over the links of one level found.
enum Walk {
    /// An anchor, over these steps from the subject on.
    Reached(Vec<Step>),
    /// No anchor.
    Missed(Missed),
}

#[derive(Default)]
struct Missed {
    /// The best level of links that were passed over; `None` where there were none.
    next: Option<Level>,
    /// What else kept the walk from going on.
    cut: Option<Bound>,
    /// Whether it came to somebody whom nobody endorses.
    dead_end: bool,
}

impl<'a, L: Links> Search<'a, L> {
    fn of(subject: L::Party, links: &'a mut L, bounds: Bounds) -> Result<Self, L::Error> {
        let mut search = Self {
            left: bounds.links,
            links,
            bounds,
            nodes: Vec::new(),
            places: HashMap::new(),
        };
        search.place_of(&subject)?;
        Ok(search)
    }

    /// Looks for an anchor over links of `level` or better, breadth first.
    fn walk(&mut self, level: Level) -> Result<Walk, L::Error> {
        let mut missed = Missed::default();
        let subject = self.nodes[SUBJECT].accreditor;
        if subject.is_anchor {
            match Level::of(subject.outcome) {
                own if own <= level => return Ok(Walk::Reached(Vec::new())),
                own => missed.next = Some(own),
            }
        }
        // By place: the step that reached it. The subject itself is there from the start.
        let mut came: Vec<Option<Step>> = Vec::new();
        let mut ring = vec![SUBJECT];
        for _ in 0..self.bounds.depth {
            for from in std::mem::take(&mut ring) {
                self.ask(from)?;
                came.resize(self.nodes.len(), None);
                let endorsed = self.endorsed(from);
                missed.cut = missed.cut.max(endorsed.cut);
                missed.dead_end |= endorsed.links.is_empty();
                for (number, edge) in endorsed.edges.iter().enumerate() {
                    let (its, to) = (edge.contribution.level(), edge.to);
                    if its > level {
                        missed.passed_over(its);
                        break;
                    }
                    if to == SUBJECT || came[to].is_some() {
                        continue;
                    }
                    came[to] = Some(Step { from, edge: number });
                    if self.nodes[to].accreditor.is_anchor {
                        return Ok(Walk::Reached(steps_to(to, &came)));
                    }
                    ring.push(to);
                }
            }
            if ring.is_empty() {
                return Ok(Walk::Missed(missed));
            }
        }
        missed.cut = missed.cut.max(Some(Bound::Depth));
        Ok(Walk::Missed(missed))
    }

    /// Asks who endorses `from`, unless that is known by now.
    fn ask(&mut self, from: usize) -> Result<(), L::Error> {
        if self.nodes[from].endorsed.is_some() {
            return Ok(());
        }
        let most = self.bounds.breadth.min(self.left);
        let bound = match most == self.bounds.breadth {
            true => Bound::Breadth,
            false => Bound::Work,
        };
        let found = self.links.links_to(&self.nodes[from].party, most)?;
        let looked_at = found.links.len().min(most);
        self.left -= looked_at;
        let cut = found.more || found.links.len() > looked_at;
        let place = match from {
            SUBJECT => Place::First,
            _ => Place::Further,
        };
        let mut edges = Vec::with_capacity(looked_at);
        for (number, link) in found.links[..looked_at].iter().enumerate() {
            let to = self.place_of(&link.endorser)?;
            let endorser = self.nodes[to].accreditor.outcome;
            let contribution = contribution(link, endorser, place);
            edges.push(Edge {
                contribution,
                link: number,
                to,
            });
        }
        // A stable sort: what is alike stays in the order in which it was found.
        edges.sort_by_key(|edge| edge.contribution.level());
        self.nodes[from].endorsed = Some(Endorsed {
            links: found.links,
            edges,
            cut: cut.then_some(bound),
        });
        Ok(())
    }

    fn endorsed(&self, from: usize) -> &Endorsed<L> {
        let endorsed = self.nodes[from].endorsed.as_ref();
        endorsed.expect("who is on a way was asked about before it went on")
    }

    /// The place of somebody among those known; who is new is asked about as an accreditor.
    fn place_of(&mut self, party: &L::Party) -> Result<usize, L::Error> {
        if let Some(place) = self.places.get(party) {
            return Ok(*place);
        }
        let place = self.nodes.len();
        self.nodes.push(Node {
            party: party.clone(),
            accreditor: self.links.accreditor(party)?,
            endorsed: None,
        });
        self.places.insert(party.clone(), place);
        Ok(place)
    }

    /// The answer over the way that was found at `level`.
    fn standing(&self, level: Level, way: Vec<Step>) -> Standing {
        let reason = match level {
            _ if way.is_empty() => Reason::AnchorItself,
            Level::Stands => Reason::PathFound,
            Level::NotCarried => Reason::NotCarried,
            Level::OutOfScope => Reason::OutOfScope,
            _ => Reason::Link,
        };
        Standing {
            outcome: level.of_a_path(),
            path: way.into_iter().map(|step| self.path_link(step)).collect(),
            reason,
        }
    }

    fn path_link(&self, Step { from, edge }: Step) -> PathLink {
        let endorsed = self.endorsed(from);
        let edge = &endorsed.edges[edge];
        let link = &endorsed.links[edge.link];
        PathLink {
            endorsement: self.links.endorsement_id(&link.endorsement),
            endorser: self.links.id_of(&link.endorser),
            subject: self.links.id_of(&self.nodes[from].party),
            outcome: edge.contribution.outcome,
            cause: edge.contribution.cause,
        }
    }

    /// Why there is no way at all, after a walk over everything.
    fn no_way(&self, missed: &Missed) -> Reason {
        match &self.nodes[SUBJECT].endorsed {
            Some(endorsed) if endorsed.links.is_empty() => Reason::NoEndorsement,
            _ if missed.dead_end || missed.cut.is_some() => Reason::NoPath,
            _ => Reason::OnlyCycles,
        }
    }
}

impl Missed {
    fn passed_over(&mut self, level: Level) {
        self.next = Some(self.next.map_or(level, |next| next.min(level)));
    }
}

impl Bound {
    const fn reason(self) -> Reason {
        match self {
            Self::Depth => Reason::DepthBound,
            Self::Breadth => Reason::BreadthBound,
            Self::Work => Reason::WorkBound,
        }
    }
}

/// The steps that reached `anchor`, from the subject on.
fn steps_to(anchor: usize, came: &[Option<Step>]) -> Vec<Step> {
    let back = std::iter::successors(came[anchor], |step| came[step.from]);
    let mut steps: Vec<Step> = back.collect();
    steps.reverse();
    steps
}

const fn without_path(outcome: Outcome, reason: Reason) -> Standing {
    Standing {
        outcome,
        path: Vec::new(),
        reason,
    }
}
