//! See `targets::past_pages`.
#![no_main]

goodstanding_fuzz::target!(goodstanding_fuzz::targets::past_pages::run);
