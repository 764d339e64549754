//! Children that begin: the template is found, the run begins with the message that asked for it.
//!
//! Keeps: a child that cannot begin says so to its parent, in the transaction that consumes the wish.
//! Not here: what parents and children say later (`opcode-engine`'s `decide/child.rs`).

use std::sync::Arc;

use opcode_model::commit::{Commit, InboxId, Position};
use opcode_model::event::Parent;
use opcode_model::signal::ChildStart;
use opcode_model::{ErrorCode, Failure, Message, MessageBody, RunId, RunStatus, Start, Value};

use crate::driver::{Again, Driver, Entry, passes};
use crate::live::Live;
use crate::words::{Command, Incoming, Resolved};

impl Driver {
    /// There is no such run. If its inbox says that it should begin, it does.
    pub(crate) fn not_there(
        &mut self,
        run: RunId,
        deliveries: Vec<(InboxId, Message)>,
        meanwhile: Vec<Incoming>,
    ) {
        if wish(&deliveries).is_some() {
            self.runs.insert(run, Entry::Resolving { deliveries, meanwhile });
            return self.resolve(run);
        }
        if !deliveries.is_empty() {
            // Said to a child that never began: nobody is there to hear it.
            self.outbox.push(swallow(run, &deliveries));
            self.runs.insert(run, Entry::Refused { parent: None, poked: false });
        }
        for incoming in meanwhile {
            match incoming {
                Incoming::Start(mut start) => {
                    start.fresh = true;
                    self.handle(self.now, Incoming::Start(start));
                }
                Incoming::Signal { ticket, .. } | Incoming::Watch { ticket, .. } => {
                    self.unknown(ticket, run);
                }
                Incoming::Poke(run) => self.poke(run),
                Incoming::Unwatch { .. }
                | Incoming::Loaded { .. }
                | Incoming::Resolved { .. }
                | Incoming::Delivered { .. }
                | Incoming::Committed { .. }
                | Incoming::Finished { .. }
                | Incoming::Aside(_)
                | Incoming::Recovered(_)
                | Incoming::Drain => {}
            }
        }
    }

    /// Asks for what a child is to run.
    pub(crate) fn resolve(&mut self, run: RunId) {
        let Some(Entry::Resolving { deliveries, .. }) = self.runs.get(&run) else { return };
        if let Some(start) = wish(deliveries) {
            let (template, version) = (start.template.clone(), start.version.clone());
            self.commands.push_back(Command::Resolve { run, template, version });
        }
    }

    /// A child's template is found, or not.
    pub(crate) fn resolved(&mut self, run: RunId, resolved: Result<Resolved, Failure>) {
        let Some(Entry::Resolving { deliveries, meanwhile }) = self.runs.get_mut(&run) else {
            return;
        };
        if resolved.as_ref().is_err_and(passes) {
            return self.try_again(Again::Resolve(run));
        }
        let (deliveries, meanwhile) = (std::mem::take(deliveries), std::mem::take(meanwhile));
        match resolved.and_then(|resolved| self.begin_child(run, &deliveries, resolved)) {
            Ok(live) => {
                self.runs.insert(run, Entry::Live(live));
                self.wants_turn(run);
                self.again(meanwhile);
            }
            Err(failure) => {
                let poked = meanwhile.iter().any(|come| matches!(come, Incoming::Poke(_)));
                self.disappoint(meanwhile, &failure);
                self.refuse_child(run, &deliveries, poked, failure);
            }
        }
    }

    fn begin_child(
        &self,
        run: RunId,
        deliveries: &[(InboxId, Message)],
        resolved: Resolved,
    ) -> Result<Box<Live>, Failure> {
        let unasked = || Failure::new(ErrorCode::Internal, "a child begins without being asked");
        let at = deliveries.iter().position(|(_, m)| matches!(m.body, MessageBody::Start(_)));
        let (id, message) = at.and_then(|at| deliveries.get(at)).ok_or_else(unasked)?;
        let MessageBody::Start(start) = &message.body else { return Err(unasked()) };
        let mut live = Box::new(Live::new(run, resolved.plan));
        let begins = Start {
            name: None,
            template_name: Some(start.template.clone()),
            template_version: Some(resolved.version),
            agent_id: start.agent_id.clone(),
            params: start.params.clone(),
            parent: Some(Parent { run: message.from, step: message.step.clone() }),
            depth: start.depth,
            trace: start.trace.clone(),
            request: None,
        };
        live.begin(begins, self.now).map_err(|refusal| refusal.to_failure())?;
        live.with_catalog(resolved.catalog);
        live.consume(*id);
        live.deliver(deliveries.to_vec());
        Ok(live)
    }

    fn refuse_child(
        &mut self,
        run: RunId,
        deliveries: &[(InboxId, Message)],
        poked: bool,
        failure: Failure,
    ) {
        let Some((_, wish)) = deliveries.first() else { return };
        let body = MessageBody::Finished {
            status: RunStatus::Failed,
            output: Value::Null,
            error: Some(failure),
        };
        let (parent, step) = (wish.from, wish.step.clone());
        let messages = vec![Message { from: run, to: parent, step, body }];
        self.outbox.push(Commit { messages, ..swallow(run, deliveries) });
        self.runs.insert(run, Entry::Refused { parent: Some(parent), poked });
    }
}

/// A commit of a run that is not there: it takes messages out of an inbox.
fn swallow(run: RunId, deliveries: &[(InboxId, Message)]) -> Commit {
    Commit {
        run,
        agent_id: None,
        after: Position::default(),
        events: Arc::default(),
        row: None,
        decisions: Vec::new(),
        messages: Vec::new(),
        consumed: deliveries.iter().map(|(id, _)| *id).collect(),
        catalog: Vec::new(),
        snapshot: None,
        effects: Vec::new(),
    }
}

fn wish(deliveries: &[(InboxId, Message)]) -> Option<&ChildStart> {
    deliveries.iter().find_map(|(_, message)| match &message.body {
        MessageBody::Start(start) => Some(start.as_ref()),
        MessageBody::Cancel { .. }
        | MessageBody::Finished { .. }
        | MessageBody::Suspended
        | MessageBody::Resumed => None,
    })
}
