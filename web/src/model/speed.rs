//! How fast a run goes by itself.

/// Steps in a second.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Speed {
    /// So many, as told by a timer.
    PerSecond(u32),
    /// As many as the page can make without becoming sluggish.
    Full,
}

impl Speed {
    /// Those to choose from.
    pub const ALL: [Speed; 6] = [
        Speed::PerSecond(2),
        Speed::PerSecond(10),
        Speed::PerSecond(50),
        Speed::PerSecond(250),
        Speed::PerSecond(2000),
        Speed::Full,
    ];

    /// The name on the screen.
    pub fn name(self) -> String {
        match self {
            Speed::PerSecond(steps) => format!("{} / s", super::text::count(steps.into())),
            Speed::Full => "full speed".to_owned(),
        }
    }

    /// Milliseconds between two pulses, and steps in each; at full speed as many as took a few
    /// milliseconds last time.
    pub fn pulse(self) -> (u32, Option<u64>) {
        // A screen shows some 60 pictures in a second.
        const FRAME_MS: u32 = 16;
        match self {
            Speed::PerSecond(steps) if steps * FRAME_MS <= 1000 => (1000 / steps, Some(1)),
            Speed::PerSecond(steps) => (FRAME_MS, Some(u64::from(steps * FRAME_MS / 1000))),
            Speed::Full => (FRAME_MS, None),
        }
    }
}

impl Default for Speed {
    fn default() -> Self {
        Speed::PerSecond(10)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slow_speeds_make_single_steps() {
        assert_eq!(Speed::PerSecond(2).pulse(), (500, Some(1)));
        assert_eq!(Speed::PerSecond(50).pulse(), (20, Some(1)));
    }

    #[test]
    fn fast_speeds_make_several_steps_in_a_picture() {
        assert_eq!(Speed::PerSecond(250).pulse(), (16, Some(4)));
        assert_eq!(Speed::Full.pulse(), (16, None));
    }
}
