//! Typed tables over the byte-level engine, written once: which type a row has is part of the
//! table, so that a table cannot be read or written as something else.
//!
//! ```text
//! stored key    tag u8 | key
//! stored value  version u8 | body
//! ```
//!
//! The version belongs to the record's type; see [`Record::VERSION`].

mod plain;

use std::marker::PhantomData;

use super::engine::{Batch, Read, Row, StoreError};

/// Tags up to this one are the engine's own rows; no table has them.
pub(super) const LAST_RESERVED_TAG: u8 = 0x07;

/// Rows of one kind: keys `K` to values `V`.
///
/// Reading goes to any [`Read`], an engine or a snapshot of it. Writing only fills a [`Batch`];
/// nothing happens before that is committed.
#[derive(Debug)]
pub struct Table<K, V> {
    tag: u8,
    name: &'static str,
    rows: PhantomData<fn() -> (K, V)>,
}

/// The values of one key in two tables.
type Both<V, W> = (Option<V>, Option<W>);

impl<K: Key, V: Record> Table<K, V> {
    /// The table of the rows whose stored keys start with `tag`. `name` stands in error messages.
    ///
    /// # Panics
    /// Where `tag` is 00 to 07 (the engine's own rows) or FF (nothing sorts behind it); in a
    /// `const` that is an error of compilation.
    pub const fn new(tag: u8, name: &'static str) -> Self {
        assert!(
            tag > LAST_RESERVED_TAG,
            "tags 00 to 07 are the engine's own"
        );
        assert!(tag < 0xff, "no key sorts behind tag FF");
        Self {
            tag,
            name,
            rows: PhantomData,
        }
    }

    /// Its name in messages.
    pub const fn name(&self) -> &'static str {
        self.name
    }

    /// The first byte of its stored keys, and its name.
    #[cfg(feature = "rocksdb")]
    pub(super) const fn called(&self) -> (u8, &'static str) {
        (self.tag, self.name)
    }

    /// The first byte of its stored keys.
    pub const fn tag(&self) -> u8 {
        self.tag
    }

    /// The value of `key`, or `None` where there is none.
    pub fn get(&self, read: &dyn Read, key: &K) -> Result<Option<V>, StoreError> {
        read.get(&self.stored_key(key))?
            .map(|value| self.value(&value))
            .transpose()
    }

    /// A row that was read as bytes.
    pub(super) fn read(&self, key: &[u8], value: &[u8]) -> Result<(K, V), StoreError> {
        Ok((self.key(key)?, self.value(value)?))
    }

    /// The values of `keys`, in their order.
    pub fn multi_get(&self, read: &dyn Read, keys: &[K]) -> Result<Vec<Option<V>>, StoreError> {
        let stored: Vec<_> = keys.iter().map(|key| self.stored_key(key)).collect();
        let values = read.multi_get(&stored)?;
        values
            .into_iter()
            .map(|value| value.map(|value| self.value(&value)).transpose())
            .collect()
    }

    /// As [`multi_get`](Self::multi_get), with the values of the same keys in another table, all in
    /// one question to the store.
    pub fn multi_get_with<W: Record>(
        &self,
        other: &Table<K, W>,
        read: &dyn Read,
        keys: &[K],
    ) -> Result<Vec<Both<V, W>>, StoreError> {
        let own = keys.iter().map(|key| self.stored_key(key));
        let others = keys.iter().map(|key| other.stored_key(key));
        let mut values = read.multi_get(&own.chain(others).collect::<Vec<_>>())?;
        let others = values.split_off(keys.len());
        let both = values.into_iter().zip(others);
        both.map(|(own, others)| {
            let own = own.map(|value| self.value(&value)).transpose()?;
            let others = others.map(|value| other.value(&value)).transpose()?;
            Ok((own, others))
        })
        .collect()
    }

    /// Up to `limit` rows in ascending order of their encoded keys: those whose encoded key starts
    /// with `prefix`, after `after` (exclusive) where it is given. To go on, hand in the last key.
    pub fn scan(
        &self,
        read: &dyn Read,
        prefix: &[u8],
        after: Option<&K>,
        limit: usize,
    ) -> Result<Vec<(K, V)>, StoreError> {
        let (mut from, to) = self.range(prefix);
        if let Some(after) = after {
            // The first key behind `after` is `after` and a zero byte.
            let mut behind = self.stored_key(after);
            behind.push(0);
            from = from.max(behind);
        }
        self.rows(read.scan(&from, &to, limit)?)
    }

    /// As [`get`](Self::get), of a row that whoever reads it keeps ([`Read::scan_apart`]).
    pub fn get_apart(&self, read: &dyn Read, key: &K) -> Result<Option<V>, StoreError> {
        let from = self.stored_key(key);
        // The first key behind it.
        let to = [from.as_slice(), &[0]].concat();
        let found = read.scan_apart(&from, &to, 1)?;
        let row = found.first().map(|(_, value)| self.value(value));
        row.transpose()
    }

    /// All rows whose encoded keys start with `prefix`, where whoever reads them keeps them
    /// ([`Read::scan_apart`]).
    pub fn scan_apart(&self, read: &dyn Read, prefix: &[u8]) -> Result<Vec<(K, V)>, StoreError> {
        let (from, to) = self.range(prefix);
        self.rows(read.scan_apart(&from, &to, usize::MAX)?)
    }

    /// Adds writing the row to `batch`.
    pub fn put(&self, batch: &mut Batch, key: &K, value: &V) {
        batch.puts.push((self.stored_key(key), stored_value(value)));
    }

    /// Adds removing the row to `batch`.
    pub fn delete(&self, batch: &mut Batch, key: &K) {
        batch.deletes.push(self.stored_key(key));
    }

    /// Adds a condition to `batch`: the row is exactly `previous` (`None`: there is none). What is
    /// compared is the stored value, as [`put`](Self::put) would write it now.
    pub fn expect(&self, batch: &mut Batch, key: &K, previous: Option<&V>) {
        batch
            .preconditions
            .push((self.stored_key(key), previous.map(stored_value)));
    }

    /// The rows whose encoded keys start with `prefix`: from the first key that they can have to
    /// the first behind them.
    pub fn range(&self, prefix: &[u8]) -> (Vec<u8>, Vec<u8>) {
        let mut from = Vec::with_capacity(1 + prefix.len());
        from.push(self.tag);
        from.extend_from_slice(prefix);
        let to = successor(&from);
        (from, to)
    }

    /// The rows below each prefix, up to `limit` of each.
    pub fn scan_each(
        &self,
        read: &dyn Read,
        prefixes: &[impl AsRef<[u8]>],
        limit: usize,
    ) -> Result<Vec<Vec<(K, V)>>, StoreError> {
        let ranges = prefixes.iter().map(|prefix| self.range(prefix.as_ref()));
        let found = read.scan_each(&ranges.collect::<Vec<_>>(), limit)?;
        found.into_iter().map(|rows| self.rows(rows)).collect()
    }

    fn rows(&self, rows: Vec<Row>) -> Result<Vec<(K, V)>, StoreError> {
        rows.into_iter()
            .map(|(key, value)| self.read(&key, &value))
            .collect()
    }

    pub(super) fn stored_key(&self, key: &K) -> Vec<u8> {
        let mut out = Vec::with_capacity(64);
        out.push(self.tag);
        key.encode(&mut out);
        out
    }

    pub(super) fn key(&self, stored: &[u8]) -> Result<K, StoreError> {
        stored
            .split_first()
            .and_then(|(_, key)| K::decode(key))
            .ok_or_else(|| self.corrupt(format!("key {} is not one of this table's", hex(stored))))
    }

    pub(super) fn value(&self, stored: &[u8]) -> Result<V, StoreError> {
        let Some((&version, body)) = stored.split_first() else {
            return Err(self.corrupt("a value is empty; not even a version is there".to_owned()));
        };
        V::decode(version, body)
            .map_err(|reason| self.corrupt(format!("version {version}: {reason}")))
    }

    const fn corrupt(&self, reason: String) -> StoreError {
        StoreError::Corrupt {
            table: self.name,
            reason,
        }
    }
}

/// What rows are found by. The order of the encoded bytes is the order of a scan; equal keys
/// have equal bytes.
pub trait Key: Sized {
    /// Appends the key's bytes.
    fn encode(&self, out: &mut Vec<u8>);

    /// Reads them back; `None` where they are not what [`encode`](Self::encode) writes.
    fn decode(bytes: &[u8]) -> Option<Self>;
}

/// A key whose bytes have one length, so that something can follow it.
pub trait FixedKey: Key {
    /// That length.
    const WIDTH: usize;
}

/// What a row holds.
pub trait Record: Sized {
    /// The version that [`encode`](Self::encode) writes, from 1. It is raised with each change of
    /// the body. Conditions compare stored bytes, so rows of an older version are rewritten by a
    /// step of the store's format and never live beside newer ones.
    const VERSION: u8;

    /// Appends the body.
    fn encode(&self, out: &mut Vec<u8>);

    /// Reads a body that was written with `version`, or says why not.
    fn decode(version: u8, bytes: &[u8]) -> Result<Self, String>;
}

/// Makes a serde type a [`Record`] whose body is its postcard encoding, in the version given.
/// Bytes behind the value are refused.
macro_rules! postcard_record {
    ($record:ty, $version:literal) => {
        impl $crate::store::table::Record for $record {
            const VERSION: u8 = $version;

            fn encode(&self, out: &mut Vec<u8>) {
                $crate::store::table::postcard_encode(self, out);
            }

            fn decode(version: u8, bytes: &[u8]) -> Result<Self, String> {
                $crate::store::table::known_version::<Self>(version)?;
                $crate::store::table::postcard_decode(bytes)
            }
        }
    };
}
pub(crate) use postcard_record;

/// Appends the postcard encoding of `value`.
pub(crate) fn postcard_encode<T: serde::Serialize>(value: &T, out: &mut Vec<u8>) {
    let bytes = postcard::to_allocvec(value)
        .expect("memory takes any length, and records hold only what postcard can write");
    out.extend_from_slice(&bytes);
}

/// Reads a postcard encoding that takes all of `bytes`.
pub(crate) fn postcard_decode<T: serde::de::DeserializeOwned>(bytes: &[u8]) -> Result<T, String> {
    let (value, rest) = postcard::take_from_bytes(bytes).map_err(|error| error.to_string())?;
    match rest.len() {
        0 => Ok(value),
        left => Err(format!("{left} bytes too many")),
    }
}

/// Refuses a version that `R` does not write.
pub(crate) fn known_version<R: Record>(version: u8) -> Result<(), String> {
    if version == R::VERSION {
        return Ok(());
    }
    Err(format!("this program reads version {} only", R::VERSION))
}

/// The first key behind all that start with `prefix`.
fn successor(prefix: &[u8]) -> Vec<u8> {
    let mut to = prefix.to_vec();
    while to.last() == Some(&0xff) {
        to.pop();
    }
    let last = to
        .last_mut()
        .expect("the prefix starts with a tag, and no tag is FF");
    *last += 1;
    to
}

fn stored_value<V: Record>(value: &V) -> Vec<u8> {
    let mut out = vec![V::VERSION];
    value.encode(&mut out);
    out
}

pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::*;
    use crate::store::memory::Rows;
    use crate::time::Timestamp;
    use proptest::prelude::*;
    use serde::{Deserialize, Serialize};

    #[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
    struct Person {
        name: String,
        age: u32,
        keys: Option<Vec<KeyId>>,
    }
    postcard_record!(Person, 3);

    const PEOPLE: Table<(ProfileId, KeyId), Person> = Table::new(0x10, "people");
    const NAMES: Table<Slug, u64> = Table::new(0x11, "names");
    const FLAGS: Table<[u8; 2], ()> = Table::new(0xfe, "flags");

    fn ada() -> Person {
        Person {
            name: "Ada".to_owned(),
            age: 300,
            keys: Some(vec![KeyId(1), KeyId(2)]),
        }
    }

    fn at(profile: u32, key: u32) -> (ProfileId, KeyId) {
        (ProfileId(profile), KeyId(key))
    }

    /// The rows that `batch` puts into an empty store.
    fn stored(batch: Batch) -> Rows {
        batch.puts.into_iter().collect()
    }

    #[test]
    fn stored_bytes_are_these() {
        let mut batch = Batch::default();
        PEOPLE.put(&mut batch, &at(7, 258), &ada());
        NAMES.put(&mut batch, &"ada".parse().unwrap(), &7);
        FLAGS.put(&mut batch, &[1, 2], &());
        let rows: Vec<_> = batch.puts.iter().map(|(k, v)| (hex(k), hex(v))).collect();
        insta::assert_debug_snapshot!(rows, @r#"
        [
            (
                "100000000700000102",
                "0303416461ac0201020102",
            ),
            (
                "11616461",
                "010000000000000007",
            ),
            (
                "fe0102",
                "01",
            ),
        ]
        "#);
    }

    #[test]
    fn a_moment_outside_the_calendar_is_no_key() {
        assert_eq!(Timestamp::decode(&[0xff; 8]), None);
        assert_eq!(
            Timestamp::decode(&[0x80, 0, 0, 0, 0, 0, 0, 1])
                .unwrap()
                .millis(),
            1
        );
    }

    #[test]
    fn rows_are_found_by_key() {
        let mut batch = Batch::default();
        PEOPLE.put(&mut batch, &at(7, 1), &ada());
        let rows = stored(batch);
        assert_eq!(PEOPLE.get(&rows, &at(7, 1)), Ok(Some(ada())));
        assert_eq!(PEOPLE.get(&rows, &at(7, 2)), Ok(None));
        let both = PEOPLE.multi_get(&rows, &[at(7, 2), at(7, 1)]);
        assert_eq!(both, Ok(vec![None, Some(ada())]));
    }

    #[test]
    fn rows_of_two_tables_are_found_by_the_same_keys() {
        const AGES: Table<(ProfileId, KeyId), u64> = Table::new(0x12, "ages");
        let mut batch = Batch::default();
        PEOPLE.put(&mut batch, &at(7, 1), &ada());
        AGES.put(&mut batch, &at(7, 1), &36);
        AGES.put(&mut batch, &at(7, 2), &40);
        let rows = stored(batch);
        let keys = [at(7, 3), at(7, 2), at(7, 1)];
        let both = PEOPLE.multi_get_with(&AGES, &rows, &keys);
        let expected = vec![(None, None), (None, Some(40)), (Some(ada()), Some(36))];
        assert_eq!(both, Ok(expected));
    }

    #[test]
    fn conditions_and_removals_name_the_stored_row() {
        let mut batch = Batch::default();
        NAMES.put(&mut batch, &"ada".parse().unwrap(), &7);
        NAMES.expect(&mut batch, &"ada".parse().unwrap(), Some(&7));
        NAMES.expect(&mut batch, &"ada".parse().unwrap(), None);
        NAMES.delete(&mut batch, &"ada".parse().unwrap());
        let (key, value) = batch.puts[0].clone();
        assert_eq!(
            batch.preconditions,
            [(key.clone(), Some(value)), (key.clone(), None)]
        );
        assert_eq!(batch.deletes, [key]);
    }

    #[test]
    fn a_scan_stays_within_its_prefix_and_goes_on_behind_a_key() {
        let mut batch = Batch::default();
        let last = u32::MAX;
        for (profile, key) in [(6, 9), (7, 1), (7, 2), (7, last), (8, 1), (last, last)] {
            PEOPLE.put(&mut batch, &at(profile, key), &ada());
        }
        NAMES.put(&mut batch, &"ada".parse().unwrap(), &7);
        let rows = stored(batch);
        let scan = |prefix: &[u8], after: Option<(ProfileId, KeyId)>, limit| -> Vec<_> {
            let rows = PEOPLE.scan(&rows, prefix, after.as_ref(), limit).unwrap();
            rows.into_iter()
                .map(|((profile, key), _)| (profile.0, key.0))
                .collect()
        };
        let seven = 7u32.to_be_bytes();
        assert_eq!(scan(&seven, None, 9), [(7, 1), (7, 2), (7, last)]);
        assert_eq!(scan(&seven, None, 2), [(7, 1), (7, 2)]);
        assert_eq!(scan(&seven, Some(at(7, 2)), 9), [(7, last)]);
        assert_eq!(scan(&seven, Some(at(7, last)), 9), []);
        assert_eq!(
            scan(&seven, Some(at(6, 1)), 1),
            [(7, 1)],
            "a key before the prefix"
        );
        assert_eq!(
            scan(&seven, Some(at(9, 9)), 9),
            [],
            "a key behind the prefix"
        );
        assert_eq!(
            scan(&last.to_be_bytes(), None, 9),
            [(last, last)],
            "a prefix of FF"
        );
        assert_eq!(scan(&[], None, 9).len(), 6, "the next table is not read");
        assert_eq!(scan(&[], None, 0), []);
    }

    #[test]
    fn bytes_that_the_table_did_not_write_are_named() {
        let mut batch = Batch::default();
        PEOPLE.put(&mut batch, &at(7, 1), &ada());
        let (key, good) = batch.puts[0].clone();
        let read = |value: &[u8]| {
            let rows: Rows = [(key.clone(), value.to_vec())].into_iter().collect();
            PEOPLE.get(&rows, &at(7, 1)).unwrap_err().to_string()
        };
        let mut newer = good.clone();
        newer[0] = 4;
        insta::assert_snapshot!(read(&newer), @"table people: stored bytes cannot be read: version 4: this program reads version 3 only");
        insta::assert_snapshot!(read(&[good.as_slice(), &[0]].concat()), @"table people: stored bytes cannot be read: version 3: 1 bytes too many");
        insta::assert_snapshot!(read(&good[..good.len() - 1]), @"table people: stored bytes cannot be read: version 3: Hit the end of buffer, expected more data");
        insta::assert_snapshot!(read(&[]), @"table people: stored bytes cannot be read: a value is empty; not even a version is there");
        let long: Rows = [([key, vec![0]].concat(), good)].into_iter().collect();
        insta::assert_snapshot!(PEOPLE.scan(&long, &[], None, 1).unwrap_err(), @"table people: stored bytes cannot be read: key 10000000070000000100 is not one of this table's");
    }

    /// A key survives its bytes, and no shorter or longer ones are it.
    fn survives<K: Key + PartialEq + std::fmt::Debug>(key: K, fixed: bool) {
        let mut bytes = Vec::new();
        key.encode(&mut bytes);
        assert_eq!(K::decode(&bytes).as_ref(), Some(&key));
        if fixed {
            assert_eq!(K::decode(&[bytes.as_slice(), &[0]].concat()), None);
            assert_eq!(
                bytes.split_last().and_then(|(_, short)| K::decode(short)),
                None
            );
        }
    }

    /// A record survives its bytes, and no other version of it is read.
    fn survives_as_record<R: Record + PartialEq + std::fmt::Debug>(record: R) {
        let mut body = Vec::new();
        record.encode(&mut body);
        assert_eq!(R::decode(R::VERSION, &body), Ok(record));
        assert!(R::decode(R::VERSION + 1, &body).is_err());
    }

    proptest! {
        #[test]
        fn keys_survive(a: u32, b: u64, c: [u8; 12], d: [u8; 32], text: String, slug in "[a-z0-9]{1,64}") {
            survives(a, true);
            survives(b, true);
            survives(d, true);
            survives((), true);
            survives(text, false);
            survives(slug.parse::<Slug>().unwrap(), false);
            survives(ProfileId(a), true);
            survives(KeyId(a), true);
            survives(Seq(b), true);
            survives(Revision(b), true);
            survives(Timestamp::from_millis(b.cast_signed()), true);
            survives(ListId::from_bytes(c), true);
            survives(SpaceId::from_bytes(c), true);
            survives(EndorsementId::from_bytes(c), true);
            survives(AchievementId::from_bytes(c), true);
            survives(RequestId::from_bytes(c), true);
            survives((ListId::from_bytes(c), a), true);
            survives(((d, ProfileId(a)), slug.parse::<Slug>().unwrap()), false);
        }

        #[test]
        fn the_order_of_pairs_is_the_order_of_their_bytes(a: (u32, u64), b: (u32, u64)) {
            let bytes = |key: (u32, u64)| {
                let mut out = Vec::new();
                key.encode(&mut out);
                out
            };
            prop_assert_eq!(a.cmp(&b), bytes(a).cmp(&bytes(b)));
        }

        #[test]
        fn the_order_of_moments_is_the_order_of_their_bytes(a: i64, b: i64) {
            let [a, b] = [a, b].map(Timestamp::from_millis);
            let bytes = |key: Timestamp| {
                let mut out = Vec::new();
                key.encode(&mut out);
                out
            };
            prop_assert_eq!(a.cmp(&b), bytes(a).cmp(&bytes(b)));
        }

        #[test]
        fn records_survive(name: String, age: u32, keys: Option<Vec<u32>>, raw: Vec<u8>, n: u64) {
            let keys = keys.map(|keys| keys.into_iter().map(KeyId).collect());
            let person = Person { name, age, keys };
            survives_as_record(person);
            survives_as_record(raw);
            survives_as_record(n);
            survives_as_record(());
            prop_assert!(<u64 as Record>::decode(1, &n.to_be_bytes()[1..]).is_err());
            prop_assert!(<() as Record>::decode(1, &[0]).is_err());
        }
    }
}
