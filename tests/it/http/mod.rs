//! The HTTP contract, beside the journeys.

mod access;
mod bad_input;
mod carried;
mod claims;
mod concurrency;
mod conditions;
mod description;
mod development;
mod elsewhere;
mod federation;
mod framing;
mod health;
mod idempotency;
mod imports;
mod imports_hostile;
mod issue;
mod issued_forms;
mod pages;
mod past_lists;
mod past_statuses;
mod records;
mod requests;
mod statuses;
mod trqp;
mod verify;
mod verify_endorsed;
