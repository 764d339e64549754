//! Which crate names which: only what `[workspace.metadata.arrows]` allows.
//!
//! Keeps: `*` is every crate but the testkit, which nothing may ship; versions stand in the root manifest alone.
//! Not here: what foreign crates bring along (`guests.rs`).

use std::collections::BTreeSet;

use toml::{Table, Value};

use crate::house::{House, Member, strings, table};
use crate::tidy::Violation;

const RULE: &str = "arrows";
const TESTKIT: &str = "opcode-testkit";

/// Arrows that are drawn and not allowed, and crates that the table forgot.
pub fn check(house: &House) -> Result<Vec<Violation>, String> {
    let root = house.toml("Cargo.toml")?;
    let empty = Table::new();
    let allowed = table(&root, &["workspace", "metadata", "arrows"]).unwrap_or(&empty);
    let members = house.members()?;
    let names: BTreeSet<&str> = members.iter().map(|member| member.name.as_str()).collect();
    let mut found = Vec::new();
    for member in &members {
        found.extend(check_member(house, member, allowed, &names));
    }
    for (name, targets) in allowed {
        let line = line_of(house.text("Cargo.toml"), name);
        let known = |name: &str| name == "*" || names.contains(name);
        for stranger in strings(Some(targets)).into_iter().chain([name.as_str()]) {
            if !known(stranger) {
                let what = format!("`{stranger}` is no crate of this workspace: take it out");
                found.push(Violation::new("Cargo.toml", line, RULE, what));
            }
        }
    }
    Ok(found)
}

fn check_member(
    house: &House,
    member: &Member,
    allowed: &Table,
    names: &BTreeSet<&str>,
) -> Vec<Violation> {
    let path = format!("{}/Cargo.toml", member.folder);
    let Some(targets) = allowed.get(&member.name) else {
        let what = format!("add `{} = […]` to [workspace.metadata.arrows]", member.name);
        return vec![Violation::new(&path, 1, RULE, what)];
    };
    let targets = strings(Some(targets));
    let mut found = Vec::new();
    for (kind, dependency, value) in dependencies(&member.manifest) {
        let mut say = |what: String| {
            let line = line_of(house.text(&path), dependency);
            found.push(Violation::new(&path, line, RULE, what));
        };
        if !inherits(value) {
            say(format!("write `{dependency}.workspace = true`; versions stand in the root"));
        }
        if kind == Kind::Dev || !names.contains(dependency) {
            continue;
        }
        if dependency == TESTKIT {
            say(format!("`{TESTKIT}` must not ship: move it to [dev-dependencies]"));
        } else if !targets.contains(&dependency) && !targets.contains(&"*") {
            let name = &member.name;
            say(format!(
                "`{name}` may not name `{dependency}`: turn the arrow around, or move code"
            ));
        }
    }
    found
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Ships,
    Dev,
}

/// Every dependency of a manifest, also those of one platform.
fn dependencies(manifest: &Table) -> impl Iterator<Item = (Kind, &str, &Value)> {
    let targets = table(manifest, &["target"]).into_iter().flat_map(|targets| targets.values());
    let tables = targets.filter_map(Value::as_table).chain([manifest]);
    tables.flat_map(|part| {
        let kinds = [
            ("dependencies", Kind::Ships),
            ("build-dependencies", Kind::Ships),
            ("dev-dependencies", Kind::Dev),
        ];
        kinds.into_iter().flat_map(move |(key, kind)| {
            let entries = table(part, &[key]).into_iter().flatten();
            entries.map(move |(name, value)| (kind, name.as_str(), value))
        })
    })
}

fn inherits(dependency: &Value) -> bool {
    dependency.get("workspace").and_then(Value::as_bool) == Some(true)
}

fn line_of(text: &str, key: &str) -> usize {
    let starts = |line: &str| {
        let rest = line.trim_start().strip_prefix(key).unwrap_or("x");
        rest.trim_start().starts_with(['.', '='])
    };
    text.lines().position(starts).map_or(1, |n| n + 1)
}
