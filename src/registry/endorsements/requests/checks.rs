//! What a request may say, and how much of it.

use url::Url;

use super::NewRequest;
use crate::registry::RegistryError;
use crate::time::Timestamp;

/// At most this many characters of one text.
const LONGEST_TEXT: usize = 2_000;
/// At most this many links in one place.
const MOST_LINKS: usize = 20;
/// At most this many bytes of a link.
const LONGEST_LINK: usize = 2_048;

pub(super) fn check_new(new: &NewRequest) -> Result<(), RegistryError> {
    check_text(new.name.as_deref(), "/name")?;
    check_text(new.comment.as_deref(), "/comment")?;
    check_links(&new.evidence)
}

/// What is said says something, and can be shown.
pub(super) fn check_text(text: Option<&str>, pointer: &str) -> Result<(), RegistryError> {
    let Some(text) = text else {
        return Ok(());
    };
    let unshown = |c: char| c.is_control() && !"\n\r\t".contains(c);
    let detail = if text.trim().is_empty() {
        "some words are needed".to_owned()
    } else if text.contains(unshown) {
        "control characters cannot be shown".to_owned()
    } else if text.chars().count() > LONGEST_TEXT {
        format!("at most {LONGEST_TEXT} characters are taken; link to what is longer as evidence")
    } else {
        return Ok(());
    };
    Err(RegistryError::invalid(pointer, detail))
}

/// Links are shown to people on the other side, and never followed here.
pub(super) fn check_links(links: &[String]) -> Result<(), RegistryError> {
    if links.len() > MOST_LINKS {
        let detail = format!("at most {MOST_LINKS} links are taken");
        return Err(RegistryError::invalid("/evidence", detail));
    }
    let wrong = |link: &String| {
        let url = Url::parse(link).ok().filter(|url| url.scheme() == "https");
        let shown = url.is_some_and(|url| url.username().is_empty() && url.password().is_none());
        !shown || link.len() > LONGEST_LINK || link.contains(char::is_control)
    };
    match links.iter().position(wrong) {
        None => Ok(()),
        Some(place) => {
            let detail = format!(
                "an https URL of at most {LONGEST_LINK} characters is needed, without a user's name"
            );
            Err(RegistryError::invalid(format!("/evidence/{place}"), detail))
        }
    }
}

/// What is asked for, or given, has not ended before it begins, nor by now.
pub(super) fn check_period(
    from: Option<Timestamp>,
    until: Option<Timestamp>,
    now: Timestamp,
) -> Result<(), RegistryError> {
    let detail = match until {
        Some(until) if until <= now => format!("{until} is over; now is {now}"),
        Some(until) if from.is_some_and(|from| until <= from) => {
            "the end has to come after the beginning, validFrom".to_owned()
        }
        _ => return Ok(()),
    };
    Err(RegistryError::invalid("/validUntil", detail))
}
