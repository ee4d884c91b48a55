//! The path from a credential to the trust anchor, drawn as a line with a joint for each that stands on it.

use super::parts::{Link, Standing};

/// Who stands behind whom, from the credential to the anchor. `path.html` draws it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Path {
    /// The credential first, the anchor last.
    pub steps: Vec<PathStep>,
}

/// One that stands on a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PathStep {
    /// As what it stands there, such as `Issuer`.
    pub role: String,
    /// Its name, or its id where it has none.
    pub name: String,
    /// Where more is said about it.
    pub link: Option<Link>,
    /// How it stands.
    pub standing: Standing,
    /// What else there is to say about it here.
    pub note: Option<String>,
}

impl PathStep {
    /// Where more is said about it, if a person may safely follow that.
    pub fn href(&self) -> Option<&str> {
        self.link.as_ref().and_then(Link::href)
    }
}

#[cfg(test)]
mod tests {
    use askama::Template;

    use super::super::frame::Frame;
    use super::super::words::Language;
    use super::*;
    use crate::verify::outcome::Outcome;

    #[derive(Template)]
    #[template(source = "{% include \"path.html\" %}", ext = "html")]
    struct Drawn {
        frame: Frame,
        path: Path,
    }

    fn step(name: &str, outcome: Outcome) -> PathStep {
        PathStep {
            role: "Issuer".to_owned(),
            name: name.to_owned(),
            link: Some(Link::here("/profiles/a", name)),
            standing: Standing(outcome),
            note: Some(name.to_owned()),
        }
    }

    fn draw(language: Language, steps: Vec<PathStep>) -> String {
        let frame = Frame::of_answer(language);
        Drawn {
            frame,
            path: Path { steps },
        }
        .render()
        .unwrap()
    }

    #[test]
    fn each_joint_says_how_it_stands_by_a_sign_and_in_words() {
        for outcome in Outcome::ALL {
            let standing = Standing(outcome);
            let frame = Frame::of_answer(Language::German);
            let drawn = draw(Language::German, vec![step("A", outcome)]);
            let sign = format!("aria-hidden=\"true\">{}</span>", standing.sign());
            assert!(drawn.contains(&sign), "{drawn}");
            assert!(drawn.contains(&standing.words(&frame)), "{drawn}");
        }
    }

    #[test]
    fn steps_stand_in_their_order_and_lead_on() {
        let mut anchor = step("The anchor", Outcome::Active);
        anchor.link = Some(Link::outside("javascript:alert(1)", "x"));
        anchor.note = None;
        let drawn = draw(
            Language::English,
            vec![step("The school", Outcome::Suspended), anchor],
        );
        assert_eq!(drawn.matches("<li").count(), 2);
        let school = drawn.find("<a href=\"/profiles/a\">The school</a>");
        assert!(school.is_some() && school < drawn.find("<strong>The anchor</strong>"));
        assert!(!drawn.contains("javascript:"), "{drawn}");
    }

    #[test]
    fn names_never_become_markup() {
        let evil = "</li><script>alert(1)</script>";
        let drawn = draw(Language::English, vec![step(evil, Outcome::Active)]);
        assert!(!drawn.contains("<script"), "{drawn}");
        assert_eq!(drawn.matches("</li>").count(), 1);
    }
}
