//! Many who ask at once, and many who are asked.

use std::net::IpAddr;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Barrier, mpsc};
use std::thread;
use std::time::Duration;

use super::support::{House, Server, answer, document, policy};
use crate::net::{FetchError, Fetcher, Hosts, Kind, NameError, Names, Policy, Unreachable};
use crate::time::{ManualClock, Timestamp, Ttl};

/// Fifty threads ask for one URL; gives how often the server was connected to.
fn crowd(said: Vec<u8>) -> (Vec<Result<crate::net::Fetched, FetchError>>, usize) {
    let server = Server::with(move |talk| {
        talk.pause(Duration::from_millis(100));
        talk.send(&said);
    });
    let (house, start) = (House::new(), Barrier::new(50));
    let answers = thread::scope(|scope| {
        let ask = || {
            start.wait();
            house.get(&server.url())
        };
        let asking: Vec<_> = (0..50).map(|_| scope.spawn(ask)).collect();
        asking.into_iter().map(|one| one.join().unwrap()).collect()
    });
    (answers, server.connections())
}

#[test]
fn fifty_who_ask_for_one_url_share_one_fetch() {
    let (answers, connections) = crowd(document(""));
    assert!(answers.iter().all(Result::is_ok));
    assert_eq!(connections, 1);
    let (answers, connections) = crowd(answer("500 No", "", b""));
    let failed = Err(Unreachable::Status(500).into());
    assert!(answers.iter().all(|answer| *answer == failed));
    assert_eq!(connections, 1);
}

/// A server that holds every request until told, and says when one is there.
fn holding() -> (Server, mpsc::Receiver<()>, Arc<AtomicBool>) {
    let (arrived, arrivals) = mpsc::channel();
    let go = Arc::new(AtomicBool::new(false));
    let told = go.clone();
    let server = Server::with(move |talk| {
        let _ = arrived.send(());
        while !told.load(Ordering::SeqCst) && talk.pause(Duration::from_millis(5)) {}
        talk.send(&document(""));
    });
    (server, arrivals, go)
}

#[test]
fn who_finds_no_place_in_time_is_told_so() {
    for (in_flight, in_flight_per_host, elsewhere) in
        [(2, 10, Err(FetchError::Busy)), (10, 2, Ok("{}".into()))]
    {
        let (server, arrivals, go) = holding();
        let other = Server::saying(vec![document("")]);
        let house = House::with(Policy {
            in_flight,
            in_flight_per_host,
            connect: Ttl::from_millis(400),
            ..policy()
        });
        thread::scope(|scope| {
            let url = |path: usize| format!("{}/{path}", server.url());
            let held: Vec<_> = (0..2)
                .map(|path| {
                    scope.spawn({
                        let house = &house;
                        move || house.get(&url(path))
                    })
                })
                .collect();
            for _ in 0..2 {
                arrivals.recv().unwrap();
            }
            assert_eq!(house.get(&url(2)), Err(FetchError::Busy));
            let there = other.url().replace("localhost", "127.0.0.1");
            assert_eq!(house.get(&there).map(|got| got.body), elsewhere);
            go.store(true, Ordering::SeqCst);
            for one in held {
                assert!(one.join().unwrap().is_ok());
            }
        });
        // To be busy is not remembered.
        assert!(house.get(&format!("{}/2", server.url())).is_ok());
    }
}

/// Knows nobody, and counts how many ask at the same time.
#[derive(Default)]
struct Nobody {
    asking: AtomicUsize,
    most: AtomicUsize,
}

impl Names for Nobody {
    fn resolve(&self, _host: &str, _within: Duration) -> Result<Vec<IpAddr>, NameError> {
        let asking = self.asking.fetch_add(1, Ordering::SeqCst) + 1;
        self.most.fetch_max(asking, Ordering::SeqCst);
        thread::yield_now();
        self.asking.fetch_sub(1, Ordering::SeqCst);
        Err(NameError::NotFound)
    }
}

#[test]
fn ten_thousand_hosts_exhaust_nothing() {
    let names = Arc::new(Nobody::default());
    let clock = Arc::new(ManualClock::new(Timestamp::EPOCH));
    let policy = Policy {
        hosts: Hosts::Public,
        in_flight: 4,
        ..policy()
    };
    let fetcher = Fetcher::new(policy, names.clone(), clock).unwrap();
    thread::scope(|scope| {
        for lane in 0..16 {
            let fetcher = &fetcher;
            scope.spawn(move || {
                for host in (0..10_000).filter(|host| host % 16 == lane) {
                    let name = format!("host-{host}.example");
                    let failed = fetcher.get(&format!("https://{name}/"), Kind::StatusList);
                    assert_eq!(failed, Err(Unreachable::Name(name).into()));
                }
            });
        }
    });
    let most = names.most.load(Ordering::SeqCst);
    assert!(most <= 4, "{most} were under way");
    let server = Server::saying(vec![document("")]);
    let url = server.url().replace("localhost", "127.0.0.1");
    assert!(fetcher.get(&url, Kind::StatusList).is_ok());
}

/// Dies at the first question.
#[derive(Default)]
struct Fragile(AtomicBool);

impl Names for Fragile {
    fn resolve(&self, _host: &str, _within: Duration) -> Result<Vec<IpAddr>, NameError> {
        let second = self.0.swap(true, Ordering::SeqCst);
        assert!(second, "the first question kills its thread");
        Ok(vec![[127, 0, 0, 1].into()])
    }
}

#[test]
fn a_thread_that_dies_takes_no_place_with_it() {
    let clock = Arc::new(ManualClock::new(Timestamp::EPOCH));
    let policy = Policy {
        in_flight: 1,
        ..policy()
    };
    let fetcher = Fetcher::new(policy, Arc::new(Fragile::default()), clock).unwrap();
    let server = Server::saying(vec![document("")]);
    let get = || fetcher.get(&server.url(), Kind::StatusList);
    let died = thread::scope(|scope| scope.spawn(get).join());
    assert!(died.is_err());
    assert!(get().is_ok());
}
