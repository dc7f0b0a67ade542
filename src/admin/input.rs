//! A JSON object or a query to typed fields, and a complete list of what is wrong with it: the unknown,
//! the missing and the mistyped, each with its pointer (RFC 6901). Takes values, hands on values or
//! faults; knows neither HTTP nor the database.

use serde_json::{Map, Value};

use crate::http::FieldError;

/// Faults told of one request, at most.
const FAULTS_MAX: usize = 50;

/// The fields of one object. Each is taken out when it is read; what is left at the end is unknown.
#[derive(Debug)]
pub(super) struct Input {
    fields: Map<String, Value>,
    /// What stands before a field's name in its pointer: `/` in a body, nothing in a query.
    prefix: String,
    faults: Vec<FieldError>,
    /// There was no object to read: that is its one fault.
    broken: bool,
}

/// What a value should have been, to a person.
pub(super) type Rule<T> = fn(&Value) -> Result<T, String>;

impl Input {
    /// The fields of a body. What is not an object has one fault and no fields.
    pub fn body(value: Value) -> Self {
        Input::object(value, String::new())
    }

    /// The parameters of a query; of several with one name the last counts.
    pub fn query(query: &str) -> Self {
        let pairs = url::form_urlencoded::parse(query.as_bytes());
        let fields = pairs.map(|(name, value)| (name.into_owned(), Value::from(&*value))).collect();
        Input { fields, prefix: String::new(), faults: Vec::new(), broken: false }
    }

    fn object(value: Value, pointer: String) -> Self {
        match value {
            Value::Object(fields) => {
                Input { fields, prefix: format!("{pointer}/"), faults: Vec::new(), broken: false }
            }
            _ => Input::broken(pointer, "must be an object"),
        }
    }

    fn broken(pointer: String, detail: &str) -> Self {
        let faults = vec![FieldError { pointer, detail: detail.to_owned() }];
        Input { fields: Map::new(), prefix: String::new(), faults, broken: true }
    }

    /// A field that must be there. Its default stands in for a faulty one until [`Input::finish`].
    pub fn required<T: Default>(&mut self, name: &str, rule: Rule<T>) -> T {
        match self.fields.remove(name) {
            None => self.fault(name, "is required"),
            Some(value) => match rule(&value) {
                Ok(value) => return value,
                Err(detail) => self.fault(name, &detail),
            },
        }
        T::default()
    }

    /// A field that may be left out, or null.
    pub fn optional<T>(&mut self, name: &str, rule: Rule<T>) -> Option<T> {
        self.change(name, rule).flatten()
    }

    /// A field of a change that cannot be cleared: absent stays, null is a fault.
    pub fn replacement<T>(&mut self, name: &str, rule: Rule<T>) -> Option<T> {
        let value = self.fields.remove(name)?;
        rule(&value).map_err(|detail| self.fault(name, &detail)).ok()
    }

    /// A field of a change that can be cleared: absent stays, null clears.
    pub fn change<T>(&mut self, name: &str, rule: Rule<T>) -> Option<Option<T>> {
        let value = self.fields.remove(name)?;
        if value.is_null() {
            return Some(None);
        }
        rule(&value).map_err(|detail| self.fault(name, &detail)).ok().map(Some)
    }

    /// A field that must be there and is an object itself; give it back with [`Input::absorb`].
    pub fn nested(&mut self, name: &str) -> Input {
        let pointer = format!("{}{}", self.prefix, escaped(name));
        match self.fields.remove(name) {
            Some(value) => Input::object(value, pointer),
            None => Input::broken(pointer, "is required"),
        }
    }

    /// Takes over the faults of an object within.
    pub fn absorb(&mut self, inner: Input) {
        self.faults.extend(inner.into_faults());
    }

    /// Notes a fault that only other fields or the database could tell.
    pub fn fault(&mut self, name: &str, detail: &str) {
        if self.broken {
            return;
        }
        let pointer = format!("{}{}", self.prefix, escaped(name));
        self.faults.push(FieldError { pointer, detail: detail.to_owned() });
    }

    /// Whether anything read so far was faulty.
    pub fn is_faulty(&self) -> bool {
        !self.faults.is_empty()
    }

    /// All that is wrong, if anything is; a field that nobody read is unknown.
    pub fn finish(self) -> Result<(), Vec<FieldError>> {
        let faults = self.into_faults();
        if faults.is_empty() { Ok(()) } else { Err(faults) }
    }

    fn into_faults(mut self) -> Vec<FieldError> {
        let unknown: Vec<String> = self.fields.keys().cloned().collect();
        for name in unknown {
            self.fault(&name, "is not known here");
        }
        self.faults.truncate(FAULTS_MAX);
        self.faults
    }
}

/// A name as a pointer carries it (RFC 6901, section 3).
fn escaped(name: &str) -> String {
    name.replace('~', "~0").replace('/', "~1")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn text(value: &Value) -> Result<String, String> {
        value.as_str().map(str::to_owned).ok_or_else(|| "must be a text".to_owned())
    }

    fn pointers(input: Input) -> Vec<String> {
        let faults = input.finish().err().unwrap_or_default();
        faults.into_iter().map(|fault| fault.pointer).collect()
    }

    #[test]
    fn all_faults_are_told_at_once() {
        let mut input = Input::body(json!({"name": 7, "a/b~c": 1, "plan": {"rate": 1, "x": 2}}));
        input.required("name", text);
        input.required("email", text);
        let mut plan = input.nested("plan");
        plan.required("rate", text);
        input.absorb(plan);
        assert_eq!(pointers(input), ["/name", "/email", "/plan/rate", "/plan/x", "/a~1b~0c"]);
    }

    #[test]
    fn absent_null_and_given_are_three_things() {
        let mut input = Input::body(json!({"null": null, "given": "x"}));
        assert_eq!(input.change("absent", text), None);
        assert_eq!(input.change("null", text), Some(None));
        assert_eq!(input.change("given", text), Some(Some("x".to_owned())));
        assert_eq!(input.finish(), Ok(()));
        let mut input = Input::body(json!({"null": null, "none": null}));
        assert_eq!(input.replacement("null", text), None);
        assert_eq!(input.optional("none", text), None);
        assert_eq!(pointers(input), ["/null"]);
    }

    #[test]
    fn what_is_no_object_has_no_fields() {
        assert_eq!(pointers(Input::body(json!([1]))), [""]);
        let mut input = Input::body(json!({"plan": 7}));
        let mut plan = input.nested("plan");
        plan.required("kind", text);
        input.absorb(plan);
        assert_eq!(pointers(input), ["/plan"]);
    }

    #[test]
    fn a_query_points_by_name() {
        let mut input = Input::query("status=x&foo=1&foo=2");
        assert_eq!(input.optional("status", text).as_deref(), Some("x"));
        assert_eq!(pointers(input), ["foo"]);
    }
}
