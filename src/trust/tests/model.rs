//! The search against a model that walks every simple path, one by one.

use proptest::prelude::*;

use super::*;

/// What a path is worth, better first: the words in the order in which the best is chosen.
const ORDER: [&str; 10] = [
    "active",
    "unknown",
    "stale-digest",
    "suspended",
    "not-yet-valid",
    "expired",
    "revoked",
    "not-endorsed",
    "not carried",
    "out of scope",
];
const NOT_ENDORSED: usize = 7;

/// A way from the subject on, nobody on it twice: everybody on it, the rank of its worst link, and
/// for each link its rank and place among those of its subject.
#[derive(Debug, Clone)]
struct Way {
    met: Vec<String>,
    rank: usize,
    steps: Vec<(usize, usize)>,
}

impl Way {
    fn end(&self) -> &str {
        self.met.last().expect("it starts with the subject")
    }
}

fn rank_of(outcome: Outcome) -> usize {
    let word = match outcome {
        Outcome::Unreachable => "unknown",
        other => other.as_str(),
    };
    ORDER.iter().position(|known| *known == word).unwrap()
}

fn rank_of_link(graph: &Graph, link: &Link, is_first: bool) -> usize {
    let fit = match link.fit {
        Fit::Fits => 0,
        Fit::Unknown(_) => 1,
        Fit::DoesNot(_) => 9,
    };
    let role = if is_first || link.carries { 0 } else { 8 };
    let endorser = rank_of(graph.stands(&link.endorser).outcome);
    fit.max(role).max(endorser).max(rank_of(link.outcome))
}

/// All ways from `subject` over at most `breadth` links of each, the empty one among them.
fn ways(graph: &Graph, subject: &str, breadth: usize) -> Vec<Way> {
    let start = Way {
        met: vec![subject.to_owned()],
        rank: 0,
        steps: Vec::new(),
    };
    let mut all = vec![start];
    let mut next = 0;
    while next < all.len() {
        let way = all[next].clone();
        next += 1;
        let links = graph.links.get(way.end()).map_or(&[][..], Vec::as_slice);
        for (place, link) in links.iter().take(breadth).enumerate() {
            if way.met.iter().any(|met| **met == *link.endorser) {
                continue;
            }
            let rank = rank_of_link(graph, link, way.steps.is_empty());
            let mut on = way.clone();
            on.met.push(link.endorser.to_string());
            on.rank = on.rank.max(rank);
            on.steps.push((rank, place));
            all.push(on);
        }
    }
    all
}

/// What the answer has to be: outcome, reason, and the endorsements of the path.
#[derive(Debug, PartialEq, Eq)]
struct Expected {
    outcome: &'static str,
    reason: &'static str,
    path: Vec<String>,
}

/// The model, for bounds on depth and breadth.
fn expected(graph: &Graph, subject: &str, bounds: Bounds) -> Expected {
    let all = ways(graph, subject, bounds.breadth);
    let is_anchor = |id: &str| graph.stands(id).is_anchor;
    let as_anchor = |way: &Way| match way.steps.is_empty() {
        true => rank_of(graph.stands(subject).outcome),
        false => way.rank,
    };
    let at_anchors = all.iter().filter(|way| is_anchor(way.end()));
    let short = at_anchors.filter(|way| way.steps.len() <= bounds.depth);
    let best = short.min_by_key(|way| (as_anchor(way), way.steps.len(), way.steps.clone()));
    let best_rank = best.map_or(usize::MAX, as_anchor);

    // A better path may lie behind a bound. At which rank is one met?
    let met = (0..NOT_ENDORSED)
        .take_while(|rank| *rank < best_rank)
        .find_map(|rank| cut_at(graph, &all, rank, bounds).map(|reason| (rank, reason)));
    match (best, met) {
        (Some(way), None) => reached(graph, way, as_anchor(way)),
        (Some(way), Some(_)) if as_anchor(way) == 1 => reached(graph, way, 1),
        (_, Some((_, reason))) => Expected {
            outcome: "unknown",
            reason,
            path: Vec::new(),
        },
        (None, None) => Expected {
            outcome: "not-endorsed",
            reason: nowhere(graph, &all, subject, bounds),
            path: Vec::new(),
        },
    }
}

/// The bound that ways over links of `rank` or better meet: whoever is reached over no fewer links
/// than may be taken, or has more links than may be looked at.
fn cut_at(graph: &Graph, all: &[Way], rank: usize, bounds: Bounds) -> Option<&'static str> {
    let mut nearest: HashMap<&str, usize> = HashMap::new();
    for way in all.iter().filter(|way| way.rank <= rank) {
        let length = nearest.entry(way.end()).or_insert(usize::MAX);
        *length = way.steps.len().min(*length);
    }
    let links = |id: &str| graph.links.get(id).map_or(0, Vec::len);
    let too_many =
        |(id, length): (&&str, &usize)| *length < bounds.depth && links(id) > bounds.breadth;
    if nearest.iter().any(too_many) {
        return Some("breadth-bound");
    }
    let too_far = nearest.values().any(|length| *length == bounds.depth);
    too_far.then_some("depth-bound")
}

fn reached(graph: &Graph, way: &Way, rank: usize) -> Expected {
    let links = way.met.iter().zip(&way.steps);
    let path =
        links.map(|(subject, (_, place))| graph.links[subject][*place].endorsement.to_string());
    Expected {
        outcome: ORDER[rank.min(NOT_ENDORSED)],
        reason: match rank {
            _ if way.steps.is_empty() => "anchor-itself",
            0 => "path-found",
            8 => "not-carried",
            9 => "out-of-scope",
            _ => "link",
        },
        path: path.collect(),
    }
}

/// Why no way leads to an anchor.
fn nowhere(graph: &Graph, all: &[Way], subject: &str, bounds: Bounds) -> &'static str {
    let nobody = |id: &str| graph.links.get(id).is_none_or(Vec::is_empty);
    if nobody(subject) {
        return "no-endorsement";
    }
    let is_cut = cut_at(graph, all, usize::MAX, bounds).is_some();
    match is_cut || all.iter().any(|way| nobody(way.end())) {
        true => "no-path",
        false => "only-cycles",
    }
}

fn found(standing: &Standing) -> Expected {
    let path = standing
        .path
        .iter()
        .map(|link| link.endorsement.to_string());
    Expected {
        outcome: standing.outcome.as_str(),
        reason: standing.reason.as_str(),
        path: path.collect(),
    }
}

/// Mostly good, so that long paths in force occur, and every other outcome as well.
fn outcomes(good: u32) -> impl Strategy<Value = Outcome> {
    prop_oneof![
        good => Just(Outcome::Active),
        1 => prop::sample::select(Outcome::ALL.to_vec()),
    ]
}

fn fits() -> impl Strategy<Value = Fit> {
    prop_oneof![
        8 => Just(Fit::Fits),
        1 => Just(Fit::Unknown("nobody knows")),
        1 => Just(Fit::DoesNot("it is for another programme")),
    ]
}

/// Six at most, the first of whom is asked about; one or two of them may be anchors.
fn graphs() -> impl Strategy<Value = Graph> {
    let link = |good| {
        (
            0..6usize,
            0..6usize,
            outcomes(good),
            prop::bool::weighted(0.8),
            fits(),
        )
    };
    let links = (0..12u32).prop_flat_map(move |good| prop::collection::vec(link(good), 0..14));
    let standings = prop::collection::vec(outcomes(6), 6);
    let anchors = prop::collection::vec(prop::bool::weighted(0.2), 6);
    (links, standings, anchors).prop_map(|(links, standings, anchors)| {
        let mut graph = Graph::default();
        let places = anchors.iter().zip(standings).enumerate();
        for (number, (&is_anchor, outcome)) in places {
            let accreditor = Accreditor { outcome, is_anchor };
            graph.accreditors.insert(format!("n{number}"), accreditor);
        }
        for (number, (subject, endorser, outcome, carries, fit)) in links.into_iter().enumerate() {
            let link = Link {
                endorsement: format!("e{number}: n{subject}<n{endorser}").into(),
                endorser: format!("n{endorser}").into(),
                outcome,
                carries,
                fit,
            };
            graph.add(&format!("n{subject}"), link);
        }
        graph
    })
}

fn bounds(depth: usize, breadth: usize, links: usize) -> Bounds {
    Bounds {
        depth,
        breadth,
        links,
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(3_000))]

    #[test]
    fn without_bounds_the_answer_is_that_of_the_model(mut graph in graphs()) {
        let standing = graph.find("n0", Bounds::default());
        let model = expected(&graph, "n0", Bounds::default());
        prop_assert_eq!(found(&standing), model);
    }

    #[test]
    fn within_bounds_the_answer_is_that_of_the_model(
        mut graph in graphs(),
        depth in 0..6usize,
        breadth in 0..6usize,
    ) {
        let bounds = bounds(depth, breadth, 4096);
        let standing = graph.find("n0", bounds);
        prop_assert_eq!(found(&standing), expected(&graph, "n0", bounds));
    }

    /// Whatever the bounds: the answer is the one that there is without them, or unknown because
    /// of a bound, or rests on a path that is not known where a better one may be hidden.
    #[test]
    fn a_bound_never_makes_an_answer_better(
        mut graph in graphs(),
        depth in 0..6usize,
        breadth in 0..6usize,
        links in 0..14usize,
    ) {
        let whole = graph.find("n0", Bounds::default());
        let part = graph.find("n0", bounds(depth, breadth, links));
        let bound = [Reason::DepthBound, Reason::BreadthBound, Reason::WorkBound];
        if part.outcome != Outcome::Unknown {
            prop_assert_eq!(part.outcome, whole.outcome);
        } else if !bound.contains(&part.reason) {
            prop_assert!(matches!(whole.outcome, Outcome::Active | Outcome::Unknown));
        }
    }

    /// The bound on work alone: with enough of it nothing changes, with less it is the only one
    /// that is named.
    #[test]
    fn the_bound_on_work_is_named(mut graph in graphs(), links in 0..14usize) {
        let whole = graph.find("n0", Bounds::default());
        let needed = graph.shown;
        let part = graph.find("n0", bounds(8, 256, links));
        if links >= needed {
            prop_assert_eq!(part, whole);
        } else if part != whole {
            prop_assert!(part.reason != Reason::DepthBound && part.reason != Reason::BreadthBound);
            prop_assert!(rank_of(part.outcome) >= rank_of(whole.outcome) || whole.path.is_empty()
                || part.reason == Reason::WorkBound, "{part:?} {whole:?}");
        }
    }

    /// Whatever gets worse about one link, no answer gets better.
    #[test]
    fn nothing_bad_ever_helps(
        mut graph in graphs(),
        which in any::<prop::sample::Index>(),
        outcome in outcomes(0),
    ) {
        let before = graph.find("n0", Bounds::default());
        let mut links: Vec<&mut Link> = graph.links.values_mut().flatten().collect();
        links.sort_by(|one, other| one.endorsement.cmp(&other.endorsement));
        prop_assume!(!links.is_empty());
        let place = which.index(links.len());
        if rank_of(outcome) > rank_of(links[place].outcome) {
            links[place].outcome = outcome;
        }
        let after = graph.find("n0", Bounds::default());
        prop_assert!(rank_of(after.outcome) >= rank_of(before.outcome), "{before:?} {after:?}");
    }
}

/// The graphs that are tried do show every reason and every outcome: else little would be shown by
/// trying them.
#[test]
fn the_graphs_that_are_tried_show_everything() {
    use proptest::strategy::ValueTree as _;
    use proptest::test_runner::TestRunner;
    let mut runner = TestRunner::deterministic();
    let mut reasons: HashMap<Reason, usize> = HashMap::new();
    let mut outcomes: HashMap<Outcome, usize> = HashMap::new();
    let mut lengths: HashMap<usize, usize> = HashMap::new();
    for number in 0..4_000usize {
        let mut graph = graphs().new_tree(&mut runner).unwrap().current();
        let bounds = match number % 2 {
            0 => Bounds::default(),
            _ => bounds(number % 5, number % 7, number % 11),
        };
        let standing = graph.find("n0", bounds);
        *reasons.entry(standing.reason).or_default() += 1;
        *outcomes.entry(standing.outcome).or_default() += 1;
        *lengths.entry(standing.path.len()).or_default() += 1;
    }
    for reason in Reason::ALL {
        assert!(
            reasons.get(reason).copied() > Some(5),
            "{reason:?}: {reasons:?}"
        );
    }
    for outcome in Outcome::ALL {
        let shown = outcome != Outcome::Unreachable;
        assert_eq!(
            outcomes.get(&outcome).copied() > Some(5),
            shown,
            "{outcomes:?}"
        );
    }
    assert!(
        (0..=3).all(|length| lengths.get(&length).copied() > Some(5)),
        "{lengths:?}"
    );
}
