//! Credentials are found, revoked, suspended and reinstated.

use super::{Browser, link, name_of, names, says, says_not, signed_in};
use crate::support::house::House;

const ID: &str = "urn:uuid:3fa85f64-5717-4562-b3fc-2c963f66afa6";

#[test]
fn a_registrar_finds_a_credential_and_revokes_it() {
    let house = House::open();
    let school = house.registrar("school");
    let list = school.opens_list("revocation");
    names(&school, &list, &[ID, "urn:uuid:77"]);
    let browser = signed_in(&school, "list-manager");

    let page = browser
        .get("/console/credentials?profile=school&text=3fa8")
        .is(200);
    says(&page, &[ID, "In good standing"]);
    says_not(&page, &["urn:uuid:77"]);
    let page = browser.get(&link(&page, ID)).is(200);
    says(
        &page,
        &[ID, "Its status has never been changed.", "Revoke for good"],
    );

    let confirm = link(&page, "Revoke for good");
    let page = browser.get(&confirm).is(200);
    says(
        &page,
        &["Revoke this credential for good?", ID, "cannot be undone"],
    );
    // To look at it changes nothing.
    assert_eq!(
        house
            .registry
            .list_overview(who(), list_id(&list))
            .unwrap()
            .set,
        0
    );

    let action = confirm.split('?').next().unwrap();
    let refused = browser.submits(&page, action, &[("reason", " ")]).is(400);
    says(&refused, &["A reason is needed."]);
    let done = browser
        .submits(&page, action, &[("reason", "Issued in error <b>")])
        .is(303);
    let page = browser.follows(done).is(200);
    says(
        &page,
        &[
            "Done.",
            "Revoked for good",
            "Issued in error &#60;b&#62;",
            "Ada (school)",
        ],
    );
    says_not(&page, &["Reinstate", "<b>"]);
    assert_eq!(
        house
            .registry
            .list_overview(who(), list_id(&list))
            .unwrap()
            .set,
        1
    );
}

fn who() -> goodstanding::registry::Actor {
    goodstanding::registry::Actor::operator()
}

fn list_id(list: &str) -> goodstanding::ids::ListId {
    name_of(list).parse().unwrap()
}

#[test]
fn a_suspension_is_taken_back_and_all_of_that_is_told() {
    let house = House::open();
    let school = house.registrar("school");
    let list = school.opens_list("suspension");
    names(&school, &list, &[ID]);
    let browser = signed_in(&school, "owner");
    let path = format!("/console/credential?profile=school&id={ID}");
    for (words, reason) in [("Suspend", "under review"), ("Reinstate", "cleared")] {
        let page = browser.get(&path).is(200);
        let confirm = link(&page, words);
        let page = browser.get(&confirm).is(200);
        let action = confirm.split('?').next().unwrap();
        browser
            .submits(&page, action, &[("reason", reason)])
            .is(303);
        house.wait(60);
    }
    let page = browser.get(&path).is(200);
    says(
        &page,
        &[
            "under review",
            "cleared",
            "1 March 2026, 09:00 UTC",
            "1 March 2026, 09:01 UTC",
        ],
    );
    let text = page.text();
    assert!(text.find("cleared").unwrap() < text.find("under review").unwrap());
    assert!(text.contains("standing active"));
}

#[test]
fn a_form_that_is_sent_twice_changes_once() {
    let house = House::open();
    let school = house.registrar("school");
    let list = school.opens_list("suspension");
    names(&school, &list, &[ID]);
    let browser = signed_in(&school, "owner");
    let path = format!("/console/credential?profile=school&id={ID}");
    let confirm = link(&browser.get(&path).is(200), "Suspend");
    let page = browser.get(&confirm).is(200);
    let action = confirm.split('?').next().unwrap();
    let fields = [("reason", "twice")];
    browser.submits(&page, action, &fields).is(303);
    // Meanwhile somebody takes it back; the button of the old page does nothing more.
    school.post(
        &format!("{list}/updates"),
        &serde_json::json!({ "updates": [{ "credentialId": ID, "status": 0 }] }),
    );
    browser.submits(&page, action, &fields).is(303);
    says(&browser.get(&path).is(200), &["standing active"]);
}

#[test]
fn an_entry_is_found_by_its_place_and_says_who_carries_it() {
    let house = House::open();
    let school = house.registrar("school");
    let list = school.opens_list("revocation");
    names(&school, &list, &[ID]);
    let given = school.allocates(&list, 1)[0];
    let browser = signed_in(&school, "list-manager");
    let find = |index: &str| {
        let target = format!("/console/credentials?profile=school&list={list}&index={index}");
        browser.opens(&target)
    };
    let page = find(&given.to_string()).is(200);
    says(
        &page,
        &["without saying to which credential", "Revoke for good"],
    );
    let free = (0..).find(|index| {
        *index != given && {
            let page = find(&index.to_string());
            page.text().contains("never given out")
        }
    });
    assert!(free.is_some());
    find("999999999").is(400);
    find("x").is(400);
    // A list that is nowhere here.
    let target = "/console/credentials?profile=school&list=urn:x&index=1";
    browser.get(target).is(400);
    let confirm = link(&page, "Revoke for good");
    let page = browser.get(&confirm).is(200);
    let action = confirm.split('?').next().unwrap();
    let done = browser
        .submits(&page, action, &[("reason", "by its place")])
        .is(303);
    says(
        &browser.follows(done).is(200),
        &["Revoked for good", "by its place"],
    );
}

#[test]
fn who_may_only_look_is_offered_nothing_else() {
    let house = House::open();
    let school = house.registrar("school");
    let list = school.opens_list("revocation");
    names(&school, &list, &[ID]);
    let index = school.allocates(&list, 1)[0];
    let endorser = signed_in(&school, "endorser");
    let page = endorser
        .get(&format!("/console/credential?profile=school&id={ID}"))
        .is(200);
    says_not(&page, &["Revoke for good"]);
    let name = name_of(&list);
    endorser
        .get(&format!(
            "/console/lists/{name}/entries/{index}/change?to=1"
        ))
        .is(403);
    endorser
        .get(&format!("/console/lists/{name}/upload"))
        .is(403);
    let auditor = signed_in(&school, "auditor");
    auditor.get("/console/credentials?profile=school").is(403);
    auditor.get("/console/audit").is(200);
    // And whoever is not signed in is led to where they do.
    Browser::new(&house).get("/console/credentials").is(303);
}

#[test]
fn a_search_goes_on_where_it_ended() {
    let house = House::open();
    let school = house.registrar("school");
    let list = school.opens_list("revocation");
    let all: Vec<String> = (0..120).map(|n| format!("urn:x:{n:03}")).collect();
    let ids: Vec<&str> = all.iter().map(String::as_str).collect();
    names(&school, &list, &ids);
    let browser = signed_in(&school, "owner");
    let mut page = browser
        .get("/console/credentials?profile=school&text=urn:x:")
        .is(200);
    let mut found = 0;
    loop {
        found += page.text().matches(">urn:x:").count();
        if !page.text().contains(">Go on searching<") {
            break;
        }
        page = browser.get(&link(&page, "Go on searching")).is(200);
    }
    assert_eq!(found, 120);
    let none = browser
        .get("/console/credentials?profile=school&text=nothing")
        .is(200);
    says(&none, &["No credential of this issuer"]);
}

#[test]
fn the_pages_speak_german() {
    let house = House::open();
    let school = house.registrar("school");
    let list = school.opens_list("revocation");
    names(&school, &list, &[ID]);
    let browser = signed_in(&school, "owner").with("Accept-Language", "de-DE,de;q=0.9,en;q=0.5");
    let page = browser
        .get(&format!("/console/credential?profile=school&id={ID}"))
        .is(200);
    says(
        &page,
        &["lang=\"de\"", "Endgültig widerrufen", "In gutem Stand"],
    );
    for page in ["credentials?text=", "lists", "keys", "audit"] {
        let page = browser.get(&format!("/console/{page}")).is(200);
        says(&page, &["Prüfprotokoll"]);
    }
}
