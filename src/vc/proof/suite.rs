//! The suites: how a document becomes bytes, and which kind of key signs these.

use std::fmt;

use crate::vc::verifying::KeyKind;

/// The `type` of proofs that name their suite in `cryptosuite` (VC Data Integrity 1.0, section
/// 3.1).
pub(super) const DATA_INTEGRITY_PROOF: &str = "DataIntegrityProof";

/// A suite. All of them sign 64 bytes, the SHA-256 of the proof's options and that of the
/// document, and all signatures are 64 bytes long.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Suite {
    /// RDFC-1.0 and Ed25519 (VC-DI-EdDSA 1.0, section 3.2).
    EddsaRdfc2022,
    /// JCS and Ed25519 (VC-DI-EdDSA 1.0, section 3.3).
    EddsaJcs2022,
    /// RDFC-1.0 and ECDSA on P-256 (VC-DI-ECDSA 1.0, section 3.2). On P-384, which the suite has
    /// too, it is not read.
    EcdsaRdfc2019,
    /// What [`Self::EddsaRdfc2022`] was called in drafts.
    Eddsa2022,
    /// The same, before there were cryptosuites: a `type` of proof of its own.
    Ed25519Signature2020,
}

/// What a suite makes of a document before it is hashed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Transformation {
    /// The canonical form of its statements (RDFC-1.0).
    Statements,
    /// The canonical form of its JSON (RFC 8785), of which each member is signed, whatever it
    /// means.
    Json,
}

impl Suite {
    /// All suites that are read.
    pub const ALL: [Self; 5] = [
        Self::EddsaRdfc2022,
        Self::EddsaJcs2022,
        Self::EcdsaRdfc2019,
        Self::Eddsa2022,
        Self::Ed25519Signature2020,
    ];

    /// The value of `cryptosuite`, or of `type` where the suite is a type of proof.
    pub const fn name(self) -> &'static str {
        match self {
            Self::EddsaRdfc2022 => "eddsa-rdfc-2022",
            Self::EddsaJcs2022 => "eddsa-jcs-2022",
            Self::EcdsaRdfc2019 => "ecdsa-rdfc-2019",
            Self::Eddsa2022 => "eddsa-2022",
            Self::Ed25519Signature2020 => "Ed25519Signature2020",
        }
    }

    /// The kind of key that signs. A key of another kind never does.
    pub const fn key_kind(self) -> KeyKind {
        match self {
            Self::EcdsaRdfc2019 => KeyKind::P256,
            Self::EddsaRdfc2022
            | Self::EddsaJcs2022
            | Self::Eddsa2022
            | Self::Ed25519Signature2020 => KeyKind::Ed25519,
        }
    }

    /// What becomes of the document.
    pub const fn transformation(self) -> Transformation {
        match self {
            Self::EddsaJcs2022 => Transformation::Json,
            Self::EddsaRdfc2022
            | Self::EcdsaRdfc2019
            | Self::Eddsa2022
            | Self::Ed25519Signature2020 => Transformation::Statements,
        }
    }

    /// The suite with this `cryptosuite`.
    pub(super) fn named(name: &str) -> Option<Self> {
        let mut suites = Self::ALL
            .into_iter()
            .filter(|suite| *suite != Self::Ed25519Signature2020);
        suites.find(|suite| suite.name() == name)
    }
}

impl fmt::Display for Suite {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
