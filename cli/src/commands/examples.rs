//! `costack examples`.

use std::io::{IsTerminal as _, Write as _};

use anyhow::{Result, bail};
use comfy_table::ContentArrangement;
use costack_sim::gallery;

use crate::show::{lines, out, table};
use crate::{Verdict, args, input};

/// Lists the gallery, or prints one scenario.
pub(super) fn examples(args: &args::Examples) -> Result<Verdict> {
    let mut out = out();
    if let Some(name) = &args.name {
        let wanted = name.strip_suffix(".costack").unwrap_or(name);
        let Some(scenario) = gallery::all().find(|scenario| scenario.name == wanted) else {
            bail!(
                "there is no scenario {name} in the gallery: {}",
                input::hint(name)
            );
        };
        out.write_all(scenario.text.as_bytes())?;
        out.flush()?;
        return Ok(Verdict::Good);
    }
    let mut table = table(["name", "title"]);
    if !std::io::stdout().is_terminal() {
        // One line each, for programs that read them.
        table.set_content_arrangement(ContentArrangement::Disabled);
    }
    for scenario in gallery::all() {
        let program = costack_lang::parse(scenario.name, scenario.text)?;
        table.add_row([scenario.name, &program.title]);
    }
    write!(out, "{}", lines(&table))?;
    out.flush()?;
    Ok(Verdict::Good)
}
