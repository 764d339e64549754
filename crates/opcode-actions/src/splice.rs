//! Data that would become part of a script: found where a definition puts it there, and rewritten to go in as data.
//!
//! Keeps: a rewritten script means the same for plain data, and for any other data runs nothing of it.
//! Not here: running scripts (`builtin/shell_exec.rs`).

use std::collections::BTreeSet;

use opcode_model::action::{Misfit, ParamProblem};
use opcode_model::problem::{Patch, pointer};
use opcode_model::{Object, Value};

/// Programs that take a script as an argument, and the letters of the flags before it.
const INTERPRETERS: [(&str, &str); 9] = [
    ("sh", "c"),
    ("bash", "c"),
    ("zsh", "c"),
    ("dash", "c"),
    ("python3", "c"),
    ("python", "c"),
    ("node", "ep"),
    ("perl", "eE"),
    ("ruby", "e"),
];
/// Programs that run what stands behind them.
const WRAPPERS: [&str; 10] =
    ["env", "sudo", "timeout", "nice", "nohup", "time", "xargs", "setsid", "stdbuf", "busybox"];
/// Letters of flags that take the word behind them: `-o pipefail`, `-W error`, `-r module`, `-I folder`.
const WITH_A_VALUE: &str = "oWXrI";
/// What a shell reads in its own way, so that quotes alone do not tell what a variable in it comes to.
const UNSURE: [&str; 20] = [
    "<<", "$'", "`", "$(", "((", "[[", "#", "eval", "trap", "let ", "for ", "case ", " -c", " -e",
    "ssh", "su ", "sudo", "xargs", "awk", "declare",
];
/// Those of them that read `"$NAME"` as a variable.
const SHELLS: [&str; 4] = ["sh", "bash", "zsh", "dash"];
/// Where a hole begins, and where it is taken as text.
const HOLE: &str = "${{";
const NO_HOLE: &str = "$${{";

/// The problem of a step's parameters, if data would become part of a script in them.
pub(crate) fn spliced(params: &Value) -> Option<ParamProblem> {
    let script = script(params)?;
    let (place, _) = script.texts.iter().find(|(_, text)| !holes(text).is_empty())?.clone();
    let (hint, fix) = match script.kind {
        Kind::Shell => cure(params, &script.texts),
        Kind::Other(name) => (other_hint(name), Vec::new()),
    };
    Some(ParamProblem {
        path: place,
        message: "what `${{ … }}` gives here becomes part of the script, and may run as code"
            .to_owned(),
        nearest: None,
        hint,
        kind: Misfit::Spliced,
        fix,
    })
}

/// A script as parameters have it.
struct Script<'a> {
    kind: Kind,
    /// Its texts, each with its place; a shell joins several.
    texts: Vec<(String, &'a str)>,
}

#[derive(Clone, Copy)]
enum Kind {
    Shell,
    Other(&'static str),
}

fn script(params: &Value) -> Option<Script<'_>> {
    let command = params.find("command")?.as_str()?;
    let args = params.find("args").and_then(Value::as_list).unwrap_or_default();
    let arg = |at: usize| Some((format!("/args/{at}"), args.get(at)?.as_str()?));
    if params.find("shell").and_then(Value::as_bool) == Some(true) {
        let mut texts = vec![("/command".to_owned(), command)];
        texts.extend((0..args.len()).filter_map(arg));
        return Some(Script { kind: Kind::Shell, texts });
    }
    let mut words = (0..args.len()).filter_map(arg);
    let mut found = interpreter(command);
    if found.is_none() && WRAPPERS.contains(&base(command)) {
        found = words.by_ref().find_map(|(_, word)| interpreter(word));
    }
    let (name, letters) = found?;
    let texts = scripts(words, letters);
    let kind = if SHELLS.contains(&name) { Kind::Shell } else { Kind::Other(name) };
    (!texts.is_empty()).then_some(Script { kind, texts })
}

fn base(command: &str) -> &str {
    let base = command.rsplit('/').next().unwrap_or_default();
    // `python3.12` is one, too.
    base.split_once('.').map_or(base, |(name, _)| name)
}

fn interpreter(command: &str) -> Option<(&'static str, &'static str)> {
    INTERPRETERS.into_iter().find(|(known, _)| *known == base(command))
}

/// The scripts among an interpreter's arguments: those behind their flag, or grown together with it. Behind the first
/// word that is no flag, arguments are the script's own.
fn scripts<'a>(
    mut words: impl Iterator<Item = (String, &'a str)>,
    letters: &str,
) -> Vec<(String, &'a str)> {
    let mut found = Vec::new();
    while let Some((place, word)) = words.next() {
        let Some(flag) = word.strip_prefix(['-', '+']).filter(|flag| !flag.is_empty()) else {
            break;
        };
        let is_script = match flag.strip_prefix('-') {
            Some(long) => matches!(long, "eval" | "print"),
            None => flag.ends_with(|last| letters.contains(last)),
        };
        if is_script {
            found.extend(words.next());
        } else if flag.starts_with(|first| letters.contains(first)) {
            found.push((place, word));
        } else if !flag.starts_with('-') && flag.ends_with(|last| WITH_A_VALUE.contains(last)) {
            words.next();
        }
    }
    found
}

fn other_hint(name: &str) -> String {
    let read = match name {
        "node" => "process.env.X",
        "perl" => "$ENV{X}",
        "ruby" => "ENV[\"X\"]",
        _ => "os.environ[\"X\"]",
    };
    format!(
        "give it in `env`, such as {{\"X\": \"${{{{ inputs.x }}}}\"}}, and read {read} in the script; or give it in `stdin`"
    )
}

/// Where the holes of a text begin and end.
fn holes(text: &str) -> Vec<(usize, usize)> {
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(next) = text[at..].find(HOLE).map(|next| at + next) {
        let is_text = text[..next].ends_with('$') && text[..next + HOLE.len()].ends_with(NO_HOLE);
        let end = text[next..].find("}}").map(|end| next + end + 2);
        match end {
            Some(end) if !is_text => {
                found.push((next, end));
                at = end;
            }
            Some(_) | None => at = next + HOLE.len(),
        }
    }
    found
}

/// What to do about it; as a change that a machine can make, where one is sure to mean the same.
fn cure(params: &Value, texts: &[(String, &str)]) -> (String, Vec<Patch>) {
    let in_env =
        "give it in `env`, such as {\"X\": \"${{ inputs.x }}\"}, and write \"$X\" in the script"
            .to_owned();
    if let [(place, text)] = texts
        && holes(text) == [(0, text.len())]
    {
        let hint = "a script from elsewhere goes in as `stdin` of `sh -s`".to_owned();
        return (hint, as_stdin(params, place, text));
    }
    let mut env = Env::over(params);
    let mut fix = Vec::new();
    for (place, text) in texts.iter().filter(|(_, text)| !holes(text).is_empty()) {
        let Some(text) = rewritten(text, &mut env) else { return (in_env, Vec::new()) };
        fix.push(Patch { op: "replace", path: place.clone(), value: Some(text.into()) });
    }
    let op = if params.find("env").is_some() { "replace" } else { "add" };
    fix.push(Patch { op, path: "/env".to_owned(), value: Some(Value::Object(env.object)) });
    (in_env, fix)
}

fn as_stdin(params: &Value, place: &str, text: &str) -> Vec<Patch> {
    if params.find("stdin").is_some() || place != "/command" {
        return Vec::new();
    }
    let set = |name: &str, value: Value| {
        let op = if params.find(name).is_some() { "replace" } else { "add" };
        Patch { op, path: pointer("", name), value: Some(value) }
    };
    vec![
        set("command", "/bin/sh".into()),
        set("args", Value::list([Value::from("-s")])),
        set("stdin", text.into()),
        set("shell", false.into()),
    ]
}

/// The variables of a step, with those that take the place of holes.
struct Env {
    object: Object,
    names: BTreeSet<String>,
}

impl Env {
    fn over(params: &Value) -> Self {
        let object = params.find("env").and_then(Value::as_object).cloned().unwrap_or_default();
        let names = object.keys().map(ToString::to_string).collect();
        Self { object, names }
    }

    /// The variable that has what a hole gives.
    fn name(&mut self, hole: &str) -> String {
        let is_name = |name: &str| {
            let is_fit = |c: char| c.is_ascii_alphanumeric() || c == '_';
            !name.starts_with(|c: char| c.is_ascii_digit()) && name.chars().all(is_fit)
        };
        let given = self.object.iter();
        let given = given.filter(|(name, _)| is_name(name));
        if let Some((name, _)) = given.clone().find(|(_, value)| value.as_str() == Some(hole)) {
            return name.to_string();
        }
        let inner = hole.trim_start_matches(HOLE).trim_end_matches("}}").trim();
        let word = |c: char| c.is_ascii_alphanumeric() || c == '_';
        let last = inner.rsplit(|c| !word(c)).find(|part| !part.is_empty()).unwrap_or("VALUE");
        let short: String = last.chars().take(32).collect();
        let stem = format!("ARG_{}", short.to_uppercase());
        let fresh = (1..).map(|n| if n == 1 { stem.clone() } else { format!("{stem}_{n}") });
        let name = fresh.into_iter().find(|name| !self.names.contains(name)).unwrap_or(stem);
        self.names.insert(name.clone());
        self.object = self.object.with(&name, hole.into());
        name
    }
}

/// Where in a shell's quotes a place of a text is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Quotes {
    None,
    Single,
    Double,
}

/// The text with a variable for each hole. `None` where quotes alone do not tell what would be read.
fn rewritten(text: &str, env: &mut Env) -> Option<String> {
    let (mut told, mut quotes, mut at) = (String::new(), Quotes::None, 0);
    if UNSURE.iter().any(|unsure| text.contains(unsure)) {
        return None;
    }
    for (from, to) in holes(text) {
        quotes = after(&text[at..from], quotes);
        told += &text[at..from];
        let name = env.name(&text[from..to]);
        told += &match quotes {
            Quotes::None => format!("\"${{{name}}}\""),
            Quotes::Double => format!("${{{name}}}"),
            Quotes::Single => format!("'\"${{{name}}}\"'"),
        };
        at = to;
    }
    told += &text[at..];
    (after(&text[at..], quotes) == Quotes::None).then_some(told)
}

/// In which quotes a text ends that began in some.
fn after(text: &str, mut quotes: Quotes) -> Quotes {
    let mut letters = text.chars();
    while let Some(letter) = letters.next() {
        quotes = match (quotes, letter) {
            (Quotes::None | Quotes::Double, '\\') => {
                letters.next();
                quotes
            }
            (Quotes::None, '\'') => Quotes::Single,
            (Quotes::None, '"') => Quotes::Double,
            (Quotes::Single, '\'') | (Quotes::Double, '"') => Quotes::None,
            (_, _) => quotes,
        };
    }
    quotes
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(params: &str) -> Option<ParamProblem> {
        spliced(&Value::from_json(params).unwrap())
    }

    #[test]
    fn a_script_is_found_wherever_it_stands() {
        for params in [
            r#"{"command":"echo ${{inputs.x}}","shell":true}"#,
            r#"{"command":"echo","args":["${{inputs.x}}"],"shell":true}"#,
            r#"{"command":"sh","args":["-c","echo ${{inputs.x}}"]}"#,
            r#"{"command":"/bin/bash","args":["-euo","pipefail","-c","echo ${{inputs.x}}"]}"#,
            r#"{"command":"bash","args":["-lc","echo ${{inputs.x}}"]}"#,
            r#"{"command":"python3.12","args":["-c","print('${{inputs.x}}')"]}"#,
            r#"{"command":"node","args":["--eval","f(${{inputs.x}})"]}"#,
            r#"{"command":"perl","args":["-ne","print ${{inputs.x}}"]}"#,
            r#"{"command":"python3","args":["-cprint(${{inputs.x}})"]}"#,
            r#"{"command":"perl","args":["-e","1","-e","print ${{inputs.x}}"]}"#,
            r#"{"command":"env","args":["A=1","bash","-c","echo ${{inputs.x}}"]}"#,
            r#"{"command":"timeout","args":["5","sh","-c","echo ${{inputs.x}}"]}"#,
            r#"{"command":"ruby","args":["-e","p ${{inputs.x}}"]}"#,
        ] {
            assert_eq!(
                found(params).map(|problem| problem.kind),
                Some(Misfit::Spliced),
                "{params}"
            );
        }
        for params in [
            r#"{"command":"echo","args":["${{inputs.x}}"]}"#,
            r#"{"command":"sh","args":["-c","echo \"$1\"","sh","${{inputs.x}}"]}"#,
            r#"{"command":"python3","args":["script.py","${{inputs.x}}"]}"#,
            r#"{"command":"python3","args":["tool.py","-c","${{inputs.x}}"]}"#,
            r#"{"command":"node","args":["app.js","-p","${{inputs.x}}"]}"#,
            r#"{"command":"bash","args":["deploy.sh","-c","cluster ${{inputs.x}}"]}"#,
            r#"{"command":"echo $${{no hole}}","shell":true}"#,
            r#"{"command":"${{inputs.program}}","args":["-c","${{inputs.x}}"]}"#,
        ] {
            assert_eq!(found(params), None, "{params}");
        }
    }

    #[test]
    fn a_rewritten_script_has_variables_for_holes_in_the_quotes_they_stood_in() {
        let params = r#"{"command":"a ${{inputs.x}} \"b ${{steps.s.name}}\" 'c ${{inputs.x}}'","shell":true,"env":{"ARG_NAME":"taken"}}"#;
        let fix = found(params).unwrap().fix;
        let text = |patch: &Patch| patch.value.as_ref().unwrap().to_json();
        assert_eq!(text(&fix[0]), r#""a \"${ARG_X}\" \"b ${ARG_NAME_2}\" 'c '\"${ARG_X}\"''""#);
        let env =
            r#"{"ARG_NAME":"taken","ARG_NAME_2":"${{steps.s.name}}","ARG_X":"${{inputs.x}}"}"#;
        assert_eq!((fix[1].op, text(&fix[1]).as_str()), ("replace", env));
        for unsure in
            ["cat <<EOF\\n${{inputs.x}}\\nEOF", "echo `x` ${{inputs.x}}", "echo ' ${{inputs.x}}"]
        {
            let params = format!(r#"{{"command":"{unsure}","shell":true}}"#);
            assert!(found(&params).unwrap().fix.is_empty(), "{unsure}");
        }
    }

    #[test]
    fn a_script_from_elsewhere_goes_in_as_standard_input() {
        let fix = found(r#"{"command":"${{inputs.script}}","shell":true}"#).unwrap().fix;
        let changes: Vec<_> = fix.iter().map(|patch| (patch.op, patch.path.as_str())).collect();
        let changed =
            [("replace", "/command"), ("add", "/args"), ("add", "/stdin"), ("replace", "/shell")];
        assert_eq!(changes, changed);
    }
}
