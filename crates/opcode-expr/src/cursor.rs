//! Tokens, taken one after the other: what the parsers of CEL and Expr have in common.
//!
//! Keeps: the last token is the end, and it is never passed.
//! Not here: which tokens there are (each language's `lexer.rs`), what may follow what (`parse.rs`).

use crate::error::{CompileError, shorten};

/// A token and its bytes.
#[derive(Clone, Debug)]
pub(crate) struct Spanned<T> {
    pub(crate) token: T,
    pub(crate) start: usize,
    pub(crate) end: usize,
}

/// A token that may be the end, or punctuation or an operator.
pub(crate) trait Marked {
    /// The punctuation or operator it is.
    fn mark(&self) -> Option<&'static str>;
    fn is_end(&self) -> bool;
}

/// A place among tokens, of which there is at least the end.
#[derive(Debug)]
pub(crate) struct Cursor<T> {
    tokens: Vec<Spanned<T>>,
    at: usize,
}

impl<T: Marked> Cursor<T> {
    pub(crate) fn new(tokens: Vec<Spanned<T>>) -> Self {
        Self { tokens, at: 0 }
    }

    fn current(&self) -> &Spanned<T> {
        &self.tokens[self.at]
    }

    /// The token before the current one.
    pub(crate) fn before(&self) -> Option<&T> {
        let before = self.at.checked_sub(1).and_then(|at| self.tokens.get(at));
        before.map(|before| &before.token)
    }
}

/// A parser that reads from a cursor.
pub(crate) trait Reads {
    type Token: Marked;

    /// All of the text.
    fn source(&self) -> &str;
    fn cursor(&self) -> &Cursor<Self::Token>;
    fn cursor_mut(&mut self) -> &mut Cursor<Self::Token>;

    /// The error for a token that may not stand here.
    fn unexpected(&self, expected: &str) -> Box<CompileError>;

    fn token(&self) -> &Self::Token {
        &self.cursor().current().token
    }

    fn token_after(&self, ahead: usize) -> &Self::Token {
        let Cursor { tokens, at, .. } = self.cursor();
        &tokens[(at + ahead).min(tokens.len() - 1)].token
    }

    /// The current token as it is written.
    fn token_text(&self) -> &str {
        let Spanned { start, end, .. } = self.cursor().current();
        self.source().get(*start..*end).unwrap_or_default()
    }

    /// First byte of the current token.
    fn start(&self) -> usize {
        self.cursor().current().start
    }

    /// The byte after the token before the current one.
    fn end(&self) -> usize {
        let Cursor { tokens, at, .. } = self.cursor();
        at.checked_sub(1).map_or(0, |before| tokens[before].end)
    }

    fn advance(&mut self) {
        let Cursor { tokens, at, .. } = self.cursor_mut();
        *at += usize::from(*at + 1 < tokens.len());
    }

    fn is(&self, mark: &str) -> bool {
        self.token().mark() == Some(mark)
    }

    fn accept(&mut self, mark: &str) -> bool {
        let found = self.is(mark);
        if found {
            self.advance();
        }
        found
    }

    fn expect(&mut self, mark: &str, after: &str) -> Result<(), Box<CompileError>> {
        if self.accept(mark) {
            return Ok(());
        }
        Err(self.unexpected(&format!("`{mark}` {after}")))
    }

    /// `expected …, found …`, without a hint.
    fn surprise(&self, expected: &str) -> Box<CompileError> {
        let Spanned { token, start, end } = self.cursor().current();
        let found = match token.is_end() {
            true => "the end".to_owned(),
            false => format!("`{}`", shorten(self.token_text(), 40)),
        };
        CompileError::new(format!("expected {expected}, found {found}"), *start..*end)
    }
}
