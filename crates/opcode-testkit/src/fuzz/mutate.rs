//! Mutation without instruments: the corpus first, then whatever chance makes of it, for a given time.
//!
//! Keeps: a failing input is printed, so that it can join the corpus.
//! Not here: coverage guidance (`cargo fuzz`, see `fuzz/README.md`).

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::time::{Duration, Instant};

/// Bytes an input may have.
const INPUT_BYTES_MAX: usize = 16 << 10;

/// Words that open doors single bytes seldom find.
const WORDS: &[&str] = &[
    "${{",
    "}}",
    "$${{",
    "steps",
    "inputs",
    "iter",
    "secrets.K",
    "\"",
    "\\",
    "{",
    "}",
    "[",
    "]",
    ":",
    ",",
    "null",
    "true",
    "-1",
    "1e999",
    "9223372036854775807",
    "18446744073709551615",
    "0x",
    ".",
    "['",
    "']",
    "(",
    ")",
    "&&",
    "||",
    "?",
    "has(",
    ".map(",
    ".filter(",
    ".all(",
    "\u{202e}",
    "\0",
    "\"id\":",
    "\"type\":\"loop\"",
    "\"depends_on\":[",
    "\"config\":{",
    "\"body\":[",
    "\"steps\":[",
];

/// Small and fast, and the same from the same seed: splitmix64 (Steele, Lea, Flood 2014).
struct Chance(u64);

impl Chance {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut word = self.0;
        word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        word ^ (word >> 31)
    }

    fn below(&mut self, limit: usize) -> usize {
        (self.next() % limit.max(1) as u64) as usize
    }
}

/// Feeds a target its corpus, then mutations of it, for `span`. Answers how many inputs it has seen.
///
/// # Panics
/// If the target does, with the input that made it; or if there is no corpus.
pub fn hammer(target: fn(&[u8]), corpus: &Path, span: Duration) -> u64 {
    let mut seeds = Vec::new();
    let files = std::fs::read_dir(corpus).unwrap_or_else(|cause| panic!("{corpus:?}: {cause}"));
    for file in files.flatten() {
        seeds.extend(std::fs::read(file.path()).ok());
    }
    assert!(!seeds.is_empty(), "{corpus:?} has no inputs");
    for seed in &seeds {
        feed(target, seed);
    }
    let mut chance = Chance(
        seeds
            .iter()
            .flatten()
            .fold(1_u64, |word, byte| word.wrapping_mul(31).wrapping_add(u64::from(*byte))),
    );
    let begun = Instant::now();
    let mut count = seeds.len() as u64;
    while begun.elapsed() < span {
        let input = mutated(&seeds, &mut chance);
        feed(target, &input);
        count += 1;
        if chance.below(200) == 0 && seeds.len() < 2_000 {
            seeds.push(input);
        }
    }
    count
}

fn feed(target: fn(&[u8]), input: &[u8]) {
    let begun = Instant::now();
    if catch_unwind(AssertUnwindSafe(|| target(input))).is_err() {
        panic!("this input breaks the target: {:?}", String::from_utf8_lossy(input));
    }
    assert!(
        begun.elapsed() < Duration::from_secs(10),
        "this input takes {:?}: {:?}",
        begun.elapsed(),
        String::from_utf8_lossy(input)
    );
}

fn mutated(seeds: &[Vec<u8>], chance: &mut Chance) -> Vec<u8> {
    let mut input = seeds[chance.below(seeds.len())].clone();
    for _ in 0..=chance.below(4) {
        let at = chance.below(input.len() + 1);
        match chance.below(6) {
            0 if at < input.len() => input[at] ^= 1 << chance.below(8),
            1 if at < input.len() => {
                let to = (at + 1 + chance.below(16)).min(input.len());
                input.drain(at..to);
            }
            2 => {
                let word = WORDS[chance.below(WORDS.len())].bytes();
                input.splice(at..at, word);
            }
            3 => {
                let other = &seeds[chance.below(seeds.len())];
                let from = chance.below(other.len() + 1);
                let to = (from + chance.below(64)).min(other.len());
                input.splice(at..at, other[from..to].iter().copied());
            }
            4 => {
                let to = (at + chance.below(64)).min(input.len());
                let piece = input[at..to].to_vec();
                let times = chance.below(8);
                input.splice(at..at, piece.repeat(times));
            }
            _ => input.insert(at, chance.next() as u8),
        }
    }
    input.truncate(INPUT_BYTES_MAX);
    input
}
