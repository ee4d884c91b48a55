//! How much may be done for one request: every canonical form is counted, good proof or not.

use super::ProofError;

/// Statements that cost one unit of work more.
const QUADS_PER_UNIT: usize = 1_000;
/// Bytes of a canonical form that cost one more.
const BYTES_PER_UNIT: usize = 256 * 1024;
/// Units of work of a canonicalization that takes long to find.
const UNITS_OF_A_LONG_SEARCH: u32 = 50;
/// Units of work of expanding a list, which may have 8 MiB.
const UNITS_OF_AN_EXPANSION: u32 = 8;

/// How much may still be done for one request, in units of one small canonical form, which is
/// that of a document or of the members of a proof. A credential with one proof takes two.
#[derive(Debug, Clone)]
pub struct Work {
    left: u32,
}

impl Work {
    /// So many units.
    pub const fn units(left: u32) -> Self {
        Self { left }
    }

    /// Whether something is left; where nothing is, no key need be looked for.
    ///
    /// # Errors
    /// [`ProofError::Spent`].
    pub const fn check(&self) -> Result<(), ProofError> {
        match self.left {
            0 => Err(ProofError::Spent),
            _ => Ok(()),
        }
    }

    /// One canonical form.
    pub(super) fn spend_one(&mut self) -> Result<(), ProofError> {
        self.spend(1)
    }

    /// One canonical form of so many statements.
    pub(super) fn spend_quads(&mut self, quads: usize) -> Result<(), ProofError> {
        self.spend(units(1 + quads / QUADS_PER_UNIT))
    }

    /// The length of a canonical form that was found.
    pub(super) fn spend_bytes(&mut self, bytes: usize) -> Result<(), ProofError> {
        self.spend(units(bytes / BYTES_PER_UNIT))
    }

    /// A canonical form that takes long to find.
    pub(super) fn spend_search(&mut self) -> Result<(), ProofError> {
        self.spend(UNITS_OF_A_LONG_SEARCH)
    }

    /// The expansion of a list that is looked at for its own sake.
    ///
    /// # Errors
    /// [`ProofError::Spent`].
    pub fn spend_expansion(&mut self) -> Result<(), ProofError> {
        self.spend(UNITS_OF_AN_EXPANSION)
    }

    #[cfg(test)]
    pub(super) const fn left(&self) -> u32 {
        self.left
    }

    fn spend(&mut self, units: u32) -> Result<(), ProofError> {
        match self.left.checked_sub(units) {
            Some(left) => {
                self.left = left;
                Ok(())
            }
            None => {
                self.left = 0;
                Err(ProofError::Spent)
            }
        }
    }
}

impl Default for Work {
    /// Enough for two hundred credentials whose first proof is good, and at most about a second.
    fn default() -> Self {
        Self::units(400)
    }
}

fn units(amount: usize) -> u32 {
    u32::try_from(amount).unwrap_or(u32::MAX)
}
