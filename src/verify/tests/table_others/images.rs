//! Baked images: pictures that carry nothing, too much, or what readers see differently.

use super::*;
use crate::badges::baked::{self, Baked};

/// One black pixel, made by Python's `zlib` and `struct`.
const PIXEL: &[u8] = b"\x89PNG\r\n\x1a\n\
    \0\0\0\x0dIHDR\0\0\0\x01\0\0\0\x01\x08\0\0\0\0\x3a\x7e\x9b\x55\
    \0\0\0\x0aIDAT\x78\x9c\x63\x60\0\0\0\x02\0\x01\x48\xaf\xa4\x71\
    \0\0\0\0IEND\xae\x42\x60\x82";

/// Length, kind and checksum of the header, behind the signature.
const AFTER_HEADER: usize = 33;

/// A file as it was uploaded.
struct Picture(Vec<u8>);

impl Draft for Picture {
    fn hand_in(self) -> HandedIn {
        HandedIn {
            form: Form::File(self.0),
            web: Box::new(Web::of_college()),
            pinned: Vec::new(),
            expected: Expected::default(),
        }
    }
}

fn badge() -> String {
    college().sign(&college().badge()).to_string()
}

fn png() -> Picture {
    Picture(baked::bake(PIXEL, &Baked::Json(badge())).unwrap())
}

/// The badge as JSON within its element.
fn svg() -> Picture {
    Picture(drawing(&element(&badge())).into_bytes())
}

fn element(inside: &str) -> String {
    format!("<openbadges:credential><![CDATA[{inside}]]></openbadges:credential>")
}

fn drawing(inside: &str) -> String {
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" \
         xmlns:openbadges=\"https://purl.imsglobal.org/ob/v3p0\">{inside}<path d=\"M0,0\"/></svg>"
    )
}

fn chunk(kind: &[u8; 4], data: &[u8]) -> Vec<u8> {
    let mut sum = flate2::Crc::new();
    sum.update(kind);
    sum.update(data);
    let length = u32::try_from(data.len()).unwrap();
    [
        &length.to_be_bytes()[..],
        kind,
        data,
        &sum.sum().to_be_bytes(),
    ]
    .concat()
}

/// The pixel with these chunks behind its header.
fn pixel(name: &'static str, chunks: &[Vec<u8>], expected: Wanted) -> Row {
    let image = [
        &PIXEL[..AFTER_HEADER],
        &chunks.concat(),
        &PIXEL[AFTER_HEADER..],
    ]
    .concat();
    row(name, png, |picture| picture.0 = image, expected)
}

fn credential(flags: &[u8], text: &[u8]) -> Vec<u8> {
    chunk(
        b"iTXt",
        &[b"openbadgecredential\0", flags, b"\0\0", text].concat(),
    )
}

pub(super) fn rows() -> Vec<Row> {
    [pngs(), svgs(), files()].into_iter().flatten().collect()
}

fn pngs() -> Vec<Row> {
    let text = badge();
    let text = text.as_bytes();
    let mut damaged = png().0;
    let within = AFTER_HEADER + 100;
    damaged[within] ^= 1;
    let baked = png().0;
    let cut = baked[..baked.len() - 4].to_vec();
    let plain = || credential(&[0, 0], text);
    let marked = [b"\xef\xbb\xbf", text].concat();
    let older = chunk(b"tEXt", b"openbadges\0https://college.example/assertions/1");
    let tampered = String::from_utf8_lossy(text).replacen("Welding", "Flying", 1);
    vec![
        pixel(
            "PNG: no badge",
            &[],
            Wanted::NotRead("carries no credential"),
        ),
        pixel(
            "PNG: two badges",
            &[plain(), plain()],
            Wanted::NotRead("carries two credentials"),
        ),
        pixel(
            "PNG: a compressed badge",
            &[credential(&[1, 0], text)],
            Wanted::NotRead("compressed"),
        ),
        pixel(
            "PNG: an unknown compression",
            &[credential(&[2, 0], text)],
            Wanted::NotRead("unknown compression"),
        ),
        pixel(
            "PNG: a badge in another chunk",
            &[chunk(b"tEXt", &[b"openbadgecredential\0", text].concat())],
            Wanted::NotRead("has to stand in an iTXt chunk"),
        ),
        pixel(
            "PNG: an assertion of Open Badges 2.0",
            std::slice::from_ref(&older),
            Wanted::NotRead("Open Badges 2.0"),
        ),
        pixel(
            "PNG: an assertion of Open Badges 2.0 beside the badge",
            &[older, plain()],
            good(),
        ),
        pixel(
            "PNG: a badge with a byte order mark",
            &[credential(&[0, 0], &marked)],
            good(),
        ),
        pixel(
            "PNG: a badge that is a link",
            &[credential(&[0, 0], b"https://forger.example/badge")],
            Wanted::NotRead("neither a JSON object nor a compact JWS"),
        ),
        pixel(
            "PNG: a badge that is not UTF-8",
            &[credential(&[0, 0], b"{\"id\":\"\xff\"}")],
            Wanted::NotRead("UTF-8"),
        ),
        pixel(
            "PNG: JSON that ends early",
            &[credential(&[0, 0], &text[..text.len() - 1])],
            Wanted::NotRead("expected"),
        ),
        pixel(
            "PNG: a tampered badge",
            &[credential(&[0, 0], tampered.as_bytes())],
            refused_at("signature-bad", "/proof"),
        ),
        row(
            "PNG: a bit of the badge has flipped",
            png,
            |picture| picture.0 = damaged,
            Wanted::NotRead("checksum"),
        ),
        row(
            "PNG: cut off",
            png,
            |picture| picture.0 = cut,
            Wanted::NotRead("cut off"),
        ),
    ]
}

fn svgs() -> Vec<Row> {
    let drawn = |name, change: &dyn Fn(String) -> String, expected| {
        let image = change(drawing(&element(&badge())));
        row(
            name,
            svg,
            |picture| picture.0 = image.into_bytes(),
            expected,
        )
    };
    let inside = |name, inside: String, expected| {
        row(
            name,
            svg,
            |picture| picture.0 = drawing(&inside).into_bytes(),
            expected,
        )
    };
    let nested = format!("<g>{}</g>", element(&badge()));
    let elsewhere = element(&badge()).replace("openbadges:", "other:");
    let elsewhere = elsewhere.replacen(
        "credential",
        "credential xmlns:other=\"https://forger.example\"",
        1,
    );
    let mixed = element(&format!("]]><!-- {{}} --><![CDATA[{}", badge()));
    let entities = "<!DOCTYPE svg [<!ENTITY a \"lol\"><!ENTITY b \"&a;&a;&a;\">]>";
    let outside = "<!DOCTYPE svg [<!ENTITY a SYSTEM \"https://forger.example/x\">]>";
    let verify = format!(
        "<openbadges:credential verify=\"a.b.c\"><![CDATA[{}]]></openbadges:credential>",
        badge()
    );
    let deep = format!("{}{}", "<g>".repeat(10_000), "</g>".repeat(10_000));
    vec![
        inside(
            "SVG: no badge",
            String::new(),
            Wanted::NotRead("carries no credential"),
        ),
        inside(
            "SVG: two badges",
            element(&badge()).repeat(2),
            Wanted::NotRead("carries two credentials"),
        ),
        inside(
            "SVG: a badge within a group",
            nested,
            Wanted::NotRead("child of the root"),
        ),
        inside(
            "SVG: a badge in another namespace",
            elsewhere,
            Wanted::NotRead("carries no credential"),
        ),
        inside(
            "SVG: a badge in a comment",
            format!("<!--{}-->", element("{}")),
            Wanted::NotRead("carries no credential"),
        ),
        inside("SVG: a comment within the badge", mixed, good()),
        inside(
            "SVG: an element within the badge",
            "<openbadges:credential><g/></openbadges:credential>".to_owned(),
            Wanted::NotRead("has to be text"),
        ),
        inside(
            "SVG: a badge as JSON and as a JWS",
            verify,
            Wanted::NotRead("twice"),
        ),
        inside(
            "SVG: a link to a badge",
            "<openbadges:credential verify=\"https://forger.example/badge\"/>".to_owned(),
            Wanted::NotRead("compact JWS"),
        ),
        inside(
            "SVG: an entity that nobody declares",
            "<openbadges:credential>&badge;</openbadges:credential>".to_owned(),
            Wanted::NotRead("only the entities of XML itself"),
        ),
        inside(
            "SVG: ten thousand levels deep",
            deep,
            Wanted::NotRead("too deep"),
        ),
        drawn(
            "SVG: entities are declared",
            &|image| format!("{entities}{image}"),
            Wanted::NotRead("declarations in a document type"),
        ),
        drawn(
            "SVG: an entity from elsewhere",
            &|image| format!("{outside}{image}"),
            Wanted::NotRead("declarations in a document type"),
        ),
        drawn(
            "SVG: a document type is named",
            &|image| format!("<!DOCTYPE svg>{image}"),
            good(),
        ),
        drawn(
            "SVG: a second root",
            &|image| format!("{image}<svg/>"),
            Wanted::NotRead("second root"),
        ),
        drawn(
            "SVG: cut off",
            &|image| image.replace("</svg>", ""),
            Wanted::NotRead("ends before its root"),
        ),
        drawn(
            "SVG: in another encoding by its word",
            &|image| format!("<?xml version=\"1.0\" encoding=\"UTF-16\"?>{image}"),
            Wanted::NotRead("UTF-8"),
        ),
        drawn(
            "SVG: a tampered badge",
            &|image| image.replacen("Welding", "Flying", 1),
            refused_at("signature-bad", "/proof"),
        ),
    ]
}

fn files() -> Vec<Row> {
    let file =
        |name, bytes: Vec<u8>, expected| row(name, png, |picture| picture.0 = bytes, expected);
    let text = badge();
    let deep = format!("{}{}", r#"{"a":"#.repeat(10_000), "}".repeat(10_000));
    vec![
        file("a file of JSON", text.clone().into_bytes(), good()),
        file(
            "a file of JSON with a byte order mark",
            format!("\u{feff}{text}").into_bytes(),
            Wanted::NotRead("expected"),
        ),
        file(
            "a file of JSON that says its name twice",
            text.replacen('{', r#"{"name":"Flying","#, 1).into_bytes(),
            Wanted::NotRead("stands twice"),
        ),
        file(
            "a file with something behind its JSON",
            format!("{text}{{}}").into_bytes(),
            Wanted::NotRead("expected"),
        ),
        file(
            "a file of JSON ten thousand levels deep",
            deep.into_bytes(),
            Wanted::NotRead("deep"),
        ),
        file(
            "a photograph",
            b"\xff\xd8\xff\xe0".to_vec(),
            Wanted::NotRead("UTF-8"),
        ),
        file("an empty file", Vec::new(), Wanted::NotRead("expected")),
        file(
            "a page for people",
            b"<html><svg/></html>".to_vec(),
            Wanted::NotRead("expected"),
        ),
    ]
}
