//! Rounds. What is compared runs back to back in each, and each gives one ratio: on a machine that others use too, figures of different moments
//! say nothing about each other. The middle ratio counts; the least and the greatest are printed beside it.

use std::fmt;

/// How many rounds there are; odd, so that one is in the middle.
pub const ROUNDS: usize = 5;

/// One figure of each round.
#[derive(Debug, Clone, Default)]
pub struct Rounds(Vec<f64>);

impl Rounds {
    pub fn add(&mut self, figure: f64) {
        self.0.push(figure);
    }

    /// Round by round, this over that.
    pub fn over(&self, that: &Rounds) -> Rounds {
        Rounds(self.0.iter().zip(&that.0).map(|(this, that)| this / that).collect())
    }

    pub fn times(&self, factor: f64) -> Rounds {
        Rounds(self.0.iter().map(|figure| figure * factor).collect())
    }

    fn sorted(&self) -> Vec<f64> {
        let mut sorted = self.0.clone();
        sorted.sort_by(f64::total_cmp);
        sorted
    }

    /// The figure in the middle; without any, one that reaches nothing.
    pub fn middle(&self) -> f64 {
        self.sorted().get(self.0.len() / 2).copied().unwrap_or(f64::NAN)
    }
}

/// `34 (31–36)`, with the decimals that are asked for.
impl fmt::Display for Rounds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (sorted, decimals) = (self.sorted(), f.precision().unwrap_or(0));
        let (least, greatest) = (sorted.first().copied().unwrap_or(f64::NAN), sorted.last().copied().unwrap_or(f64::NAN));
        write!(f, "{:.decimals$} ({least:.decimals$}–{greatest:.decimals$})", self.middle())
    }
}
