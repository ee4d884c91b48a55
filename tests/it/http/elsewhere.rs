//! Credentials whose issuers and lists live elsewhere: on a server of the test's, which is asked
//! as far as policy says, and not once more than is needed.

use std::sync::Arc;
use std::thread;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use coset::cbor::{Value as Cbor, cbor};
use coset::{CborSerializable as _, CoseSign1Builder, HeaderBuilder, TaggedCborSerializable as _};
use goodstanding::bitstring::{encode, encode_2021, encode_zlib};
use goodstanding::net::{Hosts, Policy};
use goodstanding::time::Ttl;
use goodstanding::vc::controller::{Method, did_document};
use goodstanding::vc::did::DidKey;
use goodstanding::vc::jws::{self, NewHeader};
use goodstanding::vc::keys::SigningKey;
use goodstanding::vc::proof::{self, ProofOptions};
use serde_json::{Value, json};

use crate::support::actors::{badge, text};
use crate::support::house::{House, Plan};
use crate::support::site::{Canary, Here, Site};

const BADGE: &str = "https://college.example/badges/";
const ACHIEVEMENT: &str = "https://college.example/welding";
const FIVE_MINUTES: &str = "Cache-Control: max-age=300\r\n";

/// An issuer with a site of its own. Of each list the second place is set; of the token lists the
/// third is suspended.
pub(super) struct College {
    pub(super) site: Site,
    key: SigningKey,
}

impl College {
    pub(super) fn open() -> Self {
        let college = Self {
            site: Site::open(),
            key: SigningKey::from_seed(&[7; 32]),
        };
        college.publishes_key(&college.key, FIVE_MINUTES);
        college
    }

    fn publishes_key(&self, key: &SigningKey, fields: &str) {
        let method = Method {
            fragment: "key-1".to_owned(),
            key: key.public(),
            revoked: None,
        };
        let document = did_document(&self.site.did(), &[method], &[]).to_string();
        let path = "/.well-known/did.json";
        self.site
            .puts(path, "application/did", fields, document.as_bytes());
    }

    fn method(&self) -> String {
        format!("{}#key-1", self.site.did())
    }

    pub(super) fn signs(&self, document: &Value) -> Value {
        proof::sign(document, &ProofOptions::new(self.method()), &self.key).unwrap()
    }

    pub(super) fn jwt(&self, typ: &str, claims: &Value) -> String {
        let method = self.method();
        let header = NewHeader { typ, kid: &method };
        jws::sign(header, claims.to_string().as_bytes(), &self.key)
    }

    fn badge(&self, n: u64) -> Value {
        let mut badge = badge(&self.site.did(), ACHIEVEMENT);
        badge["id"] = json!(format!("{BADGE}{n}"));
        badge["validFrom"] = json!("2026-01-01T00:00:00Z");
        badge
    }

    /// A signed badge whose status is at this place of a list.
    fn badge_in(&self, list: &str, purpose: &str, index: u64) -> Value {
        let mut badge = self.badge(index);
        badge["credentialStatus"] = entry(&self.site.url(list), purpose, index);
        self.signs(&badge)
    }

    /// A badge as a JWT, whose status is at this place of a token list.
    fn token_badge(&self, list: &str, index: u64) -> Value {
        let mut claims = self.badge(index);
        claims["iss"] = json!(self.site.did());
        claims["status"] = json!({"status_list": {"idx": index, "uri": self.site.url(list)}});
        json!(self.jwt("vc+jwt", &claims))
    }

    fn puts_list(&self, path: &str, purpose: &str, ttl: Option<u64>, fields: &str) {
        self.puts_bits(path, purpose, &packed(), (ttl, fields));
    }

    /// A signed list with these bits.
    pub(super) fn puts_bits(
        &self,
        path: &str,
        purpose: &str,
        packed: &[u8],
        (ttl, fields): (Option<u64>, &str),
    ) {
        let mut list = json!({
            "@context": ["https://www.w3.org/ns/credentials/v2"],
            "id": self.site.url(path),
            "type": ["VerifiableCredential", "BitstringStatusListCredential"],
            "issuer": self.site.did(),
            "validFrom": "2026-01-01T00:00:00Z",
            "credentialSubject": {
                "type": "BitstringStatusList",
                "statusPurpose": purpose,
                "encodedList": encode(packed),
            },
        });
        if let Some(ttl) = ttl {
            list["credentialSubject"]["ttl"] = json!(ttl);
        }
        let list = self.signs(&list).to_string();
        self.site
            .puts(path, "application/vc", fields, list.as_bytes());
    }

    fn puts_list_of_2021(&self, path: &str) {
        let list = json!({
            "@context": [
                "https://www.w3.org/2018/credentials/v1",
                "https://w3id.org/vc/status-list/2021/v1",
                "https://w3id.org/security/data-integrity/v2",
            ],
            "id": self.site.url(path),
            "type": ["VerifiableCredential", "StatusList2021Credential"],
            "issuer": self.site.did(),
            "issuanceDate": "2026-01-01T00:00:00Z",
            "credentialSubject": {
                "type": "StatusList2021",
                "statusPurpose": "revocation",
                "encodedList": encode_2021(&packed()),
            },
        });
        let list = self.signs(&list).to_string();
        self.site
            .puts(path, "application/ld+json", "", list.as_bytes());
    }

    fn puts_token_jwt(&self, path: &str) {
        let lst = URL_SAFE_NO_PAD.encode(encode_zlib(&[0b10_01_00]));
        let claims = json!({
            "iss": self.site.did(),
            "sub": self.site.url(path),
            "iat": 1_767_225_600, // 2026-01-01
            "status_list": {"bits": 2, "lst": lst},
        });
        let token = self.jwt("statuslist+jwt", &claims);
        let media_type = "application/statuslist+jwt";
        self.site.puts(path, media_type, "", token.as_bytes());
    }

    fn puts_token_cwt(&self, path: &str) {
        let lst = Cbor::Bytes(encode_zlib(&[0b10_01_00]));
        let claims = cbor!({
            1 => self.site.did(), 2 => self.site.url(path), 6 => 1_767_225_600,
            65533 => {"bits" => 2, "lst" => lst},
        });
        let header = HeaderBuilder::new()
            .algorithm(coset::iana::Algorithm::EdDSA)
            .key_id(self.method().into_bytes())
            .value(16, "application/statuslist+cwt".into());
        let token = CoseSign1Builder::new()
            .protected(header.build())
            .payload(claims.unwrap().to_vec().unwrap())
            .create_signature(&[], |message| self.key.sign(message).to_vec())
            .build();
        let token = token.to_tagged_vec().unwrap();
        let media_type = "application/statuslist+cwt";
        self.site.puts(path, media_type, "", &token);
    }

    /// By https alone: nobody signs such a list.
    fn puts_revoked_ids(&self, path: &str, ids: &[&str]) {
        let revoked: Vec<Value> = ids.iter().map(|id| json!({"id": id})).collect();
        let list = json!({
            "id": self.site.url(path),
            "issuer": {"id": self.site.did()},
            "revokedCredential": revoked,
        });
        let list = list.to_string();
        self.site
            .puts(path, "application/json", "", list.as_bytes());
    }
}

fn with_context(badge: &mut Value, context: &str) {
    badge["@context"]
        .as_array_mut()
        .unwrap()
        .push(json!(context));
}

pub(super) fn packed() -> Vec<u8> {
    let mut packed = vec![0; 16_384];
    packed[0] = 0x40;
    packed
}

pub(super) fn entry(list: &str, purpose: &str, index: u64) -> Value {
    json!({
        "type": "BitstringStatusListEntry",
        "statusPurpose": purpose,
        "statusListIndex": index.to_string(),
        "statusListCredential": list,
    })
}

/// Where this machine is asked, and of others those that are listed.
pub(super) fn policy() -> Policy {
    Policy {
        hosts: Hosts::Listed(vec!["listed.example".parse().unwrap()]),
        localhost: true,
        connect: Ttl::from_seconds(5),
        total: Ttl::from_seconds(20),
        ..Policy::default()
    }
}

pub(super) fn house() -> House {
    Plan::new()
        .reaching(policy(), Arc::new(Here::default()))
        .open()
}

fn outcome(house: &House, credential: &Value) -> String {
    text(&house.verifier().verifies(credential)["outcome"])
}

#[test]
fn every_kind_of_list_is_fetched_from_its_issuer() {
    let (house, college) = (house(), College::open());
    college.puts_list("/revocations", "revocation", None, "");
    college.puts_list("/suspensions", "suspension", None, "");
    college.puts_list_of_2021("/2021");
    college.puts_token_jwt("/tokens.jwt");
    college.puts_token_cwt("/tokens.cwt");
    college.puts_revoked_ids("/ids", &[&format!("{BADGE}1")]);
    let of_2021 = |index: u64| {
        let mut badge = college.badge(index);
        with_context(&mut badge, "https://w3id.org/vc/status-list/2021/v1");
        badge["credentialStatus"] = entry(&college.site.url("/2021"), "revocation", index);
        badge["credentialStatus"]["type"] = json!("StatusList2021Entry");
        college.signs(&badge)
    };
    let by_id = |n: u64| {
        let mut badge = college.badge(n);
        let extensions = "https://purl.imsglobal.org/spec/ob/v3p0/extensions.json";
        with_context(&mut badge, extensions);
        badge["credentialStatus"] =
            json!({"id": college.site.url("/ids"), "type": "1EdTechRevocationList"});
        college.signs(&badge)
    };
    for (credential, expected) in [
        (college.badge_in("/revocations", "revocation", 0), "active"),
        (college.badge_in("/revocations", "revocation", 1), "revoked"),
        (college.badge_in("/suspensions", "suspension", 0), "active"),
        (
            college.badge_in("/suspensions", "suspension", 1),
            "suspended",
        ),
        (of_2021(0), "active"),
        (of_2021(1), "revoked"),
        (college.token_badge("/tokens.jwt", 0), "active"),
        (college.token_badge("/tokens.jwt", 1), "revoked"),
        (college.token_badge("/tokens.jwt", 2), "suspended"),
        (college.token_badge("/tokens.cwt", 0), "active"),
        (college.token_badge("/tokens.cwt", 1), "revoked"),
        (college.token_badge("/tokens.cwt", 2), "suspended"),
        (by_id(0), "active"),
        (by_id(1), "revoked"),
    ] {
        let report = house.verifier().verifies(&credential);
        assert_eq!(report["outcome"], expected, "{report:#}");
        assert_eq!(report["verified"], true, "{report:#}");
    }
}

#[test]
fn a_list_that_cannot_be_had_leaves_the_status_open() {
    let (house, college) = (house(), College::open());
    let nowhere = Site::open().port;
    let mut badge = college.badge(0);
    badge["credentialStatus"] = entry(&format!("http://localhost:{nowhere}/list"), "revocation", 0);
    let missing = college.badge_in("/missing", "revocation", 0);
    for credential in [college.signs(&badge), missing] {
        let report = house.verifier().verifies(&credential);
        assert_eq!(report["outcome"], "unreachable", "{report:#}");
        assert_eq!(report["verified"], true, "the proof is good: {report:#}");
    }
    // The issuer's own site is gone, and with it the key.
    let badge = college.signs(&college.badge(0));
    drop(college);
    house.wait(301);
    let report = house.verifier().verifies(&badge);
    assert_eq!(
        (&report["outcome"], &report["verified"]),
        (&json!("unreachable"), &json!(false))
    );
}

#[test]
fn who_is_not_listed_is_not_asked() {
    let names = Arc::new(Here::default());
    let house = Plan::new().reaching(policy(), names.clone()).open();
    let canary = Canary::at("127.0.0.1", 0);
    let list = format!("https://elsewhere.example:{}/list", canary.port());
    let college = College::open();
    let mut badge = college.badge(0);
    badge["credentialStatus"] = entry(&list, "revocation", 0);
    let report = house.verifier().verifies(&college.signs(&badge));
    assert_eq!(report["outcome"], "unreachable", "{report:#}");
    assert!(
        report.to_string().contains("fetch.hosts"),
        "the report names the setting: {report:#}"
    );
    // Nor for a key.
    let did = format!("did:web:elsewhere.example%3A{}", canary.port());
    let mut badge = self::badge(&did, ACHIEVEMENT);
    badge["validFrom"] = json!("2026-01-01T00:00:00Z");
    let options = ProofOptions::new(format!("{did}#key-1"));
    let badge = proof::sign(&badge, &options, &college.key).unwrap();
    let report = house.verifier().verifies(&badge);
    assert_eq!(report["outcome"], "unreachable", "{report:#}");
    assert!(
        report.to_string().contains("key-document-refused"),
        "{report:#}"
    );
    assert_eq!(names.asked(), ["localhost"], "for the college alone");
    canary.sings();
}

#[test]
fn localhost_is_nobody_where_policy_does_not_say_so() {
    let college = College::open();
    let policy = Policy {
        hosts: Hosts::Public,
        ..Policy::default()
    };
    let public = Plan::new()
        .reaching(policy, Arc::new(Here::default()))
        .open();
    for house in [public, House::open()] {
        let badge = college.signs(&college.badge(0));
        assert_eq!(outcome(&house, &badge), "unreachable");
    }
    assert_eq!(college.site.asked_in_all(), 0);
}

#[test]
fn a_thousand_verifications_ask_once() {
    let (house, college) = (house(), College::open());
    college.puts_list("/list", "revocation", Some(300_000), FIVE_MINUTES);
    let badges = [0, 1].map(|index| college.badge_in("/list", "revocation", index));
    thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                for turn in 0..125 {
                    let expected = ["active", "revoked"][turn % 2];
                    assert_eq!(outcome(&house, &badges[turn % 2]), expected);
                }
            });
        }
    });
    assert_eq!(college.site.asked("/list"), 1);
    assert_eq!(college.site.asked("/.well-known/did.json"), 1);
}

#[test]
fn a_list_is_kept_no_longer_than_it_says_itself() {
    let (house, college) = (house(), College::open());
    let a_day = "Cache-Control: max-age=86400\r\n";
    college.publishes_key(&college.key, a_day);
    college.puts_list("/list", "revocation", Some(60_000), a_day);
    let badge = college.badge_in("/list", "revocation", 0);
    for (seconds, asked) in [(0, 1), (59, 1), (1, 2), (59, 2), (1, 3)] {
        house.wait(seconds);
        assert_eq!(outcome(&house, &badge), "active");
        assert_eq!(college.site.asked("/list"), asked);
    }
    // One whose ttl is no time at all is asked for each time.
    college.puts_list("/now", "revocation", Some(1), a_day);
    let badge = college.badge_in("/now", "revocation", 0);
    for asked in 1..4 {
        house.wait(1);
        assert_eq!(outcome(&house, &badge), "active");
        assert_eq!(college.site.asked("/now"), asked);
    }
}

#[test]
fn a_list_counts_no_longer_than_the_key_that_signed_it() {
    let (house, college) = (house(), College::open());
    let a_day = "Cache-Control: max-age=86400\r\n";
    college.puts_list("/list", "revocation", None, a_day);
    let new_key = SigningKey::from_seed(&[8; 32]);
    let mut badge = college.badge(0);
    badge["credentialStatus"] = entry(&college.site.url("/list"), "revocation", 0);
    let options = ProofOptions::new(college.method());
    let by_the_new = proof::sign(&badge, &options, &new_key).unwrap();
    assert_eq!(outcome(&house, &college.signs(&badge)), "active");
    college.publishes_key(&new_key, FIVE_MINUTES);
    house.wait(300);
    let report = house.verifier().verifies(&by_the_new);
    assert_eq!(
        (&report["verified"], &report["outcome"]),
        (&json!(true), &json!("unknown")),
        "{report:#}"
    );
}

#[test]
fn a_strangers_credential_spoils_no_list() {
    let (house, college) = (house(), College::open());
    college.puts_token_jwt("/tokens");
    let stranger = SigningKey::from_seed(&[9; 32]);
    let did = DidKey::from(stranger.public());
    let mut foreign = badge(&did.to_string(), ACHIEVEMENT);
    foreign["validFrom"] = json!("2026-01-01T00:00:00Z");
    foreign["credentialStatus"] = entry(&college.site.url("/list"), "revocation", 0);
    let options = ProofOptions::new(did.method_url());
    let foreign = proof::sign(&foreign, &options, &stranger).unwrap();
    college.puts_list("/list", "revocation", None, FIVE_MINUTES);
    let own = college.badge_in("/list", "revocation", 0);
    for _ in 0..2 {
        assert_eq!(outcome(&house, &foreign), "unknown");
        assert_eq!(outcome(&house, &own), "active");
    }
    assert_eq!(college.site.asked("/list"), 1, "nor is it fetched again");
}

#[test]
fn one_request_asks_so_much_and_no_more() {
    let (house, college) = (house(), College::open());
    let credentials: Vec<Value> = (0..4)
        .map(|n| {
            let mut badge = college.badge(n);
            let lists = (0..25).map(|list| format!("/list/{n}/{list}"));
            let entries = lists.map(|path| {
                college.puts_list(&path, "revocation", None, "");
                entry(&college.site.url(&path), "revocation", 0)
            });
            badge["credentialStatus"] = entries.collect();
            college.signs(&badge)
        })
        .collect();
    let presentation = json!({
        "@context": ["https://www.w3.org/ns/credentials/v2"],
        "type": ["VerifiablePresentation"],
        "verifiableCredential": credentials,
    });
    let body = json!({
        "verifiablePresentation": presentation,
        "options": { "returnResults": true },
    });
    let verifier = house.verifier();
    let report = verifier.post("/presentations/verify", &body).is(200).json();
    assert_eq!(college.site.asked_in_all(), 32, "one key and 31 lists");
    let told = report.to_string();
    assert!(told.contains("one request may ask for 32 things"), "{told}");
    // The first of them knows all of its lists; the last is as unknown as it was.
    assert_eq!(outcome(&house, &credentials[0]), "active");
    assert_eq!(college.site.asked_in_all(), 32);
}

#[test]
fn what_may_not_be_kept_is_asked_for_once_in_a_request() {
    let (house, college) = (house(), College::open());
    let never = "Cache-Control: no-store\r\n";
    college.publishes_key(&college.key, never);
    college.puts_list("/list", "revocation", None, never);
    let badges = [0, 2, 3].map(|index| college.badge_in("/list", "revocation", index));
    let presentation = json!({
        "@context": ["https://www.w3.org/ns/credentials/v2"],
        "type": ["VerifiablePresentation"],
        "verifiableCredential": badges,
    });
    let body = json!({ "verifiablePresentation": presentation });
    for asked in 1..3 {
        let verifier = house.verifier();
        verifier.post("/presentations/verify", &body).is(200);
        assert_eq!(college.site.asked("/list"), asked);
        assert_eq!(college.site.asked("/.well-known/did.json"), asked);
    }
}
