//! Tributary counts the sales that affiliates bring to a shop and keeps the books on what they are owed.

pub mod admin;
pub mod config;
pub mod domain;
pub mod http;
pub mod portal;
pub mod store;
