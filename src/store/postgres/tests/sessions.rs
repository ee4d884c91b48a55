//! Whom a session is with, and what it is held to.

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};

use super::super::super::replica::remote::Remote as _;
use super::super::Tls;
use super::server::Wanted;
use super::*;

/// An authority, and what it says of this machine.
struct Certificates {
    authority: String,
    certificate: String,
    key: String,
}

fn certificates() -> &'static Certificates {
    static MADE: LazyLock<Certificates> = LazyLock::new(|| {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let authority = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new(vec!["db.example".into()]).unwrap();
        let certificate = params.signed_by(&key, &authority).unwrap();
        Certificates {
            authority: authority.pem(),
            certificate: certificate.pem(),
            key: key.serialize_pem(),
        }
    });
    &MADE
}

/// A server that speaks TLS with whoever wants to.
pub(super) fn secured() -> Wanted {
    let Certificates {
        certificate, key, ..
    } = certificates();
    Wanted {
        certificate: Some((certificate.clone(), key.clone())),
        ..Wanted::default()
    }
}

#[test]
fn a_server_has_to_prove_who_it_is_unless_that_is_waived() {
    let Some(server) = shared() else { return };
    let database = server.database();
    // Its name, and the address that it stands for here.
    let named = |host: &str| {
        format!(
            "host={host} hostaddr=127.0.0.1 port={} user={} dbname={database}",
            server.port,
            server::USER
        )
    };
    let ours = certificates().authority.clone().into_bytes();
    let place = |host: &str, tls, roots: &[u8]| {
        replica(Settings {
            tls,
            roots: roots.to_vec(),
            ..Settings::usual(Secret::new(named(host)))
        })
    };
    let secured = "SELECT count(*) FROM pg_stat_ssl JOIN pg_stat_activity USING (pid) \
        WHERE ssl AND datname = current_database()";
    let good = place("db.example", Tls::Verify, &ours);
    good.make(&beginning()).unwrap();
    commit(&good);
    assert_ne!(server.sql(&database, secured), "0");
    drop(good);
    let said = away(place("other.example", Tls::Verify, &ours).tip());
    assert!(said.contains("certificate"), "{said}");
    let said = away(place("db.example", Tls::Verify, &[]).tip());
    assert!(said.contains("certificate"), "{said}");
    assert_eq!(
        place("other.example", Tls::Require, &[]).tip(),
        Ok(Some(tip(1)))
    );
    server.until("all sessions have ended", || {
        server.sql(&database, secured) == "0"
    });
    let plain = place("db.example", Tls::Elsewhere, &[]);
    assert_eq!(plain.tip(), Ok(Some(tip(1))));
    assert_eq!(server.sql(&database, secured), "0");
}

#[test]
fn a_server_without_tls_is_not_spoken_to_where_that_is_asked_for() {
    if server::programs().is_none() {
        return;
    }
    let server = Server::start();
    let settings = Settings {
        tls: Tls::Require,
        ..Settings::usual(Secret::new(server.url("postgres")))
    };
    let said = away(replica(settings).tip());
    assert!(said.contains("TLS"), "{said}");
}

#[test]
fn authorities_that_cannot_be_read_are_refused_before_anything_is_said() {
    for roots in [
        "no certificate",
        "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----",
    ] {
        let settings = Settings {
            roots: roots.as_bytes().to_vec(),
            ..Settings::usual(Secret::new("postgres://u@db.example/d".into()))
        };
        let refused = Postgres::new(settings, [0; 16]).err().unwrap();
        assert!(refused.starts_with("store.postgres.roots"), "{refused}");
    }
}

/// A database whose sessions wait for no disk, and that takes its time.
#[test]
fn what_is_usual_in_a_database_does_not_make_less_durable() {
    let Some(server) = shared() else { return };
    let database = server.database();
    server.sql(
        &database,
        &format!("ALTER DATABASE {database} SET synchronous_commit = off"),
    );
    let place = replica_at(&server.url(&database));
    place.make(&beginning()).unwrap();
    server.sql(
        &database,
        "CREATE TABLE seen (set text); \
         CREATE FUNCTION see() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN \
             INSERT INTO seen SELECT current_setting(name) FROM unnest(ARRAY[ \
                 'synchronous_commit', 'lock_timeout', \
                 'idle_in_transaction_session_timeout', 'statement_timeout']) AS name; \
             RETURN NEW; END $$; \
         CREATE CONSTRAINT TRIGGER see AFTER INSERT ON goodstanding.log \
             DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION see()",
    );
    commit(&place);
    // At COMMIT, whose wait for standbys has no end on the server.
    let seen = server.sql(&database, "SELECT string_agg(set, ' ') FROM seen");
    assert_eq!(seen, "on 5s 3s 0");
}

/// Two servers of which one does not let write, in both orders; and one that nobody listens at.
#[test]
fn the_server_that_lets_write_is_found_among_several() {
    let Some(server) = shared() else { return };
    let read_only = server.database();
    let database = server.database();
    server.sql(
        &read_only,
        &format!("ALTER DATABASE {read_only} SET default_transaction_read_only = on"),
    );
    away(replica_at(&server.url(&read_only)).tip());
    let nobody = format!(
        "postgres://{}@127.0.0.1:1,127.0.0.1:{}/{database}",
        server::USER,
        server.port
    );
    replica_at(&nobody).make(&beginning()).unwrap();
    assert_eq!(replica_at(&nobody).tip(), Ok(Some(tip(0))));
    // It became one that does not let write, with sessions open: they are left.
    let place = replica_at(&server.url(&database));
    commit(&place);
    server.sql(
        &database,
        &format!("ALTER DATABASE {database} SET default_transaction_read_only = on"),
    );
    let cut = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
        WHERE datname = current_database() AND pid <> pg_backend_pid()";
    server.sql(&database, cut);
    away(place.hold().map(|_| ()));
    let again = format!("ALTER DATABASE {database} RESET default_transaction_read_only");
    server.sql("postgres", &again);
    assert_eq!(commit(&place), next(1));
}

/// Where nobody but the operator may make a schema, the operator makes it.
#[test]
fn a_user_who_may_make_no_schema_uses_the_one_that_is_there() {
    let Some(server) = shared() else { return };
    let database = server.database();
    let url = format!("postgres://{database}@127.0.0.1:{}/{database}", server.port);
    server.sql(&database, &format!("CREATE ROLE {database} LOGIN"));
    let refused = replica_at(&url).make(&beginning());
    assert!(matches!(refused, Err(RemoteError::Away(_))), "{refused:?}");
    server.sql(
        &database,
        &format!("CREATE SCHEMA goodstanding AUTHORIZATION {database}"),
    );
    let place = replica_at(&url);
    place.make(&beginning()).unwrap();
    commit(&place);
}
