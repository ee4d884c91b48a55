//! What a check can find, on one page: its stable code, the problem type it has elsewhere, and a
//! title for people.

use crate::status::{
    ERROR_LENGTH, ERROR_MALFORMED, ERROR_RANGE, ERROR_RETRIEVAL, ERROR_VERIFICATION, EntryError,
    StatusError,
};
use crate::vc::did::KeyError;
use crate::vc::jwks::{JwksError, KeySourceError};
use crate::vc::jws::JwsError;
use crate::vc::jwt::JwtError;

use super::resolver::Unresolved;

const CRYPTOGRAPHIC: &str = "https://www.w3.org/TR/vc-data-model#CRYPTOGRAPHIC_SECURITY_ERROR";
const CHALLENGE: &str = "https://w3id.org/security#INVALID_CHALLENGE_ERROR";
const DOMAIN: &str = "https://w3id.org/security#INVALID_DOMAIN_ERROR";
/// No standard names a type for these.
const NAMED_BY_CODE: &str = "";

/// What the `type` of a problem starts with where no standard names one; the code follows.
pub const OWN_PROBLEM_TYPE: &str = "urn:goodstanding:problem:";

macro_rules! codes {
    ($($(#[$doc:meta])* $name:ident $text:literal $kind:ident $title:literal;)+) => {
        /// What a check found. Codes are stable; programs branch on them, people read the detail.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Code { $($(#[$doc])* $name),+ }

        impl Code {
            /// Every code.
            pub const ALL: &'static [Self] = &[$(Self::$name),+];

            /// The code as reports write it.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$name => $text),+ }
            }

            /// What it means, in a few words.
            pub const fn title(self) -> &'static str {
                match self { $(Self::$name => $title),+ }
            }

            const fn standard_type(self) -> &'static str {
                match self { $(Self::$name => $kind),+ }
            }
        }
    };
}

codes! {
    // What is as it should be, or only informs.
    /// The envelope keeps every rule.
    WellFormed "well-formed" NAMED_BY_CODE "The data model is kept";
    /// The key belongs to whom it should and counts now.
    KeyGood "key-good" NAMED_BY_CODE "The key is the signer's";
    /// The proof is good.
    ProofGood "proof-good" NAMED_BY_CODE "The proof is good";
    /// The credential carries no status entry.
    NoStatus "no-status" NAMED_BY_CODE "It has no status entry";
    /// The status is not set.
    StatusClear "status-clear" NAMED_BY_CODE "The status is not set";
    /// A newer credential is there.
    RefreshAvailable "refresh-available" NAMED_BY_CODE "A newer credential is available";
    /// The status is a message.
    StatusMessage "status-message" NAMED_BY_CODE "The status is a message";
    /// The present lies within the period.
    Current "current" NAMED_BY_CODE "It is within its period";
    /// Somebody else endorses this, and the endorsement is in force.
    Endorsed "endorsed" NAMED_BY_CODE "The endorsement is in force";
    /// The key is one that who asks trusts.
    KeyPinned "key-pinned" NAMED_BY_CODE "The key is pinned by who asks";
    /// The key was revoked, and the event log shows that it signed this before.
    KeySignedBefore "key-signed-before-revocation" NAMED_BY_CODE "It was signed before the key was revoked";
    /// What follows is of a newer version of the credential.
    Refreshed "refreshed" NAMED_BY_CODE "A newer version is looked at";
    /// The schema that is named is kept.
    SchemaKept "schema-kept" NAMED_BY_CODE "The schema is kept";
    /// What is endorsed is the version that was.
    DigestGood "digest-good" NAMED_BY_CODE "It is the version that was endorsed";
    /// The endorsement covers a part of its subject.
    Limited "limited" NAMED_BY_CODE "It covers a part of its subject";
    /// This registry holds an endorsement that is in force.
    RegistryEndorsed "registry-endorsed" NAMED_BY_CODE "It is endorsed in this registry";
    /// A credential within this one, or within the presentation, is in force.
    Included "included" NAMED_BY_CODE "The credential is in force";

    // The data model.
    /// A member is missing, or has a value that it cannot have.
    Malformed "malformed" ERROR_MALFORMED "A value is malformed";
    /// A member that another reader would not see, or not see as signed.
    HiddenMember "hidden-member" ERROR_MALFORMED "A member is hidden from readers";
    /// The document cannot be read as JSON-LD without loss.
    NotSignable "not-signable" ERROR_MALFORMED "Part of the document cannot be signed";
    /// A context that is not known here, so that nobody knows what its terms mean.
    UnknownContext "unknown-context" ERROR_MALFORMED "A context is not known";
    /// A schema that the credential names itself is broken.
    SchemaViolated "schema-violated" ERROR_MALFORMED "The schema is not kept";
    /// An envelope that holds nothing that is read.
    EnvelopeMalformed "envelope-malformed" ERROR_MALFORMED "The envelope is malformed";
    /// More proofs or status entries than are looked at.
    TooMany "too-many" ERROR_RANGE "There are too many";

    // Proofs.
    /// There is no proof.
    NoProof "no-proof" CRYPTOGRAPHIC "There is no proof";
    /// A proof that is none.
    ProofMalformed "proof-malformed" CRYPTOGRAPHIC "The proof is malformed";
    /// A type or cryptosuite that is not read.
    ProofUnsupported "proof-unsupported" CRYPTOGRAPHIC "The kind of proof is not supported";
    /// A proof made for something else.
    ProofPurpose "proof-purpose" CRYPTOGRAPHIC "The proof has another purpose";
    /// The proof's own time is over.
    ProofExpired "proof-expired" CRYPTOGRAPHIC "The proof has expired";
    /// The statements have no canonical form, or finding it takes too much work.
    NoCanonicalForm "no-canonical-form" CRYPTOGRAPHIC "There is no canonical form";
    /// The signature is not one of this document by this key.
    SignatureBad "signature-bad" CRYPTOGRAPHIC "The signature does not match the document";
    /// The proof answers another challenge.
    ChallengeMismatch "challenge-mismatch" CHALLENGE "The proof answers another challenge";
    /// The proof is for another domain.
    DomainMismatch "domain-mismatch" DOMAIN "The proof is for another domain";

    /// A suite and a key that do not belong together.
    ProofKeyKind "proof-key-kind" CRYPTOGRAPHIC "The key is of another kind than the proof needs";
    /// Contexts of a proof that are not its document's.
    ProofContext "proof-context" CRYPTOGRAPHIC "The proof has other contexts than the document";
    /// A chain of proofs that is broken or runs in a circle.
    ProofChain "proof-chain" CRYPTOGRAPHIC "The chain of proofs is broken";
    /// A proof that rests on one that is not good.
    PreviousProofBad "previous-proof-bad" CRYPTOGRAPHIC "The proof before it is not good";

    // JWTs.
    /// The JWT cannot be taken apart.
    JwtMalformed "jwt-malformed" CRYPTOGRAPHIC "The JWT is malformed";
    /// An algorithm that is not read, or none.
    JwtAlgorithm "jwt-algorithm" CRYPTOGRAPHIC "The algorithm of the JWT is not allowed";
    /// A header that asks for a weaker check, or has what may not stand there.
    JwtHeader "jwt-header" CRYPTOGRAPHIC "The header of the JWT is not allowed";
    /// The header brings a key of its own that is not the signer's.
    JwtHeaderKey "jwt-header-key" CRYPTOGRAPHIC "The key in the header is not the signer's";
    /// A JWT of another kind.
    JwtType "jwt-type" CRYPTOGRAPHIC "The JWT is of another kind";
    /// A claim has a value that it cannot have.
    JwtClaim "jwt-claim" ERROR_MALFORMED "A claim of the JWT is malformed";
    /// A claim that has to be there is not.
    JwtClaimMissing "jwt-claim-missing" ERROR_MALFORMED "A claim of the JWT is missing";
    /// `iss` is another than the issuer.
    JwtIss "jwt-iss-mismatch" ERROR_MALFORMED "The claim iss is not the issuer";
    /// `jti` is another than the id.
    JwtJti "jwt-jti-mismatch" ERROR_MALFORMED "The claim jti is not the id";
    /// `sub` is another than the subject.
    JwtSub "jwt-sub-mismatch" ERROR_MALFORMED "The claim sub is not the subject";
    /// `nbf` is another moment than the beginning of the period.
    JwtNbf "jwt-nbf-mismatch" ERROR_MALFORMED "The claim nbf is not the beginning of validity";
    /// `exp` is another moment than the end of the period.
    JwtExp "jwt-exp-mismatch" ERROR_MALFORMED "The claim exp is not the end of validity";

    // Keys.
    /// The verification method names no key.
    KeyUrl "key-url" CRYPTOGRAPHIC "The verification method names no key";
    /// The key is somebody else's.
    KeyOfAnother "key-of-another" CRYPTOGRAPHIC "The key belongs to somebody else";
    /// Keys are pinned for the signer, and this is none of them.
    KeyNotPinned "key-not-pinned" CRYPTOGRAPHIC "The key is not among the pinned ones";
    /// There is no controller document.
    KeyNotFound "key-document-not-found" CRYPTOGRAPHIC "There is no controller document";
    /// Policy forbids to ask for the controller document.
    KeyRefused "key-document-refused" CRYPTOGRAPHIC "The controller document is not asked for";
    /// The controller document could not be fetched.
    KeyUnreachable "key-document-unreachable" CRYPTOGRAPHIC "The controller document is out of reach";
    /// What was found is no controller document.
    KeyDocumentMalformed "key-document-malformed" CRYPTOGRAPHIC "The controller document is malformed";
    /// The controller document is somebody else's.
    KeyDocumentId "key-document-id" CRYPTOGRAPHIC "The controller document has another id";
    /// The document has no such key any more.
    KeyMissing "key-missing" CRYPTOGRAPHIC "The key is not in the controller document";
    /// The key found has another id.
    KeyMethodId "key-method-id" CRYPTOGRAPHIC "The key has another id";
    /// Two keys of one id.
    KeyAmbiguous "key-ambiguous" CRYPTOGRAPHIC "Two keys have this id";
    /// The key names another controller.
    KeyController "key-controller" CRYPTOGRAPHIC "The key has another controller";
    /// The key is not for this use.
    KeyPurpose "key-purpose" CRYPTOGRAPHIC "The key is not for this use";
    /// The key's time is over.
    KeyExpired "key-expired" CRYPTOGRAPHIC "The key has expired";
    /// The key was withdrawn.
    KeyRevoked "key-revoked" CRYPTOGRAPHIC "The key was revoked";
    /// The key's dates cannot be read.
    KeyDate "key-date" CRYPTOGRAPHIC "A date of the key cannot be read";
    /// A type of key that is not read.
    KeyUnsupported "key-unsupported" CRYPTOGRAPHIC "The type of key is not supported";
    /// The key is no key.
    KeyMalformed "key-malformed" CRYPTOGRAPHIC "The key is malformed";

    // Statuses.
    /// Withdrawn for ever.
    Revoked "revoked" NAMED_BY_CODE "It was revoked";
    /// Withdrawn for the time being.
    Suspended "suspended" NAMED_BY_CODE "It is suspended";
    /// Set, with a purpose that nobody here understands.
    StatusUndefined "status-undefined" NAMED_BY_CODE "A status of unknown meaning is set";
    /// An entry of a type that is not read.
    StatusUnsupported "status-unsupported" ERROR_VERIFICATION "The type of status is not supported";
    /// The entry or the list breaks a rule.
    StatusMalformed "status-malformed" ERROR_MALFORMED "The status is malformed";
    /// The list could not be had.
    StatusRetrieval "status-retrieval" ERROR_RETRIEVAL "The status list is out of reach";
    /// The list could not be trusted.
    StatusVerification "status-verification" ERROR_VERIFICATION "The status list cannot be verified";
    /// The list is too short.
    StatusLength "status-length" ERROR_LENGTH "The status list is too short";
    /// The index lies outside.
    StatusRange "status-range" ERROR_RANGE "The index lies outside the status list";

    // The period.
    /// The period is over.
    Expired "expired" NAMED_BY_CODE "It has expired";
    /// The period has not begun.
    NotYetValid "not-yet-valid" NAMED_BY_CODE "It is not yet valid";

    // Endorsements, and what else is looked at without deciding.
    /// A verified credential that is no endorsement.
    NotAnEndorsement "not-an-endorsement" ERROR_MALFORMED "It is not an endorsement";
    /// An endorsement of something else.
    WrongSubject "wrong-subject" ERROR_MALFORMED "It endorses something else";
    /// An endorsement of a part of the thing, to which this does not belong.
    OutOfScope "out-of-scope" NAMED_BY_CODE "The endorsement does not cover this";
    /// An endorsement of which nobody knows how far it goes.
    ScopeMalformed "scope-malformed" ERROR_MALFORMED "The scope of the endorsement cannot be read";
    /// Praise of one's own.
    SelfEndorsement "self-endorsement" NAMED_BY_CODE "A self-endorsement does not count";
    /// An endorsement that does not stand here, with all that it rests on.
    EndorsementNotStanding "endorsement-not-standing" NAMED_BY_CODE "The endorsement, or its endorser, does not stand here";
    /// This registry holds no endorsement that is in force.
    RegistryNotEndorsed "registry-not-endorsed" NAMED_BY_CODE "No endorsement here is in force";
    /// There is no newer version, or none that counts.
    RefreshFailed "refresh-failed" NAMED_BY_CODE "No newer version was had";
    /// A schema that was not applied.
    SchemaNotChecked "schema-not-checked" NAMED_BY_CODE "The schema was not checked";
    /// What is endorsed has changed since.
    DigestStale "digest-stale" NAMED_BY_CODE "What is endorsed has changed since";
    /// A digest that was not compared.
    DigestNotChecked "digest-not-checked" NAMED_BY_CODE "The digest was not compared";
    /// An achievement in a record for which the record bundles no proved credential.
    NoCredential "no-credential" NAMED_BY_CODE "No credential in the record is for it";
    /// An association of a record with something that is not in it.
    AssociationOpen "association-open" ERROR_MALFORMED "The association leads out of the record";
    /// Deeper, or more, than is looked at.
    NotLookedAt "not-looked-at" NAMED_BY_CODE "There is more than is looked at";
}

impl Code {
    /// The URL of the problem's type: that of the standard, or else [`OWN_PROBLEM_TYPE`] and the
    /// code.
    pub fn problem_type(self) -> String {
        match self.standard_type() {
            NAMED_BY_CODE => format!("{OWN_PROBLEM_TYPE}{}", self.as_str()),
            url => url.to_owned(),
        }
    }
}

impl From<&KeyError> for Code {
    fn from(error: &KeyError) -> Self {
        match error {
            KeyError::NoFragment(_) => Self::KeyUrl,
            KeyError::DocumentId { .. } => Self::KeyDocumentId,
            KeyError::Missing(_) => Self::KeyMissing,
            KeyError::MethodId { .. } => Self::KeyMethodId,
            KeyError::Ambiguous(_) => Self::KeyAmbiguous,
            KeyError::Controller { .. } => Self::KeyController,
            KeyError::Purpose(_) => Self::KeyPurpose,
            KeyError::Expired(_) => Self::KeyExpired,
            KeyError::Revoked(_) => Self::KeyRevoked,
            KeyError::Date { .. } => Self::KeyDate,
            KeyError::UnsupportedType(_) => Self::KeyUnsupported,
            KeyError::Malformed(_) => Self::KeyMalformed,
        }
    }
}

impl From<&Unresolved> for Code {
    fn from(error: &Unresolved) -> Self {
        match error {
            Unresolved::NotFound => Self::KeyNotFound,
            Unresolved::Refused => Self::KeyRefused,
            Unresolved::Unreachable(_) => Self::KeyUnreachable,
            Unresolved::Malformed(_) => Self::KeyDocumentMalformed,
        }
    }
}

impl From<&JwksError> for Code {
    fn from(error: &JwksError) -> Self {
        match error {
            JwksError::NotASet | JwksError::NotAKey | JwksError::TooMany(_) => {
                Self::KeyDocumentMalformed
            }
            JwksError::NoName => Self::KeyUrl,
            JwksError::Missing(_) | JwksError::NotInSet(_) => Self::KeyMissing,
            JwksError::OfAnother(_) => Self::KeyOfAnother,
            JwksError::Ambiguous(_) => Self::KeyAmbiguous,
            JwksError::Malformed(_) => Self::KeyMalformed,
            JwksError::HeaderKey(_) | JwksError::HeaderDiffers => Self::JwtHeaderKey,
        }
    }
}

impl From<&KeySourceError> for Code {
    fn from(error: &KeySourceError) -> Self {
        match error {
            KeySourceError::Issuer(_)
            | KeySourceError::NoName { .. }
            | KeySourceError::Malformed(_)
            | KeySourceError::NoFragment(_) => Self::KeyUrl,
            KeySourceError::IssuerKey { .. } | KeySourceError::IssuerJwk(_) => Self::KeyMalformed,
            KeySourceError::OfAnother { .. } => Self::KeyOfAnother,
            KeySourceError::HeaderKey(error) => Self::from(error),
        }
    }
}

impl From<&JwsError> for Code {
    fn from(error: &JwsError) -> Self {
        match error {
            JwsError::TooLong(_)
            | JwsError::HeaderTooLong(_)
            | JwsError::Parts
            | JwsError::Base64(_)
            | JwsError::HeaderJson(_) => Self::JwtMalformed,
            JwsError::Unsecured | JwsError::Mac(_) | JwsError::Algorithm(_) => Self::JwtAlgorithm,
            JwsError::Header { .. }
            | JwsError::Critical(_)
            | JwsError::Unencoded
            | JwsError::PrivateKey(_) => Self::JwtHeader,
            JwsError::Kind { .. } => Self::ProofKeyKind,
            JwsError::Signature => Self::SignatureBad,
        }
    }
}

impl From<&JwtError> for Code {
    fn from(error: &JwtError) -> Self {
        match error {
            JwtError::Jws(error) => Self::from(error),
            JwtError::Payload(_) | JwtError::NotAnObject => Self::JwtMalformed,
            JwtError::Typ { .. } | JwtError::NotACredential | JwtError::NotAPresentation => {
                Self::JwtType
            }
            JwtError::HeaderMember(_) | JwtError::NoKey => Self::JwtHeader,
            JwtError::Claim { .. } | JwtError::ClaimForbidden(_) | JwtError::Beside(_) => {
                Self::JwtClaim
            }
            JwtError::ClaimMissing(_) => Self::JwtClaimMissing,
            JwtError::IssMismatch { .. } | JwtError::HeaderIssMismatch { .. } => Self::JwtIss,
            JwtError::JtiMismatch { .. } => Self::JwtJti,
            JwtError::SubMismatch { .. } => Self::JwtSub,
            JwtError::NbfMismatch { .. } => Self::JwtNbf,
            JwtError::ExpMismatch { .. } => Self::JwtExp,
            JwtError::Credential(_) | JwtError::Presentation { .. } => Self::Malformed,
        }
    }
}

impl From<&StatusError> for Code {
    fn from(error: &StatusError) -> Self {
        match error {
            StatusError::Entry(EntryError::Type { .. } | EntryError::Mechanism(_)) => {
                Self::StatusUnsupported
            }
            StatusError::Entry(EntryError::IndexTooLarge(_)) | StatusError::Range { .. } => {
                Self::StatusRange
            }
            StatusError::Entry(_)
            | StatusError::Malformed { .. }
            | StatusError::Envelope(_)
            | StatusError::Expand { .. }
            | StatusError::NoId { .. } => Self::StatusMalformed,
            StatusError::Retrieval { .. } => Self::StatusRetrieval,
            StatusError::Verification { .. }
            | StatusError::Identity { .. }
            | StatusError::Purpose { .. } => Self::StatusVerification,
            StatusError::Length { .. } => Self::StatusLength,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bitstring::CodecError;
    use crate::vc::credential::CredentialError;
    use std::collections::HashSet;

    #[test]
    fn codes_are_one_word_each_and_differ() {
        let words: HashSet<&str> = Code::ALL.iter().map(|code| code.as_str()).collect();
        assert_eq!(words.len(), Code::ALL.len());
        for word in words {
            let fits = |b: u8| b.is_ascii_lowercase() || b == b'-';
            assert!(word.bytes().all(fits), "{word}");
        }
    }

    #[test]
    fn a_problem_has_the_type_of_its_standard_or_its_code() {
        assert_eq!(Code::SignatureBad.problem_type(), CRYPTOGRAPHIC);
        let own = "urn:goodstanding:problem:self-endorsement";
        assert_eq!(Code::SelfEndorsement.problem_type(), own);
    }

    #[test]
    fn status_errors_keep_the_type_that_the_standard_gives_them() {
        let list = || "https://example.org/l".to_owned();
        let reason = String::new;
        for error in [
            StatusError::Retrieval {
                list: list(),
                reason: reason(),
            },
            StatusError::Verification {
                list: list(),
                reason: reason(),
            },
            StatusError::Identity {
                list: list(),
                found: reason(),
            },
            StatusError::Length {
                entries: 8,
                minimum: 131_072,
            },
            StatusError::Range {
                index: 9,
                entries: 8,
            },
            StatusError::Entry(EntryError::Index(reason())),
            StatusError::Entry(EntryError::IndexTooLarge(reason())),
            StatusError::Entry(EntryError::Type {
                at: reason(),
                found: Vec::new(),
            }),
            StatusError::Entry(EntryError::Mechanism(reason())),
            StatusError::Entry(EntryError::NotIn2021(reason())),
            StatusError::Malformed {
                at: "/type".into(),
                expected: "x",
            },
            StatusError::Envelope(CredentialError::NotAnObject),
            StatusError::Expand {
                at: "/status_list/lst",
                reason: CodecError::Prefix(None),
            },
            StatusError::NoId { list: list() },
        ] {
            assert_eq!(
                Code::from(&error).problem_type(),
                error.error_type(),
                "{error:?}"
            );
        }
    }
}
