//! What was signed is there after a stop and a start, to the last byte.

use serde_json::{Value, json};

use super::client::Client;
use super::folder::Folder;
use super::signed_list::SignedList;
use super::standing::{
    ACCREDITOR, ISSUER, achievement, endorse, entries, list, look_up, path, profile, revocation,
    unsigned_badge,
};

/// What a reader keeps of an answer.
fn kept(registry: &Client, path: &str) -> (u16, Vec<u8>, Option<String>) {
    let reply = registry.get(path);
    let tag = reply.headers.get("etag");
    let tag = tag.map(|tag| tag.to_str().unwrap().to_owned());
    (reply.status, reply.body, tag)
}

#[test]
fn everything_signed_is_there_after_a_restart() {
    let folder = Folder::prepared();
    let server = folder.serve(&[]);
    let registry = folder.operator(&server);
    let college = profile(&registry, ISSUER, "issuer");
    let board = profile(&registry, ACCREDITOR, "accreditor");
    let first_aid = achievement(&registry, ISSUER);
    let list = list(&registry, ISSUER);
    let index = entries(&registry, &list, 1)[0];
    let of_college = endorse(&registry, &json!(college), "profile");
    let of_first_aid = endorse(&registry, &first_aid, "achievement");
    let badge = unsigned_badge("urn:uuid:d3a1b1a4-0001", &college, &first_aid);
    let issued = registry.post("/credentials/issue", &json!({ "credential": badge }));
    let mut issued = issued.json(201);
    let badge = json!({ "verifiableCredential": issued["verifiableCredential"].take() });
    let suspend = format!("{}/suspend", path(&of_first_aid["id"]));
    registry.post(&suspend, &json!({})).json(200);
    registry
        .post(&format!("{list}/updates"), &revocation(index))
        .json(200);
    // Told to stop with publications still to come: they are made now, or at the next start.
    server.stop().in_order();

    let server = folder.serve(&[]);
    let registry = folder.operator(&server);
    let signed = SignedList::fetch(&registry, &list);
    assert!(signed.is_set(index) && signed.count() == 1);
    let suspensions = path(&of_first_aid["credentialStatus"][1]["statusListCredential"]);
    assert_eq!(SignedList::fetch(&registry, &suspensions).count(), 1);
    let paths = [
        format!("/profiles/{ISSUER}"),
        format!("/profiles/{ACCREDITOR}"),
        format!("/profiles/{ISSUER}/did.json"),
        format!("/profiles/{ACCREDITOR}/did.json"),
        format!("/profiles/{ISSUER}/jwks.json"),
        path(&first_aid),
        path(&of_college["id"]),
        path(&of_first_aid["id"]),
        list.clone(),
        suspensions,
    ];
    let before: Vec<_> = paths.iter().map(|path| kept(&registry, path)).collect();
    for (path, (status, _, tag)) in paths.iter().zip(&before) {
        assert_eq!(*status, 200, "{path}");
        assert!(tag.is_some() || path.ends_with("jwks.json"), "{path}");
    }
    let verdicts = verdicts(&registry, &badge);
    assert_eq!(verdicts[0]["outcome"], "active", "{verdicts:?}");
    let standing = look_up(&registry, &list, &[index]);
    let endorsements = endorsements(&registry, &college);
    assert_eq!(endorsements[0]["endorser"], json!(board));
    server.stop().in_order();

    let server = folder.serve(&[]);
    let registry = folder.operator(&server);
    for (path, before) in paths.iter().zip(&before) {
        assert_eq!(&kept(&registry, path), before, "{path}");
    }
    assert_eq!(self::verdicts(&registry, &badge), verdicts);
    assert_eq!(look_up(&registry, &list, &[index]), standing);
    assert_eq!(self::endorsements(&registry, &college), endorsements);
    // What was signed before is what was handed out then, and others find its key in did.json.
    let shown = registry.get(&path(&of_college["id"])).json(200);
    assert_eq!(shown, of_college);
    let did_document = registry.get(&format!("/profiles/{ACCREDITOR}/did.json"));
    for peer in crate::support::peers::peers() {
        let did_document = did_document.json(200);
        let asked = json!({"controllers": [did_document], "now": shown["validFrom"]});
        let report = peer.verify_with(&shown, &asked);
        assert!(report.verified, "{}: {report:?}", peer.name);
    }
    // And the keys that sign are the same, too.
    let another = endorse(&registry, &json!(college), "profile");
    assert_eq!(
        another["proof"]["verificationMethod"],
        of_college["proof"]["verificationMethod"]
    );
    server.stop().in_order();
}

/// The parts of the verifier's answer that do not name the moment.
fn verdicts(registry: &Client, credential: &Value) -> [Value; 2] {
    let mut verdict = registry.post("/credentials/verify", credential).json(200);
    [
        json!({ "outcome": verdict["outcome"] }),
        verdict["report"].take(),
    ]
}

fn endorsements(registry: &Client, subject: &str) -> Value {
    let path = format!("/endorsements?subject={subject}");
    registry.get(&path).json(200)["endorsements"].take()
}
