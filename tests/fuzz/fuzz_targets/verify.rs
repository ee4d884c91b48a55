//! See `targets::verify`.
#![no_main]

goodstanding_fuzz::target!(secured goodstanding_fuzz::targets::verify::run);
