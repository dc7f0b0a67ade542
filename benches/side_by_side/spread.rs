//! A few repetitions of one measure: the median, and how far they are apart.

use std::fmt;

/// Median, least and greatest.
#[derive(Debug, Clone, Copy)]
pub struct Spread {
    pub median: f64,
    pub least: f64,
    pub most: f64,
}

impl Spread {
    /// Of at least one measurement.
    pub fn of(measured: &[f64]) -> Self {
        let mut sorted = measured.to_vec();
        sorted.sort_by(f64::total_cmp);
        Spread { median: at(&sorted, 0.5), least: at(&sorted, 0.0), most: at(&sorted, 1.0) }
    }
}

/// With as many decimals as are asked for: `{:.2}`.
impl fmt::Display for Spread {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let n = f.precision().unwrap_or(2);
        write!(f, "{:.n$} ({:.n$} to {:.n$})", self.median, self.least, self.most)
    }
}

/// The value below which this part of the sorted values lies; 0 where there are none.
pub fn at<T: Copy + Default>(sorted: &[T], part: f64) -> T {
    let last = sorted.len().saturating_sub(1) as f64;
    sorted.get((last * part).round() as usize).copied().unwrap_or_default()
}
