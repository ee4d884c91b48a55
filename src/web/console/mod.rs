//! The pages of the console. Every one stands in a [`Frame`]: who is signed in, where they can go, what was done.

mod account;
mod door;
mod endorsements;
mod frame;
mod overview;
mod registrar;
mod requests;

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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::access::Role;
    use crate::time::Timestamp;
    use crate::verify::outcome::Outcome;
    use crate::web::parts::{Link, Moment, Standing};
    use crate::web::{self, Language};

    const EVIL: &str = r#"<script>alert("1")</script>'&" onload="x"#;

    fn frame() -> Frame {
        Frame {
            around: web::Frame::default(),
            who: Who::Person {
                name: EVIL.into(),
                role: Role::Owner,
                profile: Some(EVIL.into()),
            },
            room: Room::Requests,
            rooms: Room::ALL.to_vec(),
            form: EVIL.into(),
            done: Some(Done::Asked),
        }
    }

    fn keys() -> FormKeys {
        FormKeys {
            form: EVIL.into(),
            once: EVIL.into(),
        }
    }

    fn trouble(field: &'static str) -> Option<Trouble> {
        Some(Trouble::said(EVIL, field))
    }

    fn fields() -> EndorsementFields {
        EndorsementFields {
            name: EVIL.into(),
            comment: EVIL.into(),
            valid_from: EVIL.into(),
            valid_until: EVIL.into(),
            suspendable: true,
        }
    }

    fn choices() -> Vec<ProfileChoice> {
        vec![ProfileChoice {
            slug: EVIL.into(),
            name: EVIL.into(),
            chosen: true,
        }]
    }

    fn request() -> RequestPage {
        let link = || Link::outside(&format!("https://evil.example/{EVIL}"), EVIL);
        RequestPage {
            frame: frame(),
            path: EVIL.into(),
            state: "state.asked",
            requester: link(),
            accreditor: link(),
            subject: link(),
            kind: "kind.profile",
            name: Some(EVIL.into()),
            comment: Some(EVIL.into()),
            evidence: vec![link()],
            covers: vec![EVIL.into()],
            valid_from: None,
            valid_until: Some(Moment(Timestamp::EPOCH)),
            renews: Some(link()),
            created_at: Moment(Timestamp::EPOCH),
            steps: vec![StepLine {
                key: "step.asked",
                at: Moment(Timestamp::EPOCH),
                words: Some(EVIL.into()),
                evidence: vec![link()],
            }],
            endorsement: Some(EVIL.into()),
            decides: true,
            asks: true,
            answers: true,
            withdraws: true,
            version: EVIL.into(),
            fields: fields(),
            said: EVIL.into(),
            keys: keys(),
            trouble: trouble("reason"),
        }
    }

    #[test]
    fn what_others_wrote_stays_text() {
        let link = || Link::here("/x", EVIL);
        let preview = PreviewPage {
            frame: frame(),
            confirm: EVIL.into(),
            back: EVIL.into(),
            carried: vec![(EVIL.into(), EVIL.into())],
            members: vec![("endorsement.name", Link::here("", EVIL))],
            document: EVIL.into(),
            keys: keys(),
        };
        let endorse = EndorsePage {
            frame: frame(),
            endorsers: choices(),
            kinds: Vec::new(),
            roles: Vec::new(),
            renewed: Some(link()),
            form: EndorseForm {
                subject: EVIL.into(),
                renews: EVIL.into(),
                covers: vec![EVIL.into()],
                fields: fields(),
                ..EndorseForm::default()
            },
            keys: keys(),
            trouble: trouble("subject"),
        };
        let decision = DecisionPage {
            frame: frame(),
            path: EVIL.into(),
            key: "decision.revoke",
            for_ever: true,
            endorsement: link(),
            subject: link(),
            endorsements: 1,
            subjects: 1,
            more: true,
            affected: vec![AffectedLine {
                subject: link(),
                before: Standing(Outcome::Active),
                after: Standing(Outcome::Revoked),
            }],
            reason: EVIL.into(),
            keys: keys(),
            trouble: trouble("reason"),
        };
        let overview = OverviewPage {
            frame: frame(),
            profile: Some(link()),
            profiles: choices(),
            attention: vec![(EVIL.into(), EVIL.into())],
            tasks: Some(vec![TaskLine {
                key: "task.request",
                page: link(),
                about: link(),
                at: Moment(Timestamp::EPOCH),
            }]),
            next: Some(EVIL.into()),
        };
        let account = AccountPage {
            frame: frame(),
            person: Some((Some(EVIL.into()), EVIL.into())),
            may: Vec::new(),
            until: EVIL.into(),
            keys: keys(),
            trouble: trouble("present"),
        };
        let enter = EnterPage {
            frame: web::Frame::of_answer(Language::German),
            form: EVIL.into(),
            to: EVIL.into(),
        };
        for html in [
            request().html(),
            preview.html(),
            endorse.html(),
            decision.html(),
            overview.html(),
            account.html(),
            enter.html(),
        ] {
            assert!(!html.contains("<script"), "{html}");
            assert!(!html.contains("\" onload"), "{html}");
            assert!(html.contains("&#60;script"), "{html}");
        }
    }
}
