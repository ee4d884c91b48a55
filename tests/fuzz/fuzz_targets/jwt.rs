//! See `targets::jwt`.
#![no_main]

goodstanding_fuzz::target!(json goodstanding_fuzz::targets::jwt::run);
