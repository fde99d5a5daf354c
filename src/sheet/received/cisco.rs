//! Cisco IOS and IOS XE: policies, keys, transform sets and access lists that a crypto map joins.

use std::net::{IpAddr, Ipv4Addr};

use ipnet::{IpNet, Ipv4Net};
use itertools::Itertools;

use super::notes::ReceivedNotes;
use super::secrets::{SecretFor, key_for};
use super::values::take_key;
use super::{Received, ReceivedEnd, ReceivedEnds, Transforms};
use crate::plan::policy::IkeVersion;

/// What the lines after a line belong to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum CiscoBlock<'t> {
    #[default]
    None,
    IkePolicy,
    Ikev2Proposal,
    Keyring,
    Profile,
    TransformSet,
    AccessList(&'t str),
    Map,
    Interface,
}

const ENCRYPTED: &str = "the key is encrypted; only the device's owner can tell it";

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
    isakmp: Vec<Transforms>,
    /// Each with its PRF.
    ikev2: Vec<(Transforms, Transforms)>,
    /// Whether a map names a profile of IKEv2.
    has_profile: bool,
    /// The transform sets by their names, and the names that a map uses.
    sets: Vec<(&'t str, Transforms)>,
    used: Vec<&'t str>,
    secrets: Vec<SecretFor>,
    of_keyrings: Vec<&'t str>,
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
                self.isakmp.push(Transforms::default());
                CiscoBlock::IkePolicy
            }
            ["crypto", "ikev2", "proposal", _] => {
                self.ikev2.push(<(Transforms, Transforms)>::default());
                CiscoBlock::Ikev2Proposal
            }
            ["crypto", "ikev2", "keyring", _] => CiscoBlock::Keyring,
            ["crypto", "ikev2", "profile", _] => CiscoBlock::Profile,
            ["crypto", "isakmp", "key", ref rest @ ..] => {
                self.isakmp_key(line, rest, text, notes);
                CiscoBlock::None
            }
            ["crypto", "isakmp", "keepalive", interval, ..] | ["crypto", "ikev2", "dpd", interval, ..] => {
                policy.dpd_interval = interval.parse().ok();
                CiscoBlock::None
            }
            ["crypto", "ipsec", "transform-set", name, ref rest @ ..] => {
                self.sets.push((name, transforms(rest)));
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
            (CiscoBlock::IkePolicy | CiscoBlock::Ikev2Proposal, [what, values @ ..]) => {
                return self.of_proposal(block, line, what, values, text, notes);
            }
            (CiscoBlock::Keyring, ["peer", _]) => self.secrets.push(SecretFor::default()),
            (CiscoBlock::Keyring, ["address", address, ..]) => {
                self.of_keyrings.push(address);
                self.secrets.last_mut().into_iter().for_each(|secret| secret.ids.push((*address).to_owned()));
            }
            (CiscoBlock::Keyring, ["pre-shared-key", rest @ ..]) => self.keyring_key(line, rest, text, notes),
            (
                CiscoBlock::Profile,
                ["match", "identity", "remote", "address" | "fqdn" | "email" | "key-id", id]
                | ["match", "identity", "remote", "address", id, "255.255.255.255"],
            ) => {
                notes.put(line, "the identity", &mut self.vpn.far.id, (*id).to_owned());
            }
            (CiscoBlock::Profile, ["identity", "local", _, id]) => {
                notes.put(line, "the identity", &mut self.vpn.own.id, (*id).to_owned());
            }
            (CiscoBlock::Profile, ["lifetime", seconds]) => {
                self.number(line, seconds, text, |vpn| &mut vpn.policy.ike_lifetime, notes);
            }
            (CiscoBlock::Profile, ["dpd", interval, ..]) => policy.dpd_interval = interval.parse().ok(),
            (CiscoBlock::Map, ["set", "peer", address, ..]) => self.peers.push(address),
            (CiscoBlock::Map, ["set", "transform-set", names @ ..]) => self.used.extend(names.iter().copied()),
            (CiscoBlock::Map, ["set", "ikev2-profile", _]) => self.has_profile = true,
            (CiscoBlock::Profile, ["authentication", "local" | "remote", how, ..]) => {
                notes.authentication(line, "authentication", how);
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
            (CiscoBlock::Profile, ["keyring", ..])
            | (CiscoBlock::TransformSet, ["mode", "tunnel"])
            | (CiscoBlock::AccessList(_), ["deny" | "remark", ..])
            | (CiscoBlock::Interface, _) => {}
            _ => return false,
        }
        true
    }

    /// A line of an IKE policy or proposal; whether it is one.
    fn of_proposal(
        &mut self,
        block: CiscoBlock<'t>,
        line: usize,
        what: &str,
        values: &[&str],
        text: &str,
        notes: &mut ReceivedNotes,
    ) -> bool {
        let is_v2 = block == CiscoBlock::Ikev2Proposal;
        let (v1, v2) = (self.isakmp.last_mut(), self.ikev2.last_mut());
        let one = if is_v2 { v2.map(|(one, prf)| (one, Some(prf))) } else { v1.map(|one| (one, None)) };
        let Some((one, prf)) = one else { return false };
        match (what, prf) {
            ("encryption" | "encr", _) => ciphers(values).for_each(|word| one.take(&word, Transforms::take_cipher)),
            ("hash" | "integrity", _) => values.iter().for_each(|word| one.take(word, Transforms::take_integrity)),
            ("prf", Some(prf)) => values.iter().for_each(|word| prf.take(word, Transforms::take_integrity)),
            ("group", _) => values.iter().for_each(|word| one.take(word, Transforms::take_group)),
            ("authentication", _) => {
                notes.authentication(line, what, values.first().copied().unwrap_or_default());
            }
            ("lifetime", _) => {
                let seconds = values.last().copied().unwrap_or_default();
                self.number(line, seconds, text, |vpn| &mut vpn.policy.ike_lifetime, notes);
            }
            _ => return false,
        }
        true
    }

    /// What follows `crypto isakmp key`.
    fn isakmp_key(&mut self, line: usize, words: &[&str], text: &str, notes: &mut ReceivedNotes) {
        let (key, address) = match *words {
            [key, "address", address, ..] | ["0", key, "address", address, ..] => (key, address),
            ["6" | "7", ..] => return notes.of_line(line, ENCRYPTED),
            _ => return notes.unread(line, text),
        };
        let mut secret = SecretFor::default();
        secret.ids.extend(Some(address).filter(|address| *address != "0.0.0.0").map(ToOwned::to_owned));
        take_key(&mut secret.key, line, key, notes);
        self.secrets.push(secret);
    }

    /// What follows `pre-shared-key` of a peer in a keyring.
    fn keyring_key(&mut self, line: usize, words: &[&str], text: &str, notes: &mut ReceivedNotes) {
        match (words, self.secrets.last_mut()) {
            (["6" | "7", _] | ["local" | "remote", "6" | "7", _], _) => notes.of_line(line, ENCRYPTED),
            ([key] | ["0" | "local" | "remote", key] | ["local" | "remote", "0", key], Some(secret)) => {
                take_key(&mut secret.key, line, key, notes);
            }
            _ => notes.unread(line, text),
        }
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
        let of_maps = if self.peers.is_empty() { &self.of_keyrings } else { &self.peers };
        let peers: Vec<&str> = of_maps.iter().copied().unique().collect();
        match peers.as_slice() {
            [peer] => self.vpn.far.address = Some((*peer).to_owned()),
            [] => {}
            _ => notes.contradict(format!("there are several peers in it: {}; leave one", peers.join(", "))),
        }
        for (_, ends) in self.lists.iter().filter(|(name, _)| self.matched.contains(name)) {
            self.vpn.carry(ends);
        }
        self.choose(notes);
        self.vpn.key = key_for(&self.vpn, &self.secrets, notes);
        for one in &mut self.vpn.policy.ipsec {
            one.groups.extend(&self.pfs.groups);
            one.unknown.extend(self.pfs.unknown.iter().cloned());
        }
        let is_any = !self.vpn.policy.ike.is_empty() || self.vpn.far.address.is_some();
        is_any.then_some(self.vpn)
    }

    /// Of what a device has for all its VPNs, what this one uses.
    fn choose(&mut self, notes: &mut ReceivedNotes) {
        let is_v2 = self.has_profile || (self.used.is_empty() || self.isakmp.is_empty()) && !self.ikev2.is_empty();
        let policy = &mut self.vpn.policy;
        if is_v2 {
            // With a cipher that has an integrity of its own, the policy's says the PRF.
            let each = self.ikev2.drain(..).map(|(mut one, prf)| {
                if one.auth.is_empty() {
                    one.auth = prf.auth;
                }
                one
            });
            policy.ike.extend(each);
        } else {
            policy.ike.append(&mut self.isakmp);
        }
        policy.ike_version = match () {
            () if policy.ike.is_empty() && !is_v2 => None,
            () if is_v2 => Some(IkeVersion::V2),
            () => Some(IkeVersion::V1),
        };
        if self.used.is_empty() && self.sets.len() > 1 {
            notes.of_all("no map says which transform set this VPN uses: the strongest is taken");
        }
        let used = &self.used;
        let is_used = |name: &str| used.is_empty() || used.contains(&name);
        policy.ipsec.extend(self.sets.drain(..).filter(|(name, _)| is_used(name)).map(|(_, set)| set));
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
