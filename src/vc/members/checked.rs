//! The members whose values decide something, as JSON and as statements.

use super::classes::Classes;

/// What a value of a member is.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// A node: its id as a text, or an object that may have one.
    Node,
    /// A text or a number.
    Text,
}

pub(super) const SUBJECT: &str = "https://www.w3.org/2018/credentials#credentialSubject";
/// A test compares it with the context that defines it.
pub(super) const SCOPE: &str = "urn:uuid:89ec792f-1b7a-4f5c-98c1-03e854901091#endorsementScope";
pub(super) const STATUS: &str = "https://www.w3.org/2018/credentials#credentialStatus";

/// The members on whose values a verdict rests: name, IRI, kind, and the classes to which alone
/// the name belongs, where it is not everybody's.
pub(super) const CHECKED: [(&str, &str, Kind, Option<Classes>); 12] = [
    (
        "issuer",
        "https://www.w3.org/2018/credentials#issuer",
        Kind::Node,
        None,
    ),
    ("credentialSubject", SUBJECT, Kind::Node, None),
    ("credentialStatus", STATUS, Kind::Node, None),
    (
        "credentialSchema",
        "https://www.w3.org/2018/credentials#credentialSchema",
        Kind::Node,
        None,
    ),
    (
        "refreshService",
        "https://www.w3.org/2018/credentials#refreshService",
        Kind::Node,
        None,
    ),
    (
        "relatedResource",
        "https://www.w3.org/2018/credentials#relatedResource",
        Kind::Node,
        None,
    ),
    (
        "holder",
        "https://www.w3.org/2018/credentials#holder",
        Kind::Node,
        Some(Classes::PRESENTATION),
    ),
    (
        "validFrom",
        "https://www.w3.org/2018/credentials#validFrom",
        Kind::Text,
        None,
    ),
    (
        "validUntil",
        "https://www.w3.org/2018/credentials#validUntil",
        Kind::Text,
        None,
    ),
    (
        "issuanceDate",
        "https://www.w3.org/2018/credentials#issuanceDate",
        Kind::Text,
        None,
    ),
    (
        "expirationDate",
        "https://www.w3.org/2018/credentials#expirationDate",
        Kind::Text,
        None,
    ),
    (
        "awardedDate",
        "https://purl.imsglobal.org/spec/vc/ob/vocab.html#awardedDate",
        Kind::Text,
        Some(Classes::OPEN_BADGES),
    ),
];
