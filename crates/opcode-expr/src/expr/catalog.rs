//! What every function of Expr does, with an example.
//!
//! Keeps: one entry a function, in order of their names; the examples run as a test.
//! Not here: how arguments are checked (`functions.rs`).

use crate::catalog::FunctionDoc;

const fn doc(
    name: &'static str,
    signature: &'static str,
    meaning: &'static str,
    example: &'static str,
    result: &'static str,
) -> FunctionDoc {
    FunctionDoc { name, signature, meaning, example, result }
}

/// All functions.
pub(crate) const CATALOG: &[FunctionDoc] = &[
    doc("abs", "abs(number)", "The number without its sign.", "abs(-5)", "5"),
    doc(
        "all",
        "all(list, predicate)",
        "Whether the predicate holds for every item.",
        "all([1, 2, 3], # > 0)",
        "true",
    ),
    doc(
        "any",
        "any(list, predicate)",
        "Whether the predicate holds for some item.",
        "any([1, 2, 3], # > 2)",
        "true",
    ),
    doc("bitand", "bitand(int, int)", "The bits set in both.", "bitand(12, 10)", "8"),
    doc(
        "bitnand",
        "bitnand(int, int)",
        "The bits set in the first and not in the second.",
        "bitnand(12, 10)",
        "4",
    ),
    doc("bitnot", "bitnot(int)", "All bits turned over.", "bitnot(10)", "-11"),
    doc("bitor", "bitor(int, int)", "The bits set in either.", "bitor(12, 10)", "14"),
    doc("bitshl", "bitshl(int, count)", "The bits moved to the left.", "bitshl(45, 2)", "180"),
    doc(
        "bitshr",
        "bitshr(int, count)",
        "The bits moved to the right, the sign kept.",
        "bitshr(-8, 1)",
        "-4",
    ),
    doc(
        "bitushr",
        "bitushr(int, count)",
        "The bits moved to the right, zeros moved in.",
        "bitushr(-1, 60)",
        "15",
    ),
    doc("bitxor", "bitxor(int, int)", "The bits set in one of the two.", "bitxor(12, 10)", "6"),
    doc("ceil", "ceil(number)", "The least whole number that is no smaller.", "ceil(1.2)", "2"),
    doc(
        "concat",
        "concat(list, list, …)",
        "One list of all items.",
        "concat([1], [2, 3])",
        "[1,2,3]",
    ),
    doc(
        "count",
        "count(list [, predicate])",
        "How many items the predicate holds for; without one, how many are true.",
        "count([1, 2, 3], # > 1)",
        "2",
    ),
    doc(
        "date",
        "date([zone,] text [, layout [, zone name]])",
        "A time read from text, by a layout of Go or one of the usual forms.",
        "date(\"2026-08-14\").Year()",
        "2026",
    ),
    doc(
        "duration",
        "duration(text)",
        "A span of time, such as 1h30m or 250ms; in JSON its nanoseconds.",
        "duration(\"1m30s\").Seconds()",
        "90",
    ),
    doc(
        "filter",
        "filter(list, predicate)",
        "The items the predicate holds for.",
        "filter([1, 2, 3, 4], # % 2 == 0)",
        "[2,4]",
    ),
    doc(
        "find",
        "find(list, predicate)",
        "The first item the predicate holds for, or nil.",
        "find([1, 2, 3], # > 1)",
        "2",
    ),
    doc(
        "findIndex",
        "findIndex(list, predicate)",
        "Where the first such item stands, or nil.",
        "findIndex([1, 2, 3], # > 1)",
        "1",
    ),
    doc(
        "findLast",
        "findLast(list, predicate)",
        "The last item the predicate holds for, or nil.",
        "findLast([1, 2, 3], # > 1)",
        "3",
    ),
    doc(
        "findLastIndex",
        "findLastIndex(list, predicate)",
        "Where the last such item stands, or nil.",
        "findLastIndex([1, 2, 3], # > 1)",
        "2",
    ),
    doc("first", "first(list)", "The first item, or nil.", "first([1, 2, 3])", "1"),
    doc(
        "flatten",
        "flatten(list)",
        "The items of the lists in a list, however deep.",
        "flatten([1, [2, [3]]])",
        "[1,2,3]",
    ),
    doc("float", "float(value)", "A number or a text as a float.", "float(\"1.5\")", "1.5"),
    doc(
        "floor",
        "floor(number)",
        "The largest whole number that is no larger.",
        "floor(-1.2)",
        "-2",
    ),
    doc(
        "fromBase64",
        "fromBase64(text)",
        "The text that was written as base64.",
        "fromBase64(\"aGVsbG8=\")",
        "\"hello\"",
    ),
    doc(
        "fromJSON",
        "fromJSON(text)",
        "The value that a JSON text says.",
        "fromJSON(\"[1, true]\")",
        "[1,true]",
    ),
    doc(
        "fromPairs",
        "fromPairs(list)",
        "A map from pairs of a key and a value.",
        "fromPairs([[\"a\", 1], [\"b\", 2]])",
        "{\"a\":1,\"b\":2}",
    ),
    doc(
        "get",
        "get(list or map, key)",
        "The item or value there, or nil.",
        "get([1, 2], 5)",
        "null",
    ),
    doc(
        "groupBy",
        "groupBy(list, predicate)",
        "A map from what the predicate gives to the items it gives it for.",
        "groupBy([\"a\", \"b\", \"cc\"], len(#))",
        "{\"1\":[\"a\",\"b\"],\"2\":[\"cc\"]}",
    ),
    doc(
        "hasPrefix",
        "hasPrefix(text, part)",
        "Whether the text begins so.",
        "hasPrefix(\"hello\", \"he\")",
        "true",
    ),
    doc(
        "hasSuffix",
        "hasSuffix(text, part)",
        "Whether the text ends so.",
        "hasSuffix(\"hello\", \"lo\")",
        "true",
    ),
    doc(
        "indexOf",
        "indexOf(text, part)",
        "The byte where the part first stands, or -1.",
        "indexOf(\"banana\", \"an\")",
        "1",
    ),
    doc(
        "int",
        "int(value)",
        "A number without its fraction, or a text as a whole number.",
        "int(\"42\") + int(1.9)",
        "43",
    ),
    doc(
        "join",
        "join(list [, between])",
        "The texts of a list as one.",
        "join([\"a\", \"b\"], \"-\")",
        "\"a-b\"",
    ),
    doc("keys", "keys(map)", "The keys, in order.", "keys({b: 1, a: 2})", "[\"a\",\"b\"]"),
    doc("last", "last(list)", "The last item, or nil.", "last([1, 2, 3])", "3"),
    doc(
        "lastIndexOf",
        "lastIndexOf(text, part)",
        "The byte where the part last stands, or -1.",
        "lastIndexOf(\"banana\", \"an\")",
        "3",
    ),
    doc(
        "len",
        "len(text, list or map)",
        "How many letters, items or keys.",
        "len(\"häuser\")",
        "6",
    ),
    doc("lower", "lower(text)", "The text in small letters.", "lower(\"HeLLo\")", "\"hello\""),
    doc(
        "map",
        "map(list, predicate)",
        "What the predicate gives for every item.",
        "map([1, 2, 3], # * 2)",
        "[2,4,6]",
    ),
    doc("max", "max(numbers or lists, …)", "The largest number.", "max([1, 7], 5)", "7"),
    doc("mean", "mean(numbers or lists, …)", "The average.", "mean([1, 2, 6])", "3"),
    doc(
        "median",
        "median(numbers or lists, …)",
        "The number in the middle.",
        "median([5, 1, 3, 2])",
        "2.5",
    ),
    doc("min", "min(numbers or lists, …)", "The smallest number.", "min([4, 7], 5)", "4"),
    doc(
        "none",
        "none(list, predicate)",
        "Whether the predicate holds for no item.",
        "none([1, 2, 3], # > 5)",
        "true",
    ),
    doc(
        "now",
        "now([zone])",
        "The moment of the input that is being worked on.",
        "now() > date(\"2000-01-01\")",
        "true",
    ),
    doc(
        "one",
        "one(list, predicate)",
        "Whether the predicate holds for exactly one item.",
        "one([1, 2, 3], # > 2)",
        "true",
    ),
    doc(
        "reduce",
        "reduce(list, predicate [, start])",
        "One value from all items: `#acc` is the value so far, `#` the item.",
        "reduce([1, 2, 3], #acc + #, 10)",
        "16",
    ),
    doc(
        "repeat",
        "repeat(text, count)",
        "The text so many times.",
        "repeat(\"ab\", 3)",
        "\"ababab\"",
    ),
    doc(
        "replace",
        "replace(text, old, new [, count])",
        "The text with one part put for another.",
        "replace(\"banana\", \"a\", \"o\", 2)",
        "\"bonona\"",
    ),
    doc(
        "reverse",
        "reverse(list)",
        "The items from the last to the first.",
        "reverse([1, 2, 3])",
        "[3,2,1]",
    ),
    doc(
        "round",
        "round(number)",
        "The nearest whole number, halves away from zero.",
        "round(2.5)",
        "3",
    ),
    doc(
        "sort",
        "sort(list [, \"desc\"])",
        "The items in order.",
        "sort([3, 1, 2], \"desc\")",
        "[3,2,1]",
    ),
    doc(
        "sortBy",
        "sortBy(list, predicate [, \"desc\"])",
        "The items in the order of what the predicate gives.",
        "sortBy([\"ccc\", \"a\", \"bb\"], len(#))",
        "[\"a\",\"bb\",\"ccc\"]",
    ),
    doc(
        "split",
        "split(text, between [, count])",
        "The parts of a text.",
        "split(\"a,b,c\", \",\")",
        "[\"a\",\"b\",\"c\"]",
    ),
    doc(
        "splitAfter",
        "splitAfter(text, between [, count])",
        "The parts of a text, what stood between them kept.",
        "splitAfter(\"a,b\", \",\")",
        "[\"a,\",\"b\"]",
    ),
    doc(
        "string",
        "string(value)",
        "Any value as text.",
        "string([1, \"a\", nil])",
        "\"[1 a <nil>]\"",
    ),
    doc(
        "sum",
        "sum(list [, predicate])",
        "The items, or what the predicate gives for them, added up.",
        "sum([1, 2, 3], # * 10)",
        "60",
    ),
    doc("take", "take(list, count)", "The first so many items.", "take([1, 2, 3], 2)", "[1,2]"),
    doc(
        "timezone",
        "timezone(name)",
        "A zone, for now, date and .In.",
        "date(\"2026-07-01T00:00:00Z\").In(timezone(\"Europe/Zurich\")).Hour()",
        "2",
    ),
    doc("toBase64", "toBase64(text)", "The text as base64.", "toBase64(\"hello\")", "\"aGVsbG8=\""),
    doc(
        "toJSON",
        "toJSON(value)",
        "The value as JSON text, indented.",
        "toJSON({a: 1})",
        "\"{\\n  \\\"a\\\": 1\\n}\"",
    ),
    doc(
        "toPairs",
        "toPairs(map)",
        "The pairs of keys and values, in order.",
        "toPairs({a: 1, b: 2})",
        "[[\"a\",1],[\"b\",2]]",
    ),
    doc(
        "trim",
        "trim(text [, letters])",
        "The text without blanks, or these letters, around it.",
        "trim(\"__a__\", \"_\")",
        "\"a\"",
    ),
    doc(
        "trimPrefix",
        "trimPrefix(text, part)",
        "The text without this beginning.",
        "trimPrefix(\"hello\", \"he\")",
        "\"llo\"",
    ),
    doc(
        "trimSuffix",
        "trimSuffix(text, part)",
        "The text without this end.",
        "trimSuffix(\"hello\", \"lo\")",
        "\"hel\"",
    ),
    doc("type", "type(value)", "The name of the value's type.", "type(\"a\")", "\"string\""),
    doc("uniq", "uniq(list)", "The items, each once.", "uniq([1, 2, 1.0, 2])", "[1,2]"),
    doc("upper", "upper(text)", "The text in capital letters.", "upper(\"abc\")", "\"ABC\""),
    doc(
        "values",
        "values(map)",
        "The values, in the order of their keys.",
        "values({b: 1, a: 2})",
        "[2,1]",
    ),
];

#[cfg(test)]
mod tests {
    use opcode_model::{Object, Timestamp, Value};

    use super::*;
    use crate::{Language, Meter, ObjectScope, Program};

    #[test]
    fn every_function_has_an_example_that_runs() {
        let names: Vec<_> = CATALOG.iter().map(|doc| doc.name).collect();
        assert_eq!(names, super::super::functions::names());
        let nothing = Object::default();
        let scope = ObjectScope::new(&nothing, Timestamp(1_790_000_000_123));
        for doc in CATALOG {
            let program = Program::compile(Language::Expr, doc.example).unwrap();
            let value = program.evaluate(&scope, &mut Meter::default());
            assert_eq!(value, Ok(Value::from_json(doc.result).unwrap()), "{}", doc.example);
            assert!(doc.example.contains(doc.name) && doc.signature.starts_with(doc.name));
        }
    }
}
