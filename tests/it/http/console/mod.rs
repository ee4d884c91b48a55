//! The console, as somebody with a browser meets it.

mod accreditor;
mod door;
mod matrix;
mod registrar;

use serde_json::json;

use crate::support::actors::{Actor, text};
use crate::support::browser::{Browser, form};
use crate::support::client::Answer;
use crate::support::oauth::posts;

pub(super) const PASSPHRASE: &str = "nine lives, one cat";
pub(super) const SESSION: &str = "__Host-goodstanding";

/// Invites somebody for a profile, or for the registry, who takes the invitation; their id.
pub(super) fn invited(by: &Actor<'_>, email: &str, role: &str) -> String {
    let path = match by.slug.as_str() {
        "" => "/people".to_owned(),
        slug => format!("/profiles/{slug}/people"),
    };
    let body = json!({ "name": "Ada", "email": email, "role": role });
    let made = by.post(&path, &body).is(201).json();
    let page = by.house.call("GET", "/oauth/accept").send().is(200);
    let token = &form(&page, "/oauth/accept")["form"];
    let code = text(&made["invitation"]);
    let fields = [
        ("form", token.as_str()),
        ("code", &code),
        ("passphrase", PASSPHRASE),
    ];
    posts(by.house, "/oauth/accept", &fields).send().is(200);
    text(&made["id"])
}

/// Signs in by the form that the browser is led to, and opens the page that was asked for.
pub(super) fn signs_in(browser: &Browser<'_>, to: &str, name: &str, passphrase: &str) -> Answer {
    let page = browser.opens(to).is(200);
    let fields = [
        ("name", name),
        ("passphrase", passphrase),
        ("answer", "allow"),
    ];
    let answer = browser.submits(&page, "/oauth/authorize", &fields);
    browser.follows(answer)
}

/// A browser in which somebody with this role is signed in, for a new profile's or the registry's things.
pub(super) fn signed_in<'h>(by: &Actor<'h>, role: &str) -> Browser<'h> {
    let email = format!(
        "{role}@{}.example",
        if by.slug.is_empty() {
            "registry"
        } else {
            &by.slug
        }
    );
    invited(by, &email, role);
    let browser = Browser::new(by.house);
    signs_in(&browser, "/console", &email, PASSPHRASE).is(200);
    browser
}
