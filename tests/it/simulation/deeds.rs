//! What each step means where it is taken.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use goodstanding::ids::ListId;
use goodstanding::registry::{Actor, Change, EndorsementAction, RegistryError};

use super::requests::Request;
use super::run::{Run, change, fails, is_of_store};
use super::script::{Deed, Step, Trouble};
use super::{Checked, Violation, ensure};

/// So many copies of the disk are kept.
const MOST_COPIES: usize = 3;

/// For so many steps somebody tries a registry that takes no writes before it is started again.
const PATIENCE: u32 = 3;

impl Run {
    /// Takes a step, and looks at what can be seen at once. Returns what came of it, in words.
    pub(super) fn takes(&mut self, step: Step) -> Result<String, Violation> {
        self.tally.steps += 1;
        if self.needs_a_start() {
            self.stopped_for += 1;
            if self.stopped_for > PATIENCE {
                self.restarts(None)?;
            }
        }
        let word = self.does(step)?;
        self.agrees()?;
        Ok(word.to_owned())
    }

    /// The end: everything that is open is settled, and everything is looked at.
    pub(super) fn ends(&mut self) -> Checked {
        self.sets_the_clock();
        self.restarts(None)?;
        for which in 0..self.asked.len() {
            let key = &self.asked[which].0;
            let open = self.model.kept.get(key);
            if open.is_some_and(|kept| kept.answer.is_none()) {
                self.asks_again(which, None)?;
            }
        }
        let caught_up = self.registry().catch_up();
        caught_up.map_err(|error| Violation(format!("catching up: {error}")))?;
        self.agrees_in_all()?;
        for (list, told) in &self.log.lists {
            let served = self.seen.served.get(list).map(|served| served.0);
            ensure!(
                served == Some(told.revision),
                "{list} is at revision {}, and {served:?} is served",
                told.revision
            );
        }
        Ok(())
    }

    fn does(&mut self, step: Step) -> Result<&'static str, Violation> {
        let Step {
            deed,
            keyed,
            trouble,
        } = step;
        if let Some(request) = self.request(deed) {
            let key = keyed.then(|| self.fresh_key());
            return self.asks(request, key, trouble);
        }
        match deed {
            Deed::Twice { entry } => return self.is_asked_twice(entry, trouble),
            Deed::Retry { which } if !self.asked.is_empty() => {
                // Rather one of the last.
                let count = self.asked.len().min(12);
                let which = self.asked.len() - 1 - usize::from(which) % count;
                return self.asks_again(which, trouble);
            }
            Deed::Publish { list } => {
                if let Some(list) = chosen(&self.all_lists(), list) {
                    self.works(trouble, |run| run.registry().publish(list))?;
                    self.serves_what_was(list)?;
                }
            }
            Deed::CatchUp => self.works(trouble, |run| run.registry().catch_up().map(drop))?,
            Deed::Renew => self.works(trouble, |run| run.registry().renew_lists(64).map(drop))?,
            Deed::Forget => self.works(trouble, |run| {
                run.registry().forget_outlived_answers().map(drop)
            })?,
            Deed::Advance => self.works(trouble, |run| {
                run.registry().advance_rotations(64).map(drop)
            })?,
            Deed::RotateMaster => {
                self.shelf.provides_next();
                self.works(trouble, |run| {
                    let change = Change::by(Actor::operator());
                    run.registry().rotate_master_key(&change).map(drop)
                })?;
            }
            Deed::ReadFeed { most } => self.reads_feed(usize::from(most) + 1)?,
            Deed::Wait { seconds } => self.clock.moves(seconds.into()),
            Deed::SetBack { seconds } => self.clock.moves(-i64::from(seconds)),
            Deed::Copy => {
                if self.is_stopped() {
                    return Ok("the disk may hold more than is known");
                }
                self.copies.push(self.saved());
                let over = self.copies.len().saturating_sub(MOST_COPIES);
                self.copies.drain(..over);
            }
            Deed::Restart => self.restarts(trouble)?,
            Deed::Kill => {
                self.tally.kills += 1;
                self.restarts(trouble)?;
            }
            Deed::RollBack { copy, way } => {
                // What was not acknowledged may be lost; so that it is known, it is settled first.
                self.restarts(None)?;
                if let Some(copy) = chosen(&self.copies, copy) {
                    return self.is_rolled_back(&copy, way, trouble);
                }
            }
            Deed::LoseAnchor { way } => return self.loses_anchor(None, way, trouble),
            Deed::SpoilAnchor { way } => {
                let garbage = [vec![0x5a; 4_096], vec![0xa5; 4_096]];
                return self.loses_anchor(Some(garbage), way, trouble);
            }
            _ => return Ok("there is nothing to do it to"),
        }
        Ok("done")
    }

    /// The request that a step makes, where it makes one and there is something to make it of.
    fn request(&mut self, deed: Deed) -> Option<Request> {
        let model = &self.model;
        let profile = |which: u8| chosen(&model.profiles, which);
        Some(match deed {
            Deed::Register => {
                self.names += 1;
                Request::Register {
                    slug: format!("school-{}", self.names),
                }
            }
            Deed::Open { whose, suspension } => Request::Open {
                owner: profile(whose)?.id,
                suspension,
            },
            Deed::Allocate { list, count } => Request::Allocate {
                list: self.some_list(list)?,
                count: count.into(),
            },
            Deed::Name { list, credential } => Request::Name {
                list: self.some_list(list)?,
                credential: format!("urn:example:credential:{credential}"),
            },
            Deed::Issue { whose, credential } => {
                let issuer = profile(whose)?;
                Request::Issue {
                    owner: issuer.id,
                    issuer: issuer.issuer,
                    credential: format!("urn:example:issued:{credential}"),
                }
            }
            Deed::Set { entry, status } => {
                let (list, index) = self.some_entry(entry)?;
                Request::Set {
                    list,
                    entries: vec![index],
                    status,
                }
            }
            Deed::SetAll { list, status } => {
                let list = self.some_list(list)?;
                let entries: Vec<u32> = model.lists[&list].entries.iter().copied().collect();
                if entries.is_empty() {
                    return None;
                }
                Request::Set {
                    list,
                    entries,
                    status,
                }
            }
            Deed::SetNamed { credential, status } => {
                let known = model.credentials.iter();
                let known = known.flat_map(|((_, id), all)| all.iter().map(move |one| (id, one)));
                let known: Vec<_> = known.collect();
                let (id, (list, index)) = chosen(&known, credential)?;
                Request::SetNamed {
                    credential: id.clone(),
                    list: *list,
                    suspension: model.lists[list].suspension,
                    index: *index,
                    status,
                }
            }
            Deed::Endorse {
                whose,
                whom,
                suspendable,
            } => Request::Endorse {
                owner: profile(whose)?.id,
                subject: profile(whom)?.issuer,
                suspendable,
            },
            Deed::Decide {
                endorsement,
                action,
            } => {
                let one = chosen(&model.endorsements, endorsement)?;
                if action != EndorsementAction::Revoke && one.standing == "revoked" {
                    // Refused, which is worth a try now and then.
                    return (endorsement % 4 == 0).then_some(Request::Decide {
                        endorsement: one.id,
                        action,
                    });
                }
                Request::Decide {
                    endorsement: one.id,
                    action,
                }
            }
            Deed::Accreditor { whose, action } => Request::Accreditor {
                slug: profile(whose)?.slug,
                action,
            },
            Deed::Rotate { whose } => Request::Rotate {
                slug: profile(whose)?.slug,
            },
            _ => return None,
        })
    }

    /// A list that somebody knows of.
    pub(super) fn some_list(&self, which: u8) -> Option<ListId> {
        let lists: Vec<ListId> = self.model.lists.keys().copied().collect();
        chosen(&lists, which)
    }

    pub(super) fn some_entry(&self, which: u8) -> Option<(ListId, u32)> {
        let lists = self.model.lists.iter();
        let entries = lists.flat_map(|(id, list)| list.entries.iter().map(|index| (*id, *index)));
        let entries: Vec<_> = entries.collect();
        chosen(&entries, which)
    }

    fn all_lists(&self) -> Vec<ListId> {
        self.log.lists.keys().copied().collect()
    }

    /// Work that the registry does of its own accord, and that is taken up again where it fails.
    fn works(
        &mut self,
        trouble: Option<Trouble>,
        work: impl FnOnce(&Self) -> Result<(), RegistryError>,
    ) -> Checked {
        let excused = self.is_excused();
        self.probe.arms(trouble);
        let done = work(self);
        let (_, fired) = self.probe.disarms();
        self.notes(fired);
        match done {
            Ok(()) => {}
            Err(error) if is_of_store(&error) => ensure!(
                excused || fired.is_some_and(fails),
                "the store fails for no reason: {error}"
            ),
            Err(error) => return Err(Violation(format!("it cannot go on: {error}"))),
        }
        self.log.read_on(&*self.probe)?;
        self.looks_at_rotations()?;
        self.goes_on(trouble, fired)
    }

    /// Two ask for the same under one key, at the same time.
    fn is_asked_twice(
        &mut self,
        entry: u8,
        trouble: Option<Trouble>,
    ) -> Result<&'static str, Violation> {
        let Some((list, index)) = self.some_entry(entry) else {
            return Ok("there is no entry");
        };
        let known = &self.model.lists[&list];
        let request = Request::Set {
            list,
            entries: vec![index],
            status: !known.suspension || !known.ones.contains(&index),
        };
        let key = self.fresh_key();
        let change = change(&request, Some(&key));
        let came = Arc::new(AtomicBool::new(false));
        let seen = came.clone();
        // The commit of the one who is first waits until the other one asks.
        self.probe.holds_next(move || {
            while !seen.load(Ordering::Acquire) {
                std::thread::yield_now();
            }
            (0..50).for_each(|_| std::thread::yield_now());
        });
        let mut second = None;
        let went = self.tries(trouble, |registry| {
            std::thread::scope(|scope| {
                let other = scope.spawn(|| {
                    came.store(true, Ordering::Release);
                    request.is_made(registry, &change)
                });
                let first = request.is_made(registry, &change);
                let other = other.join().expect("it does not panic");
                let (heard, also) = match first.is_ok() {
                    true => (first, other),
                    false => (other, first),
                };
                second = Some(also);
                heard
            })
        });
        self.probe.holds_next(|| {});
        match (&went.outcome, second.expect("both were asked")) {
            (Ok(first), Ok(second)) => {
                ensure!(*first == second, "two answers to {request:?}: {second:?}");
            }
            (_, Err(error)) if is_of_store(&error) => {}
            (Err(_), _) => {}
            (Ok(_), Err(error)) => {
                return Err(Violation(format!("one of two is refused: {error}")));
            }
        }
        self.concludes(request, Some(key), trouble, went)
    }
}

pub(super) fn chosen<T: Clone>(from: &[T], which: u8) -> Option<T> {
    let place = usize::from(which).checked_rem(from.len())?;
    Some(from[place].clone())
}
