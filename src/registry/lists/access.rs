//! Who may see lists as they were.
//!
//! The present of a list is for everybody. Its past shows when each entry changed, so each issuer
//! decides about that: everybody, itself and the operator, or nobody. What is decided holds for
//! lists of the past and for entries that are asked for by list and index at a moment. It does not
//! hold where a credential is shown, or named by who may ask by its id (`MaySee`): whoever has the
//! credential asks about that one alone, and learns of no other entry. That a list had not been
//! opened at a moment is told to everybody.

use crate::access::Action;
use crate::ids::ProfileId;
use crate::registry::{Actor, HistoryAccess, Registry, RegistryError};
use crate::store::engine::Read;
use crate::store::tables::ProfileRecord;

/// From whom an issuer withholds how its lists were.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WithheldFrom {
    /// From those who did not say who they are; one who does may be told.
    Strangers,
    /// From everybody but the issuer and the operator.
    Others,
    /// From everybody.
    Everybody,
}

/// Who may see how a list was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ToldTo {
    /// Everybody.
    Everybody,
    /// Who asks, and others not.
    TheAsker,
}

/// Whether somebody may see how a list was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub(in crate::registry) enum HistoryTold {
    /// Yes, and who else.
    To(ToldTo),
    /// Not to who asks.
    Withheld(WithheldFrom),
}

impl Registry {
    /// Who may see the lists of a profile as they were: what it chose, or the registry's rule.
    pub(in crate::registry) fn history_of(&self, record: &ProfileRecord) -> HistoryAccess {
        record.history.unwrap_or(self.settings.history)
    }

    /// Whether `asker` may see how the lists of `owner` were.
    pub(in crate::registry) fn history_told(
        &self,
        read: &dyn Read,
        owner: ProfileId,
        asker: Option<Actor>,
    ) -> Result<HistoryTold, RegistryError> {
        let access = self.history_of(&self.profile_record(read, owner)?);
        Ok(match (access, asker) {
            (HistoryAccess::Public, _) => HistoryTold::To(ToldTo::Everybody),
            (HistoryAccess::None, _) => HistoryTold::Withheld(WithheldFrom::Everybody),
            (HistoryAccess::Authorised, None) => HistoryTold::Withheld(WithheldFrom::Strangers),
            (HistoryAccess::Authorised, Some(asker)) => match asker.may(Action::Read, owner) {
                true => HistoryTold::To(ToldTo::TheAsker),
                false => HistoryTold::Withheld(WithheldFrom::Others),
            },
        })
    }
}
