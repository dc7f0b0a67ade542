//! Click tokens, changed and exchanged: of two million texts that are like a token, only those count that an edge
//! signed, for the program that they name.

use std::collections::HashSet;

use tributary::domain::attribution::attribute;
use tributary::domain::catalog::{Catalog, Model};
use tributary::domain::hit::Hit;
use tributary::domain::intake::{self, Reading};
use tributary::domain::reason::Reason;
use tributary::domain::sign;
use tributary::domain::token::{Keys, Token};
use tributary::domain::touches::{TEXTS_BYTES_MAX, TOUCHES_MAX};

use super::{Dice, many};
use crate::world::*;

const ALPHABET: &[u8] =
    b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_+/=. \t\n\0%";

/// Tokens of two programs, two affiliates, several times, and two keys.
fn issued(keys: &[Keys]) -> Vec<String> {
    let mut issued = Vec::new();
    for keys in keys {
        for affiliate in [ANN, BEN] {
            for program in [PROGRAM, OTHER] {
                for n in 0..8 {
                    let mut token = click_token(affiliate, T0 - i64::from(n) * DAY, n);
                    token.program_id = program;
                    issued.push(token.sign(keys));
                }
            }
        }
    }
    issued
}

/// A text that is like a token and is not the one that it was made from, as a rule.
fn changed(dice: &mut Dice, issued: &[String]) -> String {
    let (one, other) = (dice.pick(issued), dice.pick(issued));
    let mut bytes = one.clone().into_bytes();
    let at = dice.below(bytes.len());
    match dice.below(12) {
        0 => bytes[at] ^= 1 << dice.below(7),
        1 => bytes[at] = *dice.pick(ALPHABET),
        2 => bytes.truncate(at),
        3 => bytes.insert(at, *dice.pick(ALPHABET)),
        4 => drop(bytes.remove(at)),
        5 => bytes.extend((0..=dice.below(8)).map(|_| b'A')),
        // A part of another: its payload, its tag, its key's name, any piece.
        6 => bytes.splice(at.., other.bytes().skip(at)).for_each(drop),
        7 => {
            let end = at + dice.below(bytes.len() - at);
            bytes.splice(at..end, other.bytes().skip(at).take(end - at)).for_each(drop);
        }
        8 => bytes.swap(at, dice.below(one.len())),
        9 => {
            return one.replacen(
                ".k1.",
                dice.pick::<&str>(&[".k0.", ".K1.", ".k1 .", "..", ".k%31.", ".k1,k0."]),
                1,
            );
        }
        10 => return one.replace(['-', '_'], dice.pick::<&str>(&["+", "/", "=", "%2D"])),
        _ => {
            let wrap =
                [("", "="), ("", "=="), (" ", ""), ("", "\n"), ("1.", ""), ("", "."), ("\"", "\"")];
            let (before, behind) = dice.pick(&wrap);
            return format!("{before}{one}{behind}");
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[test]
fn no_changed_token_is_good() {
    let pairs = [KEY, OTHER_KEY].map(|key| Keys::parse(key).unwrap());
    let both = Keys::parse(&format!("{KEY},{OTHER_KEY}")).unwrap();
    let issued = issued(&pairs);
    let genuine: HashSet<&str> = issued.iter().map(|text| &**text).collect();
    for text in &issued {
        assert!(Token::verify(text, &both).is_ok());
    }
    let (mut dice, mut tried, mut same) = (Dice(1), 0, 0);
    let wanted = many(1_000_000, 2_000_000);
    while tried < wanted {
        let text = changed(&mut dice, &issued);
        if genuine.contains(&*text) {
            same += 1;
            continue;
        }
        tried += 1;
        let read = Token::verify(&text, &both);
        assert!(read.is_err(), "{text:?} was read as {read:?}");
    }
    println!(
        "click tokens: {tried} changed or exchanged, none accepted ({same} came out unchanged)"
    );
}

/// Of five joined tokens, some changed or exchanged: those count that are genuine, of the program, and in time.
#[test]
fn of_joined_tokens_the_genuine_count_and_no_other() {
    let mut rows = rows();
    rows.programs[0].attribution = Model::Linear;
    let catalog: Catalog = rows.into();
    let issued = issued(&[keys()]);
    let genuine: HashSet<&str> = issued.iter().map(|text| &**text).collect();
    let (_, program) = catalog.tracking_code("shop").unwrap();
    let (mut dice, mut counted) = (Dice(2), 0);
    let wanted = many(50_000, 400_000);
    for _ in 0..wanted {
        let (mut hit, mut texts) = (pixel(0, "amount=1&id=1"), Vec::new());
        for _ in 0..=dice.below(5) {
            texts.push(match dice.below(2) {
                0 => dice.pick(&issued).clone(),
                _ => changed(&mut dice, &issued),
            });
        }
        hit.cookie = format!("tr_{PROGRAM}={}", texts.join("~"));
        let bytes = hit.bytes();
        let Reading::Sale(_, _, sale) = intake::read(&Hit::decode(&bytes).unwrap(), &catalog)
        else {
            panic!("{texts:?}")
        };
        let (found, _) = attribute(&sale, program, &catalog, &keys(), T0);
        let cookie = sale.cookie.unwrap_or_default();
        // A change may make a `~` too: then there are more parts than any cookie of ours has.
        let is_ours = cookie.len() <= TEXTS_BYTES_MAX && cookie.split('~').count() <= TOUCHES_MAX;
        let good = cookie.split('~').filter(|text| is_ours && genuine.contains(text));
        let tokens = good.map(|text| Token::verify(text, &keys()).unwrap());
        let due: HashSet<_> =
            tokens.filter(|token| token.program_id == PROGRAM).map(|token| token.link_id).collect();
        let touches = found.iter().flat_map(|a| a.touches.iter().map(|touch| touch.link_id));
        let got: HashSet<_> = found.iter().map(|a| a.link_id).chain(touches).flatten().collect();
        counted += got.len();
        assert_eq!(got, due, "{cookie}");
    }
    println!("joined tokens: {wanted} cookies, {counted} touches, each of a genuine token");
}

#[test]
fn every_bit_of_a_token_counts() {
    let keys = keys();
    for token in issued(std::slice::from_ref(&keys)) {
        for at in 0..token.len() {
            for byte in 0..=255_u8 {
                let mut bytes = token.clone().into_bytes();
                bytes[at] = byte;
                // Base64 has 6 bits in a character, and a tag ends with a whole one: one spelling for each.
                if let Ok(text) = String::from_utf8(bytes)
                    && text != token
                {
                    assert!(Token::verify(&text, &keys).is_err(), "{text}");
                }
            }
        }
    }
}

/// What a sale of the tracking code `code` makes of a text, as its parameter and as its cookie.
fn credited(catalog: &Catalog, code: &'static str, query: &str, cookie: &str) -> Vec<Reason> {
    let mut hit = pixel(0, &format!("amount=1&id=1&tclid={query}")).code(code);
    hit.cookie = cookie.to_owned();
    let bytes = hit.bytes();
    let hit = Hit::decode(&bytes).unwrap();
    let Reading::Sale(_, program, sale) = intake::read(&hit, catalog) else { panic!("{query}") };
    let (credited, reasons) = attribute(&sale, program, catalog, &keys(), hit.received_ms);
    assert_eq!(
        credited.is_none(),
        !reasons.is_empty(),
        "{query} {cookie}: {credited:?} {reasons:?}"
    );
    reasons
}

#[test]
fn what_was_signed_for_something_else_is_no_token() {
    let catalog: Catalog = rows().into();
    let good = click_token(ANN, T0 - DAY, 1).sign(&keys());
    assert_eq!(credited(&catalog, "shop", &good, ""), []);
    assert_eq!(credited(&catalog, "shop", "", &format!("tr_{PROGRAM}={good}")), []);
    let other = [Reason::TokenOtherProgram];
    assert_eq!(credited(&catalog, "other", &good, ""), other, "a token of another program");
    assert_eq!(credited(&catalog, "other", "", &format!("tr_{OTHER}={good}")), other, "its cookie");
    let malformed = [Reason::TokenMalformed];
    let signature = sign::signature(SECRET, ["shop", "1", "1", "", "1"]);
    let digest = sign::digest_hex(good.as_bytes());
    for text in [&signature, &digest, SECRET, "1.k1.", "1..", KEY.split(':').nth(1).unwrap()] {
        assert_eq!(credited(&catalog, "shop", text, ""), malformed, "{text}");
    }
    // The same four ids under a tag of the right key, of what is no click token.
    let mut other_purpose = good.clone();
    other_purpose.replace_range(0..2, "2.");
    assert_eq!(credited(&catalog, "shop", &other_purpose, ""), malformed);
    let old = click_token(ANN, T0 - 31 * DAY, 1).sign(&keys());
    assert_eq!(credited(&catalog, "shop", &old, ""), [Reason::TokenExpired]);
}
