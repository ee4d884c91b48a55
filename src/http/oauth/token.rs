//! The token endpoint, and the ends of tokens before their time.

use serde_json::json;
use utoipa::ToSchema;

use super::{form, told};
use crate::http::edge::Edge;
use crate::http::problem::Problem;
use crate::http::reply::Reply;
use crate::http::request::Request;
use crate::http::routes::reach;
use crate::oauth::{Form, GrantAsked, Presented};
use crate::registry::{GrantRefused, KnownClient};

/// A request for a token. The client shows who it is by HTTP Basic, or by what stands here.
#[derive(ToSchema)]
#[expect(
    dead_code,
    reason = "describes the form, which is read member by member"
)]
pub(crate) struct TokenForm {
    /// client_credentials or authorization_code.
    grant_type: String,
    /// What the token is to be good for; all that the client may have where nothing is said.
    scope: Option<String>,
    /// The public URL of this registry, which is the only one that tokens are for (RFC 8707).
    resource: Option<String>,
    /// The code, where it is by one.
    code: Option<String>,
    /// Where the code was sent.
    redirect_uri: Option<String>,
    /// What the code's challenge was made of (RFC 7636).
    code_verifier: Option<String>,
    /// The client.
    client_id: Option<String>,
    /// Its secret, for client_secret_post.
    client_secret: Option<String>,
    /// urn:ietf:params:oauth:client-assertion-type:jwt-bearer, for private_key_jwt.
    client_assertion_type: Option<String>,
    /// The JWT that the client signed.
    client_assertion: Option<String>,
}

/// A token to be looked at or ended. The client shows who it is as at the token endpoint.
#[derive(ToSchema)]
#[expect(
    dead_code,
    reason = "describes the form, which is read member by member"
)]
pub(crate) struct TokenTold {
    /// The token.
    token: String,
    /// Ignored: a token is known by itself.
    token_type_hint: Option<String>,
}

/// RFC 6749 section 3.2.
pub(crate) fn token(edge: &Edge, request: &Request) -> Result<Reply, Problem> {
    let answer = || -> Result<Reply, GrantRefused> {
        let form = form(request)?;
        let asked = GrantAsked::read(&form, edge.registry.urls().origin());
        // Who asks comes before what is asked, so that strangers learn nothing of either.
        let client = client(edge, request, &form)?;
        let granted = edge.registry.grant(&client, &asked?, reach)?;
        let body = json!({
            "access_token": *granted.token,
            "token_type": "Bearer",
            "expires_in": granted.good_for.seconds(),
            "scope": granted.scopes.to_string(),
        });
        Ok(Reply::json(200, &body).not_kept())
    };
    told(answer())
}

/// RFC 7009: also a token that nobody knows is answered with 200.
pub(crate) fn revoke(edge: &Edge, request: &Request) -> Result<Reply, Problem> {
    let answer = || -> Result<Reply, GrantRefused> {
        let form = form(request)?;
        let client = client(edge, request, &form)?;
        edge.registry
            .revoke_of_client(&client, form.needed("token")?)?;
        Ok(Reply::json(200, &json!({})).not_kept())
    };
    told(answer())
}

/// RFC 7662, about tokens of the client's own profile.
pub(crate) fn introspect(edge: &Edge, request: &Request) -> Result<Reply, Problem> {
    let answer = || -> Result<Reply, GrantRefused> {
        let form = form(request)?;
        let client = client(edge, request, &form)?;
        let told = edge.registry.introspect(&client, form.needed("token")?)?;
        Ok(Reply::json(200, &told).not_kept())
    };
    told(answer())
}

fn client(edge: &Edge, request: &Request, form: &Form) -> Result<KnownClient, GrantRefused> {
    let headers = request.headers.get_all("authorization").iter();
    let headers: Vec<&[u8]> = headers.map(|value| value.as_bytes()).collect();
    edge.registry
        .known_client(&Presented::read(&headers, form)?)
}
