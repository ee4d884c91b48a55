//! A document read piece by piece, in the form that programs mostly write, and without keeping more of it
//! than is asked for.

use std::borrow::Cow;

use super::parser;

/// A reader that knows what comes next. Where something else does it says `None`, and the document is
/// read anew by [`parse`](super::parse), which takes all that JSON can say and tells what is wrong with the
/// rest: whatever is taken here means the same there.
#[derive(Debug, Clone)]
pub struct Plain<'t> {
    text: &'t str,
    /// The next byte.
    at: usize,
}

/// A string as it stands in a document.
#[derive(Debug, Clone, Copy)]
pub struct Text<'t> {
    document: &'t str,
    /// What is between the quotes.
    between: &'t str,
    escaped: bool,
}

impl<'t> Plain<'t> {
    /// `None` where the bytes are not UTF-8.
    pub fn new(bytes: &'t [u8]) -> Option<Self> {
        let text = std::str::from_utf8(bytes).ok()?;
        Some(Self { text, at: 0 })
    }

    /// Takes a bracket, a colon or a comma, with the white space before it.
    pub fn take(&mut self, byte: u8) -> Option<()> {
        self.skip_space();
        self.next_is(byte).then(|| self.at += 1)
    }

    /// Takes a string, with the white space before it.
    pub fn string(&mut self) -> Option<Text<'t>> {
        self.take(b'"')?;
        let start = self.at;
        let mut escaped = false;
        loop {
            let rest = &self.text.as_bytes()[self.at..];
            let plain = rest
                .iter()
                .position(|byte| matches!(byte, b'"' | b'\\') || *byte < 0x20)?;
            self.at += plain;
            match rest[plain] {
                b'"' => {
                    let between = self.text.get(start..self.at)?;
                    self.at += 1;
                    return Some(Text {
                        document: self.text,
                        between,
                        escaped,
                    });
                }
                b'\\' => {
                    escaped = true;
                    // Whatever is escaped, it is not the end; what it says is read later.
                    self.at += 2;
                    if self.at > self.text.len() {
                        return None;
                    }
                }
                _ => return None,
            }
        }
    }

    /// Takes the same string as once before, with the white space before it. Quicker than reading it.
    pub fn again(&mut self, text: Text<'t>) -> Option<()> {
        self.skip_space();
        let rest = self.text.as_bytes()[self.at..].strip_prefix(b"\"")?;
        let rest = rest.strip_prefix(text.between.as_bytes())?;
        (rest.first() == Some(&b'"')).then(|| self.at += text.between.len() + 2)
    }

    /// Takes a whole number from 0 without sign, fraction and exponent, with the white space before it.
    pub fn whole_number(&mut self) -> Option<u64> {
        self.skip_space();
        let digits = self.text.as_bytes()[self.at..].iter();
        let count = digits.take_while(|byte| byte.is_ascii_digit()).count();
        let digits = self.text.get(self.at..self.at + count)?;
        if count > 1 && digits.starts_with('0') {
            return None;
        }
        let number = digits.parse().ok()?;
        self.at += count;
        let goes_on = [b'.', b'e', b'E']
            .into_iter()
            .any(|byte| self.next_is(byte));
        (!goes_on).then_some(number)
    }

    /// Whether nothing but white space is left.
    pub fn is_at_end(&mut self) -> bool {
        self.skip_space();
        self.at == self.text.len()
    }

    fn skip_space(&mut self) {
        let bytes = self.text.as_bytes();
        while matches!(bytes.get(self.at), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }

    fn next_is(&self, byte: u8) -> bool {
        self.text.as_bytes().get(self.at) == Some(&byte)
    }
}

impl<'t> Text<'t> {
    /// What is between the quotes, escapes as they stand there.
    pub const fn between(self) -> &'t str {
        self.between
    }

    /// What it says; `None` where an escape is none.
    pub fn read(self) -> Option<Cow<'t, str>> {
        if !self.escaped {
            return Some(Cow::Borrowed(self.between));
        }
        let start = self.between.as_ptr() as usize - self.document.as_ptr() as usize;
        let text = parser::string_at(self.document, start - 1).ok()?;
        Some(Cow::Owned(text))
    }
}

#[cfg(test)]
mod tests {
    use super::super::parse;
    use super::*;
    use proptest::prelude::*;

    fn string(document: &str) -> Option<String> {
        let mut plain = Plain::new(document.as_bytes())?;
        let text = plain.string().filter(|_| plain.is_at_end())?;
        text.read().map(Cow::into_owned)
    }

    fn number(document: &str) -> Option<u64> {
        let mut plain = Plain::new(document.as_bytes())?;
        plain.whole_number().filter(|_| plain.is_at_end())
    }

    #[test]
    fn numbers_are_those_that_are_written_plainly() {
        for (document, expected) in [("0", 0), (" 17 ", 17), ("18446744073709551615", u64::MAX)] {
            assert_eq!(number(document), Some(expected));
        }
        for other in [
            "",
            "01",
            "-1",
            "1.0",
            "1e3",
            "1E3",
            "18446744073709551616",
            "1 2",
            "x",
        ] {
            assert_eq!(number(other), None, "{other}");
        }
    }

    #[test]
    fn a_string_is_taken_again_where_it_is_the_same() {
        let mut plain = Plain::new(br#""a\/b" "a\/b""a/b" "a\/bc""#).unwrap();
        let text = plain.string().unwrap();
        assert_eq!(
            (text.between(), text.read().unwrap().as_ref()),
            ("a\\/b", "a/b")
        );
        assert_eq!(plain.again(text), Some(()));
        for _ in 0..2 {
            assert_eq!(plain.again(text), None);
            plain.string().unwrap();
        }
        assert!(plain.is_at_end());
    }

    proptest! {
        /// What is read is what the strict reader reads, and what it refuses is not read.
        #[test]
        fn strings_are_read_as_ever(text in r#"[a-c/é"\\\u{1}\u{7f} ]{0,6}|\\u[0-9a-f]{4}|(\\[nu/"x]|a){0,3}"#) {
            let document = format!("\"{text}\"");
            let expected = parse(document.as_bytes()).ok();
            let expected = expected.and_then(|value| value.as_str().map(str::to_owned));
            prop_assert_eq!(string(&document), expected);
        }

        #[test]
        fn whatever_stands_there_is_read_without_a_panic(bytes in prop::collection::vec(any::<u8>(), 0..40)) {
            if let Some(plain) = Plain::new(&bytes) {
                for at in 0..=plain.text.len() {
                    if plain.text.is_char_boundary(at) {
                        let mut from = Plain { text: plain.text, at };
                        let _ = from.clone().whole_number();
                        let _ = from.string().and_then(Text::read);
                    }
                }
            }
        }
    }
}
