//! Cases of the policy, each drawn in a line.

use super::*;

/// Story, drawing, and the answer as [`line`] writes it.
const ROWS: &str = r"
# One link.
endorsed by an anchor              | s<T                                   | active path-found s<T
the first link need not carry      | s<T!                                  | active path-found s<T!
endorsed by nobody                 |                                       | not-endorsed no-endorsement
endorsed by who is no anchor       | s<a                                   | not-endorsed no-path
by itself                          | s<s                                   | not-endorsed only-cycles
by itself and an anchor            | s<s s<T                               | active path-found s<T
# An anchor itself.
an anchor                          | S=active                              | active anchor-itself
an anchor, and endorsed            | S<T                                   | active anchor-itself
a suspended anchor                 | S=suspended                           | suspended anchor-itself
an anchor that endorses itself     | S=revoked S<S                         | revoked anchor-itself
an anchor that never was one       | S=not-endorsed                        | not-endorsed anchor-itself
an anchor that nobody reaches      | S=unreachable                         | unknown anchor-itself
a suspended anchor, endorsed       | S=suspended S<T                       | active path-found S<T
a suspended anchor, once endorsed  | S=suspended S<T:revoked               | suspended anchor-itself
# Chains.
over one other                     | s<a a<T                               | active path-found s<a a<T
over two others                    | s<a a<b b<T                           | active path-found s<a a<b b<T
a link that does not carry         | s<a a<T!                              | not-endorsed not-carried s<a [a<T! not-carried]
also further up                    | s<a a<b b<T!                          | not-endorsed not-carried s<a a<b [b<T! not-carried]
another link carries it            | s<a a<T! a<b b<T                      | active path-found s<a a<b b<T
a chain ends at the first anchor   | s<T T<U T=suspended                   | suspended link [s<T endorser]
another anchor stands in           | s<T s<U T=suspended                   | active path-found s<U
# Outcomes along a path.
a suspended endorsement            | s<T:suspended                         | suspended link [s<T:suspended]
a suspended endorser               | s<a a<T a=suspended                   | suspended link [s<a endorser] a<T
an endorser that lost its role     | s<a a<T a=revoked                     | revoked link [s<a endorser] a<T
an endorser that never had it      | s<a a<T a=not-endorsed                | not-endorsed link [s<a endorser] a<T
the worst link decides             | s<a:suspended a<T:expired             | expired link s<a:suspended [a<T:expired]
wherever it stands                 | s<a:expired a<T:suspended             | expired link [s<a:expired] a<T:suspended
revoked counts before unknown      | s<a:unknown a<T:revoked               | revoked link s<a:unknown [a<T:revoked]
# Not known.
an unreachable link                | s<a a<T:unreachable                   | unknown link s<a [a<T:unreachable]
an endorser nobody knows           | s<a a<T a=unknown                     | unknown link [s<a endorser] a<T
a scope nobody can read            | s<T?                                  | unknown link [s<T? scope-unknown]
unreachable beside known           | s<a:unreachable a<T s<T               | active path-found s<T
not known before surely bad        | s<T:revoked s<a:unreachable a<T       | unknown link [s<a:unreachable] a<T
an anchor nobody reaches           | s<T T=unreachable                     | unknown link [s<T endorser]
# Which of several paths counts.
stale before suspended             | s<T:suspended s<U:stale-digest        | stale-digest link [s<U:stale-digest]
suspended before not yet valid     | s<T:not-yet-valid s<U:suspended       | suspended link [s<U:suspended]
not yet valid before expired       | s<T:expired s<U:not-yet-valid         | not-yet-valid link [s<U:not-yet-valid]
expired before revoked             | s<T:revoked s<U:expired               | expired link [s<U:expired]
revoked before not endorsed        | s<T T=not-endorsed s<U:revoked        | revoked link [s<U:revoked]
in force before short              | s<T:suspended s<a a<b b<T             | active path-found s<a a<b b<T
the shorter of two                 | s<a a<b b<T s<c c<T                   | active path-found s<c c<T
the first of two                   | s<a s<b a<T b<T                       | active path-found s<a a<T
the first, drawn otherwise         | s<b s<a a<T b<T                       | active path-found s<b b<T
the better of two by one endorser  | s<a:revoked s<a a<T                   | active path-found s<a a<T
also where another link decides    | s<a:revoked s<a a<T:revoked           | revoked link s<a [a<T:revoked]
a bad short cut is not taken       | s<a a<b b<T s<b:expired               | active path-found s<a a<b b<T
# Scope.
out of scope                       | s<T~                                  | not-endorsed out-of-scope [s<T~ out-of-scope]
out of scope further up            | s<a a<T~                              | not-endorsed out-of-scope s<a [a<T~ out-of-scope]
out of scope beside revoked        | s<T~ s<U:revoked                      | revoked link [s<U:revoked]
out of scope beside in scope       | s<T~ s<U                              | active path-found s<U
out of scope, and no anchor        | s<a~                                  | not-endorsed no-path
in scope, but not as accreditor    | s<a! a<T~ a<U!                        | not-endorsed not-carried s<a! [a<U! not-carried]
# Circles.
two that endorse each other        | s<a a<s                               | not-endorsed only-cycles
a circle beyond                    | s<a a<b b<a                           | not-endorsed only-cycles
circles, and a way that ends       | s<a a<b b<a b<c                       | not-endorsed no-path
a way out of a circle              | s<a a<b b<a b<T                       | active path-found s<a a<b b<T
a circle over bad links            | s<a:revoked a<s!                      | not-endorsed only-cycles
# Bounds.
as long as may be                  | depth=2 s<a a<T                       | active path-found s<a a<T
one longer                         | depth=2 s<a a<b b<T                   | unknown depth-bound
a good one may be longer           | depth=2 s<a a<b s<T:revoked           | unknown depth-bound
one not known is short enough      | depth=2 s<a a<b s<T:unreachable       | unknown link [s<T:unreachable]
what is longer could not be better | depth=2 s<a:revoked a<b s<T:suspended | suspended link [s<T:suspended]
what is longer could be better     | depth=2 s<a:suspended a<b s<T:revoked | unknown depth-bound
beyond what is no endorsement      | depth=2 s<a~ a<b b<T                  | not-endorsed no-path
nothing in a row                   | depth=0 s<T                           | unknown depth-bound
nothing in a row, for an anchor    | depth=0 S<T                           | active anchor-itself
among the first                    | breadth=2 s<a s<T s<b                 | active path-found s<T
among the others                   | breadth=2 s<a s<b s<T                 | unknown breadth-bound
others of somebody on the way      | breadth=1 s<a a<b a<T                 | unknown breadth-bound
exactly as many                    | breadth=2 s<a s<b                     | not-endorsed no-path
as much work as may be             | links=2 s<a a<T                       | active path-found s<a a<T
too much work                      | links=2 s<a s<b a<T                   | unknown work-bound
work that ends just in time        | links=2 s<a s<b                       | not-endorsed no-path
work is named before depth         | links=2 depth=2 s<a a<b a<c b<T       | unknown work-bound
";

#[test]
fn the_table_of_cases() {
    let mut wrong = Vec::new();
    for [story, drawing, expected] in rows(ROWS) {
        let found = line(&answer(drawing));
        if found != expected {
            wrong.push(format!(
                "{story}: {drawing}\n   gives {found}\n     not {expected}"
            ));
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

#[test]
fn every_reason_has_a_case_and_a_sentence_of_its_own() {
    let mut missing = Reason::ALL.to_vec();
    for [story, drawing, expected] in rows(ROWS) {
        let standing = answer(drawing);
        missing.retain(|reason| *reason != standing.reason);
        let detail = standing.detail();
        // What decides is named, and so is how it stands.
        if let Some(link) = standing.deciding() {
            let named = [&link.endorsement, &link.endorser];
            assert!(
                named.iter().any(|id| detail.contains(&***id)),
                "{story}: {detail}"
            );
            let word = link.outcome.as_str();
            let of_outcome = matches!(link.cause, Cause::Endorsement | Cause::Endorser);
            assert!(!of_outcome || detail.contains(word), "{story}: {detail}");
        }
        assert!(
            detail.len() > 10 && !detail.ends_with('.'),
            "{expected}: {detail}"
        );
    }
    assert_eq!(missing, [], "reasons without a case");
}

#[test]
fn details_are_sentences() {
    for (drawing, expected) in [
        ("s<T", "endorsed by the trust anchor T"),
        ("s<a a<T", "endorsed over 2 links up to the trust anchor T"),
        (
            "s<a a<T a=suspended",
            "endorsed over 2 links up to the trust anchor T, but a is suspended as an accreditor",
        ),
        (
            "s<T:expired",
            "endorsed by the trust anchor T, but s<T:expired is expired",
        ),
        (
            "s<T~",
            "s<T~ does not cover what is asked for: it is for another programme",
        ),
        (
            "s<a a<T!",
            "a<T! endorses a but not as an accreditor, so its own endorsements do not rest on it",
        ),
        (
            "S=revoked",
            "it is a trust anchor, and revoked as an accreditor",
        ),
    ] {
        assert_eq!(answer(drawing).detail(), expected);
    }
}

/// Every kind of break of one link, in a chain of three, wherever the link stands: the whole chain
/// stands as that link does.
#[test]
fn a_chain_stands_as_its_worst_link() {
    for outcome in Outcome::ALL {
        for place in 0..3 {
            let word = outcome.as_str();
            let mut links = ["s<a", "a<b", "b<T"].map(str::to_owned);
            links[place].push_str(&format!(":{word}"));
            let endorser = ["a", "b", "T"][place];
            for drawing in [links.join(" "), format!("s<a a<b b<T {endorser}={word}")] {
                let standing = Graph::drawn(&drawing).find("s", Bounds::default());
                let expected = match outcome {
                    Outcome::Unreachable => Outcome::Unknown,
                    other => other,
                };
                assert_eq!(standing.outcome, expected, "{drawing}");
                assert_eq!(standing.path.len(), 3, "{drawing}");
                for (number, link) in standing.path.iter().enumerate() {
                    let own = if number == place {
                        outcome
                    } else {
                        Outcome::Active
                    };
                    assert_eq!(link.outcome, own, "{drawing}");
                }
            }
        }
    }
}

/// An adapter that cannot read ends the search, wherever that happens.
#[test]
fn errors_are_handed_on() {
    struct Broken(Graph, &'static str);
    impl Links for Broken {
        type Error = String;
        type Party = Arc<str>;
        type Endorsement = Arc<str>;

        fn links_to(&mut self, subject: &Arc<str>, most: usize) -> Result<Found, String> {
            let Ok(found) = self.0.links_to(subject, most);
            match **subject == *self.1 {
                true => Err(format!("links of {subject}")),
                false => Ok(found),
            }
        }

        fn accreditor(&mut self, id: &Arc<str>) -> Result<Accreditor, String> {
            match self.1.strip_prefix('=') == Some(id) {
                true => Err(format!("standing of {id}")),
                false => Ok(self.0.stands(id)),
            }
        }

        fn id_of(&self, id: &Arc<str>) -> Arc<str> {
            self.0.id_of(id)
        }

        fn endorsement_id(&self, id: &Arc<str>) -> Arc<str> {
            self.0.endorsement_id(id)
        }
    }
    for (at, error) in [
        ("s", "links of s"),
        ("a", "links of a"),
        ("=s", "standing of s"),
        ("=T", "standing of T"),
    ] {
        let mut broken = Broken(Graph::drawn("s<a a<T"), at);
        let found = find_path("s".into(), &mut broken, Bounds::default());
        assert_eq!(found, Err(error.to_owned()));
    }
}

/// Links beyond what was asked for are not looked at, even where they are handed over.
#[test]
fn a_source_that_shows_too_much_gains_nothing() {
    struct Eager(Graph);
    impl Links for Eager {
        type Error = Infallible;
        type Party = Arc<str>;
        type Endorsement = Arc<str>;

        fn links_to(&mut self, subject: &Arc<str>, _: usize) -> Result<Found, Infallible> {
            self.0.links_to(subject, usize::MAX)
        }

        fn accreditor(&mut self, id: &Arc<str>) -> Result<Accreditor, Infallible> {
            self.0.accreditor(id)
        }

        fn id_of(&self, id: &Arc<str>) -> Arc<str> {
            self.0.id_of(id)
        }

        fn endorsement_id(&self, id: &Arc<str>) -> Arc<str> {
            self.0.endorsement_id(id)
        }
    }
    let bounds = Bounds {
        breadth: 2,
        ..Bounds::default()
    };
    let mut eager = Eager(Graph::drawn("s<a s<b s<T"));
    let Ok(found) = find_path("s".into(), &mut eager, bounds);
    assert_eq!(line(&found), "unknown breadth-bound");
    assert_eq!(eager.0.asked_as_accreditors, ["s", "a", "b"]);
}

/// The answer for s, or for S where there is one. A drawing may name bounds: `depth=2 links=3`.
fn answer(drawing: &str) -> Standing {
    let mut bounds = Bounds::default();
    let mut rest = Vec::new();
    for word in drawing.split_whitespace() {
        match word.split_once('=') {
            Some(("depth", number)) => bounds.depth = number.parse().unwrap(),
            Some(("breadth", number)) => bounds.breadth = number.parse().unwrap(),
            Some(("links", number)) => bounds.links = number.parse().unwrap(),
            _ => rest.push(word),
        }
    }
    let subject = if drawing.contains('S') { "S" } else { "s" };
    Graph::drawn(&rest.join(" ")).find(subject, bounds)
}
