//! Writing and reading a status list, beside `ssi-status`, the npm package that verifiers on Node
//! run, and the compressor alone.
//!
//! Both peers are programs of their own. `ssi-status` is built by itself: in one program with
//! Goodstanding its `flate2` would be the one that Goodstanding asks for.

use std::process::Command;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use goodstanding::bitstring::{
    Bitstring, ListEncoding, ListLength, Msb, StatusSize, decode, decode_zlib, encode,
};
use goodstanding::entropy::{SeededEntropy, random};
use serde_json::json;
use zlib_rs::{
    DeflateConfig, InflateConfig, ReturnCode, Strategy, compress_bound, compress_slice,
    decompress_slice,
};

use crate::harness::{
    Participant, Report, Samples, Verdict, grouped, in_turns, in_turns_with, ratios,
};
use crate::program::Program;

const LENGTHS: [u64; 2] = [131_072, 10_000_000];
const PER_CENT_SET: [u64; 4] = [0, 1, 10, 50];

/// Where the target counts, and how many times as long the crate has to take there.
const JUDGED_AT: u64 = 10;
const LEAST_RATIO: f64 = 5.0;

/// The package in which `ssi-status` is built, and its program.
const SSI_STATUS: &str = "goodstanding-peers-ssi-status";

/// How long one sample of a peer takes, in seconds, and how long it warms up.
const SAMPLE: f64 = 0.06;
const WARM_UP: f64 = 0.3;

/// The ways of the compressor besides its levels.
const WAYS: [(&str, Strategy); 2] = [
    ("a Huffman code alone", Strategy::HuffmanOnly),
    ("runs of a byte", Strategy::Rle),
];
const LEVELS: [&str; 9] = [
    "level 1", "level 2", "level 3", "level 4", "level 5", "level 6", "level 7", "level 8",
    "level 9",
];

/// A GZIP member, with the largest window.
const GZIP: i32 = 15 + 16;

/// Lists of each length, with more and more entries set.
pub(crate) fn run(report: &mut Report) {
    let mut peers = vec![Peer::new(ssi_status())];
    let node = Program::on_node("lists.mjs");
    if node.is_none() {
        eprintln!("No Node is named: the npm package does not take part.");
    }
    peers.extend(node.map(Peer::new));
    for entries in LENGTHS {
        for per_cent in PER_CENT_SET {
            compare(report, &mut peers, &Sample::new(entries, per_cent));
        }
    }
    for entries in LENGTHS {
        for per_cent in [1, JUDGED_AT] {
            levels(report, &Sample::new(entries, per_cent));
        }
    }
}

/// Builds `ssi-status` beside this program, and starts it.
fn ssi_status() -> Program {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let manifest = concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml");
    let options = ["build", "--release", "--locked", "--manifest-path"];
    let built = Command::new(cargo)
        .args(options)
        .args([manifest, "--package", SSI_STATUS])
        .status();
    assert!(built.is_ok_and(|status| status.success()), "it builds");
    let here = std::env::current_exe().expect("this program has a place");
    Program::start(&mut Command::new(here.with_file_name(SSI_STATUS)))
}

/// One list, and its texts.
struct Sample {
    entries: u64,
    per_cent: u64,
    bits: Bitstring,
    text: String,
    two_bits: Bitstring,
    /// The way of the compressor that gives the smallest member, and that member.
    best: (&'static str, DeflateConfig, Vec<u8>),
    /// What zlib-rs makes of it at level 6.
    level_6: Vec<u8>,
}

impl Sample {
    fn new(entries: u64, per_cent: u64) -> Self {
        let length = ListLength::new(entries).expect("a length of the standard");
        let set = entries * per_cent / 100;
        let bits = list(length, StatusSize::One, set);
        let ways = WAYS.map(|(name, strategy)| {
            let config = config(strategy);
            (name, config, compressed(&bits, config))
        });
        let best = ways.into_iter().min_by_key(|(_, _, member)| member.len());
        Self {
            entries,
            per_cent,
            text: encode(bits.as_bytes()),
            two_bits: list(length, StatusSize::Two, set),
            best: best.expect("there are two"),
            level_6: compressed(&bits, config(Strategy::Default)),
            bits,
        }
    }

    fn decoded(&self, text: &str) -> Vec<u8> {
        decode(text, self.bits.as_bytes().len()).expect("a list of this length")
    }

    /// What a verifier does with a text: unpack it, and read some entries.
    fn read(&self, text: &str) -> u64 {
        let decoded = Bitstring::<Msb>::from_bytes(self.decoded(text), StatusSize::One);
        let statuses = self.indexes().map(|index| decoded.get(index));
        statuses.flatten().map(u64::from).sum()
    }

    /// Sixteen indexes from the first to the last.
    fn indexes(&self) -> impl Iterator<Item = u64> {
        let last = self.entries - 1;
        (0..16).map(move |part| last * part / 15)
    }

    /// All texts hold these bits, whoever reads them.
    fn check(&self, texts: &[&str]) {
        for text in texts {
            assert!(self.decoded(text) == self.bits.as_bytes(), "{text:.60}");
        }
        for member in [&self.best.2, &self.level_6] {
            assert!(inflated(member, &self.bits) == self.bits.as_bytes());
        }
        for bits in [&self.bits, &self.two_bits] {
            let text = ListEncoding::Token.encode(bits);
            let stream = URL_SAFE_NO_PAD.decode(text).expect("base64url");
            let packed = decode_zlib(&stream, bits.as_bytes().len()).expect("a ZLIB stream");
            assert!(packed == bits.to_lsb().as_bytes(), "a token list");
        }
    }
}

/// A list of which `set` entries are not 0, anywhere.
fn list(length: ListLength, size: StatusSize, set: u64) -> Bitstring {
    let mut bits = Bitstring::zeroed(length, size);
    let entropy = SeededEntropy::new(set);
    let mut left = set;
    while left > 0 {
        let drawn: [u8; 4096] = random(&entropy);
        for five in drawn.chunks_exact(5) {
            let place = u32::from_be_bytes([five[0], five[1], five[2], five[3]]);
            let index = length.index(u64::from(place) % length.entries());
            let value = 1 + five[4] % size.maximum();
            let before = bits.set(index.expect("within the length"), value);
            left -= u64::from(before == Ok(0));
            if left == 0 {
                break;
            }
        }
    }
    bits
}

fn config(strategy: Strategy) -> DeflateConfig {
    DeflateConfig {
        level: 6,
        window_bits: GZIP,
        strategy,
        ..DeflateConfig::default()
    }
}

fn compressed(bits: &Bitstring, config: DeflateConfig) -> Vec<u8> {
    let mut room = vec![0; room_for(bits)];
    compress_into(&mut room, bits, config).to_vec()
}

/// As many bytes as any member takes, with its header and what stands behind it.
fn room_for(bits: &Bitstring) -> usize {
    compress_bound(bits.as_bytes().len()) + 32
}

fn compress_into<'a>(room: &'a mut [u8], bits: &Bitstring, config: DeflateConfig) -> &'a [u8] {
    let (member, answer) = compress_slice(room, bits.as_bytes(), config);
    assert_eq!(answer, ReturnCode::Ok);
    member
}

fn inflated(member: &[u8], bits: &Bitstring) -> Vec<u8> {
    let mut room = vec![0; bits.as_bytes().len()];
    inflate_into(&mut room, member);
    room
}

fn inflate_into(room: &mut [u8], member: &[u8]) {
    let config = InflateConfig { window_bits: GZIP };
    let expected = room.len();
    let (bits, answer) = decompress_slice(room, member, config);
    assert_eq!((bits.len(), answer), (expected, ReturnCode::Ok));
}

/// A program that writes and reads lists.
struct Peer {
    program: Program,
    name: String,
    compressor: String,
    written: String,
    works: Vec<Work>,
}

/// What a peer does, how often in a sample, and its samples.
struct Work {
    what: &'static str,
    words: &'static str,
    count: u32,
    samples: Vec<f64>,
}

impl Peer {
    fn new(program: Program) -> Self {
        Self {
            program,
            name: String::new(),
            compressor: String::new(),
            written: String::new(),
            works: Vec::new(),
        }
    }

    /// Brings a list and checks what the peer reads and writes.
    fn bring(&mut self, sample: &Sample, text: &str) {
        let indexes: Vec<u64> = sample.indexes().collect();
        let request = json!({"encodedList": text, "indexes": indexes});
        let answer = self.program.ask(&request);
        let statuses: Vec<_> = indexes.iter().map(|&at| sample.bits.get(at)).collect();
        assert_eq!(answer["statuses"], json!(statuses));
        let text = |member: &str| answer[member].as_str().expect("a text").to_owned();
        (self.name, self.compressor) = (text("name"), text("compressor"));
        self.written = text("encodedList");
        sample.check(&[&self.written]);
    }

    /// Warms up, and finds how often each work fits into a sample.
    fn calibrate(&mut self) {
        let works = [
            ("encode", "encode"),
            ("decode", "decode what it wrote"),
            ("read", "decode what goodstanding wrote"),
        ];
        self.works.clear();
        for (what, words) in works {
            let once = self.time(what, 1);
            self.time(what, (WARM_UP / once).ceil().clamp(1.0, 10_000.0) as u32);
            let count = (SAMPLE / self.time(what, 1)).ceil().clamp(1.0, 10_000.0);
            self.works.push(Work {
                what,
                words,
                count: count as u32,
                samples: Vec::new(),
            });
        }
    }

    fn sample(&mut self) {
        for mut work in std::mem::take(&mut self.works) {
            work.samples.push(self.time(work.what, work.count));
            self.works.push(work);
        }
    }

    /// CPU time of one run, in seconds.
    fn time(&mut self, what: &str, count: u32) -> f64 {
        let answer = self.program.ask(&json!({"what": what, "count": count}));
        let nanoseconds = answer["cpuNanoseconds"].as_f64().expect("a number");
        nanoseconds.max(1.0) / 1e9 / f64::from(count)
    }
}

fn compare(report: &mut Report, peers: &mut [Peer], sample: &Sample) {
    agree(peers, sample);
    let title = format!(
        "A list of {} entries, {} % of them set",
        grouped(sample.entries),
        sample.per_cent
    );
    report.section(&title, &sizes(peers, sample));
    let samples = measure(report, peers, sample);
    for peer in &*peers {
        for work in &peer.works {
            let what = format!("{}: {}", peer.name, work.words);
            report.context(&what, &Samples::new(work.samples.clone()).times());
        }
    }
    judge(report, peers, sample.per_cent, &samples);
}

/// What this program does is printed and given back; what the peers do, they keep.
fn measure(report: &Report, peers: &mut [Peer], sample: &Sample) -> Vec<Vec<f64>> {
    let (bits, level_6) = (&sample.bits, text_of(&sample.level_6));
    let mut room = vec![0; room_for(bits)];
    let mut unpacked = vec![0; bits.as_bytes().len()];
    let (_, way, member) = &sample.best;
    let mut participants = [
        Participant::new("goodstanding: encode", || encode(bits.as_bytes())),
        Participant::new("the compressor alone", || {
            compress_into(&mut room, bits, *way).len()
        }),
        Participant::new("goodstanding: decode what it wrote", || {
            sample.read(&sample.text)
        }),
        Participant::new("inflating alone what it wrote", || {
            inflate_into(&mut unpacked, member);
        }),
        Participant::new("goodstanding: decode what zlib-rs wrote at level 6", || {
            sample.read(&level_6)
        }),
        Participant::new("goodstanding: a token list, 1 bit an entry", || {
            ListEncoding::Token.encode(bits)
        }),
        Participant::new("goodstanding: a token list, 2 bits an entry", || {
            ListEncoding::Token.encode(&sample.two_bits)
        }),
    ];
    peers.iter_mut().for_each(Peer::calibrate);
    let samples = in_turns_with(&mut participants, || {
        peers.iter_mut().for_each(Peer::sample);
    });
    for (participant, samples) in participants.iter().zip(&samples) {
        report.context(participant.name, &Samples::new(samples.clone()).times());
    }
    samples
}

/// Everybody reads what everybody wrote, and at last what goodstanding wrote.
fn agree(peers: &mut [Peer], sample: &Sample) {
    sample.check(&[&sample.text, &text_of(&sample.best.2)]);
    let mut texts = vec![text_of(&sample.level_6)];
    for peer in &mut *peers {
        peer.bring(sample, &sample.text);
        texts.push(peer.written.clone());
    }
    for peer in peers {
        texts.iter().for_each(|text| peer.bring(sample, text));
        peer.bring(sample, &sample.text);
    }
}

fn text_of(member: &[u8]) -> String {
    format!("u{}", URL_SAFE_NO_PAD.encode(member))
}

/// How long the texts are, and what made them so.
fn sizes(peers: &[Peer], sample: &Sample) -> String {
    let [one, two] =
        [&sample.bits, &sample.two_bits].map(|bits| ListEncoding::Token.encode(bits).len() as u64);
    let (way, _, _) = sample.best;
    let mut words = format!(
        "Characters of the text:\n\n- goodstanding: {} (zlib-rs, {way}); as a token list {}, with 2 \
         bits an entry {}\n- zlib-rs at level 6: {}",
        grouped(sample.text.len() as u64),
        grouped(one),
        grouped(two),
        grouped(text_of(&sample.level_6).len() as u64),
    );
    for peer in peers {
        let length = grouped(peer.written.len() as u64);
        words.push_str(&format!(
            "\n- {}: {length} ({})",
            peer.name, peer.compressor
        ));
    }
    words
}

/// What each level of the compressor makes of the list, and in what time.
fn levels(report: &Report, sample: &Sample) {
    let bits = &sample.bits;
    let title = format!(
        "The compressor alone: {} entries, {} % of them set",
        grouped(sample.entries),
        sample.per_cent
    );
    report.section(&title, "zlib-rs; bytes of the member, and the time.");
    let level = |(level, name): (i32, &'static str)| {
        let way = DeflateConfig {
            level,
            ..config(Strategy::Default)
        };
        (name, way)
    };
    let levels = (1..).zip(LEVELS).map(level);
    let ways: Vec<_> = levels
        .chain(WAYS.map(|(name, strategy)| (name, config(strategy))))
        .collect();
    let participant = |&(name, way): &(&'static str, DeflateConfig)| {
        let mut room = vec![0; room_for(bits)];
        Participant::new(name, move || compress_into(&mut room, bits, way).len())
    };
    let mut participants: Vec<_> = ways.iter().map(participant).collect();
    let samples = in_turns(&mut participants);
    for ((name, way), samples) in ways.into_iter().zip(samples) {
        let member = compressed(bits, way);
        assert!(inflated(&member, bits) == bits.as_bytes(), "{name}");
        let bytes = grouped(member.len() as u64);
        let figure = format!("{bytes} B, {}", Samples::new(samples).times());
        report.context(name, &figure);
    }
}

fn judge(report: &mut Report, peers: &[Peer], per_cent: u64, samples: &[Vec<f64>]) {
    let [encode, compressor, decode, inflate, ..] = samples else {
        unreachable!("seven took part");
    };
    let floors = [
        ("goodstanding to the compressor alone", compressor, encode),
        ("goodstanding to inflating alone", inflate, decode),
    ];
    for (what, floor, ours) in floors {
        report.context(what, &ratios(floor, ours).hundredths());
    }
    for (place, peer) in peers.iter().enumerate() {
        let ratio = ratios(encode, &peer.works[0].samples);
        let what = format!("{} to goodstanding: encode", peer.name);
        if place == 0 && per_cent == JUDGED_AT {
            let verdict = Verdict::at_least(ratio.median(), LEAST_RATIO, "5×");
            report.judged(&what, &ratio.ratios(), &verdict);
        } else {
            report.context(&what, &ratio.ratios());
        }
        let what = format!("{} to goodstanding: decode", peer.name);
        report.context(&what, &ratios(decode, &peer.works[1].samples).ratios());
    }
}
