//! Commands that a user is to copy into a shell. They name what somebody else has named: a region, an id, a VPN, a path.
//! So there is one type for them, which quotes every word that is not written in this source.

use std::fmt::{self, Display, Formatter};

use serde::{Serialize, Serializer};

use crate::cloud::{RegionId, printable};

/// A command line; its `Display` is what is copied.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShellCommand(Vec<Word>);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Word {
    /// Written in this source, an option or what an option is given.
    Fixed(String),
    /// What the command is for, quoted.
    Operand(String),
    /// The command that reads its output.
    Reader(ShellCommand),
    /// No word to a shell.
    Remark(&'static str),
}

const OSVPN: &str = "osvpn";
const OPENSTACK: &str = "openstack";

/// Whether a line of a text is one of these commands, set apart by its margin to be copied. A sentence that begins with the
/// name of a program has none.
pub fn is_command(line: &str) -> bool {
    line.starts_with("  ") && matches!(line.split_whitespace().next(), Some(OSVPN | OPENSTACK))
}

/// A command of this program: its name and options, as a user types them.
pub fn osvpn(words: &'static str) -> ShellCommand {
    ShellCommand::literal(OSVPN).words(words)
}

pub fn openstack(region: &RegionId, words: &'static str) -> ShellCommand {
    let command = ShellCommand::literal(OPENSTACK);
    // What begins with a dash is no value of an option that stands alone.
    let command = if region.as_str().starts_with('-') {
        command.value(format_args!("--os-region-name={region}"))
    } else {
        command.words("--os-region-name").value(region)
    };
    command.words(words)
}

pub fn remove_file(path: impl Display) -> ShellCommand {
    ShellCommand::literal("rm").operand(path)
}

impl ShellCommand {
    fn literal(program: &'static str) -> Self {
        Self(vec![Word::Fixed(program.to_owned())])
    }

    /// With these words, as they are: options, placeholders in capitals.
    #[must_use]
    pub fn words(mut self, words: &'static str) -> Self {
        if !words.is_empty() {
            self.0.push(Word::Fixed(words.to_owned()));
        }
        self
    }

    /// With a value of the option before it.
    #[must_use]
    pub fn value(mut self, value: impl Display) -> Self {
        self.0.push(Word::Fixed(quoted(value)));
        self
    }

    /// With what the command is for: a name, an id, a path.
    #[must_use]
    pub(crate) fn operand(mut self, operand: impl Display) -> Self {
        self.0.push(Word::Operand(quoted(operand)));
        self
    }

    /// With what another prints as one word.
    #[must_use]
    pub(super) fn output_of(mut self, other: &Self) -> Self {
        self.0.push(Word::Fixed(format!("\"$({other})\"")));
        self
    }

    /// The same for something that is called otherwise.
    #[must_use]
    pub(crate) fn called(mut self, operand: impl Display) -> Self {
        for word in &mut self.0 {
            if let Word::Operand(text) = word {
                *text = quoted(&operand);
            }
        }
        self
    }

    /// With its output as the standard input of another.
    #[must_use]
    pub(crate) fn piped_into(mut self, reader: Self) -> Self {
        self.0.push(Word::Reader(reader));
        self
    }

    /// With a comment at its end, which a shell passes over.
    #[must_use]
    pub(crate) fn remark(mut self, remark: &'static str) -> Self {
        self.0.push(Word::Remark(remark));
        self
    }
}

impl Display for ShellCommand {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        // An operand that looks like an option stands behind what ends the options.
        let is_optionlike = |text: &str| text.trim_start_matches(['$', '\'']).starts_with('-');
        let is_guarded = self.0.iter().any(|word| matches!(word, Word::Operand(text) if is_optionlike(text)));
        let (mut words, mut operands, mut reader, mut remark) = (Vec::<&str>::new(), vec!["--"], None, None);
        for word in &self.0 {
            match word {
                Word::Operand(text) if is_guarded => operands.push(text),
                Word::Fixed(text) | Word::Operand(text) => words.push(text),
                Word::Reader(command) => reader = Some(command),
                Word::Remark(text) => remark = Some(*text),
            }
        }
        words.extend(operands.into_iter().filter(|_| is_guarded));
        f.write_str(&words.join(" "))?;
        reader.map_or(Ok(()), |reader| write!(f, " | {reader}"))?;
        remark.map_or(Ok(()), |remark| write!(f, "   # {remark}"))
    }
}

impl Serialize for ShellCommand {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// One word to a shell, whatever it holds. What does not show is written as its bytes, so that the line is as it looks.
fn quoted(word: impl Display) -> String {
    let word = word.to_string();
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_.:/@%+=,".contains(c);
    if !word.is_empty() && word.chars().all(is_plain) {
        return word;
    }
    if printable(&word) == word {
        return format!("'{}'", word.replace('\'', r"'\''"));
    }
    let mut text = String::from("$'");
    for c in word.chars() {
        let mut encoded = [0; 4];
        let bytes = &*c.encode_utf8(&mut encoded);
        if printable(bytes) == bytes {
            text.extend(matches!(c, '\'' | '\\').then_some('\\'));
            text.push(c);
        } else {
            text.extend(bytes.bytes().map(|byte| format!("\\{byte:03o}")));
        }
    }
    text.push('\'');
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    const EVIL: [&str; 18] = [
        "a b",
        "  ",
        "$(reboot)",
        "`reboot`",
        "a;b",
        "it's",
        "~",
        "*",
        "\\",
        "ü",
        "a&b|c>d",
        "!x",
        "#x",
        "a\nb",
        "\u{1b}[2J'\\",
        "a\u{200b}b",
        "--yes",
        "-\t-",
    ];

    fn parsed(command: &ShellCommand) -> Vec<String> {
        let script = format!("set -- {command}\nprintf '%s\\0' \"$@\"");
        let ran = std::process::Command::new("bash").args(["-c", &script]).output().unwrap();
        assert!(ran.status.success(), "{command}: {}", String::from_utf8_lossy(&ran.stderr));
        let text = String::from_utf8(ran.stdout).unwrap();
        text.trim_end_matches('\0').split('\0').map(str::to_owned).collect()
    }

    #[test]
    fn a_word_is_one_word_to_a_shell_and_one_line_whatever_it_holds() {
        assert_eq!(quoted("nz-hlz-1"), "nz-hlz-1");
        assert_eq!(quoted(""), "''");
        for word in EVIL {
            let command = osvpn("doctor").operand(word).words("--fix").remark("it's one; `really`");
            let words = parsed(&command);
            let expected: &[&str] = if word.starts_with('-') {
                &["osvpn", "doctor", "--fix", "--", word]
            } else {
                &["osvpn", "doctor", word, "--fix"]
            };
            assert_eq!(words, expected, "{command}");
            assert_eq!(command.to_string().lines().count(), 1, "{command}");
        }
    }

    #[test]
    fn no_region_becomes_an_option() {
        let of = |region: &str| parsed(&openstack(&region.into(), "router set --enable").operand("id"));
        assert_eq!(of("a b"), ["openstack", "--os-region-name", "a b", "router", "set", "--enable", "id"]);
        assert_eq!(of("--debug")[1], "--os-region-name=--debug");
    }
}
