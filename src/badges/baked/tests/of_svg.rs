//! SVG images.

use super::*;

fn svg_refusal(image: &str) -> String {
    refusal(image.as_bytes())
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
