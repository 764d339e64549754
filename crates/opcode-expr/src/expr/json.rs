//! `toJSON` and `fromJSON` as Go's encoding/json has them: two blanks a level, keys in order, `<`, `>` and `&` escaped.
//!
//! Keeps: what is written is charged as it is written; what has no JSON form is an error.
//! Not here: the form an answer takes (`value.rs`).

use opcode_model::Value;

use super::calls::Arguments;
use super::eval::Machine;
use super::print::with_exponent;
use super::trouble::{Outcome, Trouble};
use super::value::Datum;

pub(super) fn read(machine: &mut Machine<'_>, given: &Arguments<'_>) -> Outcome<Datum> {
    let text = given.text(0)?;
    machine.bytes(text.len().saturating_mul(16), given.span)?;
    machine.scan(text.len().saturating_mul(8), given.span)?;
    Value::from_json(text)
        .map(Datum::Json)
        .map_err(|error| given.refuse(&format!("cannot read this: {error}")))
}

pub(super) fn write(machine: &mut Machine<'_>, given: &Arguments<'_>) -> Outcome<Datum> {
    let mut writer = Writer { machine, given, out: String::new(), charged: 0, depth: 0 };
    writer.value(given.value(0))?;
    Ok(writer.out.into())
}

struct Writer<'w, 'm, 'v> {
    machine: &'w mut Machine<'m>,
    given: &'w Arguments<'v>,
    out: String,
    charged: usize,
    depth: usize,
}

impl Writer<'_, '_, '_> {
    fn value(&mut self, value: &Datum) -> Outcome<()> {
        self.charge()?;
        match value {
            Datum::Json(value) => return self.json(value),
            Datum::Int(number)
            | Datum::Duration(number)
            | Datum::Month(number)
            | Datum::Weekday(number) => self.out += &number.to_string(),
            Datum::Byte(byte) => self.out += &byte.to_string(),
            Datum::Time(time) => {
                self.machine.steps(super::methods::DATE_STEPS, self.given.span)?;
                let text = time.rfc3339();
                self.text(&text);
            }
            Datum::Zone(_) => self.out += "{}",
            Datum::NoList => self.out += "null",
            Datum::List(items) => return self.list(items, Self::value),
            Datum::Map(pairs) => {
                let pairs = pairs.iter().map(|(key, value)| (key.as_ref(), value));
                return self.map(pairs, Self::value);
            }
            Datum::Keyed(_) => {
                return Err(self.given.refuse("cannot write a map whose keys may be anything"));
            }
        }
        Ok(())
    }

    fn json(&mut self, value: &Value) -> Outcome<()> {
        self.charge()?;
        match value {
            Value::Null => self.out += "null",
            Value::Bool(flag) => self.out += if *flag { "true" } else { "false" },
            Value::Int(number) => self.out += &number.to_string(),
            Value::Float(number) if number.is_finite() => {
                self.out += &with_exponent(*number, |power| !(-6..21).contains(&power), 1);
            }
            Value::Float(_) => {
                return Err(Trouble::argument(
                    "`toJSON` cannot write a number that is infinite or none",
                    self.given.span,
                ));
            }
            Value::String(text) => self.text(text),
            Value::Bytes(_) => self.out += &value.to_json(),
            Value::List(items) => return self.list(items, Self::json),
            Value::Object(object) => {
                let pairs = object.iter().map(|(key, value)| (key.as_ref(), value));
                return self.map(pairs, Self::json);
            }
        }
        Ok(())
    }

    /// Charges what has been written since the last time.
    fn charge(&mut self) -> Outcome<()> {
        let grown = self.out.len() - self.charged;
        self.charged = self.out.len();
        self.machine.steps(1, self.given.span)?;
        self.machine.bytes(grown, self.given.span)
    }

    fn line(&mut self) {
        self.out.push('\n');
        for _ in 0..self.depth {
            self.out += "  ";
        }
    }

    fn list<T>(&mut self, items: &[T], write: fn(&mut Self, &T) -> Outcome<()>) -> Outcome<()> {
        if items.is_empty() {
            self.out += "[]";
            return Ok(());
        }
        self.out.push('[');
        self.depth += 1;
        for (at, item) in items.iter().enumerate() {
            if at > 0 {
                self.out.push(',');
            }
            self.line();
            write(self, item)?;
        }
        self.depth -= 1;
        self.line();
        self.out.push(']');
        Ok(())
    }

    fn map<'p, T: 'p>(
        &mut self,
        pairs: impl Iterator<Item = (&'p str, &'p T)>,
        write: fn(&mut Self, &T) -> Outcome<()>,
    ) -> Outcome<()> {
        self.out.push('{');
        self.depth += 1;
        let mut first = true;
        for (key, value) in pairs {
            if !first {
                self.out.push(',');
            }
            first = false;
            self.line();
            self.text(key);
            self.out += ": ";
            write(self, value)?;
        }
        self.depth -= 1;
        if !first {
            self.line();
        }
        self.out.push('}');
        Ok(())
    }

    fn text(&mut self, text: &str) {
        self.out.push('"');
        for letter in text.chars() {
            match letter {
                '"' => self.out += "\\\"",
                '\\' => self.out += "\\\\",
                '\n' => self.out += "\\n",
                '\r' => self.out += "\\r",
                '\t' => self.out += "\\t",
                '<' | '>' | '&' | '\u{2028}' | '\u{2029}' | '\0'..='\x1f' => {
                    self.out += &format!("\\u{:04x}", u32::from(letter));
                }
                _ => self.out.push(letter),
            }
        }
        self.out.push('"');
    }
}
