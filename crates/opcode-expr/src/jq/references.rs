//! What a program can be seen to read of a workflow's scope, from its text alone.
//!
//! Keeps: wherever `.` may still be the whole scope, a step or input named by a constant is found; anything else is announced.
//! Not here: what the engine makes of it.

use std::sync::Arc;

use opcode_model::Value;

use super::root::ROOTS;
use super::syntax::{Id, Key, Node, Part, Segment, Suffix, SuffixKind, Syntax};
use super::trouble::Span;
use crate::references::{References, StepReference};

/// Functions that do nothing with their input but hand it to their arguments, if that.
const TRANSPARENT: [&str; 24] = [
    "empty", "error", "range", "now", "infinite", "nan", "select", "first", "last", "isempty",
    "limit", "skip", "until", "while", "repeat", "any", "all", "IN", "INDEX", "add", "pow", "nth",
    "halt", "builtins",
];

/// What the program reads of the scope it is evaluated over.
pub(super) fn references(syntax: &Syntax) -> References {
    let mut finder = Finder { syntax, found: References::default() };
    finder.node(syntax.root);
    finder.found
}

struct Finder<'a> {
    syntax: &'a Syntax,
    found: References,
}

impl Finder<'_> {
    /// All of the scope is used as one value.
    fn whole(&mut self) {
        self.found.dynamic_steps = true;
        self.found.roots.insert("steps".into());
    }

    fn all(&mut self, ids: &[Id]) {
        ids.iter().for_each(|id| self.node(*id));
    }

    /// A node whose input is the scope.
    fn node(&mut self, id: Id) {
        let syntax = self.syntax;
        match syntax.node(id) {
            Node::Identity | Node::Recurse | Node::Format(_) => self.whole(),
            Node::Constant(_) | Node::Variable(_) | Node::Break(_) | Node::Array(None) => {}
            Node::Text { parts, .. } => {
                for part in parts {
                    if let Part::Query(id) = part {
                        self.node(*id);
                    }
                }
            }
            Node::Call { name, arguments } => {
                let is_known = TRANSPARENT.contains(&name.as_ref());
                if !is_known || name.as_ref() == "error" && arguments.is_empty() {
                    self.whole();
                }
                self.all(arguments);
            }
            Node::Object(entries) => {
                for entry in entries {
                    match (&entry.key, entry.value) {
                        (Key::Name(name), None) => self.root(name, &[], syntax.span(id)),
                        (Key::Query(key), None) => {
                            self.node(*key);
                            self.whole();
                        }
                        (Key::Query(key), Some(_)) => self.node(*key),
                        (Key::Name(_) | Key::Variable(_), _) => {}
                    }
                    entry.value.into_iter().for_each(|value| self.node(value));
                }
            }
            Node::Array(Some(items)) => self.node(*items),
            Node::Signs { operand, .. } => self.node(*operand),
            Node::If { arms, otherwise } => {
                arms.iter().for_each(|(condition, then)| self.all(&[*condition, *then]));
                match otherwise {
                    Some(otherwise) => self.node(*otherwise),
                    None => self.whole(),
                }
            }
            Node::Try { body, .. } => self.node(*body),
            Node::Reduce { source, start, .. } | Node::Foreach { source, start, .. } => {
                self.all(&[*source, *start]);
            }
            Node::Postfix { base, suffixes } => self.postfix(*base, suffixes),
            Node::Chain { first, rest } => {
                self.node(*first);
                rest.iter().for_each(|(_, id)| self.node(*id));
            }
            Node::And(items) | Node::Or(items) | Node::Alternative(items) | Node::Comma(items) => {
                self.all(items);
            }
            Node::Assign { left, right }
            | Node::Modify { left, right }
            | Node::Update { left, right, .. } => {
                self.whole();
                self.all(&[*left, *right]);
            }
            Node::Pipe(segments) => self.pipe(segments),
        }
    }

    /// Up to the first query, the input of every stage is the scope.
    fn pipe(&mut self, segments: &[Segment]) {
        for segment in segments {
            match segment {
                Segment::Query(id) => {
                    // `. | f`: `f` reads what `.` read.
                    if matches!(self.syntax.node(*id), Node::Identity) && segments.len() > 1 {
                        self.whole();
                    }
                    return self.node(*id);
                }
                Segment::Bind { source, .. } => self.node(*source),
                Segment::Define(definition) => self.node(definition.body),
                Segment::Label(_) => {}
            }
        }
    }

    fn postfix(&mut self, base: Id, suffixes: &[Suffix]) {
        for suffix in suffixes {
            match &suffix.kind {
                SuffixKind::Index(id) => self.node(*id),
                SuffixKind::Slice(from, to) => {
                    from.iter().chain(to).for_each(|id| self.node(*id));
                }
                SuffixKind::Field(_) | SuffixKind::Each => {}
            }
        }
        let keys: Option<(&Suffix, &[Suffix])> = suffixes.split_first();
        match (self.syntax.node(base), keys) {
            (Node::Identity, Some((first, rest))) => match self.key(first) {
                Some(name) => self.root(&name, rest, first.span),
                None => self.whole(),
            },
            _ => self.node(base),
        }
    }

    /// The constant key that a suffix reads.
    fn key(&self, suffix: &Suffix) -> Option<Arc<str>> {
        match &suffix.kind {
            SuffixKind::Field(name) => Some(name.clone()),
            SuffixKind::Index(id) => match self.syntax.node(*id) {
                Node::Constant(Value::String(name)) => Some(name.clone()),
                _ => None,
            },
            SuffixKind::Slice(..) | SuffixKind::Each => None,
        }
    }

    fn root(&mut self, name: &Arc<str>, rest: &[Suffix], span: Span) {
        let next = rest.first();
        let key = next.and_then(|suffix| Some((self.key(suffix)?, suffix.span)));
        let range = |to: Span| span.0 as usize..to.1 as usize;
        match (name.as_ref(), key) {
            ("steps", Some((id, to))) => {
                let ids = vec![id];
                self.found.steps.push(StepReference { ids, span: range(to), status_only: false });
            }
            ("steps", None) => self.found.dynamic_steps = true,
            ("inputs", Some((key, to))) => self.found.inputs.push((key, range(to))),
            _ => {}
        }
        if name.as_ref() != "steps" && !ROOTS.contains(&name.as_ref()) {
            return self.found.names.push((name.clone(), range(span)));
        }
        let root: Arc<str> = if name.as_ref() == "loop" { "iter".into() } else { name.clone() };
        self.found.roots.insert(root);
    }
}
