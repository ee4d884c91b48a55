//! The classes of Open Badges 3.0 that the registry keeps and issues: Profile, Achievement,
//! EndorsementCredential and AchievementCredential, and of CLR 2.0 the ClrCredential. Each class is a table of its members
//! (`classes`), and one reader (`shape`) checks them all. What others have issued comes out of
//! pictures by [`baked`], and is held to the schema that it names by [`schema`].

mod achievement;
pub mod baked;
mod classes;
mod clr;
mod credential;
mod digest;
mod endorsement;
mod profile;
pub mod schema;
mod scope;
mod shape;

pub use achievement::Achievement;
pub use clr::{BundledError, Clr, ClrError, is_clr, nested_credentials};
pub(crate) use clr::{achievements, achievements_of, association_ends, described_in};
pub use credential::{
    Badge, CONTEXTS, OB_CONTEXT, OpenBadgesError, is_achievement_credential, is_ob_context,
};
pub use digest::{DigestError, DigestMultibase};
pub(crate) use endorsement::scope_of;
pub use endorsement::{Endorsement, EndorsementToIssue, SubjectKind, SubjectKindError};
pub use profile::{Issuer, Profile};
pub use scope::{
    Coverage, Jurisdiction, JurisdictionError, Limits, Need, Role, Scope, Wider, scope_context,
};
pub use shape::ShapeError;
