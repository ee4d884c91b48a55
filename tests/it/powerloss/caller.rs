//! A client of a server that may be gone at any moment.

use std::time::Duration;

use serde_json::Value;
use ureq::Agent;

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(60);

#[derive(Clone)]
pub(super) struct Caller {
    agent: Agent,
    origin: String,
    token: String,
}

/// An answer, whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) body: Vec<u8>,
    /// The `Link` to more of it.
    pub(super) more: bool,
}

impl Caller {
    pub(super) fn new(origin: String, token: &str) -> Self {
        let agent = Agent::config_builder()
            .http_status_as_error(false)
            .proxy(None)
            .timeout_global(Some(PATIENCE))
            .build()
            .new_agent();
        Self {
            agent,
            origin,
            token: format!("Bearer {token}"),
        }
    }

    pub(super) fn get(&self, path: &str, accept: &str) -> Result<Answer, ureq::Error> {
        let request = self.agent.get(format!("{}{path}", self.origin));
        let request = request.header("Authorization", &self.token);
        read(request.header("Accept", accept).call()?)
    }

    /// Posts as the operator. A `key` goes as the idempotency key and as the number of the request.
    pub(super) fn post(
        &self,
        path: &str,
        body: &Value,
        key: Option<&str>,
    ) -> Result<Answer, ureq::Error> {
        let request = self.agent.post(format!("{}{path}", self.origin));
        let mut request = request
            .content_type("application/json")
            .header("Authorization", &self.token);
        if let Some(key) = key {
            request = request
                .header("Idempotency-Key", key)
                .header("X-Request-Id", key);
        }
        read(request.send(body.to_string())?)
    }
}

fn read(mut answer: http::Response<ureq::Body>) -> Result<Answer, ureq::Error> {
    Ok(Answer {
        status: answer.status().as_u16(),
        more: answer.headers().contains_key("link"),
        body: answer.body_mut().read_to_vec()?,
    })
}

impl Answer {
    pub(super) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or(Value::Null)
    }

    /// For whoever reads of a failure.
    pub(super) fn text(&self) -> String {
        format!("{} {}", self.status, String::from_utf8_lossy(&self.body))
    }
}
