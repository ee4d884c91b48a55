//! Clients of OAuth 2.0: how they come in, what they are given, and how that ends.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ed25519_dalek::SigningKey;
use goodstanding::registry::Registration;
use serde_json::{Value, json};

use crate::support::actors::text;
use crate::support::client::Answer;
use crate::support::house::{House, Plan, START};
use crate::support::jwt;
use crate::support::oauth::{jwk, jwt as signed, opened, posts};

#[track_caller]
fn refused(answer: &Answer, status: u16, error: &str) {
    assert_eq!(answer.status, status, "{}", answer.text());
    let body = answer.json();
    assert_eq!(body["error"], error, "{body}");
    assert!(
        body["error_description"]
            .as_str()
            .is_some_and(|words| !words.is_empty())
    );
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    assert_eq!(answer.header("www-authenticate").is_some(), status == 401);
}

#[test]
fn a_client_with_a_secret_does_what_its_role_allows_for_its_own_profile() {
    let house = House::open();
    let (school, other) = (house.registrar("school"), house.registrar("other"));
    let list = school.opens_list("revocation");
    let index = school.allocates(&list, 1)[0];
    let foreign = other.opens_list("revocation");
    let client = school.registers_client("list-manager", &json!({}));
    let answer = client.asks(&[("resource", house.origin())]).is(200);
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    let told = answer.json();
    assert_eq!(
        (&told["token_type"], &told["expires_in"]),
        (&json!("Bearer"), &json!(600))
    );
    assert_eq!(
        told["scope"],
        "read lists:write status:write credentials:write"
    );
    let token = text(&told["access_token"]);
    // What anybody else makes of it, by the keys that the registry publishes (RFC 9068).
    let keys = house
        .call("GET", "/.well-known/did.json")
        .send()
        .is(200)
        .json();
    let methods = keys["verificationMethod"].as_array().unwrap().iter();
    let keys: Vec<Value> = methods
        .filter(|method| method["publicKeyJwk"].is_object())
        .map(|method| {
            let mut key = method["publicKeyJwk"].clone();
            key["kid"] = method["id"].clone();
            key
        })
        .collect();
    let (_, claims) = jwt::open(&token, "at+jwt", &json!({ "keys": keys }));
    assert_eq!(
        (&claims["iss"], &claims["aud"]),
        (&json!(house.origin()), &json!(house.origin()))
    );
    assert_eq!(
        (&claims["sub"], &claims["client_id"]),
        (&json!(client.id), &json!(client.id))
    );
    assert_eq!(
        claims["profile"],
        format!("{}/profiles/school", house.origin())
    );

    let with = |method: &str, target: &str| house.call(method, target).token(&token);
    let update = json!({ "updates": [{ "index": index, "status": 1 }] });
    let updates = |list: &str| {
        with("POST", &format!("{list}/updates"))
            .json(&update)
            .send()
    };
    updates(&list).is(200);
    updates(&foreign).problem(403);
    with("GET", "/profiles/school/keys").send().is(200);
    with("GET", "/profiles/other/keys").send().problem(404);
    let keys = with("POST", "/profiles/school/keys").send();
    keys.problem(403);
    let challenge = keys.header("www-authenticate").unwrap();
    assert!(challenge.contains("insufficient_scope") && challenge.contains("keys:write"));
    house.wait(599);
    with("GET", "/profiles/school/keys").send().is(200);
    house.wait(1);
    with("GET", "/profiles/school/keys").send().problem(401);
    // The log says by which client the entry was revoked.
    let events = school.get("/events").is(200).text();
    assert!(
        events.contains("client.registered") && events.contains(&client.id),
        "{events}"
    );
}

#[test]
fn a_token_is_narrowed_to_what_was_asked_and_never_widened() {
    let house = House::open();
    let school = house.registrar("school");
    let list = school.opens_list("revocation");
    let client = school.registers_client("list-manager", &json!({"scope": "read status:write"}));
    for scope in [
        "lists:write",
        "read keys:write",
        "write:/status-lists",
        "nonsense",
        "read  read",
    ] {
        refused(&client.asks(&[("scope", scope)]), 400, "invalid_scope");
    }
    for target in ["https://other.example", "https://registry.example.evil"] {
        refused(&client.asks(&[("resource", target)]), 400, "invalid_target");
    }
    let token = client.token("status:write");
    let call = |method: &str, path: &str, token: &str| {
        let body = json!({ "count": 1 });
        house.call(method, path).token(token).json(&body).send()
    };
    call("POST", &format!("{list}/entries"), &token).is(200);
    call("GET", "/profiles/school/keys", &token).problem(403);
    // By path, as VCALM has it.
    let paths = school.registers_client("owner", &json!({"scope": "write:/status-lists"}));
    let token = paths.token("write:/status-lists");
    call("POST", &format!("{list}/entries"), &token).is(200);
    call("POST", "/profiles/school/keys", &token).problem(403);
    // What its role has no use for is not granted, whatever it registered for.
    let role = school.registers_client("endorser", &json!({}));
    for scope in ["write:/status-lists", "read keys:write", "registry:write"] {
        refused(&role.asks(&[("scope", scope)]), 400, "invalid_scope");
    }
    let wide = json!({"scope": "read keys:write write:/status-lists"});
    let wide = school.registers_client("endorser", &wide);
    assert_eq!(wide.asks(&[]).is(200).json()["scope"], "read");
    // Less than a scope is part of it (RFC 6749 section 3.3).
    let narrow = school.registers_client("owner", &json!({"scope": "status:write"}));
    let part = narrow.asks(&[("scope", "write:/credentials/status")]);
    assert_eq!(part.is(200).json()["scope"], "write:/credentials/status");
    let more = narrow.asks(&[("scope", "write:/credentials")]);
    refused(&more, 400, "invalid_scope");
}

#[test]
fn a_token_says_no_more_than_who_signed_in_may_do() {
    let house = House::open();
    let school = house.registrar("school");
    let app = super::sign_in::app(&school);
    super::sign_in::invited(&school, "eve@school.example", "auditor");
    let given = app
        .signs_in(&house, "", "eve@school.example")
        .is(200)
        .json();
    assert_eq!(given["scope"], "events:read");
    let token = text(&given["access_token"]);
    assert_eq!(opened(&token)[1]["scope"], "events:read");
    let looks = school.registers_client("owner", &json!({}));
    let told = posts(&house, "/oauth/introspect", &[("token", &token)]);
    let basic = STANDARD.encode(format!("{}:{}", looks.id, looks.secret));
    let told = told.header("Authorization", format!("Basic {basic}"));
    assert_eq!(told.send().is(200).json()["scope"], "events:read");
    let none = app.is_sent_back(&house, "keys:write", "eve@school.example");
    assert_eq!(none["error"], "invalid_scope");
}

#[test]
fn a_client_that_signs_shows_each_assertion_once() {
    let house = House::open();
    let school = house.registrar("school");
    let key = SigningKey::from_bytes(&[7; 32]);
    let signs = json!({
        "token_endpoint_auth_method": "private_key_jwt", "jwks": { "keys": [jwk(&key, "k1")] },
    });
    let client = school.registers_client("list-manager", &signs);
    assert!(client.secret.is_empty());
    let now = house.registry.now().seconds();
    let endpoint = format!("{}/oauth/token", house.origin());
    let claims = |more: Value| {
        let mut claims = json!({
            "iss": client.id, "sub": client.id, "aud": endpoint, "exp": now + 60, "iat": now,
            "jti": "one",
        });
        for (name, value) in more.as_object().unwrap() {
            claims[name] = value.clone();
        }
        claims.to_string()
    };
    let header = r#"{"alg":"EdDSA","typ":"JWT","kid":"k1"}"#;
    let sends = |assertion: &str, more: &[(&str, &str)]| {
        let mut form = vec![
            ("grant_type", "client_credentials"),
            (
                "client_assertion_type",
                "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
            ),
            ("client_assertion", assertion),
        ];
        form.extend(more);
        posts(&house, "/oauth/token", &form).send()
    };
    let good = signed(header, &claims(json!({})), &key);
    let token = text(&sends(&good, &[("client_id", &client.id)]).is(200).json()["access_token"]);
    house
        .call("GET", "/profiles/school/keys")
        .token(&token)
        .send()
        .is(200);
    refused(&sends(&good, &[]), 401, "invalid_client");
    let again = signed(header, &claims(json!({"exp": now + 120})), &key);
    refused(&sends(&again, &[]), 401, "invalid_client");
    let stranger = SigningKey::from_bytes(&[8; 32]);
    let bent = [
        signed(header, &claims(json!({"jti": "a"})), &stranger),
        signed(
            header,
            &claims(json!({"jti": "b", "aud": "https://other.example"})),
            &key,
        ),
        signed(header, &claims(json!({"jti": "c", "exp": now})), &key),
        signed(header, &claims(json!({"jti": "d", "exp": now + 301})), &key),
        signed(
            header,
            &claims(json!({"jti": "e", "iss": "somebody"})),
            &key,
        ),
        signed(
            r#"{"alg":"EdDSA","typ":"JWT"}"#,
            &claims(json!({"jti": "f"})),
            &stranger,
        ),
        signed(
            r#"{"alg":"EdDSA","typ":"JWT","kid":"k2"}"#,
            &claims(json!({"jti": "g"})),
            &key,
        ),
        signed(
            r#"{"alg":"HS256","typ":"JWT","kid":"k1"}"#,
            &claims(json!({"jti": "h"})),
            &key,
        ),
        signed(
            r#"{"alg":"none","typ":"JWT","kid":"k1"}"#,
            &claims(json!({"jti": "i"})),
            &key,
        ),
        signed(
            r#"{"alg":"ES256","typ":"JWT","kid":"k1"}"#,
            &claims(json!({"jti": "j"})),
            &key,
        ),
        signed(
            r#"{"alg":"EdDSA","typ":"at+jwt","kid":"k1"}"#,
            &claims(json!({"jti": "k"})),
            &key,
        ),
        token,
    ];
    for assertion in &bent {
        refused(&sends(assertion, &[]), 401, "invalid_client");
    }
    // Who signed it is told what is wrong with it; without a kid each of the keys is tried.
    let late = claims(json!({"jti": "l", "exp": now + 301}));
    let late = sends(&signed(header, &late, &key), &[]).json();
    assert!(text(&late["error_description"]).contains("more than 300 seconds"));
    let nameless = signed(r#"{"alg":"EdDSA"}"#, &claims(json!({"jti": "m"})), &key);
    sends(&nameless, &[]).is(200);
    let revoking = format!("{}/oauth/revoke", house.origin());
    let revoking = claims(json!({"jti": "n", "aud": revoking}));
    sends(&signed(header, &revoking, &key), &[]).is(200);
    let other = school.registers_client("list-manager", &json!({}));
    let fresh = signed(header, &claims(json!({"jti": "z"})), &key);
    refused(
        &sends(&fresh, &[("client_id", &other.id)]),
        401,
        "invalid_client",
    );
    refused(
        &sends(&fresh, &[("client_secret", "x")]),
        400,
        "invalid_request",
    );
    sends(&fresh, &[]).is(200);
    // A used assertion is forgotten when it could not be used any more.
    house.wait(301);
    assert!(house.registry.forget_ended_grants().unwrap() >= 2);
    assert_eq!(house.registry.forget_ended_grants().unwrap(), 0);
}

#[test]
fn who_shows_nothing_good_is_told_one_thing() {
    let house = House::open();
    let school = house.registrar("school");
    let client = school.registers_client("list-manager", &json!({}));
    let post = school.registers_client(
        "list-manager",
        &json!({"token_endpoint_auth_method": "client_secret_post"}),
    );
    let form = ("grant_type", "client_credentials");
    let basic = |id: &str, secret: &str| {
        let header = format!("Basic {}", STANDARD.encode(format!("{id}:{secret}")));
        let call = posts(&house, "/oauth/token", &[form]);
        call.header("Authorization", header).send()
    };
    let mut told = Vec::new();
    for answer in [
        basic(&client.id, "wrong"),
        basic(&"0".repeat(32), &client.secret),
        basic("nobody", "nothing"),
        basic(&post.id, &post.secret),
        posts(&house, "/oauth/token", &[form]).send(),
        posts(&house, "/oauth/token", &[form, ("client_id", &client.id)]).send(),
        posts(
            &house,
            "/oauth/token",
            &[
                form,
                ("client_id", &client.id),
                ("client_secret", &client.secret),
            ],
        )
        .send(),
    ] {
        refused(&answer, 401, "invalid_client");
        told.push(answer.text());
    }
    told.dedup();
    assert_eq!(told.len(), 1, "{told:?}");
    let id = [
        form,
        ("client_id", post.id.as_str()),
        ("client_secret", post.secret.as_str()),
    ];
    posts(&house, "/oauth/token", &id).send().is(200);
    // What is malformed, for a client that is known.
    for (body, error) in [
        (
            "grant_type=client_credentials&grant_type=client_credentials",
            "invalid_request",
        ),
        ("scope=read", "invalid_request"),
        (
            "grant_type=password&username=a&password=b",
            "unsupported_grant_type",
        ),
        (
            "grant_type=authorization_code&code=x&redirect_uri=y&code_verifier=z",
            "unauthorized_client",
        ),
    ] {
        let header = format!(
            "Basic {}",
            STANDARD.encode(format!("{}:{}", client.id, client.secret))
        );
        let call = house
            .call("POST", "/oauth/token")
            .header("Authorization", header);
        let answer = call.body("application/x-www-form-urlencoded", body).send();
        refused(&answer, 400, error);
    }
    let json = house.call("POST", "/oauth/token").json(&json!({})).send();
    refused(&json, 400, "invalid_request");
}

#[test]
fn a_client_waits_for_approval_where_everybody_may_register() {
    let house = Plan::new().registering(Registration::Open).open();
    let (school, other) = (house.registrar("school"), house.registrar("other"));
    let body = json!({ "client_name": "Theirs", "profile": "school", "role": "list-manager" });
    let stranger = house.verifier();
    let made = stranger.post("/oauth/register", &body).is(201).json();
    assert_eq!(made["status"], "pending");
    let id = text(&made["client_id"]);
    // Nobody is known who asked; the school reads that it was asked about.
    let events = school.get("/events").is(200).json();
    let events = events["events"].as_array().unwrap();
    let asked = events
        .iter()
        .find(|event| event["type"] == "client.registered")
        .unwrap();
    assert_eq!(asked["actor"], json!({ "type": "anonymous" }));
    assert!(asked["request"].is_string(), "{asked}");
    let header = format!(
        "Basic {}",
        STANDARD.encode(format!("{id}:{}", text(&made["client_secret"])))
    );
    let asks = || {
        let call = posts(
            &house,
            "/oauth/token",
            &[("grant_type", "client_credentials")],
        );
        call.header("Authorization", header.clone()).send()
    };
    refused(&asks(), 400, "unauthorized_client");
    let path = format!("/clients/{id}");
    other.get(&path).problem(404);
    other
        .post(&format!("{path}/approve"), &json!({"role": "owner"}))
        .problem(404);
    assert_eq!(other.get("/clients").is(200).json()["clients"], json!([]));
    let waiting = school.get("/clients?state=pending").is(200).json();
    assert_eq!(waiting["clients"][0]["client_id"], id);
    assert!(!waiting.to_string().contains("secret\":"));
    school
        .post(&format!("{path}/approve"), &json!({"role": "operator"}))
        .problem(400);
    let narrow = json!({"role": "list-manager", "scope": "status:write"});
    let approved = school
        .post(&format!("{path}/approve"), &narrow)
        .is(200)
        .json();
    assert_eq!(
        (&approved["status"], &approved["scope"]),
        (&json!("approved"), &json!("status:write"))
    );
    let token = text(&asks().is(200).json()["access_token"]);
    assert_eq!(opened(&token)[1]["scope"], "status:write");
    school.post(&format!("{path}/reject"), &json!({})).is(200);
    refused(&asks(), 400, "unauthorized_client");
    house
        .call("POST", "/status-lists")
        .token(&token)
        .json(&json!({}))
        .send()
        .problem(401);

    // Nobody registers for the registry without its operator, and only so many wait, for so long.
    let own = json!({ "client_name": "x", "role": "auditor" });
    refused(
        &stranger.post("/oauth/register", &own),
        401,
        "invalid_token",
    );
    for _ in 0..100 {
        stranger.post("/oauth/register", &body).is(201);
    }
    refused(
        &stranger.post("/oauth/register", &body),
        403,
        "access_denied",
    );
    house.wait(7 * 86_400);
    stranger.post("/oauth/register", &body).is(201);
    assert_eq!(house.registry.forget_lapsed_clients().unwrap(), 100);
    let left = school.get("/clients").is(200).json();
    assert_eq!(left["clients"].as_array().unwrap().len(), 2, "{left}");
}

#[test]
fn registration_is_for_those_who_answer_for_it() {
    let house = House::open();
    let (school, other) = (house.registrar("school"), house.registrar("other"));
    let body = json!({ "client_name": "Ours", "profile": "school", "role": "list-manager" });
    refused(
        &house.verifier().post("/oauth/register", &body),
        401,
        "invalid_token",
    );
    refused(
        &other.post("/oauth/register", &body),
        403,
        "insufficient_scope",
    );
    let made = school.post("/oauth/register", &body).is(201).json();
    assert_eq!(made["status"], "approved");
    // What is not given here is left out, and the answer says so (RFC 7591 section 2).
    let more = json!({
        "grant_types": ["client_credentials", "refresh_token"], "scope": "read offline_access",
    });
    let mut usual = body.clone();
    usual
        .as_object_mut()
        .unwrap()
        .extend(more.as_object().unwrap().clone());
    let usual = school.post("/oauth/register", &usual).is(201).json();
    assert_eq!(
        (&usual["grant_types"], &usual["scope"]),
        (&json!(["client_credentials"]), &json!("read"))
    );
    // Whoever may make clients and no more hands out no more than that: it waits for the owner.
    let registrar = school.registers_client("owner", &json!({"scope": "clients:write"}));
    let token = registrar.token("");
    let call = |method: &str, path: &str, body: &Value| {
        house.call(method, path).token(&token).json(body).send()
    };
    let made = call("POST", "/oauth/register", &body).is(201).json();
    assert_eq!(made["status"], "pending");
    let path = format!("/clients/{}", text(&made["client_id"]));
    call(
        "POST",
        &format!("{path}/approve"),
        &json!({"role": "list-manager"}),
    )
    .problem(403);
    school
        .post(&format!("{path}/approve"), &json!({"role": "list-manager"}))
        .is(200);

    // RFC 7592: by its own token, and by no other.
    let uri = text(&made["registration_client_uri"]);
    let own = text(&made["registration_access_token"]);
    let shown = house.call("GET", &uri).token(&own).send().is(200).json();
    assert_eq!(shown["client_name"], "Ours");
    assert!(shown["client_secret"].is_null());
    assert_eq!(shown["registration_access_token"], own);
    for token in [&registrar.registration, &token, &"x".to_owned()] {
        house.call("GET", &uri).token(token).send().problem(401);
        house.call("DELETE", &uri).token(token).send().problem(401);
    }
    house.call("GET", &uri).send().problem(401);
    house.call("DELETE", &uri).token(&own).send().is(204);
    house.call("GET", &uri).token(&own).send().problem(401);
    school.get(&path).problem(404);

    let none = Plan::new().registering(Registration::None).open();
    let school = none.registrar("school");
    refused(
        &school.post("/oauth/register", &body),
        403,
        "insufficient_scope",
    );
    none.operator().post("/oauth/register", &body).is(201);
}

#[test]
fn a_secret_is_shown_once_and_kept_as_a_digest() {
    let house = House::open();
    let school = house.registrar("school");
    let body = json!({ "client_name": "Ours", "profile": "school", "role": "list-manager" });
    let register = || {
        school
            .call("POST", "/oauth/register")
            .key("k")
            .json(&body)
            .send()
    };
    let made = register().is(201).json();
    let again = register().problem(409);
    assert!(
        again.to_string().contains(&text(&made["client_id"])),
        "{again}"
    );
    let path = format!("/clients/{}", text(&made["client_id"]));
    let secret = school
        .call("POST", &format!("{path}/secret"))
        .send()
        .is(201)
        .json();
    let newer = text(&secret["client_secret"]);
    for secret in ["client_secret", "registration_access_token"].map(|name| text(&made[name])) {
        assert_ne!(secret, newer);
        let bytes = secret.as_bytes();
        let leaks = |row: &(Vec<u8>, Vec<u8>)| row.1.windows(bytes.len()).any(|part| part == bytes);
        assert!(!house.store().iter().any(leaks));
    }
    let asks = |secret: &str| {
        let id = text(&made["client_id"]);
        let header = format!("Basic {}", STANDARD.encode(format!("{id}:{secret}")));
        let call = posts(
            &house,
            "/oauth/token",
            &[("grant_type", "client_credentials")],
        );
        call.header("Authorization", header).send()
    };
    refused(&asks(&text(&made["client_secret"])), 401, "invalid_client");
    asks(&newer).is(200);
}

#[test]
fn a_token_ends_before_its_time_for_its_own_client_alone() {
    let house = House::open();
    let (school, other) = (house.registrar("school"), house.registrar("other"));
    let client = school.registers_client("owner", &json!({}));
    let stranger = other.registers_client("owner", &json!({}));
    let token = client.token("");
    let keys = |token: &str| {
        house
            .call("GET", "/profiles/school/keys")
            .token(token)
            .send()
    };
    let by = |client: &crate::support::oauth::Client<'_>, path: &str, token: &str| {
        let header = format!(
            "Basic {}",
            STANDARD.encode(format!("{}:{}", client.id, client.secret))
        );
        let call = posts(
            &house,
            path,
            &[("token", token), ("token_type_hint", "refresh_token")],
        );
        call.header("Authorization", header).send()
    };
    let told = by(&client, "/oauth/introspect", &token).is(200).json();
    assert_eq!(
        (&told["active"], &told["client_id"]),
        (&json!(true), &json!(client.id))
    );
    let hidden = by(&stranger, "/oauth/introspect", &token).is(200).json();
    assert_eq!(hidden, json!({ "active": false }));
    by(&stranger, "/oauth/revoke", &token).is(200);
    keys(&token).is(200);
    by(&client, "/oauth/revoke", &token).is(200);
    keys(&token).problem(401);
    by(&client, "/oauth/revoke", &token).is(200);
    by(&client, "/oauth/revoke", "nothing").is(200);
    let told = by(&client, "/oauth/introspect", &token).is(200).json();
    assert_eq!(told, json!({ "active": false }));
    // Whoever shows no more than a name, which anybody knows, looks at nothing (RFC 7662, 2.1).
    let public = super::sign_in::app(&school).client;
    let form = [("token", token.as_str()), ("client_id", public.as_str())];
    let nameless = posts(&house, "/oauth/introspect", &form).send();
    refused(&nameless, 401, "invalid_client");
    // One of those that are kept, of the same profile.
    let kept = school.token.clone().unwrap();
    by(&stranger, "/oauth/revoke", &kept).is(200);
    keys(&kept).is(200);
    by(&client, "/oauth/revoke", &kept).is(200);
    keys(&kept).problem(401);
    let anonymous = posts(&house, "/oauth/revoke", &[("token", "x")]).send();
    refused(&anonymous, 401, "invalid_client");
    house.wait(600);
    assert!(house.registry.forget_ended_grants().unwrap() > 0);
}

#[test]
fn the_server_says_what_it_is() {
    let house = House::open();
    assert_eq!(house.now(), START);
    let told = house
        .call("GET", "/.well-known/oauth-authorization-server")
        .send();
    let told = told.is(200).json();
    assert_eq!(told["issuer"], house.origin());
    for (member, path) in [
        ("token_endpoint", "/oauth/token"),
        ("registration_endpoint", "/oauth/register"),
        ("revocation_endpoint", "/oauth/revoke"),
        ("introspection_endpoint", "/oauth/introspect"),
    ] {
        assert_eq!(
            told[member],
            format!("{}{path}", house.origin()),
            "{member}"
        );
    }
    let looking = &told["introspection_endpoint_auth_methods_supported"];
    assert!(!looking.to_string().contains("none"), "{looking}");
    // It has no key before its first profile, and says what to do.
    let empty = house.call("GET", "/.well-known/jwks.json").send().is(200);
    assert_eq!(empty.json()["keys"], json!([]));
    assert_eq!(empty.header("cache-control"), Some("no-store"));
    let operator = house.operator();
    let client = operator.registers_client("auditor", &json!({}));
    refused(&client.asks(&[]), 400, "invalid_request");
    let resource = house
        .call("GET", "/.well-known/oauth-protected-resource")
        .send();
    let resource = resource.is(200).json();
    assert_eq!(resource["resource"], house.origin());
    assert_eq!(resource["authorization_servers"], json!([house.origin()]));
}
