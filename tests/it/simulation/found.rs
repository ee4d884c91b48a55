//! What was found, told again step by step.

use super::script::{Deed, Kind, Script, Step, Trouble};
use super::{furnished, outcome};

/// These steps, on a store with something in it.
fn holds(publishes_first: bool, steps: &[(Deed, Option<Trouble>)]) {
    let _built = furnished();
    let step = |(deed, trouble): &(Deed, Option<Trouble>)| Step {
        deed: *deed,
        keyed: true,
        trouble: *trouble,
    };
    let script = Script {
        seed: 1,
        publishes_first,
        furnished: true,
        steps: steps.iter().map(step).collect(),
    };
    outcome(&script, None).expect("everything holds");
}

const fn at_its_first_commit(kind: Kind, dies: bool) -> Option<Trouble> {
    Some(Trouble {
        after: 0,
        kind,
        dies,
    })
}

/// The first key of a profile signs from the moment at which it was decided. Where the clock was set
/// back before the batch was committed, the log ended before that moment, so that the registry's
/// present was before it too, and the profile had no key for an hour.
#[test]
fn a_profile_can_sign_at_once_also_where_the_clock_is_set_back_while_it_is_registered() {
    for dies in [false, true] {
        holds(
            false,
            &[
                (Deed::Wait { seconds: 1 }, None),
                (Deed::Register, at_its_first_commit(Kind::SetBack, dies)),
                (
                    Deed::Open {
                        whose: 2,
                        suspension: false,
                    },
                    None,
                ),
            ],
        );
    }
}
