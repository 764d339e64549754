//! `opcode dev`: everything in one folder, with workflows that complete, fail, retry and wait.
//!
//! Keeps: the demos come to what they are said to come to.
//! Not here: serving.

use std::fs;

use rustix::process::Signal;
use serde_json::{Value as Json, json};

use crate::http::Ask;
use crate::kit::{Home, until};

#[test]
fn the_demos_do_what_they_say() {
    let home = Home::new();
    let mut started = home.start("dev", &["dev", "try", "--json", "--listen-addr", "127.0.0.1:0"]);
    let said: Json = until("it serves", || {
        assert_eq!(started.child.try_wait().unwrap(), None, "{}", started.err());
        serde_json::from_str(&fs::read_to_string(home.path("dev.out")).ok()?).ok()
    });
    let address = said["address"].as_str().unwrap().parse().unwrap();
    let states = || -> Vec<(String, String)> {
        let all = Ask::get("/api/v1/workflows").send(address).is(200).json();
        let text = |one: &Json, key: &str| one[key].as_str().unwrap().to_owned();
        let all = all["workflows"].as_array().unwrap().clone();
        let mut all: Vec<_> =
            all.iter().map(|one| (text(one, "template_name"), text(one, "status"))).collect();
        all.sort();
        all
    };
    let wanted = [
        ("demo-complete", "completed"),
        ("demo-decision", "suspended"),
        ("demo-fail", "failed"),
        ("demo-retry", "completed"),
    ];
    let wanted = wanted.map(|(name, status)| (name.to_owned(), status.to_owned()));
    until("they came to what they shall", || (states() == wanted).then_some(()));
    let retried = Ask::get("/api/v1/events?event_type=step_retrying").send(address).is(200).json();
    assert_ne!(retried["events"], json!([]));
    assert!(home.path("try/demo.txt").exists() && !home.path("home").exists());
    started.signal(Signal::TERM);
    started.end().ended(0);
}
