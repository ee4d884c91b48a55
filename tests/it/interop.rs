//! The registry against software that shares no code with it.

mod agreement;
mod contract;
mod dcc;
mod feed;
mod in_browser;
mod lists;
mod our_lists;
mod proofs;
mod provider;
mod records;
mod samples;
mod scopes;
mod served;
mod served_lists;
mod tokens;
