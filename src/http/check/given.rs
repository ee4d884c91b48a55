//! What somebody gave to be checked: whatever it is, it comes in one field.

use url::{Position, Url};

use crate::codes::{CODE_SYMBOLS, CodeError, VerificationCode};

/// What a text is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Given<'t> {
    /// Nothing but white space.
    Nothing,
    /// A verification code, or what was meant as one.
    Code(Result<VerificationCode, CodeError>),
    /// An address: of a page here, of a credential, or the id of one that is written so.
    Address(&'t str),
    /// An id that is no address, such as a DID or a URN.
    Id(&'t str),
    /// A credential itself: JSON, a JWT, or an image that is text.
    Document(&'t str),
    /// One word, which may be the name under which a profile is registered here.
    Word(&'t str),
    /// None of these.
    Unclear,
}

impl<'t> Given<'t> {
    /// Tells what a text is. White space around it, and a mark of its encoding before it, say nothing.
    pub(super) fn of(text: &'t str) -> Self {
        let is_blank = |c: char| c.is_whitespace() || c == '\u{feff}';
        let text = text.trim_matches(is_blank);
        if text.is_empty() {
            return Self::Nothing;
        }
        if text.starts_with(['{', '[', '"', '<']) || looks_like_jwt(text) {
            return Self::Document(text);
        }
        if let Some(unquoted) = unbracketed_url(text) {
            return Self::Address(unquoted);
        }
        if let Ok(code) = text.parse() {
            return Self::Code(Ok(code));
        }
        if is_uri(text) {
            return Self::Id(text);
        }
        match meant_as_code(text) {
            Some(error) => Self::Code(Err(error)),
            None if text.chars().all(is_of_word) => Self::Word(text),
            None => Self::Unclear,
        }
    }
}

/// Whether it begins as a JSON object in base64url does, and has more parts than one, as every JWT has.
fn looks_like_jwt(text: &str) -> bool {
    text.starts_with("ey") && text.contains('.') && !text.contains(char::is_whitespace)
}

/// An http or https URL.
fn unbracketed_url(text: &str) -> Option<&str> {
    let is_one = Url::parse(text).is_ok_and(|url| matches!(url.scheme(), "http" | "https"));
    (is_one && !text.contains(char::is_whitespace)).then_some(text)
}

/// Whether it has the form of a URI (RFC 3986 section 3): a scheme, a colon, and something behind it.
fn is_uri(text: &str) -> bool {
    let Some((scheme, rest)) = text.split_once(':') else {
        return false;
    };
    let named = |c: char| c.is_ascii_alphanumeric() || "+-.".contains(c);
    let begins = scheme.starts_with(|c: char| c.is_ascii_alphabetic());
    begins && scheme.chars().all(named) && !rest.is_empty() && !text.contains(char::is_whitespace)
}

const fn is_of_word(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '-' | '_')
}

/// What is wrong with a text that somebody meant as a code: letters and digits, about as many as a code has,
/// in groups or with a digit among them. What has none of that is rather a name.
fn meant_as_code(text: &str) -> Option<CodeError> {
    let symbols = text.chars().filter(|c| c.is_alphanumeric()).count();
    let others = text.chars().filter(|c| !c.is_alphanumeric());
    let only_between = others
        .clone()
        .all(|c| c.is_whitespace() || "-–—_.·".contains(c));
    let about_as_many = symbols.abs_diff(CODE_SYMBOLS) <= 5;
    let looks_so = text.contains(|c: char| c.is_ascii_digit() || c.is_uppercase());
    let is_meant = only_between && about_as_many && looks_so;
    is_meant.then(|| text.parse::<VerificationCode>().err())?
}

/// What an address of this registry asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Here {
    /// The answer about a code: where one is looked up, or its page.
    Code(Result<VerificationCode, CodeError>),
    /// A page of its own, by its path and query.
    Page(String),
}

/// What an address of the registry of this origin asks for; `None` for one that is elsewhere, or that may be
/// the id of a credential.
pub(super) fn here(address: &str, origin: &str) -> Option<Here> {
    let url = Url::parse(address).ok()?;
    if url.origin().ascii_serialization() != origin {
        return None;
    }
    let mut path = url.path_segments()?;
    let (room, name) = (path.next()?, path.next());
    match (room, name, path.next()) {
        ("codes", Some(code), None) => Some(Here::Code(decoded(code).parse())),
        ("check", None, _) => {
            let mut pairs = url.query_pairs();
            let code = pairs.find(|(name, _)| name == "code");
            Some(match code {
                Some((_, code)) => Here::Code(code.parse()),
                None => Here::Page(url[Position::BeforePath..Position::AfterQuery].to_owned()),
            })
        }
        ("profiles" | "achievements" | "endorsements", Some(_), None) => {
            Some(Here::Page(url.path().to_owned()))
        }
        _ => None,
    }
}

fn decoded(segment: &str) -> String {
    let text = percent_encoding::percent_decode_str(segment).decode_utf8_lossy();
    text.into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn code() -> VerificationCode {
        VerificationCode::of_bits([7; 10])
    }

    #[test]
    fn whatever_is_given_is_recognised() {
        let printed = code().to_string();
        for text in [
            printed.clone(),
            printed.to_lowercase(),
            printed.replace('-', " "),
            format!("\u{feff} {printed}\r\n"),
        ] {
            assert_eq!(Given::of(&text), Given::Code(Ok(code())), "{text}");
        }
        for (text, given) in [
            ("", Given::Nothing),
            (" \r\n\u{feff}", Given::Nothing),
            ("{\"a\": 1}", Given::Document("{\"a\": 1}")),
            ("\u{feff}{ broken", Given::Document("{ broken")),
            ("[1]", Given::Document("[1]")),
            ("<svg/>", Given::Document("<svg/>")),
            ("eyJh.eyJi.c2ln", Given::Document("eyJh.eyJi.c2ln")),
            ("eyJh.eyJi", Given::Document("eyJh.eyJi")),
            (
                "https://a.example/b?c",
                Given::Address("https://a.example/b?c"),
            ),
            (
                "http://localhost:1/x",
                Given::Address("http://localhost:1/x"),
            ),
            ("did:web:a.example", Given::Id("did:web:a.example")),
            ("urn:uuid:6f3d2c1a", Given::Id("urn:uuid:6f3d2c1a")),
            ("javascript:alert(1)", Given::Id("javascript:alert(1)")),
            ("acme-college", Given::Word("acme-college")),
            ("demo-accreditor", Given::Word("demo-accreditor")),
            ("hello, this is my diploma", Given::Unclear),
            ("did: web", Given::Unclear),
        ] {
            assert_eq!(Given::of(text), given, "{text:?}");
        }
        // Slips are told as such.
        let short = &printed[..printed.len() - 2];
        assert_eq!(
            Given::of(short),
            Given::Code(Err(CodeError::TooShort(CODE_SYMBOLS - 2)))
        );
        let long = format!("{printed}AB");
        assert_eq!(Given::of(&long), Given::Code(Err(CodeError::TooLong)));
    }

    #[test]
    fn an_address_of_this_registry_is_told_from_others() {
        let origin = "https://registry.example";
        let at = |path: &str| here(&format!("{origin}{path}"), origin);
        assert_eq!(
            at(&format!("/codes/{}", code())),
            Some(Here::Code(Ok(code())))
        );
        let by_page = at(&format!("/check?lang=de&code={}", code()));
        assert_eq!(by_page, Some(Here::Code(Ok(code()))));
        for page in [
            "/profiles/a",
            "/achievements/x",
            "/endorsements/y",
            "/check?list=a&index=1",
        ] {
            assert_eq!(at(page), Some(Here::Page(page.to_owned())));
        }
        for path in ["/", "/credentials/1", "/profiles", "/profiles/a/keys"] {
            assert_eq!(at(path), None, "{path}");
        }
        assert_eq!(here("https://other.example/codes/x", origin), None);
    }

    proptest! {
        /// A code is one however it is typed, and never one with another symbol in it.
        #[test]
        fn codes_are_codes(bits in any::<[u8; 10]>(), place in 0..CODE_SYMBOLS, other in "[0-9A-Z]",
            lower in any::<bool>(), between in "[ -]{0,2}") {
            let code = VerificationCode::of_bits(bits);
            let printed = code.to_string();
            let mut typed = printed.replace('-', &between);
            if lower {
                typed = typed.to_lowercase();
            }
            // One that begins like a JWT has no dot in it.
            prop_assert_eq!(Given::of(&typed), Given::Code(Ok(code)));
            let mut symbols: Vec<char> = printed.chars().filter(|c| *c != '-').collect();
            symbols[place] = other.chars().next().unwrap();
            let changed: String = symbols.into_iter().collect();
            match changed.parse::<VerificationCode>() {
                Ok(same) => prop_assert_eq!(same, code),
                Err(error) => prop_assert_eq!(Given::of(&changed), match looks_so(&changed) {
                    true => Given::Code(Err(error)),
                    false => Given::Word(&changed),
                }),
            }
        }

        /// Every JSON object and array is a document, and every https URL an address.
        #[test]
        fn documents_and_addresses_are_told_apart(text in "\\PC{0,60}", blank in "[ \r\n\t]{0,4}") {
            let object = format!("{blank}{{\"x\": {}}}{blank}", serde_json::Value::from(text.clone()));
            prop_assert!(matches!(Given::of(&object), Given::Document(_)));
            let address = format!("{blank}https://a.example/{}{blank}", text.replace(char::is_whitespace, ""));
            prop_assert!(matches!(Given::of(&address), Given::Address(_)), "{address}");
            let id = format!("urn:x:{}", text.replace(char::is_whitespace, "_"));
            prop_assert!(matches!(Given::of(&id), Given::Id(_) | Given::Code(_)), "{id}");
        }

        /// Nothing breaks it, and what it gives is part of what it was given.
        #[test]
        fn no_text_breaks_it(text in any::<String>()) {
            match Given::of(&text) {
                Given::Address(part) | Given::Id(part) | Given::Document(part) | Given::Word(part) => {
                    prop_assert!(text.contains(part) && !part.is_empty());
                }
                Given::Nothing => prop_assert!(!text.contains(char::is_alphanumeric)),
                Given::Code(_) | Given::Unclear => {}
            }
            let _ = here(&text, "https://registry.example");
        }
    }

    fn looks_so(text: &str) -> bool {
        text.contains(|c: char| c.is_ascii_digit() || c.is_uppercase())
    }
}
