//! What people see of who stands behind whom: why, over which path, for what, and from where.

use goodstanding::vc::keys::SigningKey;
use serde_json::json;

use crate::support::actors::{Actor, text};
use crate::support::house::House;
use crate::support::signed::{RECOMMENDATION, endorsement_by};

fn page(house: &House, target: &str) -> String {
    let call = house.call("GET", target).header("Accept", "text/html");
    call.send().is(200).text()
}

/// The part of a page from `from` up to `to`.
fn part(page: &str, from: &str, to: &str) -> String {
    let rest = page.split(from).nth(1);
    let rest = rest.unwrap_or_else(|| panic!("{from} is not in: {page}"));
    rest.split(to).next().unwrap_or_default().to_owned()
}

fn why(page: &str) -> String {
    part(page, "id=\"why\"", "</section>")
}

fn decides(operator: &Actor<'_>, slug: &str, action: &str) {
    let target = format!("/profiles/{slug}/{action}");
    operator.post(&target, &json!({})).is(200);
}

#[test]
fn a_page_says_why_and_names_who_is_on_the_way() {
    let house = House::open();
    let (board, school) = (house.accreditor("board"), house.registrar("school"));
    let welding = school.defines("Welding");
    for target in ["/profiles/school", &welding] {
        assert!(why(&page(&house, target)).contains("nobody endorses it"));
    }
    board.endorses(&school.id, "profile", false);
    board.endorses(&welding, "achievement", false);
    let way = "Endorsed by <a href=\"/profiles/board\">The board</a>";
    for target in ["/profiles/school", &welding] {
        let why = why(&page(&house, target));
        assert!(
            why.contains(way) && why.contains("In good standing"),
            "{why}"
        );
    }

    decides(&house.operator(), "board", "suspend");
    let shown = why(&page(&house, "/profiles/school"));
    assert!(shown.contains("is suspended as an accreditor"), "{shown}");
    assert!(shown.contains("Suspended for the time being"), "{shown}");
    let as_accreditor = |target: &str| {
        let page = page(&house, target);
        let shown = page.contains("As an accreditor");
        shown.then(|| part(&page, "<dt>As an accreditor</dt>", "</dd>"))
    };
    let shown = as_accreditor("/profiles/board").expect("it is one");
    assert!(shown.contains("Suspended for the time being"), "{shown}");
    assert_eq!(as_accreditor("/profiles/school"), None);
    decides(&house.operator(), "board", "revoke");
    let shown = as_accreditor("/profiles/board").expect("it was one");
    assert!(shown.contains("Revoked for good"), "{shown}");
}

#[test]
fn an_endorsement_says_what_it_covers_and_how_its_endorser_stands() {
    let house = House::open();
    let (board, school) = (house.accreditor("board"), house.registrar("school"));
    let whole = board.endorses(&school.id, "profile", false);
    let body = json!({
        "endorser": "board", "subject": { "id": school.id, "kind": "profile" },
        "name": "For degrees", "scope": { "achievementType": ["Degree"], "tag": ["<law>"] },
    });
    let made = board.post("/endorsements", &body).is(201).json();
    let limited = text(&made["verifiableCredential"]["id"]);
    let covers = |target: &str| part(&page(&house, target), "<dt>Covers</dt><dd>", "</dd>");
    assert_eq!(covers(&text(&whole["id"])), "all of it");
    let told = covers(&limited);
    assert!(
        told.starts_with("achievements of the type Degree; tagged &#"),
        "{told}"
    );

    let endorser = || part(&page(&house, &limited), "<dt>Endorser</dt>", "</dd>");
    assert!(endorser().contains("In good standing"));
    decides(&house.operator(), "board", "suspend");
    assert!(endorser().contains("Suspended for the time being"));
}

#[test]
fn an_endorsement_from_elsewhere_says_so() {
    let house = House::open();
    let school = house.registrar("school");
    let key = SigningKey::from_seed(&[7; 32]);
    let signed = endorsement_by(&key, &school.id);
    house.wait(60);
    let body = json!({ "verifiableCredential": signed });
    let imported = school.post("/endorsements/import", &body).is(201).json();
    let page = page(&house, &text(&imported["id"]));
    let from = part(&page, "<dt>Issued elsewhere as</dt>", "</dd>");
    assert!(
        from.contains(&format!("href=\"{RECOMMENDATION}\"")),
        "{from}"
    );
    assert!(from.contains("1 March 2026, 09:01 UTC"), "{from}");
    let endorser = part(&page, "<dt>Endorser</dt>", "</dd>");
    assert!(endorser.contains("not registered here"), "{endorser}");
    assert!(!endorser.contains("good standing"), "{endorser}");
}

#[test]
fn a_page_speaks_the_language_of_its_reader_and_remembers_what_was_chosen() {
    let house = House::open();
    house.registrar("school");
    let page = |target: &str, header: (&str, &str)| {
        let call = house.call("GET", target).header("Accept", "text/html");
        call.header(header.0, header.1).send()
    };
    let german = page("/profiles/school", ("Accept-Language", "de-CH, en;q=0.5")).is(200);
    assert_eq!(
        german.header("vary"),
        Some("Accept, Accept-Language, Cookie")
    );
    assert_eq!(german.header("set-cookie"), None);
    let text = german.text();
    assert!(
        text.contains("<html lang=\"de\">") && text.contains("Wer es empfiehlt"),
        "{text}"
    );
    assert!(text.contains("href=\"/profiles/school?lang=en\""), "{text}");

    let chosen = page("/?lang=de", ("Accept-Language", "en")).is(200);
    let cookie = chosen
        .header("set-cookie")
        .expect("it is remembered")
        .to_owned();
    assert!(
        cookie.starts_with("language=de;") && cookie.contains("SameSite=Lax"),
        "{cookie}"
    );
    let later = page("/nothing", ("Cookie", cookie.split(';').next().unwrap())).is(404);
    // What is wrong this time is said in English, and marked as such; the rest is German.
    for said in [
        "<h1>Nicht gefunden</h1>",
        "<p class=\"text\" lang=\"en\">there is nothing at /nothing",
        "<p class=\"text\">Was zu tun ist: prüfen Sie die Adresse; /docs zählt auf, was es gibt</p>",
    ] {
        assert!(later.text().contains(said), "{said}: {}", later.text());
    }
    let unknown = page("/?lang=xx", ("Accept-Language", "fr")).is(200);
    assert!(unknown.text().contains("<html lang=\"en\">"));
    assert_eq!(unknown.header("set-cookie"), None);
    // For programs it is a parameter like any other.
    house.call("GET", "/?lang=de").send().is(400);
}

#[test]
fn what_a_page_loads_is_served_here_and_kept_for_good() {
    let house = House::open();
    let place = part(&page(&house, "/"), "<link rel=\"stylesheet\" href=\"", "\"");
    let style = house.call("GET", &place).send().is(200);
    assert_eq!(
        style.header("content-type"),
        Some("text/css; charset=utf-8")
    );
    let kept = style.header("cache-control").unwrap();
    assert_eq!(kept, "public, max-age=31536000, immutable");
    let older = house
        .call("GET", "/assets/style.0123456789abcdef.css")
        .send()
        .is(200);
    assert!(!older.header("cache-control").unwrap().contains("immutable"));
    assert_eq!(older.text(), style.text());
    for unknown in ["/assets/", "/assets/style.js", "/assets/..%2Fstyle.css"] {
        house.call("GET", unknown).send().is(404);
    }
}
