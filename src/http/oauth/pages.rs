//! Where people sign in by a client (RFC 6749 section 4.1), and take their invitations.

use utoipa::ToSchema;

use crate::access::Scope;
use crate::http::edge::Edge;
use crate::http::problem::Problem;
use crate::http::reply::Reply;
use crate::http::request::Request;
use crate::http::routes::reach;
use crate::oauth::authorize::{Asker, CodeAsked};
use crate::oauth::form_token::FormCheck;
use crate::oauth::{ErrorCode, Form, OAuthError, RedirectUri};
use crate::registry::{Consent, GrantRefused, SignInRefused};
use crate::web::{Frame, InvitationPage, ProblemPage, SignInPage};

/// The parameters of a request for a code, which the form carries along.
const CARRIED: [&str; 9] = [
    "client_id",
    "redirect_uri",
    "response_type",
    "response_mode",
    "scope",
    "state",
    "code_challenge",
    "code_challenge_method",
    "resource",
];

/// The answer of whoever was asked, with the request that it is about.
#[derive(ToSchema)]
#[expect(
    dead_code,
    reason = "describes the form, which is read member by member"
)]
pub(crate) struct ConsentForm {
    /// What shows that the form is ours.
    form: String,
    /// allow or deny.
    answer: String,
    /// E-mail address or id of who signs in.
    name: Option<String>,
    /// Their passphrase.
    passphrase: Option<String>,
    /// The client that asks; what else it asked stands beside it.
    client_id: String,
    /// Where it has them sent back to.
    redirect_uri: String,
}

/// An invitation that is taken.
#[derive(ToSchema)]
#[expect(
    dead_code,
    reason = "describes the form, which is read member by member"
)]
pub(crate) struct AcceptForm {
    /// What shows that the form is ours.
    form: String,
    /// The invitation.
    code: String,
    /// The new passphrase: 12 to 256 characters.
    passphrase: String,
}

/// Whether a path is one of these pages, or of the console's. Browsers alone go there, and no page of another origin
/// reads them: their forms are ours (RFC 9700 section 2.6).
pub(in crate::http) fn is_one(path: &str) -> bool {
    let of_console = path.strip_prefix("/console");
    ["/oauth/authorize", "/oauth/accept"].contains(&path)
        || of_console.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// Shows who asks for what.
pub(crate) fn ask(edge: &Edge, request: &Request) -> Result<Reply, Problem> {
    let form = Form::of(request.query.iter().cloned());
    let frame = request.frame();
    answered(edge, &frame, form, |form| {
        let (asker, asked) = read(edge, form)?;
        let asked = asked.map_err(|error| Refused::There(asker.clone(), error))?;
        page(edge, &frame, form, (&asker, &asked), None)
    })
}

/// Signs somebody in who agrees, or sends back that nobody did.
pub(crate) fn answer(edge: &Edge, request: &Request) -> Result<Reply, Problem> {
    let frame = request.frame();
    answered(edge, &frame, super::form(request), |form| {
        let (asker, asked) = read(edge, form)?;
        let carried = carried(form);
        let given = form.get("form").unwrap_or_default();
        let ours = edge
            .registry
            .forms()
            .check(given, &signed(&carried), edge.registry.now());
        let asked = asked.map_err(|error| Refused::There(asker.clone(), error))?;
        if ours == FormCheck::Bad {
            let words = frame.say("sign_in.refused.form");
            return page(edge, &frame, form, (&asker, &asked), Some(words.to_owned()));
        }
        if form.get("answer") != Some("allow") {
            let error = OAuthError::new(ErrorCode::AccessDenied, "nobody agreed");
            return Err(Refused::There(asker, error));
        }
        let name = form.get("name").unwrap_or_default();
        let passphrase = form.get("passphrase").unwrap_or_default();
        match edge
            .registry
            .code_for(&asker, &asked, (name, passphrase), reach)
        {
            Ok(Ok(code)) => Ok(sent_back(edge, &asker, &[("code", &code)])),
            Ok(Err(refused)) => Err(at_the_client(asker, refused)),
            Err(SignInRefused::Registry(error)) => Err(Refused::Problem(error.into())),
            Err(refused) => {
                let mut reply = page(
                    edge,
                    &frame,
                    form,
                    (&asker, &asked),
                    Some(in_words(&frame, &refused)),
                )?;
                reply.status = status(&refused);
                Ok(waiting(reply, &refused))
            }
        }
    })
}

/// Shows where an invitation is taken.
pub(crate) fn invitation(edge: &Edge, request: &Request) -> Result<Reply, Problem> {
    Ok(invitation_page(edge, request.frame(), 200, None, None))
}

/// Takes an invitation.
pub(crate) fn accept(edge: &Edge, request: &Request) -> Result<Reply, Problem> {
    let form = match super::form(request) {
        Ok(form) => form,
        Err(error) => {
            let words = Some(error.description);
            return Ok(invitation_page(edge, request.frame(), 400, words, None));
        }
    };
    let given = form.get("form").unwrap_or_default();
    let now = edge.registry.now();
    if edge.registry.forms().check(given, &[INVITATION], now) == FormCheck::Bad {
        let words = request.frame().say("sign_in.refused.form");
        return Ok(invitation_page(
            edge,
            request.frame(),
            403,
            Some(words.into()),
            None,
        ));
    }
    let code = form.get("code").unwrap_or_default().trim();
    let passphrase = form.get("passphrase").unwrap_or_default();
    match edge.registry.accept_invitation(code, passphrase) {
        Ok(person) => {
            let name = person.email.unwrap_or_else(|| person.id.to_string());
            let values = [("person", person.name.as_str()), ("name", &name)];
            let words = request.frame().fill("sign_in.welcome", &values);
            Ok(invitation_page(
                edge,
                request.frame(),
                200,
                None,
                Some(words),
            ))
        }
        Err(SignInRefused::Registry(error)) => Err(error.into()),
        Err(refused) => {
            let status = status(&refused);
            let frame = request.frame();
            let words = Some(in_words(&frame, &refused));
            Ok(invitation_page(edge, frame, status, words, None))
        }
    }
}

const INVITATION: &str = "invitation";

/// Where a refusal is told.
enum Refused {
    /// To the person, since nobody knows whether the client's place is its own.
    Here(OAuthError),
    /// At the client's place.
    There(Asker, OAuthError),
    /// Something here failed.
    Problem(Problem),
}

/// Who asks, whose place is known to be their own; and what, which may be refused there.
fn read(edge: &Edge, form: &Form) -> Result<(Asker, Result<CodeAsked, OAuthError>), Refused> {
    let asker = Asker::read(form).map_err(Refused::Here)?;
    match edge.registry.known_asker(&asker) {
        Ok(()) => {}
        Err(GrantRefused::OAuth(error)) => return Err(Refused::Here(error)),
        Err(GrantRefused::Registry(error)) => return Err(Refused::Problem(error.into())),
    }
    let asked = CodeAsked::read(form, edge.registry.urls().origin());
    Ok((asker, asked))
}

fn answered(
    edge: &Edge,
    frame: &Frame,
    form: Result<Form, OAuthError>,
    answer: impl Fn(&Form) -> Result<Reply, Refused>,
) -> Result<Reply, Problem> {
    let answered = form.map_err(Refused::Here).and_then(|form| answer(&form));
    match answered {
        Ok(reply) => Ok(reply),
        Err(Refused::Problem(problem)) => Err(problem),
        Err(Refused::There(asker, error)) => {
            let said = [
                ("error", error.code.as_str()),
                ("error_description", &error.description),
            ];
            Ok(sent_back(edge, &asker, &said))
        }
        Err(Refused::Here(error)) => {
            let page = ProblemPage {
                frame: frame.clone(),
                status: 400,
                title: frame.say("problem.sign-in").into(),
                detail: frame.with("problem.sign-in.detail", "description", &error.description),
                detail_language: frame.language,
                to_do: None,
            };
            let mut reply = Reply::html(page.html());
            reply.status = 400;
            Ok(reply.not_kept())
        }
    }
}

fn at_the_client(asker: Asker, refused: GrantRefused) -> Refused {
    match refused {
        GrantRefused::OAuth(error) => Refused::There(asker, error),
        GrantRefused::Registry(error) => Refused::Problem(error.into()),
    }
}

/// The page with the form. It may send the browser on to the client's place, and nowhere else.
fn page(
    edge: &Edge,
    frame: &Frame,
    form: &Form,
    (asker, asked): (&Asker, &CodeAsked),
    trouble: Option<String>,
) -> Result<Reply, Refused> {
    let consent = edge.registry.consent(asker, asked, reach);
    let consent = consent.map_err(|refused| at_the_client(asker.clone(), refused))?;
    let Consent {
        client,
        is_console,
        profile,
        scopes,
    } = consent;
    let mut hidden = carried(form);
    let token = edge
        .registry
        .forms()
        .sign(&signed(&hidden), edge.registry.now());
    hidden.push(("form".into(), token));
    let place = place(&asker.redirect_uri);
    let status = if trouble.is_some() { 403 } else { 200 };
    let page = SignInPage {
        is_console,
        frame: frame.clone(),
        client,
        profile: profile.map(|slug| slug.to_string()),
        place: place.clone(),
        scopes: scopes
            .iter()
            .map(|scope| (meaning(frame, scope), scope.to_string()))
            .collect(),
        trouble,
        name: form.get("name").unwrap_or_default().to_owned(),
        hidden,
    };
    let mut reply = Reply::html_that_leads_to(page.html(), &place);
    reply.status = status;
    Ok(reply.not_kept())
}

/// What a scope is for, in the language of the page where that is known in it.
fn meaning(frame: &Frame, scope: &Scope) -> String {
    let known = frame.language.known(&format!("scope.{scope}"));
    known.map_or_else(|| scope.meaning(), str::to_owned)
}

/// Why somebody is refused, in the language of the page where that is known in it.
fn in_words(frame: &Frame, refused: &SignInRefused) -> String {
    match refused {
        SignInRefused::Wrong => frame.say("sign_in.refused.wrong").into(),
        SignInRefused::Wait(seconds) => {
            let seconds = frame.number(*seconds);
            frame.with("sign_in.refused.wait", "seconds", seconds)
        }
        SignInRefused::Busy => frame.say("sign_in.refused.busy").into(),
        SignInRefused::Invitation => frame.say("sign_in.refused.invitation").into(),
        SignInRefused::Weak(_) | SignInRefused::Registry(_) => refused.to_string(),
    }
}

fn carried(form: &Form) -> Vec<(String, String)> {
    let given = CARRIED.iter().flat_map(|name| {
        form.all(name)
            .map(|value| ((*name).to_owned(), value.to_owned()))
    });
    given.collect()
}

fn signed(carried: &[(String, String)]) -> Vec<&str> {
    let pairs = carried.iter();
    pairs
        .flat_map(|(name, value)| [name.as_str(), value.as_str()])
        .collect()
}

/// The origin of a place, or the scheme of a program's own.
fn place(uri: &str) -> String {
    match url::Url::parse(uri) {
        Ok(url) if url.has_host() => url.origin().ascii_serialization(),
        Ok(url) => format!("{}:", url.scheme()),
        Err(_) => String::new(),
    }
}

/// Sends the browser back, with who answers (RFC 9207) and what the client wants to find again.
fn sent_back(edge: &Edge, asker: &Asker, said: &[(&str, &str)]) -> Reply {
    let mut parameters = said.to_vec();
    if let Some(state) = &asker.state {
        parameters.push(("state", state));
    }
    parameters.push(("iss", edge.registry.urls().origin()));
    Reply::empty(303)
        .header(
            "Location",
            RedirectUri::with(&asker.redirect_uri, &parameters),
        )
        .header("Referrer-Policy", "no-referrer")
        .not_kept()
}

fn invitation_page(
    edge: &Edge,
    frame: Frame,
    status: u16,
    trouble: Option<String>,
    done: Option<String>,
) -> Reply {
    let form = edge
        .registry
        .forms()
        .sign(&[INVITATION], edge.registry.now());
    let page = InvitationPage {
        frame,
        form,
        trouble,
        done,
    };
    let mut reply = Reply::html(page.html());
    reply.status = status;
    reply.not_kept()
}

/// The answer, with how long to wait where that is what was said (RFC 9110 section 10.2.3).
fn waiting(reply: Reply, refused: &SignInRefused) -> Reply {
    match refused {
        SignInRefused::Wait(seconds) => reply.header("Retry-After", seconds.to_string()),
        SignInRefused::Busy => reply.header("Retry-After", "5"),
        _ => reply,
    }
}

const fn status(refused: &SignInRefused) -> u16 {
    match refused {
        SignInRefused::Weak(_) => 400,
        SignInRefused::Busy | SignInRefused::Wait(_) => 429,
        _ => 403,
    }
}
