//! Addresses that lead to a state: what stands behind the `#`.
//!
//! `costack1&s=two_tasks_shared&isa=x86_64&p=131&c=9f03ab12`: the version of this form, the
//! scenario of the gallery, or file and compressed text of another one (`f` and `t`), the
//! instruction set, the stacks (`k`), what was done from outside (`v`), the position, and a
//! fingerprint of the state there, by which a link that was made by another version is recognised.

use std::fmt::Write as _;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD as BASE64};
use costack_sim::{program::Isa, variant::Stacks, view::Intervention};
use miniz_oxide::{deflate, inflate};

use super::run::Branch;

/// The version of this form.
const FORM: &str = "costack1";

/// The longest text that a link may unfold to.
const MAX_TEXT_BYTES: usize = costack_lang::MAX_FILE_BYTES;

/// Which scenario.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Named {
    /// One of the gallery.
    Gallery(String),
    /// Another text, and its file's name.
    Own(String, String),
}

/// A state that a link leads to.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Link {
    /// Which scenario.
    pub scenario: Named,
    /// The instruction set.
    pub isa: Isa,
    /// Steps made.
    pub position: u64,
    /// Of the state there.
    pub fingerprint: Option<u32>,
    /// Which stacks the tasks are put on.
    pub stacks: Stacks,
    /// What was done from outside.
    pub branch: Branch,
    /// The panels to show where the page is a part of another one; empty where it is not.
    pub panels: Vec<String>,
}

impl Link {
    /// What stands behind the `#`.
    pub fn to_fragment(&self) -> String {
        let mut fragment = FORM.to_owned();
        let mut add = |name: &str, value: &str| {
            // Writing to a string cannot fail.
            let _ = write!(fragment, "&{name}={value}");
        };
        match &self.scenario {
            Named::Gallery(name) => add("s", name),
            Named::Own(file, text) => {
                add("f", &BASE64.encode(file));
                add(
                    "t",
                    &BASE64.encode(deflate::compress_to_vec(text.as_bytes(), 9)),
                );
            }
        }
        add("isa", self.isa.name());
        add("p", &self.position.to_string());
        if let Some(fingerprint) = self.fingerprint {
            add("c", &format!("{fingerprint:08x}"));
        }
        match self.stacks {
            Stacks::AsWritten => {}
            Stacks::Shared(count) => add("k", &count.to_string()),
            Stacks::Own => add("k", "own"),
        }
        let branch: Vec<String> = self.branch.iter().filter_map(written).collect();
        if !branch.is_empty() {
            add("v", &branch.join(","));
        }
        if !self.panels.is_empty() {
            add("embed", &self.panels.join(","));
        }
        fragment
    }

    /// Reads it; `None` if there is nothing to read.
    ///
    /// # Errors
    /// In words, when it is no link of this page, or a damaged one.
    pub fn parse(fragment: &str) -> Result<Option<Self>, String> {
        let fragment = fragment.trim_start_matches('#');
        if fragment.is_empty() {
            return Ok(None);
        }
        let mut parts = fragment.split('&');
        let form = parts.next().unwrap_or_default();
        if form != FORM {
            let other = form
                .strip_prefix("costack")
                .is_some_and(|n| n.parse::<u32>().is_ok());
            return Err(match other {
                true => format!(
                    "The link was made by another version of Costack ({form}), which this one cannot read."
                ),
                false => "The link is not one of Costack's.".to_owned(),
            });
        }
        let mut fields = Fields::default();
        for part in parts {
            let (name, value) = part.split_once('=').ok_or_else(|| damaged(part))?;
            match name {
                "s" => fields.name = Some(value.to_owned()),
                "f" => fields.file = Some(decoded(value)?),
                "t" => fields.text = Some(unfolded(value)?),
                "isa" => {
                    let isa = Isa::ALL.into_iter().find(|isa| isa.name() == value);
                    fields.isa = Some(isa.ok_or_else(|| damaged(part))?);
                }
                "p" => fields.position = value.parse().map_err(|_| damaged(part))?,
                "c" => {
                    let fingerprint = u32::from_str_radix(value, 16);
                    fields.fingerprint = Some(fingerprint.map_err(|_| damaged(part))?);
                }
                "k" => {
                    let count = value.parse().ok().filter(|count| (1..=64).contains(count));
                    fields.stacks = match (value, count) {
                        ("own", _) => Some(Stacks::Own),
                        (_, Some(count)) => Some(Stacks::Shared(count)),
                        _ => return Err(damaged(part)),
                    };
                }
                "v" => {
                    let all: Option<Branch> = value.split(',').map(read).collect();
                    fields.branch = all.ok_or_else(|| damaged(part))?;
                }
                "embed" => fields.panels = value.split(',').map(str::to_owned).collect(),
                _ => return Err(damaged(part)),
            }
        }
        fields.link().map(Some)
    }
}

#[derive(Default)]
struct Fields {
    name: Option<String>,
    file: Option<String>,
    text: Option<String>,
    isa: Option<Isa>,
    position: u64,
    fingerprint: Option<u32>,
    stacks: Option<Stacks>,
    branch: Branch,
    panels: Vec<String>,
}

impl Fields {
    fn link(self) -> Result<Link, String> {
        let scenario = match (self.name, self.text) {
            (Some(name), None) => Named::Gallery(name),
            (None, Some(text)) => {
                let file = self.file.unwrap_or_else(|| "shared.costack".to_owned());
                Named::Own(file, text)
            }
            _ => return Err("The link is damaged: it does not say which scenario.".to_owned()),
        };
        Ok(Link {
            scenario,
            isa: self.isa.unwrap_or(Isa::X86_64),
            position: self.position,
            fingerprint: self.fingerprint,
            stacks: self.stacks.unwrap_or(Stacks::AsWritten),
            branch: self.branch,
            panels: self.panels,
        })
    }
}

/// `131.s`, `140.r.rbx.5`, `150.m.7ffe0012fa8.0a0b`: the step, and what is done there.
fn written((step, what): &(u64, Intervention)) -> Option<String> {
    Some(match what {
        Intervention::Signal => format!("{step}.s"),
        Intervention::SetRegister { register, value } => format!("{step}.r.{register}.{value:x}"),
        Intervention::SetBytes { address, bytes } => {
            let digits: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
            format!("{step}.m.{address:x}.{digits}")
        }
        // What this version does not know how to do, its page does not do.
        _ => return None,
    })
}

fn read(text: &str) -> Option<(u64, Intervention)> {
    let parts: Vec<&str> = text.split('.').collect();
    let step = parts.first()?.parse().ok()?;
    let hex = |digits: &str| u64::from_str_radix(digits, 16).ok();
    let what = match parts[1..] {
        ["s"] => Intervention::Signal,
        ["r", register, value] => Intervention::SetRegister {
            register: register.to_owned(),
            value: hex(value)?,
        },
        ["m", address, digits] if digits.len() % 2 == 0 => Intervention::SetBytes {
            address: hex(address)?,
            bytes: (0..digits.len() / 2)
                .map(|index| u8::from_str_radix(digits.get(2 * index..2 * index + 2)?, 16).ok())
                .collect::<Option<_>>()?,
        },
        _ => return None,
    };
    Some((step, what))
}

fn damaged(part: &str) -> String {
    let start: String = part.chars().take(24).collect();
    format!("The link is damaged at “{start}”.")
}

fn decoded(value: &str) -> Result<String, String> {
    let bytes = BASE64.decode(value).map_err(|_| damaged(value))?;
    String::from_utf8(bytes).map_err(|_| damaged(value))
}

fn unfolded(value: &str) -> Result<String, String> {
    let bytes = BASE64.decode(value).map_err(|_| damaged(value))?;
    let bytes = inflate::decompress_to_vec_with_limit(&bytes, MAX_TEXT_BYTES)
        .map_err(|_| damaged(value))?;
    String::from_utf8(bytes).map_err(|_| damaged(value))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn link(scenario: Named) -> Link {
        Link {
            scenario,
            isa: Isa::X86_64,
            position: 131,
            fingerprint: Some(0x9f),
            stacks: Stacks::Shared(2),
            branch: vec![
                (7, Intervention::Signal),
                (
                    40,
                    Intervention::SetRegister {
                        register: "rbx".to_owned(),
                        value: u64::MAX,
                    },
                ),
                (
                    41,
                    Intervention::SetBytes {
                        address: 0x7fff_0000_1000,
                        bytes: vec![0, 0xab],
                    },
                ),
            ],
            panels: vec!["source".to_owned(), "stacks".to_owned()],
        }
    }

    #[test]
    fn reads_what_it_writes() {
        let own = Named::Own("mine & yours.costack".to_owned(), "# ä\n".repeat(300));
        for scenario in [Named::Gallery("styles/ours".to_owned()), own] {
            let link = link(scenario);
            assert_eq!(Link::parse(&link.to_fragment()), Ok(Some(link)));
        }
    }

    #[test]
    fn folds_long_texts() {
        let text = include_str!("../../../scenarios/two_tasks_shared.costack");
        let link = link(Named::Own(String::new(), text.to_owned()));
        assert!(link.to_fragment().len() < text.len());
    }

    #[test]
    fn an_empty_one_says_nothing() {
        assert_eq!(Link::parse(""), Ok(None));
        assert_eq!(Link::parse("#"), Ok(None));
    }

    #[track_caller]
    fn check_refused(fragment: &str, reason: &str) {
        let error = Link::parse(fragment).unwrap_err();
        assert!(error.contains(reason), "{error}");
    }

    #[test]
    fn refuses_what_it_cannot_read() {
        check_refused("somewhere", "not one of Costack's");
        check_refused("costack2&s=a", "another version");
        check_refused("costack1&p=1", "which scenario");
        check_refused("costack1&s=a&p=-1", "damaged at “p=-1”");
        check_refused("costack1&s=a&isa=vax", "damaged");
        check_refused("costack1&t=%%", "damaged");
        check_refused("costack1&t=AAAA", "damaged");
        check_refused("costack1&s=a&x", "damaged at “x”");
        check_refused("costack1&s=a&v=7.s,8", "damaged at “v=7.s,8”");
        check_refused("costack1&s=a&v=7.m.1.0é", "damaged");
    }

    #[test]
    fn a_bomb_is_refused() {
        let bomb = deflate::compress_to_vec(&vec![b' '; 64 << 20], 9);
        check_refused(&format!("costack1&t={}", BASE64.encode(bomb)), "damaged");
    }
}
