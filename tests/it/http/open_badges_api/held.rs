//! What a profile holds, page by page.

use std::collections::BTreeSet;

use serde_json::json;

use super::{Client, Page, described, refusal};
use crate::support::actors::{badge, text};
use crate::support::house::{House, ORIGIN};

#[test]
fn what_a_profile_holds_is_told_to_it_and_to_nobody_else() {
    let house = House::open();
    let (school, board) = (house.registrar("school"), house.accreditor("board"));
    let achievement = school.defines("Welding");
    let (college, guild) = (house.registrar("college"), house.accreditor("guild"));
    let of_school = board.endorses(&school.id, "profile", true);
    let of_achievement = guild.endorses(&achievement, "achievement", false);
    let as_jwt = json!({
        "endorser": "board", "name": "Label", "securing": "vc+jwt",
        "subject": { "id": achievement, "kind": "achievement" },
    });
    let as_jwt = board.post("/endorsements", &as_jwt).is(201).json();
    let envelope = text(&as_jwt["verifiableCredential"]["id"]);
    let jwt = envelope.strip_prefix("data:application/vc+jwt,").unwrap();
    // Neither what it says of others nor what is of its credentials.
    let of_others = board.endorses(&college.id, "profile", false);
    let credential = school.issues(&badge(&school.id, &achievement));
    board.endorses(&text(&credential["id"]), "credential", false);

    let client = Client::of(&house);
    let reads = |slug: &str| client.with(slug, &["credential.readonly"]).page("");
    let page = reads("school");
    assert_eq!(page.total, 3);
    assert!(page.credentials.contains(&of_school));
    assert!(page.credentials.contains(&of_achievement));
    assert_eq!((page.credentials.len(), page.jwts), (2, vec![json!(jwt)]));
    let page = reads("college");
    assert_eq!((page.total, page.credentials), (1, vec![of_others]));
    let page = reads("board");
    assert_eq!((page.total, page.credentials), (0, Vec::new()));
    assert_eq!(page.links.keys().collect::<Vec<_>>(), ["first", "last"]);

    // One that was revoked is there still: it says itself where that is found out.
    board.does("revoke", &of_school).is(200);
    assert!(reads("school").credentials.contains(&of_school));

    // Nobody, a stranger and the registry hold nothing.
    let answer = client.gets("getCredentials");
    assert_eq!(refusal(&answer, 401), "unauthorizedrequest");
    assert!(
        answer
            .header("www-authenticate")
            .unwrap()
            .starts_with("Bearer ")
    );
    let guess = client.calls("getProfile").token("gst_x").send();
    assert_eq!(refusal(&guess, 401), "unauthorizedrequest");
    assert!(
        guess
            .header("www-authenticate")
            .unwrap()
            .contains("invalid_token")
    );
    for operation in ["getCredentials", "getProfile"] {
        let answer = client.calls(operation).token(&house.operator_token).send();
        assert_eq!(refusal(&answer, 403), "forbidden");
        described(&answer, "send a token of a profile");
    }
}

#[test]
fn pages_lead_to_each_other_and_end() {
    let house = House::open();
    let (school, board) = (house.registrar("school"), house.accreditor("board"));
    let mut made = vec![text(&board.endorses(&school.id, "profile", false)["id"])];
    for n in 0..6 {
        let achievement = school.defines(&format!("Course {n}"));
        made.push(text(
            &board.endorses(&achievement, "achievement", false)["id"],
        ));
    }
    let client = Client::of(&house).with("school", &["credential.readonly"]);
    let ids = |page: &Page| {
        page.credentials
            .iter()
            .map(|one| text(&one["id"]))
            .collect()
    };
    let whole: Vec<String> = ids(&client.page(""));
    let set = |ids: &[String]| ids.iter().cloned().collect::<BTreeSet<_>>();
    assert_eq!((set(&whole), whole.len()), (set(&made), 7));

    // By every page size, forwards and backwards, each once and in one order.
    for limit in 1..=8_usize {
        let mut page = client.page(&format!("?limit={limit}"));
        let first = format!("{ORIGIN}/ims/ob/v3p0/credentials?limit={limit}&offset=0");
        let mut found: Vec<String> = ids(&page);
        let mut pages = vec![found.clone()];
        while let Some(next) = page.links.get("next") {
            page = client.follows(next);
            assert!(page.credentials.len() <= limit && page.total == 7);
            assert_eq!(page.links["first"], first);
            pages.push(ids(&page));
            found.extend(pages.last().unwrap().clone());
        }
        assert_eq!(found, whole, "by {limit}");
        assert_eq!(pages.len(), 7_usize.div_ceil(limit));
        let last = client.follows(&page.links["last"]);
        assert_eq!(Some(&ids(&last)), pages.last());
        while let Some(before) = page.links.get("prev") {
            page = client.follows(before);
            pages.pop();
            assert_eq!(Some(&ids(&page)), pages.last());
        }
        assert_eq!(pages.len(), 1);
    }
    let beyond = client.page("?offset=4000000000&limit=3");
    assert_eq!((beyond.total, beyond.credentials.len()), (7, 0));
    assert!(!beyond.links.contains_key("next"));
    assert_eq!(ids(&client.follows(&beyond.links["prev"])), whole[6..]);
    assert_eq!(client.page("?limit=4000000000").credentials.len(), 7);

    for query in [
        "?limit=0",
        "?limit=-1",
        "?limit=x",
        "?offset=-1",
        "?offset=1.5",
        "?since=yesterday",
        "?cursor=1",
        "?limit=1&limit=2",
    ] {
        let token = client.token.as_deref().unwrap();
        let target = format!("/ims/ob/v3p0/credentials{query}");
        let answer = house.call("GET", &target).token(token).send();
        assert_eq!(refusal(&answer, 400), "invalid_query_parameter", "{query}");
    }
}

#[test]
fn whoever_comes_back_hears_what_is_new() {
    let house = House::open();
    let (school, board) = (house.registrar("school"), house.accreditor("board"));
    let first = board.endorses(&school.id, "profile", true);
    let client = Client::of(&house).with("school", &["credential.readonly"]);
    let since = |moment: &str| client.page(&format!("?limit=1&since={moment}"));
    let then = house.now();
    assert_eq!(since(&then).total, 0);
    assert_eq!(
        since("2026-03-01T08:59:59Z").credentials,
        std::slice::from_ref(&first)
    );

    house.wait(60);
    let achievement = school.defines("Welding");
    let second = board.endorses(&achievement, "achievement", false);
    assert_eq!(since(&then).credentials, std::slice::from_ref(&second));
    // The standard also writes the time without a zone.
    assert_eq!(since(then.trim_end_matches('Z')).credentials, [second]);

    // That it was suspended is news as well, and the moment stands in the links.
    house.wait(60);
    board.does("suspend", &first).is(200);
    let page = since(&then);
    assert_eq!((page.total, page.credentials), (2, vec![first]));
    assert_eq!(client.follows(&page.links["next"]).total, 2);
    house.wait(60);
    assert_eq!(since(&house.now()).total, 0);
}

/// Nobody gets more on a page than a page holds, whatever they ask for.
#[test]
fn many_come_in_several_pages() {
    let house = House::open();
    let (school, board) = (house.registrar("school"), house.accreditor("board"));
    let made = (0..130).map(|_| text(&board.endorses(&school.id, "profile", false)["id"]));
    let made: BTreeSet<String> = made.collect();
    let client = Client::of(&house).with("school", &["credential.readonly"]);
    let first = client.page("?limit=1000");
    assert_eq!((first.total, first.credentials.len()), (130, 100));
    let second = client.follows(&first.links["next"]);
    assert_eq!((second.total, second.credentials.len()), (130, 30));
    let both = first.credentials.iter().chain(&second.credentials);
    let found: BTreeSet<String> = both.map(|one| text(&one["id"])).collect();
    assert_eq!(found, made);
}
