//! Colour: on terminals only, and never the only thing that tells. `--color` decides; else NO_COLOR and
//! CLICOLOR_FORCE (no-color.org, bixense.com/clicolors) do; else whether it goes to a terminal that knows colours.

use std::io::{self, IsTerminal as _};

use clap::ValueEnum;

use super::report::Exit;

/// When output is coloured.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub(super) enum When {
    /// On terminals, unless the environment says otherwise
    #[default]
    Auto,
    /// Always
    Always,
    /// Never
    Never,
}

/// Which of the streams that a command writes are terminals.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Terminals {
    /// Standard output.
    pub out: bool,
    /// Standard error.
    pub err: bool,
}

impl Terminals {
    /// As this process has them.
    pub fn of_this_process() -> Self {
        Self {
            out: io::stdout().is_terminal(),
            err: io::stderr().is_terminal(),
        }
    }
}

/// What a variable of the environment is set to.
type Env<'a> = dyn Fn(&str) -> Option<String> + 'a;

impl When {
    /// Whether what goes to a stream is coloured; `terminal` says whether that is one.
    pub(super) fn on(self, terminal: bool, env: &Env<'_>) -> Paint {
        let set = |name: &str| env(name).filter(|value| !value.is_empty());
        let coloured = match self {
            Self::Always => true,
            Self::Never => false,
            Self::Auto if set("NO_COLOR").is_some() => false,
            Self::Auto if set("CLICOLOR_FORCE").is_some_and(|value| value != "0") => true,
            Self::Auto => {
                terminal
                    && set("TERM").is_some_and(|term| term != "dumb")
                    && set("CLICOLOR").is_none_or(|value| value != "0")
            }
        };
        Paint(coloured)
    }
}

/// Whether one stream is coloured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Paint(bool);

impl Paint {
    pub(super) const fn is_on(self) -> bool {
        self.0
    }

    /// The word of an outcome: green for good, red for not, yellow for what is not known.
    pub(super) fn outcome(self, word: &str, exit: Exit) -> String {
        self.with(
            word,
            match exit {
                Exit::Good => "32",
                Exit::Not => "31",
                Exit::Unknown | Exit::CutOff => "33",
            },
        )
    }

    pub(super) fn error(self, words: &str) -> String {
        self.with(words, "1;31")
    }

    pub(super) fn warning(self, words: &str) -> String {
        self.with(words, "1;33")
    }

    fn with(self, words: &str, colour: &str) -> String {
        match self.0 {
            true => format!("\x1b[{colour}m{words}\x1b[0m"),
            false => words.to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whether it is coloured, with these variables.
    fn on(when: When, terminal: bool, set: &[(&str, &str)]) -> bool {
        let env = |name: &str| {
            let found = set.iter().find(|(known, _)| *known == name);
            found.map(|(_, value)| (*value).to_owned())
        };
        when.on(terminal, &env).is_on()
    }

    #[test]
    fn the_option_decides_then_the_environment_then_the_terminal() {
        let xterm = ("TERM", "xterm-256color");
        for (when, terminal, set, coloured) in [
            (When::Auto, true, &[xterm][..], true),
            (When::Auto, false, &[xterm], false),
            (When::Auto, true, &[("TERM", "dumb")], false),
            (When::Auto, true, &[], false),
            (When::Auto, true, &[xterm, ("NO_COLOR", "1")], false),
            (When::Auto, true, &[xterm, ("NO_COLOR", "")], true),
            (When::Auto, true, &[xterm, ("CLICOLOR", "0")], false),
            (When::Auto, false, &[("CLICOLOR_FORCE", "1")], true),
            (When::Auto, false, &[("CLICOLOR_FORCE", "0")], false),
            (
                When::Auto,
                true,
                &[("CLICOLOR_FORCE", "1"), ("NO_COLOR", "1")],
                false,
            ),
            (When::Always, false, &[("NO_COLOR", "1")], true),
            (When::Never, true, &[xterm, ("CLICOLOR_FORCE", "1")], false),
        ] {
            assert_eq!(
                on(when, terminal, set),
                coloured,
                "{when:?} {terminal} {set:?}"
            );
        }
    }
}
