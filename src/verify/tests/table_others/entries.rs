//! Status entries: what a credential points to, and how.

use super::*;
use crate::bitstring::encode;

pub(super) const LIST: &str = "https://college.example/lists/1";

/// A badge as a JWT that points into one list.
pub(super) struct Stated {
    pub(super) web: Web,
    pub(super) badge: Value,
    /// The list, not yet signed.
    pub(super) list: Value,
    pub(super) list_by: Actor,
    /// What becomes of the list after it was signed.
    pub(super) spoil_signed: fn(&mut Value),
    /// What is served instead of the list.
    pub(super) body: Option<Vec<u8>>,
}

impl Draft for Stated {
    fn hand_in(mut self) -> HandedIn {
        let body = self.body.take().unwrap_or_else(|| {
            let options = ProofOptions::new(&self.list_by.method);
            match proof::sign(&self.list, &options, &self.list_by.key) {
                Ok(mut list) => {
                    (self.spoil_signed)(&mut list);
                    list.to_string().into_bytes()
                }
                // What has no statements is signed byte by byte.
                Err(_) => as_jwt(&self.list, &self.list_by).into_bytes(),
            }
        });
        self.web.files.entry(LIST.to_owned()).or_insert(body);
        HandedIn {
            form: Form::Document(as_jwt(&self.badge, &college()).into()),
            web: Box::new(self.web),
            pinned: Vec::new(),
            expected: Expected::default(),
        }
    }
}

/// Whatever the document is.
pub(super) fn as_jwt(document: &Value, by: &Actor) -> String {
    let header = NewHeader {
        typ: "vc+jwt",
        kid: &by.method,
    };
    jws::sign(header, document.to_string().as_bytes(), &by.key)
}

/// 131,072 entries, of which the second is set.
pub(super) fn bits() -> Vec<u8> {
    let mut bits = vec![0; 16_384];
    bits[0] = 0x40;
    bits
}

impl Stated {
    /// The badge is at place 7, where nothing is set.
    pub(super) fn bitstring() -> Self {
        let college = college();
        let mut badge = college.badge();
        badge["credentialStatus"] = statuses::entry(LIST, "revocation", 7);
        Self {
            web: Web::of_college(),
            badge,
            list: json!({
                "@context": [CREDENTIALS_V2],
                "id": LIST,
                "type": ["VerifiableCredential", "BitstringStatusListCredential"],
                "issuer": college.id,
                "validFrom": "2026-01-01T00:00:00Z",
                "credentialSubject": {
                    "id": format!("{LIST}#list"),
                    "type": "BitstringStatusList",
                    "statusPurpose": "revocation",
                    "encodedList": encode(&bits()),
                },
            }),
            list_by: college,
            spoil_signed: |_| {},
            body: None,
        }
    }

    /// Two bits for each credential, with messages.
    fn messages() -> Self {
        let mut stated = Self::bitstring();
        stated.list["credentialSubject"]["statusPurpose"] = json!("message");
        stated.list["credentialSubject"]["encodedList"] = json!(encode(&vec![0; 32_768]));
        let entry = &mut stated.badge["credentialStatus"];
        entry["statusPurpose"] = json!("message");
        entry["statusSize"] = json!(2);
        entry["statusMessage"] = (0..4)
            .map(|value| json!({"status": format!("{value:#x}"), "message": "a word"}))
            .collect();
        stated
    }

    fn entry(&mut self) -> &mut Value {
        &mut self.badge["credentialStatus"]
    }
}

fn entry(name: &'static str, member: &str, value: Value, expected: Wanted) -> Row {
    let spoil = |stated: &mut Stated| match value {
        Value::Null => without(stated.entry(), member),
        value => stated.entry()[member] = value,
    };
    row(name, Stated::bitstring, spoil, expected)
}

pub(super) const AT: &str = "/credentialStatus";

pub(super) fn malformed() -> Wanted {
    proved(Outcome::Unknown, "status-malformed", AT)
}

pub(super) fn rows() -> Vec<Row> {
    [indexes(), members(), sizes(), several()]
        .into_iter()
        .flatten()
        .collect()
}

fn index(name: &'static str, value: Value, expected: Wanted) -> Row {
    entry(name, "statusListIndex", value, expected)
}

fn indexes() -> Vec<Row> {
    let range = || proved(Outcome::Unknown, "status-range", AT);
    vec![
        index(
            "the index is set",
            json!("1"),
            proved(Outcome::Revoked, "revoked", AT),
        ),
        index("the index is a number, and clear", json!(7), good()),
        index(
            "the index is a number, and set",
            json!(1),
            proved(Outcome::Revoked, "revoked", AT),
        ),
        index(
            "the index is set, with zeros before",
            json!("0001"),
            proved(Outcome::Revoked, "revoked", AT),
        ),
        index("the index is negative", json!("-1"), malformed()),
        index("the index is a negative number", json!(-1), malformed()),
        index(
            "the index has a fraction",
            json!(1.5),
            refused_at("hidden-member", "/credentialStatus/statusListIndex"),
        ),
        index(
            "the index is a text with a fraction",
            json!("1.0"),
            malformed(),
        ),
        index("the index is in hexadecimal", json!("0x1"), malformed()),
        index("the index has an exponent", json!("1e0"), malformed()),
        index("the index has a sign", json!("+1"), malformed()),
        index("the index has a blank", json!(" 1"), malformed()),
        index("the index is in other digits", json!("١"), malformed()),
        index(
            "the index is not a number by its name",
            json!("NaN"),
            malformed(),
        ),
        index("the index is empty", json!(""), malformed()),
        index(
            "the index is true",
            json!(true),
            refused_at("hidden-member", "/credentialStatus/statusListIndex"),
        ),
        index("the index is an array", json!(["1"]), malformed()),
        index("there is no index", Value::Null, malformed()),
        index(
            "the index is the first behind the end",
            json!("131072"),
            range(),
        ),
        index("the index is the last", json!("131071"), good()),
        index(
            "the index is 1 beyond 64 bits",
            json!("18446744073709551617"),
            range(),
        ),
        index(
            "the index has a thousand digits",
            json!("9".repeat(1000)),
            range(),
        ),
    ]
}

fn members() -> Vec<Row> {
    vec![
        entry(
            "the entry's id is its list's",
            "id",
            json!(LIST),
            malformed(),
        ),
        entry("the entry has no id", "id", Value::Null, good()),
        entry(
            "the list's URL is relative",
            "statusListCredential",
            json!("lists/1"),
            refused_at("hidden-member", "/credentialStatus/statusListCredential"),
        ),
        entry(
            "the list's URL has a line end",
            "statusListCredential",
            json!(format!("{LIST}\n")),
            refused_at("hidden-member", "/credentialStatus/statusListCredential"),
        ),
        entry(
            "there is no list",
            "statusListCredential",
            Value::Null,
            malformed(),
        ),
        entry(
            "two lists",
            "statusListCredential",
            json!([LIST, LIST]),
            malformed(),
        ),
        entry(
            "two purposes",
            "statusPurpose",
            json!(["revocation", "suspension"]),
            malformed(),
        ),
        entry("an empty purpose", "statusPurpose", json!(""), malformed()),
        entry(
            "there is no purpose",
            "statusPurpose",
            Value::Null,
            malformed(),
        ),
        entry(
            "a reference that is no URL",
            "statusReference",
            json!("see there"),
            malformed(),
        ),
        row(
            "an entry of a type that nobody reads",
            Stated::bitstring,
            |stated| *stated.entry() = json!({"id": LIST, "type": "RevocationList2020Status"}),
            proved(Outcome::Unknown, "status-unsupported", AT),
        ),
        entry(
            "a list that nobody serves",
            "statusListCredential",
            json!("https://college.example/lists/2"),
            proved(Outcome::Unreachable, "status-retrieval", AT),
        ),
        row(
            "the entry has no type",
            Stated::bitstring,
            |stated| without(stated.entry(), "type"),
            refused_at("malformed", "/credentialStatus/type"),
        ),
        row(
            "the entry is a text",
            Stated::bitstring,
            |stated| *stated.entry() = json!(LIST),
            refused_at("malformed", "/credentialStatus"),
        ),
    ]
}

fn sizes() -> Vec<Row> {
    let message = |name, member: &'static str, value: Value, expected| {
        let spoil = |stated: &mut Stated| match value {
            Value::Null => without(stated.entry(), member),
            value => stated.entry()[member] = value,
        };
        row(name, Stated::messages, spoil, expected)
    };
    let messages = |statuses: &[Value]| -> Value {
        statuses
            .iter()
            .map(|status| json!({"status": status, "message": "a word"}))
            .collect()
    };
    let texts = |statuses: &[&str]| {
        let statuses: Vec<Value> = statuses.iter().map(|status| json!(status)).collect();
        messages(&statuses)
    };
    vec![
        message(
            "two bits, and no messages",
            "statusMessage",
            Value::Null,
            malformed(),
        ),
        message(
            "two bits, and three messages",
            "statusMessage",
            texts(&["0x0", "0x1", "0x2"]),
            malformed(),
        ),
        message(
            "two bits, and one message twice",
            "statusMessage",
            texts(&["0x0", "0x1", "0x2", "0x2"]),
            malformed(),
        ),
        message(
            "a message for what two bits cannot be",
            "statusMessage",
            texts(&["0x0", "0x1", "0x2", "0x4"]),
            malformed(),
        ),
        message(
            "messages with numbers",
            "statusMessage",
            messages(&[json!(0), json!(1), json!(2), json!(3)]),
            malformed(),
        ),
        message(
            "messages in another order",
            "statusMessage",
            texts(&["0x3", "0x2", "0x1", "0x0"]),
            good(),
        ),
        message("a size of zero", "statusSize", json!(0), malformed()),
        message("a negative size", "statusSize", json!(-2), malformed()),
        message(
            "a size that is a text",
            "statusSize",
            json!("2"),
            malformed(),
        ),
        message(
            "a size with a fraction",
            "statusSize",
            json!(1.5),
            malformed(),
        ),
        message(
            "a size beyond all",
            "statusSize",
            json!(u64::MAX),
            malformed(),
        ),
        message(
            "a size for which there are too few messages",
            "statusSize",
            json!(4),
            malformed(),
        ),
        row(
            "a list long enough for one bit and not for two",
            Stated::messages,
            |stated| stated.list["credentialSubject"]["encodedList"] = json!(encode(&bits())),
            proved(Outcome::Unknown, "status-length", AT),
        ),
    ]
}

fn several() -> Vec<Row> {
    let both = |second: Value| {
        move |stated: &mut Stated| {
            let first = stated.entry().take();
            *stated.entry() = json!([first, second]);
        }
    };
    let second = "/credentialStatus/1";
    let revoked = statuses::entry(LIST, "revocation", 1);
    let away = statuses::entry("https://college.example/lists/2", "suspension", 7);
    vec![
        row(
            "the second entry is set",
            Stated::bitstring,
            both(revoked),
            proved(Outcome::Revoked, "revoked", second),
        ),
        row(
            "the second entry's list is out of reach",
            Stated::bitstring,
            both(away),
            proved(Outcome::Unreachable, "status-retrieval", second),
        ),
        row(
            "the second entry is of a type that nobody reads",
            Stated::bitstring,
            both(json!({"type": "CredentialStatusList2017", "id": LIST})),
            proved(Outcome::Unknown, "status-unsupported", second),
        ),
        row(
            "the second entry is empty",
            Stated::bitstring,
            both(json!({})),
            refused_at("malformed", "/credentialStatus/1/type"),
        ),
        row(
            "more entries than are looked at",
            Stated::bitstring,
            |stated| {
                let entry = stated.entry().take();
                *stated.entry() = json!(vec![entry; 33]);
            },
            refused_at("too-many", AT),
        ),
        row(
            "there are no entries in the array",
            Stated::bitstring,
            |stated| *stated.entry() = json!([]),
            good(),
        ),
    ]
}
