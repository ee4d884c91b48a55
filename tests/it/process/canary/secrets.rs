//! Secrets, and where they are looked for: in every spelling, and signing keys by what they make.

use std::collections::HashSet;
use std::path::Path;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use goodstanding::app::SystemClock;
use goodstanding::store::engine::Read as _;
use goodstanding::store::rocks::{Place, RocksEngine};
use goodstanding::vc::keys::PublicKey;
use ring::signature::{Ed25519KeyPair, KeyPair as _};
use serde_json::Value;

use super::holds;

/// The master key as the environment has it.
pub(super) const MASTER_KEY: &str =
    "8f1e2d3c4b5a69788796a5b4c3d2e1f00f1e2d3c4b5a69788796a5b4c3d2e1f1";

/// What nobody may find, and the public halves of the keys whose other halves nobody may find.
#[derive(Default)]
pub(super) struct Secrets {
    tokens: Vec<String>,
    texts: Vec<(&'static str, String)>,
    public: HashSet<Vec<u8>>,
}

impl Secrets {
    pub(super) fn token(&mut self, token: &str) {
        self.tokens.push(token.to_owned());
    }

    /// A secret that is a text: a passphrase, or what somebody signed to show who they are.
    pub(super) fn text(&mut self, what: &'static str, text: &str) {
        self.texts.push((what, text.to_owned()));
    }

    /// A JWT: the whole of it, and what alone of it nobody can guess.
    pub(super) fn jwt(&mut self, what: &'static str, jwt: &str) {
        let (_, signature) = jwt.rsplit_once('.').expect("it is signed");
        self.text(what, jwt);
        self.text(what, signature);
        let signature = URL_SAFE_NO_PAD.decode(signature).unwrap();
        self.texts.push((what, STANDARD.encode(signature)));
    }

    /// The keys of a DID document.
    pub(super) fn keys_of(&mut self, document: &Value) {
        let methods = document["verificationMethod"]
            .as_array()
            .expect("it has keys");
        let keys = methods
            .iter()
            .filter_map(|method| method["publicKeyMultibase"].as_str());
        for key in keys {
            let key = PublicKey::from_multikey(key).unwrap();
            self.public.insert(key.as_bytes().to_vec());
        }
    }

    /// Secrets and the master key, by each of their spellings.
    pub(super) fn are_not_in(&self, places: &[(String, Vec<u8>)]) {
        assert!(self.tokens.len() > 1);
        assert_eq!(self.first_in(places), None);
        // And each would be found.
        for (what, text) in &self.texts {
            for form in spellings(text.as_bytes()) {
                let place = ("planted".to_owned(), [b"{\"".as_slice(), &form].concat());
                assert!(self.first_in(&[place]).is_some(), "{what}");
            }
        }
    }

    /// A secret that stands in one of the places, and which place that is.
    fn first_in(&self, places: &[(String, Vec<u8>)]) -> Option<String> {
        let mut forms: Vec<(&str, Vec<u8>)> = Vec::new();
        let master = from_hex(MASTER_KEY).unwrap();
        forms.extend(spellings(&master).map(|form| ("the master key", form)));
        for token in &self.tokens {
            let (_, secret) = token.split_once('_').expect("what it is and the secret");
            // Invitations name whom they are for before it.
            let secret = secret.rsplit('.').next().unwrap_or_default();
            let secret = URL_SAFE_NO_PAD.decode(secret).unwrap();
            assert_eq!(secret.len(), 32);
            forms.extend(spellings(&secret).map(|form| ("a token, secret or code", form)));
        }
        for (what, text) in &self.texts {
            forms.extend(spellings(text.as_bytes()).map(|form| (*what, form)));
        }
        let mut pairs = places
            .iter()
            .flat_map(|place| forms.iter().map(move |form| (place, form)));
        let found = pairs.find(|((_, text), (_, form))| holds(text, form));
        found.map(|((place, _), (what, _))| format!("{what} stands in {place}"))
    }

    /// No 32 bytes that stand in the rows make one of the keys, nor do those that any text there spells.
    pub(super) fn no_seed_in(&self, rows: &[Vec<u8>]) {
        assert!(self.public.len() > 2, "keys are known");
        let found = self.seed_in(rows);
        assert!(found.is_none(), "a signing key stands in {found:?}");
        // And one would be found.
        for form in spellings(&[7; 32]) {
            let key = Ed25519KeyPair::from_seed_unchecked(&[7; 32]).unwrap();
            let planted = Self {
                public: HashSet::from([key.public_key().as_ref().to_vec()]),
                ..Self::default()
            };
            let row = [b"{\"key\":\"".as_slice(), &form, b"\"}"].concat();
            assert!(planted.seed_in(&[row]).is_some());
        }
    }

    fn seed_in(&self, rows: &[Vec<u8>]) -> Option<Vec<u8>> {
        let mut tried: HashSet<[u8; 32]> = HashSet::new();
        for row in rows {
            let raw = row.windows(32).map(|window| window.try_into().unwrap());
            let hex = row
                .windows(64)
                .filter_map(|window| from_hex(std::str::from_utf8(window).ok()?));
            let coded = row.windows(43).filter_map(from_base64);
            for seed in raw.chain(hex).chain(coded) {
                if tried.insert(seed) && self.makes_a_key(&seed) {
                    return Some(row.clone());
                }
            }
        }
        None
    }

    fn makes_a_key(&self, seed: &[u8; 32]) -> bool {
        let key = Ed25519KeyPair::from_seed_unchecked(seed).unwrap();
        self.public.contains(key.public_key().as_ref())
    }
}

/// Every row of the store, its key before its value, as the engine reads it.
pub(super) fn rows(data: &Path) -> Vec<Vec<u8>> {
    let place = Place::within(data, [7; 16]);
    let engine = RocksEngine::open(&place, Arc::new(SystemClock)).unwrap();
    let rows = engine.scan(&[], &[0xff; 64], usize::MAX).unwrap();
    rows.into_iter()
        .map(|(key, value)| [key, value].concat())
        .collect()
}

/// Raw, in hexadecimal of either case, and in base64 of either alphabet.
fn spellings(secret: &[u8]) -> impl Iterator<Item = Vec<u8>> {
    let hex: String = secret.iter().map(|byte| format!("{byte:02x}")).collect();
    let coded = STANDARD.encode(secret);
    let texts = [
        hex.to_uppercase(),
        hex,
        URL_SAFE_NO_PAD.encode(secret),
        coded.trim_end_matches('=').to_owned(),
    ];
    let texts = texts.into_iter().map(String::into_bytes);
    [secret.to_vec()].into_iter().chain(texts)
}

fn from_hex(text: &str) -> Option<[u8; 32]> {
    let digits: Option<Vec<u8>> = text
        .chars()
        .map(|c| c.to_digit(16).and_then(|digit| u8::try_from(digit).ok()))
        .collect();
    let bytes: Vec<u8> = digits?
        .chunks(2)
        .map(|pair| pair[0] << 4 | pair[1])
        .collect();
    bytes.try_into().ok()
}

fn from_base64(text: &[u8]) -> Option<[u8; 32]> {
    let url_safe = URL_SAFE_NO_PAD.decode(text);
    let bytes = url_safe
        .or_else(|_| STANDARD.decode([text, b"="].concat()))
        .ok()?;
    bytes.try_into().ok()
}
