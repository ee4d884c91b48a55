//! Moments in requests: as of when something is asked.

use super::edge::Edge;
use super::problem::Problem;
use crate::time::Timestamp;

/// A moment in a body, where there is one; `pointer` names the member.
pub(super) fn moment(text: Option<&str>, pointer: &str) -> Result<Option<Timestamp>, Problem> {
    let parse = |text: &str| {
        text.parse::<Timestamp>()
            .map_err(|error| Problem::invalid(pointer, error.to_string()))
    };
    text.map(parse).transpose()
}

/// As of when an answer is. The future is not known.
pub(super) fn moment_asked(
    edge: &Edge,
    at: Option<Timestamp>,
    place: &str,
) -> Result<Timestamp, Problem> {
    let now = edge.registry.now();
    match at {
        Some(at) if at > now => Err(Problem::invalid(
            place,
            format!("{at} is in the future; now is {now}"),
        )),
        at => Ok(at.unwrap_or(now)),
    }
}
