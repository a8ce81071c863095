//! Columns whose widths the user chooses.

use gloo::storage::{LocalStorage, Storage};
use yew::prelude::*;

const KEY: &str = "costack.columns";

/// Parts of the width that the columns have at first.
pub const WIDTHS: [f64; 4] = [344.0, 392.0, 332.0, 324.0];

/// No column gets narrower than this part.
const NARROWEST: f64 = 180.0;

/// The columns' widths, and how to move the border behind one of them.
#[derive(Clone, PartialEq)]
pub struct Columns {
    widths: UseStateHandle<[f64; 4]>,
}

impl Columns {
    /// As a style.
    pub fn style(&self) -> String {
        let columns = self.widths.map(|width| format!("minmax(0,{width:.0}fr)"));
        format!("--columns:{}", columns.join(" "))
    }

    /// The share of the whole that the columns up to this one have, in percent.
    pub fn share(&self, column: usize) -> f64 {
        let total: f64 = self.widths.iter().sum();
        100.0 * self.widths[..=column].iter().sum::<f64>() / total
    }

    /// Moves the border behind a column.
    pub fn shift(&self, column: usize, by: f64) {
        let mut widths = *self.widths;
        let by = by.clamp(NARROWEST - widths[column], widths[column + 1] - NARROWEST);
        widths[column] += by;
        widths[column + 1] -= by;
        self.set(widths);
    }

    /// As at first.
    pub fn reset(&self) {
        self.set(WIDTHS);
    }

    fn set(&self, widths: [f64; 4]) {
        // A browser that forbids storage forgets the choice; nothing else is lost.
        let _ = LocalStorage::set(KEY, widths);
        self.widths.set(widths);
    }
}

/// The widths that the user has chosen.
#[hook]
pub fn use_columns() -> Columns {
    let widths = use_state(|| {
        let stored = LocalStorage::get::<[f64; 4]>(KEY).unwrap_or(WIDTHS);
        let is_sane = stored
            .iter()
            .all(|width| (NARROWEST..2000.0).contains(width));
        if is_sane { stored } else { WIDTHS }
    });
    Columns { widths }
}
