//! What the service description says, held against what the standard wants in it (sections 6.2 and 6.3,
//! appendix B.4).

use std::collections::BTreeSet;

use goodstanding::http::ServicePages;
use serde_json::{Value, json};

use super::{Client, SCOPES};
use crate::support::actors::text;
use crate::support::house::{House, ORIGIN};

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
    let parameters = client.said("getCredentials")["parameters"].as_array();
    let parameters = parameters.unwrap().iter().map(|one| {
        assert_eq!(
            (&one["in"], &one["required"]),
            (&json!("query"), &json!(false))
        );
        (text(&one["name"]), text(&one["schema"]["type"]))
    });
    let of_the_standard = [
        ("limit", "integer"),
        ("offset", "integer"),
        ("since", "string"),
    ];
    let of_the_standard = of_the_standard.map(|(name, kind)| (name.to_owned(), kind.to_owned()));
    assert_eq!(parameters.collect::<Vec<_>>(), of_the_standard);
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
fn pages_of_the_operator_are_named_where_there_are_some() {
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
