//! What there is in the registries of the stories.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use goodstanding::badges::baked::{Baked, bake};
use goodstanding::http::Operations;
use goodstanding::store::memory::{Fault, MemoryEngine};
use goodstanding::web::qr;
use serde_json::{Value, json};

use crate::support::actors::{Actor, badge, text};
use crate::support::house::{House, Plan, clock};
use crate::support::jwt::{check, enveloped};

const PNG: &[u8] = include_bytes!("../../fuzz/seeds/png/plain.png");
const SVG: &[u8] = include_bytes!("../../fuzz/seeds/svg/plain.svg");

/// Who holds the credentials of the hiring manager's story.
const HOLDER: &str = "Ada Lovelace";

/// What a story finds, for as long as this lives.
pub(super) struct Scene {
    /// Its file in `tests/interop/browser/stories`, without the ending.
    pub(super) story: &'static str,
    /// What it is told: `url` of the registry, and more.
    pub(super) told: Value,
    _houses: Vec<House>,
    /// Addresses for operators, which are open as long.
    _operations: Vec<Operations>,
}

/// One for each story.
pub(super) fn all() -> Vec<Scene> {
    vec![
        visitor(),
        officer(),
        registrar(),
        manager(),
        operator(),
        developer(),
        codes(),
    ]
}

fn open() -> House {
    Plan::new().at_its_address().open()
}

/// A school that a board endorses, with what it gives.
fn visitor() -> Scene {
    let house = open();
    let (board, school) = (house.accreditor("board"), house.registrar("school"));
    let welding = school.defines("Welding");
    let endorsement = board.endorses(&school.id, "profile", false);
    board.endorses(&welding, "achievement", false);
    school.issues(&badge(&school.id, &welding));
    let name = "</script><!--<script>alert(1)//\"'&";
    let hostile =
        json!({ "slug": "hostile", "name": name, "roles": ["issuer"], "issuerId": "did:web" });
    house.operator().post("/profiles", &hostile).is(201);
    let told = json!({
        "url": house.origin(),
        "hostile": { "name": name, "page": "/profiles/hostile" },
        "school": "The school",
        "achievement": welding,
        "endorsement": text(&endorsement["id"]),
    });
    Scene {
        story: "visitor",
        told,
        _houses: vec![house],
        _operations: Vec::new(),
    }
}

/// A school that asks a board three times, and somebody of the board who was invited.
fn officer() -> Scene {
    let house = open();
    let (board, school) = (house.accreditor("board"), house.registrar("school"));
    let (welding, sewing) = (school.defines("Welding"), school.defines("Sewing"));
    let asks = |name: &str, subject: &str, kind: &str| {
        let body = json!({
            "accreditor": "board", "requester": "school", "name": name,
            "comment": "We teach welding.",
            "subject": { "id": subject, "kind": kind },
        });
        let made = school.post("/endorsement-requests", &body).is(201).json();
        let id = text(&made["id"]);
        format!(
            "/console/requests/{}",
            id.rsplit('/').next().unwrap_or_default()
        )
    };
    let told = json!({
        "url": house.origin(),
        "invitations": { "ada": invitation(&board, "ada@board.example", "endorser") },
        "request": asks("Accredited", &school.id, "profile"),
        "second": { "page": asks("Accredited again", &welding, "achievement"), "name": "Accredited again" },
        "third": asks("Accredited in German", &sewing, "achievement"),
    });
    Scene {
        story: "officer",
        told,
        _houses: vec![house],
        _operations: Vec::new(),
    }
}

/// A school that has issued, and has a list of which entries can be suspended.
fn registrar() -> Scene {
    let house = open();
    let (board, school) = (house.accreditor("board"), house.registrar("school"));
    board.endorses(&school.id, "profile", false);
    let welding = school.defines("Welding");
    let issued = school.issues(&badge(&school.id, &welding));
    school.issues(&badge(&school.id, &welding));
    let suspendable = school.opens_list("suspension");
    let told = json!({
        "url": house.origin(),
        "invitation": invitation(&school, "sam@school.example", "owner"),
        "credential": text(&issued["id"]),
        "indexes": school.allocates(&suspendable, 3),
        "suspendable": suspendable,
    });
    Scene {
        story: "registrar",
        told,
        _houses: vec![house],
        _operations: Vec::new(),
    }
}

/// A registry that is well, with somebody who keeps an eye on its lists, and one whose disk is full.
fn operator() -> Scene {
    let house = open();
    let (board, school) = (house.accreditor("board"), house.registrar("school"));
    board.endorses(&school.id, "profile", false);
    let welding = school.defines("Welding");
    school.issues(&badge(&school.id, &welding));
    let list = school.opens_list("suspension");
    school.allocates(&list, 3);

    let (now, engine) = (clock(), Arc::new(MemoryEngine::new(clock())));
    let full = Plan::over(engine.clone(), now).at_its_address().open();
    let filled = full.registrar("school");
    let before = filled.opens_list("revocation");
    engine.set_fault_hook(|_, _| Fault::NoSpace);
    // Whoever changes something finds out.
    let refused = json!({ "issuer": filled.id, "statusPurpose": "revocation" });
    filled.post("/status-lists", &refused).is(503);

    let operations = [&house, &full].map(House::opens_operations);
    let at = |which: usize| format!("http://{}", operations[which].address);
    let told = json!({
        "url": house.origin(),
        "operations": at(0),
        "invitation": invitation(&school, "olga@school.example", "owner"),
        "full": { "url": full.origin(), "operations": at(1), "list": before },
    });
    Scene {
        story: "operator",
        told,
        _houses: vec![house, full],
        _operations: operations.into(),
    }
}

/// A registry with something to ask after.
fn developer() -> Scene {
    let house = open();
    let (board, school) = (house.accreditor("board"), house.registrar("school"));
    board.endorses(&school.id, "profile", false);
    let list = school.opens_list("revocation");
    let told = json!({ "url": house.origin(), "list": list, "school": school.id });
    Scene {
        story: "developer",
        told,
        _houses: vec![house],
        _operations: Vec::new(),
    }
}

/// A school that a board endorses, and what its pupils hand in: a text, a picture, a paper.
fn manager() -> Scene {
    let house = open();
    let (board, school) = (house.accreditor("board"), house.registrar("school"));
    board.endorses(&school.id, "profile", false);
    let welding = school.defines("Welding");
    let entry =
        |purpose: &str| json!({ "type": "BitstringStatusListEntry", "statusPurpose": purpose });
    let issues = |securing: &str| {
        let mut unsigned = badge(&school.id, &welding);
        unsigned["credentialStatus"] = json!([entry("revocation"), entry("suspension")]);
        unsigned["credentialSubject"]["identifier"] = json!([{
            "type": "IdentityObject", "hashed": false, "identityType": "name", "identityHash": HOLDER,
        }]);
        let body = json!({ "credential": unsigned, "options": { "securing": securing } });
        let issued = school.post("/credentials/issue", &body).is(201).json();
        issued["verifiableCredential"].clone()
    };
    let (pasted, on_paper) = (issues("eddsa-jcs-2022"), issues("vc+jwt"));
    let suspended = issues("eddsa-jcs-2022");
    let body = json!({
        "credentialId": suspended["id"], "credentialStatus": entry("suspension"), "status": true,
    });
    school.post("/credentials/status", &body).is(200);
    let baked = Baked::Json(issues("eddsa-rdfc-2022").to_string());
    let drawing = bake(SVG, &Baked::Json(pasted.to_string())).expect("the drawing is sound");
    let credential = text(&pasted["id"]);
    let jwt = text(&on_paper["id"]);
    let id = check(enveloped(&on_paper).as_str(), &keys(&school)).credential["id"].clone();
    let printed = school.post("/credentials/codes", &json!({ "credentialIds": [id] }));
    let told = json!({
        "url": house.origin(),
        "holder": HOLDER,
        "pasted": pasted.to_string(),
        "credential": credential,
        "jwt": jwt.rsplit(',').next(),
        "suspended": suspended.to_string(),
        "drawing": String::from_utf8_lossy(&drawing),
        "picture": STANDARD.encode(bake(PNG, &baked).expect("the picture is sound")),
        "code": printed.is(200).json()["codes"][0]["code"],
        "invitation": invitation(&school, "sam@school.example", "owner"),
    });
    Scene {
        story: "manager",
        told,
        _houses: vec![house],
        _operations: Vec::new(),
    }
}

fn keys(actor: &Actor<'_>) -> Value {
    let target = format!("/profiles/{}/jwks.json", actor.slug);
    actor.get(&target).is(200).json()
}

/// QR codes a short one and the longest; nobody is asked anything.
fn codes() -> Scene {
    let texts = [
        "https://prüfstelle.example/check?code=7K3M-2QXW-9PTR-4HVC&lang=de".to_owned(),
        "x".repeat(666),
    ];
    let codes = texts.map(|text| {
        let svg = qr::svg(&text, "What is in it").expect("it is short enough");
        json!({ "text": text, "svg": svg })
    });
    Scene {
        story: "codes",
        told: json!({ "url": "http://127.0.0.1:9", "codes": codes }),
        _houses: Vec::new(),
        _operations: Vec::new(),
    }
}

/// What somebody is handed who is invited.
fn invitation(by: &Actor<'_>, email: &str, role: &str) -> String {
    let body = json!({ "name": "Ada", "email": email, "role": role });
    let target = format!("/profiles/{}/people", by.slug);
    text(&by.post(&target, &body).is(201).json()["invitation"])
}
