//! QR codes (ISO/IEC 18004) as SVG, drawn here: nobody else hears what they lead to.

use std::fmt::Write as _;

use askama::filters::{Html, escape};
use qrcode::{Color, EcLevel, QrCode, Version};

/// Modules of white around the code, which readers need on every side.
const QUIET: usize = 4;

/// The largest version that is drawn, 97 modules a side: five centimetres on paper give each of them half a
/// millimetre, which a telephone still reads.
const LARGEST: i16 = 20;

/// The QR code of a text, for a page; `title` is what it is called where it is not seen. Black on white in
/// every scheme of colours, since readers expect that. None where the text is too long to be read back from
/// paper, which is beyond 666 bytes: then the page shows the text alone.
pub fn svg(text: &str, title: &str) -> Option<String> {
    let code = QrCode::with_error_correction_level(text, EcLevel::M).ok()?;
    match code.version() {
        Version::Normal(version) if version <= LARGEST => {}
        Version::Normal(_) | Version::Micro(_) => return None,
    }
    let side = code.width() + 2 * QUIET;
    let Ok(title) = escape(title, Html);
    Some(format!(
        "<svg class=\"qr\" role=\"img\" viewBox=\"0 0 {side} {side}\" shape-rendering=\"crispEdges\">\
         <title>{title}</title><path fill=\"#fff\" d=\"M0 0h{side}v{side}H0z\"/>\
         <path fill=\"#000\" d=\"{}\"/></svg>",
        dark(&code)
    ))
}

/// The dark modules as one path: a box for each run in a row.
fn dark(code: &QrCode) -> String {
    let mut path = String::new();
    let modules = code.to_colors();
    for (row, modules) in modules.chunks(code.width()).enumerate() {
        let mut at = 0;
        for run in modules.chunk_by(|left, right| left == right) {
            if run[0] == Color::Dark {
                let (x, y, wide) = (at + QUIET, row + QUIET, run.len());
                write!(path, "M{x} {y}h{wide}v1h-{wide}z").expect("a String takes everything");
            }
            at += run.len();
        }
    }
    path
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_has_a_name_and_nothing_that_a_page_may_not_hold() {
        let drawn = svg(
            "https://registry.example/check?code=ABCD",
            "Code \"<of>\" it",
        )
        .unwrap();
        assert!(
            drawn.contains("<title>Code &#34;&#60;of&#62;&#34; it</title>"),
            "{drawn}"
        );
        for forbidden in ["style", "href", "script", "<?xml"] {
            assert!(!drawn.contains(forbidden), "{drawn}");
        }
    }

    #[test]
    fn the_quiet_zone_stays_white_on_every_side() {
        let drawn = svg("a", "").unwrap();
        // Version 1 has 21 modules a side; the finder patterns begin in its corners.
        assert!(drawn.contains("viewBox=\"0 0 29 29\""), "{drawn}");
        assert!(drawn.contains("d=\"M4 4h7v1h-7z"), "{drawn}");
        let ends = drawn.split('M').skip(2).map(|run| {
            let (x, rest) = run.split_once(' ').unwrap();
            let (y, rest) = rest.split_once('h').unwrap();
            let (wide, _) = rest.split_once('v').unwrap();
            let [x, y, wide] = [x, y, wide].map(|number| number.parse::<usize>().unwrap());
            (x >= QUIET && y >= QUIET, (x + wide).max(y + 1))
        });
        assert!(ends.clone().all(|(inside, _)| inside));
        assert_eq!(ends.map(|(_, end)| end).max(), Some(29 - QUIET));
    }

    #[test]
    fn what_paper_could_not_hold_is_not_drawn() {
        assert!(svg(&"a".repeat(666), "").is_some());
        assert!(svg(&"a".repeat(667), "").is_none());
        assert!(svg(&"a".repeat(100_000), "").is_none());
    }
}
