//! What somebody may do within his role. A key or a user has a set of rights; each route names the one that
//! it needs. Outside they are called scopes.

/// One right.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Right {
    /// To look.
    Read,
    /// To change programs, plans, links, tracking codes and coupons; and to see the codes' secrets.
    Catalog,
    /// To approve and reject.
    Money,
    /// To manage users, invitations and keys, and to read the audit log.
    People,
}

impl Right {
    /// All, in the order in which they are told.
    pub const ALL: [Right; 4] = [Right::Read, Right::Catalog, Right::Money, Right::People];

    /// As the API and the database spell it.
    pub fn code(self) -> &'static str {
        match self {
            Right::Read => "read",
            Right::Catalog => "catalog",
            Right::Money => "money",
            Right::People => "people",
        }
    }

    /// The right of a code.
    pub fn parse(code: &str) -> Option<Right> {
        Right::ALL.into_iter().find(|right| right.code() == code)
    }

    fn bit(self) -> u8 {
        1 << self as u8
    }
}

/// A set of rights.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Rights(u8);

impl Rights {
    /// Every right.
    pub const ALL: Rights = Rights(0b1111);
    /// All but to manage people.
    pub const WITHOUT_PEOPLE: Rights = Rights(0b0111);
    /// To look, and no more.
    pub const READ: Rights = Rights(1);

    /// Those of some codes; what is not known is no right.
    pub fn of<'a>(codes: impl IntoIterator<Item = &'a str>) -> Rights {
        let rights = codes.into_iter().filter_map(Right::parse);
        Rights(rights.fold(0, |bits, right| bits | right.bit()))
    }

    /// Their codes.
    pub fn codes(self) -> Vec<&'static str> {
        let held = Right::ALL.into_iter().filter(|right| self.has(*right));
        held.map(Right::code).collect()
    }

    /// Whether it is among them.
    pub fn has(self, right: Right) -> bool {
        self.0 & right.bit() != 0
    }

    /// Those that are among both.
    pub fn common(self, others: Rights) -> Rights {
        Rights(self.0 & others.0)
    }

    /// Whether all of the others are among them: nobody gives what he does not have.
    pub fn cover(self, others: Rights) -> bool {
        others.0 & !self.0 == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_gives_what_he_does_not_have() {
        let staff = Rights::of(["read", "people", "nonsense"]);
        assert_eq!(staff.codes(), ["read", "people"]);
        assert!(staff.has(Right::People) && !staff.has(Right::Money));
        assert!(Rights::ALL.cover(staff) && staff.cover(Rights::READ));
        assert!(!staff.cover(Rights::ALL) && !staff.cover(Rights::of(["money"])));
        assert_eq!(Rights::of(Rights::ALL.codes()), Rights::ALL);
        assert_eq!(Rights::WITHOUT_PEOPLE.codes(), ["read", "catalog", "money"]);
        assert_eq!(staff.common(Rights::WITHOUT_PEOPLE), Rights::READ);
    }
}
