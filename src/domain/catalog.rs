//! The catalog: an immutable snapshot of programs, links, tracking codes, affiliates and coupons. Edges
//! and workers hold one each, replaced whole when something changed; an edge keeps a copy on its disk.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};

use super::commission::{LEVELS_MAX, Terms};
use super::id::Id;
use super::landing::{Landing, Parsed};
use super::money::Currency;

/// The snapshot as rows, as it is read from the database and kept on disk.
#[derive(Debug, Default, Clone, Serialize, Deserialize)]
pub struct Rows {
    /// Moves with every change.
    pub version: i64,
    /// With their plans.
    pub programs: Vec<Program>,
    /// Affiliates' tracking links.
    pub links: Vec<Link>,
    /// Advertisers' tracking codes.
    pub tracking_codes: Vec<TrackingCode>,
    /// Who may be credited.
    pub affiliates: Vec<Affiliate>,
    /// Coupons that attribute.
    pub coupons: Vec<Coupon>,
}

/// Which of a visitor's clicks is credited, or how they share.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Model {
    /// The latest has it all.
    LastClick,
    /// The earliest has it all.
    FirstClick,
    /// Each touch has the same part.
    Linear,
    /// The first and the last have 40 % each, those between them 20 %.
    PositionBased,
}

impl Model {
    const ALL: [Model; 4] =
        [Model::LastClick, Model::FirstClick, Model::Linear, Model::PositionBased];

    /// The stable name.
    pub fn code(self) -> &'static str {
        ["last_click", "first_click", "linear", "position_based"][self as usize]
    }

    /// Reads the stable name.
    pub fn parse(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|model| model.code() == code)
    }

    /// Whether several touches share a commission.
    pub fn is_shared(self) -> bool {
        matches!(self, Model::Linear | Model::PositionBased)
    }
}

/// What becomes of a conversion that only unsigned hits speak for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Unsigned {
    /// It is counted like a signed one, and shown as unverified.
    Accept,
    /// It waits for a signed hit or for approval.
    Hold,
}

/// What an advertiser offers, with the versions of its plan.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Program {
    /// Its id; also in the name of its cookie.
    pub id: Id,
    /// Who sells and pays.
    pub advertiser_id: Id,
    /// The advertiser's: what an amount without currency is in.
    pub currency: Currency,
    /// The advertiser's, an IANA name: what months are counted in.
    #[serde(default)]
    pub timezone: String,
    /// Where a click lands.
    pub landing_url: String,
    /// Hosts beside the landing page's where a deep link may go.
    pub allowed_hosts: Vec<String>,
    /// The parameter that carries the click token.
    pub click_param: String,
    /// First or last click, or several that share.
    pub attribution: Model,
    /// Whether coupons attribute.
    pub coupons: bool,
    /// Whether the tag waits for consent.
    pub consent: bool,
    /// Days from click to sale.
    pub window_days: i32,
    /// Days from sale to payable.
    pub hold_days: i32,
    /// Whether unsigned sales wait.
    pub unsigned: Unsigned,
    /// From when nobody is credited.
    pub paused_ms: Option<i64>,
    /// In order of version.
    pub plans: Vec<Plan>,
    /// The landing page.
    #[serde(skip)]
    pub landing: Parsed,
}

/// One version of a program's plan.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[allow(missing_docs)]
pub struct Plan {
    pub id: Id,
    /// From when it is in force.
    pub from_ms: i64,
    pub terms: Terms,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[allow(missing_docs)]
pub struct Link {
    pub id: Id,
    pub program_id: Id,
    pub affiliate_id: Id,
    pub code: String,
    /// Absent: the program's landing page.
    pub destination: Option<String>,
    pub paused_ms: Option<i64>,
    #[serde(skip)]
    pub landing: Parsed,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[allow(missing_docs)]
pub struct TrackingCode {
    pub id: Id,
    pub program_id: Id,
    pub code: String,
    /// Shared with the shop's server.
    pub secret: String,
    pub redirect_url: Option<String>,
    /// Whether a form is answered with a page that links there, rather than with a redirect.
    pub return_link: bool,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[allow(missing_docs)]
pub struct Affiliate {
    pub id: Id,
    pub paused_ms: Option<i64>,
    /// Who brought him.
    #[serde(default)]
    pub recruited_by: Option<Id>,
    /// By which plans may tell him from others.
    #[serde(default)]
    pub group: Option<String>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[allow(missing_docs)]
pub struct Coupon {
    pub program_id: Id,
    pub affiliate_id: Id,
    /// Compared without regard to case.
    pub code: String,
    pub from_ms: Option<i64>,
    pub to_ms: Option<i64>,
}

/// The snapshot, indexed.
#[derive(Debug, Default)]
pub struct Catalog {
    /// Of the rows it was made from.
    pub version: i64,
    programs: HashMap<Id, Program>,
    links: HashMap<String, Link>,
    tracking_codes: HashMap<String, TrackingCode>,
    affiliates: HashMap<Id, Affiliate>,
    coupons: HashMap<(Id, String), Coupon>,
}

impl From<Rows> for Catalog {
    fn from(rows: Rows) -> Self {
        let coupon_key = |c: &Coupon| (c.program_id, c.code.to_uppercase());
        Catalog {
            version: rows.version,
            programs: rows.programs.into_iter().map(|p| (p.id, p)).collect(),
            links: rows.links.into_iter().map(|l| (l.code.clone(), l)).collect(),
            tracking_codes: rows.tracking_codes.into_iter().map(|t| (t.code.clone(), t)).collect(),
            affiliates: rows.affiliates.into_iter().map(|a| (a.id, a)).collect(),
            coupons: rows.coupons.into_iter().map(|c| (coupon_key(&c), c)).collect(),
        }
    }
}

impl Catalog {
    /// A link and its program.
    pub fn link(&self, code: &str) -> Option<(&Link, &Program)> {
        let link = self.links.get(code)?;
        Some((link, self.programs.get(&link.program_id)?))
    }

    /// A tracking code and its program.
    pub fn tracking_code(&self, code: &str) -> Option<(&TrackingCode, &Program)> {
        let tracking_code = self.tracking_codes.get(code)?;
        Some((tracking_code, self.programs.get(&tracking_code.program_id)?))
    }

    /// A program.
    pub fn program(&self, id: Id) -> Option<&Program> {
        self.programs.get(&id)
    }

    /// A program's coupon, in any case.
    pub fn coupon(&self, program_id: Id, code: &str) -> Option<&Coupon> {
        self.coupons.get(&(program_id, code.trim().to_uppercase()))
    }

    /// An affiliate.
    pub fn affiliate(&self, id: Id) -> Option<&Affiliate> {
        self.affiliates.get(&id)
    }

    /// Who recruited an affiliate, who recruited him, and so on upwards: no more than levels may earn. Ends, too,
    /// where somebody would come again, which the database does not let happen.
    pub fn recruiters(&self, id: Id) -> Vec<Id> {
        let (mut recruiters, mut at) = (Vec::new(), id);
        while let Some(above) = self.affiliates.get(&at).and_then(|a| a.recruited_by) {
            if recruiters.len() == LEVELS_MAX || above == id || recruiters.contains(&above) {
                break;
            }
            recruiters.push(above);
            at = above;
        }
        recruiters
    }

    /// Whether an affiliate may be credited at a time.
    pub fn affiliate_is_active(&self, id: Id, at_ms: i64) -> bool {
        self.affiliates.get(&id).is_some_and(|a| is_active(a.paused_ms, at_ms))
    }
}

impl Program {
    /// Whether it credits at a time.
    pub fn is_active(&self, at_ms: i64) -> bool {
        is_active(self.paused_ms, at_ms)
    }

    /// The plan in force at a time; the first, for what came before there was any.
    pub fn plan_at(&self, at_ms: i64) -> Option<&Plan> {
        self.plans.iter().rev().find(|plan| plan.from_ms <= at_ms).or_else(|| self.plans.first())
    }

    /// Where a click lands.
    pub fn landing(&self) -> Option<&Landing> {
        self.landing.of(&self.landing_url, &self.click_param)
    }

    /// The attribution window, in milliseconds.
    pub fn window_ms(&self) -> i64 {
        i64::from(self.window_days) * 86_400_000
    }

    /// The hold period, in milliseconds.
    pub fn hold_ms(&self) -> i64 {
        i64::from(self.hold_days) * 86_400_000
    }

    /// The name of the cookie that carries this program's click token.
    pub fn cookie_name(&self) -> String {
        format!("tr_{}", self.id)
    }
}

impl Link {
    /// Where a click lands, if not on the page of its program.
    pub fn landing(&self, program: &Program) -> Option<&Landing> {
        self.landing.of(self.destination.as_deref()?, &program.click_param)
    }

    /// Whether it credits at a time.
    pub fn is_active(&self, at_ms: i64) -> bool {
        is_active(self.paused_ms, at_ms)
    }
}

fn is_active(paused_ms: Option<i64>, at_ms: i64) -> bool {
    paused_ms.is_none_or(|paused_ms| at_ms < paused_ms)
}
