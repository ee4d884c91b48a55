//! See `targets::keys`.
#![no_main]

goodstanding_fuzz::target!(goodstanding_fuzz::targets::keys::run);
