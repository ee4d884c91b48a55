//! How far a long command has come: a bar, or a count where the end is not known, on standard error where that
//! is a terminal; nowhere else, and not with `--json`. What is done within a second shows nothing.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// So long nothing is shown.
const DELAY: Duration = Duration::from_secs(1);
/// So often the spinner turns.
const PACE: Duration = Duration::from_millis(100);

/// Where a command's progress is shown, if anywhere. A command has one bar at a time: what is begun within
/// something that is shown already stays hidden.
#[derive(Clone)]
pub(super) struct Shows {
    drawn: bool,
    current: Rc<RefCell<Option<ProgressBar>>>,
}

impl Shows {
    /// On standard error where `drawn`, which takes a terminal; else nowhere.
    pub(super) fn new(drawn: bool) -> Self {
        Self {
            drawn,
            current: Rc::default(),
        }
    }

    /// Begins something that may take its time, until what is returned is dropped.
    pub(super) fn begin(&self, words: &str) -> Progress {
        let busy = self.current.borrow().is_some();
        if !self.drawn || busy {
            return Progress(None);
        }
        let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::hidden());
        bar.set_style(counting());
        bar.set_message(words.to_owned());
        *self.current.borrow_mut() = Some(bar.clone());
        Progress(Some(Shown {
            appears: Some(appear_later(&bar)),
            bar,
            total: None,
            current: Rc::clone(&self.current),
        }))
    }

    /// Prints something beside a bar that may be shown, which is drawn again below it.
    pub(super) fn aside<T>(&self, say: impl FnOnce() -> T) -> T {
        let current = self.current.borrow().clone();
        match current {
            Some(bar) => bar.suspend(say),
            None => say(),
        }
    }
}

/// Something that takes its time.
pub(super) struct Progress(Option<Shown>);

struct Shown {
    bar: ProgressBar,
    total: Option<u64>,
    /// Waits until the bar is due; told to stop, it ends.
    appears: Option<(Sender<()>, JoinHandle<()>)>,
    current: Rc<RefCell<Option<ProgressBar>>>,
}

impl Progress {
    /// So much of `total` is done, where that is known, of what `words` name.
    pub(super) fn at(&mut self, done: u64, total: Option<u64>, words: &str) {
        let Some(shown) = &mut self.0 else {
            return;
        };
        let total = total.filter(|total| *total > 0);
        if shown.total != total {
            shown.total = total;
            shown.bar.set_style(match total {
                Some(_) => filling(),
                None => counting(),
            });
            match total {
                Some(total) => shown.bar.set_length(total),
                None => shown.bar.unset_length(),
            }
        }
        shown
            .bar
            .set_position(total.map_or(done, |total| done.min(total)));
        shown.bar.set_message(words.to_owned());
    }
}

impl Drop for Shown {
    /// Clears the line, for what is printed next.
    fn drop(&mut self) {
        if let Some((stop, waiting)) = self.appears.take() {
            drop(stop);
            // It cannot panic, and where it did, there is no bar to clear.
            let _ = waiting.join();
        }
        self.bar.finish_and_clear();
        *self.current.borrow_mut() = None;
    }
}

/// Lets the bar be seen once it is due, unless what it shows is done by then.
fn appear_later(bar: &ProgressBar) -> (Sender<()>, JoinHandle<()>) {
    let (stop, stopped) = channel::<()>();
    let bar = bar.clone();
    let waiting = thread::spawn(move || {
        if stopped.recv_timeout(DELAY) == Err(RecvTimeoutError::Timeout) {
            bar.set_draw_target(ProgressDrawTarget::stderr());
            bar.enable_steady_tick(PACE);
        }
    });
    (stop, waiting)
}

fn filling() -> ProgressStyle {
    style("[{bar:24}] {percent:>3} %  {wide_msg}").progress_chars("##-")
}

fn counting() -> ProgressStyle {
    style("{spinner} {wide_msg}").tick_chars("|/-\\|")
}

fn style(template: &'static str) -> ProgressStyle {
    ProgressStyle::with_template(template).expect("the templates of this file are well formed")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_begun_where_nothing_is_drawn_and_one_at_a_time_where_it_is() {
        let nowhere = Shows::new(false);
        assert!(nowhere.begin("a").0.is_none());
        let shows = Shows::new(true);
        let outer = shows.begin("outer");
        assert!(outer.0.is_some());
        assert!(shows.begin("inner").0.is_none());
        drop(outer);
        assert!(shows.begin("next").0.is_some());
    }

    #[test]
    fn a_bar_fills_and_never_overflows() {
        let mut progress = Shows::new(true).begin("x");
        for (done, total, position, length) in [
            (3, None, 3, None),
            (5, Some(10), 5, Some(10)),
            (11, Some(10), 10, Some(10)),
            (7, Some(0), 7, None),
        ] {
            progress.at(done, total, "words");
            let shown = progress.0.as_ref().unwrap();
            let seen = (shown.bar.position(), shown.bar.length());
            assert_eq!(seen, (position, length));
            assert_eq!(shown.bar.message(), "words");
        }
    }
}
