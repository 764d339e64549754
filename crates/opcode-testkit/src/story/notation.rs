//! The short way to write a definition in a story; a block that begins with `{` is JSON as it stands.
//!
//! ```text
//! timeout = 10s                                   a field of the definition
//! fetch: http.get {"url":"x"} retry.max=2         a step: id, action, params, fields by dotted path
//! save: noop after=fetch if="inputs.on"           after, if, on_error, fallback are short for longer names
//! each: loop .over="[1,2]"                        a leading dot means `config`
//!   h: echo {"i":"${{iter.index}}"}               the body of a loop stands below it
//! both: parallel .mode=race
//!   branch                                        the bodies of a parallel step
//!     x: noop
//! pick: condition .expression="inputs.m"
//!   case fast                                     the bodies of a condition
//!     y: noop
//!   default
//!     z: noop
//! hook on_error: noop                             a hook
//! ```
//!
//! Keeps: everything JSON can say can be said here, in the same words.
//! Not here: what any of it means (`opcode-engine`'s `plan`).

use opcode_model::Value;
use serde_json::{Map, Value as Json};

/// A line with its indent.
type Line<'a> = (usize, &'a str);

/// Reads a plan block.
///
/// # Errors
/// What could not be read, as a sentence.
pub(super) fn read(lines: &[&str]) -> Result<Value, String> {
    let text = lines.join("\n");
    if text.trim_start().starts_with(['{', '[', '"']) || lines.is_empty() {
        return Value::from_json(&text).map_err(|error| format!("the plan is not JSON: {error}"));
    }
    let lines: Vec<Line<'_>> = lines
        .iter()
        .filter(|line| !line.trim().is_empty())
        .map(|line| (line.len() - line.trim_start().len(), line.trim()))
        .collect();
    let mut definition = Map::new();
    let mut steps = Vec::new();
    for (line, below) in blocks(&lines) {
        if let Some(hook) = line.strip_prefix("hook ") {
            let mut step = step(hook, below)?;
            let name = step.remove("id").and_then(|id| id.as_str().map(str::to_owned));
            definition.insert(name.unwrap_or_default(), Json::Object(step));
        } else if let Some((field, value)) = line.split_once(" = ") {
            definition.insert(field.to_owned(), whole(value)?);
        } else {
            steps.push(Json::Object(step(line, below)?));
        }
    }
    definition.insert("steps".to_owned(), Json::Array(steps));
    Ok(Value::from_serde(&Json::Object(definition)))
}

/// Lines of the least indent, each with the deeper lines below it.
fn blocks<'a, 'b>(lines: &'b [Line<'a>]) -> Vec<(&'a str, &'b [Line<'a>])> {
    let mut blocks = Vec::new();
    let mut at = 0;
    while let Some((indent, line)) = lines.get(at).copied() {
        let below = &lines[at + 1..];
        let len = below.iter().take_while(|(deeper, _)| *deeper > indent).count();
        blocks.push((line, &below[..len]));
        at += 1 + len;
    }
    blocks
}

fn step(line: &str, below: &[Line<'_>]) -> Result<Map<String, Json>, String> {
    let (id, rest) = line.split_once(": ").ok_or_else(|| format!("`{line}` is no step"))?;
    let (kind, mut rest) = rest.split_once(' ').unwrap_or((rest, ""));
    let mut step = Map::new();
    step.insert("id".to_owned(), id.into());
    match kind {
        "condition" | "loop" | "parallel" | "wait" | "reasoning" => {
            step.insert("type".to_owned(), kind.into());
            step.insert("config".to_owned(), Json::Object(bodies(kind, below)?));
        }
        action => drop(step.insert("action".to_owned(), action.into())),
    }
    if rest.trim_start().starts_with('{') {
        let (params, left) = json(rest)?;
        step.insert("params".to_owned(), params);
        rest = left;
    }
    while !rest.trim().is_empty() {
        let (key, left) =
            rest.trim_start().split_once('=').ok_or_else(|| format!("`{rest}` has no `=`"))?;
        let (value, left) = value(left)?;
        set(&mut step, key, value);
        rest = left;
    }
    Ok(step)
}

/// Puts a field where its dotted path says.
fn set(step: &mut Map<String, Json>, key: &str, value: Json) {
    let path = match key {
        "after" => {
            let names = value.as_str().unwrap_or_default().split(',').filter(|n| !n.is_empty());
            let names = Json::Array(names.map(Json::from).collect());
            step.insert("depends_on".to_owned(), names);
            return;
        }
        "fallback" => {
            set(step, "on_error.strategy", "fallback_step".into());
            "on_error.fallback_step".to_owned()
        }
        "on_error" => "on_error.strategy".to_owned(),
        "if" => "condition".to_owned(),
        other => other.strip_prefix('.').map_or(other.to_owned(), |rest| format!("config.{rest}")),
    };
    match path.split_once('.') {
        None => drop(step.insert(path, value)),
        Some((outer, inner)) => {
            let inside = step.entry(outer).or_insert_with(|| Json::Object(Map::new()));
            if let Some(inside) = inside.as_object_mut() {
                inside.insert(inner.to_owned(), value);
            }
        }
    }
}

fn bodies(kind: &str, below: &[Line<'_>]) -> Result<Map<String, Json>, String> {
    let mut config = Map::new();
    let steps = |lines: &[Line<'_>]| -> Result<Json, String> {
        let steps = blocks(lines).into_iter().map(|(line, below)| step(line, below));
        Ok(Json::Array(steps.map(|step| step.map(Json::Object)).collect::<Result<_, _>>()?))
    };
    if kind == "loop" && !below.is_empty() {
        config.insert("body".to_owned(), steps(below)?);
        return Ok(config);
    }
    let (mut branches, mut cases) = (Vec::new(), Map::new());
    for (line, below) in blocks(below) {
        match line.split_once(' ') {
            None if line == "branch" => branches.push(steps(below)?),
            None if line == "default" => drop(config.insert("default".to_owned(), steps(below)?)),
            Some(("case", key)) => drop(cases.insert(key.to_owned(), steps(below)?)),
            _ => return Err(format!("`{line}` is neither `branch`, `case …` nor `default`")),
        }
    }
    if kind == "parallel" {
        config.insert("branches".to_owned(), Json::Array(branches));
    }
    if !cases.is_empty() {
        config.insert("branches".to_owned(), Json::Object(cases));
    }
    Ok(config)
}

/// A JSON value at the beginning of `text`, and what follows it.
pub(super) fn json(text: &str) -> Result<(Json, &str), String> {
    let mut stream = serde_json::Deserializer::from_str(text).into_iter::<Json>();
    match stream.next() {
        Some(Ok(value)) => Ok((value, &text[stream.byte_offset()..])),
        Some(Err(error)) => Err(format!("`{text}` is not JSON: {error}")),
        None => Err("JSON is missing".to_owned()),
    }
}

/// A JSON value, or a bare word up to the next space.
fn value(text: &str) -> Result<(Json, &str), String> {
    if text.starts_with(['{', '[', '"']) {
        return json(text);
    }
    let (word, rest) = text.split_once(' ').unwrap_or((text, ""));
    Ok((serde_json::from_str(word).unwrap_or_else(|_| word.into()), rest))
}

fn whole(text: &str) -> Result<Json, String> {
    if text.starts_with(['{', '[', '"']) {
        return json(text).map(|(value, _)| value);
    }
    Ok(serde_json::from_str(text).unwrap_or_else(|_| text.into()))
}
