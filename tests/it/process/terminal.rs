//! What a person sees on a terminal, and what a program that reads along does not: colour, and how far a long
//! command has come. The terminals are the system's own (pseudo-terminals).

use std::fs::File;
use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::Instant;

use rustix::pty::{OpenptFlags, grantpt, ioctl_tiocgptpeer, openpt, unlockpt};

use super::folder::Folder;
use super::program::program;
use super::server::PATIENCE;

/// A terminal: what programs write to it is read here.
struct Terminal {
    heard: Receiver<Vec<u8>>,
    seen: String,
}

impl Terminal {
    /// A fresh one, and the side that a program writes to.
    fn open() -> (Self, Stdio) {
        let flags = OpenptFlags::RDWR | OpenptFlags::NOCTTY;
        let reading = openpt(flags).expect("the system has pseudo-terminals");
        grantpt(&reading).unwrap();
        unlockpt(&reading).unwrap();
        let writing = ioctl_tiocgptpeer(&reading, flags).unwrap();
        let (say, heard) = mpsc::channel();
        let mut reading = File::from(reading);
        thread::spawn(move || {
            let mut bytes = [0; 4096];
            // Reading fails once nobody has the other side open any more.
            while let Ok(count @ 1..) = reading.read(&mut bytes) {
                if say.send(bytes[..count].to_vec()).is_err() {
                    break;
                }
            }
        });
        let seen = String::new();
        (Self { heard, seen }, Stdio::from(writing))
    }

    /// Reads until these words are there.
    #[track_caller]
    fn shows(&mut self, words: &str) {
        let deadline = Instant::now() + PATIENCE;
        while !self.seen.contains(words) {
            let left = deadline.saturating_duration_since(Instant::now());
            let bytes = self.heard.recv_timeout(left);
            let bytes = bytes.unwrap_or_else(|_| panic!("{words:?} is not in {:?}", self.seen));
            self.seen.push_str(&String::from_utf8_lossy(&bytes));
        }
    }

    /// All that was written, once every program that writes to it has ended.
    fn until_the_end(mut self) -> String {
        while let Ok(bytes) = self.heard.recv_timeout(PATIENCE) {
            self.seen.push_str(&String::from_utf8_lossy(&bytes));
        }
        self.seen
    }
}

/// A program on a terminal that knows colours.
fn on_terminal() -> Command {
    let mut command = program();
    for name in ["NO_COLOR", "CLICOLOR", "CLICOLOR_FORCE"] {
        command.env_remove(name);
    }
    command.env("TERM", "xterm-256color");
    command
}

/// What a command prints on standard output, which is a terminal, and on standard error, which is another.
fn seen(command: &mut Command) -> [String; 2] {
    let (out, out_side) = Terminal::open();
    let (err, err_side) = Terminal::open();
    let mut child = command
        .stdin(Stdio::null())
        .stdout(out_side)
        .stderr(err_side)
        .spawn()
        .unwrap();
    // The command keeps its copies of the terminals' other sides open.
    command.stdout(Stdio::null()).stderr(Stdio::null());
    child.wait().unwrap();
    [out, err].map(Terminal::until_the_end)
}

#[test]
fn outcomes_are_coloured_on_terminals_alone_and_say_the_same_words_without() {
    let folder = Folder::prepared();
    let ask = |more: &[&str], set: &[(&str, &str)]| {
        let mut command = on_terminal();
        command.args(["endorsements", "--subject", "did:web:nobody.example"]);
        command.args(more).arg("--data").arg(folder.data());
        command.envs(set.iter().copied());
        command
    };
    let [coloured, _] = seen(&mut ask(&[], &[]));
    let word = "\x1b[33munknown\x1b[0m: did:web:nobody.example";
    assert!(coloured.starts_with(word), "{coloured:?}");
    let plain = coloured.replace("\x1b[33m", "").replace("\x1b[0m", "");
    for (more, set) in [
        (&["--color", "never"][..], &[][..]),
        (&[], &[("NO_COLOR", "1")]),
        (&[], &[("TERM", "dumb")]),
    ] {
        let [out, _] = seen(&mut ask(more, set));
        assert_eq!(out, plain, "{more:?} {set:?}");
    }
    let piped = |more: &[&str], set: &[(&str, &str)]| {
        let output = ask(more, set).output().unwrap();
        String::from_utf8(output.stdout)
            .unwrap()
            .replace('\n', "\r\n")
    };
    assert_eq!(piped(&[], &[]), plain);
    assert_eq!(piped(&["--color", "always"], &[]), coloured);
    assert_eq!(piped(&[], &[("CLICOLOR_FORCE", "1")]), coloured);
    let [json, _] = seen(&mut ask(&["--json"], &[]));
    assert!(!json.contains('\x1b'), "{json:?}");
}

#[test]
fn an_error_is_coloured_and_so_is_what_the_arguments_are_refused_with() {
    for args in [&["verify", "/no/such/file"][..], &["revoce"]] {
        let [out, err] = seen(on_terminal().args(args));
        assert_eq!(out, "");
        assert!(err.contains("\x1b["), "{err:?}");
        let [_, err] = seen(on_terminal().args(args).env("NO_COLOR", "1"));
        assert!(!err.contains('\x1b'), "{err:?}");
    }
}

/// A server that answers when it is told to.
struct Slow {
    listener: TcpListener,
}

impl Slow {
    fn listens() -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        Self { listener }
    }

    /// A command that asks it, with this as its standard error.
    fn ask(&self, err: Stdio, more: &[&str]) -> (Child, TcpStream) {
        let server = format!("http://{}", self.listener.local_addr().unwrap());
        let child = on_terminal()
            .args(["profile", "list", "--server", &server])
            .args(more)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(err)
            .spawn()
            .unwrap();
        (child, self.listener.accept().unwrap().0)
    }
}

/// Answers, and gives what the command printed on standard output.
fn answered((child, mut asked): (Child, TcpStream)) -> String {
    let (mut head, mut byte) = (Vec::new(), [0]);
    while !head.ends_with(b"\r\n\r\n") && asked.read(&mut byte).unwrap() == 1 {
        head.push(byte[0]);
    }
    let answer = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 15\r\n\
                  Connection: close\r\n\r\n{\"profiles\":[]}";
    asked.write_all(answer.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{output:?}");
    assert!(output.stderr.is_empty(), "{output:?}");
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn what_takes_longer_than_a_second_is_told_on_a_terminal_and_nowhere_else() {
    let server = Slow::listens();
    let (quick, side) = Terminal::open();
    let json = ["--json"];
    // The one on a terminal asks last: when it has waited for a second, so have the others.
    let (with_json, json_side) = Terminal::open();
    let of_json = server.ask(json_side, &json);
    let piped = server.ask(Stdio::piped(), &[]);
    let (mut shown, shown_side) = Terminal::open();
    let of_person = server.ask(shown_side, &[]);
    shown.shows("0 pages read");
    assert_eq!(answered(of_json), "{\"profiles\":[]}\n");
    let said = answered(piped);
    assert_eq!(answered(of_person), said);
    let at_the_end = shown.until_the_end();
    assert!(
        at_the_end.ends_with("\r\x1b[2K"),
        "it is cleared: {at_the_end:?}"
    );
    assert_eq!(with_json.until_the_end(), "");
    answered(server.ask(side, &[]));
    assert_eq!(quick.until_the_end(), "", "what is done within a second");
}
