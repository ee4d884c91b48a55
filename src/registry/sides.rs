//! Two processes over one store, for stories: what one of them commits the other hears of as another's.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use serde_json::Map;

use super::{
    Actor, Change, MasterKeys, NewList, NewProfile, Registry, Roles, Settings, StatusTarget,
    StatusUpdate,
};
use crate::entropy::SeededEntropy;
use crate::ids::{ListId, ProfileId, Seq};
use crate::status::StatusPurpose;
use crate::store::engine::{Batch, Engine, Head, LoggedEvent, Read, Row, Stopped, StoreError};
use crate::store::following::{Follower, Tables, Written};
use crate::store::memory::MemoryEngine;
use crate::store::queued::Queued;
use crate::store::tables::{IdForm, PROFILE_SLUGS};
use crate::time::ManualClock;
use crate::vc::sealing::MasterKey;

/// The store that they share.
pub(in crate::registry) struct Sides {
    pub(in crate::registry) engine: MemoryEngine,
    pub(in crate::registry) clock: Arc<ManualClock>,
    /// Held by whoever commits.
    turn: Mutex<()>,
    /// Whose commit it is.
    commits: AtomicUsize,
    /// Who leads.
    pub(in crate::registry) leader: AtomicUsize,
}

/// One of them.
struct Side {
    sides: Arc<Sides>,
    number: usize,
}

/// A follower of one of them.
struct Told {
    follower: Arc<dyn Follower>,
    sides: Arc<Sides>,
    number: usize,
}

impl Sides {
    pub(in crate::registry) fn new() -> Arc<Self> {
        let clock = Arc::new(ManualClock::new("2026-03-01T09:00:00Z".parse().unwrap()));
        Arc::new(Self {
            engine: MemoryEngine::new(clock.clone()),
            clock,
            turn: Mutex::default(),
            commits: AtomicUsize::new(0),
            leader: AtomicUsize::new(0),
        })
    }

    /// A process, with its own randomness, that publishes when it is told to.
    pub(in crate::registry) fn open(
        self: &Arc<Self>,
        number: usize,
        master_keys: impl MasterKeys + 'static,
    ) -> Registry {
        let sides = self.clone();
        let engine = Arc::new(Side { sides, number });
        let entropy = Arc::new(SeededEntropy::new(number as u64 + 1));
        let settings = Settings {
            publish_before_acknowledging: false,
            ..Settings::usual("https://registry.example")
        };
        Registry::open(engine, self.clock.clone(), entropy, master_keys, settings).unwrap()
    }

    /// Two processes with one master key, and a list of a school with an entry that is given out.
    pub(in crate::registry) fn with_a_list(self: &Arc<Self>) -> ([Registry; 2], ListId, u64) {
        let master = MasterKey::generate(&SeededEntropy::new(0));
        let both = [0, 1].map(|number| self.open(number, master.clone()));
        let school = make_school(&both[0]);
        let new = NewList::usual(school, StatusPurpose::Revocation);
        let list = both[0].create_list(&operator(), &new).unwrap().id;
        let given = both[0].allocate(&operator(), list, 1).unwrap();
        (both, list, given.indexes()[0].get())
    }
}

pub(in crate::registry) fn operator() -> Change {
    Change::by(Actor::operator())
}

pub(in crate::registry) fn make_school(registry: &Registry) -> ProfileId {
    let mut members = Map::new();
    members.insert("name".into(), "School".into());
    let new = NewProfile {
        slug: "school".parse().unwrap(),
        id_form: IdForm::DidWeb,
        roles: Roles {
            issuer: true,
            accreditor: false,
        },
        history: None,
        members,
    };
    registry.create_profile(&operator(), &new).unwrap();
    let number = PROFILE_SLUGS.get(&*registry.engine, &new.slug).unwrap();
    ProfileId(u32::try_from(number.unwrap()).unwrap())
}

pub(in crate::registry) fn revoke(registry: &Registry, list: ListId, index: u64) {
    let update = StatusUpdate {
        target: StatusTarget::Index(index),
        status: 1,
    };
    let updated = registry.update_statuses(&operator(), list, vec![update], None);
    assert_eq!(updated.unwrap().applied, 1);
}

impl Follower for Told {
    fn follow(&self, written: &Written<'_>) {
        match self.sides.commits.load(Ordering::SeqCst) == self.number {
            true => self.follower.follow(written),
            false => self.follower.follow(&written.heard_elsewhere()),
        }
    }

    fn begin_anew(&self, number: u64) {
        self.follower.begin_anew(number);
    }
}

impl Read for Side {
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        self.sides.engine.get(key)
    }

    fn multi_get(&self, keys: &[Vec<u8>]) -> Result<Vec<Option<Vec<u8>>>, StoreError> {
        self.sides.engine.multi_get(keys)
    }

    fn scan(&self, from: &[u8], to: &[u8], limit: usize) -> Result<Vec<Row>, StoreError> {
        self.sides.engine.scan(from, to, limit)
    }

    fn last_write(&self, tables: Tables) -> Option<u64> {
        self.sides.engine.last_write(tables)
    }
}

impl Engine for Side {
    fn snapshot(&self) -> Box<dyn Read + '_> {
        self.sides.engine.snapshot()
    }

    fn queue(&self, batch: Batch) -> Queued {
        let turn = self.sides.turn.lock();
        let _turn = turn.unwrap_or_else(PoisonError::into_inner);
        self.sides.commits.store(self.number, Ordering::SeqCst);
        self.sides.engine.queue(batch)
    }

    fn follow(&self, follower: Arc<dyn Follower>) {
        let (sides, number) = (self.sides.clone(), self.number);
        let told = Told {
            follower,
            sides,
            number,
        };
        self.sides.engine.follow(Arc::new(told));
    }

    fn takes_writes(&self) -> Result<(), Stopped> {
        self.sides.engine.takes_writes()
    }

    fn epoch(&self) -> u32 {
        self.sides.engine.epoch()
    }

    fn purge(&self, ranges: &[(Vec<u8>, Vec<u8>)]) -> Result<(), StoreError> {
        self.sides.engine.purge(ranges)
    }

    fn head(&self) -> Head {
        self.sides.engine.head()
    }

    fn leads(&self) -> bool {
        self.sides.leader.load(Ordering::SeqCst) == self.number
    }

    fn changes(&self, since: Seq, limit: usize) -> Result<Vec<LoggedEvent>, StoreError> {
        self.sides.engine.changes(since, limit)
    }

    fn changes_of(
        &self,
        who: u32,
        since: Seq,
        limit: usize,
    ) -> Result<Vec<LoggedEvent>, StoreError> {
        self.sides.engine.changes_of(who, since, limit)
    }
}

mod tests {
    use super::*;
    use crate::access::{Action, Actions, Asked, Role};
    use crate::oauth::authorize::{Asker, CodeAsked};
    use crate::oauth::form_token::FormCheck;
    use crate::oauth::pkce::Challenge;
    use crate::registry::{CONSOLE, NewPerson, TokenFor};
    use crate::time::Ttl;

    #[test]
    fn a_token_that_one_process_revokes_is_refused_by_the_other() {
        let ([one, other], ..) = Sides::new().with_a_list();
        let day = Ttl::from_seconds(86_400);
        let made = one
            .make_token(&operator(), &TokenFor::OPERATOR, day)
            .unwrap();
        let asked = Asked {
            writes: true,
            path: "/status-lists",
            needs: Action::WriteLists,
        };
        assert!(other.authenticate_at_once(&made.token, asked).is_none());
        assert!(other.authenticate(&made.token, asked).unwrap().is_some());
        assert!(other.authenticate_at_once(&made.token, asked).is_some());
        one.revoke_token(&operator(), &made.id).unwrap();
        assert!(other.authenticate_at_once(&made.token, asked).is_none());
        assert!(other.authenticate(&made.token, asked).unwrap().is_none());
    }

    #[test]
    fn what_one_process_revokes_every_look_up_of_the_other_shows() {
        let ([one, other], list, index) = Sides::new().with_a_list();
        let url = one.urls().list(list);
        let status = || {
            let told = other.status_at(&url, index, None, None).unwrap();
            let told = told.unwrap();
            (told.status, told.revision.0)
        };
        assert_eq!(status(), (0, 1));
        revoke(&one, list, index);
        assert_eq!(status(), (1, 2));
    }

    #[test]
    fn a_session_that_one_process_begins_is_good_at_the_other_until_either_ends_it() {
        let ([one, other], ..) = Sides::new().with_a_list();
        let new = NewPerson {
            profile: Some("school".parse().unwrap()),
            name: "Ada".into(),
            email: Some("ada@school.example".into()),
            role: Role::Endorser,
        };
        let (ada, invitation) = one.invite_person(&operator(), &new).unwrap();
        let passphrase = "nine lives, one cat";
        one.accept_invitation(&invitation, passphrase).unwrap();
        let verifier = "a-verifier-of-forty-three-characters-or-more";
        let asker = Asker {
            client: CONSOLE,
            redirect_uri: one.console_callback(),
            state: None,
        };
        let asked = CodeAsked {
            challenge: Challenge::of(verifier),
            scopes: None,
        };
        let signs_in = || {
            let who = ("ada@school.example", passphrase);
            let code = one.code_for(&asker, &asked, who, |_| Actions::ALL);
            let code = code.unwrap().unwrap();
            other.session_for_code(&code, verifier, None).unwrap()
        };
        let cookie = signs_in();
        let visitor = one.visitor(&cookie).unwrap().unwrap();
        assert_eq!(
            visitor.person.as_ref().map(|person| person.id),
            Some(ada.id)
        );
        let actor = visitor.actor();
        assert!(actor.may(Action::WriteEndorsements, ada.id.owner()));
        assert!(!actor.can(Action::WriteKeys) && !actor.operates());
        assert!(!actor.may(Action::WriteEndorsements, ProfileId(99)));
        one.sign_out(&visitor).unwrap();
        assert_eq!(other.visitor(&cookie), Ok(None));

        let second = signs_in();
        one.remove_person(&operator(), ada.id).unwrap();
        assert_eq!(other.visitor(&second), Ok(None));
        for bad in [
            "",
            ".",
            "..",
            "x.y.z",
            &second[1..],
            &second.replace('.', ""),
        ] {
            assert_eq!(one.visitor(bad), Ok(None), "{bad}");
        }
    }

    #[test]
    fn a_form_that_one_process_shows_can_be_sent_to_the_other() {
        let ([one, other], ..) = Sides::new().with_a_list();
        let token = one.forms().sign(&["a"], one.now());
        let check = |parameter| other.forms().check(&token, &[parameter], other.now());
        assert_eq!(check("a"), FormCheck::Good);
        assert_eq!(check("b"), FormCheck::Bad);
    }
}
