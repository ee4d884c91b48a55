//! `goodstanding publish` into a bucket: a model of one, which checks each signature and fails as it is told.

use std::time::Duration;

use serde_json::Value;

use super::program::{Ran, program, run};
use super::publish::Lists;
use crate::support::s3::{KEY_ID, Object, S3, SECRET, Wrong};

fn publish(lists: &Lists, store: &S3, more: &[&str]) -> Ran {
    let mut command = program();
    command.args([
        "publish",
        "s3://lists/edge/one",
        "--json",
        "--server",
        &lists.server.url(),
    ]);
    command.args(more).env("GOODSTANDING_TOKEN", &lists.auditor);
    command.env("AWS_ENDPOINT_URL", format!("http://{}", store.address));
    command
        .env("AWS_ACCESS_KEY_ID", KEY_ID)
        .env("AWS_SECRET_ACCESS_KEY", SECRET);
    command.env("AWS_REGION", "eu-central-1");
    run(&mut command, "")
}

fn object(store: &S3, key: &str) -> Object {
    let held = store.held();
    let keys: Vec<_> = held.objects.keys().cloned().collect();
    held.objects
        .get(&format!("edge/one{key}"))
        .cloned()
        .unwrap_or_else(|| panic!("{key} of {keys:?}"))
}

#[test]
fn a_bucket_has_each_form_with_its_headers_and_only_news_is_written() {
    let (lists, store) = (Lists::opened(), S3::serve());
    let told = publish(&lists, &store, &[]).exits(0).json();
    assert_eq!(
        (told["lists"].as_u64(), &told["refused"]),
        (Some(2), &Value::Array(vec![]))
    );
    // The usual form stands at the URL's own path.
    let usual = object(&store, &lists.all_forms);
    let served = lists.operator.get(&lists.all_forms);
    assert_eq!(usual.body, served.body);
    assert_eq!(usual.headers["content-type"], "application/vc");
    assert_eq!(
        usual.headers["cache-control"],
        served.header("cache-control")
    );
    let about: Value = serde_json::from_str(&usual.headers["x-amz-meta-goodstanding"]).unwrap();
    assert_eq!(
        format!("\"{}\"", about["etag"].as_str().unwrap()),
        served.header("etag")
    );
    let token = lists
        .all_forms
        .replace("status-lists", "token-status-lists");
    for (key, media) in [
        (format!("{}/jwt", lists.all_forms), "application/vc+jwt"),
        (format!("{}/2021", lists.all_forms), "application/vc"),
        (token.clone(), "application/statuslist+jwt"),
        (format!("{token}/cwt"), "application/statuslist+cwt"),
        (
            "/profiles/school/did.json".to_owned(),
            "application/did+ld+json",
        ),
        (
            "/.well-known/did.json".to_owned(),
            "application/did+ld+json",
        ),
    ] {
        assert_eq!(object(&store, &key).headers["content-type"], media, "{key}");
    }

    let before = store.held().puts;
    assert_eq!(publish(&lists, &store, &[]).exits(0).json()["written"], 0);
    // What is remembered, alone.
    assert_eq!(store.held().puts, before + 1);
    lists.revokes(&lists.alone);
    publish(&lists, &store, &[]).exits(0);
    assert_eq!(
        object(&store, &lists.alone).body,
        lists.operator.get(&lists.alone).body
    );
    assert_eq!(store.held().unsigned, Vec::<String>::new());
}

#[test]
fn a_store_that_fails_is_asked_again_and_what_was_done_is_not_undone() {
    let (lists, store) = (Lists::opened(), S3::serve());
    store.held().wrong.extend([
        Wrong::Fails,
        Wrong::CutOff,
        Wrong::Fails,
        Wrong::CutOff,
        Wrong::Fails,
    ]);
    store
        .held()
        .wrong
        .push_back(Wrong::Takes(Duration::from_secs(3)));
    publish(&lists, &store, &["--timeout", "2"]).exits(0);
    assert!(store.held().wrong.is_empty());
    for path in [&lists.all_forms, &lists.alone] {
        assert_eq!(object(&store, path).body, lists.operator.get(path).body);
    }
    assert_eq!(store.held().unsigned, Vec::<String>::new());
    // One that is away for longer than it is waited for.
    lists.revokes(&lists.alone);
    store.held().wrong.extend([Wrong::Fails; 200]);
    let failed = publish(&lists, &store, &["--patience", "1", "--timeout", "1"]).exits(2);
    failed.explains(&["s3://lists/edge/one", "500"]);
}

#[test]
fn two_publishers_never_put_what_is_older_over_what_is_newer() {
    let (lists, store) = (Lists::opened(), S3::serve());
    publish(&lists, &store, &[]).exits(0);
    // Another publisher has come further.
    let key = format!("edge/one{}", lists.alone);
    let newer = {
        let mut held = store.held();
        let object = held.objects.get_mut(&key).unwrap();
        let about = object.headers.get_mut("x-amz-meta-goodstanding").unwrap();
        let mut changed: Value = serde_json::from_str(about).unwrap();
        for (member, value) in [
            ("generation", 1_000_000_i64),
            ("published", 4_102_444_800_000),
            ("ends", 4_102_444_900_000),
        ] {
            changed["edition"][member] = value.into();
        }
        *about = changed.to_string();
        object.body.clone()
    };
    lists.revokes(&lists.alone);
    let told = publish(&lists, &store, &[]).exits(0).json();
    assert!(told["newerThere"].as_u64().unwrap() >= 1, "{told}");
    assert_eq!(store.held().objects[&key].body, newer);
}

#[test]
fn a_store_without_conditions_is_written_to_all_the_same() {
    let (lists, store) = (Lists::opened(), S3::serve());
    store.held().knows_conditions = false;
    publish(&lists, &store, &[]).exits(0);
    assert_eq!(
        object(&store, &lists.alone).body,
        lists.operator.get(&lists.alone).body
    );
}

#[test]
fn what_is_no_bucket_or_not_safe_is_refused() {
    let (lists, store) = (Lists::opened(), S3::serve());
    for target in ["s3://lists/../other", "s3://", "s3://lists/a b"] {
        lists
            .publish(target, &[])
            .exits(2)
            .explains(&["s3://BUCKET/PREFIX"]);
    }
    let mut command = program();
    command.args([
        "publish",
        "s3://lists",
        "--patience",
        "0",
        "--server",
        &lists.server.url(),
    ]);
    command.env("GOODSTANDING_TOKEN", &lists.auditor);
    command
        .env("AWS_ACCESS_KEY_ID", KEY_ID)
        .env("AWS_SECRET_ACCESS_KEY", SECRET);
    command.env("AWS_ENDPOINT_URL", "http://store.example");
    run(&mut command, "").exits(2).explains(&["without TLS"]);
    assert!(store.held().objects.is_empty());
}
