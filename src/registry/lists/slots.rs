//! Slots that are made as they are needed, some at a time. A registry may keep thousands of lists, and most
//! keep few; and to give up a slot that is swapped as a whole takes a look at what every thread reads.

use std::sync::OnceLock;

/// So many are made at a time.
const AT_ONCE: usize = 64;

/// Slots by number.
pub(super) struct Slots<T>(Box<[OnceLock<Box<[T]>>]>);

impl<T: Default> Slots<T> {
    /// At least so many, and no more than that rounded up to a multiple of [`AT_ONCE`].
    pub(super) fn of(count: usize) -> Self {
        let parts = (0..count.div_ceil(AT_ONCE)).map(|_| OnceLock::new());
        Self(parts.collect())
    }

    /// How many there are.
    pub(super) const fn len(&self) -> usize {
        self.0.len() * AT_ONCE
    }

    /// One of them, where it was made.
    pub(super) fn get(&self, number: usize) -> Option<&T> {
        let part = self.0[number / AT_ONCE].get()?;
        Some(&part[number % AT_ONCE])
    }

    /// The same; made now where it was not.
    pub(super) fn made(&self, number: usize) -> &T {
        let make = || (0..AT_ONCE).map(|_| T::default()).collect();
        &self.0[number / AT_ONCE].get_or_init(make)[number % AT_ONCE]
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;

    #[test]
    fn a_slot_is_there_once_it_was_made_and_stays_the_same() {
        let slots = Slots::<AtomicU32>::of(100);
        assert_eq!(slots.len(), 128);
        assert!(slots.get(70).is_none());
        slots.made(70).store(7, Ordering::Relaxed);
        let seen = |at| slots.get(at).map(|slot| slot.load(Ordering::Relaxed));
        assert_eq!(
            [seen(70), seen(69), seen(127), seen(0)],
            [Some(7), Some(0), Some(0), None]
        );
        assert_eq!(slots.made(70).load(Ordering::Relaxed), 7);
    }
}
