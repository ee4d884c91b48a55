//! See `targets::did_web`.
#![no_main]

goodstanding_fuzz::target!(goodstanding_fuzz::targets::did_web::run);
