//! Text to tokens, with string interpolation unrolled into parts.
//!
//! Keeps: every token knows its bytes; a string's escapes are resolved here; numbers are exact as far as 64 bits.
//! Not here: what the tokens mean together (`parse.rs`).

use std::sync::Arc;

use opcode_model::Value;

use super::trouble::Span;
use crate::error::{CompileError, shorten};

pub(super) type Outcome<T> = Result<T, Box<CompileError>>;

/// One token.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Token {
    /// A function's name.
    Name(Arc<str>),
    /// A word of the grammar.
    Keyword(&'static str),
    /// `.name`.
    Field(Arc<str>),
    /// `$name`, without the `$`.
    Variable(Arc<str>),
    /// `@name`, without the `@`.
    Format(Arc<str>),
    Number(Value),
    /// A string begins; parts follow, then `TextEnd`.
    TextStart,
    Text(Arc<str>),
    /// `\(` inside a string.
    QueryStart,
    /// The `)` that ends it.
    QueryEnd,
    TextEnd,
    Sign(&'static str),
    End,
}

const KEYWORDS: [&str; 21] = [
    "and", "as", "break", "catch", "def", "elif", "else", "end", "false", "foreach", "if",
    "import", "include", "label", "module", "null", "or", "reduce", "then", "true", "try",
];

/// Longest first, so that the first that fits is right.
const SIGNS: [&str; 34] = [
    "?//", "//=", "|=", "+=", "-=", "*=", "/=", "%=", "==", "!=", "<=", ">=", "//", "..", ".", "[",
    "]", "(", ")", "{", "}", "|", ",", ":", ";", "=", "<", ">", "+", "-", "*", "/", "%", "?",
];

/// The tokens of `source`; the last is `End`.
pub(super) fn lex(source: &str) -> Outcome<Vec<(Token, Span)>> {
    let mut lexer = Lexer { source, at: 0, tokens: Vec::new(), open: Vec::new() };
    while lexer.token()? {}
    lexer.push(Token::End, source.len());
    Ok(lexer.tokens)
}

struct Lexer<'a> {
    source: &'a str,
    at: usize,
    tokens: Vec<(Token, Span)>,
    /// For each `\(` that is open: how many `(` are open inside it.
    open: Vec<u32>,
}

pub(super) fn span_of(from: usize, to: usize) -> Span {
    (u32::try_from(from).unwrap_or(u32::MAX), u32::try_from(to).unwrap_or(u32::MAX))
}

fn is_name(letter: char) -> bool {
    letter.is_ascii_alphanumeric() || letter == '_'
}

fn begins_name(text: &str) -> bool {
    text.starts_with(|letter: char| letter.is_ascii_alphabetic() || letter == '_')
}

impl Lexer<'_> {
    fn rest(&self) -> &str {
        self.source.get(self.at..).unwrap_or_default()
    }

    fn push(&mut self, token: Token, from: usize) {
        self.tokens.push((token, span_of(from, self.at)));
    }

    fn fail<T>(&self, message: impl Into<String>, from: usize) -> Outcome<T> {
        Err(CompileError::new(message, from..self.at.max(from + 1).min(self.source.len())))
    }

    /// Takes what `belongs` to the token from here on.
    fn take(&mut self, belongs: impl Fn(char) -> bool) -> Arc<str> {
        let rest = self.rest();
        let len = rest.find(|letter: char| !belongs(letter)).unwrap_or(rest.len());
        let text = rest[..len].into();
        self.at += len;
        text
    }

    /// One token; `false` at the end.
    fn token(&mut self) -> Outcome<bool> {
        self.skip_blanks();
        let from = self.at;
        let rest = self.rest();
        let Some(letter) = rest.chars().next() else {
            return match self.open.is_empty() {
                true => Ok(false),
                false => self.fail("the string's `\\(` is never closed", from.saturating_sub(1)),
            };
        };
        let after = &rest[letter.len_utf8()..];
        if begins_name(rest) {
            let name = self.take(is_name);
            self.name(name, from)?;
        } else if letter.is_ascii_digit()
            || letter == '.' && after.starts_with(|c: char| c.is_ascii_digit())
        {
            self.number(from)?;
        } else if matches!(letter, '.' | '$' | '@') && begins_name(after)
            || letter == '@' && after.starts_with(is_name)
        {
            self.at += 1;
            let name = self.take(is_name);
            let token = match letter {
                '.' => Token::Field(name),
                '$' => Token::Variable(name),
                _ => Token::Format(name),
            };
            self.push(token, from);
        } else if letter == '"' {
            self.at += 1;
            self.push(Token::TextStart, from);
            self.text(from)?;
        } else {
            self.sign(from)?;
        }
        Ok(true)
    }

    fn skip_blanks(&mut self) {
        loop {
            let blanks = |c: char| matches!(c, ' ' | '\t' | '\n' | '\r');
            self.at += self.rest().len() - self.rest().trim_start_matches(blanks).len();
            if !self.rest().starts_with('#') {
                return;
            }
            self.skip_comment();
        }
    }

    /// A comment goes on on the next line if an odd number of backslashes ends this one.
    fn skip_comment(&mut self) {
        loop {
            let rest = self.rest();
            let len = rest.find(['\n', '\r']).unwrap_or(rest.len());
            let (line, after) = rest.split_at(len);
            let continued = (line.len() - line.trim_end_matches('\\').len()) % 2 == 1;
            let newline = if after.starts_with("\r\n") { 2 } else { 1 };
            if !continued || after.is_empty() {
                self.at += len;
                return;
            }
            self.at += len + newline;
        }
    }

    fn name(&mut self, name: Arc<str>, from: usize) -> Outcome<()> {
        if self.rest().starts_with("::") && begins_name(&self.rest()[2..]) {
            return self.fail("modules are not available here", from);
        }
        match KEYWORDS.iter().find(|keyword| **keyword == &*name) {
            Some(keyword) => self.push(Token::Keyword(keyword), from),
            None => self.push(Token::Name(name), from),
        }
        Ok(())
    }

    fn number(&mut self, from: usize) -> Outcome<()> {
        self.take(|c| c.is_ascii_digit());
        if self.rest().starts_with('.') {
            self.at += 1;
            self.take(|c| c.is_ascii_digit());
        }
        if self.rest().starts_with(['e', 'E']) {
            self.at += 1;
            self.at += usize::from(self.rest().starts_with(['+', '-']));
            if self.take(|c| c.is_ascii_digit()).is_empty() {
                return self.fail("a number's exponent needs digits", from);
            }
        }
        let ends_badly = self.rest().starts_with('.') && !self.rest().starts_with("..");
        if begins_name(self.rest()) || ends_badly && self.source[from..self.at].contains('.') {
            self.at += 1;
            return self.fail("not a number", from);
        }
        let text = &self.source[from..self.at];
        let value = parse_number(text);
        self.push(Token::Number(value), from);
        Ok(())
    }

    fn sign(&mut self, from: usize) -> Outcome<()> {
        let Some(sign) = SIGNS.into_iter().find(|sign| self.rest().starts_with(sign)) else {
            let letter = self.rest().chars().next().unwrap_or_default();
            self.at += letter.len_utf8();
            let failed = self.fail(format!("unexpected `{letter}`"), from);
            return failed.map_err(|error: Box<CompileError>| match letter {
                '&' => error.with_hint("write `and`"),
                '!' => error.with_hint("write `… | not`, or `!=`"),
                '\'' => error.with_hint("a string stands between double quotes"),
                _ => error,
            });
        };
        self.at += sign.len();
        match (sign, self.open.last_mut()) {
            ("(", Some(open)) => *open += 1,
            (")", Some(0)) => {
                self.open.pop();
                self.push(Token::QueryEnd, from);
                return self.text(from);
            }
            (")", Some(open)) => *open -= 1,
            _ => {}
        }
        self.push(Token::Sign(sign), from);
        Ok(())
    }

    /// The string from here to its end, or to the next `\(`.
    fn text(&mut self, opened: usize) -> Outcome<()> {
        let from = self.at;
        let mut text = String::new();
        loop {
            let rest = self.rest();
            let Some(at) = rest.find(['"', '\\']) else {
                self.at = self.source.len();
                let shown = shorten(&self.source[opened..], 40);
                let message = format!("the string `{shown}` is never closed");
                return Err(CompileError::new(message, opened..self.source.len()));
            };
            text += &rest[..at];
            let ends = rest[at..].starts_with('"');
            let query = rest[at..].starts_with("\\(");
            self.at += at;
            if !ends && !query {
                self.escape(&mut text)?;
                continue;
            }
            if !text.is_empty() {
                self.push(Token::Text(text.into()), from);
            }
            let mark = self.at;
            self.at += if ends { 1 } else { 2 };
            if ends {
                self.push(Token::TextEnd, mark);
            } else {
                self.open.push(0);
                self.push(Token::QueryStart, mark);
            }
            return Ok(());
        }
    }

    fn escape(&mut self, text: &mut String) -> Outcome<()> {
        let from = self.at;
        let letter = self.rest().chars().nth(1);
        self.at += 1 + letter.map_or(0, char::len_utf8);
        text.push(match letter {
            Some(plain @ ('"' | '\\' | '/')) => plain,
            Some('b') => '\u{8}',
            Some('f') => '\u{c}',
            Some('n') => '\n',
            Some('r') => '\r',
            Some('t') => '\t',
            Some('u') => self.unicode(from)?,
            _ => return self.fail("not an escape that a string may have", from),
        });
        Ok(())
    }

    fn unicode(&mut self, from: usize) -> Outcome<char> {
        let Some(first) = self.four_digits() else {
            return self.fail("`\\u` needs four hexadecimal digits", from);
        };
        if !(0xd800..0xdc00).contains(&first) {
            return Ok(char::from_u32(first).unwrap_or('\u{fffd}'));
        }
        let before = self.at;
        if self.rest().starts_with("\\u") {
            self.at += 2;
            if let Some(second @ 0xdc00..=0xdfff) = self.four_digits() {
                let joined = 0x10000 + ((first - 0xd800) << 10) + (second - 0xdc00);
                return Ok(char::from_u32(joined).unwrap_or('\u{fffd}'));
            }
            self.at = before;
        }
        Ok('\u{fffd}')
    }

    fn four_digits(&mut self) -> Option<u32> {
        let digits = self.rest().get(..4)?;
        let plain = digits.bytes().all(|byte| byte.is_ascii_hexdigit());
        let number = plain.then(|| u32::from_str_radix(digits, 16).ok())??;
        self.at += 4;
        Some(number)
    }
}

/// A number as written: a 64-bit integer where that is exact, else a float.
pub(super) fn parse_number(text: &str) -> Value {
    match text.parse::<i64>() {
        Ok(whole) => Value::Int(whole),
        Err(_) => Value::Float(text.parse::<f64>().unwrap_or(f64::NAN)),
    }
}

/// Whether `tonumber` may read this: an optional sign, then what the grammar calls a number.
pub(super) fn is_number(text: &str) -> bool {
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    let starts = unsigned.strip_prefix('.').unwrap_or(unsigned);
    if !starts.starts_with(|c: char| c.is_ascii_digit()) {
        return false;
    }
    let (number, exponent) = match unsigned.split_once(['e', 'E']) {
        Some((number, exponent)) => (number, Some(exponent)),
        None => (unsigned, None),
    };
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    digits(whole)
        && digits(fraction)
        && exponent.is_none_or(|text| {
            let text = text.strip_prefix(['+', '-']).unwrap_or(text);
            !text.is_empty() && digits(text)
        })
}
