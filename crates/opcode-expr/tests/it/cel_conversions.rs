//! CEL's conversions, times and patterns: ranges, forms of writing, failures.
//!
//! Keeps: every line is an expression and what it gives as JSON, or an expression that must fail.
//! Not here: everything else of the language (`cel_language.rs`).

use opcode_expr::{Language, Meter, Program};
use opcode_model::Value;

use crate::scope::Fixture;

fn answer(source: &str) -> Result<Value, String> {
    let program =
        Program::compile_open(Language::Cel, source).map_err(|error| error.to_string())?;
    program.evaluate(&Fixture::default(), &mut Meter::default()).map_err(|error| error.to_string())
}

#[track_caller]
fn gives(cases: &[(&str, &str)]) {
    for (source, json) in cases {
        assert_eq!(answer(source).map(|value| value.to_json()), Ok((*json).to_owned()), "{source}");
    }
}

#[track_caller]
fn fails(cases: &[&str]) {
    for source in cases {
        assert!(answer(source).is_err(), "{source} gave {:?}", answer(source));
    }
}

#[test]
fn numbers_convert_within_their_ranges() {
    gives(&[
        ("int(-7.9)", "-7"),
        ("int(9223372036854774784.0)", "9223372036854774784"),
        ("int(42u)", "42"),
        ("int('-9223372036854775808')", "-9223372036854775808"),
        ("int('+5')", "5"),
        ("int(timestamp('2009-02-13T23:31:30.9Z'))", "1234567890"),
        ("int(duration('1s'))", "1000000000"),
        ("uint(25.9)", "25"),
        ("uint(-0.0)", "0"),
        ("uint('18446744073709551615') == 18446744073709551615u", "true"),
        ("double('1e3')", "1000.0"),
        ("double('-.5')", "-0.5"),
        ("double(9007199254740993)", "9007199254740992.0"),
        ("double('NaN') != double('nan')", "true"),
        ("double('+Inf') == double('infinity')", "true"),
        ("double('1e-999')", "0.0"),
        (
            "[bool('1'), bool('t'), bool('T'), bool('true'), bool('TRUE'), bool('True')]",
            "[true,true,true,true,true,true]",
        ),
        (
            "[bool('0'), bool('f'), bool('F'), bool('false'), bool('FALSE'), bool('False')]",
            "[false,false,false,false,false,false]",
        ),
        ("[int(1), type(dyn(1)) == int, dyn([1])]", "[1,true,[1]]"),
    ]);
    fails(&[
        "int(9223372036854775807.0)",
        "int(-9223372036854775808.0)",
        "int(0.0 / 0.0)",
        "int(1.0 / 0.0)",
        "int(9223372036854775808u)",
        "int('9223372036854775808')",
        "int('1.5')",
        "int(' 1')",
        "int('0x1')",
        "int('')",
        "int('1_000')",
        "int(dyn(true))",
        "int(dyn(null))",
        "uint(-1)",
        "uint(-1.0)",
        "uint(18446744073709551616.0)",
        "uint('-1')",
        "uint('+1')",
        "uint(0.0 / 0.0)",
        "double('1e999')",
        "double('1,5')",
        "double('')",
        "double('+nan')",
        "double(dyn(true))",
        "bool('yes')",
        "bool('tRUE')",
        "bool('')",
        "bool(dyn(1))",
    ]);
}

#[test]
fn texts_and_bytes_convert() {
    gives(&[
        ("string(-42) + string(42u) + string(true)", r#""-4242true""#),
        (
            "[string(1.0), string(-4.5e-3), string(123456.0), string(1e6), string(1234567.8)]",
            r#"["1","-0.0045","123456","1e+06","1.2345678e+06"]"#,
        ),
        (
            "[string(1e21), string(1e-5), string(0.0001), string(-0.0), string(1e100)]",
            r#"["1e+21","1e-05","0.0001","-0","1e+100"]"#,
        ),
        ("[string(0.0 / 0.0), string(1.0 / 0.0), string(-1.0 / 0.0)]", r#"["NaN","+Inf","-Inf"]"#),
        (r"string(b'\303\277') == 'ÿ'", "true"),
        ("string('a') + string(bytes('b'))", r#""ab""#),
        ("bytes('ÿ') == b'\\303\\277' && bytes(b'a') == b'a'", "true"),
        (
            "[size('ÿ'), size(b'ÿ'), size('🐱😀'), 'e\\u0301'.size(), b''.size(), {'a': 1}.size()]",
            "[1,2,2,2,0,1]",
        ),
        ("b'a' + b'b' == b'ab' && b'a' + b'' == b'a'", "true"),
        (
            "'héllo'.contains('é') && 'a'.contains('') && ''.startsWith('') && 'ab'.endsWith('b')",
            "true",
        ),
        ("'héllo'[1] + 'a🐱'[1]", r#""é🐱""#),
    ]);
    fails(&[
        r"string(b'\xff')",
        r"string(b'\xc3')",
        "string(type(1))",
        "string(dyn([1]))",
        "string(dyn({}))",
        "string(dyn(null))",
        "bytes(dyn(1))",
        "size(dyn(1))",
        "size(dyn(null))",
        "dyn(1).contains('a')",
        "'a'.contains(dyn(1))",
        "'a'.startsWith(dyn(b'a'))",
        "'a'.upperAscii()",
        "['a'].join(',')",
        "'a' + 1",
        "'a' + b'a'",
    ]);
}

#[test]
fn what_json_cannot_say_becomes_text_or_null() {
    gives(&[
        ("9223372036854775807u", "9223372036854775807"),
        ("9223372036854775808u", r#""9223372036854775808""#),
        ("b'\\000\\xff'", r#""AP8=""#),
        (
            "[type(1), type(timestamp(0)), type(optional.none())]",
            r#"["int","google.protobuf.Timestamp","optional_type"]"#,
        ),
        (
            "[timestamp(0), timestamp('2026-11-20T15:41:07.120Z')]",
            r#"["1970-01-01T00:00:00Z","2026-11-20T15:41:07.12Z"]"#,
        ),
        (
            "[duration('1.5s'), duration('-1ms'), duration('0s'), duration('36h')]",
            r#"["1.5s","-0.001s","0s","129600s"]"#,
        ),
        ("{'a': optional.of({'b': 1u}), 'c': optional.none()}", r#"{"a":{"b":1},"c":null}"#),
        ("{1: {true: [duration('1s')]}, 2u: b'a'}", r#"{"1":{"true":["1s"]},"2":"YQ=="}"#),
        ("[0.0 / 0.0, 1.0 / 0.0]", "[null,null]"),
        ("-0.0", "-0.0"),
        ("1.0", "1.0"),
    ]);
}

#[test]
fn timestamps_are_read_and_written() {
    gives(&[
        ("string(timestamp('2009-02-13T23:31:30+01:00'))", r#""2009-02-13T22:31:30Z""#),
        ("string(timestamp('0001-01-01T00:00:00Z'))", r#""0001-01-01T00:00:00Z""#),
        (
            "string(timestamp('9999-12-31T23:59:59.999999999Z'))",
            r#""9999-12-31T23:59:59.999999999Z""#,
        ),
        ("timestamp(timestamp(1234567890))", r#""2009-02-13T23:31:30Z""#),
        (
            "timestamp('2009-02-13T23:31:30.12345678999999999999Z')",
            r#""2009-02-13T23:31:30.123456789Z""#,
        ),
        ("timestamp(-1)", r#""1969-12-31T23:59:59Z""#),
        ("timestamp('2024-02-29T00:00:00Z') - timestamp('2024-02-28T00:00:00Z')", r#""86400s""#),
        (
            "timestamp('2009-02-13T23:00:00Z') - duration('600s') == timestamp('2009-02-13T22:50:00Z')",
            "true",
        ),
        ("duration('1s') + timestamp(0) == timestamp(0) + duration('1s')", "true"),
        ("timestamp('2009-02-13T23:31:30.000000001Z') > timestamp('2009-02-13T23:31:30Z')", "true"),
        (
            "timestamp('2009-02-13T23:31:30+00:00') == timestamp('2009-02-14T00:31:30+01:00')",
            "true",
        ),
    ]);
    fails(&[
        "timestamp('0000-12-31T23:59:59Z')",
        "timestamp('10000-01-01T00:00:00Z')",
        "timestamp('2009-02-13')",
        "timestamp('2009-02-13T23:31:30')",
        "timestamp('2009-02-13 23:31:30Z')",
        "timestamp('2009-02-30T00:00:00Z')",
        "timestamp('2009-13-01T00:00:00Z')",
        "timestamp('2009-02-13T24:00:00Z')",
        "timestamp('2009-02-13T23:60:00Z')",
        "timestamp('2009-02-13T23:31:30.Z')",
        "timestamp('')",
        "timestamp(253402300800)",
        "timestamp(-62135596801)",
        "timestamp('0001-01-01T00:00:00+01:00')",
        "timestamp(dyn(1.5))",
        "timestamp(0) + timestamp(0)",
        "duration('1s') - timestamp(0)",
        "timestamp('9999-12-31T23:59:59Z') + duration('1s')",
        "timestamp('0001-01-01T00:00:00Z') - duration('1ns')",
        "timestamp('9999-12-31T23:59:59Z') - timestamp('0001-01-01T00:00:00Z')",
    ]);
}

#[test]
fn durations_are_read_and_written() {
    gives(&[
        ("duration('1h2m3s4ms5us6ns') == duration('3723.004005006s')", "true"),
        ("duration('-1.5h') == duration('-90m') && duration('+1s') == duration('1s')", "true"),
        (
            "duration('0') == duration('0s') && duration('.5s') == duration('500ms') && duration('1.s') == duration('1s')",
            "true",
        ),
        ("duration('1µs') == duration('1us') && duration('1μs') == duration('1000ns')", "true"),
        ("duration('0.3333333333333333333h') == duration('20m')", "true"),
        ("string(duration('9223372036s'))", r#""9223372036s""#),
        (
            "[string(duration('1.123456789s')), string(duration('-0.5s')), string(duration('1000000s'))]",
            r#"["1.123456789s","-0.5s","1000000s"]"#,
        ),
        ("duration(duration('1s')) == duration('1s') && duration('1s') < duration('1.1s')", "true"),
        ("-duration('1s') == duration('-1s')", "true"),
        ("duration('-9223372036854775808ns') < duration('0s')", "true"),
        (
            "[duration('10000s').getHours(), duration('3730s').getMinutes(), duration('-90s').getSeconds()]",
            "[2,62,-90]",
        ),
    ]);
    fails(&[
        "duration('')",
        "duration('1')",
        "duration('s')",
        "duration('.s')",
        "duration('1 s')",
        "duration('1d')",
        "duration('1w')",
        "duration('--1s')",
        "duration('1.2.3s')",
        "duration('1.123456789.s')",
        "duration('9223372037s')",
        "duration('-9223372037s')",
        "duration('200000000000s')",
        "duration('9223372036s') + duration('1s')",
        "-duration('-9223372036854775808ns')",
        "duration('1s') * 2",
        "duration('1s') / duration('1s')",
        "duration('1s').getFullYear()",
        "duration('1s').getHours('UTC')",
    ]);
}

#[test]
fn times_are_taken_apart_in_any_zone() {
    gives(&[
        (
            "[timestamp('2009-02-13T23:31:30.123456789Z')].map(t, [t.getFullYear(), t.getMonth(), t.getDate(), t.getDayOfMonth(), t.getDayOfWeek(), t.getDayOfYear(), t.getHours(), t.getMinutes(), t.getSeconds(), t.getMilliseconds()])[0]",
            "[2009,1,13,12,5,43,23,31,30,123]",
        ),
        (
            "['+11:00', '11:00', 'Australia/Sydney', 'America/New_York', '-02:30', '-00:00', 'UTC', ''].map(z, timestamp('2009-02-13T23:31:30Z').getHours(z))",
            "[10,10,10,18,21,23,23,23]",
        ),
        ("timestamp('2009-02-13T02:00:00Z').getDayOfMonth('America/St_Johns')", "11"),
        ("timestamp('2009-02-13T23:31:30Z').getMinutes('Asia/Kathmandu')", "16"),
        ("timestamp('2024-12-31T12:00:00Z').getDayOfYear()", "365"),
        ("timestamp('1969-12-31T23:59:59.5Z').getSeconds()", "59"),
        ("timestamp('2026-07-01T12:00:00Z').getHours('Europe/Berlin')", "14"),
        ("timestamp('2026-01-01T12:00:00Z').getHours('Europe/Berlin')", "13"),
        ("timestamp('2026-01-01T12:00:00Z').getHours('-9:30')", "2"),
    ]);
    fails(&[
        "timestamp(0).getHours('Mars/Olympus')",
        "timestamp(0).getHours('+1')",
        "timestamp(0).getHours('+99:00')",
        "timestamp(0).getHours('+é:00')",
        "timestamp(0).getHours(dyn(1))",
        "timestamp(0).getEpoch()",
        "'a'.getHours()",
    ]);
}

/// A text, and a pattern that matches in it.
const MATCHING: &[(&str, &str)] = &[
    ("hubba", "ub"),
    ("", ""),
    ("mañana", "a+ñ+a+"),
    ("🐱😀😀", "(a|😀){2}"),
    ("aBc", "(?i)ABC"),
    ("a\nb", "(?m)^b$"),
    ("a\nb", "(?s)a.b"),
    ("a{b", "a{b"),
    ("a{,2}", "^a{,2}$"),
    ("]", "^[]]$"),
    ("a]", "^a]$"),
    ("[", "^[[]$"),
    ("a&&b", "^[a-z&&]+$"),
    ("7", r"^[\d]$"),
    ("x", r"^[^\d]$"),
    ("x", r"^[\D]$"),
    ("-", r"^[a-]$"),
    ("A", r"^\x41\z"),
    ("A", r"^\x{41}$"),
    ("A", r"^\101$"),
    ("\0", r"^\0$"),
    ("a.b", r"^a\.b$"),
    ("a<b>", r"^a\<b\>$"),
    ("a.*b", r"^\Qa.*b\E$"),
    ("ab", r"\Qab"),
    ("é", r"^\pL$"),
    ("α", r"^\p{Greek}$"),
    ("a", r"^\p{^Greek}$"),
    ("a", r"^\P{Greek}$"),
    ("ab", r"a\Bb"),
    ("a b", r"a\b"),
    ("tel", "^[[:alpha:]]+$"),
    ("1", "^[[:^alpha:]]$"),
    ("aaa", "^(?P<name>a){3}$"),
    ("aaa", "^(?<name>a)+?$"),
    ("aaa", "(?U)a+"),
    ("a#b c", "^a#b c$"),
];

/// A text, and a pattern that does not match in it, though another dialect's might.
const OTHER: &[(&str, &str)] = &[
    ("٣", r"\d"),
    ("é", r"^\w$"),
    ("\u{a0}", r"\s"),
    ("\u{b}", r"\s"),
    ("é", r"\b"),
    ("a\nb", "a.b"),
    ("b\n", "b$"),
    ("a&b", "^[a-z&&]$"),
];

/// What RE2 refuses.
const REFUSED: &[&str] = &[
    "(",
    ")",
    "[",
    "[]",
    "[a",
    "a**",
    "a*{2}",
    "a??*",
    "*a",
    "+",
    r"\1",
    r"(a)\1",
    "(?=a)",
    "(?!a)",
    "(?<=a)",
    "(?x)a",
    "(?u)a",
    "(?P<a",
    r"\C",
    r"\Z",
    r"\é",
    r"\y",
    r"[\b]",
    r"[z-a]",
    r"[a-\d]",
    r"\pX",
    r"\p{No such}",
    r"\x4",
    r"\x{110000}",
    r"\u0041",
    "a{1001}",
    "a{2,1}",
    r"\",
    "[[:nope:]]",
    r"\p",
];

#[test]
fn patterns_mean_what_they_mean_in_re2() {
    for (cases, wanted) in [(MATCHING, true), (OTHER, false)] {
        for (subject, pattern) in cases {
            let source = format!("'''{subject}'''.matches(r'''{pattern}''')");
            assert_eq!(answer(&source), Ok(Value::Bool(wanted)), "{source}");
        }
    }
    for pattern in REFUSED {
        fails(&[
            &format!("'a'.matches(r'''{pattern}''')"),
            &format!("'a'.matches('' + r'''{pattern}''')"),
        ]);
    }
}
