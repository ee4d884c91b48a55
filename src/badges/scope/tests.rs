use super::*;
use proptest::prelude::*;
use proptest::sample::{select, subsequence};

fn full() -> Value {
    json!({
        "type": ["EndorsementScope"],
        "role": ["accreditor", "issuer"],
        "achievementType": ["Degree", "ext:Nanodegree"],
        "tag": ["care", "nursing"],
        "alignment": ["https://framework.example/nursing"],
        "jurisdiction": ["CH-ZH", "DE"],
        "awardedFrom": "2026-01-01T00:00:00Z",
        "awardedUntil": "2030-01-01T00:00:00Z",
    })
}

fn scope(value: Value) -> Scope {
    Scope::parse(&value).unwrap()
}

fn refusal(value: Value) -> String {
    Scope::parse(&value).unwrap_err().to_string()
}

#[test]
fn a_scope_is_written_in_one_way_only() {
    assert_eq!(scope(full()).to_value(), full());
    let mut untidy = full();
    untidy.as_object_mut().unwrap().shift_remove("type");
    untidy["role"] = json!(["issuer", "accreditor", "issuer"]);
    untidy["tag"] = json!(["nursing", "care", "care"]);
    untidy["jurisdiction"] = json!(["DE-BY", "DE", "CH-ZH", "DE"]);
    untidy["awardedFrom"] = json!("2026-01-01T01:00:00+01:00");
    assert_eq!(scope(untidy), scope(full()));
    assert_eq!(scope(full()).roles(), [Role::Accreditor, Role::Issuer]);
    assert_eq!(scope(json!({"tag": ["care"]})).roles(), []);
}

#[test]
fn a_scope_is_told_in_words_member_by_member() {
    let words = [
        "as an accreditor or an issuer",
        "achievements of the type Degree or ext:Nanodegree",
        "tagged care or nursing",
        "aligned to https://framework.example/nursing",
        "awarded from 2026-01-01T00:00:00Z",
        "awarded before 2030-01-01T00:00:00Z",
        "in CH-ZH or DE",
    ];
    assert_eq!(scope(full()).words(), words);
    // Whatever limits is told.
    for (name, value) in full().as_object().unwrap() {
        if name != "type" {
            assert_eq!(scope(json!({ name: value })).words().len(), 1, "{name}");
        }
    }
    let tags = scope(json!({"tag": ["c", "a", "b"]}));
    assert_eq!(tags.words(), ["tagged a, b or c"]);
}

#[test]
fn what_is_no_scope_is_named_by_its_place() {
    let words = "one of Achievement, ApprenticeshipCertificate, ";
    let long = "x".repeat(Scope::MAX_VALUE_BYTES + 1);
    let many: Vec<String> = (0..=Scope::MAX_VALUES)
        .map(|number| number.to_string())
        .collect();
    for (value, expected) in [
        (
            json!(["Degree"]),
            "the document: this has to be an object (EndorsementScope)",
        ),
        (
            json!({}),
            "the document: this has to be limited by a member such as achievementType; ",
        ),
        (
            json!({"type": ["EndorsementScope"]}),
            "the document: this has to be limited by a member such as achievementType; ",
        ),
        (
            json!({"type": ["Scope"], "tag": ["a"]}),
            "/type: this has to be [\"EndorsementScope\"]",
        ),
        (
            json!({"tags": ["a"]}),
            "/tags: EndorsementScope has no such member",
        ),
        (
            json!({"id": "_:a", "tag": ["a"]}),
            "/id: EndorsementScope has no such member",
        ),
        (
            json!({"@context": {}, "tag": ["a"]}),
            "/@context: EndorsementScope has no such member",
        ),
        (
            json!({"tag": "a"}),
            "/tag: this has to be an array of 1 to 64 strings",
        ),
        (
            json!({"tag": []}),
            "/tag: this has to be an array of 1 to 64 strings",
        ),
        (
            json!({"tag": null}),
            "/tag: this has to be an array of 1 to 64 strings",
        ),
        (
            json!({"tag": many}),
            "/tag: this has to be an array of 1 to 64 strings",
        ),
        (
            json!({"tag": ["a", null]}),
            "/tag/1: this has to be a string",
        ),
        (
            json!({"tag": [{"@value": "a"}]}),
            "/tag/0: this has to be a string",
        ),
        (
            json!({"tag": ["a", " "]}),
            "/tag/1: this has to be a string that is not blank",
        ),
        (
            json!({"tag": [long]}),
            "/tag/0: this has to be at most 1000 bytes long",
        ),
        (
            json!({"role": ["Issuer"]}),
            "/role/0: this has to be issuer or accreditor",
        ),
        (
            json!({"achievementType": ["degree"]}),
            &*format!("/achievementType/0: this has to be {words}"),
        ),
        (
            json!({"alignment": ["nursing"]}),
            "/alignment/0: this has to be an absolute URI",
        ),
        (
            json!({"jurisdiction": ["ch"]}),
            "/jurisdiction/0: this has to be a country such as CH, ",
        ),
        (
            json!({"awardedFrom": "2026"}),
            "/awardedFrom: this has to be an RFC 3339 time",
        ),
        (
            json!({"awardedFrom": null}),
            "/awardedFrom: this has to be an RFC 3339 time",
        ),
        (
            json!({"awardedFrom": "2026-01-01T00:00:00Z", "awardedUntil": "2026-01-01T00:00:00Z"}),
            "/awardedUntil: this has to be after awardedFrom",
        ),
    ] {
        let told = refusal(value);
        assert!(told.starts_with(expected), "{told}");
    }
}

#[test]
fn each_member_decides_by_itself() {
    let strings = |all: &[&str]| Some(all.iter().map(|one| (*one).to_owned()).collect());
    let met = Need {
        achievement_types: strings(&["Degree"]),
        tags: strings(&["nursing", "zoology"]),
        alignments: strings(&["https://framework.example/nursing"]),
        awarded: "2026-01-01T00:00:00Z".parse().ok(),
        jurisdiction: "DE-BY".parse().ok(),
        role: Some(Role::Issuer),
    };
    let answer = |change: &dyn Fn(&mut Need)| {
        let mut need = met.clone();
        change(&mut need);
        scope(full()).covers(&need)
    };
    assert_eq!(answer(&|_| {}), Coverage::Covered);
    // Where nobody asks, nothing is tested.
    assert_eq!(answer(&|need| need.role = None), Coverage::Covered);
    assert_eq!(answer(&|need| need.jurisdiction = None), Coverage::Covered);
    let unknown: [&dyn Fn(&mut Need); 4] = [
        &|need| need.achievement_types = None,
        &|need| need.tags = None,
        &|need| need.alignments = None,
        &|need| need.awarded = None,
    ];
    for change in unknown {
        assert!(matches!(answer(change), Coverage::Unknown(_)));
    }
    let other: [&dyn Fn(&mut Need); 8] = [
        &|need| need.achievement_types = Some(Vec::new()),
        &|need| need.tags = strings(&["Nursing"]),
        &|need| need.alignments = strings(&["https://framework.example/nursing/"]),
        &|need| need.awarded = "2025-12-31T23:59:59.999Z".parse().ok(),
        &|need| need.awarded = "2030-01-01T00:00:00Z".parse().ok(),
        &|need| need.jurisdiction = "CH".parse().ok(),
        &|need| need.jurisdiction = "CH-BE".parse().ok(),
        &|need| need.achievement_types = strings(&["Badge"]),
    ];
    for change in other {
        assert!(matches!(answer(change), Coverage::NotCovered(_)));
        // What is surely not covered is so however little else is known.
        let worse = answer(&|need| {
            change(need);
            need.tags = need.tags.take().filter(|tags| tags[0] == "Nursing");
        });
        assert!(matches!(worse, Coverage::NotCovered(_)));
    }
    let accredits = scope(json!({"role": ["accreditor"]}));
    assert!(matches!(accredits.covers(&met), Coverage::NotCovered(_)));
}

#[test]
fn a_need_is_what_a_badge_says() {
    let achievement = json!({
        "id": "urn:a",
        "achievementType": "Degree",
        "tag": ["care", "nursing"],
        "alignment": {"targetUrl": "https://framework.example/nursing"},
    });
    let strings = |all: &[&str]| Some(all.iter().map(|one| (*one).to_owned()).collect());
    let said = Need {
        achievement_types: strings(&["Degree"]),
        tags: strings(&["care", "nursing"]),
        alignments: strings(&["https://framework.example/nursing"]),
        ..Need::default()
    };
    assert_eq!(Need::of_achievement(&achievement), said);
    let bare = Need::of_achievement(&json!({"id": "urn:a"}));
    assert_eq!((bare.tags, bare.alignments), (Some(vec![]), Some(vec![])));
    assert_eq!(Need::of_achievement(&json!("urn:a")), Need::default());
    let badge = |subject: Value| {
        let mut badge = json!({"credentialSubject": subject, "validFrom": "2026-02-01T00:00:00Z"});
        let later = Need::of_credential(&badge).awarded;
        badge["awardedDate"] = json!("2026-01-01T00:00:00Z");
        let need = Need::of_credential(&badge);
        assert!(need.awarded < later && need.awarded.is_some());
        badge["awardedDate"] = json!("January");
        assert_eq!(Need::of_credential(&badge).awarded, None);
        Need {
            awarded: None,
            ..need
        }
    };
    assert_eq!(badge(json!({"achievement": achievement})), said);
    assert_eq!(badge(json!([{"achievement": [achievement]}])), said);
    let two = json!([{"achievement": achievement}, {"achievement": achievement}]);
    assert_eq!(badge(two), Need::default());
    assert_eq!(badge(json!({"id": "urn:learner"})), Need::default());
}

#[test]
fn a_wider_scope_is_named_by_its_member() {
    let within = |own: Value, wider: Value| {
        let told = scope(own).is_within(&scope(wider));
        told.map_err(|wider| wider.to_string())
    };
    let nursing = json!({"tag": ["nursing"], "jurisdiction": ["CH-ZH"]});
    assert_eq!(
        within(nursing.clone(), json!({"jurisdiction": ["CH"]})),
        Ok(())
    );
    for (wider, expected) in [
        (
            json!({"achievementType": ["Degree"]}),
            "/achievementType: the wider scope limits this, so it has to be limited here too",
        ),
        (
            json!({"tag": ["care"]}),
            "/tag: \"nursing\" is outside of the wider scope",
        ),
        (
            json!({"jurisdiction": ["CH-BE"]}),
            "/jurisdiction: \"CH-ZH\" is outside of the wider scope",
        ),
        (
            json!({"awardedFrom": "2026-01-01T00:00:00Z"}),
            "/awardedFrom: the wider scope limits this, so it has to be limited here too",
        ),
    ] {
        assert_eq!(within(nursing.clone(), wider), Err(expected.to_owned()));
    }
    let until = |year: u16| json!({"awardedUntil": format!("{year}-01-01T00:00:00Z")});
    assert_eq!(within(until(2027), until(2028)), Ok(()));
    assert_eq!(
        within(until(2028), until(2027)),
        Err(
            "/awardedUntil: 2028-01-01T00:00:00Z is outside of the wider scope, which has \
             2027-01-01T00:00:00Z"
                .to_owned()
        )
    );
}

/// The context names nothing but what a scope writes, and each of it.
#[test]
fn the_context_defines_what_is_written() {
    let context = scope_context();
    let names = |value: &Value| {
        let mut names: Vec<String> = value.as_object().unwrap().keys().cloned().collect();
        names.retain(|name| name != "type" && !name.starts_with('@'));
        names.sort_unstable();
        names
    };
    assert_eq!(
        names(&context["endorsementScope"]["@context"]),
        names(&full())
    );
    assert_eq!(names(&context), ["EndorsementScope", "endorsementScope"]);
    let all = names(&full());
    assert!(NAMES.iter().all(|name| all.contains(&(*name).to_owned())));
    assert_eq!(NAMES.len(), all.len());
}

/// Members with few values, so that scopes drawn at random often have to do with each other.
fn scopes() -> impl Strategy<Value = Scope> {
    let few = |all: &'static [&'static str]| subsequence(all, 0..=all.len());
    let year = || prop::option::of(2024i32..2028);
    (
        few(&["accreditor", "issuer"]),
        few(&["Badge", "Course", "Degree"]),
        few(&["care", "nursing"]),
        few(&["urn:a", "urn:b"]),
        few(&["CH", "CH-ZH", "CH-BE", "DE"]),
        year(),
        year(),
    )
        .prop_filter_map(
            "limits nothing",
            |(role, types, tags, aligned, places, from, until)| {
                let mut value = json!({
                    "role": role, "achievementType": types, "tag": tags, "alignment": aligned,
                    "jurisdiction": places,
                    "awardedFrom": from.map(|year| format!("{year}-01-01T00:00:00Z")),
                    "awardedUntil": until.map(|year| format!("{year}-07-01T00:00:00Z")),
                });
                let members = value.as_object_mut().unwrap();
                members.retain(|_, value| !value.is_null() && *value != json!([]));
                Scope::parse(&value).ok()
            },
        )
}

fn needs() -> impl Strategy<Value = Need> {
    let few = |all: &'static [&'static str]| {
        let some = subsequence(all, 0..=all.len());
        prop::option::of(some.prop_map(|some| some.into_iter().map(str::to_owned).collect()))
    };
    (
        few(&["Badge", "Course", "Degree"]),
        few(&["care", "nursing"]),
        few(&["urn:a", "urn:b"]),
        prop::option::of((2023i32..2029, select(vec!["01-01", "04-01", "07-01"]))),
        prop::option::of(select(vec!["CH", "CH-ZH", "DE", "DE-BY", "FR"])),
        prop::option::of(select(vec![Role::Issuer, Role::Accreditor])),
    )
        .prop_map(
            |(achievement_types, tags, alignments, awarded, place, role)| Need {
                achievement_types,
                tags,
                alignments,
                awarded: awarded
                    .map(|(year, day)| format!("{year}-{day}T00:00:00Z").parse().unwrap()),
                jurisdiction: place.map(|place| place.parse().unwrap()),
                role,
            },
        )
}

fn rank(coverage: Coverage) -> u8 {
    match coverage {
        Coverage::NotCovered(_) => 0,
        Coverage::Unknown(_) => 1,
        Coverage::Covered => 2,
    }
}

proptest! {
    #[test]
    fn what_is_written_reads_back(scope in scopes()) {
        let value = scope.to_value();
        prop_assert_eq!(Scope::parse(&value).unwrap(), scope.clone());
        let text = serde_json::to_string(&scope).unwrap();
        prop_assert_eq!(serde_json::from_str::<Scope>(&text).unwrap(), scope);
    }

    #[test]
    fn being_within_is_an_order(a in scopes(), b in scopes(), c in scopes()) {
        let within = |own: &Scope, wider: &Scope| own.is_within(wider).is_ok();
        prop_assert!(within(&a, &a));
        if within(&a, &b) && within(&b, &a) {
            prop_assert_eq!(&a, &b);
        }
        if within(&a, &b) && within(&b, &c) {
            prop_assert!(within(&a, &c));
        }
    }

    /// Nothing is lost on the way to a wider scope.
    #[test]
    fn a_wider_scope_covers_as_much(a in scopes(), b in scopes(), need in needs()) {
        if a.is_within(&b).is_ok() {
            prop_assert!(rank(a.covers(&need)) <= rank(b.covers(&need)));
        }
    }

    /// What a need says beside that on which a scope limits it does not matter.
    #[test]
    fn needs_that_agree_are_covered_alike(scope in scopes(), one in needs(), other in needs()) {
        prop_assert!(one.agrees(&one, scope.limits()));
        prop_assert!(scope.limits().any());
        prop_assert_eq!(one.agrees(&other, scope.limits()), other.agrees(&one, scope.limits()));
        if one.agrees(&other, scope.limits()) {
            prop_assert_eq!(scope.covers(&one), scope.covers(&other));
        }
    }

    /// Fewer limits are wider, and more values in a limit are.
    #[test]
    fn taking_a_limit_away_widens(scope in scopes(), which in any::<prop::sample::Index>()) {
        let value = scope.to_value();
        let members: Vec<&String> = value.as_object().unwrap().keys().skip(1).collect();
        let removed = members[which.index(members.len())].clone();
        let mut wider = value.clone();
        wider.as_object_mut().unwrap().shift_remove(&removed);
        if let Ok(wider) = Scope::parse(&wider) {
            prop_assert_eq!(scope.is_within(&wider), Ok(()));
            prop_assert_eq!(wider.is_within(&scope).unwrap_err().member, removed);
        }
    }

    /// To know more of a need settles what was not known, and never turns a yes into a no.
    #[test]
    fn what_is_known_decides(scope in scopes(), need in needs(), more in needs()) {
        let known = Need {
            achievement_types: need.achievement_types.clone().or(more.achievement_types),
            tags: need.tags.clone().or(more.tags),
            alignments: need.alignments.clone().or(more.alignments),
            awarded: need.awarded.or(more.awarded),
            ..need.clone()
        };
        match scope.covers(&need) {
            Coverage::Unknown(_) => {}
            decided => prop_assert_eq!(rank(scope.covers(&known)), rank(decided)),
        }
    }
}

#[test]
fn a_scope_is_no_longer_than_can_be_looked_at_with_each_question() {
    let of = |tags: usize| {
        let tags: Vec<String> = (0..tags).map(|n| format!("{n:0900}")).collect();
        Scope::parse(&json!({ "tag": tags }))
    };
    assert!(of(8).is_ok());
    let refused = of(10).unwrap_err().to_string();
    assert!(refused.contains("8192"), "{refused}");
}
