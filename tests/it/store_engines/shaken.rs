//! Random scripts of three replicas whose way to the shared place fails at every point, held against what each
//! was told: nothing acknowledged is lost, nothing refused is there, and nothing is there twice.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use goodstanding::ids::Seq;
use goodstanding::store::replica::ReplicaEngine;
use goodstanding::store::replica::model::{Deed, Kept, Met, SharedPlace};
use goodstanding::store::{CommitError, Decision, Engine, Read as _};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

use super::support::{BatchOf, Machine, assert_chain, bodies, contents, key, put, text, whole_log};

const REPLICAS: u32 = 3;

#[derive(Debug, Clone, Copy)]
enum Step {
    /// A replica counts up, whether what it reads is the newest or not, and the write meets that.
    Count(u32, Met),
    /// The place is away for one, or back.
    Away(u32),
    Back(u32),
    Restart(u32),
    LoseCopy(u32),
    ForgetLog,
    /// A replica's clock is set.
    Clock(u32, u16),
    /// A replica has seen all.
    CatchUp(u32),
}

fn step() -> impl Strategy<Value = Step> {
    let who = || 0..REPLICAS;
    let met = prop_oneof![
        6 => Just(Met::Nothing),
        1 => Just(Met::Away),
        2 => Just(Met::CutOffAndKept),
        2 => Just(Met::CutOffAndLost),
    ];
    prop_oneof![
        20 => (who(), met).prop_map(|(who, met)| Step::Count(who, met)),
        2 => who().prop_map(Step::Away),
        4 => who().prop_map(Step::Back),
        1 => who().prop_map(Step::Restart),
        1 => who().prop_map(Step::LoseCopy),
        1 => Just(Step::ForgetLog),
        2 => (who(), any::<u16>()).prop_map(|(who, at)| Step::Clock(who, at)),
        6 => who().prop_map(Step::CatchUp),
    ]
}

/// What whoever counted was told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Told {
    Done(u64),
    Refused,
    Unknown,
}

struct Shaken {
    place: SharedPlace,
    replicas: Vec<(Kept, Arc<Machine>, Option<ReplicaEngine>)>,
    away: Vec<u32>,
    told: BTreeMap<String, Told>,
}

impl Shaken {
    fn new() -> Self {
        let replica = |name| (Kept::nothing(name), Arc::new(Machine::default()), None);
        let mut shaken = Self {
            place: SharedPlace::default(),
            replicas: (0..REPLICAS).map(replica).collect(),
            away: Vec::new(),
            told: BTreeMap::new(),
        };
        (0..REPLICAS).for_each(|who| shaken.restarts(who));
        shaken
    }

    fn takes(&mut self, step: Step) {
        match step {
            Step::Count(who, met) => self.counts(who, met),
            Step::Away(who) => self.away.push(who),
            Step::Back(who) => self.away.retain(|away| *away != who),
            Step::Restart(who) => self.restarts(who),
            Step::LoseCopy(who) => {
                let (kept, _, engine) = &mut self.replicas[who as usize];
                drop(engine.take());
                *kept = kept.without_copy();
                self.away.retain(|away| *away != who);
                self.meets(None);
                self.restarts(who);
            }
            Step::ForgetLog => self.place.forget_log(),
            Step::Clock(who, at) => self.replicas[who as usize].1.set(i64::from(at)),
            Step::CatchUp(who) => self.catches_up(who),
        }
        self.meets(None);
    }

    /// From now on: whoever is away, and what the next write of one replica meets.
    fn meets(&self, write: Option<(u32, Met)>) {
        let (away, mut write) = (self.away.clone(), write);
        self.place.set_hook(move |name, deed| match deed {
            _ if away.contains(&name) => Met::Away,
            Deed::Write => match write.take_if(|(who, _)| *who == name) {
                Some((_, met)) => met,
                None => Met::Nothing,
            },
            _ => Met::Nothing,
        });
    }

    fn engine(&self, who: u32) -> &ReplicaEngine {
        let engine = &self.replicas[who as usize].2;
        engine.as_ref().expect("it is open")
    }

    fn counts(&mut self, who: u32, met: Met) {
        self.meets(Some((who, met)));
        let name = format!("{who}/{}", self.told.len());
        let engine = self.engine(who);
        let before = engine.get(&key("count")).unwrap().map(text);
        let count: u32 = before.as_deref().map_or(0, |count| count.parse().unwrap());
        let batch = put("count", &(count + 1).to_string())
            .only_if("count", before.as_deref())
            .and_put(&name, "made")
            .and_log(&name);
        let told = match engine.commit(batch) {
            Ok(committed) => {
                let seen = engine.get(&key(&name)).unwrap();
                assert!(seen.is_some(), "what is acknowledged can be read");
                Told::Done(committed.seq.0)
            }
            Err(CommitError::Indeterminate(_)) => Told::Unknown,
            Err(_) => Told::Refused,
        };
        self.told.insert(name, told);
    }

    fn restarts(&mut self, who: u32) {
        let (kept, clock, engine) = &mut self.replicas[who as usize];
        drop(engine.take());
        let opened = self
            .place
            .replica(kept, Decision::AsAnchored, clock.clone());
        *engine = Some(opened.unwrap());
    }

    fn catches_up(&self, who: u32) {
        if !self.away.contains(&who) {
            let newest = self.newest();
            let until = Instant::now() + Duration::from_secs(20);
            assert!(self.engine(who).reaches(newest, until));
        }
    }

    /// The newest event that anybody was told of.
    fn newest(&self) -> Seq {
        let done = self.told.values().filter_map(|told| match told {
            Told::Done(seq) => Some(Seq(*seq)),
            Told::Refused | Told::Unknown => None,
        });
        done.max().unwrap_or(Seq(0))
    }

    fn ends(mut self) {
        self.away.clear();
        self.meets(None);
        // Whoever writes has seen all; one more, so that all have something to see.
        let until = Instant::now() + Duration::from_secs(20);
        let before = self.newest();
        while self.newest() == before {
            assert!(Instant::now() < until, "it never writes again");
            self.counts(0, Met::Nothing);
        }
        let head = self.engine(0).head();
        let log = bodies(&whole_log(self.engine(0)));
        for who in 0..REPLICAS {
            let engine = self.engine(who);
            assert!(engine.reaches(head.seq, until));
            assert_eq!(bodies(&whole_log(engine)), log);
            assert_eq!(contents(engine), contents(self.engine(0)));
            assert_chain(engine);
        }
        for (name, told) in &self.told {
            let places: Vec<_> = log
                .iter()
                .enumerate()
                .filter(|(_, body)| *body == name)
                .collect();
            match told {
                Told::Done(seq) => {
                    assert_eq!(places.len(), 1, "{name} is there once");
                    assert_eq!(places[0].0 as u64 + 1, *seq, "{name} is where it was told");
                }
                Told::Refused => assert!(places.is_empty(), "{name} was refused"),
                Told::Unknown => assert!(places.len() <= 1, "{name} is there once at most"),
            }
            let row = self.engine(0).get(&key(name)).unwrap();
            assert_eq!(row.is_some(), !places.is_empty(), "{name}");
        }
        let count = self.engine(0).get(&key("count")).unwrap().map(text);
        assert_eq!(count, Some(log.len().to_string()), "none was counted twice");
    }
}

#[test]
fn whatever_fails_on_the_way_each_was_told_what_became_of_it() {
    let config = Config {
        cases: 32,
        failure_persistence: None,
        ..Config::default()
    };
    TestRunner::new(config)
        .run(&prop::collection::vec(step(), 1..60), |script| {
            let mut shaken = Shaken::new();
            for step in script {
                shaken.takes(step);
            }
            shaken.ends();
            Ok(())
        })
        .unwrap();
}
