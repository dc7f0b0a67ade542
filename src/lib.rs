//! Tributary counts the sales that affiliates bring to a shop and keeps the books on what they are owed.
//!
//! # The way of a hit
//!
//! A request reaches the [`edge`], which keeps it as it came: a [`domain::hit::Hit`], encoded once. The
//! [`journal`] gathers hits into a frame, writes it and calls fdatasync; only then is the request answered.
//! The [`forwarder`] sends frames through the [`queue`] (Redis Streams), which may lose them; it sends
//! again what PostgreSQL does not have. A [`worker`] reads frames, claims them by their keys in the
//! [`store`], prefetches what their orders are known by, decides ([`domain::settlement`], pure), applies
//! and commits, all in one transaction, and acknowledges. The committed watermark runs back to the journal,
//! which then lets go. The [`admin`] API and the [`portal`] read the books. [`roles`] wires all that.
//!
//! Never: a success before the hit is on disk; an outcome without a hit, or two for one; an order counted
//! twice in its program; a transfer changed; an edge that waits for PostgreSQL or Redis.

#![cfg_attr(test, allow(clippy::unwrap_used))]

pub mod admin;
pub mod config;
pub mod dev;
pub mod dir_lock;
pub mod domain;
pub mod edge;
pub mod failpoint;
pub mod forwarder;
pub mod http;
pub mod journal;
pub mod portal;
pub mod pulse;
pub mod queue;
pub mod random;
pub mod replay;
pub mod roles;
pub mod store;
pub mod telemetry;
pub mod worker;
