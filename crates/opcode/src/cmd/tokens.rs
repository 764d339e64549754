//! `opcode tokens`: makes, lists and takes back what lets clients in.
//!
//! Keeps: a secret is shown once, by the command that makes it.
//! Not here: how tokens are kept (`opcode-runtime`), where they are asked for (`opcode-web`).

use std::sync::Arc;
use std::time::Duration;

use clap::{Args, Subcommand};
use hyper::Method;
use opcode_model::Timestamp;
use opcode_runtime::{Role, TokenRequest, Tokens, shapes};
use opcode_store::Runs;
use serde_json::{Value as Json, json};

use crate::cli::Place;
use crate::exit::Exit;
use crate::show::age::{ago, now};
use crate::show::table;
use crate::trouble::Trouble;
use crate::{cmd, daemon, say, wire};

#[derive(Args, Debug)]
#[command(disable_help_subcommand = true)]
pub(crate) struct TokensArgs {
    #[command(subcommand)]
    what: What,
    /// Print the answer as one JSON object
    #[arg(long, global = true)]
    pub(crate) json: bool,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Make one; its text is shown this once
    Create {
        /// What people call it
        name: String,
        /// admin, operator, agent or viewer
        #[arg(long, value_parser = role)]
        role: Role,
        /// The agent it is; it can act as no other
        #[arg(long, value_name = "ID")]
        agent: Option<String>,
        /// When it ends: so long from now
        #[arg(long, value_name = "DURATION", value_parser = cmd::duration)]
        expires: Option<Duration>,
    },
    /// List them, without their secrets
    List,
    /// Take one back
    Revoke {
        /// Its id, as `list` shows it
        id: String,
    },
}

fn role(text: &str) -> Result<Role, String> {
    Role::parse(text).ok_or_else(|| "a role is admin, operator, agent or viewer".to_owned())
}

impl TokensArgs {
    /// Whether more is wanted than a list.
    pub(crate) fn writes(&self) -> bool {
        !matches!(self.what, What::List)
    }
}

pub(crate) async fn run(place: &Place, args: TokensArgs) -> Result<Exit, Trouble> {
    match args.what {
        What::Create { name, role, agent, expires } => {
            let expires_at = expires.map(from_now).transpose()?;
            let agent_id = agent.map(Into::into);
            let request = TokenRequest { name: name.into(), role, agent_id, expires_at };
            let made = create(place, request).await?;
            match (args.json, made["token"].as_str()) {
                (false, Some(token)) => {
                    say::data(token);
                    say::hint("keep it now: it is not shown again");
                }
                (true, _) | (false, None) => say::json(&made),
            }
        }
        What::List => {
            tell(&list(place).await?, args.json);
        }
        What::Revoke { id } => {
            revoke(place, &id).await?;
            match args.json {
                true => say::json(&json!({"revoked": id})),
                false => say::data(&format!("{id} lets nobody in any more")),
            }
        }
    }
    Ok(Exit::Completed)
}

fn from_now(span: Duration) -> Result<Timestamp, Trouble> {
    let millis = i64::try_from(span.as_millis()).ok();
    let end = millis.and_then(|millis| now().0.checked_add(millis)).map(Timestamp);
    end.ok_or_else(|| Trouble::usage("--expires is further away than time can be told"))
}

async fn create(place: &Place, request: TokenRequest) -> Result<Json, Trouble> {
    if let Some(daemon) = daemon::find(place)? {
        let TokenRequest { name, role, agent_id, expires_at } = request;
        let expires_at = expires_at.map(|end| end.to_string());
        let wish =
            json!({"name": name, "role": role, "agent_id": agent_id, "expires_at": expires_at});
        return daemon.ask(Method::POST, "/api/v1/tokens", Some(&wish)).await;
    }
    let store = Arc::new(wire::store(place, None)?);
    let made = Tokens::new(store.clone()).by(wire::actor()).create(request).await;
    store.close().await.map_err(|fault| Trouble::store(&fault))?;
    let (token, secret) = made?;
    let mut shape = shapes::token(&token);
    shape["token"] = secret.into();
    Ok(shape)
}

/// All of them, as they may be told.
async fn list(place: &Place) -> Result<Vec<Json>, Trouble> {
    if let Some(daemon) = daemon::find(place)? {
        let answer = daemon.ask(Method::GET, "/api/v1/tokens", None).await?;
        return Ok(answer["tokens"].as_array().cloned().unwrap_or_default());
    }
    let all = wire::reader_or_empty(place).await?.tokens().list().await?;
    Ok(all.iter().map(shapes::token).collect())
}

async fn revoke(place: &Place, id: &str) -> Result<(), Trouble> {
    // What is no id of ours is found to be none before anything is asked or opened.
    if !list(place).await?.iter().any(|token| token["id"] == id) {
        return Err(Trouble::not_found(format!("there is no token {id}"))
            .hint("`opcode tokens list` shows their ids"));
    }
    if let Some(daemon) = daemon::find(place)? {
        return daemon.ask(Method::DELETE, &format!("/api/v1/tokens/{id}"), None).await.map(drop);
    }
    let store = Arc::new(wire::store(place, None)?);
    let revoked = Tokens::new(store.clone()).by(wire::actor()).revoke(id).await;
    store.close().await.map_err(|fault| Trouble::store(&fault))?;
    Ok(revoked?)
}

fn tell(all: &[Json], as_json: bool) {
    if as_json {
        return say::json(&json!({"tokens": all}));
    }
    if all.is_empty() {
        return say::data("no tokens");
    }
    let row = |token: &Json| {
        let text = |member: &str| token[member].as_str().unwrap_or_default().to_owned();
        let moment = |member: &str| Timestamp::parse(&text(member));
        let end = match moment("expires_at") {
            None => "never".to_owned(),
            Some(end) if end <= now() => "over".to_owned(),
            Some(end) => end.to_string(),
        };
        let made = moment("created_at").map(ago).unwrap_or_default();
        [text("id"), text("name"), text("role"), text("agent_id"), made, end]
            .map(table::Cell::from)
            .to_vec()
    };
    let head = ["ID", "NAME", "ROLE", "AGENT", "MADE", "ENDS"];
    say::data(&table::text(&head, all.iter().map(row).collect(), say::out()));
}
