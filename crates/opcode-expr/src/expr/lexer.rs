//! Text to tokens: names, word operators, numbers, two kinds of quoted strings and the raw one; comments vanish.
//!
//! Keeps: every token knows its bytes; a literal out of range or a bad escape is an error here, not later.
//! Not here: what order tokens may come in (`parse.rs`).

use std::sync::Arc;

use crate::cursor::{Marked, Spanned};
use crate::error::CompileError;

/// One token.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Token {
    Name(Arc<str>),
    Int(i64),
    Float(f64),
    Text(Arc<str>),
    /// Brackets, punctuation and operators, those that are words included.
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

const MARKS: [&str; 35] = [
    "==", "!=", "<=", ">=", "&&", "||", "**", "??", "?.", "..", "::", "(", ")", "[", "]", "{", "}",
    ",", ";", ":", "?", ".", "+", "-", "*", "/", "%", "^", "<", ">", "!", "=", "|", "&", "#",
];

/// Names that are operators; after a dot they are names all the same.
const WORDS: [&str; 11] = [
    "not",
    "in",
    "or",
    "and",
    "matches",
    "contains",
    "startsWith",
    "endsWith",
    "let",
    "if",
    "else",
];

pub(super) type Outcome<T> = Result<T, Box<CompileError>>;

/// All tokens of `source`, with `End` as the last.
pub(crate) fn lex(source: &str) -> Outcome<Vec<Spanned<Token>>> {
    let mut lexer = Lexer { source, at: 0 };
    let mut tokens = Vec::with_capacity(source.len() / 3 + 1);
    loop {
        lexer.skip_blank()?;
        let start = lexer.at;
        let token = lexer.token()?;
        let last = token == Token::End;
        tokens.push(Spanned { token, start, end: lexer.at });
        if last {
            return Ok(tokens);
        }
    }
}

/// Whether a name may go on with this letter; a digit may not begin one.
fn in_name(letter: char) -> bool {
    letter == '_' || letter == '$' || letter.is_alphanumeric()
}

struct Lexer<'a> {
    source: &'a str,
    at: usize,
}

impl<'a> Lexer<'a> {
    fn rest(&self) -> &'a str {
        self.source.get(self.at..).unwrap_or_default()
    }

    fn letter(&self) -> Option<char> {
        self.rest().chars().next()
    }

    fn skip_blank(&mut self) -> Outcome<()> {
        loop {
            let rest = self.rest();
            let trimmed = rest.trim_start();
            self.at += rest.len() - trimmed.len();
            if trimmed.starts_with("//") {
                self.at += trimmed.find('\n').unwrap_or(trimmed.len());
            } else if let Some(inner) = trimmed.strip_prefix("/*") {
                let Some(len) = inner.find("*/") else {
                    let span = self.at..self.source.len();
                    return Err(CompileError::new("unclosed comment", span));
                };
                self.at += len + 4;
            } else {
                return Ok(());
            }
        }
    }

    fn token(&mut self) -> Outcome<Token> {
        let rest = self.rest();
        let Some(first) = self.letter() else { return Ok(Token::End) };
        let second = rest.as_bytes().get(1).copied().unwrap_or(0);
        if first.is_ascii_digit() || (first == '.' && second.is_ascii_digit()) {
            return self.number();
        }
        match first {
            '"' | '\'' => return self.string(first),
            '`' => return self.raw_string(),
            _ => {}
        }
        if in_name(first) {
            let len = rest.find(|c: char| !in_name(c)).unwrap_or(rest.len());
            self.at += len;
            let name = &rest[..len];
            let word = WORDS.iter().find(|word| **word == name);
            return Ok(word.map_or_else(|| Token::Name(name.into()), |word| Token::Mark(word)));
        }
        match MARKS.iter().find(|mark| rest.starts_with(**mark)) {
            Some(mark) => {
                self.at += mark.len();
                Ok(Token::Mark(mark))
            }
            None => {
                let span = self.at..self.at + first.len_utf8();
                Err(CompileError::new(format!("unexpected character `{first}`"), span))
            }
        }
    }

    /// How many of the next bytes, from `from` on, belong to a number of this radix.
    fn digits(&self, from: usize, radix: u32) -> usize {
        let bytes = self.rest().as_bytes().get(from..).unwrap_or_default();
        let digit = |byte: &&u8| **byte == b'_' || char::from(**byte).is_digit(radix);
        bytes.iter().take_while(digit).count()
    }

    fn number(&mut self) -> Outcome<Token> {
        let start = self.at;
        let bytes = self.rest().as_bytes();
        let byte = |at: usize| bytes.get(at).copied().unwrap_or(0);
        let radix = match (byte(0), byte(1)) {
            (b'0', b'x' | b'X') => 16,
            (b'0', b'o' | b'O') => 8,
            (b'0', b'b' | b'B') => 2,
            _ => 10,
        };
        let prefix = if radix == 10 { 0 } else { 2 };
        let mut len = prefix + self.digits(prefix, radix);
        let mut float = false;
        if radix == 10 {
            if byte(len) == b'.' && byte(len + 1) != b'.' {
                float = true;
                len += 1 + self.digits(len + 1, 10);
            }
            if matches!(byte(len), b'e' | b'E') {
                float = true;
                len += 1 + usize::from(matches!(byte(len + 1), b'+' | b'-'));
                len += self.digits(len, 10);
            }
        }
        self.at += len;
        if self.letter().is_some_and(in_name) {
            let span = start..self.at + self.letter().map_or(0, char::len_utf8);
            return Err(CompileError::new("a number ends in a letter", span));
        }
        let text: String =
            self.source[start + prefix..self.at].chars().filter(|c| *c != '_').collect();
        let span = start..self.at;
        if float {
            let number = text.parse::<f64>().ok().filter(|number| number.is_finite());
            return number
                .map(Token::Float)
                .ok_or_else(|| CompileError::new("not a number of 64 bits", span));
        }
        match i64::from_str_radix(&text, radix) {
            Ok(number) => Ok(Token::Int(number)),
            Err(_) => Err(CompileError::new("not a whole number of 64 bits", span)),
        }
    }

    /// Between back-quotes nothing is special; two of them stand for one.
    fn raw_string(&mut self) -> Outcome<Token> {
        let start = self.at;
        let mut text = String::new();
        self.at += 1;
        loop {
            let rest = self.rest();
            let Some(len) = rest.find('`') else {
                return Err(CompileError::new("unclosed string", start..self.source.len()));
            };
            text += &rest[..len];
            self.at += len + 1;
            if !self.rest().starts_with('`') {
                return Ok(Token::Text(text.into()));
            }
            text.push('`');
            self.at += 1;
        }
    }

    fn string(&mut self, quote: char) -> Outcome<Token> {
        let start = self.at;
        self.at += 1;
        let mut text = String::new();
        loop {
            let Some(letter) = self.letter().filter(|letter| *letter != '\n') else {
                return Err(CompileError::new("unclosed string", start..self.at)
                    .with_hint("a string on several lines stands between back-quotes"));
            };
            self.at += letter.len_utf8();
            match letter {
                '\\' => text.push(self.escape(quote)?),
                '\r' => text.push('\n'),
                _ if letter == quote => return Ok(Token::Text(text.into())),
                _ => text.push(letter),
            }
        }
    }

    /// What stands behind a backslash.
    fn escape(&mut self, quote: char) -> Outcome<char> {
        let start = self.at - 1;
        let bad = |end: usize| {
            CompileError::new("unknown escape sequence", start..end.min(self.source.len()))
                .with_hint("write `\\\\` for a backslash, or a raw string between back-quotes")
        };
        let Some(kind) = self.letter() else { return Err(bad(start + 1)) };
        let simple = match kind {
            'a' => Some('\x07'),
            'b' => Some('\x08'),
            'f' => Some('\x0c'),
            'n' => Some('\n'),
            'r' => Some('\r'),
            't' => Some('\t'),
            'v' => Some('\x0b'),
            '\\' => Some('\\'),
            _ if kind == quote => Some(quote),
            _ => None,
        };
        if let Some(letter) = simple {
            self.at += kind.len_utf8();
            return Ok(letter);
        }
        let rest = self.rest();
        let braced = rest.strip_prefix("u{").and_then(|inner| inner.find('}'));
        let (skip, digits, after, radix) = match (kind, braced) {
            ('u', Some(len @ 1..=6)) => (2, len, 1, 16),
            ('x', _) => (1, 2, 0, 16),
            ('u', _) => (1, 4, 0, 16),
            ('U', _) => (1, 8, 0, 16),
            ('0'..='3', _) => (0, 3, 0, 8),
            _ => return Err(bad(start + 1 + kind.len_utf8())),
        };
        let number = rest
            .get(skip..skip + digits)
            .filter(|text| text.chars().all(|letter| letter.is_digit(radix)))
            .and_then(|text| u32::from_str_radix(text, radix).ok())
            .filter(|number| *number <= 0x0010_ffff);
        let Some(number) = number else { return Err(bad(start + 2)) };
        self.at += skip + digits + after;
        // Half of a surrogate pair is no character.
        Ok(char::from_u32(number).unwrap_or('\u{fffd}'))
    }
}
