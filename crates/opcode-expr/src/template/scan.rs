//! A text into its literal pieces and its `${{ … }}`.
//!
//! Keeps: the end is where the expression's own quotes, braces and comments say; `$${{` is a literal `${{`.
//! Not here: what an expression means (`path.rs`, `cel`).

use std::borrow::Cow;

use crate::error::{CompileError, CompileErrorKind};

const OPEN: &str = "${{";

/// A piece of a text.
#[derive(Debug, PartialEq)]
pub(super) enum Segment<'t> {
    Text(Cow<'t, str>),
    /// An expression without its braces and outer blanks, and where it starts in the text.
    Expression {
        source: &'t str,
        start: usize,
    },
    /// `secrets.NAME`, the name as it stands.
    Secret(&'t str),
}

/// Takes `text` apart.
pub(super) fn split(text: &str) -> Result<Vec<Segment<'_>>, Box<CompileError>> {
    let mut segments = Vec::new();
    let mut literal = Cow::Borrowed("");
    let mut at = 0;
    while let Some(found) = text[at..].find(OPEN) {
        let open = at + found;
        if text[at..open].ends_with('$') {
            append(&mut literal, &text[at..open - 1]);
            append(&mut literal, OPEN);
            at = open + OPEN.len();
            continue;
        }
        append(&mut literal, &text[at..open]);
        if !literal.is_empty() {
            segments.push(Segment::Text(std::mem::take(&mut literal)));
        }
        let inside = open + OPEN.len();
        let end = find_end(text, inside)?;
        segments.push(segment(text, open, inside..end)?);
        at = end + 2;
    }
    append(&mut literal, &text[at..]);
    if !literal.is_empty() || segments.is_empty() {
        segments.push(Segment::Text(literal));
    }
    Ok(segments)
}

fn append<'t>(literal: &mut Cow<'t, str>, more: &'t str) {
    if literal.is_empty() {
        *literal = Cow::Borrowed(more);
    } else if !more.is_empty() {
        literal.to_mut().push_str(more);
    }
}

fn segment(
    text: &str,
    open: usize,
    inside: std::ops::Range<usize>,
) -> Result<Segment<'_>, Box<CompileError>> {
    let written = &text[inside.clone()];
    let source = written.trim();
    let start = inside.start + (written.len() - written.trim_start().len());
    if source.is_empty() {
        let error = CompileError::new("empty ${{ }}", open..inside.end + 2);
        return Err(error.with_hint("write ${{ steps.id.field }}, or $${{ for a literal ${{"));
    }
    let names_secrets = source == "secrets"
        || source.strip_prefix("secrets").is_some_and(|rest| rest.starts_with(['.', '[']));
    if !names_secrets {
        return Ok(Segment::Expression { source, start });
    }
    let name = source.strip_prefix("secrets.").unwrap_or_default();
    let plain = |c: char| !c.is_whitespace() && !"'\"`[](){}|&?:,+*/%<>=!$".contains(c);
    if name.is_empty() || !name.chars().all(plain) || name.starts_with('.') || name.ends_with('.') {
        let span = start..start + source.len();
        let message = "a secret is read by its plain path only";
        let error = CompileError::new(message, span).of_kind(CompileErrorKind::Secret);
        return Err(error.with_hint("write ${{secrets.NAME}}, and text around it as it is"));
    }
    Ok(Segment::Secret(name))
}

/// Where the `}}` of the expression starting at `start` stands.
fn find_end(text: &str, start: usize) -> Result<usize, Box<CompileError>> {
    let unclosed = || {
        let error = CompileError::new("unclosed ${{", start - OPEN.len()..text.len());
        error.with_hint("close it with }}, or write $${{ for a literal ${{")
    };
    let bytes = text.as_bytes();
    let (mut at, mut open) = (start, 0_usize);
    while at < bytes.len() {
        match bytes[at] {
            b'"' | b'\'' => match skip_string(bytes, start, at) {
                Some(after) => at = after,
                None => return Err(unclosed_string(at, text)),
            },
            // A comment ends with its line, or with the expression.
            b'/' if bytes.get(at + 1) == Some(&b'/') => {
                while at < bytes.len() && bytes[at] != b'\n' && !bytes[at..].starts_with(b"}}") {
                    at += 1;
                }
            }
            b'$' if text[at..].starts_with(OPEN) => {
                let message = "a ${{ }} inside another";
                let error = CompileError::new(message, at..at + OPEN.len());
                return Err(
                    error.with_hint("one ${{ }} holds a whole expression: name the path directly")
                );
            }
            b'{' => {
                open += 1;
                at += 1;
            }
            b'}' if open > 0 => {
                open -= 1;
                at += 1;
            }
            b'}' if bytes.get(at + 1) == Some(&b'}') => return Ok(at),
            _ => at += 1,
        }
    }
    Err(unclosed())
}

fn unclosed_string(at: usize, text: &str) -> Box<CompileError> {
    CompileError::new("unclosed string in ${{ }}", at..text.len())
}

/// The byte after the string literal at `at`; `None` if it does not end.
fn skip_string(bytes: &[u8], start: usize, at: usize) -> Option<usize> {
    let quote = bytes[at];
    let raw = (1..=2).any(|back| {
        let before = at.checked_sub(back).filter(|before| *before >= start);
        before.is_some_and(|before| {
            let prefix = &bytes[before..at];
            let letters = prefix.iter().all(|byte| b"rRbB".contains(byte));
            letters && prefix.iter().any(|byte| b"rR".contains(byte))
        })
    });
    let triple = bytes.get(at + 1) == Some(&quote) && bytes.get(at + 2) == Some(&quote);
    let fences = [quote; 3];
    let fence = if triple { &fences[..] } else { &fences[..1] };
    let mut at = at + fence.len();
    while at < bytes.len() {
        if !triple && bytes[at] == b'\n' {
            return None;
        }
        if bytes[at] == b'\\' && !raw {
            at += 2;
        } else if bytes[at..].starts_with(fence) {
            return Some(at + fence.len());
        } else {
            at += 1;
        }
    }
    None
}
