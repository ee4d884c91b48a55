//! Keys: rotated, taken out of use, given up.

use super::{Browser, invited, link, says, says_not, signed_in, signs_in};
use crate::support::house::House;

#[test]
fn a_key_takes_over_and_the_old_one_goes() {
    let house = House::open();
    let school = house.registrar("school");
    let browser = signed_in(&school, "owner");
    let page = browser.get("/console/keys").is(200);
    says(&page, &["key-1", "In use since", "Rotate keys"]);
    // The only key cannot go.
    let retire = link(&page, "Take out of use");
    let asked = browser.get(&retire).is(200);
    let action = retire.split('?').next().unwrap();
    let refused = browser.submits(&asked, action, &[]).is(409);
    says(&refused, &["No other key"]);
    // On a German page what is wrong this time stays English, and says so; what to do is German.
    let german = browser.with("Accept-Language", "de");
    let asked = german.get(&retire).is(200);
    let refused = german.submits(&asked, action, &[]).is(409);
    says(
        &refused,
        &[
            "Nichts wurde geändert",
            "<p lang=\"en\">No other key",
            "<p>Was zu tun ist: die Einzelheiten sagen, wofür dieser Schlüssel verwendbar ist</p>",
        ],
    );

    let done = browser
        .submits(&page, "/console/keys/rotate", &[("reason", "yearly")])
        .is(303);
    let page = browser.follows(done).is(200);
    says(
        &page,
        &[
            "A new key was made.",
            "key-2",
            "Listed; it signs from",
            "signs nothing yet",
        ],
    );
    // A second one is refused while that goes on, in words.
    let refused = browser.submits(&page, "/console/keys/rotate", &[]).is(409);
    says(&refused, &["key-2"]);
}

#[test]
fn a_lost_key_is_given_up_after_it_is_said_what_that_affects() {
    let house = House::open();
    let school = house.registrar("school");
    school.opens_list("revocation");
    let browser = signed_in(&school, "owner");
    let page = browser.get("/console/keys").is(200);
    let revoke = link(&page, "Give up for good");
    let page = browser.get(&revoke).is(200);
    says(&page, &["cannot be undone", "key-1"]);
    says_not(&page, &["What this affects"]);
    let bad = browser.get(&format!("{revoke}&since=yesterday")).is(400);
    says(&bad, &["2026-01-31T12:00:00Z"]);
    let tried = browser
        .get(&format!("{revoke}&since=2026-03-01T08:00:00Z"))
        .is(200);
    says(
        &tried,
        &[
            "What this affects",
            "lists that are signed again",
            "<dd>1</dd>",
        ],
    );
    let keys = school.get("/profiles/school/keys").is(200).json();
    assert!(keys["keys"][0].get("revokedSince").is_none());

    let action = revoke.split('?').next().unwrap();
    let refused = browser.submits(&tried, action, &[]).is(400);
    says(&refused, &["A reason is needed."]);
    let done = browser
        .submits(&tried, action, &[("reason", "laptop stolen")])
        .is(303);
    let page = browser.follows(done).is(200);
    says(
        &page,
        &[
            "The key was given up.",
            "not to be trusted since",
            "1 March 2026, 08:00 UTC",
            "key-2",
        ],
    );
}

#[test]
fn an_old_key_is_pointed_out() {
    let house = House::open();
    let school = house.registrar("school");
    invited(&school, "eve@school.example", "owner");
    house.wait(400 * 86_400);
    let browser = Browser::new(&house);
    signs_in(
        &browser,
        "/console",
        "eve@school.example",
        super::super::PASSPHRASE,
    )
    .is(200);
    let page = browser.get("/console/keys").is(200);
    says(
        &page,
        &[
            "This key has signed for 400 d",
            "rotate it when it suits you",
        ],
    );
}

#[test]
fn who_may_not_change_keys_sees_them_only() {
    let house = House::open();
    let school = house.registrar("school");
    let browser = signed_in(&school, "list-manager");
    let page = browser.get("/console/keys").is(200);
    says(&page, &["key-1"]);
    says_not(
        &page,
        &["Rotate keys", "Give up for good", "Take out of use"],
    );
    browser.get("/console/keys/key-1/revoke").is(403);
    // The operator sees the registry's own where nobody is chosen.
    let operator = signed_in(&house.operator(), "operator");
    let page = operator.get("/console/keys").is(200);
    says(&page, &["own keys", "key-1"]);
    let page = operator.get("/console/keys?profile=school").is(200);
    says(&page, &["profiles:school#key-1"]);
}
