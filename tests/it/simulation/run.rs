//! A run: each step of a script is taken, and the model follows what was answered, or where nothing
//! was, what the disk is known to hold.

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;
use goodstanding::entropy::SeededEntropy;
use goodstanding::ids::ListId;
use goodstanding::registry::{
    Actor, Change, Gravity, Idempotency, Registry, RegistryError, RotationState, Settings, State,
};
use goodstanding::store::engine::{CommitError, Decision, Engine as _, Stopped, StoreError};
use goodstanding::store::memory::Image;
use goodstanding::time::{Clock as _, Ttl};

use super::known::{Saved, Seen};
use super::log::{LIST_PUBLISHED, Log};
use super::machine::{Answered, Met, Planted, Probe, Shelf, WallClock};
use super::model::{Expected, Kept, Model};
use super::requests::{Answer, Request};
use super::script::{Kind, Script, Trouble};
use super::tally::Tally;
use super::{Checked, Violation, ensure};
use crate::support::house::{ORIGIN, START};

/// For how long answers are kept, in seconds.
const KEPT: u64 = 600;

/// A registry, what it runs on, and what is known of it.
pub(super) struct Run {
    seed: u64,
    publishes_first: bool,
    pub(super) clock: Arc<WallClock>,
    pub(super) shelf: Shelf,
    pub(super) probe: Arc<Probe>,
    registry: Option<Arc<Registry>>,
    planted: Option<Planted>,
    /// What can be read now.
    pub(super) model: Model,
    /// What a restart will find, where a commit reached the disk and was not acknowledged.
    hidden: Option<Model>,
    pub(super) log: Log,
    pub(super) seen: Seen,
    /// What was served of each list, once it has been read.
    pub(super) shown: BTreeMap<ListId, (u64, Bytes)>,
    pub(super) copies: Vec<Saved>,
    /// What was asked for under keys, the oldest first.
    pub(super) asked: Vec<(String, Request)>,
    starts: u64,
    pub(super) names: u64,
    /// For so many steps the engine has taken no writes.
    pub(super) stopped_for: u32,
    pub(super) tally: Tally,
}

/// How a request went.
pub(super) struct Went {
    pub(super) outcome: Result<Answer, RegistryError>,
    met: Vec<Met>,
    fired: Option<Kind>,
    /// Whether the engine had stopped before.
    stopped: bool,
    /// Whether the registry took no changes before.
    excused: bool,
    /// In milliseconds, before.
    at: i64,
}

impl Run {
    /// A registry over an empty store, or one on which somebody has worked already.
    pub(super) fn begin(
        script: &Script,
        base: Option<&Saved>,
        planted: Option<Planted>,
    ) -> Result<Self, Violation> {
        let start = START.parse().expect("a moment");
        let clock = Arc::new(WallClock::new(start));
        let image = base.map(|base| base.image.clone());
        let probe = Probe::start(image, Decision::AsAnchored, &clock, planted);
        let probe = probe.map_err(|error| Violation(format!("the first start: {error}")))?;
        let mut run = Self {
            seed: script.seed,
            publishes_first: script.publishes_first,
            clock,
            shelf: Shelf::new(base.map_or(1, |base| base.master)),
            probe: Arc::new(probe),
            registry: None,
            planted,
            model: base.map(|base| base.model.clone()).unwrap_or_default(),
            hidden: None,
            log: base.map(|base| base.log.clone()).unwrap_or_default(),
            seen: base.map(|base| base.seen.clone()).unwrap_or_default(),
            shown: BTreeMap::new(),
            copies: Vec::new(),
            asked: Vec::new(),
            starts: 0,
            names: base.map_or(0, |base| base.asked as u64),
            stopped_for: 0,
            tally: Tally::default(),
        };
        run.opens(None)?;
        run.agrees()?;
        Ok(run)
    }

    pub(super) fn registry(&self) -> Arc<Registry> {
        self.registry.clone().expect("it is open")
    }

    /// Whether the engine takes no writes before it is started again.
    pub(super) fn is_stopped(&self) -> bool {
        match self.probe.takes_writes() {
            Ok(()) | Err(Stopped::DiskFull { .. }) => false,
            Err(_) => true,
        }
    }

    /// Whether the registry takes no changes, and says why: for good, or until the clock has caught up.
    /// A full disk is found to have room by the next change.
    pub(super) fn is_excused(&self) -> bool {
        let states = self.registry().states();
        let mut grave = states
            .iter()
            .filter(|state| state.gravity() == Gravity::ReadOnly);
        grave.any(|state| !matches!(state, State::Store(Stopped::DiskFull { .. })))
    }

    /// Whether it takes none before it is started again.
    pub(super) fn needs_a_start(&self) -> bool {
        let states = self.registry().states();
        self.is_stopped() || states.contains(&State::StartUnfinished)
    }

    /// The clock is set right.
    pub(super) fn sets_the_clock(&self) {
        let behind = self.seen.latest - self.clock.now().millis();
        self.clock.moves(behind.max(0) / 1_000 + 1);
    }

    /// A key that was not used yet.
    pub(super) fn fresh_key(&mut self) -> String {
        self.names += 1;
        format!("key {}", self.names)
    }

    /// Asks for something, and holds what comes of it against the model. Returns how it went, in a
    /// word.
    pub(super) fn asks(
        &mut self,
        request: Request,
        key: Option<String>,
        trouble: Option<Trouble>,
    ) -> Result<&'static str, Violation> {
        let change = change(&request, key.as_deref());
        let went = self.tries(trouble, |registry| request.is_made(registry, &change));
        self.concludes(request, key, trouble, went)
    }

    /// Does something of which the engine's commits are noted.
    pub(super) fn tries(
        &self,
        trouble: Option<Trouble>,
        what: impl FnOnce(&Registry) -> Result<Answer, RegistryError>,
    ) -> Went {
        let registry = self.registry();
        let (stopped, at) = (self.is_stopped(), registry.now().millis());
        let excused = self.is_excused();
        self.probe.arms(trouble);
        let outcome = what(&registry);
        let (met, fired) = self.probe.disarms();
        Went {
            outcome,
            met,
            fired,
            stopped,
            excused,
            at,
        }
    }

    pub(super) fn concludes(
        &mut self,
        request: Request,
        key: Option<String>,
        trouble: Option<Trouble>,
        went: Went,
    ) -> Result<&'static str, Violation> {
        let expected = self.model.expects(&request);
        if let Some(key) = &key
            && !self.asked.iter().any(|(known, _)| known == key)
        {
            self.asked.push((key.clone(), request.clone()));
        }
        self.notes(went.fired);
        let committed = went.met.iter().any(|met| met.answer == Answered::Committed);
        ensure!(
            !(went.stopped && committed),
            "a stopped engine took a write: {request:?}"
        );
        let durable = went.met.iter().find(|met| met.is_durable());
        let first = went.met.iter().find(|met| met.answer != Answered::Conflict);
        let main = durable.or(first).copied();
        let word = match went.outcome {
            Ok(answer) => {
                ensure!(expected != Expected::Refused, "it is granted: {request:?}");
                ensure!(
                    main.is_none_or(|main| main.answer == Answered::Committed),
                    "it is acknowledged, and its commit met {main:?}: {request:?}"
                );
                self.is_unique(&request, &answer)?;
                if let Some(key) = &key {
                    self.seen.answers.insert(key.clone(), answer.clone());
                }
                self.model.took(&request);
                self.model.learned(&request, &answer)?;
                meets_lists(&mut self.model, &self.log);
                keep(&mut self.model, key, Some(answer), went.at);
                self.tally.acknowledged += 1;
                "done"
            }
            Err(error) if is_of_store(&error) => {
                let fails = went.fired.is_some_and(fails);
                ensure!(
                    went.excused || fails,
                    "the store fails for no reason: {error}: {request:?}"
                );
                self.tally.unanswered += 1;
                match main {
                    Some(main) if main.answer == Answered::Committed => {
                        self.model.took(&request);
                        keep(&mut self.model, key, None, went.at);
                        "done, and not answered"
                    }
                    Some(main) if main.is_durable() => {
                        let mut hidden = self.model.clone();
                        hidden.took(&request);
                        keep(&mut hidden, key, None, went.at);
                        self.hidden = Some(hidden);
                        "unknown, and will be found"
                    }
                    _ => "not done",
                }
            }
            Err(error) => {
                ensure!(
                    expected != Expected::Done,
                    "it is refused: {error}: {request:?}"
                );
                ensure!(!committed, "it is refused and written: {request:?}");
                self.tally.refused += 1;
                "refused"
            }
        };
        self.goes_on(trouble, went.fired)?;
        Ok(word)
    }

    /// Asks again for what was asked for under a key.
    pub(super) fn asks_again(
        &mut self,
        which: usize,
        trouble: Option<Trouble>,
    ) -> Result<&'static str, Violation> {
        let (key, request) = self.asked[which].clone();
        let now = self.registry().now().millis();
        let known = self.model.kept.get(&key);
        let Some(kept) = known.filter(|kept| now < kept.at + 1_000 * KEPT as i64) else {
            // It never came to anything, or is forgotten: it is a new request.
            return self.asks(request, Some(key), trouble);
        };
        let kept = kept.clone();
        let change = change(&request, Some(&key));
        let went = self.tries(trouble, |registry| request.is_made(registry, &change));
        self.notes(went.fired);
        let kinds = self.log.read_on(&*self.probe)?;
        ensure!(
            kinds.iter().all(|kind| *kind == LIST_PUBLISHED),
            "asked for again, it is done again: {request:?}: {kinds:02x?}"
        );
        let word = match went.outcome {
            Ok(answer) => {
                self.is_repeated(&key, &request, &kept, answer)?;
                "the same"
            }
            Err(error) if is_of_store(&error) => {
                let fails = went.fired.is_some_and(fails);
                ensure!(went.excused || fails, "no answer: {error}: {request:?}");
                "no answer"
            }
            Err(error) => {
                return Err(Violation(format!(
                    "asked for again, it is refused: {error}: {request:?}"
                )));
            }
        };
        self.goes_on(trouble, went.fired)?;
        Ok(word)
    }

    fn is_repeated(
        &mut self,
        key: &str,
        request: &Request,
        kept: &Kept,
        answer: Answer,
    ) -> Checked {
        self.tally.replayed += 1;
        match &kept.answer {
            Some(first) => ensure!(
                *first == answer,
                "{answer:?}, and the first time {first:?}: {request:?}"
            ),
            None => {
                // Somebody may have heard it before, in a history that was given up since.
                let heard = self.seen.answers.insert(key.to_owned(), answer.clone());
                if heard.as_ref() != Some(&answer) {
                    self.is_unique(request, &answer)?;
                }
                for model in std::iter::once(&mut self.model).chain(&mut self.hidden) {
                    model.learned(request, &answer)?;
                    meets_lists(model, &self.log);
                    let kept = model.kept.get_mut(key).expect("it was just there");
                    kept.answer = Some(answer.clone());
                }
            }
        }
        Ok(())
    }

    pub(super) fn notes(&mut self, fired: Option<Kind>) {
        if let Some(kind) = fired {
            *self.tally.faults.entry(kind).or_default() += 1;
        }
    }

    /// The process dies of what it met, or lives on.
    pub(super) fn goes_on(&mut self, trouble: Option<Trouble>, fired: Option<Kind>) -> Checked {
        if fired.is_some() && trouble.is_some_and(|trouble| trouble.dies) {
            self.tally.kills += 1;
            return self.restarts(None);
        }
        Ok(())
    }

    /// The process ends, and another one starts on what the disk holds.
    pub(super) fn restarts(&mut self, trouble: Option<Trouble>) -> Checked {
        let image = self.probe.disk();
        self.starts_on(image, Decision::AsAnchored, trouble)?;
        self.agrees_in_all()
    }

    /// A start on this.
    pub(super) fn starts_on(
        &mut self,
        image: Image,
        decision: Decision,
        trouble: Option<Trouble>,
    ) -> Checked {
        // Nothing of the process before outlives it.
        self.registry = None;
        let probe = Probe::start(Some(image), decision, &self.clock, self.planted);
        let probe =
            probe.map_err(|error| Violation(format!("the store does not open: {error}")))?;
        self.probe = Arc::new(probe);
        if let Some(hidden) = self.hidden.take() {
            self.model = hidden;
        }
        self.opens(trouble)
    }

    fn opens(&mut self, trouble: Option<Trouble>) -> Checked {
        self.stopped_for = 0;
        self.tally.starts += 1;
        self.starts += 1;
        let settings = Settings {
            publish_before_acknowledging: self.publishes_first,
            list_validity: Ttl::from_seconds(7_200),
            key_notice: Ttl::from_seconds(60),
            idempotency_kept: Ttl::from_seconds(KEPT),
            // Most go on whatever the clock does, which shows more of what it does.
            clock_tolerance: Ttl::from_seconds(match self.seed.is_multiple_of(4) {
                true => 60,
                false => 1_000_000,
            }),
            ..Settings::usual(ORIGIN)
        };
        let entropy = SeededEntropy::new(self.seed.wrapping_mul(10_000) + self.starts);
        self.probe.arms(trouble);
        let engine = self.probe.clone();
        let clock = self.clock.clone();
        let opened = Registry::open(
            engine,
            clock,
            Arc::new(entropy),
            self.shelf.clone(),
            settings,
        );
        let registry = match opened {
            Ok(registry) => registry,
            Err(error) if is_of_store(&error) && trouble.is_some() => {
                let (_, fired) = self.probe.disarms();
                self.notes(fired);
                return self.starts_on(self.probe.disk(), Decision::AsAnchored, None);
            }
            Err(error) => return Err(Violation(format!("the registry does not open: {error}"))),
        };
        let caught_up = registry.catch_up();
        let (_, fired) = self.probe.disarms();
        self.notes(fired);
        caught_up.map_err(|error| Violation(format!("catching up: {error}")))?;
        self.registry = Some(Arc::new(registry));
        self.looks_at_rotations()
    }

    /// Rotations end by themselves, and begin by request alone.
    pub(super) fn looks_at_rotations(&mut self) -> Checked {
        if self.hidden.is_some() {
            // Nothing goes on before the next start.
            return Ok(());
        }
        let registry = self.registry();
        for profile in self.model.profiles.iter_mut().filter(|one| one.rotates) {
            let slug = profile.slug.parse().expect("a slug");
            let last = registry.rotation(&slug);
            let last = last.map_err(|error| Violation(format!("a rotation: {error}")))?;
            profile.rotates = last.is_some_and(|last| last.state != RotationState::Done);
        }
        Ok(())
    }

    /// Copies the disk.
    pub(super) fn saved(&self) -> Saved {
        Saved {
            image: self.probe.disk(),
            master: self.shelf.present_number(),
            model: self.model.clone(),
            log: self.log.clone(),
            seen: self.seen.clone(),
            asked: self.asked.len(),
        }
    }
}

/// By the operator, who may do everything.
pub(super) fn change(request: &Request, key: Option<&str>) -> Change {
    let actor = Actor::operator();
    let text = format!("{request:?}");
    Change {
        idempotency: key.map(|key| Idempotency::new(actor, key, &[text.as_bytes()])),
        ..Change::by(actor)
    }
}

/// Lists that have just become known may have been there for long.
fn meets_lists(model: &mut Model, log: &Log) {
    for (id, list) in model
        .lists
        .iter_mut()
        .filter(|(_, list)| list.revision == 0)
    {
        if let Some(told) = log.lists.get(id) {
            list.revision = told.revision;
            list.sealed = log.sealed.contains(&told.space);
        }
    }
}

fn keep(model: &mut Model, key: Option<String>, answer: Option<Answer>, at: i64) {
    if let Some(key) = key {
        model.kept.insert(key, Kept { answer, at });
    }
}

/// Whether the store is to blame: then nobody knows, or nothing was done.
pub(super) const fn is_of_store(error: &RegistryError) -> bool {
    matches!(
        error,
        RegistryError::Commit(CommitError::Indeterminate(_) | CommitError::Unavailable(_))
            | RegistryError::ReadOnly(_)
            | RegistryError::Store(StoreError::NoWrites(_))
    )
}

/// Whether what meets this may go without an answer. After a clock was set back it is the next commit
/// that is refused.
pub(super) const fn fails(kind: Kind) -> bool {
    !matches!(kind, Kind::Nothing | Kind::Slow)
}
