//! What the pages load: styles, scripts and pictures, all from here and part of the program.

use std::sync::OnceLock;

use sha2::{Digest, Sha256};

macro_rules! assets {
    ($($name:literal as $media:literal),* $(,)?) => {
        &[$(Asset {
            name: $name,
            media_type: $media,
            bytes: include_bytes!(concat!("assets/", $name)),
        }),*]
    };
}

/// Every asset; a new one is a file in `assets/` and a line here.
pub(super) const ASSETS: &[Asset] = assets![
    "style.css" as "text/css; charset=utf-8",
    "check.mjs" as "text/javascript; charset=utf-8",
    "credential.mjs" as "text/javascript; charset=utf-8",
    "proof.mjs" as "text/javascript; charset=utf-8",
];

/// A file that the pages load.
#[derive(Debug)]
pub struct Asset {
    /// Its name, by which templates ask for its place.
    pub name: &'static str,
    /// Its media type.
    pub media_type: &'static str,
    /// Its bytes.
    pub bytes: &'static [u8],
}

/// Where an asset is served: below `/assets/`, with the beginning of its SHA-256 before its
/// extension, so that caches may keep it for good. A name that is not there is an asset that
/// nobody serves, which a test over the templates refuses.
pub(super) fn path(name: &str) -> String {
    let known = served().iter().find(|(_, asset)| asset.name == name);
    let served = known.map_or(name, |(served, _)| served);
    format!("/assets/{served}")
}

/// The asset that is served under a name, and whether the name is the present one: a page from
/// before an upgrade asks by another digest, and gets what there is.
pub fn asset(served_as: &str) -> Option<(&'static Asset, bool)> {
    let present = served().iter().find(|(served, _)| served == served_as);
    if let Some((_, asset)) = present {
        return Some((asset, true));
    }
    let (stem, extension) = served_as.rsplit_once('.')?;
    let (stem, _) = stem.rsplit_once('.').unwrap_or((stem, ""));
    let asset = ASSETS
        .iter()
        .find(|asset| asset.name.rsplit_once('.') == Some((stem, extension)))?;
    Some((asset, false))
}

fn served() -> &'static [(String, &'static Asset)] {
    static SERVED: OnceLock<Vec<(String, &Asset)>> = OnceLock::new();
    SERVED.get_or_init(|| {
        let named = ASSETS.iter().map(|asset| {
            let digest: String = Sha256::digest(asset.bytes)[..8]
                .iter()
                .map(|byte| format!("{byte:02x}"))
                .collect();
            let name = match asset.name.rsplit_once('.') {
                Some((stem, extension)) => format!("{stem}.{digest}.{extension}"),
                None => asset.name.to_owned(),
            };
            (name, asset)
        });
        named.collect()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_asset_is_found_where_templates_say_and_under_an_older_digest() {
        for known in ASSETS {
            let place = path(known.name);
            let name = place.strip_prefix("/assets/").unwrap();
            assert_ne!(name, known.name);
            let (found, present) = asset(name).expect("it is served");
            assert_eq!((found.name, present), (known.name, true));
            let (stem, extension) = known.name.rsplit_once('.').unwrap();
            let older = format!("{stem}.0123456789abcdef.{extension}");
            let (found, present) = asset(&older).expect("it is served");
            assert_eq!((found.name, present), (known.name, false));
        }
        for unknown in ["", ".", "style", "..", "../style.css", "style.js", "x.css"] {
            assert!(asset(unknown).is_none(), "{unknown}");
        }
    }
}
