//! Lets the instrumented fuzzer feed the target `expr` of `opcode_testkit::fuzz`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| opcode_testkit::fuzz::expr(data));
