//! How RocksDB is to keep a store.

use rocksdb::{
    BlockBasedOptions, Cache, DBCompressionType, DBRecoveryMode, DataBlockIndexType, LogLevel,
    Options,
};

/// As much as there is in the configuration.
pub(super) const WRITE_BUFFER_BYTES: usize = 64 << 20;
const BLOCK_CACHE_BYTES: usize = 128 << 20;
/// Bits a key in the filters: about one look-up of an absent key in a hundred goes to disk.
const FILTER_BITS: f64 = 10.0;
/// Keys between two from which a look-up can start within a block: it goes through half of them.
const RESTART_INTERVAL: i32 = 4;
/// How much of the write buffer the filter of its own keys takes.
const WRITTEN_FILTER_SHARE: f64 = 0.02;
/// Stays below the usual limit of 1,024 open files, which connections need too.
const OPEN_FILES: i32 = 512;

/// How far a log is read that is not whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Logs {
    /// To its end, of which only a record may be missing that the end cuts short.
    Whole,
    /// Up to the first record that is damaged.
    UpToDamage,
}

pub(super) fn options(write_buffer_bytes: usize, logs: Logs) -> Options {
    let mut options = Options::default();
    options.create_if_missing(true);
    options.set_wal_recovery_mode(match logs {
        // Only a record that the end of the log cuts short is dropped: such a write was never
        // acknowledged. The default mode would stop at a damaged record in the middle and silently
        // drop the acknowledged ones behind it; this one refuses to open.
        Logs::Whole => DBRecoveryMode::TolerateCorruptedTailRecords,
        // For whoever knows what has to be there.
        Logs::UpToDamage => DBRecoveryMode::PointInTime,
    });
    // A log file that is missing between others is noticed. The loss of the newest is not.
    options.set_track_and_verify_wals_in_manifest(true);
    // In a recycled log file, old records follow the newest, and its torn tail looks like damage.
    options.set_recycle_log_file_num(0);
    options.set_paranoid_checks(true);

    options.set_compression_type(DBCompressionType::Lz4);
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
    options
}
