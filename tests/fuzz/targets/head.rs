//! A request's head: what the short way takes, hyper understands alike.
#![no_main]

#[path = "../../attack/heads.rs"]
mod heads;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    if let Err(difference) = heads::compare(bytes) {
        panic!("{difference}");
    }
});
