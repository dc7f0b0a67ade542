//! What everybody must have, by a plain reading of a history in whole numbers of minor units. Nothing of the product
//! is used here but the names of its ids: not its joins, not its decimals, not its rounding.

use std::collections::BTreeMap;

use tributary::domain::id::Id;

use crate::world::DAY;

use super::earning::{Earned, credited, earned, half_even};
use super::story::{Act, Back, Cash, Deed, History, Model, Stage, Tell, What};

/// A verified sale believes unsigned evidence that came at most so long before or behind it.
const TIMELY: i64 = 30 * 60_000;

/// Minor units by account, affiliate and currency; nothing that is zero.
pub type Sheet = BTreeMap<(&'static str, Id, &'static str), i128>;

/// What is to be booked of an order: whose it is, and what he has of it himself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Due {
    pub affiliate: Option<Id>,
    pub gross: Cash,
    pub reversed: i128,
    /// What each has of it: whole, and what of that went back.
    pub parts: Vec<(Id, i128, i128)>,
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
    /// A correction made nothing of what was something.
    voided: bool,
    speaker_ms: i64,
    unverified: bool,
    /// The touches that are credited, the last before all; none where nobody is.
    touches: Vec<Id>,
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
            known.vouch(history.model);
            // Better evidence is for a person to approve anew.
            let before = earned.get(order).cloned().flatten();
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
        if let "pending" | "payable" = due.place {
            for (affiliate, gross, reversed) in due.parts {
                let account = (due.place, affiliate, due.gross.currency);
                *sheet.entry(account).or_default() += gross - reversed;
            }
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
    let stands = known.stands(history.model);
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
    let in_full = known.gone(&stands).0;
    match &act.deed {
        Deed::Approve => known.approved |= !in_full && !known.is_disputed(stands.sale.currency),
        Deed::Reject if !in_full => {
            known.rejected = Some(stands.unverified);
            known.approved = false;
        }
        Deed::Correct(cash) if cash.currency == stands.sale.currency && *cash != stands.sale => {
            // What was approved stays so.
            known.corrected = Some(*cash);
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
    fn vouch(&mut self, model: Model) {
        let verified = self.stands(model).is_some_and(|stands| !stands.unverified);
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
    fn gone(&self, stands: &Stands) -> (bool, i128) {
        let sale = stands.sale;
        let lost = self.disputes().filter(|(_, stage)| ["lost", "accepted"].contains(stage));
        let all = self.refunds.values().map(|refund| refund.1).chain(lost.map(|lost| lost.0));
        let counted: Vec<Option<i128>> = all
            .filter(|cash| cash.is_none_or(|cash| cash.currency == sale.currency))
            .map(|cash| cash.map(|cash| cash.minor))
            .collect();
        let sum: i128 = counted.iter().map(|minor| minor.unwrap_or(sale.minor)).sum();
        match sale.minor {
            0 => (counted.contains(&None) || stands.voided && !counted.is_empty(), 0),
            minor => (sum >= minor, sum.min(minor)),
        }
    }

    fn stands(&self, model: Model) -> Option<Stands> {
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
                    let touches = credited(sale, tell.at_ms, model);
                    (!touches.is_empty()).then_some((tell.at_ms, tell.id, touches))
                }
                _ => None,
            })
        };
        let vouched = evidence(true).next();
        let apart = |claim: &(i64, Id, Vec<Id>)| (claim.0 - speaker.at_ms).abs();
        let claim = match spoken.verified {
            true => evidence(false).filter(|claim| apart(claim) <= TIMELY).min_by_key(apart),
            false => evidence(false).next(),
        };
        let is_vouched = vouched.is_some();
        let (evidence_id, touches) =
            vouched.or(claim).map_or((speaker.id, Vec::new()), |(_, id, touches)| (id, touches));
        let sale = self.corrected.unwrap_or(spoken.cash);
        Some(Stands {
            sale,
            voided: sale.minor == 0 && spoken.cash.minor != 0,
            speaker_ms: speaker.at_ms,
            unverified: !spoken.verified,
            touches,
            claimed: !is_vouched && evidence_id != speaker.id,
        })
    }

    /// Whom and how much it earns.
    fn earned(&self, history: &History) -> Option<Earned> {
        let stands = self.stands(history.model)?;
        let in_force = history.plans.iter().rev().find(|plan| plan.from_ms <= stands.speaker_ms);
        let plan = in_force.expect("the first always was");
        // Nothing is earned by what came to nothing, also where the terms give something for each sale.
        let sale = (stands.sale, stands.speaker_ms);
        Some(earned(plan, sale, &stands.touches, history, stands.voided))
    }

    fn due(&self, history: &History, now: i64) -> Option<Due> {
        let (stands, earned) = (self.stands(history.model)?, self.earned(history)?);
        let (in_full, gone) = self.gone(&stands);
        let reversed = |gross: i128| match (in_full, gone) {
            (true, _) => gross,
            (false, 0) => 0,
            (false, gone) => half_even(gross * gone, stands.sale.minor),
        };
        let parts: Vec<(Id, i128, i128)> =
            earned.parts.iter().map(|(_, id, gross)| (*id, *gross, reversed(*gross))).collect();
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
        let own = earned.parts.iter().find(|part| part.0 == 0).map_or(0, |part| part.2);
        let gross = Cash { minor: own, currency: earned.currency };
        Some(Due { affiliate: earned.affiliate, gross, reversed: reversed(own), parts, place })
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
