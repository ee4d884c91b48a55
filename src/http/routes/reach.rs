//! What scopes by path come to, by the table of routes.

use super::{Access, ROUTES};
use crate::access::{Actions, Asked, Scope};

/// What a scope is good for needs, in all: for one by path or of Open Badges, what the routes at and
/// below its path need. Routes for everybody need nothing, but reading there may tell more.
pub(crate) fn reach(scope: &Scope) -> Actions {
    if let Scope::Action(action) = scope {
        return Actions::of(&[*action]);
    }
    let needed = ROUTES.iter().filter_map(|route| {
        let writes = route.method != "GET";
        let counts = route.access.is_private() || (route.access == Access::Public && !writes);
        let path = at_scope(route.path, scope);
        let asked = Asked {
            writes,
            path: &path,
            needs: route.access.action(),
        };
        counts.then(|| scope.allows(asked))
    });
    needed.fold(Actions::NONE, Actions::or)
}

/// The path of a route, where a scope's path stands for the names in it.
fn at_scope(route: &str, scope: &Scope) -> String {
    let Scope::Path { path, .. } = scope else {
        return route.to_owned();
    };
    let mut given = path.split('/');
    let filled = route.split('/').map(|part| match given.next() {
        Some(given) if part.starts_with('{') => given,
        _ => part,
    });
    filled.collect::<Vec<_>>().join("/")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::access::Action::{Read, ReadEvents, WriteLists, WriteStatus};

    #[test]
    fn a_path_needs_what_the_routes_below_it_do() {
        let reaches = |scope: &str| reach(&scope.parse().unwrap());
        for (scope, actions) in [
            ("status:write", &[WriteStatus][..]),
            ("write:/credentials/status", &[WriteStatus]),
            ("write:/status-lists/00000001aaaa/updates", &[WriteStatus]),
            ("read:/events", &[Read, ReadEvents]),
            ("read:/status-lists", &[Read, WriteLists]),
            ("write:/credentials/verify", &[]),
            ("write:/nowhere", &[]),
        ] {
            assert_eq!(reaches(scope), Actions::of(actions), "{scope}");
        }
        let lists = reaches("write:/status-lists");
        assert!(lists.contains(WriteLists) && lists.contains(WriteStatus));
        assert!(!reaches("write:/").contains(ReadEvents));
    }
}
