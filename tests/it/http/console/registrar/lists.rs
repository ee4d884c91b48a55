//! Lists: how full, how fresh, and new ones.

use super::{link, name_of, names, says, says_not, signed_in};
use crate::support::house::House;

#[test]
fn lists_are_drawn_and_told() {
    let house = House::open();
    let school = house.registrar("school");
    let browser = signed_in(&school, "list-manager");
    let empty = browser.get("/console/lists").is(200);
    says(&empty, &["There are no lists yet."]);

    let list = school.opens_list("revocation");
    school.allocates(&list, 1_000);
    names(&school, &list, &["urn:x:1"]);
    let index = school.allocates(&list, 1)[0];
    school.sets(&list, index, 1).is(200);
    house.wait(60);
    let page = browser.get("/console/lists").is(200);
    says(
        &page,
        &[
            "<svg role=\"img\"",
            "1,002 of 131,072 (0.76 %)",
            "Up to date",
            name_of(&list),
        ],
    );
    says(&page, &["The same numbers as a table", "revocation"]);
    says_not(&page, &["NaN", "style="]);
    let page = browser.get(&link(&page, name_of(&list))).is(200);
    says(
        &page,
        &[
            list.as_str(),
            "Upload changes as a table",
            "1,002 of 131,072",
        ],
    );
    let german = browser.with("Accept-Language", "de");
    says(
        &german.get("/console/lists").is(200),
        &["1.002 von 131.072"],
    );
}

#[test]
fn a_new_list_is_opened_once() {
    let house = House::open();
    let school = house.registrar("school");
    let browser = signed_in(&school, "list-manager");
    let page = browser.get("/console/new-list?profile=school").is(200);
    let action = "/console/new-list";
    let fields = [("purpose", "suspension"), ("length", "131072")];
    for (wrong, says_so) in [
        (
            [("purpose", "suspension"), ("length", "12")],
            "A multiple of 8",
        ),
        (
            [("purpose", "suspension"), ("length", "many")],
            "A multiple of 8",
        ),
        ([("purpose", "<b>"), ("length", "131072")], "For"),
    ] {
        let refused = browser.submits(&page, action, &wrong).is(400);
        says(&refused, &[says_so]);
        says_not(&refused, &["<b>"]);
    }
    let first = browser.submits(&page, action, &fields).is(303);
    let again = browser.submits(&page, action, &fields).is(303);
    assert_eq!(first.header("location"), again.header("location"));
    let page = browser.follows(first).is(200);
    says(&page, &["The list was opened.", "suspension"]);
}

#[test]
fn many_lists_stand_on_several_pages() {
    let house = House::open();
    let school = house.registrar("school");
    for _ in 0..23 {
        school.opens_list("revocation");
    }
    let browser = signed_in(&school, "owner");
    let first = browser.get("/console/lists").is(200);
    let second = browser.get(&link(&first, "More")).is(200);
    let lists = |page: &crate::support::client::Answer| {
        page.text().matches("href=\"/console/lists/").count()
    };
    assert_eq!((lists(&first), lists(&second)), (20, 3));
}
