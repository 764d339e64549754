//! Definitions and calls: the program's own functions, natives, and what the language defines in jq.
//!
//! Keeps: the program's definitions come first; the language's own are compiled once a program, and only if called.
//! Not here: functions that are neither (`specials.rs`).

use std::sync::LazyLock;

use opcode_model::problem::nearest;

use super::bindings::{Found, Meaning};
use super::compile::Compiler;
use super::lexer::Outcome;
use super::natives;
use super::op::{Argument, Function, Op};
use super::parse::parse_definitions;
use super::specials;
use super::syntax::{Definition, Id, Node, Syntax};

/// What the language defines in terms of itself.
struct Prelude {
    syntax: Syntax,
    definitions: Vec<Definition>,
}

static PRELUDE: LazyLock<Prelude> = LazyLock::new(|| {
    let parsed = parse_definitions(include_str!("prelude.jq"));
    let (syntax, definitions) = parsed.unwrap_or_default();
    Prelude { syntax, definitions }
});

/// Functions of jq that have no meaning here, and why.
const REFUSED: [(&str, &str); 5] = [
    ("input", "there is one input, and it is `.`"),
    ("inputs", "there is one input, and it is `.`"),
    ("input_line_number", "the input is no file"),
    ("modulemeta", "modules are not available here"),
    ("get_search_list", "modules are not available here"),
];

/// All functions of the language, as `name/arity`, those for its own use left out.
pub(super) fn names() -> Vec<String> {
    let prelude = PRELUDE.definitions.iter();
    let mut names: Vec<(&str, usize)> =
        prelude.map(|definition| (definition.name.as_ref(), definition.parameters.len())).collect();
    names.extend(natives::all().map(|native| (native.name, native.arity)));
    names.extend(specials::NAMES);
    names.retain(|(name, _)| !name.starts_with('_'));
    names.sort_unstable();
    names.dedup();
    names.into_iter().map(|(name, arity)| format!("{name}/{arity}")).collect()
}

impl<'a> Compiler<'a> {
    /// `def …;`
    pub(super) fn define(&mut self, definition: &'a Definition) -> Outcome<()> {
        let function = self.functions.len();
        self.functions.push(Function::default());
        let (name, arity) = (definition.name.clone(), definition.parameters.len());
        self.bindings.bind(Meaning::Function { name, arity, function });
        self.body(function, definition)
    }

    fn body(&mut self, function: usize, definition: &'a Definition) -> Outcome<()> {
        self.enclosed(function, |c| {
            for parameter in &definition.parameters {
                let slot = c.slot();
                c.bindings.bind(Meaning::Argument { name: parameter.name.clone(), slot });
            }
            for (slot, parameter) in definition.parameters.iter().enumerate() {
                if parameter.is_value {
                    c.emit(Op::Duplicate);
                    c.aside(|c| {
                        c.emit(Op::CallArgument(super::op::Place { up: 0, slot }));
                        Ok(())
                    })?;
                    let value = c.bind_variable(&parameter.name);
                    c.emit(Op::Store(value));
                }
            }
            c.node(definition.body)
        })
    }

    /// Code of a function, which the code around it jumps over.
    fn enclosed(
        &mut self,
        function: usize,
        emit: impl FnOnce(&mut Self) -> Outcome<()>,
    ) -> Outcome<()> {
        let over = self.emit(Op::Jump(0));
        let mark = self.bindings.mark();
        self.bindings.enter();
        let entry = self.here();
        emit(self)?;
        self.emit(Op::Return);
        let slots = self.bindings.leave();
        self.bindings.back_to(mark);
        if let Some(known) = self.functions.get_mut(function) {
            *known = Function { entry, slots };
        }
        self.land(over);
        Ok(())
    }

    /// `name(arguments)`.
    pub(super) fn call(&mut self, name: &str, arguments: &[Id]) -> Outcome<()> {
        let arity = arguments.len();
        match self.bindings.find_function(name, arity) {
            Some(Found::Argument(place)) => {
                self.emit(Op::CallArgument(place));
                return Ok(());
            }
            Some(Found::Function { function, up }) => {
                return self.call_function(function, up, arguments);
            }
            None => {}
        }
        if self.special(name, arguments)? {
            return Ok(());
        }
        if natives::find(name, arity).is_some() {
            return self.call_native(name, arguments);
        }
        let prelude: &'static Prelude = &PRELUDE;
        let fits = |definition: &&Definition| {
            *definition.name == *name && definition.parameters.len() == arity
        };
        match prelude.definitions.iter().find(fits) {
            Some(definition) => {
                let function = self.own(&prelude.syntax, definition)?;
                self.call_function(function, 0, arguments)
            }
            None => self.unknown(name, arity),
        }
    }

    fn call_function(&mut self, function: usize, up: u32, arguments: &[Id]) -> Outcome<()> {
        let mut closures = Vec::with_capacity(arguments.len());
        for argument in arguments {
            closures.push(self.closure(*argument)?);
        }
        self.emit(Op::Call { function, up, arguments: closures.into() });
        Ok(())
    }

    /// A function of what an argument says; a parameter alone is passed on as it is.
    fn closure(&mut self, id: Id) -> Outcome<Argument> {
        if let Node::Call { name, arguments } = self.syntax.node(id)
            && arguments.is_empty()
            && let Some(Found::Argument(place)) = self.bindings.find_function(name, 0)
        {
            return Ok(Argument::Passed(place));
        }
        let function = self.functions.len();
        self.functions.push(Function::default());
        self.enclosed(function, |c| c.scoped(id))?;
        Ok(Argument::Closure(function))
    }

    fn call_native(&mut self, name: &str, arguments: &[Id]) -> Outcome<()> {
        if !arguments.is_empty() {
            let input = self.slot();
            self.emit(Op::Store(input));
            for argument in arguments.iter().rev() {
                self.operand(*argument, input)?;
            }
            self.load(input);
        }
        self.native(name, arguments.len())
    }

    /// A native whose arguments and input are on the stack.
    pub(super) fn native(&mut self, name: &str, arity: usize) -> Outcome<()> {
        match natives::find(name, arity) {
            Some(native) if native.name == "getpath" => drop(self.emit(Op::GetPath)),
            Some(native) => drop(self.emit(Op::Native(native))),
            None => return self.unknown(name, arity),
        }
        Ok(())
    }

    /// A function of the language's own, compiled if it was not yet.
    fn own(&mut self, syntax: &'static Syntax, definition: &'static Definition) -> Outcome<usize> {
        let key = (definition.name.as_ref(), definition.parameters.len());
        if let Some(function) = self.known.get(&key) {
            return Ok(*function);
        }
        let function = self.functions.len();
        self.functions.push(Function::default());
        self.known.insert(key, function);
        let program = std::mem::replace(&mut self.syntax, syntax);
        let from_source = std::mem::replace(&mut self.from_source, false);
        let hidden = self.bindings.set_aside();
        let outcome = self.body(function, definition);
        self.bindings.bring_back(hidden);
        (self.syntax, self.from_source) = (program, from_source);
        outcome.map(|()| function)
    }

    fn unknown<T>(&self, name: &str, arity: usize) -> Outcome<T> {
        if let Some((_, reason)) = REFUSED.iter().find(|refused| refused.0 == name) {
            return self.fail(format!("`{name}` is not available: {reason}"));
        }
        let own = names();
        let known = own.iter().filter_map(|known| known.split_once('/'));
        let arities: Vec<_> =
            known.clone().filter(|known| known.0 == name).map(|known| known.1).collect();
        if !arities.is_empty() {
            let takes = crate::error::arguments(arities.join(" or "));
            let message = format!("function not defined: {name}/{arity}; `{name}` takes {takes}");
            return self.fail(message);
        }
        let names = self.bindings.function_names().chain(known.map(|known| known.0));
        let hint = nearest(name, names).map(|near| format!("; did you mean `{near}`?"));
        let hint = hint.unwrap_or_default();
        self.fail(format!("function not defined: {name}/{arity}{hint}"))
    }

    /// A call that is the last thing a function does takes the place of its frame.
    pub(super) fn mark_last_calls(&mut self) {
        for at in 0..self.ops.len() {
            let Some(Op::Call { function, up: up @ 1.., arguments }) = self.ops.get(at) else {
                continue;
            };
            if !arguments.is_empty() {
                continue;
            }
            let mut next = at + 1;
            // A jump leads forwards, so this ends.
            while let Some(Op::Jump(to)) = self.ops.get(next) {
                next = *to;
            }
            if matches!(self.ops.get(next), Some(Op::Return)) {
                let last = Op::CallLast { function: *function, up: *up };
                if let Some(op) = self.ops.get_mut(at) {
                    *op = last;
                }
            }
        }
    }
}
