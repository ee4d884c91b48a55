//! The cookies of the console. Over https their names begin with `__Host-`, by which browsers keep them to this
//! host and to secure connections (RFC 6265bis section 4.1.3.2); over plain http, which is for this machine, the
//! port is part of the name, since browsers do not tell ports apart.

use http::HeaderMap;

use crate::http::edge::Edge;

/// What a cookie is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Cookie {
    /// The session.
    Session,
    /// The verifier of the sign-in that is under way.
    SigningIn,
}

/// For how many seconds a sign-in can be under way; as long as its form can be sent.
const UNDER_WAY: u64 = 900;

impl Cookie {
    fn name(self, edge: &Edge) -> String {
        let what = match self {
            Self::Session => "goodstanding",
            Self::SigningIn => "goodstanding-signing-in",
        };
        match is_secure(edge) {
            true => format!("__Host-{what}"),
            false => {
                let host = edge.registry.urls().host();
                let port = host.rsplit_once(':').map_or("80", |(_, port)| port);
                format!("{what}-{port}")
            }
        }
    }

    /// What the browser sent. Where the name stands twice, one of the two is not ours.
    pub(super) fn of(self, edge: &Edge, headers: &HeaderMap) -> Option<String> {
        let name = self.name(edge);
        let lines = headers.get_all("cookie").iter();
        let lines = lines.filter_map(|line| line.to_str().ok());
        let pairs = lines.flat_map(|line| line.split(';'));
        let pairs = pairs.filter_map(|pair| pair.trim().split_once('='));
        let mut named = pairs.filter(|(given, _)| *given == name);
        match (named.next(), named.next()) {
            (Some((_, value)), None) if value.len() <= 512 => Some(value.to_owned()),
            _ => None,
        }
    }

    /// `Set-Cookie` with this value. A session lasts as long as the browser's own, and as long as it is good
    /// here. Lax, so that a link in a message leads to the page; no form of another site is taken anyway.
    pub(super) fn set(self, edge: &Edge, value: &str) -> String {
        match self {
            Self::Session => self.line(edge, value, ""),
            Self::SigningIn => self.line(edge, value, &format!("; Max-Age={UNDER_WAY}")),
        }
    }

    /// `Set-Cookie` that takes it away.
    pub(super) fn clear(self, edge: &Edge) -> String {
        self.line(edge, "", "; Max-Age=0")
    }

    fn line(self, edge: &Edge, value: &str, age: &str) -> String {
        let name = self.name(edge);
        let secure = if is_secure(edge) { "; Secure" } else { "" };
        format!("{name}={value}; Path=/; HttpOnly; SameSite=Lax{age}{secure}")
    }
}

fn is_secure(edge: &Edge) -> bool {
    edge.registry.urls().origin().starts_with("https://")
}
