//! The pages of the console. Every one stands in a [`Frame`]: who is signed in, where they can go, what was done.

mod account;
mod door;
mod endorsements;
mod frame;
mod overview;
mod registrar;
mod requests;
mod words;

pub use account::AccountPage;
pub use door::{EnterPage, Failed, NotSignedInPage};
pub use endorsements::{
    AffectedLine, DecisionPage, EndorseChoice, EndorseForm, EndorsePage, EndorsementFields,
    EndorsementLine, EndorsementPage, EndorsementsPage, PreviewPage,
};
pub use frame::{Done, FormKeys, Frame, Room, Trouble, Who};
pub use overview::{OverviewPage, ProfileChoice, TaskLine};
pub use registrar::*;
pub use requests::{RequestLine, RequestPage, RequestsPage, StepLine};
pub use words::Language;

/// Gives a page its text. Rendering into a `String` fails only where a `Display` does, and none here does.
macro_rules! page {
    ($page:ty) => {
        impl $page {
            /// The page as HTML.
            pub fn html(&self) -> String {
                let text = askama::Template::render(self);
                text.expect("writing to a String fails only where a Display does")
            }
        }
    };
}
use page;
