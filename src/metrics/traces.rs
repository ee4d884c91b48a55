//! Work that came to an end, as traces tell of it: by words of this program and by numbers. Nothing that was
//! sent can be in it, but for the ids that whoever asks gave the trace (W3C Trace Context).

use std::fmt::Debug;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use super::instruments::Counter;

/// Who tells of work that came to an end.
pub trait Traces: Debug + Send + Sync {
    /// This ended just now, after so long. It never waits: what there is no room for is left out and
    /// counted.
    fn ended(&self, parent: Option<Parent>, work: Work, took: Duration);
}

/// What was done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Work {
    /// A request was answered.
    Request {
        /// Its method, or `other`.
        method: &'static str,
        /// The pattern of its route; none where there is nothing at its address.
        route: Option<&'static str>,
        /// The status of the answer.
        status: u16,
    },
    /// A group of changes was written and is durable, or is not known to be.
    Commit {
        /// How many changes.
        changes: usize,
        /// Whether it is durable.
        done: bool,
    },
    /// What was written was anchored, or could not be.
    Anchor {
        /// Whether it was.
        done: bool,
    },
    /// A list was encoded and signed in all its forms, or could not be.
    Sign {
        /// Whether it was.
        done: bool,
    },
}

/// The span of whoever asks that a request is part of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Parent {
    /// The trace.
    pub trace: [u8; 16],
    /// The span.
    pub span: [u8; 8],
    /// Whether it is recorded there.
    pub sampled: bool,
}

impl Parent {
    /// The header that names it (W3C Trace Context section 3.2).
    pub const HEADER: &'static str = "traceparent";

    /// Reads the header's value; none where it is not one, which begins a new trace (section 4.3). A
    /// later version may have more behind what is read here (section 3.2.4).
    pub fn parse(value: &str) -> Option<Self> {
        let mut parts = value.splitn(5, '-');
        let [version] = bytes(parts.next()?)?;
        let (trace, span) = (bytes(parts.next()?)?, bytes(parts.next()?)?);
        let [flags] = bytes(parts.next()?)?;
        let ends = parts.next().is_none();
        let known = version == 0 && ends || (1..0xff).contains(&version);
        let named = trace != [0; 16] && span != [0; 8];
        (known && named).then_some(Self {
            trace,
            span,
            sampled: flags & 1 == 1,
        })
    }
}

/// Lower-case hexadecimal digits of exactly so many bytes.
fn bytes<const N: usize>(text: &str) -> Option<[u8; N]> {
    let digits = text.as_bytes();
    if digits.len() != 2 * N {
        return None;
    }
    let digit = |digit: u8| match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        _ => None,
    };
    let mut bytes = [0; N];
    for (byte, pair) in bytes.iter_mut().zip(digits.chunks(2)) {
        *byte = digit(pair[0])? << 4 | digit(pair[1])?;
    }
    Some(bytes)
}

/// Where work of one kind is told of: nowhere, until that is said.
#[derive(Debug, Default)]
pub struct Traced(OnceLock<Arc<dyn Traces>>);

impl Traced {
    /// From now on here. What was said first stays.
    pub fn by(&self, traces: Arc<dyn Traces>) {
        let _ = self.0.set(traces);
    }

    /// Who tells of it, if anybody does.
    pub fn present(&self) -> Option<&dyn Traces> {
        self.0.get().map(|traces| &**traces)
    }

    /// This ended just now, after so long, and is part of no request.
    pub fn ended(&self, work: Work, took: Duration) {
        if let Some(traces) = self.present() {
            traces.ended(None, work, took);
        }
    }
}

/// What became of spans on their way to whoever collects them.
#[derive(Debug, Default)]
pub struct Exports {
    /// Spans that were taken there.
    pub sent: Counter,
    /// Spans that were left out since too many waited.
    pub dropped: Counter,
    /// Spans that were not taken there: nobody answered, or they were refused.
    pub failed: Counter,
}

#[cfg(test)]
mod tests {
    use super::*;

    const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
    const SPAN: &str = "00f067aa0ba902b7";

    #[test]
    fn a_parent_is_read_as_the_recommendation_says() {
        let read = Parent::parse(&format!("00-{TRACE}-{SPAN}-01")).unwrap();
        assert_eq!((read.trace[0], read.trace[15]), (0x4b, 0x36));
        assert_eq!((read.span[1], read.span[7]), (0xf0, 0xb7));
        assert!(read.sampled);
        let not_recorded = Parent::parse(&format!("00-{TRACE}-{SPAN}-02")).unwrap();
        assert!(!not_recorded.sampled);
        let later = format!("cc-{TRACE}-{SPAN}-01-what-the-future-says");
        assert_eq!(Parent::parse(&later), Some(read));
    }

    #[test]
    fn what_is_no_parent_is_none() {
        let zeros = ("0".repeat(32), "0".repeat(16));
        for wrong in [
            String::new(),
            format!("00-{TRACE}-{SPAN}"),
            format!("00-{TRACE}-{SPAN}-01-more"),
            format!("ff-{TRACE}-{SPAN}-01"),
            format!("00-{}-{SPAN}-01", zeros.0),
            format!("00-{TRACE}-{}-01", zeros.1),
            format!("00-{}-{SPAN}-01", TRACE.to_uppercase()),
            format!("00-{SPAN}-{TRACE}-01"),
            format!("00-{TRACE}-{SPAN}-0x"),
            format!("00-{TRACE}é-{SPAN}-01"),
        ] {
            assert_eq!(Parent::parse(&wrong), None, "{wrong}");
        }
    }
}
