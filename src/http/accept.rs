//! Content negotiation: media types (RFC 9110 section 12.5.1) and codings (section 12.5.3).

use http::HeaderMap;
use http::header::{ACCEPT, ACCEPT_ENCODING};

use super::problem::Problem;

/// The offer that the `Accept` headers like best; among equals the one offered first. Without such a
/// header the first offer. `None` where none is acceptable. Several headers count as one.
pub(super) fn choose_in<'o>(headers: &HeaderMap, offers: &[&'o str]) -> Option<&'o str> {
    let mut lines = headers.get_all(ACCEPT).iter();
    match (lines.next(), lines.next()) {
        (None, _) => offers.first().copied(),
        (Some(line), None) => choose(line.to_str().ok(), offers),
        (Some(_), Some(_)) => {
            let lines = headers.get_all(ACCEPT).iter();
            let lines: Vec<_> = lines.filter_map(|line| line.to_str().ok()).collect();
            choose(Some(&lines.join(",")), offers)
        }
    }
}

/// As [`choose_in`], for the text of one header.
pub(super) fn choose<'o>(accept: Option<&str>, offers: &[&'o str]) -> Option<&'o str> {
    let accept = accept.unwrap_or_default().trim();
    if matches!(accept, "" | "*/*") {
        return offers.first().copied();
    }
    let mut best: Option<(u16, &str)> = None;
    for offer in offers {
        let quality = quality_of(offer, accept);
        if quality > 0 && best.is_none_or(|(known, _)| quality > known) {
            best = Some((quality, offer));
        }
    }
    best.map(|(_, offer)| offer)
}

/// As [`choose`], with the problem that says what there is.
pub(super) fn negotiate<'o>(accept: Option<&str>, offers: &[&'o str]) -> Result<&'o str, Problem> {
    choose(accept, offers).ok_or_else(|| Problem::not_acceptable(offers))
}

/// One media range with its quality in thousandths.
struct Range<'a> {
    kind: &'a str,
    subkind: &'a str,
    quality: u16,
}

impl<'a> Range<'a> {
    fn parse(text: &'a str) -> Option<Self> {
        let mut parts = text.split(';').map(str::trim);
        let (kind, subkind) = parts.next()?.split_once('/')?;
        Some(Self {
            kind,
            subkind,
            quality: quality(parts)?,
        })
    }

    /// How closely the range names the offer: 3 by name, 2 by kind, 1 as anything.
    fn closeness(&self, offer: &str) -> Option<u8> {
        let (kind, subkind) = offer.split_once('/')?;
        let is = |range: &str, part: &str| range.eq_ignore_ascii_case(part);
        match (self.kind, self.subkind) {
            ("*", "*") => Some(1),
            (range, "*") if is(range, kind) => Some(2),
            (range, sub) if is(range, kind) && is(sub, subkind) => Some(3),
            _ => None,
        }
    }
}

/// The quality that the closest range gives an offer.
fn quality_of(offer: &str, accept: &str) -> u16 {
    let ranges = accept.split(',').filter_map(Range::parse);
    let close = ranges.filter_map(|range| Some((range.closeness(offer)?, range.quality)));
    close.max().map_or(0, |(_, quality)| quality)
}

/// The quality that parameters state, in thousandths; 1 where they state none.
fn quality<'a>(parameters: impl Iterator<Item = &'a str>) -> Option<u16> {
    let mut quality = 1000;
    for parameter in parameters {
        if let Some(value) = parameter
            .strip_prefix("q=")
            .or(parameter.strip_prefix("Q="))
        {
            let value: f32 = value.parse().ok().filter(|q| (0.0..=1.0).contains(q))?;
            quality = (value * 1000.0) as u16;
        }
    }
    Some(quality)
}

/// In which codings an answer may be sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Codings {
    /// As gzip, rather than as it is.
    pub(super) gzip: bool,
    /// As it is.
    pub(super) identity: bool,
}

impl Codings {
    /// What the `Accept-Encoding` headers allow. Without one nothing is compressed.
    pub(super) fn of(headers: &HeaderMap) -> Self {
        let mut asked = headers.get_all(ACCEPT_ENCODING).iter().peekable();
        if asked.peek().is_none() {
            return Self {
                gzip: false,
                identity: true,
            };
        }
        let lines = asked.filter_map(|line| line.to_str().ok());
        let (mut gzip, mut identity, mut any) = (None, None, None);
        for text in lines.flat_map(|line| line.split(',')) {
            let mut parts = text.split(';').map(str::trim);
            let coding = parts.next().unwrap_or_default();
            let Some(quality) = quality(parts) else {
                continue;
            };
            let of = match coding {
                "*" => &mut any,
                _ if is_gzip(coding) => &mut gzip,
                _ if coding.eq_ignore_ascii_case("identity") => &mut identity,
                _ => continue,
            };
            *of = Some(of.map_or(quality, |known: u16| known.max(quality)));
        }
        let gzip = gzip.or(any).unwrap_or(0);
        // It is acceptable unless it is refused, and liked least where nothing is said of it.
        let identity = identity.or(any).unwrap_or(1);
        Self {
            gzip: gzip > 0 && gzip >= identity,
            identity: identity > 0,
        }
    }
}

fn is_gzip(coding: &str) -> bool {
    // RFC 9110 section 8.4.1.3.
    coding.eq_ignore_ascii_case("gzip") || coding.eq_ignore_ascii_case("x-gzip")
}

#[cfg(test)]
mod tests {
    use super::*;

    const OFFERS: [&str; 3] = ["application/vc", "application/ld+json", "text/html"];

    #[test]
    fn the_best_liked_offer_wins() {
        let cases: [(Option<&str>, Option<&str>); 9] = [
            (None, Some("application/vc")),
            (Some(""), Some("application/vc")),
            (Some("*/*"), Some("application/vc")),
            (Some("application/ld+json"), Some("application/ld+json")),
            (
                Some("text/html,application/xhtml+xml,*/*;q=0.8"),
                Some("text/html"),
            ),
            (
                Some("application/*;q=0.5, text/html;q=0.4"),
                Some("application/vc"),
            ),
            (
                Some("application/vc;q=0, */*;q=0.1"),
                Some("application/ld+json"),
            ),
            (Some("application/xml"), None),
            (Some("nonsense"), None),
        ];
        for (accept, expected) in cases {
            assert_eq!(choose(accept, &OFFERS), expected, "{accept:?}");
        }
    }

    #[test]
    fn gzip_is_sent_to_who_takes_it() {
        const EITHER: (bool, bool) = (true, true);
        const PLAIN: (bool, bool) = (false, true);
        let cases: [(&[&str], (bool, bool)); 22] = [
            (&[], PLAIN),
            (&[""], PLAIN),
            (&["gzip"], EITHER),
            (&["GZip"], EITHER),
            (&["x-gzip"], EITHER),
            (&["deflate, gzip;q=1.0, *;q=0.5"], EITHER),
            (&["br, zstd"], PLAIN),
            (&["br", "gzip"], EITHER),
            (&["*"], EITHER),
            (&["gzip;q=0.001"], EITHER),
            (&["gzip;q=0"], PLAIN),
            (&["gzip; q=0.0"], PLAIN),
            (&["*;q=0.5, gzip;q=0"], PLAIN),
            (&["identity"], PLAIN),
            (&["gzip;q=0.5, identity"], PLAIN),
            (&["gzip;q=0.5, identity;q=0.5"], EITHER),
            (&["gzip, identity;q=0"], (true, false)),
            (&["identity;q=0"], (false, false)),
            (&["*;q=0"], (false, false)),
            (&["*;q=0, identity;q=0.1"], PLAIN),
            (&["gzip;q=2"], PLAIN),
            (&["gzip;q=x, gzip;q=0.3"], EITHER),
        ];
        for (lines, (gzip, identity)) in cases {
            let lines = lines
                .iter()
                .map(|line| (ACCEPT_ENCODING, line.parse().unwrap()));
            let headers: HeaderMap = lines.collect();
            assert_eq!(
                Codings::of(&headers),
                Codings { gzip, identity },
                "{headers:?}"
            );
        }
    }
}
