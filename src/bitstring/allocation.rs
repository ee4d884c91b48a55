//! In which order the indexes of a list are given out: by a secret permutation of a counter.
//!
//! The n-th index given out is the image of n, so that indexes look random, never collide, and
//! cost the same until the list is full, and no row per credential is needed to know what is
//! taken: an index is taken when its inverse lies below the counter.
//!
//! The permutation is a balanced Feistel network over the smallest even number of bits that
//! covers the list. Its images that lie outside the list are sent through it again until they
//! lie inside ("cycle walking"), which keeps it a permutation of the list, whatever the length.

use std::ops::Range;

use siphasher::sip::SipHasher24;

use super::length::{ListLength, StatusIndex};

/// Rounds of the Feistel network. Four make it hard to tell from random for whoever sees few
/// images; with small halves, and images by the ten thousand, more are needed.
pub const ROUNDS: u8 = 10;

/// The order in which the indexes of one index space are given out. The key is random, belongs to
/// that index space alone, and never changes: with another key taken indexes would look free.
#[derive(Debug, Clone)]
pub struct Permutation {
    inner: KeyedPermutation,
    length: ListLength,
}

impl Permutation {
    /// The order that `key` gives to a list of `length`.
    pub fn new(key: &[u8; 16], length: ListLength) -> Self {
        Self {
            inner: KeyedPermutation::new(key, length.entries()),
            length,
        }
    }

    /// The index that is given out after `counter` others, or `None` where the list is full.
    pub fn index_of(&self, counter: u64) -> Option<StatusIndex> {
        let image = self.inner.image(counter)?;
        Some(self.in_list(image))
    }

    /// The indexes of all these counters, in their order; those behind the end of the list are
    /// left out. For many counters this is several times faster than one by one.
    pub fn indexes_of(&self, counters: Range<u64>) -> Vec<StatusIndex> {
        let images = self.inner.images(counters);
        images
            .into_iter()
            .map(|image| self.in_list(image))
            .collect()
    }

    /// How many indexes are given out before this one, or `None` for an index of a longer list.
    pub fn counter_of(&self, index: StatusIndex) -> Option<u64> {
        self.inner.preimage(index.get())
    }

    /// Whether `index` is among the first `counter` that are given out.
    pub fn is_allocated(&self, index: StatusIndex, counter: u64) -> bool {
        self.counter_of(index).is_some_and(|place| place < counter)
    }

    /// How many indexes are free once `counter` have been given out.
    pub fn remaining(&self, counter: u64) -> u64 {
        self.length.entries().saturating_sub(counter)
    }

    fn in_list(&self, image: u64) -> StatusIndex {
        self.length
            .index(image)
            .expect("the permutation is one of the numbers below the length")
    }
}

/// A keyed permutation of the numbers below any `n`: what [`Permutation`] is made of.
#[derive(Clone)]
pub struct KeyedPermutation {
    hasher: SipHasher24,
    n: u64,
    /// Bits of half a block; both halves together cover `n`.
    half: u32,
}

impl KeyedPermutation {
    /// The permutation of `0..n` that `key` selects.
    pub fn new(key: &[u8; 16], n: u64) -> Self {
        let bits = u64::BITS - n.saturating_sub(1).leading_zeros();
        Self {
            hasher: SipHasher24::new_with_key(key),
            n,
            half: bits.div_ceil(2).max(1),
        }
    }

    /// Where `x` goes; `None` unless `x < n`.
    pub fn image(&self, x: u64) -> Option<u64> {
        let round = |number, right| self.round(number, right);
        self.walk(x, |block| self.forward(block, round))
    }

    /// What goes to `y`; `None` unless `y < n`.
    pub fn preimage(&self, y: u64) -> Option<u64> {
        self.walk(y, |block| self.backward(block))
    }

    /// Where each of these goes, leaving out those that are not below `n`.
    pub fn images(&self, xs: Range<u64>) -> Vec<u64> {
        let xs = xs.start..xs.end.min(self.n);
        // Each round has only 2^half different inputs. Once there are more numbers than that,
        // it pays to compute all of them beforehand.
        if xs.end.saturating_sub(xs.start) < 1 << self.half {
            return xs.filter_map(|x| self.image(x)).collect();
        }
        let table: Vec<u64> = (0..ROUNDS)
            .flat_map(|number| (0..1 << self.half).map(move |right| self.round(number, right)))
            .collect();
        // An index below the table's length, which is one of usize.
        let round = |number, right| table[(u64::from(number) << self.half | right) as usize];
        xs.filter_map(|x| self.walk(x, |block| self.forward(block, round)))
            .collect()
    }

    /// Applies `step` until the block lies below `n`. It ends, since `step` permutes the blocks
    /// and the walk starts below `n`: its cycle leads back there at the latest.
    fn walk(&self, start: u64, step: impl Fn(u64) -> u64) -> Option<u64> {
        if start >= self.n {
            return None;
        }
        let mut block = step(start);
        while block >= self.n {
            block = step(block);
        }
        Some(block)
    }

    fn forward(&self, block: u64, round: impl Fn(u8, u64) -> u64) -> u64 {
        let (mut left, mut right) = (block >> self.half, block & self.mask());
        for number in 0..ROUNDS {
            (left, right) = (right, left ^ round(number, right));
        }
        left << self.half | right
    }

    fn backward(&self, block: u64) -> u64 {
        let (mut left, mut right) = (block >> self.half, block & self.mask());
        for number in (0..ROUNDS).rev() {
            (left, right) = (right ^ self.round(number, left), left);
        }
        left << self.half | right
    }

    /// SipHash-2-4 of the half block (at most 32 bits), with the number of the round in the top
    /// byte, so that every round is another function.
    fn round(&self, number: u8, right: u64) -> u64 {
        let input = u64::from(number) << 56 | right;
        self.hasher.hash(&input.to_le_bytes()) & self.mask()
    }

    const fn mask(&self) -> u64 {
        (1 << self.half) - 1
    }
}

/// Without the key.
impl std::fmt::Debug for KeyedPermutation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("KeyedPermutation")
            .field("n", &self.n)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const KEY: [u8; 16] = *b"0123456789abcdef";

    #[test]
    fn every_small_domain_is_permuted() {
        for n in 0..=300 {
            let permutation = KeyedPermutation::new(&KEY, n);
            let mut seen = vec![false; n as usize];
            for x in 0..n {
                let y = permutation.image(x).unwrap();
                assert!(!std::mem::replace(&mut seen[y as usize], true), "{n}: {y}");
                assert_eq!(permutation.preimage(y), Some(x));
            }
            assert_eq!(permutation.image(n), None);
            assert_eq!(permutation.preimage(n), None);
        }
    }

    #[test]
    fn a_whole_list_is_given_out_without_collision() {
        let length = ListLength::MINIMUM;
        let permutation = Permutation::new(&KEY, length);
        let mut indexes = permutation.indexes_of(0..u64::MAX);
        assert_eq!(indexes.len() as u64, length.entries());
        assert_eq!(permutation.index_of(length.entries()), None);
        indexes.sort_unstable();
        indexes.dedup();
        assert_eq!(indexes.len() as u64, length.entries());
        assert_eq!(permutation.remaining(100_000), 31_072);
        assert_eq!(permutation.remaining(u64::MAX), 0);
    }

    #[test]
    fn the_order_never_changes() {
        // Taken indexes are known by this order alone: another one would give them out again.
        let permutation = Permutation::new(&KEY, ListLength::MINIMUM);
        let first = permutation
            .indexes_of(0..5)
            .iter()
            .map(|i| i.get())
            .collect::<Vec<_>>();
        assert_eq!(first, [39_018, 74_887, 104_356, 123_646, 84_938]);
        let long = KeyedPermutation::new(&KEY, 1 << 26);
        let first = long.images(0..5);
        assert_eq!(
            first,
            [18_942_492, 10_754_846, 33_303_027, 57_368_276, 29_129_680]
        );
    }

    #[test]
    fn in_bulk_and_one_by_one_the_order_is_the_same() {
        let permutation = Permutation::new(&KEY, ListLength::new(200_000).unwrap());
        let bulk = permutation.indexes_of(1000..9000);
        assert_eq!(bulk.len(), 8000);
        for (counter, index) in (1000..).zip(bulk) {
            assert_eq!(permutation.index_of(counter), Some(index));
        }
    }

    #[test]
    fn an_index_of_a_longer_list_is_never_allocated() {
        let permutation = Permutation::new(&KEY, ListLength::MINIMUM);
        let far = ListLength::new(262_144).unwrap().index(200_000).unwrap();
        assert_eq!(permutation.counter_of(far), None);
        assert!(!permutation.is_allocated(far, u64::MAX));
    }

    #[test]
    fn neighbours_scatter() {
        // 16,384 indexes in a row over 64 stretches of the list: 256 each are expected. For
        // 63 degrees of freedom a chi-square over 130 has a probability below one in a million.
        let permutation = Permutation::new(&KEY, ListLength::MINIMUM);
        let indexes = permutation.indexes_of(0..16_384);
        let mut stretches = [0u64; 64];
        for index in &indexes {
            stretches[(index.get() / 2048) as usize] += 1;
        }
        let chi_square: f64 = stretches
            .iter()
            .map(|&count| (count as f64 - 256.0).powi(2) / 256.0)
            .sum();
        // Without replacement the counts are a little more even than chance.
        assert!((20.0..130.0).contains(&chi_square), "{chi_square}");
        let adjacent = indexes
            .windows(2)
            .filter(|pair| pair[0].get().abs_diff(pair[1].get()) == 1);
        assert!(adjacent.count() < 8);
    }

    #[test]
    fn another_key_is_another_order() {
        let mut other = KEY;
        other[15] ^= 1;
        let one = Permutation::new(&KEY, ListLength::MINIMUM).indexes_of(0..1000);
        let two = Permutation::new(&other, ListLength::MINIMUM).indexes_of(0..1000);
        assert!(one.iter().zip(&two).filter(|(a, b)| a == b).count() < 5);
    }

    proptest! {
        #[test]
        fn the_inverse_undoes_the_order(key: [u8; 16], n in 1u64..=1 << 26, x: u64) {
            let permutation = KeyedPermutation::new(&key, n);
            let x = x % n;
            let y = permutation.image(x).unwrap();
            prop_assert!(y < n);
            prop_assert_eq!(permutation.preimage(y), Some(x));
            prop_assert_eq!(permutation.image(permutation.preimage(x).unwrap()), Some(x));
        }

        #[test]
        fn an_index_counts_as_allocated_from_its_turn_on(key: [u8; 16], counter in 0u64..131_072) {
            let permutation = Permutation::new(&key, ListLength::MINIMUM);
            let index = permutation.index_of(counter).unwrap();
            prop_assert!(!permutation.is_allocated(index, counter));
            prop_assert!(permutation.is_allocated(index, counter + 1));
        }
    }
}
