//! Presentations: whose they are, for whom, and what is in them.

use super::makers::*;
use super::*;
use crate::vc::jwt::Envelope;

pub(super) fn rows() -> Vec<Row> {
    [holders(), questions(), documents(), credentials()]
        .into_iter()
        .flatten()
        .collect()
}

fn holders() -> Vec<Row> {
    table! {
        Presentation Signer {
            "VP: of another holder": |d| d["holder"] = json!(board().id) => refused("key-of-another", "/proof/verificationMethod");
            "VP: for assertion": |d| d["proof"]["proofPurpose"] = json!("assertionMethod") => refused("proof-purpose", "/proof");
            "VP: that is over": |d| d["proof"]["expires"] = json!("2026-06-01T00:00:00Z") => refused("proof-expired", "/proof");
            "VP: by whom nobody finds": |d| {
                d["holder"] = json!("did:web:away.example");
                d["proof"]["verificationMethod"] = json!("did:web:away.example#key-1");
            } => out_of_reach("key-document-not-found", "/proof/verificationMethod");
            "VP: whose holder's key is for assertion alone": |d| {
                d["holder"] = json!(SMITH);
                d["proof"]["verificationMethod"] = json!(format!("{SMITH}#key-1"));
                d["proof"]["cryptosuite"] = json!("ecdsa-rdfc-2019");
            } => refused("key-purpose", "/proof/verificationMethod");
            "VP: that names no holder": |d| drop(cut(d, "/holder")) => odd_but_good();
            "VP: of what is about somebody else, which is for whoever asks to judge": |d| {
                let other = college().badge();
                d["verifiableCredential"] = json!([college().sign(&other)]);
            } => odd_but_good();
        }
        Presentation Forger {
            "VP: by another key": |_| {} => refused("signature-bad", "/proof");
            "VP: by a thief in his own name": |d| d["proof"]["verificationMethod"] = json!(forger().method)
                => refused("key-of-another", "/proof/verificationMethod");
        }
        Presentation Stranger {
            "VP: a thief makes himself the holder": |d| d["holder"] = json!(forger().id)
                => refused("key-of-another", "/proof/verificationMethod");
            "VP: without a proof": |d| drop(cut(d, "/proof")) => refused("no-proof", "/proof");
            "VP: with the proof of the credential in it": |d| d["proof"] = d["verifiableCredential"][0]["proof"].clone()
                => refused("proof-purpose", "/proof");
        }
    }
}

fn questions() -> Vec<Row> {
    table! {
        Presentation Signer {
            "VP: for another challenge": |d| d["proof"]["challenge"] = json!("c-0") => refused("challenge-mismatch", "/proof");
            "VP: for no challenge": |d| drop(cut(d, "/proof/challenge")) => refused("challenge-mismatch", "/proof");
            "VP: for another domain": |d| d["proof"]["domain"] = json!("forger.example") => refused("domain-mismatch", "/proof");
            "VP: for a domain under the one that asks": |d| d["proof"]["domain"] = json!("a.jobs.example") => refused("domain-mismatch", "/proof");
            "VP: for no domain": |d| drop(cut(d, "/proof/domain")) => refused("domain-mismatch", "/proof");
            "VP: sent on to another challenge": |d| {
                d["proof"]["challenge"] = json!("c-0");
                *d = sign(d.clone(), None);
                d["proof"]["challenge"] = json!("c-1");
            } => refused("signature-bad", "/proof");
            "VP: for several domains": |d| d["proof"]["domain"] = json!(["forger.example", "jobs.example"]) => odd_but_good();
        }
    }
}

fn documents() -> Vec<Row> {
    table! {
        Presentation Signer {
            "VP: without the context of the data model": |d| d["@context"] = json!([OPEN_BADGES]) => refused("malformed", "/@context");
            "VP: without its type": |d| d["type"] = json!(["Presentation"]) => refused("malformed", "/type");
            "VP: whose holder is a name": |d| d["holder"] = json!("me") => refused("malformed", "/holder");
            "VP: whose holder is null": |d| d["holder"] = json!(null) => refused("malformed", "/holder");
            "VP: of two holders": |d| d["holder"] = json!([learner().id, forger().id]) => refused("malformed", "/holder");
            "VP: whose holder stands under the full IRI": |d| {
                let holder = cut(d, "/holder");
                d["https://www.w3.org/2018/credentials#holder"] = holder;
            } => refused("hidden-member", "/https:~1~1www.w3.org~12018~1credentials#holder");
            "VP: with a credential in @included": |d| {
                let credentials = cut(d, "/verifiableCredential");
                d["@included"] = credentials;
            } => refused("hidden-member", "/@included");
            "VP: with more credentials than are looked at": |d| d["verifiableCredential"] = json!(vec![json!({}); 129])
                => refused("malformed", "/verifiableCredential");
            "VP: of nothing": |d| d["verifiableCredential"] = json!([]) => odd_but_good();
        }
        Presentation Stranger {
            "VP: a member that nobody signs": |d| d["grade"] = json!("A") => refused("not-signable", "/grade");
            "VP: a stranger takes the credential away": |d| d["verifiableCredential"] = json!([]) => refused("signature-bad", "/proof");
            "VP: a stranger adds a good credential": |d| {
                let mut other = board().badge();
                other["id"] = json!("https://board.example/badges/1");
                push(d, "/verifiableCredential", board().sign(&other));
            } => refused("signature-bad", "/proof");
            "VP: an envelope around nothing that is read": |d| *d = json!({
                "@context": CREDENTIALS_V2,
                "type": "EnvelopedVerifiablePresentation",
                "id": "data:application/vp+cose,a.b.c",
            }) => refused("envelope-malformed", "");
            "VP: an envelope around a credential": |d| {
                *d = Envelope::Presentation.wrap(&board().endorse_as_jwt("did:example:x"));
            } => refused("jwt-type", "");
            "VP: a text": |d| *d = json!("a.b.c") => refused("jwt-malformed", "");
        }
    }
}

/// A good presentation of what is not.
fn of(verified: bool, outcome: Outcome, code: &'static str) -> Expected {
    Expected {
        verified,
        outcome,
        problems: Vec::new(),
        carried: vec![("verifiableCredential[0]", outcome, code)],
    }
}

/// A good presentation of what nobody is known to have said.
fn unproven(code: &'static str, pointer: &'static str) -> Expected {
    Expected {
        problems: vec![(code, pointer)],
        ..of(false, Outcome::Unknown, code)
    }
}

/// The badge in it, changed and signed again by its issuer.
fn changed(document: &mut Value, change: fn(&mut Value)) {
    let mut badge = Base::Badge.unsigned();
    change(&mut badge);
    document["verifiableCredential"] = json!([sign(badge, None)]);
}

fn credentials() -> Vec<Row> {
    use Outcome::{Expired, Revoked, Unreachable};
    table! {
        Presentation Signer {
            "VP: the holder gives the badge another name": |d| set(d, "/verifiableCredential/0/name", json!("Flying"))
                => unproven("signature-bad", "/verifiableCredential/0/proof");
            "VP: the holder signs the badge himself": |d| {
                let mut badge = Base::Badge.unsigned();
                badge["proof"]["verificationMethod"] = json!(learner().method);
                d["verifiableCredential"] = json!([sign(badge, None)]);
            } => unproven("key-of-another", "/verifiableCredential/0/proof/verificationMethod");
            "VP: the badge has no proof": |d| drop(cut(d, "/verifiableCredential/0/proof"))
                => unproven("no-proof", "/verifiableCredential/0/proof");
            "VP: the badge is over": |d| changed(d, |badge| badge["validUntil"] = json!("2026-02-01T00:00:00Z"))
                => of(true, Expired, "expired");
            "VP: the badge was revoked":
                |d| changed(d, |badge| badge["credentialStatus"] = statuses::entry(LIST, "revocation", 3)) => of(true, Revoked, "revoked");
            "VP: the badge's list is out of reach":
                |d| changed(d, |badge| badge["credentialStatus"] = statuses::entry("https://away.example/list", "revocation", 3))
                => of(true, Unreachable, "status-retrieval");
            "VP: an envelope with a JWT that is none": |d| {
                d["verifiableCredential"] = json!([Envelope::Credential.wrap("a.b.c")]);
            } => unproven("jwt-malformed", "/verifiableCredential/0");
            "VP: a presentation in the presentation": |d| {
                d["verifiableCredential"] = json!([{
                    "@context": [CREDENTIALS_V2], "id": "urn:presentation:2", "type": ["VerifiablePresentation"],
                }]);
            } => unproven("malformed", "/verifiableCredential/0/type");
            "VP: a bad badge before a good one": |d| {
                let mut bad = d["verifiableCredential"][0].clone();
                bad["id"] = json!("https://college.example/badges/9");
                d["verifiableCredential"] = json!([bad, d["verifiableCredential"][0].clone()]);
            } => unproven("signature-bad", "/verifiableCredential/0/proof");
        }
    }
}
