//! `POST /standing/query`: whether 1,000 credentials are in good standing, and who stands behind
//! their issuers.

use std::cell::Cell;
use std::time::Instant;

use bytes::Bytes;
use goodstanding::badges::SubjectKind;
use goodstanding::http::{Reply, answer_locally};
use goodstanding::ids::ProfileId;
use goodstanding::registry::{CredentialStatusRequest, IssuingOptions};
use goodstanding::status::StatusPurpose;
use goodstanding::store::engine::{Batch, Engine as _};
use goodstanding::store::tables::{self, id_digest};
use goodstanding::vc::keys::{PublicKey, SignatureCheck, SigningKey};
use goodstanding::verify::Options;
use http::HeaderMap;
use serde_json::{Value, json};

use crate::country::Country;
use crate::harness::{Participant, Report, Samples, Verdict, in_turns};
use crate::nation::people::{change, endorse, id};
use crate::nation::plan::ACCREDITORS;

const CREDENTIALS: usize = 1_000;
const MOST_SECONDS: f64 = 0.050;
const ROUNDS: usize = 15;

/// Every so manyth is revoked.
const REVOKED: usize = 50;

/// Credentials that were really issued, in both forms of the question.
struct Issued {
    ids: Vec<String>,
    documents: Vec<Value>,
}

pub(crate) fn run(report: &mut Report, country: &Country) {
    sample(country);
    let many = issued(country, CREDENTIALS);
    let few = issued(country, 10);
    let words = "From the body of the request to the bytes of the answer, in time that passes; \
                 beside it the CPU time of all threads. By id, what is kept here is looked up; by \
                 document, every proof is verified as well, on both cores. The floor is 1,000 \
                 strict Ed25519 checks alone, on both cores too.";
    report.section(
        "The standing of 1,000 credentials: POST /standing/query",
        words,
    );
    for (whose, issued) in [("1,000 issuers", &many), ("10 issuers", &few)] {
        measure(report, country, whose, issued);
    }
    let words = "As a verifier asks who has a batch of them: ids alone, nothing signed, CPU time of the \
                 thread. Each question is another one, of 100 out of 100,000 credentials.";
    report.section("The standing of 100 credentials by id", words);
    for (whose, issued) in [("1,000 issuers", &many), ("10 issuers", &few)] {
        by_hundreds(report, country, whose, issued);
    }
}

/// A question of so many.
const TOGETHER: usize = 100;
const MOST_CPU: f64 = 600e-6;

/// Of each credential that was issued so many others are written that differ in nothing but their
/// ids and indexes.
const COPIES: u32 = 100;

fn by_hundreds(report: &mut Report, country: &Country, whose: &str, issued: &Issued) {
    let ids = copies(country, issued);
    let questions: Vec<Bytes> = (0..500usize)
        .map(|question| {
            let nth = |place| &ids[(question * 7_919 + place * 61_803) % ids.len()];
            let ids: Vec<&String> = (0..TOGETHER).map(nth).collect();
            Bytes::from(json!({ "ids": ids }).to_string())
        })
        .collect();
    let told = ask(country, &questions[0]);
    assert_eq!(told.status, 200);
    let size = told.body.len() / 1_000;
    let told: Value = serde_json::from_slice(&told.body).expect("JSON");
    let told = told["results"].as_array().expect("a list");
    assert_eq!(told.len(), TOGETHER);
    assert!(told.iter().all(|one| one["outcome"] == "active"));
    let place = Cell::new(0);
    let varying = || {
        place.set((place.get() + 1) % questions.len());
        ask(country, &questions[place.get()])
    };
    let mut participants = [
        Participant::new("one question again and again", || {
            ask(country, &questions[0])
        }),
        Participant::new("varying", varying),
    ];
    let names = participants.each_ref().map(|one| one.name);
    let samples = in_turns(&mut participants);
    for (name, samples) in names.into_iter().zip(samples) {
        let samples = Samples::new(samples);
        let verdict = Verdict::below(samples.median(), MOST_CPU, "600 µs");
        let what = format!("{whose}, {name}, {size} kB answered");
        report.judged(&what, &samples.times(), &verdict);
    }
}

/// The ids of credentials that stand at other indexes of the same lists.
fn copies(country: &Country, issued: &Issued) -> Vec<String> {
    let mut copied = Vec::new();
    for (number, (id, document)) in issued.ids.iter().zip(&issued.documents).enumerate() {
        let issuer = document["issuer"]["id"].as_str().expect("an issuer");
        let issuer = country.registry.profile_by_id(issuer);
        let issuer = issuer.expect("the store can be read").expect("it is here");
        let owner: ProfileId = issuer.id;
        let key = (id_digest(id), owner);
        let record = tables::CREDENTIALS.get(&*country.engine, &key);
        let record = record.expect("the store can be read").expect("issued");
        let mut batch = Batch::default();
        for copy in 0..COPIES {
            let mut record = record.clone();
            record.id = format!("{id}-{copy}");
            // Where the copies of others issued by the same one are not.
            record.entries[0].index = 1_000 + copy * 1_000 + number as u32;
            tables::CREDENTIALS.put(&mut batch, &(id_digest(&record.id), owner), &record);
            copied.push(record.id);
        }
        country.engine.commit(batch).expect("the disk takes it");
    }
    copied
}

/// Some endorsements are made and verified by the services, so that the ones that were written as
/// rows stand beside some that are what they say.
fn sample(country: &Country) {
    for number in 0..200 {
        let endorser = 101 + number * 4;
        let subject = format!("https://elsewhere.example/badges/{number}");
        let kind = SubjectKind::Achievement;
        let made = endorse(&country.registry, endorser, subject, kind);
        let document = made.credential.secured().into_value();
        let outside = &*country.edge.outside;
        let report = country
            .registry
            .verify(&document, Options::default(), &*outside.session());
        assert!(report.verified, "{report:?}");
    }
}

/// 1,000 credentials by so many issuers, some of them revoked.
fn issued(country: &Country, issuers: usize) -> Issued {
    let registry = &country.registry;
    let (mut ids, mut documents) = (Vec::new(), Vec::new());
    for number in 0..CREDENTIALS {
        let issuer = ACCREDITORS + 1 + (number % issuers * 97) as u32;
        let credential = format!("urn:uuid:{issuers:08x}-0000-4000-8000-{number:012x}");
        let unsigned = unsigned(&credential, issuer);
        let made = registry.issue(&change(), &unsigned, &IssuingOptions::default());
        documents.push(made.expect("it is an issuer").credential);
        if number % REVOKED == 0 {
            revoke(country, &credential);
        }
        ids.push(credential);
    }
    Issued { ids, documents }
}

fn unsigned(id_of_it: &str, issuer: u32) -> Value {
    let text = include_str!("../documents/badge.json");
    let mut badge: Value = serde_json::from_str(text).expect("the sample is JSON");
    badge["id"] = id_of_it.into();
    badge["issuer"]["id"] = id(issuer).into();
    let members = badge.as_object_mut().expect("an object");
    members.shift_remove("credentialStatus");
    badge
}

fn revoke(country: &Country, credential: &str) {
    let request = CredentialStatusRequest {
        credential: credential.to_owned(),
        purpose: StatusPurpose::Revocation,
        list: None,
        index: None,
        status: true,
        reason: None,
    };
    let changed = country
        .registry
        .change_credential_status(&change(), request);
    changed.expect("it was just issued");
}

fn measure(report: &mut Report, country: &Country, whose: &str, issued: &Issued) {
    let anchors = json!([id(1)]);
    let questions = [
        ("by id", json!({ "ids": issued.ids })),
        (
            "by id, one trust anchor named",
            json!({ "ids": issued.ids, "trustAnchors": anchors }),
        ),
        ("by document", json!({ "credentials": issued.documents })),
        (
            "by document, one trust anchor named",
            json!({ "credentials": issued.documents, "trustAnchors": anchors }),
        ),
    ]
    .map(|(how, question)| (how, Bytes::from(question.to_string())));
    for (_, question) in &questions {
        check(&ask(country, question), issued);
    }
    let floor = Floor::new();
    let mut taken = vec![Taken::default(); questions.len() + 1];
    for _ in 0..ROUNDS {
        for ((_, question), taken) in questions.iter().zip(&mut taken) {
            taken.time(|| ask(country, question));
        }
        taken[questions.len()].time(|| floor.check());
    }
    for ((how, question), taken) in questions.iter().zip(&taken) {
        let time = Samples::new(taken.passed.clone());
        let verdict = Verdict::below(time.median(), MOST_SECONDS, "50 ms");
        let what = format!("{whose}, {how}");
        report.judged(&what, &time.times(), &verdict);
        let cpu = taken.cpu / ROUNDS as f64 * 1e3;
        let size = question.len() / 1_000;
        report.context(
            &format!("{what}: CPU time"),
            &format!("{cpu:.0} ms, {size} kB asked"),
        );
    }
    let floor = Samples::new(taken[questions.len()].passed.clone());
    report.context(
        &format!("{whose}, the floor: 1,000 checks of a signature"),
        &floor.times(),
    );
}

/// What the rounds took.
#[derive(Clone, Default)]
struct Taken {
    passed: Vec<f64>,
    /// All threads together, over all rounds.
    cpu: f64,
}

impl Taken {
    fn time<T>(&mut self, work: impl FnOnce() -> T) {
        let (began, cpu) = (Instant::now(), cpu_of_all_threads());
        std::hint::black_box(work());
        self.passed.push(began.elapsed().as_secs_f64());
        self.cpu += cpu_of_all_threads() - cpu;
    }
}

/// Seconds that all threads of this process were on a CPU, by ticks of 10 ms.
fn cpu_of_all_threads() -> f64 {
    let counted = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields: Vec<&str> = counted.split_ascii_whitespace().collect();
    let ticks = |place: usize| {
        fields
            .get(place)
            .and_then(|field| field.parse::<f64>().ok())
    };
    // utime and stime, the 14th and 15th field (proc_pid_stat(5)).
    ticks(13)
        .zip(ticks(14))
        .map_or(0.0, |(user, system)| (user + system) / 100.0)
}

fn ask(country: &Country, question: &Bytes) -> Reply {
    let headers = HeaderMap::new();
    answer_locally(
        &country.edge,
        "POST",
        "/standing/query",
        headers,
        question.clone(),
    )
}

/// Every answer is the one that there has to be: in good standing but for what was revoked, behind
/// it the path to who is trusted.
fn check(reply: &Reply, issued: &Issued) {
    assert_eq!(reply.status, 200);
    let told: Value = serde_json::from_slice(&reply.body).expect("JSON");
    let told = told["results"].as_array().expect("a list");
    assert_eq!(told.len(), issued.ids.len());
    for (number, (one, credential)) in told.iter().zip(&issued.ids).enumerate() {
        assert_eq!(one["credential"], *credential);
        let expected = if number % REVOKED == 0 {
            "revoked"
        } else {
            "active"
        };
        assert_eq!(one["outcome"], expected, "{one:#}");
        assert_eq!(one["issuer"]["outcome"], "active", "{one:#}");
        let path = one["issuer"]["path"].as_array().expect("a path");
        let anchor = &path.last().expect("a link")["endorser"];
        assert!(
            path.len() == 1 || path.len() == 3 && *anchor == id(1),
            "{one:#}"
        );
        assert_ne!(one.get("verified"), Some(&Value::from(false)), "{one:#}");
    }
}

/// What nobody who verifies 1,000 signatures can leave out.
struct Floor {
    key: PublicKey,
    message: [u8; 64],
    signature: [u8; 64],
}

impl Floor {
    fn new() -> Self {
        let secret = SigningKey::from_seed(&[7; 32]);
        Self {
            key: secret.public(),
            message: [3; 64],
            signature: secret.sign(&[3; 64]),
        }
    }

    fn check(&self) {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        std::thread::scope(|scope| {
            for _ in 0..cores {
                scope.spawn(|| {
                    for _ in 0..CREDENTIALS / cores {
                        let checked = self.key.verify(&self.message, &self.signature);
                        assert_eq!(checked, SignatureCheck::Good);
                    }
                });
            }
        });
    }
}
