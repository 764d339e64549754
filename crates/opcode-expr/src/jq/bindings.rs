//! What names mean at a place in a program.
//!
//! Keeps: the innermost meaning wins; a frame is a function's, and what is bound inside it has a slot of it.
//! Not here: functions of the language (`calls.rs`).

use std::sync::Arc;

use opcode_model::problem::nearest;

use super::op::Place;
use crate::error::listed;

/// What a name means.
#[derive(Debug)]
pub(super) enum Meaning {
    Variable {
        name: Arc<str>,
        slot: usize,
    },
    /// A function given as an argument.
    Argument {
        name: Arc<str>,
        slot: usize,
    },
    Function {
        name: Arc<str>,
        arity: usize,
        function: usize,
    },
    Label {
        name: Arc<str>,
        slot: usize,
    },
}

/// A name bound in the frame of a function so many functions deep.
#[derive(Debug)]
struct Binding {
    depth: u32,
    meaning: Meaning,
}

/// All names that have a meaning here.
#[derive(Debug)]
pub(super) struct Bindings<'a> {
    bindings: Vec<Binding>,
    /// How many slots each frame around here has so far, the innermost last.
    frames: Vec<usize>,
    /// Below this, names bound by a pattern are not that pattern's.
    pattern: usize,
    arguments: &'a [Arc<str>],
}

impl<'a> Bindings<'a> {
    /// The program's arguments, in the first slots.
    pub(super) fn new(arguments: &'a [Arc<str>]) -> Self {
        let mut bindings = Self {
            bindings: Vec::new(),
            frames: vec![arguments.len()],
            pattern: usize::MAX,
            arguments,
        };
        for (slot, name) in arguments.iter().enumerate() {
            bindings.bind(Meaning::Variable { name: name.clone(), slot });
        }
        bindings
    }

    pub(super) fn depth(&self) -> u32 {
        u32::try_from(self.frames.len()).unwrap_or(u32::MAX)
    }

    /// A new slot of this frame.
    pub(super) fn slot(&mut self) -> usize {
        let Some(slots) = self.frames.last_mut() else { return 0 };
        *slots += 1;
        *slots - 1
    }

    /// How many slots this frame has.
    pub(super) fn slots(&self) -> usize {
        self.frames.last().copied().unwrap_or(0)
    }

    pub(super) fn enter(&mut self) {
        self.frames.push(0);
    }

    /// Leaves a function; how many slots its frame has.
    pub(super) fn leave(&mut self) -> usize {
        self.frames.pop().unwrap_or(0)
    }

    pub(super) fn mark(&self) -> usize {
        self.bindings.len()
    }

    pub(super) fn back_to(&mut self, mark: usize) {
        self.bindings.truncate(mark);
    }

    /// Hides all names but the program's outermost frame, for what the language itself defines.
    pub(super) fn set_aside(&mut self) -> Hidden {
        let frames = std::mem::replace(&mut self.frames, vec![0]);
        Hidden { bindings: std::mem::take(&mut self.bindings), frames }
    }

    pub(super) fn bring_back(&mut self, hidden: Hidden) {
        self.bindings = hidden.bindings;
        self.frames = hidden.frames;
    }

    pub(super) fn bind(&mut self, meaning: Meaning) {
        let depth = self.depth();
        self.bindings.push(Binding { depth, meaning });
    }

    /// From here on, names bound belong to one choice of patterns and share their slots.
    pub(super) fn share_from(&mut self, mark: usize) -> usize {
        std::mem::replace(&mut self.pattern, mark)
    }

    /// The slot that another pattern of the same choice has given to a name.
    pub(super) fn shared(&self, name: &str) -> Option<usize> {
        let mine = self.bindings.get(self.pattern.min(self.bindings.len())..)?;
        mine.iter().rev().find_map(|binding| match &binding.meaning {
            Meaning::Variable { name: known, slot } if **known == *name => Some(*slot),
            _ => None,
        })
    }

    fn place(&self, binding: &Binding, slot: usize) -> Place {
        Place { up: self.depth() - binding.depth, slot }
    }

    pub(super) fn find_variable(&self, name: &str) -> Option<Place> {
        self.bindings.iter().rev().find_map(|binding| match &binding.meaning {
            Meaning::Variable { name: known, slot } if **known == *name => {
                Some(self.place(binding, *slot))
            }
            _ => None,
        })
    }

    pub(super) fn find_label(&self, name: &str) -> Option<Place> {
        self.bindings.iter().rev().find_map(|binding| match &binding.meaning {
            Meaning::Label { name: known, slot } if **known == *name => {
                Some(self.place(binding, *slot))
            }
            _ => None,
        })
    }

    /// A function of the program, or one that it was given.
    pub(super) fn find_function(&self, name: &str, arity: usize) -> Option<Found> {
        self.bindings.iter().rev().find_map(|binding| match &binding.meaning {
            Meaning::Function { name: known, arity: takes, function }
                if **known == *name && *takes == arity =>
            {
                let up = self.depth() - binding.depth;
                Some(Found::Function { function: *function, up })
            }
            Meaning::Argument { name: known, slot } if **known == *name && arity == 0 => {
                Some(Found::Argument(self.place(binding, *slot)))
            }
            _ => None,
        })
    }

    /// What to write instead of a variable that is not there: the nearest, or which there are.
    pub(super) fn meant_variable(&self, name: &str) -> String {
        let bound = self.bindings.iter().filter_map(|binding| match &binding.meaning {
            Meaning::Variable { name, .. } => Some(name.as_ref()),
            _ => None,
        });
        let names = bound.chain(self.arguments.iter().map(AsRef::as_ref));
        match nearest(name, names.clone()) {
            Some(near) => format!("did you mean `${near}`?"),
            None => format!(
                "the variables here are {}",
                listed(["ENV", "__loc__"].into_iter().chain(names))
            ),
        }
    }

    /// The names of the functions that can be called here.
    pub(super) fn function_names(&self) -> impl Iterator<Item = &str> {
        self.bindings.iter().filter_map(|binding| match &binding.meaning {
            Meaning::Function { name, .. } | Meaning::Argument { name, .. } => Some(name.as_ref()),
            _ => None,
        })
    }
}

/// Names that are hidden for a while.
#[derive(Debug)]
pub(super) struct Hidden {
    bindings: Vec<Binding>,
    frames: Vec<usize>,
}

/// A function that a name means.
#[derive(Clone, Copy, Debug)]
pub(super) enum Found {
    Function { function: usize, up: u32 },
    Argument(Place),
}
