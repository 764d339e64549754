//! Words that belong to one machine, or to the making of the house, and not to the house.
//!
//! Keeps: every text file is read, also data and scripts; only the list of the words itself may hold them.
//! Not here: the list (`tidy.toml`).

use toml::{Table, Value};

use crate::house::{House, strings, table};
use crate::rust::line_of;
use crate::tidy::{CONFIG, Violation};

const RULE: &str = "word";

/// Words that must not stand here.
pub fn check(house: &House, config: &Table) -> Vec<Violation> {
    let words = table(config, &["words"]);
    let roots = strings(words.and_then(|words| words.get("machine_roots")));
    let banned = words.and_then(|words| words.get("banned")).and_then(Value::as_array);
    let banned: Vec<(String, &str)> = banned
        .into_iter()
        .flatten()
        .filter_map(|word| {
            Some((word.get("text")?.as_str()?.to_lowercase(), word.get("why")?.as_str()?))
        })
        .collect();
    let mut found = Vec::new();
    for (path, text) in house.files.iter().filter(|(path, _)| path.as_str() != CONFIG) {
        for root in &roots {
            let places = machine_paths(text, root);
            found.extend(places.map(|at| {
                let what = format!("`/{root}/…` is one machine's path: use a relative one, or `~`");
                Violation::new(path, line_of(text, at), RULE, what)
            }));
        }
        let lower = text.to_ascii_lowercase();
        for (word, why) in &banned {
            found.extend(lower.match_indices(word.as_str()).map(|(at, _)| {
                Violation::new(path, line_of(text, at), RULE, format!("`{word}`: {why}"))
            }));
        }
    }
    found
}

/// Where absolute paths under `/root/` begin; `a/root/b` and `/root/*` are none.
fn machine_paths<'a>(text: &'a str, root: &str) -> impl Iterator<Item = usize> + 'a {
    let opening = format!("/{root}/");
    let places: Vec<usize> = text.match_indices(&opening).map(|(at, _)| at).collect();
    places.into_iter().filter(move |at| {
        let before = at.checked_sub(1).map(|n| text.as_bytes()[n]);
        let after = text.as_bytes().get(at + opening.len());
        let joined = |byte: u8| byte.is_ascii_alphanumeric() || b".~}*_-/".contains(&byte);
        !before.is_some_and(joined) && after.is_some_and(u8::is_ascii_alphanumeric)
    })
}
