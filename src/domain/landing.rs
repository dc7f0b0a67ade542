//! Where a click lands, parsed once: an address of the catalog's, and where in it the click token goes.

use std::sync::OnceLock;

use url::Url;

use super::address;

/// An address that is parsed when it is first asked for; empty until then, and never compared or stored.
#[derive(Debug, Default, Clone)]
pub struct Parsed(OnceLock<Option<Box<Landing>>>);

impl Parsed {
    /// The landing at the address `text`, which is the same each time; none when nobody may be sent there.
    /// `param` carries the token.
    pub fn of(&self, text: &str, param: &str) -> Option<&Landing> {
        let landing = || Some(Box::new(Landing::new(address::parse(text).ok()?, param)));
        self.0.get_or_init(landing).as_deref()
    }
}

/// An address that a click can land on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Landing {
    /// As parsed.
    pub url: Url,
    /// The address up to the token's value, and behind it.
    before: String,
    after: String,
}

impl Landing {
    /// An address whose query is to carry a token in `param`, in place of one that is there; the rest stays
    /// as it is.
    pub fn new(url: Url, param: &str) -> Self {
        let mut with = url.clone();
        if url.query_pairs().any(|(name, _)| name == param) {
            let others = url.query_pairs().filter(|(name, _)| name != param);
            with.query_pairs_mut().clear().extend_pairs(others);
        }
        with.query_pairs_mut().append_pair(param, "");
        let after = with.fragment().map_or(String::new(), |fragment| format!("#{fragment}"));
        let mut before = String::from(with);
        before.truncate(before.len() - after.len());
        Landing { url, before, after }
    }

    /// The address with a token, of which no character needs encoding in a query.
    pub fn with(&self, token: &str) -> String {
        [&self.before, token, &self.after].concat()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_token_joins_the_query_that_is_there() {
        for (url, expected) in [
            ("https://a.example", "https://a.example/?tclid=1.k.T-_"),
            ("https://a.example/?", "https://a.example/?tclid=1.k.T-_"),
            ("https://a.example/#", "https://a.example/?tclid=1.k.T-_#"),
            ("https://a.example/?a=b%20c#f", "https://a.example/?a=b%20c&tclid=1.k.T-_#f"),
            ("https://a.example/?tclid=forged&a=b", "https://a.example/?a=b&tclid=1.k.T-_"),
            ("https://a.example/?tclid=forged#f?#g", "https://a.example/?tclid=1.k.T-_#f?#g"),
        ] {
            let parsed = Parsed::default();
            let landing = parsed.of(url, "tclid").unwrap();
            assert_eq!(landing.with("1.k.T-_"), expected);
            let mut whole = landing.url.clone();
            let others = landing.url.query_pairs().filter(|(name, _)| name != "tclid");
            let others: Vec<(String, String)> =
                others.map(|(n, v)| (n.into_owned(), v.into_owned())).collect();
            whole.query_pairs_mut().clear().extend_pairs(others).append_pair("tclid", "1.k.T-_");
            assert_eq!(
                Url::parse(expected).unwrap().query_pairs().collect::<Vec<_>>(),
                whole.query_pairs().collect::<Vec<_>>()
            );
        }
        assert_eq!(Parsed::default().of("no address", "tclid"), None);
    }
}
