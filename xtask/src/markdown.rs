//! Reads Markdown just well enough: which links a page holds, which anchors it offers, where its generated blocks lie.
//!
//! Keeps: code, fenced or inline, holds no links.
//! Not here: whether a link leads anywhere (`tidy/links.rs`).

use std::collections::BTreeSet;

/// A link and the line it stands on, from 1.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    /// Where it leads, as written.
    pub target: String,
    /// Its line.
    pub line: usize,
}

/// Every inline link and image of a page.
pub fn links(text: &str) -> Vec<Link> {
    let mut found = Vec::new();
    for (line, prose) in prose_lines(text) {
        for (at, _) in prose.match_indices("](") {
            let rest = &prose[at + 2..];
            let Some(end) = rest.find(')') else { continue };
            let target = rest[..end].split_whitespace().next().unwrap_or_default();
            let target = target.trim_start_matches('<').trim_end_matches('>').to_owned();
            found.push(Link { target, line });
        }
    }
    found
}

/// The anchors of a page's headings, as the usual renderers name them.
pub fn anchors(text: &str) -> BTreeSet<String> {
    let headings = fenceless(text).filter_map(|(_, line)| {
        let title = line.trim_start_matches('#');
        (title.len() < line.len() && title.starts_with(' ')).then(|| anchor(title.trim()))
    });
    headings.collect()
}

fn anchor(title: &str) -> String {
    let kept = title.chars().filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'));
    kept.map(|c| if c == ' ' { '-' } else { c }).collect::<String>().to_lowercase()
}

/// Lines outside fences.
fn fenceless(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut fenced = false;
    text.lines().enumerate().filter_map(move |(n, line)| {
        let fence = line.trim_start().starts_with("```");
        fenced ^= fence;
        (!fenced && !fence).then_some((n + 1, line))
    })
}

/// Lines outside fences, their inline code blanked.
fn prose_lines(text: &str) -> impl Iterator<Item = (usize, String)> + '_ {
    fenceless(text).map(|(n, line)| {
        let parts = line.split('`').enumerate();
        (n, parts.map(|(i, part)| if i % 2 == 0 { part } else { "" }).collect())
    })
}

/// `text` with what stands in the block called `name` replaced; `None` if there is no such block.
pub fn with_block(text: &str, name: &str, body: &str) -> Option<String> {
    let open = format!("<!-- gen:{name} -->\n");
    let begin = text.find(&open)? + open.len();
    let end = begin + text[begin..].find("<!-- /gen -->")?;
    Some(format!("{}{body}{}", &text[..begin], &text[end..]))
}
