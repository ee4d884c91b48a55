//! Lists in bulk on the command line: brought from a table, handed on, changed by the lines of a
//! file, also where the server is killed in the middle of it.

use std::fmt::Write as _;
use std::fs;
use std::thread;
use std::time::Instant;

use serde_json::json;

use super::folder::Folder;
use super::place::Place;
use super::server::PATIENCE;
use super::signed_list::SignedList;
use super::standing::{ISSUER, path, profile};

#[test]
fn a_list_moves_in_and_out_on_the_command_line() {
    let folder = Folder::prepared();
    let server = folder.serve(&[]);
    profile(&folder.operator(&server), ISSUER, "issuer");
    move_in_and_out(&folder, &Place::Server(&folder, &server));
    server.stop().in_order();
    move_in_and_out(&folder, &Place::Folder(&folder));
}

fn move_in_and_out(folder: &Folder, place: &Place<'_>) {
    let file = |name: &str| folder.beside().join(name).to_str().unwrap().to_owned();
    let mut rows = String::from("index,status,credentialId\r\n");
    for n in 0..3_000_u64 {
        write!(rows, "{},{},urn:old:{n}\r\n", n * 41, u8::from(n % 10 == 0)).unwrap();
    }
    fs::write(file("old.csv"), &rows).unwrap();
    let from = ["list", "import", &file("old.csv"), "--issuer", ISSUER];
    let as_table = ["--purpose", "suspension", "--all-used"];
    let imported = place.json(&[&from[..], &as_table].concat());
    assert_eq!(
        imported["imported"],
        json!({ "entries": 131_072, "given": 3_000, "set": 300, "used": 3_000, "sealed": false })
    );
    let list = imported["id"].as_str().unwrap();

    // Out again as it came; where the export broke off in a line, it goes on behind the last one.
    let out = file("out.csv");
    let export = ["list", "export", list, "--all", "--out", &out];
    let said = place.run(&export).exits(0).out;
    assert_eq!(said, format!("wrote 3000 entries to {out}\n"));
    assert_eq!(fs::read_to_string(&out).unwrap(), rows);
    let cut = rows.find("\r\n41041,").unwrap() + 5;
    fs::write(&out, &rows[..cut]).unwrap();
    place.run(&[&export[..], &["--resume"]].concat()).exits(0);
    assert_eq!(fs::read_to_string(&out).unwrap(), rows);
    let lines = place.run(&["list", "export", list]).exits(0).out;
    assert_eq!(lines.lines().count(), 300);
    assert_eq!(
        lines.lines().nth(1),
        Some(r#"{"index":410,"status":1,"credentialId":"urn:old:10"}"#)
    );

    // Whole, and taken back.
    let whole = file("list.json");
    place
        .run(&["list", "export", list, "--out", &whole])
        .exits(0);
    let again = place
        .run(&["list", "import", &whole, "--issuer", ISSUER])
        .exits(0)
        .out;
    assert!(again.contains("set      300\nin use   3000\n"), "{again}");

    // Statuses by the lines of a file; what was refused is told by its line.
    let changes = "{\"credentialId\":\"urn:old:1\",\"status\":1}\n\n{\"index\":2,\"status\":1}\n";
    fs::write(file("changes.ndjson"), changes).unwrap();
    let updates = [
        "updates",
        list,
        &file("changes.ndjson"),
        "--reason",
        "recall",
    ];
    let ran = place.run(&updates).exits(2);
    assert_eq!(
        ran.out,
        format!(
            "changed 1 of 2 lines in {list}, revision 2\n  \
             refused line 3: the index 2 was never given out\n"
        )
    );
    place.run(&["status", &format!("{list}#41")]).exits(1);
    let rest = [&updates[..], &["--from-line", "3", "--json"]].concat();
    let told = place.run(&rest).exits(2).json();
    assert_eq!(
        (
            &told["lines"],
            &told["applied"],
            &told["refused"][0]["line"]
        ),
        (&json!(1), &json!(0), &json!(3))
    );
    fs::write(file("bad.csv"), "index,status\n0,1\n0,-1\n").unwrap();
    let bad = place.run(&["updates", list, &file("bad.csv")]).exits(2);
    assert!(
        bad.err.contains("line 3: status has to be a whole number"),
        "{}",
        bad.err
    );
    place
        .run(&["list", "import", &file("none.csv"), "--issuer", ISSUER])
        .exits(2)
        .explains(&["none.csv"]);
}

#[test]
fn updates_that_a_kill_broke_off_go_on_where_they_say() {
    const ENTRIES: u64 = 600_000;
    let folder = Folder::prepared();
    let mut server = folder.serve(&[]);
    let registry = folder.operator(&server);
    profile(&registry, ISSUER, "issuer");
    let body = json!({
        "issuer": ISSUER, "statusPurpose": "revocation", "length": ENTRIES,
        "encodedList": encoded_zeros(),
    });
    let made = registry.post("/status-lists/import", &body).json(201);
    let list = made["id"].as_str().unwrap().to_owned();
    let file = folder.beside().join("all.csv");
    let mut rows = String::from("status,index\n");
    for index in 0..ENTRIES {
        writeln!(rows, "1,{index}").unwrap();
    }
    fs::write(&file, &rows).unwrap();
    let file = file.to_str().unwrap();

    let revision = |registry: &super::client::Client| {
        let said = registry
            .get(&format!("/status?list={list}&index=0"))
            .json(200);
        said["revision"].as_u64().unwrap()
    };
    let ran = thread::scope(|scope| {
        let url = server.url();
        let token = folder.token.clone();
        let (list, file) = (list.clone(), file.to_owned());
        let command = scope.spawn(move || {
            let mut command = super::program::program();
            command.args(["--server", &url, "updates", &list, &file]);
            super::program::run(command.env("GOODSTANDING_TOKEN", token), "")
        });
        let begun = Instant::now();
        while revision(&registry) < 4 {
            assert!(begun.elapsed() < PATIENCE, "the updates do not get on");
        }
        server.kill();
        command.join().unwrap()
    });
    let ran = ran.exits(2);
    let line = ran
        .out
        .split("--from-line ")
        .nth(1)
        .expect("where to go on")
        .trim();
    let next: u64 = line.parse().unwrap();
    // Two chunks at least were acknowledged, each of 50,000 lines below the names of the columns;
    // the third one was seen, and may not have been answered.
    assert!(
        next >= 100_002 && (next - 2).is_multiple_of(50_000),
        "{next}"
    );
    assert!(next < ENTRIES, "the kill came too late to show");

    let server = folder.serve(&[]);
    let registry = folder.operator(&server);
    let here = Place::Server(&folder, &server);
    let told = here.json(&["updates", &list, file, "--from-line", line]);
    assert_eq!(
        (&told["lines"], &told["applied"]),
        (&json!(ENTRIES + 2 - next), &json!(ENTRIES + 2 - next))
    );
    assert_eq!(told["refusedCount"], 0);
    let until = Instant::now();
    let target = path(&made["id"]);
    while SignedList::fetch(&registry, &target).count() < ENTRIES as usize {
        assert!(until.elapsed() < PATIENCE, "the list is not published");
    }
    // A chunk that was written when the kill came is not written again.
    assert_eq!(revision(&registry), 1 + ENTRIES / 50_000);
}

/// Eight entries, encoded by flate2 and base64 alone; the list is extended from them.
fn encoded_zeros() -> String {
    use base64::Engine as _;
    use std::io::Write as _;
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(&[0]).unwrap();
    let bytes = encoder.finish().unwrap();
    format!(
        "u{}",
        base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(bytes)
    )
}
