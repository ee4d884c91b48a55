//! The table of routes. Dispatch, `OPTIONS`, the OpenAPI description and `/docs` all read it. The pages of the
//! console stand in a table of their own (`console.rs`), since they are for people and no part of the interface
//! that programs are promised: the description, `/docs` and scopes know nothing of them.

mod bodies;
mod console;
mod finding;
mod making;
mod members;
mod reach;

use std::pin::Pin;
use std::sync::Arc;

use tokio::runtime::Handle;
use tokio::sync::OwnedSemaphorePermit;

use super::edge::Edge;
use super::problem::Problem;
use super::reply::Reply;
use super::request::{Request, WhyBody};
use super::{
    achievements, assets, audit, backups, bulk, check, codes, credentials, endorsements, erasing,
    federation as oidf, feed, health, home, keys, lists, oauth, open_badges, openapi, people,
    profiles, published, put_back, requests, signatures, standing, statuses, tokens, trqp,
    trust_marks, updates, usage, verification, wellknown,
};
use crate::access::Action;
use bodies::{body, form, upload};
use making::*;
pub(super) use making::{FEED, LIST, LIST_2021, TOKEN_LIST, TRAIL};
use members::{
    ACCREDITOR, APPROVED, AUTHORIZE, AUTHORIZE_NEEDS, CLIENT, ENDORSED, IMPORTING, KEY, LOST_KEY,
    PAGING, PERSON_INVITED, REQUESTED, SECURED, STANDING, STATEMENT, TRQP, UPDATED,
};

pub use bodies::Body;
pub use console::CONSOLE_ROUTES;
pub(super) use finding::{at, every};
pub(crate) use reach::reach;

/// Who may call a route.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Everybody. Some of these answers tell those more who may read what is private.
    Public,
    /// Who may do this; in development mode everybody on this machine.
    Needs(Action),
    /// Whoever shows who they are in another way than by a bearer token, which its handler looks at:
    /// a client of OAuth 2.0.
    Client,
    /// Who comes by a browser, to a page of the console.
    Page(Door),
}

/// Who comes in at a page of the console. No bearer token opens one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Door {
    /// Everybody.
    Open,
    /// Whoever is signed in.
    SignedIn,
    /// Whoever is signed in and may do this.
    May(Action),
}

impl Access {
    /// Whether it needs a bearer token.
    pub const fn is_private(self) -> bool {
        matches!(self, Self::Needs(_))
    }

    /// Whether it is a page of the console.
    pub(super) const fn is_page(self) -> bool {
        matches!(self, Self::Page(_))
    }

    /// Whether it is known who calls it.
    pub(super) const fn knows_who(self) -> bool {
        !matches!(self, Self::Public | Self::Client | Self::Page(Door::Open))
    }

    /// What it needs, or what makes it tell more.
    pub const fn action(self) -> Action {
        match self {
            Self::Public | Self::Client | Self::Page(Door::Open | Door::SignedIn) => Action::Read,
            Self::Needs(action) | Self::Page(Door::May(action)) => action,
        }
    }
}

/// Whether somebody could try what a route answers to by guessing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Guessed {
    /// Nobody could.
    Never,
    /// By every request.
    Always,
    /// By those with this parameter in their query.
    By(&'static str),
}

/// What a handler is.
pub type Handler = fn(&Edge, &Request) -> Result<Reply, Problem>;

/// An answer that is waited for without a thread.
pub type Answering = Pin<Box<dyn Future<Output = Result<Reply, Problem>> + Send>>;

/// A handler that hands the request to whoever sees to many of them at once; `None` where the other
/// handler is to answer it. It goes on by the threads that may block; the permit is held until the request
/// is seen to, also where its caller has gone meanwhile.
pub type InLine = fn(&Arc<Edge>, &Handle, &Request, Permit) -> Option<Answering>;

/// One of the permits of which there are as many as requests may be seen to at a time.
pub type Permit = Option<Arc<OwnedSemaphorePermit>>;

/// One route.
pub struct Route {
    /// GET (which answers HEAD as well), POST, PUT or DELETE.
    pub method: &'static str,
    /// The path; `{name}` stands for one segment.
    pub path: &'static str,
    /// Who may call it.
    pub access: Access,
    /// Whether its body may be as large as bulk updates are.
    pub bulk: bool,
    /// Whether updates that come as a table may be longer than that.
    pub takes_long_tables: bool,
    /// Whether its answer may wait for others on the network.
    pub goes_outside: bool,
    /// Whether somebody could try what it answers to by guessing, so that requests are counted by where they
    /// come from, and in all.
    pub guessed_at: Guessed,
    /// The parameter that asks for a signed list as it was, which costs more than the present one.
    pub past: Option<&'static str>,
    /// What it does, in a line.
    pub summary: &'static str,
    /// Parameters of its query.
    pub query: &'static [&'static str],
    /// Those of them that have to be there.
    pub needed: &'static [&'static str],
    /// Whether other parameters are ignored, as its standard demands, rather than refused.
    pub lenient: bool,
    /// The body that it takes.
    pub body: Option<Body>,
    /// Media types in which it takes the same as text.
    pub also: &'static [&'static str],
    /// The status of its answer when all is well.
    pub success: u16,
    /// Media types of that answer, the default first.
    pub media: &'static [&'static str],
    /// Members that its JSON always has; none where it is an array.
    pub members: &'static [&'static str],
    /// Members that it has instead where a change was only tried out.
    pub tried: &'static [&'static str],
    /// What answers it.
    pub handler: Handler,
    /// What answers it where that can be had with others.
    pub in_line: Option<InLine>,
}

/// Where somebody signs in for a client.
pub(super) const AUTHORIZE_PATH: &str = "/oauth/authorize";

/// Every route, the busiest first.
#[rustfmt::skip]
pub static ROUTES: &[Route] = &[
    gives(as_it_was(get("/status-lists/{list}", "A signed BitstringStatusListCredential, now or as it was at a moment in the past", lists::show), &["timestamp"]), LIST, SECURED),
    gives(as_it_was(get("/status-lists/{list}/2021", "The same list as a signed StatusList2021Credential, now or as it was", lists::show_2021), &["timestamp"]), LIST_2021, SECURED),
    gives(needing(with_query(get("/token-status-lists", "Where an issuer's token lists are", lists::aggregate), &["issuer"]), &["issuer"]), JSON, &["status_lists"]),
    gives(as_it_was(get("/token-status-lists/{list}", "A signed Token Status List, now or as it was at a moment in the past", lists::show_token), &["time"]), TOKEN_LIST, &[]),
    gives(with_query(get("/events/published", "Change feed: each list and its revision as it is published, as server-sent events", feed::show), &["since"]), FEED, &[]),
    gives(with_query(get("/status", "The status of one entry, or of a credential by its id, now or at a moment in the past", statuses::look_up), &["list", "index", "credential", "issuer", "at"]), JSON, &["outcome", "asOf"]),
    gives(ask("/status/query", "The status of up to 10,000 entries or credentials, now or at a moment in the past", body::<statuses::StatusQuery>(), statuses::query), JSON, &["results", "asOf"]),
    gives(with_query(get("/endorsements", "Endorsements by subject, endorser, kind, moment and standing", endorsements::list), &["subject", "endorser", "kind", "at", "standing", "limit", "cursor"]), JSON, &["endorsements", "asOf"]),
    gives(ask("/endorsements/query", "Who stands behind each of up to 1,000 subjects, and by which path", body::<endorsements::EndorsementsQuery>(), endorsements::query), JSON, &["results", "asOf"]),
    gives(goes_outside(ask("/standing/query", "Whether up to 1,000 credentials are in good standing, and who stands behind their issuers; signed where that is asked for", body::<standing::StandingQuery>(), standing::query)), STANDING, &["results", "asOf"]),
    gives(needing(with_query(get("/standing", "Whether a credential is in good standing, by its id, and who stands behind its issuer", standing::look_up), &["credential", "trustAnchors", "jurisdiction", "at"]), &["credential"]), JSON, &["credential", "outcome", "status", "asOf"]),
    gives(guessed_at(get("/codes/{code}", "Whether the one credential with this verification code is in good standing, and who stands behind its issuer; nothing of its holder", codes::look_up)), JSON, &["outcome", "decidedBy", "detail", "status", "issuer", "asOf"]),
    gives(get("/endorsements/{endorsement}", "A signed EndorsementCredential, or its page", endorsements::show), CREDENTIAL, &["@context", "id", "type"]),
    gives(goes_outside(ask("/credentials/verify", "Verify a credential, also as a JWT or a baked image (VCALM)", body::<verification::VerifyRequest>(), verification::verify)), JSON, &["verified", "outcome", "problemDetails", "report"]),
    gives(goes_outside(ask("/presentations/verify", "Verify a presentation, also as a JWT (VCALM)", body::<verification::VerifyPresentationRequest>(), verification::verify_presentation)), JSON, &["verified", "outcome", "problemDetails", "report"]),
    gives(with_query(get("/profiles", "The profiles registered here", profiles::list), PAGING), JSON_OR_PAGE, &["profiles"]),
    gives(with_query(get("/profiles/{profile}", "An Open Badges Profile, or its page", profiles::show), &["endorsements"]), DOCUMENT, &["@context", "id", "type", "name"]),
    gives(get("/profiles/{profile}/did.json", "The DID document of a profile", profiles::did_document), DID, &["@context", "id", "verificationMethod", "assertionMethod"]),
    gives(get("/profiles/{profile}/jwks.json", "The keys of a profile as JSON Web Keys", profiles::jwks), &["application/jwk-set+json"], &["keys"]),
    gives(with_query(get("/profiles/{profile}/achievements", "The achievements of a profile", achievements::list), PAGING), JSON, &["achievements"]),
    gives(with_query(get("/achievements/{achievement}", "An Open Badges Achievement, or its page", achievements::show), &["endorsements"]), DOCUMENT, &["@context", "id", "type", "name", "description", "criteria"]),

    gives(ask("/trqp/authorization", "Whether an accreditor endorses an entity as an issuer (TRQP 2.0)", body::<trqp::TrqpQuery>(), trqp::authorization), JSON, TRQP),
    gives(ask("/trqp/recognition", "Whether an accreditor endorses an entity as an accreditor (TRQP 2.0)", body::<trqp::TrqpQuery>(), trqp::recognition), JSON, TRQP),
    gives(get("/registry.json", "Every endorsed issuer, in the document that clients of the DCC read", oidf::registry_document), JSON, &["meta", "registry"]),
    gives(get("/.well-known/did.json", "The DID document of this registry", wellknown::did_document), DID, &["@context", "id", "verificationMethod", "assertionMethod"]),
    gives(get("/.well-known/jwks.json", "The keys of this host as JSON Web Keys", wellknown::jwks), &["application/jwk-set+json"], &["keys"]),
    federation(get("/.well-known/openid-federation", "This registry as trust anchor (OpenID Federation)", oidf::configuration), &[], STATEMENT),
    needing(federation(get("/federation/fetch", "A statement about an endorsed issuer (OpenID Federation)", oidf::fetch), &["sub"], STATEMENT), &["sub"]),
    federation(get("/federation/list", "The ids of all endorsed issuers (OpenID Federation)", oidf::list), &["entity_type", "trust_marked", "trust_mark_type", "intermediate"], JSON),
    needing(federation(get("/federation/trust_mark", "An accreditor's endorsement of an issuer as a trust mark (OpenID Federation)", trust_marks::show), &["trust_mark_type", "sub"], &["application/trust-mark+jwt"]), &["trust_mark_type", "sub"]),
    needing(federation(get("/federation/trust_mark_list", "The ids of those whom an accreditor endorses as issuers (OpenID Federation)", trust_marks::list), &["trust_mark_type", "sub"], JSON), &["trust_mark_type"]),
    federation(ask("/federation/trust_mark_status", "How a trust mark stands (OpenID Federation)", form::<trust_marks::TrustMarkStatusForm>(), trust_marks::status), &[], &["application/trust-mark-status-response+jwt"]),
    federation(get("/federation/historical_keys", "The registry's keys that are out of use (OpenID Federation)", oidf::historical_keys), &[], &["application/jwk-set+jwt"]),

    gives(private(Action::Operate, get("/keys", "The keys of this registry", keys::list)), JSON, &["keys"]),
    gives(change(Action::Operate, "/keys", "Make another key of this registry", 201, None, keys::make), JSON, KEY),
    gives(change(Action::Operate, "/keys/rotate", "Make a key that takes over from those of this registry, by itself", 201, body::<WhyBody>(), keys::rotate), JSON, KEY),
    gives(change(Action::Operate, "/keys/{key}/retire", "Take a key of this registry out of use", 200, body::<WhyBody>(), keys::retire), JSON, KEY),
    decision(gives(change(Action::Operate, "/keys/{key}/revoke", "Declare a key of this registry compromised", 200, body::<keys::RevokeKeyBody>(), keys::revoke), JSON, LOST_KEY)),
    gives(change(Action::Operate, "/profiles", "Register a profile", 201, body::<profiles::NewProfileBody>(), profiles::create), JSON, &["@context", "id", "type", "name"]),
    gives(put(change(Action::WriteProfile, "/profiles/{profile}", "Replace a profile's members", 200, body::<profiles::ProfileBody>(), profiles::replace)), JSON, &["@context", "id", "type", "name"]),
    decision(gives(change(Action::Operate, "/profiles/{profile}/suspend", "Suspend an accreditor: nothing that it endorsed counts until it is reinstated", 200, body::<endorsements::ReasonBody>(), profiles::suspend), JSON, ACCREDITOR)),
    decision(gives(change(Action::Operate, "/profiles/{profile}/reinstate", "End the suspension of an accreditor", 200, body::<endorsements::ReasonBody>(), profiles::reinstate), JSON, ACCREDITOR)),
    decision(gives(change(Action::Operate, "/profiles/{profile}/revoke", "Take the role of an accreditor: what it endorsed until now never counts again", 200, body::<endorsements::ReasonBody>(), profiles::revoke), JSON, ACCREDITOR)),
    gives(private(Action::Read, get("/profiles/{profile}/keys", "The keys of a profile", keys::list)), JSON, &["keys"]),
    gives(change(Action::WriteKeys, "/profiles/{profile}/keys", "Make another key, or bring one along", 201, body::<keys::NewKeyBody>(), keys::make), JSON, KEY),
    gives(change(Action::WriteKeys, "/profiles/{profile}/keys/rotate", "Make a key that takes over from those in use, by itself: every list is signed again by it", 201, body::<WhyBody>(), keys::rotate), JSON, KEY),
    gives(change(Action::WriteKeys, "/profiles/{profile}/keys/{key}/retire", "Take a key out of use", 200, body::<WhyBody>(), keys::retire), JSON, KEY),
    decision(gives(change(Action::WriteKeys, "/profiles/{profile}/keys/{key}/revoke", "Declare a key compromised", 200, body::<keys::RevokeKeyBody>(), keys::revoke), JSON, LOST_KEY)),
    gives(change(Action::WriteProfile, "/profiles/{profile}/achievements", "Register an achievement", 201, body::<achievements::AchievementBody>(), achievements::create), JSON, &["@context", "id", "type", "name", "description", "criteria"]),
    gives(put(change(Action::WriteProfile, "/achievements/{achievement}", "Replace an achievement's members", 200, body::<achievements::AchievementBody>(), achievements::replace)), JSON, &["@context", "id", "type", "name", "description", "criteria"]),
    gives(change(Action::WriteLists, "/status-lists", "Open a status list (VCALM)", 201, body::<lists::NewListBody>(), lists::create), JSON, &["id", "verifiableCredential"]),
    in_line(gives(bulk(change(Action::WriteStatus, "/status-lists/{list}/entries", "Allocate entries", 200, body::<lists::EntriesBody>(), lists::allocate)), JSON, &["entries"]), lists::allocate_in_line),
    in_line(gives(long_lines(change(Action::WriteStatus, "/status-lists/{list}/updates", "Change statuses, also by the lines of a table, in chunks", 200, body::<updates::UpdatesBody>(), updates::update), &["reason", "firstLine"]), JSON, UPDATED), updates::update_in_line),
    gives(private(Action::WriteLists, get("/status-lists/{list}/unsigned", "A list in each of its forms as its owner is to sign it elsewhere", signatures::list_to_sign)), JSON, &["revision", "verificationMethod", "kid", "forms"]),
    gives(bulk(put(change(Action::WriteLists, "/status-lists/{list}/signed", "Hand in a list that was signed elsewhere", 200, body::<signatures::SignedListBody>(), signatures::hand_in_list))), JSON, &["revision", "validUntil", "isPresent"]),
    gives(lines(change(Action::WriteLists, "/status-lists/import", "Take in a list that another system kept; its indexes stay what they are", 201, body::<bulk::ListImportBody>(), bulk::import), IMPORTING), JSON, &["id", "verifiableCredential", "imported"]),
    gives(bulk(change(Action::Operate, "/status-lists/put-back", "Set what published lists say and the store does not, after it was restored", 200, body::<put_back::PutBackBody>(), put_back::put_back)), JSON, &["dryRun", "lists"]),
    gives(with_query(private(Action::Read, get("/status-lists/{list}/export", "The entries of a list, page by page, or the list as an import takes it", bulk::export)), &["format", "all", "from", "limit"]), EXPORTED, &["issuer", "statusPurpose", "statusSize", "length", "encodedList"]),
    gives(with_query(private(Action::ReadEvents, get("/published", "The published lists in each of their forms, with which publication is the newest: for copies where others read", published::list)), &["list", "limit", "cursor"]), JSON, &["lists", "event", "registry", "asOf"]),
    gives(change(Action::Issue, "/credentials/issue", "Issue a credential (VCALM)", 201, body::<credentials::IssueRequest>(), credentials::issue), JSON, &["verifiableCredential"]),
    gives(change(Action::Issue, "/credentials/codes", "Hand out the verification codes of up to 5,000 credentials, for print: each has one, which stays the same until it is replaced", 200, body::<codes::CodesBody>(), codes::hand_out), JSON, &["codes", "refused"]),
    gives(change(Action::Issue, "/credentials/codes/withdraw", "Withdraw the verification codes of credentials: nobody finds them by these any more", 200, body::<codes::WithdrawCodesBody>(), codes::withdraw), JSON, &["withdrawn", "refused"]),
    gives(change(Action::WriteStatus, "/credentials/status", "Change a credential's status (VCALM)", 200, body::<credentials::StatusRequest>(), credentials::change_status), JSON, UPDATED),
    gives(change(Action::WriteEndorsements, "/endorsements", "Issue an endorsement", 201, body::<endorsements::NewEndorsementBody>(), endorsements::create), JSON, &["verifiableCredential"]),
    gives(private(Action::WriteEndorsements, get("/endorsements/{endorsement}/unsigned", "An endorsement as its endorser is to sign it elsewhere", signatures::endorsement_to_sign)), JSON, &["unsigned", "claims", "verificationMethod", "kid"]),
    gives(goes_outside(change(Action::WriteEndorsements, "/endorsements/import", "Take in an endorsement that was issued elsewhere, and follow it", 201, body::<endorsements::EndorsementImportBody>(), endorsements::import)), JSON, ENDORSED),
    gives(goes_outside(change(Action::WriteEndorsements, "/endorsements/{endorsement}/follow", "Ask the issuer of an imported endorsement how it stands now", 200, None, endorsements::follow)), JSON, ENDORSED),
    decision(gives(change(Action::WriteEndorsements, "/endorsements/{endorsement}/revoke", "Revoke an endorsement for ever", 200, body::<endorsements::ReasonBody>(), endorsements::revoke), JSON, ENDORSED)),
    decision(gives(change(Action::WriteEndorsements, "/endorsements/{endorsement}/suspend", "Suspend an endorsement", 200, body::<endorsements::ReasonBody>(), endorsements::suspend), JSON, ENDORSED)),
    decision(gives(change(Action::WriteEndorsements, "/endorsements/{endorsement}/reinstate", "End a suspension", 200, body::<endorsements::ReasonBody>(), endorsements::reinstate), JSON, ENDORSED)),
    gives(change(Action::WriteEndorsements, "/endorsement-requests", "Ask an accreditor for an endorsement", 201, body::<requests::NewRequestBody>(), requests::create), JSON, REQUESTED),
    gives(with_query(private(Action::Read, get("/endorsement-requests", "The requests that the caller is a side of", requests::list)), &["accreditor", "requester", "state", "limit", "cursor"]), JSON, &["requests", "asOf"]),
    gives(private(Action::Read, get("/endorsement-requests/{request}", "A request and what was said about it", requests::show)), JSON, REQUESTED),
    gives(change(Action::WriteEndorsements, "/endorsement-requests/{request}/approve", "Approve a request, which issues the endorsement", 200, body::<requests::ApproveBody>(), requests::approve), JSON, APPROVED),
    gives(change(Action::WriteEndorsements, "/endorsement-requests/{request}/decline", "Decline a request, with the reason for the requester", 200, body::<requests::DeclineBody>(), requests::decline), JSON, REQUESTED),
    gives(change(Action::WriteEndorsements, "/endorsement-requests/{request}/ask", "Ask the requester something before deciding", 200, body::<requests::AskBody>(), requests::ask), JSON, REQUESTED),
    gives(change(Action::WriteEndorsements, "/endorsement-requests/{request}/answer", "Answer the accreditor's question", 200, body::<requests::AnswerBody>(), requests::answer), JSON, REQUESTED),
    gives(change(Action::WriteEndorsements, "/endorsement-requests/{request}/withdraw", "Withdraw a request of one's own", 200, body::<requests::WithdrawBody>(), requests::withdraw), JSON, REQUESTED),
    gives(with_query(private(Action::Read, get("/profiles/{profile}/tasks", "What waits for a profile: requests, and endorsements that end soon or whose subject has changed", requests::tasks)), PAGING), JSON, &["tasks", "asOf"]),
    gives(change(Action::Operate, "/tokens", "Make a bearer token", 201, body::<tokens::NewTokenBody>(), tokens::create), JSON, &["token", "id", "profile", "expires"]),
    gives(change(Action::WriteClients, "/tokens/{token}/revoke", "Revoke a bearer token", 204, body::<WhyBody>(), tokens::revoke), &[], &[]),
    gives(private(Action::Operate, get("/backups", "The backups of this registry, and how far the one is that is under way", backups::list)), JSON, &["backups"]),
    gives(change(Action::Operate, "/backups", "Make a backup of this registry, while it runs", 202, None, backups::begin), JSON, &["begun"]),
    gives(change(Action::Operate, "/master-key/rotate", "Put the next master key in the place of the one in use", 200, body::<WhyBody>(), wellknown::rotate_master_key), JSON, &["masterKey", "replaced", "inUse"]),
    gives(change(Action::Erase, "/profiles/{profile}/erase", "Erase words and contacts of a profile; statuses and the audit trail stay", 200, body::<erasing::EraseBody>(), erasing::erase), JSON, &["erased"]),
    gives(with_query(private(Action::ReadEvents, get("/events", "The audit trail: who changed what, when and why, as far as it is the caller's affair", audit::list)), &["since", "limit", "profile"]), TRAIL, &["events"]),
    gives(private(Action::Read, get("/profiles/{profile}/usage", "How much of its quotas a profile has used", usage::show)), JSON, &["quotas", "asOf"]),
    gives(with_query(private(Action::WriteClients, get("/tokens", "The bearer tokens of a profile or of the registry, without their secrets", tokens::list)), &["profile"]), JSON, &["tokens"]),

    gives(of_client(ask("/oauth/token", "An access token for a client that shows who it is (RFC 6749)", form::<oauth::token::TokenForm>(), oauth::token::token)), JSON, &["access_token", "token_type", "expires_in", "scope"]),
    gives(of_client(ask("/oauth/revoke", "End a token of the client before its time (RFC 7009)", form::<oauth::token::TokenTold>(), oauth::token::revoke)), JSON, &[]),
    gives(of_client(ask("/oauth/introspect", "What a token of the client's profile is (RFC 7662)", form::<oauth::token::TokenTold>(), oauth::token::introspect)), JSON, &["active"]),
    gives(answers(of_client(ask("/oauth/register", "Register a client, which waits for approval unless who registers it may give that (RFC 7591)", body::<oauth::registration::ClientRegistration>(), oauth::registration::register)), 201), JSON, CLIENT),
    gives(of_client(get("/oauth/register/{client}", "The registration of a client, by its own registration token (RFC 7592)", oauth::registration::show)), JSON, CLIENT),
    gives(answers(delete(of_client(get("/oauth/register/{client}", "End the registration of a client, by its own registration token (RFC 7592)", oauth::registration::end))), 204), &[], &[]),
    gives(get("/.well-known/oauth-authorization-server", "This registry as an authorization server (RFC 8414)", oauth::metadata::server), JSON, &["issuer", "token_endpoint", "response_types_supported"]),
    gives(get("/.well-known/oauth-protected-resource", "What tokens are for here (RFC 9728)", oauth::metadata::resource), JSON, &["resource", "authorization_servers"]),
    gives(with_query(private(Action::WriteClients, get("/clients", "The clients of a profile, or of all for the operator", oauth::clients::list)), &["profile", "state", "limit", "cursor"]), JSON, &["clients"]),
    gives(private(Action::WriteClients, get("/clients/{client}", "A client", oauth::clients::show)), JSON, CLIENT),
    gives(change(Action::WriteClients, "/clients/{client}/approve", "Approve a client, as what and for how much of that", 200, body::<oauth::clients::ApproveClientBody>(), oauth::clients::approve), JSON, CLIENT),
    gives(change(Action::WriteClients, "/clients/{client}/reject", "Reject a client, or take its approval back", 200, body::<WhyBody>(), oauth::clients::reject), JSON, CLIENT),
    gives(change(Action::WriteClients, "/clients/{client}/remove", "Remove a client", 204, body::<WhyBody>(), oauth::clients::remove), &[], &[]),
    gives(change(Action::WriteClients, "/clients/{client}/secret", "Give a client another secret", 201, body::<WhyBody>(), oauth::clients::make_secret), JSON, &["client_id", "client_secret"]),

    gives(needing(lenient(of_client(get(AUTHORIZE_PATH, "Where somebody signs in and agrees to what a client asks (RFC 6749 with PKCE)", oauth::pages::ask)), AUTHORIZE), AUTHORIZE_NEEDS), PAGE, &[]),
    gives(answers(of_client(ask(AUTHORIZE_PATH, "What they answered, which sends them back to the client with a code", form::<oauth::pages::ConsentForm>(), oauth::pages::answer)), 303), &[], &[]),
    gives(of_client(get("/oauth/accept", "Where an invitation is taken", oauth::pages::invitation)), PAGE, &[]),
    gives(of_client(ask("/oauth/accept", "Take an invitation, with a passphrase", form::<oauth::pages::AcceptForm>(), oauth::pages::accept)), PAGE, &[]),
    gives(change(Action::WriteClients, "/profiles/{profile}/people", "Invite somebody who signs in for a profile", 201, body::<people::InviteBody>(), people::invite), JSON, PERSON_INVITED),
    gives(change(Action::Operate, "/people", "Invite somebody who signs in for the registry", 201, body::<people::InviteBody>(), people::invite_for_registry), JSON, PERSON_INVITED),
    gives(with_query(private(Action::WriteClients, get("/people", "Who signs in for a profile, or for the registry", people::list)), &["profile"]), JSON, &["people"]),
    gives(change(Action::WriteClients, "/people/{person}/remove", "Remove somebody, and what they were given", 204, body::<WhyBody>(), people::remove), &[], &[]),

    gives(get("/ims/ob/v3p0/discovery", "The Open Badges API: where clients register and get tokens, and what they can do", open_badges::discovery), JSON, &["openapi", "info", "components"]),
    gives(with_query(private(Action::Read, get("/ims/ob/v3p0/credentials", "The endorsements that the caller's profile holds (Open Badges API)", open_badges::credentials)), &["limit", "offset", "since"]), JSON, &["credential", "compactJwsString"]),
    gives(also(goes_outside(change(Action::WriteEndorsements, "/ims/ob/v3p0/credentials", "Hand in an endorsement of the caller's profile (Open Badges API)", 201, body::<open_badges::EndorsementCredential>(), open_badges::hand_in)), TEXT), JSON_OR_TEXT, &["@context", "id", "type"]),
    gives(private(Action::Read, get("/ims/ob/v3p0/profile", "The caller's profile (Open Badges API)", open_badges::profile)), JSON, &["@context", "id", "type", "name"]),
    gives(put(change(Action::WriteProfile, "/ims/ob/v3p0/profile", "Replace the members of the caller's profile (Open Badges API)", 200, body::<open_badges::OpenBadgesProfile>(), open_badges::replace_profile)), JSON, &["@context", "id", "type", "name"]),

    gives(with_query(get("/", "What is here", home::show), &["cursor"]), JSON_OR_PAGE, &["name", "url", "links"]),
    gives(guessed_by("code", goes_outside(with_query(get(check::PATH, "The page about a credential, by its id, URL or verification code, or about an entry of a list and who stands behind its issuer", check::show), &["credential", "code", "url", "list", "index", "issuer"]))), PAGE_OR_JSON, &["results", "asOf"]),
    gives(also(goes_outside(ask(check::PATH, "Check what somebody has of a credential: text or a file of a form", upload::<check::CheckFields>(), check::check)), FORM), PAGE_OR_JSON, &["results", "asOf"]),
    gives(get("/docs", "This contract as a page", openapi::page), PAGE, &[]),
    gives(get("/docs/viewer.js", "The program of the viewer of this contract", openapi::viewer::script), SCRIPT, &[]),
    gives(get("/docs/viewer.css", "The style of that viewer", openapi::viewer::style), &["text/css"], &[]),
    gives(get("/docs/start.js", "What starts it on its page", openapi::viewer::start), SCRIPT, &[]),
    gives(get("/openapi.json", "This contract as OpenAPI 3.1", openapi::show), JSON, &["openapi", "info", "paths"]),
    gives(get("/assets/{asset}", "What the pages load: styles, scripts, pictures", assets::show), ASSET, &[]),
    gives(get("/health/live", "Whether the service runs", health::live), JSON, &["status"]),
    gives(get("/health/ready", "Whether changes are taken; where not, the states that keep the registry from it (503)", health::ready), JSON, &["status"]),
];
