//! Where the vault's passphrase comes from: the environment, a file, or a descriptor that whoever started us left open.
//!
//! Keeps: it is never an argument; a process that has it leaves no core behind and is not read by its own user's others.
//! Not here: what it opens (`opcode-vault`).

use std::fs::File;
use std::io::Read;
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::{Path, PathBuf};

use opcode_runtime::Passphrase;
use rustix::process::{DumpableBehavior, set_dumpable_behavior};

use crate::trouble::Trouble;

/// Has it as text.
const KEY: &str = "OPCODE_VAULT_KEY";
/// Names a file that has it.
const KEY_FILE: &str = "OPCODE_VAULT_KEY_FILE";
/// The number of an open descriptor that has it.
const KEY_FD: &str = "OPCODE_VAULT_KEY_FD";
/// Bytes of a passphrase.
const BYTES_MAX: u64 = 4 << 10;

/// The descriptor that has it, by the name the system gives it.
pub(crate) fn descriptor() -> Option<PathBuf> {
    let number: u32 = std::env::var(KEY_FD).ok()?.parse().ok()?;
    Some(PathBuf::from(format!("/proc/self/fd/{number}")))
}

/// The vault's passphrase, if there is one; `file` is where the settings say it is.
///
/// # Errors
/// If what is named cannot be read, or others can read it too.
pub(crate) fn find(file: Option<&Path>) -> Result<Option<Passphrase>, Trouble> {
    let found = read(file)?;
    if found.is_some()
        && let Err(cause) = set_dumpable_behavior(DumpableBehavior::NotDumpable)
    {
        tracing::warn!(%cause, "others of this user may look into this process");
    }
    Ok(found)
}

fn read(file: Option<&Path>) -> Result<Option<Passphrase>, Trouble> {
    let set = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty());
    let named = [KEY, KEY_FILE, KEY_FD].into_iter().filter(|name| set(name).is_some());
    if let [one, other, ..] = named.collect::<Vec<_>>()[..] {
        return Err(Trouble::usage(format!("{one} and {other} are both set")).hint("unset one"));
    }
    if let Some(text) = set(KEY) {
        return Ok(Some(Passphrase::new(text.into_encoded_bytes())));
    }
    if let Some(number) = set(KEY_FD) {
        let number: u32 = number.to_str().and_then(|text| text.parse().ok()).ok_or_else(|| {
            Trouble::usage(format!("{KEY_FD} is no descriptor's number"))
                .hint("such as 3, with 3<FILE behind the command")
        })?;
        let found = taken(KEY_FD, &PathBuf::from(format!("/proc/self/fd/{number}")))?;
        // It stays open here, where nobody else looks, and nowhere else.
        opcode_sandbox::close_on_exec().map_err(|cause| {
            Trouble::fault(format!("could not keep {KEY_FD} from programs: {cause}"))
        })?;
        return Ok(Some(found));
    }
    let file = file.map(Path::to_owned).or_else(|| set(KEY_FILE).map(PathBuf::from));
    let Some(file) = file else { return Ok(None) };
    check_mode(&file)?;
    taken(KEY_FILE, &file).map(Some)
}

fn taken(name: &str, path: &Path) -> Result<Passphrase, Trouble> {
    let fault = |cause: std::io::Error| {
        Trouble::usage(format!("could not read {name} {}: {cause}", path.display()))
            .hint("name one that has the passphrase and nothing else")
    };
    let mut bytes = Vec::new();
    File::open(path)
        .and_then(|file| file.take(BYTES_MAX + 1).read_to_end(&mut bytes))
        .map_err(fault)?;
    if bytes.len() as u64 > BYTES_MAX {
        return Err(fault(std::io::Error::other(format!("it has more than {BYTES_MAX} bytes"))));
    }
    let passphrase = Passphrase::new(bytes);
    if passphrase.is_empty() {
        return Err(fault(std::io::Error::other("it is empty")));
    }
    Ok(passphrase)
}

/// A file that others can read guards nothing.
fn check_mode(path: &Path) -> Result<(), Trouble> {
    let Ok(about) = path.metadata() else { return Ok(()) };
    let is_open = about.mode() & 0o077 != 0 && !about.file_type().is_fifo();
    if !is_open {
        return Ok(());
    }
    Err(Trouble::usage(format!("others can read the vault's passphrase in {}", path.display()))
        .hint(format!("chmod 600 {}", path.display())))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn a_file_that_others_can_read_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("key");
        std::fs::write(&path, "p\n").unwrap();
        for (mode, is_fit) in [(0o600, true), (0o400, true), (0o640, false), (0o604, false)] {
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
            assert_eq!(check_mode(&path).is_ok(), is_fit, "{mode:o}");
        }
    }
}
