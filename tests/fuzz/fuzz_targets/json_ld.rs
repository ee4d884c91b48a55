//! See `targets::json_ld`.
#![no_main]

goodstanding_fuzz::target!(json goodstanding_fuzz::targets::json_ld::run);
