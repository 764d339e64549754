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

use std::sync::Arc;

use crate::action::{Action, Shaped};

/// Every built-in action.
pub(crate) fn all() -> Vec<Arc<dyn Action>> {
    vec![
        Shaped::<assert_contains::AssertContains>::shared(),
        Shaped::<assert_equals::AssertEquals>::shared(),
        Shaped::<assert_matches::AssertMatches>::shared(),
        Shaped::<assert_schema::AssertSchema>::shared(),
        Shaped::<crypto_hash::CryptoHash>::shared(),
        Shaped::<crypto_hmac::CryptoHmac>::shared(),
        Shaped::<crypto_uuid::CryptoUuid>::shared(),
        Shaped::<expr_eval::ExprEval>::shared(),
        Shaped::<fs_append::FsAppend>::shared(),
        Shaped::<fs_copy::FsCopy>::shared(),
        Shaped::<fs_delete::FsDelete>::shared(),
        Shaped::<fs_list::FsList>::shared(),
        Shaped::<fs_move::FsMove>::shared(),
        Shaped::<fs_read::FsRead>::shared(),
        Shaped::<fs_stat::FsStat>::shared(),
        Shaped::<fs_write::FsWrite>::shared(),
        Shaped::<http_get::HttpGet>::shared(),
        Shaped::<http_post::HttpPost>::shared(),
        Shaped::<http_request::HttpRequest>::shared(),
        Shaped::<shell_exec::ShellExec>::shared(),
        Shaped::<transform_jq::TransformJq>::shared(),
        Shaped::<workflow_context::WorkflowContext>::shared(),
        Shaped::<workflow_emit::WorkflowEmit>::shared(),
        Shaped::<workflow_fail::WorkflowFail>::shared(),
        Shaped::<workflow_log::WorkflowLog>::shared(),
        Shaped::<workflow_notify::WorkflowNotify>::shared(),
        Shaped::<workflow_run::WorkflowRun>::shared(),
    ]
}
