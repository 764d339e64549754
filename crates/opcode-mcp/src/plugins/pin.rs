//! The files of a program as they were when it was approved: one byte of another, and it is not started.
//!
//! Keeps: what is looked at is the program itself, or, of a well-known interpreter, the script it runs: the first argument
//! that is no flag and names a file.
//! Not here: what that file loads in its turn; a plugin that shall be held whole is one file.

use std::collections::BTreeMap;
use std::io::Read;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use super::config::Program;

/// Programs that run what their arguments name; the system keeps them up to date.
const INTERPRETERS: [&str; 16] = [
    "bash", "bun", "dash", "deno", "docker", "java", "node", "nodejs", "npx", "perl", "podman",
    "ruby", "sh", "uv", "uvx", "zsh",
];
/// Bytes of one file.
const FILE_BYTES_MAX: u64 = 1 << 30;

/// SHA-256 of each file, by its path.
pub(super) type Digests = BTreeMap<String, String>;

/// What a program's files are now. Takes as long as reading them.
///
/// # Errors
/// Which file cannot be read, and why.
pub(super) fn digests(program: &Program, path: &str) -> Result<Digests, String> {
    let cwd = program.cwd.as_deref();
    let file = match is_interpreter(&program.command) {
        true => {
            program.args.iter().find(|arg| !arg.starts_with('-')).and_then(|arg| file(arg, cwd))
        }
        false => resolved(&program.command, cwd, path),
    };
    let digest = |file: PathBuf| {
        let name = file.display().to_string();
        let digest = sha256(&file).map_err(|cause| format!("could not read {name}: {cause}"))?;
        Ok((name, digest))
    };
    file.into_iter().map(digest).collect()
}

/// The first file that is not what it was.
pub(super) fn changed<'a>(approved: &'a Digests, now: &'a Digests) -> Option<&'a str> {
    let is_other = |(name, digest): &(&String, &String)| now.get(*name) != Some(*digest);
    let other = approved.iter().find(is_other).map(|(name, _)| name.as_str());
    other.or_else(|| now.keys().find(|name| !approved.contains_key(*name)).map(String::as_str))
}

fn is_interpreter(command: &str) -> bool {
    let name = command.rsplit('/').next().unwrap_or_default();
    let version = name.strip_prefix("python").unwrap_or("-");
    let is_python = version.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    INTERPRETERS.contains(&name) || is_python
}

fn resolved(command: &str, cwd: Option<&str>, path: &str) -> Option<PathBuf> {
    if command.contains('/') {
        return file(command, cwd);
    }
    path.split(':').map(|folder| Path::new(folder).join(command)).find(|file| file.is_file())
}

fn file(word: &str, cwd: Option<&str>) -> Option<PathBuf> {
    let file = cwd.map_or_else(|| PathBuf::from(word), |cwd| Path::new(cwd).join(word));
    file.is_file().then_some(file)
}

fn sha256(file: &Path) -> std::io::Result<String> {
    let mut from = std::fs::File::open(file)?.take(FILE_BYTES_MAX);
    let (mut hasher, mut part) = (Sha256::new(), vec![0; 1 << 16]);
    loop {
        match from.read(&mut part)? {
            0 => break,
            bytes => hasher.update(&part[..bytes]),
        }
    }
    Ok(hasher.finalize().iter().map(|byte| format!("{byte:02x}")).collect())
}

#[cfg(test)]
mod tests {
    use opcode_model::Object;

    use super::*;

    #[test]
    fn one_byte_makes_another_program() {
        let folder = std::env::temp_dir().join(format!("opcode-pin-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let file = folder.join("server.js");
        std::fs::write(&file, "one").unwrap();
        let program = Program {
            command: "node".to_owned(),
            args: vec!["--flag".to_owned(), "server.js".to_owned()],
            env: Object::default(),
            cwd: Some(folder.display().to_string()),
        };
        let before = digests(&program, "/usr/bin:/bin").unwrap();
        assert_eq!(before.keys().collect::<Vec<_>>(), [&file.display().to_string()]);
        // Source: FIPS 180-4, as `printf one | sha256sum` has it.
        assert_eq!(
            before[&file.display().to_string()],
            "7692c3ad3540bb803c020b3aee66cd8887123234ea0c6e7143c0add73ff431ed"
        );
        assert_eq!(changed(&before, &digests(&program, "/bin").unwrap()), None);
        std::fs::write(&file, "onf").unwrap();
        let now = digests(&program, "/bin").unwrap();
        assert_eq!(changed(&before, &now), Some(file.display().to_string().as_str()));
        std::fs::remove_dir_all(&folder).unwrap();
        assert!(changed(&before, &Digests::new()).is_some());
        let is = ["python", "python3", "python3.12", "/usr/bin/node"].map(is_interpreter);
        let is_not = ["python-evil", "pythonic", "mcp-server", "node-evil"].map(is_interpreter);
        assert_eq!((is, is_not), ([true; 4], [false; 4]));
    }
}
