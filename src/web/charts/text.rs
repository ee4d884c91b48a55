//! Texts in charts: that they fit, that they stay text, and how numbers are written.

/// Size of the letters of a chart, in pixels; the stylesheet says the same.
const LETTERS: f64 = 13.0;

/// A text without what a person does not see but what changes what they see: control characters, and
/// those that turn the direction of writing.
pub(super) fn plain(text: &str) -> String {
    let seen = |c: char| match c {
        '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{200e}' | '\u{200f}' => '\u{fffd}',
        c if c.is_control() => ' ',
        '\u{fffe}' | '\u{ffff}' => '\u{fffd}',
        c => c,
    };
    text.chars().map(seen).collect()
}

/// A text between tags or in a quoted attribute.
pub(super) fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            c => out.push(c),
        }
    }
    out
}

/// As much of a text as is no wider than so many pixels, with what says that there is more.
pub(super) fn fitted(text: &str, most: f64) -> String {
    let text = plain(text);
    if width(&text) <= most {
        return text;
    }
    let mut left = most - width("…");
    let mut cut: String = text
        .chars()
        .take_while(|c| {
            left -= letter(*c);
            left >= 0.0
        })
        .collect();
    cut.truncate(cut.trim_end().len());
    cut.push('…');
    cut
}

/// How wide a text is at most.
pub(super) fn width(text: &str) -> f64 {
    text.chars().map(letter).sum()
}

/// How wide a letter is at most, in the fonts that browsers choose.
fn letter(c: char) -> f64 {
    LETTERS
        * match c {
            'm' | 'w' | 'M' | 'W' | '@' | '%' | '…' => 1.0,
            'A'..='Z' | '&' => 0.76,
            c if c.is_ascii() => 0.6,
            c if (c as u32) < 0x1100 => 0.8,
            // Letters that stand for a word, and small pictures.
            _ => 1.3,
        }
}

/// A number with its thousands apart, as the language of the page writes them.
pub fn count(number: u64, apart: char) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(apart);
        }
        text.push(digit);
    }
    text
}

/// A length of time in its two largest units, such as `6 d 21 h`.
pub fn duration(millis: u64) -> String {
    let seconds = millis / 1_000;
    if seconds == 0 {
        return format!("{millis} ms");
    }
    let units = [(86_400, "d"), (3_600, "h"), (60, "min"), (1, "s")];
    let largest = units.iter().position(|(length, _)| seconds >= *length);
    let largest = largest.unwrap_or(units.len() - 1);
    let (length, name) = units[largest];
    let whole = format!("{} {name}", seconds / length);
    match units.get(largest + 1) {
        Some((next, next_name)) if seconds % length / next > 0 => {
            format!("{whole} {} {next_name}", seconds % length / next)
        }
        _ => whole,
    }
}
