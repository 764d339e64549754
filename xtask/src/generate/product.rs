//! Asks the product for the pages that only it can write: `opcode __docs FOLDER`.
//!
//! Keeps: every file it writes becomes one of `docs/reference`; a page has one writer.
//! Not here: what those pages say.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::generate::Page;
use crate::house::House;

/// Names a built binary to ask; without one, cargo builds it.
pub const BINARY: &str = "OPCODE_BIN";

/// The pages that the product writes. `taken` are those with another writer.
pub fn pages(house: &House, taken: &[Page]) -> Result<Vec<Page>, String> {
    let folder = house.root.join("target/docs-reference");
    let fresh = match fs::remove_dir_all(&folder) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error),
        Ok(()) | Err(_) => fs::create_dir_all(&folder),
    };
    fresh.map_err(|error| format!("could not make room at {}: {error}", folder.display()))?;
    ask(house, &folder)?;
    let mut pages = Vec::new();
    collect(&folder, "docs/reference", &mut pages)
        .map_err(|error| format!("could not read what `opcode __docs` wrote: {error}"))?;
    if pages.is_empty() {
        return Err("`opcode __docs` wrote nothing".to_owned());
    }
    match pages.iter().find(|page| taken.iter().any(|other| other.path == page.path)) {
        Some(page) => Err(format!("{} has two writers: `opcode __docs` and xtask", page.path)),
        None => Ok(pages),
    }
}

fn ask(house: &House, folder: &Path) -> Result<(), String> {
    let built = std::env::var_os(BINARY).map(|binary| house.root.join(binary));
    let mut command = match built.filter(|binary| binary.exists()) {
        Some(binary) => Command::new(binary),
        None => {
            let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
            let mut command = Command::new(cargo);
            command.args(["run", "--quiet", "--package", "opcode", "--"]);
            command
        }
    };
    let status = command.current_dir(&house.root).arg("__docs").arg(folder).status();
    let status = status.map_err(|error| format!("could not run `opcode __docs`: {error}"))?;
    match status.success() {
        true => Ok(()),
        false => Err(format!(
            "`opcode __docs` failed ({status}): the pages of actions are neither written nor compared"
        )),
    }
}

fn collect(folder: &Path, prefix: &str, pages: &mut Vec<Page>) -> std::io::Result<()> {
    let mut entries = fs::read_dir(folder)?.collect::<Result<Vec<_>, _>>()?;
    entries.sort_by_key(fs::DirEntry::file_name);
    for entry in entries {
        let path = format!("{prefix}/{}", entry.file_name().to_string_lossy());
        if entry.file_type()?.is_dir() {
            collect(&entry.path(), &path, pages)?;
        } else {
            pages.push(Page { path, text: fs::read_to_string(entry.path())? });
        }
    }
    Ok(())
}
