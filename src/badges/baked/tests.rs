use super::*;
use proptest::prelude::*;

/// One black pixel, made by Python's `zlib` and `struct`.
const PIXEL: &[u8] = b"\x89PNG\r\n\x1a\n\
    \0\0\0\x0dIHDR\0\0\0\x01\0\0\0\x01\x08\0\0\0\0\x3a\x7e\x9b\x55\
    \0\0\0\x0aIDAT\x78\x9c\x63\x60\0\0\0\x02\0\x01\x48\xaf\xa4\x71\
    \0\0\0\0IEND\xae\x42\x60\x82";

/// The chunk that Python makes of `{"name":"é"}`.
const BAKED_BY_PYTHON: &[u8] = b"\0\0\0\x25iTXtopenbadgecredential\0\0\0\0\0\
    \x7b\x22name\x22:\x22\xc3\xa9\x22\x7d\x04\xc1\xec\x06";

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

fn svg_refusal(image: &str) -> String {
    refusal(image.as_bytes())
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

#[test]
fn an_svg_gives_json_or_a_jws() {
    let jwt = Ok(Baked::Jwt(JWS.to_owned()));
    let empty = format!("<openbadges:credential verify=\"{JWS}\"/>");
    assert_eq!(unbake(drawing(&empty).as_bytes()), jwt);
    let open = format!("<openbadges:credential verify='{JWS}'>\n</openbadges:credential>");
    assert_eq!(unbake(drawing(&open).as_bytes()), jwt);
    for (body, expected) in [
        ("<![CDATA[\n {\"a\":1} \n]]>", "{\"a\":1}"),
        ("{&quot;a&quot;:&#x22;&lt;&#233;&quot;}", "{\"a\":\"<é\"}"),
        (
            "<!-- not this --><![CDATA[{\"a\":\"]]]]><![CDATA[>\"}]]>",
            "{\"a\":\"]]>\"}",
        ),
    ] {
        let inside = format!("<openbadges:credential>{body}</openbadges:credential>");
        assert_eq!(unbake(drawing(&inside).as_bytes()), Ok(json(expected)));
    }
}

#[test]
fn an_svg_may_be_written_in_any_way_that_means_the_same() {
    for image in [
        // As drawing programs write it, with a document type that is named and not read.
        "\u{feff}<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<!-- made by hand -->\n\
         <!DOCTYPE svg PUBLIC \"-//W3C//DTD SVG 1.1//EN\" \
         \"http://www.w3.org/Graphics/SVG/1.1/DTD/svg11.dtd\">\n\
         <svg xmlns:openbadges=\"https://purl.imsglobal.org/ob/v3p0\">\
         <g><metadata/></g><openbadges:credential>{}</openbadges:credential></svg>\n",
        // Other prefixes, and namespaces given where they are used.
        "<s:svg xmlns:s='http://www.w3.org/2000/svg'>\
         <credential xmlns='https://purl.imsglobal.org/ob/v3p0'>{}</credential></s:svg>",
        // Elements of others that happen to have the name.
        "<svg xmlns='http://www.w3.org/2000/svg' xmlns:o='urn:other' \
         xmlns:b='https://purl.imsglobal.org/ob/v3p0'><o:credential>no</o:credential>\
         <g><credential/></g><b:credential>{}</b:credential></svg>",
    ] {
        assert_eq!(unbake(image.as_bytes()), Ok(json("{}")), "{image}");
    }
}

#[test]
fn what_is_not_a_child_of_the_root_is_not_the_credential() {
    let hidden = "<openbadges:credential>{}</openbadges:credential>";
    for wrapped in [
        format!("<svg>{hidden}</svg>"),
        format!("<foreignObject>{hidden}</foreignObject>"),
        format!("<g><g>{hidden}</g></g>"),
    ] {
        let error = svg_refusal(&drawing(&wrapped));
        assert!(
            error.ends_with("the credential has to be a child of the root"),
            "{error}"
        );
        // Nor does it stay unseen beside a right one: some readers take the first they find.
        let error = svg_refusal(&drawing(&format!("{hidden}{wrapped}")));
        assert!(
            error.ends_with("the credential has to be a child of the root"),
            "{error}"
        );
    }
    for unseen in [
        format!("<!-- {hidden} -->"),
        format!("<desc><![CDATA[{hidden}]]></desc>"),
        "<desc>&lt;openbadges:credential>{}&lt;/openbadges:credential></desc>".to_owned(),
        format!("<?note {hidden} ?>"),
    ] {
        let image = drawing(&unseen);
        assert_eq!(
            unbake(image.as_bytes()),
            Err(BakedError::NoCredential(Image::Svg)),
            "{image}"
        );
    }
}

#[test]
fn an_svg_that_readers_could_differ_about_is_refused() {
    let one = "<openbadges:credential>{}</openbadges:credential>";
    let ours =
        "openbadges:credential has to be in the namespace https://purl.imsglobal.org/ob/v3p0";
    for (inside, expected) in [
        (
            format!("{one}<g/>{one}"),
            "this SVG carries two credentials, and readers differ in which one they take",
        ),
        (
            format!("<openbadges:credential verify=\"{JWS}\">{{}}</openbadges:credential>"),
            "the credential is there twice: as the attribute verify and as text",
        ),
        (
            "<openbadges:credential verify=\"\">{}</openbadges:credential>".to_owned(),
            "the credential is there twice: as the attribute verify and as text",
        ),
        (
            "<openbadges:credential verify=\"a.b\"/>".to_owned(),
            "the attribute verify has to be a compact JWS",
        ),
        (
            format!("<openbadges:credential verify=\"&#101;{}\"/>", &JWS[1..]),
            "the attribute verify has to be a compact JWS",
        ),
        (
            format!("<openbadges:credential verify=\"{JWS}\" verify=\"{JWS}\"/>"),
            "an attribute stands twice",
        ),
        (
            format!("<openbadges:credential openbadges:verify=\"{JWS}\"/>"),
            "what is baked in is neither a JSON object nor a compact JWS",
        ),
        (
            "<openbadges:credential>{<b/>}</openbadges:credential>".to_owned(),
            "the credential has to be text",
        ),
        (
            "<openbadges:credential>{&lol;}</openbadges:credential>".to_owned(),
            "only the entities of XML itself are read",
        ),
        (
            "<openbadges:credential>{&#0;}</openbadges:credential>".to_owned(),
            "only the entities of XML itself are read",
        ),
        (
            format!("<g xmlns:openbadges='urn:mine'>{one}</g>{one}"),
            ours,
        ),
        (
            format!("<openbadges:credential xmlns:openbadges='urn:mine'/>{one}"),
            ours,
        ),
        (
            format!(
                "<x:credential xmlns:x='&#104;ttps://purl.imsglobal.org/ob/v3p0'>{{}}</x:credential>{one}"
            ),
            ours,
        ),
        (
            "<credential/>".repeat(17),
            "more elements called credential than are read here (16)",
        ),
    ] {
        let error = svg_refusal(&drawing(&inside));
        assert!(error.ends_with(expected), "{error}");
    }
    let unbound = "<svg><openbadges:credential>{}</openbadges:credential></svg>";
    assert!(svg_refusal(unbound).ends_with(ours));
}

#[test]
fn an_svg_that_is_not_sound_xml_is_refused() {
    let deep = format!("{}{}", "<g>".repeat(300), "</g>".repeat(300));
    let crowded: String = (0..200).map(|n| format!(" a{n}=''")).collect();
    let bound: String = (0..100).map(|n| format!(" xmlns:a{n}='urn:a'")).collect();
    for (image, expected) in [
        ("<svg>".to_owned(), "the document ends before its root does"),
        (
            "<svg><g></svg>".to_owned(),
            "expected `</g>`, but `</svg>` was found",
        ),
        ("<svg/><svg/>".to_owned(), "there is a second root"),
        ("<svg/>text".to_owned(), "there is text outside the root"),
        ("<svg/>&amp;".to_owned(), "there is text outside the root"),
        (
            "<svg/><!DOCTYPE svg>".to_owned(),
            "the document type has to stand before the root",
        ),
        (
            "<!DOCTYPE svg [<!ENTITY lol \"{}\">]><svg/>".to_owned(),
            "declarations in a document type are not read",
        ),
        (
            "<svg xmlns='urn:no'/>".to_owned(),
            "the root has to be an svg element",
        ),
        (
            "<?xml version='1.0' encoding='utf-16'?><svg/>".to_owned(),
            "the document has to be in UTF-8, and to say so",
        ),
        (
            " <?xml version='1.0'?><svg/>".to_owned(),
            "the XML declaration has to stand first",
        ),
        (
            drawing(&deep),
            "elements stand in one another too deep (256)",
        ),
        (
            format!("<svg{crowded}/>"),
            "more attributes than are read here (128)",
        ),
        (
            format!("<svg{bound}><g{bound}/></svg>"),
            "more namespaces than are read here (128)",
        ),
        (
            "<svg><!-- -- --></svg>".to_owned(),
            "forbidden string `--` was found in a comment",
        ),
    ] {
        let error = svg_refusal(&image);
        assert!(error.contains(expected), "{error}");
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
fn baking_says_where_the_namespace_is_and_never_bakes_twice() {
    let credential = json("{\"a\":\"]]>\"}");
    let baked = |image: &str| String::from_utf8(bake(image.as_bytes(), &credential).unwrap());
    assert_eq!(
        baked("<?xml version=\"1.0\"?><svg width=\"1\"><g/></svg>").unwrap(),
        "<?xml version=\"1.0\"?><svg xmlns:openbadges=\"https://purl.imsglobal.org/ob/v3p0\" \
         width=\"1\"><openbadges:credential><![CDATA[{\"a\":\"]]]]><![CDATA[>\"}]]>\
         </openbadges:credential><g/></svg>"
    );
    let bare = baked("<s:svg xmlns:s='http://www.w3.org/2000/svg' />").unwrap();
    assert!(bare.starts_with("<s:svg xmlns:openbadges=\"https://purl.imsglobal.org/ob/v3p0\" "));
    assert!(bare.ends_with("</openbadges:credential></s:svg>"), "{bare}");
    let taken = baked("<svg xmlns:openbadges='http://openbadges.org'></svg>").unwrap();
    assert!(taken.contains("<openbadges:credential xmlns:openbadges=\"https://purl."));
    for image in [bare, taken] {
        assert_eq!(unbake(image.as_bytes()), Ok(credential.clone()));
        let again = bake(image.as_bytes(), &credential);
        assert_eq!(again, Err(BakedError::AlreadyBaked(Image::Svg)));
    }
    let image = bake(PIXEL, &credential).unwrap();
    assert_eq!(
        bake(&image, &credential),
        Err(BakedError::AlreadyBaked(Image::Png))
    );
    assert_eq!(bake(b"GIF89a", &credential), Err(BakedError::NotAnImage));
    assert!(bake(&PIXEL[..40], &credential).is_err());
}

#[test]
fn an_image_that_is_too_large_is_not_looked_at() {
    let mut image = PIXEL.to_vec();
    image.resize(MAX_IMAGE_BYTES + 1, 0);
    assert_eq!(unbake(&image), Err(BakedError::TooLarge));
    let credential = json(&format!("{{{}}}", " ".repeat(MAX_IMAGE_BYTES - 20)));
    assert_eq!(bake(PIXEL, &credential), Err(BakedError::TooLarge));
}

/// Each of these is long, and made to be read again and again by a careless reader; the time that
/// took would be minutes.
#[test]
fn long_images_take_a_time_in_proportion() {
    let fill = |piece: &str| piece.repeat((2 << 20) / piece.len());
    for inside in [
        fill("<g a='' b='' c='' d='' e='' f='' g='' h=''/>"),
        fill("<a xmlns:x='urn:x'/>"),
        fill("<!---->"),
        fill("&amp;"),
        fill("x"),
    ] {
        let unbaked = unbake(drawing(&inside).as_bytes());
        assert_eq!(unbaked, Err(BakedError::NoCredential(Image::Svg)));
    }
    let long = fill("&amp;");
    let inside = format!("<openbadges:credential>{{{long}</openbadges:credential>");
    let text = "{".to_owned() + &"&".repeat(long.len() / 5);
    assert_eq!(unbake(drawing(&inside).as_bytes()), Ok(json(&text)));
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
