//! Where in memory a value points, in words.

use std::ops::RangeInclusive;

use costack_sim::view::{StackKind, TaskNumber};

use super::snapshot::Snapshot;

/// A stack, as far as pointers into it are concerned.
#[derive(Clone, PartialEq, Eq, Debug)]
struct Place {
    name: String,
    kind: StackKind,
    addresses: RangeInclusive<u64>,
    owner: Option<TaskNumber>,
}

/// All stacks and who owns them.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Map {
    places: Vec<Place>,
    names: Vec<String>,
}

/// What a pointer points at.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Target {
    /// In words: `S of A, top−88`.
    pub text: String,
    /// Whose frame it points into, if that task's bytes are not on the stack now.
    pub out: Option<TaskNumber>,
}

impl Map {
    /// The map at one position.
    pub fn new(now: &Snapshot) -> Self {
        let places = now.stacks.iter().map(|stack| Place {
            name: stack.view.name.clone(),
            kind: stack.view.kind,
            addresses: stack.view.base..=stack.view.top,
            owner: stack.view.owner,
        });
        let names = now.tasks.iter().map(|task| task.view.name.clone());
        Map {
            places: places.collect(),
            names: names.collect(),
        }
    }

    /// What a value points at, made from the sp of `made_by`; `None` if it is no pointer into a
    /// stack.
    pub fn target(&self, value: u64, made_by: Option<TaskNumber>) -> Option<Target> {
        let place = self
            .places
            .iter()
            .find(|place| place.addresses.contains(&value))?;
        let out = match (place.kind, made_by) {
            (StackKind::Shared, Some(task)) if Some(task) != place.owner => Some(task),
            _ => None,
        };
        let name = if place.kind == StackKind::Main {
            "main"
        } else {
            &place.name
        };
        let below = place.addresses.end() - value;
        let whose = out.and_then(|task| self.names.get(task as usize));
        let text = match whose {
            Some(task) => format!("{name} of {task}, top−{below}"),
            None => format!("{name}, top−{below}"),
        };
        Some(Target { text, out })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn map() -> Map {
        let place = |name: &str, kind, addresses, owner| Place {
            name: name.to_owned(),
            kind,
            addresses,
            owner,
        };
        Map {
            places: vec![
                place("S", StackKind::Shared, 0x1000..=0x2000, Some(2)),
                place("main's stack", StackKind::Main, 0x8000..=0x9000, Some(0)),
            ],
            names: ["main", "A", "B"].map(str::to_owned).to_vec(),
        }
    }

    #[test]
    fn tells_how_far_below_the_top() {
        let target = map().target(0x1fa8, Some(2));
        assert_eq!(
            target,
            Some(Target {
                text: "S, top−88".to_owned(),
                out: None
            })
        );
        let target = map().target(0x9000, Some(0));
        assert_eq!(
            target,
            Some(Target {
                text: "main, top−0".to_owned(),
                out: None
            })
        );
    }

    #[test]
    fn tells_whose_frame_is_out() {
        let target = map().target(0x1fa8, Some(1));
        assert_eq!(
            target,
            Some(Target {
                text: "S of A, top−88".to_owned(),
                out: Some(1)
            })
        );
    }

    #[test]
    fn other_values_point_nowhere() {
        assert_eq!(map().target(0x40_1000, None), None);
    }
}
