//! The pages for people: plain HTML that works without JavaScript, with one stylesheet, in
//! every [`Language`].
//!
//! Views go in, text comes out: a handler fills a view (each names its path) and sends what its
//! `html` returns as `text/html; charset=utf-8`. The pages need no more than
//! [`CONTENT_SECURITY_POLICY`] allows. Whatever a view holds is escaped; addresses from outside
//! become links only through [`Link`].

mod assets;
pub mod charts;
mod check;
pub mod console;
mod described;
mod frame;
mod parts;
mod path;
pub mod qr;
mod sign_in;
mod viewer;
mod views;
mod words;

pub use assets::{Asset, asset};
pub use check::{CheckAgainPage, CheckForm, CheckLine, CheckPage, EntryLine};
pub use frame::Frame;
pub use parts::{
    EndorsementLine, EndorserLine, ImportedLine, KeyLine, KeyState, Link, Moment, PathLine, Reason,
    Standing,
};
pub use path::{Path, PathStep};
pub use sign_in::{InvitationPage, SignInPage};
pub use viewer::{VIEWER_POLICY, VIEWER_SCRIPT, VIEWER_START, VIEWER_STYLE};
pub use views::{
    AchievementPage, DocsPage, EndorsementPage, HomePage, ProblemPage, ProfileLine, ProfilePage,
    RouteLine,
};
pub use words::Language;

/// What the pages may load and do: styles, scripts and pictures of ours, forms that lead back here.
/// Nothing that stands in the text of a page is run, so that text which slipped past escaping could
/// still do nothing; `data:` pictures are ones that a script drew.
pub const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; \
     img-src 'self' data:; connect-src 'self'; form-action 'self'; base-uri 'none'; \
     frame-ancestors 'none'";

#[cfg(test)]
mod tests {
    /// The stylesheet.
    const STYLE: &str = include_str!("assets/style.css");

    /// The colours of one scheme: the first block of `:root` is the light one, the second the dark.
    fn colours(scheme: usize) -> Vec<(&'static str, [f64; 3])> {
        let block = STYLE
            .split(":root {")
            .nth(scheme + 1)
            .unwrap()
            .split('}')
            .next()
            .unwrap();
        let declarations = block
            .split(';')
            .filter_map(|line| line.trim().split_once(": #"));
        declarations
            .map(|(name, digits)| {
                let part = |at: usize| u8::from_str_radix(&digits[at..at + 2], 16).unwrap();
                (
                    name,
                    [part(0), part(2), part(4)].map(|part| f64::from(part) / 255.0),
                )
            })
            .collect()
    }

    /// Relative luminance, as WCAG 2.2 defines it.
    fn luminance(colour: [f64; 3]) -> f64 {
        let [red, green, blue] = colour.map(|part| match part <= 0.04045 {
            true => part / 12.92,
            false => ((part + 0.055) / 1.055).powf(2.4),
        });
        0.2126 * red + 0.7152 * green + 0.0722 * blue
    }

    #[test]
    fn every_text_can_be_read_in_both_schemes() {
        for scheme in [0, 1] {
            let colours = colours(scheme);
            assert_eq!(colours.len(), 9);
            let luminance_of = |name: &str| {
                luminance(
                    colours
                        .iter()
                        .find(|(named, _)| *named == name)
                        .expect(name)
                        .1,
                )
            };
            for text in ["--ink", "--soft", "--accent", "--good", "--bad", "--wait"] {
                for ground in ["--ground", "--panel"] {
                    let (a, b) = (luminance_of(text) + 0.05, luminance_of(ground) + 0.05);
                    // WCAG 2.2 success criterion 1.4.3, level AA.
                    assert!(
                        a.max(b) / a.min(b) >= 4.5,
                        "scheme {scheme}: {text} on {ground}"
                    );
                }
            }
        }
    }

    #[test]
    fn the_stylesheet_loads_nothing() {
        assert!(!STYLE.contains("url(") && !STYLE.contains("@import"));
    }
}
