//! Places where a process may be made to abort, to show that it may. Each is named; in a build with the
//! feature `failpoints` the environment variable `FAILPOINTS` arms them (`journal.synced=20*off->return`
//! aborts at the 21st pass), in any other build they are nothing.

/// Reads `FAILPOINTS`. What it returns is to be held as long as the process runs.
#[cfg(feature = "failpoints")]
pub fn arm() -> fail::FailScenario<'static> {
    fail::FailScenario::setup()
}

/// Nothing is armed in this build.
#[cfg(not(feature = "failpoints"))]
pub fn arm() {}

/// Aborts here, if this place is armed: no destructor runs, nothing is flushed.
#[inline]
pub fn pass(_name: &'static str) {
    #[cfg(feature = "failpoints")]
    fail::fail_point!(_name, |_| std::process::abort());
}
