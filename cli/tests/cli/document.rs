//! The page about the command line shows what the program really prints.

use std::path::{Path, PathBuf};
use std::process::Stdio;

use clap::CommandFactory as _;
use costack_cli::args::Costack;

use crate::support::{costack_with_module, said};

fn docs() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs")
}

fn page() -> String {
    let page = std::fs::read_to_string(docs().join("cli.md"));
    page.expect("the page is there").replace("\r\n", "\n")
}

/// The commands of the page's console blocks, each with what stands below it.
fn shown(page: &str) -> Vec<(String, String)> {
    let mut commands: Vec<(String, String)> = Vec::new();
    let mut inside = false;
    for line in page.lines() {
        match (line, line.strip_prefix("$ costack ")) {
            ("```console", _) => inside = true,
            ("```", _) => inside = false,
            (_, Some(arguments)) if inside => commands.push((arguments.into(), String::new())),
            (_, None) if inside => {
                if let Some((_, output)) = commands.last_mut() {
                    output.push_str(line);
                    output.push('\n');
                }
            }
            _ => {}
        }
    }
    commands
}

/// What a command prints, on both streams, below its exit code unless that is 0.
fn printed(arguments: &str) -> String {
    let arguments: Vec<&str> = arguments.split_whitespace().collect();
    let mut command = costack_with_module(&arguments);
    command.current_dir(docs().join("cli.in"));
    let done = assert_cmd::Command::from_std(command)
        .env("NO_COLOR", "1")
        .assert();
    let code = done.get_output().status.code().expect("it ends by itself");
    let (stdout, stderr) = said(&done);
    match code {
        0 => stdout + &stderr,
        code => format!("? {code}\n{stdout}{stderr}"),
    }
}

/// `[..]` stands for a part of a line, and `...` for lines, that may differ.
#[test]
fn the_page_shows_what_is_printed() {
    let commands = shown(&page());
    assert!(commands.len() > 12, "only {} are shown", commands.len());
    let mut page_as_printed = String::new();
    let mut page_as_shown = String::new();
    for (arguments, output) in commands {
        let printed = printed(&arguments);
        page_as_printed += &format!("$ costack {arguments}\n{}\n", printed.trim_end());
        page_as_shown += &format!("$ costack {arguments}\n{}\n", output.trim_end());
    }
    snapbox::Assert::new().eq(page_as_printed, page_as_shown);
}

#[test]
fn the_page_shows_every_command() {
    let shown = shown(&page());
    for command in Costack::command().get_subcommands() {
        let name = command.get_name();
        let is_shown = shown
            .iter()
            .any(|(line, _)| line.split(' ').next() == Some(name));
        assert!(is_shown, "{name} is not shown");
    }
}

#[test]
fn the_page_names_every_member_of_a_trace() {
    let mut command = costack_with_module(&["trace", "deep_and_shallow"]);
    let output = command.stdin(Stdio::null()).output().expect("it starts");
    let text = String::from_utf8(output.stdout).expect("UTF-8");
    let page = page();
    for line in text.lines() {
        let line: serde_json::Map<String, serde_json::Value> =
            serde_json::from_str(line).expect("JSON");
        for name in line.keys() {
            assert!(
                page.contains(&format!("`{name}`")) || name == "sum",
                "{name}"
            );
        }
        if let Some(serde_json::Value::String(word)) = line.get("do") {
            assert!(
                page.contains(&format!("`{word}`")) || word == "close",
                "{word}"
            );
        }
    }
}
