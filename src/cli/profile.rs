//! `goodstanding profile`: who issues and who endorses.

use clap::{Subcommand, ValueEnum};
use serde_json::{Map, Value, json};

use super::affected::Decision;
use super::context::{Context, json_of};
use super::error::CliError;
use super::place::Place;
use super::report::{Report, text};
use super::transport::Call;
use crate::ids::Slug;

/// Profiles: who issues, and who endorses.
#[derive(Debug, Subcommand)]
pub(super) enum Profile {
    /// Register a profile; a signing key is made for it
    #[command(after_help = "Example:
  goodstanding profile create acme-college --name 'Acme College' --role issuer")]
    Create(Create),
    /// Show a profile
    Show {
        /// Its slug, URL or did:web
        #[arg(value_name = "PROFILE")]
        profile: Place<Slug>,
    },
    /// List all profiles
    List,
    /// Change some of what a profile says of itself
    #[command(after_help = "Example:
  goodstanding profile update acme-college --url https://acme.example")]
    Update(Update),
    /// Suspend an accreditor: nothing that it endorsed counts until it is reinstated
    #[command(after_help = "Examples:
  goodstanding profile suspend quality-board --dry-run
  goodstanding profile suspend quality-board --reason 'under review'")]
    Suspend(Accreditor),
    /// Take back the suspension of an accreditor
    Reinstate(Accreditor),
    /// Take the role of an accreditor: what it endorsed until now never counts again
    Revoke(Accreditor),
}

/// An accreditor, and what is decided about it.
#[derive(Debug, clap::Args)]
pub(super) struct Accreditor {
    /// Its slug, URL or did:web
    #[arg(value_name = "PROFILE")]
    profile: Place<Slug>,
    #[command(flatten)]
    decision: Decision,
}

/// What a new profile is.
#[derive(Debug, clap::Args)]
pub(super) struct Create {
    /// Its name in URLs, never reused: a-z, 0-9 and '-', at most 64
    slug: Slug,
    /// Its name for people
    #[arg(long)]
    name: String,
    /// What it may do; can be given twice
    #[arg(long = "role", value_name = "ROLE", required = true)]
    roles: Vec<Role>,
    /// Which kind of id its credentials carry [default: did:web]
    #[arg(long, value_name = "KIND")]
    issuer_id: Option<IssuerId>,
    /// Who may see its status lists as they were [default: as the registry is configured]
    #[arg(long, value_name = "WHO")]
    status_history: Option<StatusHistory>,
    #[command(flatten)]
    about: About,
}

/// What changes in a profile.
#[derive(Debug, clap::Args)]
pub(super) struct Update {
    /// Its slug, URL or did:web
    #[arg(value_name = "PROFILE")]
    profile: Place<Slug>,
    /// Its name for people
    #[arg(long)]
    name: Option<String>,
    /// What it may do, in place of what it may do now; can be given twice
    #[arg(long = "role", value_name = "ROLE")]
    roles: Vec<Role>,
    /// Who may see its status lists as they were
    #[arg(long, value_name = "WHO")]
    status_history: Option<StatusHistory>,
    #[command(flatten)]
    about: About,
}

/// What a profile says of itself (Open Badges 3.0, class Profile).
#[derive(Debug, clap::Args)]
struct About {
    /// Its home page
    #[arg(long, value_name = "URL")]
    url: Option<url::Url>,
    /// A few words about it
    #[arg(long, value_name = "TEXT")]
    description: Option<String>,
    /// Its e-mail address
    #[arg(long, value_name = "ADDRESS")]
    email: Option<String>,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Role {
    Issuer,
    Accreditor,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum IssuerId {
    #[value(name = "did:web")]
    DidWeb,
    #[value(name = "https")]
    Https,
    #[value(name = "did:key")]
    DidKey,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum StatusHistory {
    /// Everybody
    Public,
    /// The profile itself and the operator
    Authorised,
    /// Nobody
    None,
}

/// The members of a Profile that whoever keeps it may set; the others are the registry's.
const OWN_MEMBERS: [&str; 18] = [
    "name",
    "url",
    "phone",
    "description",
    "image",
    "email",
    "address",
    "otherIdentifier",
    "official",
    "parentOrg",
    "familyName",
    "givenName",
    "additionalName",
    "patronymicName",
    "honorificPrefix",
    "honorificSuffix",
    "familyNamePrefix",
    "dateOfBirth",
];

impl Profile {
    pub(super) fn run(self, context: &Context<'_>) -> Result<Report, CliError> {
        match self {
            Self::Create(create) => create.run(context),
            Self::Show { profile } => {
                let profile = context.ask(&Call::get(context.path(&profile)?))?;
                Ok(shown("", profile))
            }
            Self::List => list(context),
            Self::Update(update) => update.run(context),
            Self::Suspend(accreditor) => accreditor.decide(context, ("suspend", "suspended")),
            Self::Reinstate(accreditor) => accreditor.decide(context, ("reinstate", "reinstated")),
            Self::Revoke(accreditor) => accreditor.decide(context, ("revoke", "revoked")),
        }
    }
}

impl Accreditor {
    fn decide(self, context: &Context<'_>, verb: (&str, &str)) -> Result<Report, CliError> {
        let path = context.path(&self.profile)?;
        let mut report = Report::new();
        let what = (path.as_str(), self.profile.given.as_str());
        self.decision.take(context, what, verb, &mut report)?;
        Ok(report)
    }
}

impl Create {
    fn run(self, context: &Context<'_>) -> Result<Report, CliError> {
        let mut body = Map::new();
        body.insert("slug".into(), json!(self.slug));
        body.insert("name".into(), json!(self.name));
        body.insert("roles".into(), words(&self.roles));
        if let Some(kind) = self.issuer_id {
            body.insert("issuerId".into(), word(kind));
        }
        if let Some(who) = self.status_history {
            body.insert("statusHistory".into(), word(who));
        }
        self.about.write_to(&mut body);
        let profile = context.change(Call::post("/profiles", body.into()))?;
        Ok(shown("registered", profile))
    }
}

impl Update {
    /// Reads the profile, changes what is asked, and puts it back under the entity tag that was
    /// read, so that another's change in between is not lost.
    fn run(self, context: &Context<'_>) -> Result<Report, CliError> {
        let path = context.path(&self.profile)?;
        let read = Call::get(path.clone());
        let answer = context.answer(&read)?;
        let mut body = own_members(json_of(&read, &answer)?);
        if let Some(name) = self.name {
            body.insert("name".into(), json!(name));
        }
        if !self.roles.is_empty() {
            body.insert("roles".into(), words(&self.roles));
        }
        if let Some(who) = self.status_history {
            body.insert("statusHistory".into(), word(who));
        }
        self.about.write_to(&mut body);
        let mut replace = Call::put(path, body.into());
        replace.if_match = answer.header("etag").map(str::to_owned);
        Ok(shown("changed", context.change(replace)?))
    }
}

impl About {
    fn write_to(self, body: &mut Map<String, Value>) {
        let members = [
            ("url", self.url.map(String::from)),
            ("description", self.description),
            ("email", self.email),
        ];
        for (member, value) in members {
            if let Some(value) = value {
                body.insert(member.into(), json!(value));
            }
        }
    }
}

fn own_members(profile: Value) -> Map<String, Value> {
    let Value::Object(members) = profile else {
        return Map::new();
    };
    let own = members.into_iter();
    own.filter(|(member, _)| OWN_MEMBERS.contains(&member.as_str()))
        .collect()
}

fn list(context: &Context<'_>) -> Result<Report, CliError> {
    let mut report = Report::new();
    let mut rows = Vec::new();
    for page in context.pages("/profiles".into())? {
        let profiles = page.get("profiles").unwrap_or(&page).as_array();
        for profile in profiles.into_iter().flatten() {
            let id = text(profile, "id").unwrap_or_default();
            let slug = text(profile, "slug").or_else(|| id.rsplit([':', '/']).next());
            let name = text(profile, "name").unwrap_or_default();
            rows.push(
                [slug.unwrap_or_default(), name, id]
                    .map(str::to_owned)
                    .to_vec(),
            );
        }
        report.json(page);
    }
    match rows.is_empty() {
        true => report.line("There are no profiles yet: `goodstanding profile create` makes one."),
        false => report.table("", &rows),
    }
    Ok(report)
}

fn shown(done: &str, profile: Value) -> Report {
    let mut report = Report::new();
    let value = |member: &str| text(&profile, member).map(str::to_owned);
    if !done.is_empty() {
        report.line(format_args!("{done} {}", value("id").unwrap_or_default()));
    }
    let roles = profile.get("roles").and_then(Value::as_array);
    let roles = roles.map(|roles| {
        let words: Vec<&str> = roles.iter().filter_map(Value::as_str).collect();
        words.join(", ")
    });
    report.rows(&[
        ("id", value("id")),
        ("name", value("name")),
        ("roles", roles),
        ("url", value("url")),
        ("description", value("description")),
        ("email", value("email")),
    ]);
    report.json(profile);
    report
}

fn words(roles: &[Role]) -> Value {
    roles.iter().copied().map(word).collect()
}

/// The word by which an option's value is known on the command line and in the contract alike.
pub(super) fn word<T: ValueEnum>(value: T) -> Value {
    let known = value.to_possible_value().expect("no value is skipped");
    known.get_name().into()
}

#[cfg(test)]
mod tests {
    use crate::cli::testing::Fake;
    use serde_json::json;

    #[test]
    fn a_profile_is_registered_with_its_roles() {
        let done = Fake::new()
            .answer(
                201,
                json!({"id": "did:web:h:profiles:acme", "type": ["Profile"], "name": "Acme"}),
            )
            .run(&[
                "profile",
                "create",
                "acme",
                "--name",
                "Acme",
                "--role",
                "issuer",
                "--role",
                "accreditor",
                "--issuer-id",
                "did:key",
                "--status-history",
                "none",
                "--url",
                "https://acme.example",
            ]);
        assert_eq!(
            done.calls(),
            [
                r#"POST /profiles {"slug":"acme","name":"Acme","roles":["issuer","accreditor"],"issuerId":"did:key","statusHistory":"none","url":"https://acme.example/"}"#
            ]
        );
        assert!(done.calls[0].idempotency_key.is_some());
        assert_eq!(
            (done.exit, done.out.as_str()),
            (
                0,
                "registered did:web:h:profiles:acme\nid    did:web:h:profiles:acme\nname  Acme\n"
            )
        );
    }

    #[test]
    fn bad_slugs_and_missing_roles_are_refused_before_any_call() {
        let done = Fake::new().run(&[
            "profile", "create", "Acme", "--name", "A", "--role", "issuer",
        ]);
        assert!(
            done.err.contains("a slug has 1 to 64 characters"),
            "{}",
            done.err
        );
        let done = Fake::new().run(&["profile", "create", "acme", "--name", "A"]);
        assert!(done.err.contains("--role <ROLE>"), "{}", done.err);
        assert_eq!((done.exit, done.calls.len()), (2, 0));
    }

    #[test]
    fn an_update_keeps_the_rest_and_guards_against_others() {
        let profile = json!({
            "@context": ["x"], "id": "did:web:h:profiles:a", "type": ["Profile"],
            "name": "Old", "email": "a@b.example", "endorsement": [],
        });
        let done = Fake::new()
            .answer_with("etag", "\"7\"", 200, profile)
            .answer(200, json!({"id": "did:web:h:profiles:a", "name": "New"}))
            .run(&[
                "profile",
                "update",
                "a",
                "--name",
                "New",
                "--status-history",
                "public",
            ]);
        assert_eq!(
            done.calls(),
            [
                "GET /profiles/a",
                r#"PUT /profiles/a {"name":"New","email":"a@b.example","statusHistory":"public"}"#
            ]
        );
        assert_eq!(done.calls[1].if_match.as_deref(), Some("\"7\""));
        assert!(done.out.starts_with("changed did:web:h:profiles:a\n"));
    }

    #[test]
    fn a_change_in_between_says_to_look_again() {
        let done = Fake::new()
            .answer(200, json!({"name": "Old"}))
            .answer(412, json!({"title": "Changed meanwhile"}))
            .run(&["profile", "update", "a", "--name", "New"]);
        assert_eq!(done.exit, 2);
        assert!(
            done.err.contains("look at it again, then repeat"),
            "{}",
            done.err
        );
    }

    #[test]
    fn profiles_are_listed_and_an_empty_registry_says_so() {
        let done = Fake::new()
            .answer(
                200,
                json!({"profiles": [
                    {"id": "did:web:h:profiles:acme", "name": "Acme"},
                    {"id": "did:key:z6Mk", "slug": "b", "name": "B"},
                ]}),
            )
            .run(&["profile", "list"]);
        assert_eq!(
            done.out,
            "acme  Acme  did:web:h:profiles:acme\nb     B     did:key:z6Mk\n"
        );
        let done = Fake::new()
            .answer(200, json!({"profiles": []}))
            .run(&["profile", "list"]);
        assert!(done.out.starts_with("There are no profiles yet"));
    }
}
