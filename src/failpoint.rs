//! Places where a process may be made to abort, to show that it may. Each is named; in a build with the
//! feature `failpoints` the environment variable `FAILPOINTS` arms them (`journal.synced=20*off->return`
//! aborts at the 21st pass), in any other build they are nothing.

/// What is armed; to be held as long as the process runs.
pub struct Armed {
    #[cfg(feature = "failpoints")]
    _scenario: fail::FailScenario<'static>,
}

/// Reads `FAILPOINTS`.
pub fn arm() -> Armed {
    Armed {
        #[cfg(feature = "failpoints")]
        _scenario: fail::FailScenario::setup(),
    }
}

/// Aborts here, if this place is armed: no destructor runs, nothing is flushed.
#[inline]
pub fn pass(_name: &'static str) {
    #[cfg(feature = "failpoints")]
    fail::fail_point!(_name, |_| std::process::abort());
}
