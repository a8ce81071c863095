//! Programs that come as they are from Debian's packages.

use std::time::Duration;

use anyhow::Result;

use super::{Step, debian};
use crate::{command::find, context::Context};

/// One program on PATH, and the packages that have it.
pub struct Program {
    name: &'static str,
    packages: &'static [&'static str],
    excuse: Option<&'static str>,
}

impl Program {
    /// The program of this name, which these packages bring.
    pub fn new(name: &'static str, packages: &'static [&'static str]) -> Self {
        Self {
            name,
            packages,
            excuse: None,
        }
    }

    /// The same, where one can do without it.
    pub fn excused(self, excuse: &'static str) -> Self {
        Self {
            excuse: Some(excuse),
            ..self
        }
    }
}

impl Step for Program {
    fn name(&self) -> String {
        self.name.into()
    }

    fn expected(&self) -> Duration {
        Duration::from_secs(20)
    }

    fn is_done(&self, _: &Context) -> bool {
        find(self.name).is_some()
    }

    fn packages(&self) -> &'static [&'static str] {
        self.packages
    }

    fn excuse(&self) -> Option<&'static str> {
        self.excuse
    }

    fn perform(&self, context: &Context) -> Result<()> {
        debian::install(
            context,
            self.packages(),
            &format!("{}, so that it is on PATH", self.name),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_is_found_on_the_path() {
        let context = Context {
            root: "/".into(),
            target: "/".into(),
            tools: "/".into(),
            offline: true,
        };
        assert!(Program::new("sh", &[]).is_done(&context));
        assert!(!Program::new("no-such-program", &[]).is_done(&context));
    }
}
