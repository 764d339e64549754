//! The functions that are not written in jq: a table of names, and what each needs.
//!
//! Keeps: a name and its number of arguments stand here once; names with `_` first are for the language's own definitions.
//! Not here: what they do (`text.rs`, `lists.rs`, `math.rs`, `formats.rs`, `dates.rs`, `pattern.rs`), functions of functions (`specials.rs`, `prelude.jq`).

use opcode_model::Value;

use super::context::Context;
use super::trouble::{Cause, Outcome, type_name};
use super::{dates, formats, lists, math, pattern, text};

type Run = fn(&mut Context<'_>, &Value, &[Value]) -> Outcome<Value>;

/// A function of values.
#[derive(Debug)]
pub(super) struct Native {
    pub(super) name: &'static str,
    pub(super) arity: usize,
    pub(super) run: Run,
    /// Whether it never looks at its input, which then is not built for it.
    pub(super) ignores_input: bool,
    /// Whether its answer may nest deeper than what it was given.
    pub(super) nests: bool,
}

const fn plain(name: &'static str, arity: usize, run: Run) -> Native {
    Native { name, arity, run, ignores_input: false, nests: false }
}

/// One that puts values into lists or objects.
const fn nesting(name: &'static str, arity: usize, run: Run) -> Native {
    Native { name, arity, run, ignores_input: false, nests: true }
}

const fn of_arguments(name: &'static str, arity: usize, run: Run) -> Native {
    Native { name, arity, run, ignores_input: true, nests: false }
}

/// The function of this name and number of arguments.
pub(super) fn find(name: &str, arity: usize) -> Option<&'static Native> {
    all().find(|native| native.name == name && native.arity == arity)
}

pub(super) fn all() -> impl Iterator<Item = &'static Native> {
    let tables: [&'static [Native]; 3] = [&GENERAL, &TEXT, &math::NATIVES];
    tables.into_iter().flatten()
}

static GENERAL: [Native; 47] = [
    plain("length", 0, lists::length),
    plain("keys", 0, lists::keys),
    plain("keys_unsorted", 0, lists::keys),
    plain("has", 1, lists::has),
    plain("contains", 1, lists::contains),
    plain("inside", 1, lists::inside),
    plain("add", 0, lists::add),
    plain("reverse", 0, lists::reverse),
    nesting("to_entries", 0, lists::to_entries),
    plain("from_entries", 0, lists::from_entries),
    plain("flatten", 0, lists::flatten),
    plain("flatten", 1, lists::flatten),
    plain("min", 0, |c, v, _| lists::extreme(c, "min", v, None)),
    plain("max", 0, |c, v, _| lists::extreme(c, "max", v, None)),
    plain("_min_by", 1, |c, v, a| lists::extreme(c, "min_by", v, a.first())),
    plain("_max_by", 1, |c, v, a| lists::extreme(c, "max_by", v, a.first())),
    plain("sort", 0, |c, v, _| lists::sort(c, "sort", v, None)),
    plain("_sort_by", 1, |c, v, a| lists::sort(c, "sort_by", v, a.first())),
    plain("unique", 0, |c, v, _| lists::unique(c, "unique", v, None)),
    plain("_unique_by", 1, |c, v, a| lists::unique(c, "unique_by", v, a.first())),
    nesting("_group_by", 1, |c, v, a| lists::group(c, v, a.first())),
    nesting("transpose", 0, lists::transpose),
    plain("bsearch", 1, lists::bsearch),
    plain("indices", 1, lists::indices),
    plain("index", 1, lists::index),
    plain("rindex", 1, lists::rindex),
    nesting("setpath", 2, lists::set_path),
    plain("delpaths", 1, lists::delete_paths),
    plain("_captures", 0, lists::captures),
    nesting("toarray", 0, |_, v, _| {
        Ok(if matches!(v, Value::List(_)) { v.clone() } else { Value::list([v.clone()]) })
    }),
    plain("type", 0, |_, v, _| Ok(Value::from(type_name(v)))),
    plain("error", 0, |_, v, _| Err(Box::new(Cause::Raised(v.clone())))),
    of_arguments("error", 1, |_, _, a| Err(Box::new(Cause::Raised(first(a))))),
    of_arguments("halt", 0, |_, _, _| Err(Box::new(Cause::Halt(None)))),
    plain("halt_error", 0, |_, v, _| halt_error(v)),
    plain("halt_error", 1, |_, v, a| match first(a) {
        Value::Int(_) | Value::Float(_) => halt_error(v),
        other => Err(Cause::apply("halt_error", &other)),
    }),
    of_arguments("now", 0, |c, _, _| {
        let seconds = c.now.0 as f64 / 1000.0;
        Ok(c.number(seconds))
    }),
    plain("mktime", 0, dates::mktime),
    plain("gmtime", 0, |c, v, _| dates::gmtime(c, "gmtime", v)),
    plain("localtime", 0, |c, v, _| dates::gmtime(c, "localtime", v)),
    plain("strftime", 1, |c, v, a| dates::strftime(c, "strftime", v, a)),
    plain("strflocaltime", 1, |c, v, a| dates::strftime(c, "strflocaltime", v, a)),
    plain("strptime", 1, dates::strptime),
    plain("debug", 0, |_, v, _| Ok(v.clone())),
    plain("stderr", 0, |_, v, _| Ok(v.clone())),
    of_arguments("have_literal_numbers", 0, |_, _, _| Ok(Value::Bool(true))),
    of_arguments("have_decnum", 0, |_, _, _| Ok(Value::Bool(false))),
];

static TEXT: [Native; 41] = [
    plain("utf8bytelength", 0, text::byte_length),
    plain("toboolean", 0, text::to_boolean),
    plain("tonumber", 0, text::to_number),
    plain("tostring", 0, text::to_string),
    plain("tojson", 0, text::to_json),
    plain("fromjson", 0, text::from_json),
    plain("explode", 0, text::explode),
    plain("implode", 0, text::implode),
    plain("ascii", 0, |c, v, _| text::implode(c, &Value::list([v.clone()]), &[])),
    plain("split", 1, text::split),
    plain("join", 1, text::join),
    plain("startswith", 1, text::starts_with),
    plain("endswith", 1, text::ends_with),
    plain("ltrimstr", 1, |_, v, a| text::trim_text("ltrimstr", v, a, (true, false))),
    plain("rtrimstr", 1, |_, v, a| text::trim_text("rtrimstr", v, a, (false, true))),
    plain("trimstr", 1, |_, v, a| text::trim_text("trimstr", v, a, (true, true))),
    plain("ltrim", 0, |_, v, _| text::trim("ltrim", v, (true, false))),
    plain("rtrim", 0, |_, v, _| text::trim("rtrim", v, (false, true))),
    plain("trim", 0, |_, v, _| text::trim("trim", v, (true, true))),
    plain("ascii_downcase", 0, |c, v, _| {
        text::map(c, "ascii_downcase", v, str::to_ascii_lowercase)
    }),
    plain("ascii_upcase", 0, |c, v, _| text::map(c, "ascii_upcase", v, str::to_ascii_uppercase)),
    plain("format", 1, formats::format),
    plain("_text", 0, text::to_string),
    plain("_json", 0, text::to_json),
    plain("_html", 0, formats::html),
    plain("_uri", 0, formats::uri),
    plain("_urid", 0, formats::urid),
    plain("_csv", 0, formats::csv),
    plain("_tsv", 0, formats::tsv),
    plain("_sh", 0, formats::sh),
    plain("_base64", 0, formats::base64),
    plain("_base64d", 0, formats::base64d),
    plain("_base32", 0, formats::base32),
    plain("_base32d", 0, formats::base32d),
    nesting("_match", 2, pattern::find),
    plain("test", 1, |c, v, a| pattern::test(c, v, &[first(a), Value::Null])),
    plain("_test", 2, pattern::test),
    nesting("_splice", 1, pattern::splice),
    plain("_split", 2, pattern::split),
    nesting("_scan", 2, pattern::scan),
    plain("getpath", 1, |c, v, a| c.get_path(v, &first(a))),
];

fn halt_error(value: &Value) -> Outcome<Value> {
    Err(Box::new(Cause::Halt(Some(value.clone()).filter(|value| !value.is_null()))))
}

/// The first argument.
pub(super) fn first(arguments: &[Value]) -> Value {
    arguments.first().cloned().unwrap_or_default()
}
