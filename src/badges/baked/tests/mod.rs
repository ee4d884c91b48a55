mod of_png;
mod of_svg;

use super::*;
use proptest::prelude::*;

/// One black pixel, made by Python's `zlib` and `struct`.
const PIXEL: &[u8] = b"\x89PNG\r\n\x1a\n\
    \0\0\0\x0dIHDR\0\0\0\x01\0\0\0\x01\x08\0\0\0\0\x3a\x7e\x9b\x55\
    \0\0\0\x0aIDAT\x78\x9c\x63\x60\0\0\0\x02\0\x01\x48\xaf\xa4\x71\
    \0\0\0\0IEND\xae\x42\x60\x82";

const JWS: &str = "eyJhbGciOiJFZERTQSJ9.eyJpc3MiOiJ4In0.c2ln";

/// Length, kind and CRC of the header, behind the signature.
const AFTER_HEADER: usize = 33;

fn json(text: &str) -> Baked {
    Baked::Json(text.to_owned())
}

/// The pixel with these bytes behind its header.
fn pixel_with(chunks: &[u8]) -> Vec<u8> {
    [&PIXEL[..AFTER_HEADER], chunks, &PIXEL[AFTER_HEADER..]].concat()
}

fn itxt(data: &[u8]) -> Vec<u8> {
    png::chunk(*b"iTXt", data)
}

fn credential_chunk(text: &str) -> Vec<u8> {
    itxt(&[b"openbadgecredential\0\0\0\0\0", text.as_bytes()].concat())
}

/// An SVG with `inside` behind the start of its root.
fn drawing(inside: &str) -> String {
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" \
         xmlns:openbadges=\"https://purl.imsglobal.org/ob/v3p0\" viewBox=\"0 0 1 1\">{inside}\
         <path d=\"M0,0\"/></svg>"
    )
}

fn refusal(image: &[u8]) -> String {
    unbake(image).unwrap_err().to_string()
}

#[test]
fn formats_are_told_by_their_beginning() {
    for (bytes, format) in [
        (PIXEL, Some(Image::Png)),
        (&PIXEL[..8], Some(Image::Png)),
        (b"\x89PNG\n", None),
        (b"<svg/>", Some(Image::Svg)),
        (b"\xef\xbb\xbf \n<svg>", Some(Image::Svg)),
        (
            b"<?xml version='1.0'?>\n<!-- by hand --><!DOCTYPE svg PUBLIC '-//W3C//DTD SVG 1.1//EN' \
              'http://www.w3.org/Graphics/SVG/1.1/DTD/svg11.dtd'><s:svg xmlns:s='x'>",
            Some(Image::Svg),
        ),
        (b"<svgs/>", None),
        (b"<html><svg/></html>", None),
        (b"text <svg/>", None),
        (b"{\"id\":\"<svg/>\"}", None),
        (b"\xff\xfe<\0s\0v\0g\0", None),
        (b"\xff\xd8\xff\xe0", None),
        (b"", None),
    ] {
        assert_eq!(Image::of(bytes), format, "{}", bytes.escape_ascii());
    }
}

#[test]
fn an_assertion_of_open_badges_2_is_named_and_is_no_credential() {
    let older = "<openbadges:assertion xmlns:openbadges=\"http://openbadges.org\" \
                 verify=\"https://example.org/assertions/1\"/>";
    let image = drawing(older);
    assert_eq!(
        unbake(image.as_bytes()),
        Err(BakedError::OpenBadges2(Image::Svg))
    );
    for chunk in [
        itxt(b"openbadges\0\0\0\0\0{\"type\":\"Assertion\"}"),
        png::chunk(*b"tEXt", b"openbadges\0https://example.org/assertions/1"),
    ] {
        let image = pixel_with(&chunk);
        assert_eq!(unbake(&image), Err(BakedError::OpenBadges2(Image::Png)));
        // Both may be baked into one image, for readers of either version.
        let both = bake(&image, &json("{}")).unwrap();
        assert_eq!(unbake(&both), Ok(json("{}")));
    }
    let both = bake(image.as_bytes(), &json("{}")).unwrap();
    assert_eq!(unbake(&both), Ok(json("{}")));
}

#[test]
fn an_image_that_is_too_large_is_not_looked_at() {
    let mut image = PIXEL.to_vec();
    image.resize(MAX_IMAGE_BYTES + 1, 0);
    assert_eq!(unbake(&image), Err(BakedError::TooLarge));
    let credential = json(&format!("{{{}}}", " ".repeat(MAX_IMAGE_BYTES - 20)));
    assert_eq!(bake(PIXEL, &credential), Err(BakedError::TooLarge));
}

proptest! {
    #[test]
    fn what_is_baked_comes_out_as_it_went_in(
        text in r#"[^\x00-\x1f\x7f\u{fffe}\u{ffff}]{0,200}"#, jws in "[A-Za-z0-9_-]{1,9}\\.[A-Za-z0-9_-]{1,9}\\.[A-Za-z0-9_-]{1,9}",
    ) {
        let text = serde_json::json!({"text": text, "]]>": "&amp;<![CDATA["}).to_string();
        for credential in [json(&text), Baked::Jwt(jws)] {
            for image in [PIXEL, drawing("").as_bytes(), b"<svg/>"] {
                let baked = bake(image, &credential).unwrap();
                prop_assert_eq!(unbake(&baked), Ok(credential.clone()));
            }
        }
    }

    #[test]
    fn no_byte_of_a_baked_png_changes_unseen(at in 8usize..130, bit in 0u8..8) {
        let credential = json("{\"id\":\"urn:uuid:1\",\"name\":\"A badge\"}");
        let mut image = bake(PIXEL, &credential).unwrap();
        prop_assume!(at < image.len());
        image[at] ^= 1 << bit;
        prop_assert!(unbake(&image).is_err());
    }

    #[test]
    fn a_mutilated_image_is_an_error_or_gives_a_text_of_its_kind(
        cut in 0usize..400, at in 0usize..400, bytes in proptest::collection::vec(any::<u8>(), 0..8),
    ) {
        let inside = "<g/><openbadges:credential verify='a.b.c'/>";
        let images = [bake(PIXEL, &json("{}")).unwrap(), drawing(inside).into_bytes()];
        for mut image in images {
            image.truncate(cut.max(8));
            let at = at.min(image.len());
            image.splice(at..at, bytes.clone());
            match unbake(&image) {
                Ok(Baked::Json(text)) => prop_assert_eq!(text.as_bytes()[0], b'{'),
                Ok(Baked::Jwt(text)) => prop_assert!(is_compact_jws(&text)),
                Err(_) => {}
            }
        }
    }
}
