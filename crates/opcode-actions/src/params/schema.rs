//! An action's parameters as JSON Schema, and what does not fit it, in words.
//!
//! Keeps: unknown parameters warn, wrong types are errors, `null` is absent, and what contains `${{` is not judged.
//! Not here: general JSON Schema (`assert.schema` has a guest for that); this knows just what `schemars` says of our types.

use opcode_model::Value;
use opcode_model::action::{Misfit, ParamProblem};
use opcode_model::problem::{nearest, pointer};
use opcode_model::time::parse_duration;
use schemars::JsonSchema;
use schemars::generate::SchemaSettings;
use serde_json::Value as Json;

/// The schema of one action's parameters.
pub(crate) struct Schema {
    json: Json,
}

impl Schema {
    /// Of a type.
    pub(crate) fn of<P: JsonSchema>() -> Self {
        let settings = SchemaSettings::draft2020_12().with(|settings| {
            settings.inline_subschemas = true;
            settings.meta_schema = None;
        });
        let mut json = settings.into_generator().into_root_schema_for::<P>().to_value();
        tidy(&mut json, true);
        Self { json }
    }

    /// As JSON.
    pub(crate) fn json(&self) -> &Json {
        &self.json
    }

    /// The parameters that must be there.
    pub(crate) fn required(&self) -> impl Iterator<Item = &str> {
        texts(&self.json["required"])
    }

    /// What is wrong with parameters as they stand in a definition.
    pub(crate) fn check(&self, params: &Value) -> Vec<ParamProblem> {
        Walker { lenient: true, found: Vec::new() }.outermost(&self.json, params)
    }

    /// What is wrong with parameters that are about to be used.
    pub(crate) fn problems(&self, params: &Value) -> Vec<ParamProblem> {
        Walker { lenient: false, found: Vec::new() }.outermost(&self.json, params)
    }
}

/// Takes away what readers need not see: titles, and `null` as a type, for that is the same as absent.
fn tidy(json: &mut Json, is_schema: bool) {
    match json {
        Json::Object(map) => {
            if is_schema {
                map.remove("title");
                map.remove("writeOnly");
                if map.get("type").is_some_and(names_integer) {
                    map.remove("format");
                }
                if let Some(Json::Array(types)) = map.get_mut("type") {
                    types.retain(|name| name != "null");
                    if let [only] = types.as_slice() {
                        let only = only.clone();
                        map.insert("type".to_owned(), only);
                    }
                }
                if let Some(Json::Array(options)) = map.get_mut("anyOf") {
                    options.retain(|option| option["type"] != "null");
                    if let [Json::Object(only)] = options.as_slice() {
                        let only = only.clone();
                        map.remove("anyOf");
                        for (key, value) in only {
                            map.entry(key).or_insert(value);
                        }
                    }
                }
                if map.get("default").is_some_and(Json::is_null) {
                    map.remove("default");
                }
            }
            for (key, child) in map.iter_mut() {
                let data = matches!(key.as_str(), "default" | "const" | "enum" | "required");
                if !data {
                    tidy(child, !is_schema || key != "properties");
                }
            }
        }
        Json::Array(items) => items.iter_mut().for_each(|item| tidy(item, true)),
        Json::Null | Json::Bool(_) | Json::Number(_) | Json::String(_) => {}
    }
}

/// Whether a schema's `type` is that of whole numbers, whose width readers need not know.
fn names_integer(kind: &Json) -> bool {
    kind == "integer" || texts(kind).any(|name| name == "integer")
}

/// The texts of a JSON list.
fn texts(json: &Json) -> impl Iterator<Item = &str> {
    json.as_array().into_iter().flatten().filter_map(Json::as_str)
}

struct Walker {
    lenient: bool,
    found: Vec<ParamProblem>,
}

/// A place in the parameters: how machines and how people call it.
#[derive(Clone)]
struct Place {
    path: String,
    label: String,
}

impl Walker {
    fn outermost(mut self, schema: &Json, params: &Value) -> Vec<ParamProblem> {
        let place = Place { path: String::new(), label: String::new() };
        let templated = params.as_str().is_some_and(|text| text.contains("${{"));
        if params.is_null() {
            self.object(schema, &Value::object::<&str, Value>([]), &place);
        } else if params.as_object().is_some() {
            self.object(schema, params, &place);
        } else if !(self.lenient && templated) {
            let message = format!("params must be an object, got {}", params.kind());
            self.wrong(&place, message, "write {\"name\": value, …}".to_owned());
        }
        self.found
    }

    fn object(&mut self, schema: &Json, value: &Value, place: &Place) {
        let Some(object) = value.as_object() else { return };
        let known = schema["properties"].as_object();
        let is_outermost = place.label.is_empty();
        for name in texts(&schema["required"]) {
            let anything = known.is_some_and(|known| is_anything(&known[name]));
            if object.find(name).is_none_or(|value| value.is_null() && !anything) {
                let within = if place.label.is_empty() {
                    String::new()
                } else {
                    format!(" in '{}'", place.label)
                };
                let about = known.map_or(&Json::Null, |known| &known[name]);
                let message = format!("missing required param '{name}'{within}");
                self.wrong(place, message, format!("add `{name}`{}", meaning(about)));
            }
        }
        for (name, member) in object {
            let place = place.member(name);
            let others = &schema["additionalProperties"];
            match known.and_then(|known| known.get(name.as_ref())) {
                Some(expected) => self.value(expected, member, &place),
                None if others.is_object() => self.value(others, member, &place),
                None => match known {
                    Some(known) => self.unknown(&place, name, known.keys().map(String::as_str)),
                    // A type without members, not one that takes any.
                    None if schema["type"] == "object" && is_outermost => {
                        self.unknown(&place, name, std::iter::empty());
                    }
                    None => {}
                },
            }
        }
    }

    fn value(&mut self, schema: &Json, value: &Value, place: &Place) {
        let templated = value.as_str().is_some_and(|text| text.contains("${{"));
        if is_anything(schema) || value.is_null() || (self.lenient && templated) {
            return;
        }
        let names: Vec<&str> = names(schema).collect();
        if !names.is_empty() {
            if !value.as_str().is_some_and(|text| names.contains(&text)) {
                let list = names.join(", ");
                let message = format!("param '{}' must be one of {list}, got {value}", place.label);
                self.wrong(place, message, "write one of these words".to_owned());
                let meant = value.as_str().and_then(|text| nearest(text, names.iter().copied()));
                if let Some(last) = self.found.last_mut() {
                    last.nearest = meant.map(str::to_owned);
                }
            }
            return;
        }
        if let Some(wanted) = unfit(schema, value) {
            let (label, kind) = (&place.label, value.kind());
            let message = format!("param '{label}' must be {wanted}, got {kind}");
            self.wrong(place, message, format!("`{label}`{}", meaning(schema)));
        } else if let Some(why) = misformed(schema, value) {
            let message = format!("param '{}': {why}", place.label);
            self.wrong(place, message, format!("`{}`{}", place.label, meaning(schema)));
        } else {
            self.object(schema, value, place);
            for (at, item) in value.as_list().unwrap_or_default().iter().enumerate() {
                let (items, place) = (&schema["items"], place.member(&at.to_string()));
                if item.is_null() && !items.is_null() && !is_anything(items) {
                    let message = format!("param '{}' must not be null", place.label);
                    self.wrong(&place, message, "take it out of the list".to_owned());
                } else if !items.is_null() {
                    self.value(items, item, &place);
                }
            }
        }
    }

    fn unknown<'a>(&mut self, place: &Place, name: &str, known: impl Iterator<Item = &'a str>) {
        let known: Vec<&str> = known.collect();
        let nearest = nearest(name, known.iter().copied()).map(str::to_owned);
        let message = format!("unknown param '{}'", place.label);
        let hint = match known.as_slice() {
            [] => "it takes no params".to_owned(),
            known => format!("the params are {}", known.join(", ")),
        };
        let path = place.path.clone();
        self.found.push(ParamProblem {
            path,
            message,
            nearest,
            hint,
            kind: Misfit::Unread,
            fix: Vec::new(),
        });
    }

    fn wrong(&mut self, place: &Place, message: String, hint: String) {
        let path = place.path.clone();
        self.found.push(ParamProblem {
            path,
            message,
            nearest: None,
            hint,
            kind: Misfit::Wrong,
            fix: Vec::new(),
        });
    }
}

impl Place {
    fn member(&self, name: &str) -> Self {
        let path = pointer(&self.path, name);
        let label =
            if self.label.is_empty() { name.to_owned() } else { format!("{}.{name}", self.label) };
        Self { path, label }
    }
}

/// What a parameter is for, in its schema's words.
fn meaning(schema: &Json) -> String {
    let about = schema["description"].as_str().unwrap_or_default();
    let first = about.lines().next().unwrap_or_default().trim_end_matches('.');
    let example = match schema["format"].as_str() {
        Some("duration") => " (such as 30s)",
        Some("uri") => " (such as https://example.com/)",
        Some(_) | None => "",
    };
    let kind = match names(schema).next() {
        Some(_) => "one of its words".to_owned(),
        None => unfit(schema, &Value::Null).unwrap_or_else(|| "another value".to_owned()),
    };
    if first.is_empty() { format!(" is {kind}{example}") } else { format!(": {first}{example}") }
}

fn is_anything(schema: &Json) -> bool {
    schema["type"].is_null() && names(schema).next().is_none()
}

/// The texts an enumeration allows, if the schema is one.
fn names(schema: &Json) -> impl Iterator<Item = &str> {
    let described = schema["oneOf"].as_array().into_iter().flatten();
    texts(&schema["enum"]).chain(described.filter_map(|option| option["const"].as_str()))
}

/// What was wanted, if the value is of none of the schema's types.
fn unfit(schema: &Json, value: &Value) -> Option<String> {
    let types: Vec<&str> =
        schema["type"].as_str().into_iter().chain(texts(&schema["type"])).collect();
    let fits = types.iter().any(|name| match *name {
        "string" => matches!(value, Value::String(_) | Value::Bytes(_)),
        "number" => value.as_f64().is_some(),
        "integer" => {
            value.as_i64().is_some_and(|n| schema["minimum"].as_i64().is_none_or(|min| n >= min))
        }
        "boolean" => value.as_bool().is_some(),
        "array" => value.as_list().is_some(),
        "object" => value.as_object().is_some(),
        _ => true,
    });
    let wanted = || match types.as_slice() {
        ["string", "number", "boolean"] => "text".to_owned(),
        ["integer"] => "a whole number".to_owned(),
        ["array"] => "a list".to_owned(),
        ["boolean"] => "true or false".to_owned(),
        ["object"] => "an object".to_owned(),
        ["string"] if schema["format"] == "duration" => "a duration such as \"30s\"".to_owned(),
        ["string"] => "text".to_owned(),
        several => several.join(" or "),
    };
    (!fits).then(wanted)
}

/// Why text does not have the form the schema asks for.
fn misformed(schema: &Json, value: &Value) -> Option<String> {
    let (text, format) = (value.as_str()?, schema["format"].as_str()?);
    match format {
        "duration" => parse_duration(text).err().map(|error| error.to_string()),
        "regex" => {
            regex::Regex::new(text).err().map(|error| format!("invalid regex pattern: {error}"))
        }
        "uri" if !is_web(text) => Some(format!("invalid url {text:?}")),
        _ => None,
    }
}

/// Whether this is an absolute HTTP address.
fn is_web(text: &str) -> bool {
    reqwest::Url::parse(text)
        .is_ok_and(|url| matches!(url.scheme(), "http" | "https") && url.has_host())
}
