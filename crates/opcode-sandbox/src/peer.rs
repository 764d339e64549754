//! Whether a connection comes from the program of a step.
//!
//! Keeps: the socket's owner is found by the socket, and its ancestors by the processes; nothing a program says counts.
//! Not here: what follows from it (the HTTP face).

use std::collections::BTreeMap;
use std::fs;
use std::net::{IpAddr, SocketAddr};

use rustix::process::{Pid, geteuid, getpid};

use crate::procfs::{self, Process};
use crate::spec::HELPER_WORD;

/// Whether the other end of a connection on this machine is surely no program of a step. `peer` is its address, `own`
/// is ours. What cannot be found out is no yes: a program that has gone already, or hides what it holds.
///
/// A process of another user can be no step's, unless we are root and may have made it so.
pub fn is_no_step(peer: SocketAddr, own: SocketAddr) -> bool {
    let Some((socket, user)) = socket(peer, own) else { return false };
    let us = geteuid().as_raw();
    if us != 0 && user != us {
        return true;
    }
    let all = procfs::processes();
    let link = format!("socket:[{socket}]");
    let holders: Vec<Pid> = all.iter().map(|it| it.pid).filter(|pid| holds(*pid, &link)).collect();
    let below = below_helpers(&all);
    let is_plain = |pid: &Pid| *pid != getpid() && !below.contains(pid);
    !holders.is_empty() && holders.iter().all(is_plain)
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

/// The number of the socket that is bound to `peer` and connected to `own`, and whose it is.
fn socket(peer: SocketAddr, own: SocketAddr) -> Option<(u64, u32)> {
    ["/proc/net/tcp", "/proc/net/tcp6"].into_iter().find_map(|table| {
        let text = fs::read_to_string(table).ok()?;
        text.lines().skip(1).find_map(|line| {
            let fields: Vec<&str> = line.split_whitespace().collect();
            let is_it =
                address(fields.get(1)?)? == plain(peer) && address(fields.get(2)?)? == plain(own);
            if !is_it {
                return None;
            }
            let number: u64 = fields.get(9)?.parse().ok().filter(|number| *number != 0)?;
            Some((number, fields.get(7)?.parse().ok()?))
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
    fn a_connection_of_this_process_is_found_and_is_not_let_in() {
        for at in ["127.0.0.1:0", "[::1]:0"] {
            let Ok(listener) = TcpListener::bind(at) else { continue };
            let own = listener.local_addr().unwrap();
            let stream = TcpStream::connect(own).unwrap();
            let peer = stream.local_addr().unwrap();
            let link = format!("socket:[{}]", socket(peer, own).unwrap().0);
            assert!(holds(getpid(), &link), "{link}");
            assert!(!is_no_step(peer, own), "what runs here asks nobody by this way");
            drop(stream);
            assert!(!is_no_step(peer, own), "nobody is there any more");
        }
    }
}
