//! What a tenant does beside its lists and endorsements: the Open Badges API, keys that are brought
//! along, the audit trail, and erasure.

use serde_json::{Value, json};

use super::super::ORIGIN;
use super::super::secrets::Secrets;
use super::clients::now;
use super::{Made, Visit, text};
use crate::support::home::Home;

const OPEN_BADGES: &str = "/ims/ob/v3p0";

impl Visit<'_> {
    pub(super) fn keeps_house(&self, made: &Made, secrets: &mut Secrets) {
        self.prints_codes(made, secrets);
        self.speaks_open_badges(made);
        self.brings_a_key(secrets);
        self.reads_the_trail(made);
        self.erases(made);
    }

    /// Codes that are handed out, looked up well and badly, replaced and withdrawn.
    fn prints_codes(&self, made: &Made, secrets: &mut Secrets) {
        let (token, credential) = (&made.token, text(&made.credential["id"]));
        for replace in [false, true] {
            let body = json!({ "credentialIds": [credential], "replace": replace });
            let handed = self.post(token, "/credentials/codes", &body).is(200).json();
            let code = text(&handed["codes"][0]["code"]);
            secrets.text("a verification code", &code);
            secrets.text("a verification code", &code.replace('-', ""));
            let found = self.get("", &format!("/codes/{code}")).is(200);
            assert!(!found.text().contains(&credential), "{}", found.text());
            let slip = code.replacen(&code[..1], if code.starts_with('7') { "8" } else { "7" }, 1);
            self.get("", &format!("/codes/{slip}")).is(400);
        }
        self.get("", "/codes/canary").is(400);
        self.get("", "/codes/0123-4567-89AB-CDE4?canary").is(404);
        for body in [
            json!({ "credentialIds": ["canary"] }),
            json!({ "credentialIds": [], "canary": 1 }),
            json!({ "credentialIds": ["urn:canary"], "issuer": "canary" }),
        ] {
            let answer = self.post(token, "/credentials/codes", &body);
            assert!((400..500).contains(&answer.status), "{}", answer.text());
        }
        let body = json!({ "credentialIds": [credential], "reason": "canary" });
        self.post(token, "/credentials/codes/withdraw", &body)
            .is(200);
    }

    fn speaks_open_badges(&self, made: &Made) {
        let token = &made.token;
        let (credentials, profile) = (
            format!("{OPEN_BADGES}/credentials"),
            format!("{OPEN_BADGES}/profile"),
        );
        self.get("", &format!("{OPEN_BADGES}/discovery")).is(200);
        self.get(token, &credentials).is(200);
        for query in ["since=canary", "limit=canary", "offset=canary", "canary=1"] {
            self.get(token, &format!("{credentials}?{query}")).is(400);
        }
        self.get("canary", &credentials).is(401);
        let mut foreign = made.credential.clone();
        foreign["issuer"]["id"] = "http://localhost:1/canary".into();
        for body in [&made.credential, &foreign, &json!({ "canary": "canary" })] {
            let answer = self.post(token, &credentials, body);
            assert!((400..500).contains(&answer.status), "{}", answer.text());
        }
        for jws in ["canary", "e30.canary.canary"] {
            let call = self.call(Some(token), "POST", &credentials);
            let answer = call.body("text/plain", jws).send();
            assert!((400..500).contains(&answer.status), "{}", answer.text());
        }
        let mut whole = self.get(token, &profile).is(200).json();
        let puts = |body: &Value| {
            let call = self.call(Some(token), "PUT", &profile).json(body);
            call.send().status
        };
        whole["description"] = "The canary sings on.".into();
        assert_eq!(puts(&whole), 200);
        for (member, value) in [
            ("id", json!("https://canary.example/")),
            ("type", json!(["Canary"])),
            ("name", json!(["canary"])),
            ("url", json!("canary")),
        ] {
            let mut bent = whole.clone();
            bent[member] = value;
            assert!((400..500).contains(&puts(&bent)), "{member}");
        }
    }

    /// With a proof of possession, and with some that prove nothing.
    fn brings_a_key(&self, secrets: &mut Secrets) {
        let home = Home::of(if self.name == "json" { 21 } else { 22 });
        let slug = format!("canary-home-{}", self.name);
        let proof = |typ: &str, change: &dyn Fn(&mut Value)| {
            let mut claims = json!({
                "aud": ORIGIN, "sub": format!("{ORIGIN}/profiles/{slug}"), "iat": now(),
            });
            change(&mut claims);
            home.jws(&json!({ "alg": "EdDSA", "typ": typ }), &claims)
        };
        let typ = "goodstanding-key-possession+jwt";
        let good = proof(typ, &|_| ());
        let brings = |key: &str, proof: &str| {
            let body = json!({
                "slug": slug, "roles": ["issuer"], "name": "Canary Home",
                "key": { "publicKeyMultibase": key, "proof": proof },
            });
            self.post(self.operator, "/profiles", &body)
        };
        for bad in [
            "canary".to_owned(),
            "e30.canary.canary".to_owned(),
            proof("canary+jwt", &|_| ()),
            proof(typ, &|claims| claims["aud"] = "canary".into()),
            proof(typ, &|claims| claims["sub"] = "canary".into()),
            proof(typ, &|claims| claims["iat"] = "canary".into()),
        ] {
            let answer = brings(&home.multikey(), &bad);
            assert!((400..500).contains(&answer.status), "{}", answer.text());
        }
        let other = brings("canary", &good);
        assert!((400..500).contains(&other.status), "{}", other.text());
        secrets.jwt("a proof of possession", &good);
        brings(&home.multikey(), &good).is(201);
        let next = json!({ "publicKeyMultibase": "canary", "proofOfPossession": "canary" });
        let keys = format!("/profiles/{slug}/keys");
        self.post(self.operator, &keys, &next).is(400);
    }

    fn reads_the_trail(&self, made: &Made) {
        for media in [
            "application/json",
            "application/x-ndjson",
            "text/event-stream",
        ] {
            let read = |target: &str| {
                let call = self.call(Some(&made.token), "GET", target);
                call.header("Accept", media).send().status
            };
            assert_eq!(read("/events?limit=1000"), 200);
            assert_eq!(read(&format!("/events?profile={}", made.school)), 200);
            for query in [
                "since=canary",
                "limit=canary",
                "profile=Canary!",
                "canary=1",
            ] {
                assert_eq!(read(&format!("/events?{query}")), 400, "{query}");
            }
            let board = format!("/events?profile={}", made.board);
            assert!((400..500).contains(&read(&board)));
        }
        let call = self.call(Some(&made.token), "GET", "/events");
        let called = call.header("Last-Event-ID", "canary").send();
        assert!(called.status < 500, "{}", called.text());
    }

    fn erases(&self, made: &Made) {
        let target = format!("/profiles/{}/erase", made.school);
        let erases = |token: &str, body: &Value| self.post(token, &target, body).status;
        let url = |path: &str| format!("{ORIGIN}{path}");
        for body in [
            json!({ "reasons": "canary" }),
            json!({ "reasons": ["canary"] }),
            json!({ "members": ["canary"] }),
            json!({ "requests": ["https://canary.example/endorsement-requests/1"] }),
            json!({ "requests": [url("/endorsement-requests/canary")] }),
            json!({ "endorsements": [url("/endorsements/canary")] }),
            json!({ "canary": "canary" }),
        ] {
            let status = erases(&made.token, &body);
            assert!((400..500).contains(&status), "{body}: {status}");
        }
        let all = json!({
            "reasons": "all", "members": ["email", "phone"], "requests": [url(&made.request)],
        });
        assert_eq!(erases(&made.board_token, &all), 403);
        assert_eq!(erases(&made.token, &all), 200);
        let shown = format!("/profiles/{}", made.school);
        let shown = self.get("", &shown).is(200).json();
        assert_eq!((shown.get("email"), shown.get("phone")), (None, None));
        assert!(text(&shown["name"]).contains("Canary"));
    }
}
