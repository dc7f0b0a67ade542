//! Which passwords are taken: long ones that are not the first that anybody would try.

const CHARS_MIN: usize = 12;
const CHARS_MAX: usize = 128;
/// What the commonest long passwords are made of.
const COMMON: [&str; 24] = [
    "password",
    "passwort",
    "123456789",
    "987654321",
    "qwertyuiop",
    "qwertzuiop",
    "1q2w3e4r",
    "iloveyou",
    "letmein",
    "welcome",
    "changeme",
    "administrator",
    "tributary",
    "sunshine",
    "princess",
    "football",
    "baseball",
    "dragon",
    "monkey",
    "superman",
    "trustno1",
    "abcdef",
    "asdfgh",
    "zxcvbn",
];

/// What is wrong with a new password, if anything is.
pub fn fault(password: &str, email: &str) -> Option<&'static str> {
    let chars = password.chars().count();
    let (password_letters, email_letters) = (letters(password), letters(email));
    let name = letters(email.split('@').next().unwrap_or(""));
    // A common word with a few more letters is as common.
    let is_common = |word: &str| password_letters.replace(word, "").chars().count() <= 4;
    let mut distinct: Vec<char> = password.chars().collect();
    distinct.sort_unstable();
    distinct.dedup();
    match () {
        () if chars < CHARS_MIN => Some("The password needs at least 12 characters."),
        () if chars > CHARS_MAX => Some("The password may have at most 128 characters."),
        () if is_common(&email_letters) || name.len() >= 4 && is_common(&name) => {
            Some("The password must not be your e-mail address.")
        }
        () if COMMON.iter().any(|word| is_common(word)) || distinct.len() < 5 => {
            Some("This password is one of the first that anybody would try. Take another.")
        }
        () => None,
    }
}

fn letters(text: &str) -> String {
    text.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_and_uncommon_passwords_are_taken() {
        for (password, taken) in [
            ("correct horse battery", true),
            ("ähnlich lang genug", true),
            ("dragonfly over the pond", true),
            ("elevenchars", false),
            ("Password1234!", false),
            ("passwordpassword", false),
            ("123456789012", false),
            ("aaaaaaaaaaaaaaaa", false),
            ("Anna.Schmidt@shop.example", false),
            ("anna.schmidt12", false),
        ] {
            let fault = fault(password, "anna.schmidt@shop.example");
            assert_eq!(fault.is_none(), taken, "{password}: {fault:?}");
        }
        assert!(fault(&"äb cdefg".repeat(17), "a@b").is_some());
    }
}
