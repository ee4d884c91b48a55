//! Data keys that another process made: they are taken over before the next secret is opened or sealed.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tracing::info;

use super::{Adopted, Held, MasterKey, Vault};
use crate::oauth::form_token::FormKey;
use crate::registry::Registry;
use crate::store::engine::Read;
use crate::store::following::{Follower, Written};
use crate::store::tables::DATA_KEYS;

/// Whether data keys were changed by another process, since those that are held were read.
#[derive(Default)]
pub(super) struct News {
    changed: AtomicBool,
    begun: AtomicBool,
}

impl Follower for News {
    fn follow(&self, written: &Written<'_>) {
        if written.is_from_elsewhere() && written.rows(&DATA_KEYS).next().is_some() {
            self.changed.store(true, Ordering::Release);
        }
    }

    fn begin_anew(&self, _: u64) {
        // What is held was read before it was followed.
        if self.begun.swap(true, Ordering::AcqRel) {
            self.changed.store(true, Ordering::Release);
        }
    }
}

impl Vault {
    /// Who is to be told what is committed.
    pub(in crate::registry) fn follower(&self) -> Arc<dyn Follower> {
        self.news.clone()
    }

    /// Takes over the data keys that another process made, with the master key that is here or the one that
    /// is to follow it, which then takes its place. Where neither opens them, what is held serves for what
    /// was sealed before, and whoever needs a key next tries again.
    fn keep_up(&self, read: &dyn Read) {
        if self.locked.is_some() || !self.news.changed.load(Ordering::Acquire) {
            return;
        }
        // Whoever puts another master key in place knows what it does.
        let Ok(_turn) = self.turn.try_lock() else {
            return;
        };
        self.news.changed.store(false, Ordering::Release);
        let unlocked = |master: MasterKey| Held::unlock(read, &master).ok();
        let by_present = self.place.present().ok().and_then(unlocked);
        let by_next = || {
            let held = unlocked(self.place.next().ok()??)?;
            match self.place.adopt(held.master) {
                Ok(Adopted::Now) => {
                    info!("another process changed the master key, and so it is here")
                }
                // The state that this is has a name of its own.
                Ok(Adopted::AtNextStart) | Err(_) => {}
            }
            Some(held)
        };
        match by_present.or_else(by_next) {
            // None that is held is ever given up.
            Some(held) if held.keys.len() >= self.held.load().keys.len() => {
                self.held.store(Arc::new(held));
            }
            Some(_) => {}
            None => self.news.changed.store(true, Ordering::Release),
        }
    }

    /// The key of forms: the same in every process that shares the store, as long as the newest data key is.
    /// `None` where there is no data key.
    fn form_key(&self) -> Option<FormKey> {
        let held = self.held.load();
        let (_, newest) = held.keys.last_key_value()?;
        Some(FormKey::new(&newest.secret_for("forms of pages")))
    }
}

impl Registry {
    /// The vault, with the data keys that are in use.
    pub(in crate::registry) fn vault(&self) -> &Vault {
        self.vault.keep_up(&*self.engine);
        &self.vault
    }

    /// The key of the forms on pages. A form that one process shows can be sent to another one that shares
    /// the store; where no data key is open, forms are for this process alone.
    pub fn forms(&self) -> FormKey {
        let apart = || FormKey::new(self.forms.get_or_init(|| self.random()));
        self.vault().form_key().unwrap_or_else(apart)
    }
}
