//! The shape in which terms are shown: that of the database's JSON, which is shown as it is.
#![allow(dead_code)] // Nothing is made of these; the document describes by them.

use utoipa::ToSchema;
use utoipa::openapi::schema::{Array, ArrayBuilder, Object};

use super::terms::{BUYER, KIND, LESS, MEASURE, OF, ORIGIN, PAID_IN, PER, REACH, TYPE};
use crate::admin::rules::Rule;
use crate::admin::shown::{self, IdText};

/// What a sale earns. What is left out is not asked for: no rules, no bounds, no months.
#[derive(ToSchema)]
pub(in crate::admin) struct TermsShown {
    #[schema(inline, schema_with = kind)]
    kind: String,
    /// Of `percent`: percent of the sale's amount.
    #[schema(nullable = false, example = "10")]
    rate: Option<String>,
    /// Of `flat`: so much, in the advertiser's currency.
    #[schema(nullable = false, example = "5.00")]
    amount: Option<String>,
    /// Of `flat`: once for each sale or lead, or for each item. `sale` where it is left out.
    #[schema(inline, schema_with = per, required = false)]
    per: Option<String>,
    /// A commission is at least so much, in its currency.
    #[schema(nullable = false, example = "1.00")]
    minimum: Option<String>,
    /// A commission is at most so much, in its currency.
    #[schema(nullable = false, example = "50.00")]
    maximum: Option<String>,
    /// What is taken off the sale's amount before percent are of it.
    #[schema(inline, schema_with = less, required = false)]
    less: Option<Vec<String>>,
    /// Which currency percent are paid in: the sale's, or the program's, which is the advertiser's. `sale` where it
    /// is left out. What has a flat amount in it is in the advertiser's.
    #[schema(inline, schema_with = paid_in, required = false)]
    currency: Option<String>,
    /// The first that holds says what is earned; where none does, the terms' own.
    #[schema(nullable = false)]
    rules: Option<Vec<PlanRule>>,
    /// More percent for more sales in a calendar month.
    #[schema(nullable = false)]
    tiers: Option<PlanTiers>,
    /// Amounts for a month in which so much was reached; each that was.
    #[schema(nullable = false)]
    bonuses: Option<Vec<PlanBonus>>,
    /// Commission of one affiliate in a month, at most, in the advertiser's currency; of commissions in others it
    /// knows nothing.
    #[schema(nullable = false, example = "1000.00")]
    cap: Option<String>,
    /// Whether renewals earn without a click or coupon of their own.
    #[schema(nullable = false)]
    recurring: Option<PlanRecurring>,
    /// What recruiters earn: first who recruited the affiliate, then who recruited him, and so on.
    #[schema(nullable = false)]
    levels: Option<Vec<PlanLevel>>,
}

/// What is earned when something holds.
#[derive(ToSchema)]
struct PlanRule {
    when: PlanCondition,
    #[schema(inline, schema_with = kind)]
    kind: String,
    /// Of `percent`.
    #[schema(nullable = false, example = "15")]
    rate: Option<String>,
    /// Of `flat`, in the advertiser's currency.
    #[schema(nullable = false, example = "5.00")]
    amount: Option<String>,
    /// Of `flat`: once for each sale or lead, or for each item.
    #[schema(inline, schema_with = per, required = false)]
    per: Option<String>,
    /// What the rule gives of one order is at least so much.
    #[schema(nullable = false, example = "1.00")]
    minimum: Option<String>,
    /// What the rule gives of one order is at most so much.
    #[schema(nullable = false, example = "50.00")]
    maximum: Option<String>,
}

/// What must hold: of each list that is there, one word, in whatever case.
#[derive(ToSchema)]
struct PlanCondition {
    /// Of the item: only the items of which it holds are paid by the rule. `*` at the end: whatever begins so.
    #[schema(nullable = false, example = json!(["BOOK-*"]))]
    sku: Option<Vec<String>>,
    /// Of the item; as with `sku`.
    #[schema(nullable = false, example = json!(["books"]))]
    category: Option<Vec<String>>,
    /// Whether the customer bought before; where the shop does not tell, neither holds.
    #[schema(inline, schema_with = buyer, required = false)]
    customer: Option<String>,
    /// Of the buyer, ISO 3166-1 alpha-2.
    #[schema(nullable = false, example = json!(["DE", "AT"]))]
    country: Option<Vec<String>>,
    #[schema(nullable = false, example = json!(["ANN10"]))]
    coupon: Option<Vec<String>>,
    #[schema(inline, schema_with = kind_of_sale, required = false)]
    r#type: Option<String>,
    /// How the order came about.
    #[schema(inline, schema_with = origin, required = false)]
    origin: Option<Vec<String>>,
    #[schema(nullable = false)]
    affiliate_ids: Option<Vec<IdText>>,
    /// Of affiliates.
    #[schema(nullable = false, example = json!(["partners"]))]
    groups: Option<Vec<String>>,
}

/// More percent for more sales of an affiliate in a calendar month, in the advertiser's time zone. They take the
/// place of the terms' own percent when the month closes; what a rule paid stays.
#[derive(ToSchema)]
struct PlanTiers {
    /// `volume`: amounts less refunds, in the advertiser's currency; `count`: sales and leads.
    #[schema(inline, schema_with = measure)]
    by: String,
    /// `whole`: all sales of the month earn by the step that was reached; `margin`: each by the step it is on.
    #[schema(inline, schema_with = reach)]
    on: String,
    steps: Vec<PlanStep>,
}

/// A step of tiers.
#[derive(ToSchema)]
struct PlanStep {
    /// Where it begins.
    #[schema(example = "1000.00")]
    from: String,
    /// Percent, not below those of the step before.
    #[schema(example = "12")]
    rate: String,
}

/// An amount for a month.
#[derive(ToSchema)]
struct PlanBonus {
    #[schema(inline, schema_with = measure)]
    by: String,
    /// Reached with so much.
    #[schema(example = "5000.00")]
    from: String,
    /// In the advertiser's currency.
    #[schema(example = "100.00")]
    amount: String,
}

/// How long renewals earn.
#[derive(ToSchema)]
struct PlanRecurring {
    /// Calendar months after the customer came, and a day; null: for life.
    #[schema(minimum = 1, maximum = 1200)]
    months: Option<i32>,
}

/// What one recruiter earns.
#[derive(ToSchema)]
struct PlanLevel {
    /// Percent.
    #[schema(example = "10")]
    rate: String,
    /// Of the affiliate's commission, or of the sale's amount.
    #[schema(inline, schema_with = of)]
    of: String,
}

fn kind() -> Object {
    shown::words(KIND)
}

fn per() -> Object {
    shown::words(PER)
}

fn paid_in() -> Object {
    shown::words(PAID_IN)
}

fn measure() -> Object {
    shown::words(MEASURE)
}

fn reach() -> Object {
    shown::words(REACH)
}

fn of() -> Object {
    shown::words(OF)
}

fn buyer() -> Object {
    shown::words(BUYER)
}

fn kind_of_sale() -> Object {
    shown::words(TYPE)
}

fn less() -> Array {
    list(LESS)
}

fn origin() -> Array {
    list(ORIGIN)
}

fn list(rule: Rule<String>) -> Array {
    ArrayBuilder::new().items(shown::words(rule)).build()
}
