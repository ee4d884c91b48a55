//! RDF dataset canonicalization, RDFC-1.0 (W3C Recommendation of 21 May 2024): the one text
//! that all datasets of the same meaning share, whatever their blank nodes are called. A proof
//! signs the hash of that text.
//!
//! Blank nodes that the statements around them tell apart (the usual case) are named in one
//! pass, `first_degree`. The others are told apart by the paths between them, `n_degree`,
//! which is exponential in the worst case and therefore runs under [`Limits`].

mod digest;
mod first_degree;
mod n_degree;

use thiserror::Error;

pub use digest::HashAlgorithm;
use first_degree::{NONE, Statements};

use super::rdf::Dataset;

/// How to canonicalize. The default is what `eddsa-rdfc-2022` signs: SHA-256, the related lists
/// as the Recommendation writes them, and the default limits.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Options {
    /// The hash that tells blank nodes apart. It is not the hash that a proof takes of the text.
    pub hash: HashAlgorithm,
    /// Which reading of Hash N-Degree Quads to follow.
    pub variant: Variant,
    /// When to give up.
    pub limits: Limits,
}

/// Two readings of step 3.1.2 of Hash N-Degree Quads (RDFC-1.0, section 4.8.3) are deployed. They
/// differ where one blank node is related to another by the same hash more than once, which
/// happens in graphs that a blank node names, such as embedded proofs.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Variant {
    /// A related blank node is listed once for each time it is met: the letter of the
    /// Recommendation.
    #[default]
    Listed,
    /// A related blank node is listed once for each hash.
    Deduplicated,
}

impl Variant {
    /// The other reading.
    pub const fn other(self) -> Self {
        match self {
            Self::Listed => Self::Deduplicated,
            Self::Deduplicated => Self::Listed,
        }
    }
}

/// Bounds against datasets made to keep a verifier busy (RDFC-1.0, section 7.1). All but the
/// first only matter to blank nodes that their own statements do not tell apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Most bytes of the statements written out, blank nodes' labels apart; default 32 MiB.
    pub bytes: usize,
    /// Most orders in which one list of alike blank nodes is tried; default 5,040, which is seven
    /// blank nodes that nothing tells apart.
    pub permutations: u64,
    /// Most steps altogether, where a step looks at one statement or one blank node of an order,
    /// or hashes 64 bytes; default 1,000,000, about a tenth of a second.
    pub work: u64,
    /// Most alike blank nodes in a row on one path; default 256, which bounds the call stack.
    pub depth: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            bytes: 32 * 1024 * 1024,
            permutations: 5_040,
            work: 1_000_000,
            depth: 256,
        }
    }
}

/// A dataset in canonical form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Canonical {
    /// The canonical N-Quads document: sorted lines, each ending in a line feed; empty for an
    /// empty dataset.
    pub nquads: String,
    /// `labels[n]` is the number N of the label `_:c14nN` that blank node `n` got, or `None`
    /// where no statement mentions it.
    pub labels: Vec<Option<u32>>,
    /// Whether the other [`Variant`] gives another text, so that verifiers elsewhere may disagree
    /// with a signature over this one. Never sign such a dataset; when verifying, try both.
    pub ambiguous: bool,
}

/// Why a dataset has no canonical form here.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum CanonError {
    /// The statements are too long.
    #[error("the statements are longer than the limit of {limit} bytes")]
    Bytes {
        /// [`Limits::bytes`].
        limit: usize,
    },
    /// A list of alike blank nodes has too many orders.
    #[error(
        "{nodes} blank nodes cannot be told apart by what is said of them, and the limit is \
         {limit} orders to try: give them ids, or say something different of each"
    )]
    Permutations {
        /// How many blank nodes stand in the list.
        nodes: usize,
        /// [`Limits::permutations`].
        limit: u64,
    },
    /// Telling the blank nodes apart takes too many steps.
    #[error(
        "telling the blank nodes apart takes more than the limit of {limit} steps: give the \
         nodes ids, or say something different of each"
    )]
    Work {
        /// [`Limits::work`].
        limit: u64,
    },
    /// Alike blank nodes form a path that is too long.
    #[error("more than {limit} blank nodes in a row cannot be told apart: give them ids")]
    Depth {
        /// [`Limits::depth`].
        limit: u32,
    },
    /// An IRI has a character with which its line could be read in two ways.
    #[error("the IRI <{iri}> has white space or one of <>\"{{}}|^`\\: percent-encode it")]
    Iri {
        /// The IRI.
        iri: String,
    },
    /// A language tag is not one.
    #[error("{tag:?} is not a language tag such as en or de-AT")]
    Language {
        /// The tag.
        tag: String,
    },
    /// A literal stands where only an IRI or a blank node can.
    #[error("the value {value:?} stands as a subject or a graph name")]
    Literal {
        /// Its lexical form.
        value: String,
    },
    /// A blank node has a number that the dataset's count rules out.
    #[error("blank node {number} stands in a dataset that counts {count} blank nodes")]
    Blank {
        /// The number.
        number: u32,
        /// [`Dataset::blank_count`].
        count: u32,
    },
}

/// The canonical form of a dataset (RDFC-1.0, section 4.4.3). Repeated statements count once.
///
/// # Errors
/// [`CanonError::Bytes`], [`CanonError::Permutations`], [`CanonError::Work`] and
/// [`CanonError::Depth`] where the limits are met; the others where the dataset is not RDF.
pub fn canonicalize(dataset: &Dataset, options: &Options) -> Result<Canonical, CanonError> {
    let statements = Statements::of(dataset, &options.limits)?;
    let first = statements.first_degree_hashes(options.hash);
    let (unique, shared) = Labels::of_unique(&first);
    let mut labels = unique.clone();
    let mut ambiguous = false;
    if !shared.is_empty() {
        let search = n_degree::Search {
            statements: &statements,
            first: &first,
            options,
        };
        let repeated = search.label(&shared, options.variant, &mut labels)?;
        if repeated {
            let mut others = unique;
            let other = search.label(&shared, options.variant.other(), &mut others);
            // A search that gives up cannot show that both texts agree.
            ambiguous = other.is_err()
                || statements.render(&labels.by_blank) != statements.render(&others.by_blank);
        }
    }
    let nquads = statements.render(&labels.by_blank);
    let labels = labels
        .by_blank
        .iter()
        .map(|&label| (label != NONE).then_some(label))
        .collect();
    Ok(Canonical {
        nquads,
        labels,
        ambiguous,
    })
}

/// The canonical issuer: which blank node got which number, in order of issue.
#[derive(Debug, Clone)]
struct Labels {
    by_blank: Vec<u32>,
    next: u32,
}

impl Labels {
    /// Labels for the blank nodes whose hash no other has, and the rest in groups of one hash;
    /// both in order of the hashes (steps 3 and 4).
    fn of_unique(first: &first_degree::Hashes) -> (Self, Vec<Vec<u32>>) {
        let mut labels = Self {
            by_blank: vec![NONE; first.by_blank.len()],
            next: 0,
        };
        let mut shared = Vec::new();
        for group in first.groups() {
            match group {
                [blank] => labels.issue(*blank),
                group => shared.push(group.to_vec()),
            }
        }
        (labels, shared)
    }

    fn issue(&mut self, blank: u32) {
        let label = &mut self.by_blank[blank as usize];
        if *label == NONE {
            *label = self.next;
            self.next += 1;
        }
    }

    fn get(&self, blank: u32) -> Option<u32> {
        Some(self.by_blank[blank as usize]).filter(|&label| label != NONE)
    }
}

#[cfg(test)]
mod tests {
    use super::super::nquads::tests::datasets;
    use super::super::nquads::{parse, write};
    use super::super::rdf::{Literal, RDF_LANG_STRING, Term};
    use super::*;
    use proptest::prelude::*;

    fn canonical(text: &str) -> Result<Canonical, CanonError> {
        canonicalize(&parse(text).unwrap().dataset, &Options::default())
    }

    #[test]
    fn an_empty_dataset_has_an_empty_form() {
        let expected = Canonical {
            nquads: String::new(),
            labels: vec![None],
            ambiguous: false,
        };
        let dataset = Dataset {
            quads: Vec::new(),
            blank_count: 1,
        };
        assert_eq!(canonicalize(&dataset, &Options::default()), Ok(expected));
    }

    #[test]
    fn a_lone_blank_node_and_repeated_statements_are_handled() {
        let got = canonical("_:x <urn:p> _:x .\n<urn:s> <urn:p> \"v\" .\n_:x <urn:p> _:x .");
        let expected = "<urn:s> <urn:p> \"v\" .\n_:c14n0 <urn:p> _:c14n0 .\n";
        assert_eq!(got.unwrap().nquads, expected);
    }

    /// Two embedded proofs whose own statements are alike, so that only a path through their
    /// graphs' names tells them apart. Each node meets its graph's name once per statement.
    const EMBEDDED_PROOFS: &str = "\
        <urn:all> <urn:proof> _:g0 .\n\
        _:p0 <urn:type> <urn:Proof> _:g0 .\n\
        _:p0 <urn:by> \"me\" _:g0 .\n\
        _:g0 <urn:holder> _:h0 .\n\
        _:h0 <urn:value> \"x\" .\n\
        <urn:all> <urn:proof> _:g1 .\n\
        _:p1 <urn:type> <urn:Proof> _:g1 .\n\
        _:p1 <urn:by> \"me\" _:g1 .\n\
        _:g1 <urn:holder> _:h1 .\n\
        _:h1 <urn:value> \"y\" .\n";

    #[test]
    fn what_the_two_readings_disagree_on_is_called_ambiguous() {
        let dataset = parse(EMBEDDED_PROOFS).unwrap().dataset;
        let listed = canonicalize(&dataset, &Options::default()).unwrap();
        let options = Options {
            variant: Variant::Deduplicated,
            ..Options::default()
        };
        let deduplicated = canonicalize(&dataset, &options).unwrap();
        assert_ne!(listed.nquads, deduplicated.nquads);
        assert!(listed.ambiguous && deduplicated.ambiguous);
    }

    #[test]
    fn graphs_without_end_are_refused_before_they_cost_much() {
        let clique = (0..12)
            .flat_map(|a| (0..12).map(move |b| (a, b)))
            .filter(|(a, b)| a != b);
        let clique: String = clique
            .map(|(a, b)| format!("_:n{a} <urn:p> _:n{b} .\n"))
            .collect();
        let limit = Limits::default().permutations;
        assert_eq!(
            canonical(&clique),
            Err(CanonError::Permutations { nodes: 11, limit })
        );

        let circle: String = (0..1000)
            .map(|n| format!("_:n{n} <urn:p> _:n{} .\n", (n + 1) % 1000))
            .collect();
        let limit = Limits::default().depth;
        assert_eq!(canonical(&circle), Err(CanonError::Depth { limit }));

        // Six layers of six, each all linked to the next: few orders in each list, but their
        // product is astronomical.
        let layers = (0..6).flat_map(|layer| {
            (0..36).map(move |n| {
                format!(
                    "_:n{layer}x{} <urn:p> _:n{}x{} .\n",
                    n / 6,
                    (layer + 1) % 6,
                    n % 6
                )
            })
        });
        let limit = Limits::default().work;
        assert_eq!(
            canonical(&layers.collect::<String>()),
            Err(CanonError::Work { limit })
        );
    }

    #[test]
    fn long_texts_cost_what_it_takes_to_write_and_to_hash_them() {
        let long = "a".repeat(300_000);
        let repeated: String = (0..200)
            .map(|n| format!("<urn:{long}> <urn:p> \"{n}\" .\n"))
            .collect();
        let limit = Limits::default().bytes;
        assert_eq!(canonical(&repeated), Err(CanonError::Bytes { limit }));

        let circle = |predicate: &str| -> String {
            (0..100)
                .map(|n| format!("_:n{n} <urn:{predicate}> _:n{} .\n", (n + 1) % 100))
                .collect()
        };
        assert!(canonical(&circle("p")).is_ok());
        let limit = Limits::default().work;
        assert_eq!(
            canonical(&circle(&long[..30_000])),
            Err(CanonError::Work { limit })
        );
    }

    #[test]
    fn terms_that_could_be_read_in_two_ways_are_refused() {
        let base = parse("<urn:s> <urn:p> \"v\" .").unwrap().dataset;
        let mut iri = base.clone();
        iri.quads[0].predicate = "urn:p> <urn:o> .\n<urn:x".into();
        let mut language = base.clone();
        language.quads[0].object = Term::Literal(Literal {
            value: "v".into(),
            datatype: RDF_LANG_STRING.into(),
            language: Some("en .\n<urn:x> <urn:p> <urn:o> ".into()),
        });
        let mut literal = base.clone();
        literal.quads[0].subject = base.quads[0].object.clone();
        let mut blank = base;
        blank.quads[0].graph = Some(Term::Blank(0));
        let refused = |dataset: &Dataset| canonicalize(dataset, &Options::default()).unwrap_err();
        assert!(matches!(refused(&iri), CanonError::Iri { .. }));
        assert!(matches!(refused(&language), CanonError::Language { .. }));
        assert_eq!(refused(&literal), CanonError::Literal { value: "v".into() });
        assert_eq!(
            refused(&blank),
            CanonError::Blank {
                number: 0,
                count: 0
            }
        );
        for c in " <>\"{}|^`\\\u{0}\u{1f}".chars() {
            let mut dataset = literal.clone();
            dataset.quads[0].subject = Term::Iri(format!("urn:a{c}b").into());
            assert!(matches!(refused(&dataset), CanonError::Iri { .. }), "{c:?}");
        }
        for c in "!#$%&'()*+,-./09:;=?@AZ[]_az~\u{7f}é🌃".chars() {
            let mut dataset = literal.clone();
            dataset.quads[0].subject = Term::Iri(format!("urn:a{c}b").into());
            assert!(canonicalize(&dataset, &Options::default()).is_ok(), "{c:?}");
        }
    }

    /// The same dataset with its blank nodes renumbered and its statements in another order.
    fn disguised(dataset: &Dataset, names: &[u32], order: &[usize]) -> Dataset {
        let mut other = dataset.clone();
        let rename = |term: &mut Term| {
            if let Term::Blank(number) = term {
                *number = names[*number as usize];
            }
        };
        for quad in &mut other.quads {
            rename(&mut quad.subject);
            rename(&mut quad.object);
            quad.graph.iter_mut().for_each(rename);
        }
        other.quads = order
            .iter()
            .map(|&place| other.quads[place].clone())
            .collect();
        other
    }

    fn disguises() -> impl Strategy<Value = (Dataset, Dataset)> {
        datasets(5, 14).prop_flat_map(|dataset| {
            let names = Just((0..5).collect::<Vec<u32>>()).prop_shuffle();
            let order = Just((0..dataset.quads.len()).collect::<Vec<_>>()).prop_shuffle();
            (Just(dataset), names, order).prop_map(|(dataset, names, order)| {
                let other = disguised(&dataset, &names, &order);
                (dataset, other)
            })
        })
    }

    proptest! {
        #[test]
        fn names_and_order_do_not_matter((dataset, other) in disguises()) {
            let options = Options::default();
            let (a, b) = (canonicalize(&dataset, &options), canonicalize(&other, &options));
            prop_assert_eq!(a.unwrap().nquads, b.unwrap().nquads);
        }

        #[test]
        fn the_canonical_form_is_its_own_and_means_the_same(dataset in datasets(5, 14)) {
            let options = Options::default();
            let canonical = canonicalize(&dataset, &options).unwrap();
            let back = parse(&canonical.nquads).unwrap().dataset;
            prop_assert_eq!(&canonicalize(&back, &options).unwrap().nquads, &canonical.nquads);
            // Put the issued labels in, and the sorted lines are the canonical form.
            let names: Vec<u32> = canonical.labels.iter().map(|label| label.unwrap_or(0)).collect();
            let order: Vec<usize> = (0..dataset.quads.len()).collect();
            let labelled = write(&disguised(&dataset, &names, &order)).replace("_:b", "_:c14n");
            let lines: std::collections::BTreeSet<_> = labelled.split_inclusive('\n').collect();
            prop_assert_eq!(lines.into_iter().collect::<String>(), canonical.nquads);
        }
    }
}
