//! See `targets::status`.
#![no_main]

goodstanding_fuzz::target!(json goodstanding_fuzz::targets::status::run);
