//! `Goodstanding-Revision`: answers to changes name a place in the log that shows them, and a request that
//! carries one is answered from a state that is no older. Where several processes share a store, a client
//! so reads what it wrote, whichever of them it asks.

use std::sync::Arc;
use std::time::{Duration, Instant};

use http::header::HeaderName;
use http::{HeaderMap, Method};
use tokio::runtime::Handle;
use tokio::sync::Semaphore;

use super::problem::Problem;
use super::reply::Reply;
use super::routes::{FEED, Route, TRAIL};
use crate::ids::Seq;
use crate::registry::{Place, Registry};
use crate::time::Ttl;

/// The header as answers write it.
pub(super) const HEADER: &str = "Goodstanding-Revision";

/// The same as requests carry it.
pub(super) static NAME: HeaderName = HeaderName::from_static("goodstanding-revision");

/// So many requests wait at a time; more are asked to come back.
const MOST_WAITING: usize = 64;

/// Those who wait for what they have seen elsewhere.
pub(super) struct Waits {
    places: Arc<Semaphore>,
    patience: Duration,
}

impl Waits {
    pub(super) fn new(patience: Ttl) -> Self {
        Self {
            places: Arc::new(Semaphore::new(MOST_WAITING)),
            patience: Duration::from_millis(patience.millis()),
        }
    }

    /// Waits until what the caller has seen is shown here. A reader of a feed that comes back may have read
    /// events elsewhere; whether there ever were any is for the feed to say.
    ///
    /// # Errors
    /// The header names no place; or that is not here in time, or too many wait.
    pub(super) async fn until_shown(
        &self,
        registry: &Arc<Registry>,
        blocking: &Handle,
        (route, headers): (&Route, &HeaderMap),
    ) -> Result<(), Problem> {
        if let Some(place) = wanted(headers)?
            && !self.wait_for(registry, blocking, place).await
        {
            return Err(behind());
        }
        if route.media == FEED || route.media == TRAIL {
            let last = headers.get("last-event-id");
            let last = last.and_then(|last| last.to_str().ok()?.parse().ok());
            if let Some(seq) = last {
                let place = registry.place_at(Seq(seq));
                self.wait_for(registry, blocking, place).await;
            }
        }
        Ok(())
    }

    async fn wait_for(&self, registry: &Arc<Registry>, blocking: &Handle, place: Place) -> bool {
        if registry.shows(place) {
            return true;
        }
        let Ok(waits) = self.places.clone().try_acquire_owned() else {
            return false;
        };
        let (registry, until) = (registry.clone(), Instant::now() + self.patience);
        let waited = blocking.spawn_blocking(move || {
            let _waits = waits;
            registry.comes_to_show(place, until)
        });
        waited.await.unwrap_or(false)
    }
}

/// What the caller has seen; `None` where it does not say.
fn wanted(headers: &HeaderMap) -> Result<Option<Place>, Problem> {
    let mut given = headers.get_all(&NAME).iter();
    let Some(first) = given.next() else {
        return Ok(None);
    };
    let place = first.to_str().ok().and_then(|text| text.parse().ok());
    match place.filter(|_| given.next().is_none()) {
        Some(place) => Ok(Some(place)),
        None => Err(Problem::invalid(
            HEADER,
            format!("the header {HEADER} takes one value, as an answer of this registry gave it"),
        )),
    }
}

fn behind() -> Problem {
    let detail = "what Goodstanding-Revision names is not here yet; come back in a moment, or leave the \
                  header out for what is here";
    Problem::new(503, "behind", "Not up to date", detail).header("Retry-After", "1")
}

/// Whether the answers to requests with this method name a place.
pub(super) fn is_told_to(method: &Method) -> bool {
    !matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS)
}

/// Names the newest place in the answer to a change, which shows it, also where it says that the change was
/// made before (409). Of what is refused there is nothing to be seen.
pub(super) fn tell(reply: Reply, registry: &Registry) -> Reply {
    match reply.status < 400 || reply.status == 409 {
        true => reply.header(HEADER, registry.newest_place().to_string()),
        false => reply,
    }
}
