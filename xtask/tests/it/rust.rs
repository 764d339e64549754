//! Reading Rust text: what is code, and where functions begin and end.

use xtask::rust::{code, functions, mounts};

#[test]
fn blanking_keeps_every_offset() {
    let text =
        "let a = \"ü{\"; // }\nlet b = 'x'; /* { /* } */ { */ let c: &'a str = r##\"}\"#{\"##;\n";
    let blanked = code(text);
    assert_eq!(blanked.len(), text.len());
    assert!(!blanked.contains(['{', '}']), "{blanked}");
    assert!(blanked.contains("let c: &'a str = "), "{blanked}");
    assert_eq!(blanked.lines().count(), text.lines().count());
}

#[test]
fn every_kind_of_literal_is_blanked() {
    for literal in
        [r#""\"{""#, r"'{'", r"'\''", r"b'{'", r#"b"{""#, r#"c"{""#, r##"br#"{"#"##, "'\\u{7d}'"]
    {
        let text = format!("x({literal}, y)");
        assert!(!code(&text).contains(['{', '}']), "{literal}: {}", code(&text));
        assert!(code(&text).ends_with(", y)"), "{literal}: {}", code(&text));
    }
}

#[test]
fn names_that_look_like_literals_are_names() {
    let text = "r#fn(b, 'outer, c'x', br)";
    assert_eq!(code(text).replace('\'', ""), "r#fn(b, outer, c, br)");
    assert!(functions("let r#fn = 1;").is_empty());
}

#[test]
fn functions_are_found_with_their_bodies() {
    let text = "trait T { fn none(&self) -> [u8; 2]; }\nfn one<F: Fn(u8) -> u8>(f: F) -> [u8; 2]\nwhere\n    F: Send,\n{\n    fn two() {\n        x\n    }\n    y\n}\ntype P = fn(u8);\n";
    let found = functions(&code(text));
    let facts: Vec<_> = found.iter().map(|f| (f.name.as_str(), f.line, f.body_lines)).collect();
    assert_eq!(facts, [("one", 2, 4), ("two", 6, 1)]);
}

#[test]
fn a_string_of_many_lines_counts_as_lines() {
    let text = "fn f() {\n    say(\"one\n    two\n    three\");\n}\n";
    assert_eq!(functions(&code(text))[0].body_lines, 3);
}

#[test]
fn mounts_know_the_modules_around_them() {
    let found =
        mounts("mod a { mod b { mod c; } }\n#[cfg(test)]\n#[path = \"x.rs\"]\npub mod d;\n");
    assert_eq!(found[0].inside, ["a", "b"]);
    assert_eq!((found[1].name.as_str(), found[1].path.as_deref()), ("d", Some("x.rs")));
}
