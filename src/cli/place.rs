//! Names of things as people give them: a slug or an id alone, the thing's URL, or its `did:web`.

use std::fmt;
use std::str::FromStr;

use thiserror::Error;
use url::Url;

use crate::ids::{AchievementId, EndorsementId, KeyId, ListId, RequestId, Slug};

/// A text does not name a thing of the kind that is wanted.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{given:?} is not {wanted}")]
pub struct PlaceError {
    /// The text as it was given.
    pub given: String,
    /// What it has to be.
    pub wanted: &'static str,
}

/// A thing that the registry hosts under `/{COLLECTION}/{id}`.
pub(super) trait Hosted: FromStr + fmt::Display + Clone {
    /// The first segment of its path.
    const COLLECTION: &'static str;
    /// What to give, for the message to a person who gave something else.
    const WANTED: &'static str;
}

impl Hosted for Slug {
    const COLLECTION: &'static str = "profiles";
    const WANTED: &'static str =
        "a profile: give its slug, such as demo-issuer, its URL (…/profiles/SLUG) or its did:web";
}

impl Hosted for ListId {
    const COLLECTION: &'static str = "status-lists";
    const WANTED: &'static str =
        "a status list: give its URL (…/status-lists/ID) or its id of 20 characters";
}

impl Hosted for EndorsementId {
    const COLLECTION: &'static str = "endorsements";
    const WANTED: &'static str =
        "an endorsement: give its URL (…/endorsements/ID) or its id of 20 characters";
}

impl Hosted for AchievementId {
    const COLLECTION: &'static str = "achievements";
    const WANTED: &'static str =
        "an achievement: give its URL (…/achievements/ID) or its id of 20 characters";
}

impl Hosted for RequestId {
    const COLLECTION: &'static str = "endorsement-requests";
    const WANTED: &'static str =
        "a request: give its URL (…/endorsement-requests/ID) or its id of 20 characters";
}

/// Where a hosted thing is: its id, and the server that a full URL or a DID named.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Place<T> {
    /// The id in the registry.
    pub(super) id: T,
    /// The text as it was given.
    pub(super) given: String,
    /// `HOST` or `HOST:PORT` of the URL or DID; none where the id stood alone.
    pub(super) host: Option<String>,
}

impl<T: Hosted> Place<T> {
    /// The path of the thing, without the server.
    pub(super) fn path(&self) -> String {
        format!("/{}/{}", T::COLLECTION, self.id)
    }
}

impl<T: Hosted> FromStr for Place<T> {
    type Err = PlaceError;

    fn from_str(text: &str) -> Result<Self, PlaceError> {
        let (id, host) = if let Ok(id) = text.parse() {
            (Some(id), None)
        } else if let Some(rest) = text.strip_prefix("did:web:") {
            from_did_web::<T>(rest)
        } else {
            from_url::<T>(text)
        };
        let id = id.ok_or(PlaceError {
            given: text.to_owned(),
            wanted: T::WANTED,
        })?;
        Ok(Self {
            id,
            given: text.to_owned(),
            host,
        })
    }
}

fn from_url<T: Hosted>(text: &str) -> (Option<T>, Option<String>) {
    let Ok(url) = Url::parse(text) else {
        return (None, None);
    };
    let web = matches!(url.scheme(), "http" | "https");
    let mut segments = url.path().trim_end_matches('/').split('/').skip(1);
    let found = match (segments.next(), segments.next(), segments.next()) {
        (Some(collection), Some(id), None) if web && collection == T::COLLECTION => id.parse().ok(),
        _ => None,
    };
    (found, host_of(&url))
}

fn from_did_web<T: Hosted>(rest: &str) -> (Option<T>, Option<String>) {
    let rest = rest.split(['#', '?', '/']).next().unwrap_or(rest);
    let parts: Vec<&str> = rest.split(':').collect();
    match parts[..] {
        [host, collection, id] if collection == T::COLLECTION => {
            (id.parse().ok(), Some(decoded_host(host)))
        }
        _ => (None, None),
    }
}

/// The host of a `did:web`, with the port as URLs write it.
fn decoded_host(host: &str) -> String {
    host.replace("%3A", ":")
        .replace("%3a", ":")
        .to_ascii_lowercase()
}

/// `HOST` or `HOST:PORT`, where the port is not the scheme's own.
pub(super) fn host_of(url: &Url) -> Option<String> {
    let host = url.host_str()?;
    Some(match url.port() {
        Some(port) => format!("{host}:{port}"),
        None => host.to_owned(),
    })
}

/// Whether a URL's host is this machine: `localhost`, 127.0.0.0/8 or `[::1]`.
pub(super) fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(url::Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        Some(url::Host::Ipv4(ip)) => ip.is_loopback(),
        Some(url::Host::Ipv6(ip)) => ip.is_loopback(),
        None => false,
    }
}

/// Who issues or endorses, as the body of a request names it: a profile here, or an id of its own
/// such as a `did:key`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Party {
    /// A profile by its place here.
    Hosted(Place<Slug>),
    /// An id to hand over as it is.
    Id(String),
}

impl FromStr for Party {
    type Err = PlaceError;

    fn from_str(text: &str) -> Result<Self, PlaceError> {
        match text.parse() {
            Ok(place) => Ok(Self::Hosted(place)),
            Err(_) if is_uri(text) => Ok(Self::Id(text.to_owned())),
            Err(refused) => Err(refused),
        }
    }
}

/// Whose keys are meant: a profile's, or the registry's own, which its URL or `did:web` without a
/// path names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum KeyOwner {
    /// A profile.
    Profile(Place<Slug>),
    /// The registry itself.
    Registry {
        /// The text as it was given.
        given: String,
        /// `HOST` or `HOST:PORT` of the URL or DID.
        host: String,
    },
}

impl KeyOwner {
    /// The path below which the keys stand.
    pub(super) fn path(&self) -> String {
        match self {
            Self::Profile(place) => place.path(),
            Self::Registry { .. } => String::new(),
        }
    }

    /// The path of the DID document, which shows the keys to everybody.
    pub(super) fn document(&self) -> String {
        match self {
            Self::Profile(place) => place.path() + "/did.json",
            Self::Registry { .. } => "/.well-known/did.json".to_owned(),
        }
    }
}

impl FromStr for KeyOwner {
    type Err = PlaceError;

    fn from_str(text: &str) -> Result<Self, PlaceError> {
        if let Ok(place) = text.parse() {
            return Ok(Self::Profile(place));
        }
        match registry_host(text) {
            Some(host) => Ok(Self::Registry {
                given: text.to_owned(),
                host,
            }),
            None => Err(PlaceError {
                given: text.to_owned(),
                wanted: "an owner of keys: give a profile's slug, its URL (…/profiles/SLUG) or its \
                         did:web; or the registry's own URL or did:web, without a path",
            }),
        }
    }
}

fn registry_host(text: &str) -> Option<String> {
    if let Some(rest) = text.strip_prefix("did:web:") {
        let host = rest.split('#').next().unwrap_or(rest);
        let is_host = !host.is_empty() && !host.contains([':', '/', '?']);
        return is_host.then(|| decoded_host(host));
    }
    let url = Url::parse(text).ok()?;
    let is_origin = matches!(url.scheme(), "http" | "https") && url.path() == "/";
    is_origin.then(|| host_of(&url)).flatten()
}

/// One index of a status list: `LIST#INDEX`, which is the `id` of a `credentialStatus` entry too.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) list: Place<ListId>,
    pub(super) index: u64,
}

impl FromStr for Entry {
    type Err = PlaceError;

    fn from_str(text: &str) -> Result<Self, PlaceError> {
        let refused = || PlaceError {
            given: text.to_owned(),
            wanted: "an entry: give LIST#INDEX, such as https://…/status-lists/ID#42",
        };
        let (list, index) = text.split_once('#').ok_or_else(refused)?;
        Ok(Self {
            list: list.parse().map_err(|_| refused())?,
            index: decimal(index).ok_or_else(refused)?,
        })
    }
}

/// A key of a profile: `key-2`, `2`, or a verification method's URL that ends in `#key-2`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct KeyName(pub(super) KeyId);

impl FromStr for KeyName {
    type Err = PlaceError;

    fn from_str(text: &str) -> Result<Self, PlaceError> {
        let name = text.rsplit_once('#').map_or(text, |(_, fragment)| fragment);
        let full = match decimal(name) {
            Some(number) => format!("key-{number}"),
            None => name.to_owned(),
        };
        full.parse().map(Self).map_err(|_| PlaceError {
            given: text.to_owned(),
            wanted: "a key: give its number, key-NUMBER, or its URL that ends in #key-NUMBER; \
                     `goodstanding key list PROFILE` shows them",
        })
    }
}

fn decimal(text: &str) -> Option<u64> {
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    digits.then(|| text.parse().ok()).flatten()
}

/// Whether a text is an absolute URI such as `urn:uuid:…` (RFC 3986 section 3.1).
pub(super) fn is_uri(text: &str) -> bool {
    let Some((scheme, rest)) = text.split_once(':') else {
        return false;
    };
    let allowed = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'-' | b'.');
    scheme.starts_with(|c: char| c.is_ascii_alphabetic())
        && scheme.bytes().all(allowed)
        && !rest.is_empty()
        && !text.contains(|c: char| c.is_whitespace() || c.is_control())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const ID: &str = "000000g123456789abc0";

    fn host_and_id<T: Hosted>(text: &str) -> (Option<String>, String) {
        let place: Place<T> = text.parse().expect("a place");
        (place.host.clone(), place.path())
    }

    #[test]
    fn a_profile_is_named_by_slug_url_or_did() {
        let path = "/profiles/demo-issuer".to_owned();
        for (text, host) in [
            ("demo-issuer", None),
            (
                "http://localhost:8080/profiles/demo-issuer",
                Some("localhost:8080"),
            ),
            ("https://r.example/profiles/demo-issuer/", Some("r.example")),
            (
                "did:web:localhost%3A8080:profiles:demo-issuer",
                Some("localhost:8080"),
            ),
            (
                "did:web:r.example:profiles:demo-issuer#key-1",
                Some("r.example"),
            ),
        ] {
            assert_eq!(
                host_and_id::<Slug>(text),
                (host.map(str::to_owned), path.clone()),
                "{text}"
            );
        }
        for bad in [
            "Demo",
            "../x",
            "https://r.example/achievements/demo",
            "https://r.example/profiles/a/b",
            "ftp://r.example/profiles/a",
            "did:web:r.example",
        ] {
            assert!(bad.parse::<Place<Slug>>().is_err(), "{bad}");
        }
    }

    #[test]
    fn the_registry_is_named_by_its_url_or_did_without_a_path() {
        for (text, host) in [
            ("did:web:r.example", "r.example"),
            ("did:web:localhost%3A8080", "localhost:8080"),
            ("did:web:r.example#key-1", "r.example"),
            ("https://R.example", "r.example"),
            ("http://localhost:8080/", "localhost:8080"),
        ] {
            let owner: KeyOwner = text.parse().unwrap();
            let (given, host) = (text.to_owned(), host.to_owned());
            assert_eq!(owner, KeyOwner::Registry { given, host });
            assert_eq!(owner.path() + "/keys", "/keys");
        }
        let profile: KeyOwner = "did:web:r.example:profiles:a".parse().unwrap();
        assert_eq!(profile.path(), "/profiles/a");
        for bad in [
            "did:web:",
            "did:web:r.example:x",
            "https://r.example/x",
            "urn:x",
            "A b",
        ] {
            assert!(bad.parse::<KeyOwner>().is_err(), "{bad}");
        }
    }

    #[test]
    fn an_entry_is_a_list_and_an_index() {
        let entry: Entry = format!("http://h/status-lists/{ID}#42").parse().unwrap();
        assert_eq!(
            (entry.list.path(), entry.index),
            (format!("/status-lists/{ID}"), 42)
        );
        assert_eq!(format!("{ID}#7").parse::<Entry>().unwrap().index, 7);
        for bad in [
            format!("{ID}#-1"),
            format!("{ID}#+1"),
            format!("{ID}#"),
            format!("{ID}#99999999999999999999"),
            ID.into(),
            "urn:x:y#1".into(),
        ] {
            assert!(bad.parse::<Entry>().is_err(), "{bad}");
        }
    }

    #[test]
    fn a_key_is_named_by_number_name_or_url() {
        for good in ["2", "key-2", "#key-2", "did:web:r.example:profiles:a#key-2"] {
            assert_eq!(good.parse(), Ok(KeyName(KeyId(2))), "{good}");
        }
        for bad in ["", "0", "key-0", "a/b", "key-2/retire"] {
            assert!(bad.parse::<KeyName>().is_err(), "{bad}");
        }
    }

    #[test]
    fn a_party_may_have_an_id_of_its_own() {
        assert_eq!("did:key:z6Mk".parse(), Ok(Party::Id("did:key:z6Mk".into())));
        assert!(matches!("demo".parse(), Ok(Party::Hosted(_))));
        assert!("not a party".parse::<Party>().is_err());
    }

    proptest! {
        #[test]
        fn whatever_is_given_the_path_has_two_safe_segments(text in "\\PC{0,60}") {
            if let Ok(place) = text.parse::<Place<Slug>>() {
                let path = place.path();
                let slug = path.strip_prefix("/profiles/").unwrap();
                prop_assert!(slug.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-'));
            }
        }

        #[test]
        fn an_id_means_the_same_alone_and_in_its_url(bytes: [u8; 12]) {
            let id = EndorsementId::from_bytes(bytes);
            let alone: Place<EndorsementId> = id.to_string().parse().unwrap();
            let url: Place<EndorsementId> =
                format!("https://r.example/endorsements/{id}").parse().unwrap();
            prop_assert_eq!(alone.path(), url.path());
        }
    }
}
