//! The catalogues of functions: every example runs and gives what it says.
//!
//! Keeps: no function of a language is missing from its catalogue.
//! Not here: what functions do beyond their examples.

use opcode_expr::{Language, catalog};

use crate::scope::{Fixture, value};

#[test]
fn every_example_gives_its_result() {
    for entry in catalog(Language::Cel) {
        let got = Fixture::default().cel(entry.example);
        let got = got.map(|got| got.to_json()).map_err(|error| error.to_string());
        assert_eq!(got, Ok(value(entry.result).to_json()), "{}: {}", entry.name, entry.example);
        assert!(
            entry.example.contains(entry.name.trim_matches(['?', ':', '.', '[', ']', '{', '}'])),
            "{}",
            entry.name
        );
        assert!(entry.meaning.ends_with('.'), "{}", entry.name);
    }
}

#[test]
fn every_function_is_in_the_catalogue() {
    let fixture = Fixture::default().root("inputs", r#"{"x":1}"#);
    let mut names = Vec::new();
    for source in ["nothing(1)", "inputs.x.nothing()"] {
        let error = opcode_expr::Program::compile(Language::Cel, source).unwrap_err();
        let listed =
            error.message.split_once("available: [").unwrap().1.trim_end_matches(']').to_owned();
        names.extend(listed.split(", ").map(|name| name.to_owned()));
    }
    assert!(names.len() > 20, "{names:?}");
    for name in names.iter().filter(|name| !name.starts_with("and ")) {
        assert!(catalog(Language::Cel).iter().any(|entry| entry.name == name), "{name}");
    }
    assert!(fixture.cel("inputs.x").is_ok());
}
