//! Lists as they were, beside a model: some weeks of changes of several lists over one space, and
//! then moments of these weeks, at which each list in each of its forms is what the model holds, bit
//! for bit.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use goodstanding::store::engine::Engine;
use goodstanding::store::memory::MemoryEngine;
use goodstanding::time::{Clock as _, ManualClock, Timestamp, Ttl};
use serde_json::{Value, json};

use crate::support::actors::{Actor, text};
use crate::support::client::{Answer, Connection};
use crate::support::house::{House, Plan, clock};
use crate::support::reader::{Period, Then, then};

const CHANGES: usize = 10_000;
const MOMENTS: usize = 1_000;
/// Entries of each list.
const LENGTH: u64 = 131_072;

#[test]
fn every_moment_of_some_weeks_is_as_the_model_holds_it() {
    let clock = clock();
    weeks(Arc::new(MemoryEngine::new(clock.clone())), clock, 7);
}

#[cfg(feature = "rocksdb")]
#[test]
fn every_moment_of_some_weeks_is_as_the_model_holds_it_on_disk() {
    let (clock, folder) = (clock(), tempfile::tempdir().unwrap());
    use goodstanding::store::rocks::{Place, RocksEngine};
    let engine = RocksEngine::open(&Place::within(folder.path(), [7; 16]), clock.clone());
    weeks(Arc::new(engine.unwrap()), clock, 8);
}

/// Numbers that are the same in each run (splitmix64).
struct Dice(u64);

impl Dice {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % bound
    }

    fn pick<T: Copy>(&mut self, of: &[T]) -> T {
        of[self.below(of.len() as u64) as usize]
    }
}

/// A list as the model holds it: what was set when.
struct Model {
    url: String,
    purpose: &'static str,
    size: u64,
    /// Whether it is part of the token list.
    in_token: bool,
    opened: Timestamp,
    now: BTreeMap<u64, u8>,
    changes: Vec<(Timestamp, u64, u8)>,
}

impl Model {
    /// What was set at a moment.
    fn at(&self, at: Timestamp) -> BTreeMap<u64, u8> {
        let before = self.changes.iter().take_while(|(when, ..)| *when <= at);
        before.map(|(_, index, status)| (*index, *status)).collect()
    }

    /// Since when it was so, and when that was over.
    fn period(&self, at: Timestamp) -> (Timestamp, Option<Timestamp>) {
        let mut moments = self.changes.iter().map(|(when, ..)| *when);
        let since = moments.clone().take_while(|when| *when <= at).last();
        let until = moments.find(|when| *when > at);
        match self.opened <= at {
            true => (since.unwrap_or(self.opened), until),
            false => (Timestamp::EPOCH, Some(self.opened)),
        }
    }
}

fn weeks(engine: Arc<dyn Engine>, clock: Arc<ManualClock>, seed: u64) {
    let plan = Plan::over(engine, clock).with_open_history();
    let house = plan.publishing_after(Duration::from_secs(86_400)).open();
    let school = house.registrar("school");
    let mut connection = Connection::open(house.address);
    let mut dice = Dice(seed);
    let mut lists = Vec::new();
    let indexes = opens_most(&school, &mut lists);
    let start = house.clock.now();
    let mut made = 0;
    while made < CHANGES {
        if made >= CHANGES / 3 && lists.len() == 4 {
            house.wait(3_600);
            lists.push(opens(&school, "suspension", 1, Some(&lists[0].url), true));
        }
        let wait = match dice.below(10) {
            0 => 0,
            1..4 => dice.below(1_500),
            _ => dice.below(2 * 3_600_000),
        };
        house.clock.advance(Ttl::from_millis(wait));
        let chosen = dice.below(lists.len() as u64) as usize;
        made += changes(
            &mut dice,
            &school,
            &mut connection,
            &indexes,
            &mut lists[chosen],
        );
    }
    house.wait(1_000);
    let lasted = house.clock.now().millis() - start.millis();
    assert!(lasted > 20 * 86_400_000, "{lasted} ms");
    for _ in 0..MOMENTS {
        let at = some_moment(&mut dice, &lists, (start, house.clock.now()));
        asks(&mut dice, &house, &mut connection, &lists, at);
    }
}

/// Four lists over one space; its token list shows two of them.
fn opens_most(school: &Actor<'_>, lists: &mut Vec<Model>) -> Vec<u64> {
    let first = opens(school, "revocation", 1, None, true);
    let indexes = school.allocates(&first.url, 2_000);
    for (purpose, size, in_token) in [
        ("message", 2, false),
        ("grade", 4, true),
        ("level", 8, false),
    ] {
        lists.push(opens(school, purpose, size, Some(&first.url), in_token));
    }
    lists.insert(0, first);
    indexes
}

fn opens(
    school: &Actor<'_>,
    purpose: &'static str,
    size: u64,
    beside: Option<&String>,
    in_token: bool,
) -> Model {
    let mut body = json!({ "issuer": school.slug, "statusPurpose": purpose, "statusSize": size });
    if size > 1 {
        let message = |status| json!({ "status": format!("{status:#x}"), "message": "So." });
        body["statusMessage"] = (0..1u64 << size).map(message).collect();
    }
    if let Some(beside) = beside {
        body["pairedWith"] = json!(beside);
    }
    if in_token && purpose != "suspension" {
        body["formats"] = json!(["bitstring", "token"]);
    }
    if purpose == "revocation" {
        body["formats"] = json!(["bitstring", "token", "2021"]);
    }
    let opened = school.post("/status-lists", &body).is(201).json();
    Model {
        url: text(&opened["id"]),
        purpose,
        size,
        in_token,
        opened: school.house.clock.now(),
        now: BTreeMap::new(),
        changes: Vec::new(),
    }
}

/// Some changes of a list in one request; says how many.
fn changes(
    dice: &mut Dice,
    school: &Actor<'_>,
    connection: &mut Connection,
    indexes: &[u64],
    list: &mut Model,
) -> usize {
    let at = school.house.clock.now();
    let mut updates: BTreeMap<u64, u8> = BTreeMap::new();
    for _ in 0..=dice.below(30) {
        let status = match list.purpose {
            "revocation" => 1,
            _ => dice.below(1 << list.size) as u8,
        };
        updates.insert(dice.pick(indexes), status);
    }
    updates.retain(|index, status| list.now.get(index).copied().unwrap_or(0) != *status);
    if updates.is_empty() {
        return 0;
    }
    let items: Vec<Value> = updates
        .iter()
        .map(|(index, status)| json!({ "index": index, "status": status }))
        .collect();
    let call = school.call("POST", &format!("{}/updates", list.url));
    let done = connection.send(&call.json(&json!({ "updates": items })));
    assert_eq!(done.is(200).json()["refused"], json!([]));
    for (index, status) in &updates {
        list.now.insert(*index, *status);
        list.changes.push((at, *index, *status));
    }
    updates.len()
}

/// Any moment, or one at which something changed, or the one before it.
fn some_moment(
    dice: &mut Dice,
    lists: &[Model],
    (start, now): (Timestamp, Timestamp),
) -> Timestamp {
    let lasted = (now.millis() - start.millis()) as u64;
    if dice.below(2) == 0 {
        return Timestamp::from_millis(start.millis() + dice.below(lasted) as i64);
    }
    let changes = &lists[dice.below(lists.len() as u64) as usize].changes;
    let (at, ..) = changes[dice.below(changes.len() as u64) as usize];
    Timestamp::from_millis((at.millis() - dice.below(2) as i64).max(start.millis()))
}

/// Asks for one list in one form, and compares.
fn asks(
    dice: &mut Dice,
    house: &House,
    connection: &mut Connection,
    lists: &[Model],
    at: Timestamp,
) {
    let mut get = |target: String, accept: &str| -> Answer {
        let call = house.call("GET", &target).header("Accept", accept);
        let answer = connection.send(&call).is(200);
        assert_eq!(answer.header("vary"), Some("Accept"));
        answer
    };
    let form = dice.pick(&["vc", "vc+jwt", "2021", "statuslist+jwt", "statuslist+cwt"]);
    let accept = format!("application/{form}");
    let list = match form {
        "2021" | "statuslist+jwt" | "statuslist+cwt" => &lists[0],
        _ => &lists[dice.below(lists.len() as u64) as usize],
    };
    if form.starts_with("statuslist") {
        let at = Timestamp::from_millis(at.millis() / 1_000 * 1_000 + 1_000);
        let at = at.min(house.clock.now().whole_seconds());
        let token = list.url.replace("/status-lists/", "/token-status-lists/");
        let answer = get(format!("{token}?time={}", at.seconds()), &accept);
        return is_as_the_planes_were(&then(&answer), lists, at, house.clock.now());
    }
    if at < list.opened {
        let call = house.call("GET", &format!("{}?timestamp={at}", list.url));
        connection.send(&call).problem(404);
        return;
    }
    let answer = match form {
        "2021" => get(
            format!("{}/2021?timestamp={at}", list.url),
            "application/vc",
        ),
        _ => get(format!("{}?timestamp={at}", list.url), &accept),
    };
    let said = then(&answer);
    let expected = packed(&list.at(at), list.size, |bit, size| size - 1 - bit, true);
    assert!(said.bits == expected, "{form} of {} at {at}", list.purpose);
    let (since, until) = list.period(at);
    let (since, until) = match form {
        "vc+jwt" => (
            since.whole_seconds(),
            until.map(Timestamp::next_whole_second),
        ),
        _ => (since, until),
    };
    holds(&said.period, at, (since, until), house.clock.now());
}

/// What a Token Status List is to say: revoked before suspended before the grade.
fn is_as_the_planes_were(said: &Then, lists: &[Model], at: Timestamp, now: Timestamp) {
    let of = |purpose: &str| {
        let list = lists.iter().find(|list| list.purpose == purpose);
        list.expect("all are open by now").at(at)
    };
    let mut values = of("grade");
    values.extend(set(of("suspension"), 2));
    values.extend(set(of("revocation"), 1));
    assert_eq!(said.size, 4);
    let expected = packed(&values, 4, |bit, _| bit, false);
    assert!(said.bits == expected, "token list at {at}");
    let joined = lists.iter().filter(|list| list.in_token);
    let periods: Vec<_> = joined.map(|list| list.period(at)).collect();
    let since = periods.iter().map(|(since, _)| *since).max().unwrap();
    let until = periods.iter().filter_map(|(_, until)| *until).min();
    let ends = until.map(Timestamp::next_whole_second);
    holds(&said.period, at, (since.next_whole_second(), ends), now);
    assert!(
        said.period.until > at,
        "also where the end is the first moment that is out"
    );
}

fn set(values: BTreeMap<u64, u8>, to: u8) -> impl Iterator<Item = (u64, u8)> {
    let set = values.into_iter().filter(|(_, value)| *value != 0);
    set.map(move |(index, _)| (index, to))
}

/// The moment lies in the period, which is that of the state: a past one is over.
fn holds(
    period: &Period,
    at: Timestamp,
    (since, until): (Timestamp, Option<Timestamp>),
    now: Timestamp,
) {
    assert!(period.since <= at && at <= period.until, "{at}: {period:?}");
    match until {
        Some(until) => {
            assert_eq!((period.since, period.until), (since, until), "{at}");
            assert_eq!(
                period.ttl, None,
                "nobody is to keep what is over for the present"
            );
        }
        None => {
            assert!(since.whole_seconds() <= period.since, "{at}: {period:?}");
            assert!(now < period.until, "{at}: {period:?}");
        }
    }
}

/// Values of `size` bits in bytes: bit `b` of an entry is worth 2^`worth(b, size)`, and the first bit
/// of a byte is its highest where `high` says so, or else its lowest.
fn packed(
    values: &BTreeMap<u64, u8>,
    size: u64,
    worth: impl Fn(u64, u64) -> u64,
    high: bool,
) -> Vec<u8> {
    let mut bytes = vec![0; (LENGTH * size / 8) as usize];
    for (index, value) in values {
        for bit in 0..size {
            let place = index * size + bit;
            let mask = if high {
                0x80 >> (place % 8)
            } else {
                1 << (place % 8)
            };
            if value >> worth(bit, size) & 1 != 0 {
                bytes[(place / 8) as usize] |= mask;
            }
        }
    }
    bytes
}
