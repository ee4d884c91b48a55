//! Two tenants with clients, a provider elsewhere, and somebody with keys of their own.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use ed25519_dalek::SigningKey;
use goodstanding::access::Role;
use goodstanding::oauth::provider::{Provider, RoleRule};
use goodstanding::registry::{ProviderKeys, Providers};
use goodstanding::vc::verifying::KeyKind;
use ring::hmac;
use serde_json::{Map, Value, json};

use crate::support::actors::text;
use crate::support::client::Call;
use crate::support::house::{House, Plan};
use crate::support::oauth::{jwk, jwt, opened, posts};

/// Where every attack is tried: at a list of `school`, for which `good` is good.
pub(super) struct Scene {
    pub(super) house: House,
    /// The token of the school.
    school: String,
    pub(super) list: String,
    pub(super) foreign_list: String,
    /// An entry of each list, and one of the first that good tokens may change.
    index: u64,
    pub(super) foreign_index: u64,
    spare: u64,
    /// An access token of the school's client, a list manager.
    pub(super) good: String,
    /// One of the other tenant's client.
    pub(super) foreign: String,
    pub(super) other: Held,
}

/// A client's id and secrets.
pub(super) struct Held {
    pub(super) id: String,
    pub(super) secret: String,
    pub(super) registration: String,
}

impl Scene {
    pub(super) fn set() -> Self {
        let house = Plan::new().with_providers(providers()).open();
        let school = house.registrar("school");
        let other = house.registrar("other");
        let list = school.opens_list("revocation");
        let foreign_list = other.opens_list("revocation");
        let indexes = school.allocates(&list, 2);
        let foreign_index = other.allocates(&foreign_list, 1)[0];
        let good = school
            .registers_client("list-manager", &json!({}))
            .token("");
        let client = other.registers_client("list-manager", &json!({}));
        let foreign = client.token("");
        let held = Held {
            id: client.id.clone(),
            secret: client.secret.clone(),
            registration: client.registration.clone(),
        };
        let school = school.token.clone().unwrap();
        Self {
            school,
            list,
            foreign_list,
            index: indexes[0],
            foreign_index,
            spare: indexes[1],
            good,
            foreign,
            other: held,
            house,
        }
    }

    /// What everybody is refused, with this target.
    pub(super) fn at(&self, target: &str) -> Call {
        self.house.call("POST", target)
    }

    pub(super) fn update(&self) -> Call {
        let update = json!({ "updates": [{ "index": self.index, "status": 1 }] });
        self.at(&format!("{}/updates", self.list)).json(&update)
    }

    pub(super) fn header(&self, header: impl Into<Vec<u8>>) -> Call {
        self.update().header("Authorization", header)
    }

    pub(super) fn bearer(&self, token: &str) -> Call {
        self.update().token(token)
    }

    /// Good ones of each kind do what the attacks try, to an entry of which nothing depends.
    pub(super) fn good_tokens_get_through(&self) {
        let elsewhere = self.provider_token("at+jwt", json!({}));
        for token in [
            &self.good,
            &self.signed("at+jwt", json!({})),
            &elsewhere,
            &self.school,
        ] {
            let update = json!({ "updates": [{ "index": self.spare, "status": 1 }] });
            let call = self.at(&format!("{}/updates", self.list));
            call.token(token).json(&update).send().is(200);
        }
        let array = self.signed("at+jwt", json!({ "aud": [self.house.origin()] }));
        let read = self.house.call("GET", "/profiles/school/keys");
        read.token(&array).send().is(200);
    }

    /// How the entries stand that the attacks are about.
    pub(super) fn statuses(&self) -> [Value; 2] {
        let entries = [
            (&self.list, self.index),
            (&self.foreign_list, self.foreign_index),
        ];
        entries.map(|(list, index)| {
            let target = format!("/status?list={list}&index={index}");
            let told = self.house.call("GET", &target).send().is(200).json();
            assert_eq!(told["status"], 0);
            told["status"].clone()
        })
    }

    pub(super) fn now(&self) -> i64 {
        self.house.registry.now().seconds()
    }

    /// The header of the good token, with these members instead.
    pub(super) fn header_of(&self, members: Value) -> String {
        bent(&opened(&self.good)[0], members)
    }

    /// The claims of the good token, with these instead.
    pub(super) fn claims(&self, members: Value) -> String {
        bent(&opened(&self.good)[1], members)
    }

    /// By a key that is nobody's here, with the good token's claims.
    pub(super) fn forged(&self, members: Value) -> Call {
        self.by_nobody(&self.header_of(members), &self.claims(json!({})))
    }

    pub(super) fn by_nobody(&self, header: &str, claims: &str) -> Call {
        self.bearer(&jwt(header, claims, &SigningKey::from_bytes(&[66; 32])))
    }

    pub(super) fn their_jwk(&self) -> Value {
        jwk(&SigningKey::from_bytes(&[66; 32]), "theirs")
    }

    /// By the registry's own key, of this type, with these claims instead of the good token's.
    pub(super) fn signed(&self, typ: &str, members: Value) -> String {
        let claims: Map<String, Value> = serde_json::from_str(&self.claims(members)).unwrap();
        self.house.registry.sign_statement(typ, &claims).unwrap()
    }

    pub(super) fn ours(&self, typ: &str, members: Value) -> Call {
        self.bearer(&self.signed(typ, members))
    }

    pub(super) fn our_jwk(&self) -> String {
        let kid = opened(&self.good)[0]["kid"].clone();
        let did = self
            .house
            .call("GET", "/.well-known/did.json")
            .send()
            .json();
        let methods = did["verificationMethod"].as_array().unwrap().iter();
        let named = methods.filter(|method| method["id"] == kid);
        let keys: Vec<String> = named.map(|m| m["publicKeyJwk"].to_string()).collect();
        assert_eq!(keys.len(), 1, "{did}");
        keys[0].clone()
    }

    pub(super) fn our_key(&self) -> Vec<u8> {
        let key: Value = serde_json::from_str(&self.our_jwk()).unwrap();
        decoded(key["x"].as_str().unwrap())
    }

    pub(super) fn fetched(&self, target: &str, accept: &str) -> String {
        let call = self.house.call("GET", target).header("Accept", accept);
        call.send().is(200).text()
    }

    /// What another registry signed that claims our name, with other keys.
    pub(super) fn of_another_instance(&self) -> String {
        let house = Plan::new().seeded(99).open();
        house.registrar("school");
        let claims: Map<String, Value> = serde_json::from_str(&self.claims(json!({}))).unwrap();
        let token = house.registry.sign_statement("at+jwt", &claims).unwrap();
        assert_eq!(opened(&token)[0], opened(&self.good)[0], "the same kid");
        token
    }

    /// The token of a client of the school, about which something is done after it was given.
    pub(super) fn held(&self, after: fn(&Self, &str)) -> Call {
        let [id, _, token] = self.new_client();
        self.house
            .call("GET", "/profiles/school/keys")
            .token(&token)
            .send()
            .is(200);
        after(self, &id);
        self.bearer(&token)
    }

    pub(super) fn decides(&self, client: &str, step: &str, body: Value) {
        let call = self
            .at(&format!("/clients/{client}/{step}"))
            .token(&self.school);
        let answer = call.json(&body).send();
        assert!(matches!(answer.status, 200 | 204), "{}", answer.text());
    }

    pub(super) fn revoked(&self) -> Call {
        let [id, secret, token] = self.new_client();
        let header = format!("Basic {}", STANDARD.encode(format!("{id}:{secret}")));
        let call = posts(&self.house, "/oauth/revoke", &[("token", &token)]);
        call.header("Authorization", header).send().is(200);
        self.bearer(&token)
    }

    /// Id, secret and token of a client that is registered by the school.
    fn new_client(&self) -> [String; 3] {
        let body = json!({ "client_name": "x", "profile": "school", "role": "list-manager" });
        let call = self.at("/oauth/register").token(&self.school).json(&body);
        let made = call.send().is(201).json();
        let (id, secret) = (text(&made["client_id"]), text(&made["client_secret"]));
        let header = format!("Basic {}", STANDARD.encode(format!("{id}:{secret}")));
        let call = posts(
            &self.house,
            "/oauth/token",
            &[("grant_type", "client_credentials")],
        );
        let answer = call.header("Authorization", header).send().is(200).json();
        [id, secret, text(&answer["access_token"])]
    }

    /// What a client that signs shows the token endpoint.
    pub(super) fn assertion(&self) -> String {
        let key = SigningKey::from_bytes(&[5; 32]);
        let body = json!({
            "client_name": "x", "profile": "school", "role": "list-manager",
            "token_endpoint_auth_method": "private_key_jwt", "jwks": { "keys": [jwk(&key, "1")] },
        });
        let call = self.at("/oauth/register").token(&self.school).json(&body);
        let id = text(&call.send().is(201).json()["client_id"]);
        let claims = json!({
            "iss": id, "sub": id, "client_id": id, "aud": self.house.origin(), "jti": "1",
            "iat": self.now(), "exp": self.now() + 60, "scope": "status:write",
        });
        jwt(
            r#"{"alg":"EdDSA","typ":"at+jwt","kid":"1"}"#,
            &claims.to_string(),
            &key,
        )
    }

    /// The key with which the provider signs.
    pub(super) fn provider_key(&self) -> SigningKey {
        provider_key()
    }

    pub(super) fn provider_claims(&self, members: Value) -> String {
        let claims = json!({
            "iss": "https://id.example", "aud": self.house.origin(), "sub": "account-1",
            "iat": self.now(), "exp": self.now() + 60, "org": "1", "scope": "openid status:write",
        });
        bent(&claims, members)
    }

    fn provider_token(&self, typ: &str, members: Value) -> String {
        let header = json!({ "alg": "EdDSA", "typ": typ, "kid": "p1" });
        let claims = self.provider_claims(members);
        jwt(&header.to_string(), &claims, &provider_key())
    }

    pub(super) fn elsewhere(&self, typ: &str, members: Value) -> Call {
        self.bearer(&self.provider_token(typ, members))
    }

    pub(super) fn elsewhere_raw(&self, header: &str, claims: &str) -> Call {
        self.bearer(&jwt(header, claims, &provider_key()))
    }
}

fn provider_key() -> SigningKey {
    SigningKey::from_bytes(&[9; 32])
}

/// A provider with accounts of the school, the other one, and of somebody who is not here.
fn providers() -> Providers {
    let profiles = [("1", "school"), ("2", "other"), ("4", "nobody-here")];
    let provider = Provider {
        issuer: "https://id.example".into(),
        audience: crate::support::house::ORIGIN.into(),
        algorithms: vec![KeyKind::Ed25519],
        profile_claim: "org".into(),
        profiles: profiles
            .map(|(value, slug)| (value.to_owned(), slug.parse().unwrap()))
            .into(),
        role: RoleRule::Always(Role::ListManager),
        scope_claim: Some("scope".into()),
    };
    let keys = json!({ "keys": [jwk(&provider_key(), "p1")] });
    Providers::new(vec![(provider, ProviderKeys::Given(keys))])
}

/// An object with some members instead; null takes one away.
fn bent(object: &Value, members: Value) -> String {
    let mut all = object.as_object().unwrap().clone();
    for (name, value) in members.as_object().unwrap() {
        match value {
            Value::Null => drop(all.shift_remove(name)),
            _ => drop(all.insert(name.clone(), value.clone())),
        }
    }
    Value::from(all).to_string()
}

/// A JWT with a MAC.
pub(super) fn hs256(header: &str, claims: &str, secret: &[u8]) -> String {
    let signed = format!("{}.{}", coded(header), coded(claims));
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret);
    let tag = hmac::sign(&key, signed.as_bytes());
    format!("{signed}.{}", coded(tag))
}

/// A token with one part of another.
pub(super) fn swapped(token: &str, other: &str, part: usize) -> String {
    let mut swapped = parts(token);
    swapped[part] = parts(other)[part];
    swapped.join(".")
}

pub(super) fn parts(token: &str) -> [&str; 3] {
    let parts: Vec<&str> = token.split('.').collect();
    parts.try_into().unwrap()
}

pub(super) fn coded(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

pub(super) fn decoded(text: &str) -> Vec<u8> {
    URL_SAFE_NO_PAD.decode(text).unwrap()
}
