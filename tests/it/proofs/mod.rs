//! Proofs that strangers get nowhere: with forged sales, redirects, tokens, and with what they write. Each runs
//! with numbers that a test can afford, and under `make attack` (`TRIBUTARY_ATTACK=1`) with all of them.

mod claims; // guessed order ids, claimed before their orders, through the pure functions
mod holding; // what a program holds for approval, through every door
mod line; // one connection, many requests
mod pages; // what strangers wrote, as others get it: reports, logs, terminals
mod preclaims; // guessed order ids over the wire
mod redirects; // where a buyer is sent
mod settings; // weak secrets, and what the deployment may do
mod signing; // the examples of the documentation
mod timing; // how long a comparison of secrets takes
mod tokens; // changed and exchanged click tokens

/// How many of something: as many as a test can afford, or all of them.
pub fn many(usual: usize, attack: usize) -> usize {
    if std::env::var_os("TRIBUTARY_ATTACK").is_some() { attack } else { usual }
}

/// The same sequence each time (splitmix64).
pub struct Dice(pub u64);

impl Dice {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    pub fn below(&mut self, end: usize) -> usize {
        (self.next() % end as u64) as usize
    }

    pub fn pick<'a, T>(&mut self, from: &'a [T]) -> &'a T {
        &from[self.below(from.len())]
    }

    pub fn shuffle<T>(&mut self, items: &mut [T]) {
        for at in (1..items.len()).rev() {
            items.swap(at, self.below(at + 1));
        }
    }
}
