//! What goes back of a sale, without a server. The books follow from what is known, not from how it came.

mod corrected; // what a person says that a sale was of
mod histories; // as nobody thought of them

use std::collections::{BTreeMap, HashMap};

use rust_decimal::Decimal;

use tributary::domain::hit::Hit;
use tributary::domain::id::Id;
use tributary::domain::ledger::{Cause, Status, Transfer};
use tributary::domain::lookups::Aid;
use tributary::domain::money::{Currency, Money};
use tributary::domain::settlement::{self, Action, By, Conversion, Refused, act};

use crate::world::*;

/// The books, with each share's place in them.
struct Books {
    world: World,
    /// What each part of each conversion has in each account, of each affiliate.
    places: BTreeMap<(Id, i16, &'static str, Id), Decimal>,
    posted: Vec<(Id, i16, &'static str, Id)>,
    acts: Id,
}

impl Books {
    fn new() -> Self {
        Books::under(r#"{"kind":"percent","rate":"10"}"#)
    }

    /// Under a plan.
    fn under(plan: &str) -> Self {
        let mut rows = rows();
        rows.programs[0].plans[0].terms = terms(plan);
        let (places, posted) = (BTreeMap::new(), Vec::new());
        Books { world: World::of(rows), places, posted, acts: Id::MAX / 2 }
    }

    fn of(hits: &[Sent]) -> Self {
        let mut books = Books::new();
        for hit in hits {
            books.settle(std::slice::from_ref(hit));
        }
        books
    }

    /// Settles a batch; the outcome of each hit with its reasons.
    fn settle(&mut self, batch: &[Sent]) -> Vec<String> {
        let bytes: Vec<Vec<u8>> = batch.iter().map(Sent::bytes).collect();
        let (catalog, keys) = (&self.world.catalog, &self.world.keys);
        let read = |bytes: &Vec<u8>| settlement::read(&Hit::decode(bytes).unwrap(), catalog, keys);
        let reads = bytes.iter().map(read).collect();
        let told = settlement::batch(reads, self.world.orders.clone(), catalog);
        let settled = told.settle(catalog, Aid::default());
        self.keep(settled.conversions, settled.transfers);
        let told: HashMap<Id, String> = settled
            .fates
            .iter()
            .map(|fate| (fate.hit, format!("{} {}", fate.outcome.code(), fate.reasons.join(" "))))
            .collect();
        batch.iter().map(|sent| told[&sent.id].trim().to_owned()).collect()
    }

    fn keep(&mut self, conversions: Vec<Conversion>, transfers: Vec<Transfer>) {
        for transfer in transfers {
            let id = transfer.conversion_id.unwrap();
            let identity = (id, transfer.part, transfer.code.code(), transfer.cause_id);
            assert!(!self.posted.contains(&identity), "posted twice: {transfer:?}");
            self.posted.push(identity);
            let amount = transfer.amount.amount;
            assert!(amount > Decimal::ZERO, "{transfer:?}");
            for ((account, owner), amount) in [(transfer.debit, -amount), (transfer.credit, amount)]
            {
                let place = (id, transfer.part, account.code(), owner);
                *self.places.entry(place).or_default() += amount;
            }
        }
        self.places.retain(|_, amount| !amount.is_zero());
        for mut conversion in conversions {
            conversion.revision += 1;
            self.check(&conversion);
            self.world.orders.insert(conversion.key.clone(), conversion);
        }
    }

    /// What the books hold for a conversion is what it says.
    fn check(&self, made: &Conversion) {
        let net = made.booked.amount.amount - made.reversed;
        assert!(made.reversed >= Decimal::ZERO && net >= Decimal::ZERO, "{made:?}");
        let sale = made.order.sale().amount;
        assert!(made.refunded >= Decimal::ZERO && made.refunded <= sale, "{made:?}");
        let account = match made.booked.status {
            Status::Pending => Some("affiliate_pending"),
            Status::Payable | Status::Paid => Some("affiliate_payable"),
            Status::Rejected | Status::Reversed => None,
        };
        let expected: Vec<_> = made
            .booked
            .affiliate_id
            .zip(account)
            .filter(|_| !net.is_zero())
            .map(|(owner, account)| (account, owner, net))
            .into_iter()
            .collect();
        let own = self
            .places
            .iter()
            .filter(|((id, _, account, _), _)| *id == made.id && *account != "advertiser");
        let held: Vec<_> =
            own.map(|((_, _, account, owner), net)| (*account, *owner, *net)).collect();
        assert_eq!(held, expected, "{made:?}");
    }

    fn act(&mut self, action: Action) -> Result<(), Refused> {
        let made = self.made().clone();
        self.acts += 1;
        let by =
            By { cause: Cause { id: self.acts, event_ms: T0 }, booked_by: self.booked_by(&made) };
        let program = self.world.catalog.program(PROGRAM).unwrap();
        let (now, transfers) = act(&made, &action, (program, Aid::default()), by)?;
        self.keep(vec![now], transfers);
        Ok(())
    }

    fn booked_by(&self, made: &Conversion) -> Id {
        let booked = |code: &str| ["accrue", "hold", "restore"].contains(&code);
        let last = self.posted.iter().rev().find(|(id, _, code, _)| *id == made.id && booked(code));
        last.map_or(made.id, |(.., cause)| *cause)
    }

    fn made(&self) -> &Conversion {
        self.world.orders.values().next().unwrap()
    }

    fn set(&mut self, status: Status) {
        self.world.orders.values_mut().next().unwrap().booked.status = status;
    }

    /// `status commission reversed refunded held`.
    fn state(&self) -> String {
        let made = self.made();
        let held = if made.held { " held" } else { "" };
        let status = made.booked.status.code();
        format!("{status} {} {} {}{held}", made.booked.amount.amount, made.reversed, made.refunded)
    }

    /// By account, owner and currency, as balances are compared.
    fn balances(&self) -> BTreeMap<(String, &'static str, Id), Decimal> {
        let mut sums = BTreeMap::new();
        for ((id, _, account, owner), amount) in &self.places {
            let key = &self.world.orders.values().find(|made| made.id == *id).unwrap().key;
            *sums.entry((key.text.clone(), *account, *owner)).or_default() += amount;
        }
        sums
    }
}

fn sale(second: i64, query: &str) -> Sent {
    pixel(second, query).postback().token(click_token(ANN, T0 - DAY, 1))
}

fn told(second: i64, query: &str) -> Sent {
    pixel(second, query).postback()
}

#[test]
fn what_goes_back_is_taken_back_cumulatively() {
    let refund = |n: i64, rest: &str| told(n, &format!("type=refund&id=1{rest}"));
    let dispute = |n: i64, rest: &str| told(n, &format!("type=chargeback&id=1{rest}"));
    let one = sale(0, "amount=100&id=1");
    for (hits, state) in [
        (vec![one.clone(), refund(1, "&refund_id=a&amount=30")], "pending 10.00 3.00 30.00"),
        (vec![one.clone(), refund(1, "")], "reversed 10.00 10.00 100.00"),
        (vec![refund(1, ""), one.clone()], "reversed 10.00 10.00 100.00"),
        (
            vec![
                one.clone(),
                refund(1, "&refund_id=a&amount=33.33"),
                refund(2, "&refund_id=b&amount=33.33"),
                refund(3, "&refund_id=c&amount=33.34"),
            ],
            "reversed 10.00 10.00 100.00",
        ),
        (
            vec![
                one.clone(),
                refund(1, "&refund_id=a&amount=70"),
                refund(2, "&refund_id=b&amount=70"),
            ],
            "reversed 10.00 10.00 100.00",
        ),
        (vec![one.clone(), dispute(1, "&status=open")], "pending 10.00 0.00 0.00 held"),
        (vec![one.clone(), dispute(1, "&status=open&potential=1")], "pending 10.00 0.00 0.00"),
        (vec![one.clone(), dispute(1, ""), dispute(2, "&status=won")], "pending 10.00 0.00 0.00"),
        (
            vec![one.clone(), dispute(1, "&amount=40"), dispute(2, "&amount=40&status=lost")],
            "pending 10.00 4.00 40.00",
        ),
        (
            vec![one.clone(), dispute(1, "&status=accepted"), dispute(2, "&status=won")],
            "pending 10.00 0.00 0.00",
        ),
        (
            vec![one.clone(), refund(1, "&refund_id=a&amount=10&currency=EUR")],
            "pending 10.00 0.00 0.00",
        ),
        (vec![sale(0, "amount=0&id=1"), refund(1, "")], "reversed 0.00 0.00 0.00"),
    ] {
        let books = Books::of(&hits);
        assert_eq!(books.state(), state, "{hits:?}");
    }
}

#[test]
fn each_telling_is_called_what_it_is() {
    let mut books = Books::new();
    for (hit, expected) in [
        ("type=refund&id=1&refund_id=a&amount=30", "held sale_awaited"),
        ("amount=100&id=1", "converted no_referral"),
        ("type=refund&id=1&refund_id=a&amount=30", "duplicate same_refund"),
        ("type=refund&id=1&refund_id=a&amount=31", "duplicate same_refund amount_differs"),
        ("type=refund&id=1&refund_id=b&amount=5&currency=EUR", "held refund_currency_differs"),
        ("type=refund&id=1&refund_id=c&amount=80", "refunded over_refunded"),
        ("type=chargeback&id=1&amount=5", "charged_back over_refunded"),
        ("type=chargeback&id=1&amount=5&status=open", "duplicate same_refund"),
        ("type=chargeback&id=1&amount=5&status=won", "charged_back over_refunded"),
        ("type=chargeback&id=1&amount=5&status=won", "duplicate same_refund"),
        ("amount=100&id=1", "duplicate same_order"),
    ]
    .into_iter()
    .enumerate()
    .map(|(n, (query, expected))| (told(n as i64, query), expected))
    {
        assert_eq!(books.settle(std::slice::from_ref(&hit)), [expected], "{}", hit.query);
    }
    assert_eq!(books.world.orders.len(), 1);
    let reasons = &books.made().reasons;
    let expected = ["over_refunded", "refund_currency_differs", "no_referral"];
    assert_eq!(reasons, &expected);
}

#[test]
fn a_dispute_holds_what_was_released_and_a_person_cannot_release_it() {
    let mut books = Books::of(&[sale(0, "amount=100&id=1")]);
    books.act(Action::Approve).unwrap();
    assert_eq!(books.act(Action::Approve), Err(Refused::Same));
    books.settle(&[told(1, "type=chargeback&id=1")]);
    assert_eq!(books.state(), "pending 10.00 0.00 0.00 held");
    assert_eq!(books.act(Action::Approve), Err(Refused::Disputed));
    // What a person approved is payable again at once; else time releases it.
    books.settle(&[told(2, "type=chargeback&id=1&status=won")]);
    assert_eq!(books.state(), "payable 10.00 0.00 0.00");
    books.settle(&[told(3, "type=chargeback&id=1&chargeback_id=b&status=lost")]);
    assert_eq!(books.state(), "reversed 10.00 10.00 100.00");
    assert_eq!(books.act(Action::Approve), Err(Refused::TooLate(Status::Reversed)));
    books.settle(&[told(4, "type=chargeback&id=1&chargeback_id=b&status=won")]);
    assert_eq!(books.state(), "payable 10.00 0.00 0.00");
}

#[test]
fn what_was_paid_is_taken_back_as_a_debt() {
    let mut books = Books::of(&[sale(0, "amount=100&id=1")]);
    books.act(Action::Approve).unwrap();
    books.set(Status::Paid);
    books.settle(&[told(1, "type=refund&id=1&refund_id=a&amount=30")]);
    assert_eq!(books.state(), "paid 10.00 3.00 30.00");
    let debts = |books: &Books| {
        let reversed = books.posted.iter().filter(|(_, _, code, _)| *code == "reverse");
        reversed.count()
    };
    books.settle(&[told(2, "type=refund&id=1&refund_id=b&amount=70")]);
    assert_eq!((books.state(), debts(&books)), ("reversed 10.00 10.00 100.00".to_owned(), 2));
    assert_eq!(
        books.act(Action::Reject("late".to_owned())),
        Err(Refused::TooLate(Status::Reversed))
    );
}

#[test]
fn what_is_rejected_moves_no_money_and_a_rejection_takes_the_rest() {
    let mut books = Books::of(&[sale(0, "amount=100&id=1")]);
    books.settle(&[told(1, "type=refund&id=1&refund_id=a&amount=30")]);
    books.act(Action::Reject("fraud".to_owned())).unwrap();
    assert!(books.places.is_empty(), "{:?}", books.places);
    books.settle(&[told(2, "type=refund&id=1&refund_id=b&amount=70")]);
    assert_eq!(books.state(), "rejected 10.00 10.00 100.00");
    assert!(books.places.is_empty());
}

fn usd(amount: &str) -> Money {
    Money::rounded(amount.parse().unwrap(), Currency::parse("USD").unwrap())
}
