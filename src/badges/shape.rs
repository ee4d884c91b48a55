//! Checks JSON against the table of a class: which members it has, what each of them is, and
//! which of them must be there. The classes themselves are data, see `classes`.

use serde_json::{Map, Value};
use thiserror::Error;
use url::Url;

use crate::json::pointer_step;
use crate::time::Timestamp;

/// A class of objects.
pub(super) struct Shape {
    /// Name of the class, for errors.
    pub(super) class: &'static str,
    /// Its members, in groups, so that classes can share some.
    pub(super) members: &'static [&'static [Member]],
    /// Members of which at least one must be there; none where empty.
    pub(super) one_of: &'static [&'static str],
}

impl Shape {
    pub(super) fn members(&self) -> impl Iterator<Item = &'static Member> {
        self.members.iter().copied().flatten()
    }
}

/// A member of a class.
pub(super) struct Member {
    /// Its name.
    pub(super) name: &'static str,
    /// What its value is.
    pub(super) kind: Kind,
    /// Whether it must be there.
    pub(super) required: bool,
}

/// What the value of a member is.
#[derive(Clone, Copy)]
pub(super) enum Kind {
    /// A string with anything but blanks in it.
    Text,
    /// Such strings.
    Texts,
    /// An absolute URI, which includes DIDs and data URIs.
    Uri,
    /// An http or https URL.
    Url,
    /// Where an image is: an http or https URL, or the image itself as a data URI.
    ImageUri,
    /// A JSON number.
    Number,
    /// A JSON boolean.
    Boolean,
    /// A calendar date.
    Date,
    /// A moment with its time zone.
    DateTime,
    /// A language as BCP 47 writes it.
    Language,
    /// A country as ISO 3166-1 writes it in two letters.
    Country,
    /// An e-mail address.
    Email,
    /// One of these words.
    Word(&'static [&'static str]),
    /// One of these words, or one of the issuer's own, which starts with `ext:`.
    OpenWord(&'static [&'static str]),
    /// The `type` of a class with exactly one type.
    Type(&'static str),
    /// The `type` of a class with several types, this one among them.
    Types(&'static str),
    /// An object of a class.
    Object(&'static Shape),
    /// Objects of a class.
    Objects(&'static Shape),
    /// The URI of an object of a class, or the object itself.
    UriOrObject(&'static Shape),
    /// Compact JSON Web Signatures.
    CompactJws,
    /// Objects that are checked elsewhere. Others have signed them, so that nobody could mend what
    /// is wrong in them.
    Opaques,
}

/// What to do with members that the class does not name, and with a `type` in another form.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Strictness {
    /// What the registry keeps and publishes: other members are an error, since they would be
    /// lost, and a `type` is an array or a string as the class says.
    Exact,
    /// What others wrote: other members are extensions, and whether a context defines them shows
    /// when they are signed or verified. One type may stand with or without its array, which
    /// means the same in JSON-LD, and issuers write both.
    Lenient,
}

/// Why a JSON value is not an object of its class. The text leads with the JSON pointer of the
/// place.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ShapeError {
    /// A member that the class does not have.
    #[error("{at}: {class} has no such member")]
    Unknown {
        /// JSON pointer of the member.
        at: String,
        /// Name of the class.
        class: &'static str,
    },
    /// A member that the registry sets by itself.
    #[error("{at}: the registry sets this member of {class} by itself; leave it out")]
    Given {
        /// JSON pointer of the member.
        at: String,
        /// Name of the class.
        class: &'static str,
    },
    /// A member that must be there is not.
    #[error("{}: {class} needs {member}", place(at))]
    Missing {
        /// JSON pointer of the object; empty for the whole document.
        at: String,
        /// Name of the class.
        class: &'static str,
        /// Name of the member, or names, any of which will do.
        member: String,
    },
    /// A value of another kind.
    #[error("{}: this has to be {expected}", place(at))]
    Kind {
        /// JSON pointer of the value.
        at: String,
        /// What it has to be.
        expected: String,
    },
}

impl ShapeError {
    /// JSON pointer to the place.
    pub fn at(&self) -> &str {
        match self {
            Self::Unknown { at, .. }
            | Self::Given { at, .. }
            | Self::Missing { at, .. }
            | Self::Kind { at, .. } => at,
        }
    }

    /// The same error, seen from the document that has the value at the pointer `place`.
    #[must_use]
    pub fn inside(mut self, place: &str) -> Self {
        match &mut self {
            Self::Unknown { at, .. }
            | Self::Given { at, .. }
            | Self::Missing { at, .. }
            | Self::Kind { at, .. } => at.insert_str(0, place),
        }
        self
    }
}

pub(super) const fn required(name: &'static str, kind: Kind) -> Member {
    Member {
        name,
        kind,
        required: true,
    }
}

pub(super) const fn optional(name: &'static str, kind: Kind) -> Member {
    Member {
        name,
        kind,
        required: false,
    }
}

/// Checks `value` and everything in it. `at` is its JSON pointer, empty for a whole document.
pub(super) fn check<'a>(
    value: &'a Value,
    shape: &'static Shape,
    strictness: Strictness,
    at: &str,
) -> Result<&'a Map<String, Value>, ShapeError> {
    let Some(members) = value.as_object() else {
        return Err(wrong(at, format!("an object ({})", shape.class)));
    };
    for (name, value) in members {
        let at = pointer(at, name);
        match shape.members().find(|member| member.name == name) {
            Some(member) => check_value(value, member.kind, strictness, &at)?,
            None if strictness == Strictness::Exact => {
                let class = shape.class;
                return Err(ShapeError::Unknown { at, class });
            }
            None => check_no_nothing(value, &at)?,
        }
    }
    let missing = |member: String| ShapeError::Missing {
        at: at.to_owned(),
        class: shape.class,
        member,
    };
    for member in shape.members().filter(|member| member.required) {
        if !members.contains_key(member.name) {
            return Err(missing(format!("{:?}", member.name)));
        }
    }
    let one_of = shape.one_of;
    if !one_of.is_empty() && !one_of.iter().any(|name| members.contains_key(*name)) {
        return Err(missing(format!("\"{}\"", one_of.join("\" or \""))));
    }
    Ok(members)
}

/// Refuses members that the registry sets by itself, with an error that says so.
pub(super) fn refuse_given(
    value: &Value,
    class: &'static str,
    given: &[&str],
) -> Result<(), ShapeError> {
    match given.iter().find(|name| value.get(**name).is_some()) {
        None => Ok(()),
        Some(name) => {
            let at = pointer("", name);
            Err(ShapeError::Given { at, class })
        }
    }
}

pub(super) fn pointer(at: &str, name: &str) -> String {
    format!("{at}{}", pointer_step(name))
}

pub(super) fn place(at: &str) -> &str {
    if at.is_empty() { "the document" } else { at }
}

/// Nulls and empty arrays say nothing, and Open Badges forbids them.
pub(super) fn check_no_nothing(value: &Value, at: &str) -> Result<(), ShapeError> {
    match value {
        Value::Null => Err(wrong(at, "a value; leave the member out instead of null")),
        Value::Array(items) if items.is_empty() => {
            Err(wrong(at, "a value; leave the member out instead of []"))
        }
        Value::Array(items) => (0..items.len())
            .try_for_each(|place| check_no_nothing(&items[place], &format!("{at}/{place}"))),
        Value::Object(members) => members
            .iter()
            .try_for_each(|(name, value)| check_no_nothing(value, &pointer(at, name))),
        _ => Ok(()),
    }
}

fn check_value(
    value: &Value,
    kind: Kind,
    strictness: Strictness,
    at: &str,
) -> Result<(), ShapeError> {
    match kind {
        Kind::Type(name) | Kind::Types(name)
            if strictness == Strictness::Lenient && value == name =>
        {
            Ok(())
        }
        Kind::Type(name) if strictness == Strictness::Lenient => check_types(value, name, at),
        Kind::Text => text(value, at, "a string that is not blank", |text| {
            !text.trim().is_empty()
        }),
        Kind::Uri => text(value, at, "an absolute URI", |text| {
            parse_url(text).is_some()
        }),
        Kind::ImageUri => text(
            value,
            at,
            "an http or https URL, or a data:image URI",
            |text| is_url(text) || (text.starts_with("data:image/") && parse_url(text).is_some()),
        ),
        Kind::Url => text(value, at, "an http or https URL", is_url),
        Kind::Date => text(value, at, "a date such as 2026-01-31", is_date),
        Kind::DateTime => text(value, at, "an RFC 3339 time", is_moment),
        Kind::Language => text(
            value,
            at,
            "a language code such as en or de-CH",
            is_language,
        ),
        Kind::Country => text(value, at, "a country code of two capital letters", |text| {
            text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_uppercase())
        }),
        Kind::Email => text(value, at, "an e-mail address", is_email),
        Kind::Word(words) => text(value, at, words_of(words, false), |text| {
            words.contains(&text)
        }),
        Kind::OpenWord(words) => text(value, at, words_of(words, true), |text| {
            words.contains(&text) || is_own_word(text)
        }),
        Kind::Type(name) => text(value, at, format!("{name:?}"), |text| text == name),
        Kind::Number if value.is_number() => Ok(()),
        Kind::Number => Err(wrong(at, "a number")),
        Kind::Boolean if value.is_boolean() => Ok(()),
        Kind::Boolean => Err(wrong(at, "true or false")),
        Kind::Types(name) => check_types(value, name, at),
        Kind::Object(shape) => check(value, shape, strictness, at).map(|_| ()),
        Kind::UriOrObject(_) if value.is_string() => check_value(value, Kind::Uri, strictness, at),
        Kind::UriOrObject(shape) => check(value, shape, strictness, at).map(|_| ()),
        Kind::Texts => each(value, at, "strings", |item, at| {
            check_value(item, Kind::Text, strictness, at)
        }),
        Kind::Objects(shape) => each(value, at, shape.class, |item, at| {
            check(item, shape, strictness, at).map(|_| ())
        }),
        Kind::CompactJws => each(value, at, "compact JWS", |item, at| {
            text(item, at, "a compact JWS", is_compact_jws)
        }),
        Kind::Opaques => each(value, at, "objects", |item, at| match item {
            Value::Object(_) => Ok(()),
            _ => Err(wrong(at, "an object")),
        }),
    }
}

pub(super) fn wrong(at: &str, expected: impl Into<String>) -> ShapeError {
    ShapeError::Kind {
        at: at.to_owned(),
        expected: expected.into(),
    }
}

fn text(
    value: &Value,
    at: &str,
    expected: impl Into<String>,
    fits: impl Fn(&str) -> bool,
) -> Result<(), ShapeError> {
    match value.as_str() {
        Some(text) if fits(text) => Ok(()),
        _ => Err(wrong(at, expected)),
    }
}

fn each(
    value: &Value,
    at: &str,
    items_are: &str,
    check: impl Fn(&Value, &str) -> Result<(), ShapeError>,
) -> Result<(), ShapeError> {
    let items = value.as_array().filter(|items| !items.is_empty());
    let items =
        items.ok_or_else(|| wrong(at, format!("an array of at least one ({items_are})")))?;
    (0..items.len()).try_for_each(|place| check(&items[place], &format!("{at}/{place}")))
}

fn check_types(value: &Value, name: &str, at: &str) -> Result<(), ShapeError> {
    let items = value.as_array().map(Vec::as_slice).unwrap_or_default();
    if items.iter().all(Value::is_string) && items.iter().any(|item| item == name) {
        return Ok(());
    }
    Err(wrong(at, format!("an array of types with {name:?} in it")))
}

pub(super) fn words_of(words: &[&str], open: bool) -> String {
    let own = if open {
        ", or a word of your own such as ext:Word"
    } else {
        ""
    };
    format!("one of {}{own}", words.join(", "))
}

pub(super) fn is_own_word(text: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b".-_|".contains(&byte);
    text.strip_prefix("ext:")
        .is_some_and(|word| !word.is_empty() && word.bytes().all(allowed))
}

fn is_url(text: &str) -> bool {
    parse_url(text).is_some_and(|url| matches!(url.scheme(), "http" | "https"))
}

/// The parser drops blanks and line ends silently; what is published would still have them.
pub(super) fn parse_url(text: &str) -> Option<Url> {
    let blank = text.contains(|c: char| c.is_whitespace() || c.is_control());
    Url::parse(text).ok().filter(|_| !blank)
}

pub(super) fn is_moment(text: &str) -> bool {
    text.parse::<Timestamp>().is_ok()
}

/// A date is right when its midnight is a moment.
pub(super) fn is_date(text: &str) -> bool {
    text.len() == 10 && is_moment(&format!("{text}T00:00:00Z"))
}

/// Language, then perhaps a script, then perhaps a region: `de`, `de-CH`, `zh-Hant-TW`.
pub(super) fn is_language(text: &str) -> bool {
    let mut parts = text.split('-').peekable();
    let lower = |part: &str| part.bytes().all(|byte| byte.is_ascii_lowercase());
    let upper = |part: &str| part.bytes().all(|byte| byte.is_ascii_uppercase());
    if !parts
        .next()
        .is_some_and(|part| (2..=4).contains(&part.len()) && lower(part))
    {
        return false;
    }
    let is_script =
        |part: &&str| part.len() == 4 && part.is_ascii() && upper(&part[..1]) && lower(&part[1..]);
    let is_region = |part: &&str| {
        part.len() == 2 && upper(part)
            || part.len() == 3 && part.bytes().all(|byte| byte.is_ascii_digit())
    };
    parts.next_if(is_script);
    parts.next_if(is_region);
    parts.next().is_none()
}

fn is_email(text: &str) -> bool {
    let blank = text.chars().any(|c| c.is_whitespace() || c.is_control());
    let parts = text.rsplit_once('@');
    !blank && parts.is_some_and(|(name, host)| !name.is_empty() && !host.is_empty())
}

pub(super) fn is_compact_jws(text: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-_".contains(&byte);
    let mut parts = 0;
    let good = text.split('.').all(|part| {
        parts += 1;
        !part.is_empty() && part.bytes().all(allowed)
    });
    good && parts == 3
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    static LEAF: Shape = Shape {
        class: "Leaf",
        members: &[
            &[required("id", Kind::Uri)],
            &[optional("of", Kind::Object(&TREE))],
        ],
        one_of: &[],
    };

    static TREE: Shape = Shape {
        class: "Tree",
        members: &[&[
            required("type", Kind::Types("Tree")),
            optional("a", Kind::Text),
            optional("b", Kind::Number),
            optional("leaf", Kind::Objects(&LEAF)),
            optional("by", Kind::UriOrObject(&LEAF)),
        ]],
        one_of: &["a", "b"],
    };

    fn refusal(value: Value, strictness: Strictness) -> String {
        check(&value, &TREE, strictness, "")
            .unwrap_err()
            .to_string()
    }

    fn accepts(kind: Kind, value: Value) -> bool {
        check_value(&value, kind, Strictness::Exact, "").is_ok()
    }

    #[test]
    fn errors_name_the_place() {
        let good = json!({"type": ["Oak", "Tree"], "a": "x", "leaf": [{"id": "urn:a"}]});
        assert!(check(&good, &TREE, Strictness::Exact, "").is_ok());
        for (value, expected) in [
            (json!([]), "the document: this has to be an object (Tree)"),
            (json!({"a": "x"}), "the document: Tree needs \"type\""),
            (
                json!({"type": ["Tree"]}),
                "the document: Tree needs \"a\" or \"b\"",
            ),
            (
                json!({"type": "Tree", "a": "x"}),
                "/type: this has to be an array of types with \"Tree\" in it",
            ),
            (
                json!({"type": ["Tree"], "a": " "}),
                "/a: this has to be a string that is not blank",
            ),
            (
                json!({"type": ["Tree"], "a": null}),
                "/a: this has to be a string that is not blank",
            ),
            (
                json!({"type": ["Tree"], "b": 1, "leaf": []}),
                "/leaf: this has to be an array of at least one (Leaf)",
            ),
            (
                json!({"type": ["Tree"], "b": 1, "leaf": [{"id": "urn:a"}, {"id": "a"}]}),
                "/leaf/1/id: this has to be an absolute URI",
            ),
            (
                json!({"type": ["Tree"], "b": 1, "by": {"id": "urn:a", "of": {"type": ["Tree"]}}}),
                "/by/of: Tree needs \"a\" or \"b\"",
            ),
            (
                json!({"type": ["Tree"], "b": 1, "x/y~": 1}),
                "/x~1y~0: Tree has no such member",
            ),
        ] {
            assert_eq!(refusal(value, Strictness::Exact), expected);
        }
    }

    #[test]
    fn extensions_pass_where_they_are_allowed_and_say_something() {
        let with = |extra: Value| json!({"type": ["Tree"], "b": 1, "more": extra});
        assert!(check(&with(json!({"x": [0, ""]})), &TREE, Strictness::Lenient, "").is_ok());
        assert_eq!(
            refusal(with(json!({"x": [null]})), Strictness::Lenient),
            "/more/x/0: this has to be a value; leave the member out instead of null"
        );
        assert_eq!(
            refusal(with(json!({"x": []})), Strictness::Lenient),
            "/more/x: this has to be a value; leave the member out instead of []"
        );
    }

    #[test]
    fn others_may_write_one_type_with_or_without_its_array() {
        for kind in [Kind::Type("Image"), Kind::Types("Image")] {
            for good in [json!("Image"), json!(["Image"]), json!(["ext", "Image"])] {
                assert!(
                    check_value(&good, kind, Strictness::Lenient, "").is_ok(),
                    "{good}"
                );
            }
            for bad in [
                json!("Picture"),
                json!(["Picture"]),
                json!([]),
                json!(["Image", 1]),
            ] {
                assert!(
                    check_value(&bad, kind, Strictness::Lenient, "").is_err(),
                    "{bad}"
                );
            }
        }
        assert!(accepts(Kind::Type("Image"), json!("Image")));
        assert!(!accepts(Kind::Type("Image"), json!(["Image"])));
        assert!(accepts(Kind::Types("Image"), json!(["Image"])));
        assert!(!accepts(Kind::Types("Image"), json!("Image")));
    }

    #[test]
    fn each_kind_has_its_values() {
        const WORDS: &[&str] = &["One", "Two"];
        for (kind, good, bad) in [
            (
                Kind::Uri,
                &["did:web:a.example", "urn:x", "data:image/png;base64,AA"][..],
                &["a", "", " urn:x", "urn:x\n"][..],
            ),
            (
                Kind::Url,
                &["https://a.example/?q#f"],
                &["did:web:a", "ftp://a.example", "a"],
            ),
            (
                Kind::Date,
                &["2026-02-28"],
                &["2026-02-29", "2026-2-28", "2026-02-28T00:00:00Z"],
            ),
            (
                Kind::DateTime,
                &["2026-02-28T00:00:00+01:00"],
                &["2026-02-28", "2026-02-28T00:00:00"],
            ),
            (
                Kind::Language,
                &["de", "de-CH", "zh-Hant", "zh-Hant-TW", "es-419", "haw"],
                &[
                    "d",
                    "DE",
                    "de_CH",
                    "de-ch",
                    "de-CH-x",
                    "de-",
                    "",
                    "de-Hant-Hant",
                    "zh-Ünt",
                ],
            ),
            (Kind::Country, &["CH"], &["ch", "CHE", ""]),
            (
                Kind::Email,
                &["a@b.example", "\"a@b\"@c"],
                &["a", "@b", "a@", "a b@c"],
            ),
            (Kind::Word(WORDS), &["One"], &["one", "ext:One", ""]),
            (
                Kind::OpenWord(WORDS),
                &["One", "ext:Three.3-a_b"],
                &["Three", "ext:", "ext:a b", "xext:a"],
            ),
            (Kind::Type("Image"), &["Image"], &["image", ""]),
        ] {
            for text in good {
                assert!(accepts(kind, json!(text)), "{text}");
            }
            for text in bad {
                assert!(!accepts(kind, json!(text)), "{text}");
            }
            assert!(!accepts(kind, json!(null)) && !accepts(kind, json!(["One"])));
        }
    }

    #[test]
    fn numbers_truths_and_lists_have_theirs() {
        assert!(accepts(Kind::Boolean, json!(false)) && !accepts(Kind::Boolean, json!("false")));
        assert!(accepts(Kind::Number, json!(1.5)) && !accepts(Kind::Number, json!("1.5")));
        assert!(accepts(Kind::CompactJws, json!(["aA0-_.b.c"])));
        for bad in [
            json!("a.b.c"),
            json!(["a.b"]),
            json!(["a.b.c.d"]),
            json!(["a..c"]),
        ] {
            assert!(!accepts(Kind::CompactJws, bad));
        }
        assert!(accepts(Kind::Texts, json!(["a"])) && !accepts(Kind::Texts, json!(["a", 1])));
    }

    proptest! {
        #[test]
        fn the_place_of_an_unknown_member_leads_back_to_it(name in "[a-z~/ é]{3,8}") {
            let value = json!({"type": ["Tree"], "b": 1, &name: 7});
            let error = check(&value, &TREE, Strictness::Exact, "").unwrap_err();
            let ShapeError::Unknown { at, .. } = error else { panic!("{error}") };
            prop_assert_eq!(value.pointer(&at), Some(&json!(7)));
        }
    }
}
