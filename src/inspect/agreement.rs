//! The policies that both halves of a VPN are to have: field by field the stronger value of the two, and where neither is
//! sound, that of a profile. What comes out is in no field weaker than either half, unless a region cannot store it.

use std::collections::BTreeMap;

use itertools::Itertools;

use super::Vpn;
use crate::cloud::{Extensions, RegionId, Survey};
use crate::plan::fields::{Grade, PolicyField};
use crate::plan::policy::{EncryptionAlgorithm, Policy};
use crate::plan::{Half, Profile};

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Agreement(Vec<FieldChoice>);

#[derive(Clone, Debug, PartialEq, Eq)]
struct FieldChoice {
    field: PolicyField,
    taken: Taken,
    /// What the halves have now; none of one whose policy cannot be seen.
    had: BTreeMap<Half, String>,
    /// Why a stronger value of a half is not taken: that region does not store it.
    passed_over: Option<(Half, RegionId)>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Taken {
    /// The value of that half, which is the other one's too where both have it.
    Of(Half, String),
    /// That of the profile modern, which every region stores.
    Profile,
}

impl Agreement {
    /// Between the halves of a VPN; none if neither policies can be seen.
    #[must_use]
    pub fn between(vpn: &Vpn, surveys: &BTreeMap<RegionId, Survey>) -> Self {
        let regions: Vec<(&RegionId, &Extensions)> = vpn
            .sides()
            .filter_map(|(_, side)| Some((&side.region, &surveys.get(&side.region)?.inventory.extensions)))
            .collect();
        let mut choices: Vec<FieldChoice> =
            PolicyField::of_policies().map(|field| FieldChoice::of(field, vpn, &regions)).collect();
        // Each half may have had it with IKEv2, or not worked.
        let needs_ikev2 = choices.iter().any(|choice| match (choice.field, &choice.taken) {
            (PolicyField::IkeEncryption, Taken::Of(_, word)) => {
                word.parse().is_ok_and(EncryptionAlgorithm::needs_ikev2)
            }
            _ => false,
        });
        let version = choices.iter_mut().find(|choice| choice.field == PolicyField::IkeVersion);
        if let Some(version) =
            version.filter(|version| needs_ikev2 && matches!(&version.taken, Taken::Of(_, v) if v == "v1"))
        {
            version.taken = Taken::Profile;
        }
        Self(choices)
    }

    /// The same, in no field weaker than a profile either.
    #[must_use]
    pub fn at_least(mut self, profile: &Policy) -> Self {
        for choice in &mut self.0 {
            let weigh = |word: &str| choice.field.grade(word).map(|grade| grade.strength);
            if let Taken::Of(_, word) = &choice.taken
                && weigh(word) < weigh(&choice.field.get(profile))
            {
                choice.taken = Taken::Profile;
            }
        }
        self
    }

    pub fn policy(&self, profile: &Policy) -> Policy {
        let mut policy = profile.clone();
        for FieldChoice { field, taken, .. } in &self.0 {
            if let Taken::Of(_, word) = taken {
                // Only words that are known have a grade, and only what has a grade is taken.
                let _ = field.set(&mut policy, word);
            }
        }
        policy
    }

    pub fn is_had_by(&self, half: Half) -> bool {
        self.0.iter().filter(|choice| !self.is_idle(choice)).all(|choice| match &choice.taken {
            Taken::Of(of, word) => *of == half || choice.had.get(&half) == Some(word),
            Taken::Profile => false,
        })
    }

    /// A sentence for each field that changes in a half: what it becomes, and what that means.
    pub fn sentences(&self, vpn: &Vpn, profile: &Policy) -> Vec<String> {
        self.told(vpn, |choice| choice.field.get(profile), true)
    }

    pub fn words(&self, vpn: &Vpn) -> Vec<String> {
        self.told(vpn, |_| String::new(), false)
    }

    fn told(&self, vpn: &Vpn, of_profile: impl Fn(&FieldChoice) -> String, in_full: bool) -> Vec<String> {
        let changes = |choice: &&FieldChoice| match &choice.taken {
            Taken::Of(_, word) => choice.had.len() < 2 || choice.had.values().any(|had| had != word),
            Taken::Profile => true,
        };
        let told = self.0.iter().filter(|choice| !self.is_idle(choice)).filter(changes);
        told.map(|choice| choice.told(vpn, &of_profile(choice), in_full)).collect()
    }

    /// Only IKEv1 has modes to negotiate in.
    fn is_idle(&self, choice: &FieldChoice) -> bool {
        let is_v1 = |choice: &FieldChoice| {
            choice.field == PolicyField::IkeVersion && matches!(&choice.taken, Taken::Of(_, v) if v == "v1")
        };
        choice.field == PolicyField::Phase1Mode && !self.0.iter().any(is_v1)
    }
}

impl FieldChoice {
    fn of(field: PolicyField, vpn: &Vpn, regions: &[(&RegionId, &Extensions)]) -> Self {
        let had: BTreeMap<Half, String> =
            vpn.sides().filter_map(|(half, side)| Some((half, side.stored(field)?))).collect();
        let refusing = |word: &str| regions.iter().find(|(_, extensions)| !field.is_stored_by(word, extensions));
        let graded: Vec<(Half, &String, Grade)> =
            had.iter().filter_map(|(half, word)| Some((*half, word, field.grade(word)?))).collect();
        let storable = graded.iter().filter(|(_, word, _)| refusing(word).is_none());
        let taken = match strongest(storable) {
            Some((half, word, grade)) if grade.is_sound => Taken::Of(*half, (*word).clone()),
            _ => Taken::Profile,
        };
        let passed_over = strongest(&graded).filter(|(_, _, grade)| grade.is_sound).and_then(|(half, word, _)| {
            let (region, _) = refusing(word)?;
            Some((*half, (*region).clone()))
        });
        Self { field, taken, had, passed_over }
    }

    /// "IPsec protocol esp, as in nz-por-1 (ah in nz-hlz-1): AH does not encrypt"
    fn told(&self, vpn: &Vpn, of_profile: &str, in_full: bool) -> String {
        let (object, name) = self.field.label();
        let (value, of) = match &self.taken {
            Taken::Of(half, word) => (word.as_str(), format!("as in {}", vpn.place(*half))),
            Taken::Profile => (of_profile, format!("of the profile {}", Profile::Modern.as_str())),
        };
        let others = vpn.sides().filter(|(half, _)| self.had.get(half).map(String::as_str) != Some(value));
        let others = others.map(|(half, _)| {
            let word = self.had.get(&half).map_or("unknown", String::as_str);
            format!("{word} in {}", vpn.place(half))
        });
        let passed_over = self.passed_over.as_ref().map_or_else(String::new, |(half, region)| {
            format!("; {region} does not store {}", self.had.get(half).map_or("", String::as_str))
        });
        let value = if value.is_empty() { String::new() } else { format!(" {value}") };
        let meaning = if in_full { format!(": {}", self.meaning()) } else { String::new() };
        format!("{object} {name}{value} {of} ({}{passed_over}){meaning}", others.format(", "))
    }

    const fn meaning(&self) -> &'static str {
        match self.field {
            PolicyField::IkeVersion => "IKEv1 is historic, and carries one pair of subnets only",
            PolicyField::Phase1Mode => "aggressive mode shows a hash of the key to anyone who listens",
            PolicyField::IkeAuth | PolicyField::IpsecAuth => {
                "the longer hash is the stronger; SHA-1 is being withdrawn"
            }
            PolicyField::IkeEncryption | PolicyField::IpsecEncryption => "the longer key is the stronger",
            PolicyField::IkePfs | PolicyField::IpsecPfs => "keys agreed upon in the stronger group are harder to break",
            PolicyField::IkeLifetime | PolicyField::IpsecLifetime => {
                "the shorter one counts; under 600 s traffic fails at each renewal, over a day a key lives for too long"
            }
            PolicyField::TransformProtocol => "ESP encrypts, and AH does not",
            PolicyField::EncapsulationMode => "transport mode carries nothing of the subnets behind the routers",
            PolicyField::DpdAction
            | PolicyField::DpdInterval
            | PolicyField::DpdTimeout
            | PolicyField::Mtu
            | PolicyField::Initiator => "",
        }
    }
}

/// The strongest of a field's values; of equal ones that of A.
fn strongest<'a, 'b: 'a>(
    graded: impl IntoIterator<Item = &'a (Half, &'b String, Grade), IntoIter: DoubleEndedIterator>,
) -> Option<&'a (Half, &'b String, Grade)> {
    graded.into_iter().rev().max_by_key(|(_, _, grade)| grade.strength)
}
