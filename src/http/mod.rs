//! The HTTP contract: routes, authentication, problems, and the server itself.
//!
//! Every route stands in one table ([`routes`]), which feeds dispatch, `OPTIONS`, the OpenAPI
//! description and the pages that list it. Handlers are plain functions from a request to a reply
//! and run where they may block.

mod accept;
mod auth;
mod body;
mod conditions;
mod edge;
mod feeds;
mod hot;
mod language;
mod logged;
mod measured;
mod moment;
mod openapi;
mod operations;
mod pages;
mod problem;
mod rates;
mod reply;
mod request;
mod request_id;
mod revision;
pub mod routes;
mod safeguards;
mod server;
mod service;

mod achievements;
mod assets;
mod audit;
pub(crate) mod backups;
mod bulk;
mod check;
mod codes;
mod console;
mod credentials;
mod endorsements;
mod erasing;
mod federation;
mod feed;
mod health;
mod home;
mod keys;
mod lists;
mod multipart;
mod oauth;
mod open_badges;
mod people;
mod profiles;
mod published;
mod put_back;
mod requests;
mod signatures;
mod standing;
mod statuses;
mod tokens;
mod trqp;
mod trust_marks;
mod turns;
mod updates;
mod uploads;
mod usage;
mod verification;
mod wellknown;

pub use edge::{CachePolicy, Edge, Limits, Mode, ServicePages};
pub use measured::Measured;
pub use operations::{Operations, operate};
pub use problem::Problem;
pub use rates::Rates;
pub use reply::Reply;
pub use server::{Drained, Renewed, Running, Tls, TlsError, serve};
pub use service::answer_locally;
pub use uploads::Uploads;
