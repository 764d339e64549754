//! Whether a connection comes from the program of a step.
//!
//! Keeps: the socket's owner is found by the socket, and its ancestors by the processes; nothing a program says counts.
//! Not here: what follows from it (the HTTP face).

use std::collections::BTreeMap;
use std::fs;
use std::net::{IpAddr, SocketAddr};

use rustix::process::Pid;

use crate::procfs::{self, Process};
use crate::spec::HELPER_WORD;

/// Whether the process at the other end of a connection on this machine runs below a helper. `peer` is its address,
/// `own` is ours.
pub fn is_of_a_step(peer: SocketAddr, own: SocketAddr) -> bool {
    let all = procfs::processes();
    let below = below_helpers(&all);
    if below.is_empty() {
        return false;
    }
    let Some(socket) = socket(peer, own) else { return false };
    let link = format!("socket:[{socket}]");
    below.iter().any(|pid| holds(*pid, &link))
}

/// Every process that descends from a helper.
fn below_helpers(all: &[Process]) -> Vec<Pid> {
    let number = |process: &Process| process.pid.as_raw_nonzero().get();
    let parents: BTreeMap<i32, i32> = all.iter().map(|it| (number(it), it.parent)).collect();
    let is_helper = |it: &&Process| procfs::has_argument(it.pid, 1, HELPER_WORD);
    let helpers: Vec<i32> = all.iter().filter(is_helper).map(number).collect();
    let is_below = |process: &&Process| {
        let above = std::iter::successors(Some(process.parent), |pid| parents.get(pid).copied());
        // Ids may be used again while we look, so a chain that never ends is cut.
        above.take(all.len()).any(|pid| helpers.contains(&pid))
    };
    all.iter().filter(is_below).map(|process| process.pid).collect()
}

fn holds(pid: Pid, link: &str) -> bool {
    let folder = fs::read_dir(format!("/proc/{}/fd", pid.as_raw_nonzero()));
    let names = folder.into_iter().flatten().flatten().map(|entry| entry.path());
    names.filter_map(|path| fs::read_link(path).ok()).any(|found| found.as_os_str() == link)
}

/// The number of the socket that is bound to `peer` and connected to `own`.
fn socket(peer: SocketAddr, own: SocketAddr) -> Option<u64> {
    ["/proc/net/tcp", "/proc/net/tcp6"].into_iter().find_map(|table| {
        let text = fs::read_to_string(table).ok()?;
        text.lines().skip(1).find_map(|line| {
            let fields: Vec<&str> = line.split_whitespace().collect();
            let is_it =
                address(fields.get(1)?)? == plain(peer) && address(fields.get(2)?)? == plain(own);
            if is_it { fields.get(9)?.parse().ok() } else { None }
        })
    })
}

fn plain(address: SocketAddr) -> (IpAddr, u16) {
    (address.ip().to_canonical(), address.port())
}

/// `0100007F:1F90`: an address as words of the machine's own order, and a port.
fn address(text: &str) -> Option<(IpAddr, u16)> {
    let (ip, port) = text.split_once(':')?;
    let words: Option<Vec<u32>> = (0..ip.len() / 8)
        .map(|at| u32::from_str_radix(ip.get(8 * at..8 * at + 8)?, 16).ok())
        .collect();
    let bytes: Vec<u8> = words?.into_iter().flat_map(u32::to_ne_bytes).collect();
    let ip = match bytes.len() {
        4 => IpAddr::from(<[u8; 4]>::try_from(bytes).ok()?),
        16 => IpAddr::from(<[u8; 16]>::try_from(bytes).ok()?).to_canonical(),
        _ => return None,
    };
    Some((ip, u16::from_str_radix(port, 16).ok()?))
}

#[cfg(test)]
mod tests {
    use std::net::{TcpListener, TcpStream};

    use super::*;

    #[test]
    fn a_connection_of_this_process_is_found_and_is_of_no_step() {
        for at in ["127.0.0.1:0", "[::1]:0"] {
            let Ok(listener) = TcpListener::bind(at) else { continue };
            let own = listener.local_addr().unwrap();
            let stream = TcpStream::connect(own).unwrap();
            let peer = stream.local_addr().unwrap();
            let link = format!("socket:[{}]", socket(peer, own).unwrap());
            assert!(holds(rustix::process::getpid(), &link), "{link}");
            assert!(!is_of_a_step(peer, own));
        }
    }
}
