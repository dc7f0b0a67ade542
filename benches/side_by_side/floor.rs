//! Beside the floor: what an edge and Redis spend for a request, against nginx that keeps nothing but a
//! buffered line of its log. Same requests, same connections, one after the other.

use crate::spread::Spread;
use crate::stage::{self, CLICK, PIXEL, Stage};
use crate::wrk::{Ask, load};
use crate::{REPETITIONS, Result};

/// A durable pixel beside `empty_gif`.
pub async fn pixel() -> Result<()> {
    println!("## A durable pixel ÷ nginx `empty_gif`\n");
    let kept = |connections| Ask { connections, ..pixels("") };
    beside(&[(kept(64), 1.5), (kept(256), 1.1)]).await
}

/// A click with token and cookie beside `return 302`.
pub async fn click() -> Result<()> {
    println!("## A click with token and cookie ÷ nginx `return 302`\n");
    let clicks = |connections| Ask { path: CLICK, loads: "page", connections, ..pixels("") };
    beside(&[(clicks(64), 1.25), (clicks(256), 1.25)]).await
}

/// A durable pixel, each on a connection of its own. The server closes, so its side waits out the old
/// connection and no port of the client's is used up.
pub async fn connection() -> Result<()> {
    println!("## A durable pixel on a connection of its own ÷ nginx\n");
    let alone = |connections| Ask { connections, close: true, ..pixels("") };
    beside(&[(alone(64), 1.25), (alone(256), 1.25)]).await
}

/// Image requests on kept connections.
pub fn pixels(cookie: &str) -> Ask<'_> {
    Ask { path: PIXEL, cookie, loads: "image", connections: 256, close: false }
}

async fn beside(asks: &[(Ask<'static>, f64)]) -> Result<()> {
    let stage = Stage::set().await?;
    let edge = stage.edge().await?;
    let nginx = stage::nginx(&stage.dir)?;
    let cookie = stage.cookie(&edge).await?;
    println!(
        "| connections | nginx µs | edge µs | Redis µs | ratio | nginx p50/p99 | edge p50/p99 | nginx/s | edge/s |"
    );
    println!("|---|---|---|---|---|---|---|---|---|");
    for (ask, reach) in asks {
        let ask = Ask { cookie: &cookie, ..*ask };
        let mut ratios = Vec::new();
        for _ in 0..REPETITIONS {
            let floor = load(&[nginx.pid()], nginx.port, ask)?;
            let ours = load(&[edge.pid(), stage.redis()], edge.port, ask)?;
            let ratio = (ours.cpu_us[0] + ours.cpu_us[1]) / floor.cpu_us[0];
            println!(
                "| {} | {:.2} | {:.2} | {:.2} | {ratio:.2} | {} | {} | {:.0} | {:.0} |",
                ask.connections,
                floor.cpu_us[0],
                ours.cpu_us[0],
                ours.cpu_us[1],
                floor.latency,
                ours.latency,
                floor.rate,
                ours.rate
            );
            ratios.push(ratio);
        }
        let ratio = Spread::of(&ratios);
        println!("| {} | | | | **{ratio:.2}**, reach {reach:.2} | | | | |", ask.connections);
    }
    println!();
    drop((edge, nginx));
    stage.strike().await;
    Ok(())
}
