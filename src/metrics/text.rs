//! The text format in which Prometheus reads numbers (its exposition formats, version 0.0.4).

use std::fmt::{Display, Write as _};

use super::instruments::Spread;

/// Numbers as text, family by family.
#[derive(Debug, Default)]
pub struct Text(String);

/// What kind of number a family is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Never goes down but at a restart; its name ends in `_total`.
    Counter,
    /// Goes up and down.
    Gauge,
    /// Buckets, their sum and their count.
    Histogram,
}

impl Text {
    /// The media type.
    pub const MEDIA_TYPE: &'static str = "text/plain; version=0.0.4; charset=utf-8";

    /// A family of numbers: each name once, and one sentence of help without a line break.
    pub fn family<'t>(&'t mut self, name: &'t str, kind: Kind, help: &str) -> Family<'t> {
        let word = match kind {
            Kind::Counter => "counter",
            Kind::Gauge => "gauge",
            Kind::Histogram => "histogram",
        };
        let help = help.replace('\\', "\\\\").replace('\n', "\\n");
        self.line(format_args!("# HELP {name} {help}"));
        self.line(format_args!("# TYPE {name} {word}"));
        Family { text: self, name }
    }

    /// A family of one number without labels.
    pub fn one(&mut self, name: &str, kind: Kind, help: &str, value: impl Display) {
        self.family(name, kind, help).value(&[], value);
    }

    /// The whole text.
    pub fn into_string(self) -> String {
        self.0
    }

    fn line(&mut self, line: impl Display) {
        let _ = writeln!(self.0, "{line}");
    }
}

/// Labels with their values.
type Labels<'l> = &'l [(&'l str, &'l str)];

/// A family that is being written.
#[derive(Debug)]
pub struct Family<'t> {
    text: &'t mut Text,
    name: &'t str,
}

impl Family<'_> {
    /// One number of it.
    pub fn value(&mut self, labels: Labels<'_>, value: impl Display) {
        let (name, labels) = (self.name, braced(labels, None));
        self.text.line(format_args!("{name}{labels} {value}"));
    }

    /// One histogram of it.
    pub fn spread(&mut self, labels: Labels<'_>, spread: &Spread) {
        let name = self.name;
        for (bound, count) in spread.up_to() {
            let labels = braced(labels, Some(&bound.to_string()));
            self.text
                .line(format_args!("{name}_bucket{labels} {count}"));
        }
        let (all, count) = (braced(labels, Some("+Inf")), spread.count());
        self.text.line(format_args!("{name}_bucket{all} {count}"));
        let (labels, sum) = (braced(labels, None), spread.sum());
        self.text.line(format_args!("{name}_sum{labels} {sum}"));
        self.text.line(format_args!("{name}_count{labels} {count}"));
    }
}

/// Labels in braces, with the bound of a bucket last; nothing where there are none.
fn braced(labels: Labels<'_>, bound: Option<&str>) -> String {
    let bound = bound.map(|bound| ("le", bound));
    let pairs: Vec<_> = labels
        .iter()
        .copied()
        .chain(bound)
        .map(|(name, value)| format!("{name}=\"{}\"", escaped(value)))
        .collect();
    match pairs.is_empty() {
        true => String::new(),
        false => format!("{{{}}}", pairs.join(",")),
    }
}

fn escaped(value: &str) -> String {
    value
        .replace('\\', "\\\\")
        .replace('"', "\\\"")
        .replace('\n', "\\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::{Histogram, Scale};

    #[test]
    fn a_family_is_written_as_prometheus_reads_it() {
        let mut text = Text::default();
        let mut family = text.family("a_total", Kind::Counter, "One\nline.");
        family.value(&[("of", "a \"b\"\\\n")], 3);
        text.one("b", Kind::Gauge, "Two.", 0.5);
        assert_eq!(
            text.into_string(),
            "# HELP a_total One\\nline.\n# TYPE a_total counter\na_total{of=\"a \\\"b\\\"\\\\\\n\"} 3\n\
             # HELP b Two.\n# TYPE b gauge\nb 0.5\n"
        );
    }

    #[test]
    fn a_histogram_adds_its_buckets_up() {
        let groups = Histogram::<{ Scale::COUNT }>::default();
        for count in [1, 2, 2, 5_000] {
            groups.had(count);
        }
        let mut text = Text::default();
        let mut family = text.family("size", Kind::Histogram, "Sizes.");
        family.spread(&[("of", "x")], &groups.spread());
        let text = text.into_string();
        for line in [
            "size_bucket{of=\"x\",le=\"1\"} 1",
            "size_bucket{of=\"x\",le=\"2\"} 3",
            "size_bucket{of=\"x\",le=\"4096\"} 3",
            "size_bucket{of=\"x\",le=\"+Inf\"} 4",
            "size_sum{of=\"x\"} 5005",
            "size_count{of=\"x\"} 4",
        ] {
            assert!(
                text.lines().any(|written| written == line),
                "{line}:\n{text}"
            );
        }
    }
}
