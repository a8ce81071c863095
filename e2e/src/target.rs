//! Ways to say which element is meant.

use std::fmt;

use fantoccini::{Client, Locator, elements::Element};
use serde_json::json;

use crate::wire;

/// Which element is meant.
#[derive(Clone, Copy, Debug)]
pub enum Target<'a> {
    /// The one with this `data-testid`.
    TestId(&'a str),
    /// The one with this accessible name and, where told, this role.
    Name {
        /// The role as ARIA names it, written out or implied by the tag.
        role: Option<&'a str>,
        /// The whole accessible name.
        name: &'a str,
    },
    /// The one that this CSS selector selects.
    Css(&'a str),
}

/// The element with this `data-testid`.
pub const fn test_id(id: &str) -> Target<'_> {
    Target::TestId(id)
}

/// The element with this ARIA role and accessible name: `role("button", "Step back")`.
pub const fn role<'a>(role: &'a str, name: &'a str) -> Target<'a> {
    Target::Name {
        role: Some(role),
        name,
    }
}

/// The element with this accessible name, whatever its role.
pub const fn named(name: &str) -> Target<'_> {
    Target::Name { role: None, name }
}

/// The element that this CSS selector selects.
pub const fn css(selector: &str) -> Target<'_> {
    Target::Css(selector)
}

impl fmt::Display for Target<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TestId(id) => write!(f, "[data-testid={id}]"),
            Self::Name {
                role: Some(role),
                name,
            } => write!(f, "{role} \"{name}\""),
            Self::Name { role: None, name } => write!(f, "\"{name}\""),
            Self::Css(selector) => write!(f, "{selector}"),
        }
    }
}

/// Finds the elements that could have the name: those where one of the texts that names come from
/// holds it. Computing the real name of an element is a request to the browser for each.
const CANDIDATES: &str = r#"
    const [name] = arguments;
    const plain = text => (text ?? '').replace(/\s+/g, ' ').trim();
    const wanted = plain(name);
    const meaningful = 'a[href],button,input,select,textarea,summary,option,h1,h2,h3,h4,h5,h6,' +
        'img,svg,table,ul,ol,nav,main,section,aside,header,footer,form,dialog,figure,article,' +
        'output,progress,meter,td,th,li,fieldset,[role],[tabindex],[aria-label],[aria-labelledby]';
    return [...document.querySelectorAll(meaningful)].filter(element => {
        const box = element.getBoundingClientRect();
        if (element.tagName !== 'OPTION' && (box.width === 0 || box.height === 0)) return false;
        const by = (element.getAttribute('aria-labelledby') ?? '').split(/\s+/).filter(id => id)
            .map(id => document.getElementById(id)?.textContent).join(' ');
        const labels = [...(element.labels ?? [])].map(label => label.textContent).join(' ');
        const own = ['aria-label', 'title', 'alt', 'placeholder', 'value']
            .map(attribute => element.getAttribute(attribute));
        return [by, labels, element.textContent, ...own].some(text => plain(text).includes(wanted));
    });
"#;

impl Target<'_> {
    /// All elements that are meant, in the document's order.
    pub(crate) async fn find_all(self, client: &Client) -> Result<Vec<Element>, String> {
        let selector = match self {
            Self::TestId(id) => format!("[data-testid=\"{id}\"]"),
            Self::Css(selector) => selector.to_owned(),
            Self::Name { role, name } => return with_name(client, role, name).await,
        };
        client
            .find_all(Locator::Css(&selector))
            .await
            .map_err(|error| error.to_string())
    }
}

async fn with_name(
    client: &Client,
    role: Option<&str>,
    name: &str,
) -> Result<Vec<Element>, String> {
    let candidates = client
        .execute(CANDIDATES, vec![json!(name)])
        .await
        .map_err(|error| error.to_string())?;
    let mut found = Vec::new();
    for candidate in candidates.as_array().into_iter().flatten() {
        // The only member of an element's object is its id, under a name that WebDriver fixes.
        let Some(id) = candidate
            .as_object()
            .and_then(|object| object.values().next())
        else {
            continue;
        };
        let id = id.as_str().unwrap_or_default();
        let has_role = match role {
            Some(role) => wire::computed_role(client, id).await? == role,
            None => true,
        };
        if has_role && wire::computed_label(client, id).await? == name {
            found.push(Element::from_element_id(
                client.clone(),
                id.to_owned().into(),
            ));
        }
    }
    Ok(found)
}
