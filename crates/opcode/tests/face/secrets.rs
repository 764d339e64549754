//! Secrets in the running product: they reach what they are meant for, and nobody else is told.
//!
//! Keeps: what a service outside got is asserted beside what everybody else could see.
//! Not here: how they are sealed (`opcode-vault`).

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::sync::{Arc, Mutex};

use serde_json::{Value as Json, json};

use crate::http::Ask;
use crate::kit::{Home, bytes_of, until};
use crate::mcp::Client;
use crate::server::Server;
use crate::tokens::token;

/// A secret with characters that each form writes differently.
const CANARY: &str = "CANARY-7f3a/+\"e9&%d1 b4";

/// Answers each request with all of itself, and keeps it. `/away?URL` redirects.
struct Echo {
    address: SocketAddr,
    got: Arc<Mutex<Vec<String>>>,
}

impl Echo {
    fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let got: Arc<Mutex<Vec<String>>> = Arc::default();
        let all = got.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let mut lines = BufReader::new(stream.unwrap());
                let (mut whole, mut length) = (String::new(), 0);
                loop {
                    let mut line = String::new();
                    if lines.read_line(&mut line).unwrap_or(0) == 0 || line.trim().is_empty() {
                        break;
                    }
                    let small = line.to_lowercase();
                    if let Some(text) = small.strip_prefix("content-length:") {
                        length = text.trim().parse().unwrap();
                    }
                    whole += &line;
                }
                let mut body = vec![0; length];
                lines.read_exact(&mut body).unwrap();
                whole += &String::from_utf8_lossy(&body);
                let to = whole.split(' ').nth(1).and_then(|path| path.strip_prefix("/away?"));
                let head = to.map_or("200 OK".to_owned(), |to| format!("307 Go\r\nLocation: {to}"));
                let answer = format!(
                    "HTTP/1.1 {head}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{whole}",
                    whole.len()
                );
                all.lock().unwrap().push(whole);
                lines.into_inner().write_all(answer.as_bytes()).unwrap();
            }
        });
        Self { address, got }
    }

    fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    fn got(&self) -> Vec<String> {
        self.got.lock().unwrap().clone()
    }
}

/// A home with a vault.
fn home() -> Home {
    let mut home = Home::new();
    home.env = vec![("OPCODE_VAULT_KEY".to_owned(), "open sesame".to_owned())];
    home
}

fn set(home: &Home, name: &str, content: &str) {
    home.feed(&["secrets", "set", name], &format!("{content}\n")).ended(0);
}

fn run(server: &Server, definition: &Json) -> Json {
    let body = json!({"definition": definition, "agent_id": "a", "wait": "20s"});
    server.post("/api/v1/workflows", &body).json()
}

/// Every form in which a canary could be told.
fn forms() -> Vec<String> {
    let hex: String = CANARY.bytes().map(|byte| format!("{byte:02x}")).collect();
    let escaped = serde_json::to_string(CANARY).unwrap();
    vec![
        "CANARY-7f3a".to_owned(),
        "Q0FOQVJZLTdmM2Ev".to_owned(),
        "CANARY-7f3a%2F%2B%22e9".to_owned(),
        escaped.trim_matches('"').to_owned(),
        hex,
    ]
}

fn assert_unseen(place: &str, bytes: &[u8]) {
    for form in forms() {
        let is_there =
            bytes.windows(form.len()).any(|window| window.eq_ignore_ascii_case(form.as_bytes()));
        assert!(!is_there, "{form} is seen in {place}");
    }
}

/// A workflow that does with a secret what careless authors do.
fn careless(echo: &Echo) -> Json {
    let print = "printf '%s' \"$K\"; printf '%s' \"$K\" | base64; printf '%s' \"$K\" | od -An -tx1 | tr -d ' \\n'; \
                 printf '{\"k\": \"%s\"}' \"$K\" >&2; printf CANARY; printf -- '-7f3a/+\"e9&%%d1 b4'";
    json!({"steps": [
        {"id": "print", "action": "shell.exec", "params": {"command": "sh", "args": ["-c", print],
            "env": {"K": "${{secrets.CANARY}}"}}},
        {"id": "json", "action": "shell.exec", "depends_on": ["print"], "params": {"command": "python3",
            "args": ["-c", "import json,os,urllib.parse as u; k=os.environ['K']; print(json.dumps({'k': k, k: [u.quote(k, safe=''), u.quote_plus(k)]}))"],
            "env": {"K": "${{secrets.CANARY}}"}}},
        {"id": "web", "action": "http.post", "depends_on": ["json"], "params": {"url": echo.url("/in?x=1"),
            "headers": {"X-Key": "Bearer ${{secrets.PLAIN}}"}, "body": {"k": "${{secrets.CANARY}}"},
            "auth": {"type": "basic", "username": "u", "password": "${{secrets.CANARY}}"}}},
        {"id": "file", "action": "fs.write", "depends_on": ["web"], "params": {"path": "/nowhere/${{secrets.CANARY}}", "content": "x"},
            "on_error": {"strategy": "ignore"}},
        {"id": "dead", "action": "http.get", "depends_on": ["file"], "params": {"url": "http://127.0.0.1:1/${{secrets.CANARY}}"},
            "on_error": {"strategy": "ignore"}},
        {"id": "log", "action": "workflow.log", "depends_on": ["dead"],
            "params": {"message": "${{steps.print.stdout_raw}} ${{steps.web.body}} ${{steps.dead.error.message}}"}},
        {"id": "note", "action": "workflow.notify", "depends_on": ["log"], "params": {"message": "${{steps.json.stdout_raw}}"}},
        {"id": "ask", "type": "reasoning", "depends_on": ["note"], "config": {"prompt_context": "${{steps.web.body}}",
            "options": [{"id": "yes"}]}}]})
}

#[test]
fn a_canary_reaches_whom_it_is_meant_for_and_is_seen_nowhere_else() {
    let (home, echo) = (home(), Echo::start());
    let server = Server::with(&home, &["--listen-addr", "127.0.0.1:0", "--log-level", "debug"]);
    set(&home, "CANARY", CANARY);
    set(&home, "PLAIN", "CANARY-7f3a-plain");
    let definition = careless(&echo);
    let body = json!({"name": "careless", "definition": definition, "agent_id": "a"});
    server.post("/api/v1/templates", &body).is(201);
    let wish = json!({"template_name": "careless", "agent_id": "a", "wait": "20s"});
    let told = server.post("/api/v1/workflows", &wish).json();
    assert_eq!(told["status"], "suspended", "{told}");
    let id = told["workflow_id"].as_str().unwrap();
    // It was there: in its plain form where it belongs, and marked where it was told.
    let got = echo.got().remove(0);
    assert!(
        got.contains("Bearer CANARY-7f3a-plain") && got.contains("CANARY-7f3a/+\\\"e9"),
        "{got}"
    );
    let printed = told["steps"]["print"]["output"]["stdout_raw"].as_str().unwrap();
    assert!(printed.starts_with("[secret]"), "{printed}");
    assert_eq!(told["steps"]["json"]["output"]["stdout"]["k"], "[secret]", "{told}");
    assert!(
        told["steps"]["web"]["output"]["body"].as_str().unwrap().contains("Bearer [secret]"),
        "{told}"
    );

    assert_unseen("the answer", told.to_string().as_bytes());
    for path in [
        format!("/api/v1/workflows/{id}"),
        format!("/api/v1/workflows/{id}/events?limit=1000"),
        format!("/api/v1/workflows/{id}/diagram?format=svg&include_status=true"),
        "/api/v1/workflows".to_owned(),
        "/api/v1/templates/careless".to_owned(),
        "/api/v1/decisions".to_owned(),
        "/api/v1/events?limit=1000".to_owned(),
        "/api/v1/secrets".to_owned(),
        "/api/v1/audit".to_owned(),
        "/metrics".to_owned(),
    ] {
        assert_unseen(&path, server.get(&path).body.as_bytes());
    }
    let client = Client::modern(&server);
    for (tool, arguments) in [
        ("opcode.status", json!({"workflow_id": id, "detail": "full"})),
        ("opcode.query", json!({"resource": "events", "filter": {"workflow_id": id}})),
        ("opcode.diagram", json!({"workflow_id": id, "format": "ascii"})),
    ] {
        assert_unseen(tool, client.tool(tool, arguments).to_string().as_bytes());
    }
    for args in [&["events", id][..], &["status", id], &["secrets", "list"], &["doctor"]] {
        let said = home.opcode(args);
        assert_unseen(args[0], said.out.as_bytes());
        assert_unseen(args[0], said.err.as_bytes());
    }
    server.stop().ended(0);
    for (path, bytes) in bytes_of(&home.path("")) {
        // What the test itself fed to the command line.
        if !path.ends_with("stdin") {
            assert_unseen(&path.to_string_lossy(), &bytes);
        }
    }
}

#[test]
fn a_secret_goes_only_where_it_is_granted() {
    let (home, good, evil) = (home(), Echo::start(), Echo::start());
    let server = Server::start(&home);
    set(&home, "K", "content-of-k");
    let host = good.address.to_string();
    home.opcode(&["secrets", "grant", "K", "--action", "http.*", "--host", &host]).ended(0);
    let get = |url: String| {
        run(
            &server,
            &json!({"steps": [{"id": "a", "action": "http.post", "params": {
            "url": url, "body": "k=${{secrets.K}}", "body_encoding": "text"}}]}),
        )
    };
    assert_eq!(get(good.url("/"))["status"], "completed");
    for url in [evil.url("/"), good.url(&format!("/away?{}", evil.url("/")))] {
        let told = get(url);
        let error = &told["steps"]["a"]["error"];
        assert_eq!(error["code"], "PERMISSION_DENIED", "{told}");
        assert!(error["message"].as_str().unwrap().contains("granted for"), "{told}");
    }
    assert!(evil.got().is_empty(), "{:?}", evil.got());
    let shell = run(
        &server,
        &json!({"steps": [{"id": "a", "action": "shell.exec", "params": {
        "command": "true", "env": {"K": "${{secrets.K}}"}}}]}),
    );
    assert_eq!(shell["steps"]["a"]["error"]["code"], "PERMISSION_DENIED", "{shell}");
    home.opcode(&["secrets", "grant", "K", "--template", "only", "--json"]).ended(0);
    assert_eq!(get(good.url("/"))["steps"]["a"]["error"]["code"], "PERMISSION_DENIED");
    home.opcode(&["secrets", "grant", "K"]).ended(0);
    assert_eq!(get(evil.url("/"))["status"], "completed");
    let log = home.opcode(&["audit"]).ended(0).out;
    for action in ["secret.set", "secret.grant", "secret.use"] {
        assert!(log.contains(action), "{action} in {log}");
    }
    assert!(!log.contains("content-of-k"));
    assert!(home.opcode(&["audit", "--verify"]).ended(0).out.contains("whole"));
}

#[test]
fn only_administrators_touch_secrets_and_nobody_reads_one() {
    let home = home();
    let server = Server::start(&home);
    set(&home, "K", "content-of-k");
    for role in ["viewer", "agent", "operator"] {
        let text = token(&home, role, &["--role", role]);
        let with = |ask: Ask| ask.with("Authorization", &format!("Bearer {text}"));
        for ask in [
            Ask::get("/api/v1/secrets"),
            Ask {
                method: "PUT".to_owned(),
                ..Ask::post("/api/v1/secrets/K", &json!({"value": "other-content"}))
            },
            Ask::new("DELETE", "/api/v1/secrets/K", ""),
            Ask::post("/api/v1/vault/rotate", &json!({})),
        ] {
            server.send(&with(ask)).is(403);
        }
    }
    let told = server.get("/api/v1/secrets").is(200).body;
    assert!(told.contains("\"K\"") && !told.contains("content"), "{told}");
    server.get("/api/v1/secrets/K").is(405);
}

#[test]
fn a_wrong_passphrase_ends_the_process_and_the_right_one_opens_again() {
    let mut home = home();
    set(&home, "K", "content-of-k");
    home.env[0].1 = "wrong".to_owned();
    let mut started = home.start("wrong", &["serve", "--listen-addr", "127.0.0.1:0"]);
    let status = until("it ends", || started.child.try_wait().unwrap());
    assert_eq!(status.code(), Some(2), "{}", started.err());
    assert!(started.err().contains("the passphrase is not this vault's"), "{}", started.err());
    assert!(!started.err().contains("sesame"));
    home.env.clear();
    let said = home.feed(&["secrets", "set", "K"], "other-content").ended(2);
    assert!(said.err.contains("OPCODE_VAULT_KEY_FILE"), "{said:?}");
    let file = home.path(&home.file("key", "open sesame\n"));
    std::fs::set_permissions(&file, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
    let file = file.to_string_lossy().into_owned();
    home.feed(&["secrets", "rotate", "--passphrase", "--vault-key-file", &file], "new one")
        .ended(0);
    let asks = home.file("asks.json", r#"{"steps":[{"id":"a","action":"shell.exec",
        "params":{"command":"sh","args":["-c","printf %s \"$K\" | wc -c"],"env":{"K":"${{secrets.K}}"}}}]}"#);
    let old = home.opcode(&["run", &asks, "--vault-key-file", &file]).ended(2);
    assert!(old.err.contains("not this vault's"), "{old:?}");
    std::fs::write(&file, "new one").unwrap();
    let said = home.opcode(&["run", &asks, "--vault-key-file", &file, "--json"]).ended(0).json();
    assert_eq!(said["steps"]["a"]["output"]["stdout"], "content-of-k".len(), "{said}");
}

#[test]
fn secrets_are_imported_listed_and_taken_away_without_a_server() {
    let home = home();
    home.feed(&["secrets", "import"], "A=content-a\nB='content-b'\n").ended(0);
    let file = home.file("more.json", r#"{"C": "content-c"}"#);
    home.opcode(&["secrets", "import", &file]).ended(0);
    home.opcode(&["secrets", "delete", "B"]).ended(0);
    let near = home.opcode(&["secrets", "delete", "BB"]).ended(2);
    assert!(near.err.contains("there is no secret `BB`"), "{near:?}");
    let told = home.opcode(&["secrets", "list", "--json"]).ended(0).json();
    let names: Vec<_> = told["secrets"].as_array().unwrap().iter().map(|it| &it["name"]).collect();
    assert_eq!(names, ["A", "C"]);
    let definition = r#"{"steps":[{"id":"a","action":"crypto.hmac","params":{"data":"x","key":"${{secrets.A}}"}}]}"#;
    let steps = home.file("steps.json", definition);
    home.opcode(&["define", &steps, "--name", "signs"]).ended(0);
    home.opcode(&["run", "signs"]).ended(0);
    let told = home.opcode(&["secrets", "list", "--json"]).ended(0).json();
    assert_eq!(told["secrets"][0]["templates"], json!(["signs"]), "{told}");
    let empty = home.feed(&["secrets", "set", "D"], "abc").ended(2);
    assert!(empty.err.contains("4 to 65536 bytes"), "{empty:?}");
}

#[test]
fn a_passphrase_in_a_descriptor_is_for_nobody_else() {
    let home = Home::new();
    home.file("key", "open sesame");
    let steal = home.file("steal.json", r#"{"steps":[
        {"id":"helper","action":"shell.exec","params":{"command":"sh","args":["-c","cat /proc/$PPID/fd/3 /proc/self/fd/3 <&-"]}},
        {"id":"file","action":"fs.read","params":{"path":"/proc/self/fd/3"},"on_error":{"strategy":"ignore"}}]}"#);
    let program = env!("CARGO_BIN_EXE_opcode");
    let mut shell = std::process::Command::new("sh");
    shell.args(["-c", &format!("exec {program} run {steal} --json 3<key")]).env_clear();
    shell.current_dir(home.path("")).env("PATH", std::env::var_os("PATH").unwrap());
    shell.env("OPCODE_HOME", home.path("home")).env("OPCODE_VAULT_KEY_FD", "3");
    let said = shell.output().unwrap();
    let told = String::from_utf8_lossy(&said.stdout);
    assert!(told.contains("completed") && !told.contains("sesame"), "{said:?}");
    assert!(told.contains("PATH_DENIED"), "{told}");
}

#[test]
fn a_place_that_is_a_secret_is_not_told_either() {
    let home = home();
    set(&home, "HOOK", "http://K3ySecret.localhost:9/hook");
    let file = home.file(
        "hook.json",
        r#"{"steps":[{"id":"a","action":"http.post",
        "params":{"url":"${{secrets.HOOK}}/x","body":{}}}]}"#,
    );
    let said = home.opcode(&["run", &file, "--json"]).ended(1);
    let whole = format!("{}{}", said.out, said.err).to_lowercase();
    assert!(whole.contains("[secret]") && !whole.contains("k3ysecret"), "{whole}");
}
