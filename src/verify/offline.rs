//! Verification from given documents alone: nobody is asked, and what was not given is
//! unreachable. Without any documents, it is what a policy that forbids every fetch amounts to.

use std::collections::HashMap;
use std::sync::Arc;

use serde_json::Value;
use thiserror::Error;

use crate::json;
use crate::status::{StatusEntry, StatusError, StatusResult};
use crate::vc::jws::Jws;

use super::lists::{CheckedList, Fetched};
use super::resolver::{Known, Outside, Resolver, SignedHere, Unresolved, WantedList, WantedOf};

/// Documents by their URLs: controller documents by the identifier that they are of, key sets,
/// status lists and newer versions by where they stand.
#[derive(Debug, Clone)]
pub struct Given {
    documents: Arc<HashMap<String, Vec<u8>>>,
    /// Why all others are not to be had.
    others: Unresolved,
}

/// Why a given document cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum GivenError {
    /// It does not say where it stands.
    #[error(
        "it does not say where it stands: it is no JSON with an \"id\", and no JWT with a \"sub\"; \
         give its URL with it"
    )]
    NoUrl,
    /// Two documents for one URL.
    #[error("there are two documents for {0}")]
    Twice(String),
}

impl Default for Given {
    /// No documents yet, and nobody to ask.
    fn default() -> Self {
        let reason = "it was not given, and offline nobody is asked";
        Self {
            documents: Arc::default(),
            others: Unresolved::Unreachable(reason.to_owned()),
        }
    }
}

impl Given {
    /// No documents, since policy forbids to fetch any.
    pub fn refused() -> Self {
        Self {
            others: Unresolved::Refused,
            ..Self::default()
        }
    }

    /// Adds a document, under `url` or else under what it says of itself: the `id` of JSON, the
    /// `sub` of a JWT.
    ///
    /// # Errors
    /// [`GivenError`].
    pub fn add(&mut self, url: Option<&str>, bytes: Vec<u8>) -> Result<(), GivenError> {
        let url = match url {
            Some(url) => url.to_owned(),
            None => own_url(&bytes).ok_or(GivenError::NoUrl)?,
        };
        match Arc::make_mut(&mut self.documents).insert(url.clone(), bytes) {
            None => Ok(()),
            Some(_) => Err(GivenError::Twice(url)),
        }
    }

    fn document(&self, url: &str) -> Result<&Vec<u8>, Unresolved> {
        self.documents.get(url).ok_or_else(|| self.others.clone())
    }

    fn json(&self, url: &str) -> Result<Arc<Value>, Unresolved> {
        let bytes = self.document(url)?;
        let document = json::parse(bytes);
        document
            .map(Arc::new)
            .map_err(|error| Unresolved::Malformed(error.to_string()))
    }

    fn fetched(&self, url: &str) -> Result<Fetched, Unresolved> {
        let body = self.document(url)?.clone();
        Ok(Fetched {
            url: url.to_owned(),
            body,
        })
    }
}

impl Resolver for Given {
    fn controller_document(&self, url: &str) -> Result<Arc<Value>, Unresolved> {
        self.json(url)
    }

    fn key_set(&self, url: &str) -> Result<Arc<Value>, Unresolved> {
        self.json(url)
    }

    fn hosted_status(&self, _: &str, _: &StatusEntry) -> Option<Result<StatusResult, StatusError>> {
        None
    }

    fn list(
        &self,
        wanted: WantedList<'_>,
        check: &mut dyn FnMut(&Fetched) -> Result<CheckedList, StatusError>,
    ) -> Result<Arc<CheckedList>, StatusError> {
        let url = wanted.reference.list();
        let fetched = self.fetched(url).map_err(|reason| StatusError::Retrieval {
            list: url.to_owned(),
            reason: reason.to_string(),
        })?;
        check(&fetched).map(Arc::new)
    }

    fn newer(&self, url: &str) -> Result<Fetched, Unresolved> {
        self.fetched(url)
    }

    fn signed_here(&self, _: &str, _: &Value) -> Option<SignedHere> {
        None
    }

    fn known(&self, _: &str, _: Option<WantedOf<'_>>) -> Option<Known> {
        None
    }
}

impl Outside for Given {
    fn session(&self) -> Box<dyn Resolver + '_> {
        Box::new(self.clone())
    }
}

fn own_url(bytes: &[u8]) -> Option<String> {
    let text = str::from_utf8(bytes.trim_ascii()).ok()?;
    let (claims, member) = match Jws::parse(text) {
        Ok(jws) => (json::parse(jws.payload()).ok()?, "sub"),
        Err(_) => (json::parse(bytes).ok()?, "id"),
    };
    Some(claims.get(member)?.as_str()?.to_owned())
}
