//! The blocks of a document: what stands four spaces in, or between fences.

use std::fs;
use std::path::{Path, PathBuf};

/// The root of the sources.
pub(super) const ROOT: &str = env!("CARGO_MANIFEST_DIR");

/// Languages between fences that are no commands.
const NO_COMMANDS: &[&str] = &[
    "toml",
    "json",
    "yaml",
    "nginx",
    "html",
    "javascript",
    "python",
    "ini",
    "mermaid",
    "http",
    "text",
];

/// A block of a document.
#[derive(Debug, Default)]
pub(super) struct Block {
    /// Its first line in the document, from 0.
    pub(super) line: usize,
    /// The word behind the fence; none for what is only indented.
    pub(super) language: Option<String>,
    /// The comment that stands right before it.
    pub(super) comment: Option<String>,
    /// Its lines, without indentation.
    pub(super) lines: Vec<String>,
}

/// A command of a document, and what is shown of its output.
#[derive(Debug, Default)]
pub(super) struct Shown {
    /// Its first line in the document, from 0.
    pub(super) line: usize,
    /// The lines of the command, without prompt and indentation.
    pub(super) command: Vec<String>,
    /// The lines below it.
    pub(super) output: Vec<String>,
}

impl Block {
    /// Whether its commands are carried out.
    pub(super) fn is_run(&self) -> bool {
        self.language.is_none()
            && self
                .lines
                .first()
                .is_some_and(|line| line.starts_with("$ "))
    }

    /// Why its commands are not carried out, where it says so.
    pub(super) fn reason(&self) -> Option<&str> {
        self.comment.as_deref()?.strip_prefix("not run: ")
    }

    /// Whether it holds no commands at all, but a file or a part of one.
    pub(super) fn is_text(&self) -> bool {
        let language = self.language.as_deref();
        language.is_some_and(|language| NO_COMMANDS.contains(&language))
    }
}

/// The documents whose blocks are held to the convention, by their paths from the root.
pub(super) fn documents() -> Vec<String> {
    let mut found = vec!["README.md".to_owned(), "SECURITY.md".to_owned()];
    let mut folders = vec![PathBuf::from("docs")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(Path::new(ROOT).join(&folder)).unwrap() {
            let path = folder.join(entry.unwrap().file_name());
            match path.extension() {
                Some(end) if end == "md" => found.push(path.display().to_string()),
                None => folders.push(path),
                Some(_) => {}
            }
        }
    }
    found.sort_unstable();
    found
}

/// A file, by its path from the root.
pub(super) fn read(path: &str) -> String {
    let whole = Path::new(ROOT).join(path);
    fs::read_to_string(&whole).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// Every block, in order.
pub(super) fn blocks(text: &str) -> Vec<Block> {
    let mut found: Vec<Block> = Vec::new();
    let (mut comment, mut blank, mut fenced, mut within) = (None, true, false, false);
    for (at, line) in text.lines().enumerate() {
        let block = |language: Option<&str>, comment: Option<String>, first: Option<&str>| Block {
            line: at,
            language: language.map(str::to_owned),
            comment,
            lines: first.map(str::to_owned).into_iter().collect(),
        };
        match (line.trim().strip_prefix("```"), line.strip_prefix("    ")) {
            (Some(_), _) if fenced => fenced = false,
            (Some(language), _) => {
                fenced = true;
                found.push(block(Some(language), comment.take(), None));
            }
            (None, _) if fenced => found.last_mut().expect("it began").lines.push(line.into()),
            (None, Some(code)) if within => {
                found.last_mut().expect("it began").lines.push(code.into());
            }
            (None, Some(code)) if blank && !code.trim().is_empty() => {
                within = true;
                found.push(block(None, comment.take(), Some(code)));
            }
            _ => {
                within = false;
                let said = line
                    .strip_prefix("<!-- ")
                    .and_then(|it| it.strip_suffix(" -->"));
                match said {
                    Some(said) => comment = Some(said.to_owned()),
                    None if !line.is_empty() => comment = None,
                    None => {}
                }
                blank = line.is_empty() || said.is_some();
            }
        }
    }
    found
}

/// Every command that is carried out, in order.
pub(super) fn commands(text: &str) -> Vec<Shown> {
    let mut found: Vec<Shown> = Vec::new();
    for block in blocks(text).into_iter().filter(Block::is_run) {
        for (line, code) in (block.line..).zip(block.lines) {
            match (code.strip_prefix("$ "), found.last_mut()) {
                (Some(command), _) => found.push(Shown {
                    line,
                    command: vec![command.to_owned()],
                    output: Vec::new(),
                }),
                (None, Some(last)) if last.output.is_empty() && goes_on(&last.command) => {
                    last.command.push(code);
                }
                (None, Some(last)) => last.output.push(code),
                (None, None) => {}
            }
        }
    }
    found
}

/// Whether the last line of a command is not its end: within quotes, before the end of what is fed
/// to it, or where it says so.
fn goes_on(command: &[String]) -> bool {
    let last = command.last().map_or("", String::as_str);
    if let Some((_, end)) = command[0].split_once("<<'") {
        return Some(last) != end.strip_suffix('\'');
    }
    let quotes = command.iter().flat_map(|line| line.matches('\'')).count();
    last.ends_with('\\') || quotes % 2 == 1
}

/// Which document's commands were carried out before this one's, by its path from the root.
pub(super) fn begins_after(path: &str, text: &str) -> Option<String> {
    let named = text.lines().find_map(|line| {
        line.strip_prefix("<!-- begins after: ")?
            .strip_suffix(" -->")
    })?;
    Some(beside(path, named))
}

/// What a relative link in a document leads to, by its path from the root.
pub(super) fn beside(path: &str, link: &str) -> String {
    let mut folders: Vec<&str> = path.split('/').collect();
    folders.pop();
    for part in link.split('/') {
        match part {
            ".." => drop(folders.pop().expect("it stays below the root")),
            "." => {}
            part => folders.push(part),
        }
    }
    folders.join("/")
}

#[test]
fn blocks_of_every_kind_are_told_apart() {
    let text = "Words:\n\n    $ one \\\n        two\n    out\n\n    not run\n\n\
                <!-- not run: it takes hours -->\n\n    three\n\n```toml\na = 1\n```\n\n\
                - a list\n    that goes on\n";
    let blocks = blocks(text);
    let kinds: Vec<_> = blocks
        .iter()
        .map(|block| (block.is_run(), block.reason(), block.is_text()))
        .collect();
    let expected = [
        (true, None, false),
        (false, None, false),
        (false, Some("it takes hours"), false),
        (false, None, true),
    ];
    assert_eq!(kinds, expected, "{blocks:?}");
    let commands = commands(text);
    assert_eq!(commands.len(), 1);
    assert_eq!(commands[0].command, ["one \\", "    two"]);
    assert_eq!(commands[0].output, ["out"]);
}
