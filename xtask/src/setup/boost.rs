//! Boost.Context, a peer of the benches.

use std::time::Duration;

use anyhow::Result;

use super::{Step, debian};
use crate::{
    command::{command, succeeds},
    context::Context,
};

/// The library that programs are linked with.
pub struct BoostContext;

const PACKAGES: &[&str] = &["libboost-context-dev"];

impl Step for BoostContext {
    fn name(&self) -> String {
        "Boost.Context".into()
    }

    fn expected(&self) -> Duration {
        Duration::from_secs(30)
    }

    fn is_done(&self, _: &Context) -> bool {
        // The linker finds it, and has nothing to link.
        let mut link = command("cc");
        link.args(["-shared", "-o", "/dev/null", "-lboost_context"]);
        succeeds(&mut link)
    }

    fn packages(&self) -> &'static [&'static str] {
        PACKAGES
    }

    fn excuse(&self) -> Option<&'static str> {
        Some("the report says that Boost.Context was not measured")
    }

    fn perform(&self, context: &Context) -> Result<()> {
        debian::install(
            context,
            self.packages(),
            "the library of Boost.Context, with its C compiler",
        )
    }
}
