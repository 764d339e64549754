//! Story files as text: stories, their plans, their commands, and the expectations below each.
//!
//! Keeps: what a file says and is not an expectation is written back as it stood.
//! Not here: what a command does (`play.rs`).

/// One story of a file.
#[derive(Clone, Debug)]
pub(super) struct Story {
    /// What it shows: its comment.
    pub(super) title: String,
    /// The line it begins at, from 1.
    pub(super) line: usize,
    /// Its lines, in order.
    pub(super) lines: Vec<Line>,
}

/// A line of a story, expectations aside.
#[derive(Clone, Debug)]
pub(super) enum Line {
    /// A comment or an empty line.
    Said(String),
    /// A command, the indented lines that belong to it, and what is expected.
    Command {
        /// The line.
        text: String,
        /// A plan's own lines.
        body: Vec<String>,
        /// What the engine should say.
        expected: Vec<String>,
    },
}

/// Whether an indented line is an expectation rather than part of a plan.
fn is_expectation(line: &str) -> bool {
    let mut chars = line.trim_start().chars();
    let mark = chars.next().is_some_and(|c| matches!(c, '>' | '!' | '~' | '=' | 'x' | '?'));
    mark && chars.next().is_none_or(|c| c == ' ')
}

/// Splits a file into its stories. A story begins with a comment after an empty line.
pub(super) fn stories(text: &str) -> Vec<Story> {
    let mut stories: Vec<Story> = Vec::new();
    let mut fresh = true;
    for (i, line) in text.lines().enumerate() {
        let begins = fresh && line.starts_with('#');
        if begins || stories.is_empty() {
            let title = line.trim_start_matches('#').trim().to_owned();
            stories.push(Story { title, line: i + 1, lines: Vec::new() });
        }
        fresh = line.is_empty();
        let Some(story) = stories.last_mut() else { continue };
        let indented = line.starts_with(' ');
        match story.lines.last_mut() {
            Some(Line::Command { body, expected, .. }) if indented => {
                if is_expectation(line) {
                    expected.push(line.to_owned());
                } else {
                    body.push(line.to_owned());
                }
            }
            _ if line.is_empty() || line.starts_with('#') => {
                story.lines.push(Line::Said(line.to_owned()));
            }
            _ => story.lines.push(Line::Command {
                text: line.to_owned(),
                body: Vec::new(),
                expected: Vec::new(),
            }),
        }
    }
    stories
}

impl Story {
    /// The story as text, with `said` in place of its expectations, command by command.
    pub(super) fn with(&self, said: &[Vec<String>]) -> String {
        let mut text = String::new();
        let mut add = |line: &str| {
            text.push_str(line);
            text.push('\n');
        };
        let mut said = said.iter();
        for line in &self.lines {
            match line {
                Line::Said(line) => add(line),
                Line::Command { text, body, expected } => {
                    add(text);
                    body.iter().for_each(|line| add(line));
                    said.next().unwrap_or(expected).iter().for_each(|line| add(line));
                }
            }
        }
        text
    }

    /// The story as it stands.
    pub(super) fn as_written(&self) -> String {
        self.with(&[])
    }
}
