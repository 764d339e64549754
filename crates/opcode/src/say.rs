//! The only place that prints: data on stdout, talk on stderr.
//!
//! Keeps: colours only on a terminal and never needed; a live display is never torn by a line; a closed pipe is no panic.
//! Not here: what to say.

use std::io::{self, ErrorKind, IsTerminal, Write};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde::Serialize;
use serde_json::json;

use crate::exit::Exit;
use crate::show::age::now;

/// Nobody reads our stdout any more.
static CLOSED: AtomicBool = AtomicBool::new(false);
/// Talk is logged, a JSON object a line.
static IN_JSON: AtomicBool = AtomicBool::new(false);
/// Something for stdout could not be written.
static UNSAID: AtomicBool = AtomicBool::new(false);
/// The live display at the bottom of the terminal.
static LIVE: Mutex<Live> = Mutex::new(Live { lines: Vec::new(), is_prompt: false, typed: 0 });

/// What is shown at the bottom of the terminal until it is replaced.
#[derive(Default, PartialEq)]
pub(crate) struct Live {
    /// Line by line.
    pub(crate) lines: Vec<String>,
    /// Whether somebody types at the end of the last line.
    pub(crate) is_prompt: bool,
    /// Lines that somebody has typed since it was shown.
    typed: usize,
}

impl Live {
    /// A display of these lines.
    pub(crate) fn new(lines: Vec<String>, is_prompt: bool) -> Self {
        Self { lines, is_prompt, typed: 0 }
    }

    /// How far the cursor stands below its first line.
    fn rows(&self) -> usize {
        let width = width();
        let rows = self.lines.iter().map(|line| visible(line).div_ceil(width).max(1));
        let at_prompt = usize::from(self.is_prompt && !self.lines.is_empty());
        rows.sum::<usize>() + self.typed - at_prompt
    }
}

/// Characters of a line that take room.
fn visible(line: &str) -> usize {
    let (mut n, mut is_code) = (0, false);
    for c in line.chars() {
        match c {
            '\x1b' => is_code = true,
            'm' if is_code => is_code = false,
            _ if is_code => {}
            _ => n += 1,
        }
    }
    n
}

/// Colours for one stream, or none.
#[derive(Clone, Copy)]
pub(crate) struct Paint(bool);

impl Paint {
    fn paint(self, code: &str, text: &str) -> String {
        if self.0 && !text.is_empty() {
            format!("\x1b[{code}m{text}\x1b[0m")
        } else {
            text.to_owned()
        }
    }

    pub(crate) fn bold(self, text: &str) -> String {
        self.paint("1", text)
    }
    pub(crate) fn dim(self, text: &str) -> String {
        self.paint("2", text)
    }
    pub(crate) fn red(self, text: &str) -> String {
        self.paint("31", text)
    }
    pub(crate) fn green(self, text: &str) -> String {
        self.paint("32", text)
    }
    pub(crate) fn yellow(self, text: &str) -> String {
        self.paint("33", text)
    }
    pub(crate) fn cyan(self, text: &str) -> String {
        self.paint("36", text)
    }
}

fn colours(is_terminal: bool) -> Paint {
    let refused = |name| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    let dumb = std::env::var_os("TERM").is_some_and(|term| term == "dumb");
    Paint(is_terminal && !dumb && !refused("NO_COLOR"))
}

/// Colours for stdout.
pub(crate) fn out() -> Paint {
    colours(is_watched())
}

/// Colours for stderr.
pub(crate) fn err() -> Paint {
    colours(io::stderr().is_terminal())
}

/// Columns of the terminal; 100 where there is none.
pub(crate) fn width() -> usize {
    let size = |stream| rustix::termios::tcgetwinsize(stream).map(|size| usize::from(size.ws_col));
    let known = size(rustix::stdio::stderr()).or_else(|_| size(rustix::stdio::stdout()));
    known.ok().filter(|columns| *columns >= 20).unwrap_or(100)
}

/// Lines of the terminal.
pub(crate) fn height() -> usize {
    let size = rustix::termios::tcgetwinsize(rustix::stdio::stderr());
    size.map(|size| usize::from(size.ws_row)).ok().filter(|rows| *rows >= 5).unwrap_or(24)
}

/// Data: one text, ended by a newline.
pub(crate) fn data(text: &str) {
    bytes(format!("{}\n", text.trim_end_matches('\n')).as_bytes());
}

/// Whether somebody looks at stdout.
pub(crate) fn is_watched() -> bool {
    io::stdout().is_terminal()
}

/// Data as it is.
pub(crate) fn bytes(bytes: &[u8]) {
    if CLOSED.load(Ordering::Relaxed) {
        return;
    }
    let live = erase();
    let mut stdout = io::stdout().lock();
    let written = stdout.write_all(bytes).and_then(|()| stdout.flush());
    match written {
        Ok(()) => {}
        Err(cause) if cause.kind() == ErrorKind::BrokenPipe => {
            CLOSED.store(true, Ordering::Relaxed);
        }
        Err(cause) => {
            if !UNSAID.swap(true, Ordering::Relaxed) {
                write_err(&format!("could not write to stdout: {cause}\n"));
            }
        }
    }
    redraw(&live);
}

/// Data for machines.
pub(crate) fn json<T: Serialize + ?Sized>(value: &T) {
    match serde_json::to_string(value) {
        Ok(text) => data(&text),
        Err(cause) => error(&format!("could not write the answer as JSON: {cause}")),
    }
}

/// Whether nobody reads stdout any more.
pub(crate) fn is_closed() -> bool {
    CLOSED.load(Ordering::Relaxed)
}

/// From here on, stderr is for machines: what is said becomes lines of the log.
pub(crate) fn talk_in_json() {
    IN_JSON.store(true, Ordering::Relaxed);
}

/// Talk: a text for people, beside the data.
pub(crate) fn talk(text: &str) {
    if IN_JSON.load(Ordering::Relaxed) {
        return tracing::info!("{text}");
    }
    line(text);
}

/// A line as it is, on stderr.
pub(crate) fn line(text: &str) {
    let live = erase();
    write_err(&format!("{}\n", text.trim_end_matches('\n')));
    redraw(&live);
}

/// What went wrong.
pub(crate) fn error(text: &str) {
    if IN_JSON.load(Ordering::Relaxed) {
        return tracing::error!("{text}");
    }
    talk(&format!("{} {text}", err().red("error:")));
}

/// What went wrong and what to do about it, at whatever level is logged.
pub(crate) fn trouble(text: &str, cure: &str) {
    if IN_JSON.load(Ordering::Relaxed) {
        let at = now().to_string();
        let told = json!({"timestamp": at, "level": "ERROR", "message": text, "hint": cure});
        return line(&told.to_string());
    }
    error(text);
    hint(cure);
}

/// What to do about it, on its own line.
pub(crate) fn hint(text: &str) {
    talk(&format!("{} {text}", err().cyan("hint:")));
}

/// Puts a display at the bottom of the terminal, in place of the one before.
pub(crate) fn live(display: Live) {
    if *locked() == display {
        return;
    }
    let mut shown = erase();
    *shown = display;
    redraw(&shown);
}

/// Takes the display away.
pub(crate) fn unlive() {
    live(Live::default());
}

/// Somebody typed a line at the prompt.
pub(crate) fn typed() {
    locked().typed += 1;
}

fn locked() -> MutexGuard<'static, Live> {
    LIVE.lock().unwrap_or_else(PoisonError::into_inner)
}

fn erase() -> MutexGuard<'static, Live> {
    let mut live = locked();
    if !live.lines.is_empty() {
        match live.rows() {
            0 => write_err("\r\x1b[J"),
            rows => write_err(&format!("\r\x1b[{rows}A\x1b[J")),
        }
    }
    live.typed = 0;
    live
}

fn redraw(live: &Live) {
    if !live.lines.is_empty() {
        let end = if live.is_prompt { "" } else { "\n" };
        write_err(&(live.lines.join("\n") + end));
    }
}

/// Nobody can be told that stderr cannot be written.
fn write_err(text: &str) {
    io::stderr().lock().write_all(text.as_bytes()).unwrap_or_default();
}

/// Asks for a line.
pub(crate) fn prompt(text: &str) {
    write_err(text);
}

/// The last word: a command whose data could not be written did not do what was asked.
pub(crate) fn finish(exit: Exit) -> Exit {
    let is_unsaid = exit == Exit::Completed && UNSAID.load(Ordering::Relaxed);
    if is_unsaid { Exit::Fault } else { exit }
}
