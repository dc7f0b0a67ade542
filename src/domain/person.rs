//! What a person is called and written to by, wherever it is asked for.

/// Of an e-mail address, at most (RFC 5321).
pub const EMAIL_CHARS_MAX: usize = 254;
/// Of a name, at most.
pub const NAME_CHARS_MAX: usize = 200;

/// Something, an `@`, something. Whether it exists, only a mail can tell.
pub fn is_email(text: &str) -> bool {
    let parts = text.rsplit_once('@');
    parts.is_some_and(|(user, host)| !user.is_empty() && !host.is_empty())
        && text.chars().count() <= EMAIL_CHARS_MAX
        && !text.chars().any(|c| c.is_whitespace() || c.is_control())
}

/// Something that can be read, within bounds.
pub fn is_name(text: &str) -> bool {
    !text.trim().is_empty()
        && text.chars().count() <= NAME_CHARS_MAX
        && !text.chars().any(char::is_control)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn people_have_an_at_in_their_address_and_a_name() {
        for text in ["a@b", "a.b+c@d.example"] {
            assert!(is_email(text), "{text}");
        }
        for text in ["ab", "@b", "a@", "a b@c", "a@b\u{0}", &format!("a@{}", "b".repeat(253))] {
            assert!(!is_email(text), "{text}");
        }
        assert!(is_name("Ann") && is_name(&"x".repeat(200)));
        assert!(!is_name(" ") && !is_name("a\u{0}b") && !is_name(&"x".repeat(201)));
    }
}
