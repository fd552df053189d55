//! Timing of something that runs alone in this process.

use std::time::Instant;

/// Nanoseconds of one call, the least of several rounds: the machine is shared, and what disturbs only ever adds.
pub fn nanoseconds(mut call: impl FnMut()) -> f64 {
    let mut calls = 1_u32;
    while elapsed(&mut call, calls) < 2e7 {
        calls = calls.saturating_mul(2);
    }
    (0..9).map(|_| elapsed(&mut call, calls) / f64::from(calls)).fold(f64::INFINITY, f64::min)
}

fn elapsed(call: &mut impl FnMut(), calls: u32) -> f64 {
    let began = Instant::now();
    for _ in 0..calls {
        call();
    }
    began.elapsed().as_nanos() as f64
}
