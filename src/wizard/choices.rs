//! The lines of short lists: every candidate is shown, those that cannot be taken with the reason.

use std::cmp::Reverse;
use std::collections::HashSet;

use itertools::Itertools;

use super::lacks::unread;
use super::picker::{About, Choice, Line};
use super::remote::Remote;
use super::screen::{Mode, Screen};
use super::{NewVpn, RegionState};
use crate::cloud::{Id, Inventory};
use crate::plan::fields::Allowed;
use crate::plan::{Finding, Half, Labels, Place, Profile, Severity};
use crate::sign_in::{ListedCloud, ListedCloudState, host};

pub(super) fn about(name: &str, value: impl Into<String>) -> (String, String) {
    (name.to_owned(), value.into())
}

impl NewVpn {
    pub(super) fn region_lines(&self, half: Half, labels: &Labels) -> Vec<Line> {
        self.regions.iter().map(|region| self.region_line(region, half, labels)).collect()
    }

    pub(super) fn region_line(&self, region: &RegionState, half: Half, labels: &Labels) -> Line {
        let name = labels.name(&region.id);
        let code = if name == region.id.as_str() { String::new() } else { region.id.to_string() };
        let mut line = About::default();
        let place = Place::Region(half);
        let is_read = !region.inventory.is_loading();
        match (&region.inventory, region.inventory.ready()) {
            (Remote::Failed(error), _) => {
                line.findings.push(Finding::refusal(place, unread(error)));
                line.detail.extend(error.request.iter().map(|request| about("Request", request.clone())));
                line.detail.extend(error.request_id.iter().map(|id| about("Number", id.clone())));
            }
            (_, None) => {}
            (_, Some(inventory)) => {
                let text = "has no VPN service (VPNaaS)";
                if !inventory.extensions.has_vpnaas() {
                    line.findings.push(Finding::refusal(place, text));
                } else if half == Half::B && self.answers.region.a.as_ref() == Some(&region.id) {
                    line.findings.push(Finding::refusal(place, "is the first region already; site-to-site needs two"));
                } else if !region.has_usable_router() {
                    line.findings
                        .push(Finding::warning(place, "has no router that can hold a VPN; the next list says why"));
                }
                line.detail = vec![
                    about("Routers", inventory.routers.len().to_string()),
                    about(
                        "Subnets",
                        if is_read { inventory.subnets.len().to_string() } else { "being read".to_owned() },
                    ),
                    about("VPN services", inventory.services.len().to_string()),
                    about("Connections", inventory.connections.len().to_string()),
                ];
                if inventory.extensions.has_vpnaas() && !inventory.extensions.stores_sha1() {
                    line.detail.push(about("SHA-1", "no longer stored"));
                }
            }
        }
        let pending = matches!(region.inventory, Remote::NotAsked | Remote::Loading { before: None, .. });
        Line { pending, ..Line::new(Choice::Region(region.id.clone()), name, code, line) }
    }

    /// The values of the field that is listed, the strongest first.
    pub(super) fn value_lines(&self) -> Vec<Line> {
        let Some((field, Allowed::Words(words))) = self.field.map(|field| (field, field.allowed())) else {
            return Vec::new();
        };
        let setting = self.setting();
        let words = words.into_iter().sorted_by_key(|word| Reverse(field.grade(word).map(|grade| grade.strength)));
        let line = |word: &'static str| {
            let mut policy = self.answers.custom.clone();
            let found = field.set(&mut policy, word).map(|()| policy.findings(&setting)).unwrap_or_default();
            let findings = found.into_iter().filter(|finding| finding.place == Place::Policy(Some(field))).collect();
            let weak = if field.is_weak(word) { "weak" } else { "" };
            Line::new(Choice::Word(word), word, weak, About { findings, ..About::default() })
        };
        words.map(line).sorted_by_key(|line| !line.is_open()).collect()
    }

    /// The value that the field has.
    pub(super) fn value(&self) -> Option<Choice> {
        let field = self.field?;
        let Allowed::Words(words) = field.allowed() else { return None };
        let value = field.get(&self.answers.custom);
        words.into_iter().find(|word| *word == value).map(Choice::Word)
    }

    pub(super) fn policy_lines(&self) -> Vec<Line> {
        let setting = self.setting();
        let (recommended, reason) = self.recommended();
        Profile::ALL
            .iter()
            .map(|&profile| {
                let mut line = About::default();
                if let Some(policy) = self.profiles.get(profile) {
                    line.findings = policy.findings(&setting);
                    // Both policies of a profile have the same words, so most is found twice.
                    line.findings.dedup_by(|a, b| a.text == b.text);
                    line.detail = vec![
                        about("IKE", policy.ike_text()),
                        about("IPsec", policy.ipsec_text()),
                        about("Connection", policy.connection_text()),
                    ];
                } else {
                    line.detail = vec![about("Starts from", "the policy chosen so far")];
                }
                if profile == recommended {
                    let text = reason.clone().unwrap_or_else(|| {
                        "the guide's values, which every region here takes; sha1 is old, not weak".to_owned()
                    });
                    line.findings.push(Finding::notice(Place::Policy(None), format!("recommended: {text}")));
                }
                Line::new(Choice::Profile(profile), profile.as_str(), profile.summary(), line)
            })
            .collect()
    }

    /// The line that a list of routers or subnets takes where the user chooses none, and why: one with a name of the other
    /// side, as in the guide's worked example, where what belongs together is called the same in both regions; with an
    /// outside peer, of any other region. Else the first that least speaks against.
    pub(super) fn preferred<'l>(&self, screen: Screen, lines: &'l [Line]) -> Option<(&'l Line, String)> {
        let (half, what) = match screen {
            Screen::Router(half) => (half, "router"),
            Screen::Subnets(half) => (half, "subnet"),
            _ => return None,
        };
        let where_else = if self.answers.mode == Mode::Single { "another region" } else { "the other side" };
        if let Some(line) = self.namesake(screen, half, lines) {
            return Some((line, format!("{where_else} has a {what} of this name")));
        }
        let first = best_by_itself(lines)?;
        let why = if first.worst.is_none() { "nothing speaks against" } else { "can be used" };
        Some((first, format!("the first that {why}")))
    }

    pub(super) fn namesake<'l>(&self, screen: Screen, half: Half, lines: &'l [Line]) -> Option<&'l Line> {
        namesake(&self.names_elsewhere(screen, half), lines)
    }

    fn names_elsewhere(&self, screen: Screen, half: Half) -> HashSet<&str> {
        if self.answers.mode == Mode::Single {
            let others = self.regions.iter().filter(|region| Some(&region.id) != self.answers.region.a.as_ref());
            return others
                .filter_map(|region| region.inventory.ready())
                .flat_map(|known| names_in(known, screen))
                .collect();
        }
        let Some(other) = self.inventory_of(half.other()) else { return HashSet::new() };
        let router = self.answers.router_of(half.other()).and_then(|id| other.router(id));
        let subnets = self.answers.subnets_of(half.other()).iter().filter_map(|id| other.subnet(id));
        let chosen: HashSet<&str> = match screen {
            Screen::Router(_) => router.map(|router| router.name.as_str()).into_iter().collect(),
            _ => subnets.map(|subnet| subnet.name.as_str()).collect(),
        };
        if chosen.is_empty() { names_in(other, screen) } else { chosen }
    }

    /// The subnets to mark: those answered before that still can be taken, else the best one.
    pub(super) fn marks(&self, screen: Screen, lines: &[Line]) -> Vec<Choice> {
        let Screen::Subnets(half) = screen else { return Vec::new() };
        let answered = self.answers.subnets_of(half);
        if !answered.is_empty() {
            let open: HashSet<&Choice> = lines.iter().filter(|line| line.is_open()).map(|line| &line.choice).collect();
            let answered = answered.iter().cloned().map(Choice::Object);
            let answered: Vec<Choice> = answered.filter(|choice| open.contains(choice)).collect();
            if !answered.is_empty() {
                return answered;
            }
        }
        self.preferred(screen, lines).map(|(line, _)| line.choice.clone()).into_iter().collect()
    }

    /// Whether marks are what the user has answered before, and not a suggestion.
    pub(super) fn is_decided(&self, screen: Screen, marked: Option<&[Choice]>) -> bool {
        let Screen::Subnets(half) = screen else { return false };
        let answered: HashSet<&Id> = self.answers.subnets_of(half).iter().collect();
        let is_answered = |choice: &Choice| matches!(choice, Choice::Object(id) if answered.contains(id));
        // One alone is as good as the cursor, which Enter follows.
        marked.is_some_and(|marked| marked.len() > 1 && marked.iter().any(is_answered))
    }
}

/// The names of a region's routers or subnets.
fn names_in(known: &Inventory, screen: Screen) -> HashSet<&str> {
    match screen {
        Screen::Router(_) => known.routers.iter().map(|router| router.name.as_str()).collect(),
        _ => known.subnets.iter().map(|subnet| subnet.name.as_str()).collect(),
    }
}

pub(super) fn namesake<'l>(names: &HashSet<&str>, lines: &'l [Line]) -> Option<&'l Line> {
    lines.iter().find(|line| is_plain(line) && names.contains(line.title.as_str()))
}

/// The line to take where no name decides: the first of those that least speaks against.
pub(super) fn best_by_itself(lines: &[Line]) -> Option<&Line> {
    lines.iter().filter(|line| line.is_open()).min_by_key(|line| (line.pending, line.rank()))
}

/// Whether a line is open without a reservation.
pub(super) fn is_plain(line: &Line) -> bool {
    !line.pending && line.worst.is_none_or(|worst| worst == Severity::Notice)
}

/// Where a cloud of clouds.yaml is, and as whom it is used.
pub(super) fn cloud_line(cloud: &ListedCloud) -> Line {
    let mut more = About::default();
    let aside = match &cloud.state {
        ListedCloudState::Usable { auth_url, proof, project } => {
            more.detail.push(about("URL", auth_url.clone()));
            more.detail.push(about("With", proof.clone()));
            more.detail.push(about("Project", project.clone().unwrap_or_else(|| "not named".to_owned())));
            host(auth_url)
        }
        ListedCloudState::Unusable(why) => {
            more.findings.push(Finding::warning(Place::Region(Half::A), why.clone()));
            ""
        }
    };
    Line::new(Choice::Cloud(cloud.name.clone()), cloud.name.clone(), aside, more)
}
