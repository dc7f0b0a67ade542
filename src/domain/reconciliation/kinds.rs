//! How a list and the books can differ, and which of it one call puts right.

macro_rules! kinds {
    ($($name:ident $code:literal,)*) => {
        /// How a list and the books can differ.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        #[allow(missing_docs)]
        pub enum Kind { $($name),* }

        impl Kind {
            /// All of them. Those that can be corrected come in the order in which they are.
            pub const ALL: &'static [Kind] = &[$(Kind::$name),*];

            /// The stable name.
            pub fn code(self) -> &'static str {
                match self { $(Kind::$name => $code),* }
            }
        }
    };
}

kinds! {
    AmountDiffers "amount_differs",
    RefundedButPaid "refunded_but_paid",
    Extra "extra",
    Confirmed "confirmed",
    Missing "missing",
    Repeated "repeated",
    StatusUnknown "status_unknown",
    Unreadable "unreadable",
}

impl Kind {
    /// Those that one call corrects, in this order. Nobody's word says who referred what is missing.
    pub const CORRECTABLE: [Kind; 4] =
        [Kind::AmountDiffers, Kind::RefundedButPaid, Kind::Extra, Kind::Confirmed];

    /// Reads the stable name.
    pub fn parse(code: &str) -> Option<Self> {
        Kind::ALL.iter().copied().find(|kind| kind.code() == code)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_have_names() {
        assert_eq!(Kind::CORRECTABLE, Kind::ALL[..4]);
        assert!(Kind::ALL.iter().all(|kind| Kind::parse(kind.code()) == Some(*kind)));
    }
}
