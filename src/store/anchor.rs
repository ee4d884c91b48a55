//! The anchor: what was acknowledged last, kept apart from the store, so that a store that has lost
//! its newest changes is noticed. RocksDB notices a log file that is missing in the middle; the
//! loss of the last one, or an old copy of the whole store put back, looks to it like a store that
//! is simply younger.
//!
//! The file has two slots of 4,096 bytes. Each write goes to the slot that was written longer ago, in
//! place and with one sync, so that a power cut in the middle of it leaves the other one. A slot:
//!
//! ```text
//! at    bytes
//!   0   8   "gs-anchr"
//!   8   2   version u16 (1)
//!  10   2   zeros
//!  12   4   epoch u32
//!  16  16   the store's id
//!  32   8   number u64 of this write; its slot is the number modulo 2
//!  40   8   commits u64
//!  48   8   seq u64 of the newest event
//!  56   8   at i64 of it
//!  64   8   clock i64
//!  72  32   digest chain up to and including it
//! 104  32   counters: how far indexes are given out
//! 136  32   SHA-256("goodstanding anchor 1" | the 136 bytes before)
//! 168       zeros
//! ```
//!
//! Numbers are big endian, times milliseconds since 1970. Another version comes with a format of the store
//! of its own, so that an older program refuses the store before it looks for slots that it knows.

#[cfg(feature = "rocksdb")]
pub(super) mod file;

use sha2::{Digest as _, Sha256};

use super::codec::{CodecError, Reader};
use super::engine::{DIGEST_BYTES, Head, Read, Stopped, StoreError};
use super::format::{self, Identity, Tip};
use crate::ids::Seq;

/// Bytes of a slot: what a disk writes at once or not at all is no larger.
pub(super) const SLOT_BYTES: usize = 4_096;

const MAGIC: [u8; 8] = *b"gs-anchr";
const VERSION: u16 = 1;
const SIGNED_BYTES: usize = 136;

/// What one slot says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Anchor {
    /// Of which store.
    pub(super) identity: Identity,
    /// How many writes of the anchor there were before it.
    pub(super) number: u64,
    /// Where the store stood.
    pub(super) tip: Tip,
}

/// Where the two slots are.
pub(super) trait AnchorPlace: Send + Sync {
    /// Both slots, as they are; `None` where there is no anchor at all.
    fn read(&self) -> Result<Option<[Vec<u8>; 2]>, String>;

    /// Makes the anchor anew, with `slot` in both places, and returns when it would survive a power cut.
    fn make(&mut self, slot: &[u8]) -> Result<(), String>;

    /// Writes one slot in its place, and returns when it would survive a power cut.
    fn write(&mut self, place: usize, slot: &[u8]) -> Result<(), String>;
}

/// Writes the anchor of an open store.
pub(super) struct Anchoring {
    place: Box<dyn AnchorPlace>,
    last: Anchor,
    /// After a failed sync the next one may succeed without having written anything: nothing is
    /// anchored any more.
    failed: Option<String>,
}

impl Anchoring {
    /// From now on the anchor says that the store stands at `tip`, also after a power cut.
    pub(super) fn set(&mut self, tip: &Tip) -> Result<(), String> {
        if let Some(reason) = &self.failed {
            return Err(reason.clone());
        }
        let next = Anchor {
            number: self.last.number + 1,
            tip: *tip,
            ..self.last
        };
        let slot = (next.number % 2) as usize;
        self.place
            .write(slot, &next.encode())
            .inspect_err(|reason| self.failed = Some(reason.clone()))?;
        self.last = next;
        Ok(())
    }
}

/// The anchor of a store that has none, or whose anchor is not to count any more.
pub(super) fn make(
    mut place: Box<dyn AnchorPlace>,
    identity: Identity,
    tip: &Tip,
) -> Result<Anchoring, StoreError> {
    let last = make_at(&mut *place, identity, tip)?;
    Ok(Anchoring {
        place,
        last,
        failed: None,
    })
}

/// Makes an anchor, or one in the place of another, without going on to write it.
pub(super) fn make_at(
    place: &mut dyn AnchorPlace,
    identity: Identity,
    tip: &Tip,
) -> Result<Anchor, StoreError> {
    let made = Anchor {
        identity,
        number: 0,
        tip: *tip,
    };
    place.make(&made.encode()).map_err(not_writable)?;
    Ok(made)
}

/// What an anchor says of a store that is being opened.
pub(super) enum Judged {
    /// The store holds everything that was acknowledged.
    Fits(Anchoring),
    /// It does not, or nobody can tell: it is read and not written.
    Refused(Stopped),
}

/// Holds a store that stands at `tip` against its anchor, and where it is ahead of it, as after a
/// crash between the two, anchors what it holds. The store is read and not written.
pub(super) fn judge(
    store: &dyn Read,
    identity: Identity,
    tip: &Tip,
    place: Box<dyn AnchorPlace>,
) -> Result<Judged, StoreError> {
    let anchor = match newest(&*place) {
        Ok(Some(anchor)) => anchor,
        Ok(None) => return Ok(Judged::Refused(Stopped::AnchorMissing)),
        Err(reason) => return Ok(Judged::Refused(Stopped::AnchorUnreadable(reason))),
    };
    if let Some(refused) = misfit(store, identity, tip, &anchor)? {
        return Ok(Judged::Refused(refused));
    }
    let mut anchoring = Anchoring {
        place,
        last: Anchor { identity, ..anchor },
        failed: None,
    };
    // Also where nothing is new: a slot that was damaged is whole again then.
    Ok(match anchoring.set(tip) {
        Ok(()) => Judged::Fits(anchoring),
        Err(reason) => Judged::Refused(Stopped::AnchorNotWritable(reason)),
    })
}

/// Whether the store is not what the anchor says that it was, or less than that.
pub(super) fn misfit(
    store: &dyn Read,
    identity: Identity,
    tip: &Tip,
    anchor: &Anchor,
) -> Result<Option<Stopped>, StoreError> {
    if anchor.identity.store != identity.store {
        return Ok(Some(Stopped::AnchorOfAnotherStore));
    }
    let behind = Stopped::BehindAnchor {
        anchored: anchor.tip.head.seq,
        found: tip.head.seq,
    };
    // A store of a later epoch was accepted as it is by a decision that it records itself; of an earlier
    // one it is a copy from before that.
    if anchor.identity.epoch > identity.epoch {
        return Ok(Some(behind));
    }
    if anchor.identity.epoch < identity.epoch {
        return Ok(None);
    }
    if anchor.tip.head.seq > tip.head.seq || anchor.tip.commits > tip.commits {
        return Ok(Some(behind));
    }
    let other = anchor.tip.commits == tip.commits && anchor.tip != *tip;
    let digest = format::digest_at(store, anchor.tip.head.seq)?;
    if other || digest != Some(anchor.tip.head.digest) {
        return Ok(Some(Stopped::NotTheAnchoredHistory(anchor.tip.head.seq)));
    }
    Ok(None)
}

/// Whether there is an anchor at `place`, whatever it says.
pub(super) fn is_there(place: &dyn AnchorPlace) -> bool {
    !matches!(place.read(), Ok(None))
}

/// The newer one of the two slots that can be read.
///
/// # Errors
/// Neither can be, and why.
pub(super) fn newest(place: &dyn AnchorPlace) -> Result<Option<Anchor>, String> {
    let Some(slots) = place.read()? else {
        return Ok(None);
    };
    let [one, other] = slots.map(|slot| Anchor::decode(&slot));
    match (one, other) {
        (Ok(one), Ok(other)) => Ok(Some(if one.number > other.number {
            one
        } else {
            other
        })),
        (Ok(one), Err(error)) | (Err(error), Ok(one)) => {
            // As after a power cut in the middle of a write; what it would have said was not
            // acknowledged then.
            tracing::warn!(engine = %error, "one of the anchor's two slots cannot be read; the other is");
            Ok(Some(one))
        }
        (Err(one), Err(other)) => Err(format!("{one}; {other}")),
    }
}

impl Anchor {
    /// A slot, as drawn at the top of this file.
    pub(super) fn encode(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(SLOT_BYTES);
        out.extend(MAGIC);
        out.extend(VERSION.to_be_bytes());
        out.extend([0; 2]);
        out.extend(self.identity.epoch.to_be_bytes());
        out.extend(self.identity.store);
        out.extend(self.number.to_be_bytes());
        out.extend(self.tip.commits.to_be_bytes());
        out.extend(self.tip.head.seq.0.to_be_bytes());
        out.extend(self.tip.head.at.millis().to_be_bytes());
        out.extend(self.tip.clock.millis().to_be_bytes());
        out.extend(self.tip.head.digest);
        out.extend(self.tip.counters.0);
        let checksum = checksum(&out);
        out.extend(checksum);
        out.resize(SLOT_BYTES, 0);
        out
    }

    /// Reads a slot; refuses whatever [`encode`](Self::encode) would have written otherwise.
    pub(super) fn decode(slot: &[u8]) -> Result<Self, String> {
        let damaged = |error: CodecError| format!("a slot of the anchor is damaged: {error}");
        let mut reader = Reader::new(slot);
        if reader.array().map_err(damaged)? != MAGIC {
            return Err("a slot does not begin as an anchor's does".to_owned());
        }
        let version = u16::from_be_bytes(reader.array().map_err(damaged)?);
        if version != VERSION {
            return Err(format!(
                "a slot has version {version}, and this program reads version {VERSION}"
            ));
        }
        let mut read = || -> Result<Self, CodecError> {
            let _zeros: [u8; 2] = reader.array()?;
            let epoch = reader.u32()?;
            let store = reader.array()?;
            let number = reader.u64()?;
            let commits = reader.u64()?;
            let seq = Seq(reader.u64()?);
            let at = reader.timestamp()?;
            let clock = reader.timestamp()?;
            let digest = reader.array()?;
            let counters = format::Counters(reader.array()?);
            Ok(Self {
                identity: Identity { store, epoch },
                number,
                tip: Tip {
                    head: Head { seq, digest, at },
                    clock,
                    commits,
                    counters,
                },
            })
        };
        let anchor = read().map_err(damaged)?;
        // The checksum with all the rest.
        if anchor.encode() != slot {
            return Err(
                "a slot of the anchor is damaged: its checksum is of other bytes".to_owned(),
            );
        }
        Ok(anchor)
    }
}

fn checksum(signed: &[u8]) -> [u8; DIGEST_BYTES] {
    debug_assert_eq!(signed.len(), SIGNED_BYTES);
    let mut hash = Sha256::new();
    hash.update(b"goodstanding anchor 1");
    hash.update(signed);
    hash.finalize().into()
}

fn not_writable(reason: String) -> StoreError {
    StoreError::Unavailable(format!("the anchor cannot be written: {reason}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::format::Counters;
    use crate::store::memory::Rows;
    use crate::store::table::hex;
    use crate::time::Timestamp;
    use proptest::prelude::*;

    fn anchor(number: u64) -> Anchor {
        let head = Head {
            seq: Seq(258),
            digest: [0xdd; 32],
            at: Timestamp::from_millis(1_700_000_000_123),
        };
        Anchor {
            identity: Identity {
                store: [0x11; 16],
                epoch: 3,
            },
            number,
            tip: Tip {
                head,
                clock: Timestamp::from_millis(1_700_000_000_124),
                commits: 772,
                counters: Counters([0xcc; 32]),
            },
        }
    }

    #[test]
    fn stored_bytes_are_these() {
        let slot = anchor(5).encode();
        assert_eq!(slot.len(), SLOT_BYTES);
        assert!(slot[168..].iter().all(|byte| *byte == 0));
        insta::assert_snapshot!(hex(&slot[..168]), @"67732d616e6368720001000000000003111111111111111111111111111111110000000000000005000000000000030400000000000001020000018bcfe5687b0000018bcfe5687cddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccec7de54f3f624c2636d82fb23f61fc39fcfeae71af83bc2bf5520c2599c1a59a");
    }

    /// A disk that is read and not written.
    struct Mounted(Option<[Vec<u8>; 2]>);

    impl AnchorPlace for Mounted {
        fn read(&self) -> Result<Option<[Vec<u8>; 2]>, String> {
            Ok(self.0.clone())
        }

        fn make(&mut self, _: &[u8]) -> Result<(), String> {
            Err("read-only file system".to_owned())
        }

        fn write(&mut self, _: usize, _: &[u8]) -> Result<(), String> {
            Err("read-only file system".to_owned())
        }
    }

    /// What it holds is known then, and can be served.
    #[test]
    fn a_store_whose_anchor_cannot_be_written_is_read_alone() {
        let mut anchor = anchor(0);
        anchor.tip = Tip::EMPTY;
        let slot = anchor.encode();
        let place = Box::new(Mounted(Some([slot.clone(), slot])));
        let judged = judge(&Rows::default(), anchor.identity, &Tip::EMPTY, place);
        let Judged::Refused(stopped) = judged.unwrap() else {
            panic!("it takes writes");
        };
        assert_eq!(stopped.state(), "anchor-not-writable");
        assert!(stopped.to_string().ends_with("read-only file system"));
    }

    #[test]
    fn after_a_failed_write_nothing_is_anchored_any_more() {
        struct Once(usize);
        impl AnchorPlace for Once {
            fn read(&self) -> Result<Option<[Vec<u8>; 2]>, String> {
                Ok(None)
            }
            fn make(&mut self, _: &[u8]) -> Result<(), String> {
                Ok(())
            }
            fn write(&mut self, _: usize, _: &[u8]) -> Result<(), String> {
                self.0 += 1;
                match self.0 {
                    2 => Err("no".to_owned()),
                    _ => Ok(()),
                }
            }
        }
        let one = anchor(0);
        let mut anchoring = make(Box::new(Once(0)), one.identity, &one.tip).unwrap();
        assert_eq!(anchoring.set(&one.tip), Ok(()));
        for _ in 0..2 {
            assert_eq!(anchoring.set(&one.tip), Err("no".to_owned()));
        }
    }

    #[test]
    fn the_newer_slot_counts_wherever_it_stands() {
        for (one, other) in [(4, 5), (6, 5)] {
            let place = Mounted(Some([anchor(one).encode(), anchor(other).encode()]));
            assert_eq!(newest(&place), Ok(Some(anchor(one.max(other)))));
        }
        let newer = {
            let mut slot = anchor(4).encode();
            slot[9] = 2;
            slot
        };
        let place = Mounted(Some([newer.clone(), newer]));
        let refused = newest(&place).unwrap_err();
        assert!(refused.contains("version 2"), "{refused}");
    }

    proptest! {
        #[test]
        fn slots_survive_and_no_other_byte_does(
            number: u64,
            epoch: u32,
            commits: u64,
            at in 0..SLOT_BYTES,
            flip in 1u8..,
        ) {
            let mut one = anchor(number);
            one.identity.epoch = epoch;
            one.tip.commits = commits;
            let slot = one.encode();
            prop_assert_eq!(Anchor::decode(&slot), Ok(one));
            let mut other = slot.clone();
            other[at] ^= flip;
            prop_assert!(Anchor::decode(&other).is_err());
            prop_assert!(Anchor::decode(&slot[..at]).is_err());
        }
    }
}
