//! Time-based 64-bit ids: milliseconds since 1970 (41 bits and a sign), node (10 bits), counter (12 bits).
//! Sorting by id is sorting by time, and an id can be matched against access logs. Strings in JSON,
//! because JavaScript loses integers above 2^53.

/// Any id of the product.
pub type Id = i64;

/// Nodes an installation can have: edges take 0..=1022, the database itself is 1023.
pub const NODE_MAX: u16 = 1022;
const NODE_BITS: u32 = 10;
const COUNTER_BITS: u32 = 12;
const STEP_MS: i64 = 1 << (NODE_BITS + COUNTER_BITS);

/// The moment an id was made, in milliseconds since 1970.
pub fn time_ms(id: Id) -> i64 {
    id >> (NODE_BITS + COUNTER_BITS)
}

/// Which node made an id; the database itself, for what is made there.
pub fn node(id: Id) -> u16 {
    (id >> COUNTER_BITS & ((1 << NODE_BITS) - 1)) as u16
}

/// The first id that can be made at a moment: a bound in time is a bound of ids.
pub fn first_of(ms: i64) -> Id {
    ms.max(0).saturating_mul(STEP_MS)
}

/// The id after `last` on `node` at `now_ms`. Ids never repeat and never run backwards, even when the
/// clock does: then, and when a millisecond has used up its 4,096 ids, they run ahead of the clock.
pub fn next(last: Id, node: u16, now_ms: i64) -> Id {
    let fresh = now_ms * STEP_MS + (i64::from(node.min(NODE_MAX)) << COUNTER_BITS);
    if fresh > last {
        return fresh;
    }
    let counter_full = (1 << COUNTER_BITS) - 1;
    if last & counter_full < counter_full { last + 1 } else { (last & !counter_full) + STEP_MS }
}

/// Reads an id as JSON and URLs carry it. Hits that could not be settled have ids below zero.
pub fn parse(text: &str) -> Option<Id> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let is_number = !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit());
    is_number.then(|| text.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_rise_when_the_clock_stands_still_or_runs_back() {
        let mut last = 0;
        for now_ms in [1_000, 1_000, 999, 5, 1_001] {
            let mut previous = last;
            for _ in 0..5_000 {
                last = next(last, 7, now_ms);
                assert!(last > previous);
                assert_eq!(last >> COUNTER_BITS & 0x3ff, 7, "the node stays in its bits");
                previous = last;
            }
        }
        assert_eq!(time_ms(next(0, 7, 1_763_000_000_000)), 1_763_000_000_000);
    }
}
