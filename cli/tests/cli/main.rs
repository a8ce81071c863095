//! The command line as processes, the module's host, and whether the backends agree.

mod agreement;
mod commands;
mod document;
mod fuzzed;
mod hostile;
mod support;
mod traces;
