//! The keys of OpenID Connect providers, which are fetched from where they are, and not too often.

use std::sync::Arc;

use ed25519_dalek::SigningKey;
use goodstanding::access::Role;
use goodstanding::net::Policy;
use goodstanding::oauth::provider::{Provider, RoleRule};
use goodstanding::registry::{ProviderKeys, Providers};
use goodstanding::vc::verifying::KeyKind;
use serde_json::json;

use crate::support::house::{House, ORIGIN, Plan};
use crate::support::oauth::{jwk, jwt};
use crate::support::site::{Here, Site};

const JWKS: &str = "/jwks";

fn open(site: &Site) -> House {
    let provider = Provider {
        issuer: "https://id.example".into(),
        audience: ORIGIN.into(),
        algorithms: vec![KeyKind::Ed25519],
        profile_claim: "org".into(),
        profiles: [("1".to_owned(), "school".parse().unwrap())].into(),
        role: RoleRule::Always(Role::Owner),
        scope_claim: None,
    };
    let keys = ProviderKeys::At(site.url(JWKS));
    let policy = Policy {
        localhost: true,
        ..Policy::default()
    };
    let house = Plan::new()
        .reaching(policy, Arc::new(Here::default()))
        .with_providers(Providers::new(vec![(provider, keys)]))
        .open();
    house.registrar("school");
    house
}

fn key(seed: u8) -> SigningKey {
    SigningKey::from_bytes(&[seed; 32])
}

/// Puts the set of these keys there, each under its own number.
fn publishes(site: &Site, seeds: &[u8]) {
    let keys: Vec<_> = seeds
        .iter()
        .map(|seed| jwk(&key(*seed), &seed.to_string()))
        .collect();
    let set = json!({ "keys": keys }).to_string();
    site.puts(
        JWKS,
        "application/jwk-set+json",
        "Cache-Control: no-store\r\n",
        set.as_bytes(),
    );
}

/// What a token by this key is answered with.
fn status(house: &House, seed: u8) -> u16 {
    let header = json!({ "alg": "EdDSA", "typ": "at+jwt", "kid": seed.to_string() });
    let claims = json!({
        "iss": "https://id.example", "aud": ORIGIN, "sub": "a", "org": "1",
        "exp": house.registry.now().seconds() + 60,
    });
    let token = jwt(&header.to_string(), &claims.to_string(), &key(seed));
    let answer = house
        .call("GET", "/profiles/school/keys")
        .token(&token)
        .send();
    if answer.status == 503 {
        assert_eq!(answer.header("retry-after"), Some("1"));
    }
    answer.status
}

#[test]
fn a_newer_key_is_found_and_an_unknown_one_asks_once_a_minute() {
    let site = Site::open();
    publishes(&site, &[1]);
    let house = open(&site);
    let asked = || site.asked(JWKS);
    assert_eq!((status(&house, 1), asked()), (200, 1));
    assert_eq!((status(&house, 1), asked()), (200, 1));
    publishes(&site, &[1, 2]);
    for _ in 0..5 {
        assert_eq!((status(&house, 2), asked()), (401, 1));
    }
    house.wait(60);
    assert_eq!((status(&house, 2), asked()), (200, 2));
    for _ in 0..5 {
        assert_eq!((status(&house, 3), asked()), (401, 2));
    }
    // A key that was given up is good no longer than ten minutes.
    publishes(&site, &[2]);
    house.wait(599);
    assert_eq!((status(&house, 1), asked()), (200, 2));
    house.wait(1);
    assert_eq!((status(&house, 1), asked()), (401, 3));
}

#[test]
fn what_cannot_be_checked_is_neither_good_nor_bad() {
    let site = Site::open();
    let house = open(&site);
    assert_eq!(status(&house, 1), 503);
    publishes(&site, &[1]);
    house.wait(60);
    assert_eq!(status(&house, 1), 200);
    // Where the provider is away, what it said last counts for an hour.
    drop(site);
    house.wait(3_599);
    assert_eq!(status(&house, 1), 200);
    house.wait(1);
    assert_eq!(status(&house, 1), 503);
}
