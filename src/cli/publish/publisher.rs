//! The publisher. A pass reads which lists are published, writes what the target does not have, and takes
//! away what is gone; following does the same for each list that the change feed names.
//!
//! Order of one form: what is compressed first, then what is not. Who finds the latter need not look for
//! the former, so that a pass that broke off between them is made good by the next.

mod trying;

use std::collections::{BTreeMap, BTreeSet};
use std::thread;
use std::time::{Duration, Instant};

use super::copy::{About, Against, Copy, Name, What};
use super::feed::Feed;
use super::source::{Listed, ListedForm, Sent, Source};
use super::target::{FORMAT, Fault, Put, Remembered, Target};
use crate::cli::error::CliError;
use crate::ids::{ListId, Slug};
use crate::time::{Timestamp, Ttl};
use trying::is_away;

/// Documents are read anew this often while publications are followed, and are to be kept for so much
/// less than the registry says: with a copy that is so old, a reader knows a key by the time it signs.
const DOCUMENTS_EVERY: Duration = Duration::from_secs(300);
/// All is looked through this often, whatever the feed says.
const PASS_EVERY: Duration = Duration::from_secs(3_600);
/// What has ended is looked for this often.
const ENDED_EVERY: Duration = Duration::from_secs(30);
/// So often an edition that is not the one that was listed is asked for again.
const EDITIONS: u32 = 20;
const FIRST_WAIT: Duration = Duration::from_millis(100);
const LONGEST_WAIT: Duration = Duration::from_secs(30);
/// So many lists are in memory at a time, and so many copies are on their way.
const AT_ONCE: usize = 32;
const WRITERS: usize = 8;

/// What was done.
#[derive(Debug, Default)]
pub(super) struct Told {
    pub(super) lists: u64,
    pub(super) written: u64,
    pub(super) unchanged: u64,
    pub(super) newer_there: u64,
    pub(super) removed: u64,
    /// What was not published, and why.
    pub(super) refused: BTreeMap<String, String>,
    /// All is there that was published up to this event.
    pub(super) event: u64,
}

/// Publishes from one registry to one target.
pub(super) struct Publisher<'p, 'c, 'a> {
    source: Source<'c, 'a>,
    target: &'p dyn Target,
    /// What time it was at the registry, and when that was: where this machine's clock is wrong, nothing
    /// is taken for ended.
    registry_time: Option<(Timestamp, Instant)>,
    /// For how long something may be away; for ever where it is not said.
    patience: Option<Duration>,
    /// What is known to stand at the target.
    known: BTreeMap<Name, About>,
    /// Whose lists are there.
    profiles: BTreeSet<Slug>,
    registry: String,
    pub(super) told: Told,
}

/// What is written of one list: of each form first what is compressed.
struct Job {
    copies: Vec<Copy>,
    /// Compressed forms that are there no longer.
    gone: Vec<Name>,
}

impl<'p, 'c, 'a> Publisher<'p, 'c, 'a> {
    pub(super) fn new(
        source: Source<'c, 'a>,
        target: &'p dyn Target,
        patience: Option<Duration>,
    ) -> Self {
        Self {
            source,
            target,
            registry_time: None,
            patience,
            known: BTreeMap::new(),
            profiles: BTreeSet::new(),
            registry: String::new(),
            told: Told::default(),
        }
    }

    /// Sees to it that the target has what is published now, and nothing else.
    pub(super) fn pass(&mut self) -> Result<(), CliError> {
        let mut progress = self.source.0.shows.begin("comparing");
        self.told = Told::default();
        let (mut seen, mut next, mut event) = (BTreeSet::new(), None, None);
        loop {
            let page = self.patiently(|this| this.source.page(next.as_deref()))?;
            self.must_be_of(&page.registry)?;
            self.registry_time = Some((page.as_of, Instant::now()));
            event.get_or_insert(page.event);
            let before = seen.len();
            for lists in page.lists.chunks(AT_ONCE) {
                seen.extend(lists.iter().map(|listed| listed.list));
                self.publish(lists)?;
                progress.at(
                    0,
                    None,
                    &format!("{} lists, {} copies written", seen.len(), self.told.written),
                );
            }
            next = page.next;
            match next {
                None => break,
                Some(_) if seen.len() == before => {
                    let words = "the registry's list of published lists does not go on";
                    return Err(CliError::Failed(words.to_owned()));
                }
                Some(_) => {}
            }
        }
        self.told.lists = seen.len() as u64;
        self.documents()?;
        self.clear(&seen)?;
        self.remember(event.unwrap_or(0))
    }

    /// Goes on for ever; returns what made that impossible.
    pub(super) fn follow(&mut self) -> CliError {
        loop {
            if let Err(failed) = self.pass() {
                return failed;
            }
            self.says();
            if let Err(failed) = self.follow_from_here() {
                return failed;
            }
        }
    }

    /// Follows the feed until it is time to look through all again.
    fn follow_from_here(&mut self) -> Result<(), CliError> {
        let (began, mut documents, mut ended) = (Instant::now(), Instant::now(), Instant::now());
        let mut wait = FIRST_WAIT;
        while began.elapsed() < PASS_EVERY {
            let feed = Feed::open(self.source.0, self.told.event);
            let heard = feed.and_then(|feed| {
                for event in feed {
                    let event = event?;
                    if !event.lists.is_empty() {
                        self.publish_named(&event.lists)?;
                        self.told.event = event.id;
                        self.remember(event.id)?;
                        self.says();
                    }
                    if ended.elapsed() >= ENDED_EVERY {
                        break;
                    }
                }
                Ok(())
            });
            match heard {
                Ok(()) => wait = FIRST_WAIT,
                Err(failed) if is_away(&failed) => {
                    self.notes(&failed.to_string());
                    thread::sleep(wait);
                    wait = (wait * 2).min(LONGEST_WAIT);
                }
                // The registry was restored, and has no such event: all is looked through.
                Err(CliError::Problem(problem)) if problem.status == 400 => return Ok(()),
                Err(failed) => return Err(failed),
            }
            if ended.elapsed() >= ENDED_EVERY {
                ended = Instant::now();
                self.take_away_ended()?;
            }
            if documents.elapsed() >= DOCUMENTS_EVERY {
                documents = Instant::now();
                self.documents()?;
            }
        }
        Ok(())
    }

    /// Publishes the lists that the feed named.
    fn publish_named(&mut self, lists: &BTreeSet<ListId>) -> Result<(), CliError> {
        for list in lists {
            // One that is not the caller's to publish is not told of.
            if let Some(listed) = self.patiently(|this| this.source.list(*list))? {
                let is_new = self.profiles.insert(listed.profile.clone());
                self.publish(std::slice::from_ref(&listed))?;
                if is_new {
                    self.documents()?;
                }
            }
        }
        Ok(())
    }

    /// Writes what the target does not have of these lists.
    fn publish(&mut self, lists: &[Listed]) -> Result<(), CliError> {
        self.profiles
            .extend(lists.iter().map(|listed| listed.profile.clone()));
        let names = lists.iter().flat_map(|listed| &listed.forms);
        let unknown: Vec<Name> = names
            .map(|form| form.name.clone())
            .filter(|name| !self.known.contains_key(name))
            .collect();
        for (name, about) in self.at_target(unknown, |target, name| target.about(name))? {
            self.known.extend(about.map(|about| (name, about)));
        }
        let mut jobs = Vec::new();
        for listed in lists {
            jobs.push(self.job(listed)?);
        }
        self.carry_out(jobs)
    }

    /// What is to be written of one list.
    fn job(&mut self, listed: &Listed) -> Result<Job, CliError> {
        let (mut copies, mut gone) = (Vec::new(), Vec::new());
        for form in &listed.forms {
            let name = form.name.to_string();
            match self.read(listed.list, form) {
                Ok(None) => {}
                Ok(Some((plain, packed))) => {
                    match packed {
                        Some(packed) => copies.push(packed),
                        None => gone.push(plain.name.packed()),
                    }
                    copies.push(plain);
                }
                Err(CliError::NotTheContract { reason, .. } | CliError::Failed(reason)) => {
                    self.told.refused.insert(name, reason);
                    continue;
                }
                Err(failed) => return Err(failed),
            }
            self.told.refused.remove(&name);
        }
        Ok(Job { copies, gone })
    }

    /// The copies of a form, where the target needs them.
    fn read(
        &mut self,
        list: ListId,
        form: &ListedForm,
    ) -> Result<Option<(Copy, Option<Copy>)>, CliError> {
        let (mut form, mut wait) = (form.clone(), FIRST_WAIT);
        for _ in 0..EDITIONS {
            let now = self.now().millis();
            if form.edition.ends.is_some_and(|ends| ends <= now) {
                let words = "what the registry has of it has ended, and was not renewed";
                return Err(CliError::Failed(words.to_owned()));
            }
            if let Some(there) = self.known.get(&form.name) {
                if there.etag.as_deref() == Some(&form.etag) {
                    self.told.unchanged += 1;
                    return Ok(None);
                }
                let listed = About {
                    edition: Some(form.edition),
                    sha256: String::new(),
                    ..there.clone()
                };
                if listed.against(there) == Against::IsOlder {
                    self.told.newer_there += 1;
                    return Ok(None);
                }
            }
            match self.patiently(|this| this.source.copies(&form))? {
                Sent::Copies(copies) => return Ok(Some(*copies)),
                Sent::AnotherEdition => {}
            }
            thread::sleep(wait);
            wait = (wait * 2).min(Duration::from_secs(1));
            let listed = self.patiently(|this| this.source.list(list))?;
            let forms = listed.into_iter().flat_map(|listed| listed.forms);
            match forms.into_iter().find(|found| found.name == form.name) {
                Some(found) => form = found,
                None => return Ok(None),
            }
        }
        let words = "what the registry serves is never what it says is the newest";
        Err(CliError::Failed(words.to_owned()))
    }

    /// Writes, several lists at a time.
    fn carry_out(&mut self, jobs: Vec<Job>) -> Result<(), CliError> {
        let jobs = jobs
            .into_iter()
            .filter(|job| !job.copies.is_empty() || !job.gone.is_empty());
        let done = self.at_target(jobs.collect(), |target, job| {
            for name in &job.gone {
                target.remove(name)?;
            }
            job.copies
                .iter()
                .map(|copy| target.put(copy))
                .collect::<Result<Vec<Put>, Fault>>()
        })?;
        for (job, puts) in done {
            for (copy, put) in job.copies.into_iter().zip(puts) {
                match put {
                    Put::Written => self.told.written += 1,
                    Put::WasThere => self.told.unchanged += 1,
                    Put::NewerIsThere => {
                        self.told.newer_there += 1;
                        continue;
                    }
                }
                self.known.insert(copy.name, copy.about);
            }
        }
        Ok(())
    }

    /// The documents and keys by which lists are verified.
    fn documents(&mut self) -> Result<(), CliError> {
        let profiles = self
            .profiles
            .iter()
            .flat_map(|slug| [What::Document(slug.clone()), What::Keys(slug.clone())]);
        let all: Vec<What> = profiles.chain([What::OwnDocument, What::OwnKeys]).collect();
        for what in all.chunks(AT_ONCE) {
            let mut jobs = Vec::new();
            for what in what {
                let sooner = DOCUMENTS_EVERY.as_secs();
                let copy = self.patiently(|this| this.source.document(what.clone(), sooner))?;
                let known = copy.as_ref().and_then(|copy| self.known.get(&copy.name));
                match copy {
                    Some(copy) if known == Some(&copy.about) => self.told.unchanged += 1,
                    Some(copy) => jobs.push(Job {
                        copies: vec![copy],
                        gone: Vec::new(),
                    }),
                    None => {}
                }
            }
            self.carry_out(jobs)?;
        }
        Ok(())
    }

    /// Takes away what is no longer published, and what has ended. That a list is gone is asked for once
    /// more by its name: that a page does not have it is not enough.
    fn clear(&mut self, seen: &BTreeSet<ListId>) -> Result<(), CliError> {
        let names = self.patiently_at_target(|target| target.names())?;
        for name in names {
            let still = match &name.what {
                What::Document(slug) | What::Keys(slug) => self.profiles.contains(slug),
                What::OwnDocument | What::OwnKeys => true,
                what => match what.list() {
                    Some(list) if seen.contains(&list) => self.is_listed(&name)?,
                    Some(list) => self.patiently(|this| this.source.list(list))?.is_some(),
                    None => true,
                },
            };
            if !still {
                self.take_away(&name)?;
            }
        }
        self.take_away_ended()
    }

    /// Whether a copy is of a form that is published: what was not read in this pass may be a form that
    /// the list no longer has.
    fn is_listed(&mut self, name: &Name) -> Result<bool, CliError> {
        let plain = Name {
            gzip: false,
            ..name.clone()
        };
        if self.known.contains_key(&plain) {
            return Ok(true);
        }
        let list = name
            .what
            .list()
            .expect("a form of a list has its list's id");
        let listed = self.patiently(|this| this.source.list(list))?;
        Ok(listed.is_some_and(|listed| listed.forms.iter().any(|form| form.name == plain)))
    }

    /// Takes away what has ended: whoever still has it in a cache is told so by the list itself.
    fn take_away_ended(&mut self) -> Result<(), CliError> {
        let now = self.now();
        let ended = self.known.iter().filter(|(_, about)| about.has_ended(now));
        let ended: Vec<Name> = ended.map(|(name, _)| name.clone()).collect();
        for name in ended {
            self.take_away(&name.packed())?;
            self.take_away(&name)?;
        }
        Ok(())
    }

    /// What time it is at the registry.
    fn now(&self) -> Timestamp {
        let (then, asked) = self
            .registry_time
            .expect("a pass begins with a page, which tells it");
        let since = u64::try_from(asked.elapsed().as_millis()).unwrap_or(u64::MAX);
        then.plus(Ttl::from_millis(since))
    }

    fn take_away(&mut self, name: &Name) -> Result<(), CliError> {
        self.patiently_at_target(|target| target.remove(name))?;
        if self.known.remove(name).is_some() || !name.gzip {
            self.told.removed += 1;
        }
        Ok(())
    }

    /// A target holds the copies of one registry.
    fn must_be_of(&mut self, registry: &str) -> Result<(), CliError> {
        if self.registry == registry {
            return Ok(());
        }
        let known = self.patiently_at_target(|target| target.remembered())?;
        let refused = |why: String| Err(CliError::Failed(format!("{}: {why}", self.target.name())));
        match known {
            Some(known) if known.registry != registry => refused(format!(
                "it holds the copies of {}, and this is {registry}",
                known.registry
            )),
            Some(known) if known.format != FORMAT => {
                refused("another version of goodstanding published there".to_owned())
            }
            _ => {
                registry.clone_into(&mut self.registry);
                Ok(())
            }
        }
    }

    fn remember(&mut self, event: u64) -> Result<(), CliError> {
        self.told.event = event;
        let what = Remembered {
            format: FORMAT,
            registry: self.registry.clone(),
            event,
        };
        self.patiently_at_target(|target| target.remember(&what))
    }
}
