//! What an endorsement covers of its subject.

use goodstanding::badges::{Achievement, Coverage, Jurisdiction, Need, Role, Scope};
use goodstanding::json;
use goodstanding::time::Timestamp;
use serde_json::Value;
use url::Url;

use super::Reached;

/// An input is JSON: a `scope`, one that may be `wider`, the `credential` that it is wanted for,
/// and the `role` and `jurisdiction` that are asked for. A second reader takes the same scopes,
/// and by the members as they stand each answer is the same: what is covered, and what lies within
/// what. Whatever is covered within a wider scope is covered by that too.
pub fn run(data: &[u8]) -> Reached {
    let Ok(input) = json::parse(data) else {
        return Reached::Refused;
    };
    let (own, wider) = (&input["scope"], &input["wider"]);
    let need = need(&input);
    let Some(scope) = read(own) else {
        return Reached::Refused;
    };
    let covered = scope.covers(&need);
    assert_eq!(rank(covered), covers(own, &need), "{input}");
    assert_eq!(
        scope.lets_pass_on(None).is_ok(),
        MEMBERS[1..].iter().all(|name| own.get(name).is_none()),
        "{input}"
    );
    let Some(wider_scope) = read(wider) else {
        return Reached::Read;
    };
    let within = scope.is_within(&wider_scope);
    assert_eq!(within.is_ok(), is_within(own, wider, &MEMBERS), "{input}");
    assert_eq!(
        wider_scope.lets_pass_on(Some(&scope)).is_ok(),
        is_within(own, wider, &MEMBERS[1..]),
        "{input}"
    );
    match within {
        Ok(()) => assert!(rank(covered) <= rank(wider_scope.covers(&need)), "{input}"),
        Err(found) => assert!(!is_within(own, wider, &[found.member]), "{input}"),
    }
    Reached::Read
}

/// The members of a scope, the role first.
const MEMBERS: [&str; 7] = [
    "role",
    "achievementType",
    "tag",
    "alignment",
    "jurisdiction",
    "awardedFrom",
    "awardedUntil",
];

/// The scope, where it is one by both readers, and written as the same that was read.
fn read(value: &Value) -> Option<Scope> {
    let scope = Scope::parse(value);
    // What is left out in writing is room that a longer text may need.
    if value.to_string().len() <= Scope::MAX_BYTES - 100 {
        assert_eq!(scope.is_ok(), is_scope(value), "{value}: {scope:?}");
    }
    let scope = scope.ok()?;
    let written = scope.to_value();
    assert_eq!(Scope::parse(&written).as_ref(), Ok(&scope), "{value}");
    assert!(written.to_string().len() <= Scope::MAX_BYTES, "{value}");
    assert_eq!(scope.is_within(&scope), Ok(()), "{value}");
    let limited = MEMBERS.iter().filter(|name| value.get(name).is_some());
    assert_eq!(scope.words().len(), limited.count(), "{value}");
    for name in MEMBERS {
        let (given, kept) = (texts(value, name), texts(&written, name));
        assert!(kept.is_sorted_by(|one, next| one < next), "{written}");
        assert!(kept.iter().all(|one| given.contains(one)) || name.starts_with("awarded"));
        let is_kept = |one: &&str| kept.iter().any(|kept| is_in(name, one, kept));
        assert!(given.iter().all(is_kept), "{value}: {written}");
    }
    Some(scope)
}

/// Whether this is a scope, member by member.
fn is_scope(value: &Value) -> bool {
    let Some(members) = value.as_object() else {
        return false;
    };
    let holds = |(name, value): (&String, &Value)| match name.as_str() {
        "type" => *value == "EndorsementScope" || *value == serde_json::json!(["EndorsementScope"]),
        "awardedFrom" | "awardedUntil" => moment(members.get(name)).is_some(),
        name if MEMBERS.contains(&name) => value.as_array().is_some_and(|items| {
            (1..=64).contains(&items.len())
                && items.iter().all(|item| {
                    item.as_str()
                        .is_some_and(|text| text.len() <= 1_000 && is_value_of(name, text))
                })
        }),
        _ => false,
    };
    let period = (
        moment(members.get("awardedFrom")),
        moment(members.get("awardedUntil")),
    );
    members.iter().all(holds)
        && members.keys().any(|name| name != "type")
        && !matches!(period, (Some(from), Some(until)) if until <= from)
}

fn is_value_of(member: &str, text: &str) -> bool {
    match member {
        "role" => ["accreditor", "issuer"].contains(&text),
        "achievementType" => Achievement::is_type(text),
        "tag" => !text.trim().is_empty() && !text.chars().any(char::is_control),
        "alignment" => {
            let plain = |c: char| !c.is_whitespace() && !c.is_control();
            Url::parse(text).is_ok() && text.chars().all(plain)
        }
        _ => {
            let (country, part) = text.split_once('-').unwrap_or((text, "X"));
            let all = |text: &str, among: fn(&char) -> bool| text.chars().all(|c| among(&c));
            country.len() == 2
                && all(country, char::is_ascii_uppercase)
                && (1..=3).contains(&part.len())
                && all(part, |c| c.is_ascii_uppercase() || c.is_ascii_digit())
        }
    }
}

/// For what it is wanted.
fn need(input: &Value) -> Need {
    let text = |member: &str| input[member].as_str();
    let role = match text("role") {
        Some("issuer") => Some(Role::Issuer),
        Some("accreditor") => Some(Role::Accreditor),
        _ => None,
    };
    Need {
        role,
        jurisdiction: text("jurisdiction").and_then(|place| place.parse::<Jurisdiction>().ok()),
        ..Need::of_credential(&input["credential"])
    }
}

fn rank(coverage: Coverage) -> u8 {
    match coverage {
        Coverage::NotCovered(_) => 0,
        Coverage::Unknown(_) => 1,
        Coverage::Covered => 2,
    }
}

/// As [`rank`]: what is surely outside counts before what is not known.
fn covers(scope: &Value, need: &Need) -> u8 {
    let role = need.role.map(|role| match role {
        Role::Issuer => vec!["issuer".to_owned()],
        Role::Accreditor => vec!["accreditor".to_owned()],
    });
    let place = need
        .jurisdiction
        .as_ref()
        .map(|place| vec![place.to_string()]);
    // What was not asked for is no matter; what is not known is.
    let known = [
        ("role", &role, 2),
        ("jurisdiction", &place, 2),
        ("achievementType", &need.achievement_types, 1),
        ("tag", &need.tags, 1),
        ("alignment", &need.alignments, 1),
    ];
    let of_lists = known.into_iter().map(|(name, known, otherwise)| {
        let limits = texts(scope, name);
        let any = |known: &Vec<String>| {
            let mut known = known.iter();
            known.any(|one| limits.iter().any(|limit| is_in(name, one, limit)))
        };
        match known {
            _ if limits.is_empty() => 2,
            None => otherwise,
            Some(known) => 2 * u8::from(any(known)),
        }
    });
    let (from, until) = (&scope["awardedFrom"], &scope["awardedUntil"]);
    let (from, until) = (moment(Some(from)), moment(Some(until)));
    let by_date = match need.awarded {
        _ if from.is_none() && until.is_none() => 2,
        None => 1,
        Some(at) => {
            let begun = from.is_none_or(|from| from <= at);
            2 * u8::from(begun && until.is_none_or(|until| at < until))
        }
    };
    of_lists.chain([by_date]).min().unwrap_or(2)
}

/// Whether one scope lies within another in these members.
fn is_within(own: &Value, wider: &Value, members: &[&str]) -> bool {
    members.iter().all(|name| {
        let at = |scope: &Value| moment(scope.get(name));
        let (all, limits) = (texts(own, name), texts(wider, name));
        let each = |one: &&str| limits.iter().any(|limit| is_in(name, one, limit));
        match (*name, wider.get(name)) {
            (_, None) => true,
            ("awardedFrom", Some(_)) => at(own).is_some_and(|own| Some(own) >= at(wider)),
            ("awardedUntil", Some(_)) => at(own).is_some_and(|own| Some(own) <= at(wider)),
            _ => !all.is_empty() && all.iter().all(each),
        }
    })
}

/// Whether a value of a member is the other one, or a part of that place.
fn is_in(member: &str, one: &str, other: &str) -> bool {
    one == other || member == "jurisdiction" && one.starts_with(&format!("{other}-"))
}

fn texts<'v>(scope: &'v Value, member: &str) -> Vec<&'v str> {
    let items = scope.get(member).and_then(Value::as_array);
    items
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect()
}

fn moment(value: Option<&Value>) -> Option<Timestamp> {
    value?.as_str()?.parse().ok()
}
