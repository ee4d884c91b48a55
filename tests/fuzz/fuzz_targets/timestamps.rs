//! See `targets::timestamps`.
#![no_main]

goodstanding_fuzz::target!(goodstanding_fuzz::targets::timestamps::run);
