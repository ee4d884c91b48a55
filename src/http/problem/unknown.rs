//! Why a status cannot be told.

use super::{DATA_MODEL, Problem, STATUS_LIST};
use crate::registry::{StatusUnknown, WithheldFrom};

impl From<StatusUnknown> for Problem {
    fn from(unknown: StatusUnknown) -> Self {
        let retrieval = format!("{STATUS_LIST}STATUS_RETRIEVAL_ERROR");
        match unknown {
            StatusUnknown::Elsewhere(url) => {
                let detail = format!("{url} is not a list of this registry, and is not fetched");
                Self::new(404, "", "Status list elsewhere", detail).of_standard(retrieval)
            }
            StatusUnknown::NoList(url) => {
                let detail = format!("there is no status list {url} here");
                Self::new(404, "", "No such status list", detail).of_standard(retrieval)
            }
            StatusUnknown::OutOfRange(error) => {
                let detail = error.to_string();
                let problem =
                    Self::new(400, "", "Index out of range", detail).with("pointer", "/index");
                problem.of_standard(format!("{DATA_MODEL}RANGE_ERROR"))
            }
            StatusUnknown::NoCredential(id) => {
                let detail = format!("nothing is known here of {id}");
                Self::new(404, "not-found", "Not found", detail)
            }
            StatusUnknown::BeforeList { list, opened } => {
                let detail = format!("{list} was opened at {opened}, and said nothing before");
                Self::new(404, "", "That moment is not held", detail).of_standard(retrieval)
            }
            StatusUnknown::NotHeld { list, at } => {
                let detail = format!(
                    "what {list} said at {at} is not held here any more; ask for a later moment"
                );
                Self::new(404, "", "That moment is not held", detail).of_standard(retrieval)
            }
            StatusUnknown::Withheld { list, from } => withheld(&list, from),
        }
    }
}

/// The present of a list is for everybody, and so is that there is one.
fn withheld(list: &str, from: WithheldFrom) -> Problem {
    match from {
        WithheldFrom::Strangers => Problem::unauthenticated(&format!(
            "how {list} was is told to its issuer and the operator; send a token of theirs"
        )),
        WithheldFrom::Others => {
            let detail = format!("how {list} was is told to its issuer and the operator alone");
            Problem::new(403, "history-withheld", "History withheld", detail)
        }
        WithheldFrom::Everybody => {
            let detail = format!("the issuer of {list} has chosen that nobody is told how it was");
            let problem = Problem::new(404, "", "That moment is not held", detail);
            problem.of_standard(format!("{STATUS_LIST}STATUS_RETRIEVAL_ERROR"))
        }
    }
}
