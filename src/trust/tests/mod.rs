//! Trust as drawings: who endorses whom in a few letters, and what comes of it.

mod model;
mod poison;
mod policy;
mod table;

use std::collections::HashMap;
use std::convert::Infallible;
use std::sync::Arc;

use super::*;
use crate::verify::outcome::Outcome;

/// Parties and endorsements are told by their ids themselves.
type Link = super::Link<Arc<str>, Arc<str>>;
type Found = super::Found<Arc<str>, Arc<str>>;

/// Who endorses whom, and how often that was asked.
#[derive(Debug, Clone, Default)]
struct Graph {
    /// By subject, in the order drawn.
    links: HashMap<String, Vec<Link>>,
    /// Those who are in good standing and no anchors are left out.
    accreditors: HashMap<String, Accreditor>,
    /// What was asked for: the links of whom, and how many were shown in all.
    asked: Vec<String>,
    asked_as_accreditors: Vec<String>,
    shown: usize,
}

impl Links for Graph {
    type Error = Infallible;
    type Party = Arc<str>;
    type Endorsement = Arc<str>;

    fn links_to(&mut self, subject: &Arc<str>, most: usize) -> Result<Found, Infallible> {
        self.asked.push(subject.to_string());
        let all = self.links.get(&**subject).map_or(&[][..], Vec::as_slice);
        let shown = &all[..all.len().min(most)];
        self.shown += shown.len();
        Ok(Found {
            links: shown.into(),
            more: shown.len() < all.len(),
        })
    }

    fn accreditor(&mut self, id: &Arc<str>) -> Result<Accreditor, Infallible> {
        self.asked_as_accreditors.push(id.to_string());
        Ok(self.stands(id))
    }

    fn id_of(&self, id: &Arc<str>) -> Arc<str> {
        Arc::clone(id)
    }

    fn endorsement_id(&self, id: &Arc<str>) -> Arc<str> {
        Arc::clone(id)
    }
}

impl Graph {
    /// Reads a drawing. `s<a` says that a endorses s, and its text is the id of the endorsement;
    /// behind it may stand `!` where s was no accreditor then, `~` where the endorsement does not
    /// cover what is asked for, `?` where nobody can tell, and `:suspended` or another outcome.
    /// `a=suspended` says how a stands as an accreditor. Who has a capital letter is an anchor.
    fn drawn(drawing: &str) -> Self {
        let mut graph = Self::default();
        for word in drawing.split_whitespace() {
            if let Some((id, outcome)) = word.split_once('=') {
                graph.stand(id, outcome_named(outcome));
                continue;
            }
            let (ends, outcome) = word.split_once(':').unwrap_or((word, "active"));
            let (subject, rest) = ends.split_once('<').expect("subject<endorser");
            let link = Link {
                endorsement: word.into(),
                endorser: rest.trim_end_matches(['!', '~', '?']).into(),
                outcome: outcome_named(outcome),
                carries: !rest.contains('!'),
                fit: match () {
                    () if rest.contains('~') => Fit::DoesNot("it is for another programme"),
                    () if rest.contains('?') => Fit::Unknown("its scope is of an unknown kind"),
                    () => Fit::Fits,
                },
            };
            graph.add(subject, link);
        }
        graph
    }

    fn add(&mut self, subject: &str, link: Link) {
        self.links.entry(subject.to_owned()).or_default().push(link);
    }

    /// A link that is in force and carries the chain on.
    fn good(&mut self, subject: &str, endorser: &str) {
        let link = Link {
            endorsement: format!("{subject}<{endorser}").into(),
            endorser: endorser.into(),
            outcome: Outcome::Active,
            carries: true,
            fit: Fit::Fits,
        };
        self.add(subject, link);
    }

    fn stand(&mut self, id: &str, outcome: Outcome) {
        let is_anchor = id.starts_with(|first: char| first.is_uppercase());
        let accreditor = Accreditor { outcome, is_anchor };
        self.accreditors.insert(id.to_owned(), accreditor);
    }

    fn stands(&self, id: &str) -> Accreditor {
        let good = Accreditor {
            outcome: Outcome::Active,
            is_anchor: id.starts_with(|first: char| first.is_uppercase()),
        };
        self.accreditors.get(id).copied().unwrap_or(good)
    }

    /// The answer for `subject`. Whatever it is, nobody was asked about twice, and the bound on
    /// the work was kept.
    fn find(&mut self, subject: &str, bounds: Bounds) -> Standing {
        (self.asked, self.asked_as_accreditors, self.shown) = Default::default();
        let Ok(standing) = find_path(subject.into(), self, bounds);
        for asked in [&self.asked, &self.asked_as_accreditors] {
            let mut once = asked.clone();
            once.sort();
            once.dedup();
            assert_eq!(once.len(), asked.len(), "asked twice: {asked:?}");
            assert!(asked.len() <= 1 + bounds.links, "asked {}", asked.len());
        }
        assert!(self.shown <= bounds.links, "looked at {}", self.shown);
        assert_well_formed(subject, &standing, bounds);
        standing
    }
}

/// What holds of every answer, whatever was asked.
fn assert_well_formed(subject: &str, standing: &Standing, bounds: Bounds) {
    let path = &standing.path;
    assert!(path.len() <= bounds.depth, "{standing:?}");
    let mut at: Arc<str> = subject.into();
    let mut met = vec![Arc::clone(&at)];
    for link in path {
        assert_eq!(link.subject, at, "{standing:?}");
        at = Arc::clone(&link.endorser);
        assert!(!met.contains(&at), "twice on its path: {standing:?}");
        met.push(Arc::clone(&at));
    }
    let all_good = path.iter().all(|link| link.outcome == Outcome::Active);
    match standing.reason {
        Reason::AnchorItself => assert!(path.is_empty()),
        Reason::PathFound => assert!(all_good && !path.is_empty(), "{standing:?}"),
        Reason::Link | Reason::NotCarried | Reason::OutOfScope => {
            assert!(standing.deciding().is_some(), "{standing:?}");
        }
        _ => assert!(path.is_empty(), "{standing:?}"),
    }
    let good = standing.outcome == Outcome::Active;
    let at_an_anchor = matches!(standing.reason, Reason::AnchorItself | Reason::PathFound);
    assert!(!good || (all_good && at_an_anchor), "{standing:?}");
    assert_ne!(standing.outcome, Outcome::Unreachable);
}

fn outcome_named(word: &str) -> Outcome {
    let mut all = Outcome::ALL.into_iter();
    let found = all.find(|outcome| outcome.as_str() == word);
    found.unwrap_or_else(|| panic!("{word:?} is no outcome"))
}

/// An answer in one line: outcome, reason, the endorsements of the path; the one that it rests on
/// in brackets, with the cause unless that is the endorsement itself.
fn line(standing: &Standing) -> String {
    let mut words = vec![
        standing.outcome.as_str().to_owned(),
        standing.reason.as_str().to_owned(),
    ];
    for link in &standing.path {
        words.push(match link.cause.as_str() {
            _ if standing.deciding() != Some(link) => link.endorsement.to_string(),
            "endorsement" => format!("[{}]", link.endorsement),
            cause => format!("[{} {cause}]", link.endorsement),
        });
    }
    words.join(" ")
}

/// The rows of a table of three columns, without its empty lines and its headings.
fn rows(table: &str) -> impl Iterator<Item = [&str; 3]> {
    let lines = table.lines();
    let lines = lines.filter(|line| !line.is_empty() && !line.starts_with('#'));
    lines.map(|line| {
        let cells: Vec<&str> = line.split('|').map(str::trim).collect();
        cells.try_into().expect("a row has three cells")
    })
}
