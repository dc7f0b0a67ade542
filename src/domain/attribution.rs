//! Who is credited: click token sent with the hit, then coupon where the program says so, then cookie;
//! under first click the earliest click, whatever carried it, and a coupon where there is none.
//! Never by IP address. The window runs from the click to the hit's arrival at the edge, by the edge's
//! clock, so that no backlog can expire anything.

use serde::{Deserialize, Serialize};

use super::catalog::{Catalog, Model, Program};
use super::id::Id;
use super::intake::Sale;
use super::reason::Reason;
use super::token::{Keys, Token};

/// By what a conversion was attributed, strongest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs)]
pub enum By {
    ClickToken,
    Coupon,
    Cookie,
}

impl By {
    /// The stable name.
    pub fn code(self) -> &'static str {
        ["click_token", "coupon", "cookie"][self as usize]
    }
}

/// Who is credited and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[allow(missing_docs)]
pub struct Attribution {
    pub by: By,
    pub affiliate_id: Id,
    /// Absent for a coupon, as the click is.
    pub link_id: Option<Id>,
    pub click_id: Option<Id>,
    /// Of the click, or of the coupon's use.
    pub at_ms: i64,
}

impl Attribution {
    /// Sorts attributions of equal standing: the program's model decides, then the kind of evidence.
    pub fn rank(&self, model: Model) -> (bool, i64, By) {
        match model {
            Model::FirstClick => (self.by == By::Coupon, self.at_ms, self.by),
            Model::LastClick => (false, 0, self.by),
        }
    }
}

/// Attributes a sale that arrived at `at_ms`. The reasons say what evidence came and was not good.
pub fn attribute(
    sale: &Sale,
    program: &Program,
    catalog: &Catalog,
    keys: &Keys,
    at_ms: i64,
) -> (Option<Attribution>, Vec<Reason>) {
    if !program.is_active(at_ms) {
        return (None, vec![Reason::ProgramPaused]);
    }
    let found = [
        sale.token.as_deref().map(|text| by_click(By::ClickToken, text, program, keys, at_ms)),
        sale.coupon
            .as_deref()
            .filter(|_| program.coupons)
            .map(|c| by_coupon(c, program, catalog, at_ms)),
        sale.cookie.as_deref().map(|text| by_click(By::Cookie, text, program, keys, at_ms)),
    ];
    let mut reasons = Vec::new();
    let mut credited: Vec<Attribution> = Vec::new();
    for evidence in found.into_iter().flatten() {
        match evidence {
            Ok(a) if catalog.affiliate_is_active(a.affiliate_id, at_ms) => credited.push(a),
            Ok(_) => reasons.push(Reason::AffiliatePaused),
            Err(reason) => reasons.push(reason),
        }
    }
    reasons.dedup();
    (credited.into_iter().min_by_key(|a| a.rank(program.attribution)), reasons)
}

fn by_click(
    by: By,
    text: &str,
    program: &Program,
    keys: &Keys,
    at_ms: i64,
) -> Result<Attribution, Reason> {
    let token = Token::verify(text, keys)?;
    if token.program_id != program.id {
        return Err(Reason::TokenOtherProgram);
    }
    if at_ms - token.clicked_ms() > program.window_ms() {
        return Err(Reason::TokenExpired);
    }
    Ok(Attribution {
        by,
        affiliate_id: token.affiliate_id,
        link_id: Some(token.link_id),
        click_id: Some(token.click_id),
        at_ms: token.clicked_ms(),
    })
}

fn by_coupon(
    code: &str,
    program: &Program,
    catalog: &Catalog,
    at_ms: i64,
) -> Result<Attribution, Reason> {
    let coupon = catalog.coupon(program.id, code).ok_or(Reason::CouponUnknown)?;
    let early = coupon.from_ms.is_some_and(|from| at_ms < from);
    let late = coupon.to_ms.is_some_and(|to| at_ms >= to);
    if early || late {
        return Err(Reason::CouponNotValid);
    }
    let affiliate_id = coupon.affiliate_id;
    Ok(Attribution { by: By::Coupon, affiliate_id, link_id: None, click_id: None, at_ms })
}
