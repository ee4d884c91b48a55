//! The command line's way into a data folder: the same routes and handlers, without a network.

use http::{HeaderMap, HeaderName, HeaderValue};

use crate::cli::{Answer, Call, CliError, Transport};
use crate::http::{Edge, answer_locally};

/// The registry in a data folder, spoken to as its operator.
pub(super) struct Local(Edge);

impl Local {
    pub(super) const fn new(edge: Edge) -> Self {
        Self(edge)
    }
}

impl Transport for Local {
    fn call(&self, call: &Call) -> Result<Answer, CliError> {
        let (media, body) = match call.payload() {
            Some((media, bytes)) => (Some(media), bytes.into_owned()),
            None => (None, Vec::new()),
        };
        let mut headers = HeaderMap::new();
        for (name, value) in [
            ("accept", call.accept),
            ("accept-encoding", call.coding),
            ("idempotency-key", call.idempotency_key.as_deref()),
            ("if-match", call.if_match.as_deref()),
            ("content-type", media),
        ] {
            if let Some(Ok(value)) = value.map(HeaderValue::from_str) {
                headers.insert(name, value);
            }
        }
        let reply = answer_locally(&self.0, call.method, &call.path, headers, body.into());
        let mut headers = HeaderMap::new();
        for (name, value) in &reply.headers {
            if let (Ok(name), Ok(value)) = (
                HeaderName::from_bytes(name.as_bytes()),
                HeaderValue::from_str(value),
            ) {
                headers.append(name, value);
            }
        }
        Ok(Answer {
            status: reply.status,
            headers,
            body: reply.body.to_vec(),
        })
    }
}
