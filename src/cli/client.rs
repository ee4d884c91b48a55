//! `goodstanding client`: programs that act for a profile or for the registry, by OAuth 2.0.

use clap::{Args, Subcommand, ValueEnum};
use serde_json::{Value, json};

use super::context::{Context, not_the_contract};
use super::error::CliError;
use super::place::Place;
use super::report::{Report, text};
use super::transport::Call;
use crate::access::Role;
use crate::ids::{ClientId, Slug};
use crate::oauth::AuthMethod;

/// Register, list and decide about OAuth 2.0 clients. A secret is shown once, when it is made.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  goodstanding client register --profile acme-college --role list-manager \"Campus system\"
  goodstanding client list --state pending
  goodstanding client approve CLIENT --role list-manager --scope status:write")]
pub(super) struct Client {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Register a client
    Register(Register),
    /// List clients
    List {
        /// Those of this profile: its slug, URL or did:web
        #[arg(long, value_name = "PROFILE")]
        profile: Option<Place<Slug>>,
        /// Those that have come so far
        #[arg(long)]
        state: Option<State>,
    },
    /// Approve a client, also anew as something else
    Approve {
        /// Its client_id
        client: ClientId,
        /// As what it acts: owner, list-manager, endorser, auditor, or operator of the registry
        /// [default: as what it asked, and for so much]
        #[arg(long)]
        role: Option<Role>,
        /// What it may be good for at most, such as "read status:write" [default: all of its role]
        #[arg(long)]
        scope: Option<String>,
    },
    /// Reject a client, or take its approval back
    Reject {
        /// Its client_id
        client: ClientId,
    },
    /// Remove a client
    Remove {
        /// Its client_id
        client: ClientId,
    },
    /// Give a client another secret
    Secret {
        /// Its client_id
        client: ClientId,
    },
}

#[derive(Debug, Args)]
struct Register {
    /// The name by which people know it
    name: String,
    /// The profile for which it acts: its slug, URL or did:web [default: the registry]
    #[arg(long, value_name = "PROFILE")]
    profile: Option<Place<Slug>>,
    /// As what it acts: owner, list-manager, endorser, auditor, or operator of the registry
    #[arg(long)]
    role: Role,
    /// What it may be good for at most, such as "read status:write" [default: all of its role]
    #[arg(long)]
    scope: Option<String>,
    /// A file with its public keys, a JWK set: it signs, and has no secret
    #[arg(long, value_name = "FILE")]
    jwks: Option<String>,
    /// How it says who it is: client_secret_basic, client_secret_post, private_key_jwt or none
    /// [default: by its keys where there are any, none with --redirect-uri, else a secret]
    #[arg(long, value_name = "METHOD", value_parser = auth_method)]
    auth_method: Option<AuthMethod>,
    /// Where people are sent back to who sign in by it
    #[arg(long, value_name = "URI")]
    redirect_uri: Vec<String>,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum State {
    Pending,
    Approved,
    Rejected,
}

impl Client {
    pub(super) fn run(self, context: &Context<'_>) -> Result<Report, CliError> {
        let step = |client: ClientId, step: &str, body: Value| {
            context.change(Call::post(format!("/clients/{client}/{step}"), body))
        };
        match self.action {
            Action::Register(new) => new.run(context),
            Action::List { profile, state } => list(context, profile.as_ref(), state),
            Action::Approve {
                client,
                role,
                scope,
            } => {
                let mut body = match role {
                    Some(role) => json!({ "role": role }),
                    None => asked_for(context, client)?,
                };
                if let Some(scope) = scope {
                    body["scope"] = scope.into();
                }
                step(client, "approve", body).map(|answer| decided("approved", client, answer))
            }
            Action::Reject { client } => {
                step(client, "reject", json!({})).map(|answer| decided("rejected", client, answer))
            }
            Action::Remove { client } => {
                step(client, "remove", json!({})).map(|answer| decided("removed", client, answer))
            }
            Action::Secret { client } => {
                let answer = step(client, "secret", json!({}))?;
                let mut report = Report::new();
                let secret = text(&answer, "client_secret").unwrap_or_default();
                report.rows(&[("secret", Some(format!("{secret} (shown this once)")))]);
                report.json(answer);
                Ok(report)
            }
        }
    }
}

impl Register {
    fn run(self, context: &Context<'_>) -> Result<Report, CliError> {
        let mut body = json!({ "client_name": self.name, "role": self.role });
        if let Some(place) = &self.profile {
            context.path(place)?;
            body["profile"] = place.id.as_str().into();
        }
        if let Some(scope) = self.scope {
            body["scope"] = scope.into();
        }
        if let Some(file) = &self.jwks {
            body["token_endpoint_auth_method"] = "private_key_jwt".into();
            body["jwks"] = context.read_json(file)?;
        }
        if !self.redirect_uri.is_empty() {
            body["redirect_uris"] = json!(self.redirect_uri);
            if self.jwks.is_none() {
                body["token_endpoint_auth_method"] = "none".into();
            }
        }
        if let Some(method) = self.auth_method {
            body["token_endpoint_auth_method"] = method.as_str().into();
        }
        let call = Call::post("/oauth/register", body);
        let answer = context.change(call.clone())?;
        let Some(id) = text(&answer, "client_id") else {
            return Err(not_the_contract(
                &call,
                "the answer holds no client_id".into(),
            ));
        };
        let once = |member: &str| {
            text(&answer, member).map(|secret| format!("{secret} (shown this once)"))
        };
        let mut report = Report::new();
        report.rows(&[
            ("client", Some(id.to_owned())),
            ("status", text(&answer, "status").map(str::to_owned)),
            ("secret", once("client_secret")),
            ("registration", once("registration_access_token")),
        ]);
        report.json(answer);
        Ok(report)
    }
}

fn list(
    context: &Context<'_>,
    profile: Option<&Place<Slug>>,
    state: Option<State>,
) -> Result<Report, CliError> {
    let mut query = url::form_urlencoded::Serializer::new(String::new());
    if let Some(place) = profile {
        context.path(place)?;
        query.append_pair("profile", place.id.as_str());
    }
    if let Some(state) = state.and_then(|state| state.to_possible_value()) {
        query.append_pair("state", state.get_name());
    }
    query.append_pair("limit", "1000");
    let answer = context.ask(&Call::get(format!("/clients?{}", query.finish())))?;
    let mut report = Report::new();
    let clients = answer["clients"].as_array().cloned().unwrap_or_default();
    for client in &clients {
        let said = |member: &str| text(client, member).unwrap_or("-").to_owned();
        report.line(format_args!(
            "{}  {}  {}  {}  {}",
            said("client_id"),
            said("status"),
            said("profile"),
            said("role"),
            said("client_name"),
        ));
    }
    report.json(answer);
    Ok(report)
}

fn auth_method(text: &str) -> Result<AuthMethod, String> {
    let known = || AuthMethod::ALL.map(AuthMethod::as_str).join(", ");
    text.parse().map_err(|()| format!("one of {}", known()))
}

/// What a client registered for.
fn asked_for(context: &Context<'_>, client: ClientId) -> Result<Value, CliError> {
    let call = Call::get(format!("/clients/{client}"));
    let answer = context.ask(&call)?;
    let role = text(&answer, "role");
    let role = role.ok_or_else(|| not_the_contract(&call, "the answer holds no role".into()))?;
    let mut body = json!({ "role": role });
    if let Some(scope) = text(&answer, "scope") {
        body["scope"] = scope.into();
    }
    Ok(body)
}

fn decided(done: &str, client: ClientId, answer: Value) -> Report {
    let mut report = Report::new();
    report.line(format_args!("{done} the client {client}"));
    report.json(answer);
    report
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::testing::Fake;

    const ID: &str = "00000001aaaaaaaaaaaaaaaaaaaaaaaa";

    #[test]
    fn a_client_is_registered_and_its_secret_shown() {
        let answer = json!({"client_id": ID, "client_secret": "s", "status": "approved"});
        let done = Fake::new().answer(201, answer).run(&[
            "client",
            "register",
            "Campus",
            "--profile",
            "acme",
            "--role",
            "list-manager",
            "--scope",
            "read",
        ]);
        assert_eq!(
            done.calls(),
            [
                r#"POST /oauth/register {"client_name":"Campus","role":"list-manager","profile":"acme","scope":"read"}"#
            ]
        );
        assert_eq!(done.exit, 0, "{}", done.err);
        assert!(done.out.contains("s (shown this once)"), "{}", done.out);
    }

    #[test]
    fn clients_are_listed_and_decided_about() {
        let clients = json!({"clients": [{"client_id": ID, "status": "pending", "role": "owner",
            "client_name": "Campus", "profile": "acme"}]});
        let done = Fake::new()
            .answer(200, clients)
            .run(&["client", "list", "--state", "pending"]);
        assert_eq!(done.calls(), ["GET /clients?state=pending&limit=1000"]);
        assert_eq!(done.out, format!("{ID}  pending  acme  owner  Campus\n"));
        for (words, call) in [
            (
                vec!["approve", ID, "--role", "owner"],
                format!("POST /clients/{ID}/approve {{\"role\":\"owner\"}}"),
            ),
            (
                vec!["reject", ID],
                format!("POST /clients/{ID}/reject {{}}"),
            ),
            (
                vec!["remove", ID],
                format!("POST /clients/{ID}/remove {{}}"),
            ),
        ] {
            let words: Vec<&str> = ["client"].into_iter().chain(words).collect();
            let done = Fake::new().answer(200, json!({})).run(&words);
            assert_eq!(done.calls(), [call]);
        }
        let asked = json!({"client_id": ID, "role": "endorser", "scope": "read"});
        let done = Fake::new()
            .answer(200, asked)
            .answer(200, json!({}))
            .run(&["client", "approve", ID]);
        assert_eq!(
            done.calls(),
            [
                format!("GET /clients/{ID}"),
                format!("POST /clients/{ID}/approve {{\"role\":\"endorser\",\"scope\":\"read\"}}"),
            ]
        );
        let done = Fake::new().run(&["client", "remove", "../profiles"]);
        assert_eq!((done.exit, done.calls.len()), (2, 0));
    }
}
