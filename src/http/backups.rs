//! Backups of the registry, which its operator asks for: into the folder that the configuration names,
//! and no other.

use serde_json::{Value, json};

use super::edge::Edge;
use super::problem::Problem;
use super::reply::Reply;
use super::request::Request;
use crate::backup::{BackupError, Backups, Made, Manifest, NotBegun, Progress};
use crate::registry::RegistryError;

/// Begins a backup; who asks for the list hears how far it is.
pub(super) fn begin(edge: &Edge, request: &Request) -> Result<Reply, Problem> {
    request.nothing()?;
    for_the_operator(request)?;
    let since = backups(edge)?.begin().map_err(|refused| match refused {
        NotBegun::UnderWay(_) => {
            let detail = refused.to_string();
            Problem::new(409, "backup-under-way", "Backup under way", detail)
        }
        NotBegun::Unable(_) => {
            let detail = refused.to_string();
            Problem::new(503, "no-backup", "No backup now", detail).header("Retry-After", "5")
        }
    })?;
    let begun = json!({ "begun": since.to_string() });
    Ok(Reply::json(202, &begun).header("Location", "/backups"))
}

/// The backups that are there, how far the one is that is under way, and what came of the last one.
pub(super) fn list(edge: &Edge, request: &Request) -> Result<Reply, Problem> {
    for_the_operator(request)?;
    let Some(backups) = &edge.backups else {
        return Ok(Reply::json(200, &json!({ "backups": [] })).not_kept());
    };
    // Before the list: what ends meanwhile is in it.
    let state = backups.state();
    let there = backups.list().map_err(unreadable)?;
    let there: Vec<Value> = there.iter().map(manifest).collect();
    let mut answer = json!({ "backups": there });
    if let Some(progress) = &state.under_way {
        answer["underWay"] = under_way(progress);
    }
    match &state.last {
        Some(Ok(made)) => answer["last"] = self::made(made),
        Some(Err(reason)) => answer["last"] = json!({ "failed": reason }),
        None => {}
    }
    Ok(Reply::json(200, &answer).not_kept())
}

fn for_the_operator(request: &Request) -> Result<(), Problem> {
    match request.change()?.actor.operates() {
        true => Ok(()),
        false => Err(RegistryError::OperatorOnly.into()),
    }
}

fn backups(edge: &Edge) -> Result<&std::sync::Arc<Backups>, Problem> {
    edge.backups.as_ref().ok_or_else(|| {
        let detail = "this registry's configuration names no folder for backups: name one as \
                      backup.folder, and start it again";
        Problem::new(409, "no-backup-folder", "No folder for backups", detail)
    })
}

fn unreadable(error: BackupError) -> Problem {
    let detail = error.to_string();
    Problem::new(500, "backup-damaged", "Backup damaged", detail)
}

fn under_way(progress: &Progress) -> Value {
    json!({
        "since": progress.since.to_string(),
        "step": progress.step.words(),
        "done": progress.done,
        "total": progress.total,
    })
}

/// A backup that was just made.
pub(crate) fn made(made: &Made) -> Value {
    let mut told = manifest(&made.manifest);
    told["written"] = made.written.into();
    told["copiedInMs"] = u64::try_from(made.copied_in.as_millis())
        .unwrap_or(u64::MAX)
        .into();
    told["removed"] = made.removed.into();
    told
}

/// What a backup holds, without its files.
pub(crate) fn manifest(manifest: &Manifest) -> Value {
    let mut told = json!({
        "number": manifest.number,
        "madeAt": manifest.made_at.to_string(),
        "verifiedAt": manifest.verified_at.to_string(),
        "bytes": manifest.bytes(),
        "files": manifest.files.len(),
        "seq": manifest.seq,
        "at": manifest.at.to_string(),
        "epoch": manifest.epoch,
        "format": manifest.format,
        "program": manifest.program,
        "masterKeys": manifest.master_keys,
    });
    if let Some(key) = &manifest.sealed_under {
        told["sealedUnder"] = key.to_string().into();
    }
    told
}
