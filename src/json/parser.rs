//! The reader of documents.

use serde_json::map::Entry;
use serde_json::{Map, Number, Value};

use super::{JsonError, MAX_DEPTH};

pub(super) fn parse(bytes: &[u8]) -> Result<Value, JsonError> {
    let text = std::str::from_utf8(bytes).map_err(|error| {
        let (line, column) = position(bytes, error.valid_up_to());
        JsonError::NotUtf8 { line, column }
    })?;
    let mut parser = Parser { text, at: 0 };
    parser.skip_space();
    let value = parser.value(0)?;
    parser.skip_space();
    if parser.at < text.len() {
        return Err(parser.syntax("the end of the document"));
    }
    Ok(value)
}

/// See [`super::apart`].
pub(super) fn apart<'t>(bytes: &'t [u8], member: &str) -> Option<(Value, Vec<Item<'t>>)> {
    let text = std::str::from_utf8(bytes).ok()?;
    let mut parser = Parser { text, at: 0 };
    parser.skip_space();
    let mut rest = Map::new();
    let mut items = None;
    parser.each('{', '}', |parser| {
        let name = (parser.peek() == Some(b'"')).then(|| parser.string().ok())??;
        parser.skip_space();
        parser.eat(b':').then(|| parser.skip_space())?;
        let value = match (name == member, parser.peek()) {
            (true, Some(b'[')) => {
                let mut found = Vec::new();
                parser.each('[', ']', |parser| {
                    found.push(Item(parser.skip_nested()?));
                    Some(())
                })?;
                items = Some(found);
                Value::Array(Vec::new())
            }
            _ => parser.value(1).ok()?,
        };
        rest.insert(name, value).is_none().then_some(())
    })?;
    parser.skip_space();
    (parser.at == text.len()).then_some((Value::Object(rest), items?))
}

/// The text of an item in an array that is a member of a document.
#[derive(Debug, Clone, Copy)]
pub struct Item<'t>(&'t str);

impl Item<'_> {
    /// What it says.
    ///
    /// # Errors
    /// As [`parse`](super::parse), but for the places in them, which count from the item.
    pub fn parse(self) -> Result<Value, JsonError> {
        let mut parser = Parser {
            text: self.0,
            at: 0,
        };
        let value = parser.value(ITEM_DEPTH)?;
        match parser.at == self.0.len() {
            true => Ok(value),
            false => Err(parser.syntax("the end of the item")),
        }
    }
}

/// The text of a string that begins at this place.
pub(super) fn string_at(text: &str, at: usize) -> Result<String, JsonError> {
    Parser { text, at }.string()
}

/// The document is at depth 0, and the array at 1.
const ITEM_DEPTH: usize = 2;

/// A recursive-descent reader; `depth` bounds the recursion.
struct Parser<'a> {
    text: &'a str,
    /// The next byte; always on a character boundary when a slice is taken.
    at: usize,
}

impl<'t> Parser<'t> {
    fn value(&mut self, depth: usize) -> Result<Value, JsonError> {
        match self.peek() {
            Some(b'{' | b'[') if depth == MAX_DEPTH => Err(JsonError::TooDeep {
                pointer: String::new(),
            }),
            Some(b'{') => self.object(depth),
            Some(b'[') => self.array(depth),
            Some(b'"') => self.string().map(Value::String),
            Some(b'-' | b'0'..=b'9') => self.number(),
            _ => self.word(),
        }
    }

    fn object(&mut self, depth: usize) -> Result<Value, JsonError> {
        let mut members = Map::new();
        self.at += 1;
        self.skip_space();
        if self.eat(b'}') {
            return Ok(Value::Object(members));
        }
        loop {
            if self.peek() != Some(b'"') {
                return Err(self.syntax("a member's name in double quotes"));
            }
            let name = self.string()?;
            self.skip_space();
            if !self.eat(b':') {
                return Err(self.syntax("':'"));
            }
            self.skip_space();
            let member = self.value(depth + 1).map_err(|error| error.inside(&name))?;
            match members.entry(name) {
                Entry::Vacant(place) => drop(place.insert(member)),
                Entry::Occupied(first) => {
                    return Err(JsonError::Duplicate {
                        pointer: String::new(),
                        member: first.key().clone(),
                    });
                }
            }
            self.skip_space();
            if self.eat(b'}') {
                return Ok(Value::Object(members));
            }
            if !self.eat(b',') {
                return Err(self.syntax("',' or '}'"));
            }
            self.skip_space();
        }
    }

    fn array(&mut self, depth: usize) -> Result<Value, JsonError> {
        let mut items = Vec::new();
        self.at += 1;
        self.skip_space();
        if self.eat(b']') {
            return Ok(Value::Array(items));
        }
        loop {
            let item = self.value(depth + 1);
            items.push(item.map_err(|error| error.inside(&items.len().to_string()))?);
            self.skip_space();
            if self.eat(b']') {
                return Ok(Value::Array(items));
            }
            if !self.eat(b',') {
                return Err(self.syntax("',' or ']'"));
            }
            self.skip_space();
        }
    }

    /// Goes through what stands between two brackets, with commas between; `None` where that is
    /// anything else.
    fn each(
        &mut self,
        open: char,
        close: char,
        mut item: impl FnMut(&mut Self) -> Option<()>,
    ) -> Option<()> {
        self.eat(open as u8).then(|| self.skip_space())?;
        if self.eat(close as u8) {
            return Some(());
        }
        loop {
            item(self)?;
            self.skip_space();
            if self.eat(close as u8) {
                return Some(());
            }
            self.eat(b',').then(|| self.skip_space())?;
        }
    }

    /// The text of an object, an array or a string, as far as its brackets and quotes tell: what
    /// is between them is not read.
    fn skip_nested(&mut self) -> Option<&'t str> {
        let bytes = self.text.as_bytes();
        let (start, mut open) = (self.at, 0usize);
        loop {
            match bytes.get(self.at)? {
                b'"' => loop {
                    self.at += 1;
                    match bytes.get(self.at)? {
                        b'"' => break,
                        b'\\' => self.at += 1,
                        _ => {}
                    }
                },
                b'{' | b'[' => open += 1,
                b'}' | b']' => open = open.checked_sub(1)?,
                // A number or a word by itself.
                _ if open == 0 => return None,
                _ => {}
            }
            self.at += 1;
            if open == 0 {
                return self.text.get(start..self.at);
            }
        }
    }

    fn string(&mut self) -> Result<String, JsonError> {
        let mut out = String::new();
        self.at += 1;
        loop {
            let plain = self.at;
            while self
                .peek()
                .is_some_and(|byte| byte >= 0x20 && byte != b'"' && byte != b'\\')
            {
                self.at += 1;
            }
            // Both ends stand beside ASCII bytes, so they are character boundaries.
            out.push_str(&self.text[plain..self.at]);
            match self.peek() {
                Some(b'"') => {
                    self.at += 1;
                    return Ok(out);
                }
                Some(b'\\') => out.push(self.escape()?),
                Some(_) => return Err(self.syntax("no control character in a string; escape it")),
                None => return Err(self.syntax("'\"' at the end of the string")),
            }
        }
    }

    fn escape(&mut self) -> Result<char, JsonError> {
        let start = self.at;
        self.at += 2;
        Ok(match self.text.as_bytes().get(start + 1) {
            Some(b'"') => '"',
            Some(b'\\') => '\\',
            Some(b'/') => '/',
            Some(b'b') => '\u{8}',
            Some(b'f') => '\u{c}',
            Some(b'n') => '\n',
            Some(b'r') => '\r',
            Some(b't') => '\t',
            Some(b'u') => return self.unicode_escape(start),
            _ => return Err(self.syntax_at(start, "one of \\\" \\\\ \\/ \\b \\f \\n \\r \\t \\u")),
        })
    }

    fn unicode_escape(&mut self, start: usize) -> Result<char, JsonError> {
        let first = self.hex4()?;
        let code = match first {
            0xd800..=0xdbff => {
                let paired = self.text.as_bytes()[self.at..].starts_with(b"\\u");
                self.at += if paired { 2 } else { 0 };
                match if paired { self.hex4()? } else { 0 } {
                    low @ 0xdc00..=0xdfff => 0x1_0000 + ((first - 0xd800) << 10) + (low - 0xdc00),
                    _ => return Err(self.syntax_at(start, "both halves of a surrogate pair")),
                }
            }
            code => code,
        };
        // Only a lone low surrogate is left that is no character.
        char::from_u32(code).ok_or_else(|| self.syntax_at(start, "both halves of a surrogate pair"))
    }

    fn hex4(&mut self) -> Result<u32, JsonError> {
        let digits = self.text.as_bytes().get(self.at..self.at + 4);
        let value = digits.and_then(|digits| {
            digits.iter().try_fold(0, |value, &digit| {
                Some(value << 4 | char::from(digit).to_digit(16)?)
            })
        });
        let value = value.ok_or_else(|| self.syntax("four hexadecimal digits"))?;
        self.at += 4;
        Ok(value)
    }

    fn number(&mut self) -> Result<Value, JsonError> {
        let start = self.at;
        self.eat(b'-');
        if !self.eat(b'0') {
            self.digits()?;
        }
        let whole = self.at;
        if self.eat(b'.') {
            self.digits()?;
        }
        if matches!(self.peek(), Some(b'e' | b'E')) {
            self.at += 1;
            let _sign = self.eat(b'-') || self.eat(b'+');
            self.digits()?;
        }
        let text = &self.text[start..self.at];
        let number = if self.at > whole || text == "-0" {
            text.parse().ok().and_then(Number::from_f64)
        } else {
            let unsigned = text.parse::<u64>().map(Number::from);
            unsigned
                .or_else(|_| text.parse::<i64>().map(Number::from))
                .ok()
        };
        number
            .map(Value::Number)
            .ok_or_else(|| JsonError::NumberRange {
                pointer: String::new(),
                number: text.chars().take(40).collect(),
            })
    }

    /// One digit or more.
    fn digits(&mut self) -> Result<(), JsonError> {
        if !self.peek().is_some_and(|byte| byte.is_ascii_digit()) {
            return Err(self.syntax("a digit"));
        }
        while self.peek().is_some_and(|byte| byte.is_ascii_digit()) {
            self.at += 1;
        }
        Ok(())
    }

    fn word(&mut self) -> Result<Value, JsonError> {
        let words = [
            ("true", Value::Bool(true)),
            ("false", Value::Bool(false)),
            ("null", Value::Null),
        ];
        for (word, value) in words {
            if self.text.as_bytes()[self.at..].starts_with(word.as_bytes()) {
                self.at += word.len();
                return Ok(value);
            }
        }
        Err(self.syntax("a value"))
    }

    fn skip_space(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn eat(&mut self, byte: u8) -> bool {
        let found = self.peek() == Some(byte);
        self.at += usize::from(found);
        found
    }

    fn syntax(&self, expected: &'static str) -> JsonError {
        self.syntax_at(self.at, expected)
    }

    fn syntax_at(&self, offset: usize, expected: &'static str) -> JsonError {
        let (line, column) = position(self.text.as_bytes(), offset);
        JsonError::Syntax {
            line,
            column,
            pointer: String::new(),
            expected,
        }
    }
}

/// Line and column of a byte, both from 1. Everything before `offset` is UTF-8.
fn position(bytes: &[u8], offset: usize) -> (usize, usize) {
    let before = &bytes[..offset];
    let line_start = before
        .iter()
        .rposition(|&byte| byte == b'\n')
        .map_or(0, |newline| newline + 1);
    let line = 1 + before.iter().filter(|&&byte| byte == b'\n').count();
    let first_of_character = |byte: &&u8| **byte & 0xc0 != 0x80;
    (
        line,
        1 + before[line_start..]
            .iter()
            .filter(first_of_character)
            .count(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_two_readers_could_read_differently_is_refused() {
        let message = |text: &str| parse(text.as_bytes()).expect_err(text).to_string();
        assert_eq!(
            message(r#"{"a":[{"b/c":1,"b/c":2}]}"#),
            "/a/0: the member \"b/c\" stands twice; keep one of them"
        );
        assert_eq!(
            message(r#"{"a":1,"\u0061":2}"#),
            "the document: the member \"a\" stands twice; keep one of them"
        );
        assert_eq!(
            message("{\"ä\":\n {\"x~/y\": [1, tru]}}"),
            "line 2, column 15 (in /ä/x~0~1y/1): expected a value"
        );
        assert_eq!(
            message("[184467440737095516150]"),
            "/0: the number 184467440737095516150 is too large to be kept; write it as a string"
        );
        assert_eq!(
            parse(b"[\"ab\xff\"]"),
            Err(JsonError::NotUtf8 { line: 1, column: 5 })
        );
    }

    #[test]
    fn what_is_not_json_is_refused() {
        let bad = [
            "",
            " ",
            "{",
            "[",
            "[1,]",
            "{\"a\":1,}",
            "{a:1}",
            "{\"a\"}",
            "nul",
            "True",
            "'a'",
            "1 2",
            "[1]x",
            "01",
            "-",
            "1.",
            ".5",
            "1e",
            "+1",
            "0x10",
            "NaN",
            "1e400",
            "-1e400",
            "\"",
            "\"\\",
            "\"\\x\"",
            "\"\\u12\"",
            "\"\\u12g4\"",
            "\"\\ud800\"",
            "\"\\ud800\\u0041\"",
            "\"\\udc00\"",
            "\"\\ud800\\ud800\"",
            "\"\t\"",
            "\"\u{0}\"",
            "\u{feff}{}",
            "[1}",
            "\"\\u+123\"",
            "//\n1",
        ];
        for text in bad {
            assert!(parse(text.as_bytes()).is_err(), "{text:?}");
        }
        assert_eq!(parse(br#""\ud83d\ude00\u00e9\/""#), Ok(Value::from("😀é/")));
        assert_eq!(parse(b"-0").unwrap().to_string(), "-0.0");
    }

    #[test]
    fn depth_is_bounded() {
        let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        assert!(parse(nested(MAX_DEPTH).as_bytes()).is_ok());
        let pointer = "/0".repeat(MAX_DEPTH);
        let error = parse(nested(MAX_DEPTH + 1).as_bytes());
        assert_eq!(error, Err(JsonError::TooDeep { pointer }));
        for (depth, good) in [(MAX_DEPTH - 2, true), (MAX_DEPTH - 1, false)] {
            let text = format!("{{\"items\":[{}]}}", nested(depth));
            assert_eq!(parse(text.as_bytes()).is_ok(), good);
            let (_, items) = apart(text.as_bytes(), "items").unwrap();
            assert_eq!(items[0].parse().is_ok(), good);
        }
        assert!(parse("[".repeat(1_000_000).as_bytes()).is_err());
    }

    fn documents() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            any::<u64>().prop_map(Value::from),
            any::<f64>().prop_filter_map("finite", |n| Number::from_f64(n).map(Value::Number)),
            any::<String>().prop_map(Value::from),
        ];
        leaf.prop_recursive(5, 64, 6, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
                prop::collection::vec((any::<String>(), inner), 0..6)
                    .prop_map(|members| Value::Object(members.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn what_was_written_is_read_back(document in documents()) {
            let compact = serde_json::to_vec(&document).unwrap();
            prop_assert_eq!(parse(&compact), Ok(document.clone()));
            let pretty = serde_json::to_vec_pretty(&document).unwrap();
            prop_assert_eq!(parse(&pretty), Ok(document.clone()));
            prop_assert_eq!(crate::json::from_value::<Value>(&document), Ok(document));
        }

        #[test]
        fn items_that_are_read_apart_are_those_of_the_document(
            document in documents(),
            before in documents(),
            place in any::<prop::sample::Index>(),
            other: u8,
        ) {
            let whole = serde_json::json!({"before": before, "items": [document, "a\\\"]", []]});
            let mut bytes = serde_json::to_vec_pretty(&whole).unwrap();
            let (rest, items) = apart(&bytes, "items").map_or((None, None), |(rest, items)| {
                (Some(rest), items.into_iter().map(Item::parse).collect::<Result<Vec<_>, _>>().ok())
            });
            if whole["items"][0].is_object() || whole["items"][0].is_array() {
                prop_assert_eq!(items, whole["items"].as_array().cloned());
                prop_assert_eq!(rest, Some(serde_json::json!({"before": before, "items": []})));
            }
            // Whatever else stands somewhere: what is read apart is what is read as a whole.
            let place = place.index(bytes.len());
            bytes[place] = other;
            if let Some((mut rest, items)) = apart(&bytes, "items")
                && let Ok(items) = items.into_iter().map(Item::parse).collect::<Result<Vec<_>, _>>()
            {
                rest["items"] = Value::Array(items);
                prop_assert_eq!(parse(&bytes), Ok(rest));
            }
        }

        #[test]
        fn nothing_is_accepted_that_is_not_json(text in r#"[\[\]{}",:0-9eE.+\-\\ untrf]{0,12}"#) {
            let theirs = serde_json::from_str::<Value>(&text);
            match parse(text.as_bytes()) {
                Ok(ours) => {
                    let theirs = theirs.unwrap();
                    // serde_json's default reading of doubles may be off in the last place.
                    if ours.as_f64().is_none() {
                        prop_assert_eq!(ours, theirs);
                    }
                }
                Err(JsonError::Duplicate { .. } | JsonError::NumberRange { .. }) => {}
                Err(_) => prop_assert!(theirs.is_err(), "{}", text),
            }
        }

        #[test]
        fn bytes_never_panic(bytes: Vec<u8>) {
            let _either = parse(&bytes);
        }
    }
}
