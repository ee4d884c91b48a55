//! `goodstanding put-back`: what published lists say and a restored registry does not.

use std::fs;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use clap::Args;
use serde_json::{Value, json};

use super::backup::LocalBackups;
use super::context::{Context, MAX_DOCUMENT, parse_json};
use super::error::CliError;
use super::report::{Exit, Report, text};
use super::transport::Call;

/// Put back what published lists say and the registry does not, after it was restored
///
/// Lists are files as they were fetched, in any form: from a cache, from whoever reads them. The store folder
/// of the lost registry is one too, as far as it can be read. Those that a key of this registry signed are believed. Every revocation in
/// them that the registry lacks is made, for the reason that is given.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  goodstanding put-back --dry-run /var/cache/lists
  goodstanding put-back list.json list.jwt list.cwt --reason 'restored from the backup of Monday'")]
pub(super) struct PutBack {
    /// Files, folders of them, or what is left of the store of the lost registry
    #[arg(value_name = "FILE|DIR", required = true)]
    published: Vec<PathBuf>,
    /// Only tell what would be put back; nothing is done
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    how: How,
}

/// How what was found is taken.
#[derive(Debug, Args)]
pub(super) struct How {
    /// Suspend what is suspended in the newest of the lists, too; else that is only told, since nobody
    /// knows whether it was ended meanwhile
    #[arg(long)]
    suspensions: bool,
    /// The public key, as a Multikey, of a key that was made after the backup: what it signed is believed
    #[arg(long = "lost-key", value_name = "MULTIKEY")]
    lost_keys: Vec<String>,
    /// Why; kept with each change in the audit trail
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
}

/// Lists with the names of their files.
pub(super) struct Handed(Vec<(String, Value)>);

/// Lists of one request have at most so many bytes together, or are one.
const MOST_BYTES: usize = 8 << 20;

impl PutBack {
    pub(super) fn run(
        self,
        here: &dyn LocalBackups,
        context: &Context<'_>,
    ) -> Result<Report, CliError> {
        let handed = Handed::read(&self.published, here)?;
        self.how.ask(context, handed, self.dry_run)
    }
}

impl Handed {
    /// Reads files, those in folders, and what is left of stores.
    pub(super) fn read(places: &[PathBuf], here: &dyn LocalBackups) -> Result<Self, CliError> {
        let mut handed = Self(Vec::new());
        places
            .iter()
            .try_for_each(|place| handed.gather(place, here))?;
        Ok(handed)
    }

    fn gather(&mut self, place: &Path, here: &dyn LocalBackups) -> Result<(), CliError> {
        let name = place.display().to_string();
        if !place.is_dir() {
            let list = list_in(&bytes_of(place)?, &name)?;
            self.0.push((name, list));
            return Ok(());
        }
        if let Some(lists) = here.published_in(place).map_err(CliError::Failed)? {
            self.0
                .extend(lists.into_iter().map(|list| (name.clone(), list)));
            return Ok(());
        }
        let unreadable = |error: std::io::Error| unreadable(place, &error.to_string());
        let mut within = Vec::new();
        for entry in fs::read_dir(place).map_err(unreadable)? {
            within.push(entry.map_err(unreadable)?.path());
        }
        within.sort();
        within.iter().try_for_each(|place| self.gather(place, here))
    }

    pub(super) const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// A list as a request has it: JSON, a JWT, or else a CWT.
fn list_in(bytes: &[u8], name: &str) -> Result<Value, CliError> {
    if bytes.trim_ascii_start().starts_with(b"{") {
        return parse_json(bytes, name);
    }
    match str::from_utf8(bytes) {
        Ok(text) if text.trim().starts_with("ey") => Ok(text.trim().into()),
        _ => Ok(URL_SAFE_NO_PAD.encode(bytes).into()),
    }
}

fn bytes_of(file: &Path) -> Result<Vec<u8>, CliError> {
    let size = fs::metadata(file).map_err(|error| unreadable(file, &error.to_string()))?;
    if size.len() > MAX_DOCUMENT {
        return Err(unreadable(file, "no status list is as long"));
    }
    fs::read(file).map_err(|error| unreadable(file, &error.to_string()))
}

fn unreadable(file: &Path, reason: &str) -> CliError {
    CliError::Unreadable {
        place: file.display().to_string(),
        reason: reason.to_owned(),
    }
}

impl How {
    /// Puts back what is found.
    pub(super) fn put_back(
        &self,
        context: &Context<'_>,
        handed: Handed,
    ) -> Result<Report, CliError> {
        self.ask(context, handed, false)
    }

    fn ask(
        &self,
        context: &Context<'_>,
        handed: Handed,
        dry_run: bool,
    ) -> Result<Report, CliError> {
        let Handed(lists) = handed;
        let parts = in_parts(lists);
        if self.suspensions && parts.len() > 1 {
            let words = "suspensions are taken from the newest of the lists, so that all have to fit into \
                         one request: hand in fewer at a time, all those of one list together";
            return Err(CliError::Usage(words.to_owned()));
        }
        let mut report = Report::new();
        let mut progress = context.shows.begin("looking at lists");
        let total = parts.iter().map(Vec::len).sum::<usize>() as u64;
        let (mut looked_at, mut set, mut taken) = (0, 0, 0);
        let mut lines = Report::new();
        for part in parts {
            let (names, lists): (Vec<String>, Vec<Value>) = part.into_iter().unzip();
            let mut body = json!({ "lists": lists, "dryRun": dry_run });
            if !self.lost_keys.is_empty() {
                body["lostKeys"] = json!(self.lost_keys);
            }
            if self.suspensions {
                body["suspensions"] = "set".into();
            }
            if let Some(reason) = &self.reason {
                body["reason"] = reason.as_str().into();
            }
            let call = Call::post("/status-lists/put-back", body);
            let answer = match dry_run {
                true => context.ask(&call)?,
                false => context.change(call)?,
            };
            let told = answer["lists"].as_array().into_iter().flatten();
            for (name, item) in names.iter().zip(told) {
                taken += u64::from(item["taken"] == true);
                set += line_of(name, item, dry_run, &mut lines);
            }
            looked_at += names.len() as u64;
            progress.at(looked_at, Some(total), "lists looked at");
            report.json(answer);
        }
        drop(progress);
        let done = match dry_run {
            true => "statuses would be put back",
            false => "statuses were put back",
        };
        report.line(format_args!(
            "{set} {done}, out of {taken} lists that are this registry's"
        ));
        report.append(lines);
        Ok(report)
    }
}

/// Says what came of one list, where that is worth a line; returns how many statuses were set.
fn line_of(name: &str, item: &Value, dry_run: bool, report: &mut Report) -> u64 {
    if let Some(reason) = text(item, "reason") {
        report.line(format_args!("  {name}: not taken: {reason}"));
        report.worse(Exit::Not);
        return 0;
    }
    let mut all = 0;
    for found in item["found"].as_array().into_iter().flatten() {
        let number = |member: &str| found[member].as_u64().unwrap_or(0);
        let (set, suspended) = (number("set"), number("suspended"));
        let refused = found["refused"].as_array().map_or(0, Vec::len);
        all += set;
        let purpose = text(found, "statusPurpose").unwrap_or_default();
        let list = text(found, "list").unwrap_or_default();
        if set > 0 {
            let done = if dry_run {
                "would be put back"
            } else {
                "put back"
            };
            report.line(format_args!("  {list}: {set} {done} for {purpose}"));
        }
        let told = number("missing") + suspended;
        if told > set + refused as u64 {
            report.line(format_args!(
                "  {list}: {suspended} are suspended in {name} and not here; --suspensions sets them"
            ));
        }
        if number("reinstated") > 0 {
            report.line(format_args!(
                "  {list}: {} are suspended here and not in {name}",
                number("reinstated")
            ));
        }
        if refused > 0 {
            report.line(format_args!("  {list}: {refused} could not be put back"));
            report.worse(Exit::Unknown);
        }
    }
    all
}

fn in_parts(lists: Vec<(String, Value)>) -> Vec<Vec<(String, Value)>> {
    let mut parts: Vec<Vec<(String, Value)>> = Vec::new();
    let mut bytes = MOST_BYTES;
    for list in lists {
        let size = list.1.to_string().len();
        if bytes + size > MOST_BYTES {
            parts.push(Vec::new());
            bytes = 0;
        }
        bytes += size;
        if let Some(part) = parts.last_mut() {
            part.push(list);
        }
    }
    parts
}

#[cfg(test)]
mod tests {
    use crate::cli::testing::Fake;
    use serde_json::json;
    use std::fs;

    #[test]
    fn every_form_of_a_list_is_handed_in_and_what_came_of_it_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let within = folder.path().join("within");
        fs::create_dir(&within).unwrap();
        fs::write(folder.path().join("a.json"), r#"{"id":"x"}"#).unwrap();
        fs::write(folder.path().join("b.jwt"), "eyJ.e30.sig\n").unwrap();
        fs::write(within.join("c.cwt"), [0xd2, 0x84, 0x00]).unwrap();
        let list = "https://h/status-lists/x";
        let found = |missing: u64, suspended: u64, set: u64| {
            json!({
                "list": list, "statusPurpose": "revocation", "missing": missing,
                "suspended": suspended, "reinstated": 0, "set": set, "refused": [],
            })
        };
        let answer = json!({ "dryRun": true, "lists": [
            { "item": 0, "taken": true, "found": [found(2, 0, 2)] },
            { "item": 1, "taken": false, "reason": "it is no list of this registry" },
            { "item": 2, "taken": true, "found": [found(0, 3, 0)] },
        ]});
        let place = folder.path().display().to_string();
        let done = Fake::new()
            .answer(200, answer)
            .run(&["put-back", "--dry-run", &place]);
        let body = done.calls[0].body.as_ref().unwrap();
        assert_eq!(
            *body,
            json!({ "lists": [{ "id": "x" }, "eyJ.e30.sig", "0oQA"], "dryRun": true })
        );
        let lines: Vec<String> = done.out.lines().map(|l| l.replace(&place, "")).collect();
        assert_eq!(
            lines,
            [
                "2 statuses would be put back, out of 2 lists that are this registry's",
                "  https://h/status-lists/x: 2 would be put back for revocation",
                "  /b.jwt: not taken: it is no list of this registry",
                "  https://h/status-lists/x: 3 are suspended in /within/c.cwt and not here; \
                 --suspensions sets them",
            ]
        );
        assert_eq!(done.exit, 1);
    }
}
