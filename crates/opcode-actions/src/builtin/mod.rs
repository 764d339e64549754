//! The built-in actions, one file each.
//!
//! Keeps: a file here is an action, or the part two actions share.
//! Not here: finding one by name (`registry.rs`).

mod assert_contains;
mod assert_equals;
mod assert_matches;
mod assert_schema;
mod crypto_hash;
mod crypto_hmac;
mod crypto_uuid;
mod expr_eval;
mod fs_append;
mod fs_copy;
mod fs_delete;
mod fs_list;
mod fs_move;
mod fs_read;
mod fs_stat;
mod fs_write;
mod http_get;
mod http_post;
mod http_request;
mod shell_exec;
mod transform_jq;
mod workflow_context;
mod workflow_emit;
mod workflow_fail;
mod workflow_log;
mod workflow_notify;
mod workflow_run;

use crate::action::{Action, Shaped};

/// Every built-in action.
pub(crate) fn all() -> Vec<Box<dyn Action>> {
    vec![
        Shaped::<assert_contains::AssertContains>::boxed(),
        Shaped::<assert_equals::AssertEquals>::boxed(),
        Shaped::<assert_matches::AssertMatches>::boxed(),
        Shaped::<assert_schema::AssertSchema>::boxed(),
        Shaped::<crypto_hash::CryptoHash>::boxed(),
        Shaped::<crypto_hmac::CryptoHmac>::boxed(),
        Shaped::<crypto_uuid::CryptoUuid>::boxed(),
        Shaped::<expr_eval::ExprEval>::boxed(),
        Shaped::<fs_append::FsAppend>::boxed(),
        Shaped::<fs_copy::FsCopy>::boxed(),
        Shaped::<fs_delete::FsDelete>::boxed(),
        Shaped::<fs_list::FsList>::boxed(),
        Shaped::<fs_move::FsMove>::boxed(),
        Shaped::<fs_read::FsRead>::boxed(),
        Shaped::<fs_stat::FsStat>::boxed(),
        Shaped::<fs_write::FsWrite>::boxed(),
        Shaped::<http_get::HttpGet>::boxed(),
        Shaped::<http_post::HttpPost>::boxed(),
        Shaped::<http_request::HttpRequest>::boxed(),
        Shaped::<shell_exec::ShellExec>::boxed(),
        Shaped::<transform_jq::TransformJq>::boxed(),
        Shaped::<workflow_context::WorkflowContext>::boxed(),
        Shaped::<workflow_emit::WorkflowEmit>::boxed(),
        Shaped::<workflow_fail::WorkflowFail>::boxed(),
        Shaped::<workflow_log::WorkflowLog>::boxed(),
        Shaped::<workflow_notify::WorkflowNotify>::boxed(),
        Shaped::<workflow_run::WorkflowRun>::boxed(),
    ]
}
