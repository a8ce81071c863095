//! The command line.

use std::path::PathBuf;

xflags::xflags! {
    /// Set-up, serving, testing and benching of Costack.
    cmd xtask {
        /// Builds the explorer and serves it on 127.0.0.1, installing first what is missing.
        cmd serve {
            /// The port to serve on (8080 unless told).
            optional --port port: u16
            /// Shrink the page with wasm-opt, as for publishing.
            optional --release
            /// Build quicker; the simulator then runs much slower.
            optional --dev
            /// Open a browser.
            optional --open
            /// Neither install nor download anything.
            optional --offline
        }
        /// Installs what the tests need and runs all of them.
        cmd test {
            /// Run this part only; may be repeated. `--list` names the parts.
            repeated --only part: String
            /// List the parts and end.
            optional --list
            /// Neither install nor download anything.
            optional --offline
            /// Run only tests whose name contains this.
            optional filter: String
        }
        /// Installs everything that serving and testing need.
        cmd setup {}
        /// Measures Costack beside its peers, in about 20 minutes, and writes the report:
        /// target/bench-report/index.html and bench.json.
        cmd bench {
            /// Measure less, in about two minutes.
            optional --quick
            /// Lay the results of another machine beside these: its bench.json. May be repeated.
            repeated --beside file: PathBuf
            /// Also keep the results as the committed reference, benches/reference.json.
            optional --save-reference
            /// Make the report of what was measured before.
            optional --no-run
            /// Measure only groups of benches whose name contains this.
            optional filter: String
        }
        /// Measures the simulator: steps per second and time to reach any step, natively and as
        /// WebAssembly in headless Chromium.
        cmd speed {}
        /// Installs the C library: headers, static and shared library, pkg-config and CMake files.
        cmd install-capi {
            /// The folder to install into, such as /usr/local.
            required --prefix prefix: PathBuf
            /// Build without optimisation, with checks.
            optional --debug
        }
        /// Builds the simulator's wasm module into target/module, installing first what is missing.
        cmd module {
            /// Neither install nor download anything.
            optional --offline
        }
        /// Writes the benchmark results that the explorer shows: measured ones, else the reference.
        /// Trunk calls this as a hook.
        cmd gather {
            /// The file to write.
            required --to file: PathBuf
        }
        /// Tells when the page is being served. `serve` calls this itself.
        cmd announce {
            /// The port it will be served on.
            required --port port: u16
            /// How many milliseconds have passed before.
            required --elapsed-ms elapsed: u64
        }
    }
}
