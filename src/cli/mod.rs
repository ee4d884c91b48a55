//! The command line: a client of the HTTP contract, over the network to a running server or
//! straight into a data folder, with the same words and the same exit status.
//!
//! A command reads its arguments, makes its calls through a [`Transport`] and returns a report;
//! only [`run`] prints. Exit status 0 is good standing (or a change that was made), 1 is not in
//! good standing, 2 is not known or an error.

mod achievement;
mod affected;
mod backup;
mod bulk;
mod change;
mod client;
mod codes;
mod colour;
mod connection;
mod context;
mod doctor;
mod document;
mod endorse;
mod endorsements;
mod entries;
mod erase;
mod error;
mod events;
mod fetch;
mod given;
mod import;
mod init;
mod issue;
mod key;
mod list;
mod manual;
mod migrate;
mod person;
mod place;
mod profile;
mod progress;
mod publish;
mod put_back;
mod remote;
mod report;
mod request;
mod restore;
mod scope;
mod serve;
mod standing;
mod status;
mod tasks;
#[cfg(test)]
mod testing;
mod token;
mod transport;
mod verdict;
mod verify;

use std::ffi::OsString;
use std::io::{self, Read, Write};
use std::path::Path;
use std::process::ExitCode;

use clap::{Parser, Subcommand, ValueEnum as _};
use serde_json::json;

pub use backup::{BackupArgs, LocalBackups, Watching};
pub use colour::Terminals;
pub use doctor::{DoctorArgs, Finding, Health};
pub use error::{CliError, Problem};
pub use init::{InitArgs, InitDone};
pub use migrate::{MigrateArgs, StorePlace};
pub use place::PlaceError;
pub use restore::RestoreArgs;
pub use serve::{ServeArgs, Stopped};
pub use transport::{Answer, Call, Transport};

use colour::{Paint, When};
use connection::{Connection, connect};
use progress::Shows;
use report::{Exit, Report, json_line, plain};

use crate::time::Clock;

/// Opens the registry in a data folder, for `--data`; the error says why it cannot.
pub type OpenLocal<'a> = dyn Fn(&Path) -> Result<Box<dyn Transport>, String> + 'a;
/// Runs the service until it is told to stop; the error says why it could not.
pub type Serve<'a> = dyn Fn(ServeArgs) -> Result<Stopped, String> + 'a;
/// Prepares a data folder; the error says why it could not.
pub type Init<'a> = dyn Fn(InitArgs) -> Result<InitDone, String> + 'a;

/// Examines a data folder, and tells how far it has come; the error says why it could not.
pub type Examine<'a> =
    dyn Fn(DoctorArgs, &mut dyn FnMut(u64, Option<u64>, &str)) -> Result<Vec<Finding>, String> + 'a;

/// Moves a store from one engine to another, and tells how far it has come; the error says why it could
/// not.
pub type MoveStore<'a> = dyn Fn(&MigrateArgs, &mut dyn FnMut(u64, Option<u64>, &str)) -> Result<serde_json::Value, String>
    + 'a;

/// Runs the command that `args` (the program's name first) give, prints what it has to say, and
/// returns its exit status.
pub fn run(args: impl IntoIterator<Item = OsString>, surroundings: &Surroundings<'_>) -> ExitCode {
    let mut said = execute(args, surroundings, &mut io::stdin().lock());
    let printed = print(&mut io::stdout().lock(), &said.out);
    if let Err(failed) = printed {
        said.err.push_str(&format!(
            "goodstanding: cannot write the answer: {failed}\n"
        ));
        said.exit = Exit::Unknown as u8;
    }
    // Where standard error is gone too, there is nobody left to tell; the exit status says it.
    let _ = print(&mut io::stderr().lock(), &said.err);
    ExitCode::from(said.exit)
}

/// Endorsement and revocation status registry for verifiable credentials.
///
/// Commands talk to a running server (--server, or http://localhost:8080), or work on a data
/// folder without one (--data). Exit status: 0 in good standing or done, 1 not in good standing,
/// 2 not known or an error, 3 a service that was stopped and not done by then. Answers go to
/// standard output, errors with what to do next to standard error.
#[derive(Debug, Parser)]
#[command(name = "goodstanding", version, propagate_version = true)]
#[command(after_help = "Examples:
  goodstanding serve --dev
  goodstanding verify credential.json
  goodstanding status https://registry.example/status-lists/ID#42
  goodstanding revoke https://registry.example/endorsements/ID --reason 'licence withdrawn'")]
struct Cli {
    #[command(flatten)]
    connection: Connection,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Init(init::Init),
    Serve(serve::Serve),
    Doctor(doctor::Doctor),
    #[command(subcommand)]
    Profile(profile::Profile),
    #[command(subcommand)]
    Key(key::Key),
    #[command(subcommand)]
    Achievement(achievement::Achievement),
    #[command(subcommand)]
    List(list::List),
    Entries(entries::Entries),
    Issue(issue::Issue),
    #[command(subcommand)]
    Codes(codes::Codes),
    Revoke(change::Revoke),
    Suspend(change::Suspend),
    Reinstate(change::Reinstate),
    Updates(bulk::Updates),
    Endorse(endorse::Endorse),
    #[command(subcommand)]
    Request(request::Request),
    Tasks(tasks::Tasks),
    Status(status::Status),
    Standing(standing::Standing),
    Endorsements(endorsements::Endorsements),
    Verify(verify::Verify),
    Client(client::Client),
    Token(token::Token),
    Person(person::Person),
    Events(events::Events),
    Erase(erase::Erase),
    Backup(backup::Backup),
    Restore(restore::Restore),
    PutBack(put_back::PutBack),
    Publish(publish::Publish),
    Migrate(migrate::Migrate),
    Completions(manual::Completions),
    Man(manual::Manual),
}

/// What the command line gets from the rest of the program.
#[allow(missing_debug_implementations, reason = "it is functions")]
pub struct Surroundings<'a> {
    /// A way into a data folder.
    pub open_local: &'a OpenLocal<'a>,
    /// The service.
    pub serve: &'a Serve<'a>,
    /// The preparation of a folder.
    pub init: &'a Init<'a>,
    /// What is done with backups here.
    pub backups: &'a dyn LocalBackups,
    /// The examination of a folder.
    pub examine: &'a Examine<'a>,
    /// The move from one engine to another.
    pub move_store: &'a MoveStore<'a>,
    /// The clock.
    pub clock: &'a dyn Clock,
    /// The variables of the environment.
    pub env: &'a dyn Fn(&str) -> Option<String>,
    /// Which of its streams are terminals.
    pub terminals: Terminals,
}

/// A variable of this process's environment, where it is set to something.
pub fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

/// What is to be printed, and the exit status.
#[derive(Debug)]
struct Said {
    out: String,
    err: String,
    exit: u8,
}

fn execute(
    args: impl IntoIterator<Item = OsString>,
    surroundings: &Surroundings<'_>,
    stdin: &mut dyn Read,
) -> Said {
    let args: Vec<OsString> = args.into_iter().collect();
    let cli = match Cli::try_parse_from(&args) {
        Ok(cli) => cli,
        Err(refused) => return refusal(&refused, &args, surroundings),
    };
    let Connection { json, color, .. } = cli.connection;
    let [out, err] = paints(color, surroundings);
    let mut warnings = Vec::new();
    let report = carry_out(cli, surroundings, stdin, &mut warnings).unwrap_or_else(|error| {
        let mut report = Report::new();
        report.fail(error);
        report
    });
    let exit = report.exit as u8;
    if json {
        let warnings = warnings.iter().map(|words| json!({ "warning": words }));
        let errors = report.errors.iter().map(CliError::to_json);
        let lines = warnings.chain(errors).map(|line| json_line(&line));
        return Said {
            out: report.json_lines(),
            err: lines.collect(),
            exit,
        };
    }
    let warning = err.warning("goodstanding: warning:");
    let warnings = warnings.iter().map(|words| format!("{warning} {words}\n"));
    let error = err.error("goodstanding:");
    let errors = report.errors.iter().map(CliError::told);
    let errors = errors.map(|words| format!("{error} {}\n", plain(&words)));
    Said {
        out: report.painted(out),
        err: warnings.chain(errors).collect(),
        exit,
    }
}

/// How standard output and standard error are coloured.
fn paints(when: When, surroundings: &Surroundings<'_>) -> [Paint; 2] {
    let Terminals { out, err } = surroundings.terminals;
    [out, err].map(|terminal| when.on(terminal, surroundings.env))
}

/// What clap has to say: help and version on standard output, refusals on standard error.
fn refusal(refused: &clap::Error, args: &[OsString], surroundings: &Surroundings<'_>) -> Said {
    let exit = u8::try_from(refused.exit_code()).unwrap_or(Exit::Unknown as u8);
    let text = refused.render();
    let is_error = refused.use_stderr();
    // Where the arguments are refused, these two are looked for among them as they are.
    if is_error && args.iter().any(|arg| arg == "--json") {
        let words = text.to_string();
        let words = words.trim().trim_start_matches("error: ").to_owned();
        return Said {
            out: String::new(),
            err: json_line(&CliError::Usage(words).to_json()),
            exit,
        };
    }
    let [out, err] = paints(asked_colour(args), surroundings);
    let text = match if is_error { err } else { out }.is_on() {
        true => text.ansi().to_string(),
        false => text.to_string(),
    };
    let (out, err) = match is_error {
        true => (String::new(), text),
        false => (text, String::new()),
    };
    Said { out, err, exit }
}

fn asked_colour(args: &[OsString]) -> When {
    let words = || args.iter().map(|arg| arg.to_str().unwrap_or_default());
    let behind = words().skip_while(|word| *word != "--color").nth(1);
    let asked = words()
        .find_map(|word| word.strip_prefix("--color="))
        .or(behind);
    asked
        .and_then(|asked| When::from_str(asked, false).ok())
        .unwrap_or_default()
}

fn carry_out(
    cli: Cli,
    surroundings: &Surroundings<'_>,
    stdin: &mut dyn Read,
    warnings: &mut Vec<String>,
) -> Result<Report, CliError> {
    let Cli {
        mut connection,
        command,
    } = cli;
    if let Command::Restore(command) = &command {
        connection.data = Some(command.data.clone());
    }
    let shows = Shows::new(surroundings.terminals.err && !connection.json);
    let command = match command {
        Command::Verify(command) if command.offline => {
            return command.run_offline(stdin, surroundings.clock);
        }
        Command::Migrate(command) => return command.run(surroundings.move_store, &shows),
        Command::Completions(command) => return Ok(command.run()),
        Command::Man(command) => return command.run(),
        Command::Doctor(command) if command.is_of_folder(connection.data.as_ref()) => {
            return command.examine(connection.data, surroundings.examine, &shows);
        }
        other => other,
    };
    let (data, backups) = (connection.data.clone(), surroundings.backups);
    let json = connection.json;
    let shown = shows.clone();
    let connect = move || {
        let input = stdin;
        connect(&connection, surroundings, shown, input, warnings)
    };
    match command {
        Command::Init(command) => command.run(surroundings.init),
        Command::Serve(command) => command.run(surroundings.serve, json),
        Command::Doctor(command) => command.ask(&connect()?),
        Command::Migrate(_) | Command::Completions(_) | Command::Man(_) => {
            unreachable!("it was run above")
        }
        Command::Profile(command) => command.run(&connect()?),
        Command::Key(command) => command.run(&connect()?),
        Command::Achievement(command) => command.run(&connect()?),
        Command::List(command) => command.run(&connect()?),
        Command::Entries(command) => command.run(&connect()?),
        Command::Issue(command) => command.run(&connect()?),
        Command::Codes(command) => command.run(&connect()?),
        Command::Revoke(command) => command.run(&connect()?),
        Command::Suspend(command) => command.run(&connect()?),
        Command::Reinstate(command) => command.run(&connect()?),
        Command::Updates(command) => command.run(&connect()?),
        Command::Endorse(command) => command.run(&connect()?),
        Command::Request(command) => command.run(&connect()?),
        Command::Tasks(command) => command.run(&connect()?),
        Command::Status(command) => command.run(&connect()?),
        Command::Standing(command) => command.run(&connect()?),
        Command::Endorsements(command) => command.run(&connect()?),
        Command::Verify(command) => command.run(&connect()?),
        Command::Client(command) => command.run(&connect()?),
        Command::Token(command) => command.run(&connect()?),
        Command::Person(command) => command.run(&connect()?),
        Command::Events(command) => command.run(&connect()?),
        Command::Erase(command) => command.run(&connect()?),
        Command::Backup(command) => command.run(data, backups, connect, &shows),
        Command::Restore(command) => command.run(backups, connect, &shows),
        Command::PutBack(command) => command.run(backups, &connect()?),
        Command::Publish(command) => command.run(connect),
    }
}

/// Prints; a reader who has seen enough and closed the pipe is no error.
fn print(to: &mut dyn Write, text: &str) -> io::Result<()> {
    let printed = to.write_all(text.as_bytes()).and_then(|()| to.flush());
    match printed {
        Err(closed) if closed.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        printed => printed,
    }
}

#[cfg(test)]
mod tests {
    use super::testing::{Fake, LIST, NoBackups, closed_port};
    use super::*;
    use crate::time::{ManualClock, Timestamp};
    use clap::CommandFactory;
    use serde_json::Value;
    use std::fs;

    #[test]
    fn the_arguments_are_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn help_goes_to_standard_output_and_refusals_to_standard_error() {
        let help = Fake::new().run(&["--help"]);
        assert_eq!((help.exit, help.err.as_str()), (0, ""));
        for command in ["init", "serve", "verify", "revoke", "endorse", "token"] {
            assert!(
                help.out.contains(&format!("\n  {command} ")),
                "{command}: {}",
                help.out
            );
        }
        let refused = Fake::new().run(&["revoke"]);
        assert_eq!((refused.exit, refused.out.as_str()), (2, ""));
        let refused = Fake::new().run(&["list", "show", "nonsense"]);
        assert!(
            refused.err.contains("is not a status list: give its URL"),
            "{}",
            refused.err
        );
    }

    #[test]
    fn without_a_server_the_next_step_is_said_and_the_status_is_2() {
        let server = format!("http://127.0.0.1:{}", closed_port());
        let done = Fake::new()
            .env("GOODSTANDING_SERVER", &server)
            .run_remote(&["profile", "list"]);
        assert_eq!(done.exit, 2);
        assert!(
            done.err
                .starts_with(&format!("goodstanding: nothing answers at {server}/"))
        );
        assert!(
            done.err
                .contains("start a server with `goodstanding serve --dev`")
        );
    }

    #[test]
    fn with_json_an_error_is_a_problem_document_too() {
        let done = Fake::new()
            .answer(
                404,
                json!({"type": "x", "title": "Not found", "detail": "no such profile"}),
            )
            .run(&["--json", "profile", "show", "a"]);
        assert_eq!(done.exit, 2);
        assert_eq!(done.out, "");
        let problem: Value = serde_json::from_str(&done.err).unwrap();
        assert_eq!(
            problem,
            json!({"type": "x", "title": "Not found", "detail": "no such profile",
                   "at": "GET /profiles/a",
                   "next": "check the name; `goodstanding profile list` and `goodstanding endorsements` \
                            show what is there"})
        );
        let done = Fake::new().run(&["verify", "/no/such/file", "--json"]);
        let problem: Value = serde_json::from_str(&done.err).unwrap();
        assert!(
            problem["detail"]
                .as_str()
                .unwrap()
                .starts_with("cannot read /no/such/file")
        );
    }

    #[test]
    fn with_json_refused_arguments_and_warnings_are_json_too() {
        let done = Fake::new().run(&["--json", "revoce"]);
        assert_eq!((done.exit, done.out.as_str()), (2, ""));
        let problem: Value = serde_json::from_str(&done.err).unwrap();
        let detail = problem["detail"].as_str().unwrap();
        assert!(detail.contains("'revoke'"), "{detail}");
        let done = Fake::new()
            .env("GOODSTANDING_TOKEN", "secret")
            .run_remote(&["--json", "status", "x", "--server", "http://r.example"]);
        assert_eq!(done.exit, 2, "{}", done.err);
        for line in done.err.lines() {
            serde_json::from_str::<Value>(line).unwrap();
        }
    }

    #[test]
    fn colour_goes_where_it_is_asked_for_and_nowhere_else() {
        let look_up = |args: &[&str]| {
            let answer = json!({"status": 1, "outcome": "revoked"});
            let args = [&["status", "urn:a"], args].concat();
            Fake::new().answer(200, answer).run(&args).out
        };
        assert!(look_up(&["--color", "always"]).starts_with("\x1b[31mrevoked\x1b[0m: urn:a\n"));
        assert!(look_up(&[]).starts_with("revoked: urn:a\n"));
        assert!(look_up(&["--color", "always", "--json"]).starts_with("{\"status\":1"));
        let refused = Fake::new().run(&["--color=always", "status"]);
        assert!(refused.err.contains("\x1b["), "{}", refused.err);
        let refused = Fake::new().run(&["status"]);
        assert!(!refused.err.contains("\x1b["), "{}", refused.err);
        let done = Fake::new().run(&["verify", "/no/such", "--color", "always"]);
        assert!(
            done.err
                .starts_with("\x1b[1;31mgoodstanding:\x1b[0m cannot read")
        );
    }

    #[test]
    fn a_folder_that_cannot_be_opened_is_named() {
        let said = execute(
            ["goodstanding", "profile", "list", "--data", "here"].map(OsString::from),
            &Surroundings {
                open_local: &|_| Err("another goodstanding is using it".into()),
                serve: &|_| Ok(Stopped::InOrder),
                init: &|_| Err(String::new()),
                backups: &NoBackups,
                examine: &|_, _| Ok(Vec::new()),
                move_store: &|_, _| Err("nothing is moved".into()),
                clock: &ManualClock::new(Timestamp::EPOCH),
                env: &|_| None,
                terminals: Terminals::default(),
            },
            &mut io::empty(),
        );
        assert_eq!(said.exit, 2);
        assert_eq!(
            said.err,
            "goodstanding: cannot work on here: another goodstanding is using it\n  next  \
             `goodstanding doctor --data DIR` examines a folder\n"
        );
    }

    #[test]
    fn tokens_come_from_a_file_and_an_empty_one_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("token");
        fs::write(&path, "\n").unwrap();
        let path = path.to_str().unwrap();
        let done = Fake::new().run_remote(&["profile", "list", "--token-file", path]);
        assert!(done.err.contains("it holds no token"), "{}", done.err);
        fs::write(path, "a b\u{7}\n").unwrap();
        let done = Fake::new().run_remote(&["profile", "list", "--token-file", path]);
        assert!(done.err.contains("is it the right file?"), "{}", done.err);
    }

    #[test]
    fn a_token_in_the_clear_is_warned_of() {
        let done = Fake::new()
            .env("GOODSTANDING_TOKEN", "secret")
            .run_remote(&[
                "key",
                "list",
                "https://other.example/profiles/a",
                "--server",
                "http://r.example",
            ]);
        assert!(done.err.starts_with(
            "goodstanding: warning: the token goes to http://r.example/ unencrypted; use https\n"
        ));
        assert!(!done.err.contains("secret"));
    }

    #[test]
    fn each_change_has_a_key_of_its_own() {
        let done = Fake::new()
            .answer(200, json!({"outcome": "revoked"}))
            .answer(200, json!({"outcome": "revoked"}))
            .run(&[
                "revoke",
                "000000g123456789abc0",
                "000000g123456789abcg",
                "--idempotency-key",
                "k",
            ]);
        let keys: Vec<_> = done
            .calls
            .iter()
            .map(|call| call.idempotency_key.as_deref())
            .collect();
        assert_eq!(keys, [Some("k"), Some("k-2")]);
        let done = Fake::new().run(&["revoke", LIST, "--idempotency-key", "a b"]);
        assert!(done.err.contains("visible ASCII"), "{}", done.err);
    }

    #[test]
    fn a_closed_pipe_is_no_error_and_a_full_disk_is_one() {
        struct Failing(io::ErrorKind);
        impl Write for Failing {
            fn write(&mut self, _: &[u8]) -> io::Result<usize> {
                Err(self.0.into())
            }
            fn flush(&mut self) -> io::Result<()> {
                Ok(())
            }
        }
        assert!(print(&mut Failing(io::ErrorKind::BrokenPipe), "x").is_ok());
        assert!(print(&mut Failing(io::ErrorKind::StorageFull), "x").is_err());
    }
}
