//! Backups that the operator asks for over HTTP, while the registry runs.

use std::path::Path;
use std::sync::mpsc;
use std::sync::{Arc, Mutex};

use goodstanding::backup::{Backups, HowBackups, NotBegun};
use goodstanding::entropy::SeededEntropy;
use goodstanding::store::engine::StoreError;
use goodstanding::store::rocks::checkpoint::inspect;
use serde_json::{Value, json};

use super::scene::Scene;
use crate::support::actors::Actor;
use crate::support::house::{House, ORIGIN, Plan};

fn how(scene: &Scene, house: &House, look: impl Fn() + Send + Sync + 'static) -> HowBackups {
    let engine = house.engine.clone();
    HowBackups {
        folder: scene.folder(),
        copy: scene.home.path().join("copy"),
        copy_store: Box::new(move |to: &Path| engine.copy_to(to)),
        key: None,
        keep: Some(2),
        public_url: ORIGIN.to_owned(),
        program: "0.1.0",
        inspect: Box::new(move |folder: &Path| {
            look();
            inspect(folder)
        }),
    }
}

/// Asks until nothing is under way.
fn waits(operator: &Actor<'_>) -> Value {
    loop {
        let answer = operator.get("/backups").is(200).json();
        if answer.get("underWay").is_none() {
            return answer;
        }
        std::thread::yield_now();
    }
}

#[test]
fn the_operator_has_a_backup_made_and_hears_of_it() {
    let scene = Scene::new();
    let place =
        goodstanding::store::rocks::Place::within(&scene.home.path().join("first"), [7; 16]);
    let engine = goodstanding::store::rocks::RocksEngine::open(&place, scene.clock.clone());
    let plan = Plan::over(Arc::new(engine.unwrap()), scene.clock.clone());
    let house = plan.backing_up_into(scene.home.path()).open();
    let school = house.registrar("school");
    let operator = house.operator();
    assert_eq!(
        operator.get("/backups").is(200).json(),
        json!({ "backups": [] })
    );
    for round in 1..=3 {
        let begun = operator.post("/backups", &json!({})).is(202);
        assert_eq!(begun.header("location"), Some("/backups"));
        let told = waits(&operator);
        assert_eq!(told["last"]["number"], round, "{told}");
        assert_eq!(told["last"]["seq"], house.registry.newest_event().0);
        assert_eq!(told["backups"].as_array().unwrap().len(), round.min(2));
        school.opens_list("revocation");
    }
    // Nobody else has any made, or hears of them.
    school.post("/backups", &json!({})).problem(403);
    school.get("/backups").problem(403);
    house.verifier().post("/backups", &json!({})).problem(401);
    operator
        .post("/backups", &json!({ "folder": "/etc" }))
        .problem(400);
    // What is in them can be told by their files alone.
    let newest = scene.folder().manifest(None, None).unwrap();
    assert_eq!(newest.number, 3);
    let place = scene.home.path().join("again");
    scene.put_together(&newest, &place).unwrap();
}

#[test]
fn without_a_folder_it_is_said_how_to_name_one() {
    let house = House::open();
    let refused = house.operator().post("/backups", &json!({})).problem(409);
    assert_eq!(refused["type"], "urn:goodstanding:problem:no-backup-folder");
    let told = house.operator().get("/backups").is(200).json();
    assert_eq!(told, json!({ "backups": [] }));
}

#[test]
fn one_is_made_at_a_time_and_the_end_of_the_service_ends_it() {
    let scene = Scene::new();
    let house = scene.house();
    house.registrar("school");
    let (looks, looked) = mpsc::channel();
    let (go_on, waits) = mpsc::channel::<()>();
    let waits = Mutex::new(waits);
    let how = how(&scene, &house, move || {
        looks.send(()).unwrap();
        waits.lock().unwrap().recv().unwrap();
    });
    let backups = Backups::new(how, scene.clock.clone(), Arc::new(SeededEntropy::new(3)));
    backups.begin().unwrap();
    looked.recv().unwrap();
    assert!(matches!(backups.begin(), Err(NotBegun::UnderWay(_))));
    go_on.send(()).unwrap();
    while backups.state().under_way.is_some() {
        std::thread::yield_now();
    }
    assert_eq!(backups.state().last.unwrap().unwrap().manifest.number, 1);

    // Told to end in the middle of the next one, it leaves the first as it is.
    backups.begin().unwrap();
    looked.recv().unwrap();
    let ending = {
        let backups = backups.clone();
        std::thread::spawn(move || {
            backups.end();
            backups.wait(std::time::Instant::now() + std::time::Duration::from_secs(60));
        })
    };
    while !matches!(backups.begin(), Err(NotBegun::Unable(_))) {
        std::thread::yield_now();
    }
    go_on.send(()).unwrap();
    ending.join().unwrap();
    let why = backups.state().last.unwrap().unwrap_err();
    assert!(why.contains("was stopped"), "{why}");
    assert_eq!(backups.list().unwrap().len(), 1);
}

/// A store that cannot be copied or read makes no backup, and says why.
#[test]
fn what_goes_wrong_is_told_and_makes_none() {
    let scene = Scene::new();
    let house = scene.house();
    house.registrar("school");
    let mut how = how(&scene, &house, || {});
    how.inspect = Box::new(|_| Err(StoreError::Unavailable("the log is cut".to_owned())));
    let backups = Backups::new(how, scene.clock.clone(), Arc::new(SeededEntropy::new(3)));
    backups.begin().unwrap();
    while backups.state().under_way.is_some() {
        std::thread::yield_now();
    }
    let why = backups.state().last.unwrap().unwrap_err();
    assert!(why.contains("the log is cut"), "{why}");
    assert_eq!(backups.list().unwrap(), []);
}
