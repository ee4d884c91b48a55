//! What one link contributes: by a table, and for everything that a link can be.

use super::super::policy::Level;
use super::*;

/// A link and its endorser, what they contribute first on a path, and what further on.
const ROWS: &str = r"
s<a                           | active in-force           | active in-force
s<a!                          | active in-force           | not-endorsed not-carried
s<a:suspended                 | suspended endorsement     | suspended endorsement
s<a a=suspended               | suspended endorser        | suspended endorser
s<a:suspended a=suspended     | suspended endorsement     | suspended endorsement
s<a a=revoked                 | revoked endorser          | revoked endorser
s<a a=not-endorsed            | not-endorsed endorser     | not-endorsed endorser
# What is over for good counts before what may come back.
s<a:expired a=suspended       | expired endorsement       | expired endorsement
s<a:suspended a=revoked       | revoked endorser          | revoked endorser
s<a:not-yet-valid a=suspended | not-yet-valid endorsement | not-yet-valid endorsement
# Who never was an accreditor had nothing to revoke.
s<a:revoked a=not-endorsed    | not-endorsed endorser     | not-endorsed endorser
# What is surely bad counts before what is not known, and that before what is good.
s<a:unreachable               | unreachable endorsement   | unreachable endorsement
s<a a=unknown                 | unknown endorser          | unknown endorser
s<a:unreachable a=suspended   | suspended endorser        | suspended endorser
s<a:stale-digest a=unknown    | stale-digest endorsement  | stale-digest endorsement
s<a?                          | unknown scope-unknown     | unknown scope-unknown
s<a?:unreachable              | unreachable endorsement   | unreachable endorsement
s<a?:expired                  | expired endorsement       | expired endorsement
s<a!?                         | unknown scope-unknown     | not-endorsed not-carried
# As if it were not there, whatever else is to be said of it.
s<a~                          | not-endorsed out-of-scope | not-endorsed out-of-scope
s<a~:revoked                  | not-endorsed out-of-scope | not-endorsed out-of-scope
s<a!~:revoked a=unknown       | not-endorsed out-of-scope | not-endorsed out-of-scope
";

#[test]
fn the_table_of_the_policy() {
    for [drawing, first, further] in rows(ROWS) {
        let graph = Graph::drawn(drawing);
        for (place, expected) in [(Place::First, first), (Place::Further, further)] {
            let link = &graph.links["s"][0];
            let found = contribution(link, graph.stands("a").outcome, place);
            let found = format!("{} {}", found.outcome.as_str(), found.cause.as_str());
            assert_eq!(found, expected, "{drawing}, {place:?}");
        }
    }
}

#[test]
fn a_link_is_good_only_where_everything_about_it_is() {
    let mut cases = 0;
    for outcome in Outcome::ALL {
        for endorser in Outcome::ALL {
            for flags in ["", "!", "?", "~", "!?", "!~"] {
                for place in [Place::First, Place::Further] {
                    let drawing = format!("s<a{flags}:{}", outcome.as_str());
                    let link = &Graph::drawn(&drawing).links["s"][0];
                    let its = contribution(link, endorser, place);
                    let good = outcome == Outcome::Active
                        && endorser == Outcome::Active
                        && (flags.is_empty() || (flags == "!" && place == Place::First));
                    assert_eq!(its.outcome == Outcome::Active, good, "{drawing}");
                    assert_eq!(its.cause == Cause::InForce, good, "{drawing}");
                    assert_eq!(
                        its.level().of_a_path() == Outcome::Active,
                        good,
                        "{drawing}"
                    );
                    // Nothing about it makes it better than the worst of its parts.
                    let parts = Level::of(outcome).max(Level::of(endorser));
                    assert!(its.level() >= parts, "{drawing}");
                    cases += 1;
                }
            }
        }
    }
    assert_eq!(cases, 9 * 9 * 6 * 2);
}
