//! What a client says of itself when it registers (RFC 7591 section 2).

use serde_json::{Map, Value};
use std::collections::BTreeSet;

use super::client_auth::AuthMethod;
use super::error::{ErrorCode, OAuthError};
use super::grant::GrantKind;
use super::redirect::RedirectUri;
use crate::access::{Role, Scopes};
use crate::ids::Slug;
use crate::vc::verifying::VerifyingKey;

/// The most characters of a client's name.
const MAX_NAME: usize = 200;
/// The most keys, and redirect URIs, of a client.
const MAX_KEYS: usize = 16;
const MAX_REDIRECTS: usize = 16;
/// The most characters of its keys, with all that stands beside them: strangers hand them in, and
/// they are kept.
const MAX_KEY_SET: usize = 32 << 10;

/// The metadata of a client, as far as they mean anything here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientMetadata {
    /// `client_name`, by which people know it.
    pub name: String,
    /// `token_endpoint_auth_method`: how it says who it is.
    pub auth: AuthMethod,
    /// `jwks`: the public keys of one that signs.
    pub keys: Option<String>,
    /// `grant_types`.
    pub grants: Vec<GrantKind>,
    /// `redirect_uris`.
    pub redirects: Vec<RedirectUri>,
    /// `scope`: what it wants to be allowed at most; all of its role where nothing is said.
    pub scopes: Option<Scopes>,
    /// `profile`: for whom it wants to act; for the registry where nobody is named.
    pub profile: Option<Slug>,
    /// `role`: as what.
    pub role: Role,
}

impl ClientMetadata {
    /// Reads the body of a registration. Members that mean nothing here are ignored, as RFC 7591
    /// section 2 demands; those that would mean something and are not taken are refused.
    ///
    /// # Errors
    /// `invalid_client_metadata`, `invalid_redirect_uri` and `unapproved_software_statement`, with
    /// the member and what it has to be.
    pub fn read(members: &Map<String, Value>) -> Result<Self, OAuthError> {
        refuse_unsupported(members)?;
        let auth = match text(members, "token_endpoint_auth_method")? {
            None => AuthMethod::SecretBasic,
            Some(name) => name.parse().map_err(|()| {
                let known = AuthMethod::ALL.map(AuthMethod::as_str).join(", ");
                let words = format!("token_endpoint_auth_method is one of {known}");
                OAuthError::metadata(words)
            })?,
        };
        let redirects = redirects(members)?;
        let grants = grants(members, &redirects)?;
        check_response_types(members, &grants)?;
        if auth == AuthMethod::None && grants.contains(&GrantKind::ClientCredentials) {
            let words = "a client without a secret cannot act for itself: it needs another \
                         token_endpoint_auth_method for client_credentials";
            return Err(OAuthError::metadata(words));
        }
        Ok(Self {
            name: name(members)?,
            auth,
            keys: keys(members, auth)?,
            grants,
            redirects,
            scopes: scopes(members)?,
            profile: parsed(members, "profile", "the slug of a profile")?,
            role: parsed(members, "role", ROLES)?.ok_or_else(|| missing("role", ROLES))?,
        })
    }
}

const ROLES: &str = "one of owner, list-manager, endorser, auditor and operator";

fn refuse_unsupported(members: &Map<String, Value>) -> Result<(), OAuthError> {
    if members.contains_key("software_statement") {
        let words = "software statements are not taken: nobody is trusted here to make any";
        return Err(OAuthError::new(
            ErrorCode::UnapprovedSoftwareStatement,
            words,
        ));
    }
    if members.contains_key("jwks_uri") {
        let words = "jwks_uri is not fetched: hand the keys in as jwks, and register anew with \
                     others";
        return Err(OAuthError::metadata(words));
    }
    Ok(())
}

fn name(members: &Map<String, Value>) -> Result<String, OAuthError> {
    let need = "1 to 200 characters by which people know the client";
    let name = text(members, "client_name")?.ok_or_else(|| missing("client_name", need))?;
    let shown = |c: char| !c.is_control();
    let length = name.chars().count();
    match (1..=MAX_NAME).contains(&length) && name.chars().all(shown) && !name.trim().is_empty() {
        true => Ok(name.to_owned()),
        false => Err(wrong("client_name", need)),
    }
}

fn scopes(members: &Map<String, Value>) -> Result<Option<Scopes>, OAuthError> {
    let read =
        |text: &str| Scopes::parse(text).map_err(|error| OAuthError::metadata(error.to_string()));
    // It stands for refresh tokens, which are not given here.
    let named = |text: &str| {
        let kept = text.split(' ').filter(|scope| *scope != "offline_access");
        kept.collect::<Vec<_>>().join(" ")
    };
    let given = text(members, "scope")?
        .map(named)
        .filter(|text| !text.is_empty());
    given.map(|text| read(&text)).transpose()
}

fn redirects(members: &Map<String, Value>) -> Result<Vec<RedirectUri>, OAuthError> {
    let texts = texts(members, "redirect_uris")?.unwrap_or_default();
    if texts.len() > MAX_REDIRECTS {
        return Err(wrong("redirect_uris", "at most 16 URIs"));
    }
    texts.into_iter().map(RedirectUri::parse).collect()
}

/// RFC 7591 leaves it to the server what it puts in the place of what is not said: a client with
/// somewhere to be sent back to signs people in, any other acts for itself.
fn grants(
    members: &Map<String, Value>,
    redirects: &[RedirectUri],
) -> Result<Vec<GrantKind>, OAuthError> {
    let need = "some of client_credentials and authorization_code";
    let grants = match texts(members, "grant_types")? {
        None if redirects.is_empty() => vec![GrantKind::ClientCredentials],
        None => vec![GrantKind::AuthorizationCode],
        Some(names) => {
            // What is not given here is not registered; the answer says what was (RFC 7591, 2).
            let names = names.into_iter().filter(|name| *name != "refresh_token");
            let all = names.map(|name| name.parse());
            let all: Result<Vec<GrantKind>, ()> = all.collect();
            all.map_err(|()| wrong("grant_types", need))?
        }
    };
    let several = grants
        .iter()
        .collect::<std::collections::HashSet<_>>()
        .len();
    if grants.is_empty() || several != grants.len() {
        return Err(wrong("grant_types", need));
    }
    if grants.contains(&GrantKind::AuthorizationCode) == redirects.is_empty() {
        let words =
            "redirect_uris go with authorization_code, and neither stands without the other";
        return Err(OAuthError::new(ErrorCode::InvalidRedirectUri, words));
    }
    Ok(grants)
}

fn check_response_types(
    members: &Map<String, Value>,
    grants: &[GrantKind],
) -> Result<(), OAuthError> {
    let Some(types) = texts(members, "response_types")? else {
        return Ok(());
    };
    let code = grants.contains(&GrantKind::AuthorizationCode);
    match (code, types.as_slice()) {
        (true, ["code"]) | (false, []) => Ok(()),
        _ => Err(wrong(
            "response_types",
            "[code] with authorization_code, and [] without it",
        )),
    }
}

/// The public keys, where the client signs: each good, with a name of its own.
fn keys(members: &Map<String, Value>, auth: AuthMethod) -> Result<Option<String>, OAuthError> {
    let need = "an object with 1 to 16 public keys, each with a kid of its own: Ed25519, P-256, or \
                RSA from 2048 bits on";
    let set = match (auth, members.get("jwks")) {
        (AuthMethod::PrivateKeyJwt, Some(set)) => set,
        (AuthMethod::PrivateKeyJwt, None) => return Err(missing("jwks", need)),
        // Keys that nothing is ever checked with.
        (_, Some(_)) => return Err(wrong("jwks", "there for private_key_jwt alone")),
        (_, None) => return Ok(None),
    };
    let keys = set.get("keys").and_then(Value::as_array);
    let keys = keys.filter(|keys| (1..=MAX_KEYS).contains(&keys.len()));
    let keys = keys.ok_or_else(|| wrong("jwks", need))?;
    let mut names = BTreeSet::new();
    for (place, key) in keys.iter().enumerate() {
        let kid = key.get("kid").and_then(Value::as_str);
        let kid = kid.filter(|kid| !kid.is_empty() && kid.len() <= 256);
        if !kid.is_some_and(|kid| names.insert(kid)) {
            return Err(wrong("jwks", need));
        }
        if let Err(error) = VerifyingKey::from_jwk(key) {
            return Err(OAuthError::metadata(format!("jwks, key {place}: {error}")));
        }
    }
    let set: Map<String, Value> = [("keys".to_owned(), Value::from(keys.clone()))]
        .into_iter()
        .collect();
    let set = Value::from(set).to_string();
    match set.len() <= MAX_KEY_SET {
        true => Ok(Some(set)),
        false => Err(wrong("jwks", "at most 32768 characters long")),
    }
}

fn parsed<T: std::str::FromStr>(
    members: &Map<String, Value>,
    member: &str,
    need: &str,
) -> Result<Option<T>, OAuthError> {
    let parse = |text: &str| text.parse().map_err(|_| wrong(member, need));
    text(members, member)?.map(parse).transpose()
}

fn text<'a>(members: &'a Map<String, Value>, member: &str) -> Result<Option<&'a str>, OAuthError> {
    match members.get(member) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(_) => Err(wrong(member, "a text")),
    }
}

fn texts<'a>(
    members: &'a Map<String, Value>,
    member: &str,
) -> Result<Option<Vec<&'a str>>, OAuthError> {
    let need = || wrong(member, "an array of texts");
    match members.get(member) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::Array(items)) => {
            let texts = items.iter().map(|item| item.as_str().ok_or_else(need));
            texts.collect::<Result<_, _>>().map(Some)
        }
        Some(_) => Err(need()),
    }
}

fn wrong(member: &str, need: &str) -> OAuthError {
    OAuthError::metadata(format!("{member} has to be {need}"))
}

fn missing(member: &str, need: &str) -> OAuthError {
    OAuthError::metadata(format!("{member} is missing; it has to be {need}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn read(more: Value) -> Result<ClientMetadata, OAuthError> {
        let mut members = json!({"client_name": "Registrar's system", "role": "list-manager"});
        let all = members.as_object_mut().unwrap();
        for (name, value) in more.as_object().unwrap() {
            all.insert(name.clone(), value.clone());
        }
        ClientMetadata::read(all)
    }

    fn key(kid: &str) -> Value {
        json!({"kty": "OKP", "crv": "Ed25519", "kid": kid,
               "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"})
    }

    #[test]
    fn what_is_not_said_is_what_is_usual() {
        let client =
            read(json!({"profile": "school", "software_id": "x", "logo_uri": "y"})).unwrap();
        assert_eq!(client.auth, AuthMethod::SecretBasic);
        assert_eq!(client.grants, [GrantKind::ClientCredentials]);
        assert_eq!((client.scopes, client.keys), (None, None));
        let web = read(json!({"redirect_uris": ["https://a.example/cb"]})).unwrap();
        assert_eq!(web.grants, [GrantKind::AuthorizationCode]);
    }

    #[test]
    fn a_client_that_signs_hands_in_its_keys() {
        let with = |keys: Value| {
            read(json!({"token_endpoint_auth_method": "private_key_jwt", "jwks": {"keys": keys}}))
        };
        assert!(with(json!([key("a"), key("b")])).is_ok());
        let mut private = key("a");
        private["d"] = "AA".into();
        let unnamed = json!({"kty": "OKP", "crv": "Ed25519", "x": key("a")["x"]});
        let shared = json!({"kty": "oct", "kid": "a", "k": "AAAA"});
        for keys in [
            json!([]),
            json!([key("a"), key("a")]),
            json!([private]),
            json!([unnamed]),
            json!([shared]),
            json!([key("")]),
            json!("x"),
            Value::from(vec![key("a"); 17]),
        ] {
            let refused = with(keys.clone()).unwrap_err();
            assert_eq!(refused.code, ErrorCode::InvalidClientMetadata, "{keys}");
        }
    }

    #[test]
    fn what_would_mean_something_and_is_not_taken_is_refused() {
        use ErrorCode::{InvalidClientMetadata as Member, InvalidRedirectUri as Redirect};
        for (more, code) in [
            (json!({"client_name": null}), Member),
            (json!({"client_name": "  "}), Member),
            (json!({"client_name": "a\nb"}), Member),
            (json!({"client_name": "x".repeat(201)}), Member),
            (json!({"role": "admin"}), Member),
            (json!({"role": null}), Member),
            (json!({"profile": "No Slug"}), Member),
            (json!({"scope": "everything"}), Member),
            (json!({"scope": ["read"]}), Member),
            (json!({"jwks_uri": "https://a.example/jwks"}), Member),
            (json!({"jwks": {"keys": []}}), Member),
            (
                json!({"software_statement": "x"}),
                ErrorCode::UnapprovedSoftwareStatement,
            ),
            (
                json!({"token_endpoint_auth_method": "client_secret_jwt"}),
                Member,
            ),
            (json!({"token_endpoint_auth_method": "none"}), Member),
            (
                json!({"token_endpoint_auth_method": "private_key_jwt"}),
                Member,
            ),
            (json!({"grant_types": []}), Member),
            (json!({"grant_types": ["implicit"]}), Member),
            (
                json!({"grant_types": ["client_credentials", "client_credentials"]}),
                Member,
            ),
            (json!({"grant_types": ["authorization_code"]}), Redirect),
            (
                json!({"grant_types": ["client_credentials"], "redirect_uris": ["https://a.example/"]}),
                Redirect,
            ),
            (json!({"redirect_uris": ["http://a.example/"]}), Redirect),
            (json!({"redirect_uris": "https://a.example/"}), Member),
            (json!({"response_types": ["code"]}), Member),
            (
                json!({"redirect_uris": ["https://a.example/"], "response_types": ["token"]}),
                Member,
            ),
        ] {
            let refused = read(more.clone()).unwrap_err();
            assert_eq!(refused.code, code, "{more}: {refused}");
        }
    }
}
