//! Status lists that stand elsewhere: from the bytes that were fetched to what a list says of one
//! credential, in the order of Bitstring Status List 1.0, section 3.2.
//!
//! A list counts for the credentials of its own issuer only. That is compared before anybody is
//! asked for the list's key, so that a list cannot have a stranger's documents fetched.

use serde_json::Value;

use crate::bitstring::{DEFAULT_CAP_BYTES, MINIMUM_ENTRIES};
use crate::json;
use crate::status::{
    ListReference, RevocationList, SignedCwt, StatusError, StatusList, StatusResult,
    TokenStatusList,
};
use crate::time::{Timestamp, Ttl};
use crate::vc::credential::Credential;
use crate::vc::jws::{Header, Jws};
use crate::vc::jwt::{CredentialJwt, Envelope};
use crate::vc::verifying::VerifyingKey;

/// How far ahead of the present a list may begin. A list that is signed when it is asked for
/// begins after the verification that asks did, and clocks differ; its end is never stretched.
pub(super) const CLOCK_SKEW: Ttl = Ttl::from_seconds(60);

/// What was fetched, as it came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fetched {
    /// The URL that was asked for, exactly as the credential writes it.
    pub url: String,
    /// The body, without content encodings. Whoever fetches bounds its length.
    pub body: Vec<u8>,
}

/// Finds out who signed a list. Errors need not name the list; [`check_list`] does.
pub trait ListSigners {
    /// Whether a proof embedded in the credential `list` is good, and made with a key that
    /// `issuer` uses for assertions.
    ///
    /// # Errors
    /// What is wrong with the proofs; [`StatusError::Retrieval`] where the key could not be had.
    fn check_proofs(&mut self, list: &Value, issuer: &str) -> Result<(), StatusError>;

    /// Whether a reader of JSON-LD sees in the credential `list`, which a JWT signs, what its JSON
    /// shows.
    ///
    /// # Errors
    /// What is hidden or re-named.
    fn check_reading(&mut self, list: &Value) -> Result<(), StatusError>;

    /// The key that the header of a JWS or COSE_Sign1 names, which has to be one that `issuer` uses
    /// for assertions. The signature is not this method's matter.
    ///
    /// # Errors
    /// There is no such key; [`StatusError::Retrieval`] where it could not be had.
    fn key(&mut self, header: &Header, issuer: &str) -> Result<VerifyingKey, StatusError>;
}

/// A list that was found to be its issuer's and in force, expanded once. It may be kept until
/// [`CheckedList::holds_until`] and asked for any credential; it never answers for another
/// issuer's, nor outside of its period.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckedList {
    url: String,
    issuer: String,
    content: Content,
    period: Period,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Content {
    Bits(StatusList),
    Ids(RevocationList),
    Token(TokenStatusList),
}

/// Checks what was fetched for `reference`, which stands in a credential by `issuer`: whose it is,
/// its proof, its period and its id.
///
/// # Errors
/// [`StatusError`] says which step failed; the status is unknown then.
pub fn check_list(
    fetched: &Fetched,
    reference: &ListReference,
    issuer: &str,
    now: Timestamp,
    signers: &mut dyn ListSigners,
) -> Result<CheckedList, StatusError> {
    check_url(&fetched.url, reference)?;
    let mut reader = Reader {
        url: &fetched.url,
        issuer,
        signers,
    };
    let (content, period) = match reference {
        ListReference::Bitstring(_) => reader.credential(&fetched.body)?,
        ListReference::RevocationList(_) => reader.ids(&fetched.body)?,
        ListReference::Token(_) => reader.token(&fetched.body)?,
    };
    let list = CheckedList {
        url: fetched.url.clone(),
        issuer: issuer.to_owned(),
        content,
        period,
    };
    list.check_period(now)?;
    match list.content.id() {
        Some(found) if found != list.url => Err(StatusError::Identity {
            list: list.url,
            found: found.to_owned(),
        }),
        _ => Ok(list),
    }
}

impl CheckedList {
    /// Whose list it is.
    pub fn issuer(&self) -> &str {
        &self.issuer
    }

    /// Until when it may be kept, by its own word, where it was fetched at `fetched`: the end of
    /// its period, or of its `ttl` from that moment, whichever comes first. `None` where it says
    /// neither.
    pub fn holds_until(&self, fetched: Timestamp) -> Option<Timestamp> {
        let ttl = self.content.ttl();
        earlier(self.period.until, ttl.map(|ttl| fetched.plus(ttl)))
    }

    /// About how many bytes of memory it takes.
    pub fn footprint(&self) -> usize {
        let content = match &self.content {
            Content::Bits(list) => list.footprint(),
            Content::Ids(list) => list.footprint(),
            Content::Token(list) => list.footprint(),
        };
        size_of::<Self>() + self.url.len() + self.issuer.len() + content
    }

    /// What the list says of the credential `credential_id` by `issuer`, which points to it with
    /// `reference`.
    ///
    /// # Errors
    /// [`StatusError`] says why it says nothing: it is another list, of another issuer or kind,
    /// its period is over, or the reference leads nowhere in it.
    pub fn says(
        &self,
        reference: &ListReference,
        issuer: &str,
        credential_id: Option<&str>,
        now: Timestamp,
    ) -> Result<StatusResult, StatusError> {
        check_url(&self.url, reference)?;
        check_issuer(&self.url, &self.issuer, issuer)?;
        self.check_period(now)?;
        match (&self.content, reference) {
            (Content::Bits(list), ListReference::Bitstring(entry)) => {
                list.check(entry, MINIMUM_ENTRIES)
            }
            (Content::Ids(list), ListReference::RevocationList(_)) => list.status(credential_id),
            (Content::Token(list), ListReference::Token(entry)) => list.status(entry.index),
            _ => Err(refused(&self.url, "it is a list of another kind")),
        }
    }

    fn check_period(&self, now: Timestamp) -> Result<(), StatusError> {
        match self.period {
            Period {
                from: Some(from), ..
            } if from > now.plus(CLOCK_SKEW) => {
                Err(refused(&self.url, format!("it is valid from {from}")))
            }
            Period {
                until: Some(until), ..
            } if until <= now => Err(refused(&self.url, format!("it was valid until {until}"))),
            _ => Ok(()),
        }
    }
}

impl Content {
    fn id(&self) -> Option<&str> {
        match self {
            Self::Bits(list) => list.id.as_deref(),
            Self::Ids(list) => Some(&list.id),
            Self::Token(list) => Some(&list.subject),
        }
    }

    const fn ttl(&self) -> Option<Ttl> {
        match self {
            Self::Bits(list) => list.ttl,
            Self::Ids(_) => None,
            Self::Token(list) => list.ttl,
        }
    }
}

/// When a list holds: from `from` on, and before `until`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
struct Period {
    from: Option<Timestamp>,
    until: Option<Timestamp>,
}

impl Period {
    const fn of(list: &StatusList) -> Self {
        Self {
            from: list.valid_from,
            until: list.valid_until,
        }
    }

    fn and(self, other: Self) -> Self {
        Self {
            from: self.from.max(other.from),
            until: earlier(self.until, other.until),
        }
    }
}

/// `None` is no bound.
fn earlier(one: Option<Timestamp>, other: Option<Timestamp>) -> Option<Timestamp> {
    one.into_iter().chain(other).min()
}

/// Reads one list.
struct Reader<'a> {
    url: &'a str,
    issuer: &'a str,
    signers: &'a mut dyn ListSigners,
}

impl Reader<'_> {
    /// A list that is a credential: with embedded proofs, as a JWT, or as a JWT in an envelope.
    fn credential(&mut self, body: &[u8]) -> Result<(Content, Period), StatusError> {
        if !is_json(body) {
            return self.credential_jwt(self.text(body)?);
        }
        let document = self.json(body)?;
        if Envelope::of(&document) == Some(Envelope::Credential) {
            let jwt = Envelope::Credential.open(&document);
            return self.credential_jwt(jwt.map_err(|error| self.refused(error))?);
        }
        self.check_issuer(Credential::read(&document)?.issuer.id)?;
        StatusList::check_shape(&document)?;
        let proved = self.signers.check_proofs(&document, self.issuer);
        self.of_this_list(proved)?;
        let list = StatusList::parse(&document, DEFAULT_CAP_BYTES)?;
        let period = Period::of(&list);
        Ok((Content::Bits(list), period))
    }

    fn credential_jwt(&mut self, text: &str) -> Result<(Content, Period), StatusError> {
        let jwt = CredentialJwt::parse(text).map_err(|error| self.refused(error))?;
        self.check_issuer(&jwt.issuer)?;
        StatusList::check_shape(&jwt.credential)?;
        let key = self.key(jwt.header())?;
        jwt.verify(&key).map_err(|error| self.refused(error))?;
        let read = self.signers.check_reading(&jwt.credential);
        self.of_this_list(read)?;
        let list = StatusList::parse(&jwt.credential, DEFAULT_CAP_BYTES)?;
        let of_jwt = Period {
            from: jwt.not_before,
            until: jwt.expires,
        };
        let period = Period::of(&list).and(of_jwt);
        Ok((Content::Bits(list), period))
    }

    /// A list of ids, which nobody signs: that it is its issuer's rests on its URL.
    fn ids(&self, body: &[u8]) -> Result<(Content, Period), StatusError> {
        let list = RevocationList::parse(&self.json(body)?)?;
        self.check_issuer(&list.issuer)?;
        Ok((Content::Ids(list), Period::default()))
    }

    fn token(&mut self, body: &[u8]) -> Result<(Content, Period), StatusError> {
        let list = match is_tagged_cbor(body) {
            true => self.token_cwt(body),
            false => self.token_jwt(self.text(body)?),
        }?;
        let period = Period {
            from: Some(list.valid_from),
            until: list.valid_until,
        };
        Ok((Content::Token(list), period))
    }

    fn token_jwt(&mut self, text: &str) -> Result<TokenStatusList, StatusError> {
        let jws = Jws::parse(text).map_err(|error| self.refused(error))?;
        if !jws.header().is_typ("statuslist+jwt") {
            return Err(self.refused("the JWT header's typ is not statuslist+jwt"));
        }
        let claims = self.json(jws.payload())?;
        if let Some(issuer) = claims.get("iss") {
            self.check_issuer(issuer.as_str().unwrap_or_default())?;
        }
        let key = self.key(jws.header())?;
        jws.verify(&key).map_err(|error| self.refused(error))?;
        TokenStatusList::from_claims(&claims, DEFAULT_CAP_BYTES)
    }

    fn token_cwt(&mut self, body: &[u8]) -> Result<TokenStatusList, StatusError> {
        let cwt = SignedCwt::parse(body)?;
        if let Some(issuer) = cwt.issuer() {
            self.check_issuer(issuer)?;
        }
        let key = self.key(&self.header(&cwt)?)?;
        cwt.verify(&key, DEFAULT_CAP_BYTES)
    }

    /// The key that a header names.
    fn key(&mut self, header: &Header) -> Result<VerifyingKey, StatusError> {
        let found = self.signers.key(header, self.issuer);
        self.of_this_list(found)
    }

    /// What is wrong with who signed the list is wrong with this list.
    fn of_this_list<T>(&self, found: Result<T, StatusError>) -> Result<T, StatusError> {
        let list = self.url.to_owned();
        found.map_err(|error| match error {
            StatusError::Retrieval { reason, .. } => StatusError::Retrieval { list, reason },
            StatusError::Verification { reason, .. } => StatusError::Verification { list, reason },
            other => other,
        })
    }

    /// The header of a CWT as far as a key is found by it.
    fn header(&self, cwt: &SignedCwt) -> Result<Header, StatusError> {
        let kid = cwt.key_id().map(|id| String::from_utf8(id.to_owned()));
        let kid = kid
            .transpose()
            .map_err(|_| self.refused("the id of its key is not text"))?;
        Ok(Header {
            algorithm: cwt.kind(),
            kid,
            typ: None,
            cty: None,
            jwk: None,
            iss: None,
            others: Vec::new(),
        })
    }

    fn json(&self, bytes: &[u8]) -> Result<Value, StatusError> {
        json::parse(bytes).map_err(|error| self.refused(error))
    }

    /// A compact JWS, without the white space that files end with.
    fn text<'b>(&self, body: &'b [u8]) -> Result<&'b str, StatusError> {
        let text = std::str::from_utf8(body.trim_ascii());
        text.map_err(|_| self.refused("it is neither JSON nor a JWT"))
    }

    fn check_issuer(&self, found: &str) -> Result<(), StatusError> {
        check_issuer(self.url, found, self.issuer)
    }

    fn refused(&self, reason: impl ToString) -> StatusError {
        refused(self.url, reason)
    }
}

fn check_url(url: &str, reference: &ListReference) -> Result<(), StatusError> {
    match reference.list() {
        meant if meant == url => Ok(()),
        meant => Err(refused(url, format!("the credential points to {meant}"))),
    }
}

fn check_issuer(url: &str, found: &str, issuer: &str) -> Result<(), StatusError> {
    match found == issuer {
        true => Ok(()),
        false => Err(refused(
            url,
            format!("it is a list of {found:?}, not of {issuer:?}"),
        )),
    }
}

fn refused(url: &str, reason: impl ToString) -> StatusError {
    StatusError::Verification {
        list: url.to_owned(),
        reason: reason.to_string(),
    }
}

fn is_json(body: &[u8]) -> bool {
    body.trim_ascii_start().first() == Some(&b'{')
}

/// Whether this begins with a CBOR tag, as every CWT does and no JWT can.
fn is_tagged_cbor(body: &[u8]) -> bool {
    body.first().is_some_and(|first| first >> 5 == 6)
}

#[cfg(test)]
mod tests;
