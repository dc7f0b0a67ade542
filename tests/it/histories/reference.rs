//! What everybody must have, by a plain reading of a history in whole numbers of minor units. Nothing of the product
//! is used here but the names of its ids: not its joins, not its decimals, not its rounding.

use std::collections::BTreeMap;

use tributary::domain::id::Id;

use crate::world::{BEN, DAY};

use super::story::{Act, Back, Cash, Click, Deed, History, Sale, Stage, Tell, Terms, What};

const WINDOW: i64 = 30 * DAY;
/// A verified sale believes unsigned evidence that came at most so long before or behind it.
const TIMELY: i64 = 30 * 60_000;

/// Minor units by account, affiliate and currency; nothing that is zero.
pub type Sheet = BTreeMap<(&'static str, Id, &'static str), i128>;

/// What is to be booked of an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Due {
    pub affiliate: Option<Id>,
    pub gross: Cash,
    pub reversed: i128,
    /// `pending`, `payable`, `rejected` or `reversed`.
    pub place: &'static str,
}

impl Due {
    pub fn reversed(&self) -> Cash {
        Cash { minor: self.reversed, ..self.gross }
    }
}

/// The balances at the end of each phase, and when all time has passed; and each order then.
pub struct Reckoned {
    pub sheets: Vec<Sheet>,
    pub orders: BTreeMap<usize, Due>,
}

/// A telling of a chargeback.
type Dispute = (Id, Option<Cash>, Stage);

/// All that is known of an order.
#[derive(Default, Clone)]
struct Known<'a> {
    sales: Vec<&'a Tell>,
    refunds: BTreeMap<&'a str, (Id, Option<Cash>)>,
    chargebacks: BTreeMap<&'a str, Vec<Dispute>>,
    corrected: Option<Cash>,
    approved: bool,
    /// Whether only unsigned hits spoke for it when it was rejected.
    rejected: Option<bool>,
    revived: bool,
}

/// A sale as it stands.
struct Stands {
    sale: Cash,
    speaker_ms: i64,
    unverified: bool,
    affiliate: Option<Id>,
    /// Credited by what came unsigned with another hit than the one that speaks.
    claimed: bool,
}

pub fn reckon(history: &History) -> Reckoned {
    let mut orders: BTreeMap<usize, Known<'_>> = BTreeMap::new();
    let (mut sheets, mut paid) = (Vec::new(), Sheet::new());
    for phase in &history.phases {
        let earned: BTreeMap<usize, _> =
            orders.iter().map(|(order, known)| (*order, known.earned(history))).collect();
        for tell in &phase.tells {
            orders.entry(tell.order).or_default().hear(tell);
        }
        for (order, known) in &mut orders {
            known.vouch();
            // Better evidence is for a person to approve anew.
            let before = earned.get(order).copied().flatten();
            known.approved &= before.is_none() || before == known.earned(history);
        }
        for act in phase.approvals.iter().chain(&phase.acts) {
            perform(act, &mut orders, history);
        }
        let mut sheet = sheet(&orders, history, phase.end_ms, &paid);
        if phase.pays {
            pay(&mut sheet, &mut paid);
        }
        sheets.push(sheet);
    }
    sheets.push(sheet(&orders, history, i64::MAX, &paid));
    let dues = orders.iter().filter_map(|(n, known)| Some((*n, known.due(history, i64::MAX)?)));
    Reckoned { sheets, orders: dues.collect() }
}

/// Whoever has something payable gets all of it.
fn pay(sheet: &mut Sheet, paid: &mut Sheet) {
    let payable: Vec<_> =
        sheet.iter().filter(|(key, sum)| key.0 == "payable" && **sum > 0).collect();
    let payable: Vec<_> = payable.into_iter().map(|(key, sum)| (*key, *sum)).collect();
    for (key, sum) in payable {
        sheet.remove(&key);
        let to = ("paid", key.1, key.2);
        *sheet.entry(to).or_default() += sum;
        *paid.entry(to).or_default() += sum;
    }
}

fn sheet(orders: &BTreeMap<usize, Known<'_>>, history: &History, now: i64, paid: &Sheet) -> Sheet {
    let mut sheet = paid.clone();
    for (&(_, affiliate, currency), sum) in paid {
        *sheet.entry(("payable", affiliate, currency)).or_default() -= sum;
    }
    for due in orders.values().filter_map(|known| known.due(history, now)) {
        if let (Some(affiliate), "pending" | "payable") = (due.affiliate, due.place) {
            let rest = due.gross.minor - due.reversed;
            *sheet.entry((due.place, affiliate, due.gross.currency)).or_default() += rest;
        }
    }
    sheet.retain(|_, sum| *sum != 0);
    sheet
}

fn perform<'a>(act: &'a Act, orders: &mut BTreeMap<usize, Known<'a>>, history: &History) {
    let known = match &act.deed {
        Deed::Back(_) => orders.entry(act.order).or_default(),
        _ => match orders.get_mut(&act.order) {
            Some(known) => known,
            None => return,
        },
    };
    let stands = known.stands();
    if let Deed::Back(back) = &act.deed {
        let sale = stands.map(|stands| stands.sale.currency);
        let cash = match back {
            Back::Refund { cash, .. } | Back::Chargeback { cash, .. } => *cash,
        };
        let foreign = cash.is_some_and(|cash| sale.is_some_and(|sale| sale != cash.currency));
        if !foreign && known.is_news(act.id, back) {
            known.go_back(act.id, back);
        }
        return;
    }
    let Some(stands) = stands.filter(|_| known.rejected.is_none()) else { return };
    let in_full = known.gone(stands.sale).0;
    match &act.deed {
        Deed::Approve => known.approved |= !in_full && !known.is_disputed(stands.sale.currency),
        Deed::Reject if !in_full => {
            known.rejected = Some(stands.unverified);
            known.approved = false;
        }
        Deed::Correct(cash) if cash.currency == stands.sale.currency && *cash != stands.sale => {
            let before = known.earned(history);
            known.corrected = Some(*cash);
            known.approved &= before == known.earned(history);
        }
        _ => {}
    }
}

impl<'a> Known<'a> {
    fn hear(&mut self, tell: &'a Tell) {
        match &tell.what {
            What::Sale(_) => self.sales.push(tell),
            What::Back(back) => self.go_back(tell.id, back),
        }
    }

    fn go_back(&mut self, id: Id, back: &'a Back) {
        match back {
            Back::Refund { name, cash } => {
                let first = self.refunds.entry(name).or_insert((id, *cash));
                if id < first.0 {
                    *first = (id, *cash);
                }
            }
            Back::Chargeback { name, cash, stage } => {
                self.chargebacks.entry(name).or_default().push((id, *cash, stage));
            }
        }
    }

    /// Whether it is another than without this.
    fn is_news(&self, id: Id, back: &'a Back) -> bool {
        let mut then = self.clone();
        then.go_back(id, back);
        let refunds =
            |known: &Known<'_>| -> Vec<_> { known.refunds.values().map(|r| r.1).collect() };
        let chargebacks = |known: &Known<'_>| -> Vec<_> { known.disputes().collect() };
        refunds(self) != refunds(&then) || chargebacks(self) != chargebacks(&then)
    }

    /// A rejected claim for which the shop vouches comes to life again.
    fn vouch(&mut self) {
        let verified = self.stands().is_some_and(|stands| !stands.unverified);
        if self.rejected == Some(true) && verified {
            (self.rejected, self.revived) = (None, true);
        }
    }

    /// Each chargeback as it stands: the first says how much; closed goes before open before potential, then the
    /// last.
    fn disputes(&self) -> impl Iterator<Item = (Option<Cash>, Stage)> {
        self.chargebacks.values().map(|told| {
            let first = told.iter().min_by_key(|told| told.0).expect("told");
            let closed = |stage: Stage| ["won", "lost", "accepted"].contains(&stage);
            let rank = |told: &&Dispute| (closed(told.2), told.2 != "potential", told.0);
            (first.1, told.iter().max_by_key(rank).expect("told").2)
        })
    }

    fn is_disputed(&self, currency: &str) -> bool {
        self.disputes().any(|(cash, stage)| {
            stage == "open" && cash.is_none_or(|cash| cash.currency == currency)
        })
    }

    /// Whether all of a sale went back, and how much.
    fn gone(&self, sale: Cash) -> (bool, i128) {
        let lost = self.disputes().filter(|(_, stage)| ["lost", "accepted"].contains(stage));
        let all = self.refunds.values().map(|refund| refund.1).chain(lost.map(|lost| lost.0));
        let counted: Vec<Option<i128>> = all
            .filter(|cash| cash.is_none_or(|cash| cash.currency == sale.currency))
            .map(|cash| cash.map(|cash| cash.minor))
            .collect();
        let sum: i128 = counted.iter().map(|minor| minor.unwrap_or(sale.minor)).sum();
        match sale.minor {
            0 => (counted.contains(&None), 0),
            minor => (sum >= minor, sum.min(minor)),
        }
    }

    fn stands(&self) -> Option<Stands> {
        let told = |tell: &&Tell| match &tell.what {
            What::Sale(sale) => (!sale.verified, tell.id),
            What::Back(_) => unreachable!("no sale"),
        };
        let speaker = self.sales.iter().copied().min_by_key(told)?;
        let What::Sale(spoken) = &speaker.what else { return None };
        let mut with = self.sales.clone();
        with.sort_by_key(|tell| tell.id);
        let evidence = |verified: bool| {
            with.iter().filter_map(move |tell| match &tell.what {
                What::Sale(sale) if sale.verified == verified => {
                    Some((tell.at_ms, tell.id, credited(sale, tell.at_ms)?))
                }
                _ => None,
            })
        };
        let vouched = evidence(true).next();
        let apart = |claim: &(i64, Id, Id)| (claim.0 - speaker.at_ms).abs();
        let claim = match spoken.verified {
            true => evidence(false).filter(|claim| apart(claim) <= TIMELY).min_by_key(apart),
            false => evidence(false).next(),
        };
        let evidence = vouched.or(claim);
        Some(Stands {
            sale: self.corrected.unwrap_or(spoken.cash),
            speaker_ms: speaker.at_ms,
            unverified: !spoken.verified,
            affiliate: evidence.map(|evidence| evidence.2),
            claimed: vouched.is_none() && evidence.is_some_and(|e| e.1 != speaker.id),
        })
    }

    /// Whom and how much it earns.
    fn earned(&self, history: &History) -> Option<(Option<Id>, Cash)> {
        let stands = self.stands()?;
        let in_force = history.plans.iter().rev().find(|plan| plan.0 <= stands.speaker_ms);
        let commission =
            commission(&in_force.expect("the first always was").1, stands.sale, history.home);
        Some(match stands.affiliate {
            Some(_) => (stands.affiliate, commission),
            None => (None, Cash { minor: 0, ..stands.sale }),
        })
    }

    fn due(&self, history: &History, now: i64) -> Option<Due> {
        let (stands, (affiliate, gross)) = (self.stands()?, self.earned(history)?);
        let (in_full, gone) = self.gone(stands.sale);
        let reversed = match (in_full, gone) {
            (true, _) => gross.minor,
            (false, 0) => 0,
            (false, gone) => half_even(gross.minor * gone, stands.sale.minor),
        };
        let claim = stands.unverified || stands.claimed;
        let held = history.holds_unsigned && claim;
        let place = if self.rejected.is_some() {
            "rejected"
        } else if in_full {
            "reversed"
        } else if self.is_disputed(stands.sale.currency) {
            "pending"
        } else if self.approved {
            "payable"
        } else if held || now - i64::from(history.hold_days) * DAY < stands.speaker_ms {
            "pending"
        } else {
            "payable"
        };
        Some(Due { affiliate, gross, reversed, place })
    }
}

/// Whom a hit's own evidence credits: its token, the coupon, its cookie.
fn credited(sale: &Sale, at_ms: i64) -> Option<Id> {
    let good = |click: Option<Click>| click.filter(|click| at_ms - click.at_ms <= WINDOW);
    let by_click = |click| good(click).map(|click: Click| click.affiliate);
    by_click(sale.token).or(sale.coupon.then_some(BEN)).or(by_click(sale.cookie))
}

fn commission(terms: &Terms, sale: Cash, home: &'static str) -> Cash {
    match *terms {
        Terms::Flat(minor) => Cash { minor, currency: home },
        Terms::Percent { rate, minimum, maximum } => {
            const WHOLE: i128 = 100 * 10_000;
            let exact = sale.minor * rate;
            let exact = minimum.map_or(exact, |least| exact.max(least * WHOLE));
            let exact = maximum.map_or(exact, |most| exact.min(most * WHOLE));
            Cash { minor: half_even(exact, WHOLE), currency: sale.currency }
        }
    }
}

/// A quotient, halves to even.
fn half_even(of: i128, by: i128) -> i128 {
    let (whole, twice) = (of / by, of % by * 2);
    match twice.cmp(&by) {
        std::cmp::Ordering::Less => whole,
        std::cmp::Ordering::Greater => whole + 1,
        std::cmp::Ordering::Equal => whole + whole % 2,
    }
}

/// Pending and payable in one sum: where approvals come at any moment, only that follows from what is known.
pub fn together(sheet: &Sheet) -> Sheet {
    let mut sums = Sheet::new();
    for (&(_, affiliate, currency), minor) in sheet {
        *sums.entry(("owed", affiliate, currency)).or_default() += minor;
    }
    sums.retain(|_, sum| *sum != 0);
    sums
}
