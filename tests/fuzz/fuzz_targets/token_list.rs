//! See `targets::token_list`.
#![no_main]

goodstanding_fuzz::target!(goodstanding_fuzz::targets::token_list::run);
