//! `goodstanding publish`: every signed list, in every form and with its headers, into a folder or a
//! bucket, from which others serve it.

#[cfg(feature = "s3")]
mod bucket;
mod copy;
mod feed;
mod folder;
mod publisher;
mod source;
mod target;

use std::path::Path;
use std::time::Duration;

use clap::Args;
use serde_json::{Value, json};

use super::context::Context;
use super::error::CliError;
use super::report::Report;
use folder::Folder;
use publisher::{Publisher, Told};
use source::Source;
use target::{Fault, Target};

/// Copy every signed list to where others serve it
///
/// Writes the lists in all their forms, with what a web server needs to serve them as the registry does,
/// and the DID documents and keys of their issuers, into a folder or an S3-compatible bucket. Whoever
/// reads there sees each copy whole. Only what has changed is written, nothing older takes the place of
/// what is newer, and what has ended or is gone is taken away. Over a server the token has to be one
/// that may read the audit trail: `goodstanding token --role auditor` makes one that may do no more.
///
/// A bucket's credentials and region come from AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY,
/// AWS_SESSION_TOKEN and AWS_REGION, or from the machine's role; AWS_ENDPOINT_URL names another service
/// than Amazon's.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  goodstanding publish /srv/lists --server https://registry.example --follow
  goodstanding publish s3://bucket/lists --server https://registry.example
  goodstanding publish /srv/lists --data /var/lib/goodstanding")]
pub(super) struct Publish {
    /// A folder of its own, or s3://BUCKET/PREFIX
    #[arg(value_name = "TARGET")]
    target: String,
    /// Go on with what is published from now on, until it is told to stop
    #[arg(long)]
    follow: bool,
    /// For how many seconds to try again where the server or the target is away; with --follow for ever
    #[arg(
        long,
        value_name = "SECONDS",
        default_value = "60",
        conflicts_with = "follow"
    )]
    #[arg(value_parser = clap::value_parser!(u64).range(0..=86_400))]
    patience: u64,
}

impl Publish {
    pub(super) fn run<'a>(
        self,
        connect: impl FnOnce() -> Result<Context<'a>, CliError>,
    ) -> Result<Report, CliError> {
        let context = connect()?;
        let target = opened(&self.target, &context)?;
        if self.follow && context.server.is_none() {
            let words = "with --data nothing is published meanwhile: leave out --follow, or name a \
                         --server";
            return Err(CliError::Usage(words.to_owned()));
        }
        let patience = (!self.follow).then(|| Duration::from_secs(self.patience));
        let mut publisher = Publisher::new(Source(&context), &*target, patience);
        if self.follow {
            return Err(publisher.follow());
        }
        let passed = publisher.pass();
        let mut report = reported(&self.target, &publisher.told);
        match passed {
            Err(failed) => report.fail(failed),
            Ok(()) if !publisher.told.refused.is_empty() => {
                report.fail(CliError::Failed(format!(
                    "{} copies could not be published: {} is not complete",
                    publisher.told.refused.len(),
                    self.target
                )));
            }
            Ok(()) => {}
        }
        Ok(report)
    }
}

fn opened(target: &str, context: &Context<'_>) -> Result<Box<dyn Target>, CliError> {
    let opened: Result<Box<dyn Target>, Fault> = match target.split_once("://") {
        None => Folder::open(Path::new(target)).map(|folder| Box::new(folder) as _),
        Some(("s3", place)) => bucket_at(place, context),
        Some(_) => {
            return Err(CliError::Usage(format!(
                "{target} is neither a folder nor s3://BUCKET/PREFIX"
            )));
        }
    };
    opened.map_err(|fault| CliError::Failed(fault.to_string()))
}

#[cfg(feature = "s3")]
fn bucket_at(place: &str, context: &Context<'_>) -> Result<Box<dyn Target>, Fault> {
    let bucket = bucket::Bucket::open(place, context.ca_file.clone(), context.timeout)?;
    Ok(Box::new(bucket))
}

#[cfg(not(feature = "s3"))]
fn bucket_at(_: &str, _: &Context<'_>) -> Result<Box<dyn Target>, Fault> {
    let words = "this program was built without S3: publish into a folder";
    Err(Fault::Refused(words.to_owned()))
}

fn reported(target: &str, told: &Told) -> Report {
    let mut report = Report::new();
    report.line(format_args!("published {} lists to {target}", told.lists));
    let shown = |number: u64| Some(number.to_string());
    report.rows(&[
        ("written", shown(told.written)),
        ("unchanged", shown(told.unchanged)),
        (
            "newer there",
            Some(told.newer_there).filter(|n| *n > 0).and_then(shown),
        ),
        (
            "taken away",
            Some(told.removed).filter(|n| *n > 0).and_then(shown),
        ),
        ("up to event", shown(told.event)),
    ]);
    for (name, reason) in &told.refused {
        report.line(format_args!("  not published: {name}: {reason}"));
    }
    report.json(members(target, told));
    report
}

fn members(target: &str, told: &Told) -> Value {
    let refused = told.refused.iter();
    let refused = refused.map(|(name, reason)| json!({ "copy": name, "reason": reason }));
    json!({
        "target": target,
        "lists": told.lists,
        "written": told.written,
        "unchanged": told.unchanged,
        "newerThere": told.newer_there,
        "takenAway": told.removed,
        "refused": refused.collect::<Vec<_>>(),
        "event": told.event,
    })
}
