//! Writes the reference pages that only this program knows: `opcode __docs FOLDER`.
//!
//! Keeps: the pages say what the code says; two builds of one commit write the same bytes.
//! Not here: the other pages (`xtask`).

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::CommandFactory;
use opcode_actions::Registry;
use opcode_expr::{Language, catalog};

use crate::cli::Cli;
use crate::exit::Exit;
use crate::say;

/// Writes `actions.md`, `actions.schema.json`, `functions.md`, `openapi.json` and `cli.md`.
pub(crate) fn write(folder: Option<OsString>) -> ExitCode {
    let Some(folder) = folder.map(PathBuf::from) else {
        say::error("name a folder: opcode __docs FOLDER");
        return Exit::Refused.code();
    };
    match pages(&folder) {
        Ok(()) => Exit::Completed.code(),
        Err(cause) => {
            say::error(&format!("could not write to {}: {cause}", folder.display()));
            Exit::Fault.code()
        }
    }
}

fn pages(folder: &Path) -> std::io::Result<()> {
    let registry = Registry::builtin();
    let schemas =
        serde_json::to_string_pretty(&registry.schemas()).map_err(std::io::Error::other)?;
    std::fs::create_dir_all(folder)?;
    std::fs::write(folder.join("actions.md"), registry.reference_markdown())?;
    std::fs::write(folder.join("actions.schema.json"), schemas + "\n")?;
    std::fs::write(folder.join("functions.md"), functions())?;
    let openapi = serde_json::to_string_pretty(&opcode_web::openapi());
    let openapi = openapi.map_err(std::io::Error::other)? + "\n";
    std::fs::write(folder.join("openapi.json"), openapi)?;
    std::fs::write(folder.join("cli.md"), cli())
}

/// The functions of the three languages as Markdown, an example each.
fn functions() -> String {
    let mut text = String::from(
        "# Functions of the expression languages\n\nEvery example runs as a test. What each language is: [CEL](cel.md), [Expr](expr.md), [jq](jq.md).\n",
    );
    for (title, language) in
        [("CEL", Language::Cel), ("Expr", Language::Expr), ("jq", Language::Jq)]
    {
        text += &format!(
            "\n## {title}\n\n| function | what it does | example | gives |\n|---|---|---|---|\n"
        );
        for function in catalog(language) {
            let code = |code: &str| format!("`{}`", code.replace('|', "\\|").replace('\n', " "));
            let cells = [
                code(function.signature),
                function.meaning.replace('|', "\\|"),
                code(function.example),
                code(function.result),
            ];
            text += &format!("| {} |\n", cells.join(" | "));
        }
    }
    text
}

/// The command line as Markdown: the help of every command.
fn cli() -> String {
    let mut root = Cli::command();
    root.build();
    let mut text = String::from("# Command line\n");
    section(&mut root, &mut text);
    text
}

fn section(command: &mut clap::Command, text: &mut String) {
    let name = command.get_bin_name().unwrap_or_else(|| command.get_name()).to_owned();
    let help = command.render_long_help().to_string();
    let lines: Vec<&str> = help.trim_end().lines().map(str::trim_end).collect();
    *text += &format!("\n## {name}\n\n```text\n{}\n```\n", lines.join("\n"));
    for inner in command.get_subcommands_mut().filter(|inner| !inner.is_hide_set()) {
        section(inner, text);
    }
}
