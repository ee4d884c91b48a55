//! The memory of a process that holds keys is nobody else's: no core file is written of it, and
//! other processes of the same user read neither its memory nor what it was started with.

use std::fs;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, chown};
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Command, Stdio};

use super::folder::Folder;
use super::program::program;
use super::server::Server;

/// Somebody who is not root.
const NOBODY: u32 = 65_534;

/// Whom the files of a process belong to that are as secret as its memory. The system gives them
/// to root where the process keeps its memory to itself, and to its user otherwise.
fn owners(process: u32) -> [u32; 3] {
    ["mem", "environ", "maps"].map(|file| {
        let file = fs::metadata(format!("/proc/{process}/{file}"));
        file.unwrap().uid()
    })
}

/// The limits on core files, soft and hard.
fn core_limits(process: u32) -> Vec<String> {
    let limits = fs::read_to_string(format!("/proc/{process}/limits")).unwrap();
    let line = limits
        .lines()
        .find_map(|line| line.strip_prefix("Max core file size"));
    line.unwrap()
        .split_whitespace()
        .take(2)
        .map(str::to_owned)
        .collect()
}

/// The program, run by somebody who is not root, and who that is. They may not reach where it was
/// built, so that it stands in their folder as well.
fn by_somebody(folder: &Folder) -> (Command, u32) {
    let me = fs::metadata("/proc/self").unwrap().uid();
    let built = program();
    if me != 0 {
        return (built, me);
    }
    let within_reach = folder.beside().join("program");
    if !within_reach.exists() {
        give(folder.beside(), NOBODY);
        let linked = fs::hard_link(built.get_program(), &within_reach);
        linked
            .or_else(|_| fs::copy(built.get_program(), &within_reach).map(drop))
            .unwrap();
    }
    let mut command = Command::new(&within_reach);
    for (name, value) in built.get_envs() {
        if value.is_none() {
            command.env_remove(name);
        }
    }
    command.uid(NOBODY).gid(NOBODY);
    (command, NOBODY)
}

fn give(path: &Path, to: u32) {
    chown(path, Some(to), Some(to)).unwrap();
    if path.is_dir() {
        fs::set_permissions(path, fs::Permissions::from_mode(0o700)).unwrap();
        for entry in fs::read_dir(path).unwrap() {
            give(&entry.unwrap().path(), to);
        }
    }
}

#[test]
fn a_server_keeps_its_memory_to_itself() {
    let folder = Folder::prepared();
    let (mut command, user) = by_somebody(&folder);
    command.args(["serve", "--listen", "127.0.0.1:0", "--data"]);
    command.arg(folder.data());
    let server = Server::start(&mut command);
    assert_eq!(owners(server.id()), [0; 3]);
    assert_eq!(core_limits(server.id()), ["0", "0"]);
    server.stop().in_order();

    // The same program, as long as it has opened nothing: it reads a document to verify.
    let (mut command, _) = by_somebody(&folder);
    command
        .args(["verify", "--offline", "-"])
        .stdin(Stdio::piped());
    command.stdout(Stdio::null()).stderr(Stdio::null());
    let mut reading = command.spawn().unwrap();
    let seen = owners(reading.id());
    drop(reading.stdin.take());
    reading.wait().unwrap();
    assert_eq!(seen, [user; 3]);
}

/// A command that opens a folder, which waits here for what it is to read.
#[test]
fn a_command_on_a_folder_keeps_its_memory_to_itself() {
    let folder = Folder::prepared();
    let (mut command, _) = by_somebody(&folder);
    command.arg("--data").arg(folder.data());
    command.args(["verify", "-"]).stdin(Stdio::piped());
    command.stdout(Stdio::null()).stderr(Stdio::null());
    let mut reading = command.spawn().unwrap();
    let deadline = std::time::Instant::now() + super::server::PATIENCE;
    let kept = loop {
        match owners(reading.id()) {
            [0, 0, 0] => break Some(core_limits(reading.id())),
            _ if std::time::Instant::now() > deadline => break None,
            _ => std::thread::yield_now(),
        }
    };
    drop(reading.stdin.take());
    reading.wait().unwrap();
    assert_eq!(kept, Some(vec!["0".to_owned(), "0".to_owned()]));
}
