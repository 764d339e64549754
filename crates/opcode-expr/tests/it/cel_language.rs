//! CEL's meaning, topic by topic: what the published vectors show only in part.
//!
//! Keeps: every line is an expression and what it gives as JSON, or an expression that must fail.
//! Not here: what is refused when compiling (`cel_check.rs`), the scope of a workflow (`cel.rs`).

use opcode_expr::{Language, Meter, Program};
use opcode_model::Value;

use crate::scope::Fixture;

fn answer(source: &str) -> Result<Value, String> {
    let program =
        Program::compile_open(Language::Cel, source).map_err(|error| error.to_string())?;
    let fixture = Fixture::default()
        .root("x", r#"{"a":1,"in":2,"y":{"z":3}}"#)
        .root("y.z", "42")
        .root("y", "{}");
    program.evaluate(&fixture, &mut Meter::default()).map_err(|error| error.to_string())
}

#[track_caller]
fn gives(cases: &[(&str, &str)]) {
    for (source, json) in cases {
        assert_eq!(answer(source).map(|value| value.to_json()), Ok((*json).to_owned()), "{source}");
    }
}

#[track_caller]
fn holds(cases: &[&str]) {
    for source in cases {
        assert_eq!(answer(source), Ok(Value::Bool(true)), "{source}");
    }
}

#[track_caller]
fn fails(cases: &[&str]) {
    for source in cases {
        assert!(answer(source).is_err(), "{source} gave {:?}", answer(source));
    }
}

#[test]
fn numbers_are_read_as_written() {
    gives(&[
        ("0x7fffffffffffffff", "9223372036854775807"),
        ("-0x8000000000000000", "-9223372036854775808"),
        ("-9223372036854775808", "-9223372036854775808"),
        ("0xFFu", "255"),
        ("0xffU", "255"),
        (".5", "0.5"),
        ("1e3", "1000.0"),
        ("1E-3", "0.001"),
        ("--5", "5"),
        ("- - -5", "-5"),
        ("1e-400", "0.0"),
    ]);
    fails(&[
        "9223372036854775808",
        "-9223372036854775809",
        "18446744073709551616u",
        "-1u",
        "1e999",
        "-1e999",
        "0x",
        "0xg",
        "1.",
        "1e",
        "1_000",
        "01x",
        "--9223372036854775808",
    ]);
}

#[test]
fn texts_are_read_as_written() {
    holds(
        &[
            r"'\a\b\f\n\r\t\v' == '\x07\x08\x0c\x0a\x0d\x09\x0b'",
            r#"'\\\?\"\'\`' == "\\?\"'`""#,
            r"'\x41\X42\u0043\U00000044\105' == 'ABCDE'",
            r"'\377' == '\u00ff' && size('\377') == 1",
            r"'\U0001F431' == '🐱' && size('🐱') == 1 && size(b'🐱') == 4",
            r"r'\n' == '\\n' && R'\d' == '\\d' && size(r'\') == 1",
            r#"'''it's "two"''' == "it's \"two\"""#,
            "'''a\r\nb\rc\nd''' == 'a\\nb\\nc\\nd'",
            "'''''' == '' && \"\"\"\"\"\" == ''",
            r"b'\xff\377\000' == b'\377\xff\x00'",
            r"b'ÿ' == b'\303\277' && bytes('\377') == b'\303\277'",
            r"bR'\x41' == b'\\x41' && Br'a' == b'a' && BR'a' == b'a'",
        ][..12],
    );
    fails(&[
        r"'\u00'",
        r"'\ud800'",
        r"'\udfff'",
        r"'\U00110000'",
        r"'\U0000d800'",
        r"b'\u0041'",
        r"b'\U00000041'",
        r"'\08'",
        r"'\400'",
        r"'\1'",
        r"'\x4'",
        r"'\xzz'",
        r"'\q'",
        r"'\'",
        "'a\nb'",
        "'a\rb'",
        "\"a",
        "'''a''",
        "rb'a'",
        "rr'a'",
        "bb'a'",
        "u'a'",
        "'a' 'b'",
    ]);
}

#[test]
fn names_and_blanks() {
    gives(&[
        ("x.a // one", "1"),
        ("// first\nx.a", "1"),
        ("x\t.\r\n\x0ca", "1"),
        (".x.a", "1"),
        (". x . a", "1"),
        ("x['in']", "2"),
        ("x.y.z", "3"),
        ("{'a-b': {'c d': 1}}.`a-b`.`c d`", "1"),
        ("{'a.b/c': 1}.`a.b/c`", "1"),
        ("{'if': 1, 'for': 2}.for", "2"),
        // A macro's variable hides a name with dots; a leading dot looks past it.
        ("[{'z': 0}].map(y, y.z)", "[0]"),
        ("[{'z': 0}].map(y, .y.z)", "[42]"),
        ("[[1, 2]].map(x, x.map(x, x + 1))", "[[2,3]]"),
        ("[1].map(x, [x].map(y, x + y)[0] + x)", "[3]"),
        ("[1].map(size, size([size]))", "[1]"),
        ("[1, 2,]", "[1,2]"),
        ("{'a': 1,}", r#"{"a":1}"#),
    ]);
    fails(&[
        "x.in",
        "x.true",
        "x.null",
        "if",
        "let",
        "package",
        "[1].map(in, 1)",
        "[1].map(true, 1)",
        "[1].map(var, 1)",
        "[1].map(x.a, 1)",
        "[1].map('x', 1)",
        "{'a$': 1}.`a$`",
        "`x`",
        "x.`a`()",
        "size(1, )",
        "x..a",
        "x.",
        ".1.2",
        "f(1)",
        "x.f()",
        "x.f.g(1)",
        "dyn",
        "x{}",
    ]);
}

#[test]
fn operators_bind_as_the_grammar_says() {
    gives(&[
        ("1 + 2 * 3 - 4 / 2 % 3", "5"),
        ("2 - 3 - 4", "-5"),
        ("100 / 10 / 5", "2"),
        ("-2 * -3", "6"),
        ("1 + 1 == 2 && !false || 1 / 0 == 0", "true"),
        ("true || false && false", "true"),
        ("!true == false", "true"),
        ("1 < 2 == true", "true"),
        ("true ? 1 : false ? 2 : 3", "1"),
        ("false ? 1 : false ? 2 : 3", "3"),
        ("-[1][0]", "-1"),
        ("!!!true", "false"),
        ("1 in [1] && 2 in [2]", "true"),
        ("[1, 2][1] + {'a': 3}['a']", "5"),
    ]);
    fails(&[
        "1 +",
        "* 1",
        "(1",
        "1)",
        "1 ? 2",
        "true ? 1",
        "true ? : 1",
        "1 = 1",
        "1 == ",
        "&& true",
        "not true",
    ]);
}

#[test]
fn whole_numbers_keep_to_their_range() {
    gives(&[
        ("9223372036854775807 + 0", "9223372036854775807"),
        ("-9223372036854775807 - 1", "-9223372036854775808"),
        ("18446744073709551614u + 1u == 18446744073709551615u", "true"),
        ("7 / -2", "-3"),
        ("-7 / 2", "-3"),
        ("-7 % 2", "-1"),
        ("7 % -2", "1"),
        ("7u / 2u", "3"),
    ]);
    fails(&[
        "9223372036854775807 + 1",
        "-9223372036854775808 - 1",
        "9223372036854775807 * 2",
        "-(-9223372036854775808)",
        "(-9223372036854775808) / -1",
        "(-9223372036854775808) % -1",
        "(-9223372036854775808) * -1",
        "18446744073709551615u + 1u",
        "0u - 1u",
        "18446744073709551615u * 2u",
        "-(1u)",
        "1 / 0",
        "1 % 0",
        "1u / 0u",
        "1u % 0u",
        "1.5 % 1.0",
        "1 + true",
        "null + null",
        "{} + {}",
        "'a' * 2",
        "'a' - 'a'",
    ]);
}

#[test]
fn doubles_follow_ieee() {
    holds(&[
        "1.0 / 0.0 == double('Infinity') && -1.0 / 0.0 == double('-inf')",
        "0.0 / 0.0 != 0.0 / 0.0",
        "!(0.0 / 0.0 < 1.0) && !(0.0 / 0.0 > 1.0) && !(0.0 / 0.0 <= 0.0 / 0.0)",
        "!(dyn(1) < 0.0 / 0.0) && dyn(1) != 0.0 / 0.0 && dyn(1u) != 0.0 / 0.0",
        "0.0 == -0.0 && 1.0 / 0.0 != 1.0 / -0.0",
        "[0.0 / 0.0] != [0.0 / 0.0] && !(0.0 / 0.0 in [0.0 / 0.0])",
        "1e308 * 10.0 == 1.0 / 0.0",
        "9007199254740993 == 9007199254740992.0",
        "9223372036854775807 < 9223372036854777857.0",
        "dyn(18446744073709551615u) == 18446744073709551615.0",
        "-1 < 0u && 0u > -1 && 18446744073709551615u > 9223372036854775807",
        "1 < 1.5 && 1u < 1.5 && 1.5 < 2 && 1.5 < 2u",
        "1 + 0.5 == 1.5 && 1u + 0.5 == 1.5 && 3 * 0.5 == 1.5",
    ]);
}

#[test]
fn equality_looks_at_types_and_contents() {
    holds(&[
        "dyn(1) == 1u && dyn(1u) == 1.0 && dyn(1) != '1' && dyn(1) != true",
        "[1, 2u, 3.0] == [1.0, 2, 3u] && [[1]] == [[1.0]]",
        "{'a': 1, 'b': [2]} == {'b': [2.0], 'a': 1u}",
        "{1: 'a', 2u: 'b'} == {2: 'b', 1u: 'a'}",
        "{'a': 1} != {'a': 2} && {'a': 1} != {'b': 1} && {'a': 1} != {'a': 1, 'b': 2}",
        "dyn([]) != {} && dyn('') != b'' && dyn(null) != 0 && dyn(null) != false && null == null",
        "dyn(duration('1s')) != 1 && dyn(timestamp(0)) != 0",
        "'e\\u0301' != '\\u00e9'",
        "false < true && 'a' < 'b' && 'a' < 'ab' && 'Z' < 'a' && b'a' < b'b' && b'' < b'a'",
        "'\\uffff' < '\\U00010000'",
        "int == type(1) && type(1) != uint && type(int) == type && type(type) == type",
        "[type(1u), type(1.0), type('')] == [uint, double, string]",
        "[type(b''), type([]), type({}), type(null)] == [bytes, list, map, null_type]",
        "type(true) == bool && type(timestamp(0)) == google.protobuf.Timestamp",
        "type(duration('1s')) == google.protobuf.Duration && type(optional.none()) == optional_type",
    ]);
    fails(&[
        "null < null",
        "[1] < [2]",
        "{} < {}",
        "int < uint",
        "dyn(1) < '2'",
        "dyn(true) < 1",
        "dyn('a') < b'a'",
        "optional.of(1) < optional.of(2)",
        "dyn(timestamp(0)) < duration('1s')",
        "1 in 1",
        "'a' in 'abc'",
        "1 in null",
    ]);
}

#[test]
fn maps_take_four_kinds_of_keys() {
    holds(&[
        "{1: 'a'}[1u] == 'a' && {1u: 'a'}[1] == 'a' && {1: 'a'}[1.0] == 'a'",
        "{true: 1, 'true': 2, 1: 3}[true] == 1 && size({true: 1, 'true': 2, 1: 3}) == 3",
        "1 in {1u: 0} && 1.0 in {1: 0} && 1u in {1: 0} && !(1.1 in {1: 0}) && !('1' in {1: 0})",
        "true in {true: 1} && !(true in {'true': 1}) && !(null in {'a': 1})",
        "has({'a': null}.a) && !has({'a': 1}.b) && has({'a': {'b': 1}}.a.b)",
        "{}.?a == optional.none()",
    ]);
    gives(&[
        ("{1: 'a', true: 'b', 2u: 'c', 'd': 'e'}", r#"{"1":"a","2":"c","d":"e","true":"b"}"#),
        ("{2: 1, 1: 2}.map(k, k)", "[1,2]"),
        ("[1, 2][1u] + [1, 2][dyn(1.0)]", "4"),
    ]);
    fails(&[
        "{1: 1, 1: 2}",
        "{1: 1, 1u: 2}",
        "{'a': 1, 'a': 1}",
        "{1.5: 1}",
        "{1.0: 1}",
        "{null: 1}",
        "{[1]: 1}",
        "{b'a': 1}",
        "{'a': 1}['b']",
        "{'a': 1}.b",
        "{'a': 1}[1]",
        "{1: 1}[1.5]",
        "{1: 1}[dyn(null)]",
        "[1]['0']",
        "[1][1]",
        "[1][-1]",
        "[1][dyn(0.5)]",
        "[1].a",
        "1[0]",
        "'a'.b",
        "'a'[1]",
        "has({'a': 1}.b.c)",
        "has([1].a)",
        "has(x)",
        "has(1 + 1)",
    ]);
}

#[test]
fn errors_are_absorbed_where_the_answer_is_known() {
    holds(&[
        "1 / 0 == 1 || true",
        "true || 1 / 0 == 1",
        "!(false && 1 / 0 == 1) && !(1 / 0 == 1 && false)",
        "dyn(1) || true",
        "!(dyn('x') && false)",
        "nothing || true",
        "!(nothing.at.any() && false)",
        "[1, 0].exists(x, 1 / x == 1) && [0, 1].exists(x, 1 / x == 1)",
        "![0, 1].all(x, 1 / x > 1)",
        "true ? true : 1 / 0 == 1",
        "[0, 1, 2].exists_one(x, x == 1) && [1, 2].existsOne(x, x > 1)",
        "[].all(x, x) && ![].exists(x, x) && ![].exists_one(x, x)",
    ]);
    fails(&[
        "1 / 0 == 1 || false",
        "1 / 0 == 1 && true",
        "dyn(1) || false",
        "dyn('a') && dyn('b')",
        "dyn(1) ? 1 : 2",
        "1 / 0 == 1 ? 1 : 1",
        "!dyn(1)",
        "[0, 1].all(x, 1 / x > 0)",
        "[0, 2].exists(x, 1 / x == 1)",
        "[0, 1].exists_one(x, 1 / x == 1)",
        "[1].all(x, x)",
        "[1].filter(x, x)",
        "[1].map(x, x, x)",
        "[0].map(x, 1 / x)",
        "'abc'.all(x, true)",
        "1.all(x, true)",
    ]);
}

#[test]
fn macros_walk_lists_and_keys() {
    gives(&[
        ("[1, 2, 3].map(x, x > 1, x * 2)", "[4,6]"),
        ("{'b': 1, 'a': 2}.map(k, k)", r#"["a","b"]"#),
        ("{'a': 1, 'b': 2}.filter(k, k != 'a')", r#"["b"]"#),
        ("{'a': 1}.all(k, k == 'a') && {'a': 1}.exists(k, k == 'a')", "true"),
        ("[[1, 2], [3]].map(l, l.map(i, i * 10))", "[[10,20],[30]]"),
        ("[1, 2].map(x, [x, x]).filter(p, p[0] == 2)", "[[2,2]]"),
        ("['signer'].filter(signer, ['a'].all(a, signer == 'signer'))", r#"["signer"]"#),
    ]);
    fails(&[
        "[1].map(x)",
        "[1].all(x, true, true)",
        "[1].filter(x, true, x)",
        "[1].exists(x)",
        "all([1], x, true)",
    ]);
}

#[test]
fn optionals_may_be_empty() {
    gives(&[
        ("optional.of(1).orValue(1 / 0)", "1"),
        ("optional.of(1).or(optional.of(1 / 0)).value()", "1"),
        ("optional.none().or(optional.of(2)).value()", "2"),
        ("optional.none().optMap(x, 1 / 0).hasValue()", "false"),
        ("optional.of([1, 2])[?1].value() + optional.of({'a': 1}).a.value()", "3"),
        ("optional.of({'a': {'b': 1}}).a.b", "1"),
        ("{'a': {}}.?a.b.c.orValue('none')", r#""none""#),
        ("{'a': {'b': 0}}.?a.?b.optMap(b, b + 1)", "1"),
        ("[?optional.none(), ?optional.of(1), 2]", "[1,2]"),
        ("{?'a': optional.none(), ?'b': {}.?c, ?'d': optional.of(1)}", r#"{"d":1}"#),
        ("optional.ofNonZeroValue(0) == optional.none()", "true"),
        (
            "[0.0, '', b'', false, null, [], {}, 0u, duration('0s')].all(x, !optional.ofNonZeroValue(x).hasValue())",
            "true",
        ),
        ("['a', 1, true, [0]].all(x, optional.ofNonZeroValue(x).hasValue())", "true"),
        ("optional.of(null).hasValue()", "true"),
        ("optional.of(optional.none()).value()", "null"),
        ("has({'a': 1}.?a) && !has({'a': 1}.?b) && has(optional.of({'a': 1}).a)", "true"),
        ("{'a-b': 1}[?'a-b'].value() + {'a-b': 1}.?`a-b`.value()", "2"),
        (
            "[1][?0] == optional.of(1) && [1][?1] == optional.none() && [1][?-1] == optional.none()",
            "true",
        ),
    ]);
    fails(&[
        "optional.none().value()",
        "1.value()",
        "dyn(1).orValue(2)",
        "dyn(1).hasValue()",
        "optional.none().orValue(1 / 0)",
        "[?1]",
        "{?'a': 1}",
        "optional.of(1).optFlatMap(x, x)",
        "optional.of(1).?a",
        "optional.of()",
        "optional.none(1)",
        "optional.other(1)",
        "[1][?'a']",
    ]);
}
