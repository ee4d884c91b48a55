//! Badges inside of pictures.

use goodstanding::badges::baked::{Baked, BakedError, Image, bake, unbake};

use super::Reached;

const JSON: &str = r#"{"a":"]]>&<ä"}"#;

/// A credential that comes out is the one that a reader finds who stops at the first, and goes in
/// nowhere twice. Into a picture that carries none one goes in, comes out, and all of the picture
/// is still there.
pub fn run(data: &[u8]) -> Reached {
    let format = Image::of(data);
    match unbake(data) {
        Ok(baked) => {
            assert!(!baked.text().is_empty());
            let image = format.expect("a credential comes out of an image");
            let again = bake(data, &baked);
            assert_eq!(again, Err(BakedError::AlreadyBaked(image)));
            if image == Image::Png {
                assert_eq!(first_in_png(data).as_deref(), Some(baked.text()));
            }
            Reached::Read
        }
        Err(BakedError::NoCredential(_) | BakedError::OpenBadges2(_)) => {
            let jwt = Baked::Jwt("e30.e30.AA".to_owned());
            for credential in [Baked::Json(JSON.to_owned()), jwt] {
                check_round_trip(data, &credential);
            }
            Reached::Read
        }
        Err(error) => {
            assert!(!error.to_string().is_empty());
            let credential = Baked::Json("{}".to_owned());
            assert!(bake(data, &credential).is_err());
            Reached::Refused
        }
    }
}

fn check_round_trip(data: &[u8], credential: &Baked) {
    let image = bake(data, credential).expect("a sound image takes a credential");
    assert_eq!(unbake(&image).as_ref(), Ok(credential));
    // All bytes of the picture are there in their order, but for a byte order mark, and the slash
    // of a root that was empty.
    let data = data.strip_prefix(b"\xef\xbb\xbf").unwrap_or(data);
    let mut baked = image.iter();
    let mut kept = |byte: &u8| *byte == b'/' || baked.any(|other| other == byte);
    assert!(data.iter().all(&mut kept), "a piece of the picture is gone");
}

/// Without any check: the text of the first chunk of the right kind and keyword.
fn first_in_png(data: &[u8]) -> Option<String> {
    let mut rest = data.get(8..)?;
    loop {
        let length = u32::from_be_bytes(rest.first_chunk().copied()?) as usize;
        let chunk = rest.get(4..8 + length)?;
        if let Some(text) = chunk.strip_prefix(b"iTXtopenbadgecredential\0\0\0") {
            let mut parts = text.splitn(3, |byte| *byte == 0);
            let text = String::from_utf8(parts.nth(2)?.to_vec()).ok()?;
            let blank = [' ', '\t', '\n', '\r'];
            let text = text.trim_matches(blank).trim_start_matches('\u{feff}');
            return Some(text.trim_start_matches(blank).to_owned());
        }
        rest = rest.get(12 + length..)?;
    }
}
