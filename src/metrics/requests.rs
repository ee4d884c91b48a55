//! Requests by route: how many, how they ended, how long they took, and how many are under way.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use super::instruments::{Counter, Gauge, Histogram, Scale, Spread};

/// A route as the labels say it: its method, which answers HEAD too where it is GET, and its pattern.
pub type Named = (&'static str, &'static str);

/// Whatever had no route: an address at which there is nothing, another method, a preflight.
const NOWHERE: Named = ("any", "none");

/// The requests of a process, by route. All routes are known from the beginning.
#[derive(Debug)]
pub struct Requests {
    routes: Vec<(Named, Answers)>,
    places: HashMap<Named, usize>,
    under_way: Gauge,
    abandoned: Counter,
}

impl Requests {
    /// Of these routes, none answered so far.
    pub fn of(routes: impl Iterator<Item = Named>) -> Self {
        let routes: Vec<_> = std::iter::once(NOWHERE)
            .chain(routes)
            .map(|named| (named, Answers::default()))
            .collect();
        let places = routes.iter().enumerate();
        let places = places.map(|(place, (named, _))| (*named, place)).collect();
        Self {
            routes,
            places,
            under_way: Gauge::default(),
            abandoned: Counter::default(),
        }
    }

    /// A request was answered with this status; of no route where there is none.
    pub fn ended(&self, route: Option<Named>, status: u16, took: Duration) {
        let place = route.and_then(|named| self.places.get(&named));
        let (_, answers) = &self.routes[place.copied().unwrap_or_default()];
        answers.note(status, took);
    }

    /// A request has begun.
    pub fn begin(self: &Arc<Self>) -> UnderWay {
        self.under_way.up();
        UnderWay {
            requests: self.clone(),
            answered: false,
        }
    }

    /// How many are being answered.
    pub fn under_way(&self) -> i64 {
        self.under_way.present()
    }

    /// How many ended without an answer, since whoever asked had gone.
    pub fn abandoned(&self) -> u64 {
        self.abandoned.count()
    }

    /// Each route with its answers.
    pub fn routes(&self) -> impl Iterator<Item = (Named, &Answers)> {
        self.routes.iter().map(|(named, answers)| (*named, answers))
    }
}

/// A request that is being answered, until it is dropped.
#[derive(Debug)]
pub struct UnderWay {
    requests: Arc<Requests>,
    answered: bool,
}

impl UnderWay {
    /// It was answered with this status.
    pub fn ended(&mut self, route: Option<Named>, status: u16, took: Duration) {
        self.answered = true;
        self.requests.ended(route, status, took);
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        self.requests.under_way.down();
        if !self.answered {
            self.requests.abandoned.note();
        }
    }
}

/// How the requests of one route ended.
#[derive(Debug, Default)]
pub struct Answers {
    /// 1xx to 5xx.
    classes: [Counter; CLASSES.len()],
    durations: Histogram,
}

/// Classes of status codes (RFC 9110 section 15).
const CLASSES: [&str; 5] = ["1xx", "2xx", "3xx", "4xx", "5xx"];

impl Answers {
    /// One more with this status.
    pub fn note(&self, status: u16, took: Duration) {
        let class = usize::from(status / 100).clamp(1, CLASSES.len());
        self.classes[class - 1].note();
        self.durations.took(took);
    }
}

/// Answers of one route, added up.
#[derive(Debug, Clone)]
pub struct Total {
    classes: [u64; CLASSES.len()],
    durations: Spread,
}

impl Default for Total {
    fn default() -> Self {
        Self {
            classes: [0; CLASSES.len()],
            durations: Spread::empty(Scale::Time),
        }
    }
}

impl Total {
    /// Adds more of them.
    pub fn take_in(&mut self, answers: &Answers) {
        for (total, class) in self.classes.iter_mut().zip(&answers.classes) {
            *total += class.count();
        }
        self.durations.take_in(&answers.durations);
    }

    /// How many ended in each class of status codes; 1xx is never an end here.
    pub fn classes(&self) -> impl Iterator<Item = (&'static str, u64)> {
        CLASSES.into_iter().zip(self.classes).skip(1)
    }

    /// How long they took.
    pub const fn durations(&self) -> &Spread {
        &self.durations
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LISTS: Named = ("GET", "/lists");

    #[test]
    fn a_request_is_counted_where_it_ended() {
        let requests = Arc::new(Requests::of([LISTS].into_iter()));
        let mut one = requests.begin();
        let other = requests.begin();
        assert_eq!(requests.under_way(), 2);
        one.ended(Some(LISTS), 404, Duration::from_millis(3));
        drop((one, other));
        assert_eq!((requests.under_way(), requests.abandoned()), (0, 1));
        // A route that nobody told of beforehand makes no label of its own.
        requests.ended(Some(("GET", "/secret")), 200, Duration::ZERO);
        let totals: Vec<_> = requests
            .routes()
            .map(|(named, answers)| {
                let mut total = Total::default();
                total.take_in(answers);
                let ended: Vec<_> = total.classes().filter(|(_, count)| *count > 0).collect();
                (named, ended, total.durations().count())
            })
            .collect();
        let expected = [(NOWHERE, vec![("2xx", 1)], 1), (LISTS, vec![("4xx", 1)], 1)];
        assert_eq!(totals, expected);
    }
}
