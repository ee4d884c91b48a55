//! Endorsements as every answer shows them, written as text without a tree of values between.

use serde::Serialize;
use serde_json::Value;

use crate::badges::{Scope, SubjectKind};
use crate::registry::{EndorsementView, Outcome, Urls, text_tag};

/// Endorsements as every answer shows them. Their documents are passed on as they were stored.
pub(super) fn write_all(text: &mut String, urls: &Urls<'_>, views: &[EndorsementView]) {
    write_each(text, urls, views, |_, _| ());
}

/// The same, with an entity tag of what was written.
pub(super) fn write_all_tagged(
    text: &mut String,
    urls: &Urls<'_>,
    views: &[EndorsementView],
) -> String {
    let mut tagged = Vec::with_capacity(views.len() * (BESIDE_THE_DOCUMENT + SIGNED_PART));
    write_each(text, urls, views, |view, beside| {
        tagged.extend_from_slice(beside.as_bytes());
        tagged.extend_from_slice(telling_part(view));
    });
    text_tag(tagged)
}

/// The part of a document that is another one whenever the document is: of one that was issued
/// here, the end, where the signature of all of it stands. Who issued elsewhere may have put it
/// anywhere.
fn telling_part(view: &EndorsementView) -> &[u8] {
    let document = view.credential.json().as_bytes();
    match view.imported {
        None => &document[document.len().saturating_sub(SIGNED_PART)..],
        Some(_) => document,
    }
}

/// So many bytes at the end of a document that was issued here hold its signature: 88 characters,
/// and behind them at most the type of an envelope, which are 42.
const SIGNED_PART: usize = 160;

/// Writes them, and hands each on with what stands beside its document.
fn write_each(
    text: &mut String,
    urls: &Urls<'_>,
    views: &[EndorsementView],
    mut written: impl FnMut(&EndorsementView, &str),
) {
    let documents: usize = views.iter().map(|view| view.credential.json().len()).sum();
    text.reserve(documents + views.len() * BESIDE_THE_DOCUMENT);
    text.push('[');
    for (place, view) in views.iter().enumerate() {
        text.push_str(if place == 0 { "" } else { "," });
        let begin = text.len();
        let end = write(text, urls, view);
        written(view, &text[begin..end]);
    }
    text.push(']');
}

/// About how many bytes stand beside a document.
const BESIDE_THE_DOCUMENT: usize = 512;

/// An endorsement as every answer shows it, as JSON text.
pub(in crate::http) fn shown(urls: &Urls<'_>, view: &EndorsementView) -> String {
    let mut text = String::new();
    write(&mut text, urls, view);
    text
}

/// Writes one, and tells where its document begins.
fn write(text: &mut String, urls: &Urls<'_>, view: &EndorsementView) -> usize {
    let beside = serde_json::to_string(&Shown::of(urls, view));
    text.push_str(&beside.expect("texts and words are JSON"));
    text.pop();
    text.push_str(",\"credential\":");
    let document = text.len();
    text.push_str(view.credential.json());
    text.push('}');
    document
}

/// What is told of an endorsement beside its document.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Shown<'v> {
    id: String,
    endorser: &'v str,
    subject: &'v str,
    kind: SubjectKind,
    #[serde(skip_serializing_if = "Option::is_none")]
    roles: Option<&'v [&'static str]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    scope: Option<Value>,
    outcome: Outcome,
    #[serde(skip_serializing_if = "Option::is_none")]
    endorser_outcome: Option<Outcome>,
    valid_from: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    valid_until: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    imported: Option<ImportedShown<'v>>,
}

/// Where an endorsement comes from that was issued elsewhere.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ImportedShown<'v> {
    id: &'v str,
    checked_at: String,
}

impl<'v> Shown<'v> {
    fn of(urls: &Urls<'_>, view: &'v EndorsementView) -> Self {
        let endorser = view.endorser_outcome;
        Self {
            id: urls.endorsement(view.id),
            endorser: &view.endorser,
            subject: &view.subject,
            kind: view.kind,
            roles: (view.kind == SubjectKind::Profile).then_some(&*view.roles),
            scope: view.scope.as_ref().map(Scope::to_value),
            outcome: view.outcome,
            endorser_outcome: (endorser != Outcome::Active).then_some(endorser),
            valid_from: view.valid_from.to_string(),
            valid_until: view.valid_until.map(|until| until.to_string()),
            imported: view
                .imported
                .as_ref()
                .map(|(id, checked_at)| ImportedShown {
                    id,
                    checked_at: checked_at.to_string(),
                }),
        }
    }
}
