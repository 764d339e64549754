//! `opcode update`: a program is replaced only by one that is what its checksum says and answers as ours does.
//!
//! Keeps: each test updates a copy of its own.
//! Not here: publishing programs.

use std::fs;
use std::io::{Read, Write};
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::Command;

use crate::kit::Home;

/// A copy of the program in a directory of its own, and a newer one beside it.
struct Copy {
    home: Home,
    program: PathBuf,
    newer: PathBuf,
}

impl Copy {
    fn new() -> Self {
        let home = Home::new();
        let (program, newer) = (home.path("opcode"), home.path("newer"));
        fs::copy(env!("CARGO_BIN_EXE_opcode"), &program).unwrap();
        let mut bytes = fs::read(&program).unwrap();
        bytes.extend_from_slice(b"newer");
        fs::write(&newer, bytes).unwrap();
        Self { home, program, newer }
    }

    /// Writes a checksum as `sha256sum` does.
    fn sum(&self) {
        let said = Command::new("sha256sum").arg(&self.newer).output().unwrap();
        fs::write(self.home.path("newer.sha256"), said.stdout).unwrap();
    }

    fn update(&self, args: &[&str], code: i32) -> String {
        let mut command = Command::new(&self.program);
        command.arg("update").args(args).env_clear().env("OPCODE_HOME", self.home.path("home"));
        let said = command.output().unwrap();
        let text = String::from_utf8(said.stderr).unwrap();
        assert_eq!(said.status.code(), Some(code), "{text}");
        text
    }

    fn is_newer(&self) -> bool {
        fs::read(&self.program).unwrap().ends_with(b"newer")
    }
}

#[test]
fn a_file_that_matches_its_checksum_takes_our_place() {
    let copy = Copy::new();
    let from = copy.newer.to_str().unwrap();
    assert!(copy.update(&[], 2).contains("is not known"));
    assert!(copy.update(&["--from", from], 2).contains("newer.sha256"), "no checksum beside it");
    fs::write(copy.home.path("newer.sha256"), "0123  newer\n").unwrap();
    assert!(copy.update(&["--from", from], 2).contains("does not match its checksum"));
    assert!(!copy.is_newer() && !copy.home.path("opcode.new").exists());
    copy.sum();
    copy.update(&["--from", from], 0);
    assert!(copy.is_newer());
    let old = copy.home.path("opcode.old");
    assert!(!fs::read(&old).unwrap().ends_with(b"newer"), "the old one is kept");
    let mode = fs::metadata(&copy.program).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o755);
}

#[test]
fn what_is_no_opcode_is_refused() {
    let copy = Copy::new();
    fs::write(&copy.newer, "#!/bin/sh\necho something else\n").unwrap();
    let from = copy.newer.to_str().unwrap();
    let said = copy.update(&["--from", from, "--skip-verify"], 2);
    assert!(said.contains("no opcode that runs here"), "{said}");
    assert!(!copy.is_newer() && !copy.home.path("opcode.new").exists());
}

#[test]
fn the_address_of_the_settings_is_asked_over_http() {
    let copy = Copy::new();
    copy.sum();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let (newer, sum) = (copy.newer.clone(), copy.home.path("newer.sha256"));
    let server = std::thread::spawn(move || {
        let mut asked = Vec::new();
        for stream in listener.incoming().take(2) {
            let mut stream = stream.unwrap();
            let mut head = [0; 2048];
            let read = stream.read(&mut head).unwrap();
            let head = String::from_utf8_lossy(&head[..read]).into_owned();
            let path = head.split(' ').nth(1).unwrap().to_owned();
            let body = fs::read(if path.ends_with(".sha256") { &sum } else { &newer }).unwrap();
            let answer = format!(
                "HTTP/1.1 200 OK\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
                body.len()
            );
            stream.write_all(answer.as_bytes()).unwrap();
            stream.write_all(&body).unwrap();
            asked.push(path);
        }
        asked
    });
    fs::create_dir_all(copy.home.path("home")).unwrap();
    let settings = format!(r#"{{"update_url": "http://{address}/opcode-{{os}}-{{arch}}"}}"#);
    fs::write(copy.home.path("home/settings.json"), settings).unwrap();
    copy.update(&[], 0);
    assert!(copy.is_newer());
    let path = format!("/opcode-{}-{}", std::env::consts::OS, std::env::consts::ARCH);
    assert_eq!(server.join().unwrap(), [path.clone(), path + ".sha256"]);
}
