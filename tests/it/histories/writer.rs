//! Histories thrown by dice.

use std::collections::BTreeSet;

use tributary::domain::id::{self, Id};

use crate::proofs::Dice;
use crate::world::DAY;

use super::story::{
    AFFILIATES, Act, Back, Cash, Click, Deed, HOMES, History, Kind, Level, MODELS, PHASE_DAYS,
    Phase, START, Sale, Tell, Terms, Version, What,
};

const MINUTE: i64 = 60_000;
const CLAIM_TIME: i64 = 29;

/// The history of a seed. People's acts have ids of their moment, or, where a database's clock names them, ids
/// behind all of the hits'.
pub fn history(seed: u64, kind: Kind, late_ids: bool) -> History {
    let mut dice = Dice(seed);
    let home = *dice.pick(&HOMES);
    let abroad = (dice.below(3) == 0).then(|| *dice.pick(&["EUR", "JPY", "KWD", "USD"]));
    let abroad = abroad.filter(|currency| *currency != home);
    let phases = 1 + dice.below(4);
    let mut writer =
        Writer { dice, kind, home, abroad, minutes: BTreeSet::new(), told: 0, acted: 0 };
    let mut plans = vec![writer.version(0)];
    for _ in 0..writer.dice.below(3) {
        let at_ms = START + writer.dice.below(phases * PHASE_DAYS as usize * 1440) as i64 * MINUTE;
        plans.push(writer.version(at_ms));
    }
    plans.sort_by_key(|plan| plan.from_ms);
    let mut history = History {
        kind,
        home,
        hold_days: *writer.dice.pick(&[0, 1, 5, 30]),
        model: MODELS[writer.dice.below(MODELS.len())],
        holds_unsigned: writer.dice.below(4) == 0,
        plans,
        phases: (0..phases).map(|at| writer.phase(at)).collect(),
    };
    for order in 0..1 + writer.dice.below(5) {
        writer.order(order, &mut history.phases);
    }
    writer.people(&mut history.phases, late_ids);
    for phase in &mut history.phases {
        phase.tells.sort_by_key(|tell| tell.id);
    }
    history
}

struct Writer {
    dice: Dice,
    kind: Kind,
    home: &'static str,
    abroad: Option<&'static str>,
    /// No two hits are of one minute: of claims of one minute the product keeps the first and the last alone.
    minutes: BTreeSet<i64>,
    told: i64,
    acted: i64,
}

impl Writer {
    fn one_in(&mut self, of: usize) -> bool {
        self.dice.below(of) == 0
    }

    fn version(&mut self, from_ms: i64) -> Version {
        let levels = [0, 0, 0, 1, 2, 3][self.dice.below(6)];
        let mut level = || {
            let rate = *self.dice.pick(&[100_000, 50_000, 333_333, 1]);
            Level { rate, of_sale: self.dice.below(3) == 0 }
        };
        let levels = (0..levels).map(|_| level()).collect();
        Version { from_ms, terms: self.terms(), levels }
    }

    fn terms(&mut self) -> Terms {
        if self.one_in(3) {
            return Terms::Flat(*self.dice.pick(&[0, 1, 499, 500, 12_345]));
        }
        let rate = *self
            .dice
            .pick(&[100_000, 125_000, 333_333, 70_000, 1_000_000, 0, 1, 500_000, 50_000, 999_999]);
        let at_home = self.one_in(2);
        // Bounds are amounts of the commission's currency, which may be another where another is met.
        let bounded = (at_home || self.abroad.is_none()) && self.one_in(3);
        let minimum = (bounded && self.one_in(2)).then(|| *self.dice.pick(&[1, 7, 250]));
        let maximum = (bounded && self.one_in(2)).then(|| *self.dice.pick(&[250, 1_000, 99_999]));
        Terms::Percent { rate, minimum, maximum, at_home }
    }

    fn phase(&mut self, at: usize) -> Phase {
        let end_ms = START + (at as i64 + 1) * PHASE_DAYS * DAY;
        let pays = self.kind == Kind::Payouts && !self.one_in(3);
        Phase { end_ms, pays, ..Phase::default() }
    }

    fn order(&mut self, order: usize, phases: &mut [Phase]) {
        let own = self.dice.below(phases.len());
        let cash = self.cash();
        let placed = phases[own].end_ms - (1 + self.dice.below(19 * 1440) as i64) * MINUTE;
        for _ in 0..self.dice.below(5) {
            let sale = self.sale(cash, placed);
            // A sale that is told again later is told by a page that is opened again.
            let later = own + self.dice.below(phases.len() - own);
            let anywhere = self.one_in(3);
            let (at, sale) = match self.kind {
                Kind::Payouts if later != own => (later, Sale { verified: false, cash, ..sale }),
                Kind::Payouts => (own, sale),
                _ if anywhere => (self.dice.below(phases.len()), sale),
                _ => (own, sale),
            };
            let around = if at == own { placed } else { self.moment(&phases[at]) };
            self.tell(order, around, What::Sale(sale), &mut phases[at]);
        }
        for _ in 0..self.dice.below(4) {
            let (at, back) = (self.dice.below(phases.len()), self.back(cash));
            let around = self.moment(&phases[at]);
            self.tell(order, around, What::Back(back), &mut phases[at]);
        }
        if self.one_in(8) {
            let (at, back) = (self.dice.below(phases.len()), self.back(cash));
            for _ in 0..2 {
                let around = self.moment(&phases[at]);
                self.tell(order, around, What::Back(back.clone()), &mut phases[at]);
            }
        }
    }

    fn moment(&mut self, phase: &Phase) -> i64 {
        phase.end_ms - (1 + self.dice.below(19 * 1440) as i64) * MINUTE
    }

    /// Tells about a moment: within the half hour in which unsigned evidence is believed, or apart from it.
    fn tell(&mut self, order: usize, around: i64, what: What, phase: &mut Phase) {
        let spread = if self.one_in(3) { 600 } else { CLAIM_TIME };
        let mut at_ms = around + (self.dice.below(2 * spread as usize) as i64 - spread) * MINUTE;
        at_ms = at_ms.clamp(phase.end_ms - PHASE_DAYS * DAY, phase.end_ms - MINUTE);
        while !self.minutes.insert(at_ms / MINUTE) {
            at_ms += MINUTE;
            if at_ms >= phase.end_ms {
                at_ms = phase.end_ms - PHASE_DAYS * DAY;
            }
        }
        self.told += 1;
        let id = id::next(0, 7, at_ms) + self.told % 4_096;
        phase.tells.push(Tell { id, at_ms, order, what });
    }

    fn sale(&mut self, usual: Cash, at_ms: i64) -> Sale {
        let cash = if self.one_in(4) { self.cash() } else { usual };
        let mut clicks = || {
            let click = |dice: &mut Dice| Click {
                affiliate: *dice.pick(&AFFILIATES),
                link: dice.below(2) as Id,
                at_ms: at_ms - (1 + dice.below(40) as i64) * DAY,
            };
            let many = *self.dice.pick(&[0, 0, 0, 0, 1, 1, 1, 2, 3, 5]);
            (0..many).map(|_| click(&mut self.dice)).collect()
        };
        let (token, cookie) = (clicks(), clicks());
        Sale { verified: self.one_in(2), cash, token, coupon: self.one_in(6), cookie }
    }

    fn cash(&mut self) -> Cash {
        let abroad = self.abroad.filter(|_| self.dice.below(3) == 0);
        let minor = match self.dice.below(8) {
            0 => *self.dice.pick(&[0, 1, 5, 15, 25, 35]),
            1 => 1_000_000_000_000 + self.dice.below(1_000_000) as i128,
            2 => 1 + self.dice.below(100) as i128,
            _ => 1 + self.dice.below(1_000_000) as i128,
        };
        Cash { minor, currency: abroad.unwrap_or(self.home) }
    }

    fn part(&mut self, of: Cash) -> Cash {
        let minor = match self.dice.below(7) {
            0 => 1,
            1 => of.minor,
            2 => of.minor / 2,
            3 => of.minor / 3,
            4 => of.minor * 2 + 1,
            _ => of.minor * (1 + self.dice.below(99) as i128) / 100,
        };
        let elsewhere = self.abroad.filter(|_| self.dice.below(4) == 0);
        Cash { minor: minor.max(1), currency: elsewhere.unwrap_or(of.currency) }
    }

    fn back(&mut self, of: Cash) -> Back {
        let mut cash = Some(self.part(of)).filter(|_| !self.one_in(5));
        if self.one_in(2) {
            let name = *self.dice.pick(&["a", "b", "all"]);
            cash = cash.filter(|_| name != "all");
            return Back::Refund { name, cash };
        }
        let stage =
            *self.dice.pick(&["open", "open", "open", "won", "lost", "accepted", "potential"]);
        let name = *self.dice.pick(&["x", "y"]);
        Back::Chargeback { name, cash, stage }
    }

    /// What people do at the end of phases.
    fn people(&mut self, phases: &mut [Phase], late_ids: bool) {
        let of_all = id::next(0, 9, phases[phases.len() - 1].end_ms + 1_000 * DAY);
        let mut paid = false;
        for phase in phases {
            let first = if late_ids { of_all } else { id::next(0, 9, phase.end_ms) };
            for _ in 0..self.dice.below(5) {
                self.acted += 1;
                let (id, order) = (first + self.acted, self.dice.below(6));
                let Some(deed) = self.deed(paid) else { continue };
                let act = Act { id, order, deed };
                match (&act.deed, self.kind) {
                    (Deed::Approve, Kind::Verdicts) => phase.approvals.push(act),
                    _ => phase.acts.push(act),
                }
            }
            paid |= phase.pays;
        }
    }

    /// Of what was paid, nothing is rejected or corrected.
    fn deed(&mut self, paid: bool) -> Option<Deed> {
        let cash = self.cash();
        Some(match (self.dice.below(6), self.kind) {
            (0, _) => Deed::Back(self.back(cash)),
            (1, _) if !paid && self.one_in(4) => Deed::Correct(Cash { minor: 0, ..cash }),
            (1, _) if !paid => Deed::Correct(cash),
            (2, Kind::Verdicts | Kind::Payouts) if !paid => Deed::Reject,
            (3..=5, Kind::Verdicts | Kind::Payouts) => Deed::Approve,
            _ => return None,
        })
    }
}
