//! What `VyOS`, `OPNsense` and pfSense make of their own configuration: all three run strongSwan, and write its swanctl.conf by
//! published rules (`swanctl/peer.j2` of vyos-1x, `Swanctl.php` of opnsense/core, `ipsec.inc` of pfSense). Here those rules turn a
//! sheet into that file, so that it can be brought up.

use std::collections::BTreeMap;

/// A connection as all three write it: what stands in its block, in its children, and in the secret.
struct Swanctl {
    connection: Vec<(String, String)>,
    ids: [String; 2],
    children: Vec<Vec<(String, String)>>,
    secret: String,
}

impl Swanctl {
    fn text(&self) -> String {
        let lines = |pairs: &[(String, String)]| -> String {
            pairs.iter().map(|(name, value)| format!("{name} = {value}\n")).collect::<Vec<_>>().concat()
        };
        let [local, remote] = &self.ids;
        let children = self.children.iter().enumerate();
        let children: String =
            children.map(|(at, child)| format!("child-{at} {{\n{}}}\n", lines(child))).collect::<Vec<_>>().concat();
        format!(
            "connections {{\nsheet {{\n{}local {{\nauth = psk\nid = \"{local}\"\n}}\nremote {{\nauth = psk\nid = \"{remote}\"\n}}\n\
             children {{\n{children}}}\n}}\n}}\nsecrets {{\nike-sheet {{\nid-1 = \"{local}\"\nid-2 = \"{remote}\"\n\
             secret = \"{}\"\n}}\n}}\n",
            lines(&self.connection),
            self.secret
        )
    }
}

fn pair(name: &str, value: impl Into<String>) -> (String, String) {
    (name.to_owned(), value.into())
}

/// The groups by their numbers, as `get_esp_ike_cipher` and pfSense's lists have them.
fn modp(number: &str) -> &'static str {
    match number {
        "14" => "modp2048",
        "15" => "modp3072",
        "16" => "modp4096",
        "19" => "ecp256",
        _ => panic!("group {number}"),
    }
}

/// What a system's rules make of its sheet.
pub fn swanctl_of(format: &str, sheet: &str) -> String {
    match format {
        "vyos" => vyos(sheet),
        "opnsense" => opnsense(sheet),
        "pfsense" => pfsense(sheet),
        _ => panic!("{format} is no strongSwan"),
    }
    .text()
}

fn vyos(sheet: &str) -> Swanctl {
    let lines: Vec<&str> = sheet.lines().filter_map(|line| line.strip_prefix("set vpn ipsec ")).collect();
    let all = |path: &str| -> Vec<&str> {
        let found = lines.iter().filter_map(|line| {
            let mut rest = line.split_once(' ')?.1;
            // The name of the group or peer is the user's.
            rest = rest.split_once(' ').map_or(rest, |(_, rest)| rest);
            let head = line.split(' ').next()?;
            let line_path = if head == "site-to-site" { rest.split_once(' ')?.1 } else { rest };
            let value = line_path.strip_prefix(path.split_once('/')?.1)?.strip_prefix(' ')?;
            (head == path.split_once('/')?.0).then_some(value)
        });
        found.collect()
    };
    let one = |path: &str| all(path).first().copied().unwrap_or_else(|| panic!("no {path} in\n{sheet}")).to_owned();
    let version = one("ike-group/key-exchange");
    let mobike = lines.iter().any(|line| line.ends_with("disable-mobike"));
    let proposal = |group: &str, dh: &str| {
        format!(
            "{}-{}-{}",
            one(&format!("{group}/proposal 1 encryption")),
            one(&format!("{group}/proposal 1 hash")),
            modp(dh)
        )
    };
    let pfs = one("esp-group/pfs");
    let children = (1..)
        .map_while(|tunnel| {
            let [local, remote] =
                ["local", "remote"].map(|side| all(&format!("site-to-site/tunnel {tunnel} {side} prefix")).join(","));
            (!local.is_empty()).then(|| {
                vec![
                    pair("esp_proposals", proposal("esp-group", pfs.trim_start_matches("dh-group"))),
                    pair("life_time", format!("{}s", one("esp-group/lifetime"))),
                    pair("local_ts", local),
                    pair("remote_ts", remote),
                    pair("mode", one("esp-group/mode")),
                    pair("start_action", "start"),
                    pair("dpd_action", one("ike-group/dead-peer-detection action")),
                    pair("close_action", "none"),
                ]
            })
        })
        .collect();
    assert_eq!(one("site-to-site/connection-type"), "initiate");
    Swanctl {
        connection: vec![
            pair("proposals", proposal("ike-group", &one("ike-group/proposal 1 dh-group"))),
            pair("version", version.trim_start_matches("ikev")),
            pair("local_addrs", one("site-to-site/local-address")),
            pair("remote_addrs", one("site-to-site/remote-address")),
            pair("dpd_timeout", one("ike-group/dead-peer-detection timeout")),
            pair("dpd_delay", one("ike-group/dead-peer-detection interval")),
            pair("rekey_time", format!("{}s", one("ike-group/lifetime"))),
            pair("mobike", if mobike { "no" } else { "yes" }),
            pair("keyingtries", "0"),
        ],
        ids: ["local-id", "remote-id"].map(|id| one(&format!("site-to-site/authentication {id}"))),
        children,
        secret: sheet.lines().find_map(|line| line.split_once(" secret ")).unwrap().1.to_owned(),
    }
}

/// The sections of a sheet with values for a web interface: what each label says, in the order of the sections.
fn sections(sheet: &str) -> Vec<BTreeMap<String, String>> {
    let mut sections: Vec<BTreeMap<String, String>> = Vec::new();
    for line in sheet.lines() {
        if let Some(value) = line.strip_prefix("    ") {
            let (label, value) = value.split_once("  ").unwrap_or((value, ""));
            sections.last_mut().unwrap().insert(label.trim().to_owned(), value.trim().to_owned());
        } else if line.starts_with("  ") {
            sections.push(BTreeMap::new());
        }
    }
    sections
}

/// It writes each of its fields as the option of the same name.
fn opnsense(sheet: &str) -> Swanctl {
    let sections = sections(sheet);
    let [keys, connection, local, remote, children @ ..] = sections.as_slice() else { panic!("{sheet}") };
    let on = |value: &str| if value == "off" { "no" } else { "yes" }.to_owned();
    let mut options = vec![
        pair("proposals", connection["Proposals"].clone()),
        pair("version", connection["Version"].trim_start_matches("IKEv")),
        pair("local_addrs", connection["Local addresses"].split(',').next().unwrap()),
        pair("remote_addrs", connection["Remote addresses"].clone()),
        pair("rekey_time", connection["Rekey time"].clone()),
        pair("dpd_delay", connection["DPD delay"].clone()),
        pair("keyingtries", connection["Keyingtries"].clone()),
    ];
    let fields = [("Aggressive", "aggressive"), ("MOBIKE", "mobike")].into_iter();
    options.extend(fields.filter_map(|(label, option)| Some(pair(option, on(connection.get(label)?)))));
    options.extend(connection.get("DPD timeout").map(|timeout| pair("dpd_timeout", timeout.clone())));
    let child = |child: &BTreeMap<String, String>| {
        vec![
            pair("esp_proposals", child["ESP proposals"].clone()),
            pair("local_ts", child["Local"].clone()),
            pair("remote_ts", child["Remote"].clone()),
            pair("rekey_time", child["Rekey time"].clone()),
            pair("mode", child["Mode"].clone()),
            pair("start_action", child["Start action"].replace('+', "|")),
            pair("dpd_action", child["DPD action"].clone()),
        ]
    };
    assert_eq!([&keys["Local identifier"], &keys["Remote identifier"]], [&local["Id"], &remote["Id"]]);
    Swanctl {
        connection: options,
        ids: [local["Id"].clone(), remote["Id"].clone()],
        children: children.iter().map(child).collect(),
        secret: keys["Pre-Shared Key"].clone(),
    }
}

/// It renews at nine tenths of a lifetime, gives up after one failure more than is set, and puts the entries of phase 2 into one
/// child.
fn pfsense(sheet: &str) -> Swanctl {
    let sections = sections(sheet);
    let [one, two @ ..] = sections.as_slice() else { panic!("{sheet}") };
    let words = |algorithms: &str, hash: &str, group: &str| {
        let bits = algorithms.split(' ').nth(1).unwrap();
        let number = group.trim_start_matches("DH group ").split(' ').next().unwrap();
        format!("aes{bits}-{}-{}", hash.trim_start_matches("hash ").to_lowercase(), modp(number))
    };
    let of_phase_one: Vec<&str> = one["Encryption Algorithm"].split("; ").collect();
    let of_phase_two: Vec<&str> = two[0]["Encryption Algorithm"].split("; ").collect();
    let numbers: Vec<u32> =
        one["Dead Peer Detection"].split(|c: char| !c.is_ascii_digit()).filter_map(|word| word.parse().ok()).collect();
    let id = |label: &str| one[label].split_once(": ").unwrap().1.to_owned();
    let life = |text: &str| text.parse::<u32>().unwrap();
    let is_v1 = one["Key Exchange version"] == "IKEv1";
    let networks = |label: &str| {
        let mut all: Vec<&str> = two.iter().map(|entry| entry[label].split([' ', ';']).nth(1).unwrap()).collect();
        all.dedup();
        all.join(",")
    };
    let mut connection = vec![
        pair("proposals", words(of_phase_one[0], of_phase_one[1], of_phase_one[2])),
        pair("version", if is_v1 { "1" } else { "2" }),
        pair("remote_addrs", one["Remote Gateway"].clone()),
        pair("rekey_time", format!("{}s", life(&one["Life Time"]) * 9 / 10)),
        pair("over_time", format!("{}s", life(&one["Life Time"]) / 10)),
        pair("dpd_delay", format!("{}s", numbers[0])),
        pair("mobike", "no"),
    ];
    connection.extend(is_v1.then(|| pair("dpd_timeout", format!("{}s", numbers[0] * (numbers[1] + 1)))));
    let child = vec![
        pair("esp_proposals", words(of_phase_two[0], of_phase_two[1], &two[0]["PFS key group"])),
        pair("local_ts", networks("Local Network")),
        pair("remote_ts", networks("Remote Network")),
        pair("life_time", format!("{}s", two[0]["Life Time"])),
        pair("rekey_time", format!("{}s", life(&two[0]["Life Time"]) * 9 / 10)),
        pair("mode", "tunnel"),
        pair("start_action", "trap"),
        pair("dpd_action", "trap"),
    ];
    Swanctl {
        connection,
        ids: [id("My identifier"), id("Peer identifier")],
        children: vec![child],
        secret: one["Pre-Shared Key"].clone(),
    }
}
