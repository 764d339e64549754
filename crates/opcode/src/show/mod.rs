//! How things look to people: short, aligned, readable at 80 columns and without colour.
//!
//! Keeps: nothing here prints; a long text is cut and says so.
//! Not here: JSON (`shapes.rs`), the terminal (`say.rs`).

pub(crate) mod age;
pub(crate) mod asks;
pub(crate) mod event;
pub(crate) mod problems;
pub(crate) mod run;
pub(crate) mod table;

/// A text on one line, cut to so many characters.
pub(crate) fn cut(text: &str, max: usize) -> String {
    let flat = text.split_whitespace().collect::<Vec<_>>().join(" ");
    if flat.chars().count() <= max {
        return flat;
    }
    let kept: String = flat.chars().take(max.saturating_sub(1)).collect();
    format!("{}…", kept.trim_end())
}

/// `1 step`, `2 steps`, `1,000 steps`.
pub(crate) fn count(n: usize, one: &str) -> String {
    let digits = n.to_string();
    let mut text = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    format!("{text} {one}{}", if n == 1 { "" } else { "s" })
}

/// Bytes as people count them.
pub(crate) fn bytes(n: u64) -> String {
    let (mut size, mut unit) = (n as f64, "B");
    for next in ["KiB", "MiB", "GiB", "TiB"] {
        if size < 1024.0 {
            break;
        }
        (size, unit) = (size / 1024.0, next);
    }
    if unit == "B" || size >= 100.0 {
        format!("{size:.0} {unit}")
    } else {
        format!("{size:.1} {unit}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_read_well() {
        assert_eq!(count(1, "step"), "1 step");
        assert_eq!(count(12_345, "step"), "12,345 steps");
        assert_eq!(bytes(512), "512 B");
        assert_eq!(bytes(4_200_000), "4.0 MiB");
        assert_eq!(cut("a  b\nc", 4), "a b…");
    }
}
