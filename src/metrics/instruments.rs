//! Numbers that many threads add to, without a lock and without waiting.

use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::Duration;

/// Counts what happens; it never goes down.
#[derive(Debug, Default)]
pub struct Counter(AtomicU64);

impl Counter {
    /// It happened once more.
    pub fn note(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }

    /// It happened so many times more.
    pub fn add(&self, times: u64) {
        self.0.fetch_add(times, Ordering::Relaxed);
    }

    /// How often it has happened.
    pub fn count(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// Counts what is there at present.
#[derive(Debug, Default)]
pub struct Gauge(AtomicI64);

impl Gauge {
    /// One more.
    pub fn up(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }

    /// One less.
    pub fn down(&self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }

    /// How many there are.
    pub fn present(&self) -> i64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// What a histogram measures.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scale {
    /// Time: nanoseconds inside, seconds in the text.
    Time,
    /// How many of something.
    Count,
}

/// Upper bounds of buckets of time, in nanoseconds: from 50 µs to 10 s.
const TIMES: [u64; BOUNDS] = [
    50_000,
    100_000,
    250_000,
    500_000,
    1_000_000,
    2_500_000,
    5_000_000,
    10_000_000,
    25_000_000,
    50_000_000,
    100_000_000,
    250_000_000,
    500_000_000,
    1_000_000_000,
    2_500_000_000,
    10_000_000_000,
];

/// Upper bounds of buckets of counts.
const COUNTS: [u64; BOUNDS] = [
    1, 2, 4, 8, 12, 16, 24, 32, 48, 64, 96, 128, 256, 512, 1_024, 4_096,
];

const BOUNDS: usize = 16;

impl Scale {
    /// [`Scale::Time`] as a parameter of a [`Histogram`].
    pub const TIME: u8 = 0;
    /// [`Scale::Count`] as a parameter of a [`Histogram`].
    pub const COUNT: u8 = 1;

    const fn of(number: u8) -> Self {
        match number {
            Self::COUNT => Self::Count,
            _ => Self::Time,
        }
    }

    const fn bounds(self) -> &'static [u64; BOUNDS] {
        match self {
            Self::Time => &TIMES,
            Self::Count => &COUNTS,
        }
    }

    /// A number of it in the unit of the text.
    #[expect(
        clippy::cast_precision_loss,
        reason = "what is read of it is a rounded number in any case"
    )]
    pub fn shown(self, number: u64) -> f64 {
        match self {
            Self::Time => number as f64 / 1e9,
            Self::Count => number as f64,
        }
    }
}

/// How what was measured is spread over buckets. It stands in one place in memory and takes none
/// beside that.
#[derive(Debug, Default)]
pub struct Histogram<const SCALE: u8 = { Scale::TIME }> {
    /// For each bound what is no greater than it and greater than the one before; the last: all else.
    buckets: [AtomicU64; BOUNDS + 1],
    sum: AtomicU64,
}

impl<const SCALE: u8> Histogram<SCALE> {
    fn add(&self, number: u64) {
        let bounds = Scale::of(SCALE).bounds();
        let bucket = bounds.partition_point(|bound| *bound < number);
        self.buckets[bucket].fetch_add(1, Ordering::Relaxed);
        self.sum.fetch_add(number, Ordering::Relaxed);
    }

    /// What was measured so far. What comes in at the same time may be in a part of it alone.
    pub fn spread(&self) -> Spread {
        let mut spread = Spread::empty(Scale::of(SCALE));
        spread.take_in(self);
        spread
    }
}

impl Histogram<{ Scale::TIME }> {
    /// It took so long.
    pub fn took(&self, time: Duration) {
        self.add(u64::try_from(time.as_nanos()).unwrap_or(u64::MAX));
    }
}

impl Histogram<{ Scale::COUNT }> {
    /// It was so many.
    pub fn had(&self, count: usize) {
        self.add(count as u64);
    }
}

/// What histograms held at one moment, added up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Spread {
    scale: Scale,
    buckets: [u64; BOUNDS + 1],
    sum: u64,
}

impl Spread {
    /// Of nothing so far.
    pub const fn empty(scale: Scale) -> Self {
        Self {
            scale,
            buckets: [0; BOUNDS + 1],
            sum: 0,
        }
    }

    /// Adds what a histogram of the same scale holds.
    pub fn take_in<const SCALE: u8>(&mut self, histogram: &Histogram<SCALE>) {
        debug_assert_eq!(self.scale, Scale::of(SCALE));
        for (total, bucket) in self.buckets.iter_mut().zip(&histogram.buckets) {
            *total += bucket.load(Ordering::Relaxed);
        }
        self.sum = self.sum.wrapping_add(histogram.sum.load(Ordering::Relaxed));
    }

    /// For each bound, in the unit of the text, how much was no greater than it.
    pub fn up_to(&self) -> impl Iterator<Item = (f64, u64)> {
        let mut total = 0;
        let bounds = self.scale.bounds().iter().zip(&self.buckets);
        bounds.map(move |(bound, count)| {
            total += count;
            (self.scale.shown(*bound), total)
        })
    }

    /// How often it was measured.
    pub fn count(&self) -> u64 {
        self.buckets.iter().sum()
    }

    /// All of it together, in the unit of the text.
    pub fn sum(&self) -> f64 {
        self.scale.shown(self.sum)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_measured_is_in_the_bucket_that_ends_with_it() {
        let times = Histogram::<{ Scale::TIME }>::default();
        for nanos in [0, 50_000, 50_001, 10_000_000_000, 10_000_000_001] {
            times.took(Duration::from_nanos(nanos));
        }
        let spread = times.spread();
        let up_to: Vec<_> = spread.up_to().collect();
        assert_eq!(up_to[..2], [(0.000_05, 2), (0.000_1, 3)]);
        assert_eq!(up_to[BOUNDS - 1], (10.0, 4));
        assert_eq!(spread.count(), 5);
        assert!((spread.sum() - 20.000_1).abs() < 1e-6, "{}", spread.sum());
    }

    #[test]
    fn bounds_go_up() {
        for bounds in [TIMES, COUNTS] {
            assert!(bounds.windows(2).all(|pair| pair[0] < pair[1]));
        }
    }

    #[test]
    fn histograms_are_added_up() {
        let (one, other) = (Histogram::default(), Histogram::default());
        one.had(1);
        one.had(3);
        other.had(5_000);
        let mut both = Spread::empty(Scale::Count);
        both.take_in::<{ Scale::COUNT }>(&one);
        both.take_in::<{ Scale::COUNT }>(&other);
        assert_eq!(both.up_to().last(), Some((4_096.0, 2)));
        assert_eq!((both.count(), both.sum()), (3, 5_004.0));
    }
}
