//! The pages of the console.

use super::{Access, Door, Handler, PAGE, Route, ask, get, lenient, with_query};
use crate::access::Action::{Read, WriteEndorsements};
use crate::http::console::{account, door, endorsements, endorsing, overview, requests};

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

    page(Door::May(Read), "/console/requests", "The requests for endorsements that one is a side of", &["profile", "state", "cursor", "done"], requests::list),
    page(Door::May(Read), "/console/requests/{request}", "A request, what was said about it, and what can be done", &["done"], requests::show),
    deed(Door::May(WriteEndorsements), "/console/requests/{request}/preview", "The endorsement that approval would sign", requests::preview),
    deed(Door::May(WriteEndorsements), "/console/requests/{request}/approve", "Approve a request as it was shown", requests::approve),
    deed(Door::May(WriteEndorsements), "/console/requests/{request}/decline", "Decline a request", requests::decline),
    deed(Door::May(WriteEndorsements), "/console/requests/{request}/ask", "Ask the requester something", requests::ask),
    deed(Door::May(WriteEndorsements), "/console/requests/{request}/answer", "Answer the accreditor", requests::answer),
    deed(Door::May(WriteEndorsements), "/console/requests/{request}/withdraw", "Withdraw a request", requests::withdraw),
    page(Door::May(Read), "/console/endorsements", "What a profile has endorsed", &["profile", "standing", "cursor", "done"], endorsements::list),
    page(Door::May(Read), "/console/endorsements/{endorsement}", "An endorsement, and what can be done about it", &["done"], endorsements::show),
    page(Door::May(WriteEndorsements), "/console/endorsements/{endorsement}/{decision}", "What a decision about an endorsement would do", &[], endorsements::consider),
    deed(Door::May(WriteEndorsements), "/console/endorsements/{endorsement}/{decision}", "Revoke, suspend or reinstate an endorsement", endorsements::decide),
    page(Door::May(WriteEndorsements), "/console/endorse", "A form to endorse, or to renew an endorsement", &["profile", "subject", "renews"], endorsing::form),
    deed(Door::May(WriteEndorsements), "/console/endorse/preview", "The endorsement that would be signed", endorsing::preview),
    deed(Door::May(WriteEndorsements), "/console/endorse", "Endorse as it was shown", endorsing::endorse),
];
