//! Touches: the clicks of a visitor, and the coupon he used, that share one commission where the program says
//! so. Which of them are kept, how a cookie carries their tokens, and how a commission is split among them.
//!
//! A cookie (or a `tclid`) of several touches is their click tokens joined by `~`, oldest first. Only its
//! touches that verify count, so the text is as good as each of them, and nothing has to be looked up.

use std::cmp::Reverse;

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use super::catalog::Model;
use super::id::Id;
use super::money::Money;
use super::token::{TEXT_BYTES_MAX, Token};

/// Touches of one sale, and tokens of one text. The first and the last stay, the oldest between them goes.
pub const TOUCHES_MAX: usize = 5;
/// Between two tokens: a character that a cookie may have (RFC 6265, section 4.1.1) and a token has not.
pub const BETWEEN: char = '~';
/// Longer than any text of several tokens there can be; what is longer is not looked at.
pub const TEXTS_BYTES_MAX: usize = TOUCHES_MAX * TEXT_BYTES_MAX + (TOUCHES_MAX - 1);

/// One touch of a visitor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[allow(missing_docs)]
pub struct Touch {
    /// Absent for a coupon, as the link is.
    pub click_id: Option<Id>,
    pub link_id: Option<Id>,
    pub affiliate_id: Id,
    /// Of the click, or of the coupon's use.
    pub at_ms: i64,
}

impl From<&Token> for Touch {
    fn from(token: &Token) -> Self {
        Touch {
            click_id: Some(token.click_id),
            link_id: Some(token.link_id),
            affiliate_id: token.affiliate_id,
            at_ms: token.clicked_ms(),
        }
    }
}

/// What one affiliate has of a commission.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs)]
pub struct Portion {
    pub affiliate_id: Id,
    /// Of his last touch; absent where that is a coupon.
    pub link_id: Option<Id>,
    pub money: Money,
}

/// Those of a text's tokens that a model looks at: all, where touches share; else the last or the first, should
/// there be several because the model was another once. A text that is none of ours stands for itself: it does
/// not verify.
pub fn texts(text: &str, model: Model) -> impl Iterator<Item = &str> {
    let one = match model {
        Model::LastClick => text.rsplit(BETWEEN).next(),
        Model::FirstClick => text.split(BETWEEN).next(),
        Model::Linear | Model::PositionBased => {
            let ours = text.len() <= TEXTS_BYTES_MAX && text.split(BETWEEN).count() <= TOUCHES_MAX;
            (!ours).then_some(text)
        }
    };
    let all = one.is_none().then(|| text.split(BETWEEN));
    one.into_iter().chain(all.into_iter().flatten())
}

/// The touches that count, oldest first: of each link the newest, whatever the order in which they came. Of
/// two alike the one that came later stays.
pub fn keep<T>(mut touches: Vec<T>, of: impl Fn(&T) -> Touch) -> Vec<T> {
    touches.sort_by_key(|one| {
        let touch = of(one);
        (touch.at_ms, touch.click_id, touch.affiliate_id)
    });
    let mut links = Vec::new();
    touches.reverse();
    touches.retain(|one| {
        let link = of(one).link_id;
        let again = link.is_some() && links.contains(&link);
        links.push(link);
        !again
    });
    touches.reverse();
    let over = touches.len().saturating_sub(TOUCHES_MAX);
    if over > 0 {
        touches.drain(1..=over);
    }
    touches
}

/// The weights of `count` touches, oldest first; each has its weight's part of their sum. Linear: equal.
/// Position-based: 40 % the first, 40 % the last, 20 % those between them; half each, if they are two. Under a
/// model that credits one touch, the last has it all: whom the evidence names.
pub fn weights(model: Model, count: usize) -> Vec<u32> {
    let between = count.saturating_sub(2);
    let is_end = |at: usize| at == 0 || at + 1 == count;
    let weight = |at: usize| match model {
        Model::Linear => 1,
        Model::PositionBased if between == 0 => 1,
        // 2 : 1 : 2 of five parts, each in as many pieces as share the one between.
        Model::PositionBased if is_end(at) => 2 * between as u32,
        Model::PositionBased => 1,
        Model::LastClick | Model::FirstClick => u32::from(at + 1 == count),
    };
    (0..count).map(weight).collect()
}

/// Splits a commission among touches, oldest first. The touches of one affiliate are one portion; that of the
/// last touch's affiliate is the first, the others follow in the order of their first touches. The portions are
/// in minor units and add up to the commission: each is rounded down, and the units that are left go one by one
/// to the largest remainders, among equal ones to the earlier portion. A portion may be nothing, so that the
/// places of the portions do not depend on the amount.
pub fn split(commission: Money, touches: &[Touch], model: Model) -> Vec<Portion> {
    let owners = owners(touches, model);
    let Money { amount, currency } = Money::rounded(commission.amount, commission.currency);
    let (units, scale) = (amount.mantissa(), amount.scale());
    let whole: i128 = owners.iter().map(|(_, weight)| weight).sum();
    let floor = |weight: i128| (units * weight).div_euclid(whole);
    let rest = |weight: i128| (units * weight).rem_euclid(whole);
    let mut shares: Vec<i128> = owners.iter().map(|(_, weight)| floor(*weight)).collect();
    let left = units - shares.iter().sum::<i128>();
    let mut places: Vec<usize> = (0..owners.len()).collect();
    places.sort_by_key(|at| Reverse(rest(owners[*at].1))); // Stable: equal ones stay in order.
    for (at, _) in places.into_iter().zip(0..left) {
        shares[at] += 1;
    }
    let portion = |((touch, _), units): (&(Touch, i128), i128)| Portion {
        affiliate_id: touch.affiliate_id,
        link_id: touch.link_id,
        money: Money { amount: Decimal::from_i128_with_scale(units, scale), currency },
    };
    owners.iter().zip(shares).map(portion).collect()
}

/// The last touch of each affiliate who has a part, with his weight, in the order of the portions.
fn owners(touches: &[Touch], model: Model) -> Vec<(Touch, i128)> {
    let mut owners: Vec<(Touch, i128)> =
        touches.last().map(|last| (*last, 0)).into_iter().collect();
    for (touch, weight) in touches.iter().zip(weights(model, touches.len())) {
        let weight = i128::from(weight);
        match owners.iter_mut().find(|(owner, _)| owner.affiliate_id == touch.affiliate_id) {
            Some((owner, sum)) => (*owner, *sum) = (*touch, *sum + weight),
            None => owners.push((*touch, weight)),
        }
    }
    owners.retain(|(_, weight)| *weight > 0);
    owners
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::money::Currency;
    use proptest::prelude::*;

    const LINEAR: Model = Model::Linear;
    const POSITION: Model = Model::PositionBased;

    fn money(amount: &str, currency: &str) -> Money {
        Money::rounded(amount.parse().unwrap(), Currency::parse(currency).unwrap())
    }

    /// Touches of affiliates named by letters, a second apart, each by a link of its own.
    fn touches(affiliates: &str) -> Vec<Touch> {
        let touch = |(n, affiliate): (i64, u8)| Touch {
            click_id: Some(100 + n),
            link_id: Some(10 + n),
            affiliate_id: i64::from(affiliate),
            at_ms: n * 1_000,
        };
        (0..).zip(affiliates.bytes()).map(touch).collect()
    }

    fn shown(portions: &[Portion]) -> String {
        let portion =
            |p: &Portion| format!("{}{}", char::from(p.affiliate_id as u8), p.money.amount);
        portions.iter().map(portion).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn weights_are_parts_of_a_whole() {
        for (model, count, expected) in [
            (LINEAR, 0, &[][..]),
            (LINEAR, 1, &[1]),
            (LINEAR, 4, &[1, 1, 1, 1]),
            (POSITION, 0, &[]),
            (POSITION, 1, &[1]),
            (POSITION, 2, &[1, 1]),
            (POSITION, 3, &[2, 1, 2]),
            (POSITION, 4, &[4, 1, 1, 4]),
            (POSITION, 5, &[6, 1, 1, 1, 6]),
            (Model::LastClick, 3, &[0, 0, 1]),
            (Model::FirstClick, 3, &[0, 0, 1]),
        ] {
            assert_eq!(weights(model, count), expected, "{model:?} {count}");
        }
    }

    #[test]
    fn a_commission_is_split_to_the_last_unit() {
        for (model, affiliates, commission, expected) in [
            (LINEAR, "A", "10.00 USD", "A10.00"),
            (LINEAR, "AB", "10.00 USD", "B5.00 A5.00"),
            (LINEAR, "AB", "10.01 USD", "B5.01 A5.00"),
            (LINEAR, "ABC", "10.00 USD", "C3.34 A3.33 B3.33"),
            (LINEAR, "ABC", "10.01 USD", "C3.34 A3.34 B3.33"),
            (LINEAR, "ABCD", "10.00 USD", "D2.50 A2.50 B2.50 C2.50"),
            (LINEAR, "ABCDE", "0.07 USD", "E0.02 A0.02 B0.01 C0.01 D0.01"),
            (POSITION, "A", "10.00 USD", "A10.00"),
            (POSITION, "AB", "10.00 USD", "B5.00 A5.00"),
            (POSITION, "ABC", "10.00 USD", "C4.00 A4.00 B2.00"),
            (POSITION, "ABCD", "10.00 USD", "D4.00 A4.00 B1.00 C1.00"),
            // 40 %, 40 % and three times 6.67 % (6 2/3 %): 0.67 each would be a cent too many.
            (POSITION, "ABCDE", "10.00 USD", "E4.00 A4.00 B0.67 C0.67 D0.66"),
            // One affiliate's touches are one portion: 2/3, and 1/3.
            (LINEAR, "ABA", "10.00 USD", "A6.67 B3.33"),
            (LINEAR, "AAB", "10.00 USD", "B3.33 A6.67"),
            (POSITION, "ABA", "10.00 USD", "A8.00 B2.00"),
            (POSITION, "BAB", "10.00 USD", "B8.00 A2.00"),
            (POSITION, "ABBA", "10.00 USD", "A8.00 B2.00"),
            (POSITION, "ABCBD", "10.00 USD", "D4.00 A4.00 B1.33 C0.67"),
            (LINEAR, "AAAAA", "0.01 USD", "A0.01"),
            // What cannot be split goes to the largest part, and of equal parts to the last touch's.
            (LINEAR, "ABC", "1 JPY", "C1 A0 B0"),
            (LINEAR, "ABC", "2 JPY", "C1 A1 B0"),
            (POSITION, "ABC", "1 JPY", "C1 A0 B0"),
            (LINEAR, "AAB", "1 JPY", "B0 A1"),
            (LINEAR, "ABC", "1.000 KWD", "C0.334 A0.333 B0.333"),
            (LINEAR, "ABC", "0.0001 CLF", "C0.0001 A0.0000 B0.0000"),
            (LINEAR, "ABC", "0.00 USD", "C0.00 A0.00 B0.00"),
            (Model::LastClick, "ABC", "10.00 USD", "C10.00"),
        ] {
            let (amount, currency) = commission.split_once(' ').unwrap();
            let portions = split(money(amount, currency), &touches(affiliates), model);
            assert_eq!(shown(&portions), expected, "{model:?} {affiliates} {commission}");
        }
        assert_eq!(split(money("1.00", "USD"), &[], LINEAR), []);
        let links: Vec<_> = split(money("1.00", "USD"), &touches("ABAB"), LINEAR)
            .iter()
            .map(|portion| portion.link_id)
            .collect();
        assert_eq!(links, [Some(13), Some(12)], "of the last touch of each");
    }

    #[test]
    fn the_first_and_the_last_touch_stay_and_each_links_newest() {
        let clicks = |list: &[(i64, i64)]| -> Vec<(i64, i64)> {
            let touch = |(link, at_ms): &(i64, i64)| Touch {
                click_id: Some(*at_ms),
                link_id: Some(*link),
                affiliate_id: 1,
                at_ms: *at_ms,
            };
            let kept = keep(list.iter().map(touch).collect(), |touch| *touch);
            kept.iter().map(|touch| (touch.link_id.unwrap(), touch.at_ms)).collect()
        };
        for (given, expected) in [
            (&[][..], &[][..]),
            (&[(1, 7)], &[(1, 7)]),
            (&[(2, 9), (1, 7)], &[(1, 7), (2, 9)]),
            (&[(1, 7), (2, 8), (1, 9)], &[(2, 8), (1, 9)]),
            (&[(1, 7), (1, 7)], &[(1, 7)]),
            (
                &[(1, 1), (2, 2), (3, 3), (4, 4), (5, 5), (6, 6)],
                &[(1, 1), (3, 3), (4, 4), (5, 5), (6, 6)],
            ),
            (
                &[(1, 1), (2, 2), (3, 3), (4, 4), (5, 5), (6, 6), (7, 7), (2, 8)],
                &[(1, 1), (5, 5), (6, 6), (7, 7), (2, 8)],
            ),
        ] {
            assert_eq!(clicks(given), expected, "{given:?}");
        }
    }

    #[test]
    fn a_text_of_several_tokens_is_bounded() {
        let read = |text: &str, model| texts(text, model).map(str::to_owned).collect::<Vec<_>>();
        for (text, first, last, all) in [
            ("a", "a", "a", &["a"][..]),
            ("a~b~c", "a", "c", &["a", "b", "c"]),
            ("~a", "", "a", &["", "a"]),
            ("", "", "", &[""]),
            ("a~b~c~d~e", "a", "e", &["a", "b", "c", "d", "e"]),
            ("a~b~c~d~e~f", "a", "f", &["a~b~c~d~e~f"]),
        ] {
            assert_eq!(read(text, Model::FirstClick), [first], "{text}");
            assert_eq!(read(text, Model::LastClick), [last], "{text}");
            assert_eq!(read(text, LINEAR), all, "{text}");
            assert_eq!(read(text, POSITION), all, "{text}");
        }
        let long = format!("a~{}", "b".repeat(TEXTS_BYTES_MAX - 1));
        assert_eq!(read(&long, LINEAR), [&*long]);
        assert_eq!(read(&long[1..], LINEAR).len(), 2);
        assert_eq!(TEXTS_BYTES_MAX, 644);
    }

    fn any_touches() -> impl Strategy<Value = Vec<Touch>> {
        let touch = (0_i64..6, 0_i64..4, 0_i64..9).prop_map(|(link, affiliate, at)| Touch {
            click_id: Some(at * 10 + link),
            link_id: Some(link),
            affiliate_id: affiliate,
            at_ms: at,
        });
        // A click is one affiliate's.
        let one_each = |touches: Vec<Touch>| {
            touches.into_iter().map(|t| Touch { affiliate_id: t.link_id.unwrap() % 4, ..t })
        };
        proptest::collection::vec(touch, 1..10).prop_map(move |touches| one_each(touches).collect())
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2_000))]

        #[test]
        fn portions_add_up_and_are_true_to_a_unit(
            found in any_touches(),
            units in 0_i64..1_000_000_000_000,
            currency in prop_oneof![Just("USD"), Just("JPY"), Just("KWD"), Just("CLF")],
            model in prop_oneof![Just(LINEAR), Just(POSITION)],
        ) {
            let currency = Currency::parse(currency).unwrap();
            let amount = Decimal::new(units, currency.exponent());
            let kept = keep(found, |touch| *touch);
            prop_assert!((1..=TOUCHES_MAX).contains(&kept.len()));
            let portions = split(Money { amount, currency }, &kept, model);
            prop_assert_eq!(portions.iter().map(|p| p.money.amount).sum::<Decimal>(), amount);
            prop_assert_eq!(portions[0].affiliate_id, kept[kept.len() - 1].affiliate_id);
            let weights = weights(model, kept.len());
            let whole: i128 = weights.iter().copied().map(i128::from).sum();
            for (at, portion) in portions.iter().enumerate() {
                let is_his = |other: &Touch| other.affiliate_id == portion.affiliate_id;
                prop_assert_eq!(portion.money.amount.scale(), currency.exponent());
                prop_assert!(portions[..at].iter().all(|p| p.affiliate_id != portion.affiliate_id));
                let his = kept.iter().zip(&weights).filter(|(touch, _)| is_his(touch));
                let weight: i128 = his.map(|(_, weight)| i128::from(*weight)).sum();
                let (got, due) = (portion.money.amount.mantissa() * whole, i128::from(units) * weight);
                prop_assert!(got >= 0 && (got - due).abs() < whole, "{:?}", portions);
            }
        }

        #[test]
        fn the_order_in_which_touches_are_found_is_nothing(
            found in any_touches(),
            swaps in proptest::collection::vec((any::<prop::sample::Index>(), any::<prop::sample::Index>()), 0..9),
        ) {
            let mut shuffled = found.clone();
            for (a, b) in swaps {
                shuffled.swap(a.index(found.len()), b.index(found.len()));
            }
            let kept = keep(found, |touch| *touch);
            prop_assert_eq!(&kept, &keep(shuffled, |touch| *touch));
            prop_assert_eq!(&kept, &keep(kept.clone(), |touch| *touch));
        }
    }
}
