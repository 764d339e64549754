//! Text to tokens: identifiers, numbers, the eight kinds of string literals, operators; comments vanish.
//!
//! Keeps: every token knows its bytes; a literal out of range is an error here, not later.
//! Not here: what order tokens may come in (`parse.rs`).

use std::sync::Arc;

use crate::cursor::{Marked, Spanned};
use crate::error::CompileError;

/// One token.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Token {
    Ident(Arc<str>),
    /// A name between back-quotes, allowed after a dot only.
    Quoted(Arc<str>),
    /// A whole number without its sign; 2^63 is allowed because a minus may stand before it.
    Int(u64),
    Uint(u64),
    Double(f64),
    Text(Arc<str>),
    Bytes(Arc<[u8]>),
    /// Punctuation or an operator.
    Mark(&'static str),
    End,
}

impl Marked for Token {
    fn mark(&self) -> Option<&'static str> {
        if let Self::Mark(mark) = self { Some(mark) } else { None }
    }

    fn is_end(&self) -> bool {
        matches!(self, Self::End)
    }
}

impl Token {
    /// The text of a name or mark; nothing for anything else.
    pub(crate) fn word(&self) -> &str {
        match self {
            Self::Ident(name) => name,
            Self::Mark(mark) => mark,
            Self::Quoted(_)
            | Self::Int(_)
            | Self::Uint(_)
            | Self::Double(_)
            | Self::Text(_)
            | Self::Bytes(_)
            | Self::End => "",
        }
    }
}

const MARKS: [&str; 25] = [
    "==", "!=", "<=", ">=", "&&", "||", "<", ">", "!", "+", "-", "*", "/", "%", "?", ":", "(", ")",
    "[", "]", "{", "}", ",", ".", "=",
];

type Outcome<T> = Result<T, Box<CompileError>>;

/// All tokens of `source`, with `End` as the last.
pub(crate) fn lex(source: &str) -> Outcome<Vec<Spanned<Token>>> {
    let mut lexer = Lexer { source, at: 0 };
    let mut tokens = Vec::with_capacity(source.len() / 3 + 1);
    loop {
        lexer.skip_blank();
        let start = lexer.at;
        let token = lexer.token()?;
        let last = token == Token::End;
        tokens.push(Spanned { token, start, end: lexer.at });
        if last {
            return Ok(tokens);
        }
    }
}

struct Lexer<'a> {
    source: &'a str,
    at: usize,
}

impl<'a> Lexer<'a> {
    fn rest(&self) -> &'a str {
        &self.source[self.at..]
    }

    fn byte(&self, ahead: usize) -> u8 {
        self.source.as_bytes().get(self.at + ahead).copied().unwrap_or(0)
    }

    fn skip_blank(&mut self) {
        loop {
            let rest = self.rest();
            let trimmed = rest.trim_start_matches([' ', '\t', '\n', '\r', '\x0c']);
            self.at += rest.len() - trimmed.len();
            if !trimmed.starts_with("//") {
                return;
            }
            self.at += trimmed.find('\n').unwrap_or(trimmed.len());
        }
    }

    fn token(&mut self) -> Outcome<Token> {
        let first = self.byte(0);
        if self.at >= self.source.len() {
            return Ok(Token::End);
        }
        if first.is_ascii_digit() || (first == b'.' && self.byte(1).is_ascii_digit()) {
            return self.number();
        }
        if let Some(token) = self.string()? {
            return Ok(token);
        }
        if first.is_ascii_alphabetic() || first == b'_' {
            let rest = self.rest();
            let len =
                rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(rest.len());
            self.at += len;
            return Ok(Token::Ident(rest[..len].into()));
        }
        if first == b'`' {
            return self.quoted_name();
        }
        match MARKS.iter().find(|mark| self.rest().starts_with(**mark)) {
            Some(mark) => {
                self.at += mark.len();
                Ok(Token::Mark(mark))
            }
            None => {
                let odd = self.rest().chars().next().unwrap_or(' ');
                let span = self.at..self.at + odd.len_utf8();
                let error = CompileError::new(format!("unexpected character `{odd}`"), span);
                Err(match odd {
                    '|' => error.with_hint("write `||`"),
                    '&' => error.with_hint("write `&&`"),
                    _ if odd.is_alphanumeric() => error.with_hint("a field is also x['…']"),
                    _ => error,
                })
            }
        }
    }

    fn quoted_name(&mut self) -> Outcome<Token> {
        let start = self.at;
        let inner = &self.rest()[1..];
        let Some(len) = inner.find(['`', '\n']).filter(|len| inner.as_bytes()[*len] == b'`') else {
            return Err(CompileError::new("unclosed ` name", start..self.source.len()));
        };
        self.at += len + 2;
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"_.-/ ".contains(&byte);
        if len == 0 || !inner[..len].bytes().all(plain) {
            let error = CompileError::new("not a name between two `", start..self.at);
            return Err(error.with_hint("write ['…'] for any other key"));
        }
        Ok(Token::Quoted(inner[..len].into()))
    }

    fn number(&mut self) -> Outcome<Token> {
        let start = self.at;
        let text = self.rest().as_bytes();
        let digits_from = |from: usize| {
            from + text[from..].iter().take_while(|byte| byte.is_ascii_digit()).count()
        };
        if text[0] == b'0' && text.get(1) == Some(&b'x') {
            let len = 2 + text[2..].iter().take_while(|byte| byte.is_ascii_hexdigit()).count();
            return self.whole(start, len, 16);
        }
        let mut len = digits_from(0);
        let mut double = false;
        if text.get(len) == Some(&b'.') && text.get(len + 1).is_some_and(u8::is_ascii_digit) {
            double = true;
            len = digits_from(len + 1);
        }
        if matches!(text.get(len), Some(b'e' | b'E')) {
            let sign = usize::from(matches!(text.get(len + 1), Some(b'+' | b'-')));
            let end = digits_from((len + 1 + sign).min(text.len()));
            if end > len + 1 + sign {
                double = true;
                len = end;
            }
        }
        if !double {
            return self.whole(start, len, 10);
        }
        self.at += len;
        match self.source[start..self.at].parse::<f64>() {
            Ok(number) if number.is_finite() => self.nothing_glued(start, Token::Double(number)),
            _ => Err(CompileError::new("the number does not fit a double", start..self.at)),
        }
    }

    /// A whole number of `len` bytes, prefix included, and a possible `u` behind it.
    fn whole(&mut self, start: usize, len: usize, radix: u32) -> Outcome<Token> {
        let text = &self.source[start..start + len];
        let digits = if radix == 16 { &text[2..] } else { text };
        self.at += len;
        let unsigned = matches!(self.byte(0), b'u' | b'U');
        self.at += usize::from(unsigned);
        let span = start..self.at;
        if digits.is_empty() {
            return Err(CompileError::new("expected hexadecimal digits after 0x", span));
        }
        let Ok(number) = u64::from_str_radix(digits, radix) else {
            return Err(CompileError::new("the number does not fit 64 bits", span));
        };
        if unsigned {
            return self.nothing_glued(start, Token::Uint(number));
        }
        if number > 1 << 63 {
            let error = CompileError::new("the number does not fit a 64-bit int", span);
            return Err(error.with_hint("write it with `u` behind it, or as a double"));
        }
        self.nothing_glued(start, Token::Int(number))
    }

    fn nothing_glued(&self, start: usize, token: Token) -> Outcome<Token> {
        if self.byte(0).is_ascii_alphanumeric() || self.byte(0) == b'_' {
            let message = "a number runs into a name";
            return Err(CompileError::new(message, start..self.at + 1));
        }
        Ok(token)
    }

    /// A string or bytes literal, if one begins here: `b`, then `r`, each in either case; one or three quotes.
    fn string(&mut self) -> Outcome<Option<Token>> {
        let (mut raw, mut bytes, mut prefix) = (false, false, 0);
        while prefix < 2 {
            match self.byte(prefix) {
                b'r' | b'R' if !raw => raw = true,
                b'b' | b'B' if !raw && !bytes => bytes = true,
                _ => break,
            }
            prefix += 1;
        }
        let quote = self.byte(prefix);
        if quote != b'"' && quote != b'\'' {
            return Ok(None);
        }
        let start = self.at;
        let triple = self.byte(prefix + 1) == quote && self.byte(prefix + 2) == quote;
        let fence = if triple { 3 } else { 1 };
        self.at += prefix + fence;
        let mut out = Vec::new();
        loop {
            let byte = self.byte(0);
            let ended = self.at >= self.source.len() || (!triple && matches!(byte, b'\n' | b'\r'));
            if ended {
                let error = CompileError::new("unclosed string", start..self.at);
                return Err(error.with_hint("close it, or use three quotes for several lines"));
            }
            let closes =
                byte == quote && (!triple || (self.byte(1) == quote && self.byte(2) == quote));
            if closes {
                self.at += fence;
                break;
            }
            if byte == b'\\' && !raw {
                self.escape(bytes, &mut out)?;
            } else {
                // Every kind of line end is kept as one line feed.
                let carriage_return = byte == b'\r';
                out.push(if carriage_return { b'\n' } else { byte });
                self.at += if carriage_return && self.byte(1) == b'\n' { 2 } else { 1 };
            }
        }
        if bytes {
            return Ok(Some(Token::Bytes(out.into())));
        }
        String::from_utf8(out)
            .map(|text| Some(Token::Text(text.into())))
            .map_err(|_| CompileError::new("the string is not UTF-8", start..self.at))
    }

    /// One escape sequence, the backslash included.
    fn escape(&mut self, bytes: bool, out: &mut Vec<u8>) -> Outcome<()> {
        let start = self.at;
        let kind = self.byte(1);
        let simple = match kind {
            b'a' => Some(0x07),
            b'b' => Some(0x08),
            b'f' => Some(0x0c),
            b'n' => Some(b'\n'),
            b'r' => Some(b'\r'),
            b't' => Some(b'\t'),
            b'v' => Some(0x0b),
            b'\\' | b'?' | b'"' | b'\'' | b'`' => Some(kind),
            _ => None,
        };
        if let Some(byte) = simple {
            self.at += 2;
            out.push(byte);
            return Ok(());
        }
        let (skip, digits, radix) = match kind {
            b'x' | b'X' => (2, 2, 16),
            b'u' if !bytes => (2, 4, 16),
            b'U' if !bytes => (2, 8, 16),
            b'0'..=b'3' => (1, 3, 8),
            _ => (0, 0, 0),
        };
        let number = self
            .source
            .get(start + skip..start + skip + digits)
            .filter(|text| digits > 0 && text.bytes().all(|byte| byte.is_ascii_hexdigit()))
            .and_then(|text| u32::from_str_radix(text, radix).ok());
        let span = start..(start + 2).min(self.source.len());
        let Some(number) = number else {
            let error = CompileError::new("unknown escape sequence", span);
            return Err(error.with_hint("write `\\\\` for a backslash, or a raw string r'…'"));
        };
        self.at += skip + digits;
        if bytes {
            out.push(number as u8);
            return Ok(());
        }
        let Some(letter) = char::from_u32(number) else {
            return Err(CompileError::new("not a Unicode character", start..self.at));
        };
        out.extend_from_slice(letter.encode_utf8(&mut [0; 4]).as_bytes());
        Ok(())
    }
}
