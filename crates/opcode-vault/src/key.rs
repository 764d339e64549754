//! One key, and what is sealed with it: AES-256-GCM with a random nonce of 96 bits, which stands in front.
//!
//! Keeps: what is sealed opens only under the same name it was sealed under; a key leaves no copy behind.
//! Not here: where keys come from (`derive.rs`, `header.rs`).
//!
//! Source: NIST SP 800-38D; a key seals at most 2^32 texts under random nonces (§8.3), far beyond what a vault holds.

use ring::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use ring::rand::{SecureRandom, SystemRandom};
use zeroize::{Zeroize, Zeroizing};

/// Bytes in front of a sealed text.
const NONCE_BYTES: usize = 12;
/// Bytes behind it.
const TAG_BYTES: usize = 16;
/// Bytes of a key.
pub(crate) const KEY_BYTES: usize = 32;

/// A key.
#[derive(Clone)]
pub(crate) struct Key(Zeroizing<[u8; KEY_BYTES]>);

/// What was sealed does not open: another key, another name, or somebody changed it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("it was sealed with another key or for another place, or was changed since")]
pub(crate) struct Shut;

/// The system gives no random bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the system gives no random bytes")]
pub(crate) struct NoDice;

/// Random bytes of the system.
pub(crate) fn random<const N: usize>() -> Result<[u8; N], NoDice> {
    let mut bytes = [0; N];
    SystemRandom::new().fill(&mut bytes).map_err(|_| NoDice)?;
    Ok(bytes)
}

impl Key {
    /// A key made of these bytes.
    pub(crate) fn of(bytes: [u8; KEY_BYTES]) -> Self {
        Self(Zeroizing::new(bytes))
    }

    /// A new key.
    pub(crate) fn fresh() -> Result<Self, NoDice> {
        random().map(Self::of)
    }

    /// Its bytes, to be sealed with another.
    pub(crate) fn bytes(&self) -> &[u8] {
        &*self.0
    }

    fn cipher(&self) -> Option<LessSafeKey> {
        UnboundKey::new(&AES_256_GCM, &*self.0).ok().map(LessSafeKey::new)
    }

    /// Seals a text under a name: nonce, ciphertext, tag.
    pub(crate) fn seal(&self, name: &[u8], text: &[u8]) -> Result<Vec<u8>, NoDice> {
        let nonce: [u8; NONCE_BYTES] = random()?;
        let mut body = text.to_vec();
        let sealed = self.cipher().and_then(|cipher| {
            let nonce = Nonce::assume_unique_for_key(nonce);
            cipher.seal_in_place_append_tag(nonce, Aad::from(name), &mut body).ok()
        });
        if sealed.is_none() {
            body.zeroize();
            return Err(NoDice);
        }
        Ok([&nonce[..], &body].concat())
    }

    /// Opens what was sealed under a name.
    pub(crate) fn open(&self, name: &[u8], sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, Shut> {
        if sealed.len() < NONCE_BYTES + TAG_BYTES {
            return Err(Shut);
        }
        let (nonce, body) = sealed.split_at(NONCE_BYTES);
        let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(|_| Shut)?;
        let mut text = Zeroizing::new(body.to_vec());
        let cipher = self.cipher().ok_or(Shut)?;
        let length =
            cipher.open_in_place(nonce, Aad::from(name), &mut text).map_err(|_| Shut)?.len();
        text.truncate(length);
        Ok(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_sealed_opens_under_its_name_only() {
        let (key, other) = (Key::fresh().unwrap(), Key::fresh().unwrap());
        let sealed = key.seal(b"a", b"text").unwrap();
        assert_eq!(key.open(b"a", &sealed).unwrap().as_slice(), b"text");
        assert_eq!(key.open(b"b", &sealed), Err(Shut));
        assert_eq!(other.open(b"a", &sealed), Err(Shut));
        for at in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[at] ^= 1;
            assert_eq!(key.open(b"a", &changed), Err(Shut), "byte {at}");
        }
        assert_eq!(key.open(b"a", &sealed[..20]), Err(Shut));
    }

    #[test]
    fn no_nonce_comes_twice() {
        let key = Key::fresh().unwrap();
        let nonces: std::collections::BTreeSet<Vec<u8>> =
            (0..100_000).map(|_| key.seal(b"", b"").unwrap()[..NONCE_BYTES].to_vec()).collect();
        assert_eq!(nonces.len(), 100_000);
    }
}
