//! What the machine tells of itself and of a process: processor time, memory, open files.

use std::fs;
use std::process::Command;

use crate::Result;

/// Ticks of `/proc` are hundredths of a second on Linux.
const TICK_US: f64 = 10_000.0;
/// For ten thousand connections, on either side.
const FILES_WANTED: u32 = 11_000;

/// The machine in one line.
pub fn describe() -> String {
    let cpu = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let memory = fs::read_to_string("/proc/meminfo").unwrap_or_default();
    let after = |text: &str, mark: &str| {
        let line = text.lines().find(|line| line.starts_with(mark)).unwrap_or("").to_owned();
        line.split(':').nth(1).unwrap_or("unknown").trim().to_owned()
    };
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    let kib: f64 = after(&memory, "MemTotal").trim_end_matches(" kB").parse().unwrap_or(0.0);
    let kernel = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    let load = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let versions = ["nginx -v", "redis-server --version"].map(version).join("; ");
    format!(
        "Machine: {}, {cores} cores, {:.0} GiB; Linux {}; {versions}. Load before: {}. \
         {} repetitions, the load on the same cores.",
        after(&cpu, "model name"),
        kib / f64::from(1 << 20),
        kernel.trim(),
        load.split_whitespace().next().unwrap_or("unknown"),
        crate::REPETITIONS
    )
}

/// The first line that a program says of its version, on whichever stream.
fn version(command: &str) -> String {
    let mut words = command.split(' ');
    let output = Command::new(words.next().unwrap_or("")).args(words).output();
    let Ok(output) = output else { return format!("{command}: not there") };
    let said = [output.stdout, output.stderr].concat();
    let said = String::from_utf8_lossy(&said).into_owned();
    said.lines().next().unwrap_or("").split(" sha=").next().unwrap_or("").to_owned()
}

/// Raises the limit of open files, for this process and all that it starts, to the most that it may.
pub fn allow_many_files() -> Result<()> {
    let limits = fs::read_to_string("/proc/self/limits")?;
    let line = limits.lines().find(|line| line.starts_with("Max open files")).unwrap_or("");
    let most: u32 = line.split_whitespace().nth(4).unwrap_or("").parse().unwrap_or(FILES_WANTED);
    if most < FILES_WANTED {
        eprintln!("only {most} files may be open: 10,000 connections will fail");
    }
    let pid = std::process::id().to_string();
    Command::new("prlimit").args(["--pid", &pid, &format!("--nofile={most}:")]).status()?;
    Ok(())
}

/// User and system time of a process so far, in microseconds.
pub fn cpu_us(pid: u32) -> Result<f64> {
    Ok((field(pid, 11)? + field(pid, 12)?) * TICK_US)
}

/// The time of a process with all its children, those that have ended too.
pub fn cpu_us_with_children(pid: u32) -> Result<f64> {
    let mut us = cpu_us(pid)? + (field(pid, 13)? + field(pid, 14)?) * TICK_US;
    for entry in fs::read_dir("/proc")?.flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        let Ok(child) = name.parse::<u32>() else { continue };
        if field(child, 1).is_ok_and(|parent| parent == f64::from(pid)) {
            us += cpu_us(child).unwrap_or(0.0);
        }
    }
    Ok(us)
}

/// A field of `/proc/PID/stat`, counted from behind the name: 0 is the state.
fn field(pid: u32, at: usize) -> Result<f64> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat"))?;
    let rest = stat.rsplit(')').next().unwrap_or("");
    let word = rest.split_whitespace().nth(at).ok_or("a short /proc/PID/stat")?;
    Ok(word.parse()?)
}

/// Resident memory of a process in MiB: `VmRSS` now, `VmHWM` the highest so far.
pub fn memory_mib(pid: u32, mark: &str) -> Result<f64> {
    let status = fs::read_to_string(format!("/proc/{pid}/status"))?;
    let line = status.lines().find(|line| line.starts_with(mark)).ok_or("no such line")?;
    let kib: f64 = line.split_whitespace().nth(1).ok_or("no number")?.parse()?;
    Ok(kib / 1024.0)
}
