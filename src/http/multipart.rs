//! Forms with files, as browsers send them: `multipart/form-data` (RFC 7578), read strictly.

use bytes::Bytes;

use super::problem::Problem;
use super::request::Request;

/// A field of a form, or a file in one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Part {
    /// The name of the field.
    pub(super) name: String,
    /// What the file is called where whoever sends it has it, where it is one.
    pub(super) file: Option<String>,
    /// What is in it.
    pub(super) body: Bytes,
}

/// A form has at most so many fields.
const MOST_PARTS: usize = 32;

/// The head of a field has at most so many bytes.
const LONGEST_HEAD: usize = 4 << 10;

/// The fields of a form, in order. No byte of a file is copied.
pub(super) fn parts(request: &Request) -> Result<Vec<Part>, Problem> {
    let boundary = boundary(request).ok_or_else(|| {
        let title = "Unsupported media type";
        let detail =
            "the form has to be multipart/form-data with a boundary, as browsers send files";
        Problem::new(415, "unsupported-media-type", title, detail)
    })?;
    split(&request.body, &boundary).ok_or_else(|| {
        let detail =
            "the form does not end, or is not what multipart/form-data says; send it again";
        Problem::invalid("", detail)
    })
}

/// What stands between the fields (RFC 2046 section 5.1.1).
fn boundary(request: &Request) -> Option<String> {
    let named = request.header("content-type")?;
    let (kind, parameters) = named.split_once(';')?;
    if !kind.trim().eq_ignore_ascii_case("multipart/form-data") {
        return None;
    }
    let parameter = |parameter: &str| {
        let (name, value) = parameter.trim().split_once('=')?;
        let value = value.trim_matches('"').to_owned();
        name.eq_ignore_ascii_case("boundary").then_some(value)
    };
    let found = parameters.split(';').find_map(parameter)?;
    let known = |byte: u8| byte.is_ascii_alphanumeric() || b"'()+_,-./:=?".contains(&byte);
    let is_one = (1..=70).contains(&found.len()) && found.bytes().all(known);
    is_one.then_some(found)
}

fn split(body: &Bytes, boundary: &str) -> Option<Vec<Part>> {
    let first = format!("--{boundary}");
    let between = format!("\r\n--{boundary}");
    if !body.starts_with(first.as_bytes()) {
        return None;
    }
    let mut at = first.len();
    let mut parts = Vec::new();
    loop {
        match body.get(at..at + 2)? {
            b"--" => return Some(parts),
            b"\r\n" if parts.len() < MOST_PARTS => at += 2,
            _ => return None,
        }
        let head = &body[at..body.len().min(at + LONGEST_HEAD)];
        let end = find(head, b"\r\n\r\n")?;
        let (name, file) = named(std::str::from_utf8(&head[..end]).ok()?)?;
        let begins = at + end + 4;
        let ends = begins + find(&body[begins..], between.as_bytes())?;
        parts.push(Part {
            name,
            file,
            body: body.slice(begins..ends),
        });
        at = ends + between.len();
    }
}

/// The names in the head of a field. Browsers write `%22`, `%0D` and `%0A` for what would end one.
fn named(head: &str) -> Option<(String, Option<String>)> {
    let value = head.split("\r\n").find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("content-disposition")
            .then_some(value)
    })?;
    let rest = value.trim().strip_prefix("form-data")?;
    let parameter = |wanted: &str| {
        let start = rest.find(&format!("; {wanted}=\""))? + wanted.len() + 4;
        let (text, _) = rest[start..].split_once('"')?;
        Some(
            text.replace("%22", "\"")
                .replace("%0D", "\r")
                .replace("%0A", "\n"),
        )
    };
    Some((parameter("name")?, parameter("filename")))
}

/// Where some bytes stand first. Every byte of a file that is not a line's end is passed over at once.
fn find(all: &[u8], wanted: &[u8]) -> Option<usize> {
    let (first, rest) = wanted.split_first()?;
    let mut from = 0;
    while let Some(at) = all[from..].iter().position(|byte| byte == first) {
        let behind = &all[from + at + 1..];
        if behind.starts_with(rest) {
            return Some(from + at);
        }
        from += at + 1;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// A form as browsers write it.
    fn form(boundary: &str, parts: &[(&str, Option<&str>, &[u8])]) -> Bytes {
        let mut body = Vec::new();
        for (name, file, content) in parts {
            body.extend(
                format!("--{boundary}\r\nContent-Disposition: form-data; name=\"{name}\"").bytes(),
            );
            if let Some(file) = file {
                body.extend(format!("; filename=\"{file}\"\r\nContent-Type: text/csv").bytes());
            }
            body.extend(b"\r\n\r\n");
            body.extend(*content);
            body.extend(b"\r\n");
        }
        body.extend(format!("--{boundary}--\r\n").bytes());
        body.into()
    }

    #[test]
    fn fields_and_files_are_told_apart() {
        let table = b"index,status\r\n--x\r\n7,1\r\n";
        let body = form(
            "x1",
            &[
                ("list", None, b"a"),
                ("file", Some("t.csv"), table),
                ("e", None, b""),
            ],
        );
        let found = split(&body, "x1").unwrap();
        assert_eq!(found.len(), 3);
        assert_eq!(
            (found[0].name.as_str(), found[0].body.as_ref()),
            ("list", &b"a"[..])
        );
        assert_eq!(found[1].file.as_deref(), Some("t.csv"));
        assert_eq!(found[1].body.as_ref(), table);
        assert!(found[2].body.is_empty());
    }

    #[test]
    fn what_is_cut_off_or_not_a_form_is_refused() {
        let whole = form(
            "b",
            &[
                ("list", None, b"a"),
                ("file", Some("t.csv"), b"index,status\n7,1"),
            ],
        );
        for end in 0..whole.len() - 4 {
            assert_eq!(split(&whole.slice(..end), "b"), None, "{end}");
        }
        assert!(split(&whole, "b").is_some());
        assert_eq!(split(&whole, "c"), None);
        let unnamed = Bytes::from_static(b"--b\r\nContent-Type: a/b\r\n\r\nx\r\n--b--");
        assert_eq!(split(&unnamed, "b"), None);
        let many: Vec<(&str, Option<&str>, &[u8])> = vec![("a", None, b"b"); MOST_PARTS + 1];
        assert_eq!(split(&form("b", &many), "b"), None);
        assert!(split(&form("b", &many[1..]), "b").is_some());
    }

    proptest! {
        #[test]
        fn what_is_sent_is_read(contents in prop::collection::vec(
            prop::collection::vec(any::<u8>(), 0..300), 0..8)) {
            let parts: Vec<_> = contents.iter().map(|content| ("f", None, content.as_slice())).collect();
            let boundary = "----WebKitFormBoundary7MA4YWxkTrZu0gW";
            let found = split(&form(boundary, &parts), boundary);
            if contents.is_empty() {
                prop_assert_eq!(found, Some(Vec::new()));
            } else {
                let found: Vec<Vec<u8>> =
                    found.unwrap().iter().map(|part| part.body.to_vec()).collect();
                prop_assert_eq!(found, contents);
            }
        }

        #[test]
        fn no_bytes_break_it(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = split(&Bytes::from(bytes), "b");
        }
    }
}
