//! Passwords, hashed and checked: argon2id as OWASP recommends it (19 MiB, two passes, one lane). That takes
//! long on purpose, so few are at it at once, and never on the thread that answers.

use std::sync::LazyLock;
use std::time::Duration;

use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use argon2::{Algorithm, Argon2, Params, Version};
use tokio::sync::Semaphore;

use super::page::Refusal;

/// Checks at once: 38 MiB. Who was here before has one of his own, so that strangers cannot make him wait.
static STRANGERS: Semaphore = Semaphore::const_new(2);
static KNOWN: Semaphore = Semaphore::const_new(1);
/// How long somebody waits for his turn.
const TURN: Duration = Duration::from_secs(5);
/// For an e-mail that nobody has: the same work, for nothing.
static NOBODYS: LazyLock<String> =
    LazyLock::new(|| hashed("nobody has this password").unwrap_or_default());

/// Whether a password is the one of a hash; of none, never.
pub async fn is_right(
    password: String,
    hash: Option<String>,
    is_known: bool,
) -> Result<bool, Refusal> {
    let seats = if is_known { &KNOWN } else { &STRANGERS };
    in_turn(seats, move || {
        let text = hash.as_deref().unwrap_or(&NOBODYS);
        let Ok(parsed) = PasswordHash::new(text) else { return false };
        let fits = argon2().verify_password(password.as_bytes(), &parsed).is_ok();
        fits && hash.is_some()
    })
    .await
}

/// The hash of a new password.
pub async fn hash(password: String) -> Result<String, Refusal> {
    in_turn(&KNOWN, move || hashed(&password)).await?.ok_or(Refusal::Busy)
}

async fn in_turn<T: Send + 'static>(
    seats: &'static Semaphore,
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, Refusal> {
    let seat = tokio::time::timeout(TURN, seats.acquire()).await;
    let Ok(Ok(seat)) = seat else { return Err(Refusal::Busy) };
    let worked = tokio::task::spawn_blocking(move || {
        // Kept to the end, though the one who asked may be gone.
        let _seat = seat;
        work()
    });
    worked.await.map_err(|_| Refusal::Busy)
}

fn hashed(password: &str) -> Option<String> {
    argon2().hash_password(password.as_bytes()).ok().map(|hash| hash.to_string())
}

fn argon2() -> Argon2<'static> {
    // What the library takes by default, said here so that it stays.
    let params = Params::new(19 * 1024, 2, 1, None).unwrap_or_default();
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_password_is_checked_by_its_hash() {
        let hash = hash("correct horse".to_owned()).await.unwrap();
        assert!(hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{hash}");
        let right =
            |text: &str, hash: Option<&String>| is_right(text.to_owned(), hash.cloned(), true);
        assert!(right("correct horse", Some(&hash)).await.unwrap());
        assert!(!right("Correct horse", Some(&hash)).await.unwrap());
        assert!(!right("nobody has this password", None).await.unwrap());
    }
}
