//! Disks that are not the newest, and anchors that are lost: a registry over them is read and not
//! written, until what was lost is put back, or what is there is accepted.

use goodstanding::store::engine::{Decision, Engine as _, Stopped};
use goodstanding::store::memory::Image;

use super::known::Saved;
use super::machine::Shelf;
use super::requests::Request;
use super::run::{Run, change};
use super::script::{Kind, Trouble, Way};
use super::{Checked, Violation, ensure};

impl Run {
    /// A copy of the disk stands in its place, and the anchor is where it was.
    pub(super) fn is_rolled_back(
        &mut self,
        copy: &Saved,
        way: Way,
        trouble: Option<Trouble>,
    ) -> Result<&'static str, Violation> {
        let present = self.saved();
        let mut rolled = copy.image.clone();
        rolled.anchor.clone_from(&present.image.anchor);
        let asked = self.asked.clone();
        let same = copy.log.seq == present.log.seq && copy.log.digest == present.log.digest;
        self.takes_place_of(copy, &rolled)?;
        let stopped = self.probe.takes_writes();
        ensure!(
            same || stopped.is_err(),
            "a disk of event {} takes writes beside an anchor of event {}",
            copy.log.seq,
            present.log.seq
        );
        let Err(stopped) = stopped else {
            self.asked = asked;
            return self.is_put_back(&present);
        };
        self.tally.misfits += 1;
        ensure!(
            matches!(
                stopped,
                Stopped::BehindAnchor { .. }
                    | Stopped::NotTheAnchoredHistory(_)
                    | Stopped::CountersDiffer
            ),
            "a copy from before takes no writes: {stopped}"
        );
        self.takes_nothing()?;
        match way {
            Way::PutBack => {
                self.asked = asked;
                self.is_put_back(&present)
            }
            Way::Accept => {
                self.is_accepted(rolled, trouble)?;
                Ok("accepted as it was")
            }
        }
    }

    /// Starts on a disk of which that is known.
    fn takes_place_of(&mut self, known: &Saved, image: &Image) -> Checked {
        self.shelf = Shelf::new(known.master);
        self.model = known.model.clone();
        self.log = known.log.clone();
        self.asked.truncate(known.asked);
        self.seen.served = known.seen.served.clone();
        self.seen.feed = known.seen.feed;
        self.shown.clear();
        self.starts_on(image.clone(), Decision::AsAnchored, None)
    }

    fn is_put_back(&mut self, present: &Saved) -> Result<&'static str, Violation> {
        self.shelf = Shelf::new(present.master);
        self.model = present.model.clone();
        self.log = present.log.clone();
        self.seen.served = present.seen.served.clone();
        self.seen.feed = present.seen.feed;
        self.shown.clear();
        self.starts_on(present.image.clone(), Decision::AsAnchored, None)?;
        ensure!(
            self.probe.takes_writes().is_ok(),
            "what was put back takes no writes: {:?}",
            self.probe.takes_writes()
        );
        self.agrees_in_all()?;
        Ok("noticed, and put back")
    }

    /// What is there is accepted, and another epoch begins. Whoever decides that looks at the clock.
    fn is_accepted(&mut self, image: Image, trouble: Option<Trouble>) -> Checked {
        let (before, ever) = (self.probe.epoch(), self.seen.ever.clone());
        self.sets_the_clock();
        self.clock.moves(120);
        self.tally.epochs += 1;
        self.model.is_sealed();
        self.shown.clear();
        let trouble = trouble.filter(|trouble| trouble.kind != Kind::SetBack);
        self.starts_on(image, Decision::NewEpoch, trouble)?;
        if self.needs_a_start() {
            self.starts_on(self.probe.disk(), Decision::AsAnchored, None)?;
        }
        ensure!(
            self.probe.epoch() == before + 1,
            "epoch {} follows {before}",
            self.probe.epoch()
        );
        ensure!(
            self.probe.takes_writes() == Ok(()),
            "an accepted store takes no writes: {:?}",
            self.probe.takes_writes()
        );
        let caught_up = self.registry().catch_up();
        caught_up.map_err(|error| Violation(format!("catching up: {error}")))?;
        self.log.read_on(&*self.probe)?;
        for (list, told) in &self.log.lists {
            let before = ever.get(list).copied().unwrap_or(0);
            ensure!(
                !told.jumps && told.revision > before,
                "{list} goes on at {}, and was served at {before}",
                told.revision
            );
            if let Some(known) = self.model.lists.get_mut(list) {
                known.revision = told.revision;
            }
        }
        // How often it was published is counted anew, and nobody is told of that.
        self.seen.served.clear();
        self.agrees_in_all()
    }

    /// The anchor is another one, or none.
    pub(super) fn loses_anchor(
        &mut self,
        anchor: Option<[Vec<u8>; 2]>,
        way: Way,
        trouble: Option<Trouble>,
    ) -> Result<&'static str, Violation> {
        self.restarts(None)?;
        let present = self.saved();
        let mut image = present.image.clone();
        image.anchor = anchor;
        self.starts_on(image.clone(), Decision::AsAnchored, None)?;
        ensure!(
            matches!(
                self.probe.takes_writes(),
                Err(Stopped::AnchorMissing | Stopped::AnchorUnreadable(_))
            ),
            "without an anchor: {:?}",
            self.probe.takes_writes()
        );
        self.tally.misfits += 1;
        self.takes_nothing()?;
        match way {
            Way::PutBack => self.is_put_back(&present),
            Way::Accept => {
                self.is_accepted(image, trouble)?;
                Ok("accepted without an anchor")
            }
        }
    }

    /// A registry that only reads goes on reading, and writes nothing whatever it is asked.
    fn takes_nothing(&mut self) -> Checked {
        self.agrees_in_all()?;
        let (head, rows) = (self.probe.head(), self.probe.rows());
        let profile = self.model.profiles.first().map(|profile| profile.id);
        let asked = [
            profile.map(|owner| Request::Open {
                owner,
                suspension: true,
            }),
            Some(Request::Register {
                slug: "nobody".to_owned(),
            }),
            self.some_list(0)
                .map(|list| Request::Allocate { list, count: 1 }),
            self.some_entry(0).map(|(list, index)| Request::Set {
                list,
                entries: vec![index],
                status: true,
            }),
        ];
        for request in asked.into_iter().flatten() {
            let change = change(&request, Some("nothing is taken"));
            let went = self.tries(None, |registry| request.is_made(registry, &change));
            let told = went.outcome;
            ensure!(told.is_err(), "it takes {request:?}: {told:?}");
        }
        let registry = self.registry();
        let (_, _) = (registry.catch_up(), registry.renew_lists(64));
        let (_, _) = (
            registry.advance_rotations(64),
            registry.forget_outlived_answers(),
        );
        ensure!(
            self.probe.head() == head && self.probe.rows() == rows,
            "a store that is only read was written"
        );
        Ok(())
    }
}
