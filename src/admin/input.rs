//! A JSON object or a query to typed fields, and a complete list of what is wrong with it: the unknown,
//! the missing and the mistyped, each with its pointer (RFC 6901). Takes values, hands on values or
//! faults; knows neither HTTP nor the database. Asked to, it writes down instead what is read of it: that
//! is the schema of a request in the document, which so cannot differ from the code.

mod nested;

use serde::Serialize;
use serde_json::{Map, Value, json};

use super::rules::Rule;
use crate::http::FieldError;

pub(super) use nested::List;

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
    /// What was read, when that is all that is wanted.
    seen: Option<Seen>,
}

/// The fields that a piece of code reads, as an object's JSON Schema has them.
#[derive(Debug, Default)]
struct Seen {
    properties: Map<String, Value>,
    required: Vec<String>,
}

/// What `read` reads of a body in which these fields are `given`: a JSON Schema.
pub(super) fn schema_of<R>(given: &[(&str, &str)], read: impl FnOnce(&mut Input) -> R) -> Value {
    let fields = given.iter().map(|(name, value)| ((*name).to_owned(), json!(value))).collect();
    seen_by(Input::of(fields, "/".to_owned()), read)
}

/// What `read` reads of a query: a JSON Schema of an object with its parameters.
pub(super) fn query_schema_of<R>(read: impl FnOnce(&mut Input) -> R) -> Value {
    seen_by(Input::of(Map::new(), String::new()), read)
}

fn seen_by<R>(input: Input, read: impl FnOnce(&mut Input) -> R) -> Value {
    let mut input = Input { seen: Some(Seen::default()), ..input };
    read(&mut input);
    let Seen { properties, mut required } = input.seen.unwrap_or_default();
    required.sort_unstable();
    let mut schema =
        json!({"type": "object", "properties": properties, "additionalProperties": false});
    if !required.is_empty() {
        schema["required"] = json!(required);
    }
    schema
}

impl Input {
    /// The fields of a body. What is not an object has one fault and no fields.
    pub fn body(value: Value) -> Self {
        Input::object_at(value, String::new())
    }

    /// The parameters of a query; of several with one name the last counts.
    pub fn query(query: &str) -> Self {
        let pairs = url::form_urlencoded::parse(query.as_bytes());
        let fields = pairs.map(|(name, value)| (name.into_owned(), Value::from(&*value))).collect();
        Input::of(fields, String::new())
    }

    fn of(fields: Map<String, Value>, prefix: String) -> Self {
        Input { fields, prefix, faults: Vec::new(), broken: false, seen: None }
    }

    fn object_at(value: Value, pointer: String) -> Self {
        match value {
            Value::Object(fields) => Input::of(fields, format!("{pointer}/")),
            _ => Input::broken(pointer, "must be an object"),
        }
    }

    fn broken(pointer: String, detail: &str) -> Self {
        let faults = vec![FieldError { pointer, detail: detail.to_owned() }];
        Input { faults, broken: true, ..Input::of(Map::new(), String::new()) }
    }

    /// Whether a field is there, and is not null.
    pub fn has(&self, name: &str) -> bool {
        self.fields.get(name).is_some_and(|value| !value.is_null())
    }

    /// A field that must be there. Its default stands in for a faulty one until [`Input::finish`].
    pub fn required<T: Default>(&mut self, name: &str, rule: Rule<T>) -> T {
        if let Some(seen) = &mut self.seen {
            seen.required.push(name.to_owned());
            let given =
                self.fields.get(name).map(|value| json!({"type": "string", "const": value}));
            seen.properties.insert(name.to_owned(), given.unwrap_or_else(rule.schema));
        }
        match self.fields.remove(name) {
            None => self.fault(name, "is required"),
            Some(value) => match (rule.check)(&value) {
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

    /// A field that may be left out, or null; then it is this.
    pub fn optional_or<T: Serialize>(&mut self, name: &str, rule: Rule<T>, usual: T) -> T {
        let given = self.optional(name, rule);
        if let Some(seen) = self.seen.as_mut().and_then(|seen| seen.properties.get_mut(name)) {
            seen["default"] = json!(usual);
        }
        given.unwrap_or(usual)
    }

    /// A field that has to be left out, or null, and why.
    pub fn absent(&mut self, name: &str, detail: &str) {
        self.see(name, json!({"type": "null"}));
        if self.fields.remove(name).is_some_and(|value| !value.is_null()) {
            self.fault(name, detail);
        }
    }

    /// A field of a change that cannot be cleared: absent stays, null is a fault.
    pub fn replacement<T>(&mut self, name: &str, rule: Rule<T>) -> Option<T> {
        self.see(name, (rule.schema)());
        let value = self.fields.remove(name)?;
        (rule.check)(&value).map_err(|detail| self.fault(name, &detail)).ok()
    }

    /// A field of a change that can be cleared: absent stays, null clears.
    pub fn change<T>(&mut self, name: &str, rule: Rule<T>) -> Option<Option<T>> {
        // A query has no null.
        let schema = (rule.schema)();
        self.see(name, if self.prefix.is_empty() { schema } else { or_null(schema) });
        let value = self.fields.remove(name)?;
        if value.is_null() {
            return Some(None);
        }
        (rule.check)(&value).map_err(|detail| self.fault(name, &detail)).ok().map(Some)
    }

    /// A field that must be there and is an object itself, in the document the `component`; give it back
    /// with [`Input::absorb`].
    pub fn nested(&mut self, name: &str, component: &str) -> Input {
        if let Some(seen) = &mut self.seen {
            seen.required.push(name.to_owned());
            let reference = format!("#/components/schemas/{component}");
            seen.properties.insert(name.to_owned(), json!({"$ref": reference}));
        }
        let pointer = format!("{}{}", self.prefix, escaped(name));
        match self.fields.remove(name) {
            Some(value) => Input::object_at(value, pointer),
            None => Input::broken(pointer, "is required"),
        }
    }

    fn see(&mut self, name: &str, schema: Value) {
        if let Some(seen) = &mut self.seen {
            seen.properties.insert(name.to_owned(), schema);
        }
    }

    /// Takes over the faults of an object within.
    pub fn absorb(&mut self, inner: Input) {
        self.faults.extend(inner.into_faults());
    }

    /// Notes a fault that only other fields or the database could tell.
    pub fn fault(&mut self, name: &str, detail: &str) {
        self.fault_at(&escaped(name), detail);
    }

    /// The same of something within a field: the rest of its pointer, escaped.
    pub fn fault_at(&mut self, place: &str, detail: &str) {
        if self.broken || self.seen.is_some() {
            return;
        }
        let pointer = format!("{}{place}", self.prefix);
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

/// The schema of what may be null as well.
fn or_null(mut schema: Value) -> Value {
    if let Some(words) = schema.get_mut("enum").and_then(Value::as_array_mut) {
        words.push(Value::Null);
    }
    match schema.get("type").cloned() {
        Some(kind) => schema["type"] = json!([kind, "null"]),
        None => {
            if let Some(kinds) = schema.get_mut("anyOf").and_then(Value::as_array_mut) {
                kinds.push(json!({"type": "null"}));
            }
        }
    }
    schema
}

/// A name as a pointer carries it (RFC 6901, section 3).
fn escaped(name: &str) -> String {
    name.replace('~', "~0").replace('/', "~1")
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: Rule<String> = Rule {
        check: |v| v.as_str().map(str::to_owned).ok_or_else(|| "must be a text".to_owned()),
        schema: || json!({"type": "string"}),
    };

    fn pointers(input: Input) -> Vec<String> {
        let faults = input.finish().err().unwrap_or_default();
        faults.into_iter().map(|fault| fault.pointer).collect()
    }

    #[test]
    fn all_faults_are_told_at_once() {
        let mut input = Input::body(json!({"name": 7, "a/b~c": 1, "plan": {"rate": 1, "x": 2}}));
        input.required("name", TEXT);
        input.required("email", TEXT);
        let mut plan = input.nested("plan", "Plan");
        plan.required("rate", TEXT);
        input.absorb(plan);
        assert_eq!(pointers(input), ["/name", "/email", "/plan/rate", "/plan/x", "/a~1b~0c"]);
    }

    #[test]
    fn absent_null_and_given_are_three_things() {
        let mut input = Input::body(json!({"null": null, "given": "x"}));
        assert_eq!(input.change("absent", TEXT), None);
        assert_eq!(input.change("null", TEXT), Some(None));
        assert_eq!(input.change("given", TEXT), Some(Some("x".to_owned())));
        assert_eq!(input.finish(), Ok(()));
        let mut input = Input::body(json!({"null": null, "none": null}));
        assert_eq!(input.replacement("null", TEXT), None);
        assert_eq!(input.optional("none", TEXT), None);
        assert_eq!(pointers(input), ["/null"]);
    }

    #[test]
    fn what_is_no_object_has_no_fields() {
        assert_eq!(pointers(Input::body(json!([1]))), [""]);
        let mut input = Input::body(json!({"plan": 7}));
        let mut plan = input.nested("plan", "Plan");
        plan.required("kind", TEXT);
        input.absorb(plan);
        assert_eq!(pointers(input), ["/plan"]);
    }

    #[test]
    fn a_query_points_by_name() {
        let mut input = Input::query("status=x&foo=1&foo=2");
        assert_eq!(input.optional("status", TEXT).as_deref(), Some("x"));
        assert_eq!(pointers(input), ["foo"]);
    }
    #[test]
    fn a_schema_is_what_the_code_reads() {
        let schema = schema_of(&[("kind", "a")], |input| {
            if input.required("kind", TEXT) == "a" {
                input.optional_or("size", TEXT, "large".to_owned());
                input.required("name", TEXT);
                input.absent("b", "belongs to another kind");
                let plan = input.nested("plan", "Plan");
                input.absorb(plan);
            }
        });
        let expected = json!({
            "type": "object", "additionalProperties": false, "required": ["kind", "name", "plan"],
            "properties": {
                "kind": {"type": "string", "const": "a"},
                "name": {"type": "string"},
                "size": {"type": ["string", "null"], "default": "large"},
                "b": {"type": "null"},
                "plan": {"$ref": "#/components/schemas/Plan"},
            },
        });
        assert_eq!(schema, expected);
    }
}
