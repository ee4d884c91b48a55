//! What cannot be checked, and what to do then: as a page with the form again.

use super::super::problem::Problem;
use super::super::reply::Reply;
use crate::web::{CheckAgainPage, CheckForm, Frame, Language};

/// Why what was given cannot be checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Trouble {
    Empty,
    Both,
    Several,
    Presentation,
    Form,
    Kind,
    Large,
    Json,
    Image,
    Encoding,
    Code,
    NoCode,
    Text,
    NotFetched,
    Unreachable,
    UnknownId,
    Index,
    List,
    OneThing,
}

impl Trouble {
    /// The key of its texts, below `check.trouble`.
    const fn key(self) -> &'static str {
        match self {
            Self::Empty => "empty",
            Self::Both => "both",
            Self::Several => "several",
            Self::Presentation => "presentation",
            Self::Form => "form",
            Self::Kind => "kind",
            Self::Large => "large",
            Self::Json => "json",
            Self::Image => "image",
            Self::Encoding => "encoding",
            Self::Code => "code",
            Self::NoCode => "no-code",
            Self::Text => "text",
            Self::NotFetched => "not-fetched",
            Self::Unreachable => "unreachable",
            Self::UnknownId => "unknown-id",
            Self::Index => "index",
            Self::List => "list",
            Self::OneThing => "one-thing",
        }
    }

    /// The HTTP status, with the last part of the problem's type and its title.
    const fn kind(self) -> (u16, &'static str, &'static str) {
        match self {
            Self::Kind => (415, "unsupported-media-type", "Unsupported media type"),
            Self::Large => (413, "body-too-large", "Body too large"),
            Self::Code => (400, "mistyped-code", "Not a verification code"),
            Self::NoCode => (404, "unknown-code", "No such verification code"),
            Self::UnknownId | Self::List => (404, "not-found", "Not found"),
            Self::Unreachable => (503, "unreachable", "Not to be reached now"),
            Self::Empty
            | Self::Both
            | Self::Several
            | Self::Presentation
            | Self::Form
            | Self::Json
            | Self::Image
            | Self::Encoding
            | Self::Text
            | Self::NotFetched
            | Self::Index
            | Self::OneThing => (400, "invalid-request", "Invalid request"),
        }
    }

    fn words(self, frame: &Frame) -> (String, String) {
        let to_do = format!("{}.do", self.key());
        (
            frame.one_of("check.trouble", self.key()),
            frame.one_of("check.trouble", &to_do),
        )
    }

    /// As a page with the form again. Its own address is told to no other site; to this one it is, or else
    /// browsers would not say whose form it is.
    pub(super) fn page(self, frame: Frame, form: CheckForm, detail: Option<String>) -> Reply {
        let (title, words) = self.words(&frame);
        let page = CheckAgainPage {
            title,
            words,
            detail,
            form,
            frame,
        };
        let mut reply = Reply::html(page.html());
        reply.status = self.kind().0;
        match self {
            Self::Unreachable => reply.header("Retry-After", "1"),
            _ => reply,
        }
    }

    /// The same for programs.
    pub(super) fn problem(self, detail: Option<String>) -> Problem {
        let (title, words) = self.words(&Frame::of_answer(Language::English));
        let (status, kind, name) = self.kind();
        let detail = detail.map_or_else(String::new, |detail| format!(" ({detail})"));
        let problem = Problem::new(status, kind, name, format!("{title}: {words}{detail}"));
        match self {
            Self::Unreachable => problem.header("Retry-After", "1"),
            _ => problem,
        }
    }
}

/// What was typed, where it is short enough to be shown again.
pub(super) fn short(text: &str) -> String {
    match text.len() <= 2_048 {
        true => text.to_owned(),
        false => String::new(),
    }
}

/// A form that was refused before it was read, as the page with the form again: it was too large, or came too
/// slowly. Other problems are none of the form.
pub(in crate::http) fn again(problem: &Reply, language: Language) -> Option<Reply> {
    let trouble = match problem.status {
        413 => Trouble::Large,
        415 => Trouble::Kind,
        400 | 408 => Trouble::Form,
        _ => return None,
    };
    let frame = Frame::of_answer(language);
    let mut page = trouble.page(frame, CheckForm::default(), None);
    page.status = problem.status;
    page.wrong = problem.wrong.clone();
    let closes = problem.get("connection").map(str::to_owned);
    Some(match closes {
        Some(closes) => page.header("Connection", closes),
        None => page,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_trouble_has_its_words_and_says_what_to_do() {
        for trouble in [
            Trouble::Empty,
            Trouble::Both,
            Trouble::Several,
            Trouble::Presentation,
            Trouble::Form,
            Trouble::Kind,
            Trouble::Large,
            Trouble::Json,
            Trouble::Image,
            Trouble::Encoding,
            Trouble::Code,
            Trouble::NoCode,
            Trouble::Text,
            Trouble::NotFetched,
            Trouble::Unreachable,
            Trouble::UnknownId,
            Trouble::Index,
            Trouble::List,
            Trouble::OneThing,
        ] {
            for language in Language::ALL {
                let (title, to_do) = trouble.words(&Frame::of_answer(language));
                assert!(
                    !title.contains("trouble") && to_do.ends_with('.'),
                    "{trouble:?}"
                );
            }
        }
    }
}
