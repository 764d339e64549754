//! Every Rust file opens with what it is for; a file of the product also says what it keeps or what is not in it.
//!
//! Keeps: a file too short to have an invariant need not name one.
//! Not here: whether the words are good (a reader sees that).

use crate::house::House;
use crate::tidy::Violation;

/// Up to so many lines a file may do with its purpose alone.
const SMALL_LINES: usize = 40;

/// Files without a purpose, or without an invariant.
pub fn check(house: &House) -> Vec<Violation> {
    let found = house.rust().filter_map(|(path, text)| {
        let header: Vec<&str> = text.lines().map_while(|line| line.strip_prefix("//!")).collect();
        let say = |what: &str| Some(Violation::new(path, 1, "header", what));
        let Some(purpose) = header.first() else {
            return say("begin with `//!` and a sentence of purpose");
        };
        if purpose.split_whitespace().count() < 3 {
            return say("say in a sentence what the file is for");
        }
        let promise = |line: &&str| line.contains("Keeps:") || line.contains("Not here:");
        let product = path.contains("/src/") && text.lines().count() > SMALL_LINES;
        if product && !header.iter().any(promise) {
            return say("say what it keeps (`Keeps:`) and what is not here (`Not here:`)");
        }
        None
    });
    found.collect()
}
