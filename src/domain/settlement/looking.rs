//! What pricing looks up beside an order, once: what was found stands as long as the order asks the same.

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

use super::{Conversion, pricing};
use crate::domain::catalog::{Catalog, Plan, Program};
use crate::domain::intake::SaleKind;
use crate::domain::lookups::{Aid, Exchange, Lookups, Standing, Tied};
use crate::domain::money::Currency;
use crate::domain::rates::AGE_DAYS_MAX;
use crate::domain::ties::Customer;

/// A currency, the currency it is exchanged into, and the day of the quote.
pub type RateAsked = (Currency, Currency, Date);

impl Conversion {
    /// Looks up what the terms ask for and is not known yet.
    pub(super) fn look_up(&mut self, program: &Program, aid: Aid<'_>) {
        let Some(plan) = program.plan_at(self.order.speaker.value) else { return };
        if plan.terms.is_plain() && self.order.lookups.is_none() {
            return;
        }
        let mut lookups = self.order.lookups.take().unwrap_or_default();
        lookups.tie = self.tied(plan, program, (lookups.tie.take(), aid));
        if plan.terms.looks_at_affiliate() {
            let own = self.order.attribution.as_ref().map(|told| told.value.affiliate_id);
            let credited = own.or(lookups.credit().map(|credit| credit.affiliate_id));
            let known = lookups.affiliate.take().filter(|s| Some(s.affiliate_id) == credited);
            let now = || Some(Standing::of(credited?, aid.catalog?));
            lookups.affiliate = known.or_else(now);
        }
        let asked = self.rate_of(plan, program);
        let known = lookups.exchange.take();
        lookups.exchange = known.filter(|known| answers(known, asked)).or_else(|| {
            let (from, to, asked) = asked?;
            let quoted = aid.rates?.between(from, to, asked, AGE_DAYS_MAX)?;
            Some(Exchange { from, asked, quoted })
        });
        self.order.lookups = Some(lookups).filter(|lookups| **lookups != Lookups::default());
    }

    /// Notes what was missing when it was priced.
    pub(super) fn note_missing(&mut self, rate_missing: bool, items_unreadable: bool) {
        if self.order.lookups.is_some() || rate_missing || items_unreadable {
            let mut lookups = self.order.lookups.take().unwrap_or_default();
            (lookups.rate_missing, lookups.items_unreadable) = (rate_missing, items_unreadable);
            self.order.lookups = Some(lookups).filter(|lookups| **lookups != Lookups::default());
        }
    }

    /// The rate that it needs and does not have.
    pub fn rate_asked(&self, program: &Program) -> Option<RateAsked> {
        let is_home = self.order.sale().currency == program.currency;
        if self.awaits_sale() || is_home || self.order.is_voided() {
            return None;
        }
        let plan = program.plan_at(self.order.speaker.value)?;
        let known = self.order.lookups.as_ref().and_then(|lookups| lookups.exchange.as_ref());
        let asked = self.rate_of(plan, program);
        asked.filter(|_| known.is_none_or(|known| !answers(known, asked)))
    }

    /// The rate that the terms may need: that of the day before the sale came, for a day's quotes are told at its end.
    fn rate_of(&self, plan: &Plan, program: &Program) -> Option<RateAsked> {
        let from = self.order.sale().currency;
        if !plan.terms.may_convert(from, program.currency) {
            return None;
        }
        let came = Timestamp::from_millisecond(self.order.speaker.value).ok()?;
        let day = came.to_zoned(TimeZone::UTC).date().yesterday().ok()?;
        Some((from, program.currency, day))
    }

    /// The customer whose renewal it is, where he may be whom it is credited by.
    pub(super) fn renewed(&self, program: &Program) -> Option<Customer> {
        let plan = program.plan_at(self.order.speaker.value)?;
        let name = pricing::renews(&self.order, self.key.kind, plan)?;
        Some(Customer { program_id: self.key.program_id, name: name.to_owned() })
    }

    /// Whether it is a sale of a named customer under a plan by which renewals earn.
    pub(in crate::domain) fn is_of_customer(&self, program: &Program) -> bool {
        let plan = program.plan_at(self.order.speaker.value);
        let recurring = plan.is_some_and(|plan| plan.terms.recurring.is_some());
        recurring && self.order.customer.is_some() && self.key.kind == SaleKind::Sale
    }

    /// By whom a renewal's customer came, if it earns him anything.
    fn tied(
        &self,
        plan: &Plan,
        program: &Program,
        (known, aid): (Option<Tied>, Aid<'_>),
    ) -> Option<Tied> {
        let customer = self.renewed(program)?;
        let Some(found) = aid.ties.and_then(|ties| ties.of(&customer)) else { return known };
        let renewed_ms = self.order.speaker.value;
        let zone = TimeZone::get(&program.timezone).unwrap_or(TimeZone::UTC);
        let tie = found.filter(|t| plan.terms.renewal_earns(t.at_ms, renewed_ms, &zone))?;
        if let Some(known) = known.filter(|known| known.tie == *tie) {
            return Some(known);
        }
        let affiliate_id = tie.attribution.affiliate_id;
        let active = |catalog: &Catalog| catalog.affiliate_is_active(affiliate_id, renewed_ms);
        let active = program.is_active(renewed_ms) && aid.catalog.is_none_or(active);
        Some(Tied { tie: tie.clone(), active })
    }
}

fn answers(known: &Exchange, asked: Option<RateAsked>) -> bool {
    asked.is_some_and(|(from, _, asked)| (known.from, known.asked) == (from, asked))
}
