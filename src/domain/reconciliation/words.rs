//! What the words of shops for the status of an order mean here.

use super::columns::plain;

/// What a line says of its order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Said {
    /// It was paid, or more: its commission need not wait.
    Confirmed,
    /// The buyer has his money back, or never gave it.
    TakenBack,
    /// A part of it.
    Partly,
    /// It is not decided.
    Open,
    /// A word that nobody knows here.
    Unknown,
    /// Nothing but that there is such an order.
    Silent,
}

impl Said {
    /// The stable name.
    pub fn code(self) -> &'static str {
        ["confirmed", "taken_back", "partly", "open", "unknown", "silent"][self as usize]
    }

    /// What a word means, in any case; `on-hold`, `on hold` and `on_hold` are one.
    pub fn of(word: &str) -> Self {
        let word = plain(word);
        let known = WORDS.iter().find(|(_, words)| words.contains(&&*word));
        known.map_or(Said::Unknown, |(said, _)| *said)
    }
}

/// The words, as INTEGRATION.md lists them.
pub const WORDS: [(Said, &[&str]); 4] = [
    (
        Said::Confirmed,
        &["paid", "completed", "complete", "confirmed", "fulfilled", "shipped", "delivered"],
    ),
    (
        Said::TakenBack,
        &["refunded", "cancelled", "canceled", "voided", "failed", "returned", "chargeback"],
    ),
    (Said::Partly, &["partially_refunded"]),
    (Said::Open, &["pending", "processing", "on_hold"]),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_mean_the_same_however_they_are_written() {
        for word in ["Partially Refunded", "partially-refunded", " PARTIALLY_REFUNDED "] {
            assert_eq!(Said::of(word), Said::Partly, "{word}");
        }
        for (said, words) in WORDS {
            for word in words {
                assert_eq!(Said::of(word), said, "{word}");
            }
        }
        assert_eq!(Said::of("archived"), Said::Unknown);
    }
}
