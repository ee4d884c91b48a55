//! Clients of OAuth 2.0 in the stories: they register, show who they are, and are given tokens.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use ed25519_dalek::{Signer as _, SigningKey};
use serde_json::{Value, json};

use super::actors::{Actor, text};
use super::client::{Answer, Call};
use super::house::House;

/// A client that was registered with a secret.
pub(crate) struct Client<'h> {
    pub(crate) house: &'h House,
    pub(crate) id: String,
    pub(crate) secret: String,
    /// Its registration token.
    pub(crate) registration: String,
}

impl Actor<'_> {
    /// Registers a client of this profile, which is approved at once, with these members besides.
    pub(crate) fn registers_client(&self, role: &str, more: &Value) -> Client<'_> {
        let mut body = json!({ "client_name": "A system", "profile": self.slug, "role": role });
        if self.slug.is_empty() {
            body.as_object_mut().unwrap().shift_remove("profile");
        }
        for (name, value) in more.as_object().unwrap() {
            body[name] = value.clone();
        }
        let made = self.post("/oauth/register", &body).is(201).json();
        Client {
            house: self.house,
            id: text(&made["client_id"]),
            secret: made["client_secret"]
                .as_str()
                .unwrap_or_default()
                .to_owned(),
            registration: text(&made["registration_access_token"]),
        }
    }
}

impl Client<'_> {
    /// Asks for a token by HTTP Basic, with these parameters besides the grant's type.
    pub(crate) fn asks(&self, more: &[(&str, &str)]) -> Answer {
        let mut form = vec![("grant_type", "client_credentials")];
        form.extend(more);
        let header = format!(
            "Basic {}",
            STANDARD.encode(format!("{}:{}", self.id, self.secret))
        );
        posts(self.house, "/oauth/token", &form)
            .header("Authorization", header)
            .send()
    }

    /// A token for these scopes; all that it may have where none is named.
    pub(crate) fn token(&self, scope: &str) -> String {
        let answer = self.asks(&[("scope", scope)]).is(200).json();
        text(&answer["access_token"])
    }
}

/// A form that is posted.
pub(crate) fn posts(house: &House, path: &str, form: &[(&str, &str)]) -> Call {
    let mut body = url::form_urlencoded::Serializer::new(String::new());
    body.extend_pairs(form);
    let call = house.call("POST", path);
    call.body("application/x-www-form-urlencoded", body.finish())
}

/// The hidden fields of the first form on a page.
pub(crate) fn hidden(page: &Answer) -> BTreeMap<String, String> {
    let text = page.text();
    let form = text.split("</form>").next().unwrap().to_owned();
    let fields = form.split("<input type=\"hidden\" name=\"").skip(1);
    let plain = |text: &str| {
        let signs = [
            ("&#34;", "\""),
            ("&#39;", "'"),
            ("&#60;", "<"),
            ("&#62;", ">"),
            ("&#38;", "&"),
        ];
        signs
            .into_iter()
            .fold(text.to_owned(), |text, (coded, sign)| {
                text.replace(coded, sign)
            })
    };
    fields
        .map(|field| {
            let (name, rest) = field.split_once("\" value=\"").unwrap();
            (name.to_owned(), plain(rest.split_once('"').unwrap().0))
        })
        .collect()
}

/// A JWT whose signature is by this key over these very texts.
pub(crate) fn jwt(header: &str, claims: &str, key: &SigningKey) -> String {
    let signed = format!(
        "{}.{}",
        URL_SAFE_NO_PAD.encode(header),
        URL_SAFE_NO_PAD.encode(claims)
    );
    let signature = key.sign(signed.as_bytes()).to_bytes();
    format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature))
}

/// The public JWK of a key, under this name.
pub(crate) fn jwk(key: &SigningKey, kid: &str) -> Value {
    let x = URL_SAFE_NO_PAD.encode(key.verifying_key().to_bytes());
    json!({ "kty": "OKP", "crv": "Ed25519", "kid": kid, "x": x })
}

/// Header and claims of a JWT, its signature unlooked at.
pub(crate) fn opened(token: &str) -> [Value; 2] {
    let mut parts = token.split('.');
    [parts.next(), parts.next()].map(|part| {
        let bytes = URL_SAFE_NO_PAD.decode(part.unwrap()).unwrap();
        serde_json::from_slice(&bytes).unwrap()
    })
}
