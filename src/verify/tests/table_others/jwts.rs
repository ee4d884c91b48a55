//! Credentials as JWTs, and headers that ask for a weaker check.

use super::*;

/// How a JWT is signed: the bytes of its signature.
pub(super) type Sign = Box<dyn Fn(&[u8]) -> Vec<u8>>;

/// A credential as a JWT, while it is made.
pub(super) struct Jwt {
    pub(super) web: Web,
    pub(super) header: Value,
    pub(super) payload: Value,
    pub(super) sign: Sign,
    /// Instead of the header, byte for byte.
    pub(super) raw_header: Option<String>,
    /// Instead of the payload, byte for byte.
    pub(super) raw_payload: Option<String>,
    /// Instead of the JWT.
    pub(super) handed: Option<Value>,
}

impl Draft for Jwt {
    fn hand_in(self) -> HandedIn {
        HandedIn {
            form: Form::Document(self.handed.clone().unwrap_or_else(|| self.text().into())),
            web: Box::new(self.web),
            pinned: Vec::new(),
            expected: Expected::default(),
        }
    }
}

impl Jwt {
    /// As VC-JOSE-COSE has it, with the claims of Open Badges beside the members.
    pub(super) fn vc_jwt() -> Self {
        let college = college();
        let mut payload = college.badge();
        for (claim, value) in claims_of(&college).as_object().unwrap() {
            payload[claim] = value.clone();
        }
        let method = college.method.clone();
        Self {
            web: Web::of_college(),
            header: json!({"alg": "EdDSA", "typ": "vc+jwt", "kid": method}),
            payload,
            sign: by(college),
            raw_header: None,
            raw_payload: None,
            handed: None,
        }
    }

    /// As Open Badges 3.0 has it.
    pub(super) fn open_badges() -> Self {
        let mut jwt = Self::vc_jwt();
        jwt.header["typ"] = json!("JWT");
        jwt
    }

    /// As Open Badges 3.0 has it, with a key that stands in the set of the issuer's host.
    pub(super) fn in_key_set() -> Self {
        let mut jwt = Self::open_badges();
        let mut key = college().key.public().to_jwk();
        key["kid"] = json!("2026");
        jwt.header["kid"] = json!("2026");
        jwt.web.world.documents.clear();
        jwt.web.serve(KEY_SET, json!({ "keys": [key] }));
        jwt
    }

    /// As VCDM 1.1 has it.
    pub(super) fn claim() -> Self {
        let mut jwt = Self::open_badges();
        let college = college();
        jwt.payload = claims_of(&college);
        jwt.payload["vc"] = json!({
            "@context": ["https://www.w3.org/2018/credentials/v1"],
            "id": "https://college.example/badges/1",
            "type": ["VerifiableCredential"],
            "issuer": college.id,
            "issuanceDate": "2026-01-01T00:00:00Z",
            "credentialSubject": {"id": "did:example:learner"},
        });
        jwt
    }

    pub(super) fn text(&self) -> String {
        let part = |raw: &Option<String>, value: &Value| {
            base64url(raw.clone().unwrap_or_else(|| value.to_string()))
        };
        let header = part(&self.raw_header, &self.header);
        let signed = format!("{header}.{}", part(&self.raw_payload, &self.payload));
        let signature = (self.sign)(signed.as_bytes());
        format!("{signed}.{}", base64url(signature))
    }

    /// Changes the JWT after it was signed.
    pub(super) fn tamper(&mut self, change: impl FnOnce(String) -> String) {
        self.handed = Some(change(self.text()).into());
    }
}

pub(super) const KEY_SET: &str = "https://college.example/.well-known/jwks.json";

pub(super) fn by(actor: Actor) -> Sign {
    Box::new(move |message| actor.key.sign(message).to_vec())
}

fn claims_of(issuer: &Actor) -> Value {
    json!({
        "iss": issuer.id,
        "jti": "https://college.example/badges/1",
        "sub": "did:example:learner",
        "nbf": seconds("2026-01-01T00:00:00Z"),
    })
}

/// A row that changes one member of the header and leaves the signature good.
fn header(name: &'static str, member: &str, value: Value, expected: Wanted) -> Row {
    row(
        name,
        Jwt::vc_jwt,
        |jwt| jwt.header[member] = value,
        expected,
    )
}

pub(super) fn rows() -> Vec<Row> {
    [algorithms(), headers(), names_of_keys()]
        .into_iter()
        .flatten()
        .collect()
}

fn algorithms() -> Vec<Row> {
    vec![
        row(
            "alg says that nobody signed",
            Jwt::vc_jwt,
            |jwt| {
                jwt.header["alg"] = json!("none");
                jwt.sign = Box::new(|_| Vec::new());
            },
            refused("jwt-algorithm"),
        ),
        row(
            "none in letters that a comparison overlooks",
            Jwt::vc_jwt,
            |jwt| {
                jwt.header["alg"] = json!("nOnE");
                jwt.sign = Box::new(|_| Vec::new());
            },
            refused("jwt-algorithm"),
        ),
        row(
            "a MAC with the public key as its secret",
            Jwt::vc_jwt,
            |jwt| {
                jwt.header["alg"] = json!("HS256");
                jwt.sign = Box::new(|message| {
                    let secret = *college().key.public().as_bytes();
                    let secret = ring::hmac::Key::new(ring::hmac::HMAC_SHA256, &secret);
                    ring::hmac::sign(&secret, message).as_ref().to_vec()
                });
            },
            refused("jwt-algorithm"),
        ),
        header(
            "alg is one that is not read",
            "alg",
            json!("ES384"),
            refused("jwt-algorithm"),
        ),
        header(
            "alg in lower case",
            "alg",
            json!("eddsa"),
            refused("jwt-algorithm"),
        ),
        header("alg by its newer name", "alg", json!("Ed25519"), good()),
        header("alg is a number", "alg", json!(-8), refused("jwt-header")),
        row(
            "there is no alg",
            Jwt::vc_jwt,
            |jwt| without(&mut jwt.header, "alg"),
            refused("jwt-header"),
        ),
        header(
            "alg is for another kind of key",
            "alg",
            json!("ES256"),
            refused("proof-key-kind"),
        ),
        header(
            "alg is RSA's, and the key is none",
            "alg",
            json!("RS256"),
            refused("proof-key-kind"),
        ),
    ]
}

fn headers() -> Vec<Row> {
    let key_of = |actor: Actor| actor.key.public().to_jwk();
    vec![
        header(
            "the header demands what is not understood",
            "crit",
            json!(["exp"]),
            refused("jwt-header"),
        ),
        header(
            "the payload is said to be unencoded",
            "b64",
            json!(false),
            refused("jwt-header"),
        ),
        header(
            "b64 is a text",
            "b64",
            json!("false"),
            refused("jwt-header"),
        ),
        header(
            "typ is of an access token",
            "typ",
            json!("at+jwt"),
            refused("jwt-type"),
        ),
        header(
            "typ is of a status list",
            "typ",
            json!("statuslist+jwt"),
            refused("jwt-type"),
        ),
        header(
            "typ is an array",
            "typ",
            json!(["vc+jwt"]),
            refused("jwt-header"),
        ),
        header(
            "typ with its prefix and in capitals",
            "typ",
            json!("application/VC+JWT"),
            good(),
        ),
        header(
            "the header repeats another iss",
            "iss",
            json!(forger().id),
            refused("jwt-iss-mismatch"),
        ),
        header(
            "the header repeats the iss",
            "iss",
            json!(college().id),
            good(),
        ),
        header(
            "the header has the issuer's own key",
            "jwk",
            key_of(college()),
            good(),
        ),
        header(
            "the header has a key beside the kid of another",
            "jwk",
            key_of(forger()),
            refused("jwt-header-key"),
        ),
        header(
            "the header's key is no key",
            "jwk",
            json!({"kty": "OKP"}),
            refused("jwt-header-key"),
        ),
        header(
            "the header's key is a text",
            "jwk",
            json!("key"),
            refused("jwt-header"),
        ),
        header(
            "the header gives the private half away",
            "jwk",
            json!({"kty": "OKP", "crv": "Ed25519", "x": "AA", "d": "AA"}),
            refused("jwt-header"),
        ),
        row(
            "a forger brings a key in the header and signs with it",
            Jwt::in_key_set,
            |jwt| {
                jwt.header["jwk"] = key_of(forger());
                without(&mut jwt.header, "kid");
                jwt.sign = by(forger());
            },
            refused("key-missing"),
        ),
        row(
            "a forger says where the keys are",
            Jwt::vc_jwt,
            |jwt| {
                jwt.header["jku"] = json!("https://forger.example/jwks.json");
                jwt.header["x5u"] = json!("https://forger.example/certificate.pem");
                jwt.sign = by(forger());
            },
            refused("signature-bad"),
        ),
        header(
            "where the keys are is not heeded",
            "jku",
            json!("https://forger.example/jwks.json"),
            good(),
        ),
        row(
            "Open Badges allow no jku",
            Jwt::open_badges,
            |jwt| jwt.header["jku"] = json!("https://college.example/jwks.json"),
            refused("jwt-header"),
        ),
        row(
            "Open Badges allow no certificates",
            Jwt::open_badges,
            |jwt| jwt.header["x5c"] = json!(["AA=="]),
            refused("jwt-header"),
        ),
        row(
            "Open Badges allow no cty",
            Jwt::open_badges,
            |jwt| jwt.header["cty"] = json!("JWT"),
            refused("jwt-header"),
        ),
        row(
            "Open Badges require that the key is named",
            Jwt::open_badges,
            |jwt| without(&mut jwt.header, "kid"),
            refused("jwt-header"),
        ),
        row(
            "no key is named",
            Jwt::vc_jwt,
            |jwt| without(&mut jwt.header, "kid"),
            refused("key-url"),
        ),
        row(
            "the header has alg twice",
            Jwt::vc_jwt,
            |jwt| {
                let header = jwt.header.to_string();
                jwt.raw_header = Some(header.replacen('{', r#"{"alg":"none","#, 1));
            },
            refused("jwt-malformed"),
        ),
        row(
            "the header is an array",
            Jwt::vc_jwt,
            |jwt| jwt.header = json!([jwt.header]),
            refused("jwt-header"),
        ),
        row(
            "the header is ten thousand levels deep",
            Jwt::vc_jwt,
            |jwt| jwt.raw_header = Some(format!(r#"{{"alg":"EdDSA","x":{}}}"#, deep())),
            refused("jwt-malformed"),
        ),
    ]
}

/// Fits into a header, and into no stack that is used for it.
pub(super) fn deep() -> String {
    format!("{}{}", "[".repeat(10_000), "]".repeat(10_000))
}

fn names_of_keys() -> Vec<Row> {
    let kid = |name, kid: &str, expected| header(name, "kid", json!(kid), expected);
    let another = || refused("key-of-another");
    vec![
        row(
            "a forger names the own key and signs with it",
            Jwt::vc_jwt,
            |jwt| {
                jwt.header["kid"] = json!(forger().method);
                jwt.sign = by(forger());
            },
            another(),
        ),
        row(
            "a key that stands for itself signs for the college",
            Jwt::vc_jwt,
            |jwt| {
                let forger = Actor::did_key(66);
                jwt.header["kid"] = json!(forger.method);
                jwt.sign = by(forger);
            },
            another(),
        ),
        kid("kid is a fragment", "#key-1", good()),
        kid(
            "kid with the issuer as a user name",
            "https://college.example@forger.example/profile#key-1",
            another(),
        ),
        kid(
            "kid with a user name",
            "https://x@college.example/profile#key-1",
            another(),
        ),
        kid(
            "kid at another port",
            "https://college.example:8443/profile#key-1",
            another(),
        ),
        kid(
            "kid of another scheme",
            "http://college.example/profile#key-1",
            another(),
        ),
        kid(
            "kid at a name that begins alike",
            "https://college.example.forger.example/profile#key-1",
            another(),
        ),
        kid(
            "kid with a backslash",
            "https://college.example\\@forger.example/#key-1",
            refused("key-url"),
        ),
        kid(
            "kid with a line end",
            "https://college.example/profile#key-1\n",
            refused("key-url"),
        ),
        kid(
            "kid is another key of the document",
            "https://college.example/profile#key-2",
            refused("key-missing"),
        ),
        kid(
            "kid is a place on the host where nothing stands",
            "https://college.example/keys/1",
            unreachable_at("key-document-not-found", ""),
        ),
        row(
            "kid leads to the issuer by a detour",
            Jwt::in_key_set,
            |jwt| jwt.header["kid"] = json!("https://college.example/x/../profile#key-1"),
            refused("key-missing"),
        ),
        row(
            "kid is empty",
            Jwt::in_key_set,
            |jwt| jwt.header["kid"] = json!(""),
            refused("key-missing"),
        ),
    ]
}
