//! What a careless verifier lets through.

use super::*;

/// The problems of a document that must not be verified.
fn refused(world: &World, credential: &Value) -> Vec<(String, String)> {
    let report = world.verify(credential);
    assert_eq!(
        (report.verified, report.outcome),
        (false, Outcome::Unknown),
        "{credential:#}"
    );
    let owned = |(code, pointer): (&str, &str)| (code.to_owned(), pointer.to_owned());
    problems(&report).into_iter().map(owned).collect()
}

fn one(code: &str, pointer: &str) -> Vec<(String, String)> {
    vec![(code.to_owned(), pointer.to_owned())]
}

/// The badge with a member more, signed or not.
fn with(mut badge: Value, member: &str, value: Value) -> Value {
    badge[member] = value;
    badge
}

#[test]
fn a_key_named_in_the_url_is_not_taken_for_the_issuers() {
    let college = Actor::named("https://college.example/profile", 1);
    let forger = Actor::did_key(66);
    let world = World::default().with(&college);
    // The forger's own key as the fragment of the issuer's URL.
    let method = format!("{}#{}", college.id, forger.key.public().to_multikey());
    let forged = forger.sign_as(&method, &college.badge());
    assert_eq!(
        refused(&world, &forged),
        one("key-missing", "/proof/verificationMethod")
    );
    // The issuer's method, signed with another key.
    let forged = forger.sign_as(&college.method, &college.badge());
    assert_eq!(refused(&world, &forged), one("signature-bad", "/proof"));
    // A fragment without a document to look it up in.
    let bare = format!("#{}", forger.key.public().to_multikey());
    let mut forged = forger.sign_as(&method, &college.badge());
    forged["proof"]["verificationMethod"] = json!(bare);
    assert_eq!(
        refused(&world, &forged),
        one("key-url", "/proof/verificationMethod")
    );
}

#[test]
fn a_key_that_stands_for_itself_does_not_stand_for_another() {
    let college = Actor::named("did:web:college.example", 1);
    let forger = Actor::did_key(66);
    let world = World::default().with(&college);
    let forged = forger.sign(&college.badge());
    assert_eq!(
        refused(&world, &forged),
        one("key-of-another", "/proof/verificationMethod")
    );
    // Nor does anybody else's, and nobody is asked whom only the forger names.
    let other = Actor::named("did:web:forger.example", 66);
    let world = world.with(&other);
    let forged = other.sign(&college.badge());
    assert_eq!(
        refused(&world, &forged),
        one("key-of-another", "/proof/verificationMethod")
    );
    assert_eq!(world.asked(), [""; 0]);
}

#[test]
fn an_issuer_cannot_be_exchanged() {
    let (college, other) = (Actor::did_key(1), Actor::did_key(2));
    let mut forged = other.sign(&other.badge());
    forged["issuer"]["id"] = json!(college.id);
    let expected = one("key-of-another", "/proof/verificationMethod");
    assert_eq!(refused(&World::default(), &forged), expected);
    forged["issuer"] = json!({"id": other.id, "type": ["Profile"], "name": "Another"});
    assert_eq!(
        refused(&World::default(), &forged),
        one("signature-bad", "/proof")
    );
}

#[test]
fn a_member_that_no_context_defines_cannot_be_smuggled_in() {
    let college = Actor::did_key(1);
    let signed = college.sign(&college.badge());
    let forged = with(signed.clone(), "grade", json!("A+"));
    assert_eq!(
        refused(&World::default(), &forged),
        one("not-signable", "/grade")
    );
    let mut forged = signed;
    forged["credentialSubject"]["achievement"]["level"] = json!(5);
    let pointer = "/credentialSubject/achievement/level";
    assert_eq!(
        refused(&World::default(), &forged),
        one("not-signable", pointer)
    );
}

#[test]
fn members_cannot_be_hidden_from_a_reader_of_the_json() {
    let college = Actor::did_key(1);
    let until = "2026-02-01T00:00:00Z";
    let signed = college.sign(&with(college.badge(), "validUntil", json!(until)));
    assert_eq!(World::default().verify(&signed).outcome, Outcome::Expired);
    let mut without = signed;
    without.as_object_mut().unwrap().shift_remove("validUntil");
    assert_eq!(
        refused(&World::default(), &without),
        one("signature-bad", "/proof")
    );

    let iri = "https://www.w3.org/2018/credentials#validUntil";
    let date_type = "http://www.w3.org/2001/XMLSchema#dateTime";
    let value = json!({"@type": date_type, "@value": until});
    let forged = with(without.clone(), iri, value.clone());
    assert_eq!(refused(&World::default(), &forged)[0].0, "hidden-member");

    let included = json!([{"id": without["id"], "validUntil": until}]);
    let forged = with(without.clone(), "@included", included);
    let place = one("hidden-member", "/@included");
    assert_eq!(refused(&World::default(), &forged), place);

    let alias = json!({"bestBefore": {"@id": iri, "@type": date_type}});
    let mut forged = with(without, "bestBefore", json!(until));
    forged["@context"].as_array_mut().unwrap().push(alias);
    assert_eq!(refused(&World::default(), &forged)[0].0, "hidden-member");
}

#[test]
fn a_hidden_status_is_refused_even_where_the_issuer_signed_it() {
    let college = Actor::did_key(1);
    let entry = statuses::entry("https://college.example/list", "revocation", 7);
    let signed = college.sign(&with(college.badge(), "credentialStatus", entry.clone()));
    let mut forged = signed;
    forged
        .as_object_mut()
        .unwrap()
        .shift_remove("credentialStatus");
    let iri = "https://www.w3.org/2018/credentials#credentialStatus";
    let forged = with(forged, iri, entry);
    assert_eq!(refused(&World::default(), &forged)[0].0, "hidden-member");
}

#[test]
fn a_membership_card_does_not_become_an_endorsement() {
    let (club, member) = (Actor::did_key(1), Actor::did_key(2));
    let card = |context: Value, types: [&str; 2]| {
        json!({
            "@context": [CREDENTIALS_V2, context],
            "id": "https://club.example/cards/1",
            "type": ["VerifiableCredential", types[0]],
            "issuer": club.id,
            "credentialSubject": {"id": member.id, "type": types[1]},
        })
    };
    let (a, b) = ("https://club.example/#Card", "https://club.example/#Member");
    let signed = club.sign(&card(
        json!({"MemberCard": a, "Member": b}),
        ["MemberCard", "Member"],
    ));
    assert_eq!(World::default().verify(&signed).outcome, Outcome::Active);
    // The same statements under other names.
    let names = ["EndorsementCredential", "EndorsementSubject"];
    let mut forged = card(json!({names[0]: a, names[1]: b}), names);
    forged["proof"] = signed["proof"].clone();
    let expected = one("hidden-member", "/type");
    assert_eq!(refused(&World::default(), &forged), expected);
    let mut forged = card(
        json!({"MemberCard": a, names[1]: b}),
        ["MemberCard", names[1]],
    );
    forged["proof"] = signed["proof"].clone();
    let expected = one("hidden-member", "/credentialSubject/type");
    assert_eq!(refused(&World::default(), &forged), expected);
    // Nor does an endorsement escape the rules for one by its full name.
    let iri = "https://purl.imsglobal.org/spec/vc/ob/vocab.html#EndorsementCredential";
    let mut forged = club.endorse(&member.id);
    forged["type"] = json!(["VerifiableCredential", iri]);
    let expected = one("hidden-member", "/type");
    assert_eq!(refused(&World::default(), &forged), expected);
}

#[test]
fn an_unknown_context_is_named() {
    let college = Actor::did_key(1);
    let mut forged = college.sign(&college.badge());
    forged["@context"]
        .as_array_mut()
        .unwrap()
        .push(json!("https://forger.example/context"));
    let report = World::default().verify(&forged);
    assert_eq!(problems(&report), [("unknown-context", "/@context/2")]);
    assert!(
        report.problems[0]
            .detail
            .contains("https://forger.example/context")
    );
}

#[test]
fn what_is_no_credential_is_told_so() {
    for (document, pointer) in [
        (json!(null), ""),
        (json!([]), ""),
        (json!({}), "/@context"),
        (json!({"@context": [OPEN_BADGES]}), "/@context"),
    ] {
        assert_eq!(
            refused(&World::default(), &document),
            one("malformed", pointer)
        );
    }
    let college = Actor::did_key(1);
    let signed = college.sign(&college.badge());
    for (member, value, pointer) in [
        ("type", json!(["OpenBadgeCredential"]), "/type"),
        ("issuer", json!("college"), "/issuer"),
        ("issuer", json!({"name": "College"}), "/issuer/id"),
        ("validUntil", json!("tomorrow"), "/validUntil"),
        ("validUntil", json!("2025-01-01T00:00:00Z"), "/validUntil"),
        ("credentialSubject", json!([]), "/credentialSubject"),
        (
            "expirationDate",
            json!("2027-01-01T00:00:00Z"),
            "/expirationDate",
        ),
    ] {
        let forged = with(signed.clone(), member, value);
        assert_eq!(
            refused(&World::default(), &forged),
            one("malformed", pointer),
            "{member}"
        );
    }
}

#[test]
fn without_a_proof_nobody_said_it() {
    let college = Actor::did_key(1);
    let world = World::default();
    assert_eq!(refused(&world, &college.badge()), one("no-proof", "/proof"));
    let none = with(college.badge(), "proof", json!([]));
    assert!(!world.verify(&none).verified);
}

#[test]
fn a_proof_has_to_be_one_for_this() {
    let college = Actor::did_key(1);
    let signed = college.sign(&college.badge());
    for (member, value, code) in [
        ("proofPurpose", json!("authentication"), "proof-purpose"),
        ("cryptosuite", json!("ecdsa-rdfc-2019"), "proof-key-kind"),
        ("cryptosuite", json!("bbs-2023"), "proof-unsupported"),
        ("type", json!("Ed25519Signature2018"), "proof-unsupported"),
        ("previousProof", json!("urn:a"), "proof-chain"),
        ("proofValue", json!("z2"), "proof-malformed"),
        ("created", json!("once"), "proof-malformed"),
        ("created", json!("2026-01-01T00:00:01Z"), "signature-bad"),
        ("expires", json!("2027-01-01T00:00:00Z"), "signature-bad"),
        ("expires", json!("2026-05-01T00:00:00Z"), "proof-expired"),
        ("nonsense", json!("x"), "not-signable"),
    ] {
        let mut forged = signed.clone();
        forged["proof"][member] = value;
        assert_eq!(refused(&World::default(), &forged)[0].0, code, "{member}");
    }
}

#[test]
fn one_good_proof_suffices_and_each_is_reported() {
    let (college, forger) = (Actor::did_key(1), Actor::did_key(66));
    let twice = college.sign(&forger.sign(&college.badge()));
    let report = World::default().verify(&twice);
    assert_eq!((report.verified, report.outcome), (true, Outcome::Active));
    assert_eq!(problems(&report), []);
    let codes: Vec<Option<&str>> = report
        .proofs
        .iter()
        .map(|p| p.problem.as_ref().map(|p| p.code.as_str()))
        .collect();
    assert_eq!(codes, [Some("key-of-another"), None]);
    let bad = report
        .checks
        .iter()
        .find(|check| check.code == Code::KeyOfAnother)
        .unwrap();
    assert_eq!(bad.path(), "proof[0].verificationMethod");
}

#[test]
fn there_is_an_end_to_proofs() {
    let (college, forger) = (Actor::did_key(1), Actor::did_key(66));
    let forged = forger.sign(&college.badge())["proof"].clone();
    let mut badge = college.sign(&college.badge());
    let good = badge["proof"].take();
    let mut proofs = vec![forged; 8];
    proofs.push(good);
    badge["proof"] = json!(proofs);
    let report = World::default().verify(&badge);
    assert!(!report.verified);
    assert_eq!(report.proofs.len(), 8);
    assert!(problems(&report).contains(&("too-many", "/proof")));
}
