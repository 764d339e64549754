//! A development tool for tests: the helper of `shell.exec` as a program of its own.
//!
//! Keeps: it is never shipped; the shipped binary runs the same function as `opcode __exec`.
//! Not here: the helper itself (`opcode-sandbox`).

use std::process::ExitCode;

fn main() -> ExitCode {
    opcode_sandbox::helper_main(std::env::args_os().skip(1))
}
