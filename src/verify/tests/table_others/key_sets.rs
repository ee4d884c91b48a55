//! Key sets of hosts: whose a key is where one host has many issuers.

use super::jwts::{Jwt, KEY_SET};
use super::*;

/// A key of the set: the college's or the forger's, by what name.
fn key(actor: &Actor, members: Value) -> Value {
    let mut key = actor.key.public().to_jwk();
    for (member, value) in members.as_object().unwrap() {
        key[member] = value.clone();
    }
    key
}

fn named() -> Value {
    key(&college(), json!({"kid": "2026"}))
}

fn set(name: &'static str, set: Value, expected: Wanted) -> Row {
    row(
        name,
        Jwt::in_key_set,
        |jwt| jwt.web.serve(KEY_SET, set),
        expected,
    )
}

pub(super) fn rows() -> Vec<Row> {
    let (college, forger) = (college(), forger());
    let of = |actor: &Actor, iss: &str| key(actor, json!({"kid": "2026", "iss": iss}));
    let other = "https://college.example/other";
    let of_another = || refused("key-of-another");
    let private = key(&college, json!({"kid": "2026", "d": "AA"}));
    let strange = json!({"kty": "AKP", "kid": "2026"});
    vec![
        set(
            "the host says whose key it is",
            json!({"keys": [of(&college, &college.id)]}),
            good(),
        ),
        set(
            "the key is another issuer's of the host",
            json!({"keys": [of(&college, other)]}),
            of_another(),
        ),
        set(
            "one key says whose it is and this one does not",
            json!({"keys": [named(), key(&forger, json!({"kid": "2025", "iss": other}))]}),
            of_another(),
        ),
        set(
            "two issuers of the host call their keys alike",
            json!({"keys": [of(&forger, other), of(&college, &college.id)]}),
            good(),
        ),
        set(
            "the key says that it is of several",
            json!({"keys": [key(&college, json!({"kid": "2026", "iss": [college.id]}))]}),
            of_another(),
        ),
        set(
            "two keys of one name",
            json!({"keys": [key(&forger, json!({"kid": "2026"})), named()]}),
            refused("key-ambiguous"),
        ),
        set("one key twice", json!({"keys": [named(), named()]}), good()),
        set(
            "a key and one of no known kind by one name",
            json!({"keys": [named(), strange]}),
            refused("key-ambiguous"),
        ),
        set(
            "a key of no known kind elsewhere in the set",
            json!({"keys": [json!({"kty": "AKP", "kid": "x"}), named()]}),
            good(),
        ),
        set(
            "the key is of no known kind",
            json!({"keys": [json!({"kty": "AKP", "kid": "2026"})]}),
            refused("key-malformed"),
        ),
        set(
            "the set gives the private key away",
            json!({"keys": [private]}),
            refused("key-malformed"),
        ),
        set(
            "the key is not in the set",
            json!({"keys": [key(&college, json!({"kid": "2025"}))]}),
            refused("key-missing"),
        ),
        set(
            "the key's name is in other letters",
            json!({"keys": [key(&college, json!({"kid": "2026 "}))]}),
            refused("key-missing"),
        ),
        set(
            "the set is empty",
            json!({"keys": []}),
            refused("key-missing"),
        ),
        set(
            "the set is an object by name",
            json!({"keys": {"2026": named()}}),
            refused("key-document-malformed"),
        ),
        set(
            "the set is an array",
            json!([named()]),
            refused("key-document-malformed"),
        ),
        set(
            "the set is one key",
            named(),
            refused("key-document-malformed"),
        ),
        set(
            "the set has more keys than are looked at",
            json!({"keys": vec![named(); 4097]}),
            refused("key-document-malformed"),
        ),
        set(
            "the key is a forger's",
            json!({"keys": [key(&forger, json!({"kid": "2026"}))]}),
            refused("signature-bad"),
        ),
        row(
            "nobody has the set",
            Jwt::in_key_set,
            |jwt| jwt.web.world.documents.clear(),
            unreachable_at("key-document-not-found", ""),
        ),
        row(
            "a key that the controller document has taken out is still in the set",
            Jwt::vc_jwt,
            |jwt| {
                let mut document = super::college().document();
                document["verificationMethod"] = json!([]);
                jwt.web.serve(&super::college().id, document);
                let method = super::college().method;
                jwt.web.serve(
                    KEY_SET,
                    json!({"keys": [key(&super::college(), json!({"kid": method}))]}),
                );
            },
            refused("key-missing"),
        ),
        row(
            "an issuer with a profile alone has its keys in the set",
            Jwt::vc_jwt,
            |jwt| {
                let issuer = super::college();
                jwt.web.serve(
                    &issuer.id,
                    json!({"id": issuer.id, "type": ["Profile"], "name": "College"}),
                );
                jwt.web.serve(
                    KEY_SET,
                    json!({"keys": [key(&issuer, json!({"kid": issuer.method}))]}),
                );
            },
            good(),
        ),
        row(
            "kid is the URL of a page",
            Jwt::vc_jwt,
            |jwt| {
                let url = "https://college.example/keys/1";
                jwt.header["kid"] = json!(url);
                jwt.web.serve(url, json!({"id": url, "type": ["Profile"]}));
            },
            refused("key-document-malformed"),
        ),
        row(
            "kid is the URL of another issuer's key",
            Jwt::vc_jwt,
            |jwt| {
                let url = "https://college.example/keys/1";
                jwt.header["kid"] = json!(url);
                jwt.web.serve(
                    url,
                    key(
                        &super::college(),
                        json!({"iss": "https://college.example/other"}),
                    ),
                );
            },
            refused("key-of-another"),
        ),
    ]
}
