//! The log: lines of text or of JSON on standard error.
//!
//! What it says is held to one list of fields, and to the fixed words of this program's own messages, so
//! that no line repeats what somebody asked for or handed in. Others' libraries have words of their own,
//! which can repeat anything: of what they say only level and place are told.

use std::fmt::{self, Debug, Write as _};
use std::io;
use std::panic;

use serde_json::{Map, Value};
use tracing::field::{Field, Visit};
use tracing::{Event, Subscriber, error};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields};
use tracing_subscriber::registry::LookupSpan;

use super::SystemClock;
use crate::config::LogFormat;
use crate::time::Clock as _;

/// The fields that a line can have beside its time, its level, its target and its message. Any other
/// is left out.
pub const FIELDS: &[&str] = &[
    // A request. Neither its path nor its query, nor who sent it; whose change it was, of changes alone.
    "method",
    "route",
    "status",
    "problem",
    "request",
    "tenant",
    "client",
    "ms",
    // What went wrong: the kind of an error and never its words, which name what callers sent; and what
    // is said of files and keys of the operator's, where nothing of callers is known.
    "error",
    "engine",
    "keys",
    // In which state the registry is, of those that it has names for.
    "state",
    // Where in this program.
    "at",
    // How many of what the message speaks of.
    "count",
    "damaged",
    "configured",
    "served",
    "handles",
    // What the registry works on of its own accord, by the ids that it gave.
    "list",
    "endorsement",
    // Formats of the store, and master keys by their ids.
    "from",
    "to",
    "what",
    "format",
    // What the operator configured.
    "listen",
    "public_url",
    "file",
];

/// The variable that says what is logged, such as `goodstanding=info`; warnings where it is not set.
const FILTER: &str = "GOODSTANDING_LOG";

/// Starts to log on standard error.
pub(super) fn start(format: LogFormat) {
    let quiet = EnvFilter::new("warn,goodstanding=warn");
    let filter = EnvFilter::try_from_env(FILTER).unwrap_or(quiet);
    // A second start within one process keeps the first one's logging.
    let _ = tracing::subscriber::set_global_default(lines(format, filter, io::stderr));
    panic::set_hook(Box::new(|fault| {
        // What a panic says can repeat the text that it was about.
        let at = fault.location().map(ToString::to_string);
        error!(at, "a fault of this program");
    }));
}

fn lines<W>(format: LogFormat, filter: EnvFilter, out: W) -> impl Subscriber + Send + Sync
where
    W: for<'w> tracing_subscriber::fmt::MakeWriter<'w> + Send + Sync + 'static,
{
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_ansi(false)
        .event_format(Lines(format))
        .with_writer(out)
        .finish()
}

/// Writes each event as a line.
struct Lines(LogFormat);

impl<S, N> FormatEvent<S, N> for Lines
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(
        &self,
        _: &FmtContext<'_, S, N>,
        mut out: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        let (level, target) = (event.metadata().level(), event.metadata().target());
        let time = SystemClock.now();
        let mut told = Told::default();
        if is_ours(target) {
            event.record(&mut told);
        }
        let Told { message, fields } = told;
        match self.0 {
            LogFormat::Json => {
                let mut line = Map::new();
                line.insert("time".into(), time.to_string().into());
                line.insert("level".into(), level.as_str().into());
                line.insert("target".into(), target.into());
                line.extend(message.map(|message| ("message".into(), message.into())));
                line.extend(fields);
                writeln!(out, "{}", Value::Object(line))
            }
            LogFormat::Pretty => {
                write!(out, "{time} {level:>5} {target}")?;
                if let Some(message) = message {
                    write!(out, ": {message}")?;
                }
                for (name, value) in fields {
                    match value.as_str().filter(|text| is_plain(text)) {
                        Some(text) => write!(out, " {name}={text}")?,
                        None => write!(out, " {name}={value}")?,
                    }
                }
                writeln!(out)
            }
        }
    }
}

/// Whether an event comes from this program and not from a library.
fn is_ours(target: &str) -> bool {
    let own = env!("CARGO_PKG_NAME");
    let rest = target.strip_prefix(own);
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with("::"))
}

/// Whether a value needs no quotes to be told from what stands behind it.
fn is_plain(text: &str) -> bool {
    let ends = |c: char| c.is_whitespace() || c.is_control() || matches!(c, '"' | '=');
    !text.is_empty() && !text.contains(ends)
}

/// What of an event is told.
#[derive(Default)]
struct Told {
    message: Option<String>,
    fields: Map<String, Value>,
}

impl Told {
    fn takes(&mut self, field: &Field, value: Value) {
        if FIELDS.contains(&field.name()) {
            self.fields.insert(field.name().into(), value);
        }
    }
}

impl Visit for Told {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        let mut text = String::new();
        let _ = write!(text, "{value:?}");
        match field.name() {
            "message" => self.message = Some(text),
            _ => self.takes(field, text.into()),
        }
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        match field.name() {
            "message" => self.message = Some(value.to_owned()),
            _ => self.takes(field, value.into()),
        }
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.takes(field, value.into());
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.takes(field, value.into());
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.takes(field, value.into());
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::*;
    use tracing::info;
    use tracing_subscriber::fmt::MakeWriter;

    #[derive(Clone, Default)]
    struct Written(Arc<Mutex<Vec<u8>>>);

    impl io::Write for Written {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    impl<'w> MakeWriter<'w> for Written {
        type Writer = Self;

        fn make_writer(&'w self) -> Self {
            self.clone()
        }
    }

    /// What is written of what `says` logs, without the time of each line.
    fn written(format: LogFormat, says: impl FnOnce()) -> String {
        let out = Written::default();
        let log = lines(format, EnvFilter::new("trace"), out.clone());
        tracing::subscriber::with_default(log, says);
        let text = String::from_utf8(out.0.lock().unwrap().clone()).unwrap();
        let timeless = text.lines().map(|line| match format {
            LogFormat::Json => {
                let mut line: Map<String, Value> = serde_json::from_str(line).unwrap();
                let time = line.shift_remove("time").unwrap();
                assert!(time.as_str().unwrap().ends_with('Z'), "{time}");
                Value::Object(line).to_string()
            }
            LogFormat::Pretty => line.split_once(' ').unwrap().1.trim_start().to_owned(),
        });
        timeless.collect::<Vec<_>>().join("\n")
    }

    fn something() {
        info!(
            method = "GET",
            path = "/status-lists/canary",
            status = 200,
            error = %"Store",
            index = 7,
            "request"
        );
        info!(engine = "a\nline \"more\"", "told");
        info!(target: "hyper::proto", status = 200, "canary");
        info!(target: "goodstandings", status = 200, "canary");
    }

    #[test]
    fn what_is_not_on_the_list_is_not_told() {
        insta::assert_snapshot!(written(LogFormat::Json, something), @r#"
        {"level":"INFO","target":"goodstanding::app::logging::tests","message":"request","method":"GET","status":200,"error":"Store"}
        {"level":"INFO","target":"goodstanding::app::logging::tests","message":"told","engine":"a\nline \"more\""}
        {"level":"INFO","target":"hyper::proto"}
        {"level":"INFO","target":"goodstandings"}
        "#);
        insta::assert_snapshot!(written(LogFormat::Pretty, something), @r#"
        INFO goodstanding::app::logging::tests: request method=GET status=200 error=Store
        INFO goodstanding::app::logging::tests: told engine="a\nline \"more\""
        INFO hyper::proto
        INFO goodstandings
        "#);
    }
}
