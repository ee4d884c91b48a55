//! What a run does, step by step: a script is a list of steps that hold nothing but numbers, so that
//! it can be made of a seed, told, and cut short.

use goodstanding::registry::{AccreditorAction, EndorsementAction};

use crate::support::dice::Dice;

/// One step. Numbers choose among what there is when it is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Step {
    pub(super) deed: Deed,
    /// Whether it is asked for under an `Idempotency-Key`.
    pub(super) keyed: bool,
    pub(super) trouble: Option<Trouble>,
}

/// What is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Deed {
    /// A profile is registered, which issues and endorses.
    Register,
    /// A list is opened by somebody: of suspensions or of revocations.
    Open {
        whose: u8,
        suspension: bool,
    },
    /// Entries of a list are given out.
    Allocate {
        list: u8,
        count: u8,
    },
    /// A credential, by its id, is given an entry of a list.
    Name {
        list: u8,
        credential: u8,
    },
    /// A credential is issued, and given what it needs.
    Issue {
        whose: u8,
        credential: u8,
    },
    /// An entry gets a status.
    Set {
        entry: u8,
        status: bool,
    },
    /// All entries of a list get a status.
    SetAll {
        list: u8,
        status: bool,
    },
    /// A credential gets a status, by its id.
    SetNamed {
        credential: u8,
        status: bool,
    },
    /// Two ask for the same at the same time, under one key, while a third one is served.
    Twice {
        entry: u8,
    },
    Endorse {
        whose: u8,
        whom: u8,
        suspendable: bool,
    },
    Decide {
        endorsement: u8,
        action: EndorsementAction,
    },
    Accreditor {
        whose: u8,
        action: AccreditorAction,
    },
    /// What was asked for under a key is asked for again under it.
    Retry {
        which: u8,
    },
    Publish {
        list: u8,
    },
    /// What the publisher's thread does: all that waits is published.
    CatchUp,
    /// Lists that end soon are signed again.
    Renew,
    /// The feed of publications is read on, so many events at most.
    ReadFeed {
        most: u8,
    },
    /// Answers are forgotten that were kept for long enough.
    Forget,
    /// Another key takes over from those of somebody.
    Rotate {
        whose: u8,
    },
    /// Rotations go on.
    Advance,
    /// Another master key takes the place of the present one.
    RotateMaster,
    /// Time passes.
    Wait {
        seconds: u32,
    },
    /// Somebody sets the clock back.
    SetBack {
        seconds: u32,
    },
    /// Somebody copies the disk.
    Copy,
    /// The process ends in order, and starts.
    Restart,
    /// The process is killed between two changes, and starts.
    Kill,
    /// A copy of the disk is put in its place while the anchor stays.
    RollBack {
        copy: u8,
        way: Way,
    },
    /// The anchor is lost.
    LoseAnchor {
        way: Way,
    },
    /// Both slots of the anchor are overwritten.
    SpoilAnchor {
        way: Way,
    },
}

/// How a store is brought back that takes no writes for its anchor's sake.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Way {
    /// What was lost is put back.
    PutBack,
    /// What is there is accepted.
    Accept,
}

/// What one of a step's commits meets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Trouble {
    /// So many commits of the step go well before.
    pub(super) after: u8,
    pub(super) kind: Kind,
    /// Whether the process dies of it: then nobody hears the answer, not even a good one.
    pub(super) dies: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    /// Nothing goes wrong; whoever dies of it dies before the answer is out.
    Nothing,
    /// Before it was appended, or after it and before it was synced: it is lost.
    Lost,
    /// Appended, perhaps synced, and reported as failed: it is there, and the anchor does not say so.
    Persisted,
    /// Synced, and the anchor's slot is half written.
    Torn,
    /// After the anchor, before the answer.
    Anchored,
    /// There is no space.
    NoSpace,
    /// It is refused, and nothing was tried.
    Refused,
    /// The disk takes two minutes.
    Slow,
    /// The clock is set back by an hour meanwhile.
    SetBack,
}

impl Kind {
    pub(super) const ALL: [Self; 9] = [
        Self::Nothing,
        Self::Lost,
        Self::Persisted,
        Self::Torn,
        Self::Anchored,
        Self::NoSpace,
        Self::Refused,
        Self::Slow,
        Self::SetBack,
    ];
}

/// So many steps a script has at most.
const MOST_STEPS: usize = 40;

/// A script, and how the registry is set up for it.
#[derive(Debug, Clone)]
pub(super) struct Script {
    /// Of what chance of the registry's own is made.
    pub(super) seed: u64,
    /// Whether lists are signed before a change of them is acknowledged.
    pub(super) publishes_first: bool,
    /// Whether there is something in the store already.
    pub(super) furnished: bool,
    pub(super) steps: Vec<Step>,
}

impl Script {
    /// The script of a seed.
    pub(super) fn of(seed: u64) -> Self {
        let mut dice = Dice::new(seed.wrapping_mul(0x5851_f42d_4c95_7f2d));
        let count = 8 + dice.below(MOST_STEPS - 8);
        let steps = (0..count).map(|_| step(&mut dice, 22)).collect();
        Self {
            seed,
            publishes_first: seed % 2 == 1,
            furnished: !seed.is_multiple_of(8),
            steps,
        }
    }

    /// The same, without all but the first steps.
    pub(super) fn cut(&self, steps: usize) -> Self {
        Self {
            steps: self.steps[..steps].to_vec(),
            ..self.clone()
        }
    }
}

/// A step, so often in trouble, in percent.
pub(super) fn step(dice: &mut Dice, troubled: usize) -> Step {
    let deed = deed(dice);
    let trouble = dice.chance(troubled).then(|| Trouble {
        after: [0, 0, 0, 1, 1, 2][dice.below(6)],
        kind: *dice.pick(&Kind::ALL),
        dies: dice.chance(50),
    });
    Step {
        deed,
        keyed: dice.chance(70),
        trouble,
    }
}

fn deed(dice: &mut Dice) -> Deed {
    let n = |dice: &mut Dice| dice.below(256) as u8;
    let way = |dice: &mut Dice| match dice.chance(50) {
        true => Way::PutBack,
        false => Way::Accept,
    };
    match dice.below(100) {
        0..3 => Deed::Register,
        3..7 => Deed::Open {
            whose: n(dice),
            suspension: dice.chance(50),
        },
        7..14 => Deed::Allocate {
            list: n(dice),
            count: 1 + dice.below(3) as u8,
        },
        14..20 => Deed::Name {
            list: n(dice),
            credential: dice.below(12) as u8,
        },
        20..23 => Deed::Issue {
            whose: n(dice),
            credential: dice.below(6) as u8,
        },
        23..36 => Deed::Set {
            entry: n(dice),
            status: dice.chance(75),
        },
        36..38 => Deed::SetAll {
            list: n(dice),
            status: dice.chance(75),
        },
        38..42 => Deed::SetNamed {
            credential: n(dice),
            status: dice.chance(75),
        },
        42..44 => Deed::Twice { entry: n(dice) },
        44..47 => Deed::Endorse {
            whose: n(dice),
            whom: n(dice),
            suspendable: dice.chance(70),
        },
        47..53 => Deed::Decide {
            endorsement: n(dice),
            action: *dice.pick(&[
                EndorsementAction::Revoke,
                EndorsementAction::Suspend,
                EndorsementAction::Suspend,
                EndorsementAction::Reinstate,
            ]),
        },
        53..56 => Deed::Accreditor {
            whose: n(dice),
            action: *dice.pick(&[
                AccreditorAction::Suspend,
                AccreditorAction::Suspend,
                AccreditorAction::Reinstate,
                AccreditorAction::Reinstate,
                AccreditorAction::Remove,
            ]),
        },
        56..66 => Deed::Retry { which: n(dice) },
        66..69 => Deed::Publish { list: n(dice) },
        69..73 => Deed::CatchUp,
        73..75 => Deed::Renew,
        75..78 => Deed::ReadFeed { most: n(dice) },
        78..80 => Deed::Forget,
        80..82 => Deed::Rotate { whose: n(dice) },
        82..84 => Deed::Advance,
        84..85 => Deed::RotateMaster,
        85..89 => Deed::Wait {
            seconds: *dice.pick(&[1, 20, 90, 400, 700, 4_000, 9_000]),
        },
        89..90 => Deed::SetBack {
            seconds: *dice.pick(&[1, 600, 7_200]),
        },
        90..92 => Deed::Copy,
        92..94 => Deed::Restart,
        94..96 => Deed::Kill,
        96..98 => Deed::RollBack {
            copy: n(dice),
            way: way(dice),
        },
        98..99 => Deed::LoseAnchor { way: way(dice) },
        _ => Deed::SpoilAnchor { way: way(dice) },
    }
}
