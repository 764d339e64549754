//! What a seed stands for: definitions, callers, and which faults are on.
//!
//! Keeps: a scenario is data, so that it can be cut down; a seed draws which faults are on and how often (swarm).
//! Not here: playing it (`world.rs`), cutting it (`shrink.rs`).

use super::dice::Dice;
use super::oracle::Templates;
use super::tree::{Def, Kind, Node, OnError, Outside};

/// What a seed stands for.
#[derive(Clone, Debug)]
pub(crate) struct Scenario {
    pub(crate) seed: u64,
    pub(crate) faults: Faults,
    pub(crate) templates: Templates,
    pub(crate) runs: Vec<Wanted>,
    pub(crate) says: Vec<(i64, Say)>,
    /// Whether outcomes depend on nobody's speed, so that the oracle can tell them.
    pub(crate) plain: bool,
}

/// A run somebody wants.
#[derive(Clone, Debug)]
pub(crate) struct Wanted {
    pub(crate) def: Def,
    pub(crate) at: i64,
    /// Asked for again until somebody says that it has begun.
    pub(crate) keyed: bool,
    pub(crate) watch: bool,
}

/// What somebody says to a run.
#[derive(Clone, Debug)]
pub(crate) struct Say {
    pub(crate) run: usize,
    pub(crate) what: What,
    /// Which of its steps.
    pub(crate) place: usize,
    /// Said twice under one id.
    pub(crate) twice: bool,
}

/// What somebody says to a run.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum What {
    Watch,
    StartAgain,
    OtherRequest,
    Stranger,
    Cancel,
    CancelStep,
    Data,
    Decision,
    Retry,
    Resume,
    Skip,
    /// Another process writes to the run.
    Zombie,
    Poke,
    Drain,
}

/// Which faults are on, and how often: in a thousand, or at most so many milliseconds.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Faults {
    /// The process dies instead of carrying out these commands, counted from the first.
    pub(crate) crashes: Vec<u64>,
    /// Nothing can be written from … to.
    pub(crate) full: Option<(i64, i64)>,
    /// It is not known whether a batch was written.
    pub(crate) lost: u32,
    pub(crate) write_ms: i64,
    pub(crate) answer_ms: i64,
    pub(crate) read_ms: i64,
    pub(crate) read_fails: u32,
    /// Answers of attempts come late, or twice.
    pub(crate) finish_ms: i64,
    pub(crate) echo: u32,
    pub(crate) hang: u32,
    /// A kept state is of another format.
    pub(crate) mangled: u32,
    /// The shell hears more news before it asks the driver again.
    pub(crate) busy: u32,
    /// Nobody answers questions until the world is calm.
    pub(crate) silent: bool,
    pub(crate) slots: usize,
    pub(crate) idle_max: usize,
    pub(crate) snapshot_every: u64,
}

/// When the faults end.
pub(crate) const CALM: i64 = 12_000;

impl Scenario {
    /// What a seed stands for.
    pub(crate) fn of(seed: u64) -> Self {
        let mut dice = Dice::new(seed, 1);
        let plain = dice.chance(500);
        let mut pen = Pen { dice: Dice::new(seed, 2), plain, next: 0, templates: 0, long: false };
        let mut templates = Templates::new();
        for n in 0..pen.dice.below(3) {
            templates.insert(format!("t{n}"), pen.def(4));
            pen.templates = n + 1;
        }
        let count = 1 + dice.below(4);
        let together = dice.chance(500);
        let runs = (0..count).map(|_| Wanted {
            def: pen.def(7),
            at: if together { 100 } else { dice.span(0, 800) },
            keyed: plain || dice.chance(600),
            watch: dice.chance(500),
        });
        let runs: Vec<Wanted> = runs.collect();
        let mut faults = faults(&mut Dice::new(seed, 3));
        if pen.long {
            faults.snapshot_every = faults.snapshot_every.max(400);
        }
        let says = says(&mut Dice::new(seed, 4), plain, count);
        Self { seed, faults, templates, runs, says, plain }
    }
}

fn faults(dice: &mut Dice) -> Faults {
    let on = |dice: &mut Dice, most: usize| {
        if dice.chance(500) { u32::try_from(1 + dice.below(most)).unwrap_or(1) } else { 0 }
    };
    let mut faults = Faults {
        crashes: Vec::new(),
        full: None,
        lost: on(dice, 40) / 2,
        write_ms: i64::from(on(dice, 60)),
        answer_ms: i64::from(on(dice, 60)),
        read_ms: i64::from(on(dice, 600)),
        read_fails: on(dice, 200),
        finish_ms: i64::from(on(dice, 1_500)),
        echo: on(dice, 300),
        hang: on(dice, 150),
        mangled: on(dice, 500),
        busy: on(dice, 300),
        silent: dice.chance(150),
        slots: 1 + dice.below(4),
        idle_max: [0, 1, 1, 2][dice.below(4)],
        snapshot_every: [2, 5, 20, 5_000][dice.below(4)],
    };
    for _ in 0..dice.below(4) {
        let by = [20, 60, 150][dice.below(3)];
        faults.crashes.push(dice.below(by) as u64);
    }
    if dice.chance(250) {
        let from = dice.span(0, 3_000);
        faults.full = Some((from, from + dice.span(100, 4_000)));
    }
    faults
}

fn says(dice: &mut Dice, plain: bool, runs: usize) -> Vec<(i64, Say)> {
    let harmless =
        &[What::Watch, What::StartAgain, What::OtherRequest, What::Stranger, What::Zombie];
    let others = &[
        What::Cancel,
        What::CancelStep,
        What::Data,
        What::Data,
        What::Decision,
        What::Decision,
        What::Retry,
        What::Retry,
        What::Resume,
        What::Skip,
        What::Skip,
    ];
    let mut says = Vec::new();
    for _ in 0..dice.below(8) {
        let what = match dice.below(8) {
            0 => What::Poke,
            1 if dice.chance(100) => What::Drain,
            2 | 3 => harmless[dice.below(harmless.len())],
            _ if plain => harmless[dice.below(harmless.len())],
            _ => others[dice.below(others.len())],
        };
        let say =
            Say { run: dice.below(runs), what, place: dice.below(100), twice: dice.chance(200) };
        says.push((dice.span(0, 5_000), say));
    }
    says
}

/// A step with nothing about it.
fn bare() -> Node {
    Node {
        id: String::new(),
        needs: None,
        guard: None,
        retry: 0,
        on_error: OnError::None,
        timeout: None,
        interrupted: None,
        kind: Kind::Note,
    }
}

/// Writes definitions.
struct Pen {
    dice: Dice,
    plain: bool,
    next: usize,
    templates: usize,
    /// Whether some definition comes to very many steps.
    long: bool,
}

impl Pen {
    fn def(&mut self, most: usize) -> Def {
        let size = 1 + self.dice.below(most);
        let mut def = Def { branch_mode: self.dice.chance(500), ..Def::default() };
        def.steps = self.body(size, 0, true, false);
        if self.dice.chance(15) {
            def.steps.push(self.long());
        }
        if self.dice.chance(150) {
            def.on_complete = Some(Box::new(self.hook()));
        }
        if self.dice.chance(150) {
            def.on_error = Some(Box::new(self.hook()));
        }
        if !self.plain && self.dice.chance(200) {
            let then = ["fail", "suspend", "cancel"][self.dice.below(3)];
            def.timeout = Some((self.dice.span(100, 4_000), then));
        }
        def
    }

    /// A loop of so many pure steps that it is written in several commits.
    fn long(&mut self) -> Node {
        self.long = true;
        let mut node = self.node(9, false, &[]);
        let pure = Kind::Pure { v: 1, of: None, iter: true };
        let body = vec![Node { id: "p".to_owned(), kind: pure, ..bare() }];
        let times = 250 + self.dice.below(150) as u32;
        let (counted, concurrency) = (self.dice.chance(500), 1);
        node.needs = Some(Vec::new());
        Node { kind: Kind::Loop { times, counted, concurrency, body }, ..node }
    }

    fn hook(&mut self) -> Node {
        let mut node = self.node(9, false, &[]);
        node.id = "hook".to_owned();
        node.guard = None;
        node
    }

    fn body(&mut self, size: usize, depth: usize, top: bool, looped: bool) -> Vec<Node> {
        let mut nodes: Vec<Node> = Vec::new();
        for _ in 0..size {
            let mut node = self.node(depth, looped, &nodes);
            if top || self.dice.chance(200) {
                let mut needs = Vec::new();
                for other in &nodes {
                    if self.dice.chance(350) {
                        needs.push(other.id.clone());
                    }
                }
                if let Kind::Pure { of: Some(id), .. } | Kind::Outside(Outside { of: Some(id), .. }) =
                    &node.kind
                    && !needs.contains(id)
                {
                    needs.push(id.clone());
                }
                node.needs = Some(needs);
            } else if let Kind::Pure { of, .. } | Kind::Outside(Outside { of, .. }) = &mut node.kind
            {
                *of = of.take().filter(|id| nodes.last().is_some_and(|last| last.id == *id));
            }
            nodes.push(node);
        }
        if !self.plain && nodes.len() > 1 && self.dice.chance(200) {
            let last = nodes.len() - 1;
            let target = nodes[last].id.clone();
            if nodes[last].needs.as_ref().is_none_or(Vec::is_empty) {
                let at = self.dice.below(last);
                nodes[last].needs = Some(Vec::new());
                nodes[at].on_error = OnError::Fallback(target);
            }
        }
        nodes
    }

    fn node(&mut self, depth: usize, looped: bool, before: &[Node]) -> Node {
        self.next += 1;
        let id = format!("s{}", self.next);
        let kind = self.kind(depth, looped, before);
        let outside = matches!(kind, Kind::Outside(_));
        let retries = outside || (!self.plain && self.dice.chance(300));
        let fancy = !self.plain;
        Node {
            id,
            needs: None,
            guard: self.dice.chance(120).then(|| self.dice.chance(500)),
            retry: if retries && self.dice.chance(400) { self.dice.below(4) as u32 } else { 0 },
            on_error: if self.dice.chance(150) { OnError::Ignore } else { OnError::None },
            timeout: (fancy && self.dice.chance(150)).then(|| self.dice.span(50, 1_500)),
            interrupted: if fancy && outside && self.dice.chance(600) {
                self.dice.pick(&["fail", "ask", "retry"]).copied()
            } else {
                None
            },
            kind,
        }
    }

    fn kind(&mut self, depth: usize, looped: bool, before: &[Node]) -> Kind {
        let simple = |other: &&Node| {
            let says = matches!(
                other.kind,
                Kind::Pure { .. } | Kind::Outside(Outside { fatal: false, .. })
            );
            says && other.guard.is_none() && other.on_error == OnError::None
        };
        let of = before.iter().rfind(simple).map(|other| other.id.clone());
        let of = of.filter(|_| self.dice.chance(300));
        let iter = looped && self.dice.chance(500);
        let v = self.dice.span(0, 9);
        let roll = self.dice.below(if depth < 2 { 30 } else { 19 });
        match roll {
            0..=2 => Kind::Pure { v, of, iter },
            3 => Kind::Broken,
            4 => Kind::Note,
            5..=11 => Kind::Outside(Outside {
                once: self.dice.chance(500),
                fails: if self.dice.chance(300) { self.dice.below(4) as u32 } else { 0 },
                fatal: self.dice.chance(60),
                ms: self.dice.span(0, 400),
                v,
                of,
                iter,
            }),
            12 | 13 => Kind::Wait { ms: self.dice.span(1, 3_000) },
            14 => Kind::Listen { name: ["go", "on"][self.dice.below(2)] },
            15 => {
                let timeout =
                    (!self.plain && self.dice.chance(400)).then(|| self.dice.span(100, 2_000));
                Kind::Ask { timeout, fallback: timeout.is_some() && self.dice.chance(500) }
            }
            16..=18 if self.templates == 0 => Kind::Note,
            16..=18 => {
                let missing = self.dice.chance(80);
                let n = if missing { 99 } else { self.dice.below(self.templates) };
                Kind::Child { template: format!("t{n}") }
            }
            19..=21 => self.condition(depth, looped),
            22..=25 => {
                let size = 1 + self.dice.below(3);
                let counted = self.dice.chance(400);
                let concurrency = if counted { 1 } else { 1 + self.dice.below(3) as u32 };
                let times = self.dice.below(4) as u32;
                let body = self.body(size, depth + 1, false, true);
                Kind::Loop { times, counted, concurrency, body }
            }
            _ => {
                let count = 1 + self.dice.below(3);
                let mut branches = Vec::new();
                for _ in 0..count {
                    let size = 1 + self.dice.below(2);
                    branches.push(self.body(size, depth + 1, false, looped));
                }
                if !self.plain && self.dice.chance(400) {
                    Kind::Race { branches }
                } else {
                    Kind::All { branches }
                }
            }
        }
    }

    fn condition(&mut self, depth: usize, looped: bool) -> Kind {
        let key = ["a", "b", "c"][self.dice.below(3)];
        let mut branches = Vec::new();
        for name in ["a", "b", "default"] {
            if self.dice.chance(700) {
                let size = self.dice.below(3);
                branches.push((name, self.body(size, depth + 1, false, looped)));
            }
        }
        Kind::Condition { key, branches }
    }
}
