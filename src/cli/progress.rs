//! How far a long command has come, on one line of a terminal; nowhere else.

use std::io::{self, IsTerminal as _, Write as _};
use std::time::{Duration, Instant};

/// The line.
pub(super) struct Progress {
    shown: bool,
    last: Option<Instant>,
}

/// So often it is drawn anew, at most.
const PACE: Duration = Duration::from_millis(100);
/// Characters of the bar.
const WIDTH: usize = 24;

impl Progress {
    /// A line on standard error, where that is a terminal.
    pub(super) fn on_terminal() -> Self {
        Self {
            shown: io::stderr().is_terminal(),
            last: None,
        }
    }

    /// Draws how much of `total` is done, where that is known, and what that came to.
    pub(super) fn at(&mut self, done: u64, total: Option<u64>, words: &str) {
        let due = self.last.is_none_or(|last| last.elapsed() >= PACE);
        if self.shown && due {
            self.last = Some(Instant::now());
            // Where nobody can see it, nothing is lost.
            let _ = write!(io::stderr(), "\r\x1b[K{}", line(done, total, words));
            let _ = io::stderr().flush();
        }
    }
}

impl Drop for Progress {
    /// Clears the line, for what is printed next.
    fn drop(&mut self) {
        if self.last.is_some() {
            let _ = write!(io::stderr(), "\r\x1b[K");
        }
    }
}

fn line(done: u64, total: Option<u64>, words: &str) -> String {
    match total.filter(|total| *total > 0) {
        None => words.to_owned(),
        Some(total) => {
            let share = (done.min(total) as f64) / (total as f64);
            let filled = (share * WIDTH as f64) as usize;
            let bar = "#".repeat(filled) + &" ".repeat(WIDTH - filled);
            format!("[{bar}] {:3.0} %  {words}", share * 100.0)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bar_fills_and_never_overflows() {
        for (done, total, shown) in [
            (0, Some(10), "[                        ]   0 %  x"),
            (5, Some(10), "[############            ]  50 %  x"),
            (10, Some(10), "[########################] 100 %  x"),
            (11, Some(10), "[########################] 100 %  x"),
            (5, Some(0), "x"),
            (5, None, "x"),
        ] {
            assert_eq!(line(done, total, "x"), shown);
        }
    }
}
