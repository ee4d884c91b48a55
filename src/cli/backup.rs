//! `goodstanding backup`: copies of a registry that are verified, incremental, and sealed where that is
//! wanted.

use std::path::{Path, PathBuf};
use std::thread::sleep;
use std::time::Duration;

use clap::Args;
use serde_json::{Value, json};

use super::context::Context;
use super::error::CliError;
use super::progress::Shows;
use super::report::{Report, text};
use super::restore::RestoreArgs;
use super::transport::Call;

/// Make a backup of a registry, and read it back
///
/// Over a server it goes into the folder that the server's configuration names, while the registry runs and
/// takes changes. With --data it goes into DIR, while no server runs. Only what is new is written. The
/// master key is in no backup: keep a copy of it apart, since nothing could be signed without it.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  goodstanding backup --server https://registry.example
  goodstanding backup /mnt/backups --data /var/lib/goodstanding
  goodstanding backup --make-key /etc/goodstanding/backup.key
  goodstanding backup /mnt/backups --key /etc/goodstanding/backup.key --check")]
pub(super) struct Backup {
    /// The folder of the backups
    #[arg(value_name = "DIR")]
    folder: Option<PathBuf>,
    /// The file of the key under which they are sealed; not the master key
    #[arg(long, value_name = "FILE")]
    key: Option<PathBuf>,
    /// How many are kept, this one among them [default: all]
    #[arg(long, value_name = "NUMBER", value_parser = clap::value_parser!(u32).range(1..))]
    keep: Option<u32>,
    /// Show the backups that are there; none is made
    #[arg(long)]
    list: bool,
    /// Read a backup to its last row, the newest one unless --number says which; none is made
    #[arg(long, conflicts_with = "list")]
    check: bool,
    /// Which backup is checked
    #[arg(long, value_name = "NUMBER", requires = "check")]
    number: Option<u64>,
    /// Make the file of a key for backups; no backup is made
    #[arg(long, value_name = "FILE", conflicts_with_all = ["folder", "key", "keep", "list", "check"])]
    make_key: Option<PathBuf>,
}

/// A backup that is made while no server runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BackupArgs {
    /// The data folder.
    pub data: PathBuf,
    /// The folder of the backups; as the configuration has it where none is named.
    pub folder: Option<PathBuf>,
    /// The key's file; as the configuration has it where none is named.
    pub key: Option<PathBuf>,
    /// How many are kept; as the configuration has it where it is not said.
    pub keep: Option<usize>,
}

/// Hears how far a long piece of work is: in words, with how much of how much.
pub type Watching<'a> = dyn FnMut(&str, u64, u64) + 'a;

/// What is done with backups on this machine. Errors say why it could not be.
pub trait LocalBackups {
    /// Makes one, and returns what was made.
    fn back_up(&self, args: &BackupArgs, watching: &mut Watching<'_>) -> Result<Value, String>;

    /// Those in a folder.
    fn list(&self, folder: &Path, key: Option<&Path>) -> Result<Vec<Value>, String>;

    /// Reads one to its last row, and returns what is in it.
    fn check(
        &self,
        folder: &Path,
        number: Option<u64>,
        key: Option<&Path>,
        watching: &mut Watching<'_>,
    ) -> Result<Value, String>;

    /// Makes a key's file, and returns its id.
    fn make_key(&self, file: &Path) -> Result<String, String>;

    /// The signed lists in what is left of a store, each as a request hands it in; nothing where the
    /// folder is no store's.
    fn published_in(&self, folder: &Path) -> Result<Option<Vec<Value>>, String>;

    /// Makes a data folder from a backup, and returns what it was made from.
    fn restore(&self, args: &RestoreArgs, watching: &mut Watching<'_>) -> Result<Value, String>;
}

/// So often a server is asked how far a backup is.
const PACE: Duration = Duration::from_millis(250);

impl Backup {
    /// `data` is the folder that the command works on, where it works on one.
    pub(super) fn run<'a>(
        self,
        data: Option<PathBuf>,
        here: &dyn LocalBackups,
        connect: impl FnOnce() -> Result<Context<'a>, CliError>,
        shows: &Shows,
    ) -> Result<Report, CliError> {
        if let Some(file) = &self.make_key {
            return made_key(file, here);
        }
        if self.check {
            return self.check(here, shows);
        }
        match (&self.folder, data) {
            (Some(folder), _) if self.list => {
                let there = here.list(folder, self.key.as_deref());
                Ok(listed(there.map_err(CliError::Failed)?))
            }
            (None, None) if self.list => list_of_server(&connect()?),
            (_, Some(data)) if !self.list => self.make_here(data, here, shows),
            (None, None) => self.have_made(&connect()?),
            _ => Err(CliError::Usage(
                "a server puts backups into the folder that its configuration names: leave out DIR, or \
                 name the data folder with --data while no server runs"
                    .to_owned(),
            )),
        }
    }

    fn check(&self, here: &dyn LocalBackups, shows: &Shows) -> Result<Report, CliError> {
        let Some(folder) = &self.folder else {
            let words = "name the folder of the backups that are to be checked";
            return Err(CliError::Usage(words.to_owned()));
        };
        let mut watching = shown(shows, "reading the backup");
        let checked = here.check(folder, self.number, self.key.as_deref(), &mut watching);
        drop(watching);
        let checked = checked.map_err(CliError::Failed)?;
        let mut report = Report::new();
        report.line(format_args!("backup {} is whole", checked["number"]));
        told(&checked, &mut report);
        report.json(checked);
        Ok(report)
    }

    fn make_here(
        &self,
        data: PathBuf,
        here: &dyn LocalBackups,
        shows: &Shows,
    ) -> Result<Report, CliError> {
        let args = BackupArgs {
            data,
            folder: self.folder.clone(),
            key: self.key.clone(),
            keep: self.keep.map(|keep| keep as usize),
        };
        let mut watching = shown(shows, "opening the store");
        let made = here.back_up(&args, &mut watching);
        drop(watching);
        Ok(made_report(made.map_err(CliError::Failed)?))
    }

    fn have_made(&self, context: &Context<'_>) -> Result<Report, CliError> {
        if self.key.is_some() || self.keep.is_some() {
            let words = "a server's configuration says under which key backups are sealed and how many \
                         are kept: leave out --key and --keep";
            return Err(CliError::Usage(words.to_owned()));
        }
        context.change(Call::post("/backups", json!({})))?;
        let mut progress = context.shows.begin("beginning");
        let answer = loop {
            let answer = context.ask(&Call::get("/backups"))?;
            let Some(under_way) = answer.get("underWay") else {
                break answer;
            };
            let number = |member: &str| under_way[member].as_u64().unwrap_or(0);
            let words = text(under_way, "step").unwrap_or_default();
            progress.at(number("done"), Some(number("total")), words);
            sleep(PACE);
        };
        drop(progress);
        let last = answer.get("last").cloned().unwrap_or(Value::Null);
        match text(&last, "failed") {
            Some(reason) => Err(CliError::Failed(reason.to_owned())),
            None => Ok(made_report(last)),
        }
    }
}

/// Draws how far it is.
pub(super) fn shown(shows: &Shows, words: &str) -> impl FnMut(&str, u64, u64) + use<> {
    let mut progress = shows.begin(words);
    move |words, done, total| progress.at(done, Some(total), words)
}

fn made_key(file: &Path, here: &dyn LocalBackups) -> Result<Report, CliError> {
    let id = here.make_key(file).map_err(CliError::Failed)?;
    let file = file.display().to_string();
    let mut report = Report::new();
    report.line(format_args!(
        "made the backup key {id} in {file}; without it no backup under it can be read: keep a copy \
         elsewhere"
    ));
    report.json(json!({ "id": id, "file": file }));
    Ok(report)
}

fn made_report(made: Value) -> Report {
    let mut report = Report::new();
    report.line(format_args!(
        "backup {} was made, and read back",
        made["number"]
    ));
    told(&made, &mut report);
    report.json(made);
    report
}

/// What is in a backup, in lines.
pub(super) fn told(backup: &Value, report: &mut Report) {
    let shown = |member: &str| backup.get(member).map(Value::to_string);
    let ms = |member: &str| shown(member).map(|ms| format!("{ms} ms"));
    let keys = backup["masterKeys"].as_array().into_iter().flatten();
    let keys: Vec<&str> = keys.filter_map(Value::as_str).collect();
    let bytes = |member: &str| shown(member).map(|bytes| format!("{bytes} bytes"));
    report.rows(&[
        ("up to event", shown("seq")),
        ("made", text(backup, "madeAt").map(str::to_owned)),
        ("size", bytes("bytes")),
        ("written", bytes("written")),
        ("store copied in", ms("copiedInMs")),
        (
            "sealed under",
            text(backup, "sealedUnder").map(str::to_owned),
        ),
        (
            "master key",
            Some(format!("{} (in no backup)", keys.join(", "))),
        ),
    ]);
}

fn list_of_server(context: &Context<'_>) -> Result<Report, CliError> {
    let answer = context.ask(&Call::get("/backups"))?;
    let there = answer["backups"].as_array().cloned().unwrap_or_default();
    Ok(listed(there))
}

fn listed(there: Vec<Value>) -> Report {
    let mut report = Report::new();
    if there.is_empty() {
        report.line("there is no backup");
    }
    let row = |backup: &Value| {
        let made = text(backup, "madeAt").unwrap_or_default();
        vec![
            format!("backup {}", backup["number"]),
            made.to_owned(),
            format!("up to event {}", backup["seq"]),
            format!("{} bytes", backup["bytes"]),
        ]
    };
    let rows: Vec<_> = there.iter().map(row).collect();
    report.table("", &rows);
    report.json(json!({ "backups": there }));
    report
}

#[cfg(test)]
mod tests {
    use crate::cli::testing::Fake;

    #[test]
    fn what_fits_no_way_of_asking_is_refused() {
        for words in [
            &["backup", "dir", "--server", "http://h"][..],
            &["backup", "--check"],
            &["backup", "--number", "1"],
            &["backup", "--make-key", "x", "--list"],
            &["backup", "--keep", "0"],
        ] {
            let done = Fake::new().run_remote(words);
            assert_eq!((done.exit, done.calls.len()), (2, 0), "{words:?}");
        }
    }
}
