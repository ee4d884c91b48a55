//! Token lists that are published here, as CWT (Token Status List, section 5.2). What is written is
//! deterministic CBOR (RFC 8949, section 4.2.1): shortest numbers, keys in the order of their
//! bytes.

use coset::cbor::Value;
use coset::{
    AsCborValue as _, CborSerializable as _, CoseSign1Builder, HeaderBuilder,
    TaggedCborSerializable as _, iana,
};

use super::cwt::{EXPIRES, ISSUED_AT, ISSUER, STATUS_LIST, SUBJECT, TTL, TYP, TYPE};
use super::write::TokenListToPublish;
use crate::vc::keys::{Signer, SignerError, SigningKey};

impl TokenListToPublish<'_> {
    /// The token as a CWT, signed with EdDSA: a COSE_Sign1 with its tag. `kid` is the URL of the
    /// verification method whose key signs; it stands in the signed part of the header.
    pub fn to_cwt(&self, kid: &str, key: &SigningKey) -> Vec<u8> {
        self.to_cwt_by(kid, key)
            .expect("a key in memory always signs")
    }

    /// As [`Self::to_cwt`], by whoever has the key.
    ///
    /// # Errors
    /// The key cannot be used.
    pub fn to_cwt_by(&self, kid: &str, key: &dyn Signer) -> Result<Vec<u8>, SignerError> {
        let mut header = HeaderBuilder::new()
            .algorithm(iana::Algorithm::EdDSA)
            .key_id(kid.as_bytes().to_vec())
            .build();
        header.rest.push((TYP, TYPE.into()));
        let token = CoseSign1Builder::new()
            .protected(header)
            .payload(self.cwt_payload())
            .try_create_signature(&[], |message| key.sign(message).map(Vec::from))?;
        Ok(token.build().to_tagged_vec().expect(IN_MEMORY))
    }

    /// The claims that the CWT holds, as CBOR.
    pub fn cwt_payload(&self) -> Vec<u8> {
        self.cwt_claims().to_vec().expect(IN_MEMORY)
    }

    fn cwt_claims(&self) -> Value {
        let claims = [
            (ISSUER, self.issuer.map(Value::from)),
            (SUBJECT, Some(self.uri.into())),
            (EXPIRES, self.expires_at.map(|at| at.seconds().into())),
            (ISSUED_AT, Some(self.issued_at.seconds().into())),
            (STATUS_LIST, Some(self.cwt_list())),
            (TTL, self.ttl_seconds().map(Value::from)),
        ];
        let there = claims.into_iter().filter_map(|(label, value)| {
            let label = label.to_cbor_value().expect("a label is a number");
            Some((label, value?))
        });
        Value::Map(there.collect())
    }

    fn cwt_list(&self) -> Value {
        let members = [
            (
                "lst",
                Some(Value::Bytes(self.statuses.compressed().to_vec())),
            ),
            ("bits", Some(self.statuses.size().bits().into())),
            ("aggregation_uri", self.aggregation_uri.map(Value::from)),
        ];
        let there = members
            .into_iter()
            .filter_map(|(name, value)| Some((name.into(), value?)));
        Value::Map(there.collect())
    }
}

const IN_MEMORY: &str = "writing numbers, texts and bytes to memory does not fail";
