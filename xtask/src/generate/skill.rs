//! The skill's lists of actions and of error codes: the reference pages again, in fewer words.
//!
//! Keeps: each file begins with when to read it; an action that takes and gives what the one before does says only that.
//! Not here: the rest of the skill (a person writes it).

use crate::generate::{NOTICE, Page};

const ACTIONS: &str = "# Actions\n\n\
    Read this when you choose an action or write its `params`. Of the same: `opcode.query` with resource `actions` and a `name`.\n\n\
    After each name: what running it twice does outside. `pure`: nothing. `idempotent`: the same as once, so it runs again after a crash. \
    `unsafe`: it may happen twice; say `on_interrupted`. `*` marks what is needed. `→` lists the fields of the output, read as `steps.ID.FIELD`.\n";

const ERRORS: &str = "# Error codes\n\n\
    Read this when a call, a run or a step answers with a code.\n\n\
    A failed run has an outer code (`STEP_FAILED`, `NON_RETRYABLE`, `RETRY_EXHAUSTED`) and the real one in `error.details.cause.code`, if that is \
    there; `error.step_id` names the step. A refused call has `error.code`, `error.message`, `error.hint` and mostly `next`, the call that helps. \
    *Retried*: whether a step's `retry` tries again after it, unless `retry_on` says otherwise.\n\n\
    | Code | Retried | What happened | What to do |\n|---|---|---|---|\n";

/// Both pages, from the reference pages.
pub fn pages(actions: &str, errors: &str) -> Vec<Page> {
    let page = |name: &str, text: String| Page {
        path: format!("skills/opcode/references/{name}.md"),
        text: format!("{NOTICE}{text}"),
    };
    vec![page("actions", self::actions(actions)), page("errors", self::errors(errors))]
}

fn actions(reference: &str) -> String {
    let mut text = ACTIONS.to_owned();
    let (mut family, mut before) = ("", None);
    for section in reference.split("\n## ").skip(1) {
        let (name, body) = section.split_once('\n').unwrap_or((section, ""));
        let of = name.split('.').next().unwrap_or(name);
        if of != family {
            family = of;
            text += &format!("\n## {family}\n");
        }
        let effect =
            body.lines().find_map(|line| line.strip_prefix("Effect: ")).unwrap_or_default();
        let effect = effect.split(|c: char| !c.is_alphanumeric()).next().unwrap_or_default();
        text += &format!("\n**{name}** ({effect}) {}\n", body.trim().lines().next().unwrap_or(""));
        let shape = (table(body, "parameter"), table(body, "output"));
        match &before {
            Some((other, same)) if *same == shape && !shape.0.is_empty() => {
                text += &format!("Parameters and output as `{other}`.\n");
            }
            Some(_) | None => {
                text += &described(&shape.0, &shape.1);
                before = Some((name, shape));
            }
        }
    }
    text
}

fn described(params: &[Vec<&str>], outputs: &[Vec<&str>]) -> String {
    let mut text = String::from("\n");
    for param in params {
        if let [name, kind, needed, meaning, ..] = param.as_slice() {
            let star = if *needed == "yes" { "*" } else { "" };
            text += &format!("- {name}{star} ({kind}): {meaning}\n");
        }
    }
    if params.is_empty() {
        text += "- no parameters\n";
    }
    let output = |row: &Vec<&str>| match row.as_slice() {
        ["`…`", meaning, ..] => (*meaning).to_owned(),
        [name, ..] => (*name).to_owned(),
        [] => String::new(),
    };
    let fields = outputs.iter().map(output).collect::<Vec<_>>().join(", ");
    text + &format!("- → {}\n", if fields.is_empty() { "nothing" } else { &fields })
}

fn errors(reference: &str) -> String {
    let rows = table(reference, "Code");
    let row = |row: &Vec<&str>| match row.as_slice() {
        [code, _, retried, what, cure, ..] => format!("| {code} | {retried} | {what} | {cure} |\n"),
        _ => String::new(),
    };
    ERRORS.to_owned() + &rows.iter().map(row).collect::<String>()
}

/// The rows of the first table whose head begins with a word.
fn table<'a>(text: &'a str, head: &str) -> Vec<Vec<&'a str>> {
    let opening = format!("| {head}");
    let lines = text.lines().skip_while(|line| !line.starts_with(&opening)).skip(2);
    lines.take_while(|line| line.starts_with('|')).map(cells).collect()
}

/// The cells of a row; a bar behind a backslash is none.
fn cells(row: &str) -> Vec<&str> {
    let row = row.trim().trim_start_matches('|');
    let row = row.strip_suffix('|').unwrap_or(row);
    let (mut cells, mut start, mut escaped) = (Vec::new(), 0, false);
    for (at, c) in row.char_indices() {
        if c == '|' && !escaped {
            cells.push(row[start..at].trim());
            start = at + 1;
        }
        escaped = c == '\\' && !escaped;
    }
    cells.push(row[start..].trim());
    cells
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_action_like_the_one_before_says_only_that() {
        let table = "Gets.\n\nEffect: idempotent.\n\n| parameter | type | required | meaning |\n|---|---|---|---|\n\
            | `a` | `x \\| y` | yes | one |\n\n| output | meaning |\n|---|---|\n| `b` | two |\n";
        let page = actions(&format!(
            "# A\n\n## f.one\n\n{table}\n## f.two\n\n{table}\n## g.none\n\nDoes.\n\nEffect: pure.\n"
        ));
        let expected = "\n## f\n\n**f.one** (idempotent) Gets.\n\n- `a`* (`x \\| y`): one\n- → `b`\n\n\
            **f.two** (idempotent) Gets.\nParameters and output as `f.one`.\n\n## g\n\n**g.none** (pure) Does.\n\n\
            - no parameters\n- → nothing\n";
        assert_eq!(page.strip_prefix(ACTIONS), Some(expected), "{page}");
    }
}
