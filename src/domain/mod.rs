//! The nouns and the decisions. Pure: no I/O, no clock, no waiting, and no failure. What is wrong with
//! a hit is an outcome with a reason, not an error. Imports nothing else of this crate.

pub mod address;
pub mod api_key;
pub mod attribution;
pub mod bank;
pub mod catalog;
pub mod click;
pub mod commission;
pub mod ecb;
pub mod form;
pub mod frame;
pub mod hit;
pub mod id;
pub mod intake;
pub mod items;
pub mod landing;
pub mod ledger;
pub mod mask;
pub mod money;
pub mod order;
pub mod password;
pub mod payout;
pub mod person;
pub mod rates;
pub mod reason;
pub mod redirect;
pub mod replay;
pub mod rights;
pub mod settlement;
pub mod sign;
pub mod snippet;
pub mod statement;
pub mod takeback;
pub mod token;
pub mod totp;
pub mod touches;
