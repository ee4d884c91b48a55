//! The answer: how a subject stands with the trust anchors, over which path, and why.

use std::sync::Arc;

use crate::verify::outcome::Outcome;

use super::policy::Cause;

/// How a subject stands with the trust anchors.
#[must_use]
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    /// How the best path stands: as its worst link. [`Outcome::NotEndorsed`] where there is none,
    /// [`Outcome::Unknown`] where a link of it or a bound keeps that from being known.
    pub outcome: Outcome,
    /// The path that the outcome is drawn from, from the subject up to the anchor. Empty where the
    /// subject is the anchor, where there is none, and where a bound decides.
    pub path: Vec<PathLink>,
    /// Why it stands like this.
    pub reason: Reason,
}

/// A link of a path: `subject` is endorsed by `endorser`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PathLink {
    /// Id of the endorsement.
    pub endorsement: Arc<str>,
    /// Who endorses; the subject of the link that follows, or the anchor.
    pub endorser: Arc<str>,
    /// Whom it endorses.
    pub subject: Arc<str>,
    /// How the link stands.
    pub outcome: Outcome,
    /// On what that rests.
    pub cause: Cause,
}

macro_rules! reasons {
    ($($(#[$doc:meta])* $name:ident $text:literal;)+) => {
        /// Why a subject stands as it does. The words are stable; programs branch on them.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Reason { $($(#[$doc])* $name),+ }

        impl Reason {
            /// Every reason.
            pub const ALL: &'static [Self] = &[$(Self::$name),+];

            /// The word, as answers write it.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$name => $text),+ }
            }
        }
    };
}

reasons! {
    /// The subject is a trust anchor; it stands as it does itself.
    AnchorItself "anchor-itself";
    /// A path leads to an anchor, and all of it is in force.
    PathFound "path-found";
    /// A path leads to an anchor, and stands as its worst link ([`Standing::deciding`]).
    Link "link";
    /// A path would lead to an anchor, but an endorser on it was endorsed otherwise than as an
    /// accreditor.
    NotCarried "not-carried";
    /// A path would lead to an anchor, but a link of it does not cover what is asked for.
    OutOfScope "out-of-scope";
    /// There are endorsements, and none leads to an anchor.
    NoPath "no-path";
    /// There are endorsements, and every way leads back to where it came from.
    OnlyCycles "only-cycles";
    /// There is no endorsement of the subject.
    NoEndorsement "no-endorsement";
    /// A path may be there that is longer than those that were looked at.
    DepthBound "depth-bound";
    /// A path may be there over endorsements of a subject that has more than were looked at.
    BreadthBound "breadth-bound";
    /// A path may be there, but as many links as one question may take were looked at.
    WorkBound "work-bound";
}

impl Standing {
    /// The first link of the path that the outcome rests on, unless the path is all in force.
    pub fn deciding(&self) -> Option<&PathLink> {
        let decides = |cause| match self.reason {
            Reason::NotCarried => cause == Cause::NotCarried,
            Reason::OutOfScope => matches!(cause, Cause::OutOfScope(_)),
            _ => matches!(
                cause,
                Cause::Endorsement | Cause::Endorser | Cause::ScopeUnknown(_)
            ),
        };
        // On a path that is not known, some links were not reached and others not known.
        let as_the_path = |outcome| match outcome {
            Outcome::Unreachable => Outcome::Unknown,
            other => other,
        };
        self.path
            .iter()
            .find(|link| decides(link.cause) && as_the_path(link.outcome) == self.outcome)
    }

    /// The reason in a sentence, for people.
    pub fn detail(&self) -> String {
        match (self.reason, self.deciding()) {
            (Reason::Link | Reason::NotCarried | Reason::OutOfScope, Some(link)) => {
                self.of_link(link)
            }
            (Reason::AnchorItself, _) if self.outcome == Outcome::Active => {
                "it is a trust anchor".to_owned()
            }
            (Reason::AnchorItself, _) => {
                format!("it is a trust anchor, and {} as an accreditor", self.outcome.as_str())
            }
            (Reason::PathFound, _) => format!("endorsed {}", self.way()),
            (Reason::NoEndorsement, _) => "nobody endorses it".to_owned(),
            (Reason::OnlyCycles, _) => {
                "its endorsers endorse each other in circles, and none is a trust anchor".to_owned()
            }
            (Reason::DepthBound, _) => {
                "no path in force was found among those as long as are looked at; a longer one may \
                 be there"
                    .to_owned()
            }
            (Reason::BreadthBound, _) => {
                "somebody on the way has more endorsements than are looked at, and no path in force \
                 was found over the first of them"
                    .to_owned()
            }
            (Reason::WorkBound, _) => {
                "no path in force was found among as many links as one question may take".to_owned()
            }
            (Reason::NoPath | Reason::Link | Reason::NotCarried | Reason::OutOfScope, _) => {
                "it is endorsed, and none of its endorsements leads to a trust anchor".to_owned()
            }
        }
    }

    /// "through 2 links up to the trust anchor …".
    fn way(&self) -> String {
        let anchor = self.path.last().map_or("", |link| &link.endorser);
        match self.path.len() {
            1 => format!("by the trust anchor {anchor}"),
            links => format!("over {links} links up to the trust anchor {anchor}"),
        }
    }

    fn of_link(&self, link: &PathLink) -> String {
        let (endorsement, endorser, word) =
            (&link.endorsement, &link.endorser, link.outcome.as_str());
        let way = self.way();
        match link.cause {
            Cause::InForce => format!("endorsed {way}"),
            Cause::Endorsement => format!("endorsed {way}, but {endorsement} is {word}"),
            Cause::Endorser => {
                format!("endorsed {way}, but {endorser} is {word} as an accreditor")
            }
            Cause::ScopeUnknown(why) => format!(
                "endorsed {way}, but whether {endorsement} covers what is asked for is not \
                 known: {why}"
            ),
            Cause::NotCarried => format!(
                "{endorsement} endorses {} but not as an accreditor, so its own endorsements do \
                 not rest on it",
                link.subject
            ),
            Cause::OutOfScope(why) => {
                format!("{endorsement} does not cover what is asked for: {why}")
            }
        }
    }
}
