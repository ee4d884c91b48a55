//! Proof chains: proofs that rest on earlier ones (VC Data Integrity 1.0, sections 2.1.2, 4.3 and
//! 4.5). Such a proof signs the document together with the proofs that it names.

use std::collections::HashMap;
use std::mem;

use serde_json::Value;

use super::ProofError;
use super::embedded::items;

/// The proofs of a document by their ids.
#[derive(Debug)]
pub(super) struct Chain<'p> {
    proofs: &'p [Value],
    by_id: HashMap<&'p str, Holder>,
}

/// Which proof has an id.
#[derive(Debug, Clone, Copy)]
enum Holder {
    One(usize),
    Several,
}

/// A proof, as far as a chain is made of it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Link<'l> {
    pub(super) place: &'l str,
    pub(super) id: Option<&'l str>,
    pub(super) previous: &'l [&'l str],
}

impl<'p> Chain<'p> {
    pub(super) fn of(proofs: &'p [Value]) -> Self {
        let mut by_id = HashMap::new();
        for (index, proof) in proofs.iter().enumerate() {
            if let Some(id) = proof.get("id").and_then(Value::as_str) {
                by_id
                    .entry(id)
                    .and_modify(|holder| *holder = Holder::Several)
                    .or_insert(Holder::One(index));
            }
        }
        Self { proofs, by_id }
    }

    /// The proofs that `link` rests on, in the order in which they stand.
    ///
    /// # Errors
    /// [`ProofError::MissingPrevious`], [`ProofError::DuplicateId`], [`ProofError::OwnPrevious`],
    /// [`ProofError::Cycle`].
    pub(super) fn earlier(&self, link: Link<'_>) -> Result<Vec<&'p Value>, ProofError> {
        let place = || link.place.to_owned();
        let mut earlier = vec![false; self.proofs.len()];
        for id in link.previous {
            if link.id == Some(id) {
                return Err(ProofError::OwnPrevious { place: place() });
            }
            let (place, id) = (place(), (*id).to_owned());
            match self.by_id.get(&*id) {
                Some(Holder::One(index)) => earlier[*index] = true,
                Some(Holder::Several) => return Err(ProofError::DuplicateId { place, id }),
                None => return Err(ProofError::MissingPrevious { place, id }),
            }
        }
        if self.leads_back(link) {
            return Err(ProofError::Cycle { place: place() });
        }
        let all = self.proofs.iter().zip(earlier);
        Ok(all
            .filter_map(|(proof, is_earlier)| is_earlier.then_some(proof))
            .collect())
    }

    /// Whether some proof has this id.
    pub(super) fn has(&self, id: &str) -> bool {
        self.by_id.contains_key(id)
    }

    /// Whether the proofs that `link` rests on rest on it. Each is looked at once.
    fn leads_back(&self, link: Link<'_>) -> bool {
        let Some(own) = link.id else {
            return false;
        };
        let mut seen = vec![false; self.proofs.len()];
        let mut left: Vec<&str> = link.previous.to_vec();
        while let Some(id) = left.pop() {
            if id == own {
                return true;
            }
            let Some(Holder::One(index)) = self.by_id.get(id) else {
                continue;
            };
            if !mem::replace(&mut seen[*index], true) {
                let previous = items(self.proofs[*index].get("previousProof"));
                left.extend(previous.iter().filter_map(Value::as_str));
            }
        }
        false
    }
}

/// The document that such a proof signs: with the earlier proofs, and no others.
pub(super) fn with_earlier(plain: &Value, earlier: &[&Value]) -> Value {
    let mut document = plain.clone();
    document["proof"] = earlier.iter().map(|proof| (*proof).clone()).collect();
    document
}
