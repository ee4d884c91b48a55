//! Fetches the document of a URL that a person gives to `verify`.

use std::time::Duration;

use http::header;
use url::Url;

use super::context::MAX_DOCUMENT;
use super::error::CliError;
use super::place::is_loopback;
use super::remote::agent;

const MAX_REDIRECTS: usize = 5;
const ACCEPT: &str = "application/vc, application/vp;q=0.9, application/ld+json;q=0.9, \
                      application/json;q=0.8, application/vc+jwt;q=0.5, image/*;q=0.4";

/// Fetches over https, or over http from this machine alone; at most 10 MiB; redirects are
/// followed only within the same host, and never from https to http. No token goes along.
pub(super) fn fetch(url: &Url, timeout: Duration) -> Result<Vec<u8>, CliError> {
    let refuse = |reason: String| CliError::Fetch {
        url: url.to_string(),
        reason,
    };
    let agent = agent(url, timeout, None)?;
    let mut at = url.clone();
    for _ in 0..=MAX_REDIRECTS {
        check(&at, url).map_err(refuse)?;
        let request = agent.get(at.as_str()).header(header::ACCEPT, ACCEPT);
        let mut response = request
            .call()
            .map_err(|failed| refuse(failed.to_string()))?;
        let status = response.status();
        if status.is_redirection() {
            let to = response.headers().get(header::LOCATION);
            at = to
                .and_then(|to| to.to_str().ok())
                .and_then(|to| at.join(to).ok())
                .ok_or_else(|| refuse(format!("it answers {status} and names no other place")))?;
            continue;
        }
        if !status.is_success() {
            return Err(refuse(format!("it answers {status}")));
        }
        let body = response.body_mut().with_config().limit(MAX_DOCUMENT);
        return body.read_to_vec().map_err(|failed| {
            refuse(match failed {
                ureq::Error::BodyExceedsLimit(_) => "it is larger than 10 MiB".to_owned(),
                other => other.to_string(),
            })
        });
    }
    Err(refuse(format!("more than {MAX_REDIRECTS} redirects")))
}

/// Whether `at`, to which a fetch of `given` has come, may be asked.
fn check(at: &Url, given: &Url) -> Result<(), String> {
    if at.host() != given.host() || at.port_or_known_default() != given.port_or_known_default() {
        return Err(format!(
            "it leads on to another host, {at}: give that URL if it is right"
        ));
    }
    match at.scheme() {
        "https" => Ok(()),
        "http" if is_loopback(at) => Ok(()),
        "http" => Err("http can be read and changed on the way: give its https URL".into()),
        other => Err(format!(
            "{other} is not fetched: give an https URL or a file"
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::testing::OneByOne;

    fn fetched(answers: Vec<&'static str>) -> Result<Vec<u8>, CliError> {
        let server = OneByOne::serve(answers);
        let url = Url::parse(&format!("{}/credential", server.url)).unwrap();
        fetch(&url, Duration::from_secs(5))
    }

    #[test]
    fn a_document_is_fetched_through_a_redirect_on_the_same_host() {
        let moved = "HTTP/1.1 302 Found\r\nLocation: /there\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
        let found = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}";
        assert_eq!(fetched(vec![moved, found]).unwrap(), b"{}");
    }

    #[test]
    fn no_redirect_leads_to_another_host_or_round_in_circles() {
        let away = "HTTP/1.1 302 Found\r\nLocation: https://other.example/x\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
        let refused = fetched(vec![away]).unwrap_err().to_string();
        assert!(
            refused.contains("another host, https://other.example/x"),
            "{refused}"
        );
        let round = "HTTP/1.1 302 Found\r\nLocation: /credential\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
        let refused = fetched(vec![round; 6]).unwrap_err().to_string();
        assert!(refused.contains("more than 5 redirects"), "{refused}");
    }

    #[test]
    fn other_answers_are_errors_that_name_the_url() {
        let gone = "HTTP/1.1 410 Gone\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
        let refused = fetched(vec![gone]).unwrap_err().to_string();
        assert!(
            refused.contains("/credential: it answers 410 Gone"),
            "{refused}"
        );
        let length = MAX_DOCUMENT + 1;
        let head =
            format!("HTTP/1.1 200 OK\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n");
        let large = (head + &"x".repeat(length as usize)).leak();
        let refused = fetched(vec![large]).unwrap_err().to_string();
        assert!(refused.contains("larger than 10 MiB"), "{refused}");
    }

    #[test]
    fn only_https_is_fetched_from_elsewhere() {
        let refused = |url: &str| {
            let url = Url::parse(url).unwrap();
            fetch(&url, Duration::from_secs(1)).unwrap_err().to_string()
        };
        assert!(refused("http://r.example/x").contains("give its https URL"));
        assert!(refused("file:///etc/passwd").contains("file is not fetched"));
    }
}
