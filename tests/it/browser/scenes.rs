//! What there is in the registries of the stories.

use serde_json::{Value, json};

use crate::support::actors::{badge, text};
use crate::support::house::{House, Plan};

/// What a story finds, for as long as this lives.
pub(super) struct Scene {
    /// Its file in `tests/interop/browser/stories`, without the ending.
    pub(super) story: &'static str,
    /// What it is told: `url` of the registry, and more.
    pub(super) told: Value,
    _house: House,
}

/// One for each story.
pub(super) fn all() -> Vec<Scene> {
    vec![visitor()]
}

fn open() -> House {
    Plan::new().at_its_address().open()
}

/// A school that a board endorses, with what it gives.
fn visitor() -> Scene {
    let house = open();
    let (board, school) = (house.accreditor("board"), house.registrar("school"));
    let welding = school.defines("Welding");
    let endorsement = board.endorses(&school.id, "profile", false);
    board.endorses(&welding, "achievement", false);
    school.issues(&badge(&school.id, &welding));
    let told = json!({
        "url": house.origin(),
        "school": "The school",
        "achievement": welding,
        "endorsement": text(&endorsement["id"]),
    });
    Scene {
        story: "visitor",
        told,
        _house: house,
    }
}
