//! The sophia family: statements by `sophia_jsonld`, RDFC-1.0 by `sophia_c14n`.

use std::collections::HashMap;
use std::sync::Arc;

use goodstanding::vc::contexts::{Revision, bundle};
use json_syntax_09::{Parse as _, Value};
use locspan::{Location, Meta};
use rdf_types_015::IriVocabularyMut;
use sophia_api::source::QuadSource as _;
use sophia_inmem::dataset::LightDataset;
use sophia_jsonld::json_ld::{Loader, LoadingResult, RemoteDocument};
use sophia_jsonld::loader::{BoxFuture, FutureExt as _};
use sophia_jsonld::loader_factory::LoaderFactory;
use sophia_jsonld::vocabulary::ArcIri;
use sophia_jsonld::{JsonLdOptions, JsonLdParser};

use crate::Peer;

type Place = Location<ArcIri>;
type Json = Meta<Value<Place>, Place>;

/// `sophia_jsonld` with our contexts, parsed.
pub(crate) struct Sophia {
    parser: JsonLdParser<Contexts>,
}

impl Sophia {
    /// Parses the contexts.
    pub(crate) fn new() -> Self {
        let contexts = bundle(Revision::Mid2026)
            .map(|context| (context.url.to_owned(), parse(context.text, context.url)));
        let contexts = Contexts(contexts.collect());
        let options = JsonLdOptions::new().with_document_loader_factory(contexts);
        Self {
            parser: JsonLdParser::new_with_options(options),
        }
    }
}

impl Peer for Sophia {
    type Document = RemoteDocument<ArcIri>;

    const NAME: &'static str = "sophia 0.10";

    fn parse(&self, text: &str) -> Self::Document {
        RemoteDocument::new(None, None, parse(text, "urn:document"))
    }

    fn canonical(&self, document: &Self::Document) -> Result<String, String> {
        let statements = pollster::block_on(self.parser.parse_json(document));
        let dataset: LightDataset = statements
            .collect_quads()
            .map_err(|error| error.to_string())?;
        let mut text = Vec::new();
        sophia_c14n::rdfc10::normalize(&dataset, &mut text).map_err(|error| error.to_string())?;
        String::from_utf8(text).map_err(|error| error.to_string())
    }
}

fn parse(text: &str, name: &str) -> Json {
    let name = iri(name);
    Value::parse_str(text, |span| Location::new(name.clone(), span)).expect("JSON")
}

fn iri(text: &str) -> ArcIri {
    ArcIri::new(Arc::from(text)).expect("an IRI")
}

/// The contexts by URL. The loader that comes with the library copies all of them for each
/// document; this one lends them, so that only the one that is asked for is copied.
struct Contexts(HashMap<String, Json>);

impl LoaderFactory for Contexts {
    type Loader<'l> = Lent<'l>;
    type LoaderError = String;

    fn yield_loader(&self) -> Lent<'_> {
        Lent(&self.0)
    }
}

struct Lent<'l>(&'l HashMap<String, Json>);

impl Loader<ArcIri, Place> for Lent<'_> {
    type Output = Value<Place>;
    type Error = String;

    fn load_with<'a>(
        &'a mut self,
        _: &'a mut (impl Sync + Send + IriVocabularyMut<Iri = ArcIri>),
        url: ArcIri,
    ) -> BoxFuture<'a, LoadingResult<ArcIri, Place, Value<Place>, String>>
    where
        ArcIri: 'a,
    {
        async move {
            let document = self.0.get(url.as_str()).cloned();
            let document = document.ok_or_else(|| format!("{url:?} is not known"))?;
            Ok(RemoteDocument::new(Some(url), None, document))
        }
        .boxed()
    }
}
