//! A role in a process of its own.

use std::os::unix::process::ExitStatusExt;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

/// How a role is started.
#[derive(Clone)]
pub struct Plan {
    pub name: &'static str,
    pub flags: Vec<(String, String)>,
    /// Of the process alone: failpoints, a false clock.
    pub environment: Vec<(String, String)>,
    /// A program that starts it, with its arguments: strace, faketime.
    pub through: Vec<String>,
    pub log: PathBuf,
}

/// It runs, or has ended; and can be started again.
pub struct Role {
    pub plan: Plan,
    child: Child,
}

impl Role {
    pub fn start(plan: Plan) -> Role {
        Role { child: spawn(&plan), plan }
    }

    /// `http://address` of its `/metrics`.
    pub fn ops_url(&self) -> String {
        let flag = self.plan.flags.iter().find(|(flag, _)| flag == "--ops-listen");
        format!("http://{}", flag.unwrap().1)
    }

    /// The process that was started; with `through`, not the role's own.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// SIGKILL, and gone when this returns.
    pub fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// SIGTERM; the exit code.
    pub async fn stop(&mut self) -> Option<i32> {
        signal(self.pid(), "TERM");
        while self.has_ended().is_none() {
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        }
        self.has_ended().unwrap()
    }

    /// The exit code once it has ended; within, none for one that a signal ended.
    pub fn has_ended(&mut self) -> Option<Option<i32>> {
        self.child.try_wait().unwrap().map(|status| status.code())
    }

    /// The signal that ended it, if one has.
    pub fn ended_by(&mut self) -> Option<i32> {
        self.child.try_wait().unwrap().and_then(|status| status.signal())
    }

    /// Starts it again if it has ended.
    pub fn revive(&mut self) {
        if self.has_ended().is_some() {
            self.child = spawn(&self.plan);
        }
    }

    /// What it logged, with those before it.
    pub fn logged(&self) -> String {
        std::fs::read_to_string(&self.plan.log).unwrap_or_default()
    }
}

impl Drop for Role {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn spawn(plan: &Plan) -> Child {
    let log = std::fs::OpenOptions::new().create(true).append(true).open(&plan.log).unwrap();
    let mut argv = plan.through.clone();
    argv.push(env!("CARGO_BIN_EXE_tributary").to_owned());
    argv.push(plan.name.to_owned());
    argv.extend(plan.flags.iter().flat_map(|(flag, value)| [flag.clone(), value.clone()]));
    let mut command = Command::new(&argv[0]);
    command.args(&argv[1..]).env_clear().envs(plan.environment.iter().cloned());
    command.stdin(Stdio::null()).stderr(log).spawn().unwrap()
}

/// Sends a signal by its name to a process that a test started.
pub fn signal(pid: u32, name: &str) {
    let sent = Command::new("kill").args([&format!("-{name}"), &pid.to_string()]).status();
    assert!(sent.unwrap().success(), "SIG{name} to {pid}");
}
