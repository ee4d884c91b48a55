//! A bare hyper server: one constant answer, whatever is asked, with the headers of the service's own.
//! What any service over hyper could reach. It runs in a process of its own, which is this program
//! with `bare` as its first argument. Allocator and threads are as the service has them: one for each
//! processor with a runtime of its own, on which a connection stays.

use std::convert::Infallible;
use std::io::Write as _;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::{Command, ExitCode};
use std::thread;

use bytes::Bytes;
use http::{HeaderName, HeaderValue, Request, Response};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};

use crate::client::Answer;
use crate::process::{Process, free_address};

/// The first argument of a child that is the bare server.
pub(crate) const ARGUMENT: &str = "bare";

/// Headers that a server writes of its own accord.
const OF_THE_SERVER: [&str; 3] = ["content-length", "date", "x-request-id"];

/// Starts one that gives this answer.
pub(crate) fn start(answer: &Answer) -> Process {
    let address = free_address();
    let own = std::env::current_exe().expect("the system tells the program's place");
    let mut command = Command::new(own);
    command.arg(ARGUMENT).arg(address.to_string());
    command.arg(String::from_utf8(answer.body.clone()).expect("JSON is text"));
    for (name, value) in &answer.headers {
        if !OF_THE_SERVER.contains(&name.as_str()) {
            command.arg(format!("{name}: {value}"));
        }
    }
    Process::start(&mut command, address, "bare")
}

/// Serves until it is ended: `ADDRESS BODY HEADER…`.
pub(crate) fn serve(arguments: Vec<String>) -> ExitCode {
    let [address, body, headers @ ..] = &*arguments else {
        eprintln!("bare ADDRESS BODY HEADER…");
        return ExitCode::FAILURE;
    };
    let mut answer = Response::new(Full::new(Bytes::from(body.clone())));
    for header in headers {
        let (name, value) = header.split_once(": ").expect("a header has a value");
        let name: HeaderName = name.parse().expect("a name");
        let value: HeaderValue = value.parse().expect("a value");
        answer.headers_mut().append(name, value);
    }
    let address: SocketAddr = address.parse().expect("an address");
    let listener = TcpListener::bind(address).expect("it was free");
    println!("bare");
    std::io::stdout().flush().expect("somebody reads it");
    let cores = thread::available_parallelism().map_or(1, usize::from);
    let workers: Vec<_> = (0..cores).map(|_| worker(answer.clone())).collect();
    for (worker, stream) in workers.iter().cycle().zip(listener.incoming()) {
        worker
            .send(stream.expect("the listener stays"))
            .expect("the workers stay");
    }
    ExitCode::SUCCESS
}

/// A thread that serves the connections that it is sent.
fn worker(answer: Response<Full<Bytes>>) -> UnboundedSender<TcpStream> {
    let (send, mut sent) = unbounded_channel();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime starts");
    thread::spawn(move || {
        runtime.block_on(async {
            while let Some(stream) = sent.recv().await {
                tokio::spawn(connection(stream, answer.clone()));
            }
        });
    });
    send
}

async fn connection(stream: TcpStream, answer: Response<Full<Bytes>>) {
    stream.set_nonblocking(true).expect("a socket of ours");
    stream.set_nodelay(true).expect("a socket of ours");
    let stream = tokio::net::TcpStream::from_std(stream).expect("a socket of ours");
    let service = service_fn(move |_: Request<Incoming>| {
        let answer = answer.clone();
        async move { Ok::<_, Infallible>(answer) }
    });
    let mut builder = http1::Builder::new();
    builder.header_read_timeout(None);
    // Who goes away goes away.
    let _ = builder
        .serve_connection(TokioIo::new(stream), service)
        .await;
}
