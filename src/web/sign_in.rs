//! The pages on which people sign in.

use askama::Template;

use super::frame::Frame;

/// `GET /oauth/authorize`: who asks for what, and a form to sign in and agree.
#[derive(Debug, Clone, Template)]
#[template(path = "sign_in.html")]
pub struct SignInPage {
    /// What stands around it.
    pub frame: Frame,
    /// Whether it is the console of this registry that asks, and no program of somebody else.
    pub is_console: bool,
    /// The client's name.
    pub client: String,
    /// The profile for which it acts; the registry where there is none.
    pub profile: Option<String>,
    /// Where the answer is sent.
    pub place: String,
    /// What the client wants to be good for: in words, and by the scope's name.
    pub scopes: Vec<(String, String)>,
    /// What was wrong the last time.
    pub trouble: Option<String>,
    /// What was typed as name, to show it again.
    pub name: String,
    /// The request that the form is about, and what shows that the form is ours.
    pub hidden: Vec<(String, String)>,
}

/// `GET /oauth/accept`: a form to take an invitation.
#[derive(Debug, Clone, Template)]
#[template(path = "invitation.html")]
pub struct InvitationPage {
    /// What stands around it.
    pub frame: Frame,
    /// What shows that the form is ours.
    pub form: String,
    /// What was wrong the last time.
    pub trouble: Option<String>,
    /// Once it was taken: for whom.
    pub done: Option<String>,
}

impl SignInPage {
    /// The page as HTML.
    pub fn html(&self) -> String {
        let text = self.render();
        text.expect("writing to a String fails only where a Display does")
    }
}

impl InvitationPage {
    /// The page as HTML.
    pub fn html(&self) -> String {
        let text = self.render();
        text.expect("writing to a String fails only where a Display does")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_others_wrote_stays_text() {
        let evil = r#"<script>alert("1")</script>'&"#.to_owned();
        let page = SignInPage {
            frame: Frame::default(),
            is_console: false,
            client: evil.clone(),
            profile: Some(evil.clone()),
            place: evil.clone(),
            scopes: vec![(evil.clone(), evil.clone())],
            trouble: Some(evil.clone()),
            name: evil.clone(),
            hidden: vec![(evil.clone(), evil.clone())],
        };
        let invitation = InvitationPage {
            frame: Frame::default(),
            form: evil.clone(),
            trouble: Some(evil.clone()),
            done: None,
        };
        for html in [page.html(), invitation.html()] {
            assert!(
                !html.contains("<script") && !html.contains("'&\""),
                "{html}"
            );
            assert!(
                html.contains("&#60;script") || html.contains("&lt;script"),
                "{html}"
            );
        }
    }
}
