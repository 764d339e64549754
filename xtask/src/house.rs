//! The checkout as the checks see it: every text file, every symlink, the manifests.
//!
//! Keeps: paths are relative, with `/`; a house can be made of literals, so each rule is tested without a disk.
//! Not here: what is right or wrong (`tidy`).

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use toml::Table;

/// A checkout.
#[derive(Clone, Debug, Default)]
pub struct House {
    /// Where it stands; empty for a house of literals.
    pub root: PathBuf,
    /// Text files.
    pub files: BTreeMap<String, String>,
    /// Symlinks and where they point, as written.
    pub links: BTreeMap<String, String>,
    /// Files that are not text.
    pub others: BTreeSet<String>,
}

/// A crate of this workspace.
#[derive(Clone, Debug)]
pub struct Member {
    /// Its name.
    pub name: String,
    /// Its folder, without a trailing slash.
    pub folder: String,
    /// Its manifest.
    pub manifest: Table,
}

/// The checkout that this program was built from.
pub fn root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.parent().unwrap_or(here).to_path_buf()
}

impl House {
    /// Reads a checkout.
    pub fn read(root: &Path) -> Result<Self, String> {
        let mut house = Self { root: root.to_path_buf(), ..Self::default() };
        house.walk(root, "").map_err(|error| format!("could not read the checkout: {error}"))?;
        Ok(house)
    }

    /// A house of literals.
    pub fn of<'a>(files: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        let files = files.into_iter().map(|(path, text)| (path.to_owned(), text.to_owned()));
        Self { files: files.collect(), ..Self::default() }
    }

    fn walk(&mut self, folder: &Path, prefix: &str) -> std::io::Result<()> {
        for entry in fs::read_dir(folder)? {
            let entry = entry?;
            let name = entry.file_name().to_string_lossy().into_owned();
            let path = format!("{prefix}{name}");
            let kind = entry.file_type()?;
            if kind.is_symlink() {
                let target = fs::read_link(entry.path())?;
                self.links.insert(path, target.to_string_lossy().into_owned());
            } else if kind.is_dir() {
                if name != ".git" && name != "target" {
                    self.walk(&entry.path(), &format!("{path}/"))?;
                }
            } else if let Ok(text) = String::from_utf8(fs::read(entry.path())?) {
                self.files.insert(path, text);
            } else {
                self.others.insert(path);
            }
        }
        Ok(())
    }

    /// The text of a file, or nothing.
    pub fn text(&self, path: &str) -> &str {
        self.files.get(path).map_or("", String::as_str)
    }

    /// Whether a file, a link or a folder stands at `path`.
    pub fn has(&self, path: &str) -> bool {
        let folder = format!("{path}/");
        let inside = |found: Option<&String>| found.is_some_and(|next| next.starts_with(&folder));
        path.is_empty()
            || self.files.contains_key(path)
            || self.links.contains_key(path)
            || self.others.contains(path)
            || inside(self.files.range(folder.clone()..).next().map(|(next, _)| next))
            || inside(self.others.range(folder.clone()..).next())
    }

    /// Rust files, in order.
    pub fn rust(&self) -> impl Iterator<Item = (&str, &str)> {
        let rust = self.files.iter().filter(|(path, _)| path.ends_with(".rs"));
        rust.map(|(path, text)| (path.as_str(), text.as_str()))
    }

    /// A file read as TOML.
    pub fn toml(&self, path: &str) -> Result<Table, String> {
        let text = self.files.get(path).ok_or_else(|| format!("could not find {path}"))?;
        text.parse().map_err(|error| format!("could not read {path}: {error}"))
    }

    /// Every crate of the workspace, by name.
    pub fn members(&self) -> Result<Vec<Member>, String> {
        let manifests = self.files.keys().filter_map(|path| path.strip_suffix("/Cargo.toml"));
        let mut members = Vec::new();
        for folder in manifests.filter(|folder| is_member(folder)) {
            let manifest = self.toml(&format!("{folder}/Cargo.toml"))?;
            let name = table(&manifest, &["package"]).and_then(|package| package.get("name"));
            let name = name.and_then(toml::Value::as_str).unwrap_or_default().to_owned();
            members.push(Member { name, folder: folder.to_owned(), manifest });
        }
        members.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(members)
    }
}

/// `crates/*`, `xtask`, `bench`, `bench-lang`: the members that the root manifest names.
fn is_member(folder: &str) -> bool {
    let inside = folder.strip_prefix("crates/");
    inside.is_some_and(|name| !name.contains('/'))
        || matches!(folder, "xtask" | "bench" | "bench-lang")
}

/// A table within a table.
pub fn table<'a>(manifest: &'a Table, path: &[&str]) -> Option<&'a Table> {
    path.iter().try_fold(manifest, |table, key| table.get(*key)?.as_table())
}

/// The strings of an array; nothing if it is no array.
pub fn strings(value: Option<&toml::Value>) -> Vec<&str> {
    let array = value.and_then(toml::Value::as_array);
    array.into_iter().flatten().filter_map(toml::Value::as_str).collect()
}
