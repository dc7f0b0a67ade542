//! Sub-commands to roles: wiring and drain only.

use std::io::Write;
use std::net::SocketAddr;
use std::process::ExitCode;

use clap::Parser;
use tokio::net::TcpListener;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::watch;

use tributary::config::{
    self, BadSetting, Cli, Command, ConfigAction, Dev, RatesAction, RatesImport, Settings,
};
use tributary::dev;
use tributary::failpoint;
use tributary::http;
use tributary::journal::Journal;
use tributary::roles::{self, Error, Health};
use tributary::store::{Store, migrate, seals};
use tributary::telemetry;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// A setting that cannot be used (sysexits' EX_USAGE).
const EXIT_BAD_SETTING: u8 = 64;
/// Of so many advertisers `audit` prints the newest seal.
const SEAL_HEADS_MAX: i64 = 20;
/// Hits would be decided otherwise today, and nothing was booked (as diff and grep tell apart).
const EXIT_DIFFERENT: u8 = 2;

fn main() -> ExitCode {
    let _armed = failpoint::arm();
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(asked) if !asked.use_stderr() => asked.exit(), // For help or the version.
        Err(bad) => {
            let _ = bad.print();
            return ExitCode::from(EXIT_BAD_SETTING);
        }
    };
    match run(cli.command) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("tributary: {error}");
            let bad_setting = error.is::<BadSetting>();
            if bad_setting { ExitCode::from(EXIT_BAD_SETTING) } else { ExitCode::FAILURE }
        }
    }
}

fn run(command: Command) -> Result<ExitCode, Error> {
    match command {
        Command::Edge(settings) => serve(settings, Roles { edge: true, ..Roles::default() }),
        Command::Worker(settings) => serve(settings, Roles { worker: true, ..Roles::default() }),
        Command::Admin(settings) => serve(settings, Roles { admin: true, ..Roles::default() }),
        Command::All(settings) => serve(settings, Roles::ALL),
        Command::Dev(dev) => develop(dev),
        Command::Migrate(settings) => with_settings(settings, async |settings| {
            let version = roles::migrate(&settings).await?;
            say(format_args!("the schema is at version {version}"))?;
            Ok(ExitCode::SUCCESS)
        }),
        Command::Audit(settings) => with_settings(settings, audit),
        Command::Replay(asked) => with_settings(asked.settings.clone(), async |settings| {
            replay(&config::Replay { settings, ..asked }).await
        }),
        Command::Rates { action: RatesAction::Import(asked) } => {
            with_settings(asked.settings.clone(), async |settings| {
                say(roles::import_rates(&RatesImport { settings, ..asked }).await?)?;
                Ok(ExitCode::SUCCESS)
            })
        }
        Command::Config { action: ConfigAction::Check(settings) } => {
            let settings = settings.resolve()?;
            roles::check(&settings)?;
            say(serde_json::to_string_pretty(&settings)?)?;
            Ok(ExitCode::SUCCESS)
        }
    }
}

/// Prints a line. Whoever reads no further has read enough.
fn say(line: impl std::fmt::Display) -> Result<(), std::io::Error> {
    match writeln!(std::io::stdout(), "{line}") {
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Ok(()),
        said => said,
    }
}

/// Runs a tool: settings resolved, logs on, a small runtime.
fn with_settings(
    settings: Settings,
    work: impl AsyncFnOnce(Settings) -> Result<ExitCode, Error>,
) -> Result<ExitCode, Error> {
    let settings = settings.resolve()?;
    telemetry::log(&settings.log)?;
    tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(work(settings))
}

async fn audit(settings: Settings) -> Result<ExitCode, Error> {
    let store = roles::store(&settings)?;
    migrate::check(&store).await?;
    let mut broken = 0;
    for (invariant, rows) in roles::audit(&store).await? {
        match rows {
            0 => say(format_args!("{invariant}: ok"))?,
            _ => say(format_args!("{invariant}: {rows} broken"))?,
        }
        broken += rows;
    }
    print_seals(&store).await?;
    Ok(if broken == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// What somebody outside can hold against the books later.
async fn print_seals(store: &Store) -> Result<(), Error> {
    let heads = seals::heads(store, SEAL_HEADS_MAX).await?;
    say(format_args!("seals: {}", heads.first().map_or(0, |head| head.seals)))?;
    for head in heads {
        let seals::Head { advertiser_id, number, last_id, hash, .. } = head;
        say(format_args!(
            "seal of advertiser {advertiser_id}: number {number} up to {last_id}, {hash}"
        ))?;
    }
    Ok(())
}

async fn replay(asked: &config::Replay) -> Result<ExitCode, Error> {
    // Whoever stops reading does not stop what is being booked.
    let mut out = std::io::stdout().lock();
    let report = roles::replay(asked, |line| drop(writeln!(out, "{line}"))).await?;
    let _ = writeln!(out, "{report}");
    Ok(match (report.failed, report.differs() && !asked.apply) {
        (1.., _) => ExitCode::FAILURE,
        (0, true) => ExitCode::from(EXIT_DIFFERENT),
        (0, false) => ExitCode::SUCCESS,
    })
}

#[derive(Clone, Copy, Default)]
struct Roles {
    edge: bool,
    worker: bool,
    admin: bool,
}

impl Roles {
    const ALL: Roles = Roles { edge: true, worker: true, admin: true };
}

/// Runs roles until SIGTERM or Ctrl-C, or until one of them fails.
fn serve(settings: Settings, roles: Roles) -> Result<ExitCode, Error> {
    let settings = settings.resolve()?;
    telemetry::log(&settings.log)?;
    if rustix::process::geteuid().is_root() {
        tracing::warn!("runs as root and needs no rights: give it a user of its own");
    }
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    runtime.block_on(async {
        let bound = Bound::bind(&settings, roles).await?;
        let (stop, stopped) = watch::channel(false);
        let signals = Signals::listen()?;
        let running = start(&settings, roles, bound, stopped)?;
        tracing::info!(edge = roles.edge, worker = roles.worker, admin = roles.admin, "running");
        finish(running, stop, signals).await
    })
}

/// Everything in one process tree, with private servers and a demo shop.
fn develop(mut dev: Dev) -> Result<ExitCode, Error> {
    dev.settings = dev.settings.resolve()?;
    if let Some(listener) = dev.settings.listeners.secured() {
        let text = "`tributary dev` speaks no TLS".to_owned();
        return Err(BadSetting(listener.certificate_setting(), text).into());
    }
    telemetry::log(&dev.settings.log)?;
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    runtime.block_on(async {
        let bound = Bound::bind(&dev.settings, Roles::ALL).await?;
        let shop = listen(dev.shop_listen, "shop-listen").await?;
        let prepared = dev::prepare(&dev, &bound.urls(&shop)?).await?;
        let outcome = serve_all(&prepared, bound, shop).await;
        prepared.stop().await;
        outcome
    })
}

async fn serve_all(
    prepared: &dev::Prepared,
    bound: Bound,
    shop: TcpListener,
) -> Result<ExitCode, Error> {
    let settings = &prepared.settings;
    roles::migrate(settings).await?;
    let (stop, stopped) = watch::channel(false);
    let mut running = start(settings, Roles::ALL, bound, stopped.clone())?;
    // Whoever is told that it is ready may stop it at once.
    let signals = Signals::listen()?;
    match prepared.open().await {
        Ok(pages) => {
            let pages = std::sync::Arc::new(pages);
            let answer = move |request, _| {
                let pages = pages.clone();
                async move { dev::shop::answer(&pages, request).await }
            };
            let serving = http::serve(shop, roles::limits(settings), stopped, answer);
            running.spawn(async move {
                serving.await;
                Ok(())
            });
        }
        Err(error) => {
            running.spawn(async move { Err(error.into()) });
        }
    }
    finish(running, stop, signals).await
}

/// The listeners, bound before anything else is done.
struct Bound {
    edge: Option<std::net::TcpListener>,
    admin: Option<TcpListener>,
    ops: TcpListener,
}

impl Bound {
    async fn bind(settings: &Settings, roles: Roles) -> Result<Self, Error> {
        let edge = match roles.edge {
            true => Some(listen(settings.edge_listen, "edge-listen").await?.into_std()?),
            false => None,
        };
        let admin = match roles.admin {
            true => Some(listen(settings.admin_listen, "admin-listen").await?),
            false => None,
        };
        Ok(Bound { edge, admin, ops: listen(settings.ops_listen, "ops-listen").await? })
    }

    /// Where they can be reached from this machine.
    fn urls(&self, shop: &TcpListener) -> Result<dev::Urls, Error> {
        let (Some(edge), Some(admin)) = (&self.edge, &self.admin) else {
            return Err("all roles are served here".into());
        };
        Ok(dev::Urls {
            edge: dev::url(edge.local_addr()?),
            admin: dev::url(admin.local_addr()?),
            ops: dev::url(self.ops.local_addr()?),
            shop: dev::shop_url(shop.local_addr()?),
        })
    }
}

async fn listen(address: SocketAddr, flag: &'static str) -> Result<TcpListener, BadSetting> {
    let bound = TcpListener::bind(address).await;
    bound.map_err(|e| BadSetting(flag, format!("cannot listen on {address}: {e}")))
}

type Running = tokio::task::JoinSet<Result<(), Error>>;

/// Starts roles as tasks. The edge has a thread and a runtime of its own: nothing else delays an answer.
fn start(
    settings: &Settings,
    roles: Roles,
    bound: Bound,
    stop: watch::Receiver<bool>,
) -> Result<Running, Error> {
    let mut running = Running::new();
    let metrics = telemetry::install()?;
    let mut health = Health::default();
    if let Some(listener) = bound.edge {
        let journal = roles::journal(settings)?;
        health.journal = Some(journal.clone());
        let (settings, stop) = (settings.clone(), stop.clone());
        running.spawn_blocking(move || edge(&settings, journal, listener, stop));
    }
    if roles.worker {
        let (settings, stop) = (settings.clone(), stop.clone());
        running.spawn(async move { roles::worker(&settings, stop).await });
    }
    if let Some(listener) = bound.admin {
        let (settings, stop) = (settings.clone(), stop.clone());
        running.spawn(async move { roles::admin(&settings, listener, stop).await });
    }
    // An admin's login need not be one that sees all tenants.
    health.store = match (roles.worker, roles.admin) {
        (true, _) => Some(roles::store(settings)?),
        (false, true) => Some(roles::api_store(settings)?),
        (false, false) => None,
    };
    let settings = settings.clone();
    running.spawn(async move { roles::ops(&settings, health, metrics, bound.ops, stop).await });
    Ok(running)
}

fn edge(
    settings: &Settings,
    journal: Journal,
    listener: std::net::TcpListener,
    stop: watch::Receiver<bool>,
) -> Result<(), Error> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let listener = TcpListener::from_std(listener)?;
        roles::edge(settings, journal, listener, stop).await
    })
}

/// Waits for the signal to stop, or for a role that ended; then for all of them.
async fn finish(
    mut running: Running,
    stop: watch::Sender<bool>,
    mut signals: Signals,
) -> Result<ExitCode, Error> {
    let first = tokio::select! {
        () = signals.first() => Ok(()),
        Some(ended) = running.join_next() => ended.map_err(Error::from).and_then(|ended| ended),
    };
    stop.send_replace(true);
    let mut outcome = first;
    while let Some(ended) = running.join_next().await {
        let ended = ended.map_err(Error::from).and_then(|ended| ended);
        outcome = outcome.and(ended);
    }
    outcome.map(|()| ExitCode::SUCCESS)
}

/// SIGTERM and Ctrl-C: from when they are listened to, they end nothing by themselves.
struct Signals([Signal; 2]);

impl Signals {
    fn listen() -> std::io::Result<Self> {
        Ok(Signals([signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?]))
    }

    async fn first(&mut self) {
        let [terminate, interrupt] = &mut self.0;
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    }
}
