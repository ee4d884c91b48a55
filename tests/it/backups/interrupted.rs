//! A backup that is cut off at any step leaves those before it whole, and the next one is made as though
//! nothing had been.

use std::collections::BTreeSet;

use goodstanding::backup::{BackupError, Step, Unwatched, Watch};

use super::scene::Scene;

/// Stops where a step is told for the so manieth time, or goes on within it.
struct Cut {
    step: Step,
    left: usize,
    now: Step,
}

impl Cut {
    const fn at(step: Step, left: usize) -> Self {
        let now = Step::Copying;
        Self { step, left, now }
    }

    fn go_on(&mut self) -> Result<(), BackupError> {
        if self.now == self.step {
            self.left = self.left.checked_sub(1).ok_or(BackupError::Stopped)?;
        }
        Ok(())
    }
}

impl Watch for Cut {
    fn step(&mut self, step: Step) -> Result<(), BackupError> {
        self.now = step;
        self.go_on()
    }

    fn ahead(&mut self, _: u64) {}

    fn went(&mut self, _: u64) -> Result<(), BackupError> {
        self.go_on()
    }
}

const STEPS: [Step; 6] = [
    Step::Copying,
    Step::Inspecting,
    Step::Writing,
    Step::ReadingBack,
    Step::Finishing,
    Step::Pruning,
];

#[test]
fn whatever_is_cut_off_the_backups_before_it_are_whole() {
    for scene in [Scene::new(), Scene::sealed()] {
        let house = scene.house();
        let school = house.registrar("school");
        let list = school.opens_list("revocation");
        scene.back_up(&house.engine);
        let mut finished = scene.back_up(&house.engine).manifest.number;
        for step in STEPS {
            let mut cuts = 0;
            for left in [0, 1, 2, 5, 9] {
                // Something is new each time.
                let index = school.allocates(&list, 1)[0];
                school.sets(&list, index, 1).is(200);
                let made = scene.try_to(&house.engine, Some(2), &mut Cut::at(step, left));
                let there = scene.folder().manifests(scene.key.as_ref()).unwrap();
                // One that was finished, and cut off while older ones were removed, is there.
                let newest = there.last().unwrap().number;
                let made_one = made.is_ok() || step == Step::Pruning;
                assert!(newest == finished || made_one && newest == finished + 1);
                finished = newest;
                assert!(there.len() >= 2, "{step:?} {left}");
                for manifest in &there {
                    let place = scene.home.path().join("again");
                    scene.put_together(manifest, &place).unwrap();
                    std::fs::remove_dir_all(place).unwrap();
                }
                match made {
                    Ok(_) => {}
                    Err(BackupError::Stopped) => cuts += 1,
                    Err(other) => panic!("{step:?} {left}: {other}"),
                }
            }
            assert!(cuts > 0, "{step:?} was never cut off");
        }
        let made = scene
            .try_to(&house.engine, Some(1), &mut Unwatched)
            .unwrap();
        let there = scene.files();
        // Nothing that was cut off is left: a manifest, its pieces, and no more.
        let files = made.manifest.files.iter();
        let pieces: BTreeSet<_> = files.map(|file| file.piece).collect();
        assert_eq!(there.len(), pieces.len() + 1, "{there:?}");
    }
}

#[test]
fn two_at_a_time_do_not_get_into_each_others_way() {
    struct Second<'a>(
        &'a Scene,
        &'a std::sync::Arc<dyn goodstanding::store::engine::Engine>,
        usize,
    );
    impl Watch for Second<'_> {
        fn step(&mut self, _: Step) -> Result<(), BackupError> {
            let other = self.0.try_to(self.1, None, &mut Unwatched);
            assert!(matches!(other, Err(BackupError::UnderWay(_))));
            self.2 += 1;
            Ok(())
        }

        fn ahead(&mut self, _: u64) {}

        fn went(&mut self, _: u64) -> Result<(), BackupError> {
            Ok(())
        }
    }
    let scene = Scene::new();
    let house = scene.house();
    house.registrar("school");
    let mut watch = Second(&scene, &house.engine, 0);
    scene.try_to(&house.engine, None, &mut watch).unwrap();
    assert!(watch.2 > 4);
}
