//! The product's books of a history, in memory: its pure functions settle the hits and carry out what people do; what
//! SQL does with time and payouts is done here the same way. After each step what must hold of books is looked at.

use std::collections::{BTreeMap, HashMap, HashSet};

use rust_decimal::Decimal;
use tributary::domain::catalog::Catalog;
use tributary::domain::hit::Hit;
use tributary::domain::id::Id;
use tributary::domain::intake::SaleKind;
use tributary::domain::ledger::{Account, Cause, Code, Status, Transfer};
use tributary::domain::lookups::Aid;
use tributary::domain::money::{Currency, Money};
use tributary::domain::order::Key;
use tributary::domain::rates::Rates;
use tributary::domain::settlement::{self, Action, By, Conversion, Read};
use tributary::domain::token::Keys;

use crate::proofs::Dice;
use crate::world::{self, PROGRAM, Sent};

use super::reference::Sheet;
use super::story::{Act, History, Kind, Phase, Tell};
use super::words::{action, catalog, quotes, sent};

/// How the hits of a history come to be settled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Arrival {
    /// As they were sent, and time passes meanwhile.
    InOrder,
    /// In any order.
    Shuffled,
}

/// One share of a conversion in one currency, by its own transfers.
#[derive(Default, Clone, Copy)]
struct Share {
    accrued: Decimal,
    reversed: Decimal,
    pending: Decimal,
    payable: Decimal,
}

pub struct Books {
    catalog: Catalog,
    rates: Rates,
    plans: usize,
    keys: Keys,
    pub orders: HashMap<Key, Conversion>,
    shares: BTreeMap<(Id, i16, Id, &'static str), Share>,
    balances: BTreeMap<(Account, Id, &'static str), Decimal>,
    /// What was accrued, held or restored last, by conversion.
    booked_by: HashMap<Id, Id>,
    known: HashSet<(Option<Id>, Code, Id, i16)>,
    paid: Id,
    /// How many transfers there are of each code.
    pub moved: BTreeMap<&'static str, usize>,
}

/// Plays a history; the balances at the end of each phase, and when all time has passed.
pub fn play(history: &History, arrival: Arrival, dice: &mut Dice) -> (Vec<Sheet>, Books) {
    let mut books = Books {
        catalog: Catalog::default(),
        rates: quotes().into_iter().map(|rate| (rate, "a bank".to_owned())).collect(),
        plans: 0,
        keys: world::keys(),
        orders: HashMap::new(),
        shares: BTreeMap::new(),
        balances: BTreeMap::new(),
        booked_by: HashMap::new(),
        known: HashSet::new(),
        paid: 0,
        moved: BTreeMap::new(),
    };
    let mut sheets = Vec::new();
    for phase in &history.phases {
        books.hear(history, phase, arrival, dice);
        books.release(phase.end_ms);
        for act in &phase.acts {
            books.perform(act, phase.end_ms);
        }
        books.release(phase.end_ms);
        if phase.pays {
            books.pay(phase.end_ms);
        }
        sheets.push(books.sheet());
    }
    books.release(i64::MAX);
    sheets.push(books.sheet());
    (sheets, books)
}

impl Books {
    /// What a phase tells, in batches, with time and approvals between them.
    fn hear(&mut self, history: &History, phase: &Phase, arrival: Arrival, dice: &mut Dice) {
        let mut tells: Vec<&Tell> = phase.tells.iter().collect();
        if arrival == Arrival::Shuffled {
            dice.shuffle(&mut tells);
        }
        let mut approvals: Vec<&Act> = phase.approvals.iter().collect();
        let mut rest = &tells[..];
        while !rest.is_empty() {
            let (batch, behind) = rest.split_at((1 + dice.below(4)).min(rest.len()));
            rest = behind;
            let last_ms = batch.iter().map(|tell| tell.at_ms).max().unwrap();
            self.learn(history, if arrival == Arrival::Shuffled { i64::MAX } else { last_ms });
            self.settle(&batch.iter().map(|tell| sent(tell)).collect::<Vec<_>>());
            // Where there is a payout, time is told by what was settled: nothing lags behind it for days.
            match arrival {
                Arrival::InOrder if dice.below(2) == 0 => self.release(last_ms),
                Arrival::Shuffled if history.kind != Kind::Payouts && dice.below(3) == 0 => {
                    self.release(phase.end_ms - dice.below(20) as i64 * world::DAY);
                }
                _ => {}
            }
            if !approvals.is_empty() && dice.below(2) == 0 {
                let act = approvals.remove(dice.below(approvals.len()));
                self.perform(act, last_ms);
            }
        }
        self.learn(history, phase.end_ms);
        for act in approvals {
            self.perform(act, phase.end_ms);
        }
    }

    /// The versions of the plan that there are at a moment.
    fn learn(&mut self, history: &History, now_ms: i64) {
        let plans = history.plans.iter().filter(|plan| plan.from_ms <= now_ms).count();
        if plans > self.plans {
            (self.plans, self.catalog) = (plans, catalog(history, plans).into());
        }
    }

    fn settle(&mut self, batch: &[Sent]) {
        let bytes: Vec<Vec<u8>> = batch.iter().map(Sent::bytes).collect();
        let read = |bytes: &Vec<u8>| {
            settlement::read(&Hit::decode(bytes).unwrap(), &self.catalog, &self.keys)
        };
        let mut reads: Vec<Read> = bytes.iter().map(read).collect();
        let parted = settlement::part_shared(&mut reads, &self.orders);
        assert!(parted.is_empty());
        let keys: HashSet<Key> = reads.iter().filter_map(|read| read.key().cloned()).collect();
        let found =
            keys.iter().filter_map(|key| Some((key.clone(), self.orders.get(key)?.clone())));
        let told = settlement::batch(reads, found.collect(), &self.catalog);
        let settled =
            told.settle(&self.catalog, Aid { rates: Some(&self.rates), ..Aid::default() });
        assert_eq!(settled.fates.len(), batch.len());
        assert!(
            settled.fates.iter().all(|fate| fate.conversion_id.is_some()),
            "{:?}",
            settled.fates
        );
        self.post(settled.transfers);
        for conversion in settled.conversions {
            self.keep(conversion);
        }
    }

    pub fn perform(&mut self, act: &Act, now_ms: i64) {
        let text = format!("id:o{}", act.order);
        let key = Key { program_id: PROGRAM, kind: SaleKind::Sale, text };
        let program = self.catalog.program(PROGRAM).unwrap();
        let cause = Cause { id: act.id, event_ms: now_ms };
        let action = action(&act.deed, now_ms);
        let Some(conversion) = self.orders.get(&key) else {
            let Action::Takeback(takeback) = &action else { return };
            let made = settlement::take_back_unknown(&key, takeback, program, cause).unwrap();
            return self.keep(made);
        };
        let booked_by = self.booked_by.get(&conversion.id).copied().unwrap_or(conversion.id);
        let by = By { cause, booked_by };
        let aid = Aid { catalog: Some(&self.catalog), rates: Some(&self.rates), ties: None };
        if let Ok((now, transfers)) = settlement::act(conversion, &action, (program, aid), by) {
            self.post(transfers);
            self.keep(now);
        }
    }

    /// What `ledger.due` finds becomes payable.
    fn release(&mut self, now_ms: i64) {
        let due = |c: &&Conversion| {
            c.booked.status == Status::Pending && !c.held && c.hold_until_ms <= now_ms
        };
        let due: Vec<Conversion> = self.orders.values().filter(due).cloned().collect();
        for mut conversion in due {
            let cause_id = self.booked_by.get(&conversion.id).copied().unwrap_or(conversion.id);
            let own =
                (0, conversion.booked.affiliate_id, conversion.booked.amount, conversion.reversed);
            let pending = conversion.shares.iter_mut().filter(|s| s.status == Status::Pending);
            let others = pending.map(|share| {
                share.status = Status::Payable;
                (share.part, Some(share.affiliate_id), share.commission, share.reversed)
            });
            let mut transfers = Vec::new();
            for (part, affiliate_id, commission, reversed) in std::iter::once(own).chain(others) {
                let rest = Money { amount: commission.amount - reversed, ..commission };
                let Some(affiliate_id) = affiliate_id.filter(|_| !rest.amount.is_zero()) else {
                    continue;
                };
                transfers.push(Transfer {
                    conversion_id: Some(conversion.id),
                    program_id: PROGRAM,
                    part,
                    code: Code::Approve,
                    cause_id,
                    debit: (Account::AffiliatePending, affiliate_id),
                    credit: (Account::AffiliatePayable, affiliate_id),
                    amount: rest,
                    rated: None,
                    event_ms: now_ms,
                });
            }
            conversion.booked.status = Status::Payable;
            self.post(transfers);
            self.keep(conversion);
        }
    }

    /// Whoever has something payable is paid all of it, as a run of payouts with a minimum of nothing does.
    fn pay(&mut self, now_ms: i64) {
        let payable = |(key, sum): (&(Account, Id, &'static str), &Decimal)| {
            (key.0 == Account::AffiliatePayable && *sum > Decimal::ZERO)
                .then_some((key.1, key.2, *sum))
        };
        let payable: Vec<(Id, &'static str, Decimal)> =
            self.balances.iter().filter_map(payable).collect();
        for (affiliate, code, amount) in payable {
            self.paid += 1;
            let pay = Transfer {
                conversion_id: None,
                program_id: PROGRAM,
                part: 0,
                code: Code::Pay,
                cause_id: self.paid,
                debit: (Account::AffiliatePayable, affiliate),
                credit: (Account::AffiliatePaid, affiliate),
                amount: Money { amount, currency: Currency::parse(code).unwrap() },
                rated: None,
                event_ms: now_ms,
            };
            self.post(vec![pay]);
            for conversion in self.orders.values_mut() {
                for share in &mut conversion.shares {
                    let his = share.affiliate_id == affiliate
                        && share.commission.currency.code() == code
                        && share.commission.amount > share.reversed;
                    if his && share.status == Status::Payable {
                        (share.status, conversion.paid_out) = (Status::Paid, true);
                    }
                }
                let booked = &mut conversion.booked;
                let his = booked.affiliate_id == Some(affiliate)
                    && booked.amount.currency.code() == code
                    && booked.amount.amount > conversion.reversed;
                if his && booked.status == Status::Payable {
                    (booked.status, conversion.paid_out) = (Status::Paid, true);
                }
            }
        }
    }

    fn post(&mut self, transfers: Vec<Transfer>) {
        for t in transfers {
            let (amount, currency) = (t.amount.amount, t.amount.currency.code());
            assert!(amount > Decimal::ZERO, "{t:?}");
            assert!(amount.normalize().scale() <= t.amount.currency.exponent(), "{t:?}");
            let identity = (t.conversion_id, t.code, t.cause_id, t.part);
            assert!(self.known.insert(identity), "posted before: {t:?}");
            *self.balances.entry((t.debit.0, t.debit.1, currency)).or_default() -= amount;
            *self.balances.entry((t.credit.0, t.credit.1, currency)).or_default() += amount;
            *self.moved.entry(t.code.code()).or_default() += 1;
            *self.moved.entry("of others").or_default() += usize::from(t.part > 0);
            *self.moved.entry("exchanged").or_default() += usize::from(t.rated.is_some());
            let Some(id) = t.conversion_id else { continue };
            if matches!(t.code, Code::Accrue | Code::Hold | Code::Restore) {
                self.booked_by.insert(id, t.cause_id);
            }
            let his = if t.debit.0 == Account::Advertiser { t.credit.1 } else { t.debit.1 };
            let share = self.shares.entry((id, t.part, his, currency)).or_default();
            share.add(&t);
            assert!(share.is_sound(), "{t:?}");
        }
    }

    /// Keeps a conversion of which everything was posted: its own transfers have brought its money to where it says.
    fn keep(&mut self, conversion: Conversion) {
        let status = conversion.booked.status;
        let own = conversion.booked.affiliate_id;
        let mut expected = BTreeMap::new();
        let shares = conversion
            .shares
            .iter()
            .map(|share| (share.part, Some(share.affiliate_id), share.commission, share.reversed));
        let own = (0, own, conversion.booked.amount, conversion.reversed);
        for (part, affiliate, commission, reversed) in std::iter::once(own).chain(shares) {
            let rest = commission.amount - reversed;
            let is_booked = !rest.is_zero() && status != Status::Rejected;
            if let Some(affiliate) = affiliate.filter(|_| is_booked) {
                let key = (conversion.id, part, affiliate, commission.currency.code());
                expected.insert(key, (status.account(), rest));
            }
        }
        let id = conversion.id;
        let from = (id, i16::MIN, Id::MIN, "");
        let mut found = BTreeMap::new();
        for (key, share) in self.shares.range(from..).take_while(|(key, _)| key.0 == id) {
            for (account, sum) in [
                (Account::AffiliatePending, share.pending),
                (Account::AffiliatePayable, share.payable),
            ] {
                if !sum.is_zero() {
                    assert!(found.insert(*key, (Some(account), sum)).is_none(), "{conversion:?}");
                }
            }
        }
        assert_eq!(found, expected, "{conversion:?}");
        self.orders.insert(conversion.key.clone(), conversion);
    }

    /// The affiliates' balances in minor units. What the advertiser owes is the same, the other way.
    fn sheet(&self) -> Sheet {
        let mut sheet = Sheet::new();
        let mut sums: BTreeMap<&str, Decimal> = BTreeMap::new();
        for (&(account, owner, code), sum) in &self.balances {
            *sums.entry(code).or_default() += sum;
            let name = match account {
                Account::AffiliatePending => "pending",
                Account::AffiliatePayable => "payable",
                Account::AffiliatePaid => "paid",
                _ => continue,
            };
            if !sum.is_zero() {
                let mut sum = *sum;
                sum.rescale(super::story::decimals(code));
                sheet.insert((name, owner, code), sum.mantissa());
            }
        }
        assert!(sums.values().all(Decimal::is_zero), "{sums:?}");
        sheet
    }
}

impl Share {
    fn add(&mut self, t: &Transfer) {
        let amount = t.amount.amount;
        match t.code {
            Code::Accrue => self.accrued += amount,
            Code::Supersede | Code::Reject => self.accrued -= amount,
            Code::Reverse => self.reversed += amount,
            Code::Restore => self.reversed -= amount,
            _ => {}
        }
        for (account, sign) in [(t.debit.0, -Decimal::ONE), (t.credit.0, Decimal::ONE)] {
            match account {
                Account::AffiliatePending => self.pending += sign * amount,
                Account::AffiliatePayable => self.payable += sign * amount,
                _ => {}
            }
        }
    }

    /// No more was reversed than accrued, and nothing left that had not come.
    fn is_sound(&self) -> bool {
        let sums = [self.accrued, self.reversed, self.pending, self.payable];
        sums.iter().all(|sum| *sum >= Decimal::ZERO)
            && self.reversed <= self.accrued
            && self.pending + self.payable == self.accrued - self.reversed
    }
}
