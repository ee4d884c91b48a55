//! Work on long bodies, apart from all other work.

use std::num::NonZero;
use std::sync::LazyLock;
use std::thread;

use tokio::sync::{Semaphore, oneshot};

use crate::registry::stand_back;

/// Bytes from which a body takes a processor for long.
pub(in crate::http) const LONG: usize = 1 << 20;

/// So many of them are worked on at a time: as many as there are processors.
static PLACES: LazyLock<Semaphore> =
    LazyLock::new(|| Semaphore::new(thread::available_parallelism().map_or(1, NonZero::get)));

/// Does something on a thread that may block, that stands back for all others, and that ends with it.
/// `None` where it ended in a panic, or no thread can be had.
pub(in crate::http) async fn apart<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Option<T> {
    let place = PLACES.acquire().await.ok()?;
    let (tell, told) = oneshot::channel();
    let begun = thread::Builder::new()
        .name("bulk".to_owned())
        .spawn(move || {
            // Held by the work, which runs to its end even where the caller has gone.
            let _place = place;
            stand_back();
            // Nobody hears it whose caller has gone.
            let _ = tell.send(work());
        });
    begun.ok()?;
    told.await.ok()
}
