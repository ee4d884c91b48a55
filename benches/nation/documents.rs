//! Endorsements as documents: one that was made by the service, with others' names in it and a
//! signature that is none. Signing a million would take longer than all that is measured.

use serde_json::Value;

/// The alphabet of base58btc.
const ALPHABET: &[u8; 58] = b"123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";

/// A document, cut where it is another in each.
pub(crate) struct Template(Vec<Part>);

enum Part {
    Text(String),
    Field(usize),
}

/// What is another in each document.
pub(crate) struct Details<'a> {
    pub(crate) id: &'a str,
    pub(crate) issuer: &'a str,
    pub(crate) issuer_name: &'a str,
    pub(crate) issuer_url: &'a str,
    pub(crate) subject: &'a str,
    pub(crate) lists: [&'a str; 2],
    pub(crate) index: u32,
    pub(crate) signature: [u8; 87],
}

impl Template {
    /// Cuts a document that the service made. Longer texts first: some are part of others.
    pub(crate) fn of(document: &Value) -> Self {
        let text = |pointer: &str| {
            let found = document.pointer(pointer).and_then(Value::as_str);
            found.unwrap_or_else(|| panic!("{pointer} is missing in {document:#}"))
        };
        let index = format!(
            "\"statusListIndex\":\"{}\"",
            text("/credentialStatus/0/statusListIndex")
        );
        let mut marked = document.to_string();
        let fields = [
            text("/id"),
            text("/issuer/id"),
            text("/issuer/name"),
            text("/issuer/url"),
            text("/credentialSubject/id"),
            text("/credentialStatus/0/statusListCredential"),
            text("/credentialStatus/1/statusListCredential"),
            &index,
            text("/proof/proofValue"),
        ];
        for (number, field) in fields.iter().enumerate() {
            assert!(marked.contains(field), "{field} is in the document");
            marked = marked.replace(field, &format!("\u{1}{number}\u{1}"));
        }
        let parts = marked
            .split('\u{1}')
            .enumerate()
            .map(|(place, part)| match place % 2 {
                0 => Part::Text(part.to_owned()),
                _ => Part::Field(part.parse().expect("the number of a field")),
            });
        Self(parts.collect())
    }

    /// A document like it.
    pub(crate) fn write(&self, details: &Details<'_>) -> String {
        let index = format!("\"statusListIndex\":\"{}\"", details.index);
        let signature = details
            .signature
            .map(|byte| ALPHABET[usize::from(byte) % 58]);
        let signature = format!("z{}", String::from_utf8_lossy(&signature));
        let fields = [
            details.id,
            details.issuer,
            details.issuer_name,
            details.issuer_url,
            details.subject,
            details.lists[0],
            details.lists[1],
            &index,
            &signature,
        ];
        let mut text = String::with_capacity(2_500);
        for part in &self.0 {
            text.push_str(match part {
                Part::Text(text) => text,
                Part::Field(number) => fields[*number],
            });
        }
        text
    }
}
