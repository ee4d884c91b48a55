use proptest::prelude::*;
use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};

use super::text::width;
use super::*;

const FILL: FillWords<'static> = FillWords {
    title: "How full the lists are",
    table: "The same as a table",
    list: "List",
    used: "in use",
    set: "set",
    free: "free",
    capacity: "room for",
    of: "of",
    unknown: "not known",
    none: "There are no lists.",
    lists: "lists",
    apart: ',',
};

const FRESHNESS: FreshnessWords<'static> = FreshnessWords {
    title: "How fresh the published lists are",
    table: "The same as a table",
    list: "List",
    age: "Age",
    left: "holds for",
    ttl: "Copies hold for",
    current: "up to date",
    due: "about to be signed",
    behind: "behind for",
    ended: "ended",
    never: "never signed",
    none: "There are no lists.",
    lists: "lists",
    apart: ',',
};

fn list(name: &str, used: Option<u64>, set: u64) -> Fill {
    Fill {
        name: name.to_owned(),
        capacity: 131_072,
        used,
        set,
    }
}

/// A tag of a chart, and the text that follows it.
struct Tag {
    name: String,
    attributes: Vec<(String, String)>,
    text: String,
}

impl Tag {
    fn get(&self, name: &str) -> Option<&str> {
        let found = self.attributes.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value.as_str())
    }
}

/// The chart, as a parser that is not ours takes it.
fn parsed(html: &str) -> Vec<Tag> {
    let whole = format!("<x>{html}</x>");
    let mut reader = Reader::from_str(&whole);
    let mut found: Vec<Tag> = Vec::new();
    let tag = |start: &BytesStart<'_>| Tag {
        name: start.name().as_ref().to_owned(),
        attributes: start
            .attributes()
            .map(|attribute| {
                let attribute = attribute.unwrap();
                let name = attribute.key.as_ref().to_owned();
                (name, attribute.value.to_string())
            })
            .collect(),
        text: String::new(),
    };
    loop {
        match reader.read_event().unwrap() {
            Event::Start(start) | Event::Empty(start) => found.push(tag(&start)),
            Event::Text(text) => {
                let text = text.to_string();
                found.last_mut().unwrap().text.push_str(&text);
            }
            Event::GeneralRef(name) => {
                let one = match &*name {
                    "amp" => "&",
                    "lt" => "<",
                    "gt" => ">",
                    "quot" => "\"",
                    "#39" => "'",
                    other => panic!("{other:?}"),
                };
                found.last_mut().unwrap().text.push_str(one);
            }
            Event::End(_) => {}
            Event::Eof => return found,
            other => panic!("{other:?}"),
        }
    }
}

/// What holds of every chart, whatever is in it.
fn check(html: &str) {
    let tags = parsed(html);
    for forbidden in ["NaN", "inf", "style=", "<script", "<style", "href", "on"] {
        let in_tag = tags.iter().flat_map(|tag| &tag.attributes);
        let names: Vec<&str> = in_tag.map(|(name, _)| name.as_str()).collect();
        match forbidden {
            "on" => assert!(names.iter().all(|name| !name.starts_with("on")), "{html}"),
            "style=" | "href" => assert!(!names.contains(&forbidden.trim_end_matches('='))),
            "<script" | "<style" => assert!(!html.contains(forbidden), "{html}"),
            _ => {}
        }
    }
    let mut ends: std::collections::BTreeMap<String, f64> = std::collections::BTreeMap::new();
    for tag in &tags {
        assert!(
            [
                "x", "figure", "svg", "title", "desc", "text", "rect", "ul", "li", "details",
                "summary", "div", "table", "caption", "tr", "th", "td"
            ]
            .contains(&tag.name.as_str()),
            "{}",
            tag.name
        );
        if tag.name == "text" {
            let text = tag.text.trim_end_matches('\n');
            assert!(width(text) <= NARROWEST, "{text}");
        }
        if tag.name == "rect"
            && let Some(x) = tag.get("x")
        {
            let number = |value: &str| {
                let number: f64 = value.trim_end_matches('%').parse().unwrap();
                assert!((0.0..=100.0).contains(&number), "{value}");
                number
            };
            let ends_at = number(x) + number(tag.get("width").unwrap());
            assert!(ends_at <= 100.02, "{html}");
            if tag.get("class") != Some("free") {
                let end = ends.entry(tag.get("y").unwrap().to_owned()).or_default();
                assert!(
                    number(x) >= *end - 0.02,
                    "two stretches lie over each other: {html}"
                );
                *end = ends_at;
            }
        }
    }
    let height: usize = tags
        .iter()
        .find(|tag| tag.name == "svg")
        .unwrap()
        .get("height")
        .unwrap()
        .parse()
        .unwrap();
    assert!(height <= (MOST_ROWS + 1) * ROW);
}

fn texts<'t>(tags: &'t [Tag], name: &str) -> Vec<&'t str> {
    let such = tags.iter().filter(|tag| tag.name == name);
    such.map(|tag| tag.text.trim_end_matches('\n')).collect()
}

#[test]
fn a_list_says_how_full_it_is() {
    let html = fill("fill", &[list("Diplomas", Some(12_345), 12)], &FILL);
    check(&html);
    let tags = parsed(&html);
    assert_eq!(
        texts(&tags, "text"),
        ["Diplomas", "12,345 of 131,072 (9.42 %)"]
    );
    assert_eq!(texts(&tags, "title"), ["How full the lists are"]);
    assert_eq!(texts(&tags, "desc"), ["1 lists"]);
    assert_eq!(texts(&tags, "td"), ["131,072", "12,345", "12", "118,727"]);
    let rects: Vec<_> = tags
        .iter()
        .filter(|tag| tag.name == "rect" && tag.get("x").is_some())
        .map(|tag| {
            (
                tag.get("class").unwrap(),
                tag.get("x").unwrap(),
                tag.get("width").unwrap(),
            )
        })
        .collect();
    assert_eq!(
        rects,
        [
            ("free", "0", "100%"),
            ("bad", "0%", "0.01%"),
            ("good", "0.01%", "9.41%")
        ]
    );
}

#[test]
fn no_lists_one_list_and_ten_thousand_are_all_charts() {
    let none = fill("fill", &[], &FILL);
    check(&none);
    assert_eq!(texts(&parsed(&none), "text"), ["There are no lists."]);
    assert!(!none.contains("<table"));

    let lists: Vec<Fill> = (0..10_000_u64)
        .map(|n| list("L", (n % 100 != 0).then_some(131_072 * (n % 101) / 100), 0))
        .collect();
    let many = fill("fill", &lists, &FILL);
    check(&many);
    let tags = parsed(&many);
    let says = texts(&tags, "td");
    assert_eq!(says.len(), 11);
    let counted: u64 = says
        .iter()
        .map(|said| {
            said.trim_end_matches(" lists")
                .replace(',', "")
                .parse::<u64>()
                .unwrap()
        })
        .sum();
    assert_eq!(counted, 10_000);
    assert!(many.len() < 10_000, "{}", many.len());
    assert_eq!(many, fill("fill", &lists, &FILL));

    let fresh = Freshness {
        name: "L".into(),
        published: Some(Publication {
            age: 5,
            holds: Some(10),
        }),
        behind: None,
        ttl: 300_000,
    };
    let never = Freshness {
        published: None,
        ..fresh.clone()
    };
    let mut lists = vec![fresh; 9_999];
    lists.push(never);
    let many = freshness("fresh", &lists, 250, &FRESHNESS);
    check(&many);
    let tags = parsed(&many);
    assert_eq!(texts(&tags, "desc"), ["up to date: 9,999, never signed: 1"]);
    assert_eq!(texts(&tags, "td"), ["9,999 lists", "1 lists"]);
    check(&freshness("fresh", &[], 250, &FRESHNESS));
}

#[test]
fn what_is_published_stands_as_its_age_says() {
    let hour = 3_600_000;
    let list = |published, behind| Freshness {
        name: "L".into(),
        published,
        behind,
        ttl: 300_000,
    };
    let signed = |age, holds| Some(Publication { age, holds });
    for (list, says) in [
        (
            list(signed(hour, Some(7 * 24 * hour)), None),
            "up to date · holds for 6 d 23 h",
        ),
        (list(signed(hour, None), None), "up to date"),
        (
            list(signed(hour, Some(2 * hour)), Some(200)),
            "about to be signed: 200 ms",
        ),
        (
            list(signed(hour, Some(2 * hour)), Some(90_000)),
            "behind for: 1 min 30 s",
        ),
        (list(signed(2 * hour, Some(2 * hour)), None), "ended"),
        (list(None, Some(hour)), "never signed"),
    ] {
        let html = freshness("fresh", &[list], 250, &FRESHNESS);
        check(&html);
        assert_eq!(texts(&parsed(&html), "text"), ["L", says]);
    }
}

#[test]
fn names_stay_text() {
    for evil in [
        "<script>alert(1)</script>",
        "\" onload=\"alert(1)",
        "]]>&lt;b&gt;",
        "a\u{0}b\u{202e}txt.exe\u{ffff}",
        "mmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmm",
        "学校学校学校学校学校学校学校学校学校学校学校学校学校学校学校学校学校学校",
    ] {
        let html = fill("fill", &[list(evil, Some(1), 0)], &FILL);
        check(&html);
        assert!(!html.contains('\u{202e}') && !html.contains('\u{0}'));
        assert!(!html.contains("<script") && !html.contains("<b>"));
    }
}

proptest! {
    #[test]
    fn any_numbers_and_names_make_a_chart(
        lists in prop::collection::vec(
            (".{0,80}", any::<u64>(), any::<Option<u64>>(), any::<u64>()), 0..70),
    ) {
        let lists: Vec<Fill> = lists
            .into_iter()
            .map(|(name, capacity, used, set)| Fill { name, capacity, used, set })
            .collect();
        let html = fill("fill", &lists, &FILL);
        check(&html);
        prop_assert_eq!(html, fill("fill", &lists, &FILL));
    }

    #[test]
    fn any_times_make_a_chart(
        lists in prop::collection::vec(
            (".{0,80}", any::<Option<(u64, Option<u64>)>>(), any::<Option<u64>>(), any::<u64>()),
            0..70),
        delay in any::<u64>(),
    ) {
        let lists: Vec<Freshness> = lists
            .into_iter()
            .map(|(name, published, behind, ttl)| Freshness {
                name,
                published: published.map(|(age, holds)| Publication { age, holds }),
                behind,
                ttl,
            })
            .collect();
        check(&freshness("fresh", &lists, delay, &FRESHNESS));
    }
}

#[test]
fn numbers_and_times_are_written_for_people() {
    for (number, written) in [
        (0, "0"),
        (999, "999"),
        (1_000, "1,000"),
        (131_072, "131,072"),
    ] {
        assert_eq!(count(number, ','), written);
    }
    for (millis, written) in [
        (0, "0 ms"),
        (999, "999 ms"),
        (1_000, "1 s"),
        (90_000, "1 min 30 s"),
        (3_600_000, "1 h"),
        (3_601_000, "1 h"),
        (604_800_000, "7 d"),
        (90_000_000, "1 d 1 h"),
    ] {
        assert_eq!(duration(millis), written, "{millis}");
    }
    assert_eq!(duration(u64::MAX), "213503982334 d 14 h");
}
