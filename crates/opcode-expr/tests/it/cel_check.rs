//! What the text itself shows to be impossible is refused when compiling, with its place.
//!
//! Keeps: nothing that data of a scope could make work is refused, and none of our extensions.
//! Not here: what evaluating says (`cel_language.rs`).

use opcode_expr::{CompileErrorKind, Language, Program};
use opcode_model::Value;

use crate::scope::Fixture;

#[track_caller]
fn refuses(cases: &[(&str, &str, &str)]) {
    for (source, place, fragment) in cases {
        let error = Program::compile(Language::Cel, source).unwrap_err();
        assert_eq!(error.kind, CompileErrorKind::Type, "{source}: {}", error.message);
        assert_eq!(&source[error.span.clone()], *place, "{source}: {}", error.message);
        assert!(error.message.contains(fragment), "{source}: {}", error.message);
    }
}

#[track_caller]
fn allows(sources: &[&str]) {
    for source in sources {
        let outcome = Program::compile(Language::Cel, source);
        assert!(outcome.is_ok(), "{source}: {}", outcome.unwrap_err().message);
    }
}

#[test]
fn operators_refuse_what_they_never_take() {
    refuses(&[
        ("1 + 'a'", "1 + 'a'", "cannot apply `+` to int and string; convert with string(x)"),
        ("inputs.x > 1 && 1 + 2 + 'a' == ''", "1 + 2 + 'a'", "int and string"),
        ("'a' - 'b'", "'a' - 'b'", "`-` to string and string"),
        ("true + true", "true + true", "bool and bool"),
        ("inputs.x * 'a'", "inputs.x * 'a'", "`*` to any and string"),
        ("1.5 % 2", "1.5 % 2", "convert with int(x)"),
        ("1 == 'a'", "1 == 'a'", "`==` to int and string"),
        ("'a' != null", "'a' != null", "string and null"),
        ("[1] == ['a']", "[1] == ['a']", "list and list"),
        ("{'a': 1} == {1: 1}", "{'a': 1} == {1: 1}", "map and map"),
        ("type(1) == 'int'", "type(1) == 'int'", "type and string"),
        ("size(inputs.x) == '3'", "size(inputs.x) == '3'", "int and string"),
        ("'a' < 1", "'a' < 1", "`<` to string and int"),
        ("[1] < [2]", "[1] < [2]", "list and list"),
        ("null < inputs.x", "null < inputs.x", "null and any"),
        ("1 in ['a']", "1 in ['a']", "`in` to int and list"),
        ("'a' in 'abc'", "'a' in 'abc'", "string and string"),
        ("1 in {'a': 1}", "1 in {'a': 1}", "int and map"),
        ("now + 1", "now + 1", "timestamp and int"),
        ("now + now", "now + now", "timestamp and timestamp"),
        ("duration('1s') - now", "duration('1s') - now", "duration and timestamp"),
        ("!5", "5", "`!` takes bool, got int"),
        ("-'a'", "'a'", "`-` takes int, double or duration, got string"),
        ("-(1u)", "1u", "got uint"),
        ("'a' && true", "'a'", "`&&` takes bool, got string"),
        ("inputs.x || size('a')", "size('a')", "`||` takes bool, got int"),
        ("1 ? 2 : 3", "1", "`?` takes bool, got int"),
    ]);
}

#[test]
fn functions_and_macros_refuse_what_they_never_take() {
    refuses(&[
        ("size(1)", "1", "`size` takes string, bytes, list or map, got int"),
        ("(1).size()", "(1).size()", "got int"),
        ("'a'.contains(1)", "1", "`contains` takes string, got int"),
        ("inputs.x.startsWith(b'a')", "b'a'", "`startsWith` takes string, got bytes"),
        ("(1).matches('a')", "(1).matches('a')", "`matches` takes string, got int"),
        ("matches(inputs.x, 1)", "1", "got int"),
        ("int(true)", "true", "`int` takes"),
        ("timestamp(1.5)", "1.5", "`timestamp` takes"),
        ("duration(null)", "null", "`duration` takes"),
        ("'a'.getHours()", "'a'.getHours()", "takes timestamp or duration"),
        ("duration('1s').getFullYear()", "duration('1s').getFullYear()", "takes timestamp"),
        ("duration('1s').getHours('UTC')", "duration('1s').getHours('UTC')", "no time zone"),
        ("now.getHours(1)", "1", "takes string"),
        ("'a'.orValue(1)", "'a'.orValue(1)", "takes optional"),
        ("'abc'.all(c, true)", "'abc'.all(c, true)", "a macro takes list or map, got string"),
        ("[1].filter(x, x)", "x", "a macro's condition takes bool, got int"),
        ("[1].map(x, x + 'a')", "x + 'a'", "int and string"),
        ("{'a': 1}.all(k, k > 1)", "k > 1", "string and int"),
        ("[1].map(x, [x]).exists(y, y == 1)", "y == 1", "list and int"),
        ("[[1]].map(x, x.map(x, x.a))", "x.a", "cannot read `a` of int"),
        ("optional.of(1).optMap(x, x + 'a')", "x + 'a'", "int and string"),
        ("optional.of(1).optFlatMap(x, x)", "x", "takes optional"),
        ("'a'.b", "'a'.b", "cannot read `b` of string"),
        ("[1].a.b", "[1].a", "cannot read `a` of list"),
        ("has(true.a)", "true.a", "cannot read `a` of bool"),
        ("{'a': 1}.a.b", "{'a': 1}.a.b", "cannot read `b` of int"),
        ("[1]['a']", "[1]['a']", "cannot read `a` of list"),
        ("[1][true]", "true", "a list's index takes int"),
        ("{'a': 1}[1]", "1", "the map's keys are string, got int"),
        ("true[0]", "true[0]", "`[…]` takes a list, a map or text, got bool"),
        ("{1.5: 1}", "1.5", "a map's key takes bool, int, uint or string, got double"),
        ("{'a': {[1]: 1}}", "[1]", "a map's key"),
        ("[?1]", "1", "a `?` entry takes optional, got int"),
        ("steps.a.b == (1 == 'x')", "1 == 'x'", "int and string"),
    ]);
}

#[test]
fn what_may_work_is_allowed() {
    allows(&[
        "inputs.a + 'x' == 1 + inputs.b",
        "dyn(1) == 'a' && dyn(1) + 'a' == 2 && !dyn(1)",
        "1 + 1u + 1.5 == 2u && 1 < 1.5 && 1 in [1.0, 2.0] && 1u == 1",
        "[1, 'a', null] == [1] && 1 in [1, 'a'] && {1: 1, 'a': 'b'}[1] == 'b'",
        "[] == ['a'] && {} == {'a': 1} && [] + [1] == ['a'] + [1] && [[]] == [[1]]",
        "(inputs.x ? 1 : 'a') == 'a' && (inputs.x ? 'a' : null) != null",
        "'abc'[0] == 'a' && [1][1u] == 1 && [1][0.0] == 1 && {1: 'a'}[1u] == 'a'",
        "now > timestamp('2026-01-01T00:00:00Z') && now - now < duration('1h')",
        "timestamp(0) != null && null == duration('1s') && -duration('1s') < duration('1s')",
        "inputs.list.map(x, x + 1).filter(y, y.z).all(z, z) && steps.all(s, s != '')",
        "optional.of(1).orValue('a') == 'a' && {'a': 1}.?a.orValue(null) == null",
        "{'a': 1}.?a.optMap(x, x + 1).value() > 1 && [1][?5].orValue(2) == 2",
        "optional.of({'a': {'b': 1}}).a.b.orValue(2) + 1 == 2",
        "optional.of(optional.of(1)).value().value() == 1",
        "[?optional.of(1), ?inputs.?x, 2] == [1] && {?'a': optional.of(1)}.a == 1",
        "string(type(1)) == 'int' && int(duration('1s')) > int(now) && duration(1) == duration('1s')",
        "[1, 2].map(x, x > 1, string(x)) == ['2'] && {'a': 1}.map(k, k + 'b') == ['ab']",
        "[[1]].map(x, x.map(x, x + 1))[0][0] + 1 == 2",
        "{'a': {'b': [1, {'c': 'd'}]}}.a.b[1].c == 'd'",
        "matches('a', inputs.x) && 'a'.matches('b') && inputs.x.getHours('UTC') > 1",
        "int == type(1) && [int, uint] != [] && type(int) == type",
    ]);
    let nested =
        format!("{}1{} == {}'a'{}", "[".repeat(40), "]".repeat(40), "[".repeat(40), "]".repeat(40));
    allows(&[&nested]);
}

/// What is allowed here and needs no scope also works.
#[test]
fn optionals_within_optionals_are_followed() {
    for source in [
        "{'a': optional.of(1)}.?a.value().value() == 1",
        "optional.of({'a': optional.of(1)}).a.value().value() == 1",
        "optional.of({'a': optional.of(1)})[?'a'].value().value() == 1",
        "optional.of(optional.of({'a': [1]})).a[0].value() == 1",
    ] {
        let got = Fixture::default().cel(source);
        assert_eq!(got, Ok(Value::Bool(true)), "{source}");
    }
}

#[test]
fn a_scope_not_known_yet_is_not_judged() {
    for source in ["1 == 'a'", "'a' && false", "!5 || true", "unknown || true", "f(1) || true"] {
        assert!(Program::compile_open(Language::Cel, source).is_ok(), "{source}");
    }
}

#[test]
fn types_that_grow_are_followed_only_so_far() {
    for grow in ["[a, a]", "{'k': a, 'l': [a]}", "optional.of(a)"] {
        let source = format!("[inputs.x]{}", format!(".map(a, {grow})").repeat(300));
        assert!(Program::compile(Language::Cel, &source).is_ok(), "{grow}");
    }
}
