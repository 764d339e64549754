//! The old transport: `GET /sse` is the stream of answers, `POST /message?sessionId=…` takes the questions.
//!
//! Keeps: the address of the post box is relative; a stream nobody reads holds a bounded number of answers, and ends when
//! it is full; sessions are few.
//! Not here: the protocol itself (`server.rs`).

use std::collections::HashMap;
use std::convert::Infallible;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Extension, Query, State};
use axum::http::StatusCode;
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use futures_util::{Stream, StreamExt, future};
use opcode_runtime::Caller;
use rmcp::ServiceExt;
use rmcp::model::{ClientJsonRpcMessage, ServerJsonRpcMessage};
use serde::Deserialize;
use serde_json::json;
use tokio::sync::mpsc;

use crate::server::Face;

/// Answers kept for a slow reader.
const ANSWERS: usize = 256;
/// Questions kept for a busy session.
const QUESTIONS: usize = 64;
/// Streams open at once.
const SESSIONS_MAX: usize = 256;
/// A sign of life on a quiet stream.
const KEEP_ALIVE: Duration = Duration::from_secs(30);

/// Where the questions of each session go in.
type Boxes = Arc<Mutex<HashMap<String, (mpsc::Sender<ClientJsonRpcMessage>, Arc<str>)>>>;

#[derive(Clone)]
struct Post {
    face: Face,
    boxes: Boxes,
}

/// The two routes.
pub fn router(face: &Face) -> Router {
    Router::new()
        .route("/sse", get(open))
        .route("/message", post(take))
        .with_state(Post { face: face.clone(), boxes: Boxes::default() })
}

async fn open(State(post): State<Post>, Extension(caller): Extension<Caller>) -> Response {
    let id = uuid::Uuid::new_v4().to_string();
    let (questions, asked) = mpsc::channel::<ClientJsonRpcMessage>(QUESTIONS);
    let (answers, answered) = mpsc::channel::<ServerJsonRpcMessage>(ANSWERS);
    {
        let mut boxes = post.boxes.lock().unwrap_or_else(PoisonError::into_inner);
        if boxes.len() >= SESSIONS_MAX {
            let message = format!("there are {SESSIONS_MAX} streams open already");
            return (StatusCode::SERVICE_UNAVAILABLE, message).into_response();
        }
        boxes.insert(id.clone(), (questions, caller.name.clone()));
    }
    let face = post.face.of_a_session().for_caller(caller).in_full();
    // A reader that does not keep up loses its stream, not our memory.
    let sink = Box::pin(futures_util::sink::unfold(answers, |answers, message| async move {
        match answers.try_send(message) {
            Ok(()) => Ok(answers),
            Err(_) => Err(std::io::Error::other("nobody reads the stream")),
        }
    }));
    let stream = Box::pin(futures_util::stream::unfold(asked, |mut asked| async move {
        asked.recv().await.map(|message| (message, asked))
    }));
    tokio::spawn(async move {
        match face.serve((sink, stream)).await {
            Ok(running) => drop(running.waiting().await),
            Err(cause) => tracing::debug!(%cause, "an old client did not open as it should"),
        }
    });
    let first = Event::default().event("endpoint").data(format!("/message?sessionId={id}"));
    let answers = Answers { answered, _leaving: Leaving { id, boxes: post.boxes } };
    let events = futures_util::stream::once(future::ready(Ok::<_, Infallible>(first)))
        .chain(answers.map(Ok));
    let mut response =
        Sse::new(events).keep_alive(KeepAlive::new().interval(KEEP_ALIVE)).into_response();
    let headers = response.headers_mut();
    headers.insert("x-accel-buffering", axum::http::HeaderValue::from_static("no"));
    response
}

/// What goes out, until the reader leaves.
struct Answers {
    answered: mpsc::Receiver<ServerJsonRpcMessage>,
    _leaving: Leaving,
}

impl Stream for Answers {
    type Item = Event;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Event>> {
        self.answered.poll_recv(context).map(|message| {
            let text = serde_json::to_string(&message?).unwrap_or_default();
            Some(Event::default().event("message").data(text))
        })
    }
}

/// Takes the session's box away when its stream ends.
struct Leaving {
    id: String,
    boxes: Boxes,
}

impl Drop for Leaving {
    fn drop(&mut self) {
        self.boxes.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.id);
    }
}

#[derive(Deserialize)]
struct Session {
    #[serde(rename = "sessionId")]
    id: Option<String>,
}

async fn take(
    State(post): State<Post>,
    Extension(caller): Extension<Caller>,
    Query(session): Query<Session>,
    body: Bytes,
) -> Response {
    let Some(id) = session.id else { return refuse(-32602, "Missing sessionId") };
    let known = {
        let boxes = post.boxes.lock().unwrap_or_else(PoisonError::into_inner);
        boxes.get(&id).cloned()
    };
    let Some((questions, _)) = known.filter(|(_, owner)| *owner == caller.name) else {
        return refuse(-32602, "Invalid session ID");
    };
    let Ok(message) = serde_json::from_slice(&body) else { return refuse(-32700, "Parse error") };
    match questions.send(message).await {
        Ok(()) => StatusCode::ACCEPTED.into_response(),
        Err(_) => refuse(-32602, "Invalid session ID"),
    }
}

fn refuse(code: i32, message: &str) -> Response {
    let body = json!({"jsonrpc": "2.0", "id": null, "error": {"code": code, "message": message}});
    (StatusCode::BAD_REQUEST, axum::Json(body)).into_response()
}
