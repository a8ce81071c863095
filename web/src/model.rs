//! The page's model: what it shows and how that changes. Nothing here knows of elements or events.

pub mod bench;
pub mod highlight;
pub mod scenario;
pub mod snapshot;
pub mod speed;
pub mod state;
pub mod text;
pub mod timeline;
