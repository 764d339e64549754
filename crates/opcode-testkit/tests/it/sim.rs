//! The simulator in the ordinary test run: seeds hold, one seed is one world, every planted bug is found.
//!
//! Keeps: the seeds are named here; nothing is drawn at random.
//! Not here: long hunts (`cargo sim --runs N`).

use std::ops::RangeInclusive;

use opcode_testkit::sim::{self, MUTATIONS, Mutant};

/// Seeds of every test run.
const SEEDS: RangeInclusive<u64> = 1..=2_500;
/// Seeds within which a planted bug must be found.
const MUTANT_SEEDS: RangeInclusive<u64> = 1..=2_000;

/// Seeds that found a bug once.
fn old_friends() -> Vec<u64> {
    let lines = include_str!("../../sim-seeds.txt").lines();
    let seeds = lines.filter_map(|line| line.split('#').next()?.trim().parse().ok());
    seeds.collect()
}

#[test]
fn every_seed_holds() {
    let mut events = 0;
    for seed in SEEDS.chain(old_friends()) {
        match sim::live(seed, None) {
            Ok(lived) => events += lived.events,
            Err(_) => panic!("{}", sim::story(seed, None).unwrap_or_default()),
        }
    }
    eprintln!("seeds {SEEDS:?} hold: {events} events");
    assert!(events > 20 * SEEDS.count() as u64, "the worlds are not empty");
}

#[test]
fn one_seed_is_one_world() {
    for seed in 1..=150 {
        assert_eq!(sim::live(seed, None).ok(), sim::live(seed, None).ok(), "seed {seed}");
    }
}

#[test]
fn every_planted_bug_is_found() {
    let mut missed = Vec::new();
    for mutant in Mutant::ALL {
        let found = MUTANT_SEEDS.into_iter().find_map(|seed| {
            let violation = sim::live(seed, Some(*mutant)).err()?;
            Some((seed, violation))
        });
        match found {
            Some((seed, violation)) => {
                eprintln!("{:<22} seed {seed:>4}  {}", format!("{mutant:?}"), violation.rule);
            }
            None => missed.push(mutant),
        }
    }
    assert!(missed.is_empty(), "blind to {missed:?}");
}

/// The hunt itself is `cargo run -p opcode-testkit --bin sim_mutants`.
#[test]
fn every_bug_to_plant_still_has_its_place() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    for mutation in MUTATIONS {
        let text = std::fs::read_to_string(root.join(mutation.file)).unwrap_or_default();
        let found = text.matches(mutation.from).count();
        assert_eq!(found, 1, "{}: `{}` in {}", mutation.name, mutation.from, mutation.file);
    }
}
