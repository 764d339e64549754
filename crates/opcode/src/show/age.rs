//! Moments and spans as people say them.
//!
//! Keeps: a span has at most two units.
//! Not here: exact moments (JSON has them).

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use opcode_model::Timestamp;

/// Now.
pub(crate) fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}

/// `12ms`, `1.2s`, `3m20s`, `5h`, `2d4h`.
pub(crate) fn span(span: Duration) -> String {
    let (millis, seconds) = (span.as_millis(), span.as_secs());
    let pair = |big: u64, name: &str, small: u64, unit: &str| match small {
        0 => format!("{big}{name}"),
        small => format!("{big}{name}{small}{unit}"),
    };
    match seconds {
        0 => format!("{millis}ms"),
        1..10 => format!("{:.1}s", span.as_secs_f64()),
        10..60 => format!("{seconds}s"),
        60..3_600 => pair(seconds / 60, "m", seconds % 60, "s"),
        3_600..86_400 => pair(seconds / 3_600, "h", seconds / 60 % 60, "m"),
        _ => pair(seconds / 86_400, "d", seconds / 3_600 % 24, "h"),
    }
}

/// `just now`, `5m ago`.
pub(crate) fn ago(moment: Timestamp) -> String {
    let passed = now().since(moment);
    if passed < Duration::from_secs(1) {
        "just now".to_owned()
    } else {
        format!("{} ago", rough(passed))
    }
}

/// `in 5m`, `now`.
pub(crate) fn ahead(moment: Timestamp) -> String {
    let left = moment.since(now());
    if left.is_zero() { "now".to_owned() } else { format!("in {}", rough(left)) }
}

/// One unit only.
fn rough(span: Duration) -> String {
    let seconds = span.as_secs();
    match seconds {
        0 => format!("{}ms", span.as_millis()),
        1..60 => format!("{seconds}s"),
        60..3_600 => format!("{}m", seconds / 60),
        3_600..86_400 => format!("{}h", seconds / 3_600),
        _ => format!("{}d", seconds / 86_400),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_have_at_most_two_units() {
        for (millis, text) in [
            (0, "0ms"),
            (999, "999ms"),
            (1_200, "1.2s"),
            (12_900, "12s"),
            (200_000, "3m20s"),
            (18_000_000, "5h"),
            (187_200_000, "2d4h"),
        ] {
            assert_eq!(span(Duration::from_millis(millis)), text);
        }
    }
}
