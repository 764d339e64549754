//! Crates that name what they may not.

use xtask::house::House;
use xtask::tidy::arrows::check;

const ROOT: &str = r#"
[workspace.metadata.arrows]
opcode-model = []
opcode-engine = ["opcode-model"]
opcode = ["*"]
opcode-testkit = ["opcode-engine"]
"#;

fn house(root: &str, crates: &[(&str, &str)]) -> House {
    let mut house = House::of([("Cargo.toml", root)]);
    for name in ["opcode-model", "opcode-engine", "opcode", "opcode-testkit"] {
        let rest = crates.iter().find(|(other, _)| *other == name).map_or("", |(_, rest)| rest);
        let manifest = format!("[package]\nname = \"{name}\"\n{rest}");
        house.files.insert(format!("crates/{name}/Cargo.toml"), manifest);
    }
    house
}

fn said(house: &House) -> Vec<String> {
    check(house).unwrap().iter().map(ToString::to_string).collect()
}

#[test]
fn allowed_arrows_pass() {
    let house = house(
        ROOT,
        &[
            ("opcode-engine", "[dependencies]\nopcode-model.workspace = true\n"),
            ("opcode", "[dependencies]\nopcode-engine.workspace = true\n"),
            ("opcode-model", "[dev-dependencies]\nopcode-testkit.workspace = true\n"),
        ],
    );
    assert_eq!(said(&house), Vec::<String>::new());
}

#[test]
fn an_arrow_that_is_not_allowed_fails_with_its_line() {
    let upwards = "[dependencies]\nserde.workspace = true\nopcode-engine.workspace = true\n";
    let found = said(&house(ROOT, &[("opcode-model", upwards)]));
    assert_eq!(found.len(), 1);
    assert!(
        found[0].starts_with("crates/opcode-model/Cargo.toml:5: arrows: `opcode-model` may not")
    );
}

#[test]
fn an_arrow_of_one_platform_or_of_a_build_script_counts() {
    for table in ["[target.'cfg(unix)'.dependencies]", "[build-dependencies]"] {
        let manifest = format!("{table}\nopcode-engine.workspace = true\n");
        assert_eq!(said(&house(ROOT, &[("opcode-model", &manifest)])).len(), 1, "{table}");
    }
}

#[test]
fn nothing_ships_the_testkit_whatever_is_allowed() {
    let manifest = "[dependencies]\nopcode-testkit.workspace = true\n";
    let found = said(&house(ROOT, &[("opcode", manifest)]));
    assert!(found[0].contains("must not ship"), "{found:?}");
}

#[test]
fn a_crate_the_table_forgot_fails_and_so_does_a_stranger_in_it() {
    let root = ROOT.replace("opcode-model = []\n", "").replace("\"*\"", "\"opcode-cloud\"");
    let found = said(&house(&root, &[]));
    assert!(found.iter().any(|line| line.contains("add `opcode-model = […]`")), "{found:?}");
    assert!(found.iter().any(|line| line.contains("`opcode-cloud` is no crate")), "{found:?}");
}

#[test]
fn a_version_outside_the_root_fails() {
    let manifest = "[dependencies]\nserde = \"1\"\n";
    let found = said(&house(ROOT, &[("opcode-model", manifest)]));
    assert!(found[0].contains("write `serde.workspace = true`"), "{found:?}");
}
