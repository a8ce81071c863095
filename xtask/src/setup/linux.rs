//! C linkers, C libraries and an emulator for the other architectures.

use std::{path::Path, time::Duration};

use anyhow::Result;

use super::{Isa, Step, debian};
use crate::{command::find, context::Context};

/// What links and runs programs of another architecture.
pub struct LinuxCross {
    isa: Isa,
}

impl Isa {
    /// The name in the options of `cargo xtask test`.
    pub fn name(self) -> &'static str {
        match self {
            Self::I386 => "i386",
            Self::Aarch64 => "aarch64",
        }
    }

    /// The target triple of its Linux.
    pub fn linux_target(self) -> &'static str {
        match self {
            Self::I386 => "i686-unknown-linux-gnu",
            Self::Aarch64 => "aarch64-unknown-linux-gnu",
        }
    }

    /// The C compiler that links its programs.
    pub fn linker(self) -> &'static str {
        match self {
            Self::I386 => "i686-linux-gnu-gcc",
            Self::Aarch64 => "aarch64-linux-gnu-gcc",
        }
    }

    /// What runs its programs on an x86-64 machine. i386 runs on the same CPU, with its own C library.
    pub fn runner(self) -> &'static str {
        match self {
            Self::I386 => {
                "/usr/i686-linux-gnu/lib/ld-linux.so.2 --library-path /usr/i686-linux-gnu/lib"
            }
            Self::Aarch64 => "qemu-aarch64 -L /usr/aarch64-linux-gnu",
        }
    }
}

impl LinuxCross {
    /// For this architecture.
    pub fn new(isa: Isa) -> Self {
        Self { isa }
    }
}

impl Step for LinuxCross {
    fn name(&self) -> String {
        format!("linker and C library for {}", self.isa.name())
    }

    fn expected(&self) -> Duration {
        Duration::from_secs(30)
    }

    fn is_done(&self, _: &Context) -> bool {
        let program = self.isa.runner().split(' ').next().unwrap_or_default();
        let library = match self.isa {
            Isa::I386 => "/usr/i686-linux-gnu/lib/libc.so.6",
            Isa::Aarch64 => "/usr/aarch64-linux-gnu/lib/libc.so.6",
        };
        let runs = Path::new(program).exists() || find(program).is_some();
        find(self.isa.linker()).is_some() && runs && Path::new(library).exists()
    }

    fn packages(&self) -> &'static [&'static str] {
        match self.isa {
            Isa::I386 => &["gcc-i686-linux-gnu", "libc6-dev-i386-cross"],
            Isa::Aarch64 => &[
                "gcc-aarch64-linux-gnu",
                "libc6-dev-arm64-cross",
                "qemu-user",
            ],
        }
    }

    fn perform(&self, context: &Context) -> Result<()> {
        debian::install(
            context,
            self.packages(),
            "a C cross compiler and C library for this architecture (on other systems run the tests \
             without it: cargo xtask test --only host)",
        )
    }
}
