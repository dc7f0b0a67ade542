//! Scopes, and how long two keys go on side by side.

use serde_json::{Value, json};

use super::{Checked, Rule};
use crate::domain::rights::{Right, Rights};

/// Seconds that a key may go on beside its successor: a day, at most 90 days.
pub(in super::super) const OVERLAP_SECONDS_USUAL: i64 = 24 * 3_600;
const OVERLAP_SECONDS_MAX: i64 = 90 * OVERLAP_SECONDS_USUAL;

/// A list of scopes, `read` among them.
pub(in super::super) const SCOPES: Rule<Rights> = Rule {
    check: scopes,
    schema: || {
        let scope = json!({"type": "string", "enum": Rights::ALL.codes()});
        json!({"type": "array", "items": scope, "contains": {"const": Right::Read.code()}})
    },
};

/// The scopes of an affiliate, who only reads.
pub(in super::super) const SCOPES_OF_AFFILIATE: Rule<Rights> = Rule {
    check: |value| {
        let fits = |rights: &Rights| Rights::READ.cover(*rights);
        let fault = || "has more than the role `affiliate` can".to_owned();
        scopes(value).and_then(|rights| Some(rights).filter(fits).ok_or_else(fault))
    },
    schema: || {
        let scope = json!({"type": "string", "const": Right::Read.code()});
        json!({"type": "array", "items": scope, "minItems": 1})
    },
};

fn scopes(value: &Value) -> Checked<Rights> {
    let fault = || format!("must be a list of `{}`", Rights::ALL.codes().join("`, `"));
    let list = value.as_array().ok_or_else(fault)?;
    let known = list.iter().map(|scope| scope.as_str().filter(|s| Right::parse(s).is_some()));
    let rights = Rights::of(known.collect::<Option<Vec<_>>>().ok_or_else(fault)?);
    if rights.has(Right::Read) { Ok(rights) } else { Err("must have `read`".to_owned()) }
}

/// Seconds that a key goes on beside its successor.
pub(in super::super) const OVERLAP_SECONDS: Rule<i64> = Rule {
    check: |value| {
        // To JSON Schema 60.0 is a whole number too.
        let whole = || value.as_f64().filter(|n| n.trunc() == *n).map(|n| n as i64);
        let seconds = value.as_i64().or_else(whole);
        let seconds = seconds.filter(|n| (0..=OVERLAP_SECONDS_MAX).contains(n));
        seconds.ok_or_else(|| format!("must be a whole number from 0 to {OVERLAP_SECONDS_MAX}"))
    },
    schema: || {
        let what = "Seconds until the former key ends.";
        json!({"type": "integer", "minimum": 0, "maximum": OVERLAP_SECONDS_MAX, "description": what})
    },
};

/// What can only be taken off.
pub(in super::super) const OFF: Rule<()> = Rule {
    check: |value| {
        let off = (value.as_bool() == Some(false)).then_some(());
        off.ok_or_else(|| "can only be taken off: must be false".to_owned())
    },
    schema: || json!({"type": "boolean", "const": false, "description": "False takes it off."}),
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scopes_are_known_and_have_read() {
        let rights = (SCOPES.check)(&json!(["read", "money"])).unwrap();
        assert_eq!(rights.codes(), ["read", "money"]);
        for value in
            [json!([]), json!(["money"]), json!(["read", "all"]), json!("read"), json!([1])]
        {
            assert!((SCOPES.check)(&value).is_err(), "{value}");
        }
        assert_eq!((SCOPES_OF_AFFILIATE.check)(&json!(["read"])), Ok(Rights::READ));
        assert!((SCOPES_OF_AFFILIATE.check)(&json!(["read", "money"])).is_err());
    }

    #[test]
    fn overlaps_are_whole_seconds() {
        assert_eq!((OVERLAP_SECONDS.check)(&json!(0)), Ok(0));
        assert_eq!((OVERLAP_SECONDS.check)(&json!(60.0)), Ok(60));
        for value in [json!(-1), json!(0.5), json!(OVERLAP_SECONDS_MAX + 1), json!("60")] {
            assert!((OVERLAP_SECONDS.check)(&value).is_err(), "{value}");
        }
    }
}
