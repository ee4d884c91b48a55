//! Charts as SVG that the server writes: how full lists are, and how fresh what is published of them.
//!
//! They are as wide as the page lets them be: bars are measured in percent, texts in pixels, so that a
//! text is as large on a small screen as elsewhere, and none is longer than the smallest screen. Colours
//! come from the stylesheet by classes, in both schemes, and say nothing that is not written beside
//! them. Each chart has a title and a description, and beneath it, folded, a table of the same numbers.

mod fill;
mod freshness;
mod text;

pub use fill::{Fill, FillWords, fill};
pub use freshness::{Freshness, FreshnessWords, Publication, freshness};
pub use text::{count, duration};

use std::fmt::Write as _;

use text::{escaped, fitted, plain};

/// Rows of a chart; of more than these, groups are drawn.
pub const MOST_ROWS: usize = 60;

/// The narrowest place that a chart is drawn in, in pixels: a screen of 320 without its margins.
const NARROWEST: f64 = 280.0;

/// Height of a row: a line of text, a bar, a line of text, and what keeps it from the next one.
const ROW: usize = 64;

/// What a stretch of a bar stands for; the stylesheet has a colour for each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Tone {
    /// In order.
    Good,
    /// Wants looking at.
    Wait,
    /// Out of order, or set for good.
    Bad,
    /// Nobody knows.
    Unknown,
}

impl Tone {
    const fn class(self) -> &'static str {
        match self {
            Self::Good => "good",
            Self::Wait => "wait",
            Self::Bad => "bad",
            Self::Unknown => "unknown",
        }
    }
}

/// One row of a chart: a name, a bar of stretches, and what it says in words.
#[derive(Debug, Clone, PartialEq)]
struct Row {
    name: String,
    /// Stretches from the left, each with its part of the whole, which make up no more than 1.
    stretches: Vec<(Tone, f64)>,
    says: String,
}

/// The chart of these rows, and the table beneath it.
struct Chart<'a> {
    /// What the chart is, also for who hears the page read.
    title: &'a str,
    /// What there is to be seen.
    description: String,
    rows: Vec<Row>,
    /// What the colours mean.
    legend: Vec<(Tone, &'a str)>,
    /// What leads to the table.
    table_title: &'a str,
    heads: Vec<&'a str>,
    cells: Vec<Vec<String>>,
}

impl Chart<'_> {
    /// The chart as HTML. `id` tells it from others on the page: letters alone.
    fn html(&self, id: &str) -> String {
        let mut out = String::new();
        out.push_str("<figure class=\"chart\">\n");
        self.svg(id, &mut out);
        self.legend(&mut out);
        self.table(&mut out);
        out.push_str("</figure>\n");
        out
    }

    fn svg(&self, id: &str, out: &mut String) {
        let height = self.rows.len().max(1) * ROW;
        let title = escaped(&plain(self.title));
        let description = escaped(&plain(&self.description));
        put(
            out,
            format_args!(
                "<svg role=\"img\" width=\"100%\" height=\"{height}\" aria-labelledby=\"{id}-title {id}-desc\">\n\
                 <title id=\"{id}-title\">{title}</title>\n<desc id=\"{id}-desc\">{description}</desc>\n"
            ),
        );
        if self.rows.is_empty() {
            let says = escaped(&fitted(&self.description, NARROWEST));
            put(
                out,
                format_args!("<text class=\"says\" x=\"0\" y=\"16\">{says}</text>\n"),
            );
        }
        for (number, row) in self.rows.iter().enumerate() {
            row.draw(number * ROW, out);
        }
        out.push_str("</svg>\n");
    }

    fn legend(&self, out: &mut String) {
        if self.legend.is_empty() || self.rows.is_empty() {
            return;
        }
        out.push_str("<ul class=\"legend\">\n");
        for (tone, words) in &self.legend {
            let (class, words) = (tone.class(), escaped(&plain(words)));
            put(
                out,
                format_args!(
                    "<li><svg aria-hidden=\"true\" width=\"14\" height=\"14\"><rect class=\"{class}\" \
                     width=\"14\" height=\"14\"/></svg> {words}</li>\n"
                ),
            );
        }
        out.push_str("</ul>\n");
    }

    fn table(&self, out: &mut String) {
        if self.cells.is_empty() {
            return;
        }
        let summary = escaped(&plain(self.table_title));
        let caption = escaped(&plain(self.title));
        put(
            out,
            format_args!(
                "<details><summary>{summary}</summary>\n<div class=\"scroll\"><table>\n<caption>{caption}</caption>\n<tr>"
            ),
        );
        for head in &self.heads {
            put(
                out,
                format_args!("<th scope=\"col\">{}</th>", escaped(&plain(head))),
            );
        }
        out.push_str("</tr>\n");
        for row in &self.cells {
            out.push_str("<tr>");
            for (place, cell) in row.iter().enumerate() {
                let cell = escaped(&plain(cell));
                match place {
                    0 => put(out, format_args!("<th scope=\"row\">{cell}</th>")),
                    _ => put(out, format_args!("<td>{cell}</td>")),
                }
            }
            out.push_str("</tr>\n");
        }
        out.push_str("</table></div></details>\n");
    }
}

impl Row {
    fn draw(&self, top: usize, out: &mut String) {
        let name = escaped(&fitted(&self.name, NARROWEST));
        let says = escaped(&fitted(&self.says, NARROWEST));
        let (name_at, bar_at, says_at) = (top + 14, top + 20, top + 50);
        put(
            out,
            format_args!(
                "<text class=\"name\" x=\"0\" y=\"{name_at}\">{name}</text>\n\
                 <rect class=\"free\" x=\"0\" y=\"{bar_at}\" width=\"100%\" height=\"14\"/>\n"
            ),
        );
        let mut begins = 0.0;
        for (tone, part) in &self.stretches {
            let part = part_of_whole(*part).min(1.0 - begins);
            if part > 0.0 {
                let (class, x, width) = (tone.class(), percent(begins), percent(part));
                put(
                    out,
                    format_args!(
                        "<rect class=\"{class}\" x=\"{x}%\" y=\"{bar_at}\" width=\"{width}%\" height=\"14\"/>\n"
                    ),
                );
            }
            begins += part;
        }
        put(
            out,
            format_args!("<text class=\"says\" x=\"0\" y=\"{says_at}\">{says}</text>\n"),
        );
    }
}

fn put(out: &mut String, text: std::fmt::Arguments<'_>) {
    out.write_fmt(text)
        .expect("writing to a String fails only where a Display does");
}

/// A number from 0 to 1, whatever came of a division.
fn part_of_whole(part: f64) -> f64 {
    match part.is_nan() {
        true => 0.0,
        false => part.clamp(0.0, 1.0),
    }
}

/// So many parts of so many, from 0 to 1; 0 of nothing.
fn share(some: u64, all: u64) -> f64 {
    match all {
        0 => 0.0,
        // What is lost of large numbers is less than a pixel.
        all => part_of_whole(some as f64 / all as f64),
    }
}

/// A part of a whole in percent, with two decimals and no more digits than it needs.
fn percent(part: f64) -> String {
    let text = format!("{:.2}", part_of_whole(part) * 100.0);
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

#[cfg(test)]
mod tests;
