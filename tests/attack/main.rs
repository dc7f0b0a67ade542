//! Attacks on roles that are processes, with servers of their own: `make attack`, not a part of `make test`.
//! What they share with other tests is theirs.
#![allow(clippy::unwrap_used, missing_docs, dead_code)]

#[path = "../faults/dice.rs"]
mod dice;
#[path = "../faults/installation.rs"]
mod installation;
mod malformed;
mod noise;
#[path = "../faults/ops.rs"]
mod ops;
mod proxies;
#[path = "../faults/role.rs"]
mod role;
mod slow;
mod smuggling;
mod stage;
mod talk;
mod variants;
