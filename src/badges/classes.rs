//! The classes of Open Badges 3.0 (section B.1 of the specification, "Credential Data Models") as
//! tables. A `type` of multiplicity `1..*` there is [`Kind::Types`] here, and one of `1` is
//! [`Kind::Type`].

use super::shape::{Kind, Member, Shape, optional, required};

/// The classes whose published JSON Schema has no room for other members than its own.
pub(super) const CLOSED: &[&str] = &["Image", "IdentifierEntry", "IdentityObject"];

/// What a client may say about a Profile. `name` is needed, since people know issuers by it.
/// Endorsements are not among it: the registry knows the live ones itself.
pub(super) static PROFILE_TO_KEEP: Shape = Shape {
    class: "Profile",
    members: &[&[required("name", Kind::Text)], &PROFILE_MEMBERS],
    one_of: &[],
};

/// A Profile inside another object.
pub(super) static PROFILE: Shape = Shape {
    class: "Profile",
    members: &[
        &[
            required("id", Kind::Uri),
            required("type", Kind::Types("Profile")),
            optional("name", Kind::Text),
        ],
        &PROFILE_MEMBERS,
        &EMBEDDED_ENDORSEMENTS,
    ],
    one_of: &[],
};

static PROFILE_MEMBERS: [Member; 17] = [
    optional("url", Kind::Url),
    optional("phone", Kind::Text),
    optional("description", Kind::Text),
    optional("image", Kind::Object(&IMAGE)),
    optional("email", Kind::Email),
    optional("address", Kind::Object(&ADDRESS)),
    optional("otherIdentifier", Kind::Objects(&IDENTIFIER_ENTRY)),
    optional("official", Kind::Text),
    optional("parentOrg", Kind::Object(&PROFILE)),
    optional("familyName", Kind::Text),
    optional("givenName", Kind::Text),
    optional("additionalName", Kind::Text),
    optional("patronymicName", Kind::Text),
    optional("honorificPrefix", Kind::Text),
    optional("honorificSuffix", Kind::Text),
    optional("familyNamePrefix", Kind::Text),
    optional("dateOfBirth", Kind::Date),
];

/// Each is verified and reported on its own; here only their place is looked at.
pub(super) static EMBEDDED_ENDORSEMENTS: [Member; 2] = [
    optional("endorsement", Kind::Opaques),
    optional("endorsementJwt", Kind::CompactJws),
];

/// What a client may say about an Achievement.
pub(super) static ACHIEVEMENT_TO_KEEP: Shape = Shape {
    class: "Achievement",
    members: &[&ACHIEVEMENT_MEMBERS],
    one_of: &[],
};

/// An Achievement inside a credential.
pub(super) static ACHIEVEMENT: Shape = Shape {
    class: "Achievement",
    members: &[
        &[
            required("id", Kind::Uri),
            required("type", Kind::Types("Achievement")),
        ],
        &ACHIEVEMENT_MEMBERS,
        &EMBEDDED_ENDORSEMENTS,
    ],
    one_of: &[],
};

static ACHIEVEMENT_MEMBERS: [Member; 17] = [
    required("name", Kind::Text),
    required("description", Kind::Text),
    required("criteria", Kind::Object(&CRITERIA)),
    optional("achievementType", Kind::OpenWord(ACHIEVEMENT_TYPES)),
    optional("alignment", Kind::Objects(&ALIGNMENT)),
    optional("creator", Kind::Object(&PROFILE)),
    optional("creditsAvailable", Kind::Number),
    optional("fieldOfStudy", Kind::Text),
    optional("humanCode", Kind::Text),
    optional("image", Kind::Object(&IMAGE)),
    optional("inLanguage", Kind::Language),
    optional("otherIdentifier", Kind::Objects(&IDENTIFIER_ENTRY)),
    optional("related", Kind::Objects(&RELATED)),
    optional("resultDescription", Kind::Objects(&RESULT_DESCRIPTION)),
    optional("specialization", Kind::Text),
    optional("tag", Kind::Texts),
    optional("version", Kind::Text),
];

/// The subject of a badge.
pub(super) static ACHIEVEMENT_SUBJECT: Shape = Shape {
    class: "AchievementSubject",
    members: &[&[
        optional("id", Kind::Uri),
        required("type", Kind::Types("AchievementSubject")),
        required("achievement", Kind::Object(&ACHIEVEMENT)),
        optional("activityStartDate", Kind::DateTime),
        optional("activityEndDate", Kind::DateTime),
        optional("creditsEarned", Kind::Number),
        optional("identifier", Kind::Objects(&IDENTITY_OBJECT)),
        optional("image", Kind::Object(&IMAGE)),
        optional("licenseNumber", Kind::Text),
        optional("narrative", Kind::Text),
        optional("result", Kind::Objects(&RESULT)),
        optional("role", Kind::Text),
        optional("source", Kind::Object(&PROFILE)),
        optional("term", Kind::Text),
    ]],
    one_of: &["id", "identifier"],
};

/// What Open Badges adds to the envelope of a credential, for a badge. The envelope itself is
/// read by `vc::credential`.
pub(super) static ACHIEVEMENT_CREDENTIAL: Shape = Shape {
    class: "AchievementCredential",
    members: &[
        &CREDENTIAL_MEMBERS,
        &[
            required("credentialSubject", Kind::Object(&ACHIEVEMENT_SUBJECT)),
            optional("image", Kind::Object(&IMAGE)),
            optional("evidence", Kind::Objects(&EVIDENCE)),
        ],
        &EMBEDDED_ENDORSEMENTS,
    ],
    one_of: &[],
};

/// What Open Badges adds to the envelope of a credential, for an endorsement.
pub(super) static ENDORSEMENT_CREDENTIAL: Shape = Shape {
    class: "EndorsementCredential",
    members: &[
        &[required("id", Kind::Uri)],
        &CREDENTIAL_MEMBERS,
        &[
            required("credentialSubject", Kind::Object(&ENDORSEMENT_SUBJECT)),
            optional("relatedResource", Kind::Objects(&RELATED_RESOURCE)),
        ],
    ],
    one_of: &[],
};

static CREDENTIAL_MEMBERS: [Member; 4] = [
    required("name", Kind::Text),
    required("issuer", Kind::UriOrObject(&PROFILE)),
    optional("description", Kind::Text),
    optional("awardedDate", Kind::DateTime),
];

pub(super) static ENDORSEMENT_SUBJECT: Shape = Shape {
    class: "EndorsementSubject",
    members: &[&[
        required("id", Kind::Uri),
        required("type", Kind::Types("EndorsementSubject")),
        optional("endorsementComment", Kind::Text),
    ]],
    one_of: &[],
};

/// What CLR 2.0 adds to the envelope of a credential, for a record.
pub(super) static CLR_CREDENTIAL: Shape = Shape {
    class: "ClrCredential",
    members: &[
        &CREDENTIAL_MEMBERS,
        &[
            required("credentialSubject", Kind::Object(&CLR_SUBJECT)),
            optional("image", Kind::Object(&IMAGE)),
            optional("partial", Kind::Boolean),
            optional("evidence", Kind::Objects(&EVIDENCE)),
        ],
        &EMBEDDED_ENDORSEMENTS,
    ],
    one_of: &[],
};

/// The subject of a ClrCredential (CLR 2.0, section B.1).
pub(super) static CLR_SUBJECT: Shape = Shape {
    class: "ClrSubject",
    members: &[&[
        optional("id", Kind::Uri),
        required("type", Kind::Types("ClrSubject")),
        optional("identifier", Kind::Objects(&IDENTITY_OBJECT)),
        optional("achievement", Kind::Objects(&ACHIEVEMENT)),
        required("verifiableCredential", Kind::Opaques),
        optional("association", Kind::Objects(&ASSOCIATION)),
    ]],
    one_of: &["id", "identifier"],
};

static ASSOCIATION: Shape = Shape {
    class: "Association",
    members: &[&[
        required("type", Kind::Type("Association")),
        required("associationType", Kind::Word(ASSOCIATION_TYPES)),
        required("sourceId", Kind::Uri),
        required("targetId", Kind::Uri),
    ]],
    one_of: &[],
};

/// VCDM 2.0, section 5.3.
static RELATED_RESOURCE: Shape = Shape {
    class: "relatedResource",
    members: &[&[
        required("id", Kind::Uri),
        optional("mediaType", Kind::Text),
        optional("digestSRI", Kind::Text),
        optional("digestMultibase", Kind::Text),
    ]],
    one_of: &["digestSRI", "digestMultibase"],
};

pub(super) static IMAGE: Shape = Shape {
    class: "Image",
    members: &[&[
        required("id", Kind::ImageUri),
        required("type", Kind::Type("Image")),
        optional("caption", Kind::Text),
    ]],
    one_of: &[],
};

static ADDRESS: Shape = Shape {
    class: "Address",
    members: &[&[
        required("type", Kind::Types("Address")),
        optional("addressCountry", Kind::Text),
        optional("addressCountryCode", Kind::Country),
        optional("addressRegion", Kind::Text),
        optional("addressLocality", Kind::Text),
        optional("streetAddress", Kind::Text),
        optional("postOfficeBoxNumber", Kind::Text),
        optional("postalCode", Kind::Text),
        optional("geo", Kind::Object(&GEO_COORDINATES)),
    ]],
    one_of: &[],
};

static GEO_COORDINATES: Shape = Shape {
    class: "GeoCoordinates",
    members: &[&[
        required("type", Kind::Type("GeoCoordinates")),
        required("latitude", Kind::Number),
        required("longitude", Kind::Number),
    ]],
    one_of: &[],
};

static IDENTIFIER_ENTRY: Shape = Shape {
    class: "IdentifierEntry",
    members: &[&[
        required("type", Kind::Type("IdentifierEntry")),
        required("identifier", Kind::Text),
        required("identifierType", Kind::OpenWord(IDENTIFIER_TYPES)),
    ]],
    one_of: &[],
};

pub(super) static IDENTITY_OBJECT: Shape = Shape {
    class: "IdentityObject",
    members: &[&[
        required("type", Kind::Type("IdentityObject")),
        required("hashed", Kind::Boolean),
        required("identityHash", Kind::Text),
        required("identityType", Kind::OpenWord(IDENTIFIER_TYPES)),
        optional("salt", Kind::Text),
    ]],
    one_of: &[],
};

static CRITERIA: Shape = Shape {
    class: "Criteria",
    members: &[&[optional("id", Kind::Uri), optional("narrative", Kind::Text)]],
    one_of: &["id", "narrative"],
};

static ALIGNMENT: Shape = Shape {
    class: "Alignment",
    members: &[&[
        required("type", Kind::Types("Alignment")),
        required("targetName", Kind::Text),
        required("targetUrl", Kind::Url),
        optional("targetCode", Kind::Text),
        optional("targetDescription", Kind::Text),
        optional("targetFramework", Kind::Text),
        optional("targetType", Kind::OpenWord(ALIGNMENT_TYPES)),
    ]],
    one_of: &[],
};

static RELATED: Shape = Shape {
    class: "Related",
    members: &[&[
        required("id", Kind::Uri),
        required("type", Kind::Types("Related")),
        optional("inLanguage", Kind::Language),
        optional("version", Kind::Text),
    ]],
    one_of: &[],
};

static RESULT_DESCRIPTION: Shape = Shape {
    class: "ResultDescription",
    members: &[&[
        required("id", Kind::Uri),
        required("type", Kind::Types("ResultDescription")),
        required("name", Kind::Text),
        required("resultType", Kind::OpenWord(RESULT_TYPES)),
        optional("alignment", Kind::Objects(&ALIGNMENT)),
        optional("allowedValue", Kind::Texts),
        optional("requiredLevel", Kind::Uri),
        optional("requiredValue", Kind::Text),
        optional("rubricCriterionLevel", Kind::Objects(&RUBRIC_LEVEL)),
        optional("valueMax", Kind::Text),
        optional("valueMin", Kind::Text),
    ]],
    one_of: &[],
};

static RUBRIC_LEVEL: Shape = Shape {
    class: "RubricCriterionLevel",
    members: &[&[
        required("id", Kind::Uri),
        required("type", Kind::Types("RubricCriterionLevel")),
        required("name", Kind::Text),
        optional("alignment", Kind::Objects(&ALIGNMENT)),
        optional("description", Kind::Text),
        optional("level", Kind::Text),
        optional("points", Kind::Text),
    ]],
    one_of: &[],
};

static RESULT: Shape = Shape {
    class: "Result",
    members: &[&[
        required("type", Kind::Types("Result")),
        optional("achievedLevel", Kind::Uri),
        optional("alignment", Kind::Objects(&ALIGNMENT)),
        optional("resultDescription", Kind::Uri),
        optional("status", Kind::Word(RESULT_STATUSES)),
        optional("value", Kind::Text),
    ]],
    one_of: &[],
};

pub(super) static EVIDENCE: Shape = Shape {
    class: "Evidence",
    members: &[&[
        optional("id", Kind::Uri),
        required("type", Kind::Types("Evidence")),
        optional("narrative", Kind::Text),
        optional("name", Kind::Text),
        optional("description", Kind::Text),
        optional("genre", Kind::Text),
        optional("audience", Kind::Text),
    ]],
    one_of: &[],
};

pub(super) const ACHIEVEMENT_TYPES: &[&str] = &[
    "Achievement",
    "ApprenticeshipCertificate",
    "Assessment",
    "Assignment",
    "AssociateDegree",
    "Award",
    "Badge",
    "BachelorDegree",
    "Certificate",
    "CertificateOfCompletion",
    "Certification",
    "CommunityService",
    "Competency",
    "Course",
    "CoCurricular",
    "Degree",
    "Diploma",
    "DoctoralDegree",
    "Fieldwork",
    "GeneralEducationDevelopment",
    "JourneymanCertificate",
    "LearningProgram",
    "License",
    "Membership",
    "ProfessionalDoctorate",
    "QualityAssuranceCredential",
    "MasterCertificate",
    "MasterDegree",
    "MicroCredential",
    "ResearchDoctorate",
    "SecondarySchoolDiploma",
];

const ALIGNMENT_TYPES: &[&str] = &[
    "ceasn:Competency",
    "ceterms:Credential",
    "CFItem",
    "CFRubric",
    "CFRubricCriterion",
    "CFRubricCriterionLevel",
    "CTDL",
];

const ASSOCIATION_TYPES: &[&str] = &[
    "exactMatchOf",
    "isChildOf",
    "isParentOf",
    "isPartOf",
    "isPeerOf",
    "isRelatedTo",
    "precedes",
    "replacedBy",
];

const IDENTIFIER_TYPES: &[&str] = &[
    "name",
    "sourcedId",
    "systemId",
    "productId",
    "userName",
    "accountId",
    "emailAddress",
    "nationalIdentityNumber",
    "isbn",
    "issn",
    "lisSourcedId",
    "oneRosterSourcedId",
    "sisSourcedId",
    "ltiContextId",
    "ltiDeploymentId",
    "ltiToolId",
    "ltiPlatformId",
    "ltiUserId",
    "identifier",
];

const RESULT_TYPES: &[&str] = &[
    "GradePointAverage",
    "LetterGrade",
    "Percent",
    "PerformanceLevel",
    "PredictedScore",
    "RawScore",
    "Result",
    "RubricCriterion",
    "RubricCriterionLevel",
    "RubricScore",
    "ScaledScore",
    "Status",
];

const RESULT_STATUSES: &[&str] = &[
    "Completed",
    "Enrolled",
    "Failed",
    "InProgress",
    "OnHold",
    "Provisional",
    "Withdrew",
];
