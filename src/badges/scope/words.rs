//! What a scope covers, in words for people.

use super::{Role, Scope};

impl Scope {
    /// What the scope limits an endorsement to: a phrase for each member, all of which hold. Of the
    /// values in one phrase any will do.
    pub fn words(&self) -> Vec<String> {
        let roles = self.roles.iter().map(|role| match role {
            Role::Accreditor => "an accreditor",
            Role::Issuer => "an issuer",
        });
        let any = |values: &[String]| any_of(values.iter().map(String::as_str));
        let places = self.jurisdictions.iter().map(ToString::to_string);
        let places: Vec<String> = places.collect();
        let phrases = [
            ("as", any_of(roles)),
            ("achievements of the type", any(&self.achievement_types)),
            ("tagged", any(&self.tags)),
            ("aligned to", any(&self.alignments)),
            ("awarded from", self.awarded_from.map(|at| at.to_string())),
            (
                "awarded before",
                self.awarded_until.map(|at| at.to_string()),
            ),
            ("in", any(&places)),
        ];
        phrases
            .into_iter()
            .filter_map(|(lead, values)| Some(format!("{lead} {}", values?)))
            .collect()
    }
}

/// `a`, `a or b`, `a, b or c`; none of nothing.
fn any_of<'v>(values: impl Iterator<Item = &'v str>) -> Option<String> {
    let values: Vec<&str> = values.collect();
    match values.as_slice() {
        [] => None,
        [one] => Some((*one).to_owned()),
        [first @ .., last] => Some(format!("{} or {last}", first.join(", "))),
    }
}
