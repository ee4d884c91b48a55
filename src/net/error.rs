//! Why a fetch gave nothing.

use thiserror::Error;

/// Why there is no document. The texts go to callers: they name what the caller named, and
/// nothing of the network that the registry stands in.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum FetchError {
    /// Policy forbids it. Asking again changes nothing until the policy or the other side does.
    #[error("it is not fetched: {0}")]
    Refused(#[from] Refusal),
    /// Nobody answered, or not with an answer; it may be there later.
    #[error("it could not be fetched: {0}")]
    Unreachable(#[from] Unreachable),
    /// 404: who was asked knows of none.
    #[error("it was not found there (404)")]
    NotFound,
    /// 410: it was there and is not any more.
    #[error("it is gone from there (410)")]
    Gone,
    /// There is an answer, and it cannot be taken.
    #[error("what was found cannot be used: {0}")]
    Unusable(#[from] Unusable),
    /// Too many fetches are under way. The other side was not asked.
    #[error("too many fetches are under way here: try again")]
    Busy,
}

impl FetchError {
    /// Its kind without its words, which name what callers named: for the log.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Refused(_) => "Refused",
            Self::Unreachable(_) => "Unreachable",
            Self::NotFound => "NotFound",
            Self::Gone => "Gone",
            Self::Unusable(_) => "Unusable",
            Self::Busy => "Busy",
        }
    }
}

/// What the policy forbids.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Refusal {
    /// Not a URL, or a longer one than is taken.
    #[error("that is no URL that can be fetched")]
    Url,
    /// Another scheme than https.
    #[error("only https URLs are fetched, and this one is {0}")]
    Scheme(String),
    /// A user name or a password in the URL.
    #[error("a URL with a user name or password in it")]
    UserInfo,
    /// An address in the place of a host name.
    #[error("a host has to be a name, not an IP address")]
    IpLiteral,
    /// No host name of the public internet: one label, or not written as names are.
    #[error("{0:?} is no host name of the public internet")]
    HostName(String),
    /// Nothing is fetched from anybody.
    #[error("nothing is fetched from other hosts here (fetch.policy is \"none\")")]
    Nothing,
    /// Hosts are listed, and this one is not.
    #[error("the host {0:?} is not among those that are fetched from here (fetch.hosts)")]
    Host(String),
    /// A port that is not listed.
    #[error("port {0} is not fetched from here")]
    Port(u16),
    /// No address of the host is one that is connected to.
    #[error("the host {0:?} resolves to an address that is not public")]
    NotPublic(String),
    /// A redirect, and none are followed, or no more of them.
    #[error("it redirects to {to}, and at most {followed} redirects are followed here")]
    Redirect {
        /// Where it leads, without its query.
        to: String,
        /// How many are followed.
        followed: u8,
    },
    /// A redirect to where nothing is fetched.
    #[error("it redirects to {to}: {reason}")]
    RedirectTo {
        /// Where it leads, without its query.
        to: String,
        /// Why that is refused.
        reason: Box<Self>,
    },
    /// A redirect from https to http, or to this machine itself.
    #[error("that is less protected than what redirects to it")]
    Downgrade,
}

/// Why there is no answer.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Unreachable {
    /// The name has no address, or nobody could tell.
    #[error("the host name {0:?} could not be resolved")]
    Name(String),
    /// Nobody listens, or the way there is broken.
    #[error("no connection to {0:?} could be made")]
    Connect(String),
    /// The host did not prove who it is.
    #[error("no secure connection to {host:?}: {reason}")]
    Tls {
        /// The host.
        host: String,
        /// What is wrong.
        reason: TlsProblem,
    },
    /// The time limit was reached.
    #[error("there was no whole answer within {0} ms")]
    Timeout(u64),
    /// The connection ended within the answer.
    #[error("the answer broke off")]
    BrokenOff,
    /// The answer is not HTTP, or has more header fields than anybody needs.
    #[error("the answer is not HTTP/1.1, or has more than 128 header fields")]
    NotHttp,
    /// A status other than 200, 404 and 410.
    #[error("it was answered with status {0}")]
    Status(u16),
}

/// What is wrong with the other side's TLS.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum TlsProblem {
    /// The certificate is not for this name.
    #[error("the certificate is for another name")]
    Name,
    /// Nobody who is trusted signed the certificate.
    #[error("the certificate is by an authority that is not trusted here")]
    Authority,
    /// The certificate is not valid at this time.
    #[error("the certificate has expired or is not valid yet")]
    Period,
    /// Another fault of the certificate.
    #[error("the certificate is not valid")]
    Certificate,
    /// The two sides found no common ground.
    #[error("the TLS handshake failed")]
    Handshake,
}

/// Why an answer cannot be taken.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Unusable {
    /// Not a media type of this kind of thing.
    #[error("its Content-Type is {}, and has to be {wanted}",
        .found.as_deref().map_or("missing".to_owned(), |found| format!("{found:?}")))]
    ContentType {
        /// What it says; at most 100 characters.
        found: Option<String>,
        /// What is taken, in words.
        wanted: String,
    },
    /// A content coding that was not asked for.
    #[error("its Content-Encoding is {0:?}, and gzip was asked for")]
    ContentEncoding(String),
    /// The compressed stream is damaged, ends early, or has something behind it.
    #[error("its compressed content is damaged")]
    Damaged,
    /// More header than is read.
    #[error("its header is longer than {0} bytes, which is the limit here")]
    Head(usize),
    /// A longer body than is read.
    #[error("it is longer than {0} bytes, which is the limit here")]
    TooLarge(usize),
    /// It expands to more than is kept.
    #[error("it expands to more than {0} bytes, which is the limit here")]
    ExpandsTooFar(usize),
}
