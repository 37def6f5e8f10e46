//! How the server is reached, and whom it lets in.

use regent_kit::{Certificates, Postgres};

use crate::support::{events, ids, ids_of, plainly, postgres, query, running, start};

#[tokio::test]
async fn a_wrong_password_has_the_batch_wait_and_is_not_shown() {
    let Some(postgres) = running().await else { return };
    let sink = start(&plainly(&postgres).replace(Postgres::PASSWORD, "hunter2")).await;
    let why = sink.unavailable(&events(1)).await;
    assert!(why.contains("password authentication failed for user \"postgres\" (28P01)"), "{why}");
    assert!(!why.contains("hunter2"), "{why}");
}

#[tokio::test]
async fn a_socket_needs_no_tls() {
    let Some(postgres) = running().await else { return };
    let (host, port) = (postgres.dir().display(), postgres.port());
    let keys = format!("host: '{host}', port: {port}, user: postgres, table: decisions, create_table: true");
    let sink = start(&keys).await;
    let batch = events(2);
    sink.write(&batch).await.expect("the table takes them");
    assert_eq!(ids(&postgres).await, ids_of(&batch));
}

#[tokio::test]
async fn of_several_servers_the_one_that_takes_writes_is_used() {
    let (Some(mut reader), Some(writer)) = (postgres(), running().await) else { return };
    reader.configure("default_transaction_read_only = on\n");
    reader.start().await;
    let keys = |host: &str, port: u16| {
        format!("host: '{host}', port: {port}, user: postgres, table: decisions, create_table: true")
    };
    let alone = start(&keys(&reader.dir().display().to_string(), reader.port())).await;
    let why = alone.unavailable(&events(1)).await;
    assert!(why.contains("database does not allow writes"), "{why}");
    // A socket is called by its port, so both have to have one of that name.
    let name = |postgres: &Postgres| postgres.dir().join(format!(".s.PGSQL.{}", postgres.port()));
    let other = reader.dir().join(format!(".s.PGSQL.{}", writer.port()));
    std::os::unix::fs::symlink(name(&reader), other).expect("the directory can be written");
    let hosts = format!("{}, {}", reader.dir().display(), writer.dir().display());
    let sink = start(&keys(&hosts, writer.port())).await;
    let batch = events(2);
    sink.write(&batch).await.expect("the second one takes them");
    assert_eq!(ids(&writer).await, ids_of(&batch));
}

/// A server with TLS, and files that the configuration can name.
fn guarded() -> Option<(Postgres, Certificates, impl Fn(&str, &str) -> String)> {
    let postgres = postgres()?;
    let certificates = Certificates::generate();
    let cert = postgres.file("server.pem", &certificates.server_cert);
    let key = postgres.file("server.key", &certificates.server_key);
    let ca = postgres.file("ca.pem", &certificates.ca);
    postgres.configure(&format!("ssl = on\nssl_cert_file = '{cert}'\nssl_key_file = '{key}'\nssl_ca_file = '{ca}'\n"));
    let port = postgres.port();
    let keys = move |sslmode: &str, tls: &str| {
        format!(
            "host: 127.0.0.1, port: {port}, user: postgres, password: {}, sslmode: {sslmode}, tls: {{{tls}}}, \
             table: decisions, create_table: true",
            Postgres::PASSWORD
        )
    };
    Some((postgres, certificates, keys))
}

/// How many connections of agents have TLS, and how many do not.
async fn protected(postgres: &Postgres) -> (i64, i64) {
    let text = "SELECT count(*) FILTER (WHERE ssl), count(*) FILTER (WHERE NOT ssl) \
                FROM pg_stat_ssl JOIN pg_stat_activity USING (pid) WHERE application_name = 'regent'";
    let rows = query(postgres, text).await;
    (rows[0].get(0), rows[0].get(1))
}

#[tokio::test]
async fn a_connection_is_protected_as_far_as_it_is_asked_for() {
    let Some((mut postgres, _, keys)) = guarded() else { return };
    postgres.start().await;
    let ca = format!("ca_cert: '{}'", postgres.dir().join("ca.pem").display());
    let other = postgres.file("other.pem", &Certificates::generate().ca);
    let batch = events(2);
    for (sslmode, tls, expected) in
        [("disable", "", (0, 1)), ("prefer", "", (1, 0)), ("require", "", (1, 0)), ("verify-full", &*ca, (1, 0))]
    {
        let sink = start(&keys(sslmode, tls)).await;
        sink.write(&batch).await.expect("the table takes them");
        assert_eq!(protected(&postgres).await, expected, "{sslmode}");
        sink.stop().await;
    }
    for tls in ["", &format!("ca_cert: '{other}'")] {
        let why = start(&keys("verify-full", tls)).await.unavailable(&batch).await;
        assert!(why.contains("invalid peer certificate"), "{why}");
    }
    // The certificate is for 127.0.0.1 and localhost.
    let elsewhere = keys("verify-full", &ca).replace("host: 127.0.0.1", "host: 127.0.0.2");
    postgres.stop().await;
    postgres.configure("listen_addresses = '127.0.0.1, 127.0.0.2'\n");
    postgres.start().await;
    let why = start(&elsewhere).await.unavailable(&batch).await;
    assert!(why.contains("not valid for name") || why.contains("NotValidForName"), "{why}");
}

#[tokio::test]
async fn a_server_without_tls_gets_nothing_from_who_requires_it() {
    let Some(postgres) = running().await else { return };
    for (sslmode, fits) in [("require", false), ("verify-full", false), ("prefer", true)] {
        let keys = plainly(&postgres).replace("sslmode: disable", &format!("sslmode: {sslmode}"));
        let sink = start(&format!("{keys}, create_table: true")).await;
        if fits {
            sink.write(&events(1)).await.expect("the table takes it");
        } else {
            let why = sink.unavailable(&events(1)).await;
            assert!(why.contains("server does not support TLS"), "{why}");
        }
    }
}

#[tokio::test]
async fn the_agent_proves_who_it_is_by_a_certificate() {
    let Some((mut postgres, certificates, keys)) = guarded() else { return };
    // The certificate says `client`, who is `postgres` here.
    let hba = "local all all trust\nhostssl all all 127.0.0.1/32 cert map=agents\n";
    postgres.configure(&format!("hba_file = '{}'\n", postgres.file("hba.conf", hba)));
    postgres.configure(&format!("ident_file = '{}'\n", postgres.file("ident.conf", "agents client postgres\n")));
    postgres.start().await;
    let ca = format!("ca_cert: '{}'", postgres.dir().join("ca.pem").display());
    let why = start(&keys("verify-full", &ca)).await.unavailable(&events(1)).await;
    assert!(why.contains("requires a valid client certificate"), "{why}");
    let cert = postgres.file("client.pem", &certificates.client_cert);
    let key = postgres.file("client.key", &certificates.client_key);
    let sink = start(&keys("verify-full", &format!("{ca}, cert: '{cert}', private_key: '{key}'"))).await;
    sink.write(&events(1)).await.expect("the server lets the agent in");
}
