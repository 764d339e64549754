//! Actions that do as they are told, beside the built-in ones: they hold, fail, die, and remember who called.
//!
//! Keeps: everything they do is told by their parameters `tag`, `hold`, `fails`, `panic`, `deaf` and `target`.
//! Not here: the engine.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, OnceLock};

use opcode_actions::{Action, Performing, Registry, Stop, World};
use opcode_model::action::{Answer, Call, EffectClass, ParamProblem};
use opcode_model::{Actions, ErrorCode, Failure, Outcome, Value};
use opcode_runtime::Tools;
use tokio::sync::watch;

use crate::kit::until;

/// What the hands have been asked and told.
#[derive(Clone, Debug, Default)]
pub(crate) struct Ledger {
    /// Every call, in order: its tag and its idempotency key.
    pub(crate) calls: Vec<(String, String)>,
    /// Calls that are being performed now.
    pub(crate) running: usize,
    /// The most there ever were at once.
    pub(crate) most: usize,
    /// Tags that were told to stop.
    pub(crate) stopped: BTreeSet<String>,
    released: BTreeSet<String>,
    all_released: bool,
    failed: BTreeMap<String, i64>,
}

impl Ledger {
    /// Tags called, in order.
    pub(crate) fn tags(&self) -> Vec<&str> {
        self.calls.iter().map(|(tag, _)| tag.as_str()).collect()
    }

    /// Keys under which a tag was called, in order.
    pub(crate) fn keys(&self, tag: &str) -> Vec<&str> {
        self.calls.iter().filter(|(of, _)| of == tag).map(|(_, key)| key.as_str()).collect()
    }

    fn may_go(&self, tag: &str) -> bool {
        self.all_released || self.released.contains(tag)
    }
}

/// The actions and their ledger.
pub(crate) struct Hands {
    builtin: Registry,
    own: [Arc<Hand>; 3],
    ledger: watch::Sender<Ledger>,
}

impl Hands {
    pub(crate) fn new() -> Arc<Self> {
        let ledger = watch::Sender::new(Ledger::default());
        let hand = |name, class| Arc::new(Hand { name, class, ledger: ledger.clone() });
        let own = [
            hand("hand.idempotent", EffectClass::Idempotent),
            hand("hand.pure", EffectClass::Pure),
            hand("hand.unsafe", EffectClass::Unsafe),
        ];
        Arc::new(Self { builtin: Registry::builtin(), own, ledger })
    }

    /// What happened up to now.
    pub(crate) fn ledger(&self) -> Ledger {
        self.ledger.borrow().clone()
    }

    /// Lets held calls of a tag go on, now and later.
    pub(crate) fn release(&self, tag: &str) {
        self.ledger.send_modify(|ledger| ledger.released.extend([tag.to_owned()]));
    }

    /// Lets all held calls go on, now and later.
    pub(crate) fn release_all(&self) {
        self.ledger.send_modify(|ledger| ledger.all_released = true);
    }

    /// Waits until the ledger says so.
    pub(crate) async fn until(&self, what: &str, said: impl Fn(&Ledger) -> bool) {
        until(what, async || said(&self.ledger.borrow()).then_some(())).await;
    }

    /// Waits until a tag was called so often.
    pub(crate) async fn until_called(&self, tag: &str, times: usize) {
        let what = format!("{tag} is called {times} times");
        self.until(&what, |ledger| ledger.keys(tag).len() >= times).await;
    }
}

impl Actions for Hands {
    fn class(&self, name: &str) -> Option<EffectClass> {
        Tools::find(self, name).map(|action| action.class())
    }

    fn names(&self) -> Vec<String> {
        let own = self.own.iter().map(|hand| hand.name.to_owned());
        let mut names: Vec<String> = own.chain(self.builtin.names()).collect();
        names.sort_unstable();
        names
    }

    fn check(&self, name: &str, params: &Value) -> Vec<ParamProblem> {
        Tools::find(self, name).map(|action| action.check(params)).unwrap_or_default()
    }

    fn compute(&self, name: &str, params: &Value) -> Result<Answer, Failure> {
        match Tools::find(self, name) {
            Some(action) => action.compute(params),
            None => Err(Failure::new(ErrorCode::ActionUnavailable, "no such action")),
        }
    }
}

impl Tools for Hands {
    fn find(&self, name: &str) -> Option<Arc<dyn Action>> {
        match self.own.iter().find(|hand| hand.name == name) {
            Some(hand) => Some(hand.clone()),
            None => self.builtin.find(name),
        }
    }
}

/// One of them.
struct Hand {
    name: &'static str,
    class: EffectClass,
    ledger: watch::Sender<Ledger>,
}

fn flag(params: &Value, name: &str) -> bool {
    params.find(name).and_then(Value::as_bool).unwrap_or_default()
}

fn text(params: &Value, name: &str) -> String {
    params.find(name).map(Value::to_text).unwrap_or_default()
}

impl Hand {
    /// Notes a call; answers whether it is to fail.
    fn begin(&self, tag: &str, call: &Call) -> bool {
        let fails = call.params.find("fails").and_then(Value::as_i64).unwrap_or_default();
        let mut fail = false;
        self.ledger.send_modify(|ledger| {
            ledger.calls.push((tag.to_owned(), call.idempotency_key.to_string()));
            ledger.running += 1;
            ledger.most = ledger.most.max(ledger.running);
            let failed = ledger.failed.entry(tag.to_owned()).or_default();
            fail = *failed < fails;
            *failed += i64::from(fail);
        });
        fail
    }

    async fn act(&self, call: &Call, stop: &Stop) -> Outcome {
        let (params, tag) = (&call.params, text(&call.params, "tag"));
        let _running = Running(&self.ledger);
        let fail = self.begin(&tag, call);
        assert!(!flag(params, "panic"), "told to");
        let mut ledger = self.ledger.subscribe();
        if flag(params, "hold") {
            let released = ledger.wait_for(|ledger| ledger.may_go(&tag));
            if flag(params, "deaf") {
                drop(released.await);
            } else {
                tokio::select! {
                    released = released => drop(released),
                    () = stop.wait() => {
                        self.ledger.send_modify(|ledger| ledger.stopped.extend([tag]));
                        return Err(Failure::new(ErrorCode::Cancelled, "told to stop"));
                    }
                }
            }
        }
        match fail {
            true => Err(Failure::new(ErrorCode::Execution, "told to fail")),
            false => Ok(Value::object([("tag", Value::from(tag))])),
        }
    }
}

/// A call being performed, however it ends.
struct Running<'a>(&'a watch::Sender<Ledger>);

impl Drop for Running<'_> {
    fn drop(&mut self) {
        self.0.send_modify(|ledger| ledger.running -= 1);
    }
}

impl Action for Hand {
    fn name(&self) -> &str {
        self.name
    }
    fn summary(&self) -> &str {
        "does as it is told"
    }
    fn class(&self) -> EffectClass {
        self.class
    }

    fn schema(&self) -> &serde_json::Value {
        static SCHEMA: OnceLock<serde_json::Value> = OnceLock::new();
        SCHEMA.get_or_init(|| serde_json::json!({"type": "object"}))
    }

    fn check(&self, _: &Value) -> Vec<ParamProblem> {
        Vec::new()
    }

    fn target(&self, params: &Value) -> Option<String> {
        params.find("target").map(Value::to_text)
    }

    fn compute(&self, params: &Value) -> Result<Answer, Failure> {
        assert!(!flag(params, "panic"), "told to");
        Ok(Answer::Value(Value::object([("tag", Value::from(text(params, "tag")))])))
    }

    fn perform<'a>(&'a self, call: &'a Call, _: &'a World, stop: Stop) -> Performing<'a> {
        Box::pin(async move { self.act(call, &stop).await })
    }
}
