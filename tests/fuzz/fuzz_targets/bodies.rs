//! See `targets::bodies`.
#![no_main]

goodstanding_fuzz::target!(json goodstanding_fuzz::targets::bodies::run);
