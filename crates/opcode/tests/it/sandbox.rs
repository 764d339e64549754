//! Isolation through the binary: what a definition wishes, what settings demand, what is recorded, what `doctor` says.
//!
//! Keeps: what `doctor` says of this machine is what a step finds in its record.
//! Not here: what an isolated program cannot do (`opcode-sandbox`).

use std::fs;

use rustix::process::Signal;
use serde_json::{Value as Json, json};

use crate::kit::{Home, until};

fn shell(script: &str, more: &Json) -> String {
    let mut step = json!({"id": "sh", "action": "shell.exec", "params": {"command": "sh", "args": ["-c", script]}});
    for (key, value) in more.as_object().unwrap() {
        step[key] = value.clone();
    }
    json!({"steps": [step]}).to_string()
}

fn run(home: &Home, definition: &str) -> Json {
    let file = home.file("w.json", definition);
    home.opcode(&["run", &file, "--json"]).json()
}

#[test]
fn a_step_records_what_doctor_says() {
    let home = Home::new();
    let said = home.opcode(&["doctor", "--json"]).ended(0).json();
    let result = run(&home, &shell("echo in", &json!({"sandbox": "isolated"})));
    assert_eq!(result["status"], "completed", "{result}");
    let record = &result["output"]["sh"]["isolation"];
    assert_eq!(*record, said["isolated"], "{said}");
    let strict = run(&home, &shell("echo in", &json!({"sandbox": "strict"})));
    match said["strict"].get("refused") {
        Some(refused) => {
            assert_eq!(strict["steps"]["sh"]["error"]["code"], "ISOLATION_ERROR");
            let message = strict["error"]["message"].as_str().unwrap();
            assert!(message.contains(refused.as_str().unwrap()), "{message}");
        }
        None => assert_eq!(strict["output"]["sh"]["isolation"]["effective"], "strict"),
    }
    // It is in the log, for good.
    let events = home.opcode(&["events", result["workflow_id"].as_str().unwrap(), "--json"]);
    assert!(events.ended(0).out.contains("\"requested\":\"isolated\""));
}

#[test]
fn a_limit_that_is_hit_has_its_name_and_number_in_the_error() {
    let home = Home::new();
    let result = run(&home, &shell("yes", &json!({"limits": {"output": 1000}})));
    let error = &result["steps"]["sh"]["error"];
    assert_eq!(error["code"], "LIMIT_EXCEEDED", "{result}");
    let details = &error["details"];
    assert_eq!(
        (&details["limit"], &details["value"]),
        (&json!("output"), &json!(1000)),
        "{result}"
    );
}

#[test]
fn what_settings_demand_no_workflow_loosens() {
    let home = Home::new();
    fs::create_dir_all(home.path("home")).unwrap();
    let settings = json!({
        "sandbox": {"minimum": "isolated", "network": false},
        "limits": {"output": 100},
    });
    fs::write(home.path("home/settings.json"), settings.to_string()).unwrap();
    let usual = run(&home, &shell("echo in", &json!({})));
    assert_eq!(usual["output"]["sh"]["isolation"]["requested"], "isolated", "{usual}");
    for (wish, said) in [
        (json!({"sandbox": "process"}), "weaker than `isolated`"),
        (json!({"sandbox": {"profile": "isolated", "network": true}}), "the host's network"),
        (
            json!({"sandbox": {"profile": "isolated", "write": ["/etc"]}}),
            "`write` may not hold /etc",
        ),
    ] {
        let result = run(&home, &shell("echo in", &wish));
        assert_eq!(result["steps"]["sh"]["error"]["code"], "ISOLATION_ERROR", "{wish}: {result}");
        assert!(result["error"]["message"].as_str().unwrap().contains(said), "{result}");
    }
    let raised = run(&home, &shell("yes | head -c 500", &json!({"limits": {"output": 1000}})));
    assert_eq!(raised["steps"]["sh"]["error"]["code"], "LIMIT_EXCEEDED", "{raised}");
    // A flag wins over the file.
    let file = home.file("w.json", &shell("echo in", &json!({"sandbox": "process"})));
    home.opcode(&["run", &file, "--sandbox", "process", "--json"]).ended(0);
}

#[test]
fn a_variable_of_the_server_comes_in_by_name() {
    let home = Home::new();
    let file = home.file("w.json", &shell("echo \"$SECRET_SAUCE\"", &json!({})));
    let said = |flags: &[&str]| {
        let mut command = home.command(&[&["run", &file, "--json"], flags].concat());
        let output = command.env("SECRET_SAUCE", "mustard").output().unwrap();
        let json: Json = serde_json::from_slice(&output.stdout).unwrap();
        json["output"]["sh"]["stdout"].clone()
    };
    assert_eq!(said(&[]), "\n");
    assert_eq!(said(&["--shell-env", "SECRET_SAUCE"]), "mustard\n");
}

#[test]
fn a_detached_step_goes_on_when_its_process_is_killed_and_is_found_again() {
    for profile in ["process", "isolated"] {
        let home = Home::new();
        let here = home.path(".").canonicalize().unwrap();
        let script = "echo ran >> ran; while [ ! -e go ]; do sleep 0.01; done; echo done";
        let step = json!({
            "id": "sh",
            "action": "shell.exec",
            "params": {"command": script, "shell": true, "detach": true, "cwd": here, "timeout": "60s"},
            "sandbox": if profile == "process" { json!("process") } else { json!({"profile": profile, "write": [here]}) },
        });
        let file = home.file("w.json", &json!({"steps": [step]}).to_string());
        let holder = home.start("holder", &["run", &file]);
        let id = until("it runs", || home.path("ran").exists().then(|| home.workflow()));
        holder.signal(Signal::KILL);
        assert_eq!(holder.end().code, -1);
        fs::write(home.path("go"), "").unwrap();
        let resumed = home.opcode(&["resume", "--json"]).ended(0).json();
        let result = &resumed["workflows"][0];
        assert_eq!((&result["workflow_id"], &result["status"]), (&json!(id), &json!("completed")));
        assert_eq!(result["steps"]["sh"]["output"]["stdout"], "done\n", "{result}");
        assert_eq!(fs::read_to_string(home.path("ran")).unwrap(), "ran\n", "it ran once");
        assert_eq!(fs::read_dir(home.path("home/opcode.db.attempts")).unwrap().count(), 0);
    }
}
