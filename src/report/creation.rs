//! The report of a creation as a person reads it.

use std::fmt::{self, Display, Formatter};

use itertools::Itertools;
use secrecy::ExposeSecret;

use super::wrap::hanging;
use super::{CreationOutcome, CreationReport, DoubtReport, FailureReport, HalfReport, Health};
use crate::cloud::RegionId;
use crate::cloud::error::wait_in_words;
use crate::engine::handover::HANDOVER_TITLE;
use crate::engine::{Origin, Step};
use crate::inspect::diagnosis::agents_report;
use crate::plan::shell::osvpn;
use crate::plan::{RULES_NEEDED, ShellCommand};

/// After everything that was done in the simulated cloud.
pub(crate) const DEMO: &str = "This was the demo cloud: it ends with osvpn, and nothing of this exists anywhere else.";

impl Display for CreationReport {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.headline())?;
        for failure in &self.failures {
            write!(f, "\n{failure}")?;
        }
        if !self.is_empty() {
            for half in &self.halves {
                write!(f, "\n{half}")?;
            }
            self.findings.iter().try_for_each(|finding| writeln!(f, "\nwarning: {finding}"))?;
        }
        self.checklist(f)?;
        if let Some(handover) = &self.handover {
            writeln!(f, "\n{HANDOVER_TITLE}\n")?;
            match &self.sheet {
                Some(Ok(sheet)) => f.write_str(sheet.text().expose_secret())?,
                Some(Err(refused)) => writeln!(f, "There is no sheet: {refused}.")?,
                None => {}
            }
            writeln!(f, "\nPre-shared key: {}", handover.key())?;
            handover.key_command.iter().try_for_each(|command| writeln!(f, "  {command}"))?;
            writeln!(f, "For another system, or with the key: {}", osvpn("peer").operand(&self.id))?;
        }
        self.still_needed(f)?;
        self.removal(f)?;
        self.way_on(f)?;
        if self.is_demo {
            writeln!(f, "\n{DEMO}")?;
        }
        Ok(())
    }
}

impl CreationReport {
    fn headline(&self) -> String {
        let vpn = format!("VPN {} (osvpn:{})", self.name, self.id);
        let exists = if self.is_empty() { "Nothing was created." } else { "What exists is listed below." };
        match self.outcome {
            CreationOutcome::Active => format!("{vpn} is ACTIVE."),
            CreationOutcome::NotActive => format!("{vpn} exists, but is not ACTIVE yet."),
            CreationOutcome::Failed => format!("{vpn} failed. {exists}"),
            CreationOutcome::Overtaken => format!("{vpn} was not created. Nothing of it is left."),
            CreationOutcome::Stopped => format!("{vpn} was stopped. {exists}"),
            CreationOutcome::Undone if !self.doubtful.is_empty() => {
                format!("{vpn} was rolled back: everything found is deleted. What may still appear is listed below.")
            }
            CreationOutcome::Undone => format!("{vpn} was rolled back: everything this run created is deleted."),
        }
    }

    fn has(&self, kind: Step, region: &RegionId) -> bool {
        let mut there = self.halves.iter().filter(|half| half.region == *region);
        there.any(|half| half.objects.iter().any(|object| object.kind == kind))
    }

    fn checklist(&self, f: &mut Formatter<'_>) -> fmt::Result {
        if let Some(health) = &self.health {
            write!(f, "\n{}", health.clone().of_run())?;
        }
        if !self.look_again.is_empty() {
            writeln!(
                f,
                "\nIt may still become ACTIVE: {}. To check again:\n  {}",
                agents_report!(),
                osvpn("status").operand(&self.id)
            )?;
        }
        Ok(())
    }

    fn still_needed(&self, f: &mut Formatter<'_>) -> fmt::Result {
        // The checks have read the security groups: they say more.
        if self.security_rules.is_empty() || self.health.as_ref().is_some_and(Health::knows_security_groups) {
            return Ok(());
        }
        write!(f, "\n{}", hanging("", RULES_NEEDED))?;
        self.security_rules.iter().try_for_each(|rule| writeln!(f, "  {}", rule.command))
    }

    fn removal(&self, f: &mut Formatter<'_>) -> fmt::Result {
        for doubt in &self.doubtful {
            let which = if self.has(doubt.kind, &doubt.region) { "A second" } else { "The" };
            write!(f, "\n{}", doubt.text(which))?;
        }
        if self.outcome == CreationOutcome::Active && !self.leftovers.is_empty() {
            writeln!(f, "\nLeft over, and not used by the VPN. To delete it:")?;
            list(f, &self.leftovers)?;
        }
        let is_for_one_command = self.is_made && self.undo.is_some() && self.go_on.is_some() && !self.is_demo;
        if self.removal.is_empty() || self.outcome == CreationOutcome::Active || is_for_one_command {
            return Ok(());
        }
        writeln!(f, "\nTo delete what this run created, in this order:")?;
        list(f, &self.removal)
    }

    /// The demo's cloud ends with the program.
    fn way_on(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let Some(go_on) = self.go_on.as_ref().filter(|_| !self.is_demo) else { return Ok(()) };
        match self.outcome {
            CreationOutcome::Undone | CreationOutcome::Active => {
                return writeln!(f, "\nTo look for it and delete it: {go_on}");
            }
            _ => writeln!(f)?,
        }
        let (away, on) = if self.is_made { ("delete", "wait for ACTIVE") } else { ("roll back", "continue") };
        let commands = [(format!("To {away}:"), self.undo.as_ref()), (format!("To {on}:"), Some(go_on))];
        let mut commands = commands.into_iter().filter_map(|(what, command)| Some((what, command?)));
        commands.try_for_each(|(what, command)| writeln!(f, "{what:<19}  {command}"))
    }
}

impl DoubtReport {
    /// What may be there, `which` being the first word, and how to look for it.
    pub(super) fn text(&self, which: &str) -> String {
        let Self { kind, region, name, may_appear_until, look } = self;
        let kind = kind.label();
        let what = match may_appear_until {
            Some(until) => format!(
                "{which} {kind} {name} may still appear in {region}:\nan answer was lost, and the cloud may still process that \
                 request until {until}. Look then:"
            ),
            None => format!("It is not known whether the {kind} {name} exists in {region}; look:"),
        };
        format!("{what}\n  {look}\n")
    }
}

fn list(f: &mut Formatter<'_>, lines: &[ShellCommand]) -> fmt::Result {
    lines.iter().try_for_each(|line| writeln!(f, "  {line}"))
}

impl Display for HalfReport {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        if self.label == self.region.as_str() {
            writeln!(f, "half {}: {}", self.half, self.region)?;
        } else {
            writeln!(f, "half {}: {} ({})", self.half, self.label, self.region)?;
        }
        writeln!(f, "  router            {} ({})", self.router, self.router_id)?;
        if let Some(address) = self.external_address {
            writeln!(f, "  external address  {address}")?;
        }
        writeln!(f, "  local CIDRs       {}", self.local_cidrs.iter().join(", "))?;
        writeln!(f, "  remote CIDRs      {}", self.remote_cidrs.iter().join(", "))?;
        for object in &self.objects {
            let origin = match object.origin {
                Origin::Created => "created",
                Origin::Adopted => "adopted",
                Origin::Reused => "reused",
            };
            write!(f, "  {origin:<7}  {:<21}  {}", object.kind.label(), object.id)?;
            // What was made is named after the VPN; with its name the line would not fit 80 columns.
            let name = if object.origin == Origin::Reused { format!("  {}", object.name) } else { String::new() };
            writeln!(f, "{name}")?;
        }
        if let Some(status) = &self.connection_status {
            writeln!(f, "  connection is {status}")?;
        }
        Ok(())
    }
}

impl Display for FailureReport {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        self.rows().iter().try_for_each(|(label, value)| f.write_str(&hanging(&format!("{label:<12}"), value)))
    }
}

impl FailureReport {
    /// What there is to say of it, each with what it is.
    pub(super) fn rows(&self) -> Vec<(&'static str, String)> {
        let status = self.status.map(|status| format!(", answered {status}")).unwrap_or_default();
        let rows = [
            ("failed", Some(self.what.clone())),
            ("cause", Some(self.message.clone())),
            ("what to do", self.hint.map(str::to_owned)),
            ("request", self.request.as_ref().map(|request| format!("{request}{status}"))),
            ("wait", self.retry_after.map(wait_in_words)),
            ("request id", self.request_id.clone()),
        ];
        rows.into_iter().filter_map(|(label, value)| Some((label, value?))).collect()
    }
}
