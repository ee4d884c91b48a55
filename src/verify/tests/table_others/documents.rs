//! Controller documents, keys that were revoked, and keys that are pinned.

use super::names::Named;
use super::*;

const METHOD: &str = "/proof/verificationMethod";

/// By the college, whose controller document stands at its URL.
fn named() -> Named {
    Named::of(college(), Web::of_college())
}

/// A row that changes one place of the controller document.
fn document(name: &'static str, pointer: &str, value: Value, expected: Wanted) -> Row {
    let spoil = |badge: &mut Named| {
        let mut document = college().document();
        let (parent, member) = pointer.rsplit_once('/').unwrap();
        let parent = document.pointer_mut(parent).unwrap();
        match value {
            Value::Null => without(parent, member),
            value => parent[member] = value,
        }
        badge.web.serve(&college().id, document);
    };
    row(name, named, spoil, expected)
}

pub(super) fn rows() -> Vec<Row> {
    [identity(), dates(), keys(), revoked(), pinned()]
        .into_iter()
        .flatten()
        .collect()
}

fn identity() -> Vec<Row> {
    let key = "/verificationMethod/0";
    let at_key = |member: &str| format!("{key}/{member}");
    let bad = |code| refused_at(code, METHOD);
    let other = json!("https://other.example/profile");
    vec![
        document(
            "the document is another's",
            "/id",
            other.clone(),
            bad("key-document-id"),
        ),
        document(
            "the document has no id",
            "/id",
            Value::Null,
            bad("key-document-id"),
        ),
        document(
            "the document's id with a slash more",
            "/id",
            json!("https://college.example/profile/"),
            bad("key-document-id"),
        ),
        document(
            "the key has another id",
            &at_key("id"),
            json!("https://other.example/profile#key-1"),
            bad("key-method-id"),
        ),
        document(
            "the key's id is its fragment",
            &at_key("id"),
            json!("#key-1"),
            good(),
        ),
        document(
            "the key has another controller",
            &at_key("controller"),
            other,
            bad("key-controller"),
        ),
        document(
            "the key has no controller",
            &at_key("controller"),
            Value::Null,
            bad("key-controller"),
        ),
        document(
            "the key was taken out",
            "/verificationMethod",
            json!([]),
            bad("key-missing"),
        ),
        document(
            "the key is for nothing",
            "/assertionMethod",
            Value::Null,
            bad("key-purpose"),
        ),
        document(
            "the key is for presentations only",
            "/assertionMethod",
            json!([]),
            bad("key-purpose"),
        ),
        document(
            "the key is listed for another document",
            "/assertionMethod",
            json!(["https://other.example/profile#key-1"]),
            bad("key-purpose"),
        ),
        document(
            "two keys of one id",
            "/authentication",
            json!([{"id": "#key-1", "type": "Multikey", "publicKeyMultibase": forger().key.public().to_multikey()}]),
            bad("key-ambiguous"),
        ),
        document(
            "the document is of a forger's key",
            &at_key("publicKeyMultibase"),
            json!(forger().key.public().to_multikey()),
            refused_at("signature-bad", "/proof"),
        ),
        row(
            "the document is an array",
            named,
            |badge| {
                badge
                    .web
                    .serve(&college().id, json!([college().document()]))
            },
            bad("key-document-id"),
        ),
    ]
}

fn dates() -> Vec<Row> {
    let bad = |code| refused_at(code, METHOD);
    // `created` of the proof is 2026-01-01, before each of these.
    let (past, future) = (json!("2026-03-01T00:00:00Z"), json!("2026-12-01T00:00:00Z"));
    let expires = "/verificationMethod/0/expires";
    let revoked = "/verificationMethod/0/revoked";
    vec![
        document(
            "the key has expired since it is said to have signed",
            expires,
            past.clone(),
            bad("key-expired"),
        ),
        document(
            "the key expires at this moment",
            expires,
            json!("2026-06-01T00:00:00Z"),
            bad("key-expired"),
        ),
        document("the key expires later", expires, future.clone(), good()),
        document(
            "the key was revoked since it is said to have signed",
            revoked,
            past,
            bad("key-revoked"),
        ),
        document("the key is to be revoked later", revoked, future, good()),
        document(
            "the key was revoked at no moment",
            revoked,
            json!("yes"),
            bad("key-date"),
        ),
        document(
            "the key was revoked, true",
            revoked,
            json!(true),
            bad("key-date"),
        ),
        document(
            "the key expires at a number",
            expires,
            json!(1_900_000_000),
            bad("key-date"),
        ),
    ]
}

fn keys() -> Vec<Row> {
    let bad = |code| refused_at(code, METHOD);
    let key = |member: &str| format!("/verificationMethod/0/{member}");
    vec![
        document(
            "the key's type is not read",
            &key("type"),
            json!("BbsBlsSignature2020"),
            bad("key-unsupported"),
        ),
        document(
            "the key has no type",
            &key("type"),
            Value::Null,
            bad("key-unsupported"),
        ),
        document(
            "the key is missing from its method",
            &key("publicKeyMultibase"),
            Value::Null,
            bad("key-malformed"),
        ),
        document(
            "the key is cut off",
            &key("publicKeyMultibase"),
            json!("z6Mk"),
            bad("key-malformed"),
        ),
        document(
            "the method says Multikey and holds a JWK",
            &key("type"),
            json!("JsonWebKey"),
            bad("key-malformed"),
        ),
        document(
            "the method is of an Ed25519 type and holds P-256",
            &key("type"),
            json!("EcdsaSecp256r1VerificationKey2019"),
            bad("key-malformed"),
        ),
    ]
}

/// By a key of this registry that was revoked in March; the log tells what it signed in February.
fn signed_before() -> Named {
    let mut named = named();
    let mut document = college().document();
    document["verificationMethod"][0]["revoked"] = json!("2026-03-01T00:00:00Z");
    named.web.serve(&college().id, document);
    logged(&mut named, "2026-02-01T00:00:00Z");
    named
}

fn logged(named: &mut Named, moment: &str) {
    let mut badge = named.badge.clone();
    badge["issuer"]["id"] = json!(named.by.id);
    let proof = named.by.sign(&badge)["proof"].clone();
    let here = SignedHere {
        key: named.by.key.public().into(),
        at: at(moment),
    };
    named.web.world.signed_here = Some((proof, here));
}

fn revoked() -> Vec<Row> {
    let revoked = || refused_at("key-revoked", METHOD);
    vec![
        row(
            "the log shows that it was signed before",
            named,
            |badge| *badge = signed_before(),
            telling(&["key-signed-before-revocation"]),
        ),
        row(
            "the log shows that it was signed after",
            signed_before,
            |badge| logged(badge, "2026-04-01T00:00:00Z"),
            revoked(),
        ),
        row(
            "the log shows that it was signed at that moment",
            signed_before,
            |badge| logged(badge, "2026-03-01T00:00:00Z"),
            revoked(),
        ),
        row(
            "a thief dates a badge back, and the log knows nothing of it",
            signed_before,
            |badge| badge.badge["name"] = json!("Flying"),
            revoked(),
        ),
        row(
            "a thief takes a proof that the log knows",
            signed_before,
            |badge| badge.spoil_signed = |signed| signed["name"] = json!("Flying"),
            refused_at("signature-bad", "/proof"),
        ),
        row(
            "a thief changes the date of a proof that the log knows",
            signed_before,
            |badge| {
                badge.spoil_signed =
                    |signed| signed["proof"]["created"] = json!("2026-01-02T00:00:00Z")
            },
            revoked(),
        ),
    ]
}

fn pin(controller: &str, method: Option<&str>, key: &Actor) -> PinnedKey {
    PinnedKey {
        controller: controller.to_owned(),
        method: method.map(str::to_owned),
        key: key.key.public().into(),
    }
}

/// By an issuer that does not resolve any more, whose key is pinned.
fn pinned_key() -> Named {
    let mut named = Named::of(college(), Web::default());
    let college = college();
    named.pinned = vec![pin(&college.id, Some(&college.method), &college)];
    named
}

fn pinned() -> Vec<Row> {
    let college = college();
    let id = college.id.clone();
    let not_pinned = || refused_at("key-not-pinned", METHOD);
    let not_found = || unreachable_at("key-document-not-found", METHOD);
    vec![
        row(
            "a key that is pinned",
            named,
            |badge| *badge = pinned_key(),
            telling(&["key-pinned"]),
        ),
        row(
            "a key that is pinned for every method",
            pinned_key,
            |badge| badge.pinned[0].method = None,
            telling(&["key-pinned"]),
        ),
        row(
            "another method is pinned",
            pinned_key,
            |badge| badge.pinned[0].method = Some(format!("{id}#key-2")),
            not_pinned(),
        ),
        row(
            "another method is pinned, although the document has this one",
            named,
            |badge| badge.pinned = vec![pin(&id, Some(&format!("{id}#key-2")), &forger())],
            not_pinned(),
        ),
        row(
            "another key is pinned",
            pinned_key,
            |badge| badge.pinned = vec![pin(&id, None, &forger())],
            refused_at("signature-bad", "/proof"),
        ),
        row(
            "the key is pinned for another",
            pinned_key,
            |badge| badge.pinned[0].controller = forger().id,
            not_found(),
        ),
        row(
            "a forger's key is pinned for the forger",
            pinned_key,
            |badge| {
                badge.pinned = vec![pin(&forger().id, None, &forger())];
                badge.by.method = forger().method;
                badge.by.key = forger().key;
            },
            refused_at("key-of-another", METHOD),
        ),
        row(
            "policy forbids to ask for the document",
            named,
            |badge| {
                badge
                    .web
                    .world
                    .documents
                    .insert(college.id.clone(), Err(Unresolved::Refused));
            },
            unreachable_at("key-document-refused", METHOD),
        ),
        row(
            "nobody answers for the document",
            named,
            |badge| {
                let reason = Unresolved::Unreachable("no route".to_owned());
                badge
                    .web
                    .world
                    .documents
                    .insert(college.id.clone(), Err(reason));
            },
            unreachable_at("key-document-unreachable", METHOD),
        ),
        row(
            "the document is a page for people",
            named,
            |badge| {
                let reason = Unresolved::Malformed("HTML".to_owned());
                badge
                    .web
                    .world
                    .documents
                    .insert(college.id.clone(), Err(reason));
            },
            refused_at("key-document-malformed", METHOD),
        ),
    ]
}
