//! Why a hit became what it became. Each reason has a stable code, for headers, tables and the API, and
//! a sentence for the person who reads it. An outcome is the one fate of a hit.

/// The one fate of a hit. What each counts as is in docs/DATA.md.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[allow(missing_docs)]
pub enum Outcome {
    /// Made a new conversion.
    Converted,
    /// Made a conversion, or would have, that waits for a person.
    Held,
    /// Told more of an order that was known.
    Merged,
    /// Told nothing new.
    Duplicate,
    /// Cannot count, whatever else is known.
    Rejected,
    /// A click that may be credited.
    Clicked,
    /// A request that nobody made, or that credits nobody: a prefetch, a `HEAD`, a robot, an embedded link.
    Ignored,
    /// Sent with `test=1`.
    Test,
    /// Could not be settled: a dead letter.
    Dead,
    /// Told of a refund that counts.
    Refunded,
    /// Told something new of a chargeback.
    ChargedBack,
}

impl Outcome {
    /// All of them.
    pub const ALL: [Outcome; 11] = [
        Outcome::Converted,
        Outcome::Held,
        Outcome::Merged,
        Outcome::Duplicate,
        Outcome::Rejected,
        Outcome::Clicked,
        Outcome::Ignored,
        Outcome::Test,
        Outcome::Dead,
        Outcome::Refunded,
        Outcome::ChargedBack,
    ];

    /// The stable code.
    pub fn code(self) -> &'static str {
        match self {
            Outcome::Converted => "converted",
            Outcome::Held => "held",
            Outcome::Merged => "merged",
            Outcome::Duplicate => "duplicate",
            Outcome::Rejected => "rejected",
            Outcome::Clicked => "clicked",
            Outcome::Ignored => "ignored",
            Outcome::Test => "test",
            Outcome::Dead => "dead",
            Outcome::Refunded => "refunded",
            Outcome::ChargedBack => "charged_back",
        }
    }

    /// Reads the stable code.
    pub fn parse(code: &str) -> Option<Self> {
        Outcome::ALL.into_iter().find(|outcome| outcome.code() == code)
    }
}

macro_rules! reasons {
    ($($name:ident $code:literal $text:literal,)*) => {
        /// A reason. `code()` is stable; `text()` may be reworded.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        #[allow(missing_docs)]
        pub enum Reason { $($name,)* }

        impl Reason {
            /// All of them.
            pub const ALL: &'static [Reason] = &[$(Reason::$name,)*];

            /// The stable code.
            pub fn code(self) -> &'static str {
                match self { $(Reason::$name => $code,)* }
            }

            /// What it means, to a person.
            pub fn text(self) -> &'static str {
                match self { $(Reason::$name => $text,)* }
            }
        }
    };
}

reasons! {
    // The request itself.
    CodeUnknown "code_unknown" "No tracking code has this name.",
    LinkUnknown "link_unknown" "No link has this name.",
    Unreadable "unreadable" "The stored hit cannot be decoded.",
    Unsettled "unsettled" "It could not be settled: something is wrong with the installation. It is kept, with the error.",
    BodyUnreadable "body_unreadable" "The body is not what its content type says.",
    Unauthorized "unauthorized" "The postback did not carry the tracking code's secret.",
    SignatureInvalid "signature_invalid" "`sig` does not match what was sent.",
    SignatureStale "signature_stale" "`ts` is missing, in the future, or more than 24 hours old.",
    TypeUnknown "type_unknown" "`type` is none that there is.",
    TypeUnsigned "type_unsigned" "A signature speaks for a sale only; every other `type` needs the tracking code's secret.",
    TestHit "test" "Sent with `test=1`: read and shown, but not counted.",
    // The fields.
    AmountMissing "amount_missing" "There is no `amount`.",
    AmountInvalid "amount_invalid" "The amount is not a number.",
    AmountNegative "amount_negative" "The amount is below zero.",
    AmountPrecision "amount_precision" "The amount has more decimals than its currency.",
    AmountAmbiguous "amount_ambiguous" "The amount can be read in two ways; send it with a decimal point and without grouping.",
    AmountTooLarge "amount_too_large" "The amount is larger than any order can be.",
    AmountZero "amount_zero" "A refund or chargeback of nothing.",
    CurrencyUnknown "currency_unknown" "`currency` is not an ISO 4217 code.",
    OrderIdTooLong "order_id_too_long" "The id has more than 128 characters.",
    OrderIdInvalid "order_id_invalid" "The id is not valid UTF-8 text.",
    OrderIdRequired "order_id_required" "A refund or chargeback needs the `id` of its order.",
    RefundIdMissing "refund_id_missing" "A refund of an `amount` needs a `refund_id`, so that it does not count twice when it is sent again.",
    StatusUnknown "status_unknown" "`status` is none of `open`, `won`, `lost` and `accepted`.",
    TimeInvalid "time_invalid" "The time is neither as in RFC 3339 nor a date, is before 1970 or after tomorrow; or `closed_at` is on a day before `requested_at`.",
    OrderIdMissing "order_id_missing" "There is no usable order `id`; the sale is recognised by its click and waits for approval.",
    OrderIdShared "order_id_shared" "Many visitors came with this order `id`: the shop probably sends the same one for everybody.",
    // Attribution.
    NoReferral "no_referral" "Neither click token, coupon nor cookie came with it: nobody is credited.",
    TokenMalformed "token_malformed" "The click token is not one of ours.",
    TokenForged "token_forged" "The click token's signature is wrong.",
    TokenKeyUnknown "token_key_unknown" "The click token was signed with a key that is no longer accepted.",
    TokenExpired "token_expired" "The click is older than the program's attribution window.",
    TokenOtherProgram "token_other_program" "The click belongs to another program.",
    CouponUnknown "coupon_unknown" "The coupon belongs to no affiliate of this program.",
    CouponNotValid "coupon_not_valid" "The coupon is not valid at this time.",
    AffiliatePaused "affiliate_paused" "The affiliate was paused.",
    ProgramPaused "program_paused" "The program was paused.",
    LinkPaused "link_paused" "The link was paused.",
    // Orders.
    SameOrder "same_order" "This order was counted before.",
    AmountDiffers "amount_differs" "Another hit of this order named another amount; the one that stands is the verified, else the first.",
    UnsignedHeld "unsigned_held" "Nothing signed speaks for it and the program holds such sales for approval.",
    Revived "revived" "It was rejected as a claim, and then the shop vouched for the sale, though not for who referred it.",
    ClaimUntimely "claim_untimely" "Unsigned hits named who referred it, but not about the time of the verified one: they credit nobody.",
    Superseded "superseded" "Better evidence or a correction changed who or how much; the earlier booking was taken back.",
    AlreadyPaid "already_paid" "Better evidence came after the commission was paid out; the booking stands.",
    Retracted "retracted" "Its hits were decided again and none tells of it any more; what was booked was taken back.",
    ApprovedByHand "approved_by_hand" "A person approved the sale.",
    RejectedByHand "rejected_by_hand" "A person rejected the sale.",
    SaleAwaited "sale_awaited" "It came before its sale, and waits for it.",
    NoPlan "no_plan" "The program had no plan.",
    RateMissing "rate_missing" "Nobody quotes the rate of exchange for the commission yet; it is booked when somebody does.",
    ItemsUnreadable "items_unreadable" "The plan pays by what was bought, and `items` cannot be read: the order is paid as a whole.",
    // What was paid back.
    SameRefund "same_refund" "This refund or chargeback was counted before, as it is told.",
    OverRefunded "over_refunded" "More is told to have gone back than the sale was, or all of it besides a part; the commission is taken back once.",
    RefundCurrencyDiffers "refund_currency_differs" "It was paid back in another currency than the sale's, so nobody can tell how much of it that is; it does not count.",
    ChargebackOpen "chargeback_open" "The buyer disputes the charge: the commission waits until that is decided.",
    // Clicks.
    Head "head" "A `HEAD` request: nobody came.",
    Prefetch "prefetch" "The browser fetched ahead; nobody came.",
    Robot "robot" "A robot that says so.",
    NotNavigation "not_navigation" "The link was loaded as part of a page, not visited.",
    FirstClickKept "first_click_kept" "An earlier click of this visitor keeps the credit.",
    GlobalPrivacyControl "global_privacy_control" "The browser asked not to be tracked (`Sec-GPC`): no cookie, no address.",
    ConsentWithheld "consent_withheld" "The visitor did not consent: no cookie, no address.",
}

/// The sentence for a stored code; the code itself when it is of another version.
pub fn text_of(code: &str) -> &str {
    Reason::ALL.iter().find(|r| r.code() == code).map_or(code, |r| r.text())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_distinct() {
        let mut codes: Vec<_> = Reason::ALL.iter().map(|r| r.code()).collect();
        codes.sort_unstable();
        let count = codes.len();
        codes.dedup();
        assert_eq!(codes.len(), count);
        assert_eq!(text_of("no_plan"), "The program had no plan.");
        assert_eq!(text_of("of_tomorrow"), "of_tomorrow");
    }
}
