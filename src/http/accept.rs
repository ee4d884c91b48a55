//! Content negotiation (RFC 9110 section 12.5.1).

use super::problem::Problem;

/// The offer that an `Accept` header likes best; among equals the one offered first. Without a
/// header the first offer. `None` where none is acceptable.
pub(super) fn choose<'o>(accept: Option<&str>, offers: &[&'o str]) -> Option<&'o str> {
    let Some(accept) = accept.filter(|accept| !accept.trim().is_empty()) else {
        return offers.first().copied();
    };
    let ranges: Vec<Range<'_>> = accept.split(',').filter_map(Range::parse).collect();
    let mut best: Option<(u16, &str)> = None;
    for offer in offers {
        let quality = quality_of(offer, &ranges);
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
        let mut quality = 1000;
        for parameter in parts {
            if let Some(value) = parameter
                .strip_prefix("q=")
                .or(parameter.strip_prefix("Q="))
            {
                let value: f32 = value.parse().ok().filter(|q| (0.0..=1.0).contains(q))?;
                quality = (value * 1000.0) as u16;
            }
        }
        Some(Self {
            kind,
            subkind,
            quality,
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
fn quality_of(offer: &str, ranges: &[Range<'_>]) -> u16 {
    let close = ranges
        .iter()
        .filter_map(|range| Some((range.closeness(offer)?, range.quality)));
    close.max().map_or(0, |(_, quality)| quality)
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
}
