//! One view for each page.

use askama::Template;

use super::check::CheckForm;
use super::frame::Frame;
use super::parts::{
    EndorsementLine, EndorserLine, ImportedLine, KeyLine, KeyState, Link, Moment, Reason, Standing,
};
use super::words::Language;

/// `GET /`: a form to check a credential, and the profiles.
#[derive(Debug, Clone, Template)]
#[template(path = "home.html")]
pub struct HomePage {
    /// What stands around it.
    pub frame: Frame,
    /// The registry's origin.
    pub public_url: String,
    /// Why no changes are taken now, where none are.
    pub read_only: Option<String>,
    /// The form, empty.
    pub form: CheckForm,
    /// Profiles, by name.
    pub profiles: Vec<ProfileLine>,
    /// Path of the next page of profiles.
    pub next: Option<Link>,
}

/// One profile in the list on the home page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProfileLine {
    /// Its page, with its name.
    pub page: Link,
    /// Its `issuer.id`.
    pub id: String,
    /// Its roles, such as `Issuer`.
    pub roles: Vec<String>,
    /// How it stands.
    pub standing: Standing,
    /// Whether it is one of those whose endorsements need no endorsement themselves.
    pub is_anchor: bool,
}

/// `GET /profiles/{profile}` for people.
#[derive(Debug, Clone, Template)]
#[template(path = "profile.html")]
pub struct ProfilePage {
    /// What stands around it.
    pub frame: Frame,
    /// The page's full URL.
    pub url: String,
    /// Its name.
    pub name: String,
    /// Its `issuer.id`.
    pub id: String,
    /// What it says about itself; Markdown is shown as it is written.
    pub description: Option<String>,
    /// Full URL of its image, for previews elsewhere. The page itself loads nothing from others.
    pub image: Option<String>,
    /// Its own site.
    pub site: Option<Link>,
    /// Its roles, such as `Issuer`.
    pub roles: Vec<String>,
    /// How it stands.
    pub standing: Standing,
    /// Why it stands like this.
    pub reason: Reason,
    /// How it stands as an accreditor, where it is or was one.
    pub accreditor: Option<Standing>,
    /// Who endorses it.
    pub endorsed_by: Vec<EndorsementLine>,
    /// What it endorses.
    pub endorses: Vec<EndorsementLine>,
    /// Its achievements.
    pub achievements: Vec<Link>,
    /// Its keys, oldest first.
    pub keys: Vec<KeyLine>,
    /// The same for machines: DID document, key set.
    pub documents: Vec<Link>,
}

/// `GET /achievements/{achievement}` for people.
#[derive(Debug, Clone, Template)]
#[template(path = "achievement.html")]
pub struct AchievementPage {
    /// What stands around it.
    pub frame: Frame,
    /// The page's full URL, which is the achievement's id.
    pub url: String,
    /// Its name.
    pub name: String,
    /// What it says about itself; Markdown is shown as it is written.
    pub description: Option<String>,
    /// What has to be done for it; Markdown is shown as it is written.
    pub criteria: Option<String>,
    /// Where the criteria stand.
    pub criteria_page: Option<Link>,
    /// Full URL of its image, for previews elsewhere.
    pub image: Option<String>,
    /// Who defined it.
    pub creator: Link,
    /// How it stands.
    pub standing: Standing,
    /// Why it stands like this.
    pub reason: Reason,
    /// Who endorses it.
    pub endorsed_by: Vec<EndorsementLine>,
}

/// `GET /endorsements/{endorsement}` for people.
#[derive(Debug, Clone, Template)]
#[template(path = "endorsement.html")]
pub struct EndorsementPage {
    /// What stands around it.
    pub frame: Frame,
    /// The page's full URL, which is the endorsement's id.
    pub url: String,
    /// Its name.
    pub name: String,
    /// Who endorses.
    pub endorser: EndorserLine,
    /// What is endorsed.
    pub subject: Link,
    /// Id of what is endorsed.
    pub subject_id: String,
    /// What kind of thing that is: `profile`, `achievement` or `credential`.
    pub kind: String,
    /// What it covers, a phrase for each limit; all of its subject where there are none.
    pub covers: Vec<String>,
    /// Where it came from, where it was issued elsewhere.
    pub imported: Option<ImportedLine>,
    /// How it stands.
    pub standing: Standing,
    /// The reason that was given for how it stands, where one is public.
    pub reason: Option<String>,
    /// From when on it holds.
    pub valid_from: Moment,
    /// Until when it holds.
    pub valid_until: Option<Moment>,
    /// What the endorser says; Markdown is shown as it is written.
    pub comment: Option<String>,
    /// The digest of the endorsed version, where it is bound to one.
    pub digest: Option<String>,
    /// The moment for which the standing is said.
    pub as_of: Moment,
}

/// `GET /docs`: the contract, a line for each route.
#[derive(Debug, Clone, Template)]
#[template(path = "docs.html")]
pub struct DocsPage {
    /// What stands around it.
    pub frame: Frame,
    /// The routes.
    pub routes: Vec<RouteLine>,
}

/// One route.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RouteLine {
    /// The method.
    pub method: &'static str,
    /// The path; `{name}` stands for one segment.
    pub path: &'static str,
    /// What it does.
    pub summary: &'static str,
    /// The scope that a token has to have, where it is not for everybody.
    pub scope: Option<&'static str>,
}

/// An error, for people. Machines get a problem document (RFC 9457).
#[derive(Debug, Clone, Template)]
#[template(path = "problem.html")]
pub struct ProblemPage {
    /// What stands around it.
    pub frame: Frame,
    /// The HTTP status.
    pub status: u16,
    /// What is wrong, in a few words.
    pub title: String,
    /// What is wrong here, and what to do.
    pub detail: String,
    /// In which language that is said.
    pub detail_language: Language,
    /// What is to be done about problems of this kind, where the detail does not say it in the page's language.
    pub to_do: Option<&'static str>,
}

macro_rules! pages {
    ($($page:ty),*) => {
        $(impl $page {
            /// The page as HTML.
            pub fn html(&self) -> String {
                self.render().expect("writing to a String fails only where a Display does")
            }
        })*
    };
}

pages!(
    DocsPage,
    HomePage,
    ProfilePage,
    AchievementPage,
    EndorsementPage,
    ProblemPage
);

#[cfg(test)]
mod tests {
    use super::super::parts::PathLine;
    use super::*;
    use crate::verify::outcome::Outcome;
    use crate::web::{CheckAgainPage, CheckLine, CheckPage, EntryLine, Path, PathStep};
    use proptest::prelude::*;
    use serde_json::{Value, json};

    const EVIL: &str = r#"<script>alert("1")</script>'&<img src=x onerror=alert(1)>"#;

    /// What begins data that nobody runs.
    const DATA: &str = r#"<script type="application/ld+json">"#;

    fn moment() -> Moment {
        Moment("2026-01-31T12:00:00Z".parse().unwrap())
    }

    fn line(text: &str) -> EndorsementLine {
        EndorsementLine {
            page: Link::here("/endorsements/1", text),
            other: Link::outside("https://example.org/a?b=\"c\"", text),
            standing: Standing(Outcome::Suspended),
            valid_from: moment(),
            valid_until: Some(moment()),
        }
    }

    fn reason(text: &str) -> Reason {
        let line = |outcome| PathLine {
            endorser: Link::here("/profiles/b", text),
            endorsement: Link::outside("https://example.org/e", text),
            standing: Standing(outcome),
        };
        Reason {
            words: text.to_owned(),
            path: vec![line(Outcome::Active), line(Outcome::Suspended)],
        }
    }

    fn form(text: &str) -> CheckForm {
        CheckForm {
            typed: text.to_owned(),
            list: text.to_owned(),
            index: text.to_owned(),
        }
    }

    fn checked(text: &str) -> CheckPage {
        let step = |link| PathStep {
            role: text.to_owned(),
            name: text.to_owned(),
            link,
            standing: Standing(Outcome::Revoked),
            note: Some(text.to_owned()),
        };
        CheckPage {
            frame: Frame::default(),
            verdict: text.to_owned(),
            tone: Standing(Outcome::Revoked),
            why: text.to_owned(),
            limits: vec![text.to_owned()],
            since: Some(moment()),
            name: Some(text.to_owned()),
            issuer: Some((Link::outside("javascript:alert(1)", text), text.to_owned())),
            is_credential: true,
            path: Path {
                steps: vec![step(None), step(Some(Link::here("/profiles/a", text)))],
            },
            inner: vec![(text.to_owned(), Standing(Outcome::Revoked))],
            sent: true,
            as_of: moment(),
            facts: vec![(text.to_owned(), text.to_owned())],
            entries: vec![EntryLine {
                place: Some((Link::outside("https://example.org/a", text), 7)),
                purpose: text.to_owned(),
                standing: Standing(Outcome::Revoked),
            }],
            checks: vec![CheckLine {
                what: text.to_owned(),
                standing: Standing(Outcome::Unknown),
                found: text.to_owned(),
            }],
            json: text.to_owned(),
            link: Some(text.to_owned()),
        }
    }

    fn again(text: &str) -> CheckAgainPage {
        CheckAgainPage {
            frame: Frame::default(),
            title: text.to_owned(),
            words: text.to_owned(),
            detail: Some(text.to_owned()),
            form: form(text),
        }
    }

    fn home(text: &str) -> HomePage {
        HomePage {
            frame: Frame::default(),
            read_only: None,
            public_url: text.to_owned(),
            form: form(text),
            profiles: vec![ProfileLine {
                page: Link::here("/profiles/a", text),
                id: text.to_owned(),
                roles: vec![text.to_owned()],
                standing: Standing(Outcome::Active),
                is_anchor: false,
            }],
            next: Some(Link::here("/?cursor=b", text)),
        }
    }

    fn profile(text: &str) -> ProfilePage {
        let key = |state| KeyLine {
            verification_method: text.to_owned(),
            multikey: text.to_owned(),
            made_at: moment(),
            state,
        };
        ProfilePage {
            frame: Frame::default(),
            url: text.to_owned(),
            name: text.to_owned(),
            id: text.to_owned(),
            description: Some(text.to_owned()),
            image: Some(text.to_owned()),
            site: Some(Link::outside("javascript:alert(1)", text)),
            roles: vec![text.to_owned(), "Accreditor".to_owned()],
            standing: Standing(Outcome::Active),
            reason: reason(text),
            accreditor: Some(Standing(Outcome::Suspended)),
            endorsed_by: vec![line(text)],
            endorses: vec![line(text)],
            achievements: vec![Link::here("/achievements/1", text)],
            keys: vec![
                key(KeyState::InUse),
                key(KeyState::Retired(moment())),
                key(KeyState::Revoked(moment())),
            ],
            documents: vec![Link::here("/profiles/a/did.json", text)],
        }
    }

    fn achievement(text: &str) -> AchievementPage {
        AchievementPage {
            frame: Frame::default(),
            url: text.to_owned(),
            name: text.to_owned(),
            description: Some(text.to_owned()),
            criteria: Some(text.to_owned()),
            criteria_page: Some(Link::outside("https://example.org/criteria", text)),
            image: Some(text.to_owned()),
            creator: Link::here("/profiles/a", text),
            standing: Standing(Outcome::NotEndorsed),
            reason: reason(text),
            endorsed_by: vec![line(text)],
        }
    }

    fn endorsement(text: &str) -> EndorsementPage {
        EndorsementPage {
            frame: Frame::default(),
            url: text.to_owned(),
            name: text.to_owned(),
            endorser: EndorserLine {
                page: Link::here("/profiles/b", text),
                standing: Some(Standing(Outcome::Suspended)),
            },
            covers: vec![text.to_owned(), text.to_owned()],
            imported: Some(ImportedLine {
                original: Link::outside("https://example.org/1", text),
                checked_at: moment(),
            }),
            subject: Link::here("/profiles/a", text),
            subject_id: text.to_owned(),
            kind: text.to_owned(),
            standing: Standing(Outcome::Revoked),
            reason: Some(text.to_owned()),
            valid_from: moment(),
            valid_until: Some(moment()),
            comment: Some(text.to_owned()),
            digest: Some(text.to_owned()),
            as_of: moment(),
        }
    }

    fn problem(text: &str) -> ProblemPage {
        ProblemPage {
            frame: Frame::default(),
            status: 404,
            title: text.to_owned(),
            detail: text.to_owned(),
            detail_language: Language::English,
            to_do: None,
        }
    }

    /// Every page, with `text` wherever a text from outside can stand.
    fn pages(text: &str) -> [String; 7] {
        [
            home(text).html(),
            checked(text).html(),
            again(text).html(),
            profile(text).html(),
            achievement(text).html(),
            endorsement(text).html(),
            problem(text).html(),
        ]
    }

    /// The tags of a page, with their attributes' values taken out.
    fn skeleton(html: &str) -> Vec<String> {
        let mut tags = Vec::new();
        for part in html.split('<').skip(1) {
            let tag = part.split('>').next().unwrap_or_default();
            let names = tag.split('"').step_by(2);
            tags.push(names.collect::<Vec<_>>().join("\"\""));
        }
        tags
    }

    #[test]
    fn text_from_outside_never_becomes_markup() {
        for (evil, plain) in pages(EVIL).iter().zip(pages("plain")) {
            assert_eq!(skeleton(evil), skeleton(&plain));
            assert_eq!(evil.matches("<script").count(), known_scripts(&plain));
            assert!(!evil.contains("<img"));
            assert!(plain.matches("plain").count() > 1);
        }
    }

    #[test]
    fn pages_carry_no_code_of_their_own_and_load_only_ours() {
        for html in pages("plain") {
            assert!(html.starts_with("<!doctype html>\n<html lang=\"en\">"));
            for tag in skeleton(&html) {
                for part in [" style=", " src=", " on", "script", "@import"] {
                    let is_script = tag.starts_with("script type=") || tag == "/script";
                    assert!(is_script || !tag.contains(part), "{tag}");
                }
            }
            assert_eq!(
                html.matches("<link rel=\"stylesheet\" href=\"/assets/style.")
                    .count(),
                1
            );
            assert_eq!(
                (html.matches("<h1").count(), html.matches("<main").count()),
                (1, 1)
            );
            assert!(html.contains("<title>") && html.contains("name=\"viewport\""));
            assert!(!html.contains("javascript:"));
            assert_eq!(html.matches("<script").count(), known_scripts(&html));
        }
    }

    /// How many blocks of data that nobody runs there are, and scripts that are loaded from here.
    fn known_scripts(html: &str) -> usize {
        let known = [
            DATA,
            r#"<script type="application/json" id="in-browser-words">"#,
            r#"<script type="module" src="/assets/"#,
        ];
        known
            .iter()
            .map(|script| html.matches(script).count())
            .sum()
    }

    /// The data for machines that stands in a page.
    fn data(html: &str) -> Value {
        let block = html.split(DATA).nth(1).expect("a block of data");
        let block = block.split("</script>").next().unwrap();
        assert!(!block.contains('<'), "{block}");
        serde_json::from_str(block).expect("it is JSON")
    }

    #[test]
    fn data_for_machines_says_names_as_they_are() {
        for html in [
            profile(EVIL).html(),
            achievement(EVIL).html(),
            endorsement(EVIL).html(),
        ] {
            assert_eq!(data(&html)["name"], EVIL);
        }
        let evil = "</script><!--<script>\u{2028}\\\"";
        assert_eq!(data(&profile(evil).html())["name"], evil);
    }

    #[test]
    fn data_for_machines_says_what_the_page_says() {
        let mut page = profile("Board");
        page.url = "https://registry.example/profiles/a".to_owned();
        let said = data(&page.html());
        assert_eq!(said["@type"], "Organization");
        // Neither what leads nowhere safe nor what is no address.
        assert!(said.get("url").is_none() && said.get("image").is_none());
        let held = &said["hasCertification"][0];
        assert_eq!(held["url"], "https://registry.example/endorsements/1");
        assert_eq!(
            held["certificationStatus"],
            "https://schema.org/CertificationInactive"
        );

        let mut page = achievement("Welding");
        assert!(data(&page.html()).get("recognizedBy").is_none());
        page.endorsed_by[0].standing = Standing(Outcome::Active);
        assert_eq!(data(&page.html())["recognizedBy"][0]["name"], "Welding");

        let mut page = endorsement("x");
        for (outcome, status) in [
            (
                Outcome::Active,
                json!("https://schema.org/CertificationActive"),
            ),
            (
                Outcome::Revoked,
                json!("https://schema.org/CertificationInactive"),
            ),
            (Outcome::Unknown, Value::Null),
            (Outcome::Unreachable, Value::Null),
        ] {
            page.standing = Standing(outcome);
            assert_eq!(data(&page.html())["certificationStatus"], status);
        }
    }

    #[test]
    fn every_field_of_a_form_has_its_label() {
        let html = home("").html();
        let ids: Vec<&str> = html
            .split("<input id=\"")
            .skip(1)
            .map(|rest| rest.split('"').next().unwrap())
            .collect();
        assert_eq!(ids, ["file", "list", "index"]);
        assert!(html.contains("<textarea id=\"credential\""));
        assert!(html.contains("<label for=\"credential\">"));
        for id in ids {
            assert!(html.contains(&format!("<label for=\"{id}\">")), "{id}");
        }
        for method in ["get", "post"] {
            let form = format!("method=\"{method}\" action=\"/check\"");
            assert_eq!(html.matches(&form).count(), 1, "{form}");
        }
    }

    #[test]
    fn a_profile_introduces_itself_to_other_sites() {
        let mut page = profile("Example University");
        page.url = "https://registry.example/profiles/a".to_owned();
        page.description = Some("Says \"hello\" & more.".to_owned());
        let html = page.html();
        for meta in [
            r#"<meta property="og:title" content="Example University">"#,
            r#"<meta property="og:type" content="profile">"#,
            r#"<meta property="og:url" content="https://registry.example/profiles/a">"#,
            r#"<meta property="og:description" content="Says &#34;hello&#34; &#38; more.">"#,
            r#"<meta name="description" content="Says &#34;hello&#34; &#38; more.">"#,
            r#"<meta property="og:site_name" content="Goodstanding">"#,
            r#"<meta property="og:locale" content="en_GB">"#,
            r#"<meta property="og:locale:alternate" content="de_DE">"#,
            r#"<meta property="og:image" content="Example University">"#,
        ] {
            assert!(html.contains(meta), "{meta}");
        }
        page.image = None;
        page.description = None;
        let html = page.html();
        assert!(!html.contains("og:image"));
        let about =
            r#"<meta property="og:description" content="Who stands behind Example University, "#;
        assert!(html.contains(about), "{html}");
        let html = endorsement("Board").html();
        let about = r#"<meta property="og:description" content="Board endorses Board. "#;
        assert!(html.contains(about), "{html}");
    }

    #[test]
    fn standings_are_said_in_words() {
        let html = endorsement("x").html();
        assert!(html.contains("Revoked for good") && html.contains("Do not rely on it."));
        let html = profile("x").html();
        assert!(html.contains("In good standing") && html.contains("Suspended for the time being"));
        assert!(html.contains("Retired on") && html.contains("Revoked:"));
    }

    #[test]
    fn why_is_said_with_everybody_on_the_way() {
        for html in [profile("Board").html(), achievement("Board").html()] {
            let why = html.split("id=\"why\"").nth(1).expect("a section");
            let why = why.split("</section>").next().unwrap();
            let first = why.find("Endorsed by <a href=\"/profiles/b\">Board</a>");
            let further = why.find("which is endorsed by <a href=\"/profiles/b\">Board</a>");
            assert!(first.is_some() && first < further, "{why}");
            assert!(why.contains("Suspended for the time being"), "{why}");
        }
        let mut page = profile("x");
        assert!(page.html().contains("As an accreditor"));
        page.accreditor = None;
        page.reason.path.clear();
        let html = page.html();
        assert!(!html.contains("As an accreditor") && !html.contains("<ol"));
    }

    #[test]
    fn an_endorsement_says_what_it_covers_by_whom_and_from_where() {
        let mut page = endorsement("x");
        page.covers = vec![
            "achievements of the type Degree".to_owned(),
            "in CH".to_owned(),
        ];
        let html = page.html();
        assert!(
            html.contains("<dd>achievements of the type Degree; in CH</dd>"),
            "{html}"
        );
        assert!(html.contains("Issued elsewhere as"), "{html}");
        let endorser = html.split("<dt>Endorser</dt>").nth(1).unwrap();
        let endorser = endorser.split("</dd>").next().unwrap();
        assert!(
            endorser.contains("Suspended for the time being"),
            "{endorser}"
        );
        page.covers.clear();
        page.imported = None;
        page.endorser.standing = None;
        let html = page.html();
        assert!(html.contains("<dd>all of it</dd>"), "{html}");
        assert!(!html.contains("Issued elsewhere"), "{html}");
        assert!(html.contains("not registered here"), "{html}");
    }

    #[test]
    fn an_answer_says_only_what_is_known() {
        let mut page = checked("x");
        for part in [
            "Since <time",
            "id=\"share\"",
            "Status entries",
            "What was checked",
        ] {
            assert!(page.html().contains(part), "{part}");
        }
        (page.since, page.link, page.issuer) = (None, None, None);
        (page.entries, page.checks) = (Vec::new(), Vec::new());
        page.sent = false;
        let html = page.html();
        for part in [
            "Since <time",
            "id=\"share\"",
            "Status entries",
            "What was checked",
        ] {
            assert!(!html.contains(part), "{part}");
        }
        assert!(html.contains("Not known") && !html.contains("neither stored"));
        page.is_credential = false;
        assert!(!page.html().contains("Issued by"));
        let mut page = again("x");
        assert!(page.html().contains("What exactly is wrong"));
        page.detail = None;
        assert!(!page.html().contains("What exactly is wrong"));
    }

    proptest! {
        #[test]
        fn no_text_changes_the_markup(text in r#"[a-z<>"'&/=` !\-\]\[]{1,24}"#) {
            for (page, plain) in pages(&text).iter().zip(pages("plain")) {
                prop_assert_eq!(skeleton(page), skeleton(&plain));
            }
        }
    }
}
