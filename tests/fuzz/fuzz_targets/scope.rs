//! See `targets::scope`.
#![no_main]

goodstanding_fuzz::target!(json goodstanding_fuzz::targets::scope::run);
