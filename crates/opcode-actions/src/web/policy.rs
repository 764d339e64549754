//! Which addresses HTTP actions may connect to.
//!
//! Keeps: link-local and cloud-metadata addresses, and the daemon's own, are refused, whether they are written as a
//! number, found by a name, or redirected to.
//! Not here: file paths (`files/roots.rs`).

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use reqwest::Url;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};

/// An address that must not be connected to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Forbidden(pub IpAddr);

impl fmt::Display for Forbidden {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the address {} is forbidden", self.0)
    }
}

impl std::error::Error for Forbidden {}

/// Metadata services that do not live on link-local addresses.
const METADATA: [IpAddr; 2] = [
    IpAddr::V4(Ipv4Addr::new(100, 100, 100, 200)),
    IpAddr::V6(Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254)),
];

/// Which addresses nobody may connect to, beside those that nobody ever may.
#[derive(Clone, Debug, Default)]
pub(crate) struct Policy {
    /// Where the daemon itself listens.
    pub own: Vec<SocketAddr>,
    /// Whether loopback and private networks are out of reach, too.
    pub deny_private: bool,
}

/// Looks names up and keeps only the addresses that may be connected to.
impl Resolve for Policy {
    fn resolve(&self, name: Name) -> Resolving {
        let policy = self.clone();
        Box::pin(async move {
            let found = tokio::net::lookup_host((name.as_str(), 0)).await?;
            Ok(Box::new(policy.allowed(found)?.into_iter()) as Addrs)
        })
    }
}

impl Policy {
    /// The addresses that may be connected to, if there is one.
    fn allowed(
        &self,
        found: impl Iterator<Item = SocketAddr>,
    ) -> Result<Vec<SocketAddr>, Forbidden> {
        let (bad, good): (Vec<_>, Vec<_>) = found.partition(|address| self.forbids(address.ip()));
        match bad.first() {
            Some(address) if good.is_empty() => Err(Forbidden(address.ip())),
            Some(_) | None => Ok(good),
        }
    }

    fn forbids(&self, ip: IpAddr) -> bool {
        is_forbidden(ip) || (self.deny_private && is_private(ip))
    }
}

/// Loopback, private, shared, unique-local and other addresses that are not of the open net.
/// Source: IANA's registries of special-purpose addresses (RFC 6890).
fn is_private(ip: IpAddr) -> bool {
    match ip.to_canonical() {
        IpAddr::V4(ip) => {
            let [a, b, c, _] = ip.octets();
            let is_shared = a == 100 && (64..128).contains(&b);
            let is_reserved = a == 0 || a >= 224 || (a == 192 && b == 0 && c == 0);
            let is_bench = a == 198 && (b == 18 || b == 19);
            ip.is_loopback() || ip.is_private() || is_shared || is_reserved || is_bench
        }
        IpAddr::V6(ip) => {
            let is_inner = ip.is_loopback() || ip.is_unspecified() || ip.is_unique_local();
            let within = embedded(ip).is_some_and(|ip| is_private(ip.into()));
            is_inner || ip.is_multicast() || within
        }
    }
}

/// Refuses what can be refused before connecting: written addresses, and the daemon's own by any name.
pub(crate) async fn admit(url: &Url, policy: &Policy) -> Result<(), Forbidden> {
    let own = &policy.own;
    let Some(host) = url.host_str() else { return Ok(()) };
    let port = url.port_or_known_default().unwrap_or_default();
    let written: Option<IpAddr> = host.trim_matches(['[', ']']).parse().ok();
    if let Some(ip) = written.filter(|ip| policy.forbids(*ip)) {
        return Err(Forbidden(ip));
    }
    if !own.iter().any(|address| address.port() == port) {
        return Ok(());
    }
    let addresses: Vec<SocketAddr> = match written {
        Some(ip) => vec![SocketAddr::new(ip, port)],
        // A name that cannot be looked up will not be connected to either.
        None => tokio::net::lookup_host((host, port)).await.into_iter().flatten().collect(),
    };
    match addresses.iter().find(|address| own.iter().any(|own| reaches(**address, *own))) {
        Some(address) => Err(Forbidden(address.ip())),
        None => Ok(()),
    }
}

/// Whether connecting to `address` ends at a socket that listens on `own`.
fn reaches(address: SocketAddr, own: SocketAddr) -> bool {
    let (ip, own_ip) = (address.ip().to_canonical(), own.ip().to_canonical());
    let everywhere = own_ip.is_unspecified() && ip.is_loopback();
    address.port() == own.port() && (ip == own_ip || everywhere || ip.is_unspecified())
}

fn is_forbidden(ip: IpAddr) -> bool {
    let ip = ip.to_canonical();
    let link_local = match ip {
        IpAddr::V4(ip) => ip.is_link_local() || ip.is_broadcast(),
        IpAddr::V6(ip) => {
            ip.is_unicast_link_local() || embedded(ip).is_some_and(|ip| ip.is_link_local())
        }
    };
    link_local || METADATA.contains(&ip)
}

/// The old address inside a translated one (`64:ff9b::/96`, 6to4).
fn embedded(ip: Ipv6Addr) -> Option<Ipv4Addr> {
    let octets = ip.octets();
    match ip.segments() {
        [0x64, 0xff9b, 0, 0, 0, 0, _, _] => {
            Some(Ipv4Addr::new(octets[12], octets[13], octets[14], octets[15]))
        }
        [0x2002, ..] => Some(Ipv4Addr::new(octets[2], octets[3], octets[4], octets[5])),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_lead_only_to_allowed_addresses() {
        let addresses = |texts: &[&str]| -> Vec<SocketAddr> {
            texts.iter().map(|text| SocketAddr::new(text.parse().unwrap(), 0)).collect()
        };
        let mixed = addresses(&["169.254.169.254", "192.0.2.1"]);
        assert_eq!(Policy::default().allowed(mixed.into_iter()), Ok(addresses(&["192.0.2.1"])));
        for bad in [
            "169.254.1.1",
            "fe80::1",
            "::ffff:169.254.169.254",
            "100.100.100.200",
            "fd00:ec2::254",
            "64:ff9b::a9fe:a9fe",
            "2002:a9fe:a9fe::1",
        ] {
            let found = Policy::default().allowed(addresses(&[bad]).into_iter());
            assert_eq!(found, Err(Forbidden(bad.parse().unwrap())), "{bad}");
        }
        for good in ["127.0.0.1", "::1", "10.0.0.1", "fd00::1", "8.8.8.8"] {
            assert!(Policy::default().allowed(addresses(&[good]).into_iter()).is_ok(), "{good}");
        }
        assert_eq!(Policy::default().allowed(std::iter::empty()), Ok(Vec::new()));
        let strict = Policy { deny_private: true, ..Policy::default() };
        for private in [
            "127.0.0.1",
            "10.0.0.1",
            "172.16.0.1",
            "192.168.1.1",
            "100.64.0.1",
            "0.0.0.0",
            "198.18.0.1",
            "224.0.0.1",
            "::1",
            "fd00::1",
            "ff02::1",
            "::ffff:10.0.0.1",
            "64:ff9b::a00:1",
            "2002:7f00:1::1",
        ] {
            assert!(strict.allowed(addresses(&[private]).into_iter()).is_err(), "{private}");
        }
        for open in ["8.8.8.8", "2606:4700::1111", "172.32.0.1", "100.128.0.1"] {
            assert!(strict.allowed(addresses(&[open]).into_iter()).is_ok(), "{open}");
        }
    }
}
