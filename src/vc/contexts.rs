//! The JSON-LD contexts that are known, compiled in. None is ever fetched: a proof means what
//! these texts say, so they are pinned by their digests (see `contexts/README.md`).

use std::sync::{LazyLock, OnceLock};

use serde_json::{Value, json};

use crate::jsonld::Processor;

/// URL of the first context of a credential of VC Data Model 2.0.
pub const CREDENTIALS_V2: &str = "https://www.w3.org/ns/credentials/v2";
/// URL of the context of Open Badges 3.0, behind which there are two [`Revision`]s.
pub const OPEN_BADGES: &str = "https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.3.json";
/// URL of the context with the 1EdTech status, schema and refresh types.
pub const OPEN_BADGES_EXTENSIONS: &str = "https://purl.imsglobal.org/spec/ob/v3p0/extensions.json";
/// URL of the context of CLR 2.0.
pub const CLR: &str = "https://purl.imsglobal.org/spec/clr/v2p0/context-2.0.1.json";
/// URL of the context of DID documents.
pub const DID_V1: &str = "https://www.w3.org/ns/did/v1";
/// URL of the context of keys of type `Multikey`.
pub const MULTIKEY_V1: &str = "https://w3id.org/security/multikey/v1";

/// URL of the context of StatusList2021.
pub const STATUS_LIST_2021: &str = "https://w3id.org/vc/status-list/2021/v1";
/// URL of the context of data integrity proofs, for documents whose first context has no terms for
/// them.
pub const DATA_INTEGRITY_V2: &str = "https://w3id.org/security/data-integrity/v2";

/// What the IRIs of the registry's own terms start with. Nothing stands behind it: the context that
/// uses them is written out in each document that needs it, and an IRI has to be unlike all others,
/// no more. A domain would have to be owned for as long as there are endorsements; a UUID that was
/// drawn at random is nobody's to lose. It is in signed documents, so it never changes.
pub const OWN_TERMS: &str = "urn:uuid:89ec792f-1b7a-4f5c-98c1-03e854901091#";

/// The revisions of the context behind [`OPEN_BADGES`]; the newer one adds the terms
/// `endorsementJwt` and `jti`. Both were in use when proofs were made, so that a proof is tried
/// with each.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Revision {
    /// Of mid-2026; what is signed here is signed with it.
    Mid2026,
    /// As first published.
    First,
}

impl Revision {
    /// All revisions, in the order in which they are tried.
    pub const ALL: [Self; 2] = [Self::Mid2026, Self::First];
}

/// A context document.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ContextDocument {
    /// The URL by which credentials name it.
    pub url: &'static str,
    /// The JSON text.
    pub text: &'static str,
    /// SHA-256 of the document's JCS form (RFC 8785), in lower-case hexadecimal.
    pub jcs_sha256: &'static str,
    /// Which bundle it belongs to; `None` where it belongs to each.
    pub revision: Option<Revision>,
}

macro_rules! document {
    ($file:literal, $url:expr, $digest:literal) => {
        document!($file, $url, $digest, None)
    };
    ($file:literal, $url:expr, $digest:literal, $revision:expr) => {
        ContextDocument {
            url: $url,
            text: include_str!(concat!("../../contexts/", $file, ".json")),
            jcs_sha256: $digest,
            revision: $revision,
        }
    };
}

/// Every document, the revisions of one URL in the order in which they are tried.
pub const DOCUMENTS: [ContextDocument; 16] = [
    document!(
        "credentials-v1",
        "https://www.w3.org/2018/credentials/v1",
        "b01e671e873981f19a9102a9a57f666dbcaeb31b99e3e124378d143e71549247"
    ),
    document!(
        "credentials-v2",
        CREDENTIALS_V2,
        "b463c8d6a066214123ddd9827b135e1b50e1fc73322cc52a9b12a4f1fc7d86cf"
    ),
    document!(
        "credentials-status-v1",
        "https://www.w3.org/ns/credentials/status/v1",
        "b2fcebfbaf4e6beae2be370fda8a5f9f99c28540c798a75a8cdccc0fb1a12492"
    ),
    document!(
        "status-list-2021-v1",
        STATUS_LIST_2021,
        "9768f9aa81ab6c3e2ad96b2d669eaba67afe13fff0140a853f1e3d313fab13b6"
    ),
    document!(
        "data-integrity-v1",
        "https://w3id.org/security/data-integrity/v1",
        "9505bf85338a4c2121ad03992ac90061bc85d43bcfa34d9d47b779381cf08b5f"
    ),
    document!(
        "data-integrity-v2",
        DATA_INTEGRITY_V2,
        "7ba3c50acf2689d5e07927267343eb353249c7c22a9f2d00307cc970e855e305"
    ),
    document!(
        "multikey-v1",
        MULTIKEY_V1,
        "be20c3ee6af6e9c4102e66a85c26617831218e32216bdf050f870e389e737cdc"
    ),
    document!(
        "ed25519-2020-v1",
        "https://w3id.org/security/suites/ed25519-2020/v1",
        "fb517f09d990829aed734c9bad8cbbb2ac3d5063b865c7e3d81f246074bf5691"
    ),
    document!(
        "did-v1",
        DID_V1,
        "a7e146c40fcec005d3f0f14ae745665f446da58d7914a9d8f733746686fad82b"
    ),
    document!(
        "open-badges-3.0.3-mid-2026",
        OPEN_BADGES,
        "04b1136ddc4eda9a8966bc7ef182789f233a26739473140ef75d6968c29a2966",
        Some(Revision::Mid2026)
    ),
    document!(
        "open-badges-3.0.3-first",
        OPEN_BADGES,
        "c5e555a91a5cf48e32ae0a05674c61ddd5c053b680b5643b2f57f9965e386d99",
        Some(Revision::First)
    ),
    document!(
        "open-badges-3.0.2",
        "https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.2.json",
        "bdd1d11a55a660322f24660862a1d430ee80cce584465f750909daa43684357c"
    ),
    document!(
        "open-badges-3.0.1",
        "https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.1.json",
        "8bb2354552b70cbdf2066f6d3e24bc5c2be2619145737580ad2aebdc366e77d5"
    ),
    document!(
        "open-badges-3.0",
        "https://purl.imsglobal.org/spec/ob/v3p0/context.json",
        "2c54acaa1cffda2420be32ab61f0a2082051211131c6337686f36f2537aa859b"
    ),
    document!(
        "open-badges-extensions",
        OPEN_BADGES_EXTENSIONS,
        "15f4c347c6fe4380d9b6b93795859e33747ef48d5c55b91a71c52fb51c7bcbd7"
    ),
    document!(
        "clr-2.0.1",
        CLR,
        "7defe702c102faf14108579b7d65ef39ecf4c3bbef925b803e15bd77cd6e3394"
    ),
];

/// The documents of one bundle: one for each URL.
pub fn bundle(revision: Revision) -> impl Iterator<Item = &'static ContextDocument> {
    DOCUMENTS
        .iter()
        .filter(move |document| document.revision.is_none_or(|of| of == revision))
}

/// The processor that knows the documents of one bundle, and the names of [`endorsement_scope`];
/// made at the first call.
pub fn processor(revision: Revision) -> &'static Processor {
    static MID_2026: OnceLock<Processor> = OnceLock::new();
    static FIRST: OnceLock<Processor> = OnceLock::new();
    let cell = match revision {
        Revision::Mid2026 => &MID_2026,
        Revision::First => &FIRST,
    };
    cell.get_or_init(|| {
        Processor::new(bundle(revision).map(|document| (document.url, document.text)))
            .and_then(|processor| processor.naming(endorsement_scope()))
            .expect("the embedded contexts are valid, which a test checks")
    })
}

/// The context of `endorsementScope`, what an endorsement covers of its subject (`badges::Scope`).
/// It stands behind no URL; a document that uses it has it written out.
///
/// Its terms are protected, so that no context within the document takes them away again. Those
/// within a scope hold there alone: Open Badges has terms of the same names for achievements.
pub fn endorsement_scope() -> &'static Value {
    static CONTEXT: LazyLock<Value> = LazyLock::new(|| {
        let iri = |name: &str| format!("{OWN_TERMS}{name}");
        let texts = |name: &str| json!({"@id": iri(name), "@container": "@set"});
        let typed = |name: &str, datatype: &str| {
            let datatype = format!("http://www.w3.org/2001/XMLSchema#{datatype}");
            json!({"@id": iri(name), "@type": datatype})
        };
        let mut alignment = typed("alignment", "anyURI");
        alignment["@container"] = json!("@set");
        json!({
            "@protected": true,
            "EndorsementScope": iri("EndorsementScope"),
            "endorsementScope": {
                "@id": iri("endorsementScope"),
                "@context": {
                    "role": texts("role"),
                    "achievementType": texts("achievementType"),
                    "tag": texts("tag"),
                    "alignment": alignment,
                    "awardedFrom": typed("awardedFrom", "dateTime"),
                    "awardedUntil": typed("awardedUntil", "dateTime"),
                    "jurisdiction": texts("jurisdiction"),
                },
            },
        })
    });
    &CONTEXT
}

/// Whether an `@context` anywhere in the document names the URL, or an inline context builds on it.
pub fn are_built_on(url: &str, document: &Value) -> bool {
    match document {
        Value::Array(items) => items.iter().any(|item| are_built_on(url, item)),
        Value::Object(members) => members.iter().any(|(name, member)| match name.as_str() {
            "@context" => names(url, member),
            _ => are_built_on(url, member),
        }),
        _ => false,
    }
}

fn names(url: &str, context: &Value) -> bool {
    match context {
        Value::String(named) => named == url,
        Value::Array(contexts) => contexts.iter().any(|context| names(url, context)),
        // `@import`, and contexts scoped within.
        Value::Object(entries) => entries.values().any(|entry| names(url, entry)),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;
    use sha2::{Digest, Sha256};

    fn sha256(bytes: &[u8]) -> String {
        Sha256::digest(bytes)
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect()
    }

    #[test]
    fn every_document_is_the_one_that_was_pinned() {
        for document in &DOCUMENTS {
            let value: Value = serde_json::from_str(document.text).unwrap();
            let jcs = serde_json_canonicalizer::to_vec(&value).unwrap();
            assert_eq!(sha256(&jcs), document.jcs_sha256, "{}", document.url);
        }
    }

    #[test]
    fn the_credentials_context_has_the_published_bytes() {
        let document = DOCUMENTS
            .iter()
            .find(|document| document.url == CREDENTIALS_V2)
            .unwrap();
        assert_eq!(
            sha256(document.text.as_bytes()),
            "59955ced6697d61e03f2b2556febe5308ab16842846f5b586d7f1f7adec92734"
        );
    }

    #[test]
    fn the_readme_lists_every_document_with_its_digest() {
        let readme = include_str!("../../contexts/README.md");
        let rows: Vec<&str> = readme
            .lines()
            .filter(|line| line.contains(".json |"))
            .collect();
        assert_eq!(rows.len(), DOCUMENTS.len());
        for document in &DOCUMENTS {
            let listed = rows.iter().any(|row| row.contains(document.jcs_sha256));
            assert!(listed, "{} is not in contexts/README.md", document.url);
        }
    }

    #[test]
    fn a_bundle_has_one_document_for_each_url() {
        for revision in Revision::ALL {
            let mut urls: Vec<_> = bundle(revision).map(|document| document.url).collect();
            assert_eq!(urls.len(), 15);
            urls.sort_unstable();
            urls.dedup();
            assert_eq!(urls.len(), 15);
            assert!(urls.iter().all(|url| processor(revision).knows(url)));
        }
    }

    #[test]
    fn the_newer_revision_adds_two_terms() {
        let names = |revision| {
            let document = bundle(revision)
                .find(|document| document.url == OPEN_BADGES)
                .unwrap();
            let value: Value = serde_json::from_str(document.text).unwrap();
            let names = value["@context"].as_object().unwrap().keys().cloned();
            names.collect::<std::collections::BTreeSet<_>>()
        };
        let added = &names(Revision::Mid2026) - &names(Revision::First);
        assert_eq!(
            added.into_iter().collect::<Vec<_>>(),
            ["endorsementJwt", "jti"]
        );
        assert!(names(Revision::First).is_subset(&names(Revision::Mid2026)));
    }

    #[test]
    fn a_context_is_found_wherever_it_can_stand() {
        for document in [
            json!({ "@context": OPEN_BADGES }),
            json!({ "@context": [CREDENTIALS_V2, OPEN_BADGES] }),
            json!({ "a": [{ "@context": [OPEN_BADGES] }] }),
            json!({ "@context": { "@import": OPEN_BADGES } }),
            json!({ "@context": [{ "a": { "@id": "urn:x:a", "@context": [OPEN_BADGES] } }] }),
        ] {
            assert!(are_built_on(OPEN_BADGES, &document), "{document}");
        }
        let elsewhere = json!({ "@context": CREDENTIALS_V2, "id": OPEN_BADGES });
        assert!(!are_built_on(OPEN_BADGES, &elsewhere));
    }
}
