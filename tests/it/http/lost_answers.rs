//! Every change, cut off at every commit that it makes, in every way in which a commit can fail: the
//! request that is sent again after a restart gets the answer that the first one was not given, and
//! the change is there once.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use goodstanding::http::routes::Route;
use goodstanding::store::engine::{Decision, Engine as _};
use goodstanding::store::memory::{Fault, Image, MemoryEngine};
use goodstanding::time::{Clock as _, ManualClock};

use super::matrix::{Sample, World};
use super::repeated::{Second, call, changes, second, told};
use crate::support::client::Answer;
use crate::support::house::{House, Plan};

/// A registry of which the test holds the engine.
struct Place {
    house: House,
    engine: Arc<MemoryEngine>,
    /// The newest event when it was opened, and when it was up.
    found: u64,
    up: u64,
}

impl Place {
    fn over(image: Image, world: &World, seed: u64) -> Self {
        let clock = Arc::new(ManualClock::new(world.clock.now()));
        let engine = MemoryEngine::starting(image, Decision::AsAnchored, clock.clone());
        let engine = Arc::new(engine.expect("the anchor fits"));
        let found = engine.head().seq.0;
        let house = Plan::over(engine.clone(), clock).seeded(seed).open();
        assert_eq!(engine.takes_writes(), Ok(()));
        Self {
            house,
            found,
            up: engine.head().seq.0,
            engine,
        }
    }

    /// How many events there are since it was up.
    fn events(&self) -> u64 {
        self.engine.head().seq.0 - self.up
    }

    /// How many events starting logs where nothing is left to do.
    const fn of_a_start(&self) -> u64 {
        self.up - self.found
    }

    fn new(world: &World) -> Self {
        let clock = world.clock.clone();
        let engine = MemoryEngine::holding(world.rows.clone(), clock).unwrap();
        Self::over(engine.disk(), world, 2)
    }

    /// The commit of this number, counted from here, meets this; all others are well.
    fn fails_at(&self, number: u64, fault: Fault) {
        let mut commits = 0;
        self.engine.set_fault_hook(move |_, _| {
            commits += 1;
            match commits == number {
                true => fault,
                false => Fault::Proceed,
            }
        });
    }
}

/// A change, and what comes of it where nothing fails.
struct Story<'w> {
    world: &'w World,
    route: &'static Route,
    sample: Sample,
    token: String,
    answer: Answer,
    events: u64,
    commits: u64,
}

impl<'w> Story<'w> {
    fn told(world: &'w World, (route, sample, token): (&'static Route, Sample, String)) -> Self {
        let place = Place::new(world);
        let commits = Arc::new(AtomicU64::new(0));
        let counted = commits.clone();
        place.engine.set_fault_hook(move |_, _| {
            counted.fetch_add(1, Ordering::Relaxed);
            Fault::Proceed
        });
        let answer = call(&place.house, route, &sample, &token, 0).send();
        let events = place.events();
        Self {
            world,
            route,
            sample,
            token,
            answer,
            events,
            commits: commits.load(Ordering::Relaxed),
        }
    }

    fn send(&self, place: &Place) -> Answer {
        call(&place.house, self.route, &self.sample, &self.token, 0).send()
    }

    /// Cut off at the commit of this number, and sent again after a restart.
    fn cut_off(&self, number: u64, fault: Fault) {
        let case = format!(
            "{} {}, {fault:?} at commit {number} of {}",
            self.route.method, self.route.path, self.commits
        );
        let place = Place::new(self.world);
        place.fails_at(number, fault);
        self.send(&place);
        let (up, of_a_start) = (place.up, place.of_a_start());
        let image = place.engine.disk();
        drop(place);

        let next = Place::over(image, self.world, 77);
        let again = self.send(&next);
        let third = self.send(&next);
        let events = next.up + next.events() - up - of_a_start;
        assert_eq!(events, self.events, "{case}: made once");
        match second(self.route) {
            Second::SameAnswer => {
                assert_eq!(again.status, self.answer.status, "{case}: {}", again.text());
                assert_eq!(told(&third), told(&again), "{case}");
                // What was made at the first go is answered for as it was made: the same ids.
                if next.found > up {
                    assert_eq!(told(&again), told(&self.answer), "{case}");
                }
            }
            // A secret that was lost on its way is not shown by asking again.
            Second::NamesTheFirst => {
                assert!(
                    matches!(again.status, 201 | 409),
                    "{case}: {}",
                    again.text()
                );
                third.problem(409);
            }
            Second::SameRefusal => assert_eq!(told(&again), told(&self.answer), "{case}"),
        }
    }

    /// Refused for a moment, and sent again to the same process.
    fn put_off(&self, number: u64, fault: Fault) {
        let case = format!(
            "{} {}, {fault:?} at commit {number} of {}, without a restart",
            self.route.method, self.route.path, self.commits
        );
        let place = Place::new(self.world);
        place.fails_at(number, fault);
        let first = self.send(&place);
        let again = self.send(&place);
        // What could not be published then is published by the next start at the latest.
        let next = Place::over(place.engine.disk(), self.world, 77);
        let events = next.up - place.up - place.of_a_start();
        assert_eq!(events, self.events, "{case}: made once");
        match second(self.route) {
            Second::NamesTheFirst if first.status == 201 => drop(again.problem(409)),
            Second::NamesTheFirst => drop(again.is(201)),
            Second::SameAnswer | Second::SameRefusal => {
                assert_eq!(again.status, self.answer.status, "{case}: {}", again.text());
                assert_eq!(told(&self.send(&place)), told(&again), "{case}");
            }
        }
    }
}

const FAULTS: [Fault; 6] = [
    Fault::LoseAndReportFailed,
    Fault::PersistButReportFailed,
    Fault::TearAnchor,
    Fault::AnchorButReportFailed,
    Fault::Refuse,
    Fault::NoSpace,
];

#[test]
fn a_change_whose_answer_was_lost_is_answered_by_whoever_comes_after() {
    let world = World::build();
    let mut cut_off = 0;
    for change in changes(&world) {
        let story = Story::told(&world, change);
        let makes_something = second(story.route) != Second::SameRefusal;
        assert_eq!(story.commits > 0, makes_something, "{}", story.route.path);
        cut_off += story.commits;
        for number in 1..=story.commits {
            for fault in FAULTS {
                story.cut_off(number, fault);
            }
            story.put_off(number, Fault::Refuse);
            story.put_off(number, Fault::NoSpace);
        }
    }
    assert!(cut_off >= 40, "only {cut_off} commits");
}
