//! IRIs as JSON-LD needs them: is one absolute and well formed, and what does a reference mean
//! against a base (RFC 3986 section 5.2, on characters as RFC 3987 allows them).

/// Whether `text` starts with a scheme and a colon.
pub(super) fn has_scheme(text: &str) -> bool {
    let mut bytes = text.bytes();
    if !bytes
        .next()
        .is_some_and(|first| first.is_ascii_alphabetic())
    {
        return false;
    }
    for byte in bytes {
        match byte {
            b':' => return true,
            b'+' | b'-' | b'.' => {}
            _ if byte.is_ascii_alphanumeric() => {}
            _ => return false,
        }
    }
    false
}

/// Whether `text` can stand as an IRI in RDF: it has a scheme, none of the characters that
/// N-Quads keeps out of IRIs, and at most one fragment.
pub(super) fn is_well_formed(text: &str) -> bool {
    const REFUSED: [bool; 256] = {
        let mut table = [false; 256];
        let mut byte = 0;
        while byte <= 0x20 {
            table[byte] = true;
            byte += 1;
        }
        let others = b"<>\"{}|\\^`";
        let mut at = 0;
        while at < others.len() {
            table[others[at] as usize] = true;
            at += 1;
        }
        table
    };
    let mut fragments = 0;
    has_scheme(text)
        && text.bytes().all(|byte| {
            fragments += u32::from(byte == b'#');
            !REFUSED[byte as usize]
        })
        && fragments <= 1
}

/// Whether `text` is a language tag in form (BCP 47: `1*8ALPHA *("-" 1*8alphanum)`).
pub(super) fn is_language_tag(text: &str) -> bool {
    text.split('-').enumerate().all(|(place, part)| {
        let letters = |byte: u8| byte.is_ascii_alphabetic();
        let alphanumeric = |byte: u8| byte.is_ascii_alphanumeric();
        (1..=8).contains(&part.len())
            && if place == 0 {
                part.bytes().all(letters)
            } else {
                part.bytes().all(alphanumeric)
            }
    })
}

/// What `reference` means against `base`. An empty scheme in `base` gives back a relative
/// reference; the caller looks at the outcome.
pub(super) fn resolve(base: &str, reference: &str) -> String {
    let (base, reference) = (Parts::of(base), Parts::of(reference));
    if reference.scheme.is_some() {
        let path = without_dots(reference.path);
        return Parts {
            path: &path,
            ..reference
        }
        .join();
    }
    if reference.authority.is_some() {
        let path = without_dots(reference.path);
        return Parts {
            scheme: base.scheme,
            path: &path,
            ..reference
        }
        .join();
    }
    let path;
    let query;
    if reference.path.is_empty() {
        path = base.path.to_owned();
        query = reference.query.or(base.query);
    } else {
        path = if reference.path.starts_with('/') {
            without_dots(reference.path)
        } else {
            without_dots(&merge(&base, reference.path))
        };
        query = reference.query;
    }
    Parts {
        path: &path,
        query,
        fragment: reference.fragment,
        ..base
    }
    .join()
}

/// The five parts of a reference (RFC 3986, appendix B).
#[derive(Clone, Copy)]
struct Parts<'t> {
    scheme: Option<&'t str>,
    authority: Option<&'t str>,
    path: &'t str,
    query: Option<&'t str>,
    fragment: Option<&'t str>,
}

impl<'t> Parts<'t> {
    fn of(text: &'t str) -> Self {
        let (text, fragment) = cut(text, '#');
        let (text, query) = cut(text, '?');
        let (scheme, text) = match text.split_once(':') {
            Some((scheme, rest)) if has_scheme(text) => (Some(scheme), rest),
            _ => (None, text),
        };
        let (authority, path) = match text.strip_prefix("//") {
            Some(rest) => {
                let end = rest.find('/').unwrap_or(rest.len());
                (Some(&rest[..end]), &rest[end..])
            }
            None => (None, text),
        };
        Self {
            scheme,
            authority,
            path,
            query,
            fragment,
        }
    }

    fn join(&self) -> String {
        let mut text = String::new();
        if let Some(scheme) = self.scheme {
            text.push_str(scheme);
            text.push(':');
        }
        if let Some(authority) = self.authority {
            text.push_str("//");
            text.push_str(authority);
        }
        text.push_str(self.path);
        for (mark, part) in [('?', self.query), ('#', self.fragment)] {
            if let Some(part) = part {
                text.push(mark);
                text.push_str(part);
            }
        }
        text
    }
}

fn cut(text: &str, mark: char) -> (&str, Option<&str>) {
    match text.split_once(mark) {
        Some((before, after)) => (before, Some(after)),
        None => (text, None),
    }
}

/// RFC 3986 section 5.2.3.
fn merge(base: &Parts<'_>, path: &str) -> String {
    if base.authority.is_some() && base.path.is_empty() {
        return format!("/{path}");
    }
    let kept = base.path.rfind('/').map_or("", |last| &base.path[..=last]);
    format!("{kept}{path}")
}

/// RFC 3986 section 5.2.4.
fn without_dots(path: &str) -> String {
    let mut input = path;
    let mut output = String::with_capacity(path.len());
    while !input.is_empty() {
        if let Some(rest) = input
            .strip_prefix("../")
            .or_else(|| input.strip_prefix("./"))
        {
            input = rest;
        } else if input.starts_with("/./") || input == "/." {
            input = if input == "/." { "/" } else { &input[2..] };
        } else if input.starts_with("/../") || input == "/.." {
            input = if input == "/.." { "/" } else { &input[3..] };
            output.truncate(output.rfind('/').unwrap_or(0));
        } else if input == "." || input == ".." {
            input = "";
        } else {
            let from = usize::from(input.starts_with('/'));
            let end = input[from..].find('/').map_or(input.len(), |at| at + from);
            output.push_str(&input[..end]);
            input = &input[end..];
        }
    }
    output
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn references_resolve_as_rfc_3986_section_5_4_lists_them() {
        let base = "http://a/b/c/d;p?q";
        for (reference, meaning) in [
            ("g:h", "g:h"),
            ("g", "http://a/b/c/g"),
            ("./g", "http://a/b/c/g"),
            ("g/", "http://a/b/c/g/"),
            ("/g", "http://a/g"),
            ("//g", "http://g"),
            ("?y", "http://a/b/c/d;p?y"),
            ("g?y#s", "http://a/b/c/g?y#s"),
            ("#s", "http://a/b/c/d;p?q#s"),
            ("", "http://a/b/c/d;p?q"),
            (".", "http://a/b/c/"),
            ("..", "http://a/b/"),
            ("../../../g", "http://a/g"),
            ("/./g", "http://a/g"),
            ("g..", "http://a/b/c/g.."),
            ("./g/.", "http://a/b/c/g/"),
            ("g/../h", "http://a/b/c/h"),
            ("g;x=1/../y", "http://a/b/c/y"),
            ("g#s/../x", "http://a/b/c/g#s/../x"),
        ] {
            assert_eq!(resolve(base, reference), meaning, "{reference:?}");
        }
        assert_eq!(resolve("http://example", "x"), "http://example/x");
    }

    #[test]
    fn only_what_rdf_can_hold_is_well_formed() {
        for good in [
            "a:",
            "urn:uuid:1",
            "https://x.example/ü?q#f",
            "did:key:z6Mk",
        ] {
            assert!(is_well_formed(good), "{good}");
        }
        for bad in [
            "",
            ":a",
            "a",
            "/a:b",
            "1a:b",
            "_:b",
            "http://a/b c",
            "http://a/<b>",
            "a:#b#c",
        ] {
            assert!(!is_well_formed(bad), "{bad}");
        }
        assert!(is_language_tag("de-AT-1996") && !is_language_tag("a b") && !is_language_tag(""));
    }

    proptest! {
        #[test]
        fn resolving_never_fails_and_an_absolute_outcome_stays(
            base in "[a-z]{1,3}://[a-z]{1,3}(/[a-z]{0,3}){0,4}", reference in "[a-z./?#:]{0,12}"
        ) {
            let once = resolve(&base, &reference);
            prop_assert!(has_scheme(&once), "{once}");
            prop_assert_eq!(resolve(&base, &once), once.clone());
        }
    }
}
