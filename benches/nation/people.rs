//! Everybody who is registered, and who endorses whom. What services would write one by one, over
//! hours, is written as rows, table by table in the order of the keys.

use goodstanding::badges::SubjectKind;
use goodstanding::entropy::{SeededEntropy, random};
use goodstanding::ids::{EndorsementId, KeyId, ListId, ProfileId, Revision, SpaceId};
use goodstanding::registry::{
    Actor, Change, EndorsementView, NewEndorsement, NewProfile, Registry, Roles,
};
use goodstanding::status::StatusPurpose;
use goodstanding::store::engine::{Batch, Engine, Read};
use goodstanding::store::rocks::RocksEngine;
use goodstanding::store::table::{Key, Record, Table};
use goodstanding::store::tables::{
    self, EndorsementRecord, IdForm, KeyRecord, ListRecord, ListState, OpenSpace, Origin, Plane,
    ProfileRecord, RecordedStanding, SpaceRecord, StandingChange,
};
use goodstanding::time::Timestamp;
use goodstanding::vc::keys::SigningKey;
use goodstanding::vc::sealing::{DataKey, Generation, KeyPlace, SealedDataKey};
use goodstanding::vc::securing::Securing;
use serde_json::{Map, Value, json};
use sha2::{Digest as _, Sha256};

use super::documents::{Details, Template};
use super::master_key;
use super::plan::{self, ACCREDITORS, Fate, PROFILES};
use super::progress::Steps;

/// About how many bytes are written at a time.
const BATCH_BYTES: usize = 16 << 20;

/// Entries of a list.
const LENGTH: u64 = 131_072;

/// One endorsement before it is written.
struct Planned {
    id: EndorsementId,
    subject: u32,
    nth: u32,
}

/// `issuer.id` of a profile.
pub(crate) fn id(of: u32) -> String {
    format!("did:web:registry.example:profiles:{}", plan::slug(of))
}

/// The key of what stands under an id.
pub(crate) fn digest(id: &str) -> [u8; 32] {
    Sha256::digest(id.as_bytes()).into()
}

/// A change by whoever holds the data.
pub(crate) const fn change() -> Change {
    Change::by(Actor::operator())
}

/// Registers a profile of the plan through the service.
pub(super) fn register(registry: &Registry, number: u32) -> ProfileId {
    let new = NewProfile {
        slug: plan::slug(number).parse().expect("a slug"),
        id_form: IdForm::DidWeb,
        roles: roles(number),
        history: None,
        members: members(number),
    };
    let made = registry.create_profile(&change(), &new);
    made.expect("the slug is free").id
}

/// Endorses something through the service.
pub(crate) fn endorse(
    registry: &Registry,
    endorser: u32,
    subject: String,
    kind: SubjectKind,
) -> EndorsementView {
    let new = NewEndorsement {
        endorser: ProfileId(endorser),
        subject,
        kind,
        digest: None,
        scope: None,
        name: "Recognised provider of higher technical education".to_owned(),
        comment: Some(COMMENT.to_owned()),
        valid_from: None,
        valid_until: Some("2031-01-01T00:00:00Z".parse().expect("RFC 3339")),
        awarded_date: None,
        suspendable: true,
        securing: Securing::default(),
    };
    registry.endorse(&change(), &new).expect("it may endorse")
}

const COMMENT: &str = "The panel visited the institution for two days, spoke with teachers, \
    students and employers, and read the regulations of all programmes. It found that the \
    requirements of the framework are met, and recommends recognition for five years.";

/// Registers everybody, and has everybody endorsed.
pub(crate) fn fill(engine: &RocksEngine, registry: &Registry, seed: u64, then: Timestamp) {
    Filling::begin(engine, registry, seed, then).fill();
}

struct Filling<'a> {
    engine: &'a RocksEngine,
    registry: &'a Registry,
    entropy: SeededEntropy,
    batch: Batch,
    bytes: usize,
    then: Timestamp,
}

impl<'a> Filling<'a> {
    /// The first profiles are registered as anybody is; the rest is written as they are.
    fn begin(engine: &'a RocksEngine, registry: &'a Registry, seed: u64, then: Timestamp) -> Self {
        for number in 1..=2 {
            assert_eq!(register(registry, number), ProfileId(number));
        }
        Self {
            engine,
            registry,
            entropy: SeededEntropy::new(seed),
            batch: Batch::default(),
            bytes: 0,
            then,
        }
    }

    fn put<K: Key, V: Record>(&mut self, table: &Table<K, V>, key: &K, value: &V) {
        table.put(&mut self.batch, key, value);
        let (key, value) = self.batch.puts.last().expect("one was just added");
        self.bytes += key.len() + value.len();
        if self.bytes > BATCH_BYTES {
            self.write();
        }
    }

    fn write(&mut self) {
        self.bytes = 0;
        let batch = std::mem::take(&mut self.batch);
        self.engine.commit(batch).expect("the disk takes it");
    }

    fn fill(mut self) {
        let template = self.template();
        self.profiles();
        let planned: Vec<Vec<Planned>> = self.planned();
        let spaces = self.spaces(&planned);
        let steps = Steps::of(
            "endorsements",
            3 * planned.iter().map(|each| each.len() as u64).sum::<u64>(),
        );
        for endorsements in &planned {
            for (place, one) in endorsements.iter().enumerate() {
                let entry = (spaces[one.id.owner().0 as usize - 1].0, place as u32);
                let record = self.record(one, entry);
                self.put(&tables::ENDORSEMENTS, &one.id, &record);
                steps.one_more();
            }
        }
        for endorsements in &planned {
            for (place, one) in endorsements.iter().enumerate() {
                let endorser = one.id.owner().0;
                let lists = &spaces[endorser as usize - 1].1;
                let urls = self.registry.urls();
                let document = template.write(&Details {
                    id: &urls.endorsement(one.id),
                    issuer: &id(endorser),
                    issuer_name: &name(endorser),
                    issuer_url: &home(endorser),
                    subject: &id(one.subject),
                    lists: [&urls.list(lists[0]), &urls.list(lists[1])],
                    index: place as u32,
                    signature: random(&self.entropy),
                });
                self.put(
                    &tables::ENDORSEMENT_DOCUMENTS,
                    &one.id,
                    &document.into_bytes(),
                );
                steps.one_more();
            }
        }
        let mut index = Vec::new();
        for one in planned.iter().flat_map(|each| (0..).zip(each)) {
            index.push((digest(&id(one.1.subject)), one));
        }
        index.sort_unstable_by_key(|(subject, (_, one))| (*subject, one.id));
        for (subject, (place, one)) in index {
            let space = spaces[one.id.owner().0 as usize - 1].0;
            let record = self.record(one, (space, place));
            let key = (subject, one.id);
            self.put(&tables::ENDORSEMENTS_BY_SUBJECT, &key, &record);
            steps.one_more();
        }
        self.write();
    }

    /// What an endorsement looks like, of one that a ministry makes.
    fn template(&self) -> Template {
        let view = endorse(self.registry, 1, id(2), SubjectKind::Profile);
        let document: Value = serde_json::from_str(view.credential.json()).expect("JSON");
        Template::of(&document)
    }

    fn profiles(&mut self) {
        self.put(
            &tables::COUNTS,
            &"profiles".to_owned(),
            &u64::from(PROFILES),
        );
        let steps = Steps::of("profiles", (PROFILES - 2).into());
        for number in 3..=PROFILES {
            steps.one_more();
            let record = ProfileRecord {
                slug: plan::slug(number).parse().expect("a slug"),
                issuer_id: id(number),
                id_form: IdForm::DidWeb,
                issuer: roles(number).issuer,
                accreditor: roles(number).accreditor,
                members: Value::Object(members(number)).to_string(),
                keys: 1,
                created_at: self.then,
                changed_at: self.then,
                history: None,
            };
            self.put(&tables::PROFILES, &ProfileId(number), &record);
        }
        let mut slugs: Vec<(String, u32)> = (3..=PROFILES).map(|n| (plan::slug(n), n)).collect();
        slugs.sort_unstable();
        for (slug, number) in slugs {
            let slug = slug.parse().expect("a slug");
            self.put(&tables::PROFILE_SLUGS, &slug, &u64::from(number));
        }
        let mut ids: Vec<([u8; 32], u32)> = (3..=PROFILES).map(|n| (digest(&id(n)), n)).collect();
        ids.sort_unstable();
        for (id, number) in ids {
            self.put(&tables::PROFILE_ISSUER_IDS, &id, &u64::from(number));
        }
        let data_key = data_key(self.engine);
        for number in 3..=PROFILES {
            let secret = SigningKey::generate(&self.entropy);
            let (profile, key) = (ProfileId(number), KeyId(1));
            let sealed = data_key.seal(KeyPlace { profile, key }, &secret, &self.entropy);
            let record = KeyRecord {
                public: *secret.public().as_bytes(),
                sealed: sealed.to_bytes(),
                made_at: self.then,
                signs_from: self.then,
                retired_at: None,
                revoked_since: None,
            };
            self.put(&tables::KEYS, &(profile, key), &record);
        }
    }

    /// What each accreditor endorses, in order of id.
    fn planned(&self) -> Vec<Vec<Planned>> {
        let mut planned: Vec<Vec<Planned>> = (0..ACCREDITORS).map(|_| Vec::new()).collect();
        for subject in 1..=PROFILES {
            for (nth, endorser) in (0..).zip(plan::endorsers(subject)) {
                let id = EndorsementId::generate(ProfileId(endorser), &self.entropy);
                planned[endorser as usize - 1].push(Planned { id, subject, nth });
            }
        }
        for endorsements in &mut planned {
            endorsements.sort_unstable_by_key(|one| one.id);
        }
        planned
    }

    /// The lists of each accreditor: for revocations and for suspensions.
    fn spaces(&mut self, planned: &[Vec<Planned>]) -> Vec<(SpaceId, [ListId; 2])> {
        let mut made = Vec::new();
        for (number, endorsements) in (1..).zip(planned) {
            let owner = ProfileId(number);
            let space = SpaceId::generate(owner, &self.entropy);
            let lists = [0, 1].map(|_| ListId::generate(owner, &self.entropy));
            let planes = [StatusPurpose::Revocation, StatusPurpose::Suspension].into_iter();
            let planes = planes
                .zip(lists)
                .map(|(purpose, list)| Plane { purpose, list });
            let record = SpaceRecord {
                length: LENGTH,
                permutation: random(&self.entropy),
                planes: planes.collect(),
                endorsements: true,
                token: None,
                brought: tables::Brought::Nothing,
            };
            self.put(&tables::SPACES, &space, &record);
            tables::ALLOCATION.expect(&mut self.batch, &space, None);
            self.put(&tables::ALLOCATION, &space, &(endorsements.len() as u64));
            for Plane { purpose, list } in record.planes {
                let record = ListRecord {
                    space,
                    purpose,
                    length: LENGTH,
                    status_size: goodstanding::bitstring::StatusSize::One,
                    ttl_millis: 300_000,
                    created_at: self.then,
                    entry: goodstanding::status::EntryMembers::default(),
                    also_2021: false,
                    in_token: false,
                    jcs_proof: false,
                };
                self.put(&tables::LISTS, &list, &record);
                let state = ListState {
                    revision: Revision(1),
                    changed_at: self.then,
                };
                self.put(&tables::LIST_STATES, &list, &state);
            }
            self.put(&tables::OPEN_SPACES, &owner, &OpenSpace { space });
            made.push((space, lists));
        }
        self.write();
        made
    }

    fn record(&self, one: &Planned, entry: (SpaceId, u32)) -> EndorsementRecord {
        let fate = Fate::of(one.subject, one.nth);
        let until = if fate == Fate::Expired {
            "2026-02-01"
        } else {
            "2031-01-01"
        };
        let decided = match fate {
            Fate::Revoked => Some(RecordedStanding::Revoked),
            Fate::Suspended => Some(RecordedStanding::Suspended),
            Fate::Whole | Fate::Limited | Fate::Expired => None,
        };
        let changed = |standing| StandingChange {
            at: self.then,
            standing,
        };
        let scope = json!({ "type": ["EndorsementScope"], "achievementType": ["Degree"] });
        EndorsementRecord {
            subject: id(one.subject),
            kind: SubjectKind::Profile,
            as_issuer: roles(one.subject).issuer,
            as_accreditor: roles(one.subject).accreditor,
            digest_multibase: None,
            valid_from: self.then,
            valid_until: format!("{until}T00:00:00Z").parse().ok(),
            scope: (fate == Fate::Limited).then(|| scope.to_string()),
            origin: Origin::Issued {
                entry,
                suspendable: true,
                term: 0,
            },
            history: decided.map(changed).into_iter().collect(),
            created_at: self.then,
        }
    }
}

const fn roles(of: u32) -> Roles {
    Roles {
        issuer: of > ACCREDITORS,
        accreditor: of <= ACCREDITORS,
    }
}

fn name(of: u32) -> String {
    format!("The {} of the northern provinces", plan::slug(of))
}

fn home(of: u32) -> String {
    format!("https://www.{}.example/", plan::slug(of))
}

fn members(of: u32) -> Map<String, Value> {
    let members = json!({
        "name": name(of), "url": home(of),
        "email": format!("registry@{}.example", plan::slug(of)),
        "description": "A public institution, founded by law and supervised by the province in \
                        which it has its seat.",
    });
    members.as_object().expect("an object").clone()
}

/// The data key that the registry made when it was opened.
fn data_key(read: &dyn Read) -> DataKey {
    let rows = tables::DATA_KEYS
        .scan(read, &[], None, 1)
        .expect("it reads");
    let ((generation, _), record) = rows.first().expect("the registry was opened");
    let sealed = SealedDataKey::from_bytes(&record.sealed).expect("it was made here");
    let opened = master_key().open(Generation(*generation), &sealed);
    opened.expect("the registry opened it")
}
