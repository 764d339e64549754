//! The program's own file goes away while it runs, as it does when it is updated.
//!
//! Keeps: what runs goes on with the program it was started as.
//! Not here: going on with the new one, which is an ordinary start.

use std::fs;

use crate::gate::{Gated, aftermath};
use crate::place::Place;
use crate::work;

#[test]
fn a_program_that_is_replaced_goes_on() {
    let place = Place::new();
    let copy = place.file("opcode");
    fs::copy(env!("CARGO_BIN_EXE_opcode"), &copy).expect("a copy of the program");
    let gated = Gated::start_as(place, copy, |effects| work::chain(effects, true));
    fs::remove_file(gated.place.file("opcode")).expect("the program's file");
    let (place, running) = gated.open();
    let ended = running.end();
    assert!(ended.status.success(), "{ended:?}");
    aftermath(&place, &ended);
}
