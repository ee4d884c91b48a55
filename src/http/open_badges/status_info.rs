//! Refusals as the services of 1EdTech write them: `Imsx_StatusInfo` (Open Badges 3.0, appendix B.3).

use serde_json::{Value, json};

use crate::access::OPEN_BADGES_PATH;
use crate::http::reply::Reply;

/// Whether a path is one of the service API, whether there is something at it or not.
pub(in crate::http) fn is_below(path: &str) -> bool {
    let rest = path.strip_prefix(OPEN_BADGES_PATH);
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// A problem document in the words of that API. Status and headers are what they were.
pub(in crate::http) fn status_info(system: &str, problem: &Reply) -> Reply {
    let members: Value = serde_json::from_slice(&problem.body).unwrap_or_default();
    let said = |member: &str| members[member].as_str().unwrap_or_default();
    let code = code(problem, said("pointer"));
    let severity = match code {
        "not_found" => "status",
        _ => "error",
    };
    let info = json!({
        "imsx_codeMajor": "failure",
        "imsx_severity": severity,
        "imsx_description": format!("{}: {}", said("title"), said("detail")),
        "imsx_codeMinor": {
            "imsx_codeMinorField": [{
                "imsx_codeMinorFieldName": system,
                "imsx_codeMinorFieldValue": code,
            }],
        },
    });
    let mut reply = Reply::json(problem.status, &info);
    let others = problem
        .headers
        .iter()
        .filter(|(name, _)| *name != "Content-Type");
    reply.headers.extend(others.cloned());
    reply
}

/// The word of the standard for it (B.3.6). Whoever is to come back is told when.
fn code(problem: &Reply, pointer: &str) -> &'static str {
    match problem.status {
        400 if pointer.starts_with('?') => "invalid_query_parameter",
        400 | 422 => "invalid_data",
        401 => "unauthorizedrequest",
        403 => "forbidden",
        404 => "not_found",
        405 => "not_allowed",
        406 => "not_acceptable",
        429 => "server_busy",
        503 if problem.get("retry-after").is_some() => "server_busy",
        500 => "internal_server_error",
        _ => "unknown",
    }
}

/// All words that the standard has for it.
const CODES: [&str; 13] = [
    "forbidden",
    "fullsuccess",
    "internal_server_error",
    "invalid_data",
    "invalid_query_parameter",
    "misdirected_request",
    "not_acceptable",
    "not_allowed",
    "not_found",
    "not_modified",
    "server_busy",
    "unauthorizedrequest",
    "unknown",
];

/// The schema of such a refusal.
pub(in crate::http) fn schema() -> Value {
    let field = json!({
        "type": "object",
        "required": ["imsx_codeMinorFieldName", "imsx_codeMinorFieldValue"],
        "properties": {
            "imsx_codeMinorFieldName": {
                "type": "string",
                "description": "Which system refused",
            },
            "imsx_codeMinorFieldValue": { "type": "string", "enum": CODES },
        },
    });
    json!({
        "type": "object",
        "description": "A refusal in the words of 1EdTech (Open Badges 3.0, appendix B.3)",
        "required": ["imsx_codeMajor", "imsx_severity"],
        "properties": {
            "imsx_codeMajor": {
                "type": "string",
                "enum": ["failure", "processing", "success", "unsupported"],
            },
            "imsx_severity": { "type": "string", "enum": ["error", "status", "warning"] },
            "imsx_description": {
                "type": "string",
                "description": "What is wrong, where, what to do",
            },
            "imsx_codeMinor": {
                "type": "object",
                "required": ["imsx_codeMinorField"],
                "properties": { "imsx_codeMinorField": { "type": "array", "items": field } },
            },
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::Problem;

    #[test]
    fn paths_are_whole_segments() {
        for (path, below) in [
            ("/ims/ob/v3p0", true),
            ("/ims/ob/v3p0/", true),
            ("/ims/ob/v3p0/credentials", true),
            ("/ims/ob/v3p01/credentials", false),
            ("/profiles", false),
        ] {
            assert_eq!(is_below(path), below, "{path}");
        }
    }

    #[test]
    fn each_status_has_a_word_of_the_standard() {
        for status in 400..600 {
            let problem = Problem::new(status, "kind", "Title", "detail");
            for problem in [
                problem.clone(),
                problem.clone().with("pointer", "?since"),
                problem.header("Retry-After", "1"),
            ] {
                let info = status_info("https://a.example", &problem.to_reply());
                let body: Value = serde_json::from_slice(&info.body).unwrap();
                let field = &body["imsx_codeMinor"]["imsx_codeMinorField"][0];
                let code = field["imsx_codeMinorFieldValue"].as_str().unwrap();
                assert!(CODES.contains(&code), "{status}: {code}");
                assert_eq!(info.status, status);
                assert_eq!(
                    info.get("retry-after"),
                    problem.to_reply().get("retry-after")
                );
            }
        }
    }
}
