//! The credentials that a person hands to a command: from a file, standard input or a URL, as JSON,
//! as a JWT, or baked into an image.

use serde_json::{Map, Value};
use url::Url;

use super::context::Context;
use super::error::CliError;
use super::fetch::fetch;
use crate::verify::{Input, InputError};

/// Reads a file, standard input where the source is `-`, or what a URL answers.
pub(super) fn read_from_anywhere(context: &Context<'_>, source: &str) -> Result<Input, CliError> {
    let bytes = match web(source) {
        Some(url) => {
            let _fetching = context.shows.begin(&format!("fetching {url}"));
            fetch(&url, context.timeout)?
        }
        None => context.read(source)?,
    };
    read(&bytes, source)
}

/// The URL that a source is, unless it names a file.
pub(super) fn web(source: &str) -> Option<Url> {
    let url = Url::parse(source).ok();
    url.filter(|_| source.contains("://"))
}

/// What a source is called in messages.
pub(super) fn place(source: &str) -> &str {
    match source {
        "-" => "standard input",
        named => named,
    }
}

/// Reads what was handed over, whatever it is wrapped in.
pub(super) fn read(bytes: &[u8], source: &str) -> Result<Input, CliError> {
    let place = place(source);
    let not_json = |reason: String| CliError::NotJson {
        place: place.to_owned(),
        reason,
    };
    let input = Input::read(bytes).map_err(|refused| match refused {
        InputError::Json(reason) => not_json(reason.to_string()),
        image @ InputError::Image(_) => CliError::Unreadable {
            place: place.to_owned(),
            reason: image.to_string(),
        },
    })?;
    match input {
        Input::Credential(Value::Object(members)) => Ok(unwrapped(members)),
        Input::Credential(Value::String(_)) | Input::Presentation(_) => Ok(input),
        Input::Credential(_) => Err(not_json("a credential is a JSON object or a JWT".into())),
    }
}

/// What `issue --json` prints, and what other services answer with, wraps the credential.
fn unwrapped(mut members: Map<String, Value>) -> Input {
    if !members.contains_key("@context") {
        for wrapper in ["verifiableCredential", "verifiablePresentation"] {
            let inner = members.get(wrapper);
            if inner.is_some_and(|inner| inner.is_object() || inner.is_string()) {
                return Input::of(members.shift_remove(wrapper).unwrap_or_default());
            }
        }
    }
    Input::Credential(members.into())
}
