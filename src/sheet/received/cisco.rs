//! Cisco IOS and IOS XE: policies, keys, transform sets and access lists that a crypto map joins.

use std::net::{IpAddr, Ipv4Addr};

use ipnet::{IpNet, Ipv4Net};
use itertools::Itertools;

use super::notes::ReceivedNotes;
use super::values::take_key;
use super::{Received, ReceivedEnd, ReceivedEnds, Transforms};
use crate::plan::policy::IkeVersion;

/// What the lines after a line belong to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum CiscoBlock<'t> {
    #[default]
    None,
    IkePolicy,
    Keyring,
    Profile,
    TransformSet,
    AccessList(&'t str),
    Map,
    Interface,
}

/// What of the lines is put together in the end.
#[derive(Default)]
struct CiscoParts<'t> {
    vpn: Received,
    lists: Vec<(&'t str, ReceivedEnds)>,
    matched: Vec<&'t str>,
    peers: Vec<&'t str>,
    /// The address of the interface whose lines are read.
    of_interface: Option<&'t str>,
    pfs: Transforms,
}

pub(super) fn read(text: &str, notes: &mut ReceivedNotes) -> Vec<Received> {
    let mut parts = CiscoParts::default();
    let mut block = CiscoBlock::None;
    for (at, line) in text.lines().enumerate().map(|(at, line)| (at + 1, line.trim())) {
        if line.is_empty() || line.starts_with('!') {
            continue;
        }
        let words: Vec<&str> = line.split_whitespace().collect();
        if let Some(begun) = parts.begin(at, &words, line, notes) {
            block = begun;
        } else if !parts.within(block, at, &words, line, notes) && block != CiscoBlock::None {
            notes.unread(at, line);
        }
    }
    parts.end(notes).into_iter().collect()
}

impl<'t> CiscoParts<'t> {
    /// Takes a line that begins a block, or is one by itself. None if it is neither.
    fn begin(
        &mut self,
        line: usize,
        words: &[&'t str],
        text: &str,
        notes: &mut ReceivedNotes,
    ) -> Option<CiscoBlock<'t>> {
        let policy = &mut self.vpn.policy;
        Some(match *words {
            ["crypto", "isakmp" | "ikev1", "policy", _] => {
                policy.ike_version = policy.ike_version.or(Some(IkeVersion::V1));
                policy.ike.push(Transforms::default());
                CiscoBlock::IkePolicy
            }
            ["crypto", "ikev2", "proposal", _] => {
                policy.ike_version = Some(IkeVersion::V2);
                policy.ike.push(Transforms::default());
                CiscoBlock::IkePolicy
            }
            ["crypto", "ikev2", "keyring", _] => CiscoBlock::Keyring,
            ["crypto", "ikev2", "profile", _] => CiscoBlock::Profile,
            ["crypto", "isakmp", "key", key, "address", ..] | ["crypto", "isakmp", "key", "0", key, "address", ..] => {
                self.take_key(line, key, notes);
                CiscoBlock::None
            }
            ["crypto", "isakmp", "key", ..] => {
                notes.of_line(line, "the key is encrypted; only the device's owner can tell it");
                CiscoBlock::None
            }
            ["crypto", "isakmp", "keepalive", interval, ..] | ["crypto", "ikev2", "dpd", interval, ..] => {
                policy.dpd_interval = interval.parse().ok();
                CiscoBlock::None
            }
            ["crypto", "ipsec", "transform-set", _, ..] => {
                policy.ipsec.push(transforms(&words[4..]));
                CiscoBlock::TransformSet
            }
            ["crypto", "ipsec", "security-association", "lifetime", "seconds", seconds] => {
                self.number(line, seconds, text, |vpn| &mut vpn.policy.ipsec_lifetime, notes);
                CiscoBlock::None
            }
            ["crypto", "map", _, _, "ipsec-isakmp"] => CiscoBlock::Map,
            // Within an interface it is the map that is used there.
            ["crypto", "map", _] => {
                if let Some(address) = self.of_interface {
                    notes.put(line, "the own address", &mut self.vpn.own.address, address.to_owned());
                }
                CiscoBlock::Interface
            }
            ["crypto", "ikev2", "policy", _]
            | ["router" | "line" | "vlan" | "hostname" | "version" | "end" | "exit", ..] => CiscoBlock::None,
            ["crypto", ..] => {
                notes.unread(line, text);
                CiscoBlock::None
            }
            ["ip", "access-list", "extended", name] => CiscoBlock::AccessList(name),
            ["access-list", name, "permit", "ip", ref rest @ ..] => {
                self.permit(name, line, rest, text, notes);
                CiscoBlock::None
            }
            ["interface", ..] => {
                self.of_interface = None;
                CiscoBlock::Interface
            }
            _ => return None,
        })
    }

    /// Takes a line of a block; whether it is one of it.
    fn within(
        &mut self,
        block: CiscoBlock<'t>,
        line: usize,
        words: &[&'t str],
        text: &str,
        notes: &mut ReceivedNotes,
    ) -> bool {
        let policy = &mut self.vpn.policy;
        match (block, words) {
            (CiscoBlock::IkePolicy, [what, values @ ..]) => {
                let Some(one) = policy.ike.last_mut() else { return false };
                match *what {
                    "encryption" | "encr" => ciphers(values).for_each(|word| one.take(&word, Transforms::take_cipher)),
                    "hash" | "integrity" => values.iter().for_each(|word| one.take(word, Transforms::take_integrity)),
                    "prf" => {}
                    "group" => values.iter().for_each(|word| one.take(word, Transforms::take_group)),
                    "authentication" => return values == ["pre-share"],
                    "lifetime" => {
                        let seconds = values.last().copied().unwrap_or_default();
                        self.number(line, seconds, text, |vpn| &mut vpn.policy.ike_lifetime, notes);
                    }
                    _ => return false,
                }
            }
            (CiscoBlock::Keyring, ["pre-shared-key", key] | ["pre-shared-key", "0" | "local" | "remote", key]) => {
                self.take_key(line, key, notes);
            }
            (CiscoBlock::Keyring, ["pre-shared-key", ..]) => {
                notes.of_line(line, "the key is encrypted; only the device's owner can tell it");
            }
            (CiscoBlock::Profile, ["match", "identity", "remote", _, id, ..]) => {
                notes.put(line, "the identity", &mut self.vpn.far.id, (*id).to_owned());
            }
            (CiscoBlock::Profile, ["identity", "local", _, id]) => {
                notes.put(line, "the identity", &mut self.vpn.own.id, (*id).to_owned());
            }
            (CiscoBlock::Profile, ["lifetime", seconds]) => {
                self.number(line, seconds, text, |vpn| &mut vpn.policy.ike_lifetime, notes);
            }
            (CiscoBlock::Profile, ["dpd", interval, ..]) => policy.dpd_interval = interval.parse().ok(),
            (CiscoBlock::Keyring, ["address", address, ..]) | (CiscoBlock::Map, ["set", "peer", address, ..]) => {
                self.peers.push(address);
            }
            (CiscoBlock::Map, ["set", "pfs", group]) => self.pfs.take(group, Transforms::take_group),
            (CiscoBlock::Map, ["set", "security-association", "lifetime", "seconds", seconds]) => {
                self.number(line, seconds, text, |vpn| &mut vpn.policy.ipsec_lifetime, notes);
            }
            (CiscoBlock::Map, ["match", "address", name]) => self.matched.push(name),
            (CiscoBlock::AccessList(name), ["permit", "ip", rest @ ..]) => self.permit(name, line, rest, text, notes),
            (CiscoBlock::AccessList(name), [number, "permit", "ip", rest @ ..]) if number.parse::<u32>().is_ok() => {
                self.permit(name, line, rest, text, notes);
            }
            (CiscoBlock::Interface, ["ip", "address", address, _]) => self.of_interface = Some(address),
            (CiscoBlock::Keyring, ["peer", _])
            | (CiscoBlock::Profile, ["authentication" | "keyring", ..])
            | (CiscoBlock::TransformSet, ["mode", "tunnel"])
            | (CiscoBlock::Map, ["set", "transform-set" | "ikev2-profile", ..])
            | (CiscoBlock::AccessList(_), ["deny" | "remark", ..])
            | (CiscoBlock::Interface, _) => {}
            _ => return false,
        }
        true
    }

    fn take_key(&mut self, line: usize, key: &str, notes: &mut ReceivedNotes) {
        take_key(&mut self.vpn.key, line, key, notes);
    }

    fn number(
        &mut self,
        line: usize,
        word: &str,
        text: &str,
        place: fn(&mut Received) -> &mut Option<u32>,
        notes: &mut ReceivedNotes,
    ) {
        match word.parse() {
            Ok(number) => *place(&mut self.vpn) = Some(number),
            Err(_) => notes.unread(line, text),
        }
    }

    fn permit(&mut self, name: &'t str, line: usize, words: &[&str], text: &str, notes: &mut ReceivedNotes) {
        let mut rest = words;
        let (own, far) = (range(&mut rest), range(&mut rest));
        let (Some(own), Some(far), true) = (own, far, rest.is_empty()) else { return notes.unread(line, text) };
        let end = |network| ReceivedEnd { networks: vec![network], ..ReceivedEnd::default() };
        self.lists.push((name, ReceivedEnds { own: end(own), far: end(far) }));
    }

    /// All of it, if it says anything of a VPN.
    fn end(mut self, notes: &mut ReceivedNotes) -> Option<Received> {
        let peers: Vec<&str> = self.peers.iter().copied().unique().collect();
        match peers.as_slice() {
            [peer] => self.vpn.far.address = Some((*peer).to_owned()),
            [] => {}
            _ => notes.contradict(format!("there are several peers in it: {}; leave one", peers.join(", "))),
        }
        for (_, ends) in self.lists.iter().filter(|(name, _)| self.matched.contains(name)) {
            self.vpn.carry(ends);
        }
        for one in &mut self.vpn.policy.ipsec {
            one.groups.extend(&self.pfs.groups);
            one.unknown.extend(self.pfs.unknown.iter().cloned());
        }
        let is_any = !self.vpn.policy.ike.is_empty() || self.vpn.far.address.is_some();
        is_any.then_some(self.vpn)
    }
}

/// The ciphers of a line: `aes-cbc-256 aes-cbc-128`, or one in two words, as `aes 256`.
fn ciphers(words: &[&str]) -> impl Iterator<Item = String> {
    let is_two = matches!(words, ["aes", bits] if bits.parse::<u32>().is_ok());
    let whole = if is_two { vec![words.concat()] } else { words.iter().map(|word| (*word).to_owned()).collect() };
    whole.into_iter()
}

/// `esp-aes 256 esp-sha256-hmac`.
fn transforms(words: &[&str]) -> Transforms {
    let mut joined: Vec<String> = Vec::new();
    for word in words {
        match joined.last_mut() {
            Some(last) if word.parse::<u32>().is_ok() => last.push_str(word),
            _ => joined.push((*word).to_owned()),
        }
    }
    Transforms::of(joined.iter().map(String::as_str))
}

/// A range with a wildcard mask, a host, or anything.
fn range(words: &mut &[&str]) -> Option<IpNet> {
    let (network, rest) = match *words {
        ["any", rest @ ..] => (IpNet::V4(Ipv4Net::default()), rest),
        ["host", address, rest @ ..] => (IpNet::from(address.parse::<IpAddr>().ok()?), rest),
        [address, wildcard, rest @ ..] => {
            let wildcard: Ipv4Addr = wildcard.parse().ok()?;
            let mask = Ipv4Addr::from_bits(!wildcard.to_bits());
            (IpNet::V4(Ipv4Net::with_netmask(address.parse().ok()?, mask).ok()?), rest)
        }
        _ => return None,
    };
    *words = rest;
    Some(network)
}
