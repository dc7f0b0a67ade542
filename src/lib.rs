//! Tributary counts the sales that affiliates bring to a shop and keeps the books on what they are owed.

pub mod admin;
pub mod config;
pub mod domain;
pub mod edge;
pub mod forwarder;
pub mod http;
pub mod journal;
pub mod portal;
pub mod queue;
pub mod roles;
pub mod store;
pub mod telemetry;
pub mod worker;
