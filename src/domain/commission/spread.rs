//! A sum cut into parts that add up to it again.

use rust_decimal::Decimal;

use crate::domain::items::Item;

/// Above any real total, below any overflow.
const WEIGHT_MAX: Decimal = Decimal::from_parts(2_808_348_672, 232_830_643, 0, false, 0);

/// What each item has of a sum, by largest remainder: by its total, by equal parts where no item has any.
/// The parts are whole minor units, none is negative, and together they are the sum.
pub(super) fn spread(sum: Decimal, exponent: u32, items: &[Item]) -> Vec<Decimal> {
    let total = |item: &Item| item.total.clamp(Decimal::ZERO, WEIGHT_MAX);
    let all: Decimal = items.iter().map(total).sum();
    let weigh = |item: &Item| if all.is_zero() { Decimal::ONE } else { total(item) };
    let all = if all.is_zero() { Decimal::from(items.len()) } else { all };
    let exact = items.iter().map(|item| sum.saturating_mul(weigh(item) / all));
    let floored = |part: Decimal| {
        let mut whole = part.trunc_with_scale(exponent);
        whole.rescale(exponent);
        (whole, part - whole)
    };
    let mut parts: Vec<(Decimal, Decimal)> = exact.map(floored).collect();
    let unit = Decimal::new(1, exponent);
    let mut left = sum - parts.iter().map(|part| part.0).sum::<Decimal>();
    // By remainder; of equal ones the first: the same whatever the day.
    let mut places: Vec<usize> = (0..parts.len()).collect();
    places.sort_by(|a, b| parts[*b].1.cmp(&parts[*a].1).then(a.cmp(b)));
    for at in places {
        let more = left.min(unit);
        parts[at].0 += more;
        left -= more;
    }
    parts.into_iter().map(|part| part.0).collect()
}
