//! Deciding again, without a server, over histories nobody thought of: whatever was wrong when hits were
//! settled, once it is mended and they are decided again, in any batches, the books are those that there would
//! have been, and deciding once more changes nothing.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use proptest::prelude::*;
use proptest::sample::Index;

use tributary::domain::id::Id;
use tributary::domain::ledger::Transfer;
use tributary::domain::order::Key;
use tributary::domain::replay::{Again, Cause, Stored, decide};
use tributary::domain::settlement::{Conversion, Fate, Read};

use crate::orders::any_hit;
use crate::world::*;

/// The books of a world with the hits that made them.
struct Kept {
    world: World,
    hits: BTreeMap<Id, Stored>,
    /// Conversion, code and cause of all transfers of replays.
    posted: BTreeSet<(Option<Id>, &'static str, Id)>,
    replays: Id,
}

impl Kept {
    fn settle(hits: &[Sent], cuts: &[Index]) -> Kept {
        let mut world = World::new();
        for batch in batches(hits, cuts) {
            world.settle(batch);
        }
        let fates: HashMap<Id, Fate> = world.fates.iter().map(|f| (f.hit, f.clone())).collect();
        let stored = |sent: &Sent| {
            let (id, raw) = (sent.id, sent.bytes());
            (id, Stored { fate: fates[&id].clone(), id, raw })
        };
        let hits = hits.iter().map(stored).collect();
        Kept { world, hits, posted: BTreeSet::new(), replays: 0 }
    }

    fn read(&self, stored: &Stored) -> Again {
        let read = stored.read(&self.world.catalog, &self.world.keys);
        Again { before: stored.fate.clone(), read }
    }

    /// Decides hits again; whether anything was changed.
    fn again(&mut self, ids: &[Id]) -> bool {
        let chosen: Vec<&Stored> = ids.iter().map(|id| &self.hits[id]).collect();
        let orders: BTreeSet<Id> = chosen.iter().filter_map(|s| s.fate.conversion_id).collect();
        let mut members: BTreeMap<Id, Vec<Again>> = BTreeMap::new();
        for stored in self.hits.values() {
            if let Some(id) = stored.fate.conversion_id.filter(|id| orders.contains(id)) {
                members.entry(id).or_default().push(self.read(stored));
            }
        }
        let newcomers: Vec<Again> = chosen
            .iter()
            .filter(|stored| stored.fate.conversion_id.is_none())
            .map(|stored| self.read(stored))
            .collect();
        let mut known: HashMap<Key, Conversion> = HashMap::new();
        for (key, made) in &self.world.orders {
            let told = newcomers
                .iter()
                .any(|again| matches!(&again.read, Some(Read::Order(k, _)) if k == key));
            if told || orders.contains(&made.id) {
                known.insert(key.clone(), made.clone());
            }
        }
        self.replays += 1;
        let cause = Cause { id: self.replays, event_ms: T0 };
        let replayed = decide(newcomers, members, known, &self.world.catalog, cause);
        assert!(replayed.standing.is_empty(), "{:?}", replayed.standing);
        let changed = !replayed.hits.is_empty() || !replayed.conversions.is_empty();
        for change in replayed.hits {
            self.hits.get_mut(&change.before.hit).unwrap().fate = change.after;
        }
        for change in replayed.conversions {
            self.world.orders.insert(change.after.key.clone(), change.after);
        }
        replayed.transfers.iter().for_each(|transfer| self.post(transfer));
        changed
    }

    fn post(&mut self, transfer: &Transfer) {
        let identity = (transfer.conversion_id, transfer.code.code(), transfer.cause_id);
        assert!(self.posted.insert(identity), "posted twice: {transfer:?}");
        let currency = transfer.amount.currency.code();
        let balances = &mut self.world.balances;
        for ((account, owner), amount) in
            [(transfer.debit, -transfer.amount.amount), (transfer.credit, transfer.amount.amount)]
        {
            *balances.entry((account.code(), owner, currency)).or_default() += amount;
        }
        balances.retain(|_, balance| !balance.is_zero());
    }

    /// What an order comes to, for all that are not taken back.
    fn orders(&self) -> Vec<impl PartialEq + std::fmt::Debug + use<>> {
        let all = self.world.orders.values().filter(|made| !made.is_retracted());
        let mut orders: Vec<_> = all
            .map(|made| {
                let order = &made.order;
                let credit = order.attribution.clone();
                (
                    made.key.clone(),
                    order.money.clone(),
                    credit,
                    made.booked.amount,
                    order.amount_differs,
                )
            })
            .collect();
        orders.sort_by(|a, b| a.0.cmp(&b.0));
        orders
    }

    /// Each conversion has just one hit that made it, unless it is taken back: then it has no hit at all.
    fn check(&self) {
        for made in self.world.orders.values() {
            let hits = self.hits.values().filter(|s| s.fate.conversion_id == Some(made.id));
            let outcomes: Vec<&str> = hits.map(|s| s.fate.outcome.code()).collect();
            let makers = outcomes.iter().filter(|o| ["converted", "held"].contains(o)).count();
            assert_eq!(makers, usize::from(!made.is_retracted()), "{outcomes:?}");
            assert!(!made.is_retracted() || outcomes.is_empty());
        }
    }
}

fn batches<'a, T>(all: &'a [T], cuts: &[Index]) -> Vec<&'a [T]> {
    let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut.index(all.len())).collect();
    cuts.extend([0, all.len()]);
    cuts.sort_unstable();
    cuts.windows(2).map(|pair| &all[pair[0]..pair[1]]).filter(|batch| !batch.is_empty()).collect()
}

/// A hit as it was meant, and as it was settled: with another amount, without its evidence, without its
/// secret, or with a code that nobody knew. Or the other way around.
fn any_wrong() -> impl Strategy<Value = (Sent, Sent)> {
    (any_hit(), 0u8..8, any::<bool>()).prop_map(|(right, fault, around)| {
        let mut wrong = right.clone();
        match fault {
            0 => wrong.query = wrong.query.replace("amount=", "amount=9"),
            1 => wrong.query = wrong.query.split("&tclid=").next().unwrap().to_owned(),
            2 => wrong.bearer = false,
            3 => wrong.code = "unknown",
            4 => wrong.query = wrong.query.replace("amount=100", "amount=x"),
            5 => wrong.cookie.clear(),
            _ => {}
        }
        if around { (wrong, right) } else { (right, wrong) }
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn what_is_mended_makes_the_books_that_would_have_been(
        hits in proptest::collection::vec(any_wrong(), 1..40),
        settled in proptest::collection::vec(any::<Index>(), 0..8),
        replayed in proptest::collection::vec(any::<Index>(), 0..8),
        swaps in proptest::collection::vec((any::<Index>(), any::<Index>()), 0..40),
    ) {
        let mut hits = hits;
        for (n, (right, wrong)) in hits.iter_mut().enumerate() {
            right.id += n as i64; // As an edge numbers them: no two alike.
            wrong.id = right.id;
        }
        let (right, mut wrong): (Vec<Sent>, Vec<Sent>) = hits.into_iter().unzip();
        for (a, b) in swaps {
            let (a, b) = (a.index(wrong.len()), b.index(wrong.len()));
            wrong.swap(a, b);
        }
        let meant = Kept::settle(&right, &settled);
        let mut kept = Kept::settle(&wrong, &settled);
        let ids: Vec<Id> = wrong.iter().map(|sent| sent.id).collect();
        for batch in batches(&ids, &replayed) {
            prop_assert!(!kept.again(batch), "what was settled so stays so");
        }
        for sent in &right {
            kept.hits.get_mut(&sent.id).unwrap().raw = sent.bytes();
        }
        for batch in batches(&ids, &replayed) {
            kept.again(batch);
            kept.check();
        }
        prop_assert_eq!(meant.orders(), kept.orders());
        prop_assert_eq!(&meant.world.balances, &kept.world.balances);
        for batch in batches(&ids, &[]) {
            prop_assert!(!kept.again(batch), "twice is once");
        }
    }
}

#[test]
fn a_hit_that_reads_as_another_order_stays_and_so_does_the_order() {
    let mut kept = Kept::settle(&[pixel(0, "amount=100&id=1"), pixel(1, "amount=100&id=1")], &[]);
    let moved = pixel(1, "amount=100&id=2");
    kept.hits.get_mut(&moved.id).unwrap().raw = moved.bytes();
    let members: Vec<Again> = kept.hits.values().map(|stored| kept.read(stored)).collect();
    let id = kept.world.orders.values().next().unwrap().id;
    let cause = Cause { id: 1, event_ms: T0 };
    let (members, known) = (BTreeMap::from([(id, members)]), kept.world.orders.clone());
    let replayed = decide(Vec::new(), members, known, &kept.world.catalog, cause);
    assert!(replayed.hits.is_empty() && replayed.conversions.is_empty());
    assert_eq!(replayed.standing[0].1, tributary::domain::replay::Stands::AnotherOrder);
}

#[test]
fn what_is_settled_next_makes_a_retracted_conversion_anew() {
    let ann = click_token(ANN, T0 - DAY, 1);
    let sale = pixel(0, "amount=100&id=1").cookie(ann);
    let mut kept = Kept::settle(std::slice::from_ref(&sale), &[]);
    let nothing = Sent { query: "amount=x&id=1".to_owned(), ..sale.clone() };
    kept.hits.get_mut(&sale.id).unwrap().raw = nothing.bytes();
    assert!(kept.again(&[sale.id]));
    assert_eq!(kept.world.pending(ANN, "USD"), "");
    let made: Vec<&Conversion> = kept.world.orders.values().collect();
    assert!(made[0].is_retracted() && made[0].reasons == ["retracted"], "{:?}", made[0].reasons);
    let fates = kept
        .world
        .settle(&[pixel(5, "amount=30&id=1").cookie(ann), pixel(6, "amount=30&id=1").cookie(ann)]);
    let outcomes: Vec<&str> = fates.iter().map(|fate| fate.outcome.code()).collect();
    assert_eq!(outcomes, ["converted", "duplicate"]);
    assert_eq!(kept.world.pending(ANN, "USD"), "3.00");
}
