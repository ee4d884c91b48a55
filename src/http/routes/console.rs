//! The pages of the console.

use super::{Access, Door, Handler, PAGE, Route, ask, get, lenient, with_query};
use crate::http::console::{account, door, overview};

/// Something to look at.
const fn page(
    door: Door,
    path: &'static str,
    summary: &'static str,
    query: &'static [&'static str],
    handler: Handler,
) -> Route {
    Route {
        access: Access::Page(door),
        media: PAGE,
        ..with_query(get(path, summary, handler), query)
    }
}

/// A form that is sent; its answer leads on to a page.
const fn deed(door: Door, path: &'static str, summary: &'static str, handler: Handler) -> Route {
    Route {
        access: Access::Page(door),
        success: 303,
        media: PAGE,
        ..ask(path, summary, None, handler)
    }
}

/// Every page of the console, and every form of its. What a route needs here its services demand again, for
/// the very thing that it is about.
#[rustfmt::skip]
pub static CONSOLE_ROUTES: &[Route] = &[
    page(Door::Open, "/console/sign-in", "Where somebody begins to sign in", &["to", "as"], door::sign_in),
    deed(Door::Open, "/console/sign-in", "Go in without signing in, in development mode", door::enter),
    lenient(page(Door::Open, "/console/callback", "Where the authorization server sends whoever signed in", &[], door::callback), &["code", "state", "iss", "error", "error_description"]),
    deed(Door::SignedIn, "/console/sign-out", "Sign out, here or everywhere", door::leave),
    page(Door::SignedIn, "/console", "What waits, and what needs attention", &["profile", "cursor", "done"], overview::show),
    page(Door::SignedIn, "/console/account", "Who is signed in, and what they may do", &["done"], account::show),
    deed(Door::SignedIn, "/console/account/passphrase", "Choose another passphrase", account::change_passphrase),
];
