//! A verified copy of the store, made by who holds it and sent as it is; for administrators.
//!
//! Keeps: it is whole or an error; nothing of it stays here, whatever becomes of who asked.
//! Not here: how it is made and verified (the store).

use std::fs;
use std::os::unix::fs::DirBuilderExt;
use std::path::PathBuf;

use axum::body::Body;
use axum::extract::{Extension, State};
use axum::http::header;
use axum::response::IntoResponse;
use axum::routing::get;
use futures_util::stream;
use opcode_model::{ErrorCode, Failure};
use opcode_runtime::{Actor, Caller, Role};
use tokio::fs::File;
use tokio::io::AsyncReadExt;

use crate::Web;
use crate::api::Answer;
use crate::openapi::Operation;

/// Bytes sent at once.
const PART: usize = 256 << 10;

/// What can be done.
pub(crate) fn operations() -> Vec<Operation> {
    vec![
        Operation::get(
            "/api/v1/backup",
            "A verified copy of the store, as `opcode restore` takes it; for administrators",
            get(backup),
        )
        .gives_text("application/vnd.sqlite3"),
    ]
}

async fn backup(State(web): State<Web>, Extension(caller): Extension<Caller>) -> Answer {
    caller.may(Role::Admin)?;
    let reader = web.engine.reader();
    let folder = PathBuf::from(format!("{}.backups", reader.about().location));
    let file = folder.join(uuid::Uuid::new_v4().to_string());
    let fault = |cause: std::io::Error| {
        Failure::new(ErrorCode::Store, format!("could not copy the store: {cause}"))
    };
    fs::DirBuilder::new().recursive(true).mode(0o700).create(&folder).map_err(fault)?;
    let copied = reader.keeping().by(Actor::new(&caller, "http")).copy(file.clone()).await;
    let opened = File::open(&file).await;
    // From here on only the open file keeps it.
    if let Err(cause) = fs::remove_file(&file).and_then(|()| fs::remove_dir(&folder)) {
        tracing::debug!(%cause, "something is left of a backup, or another one is made");
    }
    copied?;
    let opened = opened.map_err(fault)?;
    let bytes = opened.metadata().await.map_err(fault)?.len();
    let parts = stream::try_unfold(opened, |mut file| async move {
        let mut part = vec![0; PART];
        let read = file.read(&mut part).await?;
        part.truncate(read);
        Ok::<_, std::io::Error>((read > 0).then_some((part, file)))
    });
    let head = [
        (header::CONTENT_TYPE, "application/vnd.sqlite3".to_owned()),
        (header::CONTENT_LENGTH, bytes.to_string()),
    ];
    Ok((head, Body::from_stream(parts)).into_response())
}
