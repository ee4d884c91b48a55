//! A URL that the policy admits. Only here a [`Target`] is made, and only a target is fetched.

use std::net::IpAddr;

use rustls::pki_types::ServerName;
use url::{Host, Url};

use super::error::Refusal;
use super::policy::{HTTPS, Hosts, Policy, is_host_name};

/// The longest URL that is fetched, in bytes.
const LONGEST_URL: usize = 4096;

/// How much of a URL is shown in an error, in characters.
const SHOWN: usize = 200;

/// Where to fetch from: vetted in scheme, host and port, not yet in its addresses.
#[derive(Debug, Clone)]
pub(super) struct Target {
    url: Url,
    host: String,
    port: u16,
    place: Place,
}

#[derive(Debug, Clone)]
enum Place {
    /// Over TLS, to whoever proves this name.
    Elsewhere(ServerName<'static>),
    /// This machine, in development; at this address, or at what the name resolves to.
    Here(Option<IpAddr>, ServerName<'static>),
}

impl Target {
    /// Reads a URL and holds it against the policy. Nothing is asked of anybody for that.
    pub(super) fn admit(policy: &Policy, text: &str) -> Result<Self, Refusal> {
        if text.len() > LONGEST_URL {
            return Err(Refusal::Url);
        }
        Self::admit_url(policy, Url::parse(text).map_err(|_| Refusal::Url)?)
    }

    /// Where a redirect from here leads. A hop never leaves https, and never comes from elsewhere
    /// to this machine.
    pub(super) fn hop(&self, policy: &Policy, location: &str) -> Result<Self, Refusal> {
        let url = match self.url.join(location) {
            Ok(url) if location.len() <= LONGEST_URL => url,
            _ => return Err(Refusal::Url),
        };
        let to = shown(&url);
        let refused = |reason| Refusal::RedirectTo {
            to: to.clone(),
            reason: Box::new(reason),
        };
        let next = Self::admit_url(policy, url).map_err(refused)?;
        let less_secure = self.url.scheme() == "https" && next.url.scheme() != "https";
        let comes_home = self.is_elsewhere() && !next.is_elsewhere();
        match less_secure || comes_home {
            true => Err(refused(Refusal::Downgrade)),
            false => Ok(next),
        }
    }

    /// Where `location` leads from here, as errors show it.
    pub(super) fn shown_hop(&self, location: &str) -> String {
        let url = self.url.join(location);
        url.map_or_else(|_| "what is no URL".to_owned(), |url| shown(&url))
    }

    fn admit_url(policy: &Policy, mut url: Url) -> Result<Self, Refusal> {
        url.set_fragment(None);
        if !matches!(url.scheme(), "https" | "http") {
            let scheme = url.scheme().chars().take(20).collect();
            return Err(Refusal::Scheme(scheme));
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(Refusal::UserInfo);
        }
        let place = place(policy, &url)?;
        if matches!(place, Place::Elsewhere(_)) && url.scheme() != "https" {
            return Err(Refusal::Scheme(url.scheme().to_owned()));
        }
        let port = url.port_or_known_default().ok_or(Refusal::Url)?;
        let host = url.host_str().ok_or(Refusal::Url)?.to_owned();
        if matches!(place, Place::Elsewhere(_)) {
            listed(&policy.hosts, &host, port)?;
        }
        Ok(Self {
            url,
            host,
            port,
            place,
        })
    }

    /// The URL, normalized and without a fragment.
    pub(super) fn url(&self) -> &str {
        self.url.as_str()
    }

    /// The host name in its ASCII form, or an address of this machine.
    pub(super) fn host(&self) -> &str {
        &self.host
    }

    /// The port that is connected to.
    pub(super) const fn port(&self) -> u16 {
        self.port
    }

    /// Scheme, host and port: those who answer for one of its URLs answer for all.
    pub(super) fn origin(&self) -> String {
        format!("{}://{}:{}", self.url.scheme(), self.host, self.port)
    }

    /// Whom the certificate has to name; none over http.
    pub(super) fn server_name(&self) -> Option<&ServerName<'static>> {
        match &self.place {
            Place::Elsewhere(name) | Place::Here(_, name) => {
                (self.url.scheme() == "https").then_some(name)
            }
        }
    }

    /// The address, where the URL says it itself.
    pub(super) const fn address(&self) -> Option<IpAddr> {
        match self.place {
            Place::Here(address, _) => address,
            Place::Elsewhere(_) => None,
        }
    }

    /// Whether an address that the name resolved to may be connected to.
    pub(super) fn reaches(&self, policy: &Policy, address: IpAddr) -> bool {
        match self.place {
            Place::Here(..) => address.is_loopback(),
            Place::Elsewhere(_) => policy.reaches(address),
        }
    }

    const fn is_elsewhere(&self) -> bool {
        matches!(self.place, Place::Elsewhere(_))
    }
}

fn place(policy: &Policy, url: &Url) -> Result<Place, Refusal> {
    // The parser of URLs has read every spelling of an address as one by now: octal, hexadecimal,
    // one number, full-width digits.
    match url.host().ok_or(Refusal::Url)? {
        Host::Domain(name) => {
            let here = name == "localhost" || name.ends_with(".localhost");
            let fine = (here && policy.localhost) || (!here && is_host_name(name));
            let proven = ServerName::try_from(name.to_owned()).ok();
            match proven {
                Some(proven) if fine && here => Ok(Place::Here(None, proven)),
                Some(proven) if fine => Ok(Place::Elsewhere(proven)),
                _ => Err(Refusal::HostName(name.chars().take(SHOWN).collect())),
            }
        }
        Host::Ipv4(address) => here(policy, address.into()),
        Host::Ipv6(address) => here(policy, address.into()),
    }
}

fn here(policy: &Policy, address: IpAddr) -> Result<Place, Refusal> {
    match policy.localhost && address.is_loopback() {
        true => Ok(Place::Here(Some(address), ServerName::from(address))),
        false => Err(Refusal::IpLiteral),
    }
}

fn listed(hosts: &Hosts, host: &str, port: u16) -> Result<(), Refusal> {
    match hosts {
        Hosts::None => Err(Refusal::Nothing),
        Hosts::Public if port == HTTPS => Ok(()),
        Hosts::Public => Err(Refusal::Port(port)),
        Hosts::Listed(patterns) => {
            let mut named = patterns.iter().filter(|p| p.names(host)).peekable();
            if named.peek().is_none() {
                return Err(Refusal::Host(host.to_owned()));
            }
            match named.any(|pattern| pattern.port() == port) {
                true => Ok(()),
                false => Err(Refusal::Port(port)),
            }
        }
    }
}

/// A URL as errors show it: without user, query and fragment, and not all of a long one.
fn shown(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    let port = url.port().map(|port| format!(":{port}"));
    let port = port.unwrap_or_default();
    let whole = format!("{}://{host}{port}{}", url.scheme(), url.path());
    whole.chars().take(SHOWN).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn public() -> Policy {
        Policy {
            hosts: Hosts::Public,
            ..Policy::default()
        }
    }

    fn development() -> Policy {
        Policy {
            localhost: true,
            ..public()
        }
    }

    fn refusal(policy: &Policy, url: &str) -> Refusal {
        Target::admit(policy, url).unwrap_err()
    }

    #[test]
    fn a_public_https_url_is_admitted_in_its_normal_form() {
        for (url, normal) in [
            ("https://example.org", "https://example.org/"),
            ("HTTPS://EXAMPLE.org:443/a?b#c", "https://example.org/a?b"),
            (
                "https://Bücher.example/ü",
                "https://xn--bcher-kva.example/%C3%BC",
            ),
        ] {
            let target = Target::admit(&public(), url).unwrap();
            assert_eq!(target.url(), normal);
            assert_eq!(target.port(), 443);
            assert!(target.server_name().is_some());
        }
    }

    #[test]
    fn an_address_is_refused_in_every_spelling() {
        for host in [
            "127.0.0.1",
            "127.1",
            "0x7f.0.0.1",
            "0x7f000001",
            "2130706433",
            "0177.0.0.1",
            "１２７.0.0.1",
            "127。0。0。1",
            "169.254.169.254",
            "8.8.8.8",
            "[::1]",
            "[::ffff:169.254.169.254]",
            "[2606:2800::1]",
            "%31%32%37.0.0.1",
        ] {
            let url = format!("https://{host}/");
            assert_eq!(refusal(&public(), &url), Refusal::IpLiteral, "{host}");
        }
    }

    #[test]
    fn what_is_no_public_host_is_refused_before_anything_is_asked() {
        for (url, expected) in [
            ("", Refusal::Url),
            ("example.org", Refusal::Url),
            ("https://", Refusal::Url),
            ("https://exa mple.org/", Refusal::Url),
            ("https://999.999.999.999/", Refusal::Url),
            ("http://example.org/", Refusal::Scheme("http".into())),
            ("file:///etc/passwd", Refusal::Scheme("file".into())),
            ("gopher://example.org/", Refusal::Scheme("gopher".into())),
            ("https://u@example.org/", Refusal::UserInfo),
            ("https://u:p@example.org/", Refusal::UserInfo),
            ("https://intranet/", Refusal::HostName("intranet".into())),
            ("https://localhost/", Refusal::HostName("localhost".into())),
            (
                "https://a.localhost/",
                Refusal::HostName("a.localhost".into()),
            ),
            (
                "https://example.org./",
                Refusal::HostName("example.org.".into()),
            ),
            (
                "https://a_b.example/",
                Refusal::HostName("a_b.example".into()),
            ),
            ("https://example.org:22/", Refusal::Port(22)),
            ("https://example.org:80/", Refusal::Port(80)),
        ] {
            assert_eq!(refusal(&public(), url), expected, "{url}");
        }
        let long = format!("https://example.org/{}", "a".repeat(LONGEST_URL));
        assert_eq!(refusal(&public(), &long), Refusal::Url);
    }

    #[test]
    fn only_who_is_listed_is_fetched_from() {
        let patterns = ["example.org", "*.list.example", "example.org:8443"];
        let listed = Policy {
            hosts: Hosts::Listed(patterns.map(|p| p.parse().unwrap()).to_vec()),
            ..Policy::default()
        };
        for url in [
            "https://example.org/",
            "https://a.list.example/",
            "https://example.org:8443/",
        ] {
            assert!(Target::admit(&listed, url).is_ok(), "{url}");
        }
        let other = Refusal::Host("other.example".into());
        assert_eq!(refusal(&listed, "https://other.example/"), other);
        assert_eq!(
            refusal(&listed, "https://a.list.example:8443/"),
            Refusal::Port(8443)
        );
        let closed = Policy::default();
        assert_eq!(refusal(&closed, "https://example.org/"), Refusal::Nothing);
    }

    #[test]
    fn this_machine_is_fetched_from_in_development_only() {
        for url in [
            "http://localhost:8080/",
            "https://a.localhost/",
            "http://127.0.0.1:9/",
            "http://[::1]/",
        ] {
            assert!(Target::admit(&development(), url).is_ok(), "{url}");
            assert!(Target::admit(&public(), url).is_err(), "{url}");
        }
        for (url, expected) in [
            ("http://example.org/", Refusal::Scheme("http".into())),
            ("http://169.254.169.254/", Refusal::IpLiteral),
            ("http://[::ffff:127.0.0.1]/", Refusal::IpLiteral),
        ] {
            assert_eq!(refusal(&development(), url), expected, "{url}");
        }
        let here = Target::admit(&development(), "http://localhost/").unwrap();
        assert!(here.reaches(&development(), "127.0.0.1".parse().unwrap()));
        assert!(!here.reaches(&development(), "8.8.8.8".parse().unwrap()));
    }

    #[test]
    fn a_hop_never_leads_to_less() {
        let at = Target::admit(&development(), "https://example.org/a/b").unwrap();
        let hop = |location| at.hop(&development(), location);
        assert_eq!(hop("../c?d").unwrap().url(), "https://example.org/c?d");
        assert_eq!(hop("//b.example/").unwrap().url(), "https://b.example/");
        for (location, reason) in [
            ("http://example.org/", Refusal::Scheme("http".into())),
            ("http://169.254.169.254/latest/?token=x", Refusal::IpLiteral),
            ("http://127.0.0.1/", Refusal::Downgrade),
            ("https://localhost/", Refusal::Downgrade),
            ("https://u:p@b.example/", Refusal::UserInfo),
        ] {
            match hop(location).unwrap_err() {
                Refusal::RedirectTo { to, reason: found } => {
                    assert_eq!(*found, reason, "{location}");
                    assert!(!to.contains("token") && !to.contains("u:p"), "{to}");
                }
                other => panic!("{location}: {other:?}"),
            }
        }
        assert_eq!(hop("https://[").unwrap_err(), Refusal::Url);
    }
}
