//! The page's model: what it shows and how that changes. Nothing here knows of elements or events.

pub mod bench;
pub mod checks;
pub mod colour;
pub mod compare;
pub mod copy;
pub mod highlight;
pub mod link;
pub mod map;
pub mod picture;
pub mod present;
pub mod problem;
pub mod replay;
pub mod run;
pub mod scenario;
pub mod snapshot;
pub mod speed;
pub mod state;
pub mod text;
pub mod timeline;
