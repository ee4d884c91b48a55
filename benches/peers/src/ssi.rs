//! The ssi family: expansion by `ssi-json-ld`, statements and RDFC-1.0 by `ssi-rdf`.

use std::collections::HashMap;

use goodstanding::vc::contexts::{Revision, bundle};
use iref::IriBuf;
use json_syntax::Parse as _;
use ssi_json_ld::{CompactJsonLd, Expandable as _, RemoteDocument};
use ssi_rdf::{AnyLdEnvironment as _, LdEnvironment};

use crate::Peer;

/// `ssi-json-ld` with our contexts, parsed.
pub(crate) struct Ssi {
    contexts: HashMap<IriBuf, RemoteDocument>,
}

impl Ssi {
    /// Parses the contexts.
    pub(crate) fn new() -> Self {
        let contexts = bundle(Revision::Mid2026).map(|context| {
            let iri = IriBuf::new(context.url.to_owned()).expect("an IRI");
            let (document, _) = json_syntax::Value::parse_str(context.text).expect("JSON");
            let kind = "application/ld+json".parse().expect("a media type");
            let document = RemoteDocument::new(Some(iri.clone()), Some(kind), document);
            (iri, document)
        });
        Self {
            contexts: contexts.collect(),
        }
    }
}

impl Peer for Ssi {
    type Document = CompactJsonLd;

    const NAME: &'static str = "ssi-json-ld 0.3";

    fn parse(&self, text: &str) -> CompactJsonLd {
        CompactJsonLd(json_syntax::Value::parse_str(text).expect("JSON").0)
    }

    fn canonical(&self, document: &CompactJsonLd) -> Result<String, String> {
        let mut environment = LdEnvironment::default();
        let expanding = document.expand_with(&mut environment, &self.contexts);
        let expanded = pollster::block_on(expanding).map_err(|error| error.to_string())?;
        let lines = environment.canonical_form_of(&expanded);
        Ok(lines.map_err(|error| error.to_string())?.concat())
    }
}
