//! Tokens of a real OpenID Connect provider, the package `oidc-provider` on Node.

use std::env;
use std::io::{BufRead as _, BufReader};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use goodstanding::access::Role;
use goodstanding::net::Policy;
use goodstanding::oauth::provider::{Provider, RoleRule};
use goodstanding::registry::{ProviderKeys, Providers};
use goodstanding::store::memory::MemoryEngine;
use goodstanding::time::{ManualClock, Timestamp};
use goodstanding::vc::verifying::KeyKind;
use serde_json::{Value, json};

use crate::support::actors::text;
use crate::support::client::{Answer, Call};
use crate::support::house::{ORIGIN, Plan};
use crate::support::oauth::opened;
use crate::support::peers::peers;
use crate::support::site::Here;

#[test]
fn a_token_of_a_real_provider_writes_to_its_own_tenant_and_to_no_other() {
    let node = env::var_os("GOODSTANDING_INTEROP_NODE").filter(|node| !node.is_empty());
    let Some(node) = node else {
        // Says that it is skipped, or fails where it may not be.
        peers();
        return;
    };
    let there = There::start(Command::new(node));
    let token = there.token("of-school", "status:write");
    let [header, claims] = opened(&token);
    assert_eq!(
        (&header["typ"], &header["alg"]),
        (&json!("at+jwt"), &json!("ES256"))
    );
    assert_eq!(
        (&claims["iss"], &claims["aud"]),
        (&json!(there.issuer), &json!(ORIGIN))
    );

    // The provider has a clock of its own, which ours follows.
    let now = Timestamp::from_millis(claims["iat"].as_i64().unwrap() * 1_000);
    let clock = Arc::new(ManualClock::new(now));
    let engine = Arc::new(MemoryEngine::new(clock.clone()));
    let policy = Policy {
        localhost: true,
        ..Policy::default()
    };
    let house = Plan::over(engine, clock)
        .reaching(policy, Arc::new(Here::default()))
        .with_providers(there.as_configured())
        .open();
    let (school, board) = (house.registrar("school"), house.registrar("board"));
    let lists = [&school, &board].map(|owner| {
        let list = owner.opens_list("revocation");
        let index = owner.allocates(&list, 1)[0];
        (list, index)
    });
    let writes = |token: &str, (list, index): &(String, u64)| -> Answer {
        let update = json!({ "updates": [{ "index": index, "status": 1 }] });
        let call = house.call("POST", &format!("{list}/updates"));
        call.token(token).json(&update).send()
    };
    let [own, other] = &lists;
    writes(&token, own).is(200);
    writes(&token, other).problem(403);
    assert_eq!(school.looks_up(&own.0, own.1)["status"], 1);
    assert_eq!(board.looks_up(&other.0, other.1)["status"], 0);
    let of_board = there.token("of-board", "status:write");
    writes(&of_board, own).problem(403);
    writes(&of_board, other).is(200);
    // Somebody of an organisation that has no profile here, and a scope that their role has not.
    writes(&there.token("of-nobody", "status:write"), own).problem(401);
    let keys = there.token("of-school", "keys:write");
    writes(&keys, own).problem(403);
    let make = house
        .call("POST", "/profiles/school/keys")
        .token(&keys)
        .send();
    make.problem(403);
    // One for another audience, and one that is over.
    let elsewhere = there.asks("of-school", "status:write", "https://other.example");
    writes(&text(&elsewhere.is(200).json()["access_token"]), own).problem(401);
    house.wait(600);
    writes(&token, own).problem(401);
    let events = school.get("/events").is(200).text();
    assert!(
        !events.contains("of-school"),
        "accounts are told by a digest: {events}"
    );
}

/// The provider, running.
struct There {
    issuer: String,
    address: SocketAddr,
    program: Child,
}

impl There {
    fn start(mut node: Command) -> Self {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/interop/provider.mjs");
        let mut program = node
            .arg(script)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("Node starts");
        let mut line = String::new();
        let mut lines = BufReader::new(program.stdout.take().unwrap());
        lines.read_line(&mut line).unwrap();
        let told: Value = serde_json::from_str(&line).expect("the provider listens");
        let issuer = text(&told["issuer"]);
        let port = issuer.rsplit_once(':').unwrap().1.parse().unwrap();
        Self {
            address: SocketAddr::from(([127, 0, 0, 1], port)),
            issuer,
            program,
        }
    }

    fn asks(&self, client: &str, scope: &str, resource: &str) -> Answer {
        let header = format!(
            "Basic {}",
            STANDARD.encode(format!("{client}:secret-{client}"))
        );
        let mut form = url::form_urlencoded::Serializer::new(String::new());
        form.append_pair("grant_type", "client_credentials");
        form.append_pair("scope", scope)
            .append_pair("resource", resource);
        Call::new(self.address, "POST", "/token")
            .header("Authorization", header)
            .body("application/x-www-form-urlencoded", form.finish())
            .send()
    }

    fn token(&self, client: &str, scope: &str) -> String {
        let answer = self.asks(client, scope, ORIGIN).is(200);
        text(&answer.json()["access_token"])
    }

    /// The provider as an operator names it.
    fn as_configured(&self) -> Providers {
        let profiles = [("1", "school"), ("2", "board")];
        let provider = Provider {
            issuer: self.issuer.clone(),
            audience: ORIGIN.into(),
            algorithms: vec![KeyKind::P256],
            profile_claim: "org".into(),
            profiles: profiles
                .map(|(value, slug)| (value.to_owned(), slug.parse().unwrap()))
                .into(),
            role: RoleRule::Always(Role::ListManager),
            scope_claim: Some("scope".into()),
        };
        let keys = ProviderKeys::At(format!("{}/jwks", self.issuer));
        Providers::new(vec![(provider, keys)])
    }
}

impl Drop for There {
    fn drop(&mut self) {
        drop(self.program.stdin.take());
        let _ = self.program.wait();
    }
}
