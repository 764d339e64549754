//! Links of Markdown pages to files and headings of this checkout lead somewhere.
//!
//! Keeps: the network is not asked; an address of the web is somebody else's.
//! Not here: doc comments (`cargo doc` checks those).

use crate::house::House;
use crate::markdown;
use crate::tidy::Violation;
use crate::tidy::dead::resolve;

/// Links that lead nowhere.
pub fn check(house: &House) -> Vec<Violation> {
    let pages = house.files.iter().filter(|(path, _)| path.ends_with(".md"));
    let found = pages.flat_map(|(path, text)| {
        markdown::links(text).into_iter().filter_map(|link| {
            let what = dangling(house, path, text, &link.target)?;
            Some(Violation::new(path, link.line, "link", what))
        })
    });
    found.collect()
}

fn dangling(house: &House, page: &str, text: &str, target: &str) -> Option<String> {
    if target.contains("://") || target.starts_with("mailto:") {
        return None;
    }
    let (file, anchor) = target.split_once('#').unwrap_or((target, ""));
    let folder = page.rsplit_once('/').map_or("", |(folder, _)| folder);
    let path = match file.strip_prefix('/') {
        Some(file) => resolve("", file),
        None => resolve(folder, file),
    };
    if !file.is_empty() && !house.has(&path) {
        return Some(format!("`{target}` leads nowhere: there is no {path}"));
    }
    let there = if file.is_empty() { text } else { house.text(&path) };
    let known = anchor.is_empty()
        || !(file.is_empty() || path.ends_with(".md"))
        || markdown::anchors(there).contains(anchor);
    (!known).then(|| format!("`{target}` leads nowhere: there is no such heading"))
}
