//! What was signed elsewhere and is handed in: it has to be what was to be signed, and nothing
//! beside, by the key that signs for its owner now.

use serde_json::Value;

use super::Held;
use crate::bitstring::MAXIMUM_BITS;
use crate::ids::KeyId;
use crate::json;
use crate::registry::RegistryError;
use crate::registry::profiles::identity::Controller;
use crate::registry::profiles::keys::public;
use crate::status::SignedCwt;
use crate::store::tables::{Digest, KeyRecord};
use crate::time::Timestamp;
use crate::vc::controller::Relationship;
use crate::vc::jws::Jws;
use crate::vc::proof::{self, Suite};
use crate::vc::securing::Secured;
use crate::vc::verifying::VerifyingKey;

/// The key by which something has to be signed.
pub(in crate::registry) struct SignedBy {
    pub(in crate::registry) key: KeyId,
    /// As it was when that was found out.
    pub(in crate::registry) record: KeyRecord,
    /// The verification method of proofs.
    pub(in crate::registry) method: String,
    /// The `kid` of JWTs and CWTs.
    pub(in crate::registry) kid: String,
    public: VerifyingKey,
}

/// What a proof may say. Another member, such as `expires`, could end or bend what was signed.
const PROOF_MEMBERS: [&str; 7] = [
    "@context",
    "type",
    "cryptosuite",
    "created",
    "verificationMethod",
    "proofPurpose",
    "proofValue",
];

impl SignedBy {
    pub(in crate::registry) fn of(
        owner: &Controller,
        key: KeyId,
        record: KeyRecord,
    ) -> Result<Self, RegistryError> {
        Ok(Self {
            key,
            method: owner.method(key),
            kid: owner.jwt_method(key),
            public: public(&record)?.into(),
            record,
        })
    }

    /// Whether `given` is `unsigned` with a good proof of the key by `eddsa-rdfc-2022`, and one by
    /// `eddsa-jcs-2022` where that is wanted too.
    pub(in crate::registry) fn check_document(
        &self,
        unsigned: &Value,
        given: &Value,
        jcs_too: bool,
        now: Timestamp,
    ) -> Result<(), String> {
        let suites: &[Suite] = match jcs_too {
            true => &[Suite::EddsaRdfc2022, Suite::EddsaJcs2022],
            false => &[Suite::EddsaRdfc2022],
        };
        self.check_proofs(unsigned, given, suites, now)
    }

    /// Whether `given` is `unsigned` with a good proof of the key by one of each of `suites`, in
    /// whichever order.
    fn check_proofs(
        &self,
        unsigned: &Value,
        given: &Value,
        suites: &[Suite],
        now: Timestamp,
    ) -> Result<(), String> {
        let mut bare = given.clone();
        let members = bare.as_object_mut().ok_or("a JSON object is needed")?;
        let proofs = members.shift_remove("proof").ok_or("it has no proof")?;
        if bare != *unsigned {
            return Err("it is another document than was given out".into());
        }
        let proofs = match &proofs {
            Value::Array(proofs) => proofs.iter().collect(),
            one => vec![one],
        };
        if proofs.len() != suites.len() {
            return Err(format!("it needs {} proofs", suites.len()));
        }
        for proof in proofs {
            let members = proof.as_object().ok_or("a proof is a JSON object")?;
            let other = members
                .keys()
                .find(|name| !PROOF_MEMBERS.contains(&name.as_str()));
            if let Some(name) = other {
                return Err(format!("its proof says {name:?}, which is not taken"));
            }
        }
        let mut wanted = suites.to_vec();
        for made in proof::proofs(given) {
            let made = made.map_err(|error| error.to_string())?;
            let Some(place) = wanted.iter().position(|suite| *suite == made.suite) else {
                let words = "its proofs have to be by eddsa-rdfc-2022, and by eddsa-jcs-2022 where \
                             two are asked for";
                return Err(words.into());
            };
            wanted.remove(place);
            if made.verification_method != self.method {
                return Err(format!("it has to be signed by {}", self.method));
            }
            let purpose = Relationship::AssertionMethod;
            let _good = proof::verify(given, &made, purpose, &self.public, now)
                .map_err(|error| error.to_string())?;
        }
        Ok(())
    }

    /// Whether `text` is a JWT of these claims and this media type, by the key.
    pub(in crate::registry) fn check_jwt(
        &self,
        claims: &Value,
        text: &str,
        media_type: &str,
    ) -> Result<(), String> {
        let jwt = Jws::parse(text).map_err(|error| error.to_string())?;
        let typ = media_type.trim_start_matches("application/");
        if !jwt.header().is_typ(typ) {
            return Err(format!("its typ has to be {typ}"));
        }
        if jwt.header().kid.as_deref() != Some(&*self.kid) {
            return Err(format!("its kid has to be {}", self.kid));
        }
        jwt.verify(&self.public)
            .map_err(|error| error.to_string())?;
        let payload = json::parse(jwt.payload()).map_err(|error| error.to_string())?;
        match payload == *claims {
            true => Ok(()),
            false => Err("it holds other claims than were given out".into()),
        }
    }

    /// Whether these are the bytes of a CWT of these claims, given as CBOR, by the key.
    pub(in crate::registry) fn check_cwt(&self, claims: &[u8], bytes: &[u8]) -> Result<(), String> {
        let cwt = SignedCwt::parse(bytes).map_err(|error| error.to_string())?;
        if cwt.key_id() != Some(self.kid.as_bytes()) {
            return Err(format!("its kid has to be {}", self.kid));
        }
        cwt.verify(&self.public, (MAXIMUM_BITS / 8) as usize)
            .map_err(|error| error.to_string())?;
        match cwt.holds(claims) {
            true => Ok(()),
            false => Err("it holds other claims than were given out".into()),
        }
    }

    /// Whether a credential is `unsigned`, secured by the key in one of the forms in which
    /// credentials are secured here.
    pub(in crate::registry) fn check_credential(
        &self,
        unsigned: &Value,
        given: &Secured,
        now: Timestamp,
    ) -> Result<(), String> {
        match given {
            Secured::Jwt(jwt) => {
                let claims = crate::vc::jwt::claims_of(unsigned);
                let claims = claims.map_err(|error| error.to_string())?;
                self.check_jwt(&claims, jwt.as_str(), "application/vc+jwt")
            }
            Secured::Embedded(document) => {
                let suite = match document["proof"]["cryptosuite"].as_str() {
                    Some("eddsa-jcs-2022") => Suite::EddsaJcs2022,
                    _ => Suite::EddsaRdfc2022,
                };
                self.check_proofs(unsigned, document, &[suite], now)
            }
        }
    }

    /// What its signature is remembered by.
    pub(in crate::registry) fn digest(given: &Secured) -> Option<Digest> {
        Held::of(given).digest()
    }
}
