//! From a path to its routes.

use std::collections::HashMap;
use std::sync::LazyLock;

use super::{CONSOLE_ROUTES, ROUTES, Route};
use crate::http::request::decode_segment;

/// The routes of each shape of path, so that one is not compared with all.
static BY_SHAPE: LazyLock<HashMap<(usize, &str), Vec<&Route>>> = LazyLock::new(|| {
    let mut all: HashMap<_, Vec<_>> = HashMap::new();
    for route in every() {
        all.entry(shape(route.path)).or_default().push(route);
    }
    all
});

/// Every route there is.
pub(in crate::http) fn every() -> impl Iterator<Item = &'static Route> {
    ROUTES.iter().chain(CONSOLE_ROUTES)
}

/// How many segments a path has, and the first of them: that one is spelled out in every route.
fn shape(path: &str) -> (usize, &str) {
    let first = path.strip_prefix('/').unwrap_or(path).split('/').next();
    let segments = path.bytes().filter(|byte| *byte == b'/').count();
    (segments, first.unwrap_or_default())
}

/// The routes at a path: the values of its parameters, and the route for each method. A path that
/// is spelled out in the table is not at the same time a parameter's value.
pub(in crate::http) fn at(path: &str) -> Vec<(&'static Route, Vec<(&'static str, String)>)> {
    let candidates = BY_SHAPE.get(&shape(path)).into_iter().flatten();
    let found = candidates.filter_map(|route| Some((*route, parameters(route.path, path)?)));
    let mut found: Vec<_> = found.collect();
    if found.iter().any(|(_, parameters)| parameters.is_empty()) {
        found.retain(|(_, parameters)| parameters.is_empty());
    }
    found
}

fn parameters(pattern: &'static str, path: &str) -> Option<Vec<(&'static str, String)>> {
    let mut found = Vec::new();
    let mut segments = path.split('/');
    for expected in pattern.split('/') {
        let segment = segments.next()?;
        match expected
            .strip_prefix('{')
            .and_then(|name| name.strip_suffix('}'))
        {
            Some(_) if segment.is_empty() => return None,
            Some(name) => found.push((name, decode_segment(segment)?)),
            None if expected == segment => {}
            None => return None,
        }
    }
    segments.next().is_none().then_some(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_segment_of_a_route_is_spelled_out() {
        for route in every() {
            assert!(!shape(route.path).1.contains('{'), "{}", route.path);
        }
        assert_eq!(shape("//a/b").0, 3, "an empty segment is one");
    }

    #[test]
    fn a_path_has_one_route_a_method() {
        for route in every() {
            let concrete = route.path.replace(['{', '}'], "");
            let same = at(&concrete)
                .iter()
                .filter(|(r, _)| r.method == route.method)
                .count();
            assert_eq!(same, 1, "{} {}", route.method, route.path);
        }
    }

    #[test]
    fn parameters_are_whole_segments() {
        let (route, found) = at("/profiles/a%2Fb").remove(0);
        assert_eq!(
            (route.path, found),
            ("/profiles/{profile}", vec![("profile", "a/b".into())])
        );
        assert!(at("/profiles/").is_empty());
        assert!(at("/profiles/a/b").is_empty());
    }
}
