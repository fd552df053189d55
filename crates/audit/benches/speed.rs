//! Nanoseconds an event, and events a second into the trail.
fn main() {}
