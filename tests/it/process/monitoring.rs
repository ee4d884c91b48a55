//! What Prometheus and Grafana are given of ours: rules for alerts, and a dashboard. Every number that these
//! look at is there, and Prometheus' own tool reads every expression.

use std::collections::HashSet;
use std::env;
use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};
use tempfile::TempDir;

use super::folder::Folder;
use super::metrics::{Numbers, PROMTOOL, operated};
use super::program::{Ran, run};
use super::standing::{ISSUER, list, profile};
use crate::support::peers::skip;

const ALERTS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/docker/prometheus/alerts.yaml");
const ALERTS_TEST: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/docker/prometheus/alerts.test.yaml"
);
const DASHBOARD: &str = include_str!("../../../docker/grafana/goodstanding.json");

#[test]
fn every_number_that_an_alert_looks_at_is_there() {
    let rules = fs::read_to_string(ALERTS).unwrap();
    let rules = rules
        .lines()
        .filter_map(|line| line.trim().strip_prefix("expr: "));
    assert!(are_there(rules.map(str::to_owned).collect()) >= 12);
}

#[test]
fn promtool_takes_the_rules_for_alerts() {
    let Some(ran) = promtool(&["check", "rules", ALERTS]) else {
        return;
    };
    assert!(ran.exits(0).out.contains("rules found"));
}

#[test]
fn the_rules_for_alerts_say_what_they_should_and_nothing_of_a_registry_that_is_well() {
    let Some(ran) = promtool(&["test", "rules", ALERTS_TEST]) else {
        return;
    };
    assert!(ran.exits(0).out.contains("SUCCESS"));
    // It does look: with another bound the same numbers are told of otherwise.
    let folder = TempDir::new().unwrap();
    let at = |name: &str| folder.path().join(name);
    let rules = fs::read_to_string(ALERTS).unwrap();
    let wrong = rules.replace("_seconds < 86400", "_seconds < 3600");
    assert_ne!(wrong, rules);
    fs::write(at("alerts.yaml"), wrong).unwrap();
    fs::copy(ALERTS_TEST, at("alerts.test.yaml")).unwrap();
    let tried = at("alerts.test.yaml");
    let ran = promtool(&["test", "rules", tried.to_str().unwrap()]).unwrap();
    let ran = ran.exits(1);
    assert!((ran.out + &ran.err).contains("GoodstandingListEnds"));
}

#[test]
fn promtool_takes_the_configuration_of_the_guide() {
    let guide = include_str!("../../../docs/operations.md");
    let (_, config) = guide.split_once("```yaml\n").unwrap();
    let (config, _) = config.split_once("```").unwrap();
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("prometheus.yml");
    let there = config.replace("/etc/prometheus/goodstanding/alerts.yaml", ALERTS);
    assert_ne!(there, config);
    fs::write(&file, &there).unwrap();
    let Some(ran) = promtool(&["check", "config", file.to_str().unwrap()]) else {
        return;
    };
    let ran = ran.exits(0);
    assert!((ran.out + &ran.err).contains("15 rules found"));
    // The name by which alerts know it.
    let rules = fs::read_to_string(ALERTS).unwrap();
    assert!(rules.contains("job=\"goodstanding\"") && there.contains("job_name: goodstanding"));
}

fn promtool(arguments: &[&str]) -> Option<Ran> {
    let Some(promtool) = env::var_os(PROMTOOL).filter(|value| !value.is_empty()) else {
        skip("promtool", PROMTOOL);
        return None;
    };
    Some(run(Command::new(promtool).args(arguments), ""))
}

/// Holds the names in expressions against the numbers of a registry, and says how many there were.
#[track_caller]
fn are_there(expressions: Vec<String>) -> usize {
    let folder = Folder::prepared();
    let (server, operator) = operated(&folder, &[]);
    let registry = folder.operator(&server);
    profile(&registry, ISSUER, "issuer");
    list(&registry, ISSUER);
    let numbers = Numbers::of(&operator);
    let mut looked_at = 0;
    for expression in expressions {
        let words = expression.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_'));
        let names = words.filter(|word| word.contains('_'));
        for name in names.filter(|word| !OTHERS.contains(word)) {
            assert!(numbers.has(name), "{name}, of {expression}");
            looked_at += 1;
        }
    }
    looked_at
}

/// What else has such a name in an expression: functions, and a label.
const OTHERS: &[&str] = &["histogram_quantile", "group_right", "age_days"];

/// The panels of the dashboard, those in rows too.
fn panels() -> Vec<Value> {
    let dashboard: Value = serde_json::from_str(DASHBOARD).unwrap();
    assert_eq!(dashboard["uid"], "goodstanding");
    let panels = dashboard["panels"].as_array().unwrap().iter();
    let inner = |panel: &Value| panel["panels"].as_array().cloned().unwrap_or_default();
    panels
        .flat_map(|panel| [vec![panel.clone()], inner(panel)].concat())
        .collect()
}

/// What a panel asks Prometheus, as that reads it: Grafana puts in what is chosen above the panels.
fn expressions(panel: &Value) -> Vec<String> {
    let targets = panel["targets"].as_array().cloned().unwrap_or_default();
    let asked = targets.iter().map(|target| {
        let expression = target["expr"].as_str().unwrap();
        let chosen = [
            ("$__rate_interval", "5m"),
            ("$job", "goodstanding"),
            ("$instance", ".*"),
        ];
        let put_in = |text: String, (name, value): (&str, &str)| text.replace(name, value);
        chosen.into_iter().fold(expression.to_owned(), put_in)
    });
    asked.collect()
}

#[test]
fn the_dashboard_has_panels_that_are_told_apart_and_say_what_they_show() {
    let panels = panels();
    let mut ids = HashSet::new();
    let mut titles = HashSet::new();
    let mut places = HashSet::new();
    for panel in &panels {
        assert!(ids.insert(panel["id"].as_u64().unwrap()), "{panel}");
        assert!(titles.insert(panel["title"].as_str().unwrap()), "{panel}");
        let place = &panel["gridPos"];
        let [x, y, w] = ["x", "y", "w"].map(|name| place[name].as_u64().unwrap());
        assert!(w > 0 && x + w <= 24, "{panel}");
        assert!(places.insert((x, y)), "{panel}");
        if panel["type"] == "row" {
            continue;
        }
        assert!(
            panel["description"]
                .as_str()
                .is_some_and(|text| text.len() > 3)
        );
        let asked = expressions(panel);
        assert!(!asked.is_empty(), "{panel}");
        assert!(asked.iter().all(|asked| !asked.contains('$')), "{asked:?}");
    }
    // All that an operator has to see, by a number of each.
    let asked: String = panels.iter().flat_map(expressions).collect();
    for number in [
        "goodstanding_http_requests_total",
        "goodstanding_http_request_duration_seconds_bucket",
        "goodstanding_publish_delay_seconds_bucket",
        "goodstanding_list_first_end_seconds",
        "goodstanding_commit_duration_seconds_bucket",
        "goodstanding_anchor_lag_seconds_bucket",
        "goodstanding_turns_taken",
        "goodstanding_publish_waiting_lists",
        "goodstanding_cache_lookups_total",
        "goodstanding_signing_keys",
    ] {
        assert!(asked.contains(number), "{number}");
    }
}

#[test]
fn every_number_that_the_dashboard_shows_is_there() {
    assert!(are_there(panels().iter().flat_map(expressions).collect()) >= 40);
}

#[test]
fn promtool_reads_every_expression_of_the_dashboard() {
    let expressions: Vec<_> = panels().iter().flat_map(expressions).collect();
    let folder = TempDir::new().unwrap();
    let taken = |expressions: &[String]| {
        let file = folder.path().join("rules.yaml");
        write_rules(&file, expressions);
        promtool(&["check", "rules", file.to_str().unwrap()])
    };
    let Some(ran) = taken(&expressions) else {
        return;
    };
    let ran = ran.exits(0);
    assert!(
        ran.out
            .contains(&format!("{} rules found", expressions.len())),
        "{ran:?}"
    );
    let unread = format!("{})", expressions[0]);
    assert_ne!(taken(&[unread]).unwrap().status, Some(0));
}

/// Writes expressions as rules that record them. JSON is YAML.
fn write_rules(file: &Path, expressions: &[String]) {
    let rule = |(number, expression): (usize, &String)| json!({ "record": format!("panel:{number}"), "expr": expression });
    let rules: Vec<_> = expressions.iter().enumerate().map(rule).collect();
    let groups = json!({ "groups": [{ "name": "dashboard", "rules": rules }] });
    fs::write(file, groups.to_string()).unwrap();
}
