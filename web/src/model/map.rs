//! Where in memory a value points, in words.

use std::{ops::RangeInclusive, rc::Rc};

use costack_sim::view::{StackKind, StackView, TaskNumber, WordView};
use yew::AttrValue;

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
    names: Rc<[AttrValue]>,
}

/// A pointer into a frame.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Pointer {
    /// The address.
    pub to: u64,
    /// Whether that frame is not on its stack now.
    pub is_out: bool,
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
    /// The map of these stacks; `names` are those of all tasks, by number.
    pub fn new(stacks: &[StackView], names: &Rc<[AttrValue]>) -> Self {
        let places = stacks.iter().map(|stack| Place {
            name: stack.name.clone(),
            kind: stack.kind,
            addresses: stack.base..=stack.top,
            owner: stack.owner,
        });
        Map {
            places: places.collect(),
            names: Rc::clone(names),
        }
    }

    /// The stack that a value points into, and whose frame is meant if that is out.
    fn place(
        &self,
        value: u64,
        made_by: Option<TaskNumber>,
    ) -> Option<(&Place, Option<TaskNumber>)> {
        let mut places = self.places.iter();
        let place = places.find(|place| place.addresses.contains(&value))?;
        let out = match (place.kind, made_by) {
            (StackKind::Shared, Some(task)) if Some(task) != place.owner => Some(task),
            _ => None,
        };
        Some((place, out))
    }

    /// Where a word of memory points, if it is a pointer that was made into a frame.
    pub fn pointer(&self, word: &WordView) -> Option<Pointer> {
        if word.initialised == 0 || word.points_into.is_none() {
            return None;
        }
        let (_, out) = self.place(word.value, word.points_into)?;
        Some(Pointer {
            to: word.value,
            is_out: out.is_some(),
        })
    }

    /// What a value points at, made from the sp of `made_by`; `None` if it is no pointer into a
    /// stack.
    pub fn target(&self, value: u64, made_by: Option<TaskNumber>) -> Option<Target> {
        let (place, out) = self.place(value, made_by)?;
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
            names: ["main", "A", "B"].map(AttrValue::from).into(),
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
