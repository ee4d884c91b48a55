//! How many connections the process has file handles for.

use tracing::warn;

/// Handles that are left to the store, the log and what else is open.
const KEPT_FREE: usize = 640;
/// So many connections are served however few handles there are.
const FEWEST: usize = 16;

/// How many connections can be served where `configured` are wanted; says so where they are fewer.
pub(super) fn connections(configured: usize) -> usize {
    let served = within_limit(configured);
    if served < configured {
        let handles = allowed().unwrap_or_default();
        warn!(
            configured,
            served,
            handles,
            "fewer connections are served than are configured, since the process may open too few \
             files; raise the limit (ulimit -n), or lower limits.connections"
        );
    }
    served
}

/// The same, said to nobody.
pub(super) fn within_limit(configured: usize) -> usize {
    allowed().map_or(configured, |handles| within(handles, configured))
}

/// So many files this process may open; `None` where there is no limit or it cannot be told.
fn allowed() -> Option<usize> {
    let limits = std::fs::read_to_string("/proc/self/limits").unwrap_or_default();
    soft_limit(&limits)
}

fn within(handles: usize, configured: usize) -> usize {
    configured.min(handles.saturating_sub(KEPT_FREE).max(FEWEST))
}

/// The soft limit of open files; `None` where there is none or it cannot be told.
fn soft_limit(limits: &str) -> Option<usize> {
    let mut lines = limits.lines();
    let values = lines.find_map(|line| line.strip_prefix("Max open files"))?;
    values.split_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_soft_limit_is_read() {
        let limits = "Limit                     Soft Limit           Hard Limit           Units     \n\
                      Max processes             62911                62911                processes \n\
                      Max open files            1024                 524288               files     \n";
        assert_eq!(soft_limit(limits), Some(1_024));
        assert_eq!(soft_limit(&limits.replace("1024  ", "unlimited")), None);
        assert_eq!(soft_limit(""), None);
    }

    #[test]
    fn the_store_keeps_its_handles() {
        assert_eq!(within(1_024, 10_000), 384);
        assert_eq!(within(20_000, 10_000), 10_000);
        assert_eq!(within(256, 10_000), 16);
        assert_eq!(within(256, 8), 8);
    }
}
