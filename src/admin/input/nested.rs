//! Fields that are objects or lists themselves: read like any other, with the faults of what is within at its
//! own pointer, and written down whole in the schema.

use serde_json::{Value, json};

use super::{Input, escaped, or_null, schema_of};
use crate::admin::rules::Rule;

/// A field that is a list.
#[derive(Debug, Clone, Copy)]
pub(in super::super) struct List<'a> {
    /// Its name.
    pub name: &'a str,
    /// At least so many items; where that is one, the list must be there.
    pub least: usize,
    /// At most so many items.
    pub most: usize,
    /// Whether no item may be there twice.
    pub distinct: bool,
    /// Of objects of several kinds: the field that tells which, and its values.
    pub kinds: &'a [(&'a str, &'a str)],
}

impl<'a> List<'a> {
    /// A list that may be left out.
    pub fn up_to(most: usize, name: &'a str) -> Self {
        List { name, least: 0, most, distinct: false, kinds: &[] }
    }

    fn schema(self, items: Value) -> Value {
        let kind = if self.least == 0 { json!(["array", "null"]) } else { json!("array") };
        let mut schema =
            json!({"type": kind, "minItems": self.least, "maxItems": self.most, "items": items});
        if self.distinct {
            schema["uniqueItems"] = json!(true);
        }
        schema
    }
}

/// What `read` reads of an object, or of each of several kinds of it.
fn variants_of<R>(kinds: &[(&str, &str)], read: impl Fn(&mut Input) -> R) -> Value {
    match kinds {
        [] => schema_of(&[], &read),
        kinds => {
            let variants = kinds.iter().map(|kind| schema_of(&[*kind], &read));
            json!({"oneOf": variants.collect::<Vec<_>>()})
        }
    }
}

impl Input {
    /// A field that may be left out, or null, and is an object itself.
    pub fn object<T>(&mut self, name: &str, read: impl Fn(&mut Input) -> T) -> Option<T> {
        self.see(name, or_null(variants_of(&[], &read)));
        let value = self.fields.remove(name).filter(|value| !value.is_null())?;
        Some(self.within(value, escaped(name), read))
    }

    /// A field that must be there and is an object itself, told where it stands.
    pub fn required_object<T>(&mut self, name: &str, read: impl Fn(&mut Input) -> T) -> Option<T> {
        if self.seen.is_none() && !self.has(name) {
            self.fields.remove(name);
            self.fault(name, "is required");
            return None;
        }
        let read_it = self.object(name, &read);
        if let Some(seen) = &mut self.seen {
            seen.required.push(name.to_owned());
            seen.properties.insert(name.to_owned(), variants_of(&[], &read));
        }
        read_it
    }

    /// A list of objects; none where it is left out, or null. Of several `kinds` each is another object: the
    /// values of the field by which they are told apart.
    pub fn objects<T>(&mut self, list: List<'_>, read: impl Fn(&mut Input) -> T) -> Vec<T> {
        self.see_list(list, variants_of(list.kinds, &read));
        let values = self.items(list).into_iter().enumerate();
        let place = |at: usize| format!("{}/{at}", escaped(list.name));
        values.map(|(at, value)| self.within(value, place(at), &read)).collect()
    }

    /// A list of values by one rule; none where it is left out, or null.
    pub fn values<T>(&mut self, list: List<'_>, rule: Rule<T>) -> Vec<T> {
        self.see_list(list, (rule.schema)());
        let mut checked = Vec::new();
        for (at, value) in self.items(list).into_iter().enumerate() {
            match (rule.check)(&value) {
                Ok(value) => checked.push(value),
                Err(detail) => self.fault_at(&format!("{}/{at}", escaped(list.name)), &detail),
            }
        }
        checked
    }

    fn see_list(&mut self, list: List<'_>, items: Value) {
        self.see(list.name, list.schema(items));
        if let Some(seen) = self.seen.as_mut().filter(|_| list.least > 0) {
            seen.required.push(list.name.to_owned());
        }
    }

    /// The items of a list, unless there are too few or too many to look at.
    fn items(&mut self, list: List<'_>) -> Vec<Value> {
        let items = match self.fields.remove(list.name) {
            None | Some(Value::Null) if list.least == 0 => return Vec::new(),
            None | Some(Value::Null) => {
                self.fault(list.name, "is required");
                return Vec::new();
            }
            Some(Value::Array(items)) => items,
            Some(_) => {
                self.fault(list.name, "must be a list");
                return Vec::new();
            }
        };
        if (list.least..=list.most).contains(&items.len()) {
            return items;
        }
        self.fault(list.name, &format!("must have {} to {} items", list.least, list.most));
        Vec::new()
    }

    /// Reads an object within, with its faults.
    fn within<T>(&mut self, value: Value, place: String, read: impl Fn(&mut Input) -> T) -> T {
        let mut inner = Input::object_at(value, format!("{}{place}", self.prefix));
        let read_it = read(&mut inner);
        self.absorb(inner);
        read_it
    }
}
