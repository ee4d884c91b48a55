//! Offline: what was not given is unreachable, and what was given is read as strictly as ever.

use super::entries::{LIST, Stated};
use super::*;
use crate::verify::Given;

/// A badge with a status, and all documents for it.
struct Offline {
    badge: Value,
    refused: bool,
    documents: Vec<(String, Vec<u8>)>,
}

impl Draft for Offline {
    fn hand_in(self) -> HandedIn {
        let mut given = match self.refused {
            true => Given::refused(),
            false => Given::default(),
        };
        for (url, bytes) in self.documents {
            given.add(Some(&url), bytes).unwrap();
        }
        HandedIn {
            form: Form::Document(college().sign(&self.badge)),
            web: Box::new(given),
            pinned: Vec::new(),
            expected: Expected::default(),
        }
    }
}

fn offline() -> Offline {
    let Stated { badge, list, .. } = Stated::bitstring();
    let college = college();
    let list = college.sign(&list).to_string();
    Offline {
        badge,
        refused: false,
        documents: vec![
            (
                college.id.clone(),
                college.document().to_string().into_bytes(),
            ),
            (LIST.to_owned(), list.into_bytes()),
        ],
    }
}

pub(super) fn rows() -> Vec<Row> {
    const METHOD: &str = "/proof/verificationMethod";
    const STATUS: &str = "/credentialStatus";
    let unreachable = || proved(Outcome::Unreachable, "status-retrieval", STATUS);
    let nowhere = || unreachable_at("key-document-unreachable", METHOD);
    vec![
        row(
            "offline: the issuer's document was not given",
            offline,
            |offline| drop(offline.documents.remove(0)),
            nowhere(),
        ),
        row(
            "offline: the list was not given",
            offline,
            |offline| drop(offline.documents.remove(1)),
            unreachable(),
        ),
        row(
            "offline: nothing was given",
            offline,
            |offline| offline.documents.clear(),
            nowhere(),
        ),
        row(
            "offline: nothing may be fetched",
            offline,
            |offline| {
                offline.refused = true;
                offline.documents.clear();
            },
            unreachable_at("key-document-refused", METHOD),
        ),
        row(
            "offline: the list may not be fetched",
            offline,
            |offline| {
                offline.refused = true;
                offline.documents.remove(1);
            },
            unreachable(),
        ),
        row(
            "offline: the issuer's document was given for another",
            offline,
            |offline| offline.documents[0].0 = forger().id,
            nowhere(),
        ),
        row(
            "offline: a forger's document was given for the issuer's",
            offline,
            |offline| offline.documents[0].1 = forger().document().to_string().into_bytes(),
            refused_at("key-document-id", METHOD),
        ),
        row(
            "offline: the issuer's document says its id twice",
            offline,
            |offline| {
                let document = college().document().to_string();
                let document = document.replacen('{', r#"{"id":"urn:x","#, 1);
                offline.documents[0].1 = document.into_bytes();
            },
            refused_at("key-document-malformed", METHOD),
        ),
        row(
            "offline: the issuer's document is a page for people",
            offline,
            |offline| offline.documents[0].1 = b"<html>".to_vec(),
            refused_at("key-document-malformed", METHOD),
        ),
        row(
            "offline: the list is under another URL",
            offline,
            |offline| offline.documents[1].0 = "https://college.example/lists/2".to_owned(),
            unreachable(),
        ),
        row(
            "offline: the badge is set in the list",
            offline,
            |offline| offline.badge["credentialStatus"] = statuses::entry(LIST, "revocation", 1),
            proved(Outcome::Revoked, "revoked", STATUS),
        ),
    ]
}
