//! What those try who mean harm.

use super::{link, name_of, names, says, says_not, signed_in};
use crate::support::browser::Browser;
use crate::support::client::Answer;
use crate::support::house::{House, Plan};

/// An answer without what is random or names what was asked for.
fn seen(answer: &Answer, asked: &[&str]) -> (u16, String) {
    let mut text = answer.text();
    for asked in asked {
        text = text.replace(asked, "…");
    }
    (answer.status, text)
}

#[test]
fn what_is_anothers_is_told_as_what_is_not_there() {
    let house = House::open();
    let (school, other) = (house.registrar("school"), house.registrar("other"));
    let theirs = other.opens_list("revocation");
    names(&other, &theirs, &["urn:x:theirs"]);
    let index = other.allocates(&theirs, 1)[0].to_string();
    let browser = signed_in(&school, "owner").with("Accept", "text/html");
    let theirs = name_of(&theirs);
    // An id of this very profile that was never given.
    let mine = school.opens_list("revocation");
    let nobodys: String = name_of(&mine).chars().rev().collect();
    for path in [
        "/console/lists/{}",
        "/console/lists/{}/entries/INDEX",
        "/console/lists/{}/entries/INDEX/change?to=1",
        "/console/lists/{}/upload",
    ] {
        let path = path.replace("INDEX", &index);
        let their_answer = browser.get(&path.replace("{}", theirs));
        let no_answer = browser.get(&path.replace("{}", &nobodys));
        assert_eq!(their_answer.status, 404, "{path}");
        assert_eq!(
            seen(&their_answer, &[theirs]),
            seen(&no_answer, &[&nobodys]),
            "{path}"
        );
    }
    // Another's slug or credential changes nothing of what is shown.
    let page = browser
        .get("/console/credentials?profile=other&text=urn:x:theirs")
        .is(200);
    says(&page, &["No credential of this issuer"]);
    let unknown = browser.get("/console/credential?profile=other&id=urn:x:theirs");
    let nothing = browser.get("/console/credential?profile=other&id=urn:x:nothing");
    assert_eq!(
        seen(&unknown, &["urn:x:theirs"]),
        seen(&nothing, &["urn:x:nothing"])
    );
    assert_eq!(unknown.status, 404);
    let keys = browser.get("/console/keys?profile=other");
    let none = browser.get("/console/keys?profile=nobody");
    assert_eq!(seen(&keys, &["other"]), seen(&none, &["nobody"]));
    assert_eq!(keys.status, 404);

    // Nor do forms.
    let page = browser.get("/console/keys").is(200);
    let fields = [("profile", "other")];
    browser
        .submits(&page, "/console/keys/rotate", &fields)
        .is(404);
    assert_eq!(
        other.get("/profiles/other/keys").json()["keys"]
            .as_array()
            .unwrap()
            .len(),
        1
    );
    let page = browser.get("/console/new-list?profile=other").is(200);
    let fields = [("profile", "other"), ("purpose", "revocation")];
    browser.submits(&page, "/console/new-list", &fields).is(404);
}

#[test]
fn nothing_is_done_by_looking_or_by_a_form_from_elsewhere() {
    let house = House::open();
    let school = house.registrar("school");
    let list = school.opens_list("revocation");
    names(&school, &list, &["urn:x:1"]);
    let browser = signed_in(&school, "owner");
    let page = browser.get("/console/credential?id=urn:x:1").is(200);
    let confirm = link(&page, "Revoke for good");
    let action = confirm.split('?').next().unwrap();
    let page = browser.get(&format!("{confirm}&reason=x")).is(400);
    says_not(&page, &["Done."]);
    let page = browser.get(&confirm).is(200);
    let fields = [("reason", "x")];
    let elsewhere = browser.with("Origin", "https://evil.example");
    elsewhere.submits(&page, action, &fields).is(403);
    let elsewhere = browser.with("Sec-Fetch-Site", "cross-site");
    elsewhere.submits(&page, action, &fields).is(403);
    // A form of another session, or of none.
    browser
        .submits(&page, action, &[("reason", "x"), ("form", "1.x")])
        .is(403);
    let other = signed_in(&school, "list-manager");
    other.submits(&page, action, &fields).is(403);
    Browser::new(&house).submits(&page, action, &fields).is(303);
    let upload = format!("/console/lists/{}/upload", name_of(&list));
    let form = browser.get(&upload).is(200);
    let table = ("a.csv", &b"credentialId,status\nurn:x:1,1\n"[..]);
    let elsewhere = browser.with("Origin", "https://evil.example");
    elsewhere.uploads(&form, &upload, &fields, table).is(403);
    other.uploads(&form, &upload, &fields, table).is(403);
    assert_eq!(
        school
            .reads(&list)
            .iter()
            .map(|byte| byte.count_ones())
            .sum::<u32>(),
        0
    );
}

#[test]
fn an_upload_is_its_issuers_alone() {
    let house = House::open();
    let (school, other) = (house.registrar("school"), house.registrar("other"));
    let list = school.opens_list("revocation");
    names(&school, &list, &["urn:x:1"]);
    let browser = signed_in(&school, "owner");
    let upload = format!("/console/lists/{}/upload", name_of(&list));
    let form = browser.get(&upload).is(200);
    let table = ("a.csv", &b"credentialId,status\nurn:x:1,1\n"[..]);
    let taken = browser
        .uploads(&form, &upload, &[("reason", "x")], table)
        .is(303);
    let place = taken.header("location").unwrap();
    browser.get(place).is(200);
    let theirs = signed_in(&other, "owner");
    let none = place.rsplit_once('/').unwrap().0;
    let nothing = format!("{none}/00000000000000000000000000000000");
    for end in ["", "/report"] {
        let answer = theirs.get(&format!("{place}{end}"));
        let no_answer = theirs.get(&format!("{nothing}{end}"));
        assert_eq!(answer.status, 404);
        let id = place.rsplit('/').next().unwrap();
        let zeros = nothing.rsplit('/').next().unwrap();
        assert_eq!(seen(&answer, &[id]), seen(&no_answer, &[zeros]));
    }
    signed_in(&school, "endorser").get(place).is(403);
}

#[test]
fn too_much_is_refused_in_words() {
    let house = Plan::new().taking_in(1 << 14).open();
    let school = house.registrar("school");
    let list = school.opens_list("revocation");
    let browser = signed_in(&school, "owner").with("Accept", "text/html");
    let upload = format!("/console/lists/{}/upload", name_of(&list));
    let form = browser.get(&upload).is(200);
    let table = vec![b'x'; 100 << 10];
    let refused = browser
        .uploads(&form, &upload, &[("reason", "x")], ("a.csv", &table))
        .is(413);
    says(&refused, &["<!doctype html>", "too large"]);
    let long = "x".repeat(2_001);
    let page = browser.uploads(&form, &upload, &[("reason", &long)], ("a.csv", b"x"));
    assert_eq!(page.status, 400);
    browser
        .get("/console/credentials?profile=school&text=x&cursor=nonsense")
        .is(400);
    browser.get("/console/audit?cursor=nonsense").is(400);
    browser
        .get("/console/credentials?profile=school&unknown=1")
        .is(400);
}

#[test]
fn what_others_wrote_stays_text() {
    let house = House::open();
    let school = house.registrar("school");
    let list = school.opens_list("suspension");
    let evil = "https://x.example/\"><script>alert(1)</script>";
    names(&school, &list, &[evil]);
    let browser = signed_in(&school, "owner");
    let page = browser
        .get("/console/credentials?text=https://x.example/")
        .is(200);
    says_not(&page, &["<script>alert"]);
    let found = page.text();
    let begin = found.find("href=\"/console/credential?").unwrap() + 6;
    let href = found[begin..]
        .split('"')
        .next()
        .unwrap()
        .replace("&#38;", "&");
    let page = browser.get(&href).is(200);
    says_not(&page, &["<script>alert"]);
    let confirm = link(&page, "Suspend");
    let page = browser.get(&confirm).is(200);
    says_not(&page, &["<script>alert"]);
    let fields = [("reason", "</textarea><script>alert(2)</script>")];
    let done = browser
        .submits(&page, confirm.split('?').next().unwrap(), &fields)
        .is(303);
    says_not(&browser.follows(done).is(200), &["<script>alert"]);
    says_not(&browser.get("/console/audit").is(200), &["<script>alert"]);
    let page = browser
        .get("/console/audit?by=\"><script>alert(3)</script>")
        .is(400);
    says_not(&page, &["<script>alert"]);
}
