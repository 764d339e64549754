//! `opcode update`: replaces this program by a newer one.
//!
//! Keeps: nothing is replaced before the new one matched its checksum and answered `version`; the old one is kept beside it.
//! `{os}` and `{arch}` in its address stand for this machine's.
//! Not here: which version is right for whom (whoever publishes it).

use std::io::{Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use clap::Args;
use opcode_model::ErrorCode;
use sha2::{Digest, Sha256};

use crate::cli::Place;
use crate::exit::Exit;
use crate::trouble::Trouble;
use crate::{daemon, say};

/// Bytes a program may have.
const BYTES_MAX: u64 = 256 << 20;
/// How long a download may take.
const PATIENCE: Duration = Duration::from_secs(600);

#[derive(Args, Debug)]
pub(crate) struct UpdateArgs {
    /// The new program; its SHA-256 is in FROM.sha256 [default: `update_url`]
    #[arg(long = "from", value_name = "FILE|URL")]
    update_url: Option<String>,
    /// Do not ask for the checksum
    #[arg(long)]
    skip_verify: bool,
}

pub(crate) async fn run(place: &Place, args: &UpdateArgs) -> Result<Exit, Trouble> {
    let Some(from) = &args.update_url else {
        return Err(Trouble::usage("where the new program is is not known")
            .hint("say --from FILE|URL, or set `update_url` in the settings"));
    };
    let from = from.replace("{os}", std::env::consts::OS).replace("{arch}", std::env::consts::ARCH);
    let program = fetch(&from).await?;
    if args.skip_verify {
        say::talk("its checksum was not asked for");
    } else {
        check(&from, &program).await?;
    }
    let own = std::env::current_exe()
        .and_then(std::fs::canonicalize)
        .map_err(|cause| Trouble::fault(format!("could not find our own program: {cause}")))?;
    let version = replace(&own, &program)?;
    say::data(&format!("{} is {version} now; before it was {}", own.display(), own_version()));
    say::talk(&format!("the old one is kept: {}", beside(&own, "old").display()));
    if let Some(daemon) = daemon::find(place)? {
        let pid = daemon.pid;
        say::hint(&format!("process {pid} still runs the old one: opcode stop, then opcode serve"));
    }
    Ok(Exit::Completed)
}

fn own_version() -> String {
    format!("opcode {}", env!("CARGO_PKG_VERSION"))
}

/// All of a file or of what a server answers.
async fn fetch(from: &str) -> Result<Vec<u8>, Trouble> {
    let is_url = from.starts_with("http://") || from.starts_with("https://");
    let got = if is_url { download(from).await } else { read(Path::new(from)) };
    got.map_err(|cause| {
        Trouble::not_found(format!("could not get {from}: {cause}"))
            .hint("check the address; the checksum is at the same one with .sha256 behind it")
    })
}

fn read(path: &Path) -> Result<Vec<u8>, String> {
    let file = std::fs::File::open(path).map_err(|cause| cause.to_string())?;
    let mut bytes = Vec::new();
    let read = file.take(BYTES_MAX + 1).read_to_end(&mut bytes);
    read.map_err(|cause| cause.to_string())?;
    if bytes.len() as u64 > BYTES_MAX { Err(too_large()) } else { Ok(bytes) }
}

fn too_large() -> String {
    format!("it is larger than {BYTES_MAX} bytes")
}

async fn download(url: &str) -> Result<Vec<u8>, String> {
    // Somebody else in this process may have chosen the same provider already.
    drop(rustls::crypto::ring::default_provider().install_default());
    let client = reqwest::Client::builder().timeout(PATIENCE).build();
    let client = client.map_err(|cause| cause.to_string())?;
    let answered = client.get(url).send().await.and_then(reqwest::Response::error_for_status);
    let mut answer = answered.map_err(|cause| cause.without_url().to_string())?;
    let mut bytes = Vec::new();
    while let Some(chunk) = answer.chunk().await.map_err(|cause| cause.to_string())? {
        bytes.extend_from_slice(&chunk);
        if bytes.len() as u64 > BYTES_MAX {
            return Err(too_large());
        }
    }
    Ok(bytes)
}

async fn check(from: &str, program: &[u8]) -> Result<(), Trouble> {
    let listed = fetch(&format!("{from}.sha256")).await?;
    let listed = String::from_utf8_lossy(&listed).trim().to_lowercase();
    let wanted = listed.split_whitespace().next().unwrap_or_default();
    let found: String = Sha256::digest(program).iter().map(|byte| format!("{byte:02x}")).collect();
    if wanted == found {
        return Ok(());
    }
    let message = format!("{from} does not match its checksum: {found}, listed is {wanted:?}");
    Err(Trouble::said(ErrorCode::Validation, message)
        .hint("nothing was replaced; get it again, from a place you trust"))
}

/// `<program>.<end>`.
fn beside(program: &Path, end: &str) -> PathBuf {
    let mut path = program.as_os_str().to_owned();
    path.push(format!(".{end}"));
    path.into()
}

/// Puts the new program in the place of ours, once it has said its version; answers that.
fn replace(own: &Path, program: &[u8]) -> Result<String, Trouble> {
    let (new, old) = (beside(own, "new"), beside(own, "old"));
    let fault = |cause: std::io::Error| {
        Trouble::fault(format!("could not replace {}: {cause}", own.display()))
            .hint("nothing was replaced; check the permissions of its directory")
    };
    write(&new, program).map_err(fault)?;
    let version = match version_of(&new) {
        Ok(version) => version,
        Err(why) => {
            std::fs::remove_file(&new).map_err(fault)?;
            return Err(Trouble::usage(format!("this is no opcode that runs here: {why}"))
                .hint("nothing was replaced; take the one for this machine"));
        }
    };
    if old.exists() {
        std::fs::remove_file(&old).map_err(fault)?;
    }
    std::fs::hard_link(own, &old).map_err(fault)?;
    std::fs::rename(&new, own).map_err(fault)?;
    Ok(version)
}

fn write(path: &Path, program: &[u8]) -> std::io::Result<()> {
    let mut options = std::fs::OpenOptions::new();
    let mut file = options.create(true).write(true).truncate(true).mode(0o755).open(path)?;
    file.write_all(program)?;
    file.sync_all()
}

fn version_of(program: &Path) -> Result<String, String> {
    let said = Command::new(program).arg("version").output().map_err(|cause| cause.to_string())?;
    let version = String::from_utf8_lossy(&said.stdout).trim().to_owned();
    let is_ours = said.status.success() && version.starts_with("opcode ");
    if is_ours {
        Ok(version)
    } else {
        Err(format!("asked for its version, it ended {}", said.status))
    }
}
