//! The viewer of the API reference (`viewer/README.md`), as it is served.

/// The program of the viewer, compressed by gzip.
pub const VIEWER_SCRIPT: &[u8] = include_bytes!("../../viewer/swagger-ui-bundle.js.gz");

/// The style of the viewer, compressed by gzip.
pub const VIEWER_STYLE: &[u8] = include_bytes!("../../viewer/swagger-ui.css.gz");

/// Starts the viewer on the page, which shows a plain table where this does not run.
pub const VIEWER_START: &str = include_str!("viewer.js");

/// What the page with the viewer needs: scripts and styles from here, images that the style carries, and
/// calls to this very registry. Nothing inline, nothing from elsewhere.
pub const VIEWER_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; \
     connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

#[cfg(test)]
mod tests {
    use std::io::Read as _;

    use flate2::read::GzDecoder;
    use sha2::{Digest as _, Sha256};

    use super::*;

    #[test]
    fn the_viewer_is_the_one_that_was_looked_at() {
        let table = include_str!("../../viewer/README.md");
        for (name, compressed) in [
            ("swagger-ui-bundle.js", VIEWER_SCRIPT),
            ("swagger-ui.css", VIEWER_STYLE),
        ] {
            let mut bytes = Vec::new();
            GzDecoder::new(compressed).read_to_end(&mut bytes).unwrap();
            let digest = Sha256::digest(&bytes);
            let digest: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
            let line = format!("| {name} | `{digest}` |");
            assert!(table.contains(&line), "viewer/README.md has no line {line}");
        }
    }
}
