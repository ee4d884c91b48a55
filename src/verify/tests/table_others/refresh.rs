//! Refresh services: what they give in place of a badge, and what they cannot give.

use super::entries::{LIST, Stated};
use super::*;

const SERVICE: &str = "https://college.example/refresh/1";

/// A badge with a refresh service, and the newer version that it gives.
struct Refreshed {
    web: Web,
    badge: Value,
    spoil_signed: fn(&mut Value),
    newer: Value,
    newer_by: Actor,
    /// What the service gives instead of the newer version.
    body: Option<Vec<u8>>,
}

impl Draft for Refreshed {
    fn hand_in(mut self) -> HandedIn {
        let newer = || self.newer_by.sign(&self.newer).to_string().into_bytes();
        let body = self.body.clone().unwrap_or_else(newer);
        self.web.files.insert(SERVICE.to_owned(), body);
        let mut signed = college().sign(&self.badge);
        (self.spoil_signed)(&mut signed);
        HandedIn {
            form: Form::Document(signed),
            web: Box::new(self.web),
            pinned: Vec::new(),
            expected: Expected::default(),
        }
    }
}

fn refreshed() -> Refreshed {
    let mut badge = college().badge();
    badge["@context"] = json!([
        CREDENTIALS_V2,
        OPEN_BADGES,
        "https://purl.imsglobal.org/spec/ob/v3p0/extensions.json",
    ]);
    badge["refreshService"] = json!({"id": SERVICE, "type": "1EdTechCredentialRefresh"});
    let mut newer = badge.clone();
    newer["validFrom"] = json!("2026-02-01T00:00:00Z");
    Refreshed {
        web: Web::of_college(),
        badge,
        spoil_signed: |_| {},
        newer,
        newer_by: college(),
        body: None,
    }
}

fn newer(name: &'static str, member: &str, value: Value, expected: Wanted) -> Row {
    row(
        name,
        refreshed,
        |badge| badge.newer[member] = value,
        expected,
    )
}

fn body(name: &'static str, body: impl Into<Vec<u8>>) -> Row {
    let body = body.into();
    row(name, refreshed, |badge| badge.body = Some(body), kept())
}

/// The badge is judged as it was handed in, and why is told.
fn kept() -> Wanted {
    telling(&["refresh-failed"])
}

pub(super) fn rows() -> Vec<Row> {
    let entry = |index| statuses::entry(LIST, "revocation", index);
    let presentation = json!({
        "@context": [CREDENTIALS_V2],
        "type": ["VerifiablePresentation"],
        "verifiableCredential": [college().sign(&college().badge())],
    });
    vec![
        row(
            "refresh: a newer version, which names the same service",
            refreshed,
            |_| {},
            telling(&["refreshed"]),
        ),
        newer(
            "refresh: one as old",
            "validFrom",
            json!("2026-01-01T00:00:00Z"),
            telling(&["refreshed"]),
        ),
        newer(
            "refresh: an older one",
            "validFrom",
            json!("2025-12-31T23:59:59Z"),
            kept(),
        ),
        newer(
            "refresh: one of another id",
            "id",
            json!("https://college.example/badges/2"),
            kept(),
        ),
        newer(
            "refresh: one that has expired",
            "validUntil",
            json!("2026-05-01T00:00:00Z"),
            proved(Outcome::Expired, "expired", "/validUntil"),
        ),
        row(
            "refresh: one that is revoked",
            refreshed,
            |badge| {
                let stated = Stated::bitstring();
                let list = stated.list_by.sign(&stated.list).to_string();
                badge.web.files.insert(LIST.to_owned(), list.into_bytes());
                badge.newer["credentialStatus"] = entry(1);
            },
            proved(Outcome::Revoked, "revoked", "/credentialStatus"),
        ),
        newer(
            "refresh: one whose status is out of reach",
            "credentialStatus",
            entry(7),
            proved(
                Outcome::Unreachable,
                "status-retrieval",
                "/credentialStatus",
            ),
        ),
        row(
            "refresh: one by a forger in the college's name",
            refreshed,
            |badge| badge.newer_by = forger(),
            kept(),
        ),
        row(
            "refresh: a forger's own",
            refreshed,
            |badge| {
                badge.newer["issuer"]["id"] = json!(Actor::did_key(66).id);
                badge.newer_by = Actor::did_key(66);
            },
            kept(),
        ),
        row(
            "refresh: one without a date",
            refreshed,
            |badge| without(&mut badge.newer, "validFrom"),
            kept(),
        ),
        row(
            "refresh: neither has an id",
            refreshed,
            |badge| {
                without(&mut badge.badge, "id");
                without(&mut badge.newer, "id");
            },
            kept(),
        ),
        body("refresh: a page for people", "<html>"),
        body("refresh: nothing", ""),
        body(
            "refresh: one that is not signed",
            refreshed().newer.to_string(),
        ),
        body("refresh: a presentation", presentation.to_string()),
        body(
            "refresh: the badge ten thousand levels deep",
            "[".repeat(10_000),
        ),
        row(
            "refresh: out of reach",
            refreshed,
            |badge| {
                badge.badge["refreshService"]["id"] = json!("https://college.example/refresh/2")
            },
            kept(),
        ),
        row(
            "refresh: a service of a type that nobody reads",
            refreshed,
            |badge| badge.badge["refreshService"]["type"] = json!("1EdTechJsonSchemaValidator2019"),
            kept(),
        ),
        row(
            "refresh: a forger's service is not asked",
            refreshed,
            |badge| {
                badge.spoil_signed = |signed| {
                    signed["refreshService"]["id"] = json!("https://forger.example/refresh");
                }
            },
            refused_at("signature-bad", "/proof"),
        ),
    ]
}
