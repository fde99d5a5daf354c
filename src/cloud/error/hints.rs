//! What an error means and what to do about it.
//!
//! The types are those of neutron-lib (`exceptions/vpn.py`), neutron-vpnaas (`extensions/vpnaas.py`) and Neutron's own
//! exceptions, as they stand in `NeutronError.type`. Where a type says too little (`HTTPBadRequest` is everything the API
//! refuses by its form), a part of the message decides.

use super::{Error, ErrorDetail, ErrorKind, LONGEST_MEANT, Proof, Signed};

const BY_TYPE: &str = include_str!("../../../assets/neutron-hints.txt");

/// The type, a part of the message, and the hint.
fn rows() -> impl Iterator<Item = (&'static str, &'static str, &'static str)> {
    let rows = BY_TYPE.lines().filter(|line| !line.starts_with('#')).filter_map(|line| line.split_once(": "));
    rows.map(|(head, hint)| match head.split_once(" / ") {
        Some((kind, part)) => (kind, part, hint),
        None => (head, "", hint),
    })
}

pub fn hint(error: &Error) -> Option<&'static str> {
    let kind = error.neutron_type.as_deref().unwrap_or_default();
    let row = rows().find(|(name, part, _)| *name == kind && error.message.contains(part));
    row.map(|(_, _, hint)| hint).or_else(|| by_kind(error))
}

fn by_kind(error: &Error) -> Option<&'static str> {
    let request = error.request.as_deref().unwrap_or_default();
    let signing_in = error.is_of_sign_in();
    let making_policy = request.starts_with("POST") && (request.ends_with("policies"));
    Some(match &error.kind {
        ErrorKind::Credentials => credentials(error),
        ErrorKind::Unauthorized => unauthorized(error, request.starts_with("POST") && signing_in),
        ErrorKind::SecondFactor if error.signed.is_some_and(|signed| signed.in_file) => {
            "This account signs in with a passcode too. Run osvpn at a terminal, where it is asked for, or use an application credential."
        }
        ErrorKind::SecondFactor => {
            "This account signs in with a passcode too. Source the openrc file that asks for it, or use an application credential."
        }
        ErrorKind::ClearText => {
            "If you trust the network between, pass --allow-clear-text, or answer yes when the wizard asks. Otherwise ask the cloud's operator for an https address of the network service."
        }
        ErrorKind::Unanswered => "Run the command again and it will ask again. What exists is kept.",
        ErrorKind::Forbidden => forbidden(error, request, signing_in),
        // Keystone's own words.
        ErrorKind::NotFound if signing_in && error.message.contains("Could not find Application Credential") => {
            "Keystone knows no such application credential: its id or name is wrong, it was deleted, or it is another cloud's. See what there is (openstack application credential list), or create a new one."
        }
        ErrorKind::NotFound if signing_in && error.message.contains("Could not find ") => {
            "Keystone answers, and does not know what it names: it was deleted, or it is called otherwise. Check user, project and the domains of both."
        }
        ErrorKind::NotFound if signing_in => {
            "There is no Keystone at this address. Check auth_url (OS_AUTH_URL): it ends in :5000/v3 as a rule."
        }
        ErrorKind::NotFound if request.contains("/vpn/") && error.neutron_type.as_deref() == Some("HTTPNotFound") => {
            "This region offers no VPN service (VPNaaS). Choose another region, or ask the cloud's operator."
        }
        ErrorKind::NotFound if is_wrong_address(request, error.neutron_type.as_deref()) => {
            "There is no network service at this address: the catalogue names a wrong one, or something else answers there. That is for the cloud's operator; if you know the right address, set network_endpoint_override in clouds.yaml (OS_NETWORK_ENDPOINT_OVERRIDE)."
        }
        ErrorKind::NotFound => "It was deleted meanwhile, or belongs to another project. Read the region again.",
        ErrorKind::Conflict => {
            "Something else uses it, or was created at the same moment. Look at what exists in that region, then try again."
        }
        ErrorKind::Quota => {
            "The project's quota is used up. Delete what is not needed any more, or ask the cloud's operator for more."
        }
        ErrorKind::Invalid if is_clear_text_to_tls(&error.message) => CLEAR_TEXT_TO_TLS,
        ErrorKind::Unexpected if error.detail == Some(ErrorDetail::MovedToTls) => CLEAR_TEXT_TO_TLS,
        ErrorKind::Invalid | ErrorKind::Stopped => return None,
        ErrorKind::RateLimited if error.retry_after.is_some_and(|wait| wait > LONGEST_MEANT) => {
            "The cloud wants fewer requests, and asks for a wait that it cannot mean. Retry in some minutes; if it stays so, give the request number to the cloud's operator."
        }
        ErrorKind::RateLimited => "The cloud wants fewer requests. Wait as long as it says, then retry.",
        ErrorKind::Server if making_policy && error.status == Some(500) => {
            "From 2026.2 on a region no longer stores sha1 and 3des, and fails in this way. Use the profile modern (IKEv2, sha256)."
        }
        ErrorKind::Server => {
            "The cloud itself failed. Try again in a minute; if it stays, give the request number to the cloud's operator."
        }
        ErrorKind::Unreachable if error.detail == Some(ErrorDetail::NoTls) => {
            "Write http:// instead of https:// in auth_url, or check the port."
        }
        ErrorKind::Unreachable if error.detail == Some(ErrorDetail::BehindProxy) => {
            "Check the proxy that this variable names. If the host is reached without one, add it to no_proxy, or unset the variable."
        }
        ErrorKind::Unreachable => {
            "Check your network, a VPN or proxy of your own (https_proxy), and the host's name and port."
        }
        ErrorKind::Certificate => certificate(error.detail),
        ErrorKind::Interrupted | ErrorKind::Timeout if signing_in || request.starts_with("GET") => {
            "The cloud did not answer in full. Try again; if it stays so, check your network and any proxy or VPN of your own."
        }
        ErrorKind::Interrupted | ErrorKind::Timeout => {
            "It is not known whether the cloud acted on the request. A retry looks for the object first."
        }
        ErrorKind::Journal => {
            "Nothing was sent: without a journal, an interrupted creation could be neither resumed nor rolled back. Make room or set XDG_STATE_HOME to a directory that can be written, then retry."
        }
        ErrorKind::Overtaken => {
            "osvpn list shows what there is now. If it is not what you wanted, talk to the others who work in this project, then try again."
        }
        ErrorKind::Unexpected => {
            "Something other than an OpenStack API may have answered (a proxy, a sign-in page). Check the address; if it is right, please report this: osvpn bug-report collects what is needed."
        }
    })
}

/// Whether nothing is at the address of a collection, of which every network service has some. An object's path has its id
/// in it, and an id has a digit.
fn is_wrong_address(request: &str, neutron_type: Option<&str>) -> bool {
    let collection = request.rsplit('/').next().unwrap_or_default();
    match neutron_type {
        None => !request.is_empty() && !collection.contains(|c: char| c.is_ascii_digit()),
        Some("HTTPNotFound") => ["extensions", "networks", "subnets", "ports"].contains(&collection),
        Some(_) => false,
    }
}

/// What a server says whose port speaks TLS, asked without: nginx, Apache, Go.
fn is_clear_text_to_tls(message: &str) -> bool {
    let message = message.to_ascii_lowercase();
    ["http request was sent to https", "http request to an https", "plain http to an ssl", "plain http to a tls"]
        .iter()
        .any(|words| message.contains(words))
}

const CLEAR_TEXT_TO_TLS: &str = "The address says http:// where TLS answers, and a token is not sent on to another address. If it is the auth_url (OS_AUTH_URL), write https:// there. If it is the catalogue's, that is for the cloud's operator; until then set network_endpoint_override in clouds.yaml (OS_NETWORK_ENDPOINT_OVERRIDE) to the right address.";

fn credentials(error: &Error) -> &'static str {
    let in_file = error.signed.is_some_and(|signed| signed.in_file);
    match error.detail {
        Some(ErrorDetail::ProjectNotGiven) => {
            "Keystone gave a token without a project, although one was asked for. That is for the cloud's operator."
        }
        Some(ErrorDetail::NoProject) if in_file => {
            "Name the project to work in: project_name and project_domain_name (or project_id) below auth of the cloud in clouds.yaml."
        }
        Some(ErrorDetail::NoProject) => {
            "Name the project to work in: OS_PROJECT_NAME and OS_PROJECT_DOMAIN_NAME, or OS_PROJECT_ID."
        }
        Some(ErrorDetail::OtherInterfaces) => {
            "Choose one that the catalogue has: interface in clouds.yaml, or OS_INTERFACE."
        }
        Some(ErrorDetail::NoRegionInCatalog) if in_file => {
            "Leave region_name out of the cloud in clouds.yaml, and unset OS_REGION_NAME."
        }
        Some(ErrorDetail::NoRegionInCatalog) => "Unset OS_REGION_NAME.",
        Some(ErrorDetail::NoNetworkService) => {
            "Check that it is the right project. If it is, the catalogue is for the cloud's operator; if you know the address of the network service, set network_endpoint_override in clouds.yaml (OS_NETWORK_ENDPOINT_OVERRIDE)."
        }
        Some(ErrorDetail::CertificateFile) => {
            "The setting must name a file in PEM form that you may read; for authorities, also a directory of such files."
        }
        _ => {
            "Download an openrc file from the dashboard (API Access) and source it, or write a clouds.yaml into ~/.config/openstack."
        }
    }
}

fn unauthorized(error: &Error, signing_in: bool) -> &'static str {
    match error.signed {
        Some(Signed { by: Proof::ApplicationCredential, .. }) if signing_in => {
            "Check the id (or name and user) and the secret of the application credential. It may have expired or been deleted, or its user may be disabled."
        }
        Some(Signed { by: Proof::Token, .. }) if signing_in => {
            "The token was not exchanged for one of the project that is named: there may be no such project, the user may have no role in it, or the cloud may forbid to exchange tokens. Take a token of that project (openstack token issue), or name no project."
        }
        Some(Signed { in_file: true, .. }) if signing_in => {
            "Check user name, password, project and the domains of both, below auth in clouds.yaml. With multi-factor sign-in at Catalyst, append the passcode to the password, or leave the password out and run osvpn at a terminal, where both are asked for."
        }
        _ if signing_in => {
            "Check user name, password, project and the domains of both. With multi-factor sign-in at Catalyst, append the passcode to the password, or source the openrc file that asks for it."
        }
        Some(Signed { is_sound: true, .. }) => {
            "Keystone accepts this token, and the region's network service refuses it: that is for the cloud's operator. Give them the request and its number. Another region may work meanwhile."
        }
        Some(Signed { by: Proof::Token, in_file: true, .. }) => {
            "The token in clouds.yaml has expired or was revoked. Put a new one there (openstack token issue), or a password or an application credential."
        }
        Some(Signed { by: Proof::Token, in_file: false, .. }) => {
            "The token has expired or was revoked. Get a new one (openstack token issue) and set OS_TOKEN to it; if an openrc set it, source your openrc again."
        }
        _ => {
            "The sign-in is no longer valid. Start osvpn again to sign in; if that does not help, give the request and its number to the cloud's operator."
        }
    }
}

fn forbidden(error: &Error, request: &str, signing_in: bool) -> &'static str {
    let by = error.signed.map(|signed| signed.by);
    match by {
        Some(Proof::Token) if signing_in => {
            "The cloud does not exchange this token for one of the project that is named. Take a token of that project (openstack token issue), or name no project."
        }
        _ if signing_in => "The user has no role in that project. Check the project's name, or ask its administrator.",
        _ if error.signed.is_some_and(|signed| signed.is_sound) => {
            "Your role in the project is enough for this, and the region forbids it all the same: its policy is for the cloud's operator. Give them the request and its number."
        }
        Some(Proof::ApplicationCredential) => {
            "Creating VPNs needs the role member, and an application credential may be restricted further, by its roles and access rules. Create one without such rules, or ask the project's administrator."
        }
        _ if request.starts_with("GET") => {
            "Your roles in the project do not allow this: reading needs the role reader, and creating VPNs member. Ask the project's administrator."
        }
        _ => "Your role does not allow this; creating VPNs needs the role member. Ask the project's administrator.",
    }
}

fn certificate(detail: Option<ErrorDetail>) -> &'static str {
    match detail {
        Some(ErrorDetail::NamesNoHost) => {
            "The cloud's operator has to renew it, with the host's name or address as a subjectAltName."
        }
        Some(ErrorDetail::OtherNames) => {
            "Use one of those names in the address, if it leads to the same cloud. Otherwise somebody may be in between: ask the cloud's operator."
        }
        Some(ErrorDetail::OutOfDate) => "The cloud's operator has to renew it.",
        Some(ErrorDetail::OtherAuthorities) => {
            "Somebody may be in between, or the file of authorities is another cloud's or an old one. Ask the cloud's operator for the authority; do not switch the check off lightly."
        }
        _ => {
            "If the cloud has an authority of its own, name its file: cacert in clouds.yaml, or OS_CACERT. Otherwise somebody may be in between: do not switch the check off lightly."
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cloud::error::wait_in_words;

    fn of(kind: ErrorKind, status: u16, neutron_type: &str, message: &str, request: &str) -> Option<&'static str> {
        let mut error = Error::new(kind, message);
        error.status = Some(status);
        error.request = Some(request.to_owned());
        error.neutron_type = (!neutron_type.is_empty()).then(|| neutron_type.to_owned());
        error.hint()
    }

    #[test]
    fn each_line_of_the_table_is_a_row() {
        let lines = BY_TYPE.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
        assert_eq!(lines.count(), rows().count());
        assert!(rows().all(|(kind, _, hint)| !kind.contains(' ') && hint.ends_with('.')));
    }

    #[test]
    fn a_500_on_a_policy_leads_to_the_profile_that_works() {
        let policy = "POST /v2.0/vpn/ikepolicies";
        let hint = of(ErrorKind::Server, 500, "HTTPInternalServerError", "Request Failed", policy).unwrap();
        assert!(hint.contains("profile modern"));
        let elsewhere =
            of(ErrorKind::Server, 500, "HTTPInternalServerError", "", "POST /v2.0/vpn/vpnservices").unwrap();
        assert!(!elsewhere.contains("sha1"));
    }

    #[test]
    fn a_refusal_is_explained_by_how_the_user_is_signed_in() {
        let sentence = |kind: ErrorKind, request: &str, by, in_file, is_sound| {
            let mut error = Error::new(kind, "").signed(Signed { by, in_file, is_sound });
            error.request = Some(request.to_owned());
            error.hint().unwrap()
        };
        let (tokens, routers) = ("POST /v3/auth/tokens", "GET /v2.0/routers");
        let (refused, forbidden) = (|| ErrorKind::Unauthorized, || ErrorKind::Forbidden);
        let mut seen = std::collections::BTreeSet::new();
        for (kind, request, by, in_file, is_sound, said) in [
            (refused(), tokens, Proof::Password, false, false, "password"),
            (refused(), tokens, Proof::ApplicationCredential, true, false, "secret of the application credential"),
            (refused(), tokens, Proof::Token, false, false, "not exchanged"),
            (refused(), routers, Proof::Token, false, false, "source your openrc again"),
            (refused(), routers, Proof::Token, true, false, "in clouds.yaml"),
            (refused(), routers, Proof::Token, false, true, "cloud's operator"),
            (refused(), routers, Proof::Password, false, false, "Start osvpn again to sign in"),
            (forbidden(), routers, Proof::Password, false, true, "its policy is for the cloud's operator"),
            (forbidden(), routers, Proof::Password, false, false, "role reader"),
            (forbidden(), routers, Proof::ApplicationCredential, false, false, "access rules"),
        ] {
            let hint = sentence(kind, request, by, in_file, is_sound);
            assert!(hint.contains(said), "{hint}");
            assert_eq!(hint.contains("source your openrc"), said.starts_with("source"), "only who has one: {hint}");
            assert!(seen.insert(hint), "each its own: {hint}");
        }
    }

    #[test]
    fn a_collection_that_is_not_found_was_not_deleted_meanwhile() {
        let hint = |neutron_type, request| of(ErrorKind::NotFound, 404, neutron_type, "", request).unwrap();
        for (neutron_type, request) in [
            ("", "GET /v2.0/extensions"),
            ("", "GET /v2.0/vpn/ikepolicies"),
            ("", "POST /v2.0/vpn/vpnservices"),
            ("HTTPNotFound", "GET /v2.0/networks"),
        ] {
            let said = hint(neutron_type, request);
            assert!(said.contains("no network service at this address"), "{request}: {said}");
        }
        assert!(hint("HTTPNotFound", "GET /v2.0/vpn/vpnservices").contains("no VPN service"));
        for (neutron_type, request) in [
            ("", "GET /v2.0/vpn/vpnservices/5d7f8a1e-1c1b-4a55-9d0e-5f6c2a4b3c2d"),
            ("SubnetNotFound", "POST /v2.0/vpn/endpoint-groups"),
        ] {
            let said = hint(neutron_type, request);
            assert!(said.contains("deleted meanwhile"), "{request}: {said}");
        }
    }

    #[test]
    fn what_keystone_does_not_know_is_no_wrong_address() {
        for (message, said) in [
            ("Could not find Application Credential: abc.", "no such application credential"),
            ("Could not find user: jo.", "Check user, project"),
            ("Could not find project: p.", "Check user, project"),
            ("The requested URL was not found on the server.", "no Keystone at this address"),
        ] {
            let hint = of(ErrorKind::NotFound, 404, "", message, "POST /v3/auth/tokens").unwrap();
            assert!(hint.contains(said), "{message}: {hint}");
        }
    }

    #[test]
    fn a_wait_that_no_cloud_can_mean_is_not_repeated() {
        let mut error = Error::new(ErrorKind::RateLimited, "");
        error.retry_after = Some(std::time::Duration::from_secs(2_300_367_133));
        assert_eq!(wait_in_words(2_300_367_133), "a very long time, as the cloud asks");
        assert!(!error.hint().unwrap().contains("as long as it says"));
        error.retry_after = Some(std::time::Duration::from_secs(300));
        assert_eq!(wait_in_words(300), "300 s, as the cloud asks");
        assert!(error.hint().unwrap().contains("as long as it says"));
    }

    #[test]
    fn what_only_reads_leaves_nothing_in_doubt() {
        for request in ["POST /v3/auth/tokens", "GET /v2.0/routers"] {
            let hint = of(ErrorKind::Timeout, 0, "", "", request).unwrap();
            assert!(!hint.contains("acted"), "{request}: {hint}");
        }
        assert!(of(ErrorKind::Timeout, 0, "", "", "POST /v2.0/vpn/vpnservices").unwrap().contains("acted"));
    }

    #[test]
    fn one_type_of_refusal_is_told_apart_by_its_message() {
        let hint = |message| of(ErrorKind::Invalid, 400, "InvalidEndpointInEndpointGroup", message, "").unwrap();
        assert!(
            hint("Endpoint '10.0.0.0/8' is invalid for group type 'cidr': Endpoints have to be unique")
                .contains("twice")
        );
        assert!(hint("Endpoint '10.0.0.0' is invalid for group type 'cidr': Invalid CIDR").contains("prefix length"));
        assert_eq!(of(ErrorKind::Invalid, 400, "HTTPBadRequest", "Required attribute 'psk' not specified", ""), None);
    }
}
