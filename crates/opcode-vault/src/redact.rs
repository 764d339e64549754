//! Takes secrets out of what is told: in plain, and in the forms in which programs pass them on.
//!
//! Keeps: base64 (in all three places of a group, both alphabets), hex, percent-encoding and JSON's escapes are found as
//! well, also within a longer text and in keys of objects; what is binary is looked through as bytes.
//! Not here: which secrets an attempt used (`vault.rs`).

use std::sync::Arc;

use aho_corasick::{AhoCorasick, AhoCorasickKind, MatchKind};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use opcode_model::percent::decoded;
use opcode_model::secret::Hides;
use opcode_model::{Failure, Object, Value};
use std::collections::BTreeSet;
use std::fmt::Write;

/// What stands where a secret stood.
const MARK: &str = "[secret]";
/// The fewest bytes of a form that is looked for; every text has shorter ones in it.
const FORM_BYTES_MIN: usize = 4;
/// The fewest characters of one line of a secret of several that are looked for alone.
const LINE_CHARS_MIN: usize = 8;

/// Finds the secrets of one attempt.
#[derive(Clone, Debug)]
pub struct Redactor(Option<AhoCorasick>);

impl Hides for Redactor {
    fn hidden(&self, text: &str) -> Option<String> {
        self.text(text)
    }
}

impl Redactor {
    /// One for these contents.
    pub fn new<'a>(contents: impl IntoIterator<Item = &'a str>) -> Self {
        let mut forms = BTreeSet::new();
        for content in contents {
            let trimmed = content.trim();
            for text in [content, trimmed] {
                gather(text, &mut forms);
            }
            if trimmed.lines().nth(1).is_some() {
                let lines = trimmed.lines().map(str::trim);
                lines
                    .filter(|line| line.len() >= LINE_CHARS_MIN)
                    .for_each(|line| gather(line, &mut forms));
            }
        }
        forms.retain(|form| form.len() >= FORM_BYTES_MIN);
        // The longest first: what holds another form is taken out whole.
        let built = AhoCorasick::builder()
            .match_kind(MatchKind::LeftmostLongest)
            // Faster ones take thousands of times the memory of a long secret.
            .kind(Some(AhoCorasickKind::ContiguousNFA))
            .build(forms);
        Self(built.ok().filter(|found| found.patterns_len() > 0))
    }

    /// A text without them; `None` if it has none.
    pub fn text(&self, text: &str) -> Option<String> {
        let finder = self.0.as_ref()?;
        let marks = vec![MARK; finder.patterns_len()];
        let told = finder.is_match(text).then(|| finder.replace_all(text, &marks));
        // Broken into lines, or with only some characters encoded, it is hidden whole: what goes between is not known.
        let left = told.as_deref().unwrap_or(text);
        let hides = |other: String| finder.is_match(&other);
        let is_hidden = hides(left.split_whitespace().collect())
            || (left.contains('%') && hides(decoded(left)));
        if is_hidden { Some(MARK.to_owned()) } else { told }
    }

    /// A value without them.
    pub fn value(&self, value: Value) -> Value {
        match &value {
            _ if self.0.is_none() => value,
            Value::String(text) => self.text(text).map_or_else(|| value.clone(), Value::from),
            Value::List(items) => Value::list(items.iter().map(|item| self.value(item.clone()))),
            Value::Object(object) => {
                let pair = |(name, item): &(Arc<str>, Value)| {
                    let name = self.text(name).map_or_else(|| name.clone(), Into::into);
                    (name, self.value(item.clone()))
                };
                Value::Object(object.iter().map(pair).collect::<Object>())
            }
            Value::Bytes(bytes) => match &self.0 {
                Some(finder) if finder.is_match(bytes.as_ref()) => {
                    let marks = vec![MARK; finder.patterns_len()];
                    Value::Bytes(finder.replace_all_bytes(bytes, &marks).into())
                }
                Some(_) | None => value,
            },
            Value::Null | Value::Bool(_) | Value::Int(_) | Value::Float(_) => {
                // A secret of digits may come back as a number.
                match self.text(&value.to_text()) {
                    Some(text) if text == MARK => Value::from(text),
                    Some(_) | None => value,
                }
            }
        }
    }

    /// A failure without them.
    pub fn failure(&self, mut failure: Failure) -> Failure {
        if let Some(text) = self.text(&failure.message) {
            failure.message = text.into();
        }
        failure.details = self.value(failure.details);
        failure
    }
}

/// Every form of a content.
fn gather(content: &str, forms: &mut BTreeSet<Vec<u8>>) {
    let bytes = content.as_bytes();
    if bytes.len() < FORM_BYTES_MIN {
        return;
    }
    forms.insert(bytes.to_vec());
    for place in 0..3 {
        for engine in [STANDARD_NO_PAD, URL_SAFE_NO_PAD] {
            // What stands before it in a group of three changes the characters at its edges, not those within.
            let shifted = [&[0; 3][..place], bytes].concat();
            let text = engine.encode(&shifted);
            let (from, to) = ((place * 8).div_ceil(6), shifted.len() * 8 / 6);
            forms.insert(text.as_bytes().get(from..to).unwrap_or_default().to_vec());
        }
    }
    for (digits, sure) in [("0123456789abcdef", true), ("0123456789ABCDEF", false)] {
        let digits: Vec<char> = digits.chars().collect();
        let mut hex = String::with_capacity(2 * bytes.len());
        let mut percent = String::with_capacity(3 * bytes.len());
        let mut plus = String::with_capacity(3 * bytes.len());
        let mut all = String::with_capacity(3 * bytes.len());
        for byte in bytes {
            let pair: String =
                [byte >> 4, byte & 15].map(|digit| digits[usize::from(digit)]).iter().collect();
            hex += &pair;
            let is_plain = byte.is_ascii_alphanumeric() || b"-_.~".contains(byte);
            let (one, space) = (char::from(*byte).to_string(), *byte == b' ');
            // Writing to a string cannot fail.
            write!(all, "%{pair}").unwrap_or_default();
            percent += &if is_plain { one.clone() } else { format!("%{pair}") };
            plus += &if is_plain {
                one
            } else if space {
                "+".to_owned()
            } else {
                format!("%{pair}")
            };
        }
        forms.extend([hex, percent, plus, all].map(String::into_bytes));
        if sure {
            let escaped = serde_json::to_string(content).unwrap_or_default();
            forms.insert(escaped.trim_matches('"').as_bytes().to_vec());
            forms.insert(escaped.trim_matches('"').replace('/', "\\/").into_bytes());
        }
    }
}

#[cfg(test)]
mod tests {
    use base64::engine::general_purpose::{STANDARD, URL_SAFE};

    use super::*;

    const SECRET: &str = "s3cr+t/va\"lue?>";

    #[test]
    fn a_secret_is_found_in_every_form_and_place() {
        let redactor = Redactor::new([SECRET]);
        let percent = "s3cr%2Bt%2Fva%22lue%3F%3E";
        let hex: String = SECRET.bytes().map(|byte| format!("{byte:02x}")).collect();
        let mut texts = vec![
            SECRET.to_owned(),
            format!("before{SECRET}after"),
            percent.to_owned(),
            percent.to_lowercase(),
            serde_json::to_string(SECRET).unwrap(),
            hex.to_uppercase(),
            hex,
        ];
        for before in ["", "u", "us", "use", "user:"] {
            for after in ["", "x", "yz"] {
                let whole = format!("{before}{SECRET}{after}");
                texts.extend([STANDARD.encode(&whole), URL_SAFE.encode(&whole)]);
            }
        }
        for text in texts {
            let told = redactor.text(&text).unwrap_or_else(|| panic!("not found in {text}"));
            assert!(told.contains(MARK) && !told.contains("s3cr"), "{told}");
        }
        assert_eq!(redactor.text("nothing of it"), None);
    }

    #[test]
    fn values_lose_them_in_texts_names_and_numbers() {
        let redactor = Redactor::new([SECRET, "123456"]);
        let value = Value::from_serde(&serde_json::json!({
            "list": [SECRET, 123_456, 7, true], SECRET: {"deep": format!("a{SECRET}b")}}));
        let told = redactor.value(value).to_json();
        assert_eq!(
            told,
            r#"{"[secret]":{"deep":"a[secret]b"},"list":["[secret]","[secret]",7,true]}"#
                .replace('\\', "")
        );
    }

    #[test]
    fn a_secret_of_several_lines_is_found_line_by_line() {
        let redactor = Redactor::new(["-----BEGIN-----\nabcdefgh\nijklmnop\n"]);
        assert_eq!(redactor.text("x ijklmnop").unwrap(), "x [secret]");
        assert!(redactor.text(r#""-----BEGIN-----\nabcdefgh\nijklmnop""#).unwrap().contains(MARK));
    }

    #[test]
    fn broken_lines_and_half_encoded_texts_are_hidden_whole() {
        let long = "k3y/".repeat(60);
        let redactor = Redactor::new([long.as_str(), "ab+cd/ef"]);
        let lines: Vec<String> = STANDARD
            .encode(&long)
            .as_bytes()
            .chunks(76)
            .map(|line| String::from_utf8_lossy(line).into_owned())
            .collect();
        assert_eq!(redactor.text(&lines.join("\n")).unwrap(), MARK);
        assert_eq!(redactor.text("q=ab%2Bcd/ef").unwrap(), MARK);
        assert_eq!(redactor.text("100% of it"), None);
    }

    #[test]
    fn without_secrets_nothing_is_looked_for() {
        let redactor = Redactor::new([]);
        assert_eq!(redactor.text("anything"), None);
    }
}
