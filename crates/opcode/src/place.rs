//! Finds where in a JSON text the thing is that a pointer names.
//!
//! Keeps: lines and columns count from 1, columns in characters.
//! Not here: reading the text (`source.rs`).

/// A place in a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct LineColumn {
    /// From 1.
    pub(crate) line: usize,
    /// From 1, in characters.
    pub(crate) column: usize,
}

/// The line and column of a byte of a text.
pub(crate) fn line_column(text: &str, at: usize) -> LineColumn {
    let before = text.get(..at.min(text.len())).unwrap_or(text);
    let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
    LineColumn {
        line: before.matches('\n').count() + 1,
        column: before[line_start..].chars().count() + 1,
    }
}

/// The byte at which the value under a JSON pointer begins, or the nearest value around it.
pub(crate) fn locate(text: &str, pointer: &str) -> usize {
    let mut at = space(text, 0);
    for token in pointer.split('/').skip(1) {
        let token = token.replace("~1", "/").replace("~0", "~");
        match member(text, at, &token) {
            Some(next) => at = next,
            None => break,
        }
    }
    at
}

/// Where a member of the object or list at `at` begins.
fn member(text: &str, at: usize, token: &str) -> Option<usize> {
    let bytes = text.as_bytes();
    let is_object = match bytes.get(at)? {
        b'{' => true,
        b'[' => false,
        _ => return None,
    };
    let (mut at, mut place) = (space(text, at + 1), 0);
    while !matches!(bytes.get(at)?, b'}' | b']') {
        let is_it = if is_object {
            let end = skip(text, at);
            let key: String = serde_json::from_str(text.get(at..end)?).ok()?;
            at = space(text, space(text, end) + 1);
            key == token
        } else {
            place += 1;
            token.parse() == Ok(place - 1)
        };
        if is_it {
            return Some(at);
        }
        at = space(text, skip(text, at));
        if bytes.get(at) == Some(&b',') {
            at = space(text, at + 1);
        }
    }
    None
}

fn space(text: &str, at: usize) -> usize {
    let rest = text.as_bytes().get(at..).unwrap_or_default();
    at + rest.iter().take_while(|byte| byte.is_ascii_whitespace()).count()
}

/// The byte after the value that begins at `at`.
fn skip(text: &str, at: usize) -> usize {
    let bytes = text.as_bytes();
    let (mut at, mut depth) = (at, 0_usize);
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'"' => {
                at = string_end(bytes, at);
                if depth == 0 {
                    return at;
                }
                continue;
            }
            b'{' | b'[' => depth += 1,
            b'}' | b']' if depth <= 1 => return if depth == 1 { at + 1 } else { at },
            b'}' | b']' => depth -= 1,
            b',' if depth == 0 => return at,
            byte if depth == 0 && byte.is_ascii_whitespace() => return at,
            _ => {}
        }
        at += 1;
    }
    at
}

fn string_end(bytes: &[u8], at: usize) -> usize {
    let mut at = at + 1;
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'"' => return at + 1,
            b'\\' => at += 2,
            _ => at += 1,
        }
    }
    at
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pointers_lead_to_their_values() {
        let text = "{\n  \"a\": [1, {\"x/y\": \"] } \\\" ü\", \"b\" : true}],\n  \"c\": {}\n}";
        for (pointer, line, column) in [
            ("", 1, 1),
            ("/a", 2, 8),
            ("/a/0", 2, 9),
            ("/a/1/x~1y", 2, 20),
            ("/a/1/b", 2, 38),
            ("/c", 3, 8),
            ("/c/missing/deeper", 3, 8),
        ] {
            let found = line_column(text, locate(text, pointer));
            assert_eq!(found, LineColumn { line, column }, "{pointer}");
        }
    }
}
