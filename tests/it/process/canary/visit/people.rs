//! People who sign in: invitations, passphrases, and the codes that clients fetch tokens by.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::super::secrets::Secrets;
use super::{Made, Visit, text};
use crate::support::client::Answer;
use crate::support::oauth::hidden;

const PASSPHRASE: &str = "the canary of Nine Lives 0815";
const WRONG: &str = "the canary of ten lives 4711";
const VERIFIER: &str = "the-canary-verifies-with-forty-three-letters-and-more";
const PLACE: &str = "https://canary.example/back?canary=1";

impl Visit<'_> {
    pub(super) fn signs_in(&self, made: &Made, secrets: &mut Secrets) {
        for passphrase in [PASSPHRASE, WRONG] {
            secrets.text("a passphrase", passphrase);
        }
        secrets.text("a code's verifier", VERIFIER);
        let person = self.is_invited(made, secrets);
        let public = json!({
            "token_endpoint_auth_method": "none", "redirect_uris": [PLACE], "role": "owner",
        });
        let client = self.registers(made, secrets, &public).id;
        self.asks_badly(&client);
        let token = self.agrees(&client, secrets);
        let entries = json!({ "credentialIds": ["urn:canary:by-somebody"] });
        let target = format!("{}/entries", made.list);
        self.post(&token, &target, &entries).is(200);
        let remove = |id: &str| {
            let target = format!("/people/{id}/remove");
            self.post(&made.token, &target, &json!({})).status
        };
        assert_eq!((remove("canary"), remove(&person)), (404, 204));
        self.get(&token, "/events").is(401);
    }

    fn is_invited(&self, made: &Made, secrets: &mut Secrets) -> String {
        let people = format!("/profiles/{}/people", made.school);
        let somebody = |email: &str, role: &str| {
            let body = json!({ "name": "Canary Robin", "email": email, "role": role });
            self.post(&made.token, &people, &body)
        };
        let told = somebody("canary@robin.example", "owner").is(201).json();
        let invitation = text(&told["invitation"]);
        secrets.token(&invitation);
        let waits = somebody("canary@wren.example", "endorser").is(201);
        secrets.token(&text(&waits.json()["invitation"]));
        for (email, role) in [
            ("Canary@Robin.example", "owner"),
            ("canary", "owner"),
            ("canary@wren.example", "canary"),
            ("canary@wren.example", "operator"),
        ] {
            somebody(email, role).is(400);
        }
        self.get("", &format!("/oauth/accept?code={invitation}"));
        for (code, passphrase, status) in [
            (&*invitation, "canary", 400),
            (&*invitation, &"canary".repeat(50), 400),
            ("canary", PASSPHRASE, 403),
            ("gsi_canary", PASSPHRASE, 403),
            (&*invitation, PASSPHRASE, 200),
            (&*invitation, WRONG, 403),
        ] {
            self.accepts(code, passphrase).is(status);
        }
        let fields = [
            ("form", "canary"),
            ("code", &*invitation),
            ("passphrase", PASSPHRASE),
        ];
        unsaid(self.form("", "/oauth/accept", &fields)).is(403);
        self.get(&made.token, "/people?profile=canary");
        text(&told["id"])
    }

    fn accepts(&self, code: &str, passphrase: &str) -> Answer {
        let page = hidden(&self.get("", "/oauth/accept").is(200));
        let fields = [
            ("form", &*page["form"]),
            ("code", code),
            ("passphrase", passphrase),
        ];
        unsaid(self.form("", "/oauth/accept", &fields))
    }

    fn asks_badly(&self, client: &str) {
        for (name, value) in [
            ("client_id", "canary"),
            ("redirect_uri", "https://canary.example/elsewhere"),
            ("response_type", "canary"),
            ("scope", "canary"),
            ("code_challenge", "canary"),
            ("code_challenge_method", "canary"),
            ("resource", "https://canary.example"),
            ("request", "canary"),
        ] {
            let answer = self.get("", &asks(client, (name, value)));
            let refused = [400, 303].contains(&answer.status);
            assert!(refused, "{name}: {} {}", answer.status, answer.text());
        }
    }

    /// Signs in at last; the token that the client fetches.
    fn agrees(&self, client: &str, secrets: &mut Secrets) -> String {
        let answers = |answer: &str, name: &str, passphrase: &str| {
            let target = asks(client, ("scope", "read status:write"));
            let page = hidden(&self.get("", &target).is(200));
            let mut fields: Vec<(&str, &str)> =
                page.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
            fields.extend([
                ("answer", answer),
                ("name", name),
                ("passphrase", passphrase),
            ]);
            self.form("", "/oauth/authorize", &fields)
        };
        let robin = "canary@robin.example";
        for (answer, name, passphrase, status) in [
            ("deny", robin, PASSPHRASE, 303),
            ("canary", robin, PASSPHRASE, 303),
            ("allow", "canary@nobody.example", PASSPHRASE, 403),
            ("allow", robin, WRONG, 403),
        ] {
            unsaid(answers(answer, name, passphrase)).is(status);
        }
        // Each in the other's place.
        answers("allow", PASSPHRASE, robin).is(403);
        let made_up = [
            ("form", "canary"),
            ("answer", "allow"),
            ("passphrase", PASSPHRASE),
        ];
        unsaid(self.form("", &asks(client, ("state", "canary")), &made_up));
        let back = unsaid(answers("allow", robin, PASSPHRASE)).is(303);
        let back = url::Url::parse(back.header("location").unwrap()).unwrap();
        let code = back.query_pairs().find(|(name, _)| name == "code");
        let code = code.expect("a code").1.into_owned();
        secrets.token(&code);
        let fetches = |code: &str, place: &str, verifier: &str| {
            let fields = [
                ("grant_type", "authorization_code"),
                ("client_id", client),
                ("code", code),
                ("redirect_uri", place),
                ("code_verifier", verifier),
            ];
            self.form("", "/oauth/token", &fields)
        };
        for (code, place, verifier) in [
            ("canary", PLACE, VERIFIER),
            ("gac_canary", PLACE, VERIFIER),
            (&*code, "https://canary.example/elsewhere", VERIFIER),
            (&*code, PLACE, "canary"),
        ] {
            fetches(code, place, verifier).is(400);
        }
        let token = fetches(&code, PLACE, VERIFIER).is(200).json();
        let token = text(&token["access_token"]);
        secrets.jwt("an access token", &token);
        token
    }
}

/// What a client asks, with this otherwise.
fn asks(client: &str, (name, value): (&str, &str)) -> String {
    let challenge = URL_SAFE_NO_PAD.encode(Sha256::digest(VERIFIER));
    let usual = [
        ("response_type", "code"),
        ("client_id", client),
        ("redirect_uri", PLACE),
        ("code_challenge", &*challenge),
        ("code_challenge_method", "S256"),
        ("state", "canary state"),
    ];
    let mut query = url::form_urlencoded::Serializer::new(String::new());
    query.extend_pairs(usual.iter().filter(|(usual, _)| *usual != name));
    query.append_pair(name, value);
    format!("/oauth/authorize?{}", query.finish())
}

/// An answer that does not say the passphrase again.
#[track_caller]
fn unsaid(answer: Answer) -> Answer {
    let headers = Value::from_iter(answer.headers.iter().map(|(_, value)| value.as_str()));
    let said = format!("{}{headers}", answer.text());
    assert!(!said.contains("Nine Lives") && !said.contains("ten lives"));
    answer
}
