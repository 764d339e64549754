//! A word that can be given once and heard by many: stop.
//!
//! Keeps: a stop that fired stays fired; a stopper that is dropped without a word never fires.
//! Not here: what is stopped, and how (`exec.rs`).

use tokio::sync::watch;

/// What was said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Said {
    Nothing,
    Stop,
    /// Stop, unless you can go on alone.
    LetGo,
}

/// Hears the word. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Stop(watch::Receiver<Said>);

/// Gives the word.
#[derive(Debug)]
pub struct Stopper(watch::Sender<Said>);

impl Stop {
    /// A stop and the one who can fire it.
    pub fn pair() -> (Stopper, Self) {
        let (sender, receiver) = watch::channel(Said::Nothing);
        (Stopper(sender), Self(receiver))
    }

    /// A stop that never fires.
    pub fn never() -> Self {
        Self::pair().1
    }

    /// Whether the word was given.
    pub fn fired(&self) -> bool {
        *self.0.borrow() != Said::Nothing
    }

    /// Whether what can go on without us shall do so.
    pub fn is_let_go(&self) -> bool {
        *self.0.borrow() == Said::LetGo
    }

    /// Waits for the word; for ever if it never comes.
    pub async fn wait(&self) {
        let mut receiver = self.0.clone();
        if receiver.wait_for(|said| *said != Said::Nothing).await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}

impl Stopper {
    /// Gives the word. Giving it again changes nothing.
    pub fn fire(&self) {
        self.0.send_replace(Said::Stop);
    }

    /// Gives the word to all that cannot go on without us.
    pub fn let_go(&self) {
        self.0.send_replace(Said::LetGo);
    }
}
