//! The scenario language of Costack: text to checked program, with diagnostics.
