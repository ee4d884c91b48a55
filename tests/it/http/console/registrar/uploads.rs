//! Tables: tried out first, made when somebody says so, and reported on.

use super::{link, name_of, names, says, says_not, signed_in};
use crate::support::actors::Actor;
use crate::support::browser::Browser;
use crate::support::client::Answer;
use crate::support::house::House;

/// Opens an upload's page again until it rests.
fn rests(browser: &Browser<'_>, answer: Answer) -> Answer {
    let place = answer.is(303).header("location").unwrap().to_owned();
    for _ in 0..100_000 {
        let page = browser.get(&place).is(200);
        if !page.text().contains("http-equiv=\"refresh\"") {
            return page;
        }
        std::thread::yield_now();
    }
    panic!("it goes on for ever");
}

fn hands_in(browser: &Browser<'_>, list: &str, file: (&str, &[u8])) -> Answer {
    let action = format!("/console/lists/{}/upload", name_of(list));
    let page = browser.get(&action).is(200);
    browser.uploads(&page, &action, &[("reason", "end of term")], file)
}

/// Hands in a table that was never made; its name in paths.
pub(in crate::http::console) fn tried(browser: &Browser<'_>, list: &str) -> String {
    let table = b"credentialId,status\nurn:x:1,1\n";
    id_of(&rests(browser, hands_in(browser, list, ("a.csv", table))))
}

/// How many entries of a list are set.
fn set(school: &Actor<'_>, list: &str) -> u32 {
    school
        .reads(list)
        .iter()
        .map(|byte| byte.count_ones())
        .sum()
}

fn id_of(page: &Answer) -> String {
    let text = page.text();
    let begin = text.find("/console/uploads/").unwrap() + "/console/uploads/".len();
    text[begin..begin + 32].to_owned()
}

#[test]
fn a_table_is_tried_then_made_then_reported_on() {
    let house = House::open();
    let school = house.registrar("school");
    let list = school.opens_list("revocation");
    names(&school, &list, &["urn:x:1", "urn:x:2"]);
    let browser = signed_in(&school, "list-manager");
    let table = "credentialId,status\r\nurn:x:1,1\r\nurn:x:nobody,1\r\nurn:x:2,1\r\n\"=HYPERLINK(\"\"http://evil\"\")\",1\r\n";
    let page = rests(
        &browser,
        hands_in(&browser, &list, ("term.csv", table.as_bytes())),
    );
    says(
        &page,
        &[
            "Tried out: this is what would happen",
            "<dd>2</dd>",
            "term.csv",
            "end of term",
        ],
    );
    says(
        &page,
        &[
            "urn:x:nobody has no entry in this list",
            "<th scope=\"row\">3</th>",
        ],
    );
    assert_eq!(set(&school, &list), 0);

    let id = id_of(&page);
    let action = format!("/console/uploads/{id}/make");
    let made = rests(&browser, browser.submits(&page, &action, &[]));
    says(&made, &["The changes were made", "<dd>2</dd>"]);
    assert_eq!(set(&school, &list), 2);
    // Sent twice it is made once.
    browser.submits(&page, &action, &[]).is(303);
    let again = rests(&browser, browser.submits(&page, &action, &[]));
    says(&again, &["The changes were made"]);

    let report = browser
        .get(&link(&made, "Download the report (CSV)"))
        .is(200);
    assert!(
        report
            .header("content-type")
            .unwrap()
            .starts_with("text/csv")
    );
    assert!(
        report
            .header("content-disposition")
            .unwrap()
            .starts_with("attachment")
    );
    let report = report.text();
    let lines: Vec<&str> = report.split("\r\n").collect();
    assert_eq!(lines[0], "line,reason");
    assert_eq!(lines[1], "3,urn:x:nobody has no entry in this list");
    // What a spreadsheet would take for a formula is text.
    assert!(lines[2].starts_with("5,\"'=HYPERLINK"), "{report}");

    // Every change has its reason and its author in the trail.
    let events = school.get("/events?limit=1000").is(200).json();
    let events = events["events"].as_array().unwrap();
    let last = events
        .iter()
        .rfind(|event| event["type"] == "status.changed")
        .unwrap();
    assert_eq!(last["reason"], "end of term");
    assert!(last["actor"]["person"].is_string(), "{last}");
}

#[test]
fn a_table_that_cannot_be_read_changes_nothing_and_says_where() {
    let house = House::open();
    let school = house.registrar("school");
    let list = school.opens_list("revocation");
    names(&school, &list, &["urn:x:1"]);
    let browser = signed_in(&school, "list-manager");
    for (name, table, words) in [
        (
            "a.csv",
            "credential,status\nurn:x:1,1\n",
            "line 1: the column",
        ),
        ("a.csv", "credentialId\nurn:x:1\n", "the columns status"),
        (
            "a.csv",
            "credentialId,status\nurn:x:1,1\nurn:x:1,yes\n",
            "line 3: status has to be",
        ),
        (
            "a.csv",
            "credentialId,status\nurn:x:1\n",
            "line 2: 1 fields",
        ),
        ("a.csv", "credentialId,status\n", "at least one update"),
        (
            "a.ndjson",
            "{\"credentialId\":\"urn:x:1\",\"state\":1}\n",
            "line 1: ",
        ),
        ("a.xlsx", "PK\u{3}\u{4}\u{0}", "line 1: the column"),
    ] {
        let page = rests(
            &browser,
            hands_in(&browser, &list, (name, table.as_bytes())),
        );
        says(
            &page,
            &["The table cannot be read. Nothing was changed.", words],
        );
        says_not(&page, &["Make these changes"]);
    }
    let page = rests(
        &browser,
        hands_in(
            &browser,
            &list,
            ("a.csv", b"credentialId,status\nurn:x:9,1\n"),
        ),
    );
    says(&page, &["nothing of it can be done"]);
    says_not(&page, &["Make these changes"]);
    assert_eq!(set(&school, &list), 0);
    let action = format!("/console/lists/{}/upload", name_of(&list));
    let page = browser.get(&action).is(200);
    let empty = browser
        .uploads(&page, &action, &[("reason", "x")], ("a.csv", b""))
        .is(400);
    says(&empty, &["Choose a file"]);
    let silent = browser
        .uploads(&page, &action, &[("reason", "")], ("a.csv", b"x"))
        .is(400);
    says(&silent, &["A reason is needed."]);
}

#[test]
fn a_long_table_of_lines_is_made_whole() {
    let house = House::open();
    let school = house.registrar("school");
    let list = school.opens_list("revocation");
    let given = school.allocates(&list, 60_000);
    let browser = signed_in(&school, "list-manager");
    let mut table = String::new();
    for index in &given {
        table.push_str(&format!("{{\"index\":{index},\"status\":1}}\n"));
    }
    let page = rests(
        &browser,
        hands_in(&browser, &list, ("all.ndjson", table.as_bytes())),
    );
    says(&page, &["<dd>60,000</dd>", "<dd>0</dd>"]);
    let action = format!("/console/uploads/{}/make", id_of(&page));
    says(
        &rests(&browser, browser.submits(&page, &action, &[])),
        &["The changes were made"],
    );
    assert_eq!(set(&school, &list), 60_000);
}

#[test]
fn a_table_can_be_thrown_away() {
    let house = House::open();
    let school = house.registrar("school");
    let list = school.opens_list("revocation");
    names(&school, &list, &["urn:x:1"]);
    let browser = signed_in(&school, "list-manager");
    let table = b"credentialId,status\nurn:x:1,1\n";
    let page = rests(&browser, hands_in(&browser, &list, ("a.csv", table)));
    let id = id_of(&page);
    let done = browser
        .submits(&page, &format!("/console/uploads/{id}/drop"), &[])
        .is(303);
    says(&browser.follows(done).is(200), &["thrown away"]);
    browser.get(&format!("/console/uploads/{id}")).is(404);
    browser
        .submits(&page, &format!("/console/uploads/{id}/make"), &[])
        .is(404);
    assert_eq!(set(&school, &list), 0);
    // So many are held of one issuer, and the oldest gives way.
    let first = id_of(&rests(
        &browser,
        hands_in(&browser, &list, ("a.csv", table)),
    ));
    for _ in 0..4 {
        rests(&browser, hands_in(&browser, &list, ("a.csv", table)));
    }
    browser.get(&format!("/console/uploads/{first}")).is(404);
    // And nobody's for ever.
    let last = id_of(&rests(
        &browser,
        hands_in(&browser, &list, ("a.csv", table)),
    ));
    house.wait(1_500);
    browser.get(&format!("/console/uploads/{last}")).is(200);
    house.wait(1_500);
    rests(&browser, hands_in(&browser, &list, ("a.csv", table)));
    browser.get(&format!("/console/uploads/{last}")).is(404);
}
