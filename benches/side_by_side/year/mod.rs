//! A year of a program, as fast as it goes: orders of twelve months with the times of then, what went back of them,
//! the hold period, payouts each month, statements that foot, and at the end an audit. In this process, on a real
//! PostgreSQL and Redis.

mod driver;
mod orders;

use std::fmt::Debug;
use std::time::Instant;

use jiff::ToSpan;
use jiff::civil::{Date, date};
use tributary::roles;

use crate::{Result, setting};
use driver::Driver;

/// The first day of the year. What goes back of its last orders reaches into the next.
const FIRST: Date = date(2025, 1, 1);
/// Months until the last chargeback is decided and the last hold period has passed.
const MONTHS: i64 = 16;
const AFFILIATES: i64 = 50;
const DAY_MS: i64 = 86_400_000;

pub async fn run() -> Result<()> {
    let orders = orders::of_a_year(setting("BENCH_YEAR_ORDERS", 100_000)?);
    let parts = orders.iter().fold((0, 0), |(refunds, chargebacks), order| {
        (
            refunds + usize::from(!order.refunds.is_empty()),
            chargebacks + usize::from(order.chargeback.is_some()),
        )
    });
    println!("## A year of a program\n");
    println!(
        "{AFFILIATES} affiliates, {} orders, {} of them paid back, {} disputed.\n",
        orders.len(),
        parts.0,
        parts.1
    );
    println!(
        "| month | hits | settled s | released | released s | closed | closed s | payouts | paid | paid s | statements s |"
    );
    println!("|---|---|---|---|---|---|---|---|---|---|---|");
    let began = Instant::now();
    let mut driver = Driver::start(orders::told(&orders)).await?;
    for month in 0..MONTHS {
        let (from, to) = (FIRST + month.months(), FIRST + (month + 1).months());
        let lived = driver.live(from, to).await?;
        let over = driver.month_over(from, to).await?;
        println!(
            "| {} | {} | {:.1} | {} | {:.1} | {} | {:.1} | {} | {} | {:.1} | {:.1} |",
            from.strftime("%Y-%m"),
            lived.hits,
            lived.settling_s,
            lived.released,
            lived.releasing_s,
            over.closed,
            over.closing_s,
            over.payouts,
            over.paid,
            over.paying_s,
            over.stating_s
        );
    }
    let lived_s = began.elapsed().as_secs_f64();
    same("commissions", &driver.earned().await?, &orders::earned(&orders))?;
    let (closes, adjusted) = driver.adjusted().await?;
    same("months", &adjusted, &orders::tiered(&orders))?;
    let auditing = Instant::now();
    let invariants = roles::audit(driver.store()).await?;
    let broken: Vec<&(&str, usize)> = invariants.iter().filter(|(_, rows)| *rows > 0).collect();
    println!(
        "\nThe closing of months booked {} cents to {} affiliates' months by {closes} adjustments.",
        adjusted.values().sum::<i64>(),
        adjusted.len()
    );
    println!(
        "\nThe year took {lived_s:.0} s. The commissions of each affiliate, and what tiers gave him for each month, are those that whole numbers give. The audit found {} of {} invariants broken {broken:?}, in {:.1} s.\n",
        broken.len(),
        invariants.len(),
        auditing.elapsed().as_secs_f64()
    );
    driver.end().await;
    if broken.is_empty() { Ok(()) } else { Err("the books are not sound".into()) }
}

/// Fails where the books have something else than whole numbers give.
fn same<K: Debug + PartialEq>(what: &str, found: &K, expected: &K) -> Result<()> {
    match found == expected {
        true => Ok(()),
        false => Err(format!("the books have of {what} {found:?}, and not {expected:?}").into()),
    }
}

/// Midnight of a day in UTC, in milliseconds.
fn ms(day: Date) -> i64 {
    let midnight = day.to_zoned(jiff::tz::TimeZone::UTC);
    midnight.map_or(0, |midnight| midnight.timestamp().as_millisecond())
}
