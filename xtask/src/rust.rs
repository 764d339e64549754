//! Reads Rust text just well enough: what is code, where functions begin and end, which modules a file mounts.
//!
//! Keeps: blanking changes no offset and no line, so a place in `code` is a place in the file.
//! Not here: any judgement of what it finds (`tidy`).

/// The text with comments turned into spaces, and the insides of strings and characters into quote marks.
/// A line that holds nothing but string is therefore still a line of code.
pub fn code(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut out = bytes.to_vec();
    let mut at = 0;
    while at < bytes.len() {
        let literal = match bytes[at] {
            b'/' if bytes[at..].starts_with(b"//") => Some((line_end(bytes, at), b' ')),
            b'/' if bytes[at..].starts_with(b"/*") => Some((comment_end(bytes, at), b' ')),
            b'"' => Some((string_end(bytes, at), b'"')),
            b'\'' => char_end(bytes, at).map(|end| (end, b'\'')),
            byte if is_word(byte) => prefixed_end(bytes, at).map(|end| (end, b'"')),
            _ => None,
        };
        at = match literal {
            Some((end, filler)) => {
                blank(&mut out[at..end], filler);
                end
            }
            None => at + word_length(bytes, at).max(1),
        };
    }
    String::from_utf8_lossy(&out).into_owned()
}

fn blank(region: &mut [u8], filler: u8) {
    region.iter_mut().filter(|byte| **byte != b'\n').for_each(|byte| *byte = filler);
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || byte >= 0x80
}

fn word_length(bytes: &[u8], at: usize) -> usize {
    bytes[at..].iter().take_while(|byte| is_word(**byte)).count()
}

fn line_end(bytes: &[u8], at: usize) -> usize {
    bytes[at..].iter().position(|byte| *byte == b'\n').map_or(bytes.len(), |n| at + n)
}

fn comment_end(bytes: &[u8], at: usize) -> usize {
    let mut depth = 0;
    let mut at = at;
    while at < bytes.len() {
        if bytes[at..].starts_with(b"/*") {
            depth += 1;
            at += 2;
        } else if bytes[at..].starts_with(b"*/") {
            depth -= 1;
            at += 2;
            if depth == 0 {
                return at;
            }
        } else {
            at += 1;
        }
    }
    bytes.len()
}

/// From an opening quote to past the closing one.
fn string_end(bytes: &[u8], at: usize) -> usize {
    let mut at = at + 1;
    while at < bytes.len() {
        match bytes[at] {
            b'\\' => at += 2,
            b'"' => return at + 1,
            _ => at += 1,
        }
    }
    bytes.len()
}

/// Past a character literal; `None` for a lifetime.
fn char_end(bytes: &[u8], at: usize) -> Option<usize> {
    let width = match bytes.get(at + 1)? {
        b'\\' => {
            let close = bytes.get(at + 3..)?.iter().position(|byte| *byte == b'\'')?;
            return Some(at + 3 + close + 1);
        }
        0xF0.. => 4,
        0xE0.. => 3,
        0xC0.. => 2,
        _ => 1,
    };
    (bytes.get(at + 1 + width) == Some(&b'\'')).then_some(at + width + 2)
}

/// Past a literal with a prefix (`b"…"`, `c"…"`, `r#"…"#`, `b'…'`); `None` for any other word.
fn prefixed_end(bytes: &[u8], at: usize) -> Option<usize> {
    let quote = at + word_length(bytes, at);
    match (&bytes[at..quote], bytes.get(quote)?) {
        (b"b" | b"c", b'"') => Some(string_end(bytes, quote)),
        (b"b", b'\'') => char_end(bytes, quote),
        (b"r" | b"br" | b"cr", _) => raw_end(bytes, quote),
        _ => None,
    }
}

/// Past a raw string whose hashes or quote begin at `at`; `None` for a raw identifier.
fn raw_end(bytes: &[u8], at: usize) -> Option<usize> {
    let hashes = bytes[at..].iter().take_while(|byte| **byte == b'#').count();
    (bytes.get(at + hashes) == Some(&b'"')).then_some(())?;
    let mut close = vec![b'"'];
    close.resize(hashes + 1, b'#');
    let body = at + hashes + 1;
    let found = bytes[body..].windows(close.len()).position(|window| window == close);
    Some(found.map_or(bytes.len(), |n| body + n + close.len()))
}

/// A function with a body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Function {
    /// Its name.
    pub name: String,
    /// The line its `fn` stands on, from 1.
    pub line: usize,
    /// Lines of code between its braces.
    pub body_lines: usize,
    /// Whether an attribute before it expects it to be long.
    pub expected_long: bool,
}

/// Every function with a body in blanked `code`, outer ones before inner ones.
pub fn functions(code: &str) -> Vec<Function> {
    words(code, "fn")
        .filter_map(|at| {
            let name = word_at(code, skip_space(code, at + 2))?;
            let open = body_start(code, at)?;
            let close = matching_brace(code, open)?;
            let body = code[open + 1..close].lines().filter(|line| !line.trim().is_empty());
            let before = &code[..at];
            let attributes = &before[before.rfind([';', '{', '}']).map_or(0, |n| n + 1)..];
            Some(Function {
                name: name.to_owned(),
                line: line_of(code, at),
                body_lines: body.count(),
                expected_long: attributes.contains("clippy::too_many_lines"),
            })
        })
        .collect()
}

/// A module that a file declares in a file of its own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mount {
    /// Inline modules it stands in, outermost first.
    pub inside: Vec<String>,
    /// Its name.
    pub name: String,
    /// What `#[path = "…"]` says, if it says anything.
    pub path: Option<String>,
}

/// The modules that `text` mounts from other files.
pub fn mounts(text: &str) -> Vec<Mount> {
    let code = code(text);
    let mut inline: Vec<(String, usize, usize)> = Vec::new();
    let mut found = Vec::new();
    for at in words(&code, "mod") {
        let from = skip_space(&code, at + 3);
        let Some(name) = word_at(&code, from) else { continue };
        let next = skip_space(&code, from + name.len());
        match code.as_bytes().get(next) {
            Some(b'{') => {
                let close = matching_brace(&code, next).unwrap_or(code.len());
                inline.push((name.to_owned(), next, close));
            }
            Some(b';') => {
                let around = inline.iter().filter(|(_, open, close)| (*open..*close).contains(&at));
                let inside = around.map(|(name, ..)| name.clone()).collect();
                let path = path_attribute(text, &code, at);
                found.push(Mount { inside, name: name.to_owned(), path });
            }
            _ => {}
        }
    }
    found
}

fn path_attribute(text: &str, code: &str, at: usize) -> Option<String> {
    let begin = code[..at].rfind([';', '{', '}']).map_or(0, |n| n + 1);
    let attribute = code[begin..at].find("#[path").map(|n| &text[begin + n..at])?;
    attribute.split('"').nth(1).map(str::to_owned)
}

/// Offsets at which `word` stands alone.
pub fn words<'a>(code: &'a str, word: &'a str) -> impl Iterator<Item = usize> + 'a {
    code.match_indices(word).map(|(at, _)| at).filter(move |at| {
        let bytes = code.as_bytes();
        let before = at.checked_sub(1).map(|n| bytes[n]);
        let after = bytes.get(at + word.len());
        !before.is_some_and(|byte| is_word(byte) || byte == b'#')
            && !after.is_some_and(|byte| is_word(*byte))
    })
}

/// The line that offset `at` lies on, from 1.
pub fn line_of(text: &str, at: usize) -> usize {
    text.as_bytes()[..at].iter().filter(|byte| **byte == b'\n').count() + 1
}

fn skip_space(code: &str, at: usize) -> usize {
    at + code[at..].len() - code[at..].trim_start().len()
}

fn word_at(code: &str, at: usize) -> Option<&str> {
    let rest = code.get(at..)?;
    let rest = rest.strip_prefix("r#").unwrap_or(rest);
    let end = rest.bytes().position(|byte| !is_word(byte)).unwrap_or(rest.len());
    (end > 0).then(|| &rest[..end])
}

/// The opening brace of the body of the function at `at`; `None` if it has none.
fn body_start(code: &str, at: usize) -> Option<usize> {
    let mut depth = 0_i32;
    for (n, byte) in code.as_bytes().iter().enumerate().skip(at) {
        match byte {
            b'(' | b'[' => depth += 1,
            b')' | b']' => depth -= 1,
            b'{' if depth == 0 => return Some(n),
            b';' | b'}' if depth <= 0 => return None,
            _ => {}
        }
    }
    None
}

fn matching_brace(code: &str, open: usize) -> Option<usize> {
    let mut depth = 0_usize;
    for (n, byte) in code.as_bytes().iter().enumerate().skip(open) {
        match byte {
            b'{' => depth += 1,
            b'}' => depth = depth.checked_sub(1)?,
            _ => continue,
        }
        if depth == 0 {
            return Some(n);
        }
    }
    None
}
