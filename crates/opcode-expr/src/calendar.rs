//! Names of the calendar, as Go and C print them.
//!
//! Keeps: English, in order; January and Sunday come first.
//! Not here: reckoning with dates (`cel/time.rs`), layouts and formats (each language has its own).

pub(crate) const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

pub(crate) const WEEKDAYS: [&str; 7] =
    ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];
