//! What strangers send, and what definitions written by the misled ask for: nothing leaves its place.
//!
//! Keeps: each attack has an innocent twin beside it that works, so that a refusal is not just a failure.
//! Not here: attacks on the doors (`gate.rs`), on the vault (`secrets.rs`), out of the sandbox (`opcode-sandbox`).

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener};
use std::os::unix::fs::symlink;
use std::time::Instant;

use serde_json::{Value as Json, json};

use crate::kit::{Home, until};
use crate::server::Server;

/// Runs one step to its end.
fn step(server: &Server, action: &str, params: Json) -> Json {
    run(server, &json!({"steps": [{"id": "it", "action": action, "params": params}]}))["steps"]["it"]
        .clone()
}

fn run(server: &Server, definition: &Json) -> Json {
    server.post("/api/v1/workflows", &json!({"definition": definition, "wait": "30s"})).json()
}

/// Answers each request with what is given, again and again if it shall not end.
fn answers(head: &'static str, body: &'static str, is_endless: bool) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut lines = BufReader::new(stream.unwrap());
            let mut line = String::new();
            while lines.read_line(&mut line).is_ok_and(|bytes| bytes > 0) && line.trim() != "" {
                line.clear();
            }
            let mut to = lines.into_inner();
            let mut fine = to.write_all(head.as_bytes()).is_ok();
            while fine {
                fine = to.write_all(body.as_bytes()).is_ok() && is_endless;
            }
        }
    });
    address
}

#[test]
fn a_proxy_of_the_environment_is_never_asked() {
    let mut home = Home::new();
    for name in ["HTTP_PROXY", "http_proxy", "ALL_PROXY", "HTTPS_PROXY"] {
        home.env.push((name.to_owned(), "http://127.0.0.1:1".to_owned()));
    }
    let server = Server::start(&home);
    let at =
        answers("HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\n", "hi", false);
    let got = step(&server, "http.get", json!({"url": format!("http://{at}/")}));
    assert_eq!(got["output"]["body"], "hi", "{got}");
}

#[test]
fn no_path_leads_out_of_the_roots_and_none_hangs() {
    let home = Home::new();
    let root = home.path("root");
    fs::create_dir(&root).unwrap();
    fs::write(root.join("fine"), "fine").unwrap();
    fs::write(home.path("outside"), "OUTSIDE").unwrap();
    symlink(home.path("outside"), root.join("link")).unwrap();
    symlink("/", root.join("top")).unwrap();
    fs::hard_link(home.path("outside"), root.join("hard")).unwrap();
    let fifo = std::process::Command::new("mkfifo").arg(root.join("fifo")).status().unwrap();
    assert!(fifo.success());
    let at = root.display().to_string();
    let server = Server::with(&home, &["--listen-addr", "127.0.0.1:0", "--fs-root", &at]);
    let read = |path: &str| step(&server, "fs.read", json!({"path": path}));
    assert_eq!(read(&format!("{at}/fine"))["output"]["content"], "fine");
    let begun = Instant::now();
    let ways = [
        format!("{at}/../outside"),
        format!("{at}/link"),
        format!("{at}/top/etc/passwd"),
        format!("{at}/fifo"),
        format!("{at}/{}", "a/".repeat(2_500)),
        format!("{at}/nul\u{0}"),
        "/etc/passwd".to_owned(),
        "/proc/self/environ".to_owned(),
        format!("/proc/self/root{at}/../outside"),
        "/dev/zero".to_owned(),
        String::new(),
    ];
    for way in &ways {
        let told = read(way);
        assert_eq!(told["status"], "failed", "{way}: {told}");
        assert!(!told.to_string().contains("OUTSIDE"), "{way}: {told}");
    }
    assert!(begun.elapsed().as_secs() < 20, "nothing hangs");
    for (action, params) in [
        ("fs.write", json!({"path": format!("{at}/link"), "content": "x"})),
        (
            "fs.append",
            json!({"path": format!("{at}/top/{}/outside", home.path("").display()), "content": "x"}),
        ),
        ("fs.delete", json!({"path": format!("{at}/../outside")})),
        ("fs.move", json!({"src": format!("{at}/fine"), "dst": format!("{at}/../fine")})),
        ("fs.copy", json!({"src": "/etc/passwd", "dst": format!("{at}/mine")})),
    ] {
        assert_eq!(step(&server, action, params)["status"], "failed", "{action}");
    }
    assert_eq!(fs::read_to_string(home.path("outside")).unwrap(), "OUTSIDE");
    assert!(root.join("fine").exists() && !root.join("mine").exists());
}

#[test]
fn the_engines_own_files_are_nobodys_by_any_name() {
    let home = Home::new();
    fs::create_dir_all(home.path("home")).unwrap();
    fs::write(home.path("home/settings.json"), r#"{"log_level": "info"}"#).unwrap();
    let server = Server::start(&home);
    let db = home.db().display().to_string();
    symlink(&db, home.path("alias")).unwrap();
    let alias = home.path("alias").display().to_string();
    let settings = home.path("home/settings.json").display().to_string();
    for path in [
        db.clone(),
        format!("{db}-wal"),
        format!("{db}.lock"),
        format!("{db}.serve.json"),
        alias,
        settings,
    ] {
        let told = step(&server, "fs.read", json!({"path": path}));
        assert_eq!(told["error"]["code"], "PATH_DENIED", "{path}: {told}");
        let told = step(&server, "fs.write", json!({"path": path, "content": "x"}));
        assert_eq!(told["status"], "failed", "{path}: {told}");
    }
    fs::write(home.path("other"), "fine").unwrap();
    let told = step(&server, "fs.read", json!({"path": home.path("other")}));
    assert_eq!(told["output"]["content"], "fine", "{told}");
}

#[test]
fn data_stays_data_whatever_it_looks_like() {
    let home = Home::new();
    let server = Server::start(&home);
    for evil in [
        r#"x"],"shell":true,"command":"touch pwned","args":["#,
        "\"; touch pwned; \"",
        "$(touch pwned) `touch pwned`",
        "line\nbreak\ttab",
        "${{inputs.other}} ${{secrets.KEY}} {{x}} <script>",
        "--upload-pack=touch pwned",
    ] {
        let definition = json!({"inputs": {}, "steps": [{"id": "it", "action": "shell.exec",
            "params": {"command": "printf", "args": ["%s", "${{inputs.evil}}"]}}]});
        let definition = json!({"steps": definition["steps"]});
        let body = json!({"definition": definition, "params": {"evil": evil, "other": "EXPANDED"}, "wait": "30s"});
        let told = server.post("/api/v1/workflows", &body).json();
        assert_eq!(told["steps"]["it"]["output"]["stdout_raw"], evil, "{told}");
    }
    assert!(!home.path("pwned").exists());
}

#[test]
fn what_a_stranger_answers_is_never_read_as_ours() {
    let mut home = Home::new();
    home.env = vec![("OPCODE_VAULT_KEY".to_owned(), "open sesame".to_owned())];
    let server = Server::start(&home);
    home.feed(&["secrets", "set", "KEY"], "CANARY-hostile-19").ended(0);
    let body = "${{secrets.KEY}} ${{inputs.x}} ${{steps.get.output.status_code}}";
    let at = answers("HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n", body, false);
    let told = run(
        &server,
        &json!({"steps": [
            {"id": "get", "action": "http.get", "params": {"url": format!("http://{at}/")}},
            {"id": "say", "action": "shell.exec", "depends_on": ["get"],
             "params": {"command": "printf", "args": ["%s", "${{steps.get.output.body}}"]}},
        ]}),
    );
    assert_eq!(told["steps"]["get"]["output"]["body"], body, "{told}");
    assert_eq!(told["steps"]["say"]["output"]["stdout_raw"], body, "{told}");
    assert!(!told.to_string().contains("CANARY"), "{told}");
}

#[test]
fn a_peer_that_never_ends_is_cut_off() {
    let home = Home::new();
    let server = Server::start(&home);
    let heads =
        answers("HTTP/1.1 200 OK\r\n", "X-More: yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy\r\n", true);
    let told =
        step(&server, "http.get", json!({"url": format!("http://{heads}/"), "timeout": "20s"}));
    assert_eq!(told["status"], "failed", "{told}");
    let talk = answers(
        "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n\r\n",
        "and on and on and on ",
        true,
    );
    let told =
        step(&server, "http.get", json!({"url": format!("http://{talk}/"), "timeout": "20s"}));
    let length = told["output"]["body"].as_str().map_or(0, str::len);
    assert!(told["output"]["truncated"] == true && length < 64 << 20, "{}", told["status"]);
    until("others are served meanwhile", || (server.get("/healthz").status == 200).then_some(()));
}
