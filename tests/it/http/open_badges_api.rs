//! The service API of Open Badges 3.0, as a client of it meets it: it reads the service description,
//! and finds its way by that. Shapes and words are those that the standard publishes.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::elsewhere::{College, house};
use super::imports::{CLEAR, unsigned};
use crate::support::actors::{badge, text};
use crate::support::client::{Answer, Call};
use crate::support::house::{House, ORIGIN};

const SCOPES: &str = "https://purl.imsglobal.org/spec/ob/v3p0/scope/";

/// What B.3.6 has of codes, with the status that it says each goes with; `unknown` goes with any.
const CODES: [(&str, u16); 9] = [
    ("forbidden", 403),
    ("internal_server_error", 500),
    ("invalid_data", 422),
    ("invalid_query_parameter", 400),
    ("not_acceptable", 406),
    ("not_allowed", 405),
    ("not_found", 404),
    ("server_busy", 429),
    ("unauthorizedrequest", 401),
];

/// A program that knows the standard and nothing else of this registry.
struct Client<'h> {
    house: &'h House,
    token: Option<String>,
    description: Value,
}

impl<'h> Client<'h> {
    /// Reads the service description, which needs no token.
    fn of(house: &'h House) -> Self {
        let found = house.call("GET", "/ims/ob/v3p0/discovery").send().is(200);
        assert_eq!(found.header("content-type"), Some("application/json"));
        Self {
            house,
            token: None,
            description: found.json(),
        }
    }

    /// With a token of this profile, narrowed to scopes of the standard.
    fn with(&self, profile: &str, scopes: &[&str]) -> Self {
        let scopes: Vec<String> = scopes
            .iter()
            .map(|name| format!("{SCOPES}{name}"))
            .collect();
        let body = json!({ "profile": profile, "scope": scopes.join(" ") });
        let made = self.house.operator().post("/tokens", &body).is(201).json();
        Self {
            house: self.house,
            token: Some(text(&made["token"])),
            description: self.description.clone(),
        }
    }

    /// The call of an operation of the standard, where the description says that it is.
    fn calls(&self, operation: &str) -> Call {
        let server = text(&self.description["servers"][0]["url"]);
        let (method, path) = self.finds(operation);
        let call = self
            .house
            .call(&method.to_uppercase(), &format!("{server}{path}"));
        match &self.token {
            Some(token) => call.token(token),
            None => call,
        }
    }

    fn finds(&self, operation: &str) -> (String, String) {
        let paths = self.description["paths"].as_object().unwrap();
        let all = paths.iter().flat_map(|(path, item)| {
            let item = item.as_object().unwrap();
            item.iter().map(move |(method, said)| (method, path, said))
        });
        let found = all
            .filter(|(_, _, said)| said["operationId"] == operation)
            .collect::<Vec<_>>();
        let [(method, path, _)] = found[..] else {
            panic!("{operation}: {found:?}");
        };
        (method.clone(), path.clone())
    }

    fn said(&self, operation: &str) -> &Value {
        let (method, path) = self.finds(operation);
        &self.description["paths"][&path][&method]
    }

    fn gets(&self, operation: &str) -> Answer {
        self.calls(operation).send()
    }

    fn hands_in(&self, credential: &Value) -> Answer {
        self.calls("upsertCredential").json(credential).send()
    }

    /// A page of what the profile holds.
    fn page(&self, query: &str) -> Page {
        let server = text(&self.description["servers"][0]["url"]);
        self.follows(&format!("{server}/credentials{query}"))
    }

    fn follows(&self, url: &str) -> Page {
        let token = self.token.as_deref().unwrap();
        let answer = self.house.call("GET", url).token(token).send().is(200);
        let body = answer.json();
        let mut members: Vec<&String> = body.as_object().unwrap().keys().collect();
        members.sort();
        assert_eq!(members, ["compactJwsString", "credential"]);
        let list = |name: &str| body[name].as_array().unwrap().clone();
        let links = answer.header("link").unwrap().split(", ").map(|link| {
            let (url, relation) = link.strip_prefix('<').unwrap().split_once('>').unwrap();
            let relation = relation.strip_prefix("; rel=\"").unwrap();
            (relation.trim_end_matches('"').to_owned(), url.to_owned())
        });
        Page {
            credentials: list("credential"),
            jwts: list("compactJwsString"),
            total: answer.header("x-total-count").unwrap().parse().unwrap(),
            links: links.collect(),
        }
    }
}

struct Page {
    credentials: Vec<Value>,
    jwts: Vec<Value>,
    total: usize,
    links: BTreeMap<String, String>,
}

/// Demands a refusal as the standard writes it, and gives its code.
#[track_caller]
fn refusal(answer: &Answer, status: u16) -> String {
    assert_eq!(answer.status, status, "{}", answer.text());
    assert_eq!(answer.header("content-type"), Some("application/json"));
    let info = answer.json();
    let members: BTreeSet<&str> = info
        .as_object()
        .unwrap()
        .keys()
        .map(String::as_str)
        .collect();
    let known = BTreeSet::from([
        "imsx_codeMajor",
        "imsx_codeMinor",
        "imsx_description",
        "imsx_severity",
    ]);
    assert_eq!(members, known);
    assert_eq!(info["imsx_codeMajor"], "failure");
    assert!(!text(&info["imsx_description"]).is_empty());
    let fields = info["imsx_codeMinor"]["imsx_codeMinorField"].as_array();
    let [field] = &fields.unwrap()[..] else {
        panic!("one code: {info}");
    };
    assert_eq!(field["imsx_codeMinorFieldName"], ORIGIN);
    let code = text(&field["imsx_codeMinorFieldValue"]);
    let severity = if code == "not_found" {
        "status"
    } else {
        "error"
    };
    assert_eq!(info["imsx_severity"], severity);
    let known = CODES.iter().find(|(known, _)| *known == code);
    match known {
        // A body that says what cannot be is a bad request in every API here.
        Some(("invalid_data", _)) => assert!([400, 422].contains(&status), "{info}"),
        Some((_, goes_with)) => assert_eq!(status, *goes_with, "{info}"),
        None => assert_eq!(code, "unknown", "{info}"),
    }
    code
}

#[track_caller]
fn described(answer: &Answer, words: &str) {
    let description = text(&answer.json()["imsx_description"]);
    assert!(description.contains(words), "{description}");
}

#[test]
fn the_service_description_has_what_a_client_needs_to_begin() {
    let house = House::open();
    let client = Client::of(&house);
    let description = &client.description;
    assert!(text(&description["openapi"]).starts_with("3.0."));
    let is_url = |value: &Value| url::Url::parse(&text(value)).is_ok();
    let info = &description["info"];
    for member in ["title", "version"] {
        assert!(!text(&info[member]).is_empty(), "{member}");
    }
    for member in ["termsOfService", "x-imssf-privacyPolicyUrl"] {
        assert!(is_url(&info[member]), "{member}");
    }
    let scheme = &description["components"]["securitySchemes"]["OAuth2ACG"];
    assert_eq!(scheme["type"], "oauth2");
    assert_eq!(
        scheme["x-imssf-registrationUrl"],
        format!("{ORIGIN}/oauth/register")
    );
    let flow = &scheme["flows"]["authorizationCode"];
    for (member, path) in [
        ("authorizationUrl", "/oauth/authorize"),
        ("tokenUrl", "/oauth/token"),
        ("refreshUrl", "/oauth/token"),
    ] {
        assert_eq!(flow[member], format!("{ORIGIN}{path}"));
    }
    let offered: BTreeSet<&str> = flow["scopes"]
        .as_object()
        .unwrap()
        .keys()
        .map(|name| name.strip_prefix(SCOPES).unwrap())
        .collect();
    let of_the_standard = [
        "credential.readonly",
        "credential.upsert",
        "profile.readonly",
        "profile.update",
    ];
    assert_eq!(offered, BTreeSet::from(of_the_standard));
    // The five operations of the standard, each with its scope, and no other.
    let operations = [
        (
            "getCredentials",
            Some("credential.readonly"),
            "get /credentials",
        ),
        (
            "upsertCredential",
            Some("credential.upsert"),
            "post /credentials",
        ),
        ("getProfile", Some("profile.readonly"), "get /profile"),
        ("putProfile", Some("profile.update"), "put /profile"),
        ("getServiceDescription", None, "get /discovery"),
    ];
    let paths = description["paths"].as_object().unwrap();
    let listed: usize = paths
        .values()
        .map(|item| item.as_object().unwrap().len())
        .sum();
    assert_eq!(listed, operations.len());
    for (operation, scope, at) in operations {
        let (method, path) = client.finds(operation);
        assert_eq!(format!("{method} {path}"), at);
        let said = client.said(operation);
        let needs = scope.map(|name| json!([{ "OAuth2ACG": [format!("{SCOPES}{name}")] }]));
        assert_eq!(said.get("security"), needs.as_ref(), "{operation}");
        let refused = &said["responses"]["default"]["content"]["application/json"]["schema"];
        assert_eq!(refused["$ref"], "#/components/schemas/Imsx_StatusInfo");
    }
    let upsert = &client.said("upsertCredential");
    for media in ["application/json", "text/plain"] {
        assert!(upsert["requestBody"]["content"][media].is_object());
        for status in ["200", "201"] {
            assert!(upsert["responses"][status]["content"][media].is_object());
        }
    }
    let references = references(description);
    assert!(references.len() > 5);
    for reference in references {
        let pointer = reference.strip_prefix('#').unwrap();
        assert!(description.pointer(pointer).is_some(), "{reference}");
    }
    no_words_of_openapi_3_1(description);
}

fn references(value: &Value) -> Vec<String> {
    match value {
        Value::Object(members) => {
            let own = members.get("$ref").map(text);
            let inside = members.values().flat_map(references);
            own.into_iter().chain(inside).collect()
        }
        Value::Array(items) => items.iter().flat_map(references).collect(),
        _ => Vec::new(),
    }
}

/// A type is one word in OpenAPI 3.0.
fn no_words_of_openapi_3_1(value: &Value) {
    if let Value::Object(members) = value {
        let is_schema = members.contains_key("properties") || members.contains_key("items");
        assert!(!is_schema || members["type"].is_string(), "{value}");
        for word in ["const", "examples", "$defs", "propertyNames"] {
            assert!(!members.contains_key(word), "{word}: {value}");
        }
    }
    let inside: Vec<&Value> = match value {
        Value::Object(members) => members.values().collect(),
        Value::Array(items) => items.iter().collect(),
        _ => Vec::new(),
    };
    inside.into_iter().for_each(no_words_of_openapi_3_1);
}

#[test]
fn each_scope_is_good_for_its_operation_alone() {
    let house = House::open();
    let (school, board) = (house.registrar("school"), house.accreditor("board"));
    let held = board.endorses(&school.id, "profile", false);
    let client = Client::of(&house);
    let operations = [
        ("credential.readonly", "getCredentials", None),
        ("credential.upsert", "upsertCredential", Some(held)),
        ("profile.readonly", "getProfile", None),
        (
            "profile.update",
            "putProfile",
            Some(json!({ "name": "School" })),
        ),
    ];
    for (scope, ..) in &operations {
        let client = client.with("school", &[*scope]);
        for (needed, operation, body) in &operations {
            let call = client.calls(operation);
            let answer = match body {
                Some(body) => call.json(body).send(),
                None => call.send(),
            };
            if needed == scope {
                answer.is(200);
                continue;
            }
            assert_eq!(refusal(&answer, 403), "forbidden");
            let challenge = answer.header("www-authenticate").unwrap();
            let named = format!("error=\"insufficient_scope\", scope=\"{SCOPES}{needed}\"");
            assert!(challenge.contains(&named), "{challenge}");
        }
        // And for nothing outside of this API.
        let token = client.token.as_deref().unwrap();
        let keys = house.call("GET", "/profiles/school/keys").token(token);
        keys.send().problem(403);
        let put = house.call("PUT", "/profiles/school").token(token);
        put.json(&json!({ "name": "School" })).send().problem(403);
    }
}

#[test]
fn what_a_profile_holds_is_told_to_it_and_to_nobody_else() {
    let house = House::open();
    let (school, board) = (house.registrar("school"), house.accreditor("board"));
    let achievement = school.defines("Welding");
    let (college, guild) = (house.registrar("college"), house.accreditor("guild"));
    let of_school = board.endorses(&school.id, "profile", true);
    let of_achievement = guild.endorses(&achievement, "achievement", false);
    let as_jwt = json!({
        "endorser": "board", "name": "Label", "securing": "vc+jwt",
        "subject": { "id": achievement, "kind": "achievement" },
    });
    let as_jwt = board.post("/endorsements", &as_jwt).is(201).json();
    let envelope = text(&as_jwt["verifiableCredential"]["id"]);
    let jwt = envelope.strip_prefix("data:application/vc+jwt,").unwrap();
    // Neither what it says of others nor what is of its credentials.
    let of_others = board.endorses(&college.id, "profile", false);
    let credential = school.issues(&badge(&school.id, &achievement));
    board.endorses(&text(&credential["id"]), "credential", false);

    let client = Client::of(&house);
    let reads = |slug: &str| client.with(slug, &["credential.readonly"]).page("");
    let page = reads("school");
    assert_eq!(page.total, 3);
    assert!(page.credentials.contains(&of_school));
    assert!(page.credentials.contains(&of_achievement));
    assert_eq!((page.credentials.len(), page.jwts), (2, vec![json!(jwt)]));
    let page = reads("college");
    assert_eq!((page.total, page.credentials), (1, vec![of_others]));
    let page = reads("board");
    assert_eq!((page.total, page.credentials), (0, Vec::new()));
    assert_eq!(page.links.keys().collect::<Vec<_>>(), ["first", "last"]);

    // One that was revoked is there still: it says itself where that is found out.
    board.does("revoke", &of_school).is(200);
    assert!(reads("school").credentials.contains(&of_school));

    // Nobody, a stranger and the registry hold nothing.
    let answer = client.gets("getCredentials");
    assert_eq!(refusal(&answer, 401), "unauthorizedrequest");
    assert!(
        answer
            .header("www-authenticate")
            .unwrap()
            .starts_with("Bearer ")
    );
    let guess = client.calls("getProfile").token("gst_x").send();
    assert_eq!(refusal(&guess, 401), "unauthorizedrequest");
    assert!(
        guess
            .header("www-authenticate")
            .unwrap()
            .contains("invalid_token")
    );
    for operation in ["getCredentials", "getProfile"] {
        let answer = client.calls(operation).token(&house.operator_token).send();
        assert_eq!(refusal(&answer, 403), "forbidden");
        described(&answer, "send a token of a profile");
    }
}

#[test]
fn pages_lead_to_each_other_and_end() {
    let house = House::open();
    let (school, board) = (house.registrar("school"), house.accreditor("board"));
    let mut made = vec![text(&board.endorses(&school.id, "profile", false)["id"])];
    for n in 0..6 {
        let achievement = school.defines(&format!("Course {n}"));
        made.push(text(
            &board.endorses(&achievement, "achievement", false)["id"],
        ));
    }
    let client = Client::of(&house).with("school", &["credential.readonly"]);
    let ids = |page: &Page| {
        page.credentials
            .iter()
            .map(|one| text(&one["id"]))
            .collect()
    };
    let whole: Vec<String> = ids(&client.page(""));
    let set = |ids: &[String]| ids.iter().cloned().collect::<BTreeSet<_>>();
    assert_eq!((set(&whole), whole.len()), (set(&made), 7));

    // By every page size, forwards and backwards, each once and in one order.
    for limit in 1..=8_usize {
        let mut page = client.page(&format!("?limit={limit}"));
        let first = format!("{ORIGIN}/ims/ob/v3p0/credentials?limit={limit}&offset=0");
        let mut found: Vec<String> = ids(&page);
        let mut pages = vec![found.clone()];
        while let Some(next) = page.links.get("next") {
            page = client.follows(next);
            assert!(page.credentials.len() <= limit && page.total == 7);
            assert_eq!(page.links["first"], first);
            pages.push(ids(&page));
            found.extend(pages.last().unwrap().clone());
        }
        assert_eq!(found, whole, "by {limit}");
        assert_eq!(pages.len(), 7_usize.div_ceil(limit));
        let last = client.follows(&page.links["last"]);
        assert_eq!(Some(&ids(&last)), pages.last());
        while let Some(before) = page.links.get("prev") {
            page = client.follows(before);
            pages.pop();
            assert_eq!(Some(&ids(&page)), pages.last());
        }
        assert_eq!(pages.len(), 1);
    }
    let beyond = client.page("?offset=4000000000&limit=3");
    assert_eq!((beyond.total, beyond.credentials.len()), (7, 0));
    assert!(!beyond.links.contains_key("next"));
    assert_eq!(ids(&client.follows(&beyond.links["prev"])), whole[6..]);
    assert_eq!(client.page("?limit=4000000000").credentials.len(), 7);

    for query in [
        "?limit=0",
        "?limit=-1",
        "?limit=x",
        "?offset=-1",
        "?offset=1.5",
        "?since=yesterday",
        "?cursor=1",
        "?limit=1&limit=2",
    ] {
        let token = client.token.as_deref().unwrap();
        let target = format!("/ims/ob/v3p0/credentials{query}");
        let answer = house.call("GET", &target).token(token).send();
        assert_eq!(refusal(&answer, 400), "invalid_query_parameter", "{query}");
    }
}

#[test]
fn whoever_comes_back_hears_what_is_new() {
    let house = House::open();
    let (school, board) = (house.registrar("school"), house.accreditor("board"));
    let first = board.endorses(&school.id, "profile", true);
    let client = Client::of(&house).with("school", &["credential.readonly"]);
    let since = |moment: &str| client.page(&format!("?limit=1&since={moment}"));
    let then = house.now();
    assert_eq!(since(&then).total, 0);
    assert_eq!(since("2026-03-01T08:59:59Z").credentials, [first.clone()]);

    house.wait(60);
    let achievement = school.defines("Welding");
    let second = board.endorses(&achievement, "achievement", false);
    assert_eq!(since(&then).credentials, [second.clone()]);
    // The standard also writes the time without a zone.
    assert_eq!(since(then.trim_end_matches('Z')).credentials, [second]);

    // That it was suspended is news as well, and the moment stands in the links.
    house.wait(60);
    board.does("suspend", &first).is(200);
    let page = since(&then);
    assert_eq!((page.total, page.credentials), (2, vec![first]));
    assert_eq!(client.follows(&page.links["next"]).total, 2);
    house.wait(60);
    assert_eq!(since(&house.now()).total, 0);
}

fn newer(college: &College, subject: &str) -> Value {
    let mut newer = unsigned(college, subject, "1");
    newer["validFrom"] = json!("2026-02-01T00:00:00Z");
    college.signs(&newer)
}

#[test]
fn an_endorsement_from_elsewhere_is_handed_in_and_replaced() {
    let (house, guild) = (house(), College::open());
    guild.puts_bits("/list", "revocation", CLEAR, (None, ""));
    let school = house.registrar("school");
    let client = Client::of(&house);
    let client = client.with("school", &["credential.readonly", "credential.upsert"]);
    let first = guild.signs(&unsigned(&guild, &school.id, "1"));
    let taken = client.hands_in(&first).is(201);
    assert_eq!(taken.header("content-type"), Some("application/json"));
    assert_eq!(taken.json(), first);
    let url = taken.header("location").unwrap().to_owned();
    assert_eq!(house.call("GET", &url).send().is(200).json(), first);
    assert_eq!(client.page("").credentials, [first.clone()]);

    let before = house.store();
    assert_eq!(client.hands_in(&first).is(200).json(), first);
    assert_eq!(house.store(), before, "the same again changes nothing");

    house.wait(60);
    let then = house.now();
    house.wait(60);
    let newer = newer(&guild, &school.id);
    let taken = client.hands_in(&newer).is(200);
    assert_eq!(
        (taken.json(), taken.header("location")),
        (newer.clone(), Some(&*url))
    );
    assert_eq!(client.page("").credentials, [newer.clone()]);
    assert_eq!(client.page(&format!("?since={then}")).total, 1);
    // The older one does not come back: what is kept is answered.
    assert_eq!(client.hands_in(&first).is(200).json(), newer);

    // A request that is repeated under its key is answered as it was.
    let mut third = unsigned(&guild, &school.id, "3");
    third["name"] = json!("Known well");
    let third = guild.signs(&third);
    for _ in 0..2 {
        let call = client.calls("upsertCredential").key("k").json(&third);
        assert_eq!(call.send().is(201).json(), third);
    }
    assert_eq!(client.page("").total, 2);
}

#[test]
fn a_compact_jws_comes_and_goes_as_text() {
    let (house, guild) = (house(), College::open());
    guild.puts_bits("/list", "revocation", CLEAR, (None, ""));
    let school = house.registrar("school");
    let board = house.accreditor("board");
    let client = Client::of(&house);
    let client = client.with("school", &["credential.readonly", "credential.upsert"]);
    let jwt = guild.jwt("vc+jwt", &unsigned(&guild, &school.id, "1"));
    let hands_in = |jwt: &str| {
        let call = client
            .calls("upsertCredential")
            .header("Accept", "text/plain");
        call.body("text/plain", jwt).send()
    };
    for (sent, status) in [(jwt.clone(), 201), (format!("{jwt}\n"), 200)] {
        let answer = hands_in(&sent).is(status);
        assert_eq!(answer.header("content-type"), Some("text/plain"));
        assert_eq!(answer.text(), jwt);
    }
    let page = client.page("");
    assert_eq!((page.credentials.len(), page.jwts), (0, vec![json!(jwt)]));

    // One that was issued here is had as a JWT of the same claims, and found by it.
    let own = board.endorses(&school.id, "profile", false);
    let call = house.call("GET", &text(&own["id"]));
    let own_jwt = call
        .header("Accept", "application/vc+jwt")
        .send()
        .is(200)
        .text();
    assert_eq!(hands_in(&own_jwt).is(200).text(), own_jwt);

    let (_, signature) = jwt.rsplit_once('.').unwrap();
    let other = guild.jwt("vc+jwt", &unsigned(&guild, &school.id, "2"));
    let forged = format!("{}.{signature}", other.rsplit_once('.').unwrap().0);
    assert_eq!(refusal(&hands_in(&forged), 422), "invalid_data");
    for nonsense in ["", "a.b.c", "no jws", "{}"] {
        assert_eq!(
            refusal(&hands_in(nonsense), 400),
            "invalid_data",
            "{nonsense:?}"
        );
    }
    let call = client.calls("upsertCredential");
    let bytes = call.body("text/plain", vec![0xff, 0xfe]).send();
    assert_eq!(refusal(&bytes, 400), "invalid_data");
    let call = client.calls("upsertCredential");
    let form = call.body("application/x-www-form-urlencoded", "a=b").send();
    assert_eq!(refusal(&form, 415), "unknown");
    let client = Client::of(&house).with("school", &["profile.update"]);
    let call = client.calls("putProfile");
    let plain = call.body("text/plain", "{\"name\":\"School\"}").send();
    assert_eq!(refusal(&plain, 415), "unknown");
}

#[test]
fn what_was_issued_here_is_found_and_nothing_else_is_taken_for_it() {
    let house = House::open();
    let (school, board) = (house.registrar("school"), house.accreditor("board"));
    let client = Client::of(&house).with("school", &["credential.upsert"]);
    let own = board.endorses(&school.id, "profile", false);
    let before = house.store();
    let answer = client.hands_in(&own).is(200);
    assert_eq!(
        (answer.json(), answer.header("location")),
        (own.clone(), own["id"].as_str())
    );

    let mut other = own.clone();
    other["credentialSubject"]["endorsementComment"] = json!("The best of all.");
    let answer = client.hands_in(&other);
    assert_eq!(refusal(&answer, 400), "invalid_data");
    described(&answer, "says something else");
    // By a profile here, and never issued.
    other["id"] = json!("https://far.example/endorsements/1");
    assert_eq!(refusal(&client.hands_in(&other), 400), "invalid_data");
    assert_eq!(house.store(), before);
}

#[test]
fn what_is_no_endorsement_of_ones_own_is_refused_by_name() {
    let (house, guild) = (house(), College::open());
    guild.puts_bits("/list", "revocation", CLEAR, (None, ""));
    let (school, stranger) = (house.registrar("school"), house.registrar("stranger"));
    let client = Client::of(&house).with("school", &["credential.upsert"]);
    let foreign = stranger.defines("Baking");
    let issued = school.issues(&badge(&school.id, "https://far.example/welding"));
    let mut clr = badge(&guild.site.did(), "https://far.example/welding");
    clr["type"] = json!(["VerifiableCredential", "ClrCredential"]);
    let of = |subject: &str| guild.signs(&unsigned(&guild, subject, "1"));
    let before = house.store();
    for (credential, status, words) in [
        (
            issued.clone(),
            400,
            "/type: this is of type OpenBadgeCredential",
        ),
        (clr, 400, "/type: this is of type ClrCredential"),
        (
            json!({ "type": "VerifiableCredential" }),
            400,
            "of type VerifiableCredential",
        ),
        (json!({}), 400, "EndorsementCredential"),
        (json!([]), 400, "EndorsementCredential"),
        (of(&stranger.id), 403, "another profile"),
        (of(&foreign), 403, "another profile"),
        (of("https://far.example/x"), 422, "neither the profile"),
        (of(&text(&issued["id"])), 422, "neither the profile"),
        (of("did:example:holder"), 422, "neither the profile"),
    ] {
        let answer = client.hands_in(&credential);
        let code = refusal(&answer, status);
        assert_eq!(code == "forbidden", status == 403, "{words}");
        described(&answer, words);
    }
    let mut tampered = of(&school.id);
    tampered["name"] = json!("Adored by the guild");
    assert_eq!(refusal(&client.hands_in(&tampered), 422), "invalid_data");
    let mut unproved = of(&school.id);
    unproved.as_object_mut().unwrap().shift_remove("proof");
    assert_eq!(refusal(&client.hands_in(&unproved), 422), "invalid_data");
    assert_eq!(house.store(), before);
}

#[test]
fn a_profile_is_read_and_sent_back_whole() {
    for id_form in ["did:web", "https", "did:key"] {
        let house = House::open();
        let school = house.operator().registers("school", &["issuer"], id_form);
        let client = Client::of(&house);
        let client = client.with("school", &["profile.readonly", "profile.update"]);
        let answer = client.gets("getProfile").is(200);
        assert_eq!(answer.header("content-type"), Some("application/json"));
        let mut profile = answer.json();
        assert_eq!(profile["id"], school.id);
        assert_eq!(profile, school.get("/profiles/school").is(200).json());
        assert_eq!(client.gets("getProfile").is(200).json(), profile);

        let puts = |body: &Value| client.calls("putProfile").json(body).send();
        assert_eq!(puts(&profile).is(200).json(), profile, "{id_form}");
        profile["phone"] = json!("111-222-3333");
        profile.as_object_mut().unwrap().shift_remove("url");
        assert_eq!(puts(&profile).is(200).json(), profile);
        assert_eq!(school.get("/profiles/school").is(200).json(), profile);

        // As the standard's own example is written, with the tag of what was seen.
        let example = json!({
            "@context": ["https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.3.json"],
            "type": "Profile",
            "id": school.id,
            "name": "Example University",
        });
        let seen = client.gets("getProfile").header("etag").unwrap().to_owned();
        let call = || client.calls("putProfile").header("If-Match", seen.clone());
        call().json(&example).send().is(200);
        assert_eq!(refusal(&call().json(&example).send(), 412), "unknown");
        assert_eq!(
            client.gets("getProfile").json()["name"],
            "Example University"
        );
        // What it may do is not its own to change, and stays.
        let listed = house.verifier().get("/profiles").is(200).json();
        assert_eq!(listed["profiles"][0]["roles"], json!(["issuer"]));
    }
}

#[test]
fn a_profile_that_is_not_ones_own_or_not_a_profile_is_refused() {
    let house = House::open();
    let (school, stranger) = (house.registrar("school"), house.registrar("stranger"));
    let client = Client::of(&house).with("school", &["profile.update"]);
    let before = house.store();
    let with = |member: &str, value: Value| {
        let mut body = json!({ "id": school.id, "type": ["Profile"], "name": "School" });
        body[member] = value;
        body
    };
    for (body, words) in [
        (
            with("id", json!(stranger.id)),
            "/id: the id of this profile is",
        ),
        (with("id", json!(7)), "/id"),
        (
            with("type", json!(["Profile", "Achievement"])),
            "/type: Profile is needed",
        ),
        (
            with("@context", json!(["https://far.example/context"])),
            "/@context",
        ),
        (
            with("@context", json!([{ "name": "https://far.example/" }])),
            "/@context",
        ),
        (with("roles", json!(["issuer", "accreditor"])), "/roles"),
        (with("statusHistory", json!("public")), "/statusHistory"),
        (with("slug", json!("other")), "/slug"),
        (with("endorsement", json!([])), "/endorsement"),
        (
            with("assertionMethod", json!(["did:example:x#key-1"])),
            "/assertionMethod",
        ),
        (with("name", json!("")), "/name"),
        (
            json!({ "id": school.id, "type": "Profile" }),
            "Profile needs \"name\"",
        ),
        (json!([]), ""),
    ] {
        let answer = client.calls("putProfile").json(&body).send();
        assert_eq!(refusal(&answer, 400), "invalid_data", "{body}");
        described(&answer, words);
    }
    assert_eq!(house.store(), before);
}

#[test]
fn nothing_else_is_there_and_that_is_said_in_the_same_words() {
    let house = House::open();
    let asks = |method: &str, target: &str| {
        let browser = house.call(method, target).header("Accept", "text/html");
        browser.send()
    };
    for target in [
        "/ims/ob/v3p0",
        "/ims/ob/v3p0/",
        "/ims/ob/v3p0/credentials/1",
    ] {
        assert_eq!(refusal(&asks("GET", target), 404), "not_found", "{target}");
    }
    let answer = asks("DELETE", "/ims/ob/v3p0/credentials");
    assert_eq!(refusal(&answer, 405), "not_allowed");
    assert_eq!(answer.header("allow"), Some("GET, POST, HEAD, OPTIONS"));
    // Beside this API problems are what they were.
    house.call("GET", "/ims/ob/v3p01").send().problem(404);
}

/// A token of somebody who only endorses reads, and changes no profile.
#[test]
fn a_role_narrows_what_a_scope_gives() {
    let house = House::open();
    house.registrar("school");
    let client = Client::of(&house);
    let scopes = ["profile.readonly", "profile.update"].map(|name| format!("{SCOPES}{name}"));
    let body = json!({ "profile": "school", "role": "endorser", "scope": scopes.join(" ") });
    let made = house.operator().post("/tokens", &body).is(201).json();
    let token = text(&made["token"]);
    client.calls("getProfile").token(&token).send().is(200);
    let put = client.calls("putProfile").token(&token);
    let answer = put.json(&json!({ "name": "School" })).send();
    assert_eq!(refusal(&answer, 403), "forbidden");
}

#[test]
fn pages_of_the_operator_are_named_where_there_are_some() {
    use goodstanding::http::ServicePages;
    let read = |text: &str| serde_json::from_str::<ServicePages>(text);
    let pages = json!({
        "terms_of_service_url": "https://org.example/terms", "privacy_policy_url": "",
    });
    let pages = read(&pages.to_string()).unwrap();
    assert_eq!(pages.terms_of_service(ORIGIN), "https://org.example/terms");
    assert_eq!(pages.privacy_policy(ORIGIN), format!("{ORIGIN}/"));
    for bad in ["javascript:alert(1)", "terms.html", "ftp://org.example/"] {
        let pages = json!({ "terms_of_service_url": bad, "privacy_policy_url": "" });
        let error = read(&pages.to_string()).unwrap_err().to_string();
        assert!(error.contains(bad), "{error}");
    }
}
