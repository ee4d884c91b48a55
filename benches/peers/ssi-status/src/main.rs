//! How fast `ssi-status` writes and reads the list of a Bitstring Status List: a program beside the
//! benches, built by itself, so that its `flate2` is the one that it asks for.
//!
//! It reads one request on each line and answers each on one, as `npm/lists.mjs` does, which says
//! what they are.

use std::hint::black_box;
use std::io::{BufRead as _, Write as _};
use std::time::Duration;

use serde_json::{Value, json};
use ssi_status::bitstring_status_list::{EncodedList, SizedBitString, StatusSize};

const NAME: &str = "ssi-status 0.8";

/// What its `flate2` runs on where nobody asks for another, and the level that it takes.
const COMPRESSOR: &str = "miniz_oxide, level 6";

/// A list as text, in the library's own type, and as the library writes it.
struct Subject {
    brought: EncodedList,
    list: SizedBitString,
    written: EncodedList,
}

impl Subject {
    /// Reads a list and writes it again.
    fn new(text: &str) -> Self {
        let brought = EncodedList::new(text.to_owned());
        let list = decoded(&brought);
        Self {
            written: list.encode(),
            brought,
            list,
        }
    }

    fn introduce(&self, indexes: &[Value]) -> Value {
        let status = |index: &Value| {
            let index = index.as_u64().expect("an index") as usize;
            self.list.get(index)
        };
        let statuses: Vec<_> = indexes.iter().map(status).collect();
        json!({
            "name": NAME,
            "compressor": COMPRESSOR,
            "statuses": statuses,
            "encodedList": self.written,
        })
    }

    /// CPU time of so many runs.
    fn time(&self, what: &str, count: u64) -> Duration {
        let before = cpu_of_this_thread();
        for _ in 0..count {
            match what {
                "encode" => drop(black_box(self.list.encode())),
                "decode" => drop(black_box(decoded(&self.written))),
                "read" => drop(black_box(decoded(&self.brought))),
                _ => panic!("{what}: encode, decode or read"),
            }
        }
        cpu_of_this_thread() - before
    }
}

fn main() {
    let mut subject = None;
    for line in std::io::stdin().lock().lines() {
        let line = line.expect("what asks goes on to write");
        let request: Value = serde_json::from_str(&line).expect("a request is JSON");
        let answer = match request["encodedList"].as_str() {
            Some(text) => {
                let indexes = request["indexes"].as_array().expect("indexes to read");
                subject.insert(Subject::new(text)).introduce(indexes)
            }
            None => {
                let what = request["what"].as_str().expect("what to do");
                let count = request["count"].as_u64().expect("how often");
                let subject = subject.as_ref().expect("a list comes first");
                let spent = subject.time(what, count);
                json!({"cpuNanoseconds": spent.as_nanos() as u64})
            }
        };
        println!("{answer}");
        std::io::stdout().flush().expect("what asks reads");
    }
}

fn decoded(text: &EncodedList) -> SizedBitString {
    let bytes = text.decode(None).expect("a list");
    SizedBitString::from_bytes(StatusSize::DEFAULT, bytes)
}

/// As the harness of the benches counts it, on Linux.
fn cpu_of_this_thread() -> Duration {
    std::thread::park_timeout(Duration::from_micros(1));
    let counted = std::fs::read_to_string("/proc/thread-self/schedstat").expect("Linux");
    let nanoseconds = counted.split_ascii_whitespace().next();
    let nanoseconds = nanoseconds.and_then(|number| number.parse().ok());
    Duration::from_nanos(nanoseconds.expect("the first is a number"))
}
