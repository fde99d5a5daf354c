//! The id of a change, and the words by which it knows what it has made.

use std::fmt;

use itertools::Itertools;
use serde::{Deserialize, Serialize};

use crate::cloud::Id;
use crate::cloud::vpnaas::closing_word;

/// The short random id of one change, the same in every word by which it knows what it has made.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ChangeId(String);

/// What the word of a change starts with.
const WORD: &str = "osvpn-change:";

/// What stands before the id of the connection that one was made in place of.
const PREDECESSOR: &str = "osvpn-was:";

impl ChangeId {
    /// A new one: eight hexadecimal digits.
    #[must_use]
    pub fn random() -> Self {
        Self(format!("{:08x}", rand::random::<u32>()))
    }

    /// The word in the description of what that step makes: `osvpn-change:<change-id>:<step>`. No other object has it.
    pub fn word(&self, step: usize) -> String {
        format!("{WORD}{}:{step}", self.0)
    }

    /// The change whose word a description ends with.
    #[must_use]
    pub fn of_description(description: &str) -> Option<Self> {
        let (id, step) = closing_word(description).strip_prefix(WORD)?.split_once(':')?;
        let is_word = !id.is_empty() && id.chars().all(|c| c.is_ascii_alphanumeric()) && step.parse::<usize>().is_ok();
        is_word.then(|| Self(id.to_owned()))
    }

    /// A description with that step's word behind what is said already, within Neutron's 255 characters and without the
    /// words of changes before.
    pub fn described(&self, step: usize, description: &str) -> String {
        with_words(description, &self.word(step))
    }

    /// The same of a connection made in place of that one.
    pub(crate) fn described_in_place_of(&self, old: &Id, step: usize, description: &str) -> String {
        with_words(description, &format!("{PREDECESSOR}{old} {}", self.word(step)))
    }
}

impl fmt::Display for ChangeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

fn with_words(description: &str, words: &str) -> String {
    const LONGEST: usize = 255;
    let is_of_change = |word: &&str| word.starts_with(WORD) || word.starts_with(PREDECESSOR);
    let said = description.split(' ').filter(|word| !is_of_change(word)).join(" ");
    let said: String = said.trim().chars().take(LONGEST.saturating_sub(words.len() + 1)).collect();
    if said.is_empty() { words.to_owned() } else { format!("{said} {words}") }
}

/// Whether a description says that a connection was made in place of that one.
pub(crate) fn is_in_place_of(description: &str, old: &Id) -> bool {
    description.split(' ').filter_map(|word| word.strip_prefix(PREDECESSOR)).any(|id| id == old.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_description_keeps_what_it_said_gets_one_word_and_fits() {
        let id = ChangeId("1f2e3d4c".to_owned());
        assert_eq!(id.described(3, "osvpn:7a1f214e:A"), "osvpn:7a1f214e:A osvpn-change:1f2e3d4c:3");
        assert_eq!(id.described(0, ""), "osvpn-change:1f2e3d4c:0");
        assert_eq!(id.described(1, "mine osvpn-change:00000000:9"), "mine osvpn-change:1f2e3d4c:1");
        assert_eq!(id.described(1, &"ä".repeat(255)).chars().count(), 255);
        let (old, older) = (Id::new("b"), Id::new("a"));
        let first = id.described_in_place_of(&older, 2, "mine");
        assert_eq!(first, "mine osvpn-was:a osvpn-change:1f2e3d4c:2");
        let second = id.described_in_place_of(&old, 3, &first);
        assert_eq!(second, "mine osvpn-was:b osvpn-change:1f2e3d4c:3");
        assert!(is_in_place_of(&second, &old) && !is_in_place_of(&second, &older));
    }
}
