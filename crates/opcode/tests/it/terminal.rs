//! On a terminal: a tree that moves, and a question that is answered below it.
//!
//! Keeps: whoever types is at the other end of a pseudo-terminal.
//! Not here: how the tree looks in detail.

use std::fs::File;
use std::io::{Read, Write};
use std::process::{Child, Stdio};

use rustix::process::{Pid, Signal, kill_process};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};

use crate::kit::{ASKS, Home};

/// The binary on a terminal, and our end of it.
fn on_terminal(home: &Home, args: &[&str]) -> (Child, File) {
    let ours = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
    grantpt(&ours).unwrap();
    unlockpt(&ours).unwrap();
    let name = ptsname(&ours, Vec::new()).unwrap().into_string().unwrap();
    let theirs = || Stdio::from(File::options().read(true).write(true).open(&name).unwrap());
    let mut command = home.command(args);
    command.stdin(theirs()).stdout(theirs()).stderr(theirs()).env("TERM", "xterm");
    (command.spawn().unwrap(), File::from(ours))
}

#[test]
fn a_question_is_answered_at_the_prompt() {
    let home = Home::new();
    let file = home.file("asks.json", ASKS);
    let (mut child, mut terminal) = on_terminal(&home, &["run", &file, "--watch"]);
    let mut shown = String::new();
    wait_for(&mut terminal, &mut shown, "empty leaves it open");
    terminal.write_all(b"perhaps\n").unwrap();
    wait_for(&mut terminal, &mut shown, "is none of yes, no");
    terminal.write_all(b"1\n").unwrap();
    wait_for(&mut terminal, &mut shown, "output:");
    assert!(shown.contains("\x1b[32mcompleted"), "colours on a terminal: {shown}");
    assert_eq!(child.wait().unwrap().code(), Some(0), "{shown}");
}

#[test]
fn expressions_are_answered_at_a_prompt_until_an_interrupt() {
    let (mut child, mut terminal) = on_terminal(&Home::new(), &["eval", "-i", "--lang", "jq"]);
    let mut shown = String::new();
    wait_for(&mut terminal, &mut shown, "jq> ");
    terminal.write_all(b"[40, 2] | add\n").unwrap();
    wait_for(&mut terminal, &mut shown, "42\r\njq> ");
    terminal.write_all(b":expr\n").unwrap();
    wait_for(&mut terminal, &mut shown, "expr> ");
    let pid = Pid::from_child(&child);
    kill_process(pid, Signal::INT).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(130), "{shown}");
}

#[test]
fn no_picture_is_thrown_at_a_terminal() {
    let home = Home::new();
    let file = home.file("asks.json", ASKS);
    let (mut child, mut terminal) = on_terminal(&home, &["diagram", &file, "--format", "png"]);
    let mut shown = String::new();
    wait_for(&mut terminal, &mut shown, "name a file: -o FILE");
    assert_eq!(child.wait().unwrap().code(), Some(2), "{shown}");
}

/// Reads on until the terminal shows a text.
fn wait_for(terminal: &mut File, shown: &mut String, text: &str) {
    let mut bytes = [0; 4_096];
    while !shown.contains(text) {
        let n = terminal.read(&mut bytes).unwrap_or_else(|cause| panic!("{cause}: {shown}"));
        shown.push_str(&String::from_utf8_lossy(&bytes[..n]));
    }
}
