//! What nobody sends who means well.

use std::io::Write as _;

use flate2::Compression;
use flate2::write::ZlibEncoder;
use goodstanding::vc::did::DidKey;
use goodstanding::vc::keys::SigningKey;
use goodstanding::vc::proof::{self, ProofOptions};
use serde_json::{Value, json};

use super::{BOUNDARY, FAR, form, multipart, school, trouble, verdict};
use crate::http::verify::{PNG, SVG};
use crate::support::actors::badge;
use crate::support::house::{House, Plan};

const SCRIPT: &str = "<script>alert(1)</script><img src=x onerror=alert(2)>\"'";

/// Signed by whoever likes, who is nobody here.
fn signed(unsigned: &Value) -> Value {
    let key = SigningKey::from_seed(&[9; 32]);
    let issuer = DidKey::from(key.public());
    let mut unsigned = unsigned.clone();
    unsigned["issuer"]["id"] = issuer.to_string().into();
    let options = ProofOptions::new(issuer.method_url());
    proof::sign(&unsigned, &options, &key).unwrap()
}

/// Every text of a document in turn, replaced by this.
fn replaced(document: &Value, with: &str) -> Vec<Value> {
    fn places(value: &Value, at: &str, found: &mut Vec<String>) {
        match value {
            Value::Object(members) => {
                for (name, value) in members {
                    places(value, &format!("{at}/{}", name.replace('/', "~1")), found);
                }
            }
            Value::Array(items) => {
                for (index, value) in items.iter().enumerate() {
                    places(value, &format!("{at}/{index}"), found);
                }
            }
            Value::String(_) => found.push(at.to_owned()),
            _ => {}
        }
    }
    let mut found = Vec::new();
    places(document, "", &mut found);
    let changed = found.into_iter().map(|at| {
        let mut changed = document.clone();
        *changed.pointer_mut(&at).unwrap() = with.into();
        changed
    });
    changed.collect()
}

#[track_caller]
fn is_harmless(page: &str) {
    for bad in [
        "<script>alert",
        "onerror=alert(2)>",
        "<img",
        "href=\"javascript:",
        "href=\"data:",
    ] {
        let at = page.find(bad);
        assert!(at.is_none(), "{bad}: {}", &page[at.unwrap_or(0)..]);
    }
}

#[test]
fn nothing_in_a_credential_becomes_part_of_the_page() {
    let house = House::open();
    let (_, _, credential) = school(&house);
    for with in [
        SCRIPT,
        "javascript:alert(1)",
        "data:text/html,<script>alert(1)</script>",
    ] {
        let named = |document: &Value| {
            let mut named = document.clone();
            named["name"] = with.into();
            named["credentialSubject"]["achievement"]["name"] = with.into();
            named["issuer"]["name"] = with.into();
            named
        };
        let proved = signed(&named(&{
            let mut unsigned = badge("", FAR);
            unsigned["id"] = "javascript:alert(1)".into();
            unsigned["validFrom"] = "2026-01-01T00:00:00Z".into();
            unsigned
        }));
        let page = house.pastes(&proved.to_string()).is(200);
        // It is proved, so that its name is shown, as text.
        assert_eq!(verdict(&page), "The issuer is not known here");
        is_harmless(&page.text());
        for changed in replaced(&credential, with) {
            let page = house.pastes(&changed.to_string());
            assert!(page.status < 500 && page.status != 303, "{changed}");
            let policy = page.header("content-security-policy").unwrap();
            assert!(policy.contains("script-src 'self'") && !policy.contains("unsafe"));
            is_harmless(&page.text());
            assert!(!page.text().contains("In good standing</h1>"), "{changed}");
        }
    }
    for typed in [
        SCRIPT,
        "javascript:alert(1)",
        "https://a.example/\"><script>alert(1)</script>",
    ] {
        let page = house.pastes(typed);
        assert!((400..500).contains(&page.status), "{}", page.status);
        trouble(&page);
        is_harmless(&page.text());
        let asked: String = url::form_urlencoded::byte_serialize(typed.as_bytes()).collect();
        for name in ["credential", "url", "code", "list"] {
            let page = house.opens(&format!("/check?{name}={asked}"));
            assert!((400..500).contains(&page.status), "{name}: {}", page.status);
            is_harmless(&page.text());
        }
        let page = house.opens(&format!("/check?list={asked}&index={asked}&issuer={asked}"));
        is_harmless(&page.is(400).text());
    }
}

#[test]
fn what_is_far_too_large_is_refused_with_the_form_again() {
    let house = Plan::new().taking_in(16 << 20).open();
    let ten = "a".repeat(10 << 20);
    assert_eq!(
        trouble(&house.pastes(&ten).is(413)),
        "This is too large for a credential"
    );
    let page = house
        .uploads("a.png", &[PNG, ten.as_bytes()].concat())
        .is(413);
    assert_eq!(trouble(&page), "This is too large for a credential");
    // Larger than anything that is taken in.
    let huge = "a".repeat(17 << 20);
    let page = house.pastes(&huge).is(413);
    assert_eq!(trouble(&page), "This is too large for a credential");
    // For a program as a problem.
    let call = house.call("POST", "/check");
    call.body(&multipart(), form(&huge, None))
        .send()
        .problem(413);
}

#[test]
fn broken_documents_are_named_as_what_they_are() {
    let house = House::open();
    let (_, _, credential) = school(&house);
    let json = credential.to_string();
    let deep = format!("{}1{}", "[".repeat(200_000), "]".repeat(200_000));
    let deep_object = format!("{}1{}", "{\"a\":".repeat(100_000), "}".repeat(100_000));
    let twice = json.replacen('{', "{\"id\": \"urn:a\", \"id\": \"urn:b\", ", 1);
    for text in [
        &json[..json.len() / 2],
        &deep,
        &deep_object,
        &twice,
        "{\"a\": 1} trailing",
        "[",
        "\"",
        "<html><body>not found</body></html>",
        "eyJhbGciOiJFZERTQSJ9",
    ] {
        let page = house.pastes(text);
        assert_eq!(page.status, 400, "{text:.80}: {}", page.text());
        trouble(&page);
    }
    for text in [
        "{}",
        "{\"type\": \"x\"}",
        "eyJhbGciOiJub25lIn0.e30.",
        "\"text\"",
    ] {
        let page = house.pastes(text).is(200);
        assert_eq!(verdict(&page), "Not known to be genuine", "{text}");
    }
    let mut foreign = credential.clone();
    foreign["@context"][1] = "https://unknown.example/context".into();
    let page = house.pastes(&foreign.to_string()).is(200);
    assert_eq!(verdict(&page), "Not known to be genuine");
    assert!(
        page.text().contains("unknown.example"),
        "experts are told why"
    );
}

/// A PNG with this text chunk in it, whose checksums are good.
fn with_chunk(kind: &[u8; 4], data: &[u8]) -> Vec<u8> {
    let mut crc = flate2::Crc::new();
    crc.update(kind);
    crc.update(data);
    let mut chunk = u32::try_from(data.len()).unwrap().to_be_bytes().to_vec();
    chunk.extend(kind);
    chunk.extend(data);
    chunk.extend(crc.sum().to_be_bytes());
    // Behind the signature and the header.
    let (before, after) = PNG.split_at(8 + 25);
    [before, &chunk, after].concat()
}

#[test]
fn broken_pictures_are_named_as_what_they_are() {
    let house = House::open();
    let (_, _, credential) = school(&house);
    let baked = goodstanding::badges::baked::Baked::Json(credential.to_string());
    let good = goodstanding::badges::baked::bake(PNG, &baked).unwrap();
    let mut bits = good.clone();
    bits[60] ^= 1;
    let mut bomb = ZlibEncoder::new(Vec::new(), Compression::best());
    bomb.write_all(&vec![b' '; 200 << 20]).unwrap();
    let mut packed = b"openbadgecredential\0\x01\0\0\0".to_vec();
    packed.extend(bomb.finish().unwrap());
    let bomb = with_chunk(b"iTXt", &packed);
    assert!(bomb.len() < 1 << 20);
    let nested = format!(
        "<!DOCTYPE svg [<!ENTITY a \"aaaaaaaaaa\"><!ENTITY b \"&a;&a;&a;&a;\">]>{}&b;</svg>",
        "<svg xmlns=\"http://www.w3.org/2000/svg\" xmlns:openbadges=\"https://purl.imsglobal.org/ob/v3p0\">"
    );
    for (name, file) in [
        ("plain.png", PNG.to_vec()),
        ("cut.png", good[..good.len() / 2].to_vec()),
        ("bits.png", bits),
        ("bomb.png", bomb),
        ("plain.svg", SVG.to_vec()),
        ("cut.svg", SVG[..SVG.len() - 3].to_vec()),
        ("entities.svg", nested.into_bytes()),
        ("photo.jpg", b"\xff\xd8\xff\xe0 photo \xff".to_vec()),
    ] {
        let page = house.uploads(name, &file);
        assert_eq!(page.status, 400, "{name}: {}", page.text());
        assert_eq!(
            trouble(&page),
            "There is no credential in this picture",
            "{name}"
        );
    }
    let utf16: Vec<u8> = credential
        .to_string()
        .encode_utf16()
        .flat_map(u16::to_le_bytes)
        .collect();
    let utf16 = [b"\xff\xfe".to_vec(), utf16].concat();
    for file in [utf16, b"{\"name\": \"Z\xfcrich\"}".to_vec()] {
        let page = house.uploads("a.json", &file).is(400);
        assert_eq!(
            trouble(&page),
            "This file is in an encoding that is not read here"
        );
    }
}

#[test]
fn forms_that_no_browser_sends_are_refused_with_the_form_again() {
    let house = House::open();
    let (_, _, credential) = school(&house);
    let whole = form(&credential.to_string(), None);
    let post = |media: &str, body: &[u8]| {
        let call = house.call("POST", "/check").header("Accept", "text/html");
        call.body(media, body).send()
    };
    for (media, body, status) in [
        ("text/plain", &whole[..], 415),
        ("application/json", credential.to_string().as_bytes(), 415),
        ("multipart/form-data", &whole, 415),
        ("multipart/mixed; boundary=x", &whole, 415),
        ("multipart/form-data; boundary=x", &whole, 400),
        (&multipart(), &whole[..whole.len() / 2], 400),
        (&multipart(), b"", 400),
        ("application/x-www-form-urlencoded", b"", 400),
        ("application/x-www-form-urlencoded", b"a=b&credential=", 400),
        (
            "application/x-www-form-urlencoded",
            b"credential=a&credential=b",
            400,
        ),
        (
            "application/x-www-form-urlencoded",
            b"credential=%ff%fe%00",
            400,
        ),
    ] {
        let page = post(media, body);
        assert_eq!(page.status, status, "{media}: {}", page.text());
        trouble(&page);
    }
    let mut twice = Vec::new();
    for _ in 0..2 {
        let part = "Content-Disposition: form-data; name=\"credential\"\r\n\r\n{}\r\n";
        twice.extend(format!("--{BOUNDARY}\r\n{part}").bytes());
    }
    twice.extend(format!("--{BOUNDARY}--\r\n").bytes());
    assert_eq!(
        trouble(&post(&multipart(), &twice).is(400)),
        "Two things were given"
    );
    let none = house
        .call("POST", "/check")
        .header("Accept", "text/html")
        .send();
    trouble(&none.is(415));
    let coded = house.call("POST", "/check").header("Accept", "text/html");
    let coded = coded
        .header("Content-Encoding", "gzip")
        .body(&multipart(), whole.clone());
    trouble(&coded.send().is(415));
    // A field that nobody knows is nothing to fall over.
    let mut more =
        format!("--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"x\"\r\n\r\ny\r\n")
            .into_bytes();
    more.extend(&whole);
    assert_eq!(
        verdict(&post(&multipart(), &more).is(200)),
        "In good standing"
    );
    house.opens("/check?what=1").is(400);
    let none = json!({ "credentials": [] });
    house.verifier().post("/standing/query", &none).is(400);
}
