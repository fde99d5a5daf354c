//! Holds observations against each other, and tells where they differ.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::PathBuf;

use super::case::Case;
use super::known_differences::{EXPLAINED, Explained};

/// What was seen, by case.
pub type Observations = BTreeMap<String, Vec<String>>;

/// The committed record of a release.
pub struct Recorded {
    file: PathBuf,
    pub observations: Observations,
}

impl Recorded {
    pub fn read(release: &str) -> Self {
        let file = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(format!("tests/contract/observed/{release}.txt"));
        let mut observations = Observations::new();
        let text = std::fs::read_to_string(&file).unwrap_or_default();
        let mut lines: Option<&mut Vec<String>> = None;
        for line in text.lines() {
            if let Some(case) = line.strip_prefix("# ") {
                lines = Some(observations.entry(case.to_owned()).or_default());
            } else if let (Some(lines), false) = (&mut lines, line.is_empty()) {
                lines.push(line.strip_prefix("  ").unwrap_or(line).to_owned());
            }
        }
        Self { file, observations }
    }

    /// Takes over what was seen, and forgets cases that are no more.
    pub fn update(&mut self, live: &Observations, cases: &[Case]) {
        self.observations.extend(live.clone());
        self.observations.retain(|name, _| cases.iter().any(|case| case.name == *name));
        let mut text = String::new();
        for case in cases {
            if let Some(lines) = self.observations.get(&case.name) {
                let _ = writeln!(text, "# {}", case.name);
                for line in lines {
                    let _ = writeln!(text, "  {line}");
                }
                text.push('\n');
            }
        }
        std::fs::write(&self.file, text).unwrap();
    }
}

/// One case in one release.
pub struct Row {
    cell: String,
    problems: Vec<String>,
    used: BTreeSet<usize>,
}

impl Row {
    pub fn new(
        release: &'static str,
        case: &str,
        simulated: &Observations,
        recorded: &Observations,
        live: Option<&Observations>,
    ) -> Self {
        let mut row = Self { cell: String::new(), problems: Vec::new(), used: BTreeSet::new() };
        let nothing = Vec::new();
        let simulated = simulated.get(case).unwrap_or(&nothing);
        let (recorded, live) = (recorded.get(case), live.and_then(|live| live.get(case)));
        let Some(real) = live.or(recorded) else {
            "never asked".clone_into(&mut row.cell);
            row.problems.push(format!("no real {release} was ever asked"));
            return row;
        };
        for (mine, real) in pairs(simulated, real) {
            let found = EXPLAINED.iter().enumerate().filter(|(_, one)| one.explains(release, case, mine, real));
            let found: Vec<usize> = found.map(|(index, _)| index).collect();
            if found.is_empty() {
                let (mine, real) = excerpts(mine, real);
                row.problems.push(format!("simulator: {mine}\n      {release}:    {real}"));
            }
            row.used.extend(found);
        }
        let verdict = match (row.problems.is_empty(), row.used.is_empty()) {
            (true, true) => "equal",
            (true, false) => "explained",
            (false, _) => "DIFFERENT",
        };
        row.cell = format!("{verdict}{}", if live.is_some() { ", asked now" } else { "" });
        if let (Some(live), Some(recorded)) = (live, recorded) {
            for (now, before) in pairs(live, recorded) {
                let (now, before) = excerpts(now, before);
                row.problems.push(format!("{release} now:  {now}\n      on record: {before}"));
                "NOT AS RECORDED".clone_into(&mut row.cell);
            }
        } else if live.is_some() {
            row.problems.push("it is not on record; run with OSVPN_CONTRACT_UPDATE=1".to_owned());
        }
        row
    }
}

impl Explained {
    fn explains(&self, release: &str, case: &str, simulated: &str, real: &str) -> bool {
        self.releases.contains(&release)
            && case.starts_with(self.case)
            && simulated.contains(self.simulator)
            && real.contains(self.cloud)
    }
}

/// The lines that differ, side by side.
fn pairs<'a>(left: &'a [String], right: &'a [String]) -> Vec<(&'a str, &'a str)> {
    let line = |lines: &'a [String], index: usize| lines.get(index).map_or("(nothing)", String::as_str);
    let all = (0..left.len().max(right.len())).map(|index| (line(left, index), line(right, index)));
    all.filter(|(left, right)| left != right).collect()
}

/// How two lines begin, and where they part.
fn excerpts(left: &str, right: &str) -> (String, String) {
    let common = left.chars().zip(right.chars()).take_while(|(left, right)| left == right).count();
    let excerpt = |line: &str| {
        if common < 120 {
            return line.chars().take(420).collect();
        }
        let begin: String = line.chars().take(50).collect();
        let rest: String = line.chars().skip(common - 40).take(300).collect();
        format!("{begin} … {rest}")
    };
    (excerpt(left), excerpt(right))
}

/// Prints the table, and fails if something differs without a reason, or a reason explains nothing any more.
pub fn report(cases: &[Case], rows: &BTreeMap<&str, BTreeMap<String, Row>>, whole: bool) {
    let width = cases.iter().map(|case| case.name.len()).max().unwrap_or(0);
    let releases: Vec<&&str> = rows.keys().rev().collect();
    let mut text = format!("{:width$}  simulator", "case");
    for release in &releases {
        let _ = write!(text, "  {release:22}");
    }
    let (mut problems, mut used) = (Vec::new(), BTreeSet::<usize>::new());
    for case in cases {
        let _ = write!(text, "\n{:width$}  answers  ", case.name);
        for release in &releases {
            let row = &rows[**release][&case.name];
            let _ = write!(text, "  {:22}", row.cell);
            used.extend(&row.used);
            problems.extend(row.problems.iter().map(|problem| format!("{}\n      {problem}", case.name)));
        }
    }
    println!("{text}\n");
    if whole {
        for (index, one) in EXPLAINED.iter().enumerate().filter(|(index, _)| !used.contains(index)) {
            problems.push(format!("explanation {index} ({}: {}) explains nothing any more", one.case, one.why));
        }
    }
    assert!(problems.is_empty(), "{} problems\n\n  {}\n", problems.len(), problems.join("\n\n  "));
}
