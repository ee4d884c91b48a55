//! A client of a server, over connections that are kept.

use std::time::Duration;

use http::HeaderMap;
use serde_json::Value;
use ureq::Agent;

use super::server::PATIENCE;

/// A client, with or without a token.
#[derive(Clone)]
pub(crate) struct Client {
    agent: Agent,
    origin: String,
    token: Option<String>,
}

/// An answer, whole.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
}

impl Client {
    /// A client of the server at `origin`.
    pub(crate) fn new(origin: String, token: Option<&str>) -> Self {
        let agent = Agent::config_builder()
            .http_status_as_error(false)
            .proxy(None)
            .timeout_global(Some(PATIENCE.max(Duration::from_secs(60))))
            .build()
            .new_agent();
        Self {
            agent,
            origin,
            token: token.map(str::to_owned),
        }
    }

    /// Where it asks.
    pub(crate) fn origin(&self) -> &str {
        &self.origin
    }

    pub(crate) fn get(&self, path: &str) -> Reply {
        let request = self.agent.get(format!("{}{path}", self.origin));
        let mut answer = request.header("Accept", "application/json").call().unwrap();
        read(&mut answer).unwrap()
    }

    /// A page, as a browser asks for it.
    #[track_caller]
    pub(crate) fn page(&self, path: &str) -> String {
        let request = self.agent.get(format!("{}{path}", self.origin));
        let mut answer = request.header("Accept", "text/html").call().unwrap();
        let reply = read(&mut answer).unwrap();
        assert_eq!(reply.status, 200, "{path}");
        String::from_utf8(reply.body).expect("pages are UTF-8")
    }

    pub(crate) fn post(&self, path: &str, body: &Value) -> Reply {
        self.try_post(path, body, None).unwrap()
    }

    /// Posts, perhaps under an idempotency key, to a server that may be gone before it has
    /// answered to the last byte.
    pub(crate) fn try_post(
        &self,
        path: &str,
        body: &Value,
        idempotency_key: Option<&str>,
    ) -> Result<Reply, ureq::Error> {
        let mut request = self.agent.post(format!("{}{path}", self.origin));
        request = request.content_type("application/json");
        if let Some(token) = &self.token {
            request = request.header("Authorization", format!("Bearer {token}"));
        }
        if let Some(key) = idempotency_key {
            request = request.header("Idempotency-Key", key);
        }
        read(&mut request.send(body.to_string())?)
    }
}

fn read(answer: &mut http::Response<ureq::Body>) -> Result<Reply, ureq::Error> {
    Ok(Reply {
        status: answer.status().as_u16(),
        headers: answer.headers().clone(),
        body: answer.body_mut().read_to_vec()?,
    })
}

impl Reply {
    /// The JSON of an answer with the status that is expected.
    #[track_caller]
    pub(crate) fn json(&self, status: u16) -> Value {
        let text = String::from_utf8_lossy(&self.body);
        assert_eq!(self.status, status, "{text}");
        serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"))
    }

    /// A header that has to be there.
    #[track_caller]
    pub(crate) fn header(&self, name: &str) -> &str {
        let value = self.headers.get(name);
        let value = value.unwrap_or_else(|| panic!("there is no {name}: {:?}", self.headers));
        value.to_str().unwrap()
    }
}
