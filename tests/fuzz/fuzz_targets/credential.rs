//! See `targets::credential`.
#![no_main]

goodstanding_fuzz::target!(json goodstanding_fuzz::targets::credential::run);
