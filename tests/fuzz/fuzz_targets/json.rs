//! See `targets::json`.
#![no_main]

goodstanding_fuzz::target!(goodstanding_fuzz::targets::json::run);
