//! The published lists: those in the text of the draft, and its test vectors (appendix C), which
//! have 2^20 entries. `vectors.json` names the entries that are set, as pairs of index and status.

use super::*;
use crate::json;

/// The bits of an entry, the published `lst`, and every status.
fn published() -> Vec<(StatusSize, String, Vec<u8>)> {
    let vectors = json::parse(include_bytes!("vectors.json")).unwrap();
    let mut published = vec![
        (
            StatusSize::One,
            "eNrbuRgAAhcBXQ".to_owned(),
            vec![1, 0, 0, 1, 1, 1, 0, 1, 1, 1, 0, 0, 0, 1, 0, 1],
        ),
        (
            StatusSize::Two,
            "eNo76fITAAPfAgc".to_owned(),
            vec![1, 2, 0, 3, 0, 1, 0, 1, 1, 2, 3, 3],
        ),
    ];
    for size in StatusSize::ALL {
        let vector = &vectors[size.to_string()];
        let mut statuses = vec![0; 1 << 20];
        for pair in vector["statuses"].as_array().unwrap() {
            let index = pair[0].as_u64().unwrap() as usize;
            statuses[index] = u8::try_from(pair[1].as_u64().unwrap()).unwrap();
        }
        let lst = vector["lst"].as_str().unwrap().to_owned();
        published.push((size, lst, statuses));
    }
    published
}

#[test]
fn the_published_lists_are_read() {
    for (size, lst, expected) in published() {
        let mut claims = claims(size.bits(), &[]);
        claims["status_list"]["lst"] = json!(lst);
        let list = read(&claims).unwrap();
        let entries = expected.len() as u64;
        assert!(statuses(&list, entries) == expected, "{size} bits");
        assert!(list.status(entries).is_err());
    }
}

#[test]
fn the_published_lists_are_written() {
    let expand = |lst: &str| {
        let compressed = URL_SAFE_NO_PAD.decode(lst).unwrap();
        decode_zlib(&compressed, DEFAULT_CAP_BYTES).unwrap()
    };
    for (size, lst, statuses) in published() {
        let per_byte = 8 / size.bits() as usize;
        let mut bits: Bitstring<Lsb> =
            Bitstring::from_bytes(vec![0; statuses.len() / per_byte], size);
        let length = crate::bitstring::ListLength::new(1 << 20).unwrap();
        for (index, status) in (0..).zip(&statuses).filter(|(_, status)| **status != 0) {
            bits.set(length.index(index).unwrap(), *status).unwrap();
        }
        let written = TokenBits::compress(&bits);
        assert!(expand(&written.lst()) == expand(&lst), "{size} bits");
        // Compressors differ, and not by much.
        assert!(written.lst().len() <= lst.len() * 11 / 10, "{size} bits");
    }
}
