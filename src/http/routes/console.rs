//! The pages of the console.

use super::{Access, Door, Handler, PAGE, Route, ask, get, lenient, with_query};
use crate::access::Action::{
    Read, ReadEvents, WriteEndorsements, WriteKeys, WriteLists, WriteStatus,
};
use crate::http::console::registrar::{audit, credentials, keys, lists, statuses, uploads};
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

    page(Door::May(Read), "/console/credentials", "Find credentials by their ids, or by list and index", &["profile", "text", "list", "index", "cursor", "done"], credentials::search),
    page(Door::May(Read), "/console/credential", "How a credential stands, and what was done to it", &["profile", "id", "done"], credentials::show),
    page(Door::May(Read), "/console/lists", "How full an issuer's lists are, and how fresh", &["profile", "cursor", "done"], lists::all),
    page(Door::May(WriteLists), "/console/new-list", "A form for a new list", &["profile"], lists::form),
    deed(Door::May(WriteLists), "/console/new-list", "Open a list", lists::open),
    page(Door::May(Read), "/console/lists/{list}", "One list", &["done"], lists::show),
    page(Door::May(Read), "/console/lists/{list}/entries", "Go to an entry by its index", &["index"], statuses::find),
    page(Door::May(Read), "/console/lists/{list}/entries/{index}", "An entry, who carries it, and what was done to it", &["done"], statuses::show),
    page(Door::May(WriteStatus), "/console/lists/{list}/entries/{index}/change", "Whether a change of status is meant", &["to"], statuses::ask),
    deed(Door::May(WriteStatus), "/console/lists/{list}/entries/{index}/change", "Change a status", statuses::change),
    page(Door::May(WriteStatus), "/console/lists/{list}/upload", "A form for a table of changes", &[], uploads::form),
    Route { bulk: true, ..deed(Door::May(WriteStatus), "/console/lists/{list}/upload", "Hand a table of changes in, to be tried out", uploads::hand_in) },
    page(Door::May(WriteStatus), "/console/uploads/{upload}", "How far a table of changes is", &[], uploads::show),
    page(Door::May(WriteStatus), "/console/uploads/{upload}/report", "The lines of a table that were refused, as CSV", &[], uploads::report),
    deed(Door::May(WriteStatus), "/console/uploads/{upload}/make", "Make the changes of a table that was tried out", uploads::make),
    deed(Door::May(WriteStatus), "/console/uploads/{upload}/drop", "Throw a table of changes away", uploads::throw_away),
    page(Door::May(Read), "/console/keys", "Keys, and how far their rotation is", &["profile", "done"], keys::all),
    deed(Door::May(WriteKeys), "/console/keys/rotate", "Let a new key take over", keys::rotate),
    page(Door::May(WriteKeys), "/console/keys/{key}/retire", "Whether a key is to be taken out of use", &["profile"], keys::ask_retire),
    deed(Door::May(WriteKeys), "/console/keys/{key}/retire", "Take a key out of use", keys::retire),
    page(Door::May(WriteKeys), "/console/keys/{key}/revoke", "What it affects to give a key up", &["profile", "since"], keys::ask_revoke),
    deed(Door::May(WriteKeys), "/console/keys/{key}/revoke", "Give a key up", keys::revoke),
    page(Door::May(ReadEvents), "/console/audit", "What happened, the last first", &["profile", "from", "until", "kind", "by", "cursor"], audit::show),
    page(Door::May(ReadEvents), "/console/audit/download", "The same as lines of JSON", &["profile", "from", "until", "kind", "by", "cursor"], audit::download),
];
