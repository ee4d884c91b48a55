//! Stories of several replicas over Debian's PostgreSQL: servers of the real program, and engines of it where
//! many changes have to be counted.

mod failover;
mod lag;
mod publishing;
mod starting;
mod throughput;

use std::fs;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use tempfile::TempDir;

use crate::process::client::Client;
use crate::process::folder::ORIGIN;
use crate::process::program::{Ran, program, run};
use crate::process::server::Server;

/// Replicas of one registry: their data folders, and where what they share is.
struct Replicas {
    home: TempDir,
    url: String,
    token: String,
}

impl Replicas {
    /// Makes a registry in the database at `url`, with the data folder `first`.
    fn prepared(url: &str) -> Self {
        let mut replicas = Self {
            home: TempDir::new().unwrap(),
            url: url.to_owned(),
            token: String::new(),
        };
        let done = replicas.init("first").exits(0).json();
        replicas.token = done["token"].as_str().unwrap().to_owned();
        replicas
    }

    fn init(&self, name: &str) -> Ran {
        let mut command = program();
        command.args(["init", "--public-url", ORIGIN, "--json", "--data"]);
        command.arg(self.data(name)).envs(self.settings());
        run(&mut command, "")
    }

    fn data(&self, name: &str) -> PathBuf {
        self.home.path().join(name)
    }

    fn settings(&self) -> [(&str, &str); 2] {
        [
            ("GOODSTANDING_STORE__ENGINE", "postgres"),
            ("GOODSTANDING_STORE__POSTGRES__URL", &self.url),
        ]
    }

    /// Serves a data folder, which gets what a replica needs of the first one.
    fn serve(&self, name: &str, more: &[(&str, &str)]) -> Server {
        let data = self.data(name);
        fs::create_dir_all(&data).unwrap();
        for file in ["master.key", "goodstanding.toml"] {
            if !data.join(file).exists() {
                fs::copy(self.data("first").join(file), data.join(file)).unwrap();
            }
        }
        let mut command = program();
        command.args(["serve", "--listen", "127.0.0.1:0", "--data"]);
        command.arg(data).envs(self.settings());
        command.envs(more.iter().copied());
        Server::start(&mut command)
    }

    /// The operator, as a client of one replica.
    fn operator(&self, server: &Server) -> Client {
        Client::new(server.url(), Some(&self.token))
    }
}

/// Asks again and again until something holds, and says how long that took.
#[track_caller]
fn until(what: &str, at_most: Duration, holds: impl Fn() -> bool) -> Duration {
    let begun = Instant::now();
    while !holds() {
        assert!(begun.elapsed() < at_most, "not within {at_most:?}: {what}");
        std::thread::sleep(Duration::from_millis(10));
    }
    begun.elapsed()
}
