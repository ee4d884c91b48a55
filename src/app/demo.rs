//! What development mode starts with: an issuer, an accreditor, an endorsement of the issuer and
//! of its achievement, and two credentials, of which one is revoked.

use std::path::Path;

use serde_json::{Map, Value, json};

use crate::badges::SubjectKind;
use crate::config::Config;
use crate::ids::Slug;
use crate::registry::{
    Actor, Change, CredentialStatusRequest, IssuingOptions, NewEndorsement, NewProfile,
    ProfileView, Registry, RegistryError, Roles,
};
use crate::status::StatusPurpose;
use crate::vc::securing::Securing;

const ISSUER: &str = "demo-issuer";
const ACCREDITOR: &str = "demo-accreditor";

/// The credential that the README has its reader revoke.
const ADA: &str = "https://school.example/credentials/ada-okafor";

/// Makes what is there to try, once. The credentials, which the registry does not keep, are written
/// below `data/demo`, the last of them last, so that a start that was cut off is made good.
pub(super) fn furnish(registry: &Registry, data: &Path) -> Result<(), String> {
    let folder = data.join("demo");
    let issuer: Slug = ISSUER.parse().expect("the slug is a constant that fits");
    if folder.join(REVOKED).exists() && registry.profile(&issuer).is_ok() {
        return Ok(());
    }
    let failed = |error: std::io::Error| format!("{} cannot be written: {error}", folder.display());
    let documents = make(registry, issuer).map_err(|error| error.to_string())?;
    std::fs::create_dir_all(&folder).map_err(failed)?;
    for (name, document) in documents {
        let text = serde_json::to_string_pretty(&document).expect("JSON has string keys only");
        std::fs::write(folder.join(name), text + "\n").map_err(failed)?;
    }
    Ok(())
}

const GOOD: &str = "good.json";
const REVOKED: &str = "revoked.json";

fn make(registry: &Registry, issuer: Slug) -> Result<[(&'static str, Value); 2], RegistryError> {
    let change = Change::by(Actor::development());
    let accreditor: Slug = ACCREDITOR
        .parse()
        .expect("the slug is a constant that fits");
    let roles = |accreditor: bool| Roles {
        issuer: !accreditor,
        accreditor,
    };
    let accreditor = profile(
        registry,
        &change,
        accreditor,
        "Demonstration Accreditor",
        roles(true),
    )?;
    let issuer = profile(
        registry,
        &change,
        issuer,
        "Demonstration School",
        roles(false),
    )?;
    let achievement = achievement(registry, &change, &issuer.slug)?;
    for (subject, kind, name) in [
        (&issuer.issuer_id, SubjectKind::Profile, "Accredited school"),
        (&achievement, SubjectKind::Achievement, "Accredited course"),
    ] {
        let standing =
            registry.endorsements_of(std::slice::from_ref(subject), &registry.question()?)?;
        if standing.iter().all(|answer| answer.endorsements.is_empty()) {
            registry.endorse(&change, &endorsement(&accreditor, subject, kind, name))?;
        }
    }
    let good = credential(
        registry,
        &change,
        &issuer,
        &achievement,
        (Some(ADA), "Ada Okafor"),
    )?;
    let revoked = credential(
        registry,
        &change,
        &issuer,
        &achievement,
        (None, "Bo Lindqvist"),
    )?;
    let request = CredentialStatusRequest {
        credential: revoked["id"].as_str().unwrap_or_default().to_owned(),
        purpose: StatusPurpose::Revocation,
        list: None,
        index: None,
        status: true,
        reason: Some("issued to the wrong person".into()),
    };
    registry.change_credential_status(&change, request)?;
    Ok([(GOOD, good), (REVOKED, revoked)])
}

/// The demonstration achievement, made where it is not there yet.
fn achievement(
    registry: &Registry,
    change: &Change,
    issuer: &Slug,
) -> Result<String, RegistryError> {
    if let Some(present) = registry.achievements_of(issuer, None, 1)?.first() {
        return Ok(registry.urls().achievement(present.id));
    }
    let mut members = Map::new();
    members.insert("name".into(), "Data Literacy".into());
    members.insert(
        "description".into(),
        "Reads, weighs and explains data.".into(),
    );
    members.insert("achievementType".into(), "Course".into());
    let narrative = "A project of one's own, explained to a panel.";
    members.insert("criteria".into(), json!({ "narrative": narrative }));
    let made = registry.create_achievement(change, issuer, &members)?;
    Ok(registry.urls().achievement(made.id))
}

/// A demonstration profile, made where it is not there yet.
fn profile(
    registry: &Registry,
    change: &Change,
    slug: Slug,
    name: &str,
    roles: Roles,
) -> Result<ProfileView, RegistryError> {
    match registry.profile(&slug) {
        Err(RegistryError::NotFound(..)) => {}
        present => return present,
    }
    let new = NewProfile {
        roles,
        ..NewProfile::usual(slug, name)
    };
    registry.create_profile(change, &new)
}

fn endorsement(
    accreditor: &ProfileView,
    subject: &str,
    kind: SubjectKind,
    name: &str,
) -> NewEndorsement {
    NewEndorsement {
        scope: None,
        endorser: accreditor.id,
        subject: subject.to_owned(),
        kind,
        digest: None,
        name: name.into(),
        comment: Some("Visited and found in order.".into()),
        valid_from: None,
        valid_until: None,
        awarded_date: None,
        suspendable: true,
        securing: Securing::default(),
    }
}

fn credential(
    registry: &Registry,
    change: &Change,
    issuer: &ProfileView,
    achievement: &str,
    (id, holder): (Option<&str>, &str),
) -> Result<Value, RegistryError> {
    let mut unsigned = json!({
        "@context": crate::badges::CONTEXTS,
        "type": ["VerifiableCredential", "OpenBadgeCredential"],
        "name": "Data Literacy",
        "issuer": { "id": issuer.issuer_id, "type": ["Profile"], "name": issuer.document["name"] },
        "credentialSubject": {
            "type": ["AchievementSubject"],
            "identifier": [{
                "type": "IdentityObject",
                "hashed": false,
                "identityHash": holder,
                "identityType": "name",
            }],
            "achievement": {
                "id": achievement,
                "type": ["Achievement"],
                "name": "Data Literacy",
                "description": "Reads, weighs and explains data.",
                "criteria": { "narrative": "A project of one's own, explained to a panel." },
            },
        },
    });
    if let Some(id) = id {
        unsigned["id"] = id.into();
    }
    let issued = registry.issue(change, &unsigned, &IssuingOptions::default())?;
    Ok(issued.credential)
}

/// What the start prints.
pub(super) fn what_to_try(config: &Config) -> String {
    let (url, demo) = (&config.public_url, config.data.join("demo"));
    let demo = demo.display();
    let server = match url.as_str() {
        "http://localhost:8080" => String::new(),
        other => format!(" --server {other}"),
    };
    format!(
        "Goodstanding runs in development mode on {url}: changes need no token, and only this\n\
         machine is listened to. In another terminal, try:\n\
         \n  goodstanding verify {demo}/good.json{server}\n  \
         goodstanding verify {demo}/revoked.json{server}\n  \
         goodstanding standing {demo}/good.json{server}\n  \
         goodstanding endorsements --subject {url}/profiles/{ISSUER}{server}\n  \
         curl {url}/profiles\n\n\
         or open {url} in a browser; {url}/docs lists everything. Ctrl-C stops it."
    )
}
