//! `POST /profiles/{profile}/erase`.

use serde::Deserialize;
use serde_json::json;
use utoipa::ToSchema;

use super::edge::Edge;
use super::problem::Problem;
use super::reply::Reply;
use super::request::Request;
use crate::ids::{EndorsementId, RequestId, Seq, Slug};
use crate::registry::{Erasure, ReasonsToErase};

/// What is to be erased of a profile's words and contacts.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct EraseBody {
    /// Events of the audit trail whose reasons are to go: their ids, or "all".
    reasons: Option<Reasons>,
    /// Members of the profile, such as email. In place of name, its slug remains.
    members: Option<Vec<String>>,
    /// URLs of closed requests for endorsements, of which goes what the profile said.
    requests: Option<Vec<String>>,
    /// URLs of endorsements by the profile, which are signed again without comment and name.
    endorsements: Option<Vec<String>>,
    /// Why; kept with the change in the audit trail.
    reason: Option<String>,
}

/// Events of the audit trail by their ids, or the word `all`.
#[derive(Deserialize, ToSchema)]
#[serde(untagged)]
pub(super) enum Reasons {
    Of(Vec<u64>),
    Word(String),
}

pub(super) fn erase(edge: &Edge, request: &Request) -> Result<Reply, Problem> {
    let slug: Slug = request.param("profile")?;
    let body: EraseBody = request.json()?;
    let urls = edge.registry.urls();
    let id = |room: &str, url: &str| -> Option<String> {
        let url = urls.spelled(url);
        urls.within(room, &url).map(str::to_owned)
    };
    let each = |member: &str, room: &str, given: Option<Vec<String>>| {
        let given = given.unwrap_or_default().into_iter().enumerate();
        let ids = given.map(|(place, url)| {
            id(room, &url).ok_or_else(|| {
                let detail = format!("a URL below {}/{room}/ is needed", urls.origin());
                Problem::invalid(&format!("/{member}/{place}"), detail)
            })
        });
        ids.collect::<Result<Vec<String>, Problem>>()
    };
    let requests = each("requests", "endorsement-requests", body.requests)?;
    let endorsements = each("endorsements", "endorsements", body.endorsements)?;
    let erasure = Erasure {
        reasons: match body.reasons {
            None => ReasonsToErase::None,
            Some(Reasons::Of(ids)) => ReasonsToErase::Of(ids.into_iter().map(Seq).collect()),
            Some(Reasons::Word(word)) if word == "all" => ReasonsToErase::All,
            Some(Reasons::Word(_)) => {
                let detail = "ids of events are needed, or \"all\"";
                return Err(Problem::invalid("/reasons", detail));
            }
        },
        members: body.members.unwrap_or_default(),
        requests: parsed::<RequestId>("requests", &requests)?,
        endorsements: parsed::<EndorsementId>("endorsements", &endorsements)?,
    };
    if erasure == Erasure::default() {
        let detail = "nothing is named; name reasons, members, requests or endorsements";
        return Err(Problem::invalid("", detail));
    }
    let change = request.change_because(body.reason)?;
    let erased = edge.registry.erase(&change, &slug, &erasure)?;
    Ok(Reply::json(200, &json!({ "erased": erased })))
}

fn parsed<T: std::str::FromStr>(member: &str, ids: &[String]) -> Result<Vec<T>, Problem> {
    let each = ids.iter().enumerate().map(|(place, id)| {
        id.parse().map_err(|_| {
            let detail = "this is no id that the registry gives";
            Problem::invalid(&format!("/{member}/{place}"), detail)
        })
    });
    each.collect()
}
