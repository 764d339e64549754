//! How long a server asks us to stay away.
//!
//! Keeps: both forms are read: seconds, and a date (`Sun, 06 Nov 1994 08:49:37 GMT`).
//! Not here: waiting (`opcode-engine`).

use opcode_model::Timestamp;

/// Milliseconds from `now`; `None` if the text is neither form.
pub(crate) fn retry_after_ms(text: &str, now: Timestamp) -> Option<u64> {
    let text = text.trim();
    if let Ok(seconds) = text.parse::<u64>() {
        return Some(seconds.saturating_mul(1000));
    }
    let wait = date(text)?.since(now);
    u64::try_from(wait.as_millis()).ok()
}

/// An HTTP date in its only current form.
fn date(text: &str) -> Option<Timestamp> {
    const MONTHS: [&str; 12] =
        ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let words: Vec<&str> = text.split_whitespace().collect();
    let [_, day, month, year, time, "GMT"] = words.as_slice() else { return None };
    let month = MONTHS.iter().position(|name| name == month)? + 1;
    Timestamp::parse(&format!("{year}-{month:02}-{day:0>2}T{time}Z"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_forms_are_read() {
        let now = Timestamp::parse("1994-11-06T08:49:07Z").unwrap();
        assert_eq!(retry_after_ms("120", now), Some(120_000));
        assert_eq!(retry_after_ms("Sun, 06 Nov 1994 08:49:37 GMT", now), Some(30_000));
        assert_eq!(retry_after_ms("Sun, 06 Nov 1994 08:00:00 GMT", now), Some(0));
        for text in ["soon", "", "-1", "Sun, 06 Now 1994 08:49:37 GMT", "06 Nov 1994"] {
            assert_eq!(retry_after_ms(text, now), None, "{text}");
        }
    }
}
