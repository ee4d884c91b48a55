//! Lists as they were: `timestamp` and `time`, who may ask, and what caches may keep.

use goodstanding::time::{Clock as _, Timestamp, Ttl};
use serde_json::{Value, json};

use crate::support::actors::{Actor, text};
use crate::support::client::Answer;
use crate::support::house::{House, Plan};
use crate::support::jwt;
use crate::support::reader::{bit, bits, then};

const RETRIEVAL: &str = "https://www.w3.org/ns/credentials/status-list#STATUS_RETRIEVAL_ERROR";

/// A list of a school with one entry that is suspended, reinstated, and suspended again, a day
/// apart each time; and the moments of these changes, with the one at which it was opened first.
struct Days {
    list: String,
    index: u64,
    moments: [Timestamp; 4],
}

impl Days {
    fn of(school: &Actor<'_>) -> Self {
        let body = json!({
            "issuer": school.slug, "statusPurpose": "suspension", "formats": ["bitstring", "token"],
        });
        let list = text(&school.post("/status-lists", &body).is(201).json()["id"]);
        let index = school.allocates(&list, 1)[0];
        let now = || school.house.now().parse().unwrap();
        let opened = now();
        let changed = [1, 0, 1].map(|status| {
            school.house.clock.advance(Ttl::from_millis(86_400_250));
            school.sets(&list, index, status).is(200);
            now()
        });
        school.house.wait(86_400);
        let [first, second, third] = changed;
        Self {
            list,
            index,
            moments: [opened, first, second, third],
        }
    }

    fn past(&self, at: impl ToString) -> String {
        format!("{}?timestamp={}", self.list, at.to_string())
    }

    fn token(&self, at: Timestamp) -> String {
        let list = self.list.replace("/status-lists/", "/token-status-lists/");
        format!("{list}?time={}", at.seconds())
    }
}

fn just_before(at: Timestamp) -> Timestamp {
    Timestamp::from_millis(at.millis() - 1)
}

fn is_retrieval_error(answer: &Answer, words: &str) {
    let problem = answer.problem(404);
    assert_eq!(problem["type"], RETRIEVAL);
    assert!(text(&problem["detail"]).contains(words), "{problem}");
}

#[test]
fn a_list_of_the_past_says_when_it_was_so_and_is_nothing_for_the_present() {
    let house = Plan::new().with_open_history().open();
    let school = house.registrar("school");
    let days = Days::of(&school);
    let verifier = house.verifier();
    let [opened, first, second, third] = days.moments;
    for (since, until, set) in [
        (opened, first, false),
        (first, second, true),
        (second, third, false),
    ] {
        for at in [since, just_before(until)] {
            let list = verifier.get(&days.past(at)).is(200).json();
            assert_eq!(list["validFrom"], since.to_string());
            assert_eq!(list["validUntil"], until.to_string());
            assert_eq!(bit(&bits(&list), days.index), set, "{at}");
            // It is the school's, it is proven, and it is over.
            assert_eq!(list["id"], days.list);
            let report = verifier.verifies(&list);
            assert_eq!(report["outcome"], "expired", "{report}");
        }
    }

    // As a JWT it says the seconds around, and the school's keys know it.
    let call = verifier.call("GET", &days.past(first));
    let answer = call.header("Accept", "application/vc+jwt").send().is(200);
    let keys = verifier.get("/profiles/school/jwks.json").is(200).json();
    let checked = jwt::check(&answer.text(), &keys);
    assert_eq!(checked.claims["nbf"], first.seconds());
    assert_eq!(checked.claims["exp"], second.next_whole_second().seconds());

    // What is in force is what is published, also for moments before it was signed anew.
    let present = verifier.get(&days.list).is(200);
    let told = verifier.get(&days.past(house.now())).is(200);
    assert_eq!(told.body, present.body);
    house.wait(6 * 86_400);
    house.registry.renew_lists(8).unwrap();
    let renewed = verifier.get(&days.list).is(200);
    assert_ne!(renewed.body, present.body);
    let then = verifier.get(&days.past(third)).is(200).json();
    assert_eq!(then["validFrom"], third.to_string());
    assert_eq!(then["validUntil"], renewed.json()["validUntil"]);
    assert_eq!(
        then["credentialSubject"],
        renewed.json()["credentialSubject"]
    );
    assert_eq!(verifier.verifies(&then)["outcome"], "active");
}

#[test]
fn moments_are_written_in_any_offset_and_lie_in_the_past() {
    let house = Plan::new().with_open_history().open();
    let school = house.registrar("school");
    let days = Days::of(&school);
    let verifier = house.verifier();
    // START is 9 o'clock in UTC.
    let zulu = verifier.get(&days.past("2026-03-01T12:00:00Z")).is(200);
    for same in [
        "2026-03-01T14:30:00.000%2B02:30",
        "2026-03-01T12%3A00%3A00%2B00%3A00",
    ] {
        assert_eq!(verifier.get(&days.past(same)).is(200).body, zulu.body);
    }
    for (at, words) in [
        ("yesterday", "+ written as %2B"),
        ("", "a time such as"),
        ("2026-03-01T14:30:00+02:30", "+ written as %2B"),
        ("2026-03-01T12:00:00", "a time such as"),
    ] {
        for target in [days.past(at), days.past(at).replace('?', "/2021?")] {
            let problem = verifier.get(&target).problem(400);
            assert_eq!(problem["pointer"], "?timestamp");
            assert!(text(&problem["detail"]).contains(words), "{problem}");
        }
    }
    let twice = format!(
        "{}&timestamp=2026-03-01T12:00:00Z",
        days.past("2026-03-01T12:00:00Z")
    );
    verifier.get(&twice).problem(400);
    let opened = just_before(days.moments[0]);
    is_retrieval_error(&verifier.get(&days.past(opened)), "was opened at");
    let seconds = Timestamp::from_millis(opened.millis() - 1_000);
    is_retrieval_error(&verifier.get(&days.token(seconds)), "was opened at");
    // What is to come is not held either.
    let ahead = house.clock.now().plus(Ttl::from_seconds(1));
    is_retrieval_error(&verifier.get(&days.past(ahead)), "in the future");
    is_retrieval_error(&verifier.get(&days.token(ahead)), "in the future");
    let none = days.past(house.now()).replace('?', "/2021?");
    verifier.get(&none).problem(404);
    for (time, words) in [("noon", "whole seconds"), ("1.5", "whole")] {
        let target = format!(
            "{}{time}",
            days.token(opened).trim_end_matches(char::is_numeric)
        );
        let problem = verifier.get(&target).problem(400);
        assert_eq!(problem["pointer"], "?time");
        assert!(text(&problem["detail"]).contains(words), "{problem}");
    }
}

#[test]
fn what_is_over_may_be_kept_and_is_negotiated_like_the_present() {
    let house = Plan::new().with_open_history().open();
    let school = house.registrar("school");
    let days = Days::of(&school);
    let verifier = house.verifier();
    let past = days.past(days.moments[1]);
    let token = days.token(days.moments[2]);
    for (target, accept, media) in [
        (&past, None, "application/vc"),
        (&past, Some("*/*"), "application/vc"),
        (&past, Some("application/json"), "application/json"),
        (&past, Some("application/vc+jwt"), "application/vc+jwt"),
        (&token, None, "application/statuslist+jwt"),
        (
            &token,
            Some("application/statuslist+cwt"),
            "application/statuslist+cwt",
        ),
    ] {
        let call = |method| {
            let call = verifier.call(method, target);
            match accept {
                Some(accept) => call.header("Accept", accept),
                None => call,
            }
        };
        let answer = call("GET").send().is(200);
        assert_eq!(answer.header("content-type"), Some(media));
        assert_eq!(answer.header("vary"), Some("Accept"));
        assert_eq!(
            answer.header("cache-control"),
            Some("public, max-age=86400")
        );
        assert_eq!(answer.header("access-control-allow-origin"), Some("*"));
        let etag = answer.header("etag").unwrap();
        // Asked again it is not signed again.
        house.wait(5);
        let known = call("GET").header("If-None-Match", etag).send().is(304);
        assert_eq!(known.header("vary"), Some("Accept"));
        let head = call("HEAD").send().is(200);
        assert_eq!(head.header("etag"), Some(etag));
        assert_eq!(
            head.header("content-length"),
            Some(&*answer.body.len().to_string())
        );
    }
    let call = verifier.call("GET", &past).header("Accept", "text/plain");
    call.send().problem(406);
    let present = verifier.get(&days.past(house.now())).is(200);
    assert_eq!(present.header("cache-control"), Some("public, max-age=60"));
}

#[test]
fn a_token_of_the_past_holds_at_the_second_that_was_asked_for() {
    let house = Plan::new().with_open_history().open();
    let school = house.registrar("school");
    let days = Days::of(&school);
    let verifier = house.verifier();
    let [_, first, second, third] = days.moments;
    // A quarter of a second into it something changed: that second began as it was before.
    assert_eq!(first.millis() % 1_000, 250);
    for (at, since, until) in [
        (first.next_whole_second(), first, second),
        (second.whole_seconds(), first, second),
        (second.next_whole_second(), second, third),
    ] {
        for accept in ["application/statuslist+jwt", "application/statuslist+cwt"] {
            let call = verifier
                .call("GET", &days.token(at))
                .header("Accept", accept);
            let period = then(&call.send().is(200)).period;
            assert_eq!(period.since, since.next_whole_second());
            assert_eq!(period.until, until.next_whole_second());
            assert!(period.since <= at && at < period.until);
            assert_eq!(period.ttl, None);
        }
    }
    let present = verifier.get(&days.token(third.next_whole_second())).is(200);
    let period = then(&present).period;
    assert!(period.until.to_string() > house.now() && period.ttl.is_some());
}

/// Who asks, and with what they are answered: list, token list, entry.
fn asked_by(who: &[(&Actor<'_>, [u16; 3])], days: &Days, rule: &str) {
    let at = days.moments[1];
    for (place, (actor, expected)) in who.iter().enumerate() {
        let entry = format!("/status?list={}&index={}&at={at}", days.list, days.index);
        let targets = [days.past(at), days.token(days.moments[2]), entry];
        let answers = targets.map(|target| actor.get(&target));
        let statuses = answers.each_ref().map(|answer| answer.status);
        assert_eq!(statuses, *expected, "{rule}: {place}");
        for answer in &answers {
            let kept = answer.header("cache-control").unwrap();
            let public = rule == "public" && actor.token.is_none();
            let list = kept.starts_with("public, max-age");
            assert!(public || !list || rule == "public", "{rule}: {kept}");
        }
        let query = json!({
            "queries": [{ "list": days.list, "index": days.index }], "at": at.to_string(),
        });
        let answer = actor.post("/status/query", &query).is(200).json();
        let result = &answer["results"][0];
        match expected[2] {
            200 => assert_eq!(result["status"], 1),
            status => {
                assert_eq!(result["outcome"], "unknown");
                assert_eq!(result["problem"]["status"], status);
                assert_eq!(result.get("status"), None);
            }
        }
        // The present is for everybody.
        actor.get(&days.list).is(200);
    }
}

#[test]
fn each_issuer_chooses_who_sees_its_history() {
    let house = House::open();
    let (school, other) = (house.registrar("school"), house.registrar("other"));
    let (operator, stranger) = (house.operator(), house.verifier());
    let days = Days::of(&school);
    let chooses = |word: &str| {
        let body = json!({ "name": "The school", "statusHistory": word });
        school.put("/profiles/school", &body).is(200);
    };
    let shown = || {
        let profiles = stranger.get("/profiles").is(200).json();
        let profiles = profiles["profiles"].as_array().unwrap().clone();
        let of = |slug: &str| {
            let found = profiles.iter().find(|profile| profile["slug"] == slug);
            text(&found.unwrap()["statusHistory"])
        };
        (of("school"), of("other"))
    };
    let everybody =
        |answers: [u16; 3]| [&stranger, &other, &school, &operator].map(|who| (who, answers));
    let mut authorised = everybody([200; 3]);
    authorised[0].1 = [401; 3];
    authorised[1].1 = [403; 3];
    assert_eq!(shown(), ("authorised".into(), "authorised".into()));
    asked_by(&authorised, &days, "authorised");
    let kept = school.get(&days.past(days.moments[1])).is(200);
    assert_eq!(kept.header("cache-control"), Some("private, no-store"));
    let refused = other.get(&days.past(days.moments[1])).problem(403);
    assert_eq!(refused["type"], "urn:goodstanding:problem:history-withheld");

    chooses("public");
    assert_eq!(shown(), ("public".into(), "authorised".into()));
    asked_by(&everybody([200; 3]), &days, "public");

    chooses("none");
    asked_by(&everybody([404, 501, 404]), &days, "none");
    is_retrieval_error(
        &school.get(&days.past(days.moments[1])),
        "chosen that nobody",
    );

    // Who does not speak of it changes nothing of it, and only the issuer chooses.
    school
        .put("/profiles/school", &json!({ "name": "The school" }))
        .is(200);
    assert_eq!(shown().0, "none");
    let body = json!({ "name": "x", "statusHistory": "public" });
    other.put("/profiles/school", &body).problem(403);
    let body = json!({ "name": "x", "statusHistory": "friends" });
    let problem = school.put("/profiles/school", &body).problem(400);
    assert_eq!(problem["pointer"], "/statusHistory");
    let body = json!({
        "slug": "open", "name": "Open", "roles": ["issuer"], "statusHistory": "public",
    });
    operator.post("/profiles", &body).is(201);
    let listed = stranger.get("/profiles").is(200).json();
    assert_eq!(listed["profiles"][2]["statusHistory"], "public");
}

#[test]
fn whoever_holds_a_credential_asks_how_it_stood_whatever_the_issuer_chose() {
    use crate::support::actors::badge;
    let house = House::open();
    let school = house.registrar("school");
    let body = json!({ "name": "The school", "statusHistory": "none" });
    school.put("/profiles/school", &body).is(200);
    let issued = school.issues(&badge(&school.id, "https://far.example/welding"));
    house.wait(60);
    let valid = house.now();
    house.wait(60);
    let (list, index) = crate::support::reader::place(&issued["credentialStatus"]);
    school.sets(&list, index, 1).is(200);
    house.wait(60);
    for (at, status) in [(&valid, "active"), (&house.now(), "revoked")] {
        let question = json!({ "credentials": [issued], "at": at });
        let told = house.verifier().post("/standing/query", &question).is(200);
        assert_eq!(
            told.json()["results"][0]["status"][0]["outcome"],
            status,
            "{at}"
        );
        let target = format!("/status?credential={}&at={at}", text(&issued["id"]));
        assert_eq!(school.get(&target).is(200).json()["outcome"], status);
    }
    let target = format!("/status?list={list}&index={index}&at={valid}");
    is_retrieval_error(&house.verifier().get(&target), "chosen that nobody");
}

#[test]
fn nothing_goes_out_under_a_key_that_was_lost() {
    let house = Plan::new().with_open_history().open();
    let school = house.registrar("school");
    let days = Days::of(&school);
    let verifier = house.verifier();
    let method = |list: &Value| text(&list["proof"]["verificationMethod"]);
    let past = days.past(days.moments[1]);
    let before = verifier.get(&past).is(200).json();
    let since = json!({ "since": days.moments[0].to_string() });
    school
        .post("/profiles/school/keys/key-1/revoke", &since)
        .is(200);
    house.wait(1);
    let after = verifier.get(&past).is(200).json();
    assert_ne!(method(&after), method(&before));
    assert_eq!(after["credentialSubject"], before["credentialSubject"]);
    assert_eq!(verifier.verifies(&after)["outcome"], "expired");
}

#[test]
fn what_was_forgotten_is_not_held() {
    let kept = Ttl::from_seconds(3 * 86_400);
    let house = Plan::new().with_open_history().keeping_history(kept).open();
    let school = house.registrar("school");
    let days = Days::of(&school);
    let verifier = house.verifier();
    let [opened, first, second, third] = days.moments;
    let before = verifier.get(&days.past(second)).is(200).body;
    assert_eq!(house.registry.forget_past(None, 8).unwrap().states, 1);
    for at in [opened, just_before(first)] {
        is_retrieval_error(&verifier.get(&days.past(at)), "is not held here any more");
        let target = format!("/status?list={}&index={}&at={at}", days.list, days.index);
        is_retrieval_error(&verifier.get(&target), "is not held here any more");
    }
    is_retrieval_error(
        &verifier.get(&days.token(opened)),
        "is not held here any more",
    );
    assert_eq!(verifier.get(&days.past(second)).is(200).body, before);
    let told = verifier.get(&days.past(first)).is(200).json();
    assert!(bit(&bits(&told), days.index));
    assert_eq!(told["validFrom"], first.to_string());
    house.wait(30 * 86_400);
    assert_eq!(house.registry.forget_past(None, 8).unwrap().states, 2);
    assert_eq!(house.registry.forget_past(None, 8).unwrap().states, 0);
    is_retrieval_error(
        &verifier.get(&days.past(second)),
        "is not held here any more",
    );
    // What is in force is known since it is.
    let told = verifier.get(&days.past(third)).is(200).json();
    assert!(bit(&bits(&told), days.index));
}
