//! Text that strangers wrote, made fit to be drawn: on one line, without what moves a cursor or turns the writing round.
//!
//! Keeps: a text takes as many columns as `columns` says, in a terminal and in a fixed-width font.
//! Not here: the escapes of a format (`mermaid.rs`, `svg.rs`).

/// On one line, without controls.
pub(super) fn plain(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if c.is_whitespace() || c.is_control() {
            if !out.ends_with(' ') {
                out.push(' ');
            }
        } else if !is_hidden(c) {
            out.push(c);
        }
    }
    out.trim().to_owned()
}

/// On one line, in at most so many columns; what is cut says so.
pub(super) fn cut(text: &str, max: usize) -> String {
    // Nobody reads more than this, and nobody waits for it.
    let text: String = text.chars().take(4 * max + 64).collect();
    let text = plain(&text);
    if columns(&text) <= max {
        return text;
    }
    let mut kept = String::new();
    let mut used = 1;
    for c in text.chars() {
        used += width(c);
        if used > max {
            break;
        }
        kept.push(c);
    }
    format!("{}…", kept.trim_end())
}

/// Columns a text takes.
pub(super) fn columns(text: &str) -> usize {
    text.chars().map(width).sum()
}

/// Columns of a character: none for marks that stand on another, two for wide ones.
pub(super) fn width(c: char) -> usize {
    match u32::from(c) {
        0x0300..=0x036F
        | 0x0483..=0x0489
        | 0x0591..=0x05BD
        | 0x0610..=0x061A
        | 0x064B..=0x065F
        | 0x093C
        | 0x0941..=0x0948
        | 0x094D
        | 0x0E31
        | 0x0E34..=0x0E3A
        | 0x0E47..=0x0E4E
        | 0x1AB0..=0x1AFF
        | 0x1DC0..=0x1DFF
        | 0x20D0..=0x20FF
        | 0x302A..=0x302D
        | 0x3099..=0x309A
        | 0xFE00..=0xFE0F
        | 0xFE20..=0xFE2F => 0,
        0x1100..=0x115F
        | 0x2E80..=0x303E
        | 0x3041..=0xA4CF
        | 0xA960..=0xA97F
        | 0xAC00..=0xD7A3
        | 0xF900..=0xFAFF
        | 0xFE30..=0xFE6F
        | 0xFF00..=0xFF60
        | 0xFFE0..=0xFFE6
        | 0x1F300..=0x1F64F
        | 0x1F680..=0x1F6FF
        | 0x1F900..=0x1FAFF
        | 0x20000..=0x3FFFD => 2,
        _ => 1,
    }
}

/// What takes no room but changes what stands around it, and what no document may hold.
fn is_hidden(c: char) -> bool {
    matches!(
        u32::from(c),
        0x00AD
            | 0x061C
            | 0x180E
            | 0x200B..=0x200F
            | 0x202A..=0x202E
            | 0x2060..=0x206F
            | 0xFEFF
            | 0xFFF9..=0xFFFB
            | 0xE0000..=0xE0FFF
    ) || u32::from(c) & 0xFFFE == 0xFFFE
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_strangers_wrote_stays_on_its_line() {
        assert_eq!(plain(" a\n\tb\u{1b}[31m\u{202e}c "), "a b [31mc");
        assert_eq!(cut("abcdef", 4), "abc…");
        assert_eq!(cut("日本語", 5), "日本…");
        assert_eq!(cut("日本語", 6), "日本語");
        assert_eq!(columns("e\u{301}"), 1);
        assert!(columns(&cut(&"x".repeat(1_000_000), 10)) <= 10);
    }
}
