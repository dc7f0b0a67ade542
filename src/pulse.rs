//! Liveness: every loop that must not stand still says so each time around; `/livez` names those that have
//! been silent for longer than they may. Knows nothing of what the loops do.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, Instant};

/// The loops of this process that have not ended.
static LOOPS: Mutex<Vec<Weak<Loop>>> = Mutex::new(Vec::new());
/// What beats are counted from.
static START: LazyLock<Instant> = LazyLock::new(Instant::now);

#[derive(Debug)]
struct Loop {
    name: &'static str,
    silence_max: Duration,
    /// Milliseconds from the start.
    beaten_ms: AtomicU64,
    /// It ended by a panic: it will not beat again.
    dead: AtomicBool,
}

/// A loop's own; a loop that has dropped it has ended, and nobody waits for its beat, unless a panic ended it.
#[derive(Debug)]
pub struct Pulse(Arc<Loop>);

impl Pulse {
    /// Of a loop that says something at least every `silence_max`.
    pub fn new(name: &'static str, silence_max: Duration) -> Self {
        let new = Arc::new(Loop {
            name,
            silence_max,
            beaten_ms: AtomicU64::new(now_ms()),
            dead: AtomicBool::new(false),
        });
        let mut loops = loops();
        loops.retain(|known| known.strong_count() > 0);
        loops.push(Arc::downgrade(&new));
        Pulse(new)
    }

    /// Once around.
    pub fn beat(&self) {
        self.0.beaten_ms.store(now_ms(), Ordering::Relaxed);
    }
}

impl Drop for Pulse {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.0.dead.store(true, Ordering::Relaxed);
            std::mem::forget(self.0.clone()); // It stays on the list.
        }
    }
}

/// A loop's name, how long it has been silent, and whether that is too long.
pub fn silences() -> Vec<(&'static str, Duration, bool)> {
    let silence = |known: Arc<Loop>| {
        let silent_ms = now_ms().saturating_sub(known.beaten_ms.load(Ordering::Relaxed));
        let silent = Duration::from_millis(silent_ms);
        let late = silent > known.silence_max || known.dead.load(Ordering::Relaxed);
        (known.name, silent, late)
    };
    loops().iter().filter_map(Weak::upgrade).map(silence).collect()
}

fn now_ms() -> u64 {
    START.elapsed().as_millis() as u64
}

fn loops() -> MutexGuard<'static, Vec<Weak<Loop>>> {
    LOOPS.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_loop_is_late_when_it_is_silent_for_too_long_and_forgotten_when_it_ends() {
        let known = |name| silences().into_iter().find(|(known, ..)| *known == name);
        let patient = Pulse::new("patient", Duration::from_secs(3600));
        assert!(!known("patient").unwrap().2);
        let quick = Pulse::new("quick", Duration::ZERO);
        std::thread::sleep(Duration::from_millis(20));
        let (_, silent, late) = known("quick").unwrap();
        assert!(late && silent >= Duration::from_millis(20));
        std::thread::sleep(Duration::from_millis(100));
        quick.beat();
        assert!(known("quick").unwrap().1 < Duration::from_millis(120));
        drop((patient, quick));
        assert!(known("quick").is_none());
    }

    #[test]
    fn a_loop_that_panics_is_late_for_ever() {
        let dies = std::thread::spawn(|| {
            let _pulse = Pulse::new("mortal", Duration::from_secs(3600));
            panic!("as expected");
        });
        assert!(dies.join().is_err());
        let mortal = silences().into_iter().find(|(name, ..)| *name == "mortal");
        assert!(mortal.unwrap().2);
        loops().retain(|known| known.upgrade().is_none_or(|known| known.name != "mortal"));
    }
}
