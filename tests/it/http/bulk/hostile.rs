//! Bodies that are wrong, too long, or meant to hurt: each is refused with its place, and nothing
//! is written.

use serde_json::{Value, json};

use super::{ENTRIES, bits_with, encoded, gzipped, zlibbed};
use crate::support::actors::text;
use crate::support::house::House;

#[test]
fn tables_that_cannot_be_taken_are_refused_by_their_lines() {
    let house = House::open();
    let school = house.registrar("school");
    let list = school.brings(&bits_with(ENTRIES, &[]), None);
    let before = house.store();
    let updates = format!("{list}/updates");
    for (rows, words) in [
        ("", "the table is empty"),
        ("index,status\n", "at least one update"),
        ("index\n1\n", "columns status"),
        ("status\n1\n", "index or credentialId"),
        ("index,status,colour\n1,1,red\n", "\"colour\" is not known"),
        ("index,status,status\n1,1,1\n", "stands twice"),
        (
            "index,status\n-1,1\n",
            "line 2: index has to be a whole number",
        ),
        (
            "index,status\n+1,1\n",
            "line 2: index has to be a whole number",
        ),
        (
            "index,status\n1.0,1\n",
            "line 2: index has to be a whole number",
        ),
        (
            "index,status\n99999999999999999999,1\n",
            "line 2: index has to be",
        ),
        ("index,status\n1,\n", "line 2: a status is needed"),
        ("index,status\n,1\n", "line 2: either index or credentialId"),
        (
            "index,credentialId,status\n1,urn:x,1\n",
            "line 2: either index or credentialId",
        ),
        (
            "index,status\n1,1\n\"2,1\n",
            "line 3: a quoted field does not end",
        ),
        (
            "index,status\n1,1\r2,1\n",
            "line 2: a carriage return stands alone",
        ),
        ("index,status\n1,1,1\n", "line 2: 3 fields"),
    ] {
        let refused = school.sends(&updates, "text/csv", rows).problem(400);
        assert!(
            text(&refused["detail"]).contains(words),
            "{rows:?}: {refused}"
        );
    }
    let not_text = school.sends(&updates, "text/csv", b"index,status\n1,\xff\n".to_vec());
    assert!(text(&not_text.problem(400)["detail"]).contains("UTF-8"));
    for (query, pointer) in [
        ("firstLine=0", "?firstLine"),
        ("firstLine=x", "?firstLine"),
        ("lines=1", "?lines"),
    ] {
        let rows = "index,status\n1,1\n";
        let refused = school
            .sends(&format!("{updates}?{query}"), "text/csv", rows)
            .problem(400);
        assert_eq!(refused["pointer"], pointer);
    }
    let call = school
        .call("POST", &updates)
        .header("Content-Encoding", "gzip");
    call.body("text/csv", "index,status\n1,1\n")
        .send()
        .problem(415);
    assert_eq!(house.store(), before);
}

#[test]
fn rows_of_an_import_are_refused_together() {
    let house = House::open();
    let school = house.registrar("school");
    let before = house.store();
    let target = "/status-lists/import?issuer=school&statusPurpose=revocation";
    let rows = "index,status,credentialId\n1,1,\n1,0,\n131072,1,\n2,2,\n,1,urn:x\n3,1,no URL\n4,1,urn:a\n5,1,urn:a\n";
    let refused = school.sends(target, "text/csv", rows).problem(422);
    let lines: Vec<_> = refused["refused"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["line"].clone())
        .collect();
    assert_eq!(lines, [3, 4, 5, 6, 7], "{refused}");
    assert_eq!(refused["refusedCount"], 5);
    // A credential that stands twice is found where all rows are read.
    let rows = "index,status,credentialId\n4,1,urn:a\n5,1,urn:a\n";
    let refused = school.sends(target, "text/csv", rows).problem(400);
    assert!(
        text(&refused["detail"]).contains("urn:a is named twice"),
        "{refused}"
    );
    let good = "index,status\n4,1\n";
    for (query, pointer) in [
        ("statusPurpose=revocation", "?issuer"),
        ("issuer=school", "?statusPurpose"),
        ("issuer=nobody&statusPurpose=revocation", "?issuer"),
        ("issuer=school&statusPurpose=revocation&length=8", "?length"),
        (
            "issuer=school&statusPurpose=revocation&length=131073",
            "?length",
        ),
        (
            "issuer=school&statusPurpose=revocation&length=67108872",
            "?length",
        ),
        (
            "issuer=school&statusPurpose=revocation&usedIndexes=all",
            "?usedIndexes",
        ),
        (
            "issuer=school&statusPurpose=revocation&statusSize=2",
            "?statusSize",
        ),
        (
            "issuer=school&statusPurpose=revocation&source=here",
            "/source",
        ),
        (
            "issuer=school&statusPurpose=revocation&colour=red",
            "?colour",
        ),
    ] {
        let target = format!("/status-lists/import?{query}");
        let refused = school.sends(&target, "text/csv", good).problem(400);
        assert_eq!(refused["pointer"], pointer, "{query}: {refused}");
    }
    assert_eq!(house.store(), before);
}

#[test]
fn lists_that_cannot_be_taken_are_refused_by_their_members() {
    let house = House::open();
    let school = house.registrar("school");
    let before = house.store();
    let good = encoded(&bits_with(ENTRIES, &[3]));
    let three = zlibbed(&[0b0000_0011; 40]);
    for (member, value, pointer) in [
        ("encodedList", json!("H4sI"), "/encodedList"),
        ("encodedList", json!(good[1..]), "/encodedList"),
        ("encodedList", json!(good[..40]), "/encodedList"),
        ("encodedList", json!(format!("{good}A")), "/encodedList"),
        ("encodedList", json!(7), "/encodedList"),
        ("encodedList", Value::Null, ""),
        ("format", json!("zip"), "/format"),
        ("format", json!("token"), "/encodedList"),
        ("statusSize", json!(3), "/statusSize"),
        ("statusSize", json!(2), "/statusMessage"),
        ("statusMessage", json!([]), "/statusMessage"),
        ("statusPurpose", json!(""), "/statusPurpose"),
        ("statusPurpose", Value::Null, ""),
        ("length", json!(131_064), "/length"),
        ("length", json!(67_108_872), "/length"),
        ("length", json!(u64::MAX), "/length"),
        ("length", json!(-1), "/length"),
        ("ttl", json!(1), "/ttl"),
        ("issuer", json!("nobody"), "/issuer"),
        ("pairedWith", json!("elsewhere"), "/pairedWith"),
        ("source", json!("not a URL"), "/source"),
        ("usedIndexes", json!([131_072]), "/usedIndexes/0"),
        ("usedIndexes", json!([0, -1]), "/usedIndexes"),
        ("usedIndexes", json!("all"), "/usedIndexes"),
        (
            "usedIndexes",
            json!({ "encodedList": "u" }),
            "/usedIndexes/encodedList",
        ),
        (
            "usedIndexes",
            json!({ "encodedList": encoded(&vec![1; ENTRIES / 8 + 1]) }),
            "/usedIndexes/encodedList",
        ),
        ("usedIndexes", json!({ "bits": "u" }), "/usedIndexes"),
        ("usedIndexes", json!({}), "/usedIndexes"),
        ("colour", json!("red"), ""),
        ("credential", json!({}), ""),
    ] {
        let mut body =
            json!({ "issuer": "school", "statusPurpose": "revocation", "encodedList": good });
        body[member] = value.clone();
        let refused = school.imports(&body).problem(400);
        let at = text(&refused["pointer"]);
        assert!(
            at.starts_with(pointer) && (!pointer.is_empty() || at.is_empty()),
            "{member} {value}: {refused}"
        );
    }
    for (size, purpose, pointer) in [
        (2, "revocation", "/encodedList"),
        (1, "suspension", "/statusSize"),
    ] {
        let body = json!({
            "issuer": "school", "statusPurpose": purpose, "format": "token", "statusSize": size,
            "encodedList": three,
        });
        assert_eq!(school.imports(&body).problem(400)["pointer"], pointer);
    }
    assert_eq!(house.store(), before);
}

#[test]
fn what_expands_beyond_all_lists_is_given_up() {
    let house = House::open();
    let school = house.registrar("school");
    let before = house.store();
    // A byte more than the longest list; and 2 GB out of a few megabytes.
    let over = vec![0; (8 << 20) + 1];
    let member = {
        use flate2::{Compress, Compression, FlushCompress};
        let zeros = vec![0_u8; 1 << 20];
        let mut compress = Compress::new(Compression::new(6), true);
        let mut out = Vec::with_capacity(4 << 20);
        for _ in 0..2_048 {
            compress
                .compress_vec(&zeros, &mut out, FlushCompress::None)
                .unwrap();
        }
        compress
            .compress_vec(&[], &mut out, FlushCompress::Finish)
            .unwrap();
        assert_eq!(compress.total_in(), 2 << 30);
        out
    };
    assert!(member.len() < 3 << 20, "{}", member.len());
    use base64::Engine as _;
    let bomb = base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(&member);
    for (format, list) in [
        ("bitstring", encoded(&over)),
        ("2021", gzipped(&over)),
        ("token", zlibbed(&over)),
        ("token", bomb),
    ] {
        let body = json!({
            "issuer": "school", "statusPurpose": "revocation", "format": format, "encodedList": list,
        });
        let refused = school.imports(&body).problem(400);
        assert!(
            text(&refused["detail"]).contains("expands to more than 8388608 bytes"),
            "{format}: {refused}"
        );
        let body = json!({
            "issuer": "school", "statusPurpose": "revocation", "encodedList": encoded(&[0; 100]),
            "usedIndexes": { "encodedList": encoded(&over) },
        });
        school.imports(&body).problem(400);
    }
    // The longest list there can be is taken.
    let longest = bits_with(1 << 26, &[(1 << 26) - 1]);
    let list = school.brings(&longest, Some(&json!([0])));
    assert_eq!(
        house.verifier().looks_up(&list, (1 << 26) - 1)["outcome"],
        "revoked"
    );
    assert!(house.store() != before);
}
