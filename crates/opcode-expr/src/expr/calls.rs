//! Which code answers a function.
//!
//! Keeps: arguments are counted already; their types are checked here, where the text did not show them.
//! Not here: the table of names (`functions.rs`), functions with predicates (`loops.rs`).

use std::sync::Arc;

use super::arith::is_int;
use super::eval::Machine;
use super::functions::{Function, name_of};
use super::trouble::{Outcome, Span, Trouble};
use super::value::Datum;
use super::{dates, json, lists, numbers, print, text};

/// The arguments of a call, and where it stands.
pub(super) struct Arguments<'v> {
    pub(super) function: Function,
    pub(super) values: &'v [Datum],
    pub(super) span: Span,
    /// Whether no float may stand for an int.
    pub(super) exact: bool,
}

impl<'v> Arguments<'v> {
    /// The argument, or nil.
    pub(super) fn value(&self, at: usize) -> &'v Datum {
        const NIL: &Datum = &Datum::NIL;
        self.values.get(at).unwrap_or(NIL)
    }

    pub(super) fn text(&self, at: usize) -> Outcome<&'v Arc<str>> {
        let value = self.value(at);
        value.as_text().ok_or_else(|| self.wanted("a string", value))
    }

    /// A text that may be left out.
    pub(super) fn text_or(&self, at: usize, default: &'v str) -> Outcome<&'v str> {
        if at < self.values.len() { self.text(at).map(AsRef::as_ref) } else { Ok(default) }
    }

    /// A whole number; what is left of a float without its fraction.
    pub(super) fn count(&self, at: usize) -> Outcome<i64> {
        let value = self.value(at);
        let number = value.as_number().ok_or_else(|| self.wanted("a whole number", value))?;
        Ok(number.truncated())
    }

    /// An int; a float without a fraction passes for one unless that is to be exact.
    pub(super) fn whole(&self, at: usize) -> Outcome<i64> {
        let value = self.value(at);
        let number = value.as_number().filter(|number| is_int(*number) || !self.exact);
        let number = number.ok_or_else(|| self.wanted("an int", value))?;
        match number.as_whole() {
            Some(number) => Ok(number),
            None => Err(self.refuse("takes a whole number; convert with int(x)")),
        }
    }

    /// A whole number that may be left out.
    pub(super) fn count_or(&self, at: usize, default: i64) -> Outcome<i64> {
        if at < self.values.len() { self.count(at) } else { Ok(default) }
    }

    pub(super) fn list(&self, at: usize) -> Outcome<&'v Datum> {
        let value = self.value(at);
        if value.is_list() { Ok(value) } else { Err(self.wanted("an array", value)) }
    }

    pub(super) fn map(&self, at: usize) -> Outcome<&'v Datum> {
        let value = self.value(at);
        if value.is_map() { Ok(value) } else { Err(self.wanted("a map", value)) }
    }

    pub(super) fn wanted(&self, wanted: &str, got: &Datum) -> Box<Trouble> {
        Trouble::wanted(&format!("`{}`", name_of(self.function)), wanted, got.kind(), self.span)
    }

    pub(super) fn refuse(&self, message: &str) -> Box<Trouble> {
        Trouble::argument(format!("`{}` {message}", name_of(self.function)), self.span)
    }
}

impl Machine<'_> {
    pub(super) fn call(
        &mut self,
        function: Function,
        values: &[Datum],
        span: Span,
    ) -> Outcome<Datum> {
        let given = Arguments { function, values, span, exact: self.code.exact };
        match function {
            Function::Abs => numbers::abs(&given),
            Function::Bit(bit) => numbers::bit(bit, &given),
            Function::Ceil | Function::Floor | Function::Round => numbers::round(function, &given),
            Function::Int => numbers::int(&given),
            Function::Float => numbers::float(&given),
            Function::Max | Function::Min => numbers::extreme(self, function, &given),
            Function::Mean => numbers::mean(self, &given),
            Function::Median => numbers::median(self, &given),
            Function::HasPrefix
            | Function::HasSuffix
            | Function::IndexOf
            | Function::LastIndexOf => text::ask(self, function, &given),
            Function::Lower | Function::Upper => text::case(self, function, &given),
            Function::Trim | Function::TrimPrefix | Function::TrimSuffix => {
                text::trim(self, function, &given)
            }
            Function::Repeat => text::repeat(self, &given),
            Function::Replace => text::replace(self, &given),
            Function::Split | Function::SplitAfter => text::split(self, function, &given),
            Function::Join => text::join(self, &given),
            Function::FromBase64 => text::from_base64(self, &given),
            Function::ToBase64 => text::to_base64(self, &given),
            Function::String => print::string(self, &given),
            Function::ToJson => json::write(self, &given),
            Function::FromJson => json::read(self, &given),
            Function::Type => Ok(given.value(0).kind().into()),
            Function::Len => lists::len(self, &given),
            Function::First => Ok(lists::end(given.value(0), 0)),
            Function::Last => Ok(lists::end(given.value(0), -1)),
            Function::Get => lists::get(&given),
            Function::Take => lists::take(self, &given),
            Function::Concat => lists::concat(self, &given),
            Function::Flatten => lists::flatten(self, &given),
            Function::Reverse => lists::reverse(self, &given),
            Function::Sort => lists::sort(self, &given),
            Function::Uniq => lists::uniq(self, &given),
            Function::Keys | Function::Values | Function::ToPairs => {
                lists::of_map(self, function, &given)
            }
            Function::FromPairs => lists::from_pairs(self, &given),
            Function::Date => dates::date(self, &given),
            Function::Duration => dates::duration(&given),
            Function::Now => dates::now(self, &given),
            Function::Timezone => dates::timezone(&given),
        }
    }
}
