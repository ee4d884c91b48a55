//! The forms that requests to the endpoints of OAuth 2.0 are (RFC 6749 appendix B).

use super::error::OAuthError;

/// The largest form that is read, in bytes.
pub const MAX_FORM: usize = 64 << 10;

/// How many parameters are looked at.
const MAX_PARAMETERS: usize = 64;

/// Parameters that may stand several times (RFC 8707 section 2, RFC 8693 section 2.1).
const REPEATABLE: [&str; 2] = ["resource", "audience"];

/// The parameters of a request, each once.
#[derive(Clone, PartialEq, Eq)]
pub struct Form(Vec<(String, String)>);

impl Form {
    /// Reads a body of `application/x-www-form-urlencoded`. Parameters without a value are as if
    /// they were not there (RFC 6749 section 3.2); those that nobody knows are ignored.
    ///
    /// # Errors
    /// `invalid_request` for what is too large or not UTF-8, and for a parameter that stands twice.
    pub fn parse(body: &[u8]) -> Result<Self, OAuthError> {
        if body.len() > MAX_FORM {
            let words = format!("the form is larger than the {MAX_FORM} bytes that are read");
            return Err(OAuthError::request(words));
        }
        let text =
            std::str::from_utf8(body).map_err(|_| OAuthError::request("the form is not UTF-8"))?;
        if text.split('&').count() > MAX_PARAMETERS {
            let words = format!("the form has more than {MAX_PARAMETERS} parameters");
            return Err(OAuthError::request(words));
        }
        Self::of(url::form_urlencoded::parse(text.as_bytes()).into_owned())
    }

    /// The same of pairs that were read already, as of a query.
    ///
    /// # Errors
    /// `invalid_request` for a parameter that stands twice.
    pub fn of(pairs: impl IntoIterator<Item = (String, String)>) -> Result<Self, OAuthError> {
        let mut kept: Vec<(String, String)> = Vec::new();
        for (name, value) in pairs {
            let once = !REPEATABLE.contains(&name.as_str());
            if once && kept.iter().any(|(before, _)| *before == name) {
                let words = format!("the parameter {name} stands twice");
                return Err(OAuthError::request(words));
            }
            kept.push((name, value));
        }
        kept.retain(|(_, value)| !value.is_empty());
        Ok(Self(kept))
    }

    /// A parameter.
    pub fn get(&self, name: &str) -> Option<&str> {
        let found = self.0.iter().find(|(given, _)| given == name);
        found.map(|(_, value)| value.as_str())
    }

    /// A parameter that has to be there.
    ///
    /// # Errors
    /// `invalid_request` where it is not.
    pub fn needed(&self, name: &str) -> Result<&str, OAuthError> {
        self.get(name)
            .ok_or_else(|| OAuthError::request(format!("the parameter {name} is missing")))
    }

    /// All values of a parameter that may stand several times.
    pub fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        let named = self.0.iter().filter(move |(given, _)| given == name);
        named.map(|(_, value)| value.as_str())
    }
}

/// Names alone: the values are secrets.
impl std::fmt::Debug for Form {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list()
            .entries(self.0.iter().map(|(name, _)| name))
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_parameter_stands_once_and_an_empty_one_not_at_all() {
        let form =
            Form::parse(b"grant_type=client_credentials&scope=&x=a+b%C3%A4&resource=1&resource=2")
                .unwrap();
        assert_eq!(form.get("grant_type"), Some("client_credentials"));
        assert_eq!(form.get("scope"), None);
        assert_eq!(form.get("x"), Some("a bä"));
        assert_eq!(form.all("resource").collect::<Vec<_>>(), ["1", "2"]);
        for bad in ["scope=a&scope=b", "scope=&scope=b", "scope=a&%73cope=b"] {
            assert!(Form::parse(bad.as_bytes()).is_err(), "{bad}");
        }
        assert!(Form::parse(b"a=\xff").is_err());
        assert!(Form::parse(&vec![b'a'; MAX_FORM + 1]).is_err());
        assert!(Form::parse("a=1&".repeat(100).as_bytes()).is_err());
    }

    #[test]
    fn a_form_does_not_show_its_values() {
        let form = Form::parse(b"client_secret=hunter2").unwrap();
        assert_eq!(format!("{form:?}"), "[\"client_secret\"]");
    }
}
