//! Attempts that outlive whoever asked for them: the helper goes on alone, and whoever comes with the same key finds it.
//!
//! Keeps: a key runs once; what it came to lies there until somebody has taken it.
//! Not here: attempts that die with whoever asked (`exec.rs`).

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime};

use tokio::io::AsyncWriteExt;

use crate::capture::Captured;
use crate::exec::{Exec, ExecFault, ExecLimits, ExecOutcome, heard};
use crate::linux::meter::Hit;
use crate::note::{self, ensure_dead};
use crate::spec::{ExecSpec, Input};
use crate::stop::Stop;
use crate::word::Word;

/// Bytes of both streams together, if nothing else is said: they lie on a disk until somebody comes.
pub(crate) const OUTPUT_BYTES_MAX: u64 = 64 << 20;
/// How often both sides look at the files between them.
pub(crate) const LOOK: Duration = Duration::from_millis(100);
/// How long what nobody took lies there.
const KEPT: Duration = Duration::from_secs(7 * 24 * 60 * 60);

/// What lies beside an attempt's note.
#[derive(Clone, Debug)]
pub(crate) struct Files {
    note: PathBuf,
    out: PathBuf,
    err: PathBuf,
    /// The helper's last word.
    end: PathBuf,
    /// That it shall stop.
    stop: PathBuf,
}

impl Files {
    pub(crate) fn of(dir: &Path, key: &str) -> Self {
        let note = note::place(dir, key);
        let beside = |what: &str| note.with_extension(what);
        let (out, err) = (beside("out"), beside("err"));
        let (end, stop) = (beside("end"), beside("stop"));
        Self { note, out, err, end, stop }
    }

    /// Whether somebody wants it to stop.
    pub(crate) fn is_stopped(&self) -> bool {
        self.stop.exists()
    }

    /// Leaves the last word, whole or not at all.
    pub(crate) fn leave(&self, word: &Word) -> io::Result<()> {
        let new = self.end.with_extension("new");
        fs::write(&new, word.line())?;
        fs::rename(new, &self.end)
    }

    fn clear(&self) {
        for file in [&self.out, &self.err, &self.stop, &self.end] {
            // What is not there is as good as removed.
            fs::remove_file(file).unwrap_or_default();
        }
    }
}

/// Removes what nobody took for a long time.
pub(crate) fn sweep(dir: &Path) {
    for entry in fs::read_dir(dir).into_iter().flatten().flatten() {
        let path = entry.path();
        let written = entry.metadata().and_then(|about| about.modified());
        let is_old = written.is_ok_and(|at| SystemTime::now() > at + KEPT);
        if path.extension().is_some() && is_old {
            fs::remove_file(path).unwrap_or_default();
        }
    }
}

fn stream(path: &Path) -> io::Result<File> {
    OpenOptions::new().create(true).write(true).truncate(true).mode(0o600).open(path)
}

/// The beginning of a stream, and how long it was.
fn taken(path: &Path, bytes_max: usize) -> io::Result<Captured> {
    let file = File::open(path)?;
    let total = file.metadata()?.len();
    let mut bytes = Vec::new();
    file.take(bytes_max as u64).read_to_end(&mut bytes)?;
    Ok(Captured { bytes, total })
}

impl Exec {
    /// Runs `spec` so that it goes on when this process does not; or finds what was run with its key before, and waits
    /// for that. Without a key and a place for notes, the same as [`Exec::run`].
    pub async fn run_detached(
        &self,
        spec: &ExecSpec,
        stdin: &[u8],
        limits: &ExecLimits,
        stop: &Stop,
    ) -> Result<ExecOutcome, ExecFault> {
        let (Some(dir), Some(key)) = (self.attempts_dir(), &spec.key) else {
            return self.run(spec, stdin, limits, stop).await;
        };
        let begun = Instant::now();
        let files = Files::of(dir, key);
        let there = files.end.exists() || note::goes_on_alone(&files.note);
        if !there {
            ensure_dead(dir, key).await.map_err(ExecFault::Earlier)?;
            files.clear();
            let order = self.order(spec, limits.grace, Input::Order).detached(limits.timeout);
            let departed = match order.frames(stdin) {
                Ok(frames) => self.depart(&spec.program, &frames, &files).await,
                Err(error) => Err(error),
            };
            departed.map_err(|error| self.fault(&error))?;
        }
        let mut stopped = false;
        while !files.end.exists() {
            let is_alive = note::goes_on_alone(&files.note);
            // It leaves its word before it takes its note away.
            if !is_alive && !files.end.exists() {
                ensure_dead(dir, key).await.map_err(ExecFault::Earlier)?;
                return Err(ExecFault::Lost);
            }
            tokio::select! {
                () = tokio::time::sleep(LOOK) => {}
                () = stop.wait(), if !stopped => {
                    if stop.is_let_go() {
                        return Ok(ExecOutcome::unstarted(begun));
                    }
                    fs::write(&files.stop, "").map_err(|error| self.fault(&error))?;
                    stopped = true;
                }
            }
        }
        let said = fs::read_to_string(&files.end).map_err(|error| self.fault(&error))?;
        let end = self.verdict(&spec.program, &said);
        // Its note goes a moment after its word, when all it started is dead; then the key is free.
        ensure_dead(dir, key).await.map_err(ExecFault::Earlier)?;
        let take = |path| taken(path, limits.capture_bytes_max).map_err(|it| self.fault(&it));
        let (stdout, stderr) = (take(&files.out)?, take(&files.err)?);
        files.clear();
        Ok(ExecOutcome { end: end?, stdout, stderr, duration: begun.elapsed() })
    }

    /// Starts a helper that needs nobody, and waits until its note is there.
    async fn depart(&self, program: &str, frames: &[u8], files: &Files) -> io::Result<()> {
        if let Some(dir) = files.note.parent() {
            fs::DirBuilder::new().recursive(true).mode(0o700).create(dir)?;
        }
        let streams = (stream(&files.out)?.into(), stream(&files.err)?.into());
        let (mut helper, mut control) = self.spawn(program, streams)?;
        control.write_all(frames).await?;
        while !note::goes_on_alone(&files.note) && !files.end.exists() {
            if helper.try_wait()?.is_some() {
                return match Word::read(&heard(&mut control).await) {
                    Some(Word::Helper(reason)) => Err(io::Error::other(reason)),
                    Some(_) | None => Ok(()),
                };
            }
            tokio::time::sleep(LOOK / 10).await;
        }
        Ok(())
    }
}

/// Whether a detached helper's streams are longer than they may be.
pub(crate) fn is_too_long(most: Option<u64>) -> Option<Hit> {
    let length = |fd| rustix::fs::fstat(fd).map_or(0, |about| about.st_size.unsigned_abs());
    let both = length(rustix::stdio::stdout()) + length(rustix::stdio::stderr());
    (both > most.unwrap_or(OUTPUT_BYTES_MAX)).then_some(Hit::Output)
}
