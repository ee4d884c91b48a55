//! See `targets::baked`.
#![no_main]

goodstanding_fuzz::target!(goodstanding_fuzz::targets::baked::run);
