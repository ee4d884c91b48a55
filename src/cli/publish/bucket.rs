//! Copies in an S3-compatible bucket. What is served to who asks for nothing stands at the URL's own path,
//! other forms below it; each object has its media type, coding and `Cache-Control`, and what is known of
//! it as metadata. A put is bound to the object that was looked at, where the store can do that: of two
//! publishers none puts what is older over what is newer.

mod connector;

use std::collections::BTreeSet;
use std::future::poll_fn;
use std::path::{Path as File, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use object_store::aws::{AmazonS3, AmazonS3Builder};
use object_store::path::Path;
use object_store::{
    Attribute, Attributes, BackoffConfig, Error, GetOptions, ObjectMeta, ObjectStore, PutMode,
    PutOptions, PutPayload, RetryConfig, UpdateVersion,
};
use tokio::runtime::{Builder, Runtime};

use super::copy::{About, Against, Copy, Name};
use super::target::{Fault, Put, REMEMBERED, Remembered, Target};
use connector::Connector;

/// A bucket, or what stands below a prefix in it.
#[derive(Debug)]
pub(super) struct Bucket {
    store: AmazonS3,
    name: String,
    prefix: Vec<String>,
    runtime: Runtime,
    /// Whether the store takes a condition with a put.
    conditional: AtomicBool,
}

/// The metadata that holds what is known of a copy.
const ABOUT: &str = "goodstanding";
/// So often another publisher may come between looking and putting.
const TURNS: usize = 5;

impl Bucket {
    /// The bucket at `BUCKET/PREFIX`, as the environment says how to get there. Nothing is asked yet.
    pub(super) fn open(
        place: &str,
        ca_file: Option<PathBuf>,
        wait: Duration,
    ) -> Result<Self, Fault> {
        let refused = |reason: String| Fault::Refused(format!("s3://{place}: {reason}"));
        let (bucket, prefix) = place.split_once('/').unwrap_or((place, ""));
        let plain = |part: &str| {
            let fits =
                |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
            !part.is_empty() && !matches!(part, "." | "..") && part.bytes().all(fits)
        };
        let prefix: Vec<String> = prefix
            .split('/')
            .filter(|part| !part.is_empty())
            .map(str::to_owned)
            .collect();
        if !plain(bucket) || !prefix.iter().all(|part| plain(part)) {
            let words = "give s3://BUCKET/PREFIX, of letters, digits, dots, dashes and underscores";
            return Err(refused(words.to_owned()));
        }
        let retry = RetryConfig {
            max_retries: 2,
            retry_timeout: wait,
            backoff: BackoffConfig::default(),
        };
        let connector = Connector::new(wait, ca_file.as_deref().map(File::to_owned));
        let store = AmazonS3Builder::from_env()
            .with_bucket_name(bucket)
            .with_retry(retry)
            // Not all stores know how to delete several at once.
            .with_disable_bulk_delete(true)
            .with_http_connector(connector)
            .build()
            .map_err(|error| refused(words_of(&error)))?;
        let runtime = Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build();
        Ok(Self {
            store,
            name: format!("s3://{place}"),
            prefix,
            runtime: runtime.map_err(|error| refused(error.to_string()))?,
            conditional: AtomicBool::new(true),
        })
    }

    fn path(&self, key: &str) -> Path {
        let prefix = self.prefix.iter().map(String::as_str);
        prefix.chain(key.split('/')).collect()
    }

    /// What stands at a key: what is known of it, if anything is, and which version it is.
    async fn look(&self, key: &str) -> Result<Option<(Option<About>, ObjectMeta)>, Error> {
        let head = GetOptions {
            head: true,
            ..GetOptions::default()
        };
        match self.store.get_opts(&self.path(key), head).await {
            Err(Error::NotFound { .. }) => Ok(None),
            Err(error) => Err(error),
            Ok(found) => {
                let about = found.attributes.get(&Attribute::Metadata(ABOUT.into()));
                let about = about.and_then(|about| serde_json::from_str(about).ok());
                Ok(Some((about, found.meta)))
            }
        }
    }

    async fn write(&self, copy: &Copy) -> Result<Put, Error> {
        let key = copy.name.key();
        for _ in 0..TURNS {
            let there = self.look(&key).await?;
            if let Some((Some(about), _)) = &there {
                match copy.about.against(about) {
                    Against::IsTheSame => return Ok(Put::WasThere),
                    Against::IsOlder => return Ok(Put::NewerIsThere),
                    Against::TakesItsPlace => {}
                }
            }
            let mode = match there {
                _ if !self.conditional.load(Ordering::Relaxed) => PutMode::Overwrite,
                None => PutMode::Create,
                Some((_, meta)) => PutMode::Update(UpdateVersion {
                    e_tag: meta.e_tag,
                    version: None,
                }),
            };
            let options = PutOptions {
                mode,
                attributes: attributes(copy),
                ..PutOptions::default()
            };
            let payload = PutPayload::from_bytes(copy.body.clone());
            match self
                .store
                .put_opts(&self.path(&key), payload, options)
                .await
            {
                Ok(_) => return Ok(Put::Written),
                // Another publisher was faster, or the first answer was lost: what is there now tells.
                Err(Error::Precondition { .. } | Error::AlreadyExists { .. }) => {}
                Err(error)
                    if knows_no_conditions(&error)
                        && self.conditional.swap(false, Ordering::Relaxed) => {}
                Err(error) => return Err(error),
            }
        }
        Err(Error::Generic {
            store: "S3",
            source: format!("{key} is changed by others all the time").into(),
        })
    }

    async fn keys(&self) -> Result<Vec<Path>, Error> {
        let prefix: Path = self.prefix.iter().map(String::as_str).collect();
        let mut listed = self.store.list(Some(&prefix));
        let mut keys = Vec::new();
        while let Some(found) = poll_fn(|cx| listed.as_mut().poll_next(cx)).await {
            keys.push(found?.location);
        }
        Ok(keys)
    }

    fn fault(&self, error: &Error) -> Fault {
        let words = format!("{}: {}", self.name, words_of(error));
        match error {
            Error::PermissionDenied { .. }
            | Error::Unauthenticated { .. }
            | Error::NotFound { .. }
            | Error::InvalidPath { .. }
            | Error::NotSupported { .. } => Fault::Refused(words),
            _ => Fault::Away(words),
        }
    }
}

impl Target for Bucket {
    fn name(&self) -> String {
        self.name.clone()
    }

    fn about(&self, name: &Name) -> Result<Option<About>, Fault> {
        let looked = self.runtime.block_on(self.look(&name.key()));
        let found = looked.map_err(|error| self.fault(&error))?;
        Ok(found.and_then(|(about, _)| about))
    }

    fn put(&self, copy: &Copy) -> Result<Put, Fault> {
        let put = self.runtime.block_on(self.write(copy));
        put.map_err(|error| self.fault(&error))
    }

    fn remove(&self, name: &Name) -> Result<(), Fault> {
        let key = name.key();
        let removed = self.runtime.block_on(async {
            let path = self.path(&key);
            // An order of one: `delete_stream` is what a store has to offer.
            let mut removed = self.store.delete_stream(Box::pin(once(path)));
            poll_fn(|cx| removed.as_mut().poll_next(cx))
                .await
                .transpose()
        });
        match removed {
            Ok(_) | Err(Error::NotFound { .. }) => Ok(()),
            Err(error) => Err(self.fault(&error)),
        }
    }

    fn names(&self) -> Result<BTreeSet<Name>, Fault> {
        let keys = self.runtime.block_on(self.keys());
        let keys = keys.map_err(|error| self.fault(&error))?;
        let prefix = self.prefix.join("/");
        let names = keys.iter().filter_map(|key| {
            let within = key.as_ref().strip_prefix(&prefix)?;
            Name::of_key(within.trim_start_matches('/'))
        });
        Ok(names.collect())
    }

    fn remembered(&self) -> Result<Option<Remembered>, Fault> {
        let read = self.runtime.block_on(async {
            let found = self
                .store
                .get_opts(&self.path(REMEMBERED), GetOptions::default())
                .await?;
            found.bytes().await
        });
        match read {
            Err(Error::NotFound { .. }) => Ok(None),
            Err(error) => Err(self.fault(&error)),
            Ok(text) => serde_json::from_slice(&text).map(Some).map_err(|error| {
                Fault::Refused(format!(
                    "{}/{REMEMBERED} is not what publish wrote: {error}",
                    self.name
                ))
            }),
        }
    }

    fn remember(&self, what: &Remembered) -> Result<(), Fault> {
        let text = serde_json::to_vec(what).expect("it is text and numbers");
        let mut attributes = Attributes::new();
        attributes.insert(Attribute::ContentType, "application/json".into());
        attributes.insert(Attribute::CacheControl, "no-store".into());
        let options = PutOptions {
            attributes,
            ..PutOptions::default()
        };
        let path = self.path(REMEMBERED);
        let put = self.store.put_opts(&path, PutPayload::from(text), options);
        self.runtime
            .block_on(put)
            .map(drop)
            .map_err(|error| self.fault(&error))
    }
}

fn attributes(copy: &Copy) -> Attributes {
    let about = &copy.about;
    let mut attributes = Attributes::new();
    attributes.insert(Attribute::ContentType, about.media_type.clone().into());
    let fresh = format!("public, max-age={}", about.max_age);
    attributes.insert(Attribute::CacheControl, fresh.into());
    if copy.name.gzip {
        attributes.insert(Attribute::ContentEncoding, "gzip".into());
    }
    let known = serde_json::to_string(about).expect("it is text and numbers");
    attributes.insert(Attribute::Metadata(ABOUT.into()), known.into());
    attributes
}

/// Stores that do not know conditions say so in one of these ways.
fn knows_no_conditions(error: &Error) -> bool {
    let words = words_of(error);
    matches!(
        error,
        Error::NotImplemented { .. } | Error::NotSupported { .. }
    ) || words.contains("501 Not Implemented")
        || words.contains("NotImplemented")
}

/// What went wrong, with what led to it, on one line.
fn words_of(error: &Error) -> String {
    let mut words = error.to_string();
    let mut source = std::error::Error::source(error);
    while let Some(below) = source {
        let more = below.to_string();
        if !words.contains(&more) {
            words = format!("{words}: {more}");
        }
        source = below.source();
    }
    words.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// A stream of one.
fn once(path: Path) -> impl warp::Stream<Item = Result<Path, Error>> + Send {
    Once(Some(path))
}

struct Once(Option<Path>);

impl warp::Stream for Once {
    type Item = Result<Path, Error>;

    fn poll_next(
        mut self: std::pin::Pin<&mut Self>,
        _: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<Self::Item>> {
        std::task::Poll::Ready(self.0.take().map(Ok))
    }
}
