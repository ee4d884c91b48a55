//! The objects of answers that are this registry's own: each names all its members, so that one that is not
//! described is noticed. Documents of other data models (JSON-LD, DIDs, JSON Web Keys, OpenAPI) are open, as
//! these models are.

use serde_json::{Map, Value, json};

use super::answers;

/// Objects within answers. A member is `name`, `name?` where it is not always there, and `name:kind` where it is
/// no text: `time`, `count`, `bool`, `texts`, `nullable` (a text or null), `items` (an array of any), `any`, the
/// name of another object, or that in brackets for an array of them.
#[rustfmt::skip]
const OBJECTS: &[(&str, &str)] = &[
    ("link", "method url summary"),
    ("code", "credential code url"),
    ("refusal", "item:count line?:count reason"),
    ("chunk", "firstLine:count lastLine:count applied:count refused:count revision?:count"),
    ("entry", "list? index?:count issuer? status?:count purpose? valid?:bool outcome message? revision?:count"),
    ("status", "credential? list? index?:count issuer? status?:count purpose? valid?:bool outcome message? revision?:count entries?:[entry] problem?:any"),
    ("edge", "endorser subject outcome endorsement"),
    ("endorsed", "id endorser name? outcome"),
    ("party", "id name? outcome reason detail path?:[edge] endorsements:[endorsed] more?:bool"),
    ("part", "purpose? status?:count outcome list? index?:count"),
    ("standing", "credential? outcome decidedBy detail verified?:bool status:[part] issuer?:party achievement?:party path?:[edge] nested?:items pointer?"),
    ("imported", "id checkedAt:time"),
    ("endorsement", "id endorser subject kind roles?:texts scope?:any outcome endorserOutcome? validFrom:time validUntil?:time imported?:imported credential:any"),
    ("backed", "subject outcome reason detail path?:[edge] accreditorOutcome? endorsements:[endorsement] more?:bool"),
    ("evidence", "name value"),
    ("check", "path kind outcome code detail evidence?:[evidence] verified?:bool id? issuer? subject?"),
    ("finding", "type title detail code pointer:nullable"),
    ("report", "id?:nullable issuer?:nullable holder?:nullable checks:[check]"),
    ("asked", "id kind digestMultibase?"),
    ("step", "step at:time question? answer? reason? evidence?:texts"),
    ("request", "id state requester accreditor subject:asked name? comment? evidence?:texts scope?:any validFrom?:time validUntil?:time renews? steps:[step] endorsement? createdAt:time changedAt:time"),
    ("task", "kind request? endorsement? subject requester? accreditor? since?:time until?:time digestMultibase? presentDigestMultibase?"),
    ("key", "id verificationMethod publicKeyMultibase? publicKeyJwk?:any managed:bool madeAt:time signsFrom:time retiredAt?:time revokedSince?:time"),
    ("progress", "done:count total:count"),
    ("rotation", "from:texts to signsFrom:time lists:progress state"),
    ("token", "id profile:nullable role scope:nullable made:time expires:time"),
    ("client", "client_id client_name status profile:nullable role scope? token_endpoint_auth_method grant_types:texts redirect_uris:texts created:time decided?:time jwks?:any"),
    ("person", "id profile:nullable name email:nullable role accepted:bool invited:time"),
    ("quota", "quota of used:count limit?:count left?:count resets?:time"),
    ("form", "url mediaType etag revision:count generation:count published:time validUntil?:nullable"),
    ("published", "list profile forms:[form]"),
    ("state", "state detail whatToDo"),
    ("registered", "id slug url name roles:texts statusHistory"),
    ("erased", "reasons:count members:count requests:count endorsements:count more:bool"),
    ("taken-in", "entries:count given:count set:count used:any sealed:bool"),
    ("event", "id:count at:time type profile? actor:any request? about:any reason?:nullable digest? body?"),
];

/// Answers of routes: what a member holds where there is more to say than its name does, and the members
/// beside those that are always there. Answers that stand here have no other members.
#[rustfmt::skip]
const ANSWERS: &[(&[&str], &str)] = &[
    (&["GET /"], "links:[link]"),
    (&["GET /status"], "credential? list? index?:count issuer? status?:count purpose? valid?:bool message? revision?:count entries?:[entry]"),
    (&["POST /status/query"], "results:[status]"),
    (&["GET /endorsements"], "endorsements:[endorsement]"),
    (&["POST /endorsements/query"], "results:[backed]"),
    (&["POST /standing/query"], "results:[standing] freshUntil?:time"),
    (&["GET /standing"], "decidedBy? detail? verified?:bool status:[part] issuer?:party achievement?:party path?:[edge] nested?:items freshUntil?:time"),
    (&["GET /codes/{code}"], "decidedBy detail verified?:bool status:[part] issuer:party achievement?:party path?:[edge] nested?:items since?:time"),
    (&["POST /credentials/codes"], "codes:[code] refused:[refusal]"),
    (&["POST /credentials/codes/withdraw"], "withdrawn:texts refused:[refusal]"),
    (&["POST /credentials/issue", "POST /endorsements"],
     "verifiableCredential?:any verificationCode?:code unsigned?:any claims?:any verificationMethod? kid?"),
    (&["POST /status-lists"], "verifiableCredential?:any toSign?"),
    (&["POST /credentials/status", "POST /status-lists/{list}/updates"], "revision:any refused:[refusal] refusedCount?:count chunks?:[chunk]"),
    (&["POST /credentials/verify", "POST /presentations/verify"], "problemDetails:[finding] report:report results?:any credential?:any presentation?:any"),
    (&["GET /profiles"], "profiles:[registered]"),
    (&["GET /endorsement-requests"], "requests:[request] asOf:time"),
    (&["POST /endorsement-requests", "GET /endorsement-requests/{request}", "POST /endorsement-requests/{request}/answer",
       "POST /endorsement-requests/{request}/approve", "POST /endorsement-requests/{request}/ask",
       "POST /endorsement-requests/{request}/decline", "POST /endorsement-requests/{request}/withdraw"],
     "subject:asked name? comment? evidence?:texts scope?:any validFrom?:time validUntil?:time renews? steps:[step] endorsement? verifiableCredential?:any unsigned?:any claims?:any verificationMethod? kid?"),
    (&["GET /profiles/{profile}/tasks"], "tasks:[task] asOf:time"),
    (&["GET /keys", "GET /profiles/{profile}/keys"], "keys:[key] rotation?:rotation toSign?:any"),
    (&["POST /keys", "POST /profiles/{profile}/keys", "POST /keys/rotate", "POST /profiles/{profile}/keys/rotate",
       "POST /keys/{key}/retire", "POST /profiles/{profile}/keys/{key}/retire"],
     "publicKeyMultibase? publicKeyJwk?:any managed?:bool retiredAt?:time revokedSince?:time rotation?:rotation toSign?:any"),
    (&["GET /tokens"], "tokens:[token]"),
    (&["GET /clients"], "clients:[client]"),
    (&["GET /people"], "people:[person]"),
    (&["GET /profiles/{profile}/usage"], "quotas:[quota]"),
    (&["GET /published"], "lists:[published] event:count registry"),
    (&["GET /health/live"], "status"),
    (&["GET /health/ready"], "status warnings?:[state]"),
    (&["POST /profiles/{profile}/erase"], "erased:erased"),
    (&["POST /status-lists/import"], "verifiableCredential?:any toSign? imported:taken-in"),
    (&["GET /events"], "events:[event]"),
    (&["POST /endorsements/import", "POST /endorsements/{endorsement}/follow"],
     "roles?:texts scope?:any endorserOutcome? validUntil?:time imported:imported"),
];

/// Closes the schema of a route's answer, where it is one of ours.
pub(super) fn close(method: &str, path: &str, schema: &mut Value) {
    let route = format!("{method} {path}");
    let known = ANSWERS
        .iter()
        .find(|(routes, _)| routes.contains(&route.as_str()));
    let Some((_, members)) = known else { return };
    for member in members.split(' ') {
        let (name, always, kind) = parts(member);
        schema["properties"][name] = kind_of(name, kind);
        if !always && let Some(required) = schema["required"].as_array_mut() {
            required.retain(|known| known != name);
        }
    }
    let always = schema["required"].as_array().cloned().unwrap_or_default();
    for name in always.iter().filter_map(Value::as_str) {
        if schema["properties"].get(name).is_none() {
            schema["properties"][name] = json!({});
        }
    }
    schema["additionalProperties"] = false.into();
}

/// A member's name, whether it is always there, and its kind.
fn parts(member: &str) -> (&str, bool, &str) {
    let (name, kind) = member.split_once(':').unwrap_or((member, ""));
    let always = name.strip_suffix('?');
    (always.unwrap_or(name), always.is_none(), kind)
}

fn kind_of(name: &str, kind: &str) -> Value {
    let mut schema = match kind {
        "" => json!({ "type": "string" }),
        "time" => json!({ "type": "string", "format": "date-time" }),
        "count" => json!({ "type": "integer", "minimum": 0 }),
        "bool" => json!({ "type": "boolean" }),
        "texts" => json!({ "type": "array", "items": { "type": "string" } }),
        "nullable" => json!({ "type": ["string", "null"] }),
        "items" => json!({ "type": "array" }),
        "any" => json!({}),
        named => match named
            .strip_prefix('[')
            .and_then(|named| named.strip_suffix(']'))
        {
            Some(named) => json!({ "type": "array", "items": object(named) }),
            None => object(named),
        },
    };
    if let Some(meaning) = answers::meaning(name) {
        schema["description"] = meaning.into();
    }
    schema
}

/// An object within an answer.
fn object(named: &str) -> Value {
    let known = OBJECTS.iter().find(|(known, _)| *known == named);
    let members = known.map_or("", |(_, members)| members);
    let (mut required, mut properties) = (Vec::new(), Map::new());
    for member in members.split(' ') {
        let (name, always, kind) = parts(member);
        properties.insert(name.to_owned(), kind_of(name, kind));
        required.extend(always.then_some(name));
    }
    json!({
        "type": "object",
        "required": required,
        "properties": properties,
        "additionalProperties": false,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::routes::ROUTES;

    /// Every kind is one that is known, and every route and object is one that is there.
    #[test]
    fn the_tables_name_what_is_there() {
        let words = [
            "", "time", "count", "bool", "texts", "nullable", "items", "any",
        ];
        let objects: Vec<&str> = OBJECTS.iter().map(|(name, _)| *name).collect();
        let all = OBJECTS.iter().map(|(_, members)| members);
        for members in all.chain(ANSWERS.iter().map(|(_, members)| members)) {
            for member in members.split(' ') {
                let kind = parts(member).2.trim_matches(['[', ']']);
                assert!(words.contains(&kind) || objects.contains(&kind), "{member}");
            }
        }
        for route in ANSWERS.iter().flat_map(|(routes, _)| *routes) {
            let is = |known: &&crate::http::routes::Route| {
                format!("{} {}", known.method, known.path) == **route
            };
            assert!(ROUTES.iter().any(|known| is(&known)), "{route}");
        }
    }
}
