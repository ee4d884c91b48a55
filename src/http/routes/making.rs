//! How a line of the table is made, and the media types of answers.

use super::{Access, Body, Guessed, Handler, InLine, Route};
use crate::access::Action;

pub(super) const fn get(path: &'static str, summary: &'static str, handler: Handler) -> Route {
    Route {
        method: "GET",
        path,
        access: Access::Public,
        bulk: false,
        takes_long_tables: false,
        goes_outside: false,
        guessed_at: Guessed::Never,
        past: None,
        summary,
        query: &[],
        needed: &[],
        lenient: false,
        body: None,
        also: &[],
        success: 200,
        media: JSON,
        members: &[],
        tried: &[],
        handler,
        in_line: None,
    }
}

pub(super) const fn ask(
    path: &'static str,
    summary: &'static str,
    body: Option<Body>,
    handler: Handler,
) -> Route {
    Route {
        method: "POST",
        body,
        ..get(path, summary, handler)
    }
}

pub(super) const fn change(
    action: Action,
    path: &'static str,
    summary: &'static str,
    success: u16,
    body: Option<Body>,
    handler: Handler,
) -> Route {
    Route {
        access: Access::Needs(action),
        success,
        ..ask(path, summary, body, handler)
    }
}

pub(super) const fn with_query(route: Route, query: &'static [&'static str]) -> Route {
    Route { query, ..route }
}

/// A list that can be asked for as it was, by a parameter that stands alone.
pub(super) const fn as_it_was(route: Route, parameter: &'static [&'static str; 1]) -> Route {
    Route {
        past: Some(parameter[0]),
        ..with_query(route, parameter)
    }
}

pub(super) const fn needing(route: Route, needed: &'static [&'static str]) -> Route {
    Route { needed, ..route }
}

/// A decision that can be tried out first.
pub(super) const fn decision(route: Route) -> Route {
    Route {
        tried: &["dryRun", "affected"],
        ..route
    }
}

pub(super) const fn bulk(route: Route) -> Route {
    Route {
        bulk: true,
        ..route
    }
}

/// A body that may come as a table.
pub(super) const fn lines(route: Route, query: &'static [&'static str]) -> Route {
    Route {
        bulk: true,
        also: TABLES,
        query,
        ..route
    }
}

/// As [`lines`], of any length.
pub(super) const fn long_lines(route: Route, query: &'static [&'static str]) -> Route {
    Route {
        takes_long_tables: true,
        ..lines(route, query)
    }
}

/// A body that may come as text of these types.
pub(super) const fn also(route: Route, also: &'static [&'static str]) -> Route {
    Route { also, ..route }
}

pub(super) const fn goes_outside(route: Route) -> Route {
    Route {
        goes_outside: true,
        ..route
    }
}

/// Whose requests are counted by where they come from.
pub(super) const fn guessed_at(route: Route) -> Route {
    Route {
        guessed_at: Guessed::Always,
        ..route
    }
}

/// Whose requests with this parameter are counted by where they come from.
pub(super) const fn guessed_by(parameter: &'static str, route: Route) -> Route {
    Route {
        guessed_at: Guessed::By(parameter),
        ..route
    }
}

/// OpenID Federation 1.0 section 8: parameters that are not understood are ignored.
pub(super) const fn federation(
    route: Route,
    query: &'static [&'static str],
    media: &'static [&'static str],
) -> Route {
    Route {
        query,
        lenient: true,
        media,
        ..route
    }
}

pub(super) const fn private(action: Action, route: Route) -> Route {
    Route {
        access: Access::Needs(action),
        ..route
    }
}

pub(super) const fn of_client(route: Route) -> Route {
    Route {
        access: Access::Client,
        ..route
    }
}

/// RFC 6749 section 3.1: parameters that are not understood are ignored.
pub(super) const fn lenient(route: Route, query: &'static [&'static str]) -> Route {
    Route {
        query,
        lenient: true,
        ..route
    }
}

pub(super) const fn answers(route: Route, success: u16) -> Route {
    Route { success, ..route }
}

pub(super) const fn delete(route: Route) -> Route {
    Route {
        method: "DELETE",
        ..route
    }
}

pub(super) const fn in_line(route: Route, in_line: InLine) -> Route {
    Route {
        in_line: Some(in_line),
        ..route
    }
}

pub(super) const fn put(route: Route) -> Route {
    Route {
        method: "PUT",
        ..route
    }
}

pub(super) const fn gives(
    route: Route,
    media: &'static [&'static str],
    members: &'static [&'static str],
) -> Route {
    Route {
        media,
        members,
        ..route
    }
}

pub(super) const JSON: &[&str] = &["application/json"];
pub(super) const PAGE: &[&str] = &["text/html"];
pub(super) const SCRIPT: &[&str] = &["text/javascript"];
pub(super) const ASSET: &[&str] = &["text/css", "text/javascript", "image/svg+xml"];
pub(super) const TEXT: &[&str] = &["text/plain"];
pub(super) const JSON_OR_TEXT: &[&str] = &["application/json", "text/plain"];
pub(super) const TABLES: &[&str] = &["application/x-ndjson", "text/csv"];
pub(in crate::http) const TRAIL: &[&str] = &[
    "application/json",
    "application/x-ndjson",
    "text/event-stream",
];
pub(super) const EXPORTED: &[&str] = &["application/x-ndjson", "text/csv", "application/json"];
pub(super) const PAGE_OR_JSON: &[&str] = &["text/html", "application/json"];
pub(super) const FORM: &[&str] = &["application/x-www-form-urlencoded"];
pub(super) const JSON_OR_PAGE: &[&str] = &["application/json", "text/html"];
pub(in crate::http) const LIST: &[&str] = &[
    "application/vc",
    "application/ld+json",
    "application/json",
    "application/vc+jwt",
];
pub(in crate::http) const LIST_2021: &[&str] =
    &["application/vc", "application/ld+json", "application/json"];
pub(in crate::http) const FEED: &[&str] = &["text/event-stream"];
pub(in crate::http) const TOKEN_LIST: &[&str] =
    &["application/statuslist+jwt", "application/statuslist+cwt"];
pub(super) const CREDENTIAL: &[&str] = &[
    "application/vc",
    "application/ld+json",
    "application/json",
    "application/vc+jwt",
    "text/html",
];
pub(super) const DOCUMENT: &[&str] = &["application/ld+json", "application/json", "text/html"];
pub(super) const DID: &[&str] = &[
    "application/did+ld+json",
    "application/did+json",
    "application/did",
    "application/ld+json",
    "application/json",
];
