//! Every form in which somebody has a credential.

use std::sync::Arc;

use goodstanding::badges::baked::{Baked, bake};
use goodstanding::http::Rates;
use serde_json::{Value, json};

use super::{BOUNDARY, FAR, form, multipart, path, school, sets, trouble, verdict};
use crate::http::elsewhere::policy;
use crate::http::records::record;
use crate::http::verify::{PNG, SVG};
use crate::support::actors::{badge, text};
use crate::support::house::{House, Plan};
use crate::support::site::{Here, Site};

fn encoded(text: &str) -> String {
    url::form_urlencoded::byte_serialize(text.as_bytes()).collect()
}

#[test]
fn text_and_files_of_every_kind_are_recognised() {
    let house = House::open();
    let (school, _, credential) = school(&house);
    let json = credential.to_string();
    let options =
        json!({ "credential": badge(&school.id, FAR), "options": { "securing": "vc+jwt" } });
    let issued = school.post("/credentials/issue", &options).is(201).json();
    let enveloped = issued["verifiableCredential"].clone();
    let jwt = text(&enveloped["id"]).replace("data:application/vc+jwt,", "");
    let baked = |image: &[u8]| bake(image, &Baked::Json(json.clone())).unwrap();
    let (png, svg) = (baked(PNG), baked(SVG));
    let of_jwt = bake(SVG, &Baked::Jwt(jwt.clone())).unwrap();
    for page in [
        house.pastes(&json),
        house.pastes(&format!("\u{feff} \r\n{json}\r\n ")),
        house.pastes(&jwt),
        house.pastes(&format!("\"{jwt}\"")),
        house.pastes(&enveloped.to_string()),
        house.pastes(std::str::from_utf8(&svg).unwrap()),
        house.uploads("diploma.json", json.as_bytes()),
        house.uploads("diploma.json", format!("\u{feff}{json}").as_bytes()),
        house.uploads("diploma.jwt", jwt.as_bytes()),
        house.uploads("badge.png", &png),
        house.uploads("badge.svg", &svg),
        house.uploads("badge.svg", &of_jwt),
    ] {
        let page = page.is(200);
        assert_eq!(verdict(&page), "In good standing");
        assert_eq!(path(&page), ["Welding, level 2", "The school", "The board"]);
    }
    // Without a file field, as a form without a file is sent.
    let call = house.call("POST", "/check").header("Accept", "text/html");
    let plain = format!("credential={}", encoded(&json));
    let page = call.body("application/x-www-form-urlencoded", plain).send();
    assert_eq!(verdict(&page.is(200)), "In good standing");

    sets(&school, &credential, "revocation", true);
    let page = house.uploads("badge.png", &png).is(200);
    assert_eq!(verdict(&page), "Revoked on 1 March 2026");
}

#[test]
fn a_program_gets_what_it_would_get_by_the_query() {
    let house = House::open();
    let (_, _, credential) = school(&house);
    let asked = json!({ "credentials": [credential] });
    let query = house
        .verifier()
        .post("/standing/query", &asked)
        .is(200)
        .json();
    let call = house
        .call("POST", "/check")
        .header("Accept", "application/json");
    let answer = call
        .body(&multipart(), form(&credential.to_string(), None))
        .send();
    assert_eq!(answer.is(200).json(), query);
    let call = house
        .call("POST", "/check")
        .header("Accept", "application/json");
    let problem = call.body(&multipart(), form("{", None)).send().problem(400);
    assert_eq!(problem["type"], "urn:goodstanding:problem:invalid-request");
}

#[test]
fn an_id_is_looked_up_for_those_who_may_and_a_name_leads_to_its_page() {
    let house = Plan::new().in_development().open();
    let (school, _, credential) = school(&house);
    let id = text(&credential["id"]);
    let page = house.pastes(&id).is(200);
    assert_eq!(verdict(&page), "In good standing");
    assert!(page.text().contains("Whether the document in front of you"));
    let link = format!("{}/check?credential={}", house.origin(), encoded(&id));
    assert!(
        page.text().contains(&link.replace('&', "&#38;")),
        "{}",
        page.text()
    );
    sets(&school, &credential, "revocation", true);
    let at_link = house
        .opens(&format!("/check?credential={}", encoded(&id)))
        .is(200);
    assert_eq!(verdict(&at_link), "Revoked on 1 March 2026");

    for name in [
        "school",
        school.id.as_str(),
        "http://localhost:8080/profiles/school",
    ] {
        let answer = house.pastes(name).is(303);
        assert_eq!(
            answer.header("location"),
            Some("/profiles/school"),
            "{name}"
        );
    }
    // What lives elsewhere and is endorsed here has no page but this.
    let board = house.registrar("other");
    drop(board);
    let unknown = house
        .pastes("urn:uuid:00000000-0000-4000-8000-000000000000")
        .is(404);
    assert_eq!(trouble(&unknown), "Nothing can be said by this id");

    // In production nobody tells a stranger that there is such a credential.
    let house = House::open();
    let (school, _, credential) = self::school(&house);
    let id = text(&credential["id"]);
    let refused = house.pastes(&id).is(404);
    assert_eq!(trouble(&refused), "Nothing can be said by this id");
    let target = format!("/check?credential={}", encoded(&id));
    let own = school
        .call("GET", &target)
        .header("Accept", "text/html")
        .send();
    assert_eq!(verdict(&own.is(200)), "In good standing");
}

#[test]
fn what_lives_elsewhere_and_is_endorsed_here_is_told_of() {
    let house = House::open();
    let board = house.accreditor("board");
    board.endorses("did:web:far.example", "profile", false);
    let page = house.pastes("did:web:far.example").is(200);
    assert_eq!(verdict(&page), "In good standing");
    assert_eq!(path(&page), ["did:web:far.example", "The board"]);
    assert!(!page.text().contains("<dt>Issued by</dt>"));
}

#[test]
fn a_paper_is_checked_by_the_code_on_it() {
    let house = House::open();
    let (school, _, credential) = school(&house);
    let body = json!({ "credentialIds": [credential["id"]] });
    let handed = school.post("/credentials/codes", &body).is(200).json();
    let code = text(&handed["codes"][0]["code"]);
    for typed in [
        code.clone(),
        code.to_lowercase().replace('-', " "),
        format!("{}/codes/{code}", house.origin()),
        format!("{}/check?code={code}", house.origin()),
    ] {
        let page = house.pastes_and_follows(&typed).is(200);
        assert_eq!(verdict(&page), "In good standing", "{typed}");
        assert_eq!(path(&page), ["This credential", "The school", "The board"]);
        // Nothing of the holder, nor by what the credential is found elsewhere.
        let shown = page.text();
        assert!(!shown.contains(&text(&credential["id"])), "{shown}");
        assert!(!shown.contains("status-lists") && !shown.contains("did:example:holder"));
        assert!(shown.contains("for which the issuer printed this code"));
        let (_, main) = shown.split_once("<main").expect("a page");
        assert!(!main.contains("genuine"), "nobody has seen a document");
    }
    let target = format!("/check?code={code}");
    let call = house
        .call("GET", &target)
        .header("Accept", "application/json");
    let told = call.send().is(200).json();
    let looked_up = house
        .call("GET", &format!("/codes/{code}"))
        .send()
        .is(200)
        .json();
    for member in ["outcome", "decidedBy", "detail", "status", "issuer", "path"] {
        assert_eq!(told["results"][0][member], looked_up[member], "{member}");
    }

    // A slip of the finger is told from a code that is not there.
    let last = if code.ends_with('7') { "8" } else { "7" };
    let slip = format!("{}{last}", &code[..code.len() - 1]);
    let page = house.pastes(&slip).is(400);
    assert_eq!(trouble(&page), "There is a slip in the code");
    assert!(
        page.text()
            .contains("a symbol is mistyped, or two are swapped")
    );
    let page = house.opens(&format!("/check?code={slip}")).is(400);
    assert_eq!(trouble(&page), "There is a slip in the code");
    let never = goodstanding::codes::VerificationCode::of_bits([9; 10]);
    let page = house.pastes_and_follows(&never.to_string()).is(404);
    assert_eq!(trouble(&page), "No credential has this code");

    house.wait(86_400);
    sets(&school, &credential, "revocation", true);
    let page = house.pastes_and_follows(&code).is(200);
    assert_eq!(verdict(&page), "Revoked on 2 March 2026");
}

#[test]
fn who_guesses_codes_is_stopped_and_who_pastes_credentials_is_not() {
    let few = Rates {
        codes_of_address: 3,
        ..Rates::usual()
    };
    let house = Plan::new().within(|limits| limits.rates = few).open();
    let (_, _, credential) = school(&house);
    let guess = |bits: u8| goodstanding::codes::VerificationCode::of_bits([bits; 10]);
    for bits in 0..3 {
        house.pastes_and_follows(&guess(bits).to_string()).is(404);
    }
    // However it is asked.
    for target in [
        format!("/check?code={}", guess(4)),
        format!("/check?c%6fde={}", guess(5)),
        format!("/check?lang=de&code={}", guess(6)),
    ] {
        let page = house.opens(&target).is(429);
        assert!(page.header("retry-after").is_some());
        assert!(page.text().contains("<h1>"), "it is a page");
    }
    // By an id no code is looked up.
    let by_id = house
        .opens(&format!("/check?credential={}", guess(7)))
        .is(303);
    assert!(
        by_id
            .header("location")
            .unwrap()
            .starts_with("/check?code=")
    );
    for _ in 0..6 {
        house.pastes(&credential.to_string()).is(200);
    }
    // Both ways to a code share what is left.
    house.wait(20);
    house.opens(&format!("/check?code={}", guess(8))).is(404);
    house
        .call("GET", &format!("/codes/{}", guess(8)))
        .send()
        .is(429);
}

#[test]
fn an_entry_alone_is_never_shown_as_good_standing() {
    let house = House::open();
    let (school, _, credential) = school(&house);
    let entry = &credential["credentialStatus"];
    let entry = entry.as_array().map_or(entry, |all| &all[0]);
    let (list, index) = (
        text(&entry["statusListCredential"]),
        text(&entry["statusListIndex"]),
    );
    let target = format!("/check?list={}&index={index}", encoded(&list));
    let with_issuer = format!("{target}&issuer={}", encoded(&school.id));
    for target in [&target, &with_issuer] {
        let page = house.opens(target).is(200);
        assert_eq!(verdict(&page), "Nothing stands against it");
        let shown = page.text();
        assert!(shown.contains("Whether the document is genuine was not checked"));
        assert_eq!(path(&page), ["The school", "The board"]);
        let above = shown.split("<details id=\"details\">").next().unwrap();
        let heading = above
            .split("<section aria-labelledby=\"behind\">")
            .next()
            .unwrap();
        assert!(!heading.contains("good standing"), "{heading}");
        let json = house
            .call("GET", target)
            .header("Accept", "application/json");
        let told = json.send().is(200).json()["results"][0].clone();
        assert!(told.get("verified").is_none());
        assert!(text(&told["detail"]).contains("was not checked"));
    }
    // The page of a document leads here, which tells nothing that is in it.
    let page = house.pastes(&credential.to_string()).is(200).text();
    let link = format!("{}{with_issuer}", house.origin());
    assert!(page.contains(&link.replace('&', "&#38;")), "{link} {page}");

    // Of somebody else's credential the list says nothing.
    house.registrar("lone");
    let lone = format!(
        "{target}&issuer={}",
        encoded("did:web:registry.example:profiles:lone")
    );
    let page = house.opens(&lone).is(200);
    assert_eq!(verdict(&page), "Not known");
    assert!(
        page.text()
            .contains("The list is not by the issuer that was named")
    );

    sets(&school, &credential, "revocation", true);
    let page = house.opens(&with_issuer).is(200);
    // When that was decided is told to those who have the credential.
    assert_eq!(verdict(&page), "Revoked");

    for (target, status, words) in [
        (
            format!("/check?list={}&index=x", encoded(&list)),
            400,
            "The place in the list has to be a whole number from 0",
        ),
        (
            format!("/check?list={}&index=99999999", encoded(&list)),
            404,
            "This entry cannot be looked up here",
        ),
        (
            "/check?list=https%3A%2F%2Fother.example%2F1&index=1".to_owned(),
            404,
            "This entry cannot be looked up here",
        ),
        (
            "/check?url=https%3A%2F%2Fa.example&code=x".to_owned(),
            400,
            "The address of this page asks for several things at once",
        ),
    ] {
        assert_eq!(trouble(&house.opens(&target).is(status)), words, "{target}");
    }
    let empty = house.opens("/check").is(303);
    assert_eq!(empty.header("location"), Some("/"));
}

#[test]
fn an_address_is_fetched_where_that_is_allowed_and_else_not() {
    let house = House::open();
    let page = house.pastes("https://school.example/credentials/1").is(400);
    assert_eq!(
        trouble(&page),
        "The credential is not fetched from this address"
    );
    assert!(page.text().contains("paste what it shows"));
    let page = house
        .opens("/check?url=https%3A%2F%2Fschool.example%2F1")
        .is(400);
    assert_eq!(
        trouble(&page),
        "The credential is not fetched from this address"
    );

    let site = Site::open();
    let house = Plan::new()
        .reaching(policy(), Arc::new(Here::default()))
        .open();
    let (school, _, credential) = school(&house);
    let media = "application/vc";
    site.puts(
        "/diploma",
        media,
        "Cache-Control: no-store\r\n",
        credential.to_string().as_bytes(),
    );
    site.puts("/page", media, "", b"<!doctype html><title>x</title>");
    let url = site.url("/diploma");
    let page = house.pastes(&url).is(200);
    assert_eq!(verdict(&page), "In good standing");
    assert!(!page.text().contains("was sent to this registry"));
    sets(&school, &credential, "revocation", true);
    let page = house
        .opens(&format!("/check?url={}", encoded(&url)))
        .is(200);
    assert_eq!(verdict(&page), "Revoked on 1 March 2026");
    let page = house.pastes(&site.url("/page")).is(400);
    assert_eq!(trouble(&page), "This text is no credential");
    let page = house.pastes(&site.url("/nothing")).is(503);
    assert_eq!(
        trouble(&page),
        "The credential could not be fetched from its address"
    );
}

#[test]
fn a_record_says_how_each_credential_within_it_stands() {
    let house = House::open();
    let (school, board, credential) = school(&house);
    let registrar = house.registrar("registrar");
    board.endorses(&registrar.id, "profile", false);
    let revoked = school.issues(&badge(&school.id, &school.defines("Riveting")));
    sets(&school, &revoked, "revocation", true);
    let unsigned = record(&registrar, &[&credential, &revoked]);
    let page = house
        .pastes(&registrar.issues(&unsigned).to_string())
        .is(200);
    assert_eq!(verdict(&page), "In good standing");
    let shown = page.text();
    let inner = shown
        .split("What stands within it")
        .nth(1)
        .expect("they are shown");
    let inner = inner.split("</ul>").next().unwrap();
    let standings: Vec<&str> = inner.split("<li>").skip(1).collect();
    assert_eq!(standings.len(), 2, "{inner}");
    assert!(standings[0].contains("In good standing"), "{inner}");
    assert!(standings[1].contains("Revoked for good"), "{inner}");
}

#[test]
fn what_is_given_twice_or_not_at_all_is_asked_for_again() {
    let house = House::open();
    let (_, _, credential) = school(&house);
    let json = credential.to_string();
    let nothing = house.pastes(" \r\n ").is(400);
    assert_eq!(trouble(&nothing), "Nothing was given");
    let both = house
        .sends(&form(&json, Some(("a.json", json.as_bytes()))), "en")
        .is(400);
    assert_eq!(trouble(&both), "Two things were given");
    let several = house
        .pastes(&Value::from(vec![credential.clone(); 2]).to_string())
        .is(400);
    assert_eq!(trouble(&several), "These are several credentials");
    let presentation = json!({
        "@context": ["https://www.w3.org/ns/credentials/v2"],
        "type": ["VerifiablePresentation"],
        "verifiableCredential": [credential],
    });
    let page = house.pastes(&presentation.to_string()).is(400);
    assert_eq!(trouble(&page), "This is a presentation, not a credential");
    let german = house.sends(&form("", None), "de").is(400);
    assert_eq!(trouble(&german), "Es wurde nichts angegeben");
    assert!(BOUNDARY.len() < 70);
}
