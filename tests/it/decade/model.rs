//! What the registry's answers mean, written down plainly: the facts are read from the front for
//! every question, and paths are found by walking all of them. Nothing is shared with the code
//! that it is compared with.

use std::collections::{BTreeMap, BTreeSet};

use goodstanding::time::Timestamp;

use super::facts::{Anchors, Endorsement, Fact, Id, Model, Need, Scope, Signed, Word};

/// What is worse stands later. The last two carry no chain at all.
const ORDER: [Word; 10] = [
    "active",
    "unknown",
    "stale-digest",
    "suspended",
    "not-yet-valid",
    "expired",
    "revoked",
    "not-endorsed",
    "not-carried",
    "out-of-scope",
];

fn rank(word: Word) -> usize {
    let found = ORDER.iter().position(|known| *known == word);
    found.unwrap_or_else(|| panic!("{word} has no place in the order"))
}

fn worst(words: impl IntoIterator<Item = Word>) -> Word {
    words
        .into_iter()
        .max_by_key(|word| rank(word))
        .unwrap_or("active")
}

/// What is to be said of a moment: what had happened by then, or everything where none is named.
pub(super) struct Then<'m> {
    pub(super) model: &'m Model,
    pub(super) at: Option<Timestamp>,
    pub(super) moment: Timestamp,
}

/// An endorsement as a link of a chain.
pub(super) struct Link<'m> {
    pub(super) endorsement: &'m Endorsement,
    /// How bad it is.
    pub(super) rank: usize,
    /// How it is told.
    pub(super) outcome: Word,
}

/// Who stands behind something.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Backing {
    pub(super) outcome: Word,
    pub(super) reason: Word,
    /// Of the best paths: how bad the worst link is, and how many there are. Any of them is right.
    pub(super) best: Option<(usize, usize)>,
}

impl Model {
    pub(super) fn then(&self, at: Option<Timestamp>, now: Timestamp) -> Then<'_> {
        Then {
            model: self,
            at,
            moment: at.unwrap_or(now),
        }
    }
}

impl<'m> Then<'m> {
    /// What had happened by then, with its place in the order.
    pub(super) fn facts(&self) -> impl DoubleEndedIterator<Item = (usize, &'m Fact)> + use<'m> {
        let at = self.at;
        let facts = self.model.facts.iter().enumerate();
        let by_then = facts.filter(move |(_, (when, _))| at.is_none_or(|at| *when <= at));
        by_then.map(|(place, (_, fact))| (place, fact))
    }

    pub(super) fn endorsements(&self) -> impl Iterator<Item = (usize, &'m Endorsement)> + use<'m> {
        self.facts().filter_map(|(place, fact)| match fact {
            Fact::Endorsed(endorsement) => Some((place, endorsement)),
            _ => None,
        })
    }

    /// Whether a profile or an achievement of this id was known.
    fn knows(&self, thing: &str) -> bool {
        self.facts().any(|(_, fact)| match fact {
            Fact::Registered { profile, .. } => profile == thing,
            Fact::Defined { achievement, .. } => achievement == thing,
            _ => false,
        })
    }

    /// How somebody stood as an accreditor; `not-endorsed` for who never was one by then.
    pub(super) fn accreditor(&self, id: &str) -> Word {
        let decided = self.facts().rev().find_map(|(_, fact)| match fact {
            Fact::Accreditor { profile, standing } if profile == id => Some(*standing),
            _ => None,
        });
        decided.unwrap_or("not-endorsed")
    }

    pub(super) fn is_issuer(&self, id: &str) -> bool {
        let said = self.facts().rev().find_map(|(_, fact)| match fact {
            Fact::Issuer { profile, may } if profile == id => Some(*may),
            _ => None,
        });
        said.unwrap_or(false)
    }

    pub(super) fn is_set(&self, signed: &Signed, status: Word) -> bool {
        let said = self.facts().rev().find_map(|(_, fact)| match fact {
            Fact::Status { of, purpose, set } if *of == signed.which() && *purpose == status => {
                Some(*set)
            }
            _ => None,
        });
        said.unwrap_or(false)
    }

    pub(super) fn period(&self, signed: &Signed) -> Word {
        match signed.valid_until {
            _ if self.moment < signed.valid_from => "not-yet-valid",
            Some(until) if until <= self.moment => "expired",
            _ => "active",
        }
    }

    /// What ends with the JWT around a document: `exp` is in whole seconds, and never says more than
    /// the document does.
    pub(super) fn period_of_jwt(&self, signed: &Signed) -> Word {
        let ends = signed.valid_until.map(Timestamp::whole_seconds);
        match ends.filter(|_| signed.securing == "vc+jwt") {
            Some(exp) if exp <= self.moment => "expired",
            _ => "active",
        }
    }

    /// All that is to be said of an endorsement itself.
    fn said_of(&self, place: usize, endorsement: &Endorsement) -> Vec<Word> {
        let Endorsement {
            signed, subject, ..
        } = endorsement;
        let mut words = vec![self.period(signed)];
        words.extend(self.is_set(signed, "revocation").then_some("revoked"));
        words.extend(self.is_set(signed, "suspension").then_some("suspended"));
        // What was endorsed before the role was taken never counts again, given anew or not.
        let taken = |fact: &Fact| {
            matches!(fact, Fact::Accreditor { profile, standing: "revoked" }
                if *profile == signed.issuer)
        };
        let mut since = self.facts().filter(|(when, _)| *when > place);
        words.extend(since.any(|(_, fact)| taken(fact)).then_some("revoked"));
        if let Some(bound) = &endorsement.version {
            words.push(match self.at {
                // Of what is written, only the present version is kept.
                Some(at) if at < self.model.last_written(subject) => "unknown",
                _ if *bound != self.model.version(subject) => "stale-digest",
                _ => "active",
            });
        }
        words
    }

    /// How an endorsement stands with all that it rests on.
    pub(super) fn outcome(&self, place: usize, endorsement: &Endorsement) -> Word {
        let lent = self.accreditor(&endorsement.signed.issuer);
        worst(self.said_of(place, endorsement).into_iter().chain([lent]))
    }

    /// Those who endorse a subject for what is needed; `first` where it is asked about itself.
    pub(super) fn links(&self, of: &str, need: Option<&Need>, first: bool) -> Vec<Link<'m>> {
        let elsewhere = !self.model.is_profile(of);
        let known = self.endorsements().filter(|(_, one)| one.subject == of);
        let link = |(place, endorsement): (usize, &'m Endorsement)| {
            let mut words = vec![self.outcome(place, endorsement)];
            // Who endorses others has to be meant as an accreditor, whatever else is needed.
            let role = match first {
                true => need.and_then(|need| need.role),
                false => Some("accreditor"),
            };
            let was_issuer =
                endorsement.roles.contains(&"issuer") || elsewhere && endorsement.kind == "profile";
            let as_another = first && role == Some("issuer") && !was_issuer;
            words.extend(as_another.then_some("out-of-scope"));
            if let Some(scope) = &endorsement.scope {
                words.push(covers_role(scope, role));
                words.extend(need.map(|need| covers(scope, need)));
            }
            let carries = endorsement.roles.contains(&"accreditor")
                || elsewhere && says_accreditor(endorsement);
            let as_accreditor = carries && endorsement.kind == "profile";
            if !(first || as_accreditor) {
                words.push("not-carried");
            }
            let word = worst(words);
            Link {
                endorsement,
                rank: rank(word),
                outcome: ORDER[rank(word).min(rank("not-endorsed"))],
            }
        };
        known.map(link).collect()
    }

    /// Who stands behind a subject.
    pub(super) fn backing(&self, of: &str, anchors: &Anchors, need: Option<&Need>) -> Backing {
        if let Some(lost) = self.lost_role(of, need) {
            return lost;
        }
        let mut paths = Vec::new();
        self.walk(&mut vec![of.to_owned()], 0, (anchors, need), &mut paths);
        let Some((rank, length)) = paths.into_iter().min() else {
            return self.nowhere(of);
        };
        Backing {
            outcome: ORDER[rank.min(7)],
            reason: match (ORDER[rank], length) {
                (_, 0) => "anchor-itself",
                ("active", _) => "path-found",
                (way @ ("not-carried" | "out-of-scope"), _) => way,
                _ => "link",
            },
            best: Some((rank, length)),
        }
    }

    /// Somebody here who is asked about as an issuer, and is none. Since when is not kept, so of a
    /// moment before the profile was last written nobody knows.
    fn lost_role(&self, of: &str, need: Option<&Need>) -> Option<Backing> {
        let as_issuer = need.is_some_and(|need| need.role == Some("issuer"));
        let present = Then { at: None, ..*self };
        if !as_issuer || !self.model.is_profile(of) || !self.knows(of) || present.is_issuer(of) {
            return None;
        }
        let before = self.at.is_some_and(|at| at < self.model.last_written(of));
        Some(Backing {
            outcome: if before { "unknown" } else { "not-endorsed" },
            reason: "role",
            best: None,
        })
    }

    /// Every path from the last one in `way` on to an anchor, nobody on it twice.
    fn walk(
        &self,
        way: &mut Vec<Id>,
        so_far: usize,
        asked: (&Anchors, Option<&Need>),
        found: &mut Vec<(usize, usize)>,
    ) {
        let (here, length) = (way[way.len() - 1].clone(), way.len() - 1);
        if self.is_anchor(&here, &way[0], asked.0) {
            // How the subject stands itself counts only where it is an anchor; whoever was never
            // an accreditor here is an anchor because the asker says so.
            let own = match self.accreditor(&here) {
                "not-endorsed" => "active",
                standing => standing,
            };
            let own = if length == 0 { rank(own) } else { 0 };
            found.push((so_far.max(own), length));
        }
        let mut onward: BTreeMap<Id, usize> = BTreeMap::new();
        for link in self.links(&here, asked.1, length == 0) {
            let best = onward.entry(link.endorsement.signed.issuer.clone());
            let best = best.or_insert(link.rank);
            *best = link.rank.min(*best);
        }
        for (endorser, rank) in onward {
            if !way.contains(&endorser) {
                way.push(endorser);
                self.walk(way, so_far.max(rank), asked, found);
                way.pop();
            }
        }
    }

    pub(super) fn is_anchor(&self, id: &str, subject: &str, anchors: &Anchors) -> bool {
        match anchors {
            Some(named) => named.iter().any(|one| one == id),
            None => id != subject && self.accreditor(id) != "not-endorsed",
        }
    }

    /// Why no path leads to an anchor.
    fn nowhere(&self, of: &str) -> Backing {
        let endorsers = |id: &str| -> Vec<Id> {
            let known = self.endorsements().filter(|(_, one)| one.subject == id);
            known.map(|(_, one)| one.signed.issuer.clone()).collect()
        };
        let (mut reached, mut next) = (BTreeSet::new(), vec![of.to_owned()]);
        let mut dead_end = false;
        while let Some(id) = next.pop() {
            if reached.insert(id.clone()) {
                dead_end |= endorsers(&id).is_empty();
                next.extend(endorsers(&id));
            }
        }
        let (outcome, reason) = match endorsers(of).is_empty() {
            true if !self.knows(of) => ("unknown", "unknown-subject"),
            true => ("not-endorsed", "no-endorsement"),
            false if dead_end => ("not-endorsed", "no-path"),
            false => ("not-endorsed", "only-cycles"),
        };
        Backing {
            outcome,
            reason,
            best: None,
        }
    }
}

fn says_accreditor(endorsement: &Endorsement) -> bool {
    let roles = endorsement.scope.as_ref().map(|scope| &scope.roles);
    roles.is_some_and(|roles| roles.contains(&"accreditor"))
}

fn covers_role(scope: &Scope, role: Option<Word>) -> Word {
    match role {
        Some(role) if !scope.roles.is_empty() && !scope.roles.contains(&role) => "out-of-scope",
        _ => "active",
    }
}

/// Whether a scope covers what is needed, but for the role: what is surely outside counts before
/// what is not known.
fn covers(scope: &Scope, need: &Need) -> Word {
    let any_of = |limits: &[Word], said: &Option<Vec<Word>>| match said {
        _ if limits.is_empty() => "active",
        None => "unknown",
        Some(said) if said.iter().any(|one| limits.contains(one)) => "active",
        Some(_) => "out-of-scope",
    };
    let by_date = match need.awarded {
        _ if scope.from.is_none() && scope.until.is_none() => "active",
        None => "unknown",
        Some(at) if scope.from.is_some_and(|from| at < from) => "out-of-scope",
        Some(at) if scope.until.is_some_and(|until| at >= until) => "out-of-scope",
        Some(_) => "active",
    };
    let place = match need.place {
        Some(place) if !scope.places.is_empty() && !lies_in(place, &scope.places) => "out-of-scope",
        _ => "active",
    };
    worst([
        place,
        by_date,
        any_of(&scope.types, &need.of.types),
        any_of(&scope.tags, &need.of.tags),
        any_of(&scope.alignments, &need.of.alignments),
    ])
}

/// Whether a place is one of these or a part of one.
pub(super) fn lies_in(place: &str, of: &[Word]) -> bool {
    of.iter()
        .any(|whole| place == *whole || place.starts_with(&format!("{whole}-")))
}
