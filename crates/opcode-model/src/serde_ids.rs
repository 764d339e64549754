//! Ids and moments on the wire: readable text for ids, RFC 3339 for people, both ways.
//!
//! Keeps: `StepRef` is `[place, path]`; a moment is milliseconds in stored events and text in results.
//! Not here: the types themselves (`ids.rs`, `time.rs`).

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::ids::{DefinitionHash, RunId, StepIx, StepRef};
use crate::time::Timestamp;

macro_rules! as_text {
    ($($ty:ident),*) => {$(
        impl Serialize for $ty {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }
        impl<'de> Deserialize<'de> for $ty {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
                Self::parse(&text).ok_or_else(|| D::Error::custom(concat!("not a ", stringify!($ty))))
            }
        }
    )*};
}

as_text!(RunId, DefinitionHash, Timestamp);

impl Serialize for StepRef {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        (self.ix.0, self.path.as_ref()).serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for StepRef {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let (ix, path) = <(u32, std::sync::Arc<str>)>::deserialize(deserializer)?;
        Ok(Self { ix: StepIx(ix), path })
    }
}
