//! All numbers, family by family. Those who write rules for alerts and pages of graphs rely on these names.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::process;
use crate::http::edge::Edge;
use crate::metrics::{Kind, Text};
use crate::registry::{KeyAges, Registry, State};

/// Puts the numbers together.
#[derive(Debug, Default)]
pub(super) struct Numbers {
    /// What takes long to be found out, and when that was.
    ages: Mutex<Option<(Instant, KeyAges)>>,
}

/// So long what takes long to be found out is told again.
const KEPT: Duration = Duration::from_secs(300);

impl Numbers {
    /// The numbers of this moment.
    pub(super) fn of(&self, edge: &Edge) -> String {
        let mut text = Text::default();
        requests(&mut text, edge);
        turns(&mut text, edge);
        exports(&mut text, edge);
        caches(&mut text, edge);
        let registry = &*edge.registry;
        publishing(&mut text, registry);
        writes(&mut text, registry);
        states(&mut text, registry);
        freshness(&mut text, registry);
        self.keys(&mut text, registry);
        build(&mut text);
        process::write(&mut text);
        text.into_string()
    }

    fn keys(&self, text: &mut Text, registry: &Registry) {
        // Whoever asks meanwhile waits for it, and need not find it out again.
        let mut known = self.ages.lock().unwrap_or_else(PoisonError::into_inner);
        let fresh = known.filter(|(at, _)| at.elapsed() < KEPT);
        let found = || Some((Instant::now(), registry.key_ages().ok()?));
        *known = fresh.or_else(found);
        let Some((_, ages)) = *known else {
            return;
        };
        let help = "Keys that sign, by the greatest number of days since they were made.";
        let mut family = text.family("goodstanding_signing_keys", Kind::Gauge, help);
        let bounds = KeyAges::DAYS.map(|days| days.to_string());
        let bounds = bounds.iter().map(String::as_str).chain(["more"]);
        for (days, count) in bounds.zip(ages.keys) {
            family.value(&[("age_days", days)], count);
        }
        text.one(
            "goodstanding_signing_key_oldest_seconds",
            Kind::Gauge,
            "Seconds since the oldest key that signs was made.",
            ages.oldest_seconds,
        );
    }
}

fn requests(text: &mut Text, edge: &Edge) {
    let totals = edge.measured.totals();
    let mut family = text.family(
        "goodstanding_http_requests_total",
        Kind::Counter,
        "Requests that were answered, by route and class of status.",
    );
    for ((method, route), total) in &totals {
        for (status, count) in total.classes() {
            let labels = [("method", *method), ("route", *route), ("status", status)];
            family.value(&labels, count);
        }
    }
    let mut family = text.family(
        "goodstanding_http_request_duration_seconds",
        Kind::Histogram,
        "Seconds from a request's head to its answer's, by route.",
    );
    for ((method, route), total) in &totals {
        let labels = [("method", *method), ("route", *route)];
        family.spread(&labels, total.durations());
    }
    let requests = &edge.measured.requests;
    text.one(
        "goodstanding_http_requests_in_flight",
        Kind::Gauge,
        "Requests that are being answered.",
        requests.under_way(),
    );
    text.one(
        "goodstanding_http_requests_abandoned_total",
        Kind::Counter,
        "Requests whose caller had gone before they were answered.",
        requests.abandoned(),
    );
}

fn turns(text: &mut Text, edge: &Edge) {
    let permits = edge.measured.permits();
    let mut family = text.family(
        "goodstanding_turns_taken",
        Kind::Gauge,
        "How many turns are taken of what happens only so many times at once.",
    );
    for permits in &permits {
        family.value(&[("of", permits.of)], permits.taken());
    }
    let mut family = text.family(
        "goodstanding_turns_limit",
        Kind::Gauge,
        "How many turns there are of what happens only so many times at once.",
    );
    for permits in &permits {
        family.value(&[("of", permits.of)], permits.limit);
    }
}

fn exports(text: &mut Text, edge: &Edge) {
    let exports = &edge.measured.exports;
    let mut family = text.family(
        "goodstanding_trace_spans_total",
        Kind::Counter,
        "Spans of traces by what became of them: sent, failed, or dropped since too many waited.",
    );
    for (outcome, counter) in [
        ("sent", &exports.sent),
        ("failed", &exports.failed),
        ("dropped", &exports.dropped),
    ] {
        family.value(&[("outcome", outcome)], counter.count());
    }
}

fn caches(text: &mut Text, edge: &Edge) {
    let fetched = edge.outside.measured();
    let fetched = fetched.map(|cache| ("fetched", cache));
    let caches: Vec<_> = edge.registry.caches().into_iter().chain(fetched).collect();
    let help = "How often what was asked for was kept in memory (hit) or not (miss).";
    let mut family = text.family("goodstanding_cache_lookups_total", Kind::Counter, help);
    for (name, cache) in &caches {
        for (result, count) in [("hit", cache.hits), ("miss", cache.misses)] {
            family.value(&[("cache", *name), ("result", result)], count);
        }
    }
    let help = "Things that are kept in memory.";
    let mut family = text.family("goodstanding_cache_entries", Kind::Gauge, help);
    for (name, cache) in &caches {
        family.value(&[("cache", *name)], cache.held.things);
    }
    let help = "Bytes that they take, about.";
    let mut family = text.family("goodstanding_cache_bytes", Kind::Gauge, help);
    for (name, cache) in &caches {
        if let Some(bytes) = cache.held.bytes {
            family.value(&[("cache", *name)], bytes);
        }
    }
}

fn publishing(text: &mut Text, registry: &Registry) {
    let measured = registry.measured_publishing();
    let mut family = text.family(
        "goodstanding_publish_delay_seconds",
        Kind::Histogram,
        "Seconds from an acknowledged change to its signed list.",
    );
    family.spread(&[], &measured.delays.spread());
    text.one(
        "goodstanding_publish_failures_total",
        Kind::Counter,
        "Lists that could not be signed or stored at one try.",
        measured.failed.count(),
    );
    let backlog = registry.backlog();
    text.one(
        "goodstanding_publish_waiting_lists",
        Kind::Gauge,
        "Lists that changed and wait to be signed by this process.",
        backlog.lists,
    );
    text.one(
        "goodstanding_publish_waiting_longest_seconds",
        Kind::Gauge,
        "Seconds for which the first of the lists that wait to be signed has waited.",
        backlog.longest.as_secs_f64(),
    );
}

fn writes(text: &mut Text, registry: &Registry) {
    let Some(writes) = registry.measured_writes() else {
        return;
    };
    let mut family = text.family(
        "goodstanding_commit_duration_seconds",
        Kind::Histogram,
        "Seconds until a group of changes was written and durable.",
    );
    family.spread(&[], &writes.commits.spread());
    text.one(
        "goodstanding_commits_waiting",
        Kind::Gauge,
        "Changes that wait to be written.",
        writes.waiting.present(),
    );
    let mut family = text.family(
        "goodstanding_commit_group_size",
        Kind::Histogram,
        "Changes that were written at once.",
    );
    family.spread(&[], &writes.groups.spread());
    let mut family = text.family(
        "goodstanding_anchor_duration_seconds",
        Kind::Histogram,
        "Seconds until what was written was anchored.",
    );
    family.spread(&[], &writes.anchors.spread());
    let mut family = text.family(
        "goodstanding_anchor_lag_seconds",
        Kind::Histogram,
        "Seconds for which a group of changes was durable and not anchored yet.",
    );
    family.spread(&[], &writes.lags.spread());
    text.one(
        "goodstanding_commit_failures_total",
        Kind::Counter,
        "Groups of changes that are not known to be durable.",
        writes.failed.count(),
    );
}

fn states(text: &mut Text, registry: &Registry) {
    let present = registry.states();
    let mut family = text.family(
        "goodstanding_state",
        Kind::Gauge,
        "1 for each state that the registry is in of those that an operator has to look after.",
    );
    for name in State::NAMES {
        let is_in = present.iter().any(|state| state.name() == *name);
        family.value(&[("state", name)], u8::from(is_in));
    }
    text.one(
        "goodstanding_takes_changes",
        Kind::Gauge,
        "1 where changes are taken, 0 where the registry is read only.",
        u8::from(registry.takes_changes()),
    );
    text.one(
        "goodstanding_leads",
        Kind::Gauge,
        "1 where this process does what one of several that share a store is enough for.",
        u8::from(registry.leads()),
    );
    text.one(
        "goodstanding_newest_event",
        Kind::Gauge,
        "The number of the newest event that this process sees; behind another's it is a replica that lags.",
        registry.newest_event().0,
    );
}

fn freshness(text: &mut Text, registry: &Registry) {
    // Where the store cannot be read nothing is said, and `goodstanding_state` says why.
    let Ok(ends) = registry.first_ends() else {
        return;
    };
    let mut family = text.family(
        "goodstanding_list_first_end_seconds",
        Kind::Gauge,
        "Seconds until the first signed list of a class ends; less than 0 where one has.",
    );
    for (class, seconds) in ends {
        family.value(&[("class", class)], seconds);
    }
}

fn build(text: &mut Text) {
    let mut family = text.family(
        "goodstanding_build_info",
        Kind::Gauge,
        "Always 1; its labels say which program this is.",
    );
    family.value(&[("version", env!("CARGO_PKG_VERSION"))], 1);
}
