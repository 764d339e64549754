//! Percent-encoding: `a b` as one part of a path, and `a%20b` read back (RFC 3986 §2.1).
//!
//! Keeps: what is no pair of hex digits behind `%` stays as it is.
//! Not here: whole addresses.

/// The text as one part of a path.
pub fn encoded(text: &str) -> String {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-');
    let part = |byte: u8| {
        if is_plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") }
    };
    text.bytes().map(part).collect()
}

/// The text with every encoded byte in its place.
pub fn decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let digits = after.get(..2).and_then(|digits| std::str::from_utf8(digits).ok());
        let byte = digits.and_then(|digits| u8::from_str_radix(digits, 16).ok());
        let byte = byte.filter(|_| *first == b'%');
        bytes.push(byte.unwrap_or(*first));
        rest = if byte.is_some() { &after[2..] } else { after };
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::{decoded, encoded};

    #[test]
    fn only_pairs_of_hex_digits_are_encoded() {
        for (text, wanted) in
            [("a%20b", "a b"), ("100%", "100%"), ("%zz%41", "%zzA"), ("%C3%A9", "é")]
        {
            assert_eq!(decoded(text), wanted, "{text}");
            assert_eq!(decoded(&encoded(text)), text);
        }
        assert_eq!(encoded("../é b"), "%2E%2E%2F%C3%A9%20b");
    }
}
