//! What a status list is for, and which changes its purpose allows.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::bitstring::{StatusSize, ValueTooLarge};

/// The purpose of a list (`statusPurpose`, Bitstring Status List 1.0, section 2.1).
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum StatusPurpose {
    /// The credential is cancelled, for good.
    Revocation,
    /// The credential is out of force while the status is set.
    Suspension,
    /// A newer credential is available; this one stays valid.
    Refresh,
    /// The status is one of the messages that the entry spells out.
    Message,
    /// A purpose that the standard does not define.
    Other(CustomPurpose),
}

/// The name of a purpose that the standard does not define: 1 to 128 characters, no control
/// characters, and none of the defined names.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct CustomPurpose(String);

/// A text is not a purpose.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("a status purpose has 1 to 128 characters, none of them a control character")]
pub struct PurposeError;

/// What a status does to its credential.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub enum Effect {
    /// Nothing is set.
    None,
    /// The credential is no longer in force, and never will be again.
    Revokes,
    /// The credential is out of force for now.
    Suspends,
    /// The credential is in force, and there is a newer one.
    Refreshes,
    /// The credential is in force, and the entry's messages say what the status means.
    Informs,
    /// Something is set whose meaning the standard does not define.
    Undefined,
}

/// A change that is allowed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub enum Change {
    /// Write the requested status.
    Set,
    /// The requested status already stands; nothing is to be written.
    Unchanged,
}

/// A change that is not allowed.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum TransitionRefused {
    /// The purpose never goes back, and the status is set.
    #[error("a {purpose} status never goes back: it is {current} and cannot become {requested}")]
    Final {
        /// The purpose of the list.
        purpose: StatusPurpose,
        /// The status as it stands.
        current: u8,
        /// The status asked for.
        requested: u8,
    },
    /// The status does not fit the entries of the list.
    #[error(transparent)]
    Value(#[from] ValueTooLarge),
}

/// Whether a status of `current` may become `requested` in a list for `purpose` with entries of
/// `size`. Once set, `revocation` and `refresh` keep their value; everything else may change
/// both ways. Asking for what already stands is never refused, so that a repeated request is
/// harmless.
///
/// # Errors
/// [`TransitionRefused`] names the rule.
pub fn transition(
    purpose: &StatusPurpose,
    size: StatusSize,
    current: u8,
    requested: u8,
) -> Result<Change, TransitionRefused> {
    if requested > size.maximum() {
        let value = requested;
        return Err(ValueTooLarge { value, size }.into());
    }
    if requested == current {
        return Ok(Change::Unchanged);
    }
    if purpose.is_final() && current != 0 {
        return Err(TransitionRefused::Final {
            purpose: purpose.clone(),
            current,
            requested,
        });
    }
    Ok(Change::Set)
}

impl StatusPurpose {
    /// The purpose as `statusPurpose` writes it.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Revocation => "revocation",
            Self::Suspension => "suspension",
            Self::Refresh => "refresh",
            Self::Message => "message",
            Self::Other(name) => &name.0,
        }
    }

    /// Whether a status that is set stays set.
    pub const fn is_final(&self) -> bool {
        matches!(self, Self::Revocation | Self::Refresh)
    }

    /// What a status of `value` does to the credential.
    pub const fn effect(&self, value: u8) -> Effect {
        match self {
            // Message 0 is a message like the others; no other purpose says anything at 0.
            Self::Message => Effect::Informs,
            _ if value == 0 => Effect::None,
            Self::Revocation => Effect::Revokes,
            Self::Suspension => Effect::Suspends,
            Self::Refresh => Effect::Refreshes,
            Self::Other(_) => Effect::Undefined,
        }
    }

    /// Whether a status of `value` puts the credential out of force. It does so for `revocation`
    /// and `suspension`; what a custom purpose does, only [`StatusPurpose::effect`] can say.
    pub const fn invalidates(&self, value: u8) -> bool {
        matches!(self.effect(value), Effect::Revokes | Effect::Suspends)
    }
}

impl FromStr for StatusPurpose {
    type Err = PurposeError;

    fn from_str(text: &str) -> Result<Self, PurposeError> {
        match text {
            "revocation" => Ok(Self::Revocation),
            "suspension" => Ok(Self::Suspension),
            "refresh" => Ok(Self::Refresh),
            "message" => Ok(Self::Message),
            _ if text.chars().any(char::is_control) => Err(PurposeError),
            _ if (1..=128).contains(&text.chars().count()) => {
                Ok(Self::Other(CustomPurpose(text.to_owned())))
            }
            _ => Err(PurposeError),
        }
    }
}

impl TryFrom<String> for StatusPurpose {
    type Error = PurposeError;

    fn try_from(text: String) -> Result<Self, PurposeError> {
        text.parse()
    }
}

impl From<StatusPurpose> for String {
    fn from(purpose: StatusPurpose) -> Self {
        purpose.as_str().to_owned()
    }
}

impl fmt::Display for StatusPurpose {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn purpose(text: &str) -> StatusPurpose {
        text.parse().unwrap()
    }

    fn any_purpose() -> impl Strategy<Value = StatusPurpose> {
        let names = ["revocation", "suspension", "refresh", "message", "recall"];
        prop::sample::select(names.map(purpose).to_vec())
    }

    fn any_size() -> impl Strategy<Value = StatusSize> {
        prop::sample::select(vec![
            StatusSize::One,
            StatusSize::Two,
            StatusSize::Four,
            StatusSize::Eight,
        ])
    }

    #[test]
    fn the_table_of_changes() {
        const SET: Option<Change> = Some(Change::Set);
        const SAME: Option<Change> = Some(Change::Unchanged);
        for (name, current, requested, expected) in [
            ("revocation", 0, 0, SAME),
            ("revocation", 0, 1, SET),
            ("revocation", 1, 1, SAME),
            ("revocation", 1, 0, None),
            ("revocation", 1, 2, None),
            ("suspension", 0, 1, SET),
            ("suspension", 1, 1, SAME),
            ("suspension", 1, 0, SET),
            ("refresh", 0, 1, SET),
            ("refresh", 1, 0, None),
            ("message", 0, 3, SET),
            ("message", 3, 1, SET),
            ("message", 3, 0, SET),
            ("recall", 1, 0, SET),
            ("recall", 0, 1, SET),
            ("suspension", 0, 4, None),
        ] {
            let found = transition(&purpose(name), StatusSize::Two, current, requested);
            assert_eq!(found.ok(), expected, "{name}: {current} to {requested}");
        }
    }

    #[test]
    fn a_refusal_names_its_rule() {
        let refused = transition(&StatusPurpose::Revocation, StatusSize::One, 1, 0).unwrap_err();
        assert_eq!(
            refused.to_string(),
            "a revocation status never goes back: it is 1 and cannot become 0"
        );
        let refused = transition(&StatusPurpose::Suspension, StatusSize::One, 0, 2).unwrap_err();
        assert_eq!(
            refused.to_string(),
            "status 2 does not fit entries of 1 bits: take at most 1"
        );
    }

    #[test]
    fn only_revocation_and_suspension_invalidate() {
        for (name, set) in [
            ("revocation", Effect::Revokes),
            ("suspension", Effect::Suspends),
            ("refresh", Effect::Refreshes),
            ("message", Effect::Informs),
            ("recall", Effect::Undefined),
        ] {
            let purpose = purpose(name);
            assert_eq!(purpose.effect(1), set, "{name}");
            let invalidates = matches!(set, Effect::Revokes | Effect::Suspends);
            assert_eq!(purpose.invalidates(1), invalidates, "{name}");
            assert!(!purpose.invalidates(0), "{name}");
        }
    }

    #[test]
    fn purposes_are_exact_texts() {
        assert_eq!(purpose("revocation"), StatusPurpose::Revocation);
        assert!(matches!(purpose("Revocation"), StatusPurpose::Other(_)));
        for bad in ["", "a\nb", &"x".repeat(129)] {
            assert_eq!(bad.parse::<StatusPurpose>(), Err(PurposeError), "{bad:?}");
        }
        assert!(serde_json::from_str::<StatusPurpose>("\"\"").is_err());
    }

    proptest! {
        #[test]
        fn purposes_survive_their_text(text in "[ -~]{1,20}") {
            let purpose = purpose(&text);
            prop_assert_eq!(purpose.as_str(), &text);
            let json = serde_json::to_string(&purpose).unwrap();
            prop_assert_eq!(serde_json::from_str::<StatusPurpose>(&json).unwrap(), purpose);
        }

        #[test]
        fn revoked_stays_revoked_whatever_is_asked(
            size in any_size(),
            requests: Vec<u8>,
        ) {
            let purpose = StatusPurpose::Revocation;
            let mut status = 0;
            for requested in requests {
                let before = status;
                if transition(&purpose, size, status, requested) == Ok(Change::Set) {
                    status = requested;
                }
                prop_assert!(before == 0 || status == before);
                prop_assert_eq!(purpose.invalidates(status), status != 0);
            }
        }

        #[test]
        fn asking_again_changes_nothing(
            purpose in any_purpose(),
            size in any_size(),
            current: u8,
            requested: u8,
        ) {
            let current = current & size.maximum();
            if let Ok(change) = transition(&purpose, size, current, requested) {
                prop_assert_eq!(change == Change::Unchanged, current == requested);
                prop_assert!(requested <= size.maximum());
                let again = transition(&purpose, size, requested, requested);
                prop_assert_eq!(again, Ok(Change::Unchanged));
            }
        }
    }
}
