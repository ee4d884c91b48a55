//! Stories of the fetcher against real listeners on loopback, good ones and hostile ones.

mod caching;
mod crowds;
mod elsewhere;
mod hostile;
mod names;
mod redirects;
mod secure;
mod support;
