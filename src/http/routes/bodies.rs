//! The schemas of the bodies that routes take.

use utoipa::openapi::RefOr;
use utoipa::openapi::schema::Schema;
use utoipa::{PartialSchema, ToSchema};

/// The schema of a body.
pub struct Body {
    /// Its media type.
    pub media: &'static str,
    /// Its name among the schemas.
    pub name: fn() -> std::borrow::Cow<'static, str>,
    /// The schema.
    pub schema: fn() -> RefOr<Schema>,
    /// Adds the schemas that it refers to.
    pub parts: fn(&mut Vec<(String, RefOr<Schema>)>),
}

pub(super) const fn body<T: ToSchema + PartialSchema>() -> Option<Body> {
    body_as::<T>("application/json")
}

pub(super) const fn form<T: ToSchema + PartialSchema>() -> Option<Body> {
    body_as::<T>("application/x-www-form-urlencoded")
}

/// A form with a file in it.
pub(super) const fn upload<T: ToSchema + PartialSchema>() -> Option<Body> {
    body_as::<T>("multipart/form-data")
}

const fn body_as<T: ToSchema + PartialSchema>(media: &'static str) -> Option<Body> {
    Some(Body {
        media,
        name: T::name,
        schema: T::schema,
        parts: T::schemas,
    })
}
