//! What is read of the registry: which lists are published, and the copies. Whatever is not what the
//! contract says is refused, whoever sent it.

use std::io::Read as _;

use bytes::Bytes;
use flate2::read::GzDecoder;
use serde::Deserialize;
use sha2::{Digest as _, Sha256};

use super::copy::{About, Copy, Edition, Form, Name, What};
use crate::cli::context::{Context, not_the_contract};
use crate::cli::error::CliError;
use crate::cli::transport::{Answer, Call};
use crate::ids::{ListId, Slug};
use crate::time::Timestamp;

/// The registry.
pub(super) struct Source<'c, 'a>(pub(super) &'c Context<'a>);

/// Some published lists.
#[derive(Debug)]
pub(super) struct Page {
    pub(super) lists: Vec<Listed>,
    /// What was published up to here is in it.
    pub(super) event: u64,
    /// The registry's origin.
    pub(super) registry: String,
    /// What time it is there.
    pub(super) as_of: Timestamp,
    pub(super) next: Option<String>,
}

/// A list that is published.
#[derive(Debug, Clone)]
pub(super) struct Listed {
    pub(super) list: ListId,
    pub(super) profile: Slug,
    pub(super) forms: Vec<ListedForm>,
}

/// One form of it.
#[derive(Debug, Clone)]
pub(super) struct ListedForm {
    pub(super) name: Name,
    pub(super) etag: String,
    pub(super) edition: Edition,
}

/// What the registry sent for a form that was listed.
#[derive(Debug)]
#[must_use]
pub(super) enum Sent {
    /// As it is, and compressed where that gains something.
    Copies(Box<(Copy, Option<Copy>)>),
    /// Another edition than the one that was listed: it was published meanwhile, or another replica
    /// answered.
    AnotherEdition,
}

const FIRST_PAGE: &str = "/published?limit=200";
/// The media types of documents and keys, as the service offers them first.
const DID: &str = "application/did+ld+json";
const KEYS: &str = "application/jwk-set+json";

impl Source<'_, '_> {
    /// A page of the lists that are published.
    pub(super) fn page(&self, path: Option<&str>) -> Result<Page, CliError> {
        let call = Call::get(path.unwrap_or(FIRST_PAGE));
        let answer = self.0.answer(&call)?;
        let next = answer.next_page();
        let mut page = read_page(&answer.body).map_err(|reason| not_the_contract(&call, reason))?;
        if next
            .as_deref()
            .is_some_and(|next| !next.starts_with("/published?"))
        {
            return Err(not_the_contract(
                &call,
                "the next page is elsewhere".to_owned(),
            ));
        }
        page.next = next;
        Ok(page)
    }

    /// One list, where it is published.
    pub(super) fn list(&self, list: ListId) -> Result<Option<Listed>, CliError> {
        let call = Call::get(format!("/published?list={list}"));
        let answer = self.0.answer(&call)?;
        let page = read_page(&answer.body).map_err(|reason| not_the_contract(&call, reason))?;
        match page.lists.len() {
            0 | 1 => Ok(page.lists.into_iter().find(|found| found.list == list)),
            _ => Err(not_the_contract(&call, "it names several lists".to_owned())),
        }
    }

    /// The copies of a form that was listed.
    pub(super) fn copies(&self, form: &ListedForm) -> Result<Sent, CliError> {
        let media = media_of(&form.name);
        let call = call_for(&form.name.what, media, "identity");
        let plain = self.0.answer(&call)?;
        if !same_edition(&plain, &form.etag) {
            return Ok(Sent::AnotherEdition);
        }
        let wrong = |reason: String| not_the_contract(&call, reason);
        let mut about = about_of(&plain, media).map_err(wrong)?;
        about.edition = Some(form.edition);
        // The tag is the beginning of the digest: what was cut off or changed on the way is noticed.
        if !about.sha256.starts_with(&form.etag) {
            return Err(wrong("the bytes do not match their ETag".to_owned()));
        }
        let packed = self.packed(form, media, &plain)?;
        if matches!(packed, Packed::OfAnother) {
            return Ok(Sent::AnotherEdition);
        }
        let copy = Copy {
            name: form.name.clone(),
            about,
            body: plain.body.into(),
        };
        let packed = match packed {
            Packed::As(about, body) => Some(Copy {
                name: form.name.packed(),
                about: *about,
                body,
            }),
            _ => None,
        };
        Ok(Sent::Copies(Box::new((copy, packed))))
    }

    /// The same compressed. What it comes to has to be the same bytes.
    fn packed(
        &self,
        form: &ListedForm,
        media: &'static str,
        plain: &Answer,
    ) -> Result<Packed, CliError> {
        let call = call_for(&form.name.what, media, "gzip");
        let answer = self.0.answer(&call)?;
        let Some(coding) = answer.header("content-encoding") else {
            return Ok(match same_edition(&answer, &form.etag) {
                true => Packed::GainsNothing,
                false => Packed::OfAnother,
            });
        };
        let wrong = |reason: String| not_the_contract(&call, reason);
        if coding != "gzip" {
            return Err(wrong(format!("the answer is coded as {coding:?}")));
        }
        if !same_edition(&answer, &format!("{}-gzip", form.etag)) {
            return Ok(Packed::OfAnother);
        }
        let mut about = about_of(&answer, media).map_err(wrong)?;
        about.edition = Some(form.edition);
        let mut unpacked = Vec::with_capacity(plain.body.len());
        let longest = plain.body.len() as u64 + 1;
        let read = GzDecoder::new(&*answer.body)
            .take(longest)
            .read_to_end(&mut unpacked);
        if read.is_err() || unpacked != plain.body {
            return Err(wrong("what is compressed is something else".to_owned()));
        }
        Ok(Packed::As(Box::new(about), answer.body.into()))
    }

    /// A document or keys that are served as they are, to be kept `sooner` seconds less than the
    /// service says; nothing where there are none that may be kept.
    pub(super) fn document(&self, what: What, sooner: u64) -> Result<Option<Copy>, CliError> {
        let media = match what {
            What::Document(_) | What::OwnDocument => DID,
            _ => KEYS,
        };
        let call = call_for(&what, media, "identity");
        let answer = match self.0.answer(&call) {
            Err(CliError::Problem(problem)) if matches!(problem.status, 404 | 410) => {
                return Ok(None);
            }
            other => other?,
        };
        if answer.header("cache-control") == Some("no-store") {
            return Ok(None);
        }
        let wrong = |reason: String| not_the_contract(&call, reason);
        let mut about = about_of(&answer, media).map_err(wrong)?;
        about.max_age = about.max_age.saturating_sub(sooner);
        Ok(Some(Copy {
            name: Name::of(what, Form::Json),
            about,
            body: answer.body.into(),
        }))
    }
}

/// What came for who takes gzip.
enum Packed {
    As(Box<About>, Bytes),
    GainsNothing,
    OfAnother,
}

fn call_for(what: &What, media: &'static str, coding: &'static str) -> Call {
    Call {
        accept: Some(media),
        coding: Some(coding),
        ..Call::get(format!("/{}", what.path()))
    }
}

const fn media_of(name: &Name) -> &'static str {
    match (&name.what, name.form) {
        (What::Token(_), Form::Cwt) => "application/statuslist+cwt",
        (What::Token(_), _) => "application/statuslist+jwt",
        (_, Form::Jwt) => "application/vc+jwt",
        _ => "application/vc",
    }
}

fn same_edition(answer: &Answer, etag: &str) -> bool {
    let told = answer.header("etag").and_then(unquoted);
    told == Some(etag)
}

/// A strong tag of letters, digits and what names of files bear.
fn unquoted(tag: &str) -> Option<&str> {
    let tag = tag.strip_prefix('"')?.strip_suffix('"')?;
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    ((1..=120).contains(&tag.len()) && tag.bytes().all(plain)).then_some(tag)
}

/// What the headers and the bytes of an answer say of it.
fn about_of(answer: &Answer, media: &str) -> Result<About, String> {
    if answer.header("content-type") != Some(media) {
        let told = answer.header("content-type").unwrap_or("nothing");
        return Err(format!("asked for {media}, it sends {told:?}"));
    }
    let etag = match answer.header("etag") {
        None => None,
        Some(tag) => {
            let tag = unquoted(tag);
            Some(tag.ok_or("its ETag is none that can be kept")?.to_owned())
        }
    };
    let last_modified = match answer.header("last-modified") {
        Some(date) if !is_date(date) => return Err("its Last-Modified is no date".to_owned()),
        date => date.map(str::to_owned),
    };
    let max_age = answer.header("cache-control").and_then(max_age);
    Ok(About {
        media_type: media.to_owned(),
        etag,
        max_age: max_age.ok_or("its Cache-Control does not say for how long all may keep it")?,
        last_modified,
        edition: None,
        sha256: hex(&Sha256::digest(&answer.body)),
    })
}

fn max_age(header: &str) -> Option<u64> {
    let seconds = header.strip_prefix("public, max-age=")?;
    let digits = (1..=9).contains(&seconds.len()) && seconds.bytes().all(|b| b.is_ascii_digit());
    digits.then(|| seconds.parse().ok()).flatten()
}

/// As HTTP writes dates (RFC 9110 section 5.6.7), by its shape.
fn is_date(text: &str) -> bool {
    let shape = b"aaa, 00 aaa 0000 00:00:00 GMT";
    text.len() == shape.len()
        && text.bytes().zip(shape).all(|(byte, shape)| match shape {
            b'a' => byte.is_ascii_alphabetic(),
            b'0' => byte.is_ascii_digit(),
            exact => byte == *exact,
        })
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct PageRead {
    lists: Vec<ListRead>,
    event: u64,
    registry: String,
    as_of: String,
}

#[derive(Deserialize)]
struct ListRead {
    list: String,
    profile: Slug,
    forms: Vec<FormRead>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct FormRead {
    url: String,
    media_type: String,
    etag: String,
    generation: u64,
    published: String,
    valid_until: Option<String>,
}

fn read_page(body: &[u8]) -> Result<Page, String> {
    let page: PageRead = serde_json::from_slice(body).map_err(|error| error.to_string())?;
    let origin = page.registry.as_str();
    let lists = page.lists.into_iter().map(|list| {
        let url = list.list.strip_prefix(origin).unwrap_or_default();
        let id = url
            .strip_prefix("/status-lists/")
            .and_then(|id| id.parse().ok());
        let id = id.ok_or_else(|| format!("{:?} is no list of {origin}", list.list))?;
        let forms = list.forms.iter().map(|form| read_form(origin, id, form));
        Ok(Listed {
            list: id,
            profile: list.profile,
            forms: forms.collect::<Result<_, String>>()?,
        })
    });
    Ok(Page {
        lists: lists.collect::<Result<_, String>>()?,
        event: page.event,
        as_of: page.as_of.parse().map_err(|_| "asOf is no time")?,
        registry: page.registry,
        next: None,
    })
}

fn read_form(origin: &str, list: ListId, form: &FormRead) -> Result<ListedForm, String> {
    let candidates = [
        Name::of(What::List(list), Form::Vc),
        Name::of(What::List(list), Form::Jwt),
        Name::of(What::List2021(list), Form::Vc),
        Name::of(What::Token(list), Form::Jwt),
        Name::of(What::Token(list), Form::Cwt),
    ];
    let is_it = |name: &Name| {
        let path = form
            .url
            .strip_prefix(origin)
            .and_then(|path| path.strip_prefix('/'));
        path == Some(name.what.path().as_str()) && media_of(name) == form.media_type
    };
    let name = candidates.into_iter().find(is_it);
    let name = name.ok_or_else(|| format!("{:?} is no form of the list {list}", form.url))?;
    let moment = |text: &str| {
        let parsed = text.parse::<Timestamp>();
        parsed
            .map_err(|_| format!("{text:?} is no time"))
            .map(Timestamp::millis)
    };
    let etag = unquoted(&form.etag).ok_or("a tag is none that can be kept")?;
    Ok(ListedForm {
        name,
        etag: etag.to_owned(),
        edition: Edition {
            generation: form.generation,
            published: moment(&form.published)?,
            ends: form.valid_until.as_deref().map(moment).transpose()?,
        },
    })
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    const LIST: &str = "000000g123456789abc0";

    fn page(change: impl Fn(&mut Value)) -> Result<Page, String> {
        let mut page = json!({
            "registry": "https://r.example", "event": 7, "asOf": "2026-03-01T09:00:00Z",
            "lists": [{
                "list": format!("https://r.example/status-lists/{LIST}"), "profile": "school",
                "forms": [{
                    "url": format!("https://r.example/status-lists/{LIST}/2021"),
                    "mediaType": "application/vc", "etag": "\"ab12\"", "revision": 3,
                    "generation": 2, "published": "2026-03-01T08:59:00Z",
                    "validUntil": "2026-03-08T08:59:00Z",
                }],
            }],
        });
        change(&mut page);
        read_page(page.to_string().as_bytes())
    }

    #[test]
    fn a_page_names_lists_of_its_registry_and_nothing_else() {
        let read = page(|_| {}).unwrap();
        let form = &read.lists[0].forms[0];
        assert_eq!(
            form.name.to_string(),
            format!("status-lists/{LIST}/2021/vc")
        );
        assert_eq!(
            (form.etag.as_str(), form.edition.generation, read.event),
            ("ab12", 2, 7)
        );
        let form = |member: &'static str, value: Value| {
            page(move |page| page["lists"][0]["forms"][0][member] = value.clone())
        };
        for hostile in [
            page(|page| {
                page["lists"][0]["list"] = "https://r.example/status-lists/../../etc".into()
            }),
            page(|page| {
                page["lists"][0]["list"] = format!("https://o.example/status-lists/{LIST}").into()
            }),
            page(|page| page["lists"][0]["profile"] = "../x".into()),
            page(|page| page["asOf"] = "soon".into()),
            form(
                "url",
                format!("https://r.example/status-lists/{LIST}/../x").into(),
            ),
            form(
                "url",
                "https://r.example/status-lists/000000h123456789abc0".into(),
            ),
            form("mediaType", "text/html".into()),
            form("etag", "\"../../x\"".into()),
            form("etag", "\"a@b\"".into()),
            form("etag", "W/\"ab\"".into()),
            form("published", 3.into()),
            form("generation", (-1).into()),
        ] {
            assert!(hostile.is_err(), "{hostile:?}");
        }
    }

    #[test]
    fn an_answer_is_kept_with_headers_that_can_be_kept_alone() {
        let told = |change: &[(&'static str, &'static str)]| {
            let mut answer = Answer {
                status: 200,
                body: b"{}".to_vec(),
                ..Answer::default()
            };
            let usual = [
                ("content-type", "application/vc"),
                ("etag", "\"ab12\""),
                ("cache-control", "public, max-age=60"),
                ("last-modified", "Sun, 01 Mar 2026 09:00:20 GMT"),
            ];
            for (name, value) in usual.iter().chain(change) {
                answer.headers.insert(*name, value.parse().unwrap());
            }
            about_of(&answer, "application/vc")
        };
        let about = told(&[]).unwrap();
        assert_eq!((about.max_age, about.etag.as_deref()), (60, Some("ab12")));
        for hostile in [
            ("content-type", "text/html"),
            ("etag", "\"a/b\""),
            ("etag", "\"\""),
            ("cache-control", "no-store"),
            ("cache-control", "public, max-age=-1"),
            ("cache-control", "public, max-age=99999999999"),
            ("last-modified", "../../../x"),
            ("last-modified", "Sun, 01 Mar 2026 09:00:20 GMT@x"),
        ] {
            assert!(told(&[hostile]).is_err(), "{hostile:?}");
        }
    }

    /// A registry that sends these, one for each call, and the form that was listed.
    fn sent(etag: &'static str, body: &[u8], packed: Option<&[u8]>) -> Result<Sent, CliError> {
        use crate::cli::transport::Transport;
        struct Sends(Vec<u8>, Option<Vec<u8>>, &'static str);
        impl Transport for Sends {
            fn call(&self, call: &Call) -> Result<Answer, CliError> {
                let packed = self.1.as_ref().filter(|_| call.coding == Some("gzip"));
                let tag = packed.map_or(self.2.to_owned(), |_| format!("{}-gzip", self.2));
                let mut answer = Answer {
                    status: 200,
                    body: packed.unwrap_or(&self.0).clone(),
                    ..Answer::default()
                };
                let headers = [
                    ("content-type", "application/vc".to_owned()),
                    ("etag", format!("\"{tag}\"")),
                    ("cache-control", "public, max-age=60".to_owned()),
                ];
                for (name, value) in headers {
                    answer.headers.insert(name, value.parse().unwrap());
                }
                if packed.is_some() {
                    answer
                        .headers
                        .insert("content-encoding", "gzip".parse().unwrap());
                }
                Ok(answer)
            }
        }
        let sends = Sends(body.to_vec(), packed.map(<[u8]>::to_vec), etag);
        let context = Context::over(Box::new(sends));
        let listed = page(|_| {}).unwrap().lists[0].forms[0].clone();
        let digest = hex(&Sha256::digest(b"a list"));
        let form = ListedForm {
            etag: digest[..24].to_owned(),
            ..listed
        };
        Source(&context).copies(&form)
    }

    #[test]
    fn bytes_that_are_not_those_that_were_listed_are_not_taken() {
        let gzip = |bytes: &[u8]| {
            use std::io::Write as _;
            let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
            packed.write_all(bytes).unwrap();
            packed.finish().unwrap()
        };
        let etag: &'static str = hex(&Sha256::digest(b"a list"))[..24].to_owned().leak();
        let whole = sent(etag, b"a list", Some(&gzip(b"a list"))).unwrap();
        let Sent::Copies(copies) = whole else {
            panic!("{whole:?}")
        };
        assert_eq!(copies.0.body, "a list");
        assert!(
            copies
                .1
                .is_some_and(|packed| packed.name.gzip && packed.about.edition.is_some())
        );
        let plain = sent(etag, b"a list", None).unwrap();
        assert!(matches!(plain, Sent::Copies(copies) if copies.1.is_none()));
        let other = sent("0123456789abcdef01234567", b"a list", None).unwrap();
        assert!(matches!(other, Sent::AnotherEdition));
        for (body, packed) in [
            (&b"a lis"[..], None),
            (b"a list", Some(gzip(b"another"))),
            (b"a list", Some(gzip(&vec![0; 50_000_000]))),
            (b"a list", Some(gzip(b"a list")[..12].to_vec())),
        ] {
            assert!(sent(etag, body, packed.as_deref()).is_err());
        }
    }
}
