//! The classes of Open Badges 3.0 that the registry keeps and issues: Profile, Achievement,
//! EndorsementCredential and AchievementCredential. Each class is a table of its members
//! (`classes`), and one reader (`shape`) checks them all. What others have issued comes out of
//! pictures by [`baked`], and is held to the schema that it names by [`schema`].

mod achievement;
pub mod baked;
mod classes;
mod credential;
mod digest;
mod endorsement;
mod profile;
pub mod schema;
mod scope;
mod shape;

pub use achievement::Achievement;
pub use credential::{Badge, CONTEXTS, OB_CONTEXT, OpenBadgesError, is_achievement_credential};
pub use digest::{DigestError, DigestMultibase};
pub use endorsement::{Endorsement, EndorsementToIssue, SubjectKind, SubjectKindError};
pub use profile::{Issuer, Profile};
pub use scope::{
    Coverage, Jurisdiction, JurisdictionError, Need, Role, Scope, Wider, scope_context,
};
pub use shape::ShapeError;
