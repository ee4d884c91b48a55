//! The copy of all rows that a replica keeps beside it: what it reads from, and what it decides commits on. It
//! may be thrown away at any moment, and is read anew from the shared place then.

use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::store::engine::{Read, Row, Stopped, StoreError};
use crate::store::following::Tables;
use crate::store::memory::Rows;
use crate::store::staging::Writes;
use crate::store::view::reads_through;

/// The copy, of which only one thread writes. What is read is what was written last.
pub(in crate::store) trait LocalCopy: Read {
    /// Writes all of it or nothing. It need not survive a power cut: the shared place has it.
    fn write(&self, writes: &Writes) -> Result<(), String>;

    /// The state that it has now.
    fn freeze(&self) -> Still;

    /// Whether there is room for more.
    fn has_room(&self) -> Result<(), Stopped>;

    /// Says whether it is a whole store: while it is read anew it is none.
    fn set_whole(&self, whole: bool);

    /// It cannot be used any more: the next start reads it anew.
    fn give_up(&self);

    /// As [`Engine::purge`](crate::store::Engine::purge).
    fn purge(&self, ranges: &[(Vec<u8>, Vec<u8>)]) -> Result<(), StoreError>;

    /// As [`Engine::copy_to`](crate::store::Engine::copy_to).
    fn copy_to(&self, folder: &Path) -> Result<(), StoreError>;
}

/// One state of a copy, whatever kind of copy that is.
pub(in crate::store) struct Still(pub(in crate::store) Box<dyn Read>);

reads_through!(<> Still, |this| this.0);

/// A copy that lives as long as the value.
#[derive(Default)]
pub(super) struct InMemory(Mutex<Rows>);

impl InMemory {
    pub(super) fn holding(rows: Rows) -> Self {
        Self(Mutex::new(rows))
    }

    /// All rows, as they are now.
    pub(super) fn rows(&self) -> Rows {
        self.locked().clone()
    }

    fn locked(&self) -> MutexGuard<'_, Rows> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

reads_through!(<> InMemory, |this| this.rows());

impl LocalCopy for InMemory {
    fn write(&self, writes: &Writes) -> Result<(), String> {
        self.locked().apply(writes.clone());
        Ok(())
    }

    fn freeze(&self) -> Still {
        Still(Box::new(self.rows()))
    }

    fn has_room(&self) -> Result<(), Stopped> {
        Ok(())
    }

    fn set_whole(&self, _: bool) {}

    fn give_up(&self) {
        *self.locked() = Rows::default();
    }

    /// There are no files.
    fn purge(&self, _: &[(Vec<u8>, Vec<u8>)]) -> Result<(), StoreError> {
        Ok(())
    }

    fn copy_to(&self, folder: &Path) -> Result<(), StoreError> {
        let folder = folder.display();
        Err(StoreError::Unavailable(format!(
            "it cannot be copied to {folder}: this copy is kept in memory"
        )))
    }
}
