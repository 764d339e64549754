//! `opcode query`: lists workflows, events, templates, decisions, agents or actions.
//!
//! Keeps: only reads; a list says when there is more than it shows.
//! Not here: one workflow in detail (`status.rs`).

use clap::{Args, Subcommand};
use opcode_model::{RunId, RunStatus, Seq, Timestamp};
use opcode_runtime::{Reader, Template};
use opcode_store::{DecisionFilter, DecisionRow, EventFilter, EventRecord, RunFilter, RunSummary};
use serde_json::{Value as Json, json};

use crate::cli::Place;
use crate::exit::Exit;
use crate::show::age::{ago, span};
use crate::show::table::{self, Cell, Tone};
use crate::trouble::Trouble;
use crate::{cmd, say, show, wire};
use opcode_runtime::shapes;

#[derive(Args, Debug)]
#[command(disable_help_subcommand = true)]
pub(crate) struct QueryArgs {
    #[command(subcommand)]
    what: What,
    /// Print the list as one JSON object
    #[arg(long, global = true)]
    pub(crate) json: bool,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Workflows, newest first
    Workflows {
        /// Only active, suspended, completed, failed or cancelled ones
        #[arg(long, value_parser = status)]
        status: Option<RunStatus>,
        /// Only of this template
        #[arg(long, value_name = "NAME")]
        template: Option<String>,
        /// Only of this agent
        #[arg(long, value_name = "ID")]
        agent: Option<String>,
        /// Only children of this workflow
        #[arg(long, value_name = "ID", value_parser = cmd::workflow_id)]
        parent: Option<RunId>,
        /// Only since then: 2026-11-20T15:41:07Z, or 24h
        #[arg(long, value_name = "WHEN", value_parser = cmd::moment)]
        since: Option<Timestamp>,
        /// At most so many
        #[arg(long, value_name = "N", default_value_t = 50, value_parser = cmd::count)]
        limit: usize,
        /// Without the first so many
        #[arg(long, value_name = "N", default_value_t = 0)]
        offset: usize,
    },
    /// Events: of one workflow in order, of all newest first
    Events {
        /// Only of this workflow
        #[arg(long, value_name = "ID", value_parser = cmd::workflow_id)]
        workflow: Option<RunId>,
        /// Only of this step, by full path
        #[arg(long)]
        step: Option<String>,
        /// Only of this type, such as step_failed
        #[arg(long = "type", value_name = "TYPE", value_parser = event_type)]
        event_type: Option<String>,
        /// Only since then: 2026-11-20T15:41:07Z, or 24h
        #[arg(long, value_name = "WHEN", value_parser = cmd::moment)]
        since: Option<Timestamp>,
        /// Only after this sequence
        #[arg(long, value_name = "SEQ", default_value_t = 0)]
        after: u64,
        /// At most so many
        #[arg(long, value_name = "N", default_value_t = 100, value_parser = cmd::count)]
        limit: usize,
    },
    /// Templates and their versions
    Templates {
        /// Only of this name
        #[arg(long)]
        name: Option<String>,
    },
    /// Decisions, oldest first
    Decisions {
        /// Only of this workflow
        #[arg(long, value_name = "ID", value_parser = cmd::workflow_id)]
        workflow: Option<RunId>,
        /// Answered and withdrawn ones too
        #[arg(long)]
        all: bool,
        /// At most so many
        #[arg(long, value_name = "N", default_value_t = 100, value_parser = cmd::count)]
        limit: usize,
    },
    /// Agents: who has defined or run something
    Agents,
    /// Actions: what a step can do
    Actions {
        /// Only those whose names contain this
        #[arg(long)]
        name: Option<String>,
    },
}

fn status(text: &str) -> Result<RunStatus, String> {
    let words = || RunStatus::ALL.iter().map(|status| status.text()).collect::<Vec<_>>().join(", ");
    RunStatus::parse(text).ok_or_else(|| format!("a status is one of {}", words()))
}

fn event_type(text: &str) -> Result<String, String> {
    let known = opcode_model::EventKind::NAMES;
    if known.contains(&text) {
        return Ok(text.to_owned());
    }
    let meant = opcode_model::problem::nearest(text, known.iter().copied());
    Err(meant.map_or("no such event".to_owned(), |meant| format!("did you mean {meant}?")))
}

pub(crate) async fn run(place: &Place, args: QueryArgs) -> Result<Exit, Trouble> {
    // Our own actions are the same in every store.
    let reader = match args.what {
        What::Actions { .. } => wire::reader_or_empty(place).await?,
        What::Workflows { .. }
        | What::Events { .. }
        | What::Templates { .. }
        | What::Decisions { .. }
        | What::Agents => wire::reader(place).await?,
    };
    let List { name, json, head, rows, limit } = list(&reader, args.what).await?;
    if args.json {
        say::json(&json!({ name: json }));
    } else if rows.is_empty() {
        say::talk(&format!("no {name}"));
    } else {
        let is_full = limit.is_some_and(|limit| rows.len() >= limit);
        say::data(&table::text(head, rows, say::out()));
        if is_full {
            say::hint("there may be more: raise --limit");
        }
    }
    Ok(Exit::Completed)
}

/// A list, for machines and for people.
struct List {
    name: &'static str,
    json: Vec<Json>,
    head: &'static [&'static str],
    rows: Vec<Vec<Cell>>,
    limit: Option<usize>,
}

async fn list(reader: &Reader, what: What) -> Result<List, Trouble> {
    let text = |text: Option<String>| text.map(Into::into);
    Ok(match what {
        What::Workflows { status, template, agent, parent, since, limit, offset } => {
            let (agent_id, template_name) = (text(agent), text(template));
            let filter =
                RunFilter { status, agent_id, template_name, parent, since, limit, offset };
            workflows(&reader.workflows(filter).await?, limit)
        }
        What::Events { workflow, step, event_type, since, after, limit } => {
            let filter = EventFilter {
                run: workflow,
                step_id: text(step),
                event_type: text(event_type),
                since,
                after: Seq(after),
                limit,
            };
            events(&reader.events(filter).await?, limit)
        }
        What::Templates { name } => templates(&reader.templates(name.as_deref()).await?),
        What::Decisions { workflow, all, limit } => {
            let filter = DecisionFilter { run: workflow, closed: all, limit };
            decisions(&reader.decisions(filter).await?, limit)
        }
        What::Agents => agents(reader.agents().await?),
        What::Actions { name } => actions(reader.actions(), name.as_deref().unwrap_or_default()),
    })
}

fn workflows(found: &[RunSummary], limit: usize) -> List {
    let row = |one: &RunSummary| {
        let row = &one.row;
        let lasted = row.completed_at.map(|ended| span(ended.since(row.created_at)));
        vec![
            Cell::from(one.run.to_string()),
            show::run::status_cell(row.status),
            Cell::from(ago(row.created_at)),
            Cell::number(lasted.unwrap_or_default()),
            Cell::from(row.name.as_deref().unwrap_or("unnamed")),
        ]
    };
    List {
        name: "workflows",
        json: found.iter().map(shapes::workflow).collect(),
        head: &["id", "status", "began", "lasted", "name"],
        rows: found.iter().map(row).collect(),
        limit: Some(limit),
    }
}

fn events(found: &[EventRecord], limit: usize) -> List {
    let row = |one: &EventRecord| {
        let step = one.event.kind.step().map(|step| step.path.to_string());
        vec![
            Cell::from(one.run.to_string()),
            Cell::number(one.seq.0.to_string()),
            Cell::from(ago(one.event.at)),
            Cell::from(one.event.kind.name()),
            Cell::from(step.unwrap_or_default()),
        ]
    };
    List {
        name: "events",
        json: found.iter().map(shapes::event).collect(),
        head: &["workflow", "seq", "when", "type", "step"],
        rows: found.iter().map(row).collect(),
        limit: Some(limit),
    }
}

fn templates(found: &[Template]) -> List {
    let row = |one: &Template| {
        vec![
            Cell::from(one.name.as_ref()),
            Cell::from(one.version.as_ref()),
            Cell::from(ago(one.created_at)),
            Cell::from(one.description.as_deref().unwrap_or_default()),
        ]
    };
    List {
        name: "templates",
        json: found.iter().map(shapes::template).collect(),
        head: &["name", "version", "defined", "description"],
        rows: found.iter().map(row).collect(),
        limit: None,
    }
}

fn decisions(found: &[DecisionRow], limit: usize) -> List {
    let row = |one: &DecisionRow| {
        let choice = one.resolution.as_ref().map(|answer| answer.choice.to_string());
        let said = choice.unwrap_or_else(|| one.status.to_owned());
        let tone = if one.status == "pending" { Tone::Held } else { Tone::Plain };
        vec![
            Cell::from(one.run.to_string()),
            Cell::from(one.step.path.as_ref()),
            Cell::from(ago(one.created_at)),
            Cell::toned(said, tone),
            Cell::from(one.request.prompt_context.as_ref()),
        ]
    };
    List {
        name: "decisions",
        json: found.iter().map(shapes::decision).collect(),
        head: &["workflow", "step", "asked", "answer", "question"],
        rows: found.iter().map(row).collect(),
        limit: Some(limit),
    }
}

fn agents(found: Vec<Json>) -> List {
    let row = |one: &Json| {
        let seen = one["last_seen_at"].as_str().and_then(Timestamp::parse);
        vec![
            Cell::from(one["id"].as_str().unwrap_or_default()),
            Cell::from(seen.map(ago).unwrap_or_default()),
        ]
    };
    List {
        name: "agents",
        head: &["id", "last seen"],
        rows: found.iter().map(row).collect(),
        json: found,
        limit: None,
    }
}

fn actions(mut found: Vec<Json>, name: &str) -> List {
    let text = |one: &Json, member: &str| one[member].as_str().unwrap_or_default().to_owned();
    found.retain(|one| text(one, "name").contains(name));
    let row = |one: &Json| {
        ["name", "effect", "summary"].map(|member| Cell::from(text(one, member))).into()
    };
    List {
        name: "actions",
        head: &["name", "effect", "what it does"],
        rows: found.iter().map(row).collect(),
        json: found,
        limit: None,
    }
}
