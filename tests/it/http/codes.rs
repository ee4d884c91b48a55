//! Verification codes on paper: a registrar hands them out and prints them, an employer types one.

use std::collections::HashSet;
use std::thread;

use goodstanding::codes::VerificationCode;
use goodstanding::http::{Limits, Rates};
use goodstanding::time::Ttl;
use serde_json::{Value, json};

use crate::support::actors::{Actor, badge, text};
use crate::support::client::Answer;
use crate::support::house::{House, Plan};

const FAR: &str = "https://far.example/welding";

impl Actor<'_> {
    /// Hands out the codes of these credentials, and gives them as they are printed.
    fn prints(&self, credentials: &[&str]) -> Vec<String> {
        let body = json!({ "credentialIds": credentials });
        printed(&self.post("/credentials/codes", &body).is(200))
    }

    fn withdraws(&self, credential: &str) -> Answer {
        let body = json!({ "credentialIds": [credential], "reason": "the diploma was lost" });
        self.post("/credentials/codes/withdraw", &body)
    }

    fn types(&self, code: &str) -> Answer {
        self.get(&format!("/codes/{}", code.replace(' ', "%20")))
    }

    /// What is told of the credential of a code.
    #[track_caller]
    fn finds(&self, code: &str) -> Value {
        self.types(code).is(200).json()
    }
}

fn printed(answer: &Answer) -> Vec<String> {
    let codes = answer.json()["codes"].as_array().unwrap().clone();
    codes.iter().map(|one| text(&one["code"])).collect()
}

/// A school that an accreditor stands behind, and one of its credentials.
fn school(house: &House) -> (Actor<'_>, String) {
    let school = house.registrar("school");
    let board = house.accreditor("board");
    board.endorses(&school.id, "profile", false);
    let issued = school.issues(&badge(&school.id, FAR));
    (school, text(&issued["id"]))
}

fn revokes(school: &Actor<'_>, credential: &str) {
    let entry = json!({ "type": "BitstringStatusListEntry", "statusPurpose": "revocation" });
    let body = json!({ "credentialId": credential, "credentialStatus": entry, "status": true });
    school.post("/credentials/status", &body).is(200);
}

#[test]
fn an_employer_types_what_a_registrar_printed() {
    let house = House::open();
    let (school, credential) = school(&house);
    let answer = school.post(
        "/credentials/codes",
        &json!({ "credentialIds": [credential] }),
    );
    let handed = answer.is(200).json();
    assert_eq!(handed["refused"], json!([]));
    let handed = &handed["codes"][0];
    let code = text(&handed["code"]);
    assert_eq!(handed["credential"], credential.as_str());
    assert_eq!(handed["url"], format!("{}/codes/{code}", house.origin()));
    let groups: Vec<&str> = code.split('-').collect();
    assert_eq!(
        groups.iter().map(|group| group.len()).collect::<Vec<_>>(),
        [4; 4]
    );

    // A slip of the finger is told from a code that is not there.
    let employer = house.verifier();
    let slip = code.replacen(&code[..1], if code.starts_with('7') { "8" } else { "7" }, 1);
    let problem = employer.types(&slip).problem(400);
    assert_eq!(problem["type"], "urn:goodstanding:problem:mistyped-code");
    let said = "a symbol is mistyped, or two are swapped: compare it with the paper once more";
    assert_eq!(problem["detail"], said);
    let short = employer.types(&code[..14]).problem(400);
    assert_eq!(
        short["detail"],
        "a code has 16 letters and digits, and this has 12: some are missing"
    );

    let found = employer
        .types(&code.to_lowercase().replace('-', " "))
        .is(200);
    assert_eq!(found.header("cache-control"), Some("no-store"));
    assert_eq!(found.header("referrer-policy"), Some("no-referrer"));
    assert_eq!(found.header("content-type"), Some("application/json"));
    let told = found.json();
    assert_eq!(told["outcome"], "active");
    assert_eq!(told["decidedBy"], "issuer");
    assert_eq!(told["detail"], "in force, and its issuer is endorsed");
    assert_eq!(told["issuer"]["id"], school.id.as_str());
    assert_eq!(told["issuer"]["name"], "The school");
    assert_eq!(told["achievement"]["id"], FAR);
    assert_eq!(told["path"][0]["subject"], school.id.as_str());
    assert_eq!(told["asOf"], house.now());
    assert_eq!(
        told["status"],
        json!([{ "purpose": "revocation", "outcome": "active" }])
    );
    // Nothing of the holder, nor by what the credential is found elsewhere.
    assert!(!found.text().contains(&credential), "{}", found.text());
    for member in ["credential", "list", "index", "credentialSubject"] {
        assert!(told.get(member).is_none(), "{member}");
    }

    assert!(told.get("since").is_none());
    house.wait(3_600);
    let decided = house.now();
    revokes(&school, &credential);
    house.wait(3_600);
    // Others are revoked meanwhile, which changes the list and not this.
    let other = text(&school.issues(&badge(&school.id, FAR))["id"]);
    revokes(&school, &other);
    let told = employer.finds(&code);
    assert_eq!(told["outcome"], "revoked");
    assert_eq!(told["since"], decided);
    assert_eq!(told["decidedBy"], "credential");
    assert_eq!(told["detail"], "the credential itself is revoked");
    assert_eq!(
        told["status"],
        json!([{ "purpose": "revocation", "outcome": "revoked" }])
    );
}

#[test]
fn a_code_is_told_again_and_replaced_and_withdrawn() {
    let house = House::open();
    let (school, credential) = school(&house);
    let employer = house.verifier();
    let [first] = school.prints(&[&credential]).try_into().unwrap();
    let events = house.engine.head().seq;
    assert_eq!(
        school.prints(&[&credential]),
        std::slice::from_ref(&first),
        "for a second print"
    );
    assert_eq!(house.engine.head().seq, events, "which changes nothing");

    let body = json!({ "credentialIds": [credential], "replace": true });
    let [second] = printed(&school.post("/credentials/codes", &body).is(200))
        .try_into()
        .unwrap();
    assert_ne!(second, first);
    assert_eq!(employer.finds(&second)["outcome"], "active");
    let replaced = employer.types(&first);

    let gone = school.withdraws(&credential).is(200).json();
    assert_eq!(gone, json!({ "withdrawn": [credential], "refused": [] }));
    let withdrawn = employer.types(&second);
    // One that never was: nobody can tell it from one that was.
    let never = VerificationCode::of_bits([7; 10]).to_string();
    let never = employer.types(&never);
    let problem = never.problem(404);
    assert_eq!(problem["type"], "urn:goodstanding:problem:unknown-code");
    let same = |answer: &Answer| {
        let mut headers = answer.headers.clone();
        headers.retain(|(name, _)| !name.starts_with("ratelimit"));
        (answer.status, headers, answer.body.clone())
    };
    assert_eq!(same(&replaced), same(&never));
    assert_eq!(same(&withdrawn), same(&never));

    // What is gone is gone, and the next one is another.
    let again = school.withdraws(&credential).problem(422);
    assert_eq!(again["detail"], "it has no code");
    let [third] = school.prints(&[&credential]).try_into().unwrap();
    assert!(third != first && third != second);
    assert_eq!(employer.finds(&third)["outcome"], "active");
    assert_eq!(employer.types(&second).status, 404);
}

#[test]
fn a_request_that_is_sent_again_is_told_the_same_codes_also_once_they_are_withdrawn() {
    let house = House::open();
    let (school, credential) = school(&house);
    let asks = |key: &str| {
        let body = json!({ "credentialIds": [credential], "replace": true });
        school
            .call("POST", "/credentials/codes")
            .key(key)
            .json(&body)
            .send()
    };
    let first = asks("one").is(200);
    assert_eq!(printed(&asks("one").is(200)), printed(&first));
    let second = asks("two").is(200);
    assert_ne!(printed(&second), printed(&first));
    school.withdraws(&credential).is(200);
    assert_eq!(printed(&asks("one").is(200)), printed(&first));
    assert_eq!(house.verifier().types(&printed(&first)[0]).status, 404);
}

/// Eight offices print the same diplomas at once: each diploma has one code, on every print.
#[test]
fn many_who_print_at_once_print_the_same() {
    let house = House::open();
    let (school, _) = school(&house);
    let list = school.opens_list("revocation");
    let ids: Vec<String> = (0..50).map(|number| format!("urn:x:{number}")).collect();
    let entries = json!({ "credentialIds": ids });
    school.post(&format!("{list}/entries"), &entries).is(200);
    let named: Vec<&str> = ids.iter().map(String::as_str).collect();
    let prints: Vec<Vec<String>> = thread::scope(|scope| {
        let offices: Vec<_> = (0..8)
            .map(|_| scope.spawn(|| school.prints(&named)))
            .collect();
        offices
            .into_iter()
            .map(|office| office.join().unwrap())
            .collect()
    });
    for print in &prints {
        assert_eq!(print, &prints[0]);
    }
    let events = school.get("/events?profile=school").is(200).json();
    let events = events["events"].as_array().unwrap();
    let handed = events
        .iter()
        .filter(|event| event["type"] == "codes.handed-out");
    assert_eq!(handed.count(), 1, "once");
}

#[test]
fn nobody_hands_out_a_code_for_what_is_another_s() {
    let house = House::open();
    let (school, credential) = school(&house);
    let other = house.registrar("other");
    let own = text(&other.issues(&badge(&other.id, FAR))["id"]);
    let body = json!({ "credentialIds": [credential, own] });
    let handed = other.post("/credentials/codes", &body).is(200).json();
    assert_eq!(handed["codes"][0]["credential"], own.as_str());
    assert_eq!(handed["codes"].as_array().unwrap().len(), 1);
    assert_eq!(handed["refused"][0]["item"], 0);
    let why = text(&handed["refused"][0]["reason"]);

    // Which is what is said of one that is nobody's, so that nobody learns who has which.
    let unknown = other.post(
        "/credentials/codes",
        &json!({ "credentialIds": ["urn:x:nobody"] }),
    );
    let problem = unknown.problem(422);
    assert_eq!(problem["detail"], why);
    let code = &school.prints(&[&credential])[0];
    assert_eq!(other.withdraws(&credential).problem(422)["detail"], why);
    assert_eq!(house.verifier().finds(code)["outcome"], "active");
    let body = json!({ "credentialIds": [own], "issuer": "school" });
    other.post("/credentials/codes", &body).problem(403);

    // The operator may, for whomever.
    let operator = house.operator();
    assert_eq!(operator.prints(&[&credential]), std::slice::from_ref(code));
    for (body, pointer) in [
        (json!({ "credentialIds": [] }), "/credentialIds"),
        (
            json!({ "credentialIds": vec!["urn:x:a"; 5_001] }),
            "/credentialIds",
        ),
        (
            json!({ "credentialIds": ["urn:x:a", "urn:x:a"] }),
            "/credentialIds/1",
        ),
        (
            json!({ "credentialIds": ["urn:x:a"], "issuer": "nobody" }),
            "/issuer",
        ),
    ] {
        let problem = operator.post("/credentials/codes", &body).problem(400);
        assert_eq!(problem["pointer"], pointer, "{problem}");
    }
}

#[test]
fn a_code_speaks_for_the_issuer_that_handed_it_out() {
    let house = House::open();
    let (school, _) = school(&house);
    let other = house.registrar("other");
    let mut unsigned = badge(&school.id, FAR);
    unsigned["id"] = "urn:x:both".into();
    school.issues(&unsigned);
    unsigned["issuer"] = other.id.as_str().into();
    other.issues(&unsigned);
    let operator = house.operator();
    let body = json!({ "credentialIds": ["urn:x:both"] });
    let problem = operator.post("/credentials/codes", &body).problem(422);
    assert!(
        text(&problem["detail"]).contains("name the issuer"),
        "{problem}"
    );
    let named = json!({ "credentialIds": ["urn:x:both"], "issuer": "school" });
    let of_school = printed(&operator.post("/credentials/codes", &named).is(200));
    let of_other = other.prints(&["urn:x:both"]);
    assert_ne!(of_school, of_other);

    let entry = json!({ "type": "BitstringStatusListEntry", "statusPurpose": "revocation" });
    let body = json!({ "credentialId": "urn:x:both", "credentialStatus": entry, "status": true });
    other.post("/credentials/status", &body).is(200);
    let employer = house.verifier();
    assert_eq!(employer.finds(&of_school[0])["outcome"], "active");
    let told = employer.finds(&of_other[0]);
    assert_eq!(
        (&told["outcome"], &told["issuer"]["id"]),
        (&json!("revoked"), &json!(other.id))
    );
}

#[test]
fn a_credential_that_is_over_says_since_when() {
    let house = House::open();
    let (school, _) = school(&house);
    let mut unsigned = badge(&school.id, FAR);
    unsigned["validUntil"] = "2026-03-02T00:00:00Z".into();
    let credential = text(&school.issues(&unsigned)["id"]);
    let code = &school.prints(&[&credential])[0];
    let employer = house.verifier();
    assert_eq!(employer.finds(code)["outcome"], "active");
    house.wait(86_400);
    let told = employer.finds(code);
    assert_eq!(told["outcome"], "expired");
    assert_eq!(told["since"], "2026-03-02T00:00:00Z");
}

/// A credential that was signed elsewhere, and only given an entry here: when it begins and ends is not known,
/// so that nobody is told that it is good; that it is revoked is known.
#[test]
fn a_code_for_what_was_not_issued_here_tells_what_is_known() {
    let house = House::open();
    let (school, _) = school(&house);
    let list = school.opens_list("revocation");
    let entries = json!({ "credentialIds": ["urn:x:paper"] });
    school.post(&format!("{list}/entries"), &entries).is(200);
    let code = &school.prints(&["urn:x:paper"])[0];
    let employer = house.verifier();
    let told = employer.finds(code);
    assert_eq!(told["outcome"], "unknown");
    assert!(
        text(&told["detail"]).contains("until when it holds is not known"),
        "{told}"
    );
    // Revoked by its id, before anything was issued under it.
    let updates = json!({ "updates": [{ "credentialId": "urn:x:paper", "status": 1 }] });
    school.post(&format!("{list}/updates"), &updates).is(200);
    assert_eq!(employer.finds(code)["outcome"], "revoked");
    let mut unsigned = badge(&school.id, FAR);
    unsigned["id"] = "urn:x:paper".into();
    school.issues(&unsigned);
    assert_eq!(
        employer.finds(code)["outcome"],
        "revoked",
        "issuing takes nothing back"
    );
}

#[test]
fn a_code_comes_with_the_credential_where_that_is_asked() {
    let house = House::open();
    let (school, _) = school(&house);
    let employer = house.verifier();
    for options in [
        json!({ "verificationCode": true }),
        json!({ "verificationCode": true, "securing": "vc+jwt" }),
        json!({ "verificationCode": true, "credentialId": "urn:x:named" }),
    ] {
        let body = json!({ "credential": badge(&school.id, FAR), "options": options });
        let call = school.call("POST", "/credentials/issue").json(&body);
        let key = options.to_string().len().to_string();
        let first = call.clone().key(&key).send().is(201);
        let issued = first.json();
        let code = &issued["verificationCode"];
        assert_eq!(
            employer.finds(code["code"].as_str().unwrap())["outcome"],
            "active"
        );
        if let Some(id) = issued["verifiableCredential"]["proof"]
            .as_object()
            .and(issued["verifiableCredential"]["id"].as_str())
        {
            assert_eq!(code["credential"], id);
        }
        let again = call.key(&key).send().is(201);
        assert_eq!(again.json(), issued);
        // It is the code of the credential, as handed out by itself.
        let credential = text(&code["credential"]);
        assert_eq!(school.prints(&[&credential]), [text(&code["code"])]);
    }
    let without = school.asks_to_issue(&badge(&school.id, FAR)).is(201);
    assert!(without.json().get("verificationCode").is_none());
}

#[test]
fn nothing_that_is_stored_tells_a_code_and_the_trail_tells_who_handed_it_out() {
    let house = House::open();
    let (school, credential) = school(&house);
    let body = json!({ "credentialIds": [credential] });
    let call = school
        .call("POST", "/credentials/codes")
        .key("k")
        .json(&body);
    let code = &printed(&call.send().is(200))[0];
    let parsed: VerificationCode = code.parse().unwrap();
    assert_eq!(parsed.to_string(), *code);
    let symbols: Vec<u8> = "0123456789ABCDEFGHJKMNPQRSTVWXYZ".bytes().collect();
    let joined = code.replace('-', "");
    let value = |symbol: u8| symbols.iter().position(|known| *known == symbol).unwrap();
    let values: Vec<u8> = joined.bytes().map(|symbol| value(symbol) as u8).collect();
    let bits = values[..15]
        .iter()
        .fold(0_u128, |all, value| all << 5 | u128::from(*value));
    let bytes = (bits << 5).to_be_bytes()[6..15].to_vec();
    for form in [
        code.as_bytes(),
        joined.as_bytes(),
        joined.to_lowercase().as_bytes(),
        &values,
        &bytes,
    ] {
        for (key, value) in house.store() {
            let row = [key, value].concat();
            assert!(
                !row.windows(form.len()).any(|part| part == form),
                "{row:x?}"
            );
        }
    }
    school.withdraws(&credential).is(200);
    let events = school.get("/events?profile=school").is(200).json();
    let events = events["events"].as_array().unwrap();
    let of = |kind: &str| events.iter().find(|event| event["type"] == kind).cloned();
    let handed = of("codes.handed-out").unwrap_or_else(|| panic!("{events:#?}"));
    let withdrawn = of("codes.withdrawn").unwrap();
    for event in [&handed, &withdrawn] {
        assert!(event.to_string().contains(&credential), "{event}");
        assert!(!event.to_string().contains(code.as_str()), "{event}");
    }
    assert!(
        withdrawn.to_string().contains("the diploma was lost"),
        "{withdrawn}"
    );
}

#[test]
fn a_whole_year_s_codes_are_handed_out_at_once_and_no_two_are_equal() {
    let house = House::open();
    let (school, _) = school(&house);
    let list = school.opens_list("revocation");
    let ids: Vec<String> = (0..5_000).map(|number| format!("urn:x:{number}")).collect();
    school
        .post(&format!("{list}/entries"), &json!({ "credentialIds": ids }))
        .is(200);
    let named: Vec<&str> = ids.iter().map(String::as_str).collect();
    let codes = school.prints(&named);
    assert_eq!(codes.iter().collect::<HashSet<_>>().len(), 5_000);
    assert_eq!(school.prints(&named[4_990..]), codes[4_990..]);
}

/// Behind one proxy, so that a test can come from many addresses.
fn rated(of_address: u32, in_all: u32) -> House {
    let rates = Rates {
        window: Ttl::from_seconds(60),
        codes_of_address: of_address,
        codes: in_all,
        proxies: 1,
        ..Rates::usual()
    };
    Plan::new()
        .within(|limits: &mut Limits| limits.rates = rates)
        .open()
}

fn guesses(house: &House, address: &str, number: u8) -> Answer {
    let code = VerificationCode::of_bits([number; 10]);
    let call = house.call("GET", &format!("/codes/{code}"));
    call.header("X-Forwarded-For", address).send()
}

#[test]
fn whoever_guesses_is_stopped_and_others_are_not() {
    let house = rated(3, 100);
    let (school, credential) = school(&house);
    let code = &school.prints(&[&credential])[0];
    for (number, left) in [(1, 2), (2, 1), (3, 0)] {
        let answer = guesses(&house, "192.0.2.7", number);
        answer.problem(404);
        let told = answer.header("ratelimit").unwrap();
        assert!(
            told.starts_with(&format!("\"address\";r={left};")),
            "{told}"
        );
    }
    let refused = guesses(&house, "192.0.2.7", 4);
    let problem = refused.problem(429);
    assert_eq!(problem["violated-policies"], json!(["address"]));
    assert_eq!(refused.header("retry-after"), Some("20"));
    // Also where the guess would be right, or is mistyped.
    let types = |address: &str, code: &str| {
        let call = house.call("GET", &format!("/codes/{code}"));
        call.header("X-Forwarded-For", address).send()
    };
    types("192.0.2.7", code).problem(429);
    types("192.0.2.7", "0000").problem(429);
    // What the guesser writes before the proxy does counts for nothing.
    types("203.0.113.9, 192.0.2.7", code).problem(429);
    types("198.51.100.1", code).is(200);
    house.wait(20);
    types("192.0.2.7", code).is(200);
    // A network of IPv6 is one.
    (1..=3).for_each(|n| drop(types(&format!("2001:db8:1:2::{n}"), code).is(200)));
    types("2001:db8:1:2:ffff::1", code).problem(429);
    types("2001:db8:1:3::1", code).is(200);
    // Nothing else is counted there.
    house.verifier().get("/profiles/school").is(200);
}

#[test]
fn many_who_guess_together_are_stopped_too() {
    let house = rated(3, 10);
    for number in 1..=10 {
        guesses(&house, &format!("192.0.2.{number}"), number).problem(404);
    }
    let refused = guesses(&house, "192.0.2.11", 11);
    let problem = refused.problem(429);
    assert_eq!(problem["violated-policies"], json!(["everybody"]));
    assert_eq!(refused.header("retry-after"), Some("6"));
    let said = text(&problem["detail"]);
    assert!(
        said.starts_with("too many requests by everybody together: come back in 6 s"),
        "{said}"
    );
    house.wait(6);
    guesses(&house, "192.0.2.11", 11).problem(404);
}

#[test]
fn a_code_is_looked_up_one_by_one_and_by_reading_alone() {
    let house = House::open();
    let (school, credential) = school(&house);
    let code = &school.prints(&[&credential])[0];
    let target = format!("/codes/{code}");
    let before = house.store();
    assert_eq!(house.call("HEAD", &target).send().status, 200);
    for (method, target, status) in [
        ("POST", target.as_str(), 405),
        ("GET", "/codes", 404),
        ("GET", "/codes/", 404),
        ("GET", "/credentials/codes", 405),
    ] {
        assert_eq!(
            house.call(method, target).send().status,
            status,
            "{method} {target}"
        );
    }
    // A page of anybody may ask, since everybody may.
    let asked = house
        .call("GET", &target)
        .header("Origin", "https://jobs.example")
        .send();
    assert_eq!(
        asked.is(200).header("access-control-allow-origin"),
        Some("*")
    );
    assert_eq!(house.store(), before);
}
