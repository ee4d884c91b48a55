//! Endorsements within limits, and of other roles.

use serde_json::{Value, json};

use super::{ask, claims, encoded, fetch, ids_at, listed, refused};
use crate::support::actors::Actor;
use crate::support::client::Answer;
use crate::support::house::{House, ORIGIN, Plan};

const FAR: &str = "did:web:far.example";

fn endorses(board: &Actor<'_>, subject: &str, more: Value) -> Value {
    let mut body = json!({
        "endorser": board.slug,
        "subject": { "id": subject, "kind": "profile" },
        "name": "Endorsed",
    });
    for (name, value) in more.as_object().expect("members") {
        body[name] = value.clone();
    }
    let made = board.post("/endorsements", &body).is(201).json();
    made["verifiableCredential"].clone()
}

fn kind(board: &Actor<'_>) -> String {
    encoded(&format!("{ORIGIN}/profiles/{}", board.slug))
}

fn mark(house: &House, board: &Actor<'_>, sub: &str) -> Answer {
    let (kind, sub) = (kind(board), encoded(sub));
    let target = format!("/federation/trust_mark?trust_mark_type={kind}&sub={sub}");
    ask(house, &target)
}

/// Who has the board's mark, by each way of asking.
#[track_caller]
fn marked(house: &House, board: &Actor<'_>, among: &[&str]) -> Vec<String> {
    let kind = kind(board);
    let marks = format!("/federation/trust_mark_list?trust_mark_type={kind}");
    let all = ids_at(house, &marks);
    let of_type = format!("/federation/list?trust_mark_type={kind}");
    assert_eq!(ids_at(house, &of_type), all);
    for sub in among {
        let has = all.iter().any(|id| id == sub);
        let alone = ids_at(house, &format!("{marks}&sub={}", encoded(sub)));
        assert_eq!(!alone.is_empty(), has, "{sub}");
        assert_eq!(mark(house, board, sub).status == 200, has, "{sub}");
    }
    all
}

#[test]
fn somebody_elsewhere_who_is_endorsed_in_another_role_is_no_issuer() {
    let house = House::open();
    let board = house.accreditor("board");
    let only = |role: &str| json!({ "scope": { "role": [role] } });
    endorses(&board, FAR, only("accreditor"));
    assert!(listed(&house).is_empty());
    assert!(marked(&house, &board, &[FAR]).is_empty());
    let none = refused(&mark(&house, &board, FAR), 404, "not_found");
    assert_eq!(none["outcome"], "not-endorsed");
    refused(&fetch(&house, FAR), 404, "not_found");
    // As an issuer is all that a mark says, and no limit.
    endorses(&board, FAR, only("issuer"));
    assert_eq!(listed(&house), [FAR]);
    assert_eq!(marked(&house, &board, &[FAR]), [FAR]);
    let statement = claims(&house, &fetch(&house, FAR).is(200), "entity-statement+jwt");
    let about = &statement["metadata"]["federation_entity"];
    assert!(about.get("endorsement_scopes").is_none(), "{about}");
}

#[test]
fn an_endorsement_within_limits_is_stated_with_them_and_gives_no_mark() {
    let house = House::open();
    let (school, board) = (house.registrar("school"), house.accreditor("board"));
    let badges = json!({ "scope": { "achievementType": ["Badge"] } });
    endorses(&board, &school.id, badges);
    assert_eq!(listed(&house), [&*school.id]);
    assert!(marked(&house, &board, &[&school.id]).is_empty());
    let trust_marked = || ids_at(&house, "/federation/list?trust_marked=true");
    assert!(trust_marked().is_empty());
    let about = || {
        let answer = fetch(&house, &school.id).is(200);
        let statement = claims(&house, &answer, "entity-statement+jwt");
        statement["metadata"]["federation_entity"].clone()
    };
    let scope = json!({ "type": ["EndorsementScope"], "achievementType": ["Badge"] });
    assert_eq!(about()["endorsement_scopes"], json!([scope]));

    // One without limits gives the mark, which stands as that one does.
    let whole = endorses(&board, &school.id, json!({}));
    assert!(about().get("endorsement_scopes").is_none());
    assert_eq!(marked(&house, &board, &[&school.id]), [&*school.id]);
    assert_eq!(trust_marked(), [&*school.id]);
    let stated = claims(
        &house,
        &mark(&house, &board, &school.id).is(200),
        "trust-mark+jwt",
    );
    assert_eq!(stated["ref"], whole["id"]);
    board.does("revoke", &whole).is(200);
    assert!(marked(&house, &board, &[&school.id]).is_empty());
    assert_eq!(about()["endorsement_scopes"], json!([scope]));
}

#[test]
fn a_statement_ends_with_the_first_endorsement_on_the_way_to_an_anchor() {
    let house = Plan::new().trusting(&["ministry"]).open();
    let (ministry, board) = (house.accreditor("ministry"), house.accreditor("board"));
    let school = house.registrar("school");
    endorses(
        &ministry,
        &board.id,
        json!({ "validUntil": "2026-03-01T09:02:00Z" }),
    );
    endorses(
        &board,
        &school.id,
        json!({ "validUntil": "2026-03-01T11:00:00Z" }),
    );
    let statement = claims(
        &house,
        &fetch(&house, &school.id).is(200),
        "entity-statement+jwt",
    );
    assert_eq!(statement["iat"], 1_772_355_600);
    assert_eq!(statement["exp"], 1_772_355_720, "{statement}");
    house.wait(120);
    refused(&fetch(&house, &school.id), 404, "not_found");
}
