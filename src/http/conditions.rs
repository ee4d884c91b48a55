//! Conditional requests (RFC 9110 section 13).

/// Whether an `If-None-Match` header names this entity tag, by the weak comparison (section 13.1.2).
pub(super) fn names(known: &str, etag: &str) -> bool {
    known == "*" || known.split(',').any(|tag| opaque(tag) == opaque(etag))
}

fn opaque(tag: &str) -> &str {
    tag.trim().trim_start_matches("W/")
}
