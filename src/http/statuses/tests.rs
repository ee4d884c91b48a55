//! What is answered in the quick way is byte for byte what the other one answers.

use std::sync::{Arc, LazyLock};

use http::{HeaderMap, Method};
use proptest::prelude::*;

use super::*;
use crate::bitstring::{ListLength, StatusSize};
use crate::ids::ListId;
use crate::registry::{NewList, StatusTarget, StatusUpdate, testing};
use crate::status::{EntryMembers, ListMessages, StatusPurpose};
use crate::store::memory::MemoryEngine;
use crate::time::{ManualClock, Timestamp};

static PLACE: LazyLock<Place> = LazyLock::new(place);

struct Place {
    edge: Edge,
    urls: Vec<String>,
    /// Indexes that were given out in any of the lists.
    indexes: Vec<u64>,
}

/// A registry with three lists in which entries have different statuses.
fn place() -> Place {
    let at: Timestamp = "2026-03-01T09:00:00.120Z".parse().unwrap();
    let clock = Arc::new(ManualClock::new(at));
    let engine = Arc::new(MemoryEngine::new(clock.clone()));
    let registry = testing::over(engine, clock, 7, testing::settings());
    let change = testing::operator;
    let school = testing::school(&registry, "school");
    let (mut urls, mut indexes) = (Vec::new(), Vec::new());
    for (purpose, size) in [
        ("revocation", StatusSize::One),
        ("message", StatusSize::Two),
        ("a \"purpose\"\\ of ours: ü", StatusSize::Eight),
    ] {
        let purpose: StatusPurpose = purpose.parse().unwrap();
        let texts = (0..=size.maximum()).map(|value| format!("\\{value} \"ä\" / \u{2028}"));
        let messages = ListMessages::new(texts.collect()).unwrap();
        let messages = (size != StatusSize::One).then_some(messages);
        let new = NewList {
            entry: EntryMembers::new(&purpose, size, messages, None).unwrap(),
            length: ListLength::MINIMUM,
            ..NewList::usual(school, purpose)
        };
        let list: ListId = registry.create_list(&change(), &new).unwrap().id;
        let allocated = registry.allocate(&change(), list, 40).unwrap();
        let given_out: Vec<u64> = allocated.indexes().into_iter().map(u64::from).collect();
        let updates = given_out.iter().map(|index| StatusUpdate {
            target: StatusTarget::Index(*index),
            status: (index * 7) & u64::from(size.maximum()),
        });
        indexes.extend(&given_out);
        let updates = updates.collect();
        registry
            .update_statuses(&change(), list, updates, None)
            .unwrap();
        urls.push(registry.urls().list(list));
    }
    Place {
        edge: Edge::usual(Arc::new(registry)),
        urls,
        indexes,
    }
}

fn posted(body: String) -> Request {
    Request {
        method: Method::POST,
        path: "/status/query".to_owned(),
        params: Vec::new(),
        query: Vec::new(),
        headers: HeaderMap::new(),
        body: body.into_bytes().into(),
        actor: None,
        id: [0; 16],
    }
}

/// What an answer or a refusal is on the wire.
fn told(answer: Result<Reply, Problem>) -> (u16, String, String) {
    let reply = answer.unwrap_or_else(|problem| problem.to_reply());
    let text = String::from_utf8(reply.body.to_vec()).unwrap();
    (reply.status, format!("{:?}", reply.headers), text)
}

fn given_out() -> impl Strategy<Value = u64> {
    prop::sample::select(PLACE.indexes.as_slice())
}

/// A member and its value, of a question that can be wrong in every way.
fn member() -> impl Strategy<Value = String> {
    let index = prop_oneof![
        given_out().prop_map(|index| index.to_string()),
        given_out().prop_map(|index| format!("\"{index}\"")),
        prop::sample::select(vec![
            "131071",
            "131072",
            "18446744073709551616",
            "007",
            "\"007\"",
            "1.0",
            "1e1",
            "-0",
            "-1",
            "\"\"",
            "\"1.0\"",
            "null",
            "[]",
            "\"\\u0031\"",
            " 3\n"
        ])
        .prop_map(str::to_owned),
    ];
    prop_oneof![
        6 => (0..6_usize).prop_map(|list| format!("\"list\":LIST{list}")),
        6 => index.prop_map(|index| format!("\"index\":{index}")),
        1 => Just("\"l\\u0069st\":LIST0".to_owned()),
        1 => prop::sample::select(vec![
            "\"credential\":null", "\"issuer\":null", "\"credential\":\"urn:x\"", "\"other\":1", "\"list\":null", "",
        ])
        .prop_map(str::to_owned),
    ]
}

/// Mostly a good one.
fn question() -> impl Strategy<Value = String> {
    let good = (0..6_usize, given_out(), any::<bool>(), any::<bool>());
    let good = good.prop_map(|(list, index, turned, spaced)| {
        let (list, index) = (format!("\"list\":LIST{list}"), format!("\"index\":{index}"));
        let (first, second) = if turned { (index, list) } else { (list, index) };
        match spaced {
            true => format!(" {{\n{first} ,\t{second} }}"),
            false => format!("{{{first},{second}}}"),
        }
    });
    prop_oneof![
        12 => good,
        1 => prop::collection::vec(member(), 0..4).prop_map(|members| format!("{{{}}}", members.join(","))),
        1 => Just("[]".to_owned()),
    ]
}

fn body() -> impl Strategy<Value = String> {
    let form = prop_oneof![
        8 => Just("{\"queries\":[QUERIES]}"),
        1 => Just("{\"queries\":[QUERIES],\"at\":null}"),
        1 => Just("{\"queries\":[QUERIES],\"at\":\"2026-03-01T09:00:00.120Z\"}"),
        1 => Just("{\"queries\":[QUERIES],\"queries\":[]}"),
        1 => Just(" { \"queries\" : [ QUERIES ] }\n "),
        1 => Just("{\"queries\":[QUERIES]} x"),
    ];
    let questions = prop::collection::vec(question(), 0..8);
    (form, questions).prop_map(|(form, all)| form.replace("QUERIES", &all.join(",")))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn both_ways_say_the_same(bodies in prop::collection::vec(body(), 40)) {
        let Place { edge, urls, .. } = &*PLACE;
        let lists = [
            format!("\"{}\"", urls[0]),
            format!("\"{}\"", urls[1].replace('/', "\\/")),
            format!("\"{}\"", urls[2]),
            "\"https://registry.example/status-lists/00000400000000000000\"".to_owned(),
            "\"https://registry.example/status-lists/none \\u00e4\"".to_owned(),
            "\"https://elsewhere.example/a\\\"b\"".to_owned(),
        ];
        for body in bodies {
            let body = (0..6).fold(body, |body, list| body.replace(&format!("LIST{list}"), &lists[list]));
            let request = posted(body.clone());
            prop_assert_eq!(told(query(edge, &request)), told(query_any(edge, &request)), "{}", body);
        }
    }
}

#[test]
fn an_ordinary_body_goes_the_quick_way() {
    let Place { edge, urls, .. } = &*PLACE;
    let question = |_| format!("{{\"list\":\"{}\",\"index\":131071}}", urls[1]);
    let questions: Vec<String> = (0..10_000).map(question).collect();
    let body = format!("{{\"queries\":[{}]}}", questions.join(","));
    let asked = asked::by_place(body.as_bytes()).expect("it asks by place alone");
    assert_eq!(asked.len(), 10_000);
    let text = String::from_utf8(present(edge, &asked).unwrap()).unwrap();
    let first = r#"{"results":[{"status":0,"purpose":"message","valid":true,"outcome":"active","revision":2,"message":"\\0 \"ä\" / "#;
    assert!(text.starts_with(first), "{}", &text[..200]);
    assert!(text.ends_with("}],\"asOf\":\"2026-03-01T09:00:00.120Z\"}"));
    let more = body.replace("]}", &format!(",{}]}}", question(0)));
    assert!(
        asked::by_place(more.as_bytes()).is_none(),
        "10,001 are too many"
    );
}
