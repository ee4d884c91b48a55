//! The transport to a running server over HTTP.

use std::fs;
use std::io;
use std::path::Path;
use std::time::Duration;

use http::{HeaderValue, Request, header};
use ureq::Agent;
use ureq::tls::{PemItem, RootCerts, TlsConfig, parse_pem};
use url::Url;

use super::error::CliError;
use super::place::is_loopback;
use super::transport::{Answer, Call, Transport};

/// The largest answer that is read: 100,000 entries of a list are about 30 MiB.
const MAX_ANSWER: u64 = 256 << 20;
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// A running server. Redirects are not followed: a token must not travel on to somewhere else.
pub(super) struct Remote {
    agent: Agent,
    server: Url,
    authorization: Option<HeaderValue>,
}

impl Remote {
    /// A client of `server` that shows `token` with every call, waits at most `timeout` for each
    /// answer, and trusts the certificates in `ca_file` (PEM) where one is given, else the usual
    /// authorities.
    pub(super) fn new(
        server: Url,
        token: Option<&str>,
        timeout: Duration,
        ca_file: Option<&Path>,
    ) -> Result<Self, CliError> {
        let authorization = token.map(bearer).transpose()?;
        Ok(Self {
            agent: agent(&server, timeout, ca_file)?,
            server,
            authorization,
        })
    }

    fn send(&self, call: &Call) -> Result<Answer, ureq::Error> {
        let uri = format!(
            "{}{}",
            self.server.as_str().trim_end_matches('/'),
            call.path
        );
        let mut request = Request::builder().method(call.method).uri(uri);
        let keyed = [
            (header::ACCEPT.as_str(), call.accept),
            (header::ACCEPT_ENCODING.as_str(), call.coding),
            ("idempotency-key", call.idempotency_key.as_deref()),
            (header::IF_MATCH.as_str(), call.if_match.as_deref()),
        ];
        for (name, value) in keyed {
            if let Some(value) = value {
                request = request.header(name, value);
            }
        }
        if let Some(authorization) = &self.authorization {
            request = request.header(header::AUTHORIZATION, authorization);
        }
        let mut response = match call.payload() {
            None => self.agent.run(request.body(())?)?,
            Some((media, bytes)) => {
                let request = request.header(header::CONTENT_TYPE, media);
                self.agent.run(request.body(bytes.into_owned())?)?
            }
        };
        let body = response
            .body_mut()
            .with_config()
            .limit(MAX_ANSWER)
            .read_to_vec()?;
        Ok(Answer {
            status: response.status().as_u16(),
            headers: response.headers().clone(),
            body,
        })
    }

    fn explain(&self, call: &Call, failed: ureq::Error) -> CliError {
        let server = self.server.to_string();
        if never_sent(&failed) {
            return CliError::NoServer {
                server,
                reason: failed.to_string(),
            };
        }
        CliError::Lost {
            method: call.method,
            path: call.path.clone(),
            server,
            reason: failed.to_string(),
            idempotency_key: call.idempotency_key.clone(),
        }
    }
}

impl Transport for Remote {
    fn call(&self, call: &Call) -> Result<Answer, CliError> {
        match self.send(call) {
            // The connection broke under the call. Its key makes a second attempt harmless, and
            // shows the outcome of the first where that had come through.
            Err(ureq::Error::Io(broken)) if call.repeatable() && !refused(&broken) => {
                self.send(call)
            }
            first => first,
        }
        .map_err(|failed| self.explain(call, failed))
    }
}

/// Whether a token to this server would travel readable for everyone on the way.
pub(super) fn in_the_clear(server: &Url) -> bool {
    server.scheme() == "http" && !is_loopback(server)
}

/// Reads `--server`: `http` or `https`, a host, and nothing behind it.
pub(super) fn parse_server(text: &str) -> Result<Url, String> {
    let url = Url::parse(text).map_err(|refused| format!("{refused}: give a URL"))?;
    let bare = url.path() == "/" && url.query().is_none() && url.fragment().is_none();
    if !matches!(url.scheme(), "http" | "https") || url.host().is_none() || !bare {
        return Err("give the server's origin only, such as https://registry.example".into());
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err("no user name or password here: use --token-file".into());
    }
    Ok(url)
}

/// The agent for calls and fetches: no redirects of its own, every status is an answer, and no
/// proxy between this machine and itself.
pub(super) fn agent(
    url: &Url,
    timeout: Duration,
    ca_file: Option<&Path>,
) -> Result<Agent, CliError> {
    let mut config = Agent::config_builder()
        .http_status_as_error(false)
        .max_redirects(0)
        .max_redirects_will_error(false)
        .user_agent(concat!("goodstanding/", env!("CARGO_PKG_VERSION")))
        .timeout_connect(Some(CONNECT_TIMEOUT.min(timeout)))
        .timeout_global(Some(timeout));
    if is_loopback(url) {
        config = config.proxy(None);
    }
    if let Some(path) = ca_file {
        let roots = RootCerts::new_with_certs(&certificates(path)?);
        config = config.tls_config(TlsConfig::builder().root_certs(roots).build());
    }
    Ok(config.build().new_agent())
}

fn certificates(path: &Path) -> Result<Vec<ureq::tls::Certificate<'static>>, CliError> {
    let unreadable = |reason: String| CliError::Unreadable {
        place: path.display().to_string(),
        reason,
    };
    let pem = fs::read(path).map_err(|failed| unreadable(failed.to_string()))?;
    let mut found = Vec::new();
    for item in parse_pem(&pem) {
        if let PemItem::Certificate(certificate) =
            item.map_err(|refused| unreadable(refused.to_string()))?
        {
            found.push(certificate);
        }
    }
    if found.is_empty() {
        return Err(unreadable("it holds no certificate in PEM form".into()));
    }
    Ok(found)
}

fn bearer(token: &str) -> Result<HeaderValue, CliError> {
    let mut value = HeaderValue::from_str(&format!("Bearer {token}")).map_err(|_| {
        CliError::Usage(
            "the token holds characters that no token has: is it the right file?".into(),
        )
    })?;
    value.set_sensitive(true);
    Ok(value)
}

fn refused(failed: &io::Error) -> bool {
    failed.kind() == io::ErrorKind::ConnectionRefused
}

/// Whether the call never left this machine.
fn never_sent(failed: &ureq::Error) -> bool {
    match failed {
        ureq::Error::Io(failed) => refused(failed),
        ureq::Error::HostNotFound | ureq::Error::ConnectionFailed => true,
        ureq::Error::Timeout(kind) => {
            matches!(kind, ureq::Timeout::Connect | ureq::Timeout::Resolve)
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::testing::{OneByOne, closed_port};
    use serde_json::json;

    fn remote(server: &str, token: Option<&str>) -> Remote {
        Remote::new(
            parse_server(server).unwrap(),
            token,
            Duration::from_secs(5),
            None,
        )
        .unwrap()
    }

    #[test]
    fn a_call_carries_its_token_key_and_body() {
        let server = OneByOne::serve(vec![
            "HTTP/1.1 201 Created\r\nETag: \"1\"\r\nContent-Length: 2\r\n\r\n{}",
        ]);
        let mut call = Call::post("/profiles", json!({"slug": "a"}));
        call.idempotency_key = Some("k1".into());
        let answer = remote(&server.url, Some("secret")).call(&call).unwrap();
        assert_eq!((answer.status, answer.header("etag")), (201, Some("\"1\"")));
        let seen = server.requests().remove(0).to_ascii_lowercase();
        assert!(seen.starts_with("post /profiles http/1.1\r\n"), "{seen}");
        for part in [
            "authorization: bearer secret\r\n",
            "idempotency-key: k1\r\n",
            "content-type: application/json\r\n",
            "\r\n\r\n{\"slug\":\"a\"}",
        ] {
            assert!(seen.contains(part), "{part:?} is missing in {seen}");
        }
    }

    #[test]
    fn a_broken_connection_is_tried_once_more_under_the_same_key() {
        let answer = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}";
        let server = OneByOne::serve(vec!["", answer]);
        let mut call = Call::post("/profiles", json!({}));
        call.idempotency_key = Some("k2".into());
        assert_eq!(remote(&server.url, None).call(&call).unwrap().status, 200);
        let requests = server.requests();
        assert_eq!(requests.len(), 2);
        assert!(
            requests
                .iter()
                .all(|r| r.to_ascii_lowercase().contains("idempotency-key: k2"))
        );
    }

    #[test]
    fn a_lost_change_says_how_to_find_out() {
        let server = OneByOne::serve(vec!["", ""]);
        let mut call = Call::post("/profiles", json!({}));
        call.idempotency_key = Some("k3".into());
        let lost = remote(&server.url, None).call(&call).unwrap_err().told();
        assert!(lost.contains("--idempotency-key k3"), "{lost}");
    }

    #[test]
    fn a_redirect_is_an_answer_and_is_not_followed() {
        let moved =
            "HTTP/1.1 302 Found\r\nLocation: http://other.example/\r\nContent-Length: 0\r\n\r\n";
        let server = OneByOne::serve(vec![moved]);
        let answer = remote(&server.url, Some("secret"))
            .call(&Call::get("/"))
            .unwrap();
        assert_eq!(
            (answer.status, answer.header("location")),
            (302, Some("http://other.example/"))
        );
    }

    #[test]
    fn a_server_that_is_not_there_is_named_with_what_to_do() {
        let server = format!("http://127.0.0.1:{}", closed_port());
        let error = remote(&server, None)
            .call(&Call::get("/profiles"))
            .unwrap_err();
        assert!(matches!(error, CliError::NoServer { .. }), "{error:?}");
        assert!(
            error
                .told()
                .contains("`goodstanding serve --dev` or `make run`")
        );
    }

    #[test]
    fn only_origins_are_servers() {
        assert!(parse_server("https://registry.example").is_ok());
        assert!(parse_server("http://localhost:8080/").is_ok());
        for bad in [
            "localhost:8080",
            "ftp://x",
            "https://x/path",
            "https://u:p@x",
            "x",
        ] {
            assert!(parse_server(bad).is_err(), "{bad}");
        }
        assert!(in_the_clear(
            &parse_server("http://registry.example").unwrap()
        ));
        assert!(!in_the_clear(&parse_server("http://[::1]:8080").unwrap()));
    }

    #[test]
    fn a_file_without_certificates_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ca.pem");
        fs::write(&path, "nothing").unwrap();
        let refused = certificates(&path).unwrap_err().to_string();
        assert!(
            refused.contains("ca.pem: it holds no certificate"),
            "{refused}"
        );
    }
}
