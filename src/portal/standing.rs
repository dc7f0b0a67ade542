//! Where a sale stands and why, in words; what moved money, and from where to where.

use jiff::tz::TimeZone;

use super::show;
use crate::domain::reason::Reason;
use crate::store::sales::Standing;

/// Why a sale waits for a person, the most telling first.
const HELD: [(&str, &str); 6] = [
    ("amount_ambiguous", "its amount can be read in two ways"),
    ("order_id_missing", "it has no order id"),
    ("order_id_shared", "many have its order id"),
    ("rate_missing", "there is no exchange rate yet"),
    ("revived", "the shop vouches for the sale, not for who referred it"),
    ("unsigned_held", "nothing signed speaks for it"),
];

/// Why a sale of so much in a currency stands where it does, to its advertiser.
pub fn why(standing: &Standing, currency: &str, zone: &TimeZone) -> Vec<String> {
    let mut why = told(standing, currency, zone);
    let first = HELD.iter().find(|(code, _)| standing.reasons.iter().any(|r| r == code));
    if let (Some(waits), Some((_, words))) = (why.iter_mut().find(|w| *w == WAITS), first) {
        *waits = format!("{WAITS}: {words}");
    }
    if let Some(rejection) = standing.rejection.as_ref().filter(|_| standing.status == "rejected") {
        why.push(rejection.clone());
    }
    why
}

const WAITS: &str = "waits for approval";

/// The same to its affiliate: not why somebody looks at it, and not what was noted.
pub fn told(standing: &Standing, currency: &str, zone: &TimeZone) -> Vec<String> {
    let has = |reason: Reason| standing.reasons.iter().any(|code| code == reason.code());
    let first = match &*standing.status {
        "pending" if has(Reason::ChargebackOpen) => Some("chargeback open".to_owned()),
        "pending" if standing.held => Some(WAITS.to_owned()),
        "pending" => Some(format!("held until {}", show::day(standing.hold_until, zone))),
        "payable" if has(Reason::ApprovedByHand) => Some("approved by hand".to_owned()),
        "reversed" if has(Reason::SaleAwaited) => Some("awaits its sale".to_owned()),
        "reversed" if has(Reason::Retracted) => Some("no hit tells of it any more".to_owned()),
        "reversed" => Some("all of it went back to the buyer".to_owned()),
        _ => None,
    };
    let partly = standing.status != "reversed" && !standing.refunded.is_zero();
    let partly = partly.then(|| format!("{} went back", show::money(standing.refunded, currency)));
    let over = has(Reason::OverRefunded)
        .then(|| "more is told to have gone back than was paid".to_owned());
    let other = has(Reason::RefundCurrencyDiffers)
        .then(|| "a refund in another currency does not count".to_owned());
    [first, partly, over, other].into_iter().flatten().collect()
}

/// Why money moved.
pub fn moved(code: &str) -> &str {
    match code {
        "accrue" => "commission earned",
        "approve" => "became payable",
        "reject" => "rejected",
        "supersede" => "taken back: what is known of the sale changed",
        "reverse" => "taken back: the buyer has money back",
        // Also where all of a booking goes back: first comes what a refund had taken of it.
        "restore" => "put back: what a refund or chargeback took",
        "hold" => "held: a chargeback is open",
        "adjust" => "adjustment",
        "pay" => "paid out",
        "return" => "came back: the payout failed",
        "exchange" => "exchanged into another currency",
        code => code,
    }
}

/// An account, and whose it is.
pub fn account(code: &str, owner: Option<&str>) -> String {
    let words = match code {
        "advertiser" => return "advertiser".to_owned(),
        "affiliate_pending" => "pending",
        "affiliate_payable" => "payable",
        "affiliate_paid" => "paid",
        code => code,
    };
    match owner {
        Some(owner) => format!("{owner}: {words}"),
        None => words.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::ledger::Code;

    #[test]
    fn a_sale_says_why_it_stands_where_it_does() {
        let check = |status: &str, reasons: &[&str], refunded: &str, expected: [&str; 2]| {
            let standing = Standing {
                status: status.to_owned(),
                held: reasons.contains(&"unsigned_held"),
                hold_until: "2026-07-01T23:00:00Z".parse().unwrap(),
                reasons: reasons.iter().map(|code| (*code).to_owned()).collect(),
                refunded: refunded.parse().unwrap(),
                rejection: Some("no such order".to_owned()),
            };
            let zone = show::zone("Europe/Berlin");
            let all = [why(&standing, "EUR", &zone), told(&standing, "EUR", &zone)];
            assert_eq!(all.map(|lines| lines.join("; ")), expected, "{status} {reasons:?}");
        };
        check("pending", &[], "0", ["held until 2026-07-02"; 2]);
        check("pending", &["chargeback_open"], "0", ["chargeback open"; 2]);
        let held = ["waits for approval: nothing signed speaks for it", "waits for approval"];
        check("pending", &["unsigned_held"], "0", held);
        check("payable", &["approved_by_hand"], "3", ["approved by hand; 3.00 EUR went back"; 2]);
        check("paid", &[], "0", [""; 2]);
        check("rejected", &["rejected_by_hand"], "0", ["no such order", ""]);
        check("reversed", &["sale_awaited"], "0", ["awaits its sale"; 2]);
        check("reversed", &[], "20", ["all of it went back to the buyer"; 2]);
    }

    #[test]
    fn every_code_has_words() {
        for code in Code::NAMES {
            assert_ne!(moved(code), code);
        }
        assert_eq!(account("affiliate_payable", Some("Ann")), "Ann: payable");
        assert_eq!(account("advertiser", None), "advertiser");
    }
}
