//! nginx and haproxy of Debian in front of an edge, each as it comes and as lenient as it can be, with
//! connections to the edge that many clients share.

use std::collections::HashSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use crate::installation::free_address;

pub struct Proxies {
    children: Vec<Child>,
    /// Of each.
    logs: [PathBuf; 2],
    /// Name and address of each way through them.
    pub ways: Vec<(&'static str, String)>,
}

impl Proxies {
    /// In front of a server, with their files in a directory.
    pub fn start(dir: &Path, edge: &str) -> Proxies {
        fs::create_dir_all(dir).unwrap();
        let logs = ["nginx.log", "haproxy.log"].map(|name| dir.join(name));
        let ways: Vec<(&'static str, String)> =
            ["nginx", "nginx-lenient", "haproxy", "haproxy-lenient"]
                .map(|name| (name, free_address()))
                .into();
        let at = |index: usize| ways[index].1.as_str();
        let (nginx, haproxy) = (dir.join("nginx.conf"), dir.join("haproxy.cfg"));
        fs::write(&nginx, nginx_conf(dir, edge, [at(0), at(1)])).unwrap();
        fs::write(&haproxy, haproxy_cfg(edge, [at(2), at(3)])).unwrap();
        let start = |program: &str, arguments: &[&str], log: &Path| {
            let log = fs::OpenOptions::new().create(true).append(true).open(log).unwrap();
            let mut command = Command::new(program);
            let command = command.args(arguments).stdin(Stdio::null()).stdout(log);
            command.stderr(Stdio::inherit()).spawn().unwrap()
        };
        let (prefix, nginx) = (format!("{}/", dir.display()), nginx.display().to_string());
        let nginx = ["-e", "stderr", "-p", &prefix, "-c", &nginx];
        let children = vec![
            start("nginx", &nginx, &logs[0]),
            start("haproxy", &["-db", "-f", &haproxy.display().to_string()], &logs[1]),
        ];
        Proxies { children, logs, ways }
    }

    /// The poison that they took for requests of their own clients, by its numbers.
    pub fn poison_seen(&self) -> HashSet<String> {
        let log = self.log();
        let lines =
            log.lines().filter_map(|line| line.split_once("SEEN ")?.1.split_once("/c/poison?s1="));
        // In the request line itself, not in what is behind its target.
        let targets = lines.filter(|(before, _)| before.split(' ').count() <= 2);
        let number = |rest: &str| {
            rest.split(|c: char| !c.is_ascii_alphanumeric()).next().unwrap().to_owned()
        };
        targets.map(|(_, rest)| number(rest)).collect()
    }

    pub fn log(&self) -> String {
        let read = |log: &PathBuf| String::from_utf8_lossy(&fs::read(log).unwrap()).into_owned();
        self.logs.iter().map(read).collect()
    }
}

impl Drop for Proxies {
    fn drop(&mut self) {
        for child in &mut self.children {
            crate::role::signal(child.id(), "TERM"); // nginx's workers end with their master.
            let _ = child.wait();
        }
    }
}

fn nginx_conf(dir: &Path, edge: &str, [usual, lenient]: [&str; 2]) -> String {
    let temporary: String = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
        .map(|name| format!("{name}_temp_path {}/{name};\n", dir.display()))
        .concat();
    let user = if dir.metadata().is_ok() && is_root() { "user root;" } else { "" };
    let pass = "location / { proxy_pass http://edge; proxy_http_version 1.1; proxy_set_header Connection \"\"; }";
    format!(
        "daemon off; worker_processes 1; pid {dir}/nginx.pid; error_log stderr crit; {user}\n\
         events {{ worker_connections 512; }}\n\
         http {{ {temporary} log_format seen escape=json 'SEEN $request_method $request_uri $status';\n\
         access_log {dir}/nginx.log seen; client_body_timeout 2s; client_header_timeout 2s; proxy_read_timeout 4s;\n\
         upstream edge {{ server {edge}; keepalive 2; }}\n\
         server {{ listen {usual}; {pass} }}\n\
         server {{ listen {lenient}; ignore_invalid_headers off; underscores_in_headers on; merge_slashes off;\n\
         proxy_request_buffering off; proxy_buffering off; proxy_pass_request_headers on; {pass} }} }}\n",
        dir = dir.display(),
    )
}

fn haproxy_cfg(edge: &str, [usual, lenient]: [&str; 2]) -> String {
    let front = |name: &str, address: &str, more: &str| {
        format!(
            "frontend {name}\n  bind {address}\n  {more}\n  log-format \"SEEN %{{+Q}}r %ST\"\n  default_backend {name}\n\
             backend {name}\n  http-reuse always\n  server edge {edge} maxconn 16\n"
        )
    };
    format!(
        "global\n  log stdout format raw local0\n  maxconn 500\n\
         defaults\n  mode http\n  log global\n  option http-keep-alive\n  timeout connect 4s\n  timeout client 2s\n\
         \x20 timeout server 4s\n  timeout http-request 2s\n{}{}",
        front("usual", usual, ""),
        front("lenient", lenient, "option accept-invalid-http-request"),
    )
}

fn is_root() -> bool {
    Command::new("id").arg("-u").output().is_ok_and(|id| id.stdout.starts_with(b"0\n"))
}
