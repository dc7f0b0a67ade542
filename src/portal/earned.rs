//! What an affiliate earned, sale by sale: his own, and his shares of others' sales, in one list. Of another's sale he
//! is told when it was, in which program, and what is his; not what was bought, or for how much.

use std::cmp::Reverse;

use super::show::{self, Moment, State};
use super::standing;
use crate::domain::id::Id;
use crate::domain::ledger::ShareKind;
use crate::store::earnings::{Sale, Share};
use crate::store::portal::PAGE_ROWS;

/// A sale, or a share of one.
pub struct SaleLine {
    id: Id,
    pub at: Moment,
    pub program: String,
    /// Of another's sale he is told neither order nor amount.
    pub others: bool,
    pub order_id: Option<String>,
    pub amount: Option<String>,
    pub commission: String,
    pub state: State,
    pub why: Vec<String>,
    pub unverified: bool,
    pub credited_by: String,
}

/// A page of both, newest first, each as it was read: and what the next page begins behind. What he has of one sale
/// stands on one page.
pub fn page(sales: Vec<Sale>, shares: Vec<Share>) -> (Vec<SaleLine>, Option<Id>) {
    let mut lines: Vec<SaleLine> = sales.into_iter().map(sale_line).collect();
    lines.extend(shares.into_iter().map(share_line));
    lines.sort_by_key(|line| Reverse(line.id));
    let last = lines.get(PAGE_ROWS - 1).map(|line| line.id);
    let older = last.filter(|last| lines.iter().any(|line| line.id < *last));
    lines.retain(|line| last.is_none_or(|last| line.id >= last));
    (lines, older)
}

fn sale_line(sale: Sale) -> SaleLine {
    let zone = show::zone(&sale.timezone);
    let mut why = standing::told(&sale.standing, &sale.currency, &zone);
    // An open one is told already.
    let told = sale.chargebacks.iter().filter(|stage| *stage != "open");
    why.extend(told.map(|stage| format!("chargeback {stage}")));
    SaleLine {
        id: sale.id,
        at: show::moment(sale.received_at, &zone),
        program: sale.program,
        others: false,
        order_id: sale.order_id,
        amount: Some(show::money(sale.amount, &sale.currency)),
        commission: show::money(sale.commission, &sale.commission_currency),
        state: show::state(&sale.standing.status),
        why,
        unverified: !sale.verified,
        credited_by: show::attributed_by(sale.attributed_by.as_deref()).to_owned(),
    }
}

fn share_line(share: Share) -> SaleLine {
    let taken_back = match &*share.status {
        "rejected" | "reversed" => None,
        _ => Some(share.reversed).filter(|reversed| !reversed.is_zero()),
    };
    let money = |amount| show::money(amount, &share.currency);
    SaleLine {
        id: share.id,
        at: show::moment(share.at, &show::zone(&share.timezone)),
        program: share.program,
        others: true,
        order_id: None,
        amount: None,
        commission: money(share.commission),
        state: show::state(&share.status),
        why: taken_back.map(|amount| format!("{} taken back", money(amount))).into_iter().collect(),
        unverified: false,
        credited_by: match share.kind {
            ShareKind::Touch => "one of several clicks".to_owned(),
            ShareKind::Level(level) => format!("recruiting, level {level}"),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn share(id: Id, kind: ShareKind) -> Share {
        Share {
            id,
            at: jiff::Timestamp::UNIX_EPOCH,
            timezone: "UTC".to_owned(),
            program: "Shoes".to_owned(),
            kind,
            commission: "1.5".parse().unwrap(),
            reversed: "0.5".parse().unwrap(),
            currency: "EUR".to_owned(),
            status: "payable".to_owned(),
        }
    }

    #[test]
    fn no_page_parts_what_one_has_of_a_sale() {
        let check = |ids: &[Id], expected: (usize, Option<Id>)| {
            let shares = ids.iter().map(|id| share(*id, ShareKind::Level(1))).collect();
            let (lines, older) = page(Vec::new(), shares);
            assert_eq!((lines.len(), older), expected, "{ids:?}");
        };
        let rows: Vec<Id> = (1..=PAGE_ROWS as Id).rev().collect();
        check(&rows, (PAGE_ROWS, None));
        check(&[&rows[..], &[1, 1]].concat(), (PAGE_ROWS + 2, None));
        check(&[&rows[..], &[0]].concat(), (PAGE_ROWS, Some(1)));
        check(&[&rows[..], &[1, 0]].concat(), (PAGE_ROWS + 1, Some(1)));
        check(&[], (0, None));
    }

    #[test]
    fn a_share_says_what_it_is_and_what_went_back() {
        for (kind, expected) in [
            (ShareKind::Touch, "one of several clicks"),
            (ShareKind::Level(2), "recruiting, level 2"),
        ] {
            let line = share_line(share(7, kind));
            assert_eq!((&*line.credited_by, &*line.commission), (expected, "1.50 EUR"));
            assert_eq!(line.why, ["0.50 EUR taken back"]);
            assert!(line.others && line.order_id.is_none() && line.amount.is_none());
        }
    }
}
