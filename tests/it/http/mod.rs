//! The HTTP contract, beside the journeys.

mod access;
mod bad_input;
mod claims;
mod concurrency;
mod conditions;
mod description;
mod development;
mod framing;
mod idempotency;
mod issue;
mod statuses;
