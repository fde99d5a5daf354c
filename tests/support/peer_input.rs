//! What must hold of whatever is typed or pasted about a peer. The property tests and the fuzzer share it.

use ipnet::IpNet;
use osvpn::plan::cidr;
use osvpn::plan::peer::{PeerAddress, check_id};

/// A message fits two rows of a small screen and cannot harm it.
#[track_caller]
pub fn is_shown(message: &str) {
    assert!(!message.is_empty() && message.chars().count() <= 240, "{} characters: {message:?}", message.len());
    assert!(!message.contains(|c: char| c.is_control()), "{message:?}");
}

/// What is accepted is written as the API writes it, is read back as the same, and is a list the API stores and a tunnel
/// can carry.
#[track_caller]
pub fn ranges(text: &str) {
    let read = match cidr::parse_list(text) {
        Ok(read) => read,
        Err(problem) => return is_shown(&problem.to_string()),
    };
    let written = read.iter().map(ToString::to_string).collect::<Vec<_>>();
    assert_eq!(cidr::parse_list(&written.join(",")).as_ref(), Ok(&read), "read back");
    assert!(!read.is_empty());
    for (index, range) in read.iter().enumerate() {
        assert_eq!(range.trunc(), *range, "a network, not a host in one");
        assert!(matches!((range, &read[0]), (IpNet::V4(_), IpNet::V4(_)) | (IpNet::V6(_), IpNet::V6(_))));
        assert!(read[..index].iter().all(|earlier| !cidr::overlap(earlier, range)), "{range} twice");
    }
}

/// An address is read back as the same one, and an identity made of it is one.
#[track_caller]
pub fn address(text: &str) {
    let read = match PeerAddress::parse(text) {
        Ok(read) => read,
        Err(problem) => return is_shown(&problem.to_string()),
    };
    let written = read.to_string();
    assert_eq!(PeerAddress::parse(&written), Ok(read));
    assert!(written.len() <= 253 && written.is_ascii() && !written.contains(char::is_whitespace), "{written:?}");
    assert_eq!(check_id(&written), Ok(()), "{written} is its own identity");
}

/// An identity holds nothing that a configuration file would read anything into.
#[track_caller]
pub fn identity(text: &str) {
    match check_id(text) {
        Ok(()) => assert!((1..=255).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic())),
        Err(problem) => is_shown(&problem.to_string()),
    }
}
