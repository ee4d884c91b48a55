//! What clients of OAuth 2.0 and strangers try, and do not get.

use serde_json::json;

use crate::support::actors::text;
use crate::support::house::{House, Plan};
use goodstanding::registry::Registration;

#[test]
fn a_client_that_is_approved_again_does_not_get_its_old_tokens_back() {
    let house = House::open();
    let school = house.registrar("school");
    let client = school.registers_client("owner", &json!({}));
    let stolen = client.token("");
    let reads = |token: &str| {
        house
            .call("GET", "/profiles/school/keys")
            .token(token)
            .send()
    };
    reads(&stolen).is(200);
    let path = format!("/clients/{}", client.id);
    house.wait(10);
    school.post(&format!("{path}/reject"), &json!({})).is(200);
    reads(&stolen).problem(401);
    house.wait(10);
    school
        .post(&format!("{path}/approve"), &json!({"role": "owner"}))
        .is(200);
    reads(&stolen).problem(401);
    reads(&client.token("")).is(200);
}
