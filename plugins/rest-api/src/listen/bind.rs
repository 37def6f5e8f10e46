//! Claiming addresses.

use std::fmt;
use std::fs;
use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::os::unix::fs::{FileTypeExt as _, PermissionsExt as _};
use std::os::unix::net as unix;
use std::path::{Path, PathBuf};

use tokio::net::{TcpListener, UnixListener, lookup_host};

use super::address::Address;
use super::tls::TlsError;

/// Why nobody can listen there.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BindError {
    /// The text is no address.
    #[error("`{address}` is no address to listen on: {reason}")]
    Address {
        /// The text.
        address: String,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// The system refuses.
    #[error("cannot listen on `{address}`: {reason}; {remedy}")]
    Refused {
        /// The address.
        address: String,
        /// What may help.
        remedy: &'static str,
        /// The system's reason.
        reason: io::Error,
    },
    /// There can be no TLS.
    #[error(transparent)]
    Tls(#[from] TlsError),
}

/// An address that is ours.
pub(super) enum Bound {
    Tcp {
        listener: TcpListener,
        /// Whether clients have to speak TLS.
        tls: bool,
    },
    /// With the socket file, which goes when listening ends.
    Unix(UnixListener, SocketFile),
    Abstract(UnixListener, String),
}

/// Removes its file when dropped.
pub(super) struct SocketFile(PathBuf);

impl Drop for SocketFile {
    fn drop(&mut self) {
        if let Err(error) = fs::remove_file(&self.0) {
            tracing::debug!(path = %self.0.display(), %error, "socket file not removed");
        }
    }
}

impl fmt::Display for Bound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp { listener, .. } => match listener.local_addr() {
                Ok(address) => write!(f, "{address}"),
                Err(_) => f.write_str("unknown"),
            },
            Self::Unix(_, file) => write!(f, "unix://{}", file.0.display()),
            Self::Abstract(_, name) => write!(f, "unix://@{name}"),
        }
    }
}

/// Binds all addresses. Those that were bound before an error are free again.
pub(super) async fn all(addresses: &[String], permissions: u32, tls: bool) -> Result<Vec<Bound>, BindError> {
    let mut bound = Vec::with_capacity(addresses.len());
    for text in addresses {
        let address = Address::parse(text, tls);
        let address = address.map_err(|reason| BindError::Address { address: text.clone(), reason })?;
        let one = one(address, permissions).await;
        bound.push(one.map_err(|reason| BindError::Refused {
            address: text.clone(),
            remedy: remedy(&reason),
            reason,
        })?);
    }
    Ok(bound)
}

async fn one(address: Address, permissions: u32) -> io::Result<Bound> {
    match address {
        Address::Tcp { host, port, tls } => Ok(Bound::Tcp { listener: tcp(&host, port).await?, tls }),
        Address::Unix(path) => socket_file(path, permissions),
        Address::Abstract(name) => Ok(Bound::Abstract(from_std(abstract_socket(&name)?)?, name)),
    }
}

/// One address even where a name has several; IPv4 goes first, as Go has it.
async fn tcp(host: &str, port: u16) -> io::Result<TcpListener> {
    if host.is_empty() {
        let both = TcpListener::bind((Ipv6Addr::UNSPECIFIED, port)).await;
        return match both {
            Err(error) if error.kind() == io::ErrorKind::AddrInUse => Err(error),
            Err(_) => TcpListener::bind((Ipv4Addr::UNSPECIFIED, port)).await,
            ok => ok,
        };
    }
    let mut found: Vec<SocketAddr> = lookup_host((host, port)).await?.collect();
    found.sort_by_key(SocketAddr::is_ipv6);
    let first = found.first().ok_or_else(|| io::Error::from(io::ErrorKind::AddrNotAvailable))?;
    TcpListener::bind(first).await
}

fn socket_file(path: PathBuf, permissions: u32) -> io::Result<Bound> {
    remove_stale(&path)?;
    let listener = unix::UnixListener::bind(&path)?;
    let file = SocketFile(path);
    fs::set_permissions(&file.0, fs::Permissions::from_mode(permissions))?;
    Ok(Bound::Unix(from_std(listener)?, file))
}

#[cfg(target_os = "linux")]
fn abstract_socket(name: &str) -> io::Result<unix::UnixListener> {
    use std::os::linux::net::SocketAddrExt as _;

    unix::UnixListener::bind_addr(&unix::SocketAddr::from_abstract_name(name)?)
}

/// Only Linux has such names.
#[cfg(not(target_os = "linux"))]
fn abstract_socket(_: &str) -> io::Result<unix::UnixListener> {
    Err(io::ErrorKind::Unsupported.into())
}

/// A socket that an earlier process left behind is in the way; any other file is not ours to remove.
fn remove_stale(path: &Path) -> io::Result<()> {
    match fs::symlink_metadata(path) {
        Ok(found) if found.file_type().is_socket() => fs::remove_file(path),
        _ => Ok(()),
    }
}

fn from_std(listener: unix::UnixListener) -> io::Result<UnixListener> {
    listener.set_nonblocking(true)?;
    UnixListener::from_std(listener)
}

fn remedy(error: &io::Error) -> &'static str {
    match error.kind() {
        io::ErrorKind::AddrInUse => "stop the process that listens there or choose another address with --addr",
        io::ErrorKind::PermissionDenied => "choose a port above 1023 or a place that this user may write to",
        io::ErrorKind::NotFound => "the directory of the socket must exist",
        _ => "choose an address of this machine with --addr",
    }
}
