//! What comes along with our dependencies: how many, under which licence, and into which ring.
//!
//! Keeps: cargo is asked once, for this machine's platform, and answers from what a build has fetched already.
//! Not here: arrows between our own crates (`arrows.rs`).

use std::collections::BTreeMap;
use std::process::Command;

use toml::Table;

use crate::house::{House, strings, table};
use crate::tidy::Violation;

/// What `cargo tree` says.
#[derive(Clone, Debug, Default)]
pub struct Answers {
    /// One `name version|licence` a line, for everything the workspace builds.
    pub licences: String,
    /// For each pure crate, one `depth name version` a line, without what runs only at build time inside the compiler.
    pub rings: BTreeMap<String, String>,
}

/// Asks cargo.
pub fn ask_cargo(house: &House) -> Result<Answers, String> {
    let all = ["--workspace", "--edges", "normal,build,dev", "--prefix", "none", "--no-dedupe"];
    let licences = cargo_tree(house, &[&all[..], &["--format", "{p}|{l}"]].concat())?;
    let mut rings = BTreeMap::new();
    for name in pure(&house.toml("Cargo.toml")?) {
        let edges = ["--edges", "normal,build,no-proc-macro", "--prefix", "depth"];
        let tree = cargo_tree(house, &[&["--package", name.as_str()], &edges[..]].concat())?;
        rings.insert(name, tree);
    }
    Ok(Answers { licences, rings })
}

fn cargo_tree(house: &House, args: &[&str]) -> Result<String, String> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(cargo).current_dir(&house.root).arg("tree").args(args).output();
    let output = output.map_err(|error| format!("could not run `cargo tree`: {error}"))?;
    if !output.status.success() {
        let error = String::from_utf8_lossy(&output.stderr);
        return Err(format!("could not read the dependency tree: {}", error.trim()));
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// The crates of the pure rings.
pub fn pure(root: &Table) -> Vec<String> {
    let rings = table(root, &["workspace", "metadata", "rings"]);
    strings(rings.and_then(|rings| rings.get("pure"))).into_iter().map(str::to_owned).collect()
}

/// Guests that may not stay.
pub fn check(house: &House, config: &Table, cargo: &Answers) -> Result<Vec<Violation>, String> {
    let mut found: Vec<Violation> = lock_ceiling(house, config).into_iter().collect();
    found.extend(licences(config, &cargo.licences));
    let members = house.members()?;
    for (name, tree) in &cargo.rings {
        let folder = members.iter().find(|member| member.name == *name);
        let folder = folder.map_or("", |member| &member.folder);
        found.extend(ring(config, &format!("{folder}/Cargo.toml"), tree));
        found.extend(ring_lints(house, folder));
    }
    Ok(found)
}

fn lock_ceiling(house: &House, config: &Table) -> Option<Violation> {
    let ceiling = table(config, &["budget"])?.get("lock_packages")?.as_integer()?;
    let packages = house.text("Cargo.lock").matches("\n[[package]]\n").count();
    let what = format!("{packages} packages of {ceiling}: send a guest home before inviting one");
    (packages > usize::try_from(ceiling).ok()?)
        .then(|| Violation::new("Cargo.lock", 1, "guests", what))
}

/// Packages that come under no licence, or only under refused ones.
fn licences(config: &Table, answer: &str) -> Vec<Violation> {
    let refused = strings(table(config, &["licence"]).and_then(|table| table.get("refused")));
    let mut lines: Vec<&str> = answer
        .lines()
        .map(|line| line.trim_end_matches(" (*)"))
        .filter(|l| !l.is_empty())
        .collect();
    lines.sort_unstable();
    lines.dedup();
    let bad = lines.into_iter().filter_map(|line| {
        let (package, licence) = line.rsplit_once('|')?;
        let what = format!("`{package}` comes under `{licence}`: take another crate");
        (!acceptable(licence, &refused)).then(|| Violation::new("Cargo.lock", 1, "licence", what))
    });
    bad.collect()
}

/// Whether an SPDX expression (or its older form with `/`) leaves us a choice that is not refused.
pub fn acceptable(licence: &str, refused: &[&str]) -> bool {
    let spaced = licence.replace('/', " OR ").replace('(', " ( ").replace(')', " ) ");
    let tokens: Vec<&str> = spaced.split_whitespace().collect();
    let mut at = 0;
    let answer = either(&tokens, &mut at, refused);
    answer && at == tokens.len()
}

fn either(tokens: &[&str], at: &mut usize, refused: &[&str]) -> bool {
    let mut answer = both(tokens, at, refused);
    while tokens.get(*at) == Some(&"OR") {
        *at += 1;
        answer |= both(tokens, at, refused);
    }
    answer
}

fn both(tokens: &[&str], at: &mut usize, refused: &[&str]) -> bool {
    let mut answer = one(tokens, at, refused);
    while tokens.get(*at) == Some(&"AND") {
        *at += 1;
        answer &= one(tokens, at, refused);
    }
    answer
}

fn one(tokens: &[&str], at: &mut usize, refused: &[&str]) -> bool {
    let token = tokens.get(*at);
    *at += 1;
    let Some(token) = token else { return false };
    if *token == "(" {
        let answer = either(tokens, at, refused);
        *at += 1;
        return answer;
    }
    if tokens.get(*at) == Some(&"WITH") {
        *at += 2;
    }
    !refused.iter().any(|name| *token == *name || token.starts_with(&format!("{name}-")))
}

/// Banned crates below a pure one, each with the crate that brought it.
fn ring(config: &Table, manifest: &str, tree: &str) -> Vec<Violation> {
    let empty = Table::new();
    let banned = strings(table(config, &["ring"]).and_then(|ring| ring.get("banned")));
    let excused = table(config, &["ring", "excused"]).unwrap_or(&empty);
    let mut above: Vec<&str> = Vec::new();
    let mut found = Vec::new();
    for line in tree.lines() {
        let digits = line.bytes().take_while(u8::is_ascii_digit).count();
        let Ok(depth) = line[..digits].parse::<usize>() else { continue };
        let name = line[digits..].split_whitespace().next().unwrap_or_default();
        above.truncate(depth);
        let host = above.last().copied().unwrap_or_default();
        above.push(name);
        let hosts = strings(excused.get(name).filter(|hosts| hosts.is_array()));
        if banned.contains(&name) && !hosts.contains(&host) {
            let way = above.join(" → ");
            let what = format!("a pure crate brings `{name}` along ({way}): do without {host}");
            found.push(Violation::new(manifest, 1, "ring", what));
        }
    }
    found
}

/// A pure crate's own `clippy.toml` is the rings' one.
fn ring_lints(house: &House, folder: &str) -> Option<Violation> {
    let path = format!("{folder}/clippy.toml");
    let linked = house.links.get(&path).is_some_and(|to| to == "../pure.clippy.toml");
    let what = "link it: `ln -s ../pure.clippy.toml clippy.toml`";
    (!linked).then(|| Violation::new(&path, 1, "ring", what))
}
