//! Files that nothing compiles: no `mod` leads to them from any target.
//!
//! Keeps: what cargo finds by itself and what a manifest names are the only beginnings.
//! Not here: dead code inside a file (the compiler sees it).

use std::collections::BTreeSet;

use toml::{Table, Value};

use crate::house::{House, Member, table};
use crate::rust;
use crate::tidy::Violation;

/// Rust files that no target reaches.
pub fn check(house: &House) -> Result<Vec<Violation>, String> {
    let mut live = BTreeSet::new();
    let members = house.members()?;
    for member in &members {
        let mut queue = beginnings(house, member);
        while let Some(path) = queue.pop() {
            if live.insert(path.clone()) {
                queue.extend(mounted(house, &path));
            }
        }
    }
    let ours =
        |path: &str| members.iter().any(|member| path.starts_with(&format!("{}/", member.folder)));
    let dead = house.rust().filter(|(path, _)| ours(path) && !live.contains(*path));
    Ok(dead.map(|(path, _)| Violation::new(path, 1, "dead", advice(path))).collect())
}

fn advice(path: &str) -> String {
    let module = path.trim_end_matches(".rs").trim_end_matches("/mod");
    let name = module.rsplit('/').next().unwrap_or_default();
    match path.contains("/tests/") {
        true => format!("these tests never run: write `mod {name};` in the `main.rs` beside it"),
        false => format!("nothing compiles it: write `mod {name};` where it belongs, or delete it"),
    }
}

/// The files that cargo compiles without being led to them.
fn beginnings(house: &House, member: &Member) -> Vec<String> {
    let folder = format!("{}/", member.folder);
    let is_target = |path: &str| {
        let parts: Vec<&str> = path.split('/').collect();
        matches!(
            parts.as_slice(),
            ["build.rs"]
                | ["src", "lib.rs" | "main.rs"]
                | ["src", "bin", _]
                | ["src", "bin", _, "main.rs"]
                | ["tests" | "examples" | "benches", _]
                | ["tests" | "examples" | "benches", _, "main.rs"]
        )
    };
    let found = house.rust().filter(|(path, _)| path.strip_prefix(&folder).is_some_and(is_target));
    let named = targets(&member.manifest).map(|path| format!("{folder}{path}"));
    found.map(|(path, _)| path.to_owned()).chain(named).collect()
}

/// Paths that a manifest names for its targets.
fn targets(manifest: &Table) -> impl Iterator<Item = &str> {
    let lists = ["bin", "test", "bench", "example"].into_iter();
    let lists = lists.filter_map(|kind| manifest.get(kind)?.as_array()).flatten();
    let tables = lists.filter_map(Value::as_table).chain(table(manifest, &["lib"]));
    let build = manifest.get("package").and_then(|package| package.get("build"));
    tables.filter_map(|target| target.get("path")).chain(build).filter_map(Value::as_str)
}

/// The files that one file leads to.
fn mounted(house: &House, path: &str) -> Vec<String> {
    let text = house.text(path);
    let (folder, file) = path.rsplit_once('/').unwrap_or(("", path));
    let stem = file.trim_end_matches(".rs");
    let root = matches!(file, "lib.rs" | "main.rs" | "mod.rs") || is_lone_target(path);
    let home = if root { folder.to_owned() } else { format!("{folder}/{stem}") };
    let included = text.match_indices("include!(\"").filter_map(|(at, open)| {
        let name = text[at + open.len()..].split('"').next()?;
        Some(resolve(folder, name))
    });
    let modules = rust::mounts(text).into_iter().flat_map(|mount| {
        let inside: String = mount.inside.iter().map(|name| format!("/{name}")).collect();
        match mount.path {
            Some(written) if mount.inside.is_empty() => vec![resolve(folder, &written)],
            Some(written) => vec![resolve(&format!("{home}{inside}"), &written)],
            None => {
                let base = format!("{home}{inside}/{}", mount.name);
                vec![format!("{base}.rs"), format!("{base}/mod.rs")]
            }
        }
    });
    modules.chain(included).filter(|path| house.files.contains_key(path)).collect()
}

/// `tests/x.rs`, `src/bin/x.rs` and their like are roots though their names are not `main.rs`.
fn is_lone_target(path: &str) -> bool {
    let mut parts = path.rsplit('/').skip(1);
    let (folder, above) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
    matches!(folder, "examples" | "benches") && above != "src"
        || folder == "tests" && above != "src" && !path.contains("/src/")
        || folder == "bin" && above == "src"
}

/// `name` seen from `folder`, `..` resolved.
pub(crate) fn resolve(folder: &str, name: &str) -> String {
    let mut parts: Vec<&str> = folder.split('/').filter(|part| !part.is_empty()).collect();
    for part in name.split('/') {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()),
            part => parts.push(part),
        }
    }
    parts.join("/")
}
