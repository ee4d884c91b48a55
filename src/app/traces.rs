//! Traces for OpenTelemetry: spans are put into a queue that has a bound, and a thread of its own sends
//! them to the collector by OTLP over HTTP. Nobody who answers a request waits for it.
//!
//! A span has the words and numbers of a [`Work`] and nothing else.

use std::fmt;
use std::hash::Hasher as _;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::time::{Duration, Instant, SystemTime};

use bytes::Bytes;
use opentelemetry::trace::{
    SpanContext, SpanId, SpanKind, Status, TraceFlags, TraceId, TraceState,
};
use opentelemetry::{InstrumentationScope, KeyValue};
use opentelemetry_http::{HttpClient, HttpError};
use opentelemetry_otlp::{
    Protocol, SpanExporter as Otlp, WithExportConfig as _, WithHttpConfig as _,
};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::{SpanData, SpanEvents, SpanExporter as _, SpanLinks};
use siphasher::sip::SipHasher24;
use tracing::{info, warn};
use ureq::Agent;

use super::SystemEntropy;
use crate::config::{Collector, OperationsConfig};
use crate::entropy::random;
use crate::metrics::{Exports, Parent, Traces, Work};

/// So many spans wait at most to be sent; each takes about half a kilobyte.
const WAITING: usize = 8_192;

/// So many are sent at once at most.
const AT_ONCE: usize = 512;

/// So long the first of those that are sent at once waits for others.
const GATHERING: Duration = Duration::from_secs(1);

/// So long the collector may take.
const COLLECTOR: Duration = Duration::from_secs(5);

/// Sends what it is told, until it is stopped.
pub(super) struct Sending {
    queue: Arc<Queue>,
    ended: Receiver<()>,
}

/// Starts to send traces, where the configuration says so.
///
/// # Errors
/// The exporter cannot be made, or the thread not started.
pub(super) fn start(
    config: &OperationsConfig,
    exports: Arc<Exports>,
) -> Result<Option<Sending>, String> {
    let Some(collector) = config.traces.as_ref().filter(|_| config.traces_ratio > 0.0) else {
        return Ok(None);
    };
    let failed = |error: &dyn fmt::Display| format!("operations.traces cannot be used: {error}");
    let exporter = exporter(collector, &config.traces_service).map_err(|error| failed(&error))?;
    let (waiting, spans) = sync_channel(WAITING);
    let queue = Arc::new(Queue {
        sampler: Sampler::new(config.traces_ratio),
        waiting,
        ending: AtomicBool::new(false),
        scope: InstrumentationScope::builder(env!("CARGO_PKG_NAME"))
            .with_version(env!("CARGO_PKG_VERSION"))
            .build(),
        exports,
    });
    let (ends, ended) = sync_channel(1);
    let sender = Sender {
        exporter,
        queue: queue.clone(),
        refused: false,
    };
    let thread = std::thread::Builder::new().name("traces".to_owned());
    let run = move || {
        sender.run(&spans);
        let _ = ends.send(());
    };
    thread.spawn(run).map_err(|error| failed(&error))?;
    info!("sending traces");
    Ok(Some(Sending { queue, ended }))
}

impl Sending {
    /// Where to tell of work.
    pub(super) fn traces(&self) -> Arc<dyn Traces> {
        self.queue.clone()
    }

    /// Sends what waits, until then at the latest, and for no longer than a collector may take.
    pub(super) fn stop(&self, until: Instant) {
        self.queue.ending.store(true, Ordering::Release);
        // Only so that the thread wakes; where the queue is full it is awake.
        let _ = self.queue.waiting.try_send(Order::End);
        let left = until.saturating_duration_since(Instant::now());
        if self.ended.recv_timeout(left.min(COLLECTOR)).is_err() {
            warn!("traces that waited could not all be sent");
        }
    }
}

enum Order {
    Send(Box<SpanData>),
    End,
}

/// What waits to be sent.
struct Queue {
    sampler: Sampler,
    waiting: SyncSender<Order>,
    ending: AtomicBool,
    scope: InstrumentationScope,
    exports: Arc<Exports>,
}

impl fmt::Debug for Queue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Queue")
    }
}

impl Traces for Queue {
    fn ended(&self, parent: Option<Parent>, work: Work, took: Duration) {
        let Some((trace, span)) = self.sampler.take(parent) else {
            return;
        };
        let end_time = SystemTime::now();
        let told = SpanData {
            span_context: SpanContext::new(
                TraceId::from_bytes(trace),
                SpanId::from_bytes(span),
                TraceFlags::SAMPLED,
                false,
                // What others wrote into `tracestate` can be anything, so that it is not passed on.
                TraceState::default(),
            ),
            parent_span_id: parent
                .map_or(SpanId::INVALID, |parent| SpanId::from_bytes(parent.span)),
            parent_span_is_remote: parent.is_some(),
            span_kind: kind(work),
            name: name(work).into(),
            start_time: end_time.checked_sub(took).unwrap_or(end_time),
            end_time,
            attributes: attributes(work),
            dropped_attributes_count: 0,
            events: SpanEvents::default(),
            links: SpanLinks::default(),
            status: status(work),
            instrumentation_scope: self.scope.clone(),
        };
        if self.waiting.try_send(Order::Send(Box::new(told))).is_err() {
            self.exports.dropped.note();
        }
    }
}

fn name(work: Work) -> String {
    match work {
        Work::Request { method, route, .. } => match route {
            Some(route) => format!("{method} {route}"),
            None => method.to_owned(),
        },
        Work::Commit { .. } => "commit".to_owned(),
        Work::Anchor { .. } => "anchor".to_owned(),
        Work::Sign { .. } => "sign list".to_owned(),
    }
}

const fn kind(work: Work) -> SpanKind {
    match work {
        Work::Request { .. } => SpanKind::Server,
        Work::Commit { .. } | Work::Anchor { .. } | Work::Sign { .. } => SpanKind::Internal,
    }
}

/// The names are those of the semantic conventions, where these have one.
fn attributes(work: Work) -> Vec<KeyValue> {
    match work {
        Work::Request {
            method,
            route,
            status,
        } => {
            let route = route.map(|route| KeyValue::new("http.route", route));
            let told = [
                KeyValue::new("http.request.method", method),
                KeyValue::new("http.response.status_code", i64::from(status)),
            ];
            told.into_iter().chain(route).collect()
        }
        Work::Commit { changes, .. } => {
            let changes = i64::try_from(changes).unwrap_or(i64::MAX);
            vec![KeyValue::new("goodstanding.changes", changes)]
        }
        Work::Anchor { .. } | Work::Sign { .. } => Vec::new(),
    }
}

fn status(work: Work) -> Status {
    let failed = match work {
        Work::Request { status, .. } => status >= 500,
        Work::Commit { done, .. } | Work::Anchor { done } | Work::Sign { done } => !done,
    };
    match failed {
        true => Status::error(""),
        false => Status::Unset,
    }
}

/// Chooses which traces are told of, and names spans.
struct Sampler {
    /// Traces are told of whose last 63 bits are less than this.
    below: u64,
    keys: [[u8; 16]; 2],
    count: AtomicU64,
}

impl Sampler {
    fn new(ratio: f64) -> Self {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "the ratio is from 0 to 1, and a cast ends at the bounds of its type"
        )]
        let below = (ratio * 2f64.powi(63)) as u64;
        Self {
            below,
            keys: [random(&SystemEntropy), random(&SystemEntropy)],
            count: AtomicU64::new(0),
        }
    }

    /// The trace and a span for it, where it is told of. Whoever asks can have a trace left out, and never
    /// have more of them told of than the ratio says; the choice is the same in every process that is
    /// asked within one trace.
    fn take(&self, parent: Option<Parent>) -> Option<([u8; 16], [u8; 8])> {
        if parent.is_some_and(|parent| !parent.sampled) {
            return None;
        }
        let number = self.count.fetch_add(1, Ordering::Relaxed);
        let [first, second] = self.keys.map(|key| hash(&key, number));
        let trace = parent.map_or_else(|| joined(first, second), |parent| parent.trace);
        let choice = trace[8..].try_into().map_or(0, u64::from_be_bytes) >> 1;
        // Of a new trace the span is another number than either half of the trace.
        let span = hash(&self.keys[0], !number).max(1).to_be_bytes();
        (choice < self.below).then_some((trace, span))
    }
}

fn joined(first: u64, second: u64) -> [u8; 16] {
    (u128::from(first) << 64 | u128::from(second))
        .max(1)
        .to_be_bytes()
}

fn hash(key: &[u8; 16], number: u64) -> u64 {
    let mut hasher = SipHasher24::new_with_key(key);
    hasher.write_u64(number);
    hasher.finish()
}

/// Sends what waits.
struct Sender {
    exporter: Otlp,
    queue: Arc<Queue>,
    /// Whether the collector took nothing at the last time.
    refused: bool,
}

impl Sender {
    fn run(mut self, spans: &Receiver<Order>) {
        // The exporter's waits between two tries need a clock of the runtime's.
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .build();
        let Ok(runtime) = runtime else {
            warn!("traces cannot be sent: there is no runtime for them");
            return;
        };
        loop {
            let (batch, ends) = gather(spans);
            if !batch.is_empty() {
                self.send(&runtime, batch);
            }
            if ends || self.queue.ending.load(Ordering::Acquire) {
                return self.send_the_rest(&runtime, spans);
            }
        }
    }

    /// What is there when the process ends. Where the collector takes none of it, no more is tried.
    fn send_the_rest(&mut self, runtime: &tokio::runtime::Runtime, spans: &Receiver<Order>) {
        loop {
            let rest = spans.try_iter().filter_map(Order::span).take(AT_ONCE);
            let rest: Vec<_> = rest.collect();
            if rest.is_empty() || self.refused {
                self.queue.exports.failed.add(rest.len() as u64);
                return;
            }
            self.send(runtime, rest);
        }
    }

    fn send(&mut self, runtime: &tokio::runtime::Runtime, batch: Vec<SpanData>) {
        let (count, exports) = (batch.len() as u64, self.queue.exports.clone());
        let sent = runtime.block_on(self.exporter.export(batch));
        match &sent {
            Ok(()) => exports.sent.add(count),
            Err(_) => exports.failed.add(count),
        }
        if sent.is_err() && !self.refused {
            warn!("the collector takes no traces; they are left out until it does");
        }
        self.refused = sent.is_err();
    }
}

impl Order {
    fn span(self) -> Option<SpanData> {
        match self {
            Self::Send(span) => Some(*span),
            Self::End => None,
        }
    }
}

/// What is to be sent at once, and whether that is the end of it.
fn gather(spans: &Receiver<Order>) -> (Vec<SpanData>, bool) {
    let mut batch = Vec::new();
    match spans.recv() {
        Ok(Order::Send(span)) => batch.push(*span),
        Ok(Order::End) | Err(_) => return (batch, true),
    }
    let until = Instant::now() + GATHERING;
    while batch.len() < AT_ONCE {
        match spans.recv_timeout(until.saturating_duration_since(Instant::now())) {
            Ok(Order::Send(span)) => batch.push(*span),
            Err(RecvTimeoutError::Timeout) => break,
            Ok(Order::End) | Err(RecvTimeoutError::Disconnected) => return (batch, true),
        }
    }
    (batch, false)
}

fn exporter(collector: &Collector, service: &str) -> Result<Otlp, impl fmt::Display + use<>> {
    let agent = Agent::config_builder()
        .http_status_as_error(false)
        .max_redirects(0)
        .max_redirects_will_error(false)
        .user_agent(concat!("goodstanding/", env!("CARGO_PKG_VERSION")))
        .timeout_global(Some(COLLECTOR))
        .build();
    let made = Otlp::builder()
        .with_http()
        .with_http_client(Client(agent.into()))
        .with_protocol(Protocol::HttpBinary)
        .with_endpoint(collector.endpoint())
        .with_timeout(COLLECTOR)
        .build();
    made.map(|mut exporter| {
        let resource = Resource::builder_empty()
            .with_service_name(service.to_owned())
            .with_attribute(KeyValue::new("service.version", env!("CARGO_PKG_VERSION")))
            .build();
        exporter.set_resource(&resource);
        exporter
    })
}

/// Posts on the thread that asks for it, which is the one for traces.
#[derive(Debug)]
struct Client(Agent);

/// So much is read of what the collector answers.
const ANSWER: u64 = 64 * 1024;

impl HttpClient for Client {
    fn send_bytes<'c, 'r>(
        &'c self,
        request: http::Request<Bytes>,
    ) -> Pin<Box<dyn Future<Output = Result<http::Response<Bytes>, HttpError>> + Send + 'r>>
    where
        'c: 'r,
        Self: 'r,
    {
        Box::pin(async move {
            let (head, body) = request.into_parts();
            let request = http::Request::from_parts(head, body.to_vec());
            let (head, mut body) = self.0.run(request)?.into_parts();
            let body = body.with_config().limit(ANSWER).read_to_vec()?;
            Ok(http::Response::from_parts(head, body.into()))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PARENT: Parent = Parent {
        trace: [7; 16],
        span: [3; 8],
        sampled: true,
    };

    #[test]
    fn about_so_many_traces_are_told_of_as_the_ratio_says() {
        for (ratio, least, most) in [(1.0, 10_000, 10_000), (0.25, 2_200, 2_800), (0.0, 0, 0)] {
            let sampler = Sampler::new(ratio);
            let taken = (0..10_000).filter(|_| sampler.take(None).is_some()).count();
            assert!((least..=most).contains(&taken), "{taken} at {ratio}");
        }
    }

    #[test]
    fn a_part_of_a_trace_has_its_id_and_a_span_of_its_own() {
        let sampler = Sampler::new(1.0);
        let (trace, first) = sampler.take(Some(PARENT)).unwrap();
        let (_, second) = sampler.take(Some(PARENT)).unwrap();
        assert_eq!(trace, PARENT.trace);
        assert!(first != second && first != PARENT.span && first != [0; 8]);
    }

    #[test]
    fn whoever_asks_can_have_a_trace_left_out_and_not_forced() {
        let left_out = Parent {
            sampled: false,
            ..PARENT
        };
        assert_eq!(Sampler::new(1.0).take(Some(left_out)), None);
        let high = Parent {
            trace: [0xff; 16],
            ..PARENT
        };
        assert_eq!(Sampler::new(0.5).take(Some(high)), None);
        assert!(Sampler::new(0.5).take(Some(PARENT)).is_some());
    }

    #[test]
    fn a_full_queue_leaves_out_and_counts() {
        let (waiting, _spans) = sync_channel(1);
        let exports = Arc::<Exports>::default();
        let queue = Queue {
            sampler: Sampler::new(1.0),
            waiting,
            ending: AtomicBool::new(false),
            scope: InstrumentationScope::default(),
            exports: exports.clone(),
        };
        for _ in 0..3 {
            let work = Work::Anchor { done: true };
            queue.ended(None, work, Duration::from_millis(1));
        }
        assert_eq!(exports.dropped.count(), 2);
    }
}
