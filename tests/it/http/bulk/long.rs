//! Updates by lines that are more than fits into memory: made while they come.

use std::fmt::Write as _;
use std::io::{Read as _, Write as _};
use std::net::{Shutdown, TcpStream};

use goodstanding::store::event::{Event, EventKind};
use serde_json::{Value, json};

use super::{ENTRIES, bits_with};
use crate::support::actors::Actor;
use crate::support::client::Answer;
use crate::support::house::{House, Plan};

/// A house that keeps little of a body, and takes so many lines.
fn small(lines: u64) -> House {
    let less = |limits: &mut goodstanding::http::Limits| {
        limits.bulk_body_bytes = 100_000;
        limits.bulk_lines = lines;
    };
    Plan::new().within(less).open()
}

fn sends(school: &Actor<'_>, list: &str, kind: &str, body: &str) -> Answer {
    let call = school.call("POST", &format!("{list}/updates")).key("long");
    call.body(kind, body.to_owned()).send()
}

fn ndjson(indexes: impl Iterator<Item = u64>) -> String {
    indexes.fold(String::new(), |mut lines, index| {
        writeln!(lines, "{{\"index\":{index},\"status\":1}}").unwrap();
        lines
    })
}

fn changes(house: &House) -> usize {
    let events = house.engine.changes(goodstanding::ids::Seq(0), 10_000);
    let kinds = events.unwrap().into_iter();
    let kinds = kinds.map(|event| Event::decode(&event.body).unwrap().kind);
    kinds
        .filter(|kind| matches!(kind, EventKind::StatusChanged { .. }))
        .count()
}

/// What is made while it comes is what is made of it at once.
#[test]
fn a_body_that_does_not_fit_says_the_same_as_one_that_does() {
    let mut table = "\n\nstatus,index,credentialId\r\n".to_owned();
    let mut lines = String::new();
    for n in 0..120_000_u64 {
        // Some are none that this list has.
        let index = if n % 20_000 == 7 { 900_000 + n } else { n };
        writeln!(lines, "{{\"index\":{index},\"status\":1}}").unwrap();
        match n % 3 {
            0 => writeln!(table, "1,{index},").unwrap(),
            1 => write!(table, "\"1\",\"{index}\",\"\"\r\n").unwrap(),
            _ => write!(table, "1,{index},\n\n").unwrap(),
        }
    }
    let made = |house: &House, kind: &str, body: &str| -> Value {
        let school = house.registrar("school");
        let list = school.brings(&bits_with(ENTRIES, &[]), None);
        let done = sends(&school, &list, kind, body).is(200).json();
        let expected: Vec<u64> = (0..120_000).filter(|n| n % 20_000 != 7).collect();
        assert_eq!(house.verifier().reads(&list), bits_with(ENTRIES, &expected));
        done
    };
    for (kind, body) in [("application/x-ndjson", &lines), ("text/csv", &table)] {
        let at_once = made(&House::open(), kind, body);
        assert_eq!(made(&small(120_000), kind, body), at_once, "{kind}");
        assert_eq!(at_once["refusedCount"], 6);
        assert_eq!(at_once["chunks"].as_array().map(Vec::len), Some(3));
    }
}

/// No more of the ids is in memory than a chunk may have, however many lines that are.
#[test]
fn long_ids_make_short_chunks() {
    let house = House::open();
    let school = house.registrar("school");
    let list = school.brings(&bits_with(ENTRIES, &[]), None);
    let mut lines = ndjson(0..1);
    for n in 0..9_000_u64 {
        let id = format!("urn:{n:01000}");
        writeln!(lines, "{{\"credentialId\":\"{id}\",\"status\":1}}").unwrap();
    }
    let done = sends(&school, &list, "application/x-ndjson", &lines);
    let done = done.is(200).json();
    assert_eq!(done["refusedCount"], 9_000);
    let chunks = done["chunks"].as_array().unwrap();
    let last_lines: Vec<_> = chunks.iter().map(|chunk| &chunk["lastLine"]).collect();
    // 8,356 ids of 1,004 bytes are the first to have 8 MiB.
    assert_eq!(last_lines, [8_357, 9_001]);
}

#[test]
fn a_line_that_cannot_be_read_leaves_the_chunks_before_it() {
    let house = small(1_000_000);
    let school = house.registrar("school");
    let list = school.brings(&bits_with(ENTRIES, &[]), None);
    let wrong = ndjson(0..105_000) + "{\"index\":-1}\n" + &ndjson(105_001..120_000);
    let told = sends(&school, &list, "application/x-ndjson", &wrong).problem(400);
    assert_eq!(
        (&told["line"], &told["resumeFromLine"], &told["applied"]),
        (&json!(105_001), &json!(100_001), &json!(100_000)),
        "{told}"
    );
    assert_eq!(changes(&house), 2);

    // With that line put right, what was made is not made again.
    let right = ndjson(0..120_000);
    let done = sends(&school, &list, "application/x-ndjson", &right)
        .is(200)
        .json();
    assert_eq!(
        (&done["applied"], &done["revision"], changes(&house)),
        (&json!(120_000), &json!(4), 3)
    );
    let again = sends(&school, &list, "application/x-ndjson", &right)
        .is(200)
        .json();
    assert_eq!((again, changes(&house)), (done, 3));
    // Under the same key it is the same to its end.
    sends(&school, &list, "application/x-ndjson", &ndjson(0..100_000)).problem(422);
}

#[test]
fn of_a_body_with_too_many_lines_those_up_to_there_are_made() {
    let house = small(60_000);
    let school = house.registrar("school");
    let list = school.brings(&bits_with(ENTRIES, &[]), None);
    let told = sends(&school, &list, "application/x-ndjson", &ndjson(0..70_000)).problem(413);
    // The chunk that was full when the last line came in, and none that was not.
    assert_eq!(
        (&told["applied"], &told["resumeFromLine"]),
        (&json!(50_000), &json!(50_001)),
        "{told}"
    );
}

#[test]
fn a_line_without_an_end_is_given_up() {
    let house = small(1_000_000);
    let school = house.registrar("school");
    let list = school.brings(&bits_with(ENTRIES, &[]), None);
    for (kind, endless) in [
        ("application/x-ndjson", " ".repeat(200_000)),
        (
            "text/csv",
            format!("index,status\n\"{}", "1\n".repeat(100_000)),
        ),
    ] {
        let told = sends(&school, &list, kind, &endless).problem(400);
        assert!(told["detail"].as_str().unwrap().contains("65536"), "{told}");
    }
}

#[test]
fn an_upload_that_broke_off_is_finished_by_sending_it_again() {
    let house = small(1_000_000);
    let school = house.registrar("school");
    let list = school.brings(&bits_with(ENTRIES, &[]), None);
    let lines = ndjson(0..120_000);
    let call = school.call("POST", &format!("{list}/updates")).key("long");
    let call = call.body("application/x-ndjson", lines.clone());
    let wire = call.to_bytes();
    // All but the last of it, and then nobody is there any more.
    let mut stream = TcpStream::connect(house.address).unwrap();
    stream.write_all(&wire[..wire.len() - 100_000]).unwrap();
    stream.shutdown(Shutdown::Both).unwrap();
    let _ = stream.read(&mut [0; 64]);

    let done = sends(&school, &list, "application/x-ndjson", &lines)
        .is(200)
        .json();
    assert_eq!(
        (&done["applied"], &done["revision"], changes(&house)),
        (&json!(120_000), &json!(4), 3)
    );
}
