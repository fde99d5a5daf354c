//! Which policies both halves are to have where theirs differ: never weaker ones, never what does not work.

use osvpn::cloud::{Extensions, Id, StoredPolicy, Survey};
use osvpn::inspect::{Agreement, Vpn};
use osvpn::plan::Profiles;
use osvpn::plan::fields::{Allowed, PolicyField};
use osvpn::plan::policy::{IkeVersion, Policy};

use super::*;

type Words = Vec<String>;

fn modern() -> Policy {
    Profiles::built_in().unwrap().modern
}

/// A VPN whose halves have these words, in regions that store these things.
fn vpn(words: [&Words; 2], stored: [&[&str]; 2]) -> (Vpn, BTreeMap<RegionId, Survey>) {
    let mut regions = surveys(&[a(), b()]);
    for (region, aliases) in [HLZ, POR].into_iter().zip(stored) {
        let survey = regions.get_mut(&RegionId::new(region)).unwrap();
        survey.inventory.extensions = Extensions::new(aliases.iter().map(|alias| (*alias).to_owned()));
    }
    let mut vpn = of(&[a(), b()]).vpns.remove(0);
    let OtherHalf::Found(other) = &mut vpn.other_half else { panic!("one half") };
    for (side, words) in [&mut vpn.a, &mut **other].into_iter().zip(words) {
        let policy = |fields: std::ops::Range<usize>| {
            let attributes = fields.map(|at| (of_policies()[at].attribute(), words[at].clone()));
            let (id, name, description) = (Id::new("p"), String::new(), String::new());
            StoredPolicy { id, name, description, attributes: attributes.collect() }
        };
        (side.ike, side.ipsec) = (Some(policy(0..6)), Some(policy(6..12)));
    }
    (vpn, regions)
}

const OLD: &[&str] = &["vpnaas"];
const NEW: &[&str] = &["vpnaas", "vpn-aes-ctr"];
const LATEST: &[&str] = &["vpnaas", "vpn-aes-ctr", "vpn-no-sha1-3des"];

/// The words of the profile modern with some changed.
fn modern_but(changed: &[(PolicyField, &str)]) -> Words {
    let word = |field: &PolicyField| {
        let changed = changed.iter().find(|(of, _)| of == field);
        changed.map_or_else(|| field.get(&modern()), |(_, word)| (*word).to_owned())
    };
    of_policies().iter().map(word).collect()
}

#[test]
fn of_two_values_the_stronger_is_taken_and_of_two_unsound_ones_neither() {
    use PolicyField as F;
    for (field, in_a, in_b, taken) in [
        (F::TransformProtocol, "ah", "esp", "esp"),
        (F::TransformProtocol, "ah-esp", "esp", "esp"),
        (F::TransformProtocol, "ah", "ah", "esp"),
        (F::EncapsulationMode, "transport", "tunnel", "tunnel"),
        (F::IpsecEncryption, "aes-128", "aes-256", "aes-256"),
        (F::IpsecEncryption, "aes-256", "aes-128-gcm-16", "aes-256"),
        (F::IkeEncryption, "3des", "3des", "aes-256"),
        (F::IkeEncryption, "aes-192", "3des", "aes-192"),
        (F::IkeAuth, "sha1", "sha512", "sha512"),
        (F::IkePfs, "group5", "group16", "group16"),
        (F::IpsecPfs, "group2", "group24", "group14"),
        (F::IkeVersion, "v1", "v2", "v2"),
        (F::IkeLifetime, "60", "14400", "14400"),
        (F::IkeLifetime, "86400", "28800", "28800"),
        (F::IpsecLifetime, "60", "1000000", "3600"),
    ] {
        for (first, second) in [(in_a, in_b), (in_b, in_a)] {
            let (vpn, regions) = vpn([&modern_but(&[(field, first)]), &modern_but(&[(field, second)])], [NEW, NEW]);
            let agreement = Agreement::between(&vpn, &regions);
            assert_eq!(field.get(&agreement.policy(&modern())), taken, "{field:?}: {first} and {second}");
            let said = agreement.sentences(&vpn, &modern());
            assert_eq!(said.len(), 1, "{said:?}");
            let (_, name) = field.label();
            assert!(said[0].contains(&format!("{name} {taken} ")) && said[0].contains(": "), "{said:?}");
        }
    }
}

#[test]
fn what_a_region_does_not_store_is_not_taken_and_that_is_said() {
    let strong = modern_but(&[(PolicyField::IpsecPfs, "group21"), (PolicyField::IkeAuth, "sha1")]);
    let (vpn, regions) = vpn([&strong, &modern_but(&[])], [NEW, OLD]);
    let agreement = Agreement::between(&vpn, &regions);
    let policy = agreement.policy(&modern());
    assert_eq!(policy, modern());
    assert!(agreement.is_had_by(Half::B) && !agreement.is_had_by(Half::A));
    let said = agreement.sentences(&vpn, &modern()).join("\n");
    assert!(
        said.contains("PFS group group14 as in nz-por-1") && said.contains("nz-por-1 does not store group21"),
        "{said}"
    );
}

fn words() -> impl Strategy<Value = Words> {
    let word = |field: &PolicyField| match field.allowed() {
        Allowed::Words(words) => {
            let odd = ["", "ah-esp", "sha3"].map(str::to_owned);
            select(words.into_iter().map(str::to_owned).chain(odd).collect::<Vec<_>>()).boxed()
        }
        Allowed::Number(_) => prop_oneof![select(vec![60_u32, 599, 600, 3600, 14400, 86400, 86401]), any::<u32>()]
            .prop_map(|n| n.to_string())
            .boxed(),
    };
    of_policies().iter().map(word).collect::<Vec<_>>()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1500))]

    #[test]
    fn an_agreement_is_never_weaker_than_either_half_and_always_works(
        first in words(), second in words(), stored in [select(vec![OLD, NEW, LATEST]), select(vec![OLD, NEW, LATEST])],
    ) {
        let (vpn, regions) = vpn([&first, &second], stored);
        let agreement = Agreement::between(&vpn, &regions);
        let agreed = agreement.policy(&modern());
        let at_least = agreement.at_least(&modern()).policy(&modern());
        let extensions: Vec<&Extensions> = regions.values().map(|survey| &survey.inventory.extensions).collect();
        for policy in [&agreed, &at_least] {
            prop_assert!(policy.ike.ike_version == IkeVersion::V2 || !policy.ike.encryption_algorithm.needs_ikev2());
            for (at, field) in of_policies().iter().enumerate() {
                let word = field.get(policy);
                let grade = field.grade(&word).unwrap();
                prop_assert!(grade.is_sound, "{field:?} {word}");
                prop_assert!(extensions.iter().all(|region| field.is_stored_by(&word, region)), "{field:?} {word}");
                for had in [&first[at], &second[at]] {
                    let is_storable = extensions.iter().all(|region| field.is_stored_by(had, region));
                    let weaker = field.grade(had).is_some_and(|had| had.strength > grade.strength);
                    prop_assert!(!(weaker && is_storable), "{field:?} {word} is weaker than {had}");
                }
            }
        }
        for field in &of_policies() {
            let of = |policy: &Policy| field.grade(&field.get(policy)).unwrap().strength;
            prop_assert!(of(&at_least) >= of(&modern()), "{field:?}");
        }
        // What both have by then stays.
        let agreed: Words = of_policies().iter().map(|field| field.get(&agreed)).collect();
        let (vpn, regions) = super::agreement::vpn([&agreed, &agreed], stored);
        let again = Agreement::between(&vpn, &regions);
        prop_assert!(again.is_had_by(Half::A) && again.is_had_by(Half::B));
        prop_assert!(again.words(&vpn).is_empty(), "{:?}", again.words(&vpn));
    }
}

fn of_policies() -> Vec<PolicyField> {
    PolicyField::of_policies().collect()
}
