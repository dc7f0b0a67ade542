//! Accounts at banks, and what is written to them: IBAN, BIC, and texts in the characters that every bank of
//! SEPA reads. Tells what is wrong; whether an account exists, only its bank can.

use unicode_normalization::UnicodeNormalization;

/// Characters of an IBAN, at least and at most (ISO 13616).
const IBAN_CHARS: std::ops::RangeInclusive<usize> = 15..=34;

/// An IBAN in its one spelling, capitals without spaces, if its check digits fit: ISO 13616, the remainder of
/// ISO 7064 by 97 is 1.
pub fn iban(text: &str) -> Option<String> {
    let spelled: String = text.chars().filter(|c| *c != ' ').collect();
    let iban = spelled.to_ascii_uppercase();
    let bytes = iban.as_bytes();
    let is_formed = IBAN_CHARS.contains(&bytes.len())
        && bytes[..2].iter().all(u8::is_ascii_uppercase)
        && bytes[2..4].iter().all(u8::is_ascii_digit)
        && bytes.iter().all(u8::is_ascii_alphanumeric);
    if !is_formed {
        return None;
    }
    let turned = bytes[4..].iter().chain(&bytes[..4]);
    let remainder = turned.fold(0_u32, |rest, byte| match byte {
        b'0'..=b'9' => (rest * 10 + u32::from(byte - b'0')) % 97,
        letter => (rest * 100 + u32::from(letter - b'A') + 10) % 97,
    });
    (remainder == 1).then_some(iban)
}

/// A BIC in capitals, if it is formed like one: eight characters or eleven (ISO 9362, as ISO 20022 has it).
pub fn bic(text: &str) -> Option<String> {
    let bic = text.trim().to_ascii_uppercase();
    let bytes = bic.as_bytes();
    let is_formed = matches!(bytes.len(), 8 | 11)
        && bytes[..6].iter().all(u8::is_ascii_uppercase)
        && bytes.iter().all(u8::is_ascii_alphanumeric)
        && !matches!(bytes[6], b'0' | b'1')
        && bytes[7] != b'O';
    is_formed.then_some(bic)
}

/// A text in the Latin characters that every bank of SEPA reads, at most so many (EPC217-08): accents fall
/// off, some letters become two, what is left over becomes a full stop. Never empty.
pub fn sepa_text(text: &str, chars_max: usize) -> String {
    let mut plain = String::new();
    for c in text.nfd() {
        match c {
            'a'..='z' | 'A'..='Z' | '0'..='9' => plain.push(c),
            '?' | ':' | '(' | ')' | '.' | ',' | '\'' | '+' | ' ' => plain.push(c),
            '-' | '\u{2010}'..='\u{2015}' | '_' => plain.push('-'),
            // Two in a row, or one at an end, means something else to banks.
            '/' if plain.is_empty() || plain.ends_with('/') => {}
            '/' => plain.push('/'),
            '\u{300}'..='\u{36f}' => {}
            other => plain.push_str(spelled(other)),
        }
    }
    let cut: String = plain.chars().take(chars_max).collect();
    let cut = cut.trim().trim_end_matches('/').trim_end();
    if cut.is_empty() { "-".to_owned() } else { cut.to_owned() }
}

/// A letter that no accent falls off from, or a sign, in others.
fn spelled(c: char) -> &'static str {
    match c {
        'ß' => "ss",
        'ẞ' => "SS",
        'æ' => "ae",
        'Æ' => "AE",
        'œ' => "oe",
        'Œ' => "OE",
        'ø' => "o",
        'Ø' => "O",
        'ł' => "l",
        'Ł' => "L",
        'đ' | 'ð' => "d",
        'Đ' | 'Ð' => "D",
        'þ' => "th",
        'Þ' => "TH",
        'ı' => "i",
        '&' => "+",
        '€' => "EUR",
        '’' | '‘' | '`' | '´' => "'",
        '\u{a0}' | '\u{202f}' | '\t' | '\n' | '\r' => " ",
        _ => ".",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_iban_has_fitting_check_digits() {
        // The examples of the registry of ISO 13616.
        for text in [
            "DE89 3704 0044 0532 0130 00",
            "GB29NWBK60161331926819",
            "FR1420041010050500013M02606",
            "NO9386011117947",
            "MT84MALT011000012345MTLCAST001S",
            "lc55hemm000100010012001200023015",
        ] {
            assert_eq!(iban(text), Some(text.replace(' ', "").to_uppercase()), "{text}");
        }
        for text in [
            "",
            "DE89370400440532013001",
            "DE88370400440532013000",
            "ED89370400440532013000",
            "D189370400440532013000",
            "DE8937040044053201300\u{660}",
            "DE89-3704-0044-0532-0130-00",
            "DE8937",
            "GB29NWBK60161331926819GB29NWBK601613",
        ] {
            assert_eq!(iban(text), None, "{text}");
        }
    }

    #[test]
    fn a_bic_is_formed_like_one() {
        for text in ["COBADEFF", "cobadeffxxx", " DEUTDEDB110 "] {
            assert_eq!(bic(text), Some(text.trim().to_uppercase()));
        }
        for text in ["", "COBADEF", "C0BADEFF", "COBADE0F", "COBADEFO", "COBADEFFXX", "COBADEFF-XX"]
        {
            assert_eq!(bic(text), None, "{text}");
        }
    }

    #[test]
    fn texts_are_in_characters_that_banks_read() {
        let check = |text: &str, expected: &str| assert_eq!(sepa_text(text, 70), expected);
        check("Ann's Blog", "Ann's Blog");
        check("Müller & Söhne GmbH", "Muller + Sohne GmbH");
        check("Straße <b>\"x\"</b>", "Strasse .b..x../b.");
        check("Łódź Ærø Þór", "Lodz AEro THor");
        check("//a//b/", "a/b");
        check("日本", "..");
        check("", "-");
        check("/", "-");
        check("10 € – 50 %", "10 EUR - 50 .");
        assert_eq!(sepa_text("ab cd/ef", 6), "ab cd");
        assert_eq!(sepa_text(&"ß".repeat(50), 70).len(), 70);
    }
}
