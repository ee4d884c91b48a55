//! Hash N-Degree Quads (RDFC-1.0, sections 4.7 and 4.8): blank nodes whose own statements look
//! alike are told apart by the paths that lead from them to other blank nodes.

use std::cell::Cell;

use super::digest::Hash;
use super::first_degree::{Hashes, Statements, push_number};
use super::{CanonError, Labels, Options, Variant};

/// The search for labels for the blank nodes that share a first-degree hash.
#[derive(Debug)]
pub(super) struct Search<'a> {
    pub(super) statements: &'a Statements,
    pub(super) first: &'a Hashes,
    pub(super) options: &'a Options,
}

impl Search<'_> {
    /// Labels the blank nodes of each group (step 5 of the canonicalization algorithm). Returns
    /// whether a related blank node was met twice under one hash, which is where the two
    /// [`Variant`]s part.
    pub(super) fn label(
        &self,
        groups: &[Vec<u32>],
        variant: Variant,
        labels: &mut Labels,
    ) -> Result<bool, CanonError> {
        let walk = Walk {
            search: self,
            variant,
            spent: Cell::new(0),
            repeated: Cell::new(false),
        };
        for group in groups {
            let mut paths = Vec::new();
            for &blank in group {
                if labels.get(blank).is_none() {
                    let issuer = Issuer { order: vec![blank] };
                    paths.push(walk.n_degree(labels, blank, issuer, 0)?);
                }
            }
            paths.sort_by_key(|(hash, _)| *hash);
            for (_, issuer) in paths {
                for blank in issuer.order {
                    labels.issue(blank);
                }
            }
        }
        Ok(walk.repeated.get())
    }
}

/// A temporary issuer: blank node `order[n]` is `_:bn`.
#[derive(Debug, Clone)]
struct Issuer {
    order: Vec<u32>,
}

impl Issuer {
    fn get(&self, blank: u32) -> Option<u32> {
        self.order
            .iter()
            .position(|&issued| issued == blank)
            .map(|place| place as u32)
    }

    /// The number of the blank node, and whether it is new.
    fn issue(&mut self, blank: u32) -> (u32, bool) {
        match self.get(blank) {
            Some(number) => (number, false),
            None => {
                self.order.push(blank);
                (self.order.len() as u32 - 1, true)
            }
        }
    }
}

/// A search under one reading of the algorithm, with what it has spent so far.
struct Walk<'a> {
    search: &'a Search<'a>,
    variant: Variant,
    spent: Cell<u64>,
    repeated: Cell<bool>,
}

/// The best order of a list so far: its path, and the temporary issuer after it.
type Chosen = Option<(Vec<u8>, Issuer)>;

impl Walk<'_> {
    /// The hash of what lies around `blank`, and the issuer with the names given on the way.
    fn n_degree(
        &self,
        labels: &Labels,
        blank: u32,
        mut issuer: Issuer,
        depth: u32,
    ) -> Result<(Hash, Issuer), CanonError> {
        let limit = self.search.options.limits.depth;
        if depth >= limit {
            return Err(CanonError::Depth { limit });
        }
        let mut data = Vec::new();
        let related = self.related(labels, blank, &issuer)?;
        for list in related.chunk_by(|a, b| a.0 == b.0) {
            self.search.options.hash.push_hex(&mut data, &list[0].0);
            let order = self.order(list);
            let (path, after) = self.best_path(labels, order, &issuer, depth)?;
            data.extend_from_slice(&path);
            issuer = after;
        }
        self.spend(data.len() / 64)?;
        Ok((self.search.options.hash.hash(&data), issuer))
    }

    /// The other blank nodes in the statements of `blank`, sorted by their related hashes
    /// (step 3, with Hash Related Blank Node).
    fn related(
        &self,
        labels: &Labels,
        blank: u32,
        issuer: &Issuer,
    ) -> Result<Vec<(Hash, u32)>, CanonError> {
        let statements = self.search.statements;
        let mut related = Vec::new();
        let mut input = Vec::new();
        for statement in statements.mentioning(blank) {
            self.spend(1 + issuer.order.len() / 16)?;
            for (position, other) in [b's', b'o', b'g'].into_iter().zip(statement.blanks) {
                if other == super::NONE || other == blank {
                    continue;
                }
                input.clear();
                input.push(position);
                if position != b'g' {
                    let predicate = statements.predicate(statement);
                    self.spend(predicate.len() / 64)?;
                    input.extend_from_slice(predicate.as_bytes());
                }
                if !push_name(&mut input, labels, other, issuer.get(other)) {
                    let first = &self.search.first.by_blank[other as usize];
                    self.search.options.hash.push_hex(&mut input, first);
                }
                related.push((self.search.options.hash.hash(&input), other));
            }
        }
        related.sort_unstable();
        Ok(related)
    }

    /// The blank nodes of one related list in their first order, under the variant's reading.
    fn order(&self, list: &[(Hash, u32)]) -> Vec<u32> {
        let mut order: Vec<u32> = list.iter().map(|&(_, blank)| blank).collect();
        let before = order.len();
        order.dedup();
        if order.len() < before {
            self.repeated.set(true);
            if self.variant == Variant::Listed {
                return list.iter().map(|&(_, blank)| blank).collect();
            }
        }
        order
    }

    /// The least path over all orders of a list (steps 5.2 to 5.4). Orders that only swap equal
    /// blank nodes have equal paths, and are tried once.
    fn best_path(
        &self,
        labels: &Labels,
        mut order: Vec<u32>,
        issuer: &Issuer,
        depth: u32,
    ) -> Result<(Vec<u8>, Issuer), CanonError> {
        let limit = self.search.options.limits.permutations;
        if orders(&order) > u128::from(limit) {
            return Err(CanonError::Permutations {
                nodes: order.len(),
                limit,
            });
        }
        let mut chosen = None;
        loop {
            self.spend(1 + order.len() + issuer.order.len() / 16)?;
            self.try_order(labels, &order, issuer, depth, &mut chosen)?;
            if !next_order(&mut order) {
                return Ok(chosen.expect("the first order is always chosen over none"));
            }
        }
    }

    /// Walks one order, and chooses it where its path is less than the best so far.
    fn try_order(
        &self,
        labels: &Labels,
        order: &[u32],
        issuer: &Issuer,
        depth: u32,
        chosen: &mut Chosen,
    ) -> Result<(), CanonError> {
        let mut issuer = issuer.clone();
        let mut path = Vec::new();
        let mut recursion = Vec::new();
        for &blank in order {
            if !push_name(&mut path, labels, blank, None) {
                let (number, new) = issuer.issue(blank);
                if new {
                    recursion.push((blank, number));
                }
                push_temporary(&mut path, number);
            }
            if is_hopeless(&path, chosen) {
                return Ok(());
            }
        }
        for (blank, number) in recursion {
            let (hash, after) = self.n_degree(labels, blank, issuer, depth + 1)?;
            issuer = after;
            push_temporary(&mut path, number);
            path.push(b'<');
            self.search.options.hash.push_hex(&mut path, &hash);
            path.push(b'>');
            if is_hopeless(&path, chosen) {
                return Ok(());
            }
        }
        self.spend(path.len() / 64)?;
        if chosen.as_ref().is_none_or(|(best, _)| path < *best) {
            *chosen = Some((path, issuer));
        }
        Ok(())
    }

    fn spend(&self, steps: usize) -> Result<(), CanonError> {
        let limit = self.search.options.limits.work;
        let spent = self.spent.get().saturating_add(steps as u64);
        self.spent.set(spent);
        if spent > limit {
            Err(CanonError::Work { limit })
        } else {
            Ok(())
        }
    }
}

/// Whether no continuation of the path can be less than the best so far (steps 5.4.4.3, 5.4.5.5).
fn is_hopeless(path: &[u8], chosen: &Chosen) -> bool {
    chosen
        .as_ref()
        .is_some_and(|(best, _)| path.len() >= best.len() && path > best.as_slice())
}

/// Appends the canonical label, or else the temporary one; false where there is neither.
fn push_name(out: &mut Vec<u8>, labels: &Labels, blank: u32, temporary: Option<u32>) -> bool {
    if let Some(label) = labels.get(blank) {
        out.extend_from_slice(b"_:c14n");
        push_number(out, label);
        return true;
    }
    if let Some(number) = temporary {
        push_temporary(out, number);
    }
    temporary.is_some()
}

fn push_temporary(out: &mut Vec<u8>, number: u32) {
    out.extend_from_slice(b"_:b");
    push_number(out, number);
}

/// How many distinct orders a sorted list has; saturates.
fn orders(sorted: &[u32]) -> u128 {
    let mut orders: u128 = 1;
    let mut placed: u128 = 0;
    for group in sorted.chunk_by(|a, b| a == b) {
        // Times "placed + n over n", kept whole by dividing after each factor.
        for n in 1..=group.len() as u128 {
            placed += 1;
            match orders.checked_mul(placed) {
                Some(product) => orders = product / n,
                None => return u128::MAX,
            }
        }
    }
    orders
}

/// Steps to the next order of a list, from the sorted one to the one that is sorted downwards;
/// false after that. Equal entries are never swapped with each other.
fn next_order(order: &mut [u32]) -> bool {
    let Some(pivot) = order.windows(2).rposition(|pair| pair[0] < pair[1]) else {
        return false;
    };
    let successor = order
        .iter()
        .rposition(|&blank| blank > order[pivot])
        .expect("the entry behind the pivot is greater");
    order.swap(pivot, successor);
    order[pivot + 1..].reverse();
    true
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn orders_of_alike_entries_are_counted_once() {
        assert_eq!(orders(&[]), 1);
        assert_eq!(orders(&[1, 2, 3]), 6);
        assert_eq!(orders(&[1, 1, 2, 2]), 6);
        assert_eq!(orders(&[7; 40]), 1);
        assert_eq!(orders(&(0..60).collect::<Vec<_>>()), u128::MAX);
    }

    proptest! {
        #[test]
        fn every_order_is_met_exactly_once(mut list in proptest::collection::vec(0u32..4, 0..7)) {
            list.sort_unstable();
            let expected = orders(&list);
            let mut seen = std::collections::BTreeSet::new();
            loop {
                prop_assert!(seen.insert(list.clone()));
                if !next_order(&mut list) {
                    break;
                }
            }
            prop_assert_eq!(seen.len() as u128, expected);
        }
    }
}
