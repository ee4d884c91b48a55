//! The JSON Schemas that Open Badges 3.0 and CLR 2.0 publish, for credentials that name one in
//! `credentialSchema` (VCDM 2.0 section 4.11; Open Badges 3.0 section B.1.19).
//!
//! None is fetched: what they demand is here as rules over the same tables of members that
//! issuing uses (`classes`). Reading is wider than issuing. A schema lets texts be empty, allows
//! extension members in all classes but three, and does not ask for a name everywhere, and a badge
//! of another platform must not fail by rules that only this registry has.
//!
//! Where the published schemas go further than is done here:
//! - Endorsements and nested credentials are objects here, and no more: each is verified and
//!   reported on its own, and a bad one does not sink what it sits in.
//! - `proof` may be one object or several, as in VCDM, whatever the schema says.

use std::fmt;

use serde_json::{Map, Value};

use super::classes::{
    ACHIEVEMENT_SUBJECT, CLOSED, CLR_SUBJECT, EMBEDDED_ENDORSEMENTS, ENDORSEMENT_SUBJECT, EVIDENCE,
    IMAGE, PROFILE,
};
use super::credential::{is_clr_context, is_ob_context};
use super::shape::{
    Kind, Member, Shape, is_compact_jws, is_date, is_language, is_moment, optional, parse_url,
    place, pointer, required, words_of,
};
use crate::vc::credential::{CONTEXT_V1, CONTEXT_V2};

/// How many violations are told; the first ones say what is wrong.
pub const MAX_VIOLATIONS: usize = 20;

/// A published schema whose rules are known here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Schema {
    class: Class,
    arrays: Arrays,
    models: Models,
}

/// What a document has that its schema does not allow, or lacks that it demands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// JSON pointer to the place; empty for the whole document. Where a member is missing, this
    /// is the object that lacks it.
    pub at: String,
    /// What should be there.
    pub expected: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: expected {}", place(&self.at), self.expected)
    }
}

/// The schema that is published under a URL; `None` for one that is not known here, whose rules
/// are then not checked.
///
/// ```text
/// https://purl.imsglobal.org/spec/ob/v3p0/schema/json[-ld]/ob_v3p0_[any]{class}_schema.json
/// https://purl.imsglobal.org/spec/clr/v2p0/schema/json[-ld]/clr_v2p0_[any]{class}_schema.json
/// ```
///
/// Those under `json` want an array for every member of several values, those under `json-ld`
/// take one value without it. `any` stands for both versions of the data model, and the others
/// for VCDM 2.0 alone.
pub fn known(url: &str) -> Option<Schema> {
    let rest = url
        .strip_prefix("https://")
        .or(url.strip_prefix("http://"))?;
    let rest = rest.strip_prefix("purl.imsglobal.org/spec/")?;
    let (rest, prefix) = match rest.strip_prefix("ob/v3p0/schema/") {
        Some(rest) => (rest, "ob_v3p0_"),
        None => (rest.strip_prefix("clr/v2p0/schema/")?, "clr_v2p0_"),
    };
    let (binding, file) = rest.split_once('/')?;
    let arrays = match binding {
        "json" => Arrays::Always,
        "json-ld" => Arrays::OrOne,
        _ => return None,
    };
    let name = file.strip_prefix(prefix)?.strip_suffix("_schema.json")?;
    let (name, models) = match name.strip_prefix("any") {
        Some(name) => (name, Models::Either),
        None => (name, Models::V2),
    };
    let class = match name {
        "achievementcredential" => Class::AchievementCredential,
        "endorsementcredential" => Class::EndorsementCredential,
        "clrcredential" if prefix == "clr_v2p0_" => Class::ClrCredential,
        "profile" => Class::Profile,
        _ => return None,
    };
    Some(Schema {
        class,
        arrays,
        models,
    })
}

/// Whether a `credentialSchema` of this `type` is a JSON Schema, which is what [`known`] knows.
pub fn is_json_schema(validator: &str) -> bool {
    ["1EdTechJsonSchemaValidator2019", "JsonSchema"].contains(&validator)
}

impl Schema {
    /// Checks a whole document, the credential or profile that names the schema.
    ///
    /// # Errors
    /// What the schema does not allow, in the order of the schema's members, and no more than
    /// [`MAX_VIOLATIONS`].
    pub fn check(&self, document: &Value) -> Result<(), Vec<Violation>> {
        let mut walk = Walk {
            arrays: self.arrays,
            found: Vec::new(),
        };
        match (document, self.class.credential()) {
            (_, None) => walk.object(document, &PROFILE, ""),
            (Value::Object(members), Some(credential)) => {
                walk.credential(members, credential, self.models);
            }
            (_, Some(_)) => walk.wrong("", "a JSON object"),
        }
        match walk.found.is_empty() {
            true => Ok(()),
            false => Err(walk.found),
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Class {
    AchievementCredential,
    EndorsementCredential,
    ClrCredential,
    Profile,
}

/// How several values are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Arrays {
    /// As an array, even if it is one.
    Always,
    /// One value may stand without its array, as JSON-LD compacts it.
    OrOne,
}

/// Versions of the data model.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Models {
    /// VCDM 2.0.
    V2,
    /// VCDM 2.0 or 1.1, told by the first context.
    Either,
}

/// What one class of credentials has that others do not.
struct Credential {
    types: &'static [&'static str],
    /// The contexts after that of the data model, in order.
    contexts: &'static [Context],
    members: &'static [&'static [Member]],
}

/// Which URLs are a context, and how one of them is called in an error.
type Context = (fn(&str) -> bool, &'static str);

impl Class {
    const fn credential(self) -> Option<&'static Credential> {
        match self {
            Self::AchievementCredential => Some(&ACHIEVEMENT_CREDENTIAL),
            Self::EndorsementCredential => Some(&ENDORSEMENT_CREDENTIAL),
            Self::ClrCredential => Some(&CLR_CREDENTIAL),
            Self::Profile => None,
        }
    }
}

const OB: Context = (is_ob_context, "a context of Open Badges 3.0");
const CLR: Context = (is_clr_context, "a context of CLR 2.0");

static ACHIEVEMENT_CREDENTIAL: Credential = Credential {
    types: &["AchievementCredential", "OpenBadgeCredential"],
    contexts: &[OB],
    members: &[
        &[
            required("credentialSubject", Kind::Object(&ACHIEVEMENT_SUBJECT)),
            optional("name", Kind::Text),
            optional("image", Kind::Object(&IMAGE)),
            optional("evidence", Kind::Objects(&EVIDENCE)),
        ],
        &EMBEDDED_ENDORSEMENTS,
    ],
};

static ENDORSEMENT_CREDENTIAL: Credential = Credential {
    types: &["EndorsementCredential"],
    contexts: &[OB],
    members: &[&[
        required("credentialSubject", Kind::Object(&ENDORSEMENT_SUBJECT)),
        required("name", Kind::Text),
    ]],
};

static CLR_CREDENTIAL: Credential = Credential {
    types: &["ClrCredential"],
    contexts: &[CLR, OB],
    members: &[
        &[
            required("credentialSubject", Kind::Object(&CLR_SUBJECT)),
            required("name", Kind::Text),
            optional("image", Kind::Object(&IMAGE)),
            optional("partial", Kind::Boolean),
            optional("evidence", Kind::Objects(&EVIDENCE)),
        ],
        &EMBEDDED_ENDORSEMENTS,
    ],
};

/// What all credentials have, but for `@context`, `type` and the dates.
static ENVELOPE: [Member; 8] = [
    required("id", Kind::Uri),
    required("issuer", Kind::UriOrObject(&PROFILE)),
    optional("description", Kind::Text),
    optional("awardedDate", Kind::DateTime),
    optional("credentialSchema", Kind::Objects(&REFERENCE)),
    // Open Badges has room for one status entry; the entry of a bitstring list needs no `id`.
    optional("credentialStatus", Kind::Object(&TYPED)),
    optional("refreshService", Kind::Object(&REFERENCE)),
    optional("termsOfUse", Kind::Objects(&TYPED)),
];

static DATES_V2: [Member; 2] = [
    required("validFrom", Kind::DateTime),
    optional("validUntil", Kind::DateTime),
];

static DATES_V1: [Member; 2] = [
    required("issuanceDate", Kind::DateTime),
    optional("expirationDate", Kind::DateTime),
];

static PROOF: [Member; 1] = [optional("proof", Kind::Objects(&TYPED))];

static REFERENCE: Shape = Shape {
    class: "object with id and type",
    members: &[&[required("id", Kind::Uri), required("type", Kind::Text)]],
    one_of: &[],
};

static TYPED: Shape = Shape {
    class: "object with type",
    members: &[&[optional("id", Kind::Uri), required("type", Kind::Text)]],
    one_of: &[],
};

/// One reading of a document. It goes no deeper than the document, whose depth the parser bounds.
struct Walk {
    arrays: Arrays,
    found: Vec<Violation>,
}

impl Walk {
    fn credential(&mut self, members: &Map<String, Value>, class: &Credential, models: Models) {
        let first = members.get("@context").and_then(|contexts| match contexts {
            Value::Array(contexts) => contexts.first(),
            one => Some(one),
        });
        let is_v1 = models == Models::Either && first.is_some_and(|first| first == CONTEXT_V1);
        let (context, dates) = match is_v1 {
            true => (CONTEXT_V1, &DATES_V1),
            false => (CONTEXT_V2, &DATES_V2),
        };
        self.contexts(members.get("@context"), context, class.contexts);
        self.types(members.get("type"), class.types);
        self.members(members, &ENVELOPE, "");
        self.members(members, dates, "");
        for group in class.members {
            self.members(members, group, "");
        }
        self.arrays = Arrays::OrOne;
        self.members(members, &PROOF, "");
    }

    fn contexts(&mut self, value: Option<&Value>, first: &str, others: &[Context]) {
        let contexts = match value {
            Some(Value::Array(contexts)) => contexts.as_slice(),
            Some(Value::String(_) | Value::Object(_)) if self.arrays == Arrays::OrOne => return,
            Some(_) => return self.wrong("/@context", "an array of contexts"),
            None => return self.missing("", "@context"),
        };
        let needed = others.len() + 1;
        if contexts.len() < needed {
            return self.wrong(
                "/@context",
                format!("an array of at least {needed} contexts"),
            );
        }
        if contexts[0] != first {
            self.wrong("/@context/0", format!("{first:?}"));
        }
        for (number, (is_it, name)) in (1..).zip(others) {
            if !contexts[number].as_str().is_some_and(is_it) {
                self.wrong(&format!("/@context/{number}"), *name);
            }
        }
        for (number, context) in contexts.iter().enumerate().skip(needed) {
            if !context.is_string() && !context.is_object() {
                self.wrong(&format!("/@context/{number}"), "a URL or an object");
            }
        }
    }

    fn types(&mut self, value: Option<&Value>, names: &[&str]) {
        let Some(value) = value else {
            return self.missing("", "type");
        };
        self.type_names(value, &["VerifiableCredential"], "/type");
        if value.is_array() {
            self.type_names(value, names, "/type");
        }
    }

    /// Names, among them one of these.
    fn type_names(&mut self, value: &Value, names: &[&str], at: &str) {
        let types = match value {
            Value::Array(types) => types.as_slice(),
            one if self.arrays == Arrays::OrOne => std::slice::from_ref(one),
            _ => &[],
        };
        let is_one = |name: &Value| name.as_str().is_some_and(|name| names.contains(&name));
        if !types.iter().all(Value::is_string) || !types.iter().any(is_one) {
            let names = names.join(" or ");
            self.wrong(at, format!("an array of types with {names} in it"));
        }
    }

    fn object(&mut self, value: &Value, shape: &'static Shape, at: &str) {
        let Some(members) = value.as_object() else {
            return self.wrong(at, format!("an object ({})", shape.class));
        };
        for group in shape.members {
            self.members(members, group, at);
        }
        if CLOSED.contains(&shape.class) {
            let known = |name: &str| shape.members().any(|member| member.name == name);
            for name in members.keys().filter(|name| !known(name)) {
                let expected = format!("no such member, since {} has none", shape.class);
                self.wrong(&pointer(at, name), expected);
            }
        }
    }

    fn members(&mut self, members: &Map<String, Value>, table: &[Member], at: &str) {
        for member in table {
            match members.get(member.name) {
                Some(value) => self.value(value, member.kind, &pointer(at, member.name)),
                None if member.required => self.missing(at, member.name),
                None => {}
            }
        }
    }

    fn value(&mut self, value: &Value, kind: Kind, at: &str) {
        match kind {
            Kind::Object(shape) => self.object(value, shape, at),
            Kind::UriOrObject(shape) if value.is_object() => self.object(value, shape, at),
            Kind::Objects(shape) => {
                self.each(value, at, |walk, item, at| walk.object(item, shape, at));
            }
            Kind::Texts => {
                self.each(value, at, |walk, item, at| walk.value(item, Kind::Text, at));
            }
            Kind::CompactJws => self.each(value, at, |walk, item, at| {
                if !item.as_str().is_some_and(is_compact_jws) {
                    walk.wrong(at, "a compact JWS");
                }
            }),
            Kind::Opaques => self.each(value, at, |walk, item, at| {
                if !item.is_object() {
                    walk.wrong(at, "an object");
                }
            }),
            Kind::Types(name) => self.type_names(value, &[name], at),
            Kind::Type(name) if self.arrays == Arrays::OrOne => {
                self.type_names(value, &[name], at);
            }
            Kind::Number if !value.is_number() => self.wrong(at, "a number"),
            Kind::Boolean if !value.is_boolean() => self.wrong(at, "true or false"),
            Kind::Number | Kind::Boolean => {}
            _ => self.scalar(value, kind, at),
        }
    }

    /// Values that are texts of some kind.
    fn scalar(&mut self, value: &Value, kind: Kind, at: &str) {
        let fits = match (kind, value.as_str()) {
            (Kind::Uri | Kind::Url | Kind::ImageUri | Kind::UriOrObject(_), Some(text)) => {
                parse_url(text).is_some()
            }
            (Kind::Date, Some(text)) => is_date(text),
            (Kind::DateTime, Some(text)) => is_moment(text),
            (Kind::Language, Some(text)) => is_language(text),
            (Kind::Word(words), Some(text)) => words.contains(&text),
            (Kind::OpenWord(words), Some(text)) => words.contains(&text) || has_own_word(text),
            (Kind::Type(name), Some(text)) => text == name,
            (_, Some(_)) => true,
            // In JSON-LD a text may be an object that gives its language.
            (Kind::Text, None) => self.arrays == Arrays::OrOne && value.is_object(),
            (_, None) => false,
        };
        if !fits {
            self.wrong(at, expected(kind));
        }
    }

    fn each(&mut self, value: &Value, at: &str, check: impl Fn(&mut Self, &Value, &str)) {
        match value {
            Value::Array(items) => {
                for (number, item) in items.iter().enumerate() {
                    if self.found.len() == MAX_VIOLATIONS {
                        return;
                    }
                    check(self, item, &format!("{at}/{number}"));
                }
            }
            one if self.arrays == Arrays::OrOne => check(self, one, at),
            _ => self.wrong(at, "an array"),
        }
    }

    fn missing(&mut self, at: &str, member: &str) {
        self.wrong(at, format!("the member {member:?}"));
    }

    fn wrong(&mut self, at: &str, expected: impl Into<String>) {
        if self.found.len() < MAX_VIOLATIONS {
            self.found.push(Violation {
                at: at.to_owned(),
                expected: expected.into(),
            });
        }
    }
}

/// What a text of this kind has to be.
fn expected(kind: Kind) -> String {
    match kind {
        Kind::Uri | Kind::Url | Kind::ImageUri | Kind::UriOrObject(_) => "an absolute URI".into(),
        Kind::Date => "a date such as 2026-01-31".into(),
        Kind::DateTime => "an RFC 3339 time".into(),
        Kind::Language => "a language code such as en or de-CH".into(),
        Kind::Word(words) => words_of(words, false),
        Kind::OpenWord(words) => words_of(words, true),
        Kind::Type(name) => format!("{name:?}"),
        _ => "a string".into(),
    }
}

/// The published pattern of a word that an issuer has coined. It asks for no more than that
/// `ext:` and something after it stand somewhere.
fn has_own_word(text: &str) -> bool {
    let allowed = |byte: &u8| byte.is_ascii_alphanumeric() || b".|_".contains(byte);
    let mut rests = text.match_indices("ext:").map(|(at, mark)| at + mark.len());
    rests.any(|at| text.as_bytes().get(at).is_some_and(allowed))
}

#[cfg(test)]
mod tests;
