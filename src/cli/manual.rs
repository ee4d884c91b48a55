//! `goodstanding completions` and `goodstanding man`: what the shell and `man` know of the commands, made of
//! the same definitions as `--help`.

use std::fs;
use std::path::{Path, PathBuf};

use clap::{Args, CommandFactory as _};
use clap_complete::Shell;
use clap_mangen::Man;
use serde_json::json;

use super::Cli;
use super::error::CliError;
use super::report::Report;

const NAME: &str = "goodstanding";

/// Print completions for a shell
///
/// Commands, options and their values are then completed by the Tab key.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  goodstanding completions bash > /usr/share/bash-completion/completions/goodstanding
  goodstanding completions zsh > \"${fpath[1]}/_goodstanding\"
  goodstanding completions fish > ~/.config/fish/completions/goodstanding.fish")]
pub(super) struct Completions {
    /// The shell
    #[arg(value_name = "SHELL")]
    shell: Shell,
}

impl Completions {
    pub(super) fn run(&self) -> Report {
        let mut script = Vec::new();
        clap_complete::generate(self.shell, &mut Cli::command(), NAME, &mut script);
        let script = String::from_utf8_lossy(&script).into_owned();
        let mut report = Report::new();
        report
            .json
            .push(json!({ "shell": self.shell.to_string(), "script": script }));
        report.text = script;
        report
    }
}

/// Print the manual page, or write one for each command
///
/// Without DIR the page of the program is printed, for `man -l -`. With DIR a page for each command is
/// written there, such as goodstanding-list-create.1.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  goodstanding man | man -l -
  goodstanding man /usr/local/share/man/man1")]
pub(super) struct Manual {
    /// Where the pages are written; it is made where it is missing
    #[arg(value_name = "DIR")]
    dir: Option<PathBuf>,
}

impl Manual {
    pub(super) fn run(&self) -> Result<Report, CliError> {
        let mut root = Cli::command().disable_help_subcommand(true);
        root.build();
        let mut report = Report::new();
        let Some(dir) = &self.dir else {
            let page = page(NAME, &root)?;
            report.json.push(json!({ "name": NAME, "page": page }));
            report.text = page;
            return Ok(report);
        };
        let failed = |failed: std::io::Error| {
            CliError::Failed(format!(
                "cannot write into {}: {failed}; name a folder that you may write into",
                dir.display()
            ))
        };
        fs::create_dir_all(dir).map_err(failed)?;
        let mut written = Vec::new();
        write(NAME, &root, dir, &mut written, &failed)?;
        report.line(format!(
            "{} pages in {}; read one by `man -l {}`",
            written.len(),
            dir.display(),
            dir.join(format!("{NAME}.1")).display()
        ));
        report
            .json
            .push(json!({ "dir": dir.display().to_string(), "pages": written }));
        Ok(report)
    }
}

/// A page for a command and for each below it.
fn write(
    name: &str,
    command: &clap::Command,
    dir: &Path,
    written: &mut Vec<String>,
    failed: &dyn Fn(std::io::Error) -> CliError,
) -> Result<(), CliError> {
    let file = format!("{name}.1");
    fs::write(dir.join(&file), page(name, command)?).map_err(failed)?;
    written.push(file);
    for below in command
        .get_subcommands()
        .filter(|below| !below.is_hide_set())
    {
        let name = format!("{name}-{}", below.get_name());
        write(&name, below, dir, written, failed)?;
    }
    Ok(())
}

fn page(name: &str, command: &clap::Command) -> Result<String, CliError> {
    let mut page = Vec::new();
    let command = command.clone().display_name(name.to_owned());
    Man::new(command)
        .title(name.to_owned())
        .render(&mut page)
        .map_err(|failed| CliError::Failed(format!("the page cannot be made: {failed}")))?;
    Ok(String::from_utf8_lossy(&page).into_owned())
}

#[cfg(test)]
mod tests {
    use clap::{Command, ValueEnum as _};
    use serde_json::Value;

    use super::super::testing::Fake;
    use super::*;

    /// Every command, as its words are written.
    fn commands() -> Vec<Vec<String>> {
        fn walk(command: &Command, words: &[String], found: &mut Vec<Vec<String>>) {
            for below in command.get_subcommands() {
                let mut words = words.to_vec();
                words.push(below.get_name().to_owned());
                walk(below, &words, found);
                found.push(words);
            }
        }
        let mut found = Vec::new();
        walk(&Cli::command(), &[], &mut found);
        found
    }

    /// The options of a command that its help tells of.
    fn options(words: &[String]) -> Vec<String> {
        let mut root = Cli::command();
        root.build();
        let at = words
            .iter()
            .fold(&root, |at, word| at.find_subcommand(word).unwrap());
        let shown = at.get_arguments().filter(|arg| !arg.is_hide_set());
        shown
            .filter_map(|arg| arg.get_long().map(str::to_owned))
            .collect()
    }

    #[test]
    fn every_shell_gets_every_command() {
        for shell in Shell::value_variants() {
            let done = Fake::new().run(&["completions", &shell.to_string()]);
            assert_eq!((done.exit, done.err.as_str()), (0, ""), "{shell}");
            for words in commands() {
                let last = words.last().unwrap();
                assert!(done.out.contains(last.as_str()), "{shell}: {words:?}");
                for option in options(&words) {
                    let spelled = [format!("--{option}"), format!("-l {option}")];
                    let there = spelled.iter().any(|spelled| done.out.contains(spelled));
                    assert!(there, "{shell}: {words:?} --{option}");
                }
            }
        }
        let refused = Fake::new().run(&["completions", "none"]);
        assert_eq!(refused.exit, 2);
        assert!(refused.err.contains("bash"), "{}", refused.err);
    }

    #[test]
    fn every_command_has_a_page_that_tells_its_options() {
        let home = tempfile::tempdir().unwrap();
        let dir = home.path().join("man1");
        let done = Fake::new().run(&["man", dir.to_str().unwrap(), "--json"]);
        assert_eq!((done.exit, done.err.as_str()), (0, ""));
        let told: Value = serde_json::from_str(&done.out).unwrap();
        let commands = commands();
        assert_eq!(told["pages"].as_array().unwrap().len(), commands.len() + 1);
        for words in commands {
            let file = dir.join(format!("{NAME}-{}.1", words.join("-")));
            let page = fs::read_to_string(&file).unwrap();
            assert!(page.starts_with(".ie"), "{page}");
            assert!(page.contains(".SH SYNOPSIS"), "{words:?}");
            let page = page.replace("\\-", "-");
            for option in options(&words) {
                assert!(
                    page.contains(&format!("--{option}")),
                    "{words:?} --{option}"
                );
            }
        }
        let printed = Fake::new().run(&["man"]);
        assert!(
            printed.out.contains(".TH goodstanding 1"),
            "{}",
            printed.out
        );
    }

    #[test]
    fn a_folder_that_cannot_be_made_is_named() {
        let home = tempfile::tempdir().unwrap();
        let file = home.path().join("file");
        fs::write(&file, "x").unwrap();
        let done = Fake::new().run(&["man", file.to_str().unwrap()]);
        assert_eq!(done.exit, 2);
        assert!(
            done.err.contains("name a folder that you may write into"),
            "{}",
            done.err
        );
    }

    /// Whoever reads answers by a program asks each command in the same way.
    #[test]
    fn every_command_takes_json() {
        for words in commands() {
            let mut command = Cli::command();
            command.build();
            let mut at = &command;
            for word in &words {
                at = at.find_subcommand(word).unwrap();
            }
            let json = at.get_arguments().any(|arg| arg.get_id() == "json");
            assert!(json, "{words:?}");
        }
    }
}
