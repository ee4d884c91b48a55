//! N-Quads: the canonical form that is hashed and signed (RDFC-1.0, appendix A), and a parser
//! of the whole grammar (N-Quads 1.1) for test suites and tools.

use std::collections::HashMap;
use std::iter::Peekable;
use std::str::Chars;
use std::sync::Arc;

use thiserror::Error;

use super::rdf::{Dataset, Literal, Quad, RDF_LANG_STRING, Term, XSD_STRING};

/// A parsed document: its statements, and the label that each blank node had.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Parsed {
    /// The statements, in the order of the lines.
    pub dataset: Dataset,
    /// `labels[n]` is the label, without `_:`, of blank node number `n`.
    pub labels: Vec<String>,
}

/// A line is not a statement.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("line {line}: {problem}")]
pub struct ParseError {
    /// Number of the line, from 1.
    pub line: usize,
    /// What stands there instead of what the grammar wants.
    pub problem: Problem,
}

/// What is wrong with a line.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Problem {
    /// A subject or a graph name is neither `<iri>` nor `_:label`.
    #[error("write an IRI in <> or a blank node label for the {0}")]
    Node(&'static str),
    /// The predicate is not `<iri>`.
    #[error("write an IRI in <> for the predicate")]
    Predicate,
    /// The object is no term at all.
    #[error("write an IRI in <>, a blank node label or a quoted text for the object")]
    Object,
    /// An IRI is not closed, is relative, or has a character that has to be percent-encoded.
    #[error("an IRI is not closed by >, is not absolute, or has a character that IRIs cannot have")]
    Iri,
    /// A quoted text does not end on its line.
    #[error("a quoted text is not closed on its line")]
    Unclosed,
    /// A backslash is not followed by one of the escapes.
    #[error(
        "an escape is none of \\t \\b \\n \\r \\f \\\" \\' \\\\, \\u with four hexadecimal digits, \\U with \
         eight"
    )]
    Escape,
    /// The text after `@` is not a language tag.
    #[error("a language tag is letters, then parts of letters and digits after '-'")]
    Language,
    /// The text after `_:` is not a label.
    #[error("a blank node label starts with a letter, a digit or '_', and does not end with '.'")]
    Label,
    /// The final `.` is missing, or something follows it.
    #[error("end the statement with one '.', and nothing after it but a comment")]
    End,
}

/// Writes the dataset in canonical line form, in the order in which it holds its statements,
/// with blank nodes named `_:b0`, `_:b1`, … by their numbers. Sorting and canonical labels are
/// the work of [`super::canon::canonicalize`].
///
/// Characters that an IRI or a language tag cannot have are written as they are; datasets from
/// outside go through [`super::canon::canonicalize`], which refuses them.
pub fn write(dataset: &Dataset) -> String {
    let mut out = String::new();
    for quad in &dataset.quads {
        push_term(&mut out, &quad.subject);
        out.push(' ');
        push_iri(&mut out, &quad.predicate);
        out.push(' ');
        push_term(&mut out, &quad.object);
        if let Some(graph) = &quad.graph {
            out.push(' ');
            push_term(&mut out, graph);
        }
        out.push_str(" .\n");
    }
    out
}

/// Reads a document: comments, empty lines, any white space between terms and every escape of
/// the grammar are accepted.
///
/// # Errors
/// The first line that is not a statement, with what is wrong there.
pub fn parse(text: &str) -> Result<Parsed, ParseError> {
    let mut parsed = Parsed::default();
    let mut numbers = HashMap::new();
    for (index, line) in text.split('\n').enumerate() {
        // A lone carriage return ends a line too, but no editor counts it as one.
        for part in line.split('\r') {
            let rest = part.chars().peekable();
            let mut reader = Line {
                rest,
                parsed: &mut parsed,
                numbers: &mut numbers,
            };
            let located = |problem| ParseError {
                line: index + 1,
                problem,
            };
            let statement = reader.statement().map_err(located)?;
            parsed.dataset.quads.extend(statement);
        }
    }
    parsed.dataset.blank_count = numbers.len() as u32;
    Ok(parsed)
}

/// Appends `<iri>`.
pub(super) fn push_iri(out: &mut String, iri: &str) {
    out.push('<');
    out.push_str(iri);
    out.push('>');
}

/// Appends a literal: escapes as appendix A wants them, no datatype for plain strings.
pub(super) fn push_literal(out: &mut String, literal: &Literal) {
    out.push('"');
    push_escaped(out, &literal.value);
    out.push('"');
    if let Some(language) = &literal.language {
        out.push('@');
        out.push_str(language);
    } else if &*literal.datatype != XSD_STRING {
        out.push_str("^^");
        push_iri(out, &literal.datatype);
    }
}

fn push_term(out: &mut String, term: &Term) {
    match term {
        Term::Iri(iri) => push_iri(out, iri),
        Term::Blank(number) => {
            out.push_str("_:b");
            out.push_str(&number.to_string());
        }
        Term::Literal(literal) => push_literal(out, literal),
    }
}

fn push_escaped(out: &mut String, text: &str) {
    let mut copied = 0;
    for (place, byte) in text.bytes().enumerate() {
        if byte >= b' ' && byte != b'"' && byte != b'\\' && byte != 0x7f {
            continue;
        }
        out.push_str(&text[copied..place]);
        copied = place + 1;
        match byte {
            8 => out.push_str("\\b"),
            b'\t' => out.push_str("\\t"),
            b'\n' => out.push_str("\\n"),
            12 => out.push_str("\\f"),
            b'\r' => out.push_str("\\r"),
            b'"' => out.push_str("\\\""),
            b'\\' => out.push_str("\\\\"),
            control => out.push_str(&format!("\\u{control:04X}")),
        }
    }
    out.push_str(&text[copied..]);
}

/// Reads one line, from left to right.
struct Line<'a> {
    rest: Peekable<Chars<'a>>,
    parsed: &'a mut Parsed,
    numbers: &'a mut HashMap<String, u32>,
}

impl Line<'_> {
    /// The statement of the line, if it has one.
    fn statement(&mut self) -> Result<Option<Quad>, Problem> {
        self.space();
        if matches!(self.rest.peek(), None | Some('#')) {
            return Ok(None);
        }
        let subject = self.node().ok_or(Problem::Node("subject"))??;
        self.space();
        let Some('<') = self.rest.peek() else {
            return Err(Problem::Predicate);
        };
        let predicate = self.iri()?;
        self.space();
        let object = match self.rest.peek() {
            Some('"') => self.literal()?,
            _ => self.node().ok_or(Problem::Object)??,
        };
        self.space();
        let graph = match self.rest.peek() {
            Some('.') | None => None,
            _ => Some(self.node().ok_or(Problem::Node("graph name"))??),
        };
        self.end()?;
        Ok(Some(Quad {
            subject,
            predicate,
            object,
            graph,
        }))
    }

    fn space(&mut self) {
        while self.rest.next_if(|c| matches!(c, ' ' | '\t')).is_some() {}
    }

    fn end(&mut self) -> Result<(), Problem> {
        self.space();
        if self.rest.next() != Some('.') {
            return Err(Problem::End);
        }
        self.space();
        match self.rest.next() {
            None | Some('#') => Ok(()),
            Some(_) => Err(Problem::End),
        }
    }

    /// An IRI or a blank node, or `None` where neither begins.
    fn node(&mut self) -> Option<Result<Term, Problem>> {
        match self.rest.peek()? {
            '<' => Some(self.iri().map(Term::Iri)),
            '_' => Some(self.blank()),
            _ => None,
        }
    }

    fn iri(&mut self) -> Result<Arc<str>, Problem> {
        self.rest.next();
        let mut iri = String::new();
        loop {
            let c = match self.rest.next().ok_or(Problem::Iri)? {
                '>' => break,
                '\\' => match self.rest.next() {
                    Some(size @ ('u' | 'U')) => self.code_point(size)?,
                    _ => return Err(Problem::Escape),
                },
                c => c,
            };
            if !is_iri_char(c) {
                return Err(Problem::Iri);
            }
            iri.push(c);
        }
        if has_scheme(&iri) {
            Ok(iri.into())
        } else {
            Err(Problem::Iri)
        }
    }

    fn blank(&mut self) -> Result<Term, Problem> {
        self.rest.next();
        if self.rest.next() != Some(':') {
            return Err(Problem::Label);
        }
        let mut label = String::new();
        loop {
            // A '.' belongs to the label only where more of the label follows it.
            let mut ahead = self.rest.clone();
            let dots = std::iter::from_fn(|| ahead.next_if_eq(&'.')).count();
            let Some(&next) = ahead.peek().filter(|&&c| is_label_char(c)) else {
                break;
            };
            label.extend(std::iter::repeat_n('.', dots));
            label.push(next);
            ahead.next();
            self.rest = ahead;
        }
        if !label.starts_with(|c: char| c.is_alphanumeric() || c == '_' || c == ':') {
            return Err(Problem::Label);
        }
        let fresh = self.parsed.labels.len() as u32;
        let number = *self.numbers.entry(label).or_insert_with_key(|label| {
            self.parsed.labels.push(label.clone());
            fresh
        });
        Ok(Term::Blank(number))
    }

    fn literal(&mut self) -> Result<Term, Problem> {
        self.rest.next();
        let value: Arc<str> = self.quoted()?.into();
        let (datatype, language) = match self.rest.peek() {
            Some('@') => (RDF_LANG_STRING.into(), Some(self.language()?)),
            Some('^') => {
                let marks = (self.rest.next(), self.rest.next(), self.rest.peek());
                let (Some('^'), Some('^'), Some('<')) = marks else {
                    return Err(Problem::Object);
                };
                (self.iri()?, None)
            }
            _ => (XSD_STRING.into(), None),
        };
        Ok(Term::Literal(Literal {
            value,
            datatype,
            language,
        }))
    }

    fn quoted(&mut self) -> Result<String, Problem> {
        let mut value = String::new();
        loop {
            let c = match self.rest.next().ok_or(Problem::Unclosed)? {
                '"' => return Ok(value),
                '\\' => match self.rest.next().ok_or(Problem::Unclosed)? {
                    't' => '\t',
                    'b' => '\u{8}',
                    'n' => '\n',
                    'r' => '\r',
                    'f' => '\u{c}',
                    c @ ('"' | '\'' | '\\') => c,
                    size @ ('u' | 'U') => self.code_point(size)?,
                    _ => return Err(Problem::Escape),
                },
                c => c,
            };
            value.push(c);
        }
    }

    fn code_point(&mut self, size: char) -> Result<char, Problem> {
        let digits = if size == 'u' { 4 } else { 8 };
        let mut value = 0;
        for _ in 0..digits {
            let digit = self
                .rest
                .next()
                .and_then(|c| c.to_digit(16))
                .ok_or(Problem::Escape)?;
            value = value << 4 | digit;
        }
        char::from_u32(value).ok_or(Problem::Escape)
    }

    fn language(&mut self) -> Result<Arc<str>, Problem> {
        self.rest.next();
        let mut tag = String::new();
        while let Some(c) = self
            .rest
            .next_if(|&c| c.is_ascii_alphanumeric() || c == '-')
        {
            tag.push(c);
        }
        if is_language_tag(&tag) {
            Ok(tag.into())
        } else {
            Err(Problem::Language)
        }
    }
}

/// Whether `LANGTAG` of the grammar, without its `@`, produces the text.
pub(super) fn is_language_tag(tag: &str) -> bool {
    let mut parts = tag.split('-');
    let first = parts.next().unwrap_or_default();
    !first.is_empty()
        && first.bytes().all(|b| b.is_ascii_alphabetic())
        && parts.all(|part| !part.is_empty() && part.bytes().all(|b| b.is_ascii_alphanumeric()))
}

fn is_iri_char(c: char) -> bool {
    c > ' ' && !matches!(c, '<' | '>' | '"' | '{' | '}' | '|' | '^' | '`' | '\\')
}

fn has_scheme(iri: &str) -> bool {
    let Some((scheme, _)) = iri.split_once(':') else {
        return false;
    };
    scheme.starts_with(|c: char| c.is_ascii_alphabetic())
        && scheme
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'-' | b'.'))
}

fn is_label_char(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '_' | ':' | '-' | '\u{b7}' | '\u{300}'..='\u{36f}')
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn every_form_of_the_grammar_is_read() {
        let text = "# a comment\n\n\t<urn:a>\t<urn:p> _:x.y <urn:g> . # more\r\n\
                    _:x.y<urn:p>\"a\\u0041\\U0001F303\\\"\"@en-GB.\n\
                    <urn:a> <urn:p> \"1\"^^<urn:\\u0064> _:g .";
        let parsed = parse(text).unwrap();
        assert_eq!(parsed.labels, ["x.y", "g"]);
        assert_eq!(
            write(&parsed.dataset),
            "<urn:a> <urn:p> _:b0 <urn:g> .\n\
             _:b0 <urn:p> \"aA🌃\\\"\"@en-GB .\n\
             <urn:a> <urn:p> \"1\"^^<urn:d> _:b1 .\n"
        );
    }

    #[test]
    fn errors_name_the_line() {
        for (line, problem) in [
            ("\"x\" <urn:p> <urn:o> .", Problem::Node("subject")),
            ("<urn:s> _:p <urn:o> .", Problem::Predicate),
            ("<urn:s> <urn:p> .", Problem::Object),
            ("<urn:s> <urn:p> \"1\"^<urn:d> .", Problem::Object),
            (
                "<urn:s> <urn:p> <urn:o> \"g\" .",
                Problem::Node("graph name"),
            ),
            ("<urn:s> <urn:p> <o> .", Problem::Iri),
            ("<urn:s> <urn:p> <urn:a b> .", Problem::Iri),
            ("<urn:s> <urn:p> <urn:\\u0020> .", Problem::Iri),
            ("<urn:s> <urn:p", Problem::Iri),
            ("<urn:s> <urn:p> \"x .", Problem::Unclosed),
            ("<urn:s> <urn:p> \"\\x\" .", Problem::Escape),
            ("<urn:s> <urn:p> \"\\uD800\" .", Problem::Escape),
            ("<urn:s> <urn:p> \"x\"@en- .", Problem::Language),
            ("<urn:s> <urn:p> _:-a .", Problem::Label),
            ("<urn:s> <urn:p> <urn:o>", Problem::End),
            ("<urn:s> <urn:p> <urn:o> . .", Problem::End),
        ] {
            let text = format!("<urn:s> <urn:p> <urn:o> .\n{line}\n");
            assert_eq!(parse(&text), Err(ParseError { line: 2, problem }), "{line}");
        }
    }

    #[test]
    fn controls_are_escaped_and_nothing_else() {
        let literal = Literal {
            value: "\u{0}\u{8}\t\n\u{b}\u{c}\r\u{1f} \"'\\~\u{7f}\u{80}é\u{ffff}".into(),
            datatype: XSD_STRING.into(),
            language: None,
        };
        let mut out = String::new();
        push_literal(&mut out, &literal);
        let expected = "\"\\u0000\\b\\t\\n\\u000B\\f\\r\\u001F \\\"'\\\\~\\u007F\u{80}é\u{ffff}\"";
        assert_eq!(out, expected);
    }

    fn iri() -> impl Strategy<Value = Arc<str>> {
        "[a-c]".prop_map(|name| format!("urn:é:{name}").into())
    }

    fn literal() -> impl Strategy<Value = Term> {
        let tail = prop_oneof![
            Just((XSD_STRING.into(), None)),
            iri().prop_map(|datatype| (datatype, None)),
            "[a-z]{2}(-[A-Z]{2})?"
                .prop_map(|language| (RDF_LANG_STRING.into(), Some(language.into()))),
        ];
        (any::<String>(), tail).prop_map(|(value, (datatype, language))| {
            Term::Literal(Literal {
                value: value.into(),
                datatype,
                language,
            })
        })
    }

    /// Datasets over few names, so that blank nodes get tangled, with up to `blanks` of them.
    pub(crate) fn datasets(blanks: u32, quads: usize) -> impl Strategy<Value = Dataset> {
        let node =
            move || prop_oneof![iri().prop_map(Term::Iri), (0..blanks).prop_map(Term::Blank)];
        let object = prop_oneof![3 => node(), 1 => literal()];
        let quad = (node(), iri(), object, proptest::option::of(node())).prop_map(
            |(subject, predicate, object, graph)| Quad {
                subject,
                predicate,
                object,
                graph,
            },
        );
        proptest::collection::vec(quad, 0..quads).prop_map(move |quads| Dataset {
            quads,
            blank_count: blanks,
        })
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_back(dataset in datasets(4, 12)) {
            let text = write(&dataset);
            let parsed = parse(&text).unwrap();
            // Numbers follow first use, so the texts are compared under the labels' own names.
            let mut renamed = parsed.dataset.clone();
            let name = |term: &mut Term| if let Term::Blank(number) = term {
                *number = parsed.labels[*number as usize][1..].parse().unwrap();
            };
            for quad in &mut renamed.quads {
                name(&mut quad.subject);
                name(&mut quad.object);
                quad.graph.iter_mut().for_each(name);
            }
            prop_assert_eq!(&renamed.quads, &dataset.quads);
            prop_assert_eq!(write(&renamed), text);
        }

        #[test]
        fn no_text_makes_the_parser_panic(text: String) {
            let _ = parse(&text);
        }
    }
}
