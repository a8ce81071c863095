//! Checks scenario files: `cargo run -p costack-lang --example check -- FILE…`.

use std::process::ExitCode;

fn main() -> ExitCode {
    let mut status = ExitCode::SUCCESS;
    for file in std::env::args().skip(1) {
        let bytes = match std::fs::read(&file) {
            Ok(bytes) => bytes,
            Err(error) => {
                eprintln!("{file}: {error}");
                status = ExitCode::from(2);
                continue;
            }
        };
        if let Err(diagnostics) = costack_lang::parse_bytes(&file, &bytes) {
            eprint!("{}", diagnostics.render(true));
            status = ExitCode::from(2);
        }
    }
    status
}
