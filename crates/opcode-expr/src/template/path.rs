//! Plain paths: `steps.fetch-data.output.items[0]`, `inputs['a b']`, `loop.item.name`.
//!
//! Keeps: a `-` without blanks belongs to the name; a dotted step id is matched greedily against the steps there are.
//! Not here: anything with an operator or a call, which is CEL.

use std::sync::Arc;

use opcode_model::limits::EXPRESSION_BYTES_MAX;
use opcode_model::problem::nearest;

use crate::cel::{Access, Base, Code, Node, Op, ROOTS};
use crate::error::{CompileError, CompileErrorKind, listed, shorten};
use crate::program::Program;
use crate::references::{References, StepReference};

/// Segments a path may have: more than the longest step id and the deepest value together.
const SEGMENTS_MAX: usize = 256;

/// Parts of a path that may belong to a step's id.
const ID_PARTS_MAX: usize = 64;

/// One step of a path.
struct Segment {
    key: Arc<str>,
    index: Option<i64>,
    end: usize,
}

/// The path in `source`, compiled; `None` if it is not a plain path.
pub(super) fn compile(source: &str) -> Option<Result<Program, Box<CompileError>>> {
    if source.len() > EXPRESSION_BYTES_MAX {
        return None;
    }
    let (root, segments) = parse(source)?;
    if ["true", "false", "null"].contains(&root) {
        return None;
    }
    if !ROOTS.contains(&root) {
        return Some(Err(unknown_namespace(root)));
    }
    if segments.len() > SEGMENTS_MAX {
        let span = 0..source.len();
        return Some(Err(CompileError::limit("the segments of a path", SEGMENTS_MAX, span)));
    }
    Some(Ok(build(source, root, &segments)))
}

fn unknown_namespace(root: &str) -> Box<CompileError> {
    let mut available: Vec<&str> = ROOTS.iter().copied().chain(["secrets"]).collect();
    available.sort_unstable();
    let message = format!(
        "unknown namespace `{}`; available: {}",
        shorten(root, 80),
        listed(available.iter().copied())
    );
    let error = CompileError::new(message, 0..root.len()).of_kind(CompileErrorKind::Unknown);
    match nearest(root, available) {
        Some(near) => error.with_hint(format!("did you mean `{near}`?")),
        None => error,
    }
}

/// Root name and segments.
fn parse(source: &str) -> Option<(&str, Vec<Segment>)> {
    let root_len = source.find(|c: char| !is_name(c)).unwrap_or(source.len());
    let root = &source[..root_len];
    if !root.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_') {
        return None;
    }
    let mut segments = Vec::new();
    let mut rest = &source[root_len..];
    while !rest.is_empty() {
        let (segment, after) = if let Some(dotted) = rest.strip_prefix('.') {
            let len = dotted.find(|c: char| !is_name(c)).unwrap_or(dotted.len());
            ((len > 0).then(|| (dotted[..len].into(), None))?, &dotted[len..])
        } else {
            bracket(rest.strip_prefix('[')?)?
        };
        let (key, index) = segment;
        segments.push(Segment { key, index, end: source.len() - after.len() });
        rest = after;
    }
    Some((root, segments))
}

fn is_name(c: char) -> bool {
    c.is_alphanumeric() || c == '_' || c == '-'
}

type Bracketed<'s> = ((Arc<str>, Option<i64>), &'s str);

/// `'id']`, `"id"]` or `0]`.
fn bracket(rest: &str) -> Option<Bracketed<'_>> {
    let quote = rest.chars().next().filter(|c| *c == '\'' || *c == '"');
    match quote {
        Some(quote) => {
            let (key, after) = rest[1..].split_once(quote)?;
            let plain = !key.contains('\\');
            plain.then_some(((key.into(), None), after.strip_prefix(']')?))
        }
        None => {
            let (number, after) = rest.split_once(']')?;
            let digits = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
            let index = digits.then(|| number.parse().ok()).flatten()?;
            Some(((number.into(), Some(index)), after))
        }
    }
}

fn build(source: &str, root: &str, segments: &[Segment]) -> Program {
    let mut references = References::default();
    let root: Arc<str> = if root == "loop" { "iter".into() } else { root.into() };
    references.roots.insert(root.clone());
    let base = match root.as_ref() {
        "steps" => step_base(segments, &mut references),
        "step_status" => {
            return step_status(source, segments, references);
        }
        "now" => Base::Now,
        "inputs" | "workflow" | "context" => {
            if let (true, Some(first)) = (&*root == "inputs", segments.first()) {
                references.inputs.push((first.key.clone(), 0..first.end));
            }
            match source[root.len()..].strip_prefix('.') {
                Some(remainder) if segments.len() > 1 => {
                    Base::RootPath { name: root, remainder: remainder.into() }
                }
                _ => Base::Root(root),
            }
        }
        _ => Base::Root(root),
    };
    program(source, base, segments, references)
}

fn program(source: &str, base: Base, segments: &[Segment], references: References) -> Program {
    let mut nodes = Vec::new();
    let mut ops = Vec::with_capacity(segments.len());
    for segment in segments {
        let span = (0, segment.end as u32);
        let op = match segment.index {
            None => Op::Field { key: segment.key.clone(), optional: false },
            Some(index) => {
                nodes.push(Node::Literal(index.into()));
                Op::Index { index: (nodes.len() - 1) as u32, optional: false }
            }
        };
        ops.push((op, span));
    }
    nodes.push(Node::Access(Access { base, ops }));
    let spans = vec![(0, source.len() as u32); nodes.len()];
    let root = (nodes.len() - 1) as u32;
    let code = Code { nodes, spans, root, slots: 0, patterns: Vec::new() };
    Program::from_code(source, code, references)
}

fn step_base(segments: &[Segment], references: &mut References) -> Base {
    let mut ids: Vec<(Arc<str>, usize)> = Vec::new();
    let mut id = String::new();
    let named = segments.iter().take_while(|segment| segment.index.is_none());
    for (at, segment) in named.take(ID_PARTS_MAX).enumerate() {
        if at > 0 {
            id.push('.');
        }
        id += &segment.key;
        ids.push((id.as_str().into(), at + 1));
    }
    ids.reverse();
    if ids.is_empty() {
        references.dynamic_steps = true;
        return Base::Steps;
    }
    references.steps.push(StepReference {
        ids: ids.iter().map(|id| id.0.clone()).collect(),
        span: 0..segments.last().map_or(0, |segment| segment.end),
        status_only: segments.get(1).is_some_and(|segment| &*segment.key == "status"),
    });
    Base::StepPath { ids }
}

/// Below `step_status` everything is the step's id.
fn step_status(source: &str, segments: &[Segment], mut references: References) -> Program {
    let parts: Vec<&str> = segments.iter().map(|segment| segment.key.as_ref()).collect();
    let Some(last) = segments.last() else {
        references.dynamic_steps = true;
        return program(source, Base::StepStatus, &[], references);
    };
    let id: Arc<str> = parts.join(".").into();
    references.steps.push(StepReference {
        ids: vec![id.clone()],
        span: 0..last.end,
        status_only: true,
    });
    let whole = Segment { key: id, index: None, end: last.end };
    program(source, Base::StepStatus, &[whole], references)
}
