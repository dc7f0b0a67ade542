//! The integration tests: one binary, real PostgreSQL and Redis, no mocks.
#![allow(clippy::unwrap_used, missing_docs)]

mod admin; // the admin API
mod attack; // the attacks of `make attack`, in short
mod booked; // what plans say, in the database
mod booking; // what plans say, booked without a server
mod closings; // months that are closed
mod correcting; // what a replay changes in the books
mod crossing; // verdicts that meet others
mod deciding; // what becomes of a hit, without a server
mod deciding_again; // the same books, whatever was mended afterwards
mod dev; // `tributary dev` as a process
#[path = "../faults/dice.rs"]
mod dice; // chance that can be had again
mod edge; // the edge, as a table
mod failure; // what happens when something is away
mod harness; // what the tests with servers stand on
#[path = "../attack/heads.rs"]
mod heads; // a head, read by two parsers
mod histories; // money: the same books in any order of arrival, and a model that agrees
mod journal; // durable frames on a real disk
mod journey; // the whole way, as stories
mod months; // what months are due
#[path = "../attack/noise.rs"]
mod noise; // malformed requests
mod orders; // what becomes of an order, in stories and properties
mod paid_back; // what goes back of a sale, without a server
mod payouts; // what is owed, paid once; statements, and calls done once
mod people; // users, keys, and the audit log
mod portal; // who gets into which room, and what he sees
mod portal_money; // sales, payouts, adjustments and statements on pages
mod postbacks; // what a shop's server is told
mod pricing; // what each structure of a plan pays
mod pricing_laws; // what holds of every plan
mod pricing_options; // what plans say beside the price
mod processes; // the roles as processes, two of each
mod proofs; // that strangers get nowhere
mod queueing; // the stream, when Redis has forgotten half
mod rates; // what one euro was in other currencies
mod reconciling; // shops' lists of orders, held against the books
mod recovery; // frames as no edge should send them
mod replay; // stored hits decided again
mod rooms; // the world of `portal`
mod seals; // transfers that have come to rest, and who meddles with them
mod servers; // the private servers of `tributary dev`
mod shown; // who is shown what of money, in which currency
mod sim; // a rough life, simulated
mod sold; // deals, as the tests of plans write them down
mod takebacks; // what goes back of a sale, the whole way
#[path = "../attack/talk.rs"]
mod talk; // a connection, in bytes
mod tenancy; // two tenants, kept apart twice over
mod tidy; // the house rules
mod told; // what one hit tells, without a server
mod touches; // several touches that share a commission
#[path = "../attack/variants.rs"]
mod variants; // requests hidden in others
mod walls; // what stands before and around the listeners
mod wire; // bytes in, bytes out
mod world; // the world of `deciding`
