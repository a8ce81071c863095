//! What the timeline draws: thousands of ticks brought down to as many columns as can be seen.

use costack_sim::view::{TaskNumber, Tick, TickKind};

/// Columns of the timeline, whatever its width on the screen.
pub const COLUMNS: u32 = 1200;

/// A row of the timeline.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Row {
    /// Images copied out.
    Save,
    /// Stacks that changed hands.
    Owner,
    /// Images copied back.
    Restore,
    /// Printed lines.
    Output,
    /// Faults, over all rows.
    Fault,
}

impl Row {
    /// All of them, from the top.
    pub const ALL: [Row; 5] = [Row::Save, Row::Owner, Row::Restore, Row::Output, Row::Fault];

    /// The name, also of its style.
    pub const fn name(self) -> &'static str {
        match self {
            Row::Save => "save",
            Row::Owner => "owner",
            Row::Restore => "restore",
            Row::Output => "output",
            Row::Fault => "fault",
        }
    }

    fn of(kind: TickKind) -> Option<Self> {
        match kind {
            TickKind::Save => Some(Row::Save),
            TickKind::Owner => Some(Row::Owner),
            TickKind::Restore => Some(Row::Restore),
            TickKind::Output => Some(Row::Output),
            TickKind::Fault => Some(Row::Fault),
            TickKind::Service | TickKind::Switch | TickKind::Signal | TickKind::End => None,
        }
    }
}

/// A stretch of the run during which one task ran.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Band {
    /// The first column.
    pub start: u32,
    /// One past the last.
    pub end: u32,
    /// Who ran.
    pub task: TaskNumber,
}

/// A run, as the timeline shows it.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Timeline {
    /// Steps from end to end.
    pub steps: u64,
    /// The columns with a tick, each once and in order, by [`Row::ALL`].
    pub ticks: [Vec<u32>; 5],
    /// Who ran, from the left.
    pub bands: Vec<Band>,
}

impl Timeline {
    /// Draws the ticks of a run of so many steps.
    pub fn new(ticks: &[Tick], steps: u64) -> Self {
        let mut timeline = Timeline {
            steps,
            ..Timeline::default()
        };
        for tick in ticks {
            let column = timeline.column(tick.step);
            if let Some(row) = Row::of(tick.kind) {
                let columns = &mut timeline.ticks[row as usize];
                if columns.last() != Some(&column) {
                    columns.push(column);
                }
            }
            timeline.extend_bands(column, tick.task);
        }
        let end = if steps == 0 { 0 } else { COLUMNS };
        if let Some(last) = timeline.bands.last_mut() {
            last.end = end;
        }
        timeline
    }

    /// The column of a position or step.
    pub fn column(&self, step: u64) -> u32 {
        let steps = self.steps.max(1);
        let column = u128::from(step.min(steps)) * u128::from(COLUMNS) / u128::from(steps);
        // It is at most COLUMNS.
        column as u32
    }

    /// A tick tells who ran up to it: since the last tick, as every change of task is one.
    fn extend_bands(&mut self, column: u32, task: TaskNumber) {
        match self.bands.last_mut() {
            Some(last) if last.task == task => last.end = column,
            // Several tasks in one column: the last one shows.
            Some(last) if last.end >= column && last.start == last.end => last.task = task,
            Some(last) => {
                let start = last.end;
                self.bands.push(Band {
                    start,
                    end: column.max(start),
                    task,
                });
            }
            None => self.bands.push(Band {
                start: 0,
                end: column,
                task,
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tick(step: u64, kind: TickKind, task: TaskNumber) -> Tick {
        Tick { step, kind, task }
    }

    #[test]
    fn puts_ticks_into_rows_and_columns() {
        let ticks = [
            tick(0, TickKind::Service, 0),
            tick(50, TickKind::Save, 0),
            tick(51, TickKind::Owner, 0),
            tick(100, TickKind::Fault, 1),
        ];
        let timeline = Timeline::new(&ticks, 100);
        assert_eq!(timeline.ticks[Row::Save as usize], [COLUMNS / 2]);
        assert_eq!(timeline.ticks[Row::Owner as usize], [COLUMNS / 2 + 12]);
        assert_eq!(timeline.ticks[Row::Fault as usize], [COLUMNS]);
        assert!(timeline.ticks[Row::Output as usize].is_empty());
    }

    #[test]
    fn never_draws_more_than_there_are_columns() {
        let ticks: Vec<_> = (0..1_000_000)
            .map(|step| tick(step, TickKind::Save, 0))
            .collect();
        let timeline = Timeline::new(&ticks, 1_000_000);
        assert_eq!(timeline.ticks[Row::Save as usize].len(), COLUMNS as usize);
    }

    #[test]
    fn bands_join_and_reach_the_end() {
        let ticks = [
            tick(10, TickKind::Switch, 0),
            tick(40, TickKind::Service, 1),
            tick(50, TickKind::Switch, 1),
            tick(90, TickKind::Switch, 2),
        ];
        let bands = Timeline::new(&ticks, 100).bands;
        let expect = [(0, 120, 0), (120, 600, 1), (600, COLUMNS, 2)];
        assert_eq!(
            bands,
            expect.map(|(start, end, task)| Band { start, end, task })
        );
    }

    #[test]
    fn an_empty_run_has_nothing() {
        assert_eq!(Timeline::new(&[], 0), Timeline::default());
    }
}
