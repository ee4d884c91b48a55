//! How the bucket's client speaks HTTP: by the client that every other command uses, on threads that may
//! wait.

use std::collections::BTreeMap;
use std::future::Future;
use std::io;
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use http_body_util::BodyExt as _;
use object_store::ClientOptions;
use object_store::client::{
    HttpClient, HttpConnector, HttpError, HttpErrorKind, HttpRequest, HttpResponse,
    HttpResponseBody, HttpService,
};
use ureq::Agent;
use url::Url;

use crate::cli::error::CliError;
use crate::cli::place::is_loopback;
use crate::cli::remote::agent;

/// Makes clients.
#[derive(Debug)]
pub(super) struct Connector(Arc<Client>);

#[derive(Debug)]
struct Client {
    /// For one answer.
    timeout: Duration,
    ca_file: Option<PathBuf>,
    /// Each keeps connections to one origin.
    agents: Mutex<BTreeMap<String, Agent>>,
}

/// The largest answer that is read: a page of names, or what is remembered.
const MAX_ANSWER: u64 = 64 << 20;
/// Where clouds tell their machines who they are; nothing leaves the machine's network there.
const OF_THE_MACHINE: [&str; 2] = ["169.254.169.254", "169.254.170.2"];

impl Connector {
    pub(super) fn new(timeout: Duration, ca_file: Option<PathBuf>) -> Self {
        Self(Arc::new(Client {
            timeout,
            ca_file,
            agents: Mutex::default(),
        }))
    }
}

impl HttpConnector for Connector {
    fn connect(&self, _: &ClientOptions) -> object_store::Result<HttpClient> {
        Ok(HttpClient::new(Service(self.0.clone())))
    }
}

#[derive(Debug)]
struct Service(Arc<Client>);

type Called<'a> = Pin<Box<dyn Future<Output = Result<HttpResponse, HttpError>> + Send + 'a>>;

impl HttpService for Service {
    fn call<'this, 'called>(&'this self, request: HttpRequest) -> Called<'called>
    where
        'this: 'called,
        Self: 'called,
    {
        Box::pin(async move {
            let (parts, body) = request.into_parts();
            let body = body.collect().await?.to_bytes();
            let request = http::Request::from_parts(parts, body.to_vec());
            let client = self.0.clone();
            let sent = tokio::task::spawn_blocking(move || client.send(request)).await;
            sent.unwrap_or_else(|panicked| Err(HttpError::new(HttpErrorKind::Unknown, panicked)))
        })
    }
}

impl Client {
    fn send(&self, request: http::Request<Vec<u8>>) -> Result<HttpResponse, HttpError> {
        let refused =
            |words: String| HttpError::new(HttpErrorKind::Unknown, io::Error::other(words));
        let url =
            Url::parse(&request.uri().to_string()).map_err(|error| refused(error.to_string()))?;
        let local = is_loopback(&url)
            || url
                .host_str()
                .is_some_and(|host| OF_THE_MACHINE.contains(&host));
        if url.scheme() != "https" && !local {
            return Err(refused(format!(
                "{} is not asked without TLS",
                url.origin().ascii_serialization()
            )));
        }
        let agent = self
            .agent_of(&url)
            .map_err(|error| refused(error.to_string()))?;
        let mut answer = agent.run(request).map_err(failed)?;
        let body = answer
            .body_mut()
            .with_config()
            .limit(MAX_ANSWER)
            .read_to_vec()
            .map_err(failed)?;
        Ok(answer.map(|_| HttpResponseBody::from(body)))
    }
}

impl Client {
    fn agent_of(&self, url: &Url) -> Result<Agent, CliError> {
        let mut agents = self.agents.lock().unwrap_or_else(PoisonError::into_inner);
        let origin = url.origin().ascii_serialization();
        if let Some(agent) = agents.get(&origin) {
            return Ok(agent.clone());
        }
        let agent = agent(url, self.timeout, self.ca_file.as_deref())?;
        agents.insert(origin, agent.clone());
        Ok(agent)
    }
}

fn failed(error: ureq::Error) -> HttpError {
    let kind = match &error {
        ureq::Error::Timeout(_) => HttpErrorKind::Timeout,
        ureq::Error::HostNotFound | ureq::Error::ConnectionFailed => HttpErrorKind::Connect,
        ureq::Error::Io(failed) if failed.kind() == io::ErrorKind::ConnectionRefused => {
            HttpErrorKind::Connect
        }
        ureq::Error::Io(_) => HttpErrorKind::Interrupted,
        _ => HttpErrorKind::Unknown,
    };
    HttpError::new(kind, error)
}
