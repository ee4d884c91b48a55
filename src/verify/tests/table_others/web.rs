//! Whom the documents of the table are by, and who answers for what stands elsewhere.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::*;

/// Named by an https URL, with a controller document there.
pub(super) fn college() -> Actor {
    Actor::named("https://college.example/profile", 1)
}

/// One who has a key and a host, and nothing to say for the college.
pub(super) fn forger() -> Actor {
    Actor::named("https://forger.example/profile", 66)
}

pub(super) fn base64url(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

pub(super) fn seconds(text: &str) -> i64 {
    at(text).seconds()
}

pub(super) fn without(value: &mut Value, member: &str) {
    value.as_object_mut().unwrap().shift_remove(member).unwrap();
}

/// A [`World`] that has files of any kind.
#[derive(Default)]
pub(super) struct Web {
    pub(super) world: World,
    pub(super) files: HashMap<String, Vec<u8>>,
}

impl Web {
    /// Where the college's controller document stands.
    pub(super) fn of_college() -> Self {
        Self {
            world: World::default().with(&college()),
            files: HashMap::new(),
        }
    }

    pub(super) fn serve(&mut self, url: &str, document: Value) {
        self.world.documents.insert(url.to_owned(), Ok(document));
    }

    fn ask(&self, url: &str) {
        assert!(!url.contains("forger"), "a forger has {url} asked for");
    }

    fn file(&self, url: &str) -> Option<Fetched> {
        self.ask(url);
        let body = self.files.get(url)?.clone();
        Some(Fetched {
            url: url.to_owned(),
            body,
        })
    }
}

impl Resolver for Web {
    fn controller_document(&self, url: &str) -> Result<Arc<Value>, Unresolved> {
        self.ask(url);
        self.world.controller_document(url)
    }

    fn key_set(&self, url: &str) -> Result<Arc<Value>, Unresolved> {
        self.ask(url);
        self.world.key_set(url)
    }

    fn hosted_status(&self, _: &str, _: &StatusEntry) -> Option<Result<StatusResult, StatusError>> {
        None
    }

    fn list(
        &self,
        wanted: WantedList<'_>,
        check: &mut dyn FnMut(&Fetched) -> Result<CheckedList, StatusError>,
    ) -> Result<Arc<CheckedList>, StatusError> {
        let url = wanted.reference.list();
        let fetched = self.file(url).ok_or_else(|| StatusError::Retrieval {
            list: url.to_owned(),
            reason: "nobody answers".to_owned(),
        })?;
        check(&fetched).map(Arc::new)
    }

    fn newer(&self, url: &str) -> Result<Fetched, Unresolved> {
        self.file(url).ok_or(Unresolved::NotFound)
    }

    fn signed_here(&self, method: &str, signature: &Value) -> Option<SignedHere> {
        self.world.signed_here(method, signature)
    }

    fn known(&self, _: &str, _: Option<WantedOf<'_>>) -> Option<Known> {
        None
    }
}
