//! The check page, as a hiring manager uses it: what they have of a credential goes into one field, and what comes
//! back is read without knowing anything of signatures.

mod forms;
mod hostile;

use serde_json::{Value, json};

use crate::support::actors::{Actor, badge, text};
use crate::support::client::Answer;
use crate::support::house::{House, Plan};

const FAR: &str = "https://far.example/welding";
const BOUNDARY: &str = "----WebKitFormBoundary7MA4YWxkTrZu0gW";

/// A form as browsers send it: its text, and its file.
fn form(typed: &str, file: Option<(&str, &[u8])>) -> Vec<u8> {
    let (name, content) = file.unwrap_or(("", b""));
    let mut body = format!(
        "--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"credential\"\r\n\r\n{typed}\r\n\
         --{BOUNDARY}\r\nContent-Disposition: form-data; name=\"file\"; filename=\"{name}\"\r\n\
         Content-Type: application/octet-stream\r\n\r\n"
    )
    .into_bytes();
    body.extend(content);
    body.extend(format!("\r\n--{BOUNDARY}--\r\n").bytes());
    body
}

fn multipart() -> String {
    format!("multipart/form-data; boundary={BOUNDARY}")
}

impl House {
    /// Somebody pastes this into the form.
    fn pastes(&self, typed: &str) -> Answer {
        self.sends(&form(typed, None), "en")
    }

    /// Somebody uploads this file.
    fn uploads(&self, name: &str, file: &[u8]) -> Answer {
        self.sends(&form("", Some((name, file))), "en")
    }

    fn sends(&self, body: &[u8], language: &str) -> Answer {
        let call = self.call("POST", "/check").header("Accept", "text/html");
        let call = call.header("Accept-Language", language);
        call.body(&multipart(), body).send()
    }

    /// Somebody opens the address of an answer.
    fn opens(&self, target: &str) -> Answer {
        let call = self.call("GET", target).header("Accept", "text/html");
        call.send()
    }

    /// As [`House::pastes`] goes on where the answer leads.
    fn pastes_and_follows(&self, typed: &str) -> Answer {
        let answer = self.pastes(typed).is(303);
        self.opens(answer.header("location").expect("it leads on"))
    }
}

/// The heading: the answer in a few words, without its sign.
#[track_caller]
fn verdict(page: &Answer) -> String {
    let text = page.text();
    let heading = text.split("<h1 id=\"verdict-title\">").nth(1);
    let heading = heading.unwrap_or_else(|| panic!("no verdict: {text}"));
    let heading = heading.split("</h1>").next().unwrap();
    let (_, words) = heading
        .split_once("</span> ")
        .expect("a sign stands before");
    words.to_owned()
}

/// What is wrong with what was given.
#[track_caller]
fn trouble(page: &Answer) -> String {
    let text = page.text();
    let heading = text.split("<h2 id=\"trouble-title\">").nth(1);
    let heading = heading.unwrap_or_else(|| panic!("no trouble: {text}"));
    assert!(
        text.contains("action=\"/check\""),
        "the form is there again"
    );
    heading.split("</h2>").next().unwrap().to_owned()
}

/// The names on the path, from the credential up.
fn path(page: &Answer) -> Vec<String> {
    let text = page.text();
    let list = text.split("<ol class=\"path").nth(1).expect("a path");
    let list = list.split("</ol>").next().unwrap();
    let names = list.split("<li").skip(1).map(|step| {
        let start = ["<a ", "<strong", "<span class=\"id\""].into_iter();
        let start = start
            .filter_map(|tag| step.find(tag))
            .min()
            .expect("a name");
        let name = step[start..].split_once('>').unwrap().1;
        name.split('<').next().unwrap().to_owned()
    });
    names.collect()
}

/// A school that a board stands behind, and a credential of it.
fn school(house: &House) -> (Actor<'_>, Actor<'_>, Value) {
    let (school, board) = (house.registrar("school"), house.accreditor("board"));
    board.endorses(&school.id, "profile", true);
    let credential = school.issues(&badge(&school.id, FAR));
    (school, board, credential)
}

fn sets(school: &Actor<'_>, credential: &Value, purpose: &str, status: bool) {
    let entry = json!({ "type": "BitstringStatusListEntry", "statusPurpose": purpose });
    let body = json!({
        "credentialId": credential["id"], "credentialStatus": entry, "status": status,
    });
    school.post("/credentials/status", &body).is(200);
}

#[test]
fn a_hiring_manager_pastes_a_diploma_and_reads_how_it_stands() {
    let house = House::open();
    let front = house.opens("/").is(200).text();
    assert!(front.contains("<form id=\"check\" method=\"post\" action=\"/check\""));
    assert!(front.contains("is sent to this registry, checked, and forgotten"));
    let (school, _, credential) = school(&house);

    let page = house.pastes(&credential.to_string()).is(200);
    assert_eq!(verdict(&page), "In good standing");
    assert_eq!(path(&page), ["Welding, level 2", "The school", "The board"]);
    let shown = page.text();
    assert!(
        shown.contains("<a href=\"/profiles/school\">The school</a>"),
        "{shown}"
    );
    assert!(shown.contains(&school.id));
    assert!(shown.contains("Trusted here as an anchor"));
    assert!(shown.contains("neither stored nor logged"));
    assert!(shown.contains("1 March 2026, 09:00 UTC"));
    // For experts.
    let details = shown.split("<details id=\"details\">").nth(1).unwrap();
    for told in [
        "OpenBadgeCredential",
        "eddsa-rdfc-2022",
        "revocation",
        "&#34;decidedBy&#34;",
    ] {
        assert!(details.contains(told), "{told} is not in {details}");
    }

    // The registrar's revocation is there at once, with its day.
    house.wait(3 * 86_400);
    sets(&school, &credential, "revocation", true);
    let page = house.pastes(&credential.to_string()).is(200);
    assert_eq!(verdict(&page), "Revoked on 4 March 2026");
    assert!(page.text().contains("Do not rely on it"));
    assert!(
        page.text()
            .contains("Since <time datetime=\"2026-03-04T09:00:00Z\">")
    );
    let german = house
        .sends(&form(&credential.to_string(), None), "de")
        .is(200);
    assert_eq!(verdict(&german), "Widerrufen am 4. März 2026");
    assert!(german.text().contains("<html lang=\"de\">"));
}

#[test]
fn each_way_not_to_be_in_good_standing_has_its_own_words() {
    let house = House::open();
    let (school, board, good) = school(&house);
    let of_school = |changes: Value| {
        let mut unsigned = badge(&school.id, FAR);
        unsigned
            .as_object_mut()
            .unwrap()
            .extend(changes.as_object().unwrap().clone());
        school.issues(&unsigned)
    };
    let entry = json!({ "type": "BitstringStatusListEntry", "statusPurpose": "suspension" });
    let suspended = of_school(json!({ "credentialStatus": entry }));
    sets(&school, &suspended, "suspension", true);
    let expired = of_school(json!({ "validUntil": "2026-03-01T10:00:00Z" }));
    let early = of_school(json!({ "validFrom": "2026-06-01T00:00:00Z" }));
    let mut forged = good.clone();
    forged["credentialSubject"]["achievement"]["name"] = "Welding, level 9".into();
    let mut unsigned = good.clone();
    unsigned.as_object_mut().unwrap().shift_remove("proof");
    let lone = house.registrar("lone");
    let unbacked = lone.issues(&badge(&lone.id, FAR));
    house.wait(7_200);
    let words = |credential: &Value| verdict(&house.pastes(&credential.to_string()).is(200));
    assert_eq!(words(&good), "In good standing");
    assert_eq!(words(&suspended), "Suspended on 1 March 2026");
    assert_eq!(words(&expired), "Expired on 1 March 2026");
    assert_eq!(words(&early), "Not valid yet");
    assert_eq!(words(&forged), "Not genuine");
    assert_eq!(words(&unsigned), "Not known to be genuine");
    assert_eq!(
        words(&unbacked),
        "Nobody trusted here stands behind the issuer"
    );
    // What a forger writes is not shown as what it is, nor by whom.
    let page = house.pastes(&forged.to_string()).text();
    let above = page.split("<details id=\"details\">").next().unwrap();
    assert!(
        !above.contains("level 9") && !above.contains("/profiles/school"),
        "{above}"
    );

    // What stands behind the issuer falls.
    let operator = house.operator();
    operator
        .post(&format!("/profiles/{}/suspend", board.slug), &json!({}))
        .is(200);
    assert_eq!(words(&good), "The issuer’s endorsement is suspended");
    operator
        .post(&format!("/profiles/{}/revoke", board.slug), &json!({}))
        .is(200);
    assert_eq!(words(&good), "The issuer has lost its endorsement");
}

#[test]
fn who_is_trusted_as_an_anchor_is_shown_as_one() {
    let house = House::open();
    school(&house);
    let front = house.opens("/").is(200).text();
    let board = front
        .split("href=\"/profiles/board\"")
        .nth(1)
        .expect("the board");
    let board = board.split("</li>").next().unwrap();
    assert!(board.contains("Trusted here as an anchor"), "{board}");
    assert!(
        !board.contains("not endorsed") && !board.contains("nobody endorses"),
        "{board}"
    );
    let school = front.split("href=\"/profiles/school\"").nth(1).unwrap();
    let school = school.split("</li>").next().unwrap();
    assert!(
        school.contains("In good standing") && !school.contains("anchor"),
        "{school}"
    );
    // Who is trusted no more is none.
    house
        .operator()
        .post("/profiles/board/suspend", &json!({}))
        .is(200);
    let front = house.opens("/").is(200).text();
    assert!(!front.contains("Trusted here as an anchor"));

    let elsewhere = "did:web:national.example";
    let house = Plan::new().trusting(&[elsewhere]).open();
    let (_, _, credential) = self::school(&house);
    assert!(
        !house
            .opens("/")
            .is(200)
            .text()
            .contains("Trusted here as an anchor")
    );
    let page = house.pastes(&credential.to_string()).is(200);
    assert_eq!(
        verdict(&page),
        "Nobody trusted here stands behind the issuer"
    );
    assert!(!page.text().contains("Trusted here as an anchor"));
}

#[test]
fn an_answer_is_for_who_asked_and_for_no_search_engine() {
    let house = Plan::new().in_development().open();
    let (_, _, credential) = school(&house);
    let id = text(&credential["id"]);
    let by_id = format!("/check?credential={}", id.replace(':', "%3A"));
    for answer in [
        house.opens(&by_id),
        house.pastes(&credential.to_string()),
        house
            .call("GET", &by_id)
            .header("Accept", "application/json")
            .send(),
    ] {
        let answer = answer.is(200);
        assert_eq!(answer.header("cache-control"), Some("no-store"));
        assert_eq!(answer.header("referrer-policy"), Some("no-referrer"));
        assert_eq!(answer.header("x-robots-tag"), Some("noindex"));
    }
    let page = house.opens(&by_id).text();
    assert!(page.contains("<meta name=\"robots\" content=\"noindex\">"));
    // The form is on the front page, whose browser says that it is sent from here.
    assert_eq!(
        house.opens("/").header("referrer-policy"),
        Some("same-origin")
    );
    assert!(!page.contains("<form"));
}
