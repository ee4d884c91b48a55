//! Endorsements and credentials within a credential. A bad one is told under its own path and
//! makes the credential no worse; but what is wrong with its JSON is wrong with the whole.

use super::makers::*;
use super::*;
use crate::vc::jwt::Envelope;

pub(super) fn rows() -> Vec<Row> {
    [
        endorsements(),
        their_own_standing(),
        jwts(),
        around_them(),
        records(),
    ]
    .into_iter()
    .flatten()
    .collect()
}

const OF_ISSUER: &str = "/issuer/endorsement/0";
const OF_ACHIEVEMENT: &str = "/credentialSubject/achievement/endorsement/0";
const AT_ISSUER: &str = "issuer.endorsement[0]";
const AT_ACHIEVEMENT: &str = "credentialSubject.achievement.endorsement[0]";

use Outcome::{Expired, NotEndorsed, NotYetValid, Revoked, Unknown, Unreachable};

/// The board's endorsement of the issuer, changed and signed again.
fn changed(document: &mut Value, change: fn(&mut Value)) {
    let mut endorsement = board().endorsement(&college().id);
    change(&mut endorsement);
    set(document, OF_ISSUER, signed_by(&board(), endorsement));
}

/// Signed by a signer that checks nothing.
fn signed_by(actor: &Actor, mut document: Value) -> Value {
    document["proof"] = proof_by(&actor.method);
    sign(document, None)
}

fn endorsements() -> Vec<Row> {
    table! {
        Endorsed Signer {
            "an issuer endorses itself": |d| set(d, OF_ISSUER, college().endorse(&college().id))
                => carries(AT_ISSUER, NotEndorsed, "self-endorsement");
            "an issuer endorses its achievement": |d| set(d, OF_ACHIEVEMENT, college().endorse(ACHIEVEMENT))
                => carries(AT_ACHIEVEMENT, NotEndorsed, "self-endorsement");
            "an issuer endorses its badge": |d| set(d, "/endorsement/0", college().endorse("https://college.example/badges/1"))
                => carries("endorsement[0]", NotEndorsed, "self-endorsement");
            "an issuer endorses what it says is another's": |d| {
                d["credentialSubject"]["achievement"]["creator"] = json!({"id": "did:example:other", "type": ["Profile"]});
                set(d, OF_ACHIEVEMENT, college().endorse(ACHIEVEMENT));
            } => carries(AT_ACHIEVEMENT, NotEndorsed, "self-endorsement");
            "a creator endorses its achievement": |d| {
                d["credentialSubject"]["achievement"]["creator"] = json!({"id": board().id, "type": ["Profile"]});
            } => carries(AT_ACHIEVEMENT, NotEndorsed, "self-endorsement");
            "a parent endorses itself": |d| d["issuer"]["parentOrg"] = json!({
                "id": board().id, "type": ["Profile"], "endorsement": [board().endorse(&board().id)],
            }) => carries("issuer.parentOrg.endorsement[0]", NotEndorsed, "self-endorsement");
            "an endorsement of another issuer": |d| set(d, OF_ISSUER, board().endorse("did:example:other"))
                => carries(AT_ISSUER, Unknown, "wrong-subject");
            "an endorsement of the achievement at the issuer": |d| set(d, OF_ISSUER, board().endorse(ACHIEVEMENT))
                => carries(AT_ISSUER, Unknown, "wrong-subject");
            "an endorsement of the issuer at the achievement": |d| set(d, OF_ACHIEVEMENT, board().endorse(&college().id))
                => carries(AT_ACHIEVEMENT, Unknown, "wrong-subject");
            "an endorsement of the issuer's id and a fragment": |d| set(d, OF_ISSUER, board().endorse(&college().method))
                => carries(AT_ISSUER, Unknown, "wrong-subject");
            "an endorsement of two, one of whom is the issuer": |d| changed(d, |endorsement| {
                let subject = endorsement["credentialSubject"].clone();
                endorsement["credentialSubject"] = json!([subject, {"id": "did:example:other", "type": ["EndorsementSubject"]}]);
            }) => carries(AT_ISSUER, Unknown, "wrong-subject");
            "an endorsement of what has no id": |d| drop(cut(d, "/credentialSubject/achievement/id"))
                => carries(AT_ACHIEVEMENT, Unknown, "wrong-subject");
            "a badge in the place of an endorsement": |d| {
                let mut badge = board().badge();
                badge["id"] = json!("https://board.example/badges/1");
                set(d, OF_ISSUER, signed_by(&board(), badge));
            } => carries(AT_ISSUER, Unknown, "not-an-endorsement");
            "an endorsement whose subject is none": |d| changed(d, |endorsement| {
                set(endorsement, "/credentialSubject/type", json!(["Profile"]));
            }) => carries(AT_ISSUER, Unknown, "malformed");
        }
    }
}

fn their_own_standing() -> Vec<Row> {
    table! {
        Endorsed Signer {
            "an endorsement without a proof": |d| drop(cut(d, "/issuer/endorsement/0/proof"))
                => carries(AT_ISSUER, Unknown, "no-proof");
            "an endorsement with another's proof": |d| {
                let proof = d["endorsement"][0]["proof"].clone();
                set(d, "/issuer/endorsement/0/proof", proof);
            } => carries(AT_ISSUER, Unknown, "signature-bad");
            "an endorsement with the proof of what carries it": |d| {
                let badge = Base::Badge.signed();
                set(d, "/issuer/endorsement/0/proof", badge["proof"].clone());
            } => carries(AT_ISSUER, Unknown, "key-of-another");
            "an endorsement by the issuer in the board's name": |d| {
                set(d, OF_ISSUER, signed_by(&college(), board().endorsement(&college().id)));
            } => carries(AT_ISSUER, Unknown, "key-of-another");
            "an endorsement with kinder words": |d| set(d, "/issuer/endorsement/0/name", json!("Excellent"))
                => carries(AT_ISSUER, Unknown, "signature-bad");
            "an endorsement whose endorser is exchanged": |d| set(d, "/issuer/endorsement/0/issuer/id", json!(forger().id))
                => carries(AT_ISSUER, Unknown, "key-of-another");
            "an endorsement for authentication": |d| {
                let mut endorsement = board().endorsement(&college().id);
                endorsement["proof"] = proof_by(&board().method);
                endorsement["proof"]["proofPurpose"] = json!("authentication");
                set(d, OF_ISSUER, sign(endorsement, None));
            } => carries(AT_ISSUER, Unknown, "proof-purpose");
            "an endorsement that is over": |d| changed(d, |endorsement| {
                endorsement["validUntil"] = json!("2026-02-01T00:00:00Z");
            }) => carries(AT_ISSUER, Expired, "expired");
            "an endorsement that has not begun": |d| changed(d, |endorsement| {
                endorsement["validFrom"] = json!("2026-07-01T00:00:00Z");
            }) => carries(AT_ISSUER, NotYetValid, "not-yet-valid");
            "an endorsement that was revoked": |d| changed(d, |endorsement| {
                endorsement["credentialStatus"] = statuses::entry(BOARD_LIST, "revocation", 3);
            }) => carries(AT_ISSUER, Revoked, "revoked");
            "an endorsement whose list nobody has": |d| changed(d, |endorsement| {
                endorsement["credentialStatus"] = statuses::entry("https://away.example/list", "revocation", 7);
            }) => carries(AT_ISSUER, Unreachable, "status-retrieval");
            "an endorsement whose list is the endorsed one's": |d| changed(d, |endorsement| {
                endorsement["credentialStatus"] = statuses::entry(LIST, "revocation", 8);
            }) => carries(AT_ISSUER, Unknown, "status-verification");
            "an endorsement by whom nobody finds": |d| {
                let away = Actor::named("did:web:away.example", 2);
                set(d, OF_ISSUER, away.endorse(&college().id));
            } => carries(AT_ISSUER, Unreachable, "key-document-not-found");
            "an endorser who endorses itself": |d| changed(d, |endorsement| {
                endorsement["issuer"]["endorsement"] = json!([board().endorse(&board().id)]);
            }) => carries("issuer.endorsement[0].issuer.endorsement[0]", NotEndorsed, "self-endorsement");
            "endorsers of endorsers without end": |d| {
                let mut inner = None;
                for seed in (10..17).rev() {
                    let endorser = Actor::did_key(seed);
                    let subject = if seed == 10 { college().id } else { Actor::did_key(seed - 1).id };
                    let mut endorsement = endorser.endorsement(&subject);
                    if let Some(inner) = inner {
                        endorsement["issuer"]["endorsement"] = json!([inner]);
                    }
                    inner = Some(endorser.sign(&endorsement));
                }
                set(d, OF_ISSUER, inner.unwrap());
            } => carries(
                "issuer.endorsement[0].issuer.endorsement[0].issuer.endorsement[0].issuer.endorsement[0].issuer.endorsement[0]",
                Unknown,
                "not-looked-at",
            );
            "more endorsements than are looked at": |d| {
                let jwt = d["issuer"]["endorsementJwt"][0].clone();
                d["issuer"]["endorsementJwt"] = json!(vec![jwt; 300]);
            } => carries("issuer.endorsementJwt[127]", Unknown, "not-looked-at");
            "more work than is done for one request": |d| {
                let proof = d["issuer"]["endorsement"][0]["proof"].clone();
                set(d, "/issuer/endorsement/0/name", json!("Excellent"));
                set(d, "/issuer/endorsement/0/proof", json!(vec![proof; 8]));
                let forged = d["issuer"]["endorsement"][0].clone();
                d["issuer"]["endorsement"] = json!(vec![forged; 40]);
            } => Expected {
                carried: (0..40).map(|n| spent(n, 22)).chain([
                    ("issuer.endorsementJwt[0]", Unknown, "too-many"),
                    (AT_ACHIEVEMENT, Unknown, "too-many"),
                    ("endorsement[0]", Unknown, "too-many"),
                ]).collect(),
                ..odd_but_good()
            };
        }
    }
}

/// What is told of an endorsement before and after the work is done.
fn spent(n: usize, last: usize) -> (&'static str, Outcome, &'static str) {
    let code = if n < last {
        "signature-bad"
    } else {
        "too-many"
    };
    (format!("issuer.endorsement[{n}]").leak(), Unknown, code)
}

fn jwts() -> Vec<Row> {
    const AT: &str = "issuer.endorsementJwt[0]";
    table! {
        Endorsed Signer {
            "a forged JWT": |d| {
                let jwt = d["issuer"]["endorsementJwt"][0].as_str().unwrap();
                let (signed, _) = jwt.rsplit_once('.').unwrap();
                let forged = format!("{signed}.{}", "A".repeat(86));
                set(d, "/issuer/endorsementJwt/0", json!(forged));
            } => carries(AT, Unknown, "signature-bad");
            "a JWT for another issuer": |d| {
                set(d, "/issuer/endorsementJwt/0", json!(board().endorse_as_jwt("did:example:other")));
            } => carries(AT, Unknown, "wrong-subject");
            "an issuer endorses itself by a JWT": |d| {
                set(d, "/issuer/endorsementJwt/0", json!(college().endorse_as_jwt(&college().id)));
            } => carries(AT, NotEndorsed, "self-endorsement");
            "a JWT that is none": |d| set(d, "/issuer/endorsementJwt/0", json!("a.b.c")) => carries(AT, Unknown, "jwt-malformed");
            "a JWT that nobody signed": |d| set(d, "/issuer/endorsementJwt/0", json!("eyJhbGciOiJub25lIn0.eyJpc3MiOiJhIn0."))
                => carries(AT, Unknown, "jwt-algorithm");
        }
        Endorsed Stranger {
            "a stranger adds a JWT": |d| push(d, "/issuer/endorsementJwt", json!(board().endorse_as_jwt("did:example:other")))
                => refused("signature-bad", "/proof");
            "a stranger takes the JWT away": |d| drop(cut(d, "/issuer/endorsementJwt")) => refused("signature-bad", "/proof");
        }
    }
}

/// What is within is signed with the whole, and has to be as readable.
fn around_them() -> Vec<Row> {
    table! {
        Endorsed Stranger {
            "a stranger takes an endorsement away": |d| drop(cut(d, "/endorsement")) => refused("signature-bad", "/proof");
            "a stranger adds a good endorsement": |d| push(d, "/endorsement", forger().endorse("https://college.example/badges/1"))
                => refused("signature-bad", "/proof");
            "a stranger shortens the id of what is endorsed by a base": |d| {
                inline(d, json!({"@base": "https://college.example/achievements/"}));
                set(d, "/credentialSubject/achievement/id", json!("welding"));
            } => carries(AT_ACHIEVEMENT, Unknown, "wrong-subject");
            "a stranger shortens the id of what is endorsed by a prefix": |d| {
                inline(d, json!({"c": "https://college.example/achievements/"}));
                set(d, "/credentialSubject/achievement/id", json!("c:welding"));
            } => carries(AT_ACHIEVEMENT, Unknown, "wrong-subject");
            "a stranger puts an endorsement elsewhere": |d| {
                let endorsement = cut(d, OF_ISSUER);
                push(d, "/endorsement", endorsement);
            } => refused("signature-bad", "/proof");
        }
        Endorsed Signer {
            "an endorsement with a member that nobody signs": |d| d["endorsement"][0]["grade"] = json!("A")
                => refused("not-signable", "/endorsement/0/grade");
            "the end of an endorsement under its full IRI":
                |d| d["endorsement"][0]["https://www.w3.org/2018/credentials#validUntil"] = json!("2030-01-01T00:00:00Z")
                => refused("hidden-member", "/endorsement/0/https:~1~1www.w3.org~12018~1credentials#validUntil");
            "an endorsement with a context that nobody knows":
                |d| push(d, "/endorsement/0/@context", json!("https://board.example/context"))
                => refused("unknown-context", "/endorsement/0/@context/2");
            "an endorsement under the id of what carries it": |d| set(d, "/endorsement/0/id", json!("https://college.example/badges/1"))
                => refused("hidden-member", "/type");
            "an endorsement that is a text": |d| set(d, "/endorsement/0", json!("a.b.c")) => carries("endorsement[0]", Unknown, "jwt-malformed");
            "an endorsement that is null": |d| set(d, "/endorsement/0", json!(null)) => refused("not-signable", "/endorsement/0");
        }
    }
}

fn records() -> Vec<Row> {
    const FIRST: &str = "/credentialSubject/verifiableCredential/0";
    const SECOND: &str = "/credentialSubject/verifiableCredential/1";
    const AT_FIRST: &str = "credentialSubject.verifiableCredential[0]";
    const AT_SECOND: &str = "credentialSubject.verifiableCredential[1]";
    table! {
        Record Signer {
            "CLR: a badge with another name": |d| set(d, &format!("{FIRST}/name"), json!("Flying"))
                => carries(AT_FIRST, Unknown, "signature-bad");
            "CLR: a badge without a proof": |d| drop(cut(d, &format!("{FIRST}/proof"))) => carries(AT_FIRST, Unknown, "no-proof");
            "CLR: a badge by the college in the board's name": |d| {
                let mut badge = cut(d, FIRST);
                badge["proof"] = proof_by(&college().method);
                set(d, "/credentialSubject/verifiableCredential", json!([sign(badge, None)]));
            } => carries(AT_FIRST, Unknown, "key-of-another");
            "CLR: a badge that is over": |d| {
                let mut badge = cut(d, SECOND);
                badge["validUntil"] = json!("2026-02-01T00:00:00Z");
                push(d, "/credentialSubject/verifiableCredential", signed_by(&college(), badge));
            } => carries(AT_SECOND, Expired, "expired");
            "CLR: a badge that was revoked": |d| {
                let mut badge = cut(d, SECOND);
                badge["credentialStatus"] = statuses::entry(LIST, "revocation", 3);
                push(d, "/credentialSubject/verifiableCredential", signed_by(&college(), badge));
            } => carries(AT_SECOND, Revoked, "revoked");
            "CLR: a badge by whom nobody finds": |d| {
                let away = Actor::named("did:web:away.example", 2);
                let mut badge = away.badge();
                badge["id"] = json!("https://away.example/badges/1");
                set(d, FIRST, away.sign(&badge));
            } => carries(AT_FIRST, Unreachable, "key-document-not-found");
            "CLR: an envelope around nothing that is read": |d| set(d, FIRST, json!({
                "@context": CREDENTIALS_V2,
                "type": "EnvelopedVerifiableCredential",
                "id": "data:application/vc+sd-jwt,a.b.c",
            })) => carries(AT_FIRST, Unknown, "envelope-malformed");
            "CLR: an envelope around a JWT that is none": |d| set(d, FIRST, Envelope::Credential.wrap("a.b.c"))
                => carries(AT_FIRST, Unknown, "jwt-malformed");
            "CLR: a JWT that is none": |d| set(d, FIRST, json!("a.b.c")) => carries(AT_FIRST, Unknown, "jwt-malformed");
            "CLR: a good JWT without an envelope": |d| set(d, FIRST, json!(board().endorse_as_jwt("did:example:x")))
                => odd_but_good();
            "CLR: null among the badges": |d| set(d, FIRST, json!(null)) => refused("not-signable", FIRST);
            "CLR: a presentation among the badges": |d| set(d, FIRST, json!({
                "@context": [CREDENTIALS_V2],
                "id": "urn:presentation:1",
                "type": ["VerifiablePresentation"],
                "holder": learner().id,
            })) => carries(AT_FIRST, Unknown, "malformed");
            "CLR: a good JWT in its envelope": |d| {
                set(d, FIRST, Envelope::Credential.wrap(&board().endorse_as_jwt("did:example:x")));
            } => odd_but_good();
        }
        Record Stranger {
            "CLR: a stranger takes a badge away": |d| drop(cut(d, FIRST)) => refused("signature-bad", "/proof");
            "CLR: a stranger adds a good badge": |d| push(d, "/credentialSubject/verifiableCredential", Base::Badge.signed())
                => refused("signature-bad", "/proof");
        }
    }
}
