//! The integration tests: one binary, real PostgreSQL and Redis, no mocks.
#![allow(clippy::unwrap_used, missing_docs)]

mod deciding; // what becomes of a hit, without a server
mod orders; // what becomes of an order, in stories and properties
mod tidy; // the house rules
mod world; // the world of `deciding`
