//! Tables as Markdown has them, with columns that also line up on a terminal.

/// Rows of cells under a head. The first column is text, the others are numbers.
#[derive(Clone, Debug)]
pub struct Table {
    head: Vec<String>,
    rows: Vec<Vec<String>>,
}

impl Table {
    /// An empty one with these columns.
    #[must_use]
    pub fn new(head: &[&str]) -> Self {
        Self {
            head: head.iter().map(ToString::to_string).collect(),
            rows: Vec::new(),
        }
    }

    /// Adds a row; missing cells are empty.
    pub fn row(&mut self, cells: Vec<String>) {
        self.rows.push(cells);
    }
}

impl std::fmt::Display for Table {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let width = |column: usize| {
            let cells = self.rows.iter().filter_map(|row| row.get(column));
            let longest = cells.map(|cell| cell.chars().count()).max().unwrap_or(0);
            longest.max(self.head[column].chars().count()).max(3)
        };
        let widths: Vec<usize> = (0..self.head.len()).map(width).collect();
        let line = |out: &mut std::fmt::Formatter<'_>, cells: &[String]| {
            for (column, &width) in widths.iter().enumerate() {
                let cell = cells.get(column).map_or("", String::as_str);
                if column == 0 {
                    write!(out, "| {cell:<width$} ")?;
                } else {
                    write!(out, "| {cell:>width$} ")?;
                }
            }
            writeln!(out, "|")
        };
        line(out, &self.head)?;
        for (column, &width) in widths.iter().enumerate() {
            let dashes = "-".repeat(width + usize::from(column == 0));
            write!(
                out,
                "|{}{dashes}{}",
                if column == 0 { "-" } else { "" },
                if column == 0 { "" } else { "-:" }
            )?;
        }
        writeln!(out, "|")?;
        self.rows.iter().try_for_each(|row| line(out, row))
    }
}
