//! How a request for an endorsement goes on: which step leads where, and whose step it is. Nothing
//! here reads or writes.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::store::event::RequestStep;

/// How a request stands.
#[must_use]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RequestState {
    /// It waits for the accreditor.
    Requested,
    /// It waits for the requester, who was asked something.
    Asked,
    /// The endorsement was issued.
    Approved,
    /// The accreditor will not endorse.
    Declined,
    /// The requester asks no longer.
    Withdrawn,
}

/// A text is not a state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("the state of a request is requested, asked, approved, declined or withdrawn")]
pub struct RequestStateError;

/// The two sides of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RequestSide {
    /// Who is asked for the endorsement.
    Accreditor,
    /// Who asks for it.
    Requester,
}

/// Why a step cannot be taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum StepRefused {
    /// The request is at its end.
    #[error("the request was {0}, and nothing more is done about it; make another one")]
    Closed(RequestState),
    /// An answer to nothing.
    #[error("no question stands open, so there is nothing to answer")]
    NothingAsked,
    /// A question on top of a question.
    #[error("a question stands open: wait for its answer, or decide without it")]
    QuestionOpen,
    /// The conversation does not end.
    #[error(
        "a request with all that is said about it takes at most {MOST_BYTES} bytes: decide it, or \
         withdraw it and make another one"
    )]
    Full,
}

/// At most this many bytes are stored of a request and what is said about it.
pub(super) const MOST_BYTES: usize = 131_072;

/// Where a step leads from a state.
///
/// # Errors
/// The step cannot be taken there.
pub(super) const fn next(
    state: RequestState,
    step: RequestStep,
) -> Result<RequestState, StepRefused> {
    match (state, step) {
        (RequestState::Approved | RequestState::Declined | RequestState::Withdrawn, _) => {
            Err(StepRefused::Closed(state))
        }
        (RequestState::Requested, RequestStep::Answered) => Err(StepRefused::NothingAsked),
        (RequestState::Asked, RequestStep::Asked) => Err(StepRefused::QuestionOpen),
        (RequestState::Requested | RequestState::Asked, step) => Ok(after(Some(step))),
    }
}

/// How a request stands after its last step.
pub(super) const fn after(last: Option<RequestStep>) -> RequestState {
    match last {
        None | Some(RequestStep::Answered) => RequestState::Requested,
        Some(RequestStep::Asked) => RequestState::Asked,
        Some(RequestStep::Approved) => RequestState::Approved,
        Some(RequestStep::Declined) => RequestState::Declined,
        Some(RequestStep::Withdrawn) => RequestState::Withdrawn,
    }
}

/// Which side takes a step.
pub(super) const fn side(step: RequestStep) -> RequestSide {
    match step {
        RequestStep::Approved | RequestStep::Declined | RequestStep::Asked => {
            RequestSide::Accreditor
        }
        RequestStep::Answered | RequestStep::Withdrawn => RequestSide::Requester,
    }
}

impl RequestState {
    /// Every state.
    pub const ALL: [Self; 5] = [
        Self::Requested,
        Self::Asked,
        Self::Approved,
        Self::Declined,
        Self::Withdrawn,
    ];

    /// The word for it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Requested => "requested",
            Self::Asked => "asked",
            Self::Approved => "approved",
            Self::Declined => "declined",
            Self::Withdrawn => "withdrawn",
        }
    }

    /// Whether a step can still be taken.
    pub const fn is_open(self) -> bool {
        matches!(self, Self::Requested | Self::Asked)
    }
}

impl FromStr for RequestState {
    type Err = RequestStateError;

    fn from_str(text: &str) -> Result<Self, RequestStateError> {
        let mut all = Self::ALL.into_iter();
        all.find(|state| state.as_str() == text)
            .ok_or(RequestStateError)
    }
}

impl fmt::Display for RequestState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl RequestSide {
    /// The word for it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Accreditor => "accreditor",
            Self::Requester => "requester",
        }
    }
}

impl fmt::Display for RequestSide {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Every state against every step, as a table for people.
    #[test]
    fn each_step_from_each_state() {
        let mut table = String::new();
        for state in RequestState::ALL {
            for step in RequestStep::ALL {
                let leads = match next(state, step) {
                    Ok(state) => state.to_string(),
                    Err(StepRefused::Closed(at)) => format!("closed: {at}"),
                    Err(refused) => format!("{refused:?}"),
                };
                let (step, side) = (step.as_str(), side(step).as_str());
                table.push_str(&format!("{state:9} {step:9} {side:10} -> {leads}\n"));
            }
        }
        insta::assert_snapshot!(table, @r#"
        requested approved  accreditor -> approved
        requested declined  accreditor -> declined
        requested asked     accreditor -> asked
        requested answered  requester  -> NothingAsked
        requested withdrawn requester  -> withdrawn
        asked     approved  accreditor -> approved
        asked     declined  accreditor -> declined
        asked     asked     accreditor -> QuestionOpen
        asked     answered  requester  -> requested
        asked     withdrawn requester  -> withdrawn
        approved  approved  accreditor -> closed: approved
        approved  declined  accreditor -> closed: approved
        approved  asked     accreditor -> closed: approved
        approved  answered  requester  -> closed: approved
        approved  withdrawn requester  -> closed: approved
        declined  approved  accreditor -> closed: declined
        declined  declined  accreditor -> closed: declined
        declined  asked     accreditor -> closed: declined
        declined  answered  requester  -> closed: declined
        declined  withdrawn requester  -> closed: declined
        withdrawn approved  accreditor -> closed: withdrawn
        withdrawn declined  accreditor -> closed: withdrawn
        withdrawn asked     accreditor -> closed: withdrawn
        withdrawn answered  requester  -> closed: withdrawn
        withdrawn withdrawn requester  -> closed: withdrawn
        "#);
    }

    #[test]
    fn words_are_read_as_they_are_written() {
        for state in RequestState::ALL {
            assert_eq!(state.to_string().parse(), Ok(state));
        }
        assert_eq!("Requested".parse::<RequestState>(), Err(RequestStateError));
    }

    proptest! {
        /// Whatever is tried, what was taken tells the state, a decision is the last word, and
        /// questions and answers take turns.
        #[test]
        fn a_request_ends_once_and_questions_alternate_with_answers(
            tries in prop::collection::vec(0usize..5, 0..40),
        ) {
            let mut state = RequestState::Requested;
            let mut taken: Vec<RequestStep> = Vec::new();
            for step in tries.into_iter().map(|place| RequestStep::ALL[place]) {
                match next(state, step) {
                    Ok(to) => {
                        prop_assert!(state.is_open());
                        taken.push(step);
                        state = to;
                    }
                    Err(StepRefused::Closed(at)) => {
                        prop_assert!(!state.is_open() && at == state);
                    }
                    Err(_) => prop_assert!(state.is_open()),
                }
                prop_assert_eq!(state, after(taken.last().copied()));
            }
            let (last, before) = match taken.split_last() {
                Some((last, before)) if !state.is_open() => (Some(last), before),
                _ => (None, &taken[..]),
            };
            let talk = [RequestStep::Asked, RequestStep::Answered];
            for (place, step) in before.iter().enumerate() {
                prop_assert_eq!(*step, talk[place % 2]);
            }
            prop_assert!(last.is_none_or(|last| !talk.contains(last)));
        }
    }
}
