//! The audit trail, the last first.

use serde_json::Value;

use super::{Browser, invited, link, names, says, says_not, signed_in, signs_in};
use crate::support::house::House;

#[test]
fn what_happened_is_found_by_time_kind_and_who() {
    let house = House::open();
    let school = house.registrar("school");
    let list = school.opens_list("suspension");
    names(&school, &list, &["urn:x:1"]);
    let browser = signed_in(&school, "owner");
    invited(&school, "bob@school.example", "list-manager");
    let bob = Browser::new(&house);
    signs_in(
        &bob,
        "/console",
        "bob@school.example",
        super::super::PASSPHRASE,
    )
    .is(200);
    let page = bob
        .get("/console/credential?profile=school&id=urn:x:1")
        .is(200);
    let confirm = link(&page, "Suspend");
    let page = bob.get(&confirm).is(200);
    bob.submits(
        &page,
        confirm.split('?').next().unwrap(),
        &[("reason", "=1+1 and <i>")],
    )
    .is(303);

    let all = browser.get("/console/audit").is(200);
    says(
        &all,
        &[
            "status.changed",
            "list.opened",
            "=1+1 and &#60;i&#62;",
            "Ada (school)",
        ],
    );
    says_not(&all, &["<i>"]);
    let text = all.text();
    assert!(text.find("status.changed").unwrap() < text.find("list.opened").unwrap());
    let statuses = browser.get("/console/audit?kind=status").is(200);
    says(&statuses, &["<code>status.changed</code>"]);
    says_not(&statuses, &["<code>list.opened</code>"]);
    let by_bob = browser.get("/console/audit?by=bob@school.example").is(200);
    says(&by_bob, &["<code>status.changed</code>"]);
    says_not(&by_bob, &["<code>list.opened</code>"]);
    let nobody = browser.get("/console/audit?by=eve@school.example").is(400);
    says(&nobody, &["e-mail address"]);
    let none = browser.get("/console/audit?until=2026-02-28").is(200);
    says(&none, &["Nothing of that kind happened."]);
    let day = browser
        .get("/console/audit?from=2026-03-01&until=2026-03-01&kind=status")
        .is(200);
    says(&day, &["<code>status.changed</code>"]);
    browser.get("/console/audit?from=tomorrow").is(400);
}

#[test]
fn the_trail_is_downloaded_as_lines() {
    let house = House::open();
    let school = house.registrar("school");
    let other = house.registrar("other");
    let list = school.opens_list("suspension");
    let index = school.allocates(&list, 1)[0];
    for status in [1, 0, 1, 0] {
        school.sets(&list, index, status).is(200);
    }
    let theirs = other.opens_list("revocation");
    let browser = signed_in(&school, "auditor");
    let page = browser.get("/console/audit?kind=status").is(200);
    let lines = browser
        .get(&link(&page, "Download as lines of JSON, newest first"))
        .is(200);
    assert_eq!(lines.header("content-type"), Some("application/x-ndjson"));
    assert!(
        lines
            .header("content-disposition")
            .unwrap()
            .starts_with("attachment")
    );
    let lines: Vec<Value> = lines
        .text()
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(lines.len(), 4);
    assert!(lines.iter().all(|line| line["type"] == "status.changed"));
    // As the API tells them, the other way round.
    let told = school.get("/events?limit=1000").is(200).json();
    let told = told["events"].as_array().unwrap().iter().rev();
    let told: Vec<_> = told
        .filter(|event| event["type"] == "status.changed")
        .collect();
    assert_eq!(lines.iter().collect::<Vec<_>>(), told);
    let all = browser.get("/console/audit/download").is(200).text();
    assert!(!all.contains(&theirs));
}

#[test]
fn a_long_trail_stands_on_several_pages() {
    let house = House::open();
    let school = house.registrar("school");
    let list = school.opens_list("suspension");
    let index = school.allocates(&list, 1)[0];
    for turn in 0..120 {
        school.sets(&list, index, 1 - turn % 2).is(200);
    }
    let browser = signed_in(&school, "owner");
    let mut page = browser.get("/console/audit?kind=status").is(200);
    let mut found = page.text().matches("<code>status.changed</code>").count();
    while page.text().contains(">Older ones<") {
        page = browser.get(&link(&page, "Older ones")).is(200);
        found += page.text().matches("<code>status.changed</code>").count();
    }
    assert_eq!(found, 120);
}
