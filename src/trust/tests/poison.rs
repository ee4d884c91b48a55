//! Graphs drawn to wear a search out.

use super::*;

fn letter(number: usize) -> String {
    format!("n{number}")
}

#[test]
fn everybody_endorses_everybody() {
    let mut graph = Graph::default();
    for subject in 0..300 {
        for endorser in 0..300 {
            graph.good(&letter(subject), &letter(endorser));
        }
    }
    let bounds = Bounds::default();
    let standing = graph.find("n0", bounds);
    assert_eq!(line(&standing), "unknown work-bound");
    assert_eq!(graph.shown, bounds.links);
    // 16 with as many links as are looked at per subject, and one for whom nothing was left.
    assert!(graph.asked.len() <= 17 + 240, "{}", graph.asked.len());

    // With room for all of them it is known that there is no way, and each link was seen once.
    let room = Bounds {
        depth: 300,
        breadth: 300,
        links: 90_000,
    };
    let standing = graph.find("n0", room);
    assert_eq!(line(&standing), "not-endorsed only-cycles");
    assert_eq!((graph.shown, graph.asked.len()), (90_000, 300));
}

/// Every level in turn has to be let in before the next link is found.
#[test]
fn each_step_is_worse_than_the_one_before() {
    let mut graph = Graph::default();
    for subject in 0..60 {
        for endorser in 0..60 {
            let mut link = Graph::drawn("x<y").links["x"][0].clone();
            link.endorsement = format!("{subject}<{endorser}").into();
            link.endorser = letter(endorser).into();
            link.outcome = Outcome::ALL[(subject * 7 + endorser) % 9];
            link.carries = (subject + endorser) % 5 != 0;
            if (subject + 2 * endorser) % 7 == 0 {
                link.fit = Fit::DoesNot("it is for another programme");
            }
            graph.add(&letter(subject), link);
        }
    }
    let standing = graph.find("n0", Bounds::default());
    assert_eq!(line(&standing), "not-endorsed only-cycles");
    assert_eq!((graph.shown, graph.asked.len()), (3600, 60));
}

#[test]
fn a_chain_without_end() {
    let mut graph = Graph::default();
    for number in 0..10_000 {
        graph.good(&letter(number), &letter(number + 1));
    }
    let standing = graph.find("n0", Bounds::default());
    assert_eq!(line(&standing), "unknown depth-bound");
    assert_eq!(graph.asked.len(), Bounds::default().depth);

    let deep = Bounds {
        depth: usize::MAX,
        ..Bounds::default()
    };
    let standing = graph.find("n0", deep);
    assert_eq!(line(&standing), "unknown work-bound");
    assert_eq!(graph.asked.len(), deep.links + 1);
    // An anchor within reach is found, however long the way.
    graph.good("n4000", "T");
    let standing = graph.find("n0", deep);
    assert_eq!(
        (standing.outcome, standing.path.len()),
        (Outcome::Active, 4001)
    );
}

#[test]
fn a_fan_of_many() {
    let mut graph = Graph::default();
    for number in 1..=100_000 {
        graph.good("n0", &letter(number));
    }
    graph.good("n0", "T");
    let standing = graph.find("n0", Bounds::default());
    assert_eq!(line(&standing), "unknown breadth-bound");
    assert_eq!(graph.shown, Bounds::default().breadth);
    assert_eq!(graph.asked.len(), 1 + Bounds::default().breadth);
}

/// As many links as may be looked at, all of them between the same two.
#[test]
fn the_same_link_many_times() {
    let mut graph = Graph::default();
    for _ in 0..1_000_000 / 256 {
        graph.good("n0", "n1");
        graph.good("n1", "n0");
    }
    let bounds = Bounds {
        breadth: usize::MAX,
        ..Bounds::default()
    };
    let standing = graph.find("n0", bounds);
    assert_eq!(line(&standing), "unknown work-bound");
    assert_eq!((graph.shown, graph.asked.len()), (bounds.links, 2));
}

/// Two ways on at each of many steps make more paths than could ever be walked one by one.
#[test]
fn more_paths_than_can_be_counted() {
    let mut graph = Graph::default();
    for step in 0..200 {
        for from in ["l", "r"] {
            for to in ["l", "r"] {
                graph.good(&format!("{from}{step}"), &format!("{to}{}", step + 1));
            }
        }
    }
    let bounds = Bounds {
        depth: 300,
        ..Bounds::default()
    };
    let standing = graph.find("l0", bounds);
    assert_eq!(line(&standing), "not-endorsed no-path");
    assert_eq!((graph.shown, graph.asked.len()), (798, 401));
    graph.good("r200", "T");
    let standing = graph.find("l0", bounds);
    assert_eq!(
        (standing.outcome, standing.path.len()),
        (Outcome::Active, 201)
    );
}
