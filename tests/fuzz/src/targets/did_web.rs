//! DIDs and DID URLs.

use goodstanding::time::Timestamp;
use goodstanding::vc::did::{Did, DidUrl, DidWeb, Localhost, Relationship, retrieve_key};
use goodstanding::vc::verifying::VerifyingKey;
use url::{Host, Url};

use super::Reached;

/// A DID that is read is written as it was. A did:web leads to one https URL on a named host, in
/// which no reader of URLs finds anything to change; a did:key holds its own key.
pub fn run(data: &[u8]) -> Reached {
    let Ok(text) = std::str::from_utf8(data) else {
        return Reached::Refused;
    };
    from_url(text);
    if let Ok(url) = DidUrl::parse(text) {
        let again = match url.fragment {
            Some(fragment) => format!("{}#{fragment}", url.did),
            None => url.did.to_owned(),
        };
        assert_eq!(again, text);
    }
    let Ok(did) = text.parse::<Did>() else {
        return Reached::Refused;
    };
    assert_eq!(did.to_string(), text);
    assert_eq!(DidUrl::parse(text).map(|url| url.fragment), Ok(None));
    match &did {
        Did::Key(key) => check_itself(&did, &key.method_url(), Some(key.key())),
        Did::Jwk(_) => check_itself(&did, &format!("{text}#0"), None),
        Did::Web(web) => check_web(web, text),
    }
    Reached::Read
}

/// The document that the DID itself says leads to its key.
fn check_itself(did: &Did, method: &str, key: Option<VerifyingKey>) {
    let document = did.document().expect("it says one");
    let assertion = Relationship::AssertionMethod;
    let found = retrieve_key(&document, method, assertion, Timestamp::EPOCH);
    let found = found.unwrap_or_else(|error| panic!("{document}: {error}"));
    assert!(key.is_none_or(|key| key == found), "{document}");
}

fn check_web(web: &DidWeb, text: &str) {
    let Ok(document) = web.document_url(Localhost::Refused) else {
        assert!(web.host().ends_with("localhost"), "{text}");
        return;
    };
    // As the method's own text says it: colons are slashes, and the port's is a colon again.
    let rest = text.strip_prefix("did:web:").expect("it is a did:web");
    let (authority, path) = match rest.split_once(':') {
        Some((authority, path)) => (authority, path.replace(':', "/")),
        None => (rest, ".well-known".to_owned()),
    };
    let authority = authority.replace("%3A", ":");
    assert_eq!(document, format!("https://{authority}/{path}/did.json"));
    let url = Url::parse(&document).expect("it is a URL");
    assert_eq!(url.host(), Some(Host::Domain(web.host())), "{text}");
    assert!(url.username().is_empty() && url.password().is_none());
    assert!(url.query().is_none() && url.fragment().is_none());
    // A reader of URLs leaves out the port that https has anyway, and nothing else.
    assert_eq!(url.as_str(), document.replacen(":443/", "/", 1), "{text}");
}

fn from_url(text: &str) {
    let Ok(web) = DidWeb::from_url(text) else {
        return;
    };
    let did = web.to_string();
    assert_eq!(
        did.parse::<DidWeb>().as_ref(),
        Ok(&web),
        "{text:?} gives {did}"
    );
    // The scheme decides which port is the usual one, and goes unnamed.
    let localhost = match Url::parse(text).map(|url| url.scheme() == "http") {
        Ok(true) => Localhost::Http,
        _ => Localhost::Https,
    };
    let base = web.base_url(localhost).expect("localhost is allowed");
    assert_eq!(
        DidWeb::from_url(&base).as_ref(),
        Ok(&web),
        "{text:?} gives {base}"
    );
}
