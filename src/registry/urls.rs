//! The URLs of what lives here.

use std::borrow::Cow;

use url::{Position, Url, form_urlencoded};

use super::ListForm;
use crate::codes::VerificationCode;
use crate::ids::{AchievementId, EndorsementId, ListId, RequestId, Slug};

/// Makes and takes apart the URLs of what lives here.
#[derive(Debug, Clone, Copy)]
pub struct Urls<'a>(&'a str);

impl<'a> Urls<'a> {
    /// Those below this origin.
    pub(super) const fn of(origin: &'a str) -> Self {
        Self(origin)
    }

    /// The origin, without a path.
    pub const fn origin(&self) -> &'a str {
        self.0
    }

    /// The origin's host, with its port where it has one.
    pub fn host(&self) -> &'a str {
        self.0.split_once("://").map_or(self.0, |(_, host)| host)
    }

    /// A profile.
    pub fn profile(&self, slug: &Slug) -> String {
        format!("{}/profiles/{slug}", self.0)
    }

    /// An achievement.
    pub fn achievement(&self, id: AchievementId) -> String {
        format!("{}/achievements/{id}", self.0)
    }

    /// A status list.
    pub fn list(&self, id: ListId) -> String {
        format!("{}/status-lists/{id}", self.0)
    }

    /// The token list that has a list's id.
    pub fn token_list(&self, id: ListId) -> String {
        format!("{}/token-status-lists/{id}", self.0)
    }

    /// Where the token lists of an issuer are named.
    pub fn token_lists_of(&self, issuer: &str) -> String {
        let issuer: String = form_urlencoded::byte_serialize(issuer.as_bytes()).collect();
        format!("{}/token-status-lists?issuer={issuer}", self.0)
    }

    /// A list in one of its forms.
    pub fn list_as(&self, id: ListId, form: ListForm) -> String {
        match form {
            ListForm::Bitstring | ListForm::BitstringJwt => self.list(id),
            ListForm::Status2021 => format!("{}/2021", self.list(id)),
            ListForm::TokenJwt | ListForm::TokenCwt => self.token_list(id),
        }
    }

    /// An endorsement.
    pub fn endorsement(&self, id: EndorsementId) -> String {
        format!("{}/endorsements/{id}", self.0)
    }

    /// Where a code is looked up.
    pub fn code(&self, code: &VerificationCode) -> String {
        format!("{}/codes/{code}", self.0)
    }

    /// A request for an endorsement.
    pub fn request(&self, id: RequestId) -> String {
        format!("{}/endorsement-requests/{id}", self.0)
    }

    /// The endorsement that `url` names, where it can be one of ours.
    pub fn parse_endorsement(&self, url: &str) -> Option<EndorsementId> {
        let url = self.spelled(url);
        self.within("endorsements", &url)?.parse().ok()
    }

    /// The endorsement of a URL that was written here, by [`Urls::endorsement`].
    pub(crate) fn own_endorsement(&self, url: &str) -> Option<EndorsementId> {
        self.within("endorsements", url)?.parse().ok()
    }

    /// What `url` names below `/{room}/` of this registry, where it names anything there.
    pub fn within<'u>(&self, room: &str, url: &'u str) -> Option<&'u str> {
        url.strip_prefix(self.0)?
            .strip_prefix('/')?
            .strip_prefix(room)?
            .strip_prefix('/')
    }

    /// The one spelling of an id of ours, however it was spelled: scheme and host in any case, a
    /// default port or user information, percent-encoding of a `did:web` in any case. Ids of
    /// others come back as they are.
    pub fn spelled<'u>(&self, id: &'u str) -> Cow<'u, str> {
        if let Some(rest) = id.strip_prefix("did:web:") {
            let host_end = rest.find([':', '/', '#', '?']).unwrap_or(rest.len());
            let (host, path) = rest.split_at(host_end);
            let ours = self.host().replace(':', "%3A");
            if host.eq_ignore_ascii_case(&ours) {
                return Cow::Owned(format!("did:web:{ours}{path}"));
            }
        } else if let Ok(url) = Url::parse(id)
            && url.origin().ascii_serialization() == self.0
        {
            return Cow::Owned(format!("{}{}", self.0, &url[Position::BeforePath..]));
        }
        Cow::Borrowed(id)
    }

    /// The list that `url` names, where it is one of ours.
    pub fn parse_list(&self, url: &str) -> Option<ListId> {
        self.within("status-lists", url)?.parse().ok()
    }

    /// The list that `url` names in a form that has a URL of its own, where it is one of ours.
    pub fn parse_form(&self, url: &str) -> Option<(ListId, ListForm)> {
        if let Some(id) = self.within("token-status-lists", url) {
            return Some((id.parse().ok()?, ListForm::TokenJwt));
        }
        let id = self.within("status-lists", url)?.strip_suffix("/2021")?;
        Some((id.parse().ok()?, ListForm::Status2021))
    }

    /// Whether `id` is a URL below this registry's origin.
    pub fn is_ours(&self, id: &str) -> bool {
        id.strip_prefix(self.0)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    }
}

#[cfg(test)]
mod tests {
    use super::Urls;

    #[test]
    fn an_id_of_ours_has_one_spelling() {
        let urls = Urls("http://localhost:8080");
        for spelling in [
            "http://localhost:8080/profiles/a",
            "HTTP://LOCALHOST:8080/profiles/a",
            "http://u:p@localhost:8080/profiles/a",
            "http://localhost:8080/x/../profiles/a",
        ] {
            assert_eq!(urls.spelled(spelling), "http://localhost:8080/profiles/a");
        }
        for spelling in [
            "did:web:localhost%3A8080:profiles:a",
            "did:web:LocalHost%3a8080:profiles:a",
        ] {
            assert_eq!(
                urls.spelled(spelling),
                "did:web:localhost%3A8080:profiles:a"
            );
        }
        for other in [
            "http://localhost:80801/a",
            "https://localhost:8080/a",
            "did:web:localhost:a",
        ] {
            assert_eq!(urls.spelled(other), other);
        }
    }
}
