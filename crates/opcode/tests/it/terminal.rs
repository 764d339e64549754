//! On a terminal: a tree that moves, and a question that is answered below it.
//!
//! Keeps: whoever types is at the other end of a pseudo-terminal.
//! Not here: how the tree looks in detail.

use std::fs::File;
use std::io::{Read, Write};
use std::process::Stdio;

use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};

use crate::kit::{ASKS, Home};

#[test]
fn a_question_is_answered_at_the_prompt() {
    let home = Home::new();
    let file = home.file("asks.json", ASKS);
    let ours = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
    grantpt(&ours).unwrap();
    unlockpt(&ours).unwrap();
    let name = ptsname(&ours, Vec::new()).unwrap().into_string().unwrap();
    let theirs = || Stdio::from(File::options().read(true).write(true).open(&name).unwrap());
    let mut command = home.command(&["run", &file, "--watch"]);
    command.stdin(theirs()).stdout(theirs()).stderr(theirs()).env("TERM", "xterm");
    let mut child = command.spawn().unwrap();
    drop(command);
    let mut terminal = File::from(ours);
    let mut shown = String::new();
    wait_for(&mut terminal, &mut shown, "empty leaves it open");
    terminal.write_all(b"perhaps\n").unwrap();
    wait_for(&mut terminal, &mut shown, "is none of yes, no");
    terminal.write_all(b"1\n").unwrap();
    wait_for(&mut terminal, &mut shown, "output:");
    assert!(shown.contains("\x1b[32mcompleted"), "colours on a terminal: {shown}");
    assert_eq!(child.wait().unwrap().code(), Some(0), "{shown}");
}

/// Reads on until the terminal shows a text.
fn wait_for(terminal: &mut File, shown: &mut String, text: &str) {
    let mut bytes = [0; 4_096];
    while !shown.contains(text) {
        let n = terminal.read(&mut bytes).unwrap_or_else(|cause| panic!("{cause}: {shown}"));
        shown.push_str(&String::from_utf8_lossy(&bytes[..n]));
    }
}
