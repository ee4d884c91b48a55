//! See `targets::controller`.
#![no_main]

goodstanding_fuzz::target!(json goodstanding_fuzz::targets::controller::run);
