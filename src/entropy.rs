//! Randomness as an argument: whoever needs random bytes is handed an [`Entropy`].

use sha2::{Digest, Sha256};
use std::sync::Mutex;

/// A source of random bytes. The service passes the operating system's generator;
/// tests pass [`SeededEntropy`], so that a run can be repeated.
pub trait Entropy: Send + Sync {
    /// Fills `out` with bytes that nobody can predict.
    fn fill(&self, out: &mut [u8]);
}

/// An array of `N` random bytes.
pub fn random<const N: usize>(entropy: &dyn Entropy) -> [u8; N] {
    let mut out = [0; N];
    entropy.fill(&mut out);
    out
}

/// Repeatable bytes for tests: SHA-256 over a seed and a counter. Never used by the service.
#[derive(Debug)]
pub struct SeededEntropy {
    seed: u64,
    counter: Mutex<u64>,
}

impl SeededEntropy {
    /// A stream that is a function of `seed` alone.
    pub const fn new(seed: u64) -> Self {
        Self {
            seed,
            counter: Mutex::new(0),
        }
    }
}

impl Entropy for SeededEntropy {
    fn fill(&self, out: &mut [u8]) {
        let mut counter = self
            .counter
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        for chunk in out.chunks_mut(32) {
            *counter += 1;
            let mut hash = Sha256::new();
            hash.update(self.seed.to_be_bytes());
            hash.update(counter.to_be_bytes());
            chunk.copy_from_slice(&hash.finalize()[..chunk.len()]);
        }
    }
}
