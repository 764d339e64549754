//! Tables for people: columns aligned by spaces, nothing drawn.
//!
//! Keeps: colours do not count as width; the last column may be as long as it likes up to the terminal's edge.
//! Not here: what is in them.

use crate::say::Paint;
use crate::show::cut;

/// How a cell looks.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) enum Tone {
    /// As it is.
    #[default]
    Plain,
    /// Less important.
    Dim,
    /// More important.
    Bold,
    /// Well.
    Good,
    /// Not well.
    Bad,
    /// Waits.
    Held,
}

/// One cell.
#[derive(Clone, Debug, Default)]
pub(crate) struct Cell {
    text: String,
    tone: Tone,
    right: bool,
}

impl Cell {
    /// A cell of some tone.
    pub(crate) fn toned(text: impl Into<String>, tone: Tone) -> Self {
        Self { text: text.into(), tone, right: false }
    }

    /// A number: aligned to the right.
    pub(crate) fn number(text: impl Into<String>) -> Self {
        Self { text: text.into(), tone: Tone::Plain, right: true }
    }

    fn paint(&self, width: usize, paint: Paint) -> String {
        let fill = " ".repeat(width.saturating_sub(self.text.chars().count()));
        let text = match self.tone {
            Tone::Plain => self.text.clone(),
            Tone::Dim => paint.dim(&self.text),
            Tone::Bold => paint.bold(&self.text),
            Tone::Good => paint.green(&self.text),
            Tone::Bad => paint.red(&self.text),
            Tone::Held => paint.yellow(&self.text),
        };
        if self.right { fill + &text } else { text + &fill }
    }
}

impl<T: Into<String>> From<T> for Cell {
    fn from(text: T) -> Self {
        Self { text: text.into(), tone: Tone::Plain, right: false }
    }
}

/// Lines of aligned cells. The last cell of a row is cut where `width` ends.
pub(crate) fn lines(rows: &[Vec<Cell>], indent: usize, width: usize, paint: Paint) -> Vec<String> {
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let widest = |column: usize| {
        let cells = rows.iter().filter_map(|row| row.get(column));
        cells.map(|cell| cell.text.chars().count()).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..columns).map(widest).collect();
    let line = |row: &Vec<Cell>| {
        let mut text = " ".repeat(indent);
        let mut used = indent;
        for (column, cell) in row.iter().enumerate() {
            if widths[column] == 0 {
                continue;
            }
            if column + 1 == columns {
                let left = width.saturating_sub(used).max(20);
                let last = Cell { text: cut(&cell.text, left), ..cell.clone() };
                text += &last.paint(0, paint);
            } else {
                text += &cell.paint(widths[column], paint);
                text += "  ";
                used += widths[column] + 2;
            }
        }
        text.trim_end().to_owned()
    };
    rows.iter().map(line).collect()
}

/// A table with a head, as one text.
pub(crate) fn text(head: &[&str], rows: Vec<Vec<Cell>>, paint: Paint) -> String {
    let head = head.iter().map(|name| Cell::toned(*name, Tone::Dim)).collect();
    let all: Vec<Vec<Cell>> = std::iter::once(head).chain(rows).collect();
    lines(&all, 0, crate::say::width(), paint).join("\n")
}
