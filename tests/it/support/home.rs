//! A key that its owner keeps at home, and what is signed with it there.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as B64;
use ed25519_dalek::{Signer as _, SigningKey as Dalek};
use goodstanding::time::Timestamp;
use goodstanding::vc::jws::NewHeader;
use goodstanding::vc::keys::SigningKey;
use goodstanding::vc::proof::{self, ProofOptions, Suite};
use serde_json::{Value, json};

use super::actors::text;
use super::house::{ORIGIN, START};

/// A key that never leaves the test.
pub(crate) struct Home {
    seed: [u8; 32],
}

impl Home {
    pub(crate) const fn of(seed: u8) -> Self {
        Self { seed: [seed; 32] }
    }

    pub(crate) fn key(&self) -> SigningKey {
        SigningKey::from_seed(&self.seed)
    }

    pub(crate) fn multikey(&self) -> String {
        self.key().public().to_multikey()
    }

    /// A JWS of claims, made without the registry's code.
    pub(crate) fn jws(&self, header: &Value, claims: &Value) -> String {
        let parts = [header, claims].map(|part| B64.encode(part.to_string()));
        let signed = parts.join(".");
        let key = Dalek::from_bytes(&self.seed);
        let signature = B64.encode(key.sign(signed.as_bytes()).to_bytes());
        format!("{signed}.{signature}")
    }

    pub(crate) fn possession_of(&self, slug: &str, change: impl Fn(&mut Value)) -> String {
        let now: Timestamp = START.parse().unwrap();
        let mut claims = json!({
            "aud": ORIGIN, "sub": format!("{ORIGIN}/profiles/{slug}"), "iat": now.seconds(),
        });
        change(&mut claims);
        let header = json!({ "alg": "EdDSA", "typ": "goodstanding-key-possession+jwt" });
        self.jws(&header, &claims)
    }

    pub(crate) fn possession(&self, slug: &str) -> String {
        self.possession_of(slug, |_| {})
    }

    /// A document with a proof for each suite that is asked for.
    pub(crate) fn signs(&self, document: &Value, suites: &[Suite], method: &str) -> Value {
        let mut document = document.clone();
        for suite in suites {
            let options = ProofOptions {
                suite: *suite,
                created: Some(START.parse().unwrap()),
                ..ProofOptions::new(method.to_owned())
            };
            document = proof::sign(&document, &options, &self.key()).unwrap();
        }
        document
    }

    /// Everything that was given out of a list, signed.
    pub(crate) fn signs_list(&self, unsigned: &Value) -> Value {
        let (method, kid) = (
            text(&unsigned["verificationMethod"]),
            text(&unsigned["kid"]),
        );
        let artefacts = unsigned["forms"].as_array().unwrap().iter().map(|form| {
            let artefact = match form["form"].as_str().unwrap() {
                "bitstring" | "2021" => {
                    let suites = form["cryptosuites"].as_array().unwrap().iter();
                    let suites: Vec<Suite> = suites
                        .map(|suite| match suite.as_str().unwrap() {
                            "eddsa-rdfc-2022" => Suite::EddsaRdfc2022,
                            _ => Suite::EddsaJcs2022,
                        })
                        .collect();
                    self.signs(&form["document"], &suites, &method)
                }
                "bitstring-jwt" => self.jwt("vc+jwt", &kid, &form["claims"]).into(),
                "token-jwt" => self.jwt("statuslist+jwt", &kid, &form["claims"]).into(),
                "token-cwt" => {
                    let claims = B64.decode(form["cborClaims"].as_str().unwrap()).unwrap();
                    B64.encode(self.cwt(&kid, claims)).into()
                }
                other => panic!("{other}"),
            };
            json!({ "form": form["form"], "artefact": artefact })
        });
        let artefacts: Vec<Value> = artefacts.collect();
        json!({ "revision": unsigned["revision"], "artefacts": artefacts })
    }

    pub(crate) fn jwt(&self, typ: &str, kid: &str, claims: &Value) -> String {
        let payload = serde_json::to_vec(claims).unwrap();
        goodstanding::vc::jws::sign(NewHeader { typ, kid }, &payload, &self.key())
    }

    pub(crate) fn cwt(&self, kid: &str, claims: Vec<u8>) -> Vec<u8> {
        let mut header = coset::HeaderBuilder::new()
            .algorithm(coset::iana::Algorithm::EdDSA)
            .key_id(kid.as_bytes().to_vec())
            .build();
        let typ = coset::cbor::value::Value::from("application/statuslist+cwt");
        header.rest.push((coset::Label::Int(16), typ));
        let key = Dalek::from_bytes(&self.seed);
        let token = coset::CoseSign1Builder::new()
            .protected(header)
            .payload(claims)
            .create_signature(&[], |message| key.sign(message).to_bytes().to_vec());
        coset::TaggedCborSerializable::to_tagged_vec(token.build()).unwrap()
    }
}
