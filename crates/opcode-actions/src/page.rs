//! What is written about an action, read from the header of its own file.
//!
//! Keeps: the example a reader sees is the one the tests run.
//! Not here: laying the pages out as one document (`reference.rs`).

use opcode_model::EffectClass;

/// What is written about an action: what the types cannot say.
#[derive(Clone, Copy, Debug)]
pub struct Page {
    /// Its name, such as `http.get`.
    pub name: &'static str,
    /// What happens outside when it runs.
    pub class: EffectClass,
    /// The action's own file; its header holds the summary and the example.
    pub source: &'static str,
    /// The members of its output, each with what it holds.
    pub output: &'static [(&'static str, &'static str)],
}

impl Page {
    /// What it does, in one line: the header's first sentence without the name.
    pub fn summary(&self) -> &'static str {
        let line = self.source.lines().next().unwrap_or_default();
        line.split_once("`: ").map_or("", |(_, text)| text.trim_end_matches('.'))
    }

    /// The header's first JSON block: a step, as far as it matters.
    pub fn before(&self) -> String {
        self.block(0)
    }

    /// The header's second JSON block: the output of that step.
    pub fn after(&self) -> String {
        self.block(1)
    }

    fn block(&self, place: usize) -> String {
        let header =
            self.source.lines().map_while(|line| line.strip_prefix("//!")).collect::<Vec<_>>();
        let text = header.join("\n");
        let block = text.split("```json").nth(place + 1).and_then(|rest| rest.split("```").next());
        let lines =
            block.unwrap_or_default().lines().map(|line| line.strip_prefix(' ').unwrap_or(line));
        lines.collect::<Vec<_>>().join("\n").trim().to_owned()
    }
}
