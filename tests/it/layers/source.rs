//! Rust source as the house rules see it: no comments, no text, no tests; and the paths in it.

use std::iter::Peekable;
use std::vec::IntoIter;

/// The code of a file: everything else is blanked out, so that lines and columns stay.
pub(super) struct Source {
    code: String,
    /// Modules in files of their own that are there for tests only.
    pub(super) test_modules: Vec<String>,
}

/// A call of a macro.
#[derive(Debug)]
pub(super) struct Call {
    pub(super) line: usize,
    /// What stands between its commas, texts included.
    pub(super) arguments: Vec<String>,
}

/// A path such as `crate::store::engine`, and the line that it stands on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Named {
    pub(super) line: usize,
    pub(super) segments: Vec<String>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Token {
    Word(String),
    /// `::`
    Colons,
    Sign(char),
}

impl Source {
    /// Reads a file.
    pub(super) fn read(text: &str) -> Self {
        let whole = without_comments_and_text(text);
        let (code, test_modules) = without_tests(&whole);
        Self { code, test_modules }
    }

    /// Lines up to the tests at its end; those of the whole file where it has none.
    pub(super) fn lines_before_tests(text: &str) -> usize {
        let whole = without_comments_and_text(text);
        let marks = whole.match_indices("#[cfg(test)]").map(|(at, _)| at);
        let has_tests = |at: &usize| {
            let opened = whole[*at..].split(';').next().unwrap_or_default();
            let item = opened.split_once('{').map_or("", |(item, _)| item);
            item.trim_end().ends_with("mod tests")
        };
        let before = marks.into_iter().find(has_tests).unwrap_or(whole.len());
        whole[..before].lines().count()
    }

    /// Every path, with the trees of `use` spelled out. `super` stays as it is.
    pub(super) fn paths(&self) -> Vec<Named> {
        let mut tokens = tokens(&self.code).into_iter().peekable();
        let mut found = Vec::new();
        while let Some((line, token)) = tokens.next() {
            match token {
                Token::Word(word) => tree(vec![word], line, &mut tokens, &mut found),
                Token::Colons | Token::Sign(_) => {}
            }
        }
        found
    }

    /// Lines on which a macro is called.
    pub(super) fn calls_of(&self, name: &str) -> Vec<usize> {
        let tokens = tokens(&self.code);
        let called = tokens.windows(2).filter(|pair| {
            pair[0].1 == Token::Word(name.to_owned()) && pair[1].1 == Token::Sign('!')
        });
        called.map(|pair| pair[0].0).collect()
    }

    /// The calls of a macro. `text` is what the source was read from.
    pub(super) fn arguments_of(&self, name: &str, text: &str) -> Vec<Call> {
        let (code, text): (Vec<char>, Vec<char>) =
            (self.code.chars().collect(), text.chars().collect());
        let called: Vec<char> = format!("{name}!(").chars().collect();
        let mut calls = Vec::new();
        for at in 0..code.len() {
            let word = |c: &char| c.is_alphanumeric() || *c == '_';
            if !code[at..].starts_with(&called) || at > 0 && word(&code[at - 1]) {
                continue;
            }
            let line = 1 + code[..at].iter().filter(|c| **c == '\n').count();
            let arguments = arguments(&code, &text, at + called.len());
            calls.push(Call { line, arguments });
        }
        calls
    }
}

/// Follows a path from the words that were read, and into its braces.
fn tree(
    mut segments: Vec<String>,
    line: usize,
    tokens: &mut Peekable<IntoIter<(usize, Token)>>,
    found: &mut Vec<Named>,
) {
    while tokens
        .next_if(|(_, token)| *token == Token::Colons)
        .is_some()
    {
        match tokens.peek().cloned() {
            Some((_, Token::Word(word))) => segments.push(word),
            Some((_, Token::Sign('*'))) => segments.push("*".to_owned()),
            Some((_, Token::Sign('{'))) => {
                tokens.next();
                return branches(&segments, tokens, found);
            }
            _ => break,
        }
        tokens.next();
    }
    found.push(Named { line, segments });
}

fn branches(
    stem: &[String],
    tokens: &mut Peekable<IntoIter<(usize, Token)>>,
    found: &mut Vec<Named>,
) {
    while let Some((line, token)) = tokens.next() {
        match token {
            Token::Sign('}') => return,
            Token::Sign('*') => found.push(Named {
                line,
                segments: [stem, &["*".to_owned()]].concat(),
            }),
            // The new name of what was just read.
            Token::Word(word) if word == "as" => {
                tokens.next();
            }
            Token::Word(word) => {
                let segments = [stem, &[word]].concat();
                tree(segments, line, tokens, found);
            }
            Token::Colons | Token::Sign(_) => {}
        }
    }
}

/// What stands between commas up to the end of the parentheses that were opened before `begin`.
fn arguments(code: &[char], text: &[char], begin: usize) -> Vec<String> {
    let (mut found, mut depth, mut from) = (Vec::new(), 0_usize, begin);
    for at in begin..code.len() {
        let ends = match code[at] {
            '(' | '[' | '{' => {
                depth += 1;
                continue;
            }
            ')' | ']' | '}' if depth > 0 => {
                depth -= 1;
                continue;
            }
            ',' if depth == 0 => false,
            ')' => true,
            _ => continue,
        };
        let argument: String = text[from..at].iter().collect();
        let argument = argument.trim();
        if !argument.is_empty() {
            found.push(argument.to_owned());
        }
        from = at + 1;
        if ends {
            break;
        }
    }
    found
}

fn tokens(code: &str) -> Vec<(usize, Token)> {
    let mut found = Vec::new();
    for (number, line) in code.lines().enumerate() {
        let mut rest = line.trim_start();
        while let Some(first) = rest.chars().next() {
            let word = |c: char| c.is_alphanumeric() || c == '_';
            let length = rest.find(|c| !word(c)).unwrap_or(rest.len());
            let (token, length) = match first {
                _ if length > 0 => (Token::Word(rest[..length].to_owned()), length),
                _ if rest.starts_with("::") => (Token::Colons, 2),
                sign => (Token::Sign(sign), sign.len_utf8()),
            };
            found.push((number + 1, token));
            rest = rest[length..].trim_start();
        }
    }
    found
}

/// Blanks comments, strings and characters; line ends stay.
fn without_comments_and_text(text: &str) -> String {
    let mut code = String::with_capacity(text.len());
    let mut rest = text;
    let mut after_word = false;
    while let Some(first) = rest.chars().next() {
        let skipped = comment(rest).or_else(|| match after_word {
            false => literal(rest),
            true => quoted(rest),
        });
        let length = skipped.unwrap_or(first.len_utf8());
        let (read, left) = rest.split_at(length);
        match skipped {
            Some(_) => code.extend(read.chars().map(|c| if c == '\n' { c } else { ' ' })),
            None => code.push_str(read),
        }
        after_word = skipped.is_none() && (first.is_alphanumeric() || first == '_');
        rest = left;
    }
    code
}

/// The length of the comment that a text starts with.
fn comment(text: &str) -> Option<usize> {
    if text.starts_with("//") {
        return Some(text.find('\n').unwrap_or(text.len()));
    }
    if !text.starts_with("/*") {
        return None;
    }
    let (mut depth, mut at) = (0_usize, 0);
    while at < text.len() {
        let rest = &text[at..];
        let step = rest.chars().next().map_or(1, char::len_utf8);
        at += match rest.get(..2) {
            Some("/*") => {
                depth += 1;
                2
            }
            Some("*/") => {
                depth -= 1;
                2
            }
            _ => step,
        };
        if depth == 0 {
            break;
        }
    }
    Some(at)
}

/// The length of the string or character, with its prefix, that a text starts with.
fn literal(text: &str) -> Option<usize> {
    let raw = text.trim_start_matches(['b', 'c']);
    let prefix = text.len() - raw.len();
    if let Some(marks) = raw.strip_prefix('r').filter(|_| prefix < 2) {
        let opened = marks.trim_start_matches('#');
        let marks = &marks[..marks.len() - opened.len()];
        if let Some(content) = opened.strip_prefix('"') {
            let end = format!("\"{marks}");
            let length = content
                .find(&end)
                .map_or(content.len(), |at| at + end.len());
            return Some(text.len() - content.len() + length);
        }
    }
    (prefix < 2)
        .then(|| quoted(raw))?
        .map(|length| prefix + length)
}

/// The length of the string or character that a text starts with; a lifetime is neither.
fn quoted(text: &str) -> Option<usize> {
    let quote = text.chars().next().filter(|c| matches!(c, '"' | '\''))?;
    let mut inside = text.char_indices().skip(1);
    if quote == '\'' {
        let (_, letter) = inside.clone().next()?;
        let (_, after) = inside.clone().nth(1)?;
        if letter != '\\' && after != '\'' {
            return None;
        }
    }
    while let Some((at, c)) = inside.next() {
        if c == '\\' {
            inside.next();
        } else if c == quote {
            return Some(at + 1);
        }
    }
    Some(text.len())
}

/// Blanks what is compiled for tests only, and names the test modules with files of their own.
fn without_tests(code: &str) -> (String, Vec<String>) {
    let mut kept = String::with_capacity(code.len());
    let mut modules = Vec::new();
    let mut rest = code;
    let marks = ["#[cfg(test)]", "#[cfg(all(test,"];
    while let Some(at) = marks.iter().filter_map(|mark| rest.find(mark)).min() {
        let (before, item) = rest.split_at(at);
        let end = end_of_item(item);
        kept.push_str(before);
        kept.extend(item[..end].chars().map(|c| if c == '\n' { c } else { ' ' }));
        let declared = item[..end].trim_end().strip_suffix(';');
        let module = declared.and_then(|item| item.rsplit_once("mod "));
        modules.extend(module.map(|(_, name)| name.trim().to_owned()));
        rest = &item[end..];
    }
    kept.push_str(rest);
    (kept, modules)
}

/// An item ends with its braces, or with a semicolon or comma before any.
fn end_of_item(item: &str) -> usize {
    let mut depth = 0_usize;
    for (at, c) in item.char_indices() {
        match c {
            '(' | '[' | '{' => depth += 1,
            ')' | ']' => depth = depth.saturating_sub(1),
            '}' if depth <= 1 => return at + usize::from(depth == 1),
            '}' => depth -= 1,
            ';' | ',' if depth == 0 => return at + 1,
            _ => {}
        }
    }
    item.len()
}

#[cfg(test)]
mod tests {
    use super::Source;

    fn paths(text: &str) -> Vec<String> {
        let named = Source::read(text).paths().into_iter();
        named
            .filter(|named| named.segments.len() > 1)
            .map(|named| format!("{} {}", named.line, named.segments.join("::")))
            .collect()
    }

    #[test]
    fn trees_are_spelled_out_with_their_lines() {
        let text =
            "use crate::{\n    a::{self, b},\n    c::*, d as e,\n};\nfn f() { crate::g::h(); }";
        assert_eq!(
            paths(text),
            [
                "2 crate::a::self",
                "2 crate::a::b",
                "3 crate::c::*",
                "3 crate::d",
                "5 crate::g::h"
            ]
        );
    }

    #[test]
    fn comments_and_text_are_no_code() {
        let text = "// crate::a::b\n/* crate::a /* crate::b */ crate::c */\n//! crate::d\n\
                    const A: &str = \"crate::e \\\" crate::f\"; const B: &str = r#\"crate::g\" crate::h\"#;\n\
                    const C: char = '\"'; fn f<'a>(x: &'a str) { b\"crate::i\"; '\\''; crate::j::k }";
        assert_eq!(paths(text), ["5 crate::j::k"]);
    }

    #[test]
    fn tests_are_no_code() {
        let text = "#[cfg(test)]\nuse crate::a::b;\n#[cfg(test)]\nmod testing;\nuse crate::c::d;\n\
                    #[cfg(test)]\nmod tests {\n    fn f() { if x { crate::e::f } }\n}\nuse crate::g::h;";
        assert_eq!(paths(text), ["5 crate::c::d", "10 crate::g::h"]);
        assert_eq!(Source::read(text).test_modules, ["testing"]);
        assert_eq!(Source::lines_before_tests(text), 5);
        let shared = text.replace("mod tests {", "pub(super) mod tests {");
        assert_eq!(Source::lines_before_tests(&shared), 5);
        assert_eq!(
            Source::lines_before_tests("a;\n#[cfg(test)]\nmod tests;\nb;"),
            4
        );
    }
}
