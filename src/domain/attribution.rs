//! Who is credited: click token sent with the hit, then coupon where the program says so, then cookie;
//! under first click the earliest click, whatever carried it, and a coupon where there is none. Where touches
//! share a commission, all of a hit's tokens, and its coupon, are touches, and the last is credited.
//! Never by IP address. The window runs from the click to the hit's arrival at the edge, by the edge's
//! clock, so that no backlog can expire anything.

use serde::{Deserialize, Serialize};

use super::catalog::{Catalog, Model, Program};
use super::id::Id;
use super::intake::Sale;
use super::money::Money;
use super::reason::Reason;
use super::token::{Keys, Token};
use super::touches::{self, Portion, Touch};

/// By what a conversion was attributed, strongest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs)]
pub enum By {
    ClickToken,
    Coupon,
    Cookie,
    /// A renewal: its customer came by the affiliate.
    Customer,
}

impl By {
    /// The stable name.
    pub fn code(self) -> &'static str {
        ["click_token", "coupon", "cookie", "customer"][self as usize]
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
    /// Where several touches share the commission: all of them, oldest first; this is the last.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub touches: Vec<Touch>,
    /// By what they share it: the program's model when they were told, which may be another today.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shared_by: Option<Model>,
}

impl Attribution {
    /// The commission in portions, the credited affiliate's first; they add up to it.
    pub fn split(&self, commission: Money) -> Vec<Portion> {
        match self.shared_by {
            Some(model) => touches::split(commission, &self.touches, model),
            None => touches::split(commission, &[self.touch()], Model::LastClick),
        }
    }

    /// The last click, and when it was: by it a sale without order id is recognised.
    pub fn last_click(&self) -> Option<(Id, i64)> {
        let own = self.click_id.map(|id| (id, self.at_ms));
        own.or_else(|| self.touches.iter().rev().find_map(|t| Some((t.click_id?, t.at_ms))))
    }

    fn touch(&self) -> Touch {
        let Attribution { affiliate_id, link_id, click_id, at_ms, .. } = *self;
        Touch { click_id, link_id, affiliate_id, at_ms }
    }

    /// Sorts attributions of equal standing: the program's model decides, then the kind of evidence.
    pub fn rank(&self, model: Model) -> (bool, i64, By) {
        match model {
            Model::FirstClick => (self.by == By::Coupon, self.at_ms, self.by),
            Model::LastClick | Model::Linear | Model::PositionBased => (false, 0, self.by),
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
    let model = program.attribution;
    let by_clicks = |by: By, text| {
        let texts = Option::into_iter(text).flat_map(move |text| touches::texts(text, model));
        texts.map(move |text| by_click(by, text, program, keys, at_ms))
    };
    let coupon = sale.coupon.as_deref().filter(|_| program.coupons);
    let found = by_clicks(By::ClickToken, sale.token.as_deref())
        .chain(coupon.map(|code| by_coupon(code, program, catalog, at_ms)))
        .chain(by_clicks(By::Cookie, sale.cookie.as_deref()));
    let mut reasons = Vec::new();
    let mut credited: Vec<Attribution> = Vec::new();
    for evidence in found {
        match evidence {
            Ok(a) if catalog.affiliate_is_active(a.affiliate_id, at_ms) => credited.push(a),
            Ok(_) => reasons.push(Reason::AffiliatePaused),
            Err(reason) => reasons.push(reason),
        }
    }
    reasons.dedup();
    match model.is_shared() {
        true => (shared(credited, model), reasons),
        false => (credited.into_iter().min_by_key(|a| a.rank(model)), reasons),
    }
}

/// The last touch, with all of them where there are several.
fn shared(mut credited: Vec<Attribution>, model: Model) -> Option<Attribution> {
    // Of a click that two tokens tell of, the later in line stays: the stronger evidence.
    credited.reverse();
    let mut kept = touches::keep(credited, Attribution::touch);
    let touches: Vec<Touch> = kept.iter().map(Attribution::touch).collect();
    let mut last = kept.pop()?;
    if touches.len() > 1 {
        (last.touches, last.shared_by) = (touches, Some(model));
    }
    Some(last)
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
        touches: Vec::new(),
        shared_by: None,
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
    Ok(Attribution {
        by: By::Coupon,
        affiliate_id: coupon.affiliate_id,
        link_id: None,
        click_id: None,
        at_ms,
        touches: Vec::new(),
        shared_by: None,
    })
}
