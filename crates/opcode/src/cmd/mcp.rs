//! `opcode mcp`: speaks MCP over stdin and stdout.
//!
//! Keeps: beside a daemon it only carries messages; alone it holds the store as any other command does.
//! Not here: carrying (`bridge.rs`), the protocol (`opcode-mcp`).

use clap::Args;
use opcode_mcp::Face;
use opcode_runtime::Caller;

use crate::bridge::Bridge;
use crate::cli::{EngineArgs, LogArgs, Place};
use crate::cmd::serve::ToolNames;
use crate::exit::Exit;
use crate::session::{Interrupts, Session};
use crate::trouble::Trouble;
use crate::{daemon, say};

#[derive(Args, Debug)]
pub(crate) struct McpArgs {
    #[command(flatten)]
    names: ToolNames,
    #[command(flatten)]
    engine: EngineArgs,
    #[command(flatten)]
    pub(crate) logs: LogArgs,
}

pub(crate) async fn run(place: &Place, args: McpArgs) -> Result<Exit, Trouble> {
    let names = args.names.names();
    if let Some(daemon) = daemon::find(place)? {
        let mut interrupts = Interrupts::listen()?;
        say::talk(&format!("carrying messages to process {} at {}", daemon.pid, daemon.url()));
        let bridge = Bridge::new(place.clone(), daemon, names);
        return Ok(tokio::select! {
            exit = interrupts.next() => exit,
            () = bridge.carry() => Exit::Completed,
        });
    }
    let mut session = Session::open(place, &args.engine).await?;
    let face = Face::new(session.engine.clone(), names).for_caller(Caller::local());
    let served = tokio::select! {
        exit = session.interrupts.next() => Err(exit),
        served = opcode_mcp::serve_stdio(face) => Ok(served),
    };
    match served {
        Ok(served) => {
            session.close().await?;
            match served {
                Ok(()) => Ok(Exit::Completed),
                Err(cause) => Err(Trouble::usage(format!("the client did not speak MCP: {cause}"))
                    .hint("a client starts this command; `opcode mcp-config` prints how")),
            }
        }
        Err(exit) => session.stop().await.map(|()| exit),
    }
}
