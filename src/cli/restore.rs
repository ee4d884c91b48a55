//! `goodstanding restore`: a data folder out of a backup.

use std::path::PathBuf;

use clap::Args;

use super::backup::{LocalBackups, shown, told};
use super::context::Context;
use super::error::CliError;
use super::init::NotHere;
use super::progress::Shows;
use super::put_back::Handed;
use super::report::Report;

/// Make a data folder from a backup
///
/// The backup is verified before anything is made of it. Nothing that was given out after it is given out
/// again: the lists that are in it give out no more entries, and are published anew. What was revoked after
/// it can be put back from lists as they were published (--published, or `put-back` later); what else was
/// decided after it has to be decided again.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  goodstanding restore /mnt/backups --data /var/lib/goodstanding --master-key master.key
  goodstanding restore /mnt/backups --number 7 --data new --published /var/cache/lists")]
pub(super) struct Restore {
    /// The folder of the backups
    #[arg(value_name = "DIR")]
    folder: PathBuf,
    /// The new data folder; it must not hold a registry
    #[arg(long, value_name = "DIR")]
    pub(super) data: PathBuf,
    /// Which backup [default: the newest]
    #[arg(long, value_name = "NUMBER")]
    number: Option<u64>,
    /// The file of the key under which the backups are sealed
    #[arg(long, value_name = "FILE")]
    key: Option<PathBuf>,
    /// Where the master key stands, which is in no backup [default: a file in the new folder]
    #[arg(long, value_name = "FILE")]
    master_key: Option<PathBuf>,
    #[command(flatten)]
    published: PublishedToo,
    #[command(flatten)]
    not_here: NotHere,
}

#[derive(Debug, Args)]
struct PublishedToo {
    /// Status lists as they were published: files, folders of them, or what is left of the lost store.
    /// Revocations in them that the backup lacks are put back
    #[arg(long, value_name = "FILE|DIR", num_args = 1..)]
    published: Vec<PathBuf>,
    #[command(flatten)]
    how: super::put_back::How,
}

/// What a data folder is to be made from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RestoreArgs {
    /// The folder of the backups.
    pub folder: PathBuf,
    /// Which one; the newest where none is named.
    pub number: Option<u64>,
    /// The file of the key under which they are sealed.
    pub key: Option<PathBuf>,
    /// The new data folder.
    pub data: PathBuf,
    /// Where the master key stands.
    pub master_key: Option<PathBuf>,
}

impl Restore {
    pub(super) fn run<'a>(
        self,
        here: &dyn LocalBackups,
        connect: impl FnOnce() -> Result<Context<'a>, CliError>,
        shows: &Shows,
    ) -> Result<Report, CliError> {
        self.not_here.check("restore")?;
        let args = RestoreArgs {
            folder: self.folder,
            number: self.number,
            key: self.key,
            data: self.data,
            master_key: self.master_key,
        };
        // Before anything is made: what cannot be read is told at once.
        let published = Handed::read(&self.published.published, here)?;
        let mut watching = shown(shows, "reading the backup");
        let restored = here.restore(&args, &mut watching);
        drop(watching);
        let restored = restored.map_err(CliError::Failed)?;
        // Opened as what it is now: everything is sealed and published anew.
        let context = connect()?;
        let mut report = Report::new();
        let data = args.data.display();
        report.line(format_args!(
            "{data} holds the registry of backup {}, in epoch {}",
            restored["number"], restored["epochNow"]
        ));
        told(&restored, &mut report);
        report.line(
            "lists that were open give out no more entries; every list is published anew. Tokens, clients, \
             keys and roles stand as they did in the backup: what was ended after it has to be ended again",
        );
        report.json(restored);
        if !published.is_empty() {
            let put_back = self.published.how.put_back(&context, published)?;
            report.append(put_back);
        }
        report.rows(&[("next", Some(format!("goodstanding serve --data {data}")))]);
        Ok(report)
    }
}

#[cfg(test)]
mod tests {
    use crate::cli::testing::Fake;

    #[test]
    fn it_talks_to_no_server() {
        let words = ["restore", "b", "--data", "d", "--server", "http://h"];
        let done = Fake::new().run_remote(&words);
        assert_eq!((done.exit, done.calls.len()), (2, 0), "{}", done.err);
    }
}
