//! What the house holds itself to, one rule a file: each finds everything it can, and says how to mend it.
//!
//! Keeps: a rule reads a `House` and changes nothing; whatever it needs of cargo is asked once, in `guests`.
//! Not here: formatting and lints (`rustfmt`, `clippy`).

pub mod arrows;
pub mod budget;
pub mod dead;
pub mod guests;
pub mod header;
pub mod links;
pub mod marks;
pub mod words;

use std::fmt;

use toml::Table;

use crate::generate;
use crate::house::House;

/// Where the numbers, names and words of the rules stand.
pub const CONFIG: &str = "xtask/tidy.toml";

/// One thing to mend.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Violation {
    /// Which file.
    pub path: String,
    /// Which line, from 1.
    pub line: usize,
    /// Which rule.
    pub rule: &'static str,
    /// What is wrong, and how to mend it.
    pub what: String,
}

impl Violation {
    /// Something to mend at a place.
    pub fn new(path: &str, line: usize, rule: &'static str, what: impl Into<String>) -> Self {
        Self { path: path.to_owned(), line, rule, what: what.into() }
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}: {}", self.path, self.line, self.rule, self.what)
    }
}

/// Everything there is to mend in a checkout, in order.
pub fn whole(house: &House) -> Result<Vec<Violation>, String> {
    let mut found = text(house)?;
    found.extend(guests::check(house, &house.toml(CONFIG)?, &guests::ask_cargo(house)?)?);
    found.sort();
    Ok(found)
}

/// Everything that can be seen in the files alone.
pub fn text(house: &House) -> Result<Vec<Violation>, String> {
    let config: Table = house.toml(CONFIG)?;
    let mut found = arrows::check(house)?;
    found.extend(budget::check(house, &config));
    found.extend(dead::check(house)?);
    found.extend(header::check(house));
    found.extend(links::check(house));
    found.extend(marks::check(house));
    found.extend(words::check(house, &config));
    found.extend(drift(house)?);
    found.sort();
    Ok(found)
}

/// Pages that are generated from text and do not say what would be written.
fn drift(house: &House) -> Result<Vec<Violation>, String> {
    let pages = generate::pages(house)?;
    let stale = pages.into_iter().filter(|page| house.text(&page.path) != page.text);
    let what = "is not what would be generated: run `cargo xt gen`";
    Ok(stale.map(|page| Violation::new(&page.path, 1, "drift", what)).collect())
}
