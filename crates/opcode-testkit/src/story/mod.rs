//! Stories: text files that say what is put in and what the engine says to it, through one door.
//!
//! ```text
//! # A flaky fetch succeeds on its second try; the save never sees the first.
//! plan
//!   fetch: http.get {"url":"u"} retry.max=2 retry.delay=2s
//!   save: http.post after=fetch
//! start
//!   > workflow_started
//!   > step_started fetch #1 perform {"url":"u"}
//!   ! perform fetch #1 http.get {"url":"u"}
//!   = status active
//! fetch fails EXECUTION_ERROR "503"
//!   > step_retry_attempt fetch …
//! ```
//!
//! `>` is an event, `!` an effect, `~` a message to another run, `=` a fact about the run, `x` a no.
//! `cargo story [filter] [--bless]` plays them; with `--bless` it writes what was said into the files.
//!
//! Keeps: one door (`check`); after every decision the account in `ledger.rs` must agree with the run.
//! Not here: the driver, the store, crashes between commits (the simulator).

mod catalog;
mod command;
mod ledger;
mod notation;
mod play;
mod print;
mod stage;
mod text;
mod transitions;

pub use catalog::StoryActions;
pub use ledger::{Ledger, recount};
pub use stage::Stage;
pub use transitions::{Transitions, state_name};

/// What came of a file of stories.
#[derive(Debug, Default)]
pub struct Checked {
    /// How many stories were played.
    pub played: usize,
    /// The file with what the engine said in place of what was expected.
    pub blessed: String,
    /// Stories that did not go as written, each with what differs.
    pub failures: Vec<String>,
    /// Whether something is wrong that no blessing can cure.
    pub defective: bool,
    /// Transitions seen.
    pub seen: Transitions,
}

/// Plays the stories of a file whose title contains `filter`. The one door.
pub fn check(file: &str, text: &str, filter: &str) -> Checked {
    let mut checked = Checked::default();
    let mut above = None;
    for story in text::stories(text) {
        let named = format!("{file}:{} {}", story.line, story.title);
        if !named.contains(filter) {
            // A later story may stand on this one's plan.
            play::play(&story, &mut above);
            checked.blessed.push_str(&story.as_written());
            continue;
        }
        let played = play::play(&story, &mut above);
        let (before, after) = (story.as_written(), story.with(&played.said));
        checked.played += 1;
        checked.seen.extend(&played.seen);
        if before != after {
            checked.failures.push(format!("{named}\n{}", difference(&before, &after)));
        }
        for defect in &played.defects {
            checked.failures.push(format!("{named}\n  {defect}"));
            checked.defective = true;
        }
        checked.blessed.push_str(&after);
    }
    checked
}

/// The lines that differ, those before and after in step.
fn difference(before: &str, after: &str) -> String {
    let (before, after): (Vec<&str>, Vec<&str>) =
        (before.lines().collect(), after.lines().collect());
    let same = before.iter().zip(&after).take_while(|(a, b)| a == b).count();
    let shown = |lines: &[&str], mark: char| {
        let lines = lines.iter().skip(same).take(12);
        lines.map(|line| format!("  {mark}{line}\n")).collect::<String>()
    };
    let context = before[..same].iter().rev().take(3).rev();
    let context: String = context.map(|line| format!("   {line}\n")).collect();
    format!("{context}{}{}", shown(&before, '-'), shown(&after, '+'))
}
