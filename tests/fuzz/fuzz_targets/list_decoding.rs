//! See `targets::list_decoding`.
#![no_main]

goodstanding_fuzz::target!(goodstanding_fuzz::targets::list_decoding::run);
