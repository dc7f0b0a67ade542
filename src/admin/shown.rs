//! What the resources show alike: ids and money, each with its schema.

use rust_decimal::Decimal;
use serde::{Serialize, Serializer};
use serde_json::Value;
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{
    AdditionalProperties, Array, ArrayBuilder, Object, ObjectBuilder, Schema, SchemaType, Type,
};
use utoipa::{PartialSchema, ToSchema};

use super::rules::{self, Rule};
use crate::domain::id::Id;
use crate::domain::money;
use crate::domain::rights::Rights;

/// An id as JSON carries it: a text, because JavaScript loses integers above 2^53.
#[derive(Debug, Clone, Copy)]
pub(super) struct IdText(pub Id);

impl Serialize for IdText {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(&self.0)
    }
}

impl PartialSchema for IdText {
    fn schema() -> RefOr<Schema> {
        let schema = rules::id_schema();
        let text = |key| schema[key].as_str().map(str::to_owned);
        let id = ObjectBuilder::new().schema_type(Type::String).pattern(text("pattern"));
        let id = id.description(Some("An id: digits, as a text."));
        id.examples(schema["examples"].as_array().cloned().unwrap_or_default()).into()
    }
}

impl ToSchema for IdText {
    fn name() -> std::borrow::Cow<'static, str> {
        "Id".into()
    }
}

/// An amount in a currency; amounts of different currencies are never added.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(super) struct Money {
    /// A decimal number as a text, with the currency's decimals.
    #[schema(value_type = String, example = "19.95")]
    amount: Decimal,
    /// ISO 4217.
    #[schema(example = "USD")]
    currency: &'static str,
}

impl From<money::Money> for Money {
    fn from(money: money::Money) -> Self {
        Money { amount: money.amount, currency: money.currency.code() }
    }
}

pub(super) fn words(rule: Rule<String>) -> Object {
    let words: Vec<Value> = (rule.schema)()["enum"].as_array().cloned().unwrap_or_default();
    ObjectBuilder::new().schema_type(Type::String).enum_values(Some(words)).build()
}

pub(super) fn attribution() -> Object {
    words(rules::ATTRIBUTION)
}

pub(super) fn unsigned() -> Object {
    words(rules::UNSIGNED)
}

pub(super) fn return_method() -> Object {
    words(rules::RETURN_METHOD)
}

pub(super) fn role() -> Object {
    words(rules::ROLE)
}

/// What somebody may do.
pub(super) fn scopes() -> Array {
    let word = ObjectBuilder::new().schema_type(Type::String);
    let word = word.enum_values(Some(Rights::ALL.codes())).build();
    ArrayBuilder::new().items(word).build()
}

/// An object of which nobody knows the fields beforehand, or null.
pub(super) fn any_fields() -> Object {
    let fields =
        ObjectBuilder::new().schema_type(SchemaType::from_iter([Type::Object, Type::Null]));
    fields.additional_properties(Some(AdditionalProperties::FreeForm(true))).build()
}

pub(super) fn status() -> Object {
    words(rules::STATUS)
}

pub(super) fn stage() -> Object {
    words(rules::STAGE)
}

pub(super) fn dispute() -> Object {
    words(rules::DISPUTE)
}

pub(super) fn payout_status() -> Object {
    words(rules::PAYOUT_STATUS)
}

pub(super) fn payee_method() -> Object {
    words(rules::PAYEE_METHOD)
}

pub(super) fn outcome() -> Object {
    words(rules::OUTCOME)
}
