//! Workflows as traces: what a collector is told, and what the services a workflow calls are told.
//!
//! Keeps: the collector is a socket of the test; what it got is asserted as it came.
//! Not here: the form's fine print (`src/traces`).

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use serde_json::{Value as Json, json};

use crate::http::Ask;
use crate::kit::{Home, until};
use crate::mcp::{Client, meta};
use crate::server::Server;

const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
const CALLER: &str = "00f067aa0ba902b7";

/// A request, as it came: its path, its headers in small letters, its body.
type Got = (String, Vec<String>, Vec<u8>);

/// Somebody who listens, and says that it is busy at first.
struct Collector {
    address: SocketAddr,
    got: Arc<Mutex<Vec<Got>>>,
}

impl Collector {
    fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let got: Arc<Mutex<Vec<Got>>> = Arc::default();
        let all = got.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let Some((request, mut stream)) = request(stream.unwrap()) else { continue };
                let mut all = all.lock().unwrap();
                let is_first = request.0 == "/v1/traces" && !all.iter().any(|it| it.0 == request.0);
                let status = if is_first { "503 Busy\r\nRetry-After: 0" } else { "200 OK" };
                let answer = format!(
                    "HTTP/1.1 {status}\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{{}}"
                );
                all.push(request);
                stream.write_all(answer.as_bytes()).unwrap();
            }
        });
        Self { address, got }
    }

    /// A home whose traces are told here.
    fn home(&self) -> Home {
        let mut home = Home::new();
        let said = [
            ("OTEL_EXPORTER_OTLP_ENDPOINT", format!("http://{}", self.address)),
            ("OTEL_EXPORTER_OTLP_HEADERS", "x-key=letmein".to_owned()),
            ("OTEL_BSP_SCHEDULE_DELAY", "50".to_owned()),
            ("OTEL_SERVICE_NAME", "orders".to_owned()),
        ];
        home.env = said.map(|(name, value)| (name.to_owned(), value)).into();
        home
    }

    fn got(&self, path: &str) -> Vec<Got> {
        let all = self.got.lock().unwrap();
        all.iter().filter(|(at, ..)| at == path).cloned().collect()
    }

    /// Everything that was told; what it refused at first is told again.
    fn spans(&self) -> Vec<Json> {
        let mut spans = Vec::new();
        for (_, headers, body) in self.got("/v1/traces").into_iter().skip(1) {
            assert!(headers.contains(&"x-key: letmein".to_owned()), "{headers:?}");
            let told: Json = serde_json::from_slice(&body).unwrap();
            let resource = &told["resourceSpans"][0];
            let name = &resource["resource"]["attributes"][0];
            assert_eq!(*name, json!({"key": "service.name", "value": {"stringValue": "orders"}}));
            spans.extend(resource["scopeSpans"][0]["spans"].as_array().unwrap().clone());
        }
        spans
    }

    /// The span of a workflow or step, once it was told.
    fn span(&self, fact: &str, value: &str) -> Json {
        until(&format!("a span with {fact} {value} is told"), || {
            let is_it = |span: &Json| about(span, fact).as_deref() == Some(value);
            self.spans().into_iter().find(is_it)
        })
    }

    fn of_step(&self, step: &str) -> Json {
        self.span("opcode.step.id", step)
    }

    /// A workflow's own span.
    fn of_run(&self, id: &str) -> Json {
        until("a workflow's span is told", || {
            let is_it = |span: &Json| {
                about(span, "opcode.workflow.id").as_deref() == Some(id)
                    && about(span, "opcode.workflow.status").is_some()
            };
            self.spans().into_iter().find(is_it)
        })
    }
}

fn request(stream: TcpStream) -> Option<(Got, TcpStream)> {
    let mut lines = BufReader::new(stream);
    let mut head = Vec::new();
    loop {
        let mut line = String::new();
        lines.read_line(&mut line).ok()?;
        match line.trim_end() {
            "" => break,
            line => head.push(line.to_owned()),
        }
    }
    let path = head.first()?.split(' ').nth(1)?.to_owned();
    let headers: Vec<String> = head[1..].iter().map(|line| line.to_lowercase()).collect();
    let length = headers.iter().find_map(|line| line.strip_prefix("content-length: "));
    let mut body = vec![0; length.map_or(0, |length| length.parse().unwrap())];
    lines.read_exact(&mut body).ok()?;
    Some(((path, headers, body), lines.into_inner()))
}

fn about(span: &Json, fact: &str) -> Option<String> {
    let facts = span["attributes"].as_array()?;
    let found = facts.iter().find(|it| it["key"] == fact)?;
    found["value"]["stringValue"].as_str().map(str::to_owned)
}

fn define(server: &Server, name: &str, definition: Json) {
    let body = json!({"name": name, "agent_id": "a", "definition": definition});
    server.post("/api/v1/templates", &body).is(201);
}

fn begin(server: &Server, body: &Json, traceparent: &str) -> Json {
    let ask = Ask::post("/api/v1/workflows", body).with("traceparent", traceparent);
    server.send(&ask).json()
}

#[test]
fn a_workflow_goes_on_with_its_callers_trace_and_hands_it_on() {
    let collector = Collector::start();
    let home = collector.home();
    let server = Server::start(&home);
    let outside = format!("http://{}/outside", collector.address);
    let shell = json!({"command": "sh", "args": ["-c", "printf %s \"$TRACEPARENT\""]});
    define(
        &server,
        "child",
        json!({"steps": [
        {"id": "call", "action": "http.get", "params": {"url": outside}}]}),
    );
    define(
        &server,
        "parent",
        json!({"steps": [
        {"id": "each", "type": "loop", "config": {"mode": "for_each", "over": "[1]", "body": [
            {"id": "tell", "action": "shell.exec", "params": shell}]}},
        {"id": "poor", "action": "workflow.fail", "params": {"reason": "no luck"},
            "on_error": {"strategy": "ignore"}},
        {"id": "sub", "action": "workflow.run", "params": {"template_name": "child"}}]}),
    );
    let given = format!("00-{TRACE}-{CALLER}-01");
    let body = json!({"template_name": "parent", "agent_id": "a", "wait": "20s"});
    let run = begin(&server, &body, &given);
    assert_eq!(run["status"], "completed", "{run}");
    let id = run["workflow_id"].as_str().unwrap();

    let whole = collector.of_run(id);
    assert_eq!(whole["parentSpanId"], CALLER, "{whole}");
    assert_eq!(about(&whole, "opcode.template.name").unwrap(), "parent");
    let (each, tell) = (collector.of_step("each"), collector.of_step("each.iter_0.tell"));
    assert_eq!(each["parentSpanId"], whole["spanId"]);
    assert_eq!(tell["parentSpanId"], each["spanId"], "the step around it");
    assert_eq!(about(&tell, "opcode.action").unwrap(), "shell.exec");
    let poor = collector.of_step("poor");
    let mark = &poor["events"][0];
    assert_eq!(about(mark, "opcode.strategy").unwrap(), "ignore", "{poor}");
    assert!(about(mark, "error.message").unwrap().contains("no luck"), "{poor}");

    let (sub, call) = (collector.of_step("sub"), collector.of_step("call"));
    let child = collector.of_run(&about(&call, "opcode.workflow.id").unwrap());
    assert_eq!(child["parentSpanId"], sub["spanId"], "a child stands below its parent's step");
    assert_eq!(call["parentSpanId"], child["spanId"]);
    for span in collector.spans() {
        assert_eq!(span["traceId"], TRACE, "{span}");
        assert!(span["startTimeUnixNano"].as_str() <= span["endTimeUnixNano"].as_str(), "{span}");
    }

    let handed_on = |span: &Json| format!("00-{TRACE}-{}-01", span["spanId"].as_str().unwrap());
    let (_, headers, _) = collector.got("/outside").remove(0);
    assert!(headers.contains(&format!("traceparent: {}", handed_on(&call))), "{headers:?}");
    let steps = server.get(&format!("/api/v1/workflows/{id}")).json()["steps"].clone();
    assert_eq!(steps["each.iter_0.tell"]["output"]["stdout_raw"], handed_on(&tell), "{steps}");
}

#[test]
fn a_family_without_a_caller_is_one_trace_also_over_a_crash() {
    let collector = Collector::start();
    let home = collector.home();
    let server = Server::start(&home);
    define(
        &server,
        "waits",
        json!({"steps": [
        {"id": "hold", "type": "wait", "config": {"signal": "go"}}]}),
    );
    define(
        &server,
        "above",
        json!({"steps": [
        {"id": "sub", "action": "workflow.run", "params": {"template_name": "waits"}}]}),
    );
    let body = json!({"template_name": "above", "agent_id": "a"});
    let run = begin(&server, &body, "no traceparent");
    let id = run["workflow_id"].as_str().unwrap().to_owned();
    home.until_event(&id, "child_started", "sub");
    let all = || server.get("/api/v1/workflows").json()["workflows"].as_array().unwrap().clone();
    let child = until("there is a child", || {
        let found = all().into_iter().find(|it| it["id"] != id.as_str())?;
        found["id"].as_str().map(str::to_owned)
    });
    home.until_event(&child, "wait_started", "hold");
    server.kill();

    let server = Server::start(&home);
    let signal = json!({"signal_type": "data", "signal_name": "go", "agent_id": "a"});
    server.post(&format!("/api/v1/workflows/{child}/signals"), &signal);
    let (whole, below) = (collector.of_run(&id), collector.of_run(&child));
    let (sub, hold) = (collector.of_step("sub"), collector.of_step("hold"));
    assert_eq!(whole.get("parentSpanId"), None, "{whole}");
    assert_eq!(below["parentSpanId"], sub["spanId"]);
    assert_eq!(hold["parentSpanId"], below["spanId"]);
    for span in collector.spans() {
        assert_eq!(span["traceId"], id.replace('-', ""), "{span}");
    }
    server.stop().ended(0);
}

#[test]
fn a_call_over_mcp_says_its_trace_and_what_nobody_keeps_is_not_told() {
    let collector = Collector::start();
    let home = collector.home();
    let server = Server::start(&home);
    define(
        &server,
        "one",
        json!({"steps": [
        {"id": "a", "action": "workflow.fail", "params": {"reason": "no luck"}}]}),
    );
    let client = Client::modern(&server);
    let run = |flags: &str| {
        let arguments = json!({"template_name": "one", "agent_id": "a"});
        let mut said =
            client.message("tools/call", json!({"name": "opcode.run", "arguments": arguments}));
        said["params"]["_meta"] = meta(&json!({}));
        said["params"]["_meta"]["traceparent"] = format!("00-{TRACE}-{CALLER}-{flags}").into();
        let answer = client.ask(&said).send(server.address).message(said["id"].as_i64().unwrap());
        let told = &answer["result"]["structuredContent"];
        assert_eq!(told["status"], "failed", "{answer}");
        told["workflow_id"].as_str().unwrap().to_owned()
    };
    let unkept = run("00");
    let kept = run("01");
    let whole = collector.of_run(&kept);
    assert_eq!(whole["status"]["code"], 2, "{whole}");
    assert!(about(&whole, "error.message").unwrap().contains("no luck"), "{whole}");
    assert_eq!((&whole["traceId"], &whole["parentSpanId"]), (&TRACE.into(), &CALLER.into()));
    // It ended later than the other, and what ends first is told first.
    let spans = collector.spans();
    assert!(!spans.iter().any(|it| about(it, "opcode.workflow.id").as_ref() == Some(&unkept)));
}

#[test]
fn a_collector_that_cannot_be_is_said_at_the_start() {
    let mut home = Home::new();
    home.env = vec![("OTEL_EXPORTER_OTLP_ENDPOINT".to_owned(), "collector:4318".to_owned())];
    let said = home.opcode(&["serve", "--listen-addr", "127.0.0.1:0"]).ended(2);
    assert!(said.err.contains("OTEL_EXPORTER_OTLP_ENDPOINT"), "{said:?}");
}
