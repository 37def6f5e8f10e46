//! Addresses of hosts, asked of the system's resolver.

use std::collections::HashMap;
use std::io;
use std::net::{IpAddr, ToSocketAddrs};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

use regent_core::builtin::{BuiltinError, Call, Operands, Outcome};
use regent_core::engine::Cancel;
use regent_core::value::Value;

use super::table::{Entry, function};

pub(super) const TABLE: &[Entry] = &[function(
    "net.lookup_ip_addr(
        name: string # the name of a host, or an address
    ) => addrs: set[string] # its addresses",
    "Asks for the addresses of a host.",
    lookup,
)
.nondeterministic()];

/// How long an answer is waited for.
const PATIENCE: Duration = Duration::from_secs(30);

/// How long is waited between two looks at the cancel signal.
const STEP: Duration = Duration::from_millis(5);

/// How many names may be asked for at once. The resolver cannot be interrupted, so that those who ask may outlast
/// their queries.
const MOST_AT_ONCE: usize = 64;

/// How many are being asked for.
static ASKING: AtomicUsize = AtomicUsize::new(0);

/// What was found in this query: within it a name has the same addresses whenever it is asked for.
#[derive(Default)]
struct Found(HashMap<String, Value>);

type Answer = io::Result<Vec<IpAddr>>;

fn lookup(operands: Operands<'_>, call: &mut Call<'_>) -> Outcome {
    let name = operands.string(0)?;
    if call.allow_net.is_some_and(|allowed| allowed.iter().all(|host| !host.eq_ignore_ascii_case(name))) {
        return Err(BuiltinError::failed(format!("unallowed host: {name}")));
    }
    if let Ok(address) = name.parse::<IpAddr>() {
        return Ok(Some(Value::set([spell(address)])));
    }
    if let Some(found) = call.query.get::<Found>().0.get(name) {
        return Ok(Some(found.clone()));
    }
    let failed = |problem: &str| BuiltinError::failed(format!("lookup {name}: {problem}"));
    if name.is_empty() {
        return Err(failed("no such host"));
    }
    let answers = ask(name, resolve)?;
    let mut answer = None;
    (call.linger)(&mut || answer = wait(&answers, PATIENCE, call.cancel));
    let addresses = answer
        .ok_or_else(|| BuiltinError::Fatal(format!("lookup {name}: i/o timeout")))??
        .map_err(|error| failed(&describe(&error)))?;
    let found = Value::set(addresses.into_iter().map(spell));
    call.query.get::<Found>().0.insert(name.to_owned(), found.clone());
    Ok(Some(found))
}

/// The address as Go spells it: one of IPv4 within one of IPv6 as the former.
fn spell(address: IpAddr) -> String {
    address.to_canonical().to_string()
}

fn resolve(name: &str) -> Answer {
    Ok((name, 0).to_socket_addrs()?.map(|found| found.ip()).collect())
}

/// Asks on a thread of its own.
fn ask(name: &str, resolve: impl FnOnce(&str) -> Answer + Send + 'static) -> Result<Receiver<Answer>, BuiltinError> {
    /// Counts itself while it lives.
    struct Turn;
    impl Drop for Turn {
        fn drop(&mut self) {
            ASKING.fetch_sub(1, Ordering::Relaxed);
        }
    }
    let before = ASKING.fetch_add(1, Ordering::Relaxed);
    let turn = Turn;
    if before >= MOST_AT_ONCE {
        return Err(BuiltinError::failed(format!("lookup {name}: too many lookups at once")));
    }
    let (sender, receiver) = mpsc::channel();
    let owned = name.to_owned();
    let work = move || {
        let _turn = turn;
        // Nobody may be waiting any more.
        let _ = sender.send(resolve(&owned));
    };
    match thread::Builder::new().name("lookup".to_owned()).spawn(work) {
        Ok(_) => Ok(receiver),
        Err(error) => Err(BuiltinError::failed(format!("lookup {name}: {error}"))),
    }
}

/// The answer, nothing when it takes too long.
fn wait(answers: &Receiver<Answer>, patience: Duration, cancel: &Cancel) -> Option<Result<Answer, BuiltinError>> {
    let end = Instant::now() + patience;
    while Instant::now() < end {
        if cancel.is_cancelled() {
            return Some(Err(BuiltinError::Cancelled));
        }
        match answers.recv_timeout(STEP) {
            Ok(answer) => return Some(Ok(answer)),
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => return Some(Ok(Err(io::Error::other("resolver failed")))),
        }
    }
    None
}

/// What went wrong, in Go's words where they are known.
fn describe(error: &io::Error) -> String {
    let text = error.to_string();
    let problem = text.strip_prefix("failed to lookup address information: ").unwrap_or(&text);
    let unknown =
        ["Name or service not known", "No address associated", "nodename nor servname", "Name does not resolve"];
    let missing = error.kind() == io::ErrorKind::InvalidInput || unknown.iter().any(|known| problem.starts_with(known));
    if missing { "no such host".to_owned() } else { problem.to_owned() }
}

#[cfg(test)]
mod tests {
    use regent_core::value::Value;

    use super::super::testing::{Query, check, check_error};
    use super::*;

    #[test]
    fn addresses_are_their_own() {
        check("net.lookup_ip_addr", r#"["10.0.0.1"]"#, r#"["10.0.0.1"]"#);
        check("net.lookup_ip_addr", r#"["2001:DB8::0:1"]"#, r#"["2001:db8::1"]"#);
        check("net.lookup_ip_addr", r#"["::ffff:1.2.3.4"]"#, r#"["1.2.3.4"]"#);
        check_error("net.lookup_ip_addr", r#"[""]"#, "lookup : no such host");
        check_error("net.lookup_ip_addr", "[1]", "operand 1 must be string but got number");
    }

    #[test]
    fn the_local_host_is_known() {
        let found = Query::new(Value::default()).call("net.lookup_ip_addr", r#"["localhost"]"#);
        let found = found.expect("is found").expect("is defined");
        let addresses = found.as_set().expect("a set");
        assert!(addresses.iter().any(|address| ["127.0.0.1", "::1"].map(Some).contains(&address.as_str())));
    }

    #[test]
    fn only_hosts_that_are_allowed_are_looked_up() {
        let mut query = Query::new(Value::default()).allowing("10.0.0.1");
        assert!(query.call("net.lookup_ip_addr", r#"["10.0.0.1"]"#).is_ok());
        let refused = query.call("net.lookup_ip_addr", r#"["10.0.0.2"]"#);
        assert_eq!(refused, Err(BuiltinError::failed("unallowed host: 10.0.0.2")));
    }

    #[test]
    fn waiting_ends_with_the_query_or_in_time() {
        let (_sender, never) = mpsc::channel();
        let cancel = Cancel::default();
        assert!(wait(&never, Duration::from_millis(20), &cancel).is_none());
        cancel.cancel();
        let waited = wait(&never, PATIENCE, &cancel);
        assert!(matches!(waited, Some(Err(BuiltinError::Cancelled))));
    }

    #[test]
    fn failures_are_told() {
        let answer =
            ask("x", |_| Err(io::Error::other("failed to lookup address information: Name or service not known")));
        let answer = wait(&answer.expect("asks"), PATIENCE, &Cancel::default()).expect("in time").expect("waits");
        assert_eq!(answer.map_err(|error| describe(&error)), Err("no such host".to_owned()));
        assert_eq!(describe(&io::Error::other("failed to lookup address information: Try again")), "Try again");
    }
}
