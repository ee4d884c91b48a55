//! Links between the documents: each leads to a file that is there, and to a heading in it.

use std::path::Path;

use super::blocks::{ROOT, beside, documents, read};

/// Documents beside those of [`documents`].
const OTHERS: &[&str] = &[
    "ARCHITECTURE.md",
    "CHANGELOG.md",
    "CONTRIBUTING.md",
    "benches/README.md",
    "contexts/README.md",
    "docker/README.md",
];

#[test]
fn every_link_leads_somewhere() {
    let (mut links, mut wrong) = (0, String::new());
    let all = documents();
    for path in all.iter().map(String::as_str).chain(OTHERS.iter().copied()) {
        for (line, link) in targets(&read(path)) {
            links += 1;
            if let Some(why) = broken(path, &link) {
                wrong += &format!("{path}:{line}: {link}: {why}\n");
            }
        }
    }
    assert!(wrong.is_empty(), "\n{wrong}");
    assert!(links > 40, "{links} links");
}

/// Every document below docs/ can be reached from the README.
#[test]
fn every_document_is_reached_from_the_readme() {
    let mut reached = vec!["README.md".to_owned()];
    let mut next = 0;
    while let Some(path) = reached.get(next).cloned() {
        next += 1;
        for (_, link) in targets(&read(&path)) {
            let file = link.split('#').next().unwrap_or_default();
            if file.is_empty() || file.contains(':') {
                continue;
            }
            let leads_to = beside(&path, file);
            if leads_to.ends_with(".md") && !reached.contains(&leads_to) {
                reached.push(leads_to);
            }
        }
    }
    let missed: Vec<_> = documents()
        .into_iter()
        .filter(|path| !reached.contains(path))
        .collect();
    assert!(missed.is_empty(), "{missed:?}");
}

/// What the links of a text lead to, with the lines that they stand in, from 1.
fn targets(text: &str) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    for (at, line) in text.lines().enumerate() {
        if line.starts_with("    ") {
            continue;
        }
        for part in line.split("](").skip(1) {
            if let Some((target, _)) = part.split_once(')') {
                found.push((at + 1, target.to_owned()));
            }
        }
    }
    found
}

/// Why a link leads nowhere. Other sites are not asked.
fn broken(path: &str, link: &str) -> Option<String> {
    if link.starts_with("http://") || link.starts_with("https://") || link.starts_with("mailto:") {
        return None;
    }
    let (file, anchor) = link.split_once('#').unwrap_or((link, ""));
    let target = match file {
        "" => path.to_owned(),
        file => beside(path, file),
    };
    if !Path::new(ROOT).join(&target).exists() {
        return Some(format!("there is no {target}"));
    }
    let known = anchor.is_empty() || anchors(&read(&target)).iter().any(|one| one == anchor);
    (!known).then(|| format!("{target} has no such heading"))
}

/// The anchors of the headings of a text, as GitHub and others make them.
fn anchors(text: &str) -> Vec<String> {
    let headings = text.lines().filter(|line| line.starts_with('#'));
    let anchor = |line: &str| {
        let kept = |c: &char| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_');
        let words: String = line
            .trim_start_matches('#')
            .trim()
            .chars()
            .filter(kept)
            .collect();
        words.to_lowercase().replace(' ', "-")
    };
    headings.map(anchor).collect()
}

#[test]
fn links_that_lead_nowhere_are_told() {
    assert_eq!(broken("README.md", "docs/scale.md#what-goes-in"), None);
    assert_eq!(broken("docs/scale.md", "../README.md"), None);
    assert!(broken("README.md", "docs/no.md").is_some());
    assert!(broken("README.md", "docs/scale.md#no-such-thing").is_some());
    let targets = targets("See [a](b.md), [c](d.md#e).\n    [not](this)\n");
    assert_eq!(targets, [(1, "b.md".to_owned()), (1, "d.md#e".to_owned())]);
}
