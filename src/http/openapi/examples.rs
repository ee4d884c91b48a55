//! An example of each body that is taken, shown with its schema.

use serde_json::{Map, Value, json};

/// Gives each schema its example, where it has none yet.
pub(super) fn tell(schemas: &mut Map<String, Value>) {
    for (name, schema) in schemas {
        if let Some(example) = of(name)
            && schema.get("examples").is_none()
        {
            schema["examples"] = json!([example]);
        }
    }
}

const LIST: &str = "https://registry.example/status-lists/000000g123456789abc0";
const PROFILE: &str = "did:web:registry.example:profiles:acme-college";
const BOARD: &str = "did:web:registry.example:profiles:board";
const ENDORSEMENT: &str = "https://registry.example/endorsements/000000g123456789abd0";
const CREDENTIAL: &str = "urn:uuid:6f3d2c1a-0d5e-4b7c-9a41-3f0f1f2c7d10";
const ACHIEVEMENT: &str = "https://registry.example/achievements/000000g123456789abe0";
const MULTIKEY: &str = "z6MkhaXgBZDvotDkL5257faiztiGiC2QtKLGpbnnEGta2doK";
const JWT: &str = "eyJhbGciOiJFZERTQSJ9.e30.c2lnbmF0dXJl";

fn of(name: &str) -> Option<Value> {
    let example = match name {
        "Problem" => json!({
            "type": "urn:goodstanding:problem:unknown-member",
            "title": "Unknown member",
            "status": 400,
            "detail": "/statusPurpos is not known here; known are issuer, statusPurpose, length",
            "pointer": "/statusPurpos",
        }),
        "Imsx_StatusInfo" => json!({
            "imsx_codeMajor": "failure",
            "imsx_severity": "status",
            "imsx_description": "Not found: there is nothing of that name",
        }),
        _ => {
            return of_reads(name)
                .or_else(|| of_lists(name))
                .or_else(|| of_people(name));
        }
    };
    Some(example)
}

/// Questions.
fn of_reads(name: &str) -> Option<Value> {
    let example = match name {
        "CodesBody" => json!({ "credentialIds": [CREDENTIAL], "replace": false }),
        "WithdrawCodesBody" => json!({ "credentialIds": [CREDENTIAL], "reason": "printed again" }),
        "StatusQueryItem" => json!({ "list": LIST, "index": 42 }),
        "StatusQuery" => {
            json!({ "queries": [{ "list": LIST, "index": 42 }, { "credential": CREDENTIAL }] })
        }
        "EndorsementsQuery" => json!({ "subjects": [PROFILE], "trustAnchors": [BOARD] }),
        "StandingQuery" => json!({ "ids": [CREDENTIAL], "jurisdiction": "CH", "signed": false }),
        "VerifyOptions" => {
            json!({ "returnProblemDetails": true, "checks": ["proof", "credentialStatus"] })
        }
        "PinnedKeyBody" => json!({ "controller": PROFILE, "publicKeyMultibase": MULTIKEY }),
        "VerifyRequest" => json!({ "verifiableCredential": JWT }),
        "VerifyPresentationOptions" => {
            json!({ "challenge": "7c4b1f", "domain": "registry.example" })
        }
        "VerifyPresentationRequest" => {
            json!({ "verifiablePresentation": JWT, "options": { "challenge": "7c4b1f" } })
        }
        "TrqpContext" => json!({ "time": "2026-03-01T09:00:00Z" }),
        "TrqpQuery" => {
            json!({ "entity_id": PROFILE, "authority_id": BOARD, "action": "issue", "resource": "*" })
        }
        "CheckFields" => json!({ "credential": JWT }),
        "TrustMarkStatusForm" => json!({ "trust_mark": JWT }),
        _ => return None,
    };
    Some(example)
}

/// Lists, credentials and endorsements.
fn of_lists(name: &str) -> Option<Value> {
    let subject = || json!({ "id": PROFILE, "kind": "profile" });
    let example = match name {
        "MessageBody" => json!({ "status": "0x1", "message": "sent" }),
        "NewListBody" => {
            json!({ "issuer": "acme-college", "statusPurpose": "revocation", "length": 131_072, "ttl": 300_000, "formats": ["bitstring", "token"] })
        }
        "EntriesBody" => json!({ "credentialIds": [CREDENTIAL] }),
        "UpdateItem" => json!({ "credentialId": CREDENTIAL, "status": 1 }),
        "UpdatesBody" => {
            json!({ "updates": [{ "index": 42, "status": 1 }], "reason": "awarded in error" })
        }
        "SignedFormBody" => json!({ "form": "bitstring-jwt", "artefact": JWT }),
        "SignedListBody" => {
            json!({ "revision": 7, "artefacts": [{ "form": "bitstring-jwt", "artefact": JWT }] })
        }
        "ListImportBody" => {
            json!({ "issuer": "acme-college", "statusPurpose": "revocation", "encodedList": "uH4sIAAAAAAAAA-3BMQEAAADCoPVPbQwfoAAAAAAAAAAAAAAAAAAAAIC3AYbSVKsAQAAA", "format": "bitstring" })
        }
        "PutBackBody" => json!({ "lists": [{ "id": LIST }], "dryRun": true }),
        "IssueOptions" => json!({ "credentialId": CREDENTIAL, "securing": "eddsa-rdfc-2022" }),
        "IssueRequest" => json!({
            "credential": {
                "@context": ["https://www.w3.org/ns/credentials/v2", "https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.3.json"],
                "id": CREDENTIAL,
                "type": ["VerifiableCredential", "OpenBadgeCredential"],
                "issuer": { "id": PROFILE, "type": ["Profile"] },
                "credentialSubject": { "type": ["AchievementSubject"], "achievement": { "id": ACHIEVEMENT, "type": ["Achievement"] } },
            },
        }),
        "StatusEntryBody" => {
            json!({ "type": "BitstringStatusListEntry", "statusPurpose": "revocation" })
        }
        "StatusRequest" => json!({
            "credentialId": CREDENTIAL,
            "credentialStatus": { "type": "BitstringStatusListEntry", "statusPurpose": "revocation" },
            "status": true,
            "reason": "awarded in error",
        }),
        "SubjectBody" => subject(),
        "ScopeBody" => {
            json!({ "role": ["issuer"], "achievementType": ["Degree"], "jurisdiction": ["CH"] })
        }
        "NewEndorsementBody" => {
            json!({ "endorser": "board", "subject": subject(), "name": "Accredited institution", "validUntil": "2031-03-01T00:00:00Z", "suspendable": true })
        }
        "EndorsementImportBody" => json!({ "verifiableCredential": JWT, "kind": "profile" }),
        "NewRequestBody" => {
            json!({ "accreditor": "board", "subject": subject(), "comment": "Audited in 2026", "evidence": ["https://acme.example/audit.pdf"] })
        }
        "ApproveBody" => {
            json!({ "name": "Accredited institution", "validUntil": "2031-03-01T00:00:00Z" })
        }
        "DeclineBody" => json!({ "reason": "the audit report is missing" }),
        "AskBody" => json!({ "question": "Who audited it?" }),
        "AnswerBody" => {
            json!({ "answer": "The national office", "evidence": ["https://acme.example/audit.pdf"] })
        }
        "WithdrawBody" => json!({ "reason": "asked for again, with another scope" }),
        "EndorsementCredential" => json!({
            "@context": ["https://www.w3.org/ns/credentials/v2", "https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.3.json"],
            "id": ENDORSEMENT,
            "type": ["VerifiableCredential", "EndorsementCredential"],
            "issuer": { "id": BOARD, "type": ["Profile"] },
            "validFrom": "2026-03-01T00:00:00Z",
            "credentialSubject": { "id": PROFILE, "type": ["EndorsementSubject"] },
        }),
        _ => return None,
    };
    Some(example)
}

/// Profiles, keys, tokens and those who use them.
fn of_people(name: &str) -> Option<Value> {
    let example = match name {
        "WhyBody" => json!({ "reason": "yearly rotation" }),
        "ReasonBody" => json!({ "reason": "licence withdrawn", "dryRun": false }),
        "RevokeKeyBody" => json!({ "since": "2026-02-01T00:00:00Z", "dryRun": true }),
        "FirstKeyBody" => json!({ "publicKeyMultibase": MULTIKEY, "proof": JWT }),
        "NewProfileBody" => {
            json!({ "slug": "acme-college", "name": "Acme College", "roles": ["issuer"], "url": "https://acme.example" })
        }
        "ProfileBody" | "OpenBadgesProfile" => {
            json!({ "name": "Acme College", "url": "https://acme.example" })
        }
        "NewKeyBody" => json!({ "publicKeyMultibase": MULTIKEY, "proofOfPossession": JWT }),
        "AchievementBody" => {
            json!({ "name": "Welding", "description": "Joins steel", "criteria": { "narrative": "A practical exam" }, "achievementType": "Certificate" })
        }
        "NewTokenBody" => {
            json!({ "profile": "acme-college", "role": "list-manager", "scope": "status:write", "expiresIn": 2_592_000 })
        }
        "Reasons" => json!([17, 23]),
        "EraseBody" => json!({ "members": ["email"], "reasons": "all" }),
        "TokenForm" => {
            json!({ "grant_type": "client_credentials", "scope": "status:write", "client_id": "gsc_1", "client_secret": "the secret" })
        }
        "TokenTold" => json!({ "token": "gst_1" }),
        "ClientRegistration" => {
            json!({ "client_name": "Campus system", "profile": "acme-college", "role": "list-manager", "token_endpoint_auth_method": "client_secret_basic", "grant_types": ["client_credentials"] })
        }
        "ApproveClientBody" => json!({ "role": "list-manager", "scope": "status:write" }),
        "ConsentForm" => {
            json!({ "form": "from the page", "answer": "allow", "client_id": "gsc_1", "redirect_uri": "https://app.example/back" })
        }
        "AcceptForm" => {
            json!({ "form": "from the page", "code": "from the invitation", "passphrase": "correct horse battery staple" })
        }
        "InviteBody" => {
            json!({ "name": "Ada Registrar", "email": "ada@acme.example", "role": "list-manager" })
        }
        _ => return None,
    };
    Some(example)
}
