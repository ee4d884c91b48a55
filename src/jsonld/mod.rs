//! JSON-LD 1.1 to RDF, and the canonical form of the outcome (RDFC-1.0). Knows nothing of
//! credentials.
//!
//! What stands in a credential is signed as statements, so whatever JSON-LD leaves out of them is
//! not signed. [`Mode::Safe`] therefore refuses everything that would be left out, and names it.
//!
//! A [`Processor`] holds the known context documents; nothing is ever fetched. Documents go
//! straight from JSON to statements, without an expanded document in between. In reading order:
//! [`Options`] and [`Error`]; `keyword`, `iri` and `context`, what names mean; `local`, `define`
//! and `entry`, how a context comes to mean it; `processor`, what is shared; `expand`, `scopes`,
//! `node`, `keywords`, `containers`, `literal` and `to_rdf`, the way through one document;
//! [`nquads`] and [`canon`].

pub mod canon;
pub mod nquads;
pub mod rdf;

mod containers;
mod context;
mod define;
mod entry;
mod error;
mod expand;
mod iri;
mod keyword;
mod keywords;
mod literal;
mod local;
mod node;
mod options;
mod processor;
mod scopes;
mod to_rdf;

pub use error::{Code, Dropped, Error};
pub use options::{InlineTerms, Limits, Mode, Options, ProcessingMode, RdfDirection};
pub use processor::Processor;
