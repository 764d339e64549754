//! Keys that this store signs with, each made when it is first needed.
//!
//! Keeps: every process over this store has the same key; a key leaves it in what it signed, never itself.
//! Not here: what is signed (the faces).

use std::sync::Arc;

use opcode_model::Failure;
use opcode_model::commit::{CatalogKind, CatalogWrite};
use opcode_store::{Catalog, CatalogError};

use crate::clock::now;
use crate::plans::failure;

/// The keys of a store.
#[derive(Clone)]
pub struct Keys(Arc<dyn Catalog>);

impl Keys {
    pub(crate) fn new(catalog: Arc<dyn Catalog>) -> Self {
        Self(catalog)
    }

    /// The key for a use: 64 bytes, 244 bits of them random.
    ///
    /// # Errors
    /// `STORE_ERROR` if it can be neither read nor made.
    pub async fn find(&self, purpose: &str) -> Result<Vec<u8>, Failure> {
        if let Some(known) = self.read(purpose).await? {
            return Ok(known);
        }
        let text: String = (0..2).map(|_| uuid::Uuid::new_v4().simple().to_string()).collect();
        let write = CatalogWrite {
            kind: CatalogKind::Key,
            key: purpose.into(),
            body: Some(text.into()),
            at: now(),
            replace: false,
        };
        match self.0.put(vec![write]).await {
            // Another process was first; its key is everybody's.
            Ok(()) | Err(CatalogError::Taken(_)) => {}
            Err(CatalogError::Fault(fault)) => return Err(failure(fault)),
        }
        let missing = || Failure::new(opcode_model::ErrorCode::Store, "a key was not kept");
        self.read(purpose).await?.ok_or_else(missing)
    }

    async fn read(&self, purpose: &str) -> Result<Option<Vec<u8>>, Failure> {
        let found = self.0.find(CatalogKind::Key, purpose.into()).await.map_err(failure)?;
        Ok(found.map(|text| text.as_bytes().to_vec()))
    }
}
