//! Good clients that ask so many times a second, whether answers come or not: what they wait is counted
//! from the moment at which they were due to ask.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, Scope};
use std::time::{Duration, Instant};

use crate::client::Client;
use crate::service::{List, Service};

const CLIENTS: u32 = 8;

/// Clients that read a list.
pub(crate) struct Steady {
    stop: AtomicBool,
    /// How long each request took from when it was due, with when that was.
    waited: Mutex<Vec<(Instant, Duration)>>,
}

impl Steady {
    pub(crate) const fn new() -> Self {
        Self {
            stop: AtomicBool::new(false),
            waited: Mutex::new(Vec::new()),
        }
    }

    /// Starts them: `rate` requests a second in all, each answered whole.
    pub(crate) fn start<'scope>(
        &'scope self,
        scope: &'scope Scope<'scope, '_>,
        service: &Service,
        list: &List,
        rate: u32,
    ) {
        let every = Duration::from_secs(1) * CLIENTS / rate;
        for number in 0..CLIENTS {
            let client = service.anybody();
            let path = list.path.clone();
            scope.spawn(move || self.read(client, &path, every, every * number / CLIENTS));
        }
    }

    fn read(&self, mut client: Client, path: &str, every: Duration, first: Duration) {
        let whole = client.get(path, &[]).expect("it answers").expect(200);
        let mut due = Instant::now() + first;
        let mut waited = Vec::new();
        while !self.stop.load(Ordering::Relaxed) {
            thread::sleep(due.saturating_duration_since(Instant::now()));
            let answer = client.get(path, &[]).expect("it answers").expect(200);
            assert!(answer.body.len() == whole.body.len(), "the list is whole");
            waited.push((due, due.elapsed()));
            due += every;
        }
        self.waited.lock().expect("nobody panics").extend(waited);
    }

    /// Tells them to stop.
    pub(crate) fn stop(&self) {
        self.stop.store(true, Ordering::Relaxed);
    }

    /// What requests waited that were due within this time, sorted.
    pub(crate) fn waited(&self, from: Instant, until: Instant) -> Vec<Duration> {
        let waited = self.waited.lock().expect("nobody panicked");
        let within = waited.iter().filter(|(due, _)| (from..until).contains(due));
        let mut times: Vec<Duration> = within.map(|(_, took)| *took).collect();
        times.sort();
        times
    }
}
