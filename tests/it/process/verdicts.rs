//! What `goodstanding verify` says of what nobody here issued, of what is wrapped, and where nobody
//! can be asked. The registry answers over HTTP, with a clock and randomness that the story holds, so
//! that ids and keys are the same each time.

use std::fs;
use std::path::Path;

use goodstanding::badges::baked::{Baked, bake};
use goodstanding::vc::did::DidKey;
use goodstanding::vc::keys::SigningKey;
use goodstanding::vc::proof::{self, ProofOptions};
use serde_json::{Value, json};
use tempfile::TempDir;

use super::program::{Ran, program, run};
use crate::support::actors::text;
use crate::support::house::{House, Plan, START};
use crate::support::jwt::enveloped;

const TUTORIAL: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/tutorial.md");
const PNG: &[u8] = include_bytes!("../../fuzz/seeds/png/plain.png");
const SVG: &[u8] = include_bytes!("../../fuzz/seeds/svg/plain.svg");

/// Runs the program in `folder`, as a client of `house`.
fn ask(house: &House, folder: &TempDir, args: &[&str]) -> Ran {
    let server = format!("http://{}", house.address);
    let mut command = program();
    command.args(args).args(["--server", &server]);
    run(command.current_dir(folder.path()), "")
}

/// Runs the program in `folder`, where nobody can be asked.
fn alone(folder: &TempDir, args: &[&str]) -> Ran {
    let mut command = program();
    // Whatever the defaults lead to, nothing listens there.
    command.env("GOODSTANDING_SERVER", "http://127.0.0.1:1");
    command.args(["verify", "--offline"]).args(args);
    run(command.current_dir(folder.path()), "")
}

fn write(folder: &TempDir, name: &str, document: &Value) {
    let text = serde_json::to_string_pretty(document).unwrap();
    fs::write(folder.path().join(name), text).unwrap();
}

/// The degree of the tutorial.
fn degree(id: &str, issuer: &str) -> Value {
    let tutorial = fs::read_to_string(TUTORIAL).expect("the tutorial is among the sources");
    let start = tutorial
        .find("    {\n      \"@context\"")
        .expect("the degree");
    let end = start + tutorial[start..].find("    JSON\n").expect("its end");
    let mut degree: Value = serde_json::from_str(&tutorial[start..end]).unwrap();
    degree["id"] = json!(id);
    degree["issuer"] = json!(issuer);
    degree
}

/// A degree that is signed with a key of the story.
pub(super) fn signed_elsewhere(issuer: &str, method: &str) -> Value {
    let mut unsigned = degree("https://other.example/degrees/1", issuer);
    unsigned["validFrom"] = json!("2026-01-01T00:00:00Z");
    let options = ProofOptions {
        created: Some("2026-01-01T00:00:00Z".parse().unwrap()),
        ..ProofOptions::new(method)
    };
    proof::sign(&unsigned, &options, &SigningKey::from_seed(&[7; 32])).unwrap()
}

/// Whoever makes a key can sign with it. That is told, and not taken for more.
#[test]
fn an_issuer_whom_nobody_knows_is_told_as_such() {
    let house = Plan::new().in_development().open();
    let folder = TempDir::new().unwrap();
    let did = DidKey::from(SigningKey::from_seed(&[7; 32]).public());
    let badge = signed_elsewhere(&did.to_string(), &did.method_url());
    write(&folder, "badge.json", &badge);
    let ran = ask(&house, &folder, &["verify", "badge.json"]).exits(0);
    insta::assert_snapshot!(ran.out, @r#"
    active: it is genuine and in force, but nothing is known here of its issuer
      id       https://other.example/degrees/1
      issuer   did:key:z6MkvDqGT54cXesYGvABpF1UapVNwjCqRcafi4Px6Thv5T3Z
      proof    verified
      backing  issuer: nothing is known of it here
               achievement: nothing is known of it here
    checks
      active   data-model  (document): well formed
      active   key         proof.verificationMethod: did:key:z6MkvDqGT54cXesYGvABpF1UapVNwjCqRcafi4Px6Thv5T3Z#z6MkvDqGT54cXesYGvABpF1UapVNwjCqRcafi4Px6Thv5T3Z is a key of did:key:z6MkvDqGT54cXesYGvABpF1UapVNwjCqRcafi4Px6Thv5T3Z
                           key  --6IM5l0OosLj9yWskISYhUA3n_3CURQkmrYMSha_ck
      active   proof       proof: the signature is good, read with the newest contexts
      active   status      credentialStatus: it has no status entry, so it cannot be revoked
      active   validity    validFrom: within its period
      unknown  registry    issuer: nothing is known of it here
      unknown  registry    credentialSubject.achievement: nothing is known of it here
    "#);
}

#[test]
fn a_jwt_and_images_are_read_like_json() {
    let house = House::open();
    let folder = TempDir::new().unwrap();
    let school = house.registrar("school");
    let degree = degree("https://university.example/degrees/1", &school.id);
    let json = school.issues(&degree).to_string();
    let body = json!({ "credential": degree, "options": { "securing": "vc+jwt" } });
    let issued = school.post("/credentials/issue", &body).is(201).json();
    let jwt = enveloped(&issued["verifiableCredential"]);
    for (name, bytes) in [
        ("degree.jwt", jwt.clone().into_bytes()),
        ("envelope.json", issued.to_string().into_bytes()),
        ("json.png", bake(PNG, &Baked::Json(json.clone())).unwrap()),
        ("jwt.png", bake(PNG, &Baked::Jwt(jwt.clone())).unwrap()),
        ("json.svg", bake(SVG, &Baked::Json(json)).unwrap()),
        ("jwt.svg", bake(SVG, &Baked::Jwt(jwt)).unwrap()),
    ] {
        fs::write(folder.path().join(name), bytes).unwrap();
        let said = ask(&house, &folder, &["verify", name]).exits(0).out;
        assert!(
            said.starts_with("active: it is genuine and in force, but"),
            "{name}: {said}"
        );
    }
    fs::write(folder.path().join("plain.png"), PNG).unwrap();
    ask(&house, &folder, &["verify", "plain.png"])
        .exits(2)
        .explains(&["cannot read plain.png: the image: "]);
}

/// A badge, and what an archive keeps beside it: the DID document and the list, as served.
fn archive(house: &House, folder: &TempDir) -> (Value, String) {
    let school = house.registrar("school");
    let badge = school.issues(&degree("https://university.example/degrees/1", &school.id));
    write(folder, "badge.json", &badge);
    let did = school.get("/profiles/school/did.json").is(200).json();
    fs::create_dir(folder.path().join("kept")).unwrap();
    write(folder, "kept/did.json", &did);
    let list = text(&badge["credentialStatus"]["statusListCredential"]);
    let keep = || write(folder, "kept/list.json", &school.get(&list).is(200).json());
    keep();
    let key = did["verificationMethod"][0]["publicKeyMultibase"].clone();
    (badge, format!("{}={}", school.id, text(&key)))
}

#[test]
fn offline_the_given_documents_decide() {
    let house = House::open();
    let folder = TempDir::new().unwrap();
    let (badge, pin) = archive(&house, &folder);
    let here = Path::new("kept");
    let did = here.join("did.json").display().to_string();
    let list = here.join("list.json").display().to_string();
    let now = ["badge.json", "--at", START];

    let with = |more: &[&str]| alone(&folder, &[&now[..], more].concat());
    with(&["--document", "kept"]).exits(0);
    with(&["--document", &did, "--document", &list]).exits(0);
    let said = with(&[]).exits(2).out;
    assert!(
        said.starts_with("unreachable: whether it is genuine could not"),
        "{said}"
    );
    assert!(said.contains("offline nobody is asked"), "{said}");
    let said = with(&["--document", &did]).exits(2).out;
    assert!(
        said.starts_with("unreachable: it is genuine, but"),
        "{said}"
    );
    // A key that is trusted is enough for the badge, but not for what has come of it.
    let said = with(&["--pin", &pin]).exits(2).out;
    assert!(
        said.starts_with("unreachable: it is genuine, but"),
        "{said}"
    );
    with(&["--pin", &pin, "--document", &list]).exits(0);
    let early = [
        "badge.json",
        "--at",
        "2020-01-01T00:00:00Z",
        "--document",
        "kept",
    ];
    let said = alone(&folder, &early).out;
    assert!(!said.starts_with("active"), "{said}");

    let change = json!({
        "credentialId": badge["id"], "status": true,
        "credentialStatus": { "type": "BitstringStatusListEntry", "statusPurpose": "revocation" },
    });
    house
        .operator()
        .post("/credentials/status", &change)
        .is(200);
    let address = text(&badge["credentialStatus"]["statusListCredential"]);
    let revoked = house.verifier().get(&address).is(200).json();
    write(&folder, "kept/list.json", &revoked);
    let ran = with(&["--document", "kept", "--json"]).exits(1);
    assert_eq!(ran.json()["outcome"], "revoked");
}
