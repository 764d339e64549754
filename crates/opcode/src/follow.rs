//! Follows one workflow until it is over, waits for somebody, or nobody wants to wait any longer.
//!
//! Keeps: tells what is on disk; the more a look costs, the rarer it is.
//! Not here: how it looks (`live.rs`, `show/`).

use std::time::Duration;

use opcode_model::{Failure, RunId};
use opcode_runtime::{Engine, Note};
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::{RecvError, TryRecvError};
use tokio::time::Instant;

use crate::exit::Exit;
use crate::live::{Answer, Screen};
use crate::session::Session;
use crate::trouble::Trouble;

/// Looks are at least so far apart.
const PAUSE: Duration = Duration::from_millis(40);

/// Why following ended.
pub(crate) enum Followed {
    /// It is over, suspended, or waits for a signal; or the time to wait ran out.
    Seen,
    /// The process was told to stop.
    Stopped(Exit),
}

/// Follows a workflow.
pub(crate) async fn follow(
    session: &mut Session,
    run: RunId,
    limit: Option<Duration>,
    screen: &mut Screen,
) -> Result<Followed, Trouble> {
    let Session { engine, notes, interrupts, .. } = session;
    let engine = engine.clone();
    let late = async {
        match limit {
            Some(limit) => tokio::time::sleep(limit).await,
            None => std::future::pending().await,
        }
    };
    tokio::pin!(late);
    let mut settled = Box::pin(engine.wait(run, None));
    let mut is_awaited = true;
    let mut eye = Eye { engine: &engine, run, is_news: true, next: Instant::now() + PAUSE };
    loop {
        let seen = tokio::select! {
            biased;
            exit = interrupts.next() => return Ok(Followed::Stopped(exit)),
            answer = &mut settled, if is_awaited => {
                answer?;
                is_awaited = false;
                told(notes, run, screen);
                eye.is_over(screen).await?
            }
            () = &mut late => true,
            note = notes.recv() => {
                eye.hear(note, screen);
                false
            }
            answer = screen.answer() => eye.pass_on(answer, screen).await?,
            () = tokio::time::sleep_until(eye.next), if eye.is_news || screen.is_moving() => {
                if eye.is_news && !is_awaited {
                    settled = Box::pin(engine.wait(run, None));
                    is_awaited = true;
                }
                eye.look(screen).await?
            }
        };
        if seen {
            return Ok(Followed::Seen);
        }
    }
}

/// Shows what was committed up to now.
fn told(notes: &mut Receiver<Note>, run: RunId, screen: &mut Screen) {
    loop {
        match notes.try_recv() {
            Ok(note) => screen.note(run, &note),
            Err(TryRecvError::Lagged(missed)) => screen.missed(missed),
            Err(TryRecvError::Empty | TryRecvError::Closed) => return,
        }
    }
}

/// Looks at the workflow when there is a reason to.
struct Eye<'a> {
    engine: &'a Engine,
    run: RunId,
    /// Whether something was committed since the last look.
    is_news: bool,
    next: Instant,
}

impl Eye<'_> {
    fn hear(&mut self, note: Result<Note, RecvError>, screen: &mut Screen) {
        self.is_news = true;
        match note {
            Ok(note) => screen.note(self.run, &note),
            Err(RecvError::Lagged(missed)) => screen.missed(missed),
            // The engine is gone only with the process.
            Err(RecvError::Closed) => {}
        }
    }

    /// Whether nobody can answer here what it asks.
    async fn is_over(&self, screen: &mut Screen) -> Result<bool, Failure> {
        Ok(!screen.asks(&self.engine.reader().status(self.run).await?))
    }

    /// Looks; answers whether nothing moves any longer.
    async fn look(&mut self, screen: &mut Screen) -> Result<bool, Failure> {
        let begun = Instant::now();
        let reader = self.engine.reader();
        let is_news = std::mem::take(&mut self.is_news);
        if screen.is_live() {
            screen.draw(&reader.status(self.run).await?);
        }
        let rests = is_news && reader.rests(Some(self.run)).await?;
        let seen = rests && self.is_over(screen).await?;
        let pause = PAUSE.max(screen.pause()).max(begun.elapsed() * 20);
        self.next = Instant::now() + pause;
        Ok(seen)
    }

    /// Passes on what somebody typed; answers whether they leave the rest open.
    async fn pass_on(&mut self, answer: Answer, screen: &mut Screen) -> Result<bool, Failure> {
        self.is_news = true;
        match answer {
            Answer::Signal(to, signal) => {
                if let Err(refused) = self.engine.signal(to, *signal).await {
                    screen.refused(&refused.message);
                }
                Ok(false)
            }
            Answer::Nothing => Ok(false),
            Answer::Leave => Ok(true),
        }
    }
}
