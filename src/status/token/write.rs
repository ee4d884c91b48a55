//! Token lists that are published here, as JWT and as CWT, and the claims that point into them.

use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value, json};

use crate::bitstring::{Bitstring, Lsb, StatusIndex, StatusSize, encode_zlib};
use crate::time::{Timestamp, Ttl};
use crate::vc::jws::{self, NewHeader};
use crate::vc::keys::{Signer, SignerError, SigningKey};

/// The statuses of a token list, compressed once for both of its forms.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenBits {
    size: StatusSize,
    compressed: Vec<u8>,
}

impl TokenBits {
    /// Compresses statuses. The same ones give the same bytes.
    pub fn compress(statuses: &Bitstring<Lsb>) -> Self {
        Self {
            size: statuses.size(),
            compressed: encode_zlib(statuses.as_bytes()),
        }
    }

    /// How many bits an entry takes (`bits`).
    pub const fn size(&self) -> StatusSize {
        self.size
    }

    /// The ZLIB stream: `lst` as CBOR carries it.
    pub fn compressed(&self) -> &[u8] {
        &self.compressed
    }

    /// `lst` as JSON carries it, base64url without padding.
    pub fn lst(&self) -> String {
        URL_SAFE_NO_PAD.encode(&self.compressed)
    }
}

/// What goes into a status list token (Token Status List, section 5). Its moments are written as
/// whole seconds, rounded down.
#[derive(Debug, Clone, Copy)]
pub struct TokenListToPublish<'a> {
    /// URL of the token list (`sub`): exactly the `uri` of the tokens that point into it.
    pub uri: &'a str,
    /// Who publishes it (`iss`).
    pub issuer: Option<&'a str>,
    /// From when this state of the list holds (`iat`).
    pub issued_at: Timestamp,
    /// Until when it holds, at most (`exp`).
    pub expires_at: Option<Timestamp>,
    /// How long a reader may keep it (`ttl`), at least a second: the standard has no 0.
    pub ttl: Option<Ttl>,
    /// Where all token lists of the issuer are named (`aggregation_uri`).
    pub aggregation_uri: Option<&'a str>,
    /// The statuses.
    pub statuses: &'a TokenBits,
}

impl TokenListToPublish<'_> {
    /// The token as a JWT (section 5.1), signed with EdDSA; `kid` is the URL of the verification
    /// method whose key signs.
    pub fn to_jwt(&self, kid: &str, key: &SigningKey) -> String {
        self.to_jwt_by(kid, key)
            .expect("a key in memory always signs")
    }

    /// As [`Self::to_jwt`], by whoever has the key.
    ///
    /// # Errors
    /// The key cannot be used.
    pub fn to_jwt_by(&self, kid: &str, key: &dyn Signer) -> Result<String, SignerError> {
        let header = NewHeader {
            typ: "statuslist+jwt",
            kid,
        };
        jws::sign_with(header, self.claims().to_string().as_bytes(), key)
    }

    /// The claims that the JWT holds.
    pub fn claims(&self) -> Value {
        let mut claims = Map::new();
        let mut add = |name: &str, value: Option<Value>| {
            claims.extend(value.map(|value| (name.to_owned(), value)));
        };
        add("iss", self.issuer.map(Value::from));
        add("sub", Some(self.uri.into()));
        add("iat", Some(self.issued_at.seconds().into()));
        add("exp", self.expires_at.map(|at| at.seconds().into()));
        add("ttl", self.ttl_seconds().map(Value::from));
        let mut list = json!({"bits": self.statuses.size, "lst": self.statuses.lst()});
        if let Some(uri) = self.aggregation_uri {
            list["aggregation_uri"] = json!(uri);
        }
        add("status_list", Some(list));
        Value::Object(claims)
    }

    pub(super) fn ttl_seconds(&self) -> Option<u64> {
        self.ttl.map(|ttl| ttl.seconds().max(1))
    }
}

/// The `status` claim of a token whose status stands at `index` of the token list at `uri`
/// (section 6.2).
pub fn token_claim(uri: &str, index: StatusIndex) -> Value {
    json!({"status_list": {"idx": index.get(), "uri": uri}})
}

/// Appends the JSON array of the claims that [`token_claim`] builds for `indexes`, byte for byte.
pub fn write_token_claims(
    uri: &str,
    indexes: impl IntoIterator<Item = StatusIndex>,
    out: &mut String,
) {
    let uri = json!(uri).to_string();
    out.push('[');
    for (place, index) in indexes.into_iter().enumerate() {
        let comma = if place == 0 { "" } else { "," };
        let claim = write!(
            out,
            "{comma}{{\"status_list\":{{\"idx\":{index},\"uri\":{uri}}}}}"
        );
        claim.expect("a String takes any text");
    }
    out.push(']');
}
