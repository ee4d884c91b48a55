//! An endorsement as somebody fills in a form for it, and what is wrong with a form.

use super::Sent;
use crate::http::problem::Problem;
use crate::http::problem::page::kind_of;
use crate::time::Timestamp;
use crate::web::Language;
use crate::web::console::{EndorsementFields, Trouble};

/// What was filled in, read.
pub(super) struct Wanted {
    pub(super) name: Option<String>,
    pub(super) comment: Option<String>,
    pub(super) valid_from: Option<Timestamp>,
    pub(super) valid_until: Option<Timestamp>,
    pub(super) suspendable: bool,
}

/// The fields as they were sent, to be shown again.
pub(super) fn fields(sent: &Sent<'_>) -> EndorsementFields {
    let field = |name: &str| sent.field(name).to_owned();
    EndorsementFields {
        name: field("name"),
        comment: field("comment"),
        valid_from: field("valid_from"),
        valid_until: field("valid_until"),
        suspendable: sent.given("suspendable").is_some(),
    }
}

impl Wanted {
    /// Reads the fields of a form.
    ///
    /// # Errors
    /// A date that is none, with its field.
    pub(super) fn read(sent: &Sent<'_>) -> Result<Self, Trouble> {
        let text = |name: &str| sent.given(name).map(str::to_owned);
        Ok(Self {
            name: text("name"),
            comment: text("comment"),
            valid_from: day(sent, "valid_from", "T00:00:00Z")?,
            valid_until: day(sent, "valid_until", "T23:59:59Z")?,
            suspendable: sent.given("suspendable").is_some(),
        })
    }
}

/// A day, at this time of it in UTC; or a moment to the second.
fn day(sent: &Sent<'_>, field: &'static str, time: &str) -> Result<Option<Timestamp>, Trouble> {
    let Some(text) = sent.given(field) else {
        return Ok(None);
    };
    let spelled = match text.len() {
        10 => format!("{text}{time}"),
        _ => text.to_owned(),
    };
    match spelled.parse() {
        Ok(moment) => Ok(Some(moment)),
        Err(_) => {
            let words = sent.visit.language.console("trouble.date");
            Err(Trouble::said(words, field))
        }
    }
}

/// What is wrong with what somebody filled in, to be shown with the form; any other problem is a page of its
/// own. With the status that the page has then.
pub(super) fn trouble(language: Language, problem: Problem) -> Result<(u16, Trouble), Problem> {
    if !matches!(problem.status, 400 | 409 | 412 | 422 | 429) {
        return Err(problem);
    }
    let pointer = problem.more.iter().find(|(name, _)| *name == "pointer");
    let pointer = pointer.and_then(|(_, pointer)| pointer.as_str());
    let field = pointer.and_then(|pointer| {
        let known = FIELDS.iter().find(|(begin, _)| pointer.starts_with(begin));
        known.map(|(_, field)| *field)
    });
    if problem.status == 412 {
        let words = language.console("trouble.meanwhile");
        let trouble = Trouble::said(words, "");
        return Ok((412, Trouble { field, ..trouble }));
    }
    Ok((problem.status, refused(language, problem, field)))
}

/// A refusal, as it is shown with a form.
pub(super) fn refused(
    language: Language,
    problem: Problem,
    field: Option<&'static str>,
) -> Trouble {
    let mut words = problem.detail;
    if let Some(first) = words.get_mut(..1) {
        first.make_ascii_uppercase();
    }
    Trouble::refused(language, kind_of(&problem.kind), words, field)
}

/// Members of requests, and the fields of forms that they come from.
const FIELDS: [(&str, &str); 9] = [
    ("/name", "name"),
    ("/endorsementComment", "comment"),
    ("/validFrom", "valid_from"),
    ("/validUntil", "valid_until"),
    ("/subject", "subject"),
    ("/scope", "role"),
    ("/reason", "reason"),
    ("/question", "question"),
    ("/answer", "answer"),
];
