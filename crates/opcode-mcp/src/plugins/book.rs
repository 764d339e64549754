//! What is approved of one plugin and what it offers: its actions follow from both.
//!
//! Keeps: what was approved is on disk, so that definitions can be read before the plugin is up, or without it.
//! Not here: asking it what it offers (`connect.rs`).

use std::collections::BTreeMap;
use std::sync::Arc;

use opcode_model::Value;
use serde::{Deserialize, Serialize};

use super::card::Card;
use super::line::Line;
use super::pin::Digests;
use super::tool::{Standing, ToolAction};

/// A plugin in the catalog.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct Row {
    /// What the operator said of it; absent if that stands in the settings.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub config: Option<Value>,
    pub cards: Vec<Card>,
    #[serde(default)]
    pub digests: Digests,
}

/// What is known of one plugin's tools.
#[derive(Default)]
pub(super) struct Book {
    /// `None` before the first time.
    approved: Option<Approved>,
    offered: Option<Approved>,
    actions: BTreeMap<String, Arc<ToolAction>>,
}

/// Tools, and the program they are of.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Approved {
    pub cards: BTreeMap<String, Arc<Card>>,
    pub digests: Digests,
}

impl Approved {
    pub(super) fn new(cards: impl IntoIterator<Item = Card>, digests: Digests) -> Self {
        let card = |card: Card| (card.name.clone(), Arc::new(card));
        Self { cards: cards.into_iter().map(card).collect(), digests }
    }
}

impl Book {
    /// As it was approved.
    pub(super) fn of(row: Option<&Row>, line: &Arc<Line>) -> Self {
        let approved = row.map(|row| Approved::new(row.cards.clone(), row.digests.clone()));
        let mut book = Self { approved, ..Self::default() };
        book.draw(line);
        book
    }

    /// What was approved, if anything was.
    pub(super) fn approved(&self) -> Option<&Approved> {
        self.approved.as_ref()
    }

    /// What it offers now; taken as approved the first time, or if changes are trusted. Whether anything is approved anew.
    pub(super) fn offer(&mut self, line: &Arc<Line>, offered: Approved, trusts: bool) -> bool {
        let is_news = self.approved.as_ref() != Some(&offered);
        let takes = is_news && (trusts || self.approved.is_none());
        self.offered = Some(offered);
        if takes {
            self.approved = self.offered.clone();
        }
        self.draw(line);
        takes
    }

    /// Takes what it offers as approved.
    pub(super) fn approve(&mut self, line: &Arc<Line>) {
        self.approved = self.offered.clone().or_else(|| self.approved.take());
        self.draw(line);
    }

    /// Forgets what was approved, so that what it offers next is; answers what that was.
    pub(super) fn forget(&mut self, line: &Arc<Line>) -> Option<Approved> {
        let approved = self.approved.take();
        self.offered = None;
        self.draw(line);
        approved
    }

    /// What was approved before is so again.
    pub(super) fn restore(&mut self, line: &Arc<Line>, approved: Option<Approved>) {
        self.approved = approved;
        self.draw(line);
    }

    /// A tool as it is offered now.
    pub(super) fn offered(&self, tool: &str) -> Option<&Arc<Card>> {
        self.offered.as_ref()?.cards.get(tool)
    }

    /// The actions, from what is approved and what is offered.
    fn draw(&mut self, line: &Arc<Line>) {
        let nothing = Approved::default();
        let approved = self.approved.as_ref().unwrap_or(&nothing);
        let mut actions = BTreeMap::new();
        for (name, card) in &approved.cards {
            let now = self.offered.as_ref().map(|offered| offered.cards.get(name));
            let standing = match now {
                None => Standing::Approved,
                Some(Some(now)) if now == card => Standing::Approved,
                Some(Some(_)) => Standing::Changed,
                Some(None) => Standing::Gone,
            };
            actions.insert(name.clone(), (card.clone(), standing));
        }
        for (name, card) in self.offered.iter().flat_map(|offered| &offered.cards) {
            actions.entry(name.clone()).or_insert_with(|| (card.clone(), Standing::New));
        }
        let action = |(name, (card, standing))| {
            (name, Arc::new(ToolAction::new(line.clone(), card, standing)))
        };
        self.actions = actions.into_iter().map(action).collect();
    }

    /// The actions by their tools' names.
    pub(super) fn actions(&self) -> &BTreeMap<String, Arc<ToolAction>> {
        &self.actions
    }

    /// The mark of each tool that can be called.
    pub(super) fn marks(&self) -> BTreeMap<String, String> {
        let can = |(_, action): &(&String, &Arc<ToolAction>)| action.standing == Standing::Approved;
        let mark = |(name, action): (&String, &Arc<ToolAction>)| (name.clone(), action.card.mark());
        self.actions.iter().filter(can).map(mark).collect()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use opcode_model::Timestamp;
    use serde_json::json;

    use super::*;

    fn card(name: &str, about: &str) -> Card {
        serde_json::from_value(json!({"name": name, "about": about, "schema": {}})).unwrap()
    }

    fn offer(cards: &[(&str, &str)]) -> Approved {
        Approved::new(cards.iter().map(|(name, about)| card(name, about)), Digests::new())
    }

    fn standings(book: &Book) -> Vec<(&str, &str)> {
        book.actions().iter().map(|(name, it)| (name.as_str(), it.standing.text())).collect()
    }

    #[test]
    fn what_is_offered_otherwise_than_approved_waits_for_somebody() {
        let line = Arc::new(Line::new("p".into(), Duration::from_secs(1), Timestamp(0)));
        let mut book = Book::of(None, &line);
        assert!(book.offer(&line, offer(&[("a", "1"), ("b", "1")]), false), "the first is taken");
        assert!(!book.offer(&line, offer(&[("b", "2"), ("c", "1")]), false));
        assert_eq!(standings(&book), [("a", "gone"), ("b", "changed"), ("c", "new")]);
        assert_eq!(book.marks().len(), 0);
        book.approve(&line);
        assert_eq!(standings(&book), [("b", "approved"), ("c", "approved")]);
        assert!(book.offer(&line, offer(&[("d", "1")]), true), "changes are trusted");
        assert_eq!(standings(&book), [("d", "approved")]);
    }

    #[test]
    fn what_was_approved_is_known_before_it_is_up() {
        let line = Arc::new(Line::new("p".into(), Duration::from_secs(1), Timestamp(0)));
        let row = Row { cards: vec![card("a", "1")], ..Row::default() };
        let mut book = Book::of(Some(&row), &line);
        assert_eq!(standings(&book), [("a", "approved")]);
        book.approve(&line);
        assert_eq!(standings(&book), [("a", "approved")], "nobody knows what it offers now");
    }
}
