//! PNG images.

use super::*;

/// The chunk that Python makes of `{"name":"é"}`.
const BAKED_BY_PYTHON: &[u8] = b"\0\0\0\x25iTXtopenbadgecredential\0\0\0\0\0\
    \x7b\x22name\x22:\x22\xc3\xa9\x22\x7d\x04\xc1\xec\x06";

#[test]
fn what_another_program_has_baked_comes_out() {
    let image = pixel_with(BAKED_BY_PYTHON);
    assert_eq!(unbake(&image), Ok(json("{\"name\":\"é\"}")));
    assert_eq!(bake(PIXEL, &json("{\"name\":\"é\"}")), Ok(image));
}

#[test]
fn a_png_gives_json_or_a_jws() {
    assert_eq!(
        unbake(&pixel_with(&credential_chunk(JWS))),
        Ok(Baked::Jwt(JWS.to_owned()))
    );
    // With a byte order mark and blanks around it, and with what other tools leave in a PNG.
    let chunks = [
        png::chunk(*b"tEXt", b"Software\0a tool"),
        itxt(b"openbadgecredential\0\0\0en\0credencial\0\n\xef\xbb\xbf {} \n"),
        itxt(b"XML:com.adobe.xmp\0\x01\0\0\0\x78\x9c"),
    ];
    let image = [&pixel_with(&chunks.concat())[..], b"trailing bytes"].concat();
    assert_eq!(unbake(&image), Ok(json("{}")));
}

#[test]
fn a_png_that_readers_could_differ_about_is_refused() {
    let good = credential_chunk("{}");
    let mut damaged = good.clone();
    damaged[30] ^= 1;
    for (chunks, expected) in [
        (
            [&good[..], &good].concat(),
            "this PNG carries two credentials, and readers differ in which one they take",
        ),
        (
            damaged,
            "the PNG, byte 33: the chunk is damaged: its checksum (CRC) does not match",
        ),
        (
            itxt(b"openbadgecredential\0\x01\0\0\0\x78\x9c\xab\xae\x05\0\x01\x75\0\xf9"),
            "the PNG, byte 33: the credential is compressed, which baking forbids; bake it again",
        ),
        (
            itxt(b"openbadgecredential\0\x02\0\0\0{}"),
            "the PNG, byte 33: the iTXt chunk is of an unknown compression",
        ),
        (
            itxt(b"openbadgecredential\0\0\0"),
            "the PNG, byte 33: the iTXt chunk ends before its text",
        ),
        (
            itxt(b"openbadgecredential\0\0\0en\0{}"),
            "the PNG, byte 33: the iTXt chunk ends before its text",
        ),
        (
            itxt(b"openbadgecredential"),
            "the PNG, byte 33: the iTXt chunk ends before its text",
        ),
        (
            itxt(b"openbadgecredential\0\0\0\0\0{\"\xff\"}"),
            "the PNG, byte 33: the baked text is not UTF-8",
        ),
        (
            png::chunk(*b"tEXt", b"openbadgecredential\0{}"),
            "the PNG, byte 33: the credential has to stand in an iTXt chunk",
        ),
        (
            png::chunk(*b"IHDR", &[0; 13]),
            "the PNG, byte 33: a second header (IHDR)",
        ),
        (
            png::chunk(*b"IEND", b"more"),
            "the PNG, byte 33: the last chunk (IEND) has to be empty",
        ),
        (
            png::chunk(*b"iT\0t", b""),
            "the PNG, byte 33: the kind of a chunk has to be four letters",
        ),
        (
            b"\xff\xff\xff\xffIDAT".to_vec(),
            "the PNG, byte 33: the image is cut off before its last chunk (IEND)",
        ),
        (
            credential_chunk("https://example.org/assertions/1"),
            "what is baked in is neither a JSON object nor a compact JWS",
        ),
        (
            credential_chunk(""),
            "what is baked in is neither a JSON object nor a compact JWS",
        ),
    ] {
        assert_eq!(refusal(&pixel_with(&chunks)), expected);
    }
}

#[test]
fn a_png_is_read_from_its_header_to_its_end() {
    let headless = [&PIXEL[..8], &credential_chunk("{}"), &PIXEL[8..]].concat();
    assert_eq!(
        refusal(&headless),
        "the PNG, byte 8: the first chunk has to be a header (IHDR)"
    );
    for cut in 8..PIXEL.len() {
        let error = refusal(&PIXEL[..cut]);
        assert!(
            error.ends_with("cut off before its last chunk (IEND)"),
            "{error}"
        );
    }
    // Behind the last chunk there is no image any more, and no credential.
    let behind = [PIXEL, &credential_chunk("{}")].concat();
    assert_eq!(unbake(&behind), Err(BakedError::NoCredential(Image::Png)));
    let many = pixel_with(&png::chunk(*b"tEXt", b"").repeat(16_384));
    assert!(refusal(&many).ends_with("more chunks than are read here (16384)"));
}
