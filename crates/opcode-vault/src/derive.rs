//! From a passphrase to a key: Argon2id for what we seal, PBKDF2 for what the original system sealed.
//!
//! Keeps: parameters and salt stand beside what they guard, and are never below the floor.
//! Not here: what the key opens (`header.rs`).
//!
//! Sources: RFC 9106 §4 (Argon2id; 64 MiB and three passes are its second recommended option); RFC 8018 (PBKDF2).

use std::num::NonZeroU32;
use std::time::{Duration, Instant};

use argon2::{Algorithm, Argon2, Params, Version};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::key::{KEY_BYTES, Key, NoDice, random};

/// Bytes of a passphrase.
pub(crate) const PASSPHRASE_BYTES_MAX: usize = 4 << 10;
/// Memory that one guess takes.
const MEMORY_KIB: u32 = 64 << 10;
/// The fewest passes over it.
const PASSES_MIN: u32 = 3;
/// The most that is measured for, or believed of what is stored.
const PASSES_MAX: u32 = 64;
/// The most memory that is believed of what is stored.
const MEMORY_KIB_MAX: u32 = 1 << 20;
/// What one guess shall take at least, on the machine that made the vault.
const GUESS_MIN: Duration = Duration::from_millis(100);
const SALT_BYTES: usize = 16;

/// The original system's salt, the same everywhere.
const LEGACY_SALT: &[u8] = b"opcode-vault-salt";
const LEGACY_ROUNDS: NonZeroU32 = NonZeroU32::new(100_000).unwrap();

/// What opens a vault. It does not print, and leaves no copy behind.
#[derive(Clone)]
pub struct Passphrase(Zeroizing<Vec<u8>>);

impl std::fmt::Debug for Passphrase {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("[passphrase]")
    }
}

impl Passphrase {
    /// Takes it over. A line end behind it, as files have one, is none of it.
    pub fn new(bytes: Vec<u8>) -> Self {
        let mut bytes = Zeroizing::new(bytes);
        while bytes.last().is_some_and(|last| matches!(last, b'\n' | b'\r')) {
            bytes.pop();
        }
        Self(bytes)
    }

    /// Whether it can be given again, whichever way it comes.
    pub(crate) fn is_fit(&self) -> bool {
        (1..=PASSPHRASE_BYTES_MAX).contains(&self.0.len())
    }

    /// Whether there is nothing.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The key that the original system made of it.
    pub(crate) fn legacy_key(&self) -> Key {
        let mut bytes = Zeroizing::new([0; KEY_BYTES]);
        let algorithm = ring::pbkdf2::PBKDF2_HMAC_SHA256;
        ring::pbkdf2::derive(algorithm, LEGACY_ROUNDS, LEGACY_SALT, &self.0, &mut *bytes);
        Key::of(*bytes)
    }
}

/// How a key comes from a passphrase.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Recipe {
    algorithm: Argon,
    memory_kib: u32,
    passes: u32,
    lanes: u32,
    salt: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
enum Argon {
    #[serde(rename = "argon2id")]
    Id,
}

impl Recipe {
    /// A new one, with as many passes as make a guess slow here; and the key.
    pub(crate) fn fresh(passphrase: &Passphrase) -> Result<(Self, Key), NoDice> {
        let salt: [u8; SALT_BYTES] = random()?;
        let mut recipe = Self {
            algorithm: Argon::Id,
            memory_kib: MEMORY_KIB,
            passes: PASSES_MIN,
            lanes: 1,
            salt: STANDARD.encode(salt),
        };
        loop {
            let begun = Instant::now();
            let key = recipe.key(passphrase).ok_or(NoDice)?;
            let took = begun.elapsed();
            if took >= GUESS_MIN || recipe.passes >= PASSES_MAX {
                return Ok((recipe, key));
            }
            let wanted =
                GUESS_MIN.as_micros() * u128::from(recipe.passes) / took.as_micros().max(1);
            let wanted = u32::try_from(wanted).unwrap_or(PASSES_MAX) + 1;
            recipe.passes = wanted.clamp(recipe.passes + 1, PASSES_MAX);
        }
    }

    /// The key of a passphrase. `None` if this is no recipe that anybody may follow.
    pub(crate) fn key(&self, passphrase: &Passphrase) -> Option<Key> {
        let is_sane = self.memory_kib <= MEMORY_KIB_MAX && self.passes <= PASSES_MAX;
        let params = is_sane.then(|| {
            Params::new(self.memory_kib, self.passes, self.lanes, Some(KEY_BYTES)).ok()
        })??;
        let salt = STANDARD.decode(&self.salt).ok()?;
        let argon = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
        let mut bytes = Zeroizing::new([0; KEY_BYTES]);
        argon.hash_password_into(&passphrase.0, &salt, &mut *bytes).ok()?;
        Some(Key::of(*bytes))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_vaults_of_one_passphrase_have_two_keys() {
        let passphrase = Passphrase::new(b"p\n".to_vec());
        let (first, one) = Recipe::fresh(&passphrase).unwrap();
        let (second, other) = Recipe::fresh(&passphrase).unwrap();
        assert_ne!(first.salt, second.salt);
        assert_ne!(one.bytes(), other.bytes());
        assert_eq!(first.key(&Passphrase::new(b"p".to_vec())).unwrap().bytes(), one.bytes());
        assert!(first.memory_kib >= 64 << 10 && first.passes >= 3, "{first:?}");
        let endless = Recipe { passes: 1 << 20, ..first };
        assert!(endless.key(&passphrase).is_none());
    }

    #[test]
    fn what_the_original_sealed_opens() {
        // Made with Python: AESGCM(pbkdf2_hmac("sha256", b"correct horse", b"opcode-vault-salt", 100_000))
        // .encrypt(nonce, b"legacy", None), the nonce in front.
        let sealed = STANDARD.decode("AAECAwQFBgcICQoLTMHRjpMaZJFOtZud/xhG7LGEjllh1g==").unwrap();
        let key = Passphrase::new(b"correct horse".to_vec()).legacy_key();
        assert_eq!(key.open(b"", &sealed).unwrap().as_slice(), b"legacy");
    }
}
