//! Choices that outlive the page.

use gloo::storage::{LocalStorage, Storage};
use yew::prelude::*;

const PREFIX: &str = "costack.";

/// A switch that the browser remembers.
#[derive(Clone, PartialEq)]
pub struct StoredFlag {
    key: String,
    state: UseStateHandle<bool>,
}

impl StoredFlag {
    /// Whether it is on.
    pub fn is_set(&self) -> bool {
        *self.state
    }

    /// Turns it on or off.
    pub fn toggle(&self) {
        let value = !*self.state;
        // A browser that forbids storage forgets the choice; nothing else is lost.
        let _ = LocalStorage::set(&self.key, value);
        self.state.set(value);
    }
}

/// A switch under a name of its own, off at first.
#[hook]
pub fn use_stored_flag(name: &str) -> StoredFlag {
    let key = format!("{PREFIX}{name}");
    let state = {
        let key = key.clone();
        use_state(move || LocalStorage::get(key).unwrap_or(false))
    };
    StoredFlag { key, state }
}

/// The page's colours.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Theme {
    /// As the system has it.
    System,
    /// Dark on light.
    Light,
    /// Light on dark.
    Dark,
}

impl Theme {
    /// The one that a press of the button brings.
    pub fn next(self) -> Self {
        match self {
            Theme::System => Theme::Light,
            Theme::Light => Theme::Dark,
            Theme::Dark => Theme::System,
        }
    }

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Theme::System => "system",
            Theme::Light => "light",
            Theme::Dark => "dark",
        }
    }
}

/// The theme, and a callback that chooses the next one.
#[hook]
pub fn use_theme() -> (Theme, Callback<()>) {
    let key = || format!("{PREFIX}theme");
    let theme = use_state(|| match LocalStorage::get::<String>(key()).as_deref() {
        Ok("light") => Theme::Light,
        Ok("dark") => Theme::Dark,
        _ => Theme::System,
    });
    use_effect_with(*theme, |&theme| apply(theme));
    let next = {
        let theme = theme.clone();
        Callback::from(move |()| {
            let next = theme.next();
            let _ = LocalStorage::set(key(), next.name());
            theme.set(next);
        })
    };
    (*theme, next)
}

/// Writes the theme to the document, and follows the system while that is what is wanted.
fn apply(theme: Theme) -> impl FnOnce() {
    let query = gloo::utils::window()
        .match_media("(prefers-color-scheme: dark)")
        .ok()
        .flatten();
    let show = {
        let query = query.clone();
        move || {
            let system_dark = query.as_ref().is_some_and(web_sys::MediaQueryList::matches);
            let dark = theme == Theme::Dark || theme == Theme::System && system_dark;
            let name = if dark { "dark" } else { "light" };
            if let Some(root) = gloo::utils::document().document_element() {
                // Setting an attribute of this name cannot fail.
                let _ = root.set_attribute("data-theme", name);
            }
        }
    };
    show();
    let listener =
        query.map(|query| gloo::events::EventListener::new(&query, "change", move |_| show()));
    move || drop(listener)
}
