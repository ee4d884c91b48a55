//! How RocksDB is to keep a store.

use std::path::Path;

use rocksdb::{
    BlockBasedOptions, Cache, ColumnFamilyDescriptor, DB, DBCompressionType, DBRecoveryMode,
    DataBlockIndexType, Error, LogLevel, Options,
};

use super::view::{FAMILY, Live};

/// As much as there is in the configuration.
pub(super) const WRITE_BUFFER_BYTES: usize = 64 << 20;
/// Blocks of files that are kept unpacked, indexes and filters with them. What falls out of it is in the page
/// cache of the system still, packed: a look-up that misses copies and unpacks one block of 4 KiB.
const BLOCK_CACHE_BYTES: usize = 40 << 20;
/// Bits a key in the filters: about one look-up of an absent key in a hundred goes to disk.
const FILTER_BITS: f64 = 10.0;
/// Keys between two from which a look-up can start within a block: it goes through half of them.
const RESTART_INTERVAL: i32 = 4;
/// How much of the write buffer the filter of its own keys takes.
const WRITTEN_FILTER_SHARE: f64 = 0.02;
/// What the files that have come to rest say once for all their blocks.
const DICTIONARY_BYTES: i32 = 16 << 10;
/// Settings of other compressors, as RocksDB has them by default.
const WINDOW_BITS: i32 = -14;
const USUAL_LEVEL: i32 = 32_767;
/// Stays below the usual limit of 1,024 open files, which connections need too.
const OPEN_FILES: i32 = 512;

/// How much of the log files has to be whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wals {
    /// All of them: only a record that the end of the newest cuts short is dropped, since such a write
    /// was never acknowledged.
    Whole,
    /// What stands before the first damaged record, or before the first file that is missing.
    UpToDamage,
}

/// Opens the store in `path`, and makes it where there is none.
pub(super) fn open(path: &Path, write_buffer_bytes: usize, wals: Wals) -> Result<Live, Error> {
    let options = options(write_buffer_bytes, wals, has_wals(path))?;
    // Opened by its name, the one family of columns that there is can be named when reading.
    let family = ColumnFamilyDescriptor::new(FAMILY, options.clone());
    DB::open_cf_descriptors(&options, path, [family]).map(Live)
}

/// Opens the store in `path` without changing a row or a file of rows.
pub(super) fn open_to_read(path: &Path, wals: Wals) -> Result<Live, Error> {
    let known = wals == Wals::Whole && has_wals(path);
    let mut options = options(WRITE_BUFFER_BYTES, wals, known)?;
    options.create_if_missing(false);
    let family = ColumnFamilyDescriptor::new(FAMILY, options.clone());
    DB::open_cf_descriptors_read_only(&options, path, [family], false).map(Live)
}

/// Whether there is a log file at all. Where there is none RocksDB would refuse if log files were to
/// know the one before them; a store that lost its only one is noticed by its anchor, and read.
fn has_wals(path: &Path) -> bool {
    has_files(path, "log")
}

/// Whether files of a store are there, and not the one that leads to them. RocksDB would make a new store
/// over them, and take them for remains. A first start that was cut off leaves none of them.
pub(super) fn has_lost_its_way(path: &Path) -> bool {
    (has_files(path, "sst") || has_wals(path)) && !path.join("CURRENT").is_file()
}

/// Whether there is nothing of a store.
pub(super) fn is_empty(path: &Path) -> bool {
    !has_files(path, "sst") && !has_wals(path) && !path.join("CURRENT").exists()
}

fn has_files(path: &Path, kind: &str) -> bool {
    let files = std::fs::read_dir(path).into_iter().flatten().flatten();
    let mut names = files.map(|file| file.path());
    names.any(|name| name.extension().is_some_and(|found| found == kind))
}

fn options(write_buffer_bytes: usize, wals: Wals, known: bool) -> Result<Options, Error> {
    let mut options = Options::default();
    if known {
        // Each log file says which one came before it, so that one that is missing is noticed also where the
        // manifest does not know of it. There is no other way to ask for it from here.
        options = options.get_options_from_string("track_and_verify_wals=true")?;
    }
    options.create_if_missing(true);
    match wals {
        // The default mode would stop at a damaged record in the middle and silently drop the
        // acknowledged ones behind it; this one refuses to open.
        Wals::Whole => {
            options.set_wal_recovery_mode(DBRecoveryMode::TolerateCorruptedTailRecords);
        }
        Wals::UpToDamage => options.set_wal_recovery_mode(DBRecoveryMode::PointInTime),
    }
    // A log file that is missing between others is noticed. The loss of the newest is not.
    options.set_track_and_verify_wals_in_manifest(wals == Wals::Whole);
    // In a recycled log file, old records follow the newest, and its torn tail looks like damage.
    options.set_recycle_log_file_num(0);
    options.set_paranoid_checks(true);

    options.set_compression_type(DBCompressionType::Lz4);
    // What has come to rest is packed more closely, with what documents of a file have in common told
    // once for all of them; it is read as fast.
    options.set_bottommost_compression_type(DBCompressionType::Lz4hc);
    options.set_bottommost_compression_options(WINDOW_BITS, USUAL_LEVEL, 0, DICTIONARY_BYTES, true);
    options.set_write_buffer_size(write_buffer_bytes);
    // Most keys are not among the rows that were written last.
    options.set_memtable_prefix_bloom_ratio(WRITTEN_FILTER_SHARE);
    options.set_memtable_whole_key_filtering(true);
    options.set_max_background_jobs(2);
    options.set_max_open_files(OPEN_FILES);
    let mut blocks = BlockBasedOptions::default();
    // Without one lock for all who read; the size of an entry is left to it.
    blocks.set_block_cache(&Cache::new_hyper_clock_cache(BLOCK_CACHE_BYTES, 0));
    blocks.set_bloom_filter(FILTER_BITS, false);
    // Most look-ups are of one whole key.
    blocks.set_data_block_index_type(DataBlockIndexType::BinaryAndHash);
    blocks.set_block_restart_interval(RESTART_INTERVAL);
    blocks.set_cache_index_and_filter_blocks(true);
    blocks.set_pin_l0_filter_and_index_blocks_in_cache(true);
    options.set_block_based_table_factory(&blocks);

    // RocksDB's own log of what it does, not the store's.
    options.set_log_level(LogLevel::Warn);
    options.set_max_log_file_size(8 << 20);
    options.set_keep_log_file_num(4);
    Ok(options)
}
