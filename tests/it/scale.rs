//! docs/scale.md: each result is what its formula gives for the values above it, each formula uses what is
//! there, and what is said to be measured has a row among the results of the benches.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

/// The rows of the page's tables, by cells.
fn rows(text: &str) -> Vec<Vec<String>> {
    let rows = text.lines().filter(|line| line.starts_with("| `"));
    let cells = |line: &str| {
        line.trim_matches('|')
            .split('|')
            .map(|cell| cell.trim().to_owned())
            .collect()
    };
    rows.map(cells).collect()
}

fn read(path: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).unwrap()
}

#[test]
fn the_page_adds_up() {
    let (page, benches) = (
        read("docs/scale.md"),
        shapeless(&read("benches/RESULTS.md")),
    );
    let mut known = BTreeMap::new();
    let (mut measured, mut worked_out) = (0, 0);
    for cells in rows(&page) {
        let name = cells[0].trim_matches('`').to_owned();
        let value = match cells[1].strip_prefix('`') {
            // What goes in.
            None => {
                if let Some((_, row)) = cells[3].split_once("measured: ") {
                    let row = shapeless(row.trim_matches('`'));
                    assert!(
                        benches.contains(&format!("| {row} |")),
                        "{name}: no row {row:?}"
                    );
                    measured += 1;
                }
                cells[1]
                    .parse::<f64>()
                    .unwrap_or_else(|error| panic!("{name}: {error}"))
            }
            Some(formula) => {
                let value = worked_out_of(formula.trim_end_matches('`'), &known);
                assert_eq!(cells[2], written(value), "{name} = {formula}");
                worked_out += 1;
                value
            }
        };
        assert_eq!(
            known.insert(name.clone(), value),
            None,
            "{name} stands there twice"
        );
    }
    assert!(
        measured >= 5 && worked_out >= 20,
        "{measured} and {worked_out}"
    );
}

/// Figures in the names of rows change with each run.
fn shapeless(text: &str) -> String {
    text.chars()
        .map(|c| if c.is_ascii_digit() { '#' } else { c })
        .collect::<String>()
        .replace("##", "#")
        .replace("##", "#")
        .replace("##", "#")
}

/// Three figures, or whole numbers with commas.
fn written(value: f64) -> String {
    if value == 0.0 {
        return "0".to_owned();
    }
    let digits = match value.abs() {
        size if size >= 100.0 => 0,
        size => (2 - size.log10().floor() as i32) as usize,
    };
    let text = format!("{value:.digits$}");
    let (whole, rest) = text
        .split_once('.')
        .map_or((text.as_str(), String::new()), |(whole, rest)| {
            (whole, format!(".{rest}"))
        });
    let groups: Vec<String> = whole
        .as_bytes()
        .rchunks(3)
        .rev()
        .map(|group| String::from_utf8_lossy(group).into_owned())
        .collect();
    groups.join(",") + &rest
}

fn worked_out_of(formula: &str, known: &BTreeMap<String, f64>) -> f64 {
    let spaced = formula.replace('(', " ( ").replace(')', " ) ");
    let words: Vec<&str> = spaced.split_whitespace().collect();
    let (value, rest) = sum(&words, known);
    assert!(rest.is_empty(), "{formula}: what is {rest:?}?");
    value
}

fn sum<'w>(words: &'w [&'w str], known: &BTreeMap<String, f64>) -> (f64, &'w [&'w str]) {
    let (mut value, mut rest) = product(words, known);
    while let [sign @ ("+" | "-"), after @ ..] = rest {
        let (next, after) = product(after, known);
        value += if *sign == "+" { next } else { -next };
        rest = after;
    }
    (value, rest)
}

fn product<'w>(words: &'w [&'w str], known: &BTreeMap<String, f64>) -> (f64, &'w [&'w str]) {
    let (mut value, mut rest) = factor(words, known);
    while let [sign @ ("*" | "/"), after @ ..] = rest {
        let (next, after) = factor(after, known);
        value *= if *sign == "*" { next } else { 1.0 / next };
        rest = after;
    }
    (value, rest)
}

fn factor<'w>(words: &'w [&'w str], known: &BTreeMap<String, f64>) -> (f64, &'w [&'w str]) {
    match words {
        ["(", inside @ ..] => {
            let (value, rest) = sum(inside, known);
            assert_eq!(rest.first(), Some(&")"), "{words:?}");
            (value, &rest[1..])
        }
        [word, rest @ ..] => {
            let value = word.parse().ok().or_else(|| known.get(*word).copied());
            (
                value.unwrap_or_else(|| panic!("{word} is not known yet")),
                rest,
            )
        }
        [] => panic!("a formula breaks off"),
    }
}

#[test]
fn formulas_are_read_as_usual() {
    let known = BTreeMap::from([("a".to_owned(), 3.0)]);
    assert_eq!(worked_out_of("1 + a * (2 - 4) / 2", &known), -2.0);
    assert_eq!(worked_out_of("10 - 2 - 3", &known), 5.0);
    let shown = [1_234_567.4, 99.96, 0.01234, 2.5, 0.0].map(written);
    assert_eq!(shown, ["1,234,567", "100.0", "0.0123", "2.50", "0"]);
}
