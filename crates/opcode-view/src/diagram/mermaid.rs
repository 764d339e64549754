//! A diagram as text that Mermaid draws.
//!
//! Keeps: the reference's shapes and colours; an id of ours is an id of Mermaid's, and no two are the same.
//! Not here: where anything is drawn, which is Mermaid's affair.

use opcode_model::StepStatus;
use std::collections::BTreeMap;

use super::text::cut;
use super::{Diagram, Group, Kind, Node, Why};

/// Columns of a label.
const LABEL_COLUMNS: usize = 80;

/// Colours by status.
const CLASSES: &str = "
    classDef completed fill:#2d6a2d,stroke:#1a4a1a,color:#fff
    classDef failed fill:#8b1a1a,stroke:#5c0e0e,color:#fff
    classDef running fill:#1a5276,stroke:#0e3a52,color:#fff
    classDef suspended fill:#b7791a,stroke:#8a5c14,color:#fff
    classDef pending fill:#6b6b6b,stroke:#4a4a4a,color:#fff
    classDef skipped fill:#4a4a4a,stroke:#333,color:#aaa,stroke-dasharray:5 5
";

/// Words that mean something else in Mermaid.
const TAKEN: [&str; 14] = [
    "end",
    "graph",
    "flowchart",
    "subgraph",
    "direction",
    "style",
    "linkStyle",
    "class",
    "classDef",
    "click",
    "href",
    "call",
    "default",
    "interpolate",
];

/// Writes, and knows which ids are taken.
#[derive(Default)]
struct Writer {
    out: String,
    classes: String,
    /// How often an id was wished for.
    taken: BTreeMap<String, usize>,
}

pub(super) fn write(diagram: &Diagram) -> String {
    let mut writer = Writer { out: "graph TD\n".to_owned(), ..Writer::default() };
    writer.taken.extend(TAKEN.map(|word| (word.to_owned(), 1)));
    writer.line(1, &format!("%% {}", escaped(&diagram.title)));
    let ids = writer.nodes(&diagram.top, 1);
    writer.edges(&diagram.top, &ids, 1);
    writer.out + CLASSES + &writer.classes
}

impl Writer {
    fn line(&mut self, depth: usize, text: &str) {
        self.out += &format!("{}{text}\n", "    ".repeat(depth));
    }

    /// An id that Mermaid takes and nobody has.
    fn id(&mut self, path: &str) -> String {
        let fits = |c: char| if c.is_ascii_alphanumeric() || c == '_' { c } else { '_' };
        let safe: String = path.chars().take(256).map(fits).collect();
        let mut id = safe.clone();
        while self.taken.contains_key(&id) {
            let times = self.taken.entry(safe.clone()).or_insert(1);
            *times += 1;
            id = format!("{safe}_{times}");
        }
        self.taken.insert(id.clone(), 1);
        id
    }

    /// The steps of a group with what is inside of them; answers their ids.
    fn nodes(&mut self, group: &Group, depth: usize) -> Vec<String> {
        let mut ids = Vec::new();
        for node in &group.nodes {
            let id = self.id(&node.path);
            let label = match &node.action {
                Some(action) if depth > 1 => format!("{} ({action})", node.id),
                Some(_) | None => node.id.to_string(),
            };
            let (open, close) = brackets(node.kind);
            self.line(depth, &format!("{id}{open}\"{}\"{close}", escaped(&label)));
            if let Some(class) = node.state.and_then(|state| class(state.status)) {
                self.classes += &format!("    class {id} {class}\n");
            }
            self.lanes(node, &id, depth);
            ids.push(id);
        }
        ids
    }

    fn lanes(&mut self, node: &Node, id: &str, depth: usize) {
        let is_choice = node.kind == Kind::Condition;
        for lane in node.lanes.iter().filter(|lane| !lane.group.nodes.is_empty()) {
            let own = self.id(&format!("{}.{}", node.path, lane.key));
            let title = escaped(&format!("{}: {}", node.id, lane.key));
            self.line(depth, &format!("subgraph {own}[\"{title}\"]"));
            let ids = self.nodes(&lane.group, depth + 1);
            self.edges(&lane.group, &ids, depth + 1);
            self.line(depth, "end");
            let label =
                if is_choice { format!("|\"{}\"|", escaped(&lane.key)) } else { String::new() };
            self.line(depth, &format!("{id} -.->{label} {own}"));
        }
    }

    fn edges(&mut self, group: &Group, ids: &[String], depth: usize) {
        for edge in &group.edges {
            let arrow = match edge.why {
                Why::Order => "-->",
                Why::Fallback => "-. \"on error\" .->",
            };
            self.line(depth, &format!("{} {arrow} {}", ids[edge.from], ids[edge.to]));
        }
    }
}

/// What stands around a label: the shape.
fn brackets(kind: Kind) -> (&'static str, &'static str) {
    match kind {
        Kind::Action => ("[", "]"),
        Kind::Condition => ("{", "}"),
        Kind::Reasoning => ("{{", "}}"),
        Kind::Wait => ("([", "])"),
        Kind::Parallel | Kind::Loop => ("[[", "]]"),
        Kind::Start | Kind::End => ("((", "))"),
    }
}

fn class(status: StepStatus) -> Option<&'static str> {
    match status {
        StepStatus::Completed => Some("completed"),
        StepStatus::Failed => Some("failed"),
        StepStatus::Running => Some("running"),
        StepStatus::Suspended => Some("suspended"),
        StepStatus::Pending | StepStatus::Scheduled => Some("pending"),
        StepStatus::Skipped => Some("skipped"),
        StepStatus::Retrying => None,
    }
}

/// Inside of quotes: Mermaid's own escapes for all that HTML, Markdown or Mermaid would read as more than a letter.
fn escaped(text: &str) -> String {
    let mut out = String::new();
    for c in cut(text, LABEL_COLUMNS).chars() {
        match c {
            '"' => out.push_str("#quot;"),
            '<' => out.push_str("#lt;"),
            '>' => out.push_str("#gt;"),
            '&' => out.push_str("#amp;"),
            '#' | ';' | '`' | '\\' | '%' | '$' | '*' | '~' => {
                out += &format!("#{};", u32::from(c));
            }
            c => out.push(c),
        }
    }
    out
}
