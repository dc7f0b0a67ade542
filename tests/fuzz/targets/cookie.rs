//! The program's cookie, as a stranger may send it: it is found, or it is not, and credits by a true token
//! only.
#![no_main]

#[path = "../world.rs"]
mod world;

use tributary::domain::hit::{Hit, Kind, Method, Part};
use tributary::domain::settlement::{self, Read};
use tributary::domain::{click, intake};

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let world = world::get();
    let mut hit = Hit::new(world::id(), world::AT_MS, Kind::Pixel, Method::Get);
    hit.set(Part::Code, b"shop");
    hit.set(Part::Query, b"amount=1&id=1");
    hit.set(Part::Cookie, bytes);
    let (_, program) = world.catalog.tracking_code("shop").unwrap();
    let found = intake::cookie(&hit, program);
    let first = click::first_click(&hit, &world.catalog, &world.keys, program);
    assert!(first.is_none() || first.as_deref() == Some(&*world.token));
    let Read::Order(_, order) = settlement::read(&hit, &world.catalog, &world.keys) else {
        panic!("an order is an order, whatever the cookie is");
    };
    // Of several tokens, the last counts under last click.
    let last = found.as_deref().and_then(|text| text.rsplit('~').next());
    assert_eq!(order.attribution.is_some(), last == Some(&*world.token), "{order:?}");
});
