//! How those who wait for something hear of it, whatever they wait on: the registry rings, and
//! knows neither threads nor runtimes of theirs.

use std::sync::{Arc, Mutex, PoisonError, Weak};

/// Is called at each ring, on the thread that rings: it wakes somebody else and returns at once.
pub type Listener = dyn Fn() + Send + Sync;

/// Rings for whoever listens.
#[derive(Default)]
pub(super) struct Bell(Mutex<Vec<Weak<Listener>>>);

impl Bell {
    /// Calls `listener` at each ring from now on, until its owner drops it.
    pub(super) fn heard_by(&self, listener: &Arc<Listener>) {
        let mut listeners = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        listeners.retain(|known| known.strong_count() > 0);
        listeners.push(Arc::downgrade(listener));
    }

    pub(super) fn ring(&self) {
        let listeners = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let listening: Vec<_> = listeners.iter().filter_map(Weak::upgrade).collect();
        drop(listeners);
        for listener in listening {
            listener();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    #[test]
    fn it_is_heard_by_those_who_still_listen() {
        let bell = Bell::default();
        let rings = [const { AtomicUsize::new(0) }; 2].map(Arc::new);
        let listen = |rings: &Arc<AtomicUsize>| -> Arc<Listener> {
            let rings = rings.clone();
            Arc::new(move || {
                rings.fetch_add(1, Ordering::Relaxed);
            })
        };
        let (stays, leaves) = (listen(&rings[0]), listen(&rings[1]));
        bell.heard_by(&stays);
        bell.heard_by(&leaves);
        bell.ring();
        drop(leaves);
        bell.ring();
        bell.heard_by(&stays);
        assert_eq!(rings.map(|rings| rings.load(Ordering::Relaxed)), [2, 1]);
        assert_eq!(bell.0.into_inner().unwrap().len(), 2);
    }
}
