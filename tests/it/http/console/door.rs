//! Signing in and out, and for how long that holds.

use serde_json::json;

use super::{PASSPHRASE, SESSION, invited, signed_in, signs_in};
use crate::support::browser::{Browser, form};
use crate::support::house::{House, Plan};

#[test]
fn somebody_signs_in_and_finds_what_waits() {
    let house = House::open();
    let school = house.registrar("school");
    invited(&school, "ada@school.example", "owner");
    let browser = Browser::new(&house);
    // Whoever is not signed in is led to the authorization server, by its own endpoint.
    let first = browser.get("/console/account?done=x").is(303);
    assert_eq!(
        first.header("location"),
        Some("/console/sign-in?to=%2Fconsole%2Faccount%3Fdone%3Dx")
    );
    let to = browser.get("/console/sign-in?to=/console/account").is(303);
    let cookie = to.header("set-cookie").unwrap();
    assert!(
        cookie.starts_with("__Host-goodstanding-signing-in=")
            && cookie.ends_with("; Path=/; HttpOnly; SameSite=Lax; Max-Age=900; Secure"),
        "{cookie}"
    );
    let location = to.header("location").unwrap();
    assert!(location.starts_with("/oauth/authorize?response_type=code&client_id="));
    assert!(
        location.contains("code_challenge_method=S256"),
        "{location}"
    );

    let page = browser.follows(to).is(200);
    assert!(
        page.text().contains("Sign in to the console"),
        "{}",
        page.text()
    );
    let wrong = [
        ("name", "ada@school.example"),
        ("passphrase", "no"),
        ("answer", "allow"),
    ];
    let refused = browser.submits(&page, "/oauth/authorize", &wrong).is(403);
    assert!(refused.text().contains("not right"));
    assert_eq!(browser.cookie(SESSION), None);
    let right = [
        ("name", "ada@school.example"),
        ("passphrase", PASSPHRASE),
        ("answer", "allow"),
    ];
    let back = browser.submits(&page, "/oauth/authorize", &right).is(303);
    let callback = back.header("location").unwrap().to_owned();
    assert!(
        callback.starts_with("https://registry.example/console/callback?code=gac_"),
        "{callback}"
    );
    let entered = browser.get(&callback).is(303);
    assert_eq!(entered.header("location"), Some("/console/account"));
    let cookie = entered.header("set-cookie").unwrap();
    assert!(
        cookie.starts_with("__Host-goodstanding=")
            && cookie.ends_with("; Path=/; HttpOnly; SameSite=Lax; Secure"),
        "{cookie}"
    );
    let page = browser.get("/console/account").is(200);
    for words in ["Ada", "owner", "school", "ada@school.example"] {
        assert!(page.text().contains(words), "{words}");
    }
    assert_eq!(page.header("cache-control"), Some("no-store"));
    assert_eq!(page.header("x-frame-options"), Some("DENY"));
    assert_eq!(page.header("referrer-policy"), Some("same-origin"));
    let policy = page.header("content-security-policy").unwrap();
    for rule in [
        "default-src 'none'",
        "frame-ancestors 'none'",
        "form-action 'self'",
    ] {
        assert!(policy.contains(rule), "{policy}");
    }
    // What is kept opens nothing.
    let secret = browser.cookie(SESSION).unwrap();
    let secret = secret.split('.').nth(1).unwrap().as_bytes().to_vec();
    let stored = house.store();
    assert!(!stored.iter().any(|(key, value)| {
        [key, value]
            .iter()
            .any(|bytes| bytes.windows(secret.len()).any(|part| part == secret))
    }));
}

#[test]
fn a_code_gives_one_session_and_a_second_use_ends_it() {
    let house = House::open();
    let school = house.registrar("school");
    invited(&school, "ada@school.example", "owner");
    let browser = Browser::new(&house);
    let page = browser.opens("/console").is(200);
    let verifier = browser.cookie("__Host-goodstanding-signing-in").unwrap();
    let right = [
        ("name", "ada@school.example"),
        ("passphrase", PASSPHRASE),
        ("answer", "allow"),
    ];
    let back = browser.submits(&page, "/oauth/authorize", &right).is(303);
    let callback = back.header("location").unwrap().to_owned();
    // Neither another browser nor the token endpoint gets anything for it.
    let other = Browser::new(&house);
    other.get(&callback).is(403);
    other.opens("/console").is(200);
    other.get(&callback).is(403);
    let code = url::Url::parse(&callback).unwrap();
    let code = code
        .query_pairs()
        .find(|(name, _)| name == "code")
        .unwrap()
        .1
        .into_owned();
    let client = "00000000676f6f647374616e64696e67";
    let token = [
        ("grant_type", "authorization_code"),
        ("client_id", client),
        ("code", code.as_str()),
        ("redirect_uri", "https://registry.example/console/callback"),
        ("code_verifier", verifier.as_str()),
    ];
    let refused = crate::support::oauth::posts(&house, "/oauth/token", &token).send();
    assert_eq!(
        (refused.status, &refused.json()["error"]),
        (401, &json!("invalid_client"))
    );

    browser.get(&callback).is(303);
    browser.get("/console").is(200);
    browser.set_cookie("__Host-goodstanding-signing-in", &verifier);
    browser.get(&callback).is(403);
    browser.get("/console").is(303);
}

#[test]
fn a_session_ends_by_rest_by_age_and_with_its_person() {
    let house = House::open();
    let school = house.registrar("school");
    let ada = invited(&school, "ada@school.example", "owner");
    let browser = Browser::new(&house);
    let enters = || signs_in(&browser, "/console", "ada@school.example", PASSPHRASE).is(200);
    enters();
    house.wait(1_799);
    browser.get("/console").is(200);
    house.wait(1_799);
    browser.get("/console").is(200);
    house.wait(1_800);
    browser.get("/console").is(303);

    enters();
    for _ in 0..23 {
        house.wait(1_790);
        browser.get("/console").is(200);
    }
    house.wait(2_030 - 1);
    browser.get("/console").is(303);

    enters();
    let before = browser.cookie(SESSION).unwrap();
    // In another window.
    browser.set_cookie(SESSION, "");
    enters();
    let copy = Browser::new(&house);
    copy.set_cookie(SESSION, &before);
    copy.get("/console").is(200);
    school
        .post(&format!("/people/{ada}/remove"), &json!({}))
        .is(204);
    browser.get("/console").is(303);
    copy.get("/console").is(303);
    house.wait(50_000);
    assert!(house.registry.forget_ended_sessions().unwrap() >= 2);
}

#[test]
fn signing_out_ends_a_session_and_everywhere_all_of_them() {
    let house = House::open();
    let school = house.registrar("school");
    let (desk, phone) = (signed_in(&school, "owner"), Browser::new(&house));
    signs_in(&phone, "/console", "owner@school.example", PASSPHRASE).is(200);
    let (old, page) = (desk.cookie(SESSION).unwrap(), desk.get("/console").is(200));
    let out = desk.submits(&page, "/console/sign-out", &[]).is(303);
    assert_eq!(
        (out.header("location"), desk.cookie(SESSION)),
        (Some("/"), None)
    );
    desk.set_cookie(SESSION, &old);
    desk.get("/console").is(303);
    phone.get("/console").is(200);

    let tablet = Browser::new(&house);
    signs_in(&tablet, "/console", "owner@school.example", PASSPHRASE).is(200);
    let page = tablet.get("/console").is(200);
    tablet
        .submits(&page, "/console/sign-out", &[("everywhere", "yes")])
        .is(303);
    phone.get("/console").is(303);
}

#[test]
fn another_passphrase_ends_every_session() {
    let house = House::open();
    let school = house.registrar("school");
    let (desk, phone) = (signed_in(&school, "owner"), Browser::new(&house));
    signs_in(&phone, "/console", "owner@school.example", PASSPHRASE).is(200);
    let page = desk.get("/console/account").is(200);
    let to = "/console/account/passphrase";
    let new = "ten lives, two cats";
    for (present, passphrase, again, field) in [
        ("wrong", new, new, "present"),
        (PASSPHRASE, "short", "short", "passphrase"),
        (PASSPHRASE, new, "ten lives, 2 cats", "again"),
    ] {
        let fields = [
            ("present", present),
            ("passphrase", passphrase),
            ("again", again),
        ];
        let refused = desk.submits(&page, to, &fields);
        assert!(matches!(refused.status, 400 | 403), "{field}");
        assert!(
            refused.text().contains(&format!("href=\"#{field}\"")),
            "{field}"
        );
        desk.get("/console").is(200);
    }
    let fields = [("present", PASSPHRASE), ("passphrase", new), ("again", new)];
    desk.submits(&page, to, &fields).is(303);
    desk.get("/console").is(303);
    phone.get("/console").is(303);
    let page = signs_in(
        &phone,
        "/console/account?done=passphrase-changed",
        "owner@school.example",
        new,
    );
    assert!(page.is(200).text().contains("Your passphrase was changed"));
    let events = school.get("/events").is(200).text();
    assert!(events.contains("person.passphrase-changed"), "{events}");
}

#[test]
fn a_form_is_taken_from_its_own_session_and_page_alone() {
    let house = House::open();
    let school = house.registrar("school");
    let (ada, bo) = (signed_in(&school, "owner"), signed_in(&school, "endorser"));
    let own = form(&ada.get("/console").is(200), "/console/sign-out")["form"].clone();
    let others = form(&bo.get("/console").is(200), "/console/sign-out")["form"].clone();
    let sends = |browser: &Browser<'_>, token: &str| {
        let fields = [("form".to_owned(), token.to_owned())];
        browser.posts("/console/sign-out", &fields)
    };
    for token in ["", "1.x", &others, &own[1..]] {
        let refused = sends(&ada, token).problem(403);
        assert_eq!(refused["type"], "urn:goodstanding:problem:form-refused");
    }
    for (header, value) in [
        ("Origin", "https://evil.example"),
        ("Origin", "null"),
        ("Origin", "http://registry.example"),
        ("Sec-Fetch-Site", "cross-site"),
        ("Sec-Fetch-Site", "same-site"),
    ] {
        sends(&ada.with(header, value), &own).problem(403);
    }
    let plain = house.call("POST", "/console/sign-out");
    let cookie = format!("{SESSION}={}", ada.cookie(SESSION).unwrap());
    let body = plain
        .header("Cookie", cookie.clone())
        .body("text/plain", format!("form={own}"));
    body.send().problem(400);
    // A bearer token opens no page, and a cookie that stands twice is nobody's.
    let token = house
        .call("GET", "/console")
        .token(school.token.as_deref().unwrap());
    token.send().is(303);
    let twice = format!("{cookie}; {SESSION}=other");
    house
        .call("GET", "/console")
        .header("Cookie", twice)
        .send()
        .is(303);
    ada.get("/console").is(200);
    sends(&ada.with("Origin", "https://registry.example"), &own).is(303);
    ada.get("/console").is(303);
}

#[test]
fn in_development_mode_one_click_leads_in_and_nowhere_else() {
    let house = Plan::new().in_development().open();
    let browser = Browser::new(&house).with("Host", "localhost:8080");
    let page = browser.opens("/console").is(200);
    assert!(page.text().contains("Development mode."));
    let entered = browser.submits(&page, "/console/sign-in", &[]).is(303);
    let cookie = entered.header("set-cookie").unwrap();
    assert!(
        cookie.starts_with("goodstanding-8080=") && !cookie.contains("Secure"),
        "{cookie}"
    );
    let page = browser.follows(entered).is(200);
    assert!(page.text().contains("Development mode."));
    // The same store in production: the session is nobody's.
    let cookie = browser.cookie("goodstanding-8080").unwrap();
    assert!(
        house
            .registry
            .visitor(&cookie)
            .unwrap()
            .unwrap()
            .person
            .is_none()
    );
    let production = House::open();
    let page = Browser::new(&production).opens("/console").is(200);
    assert!(!page.text().contains("Development mode."));
    Browser::new(&production)
        .posts("/console/sign-in", &[])
        .is(303);
}
