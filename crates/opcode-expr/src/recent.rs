//! The last things made from texts that are known only while running: programs put together at run time, patterns.
//!
//! Keeps: never more than so many, nor more than such a weight; what was used longest ago goes first.
//! Not here: what is compiled when a workflow is defined (its plan keeps that), what an evaluation is charged: the same
//! whether something was found here or made anew.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

/// Things made from keys, shared by all threads.
pub(crate) struct Recent<K, V> {
    kept: Mutex<Kept<K, V>>,
    number_max: usize,
    weight_max: usize,
}

struct Kept<K, V> {
    entries: BTreeMap<K, Entry<V>>,
    weight: usize,
    /// Counts the uses.
    uses: u64,
}

struct Entry<V> {
    value: V,
    weight: usize,
    used: u64,
}

impl<K: Ord + Clone, V: Clone> Recent<K, V> {
    pub(crate) const fn new(number_max: usize, weight_max: usize) -> Self {
        let kept = Kept { entries: BTreeMap::new(), weight: 0, uses: 0 };
        Self { kept: Mutex::new(kept), number_max, weight_max }
    }

    /// What was made of `key` before, or what `make` makes of it now, with its weight. Two threads may both make it.
    pub(crate) fn recall<E>(
        &self,
        key: K,
        make: impl FnOnce(&K) -> Result<(V, usize), E>,
    ) -> Result<V, E> {
        if let Some(value) = self.find(&key) {
            return Ok(value);
        }
        let (value, weight) = make(&key)?;
        self.keep(key, value.clone(), weight);
        Ok(value)
    }

    fn find(&self, key: &K) -> Option<V> {
        // Whoever panicked here left nothing half done that matters: at worst a weight is counted too high.
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.uses += 1;
        let now = kept.uses;
        let entry = kept.entries.get_mut(key)?;
        entry.used = now;
        Some(entry.value.clone())
    }

    fn keep(&self, key: K, value: V, weight: usize) {
        if weight > self.weight_max {
            return;
        }
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let used = kept.uses;
        kept.weight += weight;
        if let Some(before) = kept.entries.insert(key, Entry { value, weight, used }) {
            kept.weight -= before.weight;
        }
        while kept.entries.len() > self.number_max || kept.weight > self.weight_max {
            let oldest = kept.entries.iter().min_by_key(|(_, entry)| entry.used);
            let Some(oldest) = oldest.map(|(key, _)| key.clone()) else { break };
            let gone = kept.entries.remove(&oldest);
            kept.weight -= gone.map_or(0, |entry| entry.weight);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Recalls a text that stands for itself; whether it had to be made.
    fn is_made(recent: &Recent<String, usize>, text: &str) -> bool {
        let mut made = false;
        let made_now = recent.recall(text.to_owned(), |key| {
            made = true;
            Ok::<_, ()>((key.len(), key.len()))
        });
        assert_eq!(made_now, Ok(text.len()));
        made
    }

    #[test]
    fn what_was_used_longest_ago_goes_first() {
        let recent = Recent::new(2, 100);
        assert!(is_made(&recent, "a"));
        assert!(is_made(&recent, "b"));
        assert!(!is_made(&recent, "a"));
        assert!(is_made(&recent, "c"));
        assert!(!is_made(&recent, "a"));
        assert!(is_made(&recent, "b"));
    }

    #[test]
    fn the_weight_is_bounded_too() {
        let recent = Recent::new(10, 6);
        assert!(is_made(&recent, "aaa"));
        assert!(is_made(&recent, "bbb"));
        assert!(is_made(&recent, "c"));
        assert!(!is_made(&recent, "bbb"));
        assert!(is_made(&recent, "aaa"));
        assert!(is_made(&recent, "too heavy to keep"));
        assert!(is_made(&recent, "too heavy to keep"));
        assert!(!is_made(&recent, "aaa"));
        assert!(recent.kept.lock().unwrap().weight <= 6);
    }

    #[test]
    fn a_mistake_is_not_kept() {
        let recent: Recent<u8, u8> = Recent::new(1, 1);
        assert_eq!(recent.recall(1, |_| Err("wrong")), Err("wrong"));
        assert_eq!(recent.recall(1, |_| Ok::<_, &str>((7, 1))), Ok(7));
    }
}
