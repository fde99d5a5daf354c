//! The fields of the forms. Each is described here, once: its label, where its text is, its help, and what is wrong with it.

use std::net::IpAddr;

use tui_input::Input;

use super::secret_text::SecretText;
use super::{Content, Model};
use crate::plan::checks::{self, outside};
use crate::plan::fields::{Allowed, PolicyField};
use crate::plan::peer::{PeerAddress, check_id};
use crate::plan::psk::PskProblem;
use crate::plan::psk::psk_rule;
use crate::plan::{Finding, Half, Place, VpnName, cidr};

/// Where the user types.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Field {
    PeerAddress,
    PeerId,
    PeerCidrs,
    Key,
    Name,
    Policy(PolicyField),
    NewKey,
    /// The networks behind the peer of a VPN that exists.
    NewRanges,
    MissingKey,
    /// What the other side has sent, in many lines.
    Text,
}

enum TypedText {
    Plain(fn(&Model) -> Option<&Input>, fn(&mut Model) -> Option<&mut Input>),
    Secret(fn(&Model) -> Option<&SecretText>, fn(&mut Model) -> Option<&mut SecretText>),
}

struct FieldText {
    label: &'static str,
    text: TypedText,
    suggestion: fn(&Model) -> String,
    origin: fn(&Model) -> Option<&'static str>,
    help: fn(&Model) -> &'static str,
    check: fn(&Model) -> Option<String>,
    /// A remark on the text, though nothing is wrong with it.
    remark: fn(&Model) -> Option<String>,
    /// Whether it is checked at every key, before it was left for the first time.
    is_checked_at_once: fn(&Model) -> bool,
}

const PLAIN: FieldText = FieldText {
    label: "",
    text: TypedText::Plain(|_| None, |_| None),
    suggestion: |_| String::new(),
    origin: |_| None,
    help: |_| "",
    check: |_| None,
    remark: |_| None,
    is_checked_at_once: |_| false,
};

const PEER_ADDRESS: FieldText = FieldText {
    label: "Address",
    text: TypedText::Plain(
        |model| Some(&model.new_vpn.answers.peer_address),
        |model| Some(&mut model.new_vpn.answers.peer_address),
    ),
    help: |model| {
        model.shell.way(
            "Where the peer answers: IPv4, IPv6 or a host name.",
            "Where the peer answers: IPv4, IPv6 or a host name. :d says which system stands there, :t reads a text from it.",
        )
    },
    check: |model| match PeerAddress::parse(model.new_vpn.answers.peer_address.value()) {
        Err(problem) => Some(problem.to_string()),
        Ok(PeerAddress::Ip(address)) => own_side(model, address),
        Ok(_) => None,
    },
    remark: |model| {
        let address = PeerAddress::parse(model.new_vpn.answers.peer_address.value()).ok()?.ip()?;
        let own = &model.new_vpn.inventory_of(Half::A)?.subnets;
        let own = own.iter().find(|subnet| subnet.cidr.contains(&address))?;
        let place = model.place(Half::A);
        Some(format!("{address} is in {} ({}) of {place}, this project's own network", own.name, own.cidr))
    },
    ..PLAIN
};

const PEER_ID: FieldText = FieldText {
    label: "Id",
    text: TypedText::Plain(
        |model| Some(&model.new_vpn.answers.peer_id),
        |model| Some(&mut model.new_vpn.answers.peer_id),
    ),
    suggestion: |model| model.new_vpn.answers.peer_id_text().to_owned(),
    origin: |model| model.new_vpn.answers.peer_id.value().is_empty().then_some("the address"),
    help: |_| "How it identifies itself. Empty means its address, which is nearly always right.",
    check: |model| {
        let typed = model.new_vpn.answers.peer_id.value().trim();
        if typed.is_empty() { None } else { check_id(typed).err().map(|problem| problem.to_string()) }
    },
    ..PLAIN
};

const PEER_CIDRS: FieldText = FieldText {
    label: "CIDRs",
    text: TypedText::Plain(
        |model| Some(&model.new_vpn.answers.peer_cidrs),
        |model| Some(&mut model.new_vpn.answers.peer_cidrs),
    ),
    help: |_| "The networks behind it: 192.168.10.0/24, 192.168.20.0/24",
    check: |model| match cidr::parse_list(model.new_vpn.answers.peer_cidrs.value()) {
        Err(problem) => Some(problem.to_string()),
        Ok(ranges) => {
            let refused = refusal(checks::sides(&model.new_vpn.local_ranges(), &ranges, Place::PeerCidrs));
            refused.or_else(|| model.new_vpn.ranges_problem_of_system())
        }
    },
    ..PLAIN
};

const KEY: FieldText = FieldText {
    label: "Key",
    text: TypedText::Secret(|model| Some(&model.new_vpn.answers.key), |model| Some(&mut model.new_vpn.answers.key)),
    origin: |model| match &model.new_vpn.answers.key {
        key if key.is_generated() => Some("generated"),
        key => (key.chars() > 0).then_some("your own"),
    },
    help: |model| {
        if model.new_vpn.answers.key.is_generated() {
            concat!("Generated for this VPN. Type or paste to use your own, ", psk_rule!(), ".")
        } else if model.new_vpn.answers.key.has_few_characters() {
            model.shell.way(
                "Few different characters: easy to guess. Ctrl-G generates one that is not.",
                "Few different characters: easy to guess. :g generates one that is not.",
            )
        } else {
            "Both ends share it. Keep it like a password."
        }
    },
    check: |model| {
        let problem = model.new_vpn.answers.key.check().err().map(|problem| problem.to_string());
        problem.or_else(|| model.new_vpn.key_problem_of_system())
    },
    // What is too short may be on its way to become a key.
    is_checked_at_once: |model| !matches!(model.new_vpn.answers.key.check(), Err(PskProblem::TooShort(_))),
    ..PLAIN
};

const NAME: FieldText = FieldText {
    label: "Name",
    text: TypedText::Plain(
        |model| model.new_vpn.answers.name.as_ref(),
        |model| {
            // A suggested name that is edited becomes the user's own.
            let suggested = model.new_vpn.suggested_name();
            Some(model.new_vpn.answers.name.get_or_insert_with(|| Input::new(suggested)))
        },
    ),
    suggestion: |model| model.new_vpn.name_text(),
    origin: |model| model.new_vpn.answers.name.is_none().then_some("suggested"),
    help: |_| "Every object is named after it.",
    check: |model| VpnName::parse(&model.new_vpn.name_text()).err().map(|problem| problem.to_string()),
    remark: |model| {
        let name = VpnName::parse(&model.new_vpn.name_text()).ok()?;
        let clash = checks::name(&name, &model.new_vpn.known())?.text;
        let key = model.shell.way("Ctrl-O", ":o");
        Some(if model.existing_vpn().is_some() { format!("{clash}; {key} opens that VPN") } else { clash })
    },
    ..PLAIN
};

const NEW_KEY: FieldText = FieldText {
    label: "Key",
    text: TypedText::Secret(
        |model| model.vpns.open.as_ref().map(|open| &open.key),
        |model| model.vpns.open.as_mut().map(|open| &mut open.key),
    ),
    help: |model| {
        if model.vpns.vpn().is_some_and(|vpn| vpn.b().is_some()) {
            "Both halves get it. It is sent to the cloud, and stored nowhere else."
        } else {
            "The peer needs the same. It is sent to the cloud, and stored nowhere else."
        }
    },
    check: |model| wrong_key(model.vpns.open.as_ref().map(|open| &open.key)),
    is_checked_at_once: |model| model.vpns.open.as_ref().is_some_and(|open| open.key.chars() > 0),
    ..PLAIN
};

const NEW_RANGES: FieldText = FieldText {
    label: "CIDRs",
    text: TypedText::Plain(
        |model| model.vpns.open.as_ref().map(|open| &open.ranges),
        |model| model.vpns.open.as_mut().map(|open| &mut open.ranges),
    ),
    help: |_| "The networks behind it, separated by commas. Its owner sets the same there.",
    check: |model| model.vpns.ranges_problem(&model.new_vpn.profiles),
    ..PLAIN
};

const MISSING_KEY: FieldText = FieldText {
    label: "Key",
    text: TypedText::Secret(|model| Some(&model.work.missing_key), |model| Some(&mut model.work.missing_key)),
    help: |_| "The one the change was begun with. It is sent to the cloud, and stored nowhere else.",
    check: |model| wrong_key(Some(&model.work.missing_key)),
    is_checked_at_once: |model| model.work.missing_key.chars() > 0,
    ..PLAIN
};

const TEXT: FieldText = FieldText {
    label: "Text",
    text: TypedText::Secret(|model| Some(&model.new_vpn.pasted), |model| Some(&mut model.new_vpn.pasted)),
    help: |model| {
        model.shell.way(
            "Paste its configuration, AWS's download or a sheet of osvpn; Enter reads it, Ctrl-U clears it.",
            "Paste it, then a line with a single dot. What you paste is not shown.",
        )
    },
    check: |model| model.pasted_problem(),
    ..PLAIN
};

/// Of a field of the policy only what is wrong with it is known here; its own form shows the rest.
const POLICY: FieldText = FieldText { is_checked_at_once: |_| true, ..PLAIN };

impl Field {
    const fn about(self) -> &'static FieldText {
        match self {
            Self::PeerAddress => &PEER_ADDRESS,
            Self::PeerId => &PEER_ID,
            Self::PeerCidrs => &PEER_CIDRS,
            Self::Key => &KEY,
            Self::Name => &NAME,
            Self::NewKey => &NEW_KEY,
            Self::NewRanges => &NEW_RANGES,
            Self::MissingKey => &MISSING_KEY,
            Self::Text => &TEXT,
            Self::Policy(_) => &POLICY,
        }
    }

    pub const fn label(self) -> &'static str {
        self.about().label
    }

    pub const fn is_secret(self) -> bool {
        matches!(self.about().text, TypedText::Secret(..))
    }
}

impl Model {
    /// What is wrong with a field as it stands, whether or not the user has been told.
    pub fn check(&self, field: Field) -> Option<String> {
        match field {
            Field::Policy(field) => self.policy_finding(field).filter(Finding::is_refusal).map(|finding| finding.text),
            field => (field.about().check)(self),
        }
    }

    /// The problem to show at a field: while typing only where the user has been told before, or the rule is checked
    /// as it is typed.
    pub fn problem(&self, field: Field) -> Option<String> {
        let Content::Form(form) = &self.content else { return None };
        let is_due = (field.about().is_checked_at_once)(self) || form.blamed.contains(&field);
        if is_due { self.check(field) } else { None }
    }

    /// What is to be known of a field's text, though nothing is wrong with it.
    pub fn remark(&self, field: Field) -> Option<String> {
        (field.about().remark)(self)
    }

    /// The typed text of a field that is no secret.
    pub fn input(&self, field: Field) -> Option<&Input> {
        match (field, &field.about().text) {
            (Field::Policy(field), _) => self.new_vpn.answers.numbers.get(&field.into()),
            (_, TypedText::Plain(read, _)) => read(self),
            (_, TypedText::Secret(..)) => None,
        }
    }

    pub(super) fn input_mut(&mut self, field: Field) -> Option<&mut Input> {
        match (field, &field.about().text) {
            (Field::Policy(field), _) => self.new_vpn.answers.numbers.get_mut(&field.into()),
            (_, TypedText::Plain(_, write)) => write(self),
            (_, TypedText::Secret(..)) => None,
        }
    }

    pub fn secret(&self, field: Field) -> Option<&SecretText> {
        if let TypedText::Secret(read, _) = field.about().text { read(self) } else { None }
    }

    pub(super) fn secret_mut(&mut self, field: Field) -> Option<&mut SecretText> {
        if let TypedText::Secret(_, write) = field.about().text { write(self) } else { None }
    }

    /// What counts as long as nothing is typed into a field.
    pub fn suggestion(&self, field: Field) -> String {
        (field.about().suggestion)(self)
    }

    pub fn origin(&self, field: Field) -> Option<&'static str> {
        (field.about().origin)(self)
    }

    pub fn field_help(&self, field: Field) -> &'static str {
        (field.about().help)(self)
    }

    /// What there is to say about a field of the custom policy.
    pub fn policy_finding(&self, field: PolicyField) -> Option<Finding> {
        let custom = &self.new_vpn.answers.custom;
        if let (Allowed::Number(_), Some(input)) = (field.allowed(), self.input(Field::Policy(field)))
            && let Err(why) = field.set(&mut custom.clone(), input.value())
        {
            return Some(Finding::refusal(Place::Policy(Some(field)), why.to_string()));
        }
        let findings = custom.findings(&self.new_vpn.setting());
        findings.into_iter().find(|finding| finding.place == Place::Policy(Some(field)))
    }
}

fn refusal(findings: Vec<Finding>) -> Option<String> {
    findings.into_iter().find(Finding::is_refusal).map(|finding| finding.text)
}

fn wrong_key(key: Option<&SecretText>) -> Option<String> {
    match key?.check().err()? {
        PskProblem::Empty => Some("type or paste the key".to_owned()),
        problem => Some(problem.to_string()),
    }
}

/// Why an address cannot be a peer's: it is of this side.
fn own_side(model: &Model, address: IpAddr) -> Option<String> {
    let inventory = model.new_vpn.inventory_of(Half::A)?;
    let router = inventory.router(model.new_vpn.answers.router_of(Half::A)?)?;
    let service = inventory.services.iter().find(|service| service.router == router.id);
    let own = outside::own_addresses(router, service);
    refusal(outside::peer(address, router, &own, &model.new_vpn.local_ranges(), Place::PeerAddress))
}
