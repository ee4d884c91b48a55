//! How far it is.

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// A bar on the terminal; where there is none, nothing.
pub(super) struct Steps(ProgressBar);

impl Steps {
    pub(super) fn of(what: &'static str, count: u64) -> Self {
        let bar = ProgressBar::with_draw_target(Some(count), ProgressDrawTarget::stderr_with_hz(4));
        let style =
            ProgressStyle::with_template("{msg:24} {bar:40} {human_pos}/{human_len}  {eta}");
        bar.set_style(style.expect("the template is a constant"));
        bar.set_message(what);
        Self(bar)
    }

    pub(super) fn one_more(&self) {
        self.0.inc(1);
    }
}

impl Drop for Steps {
    fn drop(&mut self) {
        self.0.finish();
    }
}
