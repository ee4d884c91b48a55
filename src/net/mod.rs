//! Fetching what others publish: controller documents, key sets, status lists, credentials.
//!
//! Who names a URL here is mostly a stranger, and may own the host behind it. So the [`Policy`]
//! says from whom anything is fetched, by default from nobody, and the rest does not depend on
//! their good will:
//!
//! - `target`: https only, to a host name that the policy admits; no address in any spelling, no
//!   user name, no other port. All that is decided before anybody is asked.
//! - `names`, `address`: the name is resolved once, only public addresses are left, and those
//!   are connected to, so that a name which changes its mind changes nothing.
//! - `exchange`, `tls`, `body`: one connection for one question, within one time limit from the
//!   first packet to the last; header, body and what it expands to have caps; no proxy, cookies,
//!   credentials, `Referer`.
//! - `freshness`, `memory`, `queue`: an answer is used again for as long as HTTP says and never
//!   longer, a failure for some seconds; there is one fetch per URL and kind at a time, so many
//!   per host, and so many over all.
//!
//! `fetcher` puts these together. Over it, `elsewhere` answers what verification asks: `session`
//! bounds what one request may ask in all, `shelf` keeps what was read and checked.

mod address;
mod body;
mod elsewhere;
mod error;
mod exchange;
mod fetched;
mod fetcher;
mod freshness;
mod kind;
mod memory;
mod names;
mod policy;
mod queue;
mod session;
mod shelf;
mod target;
#[cfg(test)]
mod tests;
mod tls;

pub use address::is_public;
pub use elsewhere::Elsewhere;
pub use error::{FetchError, Refusal, TlsProblem, Unreachable, Unusable};
pub use fetched::Fetched;
pub use fetcher::Fetcher;
pub use kind::Kind;
pub use names::{NameError, Names, SystemNames};
pub use policy::{HostPattern, HostPatternError, Hosts, Policy};
pub use tls::RootsError;
