//! What is stored is read through while the service runs, so that damage in what nobody asks for is
//! noticed while there are still copies of it: first the whole log's [chain], then all
//! rows, whose blocks carry checksums. A store in which something is found takes no more writes; what can
//! be read of it is answered as before.

use std::sync::Arc;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use crate::ids::Seq;
use crate::store::chain::{Chain, Links};
use crate::store::engine::{Read, Stopped, StoreError};
use crate::store::view::View;

/// Rows that are read in one go.
const ROWS_AT_ONCE: usize = 1_024;
/// Bytes a second: a store of 10 GB takes ten minutes.
const BYTES_A_SECOND: u64 = 16 << 20;
/// About what an event takes.
const EVENT_BYTES: u64 = 512;
/// Between the end of one reading and the beginning of the next.
const BETWEEN: Duration = Duration::from_secs(24 * 3_600);

/// A thread that reads through an open store. Dropping this ends it.
pub(in crate::store) struct Scrub {
    ended: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Scrub {
    /// Reads what is `shown`, and tells `found` why it is not to be written any more.
    pub(in crate::store) fn start<R: Read + 'static>(
        shown: impl Fn() -> Arc<View<R>> + Send + 'static,
        found: impl Fn(Stopped) + Send + 'static,
    ) -> std::io::Result<Self> {
        let (ended, end) = mpsc::channel();
        let reading = Reading { shown, found, end };
        let named = thread::Builder::new().name("store-scrub".to_owned());
        let thread = named.spawn(move || while reading.through() == Goes::On {})?;
        Ok(Self {
            ended: Some(ended),
            thread: Some(thread),
        })
    }
}

impl Drop for Scrub {
    fn drop(&mut self) {
        drop(self.ended.take());
        if self
            .thread
            .take()
            .is_some_and(|thread| thread.join().is_err())
        {
            tracing::error!("the thread that reads through the store had panicked");
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
enum Goes {
    On,
    NoFurther,
}

struct Reading<S, F> {
    shown: S,
    found: F,
    end: Receiver<()>,
}

impl<R: Read, S: Fn() -> Arc<View<R>>, F: Fn(Stopped)> Reading<S, F> {
    /// Everything once, and the pause after it.
    fn through(&self) -> Goes {
        let found = self.log().and_then(|goes| match goes {
            Goes::On => self.rows(),
            Goes::NoFurther => Ok(goes),
        });
        match found {
            Ok(Goes::On) => self.pause(BETWEEN),
            Ok(Goes::NoFurther) => Goes::NoFurther,
            Err(error) => {
                let unreadable = Stopped::RowsUnreadable(error.to_string());
                (self.found)(unreadable);
                Goes::NoFurther
            }
        }
    }

    fn log(&self) -> Result<Goes, StoreError> {
        let last = (self.shown)().tip().head.seq;
        let mut chain = Chain::behind(&*(self.shown)(), Seq(0))?;
        loop {
            let before = chain.seq();
            let links = chain.go_on(&*(self.shown)(), last)?;
            if let Some(stopped) = links.stopped() {
                (self.found)(stopped);
                return Ok(Goes::NoFurther);
            }
            if links == Links::Whole {
                return Ok(Goes::On);
            }
            if self.rest((chain.seq().0 - before.0) * EVENT_BYTES) == Goes::NoFurther {
                return Ok(Goes::NoFurther);
            }
        }
    }

    /// Each step looks at the newest state, so that none is kept from being cleared away for long.
    fn rows(&self) -> Result<Goes, StoreError> {
        let mut from = Vec::new();
        loop {
            let rows = (self.shown)().scan_apart(&from, &[0xff], ROWS_AT_ONCE)?;
            let Some((last, _)) = rows.last() else {
                return Ok(Goes::On);
            };
            from = [last.as_slice(), &[0]].concat();
            let bytes: usize = rows
                .iter()
                .map(|(key, value)| key.len() + value.len())
                .sum();
            if self.rest(bytes as u64) == Goes::NoFurther {
                return Ok(Goes::NoFurther);
            }
        }
    }

    /// As long as so many bytes may take.
    fn rest(&self, bytes: u64) -> Goes {
        self.pause(Duration::from_micros(bytes * 1_000_000 / BYTES_A_SECOND))
    }

    fn pause(&self, pause: Duration) -> Goes {
        match self.end.recv_timeout(pause) {
            Err(RecvTimeoutError::Timeout) => Goes::On,
            Ok(()) | Err(RecvTimeoutError::Disconnected) => Goes::NoFurther,
        }
    }
}
