//! Settings: what stands under flags and environment, what is wrong with them, and what changes while a server runs.
//!
//! Keeps: what is asserted is what is in force, as the product says it.
//! Not here: what single flags do.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value as Json, json};

use crate::http::Ask;
use crate::kit::{Home, Said, until};
use crate::server::Server;

fn set(home: &Home, text: &str) {
    fs::create_dir_all(home.path("home")).unwrap();
    fs::write(home.path("home/settings.json"), text).unwrap();
}

fn pool(home: &Home, flags: &[&str], variable: Option<&str>) -> Json {
    let mut command = home.command(&[&["doctor", "--json"], flags].concat());
    command.envs(variable.map(|value| ("OPCODE_POOL_SIZE", value)));
    let said: Json = serde_json::from_slice(&command.output().unwrap().stdout).unwrap();
    said["pool"].clone()
}

#[test]
fn flags_win_over_the_environment_and_that_over_the_file() {
    let home = Home::new();
    set(&home, r#"{"pool_size": 7}"#);
    assert_eq!(pool(&home, &[], None), 7);
    assert_eq!(pool(&home, &[], Some("8")), 8);
    assert_eq!(pool(&home, &["--pool-size", "9"], Some("8")), 9);
    set(&home, &format!(r#"{{"db_path": "{}"}}"#, home.path("there/x.db").display()));
    assert!(
        home.opcode(&["doctor", "--json"]).json()["store"]["path"]
            == home.path("there/x.db").to_str().unwrap()
    );
}

#[test]
fn what_is_wrong_with_a_setting_is_told_with_its_line() {
    let home = Home::new();
    for (text, place, cause) in [
        ("{\n  \"pool_size\": 7,\n}", "settings.json:3:1", "not JSON"),
        ("{\n  \"pool_sise\": 7\n}", "settings.json:2:16", "did you mean `pool_size`?"),
        ("{\"pool_size\": 0}", "settings.json:1:15", "from 1 to 100000"),
        ("{\"listen_addr\": \"far away\"}", "settings.json:1:17", "an address is like"),
        ("{\"log_level\":\n\"loud\"}", "settings.json:2:1", "there is no log level `loud`"),
        ("{\"allowed_hosts\": \"a\"}", "settings.json:1:19", "a list of texts"),
        ("{\"panel\": \"yes\"}", "settings.json:1:11", "true or false"),
        ("{\"durability\": \"total\"}", "settings.json:1:16", "durability"),
        ("{\"sandbox\": \"isolatd\"}", "settings.json:1:13", "did you mean `isolated`?"),
        (
            "{\"sandbox\": {\n\"minimum\": \"most\"}}",
            "settings.json:2:12",
            "`minimum` must be one of",
        ),
        ("{\"limits\": {\"pids\": 0}}", "settings.json:1:21", "from 1 to 4194304"),
        ("{\"limits\": {\"memroy\": 1}}", "settings.json:1:23", "did you mean `memory`?"),
        ("[]", "settings.json:1:1", "one JSON object"),
    ] {
        set(&home, text);
        let said = home.opcode(&["query", "templates"]).ended(2);
        assert!(said.err.contains(place) && said.err.contains(cause), "{text}: {said:?}");
        home.opcode(&["version"]).ended(0);
        home.opcode(&["--help"]).ended(0);
    }
}

#[test]
fn without_a_command_it_serves() {
    let home = Home::new();
    set(&home, r#"{"listen_addr": "127.0.0.1:0", "log_level": "off"}"#);
    let mut started = home.start("bare", &["--json"]);
    let said: Json = until("it serves", || {
        assert_eq!(started.child.try_wait().unwrap(), None, "{}", started.err());
        serde_json::from_str(&fs::read_to_string(home.path("bare.out")).ok()?).ok()
    });
    let address = said["address"].as_str().unwrap().parse().unwrap();
    Ask::get("/readyz").send(address).is(200);
    let stopped = home.opcode(&["stop", "--json"]).ended(0).json();
    assert_eq!(stopped, json!({"stopped": said["pid"]}));
    let ended = started.end().ended(0);
    assert_eq!(ended.err, "", "nothing is logged");
    assert_eq!(home.opcode(&["stop", "--json"]).ended(0).json(), json!({"stopped": null}));
}

#[test]
fn a_hangup_reads_the_settings_again() {
    let home = Home::new();
    set(&home, r#"{"log_level": "error"}"#);
    let server = Server::start(&home);
    let named = Ask::get("/healthz").with("Host", "opcode.example.com");
    server.send(&named).is(403);
    let settings =
        r#"{"log_level": "info", "pool_size": 3, "base_url": "https://opcode.example.com/"}"#;
    set(&home, settings);
    let pid = i32::try_from(server.said["pid"].as_i64().unwrap()).unwrap();
    let hangup = || kill_process(Pid::from_raw(pid).unwrap(), Signal::HUP).unwrap();
    hangup();
    until("the new name is known", || (server.send(&named).status == 200).then_some(()));
    set(&home, "{");
    hangup();
    until("the broken file is told", || {
        fs::read_to_string(home.path("serve.err"))
            .ok()
            .filter(|err| err.contains("stay as they are"))
    });
    server.send(&named).is(200);
    let said = server.stop().ended(0);
    assert!(said.err.contains("in force at the next start: base_url, pool_size"), "{said:?}");
    assert!(!said.err.contains("refused at the gate"), "it was at level error then");
}

#[test]
fn install_writes_settings_and_serves_in_the_background() {
    let home = Home::new();
    let said =
        home.opcode(&["install", "--listen-addr", "127.0.0.1:0", "--log-level", "debug", "--json"]);
    let said = said.ended(0);
    let first = said.json();
    let path = home.path("home/settings.json");
    let settings: Json = serde_json::from_str(&fs::read_to_string(&path).unwrap()).unwrap();
    assert_eq!(settings, json!({"listen_addr": "127.0.0.1:0", "log_level": "debug"}));
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    assert!(said.err.contains("mcp-config --client NAME") && said.err.contains("claude-code"));
    let address = first["address"].as_str().unwrap().parse().unwrap();
    Ask::get("/readyz").send(address).is(200);
    let config = home.opcode(&["mcp-config", "--client", "claude-code"]).ended(0).json();
    assert_eq!(config["mcpServers"]["opcode"]["url"], first["mcp"]);
    let again = home.opcode(&["install", "--pool-size", "4", "--json"]).ended(0).json();
    assert_eq!(again["pid"], first["pid"], "the one that runs is told");
    let settings: Json = serde_json::from_str(&fs::read_to_string(&path).unwrap()).unwrap();
    assert_eq!(settings["pool_size"], 4);
    assert_eq!(settings["listen_addr"], "127.0.0.1:0", "what was set before stays");
    let log = until("the log tells", || {
        let log = fs::read_to_string(home.path("home/opcode.db.log")).ok()?;
        log.contains("settings read again").then_some(log)
    });
    assert!(log.lines().skip(1).all(|line| serde_json::from_str::<Json>(line).is_ok()), "{log}");
    home.opcode(&["stop"]).ended(0);
    home.opcode(&["install", "--listen-addr", "nowhere:x"]).ended(2);
}

#[test]
fn install_writes_a_unit_and_has_systemd_start_it() {
    let home = Home::new();
    let bin = home.path("bin");
    fs::create_dir_all(&bin).unwrap();
    let install = |script: &str| -> Said {
        fs::write(bin.join("systemctl"), script).unwrap();
        fs::set_permissions(bin.join("systemctl"), fs::Permissions::from_mode(0o755)).unwrap();
        let mut command = home.command(&["install", "--systemd", "--listen-addr", ":4177"]);
        let path = format!("{}:{}", bin.display(), std::env::var("PATH").unwrap());
        command.env("PATH", path).env("XDG_CONFIG_HOME", home.path("config"));
        let output = command.output().unwrap();
        Said {
            code: output.status.code().unwrap(),
            out: String::from_utf8(output.stdout).unwrap(),
            err: String::from_utf8(output.stderr).unwrap(),
        }
    };
    let calls = home.path("calls");
    install(&format!("#!/bin/sh\necho \"$@\" >> {}\n", calls.display())).ended(0);
    let told = fs::read_to_string(&calls).unwrap();
    assert_eq!(told, "--user daemon-reload\n--user enable --now opcode.service\n");
    let unit = fs::read_to_string(home.path("config/systemd/user/opcode.service")).unwrap();
    assert!(unit.contains("/opcode\" serve\n"), "{unit}");
    assert!(unit.contains(&format!("OPCODE_HOME={}", home.path("home").display())), "{unit}");
    let said = install("#!/bin/sh\necho no bus >&2\nexit 1\n").ended(70);
    assert!(said.err.contains("did not work: no bus"), "{said:?}");
}

#[test]
fn logs_of_a_server_are_one_json_object_a_line() {
    let home = Home::new();
    let server = Server::start(&home);
    let definition = json!({"steps": [{"id": "say", "action": "workflow.log", "params": {"message": "hello", "level": "warn"}}]});
    let run = server.post(
        "/api/v1/workflows",
        &json!({"definition": definition, "agent_id": "ann", "wait": "10s"}),
    );
    let run = run.json();
    let said = server.stop().ended(0);
    let lines: Vec<Json> =
        said.err.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let line = lines.iter().find(|line| line["message"] == "hello").unwrap();
    assert_eq!(line["level"], "WARN", "{line}");
    assert_eq!((&line["workflow_id"], &line["step_id"]), (&run["workflow_id"], &json!("say")));
    assert_eq!(line["agent_id"], "ann", "{line}");
    assert!(line["timestamp"].is_string(), "{line}");
    assert!(lines.last().unwrap()["message"].as_str().unwrap().contains("everything acknowledged"));
}
