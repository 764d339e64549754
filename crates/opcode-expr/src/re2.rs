//! RE2's syntax of patterns, written out in the `regex` crate's.
//!
//! Keeps: what RE2 refuses is refused; `\d \w \s \b` mean ASCII; nothing only the `regex` crate knows slips through.
//! Not here: compiling and matching (`pattern.rs`).

use std::iter::Peekable;
use std::str::Chars;

/// RE2's greatest count in `{n,m}`.
const REPEAT_MAX: u32 = 1000;

const CLASSES: [&str; 14] = [
    "alnum", "alpha", "ascii", "blank", "cntrl", "digit", "graph", "lower", "print", "punct",
    "space", "upper", "word", "xdigit",
];

const DIGITS: &str = "0-9";
const WORD: &str = "0-9A-Za-z_";
const BLANK: &str = r"\t\n\f\r ";

type Outcome<T> = Result<T, String>;

/// `pattern` in the syntax of the `regex` crate, or what is wrong with it.
pub(crate) fn translate(pattern: &str) -> Outcome<String> {
    let mut reader = Reader { rest: pattern.chars().peekable(), out: String::new() };
    reader.pattern()?;
    Ok(reader.out)
}

/// `pattern` without its blanks and its comments, for those who may write them.
pub(crate) fn without_blanks(pattern: &str) -> String {
    let mut out = String::with_capacity(pattern.len());
    let mut letters = pattern.chars();
    let mut in_class = false;
    while let Some(letter) = letters.next() {
        match letter {
            '\\' => out.extend([letter].into_iter().chain(letters.next())),
            '#' if !in_class => drop(letters.by_ref().find(|letter| *letter == '\n')),
            _ if letter.is_whitespace() && !in_class => {}
            _ => {
                in_class = letter == '[' || in_class && letter != ']';
                out.push(letter);
            }
        }
    }
    out
}

struct Reader<'a> {
    rest: Peekable<Chars<'a>>,
    out: String,
}

/// What stands behind a backslash.
enum Escape {
    /// One letter.
    Letter(char),
    /// A set of letters as the inside of a class, and whether all others are meant.
    Set(&'static str, bool),
    /// `p` or `P` and a name.
    Property(String),
    /// `A z b B Q`: not allowed in a class.
    Place(char),
}

impl Reader<'_> {
    fn pattern(&mut self) -> Outcome<()> {
        // Whether the part just read was a repetition, which may not be repeated again.
        let mut repeated = false;
        while let Some(letter) = self.rest.next() {
            let repeats = match letter {
                '*' | '+' | '?' => {
                    self.out.push(letter);
                    true
                }
                '{' => self.count()?,
                _ => {
                    self.part(letter)?;
                    false
                }
            };
            if repeats && repeated {
                return Err("a repetition of a repetition".to_owned());
            }
            if repeats && self.rest.next_if_eq(&'?').is_some() {
                self.out.push('?');
            }
            repeated = repeats;
        }
        Ok(())
    }

    fn part(&mut self, letter: char) -> Outcome<()> {
        match letter {
            '[' => self.class()?,
            '(' => self.group()?,
            '\\' => match self.escape()? {
                Escape::Letter(letter) => self.literal(letter),
                Escape::Set(set, false) => self.out += &format!("[{set}]"),
                Escape::Set(set, true) => self.out += &format!("[^{set}]"),
                Escape::Property(name) => self.out += &name,
                Escape::Place('Q') => self.quoted(),
                Escape::Place(place @ ('b' | 'B')) => self.out += &format!(r"(?-u:\{place})"),
                Escape::Place(place) => self.out.extend(['\\', place]),
            },
            '.' | '^' | '$' | '|' | ')' => self.out.push(letter),
            _ => self.literal(letter),
        }
        Ok(())
    }

    /// A letter that stands for itself, in a class or outside.
    fn literal(&mut self, letter: char) {
        if letter.is_ascii_punctuation() {
            self.out += &format!(r"\x{{{:x}}}", u32::from(letter));
        } else {
            self.out.push(letter);
        }
    }

    /// What stands between `\Q` and `\E`.
    fn quoted(&mut self) {
        while let Some(letter) = self.rest.next() {
            if letter == '\\' && self.rest.next_if_eq(&'E').is_some() {
                return;
            }
            self.literal(letter);
        }
    }

    /// `{n}`, `{n,}` or `{n,m}` after its `{`; anything else is a brace that stands for itself.
    fn count(&mut self) -> Outcome<bool> {
        let inner: String =
            self.rest.clone().take_while(|letter| *letter != '}').take(24).collect();
        let closed = self.rest.clone().nth(inner.chars().count()) == Some('}');
        let (least, most) = inner.split_once(',').unwrap_or((&inner, &inner));
        let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
        if !closed || least.is_empty() || !digits(least) || !digits(most) {
            self.literal('{');
            return Ok(false);
        }
        let number = |text: &str| text.parse::<u32>().ok().filter(|count| *count <= REPEAT_MAX);
        let least = number(least);
        let fits = most.is_empty() || number(most).is_some_and(|most| Some(most) >= least);
        if least.is_none() || !fits {
            return Err(format!("a count must grow and be at most {REPEAT_MAX}: {{{inner}}}"));
        }
        self.out += &format!("{{{inner}}}");
        self.rest.nth(inner.len());
        Ok(true)
    }

    /// A group after its `(`: plain, named, or with the flags `imsU`.
    fn group(&mut self) -> Outcome<()> {
        self.out.push('(');
        if self.rest.next_if_eq(&'?').is_none() {
            return Ok(());
        }
        self.out.push('?');
        let named = self.rest.next_if_eq(&'P').is_some();
        if named || self.rest.peek() == Some(&'<') {
            let mut name = String::new();
            let opened = self.rest.next_if_eq(&'<').is_some();
            while let Some(letter) = self.rest.next_if(|c| c.is_ascii_alphanumeric() || *c == '_') {
                name.push(letter);
            }
            if !opened || name.is_empty() || self.rest.next_if_eq(&'>').is_none() {
                return Err("look-around does not exist, and a name is written (?P<name>…)".into());
            }
            self.out += &format!("P<{name}>");
            return Ok(());
        }
        for letter in self.rest.by_ref() {
            self.out.push(letter);
            match letter {
                'i' | 'm' | 's' | 'U' | '-' => {}
                ':' | ')' => return Ok(()),
                _ => return Err(format!("unknown group (?{letter}")),
            }
        }
        Err("an unclosed group".to_owned())
    }

    /// A class after its `[`.
    fn class(&mut self) -> Outcome<()> {
        self.out.push('[');
        if self.rest.next_if_eq(&'^').is_some() {
            self.out.push('^');
        }
        let mut first = true;
        loop {
            let Some(letter) = self.rest.next() else { return Err("an unclosed class".to_owned()) };
            if letter == ']' && !first {
                self.out.push(']');
                return Ok(());
            }
            first = false;
            let low = match letter {
                '[' if self.named_class()? => continue,
                '\\' => match self.escape()? {
                    Escape::Letter(letter) => letter,
                    Escape::Set(set, others) => {
                        let not = if others { "^" } else { "" };
                        self.out += &format!("[{not}{set}]");
                        continue;
                    }
                    Escape::Property(name) => {
                        self.out += &name;
                        continue;
                    }
                    Escape::Place(place) => return Err(format!(r"\{place} in a class")),
                },
                _ => letter,
            };
            self.literal(low);
            self.range(low)?;
        }
    }

    /// The `-z` of `a-z`, if it is there.
    fn range(&mut self, low: char) -> Outcome<()> {
        let mut ahead = self.rest.clone();
        if ahead.next() != Some('-') || matches!(ahead.next(), None | Some(']')) {
            return Ok(());
        }
        self.rest.next();
        let high = match self.rest.next() {
            Some('\\') => match self.escape()? {
                Escape::Letter(letter) => letter,
                Escape::Set(..) | Escape::Property(_) | Escape::Place(_) => '\0',
            },
            Some(letter) => letter,
            None => '\0',
        };
        if high < low {
            return Err(format!("a range from `{low}` that does not end above it"));
        }
        self.out.push('-');
        self.literal(high);
        Ok(())
    }

    /// `[:name:]` after its first `[`; without `:]` the bracket stands for itself.
    fn named_class(&mut self) -> Outcome<bool> {
        let ahead: String = self.rest.clone().take(12).collect();
        let Some((name, _)) = ahead.strip_prefix(':').and_then(|name| name.split_once(":]")) else {
            return Ok(false);
        };
        if !CLASSES.contains(&name.trim_start_matches('^')) {
            return Err(format!("unknown class [:{name}:]"));
        }
        self.out += &format!("[:{name}:]");
        self.rest.nth(name.len() + 2);
        Ok(true)
    }

    fn escape(&mut self) -> Outcome<Escape> {
        let Some(letter) = self.rest.next() else { return Err("a lone \\ at the end".to_owned()) };
        Ok(match letter {
            'd' => Escape::Set(DIGITS, false),
            'D' => Escape::Set(DIGITS, true),
            'w' => Escape::Set(WORD, false),
            'W' => Escape::Set(WORD, true),
            's' => Escape::Set(BLANK, false),
            'S' => Escape::Set(BLANK, true),
            'p' | 'P' => Escape::Property(self.property(letter)?),
            'A' | 'z' | 'b' | 'B' | 'Q' => Escape::Place(letter),
            'a' => Escape::Letter('\u{7}'),
            'f' => Escape::Letter('\u{c}'),
            't' => Escape::Letter('\t'),
            'n' => Escape::Letter('\n'),
            'r' => Escape::Letter('\r'),
            'v' => Escape::Letter('\u{b}'),
            'x' => Escape::Letter(self.hexadecimal()?),
            '0'..='7' => Escape::Letter(self.octal(letter)?),
            _ if letter.is_ascii_punctuation() || letter.is_ascii_whitespace() => {
                Escape::Letter(letter)
            }
            _ => return Err(format!(r"unknown escape sequence \{letter}")),
        })
    }

    /// `\pN`, `\p{Greek}`, `\p{^Greek}` after their `p`.
    fn property(&mut self, kind: char) -> Outcome<String> {
        let unclosed = || format!(r"an unclosed \{kind}");
        let name = match self.rest.next().ok_or_else(unclosed)? {
            '{' => self.rest.by_ref().take_while(|letter| *letter != '}').collect(),
            letter => letter.to_string(),
        };
        let (name, others) = match name.strip_prefix('^') {
            Some(name) => (name, kind == 'p'),
            None => (name.as_str(), kind == 'P'),
        };
        if !name.chars().all(|letter| letter.is_ascii_alphanumeric() || letter == '_') {
            return Err(format!("unknown property `{name}`"));
        }
        Ok(format!(r"\{}{{{name}}}", if others { 'P' } else { 'p' }))
    }

    /// `\x41` or `\x{1F431}` after their `x`.
    fn hexadecimal(&mut self) -> Outcome<char> {
        let braced = self.rest.next_if_eq(&'{').is_some();
        let digits: String = if braced {
            self.rest.by_ref().take_while(|letter| *letter != '}').collect()
        } else {
            self.rest.by_ref().take(2).collect()
        };
        let plain = (braced || digits.len() == 2) && !digits.starts_with('+');
        let number = u32::from_str_radix(&digits, 16).ok().filter(|_| plain);
        number.and_then(char::from_u32).ok_or_else(|| format!(r"not a character: \x{digits}"))
    }

    /// Up to three octal digits; one alone that is not 0 would be a back-reference.
    fn octal(&mut self, first: char) -> Outcome<char> {
        let mut digits = String::from(first);
        while digits.len() < 3 {
            let Some(digit) = self.rest.next_if(|letter| ('0'..='7').contains(letter)) else {
                break;
            };
            digits.push(digit);
        }
        if digits.len() == 1 && first != '0' {
            return Err(format!(r"back-references do not exist: \{first}"));
        }
        let number = u32::from_str_radix(&digits, 8).ok();
        number.and_then(char::from_u32).ok_or_else(|| format!(r"not a character: \{digits}"))
    }
}
