//! The memory of an edge: idle, under full load, and with ten thousand connections that have each asked
//! once and stay.

use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::floor::pixels;
use crate::machine::memory_mib;
use crate::spread::Spread;
use crate::stage::{PIXEL, Stage};
use crate::{REPETITIONS, Result, wrk};

const CONNECTIONS: usize = 10_000;

pub async fn run() -> Result<()> {
    println!("## Memory of an edge, MiB resident\n");
    println!("| idle | most under full load | with 10,000 connections |\n|---|---|---|");
    let mut columns = [const { Vec::new() }; 3];
    for _ in 0..REPETITIONS {
        let measured = measure().await?;
        println!("| {:.0} | {:.0} | {:.0} |", measured[0], measured[1], measured[2]);
        for (column, mib) in columns.iter_mut().zip(measured) {
            column.push(mib);
        }
    }
    let [idle, loaded, connected] = columns.map(|column| Spread::of(&column));
    println!(
        "| **{idle:.0}**, reach 25 | **{loaded:.0}**, reach 100 | **{connected:.0}**, reach 250 |\n"
    );
    Ok(())
}

async fn measure() -> Result<[f64; 3]> {
    let stage = Stage::set().await?;
    let edge = stage.edge().await?;
    tokio::time::sleep(Duration::from_secs(2)).await;
    let idle = memory_mib(edge.pid(), "VmRSS")?;
    let cookie = stage.cookie(&edge).await?;
    wrk::load(&[], edge.port, pixels(&cookie))?;
    let loaded = memory_mib(edge.pid(), "VmHWM")?;
    drop(edge);

    let edge = stage.edge().await?;
    let mut open = Vec::with_capacity(CONNECTIONS);
    for number in 0..CONNECTIONS {
        let mut stream = TcpStream::connect(("127.0.0.1", edge.port)).await?;
        let request = format!("GET {PIXEL}c{number} HTTP/1.1\r\nHost: track.example.com\r\n\r\n");
        stream.write_all(request.as_bytes()).await?;
        open.push(stream);
    }
    for stream in &mut open {
        let mut answer = [0; 1_024];
        if stream.read(&mut answer).await? == 0 {
            return Err("a connection was not answered".into());
        }
    }
    tokio::time::sleep(Duration::from_secs(1)).await;
    let connected = memory_mib(edge.pid(), "VmHWM")?;
    drop((open, edge));
    stage.strike().await;
    Ok([idle, loaded, connected])
}
