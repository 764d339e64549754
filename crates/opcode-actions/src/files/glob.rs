//! Shell patterns as Go's `filepath.Match` reads them: `*`, `?`, `[a-z]`, `[^a-z]`, `\c`.
//!
//! Keeps: `*` and `?` never match a `/`; a malformed pattern is an error, matched or not.
//! Not here: walking directories (`tree.rs`).

/// A pattern for one name.
#[derive(Clone, Debug)]
pub(crate) struct Glob(Vec<Part>);

#[derive(Clone, Debug)]
enum Part {
    Any,
    One,
    Char(char),
    Class { negated: bool, ranges: Vec<(char, char)> },
}

impl Glob {
    /// Reads a pattern; `None` if it is malformed.
    pub(crate) fn parse(pattern: &str) -> Option<Self> {
        let mut parts = Vec::new();
        let mut rest = pattern.chars().peekable();
        while let Some(c) = rest.next() {
            parts.push(match c {
                '*' => Part::Any,
                '?' => Part::One,
                '\\' => Part::Char(rest.next()?),
                '[' => {
                    let negated = rest.next_if_eq(&'^').is_some();
                    let mut ranges = Vec::new();
                    while ranges.is_empty() || rest.peek() != Some(&']') {
                        let from = class_char(&mut rest)?;
                        let upto = match rest.next_if_eq(&'-') {
                            Some(_) => class_char(&mut rest)?,
                            None => from,
                        };
                        ranges.push((from, upto));
                    }
                    rest.next();
                    Part::Class { negated, ranges }
                }
                other => Part::Char(other),
            });
        }
        Some(Self(parts))
    }

    /// Whether it matches all of `name`. Time is at most the product of both lengths.
    pub(crate) fn matches(&self, name: &str) -> bool {
        let name: Vec<char> = name.chars().collect();
        let (mut part, mut at) = (0, 0);
        let mut star: Option<(usize, usize)> = None;
        while at < name.len() {
            match self.0.get(part) {
                Some(Part::Any) => {
                    star = Some((part, at));
                    part += 1;
                }
                Some(other) if other.fits(name[at]) => {
                    part += 1;
                    at += 1;
                }
                Some(_) | None => {
                    let Some((star_part, star_at)) = star else { return false };
                    star = Some((star_part, star_at + 1));
                    (part, at) = (star_part + 1, star_at + 1);
                }
            }
        }
        self.0[part..].iter().all(|part| matches!(part, Part::Any))
    }
}

/// One character within brackets.
fn class_char(rest: &mut std::iter::Peekable<std::str::Chars<'_>>) -> Option<char> {
    match rest.next()? {
        '\\' => rest.next(),
        '-' | ']' => None,
        other => Some(other),
    }
}

impl Part {
    fn fits(&self, c: char) -> bool {
        match self {
            Self::Any => false,
            Self::One => c != '/',
            Self::Char(wanted) => *wanted == c,
            Self::Class { negated, ranges } => {
                ranges.iter().any(|(from, upto)| (*from..=*upto).contains(&c)) != *negated
            }
        }
    }
}

/// Patterns of a path, one for each name between slashes.
pub(crate) fn matches_each(pattern: &str) -> Option<Vec<Glob>> {
    pattern.split('/').map(Glob::parse).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_match_as_in_go() {
        for (pattern, name, wanted) in [
            ("*.txt", "a.txt", true),
            ("*.txt", "a.txt.gz", false),
            ("a*b*c", "aXbXbc", true),
            ("?", "é", true),
            ("[a-c]x", "bx", true),
            ("[^a-c]x", "bx", false),
            ("[]a]", "a", false),
            ("\\*", "*", true),
            ("*", ".hidden", true),
            ("", "", true),
            ("**", "x", true),
        ] {
            let found = Glob::parse(pattern).is_some_and(|glob| glob.matches(name));
            assert_eq!(found, wanted, "{pattern} {name}");
        }
        for malformed in ["[", "[a", "[]", "[-]", "a\\", "[a-"] {
            assert!(Glob::parse(malformed).is_none(), "{malformed}");
        }
    }
}
