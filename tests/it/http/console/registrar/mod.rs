//! The registrars' half of the console, as somebody with a browser meets it.

mod hostile;
mod keys;
mod lists;
mod statuses;
mod trail;
pub(super) mod uploads;

use serde_json::json;

use super::{invited, signed_in, signs_in};
use crate::support::actors::Actor;
use crate::support::browser::Browser;
use crate::support::client::Answer;

/// Gives credentials with these ids entries of a list.
fn names(school: &Actor<'_>, list: &str, ids: &[&str]) {
    let body = json!({ "credentialIds": ids });
    school.post(&format!("{list}/entries"), &body).is(200);
}

/// The last part of a list's URL, by which the pages name it.
fn name_of(list: &str) -> &str {
    list.rsplit('/').next().unwrap()
}

/// Where a link with these words leads.
#[track_caller]
fn link(page: &Answer, words: &str) -> String {
    let text = page.text();
    let end = text
        .find(&format!(">{words}<"))
        .unwrap_or_else(|| panic!("no link says {words}: {text}"));
    let begin = text[..end].rfind("href=\"").unwrap() + 6;
    let href = text[begin..].split('"').next().unwrap();
    href.replace("&#38;", "&").replace("&amp;", "&")
}

/// Asserts that a page says each of these.
#[track_caller]
fn says(page: &Answer, all: &[&str]) {
    let text = page.text();
    for words in all {
        assert!(
            text.contains(words),
            "the page does not say {words:?}: {text}"
        );
    }
}

/// Asserts that a page says none of these.
#[track_caller]
fn says_not(page: &Answer, none: &[&str]) {
    let text = page.text();
    for words in none {
        assert!(!text.contains(words), "the page says {words:?}: {text}");
    }
}
