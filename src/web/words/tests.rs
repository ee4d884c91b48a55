use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use super::*;
use crate::access::Action;
use crate::verify::outcome::Outcome;
use crate::web::assets::ASSETS;
use crate::web::console::{Done, Room};

/// What asks for texts by a key that is put together: each key below it counts as asked for.
const BY_CASE: [&str; 6] = [
    "base.month",
    "in_browser",
    "problem.do",
    "problem.kind",
    "problem.title",
    "scope",
];

/// The same below `console.`, where keys are handed around without their area.
const CONSOLE_BY_CASE: [&str; 2] = ["standing.", "state."];

fn places(text: &str) -> BTreeSet<&str> {
    let parts = text.split('{').skip(1);
    parts.map(|part| part.split('}').next().unwrap()).collect()
}

#[test]
fn every_language_has_the_same_texts_with_the_same_places() {
    for area in AREAS {
        let [english, german] = area.texts.map(|text| {
            let mut texts = BTreeMap::new();
            for line in text.lines().filter(|line| !line.trim().is_empty()) {
                assert!(line.starts_with('#') || line.contains(" = "), "{line}");
            }
            for (key, text) in entries(text) {
                assert!(!text.is_empty(), "{}.{key} is empty", area.name);
                let twice = texts.insert(key, places(text));
                assert!(twice.is_none(), "{}.{key} stands twice", area.name);
            }
            texts
        });
        assert_eq!(english, german, "area {}", area.name);
    }
}

#[test]
fn every_file_of_texts_is_an_area() {
    for language in Language::ALL {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/web/words");
        let files = fs::read_dir(folder.join(language.code())).unwrap();
        let files: BTreeSet<String> = files
            .map(|file| file.unwrap().file_name().into_string().unwrap())
            .collect();
        let areas = AREAS.iter().map(|area| format!("{}.txt", area.name));
        assert_eq!(files, areas.collect());
    }
}

/// The sources that ask for texts: templates, views and handlers.
fn sources() -> Vec<(String, String)> {
    let mut folders = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("src/web")];
    folders.push(Path::new(env!("CARGO_MANIFEST_DIR")).join("src/http"));
    let mut sources = Vec::new();
    while let Some(folder) = folders.pop() {
        for file in fs::read_dir(folder).unwrap() {
            let path = file.unwrap().path();
            let name = path.display().to_string();
            if path.is_dir() {
                folders.push(path);
            } else if name.ends_with(".html") || name.ends_with(".rs") {
                let text = fs::read_to_string(&path).unwrap();
                let text = text.split("#[cfg(test)]").next().unwrap().to_owned();
                sources.push((name, text));
            }
        }
    }
    sources
}

/// The keys that follow these words in a source as their first argument. In code others have methods
/// of such names as well: there a key begins with an area.
fn keys<'t>(name: &str, text: &'t str, calls: &[&str]) -> Vec<&'t str> {
    let is_template = name.ends_with(".html");
    let mut found = Vec::new();
    for call in calls {
        for rest in text.split(call).skip(1) {
            if let Some(rest) = rest.trim_start().strip_prefix('"') {
                let key = rest.split('"').next().unwrap();
                let area = key.split('.').next().unwrap();
                let is_area = AREAS.iter().any(|known| known.name == area) && key != area;
                if is_template || is_area {
                    found.push(key);
                }
            }
        }
    }
    found
}

#[test]
fn every_text_is_asked_for_and_every_text_that_is_asked_for_is_there() {
    let known: BTreeSet<&str> = Language::English
        .catalogue()
        .keys()
        .map(String::as_str)
        .collect();
    let mut asked: BTreeSet<String> = BTreeSet::new();
    let mut cases: BTreeSet<String> = BY_CASE.iter().map(|key| format!("{key}.")).collect();
    for (name, text) in sources() {
        for key in keys(&name, &text, &[".say(", ".with(", ".fill(", ".known("]) {
            assert!(
                known.contains(key),
                "{name} asks for {key}, which is not there"
            );
            asked.insert(key.to_owned());
        }
        for key in keys(&name, &text, &[".count("]) {
            for case in ["one", "many"] {
                let key = format!("{key}.{case}");
                assert!(known.contains(key.as_str()), "{name} counts by {key}");
                asked.insert(key);
            }
        }
        for key in keys(&name, &text, &[".one_of("]) {
            let below = format!("{key}.");
            assert!(
                known.iter().any(|key| key.starts_with(&below)),
                "{name}: {key}"
            );
            cases.insert(below);
        }
    }
    for key in known.iter().filter(|key| !key.starts_with("console.")) {
        let by_case = cases.iter().any(|case| key.starts_with(case.as_str()));
        assert!(asked.contains(*key) || by_case, "nobody asks for {key}");
    }
}

/// The console's keys go through methods and tables of many names: each stands somewhere in its sources in
/// quotes, or is put together.
#[test]
fn every_text_of_the_console_is_asked_for_and_every_one_that_is_asked_for_is_there() {
    let known = Language::English.catalogue();
    let sources: Vec<_> = sources()
        .into_iter()
        .filter(|(name, _)| name.contains("/console"))
        .collect();
    let mut found = 0;
    for (name, text) in &sources {
        for call in ["frame.t(\"", "self.t(\"", "language.console(\""] {
            for rest in text.split(call).skip(1) {
                let key = rest.split('"').next().unwrap();
                assert!(
                    known.contains_key(&format!("console.{key}")),
                    "{name} asks for {key}"
                );
                found += 1;
            }
        }
    }
    assert!(found > 150, "{found}");
    for key in known.keys().filter_map(|key| key.strip_prefix("console.")) {
        let quoted = format!("\"{key}\"");
        let by_case = CONSOLE_BY_CASE.iter().any(|case| key.starts_with(case));
        let asked = sources.iter().any(|(_, text)| text.contains(&quoted));
        assert!(asked || by_case, "nobody asks for console.{key}");
    }
    for done in Done::ALL {
        assert_eq!(Done::named(done.as_str()), Some(done));
        Language::English.console(done.key());
    }
    for room in Room::ALL {
        Language::English.console(room.key());
    }
    for outcome in Outcome::ALL {
        Language::English.console(&format!("standing.{}", outcome.as_str()));
    }
}

/// What the script of the check page says, and by which cases.
#[test]
fn the_script_has_its_texts_and_no_others() {
    let said = include_str!("../assets/check.mjs");
    let found = include_str!("../assets/proof.mjs");
    let asked_by = |begins: &str, text: &'static str| -> BTreeSet<String> {
        let asked = text.split(begins).skip(1);
        let asked = asked.map(|rest| rest.split('\'').next().unwrap().to_owned());
        asked.collect()
    };
    let mut asked = asked_by("say('", said);
    asked.extend(asked_by(" add('", said));
    for (case, begins) in [("forged", "Broken('"), ("unchecked", "Unchecked('")] {
        assert!(said.contains(&format!("say(`{case}.${{why}}`)")), "{case}");
        let whys = asked_by(begins, found);
        asked.extend(whys.iter().map(|why| format!("{case}.{why}")));
    }
    asked.insert("unchecked.ask".to_owned());
    let periods = ["in-force", "expired", "not-yet-valid", "unclear"];
    for period in periods {
        assert!(found.contains(&format!("'{period}'")), "{period}");
        asked.insert(format!("period.{period}"));
    }
    let known = Language::English.texts_of("in_browser");
    let known: BTreeSet<String> = known.map(|(key, _)| key.to_owned()).collect();
    assert_eq!(known, asked);
}

#[test]
fn every_asset_that_a_template_names_is_served() {
    for (name, text) in sources().iter().filter(|(name, _)| name.ends_with(".html")) {
        for rest in text.split(".asset(\"").skip(1) {
            let asset = rest.split('"').next().unwrap();
            assert!(
                ASSETS.iter().any(|known| known.name == asset),
                "{name}: {asset}"
            );
        }
    }
}

#[test]
fn every_case_has_its_text() {
    for outcome in Outcome::ALL {
        for part in ["words", "meaning"] {
            let key = format!("standing.{part}.{}", outcome.as_str());
            assert!(Language::English.known(&key).is_some(), "{key}");
        }
    }
    for action in Action::ALL {
        let key = format!("scope.{}", action.scope());
        assert_eq!(
            Language::English.known(&key),
            Some(action.meaning()),
            "{key}"
        );
    }
}

#[test]
fn the_language_is_the_one_liked_best_of_those_spoken() {
    for (header, expected) in [
        ("de", Some(Language::German)),
        ("de-CH, en;q=0.8", Some(Language::German)),
        ("fr, en;q=0.5, de;q=0.7", Some(Language::German)),
        ("en-GB,en;q=0.9,de;q=0.9", Some(Language::English)),
        ("de;q=0, en;q=0.1", Some(Language::English)),
        ("DE", Some(Language::German)),
        ("fr, it", None),
        ("de;q=high", None),
        ("*", None),
        ("", None),
    ] {
        assert_eq!(Language::accepted(header), expected, "{header}");
    }
}

#[test]
fn numbers_and_moments_are_written_as_each_language_does() {
    for (number, english, german) in [
        (0, "0", "0"),
        (999, "999", "999"),
        (1000, "1,000", "1.000"),
        (1_234_567, "1,234,567", "1.234.567"),
    ] {
        assert_eq!(Language::English.number(number), english);
        assert_eq!(Language::German.number(number), german);
    }
    let moment = "2026-03-01T13:05:09.250+01:00".parse().unwrap();
    assert_eq!(Language::English.moment(moment), "1 March 2026, 12:05 UTC");
    assert_eq!(Language::German.moment(moment), "1. März 2026, 12:05 UTC");
}

#[test]
fn what_fills_a_place_is_never_read_as_one() {
    let values = [("person", "{name}"), ("name", "Ada")];
    let text = Language::English.fill("sign_in.welcome", &values);
    assert_eq!(text, "Welcome, {name}. You sign in as Ada from now on.");
}
