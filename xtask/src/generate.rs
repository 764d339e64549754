//! Pages that are written from what they describe: reference tables from the source, action pages by the product itself.
//!
//! Keeps: the same checkout gives the same bytes; `check` writes nothing outside a folder of its own.
//! Not here: prose (a person writes it).

pub mod arrows;
pub mod errors;
pub mod events;
pub mod limits;
pub mod product;
pub mod skill;
pub mod source;

use std::fs;
use std::path::Path;

use crate::house::House;
use crate::say::talk;

/// Opens every generated page.
pub const NOTICE: &str = "<!-- Written by `cargo xt gen`; change its source instead. -->\n";

/// One page as it should be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page {
    /// Where it stands.
    pub path: String,
    /// What it says.
    pub text: String,
}

/// Every page that follows from text alone.
pub fn pages(house: &House) -> Result<Vec<Page>, String> {
    Ok(vec![arrows::page(house)?, errors::page(house)?, events::page(house)?, limits::page(house)?])
}

/// Writes every page.
pub fn write(house: &House) -> Result<(), String> {
    for page in stale(house, pages(house)?) {
        put(&house.root, &page)?;
    }
    let written = pages(house)?;
    let by_product = with_skill(&written, product::pages(house, &written)?);
    for page in stale(house, by_product) {
        put(&house.root, &page)?;
    }
    Ok(())
}

/// The product's own pages, and those that are made of them and ours.
fn with_skill(ours: &[Page], mut by_product: Vec<Page>) -> Vec<Page> {
    let text = |path: &str| {
        let page = ours.iter().chain(&by_product).find(|page| page.path == path);
        page.map_or("", |page| page.text.as_str())
    };
    let skill = skill::pages(text("docs/reference/actions.md"), text("docs/reference/errors.md"));
    by_product.extend(skill);
    by_product
}

/// Names every page that is not as it would be written.
pub fn check(house: &House) -> Result<(), String> {
    let written = pages(house)?;
    let by_product = product::pages(house, &written);
    let by_product = by_product.map(|pages| with_skill(&written, pages));
    let known = written.into_iter().chain(by_product.clone().unwrap_or_default());
    let stale = stale(house, known.collect());
    stale.iter().for_each(|page| talk(&format!("{}: is not what would be written", page.path)));
    by_product?;
    match stale.len() {
        0 => Ok(()),
        n => Err(format!("gen: {n} pages are out of step; run `cargo xt gen`")),
    }
}

fn stale(house: &House, pages: Vec<Page>) -> Vec<Page> {
    pages.into_iter().filter(|page| house.text(&page.path) != page.text).collect()
}

fn put(root: &Path, page: &Page) -> Result<(), String> {
    let path = root.join(&page.path);
    let written = path.parent().map_or(Ok(()), fs::create_dir_all);
    let written = written.and_then(|()| fs::write(&path, &page.text));
    written.map_err(|error| format!("could not write {}: {error}", page.path))?;
    talk(&format!("wrote {}", page.path));
    Ok(())
}
