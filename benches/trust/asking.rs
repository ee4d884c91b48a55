//! `GET /endorsements?subject=`: who endorses somebody, with the signed documents.

use std::cell::Cell;
use std::collections::BTreeMap;

use goodstanding::http::{Reply, answer_locally};
use goodstanding::ids::EndorsementId;
use goodstanding::store::engine::{Engine as _, Read};
use goodstanding::store::tables::{
    ACCREDITORS, ENDORSEMENT_DOCUMENTS, ENDORSEMENTS_BY_SUBJECT, PROFILES,
};
use http::HeaderMap;
use serde_json::Value;

use crate::country::Country;
use crate::harness::{Participant, Report, Samples, Verdict, in_turns, ratios};
use crate::nation::people::{digest, id};
use crate::nation::plan::{self, EACH, Fate, PROFILES as EVERYBODY};

const MOST_SECONDS: f64 = 100e-6;

/// So many are asked about again and again, and are in the store's cache.
const OFTEN: u32 = 500;

pub(crate) fn run(report: &mut Report, country: &Country) {
    for subject in [1, plan::WIDEST, 50, 500, 1_001, 54_321, EVERYBODY] {
        check(&ask(country, subject), subject);
    }
    let words = format!(
        "From the request's path to the bytes of the answer, 10 endorsements with their documents, \
         {} bytes. Beside it, over the same store: the same rows, as they are stored; and the same \
         documents, read as JSON and written again.",
        ask(country, 54_321).body.len()
    );
    report.section("Who endorses a subject: GET /endorsements?subject=", &words);
    measure(
        report,
        country,
        "one of 500 who are often asked about",
        OFTEN,
    );
    measure(report, country, "any of 100,000", EVERYBODY);
}

fn measure(report: &mut Report, country: &Country, whom: &str, many: u32) {
    // Each goes its own way through all of them, so that none finds what another just read.
    let walk = |from: u32| {
        let place = Cell::new(from);
        move || {
            place.set(place.get().wrapping_add(61_803));
            1 + place.get() % many
        }
    };
    let (service, rows, documents) = (walk(0), walk(many / 3), walk(many / 3 * 2));
    let mut participants = [
        Participant::new("the service", || ask(country, service())),
        Participant::new("the rows, as they are stored", || raw(country, rows())),
        Participant::new("the documents, through JSON", || {
            parsed(country, documents())
        }),
    ];
    let samples = in_turns(&mut participants);
    let ratio = ratios(&samples[1], &samples[0]).ratios();
    let mut samples = samples.into_iter().map(Samples::new);
    let whole = samples.next().expect("the service is the first");
    let verdict = Verdict::below(whole.median(), MOST_SECONDS, "100 µs");
    let what = format!("{whom}: the service");
    match many {
        // What the disk's blocks cost to unpack is not the service's.
        OFTEN => report.judged(&what, &whole.times(), &verdict),
        _ => report.context(&what, &whole.times()),
    }
    for (one, samples) in participants[1..].iter().zip(samples) {
        report.context(&format!("{whom}: {}", one.name), &samples.times());
    }
    report.context(&format!("{whom}: the service to the rows"), &ratio);
}

/// The answer of the service.
pub(crate) fn ask(country: &Country, subject: u32) -> Reply {
    let target = format!("/endorsements?subject={}", id(subject).replace(':', "%3A"));
    let headers = HeaderMap::new();
    answer_locally(&country.edge, "GET", &target, headers, bytes::Bytes::new())
}

/// Every row that the answer is made of: which endorsements there are, what is known of them and
/// their documents, who made them, and what was decided about those.
fn raw(country: &Country, subject: u32) -> usize {
    let read = country.engine.snapshot();
    let (keys, records) = by_subject(&*read, subject);
    let rows = |tag: u8, keys: &[Vec<u8>]| -> usize {
        let stored: Vec<Vec<u8>> = keys
            .iter()
            .map(|key| [&[tag], key.as_slice()].concat())
            .collect();
        let found = read.multi_get(&stored).expect("the store can be read");
        found.into_iter().flatten().map(|row| row.len()).sum()
    };
    let owners: Vec<Vec<u8>> = keys.iter().map(|key| key[..4].to_vec()).collect();
    records
        + rows(ENDORSEMENT_DOCUMENTS.tag(), &keys)
        + rows(PROFILES.tag(), &owners)
        + rows(ACCREDITORS.tag(), &owners)
}

/// The keys of the endorsements of a subject, and the bytes of their records.
fn by_subject(read: &dyn Read, subject: u32) -> (Vec<Vec<u8>>, usize) {
    let from = [&[ENDORSEMENTS_BY_SUBJECT.tag()][..], &digest(&id(subject))].concat();
    let to = [from.as_slice(), &[0xff; 13]].concat();
    let rows = read.scan(&from, &to, 1_000).expect("the store can be read");
    let bytes = rows.iter().map(|(_, record)| record.len()).sum();
    let ids = rows.iter().map(|(key, _)| key[from.len()..].to_vec());
    (ids.collect(), bytes)
}

/// The documents of the same endorsements, read and written again.
fn parsed(country: &Country, subject: u32) -> String {
    let read = country.engine.snapshot();
    let (keys, _) = by_subject(&*read, subject);
    let ids: Vec<EndorsementId> = keys
        .iter()
        .map(|key| EndorsementId::from_bytes(key[..].try_into().expect("an id")))
        .collect();
    let documents = ENDORSEMENT_DOCUMENTS.multi_get(&*read, &ids);
    let documents = documents
        .expect("the store can be read")
        .into_iter()
        .flatten();
    let parsed = documents.map(|text| serde_json::from_slice::<Value>(&text).expect("JSON"));
    Value::Array(parsed.collect()).to_string()
}

/// The answer tells of those who endorse the subject, how that stands, and has their documents.
fn check(reply: &Reply, subject: u32) {
    assert_eq!(reply.status, 200);
    let told: Value = serde_json::from_slice(&reply.body).expect("JSON");
    let told = told["endorsements"].as_array().expect("a list");
    assert_eq!(told.len(), EACH as usize);
    let told: BTreeMap<&str, &Value> = told
        .iter()
        .map(|one| (one["endorser"].as_str().expect("an id"), one))
        .collect();
    for (nth, endorser) in (0..).zip(plan::endorsers(subject)) {
        let one = told[id(endorser).as_str()];
        assert_eq!(one["outcome"], Fate::of(subject, nth).word(), "{one:#}");
        assert_eq!(one["subject"], id(subject));
        let document = &one["credential"];
        assert_eq!(document["id"], one["id"]);
        assert_eq!(document["issuer"]["id"], id(endorser));
        assert_eq!(document["credentialSubject"]["id"], id(subject));
    }
}
