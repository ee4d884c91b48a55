//! What the fuzz targets share. The bodies stand in [`targets`], which the tests of Goodstanding
//! include as well, so that what is fuzzed and what is replayed cannot differ.

pub mod mutate;
pub mod mutate_jwt;
pub mod targets;

/// Makes a fuzz target of a body. With `json`, three of four changes are those of
/// [`mutate::document`]; with `secured`, those of [`mutate_jwt::secured`].
#[macro_export]
macro_rules! target {
    ($body:expr) => {
        libfuzzer_sys::fuzz_target!(|data: &[u8]| {
            let _reached = $body(data);
        });
    };
    (json $body:expr) => {
        $crate::target!($crate::mutate::document, $body);
    };
    (secured $body:expr) => {
        $crate::target!($crate::mutate_jwt::secured, $body);
    };
    ($change:path, $body:expr) => {
        $crate::target!($body);
        libfuzzer_sys::fuzz_mutator!(|data: &mut [u8], size: usize, max_size: usize, seed: u32| {
            let changed = match seed % 4 {
                0 => None,
                _ => $change(data, size, max_size, seed),
            };
            changed.unwrap_or_else(|| libfuzzer_sys::fuzzer_mutate(data, size, max_size))
        });
    };
}
