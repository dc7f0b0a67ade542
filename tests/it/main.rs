//! The integration tests: one binary, real PostgreSQL and Redis, no mocks.
#![allow(clippy::unwrap_used, missing_docs)]

mod admin; // the admin API
mod correcting; // what a replay changes in the books
mod deciding; // what becomes of a hit, without a server
mod deciding_again; // the same books, whatever was mended afterwards
mod dev; // `tributary dev` as a process
mod edge; // the edge, as a table
mod failure; // what happens when something is away
mod harness; // what the tests with servers stand on
mod journal; // durable frames on a real disk
mod journey; // the whole way, as stories
mod orders; // what becomes of an order, in stories and properties
mod portal; // who gets into which room, and what he sees
mod processes; // the roles as processes, two of each
mod proofs; // that strangers get nowhere
mod queueing; // the stream, when Redis has forgotten half
mod recovery; // frames as no edge should send them
mod replay; // stored hits decided again
mod rooms; // the world of `portal`
mod servers; // the private servers of `tributary dev`
mod sim; // a rough life, simulated
mod tenancy; // two tenants, kept apart twice over
mod tidy; // the house rules
mod walls; // what stands before and around the listeners
mod wire; // bytes in, bytes out
mod world; // the world of `deciding`
