//! Keys and chords by the names they have in browsers: `Enter`, `Control+Shift+z`, `ArrowLeft`.

use fantoccini::{
    actions::{InputSource, KeyAction, KeyActions},
    key::Key,
};

/// The characters of a chord's keys, in the order they go down.
pub fn chord(text: &str) -> Result<Vec<char>, String> {
    // A plus sign alone is itself a key.
    let names = if text == "+" {
        vec!["+"]
    } else {
        text.split('+').collect()
    };
    names.into_iter().map(key).collect()
}

/// Presses all keys in order and lets go of them in the opposite one.
pub fn actions(chord: &[char]) -> KeyActions {
    let down = chord.iter().map(|&value| KeyAction::Down { value });
    let up = chord.iter().rev().map(|&value| KeyAction::Up { value });
    down.chain(up)
        .fold(KeyActions::new("keyboard".to_owned()), |actions, next| {
            actions.then(next)
        })
}

fn key(name: &str) -> Result<char, String> {
    let key = match name {
        "Control" => Key::Control,
        "Shift" => Key::Shift,
        "Alt" => Key::Alt,
        "Meta" => Key::Meta,
        "Enter" => Key::Enter,
        "Escape" => Key::Escape,
        "Tab" => Key::Tab,
        "Space" => return Ok(' '),
        "Backspace" => Key::Backspace,
        "Delete" => Key::Delete,
        "Home" => Key::Home,
        "End" => Key::End,
        "PageUp" => Key::PageUp,
        "PageDown" => Key::PageDown,
        "ArrowLeft" => Key::Left,
        "ArrowRight" => Key::Right,
        "ArrowUp" => Key::Up,
        "ArrowDown" => Key::Down,
        "F1" => Key::F1,
        "F5" => Key::F5,
        "F10" => Key::F10,
        "F11" => Key::F11,
        _ => {
            let mut characters = name.chars();
            return match (characters.next(), characters.next()) {
                (Some(character), None) => Ok(character),
                _ => Err(format!("there is no key {name:?}")),
            };
        }
    };
    Ok(key.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_chords() {
        let [control, enter] = [Key::Control, Key::Enter].map(char::from);
        assert_eq!(chord("Control+Enter"), Ok(vec![control, enter]));
        assert_eq!(chord("z"), Ok(vec!['z']));
        assert_eq!(chord("+"), Ok(vec!['+']));
        assert!(chord("Controll+z").is_err());
    }
}
