//! See `targets::multibase`.
#![no_main]

goodstanding_fuzz::target!(goodstanding_fuzz::targets::multibase::run);
