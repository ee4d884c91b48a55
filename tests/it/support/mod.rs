//! What tests share.

pub(crate) mod actors;
pub(crate) mod browser;
pub(crate) mod client;
pub(crate) mod described;
pub(crate) mod dice;
pub(crate) mod feed;
#[cfg(feature = "rocksdb")]
pub(crate) mod files;
pub(crate) mod home;
pub(crate) mod house;
pub(crate) mod jwt;
pub(crate) mod oauth;
pub(crate) mod peers;
#[cfg(feature = "postgres")]
pub(crate) mod postgres;
pub(crate) mod reader;
#[cfg(all(feature = "rocksdb", feature = "s3"))]
pub(crate) mod s3;
pub(crate) mod signed;
pub(crate) mod site;
pub(crate) mod vectors;
