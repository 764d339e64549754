//! What one agent may use: workflows open at once, starts in a minute, bytes of history.
//!
//! Keeps: a start that is let in is counted before the next one is looked at; children are part of their parent and
//! never counted as starts or open, only their bytes.
//! Not here: who an agent is (the faces), what is written (the store).

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use opcode_model::problem::pointer;
use opcode_model::{Commit, ErrorCode, Failure, Problem, RunId, RunStatus, Timestamp, Value};
use opcode_store::{RunFilter, Runs};

use crate::clock::now;
use crate::plans::failure;

/// Runs listed at once.
const PAGE: usize = 1_000;
/// One minute.
const MINUTE_MS: i64 = 60_000;
/// Bytes are counted again after so long at the soonest, and so that it takes a fiftieth of the time at most.
const STALE: Duration = Duration::from_secs(10);
const SHARE: u32 = 50;
/// Agents remembered that use nothing.
const AGENTS_MAX: usize = 10_000;
/// The quotas, and what follows their value.
const NAMES: [(&str, &str); 3] = [
    ("open_runs", "workflows open"),
    ("starts_per_minute", "workflows started within a minute"),
    ("stored_bytes", "bytes of history stored"),
];
/// Where agents have quotas of their own.
const AGENTS: &str = "agents";

/// What one agent may use; as much as it wants, where nothing is said. In the order of [`NAMES`].
type Quota = [Option<u64>; NAMES.len()];

/// What agents may use. Whoever gives no agent counts as one without a name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Quotas {
    all: Quota,
    agents: BTreeMap<Arc<str>, Quota>,
}

impl Quotas {
    /// Reads `{"open_runs": 10, "starts_per_minute": 60, "stored_bytes": 1000000, "agents": {"id": {…}}}`; what an
    /// agent's own object leaves out is as for all, and `null` is no bound.
    ///
    /// # Errors
    /// At its place, what is none of this.
    pub fn read(value: &Value) -> Result<Self, Problem> {
        let all = quota(value, "", Quota::default(), true)?;
        let mut agents = BTreeMap::new();
        if let Some(own) = value.find(AGENTS) {
            let place = pointer("", AGENTS);
            let own = own.as_object().ok_or_else(|| wrong(&place, "an object is needed"))?;
            for (id, value) in own {
                agents.insert(id.clone(), quota(value, &pointer(&place, id), all, false)?);
            }
        }
        Ok(Self { all, agents })
    }

    fn of(&self, agent: &str) -> Quota {
        self.agents.get(agent).copied().unwrap_or(self.all)
    }

    fn bounds_anything(&self) -> bool {
        self.agents.values().chain([&self.all]).flatten().any(Option::is_some)
    }
}

fn wrong(place: &str, what: &str) -> Problem {
    Problem::error(ErrorCode::Validation, place, what)
}

fn quota(value: &Value, place: &str, otherwise: Quota, is_all: bool) -> Result<Quota, Problem> {
    let object = value.as_object().ok_or_else(|| wrong(place, "an object is needed"))?;
    let mut quota = otherwise;
    for (name, value) in object {
        if is_all && &**name == AGENTS {
            continue;
        }
        let place = pointer(place, name);
        let at = NAMES.iter().position(|(known, _)| *known == &**name);
        let bound = at.and_then(|at| quota.get_mut(at));
        let bound = bound.ok_or_else(|| {
            wrong(&place, "there is no such quota")
                .hint("there are open_runs, starts_per_minute and stored_bytes")
        })?;
        let number = value.as_i64().and_then(|number| u64::try_from(number).ok());
        if number.is_none() && !value.is_null() {
            return Err(wrong(&place, "a whole number from 0 is needed"));
        }
        *bound = number;
    }
    Ok(quota)
}

/// What agents use now. Without any bound, nothing is counted.
pub(crate) struct Ledger {
    quotas: Quotas,
    is_bounded: bool,
    runs: Arc<dyn Runs>,
    books: Mutex<Books>,
    stored: tokio::sync::Mutex<Option<Stored>>,
}

#[derive(Default)]
struct Books {
    open: BTreeMap<RunId, Open>,
    agents: BTreeMap<Arc<str>, Used>,
}

/// A run that is open, or about to be.
struct Open {
    agent: Arc<str>,
    /// Whether it is on disk.
    has_begun: bool,
}

#[derive(Default)]
struct Used {
    open: u64,
    starts: VecDeque<Timestamp>,
}

/// Bytes by agent, when they were counted, and how long that took.
struct Stored {
    bytes: BTreeMap<Arc<str>, u64>,
    at: Instant,
    took: Duration,
}

impl Books {
    fn enter(&mut self, run: RunId, agent: &Arc<str>, has_begun: bool) {
        let open = Open { agent: agent.clone(), has_begun };
        if self.open.insert(run, open).is_none() {
            self.agents.entry(agent.clone()).or_default().open += 1;
        }
    }

    /// Forgets agents that use nothing now, where there are many.
    fn tidy(&mut self, at: Timestamp) {
        if self.agents.len() < AGENTS_MAX {
            return;
        }
        let is_recent = |start: &Timestamp| at.0 - start.0 < MINUTE_MS;
        self.agents.retain(|_, used| used.open > 0 || used.starts.back().is_some_and(is_recent));
    }

    fn leave(&mut self, run: RunId) {
        let Some(Open { agent, .. }) = self.open.remove(&run) else { return };
        let Some(used) = self.agents.get_mut(&agent) else { return };
        used.open = used.open.saturating_sub(1);
        if used.open == 0 && used.starts.is_empty() {
            self.agents.remove(&agent);
        }
    }
}

impl Ledger {
    /// Counts what is open and what was started within the last minute.
    pub(crate) async fn open(quotas: Quotas, runs: Arc<dyn Runs>) -> Result<Self, Failure> {
        let (mut books, is_bounded) = (Books::default(), quotas.bounds_anything());
        if is_bounded {
            for status in [RunStatus::Pending, RunStatus::Active, RunStatus::Suspended] {
                read(&runs, Some(status), &mut books, |_| true).await?;
            }
            let since = now().0 - MINUTE_MS;
            read(&runs, None, &mut books, |created| created.0 >= since).await?;
        }
        let (books, stored) = (Mutex::new(books), tokio::sync::Mutex::default());
        Ok(Self { quotas, is_bounded, runs, books, stored })
    }

    fn books(&self) -> MutexGuard<'_, Books> {
        self.books.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Lets a start in and counts it.
    ///
    /// # Errors
    /// `QUOTA_EXCEEDED`, saying which quota, what is used and what may be.
    pub(crate) async fn admit(&self, run: RunId, agent: &Arc<str>) -> Result<Place<'_>, Failure> {
        let [open_max, starts_max, bytes_max] = self.quotas.of(agent);
        if let Some(max) = bytes_max {
            let used = self.bytes(agent).await?;
            check(agent, 2, used, max)?;
        }
        let place = Place { ledger: self, run };
        if !self.is_bounded {
            return Ok(place);
        }
        let at = now();
        let mut books = self.books();
        books.tidy(at);
        let used = books.agents.entry(agent.clone()).or_default();
        while used.starts.front().is_some_and(|start| at.0 - start.0 >= MINUTE_MS) {
            used.starts.pop_front();
        }
        if let Some(max) = open_max {
            check(agent, 0, used.open, max)?;
        }
        if let Some(max) = starts_max {
            let first = used.starts.front().map_or(0, |start| start.0 + MINUTE_MS - at.0);
            check(agent, 1, used.starts.len() as u64, max).map_err(|failure| Failure {
                retry_after_ms: u64::try_from(first).ok(),
                ..failure
            })?;
            used.starts.push_back(at);
        }
        books.enter(run, agent, false);
        Ok(place)
    }

    /// Takes note of what was committed.
    pub(crate) fn note(&self, commit: &Commit) {
        let row = commit.row.as_ref().filter(|row| self.is_bounded && row.parent.is_none());
        let Some(row) = row else { return };
        if row.status.is_terminal() {
            self.books().leave(commit.run);
        } else {
            self.books().enter(commit.run, &row.agent_id.clone().unwrap_or_default(), true);
        }
    }

    async fn bytes(&self, agent: &str) -> Result<u64, Failure> {
        let mut stored = self.stored.lock().await;
        let is_fresh = |it: &Stored| it.at.elapsed() < STALE.max(it.took * SHARE);
        if !stored.as_ref().is_some_and(is_fresh) {
            let begun = Instant::now();
            let bytes = self.runs.stored().await.map_err(failure)?;
            *stored = Some(Stored { bytes, at: Instant::now(), took: begun.elapsed() });
        }
        Ok(stored.as_ref().and_then(|it| it.bytes.get(agent)).copied().unwrap_or_default())
    }
}

/// A run that was let in. If it has not begun when this is let go of, it is not counted any more.
#[must_use = "without it the start is not counted"]
pub(crate) struct Place<'a> {
    ledger: &'a Ledger,
    run: RunId,
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        let mut books = self.ledger.books();
        if books.open.get(&self.run).is_some_and(|open| !open.has_begun) {
            books.leave(self.run);
        }
    }
}

/// Enters runs that are no children, newest first, as long as they are wanted.
async fn read(
    runs: &Arc<dyn Runs>,
    status: Option<RunStatus>,
    books: &mut Books,
    is_wanted: impl Fn(Timestamp) -> bool,
) -> Result<(), Failure> {
    for offset in (0..).step_by(PAGE) {
        let filter = RunFilter { status, limit: PAGE, offset, ..RunFilter::default() };
        let page = runs.workflows(filter).await.map_err(failure)?;
        let is_last = page.len() < PAGE;
        for found in page {
            if !is_wanted(found.row.created_at) {
                return Ok(());
            }
            if found.row.parent.is_some() {
                continue;
            }
            let agent = found.row.agent_id.unwrap_or_default();
            match status {
                Some(_) => books.enter(found.run, &agent, true),
                None => {
                    let used = books.agents.entry(agent).or_default();
                    used.starts.push_front(found.row.created_at);
                }
            }
        }
        if is_last {
            break;
        }
    }
    Ok(())
}

/// Whether one more fits.
fn check(agent: &str, which: usize, used: u64, max: u64) -> Result<(), Failure> {
    let Some((name, what)) = NAMES.get(which).filter(|_| used >= max) else { return Ok(()) };
    let who = match agent {
        "" => "whoever gives no agent".to_owned(),
        agent => format!("agent `{agent}`"),
    };
    let message = format!("{who} has {used} {what}; its quota `{name}` is {max}");
    let number = |number: u64| Value::Int(i64::try_from(number).unwrap_or(i64::MAX));
    let details = [("quota", Value::from(*name)), ("used", number(used)), ("limit", number(max))];
    Err(Failure::new(ErrorCode::QuotaExceeded, message).with_details(Value::object(details)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn quotas(text: &str) -> Result<Quotas, Problem> {
        Quotas::read(&Value::from_json(text).unwrap())
    }

    #[test]
    fn an_agents_own_quotas_lie_over_those_of_all() {
        let own = r#"{"open_runs":2,"stored_bytes":9,"agents":{"a":{"open_runs":5,"stored_bytes":null}}}"#;
        let known = quotas(own).unwrap();
        assert_eq!(known.of("a"), [Some(5), None, None]);
        assert_eq!(known.of("b"), [Some(2), None, Some(9)]);
        assert!(!quotas("{}").unwrap().bounds_anything());
        for (text, place) in [
            ("[]", ""),
            (r#"{"open":1}"#, "/open"),
            (r#"{"open_runs":-1}"#, "/open_runs"),
            (r#"{"agents":{"a":{"agents":{}}}}"#, "/agents/a/agents"),
            (r#"{"agents":{"a":7}}"#, "/agents/a"),
        ] {
            assert_eq!(quotas(text).unwrap_err().path, place, "{text}");
        }
    }
}
