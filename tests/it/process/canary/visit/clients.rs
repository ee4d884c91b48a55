//! Clients of OAuth 2.0, with the word in all that they say of themselves and in all that they show.

use std::time::{SystemTime, UNIX_EPOCH};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ed25519_dalek::SigningKey;
use serde_json::{Value, json};

use super::super::ORIGIN;
use super::super::secrets::Secrets;
use super::{Made, Visit, text};
use crate::support::client::{Answer, Call};
use crate::support::oauth::{jwk, jwt};

/// What a client was given.
pub(super) struct Given {
    pub(super) id: String,
    secret: String,
    registration: String,
}

const ASSERTION: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
const BY_ITSELF: (&str, &str) = ("grant_type", "client_credentials");

impl Visit<'_> {
    /// A form that is posted, by somebody who shows this in the header.
    pub(super) fn form(&self, basic: &str, target: &str, fields: &[(&str, &str)]) -> Answer {
        let mut body = url::form_urlencoded::Serializer::new(String::new());
        body.extend_pairs(fields);
        let call = self.call(None, "POST", target);
        let call = call.body("application/x-www-form-urlencoded", body.finish());
        match basic {
            "" => call.send(),
            shown => {
                let header = format!("Basic {}", STANDARD.encode(shown));
                call.header("Authorization", header).send()
            }
        }
    }

    /// Registers a client with these members besides.
    pub(super) fn registers(&self, made: &Made, secrets: &mut Secrets, more: &Value) -> Given {
        let mut body = json!({
            "client_name": "Canary machine", "profile": made.school, "role": "owner",
            "contacts": ["canary@example.org"], "client_uri": "https://canary.example/",
            "software_id": "canary",
        });
        for (name, value) in more.as_object().unwrap() {
            body[name] = value.clone();
        }
        let told = self.post(&made.token, "/oauth/register", &body).is(201);
        let told = told.json();
        let given = Given {
            id: text(&told["client_id"]),
            secret: told["client_secret"]
                .as_str()
                .unwrap_or_default()
                .to_owned(),
            registration: text(&told["registration_access_token"]),
        };
        secrets.token(&given.registration);
        if !given.secret.is_empty() {
            secrets.token(&given.secret);
        }
        given
    }

    pub(super) fn has_clients(&self, made: &Made, secrets: &mut Secrets) {
        let basic = self.registers(made, secrets, &json!({}));
        self.is_given_tokens(&basic, made, secrets);
        self.shows_its_secret_badly(&basic, made);
        self.registers_badly(&basic, made);
        self.is_decided_about(&basic, made, secrets);
        self.signs_assertions(made, secrets);
    }

    fn is_given_tokens(&self, client: &Given, made: &Made, secrets: &mut Secrets) {
        let shown = format!("{}:{}", client.id, client.secret);
        let asks = |more: &[(&str, &str)]| {
            let fields = [&[BY_ITSELF], more].concat();
            self.form(&shown, "/oauth/token", &fields)
        };
        let token = text(&asks(&[("canary", "canary")]).is(200).json()["access_token"]);
        secrets.jwt("an access token", &token);
        for (name, value, status) in [
            ("scope", "canary:write", 400),
            ("scope", "read:/canary", 200),
            ("resource", "https://canary.example", 400),
            ("client_id", "canary", 400),
        ] {
            let answer = asks(&[(name, value)]);
            assert_eq!(answer.status, status, "{name}: {}", answer.text());
            if status == 200 {
                let token = text(&answer.json()["access_token"]);
                secrets.jwt("an access token", &token);
                self.get(&token, "/events?since=canary").is(403);
            }
        }
        let entries = json!({ "credentialIds": ["urn:canary:by-machine"] });
        let target = format!("{}/entries", made.list);
        self.post(&token, &target, &entries).is(200);
        let foreign = format!("/profiles/{}/keys", made.board);
        self.post(&token, &foreign, &json!({})).is(403);
        // Bent, and looked for where no token is taken.
        self.get(&format!("{token}x"), "/events").is(401);
        self.get(&token.replacen("ey", "eyCanary", 1), "/events")
            .is(401);
        self.get("", &format!("/events?access_token={token}"))
            .is(401);
        for target in ["/oauth/introspect", "/oauth/revoke"] {
            for told in ["canary", "gst_canary", "e30.canary.canary", &token] {
                let fields = [("token", told), ("token_type_hint", "canary")];
                self.form(&shown, target, &fields).is(200);
                self.form("canary:canary", target, &fields).is(401);
            }
        }
        self.get(&token, "/events").is(401);
    }

    fn shows_its_secret_badly(&self, client: &Given, made: &Made) {
        let bent = format!("{}:{}x", client.id, client.secret);
        for shown in ["canary", "canary:canary", "%canary:%", &bent] {
            self.form(shown, "/oauth/token", &[BY_ITSELF]).is(401);
        }
        let in_body = [
            BY_ITSELF,
            ("client_id", &client.id),
            ("client_secret", &client.secret),
        ];
        self.form("", "/oauth/token", &in_body).is(401);
        let both = format!("{}:{}", client.id, client.secret);
        self.form(&both, "/oauth/token", &in_body).is(400);
        // In the address, where no secret belongs.
        let target = format!("/oauth/token?client_secret={}", client.secret);
        self.form("", &target, &[BY_ITSELF]).is(401);
        self.get(&client.secret, "/events").is(401);
        self.get(&client.registration, "/events").is(401);
        for grant in ["canary", "password"] {
            let fields = [
                ("grant_type", grant),
                ("username", "canary"),
                ("password", "canary"),
            ];
            self.form(&both, "/oauth/token", &fields).is(400);
        }
        let call = self.call(Some(&made.token), "POST", "/oauth/token");
        let json = call.json(&json!({ "client_secret": "canary" })).send();
        json.is(400);
    }

    fn registers_badly(&self, client: &Given, made: &Made) {
        let with = |member: &str, value: Value| {
            let mut body = json!({
                "client_name": "Canary", "profile": made.school, "role": "owner",
            });
            body[member] = value;
            body
        };
        for body in [
            with("role", json!("canary")),
            with("scope", json!("canary")),
            with("profile", json!("canary-nobody")),
            with("redirect_uris", json!(["canary"])),
            with(
                "redirect_uris",
                json!(["https://canary:canary@example.org/"]),
            ),
            with("software_statement", json!("canary")),
            with("token_endpoint_auth_method", json!("canary")),
            with("jwks", json!({ "keys": [{ "kty": "canary" }] })),
            json!(["canary"]),
        ] {
            let answer = self.post(&made.token, "/oauth/register", &body);
            assert_eq!(answer.status, 400, "{body}: {}", answer.text());
        }
        self.post("", "/oauth/register", &with("role", json!("owner")))
            .is(401);
        let own = format!("/oauth/register/{}", client.id);
        self.get(&client.registration, &own).is(200);
        self.get("gsr_canary", &own).is(401);
        self.get(&client.registration, "/oauth/register/canary")
            .is(401);
    }

    fn is_decided_about(&self, client: &Given, made: &Made, secrets: &mut Secrets) {
        let (token, at) = (&made.token, format!("/clients/{}", client.id));
        let more = self.post(token, &format!("{at}/secret"), &Value::Null);
        assert!(more.status < 500, "{}", more.text());
        let more = self.call(Some(token), "POST", &format!("{at}/secret"));
        secrets.token(&text(&more.send().is(201).json()["client_secret"]));
        for (body, status) in [
            (json!({ "role": "canary" }), 400),
            (json!({ "role": "owner", "scope": "canary" }), 400),
            (json!({ "role": "owner", "canary": "canary" }), 400),
            (
                json!({ "role": "list-manager", "scope": "read:/canary" }),
                200,
            ),
        ] {
            let answer = self.post(token, &format!("{at}/approve"), &body);
            assert_eq!(answer.status, status, "{body}: {}", answer.text());
        }
        self.get(token, "/clients?state=canary&cursor=canary")
            .is(400);
        self.get(token, "/clients/canary").is(404);
        self.get(token, &at).is(200);
        let own = format!("/oauth/register/{}", client.id);
        let ends = self.call(Some(&client.registration), "DELETE", &own);
        ends.send().is(204);
        self.get(&client.registration, &own).is(401);
    }

    /// By `private_key_jwt`.
    fn signs_assertions(&self, made: &Made, secrets: &mut Secrets) {
        let key = SigningKey::from_bytes(&[11; 32]);
        let signs = json!({
            "token_endpoint_auth_method": "private_key_jwt",
            "jwks": { "keys": [jwk(&key, "canary-key")] },
        });
        let client = self.registers(made, secrets, &signs);
        let now = now();
        let assertion = |kid: &str, change: &dyn Fn(&mut Value)| {
            let mut claims = json!({
                "iss": client.id, "sub": client.id, "aud": format!("{ORIGIN}/oauth/token"),
                "exp": now + 60, "iat": now, "jti": "canary-1", "canary": "canary",
            });
            change(&mut claims);
            let header = json!({ "alg": "EdDSA", "typ": "JWT", "kid": kid }).to_string();
            jwt(&header, &claims.to_string(), &key)
        };
        let sends = |assertion: &str| {
            let fields = [
                BY_ITSELF,
                ("client_assertion_type", ASSERTION),
                ("client_assertion", assertion),
            ];
            self.form("", "/oauth/token", &fields)
        };
        let good = assertion("canary-key", &|_| ());
        secrets.jwt("an assertion", &good);
        let token = text(&sends(&good).is(200).json()["access_token"]);
        secrets.jwt("an access token", &token);
        for bad in [
            good,
            assertion("canary-other", &|_| ()),
            assertion("canary-key", &|claims| claims["aud"] = "canary".into()),
            assertion("canary-key", &|claims| claims["iss"] = "canary".into()),
            assertion("canary-key", &|claims| claims["exp"] = "canary".into()),
            assertion("canary-key", &|claims| claims["jti"] = 7.into()),
            "canary.canary.canary".to_owned(),
        ] {
            sends(&bad).is(401);
        }
        // A name that the caller gives a public request is nobody's business either.
        let named = "ca4a51e5-0000-4000-8000-00ca4a51e500";
        secrets.text("the name of a public request", named);
        for target in ["/oauth/token", "/status/query", "/credentials/verify"] {
            let call = Call::new(self.address, "POST", target).header("X-Request-Id", named);
            let answer = call.json(&json!({})).send();
            assert_eq!(answer.header("x-request-id"), None, "{target}");
        }
    }
}

pub(super) fn now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    i64::try_from(since.as_secs()).unwrap()
}
