//! A sum cut into parts that add up to it again. In whole minor units, so that nothing is rounded.

use rust_decimal::Decimal;

use crate::domain::items::Item;

/// An item's total counts as at most so much: above any real one, and its product with a sum fits in 127 bits.
const TOTAL_MAX: Decimal = Decimal::from_parts(2_764_472_320, 232_830, 0, false, 0);

/// What each item has of a sum, by largest remainder: by its total, by equal parts where no item has any.
/// The parts are whole minor units, none is negative, and together they are the sum.
pub(super) fn spread(sum: Decimal, exponent: u32, items: &[Item]) -> Vec<Decimal> {
    let units = |amount: Decimal| {
        let mut whole = amount.trunc_with_scale(exponent);
        whole.rescale(exponent);
        whole.mantissa()
    };
    let total = |item: &Item| units(item.total.clamp(Decimal::ZERO, TOTAL_MAX));
    let is_free = items.iter().all(|item| total(item) == 0);
    let weights: Vec<i128> = items.iter().map(|i| if is_free { 1 } else { total(i) }).collect();
    let (all, sum_units) = (weights.iter().sum::<i128>().max(1), units(sum));
    let mut parts: Vec<i128> = weights.iter().map(|weight| sum_units * weight / all).collect();
    // By remainder; of equal ones the first: the same on any day.
    let mut places: Vec<usize> = (0..parts.len()).collect();
    places.sort_by_key(|at| (-(sum_units * weights[*at] % all), *at));
    let left = sum_units - parts.iter().sum::<i128>();
    for at in places.into_iter().take(usize::try_from(left).unwrap_or_default()) {
        parts[at] += 1;
    }
    parts.into_iter().map(|part| Decimal::from_i128_with_scale(part, exponent)).collect()
}
